//! Messages in a group that one person alone sees: Bot API 10.2 and later.
//!
//! A server that does not know them leaves out what it does not know, and would show the message to everybody. So
//! it is asked first whether it knows a method that came with them, and what it answers to a message is looked at.
//!
//! Invariants: WHISPER-1 nothing is sent before the server has shown that it knows such messages. WHISPER-2 what it
//! shows to others all the same is deleted at once, and nothing more is whispered for a while.

use protocol::{
    MessageId,
    event::Part,
    messenger::{Address, MessengerError, Whisper},
};
use serde::{Deserialize, Serialize};

use super::{Client, SendMessage, TelegramBot, blames_markup, known::is_unknown_method};

/// Who alone sees a message.
#[derive(Clone, Serialize)]
pub(super) struct Only<'a> {
    receiver_user_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_query_id: Option<&'a str>,
}

/// No such message can exist.
#[derive(Serialize)]
struct Probe {
    chat_id: i64,
    receiver_user_id: i64,
    ephemeral_message_id: i64,
}

#[derive(Serialize)]
struct Shown {
    chat_id: i64,
    message_id: i64,
}

/// A sent message, as far as it tells who sees it.
#[derive(Deserialize)]
struct Sent {
    message_id: i64,
    ephemeral_message_id: Option<i64>,
}

fn unknown() -> MessengerError {
    MessengerError::Rejected { description: "the server knows no ephemeral messages".to_owned() }
}

/// Sends a part so that one person alone sees it.
pub(super) async fn send(
    bot: &TelegramBot,
    (to, only): (Address, &Whisper),
    part: &Part,
    reply_to: Option<MessageId>,
) -> Result<(), MessengerError> {
    let can = match bot.whispers.can() {
        Some(can) => can,
        None => ask(bot, to, only).await?,
    };
    if !can {
        return Err(unknown());
    }
    let only = Only { receiver_user_id: only.person.0, callback_query_id: only.press.as_deref() };
    let plain = SendMessage {
        ephemeral_message_parameters: Some(only.clone()),
        ..SendMessage::new(to, part, reply_to)
    };
    let Some(html) = &part.html else { return whispered(bot, &plain).await };
    let marked_up = SendMessage {
        text: html,
        parse_mode: Some("HTML"),
        ephemeral_message_parameters: Some(only),
        ..SendMessage::new(to, part, reply_to)
    };
    match whispered(bot, &marked_up).await {
        Err(MessengerError::Rejected { description }) if blames_markup(&description) => {
            whispered(bot, &plain).await
        }
        outcome => outcome,
    }
}

/// True if the server knows such messages; it is asked where that is not known, about a chat that cannot be.
pub(super) async fn knows(bot: &TelegramBot) -> bool {
    match bot.whispers.can() {
        Some(can) => can,
        None => {
            let id = bot.identity.id.0;
            let probe = Probe { chat_id: id, receiver_user_id: id, ephemeral_message_id: 0 };
            probed(bot, &bot.client, &probe).await.unwrap_or_default()
        }
    }
}

/// WHISPER-1: an unknown method is refused in other words than an unknown message.
async fn ask(bot: &TelegramBot, to: Address, only: &Whisper) -> Result<bool, MessengerError> {
    let (chat_id, receiver_user_id) = (to.chat.0, only.person.0);
    let probe = Probe { chat_id, receiver_user_id, ephemeral_message_id: 0 };
    probed(bot, &bot.egress, &probe).await
}

async fn probed(bot: &TelegramBot, line: &Client, probe: &Probe) -> Result<bool, MessengerError> {
    let answer = line.call::<_, bool>("deleteEphemeralMessage", probe).await;
    let can = match answer {
        Ok(_) => true,
        Err(MessengerError::Rejected { description }) => !is_unknown_method(&description),
        // What a server may say to a method that it does not know: nothing is learnt of the token here.
        Err(MessengerError::Unauthorized) => false,
        Err(error) => return Err(error),
    };
    bot.whispers.learn(can);
    Ok(can)
}

/// WHISPER-2.
async fn whispered(bot: &TelegramBot, message: &SendMessage<'_>) -> Result<(), MessengerError> {
    let sent: Sent = bot.egress.call("sendMessage", message).await?;
    if sent.ephemeral_message_id.is_some() {
        return Ok(());
    }
    bot.whispers.learn(false);
    let shown = Shown { chat_id: message.chat_id, message_id: sent.message_id };
    if bot.egress.call::<_, bool>("deleteMessage", &shown).await.is_err() {
        tracing::error!(
            bot = %bot.identity.id,
            event.action = "whisper_shown",
            "a message for one person alone was shown to a group and could not be deleted"
        );
    }
    Err(unknown())
}
