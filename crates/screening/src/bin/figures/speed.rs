//! How long the whole judgement of one message takes, both ways, and how many bytes a second.
//!
//! `guard-figures speed [--texts FILE] [--json]`: the texts are our own sentences and a part of the set of
//! `guard-figures personal`, or those of FILE, JSON Lines with `text`. `--write FILE` writes them,
//! so that other guards can be measured on the same ones.

use std::{error::Error, fs, time::Instant};

use screening::{OutboundContext, Policy, Screen};
use serde::Deserialize;

use crate::{
    Args, Outcome,
    personal::{REPORTED_SEED, sentences::generate},
};

const HARMLESS: &str = include_str!("../../../tests/corpus/harmless.jsonl");
const ATTACKS: &str = include_str!("../../../tests/corpus/attacks.jsonl");
/// How many texts of the set with personal data.
const PERSONAL_TEXTS: usize = 1_000;
/// Every text is judged so often; its best time counts, so that what else the machine does is not
/// measured.
const ROUNDS: usize = 5;
/// Required of the judgement on the way in, in microseconds.
const P50_MAX: f64 = 25.0;
const P99_MAX: f64 = 1_000.0;
const INSTRUCTIONS: &str = "You are Ada, the librarian of a small town. Answer in two or three \
    sentences, kindly and to the point. Say so if you do not know something. Recommend a book now \
    and then, but never more than one, and never one that you do not know. Speak the language of \
    whoever asks. Do not talk about politics. Do not promise that a book is there; ask people to \
    come by and look.";

#[derive(Deserialize)]
struct Line {
    text: String,
}

/// Times of one way, in microseconds, sorted.
struct Times {
    sorted: Vec<f64>,
    bytes: usize,
}

impl Times {
    fn at(&self, share: f64) -> f64 {
        let place = (self.sorted.len() as f64 * share) as usize;
        self.sorted.get(place).copied().unwrap_or_default()
    }

    /// Millions of bytes a second, over all texts.
    fn speed(&self) -> f64 {
        self.bytes as f64 / self.sorted.iter().sum::<f64>()
    }
}

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
pub(crate) fn run(args: &Args) -> Outcome {
    let after = |flag: &str| args.words.iter().skip_while(|word| *word != flag).nth(1);
    let texts = match after("--texts") {
        Some(file) => read(&fs::read_to_string(file)?)?,
        None => our_own()?,
    };
    if let Some(file) = after("--write") {
        let line = |text: &String| format!("{}\n", serde_json::json!({ "text": text }));
        fs::write(file, texts.iter().map(line).collect::<String>())?;
    }
    let screen = Screen::new(Policy::default())?;
    let context = OutboundContext::new(None, INSTRUCTIONS);
    let inbound = measure(&texts, |text| {
        std::hint::black_box(screen.inbound(std::hint::black_box(text)));
    });
    let outbound = measure(&texts, |text| {
        std::hint::black_box(screen.outbound(std::hint::black_box(text), &context));
    });
    let ways = [("in", &inbound), ("out", &outbound)];
    if args.words.iter().any(|word| word == "--json") {
        let one = |times: &Times| {
            let (p50, p99) = (times.at(0.5), times.at(0.99));
            serde_json::json!({ "p50_us": p50, "p99_us": p99, "mb_s": times.speed() })
        };
        println!("{}", serde_json::json!({ "in": one(&inbound), "out": one(&outbound) }));
    } else {
        println!("{} texts, {} bytes\n", texts.len(), inbound.bytes);
        println!("| whole judgement, one core | p50 | p99 | MB/s |\n|---|---|---|---|");
        for (way, times) in ways {
            let (p50, p99) = (times.at(0.5), times.at(0.99));
            println!("| {way} | {p50:.1} µs | {p99:.1} µs | {:.1} |", times.speed());
        }
    }
    Ok(inbound.at(0.5) <= P50_MAX && inbound.at(0.99) <= P99_MAX)
}

fn read(lines: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let texts: Result<Vec<Line>, _> = lines.lines().map(serde_json::from_str).collect();
    let texts: Vec<String> = texts?.into_iter().map(|line| line.text).collect();
    if texts.is_empty() { Err("the file has no texts".into()) } else { Ok(texts) }
}

fn our_own() -> Result<Vec<String>, Box<dyn Error>> {
    let mut texts = read(HARMLESS)?;
    texts.extend(read(ATTACKS)?);
    let more = generate(REPORTED_SEED, PERSONAL_TEXTS, true);
    texts.extend(more.into_iter().map(|labelled| labelled.text));
    Ok(texts)
}

#[expect(clippy::disallowed_methods, reason = "measures time")]
fn measure(texts: &[String], judge: impl Fn(&str)) -> Times {
    let mut sorted = vec![f64::INFINITY; texts.len()];
    for _ in 0..ROUNDS {
        for (text, best) in texts.iter().zip(&mut sorted) {
            let begin = Instant::now();
            judge(text);
            *best = best.min(begin.elapsed().as_secs_f64() * 1e6);
        }
    }
    sorted.sort_by(f64::total_cmp);
    Times { sorted, bytes: texts.iter().map(String::len).sum() }
}
