//! The master key: a file outside the data folder, and the keys derived from it.
//!
//! The master key itself seals nothing. Every purpose has its own key, derived by HKDF-SHA256 with
//! the purpose as its label, so that no key serves two purposes.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const HEX_BYTES: usize = 2 * KEY_BYTES;

/// The master key, in memory. It is wiped when dropped and has no `Debug`.
pub struct Keys {
    master: Zeroizing<[u8; KEY_BYTES]>,
}

/// Whether the key file may lie inside the data folder.
#[derive(Clone, Copy, Debug)]
pub enum KeyPlace<'a> {
    /// It must lie outside this folder: whoever copies the folder must not get the key with it.
    OutsideOf(&'a Path),
    /// The operator has decided that it may lie anywhere.
    Anywhere,
}

impl Keys {
    /// Makes a new key and writes it to `path`: 64 hexadecimal digits and a newline, mode 0600.
    /// Folders that are missing are made with mode 0700.
    ///
    /// # Errors
    /// If the file exists already (it is never overwritten), if its place is refused, or if it
    /// cannot be written and synced.
    pub fn create(path: &Path, place: KeyPlace<'_>) -> Result<Self, KeyError> {
        refuse_place(path, place)?;
        let folder = parent(path);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| KeyError::io(path, error))?;

        let mut master = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(master.as_mut_slice()).map_err(|error| KeyError::io(path, error.into()))?;
        let mut text = Zeroizing::new(String::with_capacity(HEX_BYTES + 1));
        for byte in master.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text.push('\n');

        let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = opened.map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                KeyError::Exists { path: path.to_owned() }
            } else {
                KeyError::io(path, error)
            }
        })?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::File::open(&folder)?.sync_all())
            .map_err(|error| KeyError::io(path, error))?;
        Ok(Self { master })
    }

    /// What a keyring's root gives: the hall's own keys, which outlive a change of the master key.
    pub(crate) fn of_root(root: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self { master: root }
    }

    /// The key itself, for a ledger of format 1: there the hall's own keys are derived from it.
    pub(crate) fn as_root(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        self.master.clone()
    }

    /// Reads the key from `path`.
    ///
    /// # Errors
    /// If the file is missing, may be read by others, lies where it must not, or is not a key.
    pub fn open(path: &Path, place: KeyPlace<'_>) -> Result<Self, KeyError> {
        let mut file = fs::File::open(path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                KeyError::Missing { path: path.to_owned() }
            } else {
                KeyError::io(path, error)
            }
        })?;
        refuse_place(path, place)?;
        let about = file.metadata().map_err(|error| KeyError::io(path, error))?;
        let mode = about.mode() & 0o777;
        if mode & 0o177 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new([0_u8; HEX_BYTES + 2]);
        let mut len = 0;
        while let Some(room) = text.get_mut(len..).filter(|room| !room.is_empty()) {
            match file.read(room).map_err(|error| KeyError::io(path, error))? {
                0 => break,
                read => len += read,
            }
        }
        let master = text.get(..len).and_then(parse_hex);
        let master = master.ok_or_else(|| KeyError::Malformed { path: path.to_owned() })?;
        Ok(Self { master })
    }

    /// A master key that was handed in: 64 hexadecimal digits. `None` if the text is anything else.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        Some(Self { master: parse_hex(text.trim_end().as_bytes())? })
    }

    /// A key for one purpose. The same label always gives the same key; keys of different labels
    /// tell nothing about each other or about the master key.
    #[must_use]
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        Hkdf::<Sha256>::new(Some(b"guildhall"), self.master.as_slice())
            .expand(label.as_bytes(), key.as_mut_slice())
            .expect("32 bytes are less than what HKDF-SHA256 can give (8,160)");
        key
    }
}

fn parse_hex(text: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let digits = text.strip_suffix(b"\n").unwrap_or(text);
    let digits: &[u8; HEX_BYTES] = digits.try_into().ok()?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    for (byte, pair) in key.iter_mut().zip(digits.as_chunks::<2>().0) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = (*byte << 4) | u8::try_from(value).ok()?;
        }
    }
    Some(key)
}

pub(crate) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

fn refuse_place(path: &Path, place: KeyPlace<'_>) -> Result<(), KeyError> {
    let KeyPlace::OutsideOf(folder) = place else { return Ok(()) };
    let real = |path: &Path| resolve(path).map_err(|error| KeyError::io(path, error));
    if real(path)?.starts_with(real(folder)?) {
        return Err(KeyError::BesideData { path: path.to_owned(), folder: folder.to_owned() });
    }
    Ok(())
}

/// The path without links, as far as it exists.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    for known in path.ancestors() {
        if let Ok(real) = known.canonicalize() {
            let rest = path.strip_prefix(known).map_err(io::Error::other)?;
            return Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) });
        }
    }
    Ok(path)
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such file.
    #[error(
        "the key file {} is missing; without it nothing can be read; restore it from where you \
         keep it, or run `guildhall init` for a new hall", path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is such a file already.
    #[error("the key file {} exists already and is not overwritten", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// It is not 64 hexadecimal digits.
    #[error(
        "the key file {} does not hold 64 hexadecimal digits; restore it from where you keep it",
        path.display()
    )]
    Malformed {
        /// Where.
        path: PathBuf,
    },
    /// Others than its owner may read it.
    #[error(
        "the key file {} may be used by others (mode {mode:03o}); run `chmod 600` on it",
        path.display()
    )]
    Exposed {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It lies inside the data folder, so that a copy of the one is a copy of the other.
    #[error(
        "the key file {} lies inside the data folder {}; keep it elsewhere",
        path.display(), folder.display()
    )]
    BesideData {
        /// Where.
        path: PathBuf,
        /// The data folder.
        folder: PathBuf,
    },
    /// The system refused.
    #[error("the key file {} cannot be used", path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl KeyError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Unusable { path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_created_key_opens_again_and_derives_the_same_keys() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("secrets/hall.key");
        let made = Keys::create(&path, KeyPlace::OutsideOf(&home.path().join("data"))).unwrap();
        let read = Keys::open(&path, KeyPlace::OutsideOf(&home.path().join("data"))).unwrap();
        assert_eq!(made.derive("a"), read.derive("a"));
        assert_ne!(made.derive("a"), made.derive("b"));
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert!(matches!(Keys::create(&path, KeyPlace::Anywhere), Err(KeyError::Exists { .. })));
    }

    #[test]
    fn a_key_that_is_missing_exposed_or_malformed_is_refused_in_words() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("hall.key");
        let refusal = || Keys::open(&path, KeyPlace::Anywhere).err().unwrap().to_string();
        assert!(refusal().contains("run `guildhall init` for a new hall"));
        fs::write(&path, "00".repeat(32)).unwrap();
        for mode in [0o640, 0o604, 0o700, 0o620] {
            chmod(&path, mode);
            assert!(refusal().contains("run `chmod 600`"), "{mode:o}");
        }
        chmod(&path, 0o600);
        assert!(Keys::open(&path, KeyPlace::Anywhere).is_ok());
        let long = "0".repeat(66);
        for wrong in ["", "00", &long, &"zz".repeat(32), &"0".repeat(63)] {
            fs::write(&path, wrong).unwrap();
            assert!(refusal().contains("does not hold 64 hexadecimal digits"), "{wrong}");
        }
    }

    #[test]
    fn a_key_inside_the_data_folder_is_refused_also_through_a_link() {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, home.path().join("link")).unwrap();
        for path in [data.join("hall.key"), home.path().join("link/new/hall.key")] {
            let refused = Keys::create(&path, KeyPlace::OutsideOf(&data)).err().unwrap();
            assert!(refused.to_string().contains("lies inside the data folder"), "{refused}");
        }
        let path = data.join("hall.key");
        Keys::create(&path, KeyPlace::Anywhere).unwrap();
        let refused = Keys::open(&path, KeyPlace::OutsideOf(&data));
        assert!(matches!(refused, Err(KeyError::BesideData { .. })));
    }
}
