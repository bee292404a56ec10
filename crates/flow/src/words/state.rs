//! `/status`: whether all is well, in a sentence for everybody and in full for officers.

use std::time::Duration;

use kit::ActorHealth;
use protocol::{ledger::LedgerGauge, tool::ServerHealth};

use super::{Text, text};
use crate::broker::BreakerState;

/// The state of the hall, for officers.
pub(crate) struct State<'s> {
    /// Every actor.
    pub actors: &'s [ActorHealth],
    /// Every model.
    pub models: &'s [(String, BreakerState)],
    /// Every server of tools.
    pub servers: &'s [ServerHealth],
    /// The ledger.
    pub gauge: LedgerGauge,
    /// How long ago the last backup was; `None` without one.
    pub backup: Option<Duration>,
    /// Backups are made.
    pub has_backups: bool,
    /// What was used of models.
    pub used: Text,
    /// Conversations in memory.
    pub sessions: usize,
    /// The program's version, and for how long it has run.
    pub version: (&'static str, Duration),
}

/// One sentence.
pub(crate) fn of_hall(actors: &[ActorHealth]) -> Text {
    let ill = actors.iter().filter(|it| !it.healthy).count();
    match ill {
        0 => text!("status-well"),
        1 => text!("status-one-ill"),
        _ => text!("status-many-ill"),
    }
}

/// All of it.
pub(crate) fn in_full(state: State<'_>) -> Text {
    let mut lines = vec![of_hall(state.actors), Text::default()];
    lines.extend(state.actors.iter().flat_map(of_actor));
    lines.push(Text::default());
    lines.extend(state.models.iter().map(|(model, state)| of_model(model, *state)));
    lines.extend(state.servers.iter().flat_map(of_server));
    let gauge = state.gauge;
    let (version, up) = state.version;
    lines.extend([
        text!(
            "status-ledger",
            waiting = gauge.waiting,
            aside = gauge.quarantined,
            size = bytes(gauge.disk_bytes),
            took = gauge.commit_us.div_ceil(1000),
        ),
        match (state.backup, state.has_backups) {
            (Some(ago), _) => text!("status-backup", span = span(ago)),
            (None, true) => text!("status-backup-none"),
            (None, false) => text!("status-backup-off"),
        },
        state.used,
        text!("status-conversations", count = state.sessions),
        text!("status-version", version = version, span = span(up)),
    ]);
    Text::lines(lines)
}

fn of_actor(it: &ActorHealth) -> Vec<Text> {
    let mark = if it.healthy { "🟢" } else { "🔴" };
    let line = Text::Joined(
        vec![
            format!("{mark} {}", it.id).into(),
            text!("status-restarts", count = it.restarts),
            text!("status-waiting", count = it.mailbox),
            text!("status-ago", span = span(Duration::from_secs(it.last_progress_s))),
        ],
        " · ",
    );
    let fault = it
        .last_fault
        .as_ref()
        .map(|it| Text::concat(vec!["      ".into(), text!("status-fault", fault = it)]));
    [line].into_iter().chain(fault).collect()
}

fn of_model(model: &str, state: BreakerState) -> Text {
    match state {
        BreakerState::Closed => text!("status-model-good", model = model),
        BreakerState::Open => text!("status-model-failing", model = model),
        BreakerState::HalfOpen => text!("status-model-tried", model = model),
    }
}

/// What is wrong with a server is said as its program's messages are, in English.
fn of_server(it: &ServerHealth) -> Vec<Text> {
    let ServerHealth { name, problem, calls, failures, tools, ends, last_end, up } = it;
    let used = text!("status-server-used", calls = *calls, failures = *failures);
    let how = match (it.is_well(), up) {
        (true, _) => text!("status-server-good", server = name, tools = *tools, used = used),
        (false, true) => text!("status-server-poor", server = name, problem = problem, used = used),
        (false, false) => {
            text!("status-server-away", server = name, problem = problem, used = used)
        }
    };
    let ended = (0 < *ends).then(|| {
        let ended = text!("status-server-ended", count = *ends, why = last_end);
        Text::concat(vec!["      ".into(), ended])
    });
    [how].into_iter().chain(ended).collect()
}

fn span(span: Duration) -> Text {
    match span.as_secs() {
        s @ 0..=119 => text!("span-seconds", count = s),
        s @ 120..=7_199 => text!("span-minutes", count = s / 60),
        s => text!("span-hours", count = s / 3_600),
    }
}

/// A size as people read it.
pub(super) fn bytes(count: u64) -> String {
    match count {
        b @ 0..1_048_576 => format!("{} KiB", b.div_ceil(1_024)),
        b => format!("{} MiB", b / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use protocol::Language;

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
        let changed = "tools that are not what they were are withdrawn: say";
        let servers = [
            server("files", true, "", 0),
            server("box", true, changed, 0),
            server("mail", false, "it cannot be reached", 4),
        ];
        let lines = Text::lines(servers.iter().flat_map(of_server).collect());
        let english = lines.in_language(Language::English);
        let expected = [
            "Tool server files: 🟢 3 tools · calls: 5, failed: 2",
            "Tool server box: 🟡 tools that are not what they were are withdrawn: say · calls: 5, failed: 2",
            "Tool server mail: 🔴 it cannot be reached · calls: 5, failed: 2",
            "      ended so far: 4, last: it ended",
        ];
        assert_eq!(english.lines().collect::<Vec<_>>(), expected);
    }
}
