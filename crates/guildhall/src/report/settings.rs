//! What the configuration in force says about a control.
//!
//! Evidence names keys and values of settings, never whom they name: of ids only how many there are.

use flow::playbook::Mode;
use url::Url;

use super::{
    Answer, Check,
    facts::{Facts, Inside},
};
use crate::config::{
    Allow, GuardLevel, LogLevel, PersonalAction, Protocol, ToolApproval, ToolEffects, is_private,
};

pub(super) const RETENTION: Check = Check { name: "retention", ask: retention };
pub(super) const REGION: Check = Check { name: "region", ask: region };
pub(super) const OWNERS: Check = Check { name: "owners", ask: owners };
pub(super) const ROLES: Check = Check { name: "roles", ask: roles };
pub(super) const TOOLS: Check = Check { name: "tools", ask: tools };
pub(super) const ALLOW_LIST: Check = Check { name: "allow_list", ask: allow_list };
pub(super) const NOTICE: Check = Check { name: "notice", ask: notice };
pub(super) const GUARD: Check = Check { name: "guard", ask: guard };
pub(super) const RULES: Check = Check { name: "rules", ask: rules };
pub(super) const PERSONAL_DATA: Check = Check { name: "personal_data", ask: personal_data };
pub(super) const CAPS: Check = Check { name: "caps", ask: caps };
pub(super) const LIMITS: Check = Check { name: "limits", ask: limits };
pub(super) const ALERT_SINKS: Check = Check { name: "alert_sinks", ask: alert_sinks };
pub(super) const PLAYBOOKS: Check = Check { name: "playbooks", ask: playbooks };
pub(super) const LOGS_SEALED: Check = Check { name: "logs_sealed", ask: logs_sealed };
pub(super) const LOGS_SENT: Check = Check { name: "logs_sent", ask: logs_sent };
pub(super) const LOGS_END: Check = Check { name: "logs_end", ask: logs_end };
pub(super) const LOGS_LAST: Check = Check { name: "logs_last", ask: logs_last };
pub(super) const CONSOLE: Check = Check { name: "console", ask: console };
pub(super) const TRANSPORT: Check = Check { name: "transport", ask: transport };
pub(super) const MODEL_FILES: Check = Check { name: "model_files", ask: model_files };
pub(super) const EMBEDDINGS: Check = Check { name: "embeddings", ask: embeddings };
pub(super) const BACKUPS_APART: Check = Check { name: "backups_apart", ask: backups_apart };

fn retention(facts: &Facts<'_>) -> Answer {
    let it = &facts.loaded.config.store.retention;
    let kept = [
        ("store.retention.conversations", it.conversations.0),
        ("store.retention.quarantine", it.quarantine.0),
        ("store.retention.raw_updates", it.raw_updates.0),
    ];
    let for_ever: Vec<&str> =
        kept.iter().filter(|(_, time)| time.is_none()).map(|(key, _)| *key).collect();
    let fix = "set how long each is needed: `store.retention.*`";
    let answer = if it.conversations.0.is_none() {
        Answer::not_met(format!("kept for ever: {}", for_ever.join(", ")), fix)
    } else if !for_ever.is_empty() {
        Answer::partly(format!("conversations expire, and not: {}", for_ever.join(", ")), fix)
    } else {
        Answer::met("everything that people write expires by itself")
    };
    kept.into_iter().fold(answer, |answer, (key, time)| {
        let hours = time.map_or("for ever".to_owned(), |it| format!("{} h", it.as_secs() / 3_600));
        answer.with(key, hours)
    })
}

fn region(facts: &Facts<'_>) -> Answer {
    match &facts.loaded.config.store.region {
        None => Answer::not_met(
            "no place is declared where the data may live",
            "set store.region to a name of the place",
        ),
        Some(region) => match crate::residency::compare(&facts.loaded.config) {
            Ok(_) => Answer::met("the data is opened only where it was declared to live")
                .with("store.region", region),
            Err(error) => {
                Answer::not_met(error.to_string(), "bring the data back, or see docs/data.md")
            }
        },
    }
}

fn owners(facts: &Facts<'_>) -> Answer {
    let access = &facts.loaded.config.access;
    let (named, in_ledger) = (access.owners.len(), facts.inside.held().map_or(0, |it| it.owners));
    let answer = match named.max(in_ledger) {
        0 => Answer::not_met(
            "no owner is named, so nobody can give or take roles",
            "name those who answer for the hall in access.owners",
        ),
        _ => {
            Answer::met("roles are given by owners alone, and each right is checked by numeric id")
        }
    };
    answer.with("access.owners (count)", named).with("access.admins (count)", access.admins.len())
}

fn roles(facts: &Facts<'_>) -> Answer {
    let access = &facts.loaded.config.access;
    let fix = "name those who only watch or pause in access.auditors and access.operators";
    let least = access.operators.len() + access.auditors.len();
    let why = "everybody with a role is an admin or owner: nobody has less";
    let shared = "lesser roles are named, so that not everybody who watches can change the hall";
    let answer = match (&facts.inside, least) {
        (Inside::Open(held) | Inside::InUse(Ok(held)), 0) if held.others == 0 => {
            Answer::partly(why, fix)
        }
        (Inside::Nothing, 0) => Answer::partly(why, fix),
        (Inside::InUse(Err(why)), 0) => Answer::not_known(
            format!("the hall that holds the ledger was not asked for roles by /role: {why}"),
            "run the report where its data folder is, or while it is stopped",
        ),
        (Inside::Closed(why), 0) => {
            Answer::not_known(format!("the ledger does not open: {why}"), "run `guildhall doctor`")
        }
        (Inside::Open(_) | Inside::InUse(Ok(_)), _)
        | (Inside::Nothing | Inside::InUse(Err(_)) | Inside::Closed(_), 1..) => Answer::met(shared),
    };
    let answer = match facts.inside.held() {
        Some(held) => answer
            .with("admins in the ledger (count)", held.admins)
            .with("operators and auditors in the ledger (count)", held.others),
        None => answer,
    };
    answer
        .with("access.operators (count)", access.operators.len())
        .with("access.auditors (count)", access.auditors.len())
}

fn tools(facts: &Facts<'_>) -> Answer {
    let config = &facts.loaded.config;
    let programs = config.tool_servers.iter().filter(|it| it.command.is_some());
    let unconfined = programs.filter(|it| !it.require_sandbox).count();
    let rows = config.tool_servers.iter().flat_map(|it| &it.tool);
    let unasked =
        rows.filter(|it| it.effects != ToolEffects::ReadOnly && it.approval == ToolApproval::Never);
    let unasked =
        unasked.count() + usize::from(config.tools.fetch.enabled && !config.tools.fetch.approval);
    let answer = match (unconfined, unasked) {
        (0, 0) => {
            Answer::met("programs of tools are confined, and people agree to what tools change")
        }
        (0, _) => Answer::partly(
            "some tools change things, or read the web, without anybody's word",
            "leave `approval` as it is, where you can",
        ),
        (1.., _) => Answer::not_met(
            "programs of tool servers may run without a sandbox",
            "leave `require_sandbox` at true; see docs/tool-servers.md",
        ),
    };
    answer
        .with("tool_servers (count)", config.tool_servers.len())
        .with("tools without approval (count)", unasked)
        .with("tool_servers without a required sandbox (count)", unconfined)
}

fn allow_list(facts: &Facts<'_>) -> Answer {
    match &facts.loaded.config.access.allow {
        Allow::Everyone => Answer::not_met(
            "everyone in Telegram may talk",
            "set access.allow to the ids of those who may",
        )
        .with("access.allow", "*"),
        Allow::Only(ids) => Answer::met("only those who are listed may talk")
            .with("access.allow (count)", ids.len()),
    }
}

fn notice(facts: &Facts<'_>) -> Answer {
    let asked = facts.loaded.config.access.accept_notice;
    let answer = if asked {
        Answer::met("no model sees a word of anybody who has not agreed to the privacy notice")
    } else {
        Answer::partly(
            "everybody is shown the privacy notice before a model sees what they write, and nobody is \
             asked to agree",
            "set access.accept_notice, if your legal basis needs it or you want to prove it",
        )
    };
    answer.with("access.accept_notice", asked)
}

fn guard(facts: &Facts<'_>) -> Answer {
    let guard = &facts.loaded.config.guard;
    let level = match guard.level {
        GuardLevel::Low => "low",
        GuardLevel::Medium => "medium",
        GuardLevel::High => "high",
    };
    let answer = if level == "low" {
        let why = "the guard refuses only what is plainly an attack";
        Answer::not_met(why, "set guard.level to medium or high")
    } else if !guard.attacks_off.is_empty() {
        let why = "some kinds of attack are not looked for";
        Answer::partly(why, "take them out of guard.attacks_off")
    } else {
        Answer::met("every question and every answer passes the guard, for all kinds of attack")
    };
    answer
        .with("guard.level", level)
        .with("guard.attacks_off (count)", guard.attacks_off.len())
        .with(
            "guard.transformer_path",
            if guard.transformer_path.is_some() { "set" } else { "unset" },
        )
}

fn rules(facts: &Facts<'_>) -> Answer {
    let idle = match &facts.inside {
        Inside::Open(held) | Inside::InUse(Ok(held)) => held.idle_rules,
        Inside::Nothing => 0,
        Inside::InUse(Err(why)) => {
            let why =
                format!("the hall that holds the ledger was not asked for rules by /rule: {why}");
            return Answer::not_known(
                why,
                "send /rule to the hall, or run the report while it is stopped",
            );
        }
        Inside::Closed(why) => {
            let why = format!("the ledger does not open: {why}");
            return Answer::not_known(why, "run `guildhall doctor`");
        }
    };
    match &facts.rules {
        Err(why) => Answer::not_met(why, "run `guildhall rules check`"),
        Ok(files) => {
            let answer = match idle {
                0 => {
                    Answer::met("the guard's rules compile, and none by /rule waits to be enforced")
                }
                _ => Answer::partly(
                    format!("{idle} rules by /rule are only tried or in shadow"),
                    "enforce them or take them away, with /rule",
                ),
            };
            answer.with("rule files", files).with("rules by /rule that are not enforced", idle)
        }
    }
}

fn personal_data(facts: &Facts<'_>) -> Answer {
    let it = &facts.loaded.config.guard.personal;
    let types = [
        ("credit_card", it.credit_card),
        ("iban", it.iban),
        ("ssn", it.ssn),
        ("passport", it.passport),
        ("national_id", it.national_id),
        ("email", it.email),
        ("phone", it.phone),
        ("ip", it.ip),
        ("crypto_address", it.crypto_address),
        ("date_of_birth", it.date_of_birth),
        ("person_name", it.person_name),
    ];
    let named = |wanted: fn(PersonalAction) -> bool| -> Vec<&str> {
        types.iter().filter(|(_, action)| wanted(*action)).map(|(name, _)| *name).collect()
    };
    let off = named(|it| it == PersonalAction::Off);
    let seen = named(|it| it == PersonalAction::Flag);
    let hidden = named(|it| matches!(it, PersonalAction::Redact | PersonalAction::Refuse));
    let fix = "set them to redact or refuse in [guard.personal]";
    let answer = if hidden.is_empty() {
        Answer::not_met("no type of personal data is hidden from models", fix)
    } else if !off.is_empty() {
        Answer::partly(format!("not looked for: {}", off.join(", ")), fix)
    } else {
        let why = "personal data of these types is hidden from models, other types are noted";
        Answer::met(format!("{why}: {}", hidden.join(", ")))
    };
    answer
        .with("guard.personal, hidden or refused", hidden.join(" "))
        .with("guard.personal, noted", seen.join(" "))
        .with("guard.personal, off", off.join(" "))
}

fn caps(facts: &Facts<'_>) -> Answer {
    let it = &facts.loaded.config.budgets;
    let is_set = |cap: &crate::config::AllowanceConfig| {
        cap.tokens_day.0.is_some()
            || cap.tokens_month.0.is_some()
            || cap.money_day.0.is_some()
            || cap.money_month.0.is_some()
    };
    let sections =
        [("person", &it.person), ("chat", &it.chat), ("agent", &it.agent), ("hall", &it.hall)];
    let set: Vec<&str> =
        sections.iter().filter(|(_, cap)| is_set(cap)).map(|(name, _)| *name).collect();
    let met =
        "what may be used of models is capped, durably, with at most one request beyond a cap";
    let not_met = || {
        let why = "nothing caps what may be used of models";
        Answer::not_met(why, "set a cap in [budgets.hall] and [budgets.person]")
    };
    let answer = match (&facts.inside, &facts.usage) {
        _ if is_set(&it.hall) || is_set(&it.person) => Answer::met(met),
        (Inside::Open(held) | Inside::InUse(Ok(held)), _) if held.hall_capped => {
            Answer::met(met).with("hall, by /quota", "set")
        }
        _ if !set.is_empty() => Answer::partly(
            "groups or agents are capped, and neither each person nor the hall is",
            "set a cap in [budgets.hall] or [budgets.person]",
        ),
        (Inside::Nothing | Inside::Open(_), _) => not_met(),
        (Inside::InUse(_), Ok(usage)) if is_hall_capped(usage) => {
            Answer::met(met).with("hall, by /quota", "set")
        }
        (Inside::InUse(_), Ok(_)) => not_met(),
        (Inside::InUse(_), Err(why)) => Answer::not_known(
            format!(
                "the configuration sets no cap, and the hall cannot be asked for others: {why}"
            ),
            "run `guildhall usage`",
        ),
        (Inside::Closed(why), _) => {
            Answer::not_known(format!("the ledger does not open: {why}"), "run `guildhall doctor`")
        }
    };
    answer.with("budgets, set for", set.join(" "))
}

fn is_hall_capped(usage: &serde_json::Value) -> bool {
    let accounts = usage.get("accounts").and_then(serde_json::Value::as_array);
    let hall =
        accounts.into_iter().flatten().find(|it| it.get("name").is_some_and(|it| it == "hall"));
    let Some(hall) = hall else { return false };
    ["day", "month"].iter().filter_map(|it| hall.get(it)).any(|it| {
        ["tokens_max", "micros_max"].iter().any(|key| it.get(key).is_some_and(|it| it.is_u64()))
    })
}

fn limits(facts: &Facts<'_>) -> Answer {
    let config = &facts.loaded.config;
    let all = [
        ("limits.person_per_minute", config.limits.person_per_minute.0.is_some()),
        ("limits.message_chars_max", config.limits.message_chars_max.0.is_some()),
        ("limits.message_tokens_max", config.limits.message_tokens_max.0.is_some()),
        ("broker.breaker_failures", config.broker.breaker_failures.0.is_some()),
    ];
    let off: Vec<&str> = all.iter().filter(|(_, is_set)| !is_set).map(|(key, _)| *key).collect();
    let answer = match off.len() {
        0 => Answer::met("messages, their length and failing models are limited"),
        len => {
            let fix = "give each a limit";
            let why = format!("switched off: {}", off.join(", "));
            if len == all.len() { Answer::not_met(why, fix) } else { Answer::partly(why, fix) }
        }
    };
    all.into_iter()
        .fold(answer, |it, (key, is_set)| it.with(key, if is_set { "set" } else { "off" }))
}

fn alert_sinks(facts: &Facts<'_>) -> Answer {
    let config = &facts.loaded.config;
    let others = match crate::alert_sinks::sinks(facts.loaded) {
        Ok(sinks) => sinks.len(),
        Err(error) => {
            let why = format!("a place for alerts cannot be used: {error}");
            return Answer::not_met(why, "correct it, then `guildhall alerts test`");
        }
    };
    let officers = config.access.admins.len() + config.access.owners.len();
    let telegram = config.alerts.telegram && 0 < officers;
    let off = config.alerts.rules_off.len();
    let answer = if !telegram && others == 0 {
        let fix = "name an admin, or a place in [alerts]";
        Answer::not_met("nobody is told when something is wrong", fix)
    } else if 0 < off {
        let fix = "take them out of alerts.rules_off";
        Answer::partly(format!("{off} of the shipped alert rules are switched off"), fix)
    } else {
        Answer::met("somebody is told when something is wrong")
    };
    answer
        .with("alerts.telegram", config.alerts.telegram)
        .with("other places (count)", others)
        .with("alerts.rules_off (count)", off)
}

fn playbooks(facts: &Facts<'_>) -> Answer {
    let config = &facts.loaded.config;
    let known = match crate::playbooks::load(config) {
        Ok(known) => known,
        Err(error) => {
            let why = format!("the playbooks cannot be read: {error}");
            return Answer::not_met(why, "correct the file, then `guildhall playbooks check`");
        }
    };
    let (off, all) = (config.playbooks.off.len(), known.len());
    let acting = known.iter().filter(|it| it.mode == Mode::Act).count();
    let answer = if all == 0 {
        let fix = "copy config/playbooks of this version to playbooks.dir";
        Answer::not_met("nothing is done about an incident before somebody looks", fix)
    } else if 0 < off || acting == 0 {
        let why = format!("{off} playbooks are switched off; of the others {acting} act");
        Answer::partly(why, "take them out of playbooks.off, or set their mode to \"act\"")
    } else {
        Answer::met(format!("{acting} playbooks act by themselves, and officers can undo it"))
    };
    answer.with("playbooks (count)", all).with("playbooks.off (count)", off)
}

fn logs_sealed(facts: &Facts<'_>) -> Answer {
    let logs = &facts.loaded.config.logs;
    let level = match logs.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let answer = match (logs.dir.is_some(), logs.level) {
        (_, LogLevel::Error | LogLevel::Warn) => Answer::not_met(
            "what happened is not logged, only what went wrong",
            "set logs.level to info",
        ),
        (true, LogLevel::Info | LogLevel::Debug | LogLevel::Trace) => {
            Answer::met("log lines hold no text and no id, and are kept in sealed files")
        }
        (false, LogLevel::Info | LogLevel::Debug | LogLevel::Trace) => Answer::partly(
            "log lines go to standard output: whether and where they are kept is decided outside",
            "set logs.dir, and they are kept in sealed files",
        ),
    };
    answer
        .with("logs.level", level)
        .with("logs.dir", if logs.dir.is_some() { "set" } else { "unset" })
        .with("logs.stdout", logs.stdout)
}

fn logs_sent(facts: &Facts<'_>) -> Answer {
    match &facts.loaded.config.logs.syslog.addr {
        Some(_) => Answer::met("log lines are sent to a collector over TLS as well")
            .with("logs.syslog.addr", "set"),
        None => Answer::partly(
            "no log line is sent to another machine, where who breaks in here cannot change it",
            "set logs.syslog.addr, or collect standard output",
        )
        .with("logs.syslog.addr", "unset"),
    }
}

fn logs_end(facts: &Facts<'_>) -> Answer {
    let logs = &facts.loaded.config.logs;
    match (logs.dir.is_some(), logs.keep_days.0) {
        (false, _) => Answer::not_known(
            "log lines go to standard output: how long they are kept is decided outside",
            "set logs.dir and logs.keep_days, or limit them where they are kept",
        ),
        (true, None) => Answer::not_met("log files are kept for ever", "set logs.keep_days"),
        (true, Some(days)) => {
            Answer::met("log files are deleted by age").with("logs.keep_days", days)
        }
    }
}

/// The AI Act wants logs for six months, HIPAA what documents for longer.
fn logs_last(facts: &Facts<'_>) -> Answer {
    let logs = &facts.loaded.config.logs;
    let days = logs.keep_days.0.map_or("for ever".to_owned(), |it| it.to_string());
    let answer = match (logs.dir.is_some(), logs.keep_days.0) {
        (true, None | Some(183..)) => {
            Answer::met("log files are kept for six months and more, the audit log for ever")
        }
        (true, Some(_)) => Answer::partly(
            format!("log files are kept for {days} days; the audit log is kept for ever"),
            "set logs.keep_days to 183 or more",
        ),
        (false, _) => Answer::partly(
            "log lines go to standard output, and no file is kept; the audit log is kept for ever",
            "set logs.dir, and logs.keep_days to 183 or more",
        ),
    };
    answer.with("logs.keep_days", days)
}

fn console(facts: &Facts<'_>) -> Answer {
    let http = &facts.loaded.config.http;
    let answer = if !http.login {
        Answer::not_met("the console shows the state without a login", "set http.login = true")
    } else if http.addr.ip().is_loopback() {
        Answer::met("the console listens on this machine only, behind a login")
    } else {
        Answer::not_met(
            "the console speaks plain http to other machines",
            "set http.addr to 127.0.0.1:8088, and put a proxy with TLS before it",
        )
    };
    answer.with("http.addr", http.addr).with("http.login", http.login)
}

fn transport(facts: &Facts<'_>) -> Answer {
    let config = &facts.loaded.config;
    let models = config.models.iter().filter_map(|it| Some((it.name.as_str(), it.base_url()?)));
    let bots = config.bots.iter().map(|it| (it.name.as_str(), config.api_url(it)));
    let is_open =
        |url: &str| Url::parse(url).is_ok_and(|it| it.scheme() == "http" && !is_private(&it));
    let all: Vec<(&str, &str)> = bots.chain(models).collect();
    let open: Vec<&str> =
        all.iter().filter(|(_, url)| is_open(url)).map(|(name, _)| *name).collect();
    let answer = if open.is_empty() {
        Answer::met("bots and models are reached by TLS, or within a private network")
    } else {
        let why = format!("plain http to a public name: {}", open.join(", "));
        Answer::not_met(why, "use https there")
    };
    answer.with("bots and models that are reached by network (count)", all.len())
}

fn model_files(facts: &Facts<'_>) -> Answer {
    let embedded = facts.loaded.config.models.iter().filter(|it| it.protocol == Protocol::Embedded);
    let (pinned, loose): (Vec<_>, Vec<_>) = embedded.partition(|it| it.sha256.is_some());
    let answer = match (pinned.len(), loose.len()) {
        (0, 0) => Answer::new(super::Status::NotApplicable, "no model runs in the process", ""),
        (_, 0) => Answer::met("model files are used only with the checksum that is configured"),
        (_, count) => Answer::not_met(
            format!("{count} model files are used whatever is in them"),
            "set sha256 for each embedded model",
        ),
    };
    let keys = facts.loaded.config.guard.pack_keys.len();
    answer.with("models with sha256 (count)", pinned.len()).with("guard.pack_keys (count)", keys)
}

fn embeddings(facts: &Facts<'_>) -> Answer {
    match &facts.loaded.config.memory.embeddings_path {
        None => {
            Answer::new(super::Status::NotApplicable, "nothing is looked for by embeddings", "")
        }
        Some(_) => {
            let broken = facts
                .findings
                .iter()
                .any(|it| it.level == crate::doctor::Level::Bad && it.what.contains("embedding"));
            match broken {
                true => Answer::not_met("the embedding model is not whole", "run `guildhall doctor`"),
                false => Answer::met(
                    "embeddings are made in the process, sealed like the words that they are of, and \
                     looked for within one person and agent only",
                ),
            }
            .with("memory.embeddings_path", "set")
        }
    }
}

fn backups_apart(facts: &Facts<'_>) -> Answer {
    let config = &facts.loaded.config;
    let inside = crate::init::is_inside(&config.backup_dir(), &config.hall.data_dir);
    match (config.backup.every.0, config.backup_bucket()) {
        (None, _) => Answer::not_met("backups are switched off", "set backup.every"),
        (Some(_), Some(_)) => Answer::met("backups are kept in a bucket").with("backup.url", "set"),
        (Some(_), None) if inside => Answer::partly(
            "backups lie in the data folder, so that one lost disk takes both",
            "set backup.dir to another disk, or backup.url",
        )
        .with("backup.dir", "in the data folder"),
        (Some(_), None) => {
            Answer::met("backups lie outside of the data folder").with("backup.dir", "set")
        }
    }
}
