//! Placeholders such as `[EMAIL_1]`, which stand for what was redacted in the texts of one turn.
//!
//! Invariants: PERSONAL-2 a placeholder that a text brings along is never taken for one of ours.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::sanitise::sanitise;

/// Values that one turn remembers. What is more is redacted without a number, for good.
const VALUES_MAX: usize = 1_000;
/// Placeholders of strangers that one turn remembers. With more, no new ones are issued.
const FOREIGN_MAX: usize = 10_000;
/// The longest label of a placeholder, in bytes.
const LABEL_BYTES_MAX: usize = 64;

/// The values that were redacted in one turn, each with its placeholder. Wiped when dropped.
///
/// Serialised, it holds the values in the clear: seal it before it is kept anywhere.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Placeholders {
    issued: Vec<Issued>,
    /// Placeholders that were written by others before we issued them: `EMAIL_1`.
    foreign: BTreeSet<String>,
}

#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Issued {
    label: String,
    number: u32,
    /// As first written.
    value: String,
    /// What makes two spellings the same value.
    key: String,
}

impl fmt::Debug for Placeholders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placeholders").field("issued", &self.issued.len()).finish_non_exhaustive()
    }
}

impl Placeholders {
    /// None yet: the state at the beginning of a turn.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many values are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.issued.len()
    }

    /// Whether no value is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.issued.is_empty()
    }

    /// Puts the values back in the places of their placeholders.
    ///
    /// Only placeholders issued in this turn are replaced. Those inside of a web address stay as
    /// they are: a model talked into writing one must not carry a value to a stranger's server.
    /// For text that goes to the person, after it was judged.
    #[must_use]
    pub fn restore(&self, text: &str) -> String {
        let mut urls = Urls::default();
        self.replace(text, |issued, at| (!urls.covers(text, at)).then(|| issued.value.clone()))
    }

    /// Takes the numbers out of our placeholders: `[EMAIL]`. For what is remembered past the turn,
    /// in which the same number would mean another value.
    #[must_use]
    pub fn without_numbers(&self, text: &str) -> String {
        self.replace(text, |issued, _| Some(format!("[{}]", issued.label)))
    }

    fn replace(
        &self,
        text: &str,
        mut with: impl FnMut(&Issued, usize) -> Option<String>,
    ) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut done = 0;
        for place in placeholders(text) {
            let name = text.get(place.start + 1..place.end - 1).unwrap_or_default();
            let issued = split(name).and_then(|(label, number)| self.issued(label, number));
            let Some(new) = issued.and_then(|issued| with(issued, place.start)) else { continue };
            replaced.push_str(text.get(done..place.start).unwrap_or_default());
            replaced.push_str(&new);
            done = place.end;
        }
        replaced.push_str(text.get(done..).unwrap_or_default());
        replaced
    }

    /// Takes note of the placeholders that `text` brings along, before anything in it is redacted.
    /// Says whether one of them is already ours, so that it has to be defused.
    pub(crate) fn note_foreign(&mut self, text: &str) -> bool {
        let mut is_ours = false;
        for place in placeholders(text) {
            let name = text.get(place.start + 1..place.end - 1).unwrap_or_default();
            let Some((label, number)) = split(name) else { continue };
            if self.issued(label, number).is_some() {
                is_ours = true;
            } else if self.foreign.len() <= FOREIGN_MAX {
                self.foreign.insert(name.to_owned());
            }
        }
        is_ours
    }

    /// PERSONAL-2: `text` with the placeholders that look like ours in parentheses instead, which
    /// is never restored. For a part of a text in which nothing of ours can stand.
    pub(crate) fn defuse(&self, text: &str, out: &mut String) {
        let mut done = 0;
        for place in placeholders(text) {
            let name = text.get(place.start + 1..place.end - 1).unwrap_or_default();
            if split(name).is_none_or(|(label, number)| self.issued(label, number).is_none()) {
                continue;
            }
            out.push_str(text.get(done..place.start).unwrap_or_default());
            out.push('(');
            out.push_str(name);
            out.push(')');
            done = place.end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
    }

    /// The placeholder for a value of this type; the same value gets the same one. `[EMAIL]` if
    /// there is no room for another.
    pub(crate) fn issue(&mut self, kind: &str, value: &str) -> String {
        let label = label(kind);
        let value = sanitise(value);
        let key = key(&label, &value);
        if let Some(known) = self.issued.iter().find(|it| it.label == label && it.key == key) {
            return format!("[{label}_{}]", known.number);
        }
        if VALUES_MAX <= self.issued.len() || FOREIGN_MAX < self.foreign.len() {
            return format!("[{label}]");
        }
        let same = self.issued.iter().filter(|it| it.label == label);
        let mut number = same.map(|it| it.number).max().unwrap_or(0) + 1;
        while self.foreign.contains(&format!("{label}_{number}")) {
            number += 1;
        }
        let placeholder = format!("[{label}_{number}]");
        self.issued.push(Issued { label, number, value: value.into_owned(), key });
        placeholder
    }

    fn issued(&self, label: &str, number: u32) -> Option<&Issued> {
        self.issued.iter().find(|it| it.number == number && it.label == label)
    }
}

/// What a type is called in a placeholder.
fn label(kind: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    kind.chars().take(LABEL_BYTES_MAX).map(upper).collect()
}

/// What two spellings of one value have in common: for numbers, what is not punctuation.
fn key(label: &str, value: &str) -> String {
    match label {
        "PHONE" | "CREDIT_CARD" | "SSN" | "IBAN" | "PASSPORT" | "NATIONAL_ID" => value
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == '+')
            .flat_map(char::to_uppercase)
            .collect(),
        "EMAIL" => value.to_lowercase(),
        _ => value.to_owned(),
    }
}

/// Where something like `[EMAIL_1]` stands in `text`.
fn placeholders(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    text.match_indices('[').filter_map(|(start, _)| {
        let inside = text.as_bytes().get(start + 1..)?;
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        // A label, a number and what joins them.
        let length = inside.iter().take(LABEL_BYTES_MAX + 12).take_while(is_part).count();
        (inside.get(length) == Some(&b']')).then_some(start..start + length + 2)
    })
}

/// The label and the number of a placeholder.
fn split(name: &str) -> Option<(&str, u32)> {
    let (label, number) = name.rsplit_once('_')?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    if is_plain && !label.is_empty() { Some((label, number.parse().ok()?)) } else { None }
}

/// Whether places of a text, asked for in order, lie in a web address.
#[derive(Default)]
struct Urls {
    /// Where the last answer was for, and what it was.
    at: usize,
    covered: bool,
}

impl Urls {
    fn covers(&mut self, text: &str, at: usize) -> bool {
        let passed = text.get(self.at..at).unwrap_or_default();
        let word = match passed.rfind(char::is_whitespace) {
            // A word began on the way.
            Some(space) => {
                self.covered = false;
                passed.get(space..).unwrap_or_default()
            }
            None => passed,
        };
        self.covered |= word.contains("://") || word.contains("](");
        self.at = at;
        self.covered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_the_same_placeholder_and_comes_back() {
        let mut turn = Placeholders::new();
        assert_eq!(turn.issue("email", "ada@example.org"), "[EMAIL_1]");
        assert_eq!(turn.issue("phone", "030 123 456"), "[PHONE_1]");
        assert_eq!(turn.issue("email", "bob@example.org"), "[EMAIL_2]");
        assert_eq!(turn.issue("email", "Ada@example.org"), "[EMAIL_1]");
        assert_eq!(turn.issue("phone", "030/123-456"), "[PHONE_1]");
        assert_eq!(turn.len(), 3);
        let answer =
            "[EMAIL_2] or [EMAIL_1], not [EMAIL_3] [EMAIL_01] [EMAIL] [email_1]; [PHONE_1]";
        assert_eq!(
            turn.restore(answer),
            "bob@example.org or ada@example.org, not [EMAIL_3] [EMAIL_01] [EMAIL] [email_1]; 030 123 456"
        );
    }

    #[test]
    fn personal_2_a_placeholder_of_a_stranger_is_skipped_or_defused() {
        let mut turn = Placeholders::new();
        assert!(!turn.note_foreign("what does [EMAIL_1] mean? And [EMAIL_2]?"));
        assert_eq!(turn.issue("email", "ada@example.org"), "[EMAIL_3]");
        assert_eq!(turn.restore("[EMAIL_1] [EMAIL_3]"), "[EMAIL_1] ada@example.org");
        assert!(turn.note_foreign("write [EMAIL_3] here"));
        let mut defused = String::new();
        turn.defuse("write [EMAIL_3] here, [EMAIL_1]", &mut defused);
        assert_eq!(defused, "write (EMAIL_3) here, [EMAIL_1]");
    }

    #[test]
    fn nothing_is_restored_inside_of_a_link() {
        let mut turn = Placeholders::new();
        let placeholder = turn.issue("email", "ada@example.org");
        for kept in [
            "https://evil.example/?q=[EMAIL_1]",
            "![x](https://evil.example/[EMAIL_1]/[EMAIL_1])",
            "[x](//evil.example/[EMAIL_1])",
        ] {
            assert_eq!(turn.restore(kept), kept);
        }
        let after = format!("https://good.example/ {placeholder}");
        assert_eq!(turn.restore(&after), "https://good.example/ ada@example.org");
    }

    #[test]
    fn the_state_outlives_a_restart_and_shows_no_values() {
        let mut turn = Placeholders::new();
        turn.note_foreign("[IBAN_1]");
        turn.issue("email", "ada@example.org");
        let kept = serde_json::to_string(&turn).unwrap();
        let mut again: Placeholders = serde_json::from_str(&kept).unwrap();
        assert_eq!(again.restore("[EMAIL_1]"), "ada@example.org");
        assert_eq!(again.issue("iban", "x"), "[IBAN_2]");
        assert!(!format!("{again:?}").contains("ada"));
    }

    #[test]
    fn past_the_limit_a_value_is_redacted_for_good() {
        let mut turn = Placeholders::new();
        for at in 0..VALUES_MAX {
            turn.issue("email", &at.to_string());
        }
        assert_eq!(turn.issue("email", "one more"), "[EMAIL]");
        assert_eq!(turn.issue("email", "7"), "[EMAIL_8]");
    }
}
