//! The form of one backup: a head in the clear, then sealed blocks.
//!
//! The records in it are sealed already. Around them the blocks are sealed once more, with a key of
//! their own, in the STREAM scheme (Hoang et al., "Online Authenticated-Encryption and its
//! Nonce-Reuse Misuse-Resistance", 2015): the nonce counts the blocks and says which is the last,
//! and the head is authenticated with each. So a block that was changed, moved, left out or taken
//! from another backup does not open, and one that was cut short is seen. Each block has a CRC-32 in
//! the clear as well, which tells a bad disk from a wrong key.
//!
//! ```text
//! head   = magic · version u16 · kind u8 · chain u64 · number u32 · made at u64 · history ·
//!          first batch u64 · key check · nonce prefix · crc32
//! block  = length u32 · crc32 · sealed
//! sealed = items; an item is a pair, a batch with its number, or the end
//! ```

use std::{
    io::{self, Read, Write},
    path::Path,
};

use bytes::BufMut as _;
use protocol::Timestamp;

use crate::{
    KeyringError,
    aead::{Aead, NONCE_BYTES, Opened, TAG_BYTES},
    codec::Fields,
    keyring::Keyring,
    keys::Keys,
    segments::History,
    wal::Batch,
};

const MAGIC: &[u8; 8] = b"GHBACKUP";
/// The version that this program reads and writes.
const VERSION: u16 = 1;
const CHECK_BYTES: usize = 16;
const PREFIX_BYTES: usize = 19;
const HEAD_BYTES: usize = 8 + 2 + 1 + 8 + 4 + 8 + 16 + 8 + CHECK_BYTES + PREFIX_BYTES + 4;
/// A block is closed once it is this long.
const BLOCK_BYTES: usize = 256 * 1024;
/// The longest block that is read: the largest batch there can be, and a block.
const BLOCK_BYTES_MAX: usize = 64 * 1024 * 1024;

const PAIR: u8 = 1;
const BATCH: u8 = 2;
const END: u8 = 3;

/// Seals backups. Derived from the keyring's root, which outlives a change of the master key; not the
/// key of the records in them.
pub struct BackupKeys {
    aead: Aead,
    check: [u8; CHECK_BYTES],
}

impl BackupKeys {
    /// The keys of the ledger that this keyring belongs to. The hall may run meanwhile.
    ///
    /// # Errors
    /// If the keyring cannot be read, or the master key is not its own.
    pub fn open(keyring: &Path, keys: &Keys) -> Result<Self, KeyringError> {
        Ok(Self::of(&Keyring::read_root(keyring, keys)?))
    }

    /// The keys that belong to a keyring's root.
    pub(crate) fn of(root: &Keys) -> Self {
        let seal = root.derive("backup seal");
        let check = root.derive("backup key check");
        let (check, _) = check.split_first_chunk().expect("16 of 32 bytes");
        Self { aead: Aead::new(&seal), check: *check }
    }
}

/// What one backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everything.
    Full,
    /// What was written since the one before it.
    More,
}

/// What the head of a backup says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    /// The full backup and those that go on from it have the same chain.
    pub(crate) chain: u64,
    /// The place in the chain; the full one is 0.
    pub(crate) number: u32,
    pub(crate) made: Timestamp,
    pub(crate) history: History,
    /// The number of the first batch in it, or of the next one if there is none.
    pub(crate) first: u64,
}

/// What its end says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// The number of the last batch that it holds.
    pub(crate) last: u64,
    pub(crate) pairs: u64,
    pub(crate) batches: u64,
}

/// One thing in a backup.
pub(crate) enum Item {
    Pair(Vec<u8>, Vec<u8>),
    Batch(u64, Batch),
    End(End),
}

/// Why a backup cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is something else.
    #[error("this is no backup of a ledger")]
    NoBackup,
    /// A later program wrote it.
    #[error("this backup has version {found}, this program knows up to {known}")]
    Newer {
        /// What it says.
        found: u16,
        /// What this program reads.
        known: u16,
    },
    /// Sealed under another keyring.
    #[error("this backup belongs to another keyring; put that keyring and its master key in place")]
    WrongKey,
    /// Not as it was written.
    #[error("this backup is damaged: {what}")]
    Damaged {
        /// What was found.
        what: &'static str,
    },
    /// It cannot be read or written.
    #[error("the backup cannot be read or written")]
    Io(#[from] io::Error),
}

fn damaged(what: &'static str) -> ArchiveError {
    ArchiveError::Damaged { what }
}

impl Head {
    fn bytes(&self, check: &[u8; CHECK_BYTES], prefix: &[u8; PREFIX_BYTES]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.put_slice(MAGIC);
        bytes.put_u16(VERSION);
        bytes.put_u8(match self.kind {
            Kind::Full => 1,
            Kind::More => 2,
        });
        bytes.put_u64(self.chain);
        bytes.put_u32(self.number);
        bytes.put_u64(self.made.0);
        bytes.put_slice(&self.history.0);
        bytes.put_u64(self.first);
        bytes.put_slice(check);
        bytes.put_slice(prefix);
        bytes.put_u32(crc32fast::hash(&bytes));
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Parts, ArchiveError> {
        let mut fields = Fields(bytes.strip_prefix(MAGIC).ok_or(ArchiveError::NoBackup)?);
        let version = fields.array().map(u16::from_be_bytes).ok_or(ArchiveError::NoBackup)?;
        if VERSION < version {
            return Err(ArchiveError::Newer { found: version, known: VERSION });
        }
        let (checked, crc) =
            bytes.split_last_chunk::<4>().ok_or(damaged("its head is cut short"))?;
        if crc32fast::hash(checked) != u32::from_be_bytes(*crc) {
            return Err(damaged("its head does not read"));
        }
        let mut parts = || {
            let kind = match fields.u8()? {
                1 => Kind::Full,
                2 => Kind::More,
                _ => return None,
            };
            let (chain, number) = (fields.u64()?, fields.u32()?);
            let (made, history) = (Timestamp(fields.u64()?), History(fields.array()?));
            let head = Self { kind, chain, number, made, history, first: fields.u64()? };
            Some(Parts { head, check: fields.array()?, prefix: fields.array()? })
        };
        parts().ok_or(damaged("its head does not read"))
    }
}

/// A head as it was read.
struct Parts {
    head: Head,
    check: [u8; CHECK_BYTES],
    prefix: [u8; PREFIX_BYTES],
}

fn nonce(prefix: &[u8; PREFIX_BYTES], block: u32, is_last: bool) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    let parts = prefix.iter().copied().chain(block.to_be_bytes()).chain([u8::from(is_last)]);
    nonce.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
    nonce
}

/// Writes one backup.
pub(crate) struct Writer<'a> {
    out: &'a mut dyn Write,
    keys: &'a BackupKeys,
    head: Vec<u8>,
    prefix: [u8; PREFIX_BYTES],
    block: Vec<u8>,
    number: u32,
    end: End,
    bytes: u64,
}

impl<'a> Writer<'a> {
    pub(crate) fn begin(
        out: &'a mut dyn Write,
        keys: &'a BackupKeys,
        head: &Head,
    ) -> io::Result<Self> {
        let mut prefix = [0; PREFIX_BYTES];
        getrandom::fill(&mut prefix).map_err(io::Error::other)?;
        let end = End { last: head.first - 1, ..End::default() };
        let head = head.bytes(&keys.check, &prefix);
        out.write_all(&head)?;
        let bytes = head.len() as u64;
        Ok(Self { out, keys, head, prefix, block: Vec::new(), number: 0, end, bytes })
    }

    pub(crate) fn pair(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.block.put_u8(PAIR);
        put_bytes(&mut self.block, key)?;
        put_bytes(&mut self.block, value)?;
        self.end.pairs += 1;
        self.close_block_if_full()
    }

    pub(crate) fn batch(&mut self, number: u64, batch: &Batch) -> io::Result<()> {
        debug_assert_eq!(number, self.end.last + 1, "batches are numbered without a gap");
        self.block.put_u8(BATCH);
        self.block.put_u64(number);
        put_bytes(&mut self.block, batch.as_bytes())?;
        self.end.batches += 1;
        self.end.last = number;
        self.close_block_if_full()
    }

    /// Writes the end. Returns it, and the size of it all.
    pub(crate) fn finish(mut self) -> io::Result<(End, u64)> {
        self.block.put_u8(END);
        self.block.put_u64(self.end.last);
        self.block.put_u64(self.end.pairs);
        self.block.put_u64(self.end.batches);
        self.close_block(true)?;
        self.out.flush()?;
        Ok((self.end, self.bytes))
    }

    fn close_block_if_full(&mut self) -> io::Result<()> {
        if self.block.len() < BLOCK_BYTES { Ok(()) } else { self.close_block(false) }
    }

    fn close_block(&mut self, is_last: bool) -> io::Result<()> {
        let mut block = std::mem::take(&mut self.block);
        let nonce = nonce(&self.prefix, self.number, is_last);
        let tag = self.keys.aead.seal(&nonce, &self.head, &mut block);
        let tag = tag.expect("a block is far shorter than what one nonce can seal (256 GiB)");
        block.put_slice(&tag);
        let length = u32::try_from(block.len()).map_err(io::Error::other)?;
        self.number = self.number.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&crc32fast::hash(&block).to_be_bytes())?;
        self.out.write_all(&block)?;
        self.bytes += 8 + u64::from(length);
        Ok(())
    }
}

/// Reads one backup from its beginning to its end.
pub(crate) struct Reader<'a> {
    input: Box<dyn Read + Send + 'a>,
    keys: &'a BackupKeys,
    pub(crate) head: Head,
    head_bytes: Vec<u8>,
    prefix: [u8; PREFIX_BYTES],
    block: Opened,
    at: usize,
    number: u32,
    is_last: bool,
    counted: End,
    pub(crate) bytes: u64,
}

impl<'a> Reader<'a> {
    /// Reads the head.
    pub(crate) fn open(
        mut input: Box<dyn Read + Send + 'a>,
        keys: &'a BackupKeys,
    ) -> Result<Self, ArchiveError> {
        let mut head_bytes = vec![0; HEAD_BYTES];
        match input.read_exact(&mut head_bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(damaged("its head is cut short"));
            }
            read => read?,
        }
        let Parts { head, check, prefix } = Head::read(&head_bytes)?;
        if check != keys.check {
            return Err(ArchiveError::WrongKey);
        }
        let counted = End { last: head.first - 1, ..End::default() };
        Ok(Self {
            input,
            keys,
            head,
            head_bytes,
            prefix,
            block: Opened::default(),
            at: 0,
            number: 0,
            is_last: false,
            counted,
            bytes: HEAD_BYTES as u64,
        })
    }

    /// The next item. After the end there is none.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, ArchiveError> {
        while self.block.len() <= self.at {
            if self.is_last {
                return Ok(None);
            }
            self.open_block()?;
        }
        let mut fields = Fields(self.block.get(self.at..).unwrap_or_default());
        let item = read_item(&mut fields).ok_or(damaged("a block that does not read"))?;
        let left = fields.0.len();
        self.at = self.block.len() - left;
        match &item {
            Item::Pair(..) => self.counted.pairs += 1,
            Item::Batch(number, _) => {
                if *number != self.counted.last + 1 {
                    return Err(damaged("a batch is missing"));
                }
                self.counted.last = *number;
                self.counted.batches += 1;
            }
            Item::End(end) => {
                if *end != self.counted || !self.is_last || left != 0 {
                    return Err(damaged("its end does not fit what stands before it"));
                }
            }
        }
        Ok(Some(item))
    }

    fn open_block(&mut self) -> Result<(), ArchiveError> {
        let mut front = [0; 8];
        self.fill(&mut front)?;
        let [a, b, c, d, crc @ ..] = front;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if !(TAG_BYTES..=BLOCK_BYTES_MAX).contains(&length) {
            return Err(damaged("a block of an impossible length"));
        }
        let mut block = vec![0; length];
        self.fill(&mut block)?;
        if crc32fast::hash(&block) != u32::from_be_bytes(crc) {
            return Err(damaged("a block does not have its checksum"));
        }
        self.bytes += 8 + length as u64;
        let Some((sealed, tag)) = block.split_last_chunk::<TAG_BYTES>() else {
            return Err(damaged("a block of an impossible length"));
        };
        for is_last in [false, true] {
            let nonce = nonce(&self.prefix, self.number, is_last);
            if let Ok(block) = self.keys.aead.open(&nonce, &self.head_bytes, sealed, tag) {
                self.is_last = is_last;
                self.number += 1;
                self.block = block;
                self.at = 0;
                return Ok(());
            }
        }
        Err(damaged("a block was changed, moved or comes from elsewhere"))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), ArchiveError> {
        match self.input.read_exact(bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(damaged("it is cut short"))
            }
            read => Ok(read?),
        }
    }

    /// Reads everything to the end, which it must have.
    pub(crate) fn check(mut self) -> Result<(Head, End, u64), ArchiveError> {
        let mut end = None;
        while let Some(item) = self.next()? {
            if let Item::End(found) = item {
                end = Some(found);
            }
        }
        let end = end.ok_or(damaged("it has no end"))?;
        Ok((self.head, end, self.bytes))
    }
}

fn read_item(fields: &mut Fields<'_>) -> Option<Item> {
    Some(match fields.u8()? {
        PAIR => Item::Pair(take_bytes(fields)?.to_vec(), take_bytes(fields)?.to_vec()),
        BATCH => Item::Batch(fields.u64()?, Batch::from_bytes(take_bytes(fields)?.to_vec())),
        END => Item::End(End { last: fields.u64()?, pairs: fields.u64()?, batches: fields.u64()? }),
        _ => return None,
    })
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    out.put_u32(u32::try_from(bytes.len()).map_err(io::Error::other)?);
    out.put_slice(bytes);
    Ok(())
}

fn take_bytes<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(fields.u32()?).ok()?;
    fields.take(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyPlace;

    fn keys() -> BackupKeys {
        let home = tempfile::tempdir().unwrap();
        BackupKeys::of(&Keys::create(&home.path().join("key"), KeyPlace::Anywhere).unwrap())
    }

    fn head() -> Head {
        let (history, made) = (History([7; 16]), Timestamp(5));
        Head { kind: Kind::Full, chain: 3, number: 0, made, history, first: 11 }
    }

    fn batch(text: &str) -> Batch {
        let mut batch = Batch::default();
        batch.insert(b"key", text.as_bytes());
        batch
    }

    fn written(keys: &BackupKeys) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::begin(&mut bytes, keys, &head()).unwrap();
        for n in 0..100_u8 {
            writer.pair(&[n], &[n; 6_000]).unwrap();
        }
        writer.batch(11, &batch("first")).unwrap();
        writer.batch(12, &batch(&"x".repeat(500_000))).unwrap();
        let (end, size) = writer.finish().unwrap();
        assert_eq!(end, End { last: 12, pairs: 100, batches: 2 });
        assert_eq!(size, bytes.len() as u64);
        bytes
    }

    fn read(bytes: &[u8], keys: &BackupKeys) -> Result<(Head, End, u64), ArchiveError> {
        Reader::open(Box::new(io::Cursor::new(bytes.to_vec())), keys)?.check()
    }

    #[test]
    fn what_was_written_is_read() {
        let keys = keys();
        let bytes = written(&keys);
        let (found, end, size) = read(&bytes, &keys).unwrap();
        assert_eq!((found, end.last, size), (head(), 12, bytes.len() as u64));
    }

    #[test]
    fn another_keyring_is_refused_in_words() {
        let bytes = written(&keys());
        let refused = read(&bytes, &keys()).err().unwrap();
        assert!(matches!(refused, ArchiveError::WrongKey));
        assert!(refused.to_string().contains("another keyring"));
    }

    #[test]
    fn any_wrong_bit_and_any_other_end_is_noticed() {
        let keys = keys();
        let bytes = written(&keys);
        for at in (0..bytes.len()).step_by(bytes.len() / 150).chain(0..HEAD_BYTES + 8) {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << (at % 8);
            assert!(read(&wrong, &keys).is_err(), "byte {at}");
            assert!(read(&bytes[..at], &keys).is_err(), "cut at {at}");
        }
        let longer = [bytes.as_slice(), b"more"].concat();
        assert!(read(&longer, &keys).is_ok(), "what follows the end is not read");
    }

    #[test]
    fn blocks_cannot_be_left_out_moved_or_taken_from_elsewhere() {
        let keys = keys();
        let (bytes, other) = (written(&keys), written(&keys));
        let blocks = |bytes: &[u8]| {
            let mut blocks = Vec::new();
            let mut rest = bytes[HEAD_BYTES..].to_vec();
            while !rest.is_empty() {
                let length = u32::from_be_bytes(*rest.first_chunk().unwrap()) as usize;
                let next = rest.split_off(8 + length);
                blocks.push(std::mem::replace(&mut rest, next));
            }
            blocks
        };
        let (own, foreign) = (blocks(&bytes), blocks(&other));
        assert!(3 <= own.len());
        let with = |blocks: &[Vec<u8>]| [&bytes[..HEAD_BYTES], &blocks.concat()].concat();
        assert!(read(&with(&own), &keys).is_ok());
        let mut left_out = own.clone();
        left_out.remove(1);
        let mut moved = own.clone();
        moved.swap(0, 1);
        let mut taken = own.clone();
        taken[0] = foreign[0].clone();
        for wrong in [left_out, moved, taken, own[..own.len() - 1].to_vec()] {
            assert!(read(&with(&wrong), &keys).is_err());
        }
    }
}
