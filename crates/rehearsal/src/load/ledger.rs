//! What was asked, what came back, and who may write next. Takes the time as a value and never waits.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use tokio::time::Instant;

use super::{PATIENCE_CHECK, Plan, Report};
use crate::models::marks::{self, Asked};

/// The most latencies that are kept; later answers are counted but not timed.
const LATENCIES_MAX: usize = 50_000_000;

/// A message to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) person: i64,
    pub(super) asked: Asked,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Instant,
    answers: u32,
    given_up: bool,
}

#[derive(Debug, Default)]
struct Person {
    entries: Vec<Entry>,
    newest_answered: Option<u64>,
    greeted: bool,
}

#[derive(Debug)]
pub(super) struct Ledger {
    first_person: i64,
    messages_max: u64,
    closed_loop: bool,
    think: Duration,
    patience: Duration,
    people: Vec<Person>,
    /// Who may write, and from when on.
    ready: BinaryHeap<Reverse<(Instant, usize)>>,
    writing: bool,
    /// When impatient people are looked for again: it takes a look at everybody.
    next_check: Instant,
    /// Questions that are neither answered nor given up.
    open: u64,
    latencies_us: Vec<u32>,
    greetings_open: usize,
    counts: Report,
}

impl Ledger {
    pub(super) fn new(plan: &Plan, now: Instant) -> Self {
        Self {
            first_person: plan.first_person,
            messages_max: if plan.messages_max == 0 { u64::MAX } else { plan.messages_max },
            closed_loop: plan.rate_per_s <= 0.0,
            think: plan.think,
            patience: plan.patience,
            people: (0..plan.people).map(|_| Person::default()).collect(),
            ready: BinaryHeap::new(),
            writing: false,
            next_check: now,
            open: 0,
            latencies_us: Vec::new(),
            greetings_open: plan.people,
            counts: Report::default(),
        }
    }

    /// Starts the clock: in a closed loop everybody may write.
    pub(super) fn begin(&mut self, now: Instant) {
        self.writing = true;
        self.next_check = now;
        self.counts = Report::default();
        if self.closed_loop {
            self.ready.extend((0..self.people.len()).map(|person| Reverse((now, person))));
        }
    }

    /// Stops the writing; gives how many were answered so far.
    pub(super) fn end(&mut self) -> u64 {
        self.writing = false;
        self.ready.clear();
        self.counts.answered
    }

    /// Writes the next question of a person down, unless they have written all of theirs.
    pub(super) fn ask(&mut self, person: usize, at: Instant) -> Option<Question> {
        let id = self.first_person + i64::try_from(person).ok()?;
        let entries = &mut self.people.get_mut(person)?.entries;
        let sequence = entries.len() as u64;
        if sequence >= self.messages_max {
            return None;
        }
        entries.push(Entry { at, answers: 0, given_up: false });
        self.open += 1;
        self.counts.written += 1;
        Some(Question { person: id, asked: Asked { person: id.unsigned_abs(), sequence } })
    }

    /// The questions of all who may write by now.
    pub(super) fn ready(&mut self, now: Instant) -> Vec<Question> {
        let mut questions = Vec::new();
        while let Some(Reverse((due, person))) = self.ready.peek().copied()
            && due <= now
        {
            self.ready.pop();
            questions.extend(self.ask(person, now));
        }
        if now >= self.next_check {
            self.next_check = now + PATIENCE_CHECK;
            self.give_up(now);
        }
        questions
    }

    /// Lets everybody who has waited too long for their newest answer write again.
    fn give_up(&mut self, now: Instant) {
        for (at, person) in self.people.iter_mut().enumerate() {
            let Some(entry) = person.entries.last_mut() else { continue };
            let waiting = entry.answers == 0 && !entry.given_up;
            if waiting && now.duration_since(entry.at) > self.patience {
                entry.given_up = true;
                self.open -= 1;
                self.counts.given_up += 1;
                self.ready.push(Reverse((now, at)));
            }
        }
    }

    /// Notes a message of the bot; says whether anybody may be waiting to hear of it.
    pub(super) fn received(&mut self, chat: i64, text: &str, now: Instant) -> bool {
        let Some(at) = self.place(chat) else { return false };
        let Some(asked) = marks::answers(text).find_map(Asked::parse) else {
            return self.unmarked(at);
        };
        if asked.person != chat.unsigned_abs() {
            self.counts.cross_talk += 1;
            return false;
        }
        let Some(person) = self.people.get_mut(at) else { return false };
        let entry = usize::try_from(asked.sequence).ok().and_then(|n| person.entries.get_mut(n));
        let Some(entry) = entry else { return self.unmarked(at) };
        entry.answers += 1;
        if entry.answers > 1 {
            self.counts.duplicates += 1;
            return false;
        }
        let newest = person.newest_answered.get_or_insert(asked.sequence);
        self.counts.out_of_order += u64::from(asked.sequence < *newest);
        *newest = asked.sequence.max(*newest);
        self.counts.answered += 1;
        self.open -= u64::from(!entry.given_up);
        if self.latencies_us.len() < LATENCIES_MAX {
            let latency = now.duration_since(entry.at).as_micros();
            self.latencies_us.push(u32::try_from(latency).unwrap_or(u32::MAX));
        }
        if self.closed_loop && self.writing && !entry.given_up {
            self.ready.push(Reverse((now + self.think, at)));
            return true;
        }
        self.open == 0
    }

    fn unmarked(&mut self, at: usize) -> bool {
        self.counts.unmarked += 1;
        let Some(person) = self.people.get_mut(at) else { return false };
        self.greetings_open -= usize::from(!person.greeted);
        person.greeted = true;
        self.greetings_open == 0
    }

    fn place(&self, chat: i64) -> Option<usize> {
        let at = usize::try_from(chat.checked_sub(self.first_person)?).ok()?;
        (at < self.people.len()).then_some(at)
    }

    pub(super) fn all_greeted(&self) -> bool {
        self.greetings_open == 0
    }

    pub(super) fn all_answered(&self) -> bool {
        self.open == 0
    }

    /// Whether everybody has written all they may and was answered.
    pub(super) fn is_done(&self) -> bool {
        let written = self.messages_max.saturating_mul(self.people.len() as u64);
        self.all_answered() && self.counts.written >= written
    }

    /// The counts and times so far; `lost` counts everything without an answer.
    pub(super) fn report(&mut self) -> Report {
        let latencies = &mut self.latencies_us;
        latencies.sort_unstable();
        let at = |per_mille: usize| {
            let rank = (latencies.len() * per_mille).div_ceil(1000);
            let latency = latencies.get(rank.saturating_sub(1)).copied().unwrap_or_default();
            f64::from(latency) / 1000.0
        };
        Report {
            p50_ms: at(500),
            p90_ms: at(900),
            p99_ms: at(990),
            p999_ms: at(999),
            max_ms: at(1000),
            lost: self.counts.written - self.counts.answered,
            ..self.counts.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(change: impl FnOnce(&mut Plan)) -> (Ledger, Instant) {
        let mut plan = Plan { people: 2, first_person: 10, ..Plan::default() };
        change(&mut plan);
        let now = Instant::now();
        let mut ledger = Ledger::new(&plan, now);
        ledger.begin(now);
        (ledger, now)
    }

    #[test]
    fn in_a_closed_loop_a_person_writes_again_when_answered() {
        let (mut ledger, now) = ledger(|_| ());
        assert_eq!(ledger.ready(now).len(), 2);
        assert_eq!(ledger.ready(now).len(), 0);
        assert!(ledger.received(10, "so [answer:u10n0]", now + Duration::from_millis(3)));
        let again = ledger.ready(now + Duration::from_millis(3));
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].asked.mark(), "[ask:u10n1]");
        let report = ledger.report();
        assert_eq!((report.written, report.answered, report.lost), (3, 1, 2));
        assert_eq!((report.p50_ms, report.max_ms), (3.0, 3.0));
    }

    #[test]
    fn duplicates_disorder_and_cross_talk_are_told_apart() {
        let (mut ledger, now) = ledger(|plan| plan.rate_per_s = 1.0);
        for person in [0, 0, 1] {
            ledger.ask(person, now).unwrap();
        }
        for (chat, text) in [
            (10, "[answer:u10n1]"),
            (10, "[answer:u10n0]"),
            (10, "[answer:u10n0]"),
            (10, "[answer:u11n0]"),
            (10, "sorry"),
            (99, "[answer:u10n0]"),
        ] {
            ledger.received(chat, text, now);
        }
        let report = ledger.report();
        assert_eq!((report.out_of_order, report.duplicates, report.cross_talk), (1, 1, 1));
        assert_eq!((report.unmarked, report.lost), (1, 1));
        assert!(!ledger.all_answered());
    }

    #[test]
    fn the_impatient_write_on_and_a_late_answer_still_counts() {
        let (mut ledger, now) = ledger(|plan| {
            plan.people = 1;
            plan.patience = Duration::from_secs(1);
        });
        ledger.ready(now);
        let later = now + Duration::from_secs(2);
        assert!(ledger.ready(later).is_empty());
        assert_eq!(ledger.ready(later).len(), 1);
        ledger.received(10, "[answer:u10n0]", later);
        assert!(ledger.ready(later).is_empty());
        let report = ledger.report();
        assert_eq!((report.given_up, report.answered, report.lost), (1, 1, 1));
    }

    #[test]
    fn nobody_writes_more_than_their_messages_or_after_the_end() {
        let (mut ledger, now) = ledger(|plan| plan.messages_max = 1);
        ledger.ready(now);
        for chat in [10, 11] {
            ledger.received(chat, &format!("[answer:u{chat}n0]"), now);
        }
        assert!(ledger.ready(now).is_empty() && ledger.is_done());
        assert_eq!(ledger.end(), 2);
    }
}
