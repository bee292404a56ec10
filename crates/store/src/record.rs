//! The records of the ledger: their bodies, their clear headers, and how they are sealed.
//!
//! A record on disk is `header · sealed body · CRC-32 of both`. The header shows no ids, only a
//! keyed hash of the stream. The whole header but the nonce is authenticated with the body, so a
//! record opens only as what it is and where it belongs. The checksum tells damage from a wrong key.
//! What belongs to people stands in the body in pieces of their own, see `piece.rs`: without their
//! keys a record still has its place, its number and the updates that it closes, and no more.
//!
//! Kinds 1, 2, 6 and 7 are those of format 1, where everything was the hall's. They are read, and
//! written no more.

use std::io;

use bytes::{BufMut as _, Bytes};
use hmac::{Hmac, Mac};
use protocol::{
    BotId, MessageId, PersonId, SessionKey, Timestamp, UpdateId,
    ledger::{Accepted, DropReason, LedgerError, Owned, Stream},
};
use sha2::Sha256;

use crate::{
    aead::{Aead, NONCE_BYTES, TAG_BYTES, Unsealed},
    codec::{Fields, put_drop_reason, put_list, put_session, put_stream},
    keyring::Keyring,
    piece::{self, Piece, Place},
};

/// The version of everything this file writes.
const VERSION: u8 = 1;
/// The key of the hall itself, which seals every record. Keys of people seal pieces inside.
const HALL_KEY: u32 = 0;
const CRC_BYTES: usize = 4;
/// Version, kind, key, stream, seq, prev, length.
const HEADER_BYTES: usize = 1 + 1 + 4 + 16 + 8 + 8 + 4;
/// What of the header is authenticated with a piece: all but the length.
const BOUND_BYTES: usize = HEADER_BYTES - 4;

/// A place in the log: the number of its row and the place in the row. Zero is nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Position(pub(crate) u64);

impl Position {
    /// Records in one row, at most.
    pub(crate) const SLOTS: usize = 256;

    /// The place of record `slot` in a row.
    pub(crate) fn new(row: u64, slot: usize) -> Self {
        debug_assert!(slot < Self::SLOTS, "the packer closes a row before it has 256 records");
        Self((row << 8) | (slot as u64 & 0xff))
    }

    pub(crate) fn row(self) -> u64 {
        self.0 >> 8
    }

    pub(crate) fn slot(self) -> usize {
        usize::from(self.0.to_be_bytes()[7])
    }
}

/// The name of a stream on disk: a keyed hash, so that ids cannot be found by trying them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StreamName(pub(crate) [u8; 16]);

/// What a record says. Ids stand only here, under the seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// An update came for a session. The record's seq is its order of arrival. Without an owner it
    /// is of format 1.
    Arrived {
        key: SessionKey,
        owner: Option<PersonId>,
        update: UpdateId,
        at: Timestamp,
        raw: Bytes,
    },
    /// What is left of an update whose owner was forgotten.
    ArrivedErased { bot: BotId, update: UpdateId, at: Timestamp },
    /// Events were added to a stream, and updates of its inbox were closed. Pieces of people who
    /// were forgotten are left out; if nothing is left, neither is the stream.
    Appended { stream: Option<Stream>, closes: Vec<UpdateId>, events: Vec<Owned> },
    /// Updates ended here.
    Dropped { bot: BotId, at: Timestamp, updates: Vec<(UpdateId, DropReason)> },
    /// An update could not be read.
    Quarantined { bot: BotId, update: UpdateId, at: Timestamp, raw: Bytes },
    /// A snapshot of the stream was stored; it holds everything before the record's seq.
    Rested,
    /// The state of a snapshot, as `Appended` has its events. Not in the log: in a row of its own.
    State { stream: Option<Stream>, state: Vec<Owned> },
    /// What is in memory at a row of the log. Not in the log: in a row of its own.
    Checkpoint(Bytes),
    /// The same of format 1.
    OldCheckpoint(Bytes),
    /// A part was accepted. Not in the log: in a ring of its own.
    Accepted(Accepted),
}

impl Body {
    fn kind(&self) -> u8 {
        match self {
            Self::Arrived { owner: None, .. } => 1,
            Self::Dropped { .. } => 3,
            Self::Quarantined { .. } => 4,
            Self::Rested => 5,
            Self::OldCheckpoint(_) => 7,
            Self::Accepted(_) => 8,
            Self::Arrived { owner: Some(_), .. } => 9,
            Self::Appended { .. } => 10,
            Self::State { .. } => 11,
            Self::Checkpoint(_) => 12,
            Self::ArrivedErased { .. } => 13,
        }
    }

    /// About how many bytes it takes on disk.
    pub(crate) fn size(&self) -> usize {
        const FIELDS: usize = 64;
        let pieces = |pieces: &[Owned]| {
            pieces.iter().map(|it| piece::OVERHEAD_BYTES + it.bytes.len()).sum::<usize>()
        };
        FIELDS
            + match self {
                Self::Arrived { raw, .. } => piece::OVERHEAD_BYTES + raw.len(),
                Self::Quarantined { raw, .. } => raw.len(),
                Self::Appended { closes, events, .. } => pieces(events) + 8 * closes.len(),
                Self::Dropped { updates, .. } => 9 * updates.len(),
                Self::Rested | Self::Accepted(_) | Self::ArrivedErased { .. } => 0,
                Self::State { state, .. } => pieces(state),
                Self::Checkpoint(bytes) | Self::OldCheckpoint(bytes) => bytes.len(),
            }
    }

    fn put(&self, out: &mut Vec<u8>, pieces: &mut Pieces<'_>) -> io::Result<()> {
        match self {
            Self::Arrived { key, owner: None, update, at, raw } => {
                put_session(out, key);
                out.put_i64(update.0);
                out.put_u64(at.0);
                out.put_slice(raw);
            }
            Self::Arrived { key, owner: Some(owner), update, at, raw } => {
                put_arrival(out, key.bot, *update, *at);
                pieces.put(out, &Stream::Session(*key), &Owned::by(*owner, raw.clone()))?;
            }
            Self::ArrivedErased { bot, update, at } => put_arrival(out, *bot, *update, *at),
            Self::Appended { stream, closes, events } => {
                put_list(out, closes, |out, update| out.put_i64(update.0));
                pieces.put_all(out, stream.as_ref(), events)?;
            }
            Self::Dropped { bot, at, updates } => {
                out.put_i64(bot.0);
                out.put_u64(at.0);
                put_list(out, updates, |out, (update, reason)| {
                    out.put_i64(update.0);
                    put_drop_reason(out, *reason);
                });
            }
            Self::Quarantined { bot, update, at, raw } => {
                put_arrival(out, *bot, *update, *at);
                out.put_slice(raw);
            }
            Self::Rested => {}
            Self::State { stream, state } => pieces.put_all(out, stream.as_ref(), state)?,
            Self::Checkpoint(bytes) | Self::OldCheckpoint(bytes) => out.put_slice(bytes),
            Self::Accepted(Accepted { session, update, part, message }) => {
                put_session(out, session);
                out.put_i64(update.0);
                out.put_u32(*part);
                out.put_i64(message.0);
            }
        }
        Ok(())
    }

    fn read(kind: u8, fields: &mut Fields<'_>, pieces: &Opening<'_>) -> Result<Self, Damaged> {
        let unreadable = Damaged("a sealed record that does not read");
        match kind {
            9 => Self::read_arrived(fields, pieces, unreadable),
            10 => {
                let closes = fields.list(Fields::update).ok_or(unreadable)?;
                let (stream, events) = pieces.read_all(fields, unreadable)?;
                Ok(Self::Appended { stream, closes, events })
            }
            11 => {
                let (stream, state) = pieces.read_all(fields, unreadable)?;
                Ok(Self::State { stream, state })
            }
            _ => Self::read_halls(kind, fields).ok_or(unreadable),
        }
    }

    fn read_arrived(
        fields: &mut Fields<'_>,
        pieces: &Opening<'_>,
        unreadable: Damaged,
    ) -> Result<Self, Damaged> {
        let (bot, update, at) = read_arrival(fields).ok_or(unreadable)?;
        match pieces.read(fields, 0)? {
            Piece::Erased => Ok(Self::ArrivedErased { bot, update, at }),
            Piece::Open(Stream::Session(key), owned) => {
                let owner = owned.owners.first().copied();
                Ok(Self::Arrived { key, owner, update, at, raw: owned.bytes })
            }
            Piece::Open(
                Stream::Hall
                | Stream::Alerts
                | Stream::Memories(_)
                | Stream::Treasury
                | Stream::Timetable,
                _,
            ) => Err(unreadable),
        }
    }

    /// Bodies without pieces.
    fn read_halls(kind: u8, fields: &mut Fields<'_>) -> Option<Self> {
        let rest = |fields: &mut Fields<'_>| Bytes::copy_from_slice(fields.rest());
        Some(match kind {
            1 => Self::Arrived {
                key: fields.session()?,
                owner: None,
                update: fields.update()?,
                at: Timestamp(fields.u64()?),
                raw: rest(fields),
            },
            2 => Self::Appended {
                stream: Some(fields.stream()?),
                closes: fields.list(Fields::update)?,
                events: vec![Owned::halls(rest(fields))],
            },
            3 => Self::Dropped {
                bot: BotId(fields.i64()?),
                at: Timestamp(fields.u64()?),
                updates: fields.list(|fields| Some((fields.update()?, fields.drop_reason()?)))?,
            },
            4 => {
                let (bot, update, at) = read_arrival(fields)?;
                Self::Quarantined { bot, update, at, raw: rest(fields) }
            }
            5 => Self::Rested,
            6 => Self::State { stream: None, state: vec![Owned::halls(rest(fields))] },
            7 => Self::OldCheckpoint(rest(fields)),
            8 => Self::Accepted(Accepted {
                session: fields.session()?,
                update: fields.update()?,
                part: fields.u32()?,
                message: MessageId(fields.i64()?),
            }),
            12 => Self::Checkpoint(rest(fields)),
            13 => {
                let (bot, update, at) = read_arrival(fields)?;
                Self::ArrivedErased { bot, update, at }
            }
            _ => return None,
        })
    }
}

fn put_arrival(out: &mut Vec<u8>, bot: BotId, update: UpdateId, at: Timestamp) {
    out.put_i64(bot.0);
    out.put_i64(update.0);
    out.put_u64(at.0);
}

fn read_arrival(fields: &mut Fields<'_>) -> Option<(BotId, UpdateId, Timestamp)> {
    Some((BotId(fields.i64()?), fields.update()?, Timestamp(fields.u64()?)))
}

/// Writes the pieces of one record.
struct Pieces<'a> {
    keyring: &'a Keyring,
    nonces: &'a mut Nonces,
    header: Vec<u8>,
    count: u32,
}

impl Pieces<'_> {
    fn put(&mut self, out: &mut Vec<u8>, stream: &Stream, owned: &Owned) -> io::Result<()> {
        let place = Place { header: &self.header, index: self.count };
        self.count += 1;
        piece::put(out, self.keyring, self.nonces, place, (stream, owned))
    }

    fn put_all(
        &mut self,
        out: &mut Vec<u8>,
        stream: Option<&Stream>,
        pieces: &[Owned],
    ) -> io::Result<()> {
        let stream = stream.unwrap_or(&Stream::Hall);
        out.put_u32(u32::try_from(pieces.len()).map_err(io::Error::other)?);
        pieces.iter().try_for_each(|it| self.put(out, stream, it))
    }
}

/// Reads the pieces of one record.
struct Opening<'a> {
    keyring: &'a Keyring,
    header: &'a [u8],
}

impl Opening<'_> {
    fn read(&self, fields: &mut Fields<'_>, index: u32) -> Result<Piece, Damaged> {
        piece::read(fields, self.keyring, Place { header: self.header, index })
    }

    /// The pieces that open, and to which stream they belong.
    fn read_all(
        &self,
        fields: &mut Fields<'_>,
        unreadable: Damaged,
    ) -> Result<(Option<Stream>, Vec<Owned>), Damaged> {
        let (mut stream, mut open) = (None, Vec::new());
        for index in 0..fields.u32().ok_or(unreadable)? {
            if let Piece::Open(of, owned) = self.read(fields, index)? {
                stream = Some(of);
                open.push(owned);
            }
        }
        Ok((stream, open))
    }
}

/// A record with what its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The stream it belongs to.
    pub(crate) stream: StreamName,
    /// Its number within the stream; what it counts depends on the body.
    pub(crate) seq: u64,
    /// The record before it in the same stream, where the body has such an order.
    pub(crate) prev: Position,
    /// What it says.
    pub(crate) body: Body,
}

/// Bytes that are not what was written, or not sealed with our key. Names no ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Damaged(pub(crate) &'static str);

impl From<Damaged> for LedgerError {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged { what: damaged.0 }
    }
}

/// Names streams and seals records: with keys derived from the keyring's root, and pieces with
/// those of their owners.
pub(crate) struct Seal {
    aead: Aead,
    names: Hmac<Sha256>,
    keyring: Keyring,
}

impl Seal {
    pub(crate) fn new(keyring: Keyring) -> Self {
        let keys = keyring.root();
        let aead = Aead::new(&keys.derive("ledger seal"));
        let names =
            <Hmac<Sha256> as Mac>::new_from_slice(keys.derive("ledger stream names").as_slice())
                .expect("HMAC takes a key of any length");
        Self { aead, names, keyring }
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub(crate) fn name(&self, stream: &Stream) -> StreamName {
        let mut text = Vec::with_capacity(32);
        put_stream(&mut text, stream);
        self.hash(b"stream", &text)
    }

    /// The name under which the quarantined updates of all bots are linked.
    pub(crate) fn quarantine(&self) -> StreamName {
        self.hash(b"quarantine", &[])
    }

    /// The name under which dropped updates of a bot stand.
    pub(crate) fn bot(&self, bot: BotId) -> StreamName {
        self.hash(b"bot", &bot.0.to_be_bytes())
    }

    fn hash(&self, kind: &[u8], text: &[u8]) -> StreamName {
        let mut mac = self.names.clone();
        mac.update(kind);
        mac.update(&[0]);
        mac.update(text);
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let (name, _) = full.split_first_chunk().expect("16 of 32 bytes");
        StreamName(*name)
    }

    /// Appends the sealed record to `out`. Owners of its pieces may get their keys here: the keyring
    /// must be synced before the record is on disk.
    pub(crate) fn seal(
        &self,
        record: &Record,
        nonces: &mut Nonces,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let start = out.len();
        out.put_u8(VERSION);
        out.put_u8(record.body.kind());
        out.put_u32(HALL_KEY);
        out.put_slice(&record.stream.0);
        out.put_u64(record.seq);
        out.put_u64(record.prev.0);
        let mut body = Vec::with_capacity(record.body.size() + TAG_BYTES);
        let header = out.get(start..).unwrap_or_default().to_vec();
        let mut pieces = Pieces { keyring: &self.keyring, nonces, header, count: 0 };
        record.body.put(&mut body, &mut pieces)?;
        let nonce = nonces.next()?;
        let len = u32::try_from(body.len() + TAG_BYTES).map_err(io::Error::other)?;
        out.put_u32(len);
        let header = out.get(start..).unwrap_or_default();
        let tag = self
            .aead
            .seal(&nonce, header, &mut body)
            .map_err(|Unsealed| io::Error::other("a record too long to seal"))?;
        out.put_slice(&nonce);
        out.put_slice(&body);
        out.put_slice(&tag);
        let checksum = crc32fast::hash(out.get(start..).unwrap_or_default());
        out.put_u32(checksum);
        Ok(())
    }

    /// Reads every record of a row.
    pub(crate) fn open_row(&self, row: &[u8]) -> Result<Vec<Record>, Damaged> {
        let mut fields = Fields(row);
        let mut records = Vec::new();
        while !fields.0.is_empty() {
            records.push(self.open(Frame::read(&mut fields)?)?);
        }
        Ok(records)
    }

    /// Reads the records of a row one by one: one that does not open hides none before it, and those
    /// behind it only where its end is not known either.
    pub(crate) fn open_each(&self, row: &[u8]) -> Vec<Result<Record, Damaged>> {
        let mut fields = Fields(row);
        let mut found = Vec::new();
        while !fields.0.is_empty() {
            match Frame::read(&mut fields) {
                Ok(frame) => found.push(self.open(frame)),
                Err(damaged) => {
                    found.push(Err(damaged));
                    break;
                }
            }
        }
        found
    }

    /// Reads one record of a row without opening the others.
    pub(crate) fn open_slot(&self, row: &[u8], slot: usize) -> Result<Record, Damaged> {
        let mut fields = Fields(row);
        for _ in 0..slot {
            Frame::read(&mut fields)?;
        }
        self.open(Frame::read(&mut fields)?)
    }

    fn open(&self, frame: Frame<'_>) -> Result<Record, Damaged> {
        if frame.version != VERSION {
            return Err(Damaged("a record of a version that this program does not know"));
        }
        if frame.key != HALL_KEY {
            return Err(Damaged("a record sealed with a key that is not here"));
        }
        let (body, tag) = frame
            .sealed
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(Damaged("a record too short to be sealed"))?;
        let body = self
            .aead
            .open(frame.nonce, frame.header, body, tag)
            .map_err(|Unsealed| Damaged("a record that our key does not open"))?;
        let header = frame.header.get(..BOUND_BYTES).unwrap_or_default();
        let pieces = Opening { keyring: &self.keyring, header };
        let body = Body::read(frame.kind, &mut Fields(&body), &pieces)?;
        Ok(Record { stream: frame.stream, seq: frame.seq, prev: frame.prev, body })
    }
}

/// The parts of a record on disk, with a good checksum.
struct Frame<'a> {
    header: &'a [u8],
    version: u8,
    kind: u8,
    key: u32,
    stream: StreamName,
    seq: u64,
    prev: Position,
    nonce: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Frame<'a> {
    fn read(fields: &mut Fields<'a>) -> Result<Self, Damaged> {
        let whole = fields.0;
        let frame = Self::split(fields).ok_or(Damaged("a record that is cut short"))?;
        let len = whole.len() - fields.0.len();
        let (covered, _) = whole.split_at(len);
        let checked = covered.split_last_chunk::<CRC_BYTES>();
        let (covered, checksum) = checked.ok_or(Damaged("a record that is cut short"))?;
        if crc32fast::hash(covered) != u32::from_be_bytes(*checksum) {
            return Err(Damaged("a record with a wrong checksum"));
        }
        Ok(frame)
    }

    fn split(fields: &mut Fields<'a>) -> Option<Self> {
        let header = fields.0.get(..HEADER_BYTES)?;
        let version = fields.u8()?;
        let kind = fields.u8()?;
        let key = fields.u32()?;
        let stream = StreamName(fields.array()?);
        let seq = fields.u64()?;
        let prev = Position(fields.u64()?);
        let len = usize::try_from(fields.u32()?).ok()?;
        let nonce = fields.take(NONCE_BYTES)?;
        let sealed = fields.take(len)?;
        fields.take(CRC_BYTES)?;
        Some(Self { header, version, kind, key, stream, seq, prev, nonce, sealed })
    }
}

/// Random nonces, fetched from the system many at a time. 192 bits: no two will ever be equal.
pub(crate) struct Nonces {
    pool: Vec<u8>,
}

impl Nonces {
    const AT_ONCE: usize = 128;

    pub(crate) fn new() -> Self {
        Self { pool: Vec::new() }
    }

    pub(crate) fn next(&mut self) -> io::Result<[u8; NONCE_BYTES]> {
        if self.pool.is_empty() {
            let mut fresh = vec![0; NONCE_BYTES * Self::AT_ONCE];
            getrandom::fill(&mut fresh)?;
            self.pool = fresh;
        }
        let mut nonce = [0; NONCE_BYTES];
        for (byte, random) in nonce.iter_mut().zip(self.pool.drain(self.pool.len() - NONCE_BYTES..))
        {
            *byte = random;
        }
        Ok(nonce)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use protocol::memory::{Scope, Space};

    use super::*;
    use crate::keys::{KeyPlace, Keys};

    pub(crate) fn seal() -> Seal {
        seal_in(&tempfile::tempdir().unwrap())
    }

    fn seal_in(home: &tempfile::TempDir) -> Seal {
        let keys = Keys::create(&home.path().join("key"), KeyPlace::Anywhere).unwrap();
        Seal::new(Keyring::open_or_make(&home.path().join("keyring"), &keys, None).unwrap())
    }

    fn sealed(seal: &Seal, record: &Record) -> Vec<u8> {
        let mut row = Vec::new();
        seal.seal(record, &mut Nonces::new(), &mut row).unwrap();
        row
    }

    fn bodies() -> Vec<Body> {
        let key = SessionKey {
            bot: BotId(1),
            chat: protocol::ChatId(-2),
            topic: Some(protocol::TopicId(3)),
        };
        let (update, at, raw) = (UpdateId(i64::MAX), Timestamp(5), Bytes::from_static(b"{}"));
        let reasons = [
            DropReason::Stranger,
            DropReason::Blocked,
            DropReason::RateLimited,
            DropReason::NotForUs,
        ];
        let updates = reasons.into_iter().map(|reason| (update, reason)).collect();
        let closes = vec![update, UpdateId(i64::MIN)];
        let owned = |owners: &[i64], text: &'static str| Owned {
            owners: owners.iter().copied().map(PersonId).collect(),
            bytes: Bytes::from_static(text.as_bytes()),
        };
        let session = Stream::Session(key);
        let team = "team".parse().unwrap();
        let memories = Stream::Memories(Scope { session: key, space: Space::shared(&team) });
        let pieces = vec![
            owned(&[7], "one"),
            owned(&[], "the hall's"),
            owned(&[7, 8], ""),
            owned(&[8], "x"),
        ];
        vec![
            Body::Arrived { key, owner: Some(PersonId(7)), update, at, raw: raw.clone() },
            Body::Arrived { key, owner: None, update, at, raw: raw.clone() },
            Body::ArrivedErased { bot: key.bot, update, at },
            Body::Appended { stream: Some(Stream::Hall), closes, events: vec![owned(&[], "{}")] },
            Body::Appended { stream: Some(session), closes: vec![], events: pieces.clone() },
            Body::Dropped { bot: key.bot, at, updates },
            Body::Quarantined { bot: key.bot, update, at, raw: raw.clone() },
            Body::Rested,
            Body::State { stream: Some(session), state: pieces.clone() },
            Body::Checkpoint(raw.clone()),
            Body::OldCheckpoint(raw),
            Body::Appended { stream: Some(memories), closes: vec![], events: pieces },
            Body::State { stream: Some(Stream::Alerts), state: vec![owned(&[], "{}")] },
        ]
    }

    fn records(seal: &Seal) -> Vec<Record> {
        let record = |(seq, body)| Record {
            stream: seal.name(&Stream::Hall),
            seq,
            prev: Position::new(9, 8),
            body,
        };
        (0..).zip(bodies()).map(record).collect()
    }

    #[test]
    fn a_row_of_every_kind_of_record_reads_as_it_was_written() {
        let (seal, mut nonces) = (seal(), Nonces::new());
        let records = records(&seal);
        let mut row = Vec::new();
        for record in &records {
            seal.seal(record, &mut nonces, &mut row).unwrap();
        }
        assert_eq!(seal.open_row(&row).unwrap(), records);
        for (slot, record) in records.iter().enumerate() {
            assert_eq!(&seal.open_slot(&row, slot).unwrap(), record);
        }
        assert!(seal.open_slot(&row, records.len()).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let seal = seal();
        let row = sealed(&seal, &records(&seal)[0]);
        for bit in 0..row.len() * 8 {
            let mut damaged = row.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(seal.open_row(&damaged).is_err(), "bit {bit}");
        }
        for len in 1..row.len() {
            assert!(seal.open_row(&row[..len]).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn a_header_changed_with_its_checksum_does_not_open() {
        let seal = seal();
        let row = sealed(&seal, &records(&seal)[0]);
        let end = row.len() - CRC_BYTES;
        // Kind, stream, seq and prev; the version, the key and the length are refused before.
        for byte in (1..2).chain(6..HEADER_BYTES - 4) {
            let mut forged = row.clone();
            forged[byte] ^= 1;
            let checksum = crc32fast::hash(&forged[..end]);
            forged[end..].copy_from_slice(&checksum.to_be_bytes());
            let refused = seal.open_row(&forged).unwrap_err();
            assert_eq!(refused, Damaged("a record that our key does not open"), "byte {byte}");
        }
    }

    #[test]
    fn another_key_is_told_apart_from_damage() {
        let one = seal();
        let mut row = sealed(&one, &records(&one)[0]);
        let refused = seal().open_row(&row).unwrap_err();
        assert_eq!(refused, Damaged("a record that our key does not open"));
        row[80] ^= 1;
        assert_eq!(one.open_row(&row).unwrap_err(), Damaged("a record with a wrong checksum"));
    }

    fn forget(seal: &Seal, person: i64) {
        let grave = crate::keyring::Grave { at: Timestamp(1), whose: [0; 32], to_tell: None };
        assert!(seal.keyring().destroy(PersonId(person), grave).unwrap());
    }

    #[test]
    fn of_a_forgotten_person_only_place_number_and_closed_updates_are_left() {
        let home = tempfile::tempdir().unwrap();
        let seal = seal_in(&home);
        let rows: Vec<_> = records(&seal).iter().map(|it| sealed(&seal, it)).collect();
        forget(&seal, 7);
        let left: Vec<Body> = rows.iter().map(|row| seal.open_slot(row, 0).unwrap().body).collect();
        let texts = |pieces: &[Owned]| {
            pieces
                .iter()
                .map(|it| String::from_utf8_lossy(&it.bytes).into_owned())
                .collect::<Vec<_>>()
        };
        let update = UpdateId(i64::MAX);
        assert_eq!(left[0], Body::ArrivedErased { bot: BotId(1), update, at: Timestamp(5) });
        let pieces = |body: &Body| {
            if let Body::Appended { events: it, .. } | Body::State { state: it, .. } = body {
                return texts(it);
            }
            panic!("{body:?} has no pieces")
        };
        for body in [&left[4], &left[8]] {
            assert_eq!(pieces(body), ["the hall's", "x"], "what two own goes with the first");
        }
        forget(&seal, 8);
        let Body::Appended { events, .. } = seal.open_slot(&rows[4], 0).unwrap().body else {
            panic!("events are events")
        };
        assert_eq!(texts(&events), ["the hall's"]);
    }

    /// A piece put into another record, or into another place of its own, by someone who has all
    /// keys of the hall but not the person's.
    #[test]
    fn a_piece_that_was_moved_does_not_open() {
        let seal = seal();
        let keyring = seal.keyring();
        let stream = Stream::Hall;
        let owned = Owned::by(PersonId(7), Bytes::from_static(b"mine"));
        let header: Vec<u8> = (0..u8::try_from(BOUND_BYTES).unwrap()).collect();
        let home = Place { header: &header, index: 3 };
        let mut piece = Vec::new();
        let put = (&stream, &owned);
        piece::put(&mut piece, keyring, &mut Nonces::new(), home, put).unwrap();
        let opens = |header: &[u8], index| {
            piece::read(&mut Fields(&piece), keyring, Place { header, index })
        };
        assert!(matches!(opens(&header, 3), Ok(Piece::Open(_, found)) if found == owned));
        assert!(opens(&header, 4).is_err());
        for at in 0..header.len() {
            for bit in 0..8 {
                let mut other = header.clone();
                other[at] ^= 1 << bit;
                assert!(opens(&other, 3).is_err(), "bit {bit} of {at}");
            }
        }
    }

    #[test]
    fn no_nonce_comes_twice() {
        let mut nonces = Nonces::new();
        let many: std::collections::HashSet<_> =
            (0..1_000).map(|_| nonces.next().unwrap()).collect();
        assert_eq!(many.len(), 1_000);
    }
}
