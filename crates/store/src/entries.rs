//! The newest records of the log, as an operator looks at them.
//!
//! The log is read from its end; an append carries no time, so it is shown with that of the update
//! before it. What is in a record comes along, sealed no more: whoever asks decides what is shown.

use protocol::{
    ChatId, Timestamp, TopicId, UpdateId,
    ledger::{DropReason, LedgerError, Owned, Stream},
};

use crate::{
    past,
    record::{Body, Record},
    shared::Shared,
};

/// Rows that are looked at, at most.
const ROWS_MAX: u64 = 500_000;

/// Which records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How many, at most.
    pub count: usize,
    /// Only of the conversations of this chat.
    pub chat: Option<ChatId>,
    /// And only of this topic.
    pub topic: Option<TopicId>,
}

/// What a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// An update came for a conversation.
    Arrived(UpdateId),
    /// What is left of an update of somebody who was forgotten.
    Erased(UpdateId),
    /// Events were added to a stream, and these updates closed.
    Appended(Vec<UpdateId>),
    /// Updates ended at the door.
    Dropped(Vec<(UpdateId, DropReason)>),
    /// An update could not be read.
    Quarantined(UpdateId),
    /// A snapshot was stored.
    Rested,
}

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its row.
    pub row: u64,
    /// Which record of the row, from 0.
    pub record: usize,
    /// What it is.
    pub kind: EntryKind,
    /// Of which stream, if that is known.
    pub stream: Option<Stream>,
    /// When; of an append, when the update before it came.
    pub at: Option<Timestamp>,
    /// What is in it, and whose it is. Without the pieces of people who were forgotten.
    pub pieces: Vec<Owned>,
}

/// The newest that are wanted, newest first.
pub(crate) fn newest(shared: &Shared, wanted: &Wanted) -> Result<Vec<Entry>, LedgerError> {
    let last = {
        let _settled = shared.settled()?;
        shared.disk.last_row()?
    };
    let mut found: Vec<Entry> = Vec::new();
    let first = last.saturating_sub(ROWS_MAX) + 1;
    for row in (first..=last).rev() {
        let records = past::open(shared, row)?;
        for (slot, record) in records.into_iter().enumerate().rev() {
            let Some(entry) = entry(row, slot, record) else { continue };
            if let Some(at) = entry.at {
                let timeless = found.iter_mut().rev().take_while(|it| it.at.is_none());
                timeless.for_each(|it| it.at = Some(at));
            }
            if found.len() < wanted.count && is_wanted(&entry, wanted) {
                found.push(entry);
            }
        }
        let is_timed = found.last().is_none_or(|it| it.at.is_some());
        if wanted.count <= found.len() && is_timed {
            break;
        }
    }
    Ok(found)
}

fn is_wanted(entry: &Entry, wanted: &Wanted) -> bool {
    let Some(chat) = wanted.chat else { return true };
    let Some(Stream::Session(key)) = &entry.stream else { return false };
    key.chat == chat && (wanted.topic.is_none() || key.topic == wanted.topic)
}

fn entry(row: u64, slot: usize, record: Record) -> Option<Entry> {
    let (kind, stream, at, pieces) = match record.body {
        Body::Arrived { key, owner, update, at, raw } => {
            let piece = Owned { owners: owner.into_iter().collect(), bytes: raw };
            let stream = Some(Stream::Session(key));
            (EntryKind::Arrived(update), stream, Some(at), vec![piece])
        }
        Body::ArrivedErased { update, at, .. } => {
            (EntryKind::Erased(update), None, Some(at), Vec::new())
        }
        Body::Appended { stream, closes, events } => {
            (EntryKind::Appended(closes), stream, None, events)
        }
        Body::Dropped { at, updates, .. } => {
            (EntryKind::Dropped(updates), None, Some(at), Vec::new())
        }
        Body::Quarantined { update, at, raw, .. } => {
            (EntryKind::Quarantined(update), None, Some(at), vec![Owned::halls(raw)])
        }
        Body::Rested => (EntryKind::Rested, None, None, Vec::new()),
        // Not in the log.
        Body::State { .. } | Body::Checkpoint(_) | Body::OldCheckpoint(_) | Body::Accepted(_) => {
            return None;
        }
    };
    Some(Entry { row, record: slot, kind, stream, at, pieces })
}
