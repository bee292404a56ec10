//! Fits the weights: two logistic regressions by AdaGrad, then a third over their answers.
//!
//! Duchi, Hazan, Singer 2011, "Adaptive subgradient methods". The halves are fitted apart so that
//! neither leans on the other: the words of one language would drown the concepts.

use std::ops::Range;

use super::{Settings, random::Random};
use crate::classifier::{
    AttackKind, AttackModel,
    artefact::{KIND_BITS, Weights, gram_norm, idea_norm, kind_slot},
    features::{self, GRAM_BITS, IDEA_BITS},
    lexicon::{Hit, Lexicon},
    stretches::{STRETCH_WORDS, stretches},
    words::Words,
};

/// Words of a text that training reads.
const WORDS_MAX: usize = 1_200;
const SEED: u64 = 0x6775_6172_6421;

/// A text, taken apart once for all fits.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) grams: Vec<u32>,
    pub(super) ideas: Vec<u32>,
    pub(super) attack: bool,
    pub(super) kind: AttackKind,
    pub(super) weight: f32,
    /// The example it comes from. A long harmless text gives one sample more for each stretch.
    pub(super) example: usize,
}

/// Takes one text apart: the whole, and its stretches if it is harmless.
pub(super) fn samples(
    text: &str,
    attack: bool,
    kind: AttackKind,
    example: usize,
    lexicon: &Lexicon,
) -> Vec<Sample> {
    let words = Words::cut(text);
    let hits = lexicon.find(&words);
    let count = words.list.len().min(WORDS_MAX);
    let sample = |range: Range<usize>, weight: f32| {
        let (grams, ideas) = taken_apart(&words, &hits, range);
        Sample { grams, ideas, attack, kind, weight, example }
    };
    let mut samples = vec![sample(0..count, 1.0)];
    if !attack {
        let mut parts = stretches(&words);
        parts.retain(|range| range.end <= count);
        let weight = 1.0 / (parts.len().max(1) as f32).powf(0.25);
        samples.extend(parts.into_iter().map(|range| sample(range, weight)));
    }
    samples
}

/// Takes an attack apart that stands between two pieces of a harmless text: the stretches that hold
/// most of it.
pub(super) fn hidden_samples(
    [before, attack, after]: [&str; 3],
    kind: AttackKind,
    example: usize,
    lexicon: &Lexicon,
) -> Vec<Sample> {
    let words = Words::cut(&format!("{before}\n\n{attack}\n\n{after}"));
    let hits = lexicon.find(&words);
    let start = Words::cut(&format!("{before}\n\n")).list.len();
    let end = start + Words::cut(attack).list.len();
    let mut parts = stretches(&words);
    parts.retain(|range| {
        let shared = range.end.min(end).saturating_sub(range.start.max(start));
        3 * (end - start).min(STRETCH_WORDS) <= 4 * shared
    });
    let weight = 1.0 / parts.len().max(1) as f32;
    let sample = |range: Range<usize>| {
        let (grams, ideas) = taken_apart(&words, &hits, range);
        Sample { grams, ideas, attack: true, kind, weight, example }
    };
    parts.into_iter().map(sample).collect()
}

/// The grams and the concept features of a stretch.
fn taken_apart(words: &Words, hits: &[Hit], range: Range<usize>) -> (Vec<u32>, Vec<u32>) {
    let (mut grams, mut ideas) = (Vec::new(), Vec::new());
    for at in range.clone() {
        features::grams(words, at, |slot| grams.push(slot));
    }
    features::ideas(words, hits, range, &mut ideas);
    (grams, ideas)
}

/// Weights of one half.
struct Half {
    table: Vec<f32>,
    bias: f32,
}

/// One logistic regression.
struct Problem<'s> {
    rows: Vec<&'s [u32]>,
    goals: Vec<(bool, f32)>,
    bits: u32,
    norm: fn(usize) -> f32,
    texts_min: u32,
}

impl Problem<'_> {
    fn solve(&self, settings: Settings, seed: u64) -> Half {
        let size = 1_usize << self.bits;
        let mut table = vec![0.0_f32; size];
        let mut spread = vec![1e-2_f32; size];
        let known = self.known(size);
        let (mut bias, mut bias_spread) = (0.0_f32, 1e-2_f32);
        let mut random = Random::new(seed);
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let mut kept = Vec::new();
        for _ in 0..settings.rounds {
            random.shuffle(&mut order);
            for at in &order {
                let (Some(row), Some((attack, weight))) = (self.rows.get(*at), self.goals.get(*at))
                else {
                    continue;
                };
                let salt = random.next();
                kept.clear();
                let keeps = |slot: &u32| {
                    known.get(*slot as usize).copied().unwrap_or(false)
                        && settings.dropout <= Random::new(salt ^ u64::from(*slot)).share()
                };
                kept.extend(row.iter().copied().filter(keeps));
                let norm = (self.norm)(row.len());
                let sum: f32 = kept.iter().filter_map(|slot| table.get(*slot as usize)).sum();
                let raw = bias + sum * norm / (1.0 - settings.dropout);
                let goal = if *attack { 1.0 } else { 0.0 };
                let slope = weight * (1.0 / (1.0 + (-raw).exp()) - goal);
                bias_spread += slope * slope;
                bias -= settings.step * slope / bias_spread.sqrt();
                let slope = slope * norm;
                for slot in &kept {
                    if let (Some(w), Some(s)) =
                        (table.get_mut(*slot as usize), spread.get_mut(*slot as usize))
                    {
                        let slope = slope + settings.decay * *w;
                        *s += slope * slope;
                        *w -= settings.step * slope / s.sqrt();
                    }
                }
            }
        }
        Half { table, bias }
    }

    /// Which slots occur in enough texts.
    fn known(&self, size: usize) -> Vec<bool> {
        let mut texts = vec![(0_u32, usize::MAX); size];
        for (at, row) in self.rows.iter().enumerate() {
            for slot in *row {
                if let Some((count, last)) = texts.get_mut(*slot as usize)
                    && *last != at
                {
                    *count += 1;
                    *last = at;
                }
            }
        }
        texts.into_iter().map(|(count, _)| self.texts_min <= count).collect()
    }
}

/// Fits a model to the samples. Its shares and offset are `balance`d later.
pub(super) fn fit(samples: &[&Sample], entries: &[(u64, u64)], settings: Settings) -> AttackModel {
    let goals: Vec<(bool, f32)> = samples.iter().map(|s| (s.attack, s.weight)).collect();
    let grams = Problem {
        rows: samples.iter().map(|s| s.grams.as_slice()).collect(),
        goals: goals.clone(),
        bits: GRAM_BITS,
        norm: gram_norm,
        texts_min: settings.texts_min,
    };
    let grams = grams.solve(settings, SEED);
    let ideas = Problem {
        rows: samples.iter().map(|s| s.ideas.as_slice()).collect(),
        goals,
        bits: IDEA_BITS,
        norm: idea_norm,
        texts_min: settings.texts_min,
    };
    let ideas = ideas.solve(settings, SEED + 1);
    let (kinds, kind_bias) = fit_kinds(samples, settings);
    let mut weights = Weights::empty(entries.to_vec());
    weights.gram_share = settings.gram_share;
    weights.idea_share = 1.0 - settings.gram_share;
    weights.stretch_penalty = settings.stretch_penalty;
    weights.stretch_growth = settings.stretch_growth;
    weights.calm = settings.calm;
    weights.context_max = settings.context_max;
    weights.gram_bias = grams.bias;
    weights.idea_bias = ideas.bias;
    weights.kind_bias = kind_bias;
    let weights = weights.with_tables(&grams.table, &ideas.table, &kinds);
    AttackModel { lexicon: Lexicon::new(entries), weights }
}

/// One regression a kind, each against the other kinds, over the concepts of attacks alone.
fn fit_kinds(samples: &[&Sample], settings: Settings) -> (Vec<f32>, [f32; AttackKind::ALL.len()]) {
    let attacks: Vec<&&Sample> = samples.iter().filter(|sample| sample.attack).collect();
    let rows: Vec<Vec<u32>> = attacks
        .iter()
        .map(|sample| sample.ideas.iter().map(|slot| kind_slot(*slot) as u32).collect())
        .collect();
    let mut table = Vec::new();
    let biases = AttackKind::ALL.map(|kind| {
        let problem = Problem {
            rows: rows.iter().map(Vec::as_slice).collect(),
            goals: attacks.iter().map(|sample| (sample.kind == kind, sample.weight)).collect(),
            bits: KIND_BITS,
            norm: idea_norm,
            texts_min: 1,
        };
        let half = problem.solve(settings, SEED + 2);
        table.extend(half.table);
        half.bias
    });
    (table, biases)
}
