//! `guildhall status`: asks the running hall's console, with the token that lies in the data folder.

use std::{fmt::Write as _, fs, time::Duration};

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
    // lost-ok: writing to a string cannot fail, here and below.
    for check in list("checks").iter().filter(|it| it.get("ok") == Some(&Value::Bool(false))) {
        let _ = writeln!(out, "  not well: {}: {}", text(check, "name"), text(check, "why"));
    }
    let _ = writeln!(
        out,
        "\n{:<22} {:<11} {:>8} {:>8} {:>9}  LAST FAULT",
        "ACTOR", "STATE", "RESTARTS", "WAITING", "SILENT S"
    );
    for actor in list("actors") {
        let _ = writeln!(
            out,
            "{:<22} {:<11} {:>8} {:>8} {:>9}  {}",
            text(&actor, "id"),
            text(&actor, "state"),
            text(&actor, "restarts"),
            text(&actor, "mailbox"),
            text(&actor, "last_progress_s"),
            text(&actor, "last_fault"),
        );
    }
    for bot in list("bots") {
        let _ = writeln!(out, "\nBot @{} by {}", text(&bot, "username"), text(&bot, "mode"));
    }
    for model in list("breakers") {
        let _ = writeln!(out, "Model {}: {}", text(&model, "model"), text(&model, "state"));
    }
    out
}
