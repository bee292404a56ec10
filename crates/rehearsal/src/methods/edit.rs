//! Methods that change or answer what is already there.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::rich::{self, InputRich};
use super::send::{chat_of, text_body};
use super::yes;
use crate::clock::unix;
use crate::keyboard;
use crate::refusal::Refusal;
use crate::text::units;
use crate::world::{Author, Call, ChatKey, Payload, PersonEvent, State};

/// Units of the text in an answer to a button.
const ANSWER_UNITS_MAX: usize = 200;

/// The emoji a bot may react with.
const REACTIONS: &str = "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡";

#[derive(Deserialize)]
struct Reaction {
    #[serde(rename = "type")]
    kind: String,
    emoji: Option<String>,
}

/// The message a call wants to change; it must be this bot's.
fn own_message(state: &State, call: &Call<'_>) -> Result<(ChatKey, i64), Refusal> {
    if !call.params.has("chat_id") {
        return Err(Refusal::bad("chat_id is empty"));
    }
    let key = chat_of(state, call)?;
    let id = call.params.integer("message_id");
    let id = id.ok_or_else(|| Refusal::bad("message identifier is not specified"))?;
    match state.chat(key).message(id) {
        None => Err(Refusal::bad("message to edit not found")),
        Some(message) if message.author != Author::Bot(call.bot) || message.only_for.is_some() => {
            Err(Refusal::bad("message can't be edited"))
        }
        Some(_) => Ok((key, id)),
    }
}

fn change(
    state: &mut State,
    call: &Call<'_>,
    key: ChatKey,
    id: i64,
    payload: Payload,
) -> Result<Vec<u8>, Refusal> {
    let text = payload.body.text.clone();
    let message = state.chat_mut(key).message_mut(id);
    let message = message.ok_or_else(|| Refusal::bad("message to edit not found"))?;
    if message.payload == payload {
        return Err(Refusal::bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
        ));
    }
    message.payload = payload;
    message.edited = Some(unix());
    let reply_to = message.reply_to;
    state.announce_message(key, id, "edit");
    state.accepted(call, key.id(), id, &text, reply_to);
    Ok(state.message_json(key, id).unwrap_or_default())
}

pub(super) fn text(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let (key, id) = own_message(state, call)?;
    // An older server leaves out what it does not know.
    let input = call.params.object::<InputRich>("rich_message")?.filter(|_| !state.is_older);
    let (body, rich) = match input {
        Some(input) => {
            let (body, rich) = rich::read(&input)?;
            (body, Some(Arc::new(rich)))
        }
        None => (text_body(call)?, None),
    };
    let markup = keyboard::read(call.params)?;
    let current = state.chat(key).message(id).and_then(|message| message.payload.document.as_ref());
    if current.is_some() {
        return Err(Refusal::bad("there is no text in the message to edit"));
    }
    change(state, call, key, id, Payload { body, markup, rich, ..Payload::default() })
}

pub(super) fn markup(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let (key, id) = own_message(state, call)?;
    let markup = keyboard::read(call.params)?;
    let current = state.chat(key).message(id).map(|message| message.payload.clone());
    change(state, call, key, id, Payload { markup, ..current.unwrap_or_default() })
}

pub(super) fn delete(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let key = chat_of(state, call)?;
    let id = call.params.integer("message_id").unwrap_or_default();
    let missing = || Refusal::bad("message to delete not found");
    let message = state.chat(key).message(id).filter(|message| message.only_for.is_none());
    let message = message.ok_or_else(missing)?;
    if !key.is_private() && message.author != Author::Bot(call.bot) {
        return Err(Refusal::bad("message can't be deleted"));
    }
    state.chat_mut(key).remove(id).ok_or_else(missing)?;
    state.announce(key, "delete", &json!({"message_id": id}));
    state.accepted(call, key.id(), id, "", None);
    Ok(yes())
}

pub(super) fn react(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let key = chat_of(state, call)?;
    let id = call.params.integer("message_id").unwrap_or_default();
    if state.chat(key).message(id).is_none() {
        return Err(Refusal::bad("message to react not found"));
    }
    let reactions = call.params.object::<Vec<Reaction>>("reaction")?.unwrap_or_default();
    if reactions.len() > 1 {
        return Err(Refusal::bad("REACTIONS_TOO_MANY"));
    }
    let emoji = reactions.first().map(|reaction| {
        let emoji = reaction.emoji.as_deref().unwrap_or_default().trim_end_matches('\u{fe0f}');
        let known = REACTIONS.split(' ').any(|known| known == emoji);
        if reaction.kind == "emoji" && known {
            Ok(emoji.to_owned())
        } else {
            Err(Refusal::bad("REACTION_INVALID"))
        }
    });
    let emoji = emoji.transpose()?.unwrap_or_default();
    state.announce(key, "reaction", &json!({"message_id": id, "emoji": emoji}));
    state.accepted(call, key.id(), id, &emoji, None);
    Ok(yes())
}

pub(super) fn answer(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let id = call.params.text("callback_query_id").unwrap_or_default();
    let text = call.params.text("text").unwrap_or_default();
    let number = id.parse::<u64>().ok();
    let known = number.and_then(|number| state.callbacks.get(&number));
    let Some(callback) = known.filter(|callback| callback.bot == call.bot) else {
        return Err(Refusal::bad(
            "query is too old and response timeout expired or query ID is invalid",
        ));
    };
    if units(&text) > ANSWER_UNITS_MAX {
        return Err(Refusal::bad("MESSAGE_TOO_LONG"));
    }
    let person = callback.person;
    let event = json!({
        "callback_query_id": id,
        "text": text,
        "show_alert": call.params.flag("show_alert"),
    });
    let event = PersonEvent { name: "answer", data: event.to_string().into() };
    state.announce_to(person, &event);
    if let Some(number) = number {
        state.callbacks.remove(&number);
    }
    state.accepted(call, person, 0, &text, None);
    Ok(yes())
}
