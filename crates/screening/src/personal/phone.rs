//! Telephone numbers: international by the code of the country, national by the forms of the
//! configured regions, any other by a word that announces it.

use std::ops::Range;

use super::{
    context::{Hint, PHONE_AFTER, is_after, is_any, phone_hint, word_after},
    phone_regions::{Likeness, PhoneRegion, country},
    run::{Gap, Run, Text},
};

/// Digits of a number whose form is not known but that a word announces.
const ANNOUNCED_DIGITS: std::ops::RangeInclusive<usize> = 7..=13;
/// The fewest digits of any number that is looked for.
const NATIONAL_DIGITS_MIN: usize = 7;
/// The fewest digits of an international number that begins with `00` and has no gaps.
const SOLID_DIGITS_MIN: usize = 11;
/// Words after a number that make it a count of something.
const UNITS: &[&str] = &[
    "eur",
    "usd",
    "gbp",
    "chf",
    "dollar",
    "pound",
    "=km",
    "=kg",
    "=ms",
    "byte",
    "=mb",
    "=gb",
    "=kb",
    "people",
    "person",
    "habitant",
    "einwohner",
    "personas",
    "persone",
    "user",
    "utilis",
    "usuari",
    "utent",
    "nutzer",
    "token",
    "pixel",
    "million",
    "=views",
    "=rows",
    "=lines",
    "zeilen",
    "lignes",
    "líneas",
    "righe",
    "stück",
    "abitant",
    "stimmen",
    "votes",
    "voix",
    "votos",
    "voti",
    "=px",
    "sekunden",
    "seconds",
    "secondes",
    "segundos",
    "secondi",
    "meter",
    "mètres",
    "metros",
    "metri",
];

/// The number that begins `run`.
pub(super) fn find(
    text: &Text<'_>,
    run: &Run,
    regions: &[PhoneRegion],
    floor: usize,
) -> Option<Range<usize>> {
    let digits_at = run.groups().first()?.start;
    let before = text.before(digits_at);
    let is_international = before == b'+' && !text.before_that(digits_at).is_ascii_alphanumeric();
    let mut start = digits_at;
    if is_international || (before == b'(' && run.gap(1) == Some(Gap::Paren)) {
        start -= 1;
    } else if is_no_start(text, digits_at) {
        return None;
    }
    let mut known = None;
    let count = run.groups().len();
    for taken in (1..=count).rev() {
        let may_end = match run.gap(taken) {
            None => ends(text, run.end_of(taken)),
            Some(Gap::Space | Gap::Stop | Gap::Wide | Gap::Slash | Gap::Paren) => true,
            Some(Gap::First | Gap::Dash | Gap::Dot) => false,
        };
        if !may_end {
            continue;
        }
        let likeness = if is_international {
            international(run, taken, 0)
        } else {
            national(run, taken, regions)
        };
        let end = run.end_of(taken);
        let is_count = || is_any(word_after(text, end), UNITS);
        // Words are looked at only where they can change anything.
        let mut hint = || *known.get_or_insert_with(|| phone_hint(text, start, floor));
        let is_phone = match likeness {
            Likeness::None => false,
            Likeness::Possible => {
                let is_named = match hint() {
                    Hint::Phone => true,
                    Hint::None => is_after(text, end, PHONE_AFTER),
                    Hint::Other => false,
                };
                is_named && !is_count()
            }
            Likeness::Likely => hint() != Hint::Other && !is_count(),
            Likeness::Sure => true,
        };
        if is_phone {
            return Some(start..end);
        }
    }
    None
}

/// Whether what stands before a number makes it an amount, a tag, a part of a URL or a term.
fn is_no_start(text: &Text<'_>, at: usize) -> bool {
    let is_sign = matches!(
        text.before(at),
        b'#' | b'$'
            | b'/'
            | b'='
            | b'_'
            | b'%'
            | b'&'
            | b'~'
            | b'*'
            | b'^'
            | b'<'
            | b'>'
            | b'-'
            | b'+'
            | b'@'
    );
    // Pound and euro signs, before or behind a space.
    let near = text.bytes(at.saturating_sub(4)..at);
    let near = near.strip_suffix(b" ").unwrap_or(near);
    let is_money = near.ends_with(&[0xC2, 0xA3]) || near.ends_with(&[0xE2, 0x82, 0xAC]);
    // `->` is an arrow, not a comparison.
    let is_term = matches!(near.last(), Some(b'*' | b'=' | b'+' | b'$' | b'<' | b'>'))
        && !near.ends_with(b"->");
    is_sign || is_money || is_term
}

/// Whether a number may end before `at`.
fn ends(text: &Text<'_>, at: usize) -> bool {
    let next = text.at(at + 1);
    match text.at(at) {
        b'_' | b'%' | b'$' | b'@' | b'=' | b'*' | b'+' | b'#' => false,
        b'-' => !next.is_ascii_alphanumeric(),
        // A decimal, and not the next number of a list.
        b',' => !(next.is_ascii_digit() && text.skip(at + 1, |b| b.is_ascii_digit()) < at + 5),
        b'.' | b':' | b'/' | b'\'' => !next.is_ascii_digit(),
        b' ' => {
            !matches!((next, text.at(at + 2)), (b'*' | b'=' | b'+' | b'$' | b'%', _) | (0xE2, 0x82))
        }
        0xE2 => text.at(at + 1) != 0x82,
        0xC2 => !matches!(text.at(at + 1), 0xA3 | 0xB0),
        byte => !byte.is_ascii_alphanumeric(),
    }
}

/// The likeness of the first `taken` groups, a country's code after the first `skipped` digits.
fn international(run: &Run, taken: usize, skipped: usize) -> Likeness {
    let digits = run.digits_up_to(taken).get(skipped..).unwrap_or_default();
    let Some((code_digits, least, most)) = country(digits) else { return Likeness::None };
    let mut rest = digits.get(code_digits..).unwrap_or_default();
    // `+49 (0) 30 …`, and the same without the parentheses.
    let is_trunk = matches!(rest, [0, ..]);
    let keeps_zero = matches!(digits, [3, 9, ..] | [2 | 3 | 5..=9, _, _, ..] if code_digits == 3)
        || digits.starts_with(&[3, 9]);
    if is_trunk && (!keeps_zero || run.gap(1) == Some(Gap::Paren)) {
        rest = rest.get(1..).unwrap_or_default();
    }
    let is_american = digits.first() == Some(&1);
    let is_valid = (least..=most).contains(&rest.len())
        && (!is_american || rest.first().is_some_and(|digit| 2 <= *digit));
    match (is_valid, skipped) {
        (false, _) => Likeness::None,
        (true, 0) => Likeness::Sure,
        // Two zeros open other numbers as well.
        (true, _) => Likeness::Likely,
    }
}

fn national(run: &Run, taken: usize, regions: &[PhoneRegion]) -> Likeness {
    let digits = run.digits_up_to(taken);
    let sizes = run.sizes().get(..taken).unwrap_or_default();
    if let [0, 0, ..] = digits {
        let is_split = matches!(sizes, [2, _, ..] | [3..=5, _, ..]);
        let is_solid = matches!(sizes, [only] if SOLID_DIGITS_MIN <= *only);
        let likeness = international(run, taken, 2);
        return if is_split || is_solid { likeness } else { Likeness::None };
    }
    if digits.len() < NATIONAL_DIGITS_MIN {
        return Likeness::None;
    }
    let is_dotted = 1 < taken && run.is_even(taken, Gap::Dot);
    let likest = regions.iter().map(|it| it.likeness(digits, sizes, is_dotted)).max();
    let likest = likest.unwrap_or(Likeness::None);
    // The code of an area in parentheses is nothing else.
    if likest == Likeness::Likely && run.gap(1) == Some(Gap::Paren) {
        return Likeness::Sure;
    }
    if likest == Likeness::None && is_announced(run, taken) { Likeness::Possible } else { likest }
}

/// Whether groups of digits may be a number of any region, if a word announces them.
fn is_announced(run: &Run, taken: usize) -> bool {
    let sizes = run.sizes().get(..taken).unwrap_or_default();
    let digits = run.digits_up_to(taken);
    let is_year = |four: &[u8]| matches!(four, [1, 0..=9, ..] | [2, 0..=3, ..]);
    let (head, tail) = digits.split_at_checked(4).unwrap_or_default();
    // `2019-2024`, `1830 - 1900`.
    let is_range = sizes == [4, 4] && is_year(head) && is_year(tail);
    let is_grouped = sizes.iter().all(|size| (2..=8).contains(size)) || taken == 1;
    ANNOUNCED_DIGITS.contains(&digits.len()) && is_grouped && !is_range && sizes.len() <= 6
}
