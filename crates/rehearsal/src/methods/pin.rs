//! Pins: which messages of a chat are pinned. `getChat` names the newest of them.

use super::send::chat_of;
use super::yes;
use crate::refusal::Refusal;
use crate::world::{Call, ChatKey, State};

/// The chat, if this bot may pin there: in groups only an administrator may, and bots are none here.
fn pinnable(state: &State, call: &Call<'_>) -> Result<ChatKey, Refusal> {
    let key = chat_of(state, call)?;
    let bot = state.bot(call.bot).id;
    if !key.is_private() && !state.chat(key).admins.contains(&bot) {
        return Err(Refusal::bad("not enough rights to manage pinned messages in the chat"));
    }
    Ok(key)
}

pub(super) fn pin(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let key = pinnable(state, call)?;
    let id = call.params.integer("message_id");
    let id = id.filter(|it| state.chat(key).message(*it).is_some());
    let id = id.ok_or_else(|| Refusal::bad("message to pin not found"))?;
    state.chat_mut(key).pinned.insert(id);
    state.accepted(call, key.id(), id, "", None);
    Ok(yes())
}

/// Without an id the newest pin is taken off.
pub(super) fn unpin(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let key = pinnable(state, call)?;
    let pinned = &state.chat(key).pinned;
    let id = call.params.integer("message_id").or_else(|| pinned.last().copied());
    let id = id.filter(|it| pinned.contains(it));
    let id = id.ok_or_else(|| Refusal::bad("message to unpin not found"))?;
    state.chat_mut(key).pinned.remove(&id);
    state.accepted(call, key.id(), id, "", None);
    Ok(yes())
}

pub(super) fn unpin_all(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let key = pinnable(state, call)?;
    state.chat_mut(key).pinned.clear();
    state.accepted(call, key.id(), 0, "", None);
    Ok(yes())
}
