//! The guard's transformer by itself: reads JSON Lines with `text` and writes a score a line.
//!
//! `guard-figures attacks --data DIR --opinion "PROGRAM FOLDER"` asks it. At the end it says on standard
//! error how long a text took.

use std::{
    error::Error,
    io::{BufRead, Write, stdin, stdout},
    path::PathBuf,
    time::{Duration, Instant},
};

use adapters::transformer::{Transformer, TransformerConfig};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    text: String,
}

#[expect(clippy::print_stderr, reason = "the figures are the program's output")]
#[expect(clippy::disallowed_methods, reason = "measures time")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder =
        std::env::args().nth(1).map(PathBuf::from).ok_or("usage: second_opinion FOLDER")?;
    let time_max = Duration::from_secs(60);
    let transformer = Transformer::load(&TransformerConfig { folder, time_max })?;
    let mut out = stdout().lock();
    let mut millis = Vec::new();
    for line in stdin().lock().lines() {
        let Line { text } = serde_json::from_str(&line?)?;
        let begin = Instant::now();
        let score = transformer.score(&text).ok_or("no answer in a minute")?;
        millis.push(begin.elapsed().as_secs_f64() * 1e3);
        writeln!(out, "{score}")?;
        out.flush()?;
    }
    millis.sort_by(f64::total_cmp);
    let at = |share: f64| millis.get((millis.len() as f64 * share) as usize).copied();
    let (p50, p99) = (at(0.5).unwrap_or_default(), at(0.99).unwrap_or_default());
    eprintln!("transformer: {} texts, p50 {p50:.1} ms, p99 {p99:.1} ms", millis.len());
    Ok(())
}
