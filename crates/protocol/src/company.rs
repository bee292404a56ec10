//! Other bots in a group: who wrote a message, who is called in it, and how far bots go on among themselves.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Whose company a message is in: nobody's, for most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Company {
    /// Another bot wrote it. It is nobody with rights, and what it says is a stranger's word.
    pub by_bot: bool,
    /// Where several are called by name: who, in the order of the text, in small letters and without the `@`.
    pub called: Vec<String>,
    /// By what such a message is known again, whichever bot received it.
    pub mark: u64,
}

impl Company {
    /// Those who are called before somebody: it is their turn first.
    #[must_use]
    pub fn called_before(&self, name: &str) -> &[String] {
        let place = self.called.iter().position(|it| it.eq_ignore_ascii_case(name));
        place.and_then(|it| self.called.get(..it)).unwrap_or_default()
    }
}

/// A link of what bots say to each other in a chat while no person writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "link", rename_all = "snake_case")]
pub enum BotLink {
    /// A person wrote: what bots said before is over.
    Person {
        /// When.
        at: Timestamp,
    },
    /// Another bot is answered.
    Answered {
        /// The how manieth answer to a bot this is, in a row.
        hops: u32,
        /// When.
        at: Timestamp,
    },
    /// No bot is answered any more until a person writes.
    Cut {
        /// Why.
        why: BotCut,
        /// When.
        at: Timestamp,
    },
}

/// Why bots are not answered any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BotCut {
    /// Too many answers in a row without a person in between.
    Hops,
    /// Too many answers to bots in a minute.
    Pace,
}

impl BotCut {
    /// As logs and figures call it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hops => "hops",
            Self::Pace => "pace",
        }
    }
}
