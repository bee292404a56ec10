//! `guildhall run`: the life of the process, from secrets to drain.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    sync::{Arc, Mutex, RwLock, atomic::Ordering},
    time::Duration,
};

use ::watch::{KeyedHasher, LogConfig, Logs};
use adapters::telegram::{
    ConnectError, Endpoint, Observer, TelegramBot, TelegramConfig, WebhookTarget,
    webhook::{self, UpdateSink, WebhookBot},
};
use async_trait::async_trait;
use console::ConsoleConfig;
use flow::{
    alerter::{Placed, Surroundings},
    ingress::Msg as IngressMsg,
    roster::View,
    rulebook::{Rulebook, Rules},
    session::Recaller,
    tally::Tally,
    tree::{self, Doors, Ending},
    wiring::{Bot, Wiring},
};
use kit::{Health, ask};
use prometheus_client::registry::Registry;
use protocol::{
    BotId, Clock, PersonId, Timestamp,
    ledger::Ledger,
    messenger::{MenuEntry, MenuScope, Messenger, RawUpdate},
    model::Model,
};
use secrecy::{ExposeSecret as _, SecretString};
use store::{EngineKind, KeyPlace, Keys, Store, StoreConfig, StoreHealth, open_master};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Handle},
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::Instant,
};
use tracing::{debug, error, info, warn};

use crate::{
    alert_sinks,
    backups::{self, StoreCopier},
    build::{self, BuildError},
    config::{Config, EXIT_CONFIG, Loaded, Mode, StoreEngine, WEBHOOK_SECRET},
    init::is_inside,
    person, residency,
    rules::Book,
    source::{self, BotPlate, HallSource, PREFIX},
};

/// Exit code of a service that is not available (`EX_UNAVAILABLE`).
pub const EXIT_UNAVAILABLE: u8 = 69;
/// Exit code of a program that failed over itself (`EX_SOFTWARE`).
pub const EXIT_SOFTWARE: u8 = 70;

/// The wall clock of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp(since.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// Why the hall did not start, or how it ended.
#[derive(Debug)]
struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    fn config(error: &(dyn std::error::Error + 'static)) -> Self {
        Self { text: BuildError::of(error).to_string(), code: EXIT_CONFIG }
    }

    fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        Self { text: BuildError::of(error).to_string(), code: EXIT_UNAVAILABLE }
    }
}

/// Who may see the console, and what is printed about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// A login, with the token in a file of the data folder.
    Locked,
    /// Open: the demo on loopback.
    Open,
}

/// Runs the hall until it is asked to stop. Blocks. `standing` is called once every bot is connected.
#[must_use]
pub fn run(loaded: Loaded, door: Door, logs: &Logs, standing: &dyn Fn()) -> ExitCode {
    match life(loaded, door, logs, standing) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { text, code }) => {
            error!(error.message = text, event.action = "hall_ended", "the hall cannot go on");
            // lost-ok: standard error is closed; the exit code says the same.
            writeln!(std::io::stderr(), "guildhall: {text}").ok();
            ExitCode::from(code)
        }
    }
}

/// Starts the log. Before this nothing is logged, after this nothing is printed.
///
/// # Errors
/// Why the log cannot start, in words.
pub fn start_logs(loaded: &Loaded) -> Result<Logs, BuildError> {
    let config = &loaded.config.logs;
    let (dir, keep) = (config.dir.clone(), config.keep_days.0.unwrap_or(u32::from(u16::MAX)));
    let log_config = LogConfig {
        dir,
        stdout: config.stdout,
        filter: config.level.word().to_owned(),
        keep_days: u16::try_from(keep).unwrap_or(u16::MAX),
        ..LogConfig::default()
    };
    let long_enough = |it: &&SecretString| 6 <= it.expose_secret().len();
    let secrets: Vec<SecretString> = loaded.secrets.all().filter(long_enough).cloned().collect();
    let logs = Logs::start(log_config, &secrets, Arc::new(SystemClock));
    logs.map_err(|error| BuildError::of(&error))
}

/// The life of the process.
fn life(loaded: Loaded, door: Door, logs: &Logs, standing: &dyn Fn()) -> Result<(), Failure> {
    kit::panics::install_hook();
    keep_to_ourselves();
    loaded.ready_to_run().map_err(|error| Failure::config(&error))?;
    for warning in &loaded.warnings {
        warn!(
            labels.warning = warning,
            event.action = "config_warning",
            "the configuration works, but"
        );
    }
    if loaded.secrets.all().any(|it| it.expose_secret().len() < build::SECRET_BYTES_MIN) {
        warn!(
            event.action = "config_warning",
            "a secret has fewer than 8 bytes: too short to be kept out of answers by its value"
        );
    }
    let models = build::models(&loaded).map_err(|error| Failure::config(&error))?;
    let recaller = build::recaller(&loaded.config).map_err(|error| Failure::config(&error))?;
    let (book, rules) = Book::open(&loaded).map_err(|error| Failure::config(&error))?;
    build::founding(&loaded.config, &[]).map_err(|error| Failure::config(&error))?;
    alert_sinks::sinks(&loaded).map_err(|error| Failure::config(&error))?;
    residency::check(&loaded.config).map_err(|error| Failure::config(&error))?;
    let keys = keys(&loaded.config)?;
    let names = keys.derive("log pseudonyms");
    let marked = keys.derive("marked texts");
    let canary: String =
        keys.derive("prompt canary").iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let canary = Arc::from(format!("gh-{canary}"));
    let shelf = backups::shelf(&loaded).map_err(|error| Failure::config(&error))?;
    let store = Store::open(store_config(&loaded.config), keys);
    let store = store.map_err(|error| Failure::unavailable(&error))?;
    info!(event.action = "store_opened", "the ledger is open");

    let mut egress = Builder::new_multi_thread();
    egress.worker_threads(1).thread_name("egress").enable_all();
    let egress = egress.build().map_err(|error| Failure::unavailable(&error))?;
    let hall = Hall {
        egress: egress.handle().clone(),
        canary,
        hasher: Arc::new(KeyedHasher::new(*names)),
        marked: Arc::new(KeyedHasher::new(*marked)),
        store: store.clone(),
        copier: Arc::new(StoreCopier {
            store: store.clone(),
            shelf,
            rules: backups::rules(&loaded.config),
            stop: Arc::default(),
        }),
        models,
        recaller,
        rulebook: Arc::new(book),
        rules: Arc::new(arc_swap::ArcSwap::from_pointee(rules)),
        loaded,
        door,
    };
    let ended = kit::block_on(hall.stand(logs, standing));
    if let Err(error) = store.close() {
        error!(error.message = %error, event.action = "store_closed", "the ledger was not closed well");
    }
    ended
}

/// No core dumps, and files that only we may read.
fn keep_to_ourselves() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    if rustix::process::setrlimit(rustix::process::Resource::Core, none).is_err() {
        warn!(event.action = "core_dumps_on", "core dumps could not be switched off");
    }
}

/// What the configuration says about the ledger.
#[must_use]
pub fn store_config(config: &Config) -> StoreConfig {
    let usual = StoreConfig::new(store_folder(config));
    StoreConfig {
        seen_window: config.store.dedupe_window,
        queue_max: config.store.queue_max,
        cache_bytes: config.store.cache_bytes.0,
        keyring: config.keyring_file(),
        reserve_bytes: config.store.reserve_bytes.0,
        segments_bytes_max: config.store.log_bytes_max.0,
        engine: match config.store.engine {
            StoreEngine::Sled => EngineKind::Sled,
            StoreEngine::Redb => EngineKind::Redb,
        },
        ..usual
    }
}

/// Where the ledger lies.
#[must_use]
pub fn store_folder(config: &Config) -> PathBuf {
    config.hall.data_dir.join("ledger")
}

/// The master key: read, or made where there is nothing yet that another key could have sealed.
fn keys(config: &Config) -> Result<Keys, Failure> {
    let (path, data) = (config.key_file(), &config.hall.data_dir);
    let keyring = config.keyring_file();
    if is_inside(&keyring, data) {
        let text = format!(
            "the keyring {} lies inside the data folder {}; set hall.keyring_file to a place \
             outside of it",
            keyring.display(),
            data.display()
        );
        return Err(Failure { text, code: EXIT_CONFIG });
    }
    let place = KeyPlace::OutsideOf(data);
    if !path.exists() && !store_folder(config).exists() {
        let keys = Keys::create(&path, place).map_err(|error| Failure::config(&error))?;
        info!(
            event.action = "key_made",
            "a new master key was made; keep a copy of it in a safe place"
        );
        return Ok(keys);
    }
    open_master(&path, &keyring, place).map_err(|error| Failure::config(&error))
}

struct Hall {
    loaded: Loaded,
    door: Door,
    hasher: Arc<KeyedHasher>,
    /// Makes digests of texts that were marked as false alarms.
    marked: Arc<KeyedHasher>,
    store: Store,
    /// Makes backups of it.
    copier: Arc<StoreCopier>,
    models: Arc<[Arc<dyn Model>]>,
    recaller: Option<Recaller>,
    rulebook: Arc<dyn Rulebook>,
    rules: Rules,
    /// Where messages are sent.
    egress: Handle,
    /// A word that stands in every agent's instructions and nowhere else.
    canary: Arc<str>,
}

impl Hall {
    async fn stand(self, logs: &Logs, standing: &dyn Fn()) -> Result<(), Failure> {
        let mut registry = Registry::with_prefix(PREFIX);
        let tally = Tally::register(&mut registry);
        let (health, doors) = (Health::default(), Doors::default());
        let hall = Arc::new(arc_swap::ArcSwap::from_pointee(View::default()));
        let source = Arc::new(self.source(&health, &hall, &doors, registry, logs));
        let console = self.serve_console(Arc::clone(&source)).await?;

        let (stop, stopping) = watch::channel(false);
        let signals = kit::spawn(listen(stop, Arc::clone(&source)));
        let mut early_stop = stopping.clone();
        let connected = tokio::select! {
            connected = self.connect(&source, &tally) => connected?,
            _ = early_stop.wait_for(|it| *it) => return Ok(()),
        };
        let ids: Vec<BotId> = connected.iter().map(|it| it.identity().id).collect();
        let founding = build::founding(&self.loaded.config, &ids);
        let founding = founding.map_err(|error| Failure::config(&error))?;
        let bots = self.bots(&connected);
        let webhooks = self.serve_webhooks(&ids, &doors).await?;
        source::put(&source.bots, plates(&self.loaded.config, &connected));
        let menus = kit::spawn(set_menus(connected, founding.admins.clone()));

        standing();
        let sinks = alert_sinks::sinks(&self.loaded).map_err(|error| Failure::config(&error))?;
        let around = alert_sinks::surroundings(&self.loaded.config, logs.drop_counter());
        let wiring = Rc::new(self.wiring(bots, founding, hall, tally, (sinks.into(), around)));
        let breakers = kit::spawn(source::watch_breakers(Arc::clone(&source), doors.clone()));
        let ending = tree::run(wiring, health, doors, stopping).await;
        // A backup that is under way must not hold up the end.
        self.copier.stop.store(true, Ordering::Relaxed);
        for task in [breakers, signals, menus] {
            task.abort();
        }
        if let Some(webhooks) = webhooks {
            webhooks.stop().await;
        }
        console.stop().await;
        match ending {
            Ending::Drained => {
                info!(event.action = "hall_drained", "everything was put to rest");
                Ok(())
            }
            Ending::GaveUp { child, fault } => Err(Failure {
                text: format!(
                    "{child} failed too often ({fault}); a supervisor should restart the program"
                ),
                code: EXIT_SOFTWARE,
            }),
        }
    }

    fn source(
        &self,
        health: &Health,
        hall: &flow::roster::Shared,
        doors: &Doors,
        registry: Registry,
        logs: &Logs,
    ) -> HallSource {
        let (store, counter) = (self.store.clone(), logs.drop_counter());
        let (rotated, config) = (self.store.clone(), self.loaded.config.clone());
        HallSource {
            health: health.clone(),
            ledger: Arc::new(self.store.clone()),
            store_fault: Box::new(move || match store.health() {
                StoreHealth::Good => None,
                StoreHealth::Closed => Some("the ledger is closed".to_owned()),
                StoreHealth::Failed(why) => Some(why),
            }),
            rotate: Box::new(move || {
                let (store, config) = (rotated.clone(), config.clone());
                Box::pin(async move {
                    person::rotate(&store, &config).await?;
                    Ok("\"the master key was changed\"".to_owned())
                })
            }),
            hall: Arc::clone(hall),
            rules: Arc::clone(&self.rules),
            rulebook: Arc::clone(&self.rulebook),
            doors: doors.clone(),
            registry: Mutex::new(registry),
            dropped_lines: Box::new(counter),
            bots: RwLock::new(Vec::new()),
            waiting_for: RwLock::new(None),
            breakers: RwLock::new(Vec::new()),
            stopping: false.into(),
            born: Instant::now(),
        }
    }

    async fn serve_console(&self, source: Arc<HallSource>) -> Result<console::Console, Failure> {
        let addr = self.loaded.config.http.addr;
        let listener = TcpListener::bind(addr).await;
        let listener = listener.map_err(|error| Failure {
            text: format!("the console cannot listen on {addr}: {error}; set GUILDHALL_HTTP_ADDR"),
            code: EXIT_UNAVAILABLE,
        })?;
        let is_open = self.door == Door::Open || !self.loaded.config.http.login;
        let login_token = match is_open {
            true => None,
            false => Some(console_token(&self.loaded.config.hall.data_dir)?),
        };
        let config =
            ConsoleConfig { loopback_demo: is_open, login_token, ..ConsoleConfig::default() };
        let console = console::serve(listener, source, config);
        let console = console.map_err(|error| Failure::config(&error))?;
        info!(
            labels.address = %console.address(), event.action = "console_open",
            "the console is open"
        );
        Ok(console)
    }

    /// Connects every bot; waits for Telegram as long as it takes.
    async fn connect(
        &self,
        source: &HallSource,
        tally: &Tally,
    ) -> Result<Vec<Arc<TelegramBot>>, Failure> {
        let observer: Arc<dyn Observer> = Arc::new(Counting(tally.clone()));
        let config = &self.loaded.config;
        let mut connected = Vec::new();
        for bot in &config.bots {
            let token = self.loaded.secrets.get(&bot.token_name()).cloned();
            let token = token.unwrap_or_else(|| SecretString::from(""));
            let api_url = config.api_url(bot).to_owned();
            let endpoint = Endpoint { api_url, token, plain_http_allowed: false };
            let webhook = self.webhook_of(bot);
            let telegram =
                TelegramConfig { endpoint, webhook, observer: Some(Arc::clone(&observer)) };
            connected.push(Arc::new(self.connect_one(&bot.name, &telegram, source).await?));
        }
        source::put(&source.waiting_for, None);
        Ok(connected)
    }

    fn webhook_of(&self, bot: &crate::config::BotConfig) -> Option<WebhookTarget> {
        let config = &self.loaded.config;
        if config.mode(bot) == Mode::Poll {
            return None;
        }
        let public_url = config.telegram.webhook_url.clone()?;
        let secret = self.loaded.secrets.get(WEBHOOK_SECRET)?.clone();
        Some(WebhookTarget { public_url, secret })
    }

    async fn connect_one(
        &self,
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
            source::put(&source.waiting_for, Some(format!("bot {name}: {error}")));
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(15));
        }
    }

    fn bots(&self, connected: &[Arc<TelegramBot>]) -> Vec<Bot> {
        let polls =
            self.loaded.config.bots.iter().map(|it| self.loaded.config.mode(it) == Mode::Poll);
        let pairs = connected.iter().zip(polls);
        pairs
            .map(|(bot, polls)| Bot { messenger: Arc::clone(bot) as Arc<dyn Messenger>, polls })
            .collect()
    }

    async fn serve_webhooks(
        &self,
        ids: &[BotId],
        doors: &Doors,
    ) -> Result<Option<console::Routes>, Failure> {
        let config = &self.loaded.config;
        let hooked =
            ids.iter().zip(&config.bots).filter(|(_, bot)| config.mode(bot) == Mode::Webhook);
        let mut bots = Vec::new();
        for (id, _) in hooked {
            let Some(secret) = self.loaded.secrets.get(WEBHOOK_SECRET) else { continue };
            let bot = WebhookBot::new(*id, secret).map_err(|error| Failure::config(&error))?;
            bots.push(bot);
        }
        if bots.is_empty() {
            return Ok(None);
        }
        let addr = config.telegram.webhook_addr;
        let listener = TcpListener::bind(addr).await;
        let listener = listener.map_err(|error| Failure {
            text: format!("the webhook cannot listen on {addr}: {error}"),
            code: EXIT_UNAVAILABLE,
        })?;
        let router = webhook::routes(bots, Arc::new(ToIngress { doors: doors.clone() }));
        info!(labels.address = %addr, event.action = "webhook_open", "the webhook is open");
        Ok(Some(console::serve_routes(listener, router)))
    }

    fn wiring(
        &self,
        bots: Vec<Bot>,
        founding: flow::roster::Founding,
        hall: flow::roster::Shared,
        tally: Tally,
        (sinks, surroundings): (Arc<[Placed]>, Arc<dyn Fn() -> Surroundings + Send + Sync>),
    ) -> Wiring {
        let config = &self.loaded.config;
        let (hasher, marked) = (Arc::clone(&self.hasher), Arc::clone(&self.marked));
        Wiring {
            ledger: Arc::new(self.store.clone()) as Arc<dyn Ledger>,
            egress: self.egress.clone(),
            models: Arc::clone(&self.models),
            bots,
            rules: Arc::clone(&self.rules),
            rulebook: Arc::clone(&self.rulebook),
            sinks,
            surroundings,
            clock: Arc::new(SystemClock),
            tally,
            hall,
            founding: Arc::new(founding),
            pseudonym: Arc::new(move |person: PersonId| hasher.person(person)),
            digest: Arc::new(move |text: &str| marked.text_digest(text)),
            version: env!("CARGO_PKG_VERSION"),
            recaller: self.recaller.clone(),
            session: Arc::new(build::session(config, &self.models)),
            keeper: build::keeper(config),
            broker: build::broker(config, Arc::clone(&self.canary)),
            ingress: build::ingress(config),
            pacing: build::pacing(config),
            alerter: alert_sinks::alerter(config),
            retention: build::retention(config),
            backups: backups::due(config)
                .map(|due| (Arc::clone(&self.copier) as Arc<dyn flow::archivist::Copier>, due)),
        }
    }
}

/// Counts calls to Telegram.
struct Counting(Tally);

impl Observer for Counting {
    fn called(&self, method: &str, code: u16) {
        self.0.telegram_called(method, code);
    }

    fn asked_to_wait(&self, span: Duration) {
        self.0.asked_to_wait(span);
    }
}

/// Hands pushed updates to the ingress of their bot.
struct ToIngress {
    doors: Doors,
}

#[async_trait]
impl UpdateSink for ToIngress {
    async fn accept(&self, bot: BotId, update: RawUpdate) -> webhook::Accepted {
        let Some(ingress) = self.doors.ingress(bot) else { return webhook::Accepted::TryLater };
        match ask(&ingress, |reply| IngressMsg::Pushed(update, reply)).await {
            Ok(flow::ingress::Accepted::Durable) => webhook::Accepted::Durable,
            Ok(flow::ingress::Accepted::TryLater) | Err(_) => webhook::Accepted::TryLater,
        }
    }
}

/// A token to sign in to the console, in a file that only we may read.
fn console_token(data: &Path) -> Result<SecretString, Failure> {
    let unavailable = |what: &str, error: &dyn std::fmt::Display| Failure {
        text: format!("{what}: {error}"),
        code: EXIT_UNAVAILABLE,
    };
    let token = console::mint_token()
        .map_err(|error| unavailable("no random numbers for the console's token", &error))?;
    let path = data.join("console.token");
    let write = || -> std::io::Result<()> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => (),
        }
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(token.expose_secret().as_bytes())
    };
    write().map_err(|error| unavailable("the console's token cannot be written", &error))?;
    Ok(token)
}

/// Sets the command menus: one for everybody, a longer one in each admin's own chat. Tries again
/// until all are set.
async fn set_menus(bots: Vec<Arc<TelegramBot>>, admins: std::collections::BTreeSet<PersonId>) {
    let entry = |it: &flow::request::MenuItem| MenuEntry {
        command: it.name,
        description: it.does.to_owned(),
    };
    let everyone: Vec<MenuEntry> =
        flow::request::MENU.iter().filter(|it| !it.admin).map(entry).collect();
    let all: Vec<MenuEntry> = flow::request::MENU.iter().map(entry).collect();
    let scopes = [MenuScope::Private, MenuScope::Groups].map(|it| (it, &everyone));
    let chats = admins.iter().map(|it| (MenuScope::Chat(protocol::ChatId(it.0)), &all));
    let mut unset: Vec<_> = bots
        .iter()
        .flat_map(|bot| scopes.into_iter().chain(chats.clone()).map(move |it| (bot, it)))
        .collect();
    let mut pause = Duration::from_secs(5);
    while !unset.is_empty() {
        let mut refused = Vec::new();
        for (bot, (scope, menu)) in unset {
            // An admin who never wrote to the bot has no chat yet.
            if let Err(error) = bot.set_menu(scope, menu).await {
                debug!(error.message = %error, event.action = "menu_not_set", "a command menu was not set yet");
                refused.push((bot, (scope, menu)));
            }
        }
        unset = refused;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(600));
    }
}

/// Turns signals into a stop: the first asks, the second ends the process at once.
async fn listen(stop: watch::Sender<bool>, source: Arc<HallSource>) {
    let (Ok(mut term), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        error!(
            event.action = "signals_unheard",
            "signals cannot be heard; the hall must be killed to stop"
        );
        return;
    };
    tokio::select! { _ = term.recv() => (), _ = interrupt.recv() => () }
    info!(event.action = "stopping", "the hall finishes what it has and takes nothing new");
    source.stopping.store(true, Ordering::Relaxed);
    stop.send_replace(true);
    tokio::select! { _ = term.recv() => (), _ = interrupt.recv() => () }
    warn!(event.action = "stopped_at_once", "asked twice: ending at once");
    // Everything acknowledged is durable; what was under way goes on at the next start.
    std::process::exit(0);
}

/// The names of the connected bots, for the console.
fn plates(config: &Config, connected: &[Arc<TelegramBot>]) -> Vec<BotPlate> {
    let pairs = connected.iter().zip(&config.bots);
    pairs
        .map(|(bot, it)| BotPlate {
            ingress: format!("ingress/{}", bot.identity().id),
            username: bot.identity().username.clone(),
            mode: if config.mode(it) == Mode::Poll { "polling" } else { "webhook" },
        })
        .collect()
}

/// What `doctor` can only find out by trying: the ledger, the models, Telegram.
#[must_use]
pub fn examine(loaded: &Loaded) -> Vec<crate::doctor::Finding> {
    use crate::doctor::Finding;
    let config = &loaded.config;
    let mut findings = Vec::new();
    let folder = store_folder(config);
    if folder.exists() && config.key_file().exists() {
        let place = KeyPlace::OutsideOf(&config.hall.data_dir);
        let opened = open_master(&config.key_file(), &config.keyring_file(), place)
            .map_err(|error| BuildError::of(&error))
            .and_then(|keys| {
                Store::open(store_config(config), keys).map_err(|error| BuildError::of(&error))
            });
        findings.push(match opened {
            Ok(store) => {
                let waiting = store.gauge().waiting;
                match store.close() {
                    Ok(()) => {
                        Finding::ok(format!("the ledger opens; {waiting} updates wait in it"))
                    }
                    Err(error) => Finding::bad(
                        "the ledger does not close",
                        error.to_string(),
                        "look at the disk",
                    ),
                }
            }
            Err(error) => Finding::warn(
                "the ledger does not open",
                error.to_string(),
                "if the hall is running, this is as it should be; `guildhall status` asks it",
            ),
        });
    }
    findings.push(backups::examine(loaded));
    findings.push(match build::models(loaded) {
        Ok(models) => Finding::ok(format!("{} models are ready to be asked", models.len())),
        Err(error) => {
            Finding::bad("a model cannot be used", error.to_string(), "correct its settings")
        }
    });
    findings.push(match build::screen(loaded) {
        Ok(_) => Finding::ok("the guard's rules compile"),
        Err(error) => {
            Finding::bad("the guard's rules do not compile", error.to_string(), "correct the rule")
        }
    });
    match build::second_opinion(&loaded.config.guard) {
        Ok(None) => {}
        Ok(Some(_)) => findings.push(Finding::ok("the guard's transformer can be asked")),
        Err(error) => findings.push(Finding::bad(
            "the guard's transformer cannot be asked",
            error.to_string(),
            "run scripts/fetch-guard-model, or correct guard.transformer_path",
        )),
    }
    findings.extend(kit::block_on(examine_bots(loaded)));
    findings
}

async fn examine_bots(loaded: &Loaded) -> Vec<crate::doctor::Finding> {
    use crate::doctor::Finding;
    let config = &loaded.config;
    let mut findings = Vec::new();
    for bot in &config.bots {
        let token = loaded.secrets.get(&bot.token_name()).cloned();
        let token = token.unwrap_or_else(|| SecretString::from(""));
        let endpoint =
            Endpoint { api_url: config.api_url(bot).to_owned(), token, plain_http_allowed: false };
        findings.push(match TelegramBot::look(&endpoint).await {
            Ok(identity) => Finding::ok(format!(
                "bot {}: Telegram knows it as @{}",
                bot.name, identity.username
            )),
            Err(error) => Finding::bad(
                format!("bot {} cannot be connected", bot.name),
                BuildError::of(&error).to_string(),
                "check the token, the network and api_url",
            ),
        });
    }
    findings
}
