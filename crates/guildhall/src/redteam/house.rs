//! The hall that is attacked: this one's agents, rules and models, and nothing else of it. REDTEAM-1.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use flow::roster;
use protocol::{
    AgentName,
    ledger::{Append, Ledger as _, Owned, Stream},
};
use rehearsal::BotSeed;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use store::{KeyPlace, Keys, Store};

use crate::{
    build::{self, BuildError},
    config::{
        Access, Allow, BotConfig, Config, Env, Hall, Limit, Loaded, LogsConfig, Mode, Problems,
        TelegramConfig, load,
    },
    run::store_config,
};

/// A folder that is removed when nobody needs it any more.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// A new one that nobody else may look into.
    pub(super) fn make() -> io::Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)?;
        let name = format!("guildhall-redteam-{:016x}", u64::from_be_bytes(bytes));
        let path = std::env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // lost-ok: what stays behind is sealed, and its key lies beside it: it holds our own sentences.
        fs::remove_dir_all(&self.0).ok();
    }
}

/// The configuration as it stands; with a token of nobody's where it names none, since Telegram is not asked.
pub(super) fn loaded(env: &Env) -> Result<Loaded, Problems> {
    let loaded = load(env)?;
    let token = loaded.config.bots.first().map(BotConfig::token_name);
    if token.as_ref().is_some_and(|name| loaded.secrets.get(name).is_some()) {
        return Ok(loaded);
    }
    let mut env = env.clone();
    let name =
        token.filter(|it| !it.contains('.')).unwrap_or_else(|| "TELEGRAM_BOT_TOKEN".to_owned());
    env.remove(&format!("{name}_FILE"));
    env.insert(name, BotSeed::default().token);
    load(&env)
}

/// The bot that speaks to the rehearsal: the first of the configuration, which is so asked for on this machine only.
pub(super) fn bot(loaded: &Loaded) -> BotSeed {
    let token = loaded.config.bots.first().and_then(|it| loaded.secrets.get(&it.token_name()));
    let usual = BotSeed::default();
    BotSeed { token: token.map_or(usual.token, |it| it.expose_secret().to_owned()), ..usual }
}

/// Leaves of a configuration what is named here, and makes all the rest anew: whatever tells, keeps or copies
/// something is off, also if it comes with a later version. REDTEAM-1.
pub(super) fn apart(loaded: &mut Loaded, folder: &Path, telegram: SocketAddr) -> io::Result<()> {
    let old = std::mem::take(&mut loaded.config);
    copy_packs(&old.hall.data_dir, &folder.join("data"))?;
    let mut names: Vec<String> = old.models.iter().filter_map(|it| it.key_name()).collect();
    let bot = old.bots.into_iter().next().unwrap_or_default();
    names.push(bot.token_name());
    loaded.secrets.only(&names);
    let mut config = Config {
        hall: Hall {
            data_dir: folder.join("data"),
            key_file: Some(folder.join("secrets").join("master.key")),
            keyring_file: None,
            ..old.hall
        },
        access: Access { allow: Allow::Everyone, ..Access::default() },
        bots: vec![BotConfig { api_url: None, mode: Some(Mode::Poll), ..bot }],
        telegram: TelegramConfig {
            api_url: format!("http://{telegram}"),
            pacing: false,
            poll_wait: std::time::Duration::from_secs(1),
            ..TelegramConfig::default()
        },
        models: old.models,
        broker: old.broker,
        session: old.session,
        memory: old.memory,
        limits: old.limits,
        guard: old.guard,
        // The log must go somewhere: it goes with the folder.
        logs: LogsConfig { dir: Some(folder.join("logs")), stdout: false, ..LogsConfig::default() },
        ..Config::default()
    };
    config.budgets.currency = old.budgets.currency;
    config.memory.embeddings_path = None;
    config.limits.person_per_minute = Limit(None);
    // Attacks come one after the other, and each is one by itself.
    config.session.gather_time = std::time::Duration::ZERO;
    config.limits.chat_per_minute = Limit(None);
    config.store.reserve_bytes.0 = 0;
    config.backup.every = Limit(None);
    config.alerts.telegram = false;
    config.alerts.refusals = false;
    // None is there: what acts on attackers would spare the agents most of the attacks.
    config.playbooks.dir = folder.join("playbooks");
    config.http.addr = SocketAddr::from(([127, 0, 0, 1], 0));
    loaded.config = config;
    Ok(())
}

/// The signed rules of others lie in the data folder.
fn copy_packs(from: &Path, to: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(to.join("rules"))?;
    let entries = match fs::read_dir(from.join("rules")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            fs::copy(&path, to.join("rules").join(name))?;
        }
    }
    Ok(())
}

/// Begins the ledger with what officers changed of agents and rules; says which agents are awake, with their
/// instructions.
pub(super) fn begin(
    loaded: &Loaded,
    changes: &[Value],
) -> Result<Vec<(AgentName, String)>, String> {
    let words = |error: &(dyn std::error::Error + 'static)| BuildError::of(error).to_string();
    let config = &loaded.config;
    let keys = Keys::create(&config.key_file(), KeyPlace::OutsideOf(&config.hall.data_dir));
    let keys = keys.map_err(|error| words(&error))?;
    let store = Store::open(store_config(config), keys).map_err(|error| words(&error))?;
    let entries: Vec<Owned> =
        changes.iter().map(|it| Owned::halls(it.to_string().into_bytes())).collect();
    let work = async {
        let at = store.load(Stream::Hall).await.map_err(|error| words(&error))?.at;
        if !entries.is_empty() {
            let (stream, events) = (Stream::Hall, entries);
            let append = Append { stream, expected: at, events, closes: Vec::new() };
            store.append(append).await.map_err(|error| words(&error))?;
        }
        store.load(Stream::Hall).await.map_err(|error| words(&error))
    };
    let hall = kit::block_on(work);
    store.close().map_err(|error| words(&error))?;
    let founding = build::founding(config, &[]).map_err(|error| error.to_string())?;
    let view = roster::view_of(&founding, &hall?.events).map_err(|error| words(&error))?;
    let awake = view.agents().filter(|it| !it.paused);
    Ok(awake.map(|it| (it.name.clone(), it.instructions.clone())).collect())
}
