//! What happened, for the checker: every update, every call that was carried out, every call that was refused.
//!
//! Owns      at most `records_max` records of each kind; what no longer fits is counted, never silently dropped.

use serde::Serialize;

use crate::clock::unix_ms;

/// One update and how far it came. Times are milliseconds since 1970.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateRecord {
    /// The bot's id.
    pub bot: i64,
    /// The update's id.
    pub update_id: i64,
    /// Kind, such as `message`.
    pub kind: String,
    /// The chat, or 0.
    pub chat: i64,
    /// The message's id, or 0.
    pub message_id: i64,
    /// The text, if it has one.
    pub text: String,
    /// When it came to be.
    pub created: i64,
    /// When the bot first saw it.
    pub fetched: Option<i64>,
    /// How many times the bot saw it.
    pub fetches: u32,
    /// When an offset moved past it, or the webhook answered 2xx.
    pub confirmed: Option<i64>,
}

/// One call that was carried out.
#[derive(Clone, Debug, Serialize)]
pub struct CallRecord {
    /// The bot's id.
    pub bot: i64,
    /// Name of the method.
    pub method: String,
    /// The chat, or 0.
    pub chat: i64,
    /// The message that was made or changed, or 0.
    pub message_id: i64,
    /// Its text.
    pub text: String,
    /// The message it answers.
    pub reply_to: Option<i64>,
    /// The Markdown of a rich message, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown: Option<String>,
    /// Who alone sees it, in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_for: Option<i64>,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// One call that was refused.
#[derive(Clone, Debug, Serialize)]
pub struct RefusedRecord {
    /// The bot's id, or 0 when the token was not known.
    pub bot: i64,
    /// Name of the method.
    pub method: String,
    /// The chat as it was given, or 0.
    pub chat: i64,
    /// Error code.
    pub code: u16,
    /// Telegram's words.
    pub description: String,
    /// Seconds to wait, if the answer said so.
    pub retry_after: Option<u32>,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// See the file head.
#[derive(Clone, Debug, Default, Serialize)]
pub struct History {
    /// Updates in the order they came to be.
    pub updates: Vec<UpdateRecord>,
    /// Calls carried out, in order.
    pub calls: Vec<CallRecord>,
    /// Calls refused, in order.
    pub refused: Vec<RefusedRecord>,
    /// Records that no longer fitted.
    pub dropped: u64,
    #[serde(skip)]
    records_max: usize,
}

impl History {
    /// A history of at most `records_max` records of each kind; 0 records nothing.
    pub(crate) fn new(records_max: usize) -> Self {
        Self { records_max, ..Self::default() }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.records_max > 0
    }

    /// Forgets everything and goes on recording, or stops.
    pub(crate) fn restart(&mut self, records_max: usize) {
        *self = Self::new(records_max);
    }

    pub(crate) fn update(&mut self, record: UpdateRecord) -> Option<usize> {
        let place = self.updates.len();
        push(&mut self.updates, record, self.records_max, &mut self.dropped).then_some(place)
    }

    pub(crate) fn fetched(&mut self, place: usize) {
        if let Some(record) = self.updates.get_mut(place) {
            record.fetches += 1;
            record.fetched.get_or_insert_with(unix_ms);
        }
    }

    pub(crate) fn confirmed(&mut self, place: usize) {
        if let Some(record) = self.updates.get_mut(place) {
            record.confirmed.get_or_insert_with(unix_ms);
        }
    }

    pub(crate) fn call(&mut self, record: CallRecord) {
        push(&mut self.calls, record, self.records_max, &mut self.dropped);
    }

    pub(crate) fn refused(&mut self, record: RefusedRecord) {
        push(&mut self.refused, record, self.records_max, &mut self.dropped);
    }
}

fn push<T>(list: &mut Vec<T>, record: T, max: usize, dropped: &mut u64) -> bool {
    if list.len() < max {
        list.push(record);
        return true;
    }
    if max > 0 {
        *dropped += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut history = History::new(1);
        let record = RefusedRecord {
            bot: 1,
            method: "getMe".to_owned(),
            chat: 0,
            code: 401,
            description: String::new(),
            retry_after: None,
            at: 0,
        };
        history.refused(record.clone());
        history.refused(record.clone());
        assert_eq!((history.refused.len(), history.dropped), (1, 1));
        history.restart(0);
        history.refused(record);
        assert_eq!((history.refused.len(), history.dropped), (0, 0));
    }
}
