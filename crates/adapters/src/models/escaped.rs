//! Instructions as JSON. Every question to an agent begins with the same few thousand characters, which
//! are escaped once and not for each.
//!
//! Owns      the instructions that were written last, and their JSON.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::value::{RawValue, to_raw_value};

/// Agents whose instructions are kept.
const KEPT_MAX: usize = 32;

/// Texts, and the same as JSON.
#[derive(Debug, Default)]
pub(super) struct Escaped(Mutex<Vec<(Box<str>, Arc<RawValue>)>>);

impl Escaped {
    /// A text as JSON.
    ///
    /// # Errors
    /// None that is known: every text can be JSON.
    pub(super) fn json(&self, text: &str) -> serde_json::Result<Arc<RawValue>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, json)) = kept.iter().find(|(it, _)| **it == *text) {
            return Ok(Arc::clone(json));
        }
        let json: Arc<RawValue> = to_raw_value(text)?.into();
        if KEPT_MAX <= kept.len() {
            kept.remove(0);
        }
        kept.push((text.into(), Arc::clone(&json)));
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_escaped_once_and_the_oldest_makes_room() {
        let escaped = Escaped::default();
        let first = escaped.json("a \"b\"\n").unwrap();
        assert_eq!(first.get(), r#""a \"b\"\n""#);
        assert!(Arc::ptr_eq(&first, &escaped.json("a \"b\"\n").unwrap()));
        for number in 0..KEPT_MAX {
            escaped.json(&number.to_string()).unwrap();
        }
        assert!(!Arc::ptr_eq(&first, &escaped.json("a \"b\"\n").unwrap()));
        assert_eq!(escaped.0.lock().unwrap().len(), KEPT_MAX);
    }
}
