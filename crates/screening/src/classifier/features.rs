//! What the classifier looks at: hashed pieces of words, and concepts near each other.
//!
//! *Grams* are words, pairs of words and pieces of words; they know the wording of one language.
//! *Concepts* are ideas such as "override" or "instructions" that a lexicon finds in many
//! languages; pairs and triples of them that stand close together know the intent. Both are
//! hashed into tables of fixed size (Weinberger et al. 2009, "Feature hashing").

use std::ops::Range;

use super::{
    lexicon::Hit,
    words::{HASH_START, Shape, Words, hash_on},
};

/// Entries of the table of grams, as a power of two.
pub(super) const GRAM_BITS: u32 = 19;
/// Entries of the table of concepts, as a power of two.
pub(super) const IDEA_BITS: u32 = 16;
/// Words longer than this, in bytes, are not taken apart: keys, addresses, encoded text.
const WORD_BYTES_MAX: usize = 28;
/// Concepts further apart than this, in words, are not seen together.
const NEAR_WORDS_MAX: u32 = 12;
/// Concepts that are read in one stretch of text.
const HITS_MAX: usize = 64;

/// Spreads the bits of a hash (the finaliser of splitmix64).
fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

fn slot(hash: u64, bits: u32) -> u32 {
    // The shift leaves `bits` bits, at most 32.
    (mix(hash) >> (64 - bits)) as u32
}

fn join(left: u64, right: u64, salt: u64) -> u64 {
    (left.rotate_left(21) ^ right).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt)
}

/// Emits the grams that end with the word at `at`.
pub(super) fn grams(words: &Words, at: usize, mut emit: impl FnMut(u32)) {
    let Some(word) = words.list.get(at) else { return };
    let hash_of =
        |back: usize| at.checked_sub(back).and_then(|i| words.list.get(i)).map(|w| w.hash);
    let before = hash_of(1).unwrap_or(1);
    emit(slot(word.hash, GRAM_BITS));
    emit(slot(join(before, word.hash, 2), GRAM_BITS));
    if let Some(second) = hash_of(2) {
        emit(slot(join(join(second, before, 2), word.hash, 3), GRAM_BITS));
        emit(slot(join(second, word.hash, 4), GRAM_BITS));
    }
    if word.shape != Shape::Letters {
        return;
    }
    let bytes = words.bytes(word);
    if WORD_BYTES_MAX < bytes.len() {
        return;
    }
    // Pieces of 3 to 5 bytes of the word between two marks of its ends.
    let mut framed = [b'_'; WORD_BYTES_MAX + 2];
    let Some(inside) = framed.get_mut(1..=bytes.len()) else { return };
    inside.copy_from_slice(bytes);
    let framed = framed.get(..bytes.len() + 2).unwrap_or_default();
    for start in 0..framed.len().saturating_sub(2) {
        let mut hash = HASH_START ^ 0x5eed;
        for (length, byte) in framed.iter().skip(start).take(5).enumerate() {
            hash = hash_on(hash, &[*byte]);
            if 2 <= length {
                emit(slot(hash, GRAM_BITS));
            }
        }
    }
}

/// The concept features of the words in `range`, each once. `hits` are those of the whole text.
pub(super) fn ideas(words: &Words, hits: &[Hit], range: Range<usize>, out: &mut Vec<u32>) {
    out.clear();
    let first = hits.partition_point(|hit| (hit.at as usize) < range.start);
    let inside = hits.get(first..).unwrap_or_default();
    let inside = inside.iter().take_while(|hit| (hit.at as usize) < range.end).take(HITS_MAX);
    let inside: Vec<Hit> = inside.copied().collect();
    for (i, hit) in inside.iter().enumerate() {
        let opens = opens_clause(words, hit.at as usize);
        let a = u64::from(hit.concept);
        out.push(slot(join(a, 0, 11), IDEA_BITS));
        if opens {
            out.push(slot(join(a, 1, 11), IDEA_BITS));
        }
        let mut near = inside.iter().skip(i + 1).take(10);
        let mut third: Option<u64> = None;
        for next in near.by_ref() {
            let apart = next.at - hit.at;
            if NEAR_WORDS_MAX < apart {
                break;
            }
            let b = u64::from(next.concept);
            if a == b {
                continue;
            }
            let (low, high) = (a.min(b), a.max(b));
            out.push(slot(join(low, high, 12), IDEA_BITS));
            out.push(slot(join(a, b, 13 + u64::from(4 < apart)), IDEA_BITS));
            if let Some(c) = third
                && c != b
            {
                let mut three = [a, b, c];
                three.sort_unstable();
                let [x, y, z] = three;
                out.push(slot(join(join(x, y, 15), z, 15), IDEA_BITS));
            }
            third = Some(b);
        }
    }
    form(words, range, inside.len(), out);
    out.sort_unstable();
    out.dedup();
}

/// Whether a word begins the text, a sentence or a line.
fn opens_clause(words: &Words, at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|i| words.list.get(i));
    before.is_none_or(|word| match word.shape {
        Shape::Line => true,
        Shape::Mark => !matches!(words.bytes(word), b"," | b"-" | b"\"" | b"/"),
        Shape::Letters | Shape::Sign | Shape::Digits => false,
    })
}

/// Features of the form of the text: its length, how it ends, how much of it are marks.
fn form(words: &Words, range: Range<usize>, hits: usize, out: &mut Vec<u32>) {
    let list = words.list.get(range).unwrap_or_default();
    let count = |shape: Shape| list.iter().filter(|word| word.shape == shape).count();
    let share = |part: usize| (8 * part).checked_div(list.len()).unwrap_or(0) as u64;
    let length = u64::from(usize::BITS - list.len().leading_zeros());
    let last = list.iter().rev().take(2);
    let asks =
        last.filter(|w| matches!(words.bytes(w), b"?" | b"\xef\xbc\x9f" | b"\xd8\x9f")).count();
    for (name, value) in [
        (21, length),
        (22, share(count(Shape::Mark))),
        (23, share(hits)),
        (24, share(count(Shape::Digits))),
        (25, count(Shape::Line).min(3) as u64),
        (26, asks.min(1) as u64),
    ] {
        out.push(slot(join(value, name, 20), IDEA_BITS));
    }
}
