//! Agents with bots of their own, and links that let people in: read from words, and given only to who has the
//! right. Pure.

use std::time::Duration;

use protocol::{
    AgentName, BotId, PersonId, Timestamp,
    inbound::{Inbound, Person, Pressed, Said},
};

use super::{MenuItem, Request, split_word};
use crate::{
    invites,
    right::{Governing, Granted},
    roster::View,
    words::{self, text},
};

/// What stands behind `/spawn` where the agent is to have a bot of its own.
const AS_BOT: &str = "as bot";
/// What the button that withdraws a link begins with.
const WITHDRAW: &str = "iv:";
/// How long a link is open where nothing is said.
const HOURS: u64 = 24;
/// The longest: a week.
const HOURS_MAX: u64 = 7 * 24;

/// What is to be arranged, with the proof that whoever wants it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// An agent gets a bot of its own; it is brought in with these instructions, or is here already.
    OwnBot {
        /// Which agent.
        name: AgentName,
        /// Its instructions, where it is new.
        instructions: Option<String>,
        /// Who.
        by: Granted<Governing>,
    },
    /// A bot was made, or has another token.
    BotMade {
        /// Which.
        bot: BotId,
        /// What it is called behind the `@`.
        username: String,
        /// Whose it is.
        by: Granted<Governing>,
    },
    /// A link that lets one person in.
    Invite {
        /// For how long.
        span: Duration,
        /// Who.
        by: Granted<Governing>,
    },
    /// The links that are open.
    Invites(Granted<Governing>),
    /// A link lets nobody in any more.
    Withdraw {
        /// Which.
        number: u64,
        /// Who.
        by: Granted<Governing>,
    },
    /// Somebody opened a link.
    Enter {
        /// With which token.
        token: Secret,
        /// Who.
        person: Person,
    },
}

/// A link's token: in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// `/spawn … as bot`: outer `None` where it is the plain command; inner `None`: they may not, after all.
pub(super) fn of_spawn(
    item: &MenuItem,
    (arguments, private): (&str, bool),
    (by, view): (PersonId, &View),
) -> Option<Option<Request>> {
    let rest = arguments.trim_end();
    let at = rest.len().checked_sub(AS_BOT.len()).filter(|it| rest.is_char_boundary(*it))?;
    let (head, tail) = rest.split_at(at);
    if !tail.eq_ignore_ascii_case(AS_BOT) || !head.ends_with(char::is_whitespace) {
        return None;
    }
    if !private {
        return Some(Some(Request::Say(words::only_in_private())));
    }
    let (name, instructions) = split_word(head);
    let usage = |why| Some(Some(Request::Say(words::usage(item.name, item.usage, why))));
    let Ok(name) = name.parse::<AgentName>() else { return usage(text!("agent-name-rule")) };
    let instructions = Some(instructions.to_owned()).filter(|it| !it.is_empty());
    if instructions.is_none() && view.agent(&name).is_none() {
        return usage(text!("instructions-missing"));
    }
    let grant = view.grant(by);
    Some(grant.map(|by| Request::Arrange(Arrangement::OwnBot { name, instructions, by })))
}

/// `/invite` and `/invites`.
pub(super) fn of_command(
    item: &MenuItem,
    (arguments, private): (&str, bool),
    (by, view): (PersonId, &View),
) -> Option<Request> {
    if !private {
        return Some(Request::Say(words::only_in_private()));
    }
    let by = view.grant(by)?;
    if item.name == "invites" {
        return Some(Request::Arrange(Arrangement::Invites(by)));
    }
    let hours = if arguments.is_empty() { Ok(HOURS) } else { arguments.parse::<u64>() };
    Some(match hours.ok().filter(|it| (1..=HOURS_MAX).contains(it)) {
        Some(hours) => {
            let span = Duration::from_secs(hours * 3_600);
            Request::Arrange(Arrangement::Invite { span, by })
        }
        None => {
            let why = text!("invite-hours", most = HOURS_MAX);
            Request::Say(words::usage(item.name, item.usage, why))
        }
    })
}

/// A bot was made, or has another token: that counts if an admin wanted one for an agent.
pub(super) fn of_bot_made(owner: &Person, (bot, username): (BotId, &str), view: &View) -> Request {
    match view.grant(owner.id) {
        Some(by) => {
            let username = username.to_owned();
            Request::Arrange(Arrangement::BotMade { bot, username, by })
        }
        None => Request::Ignore,
    }
}

/// What somebody wants who may not talk: to come in, if they have a link; nothing else.
pub(super) fn of_stranger(said: &Said, view: &View, now: Timestamp) -> Request {
    let inbound = Inbound::Said(said.clone());
    let (Some(token), Some(person)) = (invites::token_in(&inbound), &said.person) else {
        return Request::Ignore;
    };
    match view.entry(person.id, token, now) {
        Ok(_) => {
            let (token, person) = (Secret(token.to_owned()), person.clone());
            Request::Arrange(Arrangement::Enter { token, person })
        }
        Err(why) => Request::Say(words::arrange::closed(why, person.id)),
    }
}

/// What the button carries that withdraws a link.
pub(crate) fn withdraw_button(number: u64) -> String {
    format!("{WITHDRAW}{number}")
}

/// Reads such a button. `None`: it is another one.
pub(super) fn of_press(pressed: &Pressed, view: &View) -> Option<Request> {
    let number = pressed.data.strip_prefix(WITHDRAW)?.parse().ok()?;
    let by = pressed.person.id;
    Some(match view.grant(by).filter(|_| pressed.private) {
        Some(by) => Request::Arrange(Arrangement::Withdraw { number, by }),
        None => Request::PressDenied(by),
    })
}

/// True for such a button.
pub(super) fn is_button(data: &str) -> bool {
    data.starts_with(WITHDRAW)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{request::MENU, right::Role, roster::Founding};

    const ADMIN: PersonId = PersonId(1);

    fn view() -> View {
        let founding = Founding { roles: [(ADMIN, Role::Admin)].into(), ..Founding::default() };
        View::founded(&founding, Arc::from([]))
    }

    fn spawn(arguments: &str, private: bool) -> Option<Option<Request>> {
        let item = MENU.iter().find(|it| it.name == "spawn").unwrap();
        of_spawn(item, (arguments, private), (ADMIN, &view()))
    }

    #[test]
    fn an_agent_gets_a_bot_of_its_own_only_where_that_stands_at_the_end() {
        for plain in ["bard Sing.", "bard Act as bot or man.", "bard Sing asbot", "as bot", ""] {
            assert_eq!(spawn(plain, true), None, "{plain}");
        }
        let Some(Some(Request::Arrange(it))) = spawn("bard Sing\nsongs. as BOT ", true) else {
            panic!("not arranged")
        };
        let Arrangement::OwnBot { name, instructions, by } = it else { panic!("{it:?}") };
        assert_eq!((name.as_str(), by.by()), ("bard", ADMIN));
        assert_eq!(instructions.as_deref(), Some("Sing\nsongs."));
        for (arguments, private) in
            [("bard as bot", true), ("B! x as bot", true), ("bard x as bot", false)]
        {
            assert!(
                matches!(spawn(arguments, private), Some(Some(Request::Say(_)))),
                "{arguments}"
            );
        }
    }

    #[test]
    fn a_link_is_open_for_hours_of_which_there_are_not_too_many() {
        let item = MENU.iter().find(|it| it.name == "invite").unwrap();
        let read = |arguments: &str| of_command(item, (arguments, true), (ADMIN, &view())).unwrap();
        for (arguments, hours) in [("", 24), ("1", 1), ("168", 168)] {
            let Request::Arrange(Arrangement::Invite { span, .. }) = read(arguments) else {
                panic!("{arguments}")
            };
            assert_eq!(span.as_secs(), hours * 3_600);
        }
        for bad in ["0", "169", "soon", "-1"] {
            assert!(matches!(read(bad), Request::Say(_)), "{bad}");
        }
        assert!(of_command(item, ("", true), (PersonId(2), &view())).is_none());
    }
}
