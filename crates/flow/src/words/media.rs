//! What the hall says about files: what works, what was heard, and why something was not taken.

use super::{Dress, Notice, Text, say};
use crate::{context::beginning, senses::Abilities};
use protocol::{AgentName, RefId};

/// Of a transcript this much is shown, in characters: a message holds 4,096 UTF-16 units, and a
/// character has up to two.
const SHOWN_CHARS_MAX: usize = 1_900;

/// A file of a kind that nothing can be made of here: what works instead.
pub(crate) fn cannot_use(abilities: &Abilities) -> Notice {
    say(format!("I cannot use that. {} Nothing was fetched or kept of it.", works(abilities)))
}

/// What works.
fn works(abilities: &Abilities) -> String {
    let hears = abilities
        .hears
        .map(|it| format!("voice messages or recordings of up to {}", minutes(it.seconds_max)));
    let sees = abilities.sees_bytes_max.map(|it| format!("pictures of up to {}", size(it)));
    let reads = abilities
        .reads_bytes_max
        .map(|it| format!("files of plain text (TXT, Markdown, CSV) of up to {}", size(it)));
    let all: Vec<String> = [hears, sees, reads].into_iter().flatten().collect();
    match all.split_last() {
        None => "I can only read text: please write what you would like to know.".to_owned(),
        Some((one, [])) => format!("What works: text, and {one}."),
        Some((last, others)) => format!("What works: text, {}, and {last}.", others.join(", ")),
    }
}

/// Whoever is asked cannot see, though others here can.
pub(crate) fn cannot_see(agent: &AgentName) -> Notice {
    say(format!(
        "{agent} cannot look at pictures: none of the models that it may ask can see. Please describe it \
         in words, or ask another agent (/agents)."
    ))
}

/// What is asked with a picture that comes without words.
pub(crate) const PICTURE_ALONE: &str = "What is to be seen in this picture?";
/// What is asked with a file that comes without words.
pub(crate) const FILE_ALONE: &str = "What does this file say, in short?";
/// What a conversation remembers before a question with a file.
pub(crate) const FILE_READ: &str = "(With a file, which is not kept.) ";
/// What a conversation remembers before a question with a picture.
pub(crate) const PICTURE_SHOWN: &str = "(With a picture, which is not kept.) ";

/// A recording plays too long.
pub(crate) fn too_long(seconds_max: u64) -> Notice {
    say(format!(
        "That recording is too long for me: up to {}, please. Nothing of it was fetched.",
        minutes(seconds_max)
    ))
}

/// A file is too large.
pub(crate) fn too_large(bytes_max: u64) -> Notice {
    let size = size(bytes_max);
    say(format!("That file is too large for me: up to {size}, please. It was not kept."))
}

/// A file is not what it says it is, or of a form that nobody here knows.
pub(crate) fn cannot_be_read() -> Notice {
    say("I could not make anything of that file: it is damaged, or of a form that I do not know. \
         It was not kept. Please send it in another form, or write.")
}

/// Nothing is said in a recording.
pub(crate) fn nothing_heard() -> Notice {
    say("I listened, and heard no words. Please record it again, or write.")
}

/// It could not be fetched or heard.
pub(crate) fn not_taken_in(reference: RefId) -> Notice {
    say(format!(
        "Sorry, I could not take in what you sent just now. Please send it again in a while, or \
         write. (ref {reference})"
    ))
}

/// Behind who gets people's words: who turns speech into text.
#[must_use]
pub fn hears(who: &str) -> Text {
    format!("; what you record goes to {who} before, which turns it into text").into()
}

/// Likewise: who speaks.
#[must_use]
pub fn speaks(who: &str) -> Text {
    format!("; {who} speaks the answer to it").into()
}

/// What was heard, folded. `text` has passed the guard.
pub(crate) fn heard(text: &str) -> Notice {
    let text = beginning(text.trim(), SHOWN_CHARS_MAX);
    say(format!("🎙 I heard: {text}")).dressed(Dress::Folded)
}

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{} KB", (bytes >> 10).max(1)),
        megabytes => format!("{megabytes} MB"),
    }
}

fn minutes(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_folded_and_cannot_leave_its_fold() {
        let notice = heard(" </blockquote><b>1 & 2</b> ");
        let html = notice.part().html.clone().unwrap();
        assert_eq!(
            html,
            "<blockquote expandable>🎙 I heard: &lt;/blockquote&gt;&lt;b&gt;1 &amp; 2&lt;/b&gt;</blockquote>"
        );
        let long = heard(&"😀 ".repeat(4_000));
        assert!(long.part().plain.encode_utf16().count() < 4_096);
    }
}
