//! Messages that were set aside after they failed too often: found in the ledger, put back for one more
//! turn, or dropped.
//!
//! A message that is put back comes again under an id of its own, so the ledger knows whether it has
//! been: however often an officer asks, and whatever crashes in between, it has at most one more turn.
//!
//! Invariants: ASIDE-1 nothing that was dropped, or has had its other turn, is put back. ASIDE-2 what is
//! put back is what was received, and has the owner that it had.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use protocol::{
    BotId, ChatId, PersonId, RefId, SessionKey, Timestamp, UpdateId,
    event::{Event, Outcome},
    ledger::{Held, Ledger, LedgerError, PastFrom},
};
use serde::{Deserialize, Serialize};

use crate::{clerk::Unread, roster::AdministerError, session::reference_of};

/// How far back is looked.
const LOOK_BACK_MS: u64 = 30 * 86_400_000;
/// What officers said of messages that were set aside: the oldest is forgotten.
const VERDICTS_MAX: usize = 1_000;
/// Added to an update's id when it is put back. Ids of Telegram are smaller, and what the hall puts into an inbox by
/// itself has one below 0.
const AGAIN: i64 = 1 << 40;

/// The id under which an update comes again. `None` for what did not come from a chat service.
#[must_use]
pub(crate) fn again(update: UpdateId) -> Option<UpdateId> {
    if update.0 <= 0 {
        return None;
    }
    update.0.checked_add(AGAIN).map(UpdateId)
}

/// A message that was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aside {
    /// What its person was told.
    pub(crate) reference: RefId,
    /// In which conversation; of one that could not be read only the bot is known.
    pub(crate) key: SessionKey,
    /// Which update.
    pub(crate) update: UpdateId,
    /// When it came.
    pub(crate) at: Option<Timestamp>,
    /// Who asked, where that is known.
    pub(crate) asker: Option<PersonId>,
    /// It could not even be read.
    pub(crate) is_unread: bool,
}

impl From<Unread> for Aside {
    fn from(Unread { bot, update, at }: Unread) -> Self {
        let key = SessionKey { bot, chat: ChatId(0), topic: None };
        let reference = reference_of(key, update);
        Self { reference, key, update, at: Some(at), asker: None, is_unread: true }
    }
}

/// What an officer says of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is to have one more turn.
    Retried,
    /// Nobody is to be asked about it any more.
    Dropped,
}

/// What an officer says, and of which. Holds nobody's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsideChange {
    /// Its reference.
    pub reference: RefId,
    /// What.
    pub verdict: Verdict,
}

/// What officers said of messages that were set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts(VecDeque<AsideChange>);

impl Verdicts {
    /// What was said of one.
    #[must_use]
    pub fn of(&self, reference: RefId) -> Option<Verdict> {
        self.0.iter().rev().find(|it| it.reference == reference).map(|it| it.verdict)
    }

    /// ASIDE-1.
    pub(crate) fn check(&self, change: AsideChange) -> Result<(), AdministerError> {
        match self.of(change.reference) {
            Some(Verdict::Dropped) => Err(AdministerError::NoSuchAside(change.reference)),
            Some(Verdict::Retried) | None => Ok(()),
        }
    }

    pub(crate) fn apply(&mut self, change: AsideChange) {
        self.0.retain(|it| it.reference != change.reference);
        self.0.push_back(change);
        if VERDICTS_MAX < self.0.len() {
            self.0.pop_front();
        }
    }
}

/// Everything that was set aside lately and has not had another turn, oldest first. ASIDE-1.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) async fn all(ledger: &dyn Ledger, now: Timestamp) -> Result<Vec<Aside>, LedgerError> {
    let mut from = PastFrom::Time(Timestamp(now.0.saturating_sub(LOOK_BACK_MS)));
    let mut look = Looked::default();
    loop {
        let page = ledger.past(from).await?;
        for (key, events) in page.events {
            // What cannot be read is no event that anybody looks for.
            let events: Vec<Event> = serde_json::from_slice(&events).unwrap_or_default();
            events.iter().for_each(|event| look.take(key, event));
        }
        match page.next {
            Some(next) => from = PastFrom::Bookmark(next),
            None => return Ok(look.aside),
        }
    }
}

#[derive(Default)]
struct Looked {
    /// Of turns that are not over: who asked, and when.
    open: HashMap<(SessionKey, UpdateId), (Option<PersonId>, Timestamp)>,
    aside: Vec<Aside>,
}

impl Looked {
    fn take(&mut self, key: SessionKey, event: &Event) {
        let Some(update) = event.update() else { return };
        self.aside.retain(|it| it.key != key || again(it.update) != Some(update));
        if let Event::CourseNoted { course, .. } = event {
            self.open.insert((key, update), (course.asker, course.arrived));
        }
        let Event::TurnClosed { outcome, .. } = event else { return };
        let course = self.open.remove(&(key, update));
        if *outcome == Outcome::Quarantined {
            let (asker, at) = course.map_or((None, None), |(asker, at)| (asker, Some(at)));
            let reference = reference_of(key, update);
            self.aside.push(Aside { reference, key, update, at, asker, is_unread: false });
        }
    }
}

/// The bytes of a message that was set aside, and whose they are. `None` if they are not kept any more.
/// ASIDE-2.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) async fn received(
    ledger: &dyn Ledger,
    aside: &Aside,
) -> Result<Option<(PersonId, Bytes)>, LedgerError> {
    let owner = aside.key.owner(aside.asker);
    let mut from = None;
    loop {
        let page = ledger.held(owner, from).await?;
        for held in page.held {
            if let Held::Update { session, update, raw, .. } = held
                && (session, update) == (aside.key, aside.update)
            {
                return Ok(Some((owner, raw)).filter(|(_, raw)| !raw.is_empty()));
            }
        }
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(None),
        }
    }
}

/// The bot that a message came to.
pub(crate) fn bot(aside: &Aside) -> BotId {
    aside.key.bot
}

#[cfg(test)]
mod tests {
    use protocol::event::Course;

    use super::*;

    const KEY: SessionKey = SessionKey { bot: BotId(9), chat: ChatId(2), topic: None };

    fn closed(update: i64, outcome: Outcome) -> Event {
        Event::TurnClosed { update: UpdateId(update), outcome }
    }

    #[test]
    fn what_was_set_aside_is_found_until_it_has_had_another_turn() {
        let mut look = Looked::default();
        let course =
            Course { asker: Some(PersonId(2)), arrived: Timestamp(7), ..Course::default() };
        look.take(KEY, &Event::CourseNoted { update: UpdateId(1), course });
        look.take(KEY, &closed(1, Outcome::Quarantined));
        look.take(KEY, &closed(2, Outcome::Answered));
        look.take(KEY, &closed(3, Outcome::Quarantined));
        let found: Vec<_> = look.aside.iter().map(|it| (it.update.0, it.at, it.asker)).collect();
        assert_eq!(found, [(1, Some(Timestamp(7)), Some(PersonId(2))), (3, None, None)]);
        let other = SessionKey { chat: ChatId(3), ..KEY };
        look.take(other, &closed(1 + AGAIN, Outcome::Answered));
        assert_eq!(look.aside.len(), 2, "the same id elsewhere is another message");
        look.take(KEY, &closed(1 + AGAIN, Outcome::Quarantined));
        let left: Vec<i64> = look.aside.iter().map(|it| it.update.0).collect();
        assert_eq!(left, [3, 1 + AGAIN], "it failed again: that is set aside by itself");
    }

    #[test]
    fn aside_1_what_was_dropped_stays_dropped() {
        let (reference, mut verdicts) = (RefId(5), Verdicts::default());
        let change = |verdict| AsideChange { reference, verdict };
        verdicts.apply(change(Verdict::Retried));
        assert_eq!(verdicts.check(change(Verdict::Retried)), Ok(()), "a crash came in between");
        verdicts.apply(change(Verdict::Dropped));
        assert_eq!(verdicts.of(reference), Some(Verdict::Dropped));
        let gone = Err(AdministerError::NoSuchAside(reference));
        assert_eq!(verdicts.check(change(Verdict::Retried)), gone);
        for number in 0..2 * u32::try_from(VERDICTS_MAX).unwrap() {
            let reference = RefId(100 + number);
            verdicts.apply(AsideChange { reference, verdict: Verdict::Dropped });
        }
        assert_eq!(verdicts.0.len(), VERDICTS_MAX);
    }

    #[test]
    fn aside_2_an_id_comes_again_as_one_that_no_chat_service_gives() {
        assert_eq!(again(UpdateId(7)), Some(UpdateId(7 + AGAIN)));
        assert_eq!(again(UpdateId(-7)), None);
        assert_eq!(again(UpdateId(i64::MAX)), None);
    }
}
