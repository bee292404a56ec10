//! Texts that come with a message: names of files, contacts, polls, places, buttons; and who wrote
//! what was forwarded.
//!
//! Read by themselves from their own bytes, so that a server that writes one of them in another way
//! costs that text and not the update.

use protocol::inbound::Channel;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Text;

/// The longest text of one kind. The rest is cut.
const CHARS_MAX: usize = 1_000;
/// Answers, tasks or buttons that are read.
const LINES_MAX: usize = 30;

/// Every field with a text that any of the kinds has; each has a few of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Texts {
    file_name: Option<Text>,
    performer: Option<Text>,
    first_name: Option<Text>,
    last_name: Option<Text>,
    title: Option<Text>,
    address: Option<Text>,
    description: Option<Text>,
    question: Option<Text>,
    explanation: Option<Text>,
    options: Vec<Line>,
    tasks: Vec<Line>,
    inline_keyboard: Vec<Vec<Line>>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    text: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Author {
    sender_user: Option<Names>,
    sender_user_name: Option<Text>,
    sender_chat: Option<Names>,
    chat: Option<Names>,
    author_signature: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Names {
    first_name: Option<Text>,
    last_name: Option<Text>,
    title: Option<Text>,
}

/// What a part of a message says, line by line. Phone numbers and the like are left out.
pub(super) fn text(channel: Channel, raw: &RawValue) -> String {
    let it: Texts = serde_json::from_str(raw.get()).unwrap_or_default();
    let lines = |lines: Vec<Line>| lines.into_iter().take(LINES_MAX).map(|it| Some(it.text));
    let texts: Vec<Option<Text>> = match channel {
        Channel::FileName => vec![it.file_name, it.title, it.performer],
        Channel::Contact => vec![it.first_name, it.last_name],
        Channel::Place => vec![it.title, it.address],
        Channel::Game => vec![it.title, it.description],
        Channel::Poll => {
            [it.question].into_iter().chain(lines(it.options)).chain([it.explanation]).collect()
        }
        Channel::Checklist => [it.title].into_iter().chain(lines(it.tasks)).collect(),
        // Nothing is written about it.
        Channel::Recording | Channel::File | Channel::OtherBot => Vec::new(),
        Channel::Buttons => lines(it.inline_keyboard.into_iter().flatten().collect()).collect(),
    };
    joined(texts, "\n")
}

/// Who wrote what was forwarded; nothing where that is not told.
pub(super) fn author(raw: &RawValue) -> String {
    let it: Author = serde_json::from_str(raw.get()).unwrap_or_default();
    let names = |it: Option<Names>| {
        let it = it.unwrap_or_default();
        [it.first_name, it.last_name, it.title]
    };
    let all = names(it.sender_user).into_iter().chain([it.sender_user_name]);
    let all = all.chain(names(it.sender_chat)).chain(names(it.chat)).chain([it.author_signature]);
    joined(all.collect(), " ")
}

fn joined(texts: Vec<Option<Text>>, with: &str) -> String {
    let texts = texts.into_iter().flatten().map(|it| it.0);
    let texts: Vec<String> = texts.filter(|it| !it.trim().is_empty()).collect();
    texts.join(with).chars().take(CHARS_MAX).collect()
}
