//! What the program's own reports need of a hall: what somebody did and what became of it, how its roster stands,
//! and that a reading is noted. Asked of the hall that runs over its console; done here where none does.
//!
//! EVIDENCE-1: nothing of an incident is handed over before it stands in the audit log that it was read, and no text
//! before it stands there whose it is.

use std::time::Duration;

use flow::{
    alerter::{self, book::Line},
    forensics::{self, Found, Names, Sought},
    roster::View,
};
use protocol::{
    Clock as _,
    audit::{Action, AuditLog, Doer, Outcome, Target},
    ledger::{Ledger, Stream},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::audit::{Audit, AuditError};
use watch::KeyedHasher;

use crate::{
    ask_console::{self, ErrandError},
    audit,
    build::BuildError,
    config::{Config, Loaded},
    person,
    report::Held,
    run::{SystemClock, store_folder},
};

/// Where the console takes these questions.
const PATH: &str = "/evidence";
/// How long the hall may take to look through its past: as long as its console lets it.
const LOOK_TIME_MAX: Duration = Duration::from_secs(60);
/// How long it may take to note something or to say how it stands.
const NOTE_TIME_MAX: Duration = Duration::from_secs(10);

/// What is asked of the hall that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// What the ledger has about an incident.
    Incident(Examination),
    /// Something is to stand in the audit log.
    Note(Noting),
    /// How the roster stands.
    Roster,
    /// Its agents and rules, as officers have changed them.
    House,
}

/// Which incident is looked at, and how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examination {
    /// Its number.
    pub number: u64,
    /// What the audit log says of this look.
    pub reference: String,
    /// What is looked for in the ledger.
    pub sought: Sought,
}

/// Something that an operator did beside the hall, and that is noted all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noting {
    /// What.
    pub deed: Noted,
    /// With which backup, or which part of the log.
    pub about: String,
    /// It was begun and did not work.
    pub failed: bool,
}

/// What can be noted so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noted {
    /// The audit log is listed.
    AuditRead,
    /// The audit log is handed out, for those who watch from elsewhere.
    AuditExported,
    /// A backup is put back for a moment.
    BackupDrilled,
    /// A hall like this one was attacked.
    RedteamRun,
}

impl Noting {
    fn deed(&self, by: Doer) -> protocol::audit::Deed {
        let (action, target) = match self.deed {
            Noted::AuditRead => (Action::AuditRead, Target::Thing("audit".to_owned())),
            Noted::AuditExported => (Action::AuditExported, Target::Thing("audit".to_owned())),
            Noted::BackupDrilled => (Action::BackupDrilled, Target::Nothing),
            Noted::RedteamRun => (Action::RedteamRun, Target::Nothing),
        };
        let outcome = if self.failed { Outcome::Failed } else { Outcome::Done };
        audit::deed(by, action, target).with(outcome).about(self.about.as_str())
    }
}

/// What the ledger gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The turns, if they could be read.
    pub found: Option<Found>,
    /// The alerts that it knows of.
    pub alerts: Vec<Line>,
    /// What could not be read, in words.
    pub gaps: Vec<String>,
}

/// What a hall is asked about, and where it notes that it was.
pub(crate) struct Place<'h> {
    pub(crate) ledger: &'h dyn Ledger,
    pub(crate) audit: &'h dyn AuditLog,
    pub(crate) hasher: &'h KeyedHasher,
}

/// The answer of the hall that runs, as JSON.
///
/// # Errors
/// Why there is none, in words.
pub(crate) async fn answer(
    place: &Place<'_>,
    view: &View,
    question: &[u8],
) -> Result<String, String> {
    let question: Question =
        serde_json::from_slice(question).map_err(|error| format!("no question: {error}"))?;
    let json = match question {
        Question::Incident(asked) => {
            serde_json::to_string(&examined(place, &asked, Doer::Console).await?)
        }
        Question::Note(noting) => {
            let recorded = place.audit.record(noting.deed(Doer::Console)).await;
            recorded.map_err(|error| error.to_string())?;
            Ok("\"noted\"".to_owned())
        }
        Question::Roster => serde_json::to_string(&Held::of(view)),
        Question::House => serde_json::to_string(&house_of(place.ledger).await?),
    };
    json.map_err(|error| error.to_string())
}

/// Reads what the ledger has about an incident. EVIDENCE-1.
async fn examined(place: &Place<'_>, asked: &Examination, by: Doer) -> Result<Evidence, String> {
    let target = Target::Thing(format!("incident-{}", asked.number));
    note(place.audit, by, Action::IncidentExamined, target, &asked.reference).await?;
    let hasher = place.hasher;
    let names = Names {
        person: &|it| hasher.person(it),
        chat: &|it| hasher.chat(it),
        digest: &|it| hasher.record_digest(it),
    };
    let mut evidence = Evidence::default();
    match forensics::gather(place.ledger, &asked.sought, names).await {
        Ok(found) => {
            for person in &found.shown {
                let target = Target::Person(person.0);
                note(place.audit, by, Action::TextShown, target, &asked.reference).await?;
            }
            evidence.found = Some(found);
        }
        Err(error) => {
            evidence.gaps.push(format!("the ledger was not read: {}", BuildError::of(&error)));
        }
    }
    match place.ledger.load(Stream::Alerts).await {
        Ok(loaded) => evidence.alerts = alerter::listed(&loaded),
        Err(error) => {
            evidence.gaps.push(format!("the alerts were not read: {}", BuildError::of(&error)));
        }
    }
    Ok(evidence)
}

async fn note(
    log: &dyn AuditLog,
    by: Doer,
    action: Action,
    target: Target,
    about: &str,
) -> Result<(), String> {
    let recorded = log.record(audit::deed(by, action, target).about(about)).await;
    recorded.map_err(|error| format!("nothing is shown, because {error}"))
}

/// Reads what the ledger has about an incident, here or by the hall that holds it; says who read it.
///
/// # Errors
/// Why nothing may be shown, in words. What cannot be read is no error: it is a gap.
pub fn examine(loaded: &Loaded, asked: &Examination) -> Result<(Evidence, Doer), String> {
    let words = |error: &(dyn std::error::Error + 'static)| BuildError::of(error).to_string();
    match person::open(loaded) {
        Ok(Some(store)) => {
            let log = audit::open(&loaded.config, &store).map_err(|error| error.to_string())?;
            let key = store.own_key("pseudonyms").map_err(|error| words(&error))?;
            let hasher = KeyedHasher::new(*key);
            let place = Place { ledger: &store, audit: &log, hasher: &hasher };
            let read = kit::block_on(examined(&place, asked, Doer::Operator));
            drop(log);
            store.close().map_err(|error| words(&error))?;
            read.map(|evidence| (evidence, Doer::Operator))
        }
        Ok(None) => {
            let answer = ask(&loaded.config, &Question::Incident(asked.clone()), LOOK_TIME_MAX)?;
            let read = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
            Ok((read, Doer::Console))
        }
        // Of what is left something can be said all the same.
        Err(why) => {
            let target = Target::Thing(format!("incident-{}", asked.number));
            let log = open_log(&loaded.config);
            let log = log.map_err(|error| audit::in_words(&error).to_string())?;
            let (by, action) = (Doer::Operator, Action::IncidentExamined);
            kit::block_on(note(&log, by, action, target, &asked.reference))?;
            let gaps = vec![format!("the ledger was not read: {why}")];
            Ok((Evidence { gaps, ..Evidence::default() }, Doer::Operator))
        }
    }
}

fn open_log(config: &Config) -> Result<Audit, AuditError> {
    let keys = audit::keys(config).map_err(std::io::Error::other)?;
    Audit::open(&audit::place(config), keys, SystemClock.now())
}

/// Notes what an operator did beside the hall: in the log, or by the hall that holds it. Where there is no log
/// yet, there is nothing to note it in.
///
/// # Errors
/// Why it was not noted, in words.
pub fn noted(config: &Config, noting: &Noting) -> Result<(), String> {
    if !audit::place(config).log.exists() {
        return Ok(());
    }
    match open_log(config) {
        Ok(log) => {
            let recorded = kit::block_on(log.record(noting.deed(Doer::Operator)));
            recorded.map_err(|error| error.to_string())
        }
        Err(AuditError::Locked) => {
            ask(config, &Question::Note(noting.clone()), NOTE_TIME_MAX).map(drop)
        }
        Err(
            error @ (AuditError::Broken(_)
            | AuditError::Newer { .. }
            | AuditError::NothingBroken
            | AuditError::Io(_)),
        ) => Err(audit::in_words(&error).to_string()),
    }
}

/// How the roster of the hall that runs stands.
///
/// # Errors
/// Why it cannot be said, in words.
pub(crate) fn roster(config: &Config) -> Result<Held, String> {
    let answer = ask(config, &Question::Roster, NOTE_TIME_MAX)?;
    serde_json::from_str(&answer).map_err(|error| error.to_string())
}

/// Changes of the hall's stream that make its agents and rules what they are. None of these names a person it is about.
const OF_THE_HOUSE: [&str; 7] =
    ["spawned", "edited", "model_set", "paused", "resumed", "retired", "ruled"];

/// What officers have changed of agents and rules, oldest first: by this process, or by the hall that runs. Nothing
/// where there is no ledger yet.
///
/// # Errors
/// Why it cannot be read, in words.
pub(crate) fn house(loaded: &Loaded) -> Result<Vec<Value>, String> {
    if !store_folder(&loaded.config).exists() {
        return Ok(Vec::new());
    }
    let Some(store) = person::open(loaded)? else {
        let answer = ask(&loaded.config, &Question::House, NOTE_TIME_MAX)?;
        return serde_json::from_str(&answer).map_err(|error| error.to_string());
    };
    let read = kit::block_on(house_of(&store));
    store.close().map_err(|error| BuildError::of(&error).to_string())?;
    read
}

async fn house_of(ledger: &dyn Ledger) -> Result<Vec<Value>, String> {
    let loaded = ledger.load(Stream::Hall).await;
    let loaded = loaded.map_err(|error| BuildError::of(&error).to_string())?;
    let read = loaded.events.iter().map(|it| serde_json::from_slice::<Value>(&it.bytes));
    let mut entries = read.collect::<Result<Vec<Value>, _>>().map_err(|error| error.to_string())?;
    let is_of_it = |it: &Value| it["change"].as_str().is_some_and(|it| OF_THE_HOUSE.contains(&it));
    entries.retain(is_of_it);
    // Who it was says nothing there.
    entries.iter_mut().for_each(|it| it["by"] = Value::Null);
    Ok(entries)
}

fn ask(config: &Config, question: &Question, time_max: Duration) -> Result<String, String> {
    let question = serde_json::to_string(question).map_err(|error| error.to_string())?;
    let answer = ask_console::errand(config, PATH, question, time_max);
    answer.map_err(|error| match error {
        ErrandError::NoHall(why) => format!("another process holds the data, and {why}"),
        ErrandError::Refused(why) => why,
    })
}
