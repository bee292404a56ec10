//! What stands at the end of a report in every format: what was read, the SHA-256 of all that stands above, and
//! the hall's signature of these lines.
//!
//! ```text
//! guildhall forensic report 1
//! report: …            its own name
//! incident: 3
//! made: …              milliseconds since 1970
//! version: 0.1.0
//! records: 57          of the audit log,
//! head: …              and the hash of the last
//! source: <sha256> <bytes> <name>      for each file
//! content: …           SHA-256 of every byte above these lines
//! key: …
//! signature: …
//! ```
//!
//! What is around the lines depends on the format and is fixed; whatever else is changed is found. FORENSICS-3.

use sha2::{Digest as _, Sha256};
use store::audit::{AuditKeys, StatementError, verify_statement};

use super::{Form, Report, lines::hex};

const TITLE: &str = "guildhall forensic report 1";

/// Why a report does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SealError {
    /// There is no seal, or the text goes on behind it.
    #[error("it does not end with the seal of a report")]
    NoSeal,
    /// The lines of the seal.
    #[error("its seal was changed: {0}")]
    Statement(#[from] StatementError),
    /// What stands above it.
    #[error("what stands above its seal is not what was sealed")]
    Content,
}

/// Puts the seal behind a report.
pub(super) fn put(form: Form, content: &str, report: &Report, keys: &AuditKeys) -> Option<String> {
    let signed = keys.sign(&statement(content, report))?;
    Some(whole(form, content, &signed))
}

fn statement(content: &str, report: &Report) -> String {
    let Report { id, made, incident, chain, .. } = report;
    let mut text = format!(
        "{TITLE}\nreport: {id}\nincident: {}\nmade: {}\nversion: {}\nrecords: {}\nhead: {}\n",
        incident.number, made.at_ms, made.version, chain.records, chain.head
    );
    for it in &report.sources {
        text += &format!("source: {} {} {}\n", it.sha256, it.bytes, it.name);
    }
    text + &format!("content: {}\n", hex(&Sha256::digest(content)))
}

/// Everything, in the only way in which it can be written.
fn whole(form: Form, content: &str, signed: &str) -> String {
    let lines: String = match form {
        Form::Md | Form::Html => signed.to_owned(),
        Form::Json => {
            let lines: Vec<String> = signed.lines().map(|it| format!("    \"{it}\"")).collect();
            lines.join(",\n") + "\n"
        }
    };
    format!("{content}{lines}{}", tail(form))
}

const fn tail(form: Form) -> &'static str {
    match form {
        Form::Md => "```\n",
        Form::Html => "</pre></section>\n</body></html>\n",
        Form::Json => "  ]\n}\n",
    }
}

/// A report whose seal is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) form: Form,
    /// The key that signed it.
    pub(super) key: String,
    /// The lines of the seal.
    pub(super) statement: String,
}

impl Opened {
    /// The values of the lines with this name.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let of = move |line: &'_ str| line.len() > name.len() && line.starts_with(name);
        let values = self.statement.lines().filter(move |line| of(line));
        values.filter_map(move |line| line.get(name.len()..)?.strip_prefix(": "))
    }
}

/// Looks whether a report is as it was sealed. Whose the key is, is for the caller to know.
pub(super) fn open(text: &str) -> Result<Opened, SealError> {
    let form = Form::of(text).ok_or(SealError::NoSeal)?;
    let at = text.rfind(TITLE).ok_or(SealError::NoSeal)?;
    let (mut content, rest) = text.split_at_checked(at).ok_or(SealError::NoSeal)?;
    let lines = rest.strip_suffix(tail(form)).ok_or(SealError::NoSeal)?;
    let statement = match form {
        Form::Md | Form::Html => lines.to_owned(),
        Form::Json => {
            content = content.strip_suffix("    \"").ok_or(SealError::NoSeal)?;
            lines.replace("\",\n    \"", "\n").replace("\"\n", "\n")
        }
    };
    let key = verify_statement(&statement)?;
    let opened = Opened { form, key, statement };
    let hash = hex(&Sha256::digest(content));
    let is_whole = opened.values("content").eq([hash.as_str()])
        && whole(form, content, &opened.statement) == text;
    if is_whole { Ok(opened) } else { Err(SealError::Content) }
}
