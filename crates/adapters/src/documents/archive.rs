//! The archive that an office document is: parts by their exact names, never written anywhere.
//!
//! DOCUMENTS-2: all parts together unfold to so many bytes, counted while they do.

use std::io::{Cursor, ErrorKind, Read as _};

use protocol::document::ReadDocumentError;
use zip::{ZipArchive, result::ZipError};

/// The parts of one document.
const PARTS_MAX: usize = 10_000;
/// What all parts that are read may unfold to.
const UNFOLDED_BYTES_MAX: u64 = 64 << 20;

/// See the file head.
pub(super) struct Archive<'d> {
    inner: ZipArchive<Cursor<&'d [u8]>>,
    bytes_left: u64,
}

impl<'d> Archive<'d> {
    pub(super) fn open(document: &'d [u8]) -> Result<Self, ReadDocumentError> {
        let inner = ZipArchive::new(Cursor::new(document)).map_err(|error| why(&error))?;
        if PARTS_MAX < inner.len() {
            return Err(ReadDocumentError::TooMuch);
        }
        Ok(Self { inner, bytes_left: UNFOLDED_BYTES_MAX })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.inner.index_for_name(name).is_some()
    }

    /// The numbers in the names of parts like `ppt/slides/slide12.xml`, lowest first.
    pub(super) fn numbered(&self, before: &str, behind: &str) -> Vec<u32> {
        let number = |name: &[u8]| {
            let name = std::str::from_utf8(name).ok()?;
            name.strip_prefix(before)?.strip_suffix(behind)?.parse().ok()
        };
        let mut numbers: Vec<u32> = self.inner.file_names_raw().filter_map(number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// A part that the document must have.
    pub(super) fn part(&mut self, name: &str) -> Result<Vec<u8>, ReadDocumentError> {
        let part = self.inner.by_name(name).map_err(|error| why(&error))?;
        let mut bytes = Vec::new();
        let read = part.take(self.bytes_left + 1).read_to_end(&mut bytes);
        let count = read.map_err(|error| {
            let is_too_much = error.kind() == ErrorKind::OutOfMemory;
            if is_too_much { ReadDocumentError::TooMuch } else { ReadDocumentError::Damaged }
        })? as u64;
        let left = self.bytes_left.checked_sub(count).ok_or(ReadDocumentError::TooMuch)?;
        self.bytes_left = left;
        Ok(bytes)
    }

    /// A part that it may have.
    pub(super) fn part_if(&mut self, name: &str) -> Result<Vec<u8>, ReadDocumentError> {
        if self.has(name) { self.part(name) } else { Ok(Vec::new()) }
    }
}

fn why(error: &ZipError) -> ReadDocumentError {
    let is_locked = matches!(error, ZipError::InvalidPassword)
        || matches!(error, ZipError::UnsupportedArchive(what) if *what == ZipError::PASSWORD_REQUIRED);
    if is_locked { ReadDocumentError::Locked } else { ReadDocumentError::Damaged }
}
