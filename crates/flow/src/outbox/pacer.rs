//! When which request is sent: a queue for each chat, and the bot's pace. Pure: it has a virtual clock and no I/O.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use protocol::ChatId;

use super::give_back;

/// How fast a bot may write. Zero switches a limit off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pacing {
    /// False: as fast as it can. `retry_after` is obeyed all the same.
    pub enabled: bool,
    /// Requests a second to one chat.
    pub chat_per_second: f64,
    /// Requests that a quiet chat takes at once.
    pub chat_burst: f64,
    /// Requests a minute to one group.
    pub group_per_minute: f64,
    /// Requests a second in all.
    pub all_per_second: f64,
}

impl Pacing {
    /// Requests that may wait beside the actors for one of the places to be sent from. At a pace
    /// nothing waits there; without one, a place that is free must not wait for the actors' thread.
    pub(super) fn handed_over_max(&self) -> usize {
        if self.enabled { self.in_flight_max() } else { HANDED_OVER_MAX }
    }

    pub(super) fn in_flight_max(&self) -> usize {
        let paced = if self.enabled { self.all_per_second * IN_FLIGHT_SECONDS } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float becomes the nearest whole number that there is"
        )]
        let paced = paced as usize;
        paced.clamp(IN_FLIGHT_MIN, IN_FLIGHT_MAX)
    }
}

/// A request to the chat service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(u64);

impl JobId {
    /// Unique in the process: the end of an earlier incarnation's send that is still in the mailbox
    /// must not pass for the end of another one.
    pub(super) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What the core can be told. All times are since its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A message is to be sent.
    Message(ChatId, JobId),
    /// Something is to be shown that is worth nothing later.
    Extra(ChatId, JobId),
    /// A request was accepted, or refused for good.
    Settled(ChatId),
    /// The service asks to wait.
    Flooded(ChatId, Option<JobId>, Duration),
    /// The service cannot be reached.
    Unreachable(ChatId, JobId),
    /// Time has passed.
    Woken,
}

/// What the core wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send it now.
    Start(JobId),
    /// Forget it: it is an extra, and there is no room.
    Drop(JobId),
    /// Say `Woken` then.
    WakeAt(Duration),
}

/// One chat's queue.
#[derive(Debug, Default)]
struct Line {
    jobs: VecDeque<JobId>,
    busy: bool,
    /// When the chat's budget is empty of debt (GCRA's theoretical arrival time).
    paid_until: Duration,
    group_paid_until: Duration,
    blocked_until: Duration,
    failures: u32,
    /// Its place in the agenda, if it has one.
    due: Option<Duration>,
}

/// The pace of a bot, without I/O. GCRA as in ITU-T I.371: one timestamp per budget.
#[derive(Debug)]
pub struct Pacer {
    pacing: Pacing,
    lines: HashMap<ChatId, Line>,
    /// Chats that have something to send and may send at that time.
    agenda: BTreeSet<(Duration, ChatId)>,
    all_paid_until: Duration,
    handed_over: usize,
    handed_over_max: usize,
    swept: Duration,
}

/// Requests of one bot at a time, each on a connection of its own, at the least and at the most. A
/// kill may repeat what was accepted and is not known here yet, so there are no more of them than a
/// quarter of a second of the bot's pace, which is longer than the way to Telegram and back.
pub(super) const IN_FLIGHT_MIN: usize = 8;
const IN_FLIGHT_MAX: usize = 64;
const IN_FLIGHT_SECONDS: f64 = 0.25;
const HANDED_OVER_MAX: usize = 64;
const UNREACHABLE_PAUSE_MAX: Duration = Duration::from_secs(30);

impl Pacer {
    /// A pacer with nothing to send.
    #[must_use]
    pub fn new(pacing: Pacing) -> Self {
        let (lines, agenda) = (HashMap::new(), BTreeSet::new());
        let zero = Duration::ZERO;
        let handed_over_max = pacing.handed_over_max();
        let all_paid_until = zero;
        Self { pacing, lines, agenda, all_paid_until, handed_over: 0, handed_over_max, swept: zero }
    }

    /// Takes one input and says what to do about it.
    #[must_use = "effects not carried out are lost"]
    pub fn step(&mut self, input: Input, now: Duration) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Message(chat, job) => {
                let line = self.lines.entry(chat).or_default();
                line.jobs.push_back(job);
                self.plan(chat, now);
            }
            Input::Extra(chat, job) => self.extra(chat, job, now, &mut effects),
            Input::Settled(chat) => {
                self.handed_over = self.handed_over.saturating_sub(1);
                if let Some(line) = self.lines.get_mut(&chat) {
                    line.busy = false;
                    line.failures = 0;
                    if line.jobs.is_empty() && !self.pacing.enabled && line.blocked_until <= now {
                        self.lines.remove(&chat);
                        give_back(&mut self.lines);
                    } else {
                        self.plan(chat, now);
                    }
                }
            }
            Input::Flooded(chat, job, wait) => self.again(chat, job, now + wait, now),
            Input::Unreachable(chat, job) => {
                let failures = self.lines.get(&chat).map_or(0, |it| it.failures);
                let pause = Duration::from_millis(200) * 2_u32.saturating_pow(failures.min(16));
                self.again(chat, Some(job), now + pause.min(UNREACHABLE_PAUSE_MAX), now);
            }
            Input::Woken => (),
        }
        self.start_what_is_due(now, &mut effects);
        self.sweep(now);
        effects
    }

    /// Puts a request back to the head of its chat's queue, not before a time. OUTBOX-2.
    fn again(&mut self, chat: ChatId, job: Option<JobId>, not_before: Duration, now: Duration) {
        self.handed_over = self.handed_over.saturating_sub(1);
        let line = self.lines.entry(chat).or_default();
        line.busy = false;
        line.failures += 1;
        line.blocked_until = line.blocked_until.max(not_before);
        if let Some(job) = job {
            line.jobs.push_front(job);
        }
        self.plan(chat, now);
    }

    /// Enters a chat into the agenda if it has something to send and is not sending. OUTBOX-1.
    fn plan(&mut self, chat: ChatId, now: Duration) {
        let pacing = self.pacing;
        let Some(line) = self.lines.get_mut(&chat) else { return };
        if let Some(due) = line.due.take() {
            self.agenda.remove(&(due, chat));
        }
        if line.busy || line.jobs.is_empty() {
            return;
        }
        let due = line.blocked_until.max(line.earliest(chat, &pacing)).max(now);
        line.due = Some(due);
        self.agenda.insert((due, chat));
    }

    fn start_what_is_due(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        while let Some(&(due, chat)) = self.agenda.first() {
            if self.handed_over_max <= self.handed_over {
                return; // The next one to end makes room.
            }
            let all_free = self.all_free_at();
            if now < due.max(all_free) {
                effects.push(Effect::WakeAt(due.max(all_free)));
                return;
            }
            self.agenda.pop_first();
            let pacing = self.pacing;
            let Some(line) = self.lines.get_mut(&chat) else { continue };
            line.due = None;
            if let Some(job) = line.jobs.pop_front() {
                line.busy = true;
                self.handed_over += 1;
                line.pay(chat, &pacing, now);
                self.pay_all(now);
                effects.push(Effect::Start(job));
            }
        }
    }

    /// Previews and actions go out only where nothing waits and half the chat's burst is left.
    fn extra(&mut self, chat: ChatId, job: JobId, now: Duration, effects: &mut Vec<Effect>) {
        let pacing = self.pacing;
        let all_free = self.all_free_at();
        // A message of another chat that waits only for the bot's budget goes first. OUTBOX-3.
        let gives_way = self.agenda.first().is_some_and(|(due, _)| *due <= now);
        let line = self.lines.entry(chat).or_default();
        let spare = if pacing.enabled {
            per(pacing.chat_per_second) * (pacing.chat_burst / 2.0)
        } else {
            0.0
        };
        let spare = Duration::try_from_secs_f64(spare).unwrap_or(Duration::ZERO);
        // Half of what a group takes at once is kept for messages.
        let group_spare = per(pacing.group_per_minute / 60.0) * (GROUP_BURST / 2.0);
        let group_spare = Duration::try_from_secs_f64(group_spare).unwrap_or(Duration::ZERO);
        let has_room = !gives_way
            && !line.busy
            && line.jobs.is_empty()
            && line.blocked_until <= now
            && line.earliest(chat, &pacing) <= now
            && line.paid_until <= now + spare
            && line.group_paid_until <= now + group_spare
            && all_free <= now
            && self.handed_over < self.handed_over_max;
        if has_room {
            line.busy = true;
            self.handed_over += 1;
            line.pay(chat, &pacing, now);
            self.pay_all(now);
            effects.push(Effect::Start(job));
        } else {
            effects.push(Effect::Drop(job));
        }
    }

    fn all_free_at(&self) -> Duration {
        if !self.pacing.enabled || self.pacing.all_per_second <= 0.0 {
            return Duration::ZERO;
        }
        // A second's worth may go at once.
        self.all_paid_until.saturating_sub(Duration::from_secs(1))
    }

    fn pay_all(&mut self, now: Duration) {
        if self.pacing.enabled && 0.0 < self.pacing.all_per_second {
            let price = Duration::from_secs_f64(per(self.pacing.all_per_second));
            self.all_paid_until = self.all_paid_until.max(now) + price;
        }
    }

    /// Forgets chats that have nothing to send and owe nothing.
    fn sweep(&mut self, now: Duration) {
        if now < self.swept + Duration::from_secs(10) {
            return;
        }
        self.swept = now;
        self.lines.retain(|_, it| {
            let owes = now < it.paid_until.max(it.group_paid_until).max(it.blocked_until);
            it.busy || owes || !it.jobs.is_empty()
        });
        give_back(&mut self.lines);
    }

    /// Requests that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lines.values().map(|it| it.jobs.len()).sum()
    }
}

/// Seconds for one of so many a second.
fn per(rate: f64) -> f64 {
    if 0.0 < rate { 1.0 / rate } else { 0.0 }
}

const GROUP_BURST: f64 = 20.0;

impl Line {
    fn earliest(&self, chat: ChatId, pacing: &Pacing) -> Duration {
        if !pacing.enabled {
            return Duration::ZERO;
        }
        let burst = Duration::from_secs_f64(
            per(pacing.chat_per_second) * (pacing.chat_burst - 1.0).max(0.0),
        );
        let own = self.paid_until.saturating_sub(burst);
        if 0 <= chat.0 {
            return own;
        }
        let group = per(pacing.group_per_minute / 60.0) * (GROUP_BURST - 1.0);
        own.max(self.group_paid_until.saturating_sub(Duration::from_secs_f64(group)))
    }

    fn pay(&mut self, chat: ChatId, pacing: &Pacing, now: Duration) {
        if !pacing.enabled {
            return;
        }
        let price = Duration::from_secs_f64(per(pacing.chat_per_second));
        self.paid_until = self.paid_until.max(now) + price;
        if chat.0 < 0 {
            let price = Duration::from_secs_f64(per(pacing.group_per_minute / 60.0));
            self.group_paid_until = self.group_paid_until.max(now) + price;
        }
    }
}
