//! Asks the running hall's console, with the token that lies in the data folder: for `status`, and
//! for errands about rules.

use std::{fs, time::Duration};

use flow::treasurer::caps;
use serde_json::Value;

use crate::config::Config;

/// Fetches the status as JSON.
///
/// # Errors
/// In words: the hall does not run, or does not let us in.
pub fn status(config: &Config) -> Result<Value, String> {
    let addr = config.http.addr;
    let token = fs::read_to_string(config.hall.data_dir.join("console.token")).unwrap_or_default();
    kit::block_on(async {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build();
        let client = client.map_err(|error| error.without_url().to_string())?;
        let request = client.get(format!("http://{addr}/status")).bearer_auth(token.trim());
        let answer = request.send().await.map_err(|_unreachable| {
            format!("no hall answers on {addr}: it does not run, or its console is elsewhere (GUILDHALL_HTTP_ADDR)")
        })?;
        if answer.status() == reqwest::StatusCode::UNAUTHORIZED {
            return Err("the hall does not let us in: run this where its data folder is".to_owned());
        }
        answer.json().await.map_err(|error| error.without_url().to_string())
    })
}

/// Fetches the figures of the hall that runs.
///
/// # Errors
/// In words: the hall does not run.
pub fn metrics(config: &Config) -> Result<String, String> {
    let addr = config.http.addr;
    kit::block_on(async {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build();
        let client = client.map_err(|error| error.without_url().to_string())?;
        let answer = client.get(format!("http://{addr}/metrics")).send().await;
        let answer = answer.map_err(|_unreachable| format!("no hall answers on {addr}"))?;
        answer.text().await.map_err(|error| error.without_url().to_string())
    })
}

/// Why an errand was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrandError {
    /// No hall answers: in words.
    NoHall(String),
    /// A hall answers and will not or cannot: in words.
    Refused(String),
}

/// Lets the running hall run an errand; gives its answer. `time_max` is how long it may take.
///
/// # Errors
/// In words: the hall does not run, does not let us in, or cannot.
pub fn errand(
    config: &Config,
    path: &str,
    question: String,
    time_max: Duration,
) -> Result<String, ErrandError> {
    let addr = config.http.addr;
    let token = fs::read_to_string(config.hall.data_dir.join("console.token")).unwrap_or_default();
    let broken = |error: reqwest::Error| ErrandError::Refused(error.without_url().to_string());
    kit::block_on(async {
        let client = reqwest::Client::builder().no_proxy().timeout(time_max).build();
        let request = client.map_err(broken)?.post(format!("http://{addr}{path}"));
        let sent = request.bearer_auth(token.trim()).body(question).send().await;
        let answer = sent.map_err(|error| match error.is_timeout() {
            true => {
                ErrandError::Refused(format!("the hall took more than {} s", time_max.as_secs()))
            }
            false => ErrandError::NoHall(format!(
                "no hall answers on {addr}: it does not run, or its console is elsewhere \
                 (GUILDHALL_HTTP_ADDR)"
            )),
        })?;
        let status = answer.status();
        let text = answer.text().await.map_err(broken)?;
        match status {
            reqwest::StatusCode::OK => Ok(text),
            reqwest::StatusCode::UNAUTHORIZED => Err(ErrandError::Refused(
                "the hall does not let us in: run this where its data folder is".to_owned(),
            )),
            _ => Err(ErrandError::Refused(text)),
        }
    })
}

/// Fetches what was used of models.
///
/// # Errors
/// In words: the hall does not run, or does not let us in.
pub fn usage(config: &Config) -> Result<Value, String> {
    let answer = errand(config, "/usage", String::new(), Duration::from_secs(5));
    let answer = answer.map_err(|error| match error {
        ErrandError::NoHall(why) | ErrandError::Refused(why) => why,
    })?;
    serde_json::from_str(&answer).map_err(|error| error.to_string())
}

/// The same as a person reads it.
#[must_use]
pub fn usage_words(usage: &Value) -> String {
    let text = |key: &str| usage.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |of: &Value, key: &str| of.get(key).and_then(Value::as_u64);
    let currency = text("currency");
    let mut out = format!(
        "{:<28} {:>8} {:>14} {:>9} {:>12} {:>14} {:>14}  {}\n",
        "", "ANSWERS", "TOKENS", "HEARD S", "SPOKEN CHARS", "COST", "LOST TOKENS", "CAP"
    );
    let accounts = usage.get("accounts").and_then(Value::as_array).cloned().unwrap_or_default();
    for account in &accounts {
        let name = account.get("name").and_then(Value::as_str).unwrap_or_default();
        for (period, word) in [("day", "today"), ("month", "this month")] {
            let Some(it) = account.get(period) else { continue };
            let of = |key: &str| number(it, key).unwrap_or(0);
            let tokens = of("input") + of("output");
            let cost = caps::money(of("micros"), &currency);
            let most = number(it, "tokens_max").map(|it| format!("{it} tokens"));
            let money = number(it, "micros_max").map(|it| caps::money(it, &currency));
            let cap: Vec<String> = most.into_iter().chain(money).collect();
            let (calls, lost, cap) = (of("calls"), of("lost_tokens"), cap.join(", "));
            let (heard, spoken) = (of("heard_seconds"), of("spoken_chars"));
            let name = format!("{name}, {word}");
            out += &format!(
                "{name:<28} {calls:>8} {tokens:>14} {heard:>9} {spoken:>12} {cost:>14} {lost:>14}  \
                 {cap}\n"
            );
        }
    }
    out + &format!("\nThe day ends at {}, the month on {}.\n", text("day_ends"), text("month_ends"))
}

/// The status as a person reads it.
#[must_use]
pub fn words(status: &Value) -> String {
    let text = |value: &Value, key: &str| match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let mut out = format!(
        "The hall is {}. Version {}, up {} s.\n",
        text(status, "state"),
        text(status, "version"),
        text(status, "uptime_s")
    );
    let list = |key: &str| status.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for check in list("checks").iter().filter(|it| it.get("ok") == Some(&Value::Bool(false))) {
        out += &format!("  not well: {}: {}\n", text(check, "name"), text(check, "why"));
    }
    let row = |cells: [&str; 6]| {
        let [id, state, restarts, waiting, silent, fault] = cells;
        format!("{id:<22} {state:<11} {restarts:>8} {waiting:>8} {silent:>9}  {fault}\n")
    };
    out += "\n";
    out += &row(["ACTOR", "STATE", "RESTARTS", "WAITING", "SILENT S", "LAST FAULT"]);
    for actor in list("actors") {
        let keys = ["id", "state", "restarts", "mailbox", "last_progress_s", "last_fault"];
        let cells = keys.map(|key| text(&actor, key));
        out += &row(cells.each_ref().map(String::as_str));
    }
    for bot in list("bots") {
        out += &format!("\nBot @{} by {}\n", text(&bot, "username"), text(&bot, "mode"));
    }
    for model in list("breakers") {
        out += &format!("Model {}: {}\n", text(&model, "model"), text(&model, "state"));
    }
    for server in list("tool_servers") {
        let problem = text(&server, "problem");
        let how = if problem.is_empty() { "well" } else { &problem };
        let [name, tools, calls, failures, ends, last] =
            ["name", "tools", "calls", "failures", "ends", "last_end"].map(|it| text(&server, it));
        out += &format!(
            "Tool server {name}: {how}; {tools} tools, {calls} calls, {failures} failed, ended {ends} \
             times"
        );
        out += &if last.is_empty() { "\n".to_owned() } else { format!(" (last: {last})\n") };
    }
    out
}
