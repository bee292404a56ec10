//! International bank account numbers: the length of the country and the check of ISO 13616
//! (ISO 7064, modulus 97).

use std::ops::Range;

use super::{
    country::iban_length,
    run::{Run, Text},
};

/// The IBAN that begins at `start`, where a letter stands. Groups may be kept apart by one space,
/// hyphen or full stop each.
pub(super) fn find(text: &Text<'_>, start: usize) -> Option<Range<usize>> {
    let upper = |at: usize| text.at(at).to_ascii_uppercase();
    let length = iban_length([upper(start), upper(start + 1)])?;
    let mut at = start;
    let mut gap = None;
    let mut taken = 0;
    let mut tail = 0;
    let mut head = 0;
    while taken < length {
        let byte = upper(at);
        if !byte.is_ascii_alphanumeric() {
            // The country and check digits are never apart from each other.
            let fits = matches!(byte, b' ' | b'-' | b'.') && gap.is_none_or(|gap| gap == byte);
            if !fits || taken < 2 || !text.is_word(at + 1) {
                return None;
            }
            gap = Some(byte);
            at += 1;
            continue;
        }
        if (2..4).contains(&taken) && !byte.is_ascii_digit() {
            return None;
        }
        // The first four characters count last.
        let sum = if taken < 4 { &mut head } else { &mut tail };
        *sum = add(*sum, byte);
        taken += 1;
        at += 1;
    }
    // Two letters are four digits, and two digits two more: what stands before is moved that far.
    let is_valid = (tail * (1_000_000 % 97) + head) % 97 == 1;
    (is_valid && !text.is_attached_after(at)).then_some(start..at)
}

/// The remainder of a number of remainder `sum` with a character written after it.
fn add(sum: u32, byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        byte => (sum * 100 + u32::from(byte.saturating_sub(b'A')) + 10) % 97,
    }
}

/// The IBAN whose country stands before the group of two digits that begins `run`: `DE 89 3704`.
pub(super) fn find_apart(text: &Text<'_>, run: &Run) -> Option<Range<usize>> {
    let first = run.groups().first()?;
    let start = first.start.checked_sub(3)?;
    let letters = text.at(start).is_ascii_uppercase() && text.at(start + 1).is_ascii_uppercase();
    let is_apart = run.sizes().first() == Some(&2) && text.before(first.start) == b' ';
    if !letters || !is_apart || text.is_attached_before(start) {
        return None;
    }
    find(text, start)
}
