//! Playbooks: what the hall does by itself about incidents, as data; and what it has done so far.
//!
//! A run is one time that a playbook acts. Runs are entries of the hall's stream, beside what officers
//! change: taking a step and its effect are one entry, so no crash comes between the two.
//!
//! Invariants: PLAYBOOK-1 a step is taken at most once, and undone at most once. PLAYBOOK-3 nobody
//! with a role is blocked or slowed by a playbook. PLAYBOOK-5 what an officer did is never undone by
//! a playbook, and what a playbook did never outlasts an officer's word against it.

mod runs;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use protocol::{AgentName, PersonId, Timestamp};
use screening::OwnRule;
use serde::{Deserialize, Serialize};

pub use self::runs::{Limit, Run, Runs, Stand, State};
use crate::{
    incident::{Kind, Severity},
    right::Role,
};

/// The most steps of a playbook.
pub const STEPS_MAX: usize = 16;
/// The most people that one run is about; more are left to a person to look at.
pub const PEOPLE_MAX: usize = 16;
/// References that a step keeps of what it found.
pub const REFERENCES_MAX: usize = 20;

/// What the names of proposed rules begin with; the run's number follows.
pub(crate) const RULE: &str = "playbook_";

/// Whether it acts, or asks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It acts, and says so.
    Act,
    /// It asks an officer, and acts when they say yes.
    Propose,
}

/// What its signs are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// By person.
    Person,
    /// By agent, whoever asks it.
    Agent,
}

/// When a playbook begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Signs of these kinds.
    pub kinds: Vec<Kind>,
    /// Of incidents that are as bad as this, or worse.
    pub least: Severity,
    /// So many of them.
    pub count: u32,
    /// Within this time.
    pub within: Duration,
    /// Counted by what.
    pub per: Per,
    /// From at least so many different people.
    pub people: u32,
}

/// One step: what is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Measure {
    /// The hall takes nothing from the person.
    Block {
        /// For how long.
        lasts: Duration,
    },
    /// The agent rests.
    Pause {
        /// For how long; without it, until an officer wakes it.
        lasts: Option<Duration>,
    },
    /// The hall takes fewer messages from the person.
    Slow {
        /// So many a minute.
        per_minute: u32,
        /// For how long at the most.
        lasts: Duration,
        /// Over as soon as what they use is usual again.
        until_usual: bool,
    },
    /// The person may use less of models.
    Tighten {
        /// So many tokens a day.
        tokens_day: u64,
        /// For how long at the most.
        lasts: Duration,
        /// Over as soon as what they use is usual again.
        until_usual: bool,
    },
    /// References to what the person asked lately are put together.
    Gather {
        /// How far back.
        within: Duration,
    },
    /// Everything of the hall that the person touched is listed, by keyed references.
    ListTouched {
        /// How far back.
        within: Duration,
    },
    /// A rule is made of what the refused questions have in common, and noted; it is not applied.
    ProposeRule,
    /// What the person used is compared with what is usual for them.
    Compare,
}

impl Measure {
    /// The word for it, as in a file.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Block { .. } => "block",
            Self::Pause { .. } => "pause",
            Self::Slow { .. } => "slow",
            Self::Tighten { .. } => "tighten",
            Self::Gather { .. } => "gather",
            Self::ListTouched { .. } => "list_touched",
            Self::ProposeRule => "propose_rule",
            Self::Compare => "compare",
        }
    }

    /// For how long it is in force; `None`: it only looks, or is in force until it is undone.
    #[must_use]
    pub const fn lasts(&self) -> Option<Duration> {
        match self {
            Self::Block { lasts } | Self::Slow { lasts, .. } | Self::Tighten { lasts, .. } => {
                Some(*lasts)
            }
            Self::Pause { lasts } => *lasts,
            Self::Gather { .. } | Self::ListTouched { .. } | Self::ProposeRule | Self::Compare => {
                None
            }
        }
    }

    /// True if it changes something for somebody, and can be undone.
    #[must_use]
    pub const fn holds(&self) -> bool {
        match self {
            Self::Block { .. } | Self::Pause { .. } | Self::Slow { .. } | Self::Tighten { .. } => {
                true
            }
            Self::Gather { .. } | Self::ListTouched { .. } | Self::ProposeRule | Self::Compare => {
                false
            }
        }
    }

    /// True if something has to be looked up before it can be taken.
    #[must_use]
    pub const fn looks(&self) -> bool {
        !self.holds()
    }

    /// True if it is over as soon as what is used is usual again.
    #[must_use]
    pub const fn ends_when_usual(&self) -> bool {
        match self {
            Self::Slow { until_usual, .. } | Self::Tighten { until_usual, .. } => *until_usual,
            Self::Block { .. }
            | Self::Pause { .. }
            | Self::Gather { .. }
            | Self::ListTouched { .. }
            | Self::ProposeRule
            | Self::Compare => false,
        }
    }
}

/// One playbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playbook {
    /// Its name.
    pub name: String,
    /// What it is for, in one line.
    pub description: String,
    /// Whether it acts or asks.
    pub mode: Mode,
    /// The least role that may say yes to it, undo it, or have it stay.
    pub undo_by: Role,
    /// When it begins.
    pub when: Trigger,
    /// What it does, in order.
    pub steps: Vec<Measure>,
}

impl Playbook {
    /// True if one of its steps puts an agent to rest, which everybody feels.
    #[must_use]
    pub fn pauses(&self) -> bool {
        self.steps.iter().any(|it| matches!(it, Measure::Pause { .. }))
    }
}

/// A run as it begins: everything that is needed to end it, also without its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// Its number.
    pub run: u64,
    /// Of which playbook.
    pub playbook: String,
    /// About which incident.
    pub incident: u64,
    /// Whether it asks first.
    pub mode: Mode,
    /// The least role that may say yes to it, undo it, or have it stay.
    pub undo_by: Role,
    /// Whom it is about.
    pub people: Vec<PersonId>,
    /// About which agent.
    #[serde(default)]
    pub agent: Option<AgentName>,
    /// It is about the agent, not about the people.
    #[serde(default)]
    pub of_agent: bool,
    /// How many signs there were.
    pub signs: u32,
    /// When.
    pub at: Timestamp,
    /// What it does.
    pub steps: Vec<Measure>,
}

impl Beginning {
    /// True if it is about the same as another one.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let is_same =
            if self.of_agent { self.agent == other.agent } else { self.people == other.people };
        self.playbook == other.playbook && self.of_agent == other.of_agent && is_same
    }
}

/// What a step has found. No text of anybody: references by which officers find it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// References, the newest first, at most [`REFERENCES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// How much there is in all.
    #[serde(default)]
    pub count: u64,
    /// What it comes to, in a few words without names.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// The rule that is proposed. It is stored apart, sealed with the keys of whose words it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<OwnRule>,
}

/// Why a step was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spared {
    /// It would have been about nobody but officers.
    Officers,
    /// It was so already.
    SoAlready,
    /// The agent or person is not there any more.
    Gone,
    /// There was nothing to make it of.
    Nothing,
    /// It could not be done, as the hall's checks said.
    Refused,
}

impl Spared {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Officers => "officers are spared",
            Self::SoAlready => "it was so already",
            Self::Gone => "it is not there any more",
            Self::Nothing => "there was nothing to make it of",
            Self::Refused => "it could not be done",
        }
    }
}

/// One thing that happens to a run: an entry of the hall's stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "run_change", rename_all = "snake_case")]
pub enum RunChange {
    /// It begins, or is proposed.
    Begun {
        /// All of it.
        run: Beginning,
    },
    /// An officer says whether it may act.
    Decided {
        /// Which.
        run: u64,
        /// It may.
        yes: bool,
    },
    /// Nobody has said whether it may act: it may not.
    Lapsed {
        /// Which.
        run: u64,
    },
    /// A step is taken, and in effect.
    Taken {
        /// Of which run.
        run: u64,
        /// Which, from 0.
        step: u32,
        /// When it is over.
        until: Option<Timestamp>,
        /// What it has found.
        #[serde(default)]
        found: Found,
    },
    /// A step is left out.
    LeftOut {
        /// Of which run.
        run: u64,
        /// Which, from 0.
        step: u32,
        /// Why.
        why: Spared,
    },
    /// A step's time is over, or its reason.
    Ended {
        /// Of which run.
        run: u64,
        /// Which, from 0.
        step: u32,
    },
    /// An officer undoes everything of it that can be undone; what was not taken yet is left out.
    Undone {
        /// Which.
        run: u64,
    },
    /// An officer lets stay what is in force, until somebody undoes it.
    Kept {
        /// Which.
        run: u64,
    },
    /// The officers were told of it.
    Told {
        /// Which.
        run: u64,
    },
}

impl RunChange {
    /// Of which run.
    #[must_use]
    pub const fn run(&self) -> u64 {
        match self {
            Self::Begun { run } => run.run,
            Self::Decided { run, .. }
            | Self::Taken { run, .. }
            | Self::LeftOut { run, .. }
            | Self::Ended { run, .. }
            | Self::Undone { run }
            | Self::Lapsed { run }
            | Self::Kept { run }
            | Self::Told { run } => *run,
        }
    }

    /// What it is, in a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Begun { .. } => "begun",
            Self::Decided { .. } => "decided",
            Self::Lapsed { .. } => "lapsed",
            Self::Taken { .. } => "taken",
            Self::LeftOut { .. } => "left_out",
            Self::Ended { .. } => "ended",
            Self::Undone { .. } => "undone",
            Self::Kept { .. } => "kept",
            Self::Told { .. } => "told",
        }
    }

    /// True if only an officer may say so; the rest is the warden's.
    #[must_use]
    pub const fn is_officers(&self) -> bool {
        match self {
            Self::Decided { .. } | Self::Undone { .. } | Self::Kept { .. } => true,
            Self::Begun { .. }
            | Self::Taken { .. }
            | Self::LeftOut { .. }
            | Self::Ended { .. }
            | Self::Lapsed { .. }
            | Self::Told { .. } => false,
        }
    }
}
