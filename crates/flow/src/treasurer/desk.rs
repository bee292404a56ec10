//! Where calls are paid for: the accounts behind one lock, so that no call waits for a message.
//!
//! The broker takes a [`Ticket`] before every call and gives it back with what the call did cost. A
//! ticket that is dropped counts as used up whole.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::{AgentName, Clock, PersonId, Timestamp, hearing::Toll, model::Usage};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{
    Missing,
    books::{Answer, Books, Crossed, Grant, Kind, Payer, Spent, Standing, Want, Which},
    caps::{Amount, Budgets, Caps, Period, Whose},
    habit::{Habits, Unusual},
    rows::{Head, Row},
    time::{Calendar, Day, HallTime},
};
use crate::roster::Shared as Hall;

/// Why somebody is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverCap {
    /// Whose cap is reached.
    pub kind: Kind,
    /// Of which period.
    pub period: Period,
    /// When the next period begins.
    pub resumes: Timestamp,
}

/// What somebody is told beside an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Whose cap is near, or reached.
    pub cap: OverCap,
    /// How many hundredths of it are used; `None` if all of it is.
    pub percent: Option<u32>,
}

/// Something that is not as it usually is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// Whose account.
    pub whose: Whose,
    /// With which agent.
    pub agent: AgentName,
    /// What it is.
    pub what: Deviating,
}

/// In which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviating {
    /// A line was crossed: all of a cap is used up, or nearly all.
    Crossed {
        /// Of which period.
        period: Period,
        /// All of it.
        is_over: bool,
    },
    /// Far more is used than usual.
    Unusual(Unusual),
}

/// Deviations that may wait to be noted.
const DEVIATIONS_MAX: usize = 1_000;

/// Where somebody stands before a question is taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purse {
    /// There is enough.
    Full,
    /// A cheaper model is to be asked.
    Low,
    /// There is nothing left.
    Empty(OverCap),
}

/// The way to the accounts. Cheap to clone.
#[derive(Clone)]
pub struct Desk(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    hall: Hall,
    clock: Arc<dyn Clock>,
    calendar: Calendar,
    /// Sent when somebody who waits may ask again.
    changed: watch::Sender<()>,
    /// Notified when something has to be written soon.
    call: Notify,
}

#[derive(Debug)]
struct State {
    books: Books,
    time: HallTime,
    born: Instant,
    /// The day, and from when to when it is that.
    today: (Day, Timestamp, Timestamp),
    is_open: bool,
    /// What the operators are still to be told.
    crossed: Vec<Crossed>,
    habits: Habits,
    /// What is to be noted as a sign of trouble.
    deviations: Vec<Deviation>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// What is to be written.
pub(super) struct Drawn {
    pub(super) head: Head,
    pub(super) rows: Vec<Row>,
    /// All accounts, where they are to be stored anew.
    pub(super) whole: Option<Vec<Row>>,
}

impl Desk {
    /// An empty desk. Nothing is granted where a cap applies before it is opened.
    #[must_use]
    pub fn new(hall: Hall, clock: Arc<dyn Clock>, calendar: Calendar) -> Self {
        let state = State {
            books: Books::default(),
            time: HallTime::default(),
            born: Instant::now(),
            today: Default::default(),
            is_open: false,
            crossed: Vec::new(),
            habits: Habits::default(),
            deviations: Vec::new(),
        };
        let (changed, _) = watch::channel(());
        let (state, call) = (Mutex::new(state), Notify::new());
        Self(Arc::new(Shared { state, hall, clock, calendar, changed, call }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the accounts, the day and the caps.
    fn with<T>(&self, work: impl FnOnce(&mut State, Day, &Caps) -> T) -> T {
        let hall = self.0.hall.load();
        let caps = hall.caps();
        let mut state = self.state();
        let now = state.now(self.0.clock.now(), caps.any());
        let (day, from, until) = state.today;
        let day = if from <= now && now < until { day } else { self.turn_page(&mut state, now) };
        work(&mut state, day, caps)
    }

    /// Another day has begun.
    fn turn_page(&self, state: &mut State, now: Timestamp) -> Day {
        let calendar = &self.0.calendar;
        let day = calendar.day(now);
        state.today = (day, now, calendar.end(now, Period::Day));
        state.books.prune(day);
        state.habits.prune(now);
        day
    }

    /// The calendar of the hall.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.0.calendar
    }

    /// True if anything is capped: then a call has to be covered before it is made.
    #[must_use]
    pub fn has_caps(&self) -> bool {
        self.0.hall.load().caps().any()
    }

    pub(super) fn warn_percent(&self) -> u32 {
        self.0.hall.load().caps().budgets.warn_percent
    }

    // --- for the broker ---

    /// Whether somebody may ask, before a question is taken on.
    #[must_use]
    pub fn weigh(&self, payer: Payer, agent: &AgentName) -> Purse {
        if !self.has_caps() {
            return Purse::Full;
        }
        let standing = self.with(|state, day, caps| state.books.weigh(payer, agent, day, caps));
        match standing {
            Standing::Open => Purse::Full,
            Standing::Low => Purse::Low,
            Standing::Over(which) => Purse::Empty(self.over(which)),
        }
    }

    /// The model that is asked where little is left.
    #[must_use]
    pub fn cheaper_model(&self) -> Option<String> {
        self.0.hall.load().caps().budgets.step_down_to.clone()
    }

    /// Takes a ticket for a call, and waits for it where it has to be written first.
    ///
    /// # Errors
    /// Which cap is reached.
    pub async fn ticket(&self, want: Want) -> Result<Ticket, OverCap> {
        let mut changed = self.0.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if let Some(answer) = self.try_ticket(&want) {
                return answer;
            }
            // lost-ok: the sender lives as long as the desk.
            changed.changed().await.ok();
        }
    }

    /// Takes a ticket if there is one at once.
    #[must_use]
    pub fn try_ticket(&self, want: &Want) -> Option<Result<Ticket, OverCap>> {
        let answer = self.with(|state, day, caps| {
            if !caps.any() {
                return Answer::Granted(state.books.grant_freely(want.payer, &want.agent));
            }
            if !state.is_open {
                return Answer::Wait;
            }
            let answer = state.books.reserve(want, day, caps);
            if state.books.is_urgent() {
                self.0.call.notify_one();
            }
            answer
        });
        match answer {
            Answer::Granted(grant) => {
                Some(Ok(Ticket { desk: self.clone(), grant: Some(grant), most: want.most }))
            }
            Answer::Wait => None,
            Answer::Over(which) => Some(Err(self.over(which))),
        }
    }

    fn over(&self, (kind, period): Which) -> OverCap {
        let now = self.with(|state, _, _| state.time.believed());
        OverCap { kind, period, resumes: self.0.calendar.end(now, period) }
    }

    fn settle(&self, grant: &Grant, spent: Spent) -> (u64, Option<Warning>) {
        let (booked, warned, percent) = self.with(|state, day, caps| {
            let booked = state.books.settle(grant, spent, day, caps);
            let (own, halls) =
                state.books.take_crossed().into_iter().partition(|it: &Crossed| {
                    matches!(it.whose, Whose::Person(_) | Whose::Chat(_))
                });
            let (own, mut halls): (Vec<Crossed>, Vec<Crossed>) = (own, halls);
            state.deviate(grant, spent, own.iter().chain(&halls), &caps.budgets);
            if !state.deviations.is_empty() {
                self.0.call.notify_one();
            }
            state.crossed.append(&mut halls);
            (booked, own, caps.budgets.warn_percent)
        });
        // Those who wait for the rest may look again.
        self.0.changed.send_replace(());
        let worst = warned.into_iter().max_by_key(|it| it.is_over);
        let warning = worst.map(|it| Warning {
            cap: self.over(((&it.whose).into(), it.period)),
            percent: (!it.is_over).then_some(percent),
        });
        (booked, warning)
    }

    // --- for the treasurer ---

    pub(super) fn is_open(&self) -> bool {
        self.state().is_open
    }

    pub(super) fn read(&self, rows: Vec<Row>) {
        let mut state = self.state();
        for row in rows {
            state.habits.read(&row);
            state.books.read(row);
        }
    }

    /// Makes up what is missing, and grants calls from now on.
    pub(super) fn open(&self, head: Head, missing: &[Missing]) {
        let calendar = &self.0.calendar;
        let mut state = self.state();
        // TREASURER-3: a record's clock opens no new day. Where a cap applies nothing was granted in
        // one that had not been written.
        let last = calendar.day(head.believed);
        let mut missing: Vec<_> =
            missing.iter().map(|it| (calendar.day(it.at).min(last), it)).collect();
        missing.sort_by_key(|(day, _)| *day);
        for (day, Missing { payer, agent, sums, booked, .. }) in missing {
            state.books.make_up((*payer, agent), *sums, *booked, day);
        }
        state.books.opened(head.balance);
        // TREASURER-3: the time goes on from where it was.
        let believed = if head.balance == 0 { self.0.clock.now() } else { head.believed };
        state.time = HallTime::begin(believed, state.born.elapsed());
        state.is_open = true;
    }

    pub(super) fn day(&self) -> Day {
        self.with(|_, day, _| day)
    }

    pub(super) fn draw_up(&self, is_last: bool, is_due: bool, whole: bool) -> Option<Drawn> {
        let at = self.0.clock.now();
        self.with(|state, _, caps| {
            if !state.books.has_changed() && !is_due {
                return None;
            }
            let mut balance = state.books.draw_up(caps, is_last);
            let mut whole = whole.then(|| state.books.whole(&balance, caps));
            state.habits.put_into(&mut balance.rows);
            whole.iter_mut().for_each(|it| state.habits.put_into(it));
            let head = Head { balance: balance.number, believed: state.time.believed(), at };
            Some(Drawn { head, rows: balance.rows, whole })
        })
    }

    pub(super) fn written(&self) {
        self.state().books.written();
        self.0.changed.send_replace(());
    }

    pub(super) fn not_written(&self) {
        self.state().books.not_written();
    }

    pub(super) fn put_to_rest(&self) {
        self.state().books.put_to_rest();
    }

    pub(super) fn is_urgent(&self) -> bool {
        self.state().books.is_urgent()
    }

    pub(super) fn has_changed(&self) -> bool {
        self.state().books.has_changed()
    }

    /// Waits until something has to be written soon.
    pub(super) async fn called(&self) {
        self.0.call.notified().await;
    }

    pub(super) fn forget(&self, person: PersonId) {
        let mut state = self.state();
        state.books.forget(person);
        state.habits.forget(person);
        state.deviations.retain(|it| it.whose != Whose::Person(person));
    }

    pub(super) fn deviations(&self) -> Vec<Deviation> {
        std::mem::take(&mut self.state().deviations)
    }

    // --- for the warden ---

    /// What a person used in this hour or the last, where it was far more than usual.
    #[must_use]
    pub fn unusual(&self, person: PersonId) -> Option<Unusual> {
        self.with(|state, _, caps| {
            state.habits.unusual(person, state.time.believed(), &caps.budgets)
        })
    }

    /// What a person used in this hour, and what is usual; zeros where that is not known.
    #[must_use]
    pub fn habit(&self, person: PersonId) -> (u64, u64) {
        self.with(|state, _, _| state.habits.of(person, state.time.believed()))
    }

    pub(super) fn crossed_of_halls(&self) -> Vec<Crossed> {
        std::mem::take(&mut self.state().crossed)
    }

    /// Looks at the accounts.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Books, Day, &Caps, Timestamp) -> T) -> T {
        self.with(|state, day, caps| look(&state.books, day, caps, state.time.believed()))
    }
}

impl State {
    /// Notes what is not as usual about a call.
    fn deviate<'c>(
        &mut self,
        grant: &Grant,
        spent: Spent,
        crossed: impl Iterator<Item = &'c Crossed>,
        budgets: &Budgets,
    ) {
        let (payer, agent) = grant.whom();
        let crossed = crossed.map(|it| {
            let what = Deviating::Crossed { period: it.period, is_over: it.is_over };
            (it.whose.clone(), what)
        });
        let mut found: Vec<(Whose, Deviating)> = crossed.collect();
        if let Spent::Answered(usage) = spent {
            let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
            let now = self.time.believed();
            for whose in Want::accounts(payer, agent).filter(|it| !self.books.is_gone(it, grant)) {
                let unusual = self.habits.take(&whose, now, tokens, budgets);
                found.extend(unusual.map(|it| (whose, Deviating::Unusual(it))));
            }
        }
        let room = DEVIATIONS_MAX.saturating_sub(self.deviations.len());
        // lost-ok: what finds no room is beyond what anybody can look at.
        let found = found.into_iter().take(room);
        let of = |(whose, what)| Deviation { whose, agent: agent.clone(), what };
        self.deviations.extend(found.map(of));
    }

    fn now(&mut self, wall: Timestamp, strict: bool) -> Timestamp {
        let passed: Duration = self.born.elapsed();
        self.time.look(wall, passed, strict && self.is_open)
    }
}

/// A call that may be made. Dropped, it counts as used up.
#[derive(Debug)]
pub struct Ticket {
    desk: Desk,
    grant: Option<Grant>,
    most: Amount,
}

impl Ticket {
    /// The call was answered. In which balance it is, and what its asker is to be told.
    #[must_use]
    pub fn answered(mut self, usage: Usage) -> (u64, Option<Warning>) {
        let settled = self.grant.take().map(|it| self.desk.settle(&it, Spent::Answered(usage)));
        settled.unwrap_or_default()
    }

    /// A recording was heard, or a text spoken. In which balance it is.
    #[must_use]
    pub fn sensed(mut self, toll: Toll) -> u64 {
        let settled = self.grant.take().map(|it| self.desk.settle(&it, Spent::Sensed(toll)));
        // Who is near a cap is told with the next answer.
        settled.map_or(0, |(booked, _)| booked)
    }

    /// There was no answer; so much may have been used all the same.
    pub fn lost(mut self, amount: Amount) {
        if let Some(grant) = self.grant.take() {
            // lost-ok: who is not answered is not told how much is left.
            let _ = self.desk.settle(&grant, Spent::Lost(amount));
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(grant) = self.grant.take() {
            // lost-ok: as above.
            let _ = self.desk.settle(&grant, Spent::Lost(self.most));
        }
    }
}
