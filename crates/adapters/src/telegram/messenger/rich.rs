//! Rich messages: Bot API 10.1 and later.
//!
//! What is sent is Markdown that `render` wrote anew. Nothing is found in it by the server itself: no mention, no
//! command, no address. A server that does not know such messages says so, and is asked again after a while; what it
//! refuses comes in classic formatting, so there is nothing to ask beforehand.
//!
//! Invariants: RICH-4 `None` means that nothing was shown, and the same may be shown in another form. RICH-5 what
//! may have been accepted is not sent in another form.

use protocol::{
    MessageId,
    event::Part,
    messenger::{Address, MessengerError},
};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{Keyboard, Reply, TelegramBot, is_unchanged, known::is_unknown_method, sendable_topic};

#[derive(Serialize)]
struct Rich<'a> {
    markdown: &'a str,
    skip_entity_detection: bool,
}

#[derive(Serialize)]
struct SendRich<'a> {
    chat_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i64>,
    rich_message: Rich<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_parameters: Option<Reply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<Keyboard<'a>>,
}

#[derive(Serialize)]
struct EditRich<'a> {
    chat_id: i64,
    message_id: i64,
    rich_message: Rich<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_markup: Option<Keyboard<'a>>,
}

#[derive(Serialize)]
struct DraftRich<'a> {
    chat_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i64>,
    draft_id: i64,
    rich_message: Rich<'a>,
    can_stop: bool,
}

#[derive(Deserialize)]
struct Sent {
    message_id: i64,
}

impl<'a> Rich<'a> {
    fn new(markdown: &'a str) -> Self {
        Self { markdown, skip_entity_detection: true }
    }
}

/// The rich form of a part, where there is one and the server may know it.
fn form<'p>(bot: &TelegramBot, part: &'p Part) -> Option<Rich<'p>> {
    let markdown = part.rich.as_deref()?;
    (bot.rich.can() != Some(false)).then(|| Rich::new(markdown))
}

/// Sends a part as a rich message.
pub(super) async fn send(
    bot: &TelegramBot,
    to: Address,
    part: &Part,
    reply_to: Option<MessageId>,
) -> Result<Option<MessageId>, MessengerError> {
    let Some(rich_message) = form(bot, part) else { return Ok(None) };
    let message = SendRich {
        chat_id: to.chat.0,
        message_thread_id: sendable_topic(to),
        rich_message,
        reply_parameters: reply_to.map(Reply::to),
        reply_markup: Keyboard::new(&part.buttons),
    };
    let sent = bot.egress.call::<_, Sent>("sendRichMessage", &message).await;
    Ok(taken(bot, sent)?.map(|it| MessageId(it.message_id)))
}

/// Puts a part in the place of a message, as a rich one.
pub(super) async fn edit(
    bot: &TelegramBot,
    to: Address,
    message: MessageId,
    part: &Part,
) -> Result<Option<()>, MessengerError> {
    let Some(rich_message) = form(bot, part) else { return Ok(None) };
    let reply_markup = Keyboard::new(&part.buttons);
    let edit = EditRich { chat_id: to.chat.0, message_id: message.0, rich_message, reply_markup };
    match bot.egress.call::<_, Sent>("editMessageText", &edit).await {
        Err(MessengerError::Rejected { description }) if is_unchanged(&description) => Ok(Some(())),
        edited => Ok(taken(bot, edited)?.map(|_| ())),
    }
}

/// Shows what is being written as a rich message.
pub(super) async fn preview(
    bot: &TelegramBot,
    to: Address,
    draft_id: i64,
    part: &Part,
) -> Result<Option<()>, MessengerError> {
    let Some(rich_message) = form(bot, part) else { return Ok(None) };
    let (chat_id, message_thread_id) = (to.chat.0, sendable_topic(to));
    let draft = DraftRich { chat_id, message_thread_id, draft_id, rich_message, can_stop: true };
    let shown = bot.client.call::<_, bool>("sendRichMessageDraft", &draft).await;
    Ok(taken(bot, shown)?.map(|_| ()))
}

/// RICH-4, RICH-5. What a server may say to a method that it does not know: nothing is learnt of the token here.
fn taken<T>(
    bot: &TelegramBot,
    result: Result<T, MessengerError>,
) -> Result<Option<T>, MessengerError> {
    match result {
        Ok(it) => {
            bot.rich.learn(true);
            Ok(Some(it))
        }
        Err(MessengerError::Unauthorized) => {
            bot.rich.learn(false);
            Ok(None)
        }
        Err(MessengerError::Rejected { description }) => {
            if is_unknown_method(&description) {
                bot.rich.learn(false);
            } else {
                warn!(bot = %bot.identity.id, %description, "rich message refused, trying HTML");
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
