//! What telephone numbers look like: every country's code and lengths, and the national forms of
//! some regions.
//!
//! Our own tables instead of the `phonenumber` crate, whose metadata and expressions cost tens of
//! microseconds a candidate. Sources: ITU-T E.164 (assigned country codes) and the national
//! numbering plans as published by the ITU; lengths are those of the national significant number.

use serde::{Deserialize, Serialize};

/// A region whose national form of telephone numbers can be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhoneRegion {
    /// Austria.
    At,
    /// Belgium.
    Be,
    /// Switzerland.
    Ch,
    /// Germany.
    De,
    /// Spain.
    Es,
    /// France.
    Fr,
    /// The United Kingdom.
    Gb,
    /// Italy.
    It,
    /// The Netherlands.
    Nl,
    /// Poland.
    Pl,
    /// Portugal.
    Pt,
    /// The United States and Canada.
    Us,
}

/// How far the form of a number goes to show that it is one of a telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    /// It cannot be one.
    None,
    /// It can, if a word says so.
    Possible,
    /// It is one, unless a word says otherwise.
    Likely,
    /// It is one.
    Sure,
}

impl PhoneRegion {
    /// How much a number is like one of this region. `sizes` are those of its groups; `is_dotted`
    /// if they are kept apart by full stops, as thousands are.
    pub(super) fn likeness(self, digits: &[u8], sizes: &[usize], is_dotted: bool) -> Likeness {
        match self {
            Self::De | Self::At => german(digits, sizes),
            Self::Fr => french(digits, sizes),
            Self::Es | Self::Pt => spanish(digits, sizes, is_dotted),
            Self::It => italian(digits, sizes, is_dotted),
            Self::Gb => british(digits, sizes),
            Self::Us => american(digits, sizes),
            Self::Nl | Self::Ch => ten_digits(digits, sizes),
            Self::Be => belgian(digits, sizes),
            Self::Pl => polish(digits, sizes),
        }
    }
}

fn german(digits: &[u8], sizes: &[usize]) -> Likeness {
    let is_mobile = matches!(digits, [0, 1, 5..=7, ..] | [0, 6, 5..=9, ..]);
    let is_german_mobile = matches!(digits, [0, 1, 5 | 7, ..] | [0, 1, 6, 0 | 2 | 3, ..]);
    let is_landline = matches!(digits, [0, 2..=9, ..]);
    match sizes {
        [11 | 12] if is_german_mobile => Likeness::Likely,
        [9..=12] if is_mobile || is_landline => Likeness::Possible,
        [4 | 5, ..] if is_german_mobile && matches!(digits.len(), 11 | 12) => Likeness::Likely,
        // The zero alone, as in `0 30 / 12 34 56`.
        [1, 2..=5, rest @ ..] if is_landline && (9..=12).contains(&digits.len()) => match rest {
            [] => Likeness::None,
            _ => Likeness::Likely,
        },
        [3..=6, first, ..] if (is_landline || is_mobile) && 2 <= *first => {
            match (digits.len(), sizes.len()) {
                (9..=12, _) => Likeness::Likely,
                (8, 2) => Likeness::Possible,
                _ => Likeness::None,
            }
        }
        _ => Likeness::None,
    }
}

fn french(digits: &[u8], sizes: &[usize]) -> Likeness {
    if digits.len() != 10 || !matches!(digits, [0, 1..=9, ..]) {
        return Likeness::None;
    }
    match sizes {
        [2, 2, 2, 2, 2]
        | [10]
        | [4, 2, 2, 2]
        | [4, 3, 3]
        | [2, 4, 4]
        | [2, 8]
        | [4, 6]
        | [1, 9] => Likeness::Likely,
        [1, 3, 2, 2, 2] | [1, 3, 3, 3] => Likeness::Likely,
        _ => Likeness::None,
    }
}

fn spanish(digits: &[u8], sizes: &[usize], is_dotted: bool) -> Likeness {
    if digits.len() != 9 || !matches!(digits, [6 | 7, ..] | [8 | 9, 1..=8, ..] | [9, 0, ..]) {
        return Likeness::None;
    }
    match sizes {
        [3, 2, 2, 2] | [2, 3, 2, 2] => Likeness::Likely,
        [3, 3, 3] if is_dotted => Likeness::Possible,
        [3, 3, 3] | [3, 6] | [2, 7] | [2, 3, 4] => Likeness::Likely,
        [9] => Likeness::Possible,
        _ => Likeness::None,
    }
}

fn italian(digits: &[u8], sizes: &[usize], is_dotted: bool) -> Likeness {
    let is_mobile = matches!(digits, [3, 1..=9, ..]) && matches!(digits.len(), 9 | 10);
    let is_landline = matches!(digits, [0, 1..=9, ..]) && (8..=11).contains(&digits.len());
    match sizes {
        [9 | 10] if is_mobile => Likeness::Possible,
        [9..=11] if is_landline => Likeness::Possible,
        [3, 3, 3] if is_mobile && is_dotted => Likeness::Possible,
        [3, 6 | 7] | [3, 3, 3 | 4] | [3, 2, 2, 2 | 3] | [3, 3, 2, 2] | [3, 4, 3] if is_mobile => {
            Likeness::Likely
        }
        // Milan and Rome have the shortest codes.
        [2, 6..=8] | [2, 3..=4, 3..=4] | [2, 2, 2, 2] | [2, 4, 2, 2]
            if is_landline && matches!(digits, [0, 2 | 6, ..]) =>
        {
            Likeness::Likely
        }
        [3 | 4, 5..=8] | [3 | 4, 3, 3 | 4] | [3 | 4, 2, 2, 2] | [3 | 4, 4, 3] if is_landline => {
            Likeness::Likely
        }
        _ => Likeness::None,
    }
}

fn british(digits: &[u8], sizes: &[usize]) -> Likeness {
    if !matches!(digits, [0, 1 | 2 | 3 | 7 | 8, ..]) || !matches!(digits.len(), 10 | 11) {
        return Likeness::None;
    }
    match sizes {
        [11] if matches!(digits, [0, 7, ..]) => Likeness::Likely,
        [10 | 11] => Likeness::Possible,
        [3, 4, 4] | [3, 8] | [4, 3, 3 | 4] | [4, 7] | [5, 5 | 6] | [5, 3, 3] | [5, 2, 2, 2] => {
            Likeness::Likely
        }
        _ => Likeness::None,
    }
}

fn american(digits: &[u8], sizes: &[usize]) -> Likeness {
    let (digits, sizes) = match (digits, sizes) {
        ([1, digits @ ..], [1, sizes @ ..]) if !sizes.is_empty() => (digits, sizes),
        ([1, digits @ ..], [11]) => (digits, &[10_usize] as &[usize]),
        _ => (digits, sizes),
    };
    match (digits, sizes) {
        // Area and exchange begin with 2 to 9, and neither is a service code such as 911.
        ([2..=9, a, b, 2..=9, c, d, ..], sizes) if digits.len() == 10 => {
            if (*a, *b) == (1, 1) || (*c, *d) == (1, 1) {
                return Likeness::None;
            }
            match sizes {
                [3, 3, 4] => Likeness::Likely,
                [10] | [3, 7] => Likeness::Possible,
                _ => Likeness::None,
            }
        }
        ([2..=9, ..], [3, 4]) => Likeness::Possible,
        _ => Likeness::None,
    }
}

/// The Netherlands and Switzerland: a zero and nine digits.
fn ten_digits(digits: &[u8], sizes: &[usize]) -> Likeness {
    match (digits, sizes) {
        ([0, 1..=9, ..], [10]) if digits.len() == 10 => Likeness::Possible,
        ([0, 1..=9, ..], [2..=4, _, ..]) if digits.len() == 10 => Likeness::Likely,
        _ => Likeness::None,
    }
}

fn belgian(digits: &[u8], sizes: &[usize]) -> Likeness {
    match (digits, sizes) {
        ([0, 1..=9, ..], [9 | 10]) => Likeness::Possible,
        ([0, 4, ..], [4, _, ..]) if digits.len() == 10 => Likeness::Likely,
        ([0, 1..=9, ..], [2 | 3, _, _, ..]) if digits.len() == 9 => Likeness::Likely,
        _ => Likeness::None,
    }
}

fn polish(digits: &[u8], sizes: &[usize]) -> Likeness {
    match (digits, sizes) {
        ([1..=9, ..], [9] | [3, 3, 3] | [2, 3, 2, 2]) if digits.len() == 9 => Likeness::Possible,
        _ => Likeness::None,
    }
}

/// The country whose code opens `digits`: how long its code is, and the fewest and most digits
/// that follow.
pub(super) fn country(digits: &[u8]) -> Option<(usize, usize, usize)> {
    let first = *digits.first()?;
    let two = first * 10 + digits.get(1)?;
    let three = u16::from(two) * 10 + u16::from(*digits.get(2)?);
    Some(match (first, two, three) {
        (1 | 7, _, _) => (1, 10, 10),
        (_, 20, _) => (2, 8, 10),
        (_, 27 | 31 | 33 | 34 | 48 | 61 | 66, _) => (2, 9, 9),
        (_, 30 | 52 | 57 | 58 | 90 | 91 | 92 | 98 | 63, _) => (2, 10, 10),
        (_, 32 | 36 | 40 | 51 | 56 | 93 | 94 | 95, _) => (2, 8, 9),
        (_, 39, _) => (2, 6, 11),
        (_, 41, _) => (2, 9, 9),
        (_, 43, _) => (2, 7, 12),
        (_, 44, _) => (2, 9, 10),
        (_, 45 | 47 | 53 | 65, _) => (2, 8, 8),
        (_, 46 | 60 | 62 | 64 | 81 | 82 | 84, _) => (2, 7, 11),
        (_, 49, _) => (2, 7, 11),
        (_, 54 | 55, _) => (2, 10, 11),
        (_, 86, _) => (2, 10, 11),
        (_, _, 210..=219 | 220..=269 | 290..=299) => (3, 6, 9),
        (_, _, 351) => (3, 9, 9),
        (_, _, 352) => (3, 5, 11),
        (_, _, 350 | 353..=359) => (3, 6, 10),
        (_, _, 370..=389 | 420..=423) => (3, 6, 10),
        (_, _, 500..=509 | 590..=599 | 670..=692) => (3, 5, 10),
        (_, _, 800 | 808 | 850 | 852 | 853 | 855 | 856 | 870 | 878 | 880..=883 | 886 | 888) => {
            (3, 7, 12)
        }
        (_, _, 960..=968 | 970..=977 | 979 | 992..=998) => (3, 7, 10),
        _ => return None,
    })
}
