//! The audit log of this hall: where it lies, who opens it, and what stands in it besides changes.

use std::{fmt::Write as _, sync::Arc};

use protocol::{
    Clock as _,
    audit::{Action, AuditLog, Deed, Doer, Outcome, Record, Target},
    shelf::Shelf,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::{
    Store,
    audit::{Audit, AuditError, AuditKeys, AuditPlace, Checked, put_back, shelve, verify},
};

use ::watch::Form;

use crate::{
    audit_lines,
    build::BuildError,
    config::{Config, Loaded, schema},
    doctor::Finding,
    master,
    run::SystemClock,
};

/// Where this hall's log lies.
#[must_use]
pub fn place(config: &Config) -> AuditPlace {
    AuditPlace::new(&config.hall.data_dir, &config.keyring_file())
}

/// The keys of this hall's log. The hall may run meanwhile.
///
/// # Errors
/// Why the master key or the keyring does not open, in words.
pub fn keys(config: &Config) -> Result<AuditKeys, BuildError> {
    let keys = master::keys(config).map_err(|error| BuildError::of(&error))?;
    AuditKeys::open(&config.keyring_file(), &keys).map_err(|error| BuildError::of(&error))
}

/// Opens the log that belongs to an open ledger, to be written to.
///
/// # Errors
/// Why it does not open, and what can be done, in words.
pub fn open(config: &Config, store: &Store) -> Result<Audit, BuildError> {
    let keys = store.audit_keys().map_err(|error| BuildError::of(&error))?;
    Audit::open(&place(config), keys, SystemClock.now()).map_err(|error| in_words(&error))
}

/// What is wrong with a log, and what can be done.
#[must_use]
pub fn in_words(error: &AuditError) -> BuildError {
    let text = BuildError::of(error);
    match error {
        AuditError::Broken(_) => BuildError::in_words(format!(
            "{text}; `guildhall audit verify` says the same; put the file back if you have it, or \
             go on with a note about it by `guildhall audit resume`"
        )),
        AuditError::Locked
        | AuditError::Newer { .. }
        | AuditError::NothingBroken
        | AuditError::Io(_) => text,
    }
}

/// Something that was done now.
#[must_use]
pub fn deed(actor: Doer, action: Action, target: Target) -> Deed {
    Deed::done(SystemClock.now(), actor, action, target)
}

/// Does something with an open ledger that stands in the log before it is done, and afterwards if it
/// failed.
///
/// # Errors
/// If it cannot be written to the log, or what `work` returns, in words.
pub fn noted<T>(
    config: &Config,
    store: &Store,
    deed: Deed,
    work: impl FnOnce() -> Result<T, String>,
) -> Result<T, String> {
    let audit = open(config, store).map_err(|error| error.to_string())?;
    kit::block_on(audit.record(deed.clone())).map_err(|error| error.to_string())?;
    let done = work();
    if done.is_err() {
        audit.note(deed.with(Outcome::Failed));
    }
    done
}

/// Notes that the hall starts, and whether its configuration is another than before.
pub(crate) async fn note_start(audit: &dyn AuditLog, loaded: &Loaded) -> Result<(), BuildError> {
    let now_in_force = fingerprint(loaded);
    let before = audit.newest(None, usize::MAX);
    let before = before.iter().find(|it| it.action == Action::ConfigChanged.word());
    let deed_of = |action| deed(Doer::Hall, action, Target::Nothing);
    if before.is_none_or(|it| it.reference != now_in_force) {
        let changed = deed_of(Action::ConfigChanged).about(now_in_force);
        audit.record(changed).await.map_err(|error| BuildError::of(&error))?;
    }
    let version = format!("version {}", env!("CARGO_PKG_VERSION"));
    let started = deed_of(Action::HallStarted).about(version);
    audit.record(started).await.map_err(|error| BuildError::of(&error))
}

/// A hash of the configuration in force, without its secrets.
pub(crate) fn fingerprint(loaded: &Loaded) -> String {
    let hash = Sha256::digest(schema::show_json(loaded).to_string());
    let mut text = String::from("sha256 ");
    for byte in hash {
        // lost-ok: writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
    }
    text
}

/// Copies the log to the shelf of the backups.
///
/// # Errors
/// Why it is not there, in words.
pub fn copy(place: &AuditPlace, shelf: &dyn Shelf) -> Result<(), String> {
    let copied = shelve(place, shelf).map_err(|error| BuildError::of(&error).to_string());
    copied
        .map(drop)
        .map_err(|why| format!("the backup is made, and the audit log is not in it: {why}"))
}

/// Puts the log back from the shelf where there is none, and notes which backup was restored.
///
/// # Errors
/// Why it is not there, in words.
pub fn restore(config: &Config, shelf: &Arc<dyn Shelf>, name: &str) -> Result<bool, BuildError> {
    let (place, target) = (place(config), Target::Thing(name.to_owned()));
    let is_back = put_back(&place, shelf.as_ref(), &keys(config)?);
    let is_back = is_back.map_err(|error| BuildError::of(&error))?;
    let deed = deed(Doer::Operator, Action::BackupRestored, target).about("a backup was put back");
    let keys = keys(config)?;
    if is_back || !place.log.exists() {
        let opened = Audit::restored(&place, keys, deed);
        return opened.map(|_| is_back).map_err(|error| in_words(&error));
    }
    let audit = Audit::open(&place, keys, SystemClock.now()).map_err(|error| in_words(&error))?;
    let recorded = kit::block_on(audit.record(deed));
    recorded.map(|()| false).map_err(|error| BuildError::of(&error))
}

/// What `doctor` says about the log.
pub(crate) fn examine(loaded: &Loaded) -> Option<Finding> {
    let config = &loaded.config;
    if !config.keyring_file().exists() {
        return None;
    }
    let checked = keys(config).map_err(|error| error.to_string()).and_then(|keys| {
        verify(&place(config), &keys).map_err(|error| BuildError::of(&error).to_string())
    });
    Some(match checked {
        Ok(None) => Finding::ok("the audit log has not begun yet"),
        Ok(Some(checked)) => {
            Finding::ok(format!("the audit log is as it was written: {} records", checked.records))
        }
        Err(why) => Finding::bad(
            "the audit log is not as it was written",
            why,
            "run `guildhall audit verify`, and ask who can write to the data folder",
        ),
    })
}

/// What was found, for programs.
#[must_use]
pub fn json(checked: &Checked) -> Value {
    json!({
        "records": checked.records,
        "anchored": checked.anchored,
        "checkpoints": checked.checkpoints,
        "torn_bytes": checked.torn_bytes,
        "torn_checkpoint": checked.torn_checkpoint,
        "resumed": checked.resumed.iter().map(|it| it.seq).collect::<Vec<_>>(),
        "head": checked.head,
        "key": checked.key,
    })
}

/// A record in the form of those who watch from elsewhere, without a line end. `None`: exactly the line that was hashed.
#[must_use]
pub fn formed(record: &Record, line: &[u8], form: Option<Form>) -> Vec<u8> {
    form.map_or_else(|| line.to_owned(), |form| form.of(audit_lines::ecs(record).as_bytes()))
}

/// A record as an operator reads it: one line.
#[must_use]
pub fn line(record: &Record) -> String {
    let Record { seq, at, actor, action, target, outcome, reference, times, .. } = record;
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    let times = if *times == 1 { String::new() } else { format!(" x{times}") };
    format!(
        "{seq:>6}  {time:.0}  {actor:<20} {action:<18} {outcome:<7}{times} {target} {reference}"
    )
    .trim_end()
    .to_owned()
        + "\n"
}

#[cfg(test)]
mod tests {
    use protocol::PersonId;
    use store::{KeyPlace, Keys, StoreConfig};

    use super::*;

    #[test]
    fn the_audit_log_calls_a_person_what_the_lines_of_the_log_call_them() {
        let home = tempfile::tempdir().unwrap();
        let keys = Keys::create(&home.path().join("key"), KeyPlace::Anywhere).unwrap();
        let store = Store::open(StoreConfig::new(home.path().join("data")), keys).unwrap();
        let in_lines = ::watch::KeyedHasher::new(*store.own_key("pseudonyms").unwrap());
        let in_audit = store.audit_keys().unwrap().person(42);
        assert_eq!(in_audit, format!("person:{}", in_lines.person(PersonId(42))));
        store.close().unwrap();
    }

    #[test]
    fn a_record_leaves_as_it_was_hashed_or_in_the_forms_of_the_log() {
        let record = Record {
            seq: 7,
            prev: "0".repeat(64),
            at: protocol::Timestamp(1_764_123_000_000),
            actor: "operator".to_owned(),
            action: Action::IncidentOpened.word().to_owned(),
            target: "incident-3".to_owned(),
            outcome: "done".to_owned(),
            reference: "kind=guard person=person:ab12 severity=high words=hidden".to_owned(),
            times: 1,
        };
        let line = record.line();
        assert_eq!(formed(&record, line.as_bytes(), None), line.as_bytes());
        let ocsf = formed(&record, line.as_bytes(), Some(Form::Ocsf));
        let ocsf: Value = serde_json::from_slice(&ocsf).unwrap();
        assert_eq!(
            (&ocsf["class_uid"], &ocsf["time"]),
            (&json!(2004), &json!(1_764_123_000_000_u64))
        );
        let cef = String::from_utf8(formed(&record, line.as_bytes(), Some(Form::Cef))).unwrap();
        assert!(cef.starts_with("CEF:0|Guildhall|Guildhall|"), "{cef}");
        assert!(cef.contains("act=incident.opened") && !cef.contains("hidden"), "{cef}");
    }
}
