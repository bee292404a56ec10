//! Reads when something is to be, in plain words of every language that the hall speaks: "in 20
//! minutes", "morgen um 9", "cada lunes 8:00", "завтра в 9 утра", "غدا الساعة ٩". Pure.
//!
//! What follows the time is what is to be done then. Whoever resolves a time knows the zone.

use std::time::Duration;

use jiff::{
    ToSpan as _,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};
use protocol::Timestamp;

use super::{
    cron::{Again, Cron},
    lexicon::{self, Half, Part},
};
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
    let when = words.when().ok_or(WhenError::Unclear)?;
    Ok((when, words.rest.trim_start_matches([' ', ',', ':', '،', '\n'])))
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
    /// All of it, the first way that it reads.
    fn when(&mut self) -> Option<When> {
        let ways: [fn(&mut Self) -> Option<When>; 5] =
            [Self::after_a_while, Self::every, Self::always, Self::by_rule, Self::moment];
        ways.into_iter().find_map(|way| self.attempt(way))
    }

    /// Takes what a way of reading takes, or nothing.
    fn attempt<T>(&mut self, way: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.rest;
        let found = way(self);
        if found.is_none() {
            self.rest = before;
        }
        found
    }

    /// The next word, without what makes no difference.
    fn peek(&self) -> String {
        lexicon::fold(self.split().0)
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

    /// Takes some words if they are these.
    fn phrase(&mut self, phrase: &str) -> bool {
        let taken = self.attempt(|words| {
            let mut all = phrase.split(' ');
            all.all(|it| words.take(|word| (word == it).then_some(())).is_some()).then_some(())
        });
        taken.is_some()
    }

    fn any(&mut self, phrases: &[&'static str]) -> Option<&'static str> {
        phrases.iter().find(|it| self.phrase(it)).copied()
    }

    fn one_of<T: Copy>(&mut self, phrases: &[(&'static str, T)]) -> Option<T> {
        phrases.iter().find(|(it, _)| self.phrase(it)).map(|(_, found)| *found)
    }

    fn after_a_while(&mut self) -> Option<When> {
        self.any(lexicon::IN)?;
        self.span().map(When::In)
    }

    /// "20 minutes", "1h 30m", "an hour and 5 minutes", "ساعتين".
    fn span(&mut self) -> Option<Duration> {
        let alone = self.one_of(lexicon::ALONE).map(Duration::from_secs);
        let mut total = alone.unwrap_or_default();
        if alone.is_some() {
            self.and_number();
        }
        while let Some(part) = self.attempt(Self::one_span) {
            total = total.checked_add(part)?;
            self.and_number();
        }
        (!total.is_zero() && total <= FAR).then_some(total)
    }

    /// Takes an "and" that a number follows.
    fn and_number(&mut self) {
        self.attempt(|words| {
            words.any(lexicon::AND)?;
            words.peek().starts_with(|it: char| it.is_ascii_digit()).then_some(())
        });
    }

    fn one_span(&mut self) -> Option<Duration> {
        if let Some(span) = self.take(short_span) {
            return Some(span);
        }
        let one = self.any(lexicon::ONE).map(|_| 1);
        let count = one.or_else(|| self.take(|it| it.parse::<u32>().ok()))?;
        self.take(lexicon::unit)?.checked_mul(count)
    }

    fn every(&mut self) -> Option<When> {
        self.any(lexicon::EVERY)?;
        self.again().map(When::Again)
    }

    /// What follows "every".
    fn again(&mut self) -> Option<Again> {
        if let Some(days) = self.days_of_week() {
            return self.on_days(&days);
        }
        if let Some(part) = self.one_of(lexicon::PARTS) {
            let time = self.time(Some(part), false).or_else(|| usual(Some(part)))?;
            return at_days(time, "*");
        }
        // A day is one on the calendar, and no span.
        if let Some(days) = self.attempt(|words| {
            words.any(lexicon::DAYS)?;
            Some(words.days_of_week().unwrap_or_else(|| "*".to_owned()))
        }) {
            return self.on_days(&days);
        }
        let short = |it: &str| lexicon::unit(it).filter(|it| it.as_secs() < DAY);
        let span = self.attempt(Self::span).or_else(|| self.take(short))?;
        Some(Again::Every(span.as_secs()))
    }

    /// Days of the week, as a field of a cron rule.
    fn days_of_week(&mut self) -> Option<String> {
        let mut days = Vec::new();
        loop {
            let before = self.rest;
            if !days.is_empty() {
                self.any(lexicon::AND);
            }
            let day = self.one_of(lexicon::OF_THE_WEEK).map(str::to_owned);
            let is_first = days.is_empty();
            let Some(day) = day.or_else(|| self.take(|it| day_of_week(it, is_first))) else {
                self.rest = before;
                break;
            };
            days.push(day);
        }
        (!days.is_empty()).then(|| days.join(","))
    }

    /// "daily", "montags".
    fn always(&mut self) -> Option<When> {
        let daily = self.any(lexicon::DAILY).map(|_| "*");
        let days = daily.or_else(|| self.one_of(lexicon::ALWAYS))?;
        self.on_days(days).map(When::Again)
    }

    /// At a time of day, on some days of the week.
    fn on_days(&mut self, days: &str) -> Option<Again> {
        let part = self.one_of(lexicon::PARTS);
        let time = self.time(part, false).or_else(|| usual(part))?;
        at_days(time, days)
    }

    fn by_rule(&mut self) -> Option<When> {
        self.cron().map(|it| When::Again(Again::At(it)))
    }

    /// Five fields, of which the first begins as no word does.
    fn cron(&mut self) -> Option<Cron> {
        let mut fields = Vec::new();
        for _ in 0..5 {
            fields.push(lexicon::fold(self.split().0));
            self.next();
        }
        fields.join(" ").parse().ok()
    }

    /// A day, a time, or both.
    fn moment(&mut self) -> Option<When> {
        let on = self.any(lexicon::ON);
        let is_at = on.is_some_and(|it| lexicon::ON_AND_AT.contains(&it));
        let (named, part) = match self.one_of(lexicon::OF_TODAY) {
            Some(part) => (Some(Day::From(0)), Some(part)),
            None => (self.day(), None),
        };
        let part = match (part, named) {
            (None, Some(_)) => self.one_of(lexicon::PARTS),
            (part, _) => part,
        };
        let time = self.time(part, is_at && named.is_none());
        // "9:00 tomorrow" is as good.
        let day = named.or_else(|| {
            self.attempt(|words| {
                words.any(lexicon::ON);
                words.day()
            })
        });
        match (day, time) {
            (None, None) => None,
            (day, time) => Some(When::At(day.unwrap_or(Day::Next), time.or_else(|| usual(part))?)),
        }
    }

    fn day(&mut self) -> Option<Day> {
        if let Some(days) = self.one_of(lexicon::FROM_TODAY) {
            return Some(Day::From(days));
        }
        self.take(|it| lexicon::weekday(it).map(Day::Week).or_else(|| date(it).map(Day::Date)))
    }

    /// A time of day. `said`: what makes a time of a lone hour stands before it already.
    fn time(&mut self, part: Option<Part>, said: bool) -> Option<Time> {
        self.attempt(|words| {
            let said = words.any(lexicon::AT).is_some() || said;
            if let Some(time) = words.take(half_time) {
                return Some(time);
            }
            let (hour, minute) = words.take(|it| clock(it, said))?;
            let is_hour = words.any(lexicon::HOUR).is_some();
            let half = words.half();
            match (half, minute) {
                (Some(half), minute) => of_half(hour, minute.unwrap_or(0), half),
                (None, None) if !said && !is_hour => None,
                (None, minute) => {
                    let is_late = part.is_some_and(|it| it.is_late) && hour < 12;
                    let hour = if is_late { hour + 12 } else { hour };
                    Time::new(hour, minute.unwrap_or(0), 0, 0).ok()
                }
            }
        })
    }

    /// Before noon or after it. "am" before a day is no such word.
    fn half(&mut self) -> Option<Half> {
        self.attempt(|words| {
            let is_am = words.peek() == "am";
            let half = words.one_of(lexicon::HALVES)?;
            let is_of_day = is_am && words.attempt(|words| words.day()).is_some();
            (!is_of_day).then_some(half)
        })
    }
}

const DAY: u64 = 86_400;

fn at_days(time: Time, days: &str) -> Option<Again> {
    let rule = format!("{} {} * * {days}", time.minute(), time.hour());
    rule.parse().ok().map(Again::At)
}

/// The time of a day without one.
fn usual(part: Option<Part>) -> Option<Time> {
    Time::new(part.map_or(USUAL_HOUR, |it| it.hour), 0, 0, 0).ok()
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
        let part = lexicon::unit(name)?.checked_mul(number.parse().ok()?)?;
        total = total.checked_add(part)?;
        rest = more;
    }
    (!total.is_zero()).then_some(total)
}

/// As a field of a cron rule. In Arabic the "and" before a further one is a part of the word.
fn day_of_week(word: &str, is_first: bool) -> Option<String> {
    let and = || word.strip_prefix('و').filter(|_| !is_first).and_then(lexicon::weekday);
    lexicon::weekday(word).or_else(and).map(|it| it.to_sunday_zero_offset().to_string())
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

/// "9am", "9:30pm".
fn half_time(word: &str) -> Option<Time> {
    let (clock_word, half) = match (word.strip_suffix("am"), word.strip_suffix("pm")) {
        (Some(word), _) => (word, Half::Early),
        (None, Some(word)) => (word, Half::Late),
        (None, None) => return None,
    };
    let (hour, minute) = clock(clock_word, false)?;
    of_half(hour, minute.unwrap_or(0), half)
}

/// An hour, and its minutes if they are said: "9", "9:30", and "9.30" where it can only be a time.
fn clock(word: &str, said: bool) -> Option<(i8, Option<i8>)> {
    let parts = word.split_once(':').or_else(|| word.split_once('.').filter(|_| said));
    match parts {
        Some((hour, minute)) if minute.len() == 2 => {
            Some((hour.parse().ok()?, Some(minute.parse().ok()?)))
        }
        Some(_) => None,
        None => Some((word.parse().ok()?, None)),
    }
}

fn of_half(hour: i8, minute: i8, half: Half) -> Option<Time> {
    let hour = match (half, hour) {
        (Half::Early | Half::Night, 12) => 0,
        (Half::Late, 1..=11) | (Half::Night, 6..=11) => hour + 12,
        (Half::Early | Half::Late | Half::Night, 1..=12) => hour,
        (Half::Early | Half::Late | Half::Night, _) => return None,
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
    fn a_time_is_read_in_every_language_with_its_own_digits() {
        for (text, at, rest) in [
            // German.
            ("in 20 Minuten Brot", "Thu 2026-11-26 12:20:00", "Brot"),
            ("in einer Stunde und 5 Minuten los", "Thu 2026-11-26 13:05:00", "los"),
            ("in einer halben Stunde Tee", "Thu 2026-11-26 12:30:00", "Tee"),
            ("morgen um 9 Ada anrufen", "Fri 2026-11-27 09:00:00", "Ada anrufen"),
            ("morgen um 9 Uhr Ada anrufen", "Fri 2026-11-27 09:00:00", "Ada anrufen"),
            ("morgen Abend um 8 Kino", "Fri 2026-11-27 20:00:00", "Kino"),
            ("heute Abend Kino", "Thu 2026-11-26 19:00:00", "Kino"),
            ("übermorgen 8:15 Müll", "Sat 2026-11-28 08:15:00", "Müll"),
            ("am Freitag um 8.15 Uhr Müll", "Fri 2026-11-27 08:15:00", "Müll"),
            ("9:00 am Freitag Müll", "Fri 2026-11-27 09:00:00", "Müll"),
            ("am 1.12.2026 um 18 Uhr Fest", "Tue 2026-12-01 18:00:00", "Fest"),
            ("jeden Montag um 8 Plan", "Mon 2026-11-30 08:00:00", "Plan"),
            ("alle 2 Stunden trinken", "Thu 2026-11-26 14:00:00", "trinken"),
            ("täglich 7:30 Pille", "Fri 2026-11-27 07:30:00", "Pille"),
            ("montags und abends üben", "Mon 2026-11-30 09:00:00", "und abends üben"),
            ("werktags 8:00 Neues", "Fri 2026-11-27 08:00:00", "Neues"),
            // Spanish.
            ("en 20 minutos pan", "Thu 2026-11-26 12:20:00", "pan"),
            ("dentro de 2 horas té", "Thu 2026-11-26 14:00:00", "té"),
            ("mañana a las 9 llamar a Ada", "Fri 2026-11-27 09:00:00", "llamar a Ada"),
            ("mañana por la tarde a las 5 té", "Fri 2026-11-27 17:00:00", "té"),
            ("pasado mañana a las 9:30 de la noche cine", "Sat 2026-11-28 21:30:00", "cine"),
            ("el viernes a las 8 basura", "Fri 2026-11-27 08:00:00", "basura"),
            ("cada lunes a las 8 plan", "Mon 2026-11-30 08:00:00", "plan"),
            ("todos los días a las 22:00 luz", "Thu 2026-11-26 22:00:00", "luz"),
            ("los lunes y miércoles 7:00 correr", "Mon 2026-11-30 07:00:00", "correr"),
            ("cada 2 horas beber", "Thu 2026-11-26 14:00:00", "beber"),
            // Russian.
            ("через 20 минут хлеб", "Thu 2026-11-26 12:20:00", "хлеб"),
            ("через час чай", "Thu 2026-11-26 13:00:00", "чай"),
            ("через полчаса чай", "Thu 2026-11-26 12:30:00", "чай"),
            ("через 3 дня полить цветы", "Sun 2026-11-29 12:00:00", "полить цветы"),
            ("завтра в 9 позвонить Аде", "Fri 2026-11-27 09:00:00", "позвонить Аде"),
            ("завтра в 9 вечера кино", "Fri 2026-11-27 21:00:00", "кино"),
            ("сегодня вечером кино", "Thu 2026-11-26 19:00:00", "кино"),
            ("в 18:30 ужин", "Thu 2026-11-26 18:30:00", "ужин"),
            ("в 6 часов вечера ужин", "Thu 2026-11-26 18:00:00", "ужин"),
            ("в пятницу в 8 мусор", "Fri 2026-11-27 08:00:00", "мусор"),
            ("каждый понедельник в 8 план", "Mon 2026-11-30 08:00:00", "план"),
            ("каждый день в 22:00 лампа", "Thu 2026-11-26 22:00:00", "лампа"),
            ("каждые 2 часа пить", "Thu 2026-11-26 14:00:00", "пить"),
            ("по будням в 8 новости", "Fri 2026-11-27 08:00:00", "новости"),
            // Arabic, with its digits.
            ("بعد ٢٠ دقيقة أخرج الخبز", "Thu 2026-11-26 12:20:00", "أخرج الخبز"),
            ("بعد ساعتين شاي", "Thu 2026-11-26 14:00:00", "شاي"),
            ("بعد ساعة شاي", "Thu 2026-11-26 13:00:00", "شاي"),
            ("غدًا الساعة ٩ اتصل بآدا", "Fri 2026-11-27 09:00:00", "اتصل بآدا"),
            ("غدا الساعة ٩ مساءً فيلم", "Fri 2026-11-27 21:00:00", "فيلم"),
            ("بعد غد الساعة ٨:١٥، القمامة", "Sat 2026-11-28 08:15:00", "القمامة"),
            ("يوم الجمعة الساعة 8 القمامة", "Fri 2026-11-27 08:00:00", "القمامة"),
            ("كل يوم اثنين الساعة 8 خطة", "Mon 2026-11-30 08:00:00", "خطة"),
            ("كل اثنين وخميس 8:00 خطة", "Mon 2026-11-30 08:00:00", "خطة"),
            ("كل يوم الساعة ٢٢:٠٠ مصباح", "Thu 2026-11-26 22:00:00", "مصباح"),
            ("كل ساعتين ماء", "Thu 2026-11-26 14:00:00", "ماء"),
            ("٠ ٨ * * ١-٥ أخبار", "Fri 2026-11-27 08:00:00", "أخبار"),
            // English, as before.
            ("9:00 am film", "Fri 2026-11-27 09:00:00", "film"),
            ("tonight film", "Thu 2026-11-26 19:00:00", "film"),
            ("every evening at 8 film", "Thu 2026-11-26 20:00:00", "film"),
            ("tomorrow morning film", "Fri 2026-11-27 09:00:00", "film"),
            ("in half an hour tea", "Thu 2026-11-26 12:30:00", "tea"),
            ("in 2 hours second breakfast", "Thu 2026-11-26 14:00:00", "second breakfast"),
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
            "on 9 x",
            "bald Tee",
            "alle Jahre wieder",
            "a las mil",
            "по делу",
            "كل عام",
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
