//! The write-ahead log as numbered files, and the way to read it back.
//!
//! A group of changes is durable once it stands here, whole; the engine gets it at the same time and
//! is flushed only when a segment is full, which costs one fsync a group instead of several. A full
//! segment is not thrown away: together with a backup, the segments since then are everything that
//! was ever acknowledged, so a store whose engine does not open again can be built anew.
//!
//! Batches are numbered without a gap over all segments. Number 1 is the first batch of an empty
//! store, so segments that begin with it need no backup. A segment is a header (`magic · history ·
//! epoch · first number · crc32`) and frames (see `wal`); its file has its full size from the
//! beginning, because appending within a file needs no second write for its length. A used file may
//! be taken again: its old frames are of another epoch. The history is the same for all segments
//! whose numbers go on from each other; a restored store begins another one.
//!
//! The scheme is the classic redo log (Mohan et al., "ARIES", 1992) without undo: a group is atomic,
//! and repeating it changes nothing.
//!
//! Invariants: WAL-1 `append` returns only after the frame is synced. WAL-2 a segment is left, and an
//! empty frame says that all before it is in the engine, only after the engine has synced it.
//! WAL-3 a segment that a backup is reading, or the newest, is never removed. WAL-4 a segment outlives
//! the shortest time for which something in it is kept by no more than that time again.

use std::{
    fmt,
    fs::{self, File},
    io::{self, BufReader, Read as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use bytes::BufMut as _;
use tracing::{debug, warn};

use crate::{
    codec::Fields,
    power,
    wal::{self, Batch},
};

const MAGIC: &[u8; 8] = b"GHSEGM01";
/// Magic, history, epoch, first number, checksum, and room for more.
const HEAD_BYTES: usize = 64;
/// The number of the first batch of a store that was made empty.
pub(crate) const FIRST: u64 = 1;

/// How much room the segments take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentLimits {
    /// Size of one.
    pub(crate) segment_bytes: u64,
    /// Beyond this the oldest go, covered by a backup or not.
    pub(crate) total_bytes_max: u64,
}

/// Numbers go on from each other within one history.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct History(pub(crate) [u8; 16]);

impl History {
    fn begin() -> io::Result<Self> {
        let mut history = [0; 16];
        getrandom::fill(&mut history).map_err(io::Error::other)?;
        Ok(Self(history))
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[derive(Clone, Copy, Debug)]
struct Head {
    history: History,
    epoch: u64,
    first: u64,
}

impl Head {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + wal::HEADER_BYTES);
        bytes.put_slice(MAGIC);
        bytes.put_slice(&self.history.0);
        bytes.put_u64(self.epoch);
        bytes.put_u64(self.first);
        bytes.put_u32(crc32fast::hash(&bytes));
        // The first frame's header with it, so that none is there.
        bytes.resize(HEAD_BYTES + wal::HEADER_BYTES, 0);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let checked = fields.take(8 + 16 + 8 + 8)?;
        if fields.u32()? != crc32fast::hash(checked) {
            return None;
        }
        let mut fields = Fields(checked.strip_prefix(MAGIC)?);
        let history = History(fields.array()?);
        Some(Self { history, epoch: fields.u64()?, first: fields.u64()? })
    }
}

/// A segment's file.
#[derive(Clone, Debug)]
struct Segment {
    first: u64,
    path: PathBuf,
    bytes: u64,
}

fn path_of(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.log"))
}

/// The segments of a folder, oldest first.
fn list(folder: &Path) -> io::Result<Vec<Segment>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let first = name.strip_suffix(".log").and_then(|number| number.parse().ok());
        let Some(first) = first else { continue };
        match fs::metadata(&path) {
            Ok(about) => found.push(Segment { first, path, bytes: about.len() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by_key(|it| it.first);
    Ok(found)
}

/// The frames of one segment, in order, up to the first that is not whole.
struct Frames {
    head: Head,
    reader: BufReader<File>,
    left: u64,
    next: u64,
    /// Bytes up to the end of the last frame.
    used: u64,
}

impl Frames {
    /// `None` if the head does not read.
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut reader = BufReader::new(file);
        let mut head = [0; HEAD_BYTES];
        match reader.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let Some(head) = Head::read(&head) else { return Ok(None) };
        let used = HEAD_BYTES as u64;
        Ok(Some(Self { head, reader, left: bytes - used, next: head.first, used }))
    }

    fn next(&mut self) -> io::Result<Option<(u64, Batch)>> {
        let before = self.left;
        let Some(frame) = wal::read_frame(&mut self.reader, &mut self.left)? else {
            return Ok(None);
        };
        match wal::open_frame(&frame, self.next) {
            Some((epoch, changes)) if epoch == self.head.epoch => {
                let batch = Batch::from_bytes(changes.into_bytes().to_vec());
                let number = self.next;
                self.next += 1;
                self.used += before - self.left;
                Ok(Some((number, batch)))
            }
            Some(_) | None => {
                self.left = 0;
                Ok(None)
            }
        }
    }
}

/// What is there when a store is opened.
pub(crate) struct Found {
    /// Batches that the engine may lack, in order.
    pub(crate) pending: Vec<Batch>,
    newest: Option<Newest>,
}

struct Newest {
    segment: Segment,
    /// `None` if its head does not read.
    frames: Option<Frames>,
}

/// Reads the newest segment: all older ones are in the engine (WAL-2).
pub(crate) fn look(folder: &Path) -> io::Result<Found> {
    let mut pending = Vec::new();
    let Some(segment) = list(folder)?.pop() else { return Ok(Found { pending, newest: None }) };
    let mut frames = Frames::open(&segment.path)?;
    if let Some(frames) = &mut frames {
        while let Some((_, batch)) = frames.next()? {
            if batch.is_empty() {
                pending.clear();
            } else {
                pending.push(batch);
            }
        }
    }
    Ok(Found { pending, newest: Some(Newest { segment, frames }) })
}

/// The open log.
pub(crate) struct Segments {
    folder: PathBuf,
    limits: SegmentLimits,
    history: History,
    file: File,
    path: PathBuf,
    first: u64,
    epoch: u64,
    /// When it was begun.
    began: SystemTime,
    at: u64,
    next: u64,
    /// The last number that a verified backup holds.
    covered: u64,
    /// The first number that a running backup still needs.
    held: Option<u64>,
}

impl Segments {
    /// Goes on behind what was found, which must be in the engine, synced. `is_empty` says whether
    /// the engine has never held anything.
    pub(crate) fn begin(
        folder: &Path,
        limits: SegmentLimits,
        found: Found,
        is_empty: bool,
    ) -> io::Result<Self> {
        let (history, next) = match found.newest {
            None => (History::begin()?, if is_empty { FIRST } else { FIRST + 1 }),
            Some(Newest { segment, frames: Some(frames) }) => {
                if frames.next == frames.head.first {
                    fs::remove_file(&segment.path)?;
                } else {
                    File::options().write(true).open(&segment.path)?.set_len(frames.used)?;
                }
                (frames.head.history, frames.next)
            }
            Some(Newest { segment, frames: None }) => {
                warn!("the newest segment of the log does not read; a new history begins");
                (History::begin()?, segment.first + 1)
            }
        };
        Self::begin_at(folder, limits, history, next)
    }

    /// A log that begins with this number in a history of its own.
    pub(crate) fn begin_anew(folder: &Path, limits: SegmentLimits, next: u64) -> io::Result<Self> {
        Self::begin_at(folder, limits, History::begin()?, next)
    }

    fn begin_at(
        folder: &Path,
        limits: SegmentLimits,
        history: History,
        next: u64,
    ) -> io::Result<Self> {
        let path = path_of(folder, next);
        let head = Head { history, epoch: epoch()?, first: next };
        let file = make(folder, &path, limits.segment_bytes, head, None)?;
        let began = file.metadata()?.modified()?;
        Ok(Self {
            folder: folder.to_owned(),
            limits,
            history,
            file,
            path,
            first: next,
            epoch: head.epoch,
            began,
            at: HEAD_BYTES as u64,
            next,
            covered: 0,
            held: None,
        })
    }

    pub(crate) fn history(&self) -> History {
        self.history
    }

    /// The number of the last batch.
    pub(crate) fn last(&self) -> u64 {
        self.next - 1
    }

    /// Whether the batch finds room. One that is too large for any segment finds it in an empty one.
    pub(crate) fn has_room(&self, batch: &Batch) -> bool {
        let end = self.at + batch.frame_bytes() as u64;
        self.next == self.first || end <= self.limits.segment_bytes
    }

    /// Writes the batch and syncs it: WAL-1. There must be room. After an error the log must not be
    /// used again: nobody knows what it holds.
    pub(crate) fn append(&mut self, batch: &Batch) -> io::Result<()> {
        let frame = wal::frame(self.epoch, self.next, batch)?;
        self.file.write_all_at(&frame, self.at)?;
        power::sync_data(&self.file, &self.path)?;
        self.at += frame.len() as u64;
        self.next += 1;
        Ok(())
    }

    /// Notes that the engine has synced everything: WAL-2 is the caller's to keep.
    pub(crate) fn note_settled(&mut self) -> io::Result<()> {
        let note = Batch::default();
        if self.next == self.first || !self.has_room(&note) { Ok(()) } else { self.append(&note) }
    }

    /// Begins the next segment: WAL-2 is the caller's to keep.
    pub(crate) fn rotate(&mut self) -> io::Result<()> {
        let head = Head { history: self.history, epoch: epoch()?, first: self.next };
        let path = path_of(&self.folder, self.next);
        let spare = self.prune()?;
        let made = make(&self.folder, &path, self.limits.segment_bytes, head, spare);
        self.file = match made {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                let Some(oldest) = self.oldest_removable()? else { return Err(error) };
                warn!("disk full: the oldest segment of the log is given up for the next");
                make(&self.folder, &path, self.limits.segment_bytes, head, Some(oldest))?
            }
            made => made?,
        };
        self.path = path;
        self.first = self.next;
        self.epoch = head.epoch;
        self.began = self.file.metadata()?.modified()?;
        self.at = HEAD_BYTES as u64;
        Ok(())
    }

    /// When the present segment was begun.
    pub(crate) fn began(&self) -> SystemTime {
        self.began
    }

    /// Leaves a segment that is not full, and cuts off what an earlier use has left behind its end.
    /// WAL-2 is the caller's to keep.
    pub(crate) fn leave(&mut self) -> io::Result<()> {
        if self.next == self.first {
            return Ok(());
        }
        self.file.set_len(self.at)?;
        self.rotate()
    }

    /// Removes the segments that were last written before this time, covered by a backup or not:
    /// what they say has expired.
    pub(crate) fn expire(&self, before: SystemTime) -> io::Result<()> {
        let segments = list(&self.folder)?;
        for (it, next) in segments.iter().zip(segments.iter().skip(1)) {
            if self.is_held(next.first) || before <= fs::metadata(&it.path)?.modified()? {
                break;
            }
            debug!(first = it.first, "a segment of the log has expired");
            fs::remove_file(&it.path)?;
        }
        Ok(())
    }

    /// A verified backup holds everything up to this number.
    pub(crate) fn cover(&mut self, last: u64) {
        self.covered = self.covered.max(last);
    }

    /// Keeps every segment from this number on until it is released: WAL-3.
    pub(crate) fn hold(&mut self, from: Option<u64>) {
        self.held = from;
    }

    /// Bytes of segments that no backup covers.
    pub(crate) fn uncovered_bytes(&self) -> io::Result<u64> {
        let segments = list(&self.folder)?;
        let next_firsts = segments.iter().skip(1).map(|it| it.first).chain([u64::MAX]);
        let uncovered =
            segments.iter().zip(next_firsts).filter(|(_, next)| self.covered + 1 < *next);
        let full: u64 =
            uncovered.map(|(it, _)| if it.first == self.first { 0 } else { it.bytes }).sum();
        Ok(full + if self.covered < self.last() { self.at } else { 0 })
    }

    /// Removes segments that nobody needs; one of them is returned instead, to be used again.
    fn prune(&self) -> io::Result<Option<PathBuf>> {
        let segments = list(&self.folder)?;
        let mut total: u64 = segments.iter().map(|it| it.bytes).sum();
        let mut spare = None;
        for (it, next) in segments.iter().zip(segments.iter().skip(1)) {
            let is_needed = self.covered + 1 < next.first && total <= self.limits.total_bytes_max;
            if is_needed || self.is_held(next.first) {
                break;
            }
            debug!(first = it.first, "a segment of the log is no longer needed");
            total -= it.bytes;
            match &spare {
                None if it.bytes == self.limits.segment_bytes => spare = Some(it.path.clone()),
                Some(_) | None => fs::remove_file(&it.path)?,
            }
        }
        Ok(spare)
    }

    /// Whether a segment that ends before `next` holds something that a running backup needs.
    fn is_held(&self, next: u64) -> bool {
        self.held.is_some_and(|held| held < next)
    }

    fn oldest_removable(&self) -> io::Result<Option<PathBuf>> {
        let segments = list(&self.folder)?;
        let [oldest, next, ..] = segments.as_slice() else { return Ok(None) };
        let is_free = !self.is_held(next.first) && oldest.first != self.first;
        Ok(is_free.then(|| oldest.path.clone()))
    }
}

fn epoch() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::other)
}

/// Makes a segment under another name, so that it is there whole or not at all.
fn make(
    folder: &Path,
    path: &Path,
    bytes: u64,
    head: Head,
    spare: Option<PathBuf>,
) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let unnamed = folder.join("next");
    if let Some(spare) = spare {
        fs::rename(spare, &unnamed)?;
    }
    let mut options = File::options();
    let file =
        options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&unnamed)?;
    if file.metadata()?.len() != bytes
        && let Err(error) = fill(&file, bytes)
    {
        fs::remove_file(&unnamed)?;
        return Err(error);
    }
    file.write_all_at(&head.bytes(), 0)?;
    power::sync_data(&file, &unnamed)?;
    fs::rename(&unnamed, path)?;
    power::sync_folder(folder)?;
    Ok(file)
}

/// Writes real bytes: a file with holes would hold no room.
pub(crate) fn fill(mut file: &File, bytes: u64) -> io::Result<()> {
    file.set_len(0)?;
    io::copy(&mut io::repeat(0).take(bytes), &mut file)?;
    file.sync_all()
}

// === Reading what is kept: for backups, and for building a store anew. ===

/// Batches in order from a number on, over segments of one history.
pub(crate) struct Trail {
    frames: Frames,
    rest: std::vec::IntoIter<Segment>,
    end: u64,
    from: u64,
}

/// The history that goes on in a folder, with the first number of an unbroken row of segments.
pub(crate) fn kept(folder: &Path) -> io::Result<Option<(History, u64)>> {
    let mut kept: Option<(History, u64)> = None;
    let mut expected = 0;
    for segment in list(folder)?.iter().rev() {
        let Some(mut frames) = Frames::open(&segment.path)? else { break };
        if let Some((history, _)) = kept {
            if frames.head.history != history {
                break;
            }
            while frames.next < expected && frames.next()?.is_some() {}
            if frames.next != expected {
                break;
            }
        }
        expected = segment.first;
        kept = Some((frames.head.history, segment.first));
    }
    Ok(kept)
}

/// The first number of the newest segment; zero if there is none.
pub(crate) fn newest(folder: &Path) -> io::Result<u64> {
    Ok(list(folder)?.last().map_or(0, |it| it.first))
}

impl Trail {
    /// `None` if that number is not there.
    pub(crate) fn open(folder: &Path, history: History, from: u64) -> io::Result<Option<Self>> {
        let segments = list(folder)?;
        let at = segments.partition_point(|it| it.first <= from);
        let Some(at) = at.checked_sub(1) else { return Ok(None) };
        let mut rest = segments.into_iter();
        let Some(segment) = rest.nth(at) else { return Ok(None) };
        let Some(frames) = Frames::open(&segment.path)? else { return Ok(None) };
        if frames.head.history != history || frames.head.first != segment.first {
            return Ok(None);
        }
        let end = rest.as_slice().first().map_or(u64::MAX, |it| it.first);
        let mut trail = Self { frames, rest, end, from };
        while trail.frames.next < from {
            if trail.frames.next()?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(trail))
    }

    /// The next batch and its number; `None` where the row of whole batches ends.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Batch)>> {
        loop {
            if self.frames.next < self.end
                && let Some(found) = self.frames.next()?
            {
                debug_assert!(self.from <= found.0, "earlier ones were skipped");
                return Ok(Some(found));
            }
            let Some(segment) = self.rest.next() else { return Ok(None) };
            let Some(frames) = Frames::open(&segment.path)? else { return Ok(None) };
            let goes_on = frames.head.history == self.frames.head.history
                && frames.head.first == self.frames.next;
            if !goes_on {
                return Ok(None);
            }
            self.frames = frames;
            self.end = self.rest.as_slice().first().map_or(u64::MAX, |it| it.first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SegmentLimits = SegmentLimits { segment_bytes: 1024, total_bytes_max: 8 * 1024 };

    fn batch(value: u64) -> Batch {
        let mut batch = Batch::default();
        batch.insert(b"key", &[value.to_be_bytes(), [7; 8]].concat());
        batch
    }

    fn value(batch: &Batch) -> u64 {
        let (_, value) = batch.changes().next().unwrap();
        Fields(value.unwrap()).u64().unwrap()
    }

    fn open(folder: &Path) -> (Vec<u64>, Segments) {
        let found = look(folder).unwrap();
        let pending = found.pending.iter().map(value).collect();
        (pending, Segments::begin(folder, LIMITS, found, true).unwrap())
    }

    fn write(log: &mut Segments, values: std::ops::Range<u64>) {
        for value in values {
            if !log.has_room(&batch(value)) {
                log.rotate().unwrap();
            }
            log.append(&batch(value)).unwrap();
        }
    }

    /// Values in the order of their numbers.
    fn trail(folder: &Path, log: &Segments, from: u64) -> Option<Vec<u64>> {
        let mut trail = Trail::open(folder, log.history(), from).unwrap()?;
        let mut values = Vec::new();
        while let Some((number, batch)) = trail.next().unwrap() {
            assert_eq!(number, from + values.len() as u64);
            values.push(value(&batch));
        }
        Some(values)
    }

    #[test]
    fn wal_1_what_was_appended_is_there_when_it_is_opened_again() {
        let home = tempfile::tempdir().unwrap();
        let (pending, mut log) = open(home.path());
        assert!(pending.is_empty());
        write(&mut log, 1..5);
        let (pending, log) = open(home.path());
        assert_eq!(pending, [1, 2, 3, 4]);
        assert_eq!(log.last(), 4);
        assert_eq!(trail(home.path(), &log, FIRST).unwrap(), [1, 2, 3, 4]);
    }

    #[test]
    fn wal_2_what_the_engine_has_synced_is_not_repeated() {
        let home = tempfile::tempdir().unwrap();
        let (_, mut log) = open(home.path());
        write(&mut log, 1..3);
        log.note_settled().unwrap();
        log.append(&batch(3)).unwrap();
        assert_eq!(open(home.path()).0, [3]);
        let (_, mut log) = open(home.path());
        log.rotate().unwrap();
        write(&mut log, 4..6);
        assert_eq!(open(home.path()).0, [4, 5], "only the newest segment");
    }

    #[test]
    fn old_frames_of_a_file_that_is_used_again_do_not_come_back() {
        let home = tempfile::tempdir().unwrap();
        let (_, mut log) = open(home.path());
        for round in 0..50 {
            write(&mut log, 100 * round..100 * round + 7);
            log.cover(log.last());
            log.rotate().unwrap();
            assert!(open(home.path()).0.is_empty(), "round {round}");
            log = open(home.path()).1;
        }
        assert!(list(home.path()).unwrap().len() <= 3, "covered segments go");
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_and_never_those_that_are_held() {
        let home = tempfile::tempdir().unwrap();
        let (_, mut log) = open(home.path());
        write(&mut log, 1..2_000);
        let total = |folder| list(folder).unwrap().iter().map(|it| it.bytes).sum::<u64>();
        assert!(total(home.path()) <= LIMITS.total_bytes_max + LIMITS.segment_bytes);
        assert_eq!(trail(home.path(), &log, FIRST), None);
        let (_, oldest) = kept(home.path()).unwrap().unwrap();
        let all: Vec<u64> = (oldest..2_000).collect();
        assert_eq!(trail(home.path(), &log, oldest).unwrap(), all, "the rest has no gap");
        // WAL-3.
        log.hold(Some(oldest));
        write(&mut log, 2_000..4_000);
        assert_eq!(trail(home.path(), &log, oldest).unwrap().len() as u64, 4_000 - oldest);
        log.hold(None);
        write(&mut log, 4_000..4_100);
        assert!(total(home.path()) <= LIMITS.total_bytes_max + LIMITS.segment_bytes);
    }

    #[test]
    fn a_batch_larger_than_a_segment_has_one_of_its_own() {
        let home = tempfile::tempdir().unwrap();
        let (_, mut log) = open(home.path());
        write(&mut log, 1..3);
        let mut large = Batch::default();
        large.insert(b"large", &[9; 5_000]);
        assert!(!log.has_room(&large));
        log.rotate().unwrap();
        assert!(log.has_room(&large));
        log.append(&large).unwrap();
        assert!(!log.has_room(&batch(4)));
        let found = look(home.path()).unwrap();
        assert_eq!(found.pending.len(), 1);
        assert_eq!(found.pending[0].as_bytes(), large.as_bytes());
    }

    #[test]
    fn a_head_with_any_bit_wrong_begins_another_history() {
        let home = tempfile::tempdir().unwrap();
        let (_, mut log) = open(home.path());
        write(&mut log, 1..3);
        let (path, history) = (log.path.clone(), log.history());
        let whole = fs::read(&path).unwrap();
        for at in 0..44 {
            let mut wrong = whole.clone();
            wrong[at] ^= 1 << (at % 8);
            fs::write(&path, wrong).unwrap();
            let (pending, log) = open(home.path());
            assert!(pending.is_empty() && log.history() != history, "byte {at}");
            fs::remove_file(&log.path).unwrap();
        }
    }

    #[test]
    fn a_torn_end_is_left_behind() {
        let home = tempfile::tempdir().unwrap();
        let (_, mut log) = open(home.path());
        write(&mut log, 1..4);
        let torn = File::options().write(true).open(&log.path).unwrap();
        torn.write_all_at(&[1, 2, 3], log.at - 3).unwrap();
        let (pending, mut log) = open(home.path());
        assert_eq!(pending, [1, 2]);
        write(&mut log, 30..32);
        assert_eq!(trail(home.path(), &log, FIRST).unwrap(), [1, 2, 30, 31]);
    }
}
