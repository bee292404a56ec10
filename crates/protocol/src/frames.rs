//! The port to what seals files that are written piece by piece: each piece opens only as what it
//! is, and where it stands.

/// A file's own name, which no other has.
pub type FileId = [u8; 16];

/// Nothing can be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be sealed: the system has no randomness to give")]
pub struct SealError;

/// Seals frames, and opens them.
pub trait FrameSeal: std::fmt::Debug + Send + Sync + 'static {
    /// A name for a new file.
    ///
    /// # Errors
    /// If there is no randomness.
    fn new_file(&self) -> Result<FileId, SealError>;

    /// Seals the frame of this number of a file.
    ///
    /// # Errors
    /// If there is no randomness.
    fn seal(&self, file: &FileId, number: u64, plain: &[u8]) -> Result<Vec<u8>, SealError>;

    /// What is in a frame; `None` if it is not this one, was changed, or was sealed with another key.
    fn open(&self, file: &FileId, number: u64, sealed: &[u8]) -> Option<Vec<u8>>;
}
