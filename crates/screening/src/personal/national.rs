//! National numbers of persons, by their published checks: German tax number and identity card,
//! French NIR, Spanish DNI and NIE, Italian codice fiscale, Polish PESEL, Dutch BSN; the social
//! security number of the United States, which has no check but ranges; passports, which have
//! neither and need a word that announces them.
//!
//! Sources: Identifikationsnummer (BZSt, ISO 7064 mod 11,10), ICAO Doc 9303 part 3 (weights 7-3-1),
//! INSEE (NIR, key 97), Orden INT/2058/2008 (DNI and NIE, modulus 23), D.M. 23/12/1976 (codice
//! fiscale), the PESEL act, Logisch Ontwerp BRP (BSN, eleven test), SSA POMS RM 10201 (SSN).

use std::ops::Range;

use super::{
    PersonalType,
    context::{Hint, Line, OTHER_NUMBER, is_any, is_before, nearest, phone_hint},
    run::{Gap, Run, Text},
};

const SSN_WORDS: &[&str] = &["=ssn", "=ssns", "social", "=ss", "taxpayer", "=itin"];
const NOT_SSN_WORDS: &[&str] = &[
    "=part", "parts", "=sku", "order", "serial", "model", "artic", "batch", "track", "bestell",
    "artikel", "commande", "pedido", "ordine", "teile", "pièce", "pieza", "ricambio", "invoice",
    "ticket", "item", "catalog",
];
const PASSPORT_WORDS: &[&str] = &[
    "passport",
    "reisepass",
    "=pass",
    "passnum",
    "passnr",
    "passeport",
    "pasaporte",
    "passaporto",
];
const NOT_PASSPORT_WORDS: &[&str] =
    &["order", "ticket", "invoice", "flight", "booking", "track", "=sku", "hash", "commit"];
const CARD_WORDS: &[&str] = &[
    "ausweis",
    "personalausweis",
    "=perso",
    "identity",
    "identité",
    "identidad",
    "identità",
    "=cie",
    "dowód",
    "dowod",
    "id-karte",
];
const BSN_WORDS: &[&str] = &["=bsn", "burgerservice", "sofi", "=citizen", "dutch", "niederländ"];
/// Words for the numbers of persons that need no word.
const NUMBER_WORDS: &[&str] =
    &["=id", "=idnr", "steuer", "=tin", "pesel", "identif", "finanz", "=nip"];
/// The letters of DNI and NIE, by remainder.
const DNI_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// A number of a person that begins `run`: digits and what keeps them apart.
pub(super) fn in_run(
    text: &Text<'_>,
    run: &Run,
    floor: usize,
) -> Option<(PersonalType, Range<usize>)> {
    let start = run.groups().first()?.start;
    if let Some(end) = ssn(text, run, floor) {
        return Some((PersonalType::Ssn, start..end));
    }
    if let Some(range) = dni(text, run) {
        return Some((PersonalType::NationalId, range));
    }
    let count = match run.sizes() {
        [11, ..] | [15, ..] | [9, ..] | [8, ..] => 1,
        [13, 2, ..] | [10, 5, ..] => 2,
        [4, 2, 3, ..] | [3, 3, 3, ..] => 3,
        [2, 3, 3, 3, ..] => 4,
        [1, 2, 2, 2, 3, 3, 2, ..] => 7,
        _ => return None,
    };
    let end = run.end_of(count);
    let gap = run.gap(1).filter(|_| 1 < count).unwrap_or(Gap::Space);
    let is_even = matches!(gap, Gap::Space | Gap::Dash | Gap::Dot) && run.is_even(count, gap);
    if !is_even || text.is_attached_after(end) {
        return None;
    }
    let digits = run.digits_up_to(count);
    let is_named = |words| is_before(text, start, floor, words);
    let kind = match digits.len() {
        15 if is_nir(digits) => PersonalType::NationalId,
        11 if is_tax_number(digits) || (count == 1 && is_pesel(digits)) => {
            // Another number passes such a check once in a while.
            let is_other = text.before(start) == b'+' || is_other(text, start, digits, floor);
            return (!is_other).then_some((PersonalType::NationalId, start..end));
        }
        8 | 9 if is_bsn(digits) && is_named(BSN_WORDS) => PersonalType::NationalId,
        9 if count == 1 && is_ssn(digits) && is_named(SSN_WORDS) => PersonalType::Ssn,
        9 if count == 1 && is_passport_named(text, start, floor) => PersonalType::Passport,
        _ => return None,
    };
    Some((kind, start..end))
}

/// Whether words say that a number is an order's or a telephone's.
fn is_other(text: &Text<'_>, at: usize, digits: &[u8], floor: usize) -> bool {
    let named = nearest(text, at, floor, |word, line| {
        if is_any(word, NUMBER_WORDS) {
            return Some(false);
        }
        (line == Line::Same && is_any(word, OTHER_NUMBER)).then_some(true)
    });
    let is_phone = digits.first() == Some(&0) && phone_hint(text, at, floor) == Hint::Phone;
    named.unwrap_or(is_phone)
}

/// A number of a person that is one whole word of letters and digits.
pub(super) fn word(
    text: &Text<'_>,
    range: Range<usize>,
    floor: usize,
) -> Option<(PersonalType, Range<usize>)> {
    const WORD_BYTES_MAX: usize = 16;
    let bytes = text.bytes(range.clone());
    let mut upper = [0_u8; WORD_BYTES_MAX];
    let upper = upper.get_mut(..bytes.len())?;
    upper.copy_from_slice(bytes);
    upper.make_ascii_uppercase();
    let upper = &*upper;
    let start = range.start;
    if is_fiscal_code(upper) || is_dni(upper) || is_nie(upper) || is_corsican_nir(upper) {
        return Some((PersonalType::NationalId, range));
    }
    if is_identity_card(upper) && is_before(text, start, floor, CARD_WORDS) {
        return Some((PersonalType::NationalId, range));
    }
    let is_passport = is_passport(upper) && is_passport_named(text, start, floor);
    is_passport.then_some((PersonalType::Passport, range))
}

/// The codice fiscale in its printed groups, around its third: `RSS MRA 85T10 A562S`.
pub(super) fn fiscal_code_apart(text: &Text<'_>, third: Range<usize>) -> Option<Range<usize>> {
    let start = third.start.checked_sub(8)?;
    let end = third.end + 6;
    let written = text.bytes(start..end);
    let groups = [(0..3, 0), (4..7, 3), (8..13, 6), (14..19, 11)];
    let is_apart = [3, 7, 13].iter().all(|&at| written.get(at) == Some(&b' '));
    if third.len() != 5 || !is_apart || text.is_attached_before(start) || text.is_word(end) {
        return None;
    }
    let mut code = [0_u8; 16];
    for (from, to) in groups {
        let part = written.get(from)?;
        code.get_mut(to..to + part.len())?.copy_from_slice(part);
    }
    code.make_ascii_uppercase();
    is_fiscal_code(&code).then_some(start..end)
}

fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, &digit| sum * 10 + u64::from(digit))
}

/// The sum of digits times weights.
fn weigh(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(&digit, weight)| u32::from(digit) * weight).sum()
}

fn ssn(text: &Text<'_>, run: &Run, floor: usize) -> Option<usize> {
    let gap = run.gap(1)?;
    let fits = run.sizes().starts_with(&[3, 2, 4])
        && matches!(gap, Gap::Dash | Gap::Space | Gap::Dot)
        && run.is_even(3, gap)
        && run.gap(3) != Some(gap);
    let end = run.end_of(3);
    let start = run.groups().first()?.start;
    if !fits || !is_ssn(run.digits_up_to(3)) || text.is_attached_after(end) {
        return None;
    }
    let named = nearest(text, start, floor, |word, line| {
        if is_any(word, SSN_WORDS) {
            return Some(true);
        }
        (line == Line::Same && is_any(word, NOT_SSN_WORDS)).then_some(false)
    });
    // With hyphens, it looks like nothing else.
    named.unwrap_or(gap == Gap::Dash).then_some(end)
}

fn is_ssn(digits: &[u8]) -> bool {
    let (area, rest) = digits.split_at_checked(3).unwrap_or_default();
    let (group, serial) = rest.split_at_checked(2).unwrap_or_default();
    let area = number(area);
    area != 0 && area != 666 && area < 900 && number(group) != 0 && number(serial) != 0
}

/// DNI and NIE with their letters set apart: `12.345.678-Z`, `X-1234567-L`.
fn dni(text: &Text<'_>, run: &Run) -> Option<Range<usize>> {
    let mut start = run.groups().first()?.start;
    let count = match run.sizes() {
        [7 | 8, ..] => 1,
        [2, 3, 3, ..] if run.is_even(3, Gap::Dot) || run.is_even(3, Gap::Space) => 3,
        [1, 3, 3, ..] if run.is_even(3, Gap::Dot) => 3,
        _ => return None,
    };
    let digits = run.digits_up_to(count);
    let mut head = 0;
    if digits.len() == 7 {
        let at = start.checked_sub(if matches!(text.before(start), b'-' | b' ' | b'.') {
            2
        } else {
            1
        })?;
        head = match text.at(at) {
            b'X' => 0,
            b'Y' => 1,
            b'Z' => 2,
            _ => return None,
        };
        start = at;
    }
    if text.is_attached_before(start) {
        return None;
    }
    let end = run.end_of(count);
    let at = match text.at(end) {
        b'-' | b' ' => end + 1,
        _ => end,
    };
    let letter = text.at(at);
    let is_right =
        DNI_LETTERS.get(usize::try_from((head * 10_000_000 + number(digits)) % 23).ok()?);
    let fits = is_right == Some(&letter) && !text.is_attached_after(at + 1);
    fits.then_some(start..at + 1)
}

fn is_dni(word: &[u8]) -> bool {
    let Some((letter, digits)) = word.split_last() else { return false };
    digits.len() == 8
        && digits.iter().all(u8::is_ascii_digit)
        && dni_letter(digits) == Some(*letter)
}

fn is_nie(word: &[u8]) -> bool {
    let [first @ (b'X' | b'Y' | b'Z'), digits @ .., letter] = word else { return false };
    let mut whole = [first - b'X' + b'0'; 8];
    let Some(room) = whole.get_mut(1..).filter(|room| room.len() == digits.len()) else {
        return false;
    };
    room.copy_from_slice(digits);
    digits.iter().all(u8::is_ascii_digit) && dni_letter(&whole) == Some(*letter)
}

fn dni_letter(digits: &[u8]) -> Option<u8> {
    let value = digits.iter().fold(0, |sum, digit| (sum * 10 + usize::from(digit - b'0')) % 23);
    DNI_LETTERS.get(value).copied()
}

fn is_nir(digits: &[u8]) -> bool {
    let (body, key) = digits.split_at_checked(13).unwrap_or_default();
    let month = body.get(3..5).map_or(0, number);
    let is_month = matches!(month, 1..=12 | 20..=42 | 50..=99);
    let is_sex = matches!(body.first(), Some(1 | 2 | 3 | 4 | 7 | 8));
    is_sex && is_month && 97 - number(body) % 97 == number(key)
}

/// A NIR of Corsica: `2A` and `2B` stand for 19 and 18.
fn is_corsican_nir(word: &[u8]) -> bool {
    let mut digits = [0_u8; 15];
    if word.len() != digits.len() {
        return false;
    }
    for (at, (digit, byte)) in digits.iter_mut().zip(word).enumerate() {
        *digit = match (at, byte) {
            (6, b'A') => 9,
            (6, b'B') => 8,
            (_, b'0'..=b'9') => byte - b'0',
            _ => return false,
        };
    }
    let Some(department) = digits.get_mut(5) else { return false };
    *department = 1;
    is_nir(&digits)
}

fn is_tax_number(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let mut counts = [0_u8; 10];
    for &digit in body {
        if let Some(count) = counts.get_mut(usize::from(digit)) {
            *count += 1;
        }
    }
    let is_repeated = counts.iter().filter(|&&count| 1 < count).count() == 1;
    let product = body.iter().fold(10, |product, &digit| {
        let sum = (u32::from(digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    let expected = (11 - product) % 10;
    let is_new = is_repeated && counts.iter().all(|&count| count <= 3);
    body.first() != Some(&0) && is_new && expected == u32::from(*check)
}

fn is_pesel(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let part = |range: Range<usize>| body.get(range).map_or(0, number);
    let (year, month, day) = (part(0..2), part(2..4), part(4..6));
    // Nobody is older than a hundred and ten, nobody is born after 2030.
    let is_month = match month {
        1..=12 => 20 <= year,
        21..=32 => year <= 30,
        _ => false,
    };
    let sum = weigh(body, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
    is_month && (1..=31).contains(&day) && (10 - sum % 10) % 10 == u32::from(*check)
}

fn is_bsn(digits: &[u8]) -> bool {
    let Some((last, body)) = digits.split_last() else { return false };
    let weights: &[u32] =
        if body.len() == 8 { &[9, 8, 7, 6, 5, 4, 3, 2] } else { &[8, 7, 6, 5, 4, 3, 2] };
    let sum = weigh(body, weights);
    sum != 0 && sum % 11 == u32::from(*last)
}

fn is_fiscal_code(word: &[u8]) -> bool {
    /// What a character counts in an odd place, digits and letters A to J alike.
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    // Digits may be replaced by letters where two persons would share a code.
    let is_digit = |byte: &u8| byte.is_ascii_digit() || b"LMNPQRSTUV".contains(byte);
    let fits = |(at, byte): (usize, &u8)| match at {
        0..=5 | 11 | 15 => byte.is_ascii_uppercase(),
        8 => b"ABCDEHLMPRST".contains(byte),
        _ => is_digit(byte),
    };
    if word.len() != 16 || !word.iter().enumerate().all(fits) {
        return false;
    }
    let Some((check, body)) = word.split_last() else { return false };
    let value = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        byte => byte.saturating_sub(b'A'),
    };
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(at, &byte)| match at % 2 {
            0 => ODD.get(usize::from(value(byte))).copied().unwrap_or(0),
            _ => u32::from(value(byte)),
        })
        .sum();
    sum % 26 == u32::from(check - b'A')
}

/// Identity cards of Germany (nine characters, and one of check), Italy and Poland.
fn is_identity_card(word: &[u8]) -> bool {
    let is_german = |word: &[u8]| {
        word.first().is_some_and(|byte| b"LMNPRTVWXY0123456789".contains(byte))
            && word.iter().all(|byte| b"CFGHJKLMNPRTVWXYZ0123456789".contains(byte))
            && 2 <= word.iter().filter(|byte| byte.is_ascii_digit()).count()
    };
    match word.len() {
        10 => {
            let (body, check) = word.split_at(9);
            is_german(body) && check == [icao_check(body) + b'0']
        }
        9 => {
            let is_italian = matches!(form(word).as_slice(), b"AA99999AA" | b"AA9999999");
            is_german(word) || is_italian || form(word).as_slice() == b"AAA999999"
        }
        _ => false,
    }
}

/// The check digit of ICAO Doc 9303.
fn icao_check(word: &[u8]) -> u8 {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        byte => u32::from(byte.saturating_sub(b'A')) + 10,
    };
    let weights = [7, 3, 1].into_iter().cycle();
    let sum: u32 = word.iter().zip(weights).map(|(&byte, weight)| value(byte) * weight).sum();
    u8::try_from(sum % 10).unwrap_or(0)
}

/// A word with every letter as `A` and every digit as `9`.
fn form(word: &[u8]) -> Vec<u8> {
    word.iter().map(|byte| if byte.is_ascii_digit() { b'9' } else { b'A' }).collect()
}

/// Whether a word has the form of a passport of Europe or the United States.
fn is_passport(word: &[u8]) -> bool {
    let is_form = matches!(
        form(word).as_slice(),
        b"A99999999" | b"AA9999999" | b"AAA999999" | b"99AA99999" | b"AA999999" | b"A9999999"
    );
    let german = |word: &[u8]| {
        word.first().is_some_and(|byte| b"CFGHJK".contains(byte))
            && word.iter().all(|byte| b"CFGHJKLMNPRTVWXYZ0123456789".contains(byte))
            && 2 <= word.iter().filter(|byte| byte.is_ascii_digit()).count()
    };
    let is_german = match word.len() {
        9 => german(word),
        10 => word.split_last().is_some_and(|(last, body)| german(body) && last.is_ascii_digit()),
        _ => false,
    };
    let is_dutch = word.len() == 9
        && word.iter().take(2).all(u8::is_ascii_uppercase)
        && word.last().is_some_and(u8::is_ascii_digit)
        && 3 <= word.iter().filter(|byte| byte.is_ascii_digit()).count();
    is_form || is_german || is_dutch
}

fn is_passport_named(text: &Text<'_>, at: usize, floor: usize) -> bool {
    let named = nearest(text, at, floor, |word, line| {
        if is_any(word, PASSPORT_WORDS) {
            return Some(true);
        }
        (line == Line::Same && is_any(word, NOT_PASSPORT_WORDS)).then_some(false)
    });
    named.unwrap_or(false)
}
