//! Making updates and putting them into the bots' queues.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::{BotIndex, State, World, WorldError};
use crate::api::Api;
use crate::clock::unix_ms;
use crate::history::UpdateRecord;
use crate::queue::Update;

/// What became of an update that a test pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// Its id.
    pub update_id: i64,
    /// Whether it was queued; the bot may not want its kind.
    pub queued: bool,
}

/// An update about to be queued.
pub(crate) struct NewUpdate<'a> {
    pub(crate) kind: &'a str,
    /// The payload as JSON.
    pub(crate) payload: &'a [u8],
    pub(crate) chat: i64,
    pub(crate) message_id: i64,
    pub(crate) text: &'a str,
}

impl State {
    /// Queues an update for a bot under the next id; `None` when the bot does not want its kind.
    pub(crate) fn push(&mut self, bot: BotIndex, new: &NewUpdate<'_>) -> Option<i64> {
        if !Api::get().wants(self.bot(bot).kinds, new.kind) {
            return None;
        }
        let id = self.bot(bot).next_update_id;
        self.bot_mut(bot).next_update_id += 1;
        let mut json = Vec::with_capacity(new.payload.len() + new.kind.len() + 40);
        json.extend_from_slice(b"{\"update_id\":");
        json.extend_from_slice(id.to_string().as_bytes());
        json.extend_from_slice(b",\"");
        json.extend_from_slice(new.kind.as_bytes());
        json.extend_from_slice(b"\":");
        json.extend_from_slice(new.payload);
        json.push(b'}');
        self.enqueue(bot, id, new, json.into(), false);
        Some(id)
    }

    fn enqueue(
        &mut self,
        bot: BotIndex,
        id: i64,
        new: &NewUpdate<'_>,
        json: Bytes,
        irregular: bool,
    ) {
        self.stats.updates_pushed += 1;
        let record = if self.history.is_on() {
            self.history.update(UpdateRecord {
                bot: self.bot(bot).id,
                update_id: id,
                kind: new.kind.to_owned(),
                chat: new.chat,
                message_id: new.message_id,
                text: new.text.to_owned(),
                created: unix_ms(),
                fetched: None,
                fetches: 0,
                confirmed: None,
            })
        } else {
            None
        };
        let bot = self.bot_mut(bot);
        bot.queue.push(Update {
            id,
            chat: new.chat,
            json,
            created: Instant::now(),
            record,
            irregular,
            fetched: false,
        });
        bot.wake.notify_waiters();
    }
}

impl World {
    /// Pushes an update as a test wrote it: `{"update_id"?, "<kind>": {…}}`.
    ///
    /// With an id of its own, it is queued even out of order, and handed out at least once whatever the offset says.
    ///
    /// # Errors
    /// No such bot, or not an object with one kind in it.
    pub fn push_update(&self, bot: i64, update: &Value) -> Result<Pushed, WorldError> {
        let bad = |reason: &str| WorldError::BadUpdate(reason.to_owned());
        let object = update.as_object().ok_or_else(|| bad("not an object"))?;
        let given = object.get("update_id");
        let (kind, payload) =
            object.iter().find(|(name, _)| *name != "update_id").ok_or_else(|| bad("no kind"))?;
        let chat = payload.pointer("/chat/id").or_else(|| payload.pointer("/message/chat/id"));
        let text = payload.get("text").or_else(|| payload.get("data")).and_then(Value::as_str);
        let json = payload.to_string();
        let new = NewUpdate {
            kind,
            payload: json.as_bytes(),
            chat: chat.and_then(Value::as_i64).unwrap_or_default(),
            message_id: payload.get("message_id").and_then(Value::as_i64).unwrap_or_default(),
            text: text.unwrap_or_default(),
        };
        let mut state = self.lock();
        let bot = state.bot_with_id(bot).ok_or(WorldError::NoSuchBot)?;
        let Some(given) = given else {
            let id = state.push(bot, &new);
            let update_id = id.unwrap_or_else(|| state.bot(bot).next_update_id);
            return Ok(Pushed { update_id, queued: id.is_some() });
        };
        let update_id = given.as_i64().ok_or_else(|| bad("update_id is not an integer"))?;
        let queued = Api::get().wants(state.bot(bot).kinds, kind);
        if queued {
            state.enqueue(bot, update_id, &new, update.to_string().into(), true);
        }
        Ok(Pushed { update_id, queued })
    }

    /// Pushes bytes as they are, valid JSON or not, under an id that is only used to confirm them.
    ///
    /// # Errors
    /// No such bot.
    pub fn push_raw(&self, bot: i64, update_id: i64, json: Bytes) -> Result<(), WorldError> {
        let mut state = self.lock();
        let bot = state.bot_with_id(bot).ok_or(WorldError::NoSuchBot)?;
        let new = NewUpdate { kind: "raw", payload: b"", chat: 0, message_id: 0, text: "" };
        state.enqueue(bot, update_id, &new, json, true);
        Ok(())
    }

    /// Makes `update_id` the id of the bot's next update, as after a week without any.
    ///
    /// # Errors
    /// No such bot.
    pub fn jump_update_id(&self, bot: i64, update_id: i64) -> Result<(), WorldError> {
        let mut state = self.lock();
        let bot = state.bot_with_id(bot).ok_or(WorldError::NoSuchBot)?;
        state.bot_mut(bot).next_update_id = update_id;
        Ok(())
    }

    /// How many updates of a bot wait to be confirmed.
    ///
    /// # Errors
    /// No such bot.
    pub fn pending(&self, bot: i64) -> Result<usize, WorldError> {
        let state = self.lock();
        let bot = state.bot_with_id(bot).ok_or(WorldError::NoSuchBot)?;
        Ok(state.bot(bot).queue.len())
    }
}
