//! Reads the text in documents of strangers, in a process of its own that can do nothing else.
//!
//! Owns      at most two processes at a time, each for one document. They end with it.
//! Promises  a document is read in time, in memory and in size, or not at all; whatever it does to its
//!           reader ends with that process.
//! On crash  a process ends with the hall.
//!
//! Invariants: DOCUMENTS-1 no byte of a document is looked into outside a cell (see `sandbox`).
//! DOCUMENTS-2 what a document unfolds to is limited while it unfolds, never by what it says of itself.

mod archive;
mod office;
mod page;
mod pdf;
mod sheet;
#[cfg(test)]
mod tests;

use std::{
    io::{Read, Write},
    panic::catch_unwind,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use protocol::document::{DocumentKind, DocumentReader, DocumentText, ReadDocumentError};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    sync::Semaphore,
};
use tracing::warn;

use self::page::Page;
use crate::tools::sandbox::{self, Cell, EnterError};

/// What the program calls the way of its own that reads one document.
pub const COMMAND: &str = "read-document";

/// Documents that are read at the same time: each may take `CELL.memory_bytes_max`.
const AT_A_TIME_MAX: usize = 2;
/// What one document may take.
const CELL: Cell = Cell { memory_bytes_max: 256 << 20, cpu_time_max: Duration::from_secs(10) };
/// How long one may take on a machine that has other things to do.
const TIME_MAX: Duration = Duration::from_secs(30);
/// A character takes no more as JSON: `\u0001`, or four bytes.
const CHAR_BYTES_MAX: u64 = 6;
/// What else stands in an answer.
const FRAME_BYTES_MAX: u64 = 1_024;
/// An office document that is locked is not in an archive but in a compound file.
const COMPOUND: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// What a process that read a document says.
type Said = Result<DocumentText, ReadDocumentError>;

/// See the file head.
pub struct CellReader {
    program: PathBuf,
    chars_max: usize,
    places: Semaphore,
}

impl CellReader {
    /// Starts `program`, which is ours, for each document, and takes so many characters of it.
    #[must_use]
    pub fn new(program: PathBuf, chars_max: usize) -> Self {
        Self { program, chars_max, places: Semaphore::new(AT_A_TIME_MAX) }
    }

    async fn ask(&self, document: &[u8]) -> Said {
        let mut child = Command::new(&self.program)
            .args([COMMAND, "--chars-max", &self.chars_max.to_string()])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What it says beside may hold anything: it is not logged.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| unavailable(&error))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (mut stdin, stdout) = pipes.ok_or(ReadDocumentError::Unavailable)?;
        // It reads all before it says anything. One that ended in the middle says so by how it ended.
        let wrote = stdin.write_all(document).await;
        drop(stdin);
        let most = FRAME_BYTES_MAX + self.chars_max as u64 * CHAR_BYTES_MAX;
        let mut said = Vec::new();
        let read = stdout.take(most).read_to_end(&mut said).await;
        let status = child.wait().await.map_err(|error| unavailable(&error))?;
        match (wrote, read) {
            (Ok(()), Ok(_)) => heard(status, &said),
            (Err(_), _) | (_, Err(_)) => Err(ended(status)),
        }
    }
}

#[async_trait]
impl DocumentReader for CellReader {
    async fn read(&self, document: Bytes) -> Result<DocumentText, ReadDocumentError> {
        // It is never closed.
        let _place = self.places.acquire().await;
        let asked = tokio::time::timeout(TIME_MAX, self.ask(&document)).await;
        asked.unwrap_or(Err(ReadDocumentError::TooMuch))
    }
}

fn unavailable(error: &dyn std::error::Error) -> ReadDocumentError {
    let words = "no process to read a document with";
    warn!(error.message = %error, event.action = "document_reader_failed", "{words}");
    ReadDocumentError::Unavailable
}

/// What a process said that ended well. What it says is as good as the document: text of a stranger.
fn heard(status: ExitStatus, said: &[u8]) -> Said {
    if !status.success() {
        return Err(ended(status));
    }
    serde_json::from_slice(said).unwrap_or(Err(ReadDocumentError::Damaged))
}

/// Why a process that did not end well did so.
fn ended(status: ExitStatus) -> ReadDocumentError {
    use std::os::unix::process::ExitStatusExt as _;

    match status.signal() {
        // No memory, or no time, was left to it.
        Some(libc::SIGABRT | libc::SIGKILL | libc::SIGXCPU) => ReadDocumentError::TooMuch,
        Some(_) => ReadDocumentError::Damaged,
        None => unavailable(&std::io::Error::other("it could not be confined")),
    }
}

/// Why a document cannot be read in this process at all.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot be confined. DOCUMENTS-1.
    #[error("the process cannot be confined")]
    Open(#[from] EnterError),
    /// A pipe broke.
    #[error("the document cannot be read or its text not written")]
    Pipe(#[from] std::io::Error),
}

/// What such a process does: confines itself for good, reads one document to its end, and says what is in
/// it or why that cannot be said. This process must have one thread.
///
/// # Errors
/// If it cannot be confined, or a pipe breaks.
pub fn serve(mut from: impl Read, mut to: impl Write, chars_max: usize) -> Result<(), ServeError> {
    sandbox::enter_cell(CELL)?;
    let mut document = Vec::new();
    from.read_to_end(&mut document)?;
    let said = read(&document, chars_max);
    let said = serde_json::to_vec(&said).map_err(std::io::Error::other)?;
    to.write_all(&said)?;
    to.flush()?;
    Ok(())
}

/// Reads a document, at most so many characters of it.
fn read(document: &[u8], chars_max: usize) -> Said {
    // Readers of others end in a panic where a document is not as they think. Here that harms nothing.
    let read = catch_unwind(|| {
        let mut page = Page::new(chars_max);
        let kind = put(document, &mut page)?;
        let (text, is_cut) = page.done();
        if text.is_empty() {
            return Err(ReadDocumentError::Wordless);
        }
        Ok(DocumentText { kind, text, is_cut })
    });
    read.unwrap_or(Err(ReadDocumentError::Damaged))
}

fn put(document: &[u8], page: &mut Page) -> Result<DocumentKind, ReadDocumentError> {
    let beginning = document.get(..1_024).unwrap_or(document);
    if beginning.windows(5).any(|it| it == b"%PDF-") {
        pdf::read(document, page)?;
        return Ok(DocumentKind::Pdf);
    }
    if document.starts_with(b"PK\x03\x04") {
        return office::read(document, page);
    }
    if document.starts_with(&COMPOUND) {
        let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let is_locked = memchr::memmem::find(document, &name).is_some();
        return Err(if is_locked { ReadDocumentError::Locked } else { ReadDocumentError::Unknown });
    }
    Err(ReadDocumentError::Unknown)
}
