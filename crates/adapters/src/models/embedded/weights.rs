//! Reads a model's weights in a form that is quick to compute with.
//!
//! candle multiplies some kinds of quantised numbers one by one, whatever the processor can do. Those
//! are turned into `Q8_0`, which it multiplies many at a time. That form is finer than each of them,
//! so that answers stay the same but for rounding; it takes up to twice the memory.

use std::io::Cursor;

use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Result};
use candle_transformers::models::quantized_llama::ModelWeights;

/// Builds the model from its file, of which `content` is the head.
///
/// # Errors
/// Whatever is missing from the file or damaged.
pub(super) fn build(mut content: Content, file: Vec<u8>) -> Result<ModelWeights> {
    let mut reader = Cursor::new(file);
    let mut quick = Vec::with_capacity(reader.get_ref().len());
    for tensor in content.tensor_infos.values_mut() {
        let read = tensor.read(&mut reader, content.tensor_data_offset, &Device::Cpu)?;
        let read = if is_slow(read.dtype()) {
            QTensor::quantize(&read.dequantize(&Device::Cpu)?, GgmlDType::Q8_0)?
        } else {
            read
        };
        tensor.ggml_dtype = read.dtype();
        tensor.offset = u64::try_from(quick.len()).map_err(candle_core::Error::wrap)?;
        quick.extend_from_slice(&read.data()?);
    }
    content.tensor_data_offset = 0;
    drop(reader);
    ModelWeights::from_gguf(content, &mut Cursor::new(quick), &Device::Cpu)
}

/// Whether candle has nothing better than a loop over single numbers for it. All of them have blocks
/// of 32 numbers, as `Q8_0` has.
fn is_slow(kind: GgmlDType) -> bool {
    use GgmlDType::{Q4_1, Q5_0, Q5_1, Q8_1};
    matches!(kind, Q4_1 | Q5_0 | Q5_1 | Q8_1)
}
