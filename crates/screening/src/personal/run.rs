//! How a text is looked at: bytes that may lie outside it, and groups of digits.

use std::ops::Range;

/// Groups of digits looked at together. More are no number of a person.
pub(super) const GROUPS_MAX: usize = 12;
/// Digits looked at together.
pub(super) const DIGITS_MAX: usize = 24;

/// A text by its bytes. Outside of it, every byte is 0.
#[derive(Clone, Copy)]
pub(super) struct Text<'t> {
    text: &'t str,
    bytes: &'t [u8],
}

impl<'t> Text<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, bytes: text.as_bytes() }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn at(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The byte before `at`.
    pub(super) fn before(&self, at: usize) -> u8 {
        at.checked_sub(1).map_or(0, |at| self.at(at))
    }

    /// The byte two before `at`.
    pub(super) fn before_that(&self, at: usize) -> u8 {
        at.checked_sub(2).map_or(0, |at| self.at(at))
    }

    pub(super) fn is_digit(&self, at: usize) -> bool {
        self.at(at).is_ascii_digit()
    }

    pub(super) fn is_word(&self, at: usize) -> bool {
        self.at(at).is_ascii_alphanumeric()
    }

    /// A part of the text; empty if it does not lie on character boundaries.
    pub(super) fn part(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    pub(super) fn bytes(&self, range: Range<usize>) -> &'t [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// The first byte from `at` on that `accepts` does not, or the end.
    pub(super) fn skip(&self, at: usize, accepts: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().position(|&byte| !accepts(byte)).unwrap_or(rest.len())
    }

    /// Where the stretch that `accepts` ending before `at` begins, not before `floor`.
    pub(super) fn skip_back(&self, at: usize, floor: usize, accepts: impl Fn(u8) -> bool) -> usize {
        let head = self.bytes.get(floor..at).unwrap_or_default();
        at - head.iter().rev().position(|&byte| !accepts(byte)).unwrap_or(head.len())
    }

    /// Whether a number that begins at `at` is the rest of something longer: a UUID, a decimal,
    /// a time.
    pub(super) fn is_attached_before(&self, at: usize) -> bool {
        match self.before(at) {
            b'_' => true,
            b'-' => self.before_that(at).is_ascii_alphanumeric(),
            b'.' | b',' | b':' | b'/' | b'\'' => self.before_that(at).is_ascii_digit(),
            byte => byte.is_ascii_alphanumeric(),
        }
    }

    /// Whether a number that ends before `at` goes on as something longer.
    pub(super) fn is_attached_after(&self, at: usize) -> bool {
        match self.at(at) {
            b'_' => true,
            b'-' => self.is_word(at + 1),
            b'.' => self.is_digit(at + 1),
            byte => byte.is_ascii_alphanumeric(),
        }
    }
}

/// What stands between two groups of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing: the first group.
    First,
    /// One space.
    Space,
    /// A hyphen or a dash.
    Dash,
    /// A full stop.
    Dot,
    /// A full stop and a space, as in a German date or at the end of a sentence.
    Stop,
    /// A slash.
    Slash,
    /// A parenthesis, with or without a space.
    Paren,
    /// A dash or slash between spaces.
    Wide,
}

/// Digits without anything between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    /// What stands before it.
    pub(super) gap: Gap,
    /// How many digits there are up to its end.
    upto: usize,
}

/// Groups of digits that could be one number.
#[derive(Debug)]
pub(super) struct Run {
    groups: [Group; GROUPS_MAX],
    sizes: [usize; GROUPS_MAX],
    count: usize,
    digits: [u8; DIGITS_MAX],
}

impl Run {
    /// The groups of digits from `start` on, where a digit must stand. No groups if the first is
    /// too long.
    pub(super) fn at(text: &Text<'_>, start: usize) -> Self {
        let none = Group { start, end: start, gap: Gap::First, upto: 0 };
        let (groups, sizes) = ([none; GROUPS_MAX], [0; GROUPS_MAX]);
        let mut run = Self { groups, sizes, count: 0, digits: [0; DIGITS_MAX] };
        let mut next = Some((Gap::First, start));
        while let Some((gap, start)) = next {
            // Two more than fit are enough to know that it is too long.
            let limit = (start + DIGITS_MAX + 2).min(text.len());
            let digits = text.bytes(start..limit);
            let end = start + digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !run.push(text, gap, start..end) {
                break;
            }
            next = gap_after(text, end);
        }
        run
    }

    fn push(&mut self, text: &Text<'_>, gap: Gap, range: Range<usize>) -> bool {
        let have = self.digits_up_to(self.count).len();
        let upto = have + range.len();
        let values = text.bytes(range.clone());
        let (Some(room), Some(group), Some(size)) = (
            self.digits.get_mut(have..upto),
            self.groups.get_mut(self.count),
            self.sizes.get_mut(self.count),
        ) else {
            return false;
        };
        for (room, value) in room.iter_mut().zip(values) {
            *room = value - b'0';
        }
        *group = Group { start: range.start, end: range.end, gap, upto };
        *size = range.len();
        self.count += 1;
        true
    }

    pub(super) fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    /// How many digits each group has.
    pub(super) fn sizes(&self) -> &[usize] {
        self.sizes.get(..self.count).unwrap_or_default()
    }

    /// The digits of the first `count` groups, as values.
    pub(super) fn digits_up_to(&self, count: usize) -> &[u8] {
        let last = count.checked_sub(1).and_then(|at| self.groups().get(at));
        self.digits.get(..last.map_or(0, |it| it.upto)).unwrap_or_default()
    }

    /// One past the last byte of the first `count` groups.
    pub(super) fn end_of(&self, count: usize) -> usize {
        let group = count.checked_sub(1).and_then(|at| self.groups.get(at));
        group.map_or(0, |group| group.end)
    }

    /// What stands before group number `at`, if there is one.
    pub(super) fn gap(&self, at: usize) -> Option<Gap> {
        self.groups().get(at).map(|group| group.gap)
    }

    /// Whether the first `count` groups are kept apart by `gap` and nothing else.
    pub(super) fn is_even(&self, count: usize, gap: Gap) -> bool {
        self.groups().iter().take(count).skip(1).all(|group| group.gap == gap)
    }
}

/// What stands after `end`, and where the digits after it begin.
fn gap_after(text: &Text<'_>, end: usize) -> Option<(Gap, usize)> {
    let (mut marks, mut count, mut at) = ([0_u8; 4], 0, end);
    while !text.is_digit(at) {
        let (mark, bytes) = match (text.at(at), text.at(at + 1), text.at(at + 2)) {
            // Hyphen, hyphen that does not break, en dash, em dash.
            (0xE2, 0x80, 0x90 | 0x91 | 0x93 | 0x94) => (b'-', 3),
            (mark @ (b' ' | b'-' | b'.' | b'/' | b'(' | b')'), _, _) => (mark, 1),
            _ => return None,
        };
        *marks.get_mut(count)? = mark;
        count += 1;
        at += bytes;
    }
    let gap = match marks.get(..count)? {
        b" " => Gap::Space,
        b"-" => Gap::Dash,
        b"." => Gap::Dot,
        b". " => Gap::Stop,
        b"/" => Gap::Slash,
        b" - " | b" / " => Gap::Wide,
        b"(" | b" (" | b")" | b") " | b")-" | b")/" | b") (" => Gap::Paren,
        _ => return None,
    };
    Some((gap, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_gaps_are_read_up_to_what_is_no_gap() {
        let text = Text::new("(030) 12-34 – 56, 7");
        let run = Run::at(&text, 1);
        assert_eq!(run.sizes(), [3, 2, 2, 2]);
        let gaps: Vec<Gap> = run.groups().iter().map(|group| group.gap).collect();
        assert_eq!(gaps, [Gap::First, Gap::Paren, Gap::Dash, Gap::Wide]);
        assert_eq!(run.digits_up_to(2), [0, 3, 0, 1, 2]);
        assert_eq!(run.end_of(2), 8);
    }

    #[test]
    fn a_run_holds_no_more_than_fits() {
        let text = "7".repeat(25);
        assert!(Run::at(&Text::new(&text), 0).groups().is_empty());
        let text = "7 ".repeat(25);
        assert_eq!(Run::at(&Text::new(&text), 0).groups().len(), GROUPS_MAX);
    }
}
