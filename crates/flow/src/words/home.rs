//! What the hall says about questions that were edited and answers that are long.

use super::{Notice, say, text};

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
    say("✏️ You edited your question. This answer takes the place of the one before.")
}

/// A piece of a question was edited, and the other pieces are not known any more.
pub(crate) fn edited_piece() -> Notice {
    say("✏️ I see that you edited a part of your question. \
         Please send me the whole question once more, and I will answer it.")
}

/// What people read before they press "Start".
pub const DESCRIPTION: &str = "AI agents that answer here, each with a task of its own.\n\n\
     Press Start, and just write: you can send several messages in a row, edit what you asked, and stop an \
     answer. /agents shows who is here, /privacy what is kept of what you write, and /forget erases it.";
/// The same in a sentence, for the bot's profile.
pub const SHORT_DESCRIPTION: &str =
    "AI agents that answer here. What you write is stored encrypted; /forget erases it.";

/// Stands under the file of a long answer.
pub(crate) fn long_answer() -> Notice {
    say("📄 The answer is long: here is all of it.")
}
