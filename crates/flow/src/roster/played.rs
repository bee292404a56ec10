//! What playbooks change in the state of the hall, and what is checked before. Pure.
//!
//! PLAYBOOK-3: whoever has a role is spared here, where it takes effect, whoever asked for it.

use std::sync::Arc;

use super::{AdministerError, Change, RuleChange, View, proposed::take_rule};
use crate::playbook::{Measure, RunChange};
use protocol::{
    AgentName, PersonId, Timestamp,
    audit::{Action, Deed, Doer, Target},
};

/// Rules that playbooks proposed and nobody has taken on.
const PROPOSED_MAX: usize = 20;

impl View {
    /// Checks what is to happen to a run. PLAYBOOK-1.
    pub(super) fn check_run(&self, change: &RunChange) -> Result<(), AdministerError> {
        if let RunChange::Begun { run } = change
            && (!self.runs.is_sound(run) || self.runs.open().any(|it| it.is_like(run)))
        {
            return Err(AdministerError::Settled);
        }
        if self.runs.is_settled(change) {
            return Err(AdministerError::Settled);
        }
        if let Some(change) = self.ruled_by(change) {
            self.own_rules.check(&change)?;
            self.check_proposal(&change)?;
        }
        self.check_owners(change)?;
        let RunChange::Taken { run, .. } = change else { return Ok(()) };
        let run = self.runs.get(*run).ok_or(AdministerError::Settled)?;
        let Some((_, measure)) = run.next() else { return Err(AdministerError::Settled) };
        let (people, agent) = (&run.beginning.people, &run.beginning.agent);
        match measure {
            Measure::Block { .. } | Measure::Slow { .. } | Measure::Tighten { .. } => {
                let is_spared = |it: &PersonId| it.0 <= 0 || self.role(*it).is_some();
                if people.iter().all(is_spared) {
                    return Err(AdministerError::OfficersSpared);
                }
            }
            Measure::Pause { .. } => {
                let name = agent.as_ref().ok_or(AdministerError::Settled)?;
                let known = self.agent(name);
                let known = known.ok_or_else(|| AdministerError::NoSuchAgent(name.clone()))?;
                if known.paused {
                    return Err(AdministerError::SoAlready);
                }
            }
            Measure::Gather { .. }
            | Measure::ListTouched { .. }
            | Measure::ProposeRule
            | Measure::Compare => {}
        }
        Ok(())
    }

    /// Whoever attacks must not fill the list of rules, nor put the same one there again and again.
    fn check_proposal(&self, change: &RuleChange) -> Result<(), AdministerError> {
        let RuleChange::Added { rule } = change else { return Ok(()) };
        let known = self.own_rules.all();
        if known.iter().any(|it| it.pattern == rule.pattern) {
            return Err(AdministerError::SoAlready);
        }
        if PROPOSED_MAX <= self.own_rules.proposals() {
            return Err(AdministerError::TooManyRules(PROPOSED_MAX));
        }
        Ok(())
    }

    /// What a change does to the rules.
    pub(super) fn ruled_by(&self, change: &RunChange) -> Option<RuleChange> {
        match change {
            RunChange::Taken { found, .. } => {
                found.rule.clone().map(|rule| RuleChange::Added { rule })
            }
            RunChange::Undone { run } => {
                let name = self.runs.get(*run)?.proposed_rule()?;
                // What an officer took a step on is theirs. PLAYBOOK-5.
                let rule = self.own_rules.proposal(&name)?;
                Some(RuleChange::Removed { name: rule.name.clone() })
            }
            RunChange::Begun { .. }
            | RunChange::Decided { .. }
            | RunChange::LeftOut { .. }
            | RunChange::Ended { .. }
            | RunChange::Kept { .. }
            | RunChange::Lapsed { .. }
            | RunChange::Told { .. } => None,
        }
    }

    /// What a change does to the rules, whoever makes it.
    pub(super) fn ruling(&self, change: &Change) -> Option<RuleChange> {
        match change {
            Change::Ruled(change) => Some(change.clone()),
            Change::Played(change) => self.ruled_by(change),
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
            | Change::RoleGiven { .. }
            | Change::RoleTaken { .. }
            | Change::Invited(_)
            | Change::Bots(_)
            | Change::Alarmed(_)
            | Change::Aside(_)
            | Change::QuotaSet { .. } => None,
        }
    }

    pub(super) fn play(&mut self, mut change: RunChange) {
        let number = change.run();
        let rule = take_rule(&mut change);
        if self.runs.is_settled(&change) {
            return;
        }
        if let Some(rule) = rule {
            self.own_rules.propose(rule, self.people_of(number));
        } else if let Some(change) = self.ruled_by(&change) {
            self.own_rules.apply(change);
        }
        let agent = |view: &Self| view.runs.get(number).and_then(|it| it.beginning.agent.clone());
        let before = agent(self).filter(|it| self.runs.pausing(it).is_some());
        let roles = self.officers();
        self.runs.apply(change, |it| roles.contains(&it));
        self.tighten();
        let after = agent(self).filter(|it| self.runs.pausing(it).is_some());
        for (name, paused) in [(before, false), (after, true)] {
            if let Some(name) = name {
                self.rest(&name, paused);
            }
        }
    }

    pub(super) fn unblock_runs(&mut self, person: PersonId) {
        let roles = self.officers();
        self.runs.unblock(person, |it| roles.contains(&it));
    }

    /// Roles have changed: what is in force spares others now.
    pub(super) fn index_runs(&mut self) {
        let roles = self.officers();
        self.runs.index(|it| roles.contains(&it));
        self.tighten();
    }

    fn tighten(&mut self) {
        self.caps.tighten(self.runs.tightened());
    }

    fn rest(&mut self, name: &AgentName, paused: bool) {
        if let Some(agent) = self.agents.get_mut(name) {
            Arc::make_mut(agent).paused = paused;
        }
    }

    fn officers(&self) -> std::collections::BTreeSet<PersonId> {
        self.roles().map(|(person, ..)| person).collect()
    }

    /// How the audit log has a change: on the incident that it is about, and with each person that it
    /// is about in a record of their own, by which it is found.
    pub(super) fn deeds(&self, change: &Change, at: Timestamp, actor: Doer) -> Vec<Deed> {
        let deed = change.deed(at, actor);
        let Change::Played(change) = change else { return vec![deed] };
        let run = self.runs.get(change.run());
        let beginning = match (change, run) {
            (RunChange::Begun { run }, _) => run,
            (_, Some(run)) => &run.beginning,
            (_, None) => return vec![deed],
        };
        let incident = format!("incident-{}", beginning.incident);
        let measure = match (change, run) {
            (RunChange::Taken { step, .. } | RunChange::LeftOut { step, .. }, _)
            | (RunChange::Ended { step, .. }, _) => {
                let step = usize::try_from(*step).unwrap_or(usize::MAX);
                beginning.steps.get(step)
            }
            (_, Some(_) | None) => None,
        };
        let word = measure.map(|it| format!(" {}", it.word())).unwrap_or_default();
        let about = format!("{}{word} {}", beginning.playbook, deed.reference);
        let mut deeds = vec![Deed { target: Target::Thing(incident.clone()), ..deed }.about(about)];
        let action = match (change, measure) {
            (RunChange::Taken { .. }, Some(Measure::Block { .. })) => Action::AccessBlocked,
            (RunChange::Ended { .. }, Some(Measure::Block { .. })) => Action::AccessUnblocked,
            (RunChange::Taken { .. }, Some(Measure::Tighten { .. })) => Action::QuotaSet,
            (_, Some(_) | None) => return deeds,
        };
        let of_person = |person: &PersonId| {
            let deed = Deed::done(at, actor, action, Target::Person(person.0));
            deed.about(format!("{incident}, {}", beginning.playbook))
        };
        let is_meant = |it: &&PersonId| self.role(**it).is_none();
        deeds.extend(beginning.people.iter().filter(is_meant).map(of_person));
        deeds
    }
}
