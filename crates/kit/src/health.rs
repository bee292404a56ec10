//! Who is alive: health is progress (the last completed piece of work), never mere presence.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use dashmap::DashMap;
use serde::Serialize;
use tokio::time::Instant;

use crate::mailbox::TellError;

/// What an actor is doing, as its supervisor sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ActorState {
    /// Its incarnation is being made.
    Starting,
    /// It works or waits for work.
    Running,
    /// It failed and waits out its back-off.
    Restarting,
    /// It ended as asked.
    Stopped,
    /// It failed too often; its parent has been told.
    GaveUp,
}

impl ActorState {
    fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Starting,
            1 => Self::Running,
            2 => Self::Restarting,
            3 => Self::Stopped,
            _ => Self::GaveUp,
        }
    }
}

/// What counts as healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It must make progress while something waits in its mailbox.
    OnDemand {
        /// The longest time without progress while something waits.
        silence_max: Duration,
    },
    /// It must make progress all the time (the poller).
    Always {
        /// The longest time without progress.
        silence_max: Duration,
    },
}

/// One actor's live figures. Written by its supervisor and its mailbox, read by anyone.
#[derive(Debug)]
pub struct Probe {
    id: String,
    kind: &'static str,
    expects: Expectation,
    born: Instant,
    state: AtomicU8,
    restarts: AtomicU32,
    depth: AtomicUsize,
    progress_ms: AtomicU64,
    last_fault: Mutex<Option<String>>,
}

impl Probe {
    /// Figures of an actor that is about to start.
    #[must_use]
    pub fn new(id: String, kind: &'static str, expects: Expectation) -> Self {
        Self {
            id,
            kind,
            expects,
            born: Instant::now(),
            state: AtomicU8::new(ActorState::Starting as u8),
            restarts: AtomicU32::new(0),
            depth: AtomicUsize::new(0),
            progress_ms: AtomicU64::new(0),
            last_fault: Mutex::new(None),
        }
    }

    /// Records that a piece of work was completed.
    pub fn progress(&self) {
        let since = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progress_ms.store(since, Relaxed);
    }

    pub(crate) fn enqueued(&self) {
        self.depth.fetch_add(1, Relaxed);
    }

    pub(crate) fn dequeued(&self) {
        // The sender counts after the message is in, so the two may cross: never below zero.
        let lower = |depth: usize| Some(depth.saturating_sub(1));
        // lost-ok: `fetch_update` with a closure that always returns `Some` cannot fail.
        self.depth.fetch_update(Relaxed, Relaxed, lower).ok();
    }

    pub(crate) fn set_state(&self, state: ActorState) {
        self.state.store(state as u8, Relaxed);
    }

    pub(crate) fn failed(&self, fault: &str) {
        self.restarts.fetch_add(1, Relaxed);
        *self.last_fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault.to_owned());
    }

    /// Messages that wait now. Approximate while others send.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth.load(Relaxed)
    }

    /// The figures now.
    #[must_use]
    pub fn read(&self) -> ActorHealth {
        let age = self.born.elapsed();
        let progress = Duration::from_millis(self.progress_ms.load(Relaxed));
        let silence = age.saturating_sub(progress);
        let state = ActorState::from_number(self.state.load(Relaxed));
        let mailbox = self.depth();
        let moving = match self.expects {
            Expectation::OnDemand { silence_max } => mailbox == 0 || silence <= silence_max,
            Expectation::Always { silence_max } => silence <= silence_max,
        };
        ActorHealth {
            id: self.id.clone(),
            kind: self.kind,
            state,
            healthy: moving && matches!(state, ActorState::Running | ActorState::Starting),
            restarts: self.restarts.load(Relaxed),
            mailbox,
            last_progress_s: silence.as_secs(),
            last_fault: self.last_fault.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// One actor's figures at a moment, as `/status` shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActorHealth {
    /// Its id, unique in the process.
    pub id: String,
    /// Its kind: the word used for file, metric and log.
    pub kind: &'static str,
    /// What it is doing.
    pub state: ActorState,
    /// True if it does what is expected of it.
    pub healthy: bool,
    /// Restarts after failures since the process began.
    pub restarts: u32,
    /// Messages waiting.
    pub mailbox: usize,
    /// Seconds since it last completed a piece of work.
    pub last_progress_s: u64,
    /// What its last failure was. Never a person's text.
    pub last_fault: Option<String>,
}

/// Asks one actor's supervisor for another incarnation.
pub(crate) type Bell = Box<dyn Fn() -> Result<(), TellError> + Send + Sync>;

/// Every supervised actor of the process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health {
    probes: Arc<DashMap<String, Arc<Probe>>>,
    /// The ways to ask for a restart, by id. They keep no actor alive.
    bells: Arc<DashMap<String, Bell>>,
    /// How many there are of each kind that is not listed one by one.
    unlisted: Arc<DashMap<&'static str, usize>>,
}

impl Health {
    /// Adds an actor, or replaces the one with its id.
    pub fn add(&self, probe: Arc<Probe>) {
        self.probes.insert(probe.id.clone(), probe);
    }

    /// Forgets an actor that ended for good, unless another took its id.
    pub fn remove(&self, probe: &Arc<Probe>) {
        let removed = self.probes.remove_if(&probe.id, |_, known| Arc::ptr_eq(known, probe));
        if removed.is_some() {
            self.bells.remove(&probe.id);
        }
    }

    /// Adds the way to ask for an actor's restart.
    pub(crate) fn hang(&self, id: &str, bell: Bell) {
        self.bells.insert(id.to_owned(), bell);
    }

    /// Asks for another incarnation of a listed actor. It comes once all that waited before in its mailbox
    /// was handled, keeps the rest of the mailbox, and counts as no failure. What the old one was about
    /// goes with it, as with a failure.
    ///
    /// # Errors
    /// [`TellError::Full`] if its mailbox is at its limit, [`TellError::Closed`] if there is no such
    /// actor.
    pub fn restart(&self, id: &str) -> Result<(), TellError> {
        self.bells.get(id).map_or(Err(TellError::Closed), |ring| ring())
    }

    /// Counts an actor that is not listed.
    pub(crate) fn enter(&self, kind: &'static str) {
        *self.unlisted.entry(kind).or_default() += 1;
    }

    /// An actor that is not listed has ended for good.
    pub(crate) fn leave(&self, kind: &'static str) {
        if let Some(mut count) = self.unlisted.get_mut(kind) {
            *count = count.saturating_sub(1);
        }
    }

    /// The figures of all actors, by id.
    #[must_use]
    pub fn read(&self) -> Vec<ActorHealth> {
        let mut all: Vec<ActorHealth> = self.probes.iter().map(|probe| probe.read()).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// How many actors there are of a kind.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        let listed = self.probes.iter().filter(|probe| probe.kind == kind).count();
        listed + self.unlisted.get(kind).map_or(0, |it| *it)
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("probes", &self.probes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(90);

    #[tokio::test(start_paused = true)]
    async fn an_actor_on_demand_is_healthy_while_nothing_waits() {
        let expects = Expectation::OnDemand { silence_max: SILENCE };
        let probe = Probe::new("guard".to_owned(), "guard", expects);
        tokio::time::advance(SILENCE * 2).await;
        assert!(probe.read().healthy);
        probe.enqueued();
        assert!(!probe.read().healthy, "something waits and nothing was done for too long");
        probe.progress();
        assert!(probe.read().healthy);
    }

    #[tokio::test(start_paused = true)]
    async fn a_poller_must_make_progress_all_the_time() {
        let expects = Expectation::Always { silence_max: SILENCE };
        let probe = Probe::new("ingress".to_owned(), "ingress", expects);
        probe.progress();
        tokio::time::advance(SILENCE).await;
        assert!(probe.read().healthy);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!probe.read().healthy);
    }

    #[test]
    fn the_depth_never_wraps_below_zero() {
        let expects = Expectation::OnDemand { silence_max: SILENCE };
        let probe = Probe::new("x".to_owned(), "x", expects);
        probe.dequeued();
        assert_eq!(probe.depth(), 0);
    }
}
