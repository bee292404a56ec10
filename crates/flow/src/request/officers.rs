//! Commands of officers: read from words, and given only to who has the right. Pure.

use std::time::Duration;

use protocol::{AgentName, PersonId, Timestamp, audit::Doer, inbound::Inbound};

use super::{
    Errand, MENU, MenuItem, Request, alerts, arrange, desk, panel, playbooks, quota, rule,
    schedule, split_word,
};
use crate::{
    incident::Handling,
    right::{Auditing, Granted, Operating, Role},
    roster::{Change, View},
    words::{self, Text, text},
};

/// What an officer looks at, or sees to, with the proof that they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A page of the audit log.
    Audit {
        /// Only records before this number.
        before: Option<u64>,
        /// Who.
        by: Granted<Auditing>,
    },
    /// The incidents.
    Incidents {
        /// Who.
        by: Granted<Auditing>,
    },
    /// What playbooks did.
    Playbooks {
        /// Who.
        by: Granted<Operating>,
    },
    /// Something of the program.
    Errand(Errand),
    /// An incident is seen to.
    Handle {
        /// Which.
        number: u64,
        /// How.
        handling: Handling,
        /// Who.
        by: Granted<Operating>,
    },
}

/// What the button that shows older records begins with.
const OLDER: &str = "au:";

/// What an officer's command means. `None`: they may not, after all.
pub(super) fn of_command(
    item: &MenuItem,
    (arguments, private): (&str, bool),
    (by, view): (PersonId, &View),
    now: Timestamp,
) -> Option<Request> {
    match item.name {
        "rule" => rule::of_rule(item, arguments, (by, view)),
        "alerts" => alerts::of_alerts((by, view)),
        "silence" => alerts::of_silence(item, arguments, (by, view)),
        "schedule" | "schedules" => schedule::of_schedule(item, (arguments, private), (by, view)),
        "quota" => quota::of_quota(item, arguments, (by, view)),
        // In a group everybody reads along.
        "audit" | "role" | "incidents" | "playbooks" | "incident" | "quarantine" | "backup"
        | "report"
            if !private =>
        {
            Some(Request::Say(words::only_in_private()))
        }
        "incident" | "quarantine" | "backup" | "report" => {
            desk::of_command(item, arguments, (by, view))
        }
        "audit" => {
            let before = arguments.parse::<u64>().ok().map(|it| it.saturating_add(1));
            Some(Request::Look(Look::Audit { before, by: view.grant(by)? }))
        }
        "role" => of_role(item, arguments, (by, view)),
        "incidents" => of_incidents(item, arguments, (by, view)),
        "playbooks" => playbooks::of_playbooks(item, arguments, (by, view)),
        "invite" | "invites" => arrange::of_command(item, (arguments, private), (by, view)),
        "spawn" => match arrange::of_spawn(item, (arguments, private), (by, view)) {
            Some(request) => request,
            None => ordered(item, change_of("spawn", arguments, now), (by, view)),
        },
        "retire" => ordered(item, retire(arguments, view), (by, view)),
        name => ordered(item, change_of(name, arguments, now), (by, view)),
    }
}

fn of_incidents(
    item: &MenuItem,
    arguments: &str,
    (by, view): (PersonId, &View),
) -> Option<Request> {
    let (verb, number) = split_word(arguments);
    if verb.is_empty() {
        return Some(Request::Look(Look::Incidents { by: view.grant(by)? }));
    }
    let handling = match verb {
        "ack" => Some(Handling::Acknowledge),
        "close" => Some(Handling::Close),
        _ => None,
    };
    let by = view.grant(by)?;
    let (Some(handling), Ok(number)) = (handling, number.parse()) else {
        let why = text!("incident-verbs");
        return Some(Request::Say(words::usage(item.name, item.usage, why)));
    };
    Some(Request::Look(Look::Handle { number, handling, by }))
}

fn of_role(item: &MenuItem, arguments: &str, (by, view): (PersonId, &View)) -> Option<Request> {
    let (verb, rest) = split_word(arguments);
    if verb.is_empty() {
        return Some(Request::ListRoles(view.grant(by)?));
    }
    let (id, rest) = split_word(rest);
    let id = id.parse::<i64>().map_err(|_not_a_number| text!("id-is-number"));
    let role = Role::of_word(rest);
    let read = match (verb, id) {
        (_, Err(why)) => Err(why),
        ("give", Ok(id)) => role
            .map(|role| {
                (
                    Change::RoleGiven { id, role },
                    text!(
                        "done-role-given",
                        person = id.to_string(),
                        role = words::officers::role(role)
                    ),
                )
            })
            .ok_or_else(|| text!("role-words")),
        ("take", Ok(id)) if rest.is_empty() => {
            Ok((Change::RoleTaken { id }, text!("done-role-taken", person = id.to_string())))
        }
        (_, Ok(_)) => Err(text!("role-verbs")),
    };
    ordered(item, read, (by, view))
}

/// What the button carries that shows the records before a number.
pub(crate) fn older_button(before: u64) -> String {
    format!("{OLDER}{before}")
}

/// Reads such a button. Outer `None`: it is another one.
pub(super) fn pressed(data: &str) -> Option<Option<u64>> {
    data.strip_prefix(OLDER).map(|it| it.parse().ok())
}

/// The officer's command that an update tries without the right to it: one that is turned away before
/// it is read, or that stands in words which are nobody's own: forwarded, edited or quoted. Nothing
/// is ever done for it; it is logged.
pub(crate) fn attempted(inbound: &Inbound, view: &View) -> Option<(&'static str, Doer)> {
    let person = inbound.person();
    let actor = person.map_or(Doer::Nobody, Doer::Person);
    let role = person.and_then(|it| view.role(it));
    match inbound {
        Inbound::Said(said) | Inbound::Edited(said) => {
            let officers =
                |name: String| MENU.iter().find(|it| it.needs.is_some() && it.name == name);
            let own = said.command.as_ref().and_then(|it| officers(it.name.clone()));
            if let Some(item) = own {
                return (!item.is_for(role)).then_some((item.name, actor));
            }
            // An officer who quotes a command only talks about it.
            let quoted = said.quoted.as_deref().and_then(name_in).and_then(officers);
            let quoted = quoted.filter(|it| !it.is_for(role));
            let item = name_in(&said.text).and_then(officers).or(quoted)?;
            Some((item.name, actor))
        }
        Inbound::Pressed(pressed) => {
            let is_officers = pressed.data.starts_with(OLDER)
                || pressed.data.starts_with(words::ACKNOWLEDGE)
                || playbooks::is_button(&pressed.data)
                || desk::is_button(&pressed.data)
                || arrange::is_button(&pressed.data)
                || panel::is_button(&pressed.data)
                || schedule::is_button(&pressed.data)
                || crate::alarm::Ask::read(&pressed.data).is_some();
            (is_officers && role.is_none()).then_some(("button", actor))
        }
        Inbound::StopRequested { .. }
        | Inbound::Membership { .. }
        | Inbound::Due(_)
        | Inbound::BotMade { .. }
        | Inbound::Nothing => None,
    }
}

/// The name of the command with which a text begins.
fn name_in(text: &str) -> Option<String> {
    let word = text.trim_start().strip_prefix('/')?.split_whitespace().next()?;
    let name = word.split('@').next().unwrap_or_default();
    Some(name.to_ascii_lowercase())
}

pub(super) fn ordered<D: Into<Text>, W: Into<Text>>(
    item: &MenuItem,
    read: Result<(Change, D), W>,
    (by, view): (PersonId, &View),
) -> Option<Request> {
    Some(match read {
        Ok((change, done)) => match view.order(by, change.clone()) {
            Some(order) => Request::Administer { order, done: done.into() },
            // They may, but for what a playbook did.
            None if view.role(by) >= Some(change.needs())
                && change.needs() < view.needs(&change) =>
            {
                Request::Say(words::playbooks::needs(view.needs(&change)))
            }
            None => return None,
        },
        Err(why) => Request::Say(words::usage(item.name, item.usage, why)),
    })
}

/// An agent is let go; what becomes of its own bot is said.
fn retire(arguments: &str, view: &View) -> Result<(Change, Text), Text> {
    let name = split_word(arguments).0;
    let name = name.parse::<AgentName>().map_err(|_no_name| text!("agent-name-rule"))?;
    let done = match view.managed().of_agent(&name) {
        Some(bot) => words::arrange::retired_with_bot(&name, &bot.username),
        None => text!("done-retired", agent = &name),
    };
    Ok((Change::Retired { name }, done))
}

fn change_of(name: &str, arguments: &str, now: Timestamp) -> Result<(Change, Text), Text> {
    let (first, rest) = split_word(arguments);
    let agent = || first.parse::<AgentName>().map_err(|_no_name| text!("agent-name-rule"));
    let id = || first.parse::<i64>().map_err(|_not_a_number| text!("id-is-number-of-whom"));
    let more = |missing: Text| match rest.is_empty() {
        true => Err(missing),
        false => Ok(rest.to_owned()),
    };
    Ok(match name {
        "spawn" => {
            let (name, instructions) = (agent()?, more(text!("instructions-missing"))?);
            let done = text!("done-spawned", agent = &name);
            (Change::Spawned { name, instructions }, done)
        }
        "edit" => {
            let (name, instructions) = (agent()?, more(text!("instructions-missing"))?);
            let done = text!("done-edited", agent = &name);
            (Change::Edited { name, instructions }, done)
        }
        "model" => {
            let (name, model) = (agent()?, more(text!("words-missing"))?);
            let done = text!("done-model-set", agent = &name, model = &model);
            (Change::ModelSet { name, model }, done)
        }
        "pause" => {
            let name = agent()?;
            let done = text!("done-paused", agent = &name);
            (Change::Paused { name }, done)
        }
        "resume" => {
            let name = agent()?;
            let done = text!("done-resumed", agent = &name);
            (Change::Resumed { name }, done)
        }
        "allow" => (Change::Allowed { id: id()? }, text!("done-allowed", id = first)),
        "deny" => (Change::Denied { id: id()? }, text!("done-denied", id = first)),
        "block" => block_of(id()?, rest, now)?,
        "unblock" => (Change::Unblocked { id: id()? }, text!("done-unblocked", id = first)),
        other => return Err(format!("/{other} is not known.").into()),
    })
}

fn block_of(id: i64, minutes: &str, now: Timestamp) -> Result<(Change, Text), Text> {
    if minutes.is_empty() {
        return Ok((
            Change::Blocked { id, until: None },
            text!("done-blocked", id = id.to_string()),
        ));
    }
    let number = minutes.parse::<u32>().ok().filter(|it| (1..=525_600).contains(it));
    let number = number.ok_or_else(|| text!("minutes-range"))?;
    let until = now.plus(Duration::from_secs(u64::from(number) * 60));
    Ok((
        Change::Blocked { id, until: Some(until) },
        text!("done-blocked-for", id = id.to_string(), minutes = number),
    ))
}
