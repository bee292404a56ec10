//! What must hold between keys, and what a value must be beyond its type.
//!
//! Runs on a configuration that was read, before any socket or database is opened.

mod alerts;
mod endpoints;
mod tools;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use protocol::Language;
use secrecy::ExposeSecret as _;
use url::{Host, Url};

pub(crate) use self::tools::does_in;
use super::{
    aws_agent::AwsAgent,
    secrets::{FindSecretError, Secrets},
    sections::{BotConfig, Config, Mode, ModelConfig, Protocol, SecretsConfig},
    source::{Notes, Origin},
};
use crate::build::BuildError;

/// The name of the secret that Telegram sends with every webhook call.
pub const WEBHOOK_SECRET: &str = "TELEGRAM_WEBHOOK_SECRET";
/// The name under which the address of the alert webhook is kept.
pub const ALERT_URL: &str = "alerts.webhook.url";
/// What calls of the alert webhook are signed with.
pub const ALERT_WEBHOOK_SECRET: &str = "ALERT_WEBHOOK_SECRET";
/// The password of whoever sends mail.
pub const ALERT_SMTP_PASSWORD: &str = "ALERT_SMTP_PASSWORD";
/// The address of Slack's incoming webhook.
pub const ALERT_SLACK_URL: &str = "ALERT_SLACK_URL";
/// The routing key of `PagerDuty`'s integration.
pub const ALERT_PAGERDUTY_KEY: &str = "ALERT_PAGERDUTY_KEY";
/// The token of the account that sends short messages.
pub const ALERT_SMS_TOKEN: &str = "ALERT_SMS_TOKEN";
/// The id of the key to the backups' bucket.
pub const BUCKET_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The key itself.
pub const BUCKET_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// Headers for the collector of OpenTelemetry.
pub const OTLP_HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
/// Where Sentry takes events, with the key for it.
pub const SENTRY_DSN: &str = "SENTRY_DSN";
const WEBHOOK_SECRET_CHARS: std::ops::RangeInclusive<usize> = 32..=256;

/// Checks the configuration, and finds its secrets on the way.
pub(crate) struct Check<'c> {
    pub(crate) config: &'c Config,
    pub(crate) env: &'c BTreeMap<String, String>,
    pub(crate) origins: &'c BTreeMap<String, Origin>,
    pub(crate) notes: &'c mut Notes,
    pub(crate) secrets: &'c mut Secrets,
    pub(crate) warnings: &'c mut Vec<String>,
}

impl Check<'_> {
    /// Checks everything, and goes on after a problem.
    pub(crate) fn run(mut self) {
        self.paths();
        self.agent();
        self.access();
        self.telegram();
        self.bots();
        self.shared_tokens();
        self.models();
        self.transcription();
        self.speech();
        self.chain();
        self.budgets();
        self.times();
        self.console();
        self.alerts();
        self.backups();
        self.telemetry();
        self.tools();
    }

    fn telemetry(&mut self) {
        let found = self.secrets.find(OTLP_HEADERS, self.env);
        self.found(OTLP_HEADERS, OTLP_HEADERS, found);
        let config = &self.config.telemetry;
        if config.emf_stdout && !self.config.logs.stdout {
            self.note("telemetry.emf_stdout", "needs `logs.stdout`");
        }
        if !(1..=1_024).contains(&config.emf_namespace.len()) {
            self.note("telemetry.emf_namespace", "must have 1 to 1024 characters");
        }
        let Some(endpoint) = &config.otlp_endpoint else { return };
        let has_key = self.secrets.get(OTLP_HEADERS).is_some();
        if let Some(url) = self.server("telemetry.otlp_endpoint", endpoint)
            && has_key
            && url.scheme() == "http"
            && !is_private(&url)
        {
            let text = "would send the headers in the clear: use https";
            self.note("telemetry.otlp_endpoint", text);
        }
    }

    fn note(&mut self, key: &str, text: impl Into<String>) {
        let origin = self.origins.get(key).unwrap_or(&Origin::Default);
        self.notes.note(origin, key, text);
    }

    /// Notes why a secret was not found. `false` if it is not there.
    fn found(&mut self, key: &str, name: &str, found: Result<bool, FindSecretError>) -> bool {
        match found {
            Ok(found) => found,
            Err(FindSecretError::Unreadable { path, source }) => {
                let text = format!("the secret's file {} cannot be read: {source}", path.display());
                self.note(key, text);
                true
            }
            Err(error @ (FindSecretError::Ambiguous { .. } | FindSecretError::Empty { .. })) => {
                let text = error.to_string();
                self.notes.note(&Origin::Variable(name.to_owned()), key, text);
                true
            }
            Err(error @ FindSecretError::Agent { .. }) => {
                self.note("secrets.aws_agent", BuildError::of(&error).to_string());
                true
            }
        }
    }

    fn agent(&mut self) {
        let secrets = &self.config.secrets;
        if secrets.aws_master_key && secrets.aws_agent.is_none() {
            self.note("secrets.aws_master_key", "needs secrets.aws_agent");
        }
        if secrets.aws_master_key && self.config.hall.key_file.is_some() {
            self.note("secrets.aws_master_key", "give this or hall.key_file, not both");
        }
        let Some(text) = &secrets.aws_agent else { return };
        let Some(url) = self.server("secrets.aws_agent", text) else { return };
        if !is_loopback(&url) {
            self.note(
                "secrets.aws_agent",
                "must be on this machine: secrets would go out in the clear",
            );
            return;
        }
        self.secrets.ask(self.config.secrets.agent_at(url));
    }

    fn paths(&mut self) {
        let tags = &self.config.hall.languages;
        if tags.is_empty() {
            self.note("hall.languages", "must name at least one language");
        }
        for tag in tags {
            if !Language::ALL.iter().any(|it| it.code() == tag) {
                let known = Language::ALL.map(Language::code).join(", ");
                self.note("hall.languages", format!("`{tag}` must be one of {known}"));
            }
        }
    }

    fn access(&mut self) {
        if self.config.access.admins.iter().any(|id| *id <= 0) {
            self.note("access.admins", "an admin is a person, whose id is a positive number");
        }
        let access = self.config.access.clone();
        let others = [
            ("access.owners", access.owners),
            ("access.operators", access.operators),
            ("access.auditors", access.auditors),
        ];
        for (place, ids) in others {
            if ids.iter().any(|id| *id <= 0) {
                self.note(place, "only a person has a role, and their id is a positive number");
            }
        }
    }

    fn telegram(&mut self) {
        let telegram = &self.config.telegram;
        self.server("telegram.api_url", &telegram.api_url);
        if let Some(url) = &telegram.webhook_url {
            self.server("telegram.webhook_url", url);
        }
        let found = self.secrets.find(WEBHOOK_SECRET, self.env);
        let found = self.found(WEBHOOK_SECRET, WEBHOOK_SECRET, found);
        let has_webhook = self.config.bots.iter().any(|bot| self.config.mode(bot) == Mode::Webhook);
        if !has_webhook && telegram.webhook_url.is_none() {
            return;
        }
        let addr = telegram.webhook_addr;
        if addr == self.config.http.addr && addr.port() != 0 {
            self.note("telegram.webhook_addr", "the console listens there: choose another port");
        }
        if telegram.webhook_url.is_none() {
            self.note("telegram.webhook_url", "a bot in webhook mode needs the public address");
        }
        if !found {
            self.note(WEBHOOK_SECRET, "webhook mode does not start without this secret");
        }
        let Some(secret) = self.secrets.get(WEBHOOK_SECRET) else { return };
        let secret = secret.expose_secret();
        let may_stand = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !WEBHOOK_SECRET_CHARS.contains(&secret.len()) || !secret.chars().all(may_stand) {
            let text = "must have 32 to 256 letters, digits, `_` or `-`";
            self.note(WEBHOOK_SECRET, text);
        }
    }

    fn bots(&mut self) {
        let mut names = BTreeSet::new();
        for (at, bot) in self.config.bots.iter().enumerate() {
            let key = |field: &str| format!("bots.{at}.{field}");
            self.name(&key("name"), &bot.name, &mut names);
            if let Some(url) = &bot.api_url {
                self.server(&key("api_url"), url);
            }
            match (&bot.token_env, &bot.token_file) {
                (Some(_), Some(_)) => {
                    self.note(&key("token_file"), "give `token_env` or `token_file`, not both");
                }
                (None, None) => {
                    self.note(&key("token_env"), "the bot has no token: give `token_env`");
                }
                (Some(_), None) | (None, Some(_)) => self.secret(
                    &key(if bot.token_env.is_some() { "token_env" } else { "token_file" }),
                    &bot.token_name(),
                    bot.token_file.as_deref(),
                ),
            }
        }
    }

    /// Telegram hands each update out once: two bots with one token would take them from each other.
    fn shared_tokens(&mut self) {
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        let mut shared = Vec::new();
        for (at, bot) in self.config.bots.iter().enumerate() {
            let Some(token) = self.secrets.get(&bot.token_name()) else { continue };
            match owners.get(token.expose_secret()) {
                Some(owner) => shared.push((at, format!("has the token of bot `{owner}`"))),
                None => {
                    owners.insert(token.expose_secret(), &bot.name);
                }
            }
        }
        for (at, text) in shared {
            self.note(&format!("bots.{at}.name"), text);
        }
    }

    fn models(&mut self) {
        let mut names = BTreeSet::new();
        for (at, model) in self.config.models.iter().enumerate() {
            let key = |field: &str| format!("models.{at}.{field}");
            self.name(&key("name"), &model.name, &mut names);
            match model.protocol {
                Protocol::Embedded => self.embedded(&key, model),
                Protocol::OpenAi | Protocol::Anthropic => self.remote(&key, model),
            }
        }
    }

    fn embedded(&mut self, key: &dyn Fn(&str) -> String, model: &ModelConfig) {
        if model.path.is_none() {
            self.note(&key("path"), "an embedded model needs the path of its file");
        }
        let is_checksum =
            |text: &String| text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
        if model.sha256.as_ref().is_some_and(|text| !is_checksum(text)) {
            self.note(&key("sha256"), "must have 64 hexadecimal digits");
        }
    }

    fn remote(&mut self, key: &dyn Fn(&str) -> String, model: &ModelConfig) {
        if model.model.is_empty() {
            self.note(&key("model"), "must say what the provider calls the model");
        }
        if let Some(address) = model.base_url()
            && let Some(url) = self.server(&key("base_url"), address)
            && !model.allow_private
        {
            if is_private(&url) {
                let text = "is on this machine or in a private network: set `allow_private = true` \
                            on this model if that is meant";
                self.note(&key("base_url"), text);
            } else if url.scheme() == "http" {
                let text = "would send questions and the key in the clear: use https, or set \
                            `allow_private = true` if it is in your own network";
                self.note(&key("base_url"), text);
            }
        }
        match (model.key_name(), &model.api_key_env, &model.api_key_file) {
            (None, ..) => {}
            (Some(_), Some(_), Some(_)) => {
                self.note(&key("api_key_file"), "give `api_key_env` or `api_key_file`, not both");
            }
            (Some(name), Some(_), None) => self.secret(&key("api_key_env"), &name, None),
            (Some(name), None, file) => self.secret(&key("api_key_file"), &name, file.as_deref()),
        }
    }

    fn budgets(&mut self) {
        let zone = &self.config.hall.time_zone;
        if flow::treasurer::time::Calendar::of(zone).is_err() {
            let text = format!("`{zone}` is no time zone: give a name such as `Europe/Berlin`");
            self.note("hall.time_zone", text);
        }
        let it = &self.config.budgets;
        let cheaper = it.step_down_to.as_deref();
        match (it.step_down_percent, cheaper) {
            (0, None) => {}
            (_, Some(name)) if self.config.models.iter().any(|model| model.name == name) => {}
            (_, Some(name)) => {
                let text = format!("there is no model called `{name}`");
                self.note("budgets.step_down_to", text);
            }
            (_, None) => self.note("budgets.step_down_to", "must name the cheaper model"),
        }
        let parts =
            [("person", &it.person), ("chat", &it.chat), ("agent", &it.agent), ("hall", &it.hall)];
        let capped_in_money: Vec<&str> = parts
            .into_iter()
            .filter(|(_, it)| it.money_day.0.or(it.money_month.0).is_some())
            .map(|(name, _)| name)
            .collect();
        let has_price = |it: &ModelConfig| 0.0 < it.price_input || 0.0 < it.price_output;
        let free = self
            .config
            .models
            .iter()
            .find(|it| !has_price(it) && it.protocol != Protocol::Embedded);
        if let (Some(part), Some(model)) = (capped_in_money.first(), free) {
            let text = format!(
                "caps in money need the price of every model, and `{}` has none: set its \
                 price_input and price_output",
                model.name
            );
            self.note(&format!("budgets.{part}"), text);
        }
        if let Some(part) = capped_in_money.first() {
            self.senses_have_prices(part);
        }
    }

    fn chain(&mut self) {
        let known: Vec<&str> = self.config.models.iter().map(|m| m.name.as_str()).collect();
        for name in &self.config.broker.chain {
            if !known.contains(&name.as_str()) {
                let text = match super::source::nearest(name, known.iter().copied()) {
                    Some(near) => format!("there is no model `{name}`; did you mean `{near}`?"),
                    None => format!("there is no model `{name}`"),
                };
                self.note("broker.chain", text);
            }
        }
    }

    fn times(&mut self) {
        let (broker, session) = (&self.config.broker, &self.config.session);
        if broker.backoff_max < broker.backoff_min {
            self.note("broker.backoff_max", "must not be shorter than `broker.backoff_min`");
        }
        if session.turn_time_max < broker.request_time_max {
            self.warnings.push(
                "session.turn_time_max is shorter than broker.request_time_max: the turn ends \
                 first, and the last tries of a slow model are in vain"
                    .to_owned(),
            );
        }
    }

    fn console(&mut self) {
        let http = &self.config.http;
        if !http.addr.ip().is_loopback() && !http.login {
            self.note("http.login", "the console may be without a login only on this machine");
        }
    }

    /// A secret that a bot or a model refers to.
    fn secret(&mut self, key: &str, name: &str, file: Option<&std::path::Path>) {
        let found = match file {
            Some(path) => self.secrets.read(name, path).map(|()| true),
            None => self.secrets.find(name, self.env),
        };
        if !self.found(key, name, found) {
            self.note(key, format!("the secret `{name}` is not set"));
        }
    }

    /// The name of a bot or a model.
    fn name(&mut self, key: &str, name: &str, names: &mut BTreeSet<String>) {
        let may_stand = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if name.is_empty() || 64 < name.len() || !name.chars().all(may_stand) {
            self.note(key, "must have 1 to 64 letters, digits, `_`, `-` or `.`");
        } else if !names.insert(name.to_owned()) {
            self.note(key, format!("`{name}` is there twice"));
        }
    }

    fn backups(&mut self) {
        let backup = &self.config.backup;
        let Some((bucket, _)) = self.config.backup_bucket() else { return };
        let may_stand = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(may_stand) {
            self.note("backup.url", "must name a bucket, such as `s3://my-bucket/guildhall`");
        }
        if backup.dir.is_some() {
            self.note("backup.url", "give `dir` or `url`, not both");
        }
        if let Some(address) = &backup.endpoint
            && let Some(url) = self.server("backup.endpoint", address)
            && url.scheme() == "http"
            && !is_private(&url)
        {
            self.note("backup.endpoint", "would send the key's signature in the clear: use https");
        }
        let mut given = Vec::new();
        for name in [BUCKET_KEY_ID, BUCKET_KEY] {
            let found = self.secrets.find(name, self.env);
            given.push(self.found(name, name, found));
        }
        if given.first() != given.last() {
            self.note("backup.url", format!("needs both `{BUCKET_KEY_ID}` and `{BUCKET_KEY}`"));
        }
    }

    /// An address of a server: http or https, with a host, and without a password.
    fn server(&mut self, key: &str, text: &str) -> Option<Url> {
        let problem = match Url::parse(text) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() => {
                "must begin with https:// or http:// and name a host"
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "must not hold a name or a password: anyone who sees the settings would see them"
            }
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                "must end with the path, without `?` or `#`"
            }
            Ok(url) => return Some(url),
            Err(_parse_error) => "must be an address such as `https://api.example.org`",
        };
        self.note(key, problem);
        None
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether an address plainly leads to this machine or a private network. Names are looked up and
/// judged again at every connection, by the adapter.
pub(crate) fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_private_ip(address.into()),
        Some(Host::Ipv6(address)) => is_private_ip(address.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost") || name.ends_with(".internal")
        }
        None => true,
    }
}

fn is_private_ip(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}

impl SecretsConfig {
    fn agent_at(&self, url: Url) -> AwsAgent {
        let (prefix, token_file) = (self.aws_prefix.clone(), self.aws_token_file.clone());
        AwsAgent { url, prefix, token_file }
    }

    /// The agent that holds the master key, if one does. It must have passed the check.
    #[must_use]
    pub fn master_key_agent(&self) -> Option<AwsAgent> {
        let url = self.aws_agent.as_ref().filter(|_| self.aws_master_key)?;
        Some(self.agent_at(Url::parse(url).ok()?))
    }
}

impl BotConfig {
    /// The name under which its token stands among the secrets.
    #[must_use]
    pub fn token_name(&self) -> String {
        self.token_env.clone().unwrap_or_else(|| format!("bots.{}.token", self.name))
    }
}

impl ModelConfig {
    /// The name under which its key stands among the secrets; `None` if it needs none.
    #[must_use]
    pub fn key_name(&self) -> Option<String> {
        let in_file =
            || self.api_key_file.as_ref().map(|_path| format!("models.{}.key", self.name));
        self.api_key_env.clone().or_else(in_file)
    }
}
