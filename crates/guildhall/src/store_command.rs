//! `guildhall store …`: migrate, compact, repair. The hall must be stopped.

use std::{path::PathBuf, sync::Arc};

use clap::{Subcommand, ValueEnum};
use guildhall::{
    audit,
    backups::{self, millis},
    config::{self, Config, Env, Loaded},
    run::{self, SystemClock},
};
use protocol::{
    Clock as _,
    audit::{Action, AuditLog as _, Doer, Target},
    shelf::Shelf,
};
use store::{
    EngineKind, Store,
    audit::Audit,
    backup::{FolderShelf, Sources, repair},
    migrate::{MigrateError, engine_of, migrate},
};

use crate::{
    Done, Failure,
    backup_command::{bad, keys},
    print,
};

/// An engine, as it is named on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Engine {
    /// A log of changed pages.
    Sled,
    /// A tree that is copied where it changes.
    Redb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Move the ledger to another database engine: copy, compare, exchange.
    Migrate {
        /// Which engine.
        #[arg(long)]
        to: Engine,
        /// Leave the old database as engine.old in the ledger's folder.
        #[arg(long)]
        keep_old: bool,
    },
    /// Copy the ledger within its engine, which gives the space of what is gone back.
    Compact,
    /// Build a ledger anew that does not open: from the newest backup and the log since.
    Repair {
        /// A folder with backups, in place of the configured one.
        #[arg(long)]
        from: Option<PathBuf>,
        /// Go on even without something that was acknowledged and is nowhere.
        #[arg(long)]
        accept_loss: bool,
    },
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: StoreCommand) -> Done {
    let loaded = config::load(env)?;
    let config = &loaded.config;
    match what {
        StoreCommand::Migrate { to, keep_old } => {
            let to = match to {
                Engine::Sled => EngineKind::Sled,
                Engine::Redb => EngineKind::Redb,
            };
            copy(config, to, keep_old)
        }
        StoreCommand::Compact => {
            let engine = engine_of(&run::store_config(config)).map_err(|error| bad(&error))?;
            copy(config, engine.ok_or_else(|| bad(&MigrateError::Nothing))?, false)
        }
        StoreCommand::Repair { from, accept_loss } => mend(&loaded, from, accept_loss),
    }
}

fn copy(config: &Config, to: EngineKind, keep_old: bool) -> Done {
    let store_config = run::store_config(config);
    let done = migrate(&store_config, to, keep_old).map_err(|error| bad(&error))?;
    note(config, &format!("moved to {}", done.to))?;
    print(&format!(
        "The ledger is on {}: {} pairs copied and compared in {} ms; {} bytes before, {} after.\n",
        done.to,
        done.pairs,
        millis(done.took),
        done.bytes_before,
        done.bytes_after
    ))?;
    if done.to != store_config.engine {
        print(&format!("Now set store.engine = \"{}\" in the configuration.\n", done.to))?;
    }
    Ok(std::process::ExitCode::SUCCESS)
}

fn mend(loaded: &Loaded, from: Option<PathBuf>, accept_loss: bool) -> Done {
    let config = &loaded.config;
    let store_config = run::store_config(config);
    if is_well(config)? {
        print("The ledger opens and every record in it does: there is nothing to repair.\n")?;
        return Ok(std::process::ExitCode::SUCCESS);
    }
    let shelf: Arc<dyn Shelf> = match from {
        Some(folder) => Arc::new(FolderShelf::new(folder)),
        None => backups::shelf(loaded)?,
    };
    let sources = Sources { shelf: Some(shelf.as_ref()), accept_loss };
    let done = repair(&store_config, keys(config)?, sources, SystemClock.now());
    let done = done.map_err(|error| bad(&error))?;
    note(config, "built anew")?;
    let begun = match &done.backup {
        Some(name) => format!("the backup {name}"),
        None => "the log alone".to_owned(),
    };
    print(&format!(
        "The ledger was built anew from {begun} and {} batches of the log: {} rows ({} had been \
         acknowledged), {} updates wait. It took {} ms.\nThe broken database is in {}; remove it \
         when you need it no more.\n",
        done.batches,
        done.rows,
        done.acknowledged,
        done.waiting,
        millis(done.took),
        done.aside.display()
    ))?;
    Ok(std::process::ExitCode::SUCCESS)
}

/// Writes to the audit log what was done, before it is said.
fn note(config: &Config, what: &str) -> Result<(), Failure> {
    let place = audit::place(config);
    let log = Audit::open(&place, audit::keys(config)?, SystemClock.now());
    let log = log.map_err(|error| bad(&audit::in_words(&error)))?;
    let deed = audit::deed(Doer::Operator, Action::StoreRebuilt, Target::Nothing).about(what);
    kit::block_on(log.record(deed)).map_err(|error| bad(&error))
}

/// Whether the ledger opens, and every record in it.
fn is_well(config: &Config) -> Result<bool, Failure> {
    use store::OpenError;
    match Store::open(run::store_config(config), keys(config)?) {
        Ok(store) => {
            let verified = store.verify();
            Ok(store.close().is_ok() && verified.is_ok())
        }
        Err(OpenError::Damaged { .. } | OpenError::LostEnd { .. }) => Ok(false),
        Err(
            error @ (OpenError::Locked
            | OpenError::NewerFormat { .. }
            | OpenError::WrongKey
            | OpenError::Keyring(_)
            | OpenError::OtherEngine { .. }
            | OpenError::Unfinished
            | OpenError::Unusable(_)),
        ) => Err(bad(&error)),
    }
}
