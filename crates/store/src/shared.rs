//! What the threads of one open store share.

use std::sync::{
    Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, Ordering},
};

use protocol::ledger::{LedgerError, LedgerGauge, Owned};

use crate::{
    accepted::AcceptedParts,
    disk::{Disk, DiskError},
    engine::EngineError,
    index::{Head, Index},
    record::{Body, Record, Seal, StreamName},
};

/// See the head of this file.
pub(crate) struct Shared {
    pub(crate) disk: Disk,
    pub(crate) seal: Seal,
    pub(crate) accepted: AcceptedParts,
    /// What is committed. Only the writer changes it.
    index: Mutex<Index>,
    /// The writer holds it from touching the disk until the index says the same; readers that need
    /// both in agreement hold the other side. True if a commit began and did not end well.
    gate: RwLock<bool>,
}

impl Shared {
    pub(crate) fn new(disk: Disk, seal: Seal, accepted: AcceptedParts, index: Index) -> Self {
        Self { disk, seal, accepted, index: Mutex::new(index), gate: RwLock::new(false) }
    }

    /// The index, unless the writer died while it changed it.
    pub(crate) fn index(&self) -> Result<MutexGuard<'_, Index>, LedgerError> {
        self.index.lock().map_err(|_poisoned| unavailable(StoreFailure::Died))
    }

    /// For the writer: keeps readers out until the guard is dropped.
    pub(crate) fn gate(&self) -> Result<RwLockWriteGuard<'_, bool>, DiskError> {
        self.gate.write().map_err(|_poisoned| std::io::Error::other(StoreFailure::Died).into())
    }

    /// For readers: disk and index agree while the guard lives.
    pub(crate) fn settled(&self) -> Result<RwLockReadGuard<'_, bool>, LedgerError> {
        let in_doubt = self.gate.read().map_err(|_poisoned| unavailable(StoreFailure::Died))?;
        if *in_doubt { Err(unavailable(StoreFailure::Died)) } else { Ok(in_doubt) }
    }

    /// The snapshot of a stream: its state and the head that it replaces. Reads the disk.
    pub(crate) fn snapshot(
        &self,
        stream: StreamName,
    ) -> Result<Option<(Head, Vec<Owned>)>, LedgerError> {
        let row = self.disk.get_parts(&crate::disk::key::snapshot(stream))?;
        let Some(row) = row else { return Ok(None) };
        let Record { stream: found, seq, prev, body } = self.seal.open_slot(&row, 0)?;
        match (found == stream, body) {
            (true, Body::State { state, .. }) => Ok(Some((Head { seq, last: prev }, state))),
            (_, _) => Err(LedgerError::Damaged { what: "a snapshot that belongs elsewhere" }),
        }
    }
}

/// Why the store did not do what it was asked, other than the disk's own words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreFailure {
    #[error("the store is closed")]
    Closed,
    #[error("the writer has failed; it takes no more until the store is opened again")]
    Died,
    #[error("the read failed inside the engine")]
    ReadPanicked,
    #[error("a record of {bytes} bytes is larger than the limit")]
    TooLarge { bytes: usize },
    #[error("a text of {owners} owners has more than the limit")]
    TooManyOwners { owners: usize },
}

pub(crate) fn unavailable(
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> LedgerError {
    LedgerError::Unavailable(error.into())
}

impl From<DiskError> for LedgerError {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::Damaged(damaged) => damaged.into(),
            DiskError::Engine(EngineError::Corrupt(_)) => {
                Self::Damaged { what: "a page of the database" }
            }
            error @ (DiskError::Engine(_) | DiskError::Io(_)) => unavailable(error),
        }
    }
}

/// Figures and health; they outlive the open store.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) waiting: AtomicU64,
    pub(crate) disk_bytes: AtomicU64,
    pub(crate) quarantined: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) commit_us: AtomicU64,
    /// Set once, when the writer fails.
    pub(crate) failure: OnceLock<String>,
}

impl Figures {
    pub(crate) fn gauge(&self, queue: usize) -> LedgerGauge {
        let read = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        LedgerGauge {
            waiting: read(&self.waiting),
            queue: queue as u64,
            disk_bytes: read(&self.disk_bytes),
            quarantined: read(&self.quarantined),
            commits: read(&self.commits),
            records: read(&self.records),
            commit_us: read(&self.commit_us),
        }
    }

    /// Takes over what the index counts.
    pub(crate) fn count(&self, index: &Index) {
        self.waiting.store(index.waiting(), Ordering::Relaxed);
        self.quarantined.store(index.quarantined().seq, Ordering::Relaxed);
    }
}
