//! The Telegram that is rehearsed: bots, people, chats, and what is on its way between them.
//!
//! Receives  calls of bots, words and presses of people, orders of tests.
//! Gives     updates to bots, events to the people's pages, records to the history.
//! Owns      everything, behind one lock that is held for one step at a time and never across an await.
//!
//! Invariants: WORLD-1 message ids of one chat only grow. WORLD-2 updates of one bot are queued in the order in which
//! their causes happened.

mod chats;
mod managed;
mod people;
mod polls;
mod updates;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;

pub use chats::Form;
pub(crate) use chats::{Author, Chat, ChatKey, Document, Payload};
pub(crate) use people::PersonEvent;
pub use people::{Press, Said, Say};
pub(crate) use polls::Poll;
pub use updates::Pushed;

use crate::api::{Api, Kinds, Method};
use crate::clock::unix_ms;
use crate::config::{BotSeed, Config, GroupSeed, PersonSeed};
use crate::faults::{Dice, Fate, Faults, Flood, FloodLimits};
use crate::history::{CallRecord, History, RefusedRecord};
use crate::json::{put, raw};
use crate::methods::{Command, Profile, Scope};
use crate::params::Params;
use crate::queue::Queue;
use crate::refusal::Refusal;
use crate::webhook::Webhook;

/// Bytes of files the world keeps; the oldest go first.
const FILES_BYTES_MAX: usize = 256 << 20;

/// Why the world could not do what a test or a page asked of it.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// No person has that id.
    #[error("no person has the id {0}")]
    NoSuchPerson(i64),
    /// No bot has that id or token.
    #[error("no such bot")]
    NoSuchBot,
    /// No chat has that id, or the person is not in it.
    #[error("the person has no chat {0}")]
    NoSuchChat(i64),
    /// The chat holds no such message, or no longer.
    #[error("the chat holds no message {0}")]
    NoSuchMessage(i64),
    /// The update is not a JSON object of a shape that can be pushed.
    #[error("the update cannot be pushed: {0}")]
    BadUpdate(String),
}

/// Place of a bot in the world. Made only for bots that exist; bots are never removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BotIndex(usize);

pub(crate) struct Bot {
    pub(crate) id: i64,
    pub(crate) seed: BotSeed,
    pub(crate) user: Box<RawValue>,
    pub(crate) queue: Queue,
    pub(crate) next_update_id: i64,
    /// Rung whenever there may be something new to fetch or deliver.
    pub(crate) wake: Arc<Notify>,
    /// Counts polls, so that an older one sees that a newer one began.
    pub(crate) polls: u64,
    pub(crate) kinds: Kinds,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) commands: HashMap<(Scope, String), Vec<Command>>,
    pub(crate) profile: HashMap<(Profile, String), String>,
    pub(crate) drafts: HashMap<i64, Vec<Draft>>,
    /// The bot that manages it.
    pub(crate) managed_by: Option<BotIndex>,
    /// How many tokens it has had.
    pub(crate) tokens_made: u64,
}

/// A message being written, in a private chat.
pub(crate) struct Draft {
    pub(crate) id: i64,
    pub(crate) thread: Option<i64>,
    pub(crate) keep_on_stop: bool,
    pub(crate) expires: Instant,
}

pub(crate) struct Person {
    pub(crate) seed: PersonSeed,
    pub(crate) user: Box<RawValue>,
    /// Bots this person has blocked.
    pub(crate) blocked: HashSet<BotIndex>,
    /// Feeds the person's open pages; made when the first one opens.
    pub(crate) events: Option<broadcast::Sender<PersonEvent>>,
}

/// A button press that waits for its answer.
pub(crate) struct Callback {
    pub(crate) bot: BotIndex,
    pub(crate) person: i64,
    pub(crate) at: Instant,
    pub(crate) expires: Instant,
}

/// A file that was uploaded.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) bytes: Bytes,
}

/// A bot's message that was accepted, as an observer sees it.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The bot's id.
    pub bot: i64,
    /// The chat: the person's id, or the group's.
    pub chat: i64,
    /// The new message.
    pub message_id: i64,
    /// Its text, without markup.
    pub text: &'a str,
    /// The message it answers.
    pub reply_to: Option<i64>,
}

type Observer = Arc<dyn Fn(&Sent<'_>) + Send + Sync>;

/// Counters of a rehearsal.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stats {
    /// Calls by method, whatever became of them.
    pub calls: BTreeMap<&'static str, u64>,
    /// Refusals by code.
    pub refusals: BTreeMap<u16, u64>,
    /// Parameters the Bot API does not document, as `method.parameter`. Telegram ignores them; a test should not.
    pub unknown_params: BTreeMap<String, u64>,
    /// Calls with something missing or of another type than documented, as the method and the refusal.
    pub misfits: BTreeMap<String, u64>,
    /// Texts sent or edited of which a link would be shown with a preview, and so be fetched by others.
    pub previews: u64,
    /// Messages that bots sent.
    pub messages_sent: u64,
    /// Updates made.
    pub updates_pushed: u64,
    /// Updates that were confirmed.
    pub updates_confirmed: u64,
    /// Updates handed out or delivered again.
    pub redeliveries: u64,
    /// Polls ended by another poll.
    pub poll_conflicts: u64,
    /// Seed of the faults.
    pub seed: u64,
}

/// The names of `unknown_params` that are kept.
const UNKNOWN_PARAMS_MAX: usize = 1000;

pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) bots: Vec<Bot>,
    tokens: HashMap<String, BotIndex>,
    pub(crate) people: BTreeMap<i64, Person>,
    pub(crate) chats: HashMap<ChatKey, Chat>,
    pub(crate) callbacks: BTreeMap<u64, Callback>,
    pub(crate) next_callback: u64,
    files: VecDeque<StoredFile>,
    files_made: u64,
    pub(crate) history: History,
    pub(crate) stats: Stats,
    faults: Faults,
    dice: Dice,
    limits: FloodLimits,
    flood: Flood,
    observer: Option<Observer>,
    /// It knows no ephemeral messages, as before Bot API 10.2.
    pub(crate) is_older: bool,
}

/// One call on its way through the methods.
pub(crate) struct Call<'a> {
    pub(crate) bot: BotIndex,
    pub(crate) method: &'static Method,
    pub(crate) params: &'a Params<'a>,
}

/// A handle on the world; clones share it.
#[derive(Clone)]
pub struct World {
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("World").finish_non_exhaustive()
    }
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(config))) }
    }

    /// WORLD-2: one step at a time.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in one step of a test server must not hide what the others have to say.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `observer` for every message a bot sends, in the order they were accepted.
    ///
    /// It runs while the world is locked: it must be quick and must not call the world.
    pub fn observe(&self, observer: impl Fn(&Sent<'_>) + Send + Sync + 'static) {
        self.lock().observer = Some(Arc::new(observer));
    }

    /// Replaces what goes wrong.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// Makes it a server that knows no messages for one person alone, or one that does. An older one leaves
    /// out what it does not know, as Telegram does: it shows them to everybody.
    pub fn set_older(&self, is_older: bool) {
        self.lock().is_older = is_older;
    }

    /// What goes wrong now.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// Changes the wait before each call that the faults cover, and leaves the other faults as they are.
    pub fn set_latency(&self, latency: Duration) {
        self.lock().faults.latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    }

    /// Replaces the flood limits and forgets what counted against them.
    pub fn set_flood(&self, limits: FloodLimits) {
        let mut state = self.lock();
        state.limits = limits;
        state.flood = Flood::default();
    }

    /// What happened so far.
    #[must_use]
    pub fn history(&self) -> History {
        self.lock().history.clone()
    }

    /// Forgets the history and goes on recording, or stops.
    pub fn restart_history(&self, record: bool) {
        let mut state = self.lock();
        let records_max = if record { state.config.records_max } else { 0 };
        state.history.restart(records_max);
        for bot in &mut state.bots {
            bot.queue.first(usize::MAX).for_each(|update| update.record = None);
        }
    }

    /// The messages that were sent to a chat and recorded, oldest first.
    #[must_use]
    pub fn sent_to(&self, chat: i64) -> Vec<CallRecord> {
        let state = self.lock();
        let calls = state.history.calls.iter();
        let sent = calls.filter(|call| {
            call.chat == chat && call.message_id != 0 && call.method.starts_with("send")
        });
        sent.cloned().collect()
    }

    /// Id of the first bot, or 0 when there is none.
    #[must_use]
    pub fn first_bot_id(&self) -> i64 {
        self.lock().bots.first().map_or(0, |bot| bot.id)
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    /// Adds a person, or replaces the one with the same id.
    pub fn add_person(&self, seed: PersonSeed) {
        let mut state = self.lock();
        state.people.insert(seed.id, Person::new(seed));
    }

    /// Adds a group, or replaces the one with the same id.
    pub fn add_group(&self, seed: &GroupSeed) {
        self.lock().add_group(seed);
    }

    /// Carries out one call in process, as HTTP would, but without faults. `body` is the JSON object of its parameters.
    ///
    /// `getUpdates` never waits here.
    ///
    /// # Errors
    /// Telegram's refusal.
    pub fn call(&self, token: &str, method: &str, body: &str) -> Result<Vec<u8>, Refusal> {
        let mut state = self.lock();
        let bot = state.bot_of(token).ok_or_else(Refusal::unauthorized)?;
        let method = Api::get().method(method).ok_or_else(Refusal::not_found)?;
        state.call(bot, method, &Params::from_json(body.as_bytes())?)
    }
}

impl Person {
    fn new(seed: PersonSeed) -> Self {
        let mut user = json!({"id": seed.id, "is_bot": false, "first_name": seed.first_name});
        if let Some(username) = &seed.username {
            put(&mut user, "username", username);
        }
        if let Some(language) = &seed.language_code {
            put(&mut user, "language_code", language);
        }
        Self { user: raw(&user), seed, blocked: HashSet::new(), events: None }
    }
}

impl Bot {
    fn new(seed: BotSeed, config: &Config) -> Self {
        let id = seed.token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or_default();
        let user = json!({
            "id": id, "is_bot": true, "first_name": seed.name, "username": seed.username,
        });
        Self {
            id,
            user: raw(&user),
            seed,
            queue: Queue::default(),
            next_update_id: config.first_update_id,
            wake: Arc::new(Notify::new()),
            polls: 0,
            kinds: Api::get().default_kinds(),
            webhook: None,
            commands: HashMap::new(),
            profile: HashMap::new(),
            drafts: HashMap::new(),
            managed_by: None,
            tokens_made: 0,
        }
    }
}

/// True if these options of a message say that no link is shown with a preview.
fn has_no_preview(options: &str) -> bool {
    let options: serde_json::Value = serde_json::from_str(options).unwrap_or_default();
    options.get("is_disabled").and_then(serde_json::Value::as_bool) == Some(true)
}

impl State {
    fn new(config: Config) -> Self {
        let bots: Vec<Bot> =
            config.bots.iter().map(|seed| Bot::new(seed.clone(), &config)).collect();
        let tokens = bots.iter().enumerate();
        let tokens = tokens.map(|(at, bot)| (bot.seed.token.clone(), BotIndex(at))).collect();
        let people = config.people.iter().map(|seed| (seed.id, Person::new(seed.clone())));
        let mut state = Self {
            bots,
            tokens,
            people: people.collect(),
            chats: HashMap::new(),
            callbacks: BTreeMap::new(),
            next_callback: 1,
            files: VecDeque::new(),
            files_made: 0,
            history: History::new(if config.record { config.records_max } else { 0 }),
            stats: Stats { seed: config.seed, ..Stats::default() },
            faults: config.faults.clone(),
            dice: Dice::new(config.seed),
            limits: config.flood.clone(),
            flood: Flood::default(),
            observer: None,
            is_older: false,
            config,
        };
        for group in state.config.groups.clone() {
            state.add_group(&group);
        }
        state
    }

    pub(crate) fn bot_of(&self, token: &str) -> Option<BotIndex> {
        self.tokens.get(token).copied()
    }

    pub(crate) fn bot_with_id(&self, id: i64) -> Option<BotIndex> {
        self.bots.iter().position(|bot| bot.id == id).map(BotIndex)
    }

    pub(crate) fn bot_indices(&self) -> impl Iterator<Item = BotIndex> + use<> {
        (0..self.bots.len()).map(BotIndex)
    }

    pub(crate) fn bot(&self, at: BotIndex) -> &Bot {
        self.bots.get(at.0).expect("an index is made only for a bot that exists")
    }

    pub(crate) fn bot_mut(&mut self, at: BotIndex) -> &mut Bot {
        self.bots.get_mut(at.0).expect("an index is made only for a bot that exists")
    }

    /// Decides what becomes of a call, before it is looked at.
    pub(crate) fn fate(&mut self, method: &str) -> (Fate, Duration) {
        self.faults.draw(method, &mut self.dice)
    }

    /// Checks and carries out one call, and counts it.
    pub(crate) fn call(
        &mut self,
        bot: BotIndex,
        method: &'static Method,
        params: &Params<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let result = self
            .check(method, params)
            .and_then(|()| crate::methods::dispatch(self, &Call { bot, method, params }));
        *self.stats.calls.entry(&method.name).or_default() += 1;
        if let Err(refusal) = &result {
            self.refused(Some(bot), method, params.integer("chat_id"), refusal);
        }
        result
    }

    /// Counts a poll and holds it against the documentation.
    pub(crate) fn check_poll(
        &mut self,
        method: &'static Method,
        params: &Params<'_>,
    ) -> Result<(), Refusal> {
        *self.stats.calls.entry(&method.name).or_default() += 1;
        self.check(method, params)
    }

    /// Holds a call against the documentation, and counts what is not in it.
    fn check(&mut self, method: &Method, params: &Params<'_>) -> Result<(), Refusal> {
        let unknown = &mut self.stats.unknown_params;
        let checked = method.check(params, |param| {
            if unknown.len() < UNKNOWN_PARAMS_MAX {
                *unknown.entry(format!("{}.{param}", method.name)).or_default() += 1;
            }
        });
        let options = params.get("link_preview_options").and_then(crate::params::Value::json);
        let is_text = matches!(method.name.as_str(), "sendMessage" | "editMessageText");
        if is_text && !params.has("rich_message") && options.is_none_or(|it| !has_no_preview(&it)) {
            self.stats.previews += 1;
        }
        let misfits = &mut self.stats.misfits;
        if let Err(refusal) = &checked
            && misfits.len() < UNKNOWN_PARAMS_MAX
        {
            let what = format!("{}: {}", method.name, refusal.description);
            *misfits.entry(what).or_default() += 1;
        }
        checked
    }

    /// Counts and records a refusal.
    pub(crate) fn refused(
        &mut self,
        bot: Option<BotIndex>,
        method: &Method,
        chat: Option<i64>,
        refusal: &Refusal,
    ) {
        *self.stats.refusals.entry(refusal.code).or_default() += 1;
        if self.history.is_on() {
            let record = RefusedRecord {
                bot: bot.map_or(0, |bot| self.bot(bot).id),
                method: method.name.clone(),
                chat: chat.unwrap_or_default(),
                code: refusal.code,
                description: refusal.description.to_string(),
                retry_after: refusal.retry_after,
                at: unix_ms(),
            };
            self.history.refused(record);
        }
    }

    /// Records a call that changed something.
    pub(crate) fn accepted(
        &mut self,
        call: &Call<'_>,
        chat: i64,
        message_id: i64,
        text: &str,
        reply_to: Option<i64>,
    ) {
        if self.history.is_on() {
            let record = CallRecord {
                bot: self.bot(call.bot).id,
                method: call.method.name.clone(),
                chat,
                message_id,
                text: text.to_owned(),
                reply_to,
                markdown: crate::methods::markdown_of(call),
                only_for: self.only_for(chat, message_id),
                at: unix_ms(),
            };
            self.history.call(record);
        }
    }

    fn only_for(&self, group: i64, message_id: i64) -> Option<i64> {
        self.chats.get(&ChatKey::Group(group))?.message(message_id)?.only_for
    }

    /// Tells the observer, if there is one.
    pub(crate) fn sent(&mut self, sent: &Sent<'_>) {
        self.stats.messages_sent += 1;
        if let Some(observer) = &self.observer {
            observer(sent);
        }
    }

    /// Lets one message pass the flood limits.
    pub(crate) fn admit(&mut self, chat: i64) -> Result<(), Refusal> {
        self.flood.admit(&self.limits, chat, Instant::now()).map_err(Refusal::too_many)
    }

    /// Keeps a file, and forgets the oldest ones when there is no more room.
    pub(crate) fn keep_file(&mut self, name: &str, folder: &str, bytes: Bytes) -> StoredFile {
        self.files_made += 1;
        let number = self.files_made;
        let extension = name.rsplit_once('.').map_or("bin", |(_, extension)| extension);
        let safe = extension.chars().all(|c| c.is_ascii_alphanumeric()) && extension.len() <= 16;
        let extension = if safe { extension } else { "bin" };
        let file = StoredFile {
            id: format!("BQACAgIAAxkBAAI{number:012}"),
            name: name.to_owned(),
            path: format!("{folder}/file_{number}.{extension}"),
            bytes,
        };
        self.files.push_back(file.clone());
        while self.files.len() > 1
            && self.files.iter().map(|file| file.bytes.len()).sum::<usize>() > FILES_BYTES_MAX
        {
            self.files.pop_front();
        }
        file
    }

    pub(crate) fn file(&self, found: impl Fn(&StoredFile) -> bool) -> Option<&StoredFile> {
        self.files.iter().find(|file| found(file))
    }

    /// Ends drafts and button presses whose time has passed.
    pub(crate) fn sweep(&mut self, now: Instant) {
        self.callbacks.retain(|_, callback| callback.expires > now);
        let mut ended = Vec::new();
        for (at, bot) in self.bots.iter_mut().enumerate() {
            for (person, drafts) in &mut bot.drafts {
                drafts.retain(|draft| {
                    if draft.expires <= now {
                        ended.push((BotIndex(at), *person, draft.id));
                    }
                    draft.expires > now
                });
            }
            bot.drafts.retain(|_, drafts| !drafts.is_empty());
        }
        for (bot, person, draft) in ended {
            self.announce_draft_end(bot, person, draft);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: i64 = 1001;

    fn world() -> (World, String) {
        let config = Config::default();
        let token = config.bots.first().map(|bot| bot.token.clone()).unwrap_or_default();
        let world = World::new(config);
        let hello = Say { person: ADA, text: "hello".to_owned(), ..Say::default() };
        world.say(&hello).expect("Ada is in the default configuration");
        (world, token)
    }

    #[tokio::test]
    async fn a_draft_ends_after_thirty_seconds_unless_it_is_sent_again() {
        let (world, token) = world();
        let draft = format!(r#"{{"chat_id":{ADA},"draft_id":4,"text":"so far"}}"#);
        let (_, mut events) = world.lock().open_page(ADA).unwrap();
        world.call(&token, "sendMessageDraft", &draft).unwrap();
        assert_eq!(events.try_recv().unwrap().name, "draft");
        let now = Instant::now();
        world.lock().sweep(now + Duration::from_secs(29));
        assert!(events.try_recv().is_err());
        world.lock().sweep(now + Duration::from_secs(31));
        assert_eq!(events.try_recv().unwrap().name, "draft_end");
    }

    #[tokio::test]
    async fn world_1_and_2_ids_of_messages_and_updates_only_grow() {
        let (world, _) = world();
        let say = Say { person: ADA, text: "again".to_owned(), ..Say::default() };
        let said: Vec<_> = (0..5).map(|_| world.say(&say).unwrap()).collect();
        for pair in said.windows(2) {
            assert!(pair[1].message_id > pair[0].message_id);
            assert!(pair[1].updates[0].1 == pair[0].updates[0].1 + 1);
        }
    }

    #[tokio::test]
    async fn a_press_nobody_answers_gets_too_old() {
        let (world, token) = world();
        let send = format!(r#"{{"chat_id":{ADA},"text":"press"}}"#);
        world.call(&token, "sendMessage", &send).unwrap();
        let press = Press { person: ADA, chat: None, message_id: 2, data: "d".to_owned() };
        let id = world.press(&press).unwrap();
        world.lock().sweep(Instant::now() + Duration::from_secs(16 * 60));
        let answer = format!(r#"{{"callback_query_id":"{id}"}}"#);
        let refusal = world.call(&token, "answerCallbackQuery", &answer).unwrap_err();
        assert!(refusal.description.contains("query is too old"), "{refusal:?}");
    }
}
