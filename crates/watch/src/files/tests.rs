//! The writer of log files, and its reader, on a made-up cipher.

use std::{
    collections::BTreeSet,
    os::unix::fs::PermissionsExt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use protocol::frames::SealError;

use super::*;
use crate::read::{Damage, LogFile};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

struct Hands(AtomicU64);

impl Clock for Hands {
    fn now(&self) -> protocol::Timestamp {
        protocol::Timestamp(self.0.load(Relaxed))
    }
}

impl Hands {
    fn at(ms: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(ms)))
    }

    fn move_to(&self, ms: u64) {
        self.0.store(ms, Relaxed);
    }
}

/// Turns every bit, and marks the place. The cipher is tested where it is.
#[derive(Debug)]
pub(crate) struct Turned;

impl FrameSeal for Turned {
    fn new_file(&self) -> Result<FileId, SealError> {
        Ok([7; 16])
    }

    fn seal(&self, _: &FileId, number: u64, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let turned = plain.iter().map(|it| !it);
        Ok(number.to_be_bytes().into_iter().chain(turned).collect())
    }

    fn open(&self, _: &FileId, number: u64, sealed: &[u8]) -> Option<Vec<u8>> {
        let text = sealed.strip_prefix(number.to_be_bytes().as_slice())?;
        Some(text.iter().map(|it| !it).collect())
    }
}

const KEEP: Keep = Keep { days: 2, file_bytes_max: 10_000, total_bytes_max: 100_000 };

struct Log {
    home: tempfile::TempDir,
    clock: Arc<Hands>,
    lost: Arc<AtomicU64>,
}

impl Log {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { home, clock: Hands::at(5), lost: Arc::default() }
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("deep/logs")
    }

    /// A run whose key is not there yet.
    fn locked(&self, keep: Keep) -> (SealedFiles, Sealing) {
        let sealing = Sealing::default();
        let (clock, lost) = (self.clock.clone(), self.lost.clone());
        let files = SealedFiles::open(self.dir(), keep, clock, sealing.clone(), lost);
        (files.unwrap(), sealing)
    }

    fn run(&self, keep: Keep) -> SealedFiles {
        let (files, sealing) = self.locked(keep);
        sealing.set(Arc::new(Turned)).ok().unwrap();
        files
    }

    fn names(&self) -> BTreeSet<String> {
        let files = fs::read_dir(self.dir()).unwrap();
        files.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Everything that opens, and what does not.
    fn read(&self) -> (String, Vec<Damage>) {
        let (mut text, mut damage) = (String::new(), Vec::new());
        for path in log_files(&self.dir()).unwrap() {
            let read = LogFile::open(&path, Arc::new(Turned)).unwrap().read_on(true).unwrap();
            text += std::str::from_utf8(&read.text).unwrap();
            damage.extend(read.damage);
        }
        (text, damage)
    }
}

fn line(files: &mut SealedFiles, text: &str) {
    files.write_all(format!("{text}\n").as_bytes()).unwrap();
    files.flush().unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_was_logged_before_the_key_was_there_waits_and_nothing_is_in_the_clear() {
    let log = Log::new();
    let (mut files, sealing) = log.locked(KEEP);
    line(&mut files, "early");
    assert!(log.names().is_empty(), "nothing is written without a key");
    sealing.set(Arc::new(Turned)).ok().unwrap();
    line(&mut files, "late");
    assert_eq!(log.read(), ("early\nlate\n".to_owned(), vec![]));
    let name = "guildhall-1970-01-01T000000.005Z.log";
    assert_eq!(log.names(), BTreeSet::from([name.to_owned()]));
    let path = log.dir().join(name);
    assert_eq!((mode(&log.dir()), mode(&path)), (0o700, 0o600));
    let bytes = fs::read(path).unwrap();
    assert!(!bytes.windows(4).any(|it| it == b"late" || it == b"earl"));
}

#[test]
fn more_than_may_wait_for_the_key_is_refused() {
    let log = Log::new();
    let (mut files, _sealing) = log.locked(KEEP);
    let long = vec![b'x'; 1 << 19];
    files.write_all(&long).unwrap();
    files.write_all(&long).unwrap();
    assert_eq!(files.write_all(b"x\n").unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
}

#[test]
fn a_torn_last_frame_costs_only_itself_and_is_told() {
    let log = Log::new();
    let mut files = log.run(KEEP);
    ["one", "two", "three"].into_iter().for_each(|it| line(&mut files, it));
    let path = log_files(&log.dir()).unwrap().pop().unwrap();
    let whole = fs::read(&path).unwrap();
    log.clock.move_to(6);
    line(&mut log.run(KEEP), "after the start");
    let last = whole.len() - (4 + 8 + "three\n".len());
    for cut in last + 1..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let read = ("one\ntwo\nafter the start\n".to_owned(), vec![Damage::Torn]);
        assert_eq!(log.read(), read, "{cut} bytes");
    }
    // One that was changed, moved or left out does not pass for another.
    let mut changed = whole.clone();
    changed[HEAD_BYTES + 4] ^= 1;
    fs::write(&path, changed).unwrap();
    assert_eq!(log.read(), ("after the start\n".to_owned(), vec![Damage::Changed]));
}

#[test]
fn what_grows_is_read_on_where_it_was_left() {
    let log = Log::new();
    let mut files = log.run(KEEP);
    line(&mut files, "one");
    let path = log_files(&log.dir()).unwrap().pop().unwrap();
    let mut reading = LogFile::open(&path, Arc::new(Turned)).unwrap();
    assert_eq!(reading.read_on(false).unwrap().text, b"one\n");
    assert_eq!(reading.read_on(false).unwrap().text, b"");
    line(&mut files, "two");
    // Half of a frame is no damage while it may still grow.
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 2]).unwrap();
    let half = reading.read_on(false).unwrap();
    assert_eq!((half.text.as_slice(), half.damage), (b"".as_slice(), None));
    fs::write(&path, &whole).unwrap();
    assert_eq!(reading.read_on(false).unwrap().text, b"two\n");
}

#[test]
fn each_day_each_run_and_each_size_has_a_file_and_old_ones_go() {
    let log = Log::new();
    fs::create_dir_all(log.dir()).unwrap();
    fs::write(log.dir().join("notes.txt"), "not ours").unwrap();
    fs::write(log.dir().join("guildhall-1970-01-01.ndjson"), "of an earlier version\n").unwrap();
    let mut files = log.run(KEEP);
    assert_eq!(log.read().0, "of an earlier version\n", "it is still read");
    for day in 0..5 {
        log.clock.move_to(day * DAY_MS + DAY_MS - 1);
        line(&mut files, &format!("day {day}"));
    }
    assert_eq!(log.read(), ("day 2\nday 3\nday 4\n".to_owned(), vec![]));
    assert!(log.names().contains("notes.txt"));
    let mut again = log.run(KEEP);
    line(&mut again, "another run of the same millisecond");
    assert_eq!(log.names().len(), 5);
    for _ in 0..3 {
        line(&mut again, &"x".repeat(6_000));
    }
    assert_eq!(log.names().len(), 5 + 2, "each is more than half a file");
}

#[test]
fn the_oldest_go_when_all_together_are_too_large() {
    let log = Log::new();
    let mut files = log.run(Keep { total_bytes_max: 25_000, ..KEEP });
    for number in 0..10 {
        log.clock.move_to(number);
        line(&mut files, &format!("{number}{}", "x".repeat(9_000)));
    }
    let text = log.read().0;
    let first: Vec<&str> = text.lines().map(|it| &it[..1]).collect();
    assert_eq!(first, ["7", "8", "9"]);
}

#[test]
fn lines_that_the_disk_refuses_are_counted_and_the_next_ones_go_on() {
    let log = Log::new();
    let mut files = log.run(KEEP);
    line(&mut files, "kept");
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    files.page.as_mut().unwrap().file = full;
    files.write_all(b"one\ntwo\n").unwrap();
    files.flush().unwrap();
    assert_eq!(log.lost.load(Relaxed), 2);
    log.clock.move_to(6);
    line(&mut files, "kept too");
    assert_eq!(log.read(), ("kept\nkept too\n".to_owned(), vec![]));
}
