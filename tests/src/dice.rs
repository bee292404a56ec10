//! Seeded randomness that says its seed, so that a failure can be played again.

use std::time::Duration;

/// A source of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of a test. `GUILDHALL_SEED` wins over `usual`; either way the seed is printed.
    #[must_use]
    #[expect(clippy::print_stdout, reason = "the seed of a failed test must be seen")]
    pub fn of(test: &str, usual: u64) -> Self {
        let given = std::env::var("GUILDHALL_SEED").ok().and_then(|it| it.parse().ok());
        let seed = given.unwrap_or(usual);
        println!("{test}: GUILDHALL_SEED={seed}");
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 up to but not `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll().checked_rem(end).unwrap_or_default()
    }

    /// A span of whole milliseconds from `from` up to but not `to`.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to.saturating_sub(from)))
    }
}
