//! The ledger on disk, as the rest of the house sees it.
//!
//! Receives  calls of the [`Ledger`] port, from any task.
//! Sends     requests to the writer thread and reads to the reader thread.
//! Owns      both threads; dropping the last clone ends them after what is queued.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock, atomic::AtomicBool},
    thread::{self, JoinHandle},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use protocol::{
    BotId, PersonId, SessionKey, Timestamp, UpdateId,
    ledger::{
        Accepted, Append, Arrival, Bookmark, ErasureReceipt, Expired, Expiry, HeldPage, Ledger,
        LedgerError, LedgerGauge, Loaded, Owned, Past, PastFrom, Receipt, Seq, Snapshot, Stream,
        Waiting,
    },
    shelf::Shelf,
};
use tokio::sync::oneshot;
use tracing::debug;
use zeroize::Zeroizing;

use crate::{
    audit::AuditKeys,
    backup::{self, BackupError, BackupKeys, BackupReport, BackupRules, Job},
    disk::DiskError,
    engine::EngineKind,
    entries::{self, Entry, Wanted},
    erasure,
    expiry::{self, Round},
    held,
    index::{IndexLimits, Wait},
    inspect::{self, Verified},
    keyring::KeyringUse,
    keys::Keys,
    log_keys::LogKeys,
    opening::{self, OpenError, Opened},
    past,
    queue::Queue,
    reader::{self, Read},
    record::Nonces,
    segments::SegmentLimits,
    shared::{Figures, Shared, StoreFailure, unavailable},
    walk::{self, Walked},
    writer::{Answer, Request, Writer},
};

/// Telegram repeats updates for 24 hours; twice that leaves no doubt.
const SEEN_WINDOW_MIN: Duration = Duration::from_hours(48);

/// Where the ledger lives, and its limits.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The folder; made with mode 0700 if it is missing.
    pub folder: PathBuf,
    /// The keyring: keys of people, wrapped by the master key. Must not lie in the folder.
    pub keyring: PathBuf,
    /// The database in it.
    pub engine: EngineKind,
    /// How long an update id is known. Less than 48 hours counts as 48.
    pub seen_window: Duration,
    /// Requests that may wait for the writer; further callers wait for room.
    pub queue_max: usize,
    /// The largest update, list of events or state, in bytes. Larger ones are refused.
    pub record_bytes_max: usize,
    /// Memory for the bytes of updates that wait; beyond it they are read from disk.
    pub waiting_bytes_max: usize,
    /// The engine's page cache, in bytes.
    pub cache_bytes: u64,
    /// About how many bytes of records share a row. 2 KiB was measured best.
    pub row_bytes: usize,
    /// Bytes of the log after which a checkpoint is written in a quiet moment.
    pub checkpoint_bytes: usize,
    /// Size of the file that is deleted to make room when the store does not open on a full disk.
    pub reserve_bytes: u64,
    /// Size of one segment of the write-ahead log. When it is full the engine is flushed, which
    /// takes some milliseconds.
    pub segment_bytes: u64,
    /// Room for segments. Those that no backup covers are kept until it is full.
    pub segments_bytes_max: u64,
}

impl StoreConfig {
    /// The measured defaults, with the keyring beside the folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            keyring: folder.with_extension("keyring"),
            folder,
            engine: EngineKind::default(),
            seen_window: Duration::from_hours(72),
            queue_max: 1024,
            record_bytes_max: 4 * 1024 * 1024,
            waiting_bytes_max: 8 * 1024 * 1024,
            cache_bytes: 1024 * 1024,
            row_bytes: 2 * 1024,
            checkpoint_bytes: 1024 * 1024,
            reserve_bytes: 8 * 1024 * 1024,
            segment_bytes: 8 * 1024 * 1024,
            segments_bytes_max: 128 * 1024 * 1024,
        }
    }

    pub(crate) fn segment_limits(&self) -> SegmentLimits {
        let (segment_bytes, total_bytes_max) = (self.segment_bytes, self.segments_bytes_max);
        SegmentLimits { segment_bytes, total_bytes_max }
    }

    pub(crate) fn index_limits(&self) -> IndexLimits {
        let seen_window = self.seen_window.max(SEEN_WINDOW_MIN);
        IndexLimits {
            seen_window_ms: u64::try_from(seen_window.as_millis()).unwrap_or(u64::MAX),
            raw_bytes_max: self.waiting_bytes_max,
        }
    }
}

/// Whether the store takes writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreHealth {
    /// It does.
    Good,
    /// It was closed.
    Closed,
    /// The writer has failed. Nothing acknowledged is lost; it must be opened again.
    Failed(String),
}

/// An update that could not be read, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Which bot got it.
    pub bot: BotId,
    /// Its id.
    pub update: UpdateId,
    /// When it came.
    pub at: Timestamp,
    /// Its bytes, exactly as received.
    pub raw: Bytes,
}

/// The ledger on this machine's disk. Clones share one open store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` once closed, so that the files and their lock are free.
    shared: RwLock<Option<Arc<Shared>>>,
    requests: Arc<Queue<Request>>,
    reads: Arc<Queue<Read>>,
    figures: Arc<Figures>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Store {
    /// Opens the store, or makes a new one in an empty folder. Blocks while it reads the log since
    /// the last checkpoint.
    ///
    /// # Errors
    /// If another process has it, the key is not its key, or something on disk is not as written.
    pub fn open(config: StoreConfig, keys: Keys) -> Result<Self, OpenError> {
        Self::open_with(config, keys, KeyringUse::Own)
    }

    /// Opens a store whose keyring may be in use elsewhere: only to be looked at.
    pub(crate) fn open_to_look(config: StoreConfig, keys: Keys) -> Result<Self, OpenError> {
        Self::open_with(config, keys, KeyringUse::Look)
    }

    fn open_with(
        config: StoreConfig,
        keys: Keys,
        keyring_use: KeyringUse,
    ) -> Result<Self, OpenError> {
        let Opened { disk, seal, accepted, state } = opening::open(&config, &keys, keyring_use)?;
        // Derived keys are in use from here on; the master key leaves memory.
        drop(keys);
        let figures = Arc::new(Figures::default());
        figures.count(&state.index);
        let requests = Arc::new(Queue::new(config.queue_max));
        let reads = Arc::new(Queue::new(config.queue_max));
        let shared = Arc::new(Shared::new(disk, seal, accepted, state.index));
        let writer = Writer {
            shared: Arc::clone(&shared),
            figures: Arc::clone(&figures),
            queue: Arc::clone(&requests),
            config,
            nonces: Nonces::new(),
            next_row: state.next_row,
            generation: state.generation,
            checkpoint_bytes: state.checkpoint_bytes,
            log_bytes: state.log_bytes,
            round: Round::default(),
            unsettled: 0,
        };
        writer.measure();
        let store = Self {
            inner: Arc::new(Inner {
                shared: RwLock::new(Some(Arc::clone(&shared))),
                requests,
                reads: Arc::clone(&reads),
                figures,
                threads: Mutex::new(Vec::new()),
            }),
        };
        store.inner.spawn("ledger-writer", move || writer.run())?;
        store.inner.spawn("ledger-reader", move || reader::run(&shared, &reads))?;
        Ok(store)
    }

    /// Takes no more requests, finishes those that are queued, leaves a checkpoint and frees the
    /// folder. Blocks until then. Closing twice is harmless.
    ///
    /// # Errors
    /// If the writer had failed before, or failed over what was queued.
    pub fn close(&self) -> Result<(), LedgerError> {
        self.inner.close();
        match self.health() {
            StoreHealth::Failed(_) => Err(unavailable(StoreFailure::Died)),
            StoreHealth::Good | StoreHealth::Closed => Ok(()),
        }
    }

    /// Whether the store takes writes.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        match self.inner.figures.failure.get() {
            Some(why) => StoreHealth::Failed(why.clone()),
            None if self.inner.shared().is_err() => StoreHealth::Closed,
            None => StoreHealth::Good,
        }
    }

    /// The newest quarantined updates, newest first, at most `limit`.
    ///
    /// # Errors
    /// If the disk fails or a record is damaged.
    pub async fn quarantined(&self, limit: usize) -> Result<Vec<Quarantined>, LedgerError> {
        self.read(move |shared| reader::quarantined(shared, limit)).await
    }

    /// The events of a stream since its beginning, oldest first, snapshots or not: the pieces of each
    /// append that can still be read.
    ///
    /// # Errors
    /// If the disk fails or a record is damaged.
    pub async fn read_all(&self, stream: Stream) -> Result<Vec<Vec<Owned>>, LedgerError> {
        self.read(move |shared| reader::read_all(shared, &stream)).await
    }

    /// A key of the hall's own for one purpose. It is the same after every change of the master key.
    ///
    /// # Errors
    /// If the store is closed.
    pub fn own_key(&self, label: &str) -> Result<Zeroizing<[u8; 32]>, LedgerError> {
        Ok(self.inner.shared()?.seal.keyring().root().derive(label))
    }

    /// Wraps the keyring with another master key. See [`crate::rotate`].
    pub(crate) async fn rewrap(&self, keys: Keys) -> Result<(), LedgerError> {
        self.errand(move |writer| Ok(writer.shared.seal.keyring().rewrap(&keys)?)).await
    }

    /// Makes a backup while the store is in use, reads it back, and removes what the rule does not
    /// keep. Blocks as long as it takes; `stop` breaks it off.
    ///
    /// # Errors
    /// Why there is no new backup.
    pub fn backup(
        &self,
        shelf: &dyn Shelf,
        rules: BackupRules,
        now: Timestamp,
        stop: &AtomicBool,
    ) -> Result<BackupReport, BackupError> {
        let shared = self.inner.shared().map_err(|error| BackupError::Ledger(error.into()))?;
        let keys = &BackupKeys::of(&shared.seal.keyring().root());
        backup::make(&shared, &Job { shelf, keys, rules, now, stop })
    }

    /// The keys of the audit log that belongs to this ledger.
    ///
    /// # Errors
    /// If the store is closed.
    pub fn audit_keys(&self) -> Result<AuditKeys, LedgerError> {
        Ok(AuditKeys::of(&self.inner.shared()?.seal.keyring().root()))
    }

    /// The key of the hall's log files.
    ///
    /// # Errors
    /// If the store is closed.
    pub fn log_keys(&self) -> Result<LogKeys, LedgerError> {
        Ok(LogKeys::of(&self.inner.shared()?.seal.keyring().root()))
    }

    /// When the last backup was made that was read back whole.
    #[must_use]
    pub fn last_backup(&self) -> Option<Timestamp> {
        backup::last(self.inner.shared().ok()?.disk.room())
    }

    /// Bytes of the write-ahead log that no verified backup covers.
    #[must_use]
    pub fn uncovered_bytes(&self) -> u64 {
        let shared = self.inner.shared().ok();
        shared.and_then(|it| it.disk.log().uncovered_bytes().ok()).unwrap_or(0)
    }

    /// Opens every record and every snapshot. Blocks as long as it takes.
    ///
    /// # Errors
    /// If one does not open, or the disk fails.
    pub fn verify(&self) -> Result<Verified, LedgerError> {
        inspect::verify(&*self.inner.shared()?)
    }

    /// Walks through the whole log and says everything that is wrong with it, where [`Self::verify`]
    /// stops at the first. Changes nothing; blocks as long as it takes.
    ///
    /// # Errors
    /// If the disk fails or the store is closed. Damage is no error: it is what is found.
    pub fn walk(&self) -> Result<Walked, LedgerError> {
        walk::walk(&*self.inner.shared()?)
    }

    /// The newest records that are wanted, newest first. Blocks as long as it takes.
    ///
    /// # Errors
    /// If the disk fails or a record is damaged.
    pub fn entries(&self, wanted: &Wanted) -> Result<Vec<Entry>, LedgerError> {
        entries::newest(&*self.inner.shared()?, wanted)
    }

    #[cfg(test)]
    pub(crate) fn shared_for_tests(&self) -> Arc<Shared> {
        self.inner.shared().unwrap()
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        let read: Read = Box::new(move |shared| {
            if answer.send(read(shared)).is_err() {
                // lost-ok: the caller has gone, and reading changed nothing.
            }
        });
        if self.inner.reads.send(read).await.is_err() {
            return Err(unavailable(StoreFailure::Closed));
        }
        answered.await.unwrap_or_else(|_dropped| Err(unavailable(StoreFailure::ReadPanicked)))
    }

    /// Has the writer do something between two groups. A failure ends the writer: what it was about
    /// is in doubt, and the next opening decides.
    async fn errand<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<T, DiskError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.write(|answer: Answer<T>| {
            Request::Errand(Box::new(move |writer| {
                let done = work(writer)?;
                if answer.send(Ok(done)).is_err() {
                    // lost-ok: the caller has gone; what was done is done.
                }
                Ok(())
            }))
        })
        .await
    }

    async fn write<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        let failure = || match self.health() {
            StoreHealth::Closed | StoreHealth::Good => unavailable(StoreFailure::Closed),
            StoreHealth::Failed(_) => unavailable(StoreFailure::Died),
        };
        if self.inner.requests.send(request(answer)).await.is_err() {
            return Err(failure());
        }
        answered.await.unwrap_or_else(|_dropped| Err(failure()))
    }
}

#[async_trait]
impl Ledger for Store {
    async fn journal(&self, bot: BotId, batch: Vec<Arrival>) -> Result<Vec<Receipt>, LedgerError> {
        self.write(|answer| Request::Journal { bot, batch, answer }).await
    }

    async fn append(&self, append: Append) -> Result<Seq, LedgerError> {
        self.write(|answer| Request::Append { append, answer }).await
    }

    async fn load(&self, stream: Stream) -> Result<Loaded, LedgerError> {
        self.read(move |shared| reader::load(shared, &stream)).await
    }

    async fn waiting(&self, key: SessionKey, after: u64) -> Result<Vec<Waiting>, LedgerError> {
        let shared = self.inner.shared()?;
        let stream = shared.seal.name(&Stream::Session(key));
        let waits: Vec<Wait> = match shared.index()?.live(stream) {
            Some(live) => live.waiting.iter().filter(|wait| after < wait.order).cloned().collect(),
            None => return Ok(Vec::new()),
        };
        if waits.iter().all(|wait| wait.raw.is_some()) {
            return reader::with_bytes(&shared, stream, waits);
        }
        drop(shared);
        self.read(move |shared| reader::with_bytes(shared, stream, waits)).await
    }

    async fn snapshot(&self, snapshot: Snapshot) -> Result<(), LedgerError> {
        self.write(|answer| Request::Snapshot { snapshot, answer }).await
    }

    fn accepted(&self, note: Accepted) {
        let noted = self.inner.shared().map(|it| it.accepted.note(&it.seal, note));
        if !matches!(noted, Ok(Ok(()))) {
            // lost-ok: the event that follows says the same, or the ledger is gone altogether.
            debug!("an accepted part was not noted ahead of its event");
        }
    }

    async fn open_sessions(&self) -> Result<Vec<SessionKey>, LedgerError> {
        Ok(self.inner.shared()?.index()?.open_sessions())
    }

    async fn past(&self, from: PastFrom) -> Result<Past, LedgerError> {
        self.read(move |shared| past::read(shared, from)).await
    }

    async fn held(
        &self,
        person: PersonId,
        from: Option<Bookmark>,
    ) -> Result<HeldPage, LedgerError> {
        self.read(move |shared| held::read(shared, person, from)).await
    }

    async fn forget(
        &self,
        person: PersonId,
        at: Timestamp,
        told_by: Option<BotId>,
    ) -> Result<Option<ErasureReceipt>, LedgerError> {
        self.errand(move |writer| erasure::forget(writer, person, at, told_by)).await
    }

    async fn untold_receipts(&self) -> Result<Vec<ErasureReceipt>, LedgerError> {
        Ok(erasure::untold(&self.inner.shared()?.seal))
    }

    async fn receipt_told(&self, number: u32) -> Result<(), LedgerError> {
        self.errand(move |writer| Ok(writer.shared.seal.keyring().told(number)?)).await
    }

    async fn expire(&self, expiry: Expiry) -> Result<Expired, LedgerError> {
        self.errand(move |writer| expiry::step(writer, expiry)).await
    }

    fn newest(&self) -> Option<(Timestamp, Timestamp)> {
        self.inner.shared().ok()?.index().ok()?.newest()
    }

    fn gauge(&self) -> LedgerGauge {
        self.inner.figures.gauge(self.inner.requests.len())
    }
}

impl Inner {
    fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
        let handle = spawned.map_err(|error: io::Error| OpenError::Unusable(error.into()))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
        Ok(())
    }

    fn shared(&self) -> Result<Arc<Shared>, LedgerError> {
        let shared = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        shared.clone().ok_or_else(|| unavailable(StoreFailure::Closed))
    }

    fn close(&self) {
        self.requests.close();
        self.reads.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                // lost-ok: the thread's last will has set the failure that `health` reports.
            }
        }
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
