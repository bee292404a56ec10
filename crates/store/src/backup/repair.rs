//! Builds a ledger anew whose database does not open: from the newest backup, and the log since.
//!
//! The broken database is set aside, never removed. The mark says how far the log was acknowledged,
//! so a ledger that would end earlier is not put into force unless the operator says so.

use std::{io, path::PathBuf, time::Duration};

use protocol::{Timestamp, ledger::Ledger as _, shelf::Shelf};
use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    archive::BackupKeys,
    names::{Point, points},
    restore::{RestoreError, add, history_of, shelf_error, walk},
};
use crate::{
    KeyringError, OpenError, Store, StoreConfig,
    building::{Building, remove_folder},
    disk::{DiskOpenError, Room},
    engine::EngineError,
    keys::Keys,
    segments::{self, FIRST, History, Segments, Trail},
    swap,
};

/// What a repair may use.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Where backups are, if there are any.
    pub shelf: Option<&'a dyn Shelf>,
    /// Go on even if something that was acknowledged is in neither backup nor log.
    pub accept_loss: bool,
}

/// What was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The backup that it began with; without one the log held everything.
    pub backup: Option<String>,
    /// Batches of the log that came behind it.
    pub batches: u64,
    /// Rows of the log now.
    pub rows: u64,
    /// Rows that had been acknowledged.
    pub acknowledged: u64,
    /// Updates that wait for an answer.
    pub waiting: u64,
    /// Where the broken database is.
    pub aside: PathBuf,
    /// How long it took.
    pub took: Duration,
}

/// Why nothing was built. The folder is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// Neither a backup nor the log goes back to the beginning.
    #[error(
        "there is no backup to begin with, and the log does not go back to the beginning; say \
         where a backup is (`backup.dir`, or --from)"
    )]
    NothingToBeginWith,
    /// Something that was acknowledged is nowhere.
    #[error(
        "the backups and the log hold {found} of {acknowledged} acknowledged rows; with \
         --accept-loss the ledger goes on without the rest"
    )]
    Loss {
        /// The last row that was acknowledged.
        acknowledged: u64,
        /// The last row that is there.
        found: u64,
    },
    /// A backup cannot be used.
    #[error(transparent)]
    Backup(#[from] RestoreError),
    /// The keyring is not there, or not the master key's.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The folder cannot be taken, or what was built does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The disk or the engine refused.
    #[error("the ledger cannot be built anew")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<io::Error> for RepairError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EngineError> for RepairError {
    fn from(error: EngineError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<DiskOpenError> for RepairError {
    fn from(error: DiskOpenError) -> Self {
        Self::Open(error.into())
    }
}

/// A database that was built from one beginning.
struct Outcome {
    begun: Option<Point>,
    batches: u64,
    rows: u64,
    /// The last batch in it.
    last: u64,
    /// Whether the log goes on behind it, in the same history.
    goes_on: bool,
}

/// Builds the ledger of `config` anew. The hall must be stopped.
///
/// # Errors
/// If nothing can be built that holds everything acknowledged.
pub fn repair(
    config: &StoreConfig,
    keys: Keys,
    sources: Sources<'_>,
    now: Timestamp,
) -> Result<Repaired, RepairError> {
    let started = Instant::now();
    let room = Room::enter(&config.folder)?;
    if room.restoring().exists() {
        return Err(DiskOpenError::Unfinished.into());
    }
    swap::finish(&room)?;
    let beginnings = beginnings(&room, sources.shelf)?;
    if beginnings.is_empty() {
        return Err(RepairError::NothingToBeginWith);
    }
    let backup_keys = BackupKeys::open(&config.keyring, &keys)?;
    let workshop = Workshop { config, room: &room, keys: &backup_keys, shelf: sources.shelf };
    let acknowledged = room.mark()?.get();
    let outcome = workshop.best(beginnings, acknowledged, sources.accept_loss)?;
    let aside = format!("engine.broken-{}", now.0);
    swap::exchange(&room, &aside)?;
    if outcome.rows < acknowledged {
        warn!(
            acknowledged,
            rows = outcome.rows,
            event.action = "store_loss_accepted",
            "the ledger goes on without what is in neither backup nor log"
        );
        room.mark()?.set(outcome.rows)?;
    }
    if !outcome.goes_on {
        let next = outcome.last.max(segments::newest(&room.segments())?) + 1;
        drop(Segments::begin_anew(&room.segments(), config.segment_limits(), next)?);
    }
    let aside = room.root.join(aside);
    drop(room);
    let store = Store::open(config.clone(), keys)?;
    let waiting = store.gauge().waiting;
    store.close().map_err(|error| RepairError::Failed(error.into()))?;
    info!(rows = outcome.rows, event.action = "store_repaired", "the ledger was built anew");
    Ok(Repaired {
        backup: outcome.begun.map(|it| it.name),
        batches: outcome.batches,
        rows: outcome.rows,
        acknowledged,
        waiting,
        aside,
        took: started.elapsed(),
    })
}

/// The log alone, if it is whole, and then every backup, the newest first.
fn beginnings(room: &Room, shelf: Option<&dyn Shelf>) -> Result<Vec<Option<Point>>, RepairError> {
    let mut beginnings = Vec::new();
    if segments::kept(&room.segments())?.is_some_and(|(_, first)| first == FIRST) {
        beginnings.push(None);
    }
    if let Some(shelf) = shelf {
        let points = points(shelf).map_err(|error| shelf_error(shelf, error))?;
        beginnings.extend(points.into_iter().rev().map(Some));
    }
    Ok(beginnings)
}

struct Workshop<'a> {
    config: &'a StoreConfig,
    room: &'a Room,
    keys: &'a BackupKeys,
    shelf: Option<&'a dyn Shelf>,
}

impl Workshop<'_> {
    /// Builds from the first beginning that gives everything back: the log alone if it is whole, or
    /// else the newest backup, or an older one if that is damaged.
    fn best(
        &self,
        beginnings: Vec<Option<Point>>,
        acknowledged: u64,
        accept_loss: bool,
    ) -> Result<Outcome, RepairError> {
        let kept = segments::kept(&self.room.segments())?;
        let mut best: Option<(u64, Option<Point>)> = None;
        let mut refused = None;
        for begun in beginnings {
            match self.build(begun.clone(), kept.map(|(history, _)| history)) {
                Ok(outcome) if acknowledged <= outcome.rows => return Ok(outcome),
                Ok(outcome) => {
                    if best.as_ref().is_none_or(|(rows, _)| *rows < outcome.rows) {
                        best = Some((outcome.rows, begun));
                    }
                }
                Err(error) => {
                    warn!(error = &error as &dyn std::error::Error, "a backup cannot be used");
                    refused.get_or_insert(error);
                }
            }
        }
        match (best, refused) {
            (Some((_, begun)), _) if accept_loss => {
                self.build(begun, kept.map(|(history, _)| history))
            }
            (Some((found, _)), _) => {
                remove_folder(&swap::next(self.room))?;
                Err(RepairError::Loss { acknowledged, found })
            }
            (None, Some(error)) => Err(error),
            (None, None) => Err(RepairError::NothingToBeginWith),
        }
    }

    /// Builds a database from a backup, or from nothing, and the log behind it.
    fn build(
        &self,
        begun: Option<Point>,
        history: Option<History>,
    ) -> Result<Outcome, RepairError> {
        let mut building = Building::begin(&swap::next(self.room), self.config.engine)?;
        let (begun_history, mut last) = match (&begun, self.shelf) {
            (Some(point), Some(shelf)) => {
                let mut last = 0;
                walk(shelf, self.keys, point, 0, &mut |_, reader| {
                    last = add(&mut building, reader)?;
                    Ok(last)
                })?;
                (Some(history_of(shelf, self.keys, point)?), last)
            }
            (Some(_) | None, _) => (history, FIRST - 1),
        };
        let (mut batches, mut goes_on) = (0, false);
        if let Some(history) = begun_history.filter(|it| history == Some(*it))
            && let Some(mut trail) = Trail::open(&self.room.segments(), history, last + 1)?
        {
            goes_on = true;
            while let Some((number, batch)) = trail.next()? {
                building.apply(&batch)?;
                last = number;
                batches += 1;
            }
        }
        let rows = building.last_row()?;
        drop(building.finish()?);
        Ok(Outcome { begun, batches, rows, last, goes_on })
    }
}
