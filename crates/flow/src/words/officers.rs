//! What officers are told about what officers did.

use protocol::{
    PersonId, Timestamp,
    audit::{Record, RecordError},
};

use super::{Notice, Text, say, text};
use crate::{
    incident::{HandleError, Handling, Incident, Incidents, Kind, Severity, Stage},
    request::older_button,
    right::Role,
    roster::View,
};

/// Incidents on one screen.
const INCIDENTS_SHOWN: usize = 20;
/// Characters of a record's reference in a line.
const REFERENCE_CHARS: usize = 40;

/// `/role`: who has which.
pub(crate) fn roles(view: &View) -> Notice {
    let line = |(person, it, is_fixed): (PersonId, Role, bool)| {
        let line = Text::Joined(vec![person.to_string().into(), role(it)], ": ");
        if is_fixed { text!("role-by-configuration", role = line) } else { line }
    };
    let lines = Text::lines(view.roles().map(line).collect());
    say(Text::Joined(vec![text!("roles-head"), lines, text!("roles-foot")], "\n\n"))
}

/// `/incidents`: those that are not closed, the newest first.
pub(crate) fn incidents(read: Result<Incidents, RecordError>) -> Notice {
    let incidents = match read {
        Ok(incidents) => incidents,
        Err(error) => return not_shown(error),
    };
    let open = incidents.newest_first().filter(|it| it.stage != Stage::Closed);
    let line = |it: &Incident| {
        let about = whom(it);
        let count = text!("incident-times", count = it.count);
        let since = text!("incident-since", time = time(it.since), stage = stage(it.stage));
        let head = [it.number.to_string().into(), severity(it.severity()), kind(it.kind)];
        Text::Joined(head.into_iter().chain([about.into(), count, since]).collect(), " · ")
    };
    let lines: Vec<Text> = open.take(INCIDENTS_SHOWN).map(line).collect();
    if lines.is_empty() {
        return say(text!("no-incident"));
    }
    let parts = vec![text!("incidents-head"), Text::lines(lines), text!("incidents-foot")];
    say(Text::Joined(parts, "\n\n"))
}

/// A role, with the word for it where that is another.
pub(crate) fn role(role: Role) -> Text {
    match role {
        Role::Auditor => text!("role-auditor"),
        Role::Operator => text!("role-operator"),
        Role::Admin => text!("role-admin"),
        Role::Owner => text!("role-owner"),
    }
}

/// How bad an incident is.
pub(super) fn severity(severity: Severity) -> Text {
    match severity {
        Severity::Low => text!("severity-low"),
        Severity::Medium => text!("severity-medium"),
        Severity::High => text!("severity-high"),
    }
}

/// What an incident began with.
pub(super) fn kind(kind: Kind) -> Text {
    match kind {
        Kind::Guard => text!("incident-guard"),
        Kind::Access => text!("incident-access"),
        Kind::Crash => text!("incident-crash"),
        Kind::Leak => text!("incident-leak"),
        Kind::Budget => text!("incident-budget"),
        Kind::Usage => text!("incident-usage"),
    }
}

/// How far it is.
pub(super) fn stage(stage: Stage) -> Text {
    match stage {
        Stage::Open => text!("stage-open"),
        Stage::Acknowledged => text!("stage-acknowledged"),
        Stage::Closed => text!("stage-closed"),
    }
}

/// About whom an incident is, and about which agent or part, if any.
pub(super) fn whom(it: &Incident) -> String {
    match it.about.as_str() {
        "" | "-" => it.person.clone(),
        about => format!("{} {about}", it.person),
    }
}

/// It could not be noted that somebody looks.
pub(crate) fn not_shown(error: RecordError) -> Notice {
    say(text!("not-shown", why = not_noted(error)))
}

/// An incident was seen to, or not.
pub(crate) fn handled(number: u64, handling: Handling, done: Result<(), HandleError>) -> Notice {
    let incident = number.to_string();
    say(match (done, handling) {
        (Ok(()), Handling::Close) => text!("incident-closed", incident = incident),
        (Ok(()), Handling::Acknowledge) => text!("incident-acknowledged", incident = incident),
        (Err(HandleError::NoSuchIncident(number)), Handling::Close | Handling::Acknowledge) => {
            text!("no-such-incident", incident = number.to_string())
        }
        (Err(HandleError::NotNoted(error)), Handling::Close | Handling::Acknowledge) => {
            text!("nothing-changed", why = not_noted(error))
        }
    })
}

/// The same as a sentence.
pub(crate) fn not_recorded(error: RecordError) -> Text {
    text!("sentence", text = not_noted(error))
}

/// Why something could not be noted in the audit log, to go on with.
pub(crate) fn not_noted(error: RecordError) -> Text {
    match error {
        RecordError::Busy => text!("audit-busy"),
        RecordError::Unavailable => text!("audit-unavailable"),
    }
}

/// `/audit`: a page, and a button to the one before it.
pub(crate) fn audit(read: Result<Vec<Record>, RecordError>) -> Notice {
    let records = match read {
        Ok(records) => records,
        Err(error) => return not_shown(error),
    };
    let Some(oldest) = records.last().map(|it| it.seq) else {
        return say(text!("no-older-records"));
    };
    let lines = Text::lines(records.iter().map(|it| line(it).into()).collect());
    let parts = vec![text!("audit-head"), lines, text!("audit-foot")];
    let button = (text!("audit-older"), older_button(oldest));
    let buttons = if 1 < oldest { vec![vec![button]] } else { Vec::new() };
    Notice::with(Text::Joined(parts, "\n\n"), buttons)
}

pub(super) fn time(at: Timestamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%m-%d %H:%M").to_string()
}

pub(super) fn line(record: &Record) -> String {
    let Record { seq, at, actor, action, target, outcome, reference, times, .. } = record;
    let time = time(*at);
    let target = if target.is_empty() { String::new() } else { format!(" {target}") };
    let outcome = if outcome == "done" { String::new() } else { format!(", {outcome}") };
    let times = if *times == 1 { String::new() } else { format!(" ×{times}") };
    let about = shortened(reference);
    let about = if about.is_empty() { about } else { format!(" ({about})") };
    format!("{seq} · {time} · {actor} · {action}{target}{outcome}{times}{about}")
}

/// A reference that fits in a line: cut between two words where it can be, and seen to be cut.
fn shortened(reference: &str) -> String {
    let Some((end, _)) = reference.char_indices().nth(REFERENCE_CHARS) else {
        return reference.to_owned();
    };
    let head = reference.get(..end).unwrap_or_default();
    let words = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    let kept = if words.chars().count() < REFERENCE_CHARS / 2 { head } else { words };
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seq: u64) -> Record {
        Record {
            seq,
            prev: "0".repeat(64),
            at: Timestamp(1_764_123_000_000),
            actor: "person:0123456789ab".to_owned(),
            action: "agent.paused".to_owned(),
            target: "sage".to_owned(),
            outcome: "denied".to_owned(),
            reference: String::new(),
            times: 3,
        }
    }

    #[test]
    fn a_page_says_who_did_what_when_and_leads_to_the_one_before() {
        let page = audit(Ok(vec![record(9), record(8)]));
        let text = &page.part().plain;
        let line = "9 · 11-26 02:10 · person:0123456789ab · agent.paused sage, denied ×3\n";
        assert!(text.contains(line), "{text}");
        assert_eq!(page.part().buttons[0][0].data, "au:8");
        assert!(audit(Ok(vec![record(1)])).part().buttons.is_empty());
        assert!(audit(Ok(vec![])).part().plain.contains("no older records"));
        let long = "kind=guard person=person:0123456789ab about=sage score=9";
        let cut = Record { reference: long.to_owned(), ..record(2) };
        let text = audit(Ok(vec![cut])).part().plain.clone();
        assert!(text.contains("(kind=guard person=person:0123456789ab…)"), "{text}");
        assert_eq!(shortened(&"é".repeat(41)), format!("{}…", "é".repeat(40)));
        assert!(audit(Err(RecordError::Busy)).part().plain.starts_with("Nothing is shown"));
    }
}
