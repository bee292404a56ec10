//! The one thread that writes: takes what is queued, decides in order, commits it as one batch, and
//! only then answers.
//!
//! Receives  `Request`s, from any number of callers.
//! Owns      the end of the log; it alone changes the index.
//! On error  everyone in the group and in the queue gets `Unavailable`, nothing was acknowledged,
//!           and the store takes no more writes until it is opened again. A panic does the same.
//!
//! Invariants: WRITER-1 nobody is answered before the group is on disk. WRITER-2 a request is judged
//! against everything before it, in the same group too. WRITER-3 the index changes only after the disk.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use protocol::{
    BotId, UpdateId,
    ledger::{Append, Arrival, LedgerError, Owned, Receipt, Route, Seq, Snapshot, Stream},
};
use tokio::{sync::oneshot, time::Instant};
use tracing::{error, warn};

use crate::{
    StoreConfig,
    disk::{DiskError, key, put_parts},
    expiry::Round,
    index::Head,
    opening::put_checkpoint,
    piece::OWNERS_MAX,
    queue::Queue,
    record::{Body, Nonces, Position, Record, StreamName},
    shared::{Figures, Shared, StoreFailure, unavailable},
    wal::Batch,
};

/// Bytes after which a group is committed even if more is queued.
const GROUP_BYTES: usize = 1024 * 1024;
/// From so many requests in the last group on, the next one waits for company.
const COMPANY_MIN: usize = 4;
/// How long it waits: under load one commit, and one waking of each who waits for it, do the work of
/// several. Whoever is alone is written at once.
const COMPANY_WAIT: Duration = Duration::from_micros(500);
/// Commits between two measurements of the folder.
const MEASURE_EVERY: u64 = 1024;
/// How much of the log may wait for a checkpoint, as a multiple of the quiet threshold.
const CHECKPOINT_PATIENCE: usize = 4;

/// Records after which the engine is to give memory back.
const UNSETTLED_MAX: usize = 500;
/// After how long without work.
const QUIET: Duration = Duration::from_millis(100);
/// In so many steps at most.
const SETTLE_STEPS: usize = 256;

/// Work for the writer between two groups. What it returns as an error ends the writer.
pub(crate) type Errand = Box<dyn FnOnce(&mut Writer) -> Result<(), DiskError> + Send>;

/// What the writer is asked to do.
pub(crate) enum Request {
    Journal { bot: BotId, batch: Vec<Arrival>, answer: Answer<Vec<Receipt>> },
    Append { append: Append, answer: Answer<Seq> },
    Snapshot { snapshot: Snapshot, answer: Answer<()> },
    Errand(Errand),
}

pub(crate) type Answer<T> = oneshot::Sender<Result<T, LedgerError>>;

/// See the head of this file.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) queue: Arc<Queue<Request>>,
    pub(crate) config: StoreConfig,
    pub(crate) nonces: Nonces,
    pub(crate) next_row: u64,
    pub(crate) generation: u64,
    pub(crate) checkpoint_bytes: usize,
    pub(crate) log_bytes: usize,
    /// How far the present round of expiring has come.
    pub(crate) round: Round,
    /// Records since the engine last gave memory back.
    pub(crate) unsettled: usize,
}

impl Writer {
    /// Works until the queue is closed and empty, then leaves a checkpoint.
    pub(crate) fn run(mut self) {
        let end = LastWill { queue: Arc::clone(&self.queue), figures: Arc::clone(&self.figures) };
        if let Err(error) = self.work() {
            error!(error = &error as &dyn std::error::Error, "the ledger's writer has failed");
            end.failed(&error.to_string());
        }
    }

    fn work(&mut self) -> Result<(), DiskError> {
        let queue = Arc::clone(&self.queue);
        let mut company = 0;
        while let Some(first) = self.next(&queue) {
            if COMPANY_MIN <= company {
                thread::park_timeout(COMPANY_WAIT);
            }
            let mut group = Group::begin(self);
            let mut next = Some(first);
            let mut errand = None;
            while let Some(request) = next {
                errand = group.take(request);
                let is_full = GROUP_BYTES <= group.bytes || errand.is_some();
                next = if is_full { None } else { queue.try_recv() };
            }
            let Draft { records, next_row, values, answers } = group.finish();
            company = answers.len();
            if let Err(error) = self.commit(&records, next_row, values) {
                for answer in answers {
                    answer(Err(unavailable(StoreFailure::Died)));
                }
                return Err(error);
            }
            for answer in answers {
                answer(Ok(()));
            }
            if let Some(errand) = errand {
                errand(self)?;
            }
            if self.checkpoint_due() {
                self.checkpoint()?;
            }
        }
        if 0 < self.log_bytes {
            self.checkpoint()?;
        }
        self.shared.disk.flush()
    }

    /// The next request. A quiet moment after much work has the engine give memory back.
    fn next(&mut self, queue: &Queue<Request>) -> Option<Request> {
        if UNSETTLED_MAX <= self.unsettled && !queue.wait(QUIET) {
            // From where the last time ended to the end, and once from the beginning.
            let mut rounds = 2;
            for _ in 0..SETTLE_STEPS {
                if 0 < queue.len() {
                    return queue.recv();
                }
                match self.shared.disk.settle() {
                    Ok(true) => {}
                    Ok(false) => rounds -= 1,
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        warn!(error, "the engine keeps its memory");
                        break;
                    }
                }
                if rounds == 0 {
                    break;
                }
            }
            self.unsettled = 0;
        }
        queue.recv()
    }

    /// Writes a group: all of it or nothing. An empty one costs nothing.
    fn commit(
        &mut self,
        records: &[(Position, Record)],
        next_row: u64,
        values: Option<Batch>,
    ) -> Result<(), DiskError> {
        if records.is_empty() {
            return Ok(());
        }
        let mut batch = values.unwrap_or_default();
        let mut bytes = 0;
        for row in records.chunk_by(|(a, _), (b, _)| a.row() == b.row()) {
            let Some((position, _)) = row.first() else { continue };
            let mut sealed = Vec::with_capacity(2 * self.config.row_bytes);
            for (_, record) in row {
                self.shared.seal.seal(record, &mut self.nonces, &mut sealed)?;
            }
            bytes += sealed.len();
            put_parts(&mut batch, &key::row(position.row()), &sealed);
        }
        let started = Instant::now();
        // KEYRING-1: before anything that is sealed with them.
        self.shared.seal.keyring().sync()?;
        let mut in_doubt = self.shared.gate()?;
        *in_doubt = true;
        self.shared.disk.commit(&batch)?;
        self.shared.disk.set_mark(next_row - 1)?;
        self.absorb(records)?;
        *in_doubt = false;
        drop(in_doubt);

        self.next_row = next_row;
        self.log_bytes += bytes;
        self.unsettled += records.len();
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.figures.commit_us.store(micros, Ordering::Relaxed);
        self.figures.records.fetch_add(records.len() as u64, Ordering::Relaxed);
        let commits = self.figures.commits.fetch_add(1, Ordering::Relaxed);
        if commits % MEASURE_EVERY == MEASURE_EVERY - 1 {
            self.measure();
        }
        Ok(())
    }

    fn absorb(&self, records: &[(Position, Record)]) -> Result<(), DiskError> {
        let mut index = self.shared.index().map_err(std::io::Error::other)?;
        for (position, record) in records {
            index.apply(*position, record);
        }
        self.figures.count(&index);
        Ok(())
    }

    /// A quiet moment is used early, a busy writer waits longer. Both thresholds grow with the size
    /// of a checkpoint, so checkpoints stay a small part of what is written.
    fn checkpoint_due(&self) -> bool {
        let quiet = self.config.checkpoint_bytes.max(2 * self.checkpoint_bytes);
        let busy = 0 < self.queue.len();
        let limit = if busy { CHECKPOINT_PATIENCE.saturating_mul(quiet) } else { quiet };
        limit <= self.log_bytes
    }

    fn checkpoint(&mut self) -> Result<(), DiskError> {
        let mut batch = Batch::default();
        let generation = self.generation + 1;
        let bytes = {
            let index = self.shared.index().map_err(std::io::Error::other)?;
            let parts = (&self.shared.disk, &self.shared.seal);
            put_checkpoint(
                parts,
                (&index, self.next_row, generation),
                &mut self.nonces,
                &mut batch,
            )?
        };
        self.shared.disk.commit(&batch)?;
        self.generation = generation;
        self.checkpoint_bytes = bytes;
        self.log_bytes = 0;
        self.measure();
        Ok(())
    }

    /// Looks at the folder: how large it is, and whether only we may read it.
    pub(crate) fn measure(&self) {
        let looked = self.shared.disk.make_private().and_then(|()| self.shared.disk.size());
        match looked {
            Ok(bytes) => self.figures.disk_bytes.store(bytes, Ordering::Relaxed),
            // lost-ok: a gauge; the next look replaces this one.
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "cannot measure the store")
            }
        }
    }
}

/// Leaves nobody waiting, however the thread ends.
struct LastWill {
    queue: Arc<Queue<Request>>,
    figures: Arc<Figures>,
}

impl LastWill {
    fn failed(&self, why: &str) {
        self.figures.failure.get_or_init(|| why.to_owned());
    }
}

impl Drop for LastWill {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.failed("the writer panicked");
        }
        self.queue.abandon();
    }
}

fn size_of(pieces: &[Owned]) -> usize {
    pieces.iter().map(|it| it.bytes.len()).sum()
}

/// More owners than a piece can name.
fn refuse_crowds(pieces: &[Owned]) -> Result<(), LedgerError> {
    match pieces.iter().map(|it| it.owners.len()).max() {
        Some(owners) if OWNERS_MAX < owners => {
            Err(unavailable(StoreFailure::TooManyOwners { owners }))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whose ids an update's id belongs to.
fn owner(bot: BotId, arrival: &Arrival) -> BotId {
    match &arrival.route {
        Route::Session { key, .. } => key.bot,
        Route::Dropped(_) | Route::Quarantined { .. } => bot,
    }
}

// === One group: what will be written, if the disk lets us. ===

type Waiter = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

/// What a group has come to.
struct Draft {
    records: Vec<(Position, Record)>,
    /// The first row after the group's.
    next_row: u64,
    values: Option<Batch>,
    answers: Vec<Waiter>,
}

/// Requests judged so far, on top of what is committed.
struct Group<'a> {
    shared: &'a Shared,
    config: &'a StoreConfig,
    nonces: &'a mut Nonces,
    records: Vec<(Position, Record)>,
    /// The row that is being filled.
    row: u64,
    slot: usize,
    row_bytes: usize,
    bytes: usize,
    arrivals: Option<u64>,
    quarantined: Option<Head>,
    seen: HashSet<(BotId, UpdateId)>,
    heads: HashMap<StreamName, Head>,
    snapshots: HashMap<StreamName, u64>,
    values: Option<Batch>,
    answers: Vec<Waiter>,
}

impl<'a> Group<'a> {
    fn begin(writer: &'a mut Writer) -> Self {
        Self {
            shared: &writer.shared,
            config: &writer.config,
            nonces: &mut writer.nonces,
            records: Vec::new(),
            row: writer.next_row,
            slot: 0,
            row_bytes: 0,
            bytes: 0,
            arrivals: None,
            quarantined: None,
            seen: HashSet::new(),
            heads: HashMap::new(),
            snapshots: HashMap::new(),
            values: None,
            answers: Vec::new(),
        }
    }

    fn finish(self) -> Draft {
        let next_row = self.row + u64::from(0 < self.slot);
        Draft { records: self.records, next_row, values: self.values, answers: self.answers }
    }

    /// Takes a request in. An errand ends the group and is given back.
    fn take(&mut self, request: Request) -> Option<Errand> {
        match request {
            Request::Errand(errand) => return Some(errand),
            Request::Journal { bot, batch, answer } => {
                let receipts = self.journal(bot, batch);
                self.reply(answer, receipts);
            }
            Request::Append { append, answer } => {
                let seq = self.append(append);
                self.reply(answer, seq);
            }
            Request::Snapshot { snapshot, answer } => {
                let stored = self.snapshot(snapshot);
                self.reply(answer, stored);
            }
        }
        None
    }

    /// Answers once the group is committed (WRITER-1): a refusal too, because it may rest on what
    /// stands before it in the group.
    fn reply<T: Send + 'static>(&mut self, answer: Answer<T>, result: Result<T, LedgerError>) {
        self.answers.push(Box::new(move |committed| {
            if answer.send(committed.and(result)).is_err() {
                // lost-ok: the caller has gone; it learns what was written when it loads.
            }
        }));
    }

    fn journal(&mut self, bot: BotId, batch: Vec<Arrival>) -> Result<Vec<Receipt>, LedgerError> {
        for arrival in &batch {
            match &arrival.route {
                Route::Session { raw, .. } | Route::Quarantined { raw } => {
                    self.refuse_large(raw.len())?;
                }
                Route::Dropped(_) => {}
            }
        }
        let known = self.known(bot, &batch)?;
        let mut dropped = Vec::new();
        let mut dropped_at = protocol::Timestamp(0);
        let mut receipts = Vec::with_capacity(batch.len());
        for (arrival, known) in batch.into_iter().zip(known) {
            let Arrival { update, route, at } = arrival;
            receipts.push(if known { Receipt::Known } else { Receipt::New });
            match route {
                _ if known => {}
                Route::Session { key, owner, raw } => {
                    let seq = self.arrivals()? + 1;
                    self.arrivals = Some(seq);
                    let stream = self.shared.seal.name(&Stream::Session(key));
                    let body = Body::Arrived { key, owner: Some(owner), update, at, raw };
                    self.place(Record { stream, seq, prev: Position::default(), body });
                }
                Route::Dropped(reason) => {
                    dropped.push((update, reason));
                    dropped_at = dropped_at.max(at);
                }
                Route::Quarantined { raw } => {
                    let Head { seq, last } = self.quarantined()?;
                    let stream = self.shared.seal.quarantine();
                    let body = Body::Quarantined { bot, update, at, raw };
                    let last = self.place(Record { stream, seq, prev: last, body });
                    self.quarantined = Some(Head { seq: seq + 1, last });
                }
            }
        }
        if !dropped.is_empty() {
            let stream = self.shared.seal.bot(bot);
            let body = Body::Dropped { bot, at: dropped_at, updates: dropped };
            self.place(Record { stream, seq: 0, prev: Position::default(), body });
        }
        Ok(receipts)
    }

    /// Which arrivals of a batch are known: recorded before, or earlier in this group.
    fn known(&mut self, bot: BotId, batch: &[Arrival]) -> Result<Vec<bool>, LedgerError> {
        let index = self.shared.index()?;
        let mut known = Vec::with_capacity(batch.len());
        for arrival in batch {
            let id = (owner(bot, arrival), arrival.update);
            known.push(index.knows(id.0, id.1) || !self.seen.insert(id));
        }
        Ok(known)
    }

    fn append(&mut self, append: Append) -> Result<Seq, LedgerError> {
        let Append { stream, expected, events, closes } = append;
        self.refuse_large(size_of(&events) + 8 * closes.len())?;
        refuse_crowds(&events)?;
        let name = self.shared.seal.name(&stream);
        let Head { seq, last } = self.head(name)?;
        if seq != expected.0 {
            return Err(LedgerError::Conflict { expected, actual: Seq(seq) });
        }
        let body = Body::Appended { stream: Some(stream), closes, events };
        let last = self.place(Record { stream: name, seq, prev: last, body });
        self.heads.insert(name, Head { seq: seq + 1, last });
        Ok(Seq(seq + 1))
    }

    fn snapshot(&mut self, snapshot: Snapshot) -> Result<(), LedgerError> {
        let Snapshot { stream, at: Seq(at), state } = snapshot;
        self.refuse_large(size_of(&state))?;
        refuse_crowds(&state)?;
        let name = self.shared.seal.name(&stream);
        let head = self.head(name)?;
        if head.seq < at {
            return Err(LedgerError::Conflict { expected: Seq(at), actual: Seq(head.seq) });
        }
        let newest = match self.snapshots.get(&name) {
            Some(staged) => Some(*staged),
            None => self.shared.snapshot(name)?.map(|(head, _)| head.seq),
        };
        if newest.is_some_and(|newest| at < newest) {
            // A newer one is there; the stream may rest on it.
            return Ok(());
        }
        let prev = if at == head.seq { head.last } else { Position::default() };
        let body = Body::State { stream: Some(stream), state };
        let record = Record { stream: name, seq: at, prev, body };
        let mut sealed = Vec::with_capacity(record.body.size() + 128);
        self.shared.seal.seal(&record, self.nonces, &mut sealed).map_err(DiskError::Io)?;
        let values = self.values.get_or_insert_default();
        self.shared.disk.replace(values, &key::snapshot(name), &sealed)?;
        self.bytes += sealed.len();
        self.snapshots.insert(name, at);
        self.heads.insert(name, head);
        self.place(Record { stream: name, seq: at, prev: Position::default(), body: Body::Rested });
        Ok(())
    }

    /// Where a stream is, with what stands before in this group (WRITER-2).
    fn head(&self, stream: StreamName) -> Result<Head, LedgerError> {
        if let Some(head) = self.heads.get(&stream) {
            return Ok(*head);
        }
        if let Some(head) = self.shared.index()?.live(stream).and_then(|live| live.head) {
            return Ok(head);
        }
        Ok(self.shared.snapshot(stream)?.map_or_else(Head::default, |(head, _)| head))
    }

    fn arrivals(&self) -> Result<u64, LedgerError> {
        self.arrivals.map_or_else(|| Ok(self.shared.index()?.arrivals()), Ok)
    }

    fn quarantined(&self) -> Result<Head, LedgerError> {
        self.quarantined.map_or_else(|| Ok(self.shared.index()?.quarantined()), Ok)
    }

    fn refuse_large(&self, bytes: usize) -> Result<(), LedgerError> {
        if self.config.record_bytes_max < bytes {
            return Err(unavailable(StoreFailure::TooLarge { bytes }));
        }
        Ok(())
    }

    /// Gives a record its place in the log: rows are filled to about `row_bytes`.
    fn place(&mut self, record: Record) -> Position {
        let bytes = record.body.size();
        let full = self.config.row_bytes < self.row_bytes + bytes || self.slot == Position::SLOTS;
        if full && 0 < self.slot {
            self.row += 1;
            self.slot = 0;
            self.row_bytes = 0;
        }
        let position = Position::new(self.row, self.slot);
        self.slot += 1;
        self.row_bytes += bytes;
        self.bytes += bytes;
        self.records.push((position, record));
        position
    }
}
