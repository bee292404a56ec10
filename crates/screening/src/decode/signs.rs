//! What kinds of characters and words a text has, found in one pass over its bytes: most texts
//! have none that an encoding needs, and are not looked at any further.

const LOWER: u16 = 1;
const UPPER: u16 = 2;
const LETTER: u16 = LOWER | UPPER;
const DIGIT: u16 = 4;
const ESCAPE: u16 = 8;
const LEET: u16 = 16;
const MORSE: u16 = 32;
const JOINT: u16 = 64;
/// The second and later bytes of a character.
const TAIL: u16 = 128;

/// The shortest word that may be a payload of its own, in characters.
const LONG_WORD: usize = 8;
/// The same of one that has letters of one case and no digits, which base32 may have.
const LONG_PLAIN_WORD: usize = 16;
/// Signs of Morse next to each other, in a text that may have some.
const MORSE_SIGNS: usize = 6;
/// Letters next to what may stand for a letter, in a text that may be spelled so.
const LEET_SIGNS: usize = 4;
/// Letters in a row, each a word of its own, that may be spaced out text.
const SPACED_LETTERS: usize = 4;

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, which checks the places")]
const CLASSES: [u16; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            // Signs, mostly: dots, lines, quotation marks, emoji.
            0xC2 | 0xE2 | 0xF0 => MORSE | JOINT,
            0xC0..=0xFF => LOWER,
            b'0'..=b'9' => DIGIT,
            b'%' | b'&' | b'\\' | b'=' => ESCAPE,
            b'@' | b'$' | b'!' | b'|' => LEET,
            b'.' | b'-' | b'_' => MORSE | JOINT,
            b'*' | b'/' | b'~' | b':' | b'`' | b'^' | b'#' | b',' => JOINT,
            b'+' => ESCAPE,
            0x80..=0xBF => TAIL,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

pub(super) struct Signs {
    classes: u16,
    /// The longest word of letters and digits, in characters.
    word_max: usize,
    /// The longest of them that has a digit or a capital after a small letter.
    mixed_word_max: usize,
    /// The most words of one character in a row.
    singles_max: usize,
    /// Words of two or three digits, or eight.
    numbers: usize,
    /// Letters with a sign between them.
    joined: usize,
    /// Signs of Morse next to each other.
    morse: usize,
    /// Letters next to what may stand for a letter.
    leet: usize,
}

impl Signs {
    pub(super) fn of(text: &str) -> Self {
        let mut signs = Self {
            classes: 0,
            word_max: 0,
            mixed_word_max: 0,
            singles_max: 0,
            numbers: 0,
            joined: 0,
            morse: 0,
            leet: 0,
        };
        let (mut word, mut digits, mut singles) = (0, 0, 0);
        let mut is_mixed_word = false;
        let (mut before, mut last) = (0_u16, 0_u16);
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
            // A digit inside a word says more than one at its end.
            let is_inside =
                class & LETTER != 0 && last & (DIGIT | LEET) != 0 && before & LETTER != 0;
            signs.leet += if is_inside { LEET_SIGNS } else { 0 };
            signs.morse += usize::from(class & last & MORSE != 0);
            if class & (LETTER | DIGIT) != 0 {
                word += 1;
                digits += usize::from(class & DIGIT != 0);
                is_mixed_word |= class & DIGIT != 0 || class & UPPER != 0 && last & LOWER != 0;
            } else if 0 < word {
                singles = if word == 1 && digits == 0 { singles + 1 } else { 0 };
                signs.end_word(word, digits, singles, is_mixed_word);
                (word, digits, is_mixed_word) = (0, 0, false);
            }
            (before, last) = (last, class);
        }
        singles = if word == 1 && digits == 0 { singles + 1 } else { singles };
        signs.end_word(word, digits, singles, is_mixed_word);
        signs
    }

    fn end_word(&mut self, word: usize, digits: usize, singles: usize, is_mixed: bool) {
        self.word_max = self.word_max.max(word);
        self.mixed_word_max = self.mixed_word_max.max(if is_mixed { word } else { 0 });
        self.singles_max = self.singles_max.max(singles);
        // Two digits of hexadecimal may be two letters, which are no number: one in three has one.
        self.numbers += usize::from(0 < digits && word <= 8 || 8 < word && word <= digits * 8);
    }

    pub(super) fn may_be_escaped(&self) -> bool {
        self.classes & ESCAPE != 0
    }

    pub(super) fn may_be_base64(&self) -> bool {
        LONG_WORD <= self.mixed_word_max
    }

    pub(super) fn may_be_base32(&self) -> bool {
        LONG_PLAIN_WORD <= self.word_max
    }

    pub(super) fn may_be_codes(&self) -> bool {
        2 <= self.numbers || 0 < self.numbers && LONG_WORD < self.word_max
    }

    pub(super) fn may_be_leet(&self) -> bool {
        LEET_SIGNS <= self.leet
    }

    pub(super) fn may_be_punctuated(&self) -> bool {
        2 <= self.joined
    }

    pub(super) fn may_be_spaced(&self) -> bool {
        SPACED_LETTERS <= self.singles_max
    }

    pub(super) fn may_be_morse(&self) -> bool {
        MORSE_SIGNS <= self.morse
    }
}
