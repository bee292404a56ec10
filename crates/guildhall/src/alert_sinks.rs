//! Makes the places that alerts go to, and the rules, from the configuration.

use std::sync::Arc;

use adapters::sinks::{
    SinkError,
    mail::{Mail, MailConfig, MailTls},
    pager::Pager,
    sentry::{Dsn, Sentry},
    slack::Slack,
    sms::{Sms, SmsConfig},
    webhook::Webhook,
};
use flow::alerter::{
    AlerterConfig, Placed, Severity, Surroundings,
    book::Pace,
    rules::{Bound, Rule, Signal, shipped},
};
use protocol::{alert::Sink, tool::Toolbox};

use crate::{
    config::{
        ALERT_PAGERDUTY_KEY, ALERT_SLACK_URL, ALERT_SMS_TOKEN, ALERT_SMTP_PASSWORD,
        ALERT_WEBHOOK_SECRET, AlertBound, AlertRule, AlertSeverity, AlertSignal, AlertTls, Config,
        Loaded, SENTRY_DSN,
    },
    run::SystemClock,
};

/// Every sink of the configuration. Telegram is none of them: the hall makes it itself.
///
/// # Errors
/// If one cannot be made.
pub fn sinks(loaded: &Loaded) -> Result<Vec<Placed>, SinkError> {
    let (config, secrets) = (&loaded.config.alerts, &loaded.secrets);
    let mut sinks = Vec::new();
    let mut place = |sink: Arc<dyn Sink>, step: u32, least: AlertSeverity| {
        let step = u8::try_from(step).unwrap_or(u8::MAX);
        sinks.push(Placed { sink, step, least: severity(least) });
    };
    if let Some(url) = &config.webhook.url {
        let secret = secrets.get(ALERT_WEBHOOK_SECRET).cloned();
        let sink = Webhook::new(url.0.clone(), secret, Arc::new(SystemClock))?;
        place(Arc::new(sink), config.webhook.step, config.webhook.least);
    }
    if let Some(host) = config.smtp.host.clone().filter(|_| !config.smtp.to.is_empty()) {
        let smtp = &config.smtp;
        let mail = MailConfig {
            host,
            port: u16::try_from(smtp.port).unwrap_or_default(),
            tls: match smtp.tls {
                AlertTls::StartTls => MailTls::StartTls,
                AlertTls::Tls => MailTls::Wrapped,
            },
            user: smtp.user.clone(),
            from: smtp.from.clone(),
            to: smtp.to.clone(),
            ca_file: smtp.ca_file.clone(),
        };
        let sink = Mail::new(&mail, secrets.get(ALERT_SMTP_PASSWORD).cloned())?;
        place(Arc::new(sink), smtp.step, smtp.least);
    }
    if let Some(url) = secrets.get(ALERT_SLACK_URL) {
        place(Arc::new(Slack::new(url.clone())?), config.slack.step, config.slack.least);
    }
    if let Some(key) = secrets.get(ALERT_PAGERDUTY_KEY) {
        let pager = &config.pagerduty;
        let sink = Pager::new(pager.url.clone(), key.clone(), config.source.clone())?;
        place(Arc::new(sink), pager.step, pager.least);
    }
    if let Some(sentry) = sentry(loaded)? {
        place(Arc::new(sentry), config.sentry.step, config.sentry.least);
    }
    if let Some(token) = secrets.get(ALERT_SMS_TOKEN) {
        let sms = &config.sms;
        let settings = SmsConfig {
            base_url: sms.base_url.clone(),
            account: sms.account.clone(),
            from: sms.from.clone(),
            to: sms.to.clone(),
        };
        place(Arc::new(Sms::new(settings, token.clone())?), sms.step, sms.least);
    }
    Ok(sinks)
}

/// Where Sentry is, if it is anywhere.
///
/// # Errors
/// If its address is none, or this machine cannot make HTTP requests.
pub(crate) fn sentry(loaded: &Loaded) -> Result<Option<Sentry>, SinkError> {
    let Some(dsn) = loaded.secrets.get(SENTRY_DSN) else { return Ok(None) };
    let environment = loaded.config.alerts.sentry.environment.clone();
    Sentry::new(Dsn::read(dsn)?, environment, Arc::new(SystemClock)).map(Some)
}

/// How alerts are told, and the rules in force.
#[must_use]
pub fn alerter(config: &Config) -> AlerterConfig {
    let it = &config.alerts;
    let is_replaced = |rule: &Rule| {
        it.rules_off.contains(&rule.name) || it.rule.iter().any(|own| own.name == rule.name)
    };
    let own = it.rule.iter().map(rule);
    let rules: Vec<Rule> = shipped().into_iter().filter(|it| !is_replaced(it)).chain(own).collect();
    AlerterConfig {
        pace: Pace { climb: it.climb_after, ..Pace::default() },
        telegram: it.telegram,
        refusals: it.refusals,
        rules: rules.into(),
        runbooks: it.runbooks.clone(),
    }
}

/// What only the program sees: its disk, what its log lost, and its tool servers.
pub fn surroundings(
    config: &Config,
    dropped_lines: impl Fn() -> u64 + Send + Sync + 'static,
    toolbox: Arc<dyn Toolbox>,
) -> Arc<dyn Fn() -> Surroundings + Send + Sync> {
    let folder = config.hall.data_dir.clone();
    Arc::new(move || {
        // As `df` has it: of what can be filled, and not of what is kept back for others.
        let disk = rustix::fs::statvfs(&folder).ok();
        let parts = disk.map(|it| (it.f_bavail, it.f_blocks.saturating_sub(it.f_bfree)));
        #[expect(clippy::cast_precision_loss, reason = "blocks of a disk fit in 53 bits")]
        let part = |free: u64, used: u64| free as f64 / (free + used) as f64;
        let disk_free =
            parts.filter(|(free, used)| 0 < free + used).map(|(free, used)| part(free, used));
        let ill = toolbox.health().iter().filter(|it| !it.is_well()).count();
        let tool_servers_ill = u64::try_from(ill).unwrap_or(u64::MAX);
        Surroundings { disk_free, dropped_lines: dropped_lines(), tool_servers_ill }
    })
}

fn severity(word: AlertSeverity) -> Severity {
    match word {
        AlertSeverity::Warning => Severity::Warning,
        AlertSeverity::Critical => Severity::Critical,
    }
}

fn rule(it: &AlertRule) -> Rule {
    let usual = || format!("{} is {{value}}.", it.signal.word());
    Rule {
        name: it.name.clone(),
        signal: signal(it.signal),
        bound: match it.bound {
            AlertBound::Above => Bound::Above(it.limit),
            AlertBound::Below => Bound::Below(it.limit),
            AlertBound::TimesUsual => Bound::TimesUsual(it.limit),
        },
        over: it.over,
        hold: it.hold,
        at_least: it.at_least,
        severity: severity(it.severity),
        summary: it.summary.clone().unwrap_or_else(usual),
    }
}

fn signal(word: AlertSignal) -> Signal {
    match word {
        AlertSignal::PollAge => Signal::PollAgeSeconds,
        AlertSignal::LlmErrors => Signal::LlmErrorRatio,
        AlertSignal::ReplyP95 => Signal::ReplyP95Seconds,
        AlertSignal::Restarts => Signal::ActorRestarts,
        AlertSignal::Quarantined => Signal::Quarantined,
        AlertSignal::DiskFree => Signal::DiskFreeRatio,
        AlertSignal::GuardBlocks => Signal::GuardBlocks,
        AlertSignal::BackupAge => Signal::BackupAgeSeconds,
        AlertSignal::Updates => Signal::Updates,
        AlertSignal::Tokens => Signal::Tokens,
        AlertSignal::LogLines => Signal::LogLinesDropped,
        AlertSignal::Cost => Signal::Cost,
        AlertSignal::ToolServers => Signal::ToolServersIll,
    }
}

impl AlertSignal {
    /// True for what is counted within a window.
    #[must_use]
    pub fn counts_up(self) -> bool {
        match self {
            Self::Restarts
            | Self::Quarantined
            | Self::GuardBlocks
            | Self::Updates
            | Self::Tokens
            | Self::LogLines
            | Self::Cost => true,
            Self::PollAge
            | Self::LlmErrors
            | Self::ReplyP95
            | Self::DiskFree
            | Self::BackupAge
            | Self::ToolServers => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Env, load_text};

    #[test]
    fn every_shipped_rule_and_every_kind_of_incident_has_a_runbook() {
        let root = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this");
        let folder = std::path::Path::new(&root).join("../../docs/runbooks");
        let alerts = shipped().into_iter().map(|it| format!("alert-{}.md", it.name));
        let kinds = flow::incident::Kind::ALL.iter().map(|it| format!("incident-{}.md", it.word()));
        let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
        let actors =
            flow::alerter::runbook::KINDS.iter().map(|(_, page)| format!("alert-{page}.md"));
        for name in alerts.chain(kinds).chain(actors) {
            assert!(folder.join(&name).is_file(), "{name} is not there");
            assert!(index.contains(&format!("({name})")), "{name} is not in the list");
        }
    }

    /// Every kind that any code of ours raises, by looking for where it does.
    #[test]
    fn every_kind_of_alert_that_the_code_raises_has_a_runbook() {
        fn visit(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if path.is_dir() && name != "tests" {
                    visit(&path, found);
                } else if name.ends_with(".rs") && !name.contains("tests") {
                    found.push((
                        path.display().to_string(),
                        std::fs::read_to_string(&path).unwrap(),
                    ));
                }
            }
        }
        let root = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this");
        let mut sources = Vec::new();
        for place in ["src", "../flow/src"] {
            visit(&std::path::Path::new(&root).join(place), &mut sources);
        }
        let known: Vec<&str> = flow::alerter::runbook::KINDS.iter().map(|(it, _)| *it).collect();
        let mut seen = std::collections::BTreeSet::new();
        for (file, code) in &sources {
            let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for (at, call) in code.match_indices("Msg::raise(") {
                let rest = code[at + call.len()..].trim_start();
                let kind = match rest.strip_prefix('"').and_then(|it| it.split_once('"')) {
                    Some((kind, _)) => kind,
                    // A variable: its words stand in the treasurer's own test.
                    None if file.contains("treasurer") => continue,
                    None => panic!("{file} raises a kind that cannot be read here"),
                };
                assert!(known.contains(&kind), "{file} raises `{kind}`, which has no runbook");
                seen.insert(kind.to_owned());
            }
        }
        assert!(6 <= seen.len(), "they are found: {seen:?}");
        for kind in ["budget_used_up", "budget_nearly_used_up"] {
            let quoted = format!("\"{kind}\"");
            let is_there = |(file, code): &(String, String)| {
                file.contains("treasurer") && code.contains(&quoted)
            };
            assert!(sources.iter().any(is_there) && known.contains(&kind), "{kind}");
        }
    }

    fn loaded(text: &str, env: &[(&str, &str)]) -> Result<Loaded, String> {
        let env: Env =
            env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load_text("test", text, &env).map_err(|problems| problems.to_string())
    }

    fn names(loaded: &Loaded) -> Vec<(&'static str, u8)> {
        let sinks = sinks(loaded).unwrap();
        sinks.iter().map(|it| (it.sink.name(), it.step)).collect()
    }

    #[test]
    fn a_place_is_told_where_its_secret_or_its_address_is_set() {
        assert!(names(&loaded("", &[]).unwrap()).is_empty());
        let text = r#"
            [alerts.webhook]
            url = "https://alerts.example.org/x"
            step = 3
            [alerts.smtp]
            host = "smtp.example.org"
            from = "hall@example.org"
            to = ["ops@example.org"]
            [alerts.sms]
            account = "AC1"
            from = "+1"
            to = ["+2"]
        "#;
        let env = [
            ("ALERT_SLACK_URL", "https://hooks.slack.com/services/T/B/x"),
            ("ALERT_PAGERDUTY_KEY", "0123456789abcdef"),
            ("ALERT_SMS_TOKEN", "a token"),
            ("SENTRY_DSN", "https://abc123@sentry.example.org/7"),
        ];
        let all = loaded(text, &env).unwrap();
        assert_eq!(
            names(&all),
            [
                ("webhook", 3),
                ("smtp", 0),
                ("slack", 0),
                ("pagerduty", 1),
                ("sentry", 0),
                ("sms", 2)
            ]
        );
    }

    #[test]
    fn what_is_missing_or_would_go_in_the_clear_is_told_before_anything_starts() {
        let cases = [
            ("[alerts.smtp]\nto = [\"a@b\"]", [("", "")], "alerts.smtp.host"),
            ("[alerts.smtp]\nto = [\"a@b\"]", [("", "")], "alerts.smtp.from"),
            (
                "[alerts.smtp]\nhost = \"x\"\nfrom = \"a@b\"\nto = [\"c@d\"]\nuser = \"u\"",
                [("", "")],
                "ALERT_SMTP_PASSWORD",
            ),
            ("", [("ALERT_SLACK_URL", "http://hooks.slack.com/x")], "ALERT_SLACK_URL"),
            ("", [("ALERT_SMS_TOKEN", "t")], "alerts.sms.to"),
            ("", [("SENTRY_DSN", "http://abc@hooks.slack.com/1")], "SENTRY_DSN"),
            ("", [("SENTRY_DSN", "https://hooks.slack.com/1")], "SENTRY_DSN"),
            ("[alerts]\nrunbooks = \"a folder\"", [("", "")], "alerts.runbooks"),
            (
                "[alerts.pagerduty]\nurl = \"http://example.org\"",
                [("ALERT_PAGERDUTY_KEY", "k")],
                "in the clear",
            ),
            ("[alerts]\nrules_off = [\"nothing\"]", [("", "")], "shipped are"),
            ("[[alerts.rule]]\nname = \"A\"", [("", "")], "alerts.rule.0.name"),
            (
                "[[alerts.rule]]\nname = \"a\"\nsignal = \"disk_free_ratio\"",
                [("", "")],
                "what is usual",
            ),
        ];
        for (text, env, expected) in cases {
            let problems = loaded(text, &env).err().unwrap_or_default();
            assert!(problems.contains(expected), "{text}: {problems}");
            assert!(!problems.contains("hooks.slack.com"), "a secret is never quoted");
        }
    }

    #[test]
    fn shipped_rules_are_switched_off_or_replaced_by_name() {
        let text = r#"
            [alerts]
            rules_off = ["restarts"]
            [[alerts.rule]]
            name = "slow_replies"
            signal = "reply_p95_seconds"
            bound = "above"
            limit = 5
            severity = "critical"
            [[alerts.rule]]
            name = "many_tokens"
            signal = "tokens"
        "#;
        let rules = alerter(&loaded(text, &[]).unwrap().config).rules;
        let by_name: BTreeMap<&str, &Rule> =
            rules.iter().map(|it| (it.name.as_str(), it)).collect();
        assert_eq!(by_name.len(), rules.len(), "no name is there twice");
        assert_eq!(rules.len(), shipped().len());
        assert!(!by_name.contains_key("restarts"));
        assert_eq!(by_name["slow_replies"].bound, Bound::Above(5.0));
        assert_eq!(by_name["slow_replies"].summary, "reply_p95_seconds is {value}.");
        assert_eq!(by_name["many_tokens"].bound, Bound::TimesUsual(5.0));
    }

    #[test]
    fn the_free_part_of_the_disk_is_read() {
        let config = loaded("[hall]\ndata_dir = \"/\"", &[]).unwrap().config;
        let it = surroundings(&config, || 7, Arc::new(flow::session::NoTools))();
        assert!(it.disk_free.is_some_and(|it| (0.0..=1.0).contains(&it)), "{it:?}");
        assert_eq!(it.dropped_lines, 7);
    }
}
