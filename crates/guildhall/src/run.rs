//! `guildhall run`: the life of the process, from secrets to drain.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::watch::{Form, KeyedHasher, LogConfig, Logs, SyslogConfig};
use adapters::{
    telegram::{
        Observer, TelegramBot,
        webhook::{self, UpdateSink, WebhookBot},
    },
    tools::Hands,
};
use async_trait::async_trait;
use console::ConsoleConfig;
use flow::{
    alerter::{self, Placed, Severity, Surroundings},
    incident,
    ingress::Msg as IngressMsg,
    right::Role,
    roster::View,
    rulebook::{Rulebook, Rules},
    senses::Senses,
    session::Recaller,
    tally::{Follower, Tally},
    treasurer::Desk,
    tree::{self, Doors, Ending},
    wiring::{Bot, Lobby, Wiring},
    words::{Text, home},
};
use kit::{Health, ask};
use prometheus_client::registry::Registry;
use protocol::{
    BotId, Clock, Language, Languages, PersonId, Timestamp,
    audit::{Action, AuditLog as _, Deed, Doer, Outcome, Target},
    ledger::Ledger,
    messenger::{MenuEntry, MenuScope, Messenger, RawUpdate},
    model::Model,
    tool::Toolbox,
};
use secrecy::{ExposeSecret as _, SecretString};
use store::{EngineKind, Keys, LogKeys, Store, StoreConfig, StoreHealth};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Handle, Runtime},
    sync::watch,
    time::Instant,
};
use tracing::{debug, error, info, warn};

use crate::{
    alert_sinks, audit,
    audit_lines::AuditLines,
    backups::{self, StoreCopier},
    build::{self, BuildError},
    clerk::HallClerk,
    config::{Config, EXIT_CONFIG, Loaded, LogForm, Mode, StoreEngine, WEBHOOK_SECRET},
    connect, incidents,
    init::is_inside,
    master::{self, Master},
    otlp, playbooks, residency,
    rules::Book,
    senses, signals,
    source::{self, HallSource, PREFIX},
    systemd, telemetry,
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
        let now = since.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX));
        Timestamp(now.saturating_add(clock_ahead()))
    }
}

/// How far a test sets the clock ahead: days pass between two starts.
#[cfg(feature = "faults")]
fn clock_ahead() -> u64 {
    static AHEAD: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    let told = || std::env::var("FAULTS_CLOCK_AHEAD_MS").ok();
    *AHEAD.get_or_init(|| told().and_then(|it| it.parse().ok()).unwrap_or_default())
}

/// Nothing in this build.
#[cfg(not(feature = "faults"))]
const fn clock_ahead() -> u64 {
    0
}

/// Why the hall did not start, or how it ended.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) text: String,
    pub(crate) code: u8,
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

/// Whether the hall could start anew; in words why not.
pub type MayRenew = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What the hall is told and asks while it runs.
pub struct Cues<'c> {
    /// Called once every bot is connected.
    pub standing: &'c dyn Fn(),
    /// Whether the hall could start anew with the configuration as it is now. `None`: it never does, and
    /// SIGHUP ends it, as when its terminal is closed.
    pub may_renew: Option<MayRenew>,
    /// Ends the hall as a signal does, once it says true.
    pub ends: Option<watch::Receiver<bool>>,
}

/// Runs the hall until it is asked to stop. Blocks. `None` if it is to be started anew: SIGHUP came.
#[must_use]
pub fn run(loaded: Loaded, door: Door, logs: &Logs, cues: Cues<'_>) -> Option<ExitCode> {
    let renews = Arc::new(AtomicBool::new(false));
    match life(loaded, door, logs, (cues, Arc::clone(&renews))) {
        Ok(()) if renews.load(Ordering::Relaxed) => None,
        Ok(()) => Some(ExitCode::SUCCESS),
        Err(Failure { text, code }) => {
            error!(error.message = text, event.action = "hall_ended", "the hall cannot go on");
            // lost-ok: standard error is closed; the exit code says the same.
            writeln!(std::io::stderr(), "guildhall: {text}").ok();
            Some(ExitCode::from(code))
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
        form: form(config.format),
        syslog: syslog(&config.syslog)?,
        filter: config.level.word().to_owned(),
        keep_days: u16::try_from(keep).unwrap_or(u16::MAX),
        file_bytes_max: (config.bytes_max.0 / 16).clamp(1 << 16, 64 << 20),
        total_bytes_max: config.bytes_max.0,
        ..LogConfig::default()
    };
    let long_enough = |it: &&SecretString| 6 <= it.expose_secret().len();
    let secrets: Vec<SecretString> = loaded.secrets.all().filter(long_enough).cloned().collect();
    let taps = telemetry::error_tap(loaded).map_err(|error| BuildError::of(&error))?;
    let logs = Logs::start(log_config, &secrets, Arc::new(SystemClock), taps);
    logs.map_err(|error| BuildError::of(&error))
}

/// Where the log is sent besides.
fn syslog(config: &crate::config::SyslogSection) -> Result<Option<SyslogConfig>, BuildError> {
    let Some(addr) = &config.addr else { return Ok(None) };
    let parts = addr.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = parts.ok_or_else(|| {
        BuildError::in_words(format!("logs.syslog.addr: `{addr}` must be a name and a port"))
    })?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let (ca_file, form) = (config.ca_file.clone(), form(config.format));
    Ok(Some(SyslogConfig { host, port, ca_file, hostname, form }))
}

/// What lines look like.
fn form(word: LogForm) -> Form {
    match word {
        LogForm::Ecs => Form::Ecs,
        LogForm::Cef => Form::Cef,
        LogForm::Ocsf => Form::Ocsf,
    }
}

/// The life of the process.
fn life(
    loaded: Loaded,
    door: Door,
    logs: &Logs,
    cues: (Cues<'_>, Arc<AtomicBool>),
) -> Result<(), Failure> {
    kit::panics::install_hook();
    keep_to_ourselves();
    loaded.ready_to_run().map_err(|error| Failure::config(&error))?;
    warn_of(&loaded);
    let models = build::models(&loaded).map_err(|error| Failure::config(&error))?;
    playbooks::load(&loaded.config).map_err(|error| Failure::config(&error))?;
    let recaller = build::recaller(&loaded.config).map_err(|error| Failure::config(&error))?;
    let (book, rules) = Book::open(&loaded).map_err(|error| Failure::config(&error))?;
    build::founding(&loaded.config, &[]).map_err(|error| Failure::config(&error))?;
    alert_sinks::sinks(&loaded).map_err(|error| Failure::config(&error))?;
    residency::check(&loaded.config).map_err(|error| Failure::config(&error))?;
    let (keys, next) = keys(&loaded.config)?.take_next();
    let shelf = backups::shelf(&loaded).map_err(|error| Failure::config(&error))?;
    // Where there is a keyring already, a ledger that does not open is told in the log files, too.
    if let Ok(log_keys) = LogKeys::open(&loaded.config.keyring_file(), &keys) {
        logs.seal_with(Arc::new(log_keys));
    }
    let store = Store::open(store_config(&loaded.config), keys);
    let store = store.map_err(|error| Failure::unavailable(&error))?;
    logs.seal_with(Arc::new(store.log_keys().map_err(|error| Failure::unavailable(&error))?));
    info!(event.action = "store_opened", "the ledger is open");
    let is_changed = next.is_some();
    let taken_over = kit::block_on(master::take_over(&store, next));
    taken_over.map_err(|error| Failure::unavailable(&error))?;
    let own_key = |label| store.own_key(label).map_err(|error| Failure::unavailable(&error));
    let (names, marked) = (own_key("pseudonyms")?, own_key("marked texts")?);
    let canary = own_key("prompt canary")?;
    let canary = Arc::from(self::canary(&canary));
    let audit = audit::open(&loaded.config, &store).map_err(|error| Failure::config(&error))?;
    if is_changed {
        audit.note(audit::deed(Doer::Hall, Action::KeyRotated, Target::Nothing));
    }

    let [egress, judges] = [beside("egress")?, beside("guard")?];
    let senses = senses::senses(&loaded, egress.handle().clone());
    let toolbox = {
        let _egress = egress.enter();
        build::toolbox::toolbox(&loaded, egress.handle().clone(), Arc::new(SystemClock))
            .map_err(|error| Failure::config(&error))?
    };
    let senses = senses.map_err(|error| Failure::config(&error))?;
    let hall = Hall {
        egress: egress.handle().clone(),
        judges: judges.handle().clone(),
        canary,
        hasher: Arc::new(KeyedHasher::new(*names)),
        marked: Arc::new(KeyedHasher::new(*marked)),
        store: store.clone(),
        incidents: Arc::new(incident::Desk::before(Arc::new(AuditLines(Arc::new(audit.clone()))))),
        copier: Arc::new(StoreCopier {
            store: store.clone(),
            audit: audit::place(&loaded.config),
            shelf,
            rules: backups::rules(&loaded.config),
            stop: Arc::default(),
        }),
        models,
        recaller,
        senses,
        toolbox: Arc::new(toolbox),
        rulebook: Arc::new(book),
        rules: Arc::new(arc_swap::ArcSwap::from_pointee(rules)),
        loaded: Arc::new(loaded),
        door,
    };
    let ended = kit::block_on(hall.stand(logs, cues));
    audit.close(farewell(&ended));
    if let Err(error) = store.close() {
        error!(error.message = %error, event.action = "store_closed", "the ledger was not closed well");
    }
    ended
}

/// A runtime of one thread beside that of the actors.
fn beside(name: &str) -> Result<Runtime, Failure> {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(1).thread_name(name).enable_all();
    runtime.build().map_err(|error| Failure::unavailable(&error))
}

/// The word that stands in every agent's instructions and nowhere else, by the key that it is made of.
pub(crate) fn canary(key: &[u8; 32]) -> String {
    let digits: String = key.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("gh-{digits}")
}

/// What works, and could be better.
fn warn_of(loaded: &Loaded) {
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
}

/// The last record of a hall that ends by itself; one that is killed has none.
fn farewell(ended: &Result<(), Failure>) -> Deed {
    let deed = audit::deed(Doer::Hall, Action::HallStopped, Target::Nothing);
    match ended {
        Ok(()) => deed,
        Err(failure) => deed.with(Outcome::Failed).about(failure.text.as_str()),
    }
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
fn keys(config: &Config) -> Result<Master, Failure> {
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
    if !master::exists(config) && !store_folder(config).exists() {
        let made = Keys::create(&path, master::place(config));
        let keys = made.map_err(|error| Failure::config(&error))?;
        info!(
            event.action = "key_made",
            "a new master key was made; keep a copy of it in a safe place"
        );
        return Ok(Master { keys, next: None });
    }
    master::open(config).map_err(|error| Failure::config(&error))
}

/// How often it is looked whether lines of the log were lost.
const LOG_LOOK_EVERY: Duration = Duration::from_secs(10);

struct Hall {
    loaded: Arc<Loaded>,
    door: Door,
    hasher: Arc<KeyedHasher>,
    /// Makes digests of texts that were marked as false alarms.
    marked: Arc<KeyedHasher>,
    store: Store,
    /// What officers do, and what incidents there are.
    incidents: Arc<incident::Desk>,
    /// Makes backups of it.
    copier: Arc<StoreCopier>,
    models: Arc<[Arc<dyn Model>]>,
    recaller: Option<Recaller>,
    senses: Senses,
    /// What agents can do besides writing.
    toolbox: Arc<Hands>,
    rulebook: Arc<dyn Rulebook>,
    rules: Rules,
    /// Where messages are sent.
    egress: Handle,
    judges: Handle,
    /// A word that stands in every agent's instructions and nowhere else.
    canary: Arc<str>,
}

impl Hall {
    async fn stand(
        self,
        logs: &Logs,
        (cues, renews): (Cues<'_>, Arc<AtomicBool>),
    ) -> Result<(), Failure> {
        let mut registry = Registry::with_prefix(PREFIX);
        let tally = Tally::register(&mut registry);
        let (health, doors) = (Health::default(), Doors::default());
        let hall = Arc::new(arc_swap::ArcSwap::from_pointee(View::default()));
        let noted = audit::note_start(self.incidents.as_ref(), &self.loaded).await;
        noted.map_err(|error| Failure::unavailable(&error))?;
        let calendar = build::calendar(&self.loaded.config);
        let calendar = calendar.map_err(|error| Failure::config(&error))?;
        let desk = Desk::new(Arc::clone(&hall), Arc::new(SystemClock), calendar);
        let source = self.source(&health, &hall, &doors, &desk, registry, logs);
        let source = Arc::new(source);
        let console = self.serve_console(Arc::clone(&source)).await?;

        let (stop, stopping) = watch::channel(false);
        let renewal = (cues.may_renew, renews, cues.ends);
        let signals = kit::spawn(signals::listen(stop, Arc::clone(&source), renewal));
        let mut early_stop = stopping.clone();
        let count: Arc<dyn Observer> = Arc::new(Counting(tally.clone()));
        let connected = tokio::select! {
            connected = connect::connect(&self.loaded, &source, Arc::clone(&count)) => connected?,
            _ = early_stop.wait_for(|it| *it) => return Ok(()),
        };
        let ids = connect::ids(&self.loaded);
        let founding = build::founding(&self.loaded.config, &ids);
        let founding = founding.map_err(|error| Failure::config(&error))?;
        let webhooks = self.serve_webhooks(&ids, &doors).await?;
        let bots = (connected.wired(&self.loaded.config, &source), Lobby::default());
        let welcome = self.welcome((&source, &count, &hall), &bots.1, &doors, &founding);
        let menus = kit::spawn(connected.attend(welcome));

        (cues.standing)();
        systemd::stands();
        let pulse = kit::spawn(systemd::keep_alive());
        let sinks = alert_sinks::sinks(&self.loaded).map_err(|error| Failure::config(&error))?;
        let toolbox = Arc::clone(&self.toolbox) as _;
        let around = alert_sinks::surroundings(&self.loaded.config, logs.drop_counter(), toolbox);
        let sinks = (sinks.into(), around);
        let teller = self.follow_turns(&tally)?;
        let wiring = Rc::new(self.wiring(bots, founding, hall, desk, tally, sinks));
        let failures =
            kit::spawn(incidents::watch_failures(health.clone(), Arc::clone(&self.incidents)));
        let breakers = kit::spawn(source::watch_breakers(Arc::clone(&source), doors.clone()));
        let losses = kit::spawn(watch_log(logs.drop_counter(), doors.clone()));
        let told = self.tell_figures(&source, logs)?;
        let telling = teller.as_ref().map_or_else(
            || kit::spawn(std::future::ready(())),
            |it| kit::spawn(otlp::tell(Rc::clone(it), Arc::clone(&source))),
        );
        let ending = tree::run(wiring, health, doors, stopping).await;
        for task in [breakers, failures, signals, menus, pulse, losses, told, telling] {
            task.abort();
        }
        self.put_down(webhooks, console).await;
        if let Some(teller) = teller {
            teller.round(&source, true);
        }
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

    /// What bots need that come while the hall stands.
    fn welcome(
        &self,
        (source, observer, hall): (&Arc<HallSource>, &Arc<dyn Observer>, &flow::roster::Shared),
        lobby: &Lobby,
        doors: &Doors,
        founding: &flow::roster::Founding,
    ) -> connect::Welcome {
        connect::Welcome {
            config: Rc::new(self.loaded.config.clone()),
            source: Arc::clone(source),
            lobby: lobby.clone(),
            doors: doors.clone(),
            roles: founding.roles.clone(),
            agents: founding.agents.clone().into(),
            loaded: Arc::clone(&self.loaded),
            observer: Arc::clone(observer),
            hall: Arc::clone(hall),
        }
    }

    fn source(
        &self,
        health: &Health,
        hall: &flow::roster::Shared,
        doors: &Doors,
        desk: &Desk,
        registry: Registry,
        logs: &Logs,
    ) -> HallSource {
        let (store, counter) = (self.store.clone(), logs.drop_counter());
        let (rotated, config) = (self.store.clone(), self.loaded.config.clone());
        HallSource {
            health: health.clone(),
            ledger: Arc::new(self.store.clone()),
            store: self.store.clone(),
            store_fault: Box::new(move || match store.health() {
                StoreHealth::Good => None,
                StoreHealth::Closed => Some("the ledger is closed".to_owned()),
                StoreHealth::Failed(why) => Some(why),
            }),
            audit: Arc::clone(&self.incidents) as _,
            incidents: Arc::clone(&self.incidents),
            rotate: Box::new(move || {
                let (store, config) = (rotated.clone(), config.clone());
                Box::pin(async move {
                    master::rotate(&store, &config).await?;
                    Ok("\"the master key was changed\"".to_owned())
                })
            }),
            hall: Arc::clone(hall),
            rules: Arc::clone(&self.rules),
            rulebook: Arc::clone(&self.rulebook),
            doors: doors.clone(),
            toolbox: Arc::clone(&self.toolbox) as _,
            desk: desk.clone(),
            hasher: Arc::clone(&self.hasher),
            registry: Mutex::new(registry),
            dropped_lines: Box::new(counter),
            untold: Default::default(),
            bots: RwLock::new(Vec::new()),
            waiting_for: RwLock::new(None),
            breakers: RwLock::new(Vec::new()),
            stopping: false.into(),
            born: Instant::now(),
        }
    }

    /// Makes what tells a collector how turns went, if there is one.
    fn follow_turns(&self, tally: &Tally) -> Result<Option<Rc<otlp::Teller>>, Failure> {
        let teller = otlp::teller(&self.loaded, &self.hasher);
        let Some(teller) = teller.map_err(|error| Failure::config(&error))? else {
            return Ok(None);
        };
        if let Some(turns) = teller.turns.clone() {
            let follow = move |key, events: &[_], now| turns.take(key, events, now);
            tally.follow(Follower(Box::new(follow)));
        }
        Ok(Some(Rc::new(teller)))
    }

    /// Hands the figures to those who do not fetch them.
    fn tell_figures(
        &self,
        source: &Arc<HallSource>,
        logs: &Logs,
    ) -> Result<tokio::task::JoinHandle<()>, Failure> {
        let config = &self.loaded.config.telemetry;
        let places = telemetry::figure_lines(config, logs);
        let places = places.map_err(|error| Failure::config(&error))?;
        let pace = (config.emf_namespace.clone(), config.emf_every);
        Ok(kit::spawn(telemetry::write_figures(Arc::clone(source), places, pace)))
    }

    async fn serve_console(&self, source: Arc<HallSource>) -> Result<console::Console, Failure> {
        let addr = self.loaded.config.http.addr;
        let listener = TcpListener::bind(addr).await;
        let listener = listener.map_err(|error| Failure {
            text: format!("the console cannot listen on {addr}: {error}; set GUILDHALL_HTTP_ADDR"),
            code: EXIT_UNAVAILABLE,
        })?;
        let is_open = self.door == Door::Open || !self.loaded.config.http.login;
        let data = &self.loaded.config.hall.data_dir;
        let (login_token, reader_token) = match is_open {
            true => (None, None),
            false => (
                Some(console_token(data, "console.token")?),
                Some(console_token(data, "console.reader")?),
            ),
        };
        let loopback_demo = is_open;
        let config =
            ConsoleConfig { loopback_demo, login_token, reader_token, ..ConsoleConfig::default() };
        let console = console::serve(listener, source, config);
        let console = console.map_err(|error| Failure::config(&error))?;
        info!(
            labels.address = %console.address(), event.action = "console_open",
            "the console is open"
        );
        Ok(console)
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

    /// Ends what stands beside the tree.
    async fn put_down(&self, webhooks: Option<console::Routes>, console: console::Console) {
        // A backup that is under way must not hold up the end.
        self.copier.stop.store(true, Ordering::Relaxed);
        self.toolbox.close().await;
        if let Some(webhooks) = webhooks {
            webhooks.stop().await;
        }
        console.stop().await;
    }

    fn wiring(
        &self,
        (bots, lobby): (Vec<Bot>, Lobby),
        founding: flow::roster::Founding,
        hall: flow::roster::Shared,
        desk: Desk,
        tally: Tally,
        (sinks, surroundings): (Arc<[Placed]>, Arc<dyn Fn() -> Surroundings + Send + Sync>),
    ) -> Wiring {
        let config = &self.loaded.config;
        let (hasher, marked) = (Arc::clone(&self.hasher), Arc::clone(&self.marked));
        Wiring {
            ledger: Arc::new(self.store.clone()) as Arc<dyn Ledger>,
            incidents: Arc::clone(&self.incidents),
            egress: self.egress.clone(),
            judges: self.judges.clone(),
            models: Arc::clone(&self.models),
            toolbox: Arc::clone(&self.toolbox) as Arc<dyn Toolbox>,
            bots,
            lobby,
            rules: Arc::clone(&self.rules),
            rulebook: Arc::clone(&self.rulebook),
            sinks,
            surroundings,
            clock: Arc::new(SystemClock),
            tally,
            hall,
            desk,
            founding: Arc::new(founding),
            pseudonym: Arc::new(move |person: PersonId| hasher.person(person)),
            tongues: flow::tongues::Tongues::new(build::languages(config)),
            digest: Arc::new(move |text: &str| marked.text_digest(text)),
            version: env!("CARGO_PKG_VERSION"),
            recaller: self.recaller.clone(),
            senses: self.senses.clone(),
            session: Arc::new(build::session(config, &self.models)),
            timekeeper: build::timekeeper(config),
            keeper: build::keeper(config),
            broker: build::broker(config, Arc::clone(&self.canary)),
            ingress: build::ingress(config),
            pacing: build::pacing(config),
            alerter: alert_sinks::alerter(config),
            retention: build::retention(config),
            clerk: Arc::new(HallClerk {
                store: self.store.clone(),
                shelf: Arc::clone(&self.copier.shelf),
                loaded: Arc::clone(&self.loaded),
            }),
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
fn console_token(data: &Path, name: &str) -> Result<SecretString, Failure> {
    let unavailable = |what: &str, error: &dyn std::fmt::Display| Failure {
        text: format!("{what}: {error}"),
        code: EXIT_UNAVAILABLE,
    };
    let token = console::mint_token()
        .map_err(|error| unavailable("no random numbers for the console's token", &error))?;
    let path = data.join(name);
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

/// A menu for one place, in one language; no language: for people whose language is not spoken here.
type Menu = (MenuScope, Option<Language>, Vec<MenuEntry>);

/// The command menus: one for everybody, a longer one in each officer's own chat, in each language.
/// A bot that is one agent's own has nobody to choose from.
fn menus(
    languages: Languages,
    roles: &std::collections::BTreeMap<PersonId, Role>,
    is_own: bool,
) -> Vec<Menu> {
    let menu = |scope: MenuScope, role: Option<Role>, language: Language| -> Vec<MenuEntry> {
        let entry = |it: &flow::request::MenuItem| MenuEntry {
            command: it.name,
            description: it.does().in_language(language),
            is_private: scope == MenuScope::Groups && it.is_own_matter(),
        };
        let items = flow::request::MENU.iter().filter(|it| it.is_for(role));
        items.filter(|it| !(is_own && it.chooses())).map(entry).collect()
    };
    let everybody = [MenuScope::Private, MenuScope::Groups].map(|it| (it, None));
    let officers = roles
        .iter()
        .map(|(person, role)| (MenuScope::Chat(protocol::ChatId(person.0)), Some(*role)));
    let places: Vec<_> = everybody.into_iter().chain(officers).collect();
    let usual = languages.choose(None, None);
    let spoken = languages.each().map(|it| (Some(it), it));
    let languages: Vec<_> = [(None, usual)].into_iter().chain(spoken).collect();
    let in_each = |(scope, role): (MenuScope, Option<Role>)| {
        let one = move |(of_app, it): &(Option<Language>, Language)| {
            (scope, *of_app, menu(scope, role, *it))
        };
        languages.iter().map(one).collect::<Vec<_>>()
    };
    places.into_iter().flat_map(in_each).collect()
}

/// Sets the command menus of a bot. Tries again until all are set.
pub(crate) async fn set_menus(
    bot: Arc<TelegramBot>,
    languages: Languages,
    roles: &std::collections::BTreeMap<PersonId, Role>,
    is_own: bool,
) {
    if !is_own {
        introduce(&bot, languages).await;
    }
    let menus = menus(languages, roles, is_own);
    let mut unset: Vec<&Menu> = menus.iter().collect();
    let mut pause = Duration::from_secs(5);
    while !unset.is_empty() {
        let mut refused = Vec::new();
        for it in unset {
            let (scope, language, menu) = it;
            // An officer who never wrote to the bot has no chat yet.
            if let Err(error) = bot.set_menu(*scope, *language, menu).await {
                debug!(error.message = %error, event.action = "menu_not_set", "a command menu was not set yet");
                refused.push(it);
            }
        }
        unset = refused;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(600));
    }
}

/// Says what a bot is. Where Telegram does not take it, it is said after the next start.
async fn introduce(bot: &TelegramBot, languages: Languages) {
    let each = languages.each().map(|it| (Some(it), it));
    for (of_app, language) in each.chain([(None, languages.choose(None, None))]) {
        let in_it = |text: Text| text.in_language(language);
        let (at_length, in_short) = (in_it(home::description()), in_it(home::short_description()));
        if let Err(error) = bot.introduce(of_app, &at_length, &in_short).await {
            debug!(error.message = %error, event.action = "not_introduced", "a bot's description was not set");
        }
    }
}

/// Tells the operators when lines of the log are lost: the disk is full or too slow, or nobody reads
/// the standard output.
async fn watch_log(lost: impl Fn() -> u64, doors: Doors) {
    let mut told = 0;
    loop {
        tokio::time::sleep(LOG_LOOK_EVERY).await;
        let (lost, Some(alerter)) = (lost(), doors.alerter()) else { continue };
        if lost <= told {
            continue;
        }
        let text = format!(
            "{} lines of the log were lost: the disk is full or too slow, or nobody reads the \
             standard output.",
            lost - told
        );
        let raise = alerter::Msg::raise("log_lines_lost", Severity::Warning, text);
        if alerter.try_tell(raise).is_ok() {
            told = lost;
        }
    }
}
