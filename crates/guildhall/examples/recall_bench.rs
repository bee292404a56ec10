//! Measures the search in the past: what it finds of question and answer pairs that others wrote, and
//! how long it takes among many memories. `scripts/bench recall` fetches the pairs and runs it.
//!
//! usage: `recall_bench EMBEDDINGS_FOLDER PAIRS.jsonl [MEMORIES]`, each line `{"asked","answered"}`

use std::{collections::HashMap, env, error::Error, fs, io::Write as _};

use adapters::embeddings::{EmbeddingsConfig, LocalEmbedder};
use flow::{
    recall::{Index, Memory},
    session::Lesson,
};
use protocol::{
    BotId, ChatId, SessionKey,
    embedding::{Embedder as _, Haste},
    memory::{Scope, Space},
};
use serde::Deserialize;
use tokio::time::Instant;

#[derive(Deserialize)]
struct Pair {
    asked: String,
    answered: String,
}

/// Numbers found at rank 1 and among the first five.
#[derive(Default)]
struct Found {
    first: usize,
    five: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (folder, file) = (arguments.next().ok_or("a folder")?, arguments.next().ok_or("a file")?);
    let memories: usize = arguments.next().map_or(Ok(100_000), |it| it.parse())?;
    kit::block_on(measure(&folder, &file, memories))
}

async fn measure(folder: &str, file: &str, memories: usize) -> Result<(), Box<dyn Error>> {
    let pairs: Result<Vec<Pair>, _> =
        fs::read_to_string(file)?.lines().map(serde_json::from_str).collect();
    let pairs = pairs?;
    let embedder = LocalEmbedder::load(&EmbeddingsConfig::new(folder))?;
    let mut answers = Vec::with_capacity(pairs.len());
    for pair in &pairs {
        answers.push(embedder.embed(&pair.answered, Haste::Idle).await?);
    }
    let mut index = Index::default();
    for (pair, vector) in pairs.iter().zip(&answers) {
        index.push(Memory::of(&lesson(&pair.asked, &pair.answered)?, vector));
    }
    let mut right: HashMap<&str, Vec<&str>> = HashMap::new();
    for pair in &pairs {
        right.entry(&pair.asked).or_default().push(&pair.answered);
    }
    let mut questions: Vec<&str> = right.keys().copied().collect();
    questions.sort_unstable();
    let (mut ours, mut exact, mut took, mut vectors) =
        (Found::default(), Found::default(), Vec::new(), Vec::new());
    for question in &questions {
        let begun = Instant::now();
        let vector = embedder.embed(question, Haste::Asked).await?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        let wanted = right.get(question).map_or(&[][..], Vec::as_slice);
        let found = index.search(&vector, 5, -1.0, |_| true);
        let found: Vec<&str> = found.iter().map(|(_, it)| it.answered.as_str()).collect();
        ours.count(&found, wanted);
        exact.count(&closest(&vector, &answers, &pairs), wanted);
        vectors.push(vector);
    }
    let mut out = std::io::stdout();
    writeln!(out, "{} answers, {} different questions", pairs.len(), questions.len())?;
    for (name, found) in [("bytes (as stored)", &ours), ("exact", &exact)] {
        let (first, five) = (share(found.first, &questions), share(found.five, &questions));
        writeln!(out, "recall, {name}: @1 {first:.1} %, @5 {five:.1} %")?;
    }
    writeln!(out, "vector of a question, ms: {}", quantiles(&mut took))?;
    let index = synthetic(&vectors, memories)?;
    let mut took = Vec::new();
    for vector in vectors.iter().cycle().take(300) {
        let begun = Instant::now();
        let found = index.search(vector, 5, -1.0, |_| true).len();
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        assert_eq!(found, 5);
    }
    writeln!(out, "search among {} memories, ms: {}", index.len(), quantiles(&mut took))?;
    Ok(())
}

impl Found {
    fn count(&mut self, found: &[&str], wanted: &[&str]) {
        let is_right = |it: &&str| wanted.iter().any(|wanted| wanted.starts_with(uncut(it)));
        self.first += usize::from(found.first().is_some_and(is_right));
        self.five += usize::from(found.iter().any(is_right));
    }
}

/// A memory keeps the beginning of a long answer, with dots at its end.
fn uncut(text: &str) -> &str {
    text.trim_end_matches('…')
}

fn lesson(asked: &str, answered: &str) -> Result<Lesson, Box<dyn Error>> {
    let agent: protocol::AgentName = "sage".parse()?;
    let session = SessionKey { bot: BotId(1), chat: ChatId(1), topic: None };
    Ok(Lesson {
        scope: Scope { session, space: Space::own(&agent) },
        agent,
        epoch: 0,
        number: 0,
        replaces: false,
        by: None,
        asked: asked.to_owned(),
        answered: answered.to_owned(),
    })
}

/// The closest five without any rounding.
fn closest<'p>(query: &[f32], vectors: &[Vec<f32>], pairs: &'p [Pair]) -> Vec<&'p str> {
    let dot = |it: &Vec<f32>| -> f32 { it.iter().zip(query).map(|(a, b)| a * b).sum() };
    let mut all: Vec<(f32, &Pair)> = vectors.iter().map(dot).zip(pairs).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.into_iter().take(5).map(|(_, it)| it.answered.as_str()).collect()
}

/// Many vectors made of real ones: two of them mixed, with some noise.
fn synthetic(vectors: &[Vec<f32>], count: usize) -> Result<Index, Box<dyn Error>> {
    let mut dice = 88_172_645_463_325_252_u64;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        u32::try_from(dice >> 40).unwrap_or_default()
    };
    let mut index = Index::default();
    let lesson = lesson("a question of some words", "an answer of some more words")?;
    for _ in 0..count {
        let mut one = || {
            let place = usize::try_from(roll()).unwrap_or_default() % vectors.len();
            vectors.get(place).map_or(&[][..], Vec::as_slice)
        };
        let (a, b) = (one(), one());
        #[expect(clippy::cast_precision_loss, reason = "24 bits")]
        let mut noise = || roll() as f32 / 16_777_216.0 - 0.5;
        let mixed: Vec<f32> =
            a.iter().zip(b).map(|(a, b)| 0.7 * a + 0.3 * b + 0.05 * noise()).collect();
        let length = mixed.iter().map(|it| it * it).sum::<f32>().sqrt();
        let mixed: Vec<f32> = mixed.into_iter().map(|it| it / length).collect();
        index.push(Memory::of(&lesson, &mixed));
    }
    Ok(index)
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn share(count: usize, of: &[&str]) -> f64 {
    100.0 * count as f64 / of.len() as f64
}

fn quantiles(samples: &mut [f64]) -> String {
    samples.sort_by(f64::total_cmp);
    let at = |percent: usize| samples.get(samples.len() * percent / 100).copied();
    let all =
        [("least", at(0)), ("median", at(50)), ("p95", at(95)), ("most", samples.last().copied())];
    let words = all.map(|(name, it)| format!("{name} {:.2}", it.unwrap_or_default()));
    words.join(", ")
}
