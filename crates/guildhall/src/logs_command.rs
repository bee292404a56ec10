//! `guildhall logs …`: opens the sealed log files. The hall may run meanwhile.

use std::{
    collections::VecDeque,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Subcommand;
use guildhall::{
    config::{self, Env, Loaded},
    master,
};
use protocol::frames::FrameSeal;
use regex::bytes::Regex;
use store::LogKeys;
use watch::read::{self, Damage, LogFile};

use crate::{Done, Failure, build::BuildError};

/// Data that cannot be read as what it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;
/// How often a file that grows is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Subcommand)]
pub(crate) enum LogsCommand {
    /// Write every line, oldest first.
    Cat,
    /// Write the newest lines.
    Tail {
        /// How many.
        #[arg(short = 'n', long, default_value_t = 20)]
        lines: usize,
        /// Go on as they are written, until stopped.
        #[arg(short, long)]
        follow: bool,
    },
    /// Write the lines that a regular expression is found in; exit code 1 if there is none.
    Grep {
        /// Such as `"event.action":"ledger_failed"`.
        pattern: String,
    },
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: LogsCommand) -> Done {
    let loaded = config::load(env)?;
    let mut logs = Folder::of(&loaded)?;
    match what {
        LogsCommand::Cat => logs.each(write).map(|_| logs.ended(true)),
        LogsCommand::Grep { pattern } => {
            let pattern = Regex::new(&pattern).map_err(|error| Failure::new(64, error))?;
            let mut found = false;
            logs.each(|line| {
                if pattern.is_match(line.trim_ascii_end()) {
                    found = true;
                    return write(line);
                }
                Ok(())
            })?;
            Ok(logs.ended(found))
        }
        LogsCommand::Tail { lines, follow } => {
            let newest = logs.tail(lines)?;
            if follow {
                kit::block_on(logs.follow(newest))?;
            }
            Ok(logs.ended(true))
        }
    }
}

/// A folder of log files, and the key to them.
struct Folder {
    dir: PathBuf,
    seal: Arc<dyn FrameSeal>,
    /// A file was changed, or is none of ours.
    is_bad: bool,
}

impl Folder {
    fn of(loaded: &Loaded) -> Result<Self, Failure> {
        let config = &loaded.config;
        let Some(dir) = config.logs.dir.clone() else {
            let text = "no log files are written: logs.dir (GUILDHALL__LOGS__DIR) names no folder";
            return Err(Failure::new(config::EXIT_CONFIG, text));
        };
        let words = |error: &(dyn std::error::Error + 'static)| {
            Failure::new(config::EXIT_CONFIG, BuildError::of(error))
        };
        let keys = master::keys(config).map_err(|error| words(&error))?;
        let seal = LogKeys::open(&config.keyring_file(), &keys).map_err(|error| words(&error))?;
        Ok(Self { dir, seal: Arc::new(seal), is_bad: false })
    }

    fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        Ok(read::files(&self.dir)?)
    }

    /// The lines of a file; what does not open is told beside them. `None` if it has been deleted.
    fn read(&mut self, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
        let mut file = match LogFile::open(path, Arc::clone(&self.seal)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut lines = file.read_on(false)?;
        // What is written just now may be there in half.
        let rest = file.read_on(true)?;
        lines.text.extend(rest.text);
        self.tell(path, lines.damage.or(rest.damage));
        Ok(Some(lines.text))
    }

    fn tell(&mut self, path: &Path, damage: Option<Damage>) {
        let Some(damage) = damage else { return };
        self.is_bad |= damage != Damage::Torn;
        let name = path.file_name().unwrap_or_default().display();
        // lost-ok: standard error is closed; the exit code says the same.
        writeln!(io::stderr(), "guildhall: {name}: {damage}").ok();
    }

    fn each(&mut self, mut take: impl FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        for path in self.files()? {
            let text = self.read(&path)?.unwrap_or_default();
            text.split_inclusive(|it| *it == b'\n').try_for_each(&mut take)?;
        }
        Ok(())
    }

    /// Writes the newest lines. The newest file, to read on.
    fn tail(&mut self, count: usize) -> Result<Option<(PathBuf, LogFile)>, Failure> {
        let files = self.files()?;
        let mut newest = None;
        let mut lines: VecDeque<Vec<u8>> = VecDeque::new();
        for path in files.iter().rev() {
            let text = if newest.is_none() {
                let mut file = LogFile::open(path, Arc::clone(&self.seal))?;
                let read = file.read_on(false)?;
                self.tell(path, read.damage);
                newest = Some((path.clone(), file));
                read.text
            } else {
                self.read(path)?.unwrap_or_default()
            };
            for line in text.split_inclusive(|it| *it == b'\n').rev() {
                if lines.len() < count {
                    lines.push_front(line.to_vec());
                }
            }
            if count <= lines.len() {
                break;
            }
        }
        lines.iter().try_for_each(|it| write(it))?;
        Ok(newest)
    }

    /// Writes what is added, for ever.
    async fn follow(&mut self, newest: Option<(PathBuf, LogFile)>) -> Result<(), Failure> {
        let mut current = newest;
        loop {
            let files = self.files()?;
            let is_after = |it: &&PathBuf| current.as_ref().is_none_or(|(path, _)| path < *it);
            let next = files.iter().find(is_after).cloned();
            if let Some((path, file)) = &mut current {
                let lines = file.read_on(next.is_some())?;
                let path = path.clone();
                write(&lines.text)?;
                self.tell(&path, lines.damage);
            }
            match next {
                Some(path) => {
                    let file = LogFile::open(&path, Arc::clone(&self.seal))?;
                    current = Some((path, file));
                }
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    fn ended(&self, found: bool) -> ExitCode {
        match (self.is_bad, found) {
            (true, _) => ExitCode::from(EXIT_DATA),
            (false, true) => ExitCode::SUCCESS,
            (false, false) => ExitCode::from(1),
        }
    }
}

/// To standard output. Whoever read enough of it ends the program.
fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}
