//! Harmless texts without sentences: lists, tables, numbers, logs, repeated and made-up words.
//!
//! Without them, the pieces of a word that no training text holds add up with every repetition, and
//! a pasted list of names passes for an attack.

use super::{data::Example, random::Random};
use crate::classifier::AttackKind;

const COUNT: usize = 2_400;
const STARTS: [&str; 20] = [
    "b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "st", "kr",
    "sch", "ch",
];
const MIDDLES: [&str; 10] = ["a", "e", "i", "o", "u", "ai", "ei", "ou", "ia", "y"];
const ENDS: [&str; 12] = ["", "", "", "n", "r", "s", "l", "t", "nd", "rt", "ng", "x"];

/// The texts, of words of `harmless` and of words that nobody knows.
pub(super) fn odd_texts(harmless: &[Example], random: &mut Random) -> Vec<Example> {
    let known: Vec<&str> = harmless.iter().flat_map(|it| it.text.split_whitespace()).collect();
    let mut texts = Vec::with_capacity(COUNT);
    for at in 0..COUNT {
        let text = match at % 8 {
            0 => salad(random, |random| known_word(&known, random)),
            1 => salad(random, made_up),
            2 => salad(random, |random| random.below(100_000).to_string()),
            3 => repeated(random, |random| known_word(&known, random)),
            4 => repeated(random, made_up),
            5 => rows(random, address),
            6 => rows(random, record),
            _ => rows(random, log_line),
        };
        let source = "own_harmless_odd".to_owned();
        texts.push(Example { text, attack: false, source, kind: AttackKind::PromptInjection });
    }
    texts
}

fn known_word(known: &[&str], random: &mut Random) -> String {
    random.pick(known).copied().unwrap_or_default().to_owned()
}

fn made_up(random: &mut Random) -> String {
    let syllable = |random: &mut Random| {
        let parts: [&[&str]; 3] = [&STARTS, &MIDDLES, &ENDS];
        parts.map(|part| random.pick(part).copied().unwrap_or_default()).concat()
    };
    (0..=random.below(3)).map(|_| syllable(random)).collect()
}

/// How long a text is: short ones are more common.
fn length(random: &mut Random, most: usize) -> usize {
    2 + random.below(most).min(random.below(most))
}

fn salad(random: &mut Random, word: impl Fn(&mut Random) -> String) -> String {
    let between = random.pick(&[" ", ", ", "\n", "; ", " - "]).copied().unwrap_or(" ");
    let words: Vec<String> = (0..length(random, 160)).map(|_| word(random)).collect();
    words.join(between)
}

fn repeated(random: &mut Random, word: impl Fn(&mut Random) -> String) -> String {
    let words: Vec<String> = (0..=random.below(6)).map(|_| word(random)).collect();
    let between = random.pick(&[" ", "\n", ", ", "! "]).copied().unwrap_or(" ");
    vec![words.join(" "); length(random, 300)].join(between)
}

fn rows(random: &mut Random, row: impl Fn(&mut Random, usize) -> String) -> String {
    let rows: Vec<String> = (0..length(random, 90)).map(|at| row(random, at)).collect();
    rows.join("\n")
}

fn address(random: &mut Random, at: usize) -> String {
    let (name, host) = (made_up(random), made_up(random));
    let end = random.pick(&["example.com", "example.org", "com", "de", "fr", "it"]).copied();
    format!("{name}{at}@{host}.{}", end.unwrap_or_default())
}

fn record(random: &mut Random, at: usize) -> String {
    let between = random.pick(&[",", ";", "\t", " | "]).copied().unwrap_or(",");
    [at.to_string(), made_up(random), made_up(random), random.below(5_000).to_string()]
        .join(between)
}

fn log_line(random: &mut Random, at: usize) -> String {
    let level = random.pick(&["INFO", "WARN", "DEBUG", "ERROR"]).copied().unwrap_or_default();
    format!(
        "2026-{:02}-{:02}T{:02}:{:02}:00Z {level} {} {at} {} ms",
        1 + random.below(12),
        1 + random.below(28),
        random.below(24),
        random.below(60),
        made_up(random),
        random.below(900)
    )
}
