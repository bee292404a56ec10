//! `getUpdates`: confirms by offset, waits for news, and yields to a newer poll.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{BotIndex, State, World};
use crate::api::Api;
use crate::params::Params;
use crate::queue::Update;
use crate::refusal::Refusal;

/// The longest long poll that Telegram grants.
const TIMEOUT_MAX: Duration = Duration::from_secs(50);
/// The most updates in one answer.
const LIMIT_MAX: i64 = 100;

/// What a poll asks for.
#[derive(Debug, PartialEq)]
pub(crate) struct Poll {
    offset: i64,
    pub(crate) limit: usize,
    timeout: Duration,
    allowed_updates: Option<Vec<String>>,
}

impl Poll {
    pub(crate) fn read(params: &Params<'_>) -> Result<Self, Refusal> {
        let limit = params.integer("limit").filter(|limit| (1..=LIMIT_MAX).contains(limit));
        let seconds = params.integer("timeout").and_then(|seconds| u64::try_from(seconds).ok());
        Ok(Self {
            offset: params.integer("offset").unwrap_or_default(),
            limit: usize::try_from(limit.unwrap_or(LIMIT_MAX)).unwrap_or_default(),
            timeout: Duration::from_secs(seconds.unwrap_or_default()).min(TIMEOUT_MAX),
            allowed_updates: params.object("allowed_updates")?,
        })
    }
}

impl State {
    /// Confirms what the offset says and becomes the bot's only poll; gives its number.
    pub(crate) fn begin_poll(&mut self, at: BotIndex, poll: &Poll) -> Result<u64, Refusal> {
        let bot = self.bots.get_mut(at.0).ok_or_else(Refusal::unauthorized)?;
        if bot.webhook.is_some() {
            return Err(Refusal::webhook_active());
        }
        if let Some(names) = &poll.allowed_updates {
            bot.kinds = Api::get().kinds_named(names);
        }
        bot.polls += 1;
        bot.wake.notify_waiters();
        bot.queue.expire(Instant::now());
        let offset = match usize::try_from(poll.offset.unsigned_abs()) {
            Ok(back) if poll.offset < 0 => bot.queue.id_from_end(back).unwrap_or_default(),
            _ => poll.offset,
        };
        if offset > 0 {
            let (history, stats) = (&mut self.history, &mut self.stats);
            bot.queue.confirm(offset, bot.next_update_id, |update| {
                stats.updates_confirmed += 1;
                if let Some(record) = update.record {
                    history.confirmed(record);
                }
            });
        }
        Ok(bot.polls)
    }

    /// The answer to a poll, or `None` when there is nothing yet.
    pub(crate) fn try_poll(
        &mut self,
        at: BotIndex,
        number: u64,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let bot = self.bots.get_mut(at.0).ok_or_else(Refusal::unauthorized)?;
        if bot.polls != number {
            self.stats.poll_conflicts += 1;
            return Err(Refusal::other_poller());
        }
        if bot.webhook.is_some() {
            return Err(Refusal::new(409, "Conflict: terminated by setWebhook request"));
        }
        if bot.queue.len() == 0 {
            return Ok(None);
        }
        let mut json = Vec::with_capacity(512 * limit.min(bot.queue.len()));
        json.push(b'[');
        for update in bot.queue.first(limit) {
            if json.len() > 1 {
                json.push(b',');
            }
            json.extend_from_slice(&update.json);
            self.stats.redeliveries += u64::from(update.fetched);
            update.fetched = true;
            if let Some(record) = update.record {
                self.history.fetched(record);
            }
        }
        json.push(b']');
        Ok(Some(json))
    }
}

impl State {
    /// Counts and records that a bot was given an update by its webhook.
    pub(crate) fn handed_out(&mut self, update: &Update) {
        self.stats.redeliveries += u64::from(update.fetched);
        if let Some(record) = update.record {
            self.history.fetched(record);
        }
    }
}

impl World {
    /// Answers one `getUpdates`. Cancel-safe: what a dropped poll would have given stays queued.
    pub(crate) async fn poll(&self, bot: BotIndex, poll: &Poll) -> Result<Vec<u8>, Refusal> {
        let (number, wake) = {
            let mut state = self.lock();
            (state.begin_poll(bot, poll)?, state.bot(bot).wake.clone())
        };
        let deadline = Instant::now() + poll.timeout;
        loop {
            // Listen before looking, so that nothing that happens in between is missed.
            let mut woken = std::pin::pin!(wake.notified());
            woken.as_mut().enable();
            if let Some(updates) = self.lock().try_poll(bot, number, poll.limit)? {
                return Ok(updates);
            }
            if timeout_at(deadline, woken).await.is_err() {
                return Ok(b"[]".to_vec());
            }
        }
    }
}
