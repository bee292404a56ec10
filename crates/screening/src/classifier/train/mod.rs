//! Training of the attack model: reads texts, makes our own, fits the weights, measures them.
//!
//! Everything is deterministic: one thread, a fixed seed, a fixed order. The same texts give the
//! same file, byte for byte.

mod data;
mod fit;
mod folds;
mod grammar;
mod lexicon_source;
pub mod measure;
mod odd;
mod random;

pub use data::{DataError, Example, read_guard_data};
pub use folds::Prepared;

use super::{AttackModel, sigmoid};
pub use grammar::{GrammarError, own_examples};
use measure::Scored;

/// What training can be told.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Rounds over all texts.
    pub rounds: u32,
    /// The step size of AdaGrad.
    pub step: f32,
    /// The pull of every weight towards zero, at each step that uses it.
    pub decay: f32,
    /// The share of grams that are left out of a text, anew each round.
    pub dropout: f32,
    /// Texts a gram must occur in to get a weight.
    pub texts_min: u32,
    /// How much the grams count in the raw score; the concepts count the rest.
    pub gram_share: f32,
    /// What a stretch of a long text must be worse by than the line, in a text of few stretches.
    pub stretch_penalty: f32,
    /// By how much more, for each time that the text has e times as many stretches: the worst of many
    /// is bad by chance.
    pub stretch_growth: f32,
    /// What the stretches of a text come to on average that is not about commands or passwords.
    pub calm: f32,
    /// What a worse average may excuse at most.
    pub context_max: f32,
    /// Sources without a licence are used too: for comparison only, never for what ships.
    pub unlicensed: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rounds: 6,
            step: 0.5,
            decay: 2e-5,
            dropout: 0.5,
            texts_min: 3,
            gram_share: 0.5,
            stretch_penalty: 1.1,
            stretch_growth: 0.2,
            calm: -3.0,
            context_max: 2.0,
            unlicensed: false,
        }
    }
}

/// The shares of held-out harmless texts, each source counting alike, that the levels let themselves
/// be mistaken in.
pub const FALSE_ALARMS: [f32; 3] = [0.003, 0.011, 0.05];

/// Draws the lines of the three levels by held-out scores, and makes 0.5 the line of level medium.
#[must_use]
pub fn calibrated(mut model: AttackModel, held_out: &[Scored]) -> AttackModel {
    let [low, medium, high] = measure::lines(held_out);
    let slope = measure::slope_for(held_out, medium);
    let weights = &mut model.weights;
    weights.offset = slope * (weights.offset - medium);
    weights.gram_share *= slope;
    weights.idea_share *= slope;
    weights.stretch_penalty *= slope;
    weights.stretch_growth *= slope;
    weights.calm = slope * (weights.calm - medium);
    weights.context_max *= slope;
    weights.score_min_low = sigmoid(slope * (low - medium));
    weights.score_min_high = sigmoid(slope * (high - medium));
    model
}

/// The file of a model.
#[must_use]
pub fn to_bytes(model: &AttackModel) -> Vec<u8> {
    model.weights.write()
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, collections::HashSet};

    use super::*;

    fn trained() -> Prepared {
        // Our own texts are enough to try the program on.
        let settings = Settings { rounds: 1, ..Settings::default() };
        Prepared::new(Vec::new(), settings).unwrap()
    }

    #[test]
    fn the_same_texts_give_the_same_file_and_the_file_the_same_scores() {
        let prepared = trained();
        let model = prepared.shipped();
        let bytes = to_bytes(&model);
        assert_eq!(bytes, to_bytes(&trained().shipped()));
        let read = AttackModel::read(Cow::Owned(bytes)).unwrap();
        for example in prepared.examples().iter().step_by(200) {
            assert_eq!(read.score(&example.text), model.score(&example.text));
        }
    }

    #[test]
    fn the_grammars_make_thousands_of_both_with_no_sign_left_over() {
        let examples = own_examples().unwrap();
        let attacks = examples.iter().filter(|example| example.attack).count();
        let harmless = examples.len() - attacks;
        assert!(5_000 <= attacks && 5_000 <= harmless, "{attacks} attacks, {harmless} harmless");
        for example in &examples {
            assert!(!example.text.is_empty());
            assert!(!example.text.contains(['\u{1}', '\u{2}', '\u{3}']), "{}", example.text);
        }
    }

    #[test]
    fn no_sentence_of_the_corpus_is_trained_on() {
        let examples = own_examples().unwrap();
        let trained: HashSet<&str> = examples.iter().map(|example| example.text.as_str()).collect();
        let attacks = include_str!("../../../tests/corpus/attacks.jsonl");
        let harmless = include_str!("../../../tests/corpus/harmless.jsonl");
        let mut seen = Vec::new();
        for line in attacks.lines().chain(harmless.lines()) {
            let sentence: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = sentence["text"].as_str().unwrap().to_owned();
            if trained.contains(text.as_str()) {
                seen.push(text);
            }
        }
        assert!(seen.is_empty(), "{seen:#?}");
    }

    #[test]
    fn a_level_of_fewer_false_alarms_has_a_higher_line() {
        let scored: Vec<Scored> = (0..1_000_u16)
            .map(|at| Scored {
                source: "one".to_owned(),
                attack: at % 10 == 0,
                raw: f32::from(at),
                example: usize::from(at),
                passage: String::new(),
            })
            .collect();
        let lines = measure::lines(&scored);
        assert!(lines.is_sorted_by(|a, b| a > b), "{lines:?}");
        assert!((measure::auc(&scored) - 0.5).abs() < 0.01);
    }
}
