//! Dates, and which of them are said to be somebody's birth.

use std::ops::Range;

use super::{
    context::{is_after, is_any, is_before},
    run::{Gap, Run, Text},
};

/// Words that make a date one of birth, wherever they stand in the sentence.
const BIRTH: &[&str] = &[
    "=born",
    "birthdate",
    "=birth",
    "=dob",
    "geboren",
    "geburtsd",
    "=geb",
    "=né",
    "=née",
    "naissance",
    "=nacido",
    "=nacida",
    "=nací",
    "=nació",
    "=naci",
    "nacimiento",
    "=nato",
    "=nata",
    "nascita",
    "=nacque",
    "=naissait",
    "=naquit",
];
/// Those of them that may stand behind the date. Others would belong to the next sentence.
const BIRTH_AFTER: &[&str] =
    &["geboren", "=dob", "=birth", "geburtsd", "naissance", "nacimiento", "nascita"];
/// Words for the day that comes every year: with a year of late, it is a party.
const BIRTHDAY: &[&str] =
    &["birthday", "=bday", "geburtstag", "anniversaire", "cumpleaños", "compleanno"];
/// The last year in which somebody who has a birthday soon may have been born.
const BIRTHDAY_YEAR_MAX: u32 = 2015;
const YEARS: Range<u32> = 1900..2031;

/// Month names and their abbreviations in five languages, as stems.
const MONTHS: &[&str] = &[
    "=january",
    "=jan",
    "=january",
    "=januar",
    "=jänner",
    "=janvier",
    "=enero",
    "=ene",
    "=gennaio",
    "=gen",
    "=february",
    "=feb",
    "=februar",
    "=février",
    "=fevrier",
    "=févr",
    "=febrero",
    "=febbraio",
    "=march",
    "=mar",
    "=märz",
    "=mrz",
    "=mars",
    "=marzo",
    "=april",
    "=apr",
    "=avril",
    "=avr",
    "=abril",
    "=abr",
    "=aprile",
    "=may",
    "=mai",
    "=mayo",
    "=maggio",
    "=mag",
    "=june",
    "=jun",
    "=juni",
    "=juin",
    "=junio",
    "=giugno",
    "=giu",
    "=july",
    "=jul",
    "=juli",
    "=juillet",
    "=juil",
    "=julio",
    "=luglio",
    "=lug",
    "=august",
    "=aug",
    "=août",
    "=aout",
    "=agosto",
    "=ago",
    "=september",
    "=sep",
    "=sept",
    "=septembre",
    "=septiembre",
    "=settembre",
    "=set",
    "=october",
    "=oct",
    "=oktober",
    "=okt",
    "=octobre",
    "=octubre",
    "=ottobre",
    "=ott",
    "=november",
    "=nov",
    "=novembre",
    "=noviembre",
    "=december",
    "=dec",
    "=dezember",
    "=dez",
    "=décembre",
    "=déc",
    "=diciembre",
    "=dic",
    "=dicembre",
];

/// A date in a text.
pub(super) struct Date {
    pub(super) range: Range<usize>,
    year: u32,
}

/// The date in numbers that begins `run`: `12.03.1985`, `3/12/85`, `1985-03-12`.
pub(super) fn numeric(text: &Text<'_>, run: &Run) -> Option<Date> {
    let gap = run.gap(1)?;
    let gaps_fit = match gap {
        Gap::Dot | Gap::Dash | Gap::Slash | Gap::Stop => {
            run.is_even(3, gap) || (gap == Gap::Stop && run.gap(2) == Some(Gap::Dot))
        }
        Gap::First | Gap::Space | Gap::Paren | Gap::Wide => false,
    };
    let &[a, b, c, ..] = run.sizes() else { return None };
    let goes_on = run.gap(3) == Some(gap) || text.is_word(run.end_of(3));
    // No part of a date has more than four digits, and a part of eleven would not fit a number.
    if !gaps_fit || goes_on || 4 < a.max(b).max(c) {
        return None;
    }
    let digits = run.digits_up_to(3);
    let value = |range: Range<usize>| {
        digits.get(range).unwrap_or_default().iter().fold(0, |sum, &d| sum * 10 + u32::from(d))
    };
    let (first, second, third) = (value(0..a), value(a..a + b), value(a + b..a + b + c));
    let is_day = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    let year = match (a, b, c) {
        (4, 1..=2, 1..=2) if is_day(third, second) => first,
        (1..=2, 1..=2, 2 | 4) if is_day(first, second) || is_day(second, first) => match c {
            4 => third,
            // Whoever is a hundred years old writes the year in full.
            _ if third <= 30 => 2000 + third,
            _ => 1900 + third,
        },
        _ => return None,
    };
    let start = run.groups().first()?.start;
    YEARS.contains(&year).then(|| Date { range: start..run.end_of(3), year })
}

/// The date in words whose day begins at `start`: `12 March 1985`, `1er mars 1985`,
/// `12. März 1985`, `12 de marzo de 1985`, `March 12th, 1985`.
pub(super) fn in_words(text: &Text<'_>, start: usize, floor: usize) -> Option<Date> {
    let digits_end = text.skip(start, |byte| byte.is_ascii_digit());
    let day: u32 = text.part(start..digits_end).parse().ok()?;
    if 2 < digits_end - start || !(1..=31).contains(&day) {
        return None;
    }
    let mut at = digits_end;
    let mark = text.skip(at, is_letter);
    match text.part(at..mark) {
        "st" | "nd" | "rd" | "th" | "er" | "º" | "ª" | "°" | "o" => at = mark,
        "" => {}
        _ => return None,
    }
    day_first(text, start, at).or_else(|| month_first(text, start, at, floor))
}

/// `at` is where the day ends.
fn day_first(text: &Text<'_>, start: usize, at: usize) -> Option<Date> {
    let at = if text.at(at) == b'.' { at + 1 } else { at };
    let (month_at, month) = content_word(text, at)?;
    if !is_any(month, MONTHS) {
        return None;
    }
    let after = month_at + month.len();
    let after = if matches!(text.at(after), b'.' | b',') { after + 1 } else { after };
    let year_at = match content_word(text, after) {
        // No word after the month: the year follows it directly.
        None => text.skip(after, |byte| byte == b' '),
        Some((at, word)) if matches!(word, "de" | "del") => at + word.len() + 1,
        Some(_) => return None,
    };
    with_year(text, start, year_at)
}

fn month_first(text: &Text<'_>, day: usize, at: usize, floor: usize) -> Option<Date> {
    let mut end = day;
    if text.before(end) != b' ' {
        return None;
    }
    end -= 1;
    if text.before(end) == b'.' {
        end -= 1;
    }
    let start = text.skip_back(end, floor.max(end.saturating_sub(12)), is_letter);
    let year_at = text.skip(at, |byte| matches!(byte, b',' | b' '));
    let is_month = is_any(text.part(start..end), MONTHS);
    if is_month && at < year_at { with_year(text, start, year_at) } else { None }
}

/// The next word after one space, without the `of` or `de` before it.
fn content_word<'t>(text: &Text<'t>, at: usize) -> Option<(usize, &'t str)> {
    let start = if matches!(text.at(at), b' ' | b'-') { at + 1 } else { at };
    let word = text.part(start..text.skip(start, is_letter));
    match word {
        "" => None,
        "of" | "de" | "di" if text.at(start + word.len()) == b' ' => {
            let next = start + word.len() + 1;
            let end = text.skip(next, is_letter);
            // `de 1985`: the word is all there is.
            if end == next { Some((start, word)) } else { Some((next, text.part(next..end))) }
        }
        word => Some((start, word)),
    }
}

fn with_year(text: &Text<'_>, start: usize, year_at: usize) -> Option<Date> {
    let year_at = if text.at(year_at) == b'-' { year_at + 1 } else { year_at };
    let end = text.skip(year_at, |byte| byte.is_ascii_digit());
    let year: u32 = (end - year_at == 4).then(|| text.part(year_at..end).parse().ok())??;
    YEARS.contains(&year).then_some(Date { range: start..end, year })
}

/// Whether the words around a date say that somebody was born on it.
pub(super) fn is_birth(text: &Text<'_>, date: &Date, floor: usize) -> bool {
    let Range { start, end } = date.range;
    let initials = text.bytes(start.saturating_sub(10).max(floor)..start);
    let initials = initials.windows(5).any(|it| it.eq_ignore_ascii_case(b"d.o.b"));
    initials
        || is_before(text, start, floor, BIRTH)
        || is_after(text, end, BIRTH_AFTER)
        || (date.year <= BIRTHDAY_YEAR_MAX
            && (is_before(text, start, floor, BIRTHDAY) || is_after(text, end, BIRTHDAY)))
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || 0x80 <= byte
}
