//! "Remember that …": reads what a person wants remembered or forgotten. Pure.
//!
//! Invariants: REMEMBER-4 a button that forgets works for the person it was shown to, and for nobody
//! else.

use protocol::{PersonId, inbound::Person, memory::FactId};

use super::Request;
use crate::words;

/// What a message begins with that tells something to remember, in small letters. A word must end
/// where one of these ends.
const OPENINGS: &[&str] = &[
    "remember that",
    "please remember that",
    "remember:",
    "please remember:",
    "note that i",
    "keep in mind that",
    "merke dir, dass",
    "merke dir dass",
    "merk dir, dass",
    "merk dir dass",
    "bitte merke dir, dass",
    "bitte merk dir, dass",
    "souviens-toi que",
    "souvenez-vous que",
    "rappelle-toi que",
    "retiens que",
    "recuerda que",
    "recuerde que",
    "ricorda che",
    "ricordati che",
    "lembra-te de que",
    "lembra-te que",
    "lembre-se de que",
    "lembre-se que",
    "onthoud dat",
    "husk at",
    "kom ihåg att",
    "zapamiętaj, że",
    "запомни, что",
    "запомните, что",
    "запам'ятай, що",
    // The space ends the word: there are no small letters.
    "تذكر أن ",
    "تذكّر أن ",
    "تذكر: ",
    "şunu hatırla:",
    "记住",
    "請記住",
    "请记住",
    "覚えておいて",
];

/// What a message tells to remember, if it does. A question tells nothing: "Remember that film?"
pub(super) fn told(text: &str) -> Option<&str> {
    let text = text.trim();
    if text.ends_with(['?', '？']) {
        return None;
    }
    let (rest, opening) = OPENINGS.iter().find_map(|it| Some((after(text, it)?, *it)))?;
    let is_apart = rest.starts_with(|c: char| !c.is_alphanumeric());
    // Signs end a word by themselves, and so do scripts without small letters.
    let ends_there = is_apart || !opening.ends_with(char::is_lowercase);
    let rest = match opening {
        // The opening is a part of what is told.
        "note that i" => text.get("note that ".len()..).unwrap_or_default(),
        _ => rest,
    };
    let told = rest.trim_start_matches([' ', ':', ',', '：', '，', '、']).trim();
    (ends_there && !told.is_empty()).then_some(told)
}

/// What follows an opening, whatever the case of its letters.
fn after<'t>(text: &'t str, opening: &str) -> Option<&'t str> {
    let mut rest = text.chars();
    for wanted in opening.chars() {
        let found = rest.next()?;
        if found != wanted && !found.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(rest.as_str())
}

/// `/remember` and `/memory`.
pub(super) fn of_command(name: &str, arguments: &str, person: Option<&Person>) -> Request {
    let Some(by) = person.map(|it| it.id) else { return Request::Say(words::nobody_to_remember()) };
    match name {
        "memory" => Request::ListMemory { by },
        _ if arguments.is_empty() => Request::Say(words::usage("remember", "<text>", "")),
        _ => Request::Remember { text: arguments.to_owned(), by },
    }
}

/// What the button that forgets a fact carries: the fact, and whom it was shown to.
pub(crate) fn button(fact: FactId, to: PersonId) -> String {
    format!("mf:{}:{}", fact.0, to.0)
}

/// Reads such a button. Outer `None`: it is another one. Inner: it was shown to somebody else, or is
/// forged. REMEMBER-4.
pub(super) fn pressed(data: &str, by: PersonId) -> Option<Option<FactId>> {
    let (fact, to) = data.strip_prefix("mf:")?.split_once(':')?;
    let (fact, to) = (fact.parse().ok()?, to.parse().ok()?);
    Some((PersonId(to) == by).then_some(FactId(fact)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_wants_remembered_is_read_in_some_languages() {
        for (text, fact) in [
            ("Remember that I like tea.", "I like tea."),
            ("please REMEMBER that my cat is Tom", "my cat is Tom"),
            ("Remember: no nuts", "no nuts"),
            ("Note that I live in Oslo", "I live in Oslo"),
            ("Merke dir, dass ich Ada heiße.", "ich Ada heiße."),
            ("Souviens-toi que je suis végétarien", "je suis végétarien"),
            ("Recuerda que vivo en Lima", "vivo en Lima"),
            ("Ricordati che ho due figli", "ho due figli"),
            ("Lembre-se de que moro em Faro", "moro em Faro"),
            ("Onthoud dat ik Jan heet", "ik Jan heet"),
            ("Запомни, что я люблю чай", "я люблю чай"),
            ("请记住：我不吃肉", "我不吃肉"),
            ("تذكر أن اسمي أمير", "اسمي أمير"),
        ] {
            assert_eq!(told(text), Some(fact), "{text}");
        }
    }

    #[test]
    fn questions_and_other_sentences_are_asked_as_they_are() {
        for text in [
            "Remember that film with the boat?",
            "Do you remember that I like tea?",
            "I remember that day.",
            "Remember thatcher",
            "Remember that",
            "Remember me",
            "Note that it rains",
            "",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn remember_4_a_button_works_for_the_person_it_was_shown_to() {
        let data = button(FactId(7), PersonId(-2));
        assert_eq!(pressed(&data, PersonId(-2)), Some(Some(FactId(7))));
        assert_eq!(pressed(&data, PersonId(3)), Some(None));
        for forged in ["", "mf:", "mf:7", "mf:x:2", "mf:7:y", "ag:sage", "mf:-1:2"] {
            assert_eq!(pressed(forged, PersonId(2)), None, "{forged}");
        }
        let longest = button(FactId(u64::MAX), PersonId(i64::MIN));
        assert!(longest.len() <= 64, "Telegram takes 64 bytes: {longest}");
    }
}
