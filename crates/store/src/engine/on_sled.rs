//! sled as the engine, with the traps around opening it.
//!
//! sled's `flush` is not an fsync, so the database file is synced as well.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};
use tracing::warn;

use super::{Engine, EngineError, Pairs, guarded};
use crate::{power, wal::Changes};

pub(super) struct Sled {
    db: Db,
    /// Dropped after the database.
    file: DbFile,
}

/// The database. sled syncs when it is dropped, and panics if that fails.
struct Db(Option<sled::Db>);

impl std::ops::Deref for Db {
    type Target = sled::Db;

    fn deref(&self) -> &sled::Db {
        self.0.as_ref().expect("it is taken only when it is dropped")
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        let db = self.0.take();
        // lost-ok: everything acknowledged was synced before; the log repeats what was not.
        let close = || {
            drop(db);
            Ok(())
        };
        if guarded(close).is_err() {
            warn!("the engine could not sync when it was closed");
        }
    }
}

impl Sled {
    /// Opens sled. A start-up snapshot that was cut short is removed before; if the database does
    /// not open, the snapshots are moved aside once, because the log alone rebuilds the same state.
    pub(super) fn open(folder: &Path, cache_bytes: u64) -> Result<Self, EngineError> {
        let half_made = |name: &str| name.starts_with("snap.") && name.ends_with(".generating");
        for path in files_named(folder, half_made)? {
            fs::remove_file(path)?;
        }
        let first = match try_open(folder, cache_bytes) {
            Err(EngineError::Corrupt(what)) => what,
            opened => return opened,
        };
        let snapshots = files_named(folder, |name| name.starts_with("snap."))?;
        if snapshots.is_empty() {
            return Err(EngineError::Corrupt(first));
        }
        for snapshot in &snapshots {
            let name = snapshot.file_name().unwrap_or_default().to_string_lossy().into_owned();
            fs::rename(snapshot, folder.with_file_name(format!("set-aside.{name}")))?;
        }
        warn!("the engine's start-up snapshot was damaged and is set aside; the log rebuilds it");
        try_open(folder, cache_bytes)
    }
}

fn try_open(folder: &Path, cache_bytes: u64) -> Result<Sled, EngineError> {
    let config = sled::Config::new()
        .path(folder)
        .cache_capacity(cache_bytes)
        .flush_every_ms(None)
        .mode(sled::Mode::HighThroughput);
    let opened = guarded(|| Ok(config.open()?));
    let path = folder.join("db");
    match opened {
        Ok(db) => Ok(Sled { db: Db(Some(db)), file: DbFile(File::open(&path)?, path) }),
        Err(error) => {
            if let Ok(file) = File::open(&path) {
                await_release(&file);
            }
            Err(error)
        }
    }
}

impl Engine for Sled {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.db.get(key)?.map(|value| value.to_vec()))
    }

    fn range(&self, from: &[u8]) -> Result<Pairs, EngineError> {
        let pairs = self.db.range(from..);
        Ok(Box::new(pairs.map(|pair| {
            let (key, value) = pair?;
            Ok((key.to_vec(), value.to_vec()))
        })))
    }

    fn last_key(&self, from: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let last = self.db.range(from..).next_back().transpose()?;
        Ok(last.map(|(key, _)| key.to_vec()))
    }

    fn apply(&self, changes: Changes<'_>) -> Result<(), EngineError> {
        for (key, value) in changes {
            match value {
                Some(value) => self.db.insert(key, value)?,
                None => self.db.remove(key)?,
            };
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), EngineError> {
        self.db.flush()?;
        power::sync_data(&self.file.0, &self.file.1)?;
        Ok(())
    }
}

impl From<sled::Error> for EngineError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => Self::of_io(error),
            sled::Error::CollectionNotFound(_)
            | sled::Error::Unsupported(_)
            | sled::Error::ReportableBug(_)
            | sled::Error::Corruption { .. } => Self::Corrupt(error.to_string()),
        }
    }
}

/// The database file. Dropped after the database, it waits until sled has let go of the file.
struct DbFile(File, PathBuf);

impl Drop for DbFile {
    fn drop(&mut self) {
        await_release(&self.0);
    }
}

/// sled's own threads hold its lock for a moment after the database is dropped or failed to open;
/// whoever opens it then is refused. We hold the folder's lock, so nobody else can have it.
fn await_release(file: &File) {
    const STEP: Duration = Duration::from_millis(1);
    const STEPS_MAX: u32 = 5_000;
    for _ in 0..STEPS_MAX {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                if let Err(error) = flock(file, FlockOperation::Unlock) {
                    warn!(error = &error as &dyn std::error::Error, "cannot unlock the database");
                }
                return;
            }
            Err(_held) => std::thread::park_timeout(STEP),
        }
    }
    warn!("the engine still holds its file; opening it again in this process may be refused");
}

fn files_named(folder: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&wanted) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
