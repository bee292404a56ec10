//! What officers are told of one incident, of what was set aside, of backups and of reports.

use std::sync::Arc;

use protocol::{
    ChatId, PersonId, RefId, Timestamp,
    audit::{Record, RecordError},
};

use super::{Notice, Text, officers, say, text};
use crate::{
    aside::{Aside, Verdict, Verdicts},
    clerk::{BackupLine, STANDARDS},
    incident::{Handling, Incident, Stage},
    roster::AdministerError,
};

/// What the buttons under an incident begin with.
pub(crate) const BUTTON: &str = "in:";
/// Messages on one screen.
const ASIDE_SHOWN: usize = 20;
/// Backups on one screen.
const BACKUPS_SHOWN: usize = 10;

/// What an officer can do about an incident under its details.
pub(crate) const HANDLINGS: [(&str, Handling); 2] =
    [("ack", Handling::Acknowledge), ("close", Handling::Close)];

/// `/incident <number>`: one, with the newest that was noted of it.
pub(crate) fn incident(incident: &Incident, records: &[Record]) -> Notice {
    let it = incident;
    let number = it.number.to_string();
    let (kind, severity) = (officers::kind(it.kind), officers::severity(it.severity()));
    let (since, last) = (officers::time(it.since), officers::time(it.last));
    let mut lines = vec![
        text!("incident-head", incident = &number, kind = kind, severity = severity),
        officers::whom(it).into(),
        text!("incident-weight", count = it.count, weight = it.score.to_string()),
        text!("incident-span", since = since, last = last),
        text!("incident-stage", stage = officers::stage(it.stage)),
    ];
    if !records.is_empty() {
        lines.extend([Text::default(), text!("incident-noted")]);
        lines.extend(records.iter().map(|it| officers::line(it).into()));
    }
    let command = format!("`guildhall incident export {number}`");
    lines.extend([Text::default(), text!("incident-export", command = command)]);
    let is_useful = |handling: Handling| match (it.stage, handling) {
        (Stage::Open, Handling::Acknowledge | Handling::Close)
        | (Stage::Acknowledged, Handling::Close) => true,
        (Stage::Acknowledged, Handling::Acknowledge)
        | (Stage::Closed, Handling::Acknowledge | Handling::Close) => false,
    };
    let of_use = HANDLINGS.into_iter().filter(|(_, handling)| is_useful(*handling));
    let label = |handling: Handling| match handling {
        Handling::Acknowledge => text!("button-acknowledge"),
        Handling::Close => text!("button-close"),
    };
    let row: Vec<(Text, String)> = of_use
        .map(|(word, handling)| (label(handling), format!("{BUTTON}{word}:{number}")))
        .collect();
    let buttons = if row.is_empty() { Vec::new() } else { vec![row] };
    Notice::with(Text::lines(lines), buttons)
}

/// There is none of this number.
pub(crate) fn no_such_incident(number: u64) -> Notice {
    say(text!("incident-not-at-hand", incident = number.to_string()))
}

/// It could not be noted that it was asked for.
pub(crate) fn not_done(error: RecordError) -> Notice {
    say(text!("nothing-done-because", why = officers::not_noted(error)))
}

/// The roster does not do it.
pub(crate) fn refused(why: &AdministerError) -> Notice {
    say(super::why_not(why))
}

/// Something was asked for and did not work.
pub(crate) fn failed(what: Text, why: impl Into<Text>) -> Notice {
    say(text!("failed-because", what = what, why = why.into()))
}

/// `/quarantine`.
pub(crate) fn quarantine(
    all: &[Aside],
    verdicts: &Verdicts,
    chat: &dyn Fn(ChatId) -> Text,
) -> Notice {
    let left: Vec<&Aside> =
        all.iter().filter(|it| verdicts.of(it.reference) != Some(Verdict::Dropped)).collect();
    if left.is_empty() {
        return say(text!("aside-none"));
    }
    let line = |it: &&Aside| {
        let at = it.at.map_or_else(|| text!("some-time-ago"), |at| officers::time(at).into());
        let (whose, why) = match it.is_unread {
            true => (text!("chat-unknown"), text!("aside-unread")),
            false => (chat(it.key.chat), text!("aside-failed")),
        };
        let why = match verdicts.of(it.reference) {
            Some(Verdict::Retried) => text!("aside-put-back", why = why),
            Some(Verdict::Dropped) | None => why,
        };
        Text::Joined(vec![it.reference.into(), at, whose, why], " · ")
    };
    let mut lines: Vec<Text> = left.iter().rev().take(ASIDE_SHOWN).map(line).collect();
    let more = left.len().checked_sub(ASIDE_SHOWN).filter(|it| 0 < *it);
    lines.extend(more.map(|more| text!("and-more", count = more)));
    let parts = vec![text!("aside-head"), Text::lines(lines), text!("aside-foot")];
    say(Text::Joined(parts, "\n\n"))
}

/// What a private chat or a group is called there: as a person is in the audit log.
pub(crate) fn chat_word(
    pseudonym: &Arc<dyn Fn(PersonId) -> String + Send + Sync>,
    chat: ChatId,
) -> Text {
    let whose = pseudonym(PersonId(chat.0));
    if 0 < chat.0 { text!("chat-of", person = whose) } else { text!("chat-group", group = whose) }
}

/// There is none of this reference.
pub(crate) fn no_such_aside(reference: RefId) -> Notice {
    say(text!("not-no-such-aside", reference = reference))
}

/// It cannot have another turn.
pub(crate) fn cannot_be_retried(reference: RefId, is_unread: bool) -> Notice {
    let why = match is_unread {
        true => text!("aside-unreadable"),
        false => text!("aside-not-kept"),
    };
    say(text!("aside-stays", reference = reference, why = why))
}

/// It is done.
pub(crate) fn settled(reference: RefId, verdict: Verdict, is_new: bool) -> Notice {
    say(match (verdict, is_new) {
        (Verdict::Retried, true) => text!("aside-retried", reference = reference),
        (Verdict::Retried, false) => text!("aside-had-its-turn", reference = reference),
        (Verdict::Dropped, true | false) => text!("aside-dropped", reference = reference),
    })
}

/// `/backup`: what was made, by the program's own JSON.
pub(crate) fn backup_made(json: &str) -> Notice {
    let made: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let of = |key: &str| made.get(key);
    let word = |key: &str| of(key).and_then(|it| it.as_str()).unwrap_or_default().to_owned();
    let number = |key: &str| of(key).and_then(serde_json::Value::as_u64).unwrap_or_default();
    let name = word("name");
    if word("kind") == "nothing_new" {
        return say(text!("backup-nothing-new", name = name));
    }
    let (size, took) = (super::state::bytes(number("bytes")), number("took_ms").to_string());
    let removed = number("removed").to_string();
    say(text!("backup-made", name = name, size = size, took = took, removed = removed))
}

/// `/backup list`.
pub(crate) fn backups(lines: &[BackupLine], now: Timestamp) -> Notice {
    if lines.is_empty() {
        return say(text!("backups-none"));
    }
    let line = |it: &BackupLine| {
        let hours = (now.0.saturating_sub(it.made.0) / 3_600_000).to_string();
        let (at, size) = (officers::time(it.made), super::state::bytes(it.bytes));
        text!("backup-line", name = &it.name, time = at, hours = hours, size = size)
    };
    let more = lines.len().checked_sub(BACKUPS_SHOWN).filter(|it| 0 < *it);
    let more = more.map(|more| text!("and-more", count = more));
    let lines = lines.iter().take(BACKUPS_SHOWN).map(line).chain(more).collect();
    let parts = vec![text!("backups-head"), Text::lines(lines), text!("backups-foot")];
    say(Text::Joined(parts, "\n\n"))
}

/// `/report` is in the chat.
pub(crate) fn report_sent(standard: &str) -> Notice {
    say(text!("report-sent", standard = standard))
}

/// The words for the standards.
pub(crate) fn standards() -> Text {
    text!("report-standards", standards = STANDARDS.join(", "))
}
