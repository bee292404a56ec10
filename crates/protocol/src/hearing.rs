//! The ports to whatever turns a recording into text, and a text into speech.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{AgentName, PersonId, Timestamp};

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
    /// How long the recording is, in seconds, as whoever listened counts it. Not kept.
    #[serde(skip)]
    pub seconds: Option<u32>,
}

/// What listening and speaking cost, in millionths of the currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// A minute of a recording.
    pub minute_micros: u64,
    /// A million characters that are spoken.
    pub mchars_micros: u64,
}

impl Rates {
    /// What it costs to listen to a recording, rounded up.
    #[must_use]
    pub fn of_recording(&self, seconds: u32) -> Toll {
        let cost_micros = share(self.minute_micros, u64::from(seconds), 60);
        Toll { heard_seconds: seconds, cost_micros, ..Toll::default() }
    }

    /// What it costs to speak a text, rounded up.
    #[must_use]
    pub fn of_text(&self, chars: u32) -> Toll {
        let cost_micros = share(self.mchars_micros, u64::from(chars), 1_000_000);
        Toll { spoken_chars: chars, cost_micros, ..Toll::default() }
    }
}

fn share(price: u64, amount: u64, of: u128) -> u64 {
    let cost = (u128::from(price) * u128::from(amount)).div_ceil(of);
    u64::try_from(cost).unwrap_or(u64::MAX)
}

/// What listening to a recording, or speaking a text, used and cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toll {
    /// Seconds of a recording.
    #[serde(default)]
    pub heard_seconds: u32,
    /// Characters of a text.
    #[serde(default)]
    pub spoken_chars: u32,
    /// What that cost, in millionths of the currency; 0 where no price is set.
    #[serde(default)]
    pub cost_micros: u64,
    /// In which balance of the treasury it is counted; 0 where it is in none.
    #[serde(default)]
    pub booked: u64,
}

/// A toll with whose it is: enough to make it up when a crash has lost the balance that had it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// For whose answer.
    pub agent: AgentName,
    /// Who asked, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// When.
    pub at: Timestamp,
    /// What it was.
    #[serde(flatten)]
    pub toll: Toll,
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
    /// A word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Disconnected(_) => "disconnected",
            Self::Refused { .. } => "refused",
            Self::Garbled => "garbled",
        }
    }

    /// True if the provider may charge for it all the same: it was reached, and did not say no.
    #[must_use]
    pub fn may_cost(&self) -> bool {
        match self {
            Self::TimedOut | Self::Garbled => true,
            Self::Disconnected(_) | Self::Refused { .. } => false,
        }
    }

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

impl SpeakError {
    /// A word for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Disconnected(_) => "disconnected",
            Self::Refused { .. } => "refused",
            Self::Garbled => "garbled",
        }
    }

    /// True if the provider may charge for it all the same: it was reached, and did not say no.
    #[must_use]
    pub fn may_cost(&self) -> bool {
        match self {
            Self::TimedOut | Self::Garbled => true,
            Self::Disconnected(_) | Self::Refused { .. } => false,
        }
    }
}

/// Speaks texts.
#[async_trait]
pub trait Speaker: Send + Sync + 'static {
    /// Speaks a text, once: OGG with OPUS. Bounded in time and in size by the adapter.
    async fn speak(&self, text: &str) -> Result<Bytes, SpeakError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_and_speaking_cost_what_they_use_rounded_up() {
        let rates = Rates { minute_micros: 6_000, mchars_micros: 15_000_000 };
        assert_eq!(rates.of_recording(4).cost_micros, 400);
        assert_eq!(rates.of_recording(1).cost_micros, 100);
        assert_eq!(rates.of_text(100).cost_micros, 1_500);
        let small = Rates { minute_micros: 1, mchars_micros: 1 };
        assert_eq!((small.of_recording(1).cost_micros, small.of_text(1).cost_micros), (1, 1));
        assert_eq!(Rates::default().of_recording(9), Toll { heard_seconds: 9, ..Toll::default() });
        let most = Rates { minute_micros: u64::MAX, mchars_micros: u64::MAX };
        assert_eq!(most.of_recording(u32::MAX).cost_micros, u64::MAX);
    }

    #[test]
    fn a_transcript_that_was_recorded_before_tolls_were_reads_back() {
        let old = r#"{"text":"hi","model":"ear"}"#;
        let heard: Transcript = serde_json::from_str(old).unwrap();
        assert_eq!((heard.text.as_str(), heard.seconds), ("hi", None));
        let seconds = Some(7);
        assert_eq!(serde_json::to_string(&Transcript { seconds, ..heard }).unwrap(), old);
    }
}
