//! Walks through the whole log and says everything that is wrong with it.
//!
//! Every record is opened, which checks its checksum, its seal and its place; then that rows have no
//! gap, that the records of a stream follow one another and each names the place of the one before,
//! that updates rise in the order of their arrival, that an update is closed once and only where it
//! waited, and that no snapshot is ahead of its stream. Where something does not open, what hangs on
//! it is told, too, once for each stream.
//!
//! Invariants: WALK-1 nothing is changed. WALK-2 the walk goes on behind damage.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use protocol::{UpdateId, ledger::LedgerError};
use tokio::time::Instant;

use crate::{
    disk::key,
    index::Head,
    inspect::keys_of,
    record::{Body, Damaged, Position, Record, StreamName},
    shared::Shared,
};

/// Damages that are told one by one; the others are counted.
const DAMAGES_TOLD_MAX: usize = 200;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The row of the log; 0 for what stands in no row.
    pub row: u64,
    /// Which record of the row, from 0.
    pub record: usize,
    /// What is wrong, without ids.
    pub what: &'static str,
}

/// What a walk through the log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Rows of the log.
    pub rows: u64,
    /// Records in them that open.
    pub records: u64,
    /// Of these, updates that came for a conversation.
    pub arrived: u64,
    /// Updates of people who were forgotten.
    pub erased: u64,
    /// Appends to streams.
    pub appended: u64,
    /// Updates that ended at the door.
    pub dropped: u64,
    /// Updates that could not be read.
    pub quarantined: u64,
    /// Notes that a snapshot was stored.
    pub rested: u64,
    /// Streams with appends.
    pub streams: u64,
    /// Updates that were closed.
    pub closed: u64,
    /// Updates that wait.
    pub waiting: u64,
    /// Snapshots that open.
    pub snapshots: u64,
    /// Everything that is wrong: the first of them in `damages`.
    pub damaged: u64,
    /// What is wrong, in the order of the log.
    pub damages: Vec<Damage>,
    /// How long it took.
    pub took: Duration,
}

/// See the head of this file. WALK-1.
pub(crate) fn walk(shared: &Shared) -> Result<Walked, LedgerError> {
    let started = Instant::now();
    let (last, waiting) = {
        let _settled = shared.settled()?;
        (shared.disk.last_row()?, shared.index()?.waiting())
    };
    let mut walk = Walk::default();
    let mut rows = shared.disk.rows(1)?;
    while walk.found.rows < last {
        let expected = walk.found.rows + 1;
        let next = match rows.next().map_err(LedgerError::from) {
            Ok(next) => next,
            Err(LedgerError::Damaged { what }) => {
                // WALK-2: the engine cannot read on from here, but perhaps from the next row.
                walk.damage((expected, 0), what);
                walk.found.rows = expected;
                rows = shared.disk.rows(expected + 1)?;
                continue;
            }
            Err(error @ (LedgerError::Conflict { .. } | LedgerError::Unavailable(_))) => {
                return Err(error);
            }
        };
        let Some((number, row)) = next else {
            walk.damage((expected, 0), "the log ends before its last row");
            break;
        };
        if number != expected {
            walk.damage((expected, 0), "rows of the log are missing");
        }
        walk.found.rows = number;
        for (slot, record) in shared.seal.open_each(&row).into_iter().enumerate() {
            walk.take(number, slot, record);
        }
    }
    walk.snapshots(shared)?;
    let is_whole = {
        let _settled = shared.settled()?;
        shared.disk.last_row()? == last && walk.found.damaged == 0
    };
    let mut found = walk.end();
    if is_whole && found.waiting != waiting {
        found.damaged += 1;
        let what = "not the updates wait in the log that wait in memory";
        found.damages.push(Damage { row: 0, record: 0, what });
    }
    found.took = started.elapsed();
    Ok(found)
}

#[derive(Default)]
struct Walk {
    found: Walked,
    heads: HashMap<StreamName, Head>,
    /// Updates that are not closed, by their stream; `true` for those that still have their words.
    open: HashMap<(StreamName, UpdateId), bool>,
    /// Where something is missing already, so that it is told once.
    broken: HashSet<StreamName>,
    arrivals: u64,
    aside: Head,
}

impl Walk {
    fn damage(&mut self, (row, record): (u64, usize), what: &'static str) {
        self.found.damaged += 1;
        if self.found.damages.len() < DAMAGES_TOLD_MAX {
            self.found.damages.push(Damage { row, record, what });
        }
    }

    /// WALK-2.
    fn take(&mut self, row: u64, slot: usize, record: Result<Record, Damaged>) {
        let at = (row, slot);
        let record = match record {
            Ok(record) => record,
            Err(Damaged(what)) => return self.damage(at, what),
        };
        self.found.records += 1;
        match &record.body {
            Body::Arrived { update, .. } => {
                self.found.arrived += 1;
                self.arrive(at, &record, *update, true);
            }
            Body::ArrivedErased { update, .. } => {
                self.found.erased += 1;
                self.arrive(at, &record, *update, false);
            }
            Body::Appended { closes, .. } => self.append(at, &record, closes),
            Body::Dropped { updates, .. } => self.found.dropped += updates.len() as u64,
            Body::Quarantined { .. } => {
                self.found.quarantined += 1;
                let follows = record.seq == self.aside.seq && record.prev == self.aside.last;
                if !follows {
                    self.damage(at, "an update that was set aside does not follow the one before");
                }
                self.aside = Head { seq: record.seq + 1, last: Position::new(row, slot) };
            }
            Body::Rested => {
                self.found.rested += 1;
                let head = self.heads.get(&record.stream).map_or(0, |it| it.seq);
                if head < record.seq && self.broken.insert(record.stream) {
                    self.damage(at, "a stream rests ahead of its records");
                }
            }
            Body::State { .. }
            | Body::Checkpoint(_)
            | Body::OldCheckpoint(_)
            | Body::Accepted(_) => self.damage(at, "a record that does not belong into the log"),
        }
    }

    fn arrive(&mut self, at: (u64, usize), record: &Record, update: UpdateId, has_words: bool) {
        if record.seq <= self.arrivals {
            self.damage(at, "an update that is out of the order of arrival");
        }
        self.arrivals = self.arrivals.max(record.seq);
        self.open.insert((record.stream, update), has_words);
    }

    fn append(&mut self, at: (u64, usize), record: &Record, closes: &[UpdateId]) {
        self.found.appended += 1;
        let head = self.heads.get(&record.stream).copied().unwrap_or_default();
        let follows = (record.seq, record.prev) == (head.seq, head.last);
        if !follows && self.broken.insert(record.stream) {
            self.damage(at, "a record does not follow the one before it in its stream");
        }
        let last = Position::new(at.0, at.1);
        self.heads.insert(record.stream, Head { seq: record.seq + 1, last });
        for update in closes {
            self.found.closed += 1;
            let was_open = self.open.remove(&(record.stream, *update)).is_some();
            if !was_open && self.broken.insert(record.stream) {
                self.damage(at, "an update is closed that did not wait there, or twice");
            }
        }
    }

    fn snapshots(&mut self, shared: &Shared) -> Result<(), LedgerError> {
        for row in keys_of(&shared.disk, key::SNAPSHOT)? {
            let key = row?;
            let nowhere = (0, 0);
            let Some(value) = shared.disk.get_parts(&key)? else {
                self.damage(nowhere, "a snapshot is missing");
                continue;
            };
            match shared.seal.open_slot(&value, 0) {
                Ok(record) if matches!(record.body, Body::State { .. }) => {
                    self.found.snapshots += 1;
                }
                Ok(_) => self.damage(nowhere, "a record in place of a snapshot"),
                Err(Damaged(what)) => self.damage(nowhere, what),
            }
        }
        Ok(())
    }

    fn end(self) -> Walked {
        let waiting = self.open.values().filter(|it| **it).count() as u64;
        Walked { streams: self.heads.len() as u64, waiting, ..self.found }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use protocol::{
        BotId, ChatId, PersonId, SessionKey, Timestamp,
        ledger::{Append, Arrival, Ledger, Owned, Route, Seq, Stream},
    };

    use super::*;
    use crate::{KeyPlace, Keys, Store, StoreConfig};

    const KEY: SessionKey = SessionKey { bot: BotId(1), chat: ChatId(7), topic: None };

    async fn filled(store: &Store) {
        let arrival = |update| Arrival {
            update: UpdateId(update),
            route: Route::Session { key: KEY, owner: PersonId(7), raw: Bytes::from_static(b"{}") },
            at: Timestamp(5),
        };
        for update in 1..=20 {
            store.journal(BotId(1), vec![arrival(update)]).await.unwrap();
        }
        let aside = Route::Quarantined { raw: Bytes::from_static(b"?") };
        let aside = Arrival { update: UpdateId(99), route: aside, at: Timestamp(6) };
        store.journal(BotId(1), vec![aside]).await.unwrap();
        for seq in 0..10 {
            let append = Append {
                stream: Stream::Session(KEY),
                expected: Seq(seq),
                events: vec![Owned::by(PersonId(7), vec![b'x'; 600])],
                closes: vec![UpdateId(i64::try_from(seq).unwrap() + 1)],
            };
            store.append(append).await.unwrap();
        }
    }

    fn open(home: &tempfile::TempDir) -> Store {
        let path = home.path().join("key");
        let keys = match path.exists() {
            true => Keys::open(&path, KeyPlace::Anywhere).unwrap(),
            false => Keys::create(&path, KeyPlace::Anywhere).unwrap(),
        };
        Store::open(StoreConfig::new(home.path().join("data")), keys).unwrap()
    }

    #[tokio::test]
    async fn a_whole_log_is_counted_and_nothing_is_wrong_with_it() {
        let home = tempfile::tempdir().unwrap();
        let store = open(&home);
        filled(&store).await;
        let found = store.walk().unwrap();
        assert_eq!(found.damages, []);
        assert_eq!((found.arrived, found.appended, found.quarantined), (20, 10, 1));
        assert_eq!((found.closed, found.waiting, found.streams), (10, 10, 1));
        assert_eq!(found.records, 31);
        store.forget(PersonId(7), Timestamp(9), None).await.unwrap();
        let found = store.walk().unwrap();
        assert_eq!((found.damages, found.erased, found.waiting), (vec![], 20, 0));
        store.close().unwrap();
    }

    #[tokio::test]
    async fn walk_1_walk_2_damage_is_told_with_its_place_and_does_not_end_the_walk() {
        let home = tempfile::tempdir().unwrap();
        let store = open(&home);
        filled(&store).await;
        let before = store.walk().unwrap();
        let (row, bytes) = {
            let shared = store.shared_for_tests();
            let mut rows = shared.disk.rows(before.rows - 3).unwrap();
            let (row, mut bytes) = rows.next().unwrap().unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            let mut batch = crate::wal::Batch::default();
            shared.disk.replace(&mut batch, &key::row(row), &bytes).unwrap();
            shared.disk.commit(&batch).unwrap();
            (row, bytes)
        };
        assert!(store.verify().is_err());
        let found = store.walk().unwrap();
        assert_eq!(found.rows, before.rows, "it goes on behind it");
        let first = &found.damages[0];
        assert_eq!((first.row, first.what), (row, "a record with a wrong checksum"));
        assert!(1 < found.damaged && found.records < before.records, "{found:?}");
        let shared = store.shared_for_tests();
        let still = shared.disk.get_parts(&key::row(row)).unwrap();
        assert_eq!(still, Some(bytes), "nothing was put right in silence");
    }
}
