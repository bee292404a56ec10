//! Sees that backups of the ledger are made in time, and that somebody is told when they are not.
//!
//! Receives  `Make`, from the console; its own clock.
//! Sends     alerts; asks a [`Copier`] for one backup at a time.
//! Owns      when the last good backup was made.
//! On crash  a backup that was under way is broken off or goes on unheard; the next one is made in time.
//!
//! Invariants: ARCHIVIST-1 one backup is made at a time. ARCHIVIST-2 a backup that failed, or is long
//! overdue, is an alert. ARCHIVIST-3 a wall clock that jumps neither begins nor delays a backup.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use kit::{Actor, Cx, Fault, Mailbox};
use protocol::{Clock, Timestamp};
use tokio::{sync::oneshot, time::Instant};
use tracing::{error, info};

use crate::{
    alerter::{self, Severity},
    fault::fault_point,
    tally::Tally,
};

/// The first pause after a backup that failed; it doubles with each.
const RETRY_MIN: Duration = Duration::from_secs(60);
const RETRY_MAX: Duration = Duration::from_secs(3_600);
/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Makes backups.
#[async_trait]
pub trait Copier: Send + Sync + 'static {
    /// Makes one and reads it back. Returns what was made, as JSON, for whoever asked.
    ///
    /// # Errors
    /// Why there is none, in words.
    async fn copy(&self) -> Result<String, String>;

    /// When the last good one was made, before this process began.
    fn last_good(&self) -> Option<Timestamp>;

    /// Bytes of the log that no backup holds yet.
    fn uncovered_bytes(&self) -> u64;
}

/// When a backup is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchivistConfig {
    /// The longest time between two.
    pub every: Duration,
    /// Bytes of the log that may wait for one.
    pub uncovered_bytes_max: u64,
}

/// What it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time has passed.
    Looked {
        /// Bytes of the log that no backup holds.
        uncovered_bytes: u64,
    },
    /// Somebody wants one now.
    Asked,
    /// The one that was under way is good.
    Made,
    /// It is not.
    Failed,
}

/// What it wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make one.
    Copy,
    /// Say that the last good one is this old.
    TellOverdue(Duration),
}

/// Decides when a backup is made. Pure: times are since its start.
#[derive(Debug)]
pub struct Core {
    config: ArchivistConfig,
    /// How old the last good backup was at the start; `None` if there was none.
    age_at_start: Option<Duration>,
    last_good: Option<Duration>,
    is_copying: bool,
    failures: u32,
    not_before: Duration,
    is_overdue: bool,
}

impl Core {
    /// Begins with the age of the last good backup.
    #[must_use]
    pub fn new(config: ArchivistConfig, age_at_start: Option<Duration>) -> Self {
        Self {
            config,
            age_at_start,
            last_good: None,
            is_copying: false,
            failures: 0,
            not_before: Duration::ZERO,
            is_overdue: false,
        }
    }

    /// How old the last good backup is; `None` if there never was one.
    #[must_use]
    pub fn age(&self, now: Duration) -> Option<Duration> {
        match self.last_good {
            Some(at) => Some(now.saturating_sub(at)),
            None => self.age_at_start.map(|age| age + now),
        }
    }

    /// Takes one input and says what to do about it.
    #[must_use = "effects not carried out are lost"]
    pub fn step(&mut self, input: Input, now: Duration) -> Vec<Effect> {
        match input {
            Input::Looked { uncovered_bytes } => self.look(uncovered_bytes, now),
            Input::Asked => self.begin(),
            Input::Made => {
                self.is_copying = false;
                self.is_overdue = false;
                self.failures = 0;
                self.last_good = Some(now);
                Vec::new()
            }
            Input::Failed => {
                self.is_copying = false;
                let pause = RETRY_MIN.saturating_mul(1 << self.failures.min(10));
                self.failures += 1;
                self.not_before = now + pause.min(RETRY_MAX);
                Vec::new()
            }
        }
    }

    fn look(&mut self, uncovered_bytes: u64, now: Duration) -> Vec<Effect> {
        let mut effects = Vec::new();
        let age = self.age(now);
        // ARCHIVIST-2: half as long again as it should be, and time to make one.
        let overdue = self.config.every + self.config.every / 2 + RETRY_MIN;
        let since = age.unwrap_or(now);
        if overdue < since && !self.is_overdue {
            self.is_overdue = true;
            effects.push(Effect::TellOverdue(since));
        }
        let is_due = age.is_none_or(|age| self.config.every <= age)
            || self.config.uncovered_bytes_max <= uncovered_bytes;
        if is_due && self.not_before <= now {
            effects.extend(self.begin());
        }
        effects
    }

    /// ARCHIVIST-1.
    fn begin(&mut self) -> Vec<Effect> {
        if std::mem::replace(&mut self.is_copying, true) { Vec::new() } else { vec![Effect::Copy] }
    }
}

// === The shell: carries out effects. No decisions here. ===

/// What an archivist can be told.
#[derive(Debug)]
pub enum Msg {
    /// Make a backup now.
    Make {
        /// Answered with what was made, as JSON, or why there is none.
        reply: oneshot::Sender<Result<String, String>>,
    },
}

/// What an archivist needs from others.
#[derive(Clone)]
pub struct Needs {
    /// Makes the backups.
    pub copier: Arc<dyn Copier>,
    /// The wall clock: read once, at the start.
    pub clock: Arc<dyn Clock>,
    /// Who is told.
    pub alerter: Mailbox<alerter::Msg>,
    /// Counts.
    pub tally: Tally,
}

/// A supervised archivist.
pub struct Archivist {
    core: Core,
    born: Instant,
    needs: Needs,
    replies: Vec<oneshot::Sender<Result<String, String>>>,
}

impl fmt::Debug for Archivist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archivist").field("core", &self.core).finish_non_exhaustive()
    }
}

impl Archivist {
    /// The factory given to the supervisor.
    #[must_use]
    pub fn incarnate(config: ArchivistConfig, needs: Needs) -> Self {
        let last_good = needs.copier.last_good();
        if let Some(at) = last_good {
            needs.tally.backed_up(at);
        }
        // A clock that stands before the last backup makes it new.
        let age = last_good.map(|at| needs.clock.now().0.saturating_sub(at.0));
        let core = Core::new(config, age.map(Duration::from_millis));
        Self { core, born: Instant::now(), needs, replies: Vec::new() }
    }

    fn look(&mut self, cx: &mut Cx<'_, Self>) {
        let uncovered_bytes = self.needs.copier.uncovered_bytes();
        self.take(Input::Looked { uncovered_bytes }, cx);
        cx.after(LOOK_EVERY, |archivist, cx| {
            archivist.look(cx);
            Ok(())
        });
    }

    fn take(&mut self, input: Input, cx: &mut Cx<'_, Self>) {
        for effect in self.core.step(input, self.born.elapsed()) {
            match effect {
                Effect::Copy => {
                    let copier = Arc::clone(&self.needs.copier);
                    cx.when(async move { copier.copy().await }, |archivist, copied, cx| {
                        archivist.copied(copied, cx);
                        Ok(())
                    });
                }
                Effect::TellOverdue(age) => {
                    let hours = age.as_secs() / 3_600;
                    self.alert("backup_overdue", format!("No good backup for {hours} h."));
                }
            }
        }
    }

    fn copied(&mut self, copied: Result<String, String>, cx: &mut Cx<'_, Self>) {
        match &copied {
            Ok(_) => {
                info!(event.action = "backup_good", "a backup is in its place and reads well");
                self.needs.tally.backed_up(self.needs.clock.now());
                self.take(Input::Made, cx);
                for kind in alerter::HELD {
                    // lost-ok: the next good one says so again.
                    self.needs.alerter.try_tell(alerter::Msg::Over(kind)).ok();
                }
            }
            Err(why) => {
                error!(error.message = why, event.action = "backup_failed", "a backup failed");
                self.needs.tally.backup_failed();
                self.alert("backup_failed", format!("A backup failed: {why}"));
                self.take(Input::Failed, cx);
            }
        }
        for reply in self.replies.drain(..) {
            if reply.send(copied.clone()).is_err() {
                // lost-ok: whoever asked has gone; the backup is made or not all the same.
            }
        }
    }

    fn alert(&self, kind: &'static str, text: String) {
        let raise = alerter::Msg::hold(kind, Severity::Warning, text);
        if self.needs.alerter.try_tell(raise).is_err() {
            error!(event.action = "alert_not_sent", "an alert about backups could not be raised");
        }
    }
}

impl Actor for Archivist {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.look(cx);
        Ok(())
    }

    fn handle(&mut self, msg: Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        fault_point("archivist");
        let Msg::Make { reply } = msg;
        self.replies.push(reply);
        self.take(Input::Asked, cx);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn core(age: Option<Duration>) -> Core {
        Core::new(ArchivistConfig { every: 24 * HOUR, uncovered_bytes_max: 1_000 }, age)
    }

    fn look(core: &mut Core, now: Duration) -> Vec<Effect> {
        core.step(Input::Looked { uncovered_bytes: 0 }, now)
    }

    #[test]
    fn the_first_is_made_at_once_and_the_next_when_it_is_due() {
        let mut core = core(None);
        assert_eq!(look(&mut core, Duration::ZERO), [Effect::Copy]);
        assert_eq!(core.step(Input::Made, HOUR), []);
        assert_eq!(look(&mut core, 24 * HOUR), []);
        assert_eq!(look(&mut core, 25 * HOUR), [Effect::Copy]);
    }

    #[test]
    fn archivist_1_one_is_made_at_a_time() {
        let mut core = core(None);
        assert_eq!(core.step(Input::Asked, HOUR), [Effect::Copy]);
        assert_eq!(core.step(Input::Asked, HOUR), []);
        assert_eq!(look(&mut core, HOUR), []);
        assert_eq!(core.step(Input::Made, HOUR), []);
        assert_eq!(core.step(Input::Asked, HOUR), [Effect::Copy], "asked for: made, due or not");
    }

    #[test]
    fn archivist_2_it_is_told_once_that_one_is_overdue_and_again_after_a_good_one() {
        let mut core = core(Some(30 * HOUR));
        assert_eq!(look(&mut core, HOUR), [Effect::Copy]);
        assert_eq!(core.step(Input::Failed, HOUR), []);
        let told = look(&mut core, 7 * HOUR);
        assert_eq!(told, [Effect::TellOverdue(37 * HOUR), Effect::Copy]);
        assert_eq!(core.step(Input::Failed, 7 * HOUR), []);
        assert_eq!(look(&mut core, 9 * HOUR), [Effect::Copy]);
        assert_eq!(core.step(Input::Made, 9 * HOUR), []);
        let told = look(&mut core, 46 * HOUR);
        assert_eq!(told, [Effect::TellOverdue(37 * HOUR), Effect::Copy]);
    }

    #[test]
    fn after_a_failure_it_waits_longer_each_time() {
        let mut core = core(None);
        let mut now = Duration::ZERO;
        let mut tries = 0;
        while now < 24 * HOUR {
            if look(&mut core, now).contains(&Effect::Copy) {
                tries += 1;
                assert_eq!(core.step(Input::Failed, now), []);
            }
            now += LOOK_EVERY;
        }
        assert!((24..32).contains(&tries), "{tries}");
    }

    #[test]
    fn much_that_no_backup_holds_makes_one_due() {
        let mut core = core(Some(HOUR));
        assert_eq!(core.step(Input::Looked { uncovered_bytes: 999 }, HOUR), []);
        assert_eq!(core.step(Input::Looked { uncovered_bytes: 1_000 }, HOUR), [Effect::Copy]);
    }

    #[test]
    fn archivist_3_the_age_grows_with_time_that_passes_and_with_no_other() {
        let mut core = core(Some(HOUR));
        assert_eq!(core.age(HOUR), Some(2 * HOUR));
        assert_eq!(core.step(Input::Made, 2 * HOUR), []);
        assert_eq!(core.age(5 * HOUR), Some(3 * HOUR));
    }
}
