//! The accounts of the hall: what was used, what may be used yet, and what of it stands on disk.
//!
//! Pure: no clock, no disk. Before a call, what it may cost is set aside; after it, what it did cost
//! takes its place. Where a cap applies, no call is granted that is not covered by what stands on
//! disk already: the lease of an account, written ahead in blocks, so that most calls wait for no
//! write. What was leased and not used when a crash came counts as used, as nobody knows better.
//!
//! Invariants: TREASURER-1 what was paid in a period and what may still be paid is at most the cap
//! and one request. TREASURER-2 no call is granted where a cap applies before what it may cost
//! stands on disk. TREASURER-4 without a crash the sums are those of the answers, and after one what
//! it has lost of them is made up from what the conversations recorded.

use std::collections::{BTreeMap, HashMap, HashSet};

use indexmap::IndexMap;
use protocol::{AgentName, ChatId, PersonId, hearing::Toll, model::Usage};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{
    caps::{Amount, Cap, Caps, Period, Whose},
    rows::{Row, StoredBook},
    time::Day,
};

/// Who pays for a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payer {
    /// Who asked; `None` for a channel or an anonymous group admin.
    pub person: Option<PersonId>,
    /// Where. A private chat is its person.
    pub chat: ChatId,
}

/// A call that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Who pays.
    pub payer: Payer,
    /// Who answers.
    pub agent: AgentName,
    /// The most that it may cost.
    pub most: Amount,
}

impl Want {
    /// The accounts that it goes to.
    pub(super) fn accounts(payer: Payer, agent: &AgentName) -> impl Iterator<Item = Whose> {
        let person = if 0 < payer.chat.0 { Some(PersonId(payer.chat.0)) } else { payer.person };
        let chat = (payer.chat.0 < 0).then_some(Whose::Chat(payer.chat.0));
        let agent = Whose::Agent(agent.clone());
        person.map(Whose::Person).into_iter().chain(chat).chain([agent, Whose::Hall])
    }
}

/// Whose cap it is, without their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person's.
    Person,
    /// A group's.
    Chat,
    /// An agent's.
    Agent,
    /// The hall's.
    Hall,
}

impl From<&Whose> for Kind {
    fn from(whose: &Whose) -> Self {
        match whose {
            Whose::Person(_) => Self::Person,
            Whose::Chat(_) => Self::Chat,
            Whose::Agent(_) => Self::Agent,
            Whose::Hall => Self::Hall,
        }
    }
}

/// Which cap: whose, and of which period.
pub type Which = (Kind, Period);

/// A granted call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Rises with each.
    number: u64,
    payer: Payer,
    agent: AgentName,
    most: Amount,
}

impl Grant {
    /// Who pays, and who answers.
    pub(super) fn whom(&self) -> (Payer, &AgentName) {
        (self.payer, &self.agent)
    }
}

/// What comes of a call that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It may be made.
    Granted(Grant),
    /// Not yet: something has to be written first, or others are under way that may use the rest.
    Wait,
    /// Not before the period is over.
    Over(Which),
}

/// Where somebody stands before a question is taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is enough.
    Open,
    /// There is so little left that a cheaper model is to be asked.
    Low,
    /// There is nothing left.
    Over(Which),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// With an answer that cost so much.
    Answered(Usage),
    /// With a recording that was heard, or a text that was spoken.
    Sensed(Toll),
    /// Without one; it may have cost so much.
    Lost(Amount),
}

impl Spent {
    /// What it adds to the sums of an account.
    fn sums(&self) -> Option<Sums> {
        match self {
            Self::Answered(usage) => Some(usage.into()),
            Self::Sensed(toll) => Some(toll.into()),
            Self::Lost(_) => None,
        }
    }
}

/// Something that crossed a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// Whose account.
    pub whose: Whose,
    /// Of which period.
    pub period: Period,
    /// True if there is nothing left; else it is at the line where somebody is told.
    pub is_over: bool,
}

/// Sums of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Answers.
    #[serde(default)]
    pub calls: u32,
    /// Seconds of recordings that were listened to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub heard_seconds: u32,
    /// Characters of answers that were spoken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub spoken_chars: u32,
    /// Tokens of questions.
    #[serde(default)]
    pub input: u64,
    /// Tokens of answers.
    #[serde(default)]
    pub output: u64,
    /// Millionths of the currency.
    #[serde(default)]
    pub micros: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl From<&Usage> for Sums {
    fn from(it: &Usage) -> Self {
        let (input, output) = (it.input_tokens, it.output_tokens);
        Self { calls: 1, input, output, micros: it.cost_micros, ..Self::default() }
    }
}

impl From<&Toll> for Sums {
    fn from(it: &Toll) -> Self {
        let Toll { heard_seconds, spoken_chars, cost_micros, booked: _ } = *it;
        Self { heard_seconds, spoken_chars, micros: cost_micros, ..Self::default() }
    }
}

impl Sums {
    /// Tokens and money.
    #[must_use]
    pub fn amount(&self) -> Amount {
        Amount { tokens: self.input.saturating_add(self.output), micros: self.micros }
    }

    fn add(&mut self, more: &Self) {
        self.calls = self.calls.saturating_add(more.calls);
        self.heard_seconds = self.heard_seconds.saturating_add(more.heard_seconds);
        self.spoken_chars = self.spoken_chars.saturating_add(more.spoken_chars);
        self.input = self.input.saturating_add(more.input);
        self.output = self.output.saturating_add(more.output);
        self.micros = self.micros.saturating_add(more.micros);
    }
}

/// What a capped period needs beside its sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Guarded {
    /// Used without an answer, or by calls that a crash cut off.
    lost: Amount,
    /// Set aside for calls under way.
    reserved: Amount,
    /// What may be used according to the disk.
    lease: Amount,
    /// What should stand on disk for those who wait.
    asked: Amount,
    /// The first grant that it counts.
    since: u64,
    warned: bool,
    told: bool,
}

/// One period of an account.
#[derive(Clone, Debug, Default)]
struct Book {
    number: u32,
    sums: Sums,
    guarded: Option<Box<Guarded>>,
}

impl Book {
    fn roll(&mut self, number: u32) {
        if number <= self.number {
            return;
        }
        let guarded = self.guarded.take().filter(|it| it.reserved != Amount::default());
        // What is under way goes on in the new period, and is to be written for it.
        let fresh = |it: Box<Guarded>| {
            let Guarded { reserved, since, .. } = *it;
            Box::new(Guarded { reserved, since, asked: reserved, ..Guarded::default() })
        };
        *self = Self { number, sums: Sums::default(), guarded: guarded.map(fresh) };
    }

    fn guard(&mut self, since: u64) -> &mut Guarded {
        self.guarded.get_or_insert_with(|| Box::new(Guarded { since, ..Guarded::default() }))
    }

    /// What was used, whether there was an answer or not.
    fn used(&self) -> Amount {
        self.sums.amount().plus(self.guarded.as_ref().map_or(Amount::default(), |it| it.lost))
    }

    /// What is to stand on disk from now on.
    fn lease(&self, cap: Cap, is_last: bool) -> Amount {
        let (used, Some(it)) = (self.used(), &self.guarded) else { return Amount::default() };
        let committed = used.plus(it.reserved);
        if is_last {
            return committed;
        }
        // Never less than what calls may have been granted on.
        cap.ahead(committed.most(it.asked)).most(it.lease)
    }
}

/// One account.
#[derive(Clone, Debug, Default)]
struct Account {
    day: Book,
    month: Book,
    /// Of a person: with whom they used it this month. Most people have one.
    agents: SmallVec<[(AgentName, Sums); 1]>,
}

impl Account {
    fn roll(&mut self, day: Day) {
        if self.month.number < day.month {
            self.agents = SmallVec::new();
        }
        self.day.roll(day.day);
        self.month.roll(day.month);
    }

    fn book(&mut self, period: Period) -> &mut Book {
        match period {
            Period::Day => &mut self.day,
            Period::Month => &mut self.month,
        }
    }

    fn add(&mut self, more: Sums, agent: Option<&AgentName>) {
        self.day.sums.add(&more);
        self.month.sums.add(&more);
        let Some(agent) = agent else { return };
        match self.agents.iter_mut().find(|(name, _)| name == agent) {
            Some((_, sums)) => sums.add(&more),
            None => self.agents.push((agent.clone(), more)),
        }
    }
}

const PERIODS: [Period; 2] = [Period::Day, Period::Month];

/// What an append is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Its number.
    pub number: u64,
    /// The accounts that changed.
    pub rows: Vec<Row>,
}

/// All accounts.
#[derive(Debug, Default)]
pub struct Books {
    /// In one list, with all that most people need: they stay when what came and went around them does not, and a piece
    /// for each would keep a page of it.
    accounts: IndexMap<Whose, Account>,
    /// The number of the newest balance that was drawn up.
    balance: u64,
    grants: u64,
    changed: HashSet<Whose>,
    /// What is being written, with the leases that hold once it is.
    writing: Vec<Row>,
    urgent: bool,
    crossed: Vec<Crossed>,
    /// Who was forgotten today, with the newest grant of that time: what is under way for them goes
    /// to no account of theirs.
    forgotten: HashMap<PersonId, u64>,
}

impl Books {
    /// Whether somebody may ask, before a question is taken on.
    pub fn weigh(&mut self, payer: Payer, agent: &AgentName, day: Day, caps: &Caps) -> Standing {
        let mut standing = Standing::Open;
        for whose in Want::accounts(payer, agent) {
            let allowance = caps.of(&whose);
            let account = self.accounts.entry(whose.clone()).or_default();
            account.roll(day);
            for period in PERIODS {
                let (cap, used) = (allowance.of(period), account.book(period).used());
                if cap.is_reached(used) {
                    return Standing::Over(((&whose).into(), period));
                }
                let percent = caps.budgets.step_down_percent;
                if 0 < percent && cap.is_at(used, percent) {
                    standing = Standing::Low;
                }
            }
        }
        standing
    }

    /// Sets aside what a call may cost. TREASURER-2.
    pub fn reserve(&mut self, want: &Want, day: Day, caps: &Caps) -> Answer {
        let number = self.grants + 1;
        let mut must_wait = false;
        for whose in Want::accounts(want.payer, &want.agent) {
            let allowance = caps.of(&whose);
            let account = self.accounts.entry(whose.clone()).or_default();
            account.roll(day);
            for period in PERIODS {
                let cap = allowance.of(period);
                if !cap.is_set() {
                    continue;
                }
                let book = account.book(period);
                let used = book.used();
                if cap.is_reached(used) {
                    return Answer::Over(((&whose).into(), period));
                }
                let it = book.guard(number);
                let committed = used.plus(it.reserved);
                if cap.is_reached(committed) {
                    // TREASURER-1: those under way may use up the rest.
                    must_wait = true;
                } else if !cap.holds(committed.plus(want.most), it.lease) {
                    must_wait = true;
                    it.asked = it.asked.most(committed.plus(want.most));
                    self.urgent = true;
                    self.changed.insert(whose.clone());
                }
            }
        }
        if must_wait {
            return Answer::Wait;
        }
        self.grants = number;
        self.set_aside(want, caps);
        let Want { payer, agent, most } = want.clone();
        Answer::Granted(Grant { number, payer, agent, most })
    }

    fn set_aside(&mut self, want: &Want, caps: &Caps) {
        for whose in Want::accounts(want.payer, &want.agent) {
            let allowance = caps.of(&whose);
            let Some(account) = self.accounts.get_mut(&whose) else { continue };
            for period in PERIODS {
                let (cap, book) = (allowance.of(period), account.book(period));
                let used = book.used();
                let Some(it) = &mut book.guarded else { continue };
                it.reserved = it.reserved.plus(want.most);
                // Written ahead before somebody has to wait for it.
                let next = used.plus(it.reserved).plus(want.most);
                if cap.is_set() && !cap.holds(next, it.lease) {
                    it.asked = it.asked.most(cap.ahead(next));
                    self.urgent = true;
                    self.changed.insert(whose.clone());
                }
            }
        }
    }

    /// A call is made that nobody has to be asked about: nothing is capped.
    pub fn grant_freely(&mut self, payer: Payer, agent: &AgentName) -> Grant {
        self.grants += 1;
        let most = Amount::default();
        Grant { number: self.grants, payer, agent: agent.clone(), most }
    }

    /// Puts what a call did cost in the place of what was set aside. The number of the balance that
    /// has it.
    pub fn settle(&mut self, grant: &Grant, spent: Spent, day: Day, caps: &Caps) -> u64 {
        for whose in Want::accounts(grant.payer, &grant.agent) {
            if self.is_gone(&whose, grant) {
                continue;
            }
            let account = self.accounts.entry(whose.clone()).or_default();
            account.roll(day);
            for period in PERIODS {
                let Some(it) = &mut account.book(period).guarded else { continue };
                if it.since <= grant.number {
                    it.reserved = it.reserved.minus(grant.most);
                }
                if let Spent::Lost(amount) = spent {
                    it.lost = it.lost.plus(amount);
                }
            }
            if let Some(sums) = spent.sums() {
                let is_person = matches!(whose, Whose::Person(_));
                account.add(sums, is_person.then_some(&grant.agent));
            }
            // A person is told with an answer; without one, later.
            let is_told = match whose {
                Whose::Person(_) | Whose::Chat(_) => matches!(spent, Spent::Answered(_)),
                Whose::Agent(_) | Whose::Hall => true,
            };
            if is_told {
                self.look_at_lines(&whose, caps);
            }
            self.changed.insert(whose);
        }
        self.balance + 1
    }

    /// True if a person was forgotten while the call was under way.
    pub(super) fn is_gone(&self, whose: &Whose, grant: &Grant) -> bool {
        let Whose::Person(person) = whose else { return false };
        self.forgotten.get(person).is_some_and(|newest| grant.number <= *newest)
    }

    /// Notes which lines an account has crossed, each once in a period.
    fn look_at_lines(&mut self, whose: &Whose, caps: &Caps) {
        let (allowance, percent) = (caps.of(whose), caps.budgets.warn_percent);
        let Some(account) = self.accounts.get_mut(whose) else { return };
        for period in PERIODS {
            let cap = allowance.of(period);
            let book = account.book(period);
            let used = book.used();
            let Some(it) = &mut book.guarded else { continue };
            let is_over = cap.is_reached(used);
            let is_near = 0 < percent && cap.is_at(used, percent);
            if (is_over && !it.told) || (is_near && !it.warned) {
                it.told |= is_over;
                it.warned = true;
                self.crossed.push(Crossed { whose: whose.clone(), period, is_over });
            }
        }
    }

    /// What crossed a line since the last time.
    pub fn take_crossed(&mut self) -> Vec<Crossed> {
        std::mem::take(&mut self.crossed)
    }

    /// True if somebody waits for a write, or soon would.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.urgent && self.has_changed()
    }

    /// True if something has changed that is not on disk.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    // --- writing ---

    /// Nothing is granted any more: what is written ahead is to be taken back.
    pub fn put_to_rest(&mut self) {
        for (whose, account) in &self.accounts {
            let is_ahead = |it: &Book| {
                let committed = |of: &Guarded| it.used().plus(of.reserved);
                it.guarded.as_ref().is_some_and(|of| of.lease != committed(of))
            };
            if is_ahead(&account.day) || is_ahead(&account.month) {
                self.changed.insert(whose.clone());
            }
        }
    }

    /// Draws up what is to be written. `is_last`: nothing is granted after it, so that nothing has
    /// to be written ahead.
    pub fn draw_up(&mut self, caps: &Caps, is_last: bool) -> Balance {
        self.balance += 1;
        self.urgent = false;
        let changed = std::mem::take(&mut self.changed);
        let rows = changed.into_iter().filter_map(|whose| {
            let account = self.accounts.get(&whose)?;
            Some(row(whose.clone(), account, caps, is_last))
        });
        self.writing = rows.collect();
        Balance { number: self.balance, rows: self.writing.clone() }
    }

    /// It is on disk: its leases hold.
    pub fn written(&mut self) {
        for Row { whose, day, month, .. } in std::mem::take(&mut self.writing) {
            let Some(account) = self.accounts.get_mut(&whose) else { continue };
            for (book, stored) in [(&mut account.day, day), (&mut account.month, month)] {
                if book.number != stored.number {
                    continue;
                }
                let Some(it) = &mut book.guarded else { continue };
                it.lease = stored.lease;
                // Who still waits asks again.
                it.asked = Amount::default();
            }
        }
    }

    /// It may be on disk or not: it is to be written again.
    pub fn not_written(&mut self) {
        let again = std::mem::take(&mut self.writing).into_iter().map(|it| it.whose);
        self.changed.extend(again);
        self.urgent = true;
    }

    /// Every account as the disk has it once a balance is written that was drawn up just now.
    #[must_use]
    pub fn whole(&self, balance: &Balance, caps: &Caps) -> Vec<Row> {
        let fresh: HashSet<&Whose> = balance.rows.iter().map(|it| &it.whose).collect();
        let rest = self.accounts.iter().filter(|(whose, _)| !fresh.contains(whose));
        let rest = rest.map(|(whose, it)| standing(row(whose.clone(), it, caps, false), it));
        balance.rows.iter().cloned().chain(rest).collect()
    }

    /// Lets go of accounts that were not used this month.
    pub fn prune(&mut self, day: Day) {
        self.forgotten.clear();
        let at_work =
            |it: &Book| it.guarded.as_ref().is_some_and(|it| it.reserved != Amount::default());
        self.accounts.retain(|whose, it| {
            day.month <= it.month.number
                || at_work(&it.day)
                || at_work(&it.month)
                || self.changed.contains(whose)
        });
        self.accounts.shrink_to_fit();
    }

    // --- reading ---

    /// Takes in an account as it was written. A later one takes the place of an earlier one.
    pub fn read(&mut self, row: Row) {
        let Row { whose, day, month, agents, habit: _ } = row;
        // Not the vector itself: one name needs no piece of its own.
        let agents = agents.into_iter().collect();
        let account = Account { day: book(day), month: book(month), agents };
        self.accounts.insert(whose, account);
    }

    /// Takes in what was used and is in no balance on disk: it was to be in this one.
    pub fn make_up(
        &mut self,
        (payer, agent): (Payer, &AgentName),
        sums: Sums,
        booked: u64,
        day: Day,
    ) {
        self.balance = self.balance.max(booked);
        for whose in Want::accounts(payer, agent) {
            let account = self.accounts.entry(whose.clone()).or_default();
            account.roll(day);
            let is_person = matches!(whose, Whose::Person(_));
            account.add(sums, is_person.then_some(agent));
            self.changed.insert(whose);
        }
    }

    /// All that was on disk is read: what was leased and not used counts as used.
    pub fn opened(&mut self, balance: u64) {
        self.balance = self.balance.max(balance);
        for (whose, account) in &mut self.accounts {
            for book in [&mut account.day, &mut account.month] {
                let used = book.used();
                let Some(it) = &mut book.guarded else { continue };
                let rest = it.lease.minus(used);
                if rest != Amount::default() {
                    it.lost = it.lost.plus(rest);
                    self.changed.insert(whose.clone());
                }
            }
        }
    }

    /// A person is forgotten: what they used is not known any more.
    pub fn forget(&mut self, person: PersonId) {
        let whose = Whose::Person(person);
        self.accounts.swap_remove(&whose);
        self.changed.remove(&whose);
        self.writing.retain(|it| it.whose != whose);
        self.forgotten.insert(person, self.grants);
    }

    // --- looking ---

    /// What an account used in a period, in answers and without.
    #[must_use]
    pub fn sums(&self, whose: &Whose, period: Period, day: Day) -> (Sums, Amount) {
        let book = self.accounts.get(whose).map(|it| match period {
            Period::Day => &it.day,
            Period::Month => &it.month,
        });
        let Some(book) = book.filter(|it| it.number == day.number(period)) else {
            return Default::default();
        };
        let lost = book.guarded.as_ref().map_or(Amount::default(), |it| it.lost);
        (book.sums, lost)
    }

    /// With whom a person used it this month.
    #[must_use]
    pub fn by_agent(&self, person: PersonId, day: Day) -> BTreeMap<AgentName, Sums> {
        let account = self.accounts.get(&Whose::Person(person));
        let account = account.filter(|it| it.month.number == day.month);
        account.map(|it| it.agents.iter().cloned().collect()).unwrap_or_default()
    }

    /// Everybody who has an account.
    pub fn everybody(&self) -> impl Iterator<Item = &Whose> {
        self.accounts.keys()
    }

    /// The number of the day or month that an account has.
    #[cfg(test)]
    pub(super) fn number(&self, whose: &Whose, period: Period) -> u32 {
        let account = self.accounts.get(whose).cloned().unwrap_or_default();
        if period == Period::Day { account.day.number } else { account.month.number }
    }

    /// What is set aside for calls under way.
    #[cfg(test)]
    pub(super) fn reserved(&self, whose: &Whose, period: Period) -> Amount {
        let account = self.accounts.get(whose).cloned().unwrap_or_default();
        let book = if period == Period::Day { account.day } else { account.month };
        book.guarded.map_or(Amount::default(), |it| it.reserved)
    }
}

fn row(whose: Whose, account: &Account, caps: &Caps, is_last: bool) -> Row {
    let allowance = caps.of(&whose);
    let stored = |book: &Book, cap: Cap| {
        let it = book.guarded.as_deref().copied().unwrap_or_default();
        StoredBook {
            number: book.number,
            sums: book.sums,
            lost: it.lost,
            lease: book.lease(cap, is_last),
            warned: it.warned,
            told: it.told,
        }
    };
    let (day, month) =
        (stored(&account.day, allowance.day), stored(&account.month, allowance.month));
    Row { whose, day, month, agents: account.agents.to_vec(), habit: None }
}

/// A row with the leases that are on disk already.
fn standing(mut row: Row, account: &Account) -> Row {
    let lease = |book: &Book| book.guarded.as_ref().map_or(Amount::default(), |it| it.lease);
    row.day.lease = lease(&account.day);
    row.month.lease = lease(&account.month);
    row
}

fn book(stored: StoredBook) -> Book {
    let StoredBook { number, sums, lost, lease, warned, told } = stored;
    let guarded = Guarded { lost, lease, warned, told, ..Guarded::default() };
    let guarded = (guarded != Guarded::default()).then(|| Box::new(guarded));
    Book { number, sums, guarded }
}
