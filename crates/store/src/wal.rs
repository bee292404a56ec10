//! Groups of changes, and the frames in which they stand in the write-ahead log.
//!
//! A frame is `length u32 · crc32 u32 · epoch u64 · number u64 · changes`, numbers big-endian, the
//! checksum over everything behind it. The first frame that is torn, of another epoch or out of
//! number ends a file: what lies behind it is older. `segments` writes the files; stores of format 1
//! had a single one, which is still read.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek as _, SeekFrom},
};

use bytes::BufMut as _;

use crate::codec::Fields;

/// Length, checksum, epoch and number.
pub(crate) const HEADER_BYTES: usize = 24;
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

    /// Changes that were read back.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The changes, in order.
    pub(crate) fn changes(&self) -> Changes<'_> {
        Changes(Fields(&self.0))
    }

    /// The changes as bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// True if it changes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of its frame.
    pub(crate) fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.0.len()
    }
}

/// One change: the key, and its new value or none.
pub(crate) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// The changes of one frame.
pub(crate) struct Changes<'a>(Fields<'a>);

impl<'a> Changes<'a> {
    /// The changes that are left, as bytes.
    pub(crate) fn into_bytes(self) -> &'a [u8] {
        self.0.0
    }
}

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

/// A frame as it stands in the log.
pub(crate) fn frame(epoch: u64, number: u64, batch: &Batch) -> io::Result<Vec<u8>> {
    let length = u32::try_from(batch.frame_bytes()).map_err(io::Error::other)?;
    let mut checked = Vec::with_capacity(16 + batch.0.len());
    checked.put_u64(epoch);
    checked.put_u64(number);
    checked.put_slice(&batch.0);
    let mut frame = Vec::with_capacity(batch.frame_bytes());
    frame.put_u32(length);
    frame.put_u32(crc32fast::hash(&checked));
    frame.put_slice(&checked);
    Ok(frame)
}

/// Repeats on `engine` every whole group that the log of a store of format 1 holds, and says how
/// many there were.
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
pub(crate) fn read_frame(reader: &mut impl Read, left: &mut u64) -> io::Result<Option<Vec<u8>>> {
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
pub(crate) fn open_frame(frame: &[u8], number: u64) -> Option<(u64, Changes<'_>)> {
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
    use std::{collections::BTreeMap, os::unix::fs::FileExt as _};

    use super::*;

    fn batch(key: &str, value: &str) -> Batch {
        let mut batch = Batch::default();
        batch.insert(key.as_bytes(), value.as_bytes());
        batch
    }

    /// What an engine holds after a file of these frames was repeated on it.
    fn repeated(frames: &[Vec<u8>]) -> (u64, BTreeMap<String, String>) {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[frames.concat(), vec![0; 100]].concat(), 0).unwrap();
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
        (replay(&file, repeat).unwrap(), held)
    }

    fn holding(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn frames_are_repeated_in_order() {
        let mut last = batch("a", "3");
        last.remove(b"b");
        let batches = [batch("a", "1"), batch("b", "2"), last];
        let frames: Vec<_> =
            (0..).zip(&batches).map(|(number, it)| frame(7, number, it).unwrap()).collect();
        assert_eq!(repeated(&frames), (3, holding("a", "3")));
    }

    #[test]
    fn a_frame_of_another_epoch_or_out_of_number_ends_the_log() {
        let first = frame(7, 0, &batch("a", "1")).unwrap();
        for (epoch, number) in [(8, 1), (7, 0), (7, 2)] {
            let other = frame(epoch, number, &batch("a", "2")).unwrap();
            assert_eq!(repeated(&[first.clone(), other]), (1, holding("a", "1")));
        }
    }

    #[test]
    fn a_frame_with_any_bit_wrong_ends_the_log() {
        let first = frame(7, 0, &batch("a", "1")).unwrap();
        let second = frame(7, 1, &batch("b", "2")).unwrap();
        for at in 0..second.len() {
            for bit in 0..8 {
                let mut wrong = second.clone();
                wrong[at] ^= 1 << bit;
                let found = repeated(&[first.clone(), wrong]).0;
                assert_eq!(found, 1, "bit {bit} of byte {at}");
            }
        }
        assert_eq!(repeated(&[first, second]).0, 2);
    }
}
