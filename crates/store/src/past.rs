//! Reads back what was appended to all conversations: page by page, from a time on.
//!
//! The log is in the order of time, as far as the clock that stamped it is. Appends carry no time of
//! their own, so a row's time is that of the first update in it, and the first row of a time is
//! found by halving.

use bytes::Bytes;
use protocol::{
    SessionKey, Timestamp,
    ledger::{Bookmark, LedgerError, Past, PastFrom, Stream},
};

use crate::{
    disk::key,
    record::{Body, Record},
    shared::Shared,
};

/// Rows of one page: so few that other reads do not wait long.
const ROWS_MAX: u64 = 32;

/// One page.
pub(crate) fn read(shared: &Shared, from: PastFrom) -> Result<Past, LedgerError> {
    let last = {
        let _settled = shared.settled()?;
        shared.disk.last_row()?
    };
    let from = match from {
        PastFrom::Time(at) => first_row_since(shared, at, last)?,
        PastFrom::Bookmark(Bookmark(row)) => row,
    };
    let mut past = Past::default();
    let end = last.min(from.saturating_add(ROWS_MAX - 1));
    for row in from..=end {
        for record in open(shared, row)? {
            if let Some((key, events)) = events_of(record) {
                past.events.extend(events.into_iter().map(|it| (key, it)));
            }
        }
    }
    past.next = (end < last).then_some(Bookmark(end + 1));
    Ok(past)
}

fn events_of(record: Record) -> Option<(SessionKey, Vec<Bytes>)> {
    match record.body {
        Body::Appended { stream: Some(Stream::Session(key)), events, .. } => {
            Some((key, events.into_iter().map(|it| it.bytes).collect()))
        }
        Body::Appended {
            stream:
                Some(
                    Stream::Hall
                    | Stream::Alerts
                    | Stream::Memories(_)
                    | Stream::Treasury
                    | Stream::Timetable,
                )
                | None,
            ..
        }
        | Body::Arrived { .. }
        | Body::ArrivedErased { .. }
        | Body::Dropped { .. }
        | Body::Quarantined { .. }
        | Body::Rested
        | Body::State { .. }
        | Body::Checkpoint(_)
        | Body::OldCheckpoint(_)
        | Body::Accepted(_) => None,
    }
}

pub(crate) fn open(shared: &Shared, row: u64) -> Result<Vec<Record>, LedgerError> {
    let bytes = shared.disk.get_parts(&key::row(row))?;
    let bytes = bytes.ok_or(LedgerError::Damaged { what: "a row of the log is missing" })?;
    Ok(shared.seal.open_row(&bytes)?)
}

/// The last row whose updates all came before the time, or the first row. What was appended after
/// such an update may belong to the time, so the row itself is read, too.
pub(crate) fn first_row_since(
    shared: &Shared,
    at: Timestamp,
    last: u64,
) -> Result<u64, LedgerError> {
    // Rows before `low` are older, rows from `high` on are not.
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match first_time(shared, middle, high)? {
            Some((row, time)) if time < at => low = row + 1,
            Some(_) | None => high = middle,
        }
    }
    // Where even the last row is older, nothing came since; what was appended to it may be younger.
    Ok(low.saturating_sub(1).max(1))
}

/// The time of the first row with one, from a row on and before `end`.
fn first_time(
    shared: &Shared,
    from: u64,
    end: u64,
) -> Result<Option<(u64, Timestamp)>, LedgerError> {
    for row in from..end {
        let time = open(shared, row)?.iter().find_map(|record| match &record.body {
            Body::Arrived { at, .. }
            | Body::ArrivedErased { at, .. }
            | Body::Dropped { at, .. }
            | Body::Quarantined { at, .. } => Some(*at),
            Body::Appended { .. }
            | Body::Rested
            | Body::State { .. }
            | Body::Checkpoint(_)
            | Body::OldCheckpoint(_)
            | Body::Accepted(_) => None,
        });
        if let Some(time) = time {
            return Ok(Some((row, time)));
        }
    }
    Ok(None)
}
