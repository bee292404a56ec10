//! What the shell does for officers, and against those who are none: everything of it is in the audit
//! log before it is answered.

use std::{rc::Rc, sync::Arc};

use kit::{Cx, ask};
use protocol::{
    PersonId, UpdateId,
    audit::{Action, AuditLog as _, Deed, Doer, Outcome, Target},
    ledger::LedgerError,
};
use tracing::{info, warn};

use super::{Input, SessionActor, compose, desk, reference_of};
use crate::{
    alarm::{Alarm, AlarmChange, Pointer, Refusal},
    alerter,
    request::Look,
    right::{Governing, Granted, Operating, Order},
    roster::{self, AdministerError},
    words::{self, text},
};

/// Records on one page of `/audit`.
const PAGE: usize = 12;

impl SessionActor {
    fn deed(&self, actor: Doer, action: Action, target: Target) -> Deed {
        Deed::done(self.peers.clock.now(), actor, action, target)
    }

    pub(super) fn log_denied(&self, command: &'static str, person: Option<PersonId>) {
        self.log_attempt(command, person.map_or(Doer::Nobody, Doer::Person));
    }

    /// An officer's command was tried without the right to it.
    pub(super) fn log_attempt(&self, command: &'static str, actor: Doer) {
        log_attempt(&self.peers.pseudonym, command, actor);
        let target = Target::Thing(command.to_owned());
        let deed = self.deed(actor, Action::CommandDenied, target);
        self.peers.audit.note(deed.with(Outcome::Denied));
    }

    pub(super) fn log_press_denied(&self, person: PersonId) {
        let actor = Doer::Person(person);
        log_attempt(&self.peers.pseudonym, "button", actor);
        let deed = self.deed(actor, Action::PressDenied, Target::Thing("button".to_owned()));
        self.peers.audit.note(deed.with(Outcome::Denied));
    }

    pub(super) fn administer(&self, update: UpdateId, order: Order, cx: &mut Cx<'_, Self>) {
        let roster = self.peers.roster.clone();
        let work =
            async move { ask(&roster, |reply| roster::Msg::Administer { order, reply }).await };
        cx.when(work, move |actor, done, cx| {
            let done = done.unwrap_or(Err(AdministerError::NotStored));
            actor.input(Input::Administered(update, done), cx)
        });
    }

    /// An admin looks at a text that was stopped, in their private chat.
    pub(super) fn find_held_back(
        &self,
        update: UpdateId,
        at: Pointer,
        by: Granted<Governing>,
        cx: &mut Cx<'_, Self>,
    ) {
        let reference = reference_of(at.key, at.update);
        info!(
            labels.person = (self.peers.pseudonym)(by.by()),
            labels.reference = %reference,
            event.action = "held_back_shown",
            "an admin looks at a text that the guard stopped"
        );
        let target = Target::Person(at.key.chat.0);
        let deed = self.deed(Doer::Person(by.by()), Action::TextShown, target);
        let deed = deed.about(reference.to_string());
        let (audit, found) = (Arc::clone(&self.peers.audit), (self.peers.finder)(at));
        let work = async move {
            let recorded = audit.record(deed).await;
            recorded.map_err(|error| LedgerError::Unavailable(error.into()))?;
            found.await
        };
        cx.when(work, move |actor, found, cx| {
            let found = found.map(|it| it.map(Box::new));
            actor.input(Input::HeldBackFound(update, found), cx)
        });
    }

    /// Looks for the text, and has the roster mark it: the roster makes one mark of two presses.
    pub(super) fn mark_alarm(
        &self,
        update: UpdateId,
        at: Pointer,
        by: Granted<Governing>,
        cx: &mut Cx<'_, Self>,
    ) {
        let (found, digest) = ((self.peers.finder)(at), Arc::clone(&self.peers.digest));
        let (roster, tally) = (self.peers.roster.clone(), self.peers.tally.clone());
        let hall = Arc::clone(&self.peers.hall);
        let work = async move {
            let found = found.await.map_err(|_unreadable| AdministerError::NotStored)?;
            let alarm = Alarm::of(at, found.ok_or(AdministerError::NothingHeldBack)?, &*digest);
            let way = if alarm.of_answer { "out" } else { "in" };
            let change = roster::Change::Alarmed(AlarmChange::Marked { alarm });
            let order = hall.load().order(by.by(), change).ok_or(AdministerError::NotAllowed)?;
            let asked = ask(&roster, |reply| roster::Msg::Administer { order, reply }).await;
            asked.unwrap_or(Err(AdministerError::NotStored))?;
            tally.false_alarm(way);
            Ok(())
        };
        cx.when(work, move |actor, done, cx| actor.input(Input::Administered(update, done), cx));
    }

    /// Tries a rule on what people wrote.
    pub(super) fn try_rule(
        &self,
        update: UpdateId,
        (name, days): (String, u32),
        by: Granted<Governing>,
        cx: &mut Cx<'_, Self>,
    ) {
        let target = Target::Thing(name.clone());
        let deed = self.deed(Doer::Person(by.by()), Action::RulesTried, target);
        let deed = deed.about(format!("{days} days"));
        let (audit, trier) = (Arc::clone(&self.peers.audit), self.peers.trier.clone());
        let work = async move {
            match audit.record(deed).await {
                Ok(()) => trier(name, days).await,
                Err(error) => text!("not-tried", why = words::officers::not_noted(error)),
            }
        };
        compose(update, Box::pin(work), cx);
    }

    /// Gives the alerter an order, which is noted before.
    pub(super) fn ask_alerter(
        &self,
        update: UpdateId,
        order: alerter::Order,
        by: Granted<Operating>,
        cx: &mut Cx<'_, Self>,
    ) {
        let deed = order.deed(self.peers.clock.now(), Doer::Person(by.by()));
        let (audit, alerter) = (Arc::clone(&self.peers.audit), self.peers.alerter.clone());
        let work = async move {
            match audit.record(deed).await {
                Ok(()) => alerter::in_words(alerter, order).await,
                Err(error) => {
                    text!("timetable-not-noted", why = words::officers::not_noted(error))
                }
            }
        };
        compose(update, Box::pin(work), cx);
    }

    /// The guard refused a text: that is noted, and not what it said; and the admins are told.
    pub(super) fn tell_refusal(&self, refusal: Refusal) {
        let at = &refusal.at;
        let writer = self.authors.get(&at.update).copied();
        let actor = Doer::Person(at.key.owner(writer));
        let target = Target::Thing(refusal.agent.as_str().to_owned());
        let action = if is_leak(&refusal) { Action::LeakStopped } else { Action::GuardRefused };
        let deed = self.deed(actor, action, target).with(Outcome::Denied);
        let what = if refusal.of_answer { "an answer" } else { "a question" };
        let reference = reference_of(at.key, at.update);
        self.peers.audit.note(deed.about(format!("{what}, ref {reference}")));
        // lost-ok: the log and the metric say it too.
        self.peers.alerter.try_tell(alerter::Msg::Refused(refusal)).ok();
    }

    /// An officer looks at what happened, or sees to it: both are noted first.
    pub(super) fn look(&self, update: UpdateId, look: Look, cx: &mut Cx<'_, Self>) {
        let (incidents, now) = (Arc::clone(&self.peers.incidents), self.peers.clock.now());
        let (hall, pseudonym) = (Arc::clone(&self.peers.hall), Arc::clone(&self.peers.pseudonym));
        let read = move |by: PersonId, what: &str| {
            let target = Target::Thing(what.to_owned());
            Deed::done(now, Doer::Person(by), Action::AuditRead, target)
        };
        let (peers, to) = (Rc::clone(&self.peers), self.address());
        let work = async move {
            match look {
                Look::Audit { before, by } => {
                    let page = incidents.newest(before, PAGE);
                    let read = incidents.record(read(by.by(), "audit")).await;
                    words::officers::audit(read.map(|()| page))
                }
                Look::Incidents { by } => {
                    let read = incidents.record(read(by.by(), "incidents")).await;
                    words::officers::incidents(read.map(|()| incidents.all()))
                }
                Look::Playbooks { by } => {
                    let read = incidents.record(read(by.by(), "playbooks")).await;
                    let list = || words::playbooks::list(&hall.load(), &*pseudonym);
                    read.map_or_else(words::officers::not_shown, |()| list())
                }
                Look::Errand(errand) => desk::run(peers, to, errand).await,
                Look::Handle { number, handling, by } => {
                    let by = (Doer::Person(by.by()), now);
                    let done = incidents.handle(number, handling, by).await;
                    words::officers::handled(number, handling, done)
                }
            }
        };
        cx.when(work, move |actor, notice, cx| actor.input(Input::Looked(update, notice), cx));
    }
}

/// True if an answer was held back that gave away a secret, instructions or somebody's data: not
/// words that only ask for it.
fn is_leak(refusal: &Refusal) -> bool {
    let gives_away = |kind: &String| {
        let kinds = ["prompt_leak", "data_exfiltration"];
        kinds.contains(&kind.as_str()) || kind.starts_with("secret") || kind.starts_with("pii.")
    };
    refusal.of_answer && refusal.judged.kinds.iter().any(gives_away)
}

/// The line in the log, by which an attempt is found.
pub(crate) fn log_attempt(
    pseudonym: &Arc<dyn Fn(PersonId) -> String + Send + Sync>,
    command: &'static str,
    actor: Doer,
) {
    let by = match actor {
        Doer::Person(person) => pseudonym(person),
        Doer::Nobody | Doer::Console | Doer::Operator | Doer::Hall => String::new(),
    };
    warn!(
        labels.command = command,
        labels.person = by,
        event.outcome = "failure",
        event.action = "admin_command_denied",
        "an officer's command was denied"
    );
}
