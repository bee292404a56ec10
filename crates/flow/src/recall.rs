//! Finds again what was said long ago: one index for each scope, in memory, of what one stream of
//! the ledger holds.
//!
//! A scope's index is found by the scope, and holds nothing but what that scope's own stream held:
//! there is no search over more than one. Vectors are kept in bytes: a four-byte number more for
//! each, and three quarters of the room less.
//!
//! Invariants: RECALL-1 what is found in a scope was learned in that scope. RECALL-2 what was said
//! before the person began afresh is not found.

use std::collections::{HashMap, VecDeque};

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD as BASE64};
use protocol::{
    AgentName, PersonId,
    ledger::{Owned, Seq},
    memory::Scope,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    context::{self, Recollection},
    session::Lesson,
};

/// Of an exchange, what is kept to be found again: of question and answer, in characters.
const KEPT_CHARS_MAX: (usize, usize) = (500, 700);

/// How the past is looked through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecallConfig {
    /// How long a question waits for it at most.
    pub time_max: std::time::Duration,
    /// How much is found at most.
    pub results_max: usize,
    /// How close it must be: the cosine of the two vectors.
    pub score_min: f32,
    /// Memories of one scope. The oldest are found no more.
    pub memories_max: usize,
}

/// A vector in bytes: each number is a byte times the scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantised {
    scale: f32,
    bytes: Vec<i8>,
}

impl Quantised {
    /// The vector, rounded.
    #[must_use]
    pub fn of(vector: &[f32]) -> Self {
        let largest = vector.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
        let scale = if largest.is_normal() { largest / 127.0 } else { 1.0 };
        #[expect(clippy::cast_possible_truncation, reason = "within ±127 by the choice of scale")]
        let bytes = vector.iter().map(|it| (it / scale).round() as i8).collect();
        Self { scale, bytes }
    }
}

/// A memory as its stream holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memory {
    agent: AgentName,
    epoch: u64,
    number: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    replaces: bool,
    asked: String,
    answered: String,
    scale: f32,
    /// The vector's bytes, in base64.
    vector: String,
}

impl Memory {
    /// What is to be found again, with its vector.
    #[must_use]
    pub fn of(lesson: &Lesson, vector: &[f32]) -> Self {
        let Quantised { scale, bytes } = Quantised::of(vector);
        let bytes: Vec<u8> = bytes.iter().map(|it| it.cast_unsigned()).collect();
        let (asked_max, answered_max) = KEPT_CHARS_MAX;
        Self {
            agent: lesson.agent.clone(),
            epoch: lesson.epoch,
            number: lesson.number,
            replaces: lesson.replaces,
            asked: context::beginning(&lesson.asked, asked_max),
            answered: context::beginning(&lesson.answered, answered_max),
            scale,
            vector: BASE64.encode(bytes),
        }
    }
}

/// Where a memory comes from, which decides whether it may be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Whose conversation it was.
    pub agent: AgentName,
    /// How often the person had begun afresh.
    pub epoch: u64,
    /// The exchange's number.
    pub number: u64,
}

/// What can be found in one scope.
#[derive(Debug, Default)]
pub struct Index {
    /// All vectors, one after the other.
    bytes: Vec<i8>,
    entries: Vec<Entry>,
    dimensions: usize,
}

#[derive(Debug)]
struct Entry {
    source: Source,
    scale: f32,
    what: Recollection,
}

impl Index {
    /// How much can be found.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a memory. One whose vector cannot be read, or is of another model, is left out.
    pub fn push(&mut self, memory: Memory) {
        let Ok(bytes) = BASE64.decode(&memory.vector) else { return };
        if self.entries.is_empty() {
            self.dimensions = bytes.len();
        }
        if bytes.is_empty() || bytes.len() != self.dimensions {
            return;
        }
        let is_newest =
            |it: &Entry| it.source.agent == memory.agent && it.source.number == memory.number;
        if memory.replaces && self.entries.last().is_some_and(is_newest) {
            self.entries.pop();
            self.bytes.truncate(self.entries.len() * self.dimensions);
        }
        self.bytes.extend(bytes.iter().map(|it| it.cast_signed()));
        let Memory { agent, epoch, number, asked, answered, scale, .. } = memory;
        let source = Source { agent, epoch, number };
        self.entries.push(Entry { source, scale, what: Recollection { asked, answered } });
    }

    /// Leaves out the oldest, so that no more than so many are left.
    pub fn keep_newest(&mut self, max: usize) {
        let gone = self.entries.len().saturating_sub(max);
        self.entries.drain(..gone);
        self.bytes.drain(..gone * self.dimensions);
    }

    /// The closest to a vector, closest first: at most `count`, none below `score_min`, and only
    /// those that may be found.
    #[must_use]
    pub fn search(
        &self,
        query: &[f32],
        count: usize,
        score_min: f32,
        may: impl Fn(&Source) -> bool,
    ) -> Vec<(f32, &Recollection)> {
        if query.len() != self.dimensions || count == 0 {
            return Vec::new();
        }
        let query = Quantised::of(query);
        let mut best: Vec<(f32, &Entry)> = Vec::with_capacity(count + 1);
        for (entry, bytes) in self.entries.iter().zip(self.bytes.chunks_exact(self.dimensions)) {
            #[expect(clippy::cast_precision_loss, reason = "a score needs no more than six digits")]
            let score = dot(&query.bytes, bytes) as f32 * query.scale * entry.scale;
            let worst = best.last().map_or(score_min, |(it, _)| *it);
            let is_close = score_min <= score && (best.len() < count || worst < score);
            if !is_close || !may(&entry.source) {
                continue;
            }
            let place = best.partition_point(|(it, _)| score <= *it);
            best.insert(place, (score, entry));
            best.truncate(count);
        }
        best.into_iter().map(|(score, entry)| (score, &entry.what)).collect()
    }
}

/// Products of bytes, added up. Written so that the compiler takes many at a time.
fn dot(one: &[i8], other: &[i8]) -> i32 {
    one.iter().zip(other).map(|(a, b)| i32::from(i16::from(*a) * i16::from(*b))).sum()
}

/// The indexes of a session's scopes, as far as they were loaded.
#[derive(Debug, Default)]
pub struct Shelves(HashMap<Scope, Shelf>);

/// One scope: its index once it is loaded, and what is to be written to its stream.
#[derive(Debug)]
pub struct Shelf {
    index: Option<Index>,
    /// Where its stream is.
    pub at: Seq,
    /// What waits to be written, and whose it is.
    pub queue: VecDeque<(PersonId, Memory)>,
    /// Something is being written.
    pub writing: bool,
    loaded: watch::Sender<bool>,
}

/// What a stream holds cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a memory cannot be read")]
pub struct UnreadableMemory(#[source] serde_json::Error);

impl Shelves {
    /// The shelf of a scope, and whether it is new: then its stream is to be loaded.
    pub fn open(&mut self, scope: Scope) -> (&mut Shelf, bool) {
        let is_new = !self.0.contains_key(&scope);
        let empty = || Shelf {
            index: None,
            at: Seq::default(),
            queue: VecDeque::new(),
            writing: false,
            loaded: watch::Sender::new(false),
        };
        (self.0.entry(scope).or_insert_with(empty), is_new)
    }

    /// The shelf of a scope, if it was opened.
    pub fn get_mut(&mut self, scope: Scope) -> Option<&mut Shelf> {
        self.0.get_mut(&scope)
    }

    /// True if none is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets a shelf, so that it is loaded anew when it is needed.
    pub fn remove(&mut self, scope: Scope) -> Option<Shelf> {
        self.0.remove(&scope)
    }

    /// What is close to a vector in one scope. RECALL-1: no other shelf is looked at.
    #[must_use]
    pub fn recall(
        &self,
        scope: Scope,
        query: &[f32],
        config: &RecallConfig,
        may: impl Fn(&Source) -> bool,
    ) -> Option<Vec<Recollection>> {
        let index = self.0.get(&scope)?.index.as_ref()?;
        let found = index.search(query, config.results_max, config.score_min, may);
        Some(found.into_iter().map(|(_, it)| it.clone()).collect())
    }
}

impl Shelf {
    /// Becomes true when the stream was loaded.
    #[must_use]
    pub fn loaded(&self) -> watch::Receiver<bool> {
        self.loaded.subscribe()
    }

    /// True once it was loaded.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.index.is_some()
    }

    /// Fills the shelf with what its stream holds.
    ///
    /// # Errors
    /// If that is not what we write.
    pub fn fill(
        &mut self,
        events: &[Owned],
        at: Seq,
        memories_max: usize,
    ) -> Result<(), UnreadableMemory> {
        let mut index = Index::default();
        for event in events {
            index.push(serde_json::from_slice(&event.bytes).map_err(UnreadableMemory)?);
        }
        index.keep_newest(memories_max);
        (self.index, self.at) = (Some(index), at);
        self.loaded.send_replace(true);
        Ok(())
    }

    /// A memory was written.
    pub fn add(&mut self, memory: Memory, memories_max: usize) {
        if let Some(index) = &mut self.index {
            index.push(memory);
            index.keep_newest(memories_max);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{BotId, ChatId, SessionKey, memory::Space};

    fn scope(chat: i64, space: &str) -> Scope {
        let session = SessionKey { bot: BotId(1), chat: ChatId(chat), topic: None };
        Scope { session, space: Space::try_from(space.to_owned()).unwrap() }
    }

    fn lesson(scope: Scope, number: u64, asked: &str) -> Lesson {
        Lesson {
            scope,
            agent: "sage".parse().unwrap(),
            epoch: 0,
            number,
            replaces: false,
            by: None,
            asked: asked.to_owned(),
            answered: "yes".to_owned(),
        }
    }

    /// A vector that leans so far towards the first of three directions.
    fn towards(first: f32) -> [f32; 3] {
        [first, (1.0 - first * first).sqrt(), 0.0]
    }

    fn index(leanings: &[f32]) -> Index {
        let mut index = Index::default();
        for (number, first) in (0..).zip(leanings) {
            let lesson = lesson(scope(1, "sage"), number, &format!("q{number}"));
            index.push(Memory::of(&lesson, &towards(*first)));
        }
        index
    }

    fn found(index: &Index, count: usize, score_min: f32) -> Vec<String> {
        let found = index.search(&[1.0, 0.0, 0.0], count, score_min, |_| true);
        found.into_iter().map(|(_, it)| it.asked.clone()).collect()
    }

    #[test]
    fn the_closest_are_found_first_and_nothing_that_is_far() {
        let index = index(&[0.2, 0.9, 0.5, 0.99, 0.7]);
        assert_eq!(found(&index, 3, 0.1), ["q3", "q1", "q4"]);
        assert_eq!(found(&index, 9, 0.6), ["q3", "q1", "q4"]);
        assert!(found(&index, 0, 0.1).is_empty());
        assert!(index.search(&[1.0, 0.0], 3, 0.0, |_| true).is_empty(), "of another model");
        let (score, _) = index.search(&towards(0.99), 1, 0.0, |_| true)[0];
        assert!((score - 1.0).abs() < 0.02, "{score}");
    }

    #[test]
    fn what_may_not_be_found_gives_its_place_to_the_next() {
        let index = index(&[0.9, 0.8, 0.7]);
        let found = index.search(&[1.0, 0.0, 0.0], 2, 0.0, |it| it.number != 0);
        let found: Vec<&str> = found.iter().map(|(_, it)| it.asked.as_str()).collect();
        assert_eq!(found, ["q1", "q2"]);
    }

    #[test]
    fn the_oldest_give_way_and_a_repeated_question_takes_the_place_of_its_first_answer() {
        let mut index = index(&[0.9, 0.8, 0.7]);
        let again = Lesson { replaces: true, ..lesson(scope(1, "sage"), 2, "again") };
        index.push(Memory::of(&again, &towards(0.95)));
        assert_eq!(found(&index, 9, 0.0), ["again", "q0", "q1"]);
        index.keep_newest(2);
        assert_eq!(found(&index, 9, 0.0), ["again", "q1"]);
        index.keep_newest(0);
        assert!(index.is_empty());
    }

    #[test]
    fn recall_1_ten_thousand_reads_find_nothing_of_another_scope() {
        let config = RecallConfig {
            time_max: std::time::Duration::ZERO,
            results_max: 3,
            score_min: -1.0,
            memories_max: 100,
        };
        let scopes: Vec<Scope> = (0..50)
            .flat_map(|chat| ["sage", "poet", "@sage"].map(|space| scope(chat, space)))
            .collect();
        let mut shelves = Shelves::default();
        for scope in &scopes {
            // The same vectors everywhere: only the key keeps them apart.
            let memories = (0..4).map(|number| {
                let lesson = lesson(*scope, number, &format!("{scope:?}"));
                Owned::halls(serde_json::to_vec(&Memory::of(&lesson, &towards(0.5))).unwrap())
            });
            let memories: Vec<Owned> = memories.collect();
            let (shelf, is_new) = shelves.open(*scope);
            assert!(is_new);
            shelf.fill(&memories, Seq(4), config.memories_max).unwrap();
        }
        let mut dice = 88_172_645_463_325_252_u64;
        for _ in 0..10_000 {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let scope = scopes[usize::try_from(dice % 150).unwrap()];
            let found = shelves.recall(scope, &towards(0.5), &config, |_| true).unwrap();
            assert_eq!(found.len(), 3);
            assert!(found.iter().all(|it| it.asked == format!("{scope:?}")), "{scope:?}");
        }
        assert!(shelves.recall(scope(77, "sage"), &towards(0.5), &config, |_| true).is_none());
    }
}
