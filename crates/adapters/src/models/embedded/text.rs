//! Turns tokens into text while they are written. A token is a few bytes and may end in the middle
//! of a character.

/// The bytes that each token stands for.
pub(super) struct Vocabulary {
    tokens: Vec<Box<[u8]>>,
}

impl Vocabulary {
    /// Reads tokens as byte-level BPE spells them: every byte is one printable character, so that a
    /// vocabulary is a list of texts.
    pub(super) fn new<'a>(spellings: impl Iterator<Item = &'a str>) -> Self {
        Self { tokens: spellings.map(spelt_bytes).collect() }
    }

    /// The bytes of a token, none if there is no such token.
    pub(super) fn bytes(&self, token: u32) -> &[u8] {
        usize::try_from(token).ok().and_then(|token| self.tokens.get(token)).map_or(&[], |b| b)
    }
}

/// Printable Latin-1 stands for itself; the other bytes, in order, are spelt from U+0100 on.
fn spelt_bytes(spelling: &str) -> Box<[u8]> {
    let stands_for_itself = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let mut bytes = Vec::with_capacity(spelling.len());
    for letter in spelling.chars() {
        let plain = u8::try_from(letter).ok().filter(stands_for_itself);
        let moved = u32::from(letter).checked_sub(0x100).and_then(|nth| usize::try_from(nth).ok());
        let shifted = || moved.and_then(|n| (0..=u8::MAX).filter(|b| !stands_for_itself(b)).nth(n));
        match plain.or_else(shifted) {
            Some(byte) => bytes.push(byte),
            // Not the spelling of a byte, as in a control token: the letter itself.
            None => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes.into_boxed_slice()
}

/// Joins bytes to whole characters.
#[derive(Default)]
pub(super) struct Characters {
    /// The beginning of a character whose end has not come yet: at most three bytes.
    begun: Vec<u8>,
}

impl Characters {
    /// Takes more bytes and returns the characters that are complete by now. Bytes that are no
    /// character become U+FFFD.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.begun.extend_from_slice(bytes);
        let mut text = String::new();
        let mut whole = 0;
        for chunk in self.begun.utf8_chunks() {
            text.push_str(chunk.valid());
            whole += chunk.valid().len();
            let at_end = whole + chunk.invalid().len() == self.begun.len();
            if at_end && may_go_on(chunk.invalid()) {
                break;
            }
            if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
                whole += chunk.invalid().len();
            }
        }
        self.begun.drain(..whole);
        text
    }

    /// What is left at the end.
    pub(super) fn finish(self) -> String {
        String::from_utf8_lossy(&self.begun).into_owned()
    }
}

/// Whether these bytes are the beginning of a character.
fn may_go_on(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_stands_for_its_bytes() {
        let vocabulary = Vocabulary::new(["Ġthe", "Ċ", "Ã©", "ðŁĺĢ", "<|im_end|>"].into_iter());
        let texts: Vec<_> = (0..6).map(|token| vocabulary.bytes(token)).collect();
        let expected: [&[u8]; 6] =
            [b" the", b"\n", "é".as_bytes(), "😀".as_bytes(), b"<|im_end|>", b""];
        assert_eq!(texts, expected);
    }

    #[test]
    fn characters_come_whole_however_their_bytes_are_cut() {
        let text = "a é ‰ 😀 z";
        for size in 1..=text.len() {
            let mut characters = Characters::default();
            let mut read = String::new();
            for bytes in text.as_bytes().chunks(size) {
                let piece = characters.push(bytes);
                assert!(!piece.contains(char::REPLACEMENT_CHARACTER), "in pieces of {size}");
                read.push_str(&piece);
            }
            read.push_str(&characters.finish());
            assert_eq!(read, text, "in pieces of {size}");
        }
    }

    #[test]
    fn bytes_that_are_no_character_are_replaced_and_never_held_back() {
        let mut characters = Characters::default();
        assert_eq!(characters.push(b"a\xffb\xe2\x82"), "a\u{fffd}b");
        assert_eq!(characters.push(b"c"), "\u{fffd}c");
        assert_eq!(characters.push(b"\xf0\x9f"), "");
        assert_eq!(characters.finish(), "\u{fffd}");
    }
}
