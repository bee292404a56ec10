//! What the store needs of a database: pairs in the order of their keys. Two can do it.
//!
//! An engine need not be durable by itself before `flush`, nor make a batch all or nothing: the
//! write-ahead log sees to both. Each engine's own file is the one place that names it, and all of
//! them are held to the same tests.

mod on_redb;
mod on_sled;

use std::{
    fmt, fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use crate::wal::Changes;

/// Which database keeps the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// A log of changed pages. The fastest under load.
    #[default]
    Sled,
    /// A tree that is copied where it changes. Opens after torn pages and gives space back.
    Redb,
}

impl EngineKind {
    /// Every engine.
    pub const ALL: [Self; 2] = [Self::Sled, Self::Redb];

    /// The word for it in the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Redb => "redb",
        }
    }

    /// Which engine made a folder, by the files in it. `None` if there are none of either.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        if on_redb::file(folder).exists() {
            Some(Self::Redb)
        } else if folder.join("db").exists() || folder.join("conf").exists() {
            Some(Self::Sled)
        } else {
            None
        }
    }

    /// Opens the database of a folder, or makes an empty one.
    pub(crate) fn open(
        self,
        folder: &Path,
        cache_bytes: u64,
    ) -> Result<Box<dyn Engine>, EngineError> {
        fs::create_dir_all(folder).map_err(EngineError::of_io)?;
        Ok(match self {
            Self::Sled => Box::new(on_sled::Sled::open(folder, cache_bytes)?),
            Self::Redb => Box::new(on_redb::Redb::open(folder, cache_bytes)?),
        })
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A key and its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// Pairs in the order of their keys.
pub(crate) type Pairs = Box<dyn Iterator<Item = Result<Pair, EngineError>> + Send>;

/// A database. Reads see every change that was made before them.
pub(crate) trait Engine: Send + Sync {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError>;

    /// The pairs from a key on. What changes while they are read may or may not be seen.
    fn range(&self, from: &[u8]) -> Result<Pairs, EngineError>;

    /// The last key of all, if it is not before `from`.
    fn last_key(&self, from: &[u8]) -> Result<Option<Vec<u8>>, EngineError>;

    /// Makes changes. They are seen at once and durable after the next `flush`.
    fn apply(&self, changes: Changes<'_>) -> Result<(), EngineError>;

    /// Makes durable what was changed.
    fn flush(&self) -> Result<(), EngineError>;

    /// Gives back a little of the memory that it holds beyond its cache, in a short step. False at the
    /// end of a round, and if there is none to be had.
    fn settle(&self) -> Result<bool, EngineError> {
        Ok(false)
    }
}

/// What an engine, or the system below it, said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// What was read is not what was written.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    #[error("the disk is full")]
    Full(#[source] io::Error),
    #[error("the database is open elsewhere")]
    Locked,
    #[error("the disk failed")]
    Io(#[source] io::Error),
}

impl EngineError {
    pub(crate) fn of_io(error: io::Error) -> Self {
        let is = |kinds: &[io::ErrorKind]| kinds.contains(&error.kind());
        if is(&[io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded]) {
            Self::Full(error)
        } else if is(&[io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData]) {
            Self::Corrupt(error.to_string())
        } else if is(&[io::ErrorKind::WouldBlock]) || error.to_string().contains("acquire lock") {
            Self::Locked
        } else {
            Self::Io(error)
        }
    }
}

impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        Self::of_io(error)
    }
}

/// Engines assert what they read from disk, so damage may also come as a panic.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| {
        Err(EngineError::Corrupt("the engine panicked on what it read".to_owned()))
    })
}
