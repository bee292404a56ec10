//! When playbooks begin, which step is next, and when what they did is over. Pure: the warden's core.
//!
//! What has happened stands in [`Runs`], which the roster keeps durable; here is only what is in hand,
//! so that a new incarnation goes on where the last one was. One change is on its way at a time.
//!
//! Times are steady from the start on: see [`super`].

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use protocol::{AgentName, PersonId, Timestamp};

use crate::{
    incident::Sign,
    playbook::{
        Beginning, Found, Measure, Mode, PEOPLE_MAX, Per, Playbook, Run, RunChange, Runs, Spared,
        Stand,
    },
};

/// The pause before something is tried again that could not be stored or read.
const PAUSE: Duration = Duration::from_secs(1);
/// After so long whoever was told of a run has it in the alerts' own stream.
const TOLD_AFTER: Duration = Duration::from_secs(15);
/// People and agents whose signs are counted at a time.
const COUNTED_MAX: usize = 10_000;
/// A proposal that nobody has answered for so long is none any more.
const PROPOSED_MAX: Duration = Duration::from_hours(24);
/// What could not begin for so long does not begin any more.
const DUE_TIME_MAX: Duration = Duration::from_secs(600);
/// Beginnings that may wait.
const DUE_MAX: usize = 100;

/// What the hall is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'v> {
    /// What playbooks did.
    pub(super) runs: &'v Runs,
    /// Everybody may talk.
    pub(super) is_open_to_all: bool,
}

/// What the core is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Input {
    /// A sign of trouble that is no officer's.
    Seen(Sign),
    /// What a step was to find; `None` if it could not be read.
    Looked(Option<Found>),
    /// What became of the change on its way.
    Settled(Result<(), Refused>),
    /// Time has passed. The runs whose people use no more than is usual.
    Passed(BTreeSet<u64>),
}

/// Why a change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It could not be stored, or nobody was there to do it.
    NotStored,
    /// It was made already, or comes too late.
    Settled,
    /// It cannot be made.
    Never(Spared),
}

/// What the core wants done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// Make this change, then say `Settled`.
    Order(RunChange),
    /// Find what a step is to find, then say `Looked`.
    Look {
        /// Of which run.
        run: u64,
        /// What.
        measure: Measure,
    },
    /// Tell the officers of a run.
    Tell(u64),
}

/// By what signs are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Person(Who),
    Agent(AgentName),
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    /// By id.
    Person(PersonId),
    /// As the audit log names them; they were not seen since the start.
    Named(String),
}

impl Who {
    fn id(self) -> Option<PersonId> {
        match self {
            Self::Person(id) => Some(id),
            Self::Named(_) => None,
        }
    }
}

/// One sign that counts.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) at: Timestamp,
    pub(super) person: Option<Who>,
    pub(super) times: u32,
}

/// Signs that are not enough yet, by the playbook's place and whom they are about. They outlive the
/// warden's incarnations, and after a start they are counted from the audit log.
#[derive(Debug, Default)]
pub struct Counts {
    pub(super) all: HashMap<(usize, Subject), VecDeque<Counted>>,
    /// Who is only known as the audit log names them.
    pub(super) unseen: BTreeSet<String>,
}

/// What is on its way.
#[derive(Clone, Debug)]
enum Doing {
    Order(RunChange),
    Look(u64, u32),
}

/// The core.
#[derive(Debug)]
pub(super) struct Core {
    playbooks: Arc<[Playbook]>,
    due: VecDeque<Beginning>,
    doing: Option<Doing>,
    not_before: Timestamp,
    /// When each step that is in force is over.
    ends: HashMap<(u64, u32), Timestamp>,
    /// Found, and not stored yet.
    found: HashMap<(u64, u32), Found>,
    left_out: HashMap<(u64, u32), Spared>,
    /// When officers were told of a run: that it asks, and what it did.
    told: HashMap<(u64, bool), Timestamp>,
    usual: BTreeSet<u64>,
}

impl Core {
    /// One that has nothing in hand.
    #[must_use]
    pub(super) fn new(playbooks: Arc<[Playbook]>) -> Self {
        Self {
            playbooks,
            due: VecDeque::new(),
            doing: None,
            not_before: Timestamp(0),
            ends: HashMap::new(),
            found: HashMap::new(),
            left_out: HashMap::new(),
            told: HashMap::new(),
            usual: BTreeSet::new(),
        }
    }

    /// Takes one input and says what to do about it.
    #[must_use = "effects not carried out are lost"]
    pub(super) fn step(
        &mut self,
        input: Input,
        (facts, counts): (Facts<'_>, &mut Counts),
        now: Timestamp,
    ) -> Vec<Effect> {
        match input {
            Input::Seen(sign) => self.count(&sign, (facts, counts), now),
            Input::Looked(found) => self.looked(found, now),
            Input::Settled(settled) => self.settled(settled, now),
            Input::Passed(usual) => {
                self.usual = usual;
                self.tidy((facts.runs, counts), now);
            }
        }
        let mut effects = self.tell(facts.runs, now);
        effects.extend(self.advance(facts.runs, now));
        effects
    }

    // --- beginning ---

    fn count(&mut self, sign: &Sign, (facts, counts): (Facts<'_>, &mut Counts), now: Timestamp) {
        let counts = &mut counts.all;
        for (place, playbook) in Arc::clone(&self.playbooks).iter().enumerate() {
            let when = &playbook.when;
            if !when.kinds.contains(&sign.kind) || sign.severity < when.least {
                continue;
            }
            let subject = match when.per {
                Per::Person => sign.person.map(Who::Person).map(Subject::Person),
                Per::Agent => sign.agent.clone().map(Subject::Agent),
            };
            let Some(subject) = subject else { continue };
            let key = (place, subject);
            if COUNTED_MAX <= counts.len() && !counts.contains_key(&key) {
                // lost-ok: more people at once than playbooks can help against; officers see the
                // incidents.
                continue;
            }
            let counted = counts.entry(key.clone()).or_default();
            let person = sign.person.map(Who::Person);
            counted.push_back(Counted { at: now, person, times: sign.times });
            counted.retain(|it| now <= it.at.plus(when.within));
            let signs = counted.iter().fold(0_u32, |sum, it| sum.saturating_add(it.times));
            let mut people: Vec<Who> =
                counted.iter().rev().filter_map(|it| it.person.clone()).collect();
            let mut known = BTreeSet::new();
            people.retain(|it| known.insert(it.clone()));
            if signs < when.count || known.len() < usize::try_from(when.people).unwrap_or_default()
            {
                while usize::try_from(when.count).unwrap_or(usize::MAX) < counted.len() {
                    counted.pop_front();
                }
                continue;
            }
            counts.remove(&key);
            // Of whom nothing is known but a hash nothing can be said or done.
            let mut people: Vec<PersonId> = people.into_iter().filter_map(Who::id).collect();
            people.truncate(PEOPLE_MAX);
            let of_agent = when.per == Per::Agent;
            // In a hall that is open to everybody people are cheap: it asks before everybody feels it.
            let asks = facts.is_open_to_all && playbook.pauses();
            let beginning = Beginning {
                run: 0,
                playbook: playbook.name.clone(),
                incident: sign.incident,
                mode: if asks { Mode::Propose } else { playbook.mode },
                undo_by: playbook.undo_by,
                people,
                agent: sign.agent.clone(),
                of_agent,
                signs,
                at: now,
                steps: playbook.steps.clone(),
            };
            let is_known = facts.runs.open().any(|it| it.is_like(&beginning))
                || self.due.iter().any(|it| it.is_like(&beginning));
            if !is_known && self.due.len() < DUE_MAX {
                self.due.push_back(beginning);
            }
        }
    }

    // --- what came of it ---

    fn looked(&mut self, found: Option<Found>, now: Timestamp) {
        let Some(Doing::Look(run, step)) = self.doing.take() else { return };
        match found {
            Some(found) => drop(self.found.insert((run, step), found)),
            None => self.not_before = now.plus(PAUSE),
        }
    }

    fn settled(&mut self, settled: Result<(), Refused>, now: Timestamp) {
        let Some(Doing::Order(change)) = self.doing.take() else { return };
        if let (RunChange::Taken { run, step, .. }, Ok(()) | Err(Refused::Never(_))) =
            (&change, settled)
        {
            // It may hold words of somebody, and is not needed any more.
            self.found.remove(&(*run, *step));
        }
        match settled {
            Ok(()) => {
                if let RunChange::Begun { .. } = change {
                    self.due.pop_front();
                }
            }
            // Where it was about a beginning, another one may have taken its number: it is looked again.
            Err(Refused::Settled) if !matches!(change, RunChange::Begun { .. }) => {}
            Err(Refused::Settled | Refused::NotStored) => self.not_before = now.plus(PAUSE),
            Err(Refused::Never(why)) => match change {
                RunChange::Taken { run, step, .. } => {
                    self.left_out.insert((run, step), why);
                }
                RunChange::Begun { .. } => drop(self.due.pop_front()),
                // Whatever refuses these refuses them for a while: they are tried again.
                RunChange::LeftOut { .. }
                | RunChange::Lapsed { .. }
                | RunChange::Ended { .. }
                | RunChange::Told { .. }
                | RunChange::Decided { .. }
                | RunChange::Undone { .. }
                | RunChange::Kept { .. } => self.not_before = now.plus(PAUSE),
            },
        }
    }

    /// Lets go of what is over.
    fn tidy(&mut self, (runs, counts): (&Runs, &mut Counts), now: Timestamp) {
        let playbooks = Arc::clone(&self.playbooks);
        counts.all.retain(|(place, _), counted| {
            let within = playbooks.get(*place).map(|it| it.when.within).unwrap_or_default();
            counted.retain(|it| now <= it.at.plus(within));
            !counted.is_empty()
        });
        self.due.retain(|it| now <= it.at.plus(DUE_TIME_MAX));
        let is_open = |run: u64| runs.get(run).is_some_and(|it| !it.is_over());
        self.ends.retain(|(run, _), _| is_open(*run));
        self.found.retain(|(run, _), _| is_open(*run));
        self.left_out.retain(|(run, _), _| is_open(*run));
        self.told.retain(|(run, _), _| runs.get(*run).is_some_and(|it| !it.is_told));
    }

    // --- what is next ---

    /// Every run is told once it has done what it can, or asks.
    fn tell(&mut self, runs: &Runs, now: Timestamp) -> Vec<Effect> {
        let ready = runs.each().filter(|it| !it.is_told && it.next().is_none());
        let mut untold: Vec<(u64, bool)> = ready.map(|it| told_key(it)).collect();
        untold.retain(|it| !self.told.contains_key(it));
        self.told.extend(untold.iter().map(|it| (*it, now)));
        untold.into_iter().map(|(run, _)| Effect::Tell(run)).collect()
    }

    fn advance(&mut self, runs: &Runs, now: Timestamp) -> Option<Effect> {
        if self.doing.is_some() || now < self.not_before {
            return None;
        }
        let change = self.ended(runs, now).or_else(|| self.lapsed(runs, now));
        let change = change.or_else(|| self.begin(runs));
        let change = match change {
            Some(change) => change,
            None => match self.next(runs, now) {
                Some(Effect::Order(change)) => change,
                Some(other @ (Effect::Look { .. } | Effect::Tell(_))) => return Some(other),
                None => self.note_told(runs, now)?,
            },
        };
        self.doing = Some(Doing::Order(change.clone()));
        Some(Effect::Order(change))
    }

    /// Nobody said whether it may act.
    fn lapsed(&self, runs: &Runs, now: Timestamp) -> Option<RunChange> {
        let is_late = |run: &&Arc<Run>| {
            let since = self.told.get(&(run.number(), true)).copied();
            let since = since.map(|it| it.min(run.beginning.at)).unwrap_or(now);
            run.stand == Stand::Proposed && since.plus(PROPOSED_MAX) <= now
        };
        let run = runs.open().find(is_late)?;
        Some(RunChange::Lapsed { run: run.number() })
    }

    /// What is over by its time, or because all is as usual again. PLAYBOOK-2.
    fn ended(&mut self, runs: &Runs, now: Timestamp) -> Option<RunChange> {
        for run in runs.open().filter(|it| !it.is_kept) {
            for (step, measure, until) in run.in_force() {
                let (Some(until), Some(lasts)) = (until, measure.lasts()) else { continue };
                // Whatever the clock did meanwhile, it lasts no longer than it was meant to.
                let end = self.ends.entry((run.number(), step));
                let end = *end.or_insert_with(|| until.min(now.plus(lasts)));
                let is_usual = measure.ends_when_usual() && self.usual.contains(&run.number());
                if end <= now || is_usual {
                    return Some(RunChange::Ended { run: run.number(), step });
                }
            }
        }
        None
    }

    fn begin(&mut self, runs: &Runs) -> Option<RunChange> {
        loop {
            let mut run = self.due.front()?.clone();
            if runs.open().any(|it| it.is_like(&run)) {
                self.due.pop_front();
                continue;
            }
            run.run = runs.next_number();
            return Some(RunChange::Begun { run });
        }
    }

    fn next(&mut self, runs: &Runs, now: Timestamp) -> Option<Effect> {
        let (run, step, measure) =
            runs.open().find_map(|run| run.next().map(|(at, it)| (run, at, it)))?;
        let number = run.number();
        if let Some(why) = self.left_out.get(&(number, step)) {
            let why = *why;
            return Some(Effect::Order(RunChange::LeftOut { run: number, step, why }));
        }
        let found = if measure.looks() {
            let Some(found) = self.found.get(&(number, step)) else {
                self.doing = Some(Doing::Look(number, step));
                return Some(Effect::Look { run: number, measure: measure.clone() });
            };
            if *measure == Measure::ProposeRule && found.rule.is_none() {
                let why = Spared::Nothing;
                return Some(Effect::Order(RunChange::LeftOut { run: number, step, why }));
            }
            found.clone()
        } else {
            Found::default()
        };
        let until = measure.lasts().map(|it| now.plus(it));
        Some(Effect::Order(RunChange::Taken { run: number, step, until, found }))
    }

    fn note_told(&self, runs: &Runs, now: Timestamp) -> Option<RunChange> {
        let is_due = |run: &&Arc<Run>| {
            let told = self.told.get(&told_key(run));
            !run.is_told
                && run.stand != Stand::Proposed
                && told.is_some_and(|it| it.plus(TOLD_AFTER) <= now)
        };
        let run = runs.each().find(is_due)?;
        Some(RunChange::Told { run: run.number() })
    }
}

fn told_key(run: &Run) -> (u64, bool) {
    (run.number(), run.stand == Stand::Proposed)
}
