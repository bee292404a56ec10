//! Commands and profile texts, by scope and language.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{json as to_json, yes};
use crate::refusal::Refusal;
use crate::text::units;
use crate::world::{BotIndex, Call, ChatKey, State};

/// Commands of one scope and language.
const COMMANDS_MAX: usize = 100;

/// One entry of the command menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Command {
    pub(crate) command: String,
    pub(crate) description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) is_ephemeral: Option<bool>,
}

/// Who sees a list of commands. `chat_id` is kept as the bot wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Scope {
    #[default]
    Default,
    AllPrivateChats,
    AllGroupChats,
    AllChatAdministrators,
    Chat {
        chat_id: i64,
    },
    ChatAdministrators {
        chat_id: i64,
    },
    ChatMember {
        chat_id: i64,
        user_id: i64,
    },
}

/// A text of the bot's profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Profile {
    Name,
    Description,
    ShortDescription,
}

impl Profile {
    /// Which one a method is about: the kind, its parameter, its limit, and what it is called in a refusal.
    fn of(method: &str) -> (Self, &'static str, usize) {
        if method.ends_with("ShortDescription") {
            (Self::ShortDescription, "short_description", 120)
        } else if method.ends_with("Description") {
            (Self::Description, "description", 512)
        } else {
            (Self::Name, "name", 64)
        }
    }
}

fn place(call: &Call<'_>) -> Result<(Scope, String), Refusal> {
    let scope = call.params.object::<Scope>("scope")?.unwrap_or_default();
    Ok((scope, language(call)?))
}

fn language(call: &Call<'_>) -> Result<String, Refusal> {
    let language = call.params.text("language_code").unwrap_or_default().into_owned();
    let is_code = language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase());
    if language.is_empty() || is_code {
        Ok(language)
    } else {
        Err(Refusal::bad("invalid language code specified"))
    }
}

/// Refuses a scope that names a chat the bot does not know.
fn check_scope(state: &State, bot: BotIndex, scope: &Scope) -> Result<(), Refusal> {
    match scope {
        Scope::Default
        | Scope::AllPrivateChats
        | Scope::AllGroupChats
        | Scope::AllChatAdministrators => Ok(()),
        Scope::Chat { chat_id }
        | Scope::ChatAdministrators { chat_id }
        | Scope::ChatMember { chat_id, .. } => {
            let known = if *chat_id < 0 {
                state.chats.contains_key(&ChatKey::Group(*chat_id))
            } else {
                state.chats.contains_key(&ChatKey::Private { bot, person: *chat_id })
            };
            if known { Ok(()) } else { Err(Refusal::bad("chat not found")) }
        }
    }
}

pub(super) fn set_commands(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let place = place(call)?;
    check_scope(state, call.bot, &place.0)?;
    let mut commands = call.params.object::<Vec<Command>>("commands")?.unwrap_or_default();
    if commands.len() > COMMANDS_MAX {
        return Err(Refusal::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    for command in &mut commands {
        let name = command.command.trim_start_matches('/').to_owned();
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !(1..=32).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(Refusal::bad("BOT_COMMAND_INVALID"));
        }
        if !(1..=256).contains(&units(&command.description)) {
            return Err(Refusal::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
        command.command = name;
    }
    state.bot_mut(call.bot).commands.insert(place, commands);
    Ok(yes())
}

pub(super) fn get_commands(state: &State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let commands = state.bot(call.bot).commands.get(&place(call)?);
    Ok(commands.map_or_else(|| b"[]".to_vec(), to_json))
}

pub(super) fn delete_commands(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let place = place(call)?;
    state.bot_mut(call.bot).commands.remove(&place);
    Ok(yes())
}

pub(super) fn set(state: &mut State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let (profile, param, units_max) = Profile::of(&call.method.name);
    let language = language(call)?;
    let text = call.params.text(param).unwrap_or_default().into_owned();
    if units(&text) > units_max {
        return Err(Refusal::bad(format!("bot {} is too long", param.replace('_', " "))));
    }
    state.bot_mut(call.bot).profile.insert((profile, language), text);
    Ok(yes())
}

pub(super) fn get(state: &State, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let (profile, param, _) = Profile::of(&call.method.name);
    let bot = state.bot(call.bot);
    let text = [language(call)?, String::new()]
        .into_iter()
        .find_map(|language| bot.profile.get(&(profile, language)).filter(|text| !text.is_empty()));
    let text = match text {
        Some(text) => text.as_str(),
        None if profile == Profile::Name => &bot.seed.name,
        None => "",
    };
    Ok(to_json(&json!({ param: text })))
}

impl State {
    /// The menu a person sees in a chat: the narrowest scope that has commands, in their language or in none.
    pub(crate) fn menu(&self, bot: BotIndex, key: ChatKey, person: i64) -> &[Command] {
        let chat_id = key.id();
        let is_admin = self.chat(key).admins.contains(&person);
        let scopes = if key.is_private() {
            vec![Scope::Chat { chat_id }, Scope::AllPrivateChats]
        } else {
            let mut scopes = vec![Scope::ChatMember { chat_id, user_id: person }];
            if is_admin {
                scopes.push(Scope::ChatAdministrators { chat_id });
            }
            scopes.push(Scope::Chat { chat_id });
            if is_admin {
                scopes.push(Scope::AllChatAdministrators);
            }
            scopes.push(Scope::AllGroupChats);
            scopes
        };
        let language = self.people.get(&person).and_then(|who| who.seed.language_code.as_deref());
        let language = language.and_then(|tag| tag.get(..2)).unwrap_or_default();
        let commands = &self.bot(bot).commands;
        scopes
            .into_iter()
            .chain([Scope::Default])
            .flat_map(|scope| [(scope.clone(), language.to_owned()), (scope, String::new())])
            .find_map(|place| commands.get(&place))
            .map_or(&[], Vec::as_slice)
    }
}
