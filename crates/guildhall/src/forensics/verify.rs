//! `guildhall forensics verify`: whether a report is as it was made, by whom it was signed, and whether what it was
//! made of is still there as it was read.

use std::{io, path::PathBuf};

use protocol::audit::Record;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Form,
    lines::{hex, sha256_of_beginning},
    seal::{self, Opened},
};
use crate::{audit, config::Config};

/// By what a report is checked.
#[derive(Clone, Copy, Debug)]
pub enum Checking<'c> {
    /// By this hall's key and files.
    Here(&'c Config),
    /// By a key that is known from elsewhere, and nothing else.
    ByKey(&'c str),
}

/// Why a report does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is not as it was made.
    #[error("{0}")]
    Changed(String),
    /// Somebody else signed it.
    #[error("it is as it was signed, but not with the expected key: it was signed with {key}")]
    OtherKey {
        /// The key that did.
        key: String,
    },
    /// What it was made of is not what was read.
    #[error("the report is as it was made; what it was made of is not: {0}")]
    SourceChanged(String),
    /// The hall's own key cannot be read.
    #[error("the hall's key cannot be read ({0}); say which key is expected with --key")]
    NoKey(String),
}

/// Checks a report; says in words what was found. FORENSICS-3.
///
/// # Errors
/// If it, or what it was made of, is not as it was.
pub fn verify(text: &str, by: Checking<'_>) -> Result<String, VerifyError> {
    let opened = seal::open(text).map_err(|error| VerifyError::Changed(error.to_string()))?;
    let expected = match by {
        Checking::ByKey(key) => key.trim().to_owned(),
        Checking::Here(config) => {
            audit::keys(config).map_err(|why| VerifyError::NoKey(why.to_string()))?.public()
        }
    };
    if expected != opened.key {
        return Err(VerifyError::OtherKey { key: opened.key });
    }
    let one = |name: &str| opened.values(name).next().unwrap_or("?").to_owned();
    let mut words = format!(
        "The report {} on incident {} is as it was made, by guildhall {}.\nIt is signed with {}{}.\n",
        one("report"),
        one("incident"),
        one("version"),
        opened.key,
        match by {
            Checking::Here(_) => ", the key of this hall",
            Checking::ByKey(_) => "",
        }
    );
    words += &records(text, &opened)?;
    if let Checking::Here(config) = by {
        words += &sources(config, &opened)?;
    }
    Ok(words)
}

/// Computes the hash of every record of the audit log anew. Only JSON holds them as they were hashed.
fn records(text: &str, opened: &Opened) -> Result<String, VerifyError> {
    match opened.form {
        Form::Md | Form::Html => {
            return Ok(
                "Its records one by one can be checked where it was written as JSON.\n".to_owned()
            );
        }
        Form::Json => {}
    }
    let wrong = |what: String| VerifyError::Changed(what);
    let report: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let moments = report.pointer("/report/moments").and_then(Value::as_array);
    let (mut count, mut linked, mut before) = (0, 0, None::<(u64, String)>);
    let all = moments.into_iter().flatten().filter(|it| it.get("record").is_some());
    // By their numbers: in the report they stand by their times, and clocks may jump.
    let mut all: Vec<(Record, &str)> = all.filter_map(read).collect();
    all.sort_by_key(|(record, _)| record.seq);
    for (record, sha256) in all {
        let hash = hex(&Sha256::digest(record.line()));
        if hash != sha256 {
            return Err(wrong(format!(
                "record {} does not have the hash that stands by it",
                record.seq
            )));
        }
        if let Some((seq, hash)) = before.filter(|(seq, _)| seq + 1 == record.seq) {
            if record.prev != hash {
                return Err(wrong(format!(
                    "record {} does not follow from record {seq}",
                    record.seq
                )));
            }
            linked += 1;
        }
        before = Some((record.seq, hash));
        count += 1;
    }
    Ok(format!(
        "{count} records of the audit log have the hash that stands by them; {linked} follow one from \
         another.\n"
    ))
}

fn read(moment: &Value) -> Option<(Record, &str)> {
    let record = serde_json::from_value(moment.get("record")?.clone()).ok()?;
    Some((record, moment.get("sha256")?.as_str()?))
}

/// Looks whether what was read is still there as it was.
fn sources(config: &Config, opened: &Opened) -> Result<String, VerifyError> {
    let mut words = String::new();
    let mut changed = Vec::new();
    for source in opened.values("source") {
        let mut parts = source.splitn(3, ' ');
        let (sha256, bytes) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (name, bytes) = (parts.next().unwrap_or_default(), bytes.parse().unwrap_or(u64::MAX));
        let Some(path) = path_of(config, name) else {
            words += &format!("{name}: it is no file here, and is not read again.\n");
            continue;
        };
        match sha256_of_beginning(&path, bytes) {
            Ok(hash) if hash == sha256 => {
                words += &format!("{name}: the {bytes} bytes that were read are as they were.\n");
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                words += &format!("{name}: it is not here any more.\n");
            }
            Ok(_) => changed.push(format!("{name} differs in the {bytes} bytes that were read")),
            Err(error) => changed.push(format!("{name}: {error}")),
        }
    }
    if changed.is_empty() { Ok(words) } else { Err(VerifyError::SourceChanged(changed.join("; "))) }
}

fn path_of(config: &Config, name: &str) -> Option<PathBuf> {
    if name == super::gather::AUDIT {
        return Some(audit::place(config).log);
    }
    let file = name.strip_prefix("logs/").filter(|it| !it.contains('/'))?;
    Some(config.logs.dir.as_ref()?.join(file))
}
