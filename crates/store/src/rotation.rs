//! Changes the master key: everything in the keyring is wrapped anew, the old key opens nothing any
//! more, and no record of the ledger is touched.
//!
//! The new key is written beside the old one first (`master.key.new`), then the keyring is wrapped
//! with it, then it takes the old one's place. A crash in between leaves either the old key and its
//! keyring, or a keyring that the key beside opens: [`open_master`] finishes what was left.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use protocol::ledger::LedgerError;

use crate::{
    KeyError, KeyPlace, Keys, Store,
    keyring::{self, Keyring},
    keys,
};

/// Why the master key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The new key cannot be made or read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keyring could not be written. The next start finds out how far it came.
    #[error("the keyring was not wrapped anew")]
    NotWrapped(#[source] LedgerError),
    /// The keyring is wrapped with the new key, which could not take the old one's place.
    #[error(
        "the keyring is wrapped with the new key {}, which could not be moved to its place; move \
         it there by hand", path.display()
    )]
    NotMoved {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Opens the master key, and finishes a change of it that a crash interrupted.
///
/// # Errors
/// As [`Keys::open`].
pub fn open_master(key: &Path, keyring: &Path, place: KeyPlace<'_>) -> Result<Keys, KeyError> {
    let beside = beside(key);
    if beside.exists()
        && let Ok(new) = Keys::open(&beside, place)
        && Keyring::opens_with(keyring, &new)
    {
        match put_in_place(&beside, key) {
            // Another process has just finished it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(KeyError::Unusable { path: beside, source }),
            Ok(()) => return Ok(new),
        }
    }
    Keys::open(key, place)
}

/// Makes a new master key and wraps the keyring of an open store with it.
///
/// # Errors
/// See [`RotateError`].
pub async fn rotate(store: &Store, key: &Path, place: KeyPlace<'_>) -> Result<(), RotateError> {
    let beside = beside(key);
    // Of a change that did not come as far as the keyring: nothing is wrapped with it, or
    // `open_master` would have moved it.
    match fs::remove_file(&beside) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(KeyError::Unusable { path: beside, source }.into());
        }
        Ok(()) | Err(_) => {}
    }
    let new = Keys::create(&beside, place)?;
    store.rewrap(new).await.map_err(RotateError::NotWrapped)?;
    put_in_place(&beside, key).map_err(|source| RotateError::NotMoved { path: beside, source })
}

/// Wraps the keyring of an open store with the master key at another place, which is made there if
/// there is none. The old key's file is left as it is: it opens nothing any more.
///
/// # Errors
/// See [`RotateError`].
pub async fn rotate_to(store: &Store, key: &Path, place: KeyPlace<'_>) -> Result<(), RotateError> {
    let new = if key.exists() { Keys::open(key, place)? } else { Keys::create(key, place)? };
    store.rewrap(new).await.map_err(RotateError::NotWrapped)
}

/// Wraps the keyring of an open store with a master key that is kept elsewhere.
///
/// # Errors
/// [`RotateError::NotWrapped`]: the old key is in force.
pub async fn rotate_with(store: &Store, new: Keys) -> Result<(), RotateError> {
    store.rewrap(new).await.map_err(RotateError::NotWrapped)
}

/// True if this master key opens the keyring, or there is no keyring yet that it could fail to open.
#[must_use]
pub fn fits(keyring: &Path, master: &Keys) -> bool {
    !keyring.exists() || Keyring::opens_with(keyring, master)
}

fn beside(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn put_in_place(beside: &Path, key: &Path) -> io::Result<()> {
    let old = fs::OpenOptions::new().write(true).open(key);
    fs::rename(beside, key)?;
    File::open(keys::parent(key))?.sync_all()?;
    if let Ok(old) = old {
        keyring::overwrite(&old);
    }
    Ok(())
}
