//! Says what the encoded parts of a text say, so that they are judged as if they had been written
//! plainly.
//!
//! Decoded are base64, base32, hexadecimal, binary, decimal codes, Morse, percent-encoding, HTML
//! entities, escapes (`\x69`, `\u0069`, `U+0069`), quoted-printable, tag characters, rot13,
//! reversed text and words, upside-down letters, letters spaced or punctuated, and digits that
//! stand for letters. What comes out is decoded again, up to a depth.
//!
//! A decoded copy leads back to the encoded part in the text as received (SCREEN-1). Ordinary
//! text is told from an encoding by the bytes and words it has (`signs`, `lexicon`), before
//! anything is copied. The copies of a text are limited to a multiple of its length, so that the
//! time they take is linear.

mod codes;
mod escapes;
mod letters;
mod lexicon;
mod payload;
mod radix;
mod signs;

use std::{collections::HashSet, hash::BuildHasher};

use crate::normalise::{MatchCopy, Rewrite};
use signs::Signs;

/// How many times over an encoding may be wrapped into another one, unless the policy says
/// otherwise.
pub(crate) const DEPTH_DEFAULT: usize = 2;
/// All copies together may be as many times as long as the text. No text that is not made to
/// exhaust it comes near.
const COPIES_SHARE_MAX: usize = 12;
/// What short texts may have besides, in bytes.
const COPIES_BYTES_MIN: usize = 4_096;

/// How a part of a text was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Base64,
    Base32,
    Hex,
    Binary,
    Decimal,
    Morse,
    Escaped,
    Tags,
    Rot13,
    Reversed,
    UpsideDown,
    Spaced,
    Leet,
}

impl Encoding {
    /// What findings call it.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Base64 => "encoded_base64",
            Self::Base32 => "encoded_base32",
            Self::Hex => "encoded_hex",
            Self::Binary => "encoded_binary",
            Self::Decimal => "encoded_decimal",
            Self::Morse => "encoded_morse",
            Self::Escaped => "encoded_escapes",
            Self::Tags => "encoded_tags",
            Self::Rot13 => "encoded_rot13",
            Self::Reversed => "encoded_reversed",
            Self::UpsideDown => "encoded_upside_down",
            Self::Spaced => "encoded_spaced",
            Self::Leet => "encoded_leet",
        }
    }

    /// Whether ordinary text could come out of it by chance, so that only attacks are looked for:
    /// a number that looks like a card after letters were moved about is not a card.
    pub(crate) fn is_loose(self) -> bool {
        match self {
            Self::Base64
            | Self::Base32
            | Self::Hex
            | Self::Binary
            | Self::Decimal
            | Self::Morse
            | Self::Escaped
            | Self::Tags => false,
            Self::Rot13 | Self::Reversed | Self::UpsideDown | Self::Spaced | Self::Leet => true,
        }
    }
}

/// What an encoded part of a text says.
pub(crate) struct Decoded<'t> {
    pub(crate) encoding: Encoding,
    raw: MatchCopy<'t>,
    plain: Option<MatchCopy<'t>>,
    folded: Option<MatchCopy<'t>>,
}

impl<'t> Decoded<'t> {
    fn new(encoding: Encoding, raw: MatchCopy<'t>) -> Self {
        let (plain, folded) = match raw.normalised() {
            Some((plain, folded)) => (Some(plain), folded),
            None => (None, None),
        };
        Self { encoding, raw, plain, folded }
    }

    /// Its plain copy, and the folded one if it is any different.
    pub(crate) fn copies(&self) -> impl Iterator<Item = &MatchCopy<'t>> {
        std::iter::once(self.plain.as_ref().unwrap_or(&self.raw)).chain(&self.folded)
    }

    /// Its folded copy.
    pub(crate) fn seen(&self) -> &MatchCopy<'t> {
        self.folded.as_ref().or(self.plain.as_ref()).unwrap_or(&self.raw)
    }
}

/// All that the encoded parts of a text say.
#[derive(Default)]
pub(crate) struct Decoding<'t> {
    pub(crate) copies: Vec<Decoded<'t>>,
    /// Whether there was more than a text of this length may have.
    pub(crate) cut_short: bool,
}

/// Decodes what is encoded in a text, whose folded copy is `seen`, and what is encoded in that,
/// `depth_max` times. Takes time linear in the length of the text.
pub(crate) fn decoded_copies<'t>(
    received: &'t str,
    seen: &MatchCopy<'t>,
    depth_max: usize,
) -> Decoding<'t> {
    let mut work = Work {
        decoding: Decoding::default(),
        bytes_left: received.len() * COPIES_SHARE_MAX + COPIES_BYTES_MIN,
        known: HashSet::new(),
    };
    if depth_max == 0 {
        return work.decoding;
    }
    work.decode(&MatchCopy::verbatim(received), seen);
    let mut begin = 0;
    for _ in 1..depth_max {
        let end = work.decoding.copies.len();
        let level = std::mem::take(&mut work.decoding.copies);
        for decoded in level.iter().skip(begin) {
            work.decode(&decoded.raw, decoded.seen());
        }
        let deeper = std::mem::replace(&mut work.decoding.copies, level);
        work.decoding.copies.extend(deeper);
        begin = end;
    }
    work.decoding
}

struct Work<'t> {
    decoding: Decoding<'t>,
    bytes_left: usize,
    /// Hashes of the copies there are, so that none is made twice. Keyed at random, so that nobody
    /// can hide a copy behind another one.
    known: HashSet<u64>,
}

impl<'t> Work<'t> {
    /// Decodes one text: `raw` as it was written, `seen` as it is read.
    fn decode(&mut self, raw: &MatchCopy<'t>, seen: &MatchCopy<'t>) {
        let signs = Signs::of(seen.text());
        let mut found = Vec::new();
        if signs.may_be_escaped() {
            found.extend(escapes::decode(seen.text()).map(|it| (Encoding::Escaped, it)));
        }
        if signs.may_be_base64() {
            radix::decode_base64(seen.text(), &mut found);
        }
        if signs.may_be_base32() {
            radix::decode_base32(seen.text(), &mut found);
        }
        if signs.may_be_codes() {
            codes::decode(seen.text(), &mut found);
        }
        letters::decode_transformed(seen.text(), &mut found);
        if signs.may_be_leet() {
            letters::decode_leet(seen.text(), &mut found);
        }
        self.take(seen, &mut found);
        if signs.may_be_punctuated() {
            letters::decode_punctuated(raw.text(), &mut found);
        }
        if signs.may_be_spaced() {
            letters::decode_spaced(raw.text(), &mut found);
        }
        if signs.may_be_morse() {
            found.extend(codes::decode_morse(raw.text()).map(|it| (Encoding::Morse, it)));
        }
        letters::decode_tags(raw.text(), &mut found);
        letters::decode_upside_down(raw.text(), &mut found);
        self.take(raw, &mut found);
    }

    fn take(&mut self, source: &MatchCopy<'t>, found: &mut Vec<(Encoding, Rewrite)>) {
        for (encoding, rewrite) in found.drain(..) {
            let bytes = rewrite.text().len();
            let hash = self.known.hasher().hash_one(rewrite.text());
            if bytes == 0 || !self.known.insert(hash) {
                continue;
            }
            match self.bytes_left.checked_sub(bytes) {
                Some(left) => self.bytes_left = left,
                None => {
                    self.decoding.cut_short = true;
                    continue;
                }
            }
            let copy = source.rewritten(rewrite);
            self.decoding.copies.push(Decoded::new(encoding, copy));
        }
    }
}

#[cfg(test)]
mod tests;
