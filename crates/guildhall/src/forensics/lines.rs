//! The files of the log, read for a report: which lines belong to it, and what was read of which file.

use std::{collections::BTreeSet, fs, io, path::Path, sync::Arc, time::Duration};

use protocol::{Timestamp, frames::FrameSeal};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use store::LogKeys;
use watch::read::{self, LogFile};

use super::{About, Moment, Origin, Source};
use crate::{build::BuildError, config::Config, master, page::moment};

/// Lines in one report. More are counted and named.
const LINES_MAX: usize = 2_000;
/// How long a hall that starts for the first time may take from its first record to its first line in a file.
const BEGIN_TIME_MAX: Duration = Duration::from_secs(60);
/// Characters of one value of a line.
const VALUE_CHARS_MAX: usize = 500;
/// What every line begins with and says nothing about what happened.
const HEAD: [&str; 7] = [
    "@timestamp",
    "message",
    "ecs.version",
    "service.name",
    "service.version",
    "event.dataset",
    "log.logger",
];

/// What lines belong to a report.
#[derive(Debug)]
pub(super) struct Wanted<'w> {
    /// Of whom: twelve hexadecimal digits.
    pub(super) person: Option<&'w str>,
    /// Of which agent.
    pub(super) agent: &'w str,
    /// Of which turns.
    pub(super) references: &'w BTreeSet<String>,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// When the hall began to note anything: before that there were no lines.
    pub(super) began: Timestamp,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) moments: Vec<Moment>,
    pub(super) sources: Vec<Source>,
    pub(super) gaps: Vec<String>,
}

/// Reads all files of which the last change is not before the time. FORENSICS-2.
pub(super) fn read_all(config: &Config, wanted: &Wanted<'_>) -> Lines {
    let mut lines = Lines::default();
    let Some(dir) = &config.logs.dir else {
        lines
            .gaps
            .push("log: no files of it are kept, because logs.dir names no folder".to_owned());
        return lines;
    };
    let seal = match seal(config) {
        Ok(seal) => seal,
        Err(why) => {
            lines.gaps.push(format!("log: its files do not open: {why}"));
            return lines;
        }
    };
    let files = match read::files(dir) {
        Ok(files) => files,
        Err(error) => {
            lines.gaps.push(format!("log: the folder of its files cannot be read: {error}"));
            return lines;
        }
    };
    if files.is_empty() {
        lines.gaps.push("log: there is no file of it".to_owned());
    }
    let (mut left_out, mut oldest) = (0, None);
    for path in files {
        if changed(&path).is_some_and(|it| it < wanted.from) {
            oldest = Some(Timestamp(0));
            continue;
        }
        let read = take_file(&path, Arc::clone(&seal), wanted, &mut lines, &mut left_out);
        match read {
            Ok(first) => oldest = oldest.or(first),
            Err(error) => lines.gaps.push(format!("{}: it cannot be read: {error}", name(&path))),
        }
    }
    let due = wanted.from.max(wanted.began).plus(BEGIN_TIME_MAX);
    if let Some(first) = oldest.filter(|it| due < *it) {
        lines.gaps.push(format!(
            "log: its files begin at {}, and what was before is gone",
            moment(first)
        ));
    }
    if 0 < left_out {
        lines.gaps.push(format!("log: {left_out} more lines belong here and are left out"));
    }
    lines
}

fn seal(config: &Config) -> Result<Arc<dyn FrameSeal>, String> {
    let words = |error: &(dyn std::error::Error + 'static)| BuildError::of(error).to_string();
    let keys = master::keys(config).map_err(|error| words(&error))?;
    let seal = LogKeys::open(&config.keyring_file(), &keys).map_err(|error| words(&error))?;
    Ok(Arc::new(seal))
}

/// What a report calls a file.
pub(super) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = |it: char| if it.is_ascii_alphanumeric() || "._-".contains(it) { it } else { '?' };
    format!("logs/{}", name.chars().map(plain).collect::<String>())
}

fn changed(path: &Path) -> Option<Timestamp> {
    let changed = fs::metadata(path).and_then(|it| it.modified()).ok()?;
    let since = changed.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}

/// Reads a file; gives the time of its first line.
fn take_file(
    path: &Path,
    seal: Arc<dyn FrameSeal>,
    wanted: &Wanted<'_>,
    lines: &mut Lines,
    left_out: &mut u64,
) -> io::Result<Option<Timestamp>> {
    let mut file = LogFile::open(path, seal)?;
    let mut text = file.read_on(false)?;
    // What is written just now may be there in half.
    let rest = file.read_on(true)?;
    text.text.extend(rest.text);
    let (name, bytes) = (name(path), file.opened_bytes());
    let state = match text.damage.or(rest.damage) {
        None => "every frame opens".to_owned(),
        Some(damage) => {
            lines.gaps.push(format!("{name}: {damage}"));
            format!("up to byte {bytes} every frame opens; {damage}")
        }
    };
    let mut first = None;
    let (mut number, mut unreadable) = (0_u64, 0_u64);
    for line in text.text.split_inclusive(|it| *it == b'\n') {
        number += 1;
        let Some((at, fields)) = parsed(line) else {
            unreadable += 1;
            continue;
        };
        first = first.or(Some(at));
        let Some(about) = about(at, &fields, wanted) else { continue };
        if LINES_MAX <= lines.moments.len() {
            *left_out += 1;
            continue;
        }
        lines.moments.push(moment_of((at, about), &fields, line, format!("{name}, line {number}")));
    }
    if 0 < unreadable {
        lines.gaps.push(format!("{name}: {unreadable} lines of it do not read"));
    }
    let sha256 = sha256_of_beginning(path, bytes)?;
    lines.sources.push(Source { name, bytes, sha256, state: format!("{number} lines; {state}") });
    Ok(first)
}

fn parsed(line: &[u8]) -> Option<(Timestamp, Map<String, Value>)> {
    let fields: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let at: jiff::Timestamp = fields.get("@timestamp")?.as_str()?.parse().ok()?;
    Some((Timestamp(u64::try_from(at.as_millisecond()).unwrap_or(0)), fields))
}

fn about(at: Timestamp, fields: &Map<String, Value>, wanted: &Wanted<'_>) -> Option<About> {
    if !(wanted.from..=wanted.until).contains(&at) {
        return None;
    }
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_theirs = wanted.person.is_some_and(|it| it == text("labels.person"))
        || wanted.references.contains(text("trace.id"));
    let is_agents = [text("labels.agent"), text("labels.actor")].contains(&wanted.agent);
    match (is_theirs, is_agents) {
        (true, true) => Some(About::PersonAndAgent),
        (true, false) => Some(About::Person),
        (false, true) => Some(About::Agent),
        (false, false) => ["error", "warn"].contains(&text("log.level")).then_some(About::Hall),
    }
}

fn moment_of(
    (at, about): (Timestamp, About),
    fields: &Map<String, Value>,
    line: &[u8],
    place: String,
) -> Moment {
    let told = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.chars().take(VALUE_CHARS_MAX).collect::<String>()
    };
    let details = fields.iter().filter(|(key, _)| !HEAD.contains(&key.as_str()));
    Moment {
        at_ms: at.0,
        origin: Origin::Log,
        place,
        about,
        what: fields.get("message").map(told).unwrap_or_default(),
        details: details.map(|(key, value)| (key.clone(), told(value))).collect(),
        texts: Vec::new(),
        record: None,
        sha256: hex(&Sha256::digest(line)),
    }
}

/// SHA-256 of so many bytes of a file, from its beginning.
pub(super) fn sha256_of_beginning(path: &Path, bytes: u64) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = io::Read::take(fs::File::open(path)?, bytes);
    let read = io::copy(&mut file, &mut hash)?;
    if read < bytes {
        return Err(io::Error::other(format!("it has {read} bytes, and {bytes} were read")));
    }
    Ok(hex(&hash.finalize()))
}

/// As hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
