//! Looks for configured secrets, as they are and in the forms a model might be talked into: in other
//! case, backwards, rot13, base64 (any alignment, either alphabet, twice), base32, hexadecimal,
//! decimal, octal and binary codes, percent-encoding, escapes, hex of base64 and the like (`forms`);
//! and any of these taken apart by white space, punctuation or invisible characters.
//!
//! The search automata hold copies of the secrets for as long as the screen lives; those cannot
//! be wiped from memory. The list they are built from is.

mod forms;

use std::{fmt, ops::Range, sync::Arc};

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};
use zeroize::{Zeroize, Zeroizing};

use self::forms::{caseless_forms, exact_forms, squeezed};
use crate::rules::{RuleError, RuleProblem};

/// The shortest secret that is looked for, in bytes. Shorter ones occur by chance.
const SECRET_BYTES_MIN: usize = 8;
/// The shortest form that is looked for with everything but letters and digits left out: the words
/// and numbers of a sentence, run together, are many more chances.
const SQUEEZED_BYTES_MIN: usize = 10;

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
    /// Tried on texts as they are.
    whole: [Search; 2],
    /// Tried on the letters and digits of texts alone.
    apart: [Search; 2],
}

/// One automaton, and which secret each of its forms belongs to.
struct Search {
    automaton: AhoCorasick,
    owners: Vec<usize>,
}

impl SecretSearch {
    /// Prepares the search, or `None` if there is nothing to search for.
    pub(crate) fn new(secrets: &[ExactSecret]) -> Result<Option<Self>, RuleError> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let mut whole = [Forms::default(), Forms::default()];
        let mut apart = [Forms::default(), Forms::default()];
        for (owner, secret) in secrets.iter().enumerate() {
            let value = secret.value.as_str();
            if value.len() < SECRET_BYTES_MIN {
                let problem = RuleProblem::SecretTooShort(SECRET_BYTES_MIN);
                return Err(fault(Some(secret.name.clone()), problem));
            }
            let forms = [exact_forms(value), caseless_forms(value)];
            for ((whole, apart), forms) in whole.iter_mut().zip(&mut apart).zip(forms) {
                let mut letters: Vec<String> = forms.iter().map(|form| squeezed(form)).collect();
                letters.retain(|form| SQUEEZED_BYTES_MIN <= form.len());
                letters.sort();
                letters.dedup();
                apart.add(owner, letters);
                // What is found apart, and all of it, need not be looked for whole.
                let (mut known, rest): (Vec<_>, Vec<_>) =
                    forms.into_iter().partition(|form: &String| found_apart(form));
                known.zeroize();
                whole.add(owner, rest);
            }
        }
        let ready =
            |[exact, caseless]: [Forms; 2]| Ok([exact.search(false)?, caseless.search(true)?]);
        let too_much = |error| fault(None, RuleProblem::TooMuchToSearch(error));
        Ok(Some(Self {
            names: secrets.iter().map(|secret| secret.name.as_str().into()).collect(),
            whole: ready(whole).map_err(too_much)?,
            apart: ready(apart).map_err(too_much)?,
        }))
    }

    /// Where secrets occur in `text`, with their names; at most `hits_max` times.
    pub(crate) fn find(&self, text: &str, hits_max: usize) -> Vec<(&Arc<str>, Range<usize>)> {
        let mut found: Vec<(usize, Range<usize>)> = Vec::new();
        for search in &self.whole {
            found.extend(search.hits(text).take(hits_max));
        }
        let letters = squeezed(text);
        let mut places = Vec::new();
        for search in &self.apart {
            for (owner, hit) in search.hits(&letters).take(hits_max) {
                if places.is_empty() {
                    places = places_of_letters(text);
                }
                let last = hit.end.saturating_sub(1);
                let (Some(first), Some(last)) = (places.get(hit.start), places.get(last)) else {
                    continue;
                };
                let range = first.start..last.end;
                let known = |(other, whole): &(usize, Range<usize>)| {
                    *other == owner && whole.start <= range.start && range.end <= whole.end
                };
                if !found.iter().any(known) {
                    found.push((owner, range));
                }
            }
        }
        found.dedup();
        let named = found.into_iter().take(hits_max);
        named.filter_map(|(owner, range)| Some((self.names.get(owner)?, range))).collect()
    }
}

/// Whether the letters and digits of a form are enough to find it by, from its first byte to its
/// last.
fn found_apart(form: &str) -> bool {
    let closed = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let bytes: usize = form.chars().filter(|c| c.is_alphanumeric()).map(char::len_utf8).sum();
    SQUEEZED_BYTES_MIN <= bytes && closed(form.chars().next()) && closed(form.chars().next_back())
}

impl Search {
    fn hits(&self, text: &str) -> impl Iterator<Item = (usize, Range<usize>)> {
        let hits = self.automaton.find_iter(text);
        hits.filter_map(|hit| Some((*self.owners.get(hit.pattern().as_usize())?, hit.range())))
    }
}

/// For each byte of the squeezed text, the character of the text it is a part of.
fn places_of_letters(text: &str) -> Vec<Range<usize>> {
    let letters = text.char_indices().filter(|(_, c)| c.is_alphanumeric());
    letters.flat_map(|(at, c)| std::iter::repeat_n(at..at + c.len_utf8(), c.len_utf8())).collect()
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

    fn search(mut self, any_case: bool) -> Result<Search, BuildError> {
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(any_case)
            // A table of all transitions would be somewhat faster and take some MiB.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&self.forms)?;
        Ok(Search { automaton, owners: std::mem::take(&mut self.owners) })
    }
}

impl Drop for Forms {
    fn drop(&mut self) {
        self.forms.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
    };

    use super::*;

    const SECRET: &str = "hunter2/&é\"long enough";

    fn search() -> SecretSearch {
        let value = Zeroizing::new(SECRET.to_owned());
        SecretSearch::new(&[ExactSecret { name: "canary".to_owned(), value }]).unwrap().unwrap()
    }

    fn forms() -> Vec<String> {
        let codes = |joint: &str, code: fn(u8) -> String| {
            SECRET.bytes().map(code).collect::<Vec<_>>().join(joint)
        };
        let hex = codes("", |byte| format!("{byte:02X}"));
        let mut texts = vec![
            SECRET.to_owned(),
            SECRET.to_uppercase(),
            SECRET.chars().rev().collect(),
            hex.clone(),
            hex.to_lowercase(),
            codes(", ", |byte| format!("0x{byte:02x}")),
            codes(" ", |byte| byte.to_string()),
            codes("", |byte| format!("&#{byte};")),
            codes("", |byte| format!("\\x{byte:02x}")),
            codes("", |byte| format!("%{byte:02x}")),
            codes(" ", |byte| format!("{byte:08b}")),
            serde_json::Value::from(SECRET).to_string(),
            "uhagre2/&é\"ybat rabhtu".to_owned(),
            "hunter2/&amp;é&quot;long enough".to_owned(),
        ];
        for around in ["", "a", "ab", "abc", "abcd"] {
            let wrapped = format!("{around}{SECRET}{around}");
            for once in [STANDARD_NO_PAD.encode(&wrapped), URL_SAFE_NO_PAD.encode(&wrapped)] {
                texts.push(STANDARD_NO_PAD.encode(format!("{around}{once}")));
                texts.push(once.chars().rev().collect());
                texts.push(once);
            }
            texts.push(STANDARD_NO_PAD.encode(hex.clone() + around));
        }
        texts
    }

    #[test]
    fn screen_4_every_form_of_a_secret_is_found() {
        let search = search();
        for text in forms() {
            assert!(!search.find(&format!("<{text}>"), 9).is_empty(), "{text}");
        }
    }

    #[test]
    fn screen_4_a_form_that_was_taken_apart_is_found() {
        let search = search();
        for text in forms() {
            for joint in [" ", "\n", "-", ".", " | ", "*"] {
                let letters: Vec<String> = text.chars().map(String::from).collect();
                let apart = letters.join(joint);
                let found = search.find(&apart, 9);
                assert!(!found.is_empty(), "{apart}");
            }
            let lines: Vec<char> = text.chars().collect();
            let lines: Vec<String> = lines.chunks(7).map(|line| line.iter().collect()).collect();
            assert!(!search.find(&lines.join("\n"), 9).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_secret_found_whole_is_not_found_again_in_parts() {
        let found = search().find(&format!("x {SECRET} y"), 9).len();
        assert_eq!(found, 1);
        assert_eq!(search().find("hunting 2 long enough walks", 9), Vec::new());
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
