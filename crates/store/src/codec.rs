//! Reads fixed-width big-endian fields from bytes that may be damaged. Writing is `bytes::BufMut`.
//!
//! Every read says `None` instead of panicking when the bytes end early.

use protocol::{
    BotId, ChatId, SessionKey, TopicId, UpdateId,
    ledger::{DropReason, Stream},
    memory::{Scope, Space},
};

use bytes::BufMut as _;

/// What is left to read.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// A count, and then that many items.
    pub(crate) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = self.u32()?;
        // No reservation: the count may be damaged, and a damaged one ends at the first short read.
        (0..count).map(|_| item(self)).collect()
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    pub(crate) fn update(&mut self) -> Option<UpdateId> {
        self.i64().map(UpdateId)
    }

    pub(crate) fn session(&mut self) -> Option<SessionKey> {
        let bot = BotId(self.i64()?);
        let chat = ChatId(self.i64()?);
        let topic = match self.u8()? {
            0 => None,
            1 => Some(TopicId(self.i64()?)),
            _ => return None,
        };
        Some(SessionKey { bot, chat, topic })
    }

    pub(crate) fn stream(&mut self) -> Option<Stream> {
        match self.u8()? {
            0 => Some(Stream::Hall),
            1 => self.session().map(Stream::Session),
            2 => self.scope().map(Stream::Memories),
            3 => Some(Stream::Treasury),
            4 => Some(Stream::Alerts),
            5 => Some(Stream::Timetable),
            _ => None,
        }
    }

    fn scope(&mut self) -> Option<Scope> {
        let session = self.session()?;
        let len = self.u8()?;
        let name = String::from_utf8(self.take(usize::from(len))?.to_vec()).ok()?;
        Some(Scope { session, space: Space::try_from(name).ok()? })
    }

    pub(crate) fn drop_reason(&mut self) -> Option<DropReason> {
        match self.u8()? {
            0 => Some(DropReason::Stranger),
            1 => Some(DropReason::Blocked),
            2 => Some(DropReason::RateLimited),
            3 => Some(DropReason::NotForUs),
            _ => None,
        }
    }
}

/// Writes what [`Fields::list`] reads. More than `u32::MAX` items cannot be held in memory.
pub(crate) fn put_list<T>(out: &mut Vec<u8>, items: &[T], mut item: impl FnMut(&mut Vec<u8>, &T)) {
    out.put_u32(u32::try_from(items.len()).unwrap_or(u32::MAX));
    for each in items {
        item(out, each);
    }
}

pub(crate) fn put_session(out: &mut Vec<u8>, key: &SessionKey) {
    out.put_i64(key.bot.0);
    out.put_i64(key.chat.0);
    match key.topic {
        None => out.put_u8(0),
        Some(topic) => {
            out.put_u8(1);
            out.put_i64(topic.0);
        }
    }
}

pub(crate) fn put_stream(out: &mut Vec<u8>, stream: &Stream) {
    match stream {
        Stream::Hall => out.put_u8(0),
        Stream::Treasury => out.put_u8(3),
        Stream::Alerts => out.put_u8(4),
        Stream::Timetable => out.put_u8(5),
        Stream::Session(key) => {
            out.put_u8(1);
            put_session(out, key);
        }
        Stream::Memories(Scope { session, space }) => {
            out.put_u8(2);
            put_session(out, session);
            let name = space.as_str().as_bytes();
            // 33 bytes at most.
            out.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(name);
        }
    }
}

pub(crate) fn put_drop_reason(out: &mut Vec<u8>, reason: DropReason) {
    out.put_u8(match reason {
        DropReason::Stranger => 0,
        DropReason::Blocked => 1,
        DropReason::RateLimited => 2,
        DropReason::NotForUs => 3,
    });
}
