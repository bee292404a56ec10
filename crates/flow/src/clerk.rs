//! What only the program can say of itself to officers: its backups, its reports, what it could not read.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kit::Mailbox;
use protocol::{BotId, Timestamp, UpdateId, ledger::Ledger};

use crate::archivist;

/// What a hall can be held against, by the words of `guildhall report`.
pub const STANDARDS: [&str; 5] = ["gdpr", "hipaa", "soc2", "owasp-llm", "eu-ai-act"];

/// A backup that can be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupLine {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
    /// How large it is.
    pub bytes: u64,
}

/// An update that could not be read, and was set aside alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Which bot got it.
    pub bot: BotId,
    /// Its id.
    pub update: UpdateId,
    /// When.
    pub at: Timestamp,
}

/// Knows the program. Each question may take its time, and holds up nobody.
#[async_trait]
pub trait Clerk: Send + Sync + 'static {
    /// The backups that can be restored, newest first.
    ///
    /// # Errors
    /// Why they cannot be looked at, in words.
    async fn backups(&self) -> Result<Vec<BackupLine>, String>;

    /// Holds the hall against one of [`STANDARDS`]: a document in Markdown, without ids and texts of people.
    ///
    /// # Errors
    /// Why there is none, in words.
    async fn report(&self, standard: &'static str) -> Result<String, String>;

    /// The newest updates that could not be read, newest first.
    ///
    /// # Errors
    /// Why they cannot be looked at, in words.
    async fn unread(&self) -> Result<Vec<Unread>, String>;
}

/// What is at hand for what officers ask in a chat.
#[derive(Clone)]
pub struct Bench {
    /// Knows the program.
    pub clerk: Arc<dyn Clerk>,
    /// Makes backups, where they are not switched off.
    pub archivist: Option<Mailbox<archivist::Msg>>,
    /// The durable record.
    pub ledger: Arc<dyn Ledger>,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").finish_non_exhaustive()
    }
}
