//! Remembers which update ids of one bot were recorded: by membership, never by "lower is old",
//! because Telegram's ids jump to random places after a quiet week.
//!
//! Ids stand as ranges in buckets of time. A bucket is forgotten once everything in it is older
//! than the window. Time is that of the newest arrival and never runs backwards, so a clock that
//! jumps back makes the memory longer, not shorter.

use std::collections::BTreeMap;

use bytes::BufMut as _;
use protocol::{Timestamp, UpdateId};

use crate::codec::{Fields, put_list};

/// How long one bucket lasts, in milliseconds.
const BUCKET_MS: u64 = 6 * 60 * 60 * 1000;

/// The recorded ids of one bot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    buckets: BTreeMap<u64, Ranges>,
}

impl Seen {
    pub(crate) fn contains(&self, update: UpdateId) -> bool {
        self.buckets.values().rev().any(|ranges| ranges.contains(update.0))
    }

    /// Remembers an id, and forgets what is older than the window.
    pub(crate) fn insert(&mut self, update: UpdateId, at: Timestamp, window_ms: u64) {
        let newest = self.buckets.last_key_value().map_or(0, |(bucket, _)| *bucket);
        let bucket = newest.max(at.0 / BUCKET_MS);
        self.buckets.entry(bucket).or_default().insert(update.0);
        let oldest = bucket.saturating_sub(window_ms.div_ceil(BUCKET_MS));
        while self.buckets.first_key_value().is_some_and(|(bucket, _)| *bucket < oldest) {
            self.buckets.pop_first();
        }
    }

    /// Between which times the newest id was remembered.
    pub(crate) fn newest(&self) -> Option<(Timestamp, Timestamp)> {
        let (bucket, _) = self.buckets.last_key_value()?;
        let from = bucket.saturating_mul(BUCKET_MS);
        Some((Timestamp(from), Timestamp(from.saturating_add(BUCKET_MS))))
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let buckets: Vec<_> = self.buckets.iter().collect();
        put_list(out, &buckets, |out, (bucket, ranges)| {
            out.put_u64(**bucket);
            let ranges: Vec<_> = ranges.0.iter().collect();
            put_list(out, &ranges, |out, (first, last)| {
                out.put_i64(**first);
                out.put_i64(**last);
            });
        });
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let buckets = fields.list(|fields| {
            let bucket = fields.u64()?;
            let ranges = fields.list(|fields| Some((fields.i64()?, fields.i64()?)))?;
            Some((bucket, Ranges(ranges.into_iter().collect())))
        })?;
        Some(Self { buckets: buckets.into_iter().collect() })
    }
}

/// A set of numbers as ranges: first to last, both within.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges(BTreeMap<i64, i64>);

impl Ranges {
    fn contains(&self, id: i64) -> bool {
        self.0.range(..=id).next_back().is_some_and(|(_, last)| id <= *last)
    }

    fn insert(&mut self, id: i64) {
        if self.contains(id) {
            return;
        }
        let last = id.checked_add(1).and_then(|next| self.0.remove(&next)).unwrap_or(id);
        let before = self.0.range_mut(..id).next_back();
        match before.filter(|(_, end)| end.checked_add(1) == Some(id)) {
            Some((_, end)) => *end = last,
            None => {
                self.0.insert(id, last);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const HOUR_MS: u64 = 60 * 60 * 1000;
    const WINDOW_MS: u64 = 48 * HOUR_MS;

    #[test]
    fn ranges_hold_what_a_set_holds() {
        for start in [0, i64::MIN, i64::MAX - 40] {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for step in 0..400_i64 {
                let id = start + (step * 7919) % 41;
                ranges.insert(id);
                set.insert(id);
                for probe in start..=start + 40 {
                    assert_eq!(ranges.contains(probe), set.contains(&probe));
                }
            }
            assert_eq!(ranges.0.len(), 1, "neighbours melt into one range");
        }
    }

    #[test]
    fn ids_are_known_for_the_window_and_forgotten_after_it() {
        let mut seen = Seen::default();
        seen.insert(UpdateId(7), Timestamp(0), WINDOW_MS);
        seen.insert(UpdateId(8), Timestamp(WINDOW_MS), WINDOW_MS);
        assert!(seen.contains(UpdateId(7)));
        seen.insert(UpdateId(9), Timestamp(WINDOW_MS + 12 * HOUR_MS), WINDOW_MS);
        assert!(!seen.contains(UpdateId(7)));
        assert!(seen.contains(UpdateId(8)));
    }

    #[test]
    fn it_is_known_to_some_hours_when_the_newest_came() {
        let mut seen = Seen::default();
        assert_eq!(seen.newest(), None);
        for at in [HOUR_MS, 7 * HOUR_MS, 1_000 * HOUR_MS + 1].map(Timestamp) {
            seen.insert(UpdateId(1), at, WINDOW_MS);
            let (from, to) = seen.newest().unwrap();
            assert!(from <= at && at <= to && to.0 - from.0 <= 6 * HOUR_MS, "{at:?}");
        }
    }

    #[test]
    fn a_lower_id_is_not_old() {
        let mut seen = Seen::default();
        seen.insert(UpdateId(1 << 30), Timestamp(0), WINDOW_MS);
        assert!(!seen.contains(UpdateId(5)));
    }

    #[test]
    fn a_clock_that_jumps_back_forgets_nothing() {
        let mut seen = Seen::default();
        seen.insert(UpdateId(1), Timestamp(1_000 * HOUR_MS), WINDOW_MS);
        seen.insert(UpdateId(2), Timestamp(0), WINDOW_MS);
        seen.insert(UpdateId(3), Timestamp(1_001 * HOUR_MS), WINDOW_MS);
        assert!((1..=3).all(|id| seen.contains(UpdateId(id))));
    }
}
