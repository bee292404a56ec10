//! Incidents for operators: read from the audit log, whether the hall runs or not; handled by the hall
//! that runs, or here.

use std::sync::Arc;

use flow::incident::{Desk, Handling, Incident, Incidents};
use kit::Health;
use protocol::{
    Clock as _, Timestamp,
    audit::{Action, AuditLog, Doer, INCIDENTS, Outcome, Record, Target},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::audit::read;

use crate::{
    audit,
    build::BuildError,
    config::{Config, Loaded},
    person,
    run::SystemClock,
};

/// What is to be done, as the hall that runs is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Which incident.
    pub number: u64,
    /// It is over; otherwise somebody only knows of it.
    pub close: bool,
}

impl Question {
    fn handling(self) -> Handling {
        if self.close { Handling::Close } else { Handling::Acknowledge }
    }
}

/// All that stand in the log, with the records of each.
///
/// # Errors
/// If the log cannot be read or is not as it was written, in words.
pub fn all(config: &Config) -> Result<(Incidents, Vec<Record>), BuildError> {
    let mut records = Vec::new();
    let each = &mut |record: &Record, _: &[u8]| {
        // What was done about one stands behind it, under its name.
        if record.action.starts_with(INCIDENTS) || record.target.starts_with("incident-") {
            records.push(record.clone());
        }
        Ok(())
    };
    let found = read(&audit::place(config), &audit::keys(config)?, each);
    found.map_err(|error| audit::in_words(&error))?;
    Ok((Incidents::folded(&records), records))
}

/// The answer of the hall that runs.
///
/// # Errors
/// Why nothing was done, in words.
pub(crate) async fn answer(desk: Arc<Desk>, question: &[u8]) -> Result<String, String> {
    let question: Question =
        serde_json::from_slice(question).map_err(|error| format!("no question: {error}"))?;
    let by = (Doer::Console, SystemClock.now());
    let done = desk.handle(question.number, question.handling(), by).await;
    done.map(|()| "\"done\"".to_owned()).map_err(|error| error.to_string())
}

/// Does it here. `None` if a hall that runs holds the ledger.
///
/// # Errors
/// Why nothing was done, in words.
pub fn handle_offline(loaded: &Loaded, question: Question) -> Result<Option<()>, String> {
    let Some(store) = person::open(loaded)? else { return Ok(None) };
    let log = audit::open(&loaded.config, &store).map_err(|error| error.to_string())?;
    let desk = Desk::before(Arc::new(log));
    let by = (Doer::Operator, SystemClock.now());
    let done = kit::block_on(desk.handle(question.number, question.handling(), by));
    drop(desk);
    store.close().map_err(|error| error.to_string())?;
    done.map(Some).map_err(|error| error.to_string())
}

/// Notes every actor that fails. Runs until it is dropped.
pub(crate) async fn watch_failures(health: Health, desk: Arc<Desk>) {
    let mut known = std::collections::HashMap::<String, u32>::new();
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let mut now_there = std::collections::HashMap::new();
        for actor in health.read() {
            let before = known.get(&actor.id).copied().unwrap_or_default();
            if before < actor.restarts {
                // Of a conversation only that it is one: its id names a chat.
                let target = Target::Thing(actor.kind.to_owned());
                let deed = audit::deed(Doer::Hall, Action::ActorFailed, target);
                let times = actor.restarts - before;
                desk.note(protocol::audit::Deed { times, ..deed }.with(Outcome::Failed));
            }
            now_there.insert(actor.id, actor.restarts);
        }
        known = now_there;
    }
}

/// For programs.
#[must_use]
pub fn json(incident: &Incident) -> Value {
    json!({
        "number": incident.number,
        "kind": incident.kind.word(),
        "severity": incident.severity().word(),
        "stage": incident.stage.word(),
        "person": incident.person,
        "about": incident.about,
        "count": incident.count,
        "score": incident.score,
        "since_ms": incident.since.0,
        "last_ms": incident.last.0,
    })
}

/// As an operator reads it: one line.
#[must_use]
pub fn line(incident: &Incident) -> String {
    let time = |at: Timestamp| {
        let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
        let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
        format!("{time:.0}")
    };
    let Incident { number, kind, person, about, count, since, last, stage, .. } = incident;
    format!(
        "{number:>5}  {:<7} {:<12} {:<6}  {person} {about}, {count} times, {} to {}\n",
        incident.severity().word(),
        stage.word(),
        kind.word(),
        time(*since),
        time(*last)
    )
}
