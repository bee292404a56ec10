//! What officers can change, what the audit log says of it, and why a change is not made.

use protocol::{
    AgentName, ChatId, RefId, Timestamp,
    audit::{Action, Deed, Doer, Target},
};
use serde::{Deserialize, Serialize};

use super::RuleChange;
use crate::{
    alarm::AlarmChange,
    aside::{AsideChange, Verdict},
    invites::InviteChange,
    managed::BotChange,
    playbook::{Mode, RunChange},
    right::Role,
    treasurer::caps::{Quota, Whose},
};

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
    /// An officer says what is to become of a message that was set aside.
    Aside(AsideChange),
    /// Somebody may use so much of models.
    QuotaSet {
        /// Who, and how much.
        quota: Quota,
    },
    /// A playbook acts, or an officer says something about what it did.
    Played(RunChange),
    /// A link that lets one person in is made, opened or withdrawn.
    Invited(InviteChange),
    /// An agent gets a bot of its own from Telegram.
    Bots(BotChange),
}

impl Change {
    /// The least role that may make it.
    #[must_use]
    pub fn needs(&self) -> Role {
        match self {
            Self::Paused { .. } | Self::Resumed { .. } | Self::Played(_) | Self::Aside(_) => {
                Role::Operator
            }
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
            | Self::Invited(_)
            | Self::Bots(_)
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
            Self::Aside(it) => (aside(it.verdict), Target::Thing(it.reference.to_string())),
            Self::Played(it) => (played(it), Target::Nothing),
            Self::Invited(it) => (invited(it), Target::Thing(format!("invite-{}", it.number()))),
            Self::Bots(it) => (given_bot(it), agent(it.name())),
        };
        let deed = Deed::done(at, actor, action, target);
        match self {
            Self::ModelSet { model, .. } => deed.about(model.as_str()),
            Self::Blocked { until: Some(until), .. } => deed.about(format!("until {}", until.0)),
            Self::RoleGiven { role, .. } => deed.about(role.word()),
            Self::Ruled(it) => deed.about(it.word()),
            Self::Alarmed(it) => deed.about(it.word()),
            Self::Played(it) => deed.about(about_run(it)),
            Self::Invited(InviteChange::Made { until, .. }) => {
                deed.about(format!("until {}", until.0))
            }
            Self::Bots(BotChange::Given { bot, .. }) => deed.about(format!("bot {bot}")),
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
            | Self::Aside(_)
            | Self::QuotaSet { .. }
            | Self::Invited(InviteChange::Used { .. } | InviteChange::Withdrawn { .. })
            | Self::Bots(BotChange::Wanted { .. })
            | Self::RoleTaken { .. } => deed,
        }
    }
}

/// What an officer says of a message, as the audit log calls it.
const fn aside(verdict: Verdict) -> Action {
    match verdict {
        Verdict::Retried => Action::AsideRetried,
        Verdict::Dropped => Action::AsideDropped,
    }
}

/// What happens to a link, as the audit log calls it.
const fn invited(change: &InviteChange) -> Action {
    match change {
        InviteChange::Made { .. } => Action::InviteMade,
        InviteChange::Used { .. } => Action::InviteUsed,
        InviteChange::Withdrawn { .. } => Action::InviteWithdrawn,
    }
}

/// What happens to an agent's own bot, as the audit log calls it.
const fn given_bot(change: &BotChange) -> Action {
    match change {
        BotChange::Wanted { .. } => Action::BotWanted,
        BotChange::Given { .. } => Action::BotGiven,
    }
}

/// What happens to a run, as the audit log calls it.
const fn played(change: &RunChange) -> Action {
    match change {
        RunChange::Begun { .. } => Action::PlaybookBegun,
        RunChange::Decided { .. } | RunChange::Lapsed { .. } => Action::PlaybookDecided,
        RunChange::Taken { .. } => Action::PlaybookStepTaken,
        RunChange::LeftOut { .. } => Action::PlaybookStepLeftOut,
        RunChange::Ended { .. } => Action::PlaybookStepEnded,
        RunChange::Undone { .. } => Action::PlaybookUndone,
        RunChange::Kept { .. } => Action::PlaybookKept,
        RunChange::Told { .. } => Action::PlaybookTold,
    }
}

/// The change alone; the view adds which playbook and step it is.
fn about_run(change: &RunChange) -> String {
    let more = match change {
        RunChange::Begun { run } => {
            let mode = if run.mode == Mode::Act { "acts" } else { "asks" };
            format!(" {mode} signs={} people={}", run.signs, run.people.len())
        }
        RunChange::Decided { yes, .. } => format!(" {}", if *yes { "yes" } else { "no" }),
        RunChange::Taken { step, until, found, .. } => {
            let until = until.map(|it| format!(" until={}", it.0)).unwrap_or_default();
            let count =
                if found.count == 0 { String::new() } else { format!(" found={}", found.count) };
            format!(" step={}{until}{count}", step + 1)
        }
        RunChange::LeftOut { step, why, .. } => format!(" step={}: {}", step + 1, why.words()),
        RunChange::Ended { step, .. } => format!(" step={}", step + 1),
        RunChange::Lapsed { .. } => " nobody answered".to_owned(),
        RunChange::Undone { .. } | RunChange::Kept { .. } | RunChange::Told { .. } => String::new(),
    };
    format!("run={}{more}", change.run())
}

fn quota_target(whose: &Whose) -> Target {
    match whose {
        Whose::Person(id) => Target::Person(id.0),
        Whose::Chat(id) => Target::Person(*id),
        Whose::Agent(name) => Target::Thing(name.as_str().to_owned()),
        Whose::Hall => Target::Nothing,
    }
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
    /// Nothing with that reference is set aside.
    #[error("Nothing with the ref {0} is set aside. /quarantine lists what is.")]
    NoSuchAside(RefId),
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
    /// A playbook's run is further than that.
    #[error("That is settled already: /playbooks shows what is in force.")]
    Settled,
    /// It would be about officers alone.
    #[error("That is about officers, and those are spared.")]
    OfficersSpared,
    /// Whatever it is about is so already.
    #[error("It is so already.")]
    SoAlready,
    /// A link lets nobody in any more.
    #[error("That link is used or withdrawn already. /invites shows those that are open.")]
    InviteGone,
    /// Too many links.
    #[error("{0} links are open already: that is the most. /invites withdraws one.")]
    TooManyInvites(usize),
    /// The agent has a bot.
    #[error("{0} has a bot of its own already.")]
    HasBot(AgentName),
    /// Too many bots.
    #[error("{0} agents have bots of their own already: that is the most. /retire one first.")]
    TooManyBots(usize),
    /// There is nothing to mark.
    #[error("That text is not there any more, so nothing was marked.")]
    NothingHeldBack,
    /// The ledger failed.
    #[error("The change could not be stored, so nothing was changed. Please try again.")]
    NotStored,
}
