//! `/export` and `/forget`: what a person may do with what is held of them. In their private chat
//! only, and to nobody else's.

use std::time::Duration;

use protocol::{
    Timestamp,
    inbound::{Command, Pressed, Said},
};

use super::Request;
use crate::words;

/// What the button that confirms carries, before the minute in which it was offered.
pub(crate) const FORGET: &str = "forget:";
/// How long the button holds: an old one must not erase by a slip of the finger.
const OFFER_TIME_MAX: Duration = Duration::from_secs(15 * 60);
const MINUTE_MS: u64 = 60_000;

/// Reads `/export` or `/forget`.
pub(super) fn of_command(command: &Command, said: &Said, now: Timestamp) -> Request {
    let Some(person) = said.person.as_ref().filter(|_| said.private) else {
        return Request::Say(words::only_in_private());
    };
    match (command.name.as_str(), command.arguments.as_str()) {
        ("export", _) => Request::Export(person.id),
        (_, "yes") => Request::Forget(person.id),
        (_, _) => Request::Say(offer(now)),
    }
}

/// Reads a press of the button: `asked` is what it carries behind [`FORGET`].
pub(super) fn of_press(asked: &str, pressed: &Pressed, now: Timestamp) -> Request {
    if !pressed.private {
        return Request::Ignore;
    }
    let offered = asked.parse::<u64>().ok().map(|it| Timestamp(it.saturating_mul(MINUTE_MS)));
    let holds = offered.is_some_and(|it| it <= now && now < it.plus(OFFER_TIME_MAX));
    if holds { Request::Forget(pressed.person.id) } else { Request::Say(offer(now)) }
}

fn offer(now: Timestamp) -> words::Notice {
    words::forget_offer(format!("{FORGET}{}", now.0 / MINUTE_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{MessageId, PersonId, inbound::Person};

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn ada() -> Person {
        Person { id: PersonId(7), first_name: "Ada".to_owned(), language: None }
    }

    fn read(text: &str, private: bool) -> Request {
        let (name, arguments) = text.split_once(' ').unwrap_or((text, ""));
        let command = Command { name: name.to_owned(), arguments: arguments.to_owned() };
        let said = Said {
            person: Some(ada()),
            message: MessageId(1),
            private,
            addressed: true,
            text: String::new(),
            command: None,
            quoted: None,
            forwarded_from: None,
            beside: Vec::new(),
            replied: None,
            attachment: None,
            album: None,
            written: NOW,
            replied_file: None,
            company: Default::default(),
        };
        of_command(&command, &said, NOW)
    }

    fn press(data: &str, private: bool, now: Timestamp) -> Request {
        let (query, data) = (String::new(), data.to_owned());
        let pressed = Pressed { person: ada(), query, data, private, message: None };
        of_press(pressed.data.clone().strip_prefix(FORGET).unwrap(), &pressed, now)
    }

    #[test]
    fn only_a_second_yes_in_the_private_chat_erases() {
        assert_eq!(read("forget yes", true), Request::Forget(PersonId(7)));
        assert_eq!(read("export", true), Request::Export(PersonId(7)));
        for text in ["forget", "forget Yes please", "forget all"] {
            assert_eq!(read(text, true), Request::Say(offer(NOW)), "{text}");
        }
        for text in ["forget yes", "forget", "export"] {
            assert_eq!(read(text, false), Request::Say(words::only_in_private()), "{text}");
        }
    }

    #[test]
    fn the_button_holds_for_a_quarter_of_an_hour_and_for_whoever_presses_it() {
        let Request::Say(notice) = read("forget", true) else { panic!("it asks first") };
        let data = &notice.part().buttons[0][0].data;
        assert_eq!(press(data, true, NOW), Request::Forget(PersonId(7)));
        assert_eq!(press(data, false, NOW), Request::Ignore);
        let late = NOW.plus(OFFER_TIME_MAX);
        assert_eq!(press(data, true, late), Request::Say(offer(late)), "an old one asks again");
        for forged in ["forget:", "forget:x", "forget:99999999999999999999", "forget:-1"] {
            assert_eq!(press(forged, true, NOW), Request::Say(offer(NOW)), "{forged}");
        }
    }
}
