//! What is usual at this hour of the day: learned hour by hour, and kept for some days. Pure.

use std::collections::{BTreeMap, VecDeque};

use protocol::Timestamp;
use serde::{Deserialize, Serialize};

use super::rules::Signal;

/// Days that are remembered for each hour of the day.
const DAYS_MAX: usize = 14;
/// Days that must be known before anything is unusual.
const DAYS_MIN: usize = 3;
const HOUR_MS: u64 = 3_600_000;
/// An hour that was seen for less than this is not learned from.
const SEEN_MS_MIN: u64 = HOUR_MS / 2;

/// How much there was of something in one hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hour {
    /// Of what.
    pub signal: Signal,
    /// Which hour, counted from 1970.
    pub hour: u64,
    /// How much.
    pub count: f64,
}

/// How much there was of each thing in each hour of the last days.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usual {
    #[serde(default)]
    hours: BTreeMap<Signal, Vec<VecDeque<f64>>>,
    /// The newest hour of each.
    #[serde(default)]
    newest: BTreeMap<Signal, u64>,
}

impl Usual {
    /// Learns an hour. One that is known, or lies before one that is, changes nothing.
    pub fn take(&mut self, hour: &Hour) {
        if self.newest.get(&hour.signal).is_some_and(|it| hour.hour <= *it) {
            return;
        }
        self.newest.insert(hour.signal, hour.hour);
        let of_day = self.hours.entry(hour.signal).or_default();
        of_day.resize(24, VecDeque::new());
        if let Some(days) = of_day.get_mut(usize::try_from(hour.hour % 24).unwrap_or_default()) {
            days.push_back(hour.count);
            while DAYS_MAX < days.len() {
                days.pop_front();
            }
        }
    }

    /// The median of this hour over the last days; `None` while too few are known.
    #[must_use]
    pub fn median(&self, signal: Signal, now: Timestamp) -> Option<f64> {
        let at = usize::try_from(now.0 / HOUR_MS % 24).unwrap_or_default();
        let days = self.hours.get(&signal)?.get(at)?;
        let mut sorted: Vec<f64> = days.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        if sorted.len() < DAYS_MIN {
            return None;
        }
        let (low, high) = (sorted.get((sorted.len() - 1) / 2)?, sorted.get(sorted.len() / 2)?);
        Some(f64::midpoint(*low, *high))
    }
}

/// Watches one signal go through the hours.
#[derive(Clone, Debug)]
pub struct Hourly {
    signal: Signal,
    /// The hour, when it was begun to be watched, and how much there was in all then.
    open: Option<(u64, Timestamp, f64)>,
}

impl Hourly {
    /// Nothing was seen yet.
    #[must_use]
    pub fn new(signal: Signal) -> Self {
        Self { signal, open: None }
    }

    /// Of what.
    #[must_use]
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Takes how much there is in all; gives the hour that has just ended, if it was seen for
    /// long enough.
    pub fn look(&mut self, total: f64, now: Timestamp) -> Option<Hour> {
        let hour = now.0 / HOUR_MS;
        let Some((open, since, base)) = self.open else {
            self.open = Some((hour, now, total));
            return None;
        };
        if open == hour {
            return None;
        }
        self.open = Some((hour, now, total));
        let seen = now.0.saturating_sub(since.0);
        // More than an hour later: the machine slept, or the clock jumped.
        if hour != open + 1 || !(SEEN_MS_MIN..=HOUR_MS + SEEN_MS_MIN).contains(&seen) {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "some millions of milliseconds")]
        let count = (total - base).max(0.0) * (HOUR_MS as f64 / seen as f64);
        Some(Hour { signal: self.signal, hour: open, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNAL: Signal = Signal::GuardBlocks;

    fn hour(hour: u64, count: f64) -> Hour {
        Hour { signal: SIGNAL, hour, count }
    }

    #[test]
    fn what_is_usual_is_the_median_of_the_same_hour_of_some_days() {
        let mut usual = Usual::default();
        let noon = |day: u64| Timestamp((day * 24 + 12) * HOUR_MS);
        for (day, count) in [(1, 2.0), (2, 900.0)] {
            usual.take(&hour(day * 24 + 12, count));
        }
        assert_eq!(usual.median(SIGNAL, noon(3)), None, "two days are too few");
        usual.take(&hour(3 * 24 + 12, 4.0));
        assert_eq!(usual.median(SIGNAL, noon(4)), Some(4.0), "one wild day changes little");
        assert_eq!(usual.median(SIGNAL, Timestamp(noon(4).0 + HOUR_MS)), None, "other hours");
        usual.take(&hour(3 * 24 + 12, 500.0));
        usual.take(&hour(2 * 24 + 12, 500.0));
        assert_eq!(usual.median(SIGNAL, noon(4)), Some(4.0), "what is known is learned once");
        for day in 4..40 {
            usual.take(&hour(day * 24 + 12, 7.0));
        }
        assert_eq!(usual.median(SIGNAL, noon(40)), Some(7.0), "what is long ago is forgotten");
        let text = serde_json::to_string(&usual).unwrap();
        assert_eq!(serde_json::from_str::<Usual>(&text).unwrap(), usual);
    }

    #[test]
    fn an_hour_is_learned_when_most_of_it_was_seen() {
        let mut hourly = Hourly::new(SIGNAL);
        let at = |minutes: u64| Timestamp(HOUR_MS * 100 + minutes * 60_000);
        assert_eq!(hourly.look(10.0, at(40)), None, "the first look");
        assert_eq!(hourly.look(12.0, at(60)), None, "twenty minutes are too few");
        assert_eq!(hourly.look(20.0, at(119)), None, "it is not over");
        assert_eq!(hourly.look(42.0, at(120)), Some(hour(101, 30.0)));
        assert_eq!(hourly.look(50.0, at(400)), None, "the machine slept");
    }
}
