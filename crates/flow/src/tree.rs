//! The supervision tree: who is started in which order, how often each may fail, and what a loss
//! means.
//!
//! ```text
//! root ── memory ── roster ── alerter ── guard ── broker ── outbox/bot ── sessions ── ingress/bot
//! ```
//!
//! Started from left to right, stopped from right to left. A service that fails too often takes the
//! tree down; the root starts it anew, and gives the process up when that does not help.
//!
//! Invariants: TREE-1 everything a child needs was started before it. TREE-2 the loss of the root
//! is a result of [`run`], never silence.

use std::{
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use kit::{Actor, Children, Expectation, Fault, Health, Mailbox, RestartPolicy, Spec, supervise};
use protocol::BotId;
use tokio::{sync::watch, time::Instant};
use tracing::{error, info};

use crate::{
    alerter::Alerter,
    broker::{self, Broker},
    guard::Guard,
    ingress::{self, Ingress, IngressConfig},
    keeper::Keeper,
    memory::Memory,
    outbox::Outbox,
    roster::{self, Roster},
    session, status,
    wiring::{Bot, Wiring},
};

/// How often the tree may be started anew within [`ROOT_WINDOW`].
const ROOT_RESTARTS_MAX: usize = 3;
const ROOT_WINDOW: Duration = Duration::from_secs(60);

/// Why the tree ended.
#[derive(Debug)]
#[must_use = "the process ends with it"]
pub enum Ending {
    /// It was asked to, and everything was put to rest.
    Drained,
    /// It failed too often.
    GaveUp {
        /// Which child was lost last.
        child: String,
        /// Why.
        fault: Fault,
    },
}

/// Ways into the running tree, for webhooks and the console: replaced when it starts anew.
#[derive(Clone, Debug, Default)]
pub struct Doors(Arc<Mutex<DoorPlates>>);

#[derive(Debug, Default)]
struct DoorPlates {
    ingress: HashMap<BotId, Mailbox<ingress::Msg>>,
    broker: Option<Mailbox<broker::Msg>>,
}

impl Doors {
    fn plates(&self) -> MutexGuard<'_, DoorPlates> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ingress of a bot, once the tree stands.
    #[must_use]
    pub fn ingress(&self, bot: BotId) -> Option<Mailbox<ingress::Msg>> {
        self.plates().ingress.get(&bot).cloned()
    }

    /// The broker, once the tree stands.
    #[must_use]
    pub fn broker(&self) -> Option<Mailbox<broker::Msg>> {
        self.plates().broker.clone()
    }
}

/// Runs the tree until `stop` turns true or it has failed too often.
pub async fn run(
    wiring: Rc<Wiring>,
    health: Health,
    doors: Doors,
    mut stop: watch::Receiver<bool>,
) -> Ending {
    let mut losses: VecDeque<Instant> = VecDeque::new();
    loop {
        let mut children = Children::default();
        start(&wiring, &health, &doors, &mut children).await;
        let loss = tokio::select! {
            // An error means that whoever could ask us to stop is gone: stop.
            _ = stop.wait_for(|it| *it) => None,
            loss = children.given_up() => Some(loss),
        };
        children.stop().await;
        let Some((child, fault)) = loss else { return Ending::Drained };
        let now = Instant::now();
        losses.push_back(now);
        losses.retain(|at| now.duration_since(*at) <= ROOT_WINDOW);
        if ROOT_RESTARTS_MAX < losses.len() {
            error!(
                labels.child = child, error.message = %fault,
                event.action = "tree_given_up", "the hall failed too often and gives up"
            );
            return Ending::GaveUp { child, fault };
        }
        error!(
            labels.child = child, error.message = %fault,
            event.action = "tree_restarting", "a service was lost; the hall starts anew"
        );
    }
}

/// Starts one child after the other. TREE-1.
async fn start(wiring: &Rc<Wiring>, health: &Health, doors: &Doors, children: &mut Children) {
    let w = Rc::clone(wiring);
    let memory = child(children, health, spec("memory", 65_536), {
        let ledger = Arc::clone(&w.ledger);
        move || Memory::incarnate(Arc::clone(&ledger))
    });

    let ready = Arc::new(tokio::sync::Notify::new());
    let roster = child(children, health, spec("roster", 1_024), {
        let needs = roster::Needs {
            memory: memory.clone(),
            clock: Arc::clone(&w.clock),
            founding: Arc::clone(&w.founding),
            models: w.model_names(),
            shared: Arc::clone(&w.hall),
            ready: Arc::clone(&ready),
        };
        move || Roster::incarnate(needs.clone())
    });
    // Nobody may be let in or turned away before it is known who may talk.
    ready.notified().await;

    let outbox_for_alerts = Arc::new(OnceLock::new());
    let alerter = child(children, health, spec("alerter", 1_024), {
        let (w, outbox) = (Rc::clone(&w), Arc::clone(&outbox_for_alerts));
        move || {
            let (hall, sinks) = (Arc::clone(&w.hall), Arc::clone(&w.sinks));
            Alerter::incarnate(w.alerter, hall, Arc::clone(&outbox), sinks, w.tally.clone())
        }
    });
    let guard = child(children, health, spec("guard", 16_384), {
        let w = Rc::clone(&w);
        move || Guard::incarnate(Arc::clone(&w.screen), w.tally.clone())
    });
    let broker = child(children, health, spec("broker", 65_536), {
        let w = Rc::clone(&w);
        move || Broker::incarnate(w.broker.clone(), Arc::clone(&w.models), w.tally.clone())
    });
    doors.plates().broker = Some(broker.clone());

    let mut peers: HashMap<BotId, session::Peers> = HashMap::new();
    for bot in &w.bots {
        let id = bot.messenger.identity().id;
        let outbox = child(children, health, outbox_spec(id), {
            let (w, messenger, roster) =
                (Rc::clone(&w), Arc::clone(&bot.messenger), roster.clone());
            move || {
                let (messenger, hall) = (Arc::clone(&messenger), Arc::clone(&w.hall));
                Outbox::incarnate(messenger, roster.clone(), hall, w.pacing, w.tally.clone())
            }
        });
        // lost-ok: alerts go through the first bot.
        outbox_for_alerts.set(outbox.clone()).ok();
        let it = session::Peers {
            memory: memory.clone(),
            guard: guard.clone(),
            broker: broker.clone(),
            outbox,
            roster: roster.clone(),
            alerter: alerter.clone(),
            hall: Arc::clone(&w.hall),
            messenger: Arc::clone(&bot.messenger),
            clock: Arc::clone(&w.clock),
            tally: w.tally.clone(),
            status: status::writer(&w, health, &broker),
            pseudonym: Arc::clone(&w.pseudonym),
        };
        peers.insert(id, it);
    }

    let peers = Rc::new(peers);
    let keeper_spec = Spec { shutdown_time_max: Duration::from_secs(5), ..spec("sessions", 65_536) };
    let keeper = child(children, health, keeper_spec, {
        let (w, peers, health) = (Rc::clone(&w), Rc::clone(&peers), health.clone());
        move || {
            let session = Arc::clone(&w.session);
            Keeper::incarnate(w.keeper, session, Rc::clone(&peers), health.clone())
        }
    });
    for bot in &w.bots {
        let Some(peers) = peers.get(&bot.messenger.identity().id) else { continue };
        let needs = ingress::Peers {
            memory: memory.clone(),
            ledger: Arc::clone(&w.ledger),
            keeper: keeper.clone(),
            outbox: peers.outbox.clone(),
            alerter: alerter.clone(),
            hall: Arc::clone(&w.hall),
            messenger: Arc::clone(&bot.messenger),
            clock: Arc::clone(&w.clock),
            tally: w.tally.clone(),
        };
        start_ingress(children, health, doors, bot, w.ingress, needs);
    }
    info!(event.action = "tree_started", labels.bots = w.bots.len(), "the hall stands");
}

fn start_ingress(
    children: &mut Children,
    health: &Health,
    doors: &Doors,
    bot: &Bot,
    config: IngressConfig,
    peers: ingress::Peers,
) {
    let id = bot.messenger.identity().id;
    let config = IngressConfig { polls: bot.polls, ..config };
    let spec = Spec {
        expects: Expectation::Always { silence_max: Duration::from_secs(90) },
        ..Spec::new(format!("ingress/{id}"), "ingress", 1_024, RestartPolicy::GENTLE)
    };
    let incarnate = move || Ingress::incarnate(config, peers.clone());
    let mailbox = child(children, health, spec, incarnate);
    doors.plates().ingress.insert(id, mailbox);
}

fn spec(kind: &'static str, mailbox_max: usize) -> Spec {
    Spec::new(kind, kind, mailbox_max, RestartPolicy::GENTLE)
}

fn outbox_spec(bot: BotId) -> Spec {
    // Messages under way are finished; what is not sent by then is sent after the next start.
    Spec {
        shutdown_time_max: Duration::from_secs(2),
        ..Spec::new(format!("outbox/{bot}"), "outbox", 65_536, RestartPolicy::GENTLE)
    }
}

fn child<A: Actor>(
    children: &mut Children,
    health: &Health,
    spec: Spec,
    incarnate: impl Fn() -> A + 'static,
) -> Mailbox<A::Msg> {
    let (mailbox, supervision) = supervise(spec.clone(), health, incarnate);
    children.start(&spec, mailbox.clone(), supervision);
    mailbox
}
