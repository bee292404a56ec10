//! The methods of the Bot API that do something here. Each takes the locked world and one checked call.
//!
//! A method that is documented but not rehearsed is answered `true` where that is an answer it may give, and refused
//! otherwise.

mod edit;
mod ephemeral;
mod lookup;
mod managed;
mod pin;
mod profile;
mod rich;
mod send;

use serde::Serialize;

pub(crate) use lookup::DOWNLOAD_BYTES_MAX;
pub(crate) use profile::{Command, Profile, Scope};

use crate::refusal::Refusal;
use crate::webhook;
use crate::world::{Call, Poll, State};

/// Carries out one call and gives its result as JSON.
pub(crate) fn dispatch(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    match call.method.name.as_str() {
        name if state.is_older && (name.contains("Ephemeral") || name.contains("Rich")) => {
            Err(Refusal::new(404, "Not Found: method not found"))
        }
        "deleteEphemeralMessage" => ephemeral::delete(state, call),
        "sendMessage" => send::message(state, call),
        "sendMessageDraft" => send::draft(state, call),
        "sendRichMessage" => send::rich(state, call),
        "sendRichMessageDraft" => send::rich_draft(state, call),
        "sendDocument" => send::document(state, call),
        "sendVoice" => send::voice(state, call),
        "sendChatAction" => send::action(state, call),
        "editMessageText" => edit::text(state, call),
        "editMessageReplyMarkup" => edit::markup(state, call),
        "deleteMessage" => edit::delete(state, call),
        "pinChatMessage" => pin::pin(state, call),
        "unpinChatMessage" => pin::unpin(state, call),
        "unpinAllChatMessages" => pin::unpin_all(state, call),
        "setMessageReaction" => edit::react(state, call),
        "answerCallbackQuery" => edit::answer(state, call),
        "getMe" => Ok(lookup::me(state, call)),
        "getManagedBotToken" | "replaceManagedBotToken" if state.is_older => {
            Err(Refusal::new(404, "Not Found: method not found"))
        }
        "getManagedBotToken" => managed::token(state, call),
        "replaceManagedBotToken" => managed::replace(state, call),
        "getChat" => lookup::chat(state, call),
        "getChatMember" => lookup::member(state, call),
        "getFile" => lookup::file(state, call),
        "leaveChat" => lookup::leave(state, call),
        "setMyCommands" => profile::set_commands(state, call),
        "getMyCommands" => profile::get_commands(state, call),
        "deleteMyCommands" => profile::delete_commands(state, call),
        "setMyName" | "setMyDescription" | "setMyShortDescription" => profile::set(state, call),
        "getMyName" | "getMyDescription" | "getMyShortDescription" => profile::get(state, call),
        "setWebhook" => webhook::set(state, call),
        "deleteWebhook" => webhook::delete(state, call),
        "getWebhookInfo" => webhook::info(state, call),
        "getUpdates" => {
            // Over HTTP the poll waits outside the lock; here, called in process, it never does.
            let poll = Poll::read(call.params)?;
            let number = state.begin_poll(call.bot, &poll)?;
            let updates = state.try_poll(call.bot, number, poll.limit)?;
            Ok(updates.unwrap_or_else(|| b"[]".to_vec()))
        }
        "close" | "logOut" => Ok(yes()),
        _ if call.method.returns_true() => Ok(yes()),
        name => Err(Refusal::new(501, format!("Not Implemented: {name} is not rehearsed"))),
    }
}

/// The Markdown of a call that is about a rich message.
pub(crate) fn markdown_of(call: &Call<'_>) -> Option<String> {
    // What cannot be read was refused before.
    let rich = call.params.object::<rich::InputRich>("rich_message").ok()??;
    rich.markdown().map(str::to_owned)
}

fn yes() -> Vec<u8> {
    b"true".to_vec()
}

/// A value made of strings and numbers, as JSON.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain values with string keys always serialise")
}
