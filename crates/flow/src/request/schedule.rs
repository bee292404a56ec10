//! `/remind`, `/reminders`, `/schedule` and `/schedules`, and the buttons that delete. Pure.
//!
//! Invariants: SCHEDULE-1 a button that deletes a reminder works for the person it was shown to, and for
//! nobody else.

use protocol::{
    AgentName, ChatId, PersonId, SessionKey, Timestamp,
    due::{Due, DueWhat},
    inbound::{Person, Pressed},
};

use super::{MenuItem, Request, split_word};
use crate::{
    guard::Prompt,
    roster::{Standing, View},
    timekeeper::{Order, when},
    words::{self, Text, schedules, text},
};

/// What the buttons carry that delete a reminder, and an entry of `/schedules`.
const CANCEL: &str = "tr:";
const UNSCHEDULE: &str = "ts:";
/// What may stand before the time.
const ME: [&str; 4] = ["me", "mich", "mir", "мне"];
/// What may stand before what is to be done.
const OPENINGS: [&str; 7] = ["to ", "that ", "dass ", "que ", "что ", "чтобы ", "أن "];
/// In place of a chat's id.
const HERE: [&str; 6] = ["here", "hier", "aquí", "aqui", "здесь", "هنا"];

/// `/remind` and `/reminders`.
pub(super) fn of_command(name: &str, arguments: &str, person: Option<&Person>) -> Request {
    let Some(person) = person.map(|it| it.id) else { return Request::Say(schedules::nobody()) };
    let (first, rest) = split_word(arguments);
    let order = match (name, first) {
        ("reminders", _) | (_, "list") => Order::Reminders { person },
        (_, "zone") => {
            let zone = (!rest.is_empty()).then(|| rest.to_owned());
            Order::Zone { person, zone }
        }
        (_, _) => {
            let first = first.to_lowercase();
            let wanted = if ME.contains(&first.as_str()) { rest } else { arguments };
            match when::read(wanted) {
                Ok((when, text)) => {
                    let text = to_do(text);
                    if text.is_empty() {
                        return Request::Say(schedules::how_to_remind());
                    }
                    Order::Remind { person, when, text: text.to_owned() }
                }
                Err(_) => return Request::Say(schedules::how_to_remind()),
            }
        }
    };
    Request::Timetable(order)
}

/// What is left of "to call Ada", "that the shop closes".
fn to_do(text: &str) -> &str {
    let text = text.trim();
    let opening = OPENINGS.into_iter().find_map(|it| text.strip_prefix(it));
    opening.unwrap_or(text).trim()
}

/// `/schedule` and `/schedules`. `None`: they may not, after all.
pub(super) fn of_schedule(
    item: &MenuItem,
    (arguments, private): (&str, bool),
    (by, view): (PersonId, &View),
) -> Option<Request> {
    let by = view.grant(by)?;
    if item.name == "schedules" || arguments.is_empty() {
        return Some(match private {
            true => Request::Timetable(Order::Schedules { by }),
            false => Request::Say(words::only_in_private()),
        });
    }
    let wrong = |why: Text| Request::Say(words::usage(item.name, item.usage, why));
    let (agent, rest) = split_word(arguments);
    let Ok(agent) = agent.parse::<AgentName>() else {
        return Some(wrong(text!("schedule-agent")));
    };
    if view.agent(&agent).is_none() {
        return Some(Request::Say(words::no_such_agent(agent.as_str())));
    }
    let Ok((when, rest)) = when::read(rest) else { return Some(wrong(schedules::times())) };
    let (place, prompt) = split_word(rest);
    let chat = match place.parse::<i64>() {
        Ok(id) if id != 0 => Some(ChatId(id)),
        Ok(_) | Err(_) if HERE.contains(&place) => None,
        Ok(_) | Err(_) => return Some(wrong(text!("schedule-chat"))),
    };
    if prompt.is_empty() {
        return Some(wrong(text!("schedule-prompt")));
    }
    let prompt = prompt.to_owned();
    Some(Request::Timetable(Order::Schedule { agent, when, chat, prompt, by }))
}

/// What the button that deletes a reminder carries: which, and whom it was shown to.
pub(crate) fn cancel_button(number: u32, to: PersonId) -> String {
    format!("{CANCEL}{number}:{}", to.0)
}

/// What the button that ends a schedule carries.
pub(crate) fn unschedule_button(number: u32) -> String {
    format!("{UNSCHEDULE}{number}")
}

/// True for an officer's button.
pub(super) fn is_button(data: &str) -> bool {
    data.starts_with(UNSCHEDULE)
}

/// Reads such a button. `None`: it is another one.
pub(super) fn of_press(pressed: &Pressed, view: &View) -> Option<Request> {
    let by = pressed.person.id;
    if let Some(number) = pressed.data.strip_prefix(UNSCHEDULE) {
        let number = number.parse().ok()?;
        return Some(match view.grant(by).filter(|_| pressed.private) {
            Some(by) => Request::Timetable(Order::Unschedule { number, by }),
            None => Request::PressDenied(by),
        });
    }
    let (number, to) = pressed.data.strip_prefix(CANCEL)?.split_once(':')?;
    let (number, to) = (number.parse().ok()?, to.parse().ok()?);
    // SCHEDULE-1.
    Some(match PersonId(to) == by {
        true => Request::Timetable(Order::Cancel { person: by, number }),
        false => Request::Say(schedules::of_another()),
    })
}

/// What is done about something whose time has come. Rights may have changed since it was asked for.
pub(super) fn of_due(due: &Due, key: SessionKey, view: &View, now: Timestamp) -> Request {
    let of_chat = key.is_private().then(|| key.owner(None));
    match view.standing(due.person().or(of_chat), key.chat, now) {
        Standing::Stranger | Standing::Blocked => return Request::Ignore,
        Standing::Admin | Standing::Guest => (),
    }
    match &due.what {
        DueWhat::Reminder { person, text } => {
            let call = (!key.is_private()).then_some(*person);
            Request::Say(schedules::reminder(due, text, call))
        }
        DueWhat::Prompt { agent, prompt } => {
            let prompt = Prompt { text: prompt.clone(), ..Prompt::default() };
            Request::Ask(Some(agent.clone()), prompt)
        }
        DueWhat::Missed { agent } => Request::Say(schedules::missed(due, agent)),
    }
}

#[cfg(test)]
mod tests {
    use protocol::Language;

    use super::*;
    use crate::{right::Role, roster::Founding};

    const ADMIN: PersonId = PersonId(1);

    fn view() -> View {
        let sage = protocol::Agent {
            name: "sage".parse().unwrap(),
            description: String::new(),
            instructions: "Be brief.".to_owned(),
            models: Vec::new(),
            paused: false,
            memory: None,
            proposes_facts: false,
            examples: [].into(),
            tools: Vec::new(),
            may_ask: Vec::new(),
            may_hand_to: Vec::new(),
        };
        let roles = [(ADMIN, Role::Admin)].into();
        View::founded(&Founding { agents: vec![sage], roles, ..Founding::default() }, [].into())
    }

    fn person(id: i64) -> Person {
        Person { id: PersonId(id), first_name: "Ada".to_owned(), language: None }
    }

    #[test]
    fn a_reminder_is_read_and_what_is_unclear_is_answered_with_examples() {
        let read = |text: &str| of_command("remind", text, Some(&person(7)));
        for text in ["in 20 minutes tea", "me in 20 minutes to tea", "in 20 minutes: that tea"] {
            let Request::Timetable(Order::Remind { text, .. }) = read(text) else {
                panic!("{text}")
            };
            assert_eq!(text, "tea");
        }
        for unclear in ["", "tea", "in 20 minutes", "soon tea"] {
            let Request::Say(notice) = read(unclear) else { panic!("{unclear}") };
            assert!(notice.part().plain.contains("/remind every monday 8:00"), "{notice:?}");
        }
        let zone = Order::Zone { person: PersonId(7), zone: Some("Europe/Berlin".to_owned()) };
        assert_eq!(read("zone Europe/Berlin"), Request::Timetable(zone));
        assert!(matches!(of_command("remind", "in 1h x", None), Request::Say(_)));
    }

    #[test]
    fn every_example_that_people_are_shown_is_understood() {
        let text = |key: &'static str, language| {
            let (key, arguments) = (key.into(), Vec::new());
            Text::Message { key, arguments, english: None }.in_language(language)
        };
        let view = view();
        for language in Language::ALL {
            let shown = [text("remind-how", language), text("reminders-none", language)].concat();
            let mut seen = 0;
            for example in shown.split("/remind ").skip(1).filter(|it| !it.starts_with("zone")) {
                let read = of_command("remind", example, Some(&person(7)));
                let is_set = matches!(read, Request::Timetable(Order::Remind { .. }));
                assert!(is_set, "{language}: {example}");
                seen += 1;
            }
            assert_eq!(seen, 5, "{language}: {shown}");
            let shown = text("schedules-none", language);
            let (_, example) = shown.split_once("/schedule ").unwrap();
            let item = super::super::MENU.iter().find(|it| it.name == "schedule").unwrap();
            let read = of_schedule(item, (example, true), (ADMIN, &view));
            let is_set = matches!(read, Some(Request::Timetable(Order::Schedule { .. })));
            assert!(is_set, "{language}: {example}");
        }
    }

    #[test]
    fn a_schedule_names_agent_time_place_and_prompt() {
        let view = view();
        let read = |text: &str| {
            let item = super::super::MENU.iter().find(|it| it.name == "schedule").unwrap();
            of_schedule(item, (text, true), (ADMIN, &view)).unwrap()
        };
        for (text, place) in [
            ("sage 0 8 * * 1-5 here Good morning\nall", None),
            ("sage every weekday 8:00 -500 Good morning\nall", Some(ChatId(-500))),
        ] {
            let Request::Timetable(Order::Schedule { chat, prompt, .. }) = read(text) else {
                panic!("{text}")
            };
            assert_eq!((chat, prompt.as_str()), (place, "Good morning\nall"));
        }
        for bad in
            ["sage", "sage here x", "sage every day 8:00 x", "sage every day 8:00 here", "X 1"]
        {
            assert!(matches!(read(bad), Request::Say(_)), "{bad}");
        }
        assert!(matches!(read("poet every day 8:00 here x"), Request::Say(_)));
    }

    #[test]
    fn schedule_1_a_button_works_for_the_person_it_was_shown_to() {
        let press = |data: String, by: i64, private| {
            let (person, query) = (person(by), "q".to_owned());
            of_press(&Pressed { person, query, data, private, message: None }, &view())
        };
        let data = || cancel_button(3, PersonId(7));
        let order = Order::Cancel { person: PersonId(7), number: 3 };
        assert_eq!(press(data(), 7, false), Some(Request::Timetable(order)));
        assert!(matches!(press(data(), 8, false), Some(Request::Say(_))));
        let by = view().grant(ADMIN).unwrap();
        let order = Order::Unschedule { number: 3, by };
        assert_eq!(press(unschedule_button(3), 1, true), Some(Request::Timetable(order)));
        assert_eq!(press(unschedule_button(3), 7, true), Some(Request::PressDenied(PersonId(7))));
        assert_eq!(press("ag:sage".to_owned(), 7, true), None);
        assert!(cancel_button(u32::MAX, PersonId(i64::MIN)).len() <= 64);
    }
}
