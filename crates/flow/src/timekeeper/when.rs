//! Reads when something is to be, in plain words: "in 20 minutes", "tomorrow 9:00", "every monday
//! 8:00". Pure.
//!
//! What follows the time is what is to be done then. Whoever resolves a time knows the zone.

use std::time::Duration;

use jiff::{
    ToSpan as _,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};
use protocol::Timestamp;

use super::cron::{Again, Cron};
use crate::treasurer::time::moment;

/// The hour that a day without a time means.
const USUAL_HOUR: i8 = 9;
/// The farthest that is looked ahead.
const FAR: Duration = Duration::from_secs(5 * 366 * 86_400);

/// When something is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// After a time.
    In(Duration),
    /// Once, on the wall clock.
    At(Day, Time),
    /// Again and again.
    Again(Again),
}

/// A day, before it is known which day it is today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// Today, or tomorrow if the time is over.
    Next,
    /// So many days from today.
    From(i32),
    /// The next one that is called so.
    Week(Weekday),
    /// This one.
    Date(Date),
}

/// Why a time was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// No time that is understood.
    #[error("that is no time")]
    Unclear,
    /// It has gone by.
    #[error("that time is over")]
    Past,
    /// More than five years away.
    #[error("that is too far away")]
    TooFar,
}

/// Reads a time at the beginning of a text, and gives what follows it.
///
/// # Errors
/// If there is none.
pub fn read(text: &str) -> Result<(When, &str), WhenError> {
    let mut words = Words { rest: text };
    let when = match words.peek().as_str() {
        "in" => {
            words.next();
            When::In(words.span().ok_or(WhenError::Unclear)?)
        }
        "every" | "each" => {
            words.next();
            When::Again(words.again().ok_or(WhenError::Unclear)?)
        }
        "daily" => {
            words.next();
            When::Again(words.on_days("*").ok_or(WhenError::Unclear)?)
        }
        _ => match words.cron() {
            Some(cron) => When::Again(Again::At(cron)),
            None => words.moment().ok_or(WhenError::Unclear)?,
        },
    };
    Ok((when, words.rest.trim_start_matches([' ', ',', ':', '\n'])))
}

impl When {
    /// The first time of it, from now on.
    ///
    /// # Errors
    /// If it is over, or too far away.
    pub fn first(&self, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, WhenError> {
        let first = match self {
            Self::In(span) => now.plus(*span),
            Self::Again(again) => again.next(now, zone).ok_or(WhenError::TooFar)?,
            Self::At(day, time) => {
                let here = moment(now).to_zoned(zone.clone()).datetime();
                let at = day.at(here, *time).ok_or(WhenError::TooFar)?;
                let zoned = zone.to_ambiguous_zoned(at).compatible();
                let zoned = zoned.map_err(|_out_of_range| WhenError::TooFar)?;
                let at = zoned.timestamp().as_millisecond();
                Timestamp(u64::try_from(at).map_err(|_before_1970| WhenError::Past)?)
            }
        };
        match first {
            _ if first <= now => Err(WhenError::Past),
            _ if now.plus(FAR) < first => Err(WhenError::TooFar),
            _ => Ok(first),
        }
    }

    /// How it comes again, if it does.
    #[must_use]
    pub fn again(&self) -> Option<&Again> {
        match self {
            Self::Again(again) => Some(again),
            Self::In(_) | Self::At(..) => None,
        }
    }
}

impl Day {
    fn at(self, here: DateTime, time: Time) -> Option<DateTime> {
        let today = here.date();
        let is_over = time <= here.time();
        let days = |count: i32| today.checked_add(count.days()).ok();
        let date = match self {
            Self::Next => days(i32::from(is_over))?,
            Self::From(count) => days(count)?,
            Self::Date(date) => date,
            Self::Week(weekday) => {
                let ahead = i32::from(weekday.since(today.weekday()));
                days(if ahead == 0 && is_over { 7 } else { ahead })?
            }
        };
        Some(date.to_datetime(time))
    }
}

struct Words<'t> {
    rest: &'t str,
}

impl<'t> Words<'t> {
    /// The next word, in small letters and without a comma or colon behind it.
    fn peek(&self) -> String {
        self.split().0.trim_end_matches([',', ':']).to_lowercase()
    }

    fn split(&self) -> (&'t str, &'t str) {
        let text = self.rest.trim_start();
        text.split_once(char::is_whitespace).unwrap_or((text, ""))
    }

    fn next(&mut self) {
        self.rest = self.split().1;
    }

    /// Takes the next word if it reads as something.
    fn take<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let found = read(&self.peek())?;
        self.next();
        Some(found)
    }

    fn skip(&mut self, word: &str) -> bool {
        self.take(|it| (it == word).then_some(())).is_some()
    }

    /// "20 minutes", "1h 30m", "an hour and 5 minutes".
    fn span(&mut self) -> Option<Duration> {
        let mut total = Duration::ZERO;
        while let Some(part) = self.one_span() {
            total = total.checked_add(part)?;
            let before = self.rest;
            if self.skip("and") && self.peek().parse::<u32>().is_err() {
                self.rest = before;
                break;
            }
        }
        (!total.is_zero() && total <= FAR).then_some(total)
    }

    fn one_span(&mut self) -> Option<Duration> {
        if let Some(span) = self.take(short_span) {
            return Some(span);
        }
        let before = self.rest;
        let count = self.take(|it| match it {
            "a" | "an" | "one" => Some(1),
            _ => it.parse::<u32>().ok(),
        })?;
        let unit = self.take(unit);
        if unit.is_none() {
            self.rest = before;
        }
        unit?.checked_mul(count)
    }

    /// What follows "every".
    fn again(&mut self) -> Option<Again> {
        if let Some(span) =
            self.span().or_else(|| self.take(|it| unit(it).filter(|it| it.as_secs() < DAY)))
        {
            return Some(Again::Every(span.as_secs()));
        }
        if self.skip("day") {
            return self.on_days("*");
        }
        let mut days = Vec::new();
        while let Some(day) = self.take(days_of_week) {
            days.push(day);
            self.skip("and");
        }
        if days.is_empty() { None } else { self.on_days(&days.join(",")) }
    }

    /// At a time of day, on some days of the week.
    fn on_days(&mut self, days: &str) -> Option<Again> {
        let time = self.time().unwrap_or(Time::constant(USUAL_HOUR, 0, 0, 0));
        let rule = format!("{} {} * * {days}", time.minute(), time.hour());
        rule.parse().ok().map(Again::At)
    }

    /// Five fields, of which the first begins as no word does.
    fn cron(&mut self) -> Option<Cron> {
        let mut after = Words { rest: self.rest };
        let mut fields = Vec::new();
        for _ in 0..5 {
            fields.push(after.split().0);
            after.next();
        }
        let cron = fields.join(" ").parse().ok()?;
        self.rest = after.rest;
        Some(cron)
    }

    /// A day, a time, or both.
    fn moment(&mut self) -> Option<When> {
        self.skip("on");
        let named = self.take(day);
        let time = self.time();
        // "9:00 tomorrow" is as good.
        let day = named.or_else(|| {
            self.skip("on");
            self.take(day)
        });
        let usual = Time::constant(USUAL_HOUR, 0, 0, 0);
        match (day, time) {
            (None, None) => None,
            (day, time) => Some(When::At(day.unwrap_or(Day::Next), time.unwrap_or(usual))),
        }
    }

    fn time(&mut self) -> Option<Time> {
        let before = self.rest;
        let said = self.skip("at");
        if let Some(time) = self.take(time) {
            return Some(time);
        }
        // "9 am", and "at 9".
        let hour = self.take(|it| it.parse::<i8>().ok());
        let half =
            hour.and_then(|_| self.take(|it| matches!(it, "am" | "pm").then(|| it.to_owned())));
        let time = match (hour, half) {
            (Some(hour), Some(half)) => of_half(hour, 0, &half),
            (Some(hour), None) if said => Time::new(hour, 0, 0, 0).ok(),
            (Some(_) | None, _) => None,
        };
        if time.is_none() {
            self.rest = before;
        }
        time
    }
}

const DAY: u64 = 86_400;

fn unit(word: &str) -> Option<Duration> {
    let seconds = match word {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

/// "20m", "2h30m".
fn short_span(word: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = word;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, more) = rest.split_at(digits);
        let letters = more.find(|c: char| c.is_ascii_digit()).unwrap_or(more.len());
        let (name, more) = more.split_at(letters);
        total = total.checked_add(unit(name)?.checked_mul(number.parse().ok()?)?)?;
        rest = more;
    }
    (!total.is_zero()).then_some(total)
}

fn weekday(word: &str) -> Option<Weekday> {
    let days = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let singular = word.strip_suffix('s').filter(|it| it.ends_with("day")).unwrap_or(word);
    let is_it = |name: &str| name == singular || (word.len() == 3 && name.starts_with(word));
    days.into_iter().find(|(name, _)| is_it(name)).map(|(_, day)| day)
}

/// As a field of a cron rule.
fn days_of_week(word: &str) -> Option<String> {
    match word {
        "weekday" | "weekdays" | "workday" | "workdays" => Some("1-5".to_owned()),
        "weekend" | "weekends" => Some("0,6".to_owned()),
        _ => weekday(word).map(|it| it.to_sunday_zero_offset().to_string()),
    }
}

fn day(word: &str) -> Option<Day> {
    match word {
        "today" => Some(Day::From(0)),
        "tomorrow" => Some(Day::From(1)),
        _ => weekday(word).map(Day::Week).or_else(|| date(word).map(Day::Date)),
    }
}

/// "2026-12-01", or "1.12.2026".
fn date(word: &str) -> Option<Date> {
    if let Ok(date) = word.parse::<Date>() {
        return Some(date);
    }
    let mut parts = word.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// "9:00", "18:30", "9am", "9:30pm".
fn time(word: &str) -> Option<Time> {
    let half = ["am", "pm"].into_iter().find(|it| word.ends_with(it));
    let clock = word.trim_end_matches("am").trim_end_matches("pm");
    let (hour, minute) = match clock.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (hour.parse().ok()?, minute.parse().ok()?),
        Some(_) => return None,
        None if half.is_some() => (clock.parse().ok()?, 0),
        None => return None,
    };
    match half {
        Some(half) => of_half(hour, minute, half),
        None => Time::new(hour, minute, 0, 0).ok(),
    }
}

fn of_half(hour: i8, minute: i8, half: &str) -> Option<Time> {
    let hour = match (half, hour) {
        ("am", 12) => 0,
        ("pm", 1..=11) => hour + 12,
        (_, 1..=12) => hour,
        _ => return None,
    };
    Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thursday, 26 November 2026, 12:00 in Berlin.
    const NOON: Timestamp = Timestamp(1_795_690_800_000);

    fn first(text: &str) -> (String, String) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let (when, rest) = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let at = when.first(NOON, &zone).unwrap_or_else(|error| panic!("{text}: {error}"));
        let at = moment(at).to_zoned(zone).strftime("%a %Y-%m-%d %H:%M:%S").to_string();
        (at, rest.to_owned())
    }

    #[test]
    fn a_time_in_plain_words_is_read_and_what_follows_it_is_left() {
        for (text, at, rest) in [
            ("in 20 minutes tea", "Thu 2026-11-26 12:20:00", "tea"),
            ("in 90s tea", "Thu 2026-11-26 12:01:30", "tea"),
            ("in 2h30m call Ada", "Thu 2026-11-26 14:30:00", "call Ada"),
            ("In an hour and 5 minutes: go", "Thu 2026-11-26 13:05:00", "go"),
            ("in 1 day and water the plants", "Fri 2026-11-27 12:00:00", "and water the plants"),
            ("in 2 weeks 3 tickets", "Thu 2026-12-10 12:00:00", "3 tickets"),
            ("tomorrow 9:00 stand up", "Fri 2026-11-27 09:00:00", "stand up"),
            ("tomorrow at 9 stand up", "Fri 2026-11-27 09:00:00", "stand up"),
            ("tomorrow stand up", "Fri 2026-11-27 09:00:00", "stand up"),
            ("at 18:30 dinner", "Thu 2026-11-26 18:30:00", "dinner"),
            ("11:00 late", "Fri 2026-11-27 11:00:00", "late"),
            ("9pm film", "Thu 2026-11-26 21:00:00", "film"),
            ("9 pm film", "Thu 2026-11-26 21:00:00", "film"),
            ("12am sleep", "Fri 2026-11-27 00:00:00", "sleep"),
            ("2026-12-01 18:00 gifts", "Tue 2026-12-01 18:00:00", "gifts"),
            ("1.12.2026 at 18:00, gifts", "Tue 2026-12-01 18:00:00", "gifts"),
            ("on friday 8:15 bins", "Fri 2026-11-27 08:15:00", "bins"),
            ("thursday 8:15 bins", "Thu 2026-12-03 08:15:00", "bins"),
            ("9:00 tomorrow walk", "Fri 2026-11-27 09:00:00", "walk"),
            ("every monday 8:00 plan", "Mon 2026-11-30 08:00:00", "plan"),
            ("every mon, wed and fri at 7:00 run", "Fri 2026-11-27 07:00:00", "run"),
            ("every weekday 8:00\nnews", "Fri 2026-11-27 08:00:00", "news"),
            ("every day at 22:00 lamp", "Thu 2026-11-26 22:00:00", "lamp"),
            ("daily 7:30 pill", "Fri 2026-11-27 07:30:00", "pill"),
            ("every 2 hours drink", "Thu 2026-11-26 14:00:00", "drink"),
            ("every hour drink", "Thu 2026-11-26 13:00:00", "drink"),
            ("0 8 * * 1-5 here news", "Fri 2026-11-27 08:00:00", "here news"),
        ] {
            assert_eq!(first(text), (at.to_owned(), rest.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_said_to_be_none() {
        for bad in [
            "",
            "soon",
            "in",
            "in a while",
            "in 0 minutes",
            "25:00 x",
            "9 x",
            "every",
            "every now",
            "13pm x",
        ] {
            assert_eq!(read(bad), Err(WhenError::Unclear), "{bad}");
        }
        let first = |text: &str| read(text).unwrap().0.first(NOON, &TimeZone::UTC);
        assert_eq!(first("today 9:00 x"), Err(WhenError::Past));
        assert_eq!(first("2020-01-01 9:00 x"), Err(WhenError::Past));
        assert_eq!(first("2036-01-01 9:00 x"), Err(WhenError::TooFar));
        assert_eq!(read("in 9999999 weeks x"), Err(WhenError::Unclear));
    }
}
