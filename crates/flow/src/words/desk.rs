//! What officers are told of one incident, of what was set aside, of backups and of reports.

use std::sync::Arc;

use protocol::{
    ChatId, PersonId, RefId, Timestamp,
    audit::{Record, RecordError},
    event::{Button, Part},
};

use super::{Notice, in_english, officers, say};
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
pub(crate) const HANDLINGS: [(&str, Handling, &str); 2] =
    [("ack", Handling::Acknowledge, "Acknowledge"), ("close", Handling::Close, "Close")];

/// `/incident <number>`: one, with the newest that was noted of it.
pub(crate) fn incident(incident: &Incident, records: &[Record]) -> Notice {
    let it = incident;
    let mut text = format!(
        "Incident {}: {}, {}\n{} {}\n{} times, weight {}\nFrom {} to {}\nIt is {}.\n",
        it.number,
        it.kind.word(),
        it.severity().word(),
        it.person,
        it.about,
        it.count,
        it.score,
        officers::time(it.since),
        officers::time(it.last),
        it.stage.word()
    );
    if !records.is_empty() {
        text += "\nWhat was noted of it, newest first:\n";
        text.extend(records.iter().map(officers::line));
    }
    text += &format!("\n`guildhall incident export {}` writes all of it, signed.", it.number);
    let is_useful = |handling: Handling| match (it.stage, handling) {
        (Stage::Open, Handling::Acknowledge | Handling::Close)
        | (Stage::Acknowledged, Handling::Close) => true,
        (Stage::Acknowledged, Handling::Acknowledge)
        | (Stage::Closed, Handling::Acknowledge | Handling::Close) => false,
    };
    let of_use = HANDLINGS.into_iter().filter(|(_, handling, _)| is_useful(*handling));
    let row: Vec<Button> = of_use
        .map(|(word, _, label)| Button {
            label: label.to_owned(),
            data: format!("{BUTTON}{word}:{}", it.number),
        })
        .collect();
    let buttons = if row.is_empty() { Vec::new() } else { vec![row] };
    in_english(Part { html: None, plain: text, buttons })
}

/// There is none of this number.
pub(crate) fn no_such_incident(number: u64) -> Notice {
    say(format!("There is no incident {number} at hand. /incidents lists those that are open."))
}

/// It could not be noted that it was asked for.
pub(crate) fn not_done(error: RecordError) -> Notice {
    say(format!("Nothing was done, because {error}."))
}

/// The roster does not do it.
pub(crate) fn refused(why: &AdministerError) -> Notice {
    say(why.to_string())
}

/// Something was asked for and did not work.
pub(crate) fn failed(what: &str, why: &str) -> Notice {
    say(format!("{what}: {why}."))
}

/// `/quarantine`.
pub(crate) fn quarantine(
    all: &[Aside],
    verdicts: &Verdicts,
    chat: &dyn Fn(ChatId) -> String,
) -> Notice {
    let left: Vec<&Aside> =
        all.iter().filter(|it| verdicts.of(it.reference) != Some(Verdict::Dropped)).collect();
    if left.is_empty() {
        return say("Nothing is set aside.");
    }
    let mut text = String::from("What was set aside, newest first:\n\n");
    for it in left.iter().rev().take(ASIDE_SHOWN) {
        let at = it.at.map_or_else(|| "some time ago".to_owned(), officers::time);
        let (whose, why) = match it.is_unread {
            true => ("a chat that is not known".to_owned(), "it could not be read"),
            false => (chat(it.key.chat), "it failed too often"),
        };
        let put_back = match verdicts.of(it.reference) {
            Some(Verdict::Retried) => ", put back, and waits for its turn",
            Some(Verdict::Dropped) | None => "",
        };
        text += &format!("{} · {at} · {whose} · {why}{put_back}\n", it.reference);
    }
    if let Some(more) = left.len().checked_sub(ASIDE_SHOWN).filter(|it| 0 < *it) {
        text += &format!("… and {more} more\n");
    }
    text += "\n/quarantine retry <ref> puts one back for one more turn, /quarantine drop <ref> takes \
             it off this list.";
    say(text)
}

/// What a private chat or a group is called there: as a person is in the audit log.
pub(crate) fn chat_word(
    pseudonym: &Arc<dyn Fn(PersonId) -> String + Send + Sync>,
    chat: ChatId,
) -> String {
    let of = if 0 < chat.0 { "the chat of" } else { "group" };
    format!("{of} {}", pseudonym(PersonId(chat.0)))
}

/// There is none of this reference.
pub(crate) fn no_such_aside(reference: RefId) -> Notice {
    say(format!("Nothing with the ref {reference} is set aside. /quarantine lists what is."))
}

/// It cannot have another turn.
pub(crate) fn cannot_be_retried(reference: RefId, is_unread: bool) -> Notice {
    let why = match is_unread {
        true => "this version of me cannot read it",
        false => "what was received is not kept any more",
    };
    say(format!("{reference} cannot be put back: {why}. /quarantine drop {reference} ends it."))
}

/// It is done.
pub(crate) fn settled(reference: RefId, verdict: Verdict, is_new: bool) -> Notice {
    say(match (verdict, is_new) {
        (Verdict::Retried, true) => format!("{reference} is put back, and has one more turn."),
        (Verdict::Retried, false) => format!("{reference} was put back already: it had its turn."),
        (Verdict::Dropped, true | false) => format!("{reference} is off the list."),
    })
}

/// `/backup`: what was made, by the program's own JSON.
pub(crate) fn backup_made(json: &str) -> Notice {
    let made: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let of = |key: &str| made.get(key);
    let text = |key: &str| of(key).and_then(|it| it.as_str()).unwrap_or_default().to_owned();
    let number = |key: &str| of(key).and_then(serde_json::Value::as_u64).unwrap_or_default();
    if text("kind") == "nothing_new" {
        return say(format!("Nothing was written since the backup {}.", text("name")));
    }
    say(format!(
        "Backup {} is made and was read back: {} bytes in {} ms; {} older ones were removed. No key \
         is in it: keep copies of the key and the keyring elsewhere.",
        text("name"),
        number("bytes"),
        number("took_ms"),
        number("removed")
    ))
}

/// `/backup list`.
pub(crate) fn backups(lines: &[BackupLine], now: Timestamp) -> Notice {
    if lines.is_empty() {
        return say("There is no backup yet. /backup makes one.");
    }
    let mut text = String::from("Backups, newest first:\n\n");
    for it in lines.iter().take(BACKUPS_SHOWN) {
        let hours = now.0.saturating_sub(it.made.0) / 3_600_000;
        let (at, bytes) = (officers::time(it.made), it.bytes);
        text += &format!("{} · {at} ({hours} h ago) · {bytes} bytes\n", it.name);
    }
    if let Some(more) = lines.len().checked_sub(BACKUPS_SHOWN).filter(|it| 0 < *it) {
        text += &format!("… and {more} more\n");
    }
    say(text + "\n`guildhall backup drill` tries one.")
}

/// `/report` is in the chat.
pub(crate) fn report_sent(standard: &str) -> Notice {
    say(format!("That is this hall against {standard}, control by control, with what is missing."))
}

/// The words for the standards.
pub(crate) fn standards() -> String {
    format!("The standard is one of {}.", STANDARDS.join(", "))
}
