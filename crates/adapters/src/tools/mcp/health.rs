//! How a server has been: how often it ended, what kept it from being there, and how its calls went.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use protocol::tool::ServerHealth;
use tokio::time::Instant;

use super::{ServerState, keeper::CHANGED};

/// A server that ended so often within [`RECENTLY`] is not well, also while it is there.
const ENDS_MAX: usize = 3;
/// How long an end is remembered.
const RECENTLY: Duration = Duration::from_secs(600);

/// See the file head.
#[derive(Debug, Default)]
pub(super) struct Record {
    ends: AtomicU64,
    calls: AtomicU64,
    failures: AtomicU64,
    recent: Mutex<VecDeque<Instant>>,
    /// Why it ended last.
    last: Mutex<&'static str>,
}

impl Record {
    /// Its connection ended, or could not be opened.
    pub(super) fn ended(&self, why: &'static str, now: Instant) {
        self.ends.fetch_add(1, Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = why;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_back(now);
        while ENDS_MAX < recent.len() {
            recent.pop_front();
        }
    }

    /// It was called, and answered or did not.
    pub(super) fn called(&self, answered: bool) {
        self.calls.fetch_add(1, Relaxed);
        self.failures.fetch_add(u64::from(!answered), Relaxed);
    }

    /// How it is, with how it has been.
    pub(super) fn health(&self, state: ServerState, now: Instant) -> ServerHealth {
        let ServerState { name, up, problem, tools } = state;
        let last_end = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |it: &&Instant| now.saturating_duration_since(**it) < RECENTLY;
        let often = ENDS_MAX <= recent.iter().filter(since).count();
        let changed: Vec<&str> =
            tools.iter().filter(|it| it.problem == CHANGED).map(|it| it.name.as_str()).collect();
        let problem = match (up, often) {
            (false, _) => problem,
            (true, true) => format!("it ends again and again: {last_end}"),
            (true, false) if !changed.is_empty() => {
                format!("tools that are not what they were are withdrawn: {}", changed.join(", "))
            }
            (true, false) => problem,
        };
        ServerHealth {
            name,
            up,
            problem,
            last_end: last_end.to_owned(),
            ends: self.ends.load(Relaxed),
            calls: self.calls.load(Relaxed),
            failures: self.failures.load(Relaxed),
            tools: tools.iter().filter(|it| it.offered).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::SeenTool, *};

    fn state(up: bool, problem: &str) -> ServerState {
        let tool = |name: &str, problem: &str| SeenTool {
            name: name.to_owned(),
            offered: problem.is_empty(),
            problem: problem.to_owned(),
        };
        let tools = vec![tool("say", ""), tool("odd", CHANGED), tool("x", "it is not named")];
        ServerState { name: "box".to_owned(), up, problem: problem.to_owned(), tools }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_is_not_well_while_it_is_away_ends_often_or_has_changed() {
        let (record, now) = (Record::default(), Instant::now());
        let away = record.health(state(false, "it is being started"), now);
        assert_eq!((away.problem.as_str(), away.is_well()), ("it is being started", false));
        let changed = record.health(state(true, ""), now);
        assert!(changed.problem.ends_with("withdrawn: odd") && !changed.is_well(), "{changed:?}");
        let well = ServerState { tools: Vec::new(), ..state(true, "") };
        assert!(record.health(well.clone(), now).is_well());
        (0..5).for_each(|_| record.ended("it ended", now));
        let often = record.health(well.clone(), now + RECENTLY / 2);
        assert_eq!(often.problem, "it ends again and again: it ended");
        assert_eq!((often.ends, often.tools), (5, 0));
        let later = record.health(well, now + RECENTLY);
        assert!(later.is_well() && later.last_end == "it ended", "{later:?}");
        record.called(true);
        record.called(false);
        let called = record.health(state(true, ""), now);
        assert_eq!((called.calls, called.failures, called.tools), (2, 1, 1));
    }
}
