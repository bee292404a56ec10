//! The one pass over a text: stops at digits and `@`, and asks each check in turn, the surest
//! first, what stands there.

use std::ops::Range;

use super::{
    Found, PersonalType, PhoneRegion, card, crypto, date, email, iban, ip, national, phone,
    run::{Run, Text},
};

/// How far ahead of a digit the `@` of an address is looked for.
const LOCAL_BYTES_MAX: usize = 64;
/// The longest word that is looked at: the longest Bech32 address.
const WORD_BYTES_MAX: usize = 90;

/// What a check says about a place in the text.
enum Answer {
    /// Personal data.
    Found(PersonalType, Range<usize>),
    /// Nothing up to here.
    Past(usize),
}

/// Finds everything but names in `text` and adds it to `found`, in order.
pub(super) fn find(text: &str, regions: &[PhoneRegion], found: &mut Vec<Found>) {
    let text = Text::new(text);
    let mut pos = 0;
    // The end of what was last recognised: nothing begins before it.
    let mut floor = 0;
    while let Some(at) = next_stop(&text, pos) {
        let answer = if text.at(at) == b'@' {
            match email::find(&text, at, floor) {
                Some(range) => Answer::Found(PersonalType::Email, range),
                None => Answer::Past(at + 1),
            }
        } else {
            let start = text.skip_back(at, pos, |byte| byte.is_ascii_alphanumeric());
            at_word(&text, start, regions, floor)
        };
        match answer {
            Answer::Found(kind, range) => {
                pos = range.end.max(at + 1);
                floor = range.end;
                // PERSONAL-1: whatever a check says, nothing overlaps and nothing is empty.
                let is_new = found.last().is_none_or(|last| last.range.end <= range.start);
                if is_new && range.start < range.end {
                    found.push(Found { kind, range });
                }
            }
            Answer::Past(end) => pos = end.max(at + 1),
        }
    }
}

fn next_stop(text: &Text<'_>, pos: usize) -> Option<usize> {
    let bytes = text.bytes(pos..text.len());
    bytes.iter().position(|&byte| byte.is_ascii_digit() || byte == b'@').map(|at| pos + at)
}

/// What stands at a word that has a digit in it.
fn at_word(text: &Text<'_>, start: usize, regions: &[PhoneRegion], floor: usize) -> Answer {
    let limit = (start + WORD_BYTES_MAX + 1).min(text.len());
    let word = text.bytes(start..limit);
    let length = word.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    if WORD_BYTES_MAX < length {
        return Answer::Past(text.skip(start, |byte| byte.is_ascii_alphanumeric()));
    }
    let word = start..start + length;
    if is_before_at(text, start) {
        return Answer::Past(word.end);
    }
    if let Some(range) = ip::v6(text, word.clone(), floor) {
        return Answer::Found(PersonalType::Ip, range);
    }
    if text.bytes(word.clone()).iter().all(u8::is_ascii_digit) {
        return at_digits(text, word, regions, floor);
    }
    at_mixed(text, word, floor)
}

/// Whether the word is part of an e-mail address, which is then found at its `@`.
fn is_before_at(text: &Text<'_>, start: usize) -> bool {
    let limit = (start + LOCAL_BYTES_MAX + 1).min(text.len());
    let local = text.bytes(start..limit);
    let length = local.iter().take_while(|&&byte| email::is_local(byte)).count();
    let at = start + length;
    text.at(at) == b'@' && email::find(text, at, start).is_some()
}

/// What stands at a word of letters and digits.
fn at_mixed(text: &Text<'_>, word: Range<usize>, floor: usize) -> Answer {
    let start = word.start;
    // `12th of March` and `1er mars`.
    if let Some(date) = date::in_words(text, start, floor) {
        return dated(text, &date, floor);
    }
    if text.is_attached_before(start) {
        return Answer::Past(word.end);
    }
    if let Some(range) = iban::find(text, start) {
        return Answer::Found(PersonalType::Iban, range);
    }
    if let Some(range) = national::fiscal_code_apart(text, word.clone()) {
        return Answer::Found(PersonalType::NationalId, range);
    }
    if text.is_attached_after(word.end) {
        return Answer::Past(word.end);
    }
    if crypto::is_address(text.bytes(word.clone())) {
        return Answer::Found(PersonalType::CryptoAddress, word);
    }
    match national::word(text, word.clone(), floor) {
        Some((kind, range)) => Answer::Found(kind, range),
        None => Answer::Past(word.end),
    }
}

/// What stands at a word of digits.
fn at_digits(text: &Text<'_>, word: Range<usize>, regions: &[PhoneRegion], floor: usize) -> Answer {
    let start = word.start;
    let run = Run::at(text, start);
    let is_attached = text.is_attached_before(start);
    // `X-1234567-L`: the letter belongs to the number.
    let is_lettered = text.before(start) == b'-' && matches!(text.before_that(start), b'X'..=b'Z');
    if run.groups().is_empty() || (is_attached && !is_lettered) {
        return Answer::Past(word.end);
    }
    if let Some(range) = iban::find_apart(text, &run) {
        return Answer::Found(PersonalType::Iban, range);
    }
    if let Some(range) = ip::v4(text, &run, floor) {
        return Answer::Found(PersonalType::Ip, range);
    }
    let date = date::numeric(text, &run).or_else(|| date::in_words(text, start, floor));
    if let Some(date) = date {
        return dated(text, &date, floor);
    }
    if let Some(range) = card::find(text, &run) {
        return Answer::Found(PersonalType::CreditCard, range);
    }
    if let Some((kind, range)) = national::in_run(text, &run, floor) {
        return Answer::Found(kind, range);
    }
    match phone::find(text, &run, regions, floor) {
        Some(range) => Answer::Found(PersonalType::Phone, range),
        None => Answer::Past(word.end),
    }
}

fn dated(text: &Text<'_>, date: &date::Date, floor: usize) -> Answer {
    if date::is_birth(text, date, floor) {
        Answer::Found(PersonalType::DateOfBirth, date.range.clone())
    } else {
        Answer::Past(date.range.end)
    }
}
