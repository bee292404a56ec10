//! Which conversations leave memory to make room for others. Pure.

use std::{collections::VecDeque, time::Duration};

use protocol::SessionKey;
use tokio::time::Instant;

/// Of the room for conversations, one part in so many is for those that are silent for a moment.
const SILENT_SHARE: usize = 4;
/// That moment, and how long it is while others ring: where many talk, each waits for its turn between two words of its own,
/// and would be read anew for the next. A conversation of which something is to be done all the time rings more often.
const SILENCE: Duration = Duration::from_millis(200);
const SILENCE_AT_WORK: Duration = Duration::from_secs(2);
/// Nobody rings any more if nobody did for so long.
const LULL: Duration = Duration::from_millis(100);
/// Silent conversations that leave when one comes: one more than come, so that their number falls.
pub(super) const FOR_ONE_THAT_COMES: usize = 2;
/// How often it is looked for others that are silent, and how many leave then at most: each stores its state. More in a second than
/// conversations are answered, so that after a burst they leave as soon as they are silent.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);
pub(super) const AT_A_LOOK: usize = 256;

/// Who rang, oldest first; who was asked to rest is not in it until they ring once more. A key may be in it twice:
/// of a conversation that left and came back.
#[derive(Debug, Default)]
pub(super) struct Rings {
    queue: VecDeque<(Instant, SessionKey)>,
    last: Option<Instant>,
}

impl Rings {
    /// A conversation was taken into memory.
    pub(super) fn begin(&mut self, key: SessionKey, now: Instant) {
        self.queue.push_back((now, key));
    }

    /// One rang.
    pub(super) fn rang(&mut self, now: Instant) {
        self.last = Some(now);
    }

    /// Gives room beyond that for so many back.
    pub(super) fn shrink_to(&mut self, rings: usize) {
        self.queue.shrink_to(rings);
    }

    /// Whether so many in memory are more than there is room for when they are silent.
    pub(super) fn are_many(live: usize, live_max: usize) -> bool {
        live_max / SILENT_SHARE < live
    }

    /// Those that are to rest, of so many in memory; at most `silent_max` because they are silent. `rang` tells when
    /// one rang last, if it is there. KEEPER-3.
    pub(super) fn make_room(
        &mut self,
        live: usize,
        live_max: usize,
        silent_max: usize,
        now: Instant,
        rang: impl Fn(SessionKey) -> Option<Instant>,
    ) -> Vec<SessionKey> {
        let mut excess = live.saturating_sub(live_max);
        let mut spare = live.saturating_sub(live_max / SILENT_SHARE).min(silent_max);
        let lull = self.last.map_or(Duration::MAX, |it| now.saturating_duration_since(it));
        let silence = if lull < LULL { SILENCE_AT_WORK } else { SILENCE };
        let mut resting = Vec::new();
        while 0 < excess.max(spare) {
            let Some(&(when, key)) = self.queue.front() else { break };
            let rang = rang(key);
            let is_silent = silence <= now.saturating_duration_since(when);
            if excess == 0 && !is_silent {
                break; // All others rang later.
            }
            self.queue.pop_front();
            let Some(rang) = rang else { continue };
            if rang == when {
                resting.push(key);
            } else {
                self.queue.push_back((rang, key));
            }
            (excess, spare) = (excess.saturating_sub(1), spare.saturating_sub(1));
        }
        resting
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use protocol::{BotId, ChatId};

    use super::*;

    fn key(chat: i64) -> SessionKey {
        SessionKey { bot: BotId(1), chat: ChatId(chat), topic: None }
    }

    /// So many conversations begin, one every `pause`; each stays until it is asked to rest. Then nobody
    /// rings for a while.
    fn left_after(
        count: i64,
        pause: Duration,
        then: Duration,
        talks_on: impl Fn(i64) -> bool,
    ) -> Vec<i64> {
        let (mut rings, mut live) = (Rings::default(), BTreeMap::new());
        let mut now = Instant::now();
        for chat in 0..count {
            now += pause;
            rings.rang(now);
            rings.begin(key(chat), now);
            live.insert(chat, now);
            live.iter_mut().filter(|(chat, _)| talks_on(**chat)).for_each(|(_, rang)| *rang = now);
            let rang = |it: SessionKey| live.get(&it.chat.0).copied();
            let resting = rings.make_room(live.len(), 16, FOR_ONE_THAT_COMES, now, rang);
            live.retain(|chat, _| !resting.contains(&key(*chat)));
        }
        let rang = |it: SessionKey| live.get(&it.chat.0).copied();
        let resting = rings.make_room(live.len(), 16, usize::MAX, now + then, rang);
        live.into_keys().filter(|it| !resting.contains(&key(*it))).collect()
    }

    #[test]
    fn no_more_are_in_memory_than_there_is_room_for() {
        let left = left_after(100, Duration::from_millis(1), Duration::ZERO, |_| false);
        assert_eq!(left, (84..100).collect::<Vec<_>>());
    }

    #[test]
    fn those_that_are_silent_for_a_moment_keep_a_part_of_the_room_only() {
        let left = left_after(100, SILENCE_AT_WORK, Duration::ZERO, |_| false);
        assert_eq!(left, (96..100).collect::<Vec<_>>());
    }

    #[test]
    fn who_talks_on_stays() {
        let left = left_after(100, Duration::from_secs(1), Duration::ZERO, |chat| chat < 12);
        assert_eq!(left.iter().filter(|it| **it < 12).count(), 12, "{left:?}");
    }

    #[test]
    fn who_waits_for_a_turn_among_many_stays() {
        let pause = SILENCE_AT_WORK / 16;
        let left = left_after(100, pause, Duration::ZERO, |_| false);
        assert_eq!(left.len(), 16, "{left:?}");
        let left = left_after(100, pause, SILENCE, |_| false);
        assert_eq!(left, (96..100).collect::<Vec<_>>(), "nobody rings any more");
    }

    #[test]
    fn once_all_are_silent_a_part_of_the_room_is_enough() {
        let left = left_after(100, Duration::from_millis(1), SILENCE, |_| false);
        assert_eq!(left, (96..100).collect::<Vec<_>>());
        assert!(Rings::are_many(5, 16) && !Rings::are_many(4, 16));
    }
}
