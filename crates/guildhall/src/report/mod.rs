//! `guildhall report`: control by control of a standard, what this installation does about it, why we
//! say so, and what is missing.
//!
//! Reads     the configuration, the installation, the audit log, the newest backup, and the ledger or the
//!           hall that holds it.
//! Changes   nothing of its own: a ledger that nobody holds is opened as every command opens it.
//!
//! A control names the checks that it rests on (see `controls`); its status is what they found. What
//! could not be looked at is not known: nothing is guessed.
//!
//! Invariants: REPORT-1 no status is fixed but of what is wholly the organisation's own duty, or what the
//! program cannot do. REPORT-2 no id of a person and no text of a message is in a report.

mod controls;
mod facts;
mod installation;
mod past;
mod render;
mod settings;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use serde::Serialize;

use crate::page::moment;

pub use self::{
    facts::{Facts, Held, gather},
    render::{html, json, markdown},
};

/// What a hall is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standard {
    /// The General Data Protection Regulation of the EU.
    Gdpr,
    /// The security rule of the Health Insurance Portability and Accountability Act of the USA.
    Hipaa,
    /// The Trust Services Criteria of the AICPA.
    Soc2,
    /// The OWASP Top 10 for applications of large language models, edition of 2026.
    OwaspLlm,
    /// The AI Act of the EU.
    EuAiAct,
}

impl Standard {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Gdpr, Self::Hipaa, Self::Soc2, Self::OwaspLlm, Self::EuAiAct];

    /// The word for it on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gdpr => "gdpr",
            Self::Hipaa => "hipaa",
            Self::Soc2 => "soc2",
            Self::OwaspLlm => "owasp-llm",
            Self::EuAiAct => "eu-ai-act",
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Gdpr => "GDPR",
            Self::Hipaa => "HIPAA Security Rule (45 CFR 164)",
            Self::Soc2 => "SOC 2 (Trust Services Criteria)",
            Self::OwaspLlm => "OWASP Top 10 for LLM Applications, 2026",
            Self::EuAiAct => "EU AI Act",
        }
    }
}

impl FromStr for Standard {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|it| it.word() == word).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|it| it.word()).collect();
            format!("`{word}` is no standard that we know: say one of {}", words.join(", "))
        })
    }
}

/// What was found about a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything that the program can do about it is done.
    Met,
    /// Some of it.
    Partly,
    /// None of it.
    NotMet,
    /// It could not be looked at.
    NotKnown,
    /// It is about something that this hall does not have.
    NotApplicable,
    /// The program has no part in it.
    OwnDuty,
}

impl Status {
    /// As people read it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Partly => "partly",
            Self::NotMet => "not met",
            Self::NotKnown => "not known",
            Self::NotApplicable => "not applicable",
            Self::OwnDuty => "organisation's own duty",
        }
    }
}

/// One thing that was looked at, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What it says about the controls that rest on it.
    pub status: Status,
    /// In a sentence.
    pub why: String,
    /// What to do. Empty if there is nothing to do.
    pub fix: String,
    /// What it was seen by: a setting and its value, a count, a number of a record, a hash.
    pub evidence: Vec<(String, String)>,
}

impl Answer {
    fn new(status: Status, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status, why: why.into(), fix: fix.into(), evidence: Vec::new() }
    }

    fn met(why: impl Into<String>) -> Self {
        Self::new(Status::Met, why, "")
    }

    fn partly(why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Status::Partly, why, fix)
    }

    fn not_met(why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Status::NotMet, why, fix)
    }

    fn not_known(why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Status::NotKnown, why, fix)
    }

    fn with(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.evidence.push((name.into(), value.to_string()));
        self
    }
}

/// A thing that can be looked at. A control can name only one that exists: anything else does not compile.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name, by which a gap is found again.
    pub name: &'static str,
    ask: fn(&Facts<'_>) -> Answer,
}

/// A requirement of a standard, and what our part in it rests on.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// The standard's own number.
    pub id: &'static str,
    /// A title.
    pub title: &'static str,
    /// What is required, in our words.
    pub requires: &'static str,
    /// What is looked at.
    pub checks: &'static [Check],
    /// What the program does not do about it.
    pub missing: &'static [&'static str],
    /// What stays with the organisation.
    pub duty: &'static str,
}

/// A check's name with what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// The check.
    pub check: &'static str,
    /// What it found.
    #[serde(flatten)]
    pub answer: Answer,
}

/// A control and what was found about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The standard's own number.
    pub id: &'static str,
    /// A title.
    pub title: &'static str,
    /// What is required, in our words.
    pub requires: &'static str,
    /// What was found.
    pub status: Status,
    /// By what.
    pub looked: Vec<Looked>,
    /// What the program does not do about it.
    pub missing: &'static [&'static str],
    /// What stays with the organisation.
    pub duty: &'static str,
}

/// Something that is missing, with everything that it is missing for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The check, or `program` for what the program does not do.
    pub name: &'static str,
    /// What is missing.
    pub what: String,
    /// What to do.
    pub fix: String,
    /// The controls.
    pub controls: Vec<&'static str>,
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Against what.
    pub standard: Standard,
    /// When, in milliseconds since 1970.
    pub made_ms: u64,
    /// How far back the logs were looked at.
    pub days: u32,
    /// The program's version.
    pub version: &'static str,
    /// A hash of the configuration in force, without its secrets.
    pub configuration: String,
    /// Control by control.
    pub controls: Vec<Row>,
    /// What is missing.
    pub gaps: Vec<Gap>,
}

/// Holds a hall against a standard. Without `evidence` the report says what was found and not by what.
#[must_use]
pub fn report(standard: Standard, facts: &Facts<'_>, evidence: bool) -> Report {
    let rows: Vec<Row> =
        controls::of(standard).iter().map(|control| row(control, facts, evidence)).collect();
    Report {
        standard,
        made_ms: facts.now.0,
        days: facts.days,
        version: env!("CARGO_PKG_VERSION"),
        configuration: crate::audit::fingerprint(facts.loaded),
        gaps: gaps(&rows),
        controls: rows,
    }
}

fn row(control: &Control, facts: &Facts<'_>, evidence: bool) -> Row {
    let look = |check: &Check| {
        let mut answer = (check.ask)(facts);
        if !evidence {
            answer.evidence.clear();
        }
        Looked { check: check.name, answer }
    };
    let looked: Vec<Looked> = control.checks.iter().map(look).collect();
    let &Control { id, title, requires, missing, duty, .. } = control;
    Row { id, title, requires, status: status(&looked, missing), looked, missing, duty }
}

/// REPORT-1: what the checks found, together. What the program does not do keeps a control from being met.
fn status(looked: &[Looked], missing: &[&str]) -> Status {
    if looked.is_empty() {
        return if missing.is_empty() { Status::OwnDuty } else { Status::NotMet };
    }
    let concerns: Vec<Status> = looked
        .iter()
        .map(|it| it.answer.status)
        .filter(|it| *it != Status::NotApplicable)
        .collect();
    let all = |status| concerns.iter().all(|it| *it == status);
    if concerns.is_empty() {
        Status::NotApplicable
    } else if concerns.contains(&Status::NotKnown) {
        Status::NotKnown
    } else if all(Status::NotMet) {
        Status::NotMet
    } else if all(Status::Met) && missing.is_empty() {
        Status::Met
    } else {
        Status::Partly
    }
}

fn gaps(rows: &[Row]) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut add = |name: &'static str, what: &str, fix: &str, control: &'static str| match gaps
        .iter_mut()
        .find(|it| it.name == name && it.what == what)
    {
        Some(gap) => gap.controls.push(control),
        None => {
            let (what, fix) = (what.to_owned(), fix.to_owned());
            gaps.push(Gap { name, what, fix, controls: vec![control] });
        }
    };
    for row in rows {
        for Looked { check, answer } in &row.looked {
            if !matches!(answer.status, Status::Met | Status::NotApplicable) {
                add(check, &answer.why, &answer.fix, row.id);
            }
        }
    }
    for row in rows {
        for what in row.missing {
            add("program", what, "the program does not do this yet: do it beside it", row.id);
        }
    }
    gaps
}
