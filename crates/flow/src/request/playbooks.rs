//! `/playbooks`, and the buttons under the alert of a playbook.

use protocol::{PersonId, inbound::Pressed};

use super::{Look, MenuItem, Request, split_word};
use crate::{
    incident::Handling,
    playbook::RunChange,
    right::{Granted, Operating},
    roster::{Change, View},
    words::{
        self,
        playbooks::{BUTTON, Verb},
        text,
    },
};

/// Reads the words after `/playbooks`. `None`: they may not, after all.
pub(super) fn of_playbooks(
    item: &MenuItem,
    arguments: &str,
    (by, view): (PersonId, &View),
) -> Option<Request> {
    let (verb, number) = split_word(arguments);
    if verb.is_empty() {
        return Some(Request::Look(Look::Playbooks { by: view.grant(by)? }));
    }
    let granted: Granted<Operating> = view.grant(by)?;
    let verb = Verb::ALL.into_iter().find(|it| it.word() == verb);
    let (Some(verb), Ok(run)) = (verb, number.parse()) else {
        let why = text!("playbook-verbs");
        return Some(Request::Say(words::usage(item.name, item.usage, why)));
    };
    Some(said(verb, run, granted, view))
}

/// Reads what stands behind a button under such an alert. `None` if it is no such button. It says which
/// run it is about, and gives no right.
pub(super) fn of_press(pressed: &Pressed, view: &View) -> Option<Request> {
    let (verb, run) = pressed.data.strip_prefix(BUTTON)?.split_once(':')?;
    let verb = Verb::ALL.into_iter().find(|it| it.word() == verb)?;
    let run = run.parse().ok()?;
    let by = pressed.person.id;
    Some(match view.grant(by).filter(|_| pressed.private) {
        Some(granted) => said(verb, run, granted, view),
        None => Request::PressDenied(by),
    })
}

/// True for such a button.
pub(super) fn is_button(data: &str) -> bool {
    data.starts_with(BUTTON)
}

fn said(verb: Verb, run: u64, by: Granted<Operating>, view: &View) -> Request {
    let Some(known) = view.runs().get(run) else {
        return Request::Say(words::playbooks::no_such_run());
    };
    let change = match verb {
        Verb::Yes => RunChange::Decided { run, yes: true },
        Verb::No => RunChange::Decided { run, yes: false },
        Verb::Undo => RunChange::Undone { run },
        Verb::Keep => RunChange::Kept { run },
        Verb::Close => {
            let (number, handling) = (known.beginning.incident, Handling::Close);
            return Request::Look(Look::Handle { number, handling, by });
        }
    };
    match view.order(by.by(), Change::Played(change)) {
        Some(order) => Request::Administer { order, done: words::playbooks::done(verb, run) },
        None => Request::Say(words::playbooks::needs(known.beginning.undo_by)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::{Timestamp, inbound::Person};

    use super::*;
    use crate::{
        playbook::{Beginning, Measure, Mode},
        right::Role,
        roster::{Founding, view_with},
    };

    const OPERATOR: PersonId = PersonId(1);
    const ADMIN: PersonId = PersonId(2);

    fn view() -> View {
        let roles =
            [(OPERATOR, Role::Operator), (ADMIN, Role::Admin), (PersonId(3), Role::Auditor)];
        let founding = Founding { roles: roles.into(), ..Founding::default() };
        let begun = |run, undo_by| {
            Change::Played(RunChange::Begun {
                run: Beginning {
                    run,
                    playbook: "one".to_owned(),
                    incident: 40 + run,
                    mode: Mode::Act,
                    undo_by,
                    people: vec![PersonId(i64::try_from(run).unwrap() + 70)],
                    agent: None,
                    of_agent: false,
                    signs: 3,
                    at: Timestamp(1),
                    steps: vec![Measure::Block { lasts: Duration::from_secs(60) }],
                },
            })
        };
        view_with(&founding, vec![begun(1, Role::Operator), begun(2, Role::Admin)])
    }

    fn press(person: PersonId, data: &str, private: bool) -> Option<Request> {
        let person = Person { id: person, first_name: String::new(), language: None };
        let (query, data) = ("q".to_owned(), data.to_owned());
        of_press(&Pressed { person, query, data, private, message: None }, &view())
    }

    #[test]
    fn a_button_of_a_playbook_is_an_officers_in_private_and_nobody_elses() {
        let Some(Request::Administer { order, .. }) = press(OPERATOR, "pb:undo:1", true) else {
            panic!("not ordered")
        };
        assert_eq!(*order.change(), Change::Played(RunChange::Undone { run: 1 }));
        let denied = |person| Some(Request::PressDenied(person));
        assert_eq!(press(OPERATOR, "pb:undo:1", false), denied(OPERATOR));
        for other in [PersonId(3), PersonId(71)] {
            for data in ["pb:undo:1", "pb:keep:1", "pb:yes:1", "pb:no:1", "pb:close:1"] {
                assert_eq!(press(other, data, true), denied(other), "{data}");
            }
        }
        let close = press(OPERATOR, "pb:close:1", true);
        assert!(matches!(close, Some(Request::Look(Look::Handle { number: 41, .. }))), "{close:?}");
        for forged in ["pb:", "pb:undo", "pb:undo:x", "pb:dance:1", "ag:sage"] {
            assert_eq!(press(OPERATOR, forged, true), None, "{forged}");
        }
        assert!(matches!(press(OPERATOR, "pb:undo:9", true), Some(Request::Say(_))));
    }

    #[test]
    fn what_only_an_admin_may_undo_no_operator_does() {
        let told = press(OPERATOR, "pb:undo:2", true);
        assert_eq!(told, Some(Request::Say(words::playbooks::needs(Role::Admin))));
        assert!(matches!(press(ADMIN, "pb:undo:2", true), Some(Request::Administer { .. })));
    }

    #[test]
    fn a_command_does_what_the_buttons_do() {
        let item = super::super::MENU.iter().find(|it| it.name == "playbooks").unwrap();
        let read = |arguments: &str| of_playbooks(item, arguments, (OPERATOR, &view())).unwrap();
        assert!(matches!(read(""), Request::Look(Look::Playbooks { .. })));
        assert!(matches!(read("keep 1"), Request::Administer { .. }));
        for bad in ["undo", "undo x", "dance 1"] {
            let Request::Say(notice) = read(bad) else { panic!("{bad}") };
            assert!(notice.part().plain.contains("/playbooks"), "{bad}");
        }
    }
}
