//! `guildhall demo`: the hall in front of a rehearsal of Telegram, with no token and no account.

mod desk;
mod ensemble;
mod guard;
mod lives;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use protocol::AgentName;
use rehearsal::{BotSeed, GroupSeed, PersonSeed, models::SettingsChange};

use crate::{config::Env, stagehand};

pub use desk::Clerk;
pub use lives::{live, recover};

/// What the demo is made of.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Where the chat page and the rehearsal Bot API listen.
    pub chat: SocketAddr,
    /// Where the console listens.
    pub console: SocketAddr,
    /// Where the demo's data is kept.
    pub data: PathBuf,
    /// The embedded model's weights; `None`: the rehearsal's own scripted model.
    pub weights: Option<PathBuf>,
}

const ADMIN: i64 = 1001;
const USER: i64 = 1002;
const GROUP: i64 = -1_001_000_000_001;

/// The id of the demo's first update: another one at each start, as after a week in which nobody wrote. With ids that
/// were there before, a hall that kept its ledger would know every message already, and answer none.
fn first_update_id() -> std::io::Result<i64> {
    // Telegram's ids have 31 bits: as many again follow.
    let random = getrandom::u32().map_err(std::io::Error::other)?;
    Ok(i64::from(random >> 2) + 1)
}

/// Starts the rehearsal on a thread of its own, with a desk that this clerk serves, and says where it is.
///
/// # Errors
/// If it cannot listen there.
pub fn start_rehearsal(demo: &Demo, clerk: &Arc<Clerk>) -> std::io::Result<SocketAddr> {
    let is_embedded = demo.weights.is_some();
    let mut suggestions = ensemble::suggestions(is_embedded);
    suggestions.extend(guard::suggestions());
    let config = rehearsal::Config {
        addr: demo.chat,
        bots: vec![BotSeed { manages_bots: true, ..BotSeed::default() }],
        people: vec![
            PersonSeed::new(ADMIN, "Ada").with_role("admin"),
            PersonSeed::new(USER, "Ben").with_role("user"),
        ],
        groups: vec![GroupSeed {
            id: GROUP,
            title: "Round table".to_owned(),
            members: vec![ADMIN, USER],
            admins: vec![ADMIN],
            topics: Vec::new(),
        }],
        record: false,
        first_update_id: first_update_id()?,
        console_url: Some(format!("http://{}/", demo.console)),
        suggestions,
        desk: Some(desk::desk(Arc::clone(clerk), is_embedded)),
        ..rehearsal::Config::default()
    };
    let (addr, _, models) = stagehand::start(config)?;
    let rules = guard::rules().into_iter().chain(ensemble::rules()).collect();
    models.configure(SettingsChange {
        rules: Some(rules),
        scripts: Some(ensemble::scripts()),
        ..SettingsChange::default()
    });
    Ok(addr)
}

/// The environment of the demo's hall and of every command about it: what there is, in front of the rehearsal.
#[must_use]
pub fn environment(env: &Env, demo: &Demo, rehearsal: SocketAddr) -> Env {
    let mut env = env.clone();
    let mut set = |name: &str, value: String| drop(env.insert(name.to_owned(), value));
    set("TELEGRAM_BOT_TOKEN", BotSeed::default().token);
    set("TELEGRAM_API_URL", format!("http://{rehearsal}"));
    set("GUILDHALL_DATA_DIR", demo.data.display().to_string());
    set("GUILDHALL_KEY_FILE", demo.data.with_extension("key").display().to_string());
    set("GUILDHALL_ADMINS", ADMIN.to_string());
    set("GUILDHALL_ALLOW", "*".to_owned());
    // Beside the data, so that a lost data folder does not take them along.
    set("GUILDHALL__BACKUP__DIR", demo.data.with_extension("backups").display().to_string());
    set("GUILDHALL_HTTP_ADDR", demo.console.to_string());
    set("GUILDHALL__HTTP__LOGIN", "false".to_owned());
    set("GUILDHALL__LOGS__STDOUT", "false".to_owned());
    set("GUILDHALL__LOGS__DIR", demo.data.join("logs").display().to_string());
    match &demo.weights {
        Some(path) => {
            set("GUILDHALL__MODELS__0__NAME", "embedded".to_owned());
            set("GUILDHALL__MODELS__0__PROTOCOL", "embedded".to_owned());
            set("GUILDHALL__MODELS__0__PATH", path.display().to_string());
            set("GUILDHALL__BROKER__ANSWER_TOKENS_MAX", "256".to_owned());
            // A model this small answers well, and sums up badly.
            set("GUILDHALL__MEMORY__SUMMARIES", "extract".to_owned());
        }
        None => {
            set("OPENAI_BASE_URL", format!("http://{rehearsal}/v1"));
            set("OPENAI_API_KEY", "sk-rehearsal-only-no-secret".to_owned());
            set("OPENAI_MODEL", "rehearsal".to_owned());
        }
    }
    // The model of the parrot: scripted, on the same server, whoever answers otherwise.
    set("REHEARSAL_API_KEY", "sk-rehearsal-only-no-secret".to_owned());
    let place = usize::from(demo.weights.is_some());
    for (key, value) in [
        ("NAME", "parrot".to_owned()),
        ("PROTOCOL", "openai".to_owned()),
        ("BASE_URL", format!("http://{rehearsal}/v1")),
        ("ALLOW_PRIVATE", "true".to_owned()),
        ("MODEL", "parrot".to_owned()),
        ("API_KEY_ENV", "REHEARSAL_API_KEY".to_owned()),
    ] {
        set(&format!("GUILDHALL__MODELS__{place}__{key}"), value);
    }
    // Who listens is the rehearsal, too; the parrot and the steward are no part of a panel.
    for (key, value) in [
        ("TRANSCRIPTION__MODEL", "rehearsal".to_owned()),
        ("TRANSCRIPTION__BASE_URL", format!("http://{rehearsal}/v1")),
        ("TRANSCRIPTION__ALLOW_PRIVATE", "true".to_owned()),
        ("TRANSCRIPTION__API_KEY_ENV", "REHEARSAL_API_KEY".to_owned()),
        ("TOOLS__PANEL", "coder,sage,scribe".to_owned()),
    ] {
        set(&format!("GUILDHALL__{key}"), value);
    }
    if let Some(folder) = embeddings_beside(demo.weights.as_deref()) {
        set("GUILDHALL__MEMORY__EMBEDDINGS_PATH", folder.display().to_string());
    }
    let answering = if demo.weights.is_some() { "embedded" } else { "openai" };
    set("GUILDHALL__BROKER__CHAIN", answering.to_owned());
    env
}

/// Puts the agents of the house and the demo's own into a folder of the demo, and has the environment say so.
///
/// # Errors
/// If a file cannot be read or written.
pub fn put_agents(demo: &Demo, env: &mut Env, house: &Path) -> std::io::Result<()> {
    let folder = demo.data.join("agents");
    guard::put_agents(house, &folder)?;
    if demo.weights.is_some() {
        ensemble::put_steward(&folder)?;
    }
    env.insert("GUILDHALL__HALL__AGENTS_DIR".to_owned(), folder.display().to_string());
    Ok(())
}

/// The embedding model's folder, if it was fetched: where the other weights are.
fn embeddings_beside(weights: Option<&Path>) -> Option<PathBuf> {
    let folder = weights?.parent()?.join("all-MiniLM-L6-v2");
    folder.join("model.safetensors").exists().then_some(folder)
}

/// What a newcomer reads.
#[must_use]
pub fn words(demo: &Demo, rehearsal: SocketAddr, greeter: &AgentName) -> String {
    let console = demo.console;
    let model = match &demo.weights {
        Some(_) => "a small model that runs inside this process",
        None => "the rehearsal's scripted model",
    };
    format!(
        "\n  Guildhall is standing.\n\n\
         \x20   Chat     http://{rehearsal}/    two people, Ada (admin) and Ben, talk to {greeter}\n\
         \x20   Console  http://{console}/    every actor's state, live\n\n\
         \x20 Answers come from {model}. No token, no account, nothing leaves this machine.\n\
         \x20 The desk beside the chats runs an operator's commands: back up, lose the data, restore, report.\n\
         \x20 The buttons under the chat show agents that ask each other, a call that waits for your word, a panel,\n\
         \x20 a reminder, a voice message, a file; or the guard: an attack, a card number, a leaked key.\n\
         \x20 Three attacks by Ben are an incident, and a playbook acts: Ben has to wait, and Ada can undo it.\n\
         \x20 Data: {data}   Stop: Ctrl-C. Kill it, start it again: conversations go on.\n",
        data = demo.data.display(),
    )
}
