//! Backups of a ledger, made while it is in use.
//!
//! A full backup holds every pair of the database, read while the writer goes on, and then every
//! batch that was written meanwhile: made in order on top of the pairs, they give exactly the state
//! after the last of them. A backup that goes on from it holds only the batches since. Both are read
//! back from the shelf before they count. Nothing is unsealed for it, and no key is ever in one: who is
//! forgotten is forgotten in all of them.
//!
//! Invariants: BACKUP-1 what a backup restores is a prefix of the log, without a gap. BACKUP-2 the log
//! gives up a segment for a backup's sake only after that backup was read back whole. BACKUP-3 no
//! backup is removed that a kept one needs, and the newest is kept.

mod archive;
mod folder;
mod names;
mod repair;
mod restore;
mod state;

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use protocol::{
    Timestamp,
    shelf::{Draft, Shelf},
};
use tokio::time::Instant;
use tracing::{info, warn};

pub use archive::{ArchiveError, BackupKeys, Kind};
pub use folder::FolderShelf;
pub use names::{Keep, Point, points};
pub use repair::{RepairError, Repaired, Sources, repair};
pub use restore::{RestoreError, Restored, drill, restore};

use crate::{
    disk::{Disk, DiskError, Room},
    segments::{History, Trail},
    shared::Shared,
};
use archive::{End, Head, Reader, Writer};
use names::{Name, superfluous};
use state::Done;

/// When a full backup is made, and what is kept.
#[derive(Clone, Copy, Debug)]
pub struct BackupRules {
    /// Age of a full backup after which the next one is full again.
    pub full_every: Duration,
    /// What is kept on the shelf.
    pub keep: Keep,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// The name on the shelf; that of the last one if nothing was written since.
    pub name: String,
    /// What it holds; `None` if nothing was written since the last.
    pub kind: Option<Kind>,
    /// Pairs of the database in it.
    pub pairs: u64,
    /// Batches of the log in it.
    pub batches: u64,
    /// Its size.
    pub bytes: u64,
    /// Backups that were removed by the rule.
    pub removed: u64,
    /// How long it took, reading it back included.
    pub took: Duration,
}

/// Why there is no new backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The ledger cannot be read.
    #[error("the ledger cannot be read")]
    Ledger(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The shelf refused.
    #[error("{place} cannot be used")]
    Shelf {
        /// Where it is.
        place: String,
        /// What it said.
        source: io::Error,
    },
    /// What was read back is not what was written.
    #[error("the backup {name} is not on the shelf as it was written")]
    Unverified {
        /// Which.
        name: String,
        /// What was found.
        source: ArchiveError,
    },
    /// It was asked to stop.
    #[error("the backup was broken off because the hall stops")]
    Stopped,
}

impl From<DiskError> for BackupError {
    fn from(error: DiskError) -> Self {
        Self::Ledger(error.into())
    }
}

/// Where, with what, and when.
pub(crate) struct Job<'a> {
    pub(crate) shelf: &'a dyn Shelf,
    pub(crate) keys: &'a BackupKeys,
    pub(crate) rules: BackupRules,
    pub(crate) now: Timestamp,
    pub(crate) stop: &'a AtomicBool,
}

impl Job<'_> {
    fn shelf_error(&self, source: io::Error) -> BackupError {
        BackupError::Shelf { place: self.shelf.place(), source }
    }

    fn go_on(&self) -> Result<(), BackupError> {
        if self.stop.load(Ordering::Relaxed) { Err(BackupError::Stopped) } else { Ok(()) }
    }
}

/// Keeps the segments that a backup reads, until it is dropped.
struct Hold<'a>(&'a Disk);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.log().hold(None);
    }
}

/// What the next backup will hold.
struct Plan {
    head: Head,
    /// The last batch that is in it for certain; a full one goes on until its pairs are read.
    last: u64,
}

/// The last batch of this history that a verified backup holds.
pub(crate) fn covered(room: &Room, history: History) -> u64 {
    state::read(room).filter(|it| it.history == history).map_or(0, |it| it.last)
}

/// When the last backup was made that was read back whole.
pub(crate) fn last(room: &Room) -> Option<Timestamp> {
    state::read(room).map(|it| Timestamp(it.name.made))
}

/// Makes a backup, reads it back, and removes what the rule does not keep.
pub(crate) fn make(shared: &Shared, job: &Job<'_>) -> Result<BackupReport, BackupError> {
    let started = Instant::now();
    let disk = &shared.disk;
    let listed = names::list(job.shelf).map_err(|error| job.shelf_error(error))?;
    let done = state::read(disk.room());
    let done = done.filter(|it| it.is_on(&listed));
    let (history, last, _hold) = {
        let mut log = disk.log();
        let (history, last) = (log.history(), log.last());
        let needed = done.as_ref().filter(|it| it.history == history).map_or(last, |it| it.last);
        log.hold(Some(needed.min(last) + 1));
        (history, last, Hold(disk))
    };
    let plan = plan(disk, job, &listed, done.as_ref(), (history, last))?;
    let Some(Plan { head, last }) = plan else {
        let name = done.map(|it| it.name.to_string()).unwrap_or_default();
        return Ok(nothing_new(name, started));
    };
    let name = Name::of(&head);
    let text = name.to_string();
    let mut draft = job.shelf.draft(&text).map_err(|error| job.shelf_error(error))?;
    let (end, bytes) = write(disk, job, draft.as_mut(), (&head, last))?;
    draft.keep().map_err(|error| job.shelf_error(error))?;
    read_back(job, &text, (&head, end))?;
    state::write(disk.room(), &Done { name, history, last: end.last })
        .map_err(|error| BackupError::Ledger(error.into()))?;
    // BACKUP-2.
    disk.log().cover(end.last);
    let removed = tidy(job);
    info!(
        labels.backup = text,
        bytes,
        event.action = "backup_made",
        "a backup was made and read back"
    );
    let (kind, took) = (Some(head.kind), started.elapsed());
    let End { pairs, batches, .. } = end;
    Ok(BackupReport { name: text, kind, pairs, batches, bytes, removed, took })
}

fn nothing_new(name: String, started: Instant) -> BackupReport {
    let took = started.elapsed();
    BackupReport { name, kind: None, pairs: 0, batches: 0, bytes: 0, removed: 0, took }
}

/// Full, or what came since the last one; nothing if nothing came.
fn plan(
    disk: &Disk,
    job: &Job<'_>,
    listed: &[Name],
    done: Option<&Done>,
    (history, last): (History, u64),
) -> Result<Option<Plan>, BackupError> {
    let made = job.now;
    let whole = done.filter(|it| it.history == history && it.last <= last);
    if let Some(done) = whole {
        let is_young = names::age(listed, &done.name, made) < job.rules.full_every;
        if is_young && done.last == last {
            return Ok(None);
        }
        let from = done.last + 1;
        let is_there = Trail::open(&disk.room().segments(), history, from)
            .map_err(|error| BackupError::Ledger(error.into()))?
            .is_some();
        if is_young && is_there {
            let (chain, number) = (done.name.chain, done.name.number + 1);
            let head = Head { kind: Kind::More, chain, number, made, history, first: from };
            return Ok(Some(Plan { head, last }));
        }
    }
    let chain = getrandom::u64().map_err(|error| BackupError::Ledger(error.into()))?;
    let head = Head { kind: Kind::Full, chain, number: 0, made, history, first: last + 1 };
    Ok(Some(Plan { head, last }))
}

fn write(
    disk: &Disk,
    job: &Job<'_>,
    draft: &mut dyn Draft,
    (head, last): (&Head, u64),
) -> Result<(End, u64), BackupError> {
    let shelf_error = |error| job.shelf_error(error);
    let ledger_error = |error: io::Error| BackupError::Ledger(error.into());
    let mut out: &mut dyn io::Write = draft;
    let mut writer = Writer::begin(&mut out, job.keys, head).map_err(shelf_error)?;
    let last = match head.kind {
        Kind::More => last,
        Kind::Full => {
            for pair in disk.pairs()? {
                job.go_on()?;
                let (key, value) = pair.map_err(DiskError::Engine)?;
                writer.pair(&key, &value).map_err(shelf_error)?;
            }
            // BACKUP-1: what was written while the pairs were read comes behind them.
            disk.log().last()
        }
    };
    if head.first <= last {
        let folder = disk.room().segments();
        let trail = Trail::open(&folder, head.history, head.first).map_err(ledger_error)?;
        let gone = || ledger_error(io::Error::other("a segment of the log does not read"));
        let mut trail = trail.ok_or_else(gone)?;
        for _ in head.first..=last {
            job.go_on()?;
            let (number, batch) = trail.next().map_err(ledger_error)?.ok_or_else(gone)?;
            writer.batch(number, &batch).map_err(shelf_error)?;
        }
    }
    writer.finish().map_err(shelf_error)
}

/// Reads the backup from the shelf to its end.
fn read_back(job: &Job<'_>, name: &str, (head, end): (&Head, End)) -> Result<(), BackupError> {
    let input = job.shelf.read(name).map_err(|error| job.shelf_error(error))?;
    let unverified = |source| BackupError::Unverified { name: name.to_owned(), source };
    let read = Reader::open(input, job.keys).and_then(Reader::check);
    let (found_head, found_end, _) = read.map_err(unverified)?;
    if (&found_head, found_end) == (head, end) {
        return Ok(());
    }
    Err(unverified(ArchiveError::Damaged { what: "it is another one" }))
}

/// Removes what the rule does not keep. Returns how many.
fn tidy(job: &Job<'_>) -> u64 {
    let listed = match names::list(job.shelf) {
        Ok(listed) => listed,
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "old backups stay for now");
            return 0;
        }
    };
    let mut removed = 0;
    for name in superfluous(&listed, job.rules.keep) {
        match job.shelf.remove(&name.to_string()) {
            Ok(()) => removed += 1,
            // lost-ok: the next backup tries again.
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "an old backup stays for now");
            }
        }
    }
    removed
}

/// One backup that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Pairs of the database in it.
    pub pairs: u64,
    /// Batches of the log in it.
    pub batches: u64,
    /// Its size.
    pub bytes: u64,
}

/// Reads every backup that a point needs to its end.
///
/// # Errors
/// The first that is not as it was written, by name.
pub fn verify(
    shelf: &dyn Shelf,
    keys: &BackupKeys,
    point: &Point,
) -> Result<Vec<Checked>, RestoreError> {
    let mut checked = Vec::new();
    restore::walk(shelf, keys, point, 0, &mut |_, reader| {
        let (head, end, bytes) = reader.check()?;
        let name = Name::of(&head).to_string();
        let (pairs, batches) = (end.pairs, end.batches);
        checked.push(Checked { name, kind: head.kind, pairs, batches, bytes });
        Ok(end.last)
    })?;
    Ok(checked)
}
