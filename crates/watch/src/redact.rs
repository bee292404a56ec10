//! Replaces known secrets in text. The last line of defence: nothing should hand them over at all.
//!
//! Finds each secret as it is, percent-encoded, in base64 at any offset (both alphabets), in hex and
//! as JSON or Rust escape it, in any letter case. One pass over the text, whatever the number of
//! secrets.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use secrecy::{ExposeSecret, SecretString};

/// What stands where a secret was.
pub(crate) const REDACTED: &str = "[REDACTED]";

/// The shortest secret that can be told from ordinary text.
const SECRET_BYTES_MIN: usize = 6;

/// Why a redactor cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum RedactorError {
    /// Replacing it would tear holes into ordinary text.
    #[error("secret number {place} has fewer than {SECRET_BYTES_MIN} bytes")]
    SecretTooShort {
        /// Its place in the list, from 1.
        place: usize,
    },
    /// The search automaton cannot be built: far too many or too long secrets.
    #[error("there are too many secrets to look for")]
    TooManySecrets(#[source] aho_corasick::BuildError),
}

/// Finds and replaces the secrets it was made with.
///
/// ```
/// let secrets = [secrecy::SecretString::from("hunter2!")];
/// let redactor = watch::Redactor::new(&secrets).unwrap();
/// assert_eq!(redactor.redact("the password is hunter2%21"), "the password is [REDACTED]");
/// ```
pub struct Redactor {
    search: Option<AhoCorasick>,
    longest_bytes: usize,
}

impl Redactor {
    /// A redactor of these secrets. With none it changes nothing.
    ///
    /// # Errors
    /// If a secret is too short, or there are too many.
    pub fn new(secrets: &[SecretString]) -> Result<Self, RedactorError> {
        let mut forms = BTreeSet::new();
        for (at, secret) in secrets.iter().enumerate() {
            let secret = secret.expose_secret();
            if secret.len() < SECRET_BYTES_MIN {
                return Err(RedactorError::SecretTooShort { place: at + 1 });
            }
            forms.extend(forms_of(secret));
        }
        let longest_bytes = forms.iter().map(String::len).max().unwrap_or(0);
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(&forms)
            .map_err(RedactorError::TooManySecrets)?;
        Ok(Self { search: (!forms.is_empty()).then_some(search), longest_bytes })
    }

    /// The text with `[REDACTED]` in place of every secret.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redact_whole_or_cut(text, false)
    }

    /// The text without secrets, where it was cut off somewhere: what may be the beginning of a
    /// secret at its end is left out too.
    pub(crate) fn redact_cut<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redact_whole_or_cut(text, true)
    }

    /// The length of the longest form of a secret.
    pub(crate) fn longest_bytes(&self) -> usize {
        self.longest_bytes
    }

    fn redact_whole_or_cut<'a>(&self, text: &'a str, cut: bool) -> Cow<'a, str> {
        let Some(search) = &self.search else { return Cow::Borrowed(text) };
        let held_back = if cut { self.longest_bytes } else { 0 };
        let end = text.floor_char_boundary(text.len().saturating_sub(held_back));
        let (mut clean, mut from) = (String::new(), 0);
        for found in search.find_iter(text) {
            if end <= found.start() {
                break;
            }
            clean.push_str(text.get(from..found.start()).unwrap_or_default());
            clean.push_str(REDACTED);
            from = found.end();
        }
        if from == 0 {
            return Cow::Borrowed(text.get(..end).unwrap_or_default());
        }
        clean.push_str(text.get(from..end).unwrap_or_default());
        Cow::Owned(clean)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

/// Every way we know in which a secret shows up in text. Letter case does not matter.
fn forms_of(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let json = serde_json::Value::from(secret).to_string();
    let rust = format!("{secret:?}");
    let mut forms = vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        rust.trim_matches('"').to_owned(),
        percent(bytes, b"-._~"),
        percent(bytes, b"-._~!'()*"),
        percent(bytes, b"-._~!$&'()*+,;=:@"),
        percent(bytes, b"-._~!$&'()*+,;=:@/?[]|^\\"),
        percent(bytes, b"-._*").replace("%20", "+"),
        bytes.iter().map(|byte| format!("%{byte:02X}")).collect(),
        bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    ];
    for offset in 0..3 {
        forms.push(base64_inner(&STANDARD_NO_PAD, bytes, offset));
        forms.push(base64_inner(&URL_SAFE_NO_PAD, bytes, offset));
    }
    // A form shorter than this would match ordinary text.
    forms.retain(|form| SECRET_BYTES_MIN <= form.len());
    forms
}

/// Percent-encoded but for letters, digits and `plain`, of which every client has its own set.
fn percent(bytes: &[u8], plain: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// The base64 characters that depend on the secret alone when `offset` bytes (modulo 3) precede it.
fn base64_inner(engine: &impl Engine, secret: &[u8], offset: usize) -> String {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(secret);
    let encoded = engine.encode(&padded);
    let first = (offset * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    encoded.get(first..last).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "123456:AAH-\"q\\z_9/+ é!";

    fn redactor() -> Redactor {
        Redactor::new(&[SecretString::from(TOKEN), SecretString::from("another one")]).unwrap()
    }

    #[test]
    fn a_secret_is_found_in_every_encoding() {
        let redactor = redactor();
        let basic = STANDARD_NO_PAD.encode(format!("user:{TOKEN}:x"));
        let url_safe = URL_SAFE_NO_PAD.encode(format!("u{TOKEN}"));
        let path = "123456:AAH-%22q%5Cz_9%2F+%20%C3%A9!";
        let form = "123456%3AAAH-%22q%5Cz_9%2F%2B+%C3%A9%21";
        let percent_all: String = TOKEN.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let hex: String = TOKEN.bytes().map(|byte| format!("{byte:02X}")).collect();
        let json = serde_json::to_string(TOKEN).unwrap();
        let debug = format!("{TOKEN:?}");
        let encodings = [TOKEN, &basic, &url_safe, path, form, &percent_all, &hex, &json, &debug];
        for text in encodings {
            let clean = redactor.redact(text).into_owned();
            assert!(clean.contains(REDACTED), "{text} became {clean}");
            assert!(clean.len() <= REDACTED.len() + 16, "{text} became {clean}");
        }
    }

    #[test]
    fn all_occurrences_go_and_the_rest_stays() {
        let text = format!("a {TOKEN} b another one c");
        assert_eq!(redactor().redact(&text), "a [REDACTED] b [REDACTED] c");
        assert_eq!(redactor().redact("nothing here"), "nothing here");
    }

    #[test]
    fn the_beginning_of_a_secret_at_a_cut_is_left_out() {
        let redactor = Redactor::new(&[SecretString::from("0123456789abcdef")]).unwrap();
        let head = "x".repeat(100);
        let cut = format!("{head}0123456789abcde");
        assert!(!redactor.redact_cut(&cut).contains("0123"));
        let whole = format!("{head}0123456789abcdef");
        assert!(!redactor.redact_cut(&whole).contains("0123"));
    }

    #[test]
    fn a_secret_too_short_to_find_is_refused() {
        let refused =
            Redactor::new(&[SecretString::from("long enough"), SecretString::from("abc")]);
        assert!(matches!(refused, Err(RedactorError::SecretTooShort { place: 2 })));
    }

    #[test]
    fn without_secrets_nothing_changes() {
        let redactor = Redactor::new(&[]).unwrap();
        assert_eq!(redactor.redact("any text"), "any text");
        assert_eq!(redactor.redact_cut("any text"), "any text");
    }
}
