//! What the hall puts into a conversation's inbox by itself when its time has come.
//!
//! It has an update's form and waits like one, so that a conversation closes it exactly once. Its id
//! is negative, which no update of a chat service has: what comes from outside is never read as this.

use serde::{Deserialize, Serialize};

use crate::{AgentName, PersonId, Timestamp, UpdateId};

/// Bits of an update's id that hold the time, in seconds: enough for 500 years.
const SECONDS_BITS: u32 = 34;

/// Something whose time has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// When it was due.
    pub at: Timestamp,
    /// The same, as its reader says it.
    pub said: String,
    /// The hall was away at that time.
    #[serde(default)]
    pub late: bool,
    /// How often it was due besides while the hall was away.
    #[serde(default)]
    pub missed: u32,
    /// What it is.
    pub what: DueWhat,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DueWhat {
    /// A person wanted to be reminded.
    Reminder {
        /// Who.
        person: PersonId,
        /// Of what, as it passed the guard.
        text: String,
    },
    /// An agent is asked.
    Prompt {
        /// Which.
        agent: AgentName,
        /// What.
        prompt: String,
    },
    /// An agent was to be asked, and it is too late for that.
    Missed {
        /// Which.
        agent: AgentName,
    },
}

/// What stands in the inbox.
#[derive(Serialize, Deserialize)]
struct Entry {
    guildhall_due: Due,
}

impl Due {
    /// As it waits in the inbox.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn raw(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Entry { guildhall_due: self.clone() })
    }

    /// Reads an entry of the inbox. `None` if it cannot be read.
    #[must_use]
    pub fn read(raw: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Entry>(raw).ok().map(|it| it.guildhall_due)
    }

    /// Whose it is, if it is anybody's in particular.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match &self.what {
            DueWhat::Reminder { person, .. } => Some(*person),
            DueWhat::Prompt { .. } | DueWhat::Missed { .. } => None,
        }
    }
}

/// The id under which a run is recorded: the same for the same number and time, and no other's.
///
/// ```
/// # use protocol::{due, Timestamp};
/// let first = due::id(7, Timestamp(1_000));
/// assert!(due::is_halls(first) && first != due::id(7, Timestamp(2_000)));
/// ```
#[must_use]
pub fn id(number: u32, at: Timestamp) -> UpdateId {
    let seconds = i64::try_from(at.0 / 1_000).unwrap_or(i64::MAX) & ((1 << SECONDS_BITS) - 1);
    let number = i64::from(number) & ((1 << (62 - SECONDS_BITS)) - 1);
    UpdateId(-((number << SECONDS_BITS) | seconds) - 1)
}

/// True for what the hall put there itself.
#[must_use]
pub fn is_halls(update: UpdateId) -> bool {
    update.0 < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_negative_and_differ_in_number_and_time() {
        let ids = [(1, 1), (1, 2), (2, 1), (0, 1), (u32::MAX >> 4, u64::from(u32::MAX))];
        let ids = ids.map(|(number, seconds)| id(number, Timestamp(seconds * 1_000)));
        assert!(ids.iter().all(|it| is_halls(*it)));
        let each: std::collections::BTreeSet<_> = ids.into_iter().collect();
        assert_eq!(each.len(), ids.len());
    }

    #[test]
    fn what_is_due_is_read_as_it_was_written_and_no_update_is_read_as_it() {
        let what = DueWhat::Reminder { person: PersonId(7), text: "Tea".to_owned() };
        let due = Due { at: Timestamp(5), said: "9:00".to_owned(), late: true, missed: 2, what };
        assert_eq!(Due::read(&due.raw().unwrap()), Some(due));
        assert_eq!(Due::read(br#"{"update_id":1,"message":{"text":"hi"}}"#), None);
    }
}
