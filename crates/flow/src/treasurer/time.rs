//! The hall's day: which day and month it is for what people may use, whatever the clock does.
//!
//! Days are those of the calendar in the hall's time zone. TREASURER-3: time here never goes back,
//! and a clock that leaps ahead by more than an hour opens no new day before it has gone steadily
//! for an hour since.

use std::time::Duration;

use jiff::{civil::Date, tz::TimeZone};
use protocol::Timestamp;

use super::caps::Period;

/// A difference of the clocks that is no drift.
const JUMP: Duration = Duration::from_secs(60 * 60);
/// How long a clock that leapt ahead must go steadily before it is believed.
const STEADY: Duration = Duration::from_secs(60 * 60);

/// A day and its month, as numbers that rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// `20261126`.
    pub day: u32,
    /// `202611`.
    pub month: u32,
}

impl Day {
    /// The number of the period that it belongs to.
    #[must_use]
    pub fn number(self, period: Period) -> u32 {
        match period {
            Period::Day => self.day,
            Period::Month => self.month,
        }
    }
}

/// The time that is believed.
#[derive(Clone, Copy, Debug, Default)]
pub struct HallTime {
    believed: Timestamp,
    /// The monotonic time at the last look.
    seen: Duration,
    /// Where both clocks stood when the wall clock had leapt ahead.
    leapt: Option<(Timestamp, Duration)>,
}

impl HallTime {
    /// Goes on from what was believed last.
    #[must_use]
    pub fn begin(believed: Timestamp, monotonic: Duration) -> Self {
        Self { believed, seen: monotonic, leapt: None }
    }

    /// What was believed at the last look.
    #[must_use]
    pub fn believed(&self) -> Timestamp {
        self.believed
    }

    /// Looks at both clocks. `strict`: a leap is believed only after a while.
    pub fn look(&mut self, wall: Timestamp, monotonic: Duration, strict: bool) -> Timestamp {
        let monotonic = monotonic.max(self.seen);
        let expected = self.believed.plus(monotonic.saturating_sub(self.seen));
        self.seen = monotonic;
        let is_near = apart(wall, expected) <= JUMP;
        if is_near || (expected < wall && !strict) {
            self.leapt = None;
            self.believed = self.believed.max(wall);
        } else if expected < wall && self.is_steady(wall, monotonic) {
            self.leapt = None;
            self.believed = wall;
        } else {
            // What went back, or may be a leap: the time goes on by itself.
            self.believed = expected;
        }
        self.believed
    }

    /// True if a clock that leapt ahead has gone steadily since.
    fn is_steady(&mut self, wall: Timestamp, monotonic: Duration) -> bool {
        let (then, since) = *self.leapt.get_or_insert((wall, monotonic));
        let passed = monotonic.saturating_sub(since);
        if JUMP < apart(then.plus(passed), wall) {
            self.leapt = Some((wall, monotonic));
            return false;
        }
        STEADY <= passed
    }
}

fn apart(one: Timestamp, other: Timestamp) -> Duration {
    Duration::from_millis(one.0.abs_diff(other.0))
}

/// The calendar of the hall's time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    zone: TimeZone,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { zone: TimeZone::UTC }
    }
}

impl Calendar {
    /// Of a zone by its IANA name, such as `Europe/Berlin`.
    ///
    /// # Errors
    /// If there is no such zone.
    pub fn of(zone: &str) -> Result<Self, jiff::Error> {
        let zone = if zone == "UTC" { TimeZone::UTC } else { TimeZone::get(zone)? };
        Ok(Self { zone })
    }

    /// What the zone is called.
    #[must_use]
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The day of a time.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> Day {
        let date = self.date(at);
        let (year, month, day) = (date.year(), date.month(), date.day());
        let number = |it: i8| u32::try_from(it).unwrap_or_default();
        let month = u32::try_from(year).unwrap_or_default() * 100 + number(month);
        Day { day: month * 100 + number(day), month }
    }

    /// When the period of a time is over.
    #[must_use]
    pub fn end(&self, at: Timestamp, period: Period) -> Timestamp {
        let date = self.date(at);
        let next = match period {
            Period::Day => date.tomorrow(),
            Period::Month => date.last_of_month().tomorrow(),
        };
        let begins = next.and_then(|it| it.to_zoned(self.zone.clone()));
        let begins = begins.map(|it| it.timestamp().as_millisecond());
        Timestamp(begins.ok().and_then(|it| u64::try_from(it).ok()).unwrap_or(u64::MAX))
    }

    /// A time of day, or a day and a time, as people read it.
    #[must_use]
    pub fn words(&self, at: Timestamp, period: Period) -> String {
        let at = moment(at).to_zoned(self.zone.clone());
        let form = match period {
            Period::Day => "%H:%M",
            Period::Month => "%-d %B, %H:%M",
        };
        format!("{} ({})", at.strftime(form), self.zone())
    }

    /// Day, month and time of day, for whoever puts them into words.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> (u32, u32, String) {
        let at = moment(at).to_zoned(self.zone.clone());
        let number = |it: i8| u32::try_from(it).unwrap_or_default();
        (number(at.day()), number(at.month()), at.strftime("%H:%M").to_string())
    }

    fn date(&self, at: Timestamp) -> Date {
        moment(at).to_zoned(self.zone.clone()).date()
    }
}

/// A time as the calendar has it.
pub(crate) fn moment(at: Timestamp) -> jiff::Timestamp {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(at.0).unwrap_or(i64::MAX));
    at.unwrap_or(jiff::Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;
    const DAY: u64 = 24 * 60 * MINUTE;
    /// 26 November 2026, 12:00 UTC.
    const NOON: u64 = 1_795_694_400_000;

    fn minutes(count: u64) -> Duration {
        Duration::from_millis(count * MINUTE)
    }

    #[test]
    fn days_and_months_are_those_of_the_hall_s_time_zone() {
        let (utc, tokyo) = (Calendar::default(), Calendar::of("Asia/Tokyo").unwrap());
        let at = Timestamp(NOON + 4 * 60 * MINUTE);
        assert_eq!(utc.day(at), Day { day: 20_261_126, month: 202_611 });
        assert_eq!(tokyo.day(at).day, 20_261_127);
        assert_eq!(utc.words(utc.end(at, Period::Day), Period::Day), "00:00 (UTC)");
        let berlin = Calendar::of("Europe/Berlin").unwrap();
        let end = berlin.end(at, Period::Month);
        assert_eq!(berlin.words(end, Period::Month), "1 December, 00:00 (Europe/Berlin)");
        assert_eq!(berlin.day(Timestamp(end.0 - 1)).month, 202_611);
        assert!(Calendar::of("Middle/Earth").is_err());
    }

    #[test]
    fn treasurer_3_a_clock_that_goes_back_opens_nothing_and_midnight_comes_all_the_same() {
        let mut time = HallTime::begin(Timestamp(NOON), Duration::ZERO);
        let believed = time.look(Timestamp(NOON - DAY), minutes(1), true);
        assert_eq!(believed, Timestamp(NOON + MINUTE));
        let late = time.look(Timestamp(NOON - DAY + 13 * 60 * MINUTE), minutes(13 * 60), true);
        assert_eq!(Calendar::default().day(late).day, 20_261_127, "by itself");
    }

    #[test]
    fn treasurer_3_a_leap_of_a_year_is_believed_only_when_it_lasts() {
        let mut time = HallTime::begin(Timestamp(NOON), Duration::ZERO);
        let leapt = |at: u64| Timestamp(NOON + 365 * DAY + at * MINUTE);
        for at in 1..=60 {
            let believed = time.look(leapt(at), minutes(at), true);
            assert_eq!(believed, Timestamp(NOON + at * MINUTE), "minute {at}");
        }
        assert_eq!(time.look(leapt(61), minutes(61), true), leapt(61), "for an hour");
        let back = time.look(Timestamp(NOON + 62 * MINUTE), minutes(62), true);
        assert_eq!(back, leapt(62), "and never back");
    }

    #[test]
    fn treasurer_3_a_clock_that_leaps_at_every_look_is_never_believed() {
        let mut time = HallTime::begin(Timestamp(NOON), Duration::ZERO);
        for at in 1..=600 {
            let wall = Timestamp(NOON + at * at * 100 * MINUTE);
            let believed = time.look(wall, minutes(at), true);
            assert_eq!(believed, Timestamp(NOON + at * MINUTE), "minute {at}");
        }
    }

    #[test]
    fn small_steps_of_the_clock_are_followed_and_none_goes_back() {
        let mut time = HallTime::begin(Timestamp(NOON), Duration::ZERO);
        assert_eq!(time.look(Timestamp(NOON + 5 * MINUTE), minutes(1), true).0, NOON + 5 * MINUTE);
        assert_eq!(time.look(Timestamp(NOON + 2 * MINUTE), minutes(2), true).0, NOON + 5 * MINUTE);
        assert_eq!(time.look(Timestamp(NOON + 9 * MINUTE), minutes(9), true).0, NOON + 9 * MINUTE);
        let unhurried = time.look(Timestamp(NOON + DAY), minutes(10), false);
        assert_eq!(unhurried, Timestamp(NOON + DAY), "where nothing is capped");
    }
}
