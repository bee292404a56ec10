//! What the hall says about questions that were edited and answers that are long.

use super::{Notice, say};

/// Stands before the answer to an edited question where it cannot take the earlier one's place.
pub(crate) fn supersedes() -> Notice {
    say("✏️ You edited your question. This answer takes the place of the one before.")
}

/// A piece of a question was edited, and the other pieces are not known any more.
pub(crate) fn edited_piece() -> Notice {
    say("✏️ I see that you edited a part of your question. \
         Please send me the whole question once more, and I will answer it.")
}

/// Stands under the file of a long answer.
pub(crate) fn long_answer() -> Notice {
    say("📄 The answer is long: here is all of it.")
}
