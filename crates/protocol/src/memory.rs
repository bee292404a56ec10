//! What is remembered of people beyond the conversation: facts, and the spaces that keep them apart.
//!
//! A memory's scope is a bot, a chat (with its topic) and a space. It is the key under which a
//! memory is stored and found, never a condition on what was found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Agent, AgentName, PersonId, SessionKey, Timestamp};

/// The longest name of a space, in bytes: an agent's name, and a mark before a shared one.
const SPACE_BYTES: usize = 33;
/// No agent's name begins with it.
const SHARED_MARK: u8 = b'@';
/// Nor with this: what is behind it is a person's id.
const PAPERS_MARK: u8 = b'~';

/// Whose memory it is within a chat: one agent's own, one that an admin lets agents share, or the papers of
/// one person.
///
/// ```
/// # use protocol::memory::Space;
/// let (own, shared) = ("sage".parse().unwrap(), "sage".parse().unwrap());
/// assert_ne!(Space::own(&own), Space::shared(&shared), "a shared name reaches no agent's own");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Space([u8; SPACE_BYTES]);

/// The text is not the name of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a space is an agent's name, `@` and a name, or `~` and a person's id")]
pub struct SpaceError;

impl Space {
    /// The memory of one agent alone.
    #[must_use]
    pub fn own(agent: &AgentName) -> Self {
        Self::padded(&[], agent.as_str())
    }

    /// A memory that several agents share.
    #[must_use]
    pub fn shared(name: &AgentName) -> Self {
        Self::padded(&[SHARED_MARK], name.as_str())
    }

    /// The papers of one person: what they brought to be read. No agent's memory.
    #[must_use]
    pub fn papers(of: PersonId) -> Self {
        Self::padded(&[PAPERS_MARK], &of.0.to_string())
    }

    /// The memory that an agent uses.
    #[must_use]
    pub fn of(agent: &Agent) -> Self {
        agent.memory.as_ref().map_or_else(|| Self::own(&agent.name), Self::shared)
    }

    /// An agent's name is no longer than 32 bytes and an id no longer than 20, so all of it has room.
    fn padded(mark: &[u8], name: &str) -> Self {
        let mut bytes = [0; SPACE_BYTES];
        for (place, byte) in bytes.iter_mut().zip(mark.iter().chain(name.as_bytes())) {
            *place = *byte;
        }
        Self(bytes)
    }

    /// The name as it is stored: `sage`, `@team` for a shared one, `~7` for the papers of a person.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|it| *it == 0).unwrap_or(SPACE_BYTES);
        let name = self.0.get(..end).unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// The name without its mark.
    #[must_use]
    pub fn name(&self) -> &str {
        self.as_str().trim_start_matches(['@', '~'])
    }
}

impl TryFrom<String> for Space {
    type Error = SpaceError;

    fn try_from(text: String) -> Result<Self, SpaceError> {
        if let Some(person) = text.strip_prefix('~') {
            let space = person.parse().map(|it| Self::papers(PersonId(it)));
            let same = space.map_err(|_no_id| SpaceError)?;
            // One name for each: no leading zeros, no plus.
            return if same.as_str() == text { Ok(same) } else { Err(SpaceError) };
        }
        let parsed = match text.strip_prefix('@') {
            Some(shared) => shared.parse().map(|it| Self::shared(&it)),
            None => text.parse().map(|it| Self::own(&it)),
        };
        parsed.map_err(|_not_a_name| SpaceError)
    }
}

impl From<Space> for String {
    fn from(space: Space) -> Self {
        space.as_str().to_owned()
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a memory is kept: the whole key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// The bot, the chat (in private the person) and the topic.
    pub session: SessionKey,
    /// Whose memory within it.
    pub space: Space,
}

/// A fact's number within its conversation. Given again at most after the person was forgotten who
/// told the fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FactId(pub u64);

/// Where a fact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactOrigin {
    /// A person said so.
    Told,
    /// An agent's model proposed it.
    Proposed(AgentName),
}

/// Something to be remembered until somebody wants it forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its number.
    pub id: FactId,
    /// Whose memory it is in.
    pub space: Space,
    /// What it says, as it passed the guard.
    pub text: String,
    /// Where it comes from.
    pub origin: FactOrigin,
    /// Who told it, or whose question led to it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_reads_back_from_its_name_and_nothing_else_is_one() {
        let longest = format!("@{}", "a".repeat(32));
        let person = format!("~{}", i64::MIN);
        for name in ["sage", "@team", &longest, "~7", &person] {
            let space = Space::try_from(name.to_owned()).unwrap();
            assert_eq!(space.as_str(), name);
            assert_eq!(serde_json::to_string(&space).unwrap(), format!("\"{name}\""));
        }
        assert_eq!(Space::papers(PersonId(i64::MIN)).as_str(), person);
        for name in ["", "@", "@@team", "a", "Sage", "../x", "~", "~07", "~+7", "~x", "@~7", "~~7"]
        {
            assert_eq!(Space::try_from(name.to_owned()), Err(SpaceError), "{name}");
        }
    }
}
