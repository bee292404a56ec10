//! How an answer comes to its reader: as messages of its own, in the place of one that stands there
//! already, or as a beginning and a file where it is long.

use std::collections::VecDeque;

use protocol::{
    Language, UpdateId,
    event::{Part, Shape},
};

use super::Session;
use crate::{
    guard::{Cleared, Draft},
    outbox::Sayable,
    words::{self, Notice},
};

/// Words of a question that name the file of its answer, and how long the name may be.
const NAME_WORDS_MAX: usize = 6;
const NAME_CHARS_MAX: usize = 48;

/// Parts as they are sent, the first of them with number `first`.
pub(super) fn sayable(
    first: u32,
    parts: Vec<Cleared<Part>>,
    file: Option<&(u32, String)>,
    caption: &Notice,
) -> VecDeque<Sayable> {
    let numbered = (first..).zip(parts);
    let say = |(number, text): (u32, Cleared<Part>)| match file {
        Some((at, name)) if *at == number => {
            Sayable::File { name: name.clone(), caption: caption.clone(), text }
        }
        Some(_) | None => Sayable::Answer(text),
    };
    numbered.map(say).collect()
}

/// An answer on its way to its reader.
pub(super) struct Message {
    /// What is fixed of it, and as it is sent.
    pub(super) fixed: Vec<Part>,
    pub(super) parts: VecDeque<Sayable>,
    /// Which part is a file, and what that is called.
    file: Option<(u32, String)>,
}

impl Message {
    /// What a model wrote.
    pub(super) fn of(
        shown: Vec<Cleared<Part>>,
        file: Option<(u32, String)>,
        language: Language,
    ) -> Self {
        let fixed = shown.iter().map(|it| it.get().clone()).collect();
        let caption = words::home::long_answer().in_language(language);
        Self { fixed, parts: sayable(0, shown, file.as_ref(), &caption), file }
    }

    /// With something before it.
    pub(super) fn open_with(&mut self, what: Sayable) {
        if let Some(part) = what.part() {
            self.fixed.insert(0, part.clone());
            self.parts.push_front(what);
            self.file.iter_mut().for_each(|(at, _)| *at += 1);
        }
    }

    /// With something behind it.
    pub(super) fn end_with(&mut self, what: Sayable) {
        if let Some(part) = what.part() {
            self.fixed.push(part.clone());
            self.parts.push_back(what);
        }
    }
}

/// What the file of an answer is called: the question's first words, without anything that could mean
/// something to a file system.
fn name_of(asked: &str) -> String {
    let words = asked.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty());
    let words: Vec<String> = words.take(NAME_WORDS_MAX).map(str::to_lowercase).collect();
    let name: String = words.join("-").chars().take(NAME_CHARS_MAX).collect();
    let name = name.trim_end_matches('-');
    format!("{}.md", if name.is_empty() { "answer" } else { name })
}

impl Session {
    /// An answer as messages. Where they are more than `messages_max`: its beginning, and all of it as
    /// a file.
    pub(super) fn parted(
        &self,
        draft: &Cleared<Draft>,
        asked: &str,
    ) -> (Vec<Cleared<Part>>, Option<(u32, String)>) {
        let mut parts = draft.typeset(self.config.typeset);
        let most = self.config.home.messages_max;
        if most == 0 || parts.len() <= most {
            return (parts, None);
        }
        parts.truncate(1);
        parts.push(draft.in_one());
        (parts, Some((1, name_of(asked))))
    }

    /// How an answer is sent, if not as new messages only. The answer to an edited question takes the
    /// place of the earlier one, or says that it does.
    pub(super) fn shape(&mut self, update: UpdateId, message: &mut Message) -> Option<Shape> {
        let turn = self.turn(update, |_| true)?;
        let place = turn.heard.place.filter(|_| message.fixed.len() == 1);
        if place.is_none() && turn.heard.supersedes {
            let notice = words::home::supersedes().in_language(turn.language);
            message.open_with(notice.into());
        }
        let file = message.file.take();
        (place.is_some() || file.is_some()).then_some(Shape { place, file, aside: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_the_first_words_of_the_question_and_nothing_else() {
        assert_eq!(
            name_of("Tell me: how do bees *really* live, and why?"),
            "tell-me-how-do-bees-really.md"
        );
        assert_eq!(name_of("../../etc/passwd\u{0}"), "etc-passwd.md");
        assert_eq!(name_of("Как живут пчёлы?"), "как-живут-пчёлы.md");
        assert_eq!(name_of("?!…"), "answer.md");
        assert_eq!(name_of(&"x".repeat(500)), format!("{}.md", "x".repeat(48)));
    }
}
