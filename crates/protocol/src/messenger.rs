//! The port to the chat service: reading updates and writing messages.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    BotId, ChatId, Language, MessageId, PersonId, Token, TopicId, UpdateId,
    event::Part,
    inbound::{Inbound, Origin},
};

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The chat.
    pub chat: ChatId,
    /// The topic, in a forum.
    pub topic: Option<TopicId>,
}

/// Who alone sees a message in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whisper {
    /// Who.
    pub person: PersonId,
    /// The press that it answers, if it was one.
    pub press: Option<String>,
}

/// An update as received: its id and its bytes, not yet understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawUpdate {
    /// Its id.
    pub update: UpdateId,
    /// Its JSON, exactly as received.
    pub raw: Bytes,
}

/// A file to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub bytes: Bytes,
    /// What is said about it.
    pub caption: String,
}

/// A command as the menu shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuEntry {
    /// Without the slash.
    pub command: &'static str,
    /// What it does, in a few words.
    pub description: String,
    /// In a group, neither the command nor its answer is for others: where the service can, nobody else sees it.
    pub is_private: bool,
}

/// Who sees a command menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MenuScope {
    /// Everybody in private chats.
    Private,
    /// Everybody in groups.
    Groups,
    /// One chat (an admin's).
    Chat(ChatId),
}

/// Who the bot is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotIdentity {
    /// Its id.
    pub id: BotId,
    /// Its name after the `@`.
    pub username: String,
    /// It may have bots made that it manages.
    pub manages_bots: bool,
    /// Its private chats may have topics.
    pub has_topics: bool,
}

/// Why something was not sent or fetched. No variant ever carries a token or a URL.
#[derive(Debug, thiserror::Error)]
pub enum MessengerError {
    /// Too fast: wait.
    #[error("the chat service asks to wait {} s", retry_after.as_secs())]
    Flooded {
        /// How long.
        retry_after: Duration,
    },
    /// The person blocked the bot, or it was removed: stop sending there.
    #[error("the bot may not write there")]
    Forbidden,
    /// The group has become a supergroup with another id.
    #[error("the group became a supergroup")]
    Migrated {
        /// The new id.
        to: ChatId,
    },
    /// The request is not acceptable as it is (bad entities, too long, chat not found…).
    #[error("the chat service refused the request: {description}")]
    Rejected {
        /// The service's words. They never quote the text sent.
        description: String,
    },
    /// Someone else polls with the same token, or a webhook is set.
    #[error("another program receives this bot's updates")]
    Conflict,
    /// The token is not valid.
    #[error("the bot's token is refused")]
    Unauthorized,
    /// The connection failed before an answer came: the request may or may not have been carried out.
    #[error("the chat service cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer cannot be read, or the service has an error of its own.
    #[error("the chat service answered with status {status}")]
    Broken {
        /// HTTP status.
        status: u16,
    },
}

/// Why a file was not fetched. No variant ever carries a token or a URL.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// It is larger than asked for, or than the service gives.
    #[error("the file is too large")]
    TooLarge,
    /// The service did not give it.
    #[error("the file cannot be fetched")]
    Failed(#[source] MessengerError),
}

/// One bot of the chat service. All methods send at once: pacing is the outbox's matter.
#[async_trait]
pub trait Messenger: Send + Sync + 'static {
    /// Who we are. Known since the connection was made.
    fn identity(&self) -> &BotIdentity;

    /// Waits up to `wait` for updates from `offset` on (`None`: from the oldest that was not
    /// confirmed). Asking with a higher offset confirms all before it.
    async fn poll(
        &self,
        offset: Option<UpdateId>,
        wait: Duration,
    ) -> Result<Vec<RawUpdate>, MessengerError>;

    /// Where an update belongs, by a quick look at its bytes. `None` if it belongs to no chat or
    /// cannot be read at all.
    fn origin(&self, raw: &[u8]) -> Option<Origin>;

    /// Reads an update. `None` if it cannot be read.
    fn read(&self, raw: &[u8]) -> Option<Inbound>;

    /// Sends one part. Tries the rich form first where it has one and the service may know such messages, then
    /// HTML, and plain text if the service refuses the markup.
    async fn send(
        &self,
        to: Address,
        part: &Part,
        reply_to: Option<MessageId>,
    ) -> Result<MessageId, MessengerError>;

    /// Sends one part into a group so that one person alone sees it. Where the service cannot be trusted to do
    /// that it is rejected, and nobody sees anything.
    async fn whisper(
        &self,
        to: Address,
        only: &Whisper,
        part: &Part,
        reply_to: Option<MessageId>,
    ) -> Result<(), MessengerError>;

    /// Puts a part in the place of a message that this bot sent. To put there what is there already
    /// is no error.
    async fn edit(
        &self,
        to: Address,
        message: MessageId,
        part: &Part,
    ) -> Result<(), MessengerError>;

    /// Pins a message of this bot without telling anybody, in place of an earlier one of this bot
    /// that has a button whose data begins with `replaces`.
    async fn pin(
        &self,
        to: Address,
        message: MessageId,
        replaces: &str,
    ) -> Result<(), MessengerError>;

    /// Sends a file.
    async fn send_document(
        &self,
        to: Address,
        document: &Document,
    ) -> Result<MessageId, MessengerError>;

    /// Sends a voice message: OGG with OPUS.
    async fn send_voice(&self, to: Address, sound: &Bytes) -> Result<MessageId, MessengerError>;

    /// Fetches a file that came with a message, of at most so many bytes.
    async fn download(&self, file: &str, bytes_max: usize) -> Result<Bytes, DownloadError>;

    /// Shows what is being written, in place of what the same `draft` showed before; a part without text says
    /// that somebody thinks. Private chats only.
    async fn preview(&self, to: Address, draft: i64, part: &Part) -> Result<(), MessengerError>;

    /// Shows for about five seconds that the bot is typing.
    async fn typing(&self, to: Address) -> Result<(), MessengerError>;

    /// Puts a sign on a message of somebody's, in place of the one that is there; `None` takes it off.
    async fn react(
        &self,
        to: Address,
        message: MessageId,
        sign: Option<&str>,
    ) -> Result<(), MessengerError>;

    /// Answers a pressed button, with a short text or nothing.
    async fn answer_press(&self, query: &str, text: Option<&str>) -> Result<(), MessengerError>;

    /// The token of a bot that this one manages.
    async fn managed_token(&self, bot: BotId) -> Result<Token, MessengerError>;

    /// Gives such a bot another token: the one before is worth nothing then.
    async fn renew_managed_token(&self, bot: BotId) -> Result<Token, MessengerError>;

    /// Replaces a command menu, for people whose app speaks a language, or for all others.
    async fn set_menu(
        &self,
        scope: MenuScope,
        language: Option<Language>,
        menu: &[MenuEntry],
    ) -> Result<(), MessengerError>;
}

/// Turns a model's Markdown into messages within the service's limits. Pure.
pub type Typeset = fn(&str) -> Vec<Part>;
