//! Times that come again and again: a crontab's five fields on a zone's wall clock, or a span. Pure.
//!
//! Each time on the wall clock comes once: one that a clock put forward leaves out comes as much
//! later, one that a clock put back shows twice comes the first time only.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{civil::Date, tz::TimeZone};
use protocol::Timestamp;
use serde::{Deserialize, Serialize};

use crate::treasurer::time::moment;

/// The farthest that is looked ahead: four years hold every 29 February.
const DAYS_MAX: u32 = 4 * 366 + 1;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// When something comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// At times of the wall clock.
    At(Cron),
    /// After so many seconds each.
    Every(u64),
}

impl Again {
    /// The first time after `after`. `None` if there is none within four years.
    #[must_use]
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::At(cron) => cron.next(after, zone),
            Self::Every(seconds) => Some(after.plus(Duration::from_secs(*seconds))),
        }
    }

    /// The first time after `now` of those that follow `last`, and how many are before it.
    #[must_use]
    pub fn skip(
        &self,
        last: Timestamp,
        now: Timestamp,
        zone: &TimeZone,
    ) -> (Option<Timestamp>, u32) {
        if let Self::Every(seconds) = self {
            let span = seconds.saturating_mul(1_000).max(1);
            let over = now.0.saturating_sub(last.0) / span;
            let next = last.0.saturating_add(span.saturating_mul(over + 1));
            return (Some(Timestamp(next)), u32::try_from(over).unwrap_or(u32::MAX));
        }
        let (mut at, mut missed) = (last, 0);
        loop {
            match self.next(at, zone) {
                Some(next) if next <= now && missed < COUNTED_MAX => {
                    at = next;
                    missed += 1;
                }
                Some(next) if next <= now => return (self.next(now, zone), missed),
                next => return (next, missed),
            }
        }
    }
}

/// Missed times that are counted one by one.
const COUNTED_MAX: u32 = 1_000;

/// The five fields of a crontab: minute, hour, day of the month, month, day of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// As in every crontab: where both are given, one of them is enough.
    either_day: bool,
}

/// What is wrong with a crontab's fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five of them.
    #[error("a cron rule has five fields: minute, hour, day of the month, month, day of the week")]
    Fields,
    /// One that says nothing.
    #[error("“{0}” is no field of a cron rule")]
    Field(String),
    /// A date that never is.
    #[error("that day never comes")]
    Never,
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(CronError::Fields);
        };
        let sunday_twice = bits(weekdays, 0..=7, &WEEKDAYS)?;
        let cron = Self {
            text: fields.join(" "),
            minutes: bits(minutes, 0..=59, &[])?,
            hours: bits(hours, 0..=23, &[])?,
            days: bits(days, 1..=31, &[])?,
            months: bits(months, 1..=12, &MONTHS)?,
            weekdays: (sunday_twice | sunday_twice >> 7) & 0x7f,
            either_day: !days.starts_with('*') && !weekdays.starts_with('*'),
        };
        match cron.next(Timestamp(0), &TimeZone::UTC) {
            Some(_) => Ok(cron),
            None => Err(CronError::Never),
        }
    }
}

/// The numbers that a field names, as bits.
fn bits(
    field: &str,
    range: std::ops::RangeInclusive<u32>,
    names: &[&str],
) -> Result<u64, CronError> {
    let wrong = || CronError::Field(field.chars().take(20).collect());
    let number = |word: &str| {
        let lower = word.to_ascii_lowercase();
        let named = names.iter().position(|it| *it == lower);
        let named = named.and_then(|it| u32::try_from(it).ok()).map(|it| {
            // Days of the week begin with 0, months with 1.
            if names.len() == 12 { it + 1 } else { it }
        });
        named.or_else(|| word.parse().ok()).filter(|it| range.contains(it)).ok_or_else(wrong)
    };
    let mut found = 0;
    for part in field.split(',') {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => {
                let step = step.parse::<u32>().ok().filter(|it| (1..=59).contains(it));
                (span, Some(step.ok_or_else(wrong)?))
            }
            None => (part, None),
        };
        let (from, to) = match span.split_once('-') {
            _ if span == "*" => (*range.start(), *range.end()),
            Some((from, to)) => (number(from)?, number(to)?),
            None if step.is_some() => (number(span)?, *range.end()),
            None => (number(span)?, number(span)?),
        };
        if to < from {
            return Err(wrong());
        }
        let step = usize::try_from(step.unwrap_or(1)).unwrap_or(1);
        (from..=to).step_by(step).for_each(|it| found |= 1_u64 << it);
    }
    Ok(found)
}

fn has(bits: u64, number: i8) -> bool {
    u32::try_from(number).is_ok_and(|it| bits.checked_shr(it).unwrap_or(0) & 1 == 1)
}

impl Cron {
    fn is_on(&self, date: Date) -> bool {
        let of_month = has(self.days, date.day());
        let of_week = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        let on_day = if self.either_day { of_month || of_week } else { of_month && of_week };
        has(self.months, date.month()) && on_day
    }

    /// The first time after `after`. `None` if there is none within four years.
    #[must_use]
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let from = moment(after).to_zoned(zone.clone());
        let mut date = from.date();
        for _ in 0..DAYS_MAX {
            if self.is_on(date)
                && let Some(next) = self.next_on(date, after, zone)
            {
                return Some(next);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn next_on(&self, date: Date, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        for hour in (0..24).filter(|it| has(self.hours, *it)) {
            for minute in (0..60).filter(|it| has(self.minutes, *it)) {
                let on_the_wall = date.at(hour, minute, 0, 0);
                let zoned = zone.to_ambiguous_zoned(on_the_wall).compatible().ok()?;
                let at = u64::try_from(zoned.timestamp().as_millisecond()).ok()?;
                if after.0 < at {
                    return Some(Timestamp(at));
                }
            }
        }
        None
    }
}

impl TryFrom<String> for Cron {
    type Error = CronError;

    fn try_from(text: String) -> Result<Self, CronError> {
        text.parse()
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.text
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &str) -> Timestamp {
        let civil: jiff::civil::DateTime = text.parse().unwrap();
        let zoned = civil.in_tz(zone).unwrap();
        Timestamp(u64::try_from(zoned.timestamp().as_millisecond()).unwrap())
    }

    fn next(rule: &str, after: &str, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let after = at(after, zone.iana_name().unwrap());
        let cron: Cron = rule.parse().unwrap();
        let next = moment(cron.next(after, &zone).unwrap()).to_zoned(zone);
        next.strftime("%a %Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn a_rule_comes_when_a_crontab_says_so() {
        for (rule, after, expected) in [
            ("0 8 * * 1-5", "2026-11-27T08:00", "Mon 2026-11-30 08:00"),
            ("0 8 * * 1-5", "2026-11-27T07:59:59", "Fri 2026-11-27 08:00"),
            ("*/15 9-17 * * *", "2026-11-26T09:15", "Thu 2026-11-26 09:30"),
            ("30 6 1 * *", "2026-11-26T12:00", "Tue 2026-12-01 06:30"),
            ("0 0 13 * fri", "2026-11-26T12:00", "Fri 2026-11-27 00:00"),
            ("0 9 * * 7", "2026-11-26T12:00", "Sun 2026-11-29 09:00"),
            ("0 9 29 feb *", "2026-11-26T12:00", "Tue 2028-02-29 09:00"),
            ("5,10 */2 * * *", "2026-11-26T22:10", "Fri 2026-11-27 00:05"),
        ] {
            assert_eq!(next(rule, after, "UTC"), expected, "{rule} after {after}");
        }
    }

    #[test]
    fn where_the_clock_is_put_forward_or_back_each_time_comes_once() {
        let berlin = "Europe/Berlin";
        // 02:30 does not exist on 29 March 2026; it comes as much later.
        assert_eq!(next("30 2 * * *", "2026-03-28T12:00", berlin), "Sun 2026-03-29 03:30");
        assert_eq!(next("30 2 * * *", "2026-03-29T03:30", berlin), "Mon 2026-03-30 02:30");
        // 02:30 comes twice on 25 October 2026.
        let cron: Cron = "30 2 * * *".parse().unwrap();
        let zone = TimeZone::get(berlin).unwrap();
        let first = cron.next(at("2026-10-24T12:00", berlin), &zone).unwrap();
        let second = cron.next(first, &zone).unwrap();
        assert_eq!(second.0 - first.0, 25 * 3_600_000, "the next one is on the next day");
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in
            ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "5-1 * * * *"]
        {
            assert!(bad.parse::<Cron>().is_err(), "{bad}");
        }
        for bad in
            ["* * * * 8", "*/0 * * * *", "a * * * *", "1,, * * * *", "- * * * *", "* * * * * *"]
        {
            assert!(bad.parse::<Cron>().is_err(), "{bad}");
        }
        assert_eq!("0 0 31 2 *".parse::<Cron>(), Err(CronError::Never));
        let cron: Cron = " 0  8 * * mon ".parse().unwrap();
        assert_eq!(serde_json::to_string(&cron).unwrap(), "\"0 8 * * mon\"");
    }

    #[test]
    fn what_was_missed_is_counted_and_skipped() {
        let daily = Again::At("0 9 * * *".parse().unwrap());
        let (last, now) = (at("2026-11-20T09:00", "UTC"), at("2026-11-23T10:00", "UTC"));
        let skipped = daily.skip(last, now, &TimeZone::UTC);
        assert_eq!(skipped, (Some(at("2026-11-24T09:00", "UTC")), 3));
        let spans = Again::Every(60).skip(Timestamp(1_000), Timestamp(181_000), &TimeZone::UTC);
        assert_eq!(spans, (Some(Timestamp(241_000)), 3));
        let minutely = Again::At("* * * * *".parse().unwrap());
        let (next, missed) = minutely.skip(last, now, &TimeZone::UTC);
        assert_eq!((next, missed), (Some(at("2026-11-23T10:01", "UTC")), COUNTED_MAX));
    }
}
