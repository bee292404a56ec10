//! What tools were like when they were first seen, so that none changes behind the operator's back.
//!
//! Owns      a file beside the ledger: names of tools and digests of what their servers said of them.
//!
//! Invariants: PINS-1 a tool that is not what it was is not offered, unless the operator accepts changes of its server.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The longest file, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PinsError {
    /// It cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what the hall wrote.
    #[error("{} is damaged; look at it, and remove it to see all tools anew", path.display())]
    Garbled {
        /// The file.
        path: PathBuf,
    },
}

/// What is known of tools. A change is on disk before it counts.
pub struct Pins {
    path: PathBuf,
    keeps: bool,
    known: Mutex<BTreeMap<String, String>>,
}

/// What a pin says of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It was not known.
    New,
    /// It is what it was.
    Same,
    /// It was something else.
    Changed,
}

impl Pins {
    /// Reads the file; one that is missing is empty. Without `keeps` nothing is ever written: for a
    /// look beside a hall that runs.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(path: PathBuf, keeps: bool) -> Result<Self, PinsError> {
        let known = read(&path)?;
        Ok(Self { path, keeps, known: Mutex::new(known) })
    }

    /// Holds a tool against what it was, and notes it where it is new, or where changes are accepted.
    pub(super) fn look(
        &self,
        tool: &str,
        digests: &Digests,
        accepts: bool,
    ) -> Result<Seen, PinsError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = match known.get(tool) {
            None => Seen::New,
            Some(was) if *was == digests.whole => return Ok(Seen::Same),
            // Noted before titles counted: from now on its title counts, too.
            Some(was) if *was == digests.untitled => Seen::Same,
            // PINS-1: not what it was, and nobody accepted that.
            Some(_) if !accepts => return Ok(Seen::Changed),
            Some(_) => Seen::Changed,
        };
        let mut next = known.clone();
        next.insert(tool.to_owned(), digests.whole.clone());
        if self.keeps {
            write(&self.path, &next)?;
        }
        *known = next;
        Ok(seen)
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, String>, PinsError> {
    let io_error = |source| PinsError::Io { path: path.to_owned(), source };
    let text = match fs::metadata(path) {
        Ok(about) if FILE_BYTES_MAX < about.len() => {
            return Err(PinsError::Garbled { path: path.to_owned() });
        }
        Ok(_) => fs::read(path).map_err(io_error)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(io_error(error)),
    };
    let file: Option<Value> = serde_json::from_slice(&text).ok();
    let pins = file.filter(|it| it.get("version") == Some(&json!(1)));
    let pins = pins.and_then(|mut it| Some(it.get_mut("tools")?.take()));
    let pins = pins.and_then(|it| serde_json::from_value(it).ok());
    pins.ok_or_else(|| PinsError::Garbled { path: path.to_owned() })
}

/// Writes the file anew, beside the old one, which it then replaces.
fn write(path: &Path, known: &BTreeMap<String, String>) -> Result<(), PinsError> {
    let io_error = |source| PinsError::Io { path: path.to_owned(), source };
    let text = json!({ "version": 1, "tools": known }).to_string();
    let beside = path.with_extension("new");
    let put = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), |it| fs::File::open(it)?.sync_all())
    };
    put().map_err(io_error)
}

/// What stands for all that a server says of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digests {
    /// All of it.
    whole: String,
    /// Without its title, as halls noted it that showed none.
    untitled: String,
}

impl Digests {
    pub(super) fn of(name: &str, title: &str, description: &str, parameters: &Value) -> Self {
        let whole = digest(&json!([name, description, parameters, title]));
        Self { whole, untitled: digest(&json!([name, description, parameters])) }
    }
}

fn digest(said: &Value) -> String {
    Sha256::digest(said.to_string().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_1_a_tool_that_changed_is_known_after_a_restart_and_until_it_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join("tools.json");
        let look = |digest: &str, accepts| {
            let digests = Digests::of("read", "", digest, &json!({}));
            Pins::open(path.clone(), true).unwrap().look("files.read", &digests, accepts).unwrap()
        };
        assert_eq!(look("a", false), Seen::New);
        assert_eq!(look("a", false), Seen::Same);
        assert_eq!(look("b", false), Seen::Changed);
        assert_eq!(look("a", false), Seen::Same, "what was refused is not noted");
        assert_eq!(look("b", true), Seen::Changed);
        assert_eq!(look("b", false), Seen::Same);
        assert_eq!(look("a", false), Seen::Changed);
    }

    #[test]
    fn a_file_that_is_damaged_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tools.json");
        for text in ["", "{}", "{\"version\":2,\"tools\":{}}", "{\"version\":1,\"tools\":[1]}"] {
            fs::write(&path, text).unwrap();
            assert!(
                matches!(Pins::open(path.clone(), true), Err(PinsError::Garbled { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn everything_that_is_said_of_a_tool_counts() {
        let whole = |title: &str, description: &str, x: i32| {
            Digests::of("a", title, description, &json!({ "x": x })).whole
        };
        let was = whole("t", "b", 1);
        assert_ne!(was, whole("t", "c", 1));
        assert_ne!(was, whole("t", "b", 2));
        assert_ne!(was, whole("u", "b", 1));
        assert_ne!(was, whole("", "b", 1));
        assert_eq!(was, whole("t", "b", 1));
    }

    #[test]
    fn what_was_noted_before_titles_counted_is_the_same_tool_and_its_title_counts_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tools.json");
        let look = |title: &str| {
            let digests = Digests::of("read", title, "Reads.", &json!({}));
            Pins::open(path.clone(), true).unwrap().look("files.read", &digests, false).unwrap()
        };
        let before = digest(&json!(["read", "Reads.", {}]));
        let noted = BTreeMap::from([("files.read".to_owned(), before)]);
        write(&path, &noted).unwrap();
        assert_eq!(look("Read a file"), Seen::Same);
        assert_eq!(look("Read a file"), Seen::Same);
        assert_eq!(look("Delete nothing"), Seen::Changed);
        fs::remove_file(&path).unwrap();
        assert_eq!(look(""), Seen::New);
        assert_eq!(look("Read a file"), Seen::Changed, "a title that comes later is a change");
    }
}
