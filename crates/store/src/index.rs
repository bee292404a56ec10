//! What the ledger holds in memory: the heads of live streams, the updates that wait, the ids seen.
//!
//! It changes only by [`Index::apply`], one committed record at a time and in the order of the log.
//! Opening replays the same records through the same function, so starting is recovering.

use std::collections::HashMap;

use bytes::{BufMut as _, Bytes};
use protocol::{BotId, PersonId, SessionKey, Timestamp, UpdateId};

use crate::{
    codec::{Fields, put_list, put_session},
    record::{Body, Position, Record, StreamName},
    seen::Seen,
};

/// Limits of what is held in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexLimits {
    pub(crate) seen_window_ms: u64,
    pub(crate) raw_bytes_max: usize,
}

/// How a checkpoint was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Without owners.
    Format1,
    /// As it is written now.
    Current,
}

/// The end of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// How many records it has.
    pub(crate) seq: u64,
    /// Where the last one is.
    pub(crate) last: Position,
}

/// An update that waits.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(crate) update: UpdateId,
    pub(crate) order: u64,
    pub(crate) at: Timestamp,
    pub(crate) position: Position,
    /// Who wrote it; unknown in format 1.
    pub(crate) owner: Option<PersonId>,
    /// Its bytes, if they are fresh and there was room. Else they are in the log.
    pub(crate) raw: Option<Bytes>,
}

/// One stream that is live: it has events since its snapshot, or updates that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    /// Where it is. `None` if it is where its snapshot is, or empty without one.
    pub(crate) head: Option<Head>,
    /// In order of arrival.
    pub(crate) waiting: Vec<Wait>,
    /// Whose inbox this is; set while updates wait.
    key: Option<SessionKey>,
}

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Index {
    limits: IndexLimits,
    live: HashMap<StreamName, Live>,
    seen: HashMap<BotId, Seen>,
    /// The order given to the last arrival. Never given twice.
    arrivals: u64,
    quarantined: Head,
    waiting: u64,
    raw_bytes: usize,
}

impl Index {
    pub(crate) fn new(limits: IndexLimits) -> Self {
        Self {
            limits,
            live: HashMap::new(),
            seen: HashMap::new(),
            arrivals: 0,
            quarantined: Head::default(),
            waiting: 0,
            raw_bytes: 0,
        }
    }

    /// Takes in a committed record that stands at a place of the log.
    pub(crate) fn apply(&mut self, position: Position, record: &Record) {
        match &record.body {
            Body::Arrived { key, owner, update, at, raw } => {
                self.saw(key.bot, *update, *at);
                self.arrivals = record.seq;
                let keep = self.raw_bytes + raw.len() <= self.limits.raw_bytes_max;
                // A copy of its own: the caller's bytes may be a small part of a large buffer.
                let raw = keep.then(|| Bytes::copy_from_slice(raw));
                let (update, order, at, owner) = (*update, record.seq, *at, *owner);
                self.wait(record.stream, *key, Wait { update, order, at, position, owner, raw });
            }
            Body::ArrivedErased { bot, update, at } => {
                self.saw(*bot, *update, *at);
                self.arrivals = record.seq;
            }
            Body::Appended { closes, .. } => {
                let head = Head { seq: record.seq + 1, last: position };
                self.live.entry(record.stream).or_default().head = Some(head);
                self.close(record.stream, closes);
            }
            Body::Dropped { bot, at, updates } => {
                for (update, _) in updates {
                    self.saw(*bot, *update, *at);
                }
            }
            Body::Quarantined { bot, update, at, .. } => {
                self.saw(*bot, *update, *at);
                self.quarantined = Head { seq: record.seq + 1, last: position };
            }
            Body::Rested => self.rest(record.stream, record.seq),
            // Not in the log.
            Body::State { .. }
            | Body::Checkpoint(_)
            | Body::OldCheckpoint(_)
            | Body::Accepted(_) => {}
        }
    }

    /// Takes a forgotten person's waiting updates out.
    pub(crate) fn erase(&mut self, person: PersonId) {
        let mut names = Vec::new();
        for (name, live) in &self.live {
            let theirs = live.waiting.iter().filter(|wait| wait.owner == Some(person));
            let updates: Vec<UpdateId> = theirs.map(|wait| wait.update).collect();
            if !updates.is_empty() {
                names.push((*name, updates));
            }
        }
        for (name, updates) in names {
            self.drop_waiting(name, &updates);
        }
    }

    /// Waiting updates whose bytes are in the log alone, and where.
    pub(crate) fn in_the_log(&self) -> Vec<(StreamName, UpdateId, Position)> {
        let waits = self.live.iter().flat_map(|(name, live)| {
            let of_log = live.waiting.iter().filter(|wait| wait.raw.is_none());
            of_log.map(move |wait| (*name, wait.update, wait.position))
        });
        waits.collect()
    }

    /// Takes waiting updates of format 1 out, of which no owner is known.
    pub(crate) fn drop_old_waiting(&mut self, stream: StreamName) {
        let Some(live) = self.live.get(&stream) else { return };
        let old = live.waiting.iter().filter(|wait| wait.owner.is_none());
        let updates: Vec<UpdateId> = old.map(|wait| wait.update).collect();
        self.drop_waiting(stream, &updates);
    }

    /// Takes waiting updates out that are there no more.
    pub(crate) fn drop_waiting(&mut self, stream: StreamName, updates: &[UpdateId]) {
        self.close(stream, updates);
        if self.live.get(&stream).is_some_and(|it| it.head.is_none() && it.waiting.is_empty()) {
            self.live.remove(&stream);
        }
    }

    fn saw(&mut self, bot: BotId, update: UpdateId, at: Timestamp) {
        self.seen.entry(bot).or_default().insert(update, at, self.limits.seen_window_ms);
    }

    fn wait(&mut self, stream: StreamName, key: SessionKey, wait: Wait) {
        self.waiting += 1;
        self.raw_bytes += wait.raw.as_ref().map_or(0, Bytes::len);
        let live = self.live.entry(stream).or_default();
        live.key = Some(key);
        live.waiting.push(wait);
    }

    fn close(&mut self, stream: StreamName, closes: &[UpdateId]) {
        let Some(live) = self.live.get_mut(&stream) else { return };
        let mut freed = 0;
        let before = live.waiting.len();
        live.waiting.retain(|wait| {
            let keep = !closes.contains(&wait.update);
            if !keep {
                freed += wait.raw.as_ref().map_or(0, Bytes::len);
            }
            keep
        });
        self.raw_bytes -= freed;
        self.waiting -= (before - live.waiting.len()) as u64;
        if live.waiting.is_empty() {
            live.key = None;
        }
    }

    /// A stream whose snapshot holds everything needs no place here, unless updates wait.
    fn rest(&mut self, stream: StreamName, at: u64) {
        let Some(live) = self.live.get_mut(&stream) else { return };
        if live.head.is_some_and(|head| head.seq == at) {
            live.head = None;
        }
        if live.head.is_none() && live.waiting.is_empty() {
            self.live.remove(&stream);
        }
    }

    pub(crate) fn knows(&self, bot: BotId, update: UpdateId) -> bool {
        self.seen.get(&bot).is_some_and(|seen| seen.contains(update))
    }

    /// Between which times the newest update was recorded: known to some hours.
    pub(crate) fn newest(&self) -> Option<(Timestamp, Timestamp)> {
        self.seen.values().filter_map(Seen::newest).max()
    }

    /// The stream as far as it is live.
    pub(crate) fn live(&self, stream: StreamName) -> Option<&Live> {
        self.live.get(&stream)
    }

    /// The order given to the last arrival.
    pub(crate) fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// How many updates are quarantined, and where the last one is.
    pub(crate) fn quarantined(&self) -> Head {
        self.quarantined
    }

    /// How many updates wait, in all sessions.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting
    }

    pub(crate) fn open_sessions(&self) -> Vec<SessionKey> {
        self.live.values().filter_map(|live| live.key).collect()
    }

    /// Everything but the raw bytes, for a checkpoint.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.put_u64(self.arrivals);
        put_head(out, self.quarantined);
        let seen: Vec<_> = self.seen.iter().collect();
        put_list(out, &seen, |out, (bot, seen)| {
            out.put_i64(bot.0);
            seen.put(out);
        });
        let live: Vec<_> = self.live.iter().collect();
        put_list(out, &live, |out, (name, live)| {
            out.put_slice(&name.0);
            put_option(out, live.head, put_head);
            put_option(out, live.key, |out, key| {
                put_session(out, &key);
                put_list(out, &live.waiting, put_wait);
            });
        });
    }

    /// Reads what [`Index::put`] wrote, or what it wrote in format 1.
    pub(crate) fn read(
        limits: IndexLimits,
        fields: &mut Fields<'_>,
        layout: Layout,
    ) -> Option<Self> {
        let mut index = Self::new(limits);
        index.arrivals = fields.u64()?;
        index.quarantined = read_head(fields)?;
        let seen = fields.list(|fields| Some((BotId(fields.i64()?), Seen::read(fields)?)))?;
        index.seen = seen.into_iter().collect();
        for (name, live) in fields.list(|fields| read_live(fields, layout))? {
            index.waiting += live.waiting.len() as u64;
            index.live.insert(name, live);
        }
        Some(index)
    }
}

fn put_option<T>(out: &mut Vec<u8>, option: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    out.put_u8(u8::from(option.is_some()));
    if let Some(value) = option {
        put(out, value);
    }
}

fn put_head(out: &mut Vec<u8>, head: Head) {
    out.put_u64(head.seq);
    out.put_u64(head.last.0);
}

fn put_wait(out: &mut Vec<u8>, wait: &Wait) {
    out.put_i64(wait.update.0);
    out.put_u64(wait.order);
    out.put_u64(wait.at.0);
    out.put_u64(wait.position.0);
    put_option(out, wait.owner, |out, owner| out.put_i64(owner.0));
}

fn read_head(fields: &mut Fields<'_>) -> Option<Head> {
    Some(Head { seq: fields.u64()?, last: Position(fields.u64()?) })
}

fn read_wait(fields: &mut Fields<'_>, layout: Layout) -> Option<Wait> {
    Some(Wait {
        update: fields.update()?,
        order: fields.u64()?,
        at: Timestamp(fields.u64()?),
        position: Position(fields.u64()?),
        owner: match layout {
            Layout::Format1 => None,
            Layout::Current => match fields.u8()? {
                0 => None,
                _ => Some(PersonId(fields.i64()?)),
            },
        },
        raw: None,
    })
}

fn read_live(fields: &mut Fields<'_>, layout: Layout) -> Option<(StreamName, Live)> {
    let name = StreamName(fields.array()?);
    let mut live = Live::default();
    if fields.u8()? == 1 {
        live.head = Some(read_head(fields)?);
    }
    if fields.u8()? == 1 {
        live.key = Some(fields.session()?);
        live.waiting = fields.list(|fields| read_wait(fields, layout))?;
    }
    Some((name, live))
}
