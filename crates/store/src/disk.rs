//! The store's folder: the database in it, the log ahead of it, and the durable write.
//!
//! Owns `lock` (one process only), `engine/` (the database), `segments/` (what the database has not
//! synced yet, and what came before), `mark` (how far the log was acknowledged) and `reserve` (room
//! to give back when the disk is full). `swap` says that another database takes the place of
//! `engine/`, `restoring` that a backup is being put here.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use rustix::fs::{FlockOperation, flock};
use tracing::warn;

use crate::{
    StoreConfig, backup,
    codec::Fields,
    engine::{Engine, EngineError, EngineKind, Pairs, guarded},
    power,
    record::{Damaged, StreamName},
    segments::{self, Found, Segments},
    swap,
    wal::{self, Batch},
};

/// The most that one value may hold. sled keeps up to about 20 values in a page, and writes a page
/// of more than 128 KiB to a file of its own that nobody syncs; so no page may become that large.
const PART_BYTES: usize = 6 * 1024;
const MARK_BYTES: usize = 12;

/// Keys of the database, one letter per kind of row. The log comes last: it grows at the end.
pub(crate) mod key {
    use crate::record::StreamName;

    pub(crate) const FORMAT: &[u8] = b"a-format";
    pub(crate) const KEY_CHECK: &[u8] = b"a-key-check";
    pub(crate) const KEYRING: &[u8] = b"a-keyring";
    /// The last row of format 1, in a ledger that was upgraded.
    pub(crate) const OLD_ROWS: &[u8] = b"a-old-rows";
    pub(crate) const LOG: &[u8] = b"z";
    pub(crate) const SNAPSHOT: &[u8] = b"s";

    pub(crate) fn checkpoint(slot: u8) -> Vec<u8> {
        vec![b'c', slot]
    }

    pub(crate) fn snapshot(stream: StreamName) -> Vec<u8> {
        [SNAPSHOT, stream.0.as_slice()].concat()
    }

    pub(crate) fn row(number: u64) -> [u8; 9] {
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        [b'z', a, b, c, d, e, f, g, h]
    }
}

/// What the engine or the system said when it could not read or write.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    #[error("the database engine failed")]
    Engine(#[from] EngineError),
    #[error("the disk failed")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// Why the folder does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskOpenError {
    #[error("another process has it open")]
    Locked,
    #[error("the database does not open")]
    Corrupt(String),
    #[error("another engine wrote it")]
    OtherEngine { found: EngineKind, asked: EngineKind },
    #[error("the log ends before what was acknowledged")]
    LostEnd { acknowledged: u64, found: u64 },
    #[error("a restore was not finished")]
    Unfinished,
    #[error("the system refused")]
    Io(#[from] io::Error),
}

impl From<EngineError> for DiskOpenError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Corrupt(what) => Self::Corrupt(what),
            EngineError::Full(error) | EngineError::Io(error) => Self::Io(error),
            EngineError::Locked => Self::Locked,
        }
    }
}

/// The folder with its lock, and nothing open in it.
pub(crate) struct Room {
    pub(crate) root: PathBuf,
    lock: File,
}

impl Drop for Room {
    /// Unlocks, because closing is not enough: a process that is being started by another thread
    /// holds a copy of the open file until its own program begins, and with it the lock.
    fn drop(&mut self) {
        if let Err(error) = flock(&self.lock, FlockOperation::Unlock) {
            warn!(error = &error as &dyn std::error::Error, "cannot unlock the data folder");
        }
    }
}

impl Room {
    /// Takes the folder for this process alone; makes it if it is missing.
    pub(crate) fn enter(root: &Path) -> Result<Self, DiskOpenError> {
        fs::create_dir_all(root)?;
        fs::set_permissions(root, Permissions::from_mode(0o700))?;
        let lock = open_private(&root.join("lock"))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { root: root.to_owned(), lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(DiskOpenError::Locked),
            Err(error) => Err(DiskOpenError::Io(error.into())),
        }
    }

    pub(crate) fn engine(&self) -> PathBuf {
        self.root.join("engine")
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.root.join("segments")
    }

    /// The file of the note that a backup is being put here.
    pub(crate) fn restoring(&self) -> PathBuf {
        self.root.join("restoring")
    }

    /// How far the log was acknowledged.
    pub(crate) fn mark(&self) -> io::Result<Mark> {
        Ok(Mark(open_private(&self.root.join("mark"))?))
    }
}

/// The note of the last row that was acknowledged.
pub(crate) struct Mark(File);

impl Mark {
    /// Not synced: it may fall behind in a power cut but is never ahead, so a log that ends earlier
    /// has lost something.
    pub(crate) fn set(&self, row: u64) -> io::Result<()> {
        let number = row.to_be_bytes();
        let mut mark = [0; MARK_BYTES];
        mark[..8].copy_from_slice(&number);
        mark[8..].copy_from_slice(&crc32fast::hash(&number).to_be_bytes());
        self.0.write_all_at(&mark, 0)
    }

    /// The row noted last; zero if there is no readable note.
    pub(crate) fn get(&self) -> u64 {
        let mut mark = [0; MARK_BYTES];
        if self.0.read_exact_at(&mut mark, 0).is_err() {
            return 0;
        }
        let [number @ .., a, b, c, d] = mark;
        let good = crc32fast::hash(&number) == u32::from_be_bytes([a, b, c, d]);
        if good { u64::from_be_bytes(number) } else { 0 }
    }
}

/// The open folder.
pub(crate) struct Disk {
    engine: Box<dyn Engine>,
    /// Used by the writer, and by a backup for a moment.
    log: Mutex<Segments>,
    mark: Mark,
    /// Dropped last, after the database.
    room: Room,
}

impl Disk {
    pub(crate) fn open(config: &StoreConfig) -> Result<Self, DiskOpenError> {
        let room = Room::enter(&config.folder)?;
        if room.restoring().exists() {
            return Err(DiskOpenError::Unfinished);
        }
        swap::finish(&room)?;
        check_engine(&room, config.engine)?;
        let mark = room.mark()?;
        let reserve = room.root.join("reserve");
        let open = || {
            let (engine, found) = open_engine(&room, config)?;
            let end = guarded(|| last_row_of(engine.as_ref()))?;
            if end < mark.get() {
                return Ok(Err(DiskOpenError::LostEnd { acknowledged: mark.get(), found: end }));
            }
            let is_empty = engine.get(key::FORMAT)?.is_none();
            let limits = config.segment_limits();
            let log = Segments::begin(&room.segments(), limits, found, is_empty)?;
            Ok::<_, EngineError>(Ok((engine, log)))
        };
        let opened = match open() {
            Err(EngineError::Full(error)) if reserve.exists() => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "disk full: the reserve is released"
                );
                fs::remove_file(&reserve)?;
                open()
            }
            opened => opened,
        };
        let (engine, log) = opened??;
        let disk = Self { engine, log: Mutex::new(log), mark, room };
        let history = disk.log().history();
        disk.log().cover(backup::covered(&disk.room, history));
        disk.make_private()?;
        // The files themselves are synced by each commit; their names are synced here.
        for folder in [&disk.room.engine(), &disk.room.root] {
            power::sync_folder(folder)?;
        }
        if let Err(error) = keep_reserve(&reserve, config.reserve_bytes) {
            // lost-ok: the reserve is a help for later; the next opening tries again.
            warn!(error = &error as &dyn std::error::Error, "no room for the reserve file");
        }
        Ok(disk)
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, DiskError> {
        Ok(self.engine.get(key)?)
    }

    /// Every pair of the database. What changes while they are read may or may not be seen.
    pub(crate) fn pairs(&self) -> Result<Pairs, DiskError> {
        self.pairs_from(&[])
    }

    /// The pairs from a key on.
    pub(crate) fn pairs_from(&self, key: &[u8]) -> Result<Pairs, DiskError> {
        Ok(self.engine.range(key)?)
    }

    /// The write-ahead log.
    pub(crate) fn log(&self) -> MutexGuard<'_, Segments> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder.
    pub(crate) fn room(&self) -> &Room {
        &self.room
    }

    /// The rows of the log from a row on, in order.
    pub(crate) fn rows(&self, from: u64) -> Result<Rows, DiskError> {
        Ok(Rows { parts: self.engine.range(&key::row(from))? })
    }

    /// The number of the last row of the log; zero if it is empty.
    pub(crate) fn last_row(&self) -> Result<u64, DiskError> {
        Ok(last_row_of(self.engine.as_ref())?)
    }

    /// The names of streams with a snapshot, in their order, from these first bytes on.
    pub(crate) fn snapshots(
        &self,
        from: [u8; 8],
        limit: usize,
    ) -> Result<Vec<StreamName>, DiskError> {
        let first = [key::SNAPSHOT, from.as_slice()].concat();
        let mut names = Vec::new();
        for pair in self.engine.range(&first)? {
            let (key, _) = pair?;
            let Some(rest) = key.strip_prefix(key::SNAPSHOT) else { break };
            let mut fields = Fields(rest);
            let name = StreamName(fields.array().ok_or(Damaged("a snapshot without a name"))?);
            if names.last() == Some(&name) {
                continue;
            }
            if names.len() == limit {
                break;
            }
            names.push(name);
        }
        Ok(names)
    }

    /// Makes the batch durable, all of it or nothing. Only after this may anyone be answered.
    pub(crate) fn commit(&self, batch: &Batch) -> Result<(), DiskError> {
        let mut log = self.log();
        if !log.has_room(batch) {
            self.engine.flush()?;
            log.rotate()?;
        }
        log.append(batch)?;
        Ok(self.engine.apply(batch.changes())?)
    }

    /// Has the engine keep by itself what the write-ahead log holds.
    pub(crate) fn flush(&self) -> Result<(), DiskError> {
        let mut log = self.log();
        self.engine.flush()?;
        Ok(log.note_settled()?)
    }

    /// Has the engine give back a little of the memory that it holds beyond its cache. False at the end of a
    /// round.
    pub(crate) fn settle(&self) -> Result<bool, DiskError> {
        Ok(guarded(|| self.engine.settle())?)
    }

    /// Gives up what of the write-ahead log was written before this time, because it holds what has
    /// expired. The database has all that is to be kept.
    pub(crate) fn expire_log(&self, before: SystemTime) -> Result<(), DiskError> {
        let mut log = self.log();
        if log.began() < before {
            self.engine.flush()?;
            log.leave()?;
        }
        Ok(log.expire(before)?)
    }

    /// Notes that the log was acknowledged up to this row.
    pub(crate) fn set_mark(&self, row: u64) -> io::Result<()> {
        self.mark.set(row)
    }

    /// The row noted last; zero if there is no readable note.
    pub(crate) fn mark(&self) -> u64 {
        self.mark.get()
    }

    /// Adds a value of any size to the batch, in place of the one before.
    pub(crate) fn replace(
        &self,
        batch: &mut Batch,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), DiskError> {
        let parts = put_parts(batch, key, value);
        let end = part_key(key, u32::MAX);
        for stale in self.engine.range(&part_key(key, parts))? {
            let (stale, _) = stale?;
            if end < stale {
                break;
            }
            batch.remove(&stale);
        }
        Ok(())
    }

    /// Reads a value written in parts.
    pub(crate) fn get_parts(&self, key: &[u8]) -> Result<Option<Vec<u8>>, DiskError> {
        let Some(first) = self.get(&part_key(key, 0))? else { return Ok(None) };
        let total = total_len(&first)?;
        let mut value = first.get(4..).unwrap_or_default().to_vec();
        for part in 1..parts_len(total) {
            let part = self.get(&part_key(key, part))?;
            value.extend_from_slice(&part.ok_or(Damaged("a value with a part missing"))?);
        }
        if value.len() == total {
            Ok(Some(value))
        } else {
            Err(Damaged("a value cut short").into())
        }
    }

    /// The file of accepted parts; made if it is missing.
    pub(crate) fn accepted_file(&self) -> io::Result<File> {
        open_private(&self.room.root.join("accepted"))
    }

    /// The bytes of all files in the folder.
    pub(crate) fn size(&self) -> io::Result<u64> {
        size_of(&self.room.root)
    }

    /// Closes the database and keeps the folder.
    pub(crate) fn close(self) -> Room {
        self.room
    }

    /// Takes every right from others. Engines make files with the rights that the umask leaves.
    pub(crate) fn make_private(&self) -> io::Result<()> {
        visit(&self.room.root, &mut |path, about| {
            let mode = if about.is_dir() { 0o700 } else { 0o600 };
            if about.permissions().mode() & 0o777 == mode {
                return Ok(());
            }
            fs::set_permissions(path, Permissions::from_mode(mode))
        })
    }
}

/// Refuses a folder that another engine has written.
fn check_engine(room: &Room, asked: EngineKind) -> Result<(), DiskOpenError> {
    match EngineKind::of(&room.engine()) {
        Some(found) if found != asked => Err(DiskOpenError::OtherEngine { found, asked }),
        Some(_) | None => Ok(()),
    }
}

/// Opens the database and repeats on it what it had not synced before the last end.
fn open_engine(room: &Room, config: &StoreConfig) -> Result<(Box<dyn Engine>, Found), EngineError> {
    let engine = config.engine.open(&room.engine(), config.cache_bytes)?;
    let older = room.root.join("wal");
    let mut repeated = 0;
    if older.exists() {
        // A store of format 1 had one file in place of the segments.
        let log = open_private(&older)?;
        repeated = guarded(|| wal::replay(&log, |changes| engine.apply(changes)))?;
    }
    let found = segments::look(&room.segments())?;
    for batch in &found.pending {
        guarded(|| engine.apply(batch.changes()))?;
    }
    if 0 < repeated || !found.pending.is_empty() {
        guarded(|| engine.flush())?;
    }
    if older.exists() {
        fs::remove_file(older)?;
    }
    Ok((engine, found))
}

/// The number of the last row of the log; zero if it is empty.
pub(crate) fn last_row_of(engine: &dyn Engine) -> Result<u64, EngineError> {
    match engine.last_key(key::LOG)? {
        None => Ok(0),
        Some(key) => match row_part(&key) {
            Ok((row, _)) => Ok(row),
            Err(damaged) => Err(EngineError::Corrupt(damaged.to_string())),
        },
    }
}

/// Reads the parts of the log's rows together again.
pub(crate) struct Rows {
    parts: Pairs,
}

impl Rows {
    fn part(&mut self) -> Result<Option<(u64, u32, Vec<u8>)>, DiskError> {
        let Some((key, part)) = self.parts.next().transpose()? else { return Ok(None) };
        let (row, number) = row_part(&key)?;
        Ok(Some((row, number, part)))
    }

    /// The next row and its number.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Vec<u8>)>, DiskError> {
        let Some((row, part, first)) = self.part()? else { return Ok(None) };
        if part != 0 {
            return Err(Damaged("a row with a part missing").into());
        }
        let total = total_len(&first)?;
        let mut value = first.get(4..).unwrap_or_default().to_vec();
        for expected in 1..parts_len(total) {
            match self.part()? {
                Some((same, part, bytes)) if (same, part) == (row, expected) => {
                    value.extend_from_slice(&bytes);
                }
                Some(_) | None => return Err(Damaged("a row with a part missing").into()),
            }
        }
        if value.len() == total {
            Ok(Some((row, value)))
        } else {
            Err(Damaged("a row cut short").into())
        }
    }
}

/// The number of a row, and of the part, from a key of the log.
fn row_part(key: &[u8]) -> Result<(u64, u32), Damaged> {
    let mut fields = Fields(key.strip_prefix(key::LOG).unwrap_or_default());
    let row = fields.u64().zip(fields.u32());
    row.ok_or(Damaged("a key of the log that does not read"))
}

/// Adds a value to the batch, cut into parts after its length. Returns how many.
pub(crate) fn put_parts(batch: &mut Batch, key: &[u8], value: &[u8]) -> u32 {
    let total = u32::try_from(value.len()).expect("the writer refuses larger records");
    let framed = [&total.to_be_bytes(), value].concat();
    let mut parts = 0;
    for part in framed.chunks(PART_BYTES) {
        batch.insert(&part_key(key, parts), part);
        parts += 1;
    }
    parts
}

fn total_len(first: &[u8]) -> Result<usize, Damaged> {
    let total = first.first_chunk().map(|total| u32::from_be_bytes(*total));
    total.and_then(|total| usize::try_from(total).ok()).ok_or(Damaged("a value cut short"))
}

fn parts_len(total: usize) -> u32 {
    u32::try_from((total + 4).div_ceil(PART_BYTES)).unwrap_or(u32::MAX)
}

fn part_key(key: &[u8], part: u32) -> Vec<u8> {
    [key, &part.to_be_bytes()].concat()
}

/// The bytes of all files in a folder.
pub(crate) fn size_of(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    visit(folder, &mut |_, about| {
        bytes += about.len();
        Ok(())
    })?;
    Ok(bytes)
}

/// Files vanish while we look (sled removes its snapshots, segments are used again): that is not an error.
fn visit(
    folder: &Path,
    see: &mut impl FnMut(&Path, &fs::Metadata) -> io::Result<()>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let about = match fs::symlink_metadata(&path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        match see(&path, &about) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            seen => seen?,
        }
        if about.is_dir() {
            visit(&path, see)?;
        }
    }
    Ok(())
}

pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn keep_reserve(path: &Path, bytes: u64) -> io::Result<()> {
    if path.metadata().is_ok_and(|about| about.len() == bytes) {
        return Ok(());
    }
    let file = open_private(path)?;
    let filled = segments::fill(&file, bytes);
    if filled.is_err() {
        fs::remove_file(path)?;
    }
    filled
}
