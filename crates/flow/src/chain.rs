//! How far bots may go on among themselves in a chat while no person writes. Pure.
//!
//! Each conversation keeps its own chain in its state. What the conversations of other bots of the hall know of
//! the same chat is laid beside it; where that is not known any more, after a restart, a message of a bot counts
//! as one link more than this conversation's own last.
//!
//! Invariants: CHAIN-1 no bot is answered more than [`HOPS_MAX`] links after a person wrote. CHAIN-2 in no minute
//! are more than [`PER_MINUTE_MAX`] messages of bots answered in a chat. CHAIN-3 a chain that is cut stays cut
//! until a person writes, and it is said once.

use std::{collections::VecDeque, time::Duration};

use protocol::{
    Timestamp,
    company::{BotCut, BotLink},
};
use serde::{Deserialize, Serialize};

/// Answers to bots in a row, without a person in between.
pub const HOPS_MAX: u32 = 5;
/// Answers to bots in a chat in a minute.
pub const PER_MINUTE_MAX: usize = 20;
const MINUTE: Duration = Duration::from_secs(60);

/// What bots said to each other in a chat, as far as one conversation knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The newest answer to a bot is the how manieth in a row.
    #[serde(default)]
    hops: u32,
    /// When bots were answered, the newest last.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    recent: VecDeque<Timestamp>,
    /// No bot is answered until a person writes.
    #[serde(default)]
    is_cut: bool,
    /// When the newest link was made.
    #[serde(default)]
    at: Timestamp,
    /// When a person wrote last, as far as that ended a chain.
    #[serde(default)]
    person_at: Timestamp,
}

/// What is to become of another bot's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is answered, or the cut is said: that is recorded.
    Link(BotLink),
    /// The cut was said already.
    Silence,
}

impl Chain {
    /// True if nothing was ever said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// True if bots spoke since a person did.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        0 < self.hops || self.is_cut
    }

    /// When it was last told of anything.
    #[must_use]
    pub fn newest(&self) -> Timestamp {
        self.at.max(self.person_at)
    }

    /// Takes a link in.
    pub fn take(&mut self, link: BotLink) {
        match link {
            BotLink::Person { at } => {
                // One that is heard again after a crash does not undo what came since.
                if self.at <= at {
                    (self.hops, self.is_cut) = (0, false);
                }
                self.person_at = self.person_at.max(at);
            }
            BotLink::Answered { hops, at } => {
                self.hops = hops;
                self.at = self.at.max(at);
                self.recent.push_back(at);
                while PER_MINUTE_MAX < self.recent.len() {
                    self.recent.pop_front();
                }
            }
            BotLink::Cut { at, .. } => {
                self.is_cut = true;
                self.at = self.at.max(at);
            }
        }
    }

    /// What another conversation of the same chat knows, laid beside what is known here.
    pub fn lay_beside(&mut self, other: &Self) {
        let (mine, theirs) = (self.clone(), other);
        let person_at = mine.person_at.max(theirs.person_at);
        // What bots said before a person wrote does not count.
        let is_new = |it: &Self| person_at <= it.at;
        self.hops = [&mine, theirs]
            .into_iter()
            .filter(|it| is_new(it))
            .map(|it| it.hops)
            .max()
            .unwrap_or(0);
        self.is_cut = [&mine, theirs].into_iter().any(|it| is_new(it) && it.is_cut);
        (self.at, self.person_at) = (mine.at.max(theirs.at), person_at);
        let mut recent: Vec<Timestamp> =
            mine.recent.iter().chain(&theirs.recent).copied().collect();
        recent.sort_unstable();
        let surplus = recent.len().saturating_sub(PER_MINUTE_MAX);
        self.recent = recent.into_iter().skip(surplus).collect();
    }

    /// What becomes of a message that another bot has just written. `others` is what is known besides.
    #[must_use]
    pub fn hear(&self, others: &Self, now: Timestamp) -> Heard {
        let mut all = self.clone();
        all.lay_beside(others);
        if all.is_cut {
            return Heard::Silence;
        }
        // Whoever answers an answer of ours is one link further than that.
        let is_mine_over = self.at < all.person_at || self.hops == 0;
        let heard = if is_mine_over { all.hops } else { all.hops.max(self.hops + 1) };
        if HOPS_MAX <= heard {
            return Heard::Link(BotLink::Cut { why: BotCut::Hops, at: now }); // CHAIN-1
        }
        let is_recent = |it: &&Timestamp| now < it.plus(MINUTE);
        if PER_MINUTE_MAX <= all.recent.iter().filter(is_recent).count() {
            return Heard::Link(BotLink::Cut { why: BotCut::Pace, at: now }); // CHAIN-2
        }
        Heard::Link(BotLink::Answered { hops: heard + 1, at: now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: fn() -> Chain = Chain::default;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_000_000 + seconds * 1_000)
    }

    /// What a chain says to a message, and takes in.
    fn hear(chain: &mut Chain, others: &Chain, now: Timestamp) -> Heard {
        let heard = chain.hear(others, now);
        if let Heard::Link(link) = heard {
            chain.take(link);
        }
        heard
    }

    fn is_answer(heard: &Heard) -> bool {
        matches!(heard, Heard::Link(BotLink::Answered { .. }))
    }

    #[test]
    fn chain_1_two_bots_that_always_answer_each_other_stop_at_five_links_with_and_without_knowledge()
     {
        for knows in [true, false] {
            let mut bots = [Chain::default(), Chain::default()];
            let mut answers = 0;
            for turn in 0..40 {
                let (one, other) = (turn % 2, 1 - turn % 2);
                let others = if knows { bots[other].clone() } else { NONE() };
                match hear(&mut bots[one], &others, at(turn as u64)) {
                    Heard::Link(BotLink::Answered { hops, .. }) => {
                        answers += 1;
                        assert!(hops <= HOPS_MAX);
                    }
                    Heard::Link(BotLink::Cut { why, .. }) => {
                        assert_eq!(why, BotCut::Hops);
                        break;
                    }
                    Heard::Link(BotLink::Person { .. }) | Heard::Silence => panic!("at {turn}"),
                }
            }
            // Whoever does not know the other's first answer counts one less.
            assert!(answers == 5 || (!knows && answers == 6), "{answers}, knows: {knows}");
        }
    }

    #[test]
    fn chain_1_a_foreign_bot_that_always_answers_gets_three_answers() {
        let mut chain = Chain::default();
        let heard: Vec<Heard> = (0..6).map(|it| hear(&mut chain, &NONE(), at(it))).collect();
        assert_eq!(
            heard.iter().filter(|it| is_answer(it)).count(),
            3,
            "and it gave two: {heard:?}"
        );
        assert!(matches!(heard[3], Heard::Link(BotLink::Cut { why: BotCut::Hops, .. })));
        assert_eq!(heard[4..], [Heard::Silence; 2], "chain_3: it is said once");
    }

    #[test]
    fn chain_2_in_a_minute_no_more_than_twenty_are_answered_however_often_people_write() {
        let mut chain = Chain::default();
        let mut answers = 0;
        for second in 0..50 {
            chain.take(BotLink::Person { at: at(second) });
            match hear(&mut chain, &NONE(), at(second)) {
                Heard::Link(BotLink::Answered { .. }) => answers += 1,
                Heard::Link(BotLink::Cut { why, .. }) => assert_eq!(why, BotCut::Pace),
                Heard::Link(BotLink::Person { .. }) | Heard::Silence => panic!("at {second}"),
            }
        }
        assert_eq!(answers, 20);
        chain.take(BotLink::Person { at: at(61) });
        assert!(is_answer(&hear(&mut chain, &NONE(), at(61))), "a minute later there is room");
    }

    #[test]
    fn a_person_begins_anew_also_where_only_another_bot_heard_them() {
        let mut chain = Chain::default();
        for second in 0..5 {
            hear(&mut chain, &NONE(), at(second));
        }
        assert_eq!(hear(&mut chain, &NONE(), at(6)), Heard::Silence);
        let mut other = Chain::default();
        other.take(BotLink::Person { at: at(7) });
        assert!(is_answer(&hear(&mut chain, &other, at(8))));
        let stored = serde_json::to_vec(&chain).unwrap();
        assert_eq!(serde_json::from_slice::<Chain>(&stored).unwrap(), chain);
    }

    #[test]
    fn chain_1_and_2_hold_for_any_company_in_2_000_seeds() {
        for seed in 1..=2_000_u64 {
            let mut dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            let mut roll = |sides: u64| {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                dice % sides
            };
            let bots = 2 + usize::try_from(roll(3)).unwrap();
            let mut all = vec![Chain::default(); bots];
            let (mut now, mut in_a_row, mut answers) = (0, 0, Vec::new());
            for _ in 0..200 {
                now += roll(4);
                let one = usize::try_from(roll(bots as u64)).unwrap();
                if roll(7) == 0 {
                    all[one].take(BotLink::Person { at: at(now) });
                    now += 1;
                    in_a_row = 0;
                    continue;
                }
                let mut others = Chain::default();
                all.iter()
                    .enumerate()
                    .filter(|it| it.0 != one)
                    .for_each(|it| others.lay_beside(it.1));
                if is_answer(&hear(&mut all[one], &others, at(now))) {
                    in_a_row += 1;
                    answers.push(now);
                }
                assert!(in_a_row <= 5, "seed {seed}: {in_a_row} in a row");
                let minute = answers.iter().filter(|it| now < **it + 60).count();
                assert!(minute <= 20, "seed {seed}: {minute} in a minute");
            }
        }
    }
}
