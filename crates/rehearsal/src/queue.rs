//! One bot's updates that wait to be confirmed.
//!
//! Owns      the updates, in the order they happened, and while a webhook is set one lane per chat.
//! Gives     what a poll may see, or the next lane that may be delivered.
//!
//! Invariants: QUEUE-1 an update stays until it is confirmed or expired. QUEUE-2 a lane hands out one update at a time,
//! in order.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

/// How long Telegram keeps an update that nobody fetched.
pub(crate) const UPDATE_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// How far past the newest update an offset may point before Telegram no longer believes it.
const OFFSET_AHEAD_MAX: i64 = 10;

/// One update on its way to a bot.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub(crate) id: i64,
    /// The lane: the chat it belongs to, or 0.
    pub(crate) chat: i64,
    pub(crate) json: Bytes,
    pub(crate) created: Instant,
    /// Where the history keeps it, if it does.
    pub(crate) record: Option<usize>,
    /// Came with an id of its own from a test: confirmed only after it was fetched.
    pub(crate) irregular: bool,
    pub(crate) fetched: bool,
}

/// See the file head.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Place of the first item of `items`.
    base: u64,
    /// `None` where an update was confirmed out of turn.
    items: VecDeque<Option<Update>>,
    live: usize,
    irregular: usize,
    lanes: Option<Lanes>,
}

#[derive(Debug, Default)]
struct Lanes {
    waiting: HashMap<i64, VecDeque<u64>>,
    ready: VecDeque<i64>,
}

impl Lanes {
    fn add(&mut self, chat: i64, place: u64) {
        let lane = self.waiting.entry(chat).or_default();
        lane.push_back(place);
        if lane.len() == 1 {
            self.ready.push_back(chat);
        }
    }
}

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn push(&mut self, update: Update) {
        let place = self.base + self.items.len() as u64;
        if let Some(lanes) = &mut self.lanes {
            lanes.add(update.chat, place);
        }
        self.live += 1;
        self.irregular += usize::from(update.irregular);
        self.items.push_back(Some(update));
    }

    /// Drops everything, and says what it was.
    pub(crate) fn clear(&mut self) -> Vec<Update> {
        self.base += self.items.len() as u64;
        self.live = 0;
        self.irregular = 0;
        if let Some(lanes) = &mut self.lanes {
            *lanes = Lanes::default();
        }
        self.items.drain(..).flatten().collect()
    }

    /// Confirms everything below `offset`, calling `gone` for each, unless no such update can exist yet.
    pub(crate) fn confirm(&mut self, offset: i64, next_id: i64, mut gone: impl FnMut(&Update)) {
        if self.irregular == 0 {
            if offset > next_id + OFFSET_AHEAD_MAX {
                return;
            }
            while let Some(front) = self.items.front() {
                match front {
                    Some(update) if update.id >= offset => break,
                    Some(update) => {
                        gone(update);
                        self.live -= 1;
                    }
                    None => {}
                }
                self.items.pop_front();
                self.base += 1;
            }
            return;
        }
        for slot in &mut self.items {
            if let Some(update) = slot.take_if(|u| u.id < offset && (u.fetched || !u.irregular)) {
                gone(&update);
                self.live -= 1;
                self.irregular -= usize::from(update.irregular);
            }
        }
        self.trim();
    }

    /// Drops what is older than Telegram keeps.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(front) = self.items.front() {
            match front {
                Some(update) if now.duration_since(update.created) < UPDATE_LIFETIME => break,
                Some(update) => {
                    self.live -= 1;
                    self.irregular -= usize::from(update.irregular);
                }
                None => {}
            }
            self.items.pop_front();
            self.base += 1;
        }
    }

    /// The id a negative offset points to: the `back`-th update from the end, or the oldest.
    pub(crate) fn id_from_end(&self, back: usize) -> Option<i64> {
        let back = back.min(self.live).max(1);
        self.items.iter().rev().flatten().nth(back - 1).map(|update| update.id)
    }

    /// The oldest updates, at most `limit`.
    pub(crate) fn first(&mut self, limit: usize) -> impl Iterator<Item = &mut Update> {
        self.items.iter_mut().flatten().take(limit)
    }

    /// Begins to keep lanes, for a webhook.
    pub(crate) fn open_lanes(&mut self) {
        let mut lanes = Lanes::default();
        for (place, update) in (self.base..).zip(&self.items) {
            if let Some(update) = update {
                lanes.add(update.chat, place);
            }
        }
        self.lanes = Some(lanes);
    }

    /// Stops keeping lanes; what was not delivered waits for polls.
    pub(crate) fn close_lanes(&mut self) {
        self.lanes = None;
    }

    /// Takes the next lane that is not being delivered: its chat, the place, and the update to send.
    pub(crate) fn take_lane(&mut self) -> Option<(u64, Update)> {
        loop {
            let lanes = self.lanes.as_mut()?;
            let chat = lanes.ready.pop_front()?;
            let Some(place) = lanes.waiting.get(&chat).and_then(|lane| lane.front().copied())
            else {
                continue;
            };
            match self.at(place) {
                Some(update) => {
                    let handed_out = update.clone();
                    update.fetched = true;
                    return Some((place, handed_out));
                }
                // It expired while it waited.
                None => self.leave_lane(chat, place),
            }
        }
    }

    fn at(&mut self, place: u64) -> Option<&mut Update> {
        let index = usize::try_from(place.checked_sub(self.base)?).ok()?;
        self.items.get_mut(index)?.as_mut()
    }

    /// Confirms the update in that place and lets its lane go on.
    pub(crate) fn delivered(&mut self, chat: i64, place: u64) -> Option<Update> {
        let index = place.checked_sub(self.base).and_then(|index| usize::try_from(index).ok());
        let update = index.and_then(|index| self.items.get_mut(index)).and_then(Option::take);
        if let Some(update) = &update {
            self.live -= 1;
            self.irregular -= usize::from(update.irregular);
        }
        self.trim();
        self.leave_lane(chat, place);
        update
    }

    fn leave_lane(&mut self, chat: i64, place: u64) {
        let Some(lanes) = &mut self.lanes else { return };
        let Some(lane) = lanes.waiting.get_mut(&chat) else { return };
        if lane.front() == Some(&place) {
            lane.pop_front();
            if lane.is_empty() {
                lanes.waiting.remove(&chat);
            } else {
                lanes.ready.push_back(chat);
            }
        }
    }

    /// Offers a lane again whose delivery failed.
    pub(crate) fn retry_lane(&mut self, chat: i64) {
        if let Some(lanes) = &mut self.lanes
            && lanes.waiting.contains_key(&chat)
            && !lanes.ready.contains(&chat)
        {
            lanes.ready.push_back(chat);
        }
    }

    fn trim(&mut self) {
        while matches!(self.items.front(), Some(None)) {
            self.items.pop_front();
            self.base += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(id: i64, chat: i64) -> Update {
        Update {
            id,
            chat,
            json: Bytes::new(),
            created: Instant::now(),
            record: None,
            irregular: false,
            fetched: false,
        }
    }

    fn ids(queue: &mut Queue) -> Vec<i64> {
        queue.first(100).map(|update| update.id).collect()
    }

    #[tokio::test]
    async fn queue_1_an_offset_confirms_everything_below_it_and_no_more() {
        let mut queue = Queue::default();
        (10..15).for_each(|id| queue.push(update(id, 1)));
        queue.confirm(12, 15, |_| {});
        assert_eq!(ids(&mut queue), [12, 13, 14]);
        queue.confirm(4000, 15, |_| {});
        assert_eq!(ids(&mut queue), [12, 13, 14], "an offset from another life is not believed");
        assert_eq!(queue.id_from_end(1), Some(14));
        assert_eq!(queue.id_from_end(99), Some(12));
    }

    #[tokio::test]
    async fn queue_1_an_id_out_of_order_is_seen_once_before_it_is_confirmed() {
        let mut queue = Queue::default();
        queue.push(update(100, 1));
        queue.push(Update { irregular: true, ..update(5, 1) });
        queue.confirm(101, 101, |_| {});
        assert_eq!(ids(&mut queue), [5]);
        queue.first(1).for_each(|update| update.fetched = true);
        queue.confirm(101, 101, |_| {});
        assert_eq!(queue.len(), 0);
    }

    #[tokio::test]
    async fn queue_2_a_lane_gives_one_at_a_time_and_other_lanes_go_on() {
        let mut queue = Queue::default();
        queue.push(update(1, 7));
        queue.open_lanes();
        queue.push(update(2, 7));
        queue.push(update(3, 8));
        let (first, one) = queue.take_lane().unwrap();
        let (_, three) = queue.take_lane().unwrap();
        assert_eq!((one.id, three.id), (1, 3));
        assert!(queue.take_lane().is_none());
        queue.delivered(7, first);
        assert_eq!(queue.take_lane().unwrap().1.id, 2);
    }
}
