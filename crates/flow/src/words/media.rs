//! What the hall says about files: what works, what was heard, and why something was not taken.

use super::{Dress, Notice, Text, say, text};
use crate::{context::beginning, senses::Abilities};
use protocol::{AgentName, RefId};

/// Of a transcript this much is shown, in characters: a message holds 4,096 UTF-16 units, and a
/// character has up to two.
const SHOWN_CHARS_MAX: usize = 1_900;

/// A file of a kind that nothing can be made of here: what works instead.
pub(crate) fn cannot_use(abilities: &Abilities) -> Notice {
    say(text!("cannot-use", works = works(abilities)))
}

/// What works.
fn works(abilities: &Abilities) -> Text {
    let hears = abilities.hears.map(|it| text!("works-voice", span = span(it.seconds_max)));
    let sees = abilities.sees_bytes_max.map(|it| text!("works-pictures", size = size(it)));
    let reads = abilities.reads_bytes_max.map(|it| text!("works-files", size = size(it)));
    let documents =
        abilities.documents_bytes_max.map(|it| text!("works-documents", size = size(it)));
    let mut all: Vec<Text> = [hears, sees, reads, documents].into_iter().flatten().collect();
    let Some(last) = all.pop() else { return text!("works-text-alone") };
    if all.is_empty() {
        return text!("works-one", one = last);
    }
    text!("works-many", others = Text::Joined(all, ", "), last = last)
}

/// Whoever is asked cannot see, though others here can.
pub(crate) fn cannot_see(agent: &AgentName) -> Notice {
    say(text!("cannot-see", agent = agent))
}

/// What is asked with a picture that comes without words.
pub(crate) fn picture_alone() -> Text {
    text!("picture-alone")
}

/// What is asked with a file that comes without words.
pub(crate) fn file_alone() -> Text {
    text!("file-alone")
}

/// What a conversation remembers before a question with a file.
pub(crate) const FILE_READ: &str = "(With a file, which is not kept.) ";
/// The same where its text may be kept, and searched.
pub(crate) const FILE_BROUGHT: &str = "(With a file.) ";
/// What a conversation remembers before a question with pictures.
pub(crate) fn pictures_shown(count: usize) -> String {
    match count {
        0 | 1 => "(With a picture, which is not kept.) ".to_owned(),
        _ => format!("(With {count} pictures, which are not kept.) "),
    }
}

/// A recording plays too long.
pub(crate) fn too_long(seconds_max: u64) -> Notice {
    say(text!("recording-too-long", span = span(seconds_max)))
}

/// A file is too large.
pub(crate) fn too_large(bytes_max: u64) -> Notice {
    say(text!("file-too-large", size = size(bytes_max)))
}

/// A file is not what it says it is, or of a form that nobody here knows.
pub(crate) fn cannot_be_read() -> Notice {
    say(text!("file-unreadable"))
}

/// Nothing is said in a recording.
pub(crate) fn nothing_heard() -> Notice {
    say(text!("nothing-heard"))
}

/// It could not be fetched or heard.
pub(crate) fn not_taken_in(reference: RefId) -> Notice {
    say(text!("not-taken-in", reference = reference))
}

/// Behind who gets people's words: who turns speech into text.
#[must_use]
pub fn hears(who: &str) -> Text {
    text!("privacy-hears", who = who)
}

/// Likewise: who speaks.
#[must_use]
pub fn speaks(who: &str) -> Text {
    text!("privacy-speaks", who = who)
}

/// What was heard, folded. `text` has passed the guard.
pub(crate) fn heard(text: &str) -> Notice {
    let text = beginning(text.trim(), SHOWN_CHARS_MAX);
    say(text!("heard", text = text)).dressed(Dress::Folded)
}

pub(super) fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{} KB", (bytes >> 10).max(1)),
        megabytes => format!("{megabytes} MB"),
    }
}

/// How long, behind “up to”.
fn span(seconds: u64) -> Text {
    match seconds {
        0..120 => text!("up-to-seconds", count = seconds),
        _ => text!("up-to-minutes", minutes = seconds / 60),
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
