//! Personal data: how much of it is found, by type and by language, and how fast.
//!
//! `guard-figures personal [--dev | --seed N] [--mistakes] [--texts]`: the set is made up here
//! from a seed (see `sentences`), with check digits of its own; `--dev` is the set that the search
//! was tuned on, without the sentences kept for the report. `--texts` prints the set as JSON Lines,
//! `--quick` takes a sixth of it and no time.

mod random;
mod score;
pub(crate) mod sentences;
mod values;

use std::{error::Error, fmt::Write as _, io::Write as _, time::Duration};

use crate::clock::cpu_time;
use screening::{PersonalAction, PersonalPolicy, PersonalSearch};

use score::{Score, score};
use sentences::{Labelled, generate};

const DEVELOPMENT_SEED: u64 = 1;
/// The seed of the set that is reported.
pub(crate) const REPORTED_SEED: u64 = 20_261;
/// Texts in the set.
const TEXTS: usize = 12_000;
/// The least F1 over all types.
const ALL_F1_MIN: f64 = 0.95;
/// The least F1 of every type.
const TYPE_F1_MIN: f64 = 0.90;
/// The least speed on chat messages, in millions of bytes a second.
const SPEED_MIN: f64 = 20.0;
/// Rounds of a measurement, of which the median counts.
const ROUNDS: usize = 9;
/// The same for hostile texts, which take longer.
const HOSTILE_ROUNDS: usize = 3;

/// Prints the figures.
///
/// # Errors
/// If one that is required is not met, or cannot be printed.
pub(crate) fn run(args: &[String]) -> Result<(), Box<dyn Error>> {
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let is_reported = !has("--dev");
    let given = args.iter().skip_while(|arg| *arg != "--seed").nth(1);
    let usual = if is_reported { REPORTED_SEED } else { DEVELOPMENT_SEED };
    let seed = given.map_or(Ok(usual), |seed| seed.parse())?;
    let count = if has("--quick") { TEXTS / 6 } else { TEXTS };
    let texts = generate(seed, count, is_reported);
    let mut out = std::io::stdout().lock();
    if has("--texts") {
        for labelled in &texts {
            let value = serde_json::json!({ "text": labelled.text, "truths": labelled.truths.iter()
                .map(|(kind, range)| (kind, range.start, range.end)).collect::<Vec<_>>() });
            writeln!(out, "{value}")?;
        }
        return Ok(());
    }
    let search = PersonalSearch::new(PersonalPolicy::all(PersonalAction::Flag))?;
    let score = score(&search, &texts);
    if has("--mistakes") {
        for mistake in &score.mistakes {
            writeln!(out, "{mistake}")?;
        }
    }
    write!(out, "{}", table(&score, texts.len(), seed)?)?;
    check(&score)?;
    if has("--quick") {
        return Ok(());
    }
    let speed = Speed::measure(&search, &texts);
    write!(out, "{}", speed.table()?)?;
    if speed.chat < SPEED_MIN {
        return Err(format!("{:.1} MB/s is less than {SPEED_MIN}", speed.chat).into());
    }
    Ok(())
}

/// The required figures of detection.
fn check(score: &Score) -> Result<(), Box<dyn Error>> {
    let f1 = score.all.f1();
    if f1 < ALL_F1_MIN {
        return Err(format!("an F1 of {f1:.3} over all types is less than {ALL_F1_MIN}").into());
    }
    for (kind, count) in &score.by_type {
        let f1 = count.f1();
        if f1 < TYPE_F1_MIN {
            return Err(format!("an F1 of {f1:.3} for {kind} is less than {TYPE_F1_MIN}").into());
        }
    }
    Ok(())
}

fn table(score: &Score, texts: usize, seed: u64) -> Result<String, std::fmt::Error> {
    let mut table = String::new();
    writeln!(table, "{texts} texts, seed {seed}\n")?;
    writeln!(table, "| type | in the set | precision | recall | F1 |\n|---|---|---|---|---|")?;
    let rows = score.by_type.iter().map(|(kind, count)| (*kind, *count));
    let languages = score.by_language.iter().map(|(it, count)| (it.word(), *count));
    for (name, count) in rows.chain(languages).chain([("**all**", score.all)]) {
        let truths = count.right + count.missed;
        let (precision, recall, f1) = (count.precision(), count.recall(), count.f1());
        writeln!(table, "| {name} | {truths} | {precision:.3} | {recall:.3} | {f1:.3} |")?;
    }
    Ok(table)
}

/// How fast the search is.
struct Speed {
    /// On the set, a message at a time, in MB/s.
    chat: f64,
    /// One message of 200 characters in which nothing looks like a number.
    calm: Duration,
    /// Time a byte for hostile texts of 1 KB and of 1 MB, in nanoseconds, by what they repeat.
    hostile: Vec<(&'static str, f64, f64)>,
}

impl Speed {
    fn measure(search: &PersonalSearch, texts: &[Labelled]) -> Self {
        let bytes: usize = texts.iter().map(|labelled| labelled.text.len()).sum();
        let chat = median(ROUNDS, || {
            for labelled in texts {
                std::hint::black_box(search.find(std::hint::black_box(&labelled.text)));
            }
        });
        let calm_text = "Could we perhaps meet at the little cafe near the river instead? The place \
                         you named is closed on Mondays, and I would rather not stand in the rain \
                         with Peter and his dog again, however nice the view.";
        let calm = median(ROUNDS, || {
            for _ in 0..1_000 {
                std::hint::black_box(search.find(std::hint::black_box(calm_text)));
            }
        });
        let pieces = [
            "1",
            "1 ",
            "1-",
            "a1",
            "@",
            "a@",
            "1.",
            "1:",
            "a@b.",
            "born 1.1.1985 ",
            "call 12 34 56 ",
            "my name is A",
            "Dr. ",
            "DE89 ",
            "X-1234567-",
            "é1",
            "12 é",
        ];
        let hostile = pieces.iter().map(|piece| {
            let each = |length: usize| {
                let text = piece.repeat(length / piece.len());
                let rounds = (1 << 20) / length;
                let time = median(HOSTILE_ROUNDS, || {
                    for _ in 0..rounds {
                        std::hint::black_box(search.find(std::hint::black_box(&text)));
                    }
                });
                time.as_secs_f64() * 1e9 / (rounds * text.len()) as f64
            };
            (*piece, each(1 << 10), each(1 << 20))
        });
        Self {
            chat: bytes as f64 / chat.as_secs_f64() / 1e6,
            calm: calm / 1_000,
            hostile: hostile.collect(),
        }
    }

    fn table(&self) -> Result<String, std::fmt::Error> {
        let mut table = String::new();
        writeln!(table, "\n| speed, one core | |\n|---|---|")?;
        writeln!(table, "| these texts, one at a time | {:.0} MB/s |", self.chat)?;
        writeln!(table, "| 200 characters without a number | {} ns |", self.calm.as_nanos())?;
        let small = self.hostile.iter().map(|(piece, small, _)| (*piece, *small));
        let large = self.hostile.iter().map(|(piece, _, large)| (*piece, *large));
        let ((small, small_time), (large, large_time)) = (slowest(small), slowest(large));
        writeln!(table, "| slowest hostile text of 1 KB ({small:?}) | {small_time:.1} ns/byte |")?;
        writeln!(table, "| slowest hostile text of 1 MB ({large:?}) | {large_time:.1} ns/byte |")?;
        Ok(table)
    }
}

fn slowest<'p>(times: impl Iterator<Item = (&'p str, f64)>) -> (&'p str, f64) {
    times.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default()
}

/// The median time that a processor takes for `work`.
fn median(rounds: usize, work: impl Fn()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = cpu_time();
            work();
            cpu_time() - start
        })
        .collect();
    times.sort();
    times.get(rounds / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_finds_nothing_does_not_pass() {
        let search = PersonalSearch::new(PersonalPolicy::all(PersonalAction::Off)).unwrap();
        assert!(check(&score(&search, &generate(3, 500, true))).is_err());
    }

    #[test]
    fn labels_stand_where_the_values_are() {
        for labelled in generate(3, 500, true) {
            for (kind, range) in labelled.truths {
                let value = &labelled.text[range];
                assert!(!value.is_empty());
                assert_eq!(kind == "email", value.contains('@'), "{value}");
            }
        }
    }
}
