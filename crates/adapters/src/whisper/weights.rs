//! Reads a Whisper model in CTranslate2's form, in which the packages carry it: a list of named arrays.
//!
//! Nothing is believed of the file: every length is checked before it is used.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use candle_transformers::models::whisper::Config;

/// The version of the file's form that is read.
const VERSION: u32 = 6;
/// The most arrays: the largest model has some 1,500.
const ARRAYS_MAX: u32 = 10_000;

/// Why the weights cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum WeightsError {
    #[error("it is no model of CTranslate2's version {VERSION} that holds a Whisper")]
    NotOurs,
    #[error("it ends in the middle of something")]
    CutOff,
    #[error("it holds numbers in a form that is not read here, such as quantised ones")]
    Form,
    #[error("an array is missing: {0}")]
    Missing(&'static str),
    #[error("an array is not of the shape that it should be")]
    Shape(#[source] candle_core::Error),
}

/// What a file holds: its arrays by the names that candle knows them by, and what the model is like.
pub(super) struct Weights {
    pub(super) tensors: HashMap<String, Tensor>,
    pub(super) config: Config,
}

/// Reads the bytes of a file, piece by piece.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], WeightsError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(WeightsError::CutOff)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WeightsError> {
        self.take(N)?.try_into().map_err(|_never| WeightsError::CutOff)
    }

    fn byte(&mut self) -> Result<u8, WeightsError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn number(&mut self) -> Result<u32, WeightsError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn length(&mut self) -> Result<usize, WeightsError> {
        usize::try_from(self.number()?).map_err(|_too_long| WeightsError::CutOff)
    }

    /// A text with its length before it and a zero behind it.
    fn text(&mut self) -> Result<String, WeightsError> {
        let length = u16::from_le_bytes(self.array()?);
        let bytes = self.take(usize::from(length))?;
        let text = bytes.strip_suffix(&[0]).unwrap_or(bytes);
        String::from_utf8(text.to_vec()).map_err(|_no_text| WeightsError::NotOurs)
    }
}

/// Reads a file.
///
/// # Errors
/// See [`WeightsError`].
pub(super) fn read(file: &[u8]) -> Result<Weights, WeightsError> {
    let mut reader = Reader(file);
    if reader.number()? != VERSION || reader.text()? != "WhisperSpec" {
        return Err(WeightsError::NotOurs);
    }
    let _revision = reader.number()?;
    let count = reader.number()?;
    if ARRAYS_MAX < count {
        return Err(WeightsError::NotOurs);
    }
    let mut tensors = HashMap::new();
    let mut sizes = Sizes::default();
    for _ in 0..count {
        let name = reader.text()?;
        let rank = reader.byte()?;
        let shape = (0..rank).map(|_| reader.length()).collect::<Result<Vec<_>, _>>()?;
        let kind = reader.byte()?;
        let length = reader.length()?;
        let bytes = reader.take(length)?;
        sizes.look_at(&name, &shape, bytes);
        let names = names(&name);
        if names.is_empty() {
            continue;
        }
        let tensor = tensor(kind, &shape, bytes)?;
        let parts = tensor.chunk(names.len(), 0).map_err(WeightsError::Shape)?;
        for (name, part) in names.into_iter().zip(parts) {
            tensors.insert(name, part.contiguous().map_err(WeightsError::Shape)?);
        }
    }
    Ok(Weights { config: sizes.config()?, tensors })
}

fn tensor(kind: u8, shape: &[usize], bytes: &[u8]) -> Result<Tensor, WeightsError> {
    let kind = match kind {
        0 => DType::F32,
        4 => DType::F16,
        5 => DType::BF16,
        _ => return Err(WeightsError::Form),
    };
    let count = shape.iter().try_fold(kind.size_in_bytes(), |all, it| all.checked_mul(*it));
    if count != Some(bytes.len()) {
        return Err(WeightsError::CutOff);
    }
    let tensor = Tensor::from_raw_buffer(bytes, kind, shape, &Device::Cpu);
    tensor.and_then(|it| it.to_dtype(DType::F32)).map_err(WeightsError::Shape)
}

/// What is told by the shapes of arrays.
#[derive(Debug, Default)]
struct Sizes {
    bands: usize,
    width: usize,
    heads: usize,
    frames: usize,
    encoder_layers: usize,
    decoder_layers: usize,
    words: usize,
    tokens: usize,
}

impl Sizes {
    fn look_at(&mut self, name: &str, shape: &[usize], bytes: &[u8]) {
        let layers = |side: &str| {
            let layer = name.strip_prefix(side)?.strip_prefix("/layer_")?;
            layer.split('/').next()?.parse::<usize>().ok().map(|it| it.saturating_add(1))
        };
        match (name, shape) {
            ("encoder/conv1/weight", [width, bands, _]) => {
                (self.width, self.bands) = (*width, *bands);
            }
            ("encoder/position_encodings/encodings", [frames, _]) => self.frames = *frames,
            ("decoder/position_encodings/encodings", [tokens, _]) => self.tokens = *tokens,
            ("decoder/embeddings/weight", [words, _]) => self.words = *words,
            ("encoder/num_heads", []) => {
                let number: Option<[u8; 2]> = bytes.try_into().ok();
                self.heads = number.map_or(0, |it| usize::from(u16::from_le_bytes(it)));
            }
            _ => {
                self.encoder_layers =
                    self.encoder_layers.max(layers("encoder").unwrap_or_default());
                self.decoder_layers =
                    self.decoder_layers.max(layers("decoder").unwrap_or_default());
            }
        }
    }

    fn config(&self) -> Result<Config, WeightsError> {
        let there =
            |size: usize, name| if size == 0 { Err(WeightsError::Missing(name)) } else { Ok(size) };
        let heads = there(self.heads, "encoder/num_heads")?;
        Ok(Config {
            num_mel_bins: there(self.bands, "encoder/conv1/weight")?,
            max_source_positions: there(self.frames, "encoder/position_encodings")?,
            d_model: self.width,
            encoder_attention_heads: heads,
            encoder_layers: there(self.encoder_layers, "encoder/layer_0")?,
            vocab_size: there(self.words, "decoder/embeddings/weight")?,
            max_target_positions: there(self.tokens, "decoder/position_encodings")?,
            decoder_attention_heads: heads,
            decoder_layers: there(self.decoder_layers, "decoder/layer_0")?,
            suppress_tokens: Vec::new(),
        })
    }
}

/// What an array is called by candle; several names where it holds several, one above the other. Nothing
/// for what is not used.
fn names(name: &str) -> Vec<String> {
    let parts: Vec<&str> = name.split('/').collect();
    let kind = match parts.last() {
        Some(&"weight" | &"gamma") => "weight",
        Some(&"bias" | &"beta") => "bias",
        _ => "",
    };
    let of_layer = |side: &str, layer: &str, what: &[&str]| {
        let number = layer.strip_prefix("layer_").unwrap_or_default();
        let name = |it: &&str| format!("model.{side}.layers.{number}.{it}.{kind}");
        what.iter().map(name).collect()
    };
    match *parts.as_slice() {
        ["decoder", "embeddings", "weight"] => vec!["model.decoder.embed_tokens.weight".to_owned()],
        ["decoder", "position_encodings", "encodings"] => {
            vec!["model.decoder.embed_positions.weight".to_owned()]
        }
        [side, part @ ("conv1" | "conv2" | "layer_norm"), _] => {
            vec![format!("model.{side}.{part}.{kind}")]
        }
        [side, layer, block, part, _] => {
            let what: &[&str] = match (block, part) {
                ("ffn", "layer_norm") => &["final_layer_norm"],
                ("ffn", "linear_0") => &["fc1"],
                ("ffn", "linear_1") => &["fc2"],
                ("self_attention", "layer_norm") => &["self_attn_layer_norm"],
                ("self_attention", "linear_0") => {
                    &["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]
                }
                ("self_attention", "linear_1") => &["self_attn.out_proj"],
                ("attention", "layer_norm") => &["encoder_attn_layer_norm"],
                ("attention", "linear_0") => &["encoder_attn.q_proj"],
                ("attention", "linear_1") => &["encoder_attn.k_proj", "encoder_attn.v_proj"],
                ("attention", "linear_2") => &["encoder_attn.out_proj"],
                _ => &[],
            };
            of_layer(side, layer, what)
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(it: &str) -> Vec<u8> {
        let length = u16::try_from(it.len() + 1).unwrap();
        [&length.to_le_bytes()[..], it.as_bytes(), &[0]].concat()
    }

    fn array(name: &str, shape: &[u32], kind: u8, bytes: &[u8]) -> Vec<u8> {
        let mut it = text(name);
        it.push(u8::try_from(shape.len()).unwrap());
        shape.iter().for_each(|size| it.extend(size.to_le_bytes()));
        it.push(kind);
        it.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
        it.extend(bytes);
        it
    }

    fn file(arrays: &[Vec<u8>]) -> Vec<u8> {
        let mut it = 6_u32.to_le_bytes().to_vec();
        it.extend(text("WhisperSpec"));
        it.extend(3_u32.to_le_bytes());
        it.extend(u32::try_from(arrays.len()).unwrap().to_le_bytes());
        arrays.iter().for_each(|array| it.extend(array));
        it
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|it| it.to_le_bytes()).collect()
    }

    fn whole() -> Vec<Vec<u8>> {
        vec![
            array("encoder/conv1/weight", &[2, 1, 1], 0, &floats(&[1.0, 2.0])),
            array("encoder/num_heads", &[], 2, &1_i16.to_le_bytes()),
            array("encoder/position_encodings/encodings", &[1, 2], 0, &floats(&[0.0, 0.0])),
            array("decoder/position_encodings/encodings", &[1, 2], 0, &floats(&[0.0, 0.0])),
            array("decoder/embeddings/weight", &[1, 2], 0, &floats(&[0.0, 0.0])),
            array(
                "encoder/layer_0/self_attention/linear_0/bias",
                &[3],
                0,
                &floats(&[1.0, 2.0, 3.0]),
            ),
            // A half in sixteen bits.
            array("decoder/layer_1/attention/linear_1/bias", &[2], 4, &[0, 0x38, 0, 0x3C]),
        ]
    }

    #[test]
    fn arrays_come_apart_and_sizes_come_from_their_shapes() {
        let read = read(&file(&whole())).unwrap();
        let value = |name: &str| read.tensors[name].to_vec1::<f32>().unwrap();
        assert_eq!(value("model.encoder.layers.0.self_attn.k_proj.bias"), [2.0]);
        assert_eq!(value("model.encoder.layers.0.self_attn.v_proj.bias"), [3.0]);
        assert_eq!(value("model.decoder.layers.1.encoder_attn.v_proj.bias"), [1.0]);
        let it = &read.config;
        assert_eq!(
            (it.d_model, it.num_mel_bins, it.encoder_layers, it.decoder_layers),
            (2, 1, 1, 2)
        );
    }

    #[test]
    fn a_file_that_is_cut_off_or_of_another_form_is_refused() {
        let good = file(&whole());
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_err(), "{length}");
        }
        let quantised = array("encoder/layer_0/ffn/linear_0/weight", &[1, 1], 1, &[5]);
        assert!(matches!(read(&file(&[quantised])), Err(WeightsError::Form)));
        let lies = array("encoder/layer_0/ffn/linear_0/weight", &[9, u32::MAX], 0, &[0; 4]);
        assert!(matches!(read(&file(&[lies])), Err(WeightsError::CutOff)));
        assert!(matches!(read(&file(&whole()[..2])), Err(WeightsError::Missing(_))));
    }
}
