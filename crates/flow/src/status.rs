//! `/status` in a chat: one sentence for everybody, every actor for an admin.

use std::{fmt::Write as _, rc::Rc, sync::Arc, time::Duration};

use futures::FutureExt as _;
use kit::{ActorHealth, Health, Mailbox, ask};
use protocol::{Language, Timestamp, tool::ServerHealth};
use tokio::time::Instant;

use crate::{
    broker::{self, BreakerState},
    session::StatusWriter,
    wiring::Wiring,
    words::{self, Text, text},
};

/// Makes the function that puts the state of the hall into words.
pub(crate) fn writer(
    wiring: &Rc<Wiring>,
    health: &Health,
    broker: &Mailbox<broker::Msg>,
) -> StatusWriter {
    let (ledger, version) = (Arc::clone(&wiring.ledger), wiring.version);
    let (clock, tally) = (Arc::clone(&wiring.clock), wiring.tally.clone());
    let (desk, toolbox) = (wiring.desk.clone(), Arc::clone(&wiring.toolbox));
    let has_backups = wiring.backups.is_some();
    let (health, broker, born) = (health.clone(), broker.clone(), Instant::now());
    Rc::new(move |in_full| {
        let (ledger, health, broker) = (Arc::clone(&ledger), health.clone(), broker.clone());
        let used = words::used_today(&desk.statement_of_hall(|_| String::new()));
        let used = used.in_language(Language::English);
        let servers = toolbox.health();
        let backups = backups(has_backups, tally.last_backup(), clock.now());
        async move {
            let actors = health.read();
            if !in_full {
                return Text::concat(vec![for_everybody(&actors), "\n".into()]);
            }
            let breakers = ask(&broker, broker::Msg::Breakers);
            let breakers = tokio::time::timeout(Duration::from_secs(1), breakers).await;
            let breakers = breakers.ok().and_then(Result::ok).unwrap_or_default();
            let mut text = String::new();
            write_actors(&mut text, &actors);
            write_models(&mut text, &breakers);
            write_servers(&mut text, &servers);
            let gauge = ledger.gauge();
            let sessions = health.count("session");
            // lost-ok: writing to a string cannot fail.
            write!(
                text,
                "\nLedger: {} waiting, {} set aside, {} on disk, last write took {} ms\n\
                 {backups}\n{used}\nConversations in memory: {sessions}\nGuildhall {version}, up {}",
                gauge.waiting,
                gauge.quarantined,
                bytes(gauge.disk_bytes),
                gauge.commit_us.div_ceil(1000),
                span(born.elapsed()),
            )
            .ok();
            Text::lines(vec![for_everybody(&actors), text.into()])
        }
        .boxed_local()
    })
}

/// The line about backups.
fn backups(are_on: bool, last_s: Option<f64>, now: Timestamp) -> String {
    let Some(last) = last_s else {
        return if are_on { "Backup: none yet" } else { "Backup: switched off" }.to_owned();
    };
    let now = Duration::from_millis(now.0);
    let last = Duration::try_from_secs_f64(last).unwrap_or_default();
    format!("Backup: {} ago", span(now.saturating_sub(last)))
}

fn for_everybody(actors: &[ActorHealth]) -> Text {
    let ill = actors.iter().filter(|it| !it.healthy).count();
    match ill {
        0 => text!("status-well"),
        1 => text!("status-one-ill"),
        _ => text!("status-many-ill"),
    }
}

fn write_actors(text: &mut String, actors: &[ActorHealth]) {
    for it in actors {
        let mark = if it.healthy { "🟢" } else { "🔴" };
        // lost-ok: writing to a string cannot fail, here and below.
        write!(
            text,
            "\n{mark} {} · {} restarts · {} waiting · {} ago",
            it.id,
            it.restarts,
            it.mailbox,
            span(Duration::from_secs(it.last_progress_s)),
        )
        .ok();
        if let Some(fault) = &it.last_fault {
            write!(text, "\n      last fault: {fault}").ok();
        }
    }
    text.push('\n');
}

fn write_models(text: &mut String, breakers: &[(String, BreakerState)]) {
    for (model, state) in breakers {
        let state = match state {
            BreakerState::Closed => "🟢 in use",
            BreakerState::Open => "🔴 failing, left alone for a moment",
            BreakerState::HalfOpen => "🟡 being tried again",
        };
        // lost-ok: writing to a string cannot fail.
        write!(text, "\nModel {model}: {state}").ok();
    }
}

fn write_servers(text: &mut String, servers: &[ServerHealth]) {
    for it in servers {
        let (mark, how) = match (it.is_well(), it.up) {
            (true, _) => ("🟢", format!("{} tools", it.tools)),
            (false, true) => ("🟡", it.problem.clone()),
            (false, false) => ("🔴", it.problem.clone()),
        };
        let ServerHealth { name, calls, failures, .. } = it;
        // lost-ok: writing to a string cannot fail, here and below.
        write!(text, "\nTool server {name}: {mark} {how} · {calls} calls, {failures} failed").ok();
        if 0 < it.ends {
            write!(text, "\n      ended {} times, last: {}", it.ends, it.last_end).ok();
        }
    }
}

fn span(span: Duration) -> String {
    match span.as_secs() {
        s @ 0..=119 => format!("{s} s"),
        s @ 120..=7_199 => format!("{} min", s / 60),
        s => format!("{} h", s / 3_600),
    }
}

fn bytes(count: u64) -> String {
    match count {
        b @ 0..1_048_576 => format!("{} KiB", b.div_ceil(1_024)),
        b => format!("{} MiB", b / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_sees_how_each_tool_server_is_and_why() {
        let server = |name: &str, up, problem: &str, ends| ServerHealth {
            name: name.to_owned(),
            up,
            problem: problem.to_owned(),
            last_end: "it ended".to_owned(),
            ends,
            calls: 5,
            failures: 2,
            tools: 3,
        };
        let mut text = String::new();
        let changed = "tools that are not what they were are withdrawn: say";
        let servers = [
            server("files", true, "", 0),
            server("box", true, changed, 0),
            server("mail", false, "it cannot be reached", 4),
        ];
        write_servers(&mut text, &servers);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "",
                "Tool server files: 🟢 3 tools · 5 calls, 2 failed",
                "Tool server box: 🟡 tools that are not what they were are withdrawn: say · 5 calls, 2 failed",
                "Tool server mail: 🔴 it cannot be reached · 5 calls, 2 failed",
                "      ended 4 times, last: it ended",
            ]
        );
    }
}
