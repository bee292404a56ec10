//! Logs without personal text: ECS lines, redaction as a last line of defence, keyed hashes for ids.
//!
//! - [`Logs`] writes one JSON object a line, never holds up whoever logs, and counts what it loses.
//! - [`read`] opens the sealed files that it writes.
//! - [`Redactor`] replaces known secrets, also where they are encoded.
//! - [`Form`] is what lines look like elsewhere, [`Emf`] makes lines of figures.
//! - [`KeyedHasher`] turns people, chats and texts into words that may stand in a log.
//!
//! No code elsewhere in the project writes log lines or log files.

mod cef;
mod ecs;
mod emf;
pub mod figures;
mod files;
mod form;
mod hasher;
mod logs;
mod ocsf;
pub mod otlp;
pub mod read;
mod redact;
mod sink;
mod syslog;

pub use emf::Emf;
pub use form::Form;
pub use hasher::KeyedHasher;
pub use logs::{FigureLines, LogConfig, LogError, Logs, Tap};
pub use redact::{Redactor, RedactorError};
pub use syslog::SyslogConfig;
