//! The form in which a line leaves: as it was made, or as those who watch for attacks read it.
//!
//! A line is made once, cleaned and cut, as JSON in ECS. Another form is made of that line, on the thread
//! that writes it, so that nothing gets into it that is not in the line, and nobody who logs waits for it.

use std::io::{self, Write};

use serde_json::{Map, Value};

use crate::{cef, emf, ocsf};

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// The line as it was made: JSON in Elastic's Common Schema.
    #[default]
    Ecs,
    /// `ArcSight`'s Common Event Format.
    Cef,
    /// JSON in the Open Cybersecurity Schema Framework.
    Ocsf,
}

impl Form {
    /// The line in this form, without a line end.
    #[must_use]
    pub fn of(self, line: &[u8]) -> Vec<u8> {
        let line = line.trim_ascii_end();
        let make: fn(&Line) -> String = match self {
            Self::Ecs => return line.to_owned(),
            Self::Cef => cef::line,
            Self::Ocsf => ocsf::line,
        };
        // Figures for `CloudWatch` have one form. No line begins so that was logged.
        if line.starts_with(emf::BEGINNING) {
            return line.to_owned();
        }
        match serde_json::from_slice(line) {
            Ok(Value::Object(fields)) => make(&Line(fields)).into_bytes(),
            Ok(_) | Err(_) => line.to_owned(),
        }
    }
}

/// Writes lines in a form. Takes one line a call.
pub(crate) struct Formed<W> {
    pub(crate) to: W,
    pub(crate) form: Form,
}

impl<W: Write> Write for Formed<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.form {
            Form::Ecs => self.to.write_all(line)?,
            Form::Cef | Form::Ocsf => {
                let mut formed = self.form.of(line);
                formed.push(b'\n');
                self.to.write_all(&formed)?;
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A line that is to be put in another form.
pub(crate) struct Line(pub(crate) Map<String, Value>);

/// How bad what a line says is, for those who watch for attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// It happened.
    Informational,
    /// Worth a look.
    Medium,
    /// Somebody tried something, or something failed.
    High,
    /// Look now.
    Critical,
}

impl Line {
    /// A field that is a text; empty if there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// `event.action`, or `log` for a line without one.
    pub(crate) fn action(&self) -> &str {
        let action = self.text("event.action");
        if action.is_empty() { "log" } else { action }
    }

    /// When it was, in milliseconds since 1970.
    pub(crate) fn time_ms(&self) -> i64 {
        let time = self.text("@timestamp").parse::<jiff::Timestamp>();
        time.map(jiff::Timestamp::as_millisecond).unwrap_or_default()
    }

    /// Every field that has no place of its own in the other form.
    pub(crate) fn others<'a>(
        &'a self,
        placed: &'a [&str],
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let others = self.0.iter().filter(|(key, _)| !placed.contains(&key.as_str()));
        others.map(|(key, value)| (key.as_str(), value))
    }

    /// What the action says about it, and else its level.
    pub(crate) fn weight(&self) -> Weight {
        match (self.action(), self.text("labels.severity"), self.text("log.level")) {
            (_, "critical", _) | ("tree_given_up" | "audit_lost" | "panic", _, _) => {
                Weight::Critical
            }
            ("blocked_attempt" | "admin_command_denied", _, _) | (_, "high", _) => Weight::High,
            ("security_warning" | "suspicious_pattern", _, _) | (_, "warning" | "medium", _) => {
                Weight::Medium
            }
            (_, _, "error") => Weight::High,
            (_, _, "warn") => Weight::Medium,
            (_, _, _info_or_less) => Weight::Informational,
        }
    }
}

/// A value as text.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}
