//! Makes texts of our own from the grammars in `training/`.
//!
//! A grammar is lines: `@name` begins a list of alternatives; `! kind count` and `+ kind count` begin
//! a list of attacks and of harmless texts, of which `count` are made (0: each line once). In a line
//! `{name}` stands for one of a list, `[a|b|]` for one of those written there.

use std::collections::HashMap;

use super::{data::Example, odd::odd_texts, random::Random};
use crate::classifier::AttackKind;

/// The grammars, in the order in which they are read.
const SOURCES: &[(&str, &str)] = &[
    ("attacks.txt", include_str!("../../../training/attacks.txt")),
    ("harmless.txt", include_str!("../../../training/harmless.txt")),
    ("languages.txt", include_str!("../../../training/languages.txt")),
];
/// Lists inside lists at most.
const DEPTH_MAX: usize = 12;
const SEED: u64 = 0x67_7261_6d6d;

/// A line of a grammar or of the lexicon that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of {file} cannot be read")]
pub struct GrammarError {
    /// The file.
    pub file: &'static str,
    /// The line, from 1.
    pub line: usize,
}

#[derive(Default)]
struct Grammar {
    lists: HashMap<&'static str, Vec<&'static str>>,
    rules: Vec<Rule>,
}

struct Rule {
    attack: bool,
    name: &'static str,
    count: usize,
    lines: Vec<(&'static str, usize, &'static str)>,
}

/// All texts of our own, the same each time.
///
/// # Errors
/// If a line names a list that is not there, or cannot be read.
pub fn own_examples() -> Result<Vec<Example>, GrammarError> {
    let mut grammar = Grammar::default();
    for (file, text) in SOURCES {
        grammar.read(file, text)?;
    }
    let mut random = Random::new(SEED);
    let mut examples = Vec::new();
    for rule in &grammar.rules {
        let count = if rule.count == 0 { rule.lines.len() } else { rule.count };
        for at in 0..count {
            let at = if rule.count == 0 { at } else { random.below(rule.lines.len()) };
            let Some((file, number, line)) = rule.lines.get(at) else { continue };
            let text = grammar.expand(&shielded(line), &mut random, 0);
            let text = text.ok_or(GrammarError { file, line: *number })?;
            let sign = if rule.attack { "attack" } else { "harmless" };
            examples.push(Example {
                text: plain(&text),
                attack: rule.attack,
                source: format!("own_{sign}_{}", rule.name),
                kind: kind(rule.name),
            });
        }
    }
    let more = disguise(&examples, &mut random);
    let harmless: Vec<Example> = examples.iter().filter(|it| !it.attack).cloned().collect();
    examples.extend(more);
    examples.extend(odd_texts(&harmless, &mut random));
    Ok(examples)
}

/// Puts other characters in the place of the signs that a line escapes.
fn shielded(line: &str) -> String {
    line.replace("\\[", "\u{1}").replace("\\]", "\u{2}").replace("\\|", "\u{3}")
}

/// Brings back what `shielded` hid.
fn plain(text: &str) -> String {
    let text = text.replace('\u{1}', "[").replace('\u{2}', "]").replace('\u{3}', "|");
    text.replace("\\n", "\n").trim().to_owned()
}

fn kind(name: &str) -> AttackKind {
    match name.split('_').next() {
        Some("leak") => AttackKind::PromptLeak,
        Some("jailbreak") => AttackKind::Jailbreak,
        Some("exfiltration") => AttackKind::DataExfiltration,
        Some(_) | None => AttackKind::PromptInjection,
    }
}

impl Grammar {
    fn read(&mut self, file: &'static str, text: &'static str) -> Result<(), GrammarError> {
        let mut list = None;
        for (at, line) in text.lines().enumerate() {
            let error = GrammarError { file, line: at + 1 };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('@') {
                list = Some(name.trim());
                self.lists.entry(name.trim()).or_default();
            } else if let Some((sign, rest)) =
                line.split_once(' ').filter(|(s, _)| ["!", "+"].contains(s))
            {
                let (name, count) = rest.rsplit_once(' ').ok_or(error)?;
                let Ok(count) = count.parse() else { return Err(error) };
                self.rules.push(Rule { attack: sign == "!", name, count, lines: Vec::new() });
                list = None;
            } else if let Some(name) = list {
                self.lists.entry(name).or_default().push(line);
            } else {
                let rule = self.rules.last_mut().ok_or(error)?;
                rule.lines.push((file, at + 1, line));
            }
        }
        Ok(())
    }

    fn expand(&self, line: &str, random: &mut Random, depth: usize) -> Option<String> {
        if DEPTH_MAX < depth {
            return None;
        }
        let mut out = String::new();
        let mut rest = line;
        while let Some(at) = rest.find(['{', '[']) {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            if let Some(inside) = from.strip_prefix('{') {
                let (name, after) = inside.split_once('}')?;
                let chosen = random.pick(self.lists.get(name)?)?;
                out.push_str(&self.expand(&shielded(chosen), random, depth + 1)?);
                rest = after;
            } else {
                let inside = from.get(1..)?;
                let end = closing(inside)?;
                let (inside, after) = inside.split_at(end);
                let parts = alternatives(inside);
                let chosen = random.pick(&parts)?;
                out.push_str(&self.expand(chosen, random, depth + 1)?);
                rest = after.get(1..)?;
            }
        }
        out.push_str(rest);
        Some(out)
    }
}

/// Where the bracket that is open at the start closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 0 => return Some(at),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn alternatives(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            '|' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// The same texts as people also write them, and attacks inside harmless documents.
fn disguise(examples: &[Example], random: &mut Random) -> Vec<Example> {
    let harmless: Vec<&Example> = examples.iter().filter(|example| !example.attack).collect();
    let mut more = Vec::new();
    for example in examples {
        let drawn = random.below(if example.attack { 4 } else { 6 });
        let text = match drawn {
            0 => example.text.to_lowercase().replace(['.', ','], ""),
            1 if random.below(3) == 0 => example.text.to_uppercase(),
            2 => typing_error(&example.text, random),
            3 if example.attack => match random.pick(&harmless) {
                Some(other) => format!("{}\n{}", other.text, example.text),
                None => continue,
            },
            4 | 5 if random.below(3) == 0 => match random.pick(&harmless) {
                Some(other) => format!("{}\n{}", other.text, example.text),
                None => continue,
            },
            _ => continue,
        };
        let source = format!("{}_disguised", example.source);
        more.push(Example { text, source, ..example.clone() });
    }
    more
}

/// Swaps, drops or doubles one letter.
fn typing_error(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=letters.len() / 40 {
        let last = letters.len().saturating_sub(1);
        let at = random.below(last);
        match random.below(3) {
            0 => letters.swap(at, (at + 1).min(last)),
            1 if at < last => {
                letters.remove(at);
            }
            _ => {
                let letter = letters.get(at).copied().unwrap_or(' ');
                letters.insert(at, letter);
            }
        }
    }
    letters.into_iter().collect()
}
