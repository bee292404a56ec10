//! The attack classifier on sources it was not trained on, on our own sentences, and its speed.
//!
//! The sources are measured by models that were trained without them, so this trains four models;
//! our own sentences and the speed are measured with the model that ships.

use std::{collections::BTreeMap, error::Error, time::Instant};

use crate::{Args, Outcome};

use screening::{
    Level,
    classifier::{
        AttackModel,
        train::{FALSE_ALARMS, Prepared, Settings, measure, read_guard_data},
    },
};

const HARMLESS: &str = include_str!("../../../tests/corpus/harmless.jsonl");
const ATTACKS: &str = include_str!("../../../tests/corpus/attacks.jsonl");
/// Sources of ordinary chat, code questions and role-play.
const ORDINARY: [&str; 3] = ["clinc150", "gpteacher_code", "gpteacher_roleplay"];

#[derive(serde::Deserialize)]
struct Sentence {
    text: String,
    kind: String,
    lang: String,
}

/// Prints the tables. `false` if a required figure is not met.
#[expect(clippy::print_stdout, reason = "this is what the program is for")]
pub(crate) fn run(args: &Args) -> Outcome {
    let mut met = own_sentences()?;
    met &= speed()?;
    match &args.data {
        Some(data) => {
            for unlicensed in [false, true] {
                met &= sources(data, unlicensed)?;
            }
        }
        None => println!("\nNo --data, so nothing is said of sources that were left out."),
    }
    Ok(met)
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn sources(data: &std::path::Path, unlicensed: bool) -> Result<bool, Box<dyn Error>> {
    let settings = Settings { unlicensed, ..Settings::default() };
    let prepared = Prepared::new(read_guard_data(data)?, settings)?;
    let scored = measure::held_out(&prepared);
    let with = if unlicensed { "with" } else { "without" };
    println!("\n### Sources left out, trained {with} the source that has no licence\n");
    println!(
        "| level | false alarms allowed | benign | ordinary | malicious |\n|---|---|---|---|---|"
    );
    let mut means = (0.0, 0.0, 0.0);
    for (level, share) in ["low", "medium", "high"].iter().zip(FALSE_ALARMS) {
        let found = measure::accuracies(&scored, measure::line_for(&scored, share));
        let mean = |chosen: &dyn Fn(&str, bool) -> bool| {
            let (mut sum, mut count) = (0.0, 0.0_f32);
            for ((source, attack), (_, accuracy)) in &found {
                if chosen(source, *attack) {
                    sum += accuracy;
                    count += 1.0;
                }
            }
            100.0 * sum / count.max(1.0)
        };
        let benign = mean(&|_, attack| !attack);
        let ordinary = mean(&|source, attack| !attack && ORDINARY.contains(&source));
        let malicious = mean(&|_, attack| attack);
        println!(
            "| {level} | {:.1} % | {benign:.1} | {ordinary:.1} | {malicious:.1} |",
            share * 100.0
        );
        if *level == "medium" {
            means = (benign, ordinary, malicious);
            print_sources(&found);
        }
    }
    let (auc, recall) = (measure::auc(&scored), 100.0 * measure::recall_at(&scored, 0.01));
    println!(
        "\nAUC {auc:.3}, recall at 1 % false alarms {recall:.1} % (all held-out texts pooled)."
    );
    let (benign, ordinary, malicious) = means;
    Ok(95.0 <= benign && 99.0 <= ordinary && 55.0 <= malicious && 0.90 <= auc && 38.0 <= recall)
}

#[expect(clippy::print_stderr, reason = "details, beside the tables")]
fn print_sources(found: &BTreeMap<(String, bool), (usize, f32)>) {
    for ((source, attack), (count, accuracy)) in found {
        let kind = if *attack { "attacks" } else { "harmless" };
        eprintln!("{source:22} {kind:9} {count:6} {:.1}", 100.0 * accuracy);
    }
}

fn read(text: &str) -> Result<Vec<Sentence>, serde_json::Error> {
    text.lines().map(serde_json::from_str).collect()
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn own_sentences() -> Result<bool, Box<dyn Error>> {
    let model = AttackModel::builtin()?;
    let (harmless, attacks) = (read(HARMLESS)?, read(ATTACKS)?);
    println!("### Our own sentences, with the model that ships\n");
    println!(
        "| level | over-defence | harmless | English attacks | other attacks |\n|---|---|---|---|---|"
    );
    let mut met = true;
    for level in [Level::Low, Level::Medium, Level::High] {
        let line = model.score_min(level);
        let share = |of: &[Sentence], attack: bool, chosen: &dyn Fn(&Sentence) -> bool| {
            let (mut right, mut count) = (0.0, 0.0_f32);
            for sentence in of.iter().filter(|sentence| chosen(sentence)) {
                count += 1.0;
                let called = line <= model.score(&sentence.text);
                right += f32::from(u8::from(called == attack));
            }
            100.0 * right / count.max(1.0)
        };
        let over_defence = share(&harmless, false, &|sentence| sentence.kind == "trigger");
        let all = share(&harmless, false, &|_| true);
        let english = share(&attacks, true, &|sentence| sentence.lang == "en");
        let other = share(&attacks, true, &|sentence| sentence.lang != "en");
        if level == Level::Medium {
            print_kinds(&model, &harmless, false);
            print_kinds(&model, &attacks, true);
        }
        println!("| {level:?} | {over_defence:.1} | {all:.1} | {english:.1} | {other:.1} |");
        met &= level != Level::Medium || (90.0 <= over_defence && 95.0 <= all && 55.0 <= english);
    }
    Ok(met)
}

#[expect(clippy::print_stderr, reason = "details, beside the tables")]
fn print_kinds(model: &AttackModel, sentences: &[Sentence], attack: bool) {
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for sentence in sentences {
        let called = 0.5 <= model.score(&sentence.text);
        let (count, right) = kinds.entry(&sentence.kind).or_default();
        *count += 1;
        *right += usize::from(called == attack);
    }
    for (kind, (count, right)) in kinds {
        eprintln!("{kind:26} {right:4} of {count}");
    }
}

/// Times every sentence of ours, and a long document, one call at a time.
#[expect(clippy::print_stdout, reason = "this is what the program is for")]
#[expect(clippy::disallowed_methods, reason = "nothing but the clock can time")]
fn speed() -> Result<bool, Box<dyn Error>> {
    let model = AttackModel::builtin()?;
    let mut sentences = read(HARMLESS)?;
    sentences.extend(read(ATTACKS)?);
    let mut micros = Vec::new();
    let mut sum = 0.0;
    for _ in 0..20 {
        for sentence in &sentences {
            let start = Instant::now();
            sum += model.judge(&sentence.text).score;
            micros.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    micros.sort_by(f64::total_cmp);
    let at =
        |share: f64| micros.get((micros.len() as f64 * share) as usize).copied().unwrap_or(0.0);
    let (p50, p99) = (at(0.50), at(0.99));
    let document: String = sentences.iter().map(|sentence| sentence.text.as_str()).collect();
    let start = Instant::now();
    sum += model.score(&document);
    let megabytes = document.len() as f64 / start.elapsed().as_secs_f64() / 1e6;
    println!(
        "\np50 {p50:.1} µs, p99 {p99:.1} µs a message; {megabytes:.1} MB/s in a document (checksum {sum:.3})."
    );
    Ok(p50 <= 25.0 && p99 <= 1_000.0)
}
