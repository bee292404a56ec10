//! Parts of a text that are encoded as a whole, and the copies made of them.

use std::ops::Range;

use super::Encoding;
use crate::normalise::Rewrite;

/// Payloads no further apart than this, in bytes, are read as one.
const GAP_BYTES_MAX: usize = 3;
/// Payloads of a text that get a copy of their own. More are read line by line in one copy.
const OWN_COPIES_MAX: usize = 8;
/// The least letters in a payload that says anything.
const LETTERS_MIN: usize = 4;
/// The least digits in one that has no letters.
const DIGITS_MIN: usize = 16;

/// An encoded part of a text, and what it says.
pub(super) struct Payload {
    pub(super) text: String,
    pub(super) source: Range<usize>,
}

/// Makes copies of the payloads of a text: each (or all, if they are many) by itself, and the
/// whole text with all of them replaced, for commands that are encoded in part.
pub(super) fn copy(
    text: &str,
    encoding: Encoding,
    payloads: &[Payload],
    found: &mut Vec<(Encoding, Rewrite)>,
) {
    if payloads.is_empty() {
        return;
    }
    let mut groups: Vec<Rewrite> = Vec::new();
    let mut group_end = 0;
    for payload in payloads {
        let joins = payload.source.start <= group_end + GAP_BYTES_MAX;
        group_end = payload.source.end;
        match groups.last_mut() {
            Some(group) if joins => group.replace(&payload.text, payload.source.clone()),
            Some(lines) if OWN_COPIES_MAX <= payloads.len() => {
                lines.replace("\n", payload.source.clone());
                lines.replace(&payload.text, payload.source.clone());
            }
            Some(_) | None => {
                let mut group = Rewrite::with_capacity(payload.text.len());
                group.replace(&payload.text, payload.source.clone());
                groups.push(group);
            }
        }
    }
    found.extend(groups.into_iter().map(|group| (encoding, group)));
    let mut whole = Rewrite::with_capacity(text.len());
    let mut done = 0;
    for payload in payloads {
        keep(text, done..payload.source.start, &mut whole);
        whole.replace(&payload.text, payload.source.clone());
        done = payload.source.end;
    }
    keep(text, done..text.len(), &mut whole);
    found.push((encoding, whole));
}

/// Appends a part of `text` as it is.
pub(super) fn keep(text: &str, source: Range<usize>, rewrite: &mut Rewrite) {
    if let Some(part) = text.get(source.clone()).filter(|part| !part.is_empty()) {
        rewrite.keep(part, source);
    }
}

/// Takes decoded bytes as long as they are text: UTF-8 without control characters.
#[derive(Default)]
pub(super) struct TextSink {
    bytes: Vec<u8>,
    /// Up to here the bytes are whole characters.
    valid: usize,
}

impl TextSink {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes all of `more`, or nothing if it does not go on as text.
    pub(super) fn push(&mut self, more: impl IntoIterator<Item = u8>) -> bool {
        let before = self.bytes.len();
        self.bytes.extend(more);
        match text_len(self.bytes.get(self.valid..).unwrap_or_default()) {
            Ok(valid) => {
                self.valid += valid;
                true
            }
            Err(_) => {
                self.bytes.truncate(before);
                false
            }
        }
    }

    /// Takes `more` up to where it stops being text.
    pub(super) fn push_prefix(&mut self, more: impl IntoIterator<Item = u8>) {
        self.bytes.extend(more);
        let rest = self.bytes.get(self.valid..).unwrap_or_default();
        self.valid += match text_len(rest) {
            Ok(valid) | Err(valid) => valid,
        };
        self.bytes.truncate(self.valid);
    }

    /// The text, if it says anything or may be encoded once more: it has some letters, or many
    /// digits, and more letters, digits and spaces than not.
    pub(super) fn finish(&mut self) -> Option<String> {
        self.bytes.truncate(std::mem::take(&mut self.valid));
        let text = String::from_utf8(std::mem::take(&mut self.bytes)).ok()?;
        let (mut letters, mut digits, mut spaces, mut chars) = (0, 0, 0, 0);
        for c in text.chars() {
            chars += 1;
            letters += usize::from(c.is_alphabetic());
            digits += usize::from(c.is_ascii_digit());
            spaces += usize::from(c.is_whitespace());
        }
        let says = LETTERS_MIN <= letters || DIGITS_MIN <= digits;
        (says && chars <= 2 * (letters + digits + spaces)).then_some(text)
    }
}

/// How many bytes are whole characters of text; an error if others follow than the beginning of
/// one more.
fn text_len(bytes: &[u8]) -> Result<usize, usize> {
    let (text, whole) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, true),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            (std::str::from_utf8(valid).unwrap_or_default(), error.error_len().is_none())
        }
    };
    let is_bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match text.find(is_bad) {
        Some(bad) => Err(bad),
        None if whole => Ok(text.len()),
        None => Err(text.len()),
    }
}
