//! The supervision tree: who is started in which order, how often each may fail, and what a loss
//! means.
//!
//! ```text
//! root ── memory ── roster ── alerter ── archivist ── treasurer ── warden ── guard ── broker ── janitor ── timekeeper ── outbox/bot ── sessions ── ingress/bot
//! ```
//!
//! Started from left to right, stopped from right to left. A service that fails too often takes the
//! tree down; the root starts it anew, and gives the process up when that does not help.
//!
//! Invariants: TREE-1 everything a child needs was started before it. TREE-2 the loss of the root
//! is a result of [`run`], never silence.

#[cfg(test)]
mod tests;

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use kit::{Actor, Children, Expectation, Fault, Health, Mailbox, RestartPolicy, Spec, supervise};
use protocol::{BotId, audit::AuditLog as _};
use tokio::{sync::watch, time::Instant};
use tracing::{error, info};

use crate::{
    alarm,
    alerter::{self, Alerter},
    archivist::{self, Archivist},
    broker::{self, Broker},
    company::Company,
    guard::{self, Guard},
    ingress::{self, Ingress, IngressConfig},
    janitor::Janitor,
    keeper::{self, Keeper},
    memory::{self, Memory},
    outbox::{self, Outbox},
    replay,
    right::Role,
    roster::{self, Roster},
    session, status,
    timekeeper::{self, Timekeeper},
    trace,
    treasurer::{self, Treasurer},
    warden::{self, Warden},
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
    roster: Option<Mailbox<roster::Msg>>,
    keeper: Option<Mailbox<keeper::Msg>>,
    archivist: Option<Mailbox<archivist::Msg>>,
    alerter: Option<Mailbox<alerter::Msg>>,
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

    /// The keeper, once the tree stands.
    #[must_use]
    pub fn keeper(&self) -> Option<Mailbox<keeper::Msg>> {
        self.plates().keeper.clone()
    }

    /// The archivist, once the tree stands; `None` where backups are switched off.
    #[must_use]
    pub fn archivist(&self) -> Option<Mailbox<archivist::Msg>> {
        self.plates().archivist.clone()
    }

    /// The alerter, once the tree stands.
    #[must_use]
    pub fn alerter(&self) -> Option<Mailbox<alerter::Msg>> {
        self.plates().alerter.clone()
    }

    /// The roster, once the tree stands.
    #[must_use]
    pub fn roster(&self) -> Option<Mailbox<roster::Msg>> {
        self.plates().roster.clone()
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
        let loss = tokio::select! {
            // An error means that whoever could ask us to stop is gone: stop.
            _ = stop.wait_for(|it| *it) => None,
            loss = stand(&wiring, &health, &doors, &mut children) => Some(loss),
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

/// Starts one child after the other, and waits until one is lost: while they are started, too.
async fn stand(
    wiring: &Rc<Wiring>,
    health: &Health,
    doors: &Doors,
    children: &mut Children,
) -> (String, Fault) {
    let services = match start_services(wiring, health, doors, children).await {
        Ok(services) => services,
        Err(loss) => return loss,
    };
    let standing = start_bots(wiring, health, doors, children, services);
    let mut there = 0;
    loop {
        // Those who come later, also those who came before the tree started anew.
        for bot in wiring.lobby.all().into_iter().skip(there) {
            there += 1;
            standing.join(wiring, health, doors, children, &bot);
        }
        tokio::select! {
            loss = children.given_up() => return loss,
            () = wiring.lobby.news() => (),
        }
    }
}

/// What all bots share.
struct Services {
    memory: Mailbox<memory::Msg>,
    roster: Mailbox<roster::Msg>,
    alerter: Mailbox<alerter::Msg>,
    treasurer: Mailbox<treasurer::Msg>,
    guard: Mailbox<guard::Msg>,
    broker: Mailbox<broker::Msg>,
    /// Filled with the first bot's, which alerts go through.
    outbox_for_alerts: Arc<OnceLock<Mailbox<outbox::Msg>>>,
}

/// Starts what all bots share, or says which of it was lost. TREE-1.
async fn start_services(
    w: &Rc<Wiring>,
    health: &Health,
    doors: &Doors,
    children: &mut Children,
) -> Result<Services, (String, Fault)> {
    let memory = child(children, health, spec("memory", 65_536), {
        let ledger = Arc::clone(&w.ledger);
        move || Memory::incarnate(Arc::clone(&ledger))
    });

    let ready = Arc::new(tokio::sync::Notify::new());
    let roster = child(children, health, spec("roster", 1_024), {
        let needs = roster::Needs {
            memory: memory.clone(),
            audit: Arc::clone(&w.incidents) as _,
            clock: Arc::clone(&w.clock),
            founding: Arc::clone(&w.founding),
            models: w.model_names(),
            shared: Arc::clone(&w.hall),
            rules: Arc::clone(&w.rules),
            rulebook: Arc::clone(&w.rulebook),
            tally: w.tally.clone(),
            ready: Arc::clone(&ready),
        };
        move || Roster::incarnate(needs.clone())
    });
    // Nobody may be let in or turned away before it is known who may talk.
    tokio::select! {
        () = ready.notified() => (),
        loss = children.given_up() => return Err(loss),
    }

    let outbox_for_alerts = Arc::new(OnceLock::new());
    let alerter = start_alerter(w, health, children, &memory, &outbox_for_alerts);
    let archivist = start_archivist(w, health, children, &alerter);
    let treasurer = start_treasurer(w, health, children, &memory, &alerter).await?;
    start_warden(w, health, children, &roster, &alerter);
    let guard = child(children, health, spec("guard", 16_384), {
        let w = Rc::clone(w);
        move || {
            let canary = Arc::clone(&w.broker.canary);
            let (rules, judges) = (Arc::clone(&w.rules), w.judges.clone());
            let guard = Guard::incarnate(rules, canary, judges, w.tally.clone());
            guard.excepting(Arc::clone(&w.hall), Arc::clone(&w.digest))
        }
    });
    let broker = child(children, health, spec("broker", 65_536), {
        let w = Rc::clone(w);
        move || {
            let (config, models) = (w.broker.clone(), Arc::clone(&w.models));
            Broker::incarnate(config, models, w.egress.clone(), w.desk.clone(), w.tally.clone())
        }
    });
    child(children, health, spec("janitor", 16), {
        let (w, memory) = (Rc::clone(w), memory.clone());
        move || Janitor::incarnate(w.retention, memory.clone(), &*w.ledger, Arc::clone(&w.clock))
    });
    {
        let mut plates = doors.plates();
        plates.broker = Some(broker.clone());
        plates.roster = Some(roster.clone());
        plates.alerter = Some(alerter.clone());
        plates.archivist = archivist;
    }

    Ok(Services { memory, roster, alerter, treasurer, guard, broker, outbox_for_alerts })
}

fn start_alerter(
    w: &Rc<Wiring>,
    health: &Health,
    children: &mut Children,
    memory: &Mailbox<memory::Msg>,
    outbox: &Arc<OnceLock<Mailbox<outbox::Msg>>>,
) -> Mailbox<alerter::Msg> {
    let (ledger, tally) = (Arc::clone(&w.ledger), w.tally.clone());
    let (clock, surroundings) = (Arc::clone(&w.clock), Arc::clone(&w.surroundings));
    let has_operators = w.founding.roles.values().any(|it| Role::Operator <= *it);
    let writer = w.bots.first().filter(|_| has_operators);
    let needs = alerter::Needs {
        memory: memory.clone(),
        clock: Arc::clone(&w.clock),
        hall: Arc::clone(&w.hall),
        pseudonym: Arc::clone(&w.pseudonym),
        languages: w.tongues.clone(),
        ledger: Arc::clone(&w.ledger),
        bots: w.bots.iter().map(|it| it.messenger.identity().id).collect(),
        messenger: writer.map(|it| Arc::clone(&it.messenger)),
        outbox: Arc::clone(outbox),
        sinks: Arc::clone(&w.sinks),
        reader: alerter::reader(health.clone(), ledger, tally.clone(), clock, surroundings),
        tally,
        tray: alerter::Tray::default(),
    };
    let config = w.alerter.clone();
    let incarnate = move || Alerter::incarnate(config.clone(), needs.clone());
    child(children, health, spec("alerter", 1_024), incarnate)
}

fn start_archivist(
    w: &Rc<Wiring>,
    health: &Health,
    children: &mut Children,
    alerter: &Mailbox<alerter::Msg>,
) -> Option<Mailbox<archivist::Msg>> {
    let (copier, config) = w.backups.clone()?;
    let needs = archivist::Needs {
        copier,
        clock: Arc::clone(&w.clock),
        alerter: alerter.clone(),
        tally: w.tally.clone(),
    };
    let incarnate = move || Archivist::incarnate(config, needs.clone());
    Some(child(children, health, spec("archivist", 64), incarnate))
}

fn start_warden(
    w: &Rc<Wiring>,
    health: &Health,
    children: &mut Children,
    roster: &Mailbox<roster::Msg>,
    alerter: &Mailbox<alerter::Msg>,
) {
    let playbooks = Arc::clone(&w.founding.playbooks);
    let signs = w.incidents.past_signs();
    let counts = {
        let (hall, name) = (w.hall.load(), |id| w.incidents.person(id));
        warden::Counts::recounted(&playbooks, &signs, (&hall, &name), w.clock.now())
    };
    let needs = warden::Needs {
        incidents: Arc::clone(&w.incidents),
        roster: roster.clone(),
        alerter: alerter.clone(),
        hall: Arc::clone(&w.hall),
        treasury: w.desk.clone(),
        ledger: Arc::clone(&w.ledger),
        clock: Arc::clone(&w.clock),
        counts: Arc::new(Mutex::new(counts)),
        pseudonym: Arc::clone(&w.pseudonym),
    };
    let incarnate = move || Warden::incarnate(Arc::clone(&playbooks), needs.clone());
    child(children, health, spec("warden", 16), incarnate);
}

/// Nobody may ask a model before it is known what was used.
async fn start_treasurer(
    w: &Rc<Wiring>,
    health: &Health,
    children: &mut Children,
    memory: &Mailbox<memory::Msg>,
    alerter: &Mailbox<alerter::Msg>,
) -> Result<Mailbox<treasurer::Msg>, (String, Fault)> {
    let ready = Arc::new(tokio::sync::Notify::new());
    let needs = treasurer::Needs {
        memory: memory.clone(),
        ledger: Arc::clone(&w.ledger),
        alerter: alerter.clone(),
        audit: Arc::clone(&w.incidents) as _,
        clock: Arc::clone(&w.clock),
        desk: w.desk.clone(),
        ready: Arc::clone(&ready),
    };
    let incarnate = move || Treasurer::incarnate(needs.clone());
    let treasurer = child(children, health, spec("treasurer", 1_024), incarnate);
    tokio::select! {
        () = ready.notified() => Ok(treasurer),
        loss = children.given_up() => Err(loss),
    }
}

/// What conversations of all bots share, and what those of each bot talk to.
struct Standing {
    services: Services,
    timekeeper: Mailbox<timekeeper::Msg>,
    archivist: Option<Mailbox<archivist::Msg>>,
    keeper: Rc<OnceCell<Mailbox<keeper::Msg>>>,
    drained: Rc<Cell<bool>>,
    company: Company,
    peers: Rc<RefCell<HashMap<BotId, Rc<session::Peers>>>>,
}

/// Starts what each bot has for itself, and the sessions of all. TREE-1.
fn start_bots(
    w: &Rc<Wiring>,
    health: &Health,
    doors: &Doors,
    children: &mut Children,
    services: Services,
) -> Standing {
    let keeper = Rc::new(OnceCell::new());
    let timekeeper = start_timekeeper(w, health, children, &services, &keeper);
    let (drained, peers) = (Rc::new(Cell::new(false)), Rc::default());
    let archivist = doors.archivist();
    let company = Company::default();
    let standing = Standing { services, timekeeper, archivist, keeper, drained, company, peers };
    for bot in &w.bots {
        standing.start_outbox(w, health, children, bot);
    }

    let keeper_spec =
        Spec { shutdown_time_max: Duration::from_secs(5), ..spec("sessions", 65_536) };
    let keeper = child(children, health, keeper_spec, {
        let (w, peers, health) = (Rc::clone(w), Rc::clone(&standing.peers), health.clone());
        move || {
            let session = Arc::clone(&w.session);
            Keeper::incarnate(w.keeper, session, Rc::clone(&peers), health.clone())
        }
    });
    // lost-ok: it was empty.
    standing.keeper.set(keeper.clone()).ok();
    doors.plates().keeper = Some(keeper);
    for bot in &w.bots {
        standing.start_ingress(w, health, doors, children, bot);
    }
    info!(event.action = "tree_started", labels.bots = w.bots.len(), "the hall stands");
    standing
}

impl Standing {
    /// Starts what a bot has for itself that comes while the hall stands.
    fn join(
        &self,
        w: &Rc<Wiring>,
        health: &Health,
        doors: &Doors,
        children: &mut Children,
        bot: &Bot,
    ) {
        self.start_outbox(w, health, children, bot);
        let id = bot.messenger.identity().id;
        if let Some(keeper) = self.keeper.get() {
            // lost-ok: a keeper that starts anew looks at all conversations.
            keeper.try_tell(keeper::Msg::Joined(id)).ok();
        }
        self.start_ingress(w, health, doors, children, bot);
        info!(event.action = "bot_joined", labels.bot = %id, "one more bot is there");
    }

    fn start_outbox(&self, w: &Rc<Wiring>, health: &Health, children: &mut Children, bot: &Bot) {
        let services = &self.services;
        let outbox = start_outbox(w, health, children, services, bot);
        let it = session::Peers {
            memory: services.memory.clone(),
            guard: services.guard.clone(),
            broker: services.broker.clone(),
            outbox,
            roster: services.roster.clone(),
            audit: Arc::clone(&w.incidents) as _,
            incidents: Arc::clone(&w.incidents),
            timekeeper: self.timekeeper.clone(),
            alerter: services.alerter.clone(),
            hall: Arc::clone(&w.hall),
            messenger: Arc::clone(&bot.messenger),
            clock: Arc::clone(&w.clock),
            tally: w.tally.clone(),
            keeper: Rc::clone(&self.keeper),
            status: status::writer(w, health, &services.broker),
            health: health.clone(),
            drained: Rc::clone(&self.drained),
            trier: replay::trier(w),
            tracer: trace::tracer(w),
            desk: w.desk.clone(),
            treasurer: services.treasurer.clone(),
            finder: alarm::finder(w),
            digest: Arc::clone(&w.digest),
            hands: session::Hands::new(Arc::clone(&w.toolbox), w.egress.clone()),
            bench: crate::clerk::Bench {
                clerk: Arc::clone(&w.clerk),
                archivist: self.archivist.clone(),
                ledger: Arc::clone(&w.ledger),
            },
            recaller: w.recaller.clone(),
            senses: w.senses.clone(),
            tongues: w.tongues.clone(),
            pseudonym: Arc::clone(&w.pseudonym),
            company: self.company.clone(),
        };
        self.company.welcome(&bot.messenger.identity().username);
        self.peers.borrow_mut().insert(bot.messenger.identity().id, Rc::new(it));
    }

    fn start_ingress(
        &self,
        w: &Rc<Wiring>,
        health: &Health,
        doors: &Doors,
        children: &mut Children,
        bot: &Bot,
    ) {
        let outbox =
            self.peers.borrow().get(&bot.messenger.identity().id).map(|it| it.outbox.clone());
        let (Some(outbox), Some(keeper)) = (outbox, self.keeper.get()) else { return };
        let needs = ingress::Peers {
            memory: self.services.memory.clone(),
            ledger: Arc::clone(&w.ledger),
            tongues: w.tongues.clone(),
            keeper: keeper.clone(),
            outbox,
            alerter: self.services.alerter.clone(),
            hall: Arc::clone(&w.hall),
            messenger: Arc::clone(&bot.messenger),
            clock: Arc::clone(&w.clock),
            tally: w.tally.clone(),
            audit: Arc::clone(&w.incidents) as _,
            pseudonym: Arc::clone(&w.pseudonym),
        };
        start_ingress(children, health, doors, bot, w.ingress, needs);
    }
}

fn start_timekeeper(
    w: &Rc<Wiring>,
    health: &Health,
    children: &mut Children,
    services: &Services,
    keeper: &Rc<OnceCell<Mailbox<keeper::Msg>>>,
) -> Mailbox<timekeeper::Msg> {
    let needs = timekeeper::Needs {
        memory: services.memory.clone(),
        keeper: Rc::clone(keeper),
        clock: Arc::clone(&w.clock),
    };
    let config = w.timekeeper.clone();
    let incarnate = move || Timekeeper::incarnate(config.clone(), needs.clone());
    child(children, health, spec("timekeeper", 1_024), incarnate)
}

fn start_outbox(
    w: &Rc<Wiring>,
    health: &Health,
    children: &mut Children,
    services: &Services,
    bot: &Bot,
) -> Mailbox<outbox::Msg> {
    let outbox = child(children, health, outbox_spec(bot.messenger.identity().id), {
        let (w, messenger, roster) =
            (Rc::clone(w), Arc::clone(&bot.messenger), services.roster.clone());
        move || {
            let (messenger, hall) = (Arc::clone(&messenger), Arc::clone(&w.hall));
            let (ledger, egress) = (Arc::clone(&w.ledger), w.egress.clone());
            let (roster, tally) = (roster.clone(), w.tally.clone());
            Outbox::incarnate(messenger, ledger, egress, roster, hall, w.pacing, tally)
        }
    });
    // lost-ok: alerts go through the first bot.
    services.outbox_for_alerts.set(outbox.clone()).ok();
    outbox
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
