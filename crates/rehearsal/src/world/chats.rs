//! Chats and their messages, and how the Bot API writes them.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{BotIndex, State, StoredFile};
use crate::clock::unix;
use crate::config::GroupSeed;
use crate::json::{put, raw};
use crate::keyboard::Markup;
use crate::refusal::Refusal;
use crate::text::{Entity, Formatted};

/// Ids at or below this belong to supergroups.
const SUPERGROUP_ID_MAX: i64 = -1_000_000_000_000;

/// Which chat. A private chat belongs to one person and one bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ChatKey {
    Private { bot: BotIndex, person: i64 },
    Group(i64),
}

impl ChatKey {
    /// The id that bots know it by.
    pub(crate) fn id(self) -> i64 {
        match self {
            Self::Private { person, .. } => person,
            Self::Group(id) => id,
        }
    }

    pub(crate) fn is_private(self) -> bool {
        matches!(self, Self::Private { .. })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    Person(i64),
    Bot(BotIndex),
}

/// What a message is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Payload {
    /// The text, or the caption of a document.
    pub(crate) body: Formatted,
    pub(crate) markup: Option<Markup>,
    pub(crate) document: Option<Document>,
    /// The rich form, as the Bot API answers it.
    pub(crate) rich: Option<Arc<Value>>,
    /// The album that it is a piece of.
    pub(crate) album: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) file_id: String,
    pub(crate) file_name: String,
    pub(crate) file_size: usize,
    pub(crate) form: Form,
}

impl From<&StoredFile> for Document {
    fn from(file: &StoredFile) -> Self {
        Self {
            file_id: file.id.clone(),
            file_name: file.name.clone(),
            file_size: file.bytes.len(),
            form: Form::Document,
        }
    }
}

/// As what a file is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a file.
    Document,
    /// As a voice message.
    Voice {
        /// How long it plays, in seconds.
        seconds: u64,
    },
    /// As a piece of music.
    Audio {
        /// How long it plays, in seconds.
        seconds: u64,
    },
    /// As a picture.
    Photo {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
}

impl Form {
    /// What the page calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Voice { .. } => "voice",
            Self::Audio { .. } => "audio",
            Self::Photo { .. } => "photo",
        }
    }

    /// How long it plays, if it is sound.
    pub(crate) fn seconds(&self) -> Option<u64> {
        match self {
            Self::Voice { seconds } | Self::Audio { seconds } => Some(*seconds),
            Self::Document | Self::Photo { .. } => None,
        }
    }

    /// The folder of its files.
    pub(crate) fn folder(&self) -> &'static str {
        match self {
            Self::Document => "documents",
            Self::Voice { .. } => "voice",
            Self::Audio { .. } => "music",
            Self::Photo { .. } => "photos",
        }
    }
}

pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) author: Author,
    pub(crate) date: i64,
    pub(crate) edited: Option<i64>,
    pub(crate) thread: Option<i64>,
    pub(crate) reply_to: Option<i64>,
    /// Who alone sees it, in a group.
    pub(crate) only_for: Option<i64>,
    pub(crate) payload: Payload,
}

impl Message {
    /// Whether this person sees it.
    pub(crate) fn is_seen_by(&self, person: i64) -> bool {
        self.only_for.is_none_or(|it| it == person)
    }
}

pub(crate) struct Chat {
    pub(crate) key: ChatKey,
    pub(crate) title: String,
    /// As the Bot API writes it inside messages.
    pub(crate) json: Box<RawValue>,
    pub(crate) members: BTreeSet<i64>,
    pub(crate) admins: BTreeSet<i64>,
    pub(crate) topics: BTreeMap<i64, String>,
    /// Bots that left.
    pub(crate) left: HashSet<BotIndex>,
    pub(crate) migrated_to: Option<i64>,
    /// Pinned messages.
    pub(crate) pinned: BTreeSet<i64>,
    messages: VecDeque<Message>,
    next_message_id: i64,
}

impl Chat {
    pub(crate) fn kind(&self) -> &'static str {
        match self.key {
            ChatKey::Private { .. } => "private",
            ChatKey::Group(id) if id <= SUPERGROUP_ID_MAX => "supergroup",
            ChatKey::Group(_) => "group",
        }
    }

    pub(crate) fn message(&self, id: i64) -> Option<&Message> {
        self.messages.get(self.messages.binary_search_by_key(&id, |message| message.id).ok()?)
    }

    pub(crate) fn message_mut(&mut self, id: i64) -> Option<&mut Message> {
        let at = self.messages.binary_search_by_key(&id, |message| message.id).ok()?;
        self.messages.get_mut(at)
    }

    pub(crate) fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter()
    }

    pub(crate) fn remove(&mut self, id: i64) -> Option<Message> {
        let at = self.messages.binary_search_by_key(&id, |message| message.id).ok()?;
        self.messages.remove(at)
    }

    /// Adds a message, forgets the oldest beyond `max`, and gives its id.
    pub(crate) fn add(&mut self, max: usize, mut message: Message) -> i64 {
        let id = self.next_message_id;
        self.next_message_id += 1;
        message.id = id;
        self.messages.push_back(message);
        if self.messages.len() > max.max(1) {
            self.messages.pop_front();
        }
        id
    }

    /// Uses up a message id for a message that only says what happened to the chat.
    pub(crate) fn next_id(&mut self) -> i64 {
        self.next_message_id += 1;
        self.next_message_id - 1
    }
}

/// A message as the Bot API writes it.
#[derive(Serialize)]
struct View<'a> {
    message_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i64>,
    from: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver_user: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ephemeral_message_id: Option<i64>,
    chat: &'a RawValue,
    date: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    edit_date: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_topic_message: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_message: Option<Box<View<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Entity]>::is_empty")]
    entities: &'a [Entity],
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    photo: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Entity]>::is_empty")]
    caption_entities: &'a [Entity],
    #[serde(skip_serializing_if = "Option::is_none")]
    media_group_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rich_message: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<&'a RawValue>,
}

pub(crate) fn document_json(document: &Document) -> Value {
    let ending = document.file_name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let kind = match ending {
        "md" | "txt" => "text/plain",
        "ogg" | "oga" => "audio/ogg",
        "mp3" => "audio/mpeg",
        "wav" => "audio/x-wav",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    };
    let (id, size) = (&document.file_id, document.file_size);
    let unique = format!("u{id}");
    match document.form {
        Form::Document => json!({
            "file_id": id, "file_unique_id": unique, "file_name": document.file_name,
            "mime_type": kind, "file_size": size,
        }),
        Form::Voice { seconds } => json!({
            "file_id": id, "file_unique_id": unique, "duration": seconds, "mime_type": kind,
            "file_size": size,
        }),
        Form::Audio { seconds } => json!({
            "file_id": id, "file_unique_id": unique, "duration": seconds,
            "file_name": document.file_name, "mime_type": kind, "file_size": size,
        }),
        // Telegram sends a picture in several sizes, the smallest first. Nothing is scaled here: the
        // smaller one cannot be fetched.
        Form::Photo { width, height } => json!([
            {
                "file_id": format!("{id}s"), "file_unique_id": format!("{unique}s"),
                "width": width.div_ceil(4), "height": height.div_ceil(4),
                "file_size": size.div_ceil(8),
            },
            {
                "file_id": id, "file_unique_id": unique, "width": width, "height": height,
                "file_size": size,
            },
        ]),
    }
}

/// The file of a message, if it is sent in this form.
fn sent_as(payload: &Payload, is_so: impl Fn(&Form) -> bool) -> Option<Value> {
    payload.document.as_ref().filter(|it| is_so(&it.form)).map(document_json)
}

impl State {
    pub(crate) fn add_group(&mut self, seed: &GroupSeed) {
        let key = ChatKey::Group(seed.id);
        let mut topics: BTreeMap<i64, String> = seed.topics.iter().cloned().collect();
        let is_forum = !topics.is_empty();
        if is_forum {
            topics.entry(1).or_insert_with(|| "General".to_owned());
        }
        let kind = if seed.id <= SUPERGROUP_ID_MAX { "supergroup" } else { "group" };
        let mut json = json!({"id": seed.id, "title": seed.title, "type": kind});
        if is_forum {
            put(&mut json, "is_forum", true);
        }
        let chat = Chat {
            key,
            title: seed.title.clone(),
            json: raw(&json),
            members: seed.members.iter().chain(&seed.admins).copied().collect(),
            admins: seed.admins.iter().copied().collect(),
            topics,
            left: HashSet::new(),
            migrated_to: None,
            pinned: BTreeSet::new(),
            messages: VecDeque::new(),
            next_message_id: 1,
        };
        self.chats.insert(key, chat);
    }

    /// The private chat of a known person with a bot, made when it does not exist yet.
    pub(crate) fn private_chat(&mut self, bot: BotIndex, person: i64) -> Option<ChatKey> {
        let key = ChatKey::Private { bot, person };
        if !self.chats.contains_key(&key) {
            let seed = &self.people.get(&person)?.seed;
            let mut json = json!({"id": person, "type": "private", "first_name": seed.first_name});
            if let Some(username) = &seed.username {
                put(&mut json, "username", username);
            }
            let chat = Chat {
                key,
                title: self.bot(bot).seed.name.clone(),
                json: raw(&json),
                members: BTreeSet::from([person]),
                admins: BTreeSet::new(),
                topics: BTreeMap::new(),
                left: HashSet::new(),
                migrated_to: None,
                pinned: BTreeSet::new(),
                messages: VecDeque::new(),
                next_message_id: 1,
            };
            self.chats.insert(key, chat);
        }
        Some(key)
    }

    /// The chat a call names, if this bot may write to it.
    pub(crate) fn target(&self, bot: BotIndex, chat: &str) -> Result<ChatKey, Refusal> {
        let unknown = || Refusal::bad("chat not found");
        let id = match chat.trim().parse::<i64>() {
            Ok(id) => id,
            // Only people and public groups have usernames; a bot cannot find people by theirs.
            Err(_not_a_number) => return Err(unknown()),
        };
        if id < 0 {
            let key = ChatKey::Group(id);
            let chat = self.chats.get(&key).ok_or_else(unknown)?;
            if let Some(to) = chat.migrated_to {
                return Err(Refusal::migrated(to));
            }
            if chat.left.contains(&bot) {
                let words = format!("Forbidden: bot is not a member of the {} chat", chat.kind());
                return Err(Refusal::new(403, words));
            }
            return Ok(key);
        }
        let person = self.people.get(&id).ok_or_else(unknown)?;
        if person.blocked.contains(&bot) {
            return Err(Refusal::blocked());
        }
        let key = ChatKey::Private { bot, person: id };
        if self.chats.contains_key(&key) {
            Ok(key)
        } else {
            Err(Refusal::new(403, "Forbidden: bot can't initiate conversation with a user"))
        }
    }

    pub(crate) fn chat(&self, key: ChatKey) -> &Chat {
        self.chats.get(&key).expect("a key is made only for a chat that exists; none is removed")
    }

    pub(crate) fn chat_mut(&mut self, key: ChatKey) -> &mut Chat {
        self.chats
            .get_mut(&key)
            .expect("a key is made only for a chat that exists; none is removed")
    }

    /// Puts a message into a chat and shows it to the people there.
    pub(crate) fn post(
        &mut self,
        key: ChatKey,
        author: Author,
        thread: Option<i64>,
        reply_to: Option<i64>,
        payload: Payload,
    ) -> i64 {
        self.post_for(key, None, author, (thread, reply_to), payload)
    }

    /// The same for one person alone, where one is named.
    pub(crate) fn post_for(
        &mut self,
        key: ChatKey,
        only_for: Option<i64>,
        author: Author,
        (thread, reply_to): (Option<i64>, Option<i64>),
        payload: Payload,
    ) -> i64 {
        let max = self.config.messages_per_chat_max;
        let (id, date, edited) = (0, unix(), None);
        let message = Message { id, author, date, edited, thread, reply_to, only_for, payload };
        let id = self.chat_mut(key).add(max, message);
        self.announce_message(key, id, "message");
        id
    }

    /// The message as the Bot API writes it, or `None` when the chat no longer holds it.
    pub(crate) fn message_json(&self, key: ChatKey, id: i64) -> Option<Vec<u8>> {
        let chat = self.chats.get(&key)?;
        let view = self.view(chat, chat.message(id)?, true)?;
        Some(serde_json::to_vec(&view).expect("plain values always serialise"))
    }

    fn view<'a>(&'a self, chat: &'a Chat, message: &'a Message, outer: bool) -> Option<View<'a>> {
        let payload = &message.payload;
        let has_document = payload.document.is_some();
        let text = payload.body.text.as_str();
        let entities = payload.body.entities.as_slice();
        let reply = message.reply_to.filter(|_| outer).and_then(|id| chat.message(id));
        let markup = payload.markup.as_ref().filter(|markup| markup.inline);
        Some(View {
            message_id: message.id,
            message_thread_id: message.thread,
            from: match message.author {
                Author::Person(person) => &self.people.get(&person)?.user,
                Author::Bot(bot) => &self.bot(bot).user,
            },
            receiver_user: match message.only_for {
                Some(person) => Some(&self.people.get(&person)?.user),
                None => None,
            },
            ephemeral_message_id: message.only_for.map(|_| message.id),
            chat: &chat.json,
            date: message.date,
            edit_date: message.edited,
            is_topic_message: message.thread.map(|_| true),
            reply_to_message: match reply {
                Some(reply) => self.view(chat, reply, false).map(Box::new),
                None => None,
            },
            text: (!has_document && payload.rich.is_none()).then_some(text),
            entities: if has_document || payload.rich.is_some() { &[] } else { entities },
            document: sent_as(payload, |it| matches!(it, Form::Document)),
            voice: sent_as(payload, |it| matches!(it, Form::Voice { .. })),
            audio: sent_as(payload, |it| matches!(it, Form::Audio { .. })),
            photo: sent_as(payload, |it| matches!(it, Form::Photo { .. })),
            caption: (has_document && !text.is_empty()).then_some(text),
            caption_entities: if has_document { entities } else { &[] },
            media_group_id: payload.album.as_deref(),
            rich_message: payload.rich.as_deref(),
            reply_markup: markup.map(|markup| &*markup.json),
        })
    }
}
