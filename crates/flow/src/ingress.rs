//! Takes one bot's updates in, and confirms them to Telegram only when they are durable.
//!
//! Receives  updates, by polling or pushed by a webhook.
//! Sends     batches to memory, doorbells to the keeper, a notice to who may not talk.
//! Owns      the poll offset (in memory: Telegram redelivers what was not confirmed, the ledger
//!           knows what it has), and who writes how fast.
//! On crash  what was not durable was not confirmed: Telegram sends it again.
//!
//! Invariants: INGRESS-1 the offset moves, and a webhook is answered, only after the flush.
//! INGRESS-2 one odd update never holds up its batch. INGRESS-3 of people who may not talk no text
//! is stored, but for the link with which one of them comes in. INGRESS-4 past `waiting_max` open updates nothing more is taken in.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use governor::{Quota, RateLimiter, clock::DefaultClock, state::keyed::DashMapStateStore};
use kit::{Actor, Cx, Fault, Mailbox, ask};
use protocol::{
    BotId, Clock, Languages, PersonId, SessionKey, Timestamp, UpdateId,
    audit::{Action, AuditLog, Deed, Outcome, Target},
    inbound::{Inbound, Origin},
    ledger::{Arrival, DropReason, Ledger, LedgerError, Receipt, Route},
    messenger::{Address, Messenger, MessengerError, RawUpdate},
};
use tokio::{sync::oneshot, time::Instant};
use tracing::{debug, info, warn};

use crate::{
    alerter::{self, Severity},
    fault::fault_point,
    invites::{self, Closed},
    keeper, memory, outbox,
    playbook::Limit,
    request,
    roster::{Shared, Standing, View},
    session,
    tally::Tally,
    tongues::Tongues,
    words::{self, Notice},
};

/// Limits of ingress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IngressConfig {
    /// Poll for updates; false where a webhook pushes them.
    pub polls: bool,
    /// How long one poll waits for something to happen.
    pub poll_wait: Duration,
    /// Messages of one person a minute. Zero: no limit.
    pub person_per_minute: u32,
    /// Messages that a person may send at once.
    pub person_burst: u32,
    /// Messages of one group a minute. Zero: no limit.
    pub chat_per_minute: u32,
    /// How long someone is ignored who keeps writing too fast. Zero: never.
    pub flood_ignore: Duration,
    /// Updates that may wait in all inboxes.
    pub waiting_max: u64,
    /// What is told before a conversation begins is told in one of these.
    pub languages: Languages,
}

/// Messages over the limit after which their writer is ignored for a while.
const STRIKES_MAX: u32 = 10;
/// People of whom it is remembered that they were told something. Past that, nobody new is told.
const TOLD_MAX: usize = 10_000;
/// Someone is told the same thing at most this often.
const TOLD_EVERY: Duration = Duration::from_secs(3_600);

/// The longest wait that is told in minutes: what has no end is told as that.
const WAIT_MINUTES_MAX: u64 = 7 * 24 * 60;
/// Polls that fail in a row before somebody is told.
const POLL_FAILURES_MAX: u32 = 5;

type Limiter = RateLimiter<i64, DashMapStateStore<i64>, DefaultClock>;

/// Who writes how fast. GCRA per person and per group, on monotonic time.
struct Pace {
    person: Option<Limiter>,
    chat: Option<Limiter>,
    ignore: Duration,
    /// Messages over the limit, and until when their writer is ignored.
    strikes: HashMap<PersonId, (u32, Option<Instant>)>,
    /// Of those whom a playbook holds back: when the next message is taken.
    held_back: HashMap<PersonId, Instant>,
}

/// What a message is to the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// Within.
    Within,
    /// Over. `true` for the first one, which is answered.
    TooFast(bool),
    /// Over too often: ignored. `true` for the one that began it, which is answered.
    Ignored(bool),
    /// More than a playbook lets them write a minute: so many.
    HeldBack(u32),
}

impl Pace {
    fn new(config: &IngressConfig) -> Self {
        let limiter = |per_minute: u32, burst: u32| {
            let quota = Quota::per_minute(NonZeroU32::new(per_minute)?);
            let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
            Some(RateLimiter::dashmap(quota.allow_burst(burst)))
        };
        Self {
            person: limiter(config.person_per_minute, config.person_burst),
            chat: limiter(config.chat_per_minute, config.chat_per_minute),
            ignore: config.flood_ignore,
            strikes: HashMap::new(),
            held_back: HashMap::new(),
        }
    }

    /// True if a playbook holds a person back, and this is a message too many.
    fn is_held_back(&mut self, origin: &Origin, slowed: Option<Limit>, now: Instant) -> bool {
        let Some(person) = origin.person else { return false };
        let Some(limit) = slowed else {
            if !self.held_back.is_empty() {
                self.held_back.remove(&person);
            }
            return false;
        };
        if self.held_back.get(&person).is_some_and(|it| now < *it) {
            return true;
        }
        let gap = Duration::from_secs(60) / limit.per_minute.max(1);
        self.held_back.insert(person, now + gap);
        false
    }

    fn weigh(&mut self, origin: &Origin, now: Instant) -> Allowance {
        let Some(person) = origin.person else { return self.weigh_chat(origin) };
        if let Some((_, Some(until))) = self.strikes.get(&person) {
            if now < *until {
                return Allowance::Ignored(false);
            }
            self.strikes.remove(&person);
        }
        let Some(limiter) = &self.person else { return self.weigh_chat(origin) };
        if limiter.check_key(&person.0).is_ok() {
            if !self.strikes.is_empty() {
                self.strikes.remove(&person);
            }
            return self.weigh_chat(origin);
        }
        if TOLD_MAX <= self.strikes.len() {
            self.strikes.retain(|_, (_, until)| until.is_some_and(|until| now < until));
        }
        let (strikes, until) = self.strikes.entry(person).or_default();
        *strikes += 1;
        if STRIKES_MAX <= *strikes && !self.ignore.is_zero() {
            *until = Some(now + self.ignore);
            return Allowance::Ignored(true);
        }
        Allowance::TooFast(*strikes == 1)
    }

    fn weigh_chat(&self, origin: &Origin) -> Allowance {
        match &self.chat {
            Some(limiter) if !origin.private && limiter.check_key(&origin.chat.0).is_err() => {
                Allowance::TooFast(false)
            }
            Some(_) | None => Allowance::Within,
        }
    }

    fn forget_the_slow(&self) {
        for limiter in self.person.iter().chain(&self.chat) {
            limiter.retain_recent();
        }
    }
}

/// What is to become of an update, and what its sender is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Into the session's inbox.
    Admit,
    /// Not stored; the sender is told once.
    Drop(DropReason, Option<Tell>),
}

/// What someone is told who may not talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// That the bot is private.
    Private(PersonId),
    /// To slow down.
    SlowDown,
    /// That they are ignored for so many minutes.
    Ignored(u64),
    /// That a playbook blocked them, until then.
    Wait(Timestamp),
    /// That a playbook lets them write so many messages a minute.
    Slowed(u32),
    /// That the link they opened lets nobody in.
    Closed(Closed, PersonId),
}

/// Decides about an update by where it comes from. INGRESS-3.
#[must_use]
pub fn decide(
    origin: &Origin,
    standing: Standing,
    allowance: Allowance,
    ignore: Duration,
) -> Decision {
    match (standing, allowance) {
        (Standing::Blocked, _) => Decision::Drop(DropReason::Blocked, None),
        (Standing::Stranger, _) => {
            let tell = origin.person.filter(|_| origin.private).map(Tell::Private);
            Decision::Drop(DropReason::Stranger, tell)
        }
        (Standing::Admin, _) | (Standing::Guest, Allowance::Within) => Decision::Admit,
        (Standing::Guest, Allowance::TooFast(first)) => {
            let tell = (first && origin.private).then_some(Tell::SlowDown);
            Decision::Drop(DropReason::RateLimited, tell)
        }
        (Standing::Guest, Allowance::HeldBack(per_minute)) => {
            let tell = origin.private.then_some(Tell::Slowed(per_minute));
            Decision::Drop(DropReason::RateLimited, tell)
        }
        (Standing::Guest, Allowance::Ignored(first)) => {
            let minutes = ignore.as_secs().div_ceil(60);
            let tell = (first && origin.private).then_some(Tell::Ignored(minutes));
            Decision::Drop(DropReason::RateLimited, tell)
        }
    }
}

impl Tell {
    fn notice(self, now: Timestamp) -> Notice {
        match self {
            Self::Private(person) => words::stranger(person),
            Self::Closed(why, person) => words::arrange::closed(why, person),
            Self::SlowDown => words::slow_down(),
            Self::Ignored(minutes) => words::ignored_for(minutes),
            Self::Wait(until) => {
                let left = Duration::from_millis(until.0.saturating_sub(now.0));
                words::playbooks::must_wait(left.as_secs().div_ceil(60).clamp(1, WAIT_MINUTES_MAX))
            }
            Self::Slowed(per_minute) => words::playbooks::held_back_pace(per_minute),
        }
    }
}

// === The shell: carries out effects. No decisions here. ===

/// Whether an update that was pushed is durable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is: it may be confirmed.
    Durable,
    /// It is not: it shall be sent again.
    TryLater,
}

/// What ingress can be told.
#[derive(Debug)]
pub enum Msg {
    /// A webhook received an update.
    Pushed(RawUpdate, oneshot::Sender<Accepted>),
}

/// Who ingress talks to.
#[derive(Clone)]
pub struct Peers {
    /// What is durable.
    pub memory: Mailbox<memory::Msg>,
    /// The ledger's figures, for INGRESS-4.
    pub ledger: Arc<dyn Ledger>,
    /// Wakes sessions.
    pub keeper: Mailbox<keeper::Msg>,
    /// Which language people are spoken to in private.
    pub tongues: Tongues,
    /// Tells strangers.
    pub outbox: Mailbox<outbox::Msg>,
    /// Tells the operators.
    pub alerter: Mailbox<alerter::Msg>,
    /// Who may talk.
    pub hall: Shared,
    /// The bot.
    pub messenger: Arc<dyn Messenger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Counts.
    pub tally: Tally,
    /// Notes who tries what is not theirs.
    pub audit: Arc<dyn AuditLog>,
    /// What a person is called in the log.
    pub pseudonym: Arc<dyn Fn(PersonId) -> String + Send + Sync>,
}

/// A supervised ingress of one bot.
pub struct Ingress {
    bot: BotId,
    config: IngressConfig,
    peers: Peers,
    pace: Pace,
    told: HashMap<PersonId, Instant>,
    /// Who was told of a playbook's block, and until when it was.
    waits: HashMap<PersonId, Timestamp>,
    offset: Option<UpdateId>,
    failures: u32,
    swept: Instant,
    stopping: bool,
}

impl std::fmt::Debug for Ingress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingress").field("offset", &self.offset).finish_non_exhaustive()
    }
}

/// A batch on its way into the ledger.
struct Batch {
    arrivals: Vec<Arrival>,
    keys: Vec<Option<SessionKey>>,
    newest: Option<UpdateId>,
}

impl Ingress {
    /// The factory given to the supervisor: a restart polls from the oldest unconfirmed update.
    #[must_use]
    pub fn incarnate(config: IngressConfig, peers: Peers) -> Self {
        Self {
            bot: peers.messenger.identity().id,
            config,
            pace: Pace::new(&config),
            peers,
            told: HashMap::new(),
            waits: HashMap::new(),
            offset: None,
            failures: 0,
            swept: Instant::now(),
            stopping: false,
        }
    }

    fn poll(&mut self, cx: &mut Cx<'_, Self>) {
        if self.stopping {
            return cx.stop();
        }
        if self.is_full() {
            debug!("too many updates wait; Telegram keeps the next ones");
            return self.poll_later(Duration::from_millis(50), cx);
        }
        let messenger = Arc::clone(&self.peers.messenger);
        let (offset, wait) = (self.offset, self.config.poll_wait);
        let work = async move { messenger.poll(offset, wait).await };
        cx.when(work, |ingress, polled, cx| {
            fault_point("ingress");
            match polled {
                Ok(updates) => ingress.take_in(updates, cx),
                Err(error) => ingress.poll_failed(&error, cx),
            }
            Ok(())
        });
    }

    fn poll_later(&mut self, span: Duration, cx: &mut Cx<'_, Self>) {
        cx.after(span, |ingress, cx| {
            ingress.poll(cx);
            Ok(())
        });
    }

    fn is_full(&self) -> bool {
        let limit = self.config.waiting_max;
        limit != 0 && limit <= self.peers.ledger.gauge().waiting
    }

    fn take_in(&mut self, updates: Vec<RawUpdate>, cx: &mut Cx<'_, Self>) {
        if POLL_FAILURES_MAX <= std::mem::take(&mut self.failures) {
            // lost-ok: what is not heard of any more is over in the end.
            self.peers.alerter.try_tell(alerter::Msg::Over("poll")).ok();
        }
        self.peers.tally.polled(self.peers.clock.now());
        self.sweep();
        if updates.is_empty() {
            return self.poll(cx);
        }
        let batch = self.sort(updates);
        self.journal(batch, cx);
    }

    /// Stores a batch, as often as it takes. It is not polled and sorted again: its writers would
    /// pay for the ledger's failure with their limits.
    fn journal(&mut self, batch: Batch, cx: &mut Cx<'_, Self>) {
        let (memory, bot, arrivals) = (self.peers.memory.clone(), self.bot, batch.arrivals.clone());
        let work =
            async move { ask(&memory, |reply| memory::Msg::Journal(bot, arrivals, reply)).await };
        cx.when(work, move |ingress, receipts, cx| {
            fault_point("ingress_journalled");
            let pause = match receipts {
                Ok(Ok(receipts)) => {
                    ingress.ring(&receipts, &batch.keys)?;
                    // INGRESS-1: only now.
                    ingress.offset = batch.newest.map(|it| UpdateId(it.0 + 1));
                    ingress.poll(cx);
                    return Ok(());
                }
                Ok(Err(error)) => {
                    ingress.not_durable(&error);
                    Duration::from_secs(1)
                }
                Err(_) => Duration::from_millis(100),
            };
            cx.after(pause, |ingress, cx| {
                ingress.journal(batch, cx);
                Ok(())
            });
            Ok(())
        });
    }

    fn not_durable(&self, error: &LedgerError) {
        let text = format!("Messages cannot be stored, so none are taken in: {error}.");
        // lost-ok: the log says it too.
        self.peers.alerter.try_tell(alerter::Msg::raise("store", Severity::Critical, text)).ok();
    }

    fn poll_failed(&mut self, error: &MessengerError, cx: &mut Cx<'_, Self>) {
        self.failures = self.failures.saturating_add(1);
        let doubled = Duration::from_millis(250) * 2_u32.saturating_pow(self.failures.min(10));
        let pause = match error {
            MessengerError::Flooded { retry_after } => *retry_after,
            // Two pollers with one token: the other may be an old process that is just ending.
            MessengerError::Conflict => doubled.min(Duration::from_secs(5)),
            MessengerError::Unauthorized
            | MessengerError::Forbidden
            | MessengerError::Migrated { .. }
            | MessengerError::Rejected { .. }
            | MessengerError::Unreachable(_)
            | MessengerError::Broken { .. } => doubled.min(Duration::from_secs(15)),
        };
        warn!(
            error.message = %error, labels.failures = self.failures,
            event.action = "poll_failed", "updates could not be fetched"
        );
        // Each one more says that it goes on.
        if POLL_FAILURES_MAX <= self.failures {
            let text = format!("Messages cannot be fetched from Telegram: {error}.");
            let raise = alerter::Msg::raise("poll", Severity::Critical, text);
            // lost-ok: the log and the metric say it too.
            self.peers.alerter.try_tell(raise).ok();
        }
        self.poll_later(pause, cx);
    }

    fn sort(&mut self, updates: Vec<RawUpdate>) -> Batch {
        let hall = self.peers.hall.load_full();
        let mut batch = Batch { arrivals: Vec::new(), keys: Vec::new(), newest: None };
        for RawUpdate { update, raw } in updates {
            batch.newest = batch.newest.max(Some(update));
            let (route, key) = self.route(raw, &hall);
            batch.arrivals.push(Arrival { update, route, at: self.peers.clock.now() });
            batch.keys.push(key);
        }
        batch
    }

    fn route(&mut self, raw: bytes::Bytes, hall: &View) -> (Route, Option<SessionKey>) {
        let Some(origin) = self.peers.messenger.origin(&raw) else {
            let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&raw).is_ok();
            if is_json {
                // A kind without a chat: nobody here answers it.
                return (Route::Dropped(DropReason::NotForUs), None);
            }
            // INGRESS-2: it is set aside alone.
            self.peers.tally.quarantined("unreadable", 1);
            return (Route::Quarantined { raw }, None);
        };
        let now = self.peers.clock.now();
        let standing = hall.standing(origin.person, origin.chat, now);
        let slowed = origin.person.and_then(|it| hall.runs().slowed(it, now));
        let allowance = match standing {
            Standing::Guest if self.pace.is_held_back(&origin, slowed, Instant::now()) => {
                Allowance::HeldBack(slowed.map(|it| it.per_minute).unwrap_or_default())
            }
            Standing::Guest => self.pace.weigh(&origin, Instant::now()),
            Standing::Admin | Standing::Stranger | Standing::Blocked => Allowance::Within,
        };
        let decision = decide(&origin, standing, allowance, self.config.flood_ignore);
        match self.with_link(decision, (&origin, &raw), hall) {
            Decision::Admit => {
                let chat = hall.home(origin.chat);
                let key = SessionKey { bot: self.bot, chat, topic: origin.topic };
                let owner = key.owner(origin.person);
                (Route::Session { key, owner, raw }, Some(key))
            }
            Decision::Drop(reason, tell) => {
                self.log_attempt(&raw, hall);
                let held_off =
                    origin.person.filter(|_| origin.private && reason == DropReason::Blocked);
                let held_off = held_off.and_then(|it| hall.runs().blocked(it, now));
                let tell = tell.or(held_off.map(Tell::Wait));
                if let (Some(tell), Some(person)) = (tell, origin.person) {
                    self.tell(person, (&origin, &raw), tell);
                }
                (Route::Dropped(reason), None)
            }
        }
    }

    /// Somebody who may not talk and opens a link comes in with it, or is told why it lets nobody in.
    fn with_link(
        &self,
        decision: Decision,
        (origin, raw): (&Origin, &[u8]),
        hall: &View,
    ) -> Decision {
        let Decision::Drop(DropReason::Stranger, Some(Tell::Private(person))) = decision else {
            return decision;
        };
        if !origin.private || !invites::may_hold_token(raw) {
            return decision;
        }
        let inbound = self.read(raw);
        let Some(token) = inbound.as_ref().and_then(invites::token_in) else { return decision };
        match hall.invites().find(token, self.peers.clock.now()) {
            Ok(_) => Decision::Admit,
            Err(why) => Decision::Drop(DropReason::Stranger, Some(Tell::Closed(why, person))),
        }
    }

    /// An officer's command of somebody who may not even talk is logged; their text is not.
    fn log_attempt(&self, raw: &[u8], hall: &View) {
        let attempt = self.read(raw).and_then(|it| request::attempted(&it, hall));
        let Some((command, actor)) = attempt else { return };
        session::log_attempt(&self.peers.pseudonym, command, actor);
        let target = Target::Thing(command.to_owned());
        let deed = Deed::done(self.peers.clock.now(), actor, Action::CommandDenied, target);
        self.peers.audit.note(deed.with(Outcome::Denied));
    }

    /// A reader that fails over bytes of strangers must not take ingress down.
    fn read(&self, raw: &[u8]) -> Option<Inbound> {
        let read = AssertUnwindSafe(|| self.peers.messenger.read(raw));
        catch_unwind(read).unwrap_or(None)
    }

    fn tell(&mut self, person: PersonId, (origin, raw): (&Origin, &[u8]), tell: Tell) {
        let now = Instant::now();
        let is_new = match tell {
            // Each flood is told once by itself.
            Tell::SlowDown | Tell::Ignored(_) => true,
            // Each block is told once.
            Tell::Wait(_) if TOLD_MAX <= self.waits.len() => false,
            Tell::Wait(until) => self.waits.insert(person, until) != Some(until),
            Tell::Private(_) | Tell::Slowed(_) | Tell::Closed(..)
                if TOLD_MAX <= self.told.len() =>
            {
                false
            }
            Tell::Private(_) | Tell::Slowed(_) | Tell::Closed(..) => {
                let told = self.told.insert(person, now);
                told.is_none_or(|it| TOLD_EVERY <= now.duration_since(it))
            }
        };
        if !is_new {
            return;
        }
        let of_app = self.read(raw).as_ref().and_then(Inbound::language);
        let own = self.peers.tongues.known(person).filter(|_| origin.chat.0 == person.0);
        let language = self.config.languages.choose(own, of_app);
        let notice = tell.notice(self.peers.clock.now()).in_language(language);
        let msg = outbox::Msg::Send {
            to: Address { chat: origin.chat, topic: origin.topic },
            what: outbox::Sayable::Notice(notice),
            reply_to: None,
            part: None,
            reply: None,
        };
        // lost-ok: a courtesy to someone who may not talk.
        self.peers.outbox.try_tell(msg).ok();
    }

    fn ring(&self, receipts: &[Receipt], keys: &[Option<SessionKey>]) -> Result<(), Fault> {
        let new = receipts.iter().zip(keys).filter(|(it, _)| **it == Receipt::New);
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let admitted = new.clone().filter(|(_, key)| key.is_some()).count();
        let new = new.count();
        // For known ones too: whoever wrote them down may have failed before ringing.
        let mut ringing: Vec<SessionKey> = keys.iter().copied().flatten().collect();
        self.peers.tally.updates("admitted", count(admitted));
        self.peers.tally.updates("dropped", count(new - admitted));
        self.peers.tally.updates("known", count(receipts.len() - new));
        ringing.sort_unstable();
        ringing.dedup();
        if ringing.is_empty() {
            return Ok(());
        }
        // Without doorbells the updates would wait until the next one: begin anew instead, the
        // keeper looks at everything that waits when it starts.
        let rung = self.peers.keeper.try_tell(keeper::Msg::Ring(ringing));
        rung.map_err(|error| Fault::new("the keeper is away", error))
    }

    fn sweep(&mut self) {
        let now = Instant::now();
        if Duration::from_secs(60) <= now.duration_since(self.swept) {
            self.swept = now;
            self.pace.forget_the_slow();
            self.told.retain(|_, at| now.duration_since(*at) < TOLD_EVERY);
            let now = self.peers.clock.now();
            self.waits.retain(|_, until| now < *until);
        }
    }

    fn pushed(
        &mut self,
        update: RawUpdate,
        reply: oneshot::Sender<Accepted>,
        cx: &mut Cx<'_, Self>,
    ) {
        if self.stopping || self.is_full() {
            // lost-ok: Telegram sends it again.
            reply.send(Accepted::TryLater).ok();
            return;
        }
        self.peers.tally.polled(self.peers.clock.now());
        self.sweep();
        let Batch { arrivals, keys, .. } = self.sort(vec![update]);
        let (memory, bot) = (self.peers.memory.clone(), self.bot);
        let work =
            async move { ask(&memory, |reply| memory::Msg::Journal(bot, arrivals, reply)).await };
        cx.when(work, move |ingress, receipts, _| {
            fault_point("ingress_journalled");
            let accepted = match receipts {
                Ok(Ok(receipts)) => {
                    ingress.ring(&receipts, &keys)?;
                    Accepted::Durable
                }
                Ok(Err(_)) | Err(_) => Accepted::TryLater,
            };
            // lost-ok: the connection broke; Telegram sends it again and the ledger knows it.
            reply.send(accepted).ok();
            Ok(())
        });
    }
}

impl Actor for Ingress {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        info!(
            event.action = "ingress_started",
            labels.polls = self.config.polls,
            "taking updates in"
        );
        if self.config.polls {
            self.poll(cx);
        } else {
            // A webhook is silent while nobody writes: that is progress too.
            keep_alive(cx);
        }
        Ok(())
    }

    fn handle(&mut self, msg: Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        let Msg::Pushed(update, reply) = msg;
        self.pushed(update, reply, cx);
        Ok(())
    }

    fn may_stop(&mut self, _: &mut Cx<'_, Self>) -> bool {
        // A poll under way confirms nothing new: what it brings stays with Telegram.
        self.stopping = true;
        true
    }
}

fn keep_alive(cx: &mut Cx<'_, Ingress>) {
    cx.after(Duration::from_secs(20), |_, cx| {
        keep_alive(cx);
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ChatId;

    const CONFIG: IngressConfig = IngressConfig {
        polls: true,
        poll_wait: Duration::from_secs(25),
        person_per_minute: 20,
        person_burst: 3,
        chat_per_minute: 0,
        flood_ignore: Duration::from_secs(600),
        waiting_max: 100,
        languages: Languages::ENGLISH,
    };

    fn origin(person: i64) -> Origin {
        Origin { chat: ChatId(person), topic: None, person: Some(PersonId(person)), private: true }
    }

    #[tokio::test]
    async fn a_flood_is_told_once_and_then_ignored_and_others_are_not_touched() {
        let mut pace = Pace::new(&CONFIG);
        let now = Instant::now();
        let weighed: Vec<Allowance> = (0..16).map(|_| pace.weigh(&origin(1), now)).collect();
        assert_eq!(weighed[..3], [Allowance::Within; 3]);
        assert_eq!(weighed[3], Allowance::TooFast(true));
        assert!(weighed[4..12].iter().all(|it| *it == Allowance::TooFast(false)), "{weighed:?}");
        assert_eq!(weighed[12], Allowance::Ignored(true));
        assert!(weighed[13..].iter().all(|it| *it == Allowance::Ignored(false)));
        assert_eq!(pace.weigh(&origin(2), now), Allowance::Within);
    }

    #[tokio::test]
    async fn a_limit_of_zero_is_no_limit() {
        let mut pace = Pace::new(&IngressConfig { person_per_minute: 0, ..CONFIG });
        assert!((0..1_000).all(|_| pace.weigh(&origin(1), Instant::now()) == Allowance::Within));
    }

    #[test]
    fn ingress_3_strangers_are_dropped_and_told_in_private_only() {
        let decided =
            |origin, standing| decide(&origin, standing, Allowance::Within, CONFIG.flood_ignore);
        let told = Some(Tell::Private(PersonId(5)));
        assert_eq!(
            decided(origin(5), Standing::Stranger),
            Decision::Drop(DropReason::Stranger, told)
        );
        let group = Origin { private: false, chat: ChatId(-1), ..origin(5) };
        assert_eq!(decided(group, Standing::Stranger), Decision::Drop(DropReason::Stranger, None));
        assert_eq!(
            decided(origin(5), Standing::Blocked),
            Decision::Drop(DropReason::Blocked, None)
        );
        assert_eq!(decided(origin(5), Standing::Guest), Decision::Admit);
    }

    #[test]
    fn an_admin_is_never_limited() {
        let decision =
            decide(&origin(1), Standing::Admin, Allowance::Ignored(true), CONFIG.flood_ignore);
        assert_eq!(decision, Decision::Admit);
    }
}
