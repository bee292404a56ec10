//! Carries playbooks out: what the hall does by itself when an incident is as bad as a playbook says.
//!
//! Receives  signs of trouble, from the incidents' desk; looks at the time itself.
//! Sends     changes, to the roster, one at a time; alerts with buttons, to the alerter.
//! Owns      nothing durable: what happened stands in the hall's stream, which the roster writes; here
//!           are the signs that were counted and are not enough yet.
//! On crash  nothing that was begun is lost: each run goes on at the step that was not taken yet. Signs
//!           that were not enough yet outlive the actor; after a start they are counted from the audit
//!           log.
//!
//! Taking a step and its effect are one entry of the stream, in the audit log before it is made: no crash
//! comes between them, and what comes twice changes nothing. An officer's undo goes past this actor.
//!
//! The wall clock is read once, at the start; from then on time goes on steadily.
//!
//! Invariants: PLAYBOOK-2 what has an end is over by then, across restarts and whatever the clock does,
//! and no step lasts longer than it says after a start. PLAYBOOK-4 no step is in effect that is not
//! durable and in the audit log. PLAYBOOK-1, 3 and 5 are kept by `playbook` and the roster.

mod evidence;
mod recount;
mod step;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kit::{Actor, Cx, Fault, Mailbox, ask};
use protocol::{Clock, Language, PersonId, Timestamp, audit::AuditLog as _, ledger::Ledger};
use tokio::time::Instant;
use tracing::{info, warn};

pub use self::step::Counts;
use self::step::{Core, Effect, Facts, Input, Refused};
use crate::{
    alerter::{self, Alert, Severity, book::PLAYBOOK},
    fault::fault_point,
    incident::Desk as Incidents,
    playbook::{Found, Measure, Playbook, Run, RunChange, Spared},
    right::Order,
    roster::{self, AdministerError, Shared},
    treasurer::Desk as Treasury,
    words,
};

/// How often it is looked what is over.
const TICK: Duration = Duration::from_secs(1);
/// How long looking something up may take.
const LOOK_TIME_MAX: Duration = Duration::from_secs(60);

/// What a warden needs from others.
#[derive(Clone)]
pub struct Needs {
    /// Tells of incidents.
    pub incidents: Arc<Incidents>,
    /// Makes changes.
    pub roster: Mailbox<roster::Msg>,
    /// Tells the officers.
    pub alerter: Mailbox<alerter::Msg>,
    /// The state of the hall.
    pub hall: Shared,
    /// Knows what is usual.
    pub treasury: Treasury,
    /// For what people did.
    pub ledger: Arc<dyn Ledger>,
    /// Read once, at the start.
    pub clock: Arc<dyn Clock>,
    /// Signs that are not enough yet, which outlive an incarnation.
    pub counts: Arc<Mutex<Counts>>,
    /// What a person is called where officers read it.
    pub pseudonym: Arc<dyn Fn(PersonId) -> String + Send + Sync>,
}

/// What a warden can be told: nothing; it looks for itself.
#[derive(Debug)]
pub enum Msg {}

/// A supervised warden.
pub struct Warden {
    needs: Needs,
    core: Core,
    /// Playbooks of which officers are to hear when nothing is in force any more.
    held: BTreeSet<String>,
    born: Instant,
    start: Timestamp,
}

impl fmt::Debug for Warden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warden").field("core", &self.core).finish_non_exhaustive()
    }
}

impl Warden {
    /// The factory given to the supervisor: runs go on where the hall's stream says.
    #[must_use]
    pub fn incarnate(playbooks: Arc<[Playbook]>, needs: Needs) -> Self {
        let start = needs.clock.now();
        let runs = needs.hall.load();
        let held = runs.runs().each().map(|it| it.beginning.playbook.clone()).collect();
        Self { needs, core: Core::new(playbooks), held, born: Instant::now(), start }
    }

    fn now(&self) -> Timestamp {
        self.start.plus(self.born.elapsed())
    }

    fn wait_for_signs(&self, cx: &mut Cx<'_, Self>) {
        let incidents = Arc::clone(&self.needs.incidents);
        let work = async move { incidents.signs().await };
        cx.when(work, |warden, signs, cx| {
            fault_point("warden");
            for sign in signs {
                // PLAYBOOK-3: what officers do is not counted either.
                let hall = warden.needs.hall.load();
                let is_officers = sign.person.is_some_and(|it| hall.role(it).is_some());
                if let Some(person) = sign.person {
                    warden.know(person);
                }
                if !is_officers {
                    warden.step(Input::Seen(sign), cx);
                }
            }
            warden.wait_for_signs(cx);
            Ok(())
        });
    }

    /// Whose signs of before the start are whose.
    fn know(&self, person: PersonId) {
        let name = self.needs.incidents.person(person.0);
        let mut counts = self.needs.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.know(person, &name);
    }

    fn tick(&self, cx: &mut Cx<'_, Self>) {
        cx.after(TICK, |warden, cx| {
            let usual = warden.usual();
            warden.step(Input::Passed(usual), cx);
            warden.tell_what_is_over();
            warden.tick(cx);
            Ok(())
        });
    }

    /// The runs whose people use no more than is usual.
    fn usual(&self) -> BTreeSet<u64> {
        let hall = self.needs.hall.load();
        let waits = |run: &&Arc<Run>| run.in_force().any(|(_, it, _)| it.ends_when_usual());
        let is_usual = |run: &&Arc<Run>| {
            let mut people = run.beginning.people.iter();
            people.all(|it| self.needs.treasury.unusual(*it).is_none())
        };
        hall.runs().open().filter(waits).filter(is_usual).map(|it| it.number()).collect()
    }

    fn step(&mut self, input: Input, cx: &mut Cx<'_, Self>) {
        let (hall, now) = (self.needs.hall.load_full(), self.now());
        let facts = Facts { runs: hall.runs(), is_open_to_all: hall.is_open_to_all() };
        let effects = {
            let mut counts = self.needs.counts.lock().unwrap_or_else(PoisonError::into_inner);
            self.core.step(input, (facts, &mut counts), now)
        };
        for effect in effects {
            match effect {
                Effect::Order(change) => self.order(change, cx),
                Effect::Look { run, measure } => self.look(run, &measure, cx),
                Effect::Tell(run) => self.tell(run),
            }
        }
    }

    fn order(&self, change: RunChange, cx: &mut Cx<'_, Self>) {
        let roster = self.needs.roster.clone();
        info!(
            event.action = "playbook",
            labels.run = change.run(),
            labels.change = change.word(),
            "a playbook goes on"
        );
        let work = async move {
            let order = Order::by_playbook(change).ok_or(AdministerError::NotAllowed)?;
            let asked = ask(&roster, |reply| roster::Msg::Administer { order, reply }).await;
            asked.unwrap_or(Err(AdministerError::NotStored))
        };
        cx.when(work, |warden, done, cx| {
            fault_point("warden_ordered");
            warden.step(Input::Settled(done.map_err(|error| refused(&error))), cx);
            Ok(())
        });
    }

    fn look(&self, run: u64, measure: &Measure, cx: &mut Cx<'_, Self>) {
        let hall = self.needs.hall.load();
        let people = hall.runs().get(run).map(|it| it.beginning.people.clone());
        let people = people.unwrap_or_default();
        let since = |within: Duration| {
            let within = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
            Timestamp(self.needs.clock.now().0.saturating_sub(within))
        };
        let (what, within) = match measure {
            Measure::Gather { within } => (Look::Gather, *within),
            Measure::ListTouched { within } => (Look::Touched, *within),
            Measure::ProposeRule => (Look::Rule, Duration::from_hours(24)),
            Measure::Compare
            | Measure::Block { .. }
            | Measure::Pause { .. }
            | Measure::Slow { .. }
            | Measure::Tighten { .. } => {
                let found = self.compared(&people);
                let work = std::future::ready(found);
                return cx_looked(cx, work);
            }
        };
        let (ledger, since) = (Arc::clone(&self.needs.ledger), since(within));
        let pseudonym = Arc::clone(&self.needs.pseudonym);
        let work = async move {
            let read = evidence::doings(&ledger, &people, since);
            let read = tokio::time::timeout(LOOK_TIME_MAX, read).await;
            let doings = match read {
                Ok(Ok(doings)) => doings,
                Ok(Err(error)) => {
                    warn!(
                        error.message = %error, event.action = "playbook",
                        "what somebody did cannot be read; it is tried again"
                    );
                    return None;
                }
                Err(_late) => return None,
            };
            Some(match what {
                Look::Gather => doings.gathered(),
                Look::Touched => doings.touched(&*pseudonym),
                Look::Rule => doings.proposed(run),
            })
        };
        cx_looked(cx, work);
    }

    /// What people use, and what is usual.
    fn compared(&self, people: &[PersonId]) -> Option<Found> {
        let figures = people.iter().map(|it| self.needs.treasury.habit(*it));
        let words: Vec<String> = figures
            .map(|(used, usual)| format!("{used} tokens this hour, usual {usual}"))
            .collect();
        Some(Found { words: words.join("; "), ..Found::default() })
    }

    /// Says of which playbooks nothing is in force any more.
    fn tell_what_is_over(&mut self) {
        let hall = self.needs.hall.load();
        let is_open = |name: &String| hall.runs().open().any(|it| it.beginning.playbook == *name);
        let alerter = &self.needs.alerter;
        self.held.retain(|name| {
            // One that could not be said is said at the next look.
            is_open(name) || alerter.try_tell(alerter::Msg::Settled(kind(name))).is_err()
        });
    }

    /// Tells the officers, with buttons: see `words`.
    fn tell(&mut self, run: u64) {
        let hall = self.needs.hall.load();
        let Some(run) = hall.runs().get(run) else { return };
        let is_grave = run.in_force().any(|(_, it, _)| matches!(it, Measure::Pause { .. }));
        let labels = words::playbooks::labels(run);
        let alert = Alert {
            kind: kind(&run.beginning.playbook),
            labels: labels.into_iter().collect::<BTreeMap<_, _>>(),
            severity: if is_grave { Severity::Critical } else { Severity::Warning },
            // Mail and webhooks are told in English; a chat says it in its own language.
            summary: words::playbooks::summary(run, &*self.needs.pseudonym)
                .in_language(Language::English),
            // What is only found is not in force, and nobody says when it is over.
            is_held: !run.is_over(),
        };
        if alert.is_held {
            self.held.insert(run.beginning.playbook.clone());
        }
        if self.needs.alerter.try_tell(alerter::Msg::Raise(alert)).is_err() {
            // lost-ok: it is told again after the next start, as the run says that it was not.
            warn!(event.action = "playbook", "the officers could not be told of a playbook");
        }
    }
}

/// What the alerts of a playbook are called: each its own, so that none waits for another.
fn kind(playbook: &str) -> String {
    format!("{PLAYBOOK}{playbook}")
}

/// What is looked for in the ledger.
#[derive(Clone, Copy)]
enum Look {
    Gather,
    Touched,
    Rule,
}

fn cx_looked(cx: &mut Cx<'_, Warden>, work: impl Future<Output = Option<Found>> + 'static) {
    cx.when(work, |warden, found, cx| {
        fault_point("warden_looked");
        warden.step(Input::Looked(found), cx);
        Ok(())
    });
}

fn refused(error: &AdministerError) -> Refused {
    match error {
        AdministerError::NotStored => Refused::NotStored,
        AdministerError::Settled => Refused::Settled,
        AdministerError::OfficersSpared | AdministerError::IsAdmin => {
            Refused::Never(Spared::Officers)
        }
        AdministerError::SoAlready => Refused::Never(Spared::SoAlready),
        AdministerError::NoSuchAgent(_) => Refused::Never(Spared::Gone),
        AdministerError::Taken(_)
        | AdministerError::NoSuchModel { .. }
        | AdministerError::TooMany(_)
        | AdministerError::BadInstructions(_)
        | AdministerError::NotAllowed
        | AdministerError::RoleIsFixed
        | AdministerError::NoRole
        | AdministerError::NoPerson
        | AdministerError::TooManyRoles(_)
        | AdministerError::RuleTaken(_)
        | AdministerError::NoSuchRule(_)
        | AdministerError::TooManyRules(_)
        | AdministerError::BadRule(_)
        | AdministerError::AlarmKnown(_)
        | AdministerError::NoSuchAside(_)
        | AdministerError::NoSuchAlarm(_)
        | AdministerError::TooManyAlarms(_)
        | AdministerError::TooManyQuotas(_)
        | AdministerError::InviteGone
        | AdministerError::TooManyInvites(_)
        | AdministerError::HasBot(_)
        | AdministerError::TooManyBots(_)
        | AdministerError::NothingHeldBack => Refused::Never(Spared::Refused),
    }
}

impl Actor for Warden {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.wait_for_signs(cx);
        self.step(Input::Passed(BTreeSet::new()), cx);
        self.tick(cx);
        Ok(())
    }

    fn handle(&mut self, msg: Msg, _: &mut Cx<'_, Self>) -> Result<(), Fault> {
        match msg {}
    }
}
