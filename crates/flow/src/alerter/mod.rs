//! Tells the people who run the hall what is wrong, once per cause and not in floods.
//!
//! Receives  `Raise` and `Over`, from everyone, `Refused`, from sessions, `Order`, from sessions and the
//!           console; looks at the hall's figures itself.
//! Sends     notifications to sinks: the admins' private chats and those of the configuration.
//! Owns      the alerts' stream in the ledger: what is wrong, who was told, who is still to be told, what is
//!           usual at which hour.
//! On crash  nothing that was taken in is lost: the state is folded again, what was not written yet lies in
//!           the [`Tray`]. Whoever was being told may be told again.
//!
//! The wall clock is read once, at the start; from then on time goes on steadily, so that a clock that
//! jumps neither repeats an alert nor holds one back.
//!
//! Invariants: ALERTER-2 no alert holds up whoever raises it. ALERTER-5 what cannot be written is told all
//! the same. Those of what is told to whom stand in [`book`].

pub mod book;
mod chats;
mod group;
mod orders;
pub mod rules;
pub mod runbook;
#[cfg(test)]
mod shell_tests;
#[cfg(test)]
mod tests;
mod tray;
pub mod usual;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use kit::{Actor, Cx, Fault, Health, Mailbox, ask};
pub use protocol::alert::Severity;
use protocol::{
    BotId, ChatId, Clock, PersonId, Timestamp,
    alert::{Notification, Sink, TellError},
    ledger::{Append, Ledger, LedgerError, Loaded, Owned, Seq, Stream},
    messenger::{Address, Messenger},
};
use tokio::{sync::oneshot, time::Instant};
use tracing::{error, info, warn};

pub(crate) use self::orders::in_words;
pub use self::{
    book::Alert,
    orders::{Order, Report, Trial, test},
    tray::Tray,
};
use self::{
    book::{Book, Effect, Entry, Input, Pace, Place, State},
    chats::Chats,
    orders::tell_in_time,
    rules::{LOOK_EVERY, Reading, Rule, Rules},
};
use crate::{
    alarm::Refusal,
    fault::fault_point,
    memory, outbox,
    roster::Shared,
    tally::Tally,
    tongues::Tongues,
    words::{self, Notice},
};

/// How often it is looked who is due.
const TICK: Duration = Duration::from_secs(1);
/// How long a write may take before alerts are told without it.
const WRITE_TIME_MAX: Duration = Duration::from_secs(10);
/// How long one sink may take.
const TELL_TIME_MAX: Duration = Duration::from_secs(60);
/// The pause before the stream is read again, where it could not be.
const LOAD_PAUSE: Duration = Duration::from_secs(10);
/// Writes after which the state is folded.
const SNAPSHOT_EVERY: u32 = 64;
/// Refusals that the admins are told of within [`REFUSALS_WINDOW`].
const REFUSALS_MAX: u32 = 3;
const REFUSALS_WINDOW: Duration = Duration::from_secs(600);

/// Kinds of which an actor says when they are over, also after a restart.
pub const HELD: [&str; 2] = ["backup_failed", "backup_overdue"];

/// How alerts are told.
#[derive(Clone, Debug, PartialEq)]
pub struct AlerterConfig {
    /// How they are kept from flooding.
    pub pace: Pace,
    /// Tell the admins in their private chats.
    pub telegram: bool,
    /// Tell them there what the guard refused, too.
    pub refusals: bool,
    /// When a figure is out of bounds.
    pub rules: Arc<[Rule]>,
    /// Where the pages are that say what to do; `None`: in the repository.
    pub runbooks: Option<String>,
}

impl Default for AlerterConfig {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            telegram: true,
            refusals: true,
            rules: rules::shipped().into(),
            runbooks: None,
        }
    }
}

/// A sink and where it stands.
#[derive(Clone)]
pub struct Placed {
    /// Who tells.
    pub sink: Arc<dyn Sink>,
    /// From which step of the escalation on: 0 at once.
    pub step: u8,
    /// Of what is as bad as this, or worse.
    pub least: Severity,
}

/// What only the program can see of its surroundings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// The free part of the disk with the data.
    pub disk_free: Option<f64>,
    /// Log lines that were lost.
    pub dropped_lines: u64,
    /// Tool servers that are not there, end again and again, or have tools that changed.
    pub tool_servers_ill: u64,
}

/// Reads the figures. May block: it is called on a thread where that holds up nobody.
pub type Reader = Arc<dyn Fn() -> Reading + Send + Sync>;

/// Reads the figures of the actors, the ledger and the tally, and the surroundings.
#[must_use]
pub fn reader(
    health: Health,
    ledger: Arc<dyn Ledger>,
    tally: Tally,
    clock: Arc<dyn Clock>,
    surroundings: Arc<dyn Fn() -> Surroundings + Send + Sync>,
) -> Reader {
    Arc::new(move || {
        let actors = health.read();
        let silent = actors.iter().filter(|it| it.kind == "ingress").map(|it| it.last_progress_s);
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds of one process, milliseconds since 1970"
        )]
        let (poll_age, now) = (silent.max().map(|it| it as f64), clock.now().0 as f64 / 1_000.0);
        let Surroundings { disk_free, dropped_lines, tool_servers_ill } = surroundings();
        Reading {
            poll_age,
            backup_age: tally.last_backup().map(|at| (now - at).max(0.0)),
            disk_free,
            restarts: actors.iter().map(|it| u64::from(it.restarts)).sum(),
            quarantined: ledger.gauge().quarantined,
            dropped_lines,
            tool_servers_ill,
            watched: tally.watched(),
        }
    })
}

// === The shell: carries out effects. No decisions here. ===

/// What an alerter can be told.
#[derive(Debug)]
pub enum Msg {
    /// Something happened.
    Raise(Alert),
    /// Something is over: its kind.
    Over(&'static str),
    /// Nothing of a playbook is in force any more: its kind.
    Settled(String),
    /// The guard stopped a text. No alarm: one message for the admins, with what they can do.
    Refused(Refusal),
    /// Somebody wants something.
    Order(Order, oneshot::Sender<Result<Report, String>>),
}

impl Msg {
    /// Something happened. To be left with `try_tell`, which never waits: ALERTER-2.
    #[must_use]
    pub fn raise(kind: &'static str, severity: Severity, summary: String) -> Self {
        let (kind, labels) = (kind.to_owned(), std::collections::BTreeMap::new());
        Self::Raise(Alert { kind, labels, severity, summary, is_held: false })
    }

    /// Something is wrong until somebody says [`Msg::Over`]: one of [`HELD`]. Likewise.
    #[must_use]
    pub fn hold(kind: &'static str, severity: Severity, summary: String) -> Self {
        let (kind, labels) = (kind.to_owned(), std::collections::BTreeMap::new());
        Self::Raise(Alert { kind, labels, severity, summary, is_held: true })
    }
}

/// What an alerter needs from others.
#[derive(Clone)]
pub struct Needs {
    /// Where the alerts' stream is.
    pub memory: Mailbox<memory::Msg>,
    /// Read once, at the start.
    pub clock: Arc<dyn Clock>,
    /// Who the admins are.
    pub hall: Shared,
    /// Which language people are spoken to in private.
    pub languages: Tongues,
    /// Where what officers chose is read.
    pub ledger: Arc<dyn Ledger>,
    /// The bots that they may have chosen it with.
    pub bots: Arc<[BotId]>,
    /// What a person is called where officers read.
    pub pseudonym: Arc<dyn Fn(PersonId) -> String + Send + Sync>,
    /// The bot that writes to them.
    pub messenger: Option<Arc<dyn Messenger>>,
    /// An outbox for what is no alert; set once there is one.
    pub outbox: Arc<OnceLock<Mailbox<outbox::Msg>>>,
    /// Further places.
    pub sinks: Arc<[Placed]>,
    /// Reads the figures.
    pub reader: Reader,
    /// Counts.
    pub tally: Tally,
    /// What outlives an incarnation.
    pub tray: Tray,
}

/// A supervised alerter.
pub struct Alerter {
    config: AlerterConfig,
    needs: Needs,
    sinks: Vec<Placed>,
    born: Instant,
    start: Timestamp,
    book: Book,
    rules: Rules,
    /// Where the stream is; `None` while it cannot be read.
    at: Option<Seq>,
    is_loaded: bool,
    writes: u32,
    /// The last alert of the tray that the book has taken in, and the last in what is being written.
    taken: Option<u64>,
    in_write: Option<u64>,
    refusals: (Instant, u32, u64),
}

impl fmt::Debug for Alerter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerter").field("book", &self.book).finish_non_exhaustive()
    }
}

impl Alerter {
    /// The factory given to the supervisor: `started` folds the alerts' stream.
    #[must_use]
    pub fn incarnate(config: AlerterConfig, needs: Needs) -> Self {
        let start = needs.clock.now();
        let mut sinks = Vec::new();
        if let Some(messenger) = needs.messenger.clone().filter(|_| config.telegram) {
            let sink = Arc::new(Chats::new(messenger, &needs));
            sinks.push(Placed { sink, step: 0, least: Severity::Warning });
        }
        sinks.extend(needs.sinks.iter().cloned());
        let state = State::default();
        let (book, rules) = open(&config, &sinks, &state, start);
        let born = Instant::now();
        Self {
            config,
            needs,
            sinks,
            born,
            start,
            book,
            rules,
            at: None,
            is_loaded: false,
            writes: 0,
            taken: None,
            in_write: None,
            refusals: (born, 0, 0),
        }
    }

    /// The time: the wall clock's at the start, and steady from there.
    fn now(&self) -> Timestamp {
        self.start.plus(self.born.elapsed())
    }

    fn load(&mut self, cx: &mut Cx<'_, Self>) {
        let memory = self.needs.memory.clone();
        let work =
            async move { ask(&memory, |reply| memory::Msg::Load(Stream::Alerts, reply)).await };
        cx.when(work, |alerter, loaded, cx| {
            match loaded {
                Ok(Ok(loaded)) => alerter.fold(&loaded),
                Ok(Err(error)) => alerter.go_blind(&error.to_string(), cx),
                Err(_) => alerter.go_blind("the memory is away", cx),
            }
            alerter.is_loaded = true;
            alerter.take_tray(cx);
            Ok(())
        });
    }

    /// ALERTER-5: what is wrong may be just that nothing can be read.
    fn go_blind(&mut self, why: &str, cx: &mut Cx<'_, Self>) {
        error!(
            error.message = why,
            event.action = "alerts_unread",
            "what was told before cannot be read: alerts are told, and may be told again"
        );
        cx.after(LOAD_PAUSE, |alerter, cx| {
            alerter.load(cx);
            Ok(())
        });
    }

    /// ALERTER-5: what cannot be read, such as an entry of a later version, is left out. A hall must
    /// not stand still because it does not know whom it told.
    fn fold(&mut self, loaded: &Loaded) {
        let state = state_of(loaded);
        let known = self.book.open_alerts();
        let now = self.now();
        (self.book, self.rules) = open(&self.config, &self.sinks, &state, now);
        self.at = Some(loaded.at);
        // What was taken in while nothing could be read.
        known.into_iter().for_each(|alert| self.needs.tray.put(alert, self.taken));
    }

    /// Takes in what lies in the tray.
    fn take_tray(&mut self, cx: &mut Cx<'_, Self>) {
        if !self.is_loaded {
            return;
        }
        while let Some((number, alert, times)) = self.needs.tray.after(self.taken) {
            self.taken = Some(number);
            let kind = alert.kind.clone();
            (0..times).for_each(|_| self.step(Input::Happened(alert.clone()), cx));
            if !self.book.is_in_doubt(&kind) {
                // It was counted, and what is to be known of it is durable.
                self.needs.tray.remove(number);
            }
        }
    }

    fn step(&mut self, input: Input, cx: &mut Cx<'_, Self>) {
        if let Input::Happened(alert) | Input::Began(alert) = &input
            && !self.book.is_open(&alert.kind)
        {
            error!(
                event.action = "alert",
                labels.kind = alert.kind,
                labels.severity = alert.severity.as_str(),
                labels.summary = alert.summary,
                "alert raised"
            );
        }
        if let Input::Over(kind) = &input
            && self.book.is_open(kind)
        {
            info!(event.action = "alert_over", labels.kind = kind, "an alert is over");
        }
        for effect in self.book.step(input, self.now()) {
            match effect {
                Effect::Write(entries) => self.write(&entries, cx),
                Effect::Tell { sink, notification } => self.tell(sink, notification, cx),
            }
        }
    }

    fn write(&mut self, entries: &[Entry], cx: &mut Cx<'_, Self>) {
        self.in_write = self.taken;
        let events: Result<Vec<Owned>, _> =
            entries.iter().map(|it| serde_json::to_vec(it).map(Owned::halls)).collect();
        let (Some(expected), Ok(events)) = (self.at, events) else {
            return self.step(Input::Written(false), cx);
        };
        let append = Append { stream: Stream::Alerts, expected, events, closes: Vec::new() };
        let memory = self.needs.memory.clone();
        let work = async move {
            let asked = ask(&memory, |reply| memory::Msg::Append(append, reply));
            tokio::time::timeout(WRITE_TIME_MAX, asked).await
        };
        cx.when(work, |alerter, written, cx| {
            fault_point("alerter_written");
            match written {
                Ok(Ok(Ok(at))) => {
                    alerter.at = Some(at);
                    if let Some(number) = alerter.in_write.take() {
                        alerter.needs.tray.clear_through(number);
                    }
                    alerter.fold_later(at);
                    alerter.step(Input::Written(true), cx);
                }
                Ok(Ok(Err(LedgerError::Conflict { .. }))) => {
                    return Err(Fault::plain("someone else wrote to the alerts' stream"));
                }
                // It may have been written all the same: then the next write conflicts, and all is
                // read again.
                Ok(Ok(Err(LedgerError::Unavailable(_) | LedgerError::Damaged { .. })) | Err(_))
                | Err(_) => {
                    warn!(
                        event.action = "alerts_unwritten",
                        "alerts could not be stored; they are told all the same"
                    );
                    alerter.step(Input::Written(false), cx);
                }
            }
            Ok(())
        });
    }

    fn fold_later(&mut self, at: Seq) {
        self.writes += 1;
        if self.writes < SNAPSHOT_EVERY {
            return;
        }
        self.writes = 0;
        let state = self.book.state(self.rules.usual.clone());
        let Ok(bytes) = serde_json::to_vec(&state) else { return };
        let (reply, _) = oneshot::channel();
        let snapshot = memory::Msg::Snapshot(Stream::Alerts, at, vec![Owned::halls(bytes)], reply);
        // lost-ok: the events are still there.
        self.needs.memory.try_tell(snapshot).ok();
    }

    fn tell(&mut self, name: String, mut notification: Notification, cx: &mut Cx<'_, Self>) {
        notification.runbook = runbook::of(self.config.runbooks.as_deref(), &notification.kind);
        let Some(placed) = self.sinks.iter().find(|it| it.sink.name() == name) else { return };
        let sink = Arc::clone(&placed.sink);
        let label = sink.name();
        let work = async move { tell_in_time(&*sink, &notification, TELL_TIME_MAX).await };
        cx.when(work, move |alerter, told, cx| {
            fault_point("alerter_told");
            match told {
                Ok(()) => {
                    alerter.needs.tally.alerted(label, "told");
                    alerter.step(Input::Told { sink: name }, cx);
                }
                Err(TellError { why, retry_after }) => {
                    alerter.needs.tally.alerted(label, "failed");
                    warn!(
                        labels.sink = label,
                        error.message = why,
                        event.action = "alert_sink_failed",
                        "an alert could not be delivered; it is tried again"
                    );
                    let chance = chance();
                    alerter.step(Input::NotTold { sink: name, retry_after, chance }, cx);
                }
            }
            Ok(())
        });
    }

    fn obey(
        &mut self,
        order: Order,
        reply: oneshot::Sender<Result<Report, String>>,
        cx: &mut Cx<'_, Self>,
    ) {
        let now = self.now();
        let report = match order {
            Order::List => {
                Ok(Report::List { alerts: self.book.lines(), silences: self.book.silences(now) })
            }
            Order::Silence { kind, span } => {
                info!(
                    event.action = "alerts_silenced",
                    labels.kind = kind,
                    labels.seconds = span.as_secs(),
                    "alerts of a kind are silenced"
                );
                self.step(Input::Silenced { kind, until: now.plus(span) }, cx);
                Ok(Report::Done)
            }
            Order::Acknowledge { kind } if !self.book.is_open(&kind) => {
                Err(format!("There is no open alert called {kind}."))
            }
            Order::Acknowledge { kind } => {
                info!(
                    event.action = "alert_acknowledged",
                    labels.kind = kind,
                    "an alert is acknowledged"
                );
                self.step(Input::Acknowledged(kind), cx);
                Ok(Report::Done)
            }
            Order::Test => {
                let sinks: Vec<_> = self.sinks.iter().map(|it| Arc::clone(&it.sink)).collect();
                cx.when(async move { test(&sinks, now).await }, |_, trials, _| {
                    // lost-ok: whoever asked has gone.
                    reply.send(Ok(Report::Tested(trials))).ok();
                    Ok(())
                });
                return;
            }
        };
        // lost-ok: whoever asked has gone.
        reply.send(report).ok();
    }

    /// Reads in which language officers are to be told.
    fn learn_languages(&self, cx: &mut Cx<'_, Self>) {
        let Needs { languages, ledger, bots, hall, .. } = &self.needs;
        let hall = hall.load();
        let unknown = hall.operators().filter(|it| languages.known(*it).is_none());
        let unknown: Vec<PersonId> = unknown.collect();
        if unknown.is_empty() {
            return;
        }
        let (languages, ledger, bots) = (languages.clone(), Arc::clone(ledger), Arc::clone(bots));
        let work = async move { languages.learn(&*ledger, &bots, &unknown).await };
        cx.when(work, |_, (), _| Ok(()));
    }

    /// Looks at the figures, on a thread where a disk that hangs holds up nobody.
    fn look(&mut self, cx: &mut Cx<'_, Self>) {
        self.learn_languages(cx);
        let reader = Arc::clone(&self.needs.reader);
        let work = tokio::task::spawn_blocking(move || reader());
        cx.when(work, |alerter, reading, cx| {
            if let (Ok(reading), true) = (reading, alerter.is_loaded) {
                let now = alerter.now();
                let (inputs, hours) = alerter.rules.look(reading, now);
                hours.into_iter().for_each(|it| alerter.book.learn(it));
                inputs.into_iter().for_each(|it| alerter.step(it, cx));
            }
            cx.after(LOOK_EVERY, |alerter, cx| {
                alerter.look(cx);
                Ok(())
            });
            Ok(())
        });
    }

    fn tick(&mut self, cx: &mut Cx<'_, Self>) {
        self.step(Input::Passed, cx);
        cx.after(TICK, |alerter, cx| {
            alerter.tick(cx);
            Ok(())
        });
    }

    /// Tells the admins of a refusal; of a flood of them, of the first few, and later how many.
    fn tell_refusal(&mut self, refusal: &Refusal) {
        let AlerterConfig { telegram, refusals, .. } = self.config;
        let Some(outbox) = self.needs.outbox.get().filter(|_| telegram && refusals) else { return };
        let (since, told, untold) = &mut self.refusals;
        if REFUSALS_WINDOW <= since.elapsed() {
            (*since, *told) = (Instant::now(), 0);
        }
        if REFUSALS_MAX <= *told {
            *untold += 1;
            return;
        }
        *told += 1;
        let count = std::mem::take(untold) + 1;
        write_to_admins(&self.needs, outbox, &words::refusal(refusal, count));
    }
}

/// What the ledger's stream of alerts leads to. What cannot be read of it is left out.
fn state_of(loaded: &Loaded) -> State {
    let snapshot = loaded.snapshot.as_ref().and_then(|it| it.first());
    let mut state: State = snapshot.and_then(|it| readable(&it.bytes)).unwrap_or_default();
    for event in &loaded.events {
        if let Some(entry) = readable(&event.bytes) {
            state.fold(entry);
        }
    }
    state
}

/// The alerts that the ledger knows of, those included that are over and not yet put away.
#[must_use]
pub fn listed(loaded: &Loaded) -> Vec<book::Line> {
    state_of(loaded).lines()
}

fn readable<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let read = serde_json::from_slice(bytes);
    if let Err(error) = &read {
        error!(
            error.message = %error,
            event.action = "alerts_unread",
            "an entry about alerts cannot be read and is left out"
        );
    }
    // lost-ok: it was logged.
    read.ok()
}

/// A book and rules that go on from a state.
fn open(config: &AlerterConfig, sinks: &[Placed], state: &State, now: Timestamp) -> (Book, Rules) {
    let place = |it: &Placed| Place {
        name: it.sink.name().to_owned(),
        step: it.step,
        least: it.least,
        gap: it.sink.gap(),
    };
    let rules = config.rules.iter().map(|it| it.name.clone());
    let holders: BTreeSet<String> = rules.chain(HELD.map(str::to_owned)).collect();
    let places = sinks.iter().map(place).collect();
    let book = Book::open(config.pace, places, &holders, state, now);
    let rules = Rules::new(config.rules.to_vec(), state.usual.clone(), |it| book.is_open(it));
    (book, rules)
}

/// From 0 to 1, for pauses that should not fall together. Not for secrets.
fn chance() -> f64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    let number = std::collections::hash_map::RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(number >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

fn write_to_admins(needs: &Needs, outbox: &Mailbox<outbox::Msg>, notice: &Notice) {
    for admin in needs.hall.load().admins() {
        let notice = notice.clone().in_language(needs.languages.of(admin));
        let msg = outbox::Msg::Send {
            to: Address { chat: ChatId(admin.0), topic: None },
            what: outbox::Sayable::Notice(notice),
            reply_to: None,
            part: None,
            reply: None,
        };
        if outbox.try_tell(msg).is_err() {
            warn!(event.action = "alert_not_sent", "an alert could not be sent to an admin");
        }
    }
}

impl Actor for Alerter {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.load(cx);
        self.look(cx);
        self.tick(cx);
        Ok(())
    }

    fn handle(&mut self, msg: Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        if let Msg::Raise(alert) = &msg {
            self.needs.tray.put(alert.clone(), self.taken);
        }
        fault_point("alerter");
        match msg {
            Msg::Raise(_) => self.take_tray(cx),
            Msg::Over(kind) => self.step(Input::Over(kind.to_owned()), cx),
            Msg::Settled(kind) => self.step(Input::Over(kind), cx),
            Msg::Refused(refusal) => self.tell_refusal(&refusal),
            Msg::Order(order, reply) => self.obey(order, reply, cx),
        }
        Ok(())
    }
}
