//! Bots that people have made for a bot to manage, as a link `t.me/newbot/<manager>/<name>` asks them to.

use super::updates::NewUpdate;
use super::{Bot, BotIndex, Say, State, World, WorldError};
use crate::config::BotSeed;

/// The ids of bots that are made begin here.
const IDS_FROM: i64 = 700_000;

impl World {
    /// A person opens a link into Telegram: one that begins a conversation with a bot, or one by which a bot is
    /// made, which they confirm.
    ///
    /// # Errors
    /// No such person or bot, or another link.
    pub fn open_link(&self, person: i64, link: &str) -> Result<(), WorldError> {
        let bad = || WorldError::BadUpdate("not a link that is rehearsed".to_owned());
        let path = link.strip_prefix("https://t.me/").ok_or_else(bad)?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let named = |name: &str| {
            let state = self.lock();
            let mut bots = state.bots.iter();
            let bot = bots.find(|it| it.seed.username.eq_ignore_ascii_case(name));
            bot.map(|it| it.id).ok_or(WorldError::NoSuchBot)
        };
        if let Some(rest) = path.strip_prefix("newbot/") {
            let (manager, username) = rest.split_once('/').ok_or_else(bad)?;
            let name = query.strip_prefix("name=").unwrap_or(username);
            return self.make_bot(person, named(manager)?, name, username).map(drop);
        }
        let payload = query.strip_prefix("start=").ok_or_else(bad)?;
        let (chat, text) = (Some(named(path)?), format!("/start {payload}"));
        self.say(&Say { person, chat, text, ..Say::default() }).map(drop)
    }

    /// A person confirms that a bot is made for one to manage; gives the new bot's id. Its manager is told.
    ///
    /// # Errors
    /// No such person or bot, or one that may not manage others.
    pub fn make_bot(
        &self,
        person: i64,
        manager: i64,
        name: &str,
        username: &str,
    ) -> Result<i64, WorldError> {
        let mut state = self.lock();
        let user = state.people.get(&person).ok_or(WorldError::NoSuchPerson(person))?.user.clone();
        let manager = state.bot_with_id(manager).filter(|it| state.bot(*it).seed.manages_bots);
        let manager = manager.ok_or(WorldError::NoSuchBot)?;
        let number = i64::try_from(state.bots.len()).unwrap_or_default();
        let id = IDS_FROM + number;
        let token = token_of(id, 0);
        let (name, username) = (name.to_owned(), username.to_owned());
        let seed = BotSeed { token: token.clone(), username, name, ..BotSeed::default() };
        let mut bot = Bot::new(seed, &state.config);
        bot.managed_by = Some(manager);
        let at = BotIndex(state.bots.len());
        state.bots.push(bot);
        state.tokens.insert(token, at);
        state.tell_manager(manager, at, user.get());
        // The page of its owner shows the new chat.
        state.private_chat(at, person);
        let snapshot = state.snapshot(person);
        state.announce_to(person, &snapshot);
        Ok(id)
    }

    /// A person gives a bot of theirs another token, as in @BotFather. Its manager is told.
    ///
    /// # Errors
    /// No such person, or no such managed bot.
    pub fn renew_bot(&self, person: i64, bot: i64) -> Result<(), WorldError> {
        let mut state = self.lock();
        let user = state.people.get(&person).ok_or(WorldError::NoSuchPerson(person))?.user.clone();
        let at = state.bot_with_id(bot).ok_or(WorldError::NoSuchBot)?;
        let manager = state.bot(at).managed_by.ok_or(WorldError::NoSuchBot)?;
        state.renew_token(at);
        state.tell_manager(manager, at, user.get());
        Ok(())
    }

    /// The token of a bot now.
    ///
    /// # Errors
    /// No such bot.
    pub fn token_of(&self, bot: i64) -> Result<String, WorldError> {
        let state = self.lock();
        let at = state.bot_with_id(bot).ok_or(WorldError::NoSuchBot)?;
        Ok(state.bot(at).seed.token.clone())
    }
}

impl State {
    /// Another token; the one before is nobody's any more.
    pub(crate) fn renew_token(&mut self, at: BotIndex) -> String {
        let bot = self.bot_mut(at);
        bot.tokens_made += 1;
        let token = token_of(bot.id, bot.tokens_made);
        let before = std::mem::replace(&mut bot.seed.token, token.clone());
        self.tokens.remove(&before);
        self.tokens.insert(token.clone(), at);
        token
    }

    fn tell_manager(&mut self, manager: BotIndex, bot: BotIndex, user: &str) {
        let bot = self.bot(bot).user.get();
        let payload = format!(r#"{{"user":{user},"bot":{bot}}}"#);
        let new = NewUpdate {
            kind: "managed_bot",
            payload: payload.as_bytes(),
            chat: 0,
            message_id: 0,
            text: "",
        };
        self.push(manager, &new);
    }
}

fn token_of(id: i64, number: u64) -> String {
    format!("{id}:AAHmanaged{number:04}rehearsalrehearsalreh")
}
