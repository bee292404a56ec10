//! `/language`: the language of our own words in this chat. In a private chat it is its person's to
//! choose, in a group an officer's.

use protocol::{
    Language, PersonId,
    inbound::{Pressed, Said},
};

use super::{House, Request};
use crate::{roster::View, words};

/// What stands for the language of each person's app.
const OF_APP: &str = "auto";

/// Reads `/language`: with nothing after it, the choice is shown.
pub(super) fn of_command(arguments: &str, said: &Said, view: &View, house: &House) -> Request {
    if arguments.is_empty() {
        return Request::Say(words::language_asked(house.languages));
    }
    let by = said.person.as_ref().map(|it| it.id);
    chosen(arguments, (by, said.private), view, house)
}

/// Reads a press. `None`: it is another button.
pub(super) fn of_press(pressed: &Pressed, view: &View, house: &House) -> Option<Request> {
    let word = pressed.data.strip_prefix(words::LANGUAGE)?;
    let is_ours = word == OF_APP || Language::ALL.iter().any(|it| it.code() == word);
    let by = (Some(pressed.person.id), pressed.private);
    Some(if is_ours { chosen(word, by, view, house) } else { Request::Ignore })
}

fn chosen(
    word: &str,
    (by, private): (Option<PersonId>, bool),
    view: &View,
    house: &House,
) -> Request {
    let is_officer = by.is_some_and(|it| view.role(it).is_some());
    if !private && !is_officer {
        return Request::Say(words::language_is_the_officers());
    }
    if word == OF_APP {
        return Request::Speak(None);
    }
    match Language::of_word(word).filter(|it| house.languages.speaks(*it)) {
        Some(language) => Request::Speak(Some(language)),
        None => Request::Say(words::language_unknown()),
    }
}
