//! What the hall says about reminders and about what agents are asked at set times.

use protocol::{
    AgentName, PersonId,
    due::Due,
    event::{Button, Part},
};

use super::{Dress, LIST_CHARS_MAX, Notice, in_english, say};
use crate::{
    request::{cancel_button, unschedule_button},
    timekeeper::{Line, Said, when::WhenError},
};

/// How a time is written.
pub(crate) const TIMES: &str = "The time is such as “every weekday 8:00”, “every 2 hours”, “tomorrow 9:00”, or the five fields of \
     a cron rule, such as 0 8 * * 1-5.";

/// `/remind` without a time that can be read.
pub(crate) fn how_to_remind() -> Notice {
    say("Tell me when, and then of what. For example:\n\
         /remind in 20 minutes take the bread out\n\
         /remind tomorrow 9:00 call Ada\n\
         /remind 2026-12-01 18:00 buy the gifts\n\
         /remind every monday 8:00 plan the week\n\n\
         /reminders shows what is set. /remind zone Europe/Berlin sets your time zone.")
}

/// A channel or an anonymous admin wants to be reminded.
pub(crate) fn nobody() -> Notice {
    say("I can remind only a person. Please write as yourself.")
}

/// The button was shown to somebody else.
pub(crate) fn of_another() -> Notice {
    say("That is a reminder of somebody else. /reminders shows yours.")
}

/// The timekeeper is away.
pub(crate) fn not_now() -> Notice {
    say("That could not be done just now, and nothing was changed. Please try it again.")
}

/// An officer's order could not be noted in the audit log.
pub(crate) fn not_noted(error: &dyn std::fmt::Display) -> Notice {
    say(format!("Nothing is shown or changed: {error}."))
}

/// What came of an order.
pub(crate) fn said(said: &Said) -> Notice {
    match said {
        Said::Set(line) => set(line),
        Said::Reminders(lines, to) => reminders(lines, *to),
        Said::Schedules(lines) => schedules(lines),
        Said::Cancelled => say("🗑 Deleted. It will not come."),
        Said::Unknown => say("That is not there any more."),
        Said::Zone(zone) => say(format!(
            "Times you tell me are those of {zone}. /remind zone Europe/Berlin sets another; what is \
             set already stays as it is."
        )),
        Said::NoSuchZone => {
            say("There is no such time zone. It is a name such as Europe/Berlin or America/Lima.")
        }
        Said::NotThen(WhenError::Past) => say("That time is over. Please tell me one to come."),
        Said::NotThen(WhenError::TooFar) => say("That is more than five years away."),
        Said::NotThen(WhenError::Unclear) => how_to_remind(),
        Said::TooOften(least) => say(format!(
            "That comes too often. There must be at least {} seconds between two times.",
            least.as_secs()
        )),
        Said::Full(most) => say(format!(
            "There are {most} already, and no more are kept. Delete one first: /reminders shows yours."
        )),
        Said::TooLong(most) => {
            say(format!("That is too long: at most {most} characters are kept."))
        }
    }
}

fn set(line: &Line) -> Notice {
    let again = if line.comes_again { " That is the first time; it comes again." } else { "" };
    say(match &line.agent {
        None => format!(
            "⏰ I will remind you on {}: {}{again}\n/reminders shows and deletes what is set.",
            line.next, line.text
        ),
        Some(agent) => format!(
            "⏰ {agent} will be asked on {}.{again}\n/schedules shows and deletes what is set.",
            line.next
        ),
    })
}

fn reminders(lines: &[Line], to: PersonId) -> Notice {
    if lines.is_empty() {
        return say(
            "Nothing is set here. /remind in 20 minutes take the bread out sets something.",
        );
    }
    list("⏰ What I will remind you of:", lines, |it| cancel_button(it.number, to))
}

fn schedules(lines: &[Line]) -> Notice {
    if lines.is_empty() {
        return say("No agent is asked anything at set times. \
             /schedule sage every weekday 8:00 here Good morning! sets something.");
    }
    list("⏰ What agents are asked at set times:", lines, |it| unschedule_button(it.number))
}

fn list(head: &str, lines: &[Line], button: impl Fn(&Line) -> String) -> Notice {
    let mut plain = head.to_owned();
    let mut buttons = Vec::new();
    for line in lines {
        let again = if line.comes_again { " 🔁" } else { "" };
        let whom = line.agent.as_ref().map(|it| format!(" {it} in {}:", line.chat));
        let text: String = line.text.chars().take(120).collect();
        let row =
            format!("\n{}. {}{again}{} {text}", line.number, line.next, whom.unwrap_or_default());
        if LIST_CHARS_MAX < plain.len() + row.len() {
            plain.push_str("\n…");
            break;
        }
        plain.push_str(&row);
        buttons.push(Button { label: format!("🗑 Delete {}", line.number), data: button(line) });
    }
    let buttons = buttons.chunks(2).map(<[Button]>::to_vec).collect();
    in_english(Part { html: None, plain, buttons })
}

/// A reminder whose time has come. `call`: in a group, whom it is for.
pub(crate) fn reminder(due: &Due, text: &str, call: Option<PersonId>) -> Notice {
    let late = away(due);
    let plain = format!("⏰ {late}{text}");
    say(plain).dressed(call.map_or(Dress::Plain, Dress::Calling))
}

/// An agent was to be asked while the hall was away.
pub(crate) fn missed(due: &Due, agent: &AgentName) -> Notice {
    let more = more(due);
    say(format!(
        "⏰ {agent} was to be asked on {}{more}, while I was away. That was left out; it goes on with \
         the next time.",
        due.said
    ))
}

fn away(due: &Due) -> String {
    match due.late {
        true => format!("This was due on {}{}, while I was away: ", due.said, more(due)),
        false => String::new(),
    }
}

fn more(due: &Due) -> String {
    match due.missed {
        0 => String::new(),
        1 => " and once after that".to_owned(),
        times => format!(" and {times} times after that"),
    }
}
