//! Bots that people have made for a bot to manage: their tokens.

use super::json as to_json;
use crate::refusal::Refusal;
use crate::world::{BotIndex, Call, State};

/// The bot that a call names, if whoever calls manages it.
fn managed(state: &State, call: &Call<'_>) -> Result<BotIndex, Refusal> {
    let id = call.params.integer("user_id").unwrap_or_default();
    let bot = state.bot_with_id(id).filter(|it| state.bot(*it).managed_by == Some(call.bot));
    bot.ok_or_else(|| Refusal::bad("managed bot not found"))
}

pub(super) fn token(state: &State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let bot = managed(state, call)?;
    Ok(to_json(&state.bot(bot).seed.token))
}

pub(super) fn replace(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let bot = managed(state, call)?;
    let token = state.renew_token(bot);
    Ok(to_json(&token))
}
