//! Turns held-out scores into figures.

use std::collections::BTreeMap;

use super::{FALSE_ALARMS, Prepared};
use crate::{
    GreyZone,
    classifier::{sigmoid, words::Words},
};

/// One text's score by a model that was not trained on its source.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The source.
    pub source: String,
    /// Whether it is an attack.
    pub attack: bool,
    /// The raw score: above the line is an attack.
    pub raw: f32,
    /// Which example of [`Prepared::examples`].
    pub example: usize,
    /// What of it a second opinion is given on.
    pub passage: String,
}

/// Scores every held-out text, fold by fold.
#[must_use]
pub fn held_out(prepared: &Prepared) -> Vec<Scored> {
    let mut scored = Vec::new();
    for (model, out) in prepared.folds() {
        for at in out {
            let Some(example) = prepared.examples().get(at) else { continue };
            let (source, attack) = (example.source.clone(), example.attack);
            let raw = model.raw(&Words::cut(&example.text)).0;
            let passage = model.passage(&example.text);
            scored.push(Scored { source, attack, raw, example: at, passage });
        }
    }
    scored
}

/// The lines of the levels low, medium and high.
#[must_use]
pub fn lines(scored: &[Scored]) -> [f32; 3] {
    FALSE_ALARMS.map(|share| line_for(scored, share))
}

/// The same texts with a second opinion weighed in, at the lines that the classifier alone has, as
/// when it ships; and the number of texts that it was asked about.
#[must_use]
pub fn seconded(scored: &[Scored], zone: &GreyZone) -> (Vec<Scored>, usize) {
    let [_, medium, _] = lines(scored);
    let slope = slope_for(scored, medium);
    let mut asked = 0;
    let weighed = |one: &Scored| {
        let score = sigmoid(slope * (one.raw - medium));
        if !zone.scores.contains(&score) {
            return one.clone();
        }
        asked += 1;
        let both = zone.weigh(score, || one.passage.clone());
        let raw = medium + (both / (1.0 - both)).ln() / slope;
        Scored { raw, ..one.clone() }
    };
    (scored.iter().map(weighed).collect(), asked)
}

/// The raw score that `share` of the harmless texts exceed, each source counting alike.
#[must_use]
pub fn line_for(scored: &[Scored], share: f32) -> f32 {
    let counts = counts(scored);
    let mut harmless: Vec<(f32, f32)> = scored
        .iter()
        .filter(|one| !one.attack)
        .map(|one| {
            (one.raw, 1.0 / counts.get(&(one.source.as_str(), false)).copied().unwrap_or(1.0))
        })
        .collect();
    harmless.sort_by(|a, b| b.0.total_cmp(&a.0));
    let total: f32 = harmless.iter().map(|(_, weight)| weight).sum();
    let mut above = 0.0;
    for (raw, weight) in &harmless {
        above += weight;
        if share * total < above {
            return *raw;
        }
    }
    f32::INFINITY
}

fn counts(scored: &[Scored]) -> BTreeMap<(&str, bool), f32> {
    let mut counts = BTreeMap::new();
    for one in scored {
        *counts.entry((one.source.as_str(), one.attack)).or_default() += 1.0;
    }
    counts
}

/// The accuracy of each source, attacks and harmless texts apart, with the line at `line`.
#[must_use]
pub fn accuracies(scored: &[Scored], line: f32) -> BTreeMap<(String, bool), (usize, f32)> {
    let mut right: BTreeMap<(String, bool), (usize, f32)> = BTreeMap::new();
    for one in scored {
        let entry = right.entry((one.source.clone(), one.attack)).or_default();
        entry.0 += 1;
        entry.1 += f32::from(u8::from((line < one.raw) == one.attack));
    }
    for (count, right) in right.values_mut() {
        *right /= *count as f32;
    }
    right
}

/// The chance that an attack scores higher than a harmless text.
#[must_use]
pub fn auc(scored: &[Scored]) -> f64 {
    let mut sorted: Vec<(f32, bool)> = scored.iter().map(|one| (one.raw, one.attack)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut harmless, mut attacks, mut sum) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (_, attack) in &sorted {
        if *attack {
            attacks += 1.0;
            sum += harmless;
        } else {
            harmless += 1.0;
        }
    }
    sum / (harmless * attacks).max(1.0)
}

/// The share of attacks above the line that `share` of the harmless texts exceed, all texts alike.
#[must_use]
pub fn recall_at(scored: &[Scored], share: f64) -> f64 {
    let mut harmless: Vec<f32> = scored.iter().filter(|s| !s.attack).map(|s| s.raw).collect();
    harmless.sort_by(|a, b| b.total_cmp(a));
    // Rounded down on purpose: at most that many false alarms.
    let line = harmless.get((harmless.len() as f64 * share) as usize);
    let line = line.copied().unwrap_or(f32::INFINITY);
    let attacks: Vec<f32> = scored.iter().filter(|s| s.attack).map(|s| s.raw).collect();
    attacks.iter().filter(|raw| line < **raw).count() as f64 / attacks.len().max(1) as f64
}

/// The slope that makes `1 / (1 + exp(-slope * (raw - line)))` most like the truth: least log loss
/// with attacks and harmless texts weighing alike.
#[must_use]
pub fn slope_for(scored: &[Scored], line: f32) -> f32 {
    let attacks = scored.iter().filter(|s| s.attack).count().max(1) as f32;
    let harmless = (scored.len() as f32 - attacks).max(1.0);
    let loss = |slope: f32| -> f32 {
        let one = |s: &Scored| {
            let raw = slope * (s.raw - line);
            let (raw, weight) =
                if s.attack { (raw, 1.0 / attacks) } else { (-raw, 1.0 / harmless) };
            weight * (1.0 + (-raw).exp()).ln()
        };
        scored.iter().map(one).sum()
    };
    let slopes = (1..=80).map(|step| step as f32 * 0.05);
    slopes.min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(1.0)
}
