//! One bot, seen through the port [`Messenger`].
//!
//! Receives  calls of the port, which it carries out at once: pacing is the outbox's matter.
//! Sends     Bot API 10.3 calls over [`Client`].
//! Owns      the bot's identity, asked once when it connects, and a count of unreadable updates.
//! On crash  nothing is lost: Telegram keeps what was not confirmed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use frankenstein::{
    AsyncTelegramApi,
    methods::{
        AnswerCallbackQueryParams, DeleteWebhookParams, GetUpdatesParams, SetMyCommandsParams,
        SetWebhookParams,
    },
    types::{AllowedUpdate, BotCommand, BotCommandScope, BotCommandScopeChat},
};
use protocol::{
    BotId, Language, MessageId, Token, TopicId, UpdateId,
    event::{Button, Part},
    inbound::{Inbound, Origin},
    messenger::{
        Address, BotIdentity, Document, DownloadError, MenuEntry, MenuScope, Messenger,
        MessengerError, RawUpdate, Whisper,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tracing::warn;

use self::known::Known;
use super::{
    client::{Client, ClientError, Endpoint, Observer},
    reading,
    webhook::{WeakSecret, WebhookBot},
};

/// The kinds we use. Asked for by name in every call, because Telegram remembers the last list and
/// newer servers have kinds that nobody here knows.
const KINDS: [AllowedUpdate; 6] = [
    AllowedUpdate::Message,
    AllowedUpdate::EditedMessage,
    AllowedUpdate::CallbackQuery,
    AllowedUpdate::MyChatMember,
    AllowedUpdate::StoppedMessageGeneration,
    AllowedUpdate::ManagedBot,
];
/// Telegram's limits.
const UPDATES_MAX: u32 = 100;
const POLL_WAIT_MAX: Duration = Duration::from_secs(50);
const DRAFT_UTF16_MAX: usize = 4_096;
const CAPTION_UTF16_MAX: usize = 1_024;
const PRESS_ANSWER_CHARS_MAX: usize = 200;
const DESCRIPTION_UTF16_MAX: usize = 512;
const SHORT_UTF16_MAX: usize = 120;
const MENU_DESCRIPTION_CHARS_MAX: usize = 256;
/// Every forum's first topic. Sends must leave it out, chat actions must name it.
const GENERAL_TOPIC: TopicId = TopicId(1);

async fn identify(client: &Client) -> Result<BotIdentity, ConnectError> {
    let user = client.get_me().await?.result;
    // lost-ok: an id beyond i64 is not the Bot API's.
    let id = i64::try_from(user.id).ok().ok_or(ConnectError::NotTheBotApi { status: 200 })?;
    let username = user.username.ok_or(ConnectError::NotTheBotApi { status: 200 })?;
    let manages_bots = user.can_manage_bots.unwrap_or_default();
    let has_topics = user.has_topics_enabled.unwrap_or_default();
    Ok(BotIdentity { id: BotId(id), username, manages_bots, has_topics })
}

/// How to reach one bot.
#[derive(Clone)]
pub struct TelegramConfig {
    /// Where its Bot API is, and its token.
    pub endpoint: Endpoint,
    /// Where Telegram shall bring updates; `None`: they are polled.
    pub webhook: Option<WebhookTarget>,
    /// Hears of every call.
    pub observer: Option<Arc<dyn Observer>>,
    /// What other bots say to this one in groups is heard.
    pub hears_bots: bool,
}

impl std::fmt::Debug for TelegramConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TelegramConfig")
            .field("endpoint", &self.endpoint)
            .field("webhook", &self.webhook)
            .finish_non_exhaustive()
    }
}

/// Where Telegram brings updates.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// The address under which [`super::webhook::routes`] are reached from outside, without the
    /// bot's own path. Begins with `https://`.
    pub public_url: String,
    /// What proves that a request comes from Telegram. See [`WebhookBot::new`].
    pub secret: SecretString,
}

/// Why a bot could not be connected. Never says what the token, the secret or the address was.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The settings cannot be right.
    #[error(transparent)]
    Settings(ClientError),
    /// The webhook's secret is too easy to guess.
    #[error(transparent)]
    Secret(WeakSecret),
    /// Telegram does not know the token.
    #[error("Telegram refuses the bot's token: take a new one from @BotFather")]
    TokenRefused,
    /// Nobody answers there.
    #[error("the Bot API cannot be reached: check the network and the address")]
    Unreachable(#[source] MessengerError),
    /// Somebody answers, but not the Bot API.
    #[error("the address does not answer like the Bot API (status {status}): check it")]
    NotTheBotApi {
        /// HTTP status.
        status: u16,
    },
    /// It asked to wait.
    #[error("the Bot API asks to wait {} s", retry_after.as_secs())]
    Flooded {
        /// How long.
        retry_after: Duration,
    },
    /// It said no.
    #[error("the Bot API refused to connect the bot")]
    Refused(#[source] MessengerError),
}

impl ConnectError {
    /// True if trying again later may help without any change of the settings.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Flooded { .. } => true,
            Self::NotTheBotApi { status } => *status >= 500,
            Self::Settings(_) | Self::Secret(_) | Self::TokenRefused | Self::Refused(_) => false,
        }
    }
}

impl From<MessengerError> for ConnectError {
    fn from(error: MessengerError) -> Self {
        match error {
            MessengerError::Unauthorized => Self::TokenRefused,
            MessengerError::Unreachable(_) => Self::Unreachable(error),
            MessengerError::Broken { status } => Self::NotTheBotApi { status },
            MessengerError::Flooded { retry_after } => Self::Flooded { retry_after },
            MessengerError::Forbidden
            | MessengerError::Migrated { .. }
            | MessengerError::Rejected { .. }
            | MessengerError::Conflict => Self::Refused(error),
        }
    }
}

/// A connected bot.
#[derive(Debug)]
pub struct TelegramBot {
    client: Client,
    /// For messages, which may be sent on another runtime: a connection belongs to the one that
    /// opened it.
    egress: Client,
    identity: BotIdentity,
    hears_bots: bool,
    updates_skipped: AtomicU64,
    whispers: Known,
    rich: Known,
}

impl TelegramBot {
    /// Asks who the bot is and tells Telegram how updates shall come. Updates that wait are kept.
    ///
    /// Tries once: when to try again is the caller's matter, see [`ConnectError::is_passing`].
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(config: &TelegramConfig) -> Result<Self, ConnectError> {
        let line = || {
            let client = Client::new(&config.endpoint).map_err(ConnectError::Settings)?;
            Ok::<_, ConnectError>(client.observed(config.observer.clone()))
        };
        let client = line()?;
        let identity = identify(&client).await?;
        match &config.webhook {
            None => {
                let keep = DeleteWebhookParams::builder().drop_pending_updates(false).build();
                client.delete_webhook(&keep).await?;
            }
            Some(target) => set_webhook(&client, identity.id, target).await?,
        }
        let egress = line()?;
        let (whispers, rich) = (Known::default(), Known::default());
        let (hears_bots, updates_skipped) = (config.hears_bots, AtomicU64::new(0));
        Ok(Self { client, egress, identity, hears_bots, updates_skipped, whispers, rich })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Asks who the bot is, and changes nothing: for `doctor`.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn look(endpoint: &Endpoint) -> Result<BotIdentity, ConnectError> {
        identify(&Client::new(endpoint).map_err(ConnectError::Settings)?).await
    }

    /// Says what the bot is, for those who have not pressed "Start" yet: to people of one language, or to
    /// all others. Where somebody has said so already it stays as it is.
    ///
    /// # Errors
    /// See [`MessengerError`]. What is not said then can be said later.
    pub async fn introduce(
        &self,
        language: Option<Language>,
        at_length: &str,
        in_short: &str,
    ) -> Result<(), MessengerError> {
        let language_code = language.map(|it| it.code().to_owned());
        let nothing = Described { language_code, ..Described::default() };
        let known: Described = self.client.call("getMyDescription", &nothing).await?;
        if known.description.unwrap_or_default().is_empty() {
            let description = Some(cut_utf16(at_length, DESCRIPTION_UTF16_MAX).to_owned());
            let said = Described { description, ..nothing.clone() };
            self.client.call::<_, bool>("setMyDescription", &said).await?;
        }
        let known: Described = self.client.call("getMyShortDescription", &nothing).await?;
        if known.short_description.unwrap_or_default().is_empty() {
            let short_description = Some(cut_utf16(in_short, SHORT_UTF16_MAX).to_owned());
            let said = Described { short_description, ..nothing.clone() };
            self.client.call::<_, bool>("setMyShortDescription", &said).await?;
        }
        Ok(())
    }

    /// How many polled elements had no readable `update_id` and were left out.
    #[must_use]
    pub fn updates_skipped(&self) -> u64 {
        self.updates_skipped.load(Ordering::Relaxed)
    }

    /// Takes a batch apart without looking into its updates.
    fn unpack(&self, body: &[u8]) -> Result<Vec<RawUpdate>, MessengerError> {
        let text = String::from_utf8_lossy(body);
        let Ok(batch) = serde_json::from_str::<Batch<'_>>(&text) else {
            return Err(self.client.failure(200, body));
        };
        let raw_update = |raw: &&RawValue| {
            let raw = raw.get().as_bytes();
            reading::update_id(raw)
                .map(|update| RawUpdate { update, raw: Bytes::copy_from_slice(raw) })
        };
        let updates: Vec<_> = batch.result.iter().filter_map(raw_update).collect();
        let skipped = batch.result.len() - updates.len();
        if 0 < skipped {
            let count = u64::try_from(skipped).unwrap_or(u64::MAX);
            self.updates_skipped.fetch_add(count, Ordering::Relaxed);
            warn!(bot = %self.identity.id, skipped, "updates without a readable id were left out");
            if updates.is_empty() {
                // Asking again would bring the same at once: the caller has to slow down.
                return Err(MessengerError::Broken { status: 200 });
            }
        }
        Ok(updates)
    }

    async fn edit_message(&self, edit: &EditMessage<'_>) -> Result<(), MessengerError> {
        self.egress.call::<_, Sent>("editMessageText", edit).await.map(drop)
    }

    async fn send_message(&self, message: &SendMessage<'_>) -> Result<MessageId, MessengerError> {
        let sent: Sent = self.egress.call("sendMessage", message).await?;
        Ok(MessageId(sent.message_id))
    }
}

async fn set_webhook(
    client: &Client,
    bot: BotId,
    target: &WebhookTarget,
) -> Result<(), ConnectError> {
    let bot = WebhookBot::new(bot, &target.secret).map_err(ConnectError::Secret)?;
    let params = SetWebhookParams::builder()
        .url(format!("{}{}", target.public_url.trim_end_matches('/'), bot.path()))
        .allowed_updates(KINDS.to_vec())
        .drop_pending_updates(false)
        .secret_token(target.secret.expose_secret())
        .build();
    client.set_webhook(&params).await?;
    Ok(())
}

#[async_trait]
impl Messenger for TelegramBot {
    fn identity(&self) -> &BotIdentity {
        &self.identity
    }

    /// Waits at most 50 s, Telegram's own limit. Cancel-safe: what was not returned comes again.
    async fn poll(
        &self,
        offset: Option<UpdateId>,
        wait: Duration,
    ) -> Result<Vec<RawUpdate>, MessengerError> {
        let wait = wait.min(POLL_WAIT_MAX);
        let params = GetUpdatesParams {
            offset: offset.map(|update| update.0),
            limit: Some(UPDATES_MAX),
            timeout: u32::try_from(wait.as_secs()).ok(),
            allowed_updates: Some(KINDS.to_vec()),
        };
        let body = self.client.long_poll("getUpdates", &params, wait).await?;
        self.unpack(&body)
    }

    fn origin(&self, raw: &[u8]) -> Option<Origin> {
        reading::origin(raw)
    }

    fn read(&self, raw: &[u8]) -> Option<Inbound> {
        reading::read(raw, &self.identity, self.hears_bots)
    }

    async fn send(
        &self,
        to: Address,
        part: &Part,
        reply_to: Option<MessageId>,
    ) -> Result<MessageId, MessengerError> {
        if let Some(sent) = rich::send(self, to, part, reply_to).await? {
            return Ok(sent);
        }
        let plain = SendMessage::new(to, part, reply_to);
        let Some(html) = &part.html else {
            return self.send_message(&plain).await;
        };
        let marked_up = SendMessage { text: html, parse_mode: Some("HTML"), ..plain };
        match self.send_message(&marked_up).await {
            Err(MessengerError::Rejected { description }) if blames_markup(&description) => {
                warn!(bot = %self.identity.id, %description, "markup refused, sending plain text");
                self.send_message(&SendMessage::new(to, part, reply_to)).await
            }
            outcome => outcome,
        }
    }

    async fn whisper(
        &self,
        to: Address,
        only: &Whisper,
        part: &Part,
        reply_to: Option<MessageId>,
    ) -> Result<(), MessengerError> {
        whisper::send(self, (to, only), part, reply_to).await
    }

    async fn edit(
        &self,
        to: Address,
        message: MessageId,
        part: &Part,
    ) -> Result<(), MessengerError> {
        if let Some(()) = rich::edit(self, to, message, part).await? {
            return Ok(());
        }
        let as_plain = EditMessage::new(to, message, &part.plain, part);
        let edited = match &part.html {
            None => self.edit_message(&as_plain).await,
            Some(html) => {
                let marked_up = EditMessage::new(to, message, html, part);
                let marked_up = EditMessage { parse_mode: Some("HTML"), ..marked_up };
                match self.edit_message(&marked_up).await {
                    Err(MessengerError::Rejected { description })
                        if blames_markup(&description) =>
                    {
                        warn!(bot = %self.identity.id, %description, "markup refused, editing as plain text");
                        self.edit_message(&as_plain).await
                    }
                    outcome => outcome,
                }
            }
        };
        match edited {
            Err(MessengerError::Rejected { description }) if is_unchanged(&description) => Ok(()),
            edited => edited,
        }
    }

    async fn pin(
        &self,
        to: Address,
        message: MessageId,
        replaces: &str,
    ) -> Result<(), MessengerError> {
        let chat_id = to.chat.0;
        let chat: ChatNow = self.client.call("getChat", &OfChat { chat_id }).await?;
        let is_earlier = |it: &Pinned| it.is_by(self.identity.id) && it.has_button(replaces);
        let earlier = chat.pinned_message.filter(|it| is_earlier(it)).map(|it| it.message_id);
        if let Some(message_id) = earlier.filter(|it| *it != message.0) {
            let pinned = PinnedMessage { chat_id, message_id, disable_notification: None };
            self.client.call::<_, bool>("unpinChatMessage", &pinned).await?;
        }
        let message_id = message.0;
        let pinned = PinnedMessage { chat_id, message_id, disable_notification: Some(true) };
        self.client.call::<_, bool>("pinChatMessage", &pinned).await.map(drop)
    }

    async fn send_document(
        &self,
        to: Address,
        document: &Document,
    ) -> Result<MessageId, MessengerError> {
        let mut fields = vec![
            ("chat_id", to.chat.0.to_string()),
            ("caption", cut_utf16(&document.caption, CAPTION_UTF16_MAX).to_owned()),
        ];
        fields.extend(sendable_topic(to).map(|topic| ("message_thread_id", topic.to_string())));
        let file = ("document", document.name.clone(), document.bytes.clone());
        let sent: Sent = self.egress.upload("sendDocument", fields, file).await?;
        Ok(MessageId(sent.message_id))
    }

    async fn send_voice(&self, to: Address, sound: &Bytes) -> Result<MessageId, MessengerError> {
        let mut fields = vec![("chat_id", to.chat.0.to_string())];
        fields.extend(sendable_topic(to).map(|topic| ("message_thread_id", topic.to_string())));
        let file = ("voice", "answer.ogg".to_owned(), sound.clone());
        let sent: Sent = self.egress.upload("sendVoice", fields, file).await?;
        Ok(MessageId(sent.message_id))
    }

    async fn download(&self, file: &str, bytes_max: usize) -> Result<Bytes, DownloadError> {
        let found = self.client.call("getFile", &OfFile { file_id: file }).await;
        let is_too_big = |error: &MessengerError| matches!(error, MessengerError::Rejected { description } if description.contains("too big"));
        let found: FileNow = found.map_err(|error| match is_too_big(&error) {
            true => DownloadError::TooLarge,
            false => DownloadError::Failed(error),
        })?;
        let told = found.file_size.unwrap_or_default();
        if usize::try_from(told).map_or(true, |it| bytes_max < it) {
            return Err(DownloadError::TooLarge);
        }
        let description = "the file has no path".to_owned();
        let missing = DownloadError::Failed(MessengerError::Rejected { description });
        self.client.download(&found.file_path.ok_or(missing)?, bytes_max).await
    }

    /// Shows at most 4,096 UTF-16 units of the text; an empty one shows as "Thinking…".
    async fn preview(&self, to: Address, draft: i64, part: &Part) -> Result<(), MessengerError> {
        // Zero is not a draft for Telegram.
        let draft_id = if draft == 0 { 1 } else { draft };
        if let Some(()) = rich::preview(self, to, draft_id, part).await? {
            return Ok(());
        }
        let draft = SendDraft {
            chat_id: to.chat.0,
            message_thread_id: sendable_topic(to),
            draft_id,
            text: cut_utf16(&part.plain, DRAFT_UTF16_MAX),
            can_stop: true,
        };
        self.client.call::<_, bool>("sendMessageDraft", &draft).await.map(drop)
    }

    async fn typing(&self, to: Address) -> Result<(), MessengerError> {
        let action = SendAction {
            chat_id: to.chat.0,
            message_thread_id: to.topic.map(|topic| topic.0),
            action: "typing",
        };
        self.client.call::<_, bool>("sendChatAction", &action).await.map(drop)
    }

    async fn react(
        &self,
        to: Address,
        message: MessageId,
        sign: Option<&str>,
    ) -> Result<(), MessengerError> {
        let reaction = React {
            chat_id: to.chat.0,
            message_id: message.0,
            reaction: sign.into_iter().map(|emoji| Emoji { kind: "emoji", emoji }).collect(),
        };
        self.client.call::<_, bool>("setMessageReaction", &reaction).await.map(drop)
    }

    async fn answer_press(&self, query: &str, text: Option<&str>) -> Result<(), MessengerError> {
        let params = AnswerCallbackQueryParams::builder()
            .callback_query_id(query)
            .maybe_text(text.map(|text| cut_chars(text, PRESS_ANSWER_CHARS_MAX)))
            .build();
        self.client.answer_callback_query(&params).await.map(drop)
    }

    async fn managed_token(&self, bot: BotId) -> Result<Token, MessengerError> {
        let of = OfManaged { user_id: bot.0 };
        self.client.call::<_, String>("getManagedBotToken", &of).await.map(Token::new)
    }

    async fn renew_managed_token(&self, bot: BotId) -> Result<Token, MessengerError> {
        let of = OfManaged { user_id: bot.0 };
        self.client.call::<_, String>("replaceManagedBotToken", &of).await.map(Token::new)
    }

    async fn set_menu(
        &self,
        scope: MenuScope,
        language: Option<Language>,
        menu: &[MenuEntry],
    ) -> Result<(), MessengerError> {
        let scope = match scope {
            MenuScope::Private => BotCommandScope::AllPrivateChats,
            MenuScope::Groups => BotCommandScope::AllGroupChats,
            MenuScope::Chat(chat) => {
                BotCommandScope::Chat(BotCommandScopeChat { chat_id: chat.0.into() })
            }
        };
        let is_private = menu.iter().any(|it| it.is_private);
        let whispers = is_private && whisper::knows(self).await;
        let command = |entry: &MenuEntry| {
            BotCommand::builder()
                .maybe_is_ephemeral((entry.is_private && whispers).then_some(true))
                .command(entry.command)
                .description(cut_chars(&entry.description, MENU_DESCRIPTION_CHARS_MAX))
                .build()
        };
        let commands = menu.iter().map(command).collect();
        let params = SetMyCommandsParams::builder()
            .commands(commands)
            .scope(scope)
            .maybe_language_code(language.map(Language::code))
            .build();
        self.client.set_my_commands(&params).await.map(drop)
    }
}

// === What is sent most. Own types: frankenstein's copy the text and hold some ids in 32 bits. ===

#[derive(Serialize)]
struct SendMessage<'a> {
    chat_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ephemeral_message_parameters: Option<whisper::Only<'a>>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parse_mode: Option<&'static str>,
    link_preview_options: LinkPreview,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_parameters: Option<Reply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<Keyboard<'a>>,
}

#[derive(Serialize)]
struct EditMessage<'a> {
    chat_id: i64,
    message_id: i64,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parse_mode: Option<&'static str>,
    link_preview_options: LinkPreview,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<Keyboard<'a>>,
}

/// What a bot says of itself.
#[derive(Clone, Default, Deserialize, Serialize)]
struct Described {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    short_description: Option<String>,
}

#[derive(Serialize)]
struct OfManaged {
    user_id: i64,
}

#[derive(Serialize)]
struct OfChat {
    chat_id: i64,
}

#[derive(Serialize)]
struct PinnedMessage {
    chat_id: i64,
    message_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_notification: Option<bool>,
}

#[derive(Serialize)]
struct OfFile<'a> {
    file_id: &'a str,
}

/// What `getFile` says, as far as we look.
#[derive(Deserialize)]
struct FileNow {
    file_size: Option<u64>,
    file_path: Option<String>,
}

/// What `getChat` says, as far as we look.
#[derive(Deserialize)]
struct ChatNow {
    pinned_message: Option<Pinned>,
}

#[derive(Deserialize)]
struct Pinned {
    message_id: i64,
    from: Option<Author>,
    reply_markup: Option<Shown>,
}

#[derive(Deserialize)]
struct Author {
    id: i64,
}

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    inline_keyboard: Vec<Vec<ShownKey>>,
}

#[derive(Deserialize)]
struct ShownKey {
    callback_data: Option<String>,
}

impl Pinned {
    fn is_by(&self, bot: BotId) -> bool {
        self.from.as_ref().is_some_and(|it| it.id == bot.0)
    }

    fn has_button(&self, begins_with: &str) -> bool {
        let keys = self.reply_markup.iter().flat_map(|it| it.inline_keyboard.iter().flatten());
        let mut data = keys.filter_map(|it| it.callback_data.as_deref());
        data.any(|it| it.starts_with(begins_with))
    }
}

/// A preview would fetch whatever address a model was talked into writing.
#[derive(Serialize)]
struct LinkPreview {
    is_disabled: bool,
}

#[derive(Serialize)]
struct Reply {
    message_id: i64,
    allow_sending_without_reply: bool,
}

#[derive(Serialize)]
struct Keyboard<'a> {
    inline_keyboard: Vec<Vec<Key<'a>>>,
}

#[derive(Serialize)]
struct Key<'a> {
    text: &'a str,
    callback_data: &'a str,
}

#[derive(Serialize)]
struct SendDraft<'a> {
    chat_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i64>,
    draft_id: i64,
    text: &'a str,
    can_stop: bool,
}

#[derive(Serialize)]
struct React<'a> {
    chat_id: i64,
    message_id: i64,
    reaction: Vec<Emoji<'a>>,
}

#[derive(Serialize)]
struct Emoji<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    emoji: &'a str,
}

#[derive(Serialize)]
struct SendAction {
    chat_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i64>,
    action: &'static str,
}

/// A sent message, as far as we look.
#[derive(Deserialize)]
struct Sent {
    message_id: i64,
}

/// An answer to `getUpdates`, not looked into.
#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    result: Vec<&'a RawValue>,
}

impl<'a> SendMessage<'a> {
    /// The part without its markup.
    fn new(to: Address, part: &'a Part, reply_to: Option<MessageId>) -> Self {
        Self {
            chat_id: to.chat.0,
            message_thread_id: sendable_topic(to),
            ephemeral_message_parameters: None,
            text: &part.plain,
            parse_mode: None,
            link_preview_options: LinkPreview { is_disabled: true },
            reply_parameters: reply_to.map(Reply::to),
            reply_markup: Keyboard::new(&part.buttons),
        }
    }
}

impl Reply {
    fn to(message: MessageId) -> Self {
        Self { message_id: message.0, allow_sending_without_reply: true }
    }
}

impl<'a> EditMessage<'a> {
    fn new(to: Address, message: MessageId, text: &'a str, part: &'a Part) -> Self {
        Self {
            chat_id: to.chat.0,
            message_id: message.0,
            text,
            parse_mode: None,
            link_preview_options: LinkPreview { is_disabled: true },
            reply_markup: Keyboard::new(&part.buttons),
        }
    }
}

impl<'a> Keyboard<'a> {
    fn new(rows: &'a [Vec<Button>]) -> Option<Self> {
        let key = |button: &'a Button| Key { text: &button.label, callback_data: &button.data };
        let row = |row: &'a Vec<Button>| row.iter().map(key).collect();
        (!rows.is_empty()).then(|| Self { inline_keyboard: rows.iter().map(row).collect() })
    }
}

fn sendable_topic(to: Address) -> Option<i64> {
    to.topic.filter(|topic| *topic != GENERAL_TOPIC).map(|topic| topic.0)
}

/// True if an edit was refused because the message says that already.
fn is_unchanged(description: &str) -> bool {
    description.contains("message is not modified")
}

/// True if a refusal is about the HTML, so that the same in plain text may be accepted.
fn blames_markup(description: &str) -> bool {
    let description = description.to_ascii_lowercase().replace('_', " ");
    ["entit", "tag", "too long", "text is empty", "text must be non-empty"]
        .iter()
        .any(|sign| description.contains(sign))
}

fn cut_chars(text: &str, chars_max: usize) -> &str {
    text.char_indices().nth(chars_max).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

fn cut_utf16(text: &str, units_max: usize) -> &str {
    let mut units = 0;
    for (byte, c) in text.char_indices() {
        units += c.len_utf16();
        if units_max < units {
            return text.get(..byte).unwrap_or_default();
        }
    }
    text
}

mod known;
mod rich;
mod whisper;

#[cfg(test)]
mod tests;
