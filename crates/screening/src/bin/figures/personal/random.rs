//! Numbers that are as good as random and the same for the same seed: SplitMix64.

/// A source of numbers.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`.
    pub(super) fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// Whether something that happens `percent` times in a hundred happens now.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.within(1, 100) <= percent
    }

    /// One of `choices`, which must not be empty.
    pub(super) fn pick<'c, T: ?Sized>(&mut self, choices: &[&'c T]) -> &'c T {
        let at = self.place(choices.len());
        choices.get(at).copied().unwrap_or_else(|| unreachable!("there is a choice"))
    }

    /// One of the choices in a list kept apart by `|`.
    pub(super) fn pick_of<'c>(&mut self, choices: &'c str) -> &'c str {
        let at = self.place(choices.split('|').count());
        choices.split('|').nth(at).unwrap_or_default()
    }

    fn place(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap_or(0)
    }

    /// `pattern` with every `#` a digit, every `%` one from 1 to 9, every `@` a capital letter and
    /// every `&` a small hexadecimal digit.
    pub(super) fn fill(&mut self, pattern: &str) -> String {
        let digit = |value: u64| char::from_digit(u32::try_from(value).unwrap_or(0), 16);
        pattern
            .chars()
            .filter_map(|mark| match mark {
                '#' => digit(self.within(0, 9)),
                '%' => digit(self.within(1, 9)),
                '&' => digit(self.within(0, 15)),
                '@' => char::from_u32(u32::try_from(self.within(65, 90)).unwrap_or(65)),
                other => Some(other),
            })
            .collect()
    }
}
