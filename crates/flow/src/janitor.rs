//! Takes out of the ledger what is older than it is to be kept, as long as the clock can be trusted.
//!
//! Receives  nothing: it looks by itself, every few minutes.
//! Sends     `Expire`, to memory, step by step.
//! Owns      its trust in the clock.
//! On crash  nothing is lost: it begins to look again, and to trust again.
//!
//! Invariants: JANITOR-1 after the wall clock has jumped by more than an hour against the monotonic
//! one, and after a start at a time far from the newest update's, nothing is taken out before both
//! have gone together for hours. JANITOR-2 a time of zero keeps everything.

use std::{sync::Arc, time::Duration};

use kit::{Actor, Cx, Fault, Mailbox, ask};
use protocol::{
    Clock, Timestamp,
    ledger::{Expiry, Ledger},
};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::memory;

/// How long each kind of record is kept; `None` for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events of conversations, and what a silent one has at hand.
    pub conversations: Option<Duration>,
    /// Updates that could not be read.
    pub quarantine: Option<Duration>,
    /// Updates as received, once they are answered.
    pub raw_updates: Option<Duration>,
}

impl Retention {
    /// Up to when things have expired. JANITOR-2.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Expiry {
        let before = |span: Option<Duration>| {
            let span = span.filter(|it| !it.is_zero())?;
            let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
            now.0.checked_sub(span).map(Timestamp)
        };
        Expiry {
            conversations: before(self.conversations),
            quarantine: before(self.quarantine),
            raw_updates: before(self.raw_updates),
        }
    }
}

/// A difference of the clocks that is no drift.
const JUMP: Duration = Duration::from_secs(60 * 60);
/// How long they must go together after it.
const STEADY: Duration = Duration::from_secs(6 * 60 * 60);
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// Between two steps, so that others have their turn.
const PAUSE: Duration = Duration::from_millis(20);

/// Whether the wall clock can be trusted, by comparing it with the monotonic one.
#[derive(Clone, Copy, Debug)]
pub struct Trust {
    /// What the clocks showed when they began to go together.
    wall: Timestamp,
    monotonic: Duration,
    /// How long they must.
    steady: Duration,
}

impl Trust {
    /// At the start, the newest update, which was recorded between two times, says what time it was.
    #[must_use]
    pub fn begin(
        wall: Timestamp,
        monotonic: Duration,
        newest: Option<(Timestamp, Timestamp)>,
    ) -> Self {
        let is_far = newest.is_some_and(|(from, to)| JUMP < apart(wall.clamp(from, to), wall));
        Self { wall, monotonic, steady: if is_far { STEADY } else { Duration::ZERO } }
    }

    /// Looks at both clocks. True if they have gone together long enough. JANITOR-1.
    #[must_use]
    pub fn look(&mut self, wall: Timestamp, monotonic: Duration) -> bool {
        let passed = monotonic.saturating_sub(self.monotonic);
        if JUMP < apart(self.wall.plus(passed), wall) {
            *self = Self { wall, monotonic, steady: STEADY };
            return false;
        }
        self.steady <= passed
    }
}

fn apart(one: Timestamp, other: Timestamp) -> Duration {
    Duration::from_millis(one.0.abs_diff(other.0))
}

// === The shell: carries out effects. No decisions here. ===

/// A supervised janitor.
pub struct Janitor {
    retention: Retention,
    memory: Mailbox<memory::Msg>,
    clock: Arc<dyn Clock>,
    born: Instant,
    trust: Trust,
    trusted: bool,
}

impl std::fmt::Debug for Janitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Janitor").field("trust", &self.trust).finish_non_exhaustive()
    }
}

impl Janitor {
    /// The factory given to the supervisor: a restart begins to trust anew.
    #[must_use]
    pub fn incarnate(
        retention: Retention,
        memory: Mailbox<memory::Msg>,
        ledger: &dyn Ledger,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let born = Instant::now();
        let trust = Trust::begin(clock.now(), Duration::ZERO, ledger.newest());
        Self { retention, memory, clock, born, trust, trusted: true }
    }

    fn look(&mut self, cx: &mut Cx<'_, Self>) {
        let now = self.clock.now();
        let trusted = self.trust.look(now, self.born.elapsed());
        if !trusted && self.trusted {
            warn!(
                event.action = "clock_not_trusted",
                "the clock has jumped, or the hall was away: nothing expires for some hours"
            );
        }
        self.trusted = trusted;
        match trusted {
            true => self.step(self.retention.at(now), 0, cx),
            false => Self::look_later(cx),
        }
    }

    fn look_later(cx: &mut Cx<'_, Self>) {
        cx.after(LOOK_EVERY, |janitor, cx| {
            janitor.look(cx);
            Ok(())
        });
    }

    /// One step after the other, until the round is over.
    fn step(&mut self, expiry: Expiry, before: u64, cx: &mut Cx<'_, Self>) {
        if expiry == Expiry::default() {
            return Self::look_later(cx);
        }
        let memory = self.memory.clone();
        let work = async move { ask(&memory, |reply| memory::Msg::Expire(expiry, reply)).await };
        cx.when(work, move |_, done, cx| {
            let Ok(Ok(done)) = done else {
                Self::look_later(cx);
                return Ok(());
            };
            let records = before + done.records;
            if done.more {
                cx.after(PAUSE, move |janitor, cx| {
                    janitor.step(expiry, records, cx);
                    Ok(())
                });
                return Ok(());
            }
            if 0 < records {
                info!(
                    event.action = "retention_enforced",
                    labels.records = records,
                    "what was older than it is to be kept was taken out"
                );
            }
            Self::look_later(cx);
            Ok(())
        });
    }
}

/// A janitor is told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Msg {}

impl Actor for Janitor {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.look(cx);
        Ok(())
    }

    fn handle(&mut self, msg: Msg, _: &mut Cx<'_, Self>) -> Result<(), Fault> {
        match msg {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;
    const NOON: Timestamp = Timestamp(1_800_000_000_000);

    fn at(seconds: u64) -> Timestamp {
        NOON.plus(Duration::from_secs(seconds))
    }

    fn look(trust: &mut Trust, wall: u64, monotonic: u64) -> bool {
        trust.look(at(wall), Duration::from_secs(monotonic))
    }

    #[test]
    fn janitor_1_a_jump_of_more_than_an_hour_is_not_believed_before_six_steady_ones() {
        let year = 365 * 24 * HOUR;
        for jump in [HOUR + 1, 24 * HOUR, year] {
            let mut trust = Trust::begin(NOON, Duration::ZERO, Some((NOON, NOON)));
            assert!(look(&mut trust, 600, 600), "steady clocks are trusted at once");
            for tick in 0..36 {
                let passed = 1_200 + 600 * tick;
                assert!(!look(&mut trust, jump + passed, passed), "{jump} {tick}");
            }
            assert!(look(&mut trust, jump + 1_200 + 6 * HOUR, 1_200 + 6 * HOUR));
            // And back again.
            assert!(!look(&mut trust, 7 * HOUR + 600, 7 * HOUR + 600));
        }
    }

    #[test]
    fn janitor_1_many_small_steps_are_a_jump_too() {
        let mut trust = Trust::begin(NOON, Duration::ZERO, Some((NOON, NOON)));
        // A minute too much with every ten: after 60 of them they are an hour apart.
        let trusted: Vec<u64> =
            (1..=96).filter(|tick| look(&mut trust, 660 * tick, 600 * tick)).collect();
        assert_eq!(trusted, (1..=60).collect::<Vec<_>>());
    }

    #[test]
    fn janitor_1_a_start_far_from_the_newest_update_is_not_believed_either() {
        for newest in [Timestamp(NOON.0 - 86_400_000), Timestamp(NOON.0 + 86_400_000)] {
            let mut trust = Trust::begin(NOON, Duration::ZERO, Some((newest, newest)));
            assert!(!look(&mut trust, 5 * HOUR, 5 * HOUR));
            assert!(look(&mut trust, 6 * HOUR, 6 * HOUR));
        }
        let mut trust = Trust::begin(NOON, Duration::ZERO, None);
        assert!(look(&mut trust, 0, 0), "in an empty ledger nothing can expire");
    }

    #[test]
    fn janitor_1_a_start_soon_after_the_newest_update_is_believed() {
        // It is known to some hours when that was.
        let around = (Timestamp(NOON.0 - 3_600_000), Timestamp(NOON.0 + 5 * 3_600_000));
        let just_over = (Timestamp(NOON.0 - 6 * 3_600_000), Timestamp(NOON.0 - 600_000));
        for newest in [around, just_over] {
            let mut trust = Trust::begin(NOON, Duration::ZERO, Some(newest));
            assert!(look(&mut trust, 0, 0), "{newest:?}");
        }
    }

    #[test]
    fn janitor_2_zero_keeps_everything() {
        let day = Duration::from_secs(24 * HOUR);
        let retention = Retention {
            conversations: Some(Duration::ZERO),
            quarantine: Some(day),
            raw_updates: None,
        };
        let yesterday = Some(Timestamp(NOON.0 - 86_400_000));
        let expected = Expiry { quarantine: yesterday, ..Expiry::default() };
        assert_eq!(retention.at(NOON), expected);
        assert_eq!(retention.at(Timestamp(5)), Expiry::default(), "a clock near zero");
    }
}
