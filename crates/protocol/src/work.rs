//! What an agent's work with tools leaves in a conversation's ledger.
//!
//! Stored as JSON: fields may be added with `#[serde(default)]`, never renamed or reused.

use serde::{Deserialize, Serialize};

use crate::{
    AgentName, PersonId, Timestamp, UpdateId,
    event::Judged,
    inbound::{Beside, FileRef},
    model::ToolCall,
    tool::{Effects, Taint, ToolName},
};

/// One step of the work. Calls are numbered through a turn, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum ToolStep {
    /// A model wants tools called before it answers.
    Wanted {
        /// Who: 0 is whom the person asked, 1 whom that agent asked, and so on.
        depth: u32,
        /// Its name.
        agent: AgentName,
        /// What it said beside it. Nobody is shown this.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
        /// The calls, as the model wrote them.
        calls: Vec<ToolCall>,
        /// The number of the first.
        first: u32,
        /// No model wanted it: the person asks a panel.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        of_panel: bool,
    },
    /// A tool is called now. Written before the call.
    Called {
        /// Which call.
        call: u32,
        /// Who calls.
        agent: AgentName,
        /// What.
        tool: ToolName,
        /// With what: JSON, as it passed the guard.
        arguments: String,
        /// What it may change.
        effects: Effects,
        /// The agent that is asked with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asks: Option<AgentName>,
    },
    /// What came of a call.
    Answered {
        /// Which call.
        call: u32,
        /// What.
        result: ToolResult,
    },
    /// The guard judged what came of a call.
    ResultJudged {
        /// Which call.
        call: u32,
        /// What it found and did.
        judged: Judged,
    },
    /// A person is asked whether a call may be made. The work waits for their answer.
    ApprovalAsked {
        /// Which call.
        call: u32,
        /// Who is asked. Nobody else can answer.
        by: PersonId,
        /// Until when they may answer.
        until: Timestamp,
        /// What the person had asked.
        question: Asking,
    },
    /// They answered: the work goes on with this update.
    ApprovalGiven {
        /// The update whose work waited.
        of: UpdateId,
        /// Which call.
        call: u32,
        /// They allow it, once.
        allowed: bool,
    },
    /// An agent hands the conversation over. In effect with the answer.
    HandedOver {
        /// Which call.
        call: u32,
        /// Who hands over.
        from: AgentName,
        /// To whom.
        to: AgentName,
        /// What the other needs to know.
        note: String,
    },
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// What it says. No guard has seen it yet.
    pub text: String,
    /// Where that comes from.
    pub taint: Taint,
    /// It failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// Whether it did something is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unknown: bool,
}

/// A person's question with all that came with it, kept while a person is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// The message.
    pub text: String,
    /// What it quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted: Option<String>,
    /// Whose words it is, if it was forwarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded_from: Option<String>,
    /// Texts that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
    /// Pictures that came with it, to be fetched again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<FileRef>,
    /// A picture came with it, or something else that may hold words of strangers and is not kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tainted: bool,
}
