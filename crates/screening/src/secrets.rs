//! Looks for configured secrets, as they are and in the encodings a model might be talked into:
//! base64 (any alignment, either alphabet), hexadecimal, percent-encoding, JSON escapes.
//!
//! The search automata hold copies of the secrets for as long as the screen lives; those cannot
//! be wiped from memory. The list they are built from is.

use std::{fmt, ops::Range, sync::Arc};

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    normalise::MatchCopy,
    rules::{RuleError, RuleProblem},
};

/// The shortest secret that is looked for, in bytes. Shorter ones occur by chance.
const SECRET_BYTES_MIN: usize = 8;

/// A secret of this installation that must not pass in any form. Wiped when dropped.
#[derive(Clone)]
pub struct ExactSecret {
    /// What findings call it, for example `telegram_token`.
    pub name: String,
    /// The secret itself.
    pub value: Zeroizing<String>,
}

impl fmt::Debug for ExactSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExactSecret").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The search for all configured secrets at once.
pub(crate) struct SecretSearch {
    names: Vec<Arc<str>>,
    as_written: AhoCorasick,
    as_written_owner: Vec<usize>,
    any_case: AhoCorasick,
    any_case_owner: Vec<usize>,
}

impl SecretSearch {
    /// Prepares the search, or `None` if there is nothing to search for.
    pub(crate) fn new(secrets: &[ExactSecret]) -> Result<Option<Self>, RuleError> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let mut as_written = Forms::default();
        let mut any_case = Forms::default();
        for (owner, secret) in secrets.iter().enumerate() {
            let value = secret.value.as_str();
            if value.len() < SECRET_BYTES_MIN {
                let problem = RuleProblem::SecretTooShort(SECRET_BYTES_MIN);
                return Err(fault(Some(secret.name.clone()), problem));
            }
            as_written.add(owner, exact_forms(value));
            any_case.add(owner, caseless_forms(value));
        }
        let too_much = |error| fault(None, RuleProblem::TooMuchToSearch(error));
        Ok(Some(Self {
            names: secrets.iter().map(|secret| secret.name.as_str().into()).collect(),
            as_written: as_written.search(false).map_err(too_much)?,
            as_written_owner: std::mem::take(&mut as_written.owners),
            any_case: any_case.search(true).map_err(too_much)?,
            any_case_owner: std::mem::take(&mut any_case.owners),
        }))
    }

    /// Where secrets occur in `text`, with their names.
    pub(crate) fn find<'s>(
        &'s self,
        text: &'s str,
    ) -> impl Iterator<Item = (&'s Arc<str>, Range<usize>)> {
        let exact = self.as_written.find_iter(text).map(|hit| (&self.as_written_owner, hit));
        let caseless = self.any_case.find_iter(text).map(|hit| (&self.any_case_owner, hit));
        exact.chain(caseless).filter_map(|(owners, hit)| {
            let name = owners.get(hit.pattern().as_usize()).and_then(|&at| self.names.get(at));
            name.map(|name| (name, hit.range()))
        })
    }
}

fn fault(rule: Option<String>, problem: RuleProblem) -> RuleError {
    RuleError { file: "secrets".to_owned(), rule, problem }
}

/// Forms of secrets to search for, each with the place of its secret. Wiped when dropped.
#[derive(Default)]
struct Forms {
    forms: Vec<String>,
    owners: Vec<usize>,
}

impl Forms {
    fn add(&mut self, owner: usize, forms: Vec<String>) {
        self.owners.extend(forms.iter().map(|_| owner));
        self.forms.extend(forms);
    }

    fn search(&self, any_case: bool) -> Result<AhoCorasick, BuildError> {
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(any_case)
            .build(&self.forms)
    }
}

impl Drop for Forms {
    fn drop(&mut self) {
        self.forms.zeroize();
    }
}

/// The forms in which the case of letters matters.
fn exact_forms(secret: &str) -> Vec<String> {
    // Texts are searched in their plain copy, so the secret must look as it does there.
    let mut forms = vec![MatchCopy::both(secret).0.text().to_owned(), percent(secret, false)];
    let quoted = serde_json::Value::from(secret).to_string();
    forms.extend(
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map(str::to_owned),
    );
    for shift in 0..3 {
        let padded =
            Zeroizing::new([b"   ".get(..shift).unwrap_or_default(), secret.as_bytes()].concat());
        for mut encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            // The first and last characters also depend on the bytes around the secret.
            let first = (shift * 8).div_ceil(6);
            let end = (padded.len() * 8) / 6;
            forms.extend(encoded.get(first..end).map(str::to_owned));
            encoded.zeroize();
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

/// The forms in which it does not.
fn caseless_forms(secret: &str) -> Vec<String> {
    let hex = |separator: &str| {
        let digits: Vec<String> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        digits.join(separator)
    };
    vec![hex(""), hex(" "), hex(":"), hex("\\x"), percent(secret, true)]
}

/// Percent-encodes every byte, or only those that are not unreserved in a URL.
fn percent(secret: &str, every: bool) -> String {
    let mut encoded = String::with_capacity(secret.len() * 3);
    for byte in secret.bytes() {
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if unreserved && !every {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "hunter2/&é\"long enough";

    fn search() -> SecretSearch {
        let value = Zeroizing::new(SECRET.to_owned());
        SecretSearch::new(&[ExactSecret { name: "canary".to_owned(), value }]).unwrap().unwrap()
    }

    #[test]
    fn screen_4_every_form_of_a_secret_is_found() {
        let search = search();
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect();
        let mut texts = vec![
            SECRET.to_owned(),
            hex.clone(),
            hex.to_lowercase(),
            percent(SECRET, false),
            percent(SECRET, true).to_lowercase(),
            serde_json::Value::from(SECRET).to_string(),
        ];
        for around in ["", "a", "ab", "abc", "abcd"] {
            let wrapped = format!("{around}{SECRET}{around}");
            texts.push(STANDARD_NO_PAD.encode(&wrapped));
            texts.push(URL_SAFE_NO_PAD.encode(&wrapped));
        }
        for text in texts {
            assert_eq!(search.find(&format!("<{text}>")).count(), 1, "{text}");
        }
    }

    #[test]
    fn a_short_secret_is_an_error_that_does_not_show_it() {
        let value = Zeroizing::new("hunter2".to_owned());
        let secret = ExactSecret { name: "pin".to_owned(), value };
        assert!(!format!("{secret:?}").contains("hunter2"));
        let error = SecretSearch::new(&[secret]).err().unwrap().to_string();
        assert_eq!(error, "secrets, rule pin: a secret to look for needs 8 bytes or more");
    }
}
