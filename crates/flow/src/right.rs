//! Who may do what: roles, and proofs of them.
//!
//! A function that only an officer may cause takes a [`Granted`] or an [`Order`], and those are made
//! here alone, against the hall's state. Whoever has none cannot even ask.
//!
//! ```compile_fail
//! use flow::right::{Governing, Granted};
//! let forged = Granted::<Governing> { by: protocol::PersonId(7), power: std::marker::PhantomData };
//! ```
//!
//! ```compile_fail
//! use flow::{right::Order, roster::Change};
//! let name = "sage".parse().unwrap();
//! let forged = Order { change: Change::Paused { name }, by: todo!() };
//! ```
//!
//! Invariants: RIGHT-1 a right is a value that only this file makes. RIGHT-2 a role can be given or
//! taken only by an owner, and never more than they have.

use std::{fmt, marker::PhantomData};

use protocol::{PersonId, Timestamp, audit::Doer};
use serde::{Deserialize, Serialize};

use crate::{
    invites::{Closed, InviteChange},
    playbook::RunChange,
    roster::{Change, View},
};

/// What somebody is to the hall. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads the state and the audit log, and nothing of people.
    Auditor,
    /// Pauses and wakes agents, and closes incidents.
    Operator,
    /// Changes agents, access and rules.
    Admin,
    /// Gives roles.
    Owner,
}

impl Role {
    /// All, the least first.
    pub const ALL: [Self; 4] = [Self::Auditor, Self::Operator, Self::Admin, Self::Owner];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// A kind of right.
pub trait Power {
    /// The least role that has it.
    const NEEDS: Role;
}

/// To read the state in full and the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auditing {}

/// To see alerts, silence them and take them into one's hands; to acknowledge and close incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operating {}

/// To see and change rules, and texts that were stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Governing {}

/// To see who has which role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owning {}

impl Power for Auditing {
    const NEEDS: Role = Role::Auditor;
}

impl Power for Operating {
    const NEEDS: Role = Role::Operator;
}

impl Power for Governing {
    const NEEDS: Role = Role::Admin;
}

impl Power for Owning {
    const NEEDS: Role = Role::Owner;
}

/// The proof that somebody has a right. RIGHT-1.
#[derive(PartialEq, Eq)]
pub struct Granted<P> {
    by: PersonId,
    power: PhantomData<fn() -> P>,
}

impl<P> Clone for Granted<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Granted<P> {}

impl<P> fmt::Debug for Granted<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Granted({})", self.by)
    }
}

impl<P: Power> Granted<P> {
    /// Who has it.
    #[must_use]
    pub fn by(&self) -> PersonId {
        self.by
    }
}

impl View {
    /// The proof that somebody has a right, if they have.
    #[must_use]
    pub fn grant<P: Power>(&self, person: PersonId) -> Option<Granted<P>> {
        let has = self.role(person).is_some_and(|it| P::NEEDS <= it);
        has.then_some(Granted { by: person, power: PhantomData })
    }

    /// A change that somebody may make, if they may. RIGHT-2.
    #[must_use]
    pub fn order(&self, by: PersonId, change: Change) -> Option<Order> {
        let role = self.role(by)?;
        let exceeds = match &change {
            Change::RoleGiven { role: given, .. } => role < *given,
            Change::RoleTaken { id } => {
                self.role(PersonId(*id)).is_some_and(|theirs| role < theirs)
            }
            Change::Spawned { .. }
            | Change::Edited { .. }
            | Change::ModelSet { .. }
            | Change::Paused { .. }
            | Change::Resumed { .. }
            | Change::Retired { .. }
            | Change::Allowed { .. }
            | Change::Denied { .. }
            | Change::Blocked { .. }
            | Change::Unblocked { .. }
            | Change::Migrated { .. }
            | Change::Ruled(_)
            | Change::QuotaSet { .. }
            | Change::Aside(_)
            | Change::Bots(_)
            | Change::Invited(InviteChange::Made { .. } | InviteChange::Withdrawn { .. })
            | Change::Alarmed(_) => false,
            // That is whoever opens it.
            Change::Invited(InviteChange::Used { .. }) => true,
            // The rest of a run is the warden's to say.
            Change::Played(it) => !it.is_officers(),
        };
        (self.needs(&change) <= role && !exceeds).then_some(Order { change, by: By::Person(by) })
    }

    /// The change by which somebody comes in who has an open link.
    ///
    /// # Errors
    /// Why the link lets nobody in.
    pub fn entry(&self, person: PersonId, token: &str, now: Timestamp) -> Result<Order, Closed> {
        let number = self.invites().find(token, now)?;
        let change = Change::Invited(InviteChange::Used { number, id: person.0 });
        Ok(Order { change, by: By::Invited(person) })
    }

    /// The least role that may make a change as things stand.
    #[must_use]
    pub fn needs(&self, change: &Change) -> Role {
        let more = match change {
            // Who may not undo what a playbook did may not wake the agent either.
            Change::Resumed { name } => self.runs().pausing(name).map(|it| it.beginning.undo_by),
            Change::Played(it) => Some(self.runs().needs(it.run())),
            Change::Spawned { .. }
            | Change::Edited { .. }
            | Change::ModelSet { .. }
            | Change::Paused { .. }
            | Change::Retired { .. }
            | Change::Allowed { .. }
            | Change::Denied { .. }
            | Change::Blocked { .. }
            | Change::Unblocked { .. }
            | Change::Migrated { .. }
            | Change::RoleGiven { .. }
            | Change::RoleTaken { .. }
            | Change::Ruled(_)
            | Change::QuotaSet { .. }
            | Change::Aside(_)
            | Change::Invited(_)
            | Change::Bots(_)
            | Change::Alarmed(_) => None,
        };
        change.needs().max(more.unwrap_or(Role::Auditor))
    }
}

/// A change together with the proof that whoever wants it may make it. RIGHT-1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    change: Change,
    by: By,
}

/// Who wants a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// An officer.
    Person(PersonId),
    /// Whoever holds the console's token, or the machine.
    Operator,
    /// A playbook.
    Playbook,
    /// Somebody who was invited.
    Invited(PersonId),
}

impl Order {
    /// A change that came over the console, whose token was checked there, or on the machine itself.
    #[must_use]
    pub fn by_operator(change: Change) -> Self {
        Self { change, by: By::Operator }
    }

    /// What a playbook does: nothing but what can happen to a run, and nothing that an officer has to
    /// say. Who is an officer is spared where it takes effect.
    #[must_use]
    pub(crate) fn by_playbook(change: RunChange) -> Option<Self> {
        let (is_officers, change) = (change.is_officers(), Change::Played(change));
        (!is_officers).then_some(Self { change, by: By::Playbook })
    }

    /// What is to be changed.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// Who wants it: a person, or [`CONSOLE`].
    #[must_use]
    pub fn by(&self) -> PersonId {
        match self.by {
            By::Person(by) | By::Invited(by) => by,
            By::Operator | By::Playbook => CONSOLE,
        }
    }

    /// Who wants it, as the hall's stream names them; `None` for the hall itself.
    #[must_use]
    pub fn author(&self) -> Option<PersonId> {
        match self.by {
            By::Person(_) | By::Operator | By::Invited(_) => Some(self.by()),
            By::Playbook => None,
        }
    }

    /// Who wants it, as the audit log names them.
    #[must_use]
    pub fn actor(&self) -> Doer {
        match self.by {
            By::Person(by) | By::Invited(by) => Doer::Person(by),
            By::Operator => Doer::Console,
            By::Playbook => Doer::Hall,
        }
    }

    /// True if it may still be made: roles change.
    #[must_use]
    pub fn still_holds(&self, view: &View) -> bool {
        match self.by {
            By::Person(by) => view.order(by, self.change.clone()).is_some(),
            // The roster lets in the first who opens a link.
            By::Operator | By::Playbook | By::Invited(_) => true,
        }
    }
}

/// Who stands in the hall's stream where an operator did it: no person has this id.
pub const CONSOLE: PersonId = PersonId(0);
