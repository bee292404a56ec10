//! The ports to whatever turns a recording into text, and a text into speech.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A recording.
#[derive(Clone, PartialEq, Eq)]
pub struct Recording {
    /// The file.
    pub bytes: Bytes,
    /// The ending that says what it is, without the dot: `ogg`, `mp3`.
    pub ending: &'static str,
    /// The language that is probably spoken: two letters of ISO 639-1.
    pub language: Option<String>,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// What was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// What was said. Text of a stranger, like anything that is typed.
    pub text: String,
    /// Who heard it.
    #[serde(default)]
    pub model: String,
    /// The language that was heard, where that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Why nothing was heard. No variant carries a text, a key or a URL.
#[derive(Debug, thiserror::Error)]
pub enum HearError {
    /// Nothing came in time.
    #[error("the recogniser did not answer in time")]
    TimedOut,
    /// The connection failed or broke.
    #[error("the connection to the recogniser failed")]
    Disconnected(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It said no.
    #[error("the recogniser refused the recording with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// Its answer cannot be read.
    #[error("the recogniser's answer cannot be read")]
    Garbled,
}

impl HearError {
    /// True if the same recording may be heard a moment later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::TimedOut | Self::Disconnected(_) | Self::Garbled => true,
            Self::Refused { status } => matches!(status, 408 | 409 | 425 | 429 | 500..=599),
        }
    }
}

/// Turns recordings into text.
#[async_trait]
pub trait Transcriber: Send + Sync + 'static {
    /// Hears a recording, once. Bounded in time and in size by the adapter.
    async fn transcribe(&self, recording: &Recording) -> Result<Transcript, HearError>;
}

/// Why nothing was spoken. No variant carries a text, a key or a URL.
#[derive(Debug, thiserror::Error)]
pub enum SpeakError {
    /// Nothing came in time.
    #[error("the voice did not answer in time")]
    TimedOut,
    /// The connection failed or broke.
    #[error("the connection to the voice failed")]
    Disconnected(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It said no.
    #[error("the voice refused the text with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// What it gave is no recording as the chat service takes it.
    #[error("the voice gave no recording in OGG")]
    Garbled,
}

/// Speaks texts.
#[async_trait]
pub trait Speaker: Send + Sync + 'static {
    /// Speaks a text, once: OGG with OPUS. Bounded in time and in size by the adapter.
    async fn speak(&self, text: &str) -> Result<Bytes, SpeakError>;
}
