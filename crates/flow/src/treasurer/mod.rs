//! Knows what was used of models and by whom, and lets nobody use more than they may.
//!
//! Receives  questions at its [`Desk`], from the broker, sessions and the console; `Forget`, from
//!           the keeper.
//! Sends     what changed, to memory, in one append now and then; alerts, to the alerter; what is not
//!           as usual, to the audit log, where it opens incidents.
//! Owns      the treasury's stream in the ledger. The accounts lie at the desk, so that a call waits
//!           for no message.
//! On crash  of the actor nothing is lost: the accounts are at the desk, and are written again. Of
//!           the process: what was written ahead and not used counts as used, and answers that are
//!           in no balance are made up from what the conversations recorded.
//!
//! Invariants: see `books` and `time`. TREASURER-5 nobody is forgotten while a balance with their
//! account is on its way to the ledger.

pub mod books;
pub mod caps;
mod desk;
pub mod habit;
pub mod rows;
mod statement;
#[cfg(test)]
mod tests;
pub mod time;

use std::{sync::Arc, time::Duration};

use kit::{Actor, Cx, Fault, Mailbox, Pending, TellError, ask};
use protocol::{
    Clock, PersonId, SessionKey,
    audit::{Action, AuditLog, Deed, Doer, Outcome, Target},
    event::{Course, Event},
    hearing::Paid,
    ledger::{Append, Ledger, LedgerError, Loaded, Owned, PastFrom, Seq, Stream},
    model::Usage,
};
use tokio::sync::{Notify, oneshot};
use tracing::{info, warn};

use self::{
    books::{Crossed, Payer, Sums},
    caps::{Period, Whose},
    rows::{Head, Row},
    time::Day,
};
pub use self::{
    desk::{Desk, Deviating, Deviation, OverCap, Purse, Ticket, Warning},
    statement::{AccountStatement, PeriodStatement, Statement},
};
use crate::{
    alerter::{self, Severity},
    fault::fault_point,
    memory,
};

/// How long a change may wait that nobody waits for.
const WRITE_EVERY: Duration = Duration::from_secs(10);
/// After so many rounds the time is written down though nothing changed, so that a start has little
/// of the past to look through and can trust the clock.
const TIME_EVERY: u32 = 60;
/// Appends after which the accounts are stored anew, so that loading stays short.
const SNAPSHOT_EVERY: u64 = 128;
/// The pause after a write that failed.
const PAUSE: Duration = Duration::from_millis(250);

/// What a treasurer can be told.
#[derive(Debug)]
pub enum Msg {
    /// This person is about to be forgotten. Answered when nothing of theirs is here or on its way.
    Forget(PersonId, oneshot::Sender<()>),
}

/// What it needs.
#[derive(Clone)]
pub struct Needs {
    /// The way to the ledger.
    pub memory: Mailbox<memory::Msg>,
    /// For what conversations recorded.
    pub ledger: Arc<dyn Ledger>,
    /// Tells the operators.
    pub alerter: Mailbox<alerter::Msg>,
    /// Notes what is not as usual.
    pub audit: Arc<dyn AuditLog>,
    /// For the time of it.
    pub clock: Arc<dyn Clock>,
    /// Where the accounts are.
    pub desk: Desk,
    /// Notified once the accounts are read.
    pub ready: Arc<Notify>,
}

impl std::fmt::Debug for Needs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Needs").finish_non_exhaustive()
    }
}

/// A supervised treasurer.
#[derive(Debug)]
pub struct Treasurer {
    needs: Needs,
    /// `None` until the stream is read.
    at: Option<Seq>,
    appends: u64,
    writing: bool,
    stopping: bool,
    timer: Option<Pending>,
    idle_rounds: u32,
    /// No balance is on disk: what would be made up after a crash is counted from the first on.
    is_new: bool,
    /// The day on which all accounts were stored anew: appends may expire.
    stored: Day,
    /// Those who are to be forgotten once the write under way is over.
    forgetting: Vec<oneshot::Sender<()>>,
}

impl Treasurer {
    /// The factory given to the supervisor: `started` reads the stream.
    #[must_use]
    pub fn incarnate(needs: Needs) -> Self {
        let (at, timer, forgetting, stored) = (None, None, Vec::new(), Day::default());
        let (appends, writing, stopping, idle_rounds, is_new) = (0, false, false, 0, false);
        Self {
            needs,
            at,
            appends,
            writing,
            stopping,
            timer,
            idle_rounds,
            is_new,
            stored,
            forgetting,
        }
    }

    // --- opening ---

    fn load(&self, cx: &mut Cx<'_, Self>) {
        let (memory, ledger) = (self.needs.memory.clone(), Arc::clone(&self.needs.ledger));
        let desk = self.needs.desk.clone();
        let work = async move {
            let loaded = ask(&memory, |reply| memory::Msg::Load(Stream::Treasury, reply)).await;
            let loaded = loaded.map_err(|error| Fault::new("the memory is away", error))?;
            let unread = |error| Fault::new("the treasury's stream cannot be read", error);
            let loaded = loaded.map_err(unread)?;
            if desk.is_open() {
                // A new incarnation: the accounts are at the desk.
                return Ok(loaded.at);
            }
            let at = loaded.at;
            open(&desk, &*ledger, loaded).await?;
            Ok(at)
        };
        cx.when(work, |treasurer, opened: Result<Seq, Fault>, cx| {
            let at = opened?;
            treasurer.at = Some(at);
            treasurer.is_new = at == Seq::default();
            // An earlier incarnation may have left something half written.
            treasurer.needs.desk.not_written();
            treasurer.needs.ready.notify_one();
            treasurer.write(cx)
        });
    }

    // --- writing ---

    /// Writes what changed, unless something is being written.
    fn write(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.note_deviations();
        self.tell_crossed();
        let Some(expected) = self.at.filter(|_| !self.writing) else { return Ok(()) };
        let is_last = self.stopping;
        self.idle_rounds += 1;
        let is_due = self.is_new || TIME_EVERY <= self.idle_rounds;
        let day = self.needs.desk.day();
        let whole = self.stored != day || self.appends % SNAPSHOT_EVERY == SNAPSHOT_EVERY - 1;
        let Some(drawn) = self.needs.desk.draw_up(is_last, is_due, whole) else {
            return self.wait(cx);
        };
        self.idle_rounds = 0;
        self.is_new = false;
        self.stored = day;
        self.writing = true;
        let memory = self.needs.memory.clone();
        let work = async move {
            let (stream, closes) = (Stream::Treasury, Vec::new());
            let events = in_pieces(drawn.head, drawn.rows).await?;
            let append = Append { stream, expected, events, closes };
            let written = ask(&memory, |reply| memory::Msg::Append(append, reply)).await;
            if let (Ok(Ok(at)), Some(whole)) = (&written, drawn.whole) {
                let (at, state) = (*at, in_pieces(drawn.head, whole).await?);
                let stored = ask(&memory, |reply| memory::Msg::Snapshot(stream, at, state, reply));
                if !matches!(stored.await, Ok(Ok(()))) {
                    info!(event.action = "snapshot_skipped", "the accounts were not stored anew");
                }
            }
            Ok(written)
        };
        cx.when(work, |treasurer, written, cx| {
            treasurer.writing = false;
            fault_point("treasurer");
            treasurer.was_written(written?, cx)
        });
        Ok(())
    }

    fn was_written(
        &mut self,
        written: Result<Result<Seq, LedgerError>, TellError>,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        for waits in self.forgetting.drain(..) {
            // lost-ok: whoever waits has given up.
            waits.send(()).ok();
        }
        match written {
            Ok(Ok(at)) => {
                self.at = Some(at);
                self.appends += 1;
                self.needs.desk.written();
                self.wait(cx)
            }
            Ok(Err(error @ LedgerError::Conflict { .. })) => {
                self.needs.desk.not_written();
                Err(Fault::new("someone else wrote to the treasury's stream", error))
            }
            Ok(Err(LedgerError::Unavailable(_) | LedgerError::Damaged { .. })) | Err(_) => {
                self.needs.desk.not_written();
                // It may have been written all the same: the stream says where it is.
                self.at = None;
                if self.stopping {
                    cx.stop();
                    return Ok(());
                }
                cx.after(PAUSE, |treasurer, cx| {
                    treasurer.load(cx);
                    Ok(())
                });
                Ok(())
            }
        }
    }

    /// Waits until somebody needs a write, or it is time for one.
    fn wait(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        if self.stopping {
            match self.needs.desk.has_changed() {
                true => return self.write(cx),
                false => cx.stop(),
            }
            return Ok(());
        }
        if self.needs.desk.is_urgent() {
            return self.write(cx);
        }
        if let Some(timer) = self.timer.take() {
            cx.cancel(timer);
        }
        let desk = self.needs.desk.clone();
        let called = async move {
            tokio::select! {
                () = desk.called() => (),
                () = tokio::time::sleep(WRITE_EVERY) => (),
            }
        };
        self.timer = Some(cx.when(called, |treasurer, (), cx| {
            treasurer.timer = None;
            treasurer.write(cx)
        }));
        Ok(())
    }

    /// Notes what is not as usual: that opens incidents. Figures only.
    fn note_deviations(&self) {
        for Deviation { whose, agent, what } in self.needs.desk.deviations() {
            let actor = match whose {
                Whose::Person(person) => Doer::Person(person),
                Whose::Chat(_) | Whose::Agent(_) | Whose::Hall => Doer::Hall,
            };
            let (action, about) = match what {
                Deviating::Crossed { period, is_over } => {
                    let how = if is_over { "used up" } else { "nearly used up" };
                    (Action::BudgetCrossed, format!("{how}, {}", period.word()))
                }
                Deviating::Unusual(it) => {
                    let about = format!("{} tokens this hour, usual {}", it.used, it.usual);
                    (Action::UsageUnusual, about)
                }
            };
            let target = Target::Thing(agent.as_str().to_owned());
            let deed = Deed::done(self.needs.clock.now(), actor, action, target);
            self.needs.audit.note(deed.with(Outcome::Denied).about(about));
        }
    }

    /// Tells the operators of what crossed a line at an agent or the hall.
    fn tell_crossed(&self) {
        for Crossed { whose, period, is_over } in self.needs.desk.crossed_of_halls() {
            let who = match &whose {
                Whose::Agent(name) => format!("The agent {name}"),
                Whose::Hall => "The hall".to_owned(),
                Whose::Person(_) | Whose::Chat(_) => continue,
            };
            let span = match period {
                Period::Day => "day",
                Period::Month => "month",
            };
            let percent = self.needs.desk.warn_percent();
            let (kind, text) = match is_over {
                true => (
                    "budget_used_up",
                    format!("{who} has used up what it may this {span}. Questions are refused."),
                ),
                false => (
                    "budget_nearly_used_up",
                    format!("{who} has used {percent} % of what it may this {span}."),
                ),
            };
            warn!(event.action = kind, labels.period = span, "a budget crossed a line");
            let raise = alerter::Msg::raise(kind, Severity::Warning, text);
            // lost-ok: the log says it too.
            self.needs.alerter.try_tell(raise).ok();
        }
    }
}

/// More rows than this are put into words on a thread where that holds up nobody.
const ROWS_AT_ONCE: usize = 256;

async fn in_pieces(head: Head, rows: Vec<Row>) -> Result<Vec<Owned>, Fault> {
    let pieces = if rows.len() <= ROWS_AT_ONCE {
        rows::pieces(head, rows)
    } else {
        let work = tokio::task::spawn_blocking(move || rows::pieces(head, rows));
        work.await.map_err(|error| Fault::new("a balance was not put into words", error))?
    };
    pieces.map_err(|error| Fault::new("a balance cannot be written as JSON", error))
}

/// Reads the accounts, and makes up answers that no balance has.
async fn open(desk: &Desk, ledger: &dyn Ledger, loaded: Loaded) -> Result<(), Fault> {
    let unread = |error| Fault::new("the treasury's stream cannot be read", error);
    let pieces = loaded.snapshot.iter().flatten().chain(&loaded.events);
    let (head, rows) = rows::read(pieces).map_err(unread)?;
    desk.read(rows);
    let missing = missing(ledger, head).await;
    let missing = missing.map_err(|error| Fault::new("the past cannot be read", error))?;
    if !missing.is_empty() {
        let answers = missing.len();
        info!(
            labels.answers = answers,
            event.action = "balance_made_up",
            "answers that were in no balance were added"
        );
    }
    desk.open(head, &missing);
    Ok(())
}

/// What was used and no balance on disk has.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    payer: Payer,
    agent: protocol::AgentName,
    sums: Sums,
    /// The balance that was to have it.
    booked: u64,
    at: protocol::Timestamp,
}

/// Looks through what conversations recorded since the newest balance.
async fn missing(ledger: &dyn Ledger, head: Head) -> Result<Vec<Missing>, LedgerError> {
    let mut missing = Vec::new();
    if head.balance == 0 {
        // A hall that never kept accounts has nothing with a number.
        return Ok(missing);
    }
    let mut from = PastFrom::Time(head.at);
    loop {
        let page = ledger.past(from).await?;
        for (key, events) in page.events {
            // What cannot be read here is told by whoever needs it.
            let events: Vec<Event> = serde_json::from_slice(&events).unwrap_or_default();
            let answers = answers(key, &events).into_iter();
            missing.extend(answers.filter(|it| head.balance < it.booked));
        }
        match page.next {
            Some(next) => from = PastFrom::Bookmark(next),
            None => return Ok(missing),
        }
    }
}

/// What was used according to an append, with who asked: that stands in the same append.
fn answers(key: SessionKey, events: &[Event]) -> Vec<Missing> {
    let mut course = Course::default();
    for event in events {
        if let Event::CourseNoted { course: noted, .. } = event {
            course = noted.clone();
        }
    }
    let at = course.arrived.plus(Duration::from_millis(course.ready_ms));
    let payer = Payer { person: course.asker, chat: key.chat };
    let mut answers = Vec::new();
    let mut answer = |agent: &protocol::AgentName, usage: &Usage| {
        let (agent, sums, booked) = (agent.clone(), usage.into(), usage.booked);
        answers.push(Missing { payer, agent, sums, booked, at });
    };
    for event in events {
        if let Event::DraftReceived { usage, .. } = event
            && let Some(agent) = &course.agent
        {
            answer(agent, usage);
        }
        if let Event::SummaryWritten { agent, usage, .. } = event {
            answer(agent, usage);
        }
    }
    // What was heard is recorded before anything is made of it.
    for event in events {
        if let Event::RecordingHeard { paid: Some(paid), .. } = event {
            let Paid { agent, person, at, toll } = paid;
            let payer = Payer { person: *person, chat: key.chat };
            let (agent, sums, booked) = (agent.clone(), toll.into(), toll.booked);
            answers.push(Missing { payer, agent, sums, booked, at: *at });
        }
    }
    answers
}

impl Actor for Treasurer {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.load(cx);
        Ok(())
    }

    fn handle(&mut self, msg: Msg, _: &mut Cx<'_, Self>) -> Result<(), Fault> {
        match msg {
            Msg::Forget(person, gone) => {
                self.needs.desk.forget(person);
                if self.writing {
                    // TREASURER-5.
                    self.forgetting.push(gone);
                } else {
                    // lost-ok: whoever waits has given up.
                    gone.send(()).ok();
                }
            }
        }
        Ok(())
    }

    fn may_stop(&mut self, cx: &mut Cx<'_, Self>) -> bool {
        self.stopping = true;
        if self.at.is_none() {
            return true;
        }
        // Everything that is known, with nothing ahead of it. A fault here ends it, too.
        self.needs.desk.put_to_rest();
        !self.writing && self.write(cx).is_err()
    }
}
