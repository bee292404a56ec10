//! Opens a store: checks its format, key and keyring, takes the newest good checkpoint and replays
//! the log from there. A crash, a clean stop and a first start all come this way.
//!
//! Format 1 had no keyring: everything was sealed with keys derived from the master key. Its records
//! are read as they are; the first opening gives it a keyring and makes it format 2, which programs
//! of that time refuse.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use bytes::{BufMut as _, Bytes};
use tracing::{info, warn};

use crate::{
    StoreConfig,
    accepted::AcceptedParts,
    codec::Fields,
    disk::{Disk, DiskError, DiskOpenError, key},
    index::{Index, IndexLimits, Layout},
    keyring::{Keyring, KeyringError},
    keys::Keys,
    record::{Body, Damaged, Nonces, Position, Record, Seal, StreamName},
    wal::Batch,
};

/// The format that this program reads and writes.
const FORMAT: u32 = 2;
/// The one before people had keys.
const FORMAT_WITHOUT_KEYRING: u32 = 1;
/// Checkpoints alternate between two places, so that one is always whole.
const CHECKPOINT_SLOTS: u8 = 2;
const FIRST_ROW: u64 = 1;

/// Why a store does not open. Our records are not changed by trying; the engine may tidy its own end.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// One process only.
    #[error("another guildhall runs on this data folder")]
    Locked,
    /// A later version wrote it.
    #[error(
        "this data folder has format {found}, this program knows up to {known}; run the version \
         of guildhall that wrote it, or a later one"
    )]
    NewerFormat {
        /// What the folder says.
        found: u32,
        /// What this program can read.
        known: u32,
    },
    /// The key does not fit.
    #[error("this key file does not belong to this data folder")]
    WrongKey,
    /// Something does not read as it was written.
    #[error(
        "the ledger is damaged ({what}); nothing is guessed: restore the data folder from a backup"
    )]
    Damaged {
        /// What was found, without ids.
        what: String,
    },
    /// The log ends before a record that was acknowledged.
    #[error(
        "the ledger has lost its end: it was acknowledged up to row {acknowledged} but ends at \
         row {found}; restore the data folder from a backup, or delete the file `mark` in it to \
         go on without what is lost"
    )]
    LostEnd {
        /// The last row that was acknowledged.
        acknowledged: u64,
        /// The last row that is there.
        found: u64,
    },
    /// The keys of people are not as they should be.
    #[error(transparent)]
    Keyring(KeyringError),
    /// The disk or the system refused.
    #[error("the data folder cannot be used")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<DiskOpenError> for OpenError {
    fn from(error: DiskOpenError) -> Self {
        match error {
            DiskOpenError::Locked => Self::Locked,
            DiskOpenError::Corrupt(what) => Self::Damaged { what },
            DiskOpenError::Io(error) => Self::Unusable(error.into()),
        }
    }
}

impl From<DiskError> for OpenError {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::Damaged(damaged) => damaged.into(),
            DiskError::Engine(sled::Error::Corruption { .. }) => {
                Self::Damaged { what: "a page of the database".to_owned() }
            }
            error @ (DiskError::Engine(_) | DiskError::Io(_)) => Self::Unusable(error.into()),
        }
    }
}

impl From<KeyringError> for OpenError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::WrongKey { .. } => Self::WrongKey,
            error @ (KeyringError::Missing { .. }
            | KeyringError::Foreign { .. }
            | KeyringError::Outdated { .. }
            | KeyringError::Newer { .. }
            | KeyringError::Damaged { .. }
            | KeyringError::Exposed { .. }
            | KeyringError::Unusable { .. }) => Self::Keyring(error),
        }
    }
}

impl From<Damaged> for OpenError {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged { what: damaged.to_string() }
    }
}

/// A store as it was found.
pub(crate) struct Opened {
    pub(crate) disk: Disk,
    pub(crate) seal: Seal,
    pub(crate) accepted: AcceptedParts,
    pub(crate) state: State,
}

/// What the log says, folded.
pub(crate) struct State {
    pub(crate) index: Index,
    /// The row that is written next.
    pub(crate) next_row: u64,
    /// Keys of people that had been given, by the checkpoint: the keyring must know them all.
    keys_given: u32,
    /// The number of the last checkpoint; zero if there is none.
    pub(crate) generation: u64,
    pub(crate) checkpoint_bytes: usize,
    /// Bytes of the log that no checkpoint covers.
    pub(crate) log_bytes: usize,
}

pub(crate) fn open(config: &StoreConfig, keys: &Keys) -> Result<Opened, OpenError> {
    let disk = Disk::open(&config.folder, config.cache_bytes, config.reserve_bytes)?;
    // sled asserts what it reads from disk, so damage may also come as a panic.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let seal = Seal::new(admit(&disk, &config.keyring, keys)?);
        let state = recover(&disk, &seal, config.index_limits())?;
        Ok((seal, state))
    }));
    let (seal, state) = opened.unwrap_or_else(|_panic| {
        Err(OpenError::Damaged { what: "the engine panicked on what it read".to_owned() })
    })?;
    let accepted = disk.accepted_file().and_then(|file| AcceptedParts::open(file, &seal));
    let accepted = accepted.map_err(|error| OpenError::Unusable(error.into()))?;
    Ok(Opened { disk, seal, accepted, state })
}

/// Checks that folder and keyring are ours to read, or marks an empty folder as ours.
fn admit(disk: &Disk, path: &Path, keys: &Keys) -> Result<Keyring, OpenError> {
    let Some(format) = disk.get(key::FORMAT)? else {
        if disk.last_row()? != 0 || disk.mark() != 0 {
            return Err(Damaged("the format row is missing").into());
        }
        let keyring = Keyring::open_or_make(path, keys, None)?;
        mark_as_ours(disk, &keyring, 0)?;
        return Ok(keyring);
    };
    let format = Fields(&format).u32().ok_or(Damaged("the format row does not read"))?;
    if FORMAT < format {
        return Err(OpenError::NewerFormat { found: format, known: FORMAT });
    }
    let check = disk.get(key::KEY_CHECK)?.ok_or(Damaged("the key check is missing"))?;
    if format == FORMAT_WITHOUT_KEYRING {
        if check != key_check(keys).as_slice() {
            return Err(OpenError::WrongKey);
        }
        let keyring = Keyring::open_or_make(path, keys, Some(keys.as_root()))?;
        is_its_keyring(&keyring, &check)?;
        mark_as_ours(disk, &keyring, disk.last_row()?)?;
        info!(event.action = "store_upgraded", "the ledger has a keyring from now on");
        return Ok(keyring);
    }
    let keyring = Keyring::open(path, keys)?;
    let id = disk.get(key::KEYRING)?.ok_or(Damaged("the keyring's name is missing"))?;
    if id != keyring.id().as_slice() {
        return Err(KeyringError::Foreign { path: path.to_owned() }.into());
    }
    is_its_keyring(&keyring, &check)?;
    Ok(keyring)
}

fn is_its_keyring(keyring: &Keyring, check: &[u8]) -> Result<(), KeyringError> {
    if key_check(&keyring.root()).as_slice() == check {
        return Ok(());
    }
    Err(KeyringError::Foreign { path: keyring.path().to_owned() })
}

fn key_check(keys: &Keys) -> zeroize::Zeroizing<[u8; 32]> {
    keys.derive("ledger key check")
}

fn mark_as_ours(disk: &Disk, keyring: &Keyring, old_rows: u64) -> Result<(), DiskError> {
    let mut batch = Batch::default();
    if old_rows != 0 {
        batch.insert(key::OLD_ROWS, &old_rows.to_be_bytes());
    }
    batch.insert(key::FORMAT, &FORMAT.to_be_bytes());
    batch.insert(key::KEY_CHECK, key_check(&keyring.root()).as_slice());
    batch.insert(key::KEYRING, &keyring.id());
    disk.commit(&batch)
}

fn recover(disk: &Disk, seal: &Seal, limits: IndexLimits) -> Result<State, OpenError> {
    let last = disk.last_row()?;
    let acknowledged = disk.mark();
    if last < acknowledged {
        return Err(OpenError::LostEnd { acknowledged, found: last });
    }
    let mut state = newest_checkpoint(disk, seal, limits, last)?;
    if seal.keyring().next() < state.keys_given {
        return Err(KeyringError::Outdated { path: seal.keyring().path().to_owned() }.into());
    }
    let from = state.next_row;
    let mut rows = disk.rows(from);
    while let Some((number, row)) = rows.next()? {
        if number != state.next_row {
            return Err(Damaged("a row of the log is missing").into());
        }
        for (slot, record) in seal.open_row(&row)?.iter().enumerate() {
            state.index.apply(Position::new(number, slot), record);
        }
        state.next_row += 1;
        state.log_bytes += row.len();
    }
    if state.next_row != last + 1 {
        return Err(Damaged("the end of the log does not read").into());
    }
    if seal.keyring().has_graves() {
        drop_erased(disk, seal, &mut state.index)?;
    }
    info!(rows = last, replayed = state.next_row - from, "the ledger is open");
    Ok(state)
}

/// A checkpoint may be older than the erasure of people whose updates waited then: a copy put back.
fn drop_erased(disk: &Disk, seal: &Seal, index: &mut Index) -> Result<(), OpenError> {
    for (stream, update, position) in index.in_the_log() {
        let row = disk.get_parts(&key::row(position.row()))?;
        let row = row.ok_or(Damaged("a row of the log is missing"))?;
        if let Body::ArrivedErased { .. } = seal.open_slot(&row, position.slot())?.body {
            index.drop_waiting(stream, &[update]);
        }
    }
    Ok(())
}

/// The newest checkpoint that reads, or an empty one: the log has everything.
fn newest_checkpoint(
    disk: &Disk,
    seal: &Seal,
    limits: IndexLimits,
    last_row: u64,
) -> Result<State, OpenError> {
    let empty = State {
        index: Index::new(limits),
        next_row: FIRST_ROW,
        keys_given: 0,
        generation: 0,
        checkpoint_bytes: 0,
        log_bytes: 0,
    };
    let mut best = empty;
    for slot in 0..CHECKPOINT_SLOTS {
        match read_checkpoint(disk, seal, limits, slot) {
            Ok(Some(found)) if found.next_row <= last_row + 1 => {
                if best.generation < found.generation {
                    best = found;
                }
            }
            Ok(Some(_)) => return Err(Damaged("the log ends before its checkpoint").into()),
            Ok(None) => {}
            Err(DiskError::Damaged(damaged)) => {
                warn!(%damaged, "a checkpoint does not read; an older one and the log replace it");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(best)
}

fn read_checkpoint(
    disk: &Disk,
    seal: &Seal,
    limits: IndexLimits,
    slot: u8,
) -> Result<Option<State>, DiskError> {
    let Some(row) = disk.get_parts(&key::checkpoint(slot))? else { return Ok(None) };
    let record = seal.open_slot(&row, 0)?;
    let (body, layout) = match record.body {
        Body::Checkpoint(body) => (body, Layout::Current),
        Body::OldCheckpoint(body) => (body, Layout::Format1),
        Body::Arrived { .. }
        | Body::ArrivedErased { .. }
        | Body::Appended { .. }
        | Body::Dropped { .. }
        | Body::Quarantined { .. }
        | Body::Rested
        | Body::State { .. }
        | Body::Accepted(_) => {
            return Err(Damaged("a checkpoint that is something else").into());
        }
    };
    let mut fields = Fields(&body);
    let mut read = || {
        let next_row = fields.u64()?;
        let keys_given = if layout == Layout::Current { fields.u32()? } else { 0 };
        let index = Index::read(limits, &mut fields, layout)?;
        let (generation, checkpoint_bytes) = (record.seq, row.len());
        Some(State { index, next_row, keys_given, generation, checkpoint_bytes, log_bytes: 0 })
    };
    let state = read();
    Ok(Some(state.ok_or(Damaged("a checkpoint that does not read"))?))
}

/// Adds a checkpoint to a batch. Returns its size.
pub(crate) fn put_checkpoint(
    (disk, seal): (&Disk, &Seal),
    (index, next_row, generation): (&Index, u64, u64),
    nonces: &mut Nonces,
    batch: &mut Batch,
) -> Result<usize, DiskError> {
    let mut body = Vec::new();
    body.put_u64(next_row);
    body.put_u32(seal.keyring().next());
    index.put(&mut body);
    let record = Record {
        stream: StreamName([0; 16]),
        seq: generation,
        prev: Position::default(),
        body: Body::Checkpoint(Bytes::from(body)),
    };
    let slot = generation.to_be_bytes()[7] % CHECKPOINT_SLOTS;
    let mut sealed = Vec::new();
    seal.seal(&record, nonces, &mut sealed)?;
    disk.replace(batch, &key::checkpoint(slot), &sealed)?;
    Ok(sealed.len())
}
