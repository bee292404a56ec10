//! Statements signed with the key of the audit log: some lines of text, such as the seal of a report.
//!
//! Signed are the lines of the statement, each with its line end. The title is ours to choose and never that of a
//! checkpoint, so that no statement can be taken for one. Whoever has the public key, which `guildhall audit
//! verify` prints, can check a statement without us.

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};

use super::{AuditKeys, anchor::TITLE as CHECKPOINT};
use crate::erasure::{hex, unhex};

const KEY: &str = "key: ";
const SIGNATURE: &str = "signature: ";

/// Why a statement says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// It does not end with a key and a signature.
    #[error("it does not end with a key and a signature")]
    Unsigned,
    /// It was changed after it was signed, or signed with another key.
    #[error("it is not as it was signed")]
    Changed,
}

impl AuditKeys {
    /// The public key, as statements and checkpoints name it.
    #[must_use]
    pub fn public(&self) -> String {
        hex(self.sign.verifying_key().as_bytes())
    }

    /// Signs some lines; gives them with the key and the signature behind them. `None` for what could be
    /// taken for a checkpoint.
    #[must_use]
    pub fn sign(&self, lines: &str) -> Option<String> {
        let is_whole = lines.ends_with('\n') && !lines.starts_with(CHECKPOINT);
        let signature = self.sign.sign(lines.as_bytes()).to_bytes();
        let public = self.public();
        is_whole.then(|| format!("{lines}{KEY}{public}\n{SIGNATURE}{}\n", hex(&signature)))
    }
}

/// Checks a statement; gives the key that signed it. Whose key that is, is for the caller to know.
///
/// # Errors
/// If it is not signed, or is not as it was signed.
pub fn verify_statement(text: &str) -> Result<String, StatementError> {
    let at = text.rfind(SIGNATURE).ok_or(StatementError::Unsigned)?;
    let (before, signature) = text.split_at(at);
    let at = before.rfind(KEY).ok_or(StatementError::Unsigned)?;
    let (lines, key) = before.split_at(at);
    let word = |text: &str, name: &str| -> Option<String> {
        let line = text.strip_prefix(name)?.strip_suffix('\n')?;
        // In one way only, so that no sign of it can be another.
        line.chars().all(|it| matches!(it, '0'..='9' | 'a'..='f')).then(|| line.to_owned())
    };
    let key = word(key, KEY).ok_or(StatementError::Unsigned)?;
    let signature = word(signature, SIGNATURE).ok_or(StatementError::Unsigned)?;
    let public = unhex::<32>(&key).and_then(|it| VerifyingKey::from_bytes(&it).ok());
    let signature = unhex::<64>(&signature).map(|it| Signature::from_bytes(&it));
    let (Some(public), Some(signature)) = (public, signature) else {
        return Err(StatementError::Changed);
    };
    let is_signed = public.verify_strict(lines.as_bytes(), &signature).is_ok();
    if is_signed { Ok(key) } else { Err(StatementError::Changed) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{KeyPlace, Keys};

    fn keys() -> AuditKeys {
        let home = tempfile::tempdir().unwrap();
        let keys = Keys::create(&home.path().join("key"), KeyPlace::Anywhere).unwrap();
        AuditKeys::of(&keys)
    }

    #[test]
    fn a_statement_names_the_key_that_signed_it_and_is_never_a_checkpoint() {
        let keys = keys();
        let text = keys.sign("guildhall forensic report 1\nreport: 7\n").unwrap();
        assert_eq!(verify_statement(&text), Ok(keys.public()));
        assert_eq!(keys.sign("guildhall audit checkpoint 1\nrecords: 9\n"), None);
        assert_eq!(keys.sign("no end of a line"), None);
        assert_eq!(verify_statement("nothing\n"), Err(StatementError::Unsigned));
    }

    proptest! {
        #[test]
        fn whatever_is_changed_in_a_statement_is_found(place in 0usize..1_000, bit in 0u8..7) {
            let keys = keys();
            let mut bytes = keys.sign("title\nsource: 1 2 a/b\nsha256: 00ff\n").unwrap().into_bytes();
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
            prop_assert_ne!(verify_statement(&text), Ok(keys.public()), "{}", text);
        }
    }
}
