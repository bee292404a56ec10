//! What is a person's own matter, so that nobody else in a group sees the answer. Pure.
//!
//! What an officer's command is answered is theirs too, but for those who are none: they get the answer
//! that an unknown command gets, where that is given.

use protocol::inbound::Inbound;

use super::{MENU, Request};
use crate::roster::View;

/// Commands about whoever gives them.
pub(super) const OWN: [&str; 9] =
    ["usage", "memory", "files", "privacy", "status", "reminders", "trace", "export", "forget"];

/// True if the answer is for whoever asks, and for nobody else who reads along.
pub(crate) fn is_own_matter(inbound: &Inbound, request: &Request, view: &View) -> bool {
    match inbound {
        Inbound::Said(said) => {
            let Some(command) = said.command.as_ref().filter(|_| !request.is_denied()) else {
                return false;
            };
            let name = command.name.as_str();
            let is_officers = || MENU.iter().any(|it| it.name == name && it.needs.is_some());
            // The list of commands tells what role somebody has.
            let tells_role = || {
                let role = said.person.as_ref().and_then(|it| view.role(it.id));
                matches!(name, "help" | "settings") && role.is_some()
            };
            *request != Request::Ignore && (OWN.contains(&name) || is_officers() || tells_role())
        }
        // Buttons stand under a person's own lists.
        Inbound::Pressed(_) => {
            matches!(
                request,
                Request::ForgetFact { .. } | Request::Papers(_) | Request::Timetable(_)
            )
        }
        Inbound::Edited(_)
        | Inbound::StopRequested { .. }
        | Inbound::Membership { .. }
        | Inbound::Due(_)
        | Inbound::BotMade { .. }
        | Inbound::Nothing => false,
    }
}
