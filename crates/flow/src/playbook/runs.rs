//! What became of every run, folded from the hall's stream; and what of it is in force. Pure.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use protocol::{AgentName, PersonId, Timestamp};

use super::{Beginning, Found, Measure, Mode, PEOPLE_MAX, RULE, RunChange, STEPS_MAX, Spared};
use crate::{right::Role, tally::Step};

/// Runs that are not over, at a time.
const OPEN_MAX: usize = 500;
/// Runs that are over and still at hand.
const OVER_MAX: usize = 200;
/// A step holds no longer than this past its end, should nobody be there to end it.
const PAST_END_MAX: Duration = Duration::from_hours(24);

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It waits for an officer's word.
    Proposed,
    /// It takes its steps, or has taken them.
    Acting,
    /// An officer said no, or undid it.
    Stopped,
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It was not taken yet.
    Waits,
    /// It was taken, and is in force if it is of that kind.
    Taken {
        /// When it is over.
        until: Option<Timestamp>,
        /// What it found.
        found: Found,
    },
    /// It was left out.
    LeftOut(Spared),
    /// It was taken and is over, or undone.
    Over(Found),
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How it began.
    pub beginning: Beginning,
    /// How far it is.
    pub stand: Stand,
    /// How far its steps are, in their order.
    pub steps: Vec<State>,
    /// What is in force stays until somebody undoes it.
    pub is_kept: bool,
    /// The officers were told.
    pub is_told: bool,
}

impl Run {
    /// Its number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.beginning.run
    }

    /// Its steps with how far they are.
    pub fn each(&self) -> impl Iterator<Item = (u32, &Measure, &State)> {
        let steps = self.beginning.steps.iter().zip(&self.steps);
        (0_u32..).zip(steps).map(|(at, (measure, state))| (at, measure, state))
    }

    /// The step that is to be taken next.
    #[must_use]
    pub fn next(&self) -> Option<(u32, &Measure)> {
        let mut waiting = self.each().filter(|(_, _, state)| **state == State::Waits);
        let next = waiting.next().map(|(at, measure, _)| (at, measure));
        next.filter(|_| self.stand == Stand::Acting)
    }

    /// The steps that are in force.
    pub fn in_force(&self) -> impl Iterator<Item = (u32, &Measure, Option<Timestamp>)> {
        self.each().filter_map(|(at, measure, state)| match state {
            State::Taken { until, .. } if measure.holds() => Some((at, measure, *until)),
            State::Taken { .. } | State::Waits | State::LeftOut(_) | State::Over(_) => None,
        })
    }

    /// True if there is nothing left to do or to undo of it by itself or by an officer.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.stand {
            Stand::Proposed => false,
            Stand::Acting => self.next().is_none() && self.in_force().next().is_none(),
            Stand::Stopped => true,
        }
    }

    /// True if it is about the same as another one.
    #[must_use]
    pub fn is_like(&self, other: &Beginning) -> bool {
        self.beginning.is_like(other)
    }

    fn state(&mut self, step: u32) -> Option<&mut State> {
        self.steps.get_mut(usize::try_from(step).unwrap_or(usize::MAX))
    }

    /// What is in force is over.
    fn lift(&mut self, which: impl Fn(&Measure) -> bool) {
        for (measure, state) in self.beginning.steps.iter().zip(&mut self.steps) {
            if which(measure)
                && let State::Taken { found, .. } = state
            {
                *state = State::Over(std::mem::take(found));
            }
        }
    }
}

/// How somebody is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Messages a minute that are taken from them.
    pub per_minute: u32,
}

/// All runs, and what of them is in force.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    all: BTreeMap<u64, Arc<Run>>,
    newest: u64,
    /// Until when somebody is blocked, and no longer than when.
    blocked: HashMap<PersonId, (Timestamp, Timestamp)>,
    slowed: HashMap<PersonId, (Limit, Timestamp)>,
    tightened: HashMap<PersonId, u64>,
}

/// For ever, as far as anybody is concerned.
const NEVER: Timestamp = Timestamp(u64::MAX);

impl Runs {
    /// The number of the next one.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.newest + 1
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, run: u64) -> Option<&Arc<Run>> {
        self.all.get(&run)
    }

    /// All of them, the oldest first.
    pub fn each(&self) -> impl DoubleEndedIterator<Item = &Arc<Run>> {
        self.all.values()
    }

    /// What became of steps between a state and this one, for the figures.
    #[must_use]
    pub fn steps_since(&self, before: &Self) -> Vec<Step> {
        let mut steps = Vec::new();
        for run in self.all.values() {
            let Some(known) = before.all.get(&run.number()) else { continue };
            if Arc::ptr_eq(known, run) {
                continue;
            }
            let is_undone = run.stand == Stand::Stopped && known.stand != Stand::Stopped;
            for ((_, measure, state), was) in run.each().zip(&known.steps) {
                let outcome = match (was, state) {
                    (State::Waits, State::Taken { .. }) => "taken",
                    (State::Waits, State::LeftOut(_)) => "left_out",
                    (State::Taken { .. }, State::Over(_)) if is_undone => "undone",
                    (State::Taken { .. }, State::Over(_)) => "ended",
                    (
                        State::Waits | State::Taken { .. } | State::LeftOut(_) | State::Over(_),
                        State::Waits | State::Taken { .. } | State::LeftOut(_) | State::Over(_),
                    ) => continue,
                };
                let playbook = run.beginning.playbook.clone();
                steps.push(Step { playbook, step: measure.word(), outcome });
            }
        }
        steps
    }

    /// Those that are not over, the oldest first.
    pub fn open(&self) -> impl DoubleEndedIterator<Item = &Arc<Run>> {
        self.each().filter(|it| !it.is_over())
    }

    /// True if no other may begin now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        OPEN_MAX <= self.open().count()
    }

    /// Until when somebody is blocked by a playbook, if they are.
    #[must_use]
    pub fn blocked(&self, person: PersonId, now: Timestamp) -> Option<Timestamp> {
        let (until, at_most) = self.blocked.get(&person)?;
        (now < *at_most).then_some(*until)
    }

    /// How somebody is held back by a playbook, if they are.
    #[must_use]
    pub fn slowed(&self, person: PersonId, now: Timestamp) -> Option<Limit> {
        let (limit, at_most) = self.slowed.get(&person)?;
        (now < *at_most).then_some(*limit)
    }

    /// The tokens a day that playbooks leave to people.
    pub fn tightened(&self) -> impl Iterator<Item = (PersonId, u64)> {
        self.tightened.iter().map(|(person, tokens)| (*person, *tokens))
    }

    /// The run by which an agent rests, with the least role that may wake it.
    #[must_use]
    pub fn pausing(&self, agent: &AgentName) -> Option<&Arc<Run>> {
        self.open().find(|run| {
            let pauses = run.in_force().any(|(_, it, _)| matches!(it, Measure::Pause { .. }));
            pauses && run.beginning.agent.as_ref() == Some(agent)
        })
    }

    /// The least role that an officer needs for it.
    #[must_use]
    pub fn needs(&self, run: u64) -> Role {
        self.get(run).map_or(Role::Owner, |it| it.beginning.undo_by)
    }

    /// True if a change has been made already, or comes too late: it would change nothing.
    /// PLAYBOOK-1.
    #[must_use]
    pub fn is_settled(&self, change: &RunChange) -> bool {
        let Some(run) = self.get(change.run()) else {
            return match change {
                RunChange::Begun { run } => run.run != self.next_number(),
                RunChange::Decided { .. }
                | RunChange::Taken { .. }
                | RunChange::LeftOut { .. }
                | RunChange::Ended { .. }
                | RunChange::Undone { .. }
                | RunChange::Kept { .. }
                | RunChange::Lapsed { .. }
                | RunChange::Told { .. } => true,
            };
        };
        match change {
            RunChange::Begun { .. } => true,
            RunChange::Decided { .. } | RunChange::Lapsed { .. } => run.stand != Stand::Proposed,
            // In their order, and only while it acts.
            RunChange::Taken { step, .. } | RunChange::LeftOut { step, .. } => {
                run.next().is_none_or(|(next, _)| next != *step)
            }
            RunChange::Ended { step, .. } => !run.in_force().any(|(at, ..)| at == *step),
            RunChange::Undone { .. } => run.stand == Stand::Proposed || !run.can_be_undone(),
            RunChange::Kept { .. } => run.is_kept || run.in_force().next().is_none(),
            RunChange::Told { .. } => run.is_told,
        }
    }

    /// Whether it is one that a hall can take.
    #[must_use]
    pub fn is_sound(&self, beginning: &Beginning) -> bool {
        let Beginning { people, steps, .. } = beginning;
        people.len() <= PEOPLE_MAX && (1..=STEPS_MAX).contains(&steps.len()) && !self.is_full()
    }

    /// Takes a change in. `is_spared` tells whether a person is an officer. PLAYBOOK-3.
    pub(crate) fn apply(&mut self, change: RunChange, is_spared: impl Fn(PersonId) -> bool) {
        if self.is_settled(&change) {
            return;
        }
        let number = change.run();
        if let RunChange::Begun { run: beginning } = change {
            self.newest = beginning.run;
            let stand = if beginning.mode == Mode::Act { Stand::Acting } else { Stand::Proposed };
            let steps = vec![State::Waits; beginning.steps.len()];
            let run = Run { beginning, stand, steps, is_kept: false, is_told: false };
            self.all.insert(number, Arc::new(run));
        } else if let Some(run) = self.all.get_mut(&number) {
            Arc::make_mut(run).take(change);
        }
        self.forget_the_oldest();
        self.index(is_spared);
    }

    /// An officer lets a person talk again, whatever blocked them. PLAYBOOK-5.
    pub(crate) fn unblock(&mut self, person: PersonId, is_spared: impl Fn(PersonId) -> bool) {
        let is_block = |it: &Measure| matches!(it, Measure::Block { .. });
        for run in self.all.values_mut() {
            let of_person = run.beginning.people.contains(&person);
            if of_person && run.in_force().any(|(_, it, _)| is_block(it)) {
                Arc::make_mut(run).lift(is_block);
            }
        }
        self.index(is_spared);
    }

    /// An officer wakes an agent, whatever put it to rest. PLAYBOOK-5.
    pub(crate) fn wake(&mut self, agent: &AgentName) {
        let is_pause = |it: &Measure| matches!(it, Measure::Pause { .. });
        for run in self.all.values_mut() {
            let of_agent = run.beginning.agent.as_ref() == Some(agent);
            if of_agent && run.in_force().any(|(_, it, _)| is_pause(it)) {
                Arc::make_mut(run).lift(is_pause);
            }
        }
    }

    fn forget_the_oldest(&mut self) {
        let over: Vec<u64> = self.each().filter(|it| it.is_over()).map(|it| it.number()).collect();
        for number in over.iter().take(over.len().saturating_sub(OVER_MAX)) {
            self.all.remove(number);
        }
    }

    /// Works out what is in force.
    pub(crate) fn index(&mut self, is_spared: impl Fn(PersonId) -> bool) {
        let (mut blocked, mut slowed) = (HashMap::new(), HashMap::new());
        let mut tightened = HashMap::<PersonId, u64>::new();
        for run in self.all.values() {
            let people = run.beginning.people.iter().copied();
            let people: Vec<PersonId> = people.filter(|it| 0 < it.0 && !is_spared(*it)).collect();
            for (_, measure, until) in run.in_force() {
                let until = until.unwrap_or(NEVER);
                let at_most = if run.is_kept { NEVER } else { until.plus(PAST_END_MAX) };
                let until = if run.is_kept { NEVER } else { until };
                for person in people.iter().copied() {
                    match measure {
                        Measure::Block { .. } => {
                            let it = blocked.entry(person).or_insert((until, at_most));
                            *it = (*it).max((until, at_most));
                        }
                        Measure::Slow { per_minute, .. } => {
                            let limit = Limit { per_minute: *per_minute };
                            slowed.insert(person, (limit, at_most));
                        }
                        Measure::Tighten { tokens_day, .. } => {
                            let it = tightened.entry(person).or_insert(*tokens_day);
                            *it = (*it).min(*tokens_day);
                        }
                        Measure::Pause { .. }
                        | Measure::Gather { .. }
                        | Measure::ListTouched { .. }
                        | Measure::ProposeRule
                        | Measure::Compare => {}
                    }
                }
            }
        }
        (self.blocked, self.slowed, self.tightened) = (blocked, slowed, tightened);
    }
}

impl Run {
    /// True if an officer can stop or undo something of it.
    #[must_use]
    pub fn can_be_undone(&self) -> bool {
        let is_at_work = self.stand == Stand::Acting && self.next().is_some();
        is_at_work || self.in_force().next().is_some() || self.proposed_rule().is_some()
    }

    /// The name of the rule that it proposed, while that is not undone.
    #[must_use]
    pub fn proposed_rule(&self) -> Option<String> {
        let is_taken = self.each().any(|(_, measure, state)| match state {
            State::Taken { .. } => *measure == Measure::ProposeRule,
            State::Waits | State::LeftOut(_) | State::Over(_) => false,
        });
        is_taken.then(|| format!("{RULE}{}", self.number()))
    }

    fn take(&mut self, change: RunChange) {
        match change {
            RunChange::Begun { .. } => {}
            RunChange::Decided { yes, .. } => {
                self.stand = if yes { Stand::Acting } else { Stand::Stopped };
            }
            RunChange::Taken { step, until, found, .. } => {
                if let Some(state) = self.state(step) {
                    *state = State::Taken { until, found };
                }
            }
            RunChange::LeftOut { step, why, .. } => {
                if let Some(state) = self.state(step) {
                    *state = State::LeftOut(why);
                }
            }
            RunChange::Ended { step, .. } => {
                if let Some(state) = self.state(step)
                    && let State::Taken { found, .. } = state
                {
                    *state = State::Over(std::mem::take(found));
                }
            }
            RunChange::Undone { .. } => {
                self.stand = Stand::Stopped;
                self.lift(|it| it.holds() || matches!(it, Measure::ProposeRule));
            }
            RunChange::Lapsed { .. } => self.stand = Stand::Stopped,
            RunChange::Kept { .. } => self.is_kept = true,
            RunChange::Told { .. } => self.is_told = true,
        }
    }
}
