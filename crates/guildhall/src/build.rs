//! Makes the parts of the hall from the configuration: models, rules, agents, limits.
//!
//! Everything here is checked before the first connection is made; every error is in words.

pub mod toolbox;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};

use adapters::models::{self, HttpModelConfig, ModelConfig};
use flow::{
    broker::BrokerConfig,
    context::Rooms,
    ingress::IngressConfig,
    janitor::Retention,
    keeper::KeeperConfig,
    outbox::Pacing,
    recall::RecallConfig,
    request::House,
    right::Role,
    roster::Founding,
    session::{HistoryLimits, HomeConfig, MemoryConfig, Recaller, SessionConfig, ToolLimits},
    timekeeper::TimekeeperConfig,
    treasurer::{
        caps::{Allowance, Budgets, Cap},
        time::Calendar,
    },
    words::{self, Text},
};
use protocol::{BotId, Language, Languages, PersonId, embedding::Embedder, model::Model};
use screening::{
    ExactSecret, GreyZone, Kind, Level, Limits, PersonalAction, PersonalPolicy, Policy, RuleFile,
    Sanitising, Screen, SecondOpinion, classifier::AttackKind,
};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::{
    agents,
    config::{self, Allow, Config, Loaded, Protocol, Secrets},
    playbooks,
    rules::Sources,
    senses,
};

/// Why the hall cannot be built. In words; ends the program with exit code 78.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(String);

impl BuildError {
    /// An error that is in words already.
    pub(crate) fn in_words(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// An error with all that led to it.
    pub fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            // Some errors of others repeat their cause in their own text.
            if !text.ends_with(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        Self(text)
    }
}

/// Makes every model ready.
///
/// # Errors
/// What is wrong with a model's settings or file.
pub fn models(loaded: &Loaded) -> Result<Arc<[Arc<dyn Model>]>, BuildError> {
    let config = &loaded.config;
    let mut agents =
        agents::load(&config.hall.agents_dir).map_err(|error| BuildError::of(&error))?;
    // An embedded model reads instructions ahead, in this order.
    agents.sort_by_key(|it| it.name != config.hall.default_agent);
    let instructions: Vec<String> = agents.iter().map(flow::broker::system_turn).collect();
    let made = config.models.iter().map(|it| model(it, &loaded.secrets, &instructions));
    made.collect()
}

fn model(
    it: &config::ModelConfig,
    secrets: &Secrets,
    instructions: &[String],
) -> Result<Arc<dyn Model>, BuildError> {
    let made = match it.protocol {
        Protocol::OpenAi => ModelConfig::OpenAi(http_model(it, secrets)),
        Protocol::Anthropic => ModelConfig::Anthropic(http_model(it, secrets)),
        Protocol::Embedded => embedded_model(it, instructions)?,
    };
    models::build(made).map_err(|error| BuildError::of(&error))
}

#[cfg(feature = "embedded")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature this is an error")]
fn embedded_model(
    it: &config::ModelConfig,
    instructions: &[String],
) -> Result<ModelConfig, BuildError> {
    let path = it.path.clone().unwrap_or_default();
    let usual = adapters::models::embedded::EmbeddedConfig::new(&it.name, path);
    let sha256 = it.sha256.clone();
    let instructions = instructions.to_vec();
    let context_tokens_max = context_tokens(it).unwrap_or(usual.context_tokens_max);
    let made = adapters::models::embedded::EmbeddedConfig {
        sha256,
        instructions,
        context_tokens_max,
        ..usual
    };
    Ok(ModelConfig::Embedded(made))
}

#[cfg(not(feature = "embedded"))]
fn embedded_model(it: &config::ModelConfig, _: &[String]) -> Result<ModelConfig, BuildError> {
    Err(BuildError(format!("model {}: this program was built without the embedded model", it.name)))
}

/// How many tokens a model takes, where that is configured.
fn context_tokens(it: &config::ModelConfig) -> Option<usize> {
    usize::try_from(it.context_tokens_max).ok().filter(|it| *it != 0)
}

fn http_model(it: &config::ModelConfig, secrets: &Secrets) -> HttpModelConfig {
    let key = it.key_name().and_then(|name| secrets.get(&name).cloned());
    let key = key.unwrap_or_else(|| SecretString::from(""));
    let base_url = it.base_url().unwrap_or_default();
    let usual = HttpModelConfig::new(&it.name, base_url, "", &it.model);
    HttpModelConfig {
        api_key: key,
        stream: it.stream,
        tools: it.tools,
        sees: it.sees,
        first_byte_time_max: it.first_byte_time_max,
        piece_time_max: it.piece_time_max,
        answer_bytes_max: usize::try_from(it.answer_bytes_max.0).unwrap_or(usize::MAX),
        context_tokens_max: context_tokens(it).unwrap_or(usual.context_tokens_max),
        price_input_micros_per_mtok: micros(it.price_input),
        price_output_micros_per_mtok: micros(it.price_output),
        allow_private_addresses: it.allow_private,
        ..usual
    }
}

/// The shortest secret that is looked for in texts.
pub(crate) const SECRET_BYTES_MIN: usize = 8;

/// Compiles the guard's rules: built in, from the rules folder, from packs, and every secret of ours.
///
/// # Errors
/// Which rule of which file is wrong, and how.
pub fn screen(loaded: &Loaded) -> Result<Screen, BuildError> {
    let files = Sources::of(&loaded.config)?.files()?;
    Screen::new(policy(loaded, files)).map_err(|error| BuildError::of(&error))
}

/// What the guard is made from, with these rule files.
#[must_use]
pub fn policy(loaded: &Loaded, rule_files: Vec<RuleFile>) -> Policy {
    let config = &loaded.config;
    let level = match config.guard.level {
        config::GuardLevel::Low => Level::Low,
        config::GuardLevel::Medium => Level::Medium,
        config::GuardLevel::High => Level::High,
    };
    let secret = |(at, value): (usize, &SecretString)| ExactSecret {
        name: format!("configured_secret_{at}"),
        value: Zeroizing::new(value.expose_secret().to_owned()),
    };
    let usual = Limits::default();
    let chars_max = config.limits.message_chars_max.0.map_or(usize::MAX, |it| it as usize);
    let tokens_max = config.limits.message_tokens_max.0.map_or(0, |it| it as usize);
    Policy {
        level,
        // A shorter one would be found in ordinary words.
        secrets: loaded
            .secrets
            .all()
            .filter(|it| SECRET_BYTES_MIN <= it.expose_secret().len())
            .enumerate()
            .map(secret)
            .collect(),
        limits: Limits { chars_max, tokens_max, ..usual },
        rule_files,
        personal: personal(&config.guard.personal),
        sanitising: match config.guard.sanitising {
            config::Sanitising::Normal => Sanitising::Normal,
            config::Sanitising::Strict => Sanitising::Strict,
        },
        kinds_disabled: config.guard.attacks_off.iter().map(|it| kind(*it)).collect(),
        attacks_disabled: config.guard.attacks_off.iter().filter_map(|it| attack(*it)).collect(),
        ..Policy::default()
    }
}

/// Who gives second opinions on doubtful messages, if the configuration names anybody.
///
/// # Errors
/// What is wrong with the transformer's files.
pub fn second_opinion(config: &config::GuardConfig) -> Result<Option<GreyZone>, BuildError> {
    let Some(folder) = &config.transformer_path else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "a score needs no more than f32 holds")]
    let scores = config.transformer_from as f32..config.transformer_to as f32;
    Ok(Some(GreyZone { judge: transformer(folder, config.transformer_time_max)?, scores }))
}

#[cfg(feature = "guard-transformer")]
fn transformer(folder: &Path, time_max: Duration) -> Result<Arc<dyn SecondOpinion>, BuildError> {
    use adapters::transformer::{Transformer, TransformerConfig};

    struct Judge(Transformer);

    impl SecondOpinion for Judge {
        fn score(&self, text: &str) -> Option<f32> {
            self.0.score(text)
        }
    }

    let made = Transformer::load(&TransformerConfig { folder: folder.to_owned(), time_max });
    Ok(Arc::new(Judge(made.map_err(|error| BuildError::of(&error))?)))
}

#[cfg(not(feature = "guard-transformer"))]
fn transformer(_: &Path, _: Duration) -> Result<Arc<dyn SecondOpinion>, BuildError> {
    Err(BuildError("guard.transformer_path: this program was built without it".to_owned()))
}

/// The kind of a built-in rule.
fn kind(it: config::Attack) -> Kind {
    match it {
        config::Attack::PromptInjection => Kind::PromptInjection,
        config::Attack::Jailbreak => Kind::Jailbreak,
        config::Attack::PromptLeak => Kind::PromptLeak,
        config::Attack::DataExfiltration => Kind::DataExfiltration,
        config::Attack::Dangerous => Kind::Dangerous,
    }
}

/// The kind that the trained model knows it as, if it does.
fn attack(it: config::Attack) -> Option<AttackKind> {
    match it {
        config::Attack::PromptInjection => Some(AttackKind::PromptInjection),
        config::Attack::Jailbreak => Some(AttackKind::Jailbreak),
        config::Attack::PromptLeak => Some(AttackKind::PromptLeak),
        config::Attack::DataExfiltration => Some(AttackKind::DataExfiltration),
        config::Attack::Dangerous => None,
    }
}

fn personal(it: &config::PersonalConfig) -> PersonalPolicy {
    let action = |it: config::PersonalAction| match it {
        config::PersonalAction::Off => PersonalAction::Off,
        config::PersonalAction::Flag => PersonalAction::Flag,
        config::PersonalAction::Redact => PersonalAction::Redact,
        config::PersonalAction::Refuse => PersonalAction::Refuse,
    };
    PersonalPolicy {
        email: action(it.email),
        phone: action(it.phone),
        credit_card: action(it.credit_card),
        ssn: action(it.ssn),
        iban: action(it.iban),
        ip: action(it.ip),
        passport: action(it.passport),
        national_id: action(it.national_id),
        crypto_address: action(it.crypto_address),
        date_of_birth: action(it.date_of_birth),
        person_name: action(it.person_name),
        ..PersonalPolicy::default()
    }
}

/// Reads the operator's rule files, in the order of their names. A folder that is missing is empty.
///
/// # Errors
/// Which file cannot be read.
pub fn rule_files(folder: &Path) -> Result<Vec<RuleFile>, BuildError> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        BuildError(format!("{} cannot be read: {error}", path.display()))
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    let paths: Result<Vec<_>, _> = entries.map(|it| it.map(|it| it.path())).collect();
    let mut paths = paths.map_err(|error| unreadable(folder, &error))?;
    paths.retain(|it| it.extension().is_some_and(|it| it == "toml"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        Ok(RuleFile { name: path.display().to_string(), text })
    };
    paths.iter().map(read).collect()
}

/// What the configuration says about agents and access.
///
/// # Errors
/// What is wrong with an agent's file.
pub fn founding(config: &Config, bots: &[BotId]) -> Result<Founding, BuildError> {
    let agents = agents::load(&config.hall.agents_dir).map_err(|error| BuildError::of(&error))?;
    let (allowed, open_to_all) = match &config.access.allow {
        Allow::Everyone => (Default::default(), true),
        Allow::Only(ids) => (ids.clone(), false),
    };
    let named = bots.iter().zip(&config.bots);
    let default_agents: HashMap<_, _> =
        named.map(|(id, bot)| (*id, config.default_agent(bot).clone())).collect();
    let named = bots.iter().zip(&config.bots);
    let bound = named.filter_map(|(id, bot)| Some((*id, bot.agent.clone()?))).collect();
    Ok(Founding {
        agents,
        bound,
        roles: roles(&config.access),
        allowed,
        open_to_all,
        default_agents,
        default_agent: Some(config.hall.default_agent.clone()),
        budgets: budgets(&config.budgets),
        playbooks: playbooks::load(config).map_err(|error| BuildError::of(&error))?.into(),
    })
}

/// Who has which role; of several the highest.
fn roles(access: &config::Access) -> BTreeMap<PersonId, Role> {
    let lists = [
        (&access.auditors, Role::Auditor),
        (&access.operators, Role::Operator),
        (&access.admins, Role::Admin),
        (&access.owners, Role::Owner),
    ];
    let each = lists.into_iter().flat_map(|(ids, role)| ids.iter().map(move |it| (*it, role)));
    each.map(|(id, role)| (PersonId(id), role)).collect()
}

/// How much may be used of models.
fn budgets(it: &config::BudgetsConfig) -> Budgets {
    let tokens = |it: config::Limit<usize>| it.0.map(|it| u64::try_from(it).unwrap_or(u64::MAX));
    let money = |it: config::Limit<f64>| it.0.map(micros);
    let allowance = |it: &config::AllowanceConfig| Allowance {
        day: Cap { tokens: tokens(it.tokens_day), micros: money(it.money_day) },
        month: Cap { tokens: tokens(it.tokens_month), micros: money(it.money_month) },
    };
    Budgets {
        person: allowance(&it.person),
        chat: allowance(&it.chat),
        agent: allowance(&it.agent),
        hall: allowance(&it.hall),
        warn_percent: it.warn_percent,
        step_down_percent: it.step_down_percent,
        step_down_to: it.step_down_to.clone(),
        currency: it.currency.clone(),
        unusual_times: it.unusual_times,
        unusual_tokens_min: u64::try_from(it.unusual_tokens_min).unwrap_or(u64::MAX),
    }
}

/// An amount of money in millionths.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked not to be negative; what is more than fits is the most that does"
)]
pub(crate) fn micros(amount: f64) -> u64 {
    (amount * 1e6).round() as u64
}

/// The hall's calendar. Its zone was checked with the configuration.
///
/// # Errors
/// If there is no such zone.
pub fn calendar(config: &Config) -> Result<Calendar, BuildError> {
    Calendar::of(&config.hall.time_zone).map_err(|error| BuildError::of(&error))
}

/// What is remembered beside the conversation.
fn memory(config: &Config, models: &[Arc<dyn Model>]) -> MemoryConfig {
    let it = &config.memory;
    let chain: Vec<String> = config.chain().iter().map(|model| model.name.clone()).collect();
    MemoryConfig {
        facts_max: it.facts_max,
        fact_chars_max: it.fact_chars_max,
        summaries_by_model: it.summaries == config::Summaries::Model,
        recalls: embeddings_folder(config).is_some(),
        rooms: Rooms::of(models, &chain, config.broker.answer_tokens_max),
    }
}

/// Where the embedding model is, where one is configured.
pub(crate) fn embeddings_folder(config: &Config) -> Option<&Path> {
    config.memory.embeddings_path.as_deref().filter(|it| !it.as_os_str().is_empty())
}

/// What looks through the past, where an embedding model is configured.
///
/// # Errors
/// What is wrong with the model's files.
pub fn recaller(config: &Config) -> Result<Option<Recaller>, BuildError> {
    let Some(folder) = embeddings_folder(config) else { return Ok(None) };
    let it = &config.memory;
    #[expect(clippy::cast_possible_truncation, reason = "a score needs no more than six digits")]
    let score_min = it.recall_score_min.clamp(0.0, 1.0) as f32;
    let limits = RecallConfig {
        time_max: it.recall_time_max,
        results_max: it.recall_results_max,
        score_min,
        memories_max: it.recall_memories_max,
    };
    Ok(Some(Recaller { embedder: embedder(folder)?, config: limits }))
}

#[cfg(feature = "embedded")]
fn embedder(folder: &Path) -> Result<Arc<dyn Embedder>, BuildError> {
    let config = adapters::embeddings::EmbeddingsConfig::new(folder);
    let made = adapters::embeddings::LocalEmbedder::load(&config);
    Ok(Arc::new(made.map_err(|error| BuildError::of(&error))?))
}

#[cfg(not(feature = "embedded"))]
fn embedder(_: &Path) -> Result<Arc<dyn Embedder>, BuildError> {
    let text = "memory.embeddings_path: this program was built without the embedded model";
    Err(BuildError::in_words(text))
}

/// Limits of one session.
#[must_use]
pub fn session(config: &Config, models: &[Arc<dyn Model>]) -> SessionConfig {
    let it = &config.session;
    SessionConfig {
        history: HistoryLimits {
            exchanges_max: it.history_exchanges_max,
            chars_max: it.history_chars_max,
            summarised: true,
        },
        memory: memory(config, models),
        tools: tools(config),
        papers: senses::papers(config),
        backlog_max: it.backlog_max,
        attempts_max: it.attempts_max,
        turn_time_max: it.turn_time_max,
        tick: Duration::from_millis(400),
        answer_tokens_max: config.broker.answer_tokens_max,
        rest_after: it.rest_after,
        typeset: match it.rich_messages {
            true => adapters::telegram::typeset_rich,
            false => adapters::telegram::typeset,
        },
        house: House {
            providers: providers(config),
            languages: languages(config),
            contact: String::new(),
            must_accept: config.access.accept_notice,
            // Checked with the configuration.
            calendar: calendar(config).unwrap_or_default(),
            abilities: senses::abilities(config),
        },
        home: HomeConfig {
            gather_time: it.gather_time,
            messages_max: it.messages_max,
            marks_seen: it.marks_seen,
            streams_in_groups: it.streams_in_groups,
            turns_wait: it.turns_wait,
        },
    }
}

/// The languages the hall speaks. Their tags were checked with the configuration.
pub(crate) fn languages(config: &Config) -> Languages {
    let tags = config.hall.languages.iter();
    Languages::of(&tags.filter_map(|it| Language::of_tag(it)).collect::<Vec<_>>())
}

/// Limits of agents that work with tools.
fn tools(config: &Config) -> ToolLimits {
    let servers = config.tool_servers.iter().map(|it| it.call_time_max);
    let it = &config.tools;
    ToolLimits {
        rounds_max: it.rounds_max,
        calls_max: it.calls_max,
        // The servers keep their own times.
        call_time_max: servers.max().unwrap_or_default().max(it.call_time_max),
        result_bytes_max: toolbox::result_bytes_max(config),
        approval_time_max: it.approval_time_max,
        depth_max: it.depth_max,
        panel: it.panel.clone(),
    }
}

/// Who gets people's text, in words for the privacy notice.
fn providers(config: &Config) -> Text {
    let mut hosts: Vec<Option<String>> = Vec::new();
    for model in config.chain() {
        let url = model.base_url().and_then(|it| url::Url::parse(it).ok());
        let host = url.as_ref().and_then(url::Url::host_str).map(str::to_owned);
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    let mut providers = vec![words::providers(&hosts)];
    providers.extend(senses::listener(config).map(|it| words::media::hears(&it)));
    providers.extend(senses::voice(config).map(|it| words::media::speaks(&it)));
    let keeps = 0 < config.limits.kept_files_max;
    providers.extend(keeps.then(words::papers::privacy));
    Text::concat(providers)
}

/// Limits of the timekeeper.
#[must_use]
pub fn timekeeper(config: &Config) -> TimekeeperConfig {
    let it = &config.schedules;
    TimekeeperConfig {
        reminders_max: it.reminders_max,
        reminder_chars_max: it.reminder_chars_max,
        prompts_max: it.prompts_max,
        interval_min: it.interval_min,
        late_max: it.late_max,
        // Checked with the configuration.
        calendar: calendar(config).unwrap_or_default(),
    }
}

/// Limits of the keeper.
#[must_use]
pub fn keeper(config: &Config) -> KeeperConfig {
    KeeperConfig { live_max: config.session.live_max, quarantine_pause: Duration::from_secs(60) }
}

/// Limits of the broker.
#[must_use]
pub fn broker(config: &Config, canary: Arc<str>) -> BrokerConfig {
    let it = &config.broker;
    BrokerConfig {
        chain: config.chain().iter().map(|model| model.name.clone()).collect(),
        requests_in_flight_max: it.requests_in_flight_max,
        waiting_max: it.waiting_max,
        waiting_per_person_max: it.waiting_per_person_max,
        request_time_max: it.request_time_max,
        attempts_max: it.attempts_max,
        backoff_min: it.backoff_min,
        backoff_max: it.backoff_max,
        breaker_failures: it.breaker_failures.0.unwrap_or(0),
        breaker_open: it.breaker_open,
        answer_tokens_max: it.answer_tokens_max,
        canary,
    }
}

/// Limits of ingress.
#[must_use]
pub fn ingress(config: &Config) -> IngressConfig {
    let it = &config.limits;
    let per_minute = it.person_per_minute.0.unwrap_or(0);
    IngressConfig {
        polls: true,
        poll_wait: config.telegram.poll_wait,
        person_per_minute: per_minute,
        person_burst: it.person_burst.0.unwrap_or(per_minute),
        chat_per_minute: it.chat_per_minute.0.unwrap_or(0),
        flood_ignore: it.flood_ignore.0.unwrap_or(Duration::ZERO),
        waiting_max: it.waiting_updates_max as u64,
        languages: languages(config),
    }
}

/// How fast a bot may write.
#[must_use]
pub fn pacing(config: &Config) -> Pacing {
    let it = &config.telegram;
    Pacing {
        enabled: it.pacing,
        chat_per_second: it.per_chat_per_second.0.unwrap_or(0.0),
        chat_burst: f64::from(it.per_chat_burst),
        group_per_minute: it.group_per_minute.0.map_or(0.0, f64::from),
        all_per_second: it.all_per_second.0.map_or(0.0, f64::from),
    }
}

/// How long things are kept.
#[must_use]
pub fn retention(config: &Config) -> Retention {
    let it = &config.store.retention;
    Retention {
        conversations: it.conversations.0,
        quarantine: it.quarantine.0,
        raw_updates: it.raw_updates.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_twice_has_the_higher_role() {
        let access = config::Access {
            admins: vec![1, 2],
            owners: vec![2],
            operators: vec![1, 3],
            auditors: vec![3, 4],
            ..config::Access::default()
        };
        let found: Vec<(i64, Role)> =
            roles(&access).into_iter().map(|(it, role)| (it.0, role)).collect();
        let expected =
            [(1, Role::Admin), (2, Role::Owner), (3, Role::Operator), (4, Role::Auditor)];
        assert_eq!(found, expected);
    }
}
