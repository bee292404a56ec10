//! Cuts a text into folded words, the form in which the classifier reads it.
//!
//! Letters become lower case and lose their accents, so that one spelling stands for all.
//! Look-alike letters are undone only inside a word that also holds Latin ones: Russian stays
//! Russian, `іgnоrе` becomes `ignore`. Scripts written without spaces give one word a character.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The longest text that is read, in bytes of its folded form. The rest is not looked at.
pub(super) const FOLDED_BYTES_MAX: usize = 1 << 17;

/// Marks that end a sentence.
const ENDS: [&[u8]; 9] = [
    b".",
    b"!",
    b"?",
    b":",
    b";",
    "。".as_bytes(),
    "！".as_bytes(),
    "？".as_bytes(),
    "؟".as_bytes(),
];

/// What a word is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Letters, perhaps with digits.
    Letters,
    /// One character of a script that puts no spaces between words.
    Sign,
    /// Digits only.
    Digits,
    /// One punctuation mark or symbol, however often it is repeated.
    Mark,
    /// One or more line ends.
    Line,
}

/// One word: where it lies in the folded text, and its hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) hash: u64,
    pub(super) shape: Shape,
}

/// A text, cut.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) folded: String,
    pub(super) list: Vec<Word>,
}

impl Words {
    pub(super) fn cut(text: &str) -> Self {
        let mut cutter = Cutter::default();
        cutter.words.folded.reserve(text.len() + 16);
        cutter.words.list.reserve(text.len() / 4);
        for c in text.chars() {
            if FOLDED_BYTES_MAX <= cutter.words.folded.len() {
                break;
            }
            cutter.take(c);
        }
        cutter.close();
        cutter.words
    }

    /// Whether a sentence, or a line, ends with a word.
    pub(super) fn ends_sentence(&self, word: &Word) -> bool {
        match word.shape {
            Shape::Line => true,
            Shape::Mark => ENDS.contains(&self.bytes(word)),
            Shape::Letters | Shape::Sign | Shape::Digits => false,
        }
    }

    pub(super) fn bytes(&self, word: &Word) -> &[u8] {
        self.folded.as_bytes().get(word.start as usize..word.end as usize).unwrap_or_default()
    }
}

/// The 64-bit FNV-1a hash, which can be carried on byte by byte.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
pub(super) fn hash_on(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Where every hash begins.
pub(super) const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

#[derive(Default)]
struct Cutter {
    words: Words,
    open: Option<(usize, Shape)>,
    last_mark: Option<char>,
    latin: bool,
    alike: bool,
}

impl Cutter {
    fn take(&mut self, c: char) {
        if c.is_ascii() {
            match c {
                'a'..='z' => self.letter(c, true),
                'A'..='Z' => self.letter(c.to_ascii_lowercase(), true),
                '0'..='9' => self.digit(c),
                '\n' => self.line(),
                '\'' if self.open.is_some_and(|(_, shape)| shape == Shape::Letters) => {}
                _ if c.is_whitespace() || c.is_control() => self.close(),
                _ => self.mark(c),
            }
            return;
        }
        match c {
            // Typographic apostrophes, tatweel, Arabic vowel marks and joiners separate nothing.
            '\u{2019}'
            | '\u{640}'
            | '\u{64B}'..='\u{65F}'
            | '\u{670}'
            | '\u{200B}'..='\u{200F}' => {}
            '\u{AC00}'..='\u{D7A3}' | '\u{900}'..='\u{DFF}' => self.letter(c, false),
            '\u{E00}'..='\u{109F}'
            | '\u{1780}'..='\u{17FF}'
            | '\u{3040}'..='\u{30FF}'
            | '\u{3400}'..='\u{9FFF}'
            | '\u{20000}'..='\u{3FFFF}' => self.sign(c),
            _ if c.is_whitespace() => self.close(),
            _ if c.is_alphanumeric() || is_combining_mark(c) => self.fold(c),
            _ => self.mark(c),
        }
    }

    /// Lower case, compatibility form, no accents.
    fn fold(&mut self, c: char) {
        let c = styled(c).unwrap_or(c);
        for c in c.nfkd().flat_map(char::to_lowercase) {
            match c {
                _ if is_combining_mark(c) => {}
                'ı' => self.letter('i', true),
                'ł' => self.letter('l', true),
                'ø' => self.letter('o', true),
                'đ' | 'ð' => self.letter('d', true),
                'ß' => {
                    self.letter('s', true);
                    self.letter('s', true);
                }
                'æ' => {
                    self.letter('a', true);
                    self.letter('e', true);
                }
                'œ' => {
                    self.letter('o', true);
                    self.letter('e', true);
                }
                'أ' | 'إ' | 'آ' => self.letter('ا', false),
                'ى' | 'ی' => self.letter('ي', false),
                'ک' => self.letter('ك', false),
                '0'..='9' => self.digit(c),
                _ if c.is_alphanumeric() => self.letter(c, c.is_ascii()),
                _ => {}
            }
        }
    }

    fn letter(&mut self, c: char, latin: bool) {
        match &mut self.open {
            Some((_, Shape::Letters)) => {}
            Some((_, shape)) => *shape = Shape::Letters,
            None => self.open = Some((self.words.folded.len(), Shape::Letters)),
        }
        self.latin |= latin;
        self.alike |= !latin && look_alike(c).is_some();
        self.words.folded.push(c);
    }

    fn digit(&mut self, c: char) {
        if self.open.is_none() {
            self.open = Some((self.words.folded.len(), Shape::Digits));
        }
        self.words.folded.push(c);
    }

    fn sign(&mut self, c: char) {
        self.close();
        let start = self.words.folded.len();
        self.words.folded.push(c);
        self.push(start, Shape::Sign);
    }

    fn mark(&mut self, c: char) {
        self.close();
        if self.last_mark == Some(c) {
            return;
        }
        let start = self.words.folded.len();
        self.words.folded.push(c);
        self.push(start, Shape::Mark);
        self.last_mark = Some(c);
    }

    fn line(&mut self) {
        self.close();
        if self.words.list.last().is_some_and(|last| last.shape == Shape::Line) {
            return;
        }
        let start = self.words.folded.len();
        self.words.folded.push('\n');
        self.push(start, Shape::Line);
    }

    fn close(&mut self) {
        let Some((start, shape)) = self.open.take() else { return };
        if self.latin && self.alike {
            let word = self.words.folded.split_off(start);
            self.words.folded.extend(word.chars().map(|c| look_alike(c).unwrap_or(c)));
        }
        self.latin = false;
        self.alike = false;
        self.push(start, shape);
    }

    fn push(&mut self, start: usize, shape: Shape) {
        let end = self.words.folded.len();
        let bytes = self.words.folded.as_bytes().get(start..end).unwrap_or_default();
        let hash = match shape {
            // Which number it is says little; how long it is says something.
            Shape::Digits => {
                hash_on(HASH_START, &[0, u8::try_from(bytes.len()).unwrap_or(9).min(9)])
            }
            Shape::Letters | Shape::Sign | Shape::Mark | Shape::Line => hash_on(HASH_START, bytes),
        };
        self.last_mark = None;
        // FOLDED_BYTES_MAX keeps both far below 2^32.
        let (start, end) = (start as u32, end as u32);
        self.words.list.push(Word { start, end, hash, shape });
    }
}

/// The Latin letter that a small capital, or a letter in a dark square or circle, is: no language is
/// written in them, and Unicode has no compatibility form for them.
fn styled(c: char) -> Option<char> {
    const SMALL: [(char, char); 24] = [
        ('ᴀ', 'a'),
        ('ʙ', 'b'),
        ('ᴄ', 'c'),
        ('ᴅ', 'd'),
        ('ᴇ', 'e'),
        ('ꜰ', 'f'),
        ('ɢ', 'g'),
        ('ʜ', 'h'),
        ('ɪ', 'i'),
        ('ᴊ', 'j'),
        ('ᴋ', 'k'),
        ('ʟ', 'l'),
        ('ᴍ', 'm'),
        ('ɴ', 'n'),
        ('ᴏ', 'o'),
        ('ᴘ', 'p'),
        ('ʀ', 'r'),
        ('ꜱ', 's'),
        ('ᴛ', 't'),
        ('ᴜ', 'u'),
        ('ᴠ', 'v'),
        ('ᴡ', 'w'),
        ('ʏ', 'y'),
        ('ᴢ', 'z'),
    ];
    let from = |first: u32| char::from_u32(u32::from(c) - first + u32::from('a'));
    match c {
        '\u{1F150}'..='\u{1F169}' => from(0x1F150),
        '\u{1F170}'..='\u{1F189}' => from(0x1F170),
        'ɢ'..='ʟ' | 'ᴀ'..='ᴢ' | 'ꜰ' | 'ꜱ' => {
            SMALL.iter().find(|(small, _)| *small == c).map(|(_, letter)| *letter)
        }
        _ => None,
    }
}

/// The Latin letter that a folded Cyrillic, Greek or Armenian letter is easily taken for.
fn look_alike(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'ғ' => 'f',
        'ց' => 'g',
        'һ' | 'հ' | 'н' => 'h',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'ո' | 'п' | 'η' => 'n',
        'о' | 'ο' | 'օ' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ѡ' | 'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let words = Words::cut(text);
        words.list.iter().map(|w| String::from_utf8(words.bytes(w).to_vec()).unwrap()).collect()
    }

    #[test]
    fn words_are_folded_and_marks_stand_alone() {
        for (text, expected) in [
            ("Don't SHOUT!!! at me", vec!["dont", "shout", "!", "at", "me"]),
            ("Élève\n\n\tnaïve", vec!["eleve", "\n", "naive"]),
            ("іgnоrе привет", vec!["ignore", "привет"]),
            ("忽略指令", vec!["忽", "略", "指", "令"]),
            ("ĐẶT ÖĞÜT ıI", vec!["dat", "ogut", "ii"]),
            ("ɪɢɴᴏʀᴇ ᴛʜɪs 🅽🅾🆆 🅐🅛🅛", vec!["ignore", "this", "now", "all"]),
            ("", vec![]),
        ] {
            assert_eq!(cut(text), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_of_one_length_are_one_word() {
        let words = Words::cut("2024 1999 77");
        assert_eq!(words.list[0].hash, words.list[1].hash);
        assert_ne!(words.list[0].hash, words.list[2].hash);
    }
}
