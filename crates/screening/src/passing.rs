//! What passes of a text: what is to be hidden replaced, the rest sanitised.

use std::{borrow::Cow, ops::Range};

use crate::{
    judgement::{Action, Finding, Kind},
    personal::Placeholders,
    sanitise::{Sanitising, sanitise_with},
};

/// The text with what is to be redacted replaced, sanitised. `findings` are sorted. Personal data
/// gets placeholders of `turn`, or without a turn such as lead to no value.
pub(crate) fn pass<'t>(
    text: &'t str,
    findings: &[Finding],
    sanitising: Sanitising,
    mut turn: Option<&mut Placeholders>,
) -> Cow<'t, str> {
    let redactions = redactions(findings);
    // Sanitised, because a placeholder may be spelled with characters that are about to go.
    let note = |turn: &mut &mut Placeholders| {
        text.contains('[') && turn.note_foreign(&sanitise_with(text, sanitising).text)
    };
    let brings_ours = turn.as_mut().is_some_and(note);
    if redactions.is_empty() && !brings_ours {
        return sanitise_with(text, sanitising).text;
    }
    let mut redacted = String::with_capacity(text.len());
    let mut done = 0;
    for Redaction { range, kind } in redactions {
        // SCREEN-1 makes the offsets character boundaries.
        let kept = text.get(done..range.start).unwrap_or_default();
        keep(kept, &mut redacted, turn.as_deref().filter(|_| brings_ours), sanitising);
        let value = text.get(range.clone()).unwrap_or_default();
        match (kind, &mut turn) {
            (Kind::Pii(kind), Some(turn)) => redacted.push_str(&turn.issue(kind, value)),
            (kind, _) => redacted.push_str(&kind.label()),
        }
        done = range.end;
    }
    let kept = text.get(done..).unwrap_or_default();
    keep(kept, &mut redacted, turn.as_deref().filter(|_| brings_ours), sanitising);
    Cow::Owned(sanitise_with(&redacted, sanitising).text.into_owned())
}

/// Adds a part of the text that passes; with a turn, without placeholders that look like its own.
fn keep(part: &str, redacted: &mut String, turn: Option<&Placeholders>, sanitising: Sanitising) {
    match turn {
        Some(turn) => turn.defuse(&sanitise_with(part, sanitising).text, redacted),
        None => redacted.push_str(part),
    }
}

/// A part of a text that is to be redacted, and as what.
struct Redaction<'f> {
    range: Range<usize>,
    kind: &'f Kind,
}

/// What is to be redacted, without overlaps. Where something else overlaps personal data, all of it
/// is the other's: a placeholder that leads back to a value must not lead to a secret.
fn redactions(findings: &[Finding]) -> Vec<Redaction<'_>> {
    let mut redactions: Vec<Redaction<'_>> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.action == Action::Redact) {
        match redactions.last_mut().filter(|last| finding.start < last.range.end) {
            Some(last) => {
                last.range.end = last.range.end.max(finding.end);
                let is_secret = matches!(finding.kind, Kind::Secret(_));
                let outranks =
                    matches!(last.kind, Kind::Pii(_)) && !matches!(finding.kind, Kind::Pii(_));
                if is_secret || outranks {
                    last.kind = &finding.kind;
                }
            }
            None => {
                let range = finding.start..finding.end;
                redactions.push(Redaction { range, kind: &finding.kind });
            }
        }
    }
    redactions
}
