//! The lexicon: which words of which languages stand for which concept.
//!
//! An entry is a word, the beginning of a word (`ignor*`), two words (`from_now`) or a run of
//! signs. Lookups are by hash: a 64-bit hash that collides costs one wrong concept in one text.

use super::words::{HASH_START, Shape, Words, hash_on};

/// Signs of the longest entry in a script without spaces.
const SIGNS_MAX: usize = 14;
/// Bytes of the longest word that is looked up.
const WORD_BYTES_MAX: usize = 48;

const EXACT: u64 = 0x0e;
const BEGINNING: u64 = 0x0b;
const PAIR: u64 = 0x0d;
const SIGNS: u64 = 0x05;

/// One concept at one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) at: u32,
    pub(super) concept: u8,
}

/// The entries as they are stored: a key and the concepts it stands for, one bit each.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    /// Open addressing over a power of two; a key of 0 is free.
    table: Vec<(u64, u64)>,
    /// One bit for each of the lowest 16 bits of a key, which turns most lookups away at once.
    sieve: Vec<u64>,
}

impl Lexicon {
    pub(super) fn new(entries: &[(u64, u64)]) -> Self {
        let size = (entries.len() * 2).next_power_of_two().max(16);
        let mut lexicon = Self { table: vec![(0, 0); size], sieve: vec![0; 1 << 10] };
        for (key, concepts) in entries {
            let mut at = *key as usize;
            while let Some(free) = lexicon.table.get_mut(at & (size - 1)) {
                if free.0 == 0 || free.0 == *key {
                    *free = (*key, free.1 | concepts);
                    break;
                }
                at += 1;
            }
            if let Some(bits) = lexicon.sieve.get_mut((*key >> 48) as usize >> 6) {
                *bits |= 1 << ((*key >> 48) & 63);
            }
        }
        lexicon
    }

    fn look_up(&self, key: u64) -> u64 {
        let passes = self.sieve.get((key >> 48) as usize >> 6);
        if passes.is_none_or(|bits| bits & (1 << ((key >> 48) & 63)) == 0) {
            return 0;
        }
        let mut at = key as usize;
        while let Some((found, concepts)) = self.table.get(at & (self.table.len() - 1)) {
            if *found == key {
                return *concepts;
            }
            if *found == 0 {
                break;
            }
            at += 1;
        }
        0
    }

    /// The concepts of a text in the order of its words.
    pub(super) fn find(&self, words: &Words) -> Vec<Hit> {
        let mut hits = Vec::with_capacity(words.list.len() / 2);
        for (at, word) in words.list.iter().enumerate() {
            let concepts = match word.shape {
                Shape::Letters => {
                    let before = at.checked_sub(1).and_then(|i| words.list.get(i));
                    let pair =
                        before.map_or(0, |w| self.look_up(key(join(w.hash, word.hash), PAIR)));
                    pair | self.word(words.bytes(word))
                }
                Shape::Sign => self.signs(words, at),
                Shape::Mark | Shape::Line | Shape::Digits => self.look_up(key(word.hash, EXACT)),
            };
            let mut left = concepts;
            while left != 0 {
                // Of 64 bits, a number below 64.
                let concept = left.trailing_zeros() as u8;
                // Two places in the text before FOLDED_BYTES_MAX fit 32 bits.
                hits.push(Hit { at: at as u32, concept });
                left &= left - 1;
            }
        }
        hits
    }

    fn word(&self, bytes: &[u8]) -> u64 {
        let found = self.beginnings(bytes);
        // Arabic joins its article and short prepositions to the word.
        let rest = bytes.strip_prefix("ال".as_bytes()).or_else(|| {
            let joined = ["و", "ب", "ل", "ف", "ك", "ה", "ב", "ל", "ש", "ו", "מ"];
            joined.iter().find_map(|joined| bytes.strip_prefix(joined.as_bytes()))
        });
        found | rest.filter(|rest| 4 < rest.len()).map_or(0, |rest| self.beginnings(rest))
    }

    fn beginnings(&self, bytes: &[u8]) -> u64 {
        let mut hash = HASH_START;
        let mut found = 0;
        for (at, byte) in bytes.iter().take(WORD_BYTES_MAX).enumerate() {
            hash = hash_on(hash, &[*byte]);
            if 1 < at {
                found |= self.look_up(key(hash, BEGINNING));
            }
        }
        found | self.look_up(key(hash, EXACT))
    }

    fn signs(&self, words: &Words, at: usize) -> u64 {
        let mut hash = HASH_START;
        let mut found = 0;
        let run = words.list.iter().skip(at).take(SIGNS_MAX);
        for word in run.take_while(|word| word.shape == Shape::Sign) {
            hash = hash_on(hash, words.bytes(word));
            found |= self.look_up(key(hash, SIGNS));
        }
        found
    }
}

fn key(hash: u64, form: u64) -> u64 {
    let key = (hash ^ form).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (key ^ (key >> 32)).max(1)
}

fn join(left: u64, right: u64) -> u64 {
    left.rotate_left(17) ^ right
}

/// The key of one entry as it is written in the lexicon's source, or `None` if nothing is left
/// of it once it is folded, or it is longer than a lookup reaches.
#[cfg(feature = "train")]
pub(super) fn entry_key(entry: &str) -> Option<u64> {
    let (text, form) = match entry.strip_suffix('*') {
        Some(beginning) if 1 < beginning.len() => (beginning, BEGINNING),
        Some(_) | None => (entry, EXACT),
    };
    let words = Words::cut(&text.replace('_', " "));
    match words.list.as_slice() {
        [] => None,
        [one] if one.shape != Shape::Sign => Some(key(one.hash, form)),
        [left, right] if left.shape != Shape::Sign => Some(key(join(left.hash, right.hash), PAIR)),
        signs if signs.iter().all(|word| word.shape == Shape::Sign) && signs.len() <= SIGNS_MAX => {
            let bytes = signs.iter().map(|word| words.bytes(word));
            Some(key(bytes.fold(HASH_START, hash_on), SIGNS))
        }
        _ => None,
    }
}
