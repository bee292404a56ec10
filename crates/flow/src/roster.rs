//! Who is here and who may talk: agents, admins, the allowlist, blocks; and the rules admins gave.
//!
//! Receives  `Administer`, from sessions, `ChatMigrated`, from outboxes, `Forget`, from the keeper,
//!           and `ReadRules`, from the console.
//! Sends     one answer per question, once the change is durable.
//! Owns      the hall's stream in the ledger, and the pointer to the rules in force. Everyone else
//!           reads its [`View`].
//! On crash  nothing is lost: the state is folded from the ledger again.
//!
//! Invariants: ROSTER-1 a change is durable before it takes effect or is confirmed.
//! ROSTER-2 rights hang on numeric ids, never on names. ROSTER-3 nobody can deny or block an admin.
//! ROSTER-4 a change is in the audit log before it is made.

mod change;
mod played;
mod proposed;
mod rules;
mod view;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use arc_swap::ArcSwap;
use kit::{Actor, Cx, Fault, Mailbox, ask};
use protocol::{
    Agent, AgentName, BotId, ChatId, Clock, PersonId, Timestamp,
    audit::{AuditLog, Deed, Doer, Outcome},
    ledger::{Append, LedgerError, Loaded, Owned, Seq, Stream},
};
use screening::OwnRule;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tracing::{info, warn};

pub use self::{
    change::{AdministerError, Change},
    proposed::Erasure,
    rules::{OWN_RULES_MAX, OwnRules, RuleChange},
    view::{AGENTS_MAX, INSTRUCTIONS_CHARS_MAX, ROLES_MAX, Standing, View},
};
use crate::{
    alarm::Alarms,
    fault::fault_point,
    memory,
    playbook::Playbook,
    right::{Order, Role},
    rulebook::{InForce, Rulebook, Rules},
    tally::Tally,
    treasurer::caps::Budgets,
};

/// What the configuration says; the ledger's changes are laid over it.
#[derive(Clone, Debug, Default)]
pub struct Founding {
    /// Agents from `config/agents`.
    pub agents: Vec<Agent>,
    /// Who has a role by the configuration: nobody can take it from them in a chat.
    pub roles: BTreeMap<PersonId, Role>,
    /// People and groups that may talk.
    pub allowed: BTreeSet<i64>,
    /// Everybody may talk.
    pub open_to_all: bool,
    /// The agent that greets, per bot.
    pub default_agents: HashMap<BotId, AgentName>,
    /// The only agent that answers, per bot that is one agent's own.
    pub bound: HashMap<BotId, AgentName>,
    /// The agent that greets where no bot has its own.
    pub default_agent: Option<AgentName>,
    /// How much may be used of models.
    pub budgets: Budgets,
    /// What the hall does by itself about incidents.
    pub playbooks: Arc<[Playbook]>,
}

/// One entry of the hall's stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    change: Change,
    /// Who did it; `None` for Telegram itself.
    by: Option<PersonId>,
    at: Timestamp,
}

/// The longest reason that is told about a rule, in characters.
const REASON_CHARS_MAX: usize = 1_000;

/// The state of the hall for readers: one pointer, replaced whole at each change.
pub type Shared = Arc<ArcSwap<View>>;

/// The way back to who asked for a change.
pub type Reply = oneshot::Sender<Result<(), AdministerError>>;

/// What the roster can be told.
#[derive(Debug)]
pub enum Msg {
    /// An officer wants a change.
    Administer {
        /// What, with the proof that they may.
        order: Order,
        /// Answered once it is durable and in effect.
        reply: Reply,
    },
    /// Telegram says that a group has another id from now on.
    ChatMigrated {
        /// The old id.
        from: ChatId,
        /// The new id.
        to: ChatId,
    },
    /// An operator changed rule files.
    ReadRules {
        /// Answered once they are in force, or with what is wrong with them.
        reply: oneshot::Sender<Result<(), String>>,
    },
    /// A person is being forgotten: nothing that was proposed with their words stays.
    Forget {
        /// Who.
        person: PersonId,
        /// How far that is.
        erasure: Erasure,
        /// Answered once nothing of them is at hand or on its way to the ledger.
        heard: oneshot::Sender<()>,
    },
}

/// The rules in a hall's stream, for whoever reads the ledger of a hall that does not run.
///
/// # Errors
/// If the stream is not one.
pub fn own_rules_in(stream: &[Owned]) -> Result<OwnRules, serde_json::Error> {
    // What playbooks proposed and officers took on is among them.
    Ok(view_of(&Founding::default(), stream)?.own_rules)
}

/// The marks in the hall's stream.
///
/// # Errors
/// If the stream is not one.
pub fn alarms_in(stream: &[Owned]) -> Result<Alarms, serde_json::Error> {
    let mut alarms = Alarms::default();
    for events in stream.iter().filter(|it| it.owners.is_empty()) {
        if let Change::Alarmed(change) = serde_json::from_slice::<Entry>(&events.bytes)?.change {
            alarms.apply(change);
        }
    }
    Ok(alarms)
}

/// The state that a hall's stream leads to, likewise.
///
/// # Errors
/// If the stream is not one.
pub fn view_of(founding: &Founding, stream: &[Owned]) -> Result<View, serde_json::Error> {
    view_with_models(founding, Arc::from([]), stream)
}

/// The same, where it is known which models there are.
///
/// # Errors
/// If the stream is not one.
pub fn view_with_models(
    founding: &Founding,
    models: Arc<[String]>,
    stream: &[Owned],
) -> Result<View, serde_json::Error> {
    let mut view = View::founded(founding, models);
    for events in stream {
        view.take_in(events)?;
    }
    Ok(view)
}

/// A state after some changes, for tests of those who read it.
#[cfg(test)]
pub(crate) fn view_with(founding: &Founding, changes: Vec<Change>) -> View {
    let mut view = View::founded(founding, Arc::from([]));
    changes.into_iter().for_each(|it| view.apply(it));
    view
}

/// Makes a change as the roster does, without storing it.
#[cfg(test)]
pub(crate) fn try_order(view: &mut View, order: &Order) -> Result<(), AdministerError> {
    if !order.still_holds(view) {
        return Err(AdministerError::NotAllowed);
    }
    view.check(order.change())?;
    view.apply(order.change().clone());
    Ok(())
}

/// An entry of the hall's stream, for whoever writes it while no hall runs.
#[must_use]
pub fn entry(change: Change, by: PersonId, at: Timestamp) -> Vec<u8> {
    let entry = Entry { change, by: Some(by), at };
    serde_json::to_vec(&entry).expect("a change has only words and numbers")
}

// === The shell: carries out effects. No decisions here. ===

/// A supervised roster.
pub struct Roster {
    memory: Mailbox<memory::Msg>,
    audit: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    founding: Arc<Founding>,
    models: Arc<[String]>,
    shared: Shared,
    rules: Rules,
    rulebook: Arc<dyn Rulebook>,
    tally: Tally,
    ready: Arc<tokio::sync::Notify>,
    at: Seq,
    /// What waits for the change being written.
    waiting: VecDeque<Job>,
    writing: bool,
}

/// Something to do, one after the other.
enum Job {
    Change(Box<Wanted>),
    ReadRules(oneshot::Sender<Result<(), String>>),
    Forget(PersonId, Erasure, oneshot::Sender<()>),
}

/// A change on its way.
struct Wanted {
    entry: Entry,
    actor: Doer,
    /// The proof that it may be made; `None` for Telegram itself.
    order: Option<Order>,
    reply: Option<Reply>,
}

impl Wanted {
    /// What the audit log is to have of it, the change itself first.
    fn deeds(&self, view: &View) -> Vec<Deed> {
        view.deeds(&self.entry.change, self.entry.at, self.actor)
    }
}

impl std::fmt::Debug for Roster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roster").field("at", &self.at).finish_non_exhaustive()
    }
}

/// What a roster needs from others.
#[derive(Clone)]
pub struct Needs {
    /// Where the hall's stream is.
    pub memory: Mailbox<memory::Msg>,
    /// Where each change is noted.
    pub audit: Arc<dyn AuditLog>,
    /// For the time of each change.
    pub clock: Arc<dyn Clock>,
    /// What the configuration says.
    pub founding: Arc<Founding>,
    /// Models that agents may ask.
    pub models: Arc<[String]>,
    /// Where everyone reads the state.
    pub shared: Shared,
    /// The rules in force, which the guard reads.
    pub rules: Rules,
    /// Makes other rules.
    pub rulebook: Arc<dyn Rulebook>,
    /// Counts steps of playbooks.
    pub tally: Tally,
    /// Notified once the state was folded from the ledger.
    pub ready: Arc<tokio::sync::Notify>,
}

impl Roster {
    /// The factory given to the supervisor: `started` folds the hall's stream.
    #[must_use]
    pub fn incarnate(needs: Needs) -> Self {
        let Needs { memory, audit, clock, founding, models, shared, rules, rulebook, tally, ready } =
            needs;
        let (at, waiting) = (Seq::default(), VecDeque::new());
        Self {
            memory,
            audit,
            clock,
            founding,
            models,
            shared,
            rules,
            rulebook,
            tally,
            ready,
            at,
            waiting,
            // Nothing is changed before the stream is folded.
            writing: true,
        }
    }

    fn fold(&mut self, loaded: &Loaded, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        let mut view = View::founded(&self.founding, Arc::clone(&self.models));
        for events in &loaded.events {
            view.take_in(events)
                .map_err(|error| Fault::new("the hall's stream cannot be read", error))?;
        }
        view.barred.clone_from(&self.shared.load().barred);
        self.at = loaded.at;
        let own = view.own_rules.all();
        if own == self.rules.load().own {
            view.own_rules.leave_out(self.rules.load().left_out.clone());
            return self.settle(view, cx);
        }
        self.make(own, cx, |roster, made, cx| {
            let made = made.map_err(|why| Fault::new("the rules cannot be made", why))?;
            for name in made.left_out.keys() {
                // Not why: that may hold the pattern, which was written in a chat. `/rule` tells it.
                warn!(
                    labels.rule = name,
                    event.action = "rule_left_out",
                    "a rule that an admin gave cannot be used"
                );
            }
            view.own_rules.leave_out(made.left_out.clone());
            roster.rules.store(Arc::new(made));
            roster.settle(view, cx)
        });
        Ok(())
    }

    /// The stream is folded: changes may come.
    fn settle(&mut self, view: View, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.shared.store(Arc::new(view));
        self.ready.notify_waiters();
        self.ready.notify_one();
        self.writing = false;
        self.write_next(cx)
    }

    /// Makes rules on a thread where that holds up nobody.
    fn make(
        &self,
        own: Vec<OwnRule>,
        cx: &mut Cx<'_, Self>,
        then: impl FnOnce(&mut Self, Result<InForce, BadRules>, &mut Cx<'_, Self>) -> Result<(), Fault>
        + 'static,
    ) {
        let book = Arc::clone(&self.rulebook);
        let work = tokio::task::spawn_blocking(move || book.make(own));
        cx.when(work, |roster, made, cx| then(roster, in_words(made), cx));
    }

    fn write_next(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        if self.writing {
            return Ok(());
        }
        let wanted = loop {
            match self.waiting.pop_front() {
                None => return Ok(()),
                Some(Job::ReadRules(reply)) => {
                    self.read_rules(reply, cx);
                    return Ok(());
                }
                Some(Job::Forget(person, erasure, heard)) => self.forget(person, erasure, heard),
                Some(Job::Change(wanted)) => break *wanted,
            }
        };
        let view = self.shared.load();
        if wanted.order.as_ref().is_some_and(|it| !it.still_holds(&view)) {
            self.refuse(wanted, AdministerError::NotAllowed, Outcome::Denied, cx);
            return Ok(());
        }
        if let Err(why) = view.check(&wanted.entry.change) {
            self.refuse(wanted, why, Outcome::Failed, cx);
            return Ok(());
        }
        let Some(change) = view.ruling(&wanted.entry.change) else {
            return self.write(wanted, None, cx);
        };
        let (own, name) = (view.own_rules.after(&change), change.name().to_owned());
        let is_removal = matches!(change, RuleChange::Removed { .. });
        self.writing = true;
        self.make(own, cx, move |roster, made, cx| {
            roster.writing = false;
            let why = match made {
                Ok(made) => match made.left_out.get(&name) {
                    Some(why) if !is_removal => why.clone(),
                    Some(_) | None => return roster.write(wanted, Some(made), cx),
                },
                Err(BadRules(why)) => why,
            };
            // It may hold the whole pattern, and must fit one message.
            let why = AdministerError::BadRule(why.chars().take(REASON_CHARS_MAX).collect());
            roster.refuse(wanted, why, Outcome::Failed, cx);
            Ok(())
        });
        Ok(())
    }

    /// Says why a change is not made, once the audit log has it that it was wanted.
    fn refuse(
        &mut self,
        wanted: Wanted,
        why: AdministerError,
        outcome: Outcome,
        cx: &mut Cx<'_, Self>,
    ) {
        let deed = wanted.deeds(&self.shared.load()).into_iter().next();
        let audit = Arc::clone(&self.audit);
        self.writing = true;
        let work = async move {
            match deed {
                Some(deed) => audit.record(deed.with(outcome)).await,
                None => Ok(()),
            }
        };
        cx.when(work, move |roster, _recorded, cx| {
            // lost-ok: nothing was changed, and the log says that the record is missing.
            answer(wanted.reply, Err(why));
            roster.writing = false;
            roster.write_next(cx)
        });
    }

    fn read_rules(&mut self, reply: oneshot::Sender<Result<(), String>>, cx: &mut Cx<'_, Self>) {
        let (book, own) = (Arc::clone(&self.rulebook), self.shared.load().own_rules.all());
        self.writing = true;
        let work = tokio::task::spawn_blocking(move || book.read_anew(own));
        cx.when(work, |roster, made, cx| {
            let read = in_words(made).map(|made| {
                let mut view = View::clone(&roster.shared.load());
                view.own_rules.leave_out(made.left_out.clone());
                roster.rules.store(Arc::new(made));
                roster.shared.store(Arc::new(view));
                info!(event.action = "rules_read", "the guard's rules were read anew");
            });
            // lost-ok: whoever asked has gone; the rules are in force all the same.
            reply.send(read.map_err(|BadRules(why)| why)).ok();
            roster.writing = false;
            roster.write_next(cx)
        });
    }

    /// Makes a change durable, and lets it take effect then. `made` is what it makes of the rules.
    fn write(
        &mut self,
        mut wanted: Wanted,
        made: Option<InForce>,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        let view = self.shared.load();
        wanted.entry.change = view.as_stored(wanted.entry.change);
        let events = view
            .pieces(&wanted.entry)
            .map_err(|error| Fault::new("a change cannot be written as JSON", error))?;
        self.writing = true;
        let append = Append { stream: Stream::Hall, expected: self.at, events, closes: Vec::new() };
        let (memory, audit) = (self.memory.clone(), Arc::clone(&self.audit));
        let deeds = wanted.deeds(&view);
        let work = async move {
            // ROSTER-4: if this fails, nothing is changed.
            for deed in &deeds {
                let recorded = audit.record(deed.clone()).await;
                recorded.map_err(|error| LedgerError::Unavailable(error.into()))?;
            }
            let written = ask(&memory, |reply| memory::Msg::Append(append, reply)).await;
            let gone = |_| Err(LedgerError::Unavailable("the memory restarted".into()));
            let written = written.unwrap_or_else(gone);
            if written.is_err() {
                deeds.into_iter().for_each(|it| audit.note(it.with(Outcome::Failed)));
            }
            written
        };
        cx.when(work, move |roster, written, cx| {
            fault_point("roster");
            let Wanted { entry, reply, .. } = wanted;
            match written {
                Ok(at) => roster.take_effect(at, entry, reply, made),
                Err(LedgerError::Conflict { .. }) => {
                    answer(reply, Err(AdministerError::NotStored));
                    return Err(Fault::plain("someone else wrote to the hall's stream"));
                }
                Err(LedgerError::Unavailable(_) | LedgerError::Damaged { .. }) => {
                    answer(reply, Err(AdministerError::NotStored));
                }
            }
            roster.writing = false;
            roster.write_next(cx)
        });
        Ok(())
    }

    /// ROSTER-1: called only once the change is durable.
    fn take_effect(&mut self, at: Seq, entry: Entry, reply: Option<Reply>, made: Option<InForce>) {
        self.at = at;
        let before = self.shared.load_full();
        let mut view = View::clone(&before);
        info!(event.action = "hall_changed", labels.seq = at.0, "the hall was changed");
        view.apply(entry.change);
        view.runs.steps_since(&before.runs).iter().for_each(|it| self.tally.stepped(it));
        if let Some(made) = made {
            view.own_rules.leave_out(made.left_out.clone());
            self.rules.store(Arc::new(made));
        }
        self.shared.store(Arc::new(view));
        answer(reply, Ok(()));
    }
}

/// Why rules could not be made, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BadRules(String);

fn in_words(
    made: Result<Result<InForce, String>, tokio::task::JoinError>,
) -> Result<InForce, BadRules> {
    match made {
        Ok(made) => made.map_err(BadRules),
        Err(error) => Err(BadRules(format!("making the rules failed: {error}"))),
    }
}

fn answer(reply: Option<Reply>, result: Result<(), AdministerError>) {
    if let Some(reply) = reply {
        // lost-ok: the asking session restarted; it finds the change in effect.
        reply.send(result).ok();
    }
}

impl Actor for Roster {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        let memory = self.memory.clone();
        let work =
            async move { ask(&memory, |reply| memory::Msg::Load(Stream::Hall, reply)).await };
        cx.when(work, |roster, loaded, cx| {
            let loaded = loaded.map_err(|error| Fault::new("the memory is away", error))?;
            let loaded =
                loaded.map_err(|error| Fault::new("the hall's stream cannot be loaded", error))?;
            roster.fold(&loaded, cx)
        });
        Ok(())
    }

    fn handle(&mut self, msg: Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        fault_point("roster");
        let at = self.clock.now();
        match msg {
            Msg::Administer { order, reply } => {
                let entry = Entry { change: order.change().clone(), by: order.author(), at };
                let (actor, reply) = (order.actor(), Some(reply));
                let wanted = Wanted { entry, actor, order: Some(order), reply };
                self.waiting.push_back(Job::Change(Box::new(wanted)));
            }
            Msg::ChatMigrated { from, to } => {
                if self.shared.load().destination(from) == to {
                    return Ok(());
                }
                let entry = Entry { change: Change::Migrated { from, to }, by: None, at };
                let wanted = Wanted { entry, actor: Doer::Hall, order: None, reply: None };
                self.waiting.push_back(Job::Change(Box::new(wanted)));
            }
            Msg::ReadRules { reply } => self.waiting.push_back(Job::ReadRules(reply)),
            Msg::Forget { person, erasure, heard } => {
                self.waiting.push_back(Job::Forget(person, erasure, heard));
            }
        }
        self.write_next(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> AgentName {
        text.parse().unwrap()
    }

    fn view() -> View {
        let founding = Founding {
            roles: [(PersonId(1), Role::Admin)].into(),
            allowed: [2, -100].into(),
            ..Founding::default()
        };
        View::founded(&founding, ["big".to_owned()].into())
    }

    const NOW: Timestamp = Timestamp(1_000);

    #[test]
    fn access_is_closed_by_default_and_hangs_on_numeric_ids() {
        let view = view();
        let standing = |person, chat| view.standing(Some(PersonId(person)), ChatId(chat), NOW);
        assert_eq!(standing(1, 1), Standing::Admin);
        assert_eq!(standing(2, 2), Standing::Guest);
        assert_eq!(standing(3, 3), Standing::Stranger);
        assert_eq!(standing(3, -100), Standing::Guest, "everyone in an allowed group");
        assert_eq!(view.standing(None, ChatId(-200), NOW), Standing::Stranger);
    }

    #[test]
    fn a_block_ends_by_itself_and_beats_the_allowlist() {
        let mut view = view();
        view.apply(Change::Blocked { id: 2, until: Some(Timestamp(2_000)) });
        let standing = |now| view.standing(Some(PersonId(2)), ChatId(-100), Timestamp(now));
        assert_eq!(standing(1_999), Standing::Blocked);
        assert_eq!(standing(2_000), Standing::Guest);
    }

    #[test]
    fn roster_3_an_admin_can_be_neither_denied_nor_blocked() {
        let view = view();
        for change in [Change::Denied { id: 1 }, Change::Blocked { id: 1, until: None }] {
            assert_eq!(view.check(&change), Err(AdministerError::IsAdmin));
        }
    }

    #[test]
    fn agents_are_spawned_once_edited_and_retired() {
        let mut view = view();
        let spawn =
            Change::Spawned { name: name("sage"), instructions: "Be wise. Always.".to_owned() };
        assert_eq!(view.check(&spawn), Ok(()));
        view.apply(spawn.clone());
        assert_eq!(view.agent(&name("sage")).unwrap().description, "Be wise");
        assert_eq!(view.check(&spawn), Err(AdministerError::Taken(name("sage"))));
        let model = |model: &str| Change::ModelSet { name: name("sage"), model: model.to_owned() };
        assert!(view.check(&model("small")).is_err(), "unknown model");
        view.apply(model("big"));
        assert_eq!(view.agent(&name("sage")).unwrap().models, ["big"]);
        view.apply(Change::Retired { name: name("sage") });
        assert!(view.check(&Change::Paused { name: name("sage") }).is_err());
        assert!(view.greeter(BotId(1)).is_none());
    }

    #[test]
    fn a_migrated_group_keeps_its_conversations_and_its_rights() {
        let mut view = view();
        view.apply(Change::Migrated { from: ChatId(-100), to: ChatId(-1_000) });
        view.apply(Change::Migrated { from: ChatId(-1_000), to: ChatId(-2_000) });
        assert_eq!(view.home(ChatId(-2_000)), ChatId(-100));
        assert_eq!(view.destination(ChatId(-100)), ChatId(-2_000));
        assert_eq!(view.standing(Some(PersonId(9)), ChatId(-2_000), NOW), Standing::Guest);
    }

    #[test]
    fn a_stored_change_reads_back_as_it_was() {
        let entry = Entry {
            change: Change::Blocked { id: 5, until: None },
            by: Some(PersonId(1)),
            at: NOW,
        };
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(text, r#"{"change":"blocked","id":5,"until":null,"by":1,"at":1000}"#);
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
    }
}
