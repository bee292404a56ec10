//! `guildhall status`: asks the running hall's console, with the token that lies in the data folder.

use std::{fs, time::Duration};

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
    out
}
