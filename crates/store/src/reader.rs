//! The one thread that reads rows from disk, so that a slow disk never holds up a runtime.
//!
//! A read that panics inside the engine fails alone; the thread goes on.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use protocol::ledger::{LedgerError, Loaded, Owned, Seq, Stream, Waiting};

use crate::{
    Quarantined,
    disk::key,
    index::{Head, Wait},
    queue::Queue,
    record::{Body, Position, Record, StreamName},
    shared::Shared,
};

/// A question, with its answer's way back inside.
pub(crate) type Read = Box<dyn FnOnce(&Shared) + Send>;

pub(crate) fn run(shared: &Arc<Shared>, queue: &Queue<Read>) {
    while let Some(read) = queue.recv() {
        if catch_unwind(AssertUnwindSafe(|| read(shared))).is_err() {
            tracing::error!("a read of the ledger panicked");
        }
    }
}

/// Everything needed to go on with a stream, as of one moment between two commits.
pub(crate) fn load(shared: &Shared, stream: &Stream) -> Result<Loaded, LedgerError> {
    let name = shared.seal.name(stream);
    let (live, snapshot) = {
        let _settled = shared.settled()?;
        (shared.index()?.live(name).cloned().unwrap_or_default(), shared.snapshot(name)?)
    };
    let (rest, state) =
        snapshot.map_or((Head::default(), None), |(head, state)| (head, Some(state)));
    let head = live.head.unwrap_or(rest);
    Ok(Loaded {
        snapshot: state,
        events: events(shared, name, head, rest.seq)?.into_iter().flatten().collect(),
        appends: head.seq - rest.seq.min(head.seq),
        at: Seq(head.seq),
        waiting: with_bytes(shared, name, live.waiting)?,
        accepted: shared.accepted.of(name),
    })
}

/// All events of a stream since its beginning, oldest first: the pieces of each append.
pub(crate) fn read_all(shared: &Shared, stream: &Stream) -> Result<Vec<Vec<Owned>>, LedgerError> {
    let name = shared.seal.name(stream);
    let head = {
        let _settled = shared.settled()?;
        match shared.index()?.live(name).and_then(|live| live.head) {
            Some(head) => head,
            None => shared.snapshot(name)?.map_or_else(Head::default, |(head, _)| head),
        }
    };
    events(shared, name, head, 0)
}

/// Walks back from a head to a position; the events in between, oldest first. The walk goes on past
/// appends of people who were forgotten, and leaves nothing for them but their place.
fn events(
    shared: &Shared,
    stream: StreamName,
    head: Head,
    after: u64,
) -> Result<Vec<Vec<Owned>>, LedgerError> {
    let mut events = Vec::new();
    let mut last = head.last;
    for seq in (after..head.seq).rev() {
        let record = fetch(shared, last, (stream, seq))?;
        let Body::Appended { events: found, .. } = record.body else {
            return Err(LedgerError::Damaged { what: "a record in place of events" });
        };
        events.push(found);
        last = record.prev;
    }
    events.reverse();
    Ok(events)
}

/// Reads the bytes that are not in memory.
pub(crate) fn with_bytes(
    shared: &Shared,
    stream: StreamName,
    waits: Vec<Wait>,
) -> Result<Vec<Waiting>, LedgerError> {
    let read = |wait: Wait| {
        let Wait { update, order, at, position, raw, .. } = wait;
        if let Some(raw) = raw {
            return Ok(Some(Waiting { update, order, raw, at }));
        }
        match fetch(shared, position, (stream, order))?.body {
            Body::Arrived { raw, .. } => Ok(Some(Waiting { update, order, raw, at })),
            // Forgotten while we read.
            Body::ArrivedErased { .. } => Ok(None),
            Body::Appended { .. }
            | Body::Dropped { .. }
            | Body::Quarantined { .. }
            | Body::Rested
            | Body::State { .. }
            | Body::Checkpoint(_)
            | Body::OldCheckpoint(_)
            | Body::Accepted(_) => {
                Err(LedgerError::Damaged { what: "a record in place of an update" })
            }
        }
    };
    waits.into_iter().map(read).filter_map(Result::transpose).collect()
}

/// The newest quarantined updates, newest first.
pub(crate) fn quarantined(shared: &Shared, limit: usize) -> Result<Vec<Quarantined>, LedgerError> {
    let Head { seq, mut last } = shared.index()?.quarantined();
    let mut found = Vec::new();
    for seq in (0..seq).rev().take(limit) {
        let record = fetch(shared, last, (shared.seal.quarantine(), seq))?;
        let Body::Quarantined { bot, update, at, raw } = record.body else {
            return Err(LedgerError::Damaged { what: "a record in place of a quarantined update" });
        };
        found.push(Quarantined { bot, update, at, raw });
        last = record.prev;
    }
    Ok(found)
}

/// Reads the record at a position, which must be the one that is expected there.
fn fetch(
    shared: &Shared,
    position: Position,
    expected: (StreamName, u64),
) -> Result<Record, LedgerError> {
    let row = shared.disk.get_parts(&key::row(position.row()))?;
    let row = row.ok_or(LedgerError::Damaged { what: "a row of the log is missing" })?;
    let record = shared.seal.open_slot(&row, position.slot())?;
    if (record.stream, record.seq) != expected {
        return Err(LedgerError::Damaged { what: "a record of another stream" });
    }
    Ok(record)
}
