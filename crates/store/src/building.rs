//! Builds a database beside the one in force: for another engine, from a backup, or from the log.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    disk::last_row_of,
    engine::{Engine, EngineError, EngineKind, Pairs, guarded},
    wal::Batch,
};

/// Bytes that are handed to the engine at once.
const BATCH_BYTES: usize = 256 * 1024;
/// Bytes after which the engine is flushed: it keeps in memory what it has not.
const FLUSH_BYTES: usize = 32 * 1024 * 1024;
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// A database that is being built.
pub(crate) struct Building {
    kind: EngineKind,
    folder: PathBuf,
    engine: Box<dyn Engine>,
    batch: Batch,
    unflushed: usize,
}

impl Building {
    /// Begins anew: what was left in the folder is removed.
    pub(crate) fn begin(folder: &Path, kind: EngineKind) -> Result<Self, EngineError> {
        remove_folder(folder)?;
        Self::go_on(folder, kind)
    }

    /// Goes on with what is in the folder.
    pub(crate) fn go_on(folder: &Path, kind: EngineKind) -> Result<Self, EngineError> {
        let engine = kind.open(folder, CACHE_BYTES)?;
        let (folder, batch) = (folder.to_owned(), Batch::default());
        Ok(Self { kind, folder, engine, batch, unflushed: 0 })
    }

    pub(crate) fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), EngineError> {
        self.batch.insert(key, value);
        if BATCH_BYTES <= self.batch.frame_bytes() { self.hand_over() } else { Ok(()) }
    }

    pub(crate) fn apply(&mut self, batch: &Batch) -> Result<(), EngineError> {
        self.hand_over()?;
        guarded(|| self.engine.apply(batch.changes()))?;
        self.count(batch.frame_bytes())
    }

    fn hand_over(&mut self) -> Result<(), EngineError> {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        guarded(|| self.engine.apply(batch.changes()))?;
        self.count(batch.frame_bytes())
    }

    fn count(&mut self, bytes: usize) -> Result<(), EngineError> {
        self.unflushed += bytes;
        if self.unflushed < FLUSH_BYTES { Ok(()) } else { self.flush() }
    }

    /// Makes durable what it has got so far.
    pub(crate) fn flush(&mut self) -> Result<(), EngineError> {
        self.hand_over()?;
        self.unflushed = 0;
        guarded(|| self.engine.flush())
    }

    /// The number of the last row of the log in it; zero if there is none.
    pub(crate) fn last_row(&mut self) -> Result<u64, EngineError> {
        self.hand_over()?;
        last_row_of(self.engine.as_ref())
    }

    /// Makes it durable and opens it anew from the disk, to be looked at.
    pub(crate) fn finish(mut self) -> Result<Built, EngineError> {
        self.flush()?;
        let Self { kind, folder, engine, .. } = self;
        drop(engine);
        Ok(Built { engine: kind.open(&folder, CACHE_BYTES)? })
    }
}

/// A database that was built, read back from the disk.
pub(crate) struct Built {
    engine: Box<dyn Engine>,
}

impl Built {
    pub(crate) fn pairs(&self) -> Result<Pairs, EngineError> {
        self.engine.range(&[])
    }
}

pub(crate) fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
