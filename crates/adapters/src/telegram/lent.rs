//! A bot whose token somebody else holds: it can get another one, or be taken away, while it is in use.
//!
//! Once it is taken away nothing is asked of Telegram any more: there is nothing to read, and nobody can be written
//! to, as where a person has blocked a bot.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use protocol::{
    BotId, Language, MessageId, Token, UpdateId,
    event::Part,
    inbound::{Inbound, Origin},
    messenger::{
        Address, BotIdentity, Document, DownloadError, MenuEntry, MenuScope, Messenger,
        MessengerError, RawUpdate, Whisper,
    },
};

use super::{TelegramBot, reading};

/// How long a poll of a bot that was taken away takes at least: nobody shall ask again at once.
const IDLE_TIME_MIN: Duration = Duration::from_secs(1);

/// See the file head.
#[derive(Debug)]
pub struct LentBot {
    identity: BotIdentity,
    now: RwLock<Option<Arc<TelegramBot>>>,
}

impl LentBot {
    /// A bot that is connected.
    #[must_use]
    pub fn new(bot: Arc<TelegramBot>) -> Self {
        Self { identity: bot.identity().clone(), now: RwLock::new(Some(bot)) }
    }

    /// It has another token.
    pub fn renew(&self, bot: Arc<TelegramBot>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Some(bot);
    }

    /// It is used no more.
    pub fn take_away(&self) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn here(&self) -> Option<Arc<TelegramBot>> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn bot(&self) -> Result<Arc<TelegramBot>, MessengerError> {
        self.here().ok_or(MessengerError::Forbidden)
    }
}

#[async_trait]
impl Messenger for LentBot {
    fn identity(&self) -> &BotIdentity {
        &self.identity
    }

    async fn poll(
        &self,
        offset: Option<UpdateId>,
        wait: Duration,
    ) -> Result<Vec<RawUpdate>, MessengerError> {
        let polled = match self.here() {
            Some(bot) => bot.poll(offset, wait).await,
            None => {
                tokio::time::sleep(wait.max(IDLE_TIME_MIN)).await;
                Ok(Vec::new())
            }
        };
        // What came while it was taken away stays with Telegram.
        if self.here().is_some() { polled } else { Ok(Vec::new()) }
    }

    fn origin(&self, raw: &[u8]) -> Option<Origin> {
        reading::origin(raw)
    }

    fn read(&self, raw: &[u8]) -> Option<Inbound> {
        match self.here() {
            Some(bot) => bot.read(raw),
            None => reading::read(raw, &self.identity, false),
        }
    }

    async fn send(
        &self,
        to: Address,
        part: &Part,
        reply_to: Option<MessageId>,
    ) -> Result<MessageId, MessengerError> {
        self.bot()?.send(to, part, reply_to).await
    }

    async fn whisper(
        &self,
        to: Address,
        only: &Whisper,
        part: &Part,
        reply_to: Option<MessageId>,
    ) -> Result<(), MessengerError> {
        self.bot()?.whisper(to, only, part, reply_to).await
    }

    async fn edit(
        &self,
        to: Address,
        message: MessageId,
        part: &Part,
    ) -> Result<(), MessengerError> {
        self.bot()?.edit(to, message, part).await
    }

    async fn pin(
        &self,
        to: Address,
        message: MessageId,
        replaces: &str,
    ) -> Result<(), MessengerError> {
        self.bot()?.pin(to, message, replaces).await
    }

    async fn send_document(
        &self,
        to: Address,
        document: &Document,
    ) -> Result<MessageId, MessengerError> {
        self.bot()?.send_document(to, document).await
    }

    async fn send_voice(&self, to: Address, sound: &Bytes) -> Result<MessageId, MessengerError> {
        self.bot()?.send_voice(to, sound).await
    }

    async fn download(&self, file: &str, bytes_max: usize) -> Result<Bytes, DownloadError> {
        self.bot().map_err(DownloadError::Failed)?.download(file, bytes_max).await
    }

    async fn preview(&self, to: Address, draft: i64, part: &Part) -> Result<(), MessengerError> {
        self.bot()?.preview(to, draft, part).await
    }

    async fn typing(&self, to: Address) -> Result<(), MessengerError> {
        self.bot()?.typing(to).await
    }

    async fn react(
        &self,
        to: Address,
        message: MessageId,
        sign: Option<&str>,
    ) -> Result<(), MessengerError> {
        self.bot()?.react(to, message, sign).await
    }

    async fn answer_press(&self, query: &str, text: Option<&str>) -> Result<(), MessengerError> {
        self.bot()?.answer_press(query, text).await
    }

    async fn managed_token(&self, bot: BotId) -> Result<Token, MessengerError> {
        self.bot()?.managed_token(bot).await
    }

    async fn renew_managed_token(&self, bot: BotId) -> Result<Token, MessengerError> {
        self.bot()?.renew_managed_token(bot).await
    }

    async fn set_menu(
        &self,
        scope: MenuScope,
        language: Option<Language>,
        menu: &[MenuEntry],
    ) -> Result<(), MessengerError> {
        self.bot()?.set_menu(scope, language, menu).await
    }
}
