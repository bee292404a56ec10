//! What the hall says about reminders and about what agents are asked at set times.

use protocol::{AgentName, PersonId, audit::RecordError, due::Due};

use super::{Dress, LIST_CHARS_MAX, Notice, Text, say, text};
use crate::{
    request::{cancel_button, unschedule_button},
    timekeeper::{Line, Said, when::WhenError},
};

/// As the timekeeper calls them.
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How a time is written.
pub(crate) fn times() -> Text {
    text!("times-how")
}

/// `/remind` without a time that can be read.
pub(crate) fn how_to_remind() -> Notice {
    say(text!("remind-how"))
}

/// A channel or an anonymous admin wants to be reminded.
pub(crate) fn nobody() -> Notice {
    say(text!("remind-nobody"))
}

/// The button was shown to somebody else.
pub(crate) fn of_another() -> Notice {
    say(text!("reminder-of-another"))
}

/// The timekeeper is away.
pub(crate) fn not_now() -> Notice {
    say(text!("timetable-away"))
}

/// An officer's order could not be noted in the audit log.
pub(crate) fn not_noted(error: RecordError) -> Notice {
    say(text!("timetable-not-noted", why = super::officers::not_noted(error)))
}

/// What came of an order.
pub(crate) fn said(said: &Said) -> Notice {
    match said {
        Said::Set(line) => set(line),
        Said::Reminders(lines, to) => reminders(lines, *to),
        Said::Schedules(lines) => schedules(lines),
        Said::Cancelled => say(text!("timetable-deleted")),
        Said::Unknown => say(text!("timetable-gone")),
        Said::Zone(zone) => say(text!("zone-set", zone = zone)),
        Said::NoSuchZone => say(text!("zone-unknown")),
        Said::NotThen(WhenError::Past) => say(text!("time-past")),
        Said::NotThen(WhenError::TooFar) => say(text!("time-too-far")),
        Said::NotThen(WhenError::Unclear) => how_to_remind(),
        Said::TooOften(least) => say(text!("time-too-often", count = least.as_secs())),
        Said::Full(most) => say(text!("timetable-full", most = *most)),
        Said::TooLong(most) => say(text!("reminder-too-long", most = *most)),
    }
}

fn set(line: &Line) -> Notice {
    let next = when(&line.next);
    let (set, foot) = match &line.agent {
        None => (text!("reminder-set", when = next, text = &line.text), text!("reminders-foot")),
        Some(agent) => (text!("schedule-set", agent = agent, when = next), text!("schedules-foot")),
    };
    let again = line.comes_again.then(|| text!("comes-again"));
    let set = Text::Joined([set].into_iter().chain(again).collect(), " ");
    say(Text::lines(vec![set, foot]))
}

fn reminders(lines: &[Line], to: PersonId) -> Notice {
    if lines.is_empty() {
        return say(text!("reminders-none"));
    }
    list(text!("reminders-head"), lines, |it| cancel_button(it.number, to))
}

fn schedules(lines: &[Line]) -> Notice {
    if lines.is_empty() {
        return say(text!("schedules-none"));
    }
    list(text!("schedules-head"), lines, |it| unschedule_button(it.number))
}

fn list(head: Text, all: &[Line], button: impl Fn(&Line) -> String) -> Notice {
    let mut length = head.len();
    let (mut lines, mut buttons) = (vec![head], Vec::new());
    for line in all {
        let row = row(line);
        length += row.len() + 1;
        if LIST_CHARS_MAX < length {
            lines.push("…".into());
            break;
        }
        lines.push(row);
        let label = text!("button-delete", number = line.number.to_string());
        buttons.push((label, button(line)));
    }
    let buttons = buttons.chunks(2).map(<[(Text, String)]>::to_vec).collect();
    Notice::with(Text::lines(lines), buttons)
}

fn row(line: &Line) -> Text {
    let number = Text::from(format!("{}.", line.number));
    let again = line.comes_again.then(|| "🔁".into());
    let whom = line.agent.as_ref();
    let whom = whom.map(|it| text!("asked-in", agent = it, chat = line.chat.to_string()));
    let text = line.text.chars().take(120).collect::<String>().into();
    let parts = [number, when(&line.next)].into_iter().chain(again).chain(whom);
    Text::Joined(parts.chain([text]).collect(), " ")
}

/// A reminder whose time has come. `call`: in a group, whom it is for.
pub(crate) fn reminder(due: &Due, text: &str, call: Option<PersonId>) -> Notice {
    let text = match due.late {
        true => text!("reminder-late", when = whenever(due), text = text),
        false => format!("⏰ {text}").into(),
    };
    say(text).dressed(call.map_or(Dress::Plain, Dress::Calling))
}

/// An agent was to be asked while the hall was away.
pub(crate) fn missed(due: &Due, agent: &AgentName) -> Notice {
    say(text!("prompt-missed", agent = agent, when = whenever(due)))
}

/// When it was due, and how often after that.
fn whenever(due: &Due) -> Text {
    let when = when(&due.said);
    match due.missed {
        0 => when,
        times => text!("when-and-after", when = when, count = times),
    }
}

/// A time as the timekeeper writes it, such as “Thu 26 Nov 2026, 9:00 (Europe/Berlin)”.
fn when(said: &str) -> Text {
    moment(said).unwrap_or_else(|| said.into())
}

fn moment(said: &str) -> Option<Text> {
    let (date, time) = said.split_once(", ")?;
    let mut date = date.split(' ');
    let weekday = position(&WEEKDAYS, date.next()?)?;
    let day = date.next()?;
    let month = position(&MONTHS, date.next()?)?;
    let year = date.next()?;
    let (time, zone) = time.strip_suffix(')')?.split_once(" (")?;
    let weekday = text!("weekday", day = weekday);
    let month = text!("month", month = month);
    Some(text!(
        "moment",
        weekday = weekday,
        date = day,
        month_name = month,
        year = year,
        time = time,
        zone = zone,
    ))
}

fn position(names: &[&str], name: &str) -> Option<usize> {
    names.iter().position(|it| *it == name).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Language;

    #[test]
    fn a_time_is_told_in_the_language_of_its_reader_and_an_unknown_one_as_it_is() {
        let said = "Thu 26 Nov 2026, 09:00 (Europe/Berlin)";
        assert_eq!(when(said).in_language(Language::English), said);
        let german = when(said).in_language(Language::German);
        assert_eq!(german, "Do., 26. Nov. 2026, 09:00 Uhr (Europe/Berlin)");
        for name in WEEKDAYS {
            let said = format!("{name} 1 Jan 2027, 00:00 (UTC)");
            assert_eq!(when(&said).in_language(Language::English), said);
        }
        for name in MONTHS {
            let said = format!("Mon 1 {name} 2027, 00:00 (UTC)");
            assert_eq!(when(&said).in_language(Language::English), said);
        }
        assert_eq!(when("9:00").in_language(Language::German), "9:00");
    }
}
