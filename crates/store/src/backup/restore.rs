//! Puts a backup back: into an empty folder, one backup of the chain after the other. How far it is
//! stands in the note `restoring`, so that after a kill the same call goes on.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};

use protocol::{Timestamp, ledger::Ledger as _, shelf::Shelf};
use tokio::time::Instant;
use tracing::info;

use super::{
    archive::{ArchiveError, BackupKeys, Head, Item, Kind, Reader},
    names::{Name, Point, points},
};
use crate::{
    KeyringError, OpenError, Store, StoreConfig, Verified,
    building::{Building, remove_folder},
    disk::{DiskOpenError, Room},
    engine::EngineError,
    keys::Keys,
    power,
    segments::{History, Segments},
    swap,
};

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
    /// Backups that were read for it.
    pub files: usize,
    /// Rows of the log.
    pub rows: u64,
    /// Updates that wait for an answer.
    pub waiting: u64,
    /// How long it took.
    pub took: Duration,
}

/// Why nothing was put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The shelf refused.
    #[error("{place} cannot be used")]
    Shelf {
        /// Where it is.
        place: String,
        /// What it said.
        source: io::Error,
    },
    /// There is none.
    #[error("there is no whole backup in {place}")]
    NoBackup {
        /// Where.
        place: String,
    },
    /// There is none of this name.
    #[error(
        "there is no whole backup called {name} in {place}; `guildhall backup list` names them"
    )]
    NoSuchBackup {
        /// Which.
        name: String,
        /// Where.
        place: String,
    },
    /// One backup is not as it was written.
    #[error("{name}")]
    Backup {
        /// Which.
        name: String,
        /// What was found.
        source: ArchiveError,
    },
    /// Something is there already.
    #[error(
        "{} is not empty; move what is in it to another place first: nothing is overwritten",
        folder.display()
    )]
    NotEmpty {
        /// Where.
        folder: PathBuf,
    },
    /// Another restore was cut short here.
    #[error(
        "the restore of {name} was cut short here; finish it with `guildhall backup restore \
         {name}`, or remove the folder"
    )]
    UnderWay {
        /// Of which backup.
        name: String,
    },
    /// The keyring is not there, or not the master key's.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// What was put back does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The disk or the engine refused.
    #[error("the backup cannot be put back")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<io::Error> for RestoreError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EngineError> for RestoreError {
    fn from(error: EngineError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<DiskOpenError> for RestoreError {
    fn from(error: DiskOpenError) -> Self {
        Self::Open(error.into())
    }
}

/// What went wrong with one backup, before its name is added.
pub(super) enum Broken {
    Archive(ArchiveError),
    Other(RestoreError),
}

impl From<ArchiveError> for Broken {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<EngineError> for Broken {
    fn from(error: EngineError) -> Self {
        Self::Other(error.into())
    }
}

impl Broken {
    fn named(self, name: &str) -> RestoreError {
        match self {
            Self::Archive(source) => RestoreError::Backup { name: name.to_owned(), source },
            Self::Other(error) => error,
        }
    }
}

/// Does something with each backup of a point, in order, that was not done yet, and sees that they
/// belong together. It returns the last batch of each.
pub(super) fn walk(
    shelf: &dyn Shelf,
    keys: &BackupKeys,
    point: &Point,
    done: usize,
    with: &mut dyn FnMut(usize, Reader<'_>) -> Result<u64, Broken>,
) -> Result<(), RestoreError> {
    let mut last = None;
    for (at, name) in point.files.iter().enumerate().skip(done) {
        let reader = open(shelf, keys, name)?;
        let head = reader.head.clone();
        let is_next = last.is_none_or(|(chain, history, last)| {
            (head.chain, head.history, head.first) == (chain, history, last + 1)
        });
        let is_full = head.kind == Kind::Full;
        let fits = is_next && head.number as usize == at && is_full == (at == 0);
        if !fits || Name::of(&head).to_string() != *name {
            let source = ArchiveError::Damaged { what: "it does not go on from the one before it" };
            return Err(RestoreError::Backup { name: name.clone(), source });
        }
        let end = with(at, reader).map_err(|broken| broken.named(name))?;
        last = Some((head.chain, head.history, end));
    }
    Ok(())
}

fn open<'a>(
    shelf: &dyn Shelf,
    keys: &'a BackupKeys,
    name: &str,
) -> Result<Reader<'a>, RestoreError> {
    let input = shelf.read(name).map_err(|error| shelf_error(shelf, error))?;
    Reader::open(input, keys).map_err(|error| Broken::Archive(error).named(name))
}

pub(super) fn shelf_error(shelf: &dyn Shelf, source: io::Error) -> RestoreError {
    RestoreError::Shelf { place: shelf.place(), source }
}

/// Adds one backup to a database.
pub(super) fn add(building: &mut Building, mut reader: Reader<'_>) -> Result<u64, Broken> {
    let mut end = None;
    while let Some(item) = reader.next()? {
        match item {
            Item::Pair(key, value) => building.put(&key, &value)?,
            Item::Batch(_, batch) => building.apply(&batch)?,
            Item::End(found) => end = Some(found.last),
        }
    }
    building.flush()?;
    Ok(end.ok_or(ArchiveError::Damaged { what: "it has no end" })?)
}

/// The backup of this name, or the newest.
fn pick(shelf: &dyn Shelf, name: Option<&str>) -> Result<Point, RestoreError> {
    let place = shelf.place();
    let mut points = points(shelf).map_err(|error| shelf_error(shelf, error))?;
    match name {
        None => points.pop().ok_or(RestoreError::NoBackup { place }),
        Some(name) => {
            let found = points.into_iter().find(|it| it.name == name);
            found.ok_or_else(|| RestoreError::NoSuchBackup { name: name.to_owned(), place })
        }
    }
}

/// How far a restore is.
struct Note {
    name: String,
    done: usize,
    last: u64,
}

impl Note {
    fn read(room: &Room) -> io::Result<Option<Self>> {
        let text = match fs::read_to_string(room.restoring()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let mut fields = text.split_whitespace();
        let mut next = || fields.next().unwrap_or_default().to_owned();
        let (name, done, last) = (next(), next().parse(), next().parse());
        // One that does not read begins anew, of whichever backup is asked for.
        let (Ok(done), Ok(last)) = (done, last) else {
            return Ok(Some(Self { name: String::new(), done: 0, last: 0 }));
        };
        Ok(Some(Self { name, done, last }))
    }

    fn write(&self, room: &Room) -> io::Result<()> {
        let half_made = room.root.join("restoring.new");
        let mut file = File::create(&half_made)?;
        writeln!(file, "{} {} {}", self.name, self.done, self.last)?;
        power::sync_data(&file, &half_made)?;
        fs::rename(half_made, room.restoring())?;
        power::sync_folder(&room.root)
    }
}

/// Puts a backup back into the empty folder of `config`: the one of this name, or the newest.
///
/// # Errors
/// If the folder is not empty, key or keyring is another one, or a backup is not as it was written.
/// Nothing is there then that could be taken for a ledger. If the keyring is older than the backup,
/// the ledger is there and opens once the newest keyring is.
pub fn restore(
    shelf: &dyn Shelf,
    keys: Keys,
    config: &StoreConfig,
    name: Option<&str>,
) -> Result<Restored, RestoreError> {
    let (restored, store) = restore_and_open(shelf, keys, (config, Store::open), name)?;
    store.close().map_err(|error| RestoreError::Failed(error.into()))?;
    Ok(restored)
}

/// Puts a backup back into a folder that is removed afterwards, and opens every record.
///
/// # Errors
/// As [`restore`], and if a record does not open.
pub fn drill(
    shelf: &dyn Shelf,
    keys: Keys,
    config: &StoreConfig,
    name: Option<&str>,
) -> Result<(Restored, Verified), RestoreError> {
    remove_folder(&config.folder)?;
    let drilled = || {
        // The hall may be running, and its keyring must not be touched.
        let (restored, store) = restore_and_open(shelf, keys, (config, Store::open_to_look), name)?;
        let verified = store.verify().map_err(|error| RestoreError::Failed(error.into()))?;
        store.close().map_err(|error| RestoreError::Failed(error.into()))?;
        Ok((restored, verified))
    };
    let drilled = drilled();
    remove_folder(&config.folder)?;
    drilled
}

type Opening = fn(StoreConfig, Keys) -> Result<Store, OpenError>;

fn restore_and_open(
    shelf: &dyn Shelf,
    keys: Keys,
    (config, opened): (&StoreConfig, Opening),
    name: Option<&str>,
) -> Result<(Restored, Store), RestoreError> {
    let started = Instant::now();
    let backup_keys = BackupKeys::open(&config.keyring, &keys)?;
    let point = pick(shelf, name)?;
    // A wrong key is found before anything is touched.
    for file in &point.files {
        open(shelf, &backup_keys, file)?;
    }
    let room = Room::enter(&config.folder)?;
    let note = begin(&room, &point)?;
    let rows = build(shelf, &backup_keys, config, &room, (&point, note))?;
    drop(room);
    let store = opened(config.clone(), keys)?;
    info!(rows, event.action = "backup_restored", "a backup was put back");
    let restored = Restored {
        name: point.name,
        made: point.made,
        files: point.files.len(),
        rows,
        waiting: store.gauge().waiting,
        took: started.elapsed(),
    };
    Ok((restored, store))
}

/// Notes that this backup is being put here, or finds the note.
fn begin(room: &Room, point: &Point) -> Result<Note, RestoreError> {
    match Note::read(room)? {
        Some(note) if note.name == point.name => return Ok(note),
        Some(note) if !note.name.is_empty() => {
            return Err(RestoreError::UnderWay { name: note.name });
        }
        Some(_) => {}
        None => {
            for entry in fs::read_dir(&room.root)? {
                let name = entry?.file_name();
                if name != "lock" && name != "restoring.new" {
                    return Err(RestoreError::NotEmpty { folder: room.root.clone() });
                }
            }
        }
    }
    let note = Note { name: point.name.clone(), done: 0, last: 0 };
    note.write(room)?;
    Ok(note)
}

/// Builds the database, puts it into force, and removes the note. Returns the rows of the log.
fn build(
    shelf: &dyn Shelf,
    keys: &BackupKeys,
    config: &StoreConfig,
    room: &Room,
    (point, mut note): (&Point, Note),
) -> Result<u64, RestoreError> {
    swap::finish(room)?;
    let folder = if room.engine().exists() { room.engine() } else { swap::next(room) };
    let mut building = if note.done == 0 {
        Building::begin(&folder, config.engine)?
    } else {
        Building::go_on(&folder, config.engine)?
    };
    let done = note.done;
    walk(shelf, keys, point, done, &mut |at, reader| {
        let last = add(&mut building, reader)?;
        note.done = at + 1;
        note.last = last;
        note.write(room).map_err(|error| Broken::Other(error.into()))?;
        Ok(last)
    })?;
    let rows = building.last_row()?;
    drop(building.finish()?);
    if folder != room.engine() {
        swap::exchange(room, "engine.old")?;
    }
    room.mark()?.set(rows)?;
    // What is written from here on is another history: it does not go on from that backup.
    drop(Segments::begin_anew(&room.segments(), config.segment_limits(), note.last + 1)?);
    fs::remove_file(room.restoring())?;
    power::sync_folder(&room.root)?;
    Ok(rows)
}

/// The history of a point, by its first backup.
pub(super) fn history_of(
    shelf: &dyn Shelf,
    keys: &BackupKeys,
    point: &Point,
) -> Result<History, RestoreError> {
    let first = point.files.first().map(String::as_str).unwrap_or_default();
    let Head { history, .. } = open(shelf, keys, first)?.head;
    Ok(history)
}
