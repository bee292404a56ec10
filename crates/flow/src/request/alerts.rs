//! `/alerts`, `/silence`, and the button under an alert.

use std::time::Duration;

use protocol::{PersonId, inbound::Pressed};

use super::{MenuItem, Request, split_word};
use crate::{
    alerter::{Order, book::SILENCE_MAX},
    roster::View,
    words::{self, text},
};

/// What is wrong. `None`: they may not know.
pub(super) fn of_alerts((by, view): (PersonId, &View)) -> Option<Request> {
    Some(Request::Alerts(Order::List, view.grant(by)?))
}

/// Reads the words after `/silence`. `None`: they may not, after all.
pub(super) fn of_silence(
    item: &MenuItem,
    arguments: &str,
    (by, view): (PersonId, &View),
) -> Option<Request> {
    let by = view.grant(by)?;
    let (kind, time) = split_word(arguments);
    Some(match (checked(kind), span(time)) {
        (Some(kind), Some(span)) => Request::Alerts(Order::Silence { kind, span }, by),
        (None, _) => {
            let why = text!("silence-kind");
            Request::Say(words::usage(item.name, item.usage, why))
        }
        (Some(_), None) => {
            let why = text!("silence-time");
            Request::Say(words::usage(item.name, item.usage, why))
        }
    })
}

/// Reads what stands behind a button under an alert. `None` if it is no such button.
pub(super) fn of_press(pressed: &Pressed, view: &View) -> Option<Request> {
    let kind = checked(pressed.data.strip_prefix(words::ACKNOWLEDGE)?)?;
    let by = pressed.person.id;
    Some(match view.grant(by).filter(|_| pressed.private) {
        Some(by) => Request::Alerts(Order::Acknowledge { kind }, by),
        None => Request::PressDenied(by),
    })
}

fn checked(kind: &str) -> Option<String> {
    let is_good = |it: char| matches!(it, 'a'..='z' | '0'..='9' | '_');
    let is_kind = (1..=60).contains(&kind.len()) && kind.chars().all(is_good);
    is_kind.then(|| kind.to_owned())
}

/// A time such as `2h`. `off` and `0` are none at all.
#[must_use]
pub fn span(text: &str) -> Option<Duration> {
    if matches!(text, "off" | "0") {
        return Some(Duration::ZERO);
    }
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let span = Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?);
    (span <= SILENCE_MAX).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{right::Role, roster::Founding};

    fn view() -> View {
        let roles = [(PersonId(1), Role::Operator), (PersonId(3), Role::Auditor)].into();
        View::founded(&Founding { roles, ..Founding::default() }, [].into())
    }

    fn silence(arguments: &str) -> Request {
        let item = super::super::MENU.iter().find(|it| it.name == "silence").unwrap();
        of_silence(item, arguments, (PersonId(1), &view())).expect("they are an operator")
    }

    #[test]
    fn a_silence_is_ordered_in_words_and_what_is_wrong_with_it_is_said() {
        let order = |kind: &str, seconds| {
            let (kind, span) = (kind.to_owned(), Duration::from_secs(seconds));
            Request::Alerts(Order::Silence { kind, span }, view().grant(PersonId(1)).unwrap())
        };
        assert_eq!(silence("poll 2h"), order("poll", 7_200));
        assert_eq!(silence("all 30m"), order("all", 1_800));
        assert_eq!(silence("poll off"), order("poll", 0));
        for bad in ["", "poll", "poll soon", "poll 2", "poll 31d", "poll h", "P 2h", "poll 2h x"] {
            let Request::Say(notice) = silence(bad) else { panic!("{bad}") };
            assert!(notice.part().plain.contains("/silence"), "{bad}");
        }
    }

    #[test]
    fn only_an_operator_in_private_takes_an_alert_into_their_hands() {
        let view = view();
        let press = |person, data: &str, private| {
            let person = protocol::inbound::Person {
                id: PersonId(person),
                first_name: String::new(),
                language: None,
            };
            let (query, data) = ("q".to_owned(), data.to_owned());
            of_press(&Pressed { person, query, data, private, message: None }, &view)
        };
        let kind = "no_poll".to_owned();
        let granted = view.grant(PersonId(1)).unwrap();
        let order = Request::Alerts(Order::Acknowledge { kind }, granted);
        assert_eq!(press(1, "al:no_poll", true), Some(order));
        assert_eq!(press(1, "al:no_poll", false), Some(Request::PressDenied(PersonId(1))));
        for other in [2, 3] {
            let denied = Some(Request::PressDenied(PersonId(other)));
            assert_eq!(press(other, "al:no_poll", true), denied);
        }
        assert_eq!(press(1, "al:../x", true), None);
        assert_eq!(press(1, "ag:sage", true), None);
    }
}
