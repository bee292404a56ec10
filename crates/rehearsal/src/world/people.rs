//! What people do, and what their pages show.
//!
//! To a person, a private chat carries the id of the bot, as in their own app; a group carries its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::chats::{Author, Chat, ChatKey, Document, Form, Message, Payload};
use super::updates::NewUpdate;
use super::{BotIndex, Callback, State, World, WorldError};
use crate::clock::{unix, unix_ms};
use crate::json::put;
use crate::text::{self, Entity, Formatted};

/// Events a page may be behind before it gets a new snapshot instead.
const EVENTS_BEHIND_MAX: usize = 1024;
/// Messages of each chat in a snapshot.
const SNAPSHOT_MESSAGES_MAX: usize = 200;
/// Presses that may wait for an answer at the same time.
const CALLBACKS_MAX: usize = 10_000;

/// One event on a person's page.
#[derive(Clone, Debug)]
pub(crate) struct PersonEvent {
    pub(crate) name: &'static str,
    pub(crate) data: Arc<str>,
}

/// Something a person writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Say {
    /// Who writes.
    pub person: i64,
    /// Where: a bot's id, a group's id, or nothing for the private chat with the first bot.
    #[serde(default)]
    pub chat: Option<i64>,
    /// Forum topic.
    #[serde(default)]
    pub topic: Option<i64>,
    /// The text.
    pub text: String,
    /// The message it answers.
    #[serde(default)]
    pub reply_to: Option<i64>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Id of the new message in its chat.
    pub message_id: i64,
    /// The updates it made, as (bot, update id).
    pub updates: Vec<(i64, i64)>,
}

/// A press of an inline button.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Press {
    /// Who presses.
    pub person: i64,
    /// Where, as in [`Say`].
    #[serde(default)]
    pub chat: Option<i64>,
    /// The message with the button.
    pub message_id: i64,
    /// The button's `callback_data`.
    pub data: String,
}

impl World {
    /// A person writes a text.
    ///
    /// # Errors
    /// No such person, chat or topic.
    pub fn say(&self, say: &Say) -> Result<Said, WorldError> {
        let mut body = Formatted { text: say.text.clone(), entities: Vec::new() };
        text::detect(&body.text, &mut body.entities);
        self.write(say, Payload { body, ..Payload::default() })
    }

    /// A person sends a file, with the text as its caption.
    ///
    /// # Errors
    /// No such person, chat or topic.
    pub fn send_file(
        &self,
        say: &Say,
        name: &str,
        bytes: bytes::Bytes,
    ) -> Result<Said, WorldError> {
        self.send_as(say, name, bytes, Form::Document)
    }

    /// A person sends a file as something, with the text as its caption.
    ///
    /// # Errors
    /// No such person, chat or topic.
    pub fn send_as(
        &self,
        say: &Say,
        name: &str,
        bytes: bytes::Bytes,
        form: Form,
    ) -> Result<Said, WorldError> {
        self.send_piece(say, (name, bytes), form, None)
    }

    /// A person sends pictures as an album: messages of their own, the first of them with the caption.
    ///
    /// # Errors
    /// No such person, chat or topic.
    pub fn send_album(
        &self,
        say: &Say,
        pictures: Vec<(&str, bytes::Bytes)>,
        form: &Form,
    ) -> Result<Vec<Said>, WorldError> {
        let album = format!("a{}", unix_ms());
        let piece = |(at, picture): (usize, (&str, bytes::Bytes))| {
            let text = if at == 0 { say.text.clone() } else { String::new() };
            let say = Say { text, ..say.clone() };
            self.send_piece(&say, picture, form.clone(), Some(album.clone()))
        };
        pictures.into_iter().enumerate().map(piece).collect()
    }

    fn send_piece(
        &self,
        say: &Say,
        (name, bytes): (&str, bytes::Bytes),
        form: Form,
        album: Option<String>,
    ) -> Result<Said, WorldError> {
        let kept = self.lock().keep_file(name, form.folder(), bytes);
        let document = Document { form, ..Document::from(&kept) };
        let mut body = Formatted { text: say.text.clone(), entities: Vec::new() };
        text::detect(&body.text, &mut body.entities);
        self.write(say, Payload { body, document: Some(document), album, ..Payload::default() })
    }

    fn write(&self, say: &Say, payload: Payload) -> Result<Said, WorldError> {
        let mut state = self.lock();
        let key = state.place(say.person, say.chat)?;
        if say.topic.is_some_and(|topic| !state.chat(key).topics.contains_key(&topic)) {
            return Err(WorldError::NoSuchChat(say.topic.unwrap_or_default()));
        }
        let readers = state.readers(key, &payload.body, say.reply_to);
        // General is a topic without a thread.
        let thread = say.topic.filter(|topic| *topic != 1);
        let author = Author::Person(say.person);
        let message_id = state.post(key, author, thread, say.reply_to, payload);
        let json = state.message_json(key, message_id).unwrap_or_default();
        let new = NewUpdate {
            kind: "message",
            payload: &json,
            chat: key.id(),
            message_id,
            text: &say.text,
        };
        let mut updates = Vec::with_capacity(readers.len());
        for bot in readers {
            if let Some(id) = state.push(bot, &new) {
                updates.push((state.bot(bot).id, id));
            }
        }
        Ok(Said { message_id, updates })
    }

    /// A person changes the text of a message of theirs.
    ///
    /// # Errors
    /// No such person or chat, or no such message of that person.
    pub fn edit(&self, say: &Say, message_id: i64) -> Result<Said, WorldError> {
        let mut state = self.lock();
        let key = state.place(say.person, say.chat)?;
        let mut body = Formatted { text: say.text.clone(), entities: Vec::new() };
        text::detect(&body.text, &mut body.entities);
        let readers = state.readers(key, &body, None);
        let message = state
            .chat_mut(key)
            .message_mut(message_id)
            .filter(|message| message.author == Author::Person(say.person))
            .ok_or(WorldError::NoSuchMessage(message_id))?;
        message.edited = Some(unix());
        message.payload.body = body;
        state.announce_message(key, message_id, "edit");
        let json = state.message_json(key, message_id).unwrap_or_default();
        let new = NewUpdate {
            kind: "edited_message",
            payload: &json,
            chat: key.id(),
            message_id,
            text: &say.text,
        };
        let mut updates = Vec::new();
        for bot in readers {
            if let Some(id) = state.push(bot, &new) {
                updates.push((state.bot(bot).id, id));
            }
        }
        Ok(Said { message_id, updates })
    }

    /// A person presses an inline button; gives the id of the callback query.
    ///
    /// # Errors
    /// No such person, chat or message.
    pub fn press(&self, press: &Press) -> Result<String, WorldError> {
        let mut state = self.lock();
        let key = state.place(press.person, press.chat)?;
        let message = state.chat(key).message(press.message_id);
        let message = message.filter(|message| message.is_seen_by(press.person));
        let missing = WorldError::NoSuchMessage(press.message_id);
        let Some(Author::Bot(bot)) = message.map(|message| message.author) else {
            return Err(missing);
        };
        let json = state.message_json(key, press.message_id).ok_or(missing)?;
        let number = state.next_callback;
        state.next_callback += 1;
        let expires = Instant::now() + state.config.callback_lifetime;
        let (person, at) = (press.person, Instant::now());
        state.callbacks.insert(number, Callback { bot, person, at, expires });
        if state.callbacks.len() > CALLBACKS_MAX {
            state.callbacks.pop_first();
        }
        let id = number.to_string();
        let user = state.people.get(&press.person).map(|person| person.user.get());
        let payload = format!(
            r#"{{"id":"{id}","from":{},"message":{},"chat_instance":"{}","data":{}}}"#,
            user.unwrap_or("null"),
            String::from_utf8_lossy(&json),
            key.id(),
            Value::from(press.data.as_str()),
        );
        let new = NewUpdate {
            kind: "callback_query",
            payload: payload.as_bytes(),
            chat: key.id(),
            message_id: press.message_id,
            text: &press.data,
        };
        state.push(bot, &new);
        Ok(id)
    }

    /// The file of a message of a person's private chat: what it is called, and what is in it.
    #[must_use]
    pub fn document(&self, person: i64, message_id: i64) -> Option<(String, bytes::Bytes)> {
        let mut state = self.lock();
        let key = state.place(person, None).ok()?;
        let document = state.chat(key).message(message_id)?.payload.document.clone()?;
        let file = state.file(|it| it.id == document.file_id)?;
        Some((file.name.clone(), file.bytes.clone()))
    }

    /// A message of a person's private chat, as Telegram would give it. Null where there is none.
    #[must_use]
    pub fn message(&self, person: i64, message_id: i64) -> Value {
        let mut state = self.lock();
        let Ok(key) = state.place(person, None) else { return Value::Null };
        let json = state.message_json(key, message_id);
        serde_json::from_slice(&json.unwrap_or_default()).unwrap_or_default()
    }

    /// What the buttons under a message of a person's private chat carry, in order.
    #[must_use]
    pub fn buttons(&self, person: i64, message_id: i64) -> Vec<String> {
        let message = self.message(person, message_id);
        let rows = message.pointer("/reply_markup/inline_keyboard").and_then(Value::as_array);
        let buttons = rows.into_iter().flatten().filter_map(Value::as_array).flatten();
        let data = buttons.filter_map(|it| it.get("callback_data").and_then(Value::as_str));
        data.map(str::to_owned).collect()
    }

    /// A person stops the draft a bot is writing.
    ///
    /// # Errors
    /// No such person or private chat, or no such draft.
    pub fn stop(&self, person: i64, chat: Option<i64>, draft_id: i64) -> Result<(), WorldError> {
        let mut state = self.lock();
        let key = state.place(person, chat)?;
        let ChatKey::Private { bot, .. } = key else {
            return Err(WorldError::NoSuchChat(key.id()));
        };
        let drafts = state.bot_mut(bot).drafts.get_mut(&person);
        let draft = drafts.and_then(|drafts| {
            let at = drafts.iter().position(|draft| draft.id == draft_id)?;
            Some(drafts.remove(at))
        });
        let draft = draft.ok_or(WorldError::NoSuchMessage(draft_id))?;
        let mut payload = json!({"draft_id": draft_id});
        if let Some(thread) = draft.thread {
            put(&mut payload, "message_thread_id", thread);
        }
        put(&mut payload, "chat", &*state.chat(key).json);
        let payload = payload.to_string();
        let new = NewUpdate {
            kind: "stopped_message_generation",
            payload: payload.as_bytes(),
            chat: person,
            message_id: 0,
            text: "",
        };
        state.push(bot, &new);
        if !draft.keep_on_stop {
            state.announce_draft_end(bot, person, draft_id);
        }
        Ok(())
    }

    /// A person blocks a bot, or lets it in again; the bot is told.
    ///
    /// # Errors
    /// No such person or bot.
    pub fn block(&self, person: i64, bot: i64, blocked: bool) -> Result<(), WorldError> {
        let mut state = self.lock();
        let bot = state.bot_with_id(bot).ok_or(WorldError::NoSuchBot)?;
        let key = state.private_chat(bot, person).ok_or(WorldError::NoSuchPerson(person))?;
        let who = state.people.get_mut(&person).ok_or(WorldError::NoSuchPerson(person))?;
        let changed = if blocked { who.blocked.insert(bot) } else { who.blocked.remove(&bot) };
        if !changed {
            return Ok(());
        }
        let status = |kicked: bool| if kicked { "kicked" } else { "member" };
        let member = |kicked: bool, user: &str| {
            let until = if kicked { r#","until_date":0"# } else { "" };
            format!(r#"{{"user":{user},"status":"{}"{until}}}"#, status(kicked))
        };
        let user = state.bot(bot).user.get();
        let payload = format!(
            r#"{{"chat":{},"from":{},"date":{},"old_chat_member":{},"new_chat_member":{}}}"#,
            state.chat(key).json.get(),
            state.people.get(&person).map_or("null", |person| person.user.get()),
            unix(),
            member(!blocked, user),
            member(blocked, user),
        );
        let new = NewUpdate {
            kind: "my_chat_member",
            payload: payload.as_bytes(),
            chat: person,
            message_id: 0,
            text: "",
        };
        state.push(bot, &new);
        Ok(())
    }

    /// A group becomes a supergroup; gives the new id. Both chats say so, as at Telegram.
    ///
    /// # Errors
    /// No such group, or it migrated before.
    pub fn migrate(&self, group: i64) -> Result<i64, WorldError> {
        let mut state = self.lock();
        let old_key = ChatKey::Group(group);
        let old = state.chats.get(&old_key).filter(|chat| chat.migrated_to.is_none());
        let old = old.ok_or(WorldError::NoSuchChat(group))?;
        let new_id = -1_000_000_000_000 - group.abs() % 1_000_000_000_000;
        let seed = crate::config::GroupSeed {
            id: new_id,
            title: old.title.clone(),
            members: old.members.iter().copied().collect(),
            admins: old.admins.iter().copied().collect(),
            topics: Vec::new(),
        };
        let left = old.left.clone();
        state.add_group(&seed);
        let new_key = ChatKey::Group(new_id);
        state.chat_mut(new_key).left = left;
        state.announce_service(old_key, "migrate_to_chat_id", new_id);
        state.announce_service(new_key, "migrate_from_chat_id", group);
        state.chat_mut(old_key).migrated_to = Some(new_id);
        Ok(new_id)
    }
}

// === Where and to whom ===

impl State {
    /// The chat a person means; their private chats come to be when they are first used.
    pub(crate) fn place(&mut self, person: i64, chat: Option<i64>) -> Result<ChatKey, WorldError> {
        if !self.people.contains_key(&person) {
            return Err(WorldError::NoSuchPerson(person));
        }
        if let Some(group) = chat.filter(|id| *id < 0) {
            let key = ChatKey::Group(group);
            let is_there = self
                .chats
                .get(&key)
                .is_some_and(|chat| chat.members.contains(&person) && chat.migrated_to.is_none());
            return if is_there { Ok(key) } else { Err(WorldError::NoSuchChat(group)) };
        }
        let bot = match chat {
            Some(id) if id != person => self.bot_with_id(id).ok_or(WorldError::NoSuchChat(id))?,
            _ => self.bot_indices().next().ok_or(WorldError::NoSuchBot)?,
        };
        self.private_chat(bot, person).ok_or(WorldError::NoSuchPerson(person))
    }

    /// The bots that get to read a person's message; in groups privacy mode decides.
    fn readers(&self, key: ChatKey, body: &Formatted, reply_to: Option<i64>) -> Vec<BotIndex> {
        let chat = self.chat(key);
        if let ChatKey::Private { bot, .. } = key {
            return vec![bot];
        }
        let answered = reply_to.and_then(|id| chat.message(id)).map(|message| message.author);
        let concerns = |at: BotIndex| {
            let bot = self.bot(at);
            bot.seed.reads_all_group_messages
                || answered == Some(Author::Bot(at))
                || body
                    .entities
                    .iter()
                    .any(|entity| names_bot(&body.text, entity, &bot.seed.username))
        };
        self.bot_indices().filter(|at| !chat.left.contains(at) && concerns(*at)).collect()
    }

    /// Other bots that hear bots get to read what a bot wrote in a group, where it concerns them.
    pub(crate) fn tell_bots(&mut self, author: BotIndex, key: ChatKey, message_id: i64) {
        let message = self.chat(key).message(message_id).filter(|it| it.only_for.is_none());
        let Some(message) = message.filter(|_| !key.is_private()) else { return };
        let (body, reply_to) = (message.payload.body.clone(), message.reply_to);
        let mut readers = self.readers(key, &body, reply_to);
        readers.retain(|it| *it != author && self.bot(*it).seed.hears_bots);
        if readers.is_empty() {
            return;
        }
        let json = self.message_json(key, message_id).unwrap_or_default();
        let new = NewUpdate {
            kind: "message",
            payload: &json,
            chat: key.id(),
            message_id,
            text: &body.text,
        };
        for bot in readers {
            self.push(bot, &new);
        }
    }

    fn announce_service(&mut self, key: ChatKey, what: &str, id: i64) {
        let chat = self.chat_mut(key);
        let message_id = chat.next_id();
        let admin = chat.admins.first().or(chat.members.first()).copied();
        let left = chat.left.clone();
        let from = admin.and_then(|id| self.people.get(&id)).map_or("null", |p| p.user.get());
        let payload = format!(
            r#"{{"message_id":{message_id},"from":{from},"chat":{},"date":{},"{what}":{id}}}"#,
            self.chat(key).json.get(),
            unix(),
        );
        let new = NewUpdate {
            kind: "message",
            payload: payload.as_bytes(),
            chat: key.id(),
            message_id,
            text: "",
        };
        for bot in self.bot_indices().filter(|bot| !left.contains(bot)) {
            self.push(bot, &new);
        }
    }
}

/// Whether an entity of a group message addresses this bot.
fn names_bot(text: &str, entity: &Entity, username: &str) -> bool {
    let piece = || {
        let units: Vec<u16> = text.encode_utf16().skip(entity.offset).take(entity.length).collect();
        String::from_utf16_lossy(&units)
    };
    match entity.kind.as_ref() {
        "mention" => piece().trim_start_matches('@').eq_ignore_ascii_case(username),
        "bot_command" => match piece().split_once('@') {
            Some((_, bot)) => bot.eq_ignore_ascii_case(username),
            None => true,
        },
        _ => false,
    }
}

// === What the pages show ===

impl State {
    /// Opens a page: the snapshot, and the events that come after it.
    pub(crate) fn open_page(
        &mut self,
        person: i64,
    ) -> Result<(PersonEvent, broadcast::Receiver<PersonEvent>), WorldError> {
        for bot in self.bot_indices() {
            self.private_chat(bot, person).ok_or(WorldError::NoSuchPerson(person))?;
        }
        let snapshot = self.snapshot(person);
        let who = self.people.get_mut(&person).ok_or(WorldError::NoSuchPerson(person))?;
        let events = who.events.get_or_insert_with(|| broadcast::Sender::new(EVENTS_BEHIND_MAX));
        Ok((snapshot, events.subscribe()))
    }

    pub(crate) fn snapshot(&self, person: i64) -> PersonEvent {
        let mut chats: Vec<&Chat> = self
            .chats
            .values()
            .filter(|chat| chat.members.contains(&person) && chat.migrated_to.is_none())
            .collect();
        chats.sort_by_key(|chat| (!chat.key.is_private(), self.id_for_people(chat.key)));
        let chats: Vec<Value> = chats
            .into_iter()
            .map(|chat| {
                let mut messages: Vec<Value> = chat
                    .messages()
                    .rev()
                    .filter(|message| message.is_seen_by(person))
                    .take(SNAPSHOT_MESSAGES_MAX)
                    .map(|message| self.message_for_people(chat, message))
                    .collect();
                messages.reverse();
                json!({
                    "id": self.id_for_people(chat.key),
                    "title": chat.title,
                    "kind": chat.kind(),
                    "messages": messages,
                })
            })
            .collect();
        PersonEvent { name: "snapshot", data: json!({ "chats": chats }).to_string().into() }
    }

    /// A private chat is, to the person, the bot.
    pub(crate) fn id_for_people(&self, key: ChatKey) -> i64 {
        match key {
            ChatKey::Private { bot, .. } => self.bot(bot).id,
            ChatKey::Group(id) => id,
        }
    }

    fn message_for_people(&self, chat: &Chat, message: &Message) -> Value {
        let (id, name, is_bot) = match message.author {
            Author::Person(id) => {
                (id, self.people.get(&id).map_or("", |person| &person.seed.first_name), false)
            }
            Author::Bot(bot) => (self.bot(bot).id, self.bot(bot).seed.name.as_str(), true),
        };
        let payload = &message.payload;
        let mut view = json!({
            "chat": self.id_for_people(chat.key),
            "message_id": message.id,
            "from": {"id": id, "name": name, "is_bot": is_bot},
            "date": message.date,
            "text": payload.body.text,
            "entities": payload.body.entities,
        });
        if let Some(rich) = &payload.rich {
            put(&mut view, "rich_message", &**rich);
        }
        if let Some(markup) = &payload.markup {
            put(&mut view, "reply_markup", &*markup.json);
        }
        if let Some(reply_to) = message.reply_to {
            put(&mut view, "reply_to", reply_to);
        }
        if let Some(thread) = message.thread {
            put(&mut view, "topic", thread);
        }
        if let Some(edited) = message.edited {
            put(&mut view, "edit_date", edited);
        }
        if let Some(document) = &payload.document {
            put(
                &mut view,
                "document",
                json!({
                    "kind": document.form.name(),
                    "seconds": document.form.seconds(),
                    "file_name": document.file_name,
                    "file_size": document.file_size,
                    "url": format!("/chat/file/{}", document.file_id),
                }),
            );
        }
        view
    }

    /// Shows a new or changed message to everybody in its chat.
    pub(crate) fn announce_message(&self, key: ChatKey, id: i64, event: &'static str) {
        if self.has_audience(key)
            && let Some(message) = self.chat(key).message(id)
        {
            let view = self.message_for_people(self.chat(key), message);
            match message.only_for {
                None => self.announce(key, event, &view),
                Some(person) => {
                    let data = view.to_string().into();
                    self.announce_to(person, &PersonEvent { name: event, data });
                }
            }
        }
    }

    pub(crate) fn announce_draft_end(&self, bot: BotIndex, person: i64, draft_id: i64) {
        let key = ChatKey::Private { bot, person };
        self.announce(key, "draft_end", &json!({"draft_id": draft_id}));
    }

    fn has_audience(&self, key: ChatKey) -> bool {
        let watches = |id: &i64| self.people.get(id).is_some_and(|person| person.events.is_some());
        match key {
            ChatKey::Private { person, .. } => watches(&person),
            ChatKey::Group(_) => self.chat(key).members.iter().any(watches),
        }
    }

    /// Sends an event about a chat to everybody in it who has a page open; adds the chat's id.
    pub(crate) fn announce(&self, key: ChatKey, name: &'static str, data: &Value) {
        if !self.has_audience(key) {
            return;
        }
        let mut data = data.clone();
        put(&mut data, "chat", self.id_for_people(key));
        let event = PersonEvent { name, data: data.to_string().into() };
        for person in &self.chat(key).members {
            self.announce_to(*person, &event);
        }
    }

    pub(crate) fn announce_to(&self, person: i64, event: &PersonEvent) {
        let sender = self.people.get(&person).and_then(|person| person.events.as_ref());
        if let Some(sender) = sender
            && sender.send(event.clone()).is_err()
        {
            // lost-ok: no page is open; the next one begins with a snapshot.
        }
    }
}
