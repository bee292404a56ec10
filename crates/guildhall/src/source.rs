//! What the console shows: read from the actors' probes, the ledger's gauge and the metrics.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock, atomic::AtomicU64},
    time::Duration,
};

use bytes::Bytes;
use console::{
    Answer, Bearer, Check, Signed, Source, Status,
    status::{AgentStatus, BotStatus, BreakerState, BreakerStatus, HallState},
};
use flow::{
    archivist, broker, incident,
    roster::{self, Shared},
    rulebook::{Rulebook, Rules},
    treasurer::Desk,
    tree::Doors,
};
use kit::{ActorHealth, ActorState, Health, ask};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use protocol::{
    Clock as _,
    audit::{Action, AuditLog, Doer, Outcome, Target},
    ledger::Ledger,
    tool::Toolbox,
};
use tokio::time::Instant;
use watch::KeyedHasher;

use crate::{
    agent_book, alert_errand, audit, evidence, incidents, ledger_book, person, playbooks, rules,
    run::SystemClock,
};

/// The prefix of every metric.
pub(crate) const PREFIX: &str = "guildhall";

/// How long an errand waits for a backup: less than the console lets it.
const BACKUP_TIME_MAX: Duration = Duration::from_secs(55);

/// One bot, as the console names it.
#[derive(Clone, Debug)]
pub(crate) struct BotPlate {
    /// The id that its ingress carries.
    pub(crate) ingress: String,
    /// Its public name.
    pub(crate) username: String,
    /// `polling` or `webhook`.
    pub(crate) mode: &'static str,
}

/// Everything the console shows.
pub(crate) struct HallSource {
    /// Figures of every actor.
    pub(crate) health: Health,
    /// The durable record.
    pub(crate) ledger: Arc<dyn Ledger>,
    /// The same, for those who look at its records.
    pub(crate) store: store::Store,
    /// Whether the store takes writes; why not, if it does not.
    pub(crate) store_fault: Box<dyn Fn() -> Option<String> + Send + Sync>,
    /// Where errands are noted.
    pub(crate) audit: Arc<dyn AuditLog>,
    /// Knows of incidents.
    pub(crate) incidents: Arc<incident::Desk>,
    /// Changes the master key.
    pub(crate) rotate: Box<dyn Fn() -> Answer + Send + Sync>,
    /// Agents.
    pub(crate) hall: Shared,
    /// The guard's rules.
    pub(crate) rules: Rules,
    /// Makes other rules.
    pub(crate) rulebook: Arc<dyn Rulebook>,
    /// Ways into the tree.
    pub(crate) doors: Doors,
    /// Knows how tool servers are.
    pub(crate) toolbox: Arc<dyn Toolbox>,
    /// What was used of models.
    pub(crate) desk: Desk,
    /// What people are called where others read it.
    pub(crate) hasher: Arc<KeyedHasher>,
    /// The flow's figures.
    pub(crate) registry: Mutex<Registry>,
    /// Lines that the log lost.
    pub(crate) dropped_lines: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Spans and figures that no collector got, and lines of figures that were not written.
    pub(crate) untold: [AtomicU64; 2],
    /// The bots; known once they are connected.
    pub(crate) bots: RwLock<Vec<BotPlate>>,
    /// Why no bot is connected yet.
    pub(crate) waiting_for: RwLock<Option<String>>,
    /// The models' breakers, refreshed by [`watch_breakers`].
    pub(crate) breakers: RwLock<Vec<(String, broker::BreakerState)>>,
    /// True once the hall takes nothing new.
    pub(crate) stopping: std::sync::atomic::AtomicBool,
    /// When the process began.
    pub(crate) born: Instant,
}

fn read<T: Clone>(lock: &RwLock<T>) -> T {
    lock.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// True if nothing is behind a lock.
pub(crate) fn is_empty<T>(lock: &RwLock<Vec<T>>) -> bool {
    lock.read().unwrap_or_else(PoisonError::into_inner).is_empty()
}

/// Adds to what is behind a lock.
pub(crate) fn add<T>(lock: &RwLock<Vec<T>>, more: Option<T>) {
    lock.write().unwrap_or_else(PoisonError::into_inner).extend(more);
}

/// Replaces what is behind a lock.
pub(crate) fn put<T>(lock: &RwLock<T>, value: T) {
    *lock.write().unwrap_or_else(PoisonError::into_inner) = value;
}

impl HallSource {
    /// Runs an errand that stands in the audit log before it is begun, and afterwards if it failed.
    fn noted(&self, action: Action, target: Target, errand: Answer) -> Answer {
        let audit = Arc::clone(&self.audit);
        let deed = audit::deed(Doer::Console, action, target);
        Box::pin(async move {
            audit.record(deed.clone()).await.map_err(|error| error.to_string())?;
            let done = errand.await;
            if done.is_err() {
                audit.note(deed.with(Outcome::Failed));
            }
            done
        })
    }

    fn ingress_checks(&self, actors: &[ActorHealth]) -> Check {
        let waiting = read(&self.waiting_for);
        let ill: Vec<&ActorHealth> =
            actors.iter().filter(|it| it.kind == "ingress" && !it.healthy).collect();
        let has_bots = !read(&self.bots).is_empty();
        let why = match (waiting, ill.first()) {
            (Some(why), _) => Some(why),
            (None, Some(it)) => {
                Some(format!("{}: no completed poll for {} s", it.id, it.last_progress_s))
            }
            (None, None) if !has_bots => Some("no bot is connected yet".to_owned()),
            (None, None) => None,
        };
        Check { name: "poll", ok: why.is_none(), why }
    }

    fn store_check(&self) -> Check {
        let why = (self.store_fault)();
        Check { name: "store", ok: why.is_none(), why }
    }

    fn actors_check(actors: &[ActorHealth]) -> Check {
        let ill = actors.iter().find(|it| it.kind != "ingress" && !it.healthy);
        let why = ill.map(|it| match it.state {
            ActorState::Running | ActorState::Starting => {
                format!(
                    "{}: something waits and nothing was done for {} s",
                    it.id, it.last_progress_s
                )
            }
            ActorState::Restarting => format!("{} is restarting", it.id),
            ActorState::Stopped => format!("{} has ended", it.id),
            ActorState::GaveUp => format!("{} failed too often", it.id),
        });
        Check { name: "actors", ok: why.is_none(), why }
    }
}

impl Source for HallSource {
    fn try_rules(&self, _: Bearer, question: Bytes) -> Answer {
        let (ledger, book) = (Arc::clone(&self.ledger), Arc::clone(&self.rulebook));
        let own = self.rules.load().own.clone();
        let marked = self.hall.load().alarms().clone();
        let errand =
            Box::pin(async move { rules::answer(ledger, book, own, marked, &question).await });
        self.noted(Action::RulesTried, Target::Nothing, errand)
    }

    fn read_rules(&self, _: Bearer) -> Answer {
        let roster = self.doors.roster();
        let errand = Box::pin(async move {
            let roster = roster.ok_or("the hall is still starting")?;
            let read = ask(&roster, |reply| roster::Msg::ReadRules { reply }).await;
            read.map_err(|error| format!("the roster is away: {error}"))??;
            Ok("\"the rules were read anew\"".to_owned())
        });
        self.noted(Action::RulesRead, Target::Nothing, errand)
    }

    fn person(&self, _: Bearer, question: Bytes) -> Answer {
        let (ledger, hall) = (Arc::clone(&self.ledger), Arc::clone(&self.hall));
        let (doors, asked) = (self.doors.clone(), question.clone());
        let errand = Box::pin(async move { person::answer(ledger, hall, doors, &asked).await });
        match person::read(&question) {
            // Keeper and roster note the others themselves.
            Some(person) => self.noted(Action::PersonExported, Target::Person(person.0), errand),
            None => errand,
        }
    }

    fn incident(&self, _: Bearer, question: Bytes) -> Answer {
        let desk = Arc::clone(&self.incidents);
        Box::pin(async move { incidents::answer(desk, &question).await })
    }

    fn playbooks(&self, _: Bearer) -> Answer {
        // Before the roster has read its stream the hall knows of nothing that is in force.
        let listed = match self.doors.roster() {
            Some(_) => playbooks::answer(&self.hall, &self.hasher),
            None => Err("the hall is still starting".to_owned()),
        };
        let errand = Box::pin(async move { listed });
        self.noted(Action::AuditRead, Target::Thing("playbooks".to_owned()), errand)
    }

    fn rotate_key(&self, _: Bearer) -> Answer {
        self.noted(Action::KeyRotated, Target::Nothing, (self.rotate)())
    }

    fn note_login(&self, signed: Signed) -> Answer {
        let audit = Arc::clone(&self.audit);
        let deed = match signed {
            Signed::In => audit::deed(Doer::Console, Action::LoginDone, Target::Nothing),
            Signed::NotTheirs => {
                let target = Target::Thing("errand".to_owned());
                let deed = audit::deed(Doer::Nobody, Action::CommandDenied, target);
                deed.with(Outcome::Denied).about("with the reader's token")
            }
            Signed::Refused | Signed::LockedOut => {
                let deed = audit::deed(Doer::Nobody, Action::LoginFailed, Target::Nothing);
                let locked = if signed == Signed::LockedOut { "locked out" } else { "" };
                deed.with(Outcome::Denied).about(locked)
            }
        };
        Box::pin(async move {
            let recorded = audit.record(deed).await;
            recorded.map(|()| String::new()).map_err(|error| error.to_string())
        })
    }

    fn usage(&self, _: Bearer) -> Answer {
        let statement = self.desk.statement_of_hall(|it| self.hasher.person(it));
        Box::pin(async move { serde_json::to_string(&statement).map_err(|it| it.to_string()) })
    }

    fn make_backup(&self, _: Bearer) -> Answer {
        let archivist = self.doors.archivist();
        let errand = Box::pin(async move {
            let archivist = archivist.ok_or("backups are switched off, or the hall is starting")?;
            let made = ask(&archivist, |reply| archivist::Msg::Make { reply });
            match tokio::time::timeout(BACKUP_TIME_MAX, made).await {
                Ok(Ok(made)) => made,
                Ok(Err(error)) => Err(format!("the archivist is away: {error}")),
                Err(_elapsed) => {
                    Err("it is still being made; the log says when it is done".to_owned())
                }
            }
        });
        self.noted(Action::BackupCreated, Target::Nothing, errand)
    }

    fn alerts(&self, _: Bearer, question: Bytes) -> Answer {
        let (alerter, audit) = (self.doors.alerter(), Arc::clone(&self.audit));
        Box::pin(async move {
            let order = alert_errand::read(&question)?;
            let alerter = alerter.ok_or("the hall is still starting")?;
            let deed = order.deed(SystemClock.now(), Doer::Console);
            audit.record(deed).await.map_err(|error| error.to_string())?;
            let asked = ask(&alerter, |reply| flow::alerter::Msg::Order(order, reply)).await;
            let report = asked.map_err(|error| format!("the alerter is away: {error}"))??;
            serde_json::to_string(&report).map_err(|error| error.to_string())
        })
    }

    fn evidence(&self, _: Bearer, question: Bytes) -> Answer {
        let (ledger, audit) = (Arc::clone(&self.ledger), Arc::clone(&self.audit));
        let (hasher, view) = (Arc::clone(&self.hasher), self.hall.load_full());
        Box::pin(async move {
            let place = evidence::Place { ledger: &*ledger, audit: &*audit, hasher: &hasher };
            evidence::answer(&place, &view, &question).await
        })
    }

    fn ledger(&self, _: Bearer, question: Bytes) -> Answer {
        let (store, audit) = (self.store.clone(), Arc::clone(&self.audit));
        let hasher = Arc::clone(&self.hasher);
        Box::pin(async move { ledger_book::answer(store, audit, hasher, &question).await })
    }

    fn agents(&self, _: Bearer, question: Bytes) -> Answer {
        let (hall, doors) = (Arc::clone(&self.hall), self.doors.clone());
        Box::pin(async move { agent_book::answer(hall, doors, &question).await })
    }

    fn ready(&self) -> Vec<Check> {
        let actors = self.health.read();
        vec![self.store_check(), self.ingress_checks(&actors), Self::actors_check(&actors)]
    }

    fn status(&self) -> Status {
        let actors = self.health.read();
        let all_ready = self.ready().iter().all(|it| it.ok);
        let state = match (self.stopping.load(std::sync::atomic::Ordering::Relaxed), all_ready) {
            (true, _) => HallState::Stopping,
            (false, _) if read(&self.bots).is_empty() => HallState::Starting,
            (false, true) => HallState::Running,
            (false, false) => HallState::Degraded,
        };
        let bots = read(&self.bots).into_iter().map(|plate| {
            let ingress = actors.iter().find(|it| it.id == plate.ingress);
            BotStatus {
                username: plate.username,
                mode: plate.mode,
                last_poll_s: ingress.map(|it| it.last_progress_s),
                healthy: ingress.is_some_and(|it| it.healthy),
            }
        });
        let breakers = read(&self.breakers).into_iter().map(|(model, state)| BreakerStatus {
            model,
            state: match state {
                broker::BreakerState::Closed => BreakerState::Closed,
                broker::BreakerState::HalfOpen => BreakerState::HalfOpen,
                broker::BreakerState::Open => BreakerState::Open,
            },
        });
        let hall = self.hall.load();
        let agents = hall
            .agents()
            .map(|it| AgentStatus { name: it.name.as_str().to_owned(), paused: it.paused });
        Status {
            state,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.born.elapsed().as_secs(),
            bots: bots.collect(),
            ledger: self.ledger.gauge(),
            breakers: breakers.collect(),
            agents: agents.collect(),
            tool_servers: self.toolbox.health(),
            actors,
        }
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        let flow = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // lost-ok: writing to a string cannot fail.
        encode(&mut text, &flow).ok();
        drop(flow);
        text.truncate(text.trim_end().trim_end_matches("# EOF").len());
        encode(&mut text, &self.gauges()).ok();
        text
    }
}

/// The label of a figure that there is one of per actor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActorLabel {
    actor: String,
}

impl HallSource {
    /// Figures that are read when they are asked for.
    fn gauges(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let restarts = Family::<ActorLabel, Counter>::default();
        let depth = Family::<ActorLabel, Gauge>::default();
        let silence = Family::<ActorLabel, Gauge>::default();
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for it in self.health.read() {
            let label = ActorLabel { actor: it.id };
            restarts.get_or_create(&label).inc_by(u64::from(it.restarts));
            depth.get_or_create(&label).set(whole(it.mailbox as u64));
            silence.get_or_create(&label).set(whole(it.last_progress_s));
        }
        registry.register("actor_restarts", "Restarts since the start", restarts);
        registry.register("actor_mailbox_depth", "Messages that wait", depth);
        registry.register("actor_silence_seconds", "Time since the last completed work", silence);
        let breakers = Family::<ProviderLabel, Gauge>::default();
        for (provider, state) in read(&self.breakers) {
            let number = match state {
                broker::BreakerState::Closed => 0,
                broker::BreakerState::HalfOpen => 1,
                broker::BreakerState::Open => 2,
            };
            breakers.get_or_create(&ProviderLabel { provider }).set(number);
        }
        let help = "Whether a model is asked: 0 yes, 1 on trial, 2 no";
        registry.register("breaker_state", help, breakers);
        self.register_tool_servers(&mut registry);
        let gauge = self.ledger.gauge();
        let flush = Gauge::<f64, AtomicU64>::default();
        #[expect(clippy::cast_precision_loss, reason = "microseconds of one commit")]
        flush.set(gauge.commit_us as f64 / 1e6);
        registry.register("store_flush_seconds", "Duration of the last group commit", flush);
        let untold = Family::<WayLabel, Counter>::default();
        for (way, lost) in ["otlp", "emf"].into_iter().zip(&self.untold) {
            let lost = lost.load(std::sync::atomic::Ordering::Relaxed);
            untold.get_or_create(&WayLabel { way }).inc_by(lost);
        }
        let help = "Spans and figures that were not told, by the way they were to go";
        registry.register("telemetry_lost", help, untold);
        let version = Family::<VersionLabel, Gauge>::default();
        let label = VersionLabel { version: env!("CARGO_PKG_VERSION").to_owned() };
        version.get_or_create(&label).set(1);
        registry.register("build_info", "The program's version", version);
        let mut add = |name: &str, help: &str, value: u64| {
            let one: Gauge = Gauge::default();
            one.set(whole(value));
            registry.register(name, help, one);
        };
        add("update_queue_depth", "Updates that wait for their session", gauge.waiting);
        add("updates_aside", "Updates that were set aside and are kept", gauge.quarantined);
        add("store_bytes", "Bytes on disk", gauge.disk_bytes);
        add("store_queue_depth", "Requests that wait for the writer", gauge.queue);
        add("sessions_live", "Conversations in memory", self.sessions());
        add("uptime_seconds", "Time since the start", self.born.elapsed().as_secs());
        let mut count = |name: &str, help: &str, value: u64| {
            let one: Counter = Counter::default();
            one.inc_by(value);
            registry.register(name, help, one);
        };
        count("log_dropped_lines", "Log lines that were lost", (self.dropped_lines)());
        count("store_commits", "Group commits since the start", gauge.commits);
        count("store_records", "Records since the start", gauge.records);
        registry
    }

    fn register_tool_servers(&self, registry: &mut Registry) {
        let well = Family::<ServerLabel, Gauge>::default();
        let ends = Family::<ServerLabel, Counter>::default();
        let calls = Family::<ServerCalls, Counter>::default();
        for it in self.toolbox.health() {
            let (is_well, server) = (it.is_well(), it.name);
            for (result, count) in
                [("answered", it.calls.saturating_sub(it.failures)), ("failed", it.failures)]
            {
                let label = ServerCalls { server: server.clone(), result };
                calls.get_or_create(&label).inc_by(count);
            }
            let label = ServerLabel { server };
            well.get_or_create(&label).set(i64::from(is_well));
            ends.get_or_create(&label).inc_by(it.ends);
        }
        let help = "Whether a tool server is there and as it should be: 1 yes, 0 no";
        registry.register("tool_server_healthy", help, well);
        let help = "How often a tool server ended, or could not be started or reached";
        registry.register("tool_server_ends", help, ends);
        registry.register("tool_server_calls", "Calls that a tool server was sent", calls);
    }

    fn sessions(&self) -> u64 {
        self.health.count("session") as u64
    }
}

/// The label of a breaker: what the configuration calls the model.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabel {
    provider: String,
}

/// The label of a tool server: what the configuration calls it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServerLabel {
    server: String,
}

/// The labels of a tool server's calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServerCalls {
    server: String,
    result: &'static str,
}

/// The label of what was not told: `otlp` or `emf`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WayLabel {
    way: &'static str,
}

/// The label of `build_info`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VersionLabel {
    version: String,
}

/// Keeps the breakers' states fresh for the console. Runs until it is dropped.
pub(crate) async fn watch_breakers(source: Arc<HallSource>, doors: Doors) {
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let Some(broker) = doors.broker() else { continue };
        if let Ok(states) = ask(&broker, broker::Msg::Breakers).await {
            put(&source.breakers, states);
        }
    }
}
