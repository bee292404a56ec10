//! The store's folder: the sled database in it, the traps around opening it, and the durable write.
//!
//! Owns `lock` (one process only), `engine/` (sled), `wal` (what sled has not synced yet), `mark`
//! (how far the log was acknowledged) and `reserve` (room to give back when the disk is full).
//! sled's `flush` is not an fsync, so the database file is synced as well.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _, PermissionsExt as _},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};
use sled::IVec;
use tracing::warn;

use crate::{
    codec::Fields,
    record::{Damaged, StreamName},
    wal::{self, Batch, Changes, Wal},
};

/// The most that one value may hold. sled keeps up to about 20 values in a page, and writes a page
/// of more than 128 KiB to a file of its own that nobody syncs; so no page may become that large.
const PART_BYTES: usize = 6 * 1024;
const MARK_BYTES: usize = 12;
/// Room of the write-ahead log. When it is full, sled is flushed, which takes some milliseconds.
const WAL_BYTES: u64 = 8 << 20;

/// Keys of the database, one letter per kind of row. The log comes last: it grows at the end.
pub(crate) mod key {
    use crate::record::StreamName;

    pub(crate) const FORMAT: &[u8] = b"a-format";
    pub(crate) const KEY_CHECK: &[u8] = b"a-key-check";
    pub(crate) const KEYRING: &[u8] = b"a-keyring";
    /// The last row of format 1, in a ledger that was upgraded.
    pub(crate) const OLD_ROWS: &[u8] = b"a-old-rows";
    pub(crate) const LOG: &[u8] = b"z";

    pub(crate) fn checkpoint(slot: u8) -> Vec<u8> {
        vec![b'c', slot]
    }

    pub(crate) fn snapshot(stream: StreamName) -> Vec<u8> {
        [b"s", stream.0.as_slice()].concat()
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
    Engine(#[from] sled::Error),
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
    #[error("the system refused")]
    Io(#[from] io::Error),
}

/// The open folder.
pub(crate) struct Disk {
    db: sled::Db,
    file: EngineFile,
    /// Used by the writer alone.
    wal: Mutex<Wal>,
    mark: File,
    root: PathBuf,
    /// Held, not used: the lock ends with it. Dropped last, after the database.
    _lock: File,
}

impl Disk {
    pub(crate) fn open(
        root: &Path,
        cache_bytes: u64,
        reserve_bytes: u64,
    ) -> Result<Self, DiskOpenError> {
        fs::create_dir_all(root)?;
        fs::set_permissions(root, Permissions::from_mode(0o700))?;
        let lock = open_private(&root.join("lock"))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(DiskOpenError::Locked),
            Err(error) => return Err(DiskOpenError::Io(error.into())),
        }
        let engine = root.join("engine");
        let reserve = root.join("reserve");
        let log = open_private(&root.join("wal"))?;
        let open = || {
            let db = open_engine(&engine, cache_bytes)?;
            let file = File::open(engine.join("db")).map_err(EngineError::Io)?;
            repeat(db, EngineFile(file), &log)
        };
        let opened = match open() {
            Err(EngineError::Full(error)) if reserve.exists() => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "disk full: the reserve is released"
                );
                fs::remove_file(&reserve)?;
                await_release(&File::open(engine.join("db"))?);
                open()
            }
            opened => opened,
        };
        let (db, file) = opened.map_err(EngineError::into_open)?;
        if let Err(error) = keep_size(&log, WAL_BYTES) {
            // lost-ok: on a full disk each write says so itself, before anyone is answered.
            warn!(error = &error as &dyn std::error::Error, "no room for the write-ahead log");
        }
        let wal = Mutex::new(Wal::begin(log, WAL_BYTES)?);
        let mark = open_private(&root.join("mark"))?;
        let disk = Self { db, file, wal, mark, root: root.to_owned(), _lock: lock };
        disk.make_private()?;
        // The files themselves are synced by each commit; their names are synced here.
        for folder in [&engine, root] {
            File::open(folder)?.sync_all()?;
        }
        if let Err(error) = keep_reserve(&reserve, reserve_bytes) {
            // lost-ok: the reserve is a help for later; the next opening tries again.
            warn!(error = &error as &dyn std::error::Error, "no room for the reserve file");
        }
        Ok(disk)
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<IVec>, DiskError> {
        Ok(self.db.get(key)?)
    }

    /// The rows of the log from a row on, in order.
    pub(crate) fn rows(&self, from: u64) -> Rows {
        Rows { parts: self.db.range(key::row(from)..) }
    }

    /// The number of the last row of the log; zero if it is empty.
    pub(crate) fn last_row(&self) -> Result<u64, DiskError> {
        match self.db.range(key::LOG..).next_back().transpose()? {
            None => Ok(0),
            Some((key, _)) => Ok(row_part(&key)?.0),
        }
    }

    /// The names of streams with a snapshot, in their order, from these first bytes on.
    pub(crate) fn snapshots(
        &self,
        from: [u8; 8],
        limit: usize,
    ) -> Result<Vec<StreamName>, DiskError> {
        let first = [b"s", from.as_slice()].concat();
        let mut names = Vec::new();
        for key in self.db.range(first..b"t".to_vec()).keys() {
            let key = key?;
            let mut fields = Fields(key.get(1..).unwrap_or_default());
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
        let mut wal = self.wal.lock().unwrap_or_else(PoisonError::into_inner);
        if !wal.has_room(batch) {
            self.settle(&mut wal)?;
        }
        if wal.has_room(batch) {
            wal.append(batch)?;
            return Ok(make(&self.db, batch.changes())?);
        }
        // Larger than the log: sled takes it whole or not at all.
        let mut changes = sled::Batch::default();
        for (key, value) in batch.changes() {
            match value {
                Some(value) => changes.insert(key, value),
                None => changes.remove(key),
            }
        }
        self.db.apply_batch(changes)?;
        self.settle(&mut wal)
    }

    /// Has sled keep by itself what the write-ahead log holds, and empties the log.
    pub(crate) fn flush(&self) -> Result<(), DiskError> {
        self.settle(&mut self.wal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn settle(&self, wal: &mut Wal) -> Result<(), DiskError> {
        self.db.flush()?;
        self.file.0.sync_data()?;
        Ok(wal.clear()?)
    }

    /// Notes that the log was acknowledged up to this row. Not synced: it may fall behind in a
    /// power cut but is never ahead, so a log that ends earlier has lost something.
    pub(crate) fn set_mark(&self, row: u64) -> io::Result<()> {
        let number = row.to_be_bytes();
        let mut mark = [0; MARK_BYTES];
        mark[..8].copy_from_slice(&number);
        mark[8..].copy_from_slice(&crc32fast::hash(&number).to_be_bytes());
        self.mark.write_all_at(&mark, 0)
    }

    /// The row noted last; zero if there is no readable note.
    pub(crate) fn mark(&self) -> u64 {
        let mut mark = [0; MARK_BYTES];
        if self.mark.read_exact_at(&mut mark, 0).is_err() {
            return 0;
        }
        let [number @ .., a, b, c, d] = mark;
        let good = crc32fast::hash(&number) == u32::from_be_bytes([a, b, c, d]);
        if good { u64::from_be_bytes(number) } else { 0 }
    }

    /// Adds a value of any size to the batch, in place of the one before.
    pub(crate) fn replace(
        &self,
        batch: &mut Batch,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), DiskError> {
        let parts = put_parts(batch, key, value);
        for stale in self.db.range(part_key(key, parts)..=part_key(key, u32::MAX)).keys() {
            batch.remove(&stale?);
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
        open_private(&self.root.join("accepted"))
    }

    /// The bytes of all files in the folder.
    pub(crate) fn size(&self) -> io::Result<u64> {
        let mut bytes = 0;
        visit(&self.root, &mut |_, about| {
            bytes += about.len();
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Takes every right from others. sled makes files with the rights that the umask leaves.
    pub(crate) fn make_private(&self) -> io::Result<()> {
        visit(&self.root, &mut |path, about| {
            let mode = if about.is_dir() { 0o700 } else { 0o600 };
            if about.permissions().mode() & 0o777 == mode {
                return Ok(());
            }
            fs::set_permissions(path, Permissions::from_mode(mode))
        })
    }
}

/// Reads the parts of the log's rows together again.
pub(crate) struct Rows {
    parts: sled::Iter,
}

impl Rows {
    fn part(&mut self) -> Result<Option<(u64, u32, IVec)>, DiskError> {
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

/// Files vanish while we look (sled removes its snapshots): that is not an error.
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

fn open_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn keep_reserve(path: &Path, bytes: u64) -> io::Result<()> {
    if path.metadata().is_ok_and(|about| about.len() == bytes) {
        return Ok(());
    }
    let file = open_private(path)?;
    let filled = fill(&file, bytes);
    if filled.is_err() {
        fs::remove_file(path)?;
    }
    filled
}

/// Gives a file its size, if it has another. What it held is gone.
fn keep_size(file: &File, bytes: u64) -> io::Result<()> {
    if file.metadata()?.len() == bytes { Ok(()) } else { fill(file, bytes) }
}

/// Writes real bytes: a file with holes would hold no room.
fn fill(mut file: &File, bytes: u64) -> io::Result<()> {
    file.set_len(0)?;
    io::copy(&mut io::repeat(0).take(bytes), &mut file)?;
    file.sync_all()
}

// === sled, and what goes wrong when it opens. ===

enum EngineError {
    /// The database, or sled's own start-up snapshot, is not what was written.
    Corrupt(String),
    Full(io::Error),
    Locked,
    Io(io::Error),
}

impl EngineError {
    fn of_io(error: io::Error) -> Self {
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

    fn into_open(self) -> DiskOpenError {
        match self {
            Self::Corrupt(what) => DiskOpenError::Corrupt(what),
            Self::Full(error) | Self::Io(error) => DiskOpenError::Io(error),
            Self::Locked => DiskOpenError::Locked,
        }
    }
}

/// Opens sled. A start-up snapshot that was cut short is removed before; if the database does not
/// open, the snapshots are moved aside once, because the log alone rebuilds the same state.
fn open_engine(engine: &Path, cache_bytes: u64) -> Result<sled::Db, EngineError> {
    let half_made = |name: &str| name.starts_with("snap.") && name.ends_with(".generating");
    for path in files_named(engine, half_made).map_err(EngineError::Io)? {
        fs::remove_file(path).map_err(EngineError::Io)?;
    }
    let first = match try_open(engine, cache_bytes) {
        Err(EngineError::Corrupt(what)) => what,
        opened => return opened,
    };
    let snapshots = files_named(engine, |name| name.starts_with("snap."));
    let snapshots = snapshots.map_err(EngineError::Io)?;
    if snapshots.is_empty() {
        return Err(EngineError::Corrupt(first));
    }
    for snapshot in &snapshots {
        let name = snapshot.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let aside = engine.with_file_name(format!("set-aside.{name}"));
        fs::rename(snapshot, aside).map_err(EngineError::Io)?;
    }
    warn!("the engine's start-up snapshot was damaged and is set aside; the log rebuilds it");
    await_release(&File::open(engine.join("db")).map_err(EngineError::Io)?);
    try_open(engine, cache_bytes)
}

/// Makes changes that the write-ahead log holds: it is what makes them all or nothing.
fn make(db: &sled::Db, changes: Changes<'_>) -> sled::Result<()> {
    for (key, value) in changes {
        match value {
            Some(value) => db.insert(key, value)?,
            None => db.remove(key)?,
        };
    }
    Ok(())
}

/// Repeats on the engine what it had not synced before the last end, and syncs it.
fn repeat(
    db: sled::Db,
    file: EngineFile,
    log: &File,
) -> Result<(sled::Db, EngineFile), EngineError> {
    let groups = guarded(|| wal::replay(log, |changes| make(&db, changes)))?;
    if 0 < groups {
        guarded(|| db.flush())?;
        file.0.sync_data().map_err(EngineError::of_io)?;
    }
    Ok((db, file))
}

fn try_open(engine: &Path, cache_bytes: u64) -> Result<sled::Db, EngineError> {
    let config = sled::Config::new()
        .path(engine)
        .cache_capacity(cache_bytes)
        .flush_every_ms(None)
        .mode(sled::Mode::HighThroughput);
    guarded(|| config.open())
}

/// sled asserts what it reads from disk, so damage may also come as a panic.
fn guarded<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, EngineError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(sled::Error::Io(error))) => Err(EngineError::of_io(error)),
        Ok(Err(
            error @ (sled::Error::CollectionNotFound(_)
            | sled::Error::Unsupported(_)
            | sled::Error::ReportableBug(_)
            | sled::Error::Corruption { .. }),
        )) => Err(EngineError::Corrupt(error.to_string())),
        Err(_) => Err(EngineError::Corrupt("the engine panicked on what it read".to_owned())),
    }
}

/// The database file. Dropped after the database, it waits until sled has let go of the file.
struct EngineFile(File);

impl Drop for EngineFile {
    fn drop(&mut self) {
        await_release(&self.0);
    }
}

/// sled's own threads hold its lock for a moment after the database is dropped or failed to open;
/// whoever opens it then is refused. We hold the folder's lock, so nobody else can have it.
fn await_release(file: &File) {
    const STEP: Duration = Duration::from_millis(1);
    const STEPS_MAX: u32 = 5_000;
    for _ in 0..STEPS_MAX {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                if let Err(error) = flock(file, FlockOperation::Unlock) {
                    warn!(error = &error as &dyn std::error::Error, "cannot unlock the database");
                }
                return;
            }
            Err(_held) => std::thread::park_timeout(STEP),
        }
    }
    warn!("the engine still holds its file; opening it again in this process may be refused");
}

fn files_named(folder: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&wanted) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
