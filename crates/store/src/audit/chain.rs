//! The file of the audit log: frames of sealed records, and the chain through them.
//!
//! The file is `magic · version u8 · id` and then frames, `length u32 · nonce · sealed`; the id is the
//! time of birth in milliseconds and random bytes, and is authenticated with every record. What is
//! sealed is a record's line of JSON. Each names the SHA-256 of the line before, so a record that was
//! changed, taken out, moved or put in twice breaks the chain at a place that can be told.

use std::io::{self, Read};

use bytes::BufMut as _;
use protocol::{Timestamp, audit::Record};
use sha2::{Digest as _, Sha256};

use crate::{
    aead::{Aead, NONCE_BYTES, Opened, TAG_BYTES},
    record::Nonces,
};

const MAGIC: &[u8] = b"guildhall audit log\n";
const VERSION: u8 = 1;
pub(super) const ID_BYTES: usize = 24;
pub(super) const HEADER_BYTES: usize = MAGIC.len() + 1 + ID_BYTES;
const LENGTH_BYTES: usize = 4;
/// The longest record, sealed.
const FRAME_BYTES_MAX: usize = 8 * 1024;

/// A SHA-256.
pub(super) type Hash = [u8; 32];
/// A log's own name: later ones sort behind earlier ones.
pub(super) type LogId = [u8; ID_BYTES];

/// A name for a log that begins now.
pub(super) fn fresh_id(now: Timestamp) -> io::Result<LogId> {
    let mut id = LogId::default();
    let (born, random) = id.split_at_mut(size_of::<u64>());
    born.copy_from_slice(&now.0.to_be_bytes());
    getrandom::fill(random)?;
    Ok(id)
}

/// The beginning of a new log.
pub(super) fn header(id: LogId) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.put_u8(VERSION);
    bytes.put_slice(&id);
    bytes
}

/// Reads the beginning of a log.
pub(super) fn read_header(bytes: &[u8]) -> Result<LogId, Unread> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(Unread::NoLog)?;
    let (version, rest) = rest.split_first().ok_or(Unread::NoLog)?;
    if *version != VERSION {
        return Err(Unread::Newer(*version));
    }
    rest.first_chunk::<ID_BYTES>().copied().ok_or(Unread::NoLog)
}

/// Why a file is not read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It does not begin like a log.
    NoLog,
    /// Another version wrote it.
    Newer(u8),
}

/// What a line of so many bytes takes in the file.
pub(super) fn frame_bytes(line: usize) -> u64 {
    (LENGTH_BYTES + NONCE_BYTES + line + TAG_BYTES) as u64
}

/// The hash by which the next record names a line.
pub(super) fn hash(line: &[u8]) -> Hash {
    Sha256::digest(line).into()
}

/// Seals and opens lines of one log.
pub(super) struct Sealer {
    aead: Aead,
    id: LogId,
    nonces: Nonces,
}

impl Sealer {
    pub(super) fn new(key: &[u8; 32], id: LogId) -> Self {
        Self { aead: Aead::new(key), id, nonces: Nonces::new() }
    }

    /// Appends a line to `out` as a frame.
    pub(super) fn seal(&mut self, line: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let nonce = self.nonces.next()?;
        let mut text = line.to_vec();
        let tag = self.aead.seal(&nonce, &self.id, &mut text);
        let tag = tag.map_err(|_too_long| io::Error::other("a record is too long"))?;
        let len = NONCE_BYTES + text.len() + TAG_BYTES;
        if FRAME_BYTES_MAX < len {
            return Err(io::Error::other("a record is too long"));
        }
        out.put_u32(u32::try_from(len).map_err(io::Error::other)?);
        out.put_slice(&nonce);
        out.put_slice(&text);
        out.put_slice(&tag);
        Ok(())
    }

    fn open(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = frame.split_at_checked(NONCE_BYTES)?;
        let (text, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        self.aead.open(nonce, &self.id, text, tag).ok().map(Opened::into_vec)
    }
}

/// A record that was read, where it belongs in the chain.
pub(super) struct Link {
    pub(super) record: Record,
    pub(super) line: Vec<u8>,
    /// The hash of its line.
    pub(super) hash: Hash,
    /// Where its frame begins.
    pub(super) begins: u64,
}

/// Why the next record is not the next of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// What stands there does not open, or ends too early. So it is also after a torn write.
    Unreadable,
    /// A later record stands there.
    Missing { found: u64 },
    /// An earlier record stands there.
    Misplaced { found: u64 },
    /// It names another one as the one before it.
    Unlinked,
}

/// How far a chain was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// The last record's number; zero if there is none.
    pub(super) seq: u64,
    /// The hash of its line.
    pub(super) head: Hash,
    /// Where it ends.
    pub(super) bytes: u64,
}

impl Reach {
    pub(super) fn begin() -> Self {
        Self { seq: 0, head: [0; 32], bytes: HEADER_BYTES as u64 }
    }
}

/// Follows the chain from behind the header as far as it holds. `each` sees every link.
pub(super) fn follow<E: From<io::Error>>(
    mut input: impl Read,
    sealer: &Sealer,
    mut each: impl FnMut(&Link) -> Result<(), E>,
) -> Result<(Reach, Option<Break>), E> {
    let mut reach = Reach::begin();
    loop {
        let frame = match read_frame(&mut input)? {
            Frame::End => return Ok((reach, None)),
            Frame::Torn => return Ok((reach, Some(Break::Unreadable))),
            Frame::Whole(frame) => frame,
        };
        let read = sealer.open(&frame).and_then(|line| Some((Record::read(&line)?, line)));
        let Some((record, line)) = read else {
            return Ok((reach, Some(Break::Unreadable)));
        };
        if let Some(broken) = check(&record, &reach) {
            return Ok((reach, Some(broken)));
        }
        let (begins, hash) = (reach.bytes, hash(&line));
        let bytes = begins + (LENGTH_BYTES + frame.len()) as u64;
        reach = Reach { seq: record.seq, head: hash, bytes };
        each(&Link { record, line, hash, begins })?;
    }
}

fn check(record: &Record, reach: &Reach) -> Option<Break> {
    let (found, next) = (record.seq, reach.seq + 1);
    if next < found {
        return Some(Break::Missing { found });
    }
    if found < next {
        return Some(Break::Misplaced { found });
    }
    (record.prev != crate::erasure::hex(&reach.head)).then_some(Break::Unlinked)
}

enum Frame {
    End,
    Torn,
    Whole(Vec<u8>),
}

fn read_frame(input: &mut impl Read) -> io::Result<Frame> {
    let mut length = [0; LENGTH_BYTES];
    match fill(input, &mut length)? {
        0 => return Ok(Frame::End),
        LENGTH_BYTES => {}
        _ => return Ok(Frame::Torn),
    }
    let len = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if !(NONCE_BYTES + TAG_BYTES..=FRAME_BYTES_MAX).contains(&len) {
        return Ok(Frame::Torn);
    }
    let mut frame = vec![0; len];
    let read = fill(input, &mut frame)?;
    Ok(if read == len { Frame::Whole(frame) } else { Frame::Torn })
}

/// Reads as much as there is, up to the buffer's length.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|it| !it.is_empty()) {
        match input.read(room) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
