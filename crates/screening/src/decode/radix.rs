//! Base64 (both alphabets, padded or not) and base32, RFC 4648; split over lines and words.

use super::{
    Encoding,
    payload::{self, Payload, TextSink},
};
use crate::normalise::Rewrite;

/// Characters of a word that are decoded to see whether it is text. Whole groups of either code.
const PROBE_CHARS: usize = 16;
/// Bytes between two words of one payload: a line end with a quotation mark, a comma.
const GAP_BYTES_MAX: usize = 4;
/// No digit.
const NONE: u8 = 0xFF;

struct Code {
    bits: u32,
    /// The shortest word that a payload begins with, in characters.
    word_min: usize,
    digits: [u8; 256],
}

static BASE64: Code = Code { bits: 6, word_min: 8, digits: base64() };
static BASE32: Code = Code { bits: 5, word_min: 16, digits: base32() };

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, which checks the places")]
const fn base64() -> [u8; 256] {
    let mut digits = [NONE; 256];
    let mut at = 0_u8;
    while at < 26 {
        digits[(b'A' + at) as usize] = at;
        digits[(b'a' + at) as usize] = 26 + at;
        at += 1;
    }
    at = 0;
    while at < 10 {
        digits[(b'0' + at) as usize] = 52 + at;
        at += 1;
    }
    digits[b'+' as usize] = 62;
    digits[b'-' as usize] = 62;
    digits[b'/' as usize] = 63;
    digits[b'_' as usize] = 63;
    digits
}

#[expect(clippy::indexing_slicing, reason = "runs in the compiler, which checks the places")]
const fn base32() -> [u8; 256] {
    let mut digits = [NONE; 256];
    let mut at = 0_u8;
    while at < 26 {
        digits[(b'A' + at) as usize] = at;
        digits[(b'a' + at) as usize] = at;
        at += 1;
    }
    at = 2;
    while at < 8 {
        digits[(b'0' + at) as usize] = 24 + at;
        at += 1;
    }
    digits
}

impl Code {
    fn digit(&self, byte: u8) -> Option<u32> {
        self.digits.get(usize::from(byte)).filter(|&&digit| digit != NONE).map(|&it| u32::from(it))
    }

    /// The first word at or after `at`.
    fn word(&self, bytes: &[u8], at: usize) -> Option<(usize, usize)> {
        let is_digit = |byte: &u8| self.digit(*byte).is_some();
        let start = at + bytes.get(at..)?.iter().position(is_digit)?;
        let len = bytes.get(start..)?.iter().position(|byte| !is_digit(byte));
        Some((start, len.map_or(bytes.len(), |len| start + len)))
    }
}

/// Bits of the digits read so far that do not make a byte yet.
#[derive(Clone, Copy, Default)]
struct Bits {
    value: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, digit: u32, bits: u32) -> Option<u8> {
        self.value = self.value << bits | digit;
        self.count += bits;
        if self.count < 8 {
            return None;
        }
        self.count -= 8;
        let byte = self.value >> self.count;
        self.value &= (1 << self.count) - 1;
        u8::try_from(byte).ok()
    }
}

pub(super) fn decode_base64(text: &str, found: &mut Vec<(Encoding, Rewrite)>) {
    payload::copy(text, Encoding::Base64, &payloads(text.as_bytes(), &BASE64), found);
}

pub(super) fn decode_base32(text: &str, found: &mut Vec<(Encoding, Rewrite)>) {
    payload::copy(text, Encoding::Base32, &payloads(text.as_bytes(), &BASE32), found);
}

fn payloads(bytes: &[u8], code: &Code) -> Vec<Payload> {
    let mut payloads = Vec::new();
    let mut at = 0;
    while let Some((start, end)) = code.word(bytes, at) {
        at = end;
        let Some(begin) = beginning(bytes, start, end, code) else { continue };
        let (mut sink, last) = collect(bytes, begin, end, code);
        if let Some(text) = sink.finish() {
            payloads.push(Payload { text, source: begin..last });
        }
        at = last.max(end);
    }
    payloads
}

/// Where in a word a payload begins: at its start, after the first few characters (if it is
/// long), or after a sign that may be no digit but end a path.
fn beginning(bytes: &[u8], start: usize, end: usize, code: &Code) -> Option<usize> {
    if end - start < code.word_min {
        return None;
    }
    let is_long = PROBE_CHARS <= end - start;
    let shifts = if is_long && code.bits == 6 { 4 } else { 1 };
    let early = (start..start + shifts).find(|&at| says_text(bytes, at, end, code));
    if early.is_some() || !is_long {
        return early;
    }
    let is_sign = |byte: &u8| matches!(byte, b'/' | b'_' | b'-' | b'+');
    let word = bytes.get(start..end)?;
    let after_signs = word.iter().enumerate().filter(|(_, byte)| is_sign(byte));
    after_signs
        .map(|(at, _)| start + at + 1)
        .find(|&at| code.word_min <= end - at && says_text(bytes, at, end, code))
}

/// Whether the first characters decode to text: whole characters of UTF-8, mostly letters, or digits, which may be
/// another encoding. Stops
/// at the first byte that does not, so that it costs ordinary words next to nothing.
fn says_text(bytes: &[u8], at: usize, end: usize, code: &Code) -> bool {
    let probe = bytes.get(at..end.min(at + PROBE_CHARS)).unwrap_or_default();
    let is_long = PROBE_CHARS <= probe.len();
    let mut bits = Bits::default();
    let (mut tails, mut letters, mut others) = (0, 0, 0);
    for digit in probe.iter().filter_map(|&byte| code.digit(byte)) {
        let Some(byte) = bits.push(digit, code.bits) else { continue };
        match byte {
            0x80..=0xBF if 0 < tails => tails -= 1,
            _ if 0 < tails => return false,
            0xC3..=0xDF => (tails, letters) = (1, letters + 1),
            0xE0..=0xEF => (tails, letters) = (2, letters + 1),
            0xF0..=0xF4 => (tails, letters) = (3, letters + 1),
            b'a'..=b'z' | b'A'..=b'Z' | b' ' => letters += 1,
            b'0'..=b'9' if is_long => letters += 1,
            b'\t' | b'\n' | b'\r' | b'!'..=b'~' => others += 1,
            _ => return false,
        }
    }
    // A short word decodes to letters by chance more easily.
    if is_long { others <= 2 * letters } else { others <= 1 && 4 <= letters }
}

/// Decodes from `begin`, whose word ends at `end`, on through the words that follow as long as
/// they go on as text. Returns the text and where it ends.
fn collect(bytes: &[u8], begin: usize, end: usize, code: &Code) -> (TextSink, usize) {
    let mut sink = TextSink::default();
    let mut bits = Bits::default();
    let (mut start, mut end, mut last) = (begin, end, begin);
    loop {
        let word = bytes.get(start..end).unwrap_or_default();
        let decoded = |bits: &mut Bits| -> Vec<u8> {
            let digits = word.iter().filter_map(|&byte| code.digit(byte));
            digits.filter_map(|digit| bits.push(digit, code.bits)).collect()
        };
        let before = bits;
        if !sink.push(decoded(&mut bits)) {
            // Not what was begun: perhaps a payload of its own, whose padding was left out.
            bits = Bits::default();
            let fresh = decoded(&mut bits);
            if sink.is_empty() {
                sink.push_prefix(fresh);
                return (sink, end);
            }
            if before.count == 0 || !sink.push(fresh) {
                return (sink, last);
            }
        }
        last = end;
        let padding = bytes.get(end..).unwrap_or_default().iter().take(8);
        let padding = padding.take_while(|&&byte| byte == b'=').count();
        if 0 < padding {
            bits = Bits::default();
            last += padding;
        }
        match code.word(bytes, last) {
            Some((next, next_end)) if next - last <= GAP_BYTES_MAX => {
                (start, end) = (next, next_end)
            }
            Some(_) | None => return (sink, last),
        }
    }
}
