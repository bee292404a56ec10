//! The lexicon as people write it: `[concept]` headings, entries parted by white space.

use std::collections::BTreeMap;

use super::grammar::GrammarError;
use crate::classifier::lexicon::entry_key;

const SOURCE: &str = include_str!("../../../training/lexicon.txt");
/// A concept is one bit of 64.
const CONCEPTS_MAX: usize = 64;

/// The entries by key, each with the bits of its concepts.
pub(super) fn entries() -> Result<Vec<(u64, u64)>, GrammarError> {
    let mut entries: BTreeMap<u64, u64> = BTreeMap::new();
    let mut names: Vec<&str> = Vec::new();
    for (at, line) in SOURCE.lines().enumerate() {
        if line == "#" || line.starts_with("# ") {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            if names.contains(&name) || CONCEPTS_MAX <= names.len() {
                return Err(GrammarError { file: "lexicon.txt", line: at + 1 });
            }
            names.push(name);
            continue;
        }
        for entry in line.split_whitespace() {
            let (Some(key), Some(concept)) = (entry_key(entry), names.len().checked_sub(1)) else {
                return Err(GrammarError { file: "lexicon.txt", line: at + 1 });
            };
            *entries.entry(key).or_default() |= 1 << concept;
        }
    }
    Ok(entries.into_iter().collect())
}
