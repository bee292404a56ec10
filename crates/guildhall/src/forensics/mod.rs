//! `guildhall forensics`: everything that is kept about one incident, in the order of time, signed.
//!
//! Reads     the audit log, the ledger (or the hall that holds it), the files of the log, and what a hall that runs
//!           says of itself.
//! Changes   nothing but the audit log, in which it stands that this was read.
//!
//! A source that is missing, torn or changed is a gap with a name. What was read of each is in the report with its
//! SHA-256, and the whole is sealed: see `seal`.
//!
//! Invariants: FORENSICS-1 without the flag for it no text of a message and no id of a person or chat is in a report
//! in any format. FORENSICS-2 nothing is left out in silence: what could not be read, and what there was too much of,
//! is named. FORENSICS-3 whatever is changed in a report after it was sealed is found.

mod gather;
mod lines;
mod render;
mod seal;
#[cfg(test)]
mod tests;
mod verify;

use std::path::PathBuf;

use protocol::{Timestamp, audit::Record};
use serde::{Deserialize, Serialize};

pub use self::{
    gather::{ExamineError, examine},
    render::{Form, sealed},
    verify::{Checking, VerifyError, verify},
};

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which incident.
    pub number: u64,
    /// How long before its first sign and after its last, in milliseconds.
    pub window_ms: u64,
    /// With what people wrote and were answered.
    pub with_texts: bool,
    /// A log that was set aside or copied, in place of this hall's.
    pub log: Option<PathBuf>,
    /// And its checkpoint.
    pub anchor: Option<PathBuf>,
}

/// Which of the kept things a moment comes from. Of one time they stand in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The audit log.
    Audit,
    /// The ledger.
    Ledger,
    /// The alerts in the ledger.
    Alerts,
    /// A file of the log.
    Log,
}

impl Origin {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Audit => "audit log",
            Self::Ledger => "ledger",
            Self::Alerts => "alerts",
            Self::Log => "log",
        }
    }
}

/// Why something is in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// It is the incident itself, or was done about it.
    Incident,
    /// It is of the same person and the same agent.
    PersonAndAgent,
    /// It is of the same person.
    Person,
    /// It is of the same agent or kind of actor.
    Agent,
    /// It is of the hall, and may have to do with it.
    Hall,
}

impl About {
    /// As people read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Incident => "the incident",
            Self::PersonAndAgent => "person and agent",
            Self::Person => "the person",
            Self::Agent => "the agent",
            Self::Hall => "the hall",
        }
    }
}

/// One moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// From where.
    pub origin: Origin,
    /// Where it stands there: a record's number, a reference, a file and a line.
    pub place: String,
    /// Why it is here.
    pub about: About,
    /// What happened, in words.
    pub what: String,
    /// What else is known of it.
    pub details: Vec<(String, String)>,
    /// What was said. Empty unless it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<(String, String)>,
    /// The record of the audit log, as it stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// SHA-256 of the record as it was read; of records of the ledger keyed with a key of the hall.
    pub sha256: String,
}

/// Something that was read, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// What it is called: `audit/log`, `logs/…`.
    pub name: String,
    /// How many bytes of it, from its beginning.
    pub bytes: u64,
    /// SHA-256 of these.
    pub sha256: String,
    /// What was found in it, and in which state.
    pub state: String,
}

/// What the chain of the audit log looked like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// True if it is as it was written.
    pub is_whole: bool,
    /// In words.
    pub verdict: String,
    /// How many records.
    pub records: u64,
    /// The hash of the last.
    pub head: String,
    /// The key that signs its checkpoints, and this report.
    pub key: String,
}

/// The incident, as it stood when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Its number.
    pub number: u64,
    /// What it began with.
    pub kind: &'static str,
    /// How bad it is.
    pub severity: &'static str,
    /// How far it is.
    pub stage: &'static str,
    /// About whom, as a keyed hash or a word.
    pub person: String,
    /// About which agent or kind of actor; `-` for none.
    pub agent: String,
    /// How often something happened.
    pub count: u32,
    /// How much that weighs.
    pub score: u32,
    /// When it began.
    pub since_ms: u64,
    /// When the last of it happened.
    pub last_ms: u64,
}

/// Who made the report, when, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Made {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// By whom: a user of the machine.
    pub by: String,
    /// The program's version.
    pub version: &'static str,
    /// Whether a hall ran, and was asked.
    pub hall_runs: bool,
    /// The record of the audit log that says so.
    pub noted_as: Option<u64>,
}

/// What the turns of the ledger come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Questions.
    pub turns: u64,
    /// Of these, answered by a model.
    pub answered: u64,
    /// Refused.
    pub refused: u64,
    /// Tried more than once, after a restart.
    pub retried: u64,
    /// Calls to models.
    pub calls: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// Cost in millionths of the currency.
    pub cost_micros: u64,
    /// The currency.
    pub currency: String,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its own name, which stands in the audit log, too.
    pub id: String,
    /// Who made it.
    pub made: Made,
    /// What it is about.
    pub incident: Subject,
    /// From when on, in milliseconds since 1970.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: u64,
    /// With what was said.
    pub with_texts: bool,
    /// What happened, in the order of time.
    pub moments: Vec<Moment>,
    /// What the turns of the ledger come to.
    pub sums: Sums,
    /// What a hall that ran said of itself when the report was made.
    pub figures: Vec<(String, String)>,
    /// How the audit log is.
    pub chain: Chain,
    /// What was read.
    pub sources: Vec<Source>,
    /// What could not be read, or was left out.
    pub gaps: Vec<String>,
}

impl Report {
    /// When it was made.
    #[must_use]
    pub fn made_at(&self) -> Timestamp {
        Timestamp(self.made.at_ms)
    }
}
