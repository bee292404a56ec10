//! Connects the bots, all at once: one that cannot be reached yet, or whose token is refused, holds up
//! no other. Whoever comes later joins the hall that stands.

use std::{collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use adapters::telegram::{
    ConnectError, Endpoint, LentBot, TelegramBot, TelegramConfig, WebhookTarget,
};
use flow::{
    alerter::{self, Severity},
    right::Role,
    roster::Shared,
    tree::Doors,
    wiring::{Bot, Lobby},
};
use futures::{FutureExt as _, StreamExt as _, future::LocalBoxFuture, stream::FuturesUnordered};
use protocol::{Agent, AgentName, BotId, Languages, PersonId, Token, messenger::Messenger};
use secrecy::{ExposeSecret as _, SecretString};
use tracing::{error, info, warn};

use crate::{
    build::{self, BuildError},
    config::{BotConfig, Config, EXIT_CONFIG, Loaded, Mode, WEBHOOK_SECRET},
    run::{Failure, set_menus},
    source::{self, BotPlate, HallSource},
};

/// How long those who are connected wait for the others before the hall stands.
const COMPANY_WAIT: Duration = Duration::from_secs(3);
/// Attempts to give a bot the name and description of its agent.
const PROFILE_TRIES: u32 = 4;

/// A bot that is connected.
struct Connected {
    /// Its place in the configuration.
    at: usize,
    bot: Arc<TelegramBot>,
}

/// A bot on its way: its place, and what became of it.
type OnTheWay = FuturesUnordered<LocalBoxFuture<'static, (usize, Result<TelegramBot, Failure>)>>;

/// Bots that are connected, and those on their way.
pub(crate) struct Bots {
    /// In the order of the configuration.
    here: Vec<Connected>,
    later: OnTheWay,
    refused: Vec<String>,
}

impl std::fmt::Debug for Bots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bots").field("here", &self.here.len()).finish_non_exhaustive()
    }
}

/// The id of a bot, which its token begins with.
fn id_of(token: &SecretString) -> Option<BotId> {
    token.expose_secret().split(':').next()?.parse().ok().map(BotId)
}

/// The ids of all bots, in the order of the configuration; 0 where the token is none.
pub(crate) fn ids(loaded: &Loaded) -> Vec<BotId> {
    let id = |bot: &BotConfig| loaded.secrets.get(&bot.token_name()).and_then(id_of);
    loaded.config.bots.iter().map(|it| id(it).unwrap_or(BotId(0))).collect()
}

/// Connects every bot; waits for the first as long as it takes, and for the others a little.
///
/// # Errors
/// If none can ever be connected: why the last could not.
pub(crate) async fn connect(
    loaded: &Loaded,
    source: &Arc<HallSource>,
    observer: Arc<dyn adapters::telegram::Observer>,
) -> Result<Bots, Failure> {
    let later = OnTheWay::new();
    for (at, bot) in loaded.config.bots.iter().enumerate() {
        let (name, source) = (bot.name.clone(), Arc::clone(source));
        let telegram = endpoint(loaded, bot, &observer);
        later.push(async move { (at, connect_one(&name, &telegram, &source).await) }.boxed_local());
    }
    let mut bots = Bots { here: Vec::new(), later, refused: Vec::new() };
    loop {
        let may_go = !bots.here.is_empty();
        let patience = async {
            if !may_go {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(COMPANY_WAIT).await;
        };
        let next = tokio::select! {
            next = bots.later.next() => next,
            () = patience => break,
        };
        match next {
            Some((at, Ok(bot))) => bots.here.push(Connected { at, bot: Arc::new(bot) }),
            Some((_, Err(failure))) if bots.later.is_empty() && bots.here.is_empty() => {
                return Err(failure);
            }
            Some((_, Err(failure))) => bots.refused.push(failure.text),
            None => break,
        }
    }
    bots.here.sort_by_key(|it| it.at);
    source::put(&source.waiting_for, None);
    Ok(bots)
}

fn endpoint(
    loaded: &Loaded,
    bot: &BotConfig,
    observer: &Arc<dyn adapters::telegram::Observer>,
) -> TelegramConfig {
    let token = loaded.secrets.get(&bot.token_name()).cloned();
    let token = token.unwrap_or_else(|| SecretString::from(""));
    let api_url = loaded.config.api_url(bot).to_owned();
    let endpoint = Endpoint { api_url, token, plain_http_allowed: false };
    let webhook = webhook_of(loaded, bot);
    let hears_bots = loaded.config.access.answer_bots;
    TelegramConfig { endpoint, webhook, observer: Some(Arc::clone(observer)), hears_bots }
}

fn webhook_of(loaded: &Loaded, bot: &BotConfig) -> Option<WebhookTarget> {
    if loaded.config.mode(bot) == Mode::Poll {
        return None;
    }
    let public_url = loaded.config.telegram.webhook_url.clone()?;
    let secret = loaded.secrets.get(WEBHOOK_SECRET)?.clone();
    Some(WebhookTarget { public_url, secret })
}

async fn connect_one(
    name: &str,
    telegram: &TelegramConfig,
    source: &HallSource,
) -> Result<TelegramBot, Failure> {
    let mut pause = Duration::from_millis(250);
    loop {
        let error: ConnectError = match TelegramBot::connect(telegram).await {
            Ok(bot) => return Ok(bot),
            Err(error) => error,
        };
        if !error.is_passing() {
            let text = format!("bot {name}: {}", BuildError::of(&error));
            return Err(Failure { text, code: EXIT_CONFIG });
        }
        warn!(
            labels.bot = name, error.message = %error,
            event.action = "connect_failed", "a bot cannot be connected yet"
        );
        if source::is_empty(&source.bots) {
            source::put(&source.waiting_for, Some(format!("bot {name}: {error}")));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(15));
    }
}

/// The endpoint of a bot that Telegram made for an agent: with its own token, where the bot that manages it is.
fn endpoint_of(
    loaded: &Loaded,
    token: &Token,
    observer: &Arc<dyn adapters::telegram::Observer>,
) -> TelegramConfig {
    let api_url = loaded.config.telegram.api_url.clone();
    let token = SecretString::from(token.expose().to_owned());
    let endpoint = Endpoint { api_url, token, plain_http_allowed: false };
    let hears_bots = loaded.config.access.answer_bots;
    TelegramConfig { endpoint, webhook: None, observer: Some(Arc::clone(observer)), hears_bots }
}

impl Connected {
    /// As the tree takes it.
    fn wired(&self, config: &Config) -> Option<Bot> {
        let polls = config.mode(config.bots.get(self.at)?) == Mode::Poll;
        Some(Bot { messenger: Arc::clone(&self.bot) as Arc<dyn Messenger>, polls })
    }

    /// Its name, for the console.
    fn plate(&self, config: &Config) -> Option<BotPlate> {
        let polls = config.mode(config.bots.get(self.at)?) == Mode::Poll;
        Some(BotPlate {
            ingress: format!("ingress/{}", self.bot.identity().id),
            username: self.bot.identity().username.clone(),
            mode: if polls { "polling" } else { "webhook" },
        })
    }

    /// The agent whose own it is, with what is said of it.
    fn own(&self, config: &Config, agents: &[Agent]) -> Option<(AgentName, String)> {
        let name = config.bots.get(self.at)?.agent.clone()?;
        let agent = agents.iter().find(|it| it.name == name);
        let about = agent.map(|it| it.description.clone()).unwrap_or_default();
        Some((name, about))
    }
}

/// Sets a bot's menus, and where it is one agent's own, its name and description.
async fn dress(
    bot: Arc<TelegramBot>,
    own: Option<(AgentName, String)>,
    languages: Languages,
    roles: BTreeMap<PersonId, Role>,
) {
    if let Some((name, about)) = &own {
        let mut pause = Duration::from_secs(5);
        for _ in 0..PROFILE_TRIES {
            match bot.be_called(name.as_str(), about).await {
                Ok(()) => break,
                Err(error) => info!(
                    error.message = %error, event.action = "profile_not_set",
                    "the profile of an agent's own bot was not set yet"
                ),
            }
            tokio::time::sleep(pause).await;
            pause *= 4;
        }
    }
    set_menus(bot, languages, &roles, own.is_some()).await;
}

/// What those who are not there yet need when they come.
pub(crate) struct Welcome {
    pub(crate) config: Rc<Config>,
    pub(crate) source: Arc<HallSource>,
    pub(crate) lobby: Lobby,
    pub(crate) doors: Doors,
    pub(crate) roles: BTreeMap<PersonId, Role>,
    pub(crate) agents: Rc<[Agent]>,
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) observer: Arc<dyn adapters::telegram::Observer>,
    pub(crate) hall: Shared,
}

impl Bots {
    /// Those who are here, as the tree takes them; the console is told of them.
    pub(crate) fn wired(&self, config: &Config, source: &HallSource) -> Vec<Bot> {
        source::put(&source.bots, self.here.iter().filter_map(|it| it.plate(config)).collect());
        self.here.iter().filter_map(|it| it.wired(config)).collect()
    }

    /// Dresses those who are here, welcomes those who come later, and connects the bots that agents get while
    /// the hall stands. Ends with it.
    pub(crate) async fn attend(self, welcome: Welcome) {
        let Self { here, mut later, refused } = self;
        let languages = build::languages(&welcome.config);
        let dressed = |bot: Arc<TelegramBot>, own| {
            dress(bot, own, languages, welcome.roles.clone()).boxed_local()
        };
        let mut managers = BTreeMap::new();
        let mut busy: FuturesUnordered<LocalBoxFuture<'static, ()>> = FuturesUnordered::new();
        for it in here {
            let own = it.own(&welcome.config, &welcome.agents);
            managers.insert(it.bot.identity().id, Arc::clone(&it.bot));
            busy.push(dressed(it.bot, own));
        }
        for text in refused {
            welcome.tell_refused(text).await;
        }
        let mut owned = Owned::default();
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            let next = tokio::select! {
                Some(next) = later.next() => next,
                Some(()) = busy.next() => {
                    // The menus were in all languages; most halls speak one or two.
                    if busy.is_empty() {
                        flow::words::let_languages_go();
                    }
                    continue;
                }
                Some(came) = owned.coming.next() => {
                    let dress = owned.came(came, &welcome).await;
                    busy.extend(dress.map(|(bot, own)| dressed(bot, Some(own))));
                    continue;
                }
                _ = look.tick() => {
                    busy.extend(owned.look(&welcome, &managers));
                    continue;
                }
            };
            match next {
                (at, Ok(bot)) => {
                    let it = Connected { at, bot: Arc::new(bot) };
                    let config = &welcome.config;
                    source::add(&welcome.source.bots, it.plate(config));
                    if let Some(bot) = it.wired(config) {
                        welcome.lobby.enter(bot);
                    }
                    let own = it.own(config, &welcome.agents);
                    managers.insert(it.bot.identity().id, Arc::clone(&it.bot));
                    busy.push(dressed(it.bot, own));
                }
                (_, Err(failure)) => welcome.tell_refused(failure.text).await,
            }
        }
    }
}

/// How often it is looked which bots agents have got.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A bot that Telegram made for an agent, on its way: with which token, and what became of it.
type Came = (BotId, Token, Result<TelegramBot, Failure>);

/// Bots that agents got from Telegram: the hall's state says which there are.
#[derive(Default)]
struct Owned {
    /// With which token each was connected last, or is being.
    known: BTreeMap<BotId, Token>,
    here: BTreeMap<BotId, Arc<LentBot>>,
    coming: FuturesUnordered<LocalBoxFuture<'static, Came>>,
}

impl Owned {
    /// Connects those that are new, and lets those go whose agents have left. Gives what is to be done besides.
    fn look(
        &mut self,
        welcome: &Welcome,
        managers: &BTreeMap<BotId, Arc<TelegramBot>>,
    ) -> Vec<LocalBoxFuture<'static, ()>> {
        let hall = welcome.hall.load();
        for (id, it, token) in hall.managed().all() {
            if self.known.get(&id) == Some(token) {
                continue;
            }
            self.known.insert(id, token.clone());
            let telegram = endpoint_of(&welcome.loaded, token, &welcome.observer);
            let (name, token) = (format!("@{} of {}", it.username, it.agent), token.clone());
            let source = Arc::clone(&welcome.source);
            let connected =
                async move { (id, token, connect_one(&name, &telegram, &source).await) };
            self.coming.push(connected.boxed_local());
        }
        let is_there = |id: &BotId| hall.managed().all().any(|(it, ..)| it == *id);
        let gone: Vec<BotId> = self.known.keys().copied().filter(|it| !is_there(it)).collect();
        let mut rest = Vec::new();
        for id in gone {
            self.known.remove(&id);
            if let Some(bot) = self.here.get(&id) {
                bot.take_away();
                info!(labels.bot = %id, event.action = "bot_taken_away", "an agent's own bot is disconnected");
            }
            let manager = hall.managed().manager(id).and_then(|it| managers.get(&it)).cloned();
            rest.extend(manager.map(|it| void_token(it, id).boxed_local()));
        }
        rest
    }

    /// One is connected, or never will be. Gives whom to dress.
    async fn came(
        &mut self,
        (id, token, bot): Came,
        welcome: &Welcome,
    ) -> Option<(Arc<TelegramBot>, (AgentName, String))> {
        let bot = match bot {
            Ok(bot) => Arc::new(bot),
            Err(failure) => {
                welcome.tell_refused(failure.text).await;
                return None;
            }
        };
        let hall = welcome.hall.load_full();
        let agent = hall.managed().all().find(|(it, _, now)| *it == id && **now == token);
        // Its agent has left meanwhile, or it has another token.
        let (_, it, _) = agent?;
        let about = hall.agent(&it.agent).map(|it| it.description.clone()).unwrap_or_default();
        let own = (it.agent.clone(), about);
        match self.here.get(&id) {
            Some(lent) => lent.renew(Arc::clone(&bot)),
            None => {
                let lent = Arc::new(LentBot::new(Arc::clone(&bot)));
                self.here.insert(id, Arc::clone(&lent));
                let plate = BotPlate {
                    ingress: format!("ingress/{id}"),
                    username: bot.identity().username.clone(),
                    mode: "polling",
                };
                source::add(&welcome.source.bots, Some(plate));
                welcome.lobby.enter(Bot { messenger: lent as Arc<dyn Messenger>, polls: true });
            }
        }
        Some((bot, own))
    }
}

/// The token that the hall kept of a bot is worth nothing from now on. Where Telegram does not do that, its owner can.
async fn void_token(manager: Arc<TelegramBot>, bot: BotId) {
    match manager.renew_managed_token(bot).await {
        Ok(_) => {
            info!(labels.bot = %bot, event.action = "token_voided", "a bot's old token is void")
        }
        Err(error) => warn!(
            labels.bot = %bot, error.message = %error,
            event.action = "token_not_voided", "a bot's old token is still good"
        ),
    }
}

impl Welcome {
    /// A bot will not come while the hall stands: the operators are told.
    async fn tell_refused(&self, text: String) {
        error!(error.message = text, event.action = "bot_refused", "a bot cannot be connected");
        let text = format!("A bot cannot be connected, the others go on: {text}.");
        for _ in 0..60 {
            if let Some(alerter) = self.doors.alerter() {
                let raise = alerter::Msg::raise("bot_refused", Severity::Critical, text.clone());
                if alerter.try_tell(raise).is_ok() {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}
