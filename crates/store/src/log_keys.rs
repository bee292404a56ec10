//! Seals the frames of log files, with a key of their own.
//!
//! ```text
//! frame = nonce (24) · sealed bytes · tag (16); the file's id and the frame's number are authenticated
//! ```

use std::{fmt, path::Path};

use protocol::frames::{FileId, FrameSeal, SealError};

use crate::{
    KeyringError,
    aead::{Aead, NONCE_BYTES, Opened, TAG_BYTES},
    keyring::Keyring,
    keys::Keys,
};

/// The key of a hall's log files. Derived from the keyring's root, which outlives a change of the
/// master key.
pub struct LogKeys {
    aead: Aead,
}

impl fmt::Debug for LogKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogKeys")
    }
}

impl LogKeys {
    /// The key of the hall that this keyring belongs to. The hall may run meanwhile.
    ///
    /// # Errors
    /// If the keyring cannot be read, or the master key is not its own.
    pub fn open(keyring: &Path, keys: &Keys) -> Result<Self, KeyringError> {
        Ok(Self::of(&Keyring::read_root(keyring, keys)?))
    }

    /// The key that belongs to a keyring's root.
    pub(crate) fn of(root: &Keys) -> Self {
        Self { aead: Aead::new(&root.derive("log files")) }
    }
}

/// What is authenticated with a frame: its place.
fn place(file: &FileId, number: u64) -> [u8; 24] {
    let mut place = [0; 24];
    let (id, count) = place.split_at_mut(file.len());
    id.copy_from_slice(file);
    count.copy_from_slice(&number.to_be_bytes());
    place
}

impl FrameSeal for LogKeys {
    fn new_file(&self) -> Result<FileId, SealError> {
        let mut id = FileId::default();
        getrandom::fill(&mut id).map_err(|_no_randomness| SealError)?;
        Ok(id)
    }

    fn seal(&self, file: &FileId, number: u64, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_no_randomness| SealError)?;
        let mut frame = Vec::with_capacity(NONCE_BYTES + plain.len() + TAG_BYTES);
        frame.extend_from_slice(&nonce);
        frame.extend_from_slice(plain);
        let Some(text) = frame.get_mut(NONCE_BYTES..) else { return Err(SealError) };
        let place = place(file, number);
        let tag = self.aead.seal(&nonce, &place, text);
        // It fails for texts of 256 GiB and more.
        frame.extend_from_slice(&tag.map_err(|_too_long| SealError)?);
        Ok(frame)
    }

    fn open(&self, file: &FileId, number: u64, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let (text, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        self.aead.open(nonce, &place(file, number), text, tag).ok().map(Opened::into_vec)
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn a_frame_opens_only_with_its_key_in_its_file_at_its_place() {
        let keys = |byte| LogKeys::of(&Keys::of_root(Zeroizing::new([byte; 32])));
        let (ours, theirs) = (keys(1), keys(2));
        let (file, other) = (ours.new_file().unwrap(), ours.new_file().unwrap());
        assert_ne!(file, other);
        let frame = ours.seal(&file, 3, b"a line\n").unwrap();
        assert_eq!(ours.open(&file, 3, &frame).unwrap(), b"a line\n");
        assert!(theirs.open(&file, 3, &frame).is_none());
        assert!(ours.open(&other, 3, &frame).is_none());
        assert!(ours.open(&file, 4, &frame).is_none());
        for at in 0..frame.len() {
            let mut changed = frame.clone();
            changed[at] ^= 1;
            assert!(ours.open(&file, 3, &changed).is_none(), "byte {at}");
            assert!(ours.open(&file, 3, &frame[..at]).is_none(), "{at} bytes of it");
        }
        assert_ne!(frame, ours.seal(&file, 3, b"a line\n").unwrap(), "a nonce of its own");
    }
}
