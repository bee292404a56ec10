//! Says in the log what is noted in the audit log, for those who watch from elsewhere: deeds and incidents.
//!
//! People are the same keyed hashes as there. What a record refers to is left out, but for how bad an incident is.

use std::sync::Arc;

use async_trait::async_trait;
use protocol::audit::{AuditLog, Deed, Doer, INCIDENTS, Outcome, Record, RecordError, Target};
use serde_json::json;
use tracing::info;

/// Stands before the audit log.
pub(crate) struct AuditLines(pub(crate) Arc<dyn AuditLog>);

impl AuditLines {
    fn say(&self, deed: &Deed) {
        let actor = match deed.actor {
            Doer::Person(it) => self.0.person(it.0),
            Doer::Nobody => "nobody".to_owned(),
            Doer::Console => "console".to_owned(),
            Doer::Operator => "operator".to_owned(),
            Doer::Hall => "hall".to_owned(),
        };
        let target = match &deed.target {
            Target::Nothing => String::new(),
            Target::Person(id) => self.0.person(*id),
            Target::Thing(name) => name.clone(),
        };
        let outcome = match deed.outcome {
            Outcome::Done => "success",
            Outcome::Denied | Outcome::Failed => "failure",
        };
        let word = deed.action.word();
        if word.starts_with(INCIDENTS) {
            let (kind, severity) =
                (said(&deed.reference, "kind"), said(&deed.reference, "severity"));
            info!(
                labels.deed = word,
                labels.actor = actor,
                labels.target = target,
                labels.kind = kind,
                labels.person = said(&deed.reference, "person").trim_start_matches("person:"),
                labels.severity = severity,
                event.outcome = outcome,
                event.action = "incident",
                "an incident was noted"
            );
        } else {
            info!(
                labels.deed = word,
                labels.actor = actor,
                labels.target = target,
                labels.times = deed.times,
                event.outcome = outcome,
                event.action = "audit",
                "a deed was noted"
            );
        }
    }
}

/// A word of what an incident's record refers to: `kind=guard person=person:… severity=low`.
fn said<'d>(reference: &'d str, name: &str) -> &'d str {
    let words = reference.split(' ').filter_map(|it| it.split_once('='));
    words.into_iter().find(|(it, _)| *it == name).map_or("", |(_, value)| value)
}

/// A record as the line of the log that was written of it, for the forms that are made of such lines. What it refers to
/// is left out here, too.
pub(crate) fn ecs(record: &Record) -> String {
    let millis = i64::try_from(record.at.0).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    let of_incident = record.action.starts_with(INCIDENTS);
    let outcome = if record.outcome == Outcome::Done.word() { "success" } else { "failure" };
    let mut line = json!({
        "@timestamp": format!("{time:.3}"),
        "log.level": "info",
        "message": if of_incident { "an incident was noted" } else { "a deed was noted" },
        "ecs.version": "8.11.0",
        "service.name": "guildhall",
        "service.version": env!("CARGO_PKG_VERSION"),
        "event.dataset": "guildhall.audit",
        "event.action": if of_incident { "incident" } else { "audit" },
        "event.outcome": outcome,
        "labels.deed": record.action,
        "labels.actor": record.actor,
        "labels.target": record.target,
        "labels.times": record.times,
        "labels.record": record.seq,
    });
    if let (true, Some(line)) = (of_incident, line.as_object_mut()) {
        for name in ["kind", "severity"] {
            line.insert(format!("labels.{name}"), said(&record.reference, name).into());
        }
        let person = said(&record.reference, "person").trim_start_matches("person:");
        line.insert("labels.person".to_owned(), person.into());
    }
    line.to_string()
}

#[async_trait]
impl AuditLog for AuditLines {
    async fn record(&self, deed: Deed) -> Result<(), RecordError> {
        self.0.record(deed.clone()).await?;
        self.say(&deed);
        Ok(())
    }

    fn note(&self, deed: Deed) {
        self.say(&deed);
        self.0.note(deed);
    }

    fn newest(&self, before: Option<u64>, count: usize) -> Vec<Record> {
        self.0.newest(before, count)
    }

    fn incidents(&self) -> Vec<Record> {
        self.0.incidents()
    }

    fn person(&self, id: i64) -> String {
        self.0.person(id)
    }
}
