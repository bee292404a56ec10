//! Reads sealed log files: whole, their end, or as they grow. Also while a hall writes them.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use protocol::frames::{FileId, FrameSeal};

use crate::files::{FRAME_BYTES_MAX, HEAD_BYTES, MAGIC, OLD_SUFFIX, log_files};

/// The log files of a folder, oldest first.
///
/// # Errors
/// If the folder cannot be read.
pub fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    log_files(dir)
}

/// What of a file does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The end of the last frame is missing. Everything before it is there.
    #[error("its last frame is torn: the hall was killed as it wrote it")]
    Torn,
    /// A frame does not open: neither it nor what follows is shown.
    #[error("what follows was changed, is damaged, or is sealed with another key")]
    Changed,
    /// It does not begin as a log file does.
    #[error("it is no log file of this version")]
    Foreign,
}

/// What came of reading on in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Lines, each with its end.
    pub text: Vec<u8>,
    /// What of the file does not open, if anything does not.
    pub damage: Option<Damage>,
}

/// One log file that is being read.
pub struct LogFile {
    file: File,
    seal: Arc<dyn FrameSeal>,
    /// `None` until the head is read.
    id: Option<FileId>,
    frames: u64,
    at: u64,
    /// A file of an earlier version: lines in the clear.
    is_plain: bool,
    is_broken: bool,
}

impl std::fmt::Debug for LogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFile").field("at", &self.at).finish_non_exhaustive()
    }
}

impl LogFile {
    /// Opens a file.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path, seal: Arc<dyn FrameSeal>) -> io::Result<Self> {
        let is_plain = path.to_str().is_some_and(|it| it.ends_with(OLD_SUFFIX));
        let (file, id) = (File::open(path)?, None);
        Ok(Self { file, seal, id, frames: 0, at: 0, is_plain, is_broken: false })
    }

    /// Reads on to the end as it is now. `is_whole`: nobody writes it any more, so that a frame that
    /// is not all there is torn.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_on(&mut self, is_whole: bool) -> io::Result<Lines> {
        let mut lines = Lines::default();
        if self.is_broken {
            return Ok(lines);
        }
        self.file.seek(SeekFrom::Start(self.at))?;
        if self.is_plain {
            self.at += self.file.read_to_end(&mut lines.text)? as u64;
            return Ok(lines);
        }
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        let mut rest = bytes.as_slice();
        if self.id.is_none() {
            match self.head(rest) {
                Head::Is(id, after) => (self.id, rest) = (Some(id), after),
                Head::NotYet => return Ok(self.end(rest, is_whole, lines)),
                Head::Isnt => return Ok(self.broken(lines, Damage::Foreign)),
            }
        }
        let Some(id) = self.id else { return Ok(lines) };
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            if FRAME_BYTES_MAX < length {
                return Ok(self.broken(lines, Damage::Changed));
            }
            let Some((frame, after)) = after.split_at_checked(length) else { break };
            let Some(text) = self.seal.open(&id, self.frames, frame) else {
                return Ok(self.broken(lines, Damage::Changed));
            };
            lines.text.extend_from_slice(&text);
            self.frames += 1;
            self.at += 4 + length as u64;
            rest = after;
        }
        Ok(self.end(rest, is_whole, lines))
    }

    /// How many bytes of the file were read and opened so far, from its beginning.
    #[must_use]
    pub fn opened_bytes(&self) -> u64 {
        self.at
    }

    fn head<'b>(&mut self, bytes: &'b [u8]) -> Head<'b> {
        let Some((head, after)) = bytes.split_at_checked(HEAD_BYTES) else {
            let is_ours = MAGIC.starts_with(bytes.get(..8).unwrap_or(bytes));
            return if is_ours { Head::NotYet } else { Head::Isnt };
        };
        let id = head.strip_prefix(MAGIC).and_then(|it| FileId::try_from(it).ok());
        match id {
            Some(id) => {
                self.at += HEAD_BYTES as u64;
                Head::Is(id, after)
            }
            None => Head::Isnt,
        }
    }

    fn end(&mut self, rest: &[u8], is_whole: bool, lines: Lines) -> Lines {
        if is_whole && !rest.is_empty() {
            return self.broken(lines, Damage::Torn);
        }
        lines
    }

    fn broken(&mut self, lines: Lines, damage: Damage) -> Lines {
        self.is_broken = true;
        Lines { damage: Some(damage), ..lines }
    }
}

/// What a file begins with.
enum Head<'b> {
    Is(FileId, &'b [u8]),
    NotYet,
    Isnt,
}
