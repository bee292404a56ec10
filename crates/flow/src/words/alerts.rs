//! What admins are told of what is wrong, and the list of it.

use std::fmt::Write as _;

use protocol::{
    Timestamp,
    alert::{Notification, Severity},
    event::{Button, Part},
};

use super::{LIST_CHARS_MAX, Notice, in_english, say};
use crate::alerter::{Order, Trial, book::Line};

/// What the button under an alert carries before the kind.
pub(crate) const ACKNOWLEDGE: &str = "al:";
/// What fits into a button's data.
const DATA_BYTES_MAX: usize = 64;
/// Alerts of one kind that are named in one message.
const NAMED_MAX: usize = 5;

/// An alert to an admin.
pub(crate) fn alert(notification: &Notification) -> Notice {
    let mark = match (notification.is_over(), notification.severity()) {
        _ if notification.is_trial => "🔔",
        (true, _) if notification.is_lapsed => "☑️ Not again for 10 minutes:",
        (true, _) => "✅ Over:",
        _ if notification.is_acknowledged => "🙋 In hand:",
        (false, Severity::Critical) => "🔴",
        (false, Severity::Warning) => "🟠",
    };
    let mut text = format!("{mark} {}", notification.headline());
    let open = notification.alerts.iter().filter(|it| it.ended.is_none());
    // lost-ok: writing to a string cannot fail, here and below.
    for it in open.skip(1).take(NAMED_MAX) {
        write!(text, "\n• {}", it.summary).ok();
    }
    if notification.is_trial || notification.is_over() {
        return say(text);
    }
    if let Some(runbook) = &notification.runbook {
        write!(text, "\nWhat to do: {runbook}").ok();
    }
    write!(text, "\n({}; /silence {} 2h)", notification.kind, notification.kind).ok();
    let data = format!("{ACKNOWLEDGE}{}", notification.kind);
    let mut buttons = Vec::new();
    if data.len() <= DATA_BYTES_MAX && !notification.is_acknowledged {
        buttons.push(vec![Button { label: "I take care of it".to_owned(), data }]);
    }
    buttons.extend(super::playbooks::buttons(notification));
    in_english(Part { buttons, ..Part::plain(text) })
}

/// An order was carried out.
pub(crate) fn obeyed(order: &Order) -> String {
    match order {
        Order::Silence { kind, span } if span.is_zero() => {
            format!("🔔 Of {kind} you are told again.")
        }
        Order::Silence { kind, span } => {
            let minutes = span.as_secs() / 60;
            format!(
                "🔕 Of {kind} nobody is told for {minutes} minutes. /silence {kind} off ends it."
            )
        }
        Order::Acknowledge { kind } => {
            format!(
                "✅ {kind} is in your hands: nobody else is told of it. /alerts lists what is open."
            )
        }
        Order::List | Order::Test => "Done.".to_owned(),
    }
}

/// What became of a trial of every sink.
pub(crate) fn trials(trials: &[Trial]) -> String {
    let line = |it: &Trial| match &it.why_not {
        None => format!("✅ {}", it.sink),
        Some(why) => format!("⚠️ {}: {why}", it.sink),
    };
    trials.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `/alerts`: what is wrong, who was told, what is silenced.
pub(crate) fn alerts(lines: &[Line], silences: &[(String, Timestamp)]) -> String {
    let mut text = String::new();
    for it in lines {
        let mark = match (it.is_over, it.severity) {
            (true, _) => "✅",
            (false, Severity::Critical) => "🔴",
            (false, Severity::Warning) => "🟠",
        };
        let hands = if it.is_acknowledged { ", in hand" } else { "" };
        let waits = match it.to_tell.as_slice() {
            [] => String::new(),
            sinks => format!(", not told yet: {}", sinks.join(", ")),
        };
        let line = format!(
            "{mark} {}: {} ({} times since {}{hands}{waits})\n",
            it.kind,
            it.headline,
            it.count,
            minute(it.since)
        );
        if LIST_CHARS_MAX < text.len() + line.len() {
            text.push_str("… and more: guildhall alerts list\n");
            break;
        }
        text.push_str(&line);
    }
    if text.is_empty() {
        text.push_str("Nothing is wrong that I know of.\n");
    }
    for (kind, until) in silences.iter().take(NAMED_MAX * 2) {
        writeln!(text, "🔕 {kind} is silenced until {}", minute(*until)).ok();
    }
    text.trim_end().to_owned()
}

/// A time to the minute, in UTC.
fn minute(at: Timestamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
