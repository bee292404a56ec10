//! Reads the texts of others, which stay outside the project.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::classifier::AttackKind;

/// One text to learn from.
#[derive(Clone, Debug)]
pub struct Example {
    /// The text.
    pub text: String,
    /// Whether it is an attack.
    pub attack: bool,
    /// Where it comes from: whole sources are left out when the model is measured.
    pub source: String,
    /// What kind of attack it is; means nothing if it is none.
    pub kind: AttackKind,
}

/// Why the texts cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is not what the folder's README says.
    #[error("line {line} of {path} is no example")]
    Garbled {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Nothing is there.
    #[error("no *.jsonl.gz in {0}")]
    Empty(PathBuf),
}

#[derive(Deserialize)]
struct Line {
    text: String,
    label: u8,
    source: String,
    #[serde(default)]
    kind: Option<String>,
}

/// Reads every `*.jsonl.gz` of the folders, in the order of their names.
///
/// # Errors
/// If a folder or a file cannot be read, a line is garbled, or there is nothing in a folder.
pub fn read_guard_data(folders: &[PathBuf]) -> Result<Vec<Example>, DataError> {
    let mut examples = Vec::new();
    for folder in folders {
        examples.extend(read_folder(folder)?);
    }
    Ok(examples)
}

fn read_folder(folder: &Path) -> Result<Vec<Example>, DataError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| DataError::Unreadable { path, source }
    };
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        if path.to_string_lossy().ends_with(".jsonl.gz") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut examples = Vec::new();
    for path in &paths {
        let file = File::open(path).map_err(unreadable(path))?;
        for (at, line) in BufReader::new(GzDecoder::new(file)).lines().enumerate() {
            let line = line.map_err(unreadable(path))?;
            let line: Line = serde_json::from_str(&line).map_err(|source| DataError::Garbled {
                path: path.clone(),
                line: at + 1,
                source,
            })?;
            examples.push(example(line));
        }
    }
    if examples.is_empty() { Err(DataError::Empty(folder.to_owned())) } else { Ok(examples) }
}

fn example(line: Line) -> Example {
    let named = line.kind.unwrap_or_default().to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| named.contains(part));
    let kind = if has(&["extract", "leak"]) && !has(&["data_"]) {
        AttackKind::PromptLeak
    } else if has(&["exfil"]) {
        AttackKind::DataExfiltration
    } else if has(&["jailbreak", "role", "harmful", "social"]) {
        AttackKind::Jailbreak
    } else {
        AttackKind::PromptInjection
    };
    Example { text: line.text, attack: line.label == 1, source: line.source, kind }
}
