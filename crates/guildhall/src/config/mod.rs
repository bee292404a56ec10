//! The configuration: read and checked as a whole before any socket or database is opened.
//!
//! Owns      nothing: a pure function of a file's text, the environment and the files of secrets.
//! Order     built-in defaults, then the TOML file, then environment variables.
//!
//! Invariants: CONFIG-1 an unknown key is an error. CONFIG-2 all problems are told at once.
//! CONFIG-3 no secret can be printed. CONFIG-4 without a file, variables are enough.

pub mod aws_agent;
mod check;
mod environment;
mod folder;
pub mod schema;
pub mod secrets;
mod section;
mod sections;
mod settings;
mod source;

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

pub(crate) use self::folder::{Bounds, read_folder};
pub use self::{
    check::{
        ALERT_PAGERDUTY_KEY, ALERT_SLACK_URL, ALERT_SMS_TOKEN, ALERT_SMTP_PASSWORD, ALERT_URL,
        ALERT_WEBHOOK_SECRET, BUCKET_KEY, BUCKET_KEY_ID, OTLP_HEADERS, SENTRY_DSN, WEBHOOK_SECRET,
    },
    secrets::Secrets,
    sections::{
        Access, AlertBound, AlertRule, AlertSeverity, AlertSignal, AlertTls, AlertWebhook,
        AlertsConfig, AllowanceConfig, Attack, BackupConfig, BotConfig, BrokerConfig,
        BudgetsConfig, Config, FetchSection, GuardConfig, GuardLevel, Hall, HttpConfig,
        LimitsConfig, LogForm, LogLevel, LogsConfig, MemoryConfig, Mode, ModelConfig,
        PersonalAction, PersonalConfig, PlaybooksConfig, Protocol, Sanitising, SchedulesConfig,
        SessionConfig, StoreConfig, StoreEngine, Summaries, SyslogSection, TelegramConfig,
        TelemetryConfig, ToolApproval, ToolEffects, ToolRow, ToolServerConfig, ToolsConfig,
        TranscriptionConfig, TranscriptionEngine,
    },
    settings::{Allow, Hidden, Limit, Size},
    source::{Origin, Problem},
};
pub(crate) use self::{
    check::{does_in, is_private},
    source::{Node, Notes, Value, parse},
};

/// The file that is read where `GUILDHALL_CONFIG` names no other.
pub const FILE: &str = "config/guildhall.toml";
/// The longest configuration file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// The exit code of a program whose configuration is wrong (`EX_CONFIG`).
pub const EXIT_CONFIG: u8 = 78;

/// The environment as a value, so that tests can make their own.
pub type Env = BTreeMap<String, String>;

/// A configuration with its secrets and what is known about it.
pub struct Loaded {
    /// The settings in force.
    pub config: Config,
    /// The secrets that were found.
    pub secrets: Secrets,
    /// What does not stop the hall and should be put right all the same.
    pub warnings: Vec<String>,
    /// The file that was read; `None` if there was none.
    pub file: Option<PathBuf>,
    origins: BTreeMap<String, Origin>,
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let things = if count == 1 { "one thing is" } else { "these things are" };
        write!(f, "{things} wrong with the configuration:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for Problems {}

/// The variables of this process. One that is not Unicode is left out: no variable of ours is.
#[must_use]
pub fn environment() -> Env {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// The file that holds the configuration, whether or not it is there.
#[must_use]
pub fn file(env: &Env) -> PathBuf {
    named_file(env).unwrap_or(FILE).into()
}

fn named_file(env: &Env) -> Option<&str> {
    env.get("GUILDHALL_CONFIG").map(String::as_str).filter(|path| !path.is_empty())
}

/// Reads the file that the environment names, or the one at the default path if it is there, and
/// checks everything.
///
/// # Errors
/// If anything is wrong: every problem, in words. The program then ends with [`EXIT_CONFIG`].
pub fn load(env: &Env) -> Result<Loaded, Problems> {
    settle(inspect(env))
}

/// Like [`load`], and returns what could be read together with what is wrong, for `doctor`.
#[must_use]
pub fn inspect(env: &Env) -> (Loaded, Vec<Problem>) {
    let named = named_file(env);
    let path = file(env);
    let name = path.to_string_lossy().into_owned();
    let (text, problem) = match read_file(&path, FILE_BYTES_MAX) {
        Ok(text) => (Some(text), None),
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => (None, None),
        Err(error) => (None, Some(format!("the file cannot be read: {error}"))),
    };
    let (mut loaded, mut problems) = inspect_text(&name, text.as_deref().unwrap_or_default(), env);
    loaded.file = text.is_some().then_some(path);
    problems.splice(0..0, problem.map(|text| Problem { place: name, text }));
    (loaded, problems)
}

/// Checks a file's text and an environment. `name` is what problems call the file.
///
/// # Errors
/// If anything is wrong: every problem, in words.
pub fn load_text(name: &str, text: &str, env: &Env) -> Result<Loaded, Problems> {
    settle(inspect_text(name, text, env))
}

/// Reads a whole text file of at most `bytes_max` bytes.
pub(crate) fn read_file(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut text = String::new();
    let read = fs::File::open(path)?.take(bytes_max + 1).read_to_string(&mut text)?;
    if bytes_max < u64::try_from(read).unwrap_or(u64::MAX) {
        return Err(io::Error::other(format!("it is longer than {bytes_max} bytes")));
    }
    Ok(text)
}

fn settle((loaded, problems): (Loaded, Vec<Problem>)) -> Result<Loaded, Problems> {
    if problems.is_empty() { Ok(loaded) } else { Err(Problems(problems)) }
}

fn inspect_text(name: &str, text: &str, env: &Env) -> (Loaded, Vec<Problem>) {
    use section::Setting as _;

    let mut notes = Notes::new(name);
    let mut root = parse(text, &mut notes);
    let mut warnings = environment::overlay(&mut root, env, &mut notes);
    let mut origins = BTreeMap::new();
    root.origins("", &mut origins);
    let mut config = Config::read(&root, "", &mut notes).unwrap_or_default();
    use_credential(&mut config, env);
    let mut secrets = Secrets::default();
    check::Check {
        config: &config,
        env,
        origins: &origins,
        notes: &mut notes,
        secrets: &mut secrets,
        warnings: &mut warnings,
    }
    .run();
    for secret in secrets.facts().filter(|secret| secret.world_readable) {
        warnings.push(format!("everyone on this machine may read the file of {}", secret.name));
    }
    (Loaded { config, secrets, warnings, file: None, origins }, notes.into_problems())
}

/// A master key that systemd hands in, where no other is named. The keyring must be writable, so it
/// stays where it would be.
fn use_credential(config: &mut Config, env: &Env) {
    let folder = env.get("CREDENTIALS_DIRECTORY").map(Path::new);
    let key = folder.map(|it| it.join("master_key")).filter(|it| it.exists());
    if let (Some(key), None) = (key, &config.hall.key_file) {
        let keyring = config.keyring_file();
        config.hall.keyring_file.get_or_insert(keyring);
        config.hall.key_file = Some(key);
    }
}

impl Loaded {
    /// Whether the hall can be started with this: it needs a bot and a model.
    ///
    /// # Errors
    /// If there is none, in words that say what to set.
    pub fn ready_to_run(&self) -> Result<(), Problems> {
        let mut problems = Vec::new();
        let mut missing = |key: &str, text: &str| {
            problems.push(Problem { place: key.to_owned(), text: text.to_owned() });
        };
        if self.config.bots.is_empty() {
            missing("bots", "there is no bot: set TELEGRAM_BOT_TOKEN, which @BotFather gives you");
        }
        if self.config.models.is_empty() {
            missing(
                "models",
                "there is no model: set OPENAI_API_KEY and OPENAI_MODEL, or the \
                same of ANTHROPIC, or add one to the file",
            );
        }
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }
}

#[cfg(test)]
mod tests;
