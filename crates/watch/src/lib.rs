//! Logs without personal text: ECS lines, redaction as a last line of defence, keyed hashes for ids.
//!
//! - [`Logs`] writes one JSON object a line, never holds up whoever logs, and counts what it loses.
//! - [`read`] opens the sealed files that it writes.
//! - [`Redactor`] replaces known secrets, also where they are encoded.
//! - [`KeyedHasher`] turns people, chats and texts into words that may stand in a log.
//!
//! No code elsewhere in the project writes log lines or log files.

mod ecs;
mod files;
mod hasher;
mod logs;
pub mod read;
mod redact;
mod sink;
mod syslog;

pub use hasher::KeyedHasher;
pub use logs::{LogConfig, LogError, Logs};
pub use redact::{Redactor, RedactorError};
pub use syslog::SyslogConfig;
