//! How much is written of what was denied: at most so many records of one kind and person in a
//! minute, and of everybody together; the rest is counted, and the count is written.
//!
//! Invariants: THROTTLE-1 nothing that was denied is without a record: alone, or in a count.

use std::collections::BTreeMap;

use protocol::audit::{Action, Deed, Doer, Outcome, Target};

/// Records of one kind and person in a minute.
pub(super) const SINGLY_MAX: u32 = 5;
/// Such records of all people together in a minute.
pub(super) const TOGETHER_MAX: u32 = 120;
/// Counts that are kept at a time; whoever comes then is counted with nobody's.
const COUNTS_MAX: usize = 1024;
const MINUTE_MS: u64 = 60_000;

/// Counts what was denied in the minute that goes on.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    minute: u64,
    written: u32,
    singly: BTreeMap<(Doer, Action), u32>,
    counted: BTreeMap<(Doer, Action), Deed>,
}

impl Throttle {
    /// What is to be written now that this is.
    #[must_use = "what is not written is lost"]
    pub(super) fn offer(&mut self, deed: Deed) -> Vec<Deed> {
        match deed.outcome {
            Outcome::Done | Outcome::Failed => return vec![deed],
            Outcome::Denied => {}
        }
        let minute = deed.at.0 / MINUTE_MS;
        // A clock that goes back begins another minute, too.
        let mut due = if minute == self.minute { Vec::new() } else { self.flush() };
        self.minute = minute;
        let known = self.singly.len();
        let kind = (deed.actor, deed.action);
        let is_counted = COUNTS_MAX <= known && !self.singly.contains_key(&kind);
        let singly = if is_counted { SINGLY_MAX } else { *self.singly.entry(kind).or_default() };
        if singly < SINGLY_MAX && self.written < TOGETHER_MAX {
            self.singly.insert(kind, singly + 1);
            self.written += 1;
            due.push(deed);
            return due;
        }
        self.count(deed);
        due
    }

    fn count(&mut self, deed: Deed) {
        let mut kind = (deed.actor, deed.action);
        if COUNTS_MAX <= self.counted.len() && !self.counted.contains_key(&kind) {
            kind.0 = Doer::Nobody;
        }
        let (actor, action) = kind;
        let first = Deed { actor, target: Target::Nothing, times: 0, ..deed };
        let counted = self.counted.entry((actor, action)).or_insert(first);
        counted.times = counted.times.saturating_add(1);
    }

    /// The counts, which begin anew.
    #[must_use = "what is not written is lost"]
    pub(super) fn flush(&mut self) -> Vec<Deed> {
        self.written = 0;
        self.singly.clear();
        let counts = std::mem::take(&mut self.counted).into_values();
        counts.map(|it| it.about("counted together")).collect()
    }
}

#[cfg(test)]
mod tests {
    use protocol::{PersonId, Timestamp};

    use super::*;

    fn denied(person: i64, at: u64) -> Deed {
        let target = Target::Thing("spawn".to_owned());
        let actor = Doer::Person(PersonId(person));
        Deed::done(Timestamp(at), actor, Action::CommandDenied, target).with(Outcome::Denied)
    }

    #[test]
    fn throttle_1_some_are_written_singly_and_the_rest_is_counted() {
        let mut throttle = Throttle::default();
        let written: usize = (0..1_000).map(|at| throttle.offer(denied(7, at)).len()).sum();
        assert_eq!(written, SINGLY_MAX as usize);
        let due = throttle.offer(denied(7, MINUTE_MS));
        let times: Vec<u32> = due.iter().map(|it| it.times).collect();
        assert_eq!(times, [1_000 - SINGLY_MAX, 1], "the count of the minute before comes first");
        assert_eq!(throttle.flush(), []);
    }

    #[test]
    fn throttle_1_many_people_together_are_bounded_and_none_is_lost() {
        let mut throttle = Throttle::default();
        let people = 3_000;
        let written: usize = (0..people).map(|it| throttle.offer(denied(it, 0)).len()).sum();
        assert_eq!(written, TOGETHER_MAX as usize);
        let counts = throttle.flush();
        assert!(counts.len() <= COUNTS_MAX + 1, "{}", counts.len());
        let counted: u32 = counts.iter().map(|it| it.times).sum();
        assert_eq!(i64::from(counted) + i64::from(TOGETHER_MAX), people);
    }

    #[test]
    fn what_was_done_is_always_written() {
        let mut throttle = Throttle::default();
        for at in 0..200 {
            let deed = denied(7, at).with(Outcome::Done);
            assert_eq!(throttle.offer(deed.clone()), [deed]);
        }
    }
}
