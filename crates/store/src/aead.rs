//! XChaCha20-Poly1305, as everything here is sealed: in place, the tag apart.
//!
//! The construction is that of draft-irtf-cfrg-xchacha-03: HChaCha20 makes a key for the message of
//! the key and the first 16 bytes of the nonce, and RFC 8439's ChaCha20-Poly1305 seals with it and
//! the 8 bytes that are left. HChaCha20 is RustCrypto's, the rest AWS-LC's: for texts as short as a
//! message its set-up is several times as quick, and it is in the program already, for TLS.

use std::ops::Deref;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use chacha20::{R20, hchacha};
use zeroize::{ZeroizeOnDrop, Zeroizing, optimization_barrier};

pub(crate) const KEY_BYTES: usize = 32;
pub(crate) const NONCE_BYTES: usize = 24;
pub(crate) const TAG_BYTES: usize = 16;

/// The nonce's bytes that go into the message's key.
const DERIVED_BYTES: usize = 16;

/// It could not be sealed, or it is not what was sealed. Says no more, so that nobody learns more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sealed, or not with this key, nonce and place")]
pub(crate) struct Unsealed;

/// What was opened. Wiped when it is dropped, as one block: `Zeroizing` writes byte by byte, some thousands for every message.
#[derive(Default)]
pub(crate) struct Opened(Vec<u8>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.fill(0);
        optimization_barrier(self.0.as_slice());
    }
}

impl ZeroizeOnDrop for Opened {}

impl Deref for Opened {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Opened {
    /// The bytes, which nobody wipes then.
    pub(crate) fn into_vec(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// A key that seals. Wiped when it is dropped.
pub(crate) struct Aead(Zeroizing<[u8; KEY_BYTES]>);

impl Aead {
    pub(crate) fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(*key))
    }

    /// Seals `text` where it stands, bound to `place`. A nonce must never be used twice with a key:
    /// 24 random bytes never are.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        place: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], Unsealed> {
        let (key, nonce) = self.message(nonce)?;
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(place), text);
        tag.map_err(|_too_long| Unsealed)?.as_ref().try_into().map_err(|_another_size| Unsealed)
    }

    /// What was sealed so, at this place.
    pub(crate) fn open(
        &self,
        nonce: &[u8],
        place: &[u8],
        sealed: &[u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<Opened, Unsealed> {
        let nonce = nonce.try_into().map_err(|_another_size| Unsealed)?;
        let (key, nonce) = self.message(nonce)?;
        let mut text = Opened(vec![0; sealed.len()]);
        key.open_separate_gather(nonce, Aad::from(place), sealed, tag, &mut text.0)
            .map_err(|_not_sealed_so| Unsealed)?;
        Ok(text)
    }

    /// The key of one message, and what is left of the nonce.
    fn message(&self, nonce: &[u8; NONCE_BYTES]) -> Result<(LessSafeKey, Nonce), Unsealed> {
        let (derived, left) = nonce.split_at(DERIVED_BYTES);
        let derived = derived.try_into().map_err(|_another_size| Unsealed)?;
        let key = Zeroizing::new(hchacha::<R20>((&*self.0).into(), derived).0);
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice());
        let key = key.map_err(|_another_size| Unsealed)?;
        let mut short = [0; 12];
        short.split_at_mut(4).1.copy_from_slice(left);
        Ok((LessSafeKey::new(key), Nonce::assume_unique_for_key(short)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }

    /// Appendix A.3.1 of draft-irtf-cfrg-xchacha-03.
    #[test]
    fn it_seals_as_the_drafts_example_does() {
        let key: Vec<u8> = (0x80..=0x9f).collect();
        let nonce: Vec<u8> = (0x40..=0x57).collect();
        let place = bytes("50515253c0c1c2c3c4c5c6c7");
        let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip \
                      for the future, sunscreen would be it.";
        let sealed = bytes(
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb
             731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452
             2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9
             21f9664c97637da9768812f615c68b13b52e",
        );
        let tag = bytes("c0875924c1c7987947deafd8780acf49");

        let aead = Aead::new(&key.try_into().unwrap());
        let mut text = plain.to_vec();
        let made = aead.seal(&nonce.clone().try_into().unwrap(), &place, &mut text).unwrap();

        assert_eq!((&text, made.as_slice()), (&sealed, tag.as_slice()));
        let opened = aead.open(&nonce, &place, &sealed, &made).unwrap();
        assert_eq!(&*opened, plain);
    }

    #[test]
    fn nothing_opens_after_a_change_of_key_nonce_place_text_or_tag() {
        let (key, nonce) = ([7; KEY_BYTES], [9; NONCE_BYTES]);
        let mut text = b"text".to_vec();
        let tag = Aead::new(&key).seal(&nonce, b"here", &mut text).unwrap();
        let opens = |key, nonce: &[u8], place: &[u8], text: &[u8], tag| {
            Aead::new(&key).open(nonce, place, text, &tag).is_ok()
        };
        assert!(opens(key, &nonce, b"here", &text, tag));
        assert!(!opens([8; KEY_BYTES], &nonce, b"here", &text, tag));
        assert!(!opens(key, &[8; NONCE_BYTES], b"here", &text, tag));
        assert!(!opens(key, &nonce[1..], b"here", &text, tag));
        assert!(!opens(key, &nonce, b"there", &text, tag));
        assert!(!opens(key, &nonce, b"here", &text[1..], tag));
        assert!(!opens(key, &nonce, b"here", &text, [0; TAG_BYTES]));
    }
}
