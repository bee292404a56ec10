//! Knows what is to be done when, and puts it into the inboxes of conversations once its time has come.
//!
//! Receives  `Obey`, from sessions; `Forget`, from the keeper; everything else it asked for itself.
//! Sends     entries of inboxes, and what changed, to memory; doorbells, to the keeper.
//! Owns      the timetable's stream in the ledger.
//! On crash  nothing is lost: the table is folded from the stream. A run that was recorded and not yet
//!           noted is recorded again under the same id, which the ledger knows.
//!
//! Time is the hall's: a clock that leaps ahead is believed after an hour, and none goes back.
//!
//! Invariants: see `table`. TIMEKEEPER-4 a run is noted only after it is in its inbox, so a crash
//! between the two repeats the first and loses neither.

pub mod cron;
mod lexicon;
pub mod table;
#[cfg(test)]
mod tests;
pub mod when;

use std::{cell::OnceCell, collections::VecDeque, rc::Rc, sync::Arc, time::Duration};

use kit::{Actor, Cx, Fault, Mailbox, Pending, ask};
use protocol::{
    Clock, PersonId, SessionKey, Timestamp, UpdateId,
    ledger::{Append, LedgerError, Loaded, Seq, Stream},
};
use tokio::{sync::oneshot, time::Instant};
use tracing::{info, warn};

use self::table::{Change, Run, Table};
pub use self::table::{Line, Order, Said, TimekeeperConfig};
use crate::{fault::fault_point, keeper, memory, treasurer::time::HallTime};

/// Runs that are recorded in one write.
const RUNS_MAX: usize = 32;
/// Orders that wait.
const ORDERS_MAX: usize = 1_024;
/// How long it waits at most before it looks at the clock again.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// The pause after a write that failed.
const PAUSE: Duration = Duration::from_millis(500);
/// Appends after which the table is stored anew, and the time after which it is if there were any.
const SAVE_AFTER: u64 = 64;
const SAVE_EVERY: Duration = Duration::from_secs(3_600);

/// What a timekeeper can be told.
#[derive(Debug)]
pub enum Msg {
    /// Carry out an order.
    Obey {
        /// What.
        order: Order,
        /// The update that asks for it.
        from: (SessionKey, UpdateId),
        /// The way back; told once it is durable.
        reply: oneshot::Sender<Said>,
    },
    /// This person is about to be forgotten. Answered when nothing of theirs is here or on its way.
    Forget(PersonId, oneshot::Sender<()>),
}

/// What it needs.
#[derive(Clone)]
pub struct Needs {
    /// The way to the ledger.
    pub memory: Mailbox<memory::Msg>,
    /// Rings for conversations; set once it stands.
    pub keeper: Rc<OnceCell<Mailbox<keeper::Msg>>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Needs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Needs").finish_non_exhaustive()
    }
}

struct Asked {
    order: Order,
    from: (SessionKey, UpdateId),
    reply: oneshot::Sender<Said>,
}

/// A supervised timekeeper.
pub struct Timekeeper {
    config: TimekeeperConfig,
    needs: Needs,
    /// `None` until the stream is folded.
    table: Option<Table>,
    at: Seq,
    /// Appends that no stored table has.
    unsaved: u64,
    saved: Option<Instant>,
    /// Something is being written.
    busy: bool,
    stopping: bool,
    time: HallTime,
    born: Instant,
    orders: VecDeque<Asked>,
    /// Those who are to be forgotten once the write under way is over.
    forgetting: Vec<(PersonId, oneshot::Sender<()>)>,
    timer: Option<Pending>,
}

impl std::fmt::Debug for Timekeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timekeeper").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Timekeeper {
    /// The factory given to the supervisor: `started` folds the stream.
    #[must_use]
    pub fn incarnate(config: TimekeeperConfig, needs: Needs) -> Self {
        let time = HallTime::begin(needs.clock.now(), Duration::ZERO);
        Self {
            config,
            needs,
            table: None,
            at: Seq::default(),
            unsaved: 0,
            saved: None,
            busy: false,
            stopping: false,
            time,
            born: Instant::now(),
            orders: VecDeque::new(),
            forgetting: Vec::new(),
            timer: None,
        }
    }

    fn now(&mut self) -> Timestamp {
        self.time.look(self.needs.clock.now(), self.born.elapsed(), true)
    }

    // --- opening ---

    fn load(&mut self, cx: &mut Cx<'_, Self>) {
        self.table = None;
        let memory = self.needs.memory.clone();
        let work =
            async move { ask(&memory, |reply| memory::Msg::Load(Stream::Timetable, reply)).await };
        cx.when(work, |timekeeper, loaded, cx| match loaded {
            Ok(Ok(loaded)) => timekeeper.fold(&loaded, cx),
            Ok(Err(error @ LedgerError::Damaged { .. })) => {
                Err(Fault::new("the timetable's stream is damaged", error))
            }
            Ok(Err(LedgerError::Unavailable(_) | LedgerError::Conflict { .. })) | Err(_) => {
                timekeeper.load_later(cx);
                Ok(())
            }
        });
    }

    fn load_later(&mut self, cx: &mut Cx<'_, Self>) {
        self.table = None;
        cx.after(PAUSE, |timekeeper, cx| {
            timekeeper.load(cx);
            Ok(())
        });
    }

    fn fold(&mut self, loaded: &Loaded, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        let mut table = Table::new(self.config.clone());
        for piece in loaded.snapshot.iter().flatten().chain(&loaded.events) {
            let change: Change = serde_json::from_slice(&piece.bytes)
                .map_err(|error| Fault::new("the timetable cannot be read", error))?;
            table.apply(change);
        }
        self.table = Some(table);
        self.at = loaded.at;
        self.unsaved = loaded.appends;
        self.let_forget();
        self.go_on(cx)
    }

    // --- work ---

    /// One thing at a time: an order, what is due, storing the table anew, or waiting.
    fn go_on(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        if self.busy || self.stopping {
            return Ok(());
        }
        let now = self.now();
        let Some(table) = &self.table else { return Ok(()) };
        if let Some(asked) = self.orders.pop_front() {
            return self.obey(asked, now, cx);
        }
        let due = table.due(now, RUNS_MAX);
        let due = due.map_err(|error| Fault::new("a run cannot be written as JSON", error))?;
        if !due.is_empty() {
            return self.record(due, cx);
        }
        let is_old = self.saved.is_none_or(|it| SAVE_EVERY <= it.elapsed());
        if SAVE_AFTER <= self.unsaved || (0 < self.unsaved && is_old) {
            return self.save(cx);
        }
        self.wait(now, cx);
        Ok(())
    }

    fn wait(&mut self, now: Timestamp, cx: &mut Cx<'_, Self>) {
        if let Some(timer) = self.timer.take() {
            cx.cancel(timer);
        }
        let next = self.table.as_ref().and_then(Table::next);
        let span = next.map_or(LOOK_EVERY, |it| Duration::from_millis(it.0.saturating_sub(now.0)));
        self.timer = Some(cx.after(span.min(LOOK_EVERY), |timekeeper, cx| {
            timekeeper.timer = None;
            timekeeper.go_on(cx)
        }));
    }

    fn obey(&mut self, asked: Asked, now: Timestamp, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        let Some(table) = &self.table else { return Ok(()) };
        let (changes, said) = table.obey(&asked.order, asked.from, now);
        if changes.is_empty() {
            // lost-ok: whoever asked has gone, and nothing was changed.
            asked.reply.send(said).ok();
            return self.go_on(cx);
        }
        let append = self.append_of(&changes)?;
        let memory = self.needs.memory.clone();
        self.busy = true;
        let work = async move { ask(&memory, |reply| memory::Msg::Append(append, reply)).await };
        cx.when(work, move |timekeeper, written, cx| {
            fault_point("timekeeper");
            if timekeeper.was_written(written.unwrap_or_else(|_gone| away()), changes, cx)? {
                // lost-ok: whoever asked has gone; asked again, it is the same order.
                asked.reply.send(said).ok();
            }
            timekeeper.go_on(cx)
        });
        Ok(())
    }

    /// Records runs in their inboxes, and then that they were. TIMEKEEPER-4.
    fn record(&mut self, mut runs: Vec<Run>, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        let Some(bot) = runs.first().map(|it| it.key.bot) else { return Ok(()) };
        // Those of other bots come next.
        runs.retain(|it| it.key.bot == bot);
        let changes: Vec<Change> = runs.iter().map(|it| it.change.clone()).collect();
        let append = self.append_of(&changes)?;
        let keys: Vec<SessionKey> = runs.iter().map(|it| it.key).collect();
        let arrivals = runs.into_iter().map(|it| it.arrival).collect();
        let memory = self.needs.memory.clone();
        self.busy = true;
        let work = async move {
            let recorded = ask(&memory, |reply| memory::Msg::Journal(bot, arrivals, reply)).await;
            recorded.unwrap_or_else(|_gone| away())?;
            fault_point("timekeeper_recorded");
            let written = ask(&memory, |reply| memory::Msg::Append(append, reply)).await;
            written.unwrap_or_else(|_gone| away())
        };
        cx.when(work, move |timekeeper, written, cx| {
            timekeeper.ring(keys);
            timekeeper.was_written(written, changes, cx)?;
            timekeeper.go_on(cx)
        });
        Ok(())
    }

    fn ring(&self, keys: Vec<SessionKey>) {
        let runs = keys.len();
        info!(labels.runs = runs, event.action = "timetable_ran", "a time has come");
        if let Some(keeper) = self.needs.keeper.get()
            && keeper.try_tell(keeper::Msg::Ring(keys)).is_err()
        {
            // lost-ok: a keeper that starts looks at everything that waits.
            warn!(event.action = "keeper_away", "nobody could be rung for what is due");
        }
    }

    fn append_of(&self, changes: &[Change]) -> Result<Append, Fault> {
        let events = table::pieces(changes);
        let events =
            events.map_err(|error| Fault::new("the timetable cannot be written", error))?;
        let (stream, expected) = (Stream::Timetable, self.at);
        Ok(Append { stream, expected, events, closes: Vec::new() })
    }

    /// True if it was written; then it is in the table.
    fn was_written(
        &mut self,
        written: Result<Seq, LedgerError>,
        changes: Vec<Change>,
        cx: &mut Cx<'_, Self>,
    ) -> Result<bool, Fault> {
        self.busy = false;
        let is_written = match written {
            Ok(at) => {
                self.at = at;
                self.unsaved += 1;
                if let Some(table) = &mut self.table {
                    changes.into_iter().for_each(|it| table.apply(it));
                }
                true
            }
            Err(error @ LedgerError::Conflict { .. }) => {
                return Err(Fault::new("someone else wrote to the timetable's stream", error));
            }
            Err(LedgerError::Unavailable(_) | LedgerError::Damaged { .. }) => {
                // It may have been written all the same: the stream says where it is.
                self.load_later(cx);
                false
            }
        };
        self.let_forget();
        self.end_if_asked(cx);
        Ok(is_written)
    }

    fn save(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        let Some(table) = &self.table else { return Ok(()) };
        let state = table::pieces(&table.whole());
        let state = state.map_err(|error| Fault::new("the timetable cannot be written", error))?;
        let (memory, at) = (self.needs.memory.clone(), self.at);
        self.busy = true;
        self.saved = Some(Instant::now());
        let work = async move {
            ask(&memory, |reply| memory::Msg::Snapshot(Stream::Timetable, at, state, reply)).await
        };
        cx.when(work, |timekeeper, stored, cx| {
            timekeeper.busy = false;
            // Where it was not, it is tried again after some time; the appends are still there.
            timekeeper.unsaved = 0;
            if !matches!(stored, Ok(Ok(()))) {
                timekeeper.unsaved = 1;
                info!(event.action = "snapshot_skipped", "the timetable was not stored anew");
            }
            timekeeper.let_forget();
            timekeeper.end_if_asked(cx);
            timekeeper.go_on(cx)
        });
        Ok(())
    }

    // --- forgetting, ending ---

    fn forget(&mut self, person: PersonId, gone: oneshot::Sender<()>) {
        self.orders.retain(|it| it.order.person() != Some(person));
        self.forgetting.push((person, gone));
        if !self.busy && self.table.is_some() {
            self.let_forget();
        }
    }

    /// Nothing is being written: what is a person's is dropped.
    fn let_forget(&mut self) {
        let Some(table) = &mut self.table else { return };
        for (person, gone) in self.forgetting.drain(..) {
            table.forget(person);
            // lost-ok: whoever waits has given up.
            gone.send(()).ok();
        }
    }

    fn end_if_asked(&self, cx: &mut Cx<'_, Self>) {
        if self.stopping {
            cx.stop();
        }
    }
}

impl Order {
    /// Whose words it holds.
    fn person(&self) -> Option<PersonId> {
        match self {
            Self::Remind { person, .. }
            | Self::Reminders { person }
            | Self::Cancel { person, .. }
            | Self::Zone { person, .. } => Some(*person),
            Self::Schedule { by, .. } | Self::Schedules { by } | Self::Unschedule { by, .. } => {
                Some(by.by())
            }
        }
    }
}

fn away<T>() -> Result<T, LedgerError> {
    Err(LedgerError::Unavailable("the memory restarted".into()))
}

impl Actor for Timekeeper {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.load(cx);
        Ok(())
    }

    fn handle(&mut self, msg: Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        match msg {
            // The way back is dropped: whoever asked learns that nothing was done.
            Msg::Obey { .. } if self.stopping || ORDERS_MAX <= self.orders.len() => (),
            Msg::Obey { order, from, reply } => self.orders.push_back(Asked { order, from, reply }),
            Msg::Forget(person, gone) => self.forget(person, gone),
        }
        self.go_on(cx)
    }

    /// What is being written is finished.
    fn may_stop(&mut self, _: &mut Cx<'_, Self>) -> bool {
        self.stopping = true;
        !self.busy
    }
}
