//! A rule pack: rules that someone else keeps, signed, with a version.
//!
//! A pack is a TOML file. Its first line is the signature, and everything after that line, to the
//! last byte, is what was signed:
//!
//! ```toml
//! signature = "ed25519:<64 bytes as base64>"
//! pack = "phishing"
//! version = 3
//!
//! [[rule]]
//! name = "…"
//! ```
//!
//! The signature is ed25519 (RFC 8032) over `guildhall rule pack 1`, a newline, and those bytes; the
//! label keeps a signature made for something else from being taken for one of a pack. It is
//! checked strictly: no key of small order, and only the one encoding that a signature has. The
//! rules are those of [`screening`], with examples.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use screening::{Level, Policy, RuleFile, Screen, Trial};

use super::keys::PackKey;

/// What is signed begins with this.
const LABEL: &[u8] = b"guildhall rule pack 1\n";
const SIGNATURE_START: &str = "signature = \"ed25519:";
const HEADER_KEYS: [&str; 3] = ["signature", "pack", "version"];
/// The longest name of a pack, in characters.
const NAME_CHARS_MAX: usize = 64;

/// A pack as its text says, with a signature that was checked.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its name: the name of its file, too.
    pub name: String,
    /// Rises with every change.
    pub version: u64,
    /// Its rules.
    pub rules: RuleFile,
}

/// Why a text is no pack that may be used.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// There is no signature where it must stand.
    #[error("it is not signed: its first line is not signature = \"ed25519:…\"")]
    Unsigned,
    /// No trusted key signed these bytes.
    #[error(
        "none of the {trusted} keys in guard.pack_keys signed it: it was changed, or it is by \
         somebody else"
    )]
    NotTrusted {
        /// How many keys are trusted.
        trusted: usize,
    },
    /// It is not TOML.
    #[error("it is not valid TOML: {0}")]
    Unreadable(String),
    /// The name is missing or no name.
    #[error("it needs pack = \"…\", 1 to {NAME_CHARS_MAX} of a-z, 0-9, _ and -")]
    BadName,
    /// The version is missing or no version.
    #[error("it needs version = …, a whole number from 1 on")]
    BadVersion,
    /// It has no rule.
    #[error("there is no rule in it")]
    Empty,
    /// A rule cannot be used.
    #[error("{0}")]
    BadRule(String),
    /// A rule does not do what its examples say.
    #[error("rule {rule} {} its example: {example}", if *.should_match { "does not match" } else { "matches" })]
    FailedExample {
        /// The rule.
        rule: String,
        /// The example.
        example: String,
        /// Whether it should have matched.
        should_match: bool,
    },
}

impl Pack {
    /// Reads a pack and checks that a trusted key signed it. PACK-1.
    ///
    /// # Errors
    /// What is wrong with it. Nothing of an unsigned text is read as rules.
    pub fn open(file: &str, text: &str, trusted: &[PackKey]) -> Result<Self, PackError> {
        let (signature, body) = split(text).ok_or(PackError::Unsigned)?;
        let message = [LABEL, body.as_bytes()].concat();
        let is_by = |key: &&PackKey| key.verifying().verify_strict(&message, &signature).is_ok();
        if !trusted.iter().any(|key| is_by(&key)) {
            return Err(PackError::NotTrusted { trusted: trusted.len() });
        }
        Self::read(file, body)
    }

    /// Reads what was signed, or what is to be.
    fn read(file: &str, body: &str) -> Result<Self, PackError> {
        let table = parse(body)?;
        let name = table.get("pack").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        let is_good = |it: char| matches!(it, 'a'..='z' | '0'..='9' | '_' | '-');
        if name.is_empty() || NAME_CHARS_MAX < name.len() || !name.chars().all(is_good) {
            return Err(PackError::BadName);
        }
        let version = table.get("version").and_then(toml::Value::as_integer);
        let version = version.and_then(|it| u64::try_from(it).ok()).filter(|it| 0 < *it);
        let version = version.ok_or(PackError::BadVersion)?;
        Ok(Self { name, version, rules: rules_of(file, table)? })
    }

    /// Compiles the rules by themselves and tries their examples.
    ///
    /// # Errors
    /// The first rule that cannot be used or does not do what its examples say.
    pub fn check(&self) -> Result<(), PackError> {
        let bad = |error: screening::RuleError| PackError::BadRule(error.to_string());
        let trial = Trial::new(Level::Medium, std::slice::from_ref(&self.rules), &[]);
        let trial = trial.map_err(bad)?;
        if trial.names().next().is_none() {
            return Err(PackError::Empty);
        }
        let policy = Policy { rule_files: vec![self.rules.clone()], ..Policy::default() };
        let failed = Screen::new(policy).map_err(bad)?.failed_examples();
        let ours = failed.into_iter().find(|it| trial.names().any(|name| name == it.rule));
        match ours {
            None => Ok(()),
            Some(it) => Err(PackError::FailedExample {
                rule: it.rule,
                example: it.example,
                should_match: it.should_match,
            }),
        }
    }
}

/// The rules of any rule file, pack or not. The signature of a pack is not checked: good enough for
/// trying rules, which changes nothing.
///
/// # Errors
/// If it is not TOML.
pub fn rule_file(file: &str, text: &str) -> Result<RuleFile, PackError> {
    let table = parse(text)?;
    if HEADER_KEYS.iter().any(|key| table.contains_key(*key)) {
        return rules_of(file, table);
    }
    Ok(RuleFile { name: file.to_owned(), text: text.to_owned() })
}

/// What is, or is to be, signed: the text without its signature.
#[must_use]
pub fn body_of(text: &str) -> &str {
    split(text).map_or(text, |(_, body)| body)
}

/// The signed text of a pack. `body` is without a signature.
///
/// # Errors
/// What is wrong with the pack: one that would be refused is not signed.
pub fn sign(file: &str, body: &str, key: &SigningKey) -> Result<(Pack, String), PackError> {
    let pack = Pack::read(file, body)?;
    pack.check()?;
    let signature = key.sign(&[LABEL, body.as_bytes()].concat());
    let signature = STANDARD.encode(signature.to_bytes());
    Ok((pack, format!("{SIGNATURE_START}{signature}\"\n{body}")))
}

fn split(text: &str) -> Option<(Signature, &str)> {
    let (first, body) = text.split_once('\n')?;
    let first = first.strip_suffix('\r').unwrap_or(first);
    let encoded = first.strip_prefix(SIGNATURE_START)?.strip_suffix('"')?;
    let bytes: [u8; 64] = STANDARD.decode(encoded).ok()?.try_into().ok()?;
    Some((Signature::from_bytes(&bytes), body))
}

fn parse(text: &str) -> Result<toml::Table, PackError> {
    text.parse().map_err(|error: toml::de::Error| PackError::Unreadable(error.to_string()))
}

fn rules_of(file: &str, mut table: toml::Table) -> Result<RuleFile, PackError> {
    for key in HEADER_KEYS {
        table.remove(key);
    }
    let text = toml::to_string(&table);
    let text = text.map_err(|error| PackError::Unreadable(error.to_string()))?;
    Ok(RuleFile { name: file.to_owned(), text })
}

/// The other half of a signing key.
#[must_use]
pub(crate) fn public(key: &SigningKey) -> VerifyingKey {
    key.verifying_key()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    pub(crate) fn trusted(seed: u8) -> PackKey {
        PackKey::of(&key(seed))
    }

    pub(crate) fn body(version: u32, word: &str) -> String {
        format!(
            "pack = \"phishing\"\nversion = {version}\n\n[[rule]]\nname = \"lure_{word}\"\n\
             pattern = '(?i)\\b{word}\\b'\nkind = \"dangerous\"\naction = \"refuse\"\n\
             severity = \"high\"\ndirection = \"both\"\nkeywords = [\"{word}\"]\n\
             matches = [\"the {word}\"]\npasses = [\"nothing of the kind\"]\n"
        )
    }

    pub(crate) fn signed(body: &str, seed: u8) -> String {
        sign("pack.toml", body, &key(seed)).unwrap().1
    }

    #[test]
    fn a_signed_pack_is_opened_with_the_right_key_only() {
        let text = signed(&body(3, "gravlax"), 1);
        let pack = Pack::open("pack.toml", &text, &[trusted(2), trusted(1)]).unwrap();
        assert_eq!((pack.name.as_str(), pack.version), ("phishing", 3));
        assert!(pack.check().is_ok());
        for keys in [vec![], vec![trusted(2)]] {
            let refused = Pack::open("pack.toml", &text, &keys);
            assert!(matches!(refused, Err(PackError::NotTrusted { .. })), "{refused:?}");
        }
    }

    #[test]
    fn pack_1_no_single_changed_byte_is_accepted() {
        let text = signed(&body(3, "gravlax"), 1);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(Pack::open("pack.toml", &changed, &[trusted(1)]).is_err(), "byte {at}");
        }
        for changed in [format!("{text}\n"), text.trim_end().to_owned()] {
            assert!(Pack::open("pack.toml", &changed, &[trusted(1)]).is_err());
        }
        let unsigned = Pack::open("pack.toml", &body(3, "gravlax"), &[trusted(1)]);
        assert!(matches!(unsigned, Err(PackError::Unsigned)));
    }

    #[test]
    fn a_pack_that_would_be_refused_is_not_signed() {
        let good = body(3, "gravlax");
        let cases = [
            ("pack = \"phishing\"", "pack = \"../evil\"", "it needs pack"),
            ("version = 3", "version = 0", "it needs version"),
            ("the gravlax", "the salmon", "does not match its example: the salmon"),
            ("nothing of the kind", "no gravlax", "matches its example: no gravlax"),
            ("'(?i)", "'(?P<", "cannot be used"),
            ("severity = \"high\"", "severity = \"hihg\"", "unknown variant"),
            ("[[rule]]", "[[rule]", "not valid TOML"),
        ];
        for (from, to, expected) in cases {
            let error = sign("pack.toml", &good.replace(from, to), &key(1)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        let empty = sign("pack.toml", "pack = \"x\"\nversion = 1\n", &key(1)).unwrap_err();
        assert!(matches!(empty, PackError::Empty));
    }

    #[test]
    fn the_rules_of_a_pack_can_be_tried_before_it_is_trusted() {
        for text in [signed(&body(3, "gravlax"), 9), body(3, "gravlax")] {
            let file = rule_file("pack.toml", &text).unwrap();
            let trial = Trial::new(Level::Medium, &[file], &[]).unwrap();
            assert_eq!(trial.names().collect::<Vec<_>>(), ["lure_gravlax"]);
            assert_eq!(body_of(&text), body(3, "gravlax"));
        }
    }
}
