//! Incidents: what was denied, refused or broken, put together by whom it is about, from the first
//! sign until an officer closes it.
//!
//! Receives  everything that is noted in the audit log: it stands before it.
//! Sends     each sign of trouble, with the incident that it belongs to, to the warden.
//! Owns      the open incidents, and the newest closed ones.
//! On crash  nothing is lost but counts since the last step: incidents are folded from the audit log.
//!
//! An incident is nothing but its records there: opened, seen again, acknowledged, closed. Each names
//! it as its target, so that whatever is done about it later can be written behind them.
//!
//! Invariants: INCIDENT-1 what belongs to the same person and agent is one incident while that is
//! open. INCIDENT-2 the records of an incident grow with the logarithm of what happens.

mod past;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use protocol::{
    AgentName, PersonId, Timestamp,
    audit::{Action, AuditLog, Deed, Doer, Outcome, Record, RecordError, Target},
};
use tokio::sync::Notify;

pub(crate) use self::past::PastSign;

/// Open incidents at a time; what comes then is put together under everybody.
const OPEN_MAX: usize = 200;
/// Closed incidents that are kept at hand.
const CLOSED_MAX: usize = 200;
/// A low one that stays silent so long closes by itself.
const SILENT_MAX: Duration = Duration::from_hours(24);
/// Signs that may wait for the warden.
const SIGNS_MAX: usize = 10_000;
/// Records of the audit log in which signs of before a start are looked for.
const PAST_MAX: usize = 1_000;
const EVERYBODY: &str = "many";

/// What it began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The guard refused texts.
    Guard,
    /// Somebody tried what is not theirs.
    Access,
    /// An actor failed.
    Crash,
    /// The guard held back answers that gave away what nobody is to be told.
    Leak,
    /// Somebody used up what they may of models, or nearly.
    Budget,
    /// Somebody uses far more of models than is usual for them.
    Usage,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Guard, Self::Access, Self::Crash, Self::Leak, Self::Budget, Self::Usage];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Access => "access",
            Self::Crash => "crash",
            Self::Leak => "leak",
            Self::Budget => "budget",
            Self::Usage => "usage",
        }
    }

    /// How much one of it weighs.
    const fn weight(self) -> u32 {
        match self {
            Self::Guard => 1,
            Self::Access | Self::Budget => 2,
            Self::Crash | Self::Usage => 5,
            // What was held back was really said: three of them are as bad as it gets.
            Self::Leak => 7,
        }
    }

    /// What a deed is a sign of, if of anything.
    #[expect(clippy::too_many_lines, reason = "a line for each deed")]
    fn of(action: Action) -> Option<Self> {
        match action {
            Action::GuardRefused => Some(Self::Guard),
            Action::CommandDenied | Action::PressDenied | Action::LoginFailed => Some(Self::Access),
            Action::ActorFailed => Some(Self::Crash),
            Action::LeakStopped => Some(Self::Leak),
            Action::BudgetCrossed => Some(Self::Budget),
            Action::UsageUnusual => Some(Self::Usage),
            Action::PlaybookBegun
            | Action::PlaybookDecided
            | Action::PlaybookStepTaken
            | Action::PlaybookStepLeftOut
            | Action::PlaybookStepEnded
            | Action::PlaybookUndone
            | Action::PlaybookKept
            | Action::PlaybookTold
            | Action::AgentSpawned
            | Action::AgentEdited
            | Action::AgentModelSet
            | Action::AgentPaused
            | Action::AgentResumed
            | Action::AgentRetired
            | Action::AccessAllowed
            | Action::InviteMade
            | Action::InviteUsed
            | Action::InviteWithdrawn
            | Action::BotWanted
            | Action::BotGiven
            | Action::AccessDenied
            | Action::AccessBlocked
            | Action::AccessUnblocked
            | Action::RoleGiven
            | Action::RoleTaken
            | Action::ChatMigrated
            | Action::AlertsRead
            | Action::ActorRestarted
            | Action::HallDrained
            | Action::HallFilled
            | Action::AlertSilenced
            | Action::AlertAcknowledged
            | Action::AlertsTried
            | Action::QuotaSet
            | Action::ScheduleSet
            | Action::ScheduleRemoved
            | Action::SchedulesRead
            | Action::RuleChanged
            | Action::RulesRead
            | Action::RulesTried
            | Action::AlarmMarked
            | Action::TextShown
            | Action::PersonExported
            | Action::PersonForgotten
            | Action::KeyRotated
            | Action::BackupCreated
            | Action::BackupRestored
            | Action::BackupDrilled
            | Action::RedteamRun
            | Action::StoreRebuilt
            | Action::LedgerRead
            | Action::AuditExported
            | Action::AsideRetried
            | Action::AsideDropped
            | Action::ReportMade
            | Action::AuditRead
            | Action::LoginDone
            | Action::ConfigChanged
            | Action::HallStarted
            | Action::HallStopped
            | Action::AuditCut
            | Action::AuditResumed
            | Action::Checkpoint
            | Action::IncidentOpened
            | Action::IncidentSeen
            | Action::IncidentAcknowledged
            | Action::IncidentExamined
            | Action::IncidentClosed => None,
        }
    }
}

/// How bad it is, by how much of it there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A try or a few.
    Low,
    /// Somebody means it.
    Medium,
    /// Look at it now.
    High,
}

impl Severity {
    /// All, the least first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    const fn of(score: u32) -> Self {
        match score {
            0..5 => Self::Low,
            5..20 => Self::Medium,
            20.. => Self::High,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody has looked at it.
    Open,
    /// An officer knows of it.
    Acknowledged,
    /// It is over.
    Closed,
}

impl Stage {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
        }
    }
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its number.
    pub number: u64,
    /// What it began with.
    pub kind: Kind,
    /// About whom: `person:` with a keyed hash, `nobody`, `many`, or `hall`.
    pub person: String,
    /// About which agent, or which kind of actor, if any.
    pub about: String,
    /// How much there was of it, weighed.
    pub score: u32,
    /// How often something happened.
    pub count: u32,
    /// When it began.
    pub since: Timestamp,
    /// When the last of it happened.
    pub last: Timestamp,
    /// How far it is.
    pub stage: Stage,
}

impl Incident {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        Severity::of(self.score)
    }

    /// What its records are found by.
    #[must_use]
    pub fn name(&self) -> String {
        format!("incident-{}", self.number)
    }

    fn deed(&self, at: Timestamp, actor: Doer, action: Action) -> Deed {
        let Self { kind, person, about, score, count, .. } = self;
        let words = format!(
            "kind={} person={person} about={about} score={score} count={count} severity={}",
            kind.word(),
            self.severity().word()
        );
        Deed::done(at, actor, action, Target::Thing(self.name())).about(words)
    }

    /// Reads what [`Self::deed`] has written.
    fn read(record: &Record) -> Option<Self> {
        let words = record.reference.split(' ');
        let fields: BTreeMap<&str, &str> = words.filter_map(|it| it.split_once('=')).collect();
        let text = |name: &str| fields.get(name).map(|it| (*it).to_owned());
        let kind = text("kind")?;
        Some(Self {
            number: number_of(record)?,
            kind: Kind::ALL.into_iter().find(|it| it.word() == kind)?,
            person: text("person")?,
            about: text("about")?,
            score: text("score")?.parse().ok()?,
            count: text("count")?.parse().ok()?,
            since: record.at,
            last: record.at,
            stage: Stage::Open,
        })
    }
}

fn number_of(record: &Record) -> Option<u64> {
    record.target.strip_prefix("incident-")?.parse().ok()
}

/// What an officer does about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// They know of it.
    Acknowledge,
    /// It is over.
    Close,
}

/// Why nothing was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// There is none of this number, or it is closed.
    #[error("There is no open incident {0}. /incidents lists those there are.")]
    NoSuchIncident(u64),
    /// It was not noted, so it was not done.
    #[error("Nothing was changed: {0}.")]
    NotNoted(#[from] RecordError),
}

/// One sign of trouble, and where it was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// What it is a sign of.
    pub kind: Kind,
    /// To which incident it belongs.
    pub incident: u64,
    /// How bad that is.
    pub severity: Severity,
    /// Whose doing it is, if anybody's.
    pub person: Option<PersonId>,
    /// With which agent, if with any.
    pub agent: Option<AgentName>,
    /// When.
    pub at: Timestamp,
    /// How often.
    pub times: u32,
}

/// All that are at hand.
#[derive(Clone, Debug, Default)]
pub struct Incidents {
    all: BTreeMap<u64, Incident>,
    next: u64,
    /// Where the last sign was put.
    newest: Option<u64>,
}

impl Incidents {
    /// What the records lead to, oldest first.
    #[must_use]
    pub fn folded<'r>(records: impl IntoIterator<Item = &'r Record>) -> Self {
        let mut folded = Self { next: 1, ..Self::default() };
        records.into_iter().for_each(|it| folded.apply(it));
        folded.forget_the_oldest();
        folded
    }

    fn apply(&mut self, record: &Record) {
        let Some(number) = number_of(record) else { return };
        self.next = self.next.max(number + 1);
        match record.action.parse() {
            Ok(Action::IncidentOpened) => {
                if let Some(incident) = Incident::read(record) {
                    self.all.insert(number, incident);
                }
            }
            Ok(Action::IncidentSeen) => {
                let seen = Incident::read(record);
                if let (Some(known), Some(seen)) = (self.all.get_mut(&number), seen) {
                    (known.score, known.count, known.last) = (seen.score, seen.count, seen.last);
                }
            }
            Ok(Action::IncidentAcknowledged) => self.set(number, Stage::Acknowledged),
            Ok(Action::IncidentClosed) => self.set(number, Stage::Closed),
            Ok(_) | Err(()) => {}
        }
    }

    fn set(&mut self, number: u64, stage: Stage) {
        if let Some(incident) = self.all.get_mut(&number) {
            incident.stage = stage;
        }
    }

    /// All of them, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Incident> {
        self.all.values().rev()
    }

    fn open(&self) -> impl Iterator<Item = &Incident> {
        self.all.values().filter(|it| it.stage != Stage::Closed)
    }

    /// One that is not closed.
    fn find(&self, number: u64) -> Result<&Incident, HandleError> {
        let found = self.all.get(&number).filter(|it| it.stage != Stage::Closed);
        found.ok_or(HandleError::NoSuchIncident(number))
    }

    /// Takes what happened, and says what is to be written about it. INCIDENT-1, INCIDENT-2.
    #[must_use = "what is not written is forgotten at the next start"]
    fn take(&mut self, deed: &Deed, person: &dyn Fn(i64) -> String) -> Vec<Deed> {
        let Some(kind) = Kind::of(deed.action) else { return Vec::new() };
        let mut due = self.close_the_silent(deed.at);
        let who = match deed.actor {
            Doer::Person(it) => person(it.0),
            Doer::Nobody | Doer::Console | Doer::Operator => "nobody".to_owned(),
            Doer::Hall => "hall".to_owned(),
        };
        let about = match (&deed.target, kind) {
            (Target::Thing(_), Kind::Access) => "-".to_owned(),
            (Target::Thing(it), _) => it.clone(),
            (Target::Person(_) | Target::Nothing, _) => "-".to_owned(),
        };
        let weight = kind.weight().saturating_mul(deed.times);
        let has_room = self.open().count() < OPEN_MAX;
        // What somebody tries belongs to what the guard found of them, with whichever agent.
        let is_same = |it: &&mut Incident| {
            let fits = it.about == about || it.about == "-" || about == "-";
            it.stage != Stage::Closed && it.person == who && fits
        };
        if let Some(known) = self.all.values_mut().find(is_same) {
            self.newest = Some(known.number);
            due.extend(known.again(deed, weight));
            return due;
        }
        let who = if has_room { who } else { EVERYBODY.to_owned() };
        let is_everybodys =
            |it: &&mut Incident| it.stage != Stage::Closed && it.person == EVERYBODY;
        if !has_room && let Some(known) = self.all.values_mut().find(is_everybodys) {
            self.newest = Some(known.number);
            due.extend(known.again(deed, weight));
            return due;
        }
        let (number, at) = (self.next.max(1), deed.at);
        self.next = number + 1;
        self.newest = Some(number);
        let incident = Incident {
            number,
            kind,
            person: who,
            about,
            score: weight,
            count: deed.times,
            since: at,
            last: at,
            stage: Stage::Open,
        };
        due.push(incident.deed(at, Doer::Hall, Action::IncidentOpened));
        self.all.insert(number, incident);
        self.forget_the_oldest();
        due
    }

    /// A deed as a sign, once it was taken in.
    fn sign(&self, deed: &Deed) -> Option<Sign> {
        let kind = Kind::of(deed.action)?;
        let incident = self.all.get(&self.newest?)?;
        let person = match deed.actor {
            Doer::Person(person) => Some(person),
            Doer::Nobody | Doer::Console | Doer::Operator | Doer::Hall => None,
        };
        let agent = match (&deed.target, kind) {
            (Target::Thing(it), Kind::Guard | Kind::Leak | Kind::Budget | Kind::Usage) => {
                it.parse().ok()
            }
            (Target::Thing(_), Kind::Access | Kind::Crash)
            | (Target::Person(_) | Target::Nothing, _) => None,
        };
        let (severity, at, times) = (incident.severity(), deed.at, deed.times);
        Some(Sign { kind, incident: incident.number, severity, person, agent, at, times })
    }

    fn close_the_silent(&mut self, now: Timestamp) -> Vec<Deed> {
        let is_silent = |it: &&mut Incident| {
            let is_low = it.severity() == Severity::Low && it.stage != Stage::Closed;
            is_low && it.last.plus(SILENT_MAX) < now
        };
        let silent = self.all.values_mut().filter(is_silent);
        let close = |it: &mut Incident| {
            it.stage = Stage::Closed;
            it.deed(now, Doer::Hall, Action::IncidentClosed)
        };
        silent.map(close).collect()
    }

    fn forget_the_oldest(&mut self) {
        let closed: Vec<u64> =
            self.all.values().filter(|it| it.stage == Stage::Closed).map(|it| it.number).collect();
        let superfluous = closed.len().saturating_sub(CLOSED_MAX);
        for number in closed.into_iter().take(superfluous) {
            self.all.remove(&number);
        }
    }
}

impl Incident {
    /// It happened again. Written when it has become worse, or has doubled.
    fn again(&mut self, deed: &Deed, weight: u32) -> Option<Deed> {
        let before = (self.severity(), self.count.max(1).ilog2());
        self.score = self.score.saturating_add(weight);
        self.count = self.count.saturating_add(deed.times);
        self.last = self.last.max(deed.at);
        let is_news = before != (self.severity(), self.count.max(1).ilog2());
        is_news.then(|| self.deed(deed.at, Doer::Hall, Action::IncidentSeen))
    }
}

// === The desk: stands before the audit log. ===

/// The audit log with eyes: what is noted in it opens incidents.
pub struct Desk {
    audit: Arc<dyn AuditLog>,
    incidents: Mutex<Incidents>,
    /// What the warden has not looked at yet.
    signs: Mutex<VecDeque<Sign>>,
    is_news: Notify,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk")
    }
}

impl Desk {
    /// A desk before a log, with the incidents that stand in it.
    #[must_use]
    pub fn before(audit: Arc<dyn AuditLog>) -> Self {
        let incidents = Incidents::folded(&audit.incidents());
        let signs = Mutex::new(VecDeque::new());
        Self { audit, incidents: Mutex::new(incidents), signs, is_news: Notify::new() }
    }

    fn held(&self) -> MutexGuard<'_, Incidents> {
        self.incidents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that are at hand.
    #[must_use]
    pub fn all(&self) -> Incidents {
        self.held().clone()
    }

    /// An officer does something about one: noted first, and then so.
    ///
    /// # Errors
    /// If there is none, or it cannot be noted.
    pub async fn handle(
        &self,
        number: u64,
        handling: Handling,
        (actor, at): (Doer, Timestamp),
    ) -> Result<(), HandleError> {
        let (action, stage) = match handling {
            Handling::Acknowledge => (Action::IncidentAcknowledged, Stage::Acknowledged),
            Handling::Close => (Action::IncidentClosed, Stage::Closed),
        };
        let deed = self.held().find(number)?.deed(at, actor, action);
        self.audit.record(deed).await?;
        self.held().set(number, stage);
        Ok(())
    }

    fn look_at(&self, deed: &Deed) {
        let (due, sign) = {
            let mut held = self.held();
            let due = held.take(deed, &|id| self.audit.person(id));
            (due, held.sign(deed))
        };
        due.into_iter().for_each(|it| self.audit.note(it));
        if let Some(sign) = sign {
            let mut signs = self.signs.lock().unwrap_or_else(PoisonError::into_inner);
            if SIGNS_MAX <= signs.len() {
                // lost-ok: the incident counts it, and the next sign tells of it.
                signs.pop_front();
            }
            signs.push_back(sign);
            self.is_news.notify_one();
        }
    }

    /// The signs that the audit log has at hand, the oldest first. Those that wait are among them, and
    /// wait no more.
    pub(crate) fn past_signs(&self) -> Vec<PastSign> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let mut records = self.audit.newest(None, PAST_MAX);
        records.retain(|it| number_of(it).is_none());
        records.extend(self.audit.incidents());
        past::signs(records)
    }

    /// Waits for signs, and gives all that there are.
    pub(crate) async fn signs(&self) -> Vec<Sign> {
        loop {
            let news = self.is_news.notified();
            let signs = {
                let mut signs = self.signs.lock().unwrap_or_else(PoisonError::into_inner);
                Vec::from(std::mem::take(&mut *signs))
            };
            if !signs.is_empty() {
                return signs;
            }
            news.await;
        }
    }
}

#[async_trait]
impl AuditLog for Desk {
    async fn record(&self, deed: Deed) -> Result<(), RecordError> {
        self.audit.record(deed.clone()).await?;
        if deed.outcome != Outcome::Done {
            self.look_at(&deed);
        }
        Ok(())
    }

    fn note(&self, deed: Deed) {
        self.audit.note(deed.clone());
        self.look_at(&deed);
    }

    fn newest(&self, before: Option<u64>, count: usize) -> Vec<Record> {
        self.audit.newest(before, count)
    }

    fn incidents(&self) -> Vec<Record> {
        self.audit.incidents()
    }

    fn person(&self, id: i64) -> String {
        self.audit.person(id)
    }
}

#[cfg(test)]
mod tests {
    use protocol::PersonId;

    use super::*;
    use crate::testing::FakeAudit;

    const DAY_MS: u64 = 86_400_000;

    fn deed(person: i64, action: Action, thing: &str, at: u64) -> Deed {
        let actor = if person == 0 { Doer::Hall } else { Doer::Person(PersonId(person)) };
        let target = Target::Thing(thing.to_owned());
        Deed::done(Timestamp(at), actor, action, target).with(Outcome::Denied)
    }

    fn told(incidents: &mut Incidents, deed: &Deed) -> Vec<&'static str> {
        let due = incidents.take(deed, &|id| format!("person:{id}"));
        due.iter().map(|it| it.action.word()).collect()
    }

    #[test]
    fn incident_1_what_is_of_one_person_and_agent_is_one_incident() {
        let mut incidents = Incidents::default();
        for (what, expected) in [
            (deed(7, Action::GuardRefused, "sage", 1), vec!["incident.opened"]),
            (deed(7, Action::CommandDenied, "spawn", 2), vec!["incident.seen"]),
            (deed(7, Action::GuardRefused, "coder", 3), vec!["incident.opened"]),
            (deed(8, Action::CommandDenied, "spawn", 4), vec!["incident.opened"]),
            (deed(0, Action::ActorFailed, "broker", 5), vec!["incident.opened"]),
            (deed(7, Action::AgentPaused, "sage", 6), vec![]),
        ] {
            assert_eq!(told(&mut incidents, &what), expected, "{what:?}");
        }
        let severities: Vec<_> = incidents.newest_first().map(Incident::severity).collect();
        use Severity::{Low, Medium};
        assert_eq!(severities, [Medium, Low, Low, Low]);
    }

    #[test]
    fn incident_2_a_thousand_of_a_kind_take_a_few_records_and_become_worse() {
        let mut incidents = Incidents::default();
        let written: usize = (0..1_000)
            .map(|at| told(&mut incidents, &deed(7, Action::GuardRefused, "sage", at)).len())
            .sum();
        assert!(written <= 13, "{written}");
        let only = incidents.newest_first().next().unwrap();
        assert_eq!((only.count, only.severity()), (1_000, Severity::High));
        let mut others = Incidents::default();
        for person in 1..1_000 {
            told(&mut others, &deed(person, Action::CommandDenied, "spawn", 1));
        }
        assert_eq!(others.open().count(), OPEN_MAX + 1, "the rest is everybody's");
    }

    #[test]
    fn a_low_one_closes_by_itself_after_a_silent_day_and_a_bad_one_stays() {
        let mut incidents = Incidents::default();
        told(&mut incidents, &deed(7, Action::GuardRefused, "sage", 0));
        told(&mut incidents, &deed(0, Action::ActorFailed, "broker", 0));
        let late = deed(8, Action::GuardRefused, "sage", 2 * DAY_MS);
        assert_eq!(told(&mut incidents, &late), ["incident.closed", "incident.opened"]);
        let stages: Vec<_> = incidents.newest_first().map(|it| it.stage).collect();
        assert_eq!(stages, [Stage::Open, Stage::Open, Stage::Closed]);
    }

    #[tokio::test]
    async fn an_incident_lives_through_a_restart_and_is_closed_once() {
        let audit = Arc::<FakeAudit>::default();
        let desk = Desk::before(Arc::clone(&audit) as _);
        for at in 1..=6 {
            desk.note(deed(7, Action::CommandDenied, "spawn", at));
        }
        let by = (Doer::Operator, Timestamp(9));
        desk.handle(1, Handling::Acknowledge, by).await.unwrap();
        let after = Desk::before(Arc::clone(&audit) as _);
        let found = after.all();
        let only = found.newest_first().next().unwrap();
        assert_eq!((only.number, only.stage, only.since), (1, Stage::Acknowledged, Timestamp(1)));
        assert_eq!((only.kind, only.person.as_str()), (Kind::Access, "person:7"));
        assert_eq!(only.severity(), Severity::Medium);
        after.handle(1, Handling::Close, by).await.unwrap();
        let again = after.handle(1, Handling::Close, by).await;
        assert_eq!(again, Err(HandleError::NoSuchIncident(1)));
        after.note(deed(7, Action::CommandDenied, "spawn", 20));
        let numbers: Vec<_> = after.all().newest_first().map(|it| it.number).collect();
        assert_eq!(numbers, [2, 1], "what is closed stays closed");
        audit.fails.store(true, std::sync::atomic::Ordering::Relaxed);
        let refused = after.handle(2, Handling::Close, by).await;
        assert_eq!(refused, Err(HandleError::NotNoted(RecordError::Unavailable)));
        assert_eq!(after.all().open().count(), 1);
    }
}
