//! sled as the engine, with the traps around opening it.
//!
//! sled's `flush` is not an fsync, so the database file is synced as well.
//!
//! Its cache knows 256 shards of pages and looks at a shard only when 64 reads of it have come together,
//! so that up to 16,384 pages that were read once stay in memory, however small the cache. Where many
//! pages are read, some are therefore read so often that the cache takes notice.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};
use tracing::warn;

use super::{Engine, EngineError, Pairs, guarded};
use crate::{power, wal::Changes};

pub(super) struct Sled {
    db: Db,
    /// From which key on it settles next.
    settled: Mutex<Vec<u8>>,
    /// Dropped after the database.
    file: DbFile,
}

/// What a page holds, about.
const PAGE_BYTES: usize = 8 * 1024;
/// How often a page of many is read while they are gone through: four pages of a shard are in memory then.
const SCAN_READS: usize = 16;
/// How often a page is read to have its shard looked at.
const SHARD_READS: usize = 65;
/// Pages that are read so often at a time.
const SETTLE_PAGES: usize = 16;

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
        Ok(db) => {
            let file = DbFile(File::open(&path)?, path);
            Ok(Sled { db: Db(Some(db)), settled: Mutex::default(), file })
        }
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
        let tree = sled::Tree::clone(&self.db);
        let mut bytes = 0;
        Ok(Box::new(self.db.range(from..).map(move |pair| {
            let (key, value) = pair?;
            bytes += key.len() + value.len();
            if PAGE_BYTES <= bytes {
                bytes = 0;
                read_often(&tree, &key, SCAN_READS)?;
            }
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

    fn settle(&self) -> Result<bool, EngineError> {
        let mut from = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut bytes, mut pages) = (0, 0);
        for pair in self.db.range(from.as_slice()..) {
            let (key, value) = pair?;
            bytes += key.len() + value.len();
            if PAGE_BYTES <= bytes {
                (bytes, pages) = (0, pages + 1);
                read_often(&self.db, &key, SHARD_READS)?;
            }
            if pages == SETTLE_PAGES {
                *from = key.to_vec();
                return Ok(true);
            }
        }
        from.clear();
        Ok(false)
    }
}

fn read_often(tree: &sled::Tree, key: &[u8], times: usize) -> Result<(), EngineError> {
    for _ in 0..times {
        tree.get(key)?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::wal::Batch;

    const PAIRS: u32 = 40_000;
    const FOLDER: &str = "ENGINE_TEST_FOLDER";

    /// Runs a test on an engine with 64 MB, in a process that nobody else uses memory of.
    fn alone(test: &str) {
        let folder = tempfile::tempdir().unwrap();
        let engine = Sled::open(folder.path(), 1 << 20).unwrap();
        for from in (0..PAIRS).step_by(1000) {
            let mut batch = Batch::default();
            (from..from + 1000).for_each(|it| batch.insert(&it.to_be_bytes(), &[7; 1600]));
            engine.apply(batch.changes()).unwrap();
        }
        engine.flush().unwrap();
        drop(engine);
        let test = format!("engine::on_sled::tests::{test}");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", &test, "--ignored", "--nocapture"]).env(FOLDER, folder.path());
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{ended:?}");
    }

    fn filled() -> Sled {
        let folder = std::env::var_os(FOLDER).expect("the folder of the test that runs this one");
        Sled::open(Path::new(&folder), 1 << 20).unwrap()
    }

    fn rss_mib() -> usize {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
    }

    #[test]
    fn reading_everything_takes_little_memory() {
        alone("everything_is_read");
    }

    #[test]
    #[ignore = "run by the test above in a process of its own"]
    fn everything_is_read() {
        let engine = filled();
        let before = rss_mib();
        let keys = engine.range(&[]).unwrap().map(|pair| pair.unwrap().0);
        assert!(keys.eq((0..PAIRS).map(|it| it.to_be_bytes().to_vec())));
        let more = rss_mib().saturating_sub(before);
        assert!(more < 32, "reading 64 MB took {more} MiB");
    }

    #[test]
    fn what_was_read_here_and_there_leaves_memory() {
        alone("read_here_and_there");
    }

    #[test]
    #[ignore = "run by the test above in a process of its own"]
    fn read_here_and_there() {
        let engine = filled();
        let before = rss_mib();
        for half in 0..2 {
            for number in (half * PAIRS / 2..(half + 1) * PAIRS / 2).step_by(5) {
                assert!(engine.get(&number.to_be_bytes()).unwrap().is_some());
            }
            while engine.settle().unwrap() {}
        }
        let more = rss_mib().saturating_sub(before);
        assert!(more < 48, "64 MB, read in two halves, took {more} MiB");
    }
}
