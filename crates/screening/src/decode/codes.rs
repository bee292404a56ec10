//! Characters written as numbers: hexadecimal, binary and decimal; and as Morse code (ITU-R
//! M.1677).

use std::ops::Range;

use super::{
    Encoding, lexicon,
    payload::{self, Payload, TextSink},
};
use crate::normalise::Rewrite;

/// Bytes between two numbers of one payload.
const GAP_BYTES_MAX: usize = 3;
/// The shortest payload, in characters. Shorter ones are in many a number.
const CHARS_MIN: usize = 6;
/// Letters of Morse that are not all dots or all lines, in the shortest payload.
const LETTERS_MIN: usize = 4;
/// Letters without spaces that are divided into words.
const UNDIVIDED_MIN: usize = 12;
/// The longest Morse code of a letter or digit, in signs.
const MORSE_SIGNS_MAX: usize = 6;

/// The numbers of one code, collected as long as they go on as text.
struct Run {
    encoding: Encoding,
    bytes_of: fn(&[u8]) -> Option<Vec<u8>>,
    sink: TextSink,
    source: Range<usize>,
    payloads: Vec<Payload>,
}

impl Run {
    fn new(encoding: Encoding, bytes_of: fn(&[u8]) -> Option<Vec<u8>>) -> Self {
        Self { encoding, bytes_of, sink: TextSink::default(), source: 0..0, payloads: Vec::new() }
    }

    fn take(&mut self, word: &[u8], source: Range<usize>) {
        let Some(bytes) = (self.bytes_of)(word) else { return self.flush() };
        if self.source.end + GAP_BYTES_MAX < source.start {
            self.flush();
        }
        if self.sink.push(bytes.iter().copied()) {
            if self.source.is_empty() {
                self.source.start = source.start;
            }
            self.source.end = source.end;
            return;
        }
        self.flush();
        self.sink.push_prefix(bytes);
        self.source = source;
        if self.sink.is_empty() {
            self.source = 0..0;
        }
    }

    fn flush(&mut self) {
        let source = std::mem::take(&mut self.source);
        if self.sink.is_empty() {
            return;
        }
        if let Some(text) = self.sink.finish().filter(|text| CHARS_MIN <= text.chars().count()) {
            self.payloads.push(Payload { text, source });
        }
    }
}

pub(super) fn decode(text: &str, found: &mut Vec<(Encoding, Rewrite)>) {
    let mut runs = [
        Run::new(Encoding::Hex, hex),
        Run::new(Encoding::Binary, binary),
        Run::new(Encoding::Decimal, decimal),
    ];
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = position(bytes, at, |byte| byte.is_ascii_alphanumeric()) {
        let end =
            position(bytes, start, |byte| !byte.is_ascii_alphanumeric()).unwrap_or(bytes.len());
        let word = bytes.get(start..end).unwrap_or_default();
        for run in &mut runs {
            run.take(word, start..end);
        }
        at = end;
    }
    for mut run in runs {
        run.flush();
        payload::copy(text, run.encoding, &run.payloads, found);
    }
}

fn position(bytes: &[u8], at: usize, is: impl Fn(&u8) -> bool) -> Option<usize> {
    bytes.get(at..)?.iter().position(is).map(|it| at + it)
}

fn hex(word: &[u8]) -> Option<Vec<u8>> {
    let word = word.strip_prefix(b"0x").or_else(|| word.strip_prefix(b"x")).unwrap_or(word);
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let pairs = word.chunks_exact(2);
    if word.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.last()?)?)).collect()
}

fn binary(word: &[u8]) -> Option<Vec<u8>> {
    let bits = if word.len() == 7 { 7 } else { 8 };
    let groups = word.chunks_exact(bits);
    if word.is_empty() || !groups.remainder().is_empty() {
        return None;
    }
    let byte = |group: &[u8]| {
        group.iter().try_fold(0_u8, |value, bit| match bit {
            b'0' => Some(value << 1),
            b'1' => Some(value << 1 | 1),
            _ => None,
        })
    };
    groups.map(byte).collect()
}

fn decimal(word: &[u8]) -> Option<Vec<u8>> {
    if 3 < word.len() {
        return None;
    }
    let number: u8 = std::str::from_utf8(word).ok()?.parse().ok()?;
    matches!(number, b'\n' | b' '..=b'~').then(|| vec![number])
}

/// Decodes Morse code in place. Letters are divided by a space, words by a stroke or more space.
pub(super) fn decode_morse(text: &str) -> Option<Rewrite> {
    let mut rewrite = Rewrite::with_capacity(text.len());
    let mut run = Morse::default();
    let mut done = 0;
    let end = std::iter::once((text.len(), '\0'));
    for (at, c) in text.char_indices().chain(end) {
        if run.take(c, at) {
            continue;
        }
        if let Some((words, source)) = run.finish() {
            payload::keep(text, done..source.start, &mut rewrite);
            done = source.end;
            rewrite.replace(&words, source);
        }
        run = Morse::default();
    }
    if done == 0 {
        return None;
    }
    payload::keep(text, done..text.len(), &mut rewrite);
    Some(rewrite)
}

#[derive(Default)]
struct Morse {
    letters: String,
    code: String,
    spaces: usize,
    divided: bool,
    source: Range<usize>,
}

impl Morse {
    /// Takes one character, unless it does not go on as Morse.
    fn take(&mut self, c: char, at: usize) -> bool {
        let sign = match c {
            '.' | '·' | '•' | '∙' | '⋅' => '.',
            '-' | '–' | '—' | '−' | '_' => '-',
            ' ' | '\u{A0}' => {
                self.spaces += 1;
                return self.end_letter() && !self.source.is_empty();
            }
            '/' | '|' | '\n' | '\r' | '\t' => {
                self.spaces += 2;
                return self.end_letter() && !self.source.is_empty();
            }
            _ => {
                self.end_letter();
                return false;
            }
        };
        if 2 <= std::mem::take(&mut self.spaces) && !self.letters.is_empty() {
            self.letters.push(' ');
            self.divided = true;
        }
        if self.source.is_empty() {
            self.source.start = at;
        }
        self.source.end = at + c.len_utf8();
        self.code.push(sign);
        self.code.len() <= MORSE_SIGNS_MAX
    }

    fn end_letter(&mut self) -> bool {
        if self.code.is_empty() {
            return true;
        }
        let letter = MORSE.iter().find(|(code, _)| *code == self.code);
        self.code.clear();
        self.letters.extend(letter.map(|(_, letter)| letter));
        letter.is_some()
    }

    fn finish(self) -> Option<(String, Range<usize>)> {
        let letters = self.letters.chars().filter(|c| c.is_ascii_alphabetic());
        // Dots and lines alone are ornaments.
        if letters.filter(|c| !matches!(c, 'e' | 'i' | 's' | 'h' | 't' | 'm' | 'o')).count()
            < LETTERS_MIN
        {
            return None;
        }
        let is_long = UNDIVIDED_MIN < self.letters.len();
        let words =
            if self.divided || !is_long { self.letters } else { lexicon::divided(&self.letters) };
        Some((words, self.source))
    }
}

const MORSE: &[(&str, char)] = &[
    (".-", 'a'),
    ("-...", 'b'),
    ("-.-.", 'c'),
    ("-..", 'd'),
    (".", 'e'),
    ("..-.", 'f'),
    ("--.", 'g'),
    ("....", 'h'),
    ("..", 'i'),
    (".---", 'j'),
    ("-.-", 'k'),
    (".-..", 'l'),
    ("--", 'm'),
    ("-.", 'n'),
    ("---", 'o'),
    (".--.", 'p'),
    ("--.-", 'q'),
    (".-.", 'r'),
    ("...", 's'),
    ("-", 't'),
    ("..-", 'u'),
    ("...-", 'v'),
    (".--", 'w'),
    ("-..-", 'x'),
    ("-.--", 'y'),
    ("--..", 'z'),
    (".----", '1'),
    ("..---", '2'),
    ("...--", '3'),
    ("....-", '4'),
    (".....", '5'),
    ("-....", '6'),
    ("--...", '7'),
    ("---..", '8'),
    ("----.", '9'),
    ("-----", '0'),
    (".-.-.-", '.'),
    ("--..--", ','),
    ("..--..", '?'),
    ("-.-.--", '!'),
    (".----.", '\''),
    ("---...", ':'),
    ("-....-", '-'),
];
