//! Copies the ledger into a database of another engine, or of the same one, which gives space back.
//!
//! The copy is made beside the original, compared with it pair by pair, and only then takes its
//! place, whole or not at all. Records stay sealed; no key is needed. Cut short, it begins anew.

use std::{io, time::Duration};

use tokio::time::Instant;

use crate::{
    OpenError, StoreConfig,
    building::{self, Building},
    disk::{Disk, DiskError, DiskOpenError, Room, key, size_of},
    engine::{EngineError, EngineKind},
    opening::known_format,
    swap,
};

/// Where the database goes that another one has replaced.
const OLD: &str = "engine.old";

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The engine that it was on.
    pub from: EngineKind,
    /// The engine that it is on.
    pub to: EngineKind,
    /// Pairs that were copied and compared.
    pub pairs: u64,
    /// Bytes of the folder before.
    pub bytes_before: u64,
    /// And after, the old database not counted.
    pub bytes_after: u64,
    /// How long it took.
    pub took: Duration,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The ledger does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is none.
    #[error("there is no ledger in this folder")]
    Nothing,
    /// The copy is not what was copied.
    #[error("the copy differs from the original at pair {pair}; the original stays in force")]
    Differs {
        /// Which one, counted from 1.
        pair: u64,
    },
    /// The disk or the engine refused.
    #[error("the ledger cannot be copied; the original stays in force")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<DiskOpenError> for MigrateError {
    fn from(error: DiskOpenError) -> Self {
        Self::Open(error.into())
    }
}

impl From<DiskError> for MigrateError {
    fn from(error: DiskError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EngineError> for MigrateError {
    fn from(error: EngineError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<io::Error> for MigrateError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// The engine of a folder, if there is a ledger in it.
///
/// # Errors
/// If another process has the folder, or the system refuses.
pub fn engine_of(config: &StoreConfig) -> Result<Option<EngineKind>, OpenError> {
    if !config.folder.exists() {
        return Ok(None);
    }
    let room = Room::enter(&config.folder)?;
    swap::finish(&room).map_err(DiskOpenError::Io)?;
    Ok(EngineKind::of(&room.engine()))
}

/// Copies the ledger into a database of the engine `to`. The hall must be stopped.
///
/// # Errors
/// If the ledger does not open, or the copy fails or differs. The original is in force then.
pub fn migrate(
    config: &StoreConfig,
    to: EngineKind,
    keep_old: bool,
) -> Result<Migrated, MigrateError> {
    let started = Instant::now();
    let from = engine_of(config)?.ok_or(MigrateError::Nothing)?;
    let disk = Disk::open(&StoreConfig { engine: from, ..config.clone() })?;
    // A ledger of a later version may have more than this program would copy.
    known_format(&disk.get(key::FORMAT)?.ok_or(MigrateError::Nothing)?)?;
    disk.flush()?;
    let bytes_before = disk.size()?;
    let next = swap::next(disk.room());
    let mut building = Building::begin(&next, to)?;
    for pair in disk.pairs()? {
        let (key, value) = pair?;
        building.put(&key, &value)?;
    }
    let pairs = compare(&disk, building)?;
    let room = disk.close();
    building::remove_folder(&room.root.join(OLD))?;
    swap::exchange(&room, OLD)?;
    if !keep_old {
        building::remove_folder(&room.root.join(OLD))?;
    }
    let kept = if keep_old { size_of(&room.root.join(OLD))? } else { 0 };
    let bytes_after = size_of(&room.root)? - kept;
    Ok(Migrated { from, to, pairs, bytes_before, bytes_after, took: started.elapsed() })
}

/// Reads the copy back from the disk and compares it with the original. Returns the pairs.
fn compare(disk: &Disk, building: Building) -> Result<u64, MigrateError> {
    let built = building.finish()?;
    let mut copied = built.pairs()?;
    let mut pairs = 0;
    for pair in disk.pairs()? {
        pairs += 1;
        match copied.next().transpose()? {
            Some(copy) if copy == pair? => {}
            Some(_) | None => return Err(MigrateError::Differs { pair: pairs }),
        }
    }
    match copied.next() {
        None => Ok(pairs),
        Some(_) => Err(MigrateError::Differs { pair: pairs + 1 }),
    }
}
