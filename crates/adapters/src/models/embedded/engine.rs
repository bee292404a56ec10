//! Reads the weights from their file, and writes one answer, token by token.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::tokenizer::TokenizerFromGguf as _;
use candle_core::utils::barrier_pool;
use candle_core::{Device, Tensor};
use candle_transformers::generation::{LogitsProcessor, Sampling};
use candle_transformers::models::quantized_llama::{MAX_SEQ_LEN, ModelWeights};
use candle_transformers::utils::apply_repeat_penalty;
use protocol::model::{CompleteError, Finish, Turn};
use sha2::{Digest as _, Sha256};
use tokenizers::Tokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tracing::info;

use super::prompt::{self, Marks, Prompt};
use super::readings::Readings;
use super::text::{Characters, Vocabulary};
use super::{EmbeddedConfig, LoadError, weights};

/// The largest file that we read into memory.
const FILE_BYTES_MAX: u64 = 4 << 30;
/// How many prompt tokens are read at a time; between two such steps a request can be cancelled.
const STEP_TOKENS_MAX: usize = 64;
/// How far back a token counts as a repetition.
const REPEAT_TOKENS_MAX: usize = 64;
/// How many of the likeliest tokens are considered at all.
const CHOICES_MAX: usize = 40;

/// One answer's wishes.
pub(super) struct Order<'a> {
    pub(super) turns: &'a [Turn],
    /// 0 only reads the turns, so that an answer to them comes sooner.
    pub(super) answer_tokens_max: usize,
    pub(super) seed: u64,
}

/// What an answer was, besides its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) input_tokens: usize,
    pub(super) output_tokens: usize,
    pub(super) finish: Finish,
}

/// A loaded model. Answers change nothing but what it remembers to have read.
pub(super) struct Engine {
    weights: ModelWeights,
    readings: Readings<ModelWeights>,
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    marks: Marks,
    /// Tokens that end an answer: marks and other control tokens are never text.
    control: Vec<bool>,
    context_tokens_max: usize,
    temperature: f64,
    top_p: f64,
    repeat_penalty: f32,
}

impl Engine {
    /// Reads the model's file and checks it. Blocks for about a second.
    pub(super) fn load(config: &EmbeddedConfig) -> Result<Self, LoadError> {
        info!(model = config.name, path = %config.path.display(), "reading the embedded model");
        let file = read(&config.path)?;
        if let Some(sum) = &config.sha256 {
            check(&config.path, &file, sum)?;
        }
        info!(model = config.name, bytes = file.len(), "building the embedded model");
        let engine = Self::parse(file, config)
            .map_err(|source| LoadError::NotAModel { path: config.path.clone(), source })?;
        let threads = barrier_pool().n_workers() + 1;
        info!(model = config.name, threads, "the embedded model is ready");
        Ok(engine)
    }

    fn parse(file: Vec<u8>, config: &EmbeddedConfig) -> candle_core::Result<Self> {
        let content = Content::read(&mut Cursor::new(&file))?;
        let tokenizer = tokenizer(&content)?;
        let spellings = metadata(&content, "tokenizer.ggml.tokens")?.to_vec()?;
        let spellings: Vec<&str> = spellings
            .iter()
            .map(|s| Ok(s.to_string()?.as_str()))
            .collect::<candle_core::Result<_>>()?;
        let control = metadata(&content, "tokenizer.ggml.token_type")?.to_vec()?;
        let control: Vec<bool> = control.iter().map(is_control).collect();
        let mark = |name: &str| {
            tokenizer.token_to_id(name).ok_or_else(|| {
                candle_core::Error::msg(format!("the vocabulary has no {name}: not a ChatML model"))
            })
        };
        let marks = Marks {
            start: mark("<|im_start|>")?,
            end: mark("<|im_end|>")?,
            line: encode(&tokenizer, "\n")?,
        };
        let trained = metadata(&content, "llama.context_length")?.to_u32()?;
        let trained = usize::try_from(trained).unwrap_or(usize::MAX);
        let vocabulary = Vocabulary::new(spellings.into_iter());
        Ok(Self {
            weights: weights::build(content, file)?,
            readings: Readings::new(config.remembered_tokens_max),
            vocabulary,
            marks,
            control,
            tokenizer,
            context_tokens_max: config.context_tokens_max.min(trained).min(MAX_SEQ_LEN),
            temperature: config.temperature,
            top_p: config.top_p,
            repeat_penalty: config.repeat_penalty,
        })
    }

    /// The model's tokenizer, for whoever counts.
    pub(super) fn tokenizer(&self) -> Tokenizer {
        self.tokenizer.clone()
    }

    /// The most tokens of question and answer: as configured, and as the model was trained.
    pub(super) fn context_tokens_max(&self) -> usize {
        self.context_tokens_max
    }

    /// Writes one answer. `on_text` takes each piece and says whether anyone still listens; it is
    /// also asked, with an empty piece, before every step. Returns nothing once nobody does.
    ///
    /// # Errors
    /// `Refused` if the instructions and the last turn do not fit, `Unusable` if the model fails.
    pub(super) fn write(
        &mut self,
        order: &Order<'_>,
        on_text: &mut dyn FnMut(String) -> bool,
    ) -> Result<Option<Written>, CompleteError> {
        let answer_tokens_max = order.answer_tokens_max.min(self.context_tokens_max / 2);
        let prompt_tokens_max = self.context_tokens_max - answer_tokens_max;
        let Some(prompt) = self.prompt(order.turns, prompt_tokens_max).map_err(unusable)? else {
            return Err(CompleteError::Refused { status: 413, retry_after: None });
        };
        self.generate(prompt, answer_tokens_max, order.seed, on_text).map_err(unusable)
    }

    /// The tokens of a conversation, or nothing if it cannot be brought below `tokens_max`.
    pub(super) fn prompt(
        &self,
        turns: &[Turn],
        tokens_max: usize,
    ) -> candle_core::Result<Option<Prompt>> {
        prompt::write(turns, tokens_max, &self.marks, |text| encode(&self.tokenizer, text))
    }

    fn generate(
        &mut self,
        prompt: Prompt,
        answer_tokens_max: usize,
        seed: u64,
        on_text: &mut dyn FnMut(String) -> bool,
    ) -> candle_core::Result<Option<Written>> {
        let Some((mut weights, mut logits)) = self.read_prompt(&prompt, on_text)? else {
            return Ok(None);
        };
        let Prompt { mut tokens, instructions } = prompt;
        let input_tokens = tokens.len();
        let mut sampler = LogitsProcessor::from_sampling(seed, self.sampling());
        let mut written = Written { input_tokens, output_tokens: 0, finish: Finish::Length };
        if answer_tokens_max == 0 {
            return Ok(Some(written));
        }
        let mut characters = Characters::default();
        loop {
            let recent = tokens.len().saturating_sub(REPEAT_TOKENS_MAX).max(input_tokens);
            let recent = tokens.get(recent..).unwrap_or_default();
            let penalised = apply_repeat_penalty(&logits, self.repeat_penalty, recent)?;
            let token = sampler.sample(&penalised)?;
            if self.is_end(token) {
                written.finish = Finish::Stop;
                break;
            }
            written.output_tokens += 1;
            let piece = characters.push(self.vocabulary.bytes(token));
            if !on_text(piece) {
                return Ok(None);
            }
            if written.output_tokens >= answer_tokens_max {
                break;
            }
            logits = forward(&mut weights, &[token], tokens.len())?;
            tokens.push(token);
        }
        self.readings.keep(&tokens, instructions, weights);
        let rest = characters.finish();
        let heard = rest.is_empty() || on_text(rest);
        Ok(heard.then_some(written))
    }

    /// Reads a prompt, from where it differs from what has been read before. Returns the state after
    /// it and what may follow, or nothing once nobody listens.
    fn read_prompt(
        &mut self,
        prompt: &Prompt,
        on_text: &mut dyn FnMut(String) -> bool,
    ) -> candle_core::Result<Option<(ModelWeights, Tensor)>> {
        // A copy shares the weights and has its own memory of the conversation.
        let (mut weights, mut read) =
            self.readings.resume(&prompt.tokens).unwrap_or_else(|| (self.weights.clone(), 0));
        let mut logits = None;
        while let Some(rest) = prompt.tokens.get(read..).filter(|rest| !rest.is_empty()) {
            if !on_text(String::new()) {
                return Ok(None);
            }
            // A step ends with the instructions, so that they can be kept.
            let part = prompt.instructions.checked_sub(read).filter(|left| *left > 0);
            let step = part.unwrap_or(rest.len()).min(STEP_TOKENS_MAX);
            logits = Some(forward(&mut weights, rest.get(..step).unwrap_or(rest), read)?);
            read += step;
            if read == prompt.instructions {
                let instructions = prompt.tokens.get(..read).unwrap_or_default();
                self.readings.keep(instructions, read, weights.clone());
            }
        }
        let logits = logits.ok_or_else(|| candle_core::Error::msg("the prompt is empty"))?;
        Ok(Some((weights, logits)))
    }

    fn sampling(&self) -> Sampling {
        if self.temperature <= 0.0 {
            return Sampling::ArgMax;
        }
        Sampling::TopKThenTopP { k: CHOICES_MAX, p: self.top_p, temperature: self.temperature }
    }

    fn is_end(&self, token: u32) -> bool {
        let token = usize::try_from(token).ok();
        // A token outside the vocabulary is no text either.
        token.and_then(|token| self.control.get(token)).is_none_or(|control| *control)
    }
}

/// Reads `tokens`, the first of which is at place `at`, and returns how likely each token is next.
fn forward(weights: &mut ModelWeights, tokens: &[u32], at: usize) -> candle_core::Result<Tensor> {
    let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
    weights.forward(&input, at)?.squeeze(0)
}

fn unusable(error: candle_core::Error) -> CompleteError {
    CompleteError::Unusable(error.into())
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() || about.len() == 0 || about.len() > FILE_BYTES_MAX {
        return Err(LoadError::WrongSize { path: path.to_owned(), bytes: about.len() });
    }
    fs::read(path).map_err(unreadable)
}

fn check(path: &Path, file: &[u8], sum: &str) -> Result<(), LoadError> {
    let found: String = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
    if found.eq_ignore_ascii_case(sum) {
        return Ok(());
    }
    Err(LoadError::WrongSum { path: path.to_owned(), found })
}

fn metadata<'a>(
    content: &'a Content,
    key: &str,
) -> candle_core::Result<&'a candle_core::quantized::gguf_file::Value> {
    content
        .metadata
        .get(key)
        .ok_or_else(|| candle_core::Error::msg(format!("the file has no {key}")))
}

/// Whether a token type of the file means a control token (3) or one that is unknown (2) or unused
/// (5).
fn is_control(kind: &candle_core::quantized::gguf_file::Value) -> bool {
    kind.to_i32().is_ok_and(|kind| matches!(kind, 2 | 3 | 5))
}

/// The tokenizer that the file describes, with marks in a text read as plain text.
fn tokenizer(content: &Content) -> candle_core::Result<Tokenizer> {
    let mut tokenizer = Tokenizer::from_gguf(content)?;
    if metadata(content, "tokenizer.ggml.pre")?.to_string()? == "smollm" {
        // candle does not know this one and takes GPT-2's, which puts a space before a text and
        // leaves numbers together.
        let digits = Digits::new(true).into();
        let bytes = ByteLevel::new(false, true, true).into();
        tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![digits, bytes])));
    }
    tokenizer.set_encode_special_tokens(true);
    Ok(tokenizer)
}

fn encode(tokenizer: &Tokenizer, text: &str) -> candle_core::Result<Vec<u32>> {
    let encoding = tokenizer.encode_fast(text, false).map_err(candle_core::Error::wrap)?;
    Ok(encoding.get_ids().to_vec())
}
