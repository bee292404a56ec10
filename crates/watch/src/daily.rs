//! One log file a day, for the owner's eyes only, deleted after its time.
//!
//! Files are called `guildhall-2026-11-22.ndjson` (the day in UTC) and have mode 0600; the folder is
//! created with mode 0700. A folder that exists keeps its mode: whoever made it decided.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use protocol::Clock;
use tracing::warn;

const PREFIX: &str = "guildhall-";
const SUFFIX: &str = ".ndjson";

/// Writes to the file of the day. Opens it on the first line of each day and then deletes the files
/// whose time is over.
pub(crate) struct DailyFile {
    dir: PathBuf,
    keep_days: u16,
    /// A day's file never grows beyond this: a flood of lines must not fill the ledger's disk.
    day_bytes_max: u64,
    clock: Arc<dyn Clock>,
    today: Today,
}

struct Today {
    date: Date,
    file: File,
    bytes: u64,
    /// The last line may lack its end.
    torn: bool,
}

impl DailyFile {
    /// Opens today's file and deletes old ones.
    ///
    /// # Errors
    /// If the folder cannot be made or read, or the file cannot be opened.
    pub(crate) fn open(
        dir: PathBuf,
        keep_days: u16,
        day_bytes_max: u64,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let today = Today::open(&dir, date(&*clock)?)?;
        expire(&dir, today.date, keep_days)?;
        Ok(Self { dir, keep_days, day_bytes_max, clock, today })
    }

    fn turn_page(&mut self) -> io::Result<()> {
        let now = date(&*self.clock)?;
        if now == self.today.date {
            return Ok(());
        }
        self.today = Today::open(&self.dir, now)?;
        if let Err(error) = expire(&self.dir, now, self.keep_days) {
            warn!(
                error = &error as &dyn std::error::Error,
                event.action = "log_expiry",
                event.outcome = "failure",
                "old log files cannot be deleted"
            );
        }
        Ok(())
    }
}

impl Write for DailyFile {
    /// Takes a whole line or nothing.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.turn_page()?;
        let grown = self.today.bytes.saturating_add(line.len() as u64);
        if self.day_bytes_max < grown {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        self.today.put(line)?;
        self.today.bytes = grown;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.today.file.flush()
    }
}

impl Today {
    fn open(dir: &Path, date: Date) -> io::Result<Self> {
        let path = dir.join(format!("{PREFIX}{date}{SUFFIX}"));
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        // A file that was there before may have another mode.
        file.set_permissions(Permissions::from_mode(0o600))?;
        let bytes = file.metadata()?.len();
        Ok(Self { date, file, bytes, torn: false })
    }

    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.write_all(b"\n")?;
        }
        self.torn = true;
        self.file.write_all(line)?;
        self.torn = false;
        Ok(())
    }
}

fn date(clock: &dyn Clock) -> io::Result<Date> {
    let now = i64::try_from(clock.now().0).map_err(io::Error::other)?;
    let now = jiff::Timestamp::from_millisecond(now).map_err(io::Error::other)?;
    Ok(now.to_zoned(TimeZone::UTC).date())
}

/// Deletes the files of more than `keep_days` days ago. Today's always stays.
fn expire(dir: &Path, today: Date, keep_days: u16) -> io::Result<()> {
    let oldest = today.checked_sub(i64::from(keep_days).days()).map_err(io::Error::other)?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_str().and_then(date_of).is_some_and(|date| date < oldest) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn date_of(name: &str) -> Option<Date> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::atomic::{AtomicU64, Ordering::Relaxed},
    };

    use super::*;

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

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(dir: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(dir).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn folder_and_file_are_for_the_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("deep/logs");
        let path = dir.join("guildhall-1970-01-01.ndjson");
        DailyFile::open(dir.clone(), 14, 1000, Hands::at(5)).unwrap();
        assert_eq!((mode(&dir), mode(&path)), (0o700, 0o600));
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        DailyFile::open(dir, 14, 1000, Hands::at(5)).unwrap();
        assert_eq!(mode(&path), 0o600, "an old mode is tightened");
    }

    #[test]
    fn each_day_has_its_file_and_old_ones_go() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().to_owned();
        fs::write(dir.join("notes.txt"), "not ours").unwrap();
        let clock = Hands::at(0);
        let mut log = DailyFile::open(dir.clone(), 2, 1000, clock.clone()).unwrap();
        for day in 0..5 {
            clock.move_to(day * DAY_MS + DAY_MS - 1);
            log.write_all(format!("day {day}\n").as_bytes()).unwrap();
        }
        let kept = ["guildhall-1970-01-03.ndjson", "guildhall-1970-01-04.ndjson"];
        let kept = kept.into_iter().chain(["guildhall-1970-01-05.ndjson", "notes.txt"]);
        assert_eq!(names(&dir), kept.map(str::to_owned).collect());
        let third = fs::read_to_string(dir.join("guildhall-1970-01-03.ndjson")).unwrap();
        assert_eq!(third, "day 2\n");
    }

    #[test]
    fn a_start_after_a_long_pause_deletes_what_is_too_old() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().to_owned();
        DailyFile::open(dir.clone(), 14, 1000, Hands::at(0)).unwrap();
        DailyFile::open(dir.clone(), 14, 1000, Hands::at(15 * DAY_MS)).unwrap();
        assert_eq!(names(&dir), BTreeSet::from(["guildhall-1970-01-16.ndjson".to_owned()]));
    }

    #[test]
    fn a_days_file_has_a_size_limit_that_counts_earlier_runs() {
        let home = tempfile::tempdir().unwrap();
        let open = || DailyFile::open(home.path().to_owned(), 1, 10, Hands::at(0)).unwrap();
        open().write_all(b"123456\n").unwrap();
        let mut log = open();
        assert_eq!(log.write_all(b"1234\n").unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
        log.write_all(b"12\n").unwrap();
    }

    #[test]
    fn a_line_after_one_that_the_disk_cut_short_begins_anew() {
        let mut page = tempfile::NamedTempFile::new().unwrap();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut today = Today { date: Date::ZERO, file: full, bytes: 0, torn: false };
        assert_eq!(today.put(b"lost\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
        today.file = page.reopen().unwrap();
        today.put(b"kept\n").unwrap();
        today.put(b"kept too\n").unwrap();
        let mut text = String::new();
        io::Read::read_to_string(&mut page, &mut text).unwrap();
        assert_eq!(text, "\nkept\nkept too\n");
    }
}
