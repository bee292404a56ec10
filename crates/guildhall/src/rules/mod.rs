//! The guard's rules as an operator has them: files, signed packs, keys, and trying rules on the
//! past.
//!
//! Invariants: PACK-1 a pack that no trusted key signed is neither installed nor loaded. PACK-2 an
//! installed pack is never replaced by an older one. PACK-3 a pack is replaced whole or not at all.

mod book;
mod install;
mod keys;
mod pack;
mod past;

pub use self::{
    book::{Book, Sources},
    install::{InstallError, Installed, install, packs_folder, write_whole},
    keys::{KeyFileError, PackKey, keygen, read_signing_key},
    pack::{Pack, PackError, body_of, rule_file, sign},
    past::{Marked, Question, marked_offline, table, try_offline},
};

pub(crate) use self::past::answer;

use std::{fs, io, io::Read as _, path::Path};

/// The largest rule file or pack that is read from a command line, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Reads a file of the operator, of limited size.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn read_text(path: &Path) -> Result<String, String> {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
        if FILE_BYTES_MAX < text.len() as u64 {
            return Err(io::Error::other(format!("it is larger than {FILE_BYTES_MAX} bytes")));
        }
        Ok(text)
    };
    read().map_err(|error| format!("{} cannot be read: {error}", path.display()))
}
