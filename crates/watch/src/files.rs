//! Log files, sealed: written frame by frame, rotated by day and size, kept by age and total size.
//!
//! ```text
//! file  = magic (8) · id (16) · frames
//! frame = length u32 · sealed lines
//! ```
//!
//! Each run begins a file of its own, so that a frame that a kill has torn is the last of its file
//! and costs nothing behind it. A frame is sealed and written as soon as the log's queue is empty,
//! or when much waits. Lines wait in memory until the key is there: the first of a run are logged
//! before the keyring is open.
//!
//! Files are called `guildhall-2026-11-26T081500.123Z.log` (UTC) and have mode 0600; the folder is
//! created with mode 0700. A folder that exists keeps its mode: whoever made it decided.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use protocol::{
    Clock,
    frames::{FileId, FrameSeal},
};
use tracing::warn;

pub(crate) const PREFIX: &str = "guildhall-";
pub(crate) const SUFFIX: &str = ".log";
/// What files of earlier versions end with: lines in the clear, one file a day.
pub(crate) const OLD_SUFFIX: &str = ".ndjson";
pub(crate) const MAGIC: &[u8; 8] = b"GHLOG\0\0\x01";
pub(crate) const HEAD_BYTES: usize = 8 + 16;
/// A frame is closed once it is this long.
const FRAME_BYTES: usize = 64 << 10;
/// The longest frame that is read.
pub(crate) const FRAME_BYTES_MAX: usize = 4 << 20;
/// What may wait for the key.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// The key, once it is there.
pub(crate) type Sealing = Arc<OnceLock<Arc<dyn FrameSeal>>>;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keep {
    /// Files of more than so many days ago go.
    pub(crate) days: u16,
    /// A file that would grow beyond this is followed by another.
    pub(crate) file_bytes_max: u64,
    /// The oldest go while all together are larger.
    pub(crate) total_bytes_max: u64,
}

/// Writes the log files of one run.
pub(crate) struct SealedFiles {
    dir: PathBuf,
    keep: Keep,
    clock: Arc<dyn Clock>,
    sealing: Sealing,
    waiting: Vec<u8>,
    page: Option<Page>,
    /// Lines that the disk refused.
    lost: Arc<AtomicU64>,
}

/// The file that is being written.
struct Page {
    date: Date,
    path: PathBuf,
    file: File,
    id: FileId,
    frames: u64,
    bytes: u64,
}

impl SealedFiles {
    /// Makes the folder ready and deletes old files. `lost` counts lines that are lost later.
    ///
    /// # Errors
    /// If the folder cannot be made, read or written to.
    pub(crate) fn open(
        dir: PathBuf,
        keep: Keep,
        clock: Arc<dyn Clock>,
        sealing: Sealing,
        lost: Arc<AtomicU64>,
    ) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let files = Self { dir, keep, clock, sealing, waiting: Vec::new(), page: None, lost };
        files.expire(date(&*files.clock)?)?;
        // A folder that takes no file is told at the start.
        let probe = files.dir.join(".guildhall-probe");
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&probe)?;
        fs::remove_file(&probe)?;
        Ok(files)
    }

    /// Seals what waits, and writes it.
    fn write_frame(&mut self, seal: &Arc<dyn FrameSeal>) -> io::Result<()> {
        let now = date(&*self.clock)?;
        let length = (self.waiting.len() + 64) as u64;
        let is_over = |it: &Page| it.date != now || self.keep.file_bytes_max < it.bytes + length;
        if self.page.as_ref().is_some_and(is_over) {
            self.page = None;
        }
        let page = match self.page.take() {
            Some(page) => page,
            None => {
                let page = Page::open(&self.dir, &*self.clock, &**seal)?;
                if let Err(error) = self.expire(now) {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        event.action = "log_expiry",
                        event.outcome = "failure",
                        "old log files cannot be deleted"
                    );
                }
                page
            }
        };
        // A page on which a write fails is not gone on with: its last frame may be torn.
        self.page = Some(page.with(&**seal, &self.waiting)?);
        Ok(())
    }

    /// Deletes what is too old, and the oldest of what is too much. The file being written stays.
    fn expire(&self, today: Date) -> io::Result<()> {
        let days = i64::from(self.keep.days).days();
        let oldest = today.checked_sub(days).map_err(io::Error::other)?;
        let own = self.page.as_ref().map(|it| it.path.clone());
        let mut kept = Vec::new();
        for path in log_files(&self.dir)? {
            if date_of(&path).is_some_and(|date| date < oldest) {
                fs::remove_file(&path)?;
            } else {
                kept.push((fs::metadata(&path)?.len(), path));
            }
        }
        let mut total: u64 = kept.iter().map(|(bytes, _)| bytes).sum();
        // The newest may be the one that is being made.
        kept.pop();
        for (bytes, path) in kept {
            if total <= self.keep.total_bytes_max {
                break;
            }
            if Some(&path) != own.as_ref() {
                fs::remove_file(&path)?;
                total -= bytes;
            }
        }
        Ok(())
    }
}

impl Write for SealedFiles {
    /// Takes a whole line or nothing.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if WAITING_BYTES_MAX < self.waiting.len() + line.len() {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        self.waiting.extend_from_slice(line);
        if FRAME_BYTES <= self.waiting.len() {
            self.flush()?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(seal) = self.sealing.get().map(Arc::clone) else { return Ok(()) };
        if self.waiting.is_empty() {
            return Ok(());
        }
        if self.write_frame(&seal).is_err() {
            let lines = self.waiting.iter().filter(|it| **it == b'\n').count();
            self.lost.fetch_add(lines as u64, Relaxed);
        }
        self.waiting.clear();
        Ok(())
    }
}

impl Page {
    fn open(dir: &Path, clock: &dyn Clock, seal: &dyn FrameSeal) -> io::Result<Self> {
        let now = moment(clock)?;
        let stem = format!("{PREFIX}{}", now.strftime("%Y-%m-%dT%H%M%S%.3fZ"));
        let id = seal.new_file().map_err(io::Error::other)?;
        let (path, mut file) = new_file(dir, &stem)?;
        file.write_all(&[MAGIC.as_slice(), &id].concat())?;
        let date = now.to_zoned(TimeZone::UTC).date();
        Ok(Self { date, path, file, id, frames: 0, bytes: HEAD_BYTES as u64 })
    }

    /// The page with a frame more.
    fn with(mut self, seal: &dyn FrameSeal, lines: &[u8]) -> io::Result<Self> {
        let frame = seal.seal(&self.id, self.frames, lines).map_err(io::Error::other)?;
        let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
        let written = [length.to_be_bytes().as_slice(), &frame].concat();
        self.file.write_all(&written)?;
        self.frames += 1;
        self.bytes += written.len() as u64;
        Ok(self)
    }
}

/// A file that was not there, named after the time; two of one millisecond are numbered.
fn new_file(dir: &Path, stem: &str) -> io::Result<(PathBuf, File)> {
    for number in 0..100 {
        let name = match number {
            0 => format!("{stem}{SUFFIX}"),
            // Behind the first in the order of names.
            number => format!("{stem}_{number:02}{SUFFIX}"),
        };
        let path = dir.join(name);
        match OpenOptions::new().create_new(true).append(true).mode(0o600).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return Ok((path, opened?)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn moment(clock: &dyn Clock) -> io::Result<jiff::Timestamp> {
    let now = i64::try_from(clock.now().0).map_err(io::Error::other)?;
    jiff::Timestamp::from_millisecond(now).map_err(io::Error::other)
}

fn date(clock: &dyn Clock) -> io::Result<Date> {
    Ok(moment(clock)?.to_zoned(TimeZone::UTC).date())
}

/// The log files in a folder, in the order of their names, which is that of time.
pub(crate) fn log_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if date_of(&path).is_some() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The day in a log file's name; `None` for what is none of ours.
fn date_of(path: &Path) -> Option<Date> {
    let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    name.strip_suffix(SUFFIX).or_else(|| name.strip_suffix(OLD_SUFFIX))?;
    name.get(..10)?.parse().ok()
}

#[cfg(test)]
pub(crate) mod tests;
