//! The write-ahead log: a group of changes is durable once it stands here, whole.
//!
//! sled writes a batch or a flush by handing it to a pool of threads that all wake for each one:
//! measured, that was most of what a quiet hall did. So each group is first written to one file of
//! fixed size and synced, which wakes nobody, then given to sled change by change, and sled is
//! flushed only when the file is full or the store is closed. Opening repeats on sled what the file
//! holds, so a group stays all or nothing.
//!
//! A frame is `length u32 · crc32 u32 · epoch u64 · number u64 · changes`, numbers big-endian, the
//! checksum over everything behind it. The first frame that is torn, of another epoch or out of
//! number ends the log: what lies behind it is older. The scheme is the classic redo log (Mohan et
//! al., "ARIES", 1992) without undo: a group is atomic, and repeating it changes nothing.
//!
//! Invariants: WAL-1 `append` returns only after the frame is synced. WAL-2 the log is cleared only
//! after the engine has synced everything in it.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek as _, SeekFrom},
    os::unix::fs::FileExt as _,
};

use bytes::BufMut as _;

use crate::codec::Fields;

const HEADER_BYTES: usize = 24;
const PUT: u8 = 1;
const REMOVE: u8 = 2;

/// Changes that are made together or not at all, in the form of the log.
#[derive(Default)]
pub(crate) struct Batch(Vec<u8>);

impl Batch {
    /// Puts a value, in place of the one before.
    pub(crate) fn insert(&mut self, key: &[u8], value: &[u8]) {
        self.0.put_u8(PUT);
        put_bytes(&mut self.0, key);
        put_bytes(&mut self.0, value);
    }

    /// Removes a value, if it is there.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        self.0.put_u8(REMOVE);
        put_bytes(&mut self.0, key);
    }

    /// The changes, in order.
    pub(crate) fn changes(&self) -> Changes<'_> {
        Changes(Fields(&self.0))
    }
}

/// One change: the key, and its new value or none.
pub(crate) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// The changes of one frame.
pub(crate) struct Changes<'a>(Fields<'a>);

impl<'a> Iterator for Changes<'a> {
    type Item = Change<'a>;

    fn next(&mut self) -> Option<Change<'a>> {
        let kind = self.0.u8()?;
        let key = take_bytes(&mut self.0)?;
        match kind {
            PUT => Some((key, Some(take_bytes(&mut self.0)?))),
            // The checksum has passed, so it is what `Batch` wrote.
            _ => Some((key, None)),
        }
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.put_u32(u32::try_from(bytes.len()).expect("the writer refuses larger records"));
    out.put_slice(bytes);
}

/// The open log, which holds nothing: what was in it is in the engine.
pub(crate) struct Wal {
    file: File,
    bytes_max: u64,
    at: u64,
    epoch: u64,
    next: u64,
}

impl Wal {
    /// A log that begins anew. Everything in the file must be in the engine, synced.
    pub(crate) fn begin(file: File, bytes_max: u64) -> io::Result<Self> {
        let mut wal = Self { file, bytes_max, at: 0, epoch: 0, next: 0 };
        wal.clear()?;
        Ok(wal)
    }

    /// Whether the batch finds room.
    pub(crate) fn has_room(&self, batch: &Batch) -> bool {
        self.at + (HEADER_BYTES + batch.0.len()) as u64 <= self.bytes_max
    }

    /// Writes the batch and syncs it: WAL-1. There must be room. After an error the log must not be
    /// used again: nobody knows what it holds.
    pub(crate) fn append(&mut self, batch: &Batch) -> io::Result<()> {
        let length = u32::try_from(HEADER_BYTES + batch.0.len()).map_err(io::Error::other)?;
        let mut checked = Vec::with_capacity(16 + batch.0.len());
        checked.put_u64(self.epoch);
        checked.put_u64(self.next);
        checked.put_slice(&batch.0);
        let mut frame = Vec::with_capacity(HEADER_BYTES + batch.0.len());
        frame.put_u32(length);
        frame.put_u32(crc32fast::hash(&checked));
        frame.put_slice(&checked);
        self.file.write_all_at(&frame, self.at)?;
        self.file.sync_data()?;
        self.at += u64::from(length);
        self.next += 1;
        Ok(())
    }

    /// Empties the log: WAL-2 is the caller's to keep. The next frames are of a new epoch, so that
    /// old ones behind them are never taken for theirs.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.file.write_all_at(&[0; HEADER_BYTES], 0)?;
        self.file.sync_data()?;
        self.epoch = getrandom::u64().map_err(io::Error::other)?;
        self.at = 0;
        self.next = 0;
        Ok(())
    }
}

/// Repeats on `engine` every whole group that the file holds, and says how many there were.
pub(crate) fn replay<E: From<io::Error>>(
    mut file: &File,
    mut engine: impl FnMut(Changes<'_>) -> Result<(), E>,
) -> Result<u64, E> {
    file.seek(SeekFrom::Start(0))?;
    let mut left = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    let mut epoch = None;
    let mut number = 0;
    while let Some(frame) = read_frame(&mut reader, &mut left)? {
        let Some((found, changes)) = open_frame(&frame, number) else { break };
        if *epoch.get_or_insert(found) != found {
            break;
        }
        engine(changes)?;
        number += 1;
    }
    Ok(number)
}

/// The bytes of the next frame behind its length, if the file holds as many as it says.
fn read_frame(reader: &mut impl Read, left: &mut u64) -> io::Result<Option<Vec<u8>>> {
    let Some(after_length) = left.checked_sub(4) else { return Ok(None) };
    let mut length = [0; 4];
    reader.read_exact(&mut length)?;
    let length = u64::from(u32::from_be_bytes(length)).saturating_sub(4);
    let Some(after_frame) = after_length.checked_sub(length) else { return Ok(None) };
    let mut frame = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    reader.read_exact(&mut frame)?;
    *left = after_frame;
    Ok(Some(frame))
}

/// The epoch and the changes of a frame that is whole and has this number.
fn open_frame(frame: &[u8], number: u64) -> Option<(u64, Changes<'_>)> {
    let mut fields = Fields(frame);
    let crc = fields.u32()?;
    if crc32fast::hash(fields.0) != crc {
        return None;
    }
    let epoch = fields.u64()?;
    (fields.u64()? == number).then_some((epoch, Changes(fields)))
}

fn take_bytes<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(fields.u32()?).ok()?;
    fields.take(length)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const BYTES_MAX: u64 = 4096;

    fn batch(key: &str, value: &str) -> Batch {
        let mut batch = Batch::default();
        batch.insert(key.as_bytes(), value.as_bytes());
        batch
    }

    fn open() -> (Wal, File) {
        let file = tempfile::tempfile().unwrap();
        file.set_len(BYTES_MAX).unwrap();
        (Wal::begin(file.try_clone().unwrap(), BYTES_MAX).unwrap(), file)
    }

    /// What an engine holds after the log was repeated on it.
    fn repeated(file: &File) -> (u64, BTreeMap<String, String>) {
        let mut held = BTreeMap::new();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let repeat = |changes: Changes<'_>| {
            for (key, value) in changes {
                match value {
                    Some(value) => held.insert(text(key), text(value)),
                    None => held.remove(&text(key)),
                };
            }
            io::Result::Ok(())
        };
        (replay(file, repeat).unwrap(), held)
    }

    fn holding(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn wal_1_what_was_appended_is_repeated_in_order() {
        let (mut wal, file) = open();
        wal.append(&batch("a", "1")).unwrap();
        wal.append(&batch("b", "2")).unwrap();
        let mut last = batch("a", "3");
        last.remove(b"b");
        wal.append(&last).unwrap();
        assert_eq!(repeated(&file), (3, holding("a", "3")));
    }

    #[test]
    fn wal_2_a_cleared_log_holds_nothing_and_old_frames_do_not_come_back() {
        let (mut wal, file) = open();
        for value in ["1", "2", "3"] {
            wal.append(&batch("a", value)).unwrap();
        }
        wal.clear().unwrap();
        assert_eq!(repeated(&file).0, 0);
        // As long as the first one was: the second old frame follows it without a gap.
        wal.append(&batch("a", "4")).unwrap();
        assert_eq!(repeated(&file), (1, holding("a", "4")));
    }

    #[test]
    fn a_frame_with_any_bit_wrong_ends_the_log() {
        let (mut wal, file) = open();
        wal.append(&batch("a", "1")).unwrap();
        let first = wal.at;
        wal.append(&batch("b", "2")).unwrap();
        for at in first..wal.at {
            for bit in 0..8 {
                let mut byte = [0];
                file.read_exact_at(&mut byte, at).unwrap();
                file.write_all_at(&[byte[0] ^ (1 << bit)], at).unwrap();
                assert_eq!(repeated(&file).0, 1, "bit {bit} of byte {at}");
                file.write_all_at(&byte, at).unwrap();
            }
        }
        assert_eq!(repeated(&file).0, 2);
    }

    #[test]
    fn there_is_room_up_to_the_limit_and_no_further() {
        let (mut wal, file) = open();
        let mut written = 0;
        while wal.has_room(&batch("key", "value")) {
            wal.append(&batch("key", "value")).unwrap();
            written += 1;
        }
        assert!(BYTES_MAX - wal.at < (HEADER_BYTES + batch("key", "value").0.len()) as u64);
        assert_eq!(repeated(&file).0, written);
    }
}
