//! Keys for rule packs: the private one in a file of its maker, the public one in the configuration
//! of whoever trusts it.

use std::{
    fmt, fs, io,
    io::{Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use super::pack::public;

/// What a private key's file begins with.
const FILE_START: &str = "guildhall-pack-key ed25519 ";
/// What a public key begins with.
const PUBLIC_START: &str = "ed25519:";
/// The longest key file, in bytes.
const FILE_BYTES_MAX: u64 = 1_024;

/// A public key whose packs are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackKey(VerifyingKey);

/// Why a key file cannot be made or used. Says nothing of what is in it.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Others may read it.
    #[error("the key file may be read by others: chmod 600 it")]
    Exposed,
    /// It is no key file.
    #[error("that is no key file of `guildhall rules keygen`")]
    NoKey,
    /// The system refused.
    #[error("the key file cannot be used")]
    Io(#[source] io::Error),
    /// The system has no random numbers.
    #[error("the system has no random numbers for a key")]
    NoRandomness(#[source] getrandom::Error),
}

impl PackKey {
    /// Reads a public key: `ed25519:` and 32 bytes as base64. `None` if it is none, or one that
    /// anybody could sign for.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix(PUBLIC_START)?).ok()?;
        let key = VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    /// The public half of a private key.
    #[must_use]
    pub fn of(key: &SigningKey) -> Self {
        Self(public(key))
    }

    pub(super) fn verifying(&self) -> &VerifyingKey {
        &self.0
    }
}

impl fmt::Display for PackKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_START}{}", STANDARD.encode(self.0.as_bytes()))
    }
}

/// Makes a key, writes it to a new file that only its owner may read, and gives its public half.
///
/// # Errors
/// If there is a file already, or it cannot be written.
pub fn keygen(path: &Path) -> Result<PackKey, KeyFileError> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(KeyFileError::NoRandomness)?;
    let key = SigningKey::from_bytes(&seed);
    let encoded = Zeroizing::new(STANDARD.encode(seed.as_slice()));
    let text = Zeroizing::new(format!("{FILE_START}{}\n", *encoded));
    let write = || -> io::Result<()> {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(KeyFileError::Io)?;
    Ok(PackKey::of(&key))
}

/// Reads a private key.
///
/// # Errors
/// If others may read the file, or it holds no key.
pub fn read_signing_key(path: &Path) -> Result<SigningKey, KeyFileError> {
    let file = fs::File::open(path).map_err(KeyFileError::Io)?;
    let mode = file.metadata().map_err(KeyFileError::Io)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed);
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(KeyFileError::Io)?;
    let encoded = text.trim().strip_prefix(FILE_START).ok_or(KeyFileError::NoKey)?;
    let seed = STANDARD.decode(encoded).map_err(|_not_base64| KeyFileError::NoKey)?;
    let seed = Zeroizing::new(seed);
    let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_length| KeyFileError::NoKey)?;
    Ok(SigningKey::from_bytes(seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_for_its_owner_only_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pack.key");
        let public = keygen(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let key = read_signing_key(&path).unwrap();
        assert_eq!(PackKey::of(&key), public);
        assert_eq!(PackKey::read(&public.to_string()), Some(public));
        assert!(matches!(keygen(&path), Err(KeyFileError::Io(_))), "no key is overwritten");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_signing_key(&path), Err(KeyFileError::Exposed)));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let weak = format!("{PUBLIC_START}{}", STANDARD.encode([0_u8; 32]));
        for text in ["", "ed25519:", "ed25519:AAAA", "rsa:AAAA", weak.as_str()] {
            assert_eq!(PackKey::read(text), None, "{text}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other");
        fs::write(&path, "something else").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(read_signing_key(&path), Err(KeyFileError::NoKey)));
    }
}
