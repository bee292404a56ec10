//! `guildhall alerts …`: list, silence, acknowledge, test.

use std::{fmt::Write as _, time::Duration};

use clap::Subcommand;
use guildhall::{
    alert_errand::Errand,
    alert_sinks,
    ask_console::{self, ErrandError},
    build::BuildError,
    config::{self, Env, Loaded},
    run::{EXIT_SOFTWARE, EXIT_UNAVAILABLE, SystemClock},
};
use protocol::Clock as _;
use serde_json::{Value, json};

use crate::{Done, Failure, print, print_json};

/// How long the running hall may take to try every sink.
const TEST_TIME_MAX: Duration = Duration::from_secs(58);
const ORDER_TIME_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// List what is wrong, who was told, and what is silenced. Asks the running hall.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tell nobody of a kind of alert for some time. Asks the running hall.
    Silence {
        /// The kind, as `list` shows it, or all.
        kind: String,
        /// Such as 30m, 2h or 1d, at most 30d; off ends a silence.
        time: String,
    },
    /// Take a kind of alert into your hands: it is told on no further step.
    Ack {
        /// The kind, as `list` shows it.
        kind: String,
    },
    /// Send a test to every place that alerts go to, and say what became of it. Telegram is tried where
    /// the hall runs.
    Test {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: AlertsCommand) -> Done {
    let loaded = config::load(env)?;
    match what {
        AlertsCommand::List { json } => {
            let report = order(&loaded, &Errand::List, ORDER_TIME_MAX).map_err(failure)?;
            let list = report.get("list").cloned().unwrap_or_default();
            if json { print_json(&list)? } else { print(&words(&list))? }
        }
        AlertsCommand::Silence { kind, time } => {
            let Some(span) = flow::request::span(&time) else {
                let text = "the time is such as 30m, 2h or 1d, at most 30d; off ends a silence";
                return Err(Failure::new(64, text));
            };
            let errand = Errand::Silence { kind: kind.clone(), seconds: span.as_secs() };
            order(&loaded, &errand, ORDER_TIME_MAX).map_err(failure)?;
            print(&match span.is_zero() {
                true => format!("{kind} is told again.\n"),
                false => format!("{kind} is silenced for {time}.\n"),
            })?;
        }
        AlertsCommand::Ack { kind } => {
            let errand = Errand::Acknowledge { kind: kind.clone() };
            order(&loaded, &errand, ORDER_TIME_MAX).map_err(failure)?;
            print(&format!("{kind} is in your hands.\n"))?;
        }
        AlertsCommand::Test { json } => return test(&loaded, json),
    }
    Ok(std::process::ExitCode::SUCCESS)
}

fn failure(error: ErrandError) -> Failure {
    match error {
        ErrandError::NoHall(why) => Failure::new(EXIT_UNAVAILABLE, why),
        ErrandError::Refused(why) => Failure::new(EXIT_SOFTWARE, why),
    }
}

fn order(loaded: &Loaded, errand: &Errand, time_max: Duration) -> Result<Value, ErrandError> {
    let refused = |error: serde_json::Error| ErrandError::Refused(error.to_string());
    let question = serde_json::to_string(errand).map_err(refused)?;
    let answer = ask_console::errand(&loaded.config, "/alerts", question, time_max)?;
    serde_json::from_str(&answer).map_err(refused)
}

/// Lets the hall try its sinks, or tries them here where no hall runs.
fn test(loaded: &Loaded, json: bool) -> Done {
    let (trials, runs) = match order(loaded, &Errand::Test, TEST_TIME_MAX) {
        Ok(report) => (report.get("tested").cloned().unwrap_or_default(), true),
        Err(ErrandError::NoHall(_)) => (test_here(loaded)?, false),
        Err(error @ ErrandError::Refused(_)) => return Err(failure(error)),
    };
    let rows = trials.as_array().cloned().unwrap_or_default();
    let all_good = rows.iter().all(|it| it.get("why_not").is_none_or(Value::is_null));
    if json {
        print_json(&json!({ "hall_runs": runs, "tested": trials }))?;
    } else {
        let mut text = String::new();
        for row in &rows {
            let sink = row.get("sink").and_then(Value::as_str).unwrap_or_default();
            let end = row.get("why_not").and_then(Value::as_str).unwrap_or("told");
            // lost-ok: writing to a string cannot fail.
            writeln!(text, "{sink:<10} {end}").ok();
        }
        if !runs && loaded.config.alerts.telegram {
            text += "telegram   not tried: no hall runs\n";
        }
        if text.is_empty() {
            text += "No place to tell is configured.\n";
        }
        print(&text)?;
    }
    Ok(match all_good {
        true => std::process::ExitCode::SUCCESS,
        false => std::process::ExitCode::from(EXIT_UNAVAILABLE),
    })
}

fn test_here(loaded: &Loaded) -> Result<Value, Failure> {
    let placed = alert_sinks::sinks(loaded);
    let placed = placed.map_err(|error| Failure::from(BuildError::of(&error)))?;
    let sinks: Vec<_> = placed.into_iter().map(|it| it.sink).collect();
    let now = SystemClock.now();
    let trials = kit::block_on(async { flow::alerter::test(&sinks, now).await });
    serde_json::to_value(trials).map_err(|error| Failure::new(EXIT_SOFTWARE, error))
}

/// The list as a person reads it.
fn words(list: &Value) -> String {
    let rows = |key: &str| list.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |row: &Value, key: &str| match row.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let is = |row: &Value, key: &str| row.get(key) == Some(&Value::Bool(true));
    let names = |row: &Value, key: &str| {
        let names = row.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let mut out = String::new();
    for row in rows("alerts") {
        let state = match (is(&row, "is_over"), is(&row, "is_acknowledged")) {
            (true, _) => "over".to_owned(),
            (false, true) => "in hand".to_owned(),
            (false, false) => text(&row, "severity"),
        };
        let (kind, headline) = (text(&row, "kind"), text(&row, "headline"));
        let (count, told) = (text(&row, "count"), names(&row, "told"));
        // lost-ok: writing to a string cannot fail, here and below.
        writeln!(out, "{state:<9} {kind}: {headline}\n          {count} times; told: {told}").ok();
        let to_tell = names(&row, "to_tell");
        if !to_tell.is_empty() {
            writeln!(out, "          not told yet: {to_tell}").ok();
        }
    }
    if out.is_empty() {
        out += "Nothing is wrong that the hall knows of.\n";
    }
    for row in rows("silences") {
        let at = |at: usize| row.get(at).cloned().unwrap_or_default();
        let millis = at(1).as_i64().unwrap_or_default();
        let until = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
        writeln!(out, "silenced  {} until {until}", at(0).as_str().unwrap_or_default()).ok();
    }
    out
}
