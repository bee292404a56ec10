//! The port to tools: what an agent can do besides writing.

use std::{fmt, str::FromStr, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{AgentName, Language, PersonId, SessionKey};

/// The name of a tool: `calculator`, or with the server that has it, `files.read_file`.
///
/// ```
/// # use protocol::tool::ToolName;
/// assert!("files.read_file".parse::<ToolName>().is_ok());
/// assert!("files/../x".parse::<ToolName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolName(Arc<str>);

/// The text is not the name of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a tool's name has 1 to 64 letters, digits, hyphens and underscores, and before it, where it \
     belongs to a server, the server's name and a dot"
)]
pub struct ToolNameError;

impl ToolName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The server that has it; `None` for a tool of the hall's own.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.0.split_once('.').map(|(server, _)| server)
    }
}

impl FromStr for ToolName {
    type Err = ToolNameError;

    fn from_str(text: &str) -> Result<Self, ToolNameError> {
        let is_word = |it: &str| {
            let may_stand = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            (1..=64).contains(&it.len()) && it.chars().all(may_stand)
        };
        let is_name = match text.split_once('.') {
            Some((server, tool)) => is_word(server) && is_word(tool),
            None => is_word(text),
        };
        if is_name { Ok(Self(text.into())) } else { Err(ToolNameError) }
    }
}

impl TryFrom<String> for ToolName {
    type Error = ToolNameError;

    fn try_from(text: String) -> Result<Self, ToolNameError> {
        text.parse()
    }
}

impl From<ToolName> for String {
    fn from(name: ToolName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a call of a tool may change, as the operator says who configured it. Never what its server
/// claims of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effects {
    /// Nothing: it may be called again after a crash.
    ReadOnly,
    /// Something, but the same call twice changes no more than once: it may be repeated.
    Idempotent,
    /// Something. After a crash nobody knows whether it happened: a person is asked.
    Once,
}

/// A tool, as agents are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// What it is called.
    pub name: ToolName,
    /// What it does, for the model.
    pub description: String,
    /// What its arguments look like: a JSON Schema of an object.
    pub parameters: Value,
    /// What a call may change.
    pub effects: Effects,
    /// A person must agree to each call.
    pub needs_approval: bool,
    /// What people are told of it.
    pub told: Told,
}

/// What people are told of a tool, beside its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What its server calls it: the words of a stranger. Empty where it has none.
    pub title: String,
    /// What a call does, in the operator's words, as they go on after "would like to"; in the first
    /// language of the hall. Empty where the operator says nothing.
    pub does: String,
    /// The same in other languages.
    pub does_in: Vec<(Language, String)>,
}

impl Told {
    /// What a call does, as the operator said it for a language.
    #[must_use]
    pub fn does_in(&self, language: Language) -> Option<&str> {
        let own = self.does_in.iter().find(|(of, _)| *of == language);
        own.map(|(_, does)| does.as_str())
    }
}

/// Where a text comes from. What does not come from the person who asks may never cause a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taint {
    /// The hall itself, by a calculation or a clock.
    Hall,
    /// What is remembered.
    Memory,
    /// Another agent.
    Agent,
    /// A file that a person brought.
    File,
    /// A program of somebody else's.
    Tool,
    /// A page of the web.
    Web,
}

/// One call, after its arguments were found to fit the tool's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Which tool.
    pub tool: ToolName,
    /// What it is given: a JSON object.
    pub arguments: Value,
    /// The same for every attempt at this call, and for no other: for servers that tell calls apart.
    pub key: String,
    /// Who called it.
    pub agent: AgentName,
    /// For whom.
    pub person: Option<PersonId>,
    /// In which conversation.
    pub session: SessionKey,
}

/// What a tool gave back. Text of strangers: it is screened before a model sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolOutput {
    /// What it says.
    pub text: String,
    /// Where that comes from.
    pub taint: Taint,
    /// The tool says of itself that it failed.
    pub is_error: bool,
}

/// Why a tool gave nothing back. No variant carries an argument or a text of a server.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// There is no such tool, or not for this agent.
    #[error("there is no such tool")]
    Unknown,
    /// The arguments do not fit the tool's schema.
    #[error("the arguments do not fit: {what}")]
    Unfit {
        /// What does not, by its place; never a value.
        what: String,
    },
    /// It did not answer in time. Whether it did something is not known.
    #[error("the tool did not answer in time")]
    TimedOut,
    /// Its answer is longer than is taken.
    #[error("the tool's answer is too long")]
    TooLarge,
    /// It is called too often.
    #[error("the tool is called too often")]
    Busy,
    /// Its server is not there, or ended while it was called.
    #[error("the tool's server is not there")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It is not allowed to do this.
    #[error("the tool may not do this: {what}")]
    Forbidden {
        /// What, in our words.
        what: &'static str,
    },
}

/// How a server of tools is, and how it has been since the hall's start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServerHealth {
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub up: bool,
    /// What is not as it should be, in our words; empty if nothing is.
    pub problem: String,
    /// Why its connection ended last, or could not be opened, in our words.
    pub last_end: String,
    /// How often that was so.
    pub ends: u64,
    /// Calls that were sent to it.
    pub calls: u64,
    /// Those that it did not answer as it should.
    pub failures: u64,
    /// Its tools that agents may be given now.
    pub tools: usize,
}

impl ServerHealth {
    /// True if it is there, and as it should be.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.up && self.problem.is_empty()
    }
}

/// Everything that can be called.
#[async_trait]
pub trait Toolbox: Send + Sync + 'static {
    /// What there is now. Servers may come and go.
    fn tools(&self) -> Arc<[Tool]>;

    /// False while servers are being started for the first time: more tools may come.
    fn is_settled(&self) -> bool {
        true
    }

    /// Waits until [`Toolbox::is_settled`]. Cancel-safe.
    async fn settled(&self) {}

    /// How each server is, in the order of the settings.
    fn health(&self) -> Vec<ServerHealth>;

    /// Calls one tool, once. Checks the arguments by the tool's schema first. Bounded in time and in
    /// size by the adapter. Dropping the future cancels the call; whether it took effect is then not known.
    async fn call(&self, call: &Invocation) -> Result<ToolOutput, ToolError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_or_a_server_and_a_word() {
        for good in ["calculator", "files.read_file", "a-b.C-d"] {
            assert!(good.parse::<ToolName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "a.", ".a", "a.b.c", "a b", "../x", "é", &"a".repeat(65)] {
            assert!(bad.parse::<ToolName>().is_err(), "{bad}");
        }
    }
}
