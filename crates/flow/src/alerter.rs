//! Tells the people who run the hall, once per cause and not in floods.
//!
//! Receives  `Raise`, from everyone, and `Refused`, from sessions.
//! Sends     messages to the admins' private chats, and to further sinks.
//! Owns      which alerts were told lately.
//! On crash  an alert that was just raised may be told again.
//!
//! Invariants: ALERTER-1 a thousand alerts of one kind within the window are told at most
//! `told_max` times. ALERTER-2 no alert holds up whoever raises it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use kit::{Actor, Cx, Fault, Mailbox, Tasks};
use protocol::{ChatId, messenger::Address};
use tokio::time::Instant;
use tracing::{error, warn};

use crate::{
    alarm::Refusal,
    fault::fault_point,
    outbox,
    roster::Shared,
    tally::Tally,
    words::{self, Notice},
};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Someone should look at it today.
    Warning,
    /// Someone should look at it now.
    Critical,
}

impl Severity {
    /// The word of the field.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Something the people who run the hall should know. Never a person's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its kind: alerts of one kind are one incident.
    pub kind: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What happened, in one sentence.
    pub summary: String,
    /// How often it happened since it was told last.
    pub count: u64,
}

/// Somewhere else that alerts go to.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// The word for it in metrics and logs.
    fn name(&self) -> &'static str;

    /// Tells it.
    ///
    /// # Errors
    /// Why it could not be told, in words.
    async fn tell(&self, alert: &Alert) -> Result<(), String>;
}

/// How alerts are kept from flooding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlerterConfig {
    /// Alerts of one kind that are told within the window.
    pub told_max: u32,
    /// The window.
    pub window: Duration,
    /// Tell the admins in their private chats.
    pub telegram: bool,
    /// Tell them there what the guard refused, too.
    pub refusals: bool,
}

impl Default for AlerterConfig {
    fn default() -> Self {
        Self { told_max: 3, window: Duration::from_secs(600), telegram: true, refusals: true }
    }
}

/// What was told of one kind.
#[derive(Clone, Copy, Debug)]
struct Told {
    since: Duration,
    told: u32,
    untold: u64,
}

/// Decides what is told. Pure: times are since its start.
#[derive(Debug)]
pub struct Core {
    config: AlerterConfig,
    kinds: HashMap<&'static str, Told>,
}

impl Core {
    /// Nothing was told yet.
    #[must_use]
    pub fn new(config: AlerterConfig) -> Self {
        Self { config, kinds: HashMap::new() }
    }

    /// Takes an alert; says whether it is told, and how many it stands for. ALERTER-1.
    pub fn step(&mut self, kind: &'static str, now: Duration) -> Option<u64> {
        let told = self.kinds.entry(kind).or_insert(Told { since: now, told: 0, untold: 0 });
        if told.since + self.config.window <= now {
            *told = Told { since: now, told: 0, untold: told.untold };
        }
        if self.config.told_max <= told.told {
            told.untold += 1;
            return None;
        }
        told.told += 1;
        Some(std::mem::take(&mut told.untold) + 1)
    }
}

// === The shell: carries out effects. No decisions here. ===

/// What an alerter can be told.
#[derive(Debug)]
pub enum Msg {
    /// Something happened.
    Raise(Alert),
    /// The guard stopped a text. No alarm: one message for the admins, with what they can do.
    Refused(Refusal),
}

impl Msg {
    /// Something happened. To be left with `try_tell`, which never waits: ALERTER-2.
    #[must_use]
    pub fn raise(kind: &'static str, severity: Severity, summary: String) -> Self {
        Self::Raise(Alert { kind, severity, summary, count: 1 })
    }
}

/// A supervised alerter.
pub struct Alerter {
    core: Core,
    born: Instant,
    hall: Shared,
    /// An outbox to reach the admins through; set once there is one.
    outbox: Arc<std::sync::OnceLock<Mailbox<outbox::Msg>>>,
    sinks: Arc<[Arc<dyn Sink>]>,
    tally: Tally,
    tasks: Tasks,
}

impl std::fmt::Debug for Alerter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alerter").field("core", &self.core).finish_non_exhaustive()
    }
}

impl Alerter {
    /// The factory given to the supervisor.
    #[must_use]
    pub fn incarnate(
        config: AlerterConfig,
        hall: Shared,
        outbox: Arc<std::sync::OnceLock<Mailbox<outbox::Msg>>>,
        sinks: Arc<[Arc<dyn Sink>]>,
        tally: Tally,
    ) -> Self {
        let (core, tasks) = (Core::new(config), Tasks::default());
        Self { core, born: Instant::now(), hall, outbox, sinks, tally, tasks }
    }

    fn tell(&mut self, alert: Alert) {
        error!(
            event.action = "alert",
            labels.kind = alert.kind,
            labels.count = alert.count,
            labels.severity = alert.severity.as_str(),
            labels.summary = alert.summary,
            "alert raised"
        );
        self.tally.alerted(alert.severity.as_str());
        if let Some(outbox) = self.outbox.get().filter(|_| self.core.config.telegram) {
            let mark = if alert.severity == Severity::Critical { "🔴" } else { "🟠" };
            let more = match alert.count {
                0 | 1 => String::new(),
                count => format!(" ({count} times)"),
            };
            let text = format!("{mark} {}{more}", alert.summary);
            self.write_to_admins(outbox, &words::alert(text));
        }
        for sink in self.sinks.iter() {
            let (sink, alert) = (Arc::clone(sink), alert.clone());
            self.tasks.start(async move {
                let mut pause = Duration::from_secs(1);
                for _ in 0..6 {
                    match sink.tell(&alert).await {
                        Ok(()) => return,
                        Err(why) => warn!(
                            labels.sink = sink.name(),
                            error.message = why,
                            event.action = "alert_sink_failed",
                            "an alert could not be delivered"
                        ),
                    }
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            });
        }
    }
}

impl Alerter {
    fn write_to_admins(&self, outbox: &Mailbox<outbox::Msg>, notice: &Notice) {
        for admin in self.hall.load().admins() {
            let msg = outbox::Msg::Send {
                to: Address { chat: ChatId(admin.0), topic: None },
                what: outbox::Sayable::Notice(notice.clone()),
                reply_to: None,
                part: None,
                reply: None,
            };
            if outbox.try_tell(msg).is_err() {
                warn!(event.action = "alert_not_sent", "an alert could not be sent to an admin");
            }
        }
    }

    /// Tells the admins of a refusal; of a flood of them, of the first few, and later how many.
    fn tell_refusal(&mut self, refusal: &Refusal) {
        let AlerterConfig { telegram, refusals, .. } = self.core.config;
        let Some(outbox) = self.outbox.get().filter(|_| telegram && refusals) else { return };
        if let Some(count) = self.core.step("guard_refused", self.born.elapsed()) {
            self.write_to_admins(outbox, &words::refusal(refusal, count));
        }
    }
}

impl Actor for Alerter {
    type Msg = Msg;

    fn handle(&mut self, msg: Msg, _: &mut Cx<'_, Self>) -> Result<(), Fault> {
        fault_point("alerter");
        match msg {
            Msg::Raise(alert) => {
                if let Some(count) = self.core.step(alert.kind, self.born.elapsed()) {
                    self.tell(Alert { count, ..alert });
                }
            }
            Msg::Refused(refusal) => self.tell_refusal(&refusal),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerter_1_a_thousand_of_a_kind_are_told_three_times() {
        let mut core = Core::new(AlerterConfig::default());
        let told: Vec<u64> = (0..1_000).filter_map(|_| core.step("x", Duration::ZERO)).collect();
        assert_eq!(told, [1, 1, 1]);
        assert_eq!(core.step("y", Duration::ZERO), Some(1), "other kinds are told");
        let later = AlerterConfig::default().window;
        assert_eq!(core.step("x", later), Some(998), "the next one says how many there were");
    }
}
