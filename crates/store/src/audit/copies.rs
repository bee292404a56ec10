//! Copies of the audit log on a shelf, beside the backups of the ledger.
//!
//! The log only grows, so it is kept in blocks of fixed size: a full one is written once, the last one
//! anew when there is more of it. No key is in them, and none is ever removed but for a longer one of
//! the same place. A name is `audit-id-block-end.gha`.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
};

use protocol::shelf::Shelf;

use super::{
    AuditError, AuditKeys, AuditPlace,
    chain::{self, HEADER_BYTES, LogId},
    log::{self, Judging},
};
use crate::{
    erasure::{hex, unhex},
    keys, power,
};

const BLOCK_BYTES: u64 = 1024 * 1024;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The shelf refused.
    #[error("{place} cannot be used for the audit log")]
    Shelf {
        /// Where it is.
        place: String,
        /// What it said.
        source: io::Error,
    },
    /// More was copied before than is there now.
    #[error(
        "{place} holds more of the audit log than the data folder: its end was cut off; \
         `guildhall audit verify` says where"
    )]
    Ahead {
        /// Where it is.
        place: String,
    },
    /// What was copied does not follow from its beginning.
    #[error(transparent)]
    Log(#[from] AuditError),
}

impl From<io::Error> for CopyError {
    fn from(error: io::Error) -> Self {
        Self::Log(error.into())
    }
}

/// The name of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    log: LogId,
    number: u64,
    end: u64,
}

impl Block {
    fn name(&self) -> String {
        format!("audit-{}-{:06}-{:014}.gha", hex(&self.log), self.number, self.end)
    }

    fn read(name: &str) -> Option<Self> {
        let fields = name.strip_prefix("audit-")?.strip_suffix(".gha")?;
        let mut fields = fields.split('-');
        let log = unhex(fields.next()?)?;
        let block =
            Self { log, number: fields.next()?.parse().ok()?, end: fields.next()?.parse().ok()? };
        (block.name() == name).then_some(block)
    }
}

fn blocks(shelf: &dyn Shelf) -> Result<Vec<Block>, CopyError> {
    let listed = shelf.list().map_err(|error| shelf_error(shelf, error))?;
    let mut found: Vec<Block> = listed.iter().filter_map(|it| Block::read(&it.name)).collect();
    found.sort();
    Ok(found)
}

fn shelf_error(shelf: &dyn Shelf, source: io::Error) -> CopyError {
    CopyError::Shelf { place: shelf.place(), source }
}

/// Copies what is not on the shelf yet, and reads it back. The log may be in use. Returns how many
/// bytes of the log are on the shelf.
///
/// # Errors
/// Why there is no copy, or that more was there before.
pub fn shelve(place: &AuditPlace, shelf: &dyn Shelf) -> Result<u64, CopyError> {
    let file = match File::open(&place.log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file?,
    };
    let len = file.metadata()?.len();
    let mut head = vec![0; HEADER_BYTES];
    if file.read_exact_at(&mut head, 0).is_err() {
        return Ok(0);
    }
    let id =
        chain::read_header(&head).map_err(|_other| AuditError::from(super::Finding::NotALog))?;
    let known = blocks(shelf)?;
    let ours = || known.iter().filter(|it| it.log == id);
    if ours().any(|it| len < it.end) {
        return Err(CopyError::Ahead { place: shelf.place() });
    }
    for number in 0..len.div_ceil(BLOCK_BYTES) {
        let begin = number * BLOCK_BYTES;
        let block = Block { log: id, number, end: len.min(begin + BLOCK_BYTES) };
        if ours().any(|it| *it == block) {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(block.end - begin).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, begin)?;
        keep(shelf, &block.name(), &bytes).map_err(|error| shelf_error(shelf, error))?;
        for older in ours().filter(|it| it.number == number) {
            shelf.remove(&older.name()).map_err(|error| shelf_error(shelf, error))?;
        }
    }
    Ok(len)
}

fn keep(shelf: &dyn Shelf, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut draft = shelf.draft(name)?;
    draft.write_all(bytes)?;
    draft.keep()?;
    let mut back = Vec::with_capacity(bytes.len());
    shelf.read(name)?.read_to_end(&mut back)?;
    if back == bytes {
        return Ok(());
    }
    Err(io::Error::other("the copy of the audit log is not on the shelf as it was written"))
}

/// Puts the newest log of this hall back from a shelf, if there is none in its place. Returns whether
/// it did. What a crash leaves of it is done again.
///
/// # Errors
/// If none of what is there follows from its beginning with these keys.
pub fn put_back(
    place: &AuditPlace,
    shelf: &dyn Shelf,
    keys: &AuditKeys,
) -> Result<bool, CopyError> {
    if place.log.exists() {
        return Ok(false);
    }
    let mut logs = BTreeMap::<LogId, BTreeMap<u64, Block>>::new();
    for block in blocks(shelf)? {
        // The longest of a place comes last.
        logs.entry(block.log).or_default().insert(block.number, block);
    }
    let half_made = AuditPlace { log: place.log.with_extension("restoring"), ..place.clone() };
    let mut first_error = None;
    for blocks in logs.into_values().rev() {
        fetch(&half_made, shelf, &blocks)?;
        match log::follow(&half_made, keys, Judging::Restored, &mut |_, _| Ok(())) {
            Ok(_) => {
                fs::rename(&half_made.log, &place.log)?;
                power::sync_folder(&keys::parent(&place.log))?;
                return Ok(true);
            }
            // A log of another hall, or one that was changed on the shelf.
            Err(error) => first_error = first_error.or(Some(error)),
        }
        fs::remove_file(&half_made.log)?;
    }
    first_error.map_or(Ok(false), |error| Err(error.into()))
}

/// Fetches blocks as far as there is no gap.
fn fetch(
    place: &AuditPlace,
    shelf: &dyn Shelf,
    blocks: &BTreeMap<u64, Block>,
) -> Result<(), CopyError> {
    let folder = keys::parent(&place.log);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let mut options = File::options();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&place.log)?;
    for (expected, (number, block)) in (0..).zip(blocks) {
        if *number != expected {
            break;
        }
        let mut bytes = Vec::new();
        let read =
            shelf.read(&block.name()).and_then(|it| it.take(BLOCK_BYTES).read_to_end(&mut bytes));
        read.map_err(|error| shelf_error(shelf, error))?;
        file.write_all(&bytes)?;
    }
    Ok(power::sync_data(&file, &place.log)?)
}
