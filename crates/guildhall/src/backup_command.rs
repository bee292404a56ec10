//! `guildhall backup …`: create, list, verify, restore, drill.

use std::{sync::atomic::AtomicBool, time::Duration};

use clap::Subcommand;
use guildhall::{
    ask_console::{self, ErrandError},
    audit,
    backups::{self, kind_word, millis},
    build::BuildError,
    config::{self, Config, Env, Loaded},
    evidence::{self, Noted, Noting},
    master,
    run::{self, EXIT_UNAVAILABLE, SystemClock},
};
use protocol::{
    Clock as _, Timestamp,
    audit::{Action, Doer, Target},
};
use serde_json::{Value, json};
use store::{
    Keys, OpenError, Store, StoreConfig,
    backup::{self, BackupKeys, Point, RestoreError},
};

use crate::{Done, Failure, print, print_json};

/// Exit code of data that is not as it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;
/// How long the running hall may take: a little more than it gives itself.
const MAKE_TIME_MAX: Duration = Duration::from_secs(70);

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Make a backup now, whether the hall runs or not, and read it back.
    Create {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the backups that can be restored.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Read a backup to its end, with all that it goes on from.
    Verify {
        /// Its name; by default the newest.
        name: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put a backup back into an empty data folder.
    Restore {
        /// Its name; by default the newest.
        name: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put a backup back for a moment, open every record, say how long it took, and remove it.
    Drill {
        /// Its name; by default the newest.
        name: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: BackupCommand) -> Done {
    let loaded = config::load(env)?;
    let (json, value, words) = match what {
        BackupCommand::Create { json } => {
            let value = create(&loaded)?;
            let words = created(&value, &loaded)?;
            (json, value, words)
        }
        BackupCommand::List { json } => list(&loaded, json)?,
        BackupCommand::Verify { name, json } => verify(&loaded, name.as_deref(), json)?,
        BackupCommand::Restore { name, json } => restore(&loaded, name.as_deref(), json)?,
        BackupCommand::Drill { name, json } => drill(&loaded, name.as_deref(), json)?,
    };
    if json {
        print_json(&value)?
    } else {
        print(&words)?
    }
    Ok(std::process::ExitCode::SUCCESS)
}

type Shown = (bool, Value, String);

pub(crate) fn bad(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::new(EXIT_DATA, BuildError::of(error))
}

pub(crate) fn keys(config: &Config) -> Result<Keys, Failure> {
    master::keys(config).map_err(|error| Failure::new(config::EXIT_CONFIG, BuildError::of(&error)))
}

/// Makes a backup here, or asks the hall that has the ledger open.
fn create(loaded: &Loaded) -> Result<Value, Failure> {
    let config = &loaded.config;
    let keys = keys(config)?;
    let store = match Store::open(run::store_config(config), keys) {
        Ok(store) => store,
        Err(OpenError::Locked) => return ask_hall(config),
        Err(error) => return Err(bad(&error)),
    };
    let (shelf, rules) = (backups::shelf(loaded)?, backups::rules(config));
    let stop = AtomicBool::new(false);
    let deed = audit::deed(Doer::Operator, Action::BackupCreated, Target::Nothing);
    let made = audit::noted(config, &store, deed, || {
        let made = store.backup(shelf.as_ref(), rules, SystemClock.now(), &stop);
        let report = made.map_err(|error| BuildError::of(&error).to_string())?;
        audit::copy(&audit::place(config), shelf.as_ref()).map(|()| report)
    });
    let closed = store.close();
    let report = made.map_err(|why| Failure::new(EXIT_DATA, why))?;
    closed.map_err(|error| bad(&error))?;
    Ok(backups::report_json(&report))
}

fn ask_hall(config: &Config) -> Result<Value, Failure> {
    let made = ask_console::errand(config, "/backups/make", String::new(), MAKE_TIME_MAX);
    let made = made.map_err(|error| match error {
        ErrandError::NoHall(why) | ErrandError::Refused(why) => Failure::new(EXIT_UNAVAILABLE, why),
    })?;
    serde_json::from_str(&made).map_err(|error| Failure::new(EXIT_UNAVAILABLE, error))
}

fn created(value: &Value, loaded: &Loaded) -> Result<String, Failure> {
    let text = |key: &str| value.get(key).map(Value::to_string).unwrap_or_default();
    let name = text("name").replace('"', "");
    Ok(match value.get("kind").and_then(Value::as_str) {
        Some("nothing_new") => format!("Nothing was written since the backup {name}.\n"),
        kind => format!(
            "Backup {name} ({}): {} pairs and {} batches, {} bytes, read back in {} ms all told; \
             {} older ones removed.\nIt is in {}. No key is in it: keep copies of {} and of {}, as \
             new as the backup, elsewhere.\n",
            kind.unwrap_or_default(),
            text("pairs"),
            text("batches"),
            text("bytes"),
            text("took_ms"),
            text("removed"),
            backups::shelf(loaded)?.place(),
            loaded.config.key_file().display(),
            loaded.config.keyring_file().display()
        ),
    })
}

fn list(loaded: &Loaded, json: bool) -> Result<Shown, Failure> {
    let shelf = backups::shelf(loaded)?;
    let points = backup::points(shelf.as_ref()).map_err(|error| bad(&error))?;
    let now = SystemClock.now();
    let value = json!(points.iter().map(|it| point_json(it, now)).collect::<Vec<_>>());
    let mut words = String::new();
    for point in &points {
        let age = now.0.saturating_sub(point.made.0) / 60_000;
        words += &format!(
            "{}  {} min ago, {} files, {} bytes\n",
            point.name,
            age,
            point.files.len(),
            point.bytes
        );
    }
    if words.is_empty() {
        words = format!("There is no backup in {}.\n", shelf.place());
    }
    Ok((json, value, words))
}

fn point_json(point: &Point, now: Timestamp) -> Value {
    json!({
        "name": point.name,
        "made_ms": point.made.0,
        "age_s": now.0.saturating_sub(point.made.0) / 1_000,
        "files": point.files,
        "bytes": point.bytes,
    })
}

fn verify(loaded: &Loaded, name: Option<&str>, json: bool) -> Result<Shown, Failure> {
    let shelf = backups::shelf(loaded)?;
    let keys = BackupKeys::open(&loaded.config.keyring_file(), &keys(&loaded.config)?);
    let keys = keys.map_err(|error| bad(&error))?;
    let points = backup::points(shelf.as_ref()).map_err(|error| bad(&error))?;
    let point = match name {
        None => points.last(),
        Some(name) => points.iter().find(|it| it.name == name),
    };
    let place = shelf.place();
    let point = point.ok_or_else(|| bad(&RestoreError::NoBackup { place }))?;
    let checked = backup::verify(shelf.as_ref(), &keys, point).map_err(|error| bad(&error))?;
    let mut words = String::new();
    for it in &checked {
        words += &format!(
            "{}: good, {} pairs, {} batches, {} bytes\n",
            it.name, it.pairs, it.batches, it.bytes
        );
    }
    let rows = checked.iter().map(|it| {
        json!({
            "name": it.name, "kind": kind_word(it.kind), "pairs": it.pairs,
            "batches": it.batches, "bytes": it.bytes,
        })
    });
    Ok((json, json!(rows.collect::<Vec<_>>()), words))
}

fn restore(loaded: &Loaded, name: Option<&str>, json: bool) -> Result<Shown, Failure> {
    let config = &loaded.config;
    let shelf = backups::shelf(loaded)?;
    let target = run::store_config(config);
    let restored = backup::restore(shelf.as_ref(), keys(config)?, &target, name);
    let restored = restored.map_err(|error| bad(&error))?;
    let is_back = audit::restore(config, &shelf, &restored.name);
    let is_back = is_back.map_err(|error| bad(&error))?;
    let value = json!({
        "audit": is_back,
        "name": restored.name, "made_ms": restored.made.0, "files": restored.files,
        "rows": restored.rows, "waiting": restored.waiting, "took_ms": millis(restored.took),
    });
    let words = format!(
        "Backup {} is back in {}: {} files, {} rows of the log, {} updates wait for an answer. \
         It took {} ms.\n",
        restored.name,
        target.folder.display(),
        restored.files,
        restored.rows,
        restored.waiting,
        millis(restored.took)
    );
    Ok((json, value, words))
}

fn drill(loaded: &Loaded, name: Option<&str>, json: bool) -> Result<Shown, Failure> {
    let config = &loaded.config;
    let shelf = backups::shelf(loaded)?;
    let folder = config.hall.data_dir.join("drill");
    let target = StoreConfig { folder, reserve_bytes: 0, ..run::store_config(config) };
    let noted = |failed| {
        let about = name.unwrap_or("the newest").to_owned();
        let noting = Noting { deed: Noted::BackupDrilled, about, failed };
        evidence::noted(config, &noting).map_err(|why| Failure::new(EXIT_UNAVAILABLE, why))
    };
    let keys = keys(config)?;
    // As everything that opens what people wrote: noted first.
    noted(false)?;
    let drilled = backup::drill(shelf.as_ref(), keys, &target, name);
    if drilled.is_err() {
        noted(true)?;
    }
    let (restored, verified) = drilled.map_err(|error| bad(&error))?;
    let value = json!({
        "name": restored.name, "rows": verified.rows, "records": verified.records,
        "snapshots": verified.snapshots, "restore_ms": millis(restored.took),
        "verify_ms": millis(verified.took),
    });
    let words = format!(
        "Drill with {}: restored in {} ms; {} rows, {} records and {} snapshots opened in {} ms. \
         Nothing was left behind.\n",
        restored.name,
        millis(restored.took),
        verified.rows,
        verified.records,
        verified.snapshots,
        millis(verified.took)
    );
    Ok((json, value, words))
}
