//! Letters moved, replaced or divided: rot13, reversed text and words, upside-down letters, digits
//! for letters, spaces or signs between letters, tag characters and variation selectors.
//!
//! Of most of these, ordinary text has something. They are decoded where it makes sense of words
//! that commands are made of (`lexicon`).

use std::ops::Range;

use super::{
    Encoding, lexicon,
    payload::{self, Payload, TextSink, keep},
};
use crate::normalise::{Rewrite, is_invisible, is_mark};

/// Letters in a row, each by itself, that are read as a word.
const SPACED_LETTERS_MIN: usize = 4;
/// Characters between two letters of a spaced-out text.
const GAP_CHARS_MAX: usize = 4;
/// Letters without spaces that are divided into words.
const UNDIVIDED_MIN: usize = 12;
/// Hidden characters that are read.
const HIDDEN_CHARS_MIN: usize = 4;
/// Different upside-down letters that no other alphabet needs.
const FLIPPED_MIN: usize = 3;

/// Decodes text in rot13 and reversed text.
pub(super) fn decode_transformed(text: &str, found: &mut Vec<(Encoding, Rewrite)>) {
    let (is_rot13, is_reversed) = lexicon::transformations(text);
    if is_rot13 {
        let rotated = |word: &str| word.chars().map(lexicon::rot13).collect();
        found.push((Encoding::Rot13, mapped(pieces(text), rotated)));
    }
    if is_reversed {
        let turned = |word: &str| word.chars().rev().collect();
        found.push((Encoding::Reversed, mapped(pieces(text).rev(), turned)));
        found.push((Encoding::Reversed, mapped(pieces(text), turned)));
    }
}

/// Words and what is between them, as they stand in the text.
fn pieces(text: &str) -> impl DoubleEndedIterator<Item = (&str, Range<usize>)> {
    let base = text.as_ptr().addr();
    text.split_inclusive([' ', '\n']).flat_map(move |piece| {
        let start = piece.as_ptr().addr() - base;
        let word = piece.trim_end_matches([' ', '\n']);
        let (word, space) = piece.split_at(word.len());
        let middle = start + word.len();
        [(word, start..middle), (space, middle..middle + space.len())]
    })
}

fn mapped<'t>(
    pieces: impl Iterator<Item = (&'t str, Range<usize>)>,
    map: impl Fn(&str) -> String,
) -> Rewrite {
    let mut rewrite = Rewrite::default();
    for (piece, source) in pieces.filter(|(piece, _)| !piece.is_empty()) {
        rewrite.replace(&map(piece), source);
    }
    rewrite
}

/// Decodes words in which digits and signs stand for letters. A `1` may be an `i` or an `l`.
pub(super) fn decode_leet(text: &str, found: &mut Vec<(Encoding, Rewrite)>) {
    let is_one = |byte| matches!(byte, b'1' | b'!' | b'|');
    let meanings: &[char] = if text.bytes().any(is_one) { &['i', 'l'] } else { &['i'] };
    for &one in meanings {
        // No trigger has a space in it, and all other words stay as they are.
        let count = |words: &str| lexicon::trigger_count(words);
        let (written, meant) =
            leet_words(text, one).fold((0, 0), |(written, meant), (word, core)| {
                let letters = unleeted(core, one) + word.get(core.len()..).unwrap_or_default();
                (written + count(word), meant + count(&letters))
            });
        if written < meant {
            found.push((Encoding::Leet, rewritten(text, one)));
        }
    }
}

/// The words that may be spelled so, whole and without the signs at their end.
fn leet_words(text: &str, one: char) -> impl Iterator<Item = (&str, &str)> {
    let words = pieces(text).map(|(word, _)| (word, core_of(word)));
    words.filter(move |(_, core)| may_be_leet(core) && is_leet(core, one))
}

fn core_of(word: &str) -> &str {
    word.trim_end_matches(['.', ',', '!', '?', ';', ':', ')'])
}

/// True for all words that are leet and few others: looks at bytes alone.
fn may_be_leet(core: &str) -> bool {
    let (letters, others) = core.bytes().fold((false, false), |(letters, others), byte| {
        let is_letter = byte.is_ascii_alphabetic();
        (letters | is_letter, others | !is_letter)
    });
    letters && others
}

fn is_leet(core: &str, one: char) -> bool {
    core.contains(|c: char| c.is_ascii_alphabetic()) && core.contains(|c| unleet(c, one).is_some())
}

fn unleeted(core: &str, one: char) -> String {
    core.chars().map(|c| unleet(c, one).unwrap_or(c)).collect()
}

/// The text with every such word in letters.
fn rewritten(text: &str, one: char) -> Rewrite {
    let mut rewrite = Rewrite::with_capacity(text.len());
    for (word, source) in pieces(text) {
        let core = core_of(word);
        if !is_leet(core, one) {
            keep(text, source, &mut rewrite);
            continue;
        }
        let middle = source.start + core.len();
        rewrite.replace(&unleeted(core, one), source.start..middle);
        keep(text, middle..source.end, &mut rewrite);
    }
    rewrite
}

fn unleet(c: char, one: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '2' => 'z',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        '(' | '<' => 'c',
        _ => return None,
    })
}

/// Takes the signs out of words that have some between their letters.
pub(super) fn decode_punctuated(text: &str, found: &mut Vec<(Encoding, Rewrite)>) {
    let mut rewrite = Rewrite::with_capacity(text.len());
    for (word, source) in pieces(text) {
        let letters: String = word.chars().filter(|&c| c.is_alphanumeric() || is_mark(c)).collect();
        let signs = word.chars().filter(|&c| !c.is_alphanumeric() && !is_mark(c)).count();
        if letters.is_empty() || signs == 0 {
            keep(text, source, &mut rewrite);
            continue;
        }
        // One letter to a sign: the words run into each other.
        let runs_on =
            UNDIVIDED_MIN < letters.chars().count() && letters.chars().count() <= 2 * signs;
        let end = word.trim_end_matches(|c: char| !c.is_alphanumeric() && !is_mark(c)).len();
        let middle = source.start + end;
        let words = if runs_on { lexicon::divided(&letters) } else { letters };
        rewrite.replace(&words, source.start..middle);
        keep(text, middle..source.end, &mut rewrite);
    }
    if lexicon::trigger_count(text) < lexicon::trigger_count(rewrite.text()) {
        found.push((Encoding::Spaced, rewrite));
    }
}

/// Joins letters that stand by themselves, one after the other.
pub(super) fn decode_spaced(text: &str, found: &mut Vec<(Encoding, Rewrite)>) {
    let mut rewrite = Rewrite::default();
    let mut done = 0;
    let mut run: Vec<Range<usize>> = Vec::new();
    let mut flush = |run: &mut Vec<Range<usize>>| {
        if let (Some(first), Some(last)) = (run.first(), run.last())
            && SPACED_LETTERS_MIN <= run.len()
        {
            let source = first.start..last.end;
            keep(text, done..source.start, &mut rewrite);
            rewrite.replace(&joined(text, run), source.clone());
            done = source.end;
        }
        run.clear();
    };
    let mut gap = GAP_CHARS_MAX + 1;
    let mut letters = 0;
    let mut letter = 0..0;
    let end = std::iter::once((text.len(), '\n'));
    for (at, c) in text.char_indices().chain(end) {
        if is_mark(c) && 0 < letters {
            letter.end = at + c.len_utf8();
        } else if c.is_alphanumeric() {
            if letters == 0 {
                if GAP_CHARS_MAX < gap {
                    flush(&mut run);
                }
                letter.start = at;
            }
            letters += 1;
            letter.end = at + c.len_utf8();
        } else if !is_invisible(c) || letters == 0 {
            match letters {
                0 => gap += 1,
                1 => {
                    run.push(letter.clone());
                    gap = 1;
                }
                _ => {
                    flush(&mut run);
                    gap = 1;
                }
            }
            letters = 0;
        }
    }
    flush(&mut run);
    if 0 < done {
        keep(text, done..text.len(), &mut rewrite);
        found.push((Encoding::Spaced, rewrite));
    }
}

/// The letters at these places, with a space wherever the gap is wider than the usual one.
fn joined(text: &str, letters: &[Range<usize>]) -> String {
    let gaps = || {
        let pairs = letters.iter().zip(letters.iter().skip(1));
        pairs.map(|(a, b)| text.get(a.end..b.start).unwrap_or_default())
    };
    let usual = gaps().min_by_key(|gap| gap.len()).unwrap_or_default();
    let mut words = String::with_capacity(letters.len() * 2);
    let mut divides = false;
    for (at, letter) in letters.iter().enumerate() {
        if let Some(gap) = at
            .checked_sub(1)
            .and_then(|at| letters.get(at))
            .and_then(|before| text.get(before.end..letter.start))
            && gap != usual
        {
            words.push(' ');
            divides = true;
        }
        words.push_str(text.get(letter.clone()).unwrap_or_default());
    }
    if divides || letters.len() <= UNDIVIDED_MIN { words } else { lexicon::divided(&words) }
}

/// Reads tag characters, which spell ASCII, and variation selectors, each of which can stand for
/// a byte.
pub(super) fn decode_tags(text: &str, found: &mut Vec<(Encoding, Rewrite)>) {
    // The first bytes of the characters looked for.
    let may_hide = |byte: u8| matches!(byte, 0xEF | 0xF3);
    if !text.bytes().fold(false, |found, byte| found | may_hide(byte)) {
        return;
    }
    let byte_of = [tag_byte as fn(char) -> Option<u8>, selector_byte];
    for byte_of in byte_of {
        let mut sink = TextSink::default();
        let (mut source, mut count) = (0..0, 0);
        for (at, c) in text.char_indices() {
            let Some(byte) = byte_of(c) else { continue };
            if sink.push([byte]) {
                source.start = if count == 0 { at } else { source.start };
                source.end = at + c.len_utf8();
                count += 1;
            }
        }
        if HIDDEN_CHARS_MIN <= count
            && let Some(text_hidden) = sink.finish()
        {
            payload::copy(text, Encoding::Tags, &[Payload { text: text_hidden, source }], found);
        }
    }
}

fn tag_byte(c: char) -> Option<u8> {
    matches!(c, '\u{E0020}'..='\u{E007E}').then(|| u8::try_from(c as u32 - 0xE0000).ok())?
}

fn selector_byte(c: char) -> Option<u8> {
    let number = match c {
        '\u{FE00}'..='\u{FE0F}' => c as u32 - 0xFE00,
        '\u{E0100}'..='\u{E01EF}' => c as u32 - 0xE0100 + 16,
        _ => return None,
    };
    u8::try_from(number).ok()
}

/// Turns upside-down letters round, in their order and in the reverse of it.
pub(super) fn decode_upside_down(text: &str, found: &mut Vec<(Encoding, Rewrite)>) {
    // The first bytes of the letters that no other alphabet needs.
    let leads = text.bytes().filter(|byte| matches!(byte, 0xC9 | 0xCA)).count();
    if leads < FLIPPED_MIN {
        return;
    }
    let flipped = FLIPPED.iter().filter(|(flipped, _)| !flipped.is_ascii());
    let kinds = text.chars().fold(0_u64, |kinds, c| {
        let at = if c.is_ascii() { None } else { flipped.clone().position(|(it, _)| *it == c) };
        at.map_or(kinds, |at| kinds | 1 << at)
    });
    if (kinds.count_ones() as usize) < FLIPPED_MIN {
        return;
    }
    let upright =
        |c: char| FLIPPED.iter().find(|(it, _)| *it == c).map_or(c, |(_, letter)| *letter);
    let turned = |word: &str| word.chars().rev().map(upright).collect();
    found.push((Encoding::UpsideDown, mapped(pieces(text).rev(), turned)));
    found.push((
        Encoding::UpsideDown,
        mapped(pieces(text), |word| word.chars().map(upright).collect()),
    ));
}

const FLIPPED: &[(char, char)] = &[
    ('ɐ', 'a'),
    ('q', 'b'),
    ('ɔ', 'c'),
    ('p', 'd'),
    ('ǝ', 'e'),
    ('ə', 'e'),
    ('ɟ', 'f'),
    ('ƃ', 'g'),
    ('ɓ', 'g'),
    ('ɥ', 'h'),
    ('ᴉ', 'i'),
    ('ı', 'i'),
    ('ɾ', 'j'),
    ('ɿ', 'j'),
    ('ʞ', 'k'),
    ('ꞁ', 'l'),
    ('ʃ', 'l'),
    ('ɯ', 'm'),
    ('u', 'n'),
    ('d', 'p'),
    ('b', 'q'),
    ('ɹ', 'r'),
    ('ʇ', 't'),
    ('n', 'u'),
    ('ʌ', 'v'),
    ('ʍ', 'w'),
    ('ʎ', 'y'),
    ('∀', 'A'),
    ('Ɔ', 'C'),
    ('Ǝ', 'E'),
    ('Ⅎ', 'F'),
    ('⅁', 'G'),
    ('ſ', 'J'),
    ('˥', 'L'),
    ('Ԁ', 'P'),
    ('⊥', 'T'),
    ('┴', 'T'),
    ('∩', 'U'),
    ('Λ', 'V'),
    ('⅄', 'Y'),
    ('˙', '.'),
    ('¡', '!'),
    ('¿', '?'),
];
