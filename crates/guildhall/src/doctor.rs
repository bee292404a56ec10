//! `guildhall doctor`: looks at a hall from outside and says what is wrong, why it matters and what
//! to do.
//!
//! Reads     the configuration, file modes, free space and a clock value. Opens no store, no socket.
//! Changes   nothing, except through [`repair`]: modes of files, and folders that are missing.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use protocol::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value as Json, json};
use url::Url;

use crate::{
    build::BuildError,
    config::{Allow, Loaded, Problem, Protocol, is_private},
    init::{is_inside, make_folder},
};

/// 2026-01-01T00:00:00Z: no clock that is right shows less.
const EARLIEST: Timestamp = Timestamp(1_767_225_600_000);
/// 2100-01-01T00:00:00Z.
const LATEST: Timestamp = Timestamp(4_102_444_800_000);
/// How far a file may seem to lie in the future.
const CLOCK_SLACK: Duration = Duration::from_secs(3_600);
/// Below this much free space writing is about to fail.
const FREE_BYTES_BAD: u64 = 100 << 20;
/// Below this much free space somebody should clean up.
const FREE_BYTES_WARN: u64 = 1 << 30;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and should be put right.
    Warn,
    /// It does not work, or it is not safe.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// Why it matters. Empty if all is well.
    pub why: String,
    /// What to do. Empty if there is nothing to do.
    pub fix: String,
}

impl Finding {
    /// All is well with this.
    #[must_use]
    pub fn ok(what: impl Into<String>) -> Self {
        Self { level: Level::Ok, what: what.into(), why: String::new(), fix: String::new() }
    }

    /// It works, and should be put right.
    #[must_use]
    pub fn warn(what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Warn, what: what.into(), why: why.into(), fix: fix.into() }
    }

    /// It does not work, or it is not safe.
    #[must_use]
    pub fn bad(what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Bad, ..Self::warn(what, why, fix) }
    }
}

/// Everything that can be found without a store and without the network. Further findings (the
/// store opens, Telegram answers, a model answers) are for the caller to append.
#[must_use]
pub fn examine(loaded: &Loaded, problems: &[Problem], now: Timestamp) -> Vec<Finding> {
    let mut findings = configuration(loaded, problems);
    findings.extend(access(loaded));
    findings.extend(tokens(loaded));
    findings.extend(addresses(loaded));
    findings.extend(folders(loaded));
    findings.extend(key_file(loaded));
    findings.push(region(loaded));
    findings.extend(models(loaded));
    findings.push(space(&loaded.config.hall.data_dir));
    findings.push(clock(&loaded.config.hall.data_dir, now));
    findings
}

/// The worst level among the findings.
#[must_use]
pub fn worst(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
}

/// The report for people: what is wrong first, then what is well.
#[must_use]
pub fn words(findings: &[Finding]) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let mut text = String::new();
    for finding in sorted {
        text.push_str(&format!("{:<4} {}\n", label(finding.level), finding.what));
        for (word, part) in [("why", &finding.why), ("fix", &finding.fix)] {
            if !part.is_empty() {
                text.push_str(&format!("     {word}: {part}\n"));
            }
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (bad, warn, ok) = (count(Level::Bad), count(Level::Warn), count(Level::Ok));
    text.push_str(&format!("\n{bad} bad, {warn} to look at, {ok} well\n"));
    text
}

/// The report as JSON.
#[must_use]
pub fn json(findings: &[Finding]) -> Json {
    let row = |finding: &Finding| {
        json!({
            "level": label(finding.level), "what": finding.what,
            "why": finding.why, "fix": finding.fix,
        })
    };
    let rows: Vec<_> = findings.iter().map(row).collect();
    json!({ "worst": label(worst(findings)), "findings": rows })
}

fn label(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Warn => "warn",
        Level::Bad => "bad",
    }
}

fn configuration(loaded: &Loaded, problems: &[Problem]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for problem in problems {
        let why = "the hall does not start with a configuration that is wrong";
        findings.push(Finding::bad(problem.to_string(), why, "correct it where it stands"));
    }
    for warning in &loaded.warnings {
        let why = "it is not what was meant, or not safe";
        findings.push(Finding::warn(warning.clone(), why, "correct the name, or `chmod 600` it"));
    }
    if problems.is_empty() {
        let file = loaded.file.as_ref();
        let from = file.map_or("variables and defaults".into(), |file| file.display().to_string());
        findings.push(Finding::ok(format!("the configuration is good ({from})")));
        if let Err(missing) = loaded.ready_to_run() {
            for problem in missing.0 {
                let why = "the hall has nobody to talk through, or nobody to ask";
                findings.push(Finding::bad(format!("no {}", problem.place), why, problem.text));
            }
        }
    }
    findings
}

fn access(loaded: &Loaded) -> Vec<Finding> {
    let access = &loaded.config.access;
    let mut findings = Vec::new();
    match access.admins.len() + access.owners.len() {
        0 => findings.push(Finding::warn(
            "there is no admin",
            "nobody can create agents, allow people or see the state in Telegram",
            "set GUILDHALL_ADMINS to your numeric Telegram id",
        )),
        count => findings.push(Finding::ok(format!("admins: {count}"))),
    }
    findings.push(match &access.allow {
        Allow::Only(ids) if ids.is_empty() => Finding::warn(
            "the list of those who may talk is empty",
            "nobody but the admins can talk",
            "set GUILDHALL_ALLOW to numeric ids, or to * for everyone, or use /allow in Telegram",
        ),
        Allow::Only(ids) => Finding::ok(format!("people and groups who may talk: {}", ids.len())),
        Allow::Everyone => Finding::warn(
            "everyone may talk",
            "strangers can spend your tokens, up to the limits",
            "if that is not meant, set GUILDHALL_ALLOW to numeric ids",
        ),
    });
    findings
}

fn tokens(loaded: &Loaded) -> Vec<Finding> {
    let finding = |bot: &crate::config::BotConfig| {
        let token = loaded.secrets.get(&bot.token_name())?.expose_secret();
        if looks_like_a_token(token) {
            return Some(Finding::ok(format!("the token of bot `{}` is well formed", bot.name)));
        }
        Some(Finding::warn(
            format!("the token of bot `{}` does not look like one", bot.name),
            "Telegram's tokens are a number, a colon and 35 letters, digits, `_` or `-`",
            "copy it again from @BotFather",
        ))
    };
    loaded.config.bots.iter().filter_map(finding).collect()
}

fn looks_like_a_token(token: &str) -> bool {
    let may_stand = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    token.split_once(':').is_some_and(|(id, key)| {
        let is_id = (1..=19).contains(&id.len()) && id.chars().all(|c| c.is_ascii_digit());
        is_id && (30..=64).contains(&key.len()) && key.chars().all(may_stand)
    })
}

fn addresses(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let mut findings = Vec::new();
    findings.push(if config.http.addr.ip().is_loopback() {
        Finding::ok(format!("the console listens on this machine only ({})", config.http.addr))
    } else {
        Finding::warn(
            format!("the console can be reached from other machines ({})", config.http.addr),
            "its login is all that stands before it, and it speaks plain http",
            "set GUILDHALL_HTTP_ADDR to 127.0.0.1:8088, or put a proxy with TLS before it",
        )
    });
    let in_the_clear =
        |url: &str| Url::parse(url).is_ok_and(|url| url.scheme() == "http" && !is_private(&url));
    for bot in config.bots.iter().filter(|bot| in_the_clear(config.api_url(bot))) {
        findings.push(Finding::warn(
            format!("bot `{}` talks plain http to a name that may be public", bot.name),
            "its token can be read on the way",
            "use https, unless that server is in your own network",
        ));
    }
    findings
}

fn folders(loaded: &Loaded) -> Vec<Finding> {
    let hall = &loaded.config.hall;
    let mut findings = vec![private_folder("the data folder", &hall.data_dir)];
    if !hall.agents_dir.is_dir() {
        findings.push(Finding::warn(
            format!("the folder of agents {} is missing", hall.agents_dir.display()),
            "the hall starts without the agents that come as files",
            "make it, or set hall.agents_dir",
        ));
    }
    if let Some(file) = &loaded.file
        && mode(file).is_some_and(|mode| mode & 0o022 != 0)
    {
        findings.push(Finding::bad(
            format!("others may write the configuration {}", file.display()),
            "whoever writes it can make themself an admin",
            format!("chmod go-w {}", file.display()),
        ));
    }
    findings
}

fn private_folder(name: &str, path: &Path) -> Finding {
    let shown = path.display();
    match mode(path) {
        None => Finding::bad(
            format!("{name} {shown} is missing"),
            "the hall has nowhere to write",
            "run `guildhall init`, or `guildhall doctor --fix`",
        ),
        Some(_) if !path.is_dir() => Finding::bad(
            format!("{name} {shown} is no folder"),
            "the hall needs one",
            "move it away",
        ),
        Some(mode) if mode & 0o077 != 0 => Finding::bad(
            format!("others may look into {name} {shown} (mode {mode:04o})"),
            "what people write is theirs alone",
            format!("chmod 700 {shown}, or `guildhall doctor --fix`"),
        ),
        Some(_) => Finding::ok(format!("{name} {shown} is private")),
    }
}

fn region(loaded: &Loaded) -> Finding {
    let data = std::path::absolute(&loaded.config.hall.data_dir);
    let data = data.unwrap_or_else(|_empty| loaded.config.hall.data_dir.clone());
    let region = loaded.config.store.region.as_deref().unwrap_or("no declared place");
    match crate::residency::compare(&loaded.config) {
        Ok(_) => Finding::ok(format!("the data lives in {} ({region})", data.display())),
        Err(error) => Finding::bad(
            error.to_string(),
            "the hall does not open data that belongs elsewhere",
            "set store.region to where the data may live",
        ),
    }
}

fn key_file(loaded: &Loaded) -> Vec<Finding> {
    let key = loaded.config.key_file();
    let shown = key.display();
    let in_aws = loaded.config.secrets.aws_master_key;
    let mut findings = vec![match mode(&key) {
        _ if in_aws => match crate::master::keys(&loaded.config) {
            Ok(_) => Finding::ok("the master key is in Secrets Manager"),
            Err(error) => Finding::bad(
                BuildError::of(&error).to_string(),
                "without it the hall does not start, and old data cannot be read",
                "look at secrets.aws_agent, and at the agent",
            ),
        },
        None => Finding::bad(
            format!("the master key {shown} is missing"),
            "without it the hall does not start, and old data cannot be read",
            "run `guildhall init`; if there is old data, put its key back",
        ),
        Some(mode) if mode & 0o177 != 0 => Finding::bad(
            format!("the mode of the master key {shown} is {mode:04o}"),
            "whoever reads it can read everything",
            format!("chmod 600 {shown}, or `guildhall doctor --fix`"),
        ),
        Some(_) => Finding::ok(format!("the master key {shown} is private")),
    }];
    let keyring = loaded.config.keyring_file();
    let folder = keyring.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if is_inside(&keyring, &loaded.config.hall.data_dir) {
        findings.push(Finding::bad(
            format!("the keyring {} lies inside the data folder", keyring.display()),
            "a copy of the folder would hold the keys of people, and forgetting would not reach it",
            "move it out and set hall.keyring_file",
        ));
    } else if folder.exists() && rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err() {
        findings.push(Finding::bad(
            format!("the folder {} of the keyring cannot be written", folder.display()),
            "new people get their keys there, and forgetting writes it anew",
            "set hall.keyring_file to a place that can be written, outside the data folder",
        ));
    }
    if !in_aws && is_inside(&key, &loaded.config.hall.data_dir) {
        findings.push(Finding::bad(
            format!("the master key {shown} lies inside the data folder"),
            "whoever copies the folder, or a backup of it, has the key with it",
            "move it out and set GUILDHALL_KEY_FILE",
        ));
    }
    findings
}

fn models(loaded: &Loaded) -> Vec<Finding> {
    let embedded = |model: &&crate::config::ModelConfig| model.protocol == Protocol::Embedded;
    let missing = |model: &crate::config::ModelConfig| {
        let path = model.path.as_ref()?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let what = match folder {
            Some(folder) if !folder.is_dir() => format!("the folder {}", folder.display()),
            Some(_) | None if !path.is_file() => format!("the file {}", path.display()),
            Some(_) | None => return None,
        };
        Some(Finding::bad(
            format!("{what} of model `{}` is missing", model.name),
            "the model cannot answer",
            "put the model file there, or correct its path",
        ))
    };
    let embedded = loaded.config.models.iter().filter(embedded).filter_map(missing);
    embedded.chain(embeddings(loaded)).chain(recogniser(loaded)).collect()
}

fn embeddings(loaded: &Loaded) -> Option<Finding> {
    let folder = crate::build::embeddings_folder(&loaded.config)?;
    let has = |name: &str| folder.join(name).is_file();
    let is_there = ["config.json", "model.safetensors", "tokenizer.json"].into_iter().all(has);
    (!is_there).then(|| {
        Finding::bad(
            format!("the embedding model is not whole in {}", folder.display()),
            "memory.embeddings_path names that folder, and the hall does not start without it",
            "run scripts/fetch-embeddings, correct the path, or leave it out",
        )
    })
}

fn recogniser(loaded: &Loaded) -> Option<Finding> {
    let folder = loaded.config.transcription.folder()?;
    let has = |name: &str| folder.join(name).is_file();
    let is_there = ["config.json", "model.bin", "tokenizer.json"].into_iter().all(has);
    (!is_there).then(|| {
        Finding::bad(
            format!("the recogniser is not whole in {}", folder.display()),
            "transcription.path names that folder, and the hall does not start without it",
            "run scripts/fetch-whisper, correct the path, or set transcription.engine to \"http\"",
        )
    })
}

/// Free space where the data is or will be.
fn space(data: &Path) -> Finding {
    let data = std::path::absolute(data).unwrap_or_else(|_empty| data.to_owned());
    let existing = data.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let free = match rustix::fs::statvfs(existing) {
        Ok(about) => about.f_bavail.saturating_mul(about.f_frsize),
        Err(error) => {
            let what = format!("the free space of {} is not known", existing.display());
            return Finding::warn(what, error.to_string(), "look at it with `df`");
        }
    };
    let what = format!("{} MiB of disk are free for the data", free >> 20);
    let why = "on a full disk the hall takes no more messages";
    match free {
        0..FREE_BYTES_BAD => Finding::bad(what, why, "make room"),
        FREE_BYTES_BAD..FREE_BYTES_WARN => Finding::warn(what, why, "make room soon"),
        FREE_BYTES_WARN.. => Finding::ok(what),
    }
}

fn clock(data: &Path, now: Timestamp) -> Finding {
    let why = "retention, logins and reports go by the clock";
    let fix = "set it, for example with `timedatectl set-ntp true`";
    if !(EARLIEST..LATEST).contains(&now) {
        return Finding::bad("the clock is years off", why, fix);
    }
    let now = UNIX_EPOCH + Duration::from_millis(now.0);
    let written = fs::metadata(data).and_then(|about| about.modified());
    if written.is_ok_and(|written| now + CLOCK_SLACK < written) {
        return Finding::warn("the data folder was written in the future", why, fix);
    }
    Finding::ok("the clock is plausible")
}

/// The permission bits; `None` if there is nothing at that path.
fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|about| about.mode() & 0o777)
}

/// `doctor --fix`: takes other people's rights to our files away and makes missing folders. Says
/// what it did; changes nothing else.
#[must_use]
pub fn repair(loaded: &Loaded) -> Vec<Finding> {
    let data = &loaded.config.hall.data_dir;
    let mut findings = Vec::new();
    if !data.exists() {
        findings.push(match make_folder(data) {
            Ok(_made) => Finding::ok(format!("made the data folder {}", data.display())),
            Err(error) => Finding::bad(error.to_string(), "the hall needs it", "make it by hand"),
        });
    }
    let audit = crate::audit::place(&loaded.config);
    let keys = [loaded.config.key_file(), loaded.config.keyring_file(), audit.anchor, audit.log];
    let keys = keys.map(|it| (it, 0o600));
    let files = std::iter::once((data.clone(), 0o700)).chain(keys);
    for (path, wanted) in files {
        let Some(found) = mode(&path).filter(|mode| mode & !wanted != 0) else { continue };
        let (shown, wanted) = (path.display(), found & wanted);
        findings.push(match fs::set_permissions(&path, fs::Permissions::from_mode(wanted)) {
            Ok(()) => Finding::ok(format!("{shown}: mode {found:04o} is now {wanted:04o}")),
            Err(error) => Finding::bad(
                format!("the mode of {shown} cannot be changed: {error}"),
                "others can read it",
                "change it as the owner of the file",
            ),
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::{Env, inspect, load_text};

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    struct House {
        folder: tempfile::TempDir,
        env: Env,
    }

    impl House {
        /// A hall with a good key and data folder.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::create_dir(at("data")).unwrap();
            fs::create_dir(at("agents")).unwrap();
            fs::write(at("key"), "key").unwrap();
            fs::set_permissions(at("data"), fs::Permissions::from_mode(0o700)).unwrap();
            fs::set_permissions(at("key"), fs::Permissions::from_mode(0o600)).unwrap();
            let text = |path: PathBuf| path.to_string_lossy().into_owned();
            let env = [
                ("GUILDHALL_DATA_DIR", text(at("data"))),
                ("GUILDHALL_KEY_FILE", text(at("key"))),
                ("GUILDHALL__HALL__AGENTS_DIR", text(at("agents"))),
                ("GUILDHALL_ADMINS", "1".to_owned()),
                ("GUILDHALL_ALLOW", "2,-3".to_owned()),
                ("TELEGRAM_BOT_TOKEN", format!("123456:{}", "a".repeat(35))),
                ("OPENAI_API_KEY", "sk-1".to_owned()),
            ];
            let env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Self { folder, env }
        }

        fn set(mut self, name: &str, value: &str) -> Self {
            self.env.insert(name.to_owned(), value.to_owned());
            self
        }

        fn chmod(&self, name: &str, mode: u32) {
            let path = self.folder.path().join(name);
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }

        fn loaded(&self) -> Loaded {
            load_text("", "", &self.env).unwrap()
        }

        /// What is not well, apart from the disk, which is not ours.
        fn complaints(&self) -> String {
            let findings = examine(&self.loaded(), &[], NOW).into_iter();
            let wrong =
                findings.filter(|f| f.level != Level::Ok && !f.what.contains("MiB of disk"));
            wrong.map(|f| format!("{:?} {}\n", f.level, f.what)).collect()
        }
    }

    #[test]
    fn a_good_hall_has_no_complaints() {
        assert_eq!(House::new().complaints(), "");
    }

    #[test]
    fn each_thing_that_is_wrong_is_told() {
        let cases = [
            ("GUILDHALL_ADMINS", "", "Warn there is no admin"),
            ("GUILDHALL_ALLOW", "", "Warn the list of those who may talk is empty"),
            ("GUILDHALL_ALLOW", "*", "Warn everyone may talk"),
            ("GUILDHALL_HTTP_ADDR", "0.0.0.0:1", "Warn the console can be reached"),
            ("TELEGRAM_BOT_TOKEN", "token", "Warn the token of bot `main` does not look"),
            ("TELEGRAM_API_URL", "http://example.org", "Warn bot `main` talks plain http"),
            ("GUILDHALL_DATA_DIR", "/nowhere/data", "Bad the data folder /nowhere/data is missing"),
            ("GUILDHALL_KEY_FILE", "/nowhere/key", "Bad the master key /nowhere/key is missing"),
            ("GUILDHALL__HALL__AGENTS_DIR", "/nowhere/a", "Warn the folder of agents"),
            ("GUILDHALL_ADMIN", "1", "Warn GUILDHALL_ADMIN means nothing"),
        ];
        for (name, value, expected) in cases {
            let complaints = House::new().set(name, value).complaints();
            assert!(complaints.contains(expected), "{name}={value}: {complaints}");
        }
    }

    #[test]
    fn modes_are_told_and_repaired_and_nothing_else_is() {
        let house = House::new();
        house.chmod("data", 0o755);
        house.chmod("key", 0o644);
        let complaints = house.complaints();
        assert!(complaints.contains("Bad others may look into the data folder"), "{complaints}");
        assert!(complaints.contains("Bad the mode of the master key"), "{complaints}");
        let repaired = words(&repair(&house.loaded()));
        assert!(repaired.contains("mode 0755 is now 0700"), "{repaired}");
        assert_eq!(house.complaints(), "");
        assert!(repair(&house.loaded()).is_empty(), "a second run finds nothing to do");

        fs::remove_dir(house.folder.path().join("data")).unwrap();
        assert_eq!(repair(&house.loaded()).len(), 1);
        assert_eq!(house.complaints(), "");
    }

    #[test]
    fn a_key_inside_the_data_folder_is_bad() {
        let house = House::new();
        let inside = house.folder.path().join("data/key");
        fs::rename(house.folder.path().join("key"), &inside).unwrap();
        let complaints = house.set("GUILDHALL_KEY_FILE", &inside.to_string_lossy()).complaints();
        assert!(complaints.contains("lies inside the data folder"), "{complaints}");
    }

    #[test]
    fn a_clock_that_is_off_is_told() {
        let house = House::new();
        let data = house.folder.path().join("data");
        for now in [Timestamp(0), Timestamp(u64::MAX / 2)] {
            assert_eq!(clock(&data, now).level, Level::Bad);
        }
        assert_eq!(clock(&data, EARLIEST).level, Level::Warn, "the folder was made later");
    }

    #[test]
    fn an_embedding_model_that_is_not_whole_is_bad() {
        let mut loaded = crate::config::load(&crate::config::Env::new()).unwrap();
        assert!(embeddings(&loaded).is_none(), "none is wanted");
        let folder = tempfile::tempdir().unwrap();
        loaded.config.memory.embeddings_path = Some(folder.path().to_owned());
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            assert_eq!(embeddings(&loaded).unwrap().level, Level::Bad);
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert!(embeddings(&loaded).is_none());
    }

    #[test]
    fn a_recogniser_that_is_not_whole_is_bad() {
        let mut loaded = crate::config::load(&crate::config::Env::new()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        loaded.config.transcription.path = Some(folder.path().to_owned());
        assert!(recogniser(&loaded).is_none(), "a server listens, or nobody");
        loaded.config.transcription.engine = crate::config::TranscriptionEngine::Local;
        for name in ["config.json", "model.bin", "tokenizer.json"] {
            assert_eq!(recogniser(&loaded).unwrap().level, Level::Bad);
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert!(recogniser(&loaded).is_none());
    }

    #[test]
    fn problems_of_the_configuration_and_missing_models_are_bad() {
        let house = House::new().set("GUILDHALL_CONFIG", "/nowhere/c.toml");
        let (loaded, problems) = inspect(&house.env);
        let findings = examine(&loaded, &problems, NOW);
        assert_eq!(worst(&findings), Level::Bad);
        assert!(words(&findings).starts_with("bad  /nowhere/c.toml: "), "{}", words(&findings));
        assert_eq!(json(&findings)["worst"], "bad");

        let model = "[[models]]\nname = \"m\"\nprotocol = \"embedded\"\npath = \"/nowhere/m.gguf\"";
        let loaded = load_text("", model, &Env::new()).unwrap();
        let words = words(&examine(&loaded, &[], NOW));
        assert!(words.contains("the folder /nowhere of model `m` is missing"), "{words}");
        assert!(words.contains("no bots"), "{words}");
    }

    #[test]
    fn no_report_holds_a_token() {
        let house = House::new().set("TELEGRAM_BOT_TOKEN", "12:short-secret");
        let findings = examine(&house.loaded(), &[], NOW);
        assert!(!format!("{findings:?}").contains("short-secret"));
    }
}
