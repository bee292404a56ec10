//! Reads updates in our own words, from lean structs of the few fields we use.
//!
//! Frankenstein's `Update` is not used here: one unknown chat type, message kind or number out of
//! its range fails the whole update, and newer servers send such. What is not named below is skipped
//! without being looked at, so it can never spoil an update; it also makes [`origin`], which runs
//! on every update before anything else, several times cheaper.
//!
//! Everything here is pure and works on hostile bytes: it never panics and never recurses deeper
//! than serde_json's own limit of 128 levels.

use protocol::{
    BotId, ChatId, MessageId, PersonId, Timestamp, TopicId, UpdateId,
    company::Company,
    inbound::{
        self, Attachment, Beside, Channel, Command, FileKind, FileRef, Inbound, Origin, Person,
        Pressed, Said,
    },
    messenger::BotIdentity,
};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, Visitor},
};
use serde_json::value::RawValue;

mod attached;
mod beside;

const QUOTED_CHARS_MAX: usize = 1_000;
/// Telegram marks no more than these in one message; looking at each costs a walk along the text.
const ENTITIES_MAX: usize = 100;
/// Telegram's limit for the name of a command.
const COMMAND_CHARS_MAX: usize = 32;

// === What Telegram sends, as far as we look ===

/// An update's id alone.
#[derive(Deserialize)]
struct Numbered {
    update_id: i64,
}

/// An update, generic over how closely its message is read.
#[derive(Deserialize)]
#[serde(bound = "M: Deserialize<'de>")]
struct Update<M> {
    message: Option<M>,
    edited_message: Option<M>,
    callback_query: Option<CallbackQuery>,
    my_chat_member: Option<ChatMemberUpdated>,
    stopped_message_generation: Option<GenerationStopped>,
    managed_bot: Option<ManagedBot>,
}

/// Where a message stands and who sent it.
#[derive(Deserialize)]
struct Place {
    message_id: Option<i64>,
    chat: Chat,
    from: Option<User>,
    sender_chat: Option<IgnoredAny>,
    message_thread_id: Option<i64>,
    #[serde(default)]
    is_topic_message: bool,
}

#[derive(Deserialize)]
struct Message<'a> {
    message_id: i64,
    chat: Chat,
    from: Option<User>,
    sender_chat: Option<IgnoredAny>,
    /// In seconds since 1970.
    #[serde(default)]
    date: i64,
    media_group_id: Option<Text>,
    text: Option<Text>,
    caption: Option<Text>,
    #[serde(default)]
    entities: Vec<Entity>,
    #[serde(default)]
    caption_entities: Vec<Entity>,
    #[serde(borrow)]
    forward_origin: Option<&'a RawValue>,
    #[serde(borrow)]
    reply_markup: Option<&'a RawValue>,
    edit_date: Option<IgnoredAny>,
    via_bot: Option<IgnoredAny>,
    #[serde(borrow)]
    reply_to_message: Option<Replied<'a>>,
    quote: Option<Quote>,
    // What a person can send besides words.
    #[serde(borrow)]
    animation: Option<&'a RawValue>,
    #[serde(borrow)]
    audio: Option<&'a RawValue>,
    #[serde(borrow)]
    checklist: Option<&'a RawValue>,
    #[serde(borrow)]
    contact: Option<&'a RawValue>,
    dice: Option<IgnoredAny>,
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    #[serde(borrow)]
    game: Option<&'a RawValue>,
    live_photo: Option<IgnoredAny>,
    location: Option<IgnoredAny>,
    paid_media: Option<IgnoredAny>,
    #[serde(borrow)]
    photo: Option<&'a RawValue>,
    #[serde(borrow)]
    poll: Option<&'a RawValue>,
    rich_message: Option<IgnoredAny>,
    sticker: Option<IgnoredAny>,
    story: Option<IgnoredAny>,
    #[serde(borrow)]
    venue: Option<&'a RawValue>,
    #[serde(borrow)]
    video: Option<&'a RawValue>,
    video_note: Option<IgnoredAny>,
    #[serde(borrow)]
    voice: Option<&'a RawValue>,
}

/// The message that a message answers. In a topic every message answers the one that opened it.
#[derive(Deserialize)]
struct Replied<'a> {
    message_id: Option<i64>,
    /// In seconds since 1970.
    #[serde(default)]
    date: i64,
    from: Option<User>,
    text: Option<Text>,
    caption: Option<Text>,
    forum_topic_created: Option<IgnoredAny>,
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    #[serde(borrow)]
    photo: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Quote {
    text: Text,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(rename = "type")]
    kind: Text,
    /// In UTF-16 units, as all offsets of the Bot API.
    offset: usize,
    length: usize,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    first_name: Text,
    language_code: Option<Text>,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
    #[serde(rename = "type")]
    kind: Text,
    #[serde(default)]
    first_name: Text,
}

#[derive(Deserialize)]
struct CallbackQuery {
    id: String,
    from: User,
    message: Option<Place>,
    data: Option<Text>,
}

#[derive(Deserialize)]
struct ChatMemberUpdated {
    chat: Chat,
    from: User,
    new_chat_member: Member,
}

#[derive(Deserialize)]
struct Member {
    status: Text,
    is_member: Option<bool>,
    can_send_messages: Option<bool>,
}

/// A bot was made for us to manage, or has another token or owner.
#[derive(Deserialize)]
struct ManagedBot {
    user: User,
    bot: Made,
}

#[derive(Deserialize)]
struct Made {
    id: i64,
    username: Option<Text>,
}

#[derive(Deserialize)]
struct GenerationStopped {
    chat: Chat,
    message_thread_id: Option<i64>,
}

/// A JSON string that may hold lone surrogates, which become replacement characters.
#[derive(Clone, Default)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl Visitor<'_> for Words {
            type Value = Text;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, words: &str) -> Result<Text, E> {
                Ok(Text(words.to_owned()))
            }

            fn visit_bytes<E: de::Error>(self, words: &[u8]) -> Result<Text, E> {
                Ok(Text(String::from_utf8_lossy(words).into_owned()))
            }
        }

        // Only as bytes does serde_json let lone surrogates pass.
        deserializer.deserialize_bytes(Words)
    }
}

// === What it means ===

/// The id of an update, whatever else is in it.
pub(super) fn update_id(raw: &[u8]) -> Option<UpdateId> {
    serde_json::from_slice::<Numbered>(raw).ok().map(|update| UpdateId(update.update_id))
}

/// Where an update belongs. `None` if it belongs to no chat or cannot be read at all.
pub(super) fn origin(raw: &[u8]) -> Option<Origin> {
    let update: Update<Place> = serde_json::from_slice(raw).ok()?;
    if let Some(message) = update.message.or(update.edited_message) {
        return Some(message.origin());
    }
    if let Some(query) = update.callback_query {
        return Some(Origin { person: Some(PersonId(query.from.id)), ..query.message?.origin() });
    }
    if let Some(change) = update.my_chat_member {
        return Some(change.chat.origin(None, Some(change.from.id)));
    }
    if let Some(ManagedBot { user, .. }) = update.managed_bot {
        // That is between the bot and its owner: their private chat has the owner's id.
        let (chat, person) = (ChatId(user.id), Some(PersonId(user.id)));
        return Some(Origin { chat, topic: None, person, private: true });
    }
    let stopped = update.stopped_message_generation?;
    let person = stopped.chat.is_private().then_some(stopped.chat.id);
    Some(stopped.chat.origin(stopped.message_thread_id, person))
}

/// Reads an update for `me`, who hears what other bots say or does not. `None` if it cannot be read.
pub(super) fn read(raw: &[u8], me: &BotIdentity, hears_bots: bool) -> Option<Inbound> {
    let update: Update<Message<'_>> = serde_json::from_slice(raw).ok()?;
    let inbound = if let Some(message) = update.message {
        message.read(me, hears_bots)
    } else if let Some(message) = update.edited_message {
        match message.read(me, hears_bots) {
            Inbound::Said(said) => Inbound::Edited(said),
            other @ (Inbound::Edited(_)
            | Inbound::Pressed(_)
            | Inbound::StopRequested { .. }
            | Inbound::Membership { .. }
            | Inbound::Due(_)
            | Inbound::BotMade { .. }
            | Inbound::Nothing) => other,
        }
    } else if let Some(query) = update.callback_query {
        query.read()
    } else if let Some(change) = update.my_chat_member {
        Inbound::Membership { may_write: change.new_chat_member.may_write() }
    } else if let Some(ManagedBot { user, bot }) = update.managed_bot {
        let username = bot.username.unwrap_or_default().0;
        Inbound::BotMade { owner: user.person(), bot: BotId(bot.id), username }
    } else if let Some(stopped) = update.stopped_message_generation {
        Inbound::StopRequested { person: stopped.chat.person() }
    } else {
        Inbound::Nothing
    };
    Some(inbound)
}

impl Chat {
    fn is_private(&self) -> bool {
        self.kind.0 == "private"
    }

    fn origin(&self, topic: Option<i64>, person: Option<i64>) -> Origin {
        Origin {
            chat: ChatId(self.id),
            topic: topic.map(TopicId),
            person: person.map(PersonId),
            private: self.is_private(),
        }
    }

    /// The person whom a private chat is with: chat and person have the same id.
    fn person(self) -> Option<Person> {
        self.is_private().then_some(Person {
            id: PersonId(self.id),
            first_name: self.first_name.0,
            language: None,
        })
    }
}

impl Place {
    fn origin(&self) -> Origin {
        // In plain supergroups the thread id only names the first message of a chain of replies.
        let in_topic = self.is_topic_message || self.chat.is_private();
        let topic = self.message_thread_id.filter(|_| in_topic);
        let person = self.from.as_ref().filter(|_| self.sender_chat.is_none());
        self.chat.origin(topic, person.map(|user| user.id))
    }
}

impl Member {
    fn may_write(&self) -> bool {
        match self.status.0.as_str() {
            "kicked" | "left" => false,
            "restricted" => {
                self.is_member.unwrap_or(true) && self.can_send_messages.unwrap_or(true)
            }
            _ => true,
        }
    }
}

impl User {
    fn person(self) -> Person {
        Person {
            id: PersonId(self.id),
            first_name: self.first_name.0,
            language: self.language_code.map(|tag| tag.0),
        }
    }
}

impl CallbackQuery {
    fn read(self) -> Inbound {
        if self.from.is_bot {
            return Inbound::Nothing;
        }
        Inbound::Pressed(Pressed {
            person: self.from.person(),
            query: self.id,
            data: self.data.unwrap_or_default().0,
            private: self.message.as_ref().is_some_and(|message| message.chat.is_private()),
            message: self.message.and_then(|message| message.message_id).map(MessageId),
        })
    }
}

impl Message<'_> {
    fn read(mut self, me: &BotIdentity, hears_bots: bool) -> Inbound {
        // An anonymous admin or a channel is named by `sender_chat`; its `from` is a stand-in.
        let person = self.from.take().filter(|_| self.sender_chat.is_none());
        let by_bot = person.as_ref().is_some_and(|user| user.is_bot);
        if by_bot && !(hears_bots && self.is_heard_of_bots()) {
            return self.of_bot();
        }
        let (text, entities) = match (self.text.take(), self.caption.take()) {
            (Some(text), _) => (text.0, std::mem::take(&mut self.entities)),
            (None, Some(caption)) => (caption.0, std::mem::take(&mut self.caption_entities)),
            (None, None) => (String::new(), Vec::new()),
        };
        let language = person.as_ref().and_then(|it| it.language_code.as_ref());
        let language = language.map(|tag| tag.0.clone());
        let attachment = self.attachment(language.as_deref());
        if text.is_empty() && attachment.is_none() {
            return Inbound::Nothing;
        }
        let own_words = !by_bot
            && self.forward_origin.is_none()
            && self.edit_date.is_none()
            && self.via_bot.is_none();
        let order = if own_words { Order::read(&text, &entities, me) } else { Order::None };
        let mentions = mentions(&text, &entities, me);
        let called = called(&text, &entities);
        let company = match 1 < called.len() {
            true => Company { by_bot, mark: mark_of(&text), called },
            false => Company { by_bot, ..Company::default() },
        };
        let private = self.chat.is_private();
        let addressed = private
            || match order {
                Order::Ours(_) => true,
                Order::Foreign => false,
                Order::None => !mentions.is_empty() || self.answers(me),
            };
        Inbound::Said(Said {
            person: person.map(User::person),
            message: MessageId(self.message_id),
            private,
            addressed,
            text: without_mention(&text, &mentions).to_owned(),
            command: order.command(),
            replied: self.replied(),
            replied_file: self.replied_file(language),
            forwarded_from: self.forward_origin.map(beside::author),
            beside: self.beside(),
            album: self.media_group_id.take().map(|it| it.0),
            written: millis(self.date),
            company,
            quoted: self.quoted(),
            attachment,
        })
    }

    /// What another bot says to this one is heard in groups, unless it is a command.
    fn is_heard_of_bots(&self) -> bool {
        !self.chat.is_private() && self.text.as_ref().is_some_and(|it| !it.0.starts_with('/'))
    }

    /// Nobody answers a bot. One that tries a command is told apart, so that it can be logged.
    fn of_bot(self) -> Inbound {
        let text = self.text.map(|it| it.0).unwrap_or_default();
        if !text.starts_with('/') {
            return Inbound::Nothing;
        }
        Inbound::Said(Said {
            person: None,
            message: MessageId(self.message_id),
            private: self.chat.is_private(),
            addressed: false,
            text,
            command: None,
            replied: None,
            forwarded_from: None,
            beside: Vec::new(),
            quoted: None,
            attachment: None,
            album: None,
            written: millis(self.date),
            replied_file: None,
            company: Company::default(),
        })
    }

    /// What came with it besides words. What is written about a file takes the language of its sender.
    fn attachment(&self, language: Option<&str>) -> Option<Attachment> {
        let files = [
            (FileKind::Voice, self.voice),
            (FileKind::Audio, self.audio),
            // An animation is also described as a document, for older apps.
            (FileKind::Document, self.document.filter(|_| self.animation.is_none())),
        ];
        let read = |(kind, raw): (FileKind, Option<&RawValue>)| attached::file(kind, raw?);
        let file = files.into_iter().find_map(read);
        let file = file.or_else(|| attached::picture(self.photo?));
        let language = language.map(str::to_owned);
        let file = file.map(|it| Attachment::File(Box::new(FileRef { language, ..it })));
        file.or_else(|| self.has_attachment().then_some(Attachment::Other))
    }

    fn has_attachment(&self) -> bool {
        let with_texts = [
            &self.animation,
            &self.audio,
            &self.checklist,
            &self.contact,
            &self.document,
            &self.game,
            &self.photo,
            &self.poll,
            &self.venue,
            &self.video,
            &self.voice,
        ];
        let without = [
            &self.dice,
            &self.live_photo,
            &self.location,
            &self.paid_media,
            &self.rich_message,
            &self.sticker,
            &self.story,
            &self.video_note,
        ];
        with_texts.iter().any(|it| it.is_some()) || without.iter().any(|it| it.is_some())
    }

    /// Texts that come with the message and that nobody wrote to the bot.
    fn beside(&self) -> Vec<Beside> {
        let kinds = [
            (Channel::FileName, self.document),
            (Channel::FileName, self.audio),
            (Channel::FileName, self.video),
            (Channel::FileName, self.animation),
            (Channel::Contact, self.contact),
            (Channel::Poll, self.poll),
            (Channel::Place, self.venue),
            (Channel::Game, self.game),
            (Channel::Checklist, self.checklist),
            (Channel::Buttons, self.reply_markup),
        ];
        let read = |(channel, raw): (Channel, Option<&RawValue>)| {
            let text = beside::text(channel, raw?);
            (!text.is_empty()).then_some(Beside { channel, text })
        };
        kinds.into_iter().filter_map(read).collect()
    }

    /// True if this message answers one of the bot's.
    fn answers(&self, me: &BotIdentity) -> bool {
        self.reply_to_message.as_ref().is_some_and(|replied| {
            replied.forum_topic_created.is_none()
                && replied.from.as_ref().is_some_and(|user| user.id == me.id.0)
        })
    }

    /// A document or a picture of the message that this one answers.
    fn replied_file(&self, language: Option<String>) -> Option<Box<FileRef>> {
        let it = self.reply_to_message.as_ref().filter(|it| it.forum_topic_created.is_none())?;
        let document = || attached::file(FileKind::Document, it.document?);
        let file = document().or_else(|| attached::picture(it.photo?))?;
        Some(Box::new(FileRef { language, is_replied: true, ..file }))
    }

    /// The message that this one answers, where it is not the one that opened the topic.
    fn replied(&self) -> Option<inbound::Replied> {
        let it = self.reply_to_message.as_ref().filter(|it| it.forum_topic_created.is_none())?;
        Some(inbound::Replied { message: MessageId(it.message_id?), at: millis(it.date) })
    }

    fn quoted(self) -> Option<String> {
        let replied = |message: Replied<'_>| message.text.or(message.caption);
        let quoted = self.quote.map(|q| q.text).or_else(|| self.reply_to_message.and_then(replied));
        quoted
            .map(|text| text.0.chars().take(QUOTED_CHARS_MAX).collect::<String>())
            .filter(|text| !text.is_empty())
    }
}

/// Telegram's seconds since 1970.
fn millis(date: i64) -> Timestamp {
    Timestamp(u64::try_from(date).unwrap_or_default().saturating_mul(1_000))
}

/// Whether a text gives an order, and to whom.
enum Order {
    /// To this bot.
    Ours(Command),
    /// To another bot, by name.
    Foreign,
    /// It is no command.
    None,
}

impl Order {
    fn read(text: &str, entities: &[Entity], me: &BotIdentity) -> Self {
        let Some(token) = command_token(text, entities) else {
            return Self::None;
        };
        let (name, bot) = match token.split_once('@') {
            Some((name, bot)) => (name, Some(bot)),
            None => (token, None),
        };
        let name = name.trim_start_matches('/');
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || COMMAND_CHARS_MAX < name.len() || !name.chars().all(legal) {
            return Self::None;
        }
        if bot.is_some_and(|bot| !bot.eq_ignore_ascii_case(&me.username)) {
            return Self::Foreign;
        }
        let arguments = text.strip_prefix(token).unwrap_or_default();
        Self::Ours(Command {
            name: name.to_ascii_lowercase(),
            arguments: arguments.trim().to_owned(),
        })
    }

    fn command(self) -> Option<Command> {
        match self {
            Self::Ours(command) => Some(command),
            Self::Foreign | Self::None => None,
        }
    }
}

/// The `/name@bot` that a text begins with. Telegram marks commands, so a slash alone counts only
/// where nothing is marked at all.
fn command_token<'a>(text: &'a str, entities: &[Entity]) -> Option<&'a str> {
    let token = if entities.is_empty() {
        text.split_whitespace().next().filter(|_| text.starts_with('/'))
    } else {
        entities
            .iter()
            .find(|entity| entity.offset == 0 && entity.kind.0 == "bot_command")
            .and_then(|entity| slice_utf16(text, entity.offset, entity.length))
            .map(|(_, token)| token)
    };
    token.filter(|token| token.starts_with('/'))
}

/// Byte ranges of the mentions of the bot.
fn mentions(text: &str, entities: &[Entity], me: &BotIdentity) -> Vec<(usize, usize)> {
    let range = |entity: &Entity| {
        let (start, words) = slice_utf16(text, entity.offset, entity.length)?;
        let names_me = match entity.kind.0.as_str() {
            "mention" => {
                words.strip_prefix('@').is_some_and(|name| name.eq_ignore_ascii_case(&me.username))
            }
            "text_mention" => entity.user.as_ref().is_some_and(|user| user.id == me.id.0),
            _ => false,
        };
        names_me.then_some((start, start + words.len()))
    };
    entities.iter().take(ENTITIES_MAX).filter_map(range).collect()
}

/// Who is mentioned by name, in the order of the text, each once.
fn called(text: &str, entities: &[Entity]) -> Vec<String> {
    let mut names = Vec::new();
    for entity in entities.iter().take(ENTITIES_MAX).filter(|it| it.kind.0 == "mention") {
        let words = slice_utf16(text, entity.offset, entity.length);
        let name = words.and_then(|(_, words)| words.strip_prefix('@'));
        let name = name.map(str::to_ascii_lowercase).filter(|it| !names.contains(it));
        names.extend(name);
    }
    names
}

/// By what a text is known again. It need not be secret: it only tells messages of one second apart.
fn mark_of(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The text without a mention at its very beginning and one at its very end.
fn without_mention<'a>(text: &'a str, mentions: &[(usize, usize)]) -> &'a str {
    let outer = |range: &str| range.trim().is_empty();
    let mut start = 0;
    let mut end = text.len();
    for &(from, to) in mentions {
        if text.get(..from).is_some_and(outer) {
            start = to;
        } else if text.get(to..).is_some_and(outer) {
            end = from;
        }
    }
    let rest = text.get(start..end).unwrap_or_default().trim();
    if 0 < start { rest.trim_start_matches([',', ':']).trim_start() } else { rest }
}

/// The part of a text that lies `offset` UTF-16 units in and is `length` long, with the byte it
/// begins at. `None` if that range is not in the text or cuts a character.
fn slice_utf16(text: &str, offset: usize, length: usize) -> Option<(usize, &str)> {
    let start = byte_at_utf16(text, offset)?;
    let rest = text.get(start..)?;
    let words = rest.get(..byte_at_utf16(rest, length)?)?;
    Some((start, words))
}

fn byte_at_utf16(text: &str, units: usize) -> Option<usize> {
    let mut seen = 0;
    for (byte, c) in text.char_indices() {
        if units <= seen {
            return (units == seen).then_some(byte);
        }
        seen += c.len_utf16();
    }
    (units == seen).then_some(text.len())
}

#[cfg(test)]
mod tests;
