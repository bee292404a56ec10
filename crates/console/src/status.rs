//! What `/status` tells, as data. Filled by whoever implements [`Source`](crate::Source).

use kit::ActorHealth;
use protocol::{ledger::LedgerGauge, tool::ServerHealth};
use serde::Serialize;

/// Actors in one answer. Of more, those that need attention come first.
const ACTORS_MAX: usize = 200;

/// How the hall is as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HallState {
    /// Not everything has started yet.
    Starting,
    /// Everything does what is expected of it.
    Running,
    /// It works, and something needs attention.
    Degraded,
    /// It finishes what it has and takes nothing new.
    Stopping,
}

/// Everything an operator wants to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// How the hall is as a whole.
    pub state: HallState,
    /// The program's version.
    pub version: String,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// Every supervised actor.
    pub actors: Vec<ActorHealth>,
    /// Every bot.
    pub bots: Vec<BotStatus>,
    /// The ledger's figures.
    pub ledger: LedgerGauge,
    /// Every model and whether it is asked.
    pub breakers: Vec<BreakerStatus>,
    /// Every agent.
    pub agents: Vec<AgentStatus>,
    /// Every tool server.
    pub tool_servers: Vec<ServerHealth>,
}

/// One bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BotStatus {
    /// Its public name, without `@`.
    pub username: String,
    /// How updates come: `polling` or `webhook`.
    pub mode: &'static str,
    /// Seconds since the last completed poll. `None`: none yet.
    pub last_poll_s: Option<u64>,
    /// True if updates come in as they should.
    pub healthy: bool,
}

/// Whether a model is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BreakerStatus {
    /// The model's name in the configuration.
    pub model: String,
    /// What its breaker lets through.
    pub state: BreakerState,
}

/// What a breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Everything: the model answers.
    Closed,
    /// One request, to see whether the model answers again.
    HalfOpen,
    /// Nothing: the model failed too often.
    Open,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentStatus {
    /// Its name.
    pub name: String,
    /// True if an admin paused it.
    pub paused: bool,
}

/// The status with the checks, cut to a size that a page can show.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    status: Status,
    checks: Vec<crate::Check>,
    /// Healthy actors that are not in the list.
    actors_left_out: usize,
}

impl Report {
    pub(crate) fn new(mut status: Status, checks: Vec<crate::Check>) -> Self {
        let all = status.actors.len();
        if ACTORS_MAX < all {
            // Stable: within each half the order stays.
            status.actors.sort_by_key(|actor| (actor.healthy, actor.restarts == 0));
            status.actors.truncate(ACTORS_MAX);
            status.actors.sort_by(|a, b| a.id.cmp(&b.id));
        }
        Self { actors_left_out: all - status.actors.len(), status, checks }
    }
}

#[cfg(test)]
mod tests {
    use kit::ActorState;

    use super::*;

    fn actor(n: usize, healthy: bool) -> ActorHealth {
        ActorHealth {
            id: format!("session/{n:04}"),
            kind: "session",
            state: if healthy { ActorState::Running } else { ActorState::Restarting },
            healthy,
            restarts: u32::from(!healthy),
            mailbox: 0,
            last_progress_s: 1,
            last_fault: None,
        }
    }

    fn status(actors: Vec<ActorHealth>) -> Status {
        Status {
            state: HallState::Running,
            version: "0.1.0".to_owned(),
            uptime_s: 5,
            actors,
            bots: Vec::new(),
            ledger: LedgerGauge::default(),
            breakers: Vec::new(),
            agents: Vec::new(),
            tool_servers: Vec::new(),
        }
    }

    #[test]
    fn console_3_of_too_many_actors_the_unwell_stay() {
        let actors = (0..1000).map(|n| actor(n, n < 990)).collect();
        let report = Report::new(status(actors), Vec::new());
        assert_eq!(report.status.actors.len(), ACTORS_MAX);
        assert_eq!(report.actors_left_out, 800);
        assert_eq!(report.status.actors.iter().filter(|it| !it.healthy).count(), 10);
        assert!(report.status.actors.is_sorted_by_key(|actor| &actor.id));
    }

    #[test]
    fn the_json_has_the_promised_names() {
        let report = Report::new(status(vec![actor(1, true)]), Vec::new());
        let json = serde_json::to_string(&report).unwrap();
        let golden = concat!(
            r#"{"state":"running","version":"0.1.0","uptime_s":5,"actors":[{"id":"session/0001","#,
            r#""kind":"session","state":"running","healthy":true,"restarts":0,"mailbox":0,"#,
            r#""last_progress_s":1,"last_fault":null}],"bots":[],"ledger":{"waiting":0,"queue":0,"#,
            r#""disk_bytes":0,"quarantined":0,"commits":0,"records":0,"commit_us":0},"#,
            r#""breakers":[],"agents":[],"tool_servers":[],"checks":[],"actors_left_out":0}"#
        );
        assert_eq!(json, golden);
    }
}
