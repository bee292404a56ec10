//! Words for people, chats and texts that may stand in a log: without the key they mean nothing.

use std::fmt;

use hmac::{Hmac, Mac};
use protocol::{ChatId, PersonId, SessionKey, UpdateId};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Makes log words with one key. The same key gives the same words, so lines can be matched across
/// restarts; a new key breaks every link to older logs.
///
/// ```
/// # use protocol::PersonId;
/// let hasher = watch::KeyedHasher::new([7; 32]);
/// assert_eq!(hasher.person(PersonId(42)).len(), 12);
/// assert_eq!(hasher.person(PersonId(42)), hasher.person(PersonId(42)));
/// ```
#[derive(Clone)]
pub struct KeyedHasher {
    keyed: Hmac<Sha256>,
}

impl KeyedHasher {
    /// A hasher with a key that is kept out of the logs and away from them.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        let key = Zeroizing::new(key);
        let keyed = Hmac::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length");
        Self { keyed }
    }

    /// The word for a person: 12 hex digits.
    #[must_use]
    pub fn person(&self, person: PersonId) -> String {
        self.word(b"person", &person.0.to_be_bytes())
    }

    /// The word for a chat: 12 hex digits. A private chat's is not its person's.
    #[must_use]
    pub fn chat(&self, chat: ChatId) -> String {
        self.word(b"chat", &chat.0.to_be_bytes())
    }

    /// The digest of a record that may hold texts: 64 hex digits. Tells whether a record is the same, and
    /// without the key nothing of what is in it.
    #[must_use]
    pub fn record_digest(&self, record: &[u8]) -> String {
        let mut mac = self.keyed.clone();
        mac.update(b"record:");
        mac.update(record);
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The word for a text: 12 hex digits. Tells whether two texts are equal and nothing else.
    #[must_use]
    pub fn text_digest(&self, text: &str) -> String {
        self.word(b"text", text.as_bytes())
    }

    /// The word for a conversation: 12 hex digits.
    #[must_use]
    pub fn conversation(&self, key: SessionKey) -> String {
        self.word(b"conversation", &bytes_of(key))
    }

    /// The number of a turn, for traces: the same whenever the turn is met again.
    #[must_use]
    pub fn turn(&self, key: SessionKey, update: UpdateId) -> [u8; 16] {
        let value = [bytes_of(key), update.0.to_be_bytes().to_vec()].concat();
        let mut number = [0; 16];
        number.iter_mut().zip(self.digest(b"turn", &value)).for_each(|(to, from)| *to = from);
        number
    }

    /// The kind goes in first, so that equal bytes of two kinds have different words.
    fn word(&self, kind: &[u8], value: &[u8]) -> String {
        self.digest(kind, value).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    fn digest(&self, kind: &[u8], value: &[u8]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(kind);
        mac.update(b":");
        mac.update(value);
        mac.finalize().into_bytes().into()
    }
}

fn bytes_of(key: SessionKey) -> Vec<u8> {
    let topic = key.topic.map_or(0, |it| it.0);
    [key.bot.0, key.chat.0, topic].map(i64::to_be_bytes).concat()
}

impl fmt::Debug for KeyedHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_never_change() {
        let hasher = KeyedHasher::new([7; 32]);
        let words =
            [hasher.person(PersonId(42)), hasher.chat(ChatId(42)), hasher.text_digest("hello")];
        assert_eq!(words, ["4d0a2c4f66ce", "8bd3135a028d", "a6e7163d9811"]);
    }

    #[test]
    fn a_record_digest_is_long_and_hangs_on_the_record_and_on_the_key() {
        let (one, other) = (KeyedHasher::new([1; 32]), KeyedHasher::new([2; 32]));
        let digest = one.record_digest(b"a record");
        assert_eq!((digest.len(), &digest), (64, &one.record_digest(b"a record")));
        assert_ne!(digest, one.record_digest(b"a record."));
        assert_ne!(digest, other.record_digest(b"a record"));
    }

    #[test]
    fn kinds_and_keys_do_not_share_words() {
        let (one, other) = (KeyedHasher::new([1; 32]), KeyedHasher::new([2; 32]));
        assert_ne!(one.person(PersonId(5)), one.chat(ChatId(5)));
        assert_ne!(one.person(PersonId(5)), other.person(PersonId(5)));
        assert_ne!(one.person(PersonId(5)), one.person(PersonId(-5)));
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", KeyedHasher::new([9; 32])), "KeyedHasher");
    }
}
