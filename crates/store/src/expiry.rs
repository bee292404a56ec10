//! Takes out of the ledger what is older than it is to be kept.
//!
//! One log holds everything, so nothing is cut off: an expired record is written anew in its place
//! without what it said. What stays of it is its place in its stream, and of an update its id and
//! time. Works on the writer's thread in small steps, between two groups; what a conversation has
//! at hand for its next answer goes when the conversation has been silent that long.
//!
//! The write-ahead log that is kept for repairs goes by its own age, after each round.
//!
//! A record is older than a time if it stands in a row before one with an update that is.

use std::time::{Duration, SystemTime};

use protocol::{
    Timestamp,
    ledger::{Expired, Expiry, Stream},
};
use tracing::info;

use crate::{
    disk::{DiskError, key},
    past,
    record::{Body, Record, StreamName},
    wal::Batch,
    writer::Writer,
};

/// Rows, or states, of one step.
const STEP: u64 = 64;

/// How far the present round has come. A round that is interrupted begins anew.
#[derive(Debug, Default)]
pub(crate) struct Round {
    row: u64,
    /// Names of streams from these first bytes on; `None` while rows are looked at.
    name: Option<[u8; 8]>,
}

/// The rows before which each kind of record has expired.
struct Ends {
    conversations: u64,
    quarantine: u64,
    raw_updates: u64,
}

/// One step.
pub(crate) fn step(writer: &mut Writer, expiry: Expiry) -> Result<Expired, DiskError> {
    let last = writer.shared.disk.last_row()?;
    let end = |at: Option<Timestamp>| match at {
        Some(at) => past::first_row_since(&writer.shared, at, last).map_err(in_doubt),
        None => Ok(0),
    };
    let ends = Ends {
        conversations: end(expiry.conversations)?,
        quarantine: end(expiry.quarantine)?,
        raw_updates: end(expiry.raw_updates)?,
    };
    let done = match writer.round.name {
        None => rows(writer, &ends),
        Some(from) => states(writer, &ends, from),
    }?;
    if !done.more {
        expire_log(writer, expiry)?;
    }
    Ok(done)
}

/// The log ahead of the database holds all kinds of records: it goes with the first that expires.
fn expire_log(writer: &Writer, expiry: Expiry) -> Result<(), DiskError> {
    let Expiry { conversations, quarantine, raw_updates } = expiry;
    let Some(before) = conversations.max(quarantine).max(raw_updates) else { return Ok(()) };
    match SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(before.0)) {
        Some(before) => writer.shared.disk.expire_log(before),
        None => Ok(()),
    }
}

fn in_doubt(error: protocol::ledger::LedgerError) -> DiskError {
    DiskError::Io(std::io::Error::other(error))
}

fn rows(writer: &mut Writer, ends: &Ends) -> Result<Expired, DiskError> {
    let from = writer.round.row.max(1);
    let end = ends.conversations.max(ends.quarantine).max(ends.raw_updates);
    let to = end.min(from + STEP);
    let mut batch = Batch::default();
    let mut records = 0;
    for row in from..to {
        let bytes = writer.shared.disk.get_parts(&key::row(row))?;
        let bytes = bytes.ok_or(crate::record::Damaged("a row of the log is missing"))?;
        let mut all = writer.shared.seal.open_row(&bytes)?;
        let emptied = all.iter_mut().filter_map(|it| empty(writer, it, row, ends)).count();
        if 0 < emptied {
            let mut sealed = Vec::with_capacity(bytes.len());
            for record in &all {
                writer.shared.seal.seal(record, &mut writer.nonces, &mut sealed)?;
            }
            writer.shared.disk.replace(&mut batch, &key::row(row), &sealed)?;
            records += emptied as u64;
        }
    }
    commit(writer, &batch, records)?;
    writer.round.row = to.max(from);
    if end <= to {
        writer.round.name = Some([0; 8]);
    }
    Ok(Expired { records, more: true })
}

/// Takes what a record says out of it, if it has expired.
fn empty(writer: &Writer, record: &mut Record, row: u64, ends: &Ends) -> Option<()> {
    let body = match &record.body {
        Body::Arrived { key, update, at, .. } if row < ends.raw_updates => {
            let index = writer.shared.index().ok()?;
            let live = index.live(record.stream);
            if live.is_some_and(|it| it.waiting.iter().any(|wait| wait.update == *update)) {
                return None;
            }
            Body::ArrivedErased { bot: key.bot, update: *update, at: *at }
        }
        Body::Appended {
            stream:
                Some(Stream::Session(_) | Stream::Memories(_) | Stream::Treasury | Stream::Timetable),
            closes,
            events,
        } if row < ends.conversations && !events.is_empty() => {
            Body::Appended { stream: None, closes: closes.clone(), events: Vec::new() }
        }
        Body::Quarantined { bot, update, at, raw } if row < ends.quarantine && !raw.is_empty() => {
            let raw = bytes::Bytes::new();
            Body::Quarantined { bot: *bot, update: *update, at: *at, raw }
        }
        Body::Arrived { .. }
        | Body::Appended { .. }
        | Body::Quarantined { .. }
        | Body::ArrivedErased { .. }
        | Body::Dropped { .. }
        | Body::Rested
        | Body::State { .. }
        | Body::Checkpoint(_)
        | Body::OldCheckpoint(_)
        | Body::Accepted(_) => return None,
    };
    record.body = body;
    Some(())
}

fn states(writer: &mut Writer, ends: &Ends, from: [u8; 8]) -> Result<Expired, DiskError> {
    let limit = usize::try_from(STEP).unwrap_or(usize::MAX);
    let names = writer.shared.disk.snapshots(from, limit)?;
    let mut batch = Batch::default();
    let mut records = 0;
    for name in &names {
        records += u64::from(empty_state(writer, *name, ends, &mut batch)?);
    }
    commit(writer, &batch, records)?;
    let last = names.last().map(|StreamName([a, b, c, d, e, f, g, h, ..])| {
        u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])
    });
    let next = last.and_then(|it| it.checked_add(1)).filter(|_| names.len() == limit);
    writer.round.name = next.map(u64::to_be_bytes);
    if next.is_none() {
        writer.round = Round::default();
    }
    Ok(Expired { records, more: next.is_some() })
}

/// Empties the state of a conversation whose last event has expired. It keeps its place.
fn empty_state(
    writer: &mut Writer,
    name: StreamName,
    ends: &Ends,
    batch: &mut Batch,
) -> Result<bool, DiskError> {
    // What was used this month is in its state, however long nobody has asked anything; and what is
    // still to come.
    let kept = [Stream::Hall, Stream::Alerts, Stream::Treasury, Stream::Timetable];
    if kept.iter().any(|it| name == writer.shared.seal.name(it)) {
        return Ok(false);
    }
    let Some(row) = writer.shared.disk.get_parts(&key::snapshot(name))? else { return Ok(false) };
    let mut record = writer.shared.seal.open_slot(&row, 0)?;
    let live = writer.shared.index().map_err(in_doubt)?.live(name).cloned().unwrap_or_default();
    let last = live.head.map_or(record.prev, |head| head.last);
    let is_silent = last.row() != 0 && last.row() < ends.conversations && live.waiting.is_empty();
    match &record.body {
        Body::State { state, .. } if is_silent && !state.is_empty() => {
            record.body = Body::State { stream: None, state: Vec::new() };
        }
        Body::State { .. }
        | Body::Arrived { .. }
        | Body::ArrivedErased { .. }
        | Body::Appended { .. }
        | Body::Dropped { .. }
        | Body::Quarantined { .. }
        | Body::Rested
        | Body::Checkpoint(_)
        | Body::OldCheckpoint(_)
        | Body::Accepted(_) => return Ok(false),
    }
    let mut sealed = Vec::new();
    writer.shared.seal.seal(&record, &mut writer.nonces, &mut sealed)?;
    writer.shared.disk.replace(batch, &key::snapshot(name), &sealed)?;
    Ok(true)
}

fn commit(writer: &Writer, batch: &Batch, records: u64) -> Result<(), DiskError> {
    if records == 0 {
        return Ok(());
    }
    writer.shared.seal.keyring().sync()?;
    let mut in_doubt = writer.shared.gate()?;
    *in_doubt = true;
    writer.shared.disk.commit(batch)?;
    *in_doubt = false;
    info!(event.action = "records_expired", labels.records = records, "old records were emptied");
    Ok(())
}
