//! Payment cards: the length and first digits of a brand (ISO/IEC 7812) and the Luhn check.

use std::ops::Range;

use super::run::{Gap, Run, Text};

/// How the digits of a card are grouped.
const SHAPES: &[&[usize]] =
    &[&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 1], &[6, 13]];
const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;

/// The card number that begins `run`.
pub(super) fn find(text: &Text<'_>, run: &Run) -> Option<Range<usize>> {
    let start = run.groups().first()?.start;
    if text.before(start) == b'+' {
        return None;
    }
    let count = match run.sizes() {
        [DIGITS_MIN..=DIGITS_MAX, ..] => 1,
        sizes => SHAPES.iter().find(|shape| sizes.starts_with(shape))?.len(),
    };
    let gap = run.gap(1).filter(|_| 1 < count).unwrap_or(Gap::First);
    let gaps_fit = match gap {
        Gap::First => true,
        Gap::Space | Gap::Dash | Gap::Dot => run.is_even(count, gap),
        Gap::Stop | Gap::Slash | Gap::Paren | Gap::Wide => false,
    };
    let goes_on = 1 < count && run.gap(count) == Some(gap) && run.sizes().get(count) == Some(&4);
    let end = run.end_of(count);
    let is_card = gaps_fit && !goes_on && is_card(run.digits_up_to(count));
    (is_card && !text.is_attached_after(end)).then_some(start..end)
}

fn is_card(digits: &[u8]) -> bool {
    let head = |count: usize| digits.iter().take(count).fold(0, |sum, &d| sum * 10 + u32::from(d));
    let length = digits.len();
    let is_brand = match (head(4), length) {
        // Visa.
        (4000..=4999, 13 | 16 | 19) => true,
        // Mastercard.
        (5100..=5599 | 2221..=2720, 16) => true,
        // American Express.
        (3400..=3499 | 3700..=3799, 15) => true,
        // Diners Club.
        (3000..=3059 | 3095 | 3600..=3699 | 3800..=3999, 14) => true,
        // Discover.
        (6011 | 6440..=6599, 16..=19) => true,
        // JCB.
        (3528..=3589, 16..=19) => true,
        // UnionPay.
        (6200..=6299 | 8100..=8171, 16..=19) => true,
        // Maestro.
        (5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763, 13..=19) => true,
        _ => false,
    };
    is_brand && luhn(digits)
}

/// The check of Hans Peter Luhn, ISO/IEC 7812-1 annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match (at % 2, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit @ 0..=4) => digit * 2,
            (_, digit) => digit * 2 - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}
