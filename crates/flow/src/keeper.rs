//! Keeps one session per live conversation: starts them on demand, lets idle ones rest.
//!
//! Receives  `Ring`, from ingress, for every session that has something new; `Forget`, from sessions
//!           and the console.
//! Sends     doorbells, to sessions; receipts, to those who were forgotten.
//! Owns      the sessions of the process.
//! On crash  all its sessions end with it; the next incarnation starts those that have work.
//!
//! Invariants: KEEPER-1 at most one session per key. KEEPER-2 a session that gave up is not started
//! again before its pause is over. KEEPER-3 about `live_max` sessions at most are in memory, and a
//! quarter of that if the rest is silent.

mod forget;
mod rings;

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc, time::Duration};

use futures::FutureExt as _;
use kit::{
    Actor, Cx, Exit, Expectation, Fault, Health, Mailbox, Probe, RestartPolicy, Spec, Tasks, ask,
    supervise,
};
use protocol::{BotId, Language, PersonId, SessionKey};
use tokio::time::Instant;
use tracing::{info, warn};

pub use self::forget::Forget;
use self::rings::{AT_A_LOOK, FOR_ONE_THAT_COMES, LOOK_EVERY, Rings};
use crate::{
    alerter::{self, Severity},
    fault::fault_point,
    memory,
    session::{self, Peers, SessionActor, SessionConfig},
};

/// Limits of the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeeperConfig {
    /// Sessions in memory. Past that the ones that rang longest ago are asked to rest; past a quarter
    /// of it, those that are silent for a moment.
    pub live_max: usize,
    /// How long a session that gave up is left alone.
    pub quarantine_pause: Duration,
}

/// How often a session may fail: often enough to count `attempts_max` attempts of one update.
const SESSION_POLICY: RestartPolicy = RestartPolicy {
    restarts_max: 8,
    window: Duration::from_secs(30),
    backoff_min: Duration::from_millis(10),
    backoff_max: Duration::from_secs(1),
};

/// What a keeper can be told.
#[derive(Debug)]
pub enum Msg {
    /// These sessions have something new in their inbox.
    Ring(Vec<SessionKey>),
    /// A bot is there that was not when the hall began to stand.
    Joined(BotId),
    /// A person is to be forgotten.
    Forget(Forget),
    /// A session ended: which one is told by its probe, since its key may have a new one by now.
    Ended(SessionKey, Arc<Probe>, Exit),
}

struct Live {
    mailbox: Mailbox<session::Msg>,
    rang: Instant,
    /// It was asked to rest, and is in no queue for that.
    was_asked: bool,
}

/// A supervised keeper.
pub struct Keeper {
    config: KeeperConfig,
    session: Arc<SessionConfig>,
    /// What sessions of each bot talk to.
    peers: Rc<RefCell<HashMap<BotId, Rc<Peers>>>>,
    health: Health,
    live: HashMap<SessionKey, Live>,
    rings: Rings,
    /// Whether it will be looked for conversations that are silent.
    looks_again: bool,
    quarantined: HashMap<SessionKey, Instant>,
    /// Doorbells that rang before it was known which sessions have unfinished work.
    early: Option<Vec<SessionKey>>,
    /// Ends once the last session has left.
    stopping: bool,
    /// Receipts of erasure are being shown, and whether there may be more by now.
    telling: bool,
    tell_again: bool,
    /// What the receipts that are still to be shown are shown in.
    languages: HashMap<PersonId, Language>,
    tasks: Tasks,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("live", &self.live.len()).finish_non_exhaustive()
    }
}

impl Keeper {
    /// The factory given to the supervisor: `started` wakes every session that has work.
    #[must_use]
    pub fn incarnate(
        config: KeeperConfig,
        session: Arc<SessionConfig>,
        peers: Rc<RefCell<HashMap<BotId, Rc<Peers>>>>,
        health: Health,
    ) -> Self {
        Self {
            config,
            session,
            peers,
            health,
            live: HashMap::new(),
            rings: Rings::default(),
            looks_again: false,
            quarantined: HashMap::new(),
            early: Some(Vec::new()),
            stopping: false,
            telling: false,
            languages: HashMap::new(),
            tell_again: false,
            tasks: Tasks::default(),
        }
    }

    fn any_peers(&self) -> Option<Rc<Peers>> {
        self.peers.borrow().values().next().cloned()
    }

    fn peers_of(&self, bot: BotId) -> Option<Rc<Peers>> {
        self.peers.borrow().get(&bot).cloned()
    }

    /// A bot is there now: its conversations with unfinished work go on.
    fn joined(&mut self, bot: BotId, cx: &mut Cx<'_, Self>) {
        let Some(memory) = self.peers_of(bot).map(|it| it.memory.clone()) else { return };
        let work = async move { ask(&memory, memory::Msg::OpenSessions).await };
        cx.when(work, move |keeper, open, cx| {
            let Ok(Ok(open)) = open else {
                cx.after(Duration::from_millis(250), move |keeper, cx| {
                    keeper.joined(bot, cx);
                    Ok(())
                });
                return Ok(());
            };
            for key in open.into_iter().filter(|it| it.bot == bot) {
                keeper.ring(key, true, cx);
            }
            keeper.tell_receipts(cx);
            Ok(())
        });
    }

    /// Starts what waits since before this incarnation: each may have had its first update in hand.
    fn recover(&mut self, cx: &mut Cx<'_, Self>) {
        let Some(memory) = self.any_peers().map(|it| it.memory.clone()) else { return };
        let work = async move { ask(&memory, memory::Msg::OpenSessions).await };
        cx.when(work, |keeper, open, cx| {
            let Ok(Ok(open)) = open else {
                cx.after(Duration::from_millis(250), |keeper, cx| {
                    keeper.recover(cx);
                    Ok(())
                });
                return Ok(());
            };
            if !open.is_empty() {
                info!(
                    labels.sessions = open.len(),
                    event.action = "recovery",
                    "conversations with unfinished work go on"
                );
            }
            for key in open {
                keeper.ring(key, true, cx);
            }
            for key in keeper.early.take().unwrap_or_default() {
                keeper.ring(key, false, cx);
            }
            Ok(())
        });
    }

    fn ring(&mut self, key: SessionKey, recovered: bool, cx: &mut Cx<'_, Self>) {
        let now = Instant::now();
        self.rings.rang(now);
        if let Some(live) = self.live.get_mut(&key) {
            // lost-ok: a full mailbox holds a doorbell already, and of a session that has just
            // ended its `Ended` is on the way, which looks again. KEEPER-1: none is started before.
            live.mailbox.try_tell(session::Msg::Ring).ok();
            live.rang = now;
            // It may have been busy, and stays now.
            if std::mem::take(&mut live.was_asked) {
                self.rings.begin(key, now);
            }
            return;
        }
        // KEEPER-2.
        if let Some(until) = self.quarantined.get(&key) {
            if now < *until {
                return;
            }
            self.quarantined.remove(&key);
        }
        self.start(key, recovered, now, cx);
        self.rings.begin(key, now);
        self.let_some_rest(FOR_ONE_THAT_COMES, now);
        self.look_for_silent(cx);
    }

    /// Has those rest that are silent, whether anybody rings or not, until few are left. KEEPER-3.
    fn look_for_silent(&mut self, cx: &mut Cx<'_, Self>) {
        if self.looks_again {
            return;
        }
        if !Rings::are_many(self.live.len(), self.config.live_max) {
            self.live.shrink_to(self.config.live_max);
            self.rings.shrink_to(self.config.live_max);
            return;
        }
        self.looks_again = true;
        cx.after(LOOK_EVERY, |keeper, cx| {
            keeper.looks_again = false;
            keeper.let_some_rest(AT_A_LOOK, Instant::now());
            keeper.look_for_silent(cx);
            Ok(())
        });
    }

    fn start(&mut self, key: SessionKey, recovered: bool, now: Instant, cx: &Cx<'_, Self>) {
        let Some(peers) = self.peers_of(key.bot) else {
            warn!(
                event.action = "bot_missing",
                "a conversation waits for a bot that is not configured any more"
            );
            return;
        };
        let spec = Spec {
            listed: false,
            expects: Expectation::OnDemand { silence_max: Duration::from_secs(600) },
            ..Spec::new("session", "session", 4, SESSION_POLICY)
        };
        let (config, past) = (Arc::clone(&self.session), SessionActor::past(recovered));
        let incarnate = move || {
            let past: Rc<RefCell<session::Past>> = Rc::clone(&past);
            SessionActor::incarnate(key, Arc::clone(&config), Rc::clone(&peers), past)
        };
        let (mailbox, supervision) = supervise(spec, &self.health, incarnate);
        let probe = Arc::clone(mailbox.probe());
        self.live.insert(key, Live { mailbox, rang: now, was_asked: false });
        let keeper = cx.mailbox();
        // Not an async block: that would hold room for the actor twice, once to catch it and once to
        // wait for it.
        self.tasks.start(supervision.then(move |exit| async move {
            // lost-ok: the keeper ended.
            keeper.tell(Msg::Ended(key, probe, exit)).await.ok();
        }));
    }

    fn let_some_rest(&mut self, silent_max: usize, now: Instant) {
        let (live, live_max) = (&self.live, self.config.live_max);
        let rang = |key| live.get(&key).map(|it| it.rang);
        for key in self.rings.make_room(live.len(), live_max, silent_max, now, rang) {
            let Some(live) = self.live.get_mut(&key) else { continue };
            live.was_asked = true;
            // lost-ok: it is full of doorbells, and rests by itself.
            live.mailbox.try_tell(session::Msg::Rest).ok();
        }
    }

    fn is_of_now(&self, key: SessionKey, probe: &Arc<Probe>) -> bool {
        self.live.get(&key).is_some_and(|it| Arc::ptr_eq(it.mailbox.probe(), probe))
    }

    fn ended(&mut self, key: SessionKey, exit: Exit, cx: &mut Cx<'_, Self>) {
        self.live.remove(&key);
        match exit {
            Exit::Stopped => self.look_again(key, cx),
            Exit::GaveUp(fault) => {
                warn!(
                    error.message = %fault, event.action = "session_quarantined",
                    "a conversation failed too often and is left alone for a while"
                );
                let until = Instant::now() + self.config.quarantine_pause;
                self.quarantined.insert(key, until);
                if let Some(peers) = self.peers_of(key.bot) {
                    let text =
                        format!("A conversation failed too often and rests for a while: {fault}.");
                    let raise =
                        alerter::Msg::raise("session_quarantined", Severity::Critical, text);
                    // lost-ok: the log says it too.
                    peers.alerter.try_tell(raise).ok();
                }
                cx.after(self.config.quarantine_pause, move |keeper, cx| {
                    keeper.quarantined.remove(&key);
                    keeper.ring(key, true, cx);
                    Ok(())
                });
            }
        }
    }

    /// A doorbell may have rung while the session was leaving.
    fn look_again(&mut self, key: SessionKey, cx: &mut Cx<'_, Self>) {
        let Some(memory) = self.peers_of(key.bot).map(|it| it.memory.clone()) else { return };
        let mailbox = cx.mailbox();
        self.tasks.start(async move {
            let waiting = ask(&memory, |reply| memory::Msg::Waiting(key, 0, reply)).await;
            if !matches!(waiting, Ok(Ok(waiting)) if waiting.is_empty()) {
                // lost-ok: the keeper ended; the next one looks at all of them.
                mailbox.tell(Msg::Ring(vec![key])).await.ok();
            }
        });
    }
}

impl Actor for Keeper {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.recover(cx);
        self.tell_receipts(cx);
        Ok(())
    }

    fn handle(&mut self, msg: Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        fault_point("keeper");
        match msg {
            Msg::Ring(keys) => match &mut self.early {
                Some(early) => early.extend(keys),
                None => keys.into_iter().for_each(|key| self.ring(key, false, cx)),
            },
            Msg::Joined(bot) => self.joined(bot, cx),
            Msg::Forget(asked) => self.forget(asked, cx),
            // Left in the mailbox by an incarnation of ours that failed. KEEPER-1.
            Msg::Ended(key, probe, _) if !self.is_of_now(key, &probe) => (),
            Msg::Ended(key, ..) if self.stopping => {
                self.live.remove(&key);
                if self.live.is_empty() {
                    cx.stop();
                }
            }
            Msg::Ended(key, _, exit) => self.ended(key, exit, cx),
        }
        Ok(())
    }

    /// Sessions leave as soon as they are idle. What is still being answered when the time is up
    /// is answered after the next start.
    fn may_stop(&mut self, _: &mut Cx<'_, Self>) -> bool {
        self.stopping = true;
        for live in self.live.values() {
            // lost-ok: its mailbox is full of doorbells; it is dropped when the time is up.
            live.mailbox.try_tell(session::Msg::Rest).ok();
        }
        self.live.is_empty()
    }
}
