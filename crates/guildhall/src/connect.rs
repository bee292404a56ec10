//! Connects the bots, all at once: one that cannot be reached yet, or whose token is refused, holds up
//! no other. Whoever comes later joins the hall that stands.

use std::{collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use adapters::telegram::{ConnectError, Endpoint, TelegramBot, TelegramConfig, WebhookTarget};
use flow::{
    alerter::{self, Severity},
    right::Role,
    tree::Doors,
    wiring::{Bot, Lobby},
};
use futures::{FutureExt as _, StreamExt as _, future::LocalBoxFuture, stream::FuturesUnordered};
use protocol::{Agent, BotId, PersonId, messenger::Messenger};
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
    TelegramConfig { endpoint, webhook, observer: Some(Arc::clone(observer)) }
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

    /// Sets its menus, and where it is one agent's own, its name and description.
    async fn dress(self, config: &Config, roles: BTreeMap<PersonId, Role>, agents: &[Agent]) {
        let own = config.bots.get(self.at).and_then(|it| it.agent.as_ref());
        if let Some(name) = own {
            let agent = agents.iter().find(|it| it.name == *name);
            let about = agent.map(|it| it.description.clone()).unwrap_or_default();
            let mut pause = Duration::from_secs(5);
            for _ in 0..PROFILE_TRIES {
                match self.bot.be_called(name.as_str(), &about).await {
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
        set_menus(self.bot, build::languages(config), &roles, own.is_some()).await;
    }
}

/// What those who are not there yet need when they come.
pub(crate) struct Welcome {
    pub(crate) config: Rc<Config>,
    pub(crate) source: Arc<HallSource>,
    pub(crate) lobby: Lobby,
    pub(crate) doors: Doors,
    pub(crate) roles: BTreeMap<PersonId, Role>,
    pub(crate) agents: Rc<[Agent]>,
}

impl Bots {
    /// Those who are here, as the tree takes them; the console is told of them.
    pub(crate) fn wired(&self, config: &Config, source: &HallSource) -> Vec<Bot> {
        source::put(&source.bots, self.here.iter().filter_map(|it| it.plate(config)).collect());
        self.here.iter().filter_map(|it| it.wired(config)).collect()
    }

    /// Dresses those who are here, and welcomes those who come later. Ends when nothing is left to do.
    pub(crate) async fn attend(self, welcome: Welcome) {
        let Self { here, mut later, refused } = self;
        let dressed = |it: Connected| {
            let (config, agents) = (Rc::clone(&welcome.config), Rc::clone(&welcome.agents));
            let roles = welcome.roles.clone();
            async move { it.dress(&config, roles, &agents).await }.boxed_local()
        };
        let mut dressing: FuturesUnordered<_> = here.into_iter().map(&dressed).collect();
        for text in refused {
            welcome.tell_refused(text).await;
        }
        loop {
            let next = tokio::select! {
                Some(next) = later.next() => next,
                Some(()) = dressing.next() => continue,
                else => return,
            };
            match next {
                (at, Ok(bot)) => {
                    let it = Connected { at, bot: Arc::new(bot) };
                    let config = &welcome.config;
                    source::add(&welcome.source.bots, it.plate(config));
                    if let Some(bot) = it.wired(config) {
                        welcome.lobby.enter(bot);
                    }
                    dressing.push(dressed(it));
                }
                (_, Err(failure)) => welcome.tell_refused(failure.text).await,
            }
        }
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
