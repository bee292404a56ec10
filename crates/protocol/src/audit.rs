//! The port to the audit log: who did what, to whom, and what came of it.
//!
//! What is written is a [`Deed`]; what is read back is a [`Record`], in which people are keyed
//! hashes. A record's line of JSON is what is hashed: each names the hash of the line before it, so
//! anybody can follow the chain with a hash function and nothing else.
//!
//! Invariants: AUDIT-1 what an officer, an operator or the console changes or reads of a person is
//! answered only after its record is durable. AUDIT-2 a record names no person but by a keyed hash,
//! and no text.

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{PersonId, Timestamp};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident => $word:literal,)*) => {
        /// What was done: a closed set of words.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word that is stored and searched for.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

actions! {
    /// An agent was brought in.
    AgentSpawned => "agent.spawned",
    /// An agent got other instructions.
    AgentEdited => "agent.edited",
    /// An agent asks another model first.
    AgentModelSet => "agent.model_set",
    /// An agent rests.
    AgentPaused => "agent.paused",
    /// An agent is awake again.
    AgentResumed => "agent.resumed",
    /// An agent was let go.
    AgentRetired => "agent.retired",
    /// A person or group may talk.
    AccessAllowed => "access.allowed",
    /// And no longer.
    AccessDenied => "access.denied",
    /// A person or group is ignored.
    AccessBlocked => "access.blocked",
    /// And no longer.
    AccessUnblocked => "access.unblocked",
    /// A link was made that lets one person in.
    InviteMade => "invite.made",
    /// Somebody opened it, and may talk.
    InviteUsed => "invite.used",
    /// It lets nobody in any more.
    InviteWithdrawn => "invite.withdrawn",
    /// An agent is to have a bot of its own, made by Telegram.
    BotWanted => "bot.wanted",
    /// It has one, or one with another token.
    BotGiven => "bot.given",
    /// Somebody got a role.
    RoleGiven => "role.given",
    /// And lost it.
    RoleTaken => "role.taken",
    /// A group got another id from Telegram.
    ChatMigrated => "chat.migrated",
    /// A rule of the guard is another, or gone.
    RuleChanged => "rule.changed",
    /// The guard's rule files were read anew.
    RulesRead => "rules.read",
    /// Rules were tried on what people wrote.
    RulesTried => "rules.tried",
    /// What is wrong was read.
    AlertsRead => "alerts.read",
    /// Nobody is told of a kind of alert for some time.
    AlertSilenced => "alert.silenced",
    /// An officer takes care of a kind of alert.
    AlertAcknowledged => "alert.acknowledged",
    /// Every place that alerts go to was tried.
    AlertsTried => "alerts.tried",
    /// An agent is asked something at set times.
    ScheduleSet => "schedule.set",
    /// And no longer.
    ScheduleRemoved => "schedule.removed",
    /// What agents are asked at set times was read.
    SchedulesRead => "schedules.read",
    /// Somebody may use more or less of models.
    QuotaSet => "quota.set",
    /// A refusal was marked as a false alarm, or no more.
    AlarmMarked => "alarm.marked",
    /// A person's text was shown to an officer.
    TextShown => "text.shown",
    /// Everything that is held of a person was handed out.
    PersonExported => "person.exported",
    /// A person's key was destroyed.
    PersonForgotten => "person.forgotten",
    /// The master key was changed.
    KeyRotated => "key.rotated",
    /// A backup was made because somebody asked for it.
    BackupCreated => "backup.created",
    /// A backup was put back.
    BackupRestored => "backup.restored",
    /// A backup was put back for a moment, to see that it can be.
    BackupDrilled => "backup.drilled",
    /// A hall like this one was attacked, to see what it does.
    RedteamRun => "redteam.run",
    /// The ledger's database was moved, compacted or built anew.
    StoreRebuilt => "store.rebuilt",
    /// Records of the ledger were read, without their texts.
    LedgerRead => "ledger.read",
    /// The audit log was handed out, for those who watch from elsewhere.
    AuditExported => "audit.exported",
    /// A message that was set aside was put back for one more turn.
    AsideRetried => "aside.retried",
    /// A message that was set aside is not to be asked about any more.
    AsideDropped => "aside.dropped",
    /// A report against a standard was made and sent to an officer.
    ReportMade => "report.made",
    /// The audit log was read.
    AuditRead => "audit.read",
    /// A command was tried by somebody who may not use it.
    CommandDenied => "command.denied",
    /// Somebody pressed a button that is not theirs.
    PressDenied => "press.denied",
    /// The guard refused a question or an answer.
    GuardRefused => "guard.refused",
    /// The guard held back an answer that gave away what nobody is to be told.
    LeakStopped => "leak.stopped",
    /// Somebody has used up what they may of models, or nearly.
    BudgetCrossed => "budget.crossed",
    /// Somebody uses far more of models than is usual for them.
    UsageUnusual => "usage.unusual",
    /// An actor failed and was rebuilt.
    ActorFailed => "actor.failed",
    /// An officer had an actor made anew.
    ActorRestarted => "actor.restarted",
    /// The hall takes no new questions for now.
    HallDrained => "hall.drained",
    /// And takes them again.
    HallFilled => "hall.filled",
    /// Signs of trouble were put together.
    IncidentOpened => "incident.opened",
    /// There was more of it.
    IncidentSeen => "incident.seen",
    /// An officer knows of it.
    IncidentAcknowledged => "incident.acknowledged",
    /// It is over.
    IncidentClosed => "incident.closed",
    /// A report of it was made over everything that is kept.
    IncidentExamined => "incident.examined",
    /// A playbook begins, or asks whether it may.
    PlaybookBegun => "playbook.begun",
    /// An officer lets it act, or not.
    PlaybookDecided => "playbook.decided",
    /// One of its steps is taken.
    PlaybookStepTaken => "playbook.step_taken",
    /// One of its steps is left out.
    PlaybookStepLeftOut => "playbook.step_left_out",
    /// What one of its steps did is over.
    PlaybookStepEnded => "playbook.step_ended",
    /// An officer undid what it did.
    PlaybookUndone => "playbook.undone",
    /// An officer lets it stay.
    PlaybookKept => "playbook.kept",
    /// The officers were told of it.
    PlaybookTold => "playbook.told",
    /// Somebody signed in to the console.
    LoginDone => "login.done",
    /// Somebody tried to.
    LoginFailed => "login.failed",
    /// The configuration is another than at the last start.
    ConfigChanged => "config.changed",
    /// The hall started.
    HallStarted => "hall.started",
    /// The hall was stopped.
    HallStopped => "hall.stopped",
    /// A last record that was never acknowledged was torn by a crash and cut off.
    AuditCut => "audit.cut",
    /// The operator went on after a break in the log.
    AuditResumed => "audit.resumed",
    /// The state of the chain, signed.
    Checkpoint => "audit.checkpoint",
}

impl FromStr for Action {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|it| it.word() == word).copied().ok_or(())
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doer {
    /// Somebody in a chat.
    Person(PersonId),
    /// A message that shows no person: an anonymous admin of a group, or a channel.
    Nobody,
    /// A holder of the console's token.
    Console,
    /// Whoever runs the program's commands on the machine.
    Operator,
    /// The hall by itself.
    Hall,
}

/// To whom or what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing in particular.
    Nothing,
    /// A person or a group, by its id.
    Person(i64),
    /// A thing, by its name: an agent, a rule, a command, a backup.
    Thing(String),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is done, or is begun and no later record says that it failed.
    Done,
    /// It was not allowed.
    Denied,
    /// It was allowed and could not be done.
    Failed,
}

impl Outcome {
    /// The word that is stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Doer,
    /// What.
    pub action: Action,
    /// To whom or what.
    pub target: Target,
    /// With what success.
    pub outcome: Outcome,
    /// Where to look further, or how much: at most [`REFERENCE_CHARS_MAX`] characters, no text of a
    /// message.
    pub reference: String,
    /// How often, if more than one of a kind share a record.
    pub times: u32,
}

/// The longest reference; longer ones are cut.
pub const REFERENCE_CHARS_MAX: usize = 200;
/// The longest name of a thing; longer ones are cut.
pub const THING_CHARS_MAX: usize = 64;

impl Deed {
    /// Something that was done.
    #[must_use]
    pub fn done(at: Timestamp, actor: Doer, action: Action, target: Target) -> Self {
        let (outcome, reference) = (Outcome::Done, String::new());
        Self { at, actor, action, target, outcome, reference, times: 1 }
    }

    /// With another outcome.
    #[must_use]
    pub fn with(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// With a reference.
    #[must_use]
    pub fn about(self, reference: impl Into<String>) -> Self {
        Self { reference: reference.into(), ..self }
    }
}

/// What the words of the records of incidents begin with.
pub const INCIDENTS: &str = "incident.";

/// What is stored: one line of JSON, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from 1 without a gap.
    pub seq: u64,
    /// SHA-256 of the line before, in hexadecimal digits; zeros in the first.
    pub prev: String,
    /// When, in milliseconds since 1970.
    pub at: Timestamp,
    /// `person:…` with a keyed hash, `nobody`, `console`, `operator` or `hall`.
    pub actor: String,
    /// A word of [`Action`]; one that is not known is of a later version.
    pub action: String,
    /// `person:…` with a keyed hash, a name, or nothing.
    pub target: String,
    /// A word of [`Outcome`].
    pub outcome: String,
    /// Where to look further, or how much.
    pub reference: String,
    /// How often.
    pub times: u32,
}

impl Record {
    /// The line that is hashed and stored.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("a record has only words and numbers")
    }

    /// Reads a line. `None` if it is none.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// Why nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Too many wait.
    #[error("too much waits to be written to the audit log")]
    Busy,
    /// The disk refused, or the log was closed.
    #[error("the audit log takes no records")]
    Unavailable,
}

/// The log of everything that officers, operators and the console do.
#[async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// Writes a record and waits until it is durable. AUDIT-1.
    ///
    /// # Errors
    /// If it is not: then nothing may be done.
    async fn record(&self, deed: Deed) -> Result<(), RecordError>;

    /// Hands a record over and does not wait, for what was denied. Many of one kind share a record.
    fn note(&self, deed: Deed);

    /// The newest records before a number, newest first. Only so far back as the log keeps at hand.
    fn newest(&self, before: Option<u64>, count: usize) -> Vec<Record>;

    /// The records of incidents, oldest first. Only so far back as the log keeps at hand.
    fn incidents(&self) -> Vec<Record>;

    /// The word for a person in records.
    fn person(&self, id: i64) -> String;
}

impl fmt::Debug for dyn AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditLog")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_has_a_word_of_its_own_and_reads_back() {
        let words: BTreeSet<&str> = Action::ALL.iter().map(|it| it.word()).collect();
        assert_eq!(words.len(), Action::ALL.len());
        for action in Action::ALL {
            assert_eq!(action.word().parse(), Ok(*action));
        }
        assert_eq!("agent.danced".parse::<Action>(), Err(()));
    }

    #[test]
    fn a_line_reads_back_as_it_was() {
        let record = Record {
            seq: 7,
            prev: "00".repeat(32),
            at: Timestamp(5),
            actor: "hall".to_owned(),
            action: Action::HallStarted.word().to_owned(),
            target: String::new(),
            outcome: Outcome::Done.word().to_owned(),
            reference: "0.1.0".to_owned(),
            times: 1,
        };
        let line = record.line();
        assert!(line.starts_with(r#"{"seq":7,"prev":"00"#), "{line}");
        assert_eq!(Record::read(line.as_bytes()), Some(record));
        assert_eq!(Record::read(b"{}"), None);
    }
}
