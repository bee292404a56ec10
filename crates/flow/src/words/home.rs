//! What the hall says about questions that were edited and answers that are long.

use super::{Notice, Text, say, text};

/// Told to a group: a private matter was answered elsewhere.
pub(crate) fn told_in_private() -> Notice {
    say(text!("told-in-private"))
}

/// Told to a group: a private matter of somebody who has no private chat with the bot.
pub(crate) fn open_private(bot: &str) -> Notice {
    say(text!("open-private", link = format!("https://t.me/{bot}")))
}

/// Stands before the answer to an edited question where it cannot take the earlier one's place.
pub(crate) fn supersedes() -> Notice {
    say(text!("supersedes"))
}

/// A piece of a question was edited, and the other pieces are not known any more.
pub(crate) fn edited_piece() -> Notice {
    say(text!("edited-piece"))
}

/// What people read before they press "Start".
#[must_use]
pub fn description() -> Text {
    text!("bot-description")
}

/// The same in a sentence, for the bot's profile.
#[must_use]
pub fn short_description() -> Text {
    text!("bot-short-description")
}

/// Stands under the file of a long answer.
pub(crate) fn long_answer() -> Notice {
    say(text!("long-answer"))
}
