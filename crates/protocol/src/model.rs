//! The port to language models.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Who speaks in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The hall: an agent's instructions.
    System,
    /// The person.
    User,
    /// The agent.
    Assistant,
    /// A tool that the agent called.
    Tool,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said. Shared, as most of a conversation is said again with every question.
    pub content: Arc<str>,
    /// Tools that the agent called with it.
    pub calls: Vec<ToolCall>,
    /// The call that a tool answers with it.
    pub answers: Option<String>,
    /// Pictures that the person showed with it.
    pub images: Vec<Image>,
}

impl Turn {
    /// Something that is only said.
    #[must_use]
    pub fn new(role: Role, content: impl Into<Arc<str>>) -> Self {
        let content = content.into();
        Self { role, content, calls: Vec::new(), answers: None, images: Vec::new() }
    }
}

/// A tool as a model is told of it.
#[derive(Clone, Debug)]
pub struct ToolSpec {
    /// Letters, digits, hyphens and underscores, at most 64: what every provider takes.
    pub name: String,
    /// What it does.
    pub description: String,
    /// A JSON Schema of its arguments, written out.
    pub parameters: Box<RawValue>,
}

impl PartialEq for ToolSpec {
    fn eq(&self, other: &Self) -> bool {
        let Self { name, description, parameters } = self;
        *name == other.name
            && *description == other.description
            && parameters.get() == other.parameters.get()
    }
}

impl Eq for ToolSpec {}

/// A call of a tool that a model asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// What the provider calls it.
    pub id: String,
    /// A [`ToolSpec::name`], as the model wrote it: it may name none.
    pub name: String,
    /// JSON, as the model wrote it: it may be none.
    pub arguments: String,
}

/// A picture for a model that sees.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// `image/jpeg`, `image/png` or `image/webp`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Bytes,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image").field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// What a model is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRequest {
    /// The conversation, instructions first.
    pub turns: Vec<Turn>,
    /// The longest answer we take, in tokens.
    pub answer_tokens_max: u32,
    /// What it may call instead of answering.
    pub tools: Arc<[ToolSpec]>,
}

impl ModelRequest {
    /// A conversation without tools.
    #[must_use]
    pub fn new(turns: Vec<Turn>, answer_tokens_max: u32) -> Self {
        Self { turns, answer_tokens_max, tools: Arc::default() }
    }
}

/// What a model answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The answer's text. May be empty only where tools are called.
    pub text: String,
    /// The tools that it wants called before it answers.
    pub calls: Vec<ToolCall>,
    /// The model that wrote it, as the provider names it.
    pub model: String,
    /// What it cost. Estimated if the provider does not say.
    pub usage: Usage,
    /// Why the answer ended.
    pub finish: Finish,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It was complete.
    Stop,
    /// It reached the longest length that we take.
    Length,
    /// The provider's own filter cut it.
    Filtered,
    /// It calls tools.
    Tools,
}

/// Tokens and money of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Cost in millionths of the currency of the price list; 0 where no price is set.
    #[serde(default)]
    pub cost_micros: u64,
    /// In which balance of the treasury it is counted; 0 where it is in none. A balance that a crash
    /// has lost is made up from what carries its number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub booked: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a model costs, in millionths of the currency for a million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Of the prompt.
    pub input_micros_per_mtok: u64,
    /// Of the answer.
    pub output_micros_per_mtok: u64,
}

impl Price {
    /// What so many tokens cost, in millionths of the currency; a part of one counts as one.
    #[must_use]
    pub fn of(self, input_tokens: u64, output_tokens: u64) -> u64 {
        let part = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let whole = part(input_tokens, self.input_micros_per_mtok)
            + part(output_tokens, self.output_micros_per_mtok);
        u64::try_from(whole.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

/// Why a model gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// Nothing came in time.
    #[error("the model did not answer in time")]
    TimedOut,
    /// The connection failed or broke. The source never carries a URL or a key.
    #[error("the connection to the model failed")]
    Disconnected(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The provider said no.
    #[error("the provider refused the request with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// How long to wait, if the provider said so.
        retry_after: Option<Duration>,
    },
    /// The provider's answer cannot be read.
    #[error("the provider's answer cannot be read: {what}")]
    Garbled {
        /// What is wrong with it, in our words.
        what: &'static str,
    },
    /// The answer was longer than we take.
    #[error("the provider's answer is too large")]
    TooLarge,
    /// The answer had no text.
    #[error("the provider's answer is empty")]
    Empty,
    /// The model cannot be loaded or run here.
    #[error("the model cannot run here")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What to do about a failed completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Ask the same model again, not before the given time if there is one.
    Retry {
        /// What the provider asked for.
        after: Option<Duration>,
    },
    /// This model will not answer this request: ask the next one.
    NextModel,
}

impl CompleteError {
    /// What to do about it.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::TimedOut
            | Self::Disconnected(_)
            | Self::Garbled { .. }
            | Self::Empty
            | Self::Refused { status: 408 | 409 | 425 | 429 | 500..=599, retry_after: None } => {
                Disposition::Retry { after: None }
            }
            Self::Refused { status: 408 | 409 | 425 | 429 | 500..=599, retry_after } => {
                Disposition::Retry { after: *retry_after }
            }
            Self::Refused { .. } | Self::TooLarge | Self::Unusable(_) => Disposition::NextModel,
        }
    }

    /// A closed label for metrics and logs.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Disconnected(_) => "disconnected",
            Self::Refused { .. } => "refused",
            Self::Garbled { .. } => "garbled",
            Self::TooLarge => "too_large",
            Self::Empty => "empty",
            Self::Unusable(_) => "unusable",
        }
    }
}

/// Tokens of a text for a tokenizer that is not known: for the usual ones rather too many.
///
/// Four letters of a Latin word make one token, two digits, one sign, two bytes of anything else: never
/// more tokens than bytes.
#[must_use]
pub fn estimate_tokens(text: &str) -> usize {
    let (mut tokens, mut letters, mut digits, mut others) = (0_usize, 0_usize, 0_usize, 0_usize);
    // Byte by byte: it is asked about whole conversations, at every question.
    for byte in text.bytes() {
        if byte.is_ascii_alphabetic() {
            letters += 1;
            continue;
        }
        tokens += letters.div_ceil(4);
        letters = 0;
        digits += usize::from(byte.is_ascii_digit());
        others += usize::from(!byte.is_ascii());
        // A space is part of the word after it.
        tokens += usize::from(byte.is_ascii() && !byte.is_ascii_digit() && byte != b' ');
    }
    tokens + letters.div_ceil(4) + digits.div_ceil(2) + others.div_ceil(2)
}

/// A language model that can be asked.
#[async_trait]
pub trait Model: Send + Sync + 'static {
    /// The name that agents and admins use for it, e.g. `openai/gpt-5`.
    fn name(&self) -> &str;

    /// The most tokens that a request may have, where an answer of so many is asked for.
    fn prompt_tokens_max(&self, answer_tokens_max: u32) -> usize;

    /// Tokens of a text: with the model's own tokenizer where that is known, else an estimate that
    /// is rather too high.
    fn count_tokens(&self, text: &str) -> usize {
        estimate_tokens(text)
    }

    /// What it costs; nothing where no price is set.
    fn price(&self) -> Price {
        Price::default()
    }

    /// True if it may be offered tools.
    fn calls_tools(&self) -> bool {
        false
    }

    /// True if it can be shown pictures.
    fn sees(&self) -> bool {
        false
    }

    /// True if it answers one request at a time, so that whatever it does holds up everybody.
    fn is_exclusive(&self) -> bool {
        false
    }

    /// Asks once, without retries. `on_text` receives the answer piece by piece as it is written,
    /// where the provider streams; the pieces joined are the completion's text.
    ///
    /// Bounded by the adapter: a time for the first byte, a time between pieces, a largest answer.
    /// Dropping the future cancels the request.
    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: &mut (dyn for<'t> FnMut(&'t str) + Send),
    ) -> Result<Completion, CompleteError>;
}

#[cfg(test)]
mod tests {
    use super::estimate_tokens;

    #[test]
    fn an_estimate_counts_words_digits_signs_and_other_scripts() {
        let cases = [
            ("", 0),
            ("Hi there", 3),
            ("extraordinary", 4),
            ("2026", 2),
            ("a, b.", 4),
            ("привет", 6),
            ("こんにちは", 8),
            ("   ", 0),
        ];
        for (text, tokens) in cases {
            assert_eq!(estimate_tokens(text), tokens, "{text}");
        }
    }
}
