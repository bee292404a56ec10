//! What a report rests on, gathered once: read, never changed.

use std::collections::BTreeMap;

use flow::{
    incident::Incidents,
    right::Role,
    roster::{self, View},
    treasurer::caps::Whose,
};
use protocol::{
    Timestamp,
    audit::{Action, INCIDENTS, Outcome, Record},
    ledger::{Ledger as _, Stream},
};
use screening::Mode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{
    OpenError, Store,
    audit::{AuditError, Checked, read},
    backup::{self, BackupKeys},
};

use crate::{
    ask_console, audit, backups,
    build::{self, BuildError},
    config::Loaded,
    doctor::{self, Finding},
    evidence, master,
    run::{store_config, store_folder},
};

/// How often something was done within the time that is looked at, and where that stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) times: u64,
    pub(super) failed: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) last_at: Timestamp,
}

/// The audit log.
pub(super) enum Log {
    /// There is none yet, or it cannot be opened: in words.
    NotThere(String),
    /// It is not as it was written: in words.
    Broken(String),
    /// It is.
    Whole(Box<Past>),
}

/// What stands in an audit log.
pub(super) struct Past {
    pub(super) checked: Checked,
    /// When it began.
    pub(super) began: Timestamp,
    /// By action, within the time that is looked at.
    pub(super) within: BTreeMap<Action, Tally>,
    /// When each was done last, ever.
    pub(super) ever: BTreeMap<Action, Timestamp>,
    pub(super) incidents: Incidents,
}

/// The ledger.
pub(super) enum Inside {
    /// There is none yet.
    Nothing,
    /// A hall that runs holds it: what that says, or why it says nothing.
    InUse(Result<Held, String>),
    /// It does not open: in words.
    Closed(String),
    /// What stands in it.
    Open(Held),
}

/// What a ledger says of the hall itself: how many there are of each, and nobody by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub(super) owners: usize,
    pub(super) admins: usize,
    pub(super) others: usize,
    pub(super) agents: usize,
    /// Rules by `/rule` that are not enforced.
    pub(super) idle_rules: usize,
    pub(super) hall_capped: bool,
}

impl Held {
    /// What the roster holds.
    pub(crate) fn of(view: &View) -> Self {
        let count = |wanted: &[Role]| view.roles().filter(|(_, it, _)| wanted.contains(it)).count();
        let idle = |mode: Mode| match mode {
            Mode::Enforce => false,
            Mode::Shadow | Mode::Test => true,
        };
        Self {
            owners: count(&[Role::Owner]),
            admins: count(&[Role::Admin]),
            others: count(&[Role::Operator, Role::Auditor]),
            agents: view.agents().count(),
            idle_rules: view.own_rules().all().iter().filter(|it| idle(it.mode)).count(),
            hall_capped: view.caps().of(&Whose::Hall).is_set(),
        }
    }
}

impl Inside {
    /// What is known of it.
    pub(super) fn held(&self) -> Option<&Held> {
        match self {
            Self::Open(held) | Self::InUse(Ok(held)) => Some(held),
            Self::Nothing | Self::Closed(_) | Self::InUse(Err(_)) => None,
        }
    }
}

/// The newest backup.
pub(super) struct Newest {
    pub(super) name: String,
    pub(super) made: Timestamp,
    /// How many files were read to their end, or why not.
    pub(super) verified: Result<usize, String>,
}

/// Everything that checks look at.
pub struct Facts<'l> {
    pub(super) loaded: &'l Loaded,
    pub(super) now: Timestamp,
    pub(super) days: u32,
    pub(super) findings: Vec<Finding>,
    pub(super) log: Log,
    pub(super) inside: Inside,
    pub(super) newest: Result<Option<Newest>, String>,
    pub(super) rules: Result<usize, String>,
    /// The running hall's own word about itself.
    pub(super) hall: Result<Value, String>,
    pub(super) usage: Result<Value, String>,
}

/// Looks at everything. A large backup takes its time: it is read to the end.
#[must_use]
pub fn gather(loaded: &Loaded, days: u32, now: Timestamp) -> Facts<'_> {
    let inside = inside(loaded);
    let asked = match inside {
        Inside::InUse(_) => ask_console::status(&loaded.config),
        Inside::Nothing | Inside::Closed(_) | Inside::Open(_) => {
            Err("no hall runs here".to_owned())
        }
    };
    let usage = match inside {
        Inside::InUse(_) => ask_console::usage(&loaded.config),
        Inside::Nothing | Inside::Closed(_) | Inside::Open(_) => {
            Err("no hall runs here".to_owned())
        }
    };
    Facts {
        loaded,
        now,
        days,
        findings: doctor::examine(loaded, &[], now),
        log: log(loaded, days, now),
        inside,
        newest: newest(loaded),
        rules: rules(loaded),
        hall: asked,
        usage,
    }
}

fn words(error: &(dyn std::error::Error + 'static)) -> String {
    BuildError::of(error).to_string()
}

fn log(loaded: &Loaded, days: u32, now: Timestamp) -> Log {
    let keys = match audit::keys(&loaded.config) {
        Ok(keys) => keys,
        Err(why) => return Log::NotThere(format!("it cannot be opened: {why}")),
    };
    let since = now.0.saturating_sub(u64::from(days) * 86_400_000);
    let mut past = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    let (within, ever, incidents) = (&mut past.0, &mut past.1, &mut past.2);
    let mut began = None;
    let each = &mut |record: &Record, _: &[u8]| {
        began = began.or(Some(record.at));
        if record.action.starts_with(INCIDENTS) {
            incidents.push(record.clone());
        }
        if let Ok(action) = record.action.parse::<Action>() {
            ever.insert(action, record.at);
            if since <= record.at.0 {
                count(within.entry(action).or_default(), record);
            }
        }
        Ok(())
    };
    match read(&audit::place(&loaded.config), &keys, each) {
        Ok(None) => Log::NotThere("it has not begun yet".to_owned()),
        Ok(Some(checked)) => {
            let (within, ever, incidents) = past;
            let (incidents, began) = (Incidents::folded(&incidents), began.unwrap_or(now));
            Log::Whole(Box::new(Past { checked, began, within, ever, incidents }))
        }
        Err(error @ AuditError::Broken(_)) => Log::Broken(words(&error)),
        Err(
            error @ (AuditError::Locked
            | AuditError::Newer { .. }
            | AuditError::NothingBroken
            | AuditError::Io(_)),
        ) => Log::NotThere(format!("it cannot be read: {}", words(&error))),
    }
}

fn count(tally: &mut Tally, record: &Record) {
    if tally.first == 0 {
        tally.first = record.seq;
    }
    (tally.last, tally.last_at) = (record.seq, record.at);
    match record.outcome == Outcome::Failed.word() {
        // The record of the try itself stands before it.
        true => tally.failed += u64::from(record.times),
        false => tally.times += u64::from(record.times),
    }
}

fn inside(loaded: &Loaded) -> Inside {
    if !store_folder(&loaded.config).exists() {
        return Inside::Nothing;
    }
    let keys = match master::keys(&loaded.config) {
        Ok(keys) => keys,
        Err(error) => return Inside::Closed(words(&error)),
    };
    match Store::open(store_config(&loaded.config), keys) {
        Err(OpenError::Locked) => Inside::InUse(evidence::roster(&loaded.config)),
        Err(error) => Inside::Closed(words(&error)),
        Ok(store) => {
            let view = kit::block_on(view(loaded, &store));
            match (view, store.close()) {
                (Ok(view), Ok(())) => Inside::Open(Held::of(&view)),
                (Err(why), _) => Inside::Closed(why),
                (_, Err(error)) => Inside::Closed(words(&error)),
            }
        }
    }
}

async fn view(loaded: &Loaded, store: &Store) -> Result<View, String> {
    let hall = store.load(Stream::Hall).await.map_err(|error| words(&error))?;
    let founding = build::founding(&loaded.config, &[]).map_err(|error| error.to_string())?;
    roster::view_of(&founding, &hall.events).map_err(|error| words(&error))
}

fn newest(loaded: &Loaded) -> Result<Option<Newest>, String> {
    let shelf = backups::shelf(loaded).map_err(|error| error.to_string())?;
    let point = backup::points(shelf.as_ref()).map_err(|error| words(&error))?.pop();
    let Some(point) = point else { return Ok(None) };
    let verify = || -> Result<usize, String> {
        let keys = master::keys(&loaded.config).map_err(|error| words(&error))?;
        let keys = BackupKeys::open(&loaded.config.keyring_file(), &keys);
        let keys = keys.map_err(|error| words(&error))?;
        let checked = backup::verify(shelf.as_ref(), &keys, &point);
        checked.map(|it| it.len()).map_err(|error| words(&error))
    };
    let verified = verify();
    Ok(Some(Newest { name: point.name, made: point.made, verified }))
}

/// How many rules of files are in force, or why they do not compile.
fn rules(loaded: &Loaded) -> Result<usize, String> {
    let files = crate::rules::Sources::of(&loaded.config).and_then(|it| it.files());
    let files = files.map_err(|error| error.to_string())?;
    build::screen(loaded).map_err(|error| error.to_string())?;
    Ok(files.len())
}
