//! The state of the hall as everyone reads it: folded from changes, asked about rights.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use protocol::{Agent, AgentName, BotId, ChatId, PersonId, Timestamp};

use super::{AdministerError, Change, Founding, OwnRules};
use crate::{
    alarm::Alarms,
    aside::Verdicts,
    invites::{InviteChange, Invites},
    managed::{BotChange, MANAGED_MAX, ManagedBots},
    playbook::{Playbook, Runs},
    right::Role,
    treasurer::caps::{Caps, QUOTAS_MAX, Whose},
};

/// The most agents at a time.
pub const AGENTS_MAX: usize = 200;
/// The most people who have a role by a command.
pub const ROLES_MAX: usize = 100;
/// The longest instructions, in characters.
pub const INSTRUCTIONS_CHARS_MAX: usize = 16_000;

/// The state of the hall, as everyone reads it.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub(super) agents: BTreeMap<AgentName, Arc<Agent>>,
    /// By the configuration.
    fixed_roles: BTreeMap<PersonId, Role>,
    /// By an owner.
    given_roles: BTreeMap<PersonId, Role>,
    allowed: BTreeSet<i64>,
    open_to_all: bool,
    blocked: HashMap<i64, Option<Timestamp>>,
    default_agents: HashMap<BotId, AgentName>,
    bound: HashMap<BotId, AgentName>,
    default_agent: Option<AgentName>,
    /// New chat id to the id that its sessions are kept under.
    homes: HashMap<ChatId, ChatId>,
    /// Old chat id to where messages go now.
    moved: HashMap<ChatId, ChatId>,
    models: Arc<[String]>,
    pub(super) own_rules: OwnRules,
    pub(super) alarms: Alarms,
    verdicts: Verdicts,
    pub(super) caps: Caps,
    pub(super) runs: Runs,
    invites: Invites,
    managed: ManagedBots,
    /// Through which run nothing is proposed with words of somebody who was forgotten.
    pub(super) barred: BTreeMap<PersonId, u64>,
    playbooks: Arc<[Playbook]>,
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
            bound: founding.bound.clone(),
            default_agent: founding.default_agent.clone(),
            models,
            caps: Caps::new(founding.budgets.clone()),
            playbooks: Arc::clone(&founding.playbooks),
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
        let is_held_off = |it: PersonId| self.runs.blocked(it, now).is_some();
        if is_blocked(chat.0) || person.is_some_and(|it| is_blocked(it.0) || is_held_off(it)) {
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

    /// The only agent that answers through a bot, where the bot is its own.
    #[must_use]
    pub fn bound(&self, bot: BotId) -> Option<&AgentName> {
        self.bound.get(&bot).or_else(|| self.managed.agent(bot))
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

    /// What officers said of messages that were set aside.
    #[must_use]
    pub fn verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// How much may be used of models.
    #[must_use]
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// What playbooks did, and what of it is in force.
    #[must_use]
    pub fn runs(&self) -> &Runs {
        &self.runs
    }

    /// The playbooks in force.
    #[must_use]
    pub fn playbooks(&self) -> &[Playbook] {
        &self.playbooks
    }

    /// Links that let people in.
    #[must_use]
    pub fn invites(&self) -> &Invites {
        &self.invites
    }

    /// Bots that Telegram made for agents.
    #[must_use]
    pub fn managed(&self) -> &ManagedBots {
        &self.managed
    }

    /// True if everybody may talk.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        self.open_to_all
    }

    /// Who greets at a bot: its own agent, the hall's, or the first that is awake.
    #[must_use]
    pub fn greeter(&self, bot: BotId) -> Option<&Arc<Agent>> {
        if let Some(name) = self.bound(bot) {
            return self.agents.get(name);
        }
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
            Change::Aside(change) => self.verdicts.check(*change),
            Change::QuotaSet { quota } => {
                if self.caps.is_full_for(quota) {
                    return Err(AdministerError::TooManyQuotas(QUOTAS_MAX));
                }
                match &quota.whose {
                    Whose::Agent(name) => known(name),
                    Whose::Person(_) | Whose::Chat(_) | Whose::Hall => Ok(()),
                }
            }
            Change::Played(change) => self.check_run(change),
            Change::Invited(change) => self.check_invite(change),
            Change::Bots(change) => known(change.name()).and_then(|()| self.check_bots(change)),
            Change::Allowed { .. } | Change::Unblocked { .. } | Change::Migrated { .. } => Ok(()),
        }
    }

    fn check_invite(&self, change: &InviteChange) -> Result<(), AdministerError> {
        if self.invites.takes(change) { Ok(()) } else { Err(AdministerError::InviteGone) }
    }

    fn check_bots(&self, change: &BotChange) -> Result<(), AdministerError> {
        let name = change.name();
        if matches!(change, BotChange::Wanted { .. }) && self.managed.of_agent(name).is_some() {
            return Err(AdministerError::HasBot(name.clone()));
        }
        if !self.managed.takes(change) {
            return Err(AdministerError::SoAlready);
        }
        if matches!(change, BotChange::Wanted { .. }) && !self.managed.has_room() {
            return Err(AdministerError::TooManyBots(MANAGED_MAX));
        }
        Ok(())
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

    pub(super) fn apply(&mut self, change: Change) {
        let edit = |agents: &mut BTreeMap<AgentName, Arc<Agent>>,
                    name: &AgentName,
                    how: &dyn Fn(&mut Agent)| {
            if let Some(agent) = agents.get_mut(name) {
                how(Arc::make_mut(agent));
            }
        };
        match change {
            Change::Spawned { name, instructions } => {
                self.agents.insert(name.clone(), Arc::new(spawned(name, instructions)));
            }
            Change::Edited { name, instructions } => {
                edit(&mut self.agents, &name, &|it| it.instructions.clone_from(&instructions));
            }
            Change::ModelSet { name, model } => edit(&mut self.agents, &name, &|it| {
                it.models.retain(|other| *other != model);
                it.models.insert(0, model.clone());
            }),
            Change::Paused { name } => {
                // From now on it rests because an officer says so.
                self.runs.wake(&name);
                edit(&mut self.agents, &name, &|it| it.paused = true);
            }
            Change::Resumed { name } => {
                self.runs.wake(&name);
                edit(&mut self.agents, &name, &|it| it.paused = false);
            }
            Change::Retired { name } => {
                self.managed.retire(&name);
                self.agents.remove(&name);
            }
            Change::Invited(change) => {
                if let InviteChange::Used { id, .. } = &change {
                    self.allowed.insert(*id);
                }
                self.invites.apply(change);
            }
            Change::Bots(change) => self.managed.apply(change),
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
                self.unblock_runs(PersonId(id));
            }
            Change::Migrated { from, to } => {
                let home = self.home(from);
                self.homes.insert(to, home);
                self.moved.insert(from, to);
                self.moved.insert(home, to);
            }
            Change::RoleGiven { id, role } => {
                self.given_roles.insert(PersonId(id), role);
                self.index_runs();
            }
            Change::RoleTaken { id } => {
                self.given_roles.remove(&PersonId(id));
                self.index_runs();
            }
            Change::Ruled(change) => self.own_rules.apply(change),
            Change::Alarmed(change) => self.alarms.apply(change),
            Change::Aside(change) => self.verdicts.apply(change),
            Change::QuotaSet { quota } => self.caps.apply(quota),
            Change::Played(change) => self.play(change),
        }
    }
}

/// An agent as an admin brings it in.
fn spawned(name: AgentName, instructions: String) -> Agent {
    let description = instructions.split(['.', '\n']).next().unwrap_or_default();
    let description = description.trim().chars().take(100).collect();
    Agent {
        name,
        description,
        instructions,
        models: Vec::new(),
        paused: false,
        memory: None,
        proposes_facts: false,
        examples: Default::default(),
        tools: Vec::new(),
        may_ask: Vec::new(),
        may_hand_to: Vec::new(),
    }
}

fn check_instructions(text: &str) -> Result<(), AdministerError> {
    let length = text.trim().chars().count();
    if (1..=INSTRUCTIONS_CHARS_MAX).contains(&length) {
        return Ok(());
    }
    Err(AdministerError::BadInstructions(INSTRUCTIONS_CHARS_MAX))
}
