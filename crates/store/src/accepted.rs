//! Which parts of answers the chat service has accepted, noted ahead of the event that says so.
//!
//! A part that was accepted and not recorded is sent again after a crash, and sending is not
//! idempotent. So its acceptance is first noted in a small ring file, with one write and no sync:
//! that outlives a killed process, though not a power cut. A note matters only until its event is
//! in the log, some milliseconds later; the ring overwrites it long after.
//!
//! A slot holds one sealed record and is torn, empty or whole; only whole ones are read.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use protocol::{
    PersonId,
    ledger::{Accepted, Stream},
};

use crate::record::{Body, Nonces, Position, Record, Seal, StreamName};

const SLOT_BYTES: usize = 192;
/// Notes that are kept. More parts than this are never on their way at once.
const SLOTS: u64 = 4096;

/// The open ring.
pub(crate) struct AcceptedParts {
    file: File,
    ring: Mutex<Ring>,
}

struct Ring {
    next: u64,
    nonces: Nonces,
    /// What the file holds, oldest first.
    notes: VecDeque<(StreamName, Accepted)>,
}

impl AcceptedParts {
    /// Reads what was noted before. A slot that does not read is empty, torn, or of another key.
    pub(crate) fn open(file: File, seal: &Seal) -> io::Result<Self> {
        let mut found = Vec::new();
        for slot in 0..SLOTS {
            let mut bytes = [0; SLOT_BYTES];
            if file.read_exact_at(&mut bytes, offset(slot)).is_err() {
                break; // The file ends here.
            }
            if let Ok(Record { stream, seq, body: Body::Accepted(note), .. }) =
                seal.open_slot(&bytes, 0)
            {
                found.push((seq, stream, note));
            }
        }
        found.sort_by_key(|(seq, ..)| *seq);
        let next = found.last().map_or(0, |(seq, ..)| seq + 1);
        let notes = found.into_iter().map(|(_, stream, note)| (stream, note)).collect();
        Ok(Self { file, ring: Mutex::new(Ring { next, nonces: Nonces::new(), notes }) })
    }

    /// Notes a part. One write into the page cache: it does not wait for a disk.
    pub(crate) fn note(&self, seal: &Seal, note: Accepted) -> io::Result<()> {
        let stream = seal.name(&Stream::Session(note.session));
        let mut slot = Vec::with_capacity(SLOT_BYTES);
        let mut ring = self.ring();
        let (seq, prev) = (ring.next, Position::default());
        let record = Record { stream, seq, prev, body: Body::Accepted(note) };
        seal.seal(&record, &mut ring.nonces, &mut slot)?;
        ring.next += 1;
        if u64::try_from(ring.notes.len()).is_ok_and(|it| SLOTS <= it) {
            ring.notes.pop_front();
        }
        ring.notes.push_back((stream, note));
        drop(ring);
        slot.resize(SLOT_BYTES, 0);
        self.file.write_all_at(&slot, offset(seq))
    }

    /// The notes about a stream, oldest first.
    pub(crate) fn of(&self, stream: StreamName) -> Vec<Accepted> {
        let ring = self.ring();
        ring.notes.iter().filter(|(it, _)| *it == stream).map(|(_, note)| *note).collect()
    }

    /// Takes the notes of a person's private chats out.
    pub(crate) fn erase(&self, seal: &Seal, person: PersonId) -> io::Result<()> {
        let is_theirs = |note: &Accepted| note.session.chat.0 == person.0;
        let mut ring = self.ring();
        ring.notes.retain(|(_, note)| !is_theirs(note));
        for slot in 0..SLOTS {
            let mut bytes = [0; SLOT_BYTES];
            if self.file.read_exact_at(&mut bytes, offset(slot)).is_err() {
                break; // The file ends here.
            }
            match seal.open_slot(&bytes, 0) {
                Ok(Record { body: Body::Accepted(note), .. }) if is_theirs(&note) => {
                    self.file.write_all_at(&[0; SLOT_BYTES], offset(slot))?;
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // A panic in between leaves at worst a number unused.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn offset(seq: u64) -> u64 {
    seq % SLOTS * SLOT_BYTES as u64
}

#[cfg(test)]
mod tests {
    use protocol::{BotId, ChatId, MessageId, SessionKey, TopicId, UpdateId};

    use super::*;
    use crate::record::tests::seal;

    fn note(chat: i64, update: i64) -> Accepted {
        let (bot, topic) = (BotId(i64::MAX), Some(TopicId(i64::MAX)));
        let session = SessionKey { bot, chat: ChatId(chat), topic };
        Accepted { session, update: UpdateId(update), part: 0, message: MessageId(9) }
    }

    fn of(ring: &AcceptedParts, seal: &Seal, chat: i64) -> Vec<i64> {
        let name = seal.name(&Stream::Session(note(chat, 0).session));
        ring.of(name).iter().map(|it| it.update.0).collect()
    }

    #[test]
    fn notes_are_there_at_once_and_after_opening_again() {
        let (seal, file) = (seal(), tempfile::tempfile().unwrap());
        let ring = AcceptedParts::open(file.try_clone().unwrap(), &seal).unwrap();
        for update in [1, 2, 3] {
            ring.note(&seal, note(update % 2, update)).unwrap();
        }
        assert_eq!(of(&ring, &seal, 1), [1, 3]);
        let again = AcceptedParts::open(file, &seal).unwrap();
        assert_eq!((of(&again, &seal, 1), of(&again, &seal, 0)), (vec![1, 3], vec![2]));
    }

    #[test]
    fn notes_of_a_forgotten_person_are_gone_from_memory_and_file() {
        let (seal, file) = (seal(), tempfile::tempfile().unwrap());
        let ring = AcceptedParts::open(file.try_clone().unwrap(), &seal).unwrap();
        [1, 2, 3].into_iter().for_each(|it| ring.note(&seal, note(it % 2, it)).unwrap());
        ring.erase(&seal, PersonId(1)).unwrap();
        let again = AcceptedParts::open(file, &seal).unwrap();
        for ring in [&ring, &again] {
            assert_eq!((of(ring, &seal, 1), of(ring, &seal, 0)), (vec![], vec![2]));
        }
    }

    #[test]
    fn the_oldest_notes_give_way_and_a_torn_one_is_skipped() {
        let (seal, file) = (seal(), tempfile::tempfile().unwrap());
        let ring = AcceptedParts::open(file.try_clone().unwrap(), &seal).unwrap();
        let last = i64::try_from(SLOTS).unwrap() + 1;
        for update in 0..=last {
            ring.note(&seal, note(5, update)).unwrap();
        }
        let expected: Vec<i64> = (2..=last).collect();
        assert_eq!(of(&ring, &seal, 5), expected);
        file.write_all_at(&[0xFF; 8], offset(7) + 60).unwrap();
        let again = AcceptedParts::open(file.try_clone().unwrap(), &seal).unwrap();
        let expected: Vec<i64> = expected.into_iter().filter(|it| *it != 7).collect();
        assert_eq!(of(&again, &seal, 5), expected);
        assert_eq!(
            file.metadata().unwrap().len(),
            SLOTS * SLOT_BYTES as u64,
            "the ring stays small"
        );
    }
}
