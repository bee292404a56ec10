//! Who is here and who may talk: agents, admins, the allowlist, blocks; and the rules admins gave.
//!
//! Receives  `Administer`, from sessions, `ChatMigrated`, from outboxes, and `ReadRules`, from the
//!           console.
//! Sends     one answer per question, once the change is durable.
//! Owns      the hall's stream in the ledger, and the pointer to the rules in force. Everyone else
//!           reads its [`View`].
//! On crash  nothing is lost: the state is folded from the ledger again.
//!
//! Invariants: ROSTER-1 a change is durable before it takes effect or is confirmed.
//! ROSTER-2 rights hang on numeric ids, never on names. ROSTER-3 nobody can deny or block an admin.
//! ROSTER-4 a change is in the audit log before it is made.

mod rules;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use arc_swap::ArcSwap;
use kit::{Actor, Cx, Fault, Mailbox, ask};
use protocol::{
    Agent, AgentName, BotId, ChatId, Clock, PersonId, RefId, Timestamp,
    audit::{Action, AuditLog, Deed, Doer, Outcome, Target},
    ledger::{Append, LedgerError, Loaded, Owned, Seq, Stream},
};
use screening::OwnRule;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tracing::{info, warn};

pub use self::rules::{OWN_RULES_MAX, OwnRules, RuleChange};
use crate::{
    alarm::{AlarmChange, Alarms},
    fault::fault_point,
    memory,
    right::{Order, Role},
    rulebook::{InForce, Rulebook, Rules},
    treasurer::caps::{Budgets, Caps, QUOTAS_MAX, Quota, Whose},
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
    /// The agent that greets where no bot has its own.
    pub default_agent: Option<AgentName>,
    /// How much may be used of models.
    pub budgets: Budgets,
}

/// What an admin can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Bring in an agent.
    Spawned {
        /// Its name.
        name: AgentName,
        /// Its system prompt.
        instructions: String,
    },
    /// Give an agent other instructions.
    Edited {
        /// Which.
        name: AgentName,
        /// Its system prompt from now on.
        instructions: String,
    },
    /// Let an agent ask another model first.
    ModelSet {
        /// Which.
        name: AgentName,
        /// The model's name.
        model: String,
    },
    /// Let an agent rest.
    Paused {
        /// Which.
        name: AgentName,
    },
    /// Wake it.
    Resumed {
        /// Which.
        name: AgentName,
    },
    /// Let it go.
    Retired {
        /// Which.
        name: AgentName,
    },
    /// A person or group may talk.
    Allowed {
        /// Who.
        id: i64,
    },
    /// And no longer.
    Denied {
        /// Who.
        id: i64,
    },
    /// A person is ignored.
    Blocked {
        /// Who.
        id: i64,
        /// Until when; `None` for good.
        until: Option<Timestamp>,
    },
    /// And no longer.
    Unblocked {
        /// Who.
        id: i64,
    },
    /// A group became a supergroup: conversations of `from` go on in `to`.
    Migrated {
        /// The old id.
        from: ChatId,
        /// The new id.
        to: ChatId,
    },
    /// Somebody has a role.
    RoleGiven {
        /// Who.
        id: i64,
        /// Which.
        role: Role,
    },
    /// And no longer.
    RoleTaken {
        /// Who.
        id: i64,
    },
    /// A rule of the guard is another, or there no more.
    Ruled(RuleChange),
    /// A refusal is marked as a false alarm, or no more.
    Alarmed(AlarmChange),
    /// Somebody may use so much of models.
    QuotaSet {
        /// Who, and how much.
        quota: Quota,
    },
}

impl Change {
    /// The least role that may make it.
    #[must_use]
    pub fn needs(&self) -> Role {
        match self {
            Self::Paused { .. } | Self::Resumed { .. } => Role::Operator,
            Self::RoleGiven { .. } | Self::RoleTaken { .. } => Role::Owner,
            Self::Spawned { .. }
            | Self::Edited { .. }
            | Self::ModelSet { .. }
            | Self::Retired { .. }
            | Self::Allowed { .. }
            | Self::Denied { .. }
            | Self::Blocked { .. }
            | Self::Unblocked { .. }
            | Self::Migrated { .. }
            | Self::Ruled(_)
            | Self::QuotaSet { .. }
            | Self::Alarmed(_) => Role::Admin,
        }
    }

    /// As the audit log has it.
    #[must_use]
    pub fn deed(&self, at: Timestamp, actor: Doer) -> Deed {
        let agent = |name: &AgentName| Target::Thing(name.as_str().to_owned());
        let (action, target) = match self {
            Self::Spawned { name, .. } => (Action::AgentSpawned, agent(name)),
            Self::Edited { name, .. } => (Action::AgentEdited, agent(name)),
            Self::ModelSet { name, .. } => (Action::AgentModelSet, agent(name)),
            Self::Paused { name } => (Action::AgentPaused, agent(name)),
            Self::Resumed { name } => (Action::AgentResumed, agent(name)),
            Self::Retired { name } => (Action::AgentRetired, agent(name)),
            Self::Allowed { id } => (Action::AccessAllowed, Target::Person(*id)),
            Self::Denied { id } => (Action::AccessDenied, Target::Person(*id)),
            Self::Blocked { id, .. } => (Action::AccessBlocked, Target::Person(*id)),
            Self::Unblocked { id } => (Action::AccessUnblocked, Target::Person(*id)),
            Self::Migrated { to, .. } => (Action::ChatMigrated, Target::Person(to.0)),
            Self::RoleGiven { id, .. } => (Action::RoleGiven, Target::Person(*id)),
            Self::RoleTaken { id } => (Action::RoleTaken, Target::Person(*id)),
            Self::Ruled(it) => (Action::RuleChanged, Target::Thing(it.name().to_owned())),
            Self::QuotaSet { quota } => (Action::QuotaSet, quota_target(&quota.whose)),
            Self::Alarmed(it) => (Action::AlarmMarked, Target::Thing(it.reference().to_string())),
        };
        let deed = Deed::done(at, actor, action, target);
        match self {
            Self::ModelSet { model, .. } => deed.about(model.as_str()),
            Self::Blocked { until: Some(until), .. } => deed.about(format!("until {}", until.0)),
            Self::RoleGiven { role, .. } => deed.about(role.word()),
            Self::Ruled(it) => deed.about(it.word()),
            Self::Alarmed(it) => deed.about(it.word()),
            Self::Spawned { .. }
            | Self::Edited { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::Retired { .. }
            | Self::Allowed { .. }
            | Self::Denied { .. }
            | Self::Blocked { until: None, .. }
            | Self::Unblocked { .. }
            | Self::Migrated { .. }
            | Self::QuotaSet { .. }
            | Self::RoleTaken { .. } => deed,
        }
    }
}

fn quota_target(whose: &Whose) -> Target {
    match whose {
        Whose::Person(id) => Target::Person(id.0),
        Whose::Chat(id) => Target::Person(*id),
        Whose::Agent(name) => Target::Thing(name.as_str().to_owned()),
        Whose::Hall => Target::Nothing,
    }
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

/// Why a change was not made, in words for the admin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdministerError {
    /// The name is taken.
    #[error("There is already an agent called {0}. /edit changes its instructions.")]
    Taken(AgentName),
    /// The name is not known.
    #[error("There is no agent called {0}. /agents shows who is here.")]
    NoSuchAgent(AgentName),
    /// The model is not known.
    #[error("There is no model called {name}. Known models: {known}.")]
    NoSuchModel {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Too many agents.
    #[error("There are {0} agents already: that is the most. /retire one first.")]
    TooMany(usize),
    /// The instructions are too long or empty.
    #[error("Instructions must have 1 to {0} characters.")]
    BadInstructions(usize),
    /// Admins come from the configuration alone.
    #[error(
        "That is an admin. Admins are named in the configuration, and cannot be denied or blocked here."
    )]
    IsAdmin,
    /// Whoever wants it may not.
    #[error("You may not do that any more.")]
    NotAllowed,
    /// Their role comes from the configuration.
    #[error("That role is named in the configuration, and cannot be changed here.")]
    RoleIsFixed,
    /// They have none.
    #[error("That person has no role. /role lists who has one.")]
    NoRole,
    /// Groups have none.
    #[error("Only a person can have a role: their id is a positive number.")]
    NoPerson,
    /// Too many roles.
    #[error("{0} people have a role already: that is the most. /role take takes one away.")]
    TooManyRoles(usize),
    /// The rule's name is taken.
    #[error("There is already a rule called {0}. /rule remove {0} takes it away.")]
    RuleTaken(String),
    /// The rule is not known.
    #[error("No admin gave a rule called {0}. /rule lists those there are.")]
    NoSuchRule(String),
    /// Too many rules.
    #[error("There are {0} rules already: that is the most. /rule remove one first.")]
    TooManyRules(usize),
    /// The rule cannot be used.
    #[error("That rule cannot be used, so nothing was changed: {0}")]
    BadRule(String),
    /// It is marked already.
    #[error("{0} is marked as a false alarm already.")]
    AlarmKnown(RefId),
    /// It is not marked.
    #[error("{0} is not marked. /rule alarms lists the marks.")]
    NoSuchAlarm(RefId),
    /// Too many marks.
    #[error("There are {0} marks already: that is the most. /rule unmark takes one away.")]
    TooManyAlarms(usize),
    /// Too many quotas.
    #[error("Quotas are set for {0} already: that is the most. Set one back with `usual` first.")]
    TooManyQuotas(usize),
    /// There is nothing to mark.
    #[error("That text is not there any more, so nothing was marked.")]
    NothingHeldBack,
    /// The ledger failed.
    #[error("The change could not be stored, so nothing was changed. Please try again.")]
    NotStored,
}

/// The most agents at a time.
pub const AGENTS_MAX: usize = 200;
/// The most people who have a role by a command.
pub const ROLES_MAX: usize = 100;
/// The longest reason that is told about a rule, in characters.
const REASON_CHARS_MAX: usize = 1_000;
/// The longest instructions, in characters.
pub const INSTRUCTIONS_CHARS_MAX: usize = 16_000;

/// The state of the hall, as everyone reads it.
#[derive(Clone, Debug, Default)]
pub struct View {
    agents: BTreeMap<AgentName, Arc<Agent>>,
    /// By the configuration.
    fixed_roles: BTreeMap<PersonId, Role>,
    /// By an owner.
    given_roles: BTreeMap<PersonId, Role>,
    allowed: BTreeSet<i64>,
    open_to_all: bool,
    blocked: HashMap<i64, Option<Timestamp>>,
    default_agents: HashMap<BotId, AgentName>,
    default_agent: Option<AgentName>,
    /// New chat id to the id that its sessions are kept under.
    homes: HashMap<ChatId, ChatId>,
    /// Old chat id to where messages go now.
    moved: HashMap<ChatId, ChatId>,
    models: Arc<[String]>,
    own_rules: OwnRules,
    alarms: Alarms,
    caps: Caps,
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Everything.
    Admin,
    /// Talk.
    Guest,
    /// Nothing: not on the allowlist.
    Stranger,
    /// Nothing: blocked.
    Blocked,
}

impl View {
    /// The state before any change.
    #[must_use]
    pub fn founded(founding: &Founding, models: Arc<[String]>) -> Self {
        let agents = founding.agents.iter();
        Self {
            agents: agents.map(|it| (it.name.clone(), Arc::new(it.clone()))).collect(),
            fixed_roles: founding.roles.clone(),
            allowed: founding.allowed.clone(),
            open_to_all: founding.open_to_all,
            default_agents: founding.default_agents.clone(),
            default_agent: founding.default_agent.clone(),
            models,
            caps: Caps::new(founding.budgets.clone()),
            ..Self::default()
        }
    }

    /// What a person may do in a chat. ROSTER-2.
    #[must_use]
    pub fn standing(&self, person: Option<PersonId>, chat: ChatId, now: Timestamp) -> Standing {
        let role = person.and_then(|it| self.role(it));
        if role.is_some_and(|it| Role::Admin <= it) {
            return Standing::Admin;
        }
        let is_blocked = |id: i64| {
            self.blocked.get(&id).is_some_and(|until| until.is_none_or(|until| now < until))
        };
        if is_blocked(chat.0) || person.is_some_and(|it| is_blocked(it.0)) {
            return Standing::Blocked;
        }
        let home = self.home(chat);
        let is_allowed = self.open_to_all
            || role.is_some()
            || self.allowed.contains(&chat.0)
            || self.allowed.contains(&home.0)
            || person.is_some_and(|it| self.allowed.contains(&it.0));
        if is_allowed { Standing::Guest } else { Standing::Stranger }
    }

    /// What the hall's own list says about a person: allowed by name, and blocked until when.
    #[must_use]
    pub fn listed(&self, person: PersonId) -> (bool, Option<Option<Timestamp>>) {
        (self.allowed.contains(&person.0), self.blocked.get(&person.0).copied())
    }

    /// The role of a person, if they have one. ROSTER-2.
    #[must_use]
    pub fn role(&self, person: PersonId) -> Option<Role> {
        self.fixed_roles.get(&person).or_else(|| self.given_roles.get(&person)).copied()
    }

    /// Everybody with a role, and whether it is the configuration's.
    pub fn roles(&self) -> impl Iterator<Item = (PersonId, Role, bool)> {
        let given = self.given_roles.iter().filter(|(it, _)| !self.fixed_roles.contains_key(it));
        let fixed = self.fixed_roles.iter().map(|(person, role)| (*person, *role, true));
        fixed.chain(given.map(|(person, role)| (*person, *role, false)))
    }

    /// True for an admin, and an owner.
    #[must_use]
    pub fn is_admin(&self, person: PersonId) -> bool {
        self.role(person).is_some_and(|it| Role::Admin <= it)
    }

    /// Everybody who may take care of alerts: the operators, and those above them.
    pub fn operators(&self) -> impl Iterator<Item = PersonId> {
        self.roles().filter(|(_, role, _)| Role::Operator <= *role).map(|(person, ..)| person)
    }

    /// The admins, and the owners.
    pub fn admins(&self) -> impl Iterator<Item = PersonId> {
        self.roles().filter(|(_, role, _)| Role::Admin <= *role).map(|(person, ..)| person)
    }

    /// An agent.
    #[must_use]
    pub fn agent(&self, name: &AgentName) -> Option<&Arc<Agent>> {
        self.agents.get(name)
    }

    /// All agents, by name.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values().map(|it| &**it)
    }

    /// The rules that admins gave.
    #[must_use]
    pub fn own_rules(&self) -> &OwnRules {
        &self.own_rules
    }

    /// What is marked as a false alarm.
    #[must_use]
    pub fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// How much may be used of models.
    #[must_use]
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// Who greets at a bot: its own agent, the hall's, or the first that is awake.
    #[must_use]
    pub fn greeter(&self, bot: BotId) -> Option<&Arc<Agent>> {
        let named = self.default_agents.get(&bot).or(self.default_agent.as_ref());
        let named = named.and_then(|it| self.agents.get(it));
        named.or_else(|| self.agents.values().find(|it| !it.paused))
    }

    /// The chat id under which a chat's conversations are kept.
    #[must_use]
    pub fn home(&self, chat: ChatId) -> ChatId {
        self.homes.get(&chat).copied().unwrap_or(chat)
    }

    /// The chat id to which messages for a chat go.
    #[must_use]
    pub fn destination(&self, chat: ChatId) -> ChatId {
        self.moved.get(&chat).copied().unwrap_or(chat)
    }

    /// Checks a change against the state. ROSTER-3.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub fn check(&self, change: &Change) -> Result<(), AdministerError> {
        let known = |name: &AgentName| match self.agents.contains_key(name) {
            true => Ok(()),
            false => Err(AdministerError::NoSuchAgent(name.clone())),
        };
        match change {
            Change::Spawned { name, instructions } => {
                if self.agents.contains_key(name) {
                    return Err(AdministerError::Taken(name.clone()));
                }
                if AGENTS_MAX <= self.agents.len() {
                    return Err(AdministerError::TooMany(AGENTS_MAX));
                }
                check_instructions(instructions)
            }
            Change::Edited { name, instructions } => {
                known(name)?;
                check_instructions(instructions)
            }
            Change::ModelSet { name, model } => {
                known(name)?;
                if self.models.iter().any(|it| it == model) {
                    return Ok(());
                }
                let known = self.models.join(", ");
                Err(AdministerError::NoSuchModel { name: model.chars().take(64).collect(), known })
            }
            Change::Paused { name } | Change::Resumed { name } | Change::Retired { name } => {
                known(name)
            }
            Change::Denied { id } | Change::Blocked { id, .. } => {
                if self.is_admin(PersonId(*id)) {
                    return Err(AdministerError::IsAdmin);
                }
                Ok(())
            }
            Change::RoleGiven { id, .. } => self.check_role(PersonId(*id)),
            Change::RoleTaken { id } if self.fixed_roles.contains_key(&PersonId(*id)) => {
                Err(AdministerError::RoleIsFixed)
            }
            Change::RoleTaken { id } if !self.given_roles.contains_key(&PersonId(*id)) => {
                Err(AdministerError::NoRole)
            }
            Change::RoleTaken { .. } => Ok(()),
            Change::Ruled(change) => self.own_rules.check(change),
            Change::Alarmed(change) => self.alarms.check(change),
            Change::QuotaSet { quota } => {
                if self.caps.is_full_for(quota) {
                    return Err(AdministerError::TooManyQuotas(QUOTAS_MAX));
                }
                match &quota.whose {
                    Whose::Agent(name) => known(name),
                    Whose::Person(_) | Whose::Chat(_) | Whose::Hall => Ok(()),
                }
            }
            Change::Allowed { .. } | Change::Unblocked { .. } | Change::Migrated { .. } => Ok(()),
        }
    }

    fn check_role(&self, person: PersonId) -> Result<(), AdministerError> {
        if person.0 <= 0 {
            return Err(AdministerError::NoPerson);
        }
        if self.fixed_roles.contains_key(&person) {
            return Err(AdministerError::RoleIsFixed);
        }
        let is_new = !self.given_roles.contains_key(&person);
        if is_new && ROLES_MAX <= self.given_roles.len() {
            return Err(AdministerError::TooManyRoles(ROLES_MAX));
        }
        Ok(())
    }

    fn apply(&mut self, change: Change) {
        let edit = |agents: &mut BTreeMap<AgentName, Arc<Agent>>,
                    name: &AgentName,
                    how: &dyn Fn(&mut Agent)| {
            if let Some(agent) = agents.get_mut(name) {
                how(Arc::make_mut(agent));
            }
        };
        match change {
            Change::Spawned { name, instructions } => {
                let description = instructions.split(['.', '\n']).next().unwrap_or_default();
                let description = description.trim().chars().take(100).collect();
                let agent = Agent {
                    name: name.clone(),
                    description,
                    instructions,
                    models: Vec::new(),
                    paused: false,
                    memory: None,
                    proposes_facts: false,
                };
                self.agents.insert(name, Arc::new(agent));
            }
            Change::Edited { name, instructions } => {
                edit(&mut self.agents, &name, &|it| it.instructions.clone_from(&instructions));
            }
            Change::ModelSet { name, model } => edit(&mut self.agents, &name, &|it| {
                it.models.retain(|other| *other != model);
                it.models.insert(0, model.clone());
            }),
            Change::Paused { name } => edit(&mut self.agents, &name, &|it| it.paused = true),
            Change::Resumed { name } => edit(&mut self.agents, &name, &|it| it.paused = false),
            Change::Retired { name } => {
                self.agents.remove(&name);
            }
            Change::Allowed { id } => {
                self.allowed.insert(id);
            }
            Change::Denied { id } => {
                self.allowed.remove(&id);
            }
            Change::Blocked { id, until } => {
                self.blocked.insert(id, until);
            }
            Change::Unblocked { id } => {
                self.blocked.remove(&id);
            }
            Change::Migrated { from, to } => {
                let home = self.home(from);
                self.homes.insert(to, home);
                self.moved.insert(from, to);
                self.moved.insert(home, to);
            }
            Change::RoleGiven { id, role } => {
                self.given_roles.insert(PersonId(id), role);
            }
            Change::RoleTaken { id } => {
                self.given_roles.remove(&PersonId(id));
            }
            Change::Ruled(change) => self.own_rules.apply(change),
            Change::Alarmed(change) => self.alarms.apply(change),
            Change::QuotaSet { quota } => self.caps.apply(quota),
        }
    }
}

fn check_instructions(text: &str) -> Result<(), AdministerError> {
    let length = text.trim().chars().count();
    if (1..=INSTRUCTIONS_CHARS_MAX).contains(&length) {
        return Ok(());
    }
    Err(AdministerError::BadInstructions(INSTRUCTIONS_CHARS_MAX))
}

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
}

/// The rules in a hall's stream, for whoever reads the ledger of a hall that does not run.
///
/// # Errors
/// If the stream is not one.
pub fn own_rules_in(stream: &[Owned]) -> Result<OwnRules, serde_json::Error> {
    let mut rules = OwnRules::default();
    for events in stream {
        if let Change::Ruled(change) = serde_json::from_slice::<Entry>(&events.bytes)?.change {
            rules.apply(change);
        }
    }
    Ok(rules)
}

/// The marks in the hall's stream.
///
/// # Errors
/// If the stream is not one.
pub fn alarms_in(stream: &[Owned]) -> Result<Alarms, serde_json::Error> {
    let mut alarms = Alarms::default();
    for events in stream {
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
    let mut view = View::founded(founding, Arc::from([]));
    for events in stream {
        view.apply(serde_json::from_slice::<Entry>(&events.bytes)?.change);
    }
    Ok(view)
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
    fn deed(&self) -> Deed {
        self.entry.change.deed(self.entry.at, self.actor)
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
    /// Notified once the state was folded from the ledger.
    pub ready: Arc<tokio::sync::Notify>,
}

impl Roster {
    /// The factory given to the supervisor: `started` folds the hall's stream.
    #[must_use]
    pub fn incarnate(needs: Needs) -> Self {
        let Needs { memory, audit, clock, founding, models, shared, rules, rulebook, ready } =
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
            let entry: Entry = serde_json::from_slice(&events.bytes)
                .map_err(|error| Fault::new("the hall's stream cannot be read", error))?;
            view.apply(entry.change);
        }
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
        let wanted = match self.waiting.pop_front() {
            None => return Ok(()),
            Some(Job::ReadRules(reply)) => {
                self.read_rules(reply, cx);
                return Ok(());
            }
            Some(Job::Change(wanted)) => *wanted,
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
        let Change::Ruled(change) = &wanted.entry.change else {
            return self.write(wanted, None, cx);
        };
        let (own, name) = (view.own_rules.after(change), change.name().to_owned());
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
        let (audit, deed) = (Arc::clone(&self.audit), wanted.deed().with(outcome));
        self.writing = true;
        let work = async move { audit.record(deed).await };
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
        wanted: Wanted,
        made: Option<InForce>,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        let events = serde_json::to_vec(&wanted.entry)
            .map_err(|error| Fault::new("a change cannot be written as JSON", error))?;
        self.writing = true;
        let append = Append {
            stream: Stream::Hall,
            expected: self.at,
            events: vec![Owned::halls(events)],
            closes: Vec::new(),
        };
        let (memory, audit) = (self.memory.clone(), Arc::clone(&self.audit));
        let deed = wanted.deed();
        let work = async move {
            // ROSTER-4: if this fails, nothing is changed.
            let recorded = audit.record(deed.clone()).await;
            recorded.map_err(|error| LedgerError::Unavailable(error.into()))?;
            let written = ask(&memory, |reply| memory::Msg::Append(append, reply)).await;
            let gone = |_| Err(LedgerError::Unavailable("the memory restarted".into()));
            let written = written.unwrap_or_else(gone);
            if written.is_err() {
                audit.note(deed.with(Outcome::Failed));
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
        let mut view = View::clone(&self.shared.load());
        info!(event.action = "hall_changed", labels.seq = at.0, "the hall was changed");
        view.apply(entry.change);
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
                let entry = Entry { change: order.change().clone(), by: Some(order.by()), at };
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
