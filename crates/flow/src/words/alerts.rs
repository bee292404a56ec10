//! What admins are told of what is wrong, and the list of it.

use protocol::{
    Timestamp,
    alert::{Notification, Severity, ToldAlert},
};

use super::{LIST_CHARS_MAX, Notice, Text, known, say, text};
use crate::alerter::{Order, Trial, book::Line};

/// What the button under an alert carries before the kind.
pub(crate) const ACKNOWLEDGE: &str = "al:";
/// What fits into a button's data.
const DATA_BYTES_MAX: usize = 64;
/// Alerts of one kind that are named in one message.
const NAMED_MAX: usize = 5;

/// An alert to an admin. `of_run` says what a run of a playbook is about.
pub(crate) fn alert(notification: &Notification, of_run: &dyn Fn(u64) -> Option<Text>) -> Notice {
    let headline = headline(notification, of_run);
    let first = match (notification.is_over(), notification.severity()) {
        _ if notification.is_trial => marked("🔔", headline),
        (true, _) if notification.is_lapsed => text!("alert-lapsed", text = headline),
        (true, _) => text!("alert-over", text = headline),
        _ if notification.is_acknowledged => text!("alert-in-hand", text = headline),
        (false, severity) => marked(light(severity), headline),
    };
    let mut lines = vec![first];
    let open = notification.alerts.iter().filter(|it| it.ended.is_none());
    let more = open.skip(1).take(NAMED_MAX).map(|it| said(notification, it, of_run));
    lines.extend(more.map(|it| marked("•", it)));
    if notification.is_trial || notification.is_over() {
        return say(Text::lines(lines));
    }
    let kind = &notification.kind;
    lines.extend(notification.runbook.as_ref().map(|it| text!("alert-what-to-do", place = it)));
    lines.push(text!("alert-foot", kind = kind));
    let data = format!("{ACKNOWLEDGE}{kind}");
    let mut buttons = Vec::new();
    if data.len() <= DATA_BYTES_MAX && !notification.is_acknowledged {
        buttons.push(vec![(text!("button-in-hand"), data)]);
    }
    buttons.extend(super::playbooks::buttons(notification));
    Notice::with(Text::lines(lines), buttons)
}

fn marked(mark: &str, text: Text) -> Text {
    Text::Joined(vec![mark.into(), text], " ")
}

fn light(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🔴",
        Severity::Warning => "🟠",
    }
}

/// As [`Notification::headline`], in no language.
fn headline(notification: &Notification, of_run: &dyn Fn(u64) -> Option<Text>) -> Text {
    let open = notification.alerts.iter().find(|it| it.ended.is_none());
    let Some(first) = open.or(notification.alerts.first()) else {
        return (&notification.kind).into();
    };
    let text = said(notification, first, of_run);
    let others = notification.alerts.len() as u64 - 1 + notification.left_out;
    match (others, first.count) {
        (0, 0 | 1) => text,
        (0, times) => text!("alert-times", text = text, count = times),
        (others, _) => text!("alert-and-more", text = text, count = others),
    }
}

fn said(
    notification: &Notification,
    alert: &ToldAlert,
    of_run: &dyn Fn(u64) -> Option<Text>,
) -> Text {
    let run = alert.labels.get("run").and_then(|it| it.parse().ok());
    let of_run = run.and_then(of_run);
    of_run.unwrap_or_else(|| known::alert(&notification.kind, &alert.summary))
}

/// An order was carried out.
pub(crate) fn obeyed(order: &Order) -> Text {
    match order {
        Order::Silence { kind, span } if span.is_zero() => text!("silence-ended", kind = kind),
        Order::Silence { kind, span } => {
            text!("silence-begun", kind = kind, minutes = span.as_secs() / 60)
        }
        Order::Acknowledge { kind } => text!("alert-taken", kind = kind),
        Order::List | Order::Test => "✅".into(),
    }
}

/// Why an order was not carried out.
pub(crate) fn not_obeyed(why: &str) -> Text {
    marked("⚠️", known::refusal(why))
}

/// What became of a trial of every sink.
pub(crate) fn trials(trials: &[Trial]) -> Text {
    let line = |it: &Trial| match &it.why_not {
        None => format!("✅ {}", it.sink).into(),
        Some(why) => format!("⚠️ {}: {why}", it.sink).into(),
    };
    Text::lines(trials.iter().map(line).collect())
}

/// `/alerts`: what is wrong, who was told, what is silenced.
pub(crate) fn alerts(all: &[Line], silences: &[(String, Timestamp)]) -> Text {
    let (mut lines, mut length) = (Vec::new(), 0);
    for it in all {
        let line = line(it);
        length += line.len() + 1;
        if LIST_CHARS_MAX < length {
            lines.push(text!("alerts-more"));
            break;
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(text!("alerts-none"));
    }
    let silences = silences.iter().take(NAMED_MAX * 2);
    lines.extend(
        silences.map(|(kind, until)| text!("alert-silenced", kind = kind, time = minute(*until))),
    );
    Text::lines(lines)
}

fn line(it: &Line) -> Text {
    let mark = if it.is_over { "✅" } else { light(it.severity) };
    let mut details = vec![text!("alert-since", count = it.count, time = minute(it.since))];
    details.extend(it.is_acknowledged.then(|| text!("alert-is-in-hand")));
    let waits = (!it.to_tell.is_empty()).then(|| it.to_tell.join(", "));
    details.extend(waits.map(|sinks| text!("alert-not-told", places = sinks)));
    let headline = known::headline(&it.kind, &it.headline);
    let text = text!(
        "alert-line",
        kind = &it.kind,
        headline = headline,
        details = Text::Joined(details, ", ")
    );
    marked(mark, text)
}

/// A time to the minute, in UTC.
pub(super) fn minute(at: Timestamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
