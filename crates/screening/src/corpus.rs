//! Sentences of our own that the classifier was never trained on: attacks of several kinds and harmless ones that look
//! like them, in thirty languages. JSON Lines with `text`, `kind` and `lang`.
//!
//! The figures are measured with them, and `guildhall redteam` sends them to a hall.

/// Attacks.
pub const ATTACKS: &str = include_str!("../tests/corpus/attacks.jsonl");
/// Harmless sentences, many with words that attacks have, too.
pub const HARMLESS: &str = include_str!("../tests/corpus/harmless.jsonl");
