//! The signed checkpoint of the audit log, kept apart from it, beside the keyring.
//!
//! The file has two slots that are written in turn, so that one of them is always whole. Each is text:
//! how many records there are, the hash of the last, and an Ed25519 signature. Whoever has the public
//! key can check it without us.

use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use protocol::Timestamp;

use super::chain::{Hash, LogId, Reach};
use crate::{
    erasure::{hex, unhex},
    keys, power,
};

pub(super) const TITLE: &str = "guildhall audit checkpoint 1";
const SLOT_BYTES: usize = 512;

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) log: LogId,
    pub(super) reach: Reach,
    pub(super) at: Timestamp,
}

impl Anchor {
    fn statement(&self) -> String {
        let Self { log, reach: Reach { seq, head, bytes }, at } = self;
        format!(
            "{TITLE}\nlog: {}\nrecords: {seq}\nhead: {}\nbytes: {bytes}\ntime: {}\n",
            hex(log),
            hex(head),
            at.0
        )
    }

    /// The signature, in hexadecimal digits.
    pub(super) fn sign(&self, key: &SigningKey) -> String {
        hex(&key.sign(self.statement().as_bytes()).to_bytes())
    }

    /// True if this signature is of this.
    pub(super) fn is_signed(&self, signature: &str, key: &VerifyingKey) -> bool {
        let Some(signature) = unhex::<64>(signature) else { return false };
        key.verify_strict(self.statement().as_bytes(), &Signature::from_bytes(&signature)).is_ok()
    }

    /// As it stands in the file.
    pub(super) fn text(&self, key: &SigningKey) -> String {
        let public = hex(key.verifying_key().as_bytes());
        format!("{}key: {public}\nsignature: {}\n", self.statement(), self.sign(key))
    }

    /// Reads a slot. `None` if it is empty, torn, or signed by somebody else.
    fn read(slot: &[u8], key: &VerifyingKey) -> Option<Self> {
        let text = std::str::from_utf8(slot).ok()?;
        let field = |name: &str| text.lines().find_map(|it| it.strip_prefix(name));
        let number = |name: &str| field(name)?.parse::<u64>().ok();
        let reach = Reach {
            seq: number("records: ")?,
            head: unhex::<{ size_of::<Hash>() }>(field("head: ")?)?,
            bytes: number("bytes: ")?,
        };
        let log = unhex(field("log: ")?)?;
        let anchor = Self { log, reach, at: Timestamp(number("time: ")?) };
        let is_whole = text.starts_with(&anchor.statement());
        (is_whole && anchor.is_signed(field("signature: ")?, key)).then_some(anchor)
    }
}

/// Where a checkpoint stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    number: u64,
    /// The other one does not read: a crash tore it while it was written, or somebody changed it.
    pub(super) is_alone: bool,
}

/// What is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchored {
    /// There is no such file, or it is empty.
    Nowhere,
    /// Nothing in it is signed by this hall.
    Unsigned,
    /// The newest that is signed, and its slot.
    At(Anchor, Slot),
}

/// Reads the file: what is signed of this log, if anything is. Changes nothing.
pub(super) fn read(path: &Path, key: &VerifyingKey, log: Option<LogId>) -> io::Result<Anchored> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Anchored::Nowhere),
        bytes => bytes?,
    };
    if bytes.is_empty() {
        return Ok(Anchored::Nowhere);
    }
    let slots = bytes.chunks(SLOT_BYTES).zip(0..2);
    let signed: Vec<(Anchor, u64)> =
        slots.filter_map(|(slot, at)| Some((Anchor::read(slot, key)?, at))).collect();
    let is_alone = signed.len() == 1;
    // A log that was begun anew after a break has few records, and they count.
    let newest =
        signed.into_iter().max_by_key(|(anchor, _)| (Some(anchor.log) == log, anchor.reach.seq));
    Ok(newest.map_or(Anchored::Unsigned, |(anchor, number)| {
        Anchored::At(anchor, Slot { number, is_alone })
    }))
}

/// The open file.
pub(super) struct AnchorFile {
    file: File,
    path: std::path::PathBuf,
    next_slot: u64,
}

impl AnchorFile {
    /// Opens it to be written, the slot of `kept` last.
    pub(super) fn open(path: &Path, kept: Anchored) -> io::Result<Self> {
        let is_new = !path.exists();
        let mut options = File::options();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if is_new {
            power::sync_folder(&keys::parent(path))?;
        }
        let next_slot = match kept {
            Anchored::At(_, slot) => 1 - slot.number.min(1),
            Anchored::Nowhere | Anchored::Unsigned => 0,
        };
        Ok(Self { file, path: path.to_owned(), next_slot })
    }

    /// Makes it durable.
    pub(super) fn write(&mut self, anchor: &Anchor, key: &SigningKey) -> io::Result<()> {
        let mut slot = anchor.text(key).into_bytes();
        if SLOT_BYTES <= slot.len() {
            return Err(io::Error::other("a checkpoint is too long"));
        }
        slot.resize(SLOT_BYTES - 1, b' ');
        slot.push(b'\n');
        self.file.write_all_at(&slot, self.next_slot * SLOT_BYTES as u64)?;
        power::sync_data(&self.file, &self.path)?;
        self.next_slot = 1 - self.next_slot;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(seq: u64) -> Anchor {
        Anchor {
            log: [3; 24],
            reach: Reach { seq, head: [7; 32], bytes: 40 * seq },
            at: Timestamp(1_000 * seq),
        }
    }

    #[test]
    fn the_newest_whole_slot_counts_and_a_torn_one_does_not() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("hall.audit");
        let key = SigningKey::from_bytes(&[5; 32]);
        let look = || read(&path, &key.verifying_key(), Some([3; 24])).unwrap();
        assert_eq!(look(), Anchored::Nowhere);
        let mut file = AnchorFile::open(&path, Anchored::Nowhere).unwrap();
        for seq in 1..=3 {
            file.write(&anchor(seq), &key).unwrap();
            assert!(matches!(look(), Anchored::At(found, _) if found == anchor(seq)));
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let Anchored::At(_, newest) = look() else { panic!("it is there") };
        bytes[usize::try_from(newest.number).unwrap() * SLOT_BYTES + 60] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(look(), Anchored::At(found, slot) if found == anchor(2) && slot.is_alone));
        let other = SigningKey::from_bytes(&[6; 32]);
        assert_eq!(read(&path, &other.verifying_key(), None).unwrap(), Anchored::Unsigned);
    }
}
