//! Ports made up for tests: a ledger in memory, a chat service, a model, and time that stands still.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use protocol::{
    BotId, ChatId, Clock, Language, MessageId, PersonId, SessionKey, Timestamp, Token, UpdateId,
    audit::{AuditLog, Deed, Record, RecordError, Target},
    embedding::{EmbedError, Embedder, Haste},
    event::Part,
    inbound::{Attachment, Command, FileKind, FileRef, Inbound, Origin, Person, Pressed, Said},
    ledger::{
        Accepted, Append, Arrival, Bookmark, ErasureReceipt, Expired, Expiry, HeldPage, Ledger,
        LedgerError, LedgerGauge, Loaded, Owned, Past, PastFrom, Receipt, Route, Seq, Snapshot,
        Stream, Waiting,
    },
    messenger::{
        Address, BotIdentity, Document, DownloadError, MenuEntry, MenuScope, Messenger,
        MessengerError, RawUpdate, Whisper,
    },
    model::{CompleteError, Completion, Finish, Model, ModelRequest, Usage},
};
use screening::{Level, OwnRule, Policy, Trial};
use serde::Deserialize;
use tokio::sync::Notify;

use crate::rulebook::{self, InForce, Rulebook};

/// Time that stands still.
pub(crate) struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp(1_000)
    }
}

/// Runs a test with actors on paused tokio time.
pub(crate) fn local<F: Future>(test: F) -> F::Output {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.unwrap(), test)
}

/// What becomes of an action, a preview or a sign.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Side {
    #[default]
    Done,
    Hangs,
    Panics,
}

/// A chat service. Updates are JSON: `{"person":2,"chat":2,"text":"hi"}`.
pub(crate) struct FakeMessenger {
    identity: BotIdentity,
    updates: Mutex<Vec<RawUpdate>>,
    news: Notify,
    /// What was accepted.
    pub(crate) sent: Mutex<Vec<(ChatId, String)>>,
    /// What the next sends fail with, in order.
    pub(crate) failures: Mutex<VecDeque<MessengerError>>,
    /// What messages were edited into, in order.
    pub(crate) edits: Mutex<Vec<(MessageId, Part)>>,
    /// What was pinned, and in place of what.
    pub(crate) pins: Mutex<Vec<(ChatId, MessageId, String)>>,
    /// What becomes of the next pins.
    pub(crate) pin_failures: Mutex<VecDeque<MessengerError>>,
    /// Messages on their way, and the most that there were at a time.
    pub(crate) on_the_way: Mutex<(usize, usize)>,
    /// What becomes of requests that only go along with messages.
    pub(crate) side: Mutex<Side>,
}

/// What a file is called here, before what it says.
const FILE: &str = "file:";

#[derive(Deserialize)]
struct FakeUpdate {
    person: i64,
    chat: i64,
    #[serde(default)]
    text: String,
    /// An anonymous admin of a group, or a channel.
    #[serde(default)]
    anonymous: bool,
    /// Another bot.
    #[serde(default)]
    bot: bool,
    #[serde(default)]
    forwarded: bool,
    #[serde(default)]
    edited: bool,
    quoted: Option<String>,
    /// What a pressed button carries.
    press: Option<String>,
    /// Under which message it stands.
    message: Option<i64>,
    /// What a file of plain text says that came with it.
    file: Option<String>,
}

impl FakeMessenger {
    pub(crate) fn new() -> Self {
        Self {
            identity: BotIdentity {
                id: BotId(9),
                username: "hall_bot".to_owned(),
                manages_bots: false,
                has_topics: false,
            },
            updates: Mutex::default(),
            news: Notify::new(),
            sent: Mutex::default(),
            failures: Mutex::default(),
            edits: Mutex::default(),
            pins: Mutex::default(),
            pin_failures: Mutex::default(),
            on_the_way: Mutex::default(),
            side: Mutex::default(),
        }
    }

    async fn side_request(&self) -> Result<(), MessengerError> {
        let side = *self.side.lock().unwrap();
        match side {
            Side::Done => Ok(()),
            Side::Hangs => std::future::pending().await,
            Side::Panics => panic!("made up by a test"),
        }
    }

    /// A person writes in their private chat.
    pub(crate) fn write(&self, update: i64, person: i64, text: &str) {
        self.write_in(person, update, person, text);
    }

    /// A person writes in a chat.
    pub(crate) fn write_in(&self, chat: i64, update: i64, person: i64, text: &str) {
        self.put(update, &serde_json::json!({ "person": person, "chat": chat, "text": text }));
    }

    /// Something happens, as this chat service tells it.
    pub(crate) fn put(&self, update: i64, what: &serde_json::Value) {
        let raw = Bytes::from(what.to_string());
        self.updates.lock().unwrap().push(RawUpdate { update: UpdateId(update), raw });
        self.news.notify_one();
    }

    /// Waits until something was sent to a chat that contains a text; gives up after a minute.
    pub(crate) async fn wait_for(&self, chat: i64, text: &str) {
        for _ in 0..6_000 {
            let is_it = |(to, it): &(ChatId, String)| to.0 == chat && it.contains(text);
            if self.sent.lock().unwrap().iter().any(is_it) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody said “{text}” in {chat}: {:#?}", self.sent.lock().unwrap());
    }

    /// How often a text was sent to a chat.
    pub(crate) fn count(&self, chat: i64, text: &str) -> usize {
        let sent = self.sent.lock().unwrap();
        sent.iter().filter(|(to, it)| to.0 == chat && it.contains(text)).count()
    }
}

#[async_trait]
impl Messenger for FakeMessenger {
    fn identity(&self) -> &BotIdentity {
        &self.identity
    }

    async fn poll(
        &self,
        offset: Option<UpdateId>,
        wait: Duration,
    ) -> Result<Vec<RawUpdate>, MessengerError> {
        if let Some(offset) = offset {
            self.updates.lock().unwrap().retain(|it| offset <= it.update);
        }
        let read = || self.updates.lock().unwrap().clone();
        if read().is_empty() {
            // Both ends of the wait lead to the same answer: what there is.
            tokio::time::timeout(wait, self.news.notified()).await.ok();
        }
        Ok(read())
    }

    fn origin(&self, raw: &[u8]) -> Option<Origin> {
        let it: FakeUpdate = serde_json::from_slice(raw).ok()?;
        let person = (!it.anonymous).then_some(PersonId(it.person));
        let chat = ChatId(it.chat);
        Some(Origin { chat, topic: None, person, private: 0 < it.chat })
    }

    fn read(&self, raw: &[u8]) -> Option<Inbound> {
        let it: FakeUpdate = serde_json::from_slice(raw).ok()?;
        assert_ne!(it.text, "unreadable poison");
        let is_own = !(it.forwarded || it.edited || it.bot);
        let command = it.text.strip_prefix('/').filter(|_| is_own).map(|it| {
            let (name, arguments) = it.split_once(' ').unwrap_or((it, ""));
            Command { name: name.to_owned(), arguments: arguments.to_owned() }
        });
        let id = PersonId(it.person);
        let person = Person { id, first_name: "Ada".to_owned(), language: None };
        if let Some(data) = it.press {
            let (query, private) = (String::new(), 0 < it.chat);
            let message = it.message.map(MessageId);
            return Some(Inbound::Pressed(Pressed { person, query, data, private, message }));
        }
        let file = it.file.map(|text| FileRef {
            kind: FileKind::Document,
            bytes: Some(text.len() as u64),
            file: format!("{FILE}{text}"),
            media_type: Some("text/plain".to_owned()),
            seconds: None,
            name: Some(format!("file-{}.txt", it.person)),
            language: None,
            is_replied: false,
        });
        let said = Said {
            person: Some(person).filter(|_| !(it.anonymous || it.bot)),
            message: MessageId(1),
            private: 0 < it.chat,
            addressed: !it.bot,
            text: it.text,
            command,
            quoted: it.quoted,
            replied: None,
            forwarded_from: it.forwarded.then(|| "Eve".to_owned()),
            beside: Vec::new(),
            attachment: file.map(|it| Attachment::File(Box::new(it))),
            album: None,
            written: Timestamp(0),
            replied_file: None,
            company: Default::default(),
        };
        Some(if it.edited { Inbound::Edited(said) } else { Inbound::Said(said) })
    }

    async fn send(
        &self,
        to: Address,
        part: &Part,
        _: Option<MessageId>,
    ) -> Result<MessageId, MessengerError> {
        {
            let (now, most) = &mut *self.on_the_way.lock().unwrap();
            *now += 1;
            *most = (*most).max(*now);
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
        self.on_the_way.lock().unwrap().0 -= 1;
        if let Some(failure) = self.failures.lock().unwrap().pop_front() {
            return Err(failure);
        }
        let mut sent = self.sent.lock().unwrap();
        sent.push((to.chat, part.plain.clone()));
        Ok(MessageId(i64::try_from(sent.len()).unwrap()))
    }

    /// Stands among what was sent, marked as what it is.
    async fn whisper(
        &self,
        to: Address,
        only: &Whisper,
        part: &Part,
        reply_to: Option<MessageId>,
    ) -> Result<(), MessengerError> {
        let plain = format!("to {} alone: {}", only.person, part.plain);
        self.send(to, &Part::plain(plain), reply_to).await.map(drop)
    }

    /// An edit stands among what was sent, as what is seen then; a message that was never sent cannot be
    /// edited.
    async fn edit(
        &self,
        to: Address,
        message: MessageId,
        part: &Part,
    ) -> Result<(), MessengerError> {
        if let Some(failure) = self.failures.lock().unwrap().pop_front() {
            return Err(failure);
        }
        let mut sent = self.sent.lock().unwrap();
        let at = usize::try_from(message.0).unwrap().checked_sub(1);
        let Some(there) = at.and_then(|it| sent.get_mut(it)).filter(|it| it.0 == to.chat) else {
            let description = "message to edit not found".to_owned();
            return Err(MessengerError::Rejected { description });
        };
        there.1.clone_from(&part.plain);
        self.edits.lock().unwrap().push((message, part.clone()));
        Ok(())
    }

    async fn pin(
        &self,
        to: Address,
        message: MessageId,
        replaces: &str,
    ) -> Result<(), MessengerError> {
        if let Some(failure) = self.pin_failures.lock().unwrap().pop_front() {
            return Err(failure);
        }
        self.pins.lock().unwrap().push((to.chat, message, replaces.to_owned()));
        Ok(())
    }

    async fn send_document(
        &self,
        to: Address,
        document: &Document,
    ) -> Result<MessageId, MessengerError> {
        let text = format!("{}: {}", document.name, String::from_utf8_lossy(&document.bytes));
        let mut sent = self.sent.lock().unwrap();
        sent.push((to.chat, text));
        Ok(MessageId(i64::try_from(sent.len()).unwrap()))
    }

    async fn send_voice(&self, to: Address, sound: &Bytes) -> Result<MessageId, MessengerError> {
        let mut sent = self.sent.lock().unwrap();
        sent.push((to.chat, format!("a voice message of {} bytes", sound.len())));
        Ok(MessageId(i64::try_from(sent.len()).unwrap()))
    }

    /// A file is what its name here says.
    async fn download(&self, file: &str, _: usize) -> Result<Bytes, DownloadError> {
        if let Some(text) = file.strip_prefix(FILE) {
            return Ok(Bytes::from(text.to_owned()));
        }
        let description = "wrong file_id".to_owned();
        Err(DownloadError::Failed(MessengerError::Rejected { description }))
    }

    async fn preview(&self, _: Address, _: i64, _: &Part) -> Result<(), MessengerError> {
        self.side_request().await
    }

    async fn typing(&self, _: Address) -> Result<(), MessengerError> {
        self.side_request().await
    }

    async fn react(&self, _: Address, _: MessageId, _: Option<&str>) -> Result<(), MessengerError> {
        self.side_request().await
    }

    async fn answer_press(&self, _: &str, _: Option<&str>) -> Result<(), MessengerError> {
        Ok(())
    }

    /// Nobody has bots made here.
    async fn managed_token(&self, _: BotId) -> Result<Token, MessengerError> {
        Err(MessengerError::Rejected { description: "no such bot".to_owned() })
    }

    async fn renew_managed_token(&self, _: BotId) -> Result<Token, MessengerError> {
        Err(MessengerError::Rejected { description: "no such bot".to_owned() })
    }

    async fn set_menu(
        &self,
        _: MenuScope,
        _: Option<Language>,
        _: &[MenuEntry],
    ) -> Result<(), MessengerError> {
        Ok(())
    }
}

/// A ledger in memory, honest to the port.
#[derive(Default)]
pub(crate) struct FakeLedger {
    held: Mutex<Held>,
    /// Nothing can be read or written.
    pub(crate) fails: AtomicBool,
    /// How long what was read takes to arrive.
    pub(crate) load_ms: AtomicU64,
    /// The same of an inbox.
    pub(crate) inbox_ms: AtomicU64,
}

/// The newest snapshot.
type Newest = Option<(Seq, Vec<Owned>)>;

#[derive(Default)]
struct Held {
    known: BTreeSet<(BotId, UpdateId)>,
    streams: BTreeMap<Stream, (Vec<Vec<Owned>>, Newest)>,
    /// Every append to a conversation, in order.
    past: Vec<(SessionKey, Bytes)>,
    waiting: BTreeMap<SessionKey, Vec<Waiting>>,
    accepted: Vec<Accepted>,
    /// Whose updates wait.
    owners: BTreeMap<UpdateId, PersonId>,
    receipts: Vec<ErasureReceipt>,
    expired: Vec<Expiry>,
    order: u64,
    quarantined: u64,
}

impl FakeLedger {
    fn open(&self) -> Result<std::sync::MutexGuard<'_, Held>, LedgerError> {
        if self.fails.load(Relaxed) {
            return Err(LedgerError::Unavailable("the disk is away".into()));
        }
        Ok(self.held.lock().unwrap())
    }

    /// Conversations of which there is a snapshot: those that left memory.
    pub(crate) fn rested_count(&self) -> usize {
        let streams = &self.held.lock().unwrap().streams;
        let rested =
            |it: &(&Stream, &(_, Newest))| matches!(it.0, Stream::Session(_)) && it.1.1.is_some();
        streams.iter().filter(rested).count()
    }

    fn read(&self, stream: Stream) -> Result<Loaded, LedgerError> {
        let held = self.open()?;
        let waiting = match stream {
            Stream::Session(key) => held.waiting.get(&key).cloned().unwrap_or_default(),
            Stream::Hall
            | Stream::Alerts
            | Stream::Memories(_)
            | Stream::Treasury
            | Stream::Timetable => Vec::new(),
        };
        let Some((records, snapshot)) = held.streams.get(&stream) else {
            return Ok(Loaded { waiting, ..Loaded::default() });
        };
        let of_stream = |it: &&Accepted| Stream::Session(it.session) == stream;
        let since = snapshot.as_ref().map_or(0, |(at, _)| usize::try_from(at.0).unwrap());
        Ok(Loaded {
            snapshot: snapshot.as_ref().map(|(_, state)| state.clone()),
            events: records[since..].concat(),
            appends: u64::try_from(records.len() - since).unwrap(),
            at: Seq(u64::try_from(records.len()).unwrap()),
            waiting,
            accepted: held.accepted.iter().filter(of_stream).copied().collect(),
        })
    }

    /// Every byte that was stored, as text.
    pub(crate) fn everything(&self) -> String {
        let held = self.held.lock().unwrap();
        let streams = held.streams.values();
        let pieces = streams
            .flat_map(|(events, state)| events.iter().chain(state.iter().map(|(_, state)| state)));
        let waiting = held.waiting.values().flatten().map(|it| &it.raw);
        pieces
            .flatten()
            .map(|it| &it.bytes)
            .chain(waiting)
            .map(|it| String::from_utf8_lossy(it))
            .collect()
    }

    /// What was asked to expire.
    pub(crate) fn expired(&self) -> Vec<Expiry> {
        self.held.lock().unwrap().expired.clone()
    }

    /// Updates that wait.
    pub(crate) fn waiting_count(&self) -> usize {
        self.held.lock().unwrap().waiting.values().map(Vec::len).sum()
    }
}

#[async_trait]
impl Ledger for FakeLedger {
    async fn journal(&self, bot: BotId, batch: Vec<Arrival>) -> Result<Vec<Receipt>, LedgerError> {
        let mut held = self.open()?;
        let take = |Arrival { update, route, at }: Arrival| {
            if !held.known.insert((bot, update)) {
                return Receipt::Known;
            }
            match route {
                Route::Session { key, owner, raw } => {
                    held.owners.insert(update, owner);
                    held.order += 1;
                    let order = held.order;
                    let entry = Waiting { update, order, raw, at };
                    held.waiting.entry(key).or_default().push(entry);
                }
                Route::Dropped(_) => (),
                Route::Quarantined { .. } => held.quarantined += 1,
            }
            Receipt::New
        };
        Ok(batch.into_iter().map(take).collect())
    }

    async fn append(&self, append: Append) -> Result<Seq, LedgerError> {
        let mut held = self.open()?;
        let Append { stream, expected, events, closes } = append;
        let (records, _) = held.streams.entry(stream).or_default();
        let actual = Seq(u64::try_from(records.len()).unwrap());
        if actual != expected {
            return Err(LedgerError::Conflict { expected, actual });
        }
        records.push(events.clone());
        if let Stream::Session(key) = stream {
            held.past.extend(events.into_iter().map(|it| (key, it.bytes)));
            held.waiting.entry(key).or_default().retain(|it| !closes.contains(&it.update));
        }
        Ok(actual.next())
    }

    async fn load(&self, stream: Stream) -> Result<Loaded, LedgerError> {
        let loaded = self.read(stream);
        tokio::time::sleep(Duration::from_millis(self.load_ms.load(Relaxed))).await;
        loaded
    }

    async fn waiting(&self, key: SessionKey, after: u64) -> Result<Vec<Waiting>, LedgerError> {
        let mut waiting = self.open()?.waiting.get(&key).cloned().unwrap_or_default();
        waiting.retain(|it| after < it.order);
        tokio::time::sleep(Duration::from_millis(self.inbox_ms.load(Relaxed))).await;
        Ok(waiting)
    }

    async fn snapshot(&self, snapshot: Snapshot) -> Result<(), LedgerError> {
        let mut held = self.open()?;
        let (records, newest) = held.streams.entry(snapshot.stream).or_default();
        let actual = Seq(u64::try_from(records.len()).unwrap());
        if actual < snapshot.at {
            return Err(LedgerError::Conflict { expected: snapshot.at, actual });
        }
        if newest.as_ref().is_none_or(|(at, _)| *at <= snapshot.at) {
            *newest = Some((snapshot.at, snapshot.state));
        }
        Ok(())
    }

    fn accepted(&self, note: Accepted) {
        self.held.lock().unwrap().accepted.push(note);
    }

    async fn open_sessions(&self) -> Result<Vec<SessionKey>, LedgerError> {
        let held = self.open()?;
        let open = held.waiting.iter().filter(|(_, it)| !it.is_empty());
        Ok(open.map(|(key, _)| *key).collect())
    }

    /// Three appends a page. Time stands still here, so every time is the beginning.
    async fn past(&self, from: PastFrom) -> Result<Past, LedgerError> {
        let held = self.open()?;
        let begin = match from {
            PastFrom::Time(_) => 0,
            PastFrom::Bookmark(Bookmark(at)) => usize::try_from(at).unwrap(),
        };
        let end = held.past.len().min(begin + 3);
        let next = (end < held.past.len()).then(|| Bookmark(u64::try_from(end).unwrap()));
        Ok(Past { events: held.past[begin..end].to_vec(), next })
    }

    async fn held(&self, person: PersonId, _: Option<Bookmark>) -> Result<HeldPage, LedgerError> {
        use protocol::{ledger::Held as Of, memory::Scope};
        let ledger = self.open()?;
        let mut held = Vec::new();
        for (stream, (records, newest)) in &ledger.streams {
            // Of memories what is at hand is told, too, as the store does it.
            let at_hand = newest.iter().flat_map(|(_, state)| state);
            let at_hand = at_hand.filter(|_| matches!(stream, Stream::Memories(_)));
            let theirs =
                records.iter().flatten().chain(at_hand).filter(|it| it.owners.contains(&person));
            let bytes = theirs.map(|it| it.bytes.clone());
            match *stream {
                Stream::Session(session) => {
                    held.extend(bytes.map(|events| Of::Events { session, events }));
                }
                Stream::Memories(Scope { session, .. }) => {
                    held.extend(bytes.map(|memory| Of::Memory { session, memory }));
                }
                Stream::Treasury => held.extend(bytes.map(|sums| Of::Spending { sums })),
                Stream::Hall => held.extend(bytes.map(|rule| Of::Proposal { rule })),
                Stream::Timetable => {
                    held.extend(bytes.map(|reminder| Of::Reminder { reminder }));
                }
                Stream::Alerts => {}
            }
        }
        Ok(HeldPage { held, next: None })
    }

    async fn forget(
        &self,
        person: PersonId,
        at: Timestamp,
        told_by: Option<BotId>,
    ) -> Result<Option<ErasureReceipt>, LedgerError> {
        let mut held = self.open()?;
        let is_kept = |it: &Owned| !it.owners.contains(&person);
        for (records, newest) in held.streams.values_mut() {
            records.iter_mut().for_each(|it| it.retain(is_kept));
            newest.iter_mut().for_each(|(_, state)| state.retain(is_kept));
        }
        let Held { waiting, owners, receipts, .. } = &mut *held;
        for inbox in waiting.values_mut() {
            inbox.retain(|it| owners.get(&it.update) != Some(&person));
        }
        let number = u32::try_from(receipts.len()).unwrap();
        let (text, to_tell) = (format!("a receipt of {}", at.0), told_by.map(|it| (it, person)));
        let receipt = ErasureReceipt { number, text, to_tell };
        receipts.push(receipt.clone());
        Ok(Some(receipt))
    }

    async fn untold_receipts(&self) -> Result<Vec<ErasureReceipt>, LedgerError> {
        let held = self.open()?;
        Ok(held.receipts.iter().filter(|it| it.to_tell.is_some()).cloned().collect())
    }

    async fn receipt_told(&self, number: u32) -> Result<(), LedgerError> {
        let mut held = self.open()?;
        held.receipts.iter_mut().filter(|it| it.number == number).for_each(|it| it.to_tell = None);
        Ok(())
    }

    async fn expire(&self, expiry: Expiry) -> Result<Expired, LedgerError> {
        self.held.lock().unwrap().expired.push(expiry);
        Ok(Expired::default())
    }

    fn newest(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }

    fn gauge(&self) -> LedgerGauge {
        let waiting = u64::try_from(self.waiting_count()).unwrap();
        LedgerGauge { waiting, ..LedgerGauge::default() }
    }
}

/// Makes rules of the built-in policy; there are no files.
pub(crate) struct NoFiles;

impl Rulebook for NoFiles {
    fn make(&self, own: Vec<OwnRule>) -> Result<InForce, String> {
        rulebook::make(&Policy::default(), own).map_err(|error| error.to_string())
    }

    fn read_anew(&self, own: Vec<OwnRule>) -> Result<InForce, String> {
        self.make(own)
    }

    fn trial(&self, which: rulebook::Which, own: &[OwnRule]) -> Result<Trial, String> {
        let rulebook::Which::Named(name) = which else {
            return Err("there are no files".to_owned());
        };
        let trial = Trial::new(Level::Medium, &[], own).map_err(|error| error.to_string())?;
        trial.only(&name).ok_or_else(|| format!("There is no rule called {name}."))
    }
}

/// Answers `echo: ` and the last thing that was said.
pub(crate) struct Echo;

#[async_trait]
impl Model for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    fn prompt_tokens_max(&self, _: u32) -> usize {
        100_000
    }

    async fn complete(
        &self,
        request: &ModelRequest,
        _: &mut (dyn for<'t> FnMut(&'t str) + Send),
    ) -> Result<Completion, CompleteError> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let asked = request.turns.last().map(|it| &*it.content).unwrap_or_default();
        let (text, model) = (format!("echo: {asked}"), "echo".to_owned());
        let usage = Usage { input_tokens: 40, output_tokens: 10, ..Usage::default() };
        Ok(Completion { text, model, usage, finish: Finish::Stop, calls: Vec::new() })
    }
}

/// Vectors by the words of a text: two texts lie as close as the words they share.
pub(crate) struct ByWords {
    /// No vector comes in time.
    pub(crate) hangs: bool,
}

#[async_trait]
impl Embedder for ByWords {
    fn dimensions(&self) -> usize {
        256
    }

    async fn embed(&self, text: &str, haste: Haste) -> Result<Vec<f32>, EmbedError> {
        if haste == Haste::Asked && self.hangs {
            std::future::pending::<()>().await;
        }
        let mut vector = vec![0.0_f32; 256];
        for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()) {
            let place = word.bytes().fold(7_usize, |hash, it| hash * 31 % 256 + usize::from(it));
            vector[place % 256] += f32::from(u8::from(3 < word.len()));
        }
        let length = vector.iter().map(|it| it * it).sum::<f32>().sqrt().max(1e-6);
        Ok(vector.into_iter().map(|it| it / length).collect())
    }
}

/// An audit log in memory.
#[derive(Default)]
pub(crate) struct FakeAudit {
    /// What was recorded or noted, in order.
    pub(crate) deeds: Mutex<Vec<Deed>>,
    /// Nothing can be recorded.
    pub(crate) fails: AtomicBool,
}

#[async_trait]
impl AuditLog for FakeAudit {
    async fn record(&self, deed: Deed) -> Result<(), RecordError> {
        if self.fails.load(Relaxed) {
            return Err(RecordError::Unavailable);
        }
        self.note(deed);
        Ok(())
    }

    fn note(&self, deed: Deed) {
        self.deeds.lock().unwrap().push(deed);
    }

    fn incidents(&self) -> Vec<Record> {
        let mut all = self.newest(None, usize::MAX);
        all.retain(|it| it.action.starts_with(protocol::audit::INCIDENTS));
        all.reverse();
        all
    }

    fn newest(&self, before: Option<u64>, count: usize) -> Vec<Record> {
        let deeds = self.deeds.lock().unwrap();
        let numbered = (1..).zip(deeds.iter()).filter(|(seq, _)| before.is_none_or(|it| *seq < it));
        let record = |(seq, deed): (u64, &Deed)| Record {
            seq,
            prev: String::new(),
            at: deed.at,
            actor: match deed.actor {
                protocol::audit::Doer::Person(it) => self.person(it.0),
                other @ (protocol::audit::Doer::Nobody
                | protocol::audit::Doer::Console
                | protocol::audit::Doer::Operator
                | protocol::audit::Doer::Hall) => format!("{other:?}"),
            },
            action: deed.action.word().to_owned(),
            target: match &deed.target {
                Target::Thing(name) => name.clone(),
                Target::Person(id) => self.person(*id),
                Target::Nothing => String::new(),
            },
            outcome: deed.outcome.word().to_owned(),
            reference: deed.reference.clone(),
            times: deed.times,
        };
        let mut newest: Vec<Record> = numbered.map(record).collect();
        newest.reverse();
        newest.truncate(count);
        newest
    }

    fn person(&self, id: i64) -> String {
        format!("person:{id}")
    }
}

/// A program that has no backups, no reports and nothing unread.
pub(crate) struct NoProgram;

#[async_trait]
impl crate::clerk::Clerk for NoProgram {
    async fn backups(&self) -> Result<Vec<crate::clerk::BackupLine>, String> {
        Ok(Vec::new())
    }

    async fn report(&self, standard: &'static str) -> Result<String, String> {
        Ok(format!("# {standard}\n"))
    }

    async fn unread(&self) -> Result<Vec<crate::clerk::Unread>, String> {
        Ok(Vec::new())
    }
}
