//! What kinds of characters and words a text has, found in one pass over its bytes: most texts
//! have none that an encoding needs, and are not looked at any further.

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const ESCAPE: u8 = 4;
const LEET: u8 = 8;
const MORSE: u8 = 16;
const JOINT: u8 = 32;
/// The second and later bytes of a character.
const TAIL: u8 = 64;
const PLUS: u8 = 128;

/// The shortest word that may be a payload of its own, in characters.
const LONG_WORD: usize = 8;
/// Letters in a row, each a word of its own, that may be spaced out text.
const SPACED_LETTERS: usize = 4;

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, which checks the places")]
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | 0xC0..=0xFF => LETTER,
            b'0'..=b'9' => DIGIT,
            b'%' | b'&' | b'\\' | b'=' => ESCAPE,
            b'@' | b'$' | b'!' | b'|' => LEET,
            b'.' | b'-' | b'_' => MORSE | JOINT,
            b'*' | b'/' | b'~' | b':' | b'`' | b'^' | b'#' | b',' => JOINT,
            b'+' => PLUS | ESCAPE,
            0x80..=0xBF => TAIL,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

pub(super) struct Signs {
    classes: u8,
    /// The longest word of letters, digits and signs of base64, in characters.
    word_max: usize,
    /// The most words of one character in a row.
    singles_max: usize,
    /// Words of two or three digits, or eight.
    numbers: usize,
    /// Letters with a sign between them.
    joined: usize,
    /// Signs of Morse next to each other or alone.
    morse: usize,
    /// Letters next to what may stand for a letter.
    leet: usize,
}

impl Signs {
    pub(super) fn of(text: &str) -> Self {
        let mut signs = Self {
            classes: 0,
            word_max: 0,
            singles_max: 0,
            numbers: 0,
            joined: 0,
            morse: 0,
            leet: 0,
        };
        let (mut word, mut digits, mut singles) = (0, 0, 0);
        let (mut before, mut last) = (0_u8, 0_u8);
        for byte in text.bytes() {
            let class = CLASSES.get(usize::from(byte)).copied().unwrap_or_default();
            if class & TAIL != 0 {
                continue;
            }
            signs.classes |= class;
            if class & LETTER != 0 {
                signs.joined += usize::from(last & JOINT != 0 && before & LETTER != 0);
            }
            let is_mixed = class & LETTER != 0 && last & (DIGIT | LEET) != 0
                || class & (DIGIT | LEET) != 0 && last & LETTER != 0;
            signs.leet += usize::from(is_mixed);
            signs.morse += usize::from(class & MORSE != 0);
            if class & (LETTER | DIGIT) != 0 {
                word += 1;
                digits += usize::from(class & DIGIT != 0);
            } else if 0 < word {
                singles = if word == 1 && digits == 0 { singles + 1 } else { 0 };
                signs.end_word(word, digits, singles);
                (word, digits) = (0, 0);
            }
            (before, last) = (last, class);
        }
        singles = if word == 1 && digits == 0 { singles + 1 } else { singles };
        signs.end_word(word, digits, singles);
        signs
    }

    fn end_word(&mut self, word: usize, digits: usize, singles: usize) {
        self.word_max = self.word_max.max(word);
        self.singles_max = self.singles_max.max(singles);
        // Two digits of hexadecimal may be two letters, which are no number: one in three has one.
        self.numbers += usize::from(0 < digits && word <= 8 || 8 < word && word <= digits * 8);
    }

    pub(super) fn may_be_escaped(&self) -> bool {
        self.classes & ESCAPE != 0
    }

    pub(super) fn has_long_words(&self) -> bool {
        LONG_WORD <= self.word_max || self.classes & PLUS != 0
    }

    pub(super) fn may_be_codes(&self) -> bool {
        2 <= self.numbers || 0 < self.numbers && LONG_WORD < self.word_max
    }

    pub(super) fn may_be_leet(&self) -> bool {
        2 <= self.leet
    }

    pub(super) fn may_be_punctuated(&self) -> bool {
        2 <= self.joined
    }

    pub(super) fn may_be_spaced(&self) -> bool {
        SPACED_LETTERS <= self.singles_max
    }

    pub(super) fn may_be_morse(&self) -> bool {
        16 <= self.morse
    }
}
