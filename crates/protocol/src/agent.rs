//! A named agent: who people talk to.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::Language;
use crate::tool::ToolName;

/// The name of an agent: `[a-z][a-z0-9_]{1,31}`.
///
/// ```
/// # use protocol::AgentName;
/// assert!("sage".parse::<AgentName>().is_ok());
/// assert!("../etc".parse::<AgentName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentName(Arc<str>);

/// The text is not an agent name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an agent's name has 2 to 32 characters: small letters, digits and underscores, \
     and begins with a letter"
)]
pub struct AgentNameError;

impl AgentName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgentName {
    type Err = AgentNameError;

    fn from_str(text: &str) -> Result<Self, AgentNameError> {
        let may_stand = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        if starts_well && (2..=32).contains(&text.len()) && text.chars().all(may_stand) {
            return Ok(Self(text.into()));
        }
        Err(AgentNameError)
    }
}

impl TryFrom<String> for AgentName {
    type Error = AgentNameError;

    fn try_from(text: String) -> Result<Self, AgentNameError> {
        text.parse()
    }
}

impl From<AgentName> for String {
    fn from(name: AgentName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an agent is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// What people call it.
    pub name: AgentName,
    /// One line that tells people what it is good for.
    #[serde(default)]
    pub description: String,
    /// The system prompt.
    pub instructions: String,
    /// The models it asks, in the order of the fallback chain. Empty: the hall's default chain.
    #[serde(default)]
    pub models: Vec<String>,
    /// A paused agent keeps its conversations and answers nobody.
    #[serde(default)]
    pub paused: bool,
    /// The memory that it shares with every agent that names the same; by default it has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<AgentName>,
    /// Its model may propose facts to remember.
    #[serde(default)]
    pub proposes_facts: bool,
    /// What people may ask it to begin with, by the code of the language; under no code, for all
    /// languages that have none of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub examples: BTreeMap<String, Vec<String>>,
    /// The tools that it may call, by name; `files.*` for all of one server, `*` for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// The agents that it may ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_ask: Vec<AgentName>,
    /// The agents that it may hand a conversation over to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_hand_to: Vec<AgentName>,
}

impl Agent {
    /// What people may ask it to begin with.
    #[must_use]
    pub fn examples_in(&self, language: Language) -> &[String] {
        let of = |code: &str| self.examples.get(code);
        of(language.code()).or_else(|| of("")).map_or(&[], Vec::as_slice)
    }

    /// True if it may call a tool.
    #[must_use]
    pub fn may_call(&self, tool: &ToolName) -> bool {
        let is_it = |listed: &String| match (listed.strip_suffix(".*"), tool.server()) {
            (Some(server), Some(of)) => server == of,
            (Some(_), None) | (None, _) => listed == "*" || listed == tool.as_str(),
        };
        self.tools.iter().any(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_to_the_contract() {
        for good in ["ab", "a1", "a_b", &"a".repeat(32)] {
            assert!(good.parse::<AgentName>().is_ok(), "{good}");
        }
        for bad in ["", "a", "1a", "_a", "Ab", "a-b", "a b", "aé", "a/b", &"a".repeat(33)] {
            assert!(bad.parse::<AgentName>().is_err(), "{bad}");
        }
    }
}
