//! Whether it is worth asking a server for an answer piece by piece.
//!
//! Some servers, and some gateways before them, take a request for a stream and then hand over all
//! of it at once. Nobody sees such an answer grow, and both sides pay for an event of JSON around
//! every word. A server that does so again and again is asked for whole answers instead; as it may
//! change its ways, it is asked for a stream once a second nevertheless. So a quiet hall asks it
//! for nothing but streams, and a busy one loses sight of no more than a second's answers.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// Streams in a row that came at once before whole answers are asked for.
const AT_ONCE_MIN: u32 = 8;
/// The fewest pieces of text that show how a server streams: a word or two always come at once.
const PIECES_MIN: usize = 4;
/// How long after one stream the next is asked for, all the same.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// How the streams of one model came.
pub(super) struct Streaming {
    /// Streams in a row that came at once.
    at_once: AtomicU32,
    since: Instant,
    /// When the next stream is asked for although streams come at once, in milliseconds of `since`.
    probe_at_ms: AtomicU64,
}

impl Streaming {
    pub(super) fn new() -> Self {
        Self { at_once: AtomicU32::new(0), since: Instant::now(), probe_at_ms: AtomicU64::new(0) }
    }

    /// Whether the next answer is to be asked for as a stream.
    pub(super) fn is_worth_asking(&self, now: Instant) -> bool {
        if self.at_once.load(Relaxed) < AT_ONCE_MIN {
            return true;
        }
        let millis = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
        let elapsed = millis(now.duration_since(self.since));
        let due = |at| (at <= elapsed).then(|| elapsed.saturating_add(millis(PROBE_INTERVAL)));
        self.probe_at_ms.fetch_update(Relaxed, Relaxed, due).is_ok()
    }

    /// A stream came in more than one piece.
    pub(super) fn came_in_pieces(&self) {
        self.at_once.store(0, Relaxed);
    }

    /// A stream of so many pieces of text came at once, from its first byte to its last.
    pub(super) fn came_at_once(&self, pieces: usize) {
        if PIECES_MIN <= pieces && self.at_once.load(Relaxed) < AT_ONCE_MIN {
            self.at_once.fetch_add(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_that_come_at_once_are_asked_for_once_a_second() {
        let streaming = Streaming::new();
        let now = streaming.since;
        for _ in 0..AT_ONCE_MIN {
            assert!(streaming.is_worth_asking(now));
            streaming.came_at_once(PIECES_MIN);
        }
        let asked = |millis| streaming.is_worth_asking(now + Duration::from_millis(millis));
        assert_eq!([0, 1, 999, 1_000, 1_001].map(asked), [true, false, false, true, false]);
        streaming.came_in_pieces();
        assert!(asked(1_002) && asked(1_002));
    }

    #[test]
    fn a_word_that_comes_at_once_says_nothing() {
        let streaming = Streaming::new();
        for _ in 0..100 {
            streaming.came_at_once(PIECES_MIN - 1);
        }
        assert!(streaming.is_worth_asking(streaming.since));
        assert!(streaming.is_worth_asking(streaming.since));
    }
}
