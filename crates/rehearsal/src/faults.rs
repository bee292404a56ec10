//! Faults on demand, and the flood limits.
//!
//! Receives  what a test wants to go wrong, and each call before it is looked at.
//! Gives     the call's fate. The same seed and the same calls give the same fates.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// What should go wrong. Shares are between 0 and 1; all are off by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Methods that the shares and the latency apply to; empty means those that send or edit.
    pub methods: Vec<String>,
    /// Share of calls answered 429.
    pub too_many: f64,
    /// Bounds of `retry_after` in those answers, in seconds.
    pub retry_after: [u32; 2],
    /// Share of calls answered 500.
    pub internal: f64,
    /// Share of calls answered with the HTML page of a 502.
    pub bad_gateway: f64,
    /// Share of calls whose connection is dropped before the call is carried out.
    pub drop_before: f64,
    /// Share of calls whose connection is dropped after the call was carried out.
    pub drop_after: f64,
    /// Wait before each call, in milliseconds.
    pub latency_ms: u64,
    /// So many of the next `getUpdates` are answered 409.
    pub conflicts: u32,
    /// So many of the next calls are accepted and never answered.
    pub stalls: u32,
    /// Methods that stall; empty means all.
    pub stall_methods: Vec<String>,
    /// So many of the next calls are answered 400.
    pub rejects: u32,
    /// Methods that are; empty means all.
    pub reject_methods: Vec<String>,
}

/// The flood limits of Telegram. Zero switches a limit off; all are off by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FloodLimits {
    /// Messages in a row that one chat may get before it falls back to one a second.
    pub chat_burst: u32,
    /// Messages a minute to one group.
    pub group_per_minute: u32,
    /// Messages a second to all chats.
    pub all_per_second: u32,
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Served,
    TooMany(u32),
    Internal,
    BadGateway,
    DroppedBefore,
    DroppedAfter,
    Conflict,
    Stalled,
    Rejected,
}

impl Faults {
    fn covers(&self, method: &str) -> bool {
        if self.methods.is_empty() {
            return method.starts_with("send") || method.starts_with("edit");
        }
        self.methods.iter().any(|name| name == method)
    }

    /// Decides about one call and how long it must wait first.
    pub(crate) fn draw(&mut self, method: &str, dice: &mut Dice) -> (Fate, Duration) {
        if self.stalls > 0
            && (self.stall_methods.is_empty() || self.stall_methods.iter().any(|m| m == method))
        {
            self.stalls -= 1;
            return (Fate::Stalled, Duration::ZERO);
        }
        if self.rejects > 0
            && (self.reject_methods.is_empty() || self.reject_methods.iter().any(|m| m == method))
        {
            self.rejects -= 1;
            return (Fate::Rejected, Duration::ZERO);
        }
        if self.conflicts > 0 && method == "getUpdates" {
            self.conflicts -= 1;
            return (Fate::Conflict, Duration::ZERO);
        }
        if !self.covers(method) {
            return (Fate::Served, Duration::ZERO);
        }
        let wait = Duration::from_millis(self.latency_ms);
        let mut left = dice.share();
        let mut hit = |share: f64| {
            left -= share;
            left < 0.0
        };
        let fate = if hit(self.too_many) {
            let [low, high] = self.retry_after;
            Fate::TooMany(dice.between(low.max(1), high.max(low).max(1)))
        } else if hit(self.internal) {
            Fate::Internal
        } else if hit(self.bad_gateway) {
            Fate::BadGateway
        } else if hit(self.drop_before) {
            Fate::DroppedBefore
        } else if hit(self.drop_after) {
            Fate::DroppedAfter
        } else {
            Fate::Served
        };
        (fate, wait)
    }
}

/// A seeded source of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 up to but not 1.
    fn share(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let numerator = (self.next() >> 11) as f64;
        numerator / 9_007_199_254_740_992.0
    }

    fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high - low) + 1;
        low + u32::try_from(self.next() % span).unwrap_or_default()
    }
}

/// When each limit has room again: one theoretical arrival time per limit (GCRA).
#[derive(Debug, Default)]
pub(crate) struct Flood {
    all: Option<Instant>,
    chats: HashMap<i64, Instant>,
    groups: HashMap<i64, Instant>,
}

impl Flood {
    /// Lets one message to `chat` pass, or says how many seconds to wait.
    pub(crate) fn admit(
        &mut self,
        limits: &FloodLimits,
        chat: i64,
        now: Instant,
    ) -> Result<(), u32> {
        let second = Duration::from_secs(1);
        let minute = Duration::from_secs(60);
        let room = |due: Option<Instant>, burst: u32, every: Duration| {
            let due = due.unwrap_or(now).max(now);
            let ahead = every * burst.saturating_sub(1);
            let early = due.checked_duration_since(now).unwrap_or_default();
            (due + every, early.saturating_sub(ahead))
        };
        let mut wait = Duration::ZERO;
        let mut plan = (None, None, None);
        if limits.all_per_second > 0 {
            let every = second / limits.all_per_second;
            let (next, late) = room(self.all, limits.all_per_second, every);
            (plan.0, wait) = (Some(next), wait.max(late));
        }
        if limits.chat_burst > 0 {
            let due = self.chats.get(&chat).copied();
            let (next, late) = room(due, limits.chat_burst, second);
            (plan.1, wait) = (Some(next), wait.max(late));
        }
        if limits.group_per_minute > 0 && chat < 0 {
            let every = minute / limits.group_per_minute;
            let due = self.groups.get(&chat).copied();
            let (next, late) = room(due, limits.group_per_minute, every);
            (plan.2, wait) = (Some(next), wait.max(late));
        }
        if !wait.is_zero() {
            let seconds = wait.as_millis().div_ceil(1000);
            return Err(u32::try_from(seconds).unwrap_or(u32::MAX));
        }
        self.all = plan.0.or(self.all);
        if let Some(next) = plan.1 {
            self.chats.insert(chat, next);
        }
        if let Some(next) = plan.2 {
            self.groups.insert(chat, next);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_fates() {
        let draw = || {
            let mut faults =
                Faults { too_many: 0.3, internal: 0.3, retry_after: [1, 30], ..Faults::default() };
            let mut dice = Dice::new(7);
            (0..50).map(|_| faults.draw("sendMessage", &mut dice).0).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
        assert!(draw().contains(&Fate::Internal));
        assert!(draw().contains(&Fate::Served));
    }

    #[test]
    fn conflicts_count_down_and_touch_only_polls() {
        let mut faults = Faults { conflicts: 1, ..Faults::default() };
        let mut dice = Dice::new(1);
        assert_eq!(faults.draw("sendMessage", &mut dice).0, Fate::Served);
        assert_eq!(faults.draw("getUpdates", &mut dice).0, Fate::Conflict);
        assert_eq!(faults.draw("getUpdates", &mut dice).0, Fate::Served);
    }

    #[test]
    fn a_chat_gets_its_burst_and_then_one_a_second() {
        let limits = FloodLimits { chat_burst: 3, ..FloodLimits::default() };
        let mut flood = Flood::default();
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(flood.admit(&limits, 5, now), Ok(()));
        }
        assert_eq!(flood.admit(&limits, 5, now), Err(1));
        assert_eq!(flood.admit(&limits, 6, now), Ok(()), "another chat");
        let later = now + Duration::from_secs(1);
        assert_eq!(flood.admit(&limits, 5, later), Ok(()));
        assert_eq!(flood.admit(&limits, 5, later), Err(1));
    }

    #[test]
    fn a_group_gets_twenty_a_minute() {
        let limits = FloodLimits { group_per_minute: 20, ..FloodLimits::default() };
        let mut flood = Flood::default();
        let now = Instant::now();
        let passed = (0..40).filter(|_| flood.admit(&limits, -5, now).is_ok()).count();
        assert_eq!(passed, 20);
    }
}
