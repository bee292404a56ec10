//! The port to the durable record of everything: small enough for a second implementation on a
//! distributed engine. No code outside `store` may assume that the data is local.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{BotId, MessageId, PersonId, SessionKey, Timestamp, UpdateId, memory::Scope};

/// A position in a stream: the number of records appended before it. An empty stream is at 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The position after the next record.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// An ordered record of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stream {
    /// One conversation.
    Session(SessionKey),
    /// Agents and access: what admins changed.
    Hall,
    /// What is wrong, who was told of it and who is still to be told.
    Alerts,
    /// What can be recalled in one scope. Its scope is its name: no other stream holds any of it.
    Memories(Scope),
    /// What was used of models, and by whom.
    Treasury,
    /// What is to be done when: reminders, and prompts for agents.
    Timetable,
}

/// Bytes, and whose they are. They can be read as long as each of the owners has their key: what
/// joins the words of several people goes with the first of them who is forgotten. Without an owner
/// they are the hall's. What nobody in particular said in a group is the group's, by its chat id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owned {
    /// Whose.
    pub owners: Vec<PersonId>,
    /// What.
    pub bytes: Bytes,
}

impl Owned {
    /// Bytes of one person.
    #[must_use]
    pub fn by(owner: PersonId, bytes: impl Into<Bytes>) -> Self {
        Self { owners: vec![owner], bytes: bytes.into() }
    }

    /// Bytes of nobody: the hall's.
    #[must_use]
    pub fn halls(bytes: impl Into<Bytes>) -> Self {
        Self { owners: Vec::new(), bytes: bytes.into() }
    }
}

/// An update as it came, on its way into the ledger.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its id.
    pub update: UpdateId,
    /// What is to become of it.
    pub route: Route,
    /// When it came.
    pub at: Timestamp,
}

/// What becomes of an update.
#[derive(Clone, Debug)]
pub enum Route {
    /// It waits in the inbox of a session until the session closes it.
    Session {
        /// Whose inbox.
        key: SessionKey,
        /// Who wrote it, or the chat where nobody in particular did.
        owner: PersonId,
        /// The update's JSON, exactly as received.
        raw: Bytes,
    },
    /// It ends here. Its text is not kept.
    Dropped(DropReason),
    /// It cannot be read. Its bytes are kept, sealed, for the operator.
    Quarantined {
        /// The update's JSON, exactly as received.
        raw: Bytes,
    },
}

/// Why an update ends without a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// The sender is not on the allowlist.
    Stranger,
    /// The sender is blocked.
    Blocked,
    /// The sender writes too fast.
    RateLimited,
    /// A kind of update that nobody here answers.
    NotForUs,
}

/// What the ledger did with an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// Recorded now.
    New,
    /// Recorded before: nothing was written, nothing needs to be done.
    Known,
}

/// An update that waits in a session's inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub update: UpdateId,
    /// Its place in the order of arrival: it rises within the session, with gaps, from 1 on, and is
    /// never given twice.
    pub order: u64,
    /// The JSON as received.
    pub raw: Bytes,
    /// When it came.
    pub at: Timestamp,
}

/// Events to add to a stream, in one atomic write with the updates that they close.
#[derive(Clone, Debug)]
pub struct Append {
    /// Where to.
    pub stream: Stream,
    /// Where the writer believes the stream to be. If it is elsewhere nothing is written.
    pub expected: Seq,
    /// The events, as JSON, in order: a piece for each stretch with the same owners.
    pub events: Vec<Owned>,
    /// Updates of this session's inbox that need no more work.
    pub closes: Vec<UpdateId>,
}

/// A folded state that replaces the events up to `at`.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Of which stream.
    pub stream: Stream,
    /// It holds everything before this position.
    pub at: Seq,
    /// The state, as JSON: a piece for each owner.
    pub state: Vec<Owned>,
}

/// Everything needed to go on with a stream.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The pieces of the newest snapshot's state, if there is one. Pieces whose owner was forgotten
    /// are left out.
    pub snapshot: Option<Vec<Owned>>,
    /// The pieces of the events since, oldest first, likewise.
    pub events: Vec<Owned>,
    /// How many appends they came in, forgotten ones counted.
    pub appends: u64,
    /// Where the stream is now: what the next append must expect.
    pub at: Seq,
    /// Updates that wait in the inbox, in order of arrival.
    pub waiting: Vec<Waiting>,
    /// Parts noted as accepted, oldest first, in the events or not yet. The oldest are forgotten.
    pub accepted: Vec<Accepted>,
}

/// A part of an answer that the chat service has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// In which session.
    pub session: SessionKey,
    /// The update that it answers.
    pub update: UpdateId,
    /// Its number, from 0.
    pub part: u32,
    /// What the chat service calls it.
    pub message: MessageId,
}

/// Where reading the past begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastFrom {
    /// With what was appended about this time, and after it.
    Time(Timestamp),
    /// Where the last page ended.
    Bookmark(Bookmark),
}

/// A place in the order of all appends. Means something only to the ledger that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bookmark(pub u64);

/// A part of the past.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The events of each append to a conversation, as JSON, in the order of the appends.
    pub events: Vec<(SessionKey, Bytes)>,
    /// Where to read on; `None` at the end.
    pub next: Option<Bookmark>,
}

/// What the ledger holds of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// An update of theirs, as received.
    Update {
        /// In which session.
        session: SessionKey,
        /// Its id.
        update: UpdateId,
        /// When it came.
        at: Timestamp,
        /// The JSON as received.
        raw: Bytes,
    },
    /// Events of their turns.
    Events {
        /// In which session.
        session: SessionKey,
        /// A list, as JSON.
        events: Bytes,
    },
    /// A piece of a conversation's folded state.
    State {
        /// In which session.
        session: SessionKey,
        /// The piece, as JSON.
        state: Bytes,
    },
    /// An exchange of theirs that can be found again by its vector.
    Memory {
        /// In which session.
        session: SessionKey,
        /// What is kept of it, as JSON.
        memory: Bytes,
    },
    /// What they used of models: tokens and money, no text.
    Spending {
        /// Sums, as JSON.
        sums: Bytes,
    },
    /// What they want to be reminded of, and their time zone.
    Reminder {
        /// As JSON.
        reminder: Bytes,
    },
    /// A rule of the guard that was proposed with words of theirs.
    Proposal {
        /// The rule, as JSON.
        rule: Bytes,
    },
}

/// A part of what is held of a person.
#[derive(Clone, Debug, Default)]
pub struct HeldPage {
    /// In the order in which it was written; states come last.
    pub held: Vec<Held>,
    /// Where to read on; `None` at the end.
    pub next: Option<Bookmark>,
}

/// A signed word that a person's key was destroyed, to be shown to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureReceipt {
    /// Its number, for [`Ledger::receipt_told`].
    pub number: u32,
    /// What it says, with its signature: some lines of plain text.
    pub text: String,
    /// Who is to be told, and by which bot, if anybody is.
    pub to_tell: Option<(BotId, PersonId)>,
}

/// Up to when each kind of record is not kept any longer; `None`: it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// Events of conversations, and what a silent one has at hand.
    pub conversations: Option<Timestamp>,
    /// Updates that could not be read.
    pub quarantine: Option<Timestamp>,
    /// Updates as received, once nothing waits on them.
    pub raw_updates: Option<Timestamp>,
}

/// What one step of expiring came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Records whose content was taken out.
    pub records: u64,
    /// True if there is more to look at.
    pub more: bool,
}

/// Why the ledger did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Someone else wrote to the stream first: the writer is stale and must begin anew.
    #[error("the stream is at {actual:?}, not at {expected:?}")]
    Conflict {
        /// Where the writer believed it to be.
        expected: Seq,
        /// Where it is.
        actual: Seq,
    },
    /// The disk or the engine failed. Nothing was acknowledged.
    #[error("the ledger cannot write or read")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A record fails its checksum or does not open with our key. It is never shown.
    #[error("a record is damaged or sealed with another key: {what}")]
    Damaged {
        /// Which kind of record, without ids.
        what: &'static str,
    },
}

/// The durable record of everything.
///
/// Every async method but `snapshot` is durable when it returns `Ok`: written, flushed and fsynced. A dropped future may
/// or may not have written; callers learn which by loading the stream again.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Records a batch of updates of one bot with one flush, and skips those already known.
    /// The receipts are in the order of the arrivals.
    async fn journal(&self, bot: BotId, batch: Vec<Arrival>) -> Result<Vec<Receipt>, LedgerError>;

    /// Appends to a stream and closes updates, atomically. Returns the new position.
    async fn append(&self, append: Append) -> Result<Seq, LedgerError>;

    /// Reads what is needed to go on with a stream.
    async fn load(&self, stream: Stream) -> Result<Loaded, LedgerError>;

    /// Updates of a session that arrived after the given order and still wait, oldest first.
    async fn waiting(&self, key: SessionKey, after: u64) -> Result<Vec<Waiting>, LedgerError>;

    /// Stores a folded state. May be lost in a crash: the events are still there. One older than
    /// what is stored changes nothing; one ahead of the stream is a [`LedgerError::Conflict`].
    async fn snapshot(&self, snapshot: Snapshot) -> Result<(), LedgerError>;

    /// Notes at once that a part was accepted, ahead of the event that says so, so that a killed
    /// process does not send it again. Best effort: it may be lost in a power cut. Never waits.
    fn accepted(&self, note: Accepted);

    /// Sessions that have waiting updates.
    async fn open_sessions(&self) -> Result<Vec<SessionKey>, LedgerError>;

    /// Reads a page of what was appended to all conversations since a time. What was appended while
    /// it is read may or may not be in it.
    async fn past(&self, from: PastFrom) -> Result<Past, LedgerError>;

    /// Reads a page of what is held of a person: from the beginning, or where the last page ended.
    async fn held(&self, person: PersonId, from: Option<Bookmark>)
    -> Result<HeldPage, LedgerError>;

    /// Destroys a person's key: nothing sealed with it can be read from then on, in no copy. Their
    /// waiting updates are gone, too. Begun is done: a crash in the middle is completed by the next
    /// opening, and the receipt waits in [`Ledger::untold_receipts`] if somebody is to be told.
    /// `None` if nothing is held of them.
    async fn forget(
        &self,
        person: PersonId,
        at: Timestamp,
        told_by: Option<BotId>,
    ) -> Result<Option<ErasureReceipt>, LedgerError>;

    /// Receipts whose person was not told yet.
    async fn untold_receipts(&self) -> Result<Vec<ErasureReceipt>, LedgerError>;

    /// The receipt was shown: its person's id is not kept any longer.
    async fn receipt_told(&self, number: u32) -> Result<(), LedgerError>;

    /// One step of taking out what is older than these times. To be asked again while there is more.
    async fn expire(&self, expiry: Expiry) -> Result<Expired, LedgerError>;

    /// Between which times the newest update was recorded: known to some hours.
    fn newest(&self) -> Option<(Timestamp, Timestamp)>;

    /// Figures for status and metrics. Never blocks for long.
    fn gauge(&self) -> LedgerGauge;
}

/// Figures of the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerGauge {
    /// Updates that wait for their session.
    pub waiting: u64,
    /// Requests that wait for the writer.
    pub queue: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Updates set aside because they could not be read or failed too often.
    pub quarantined: u64,
    /// Group commits since the start.
    pub commits: u64,
    /// Records since the start.
    pub records: u64,
    /// Duration of the last group commit, in microseconds.
    pub commit_us: u64,
}
