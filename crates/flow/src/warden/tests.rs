//! Goal: whatever is seen, whenever the warden dies, whatever the clock does and officers say, each step
//! is taken and undone at most once, nobody with a role is touched, and what has an end ends. Method: the
//! roster's own state behind a core that crashes, under 2,000 seeds.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    incident::{Kind, Severity as IncidentSeverity, Sign},
    playbook::{Mode, Per, Stand, State, Trigger},
    right::Role,
    roster::{Change, Founding, View, try_order, view_with},
};

const OFFICER: PersonId = PersonId(1);
const GUESTS: [PersonId; 4] = [PersonId(2), PersonId(3), PersonId(4), PersonId(5)];
const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_secs(60);

fn playbook(name: &str, mode: Mode, when: Trigger, steps: Vec<Measure>) -> Playbook {
    let (name, description) = (name.to_owned(), String::new());
    Playbook { name, description, mode, undo_by: Role::Operator, when, steps }
}

fn when(kinds: &[Kind], count: u32, per: Per, people: u32) -> Trigger {
    let (kinds, least, within) = (kinds.to_vec(), IncidentSeverity::Low, 10 * MINUTE);
    Trigger { kinds, least, count, within, per, people }
}

fn playbooks() -> Arc<[Playbook]> {
    let block = Measure::Block { lasts: 15 * MINUTE };
    let slow = Measure::Slow { per_minute: 2, lasts: 2 * HOUR, until_usual: true };
    let tighten = Measure::Tighten { tokens_day: 100, lasts: HOUR, until_usual: true };
    let gather = Measure::Gather { within: HOUR };
    [
        playbook(
            "injection",
            Mode::Act,
            when(&[Kind::Guard], 3, Per::Person, 1),
            vec![block, gather.clone(), Measure::ProposeRule],
        ),
        playbook(
            "leaks",
            Mode::Act,
            when(&[Kind::Leak], 2, Per::Agent, 2),
            vec![Measure::Pause { lasts: Some(HOUR) }, Measure::ListTouched { within: HOUR }],
        ),
        playbook(
            "usage",
            Mode::Propose,
            when(&[Kind::Usage], 1, Per::Person, 1),
            vec![Measure::Compare, slow, tighten],
        ),
    ]
    .into()
}

fn founded(is_open_to_all: bool) -> View {
    let sage = protocol::Agent {
        name: "sage".parse().unwrap(),
        description: String::new(),
        instructions: "Be wise.".to_owned(),
        models: Vec::new(),
        paused: false,
        memory: None,
        proposes_facts: false,
        examples: Default::default(),
        tools: Vec::new(),
        may_ask: Vec::new(),
        may_hand_to: Vec::new(),
    };
    let founding = Founding {
        agents: vec![sage],
        roles: [(OFFICER, Role::Owner)].into(),
        open_to_all: is_open_to_all,
        allowed: GUESTS.iter().map(|it| it.0).collect(),
        playbooks: playbooks(),
        ..Founding::default()
    };
    view_with(&founding, Vec::new())
}

fn sign(kind: Kind, person: PersonId, at: Timestamp) -> Sign {
    Sign {
        kind,
        incident: 7,
        severity: IncidentSeverity::Medium,
        person: Some(person),
        agent: Some("sage".parse().unwrap()),
        at,
        times: 1,
    }
}

/// The hall's state, a core, and what is on its way between them.
struct World {
    view: View,
    core: Core,
    counts: Counts,
    now: Timestamp,
    waiting: Vec<Effect>,
    told: Vec<u64>,
    taken: BTreeMap<(u64, u32), u32>,
    ended: BTreeMap<(u64, u32), u32>,
}

impl World {
    fn new(is_open_to_all: bool) -> Self {
        Self {
            view: founded(is_open_to_all),
            core: Core::new(playbooks()),
            counts: Counts::default(),
            now: Timestamp(1_700_000_000_000),
            waiting: Vec::new(),
            told: Vec::new(),
            taken: BTreeMap::new(),
            ended: BTreeMap::new(),
        }
    }

    fn input(&mut self, input: Input) {
        let facts = Facts { runs: self.view.runs(), is_open_to_all: self.view.is_open_to_all() };
        for effect in self.core.step(input, (facts, &mut self.counts), self.now) {
            match effect {
                Effect::Tell(run) => self.told.push(run),
                Effect::Order(_) | Effect::Look { .. } => self.waiting.push(effect),
            }
        }
        assert!(self.waiting.len() <= 1, "one at a time: {:?}", self.waiting);
    }

    /// The roster makes a change, or says why not.
    fn change(&mut self, change: &RunChange) -> Result<(), AdministerError> {
        let order = Order::by_playbook(change.clone()).expect("no officer's word");
        try_order(&mut self.view, &order)?;
        match change {
            RunChange::Taken { run, step, .. } => {
                *self.taken.entry((*run, *step)).or_default() += 1
            }
            RunChange::Ended { run, step } => *self.ended.entry((*run, *step)).or_default() += 1,
            RunChange::Begun { .. }
            | RunChange::Decided { .. }
            | RunChange::Lapsed { .. }
            | RunChange::LeftOut { .. }
            | RunChange::Undone { .. }
            | RunChange::Kept { .. }
            | RunChange::Told { .. } => {}
        }
        Ok(())
    }

    fn answer(&mut self) -> bool {
        let Some(effect) = self.waiting.pop() else { return false };
        match effect {
            Effect::Order(change) => {
                let done = self.change(&change).map_err(|error| refused(&error));
                self.input(Input::Settled(done));
            }
            Effect::Look { .. } => self.input(Input::Looked(Some(Found::default()))),
            Effect::Tell(_) => unreachable!("it is told at once"),
        }
        true
    }

    fn settle(&mut self) {
        while self.answer() {}
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now.plus(span);
        self.input(Input::Passed(BTreeSet::new()));
        self.settle();
    }

    fn officer(&mut self, change: Change) -> Result<(), AdministerError> {
        let order = self.view.order(OFFICER, change).expect("they are the owner");
        try_order(&mut self.view, &order)
    }

    fn seen(&mut self, kind: Kind, person: PersonId) {
        self.input(Input::Seen(sign(kind, person, self.now)));
        self.settle();
    }

    fn blocked(&self, person: PersonId) -> bool {
        self.view.runs().blocked(person, self.now).is_some()
    }

    fn sage_rests(&self) -> bool {
        self.view.agent(&"sage".parse().unwrap()).unwrap().paused
    }
}

#[test]
fn the_third_attempt_blocks_its_person_and_the_block_ends_by_itself() {
    let mut world = World::new(false);
    let [ben, cleo, ..] = GUESTS;
    for _ in 0..2 {
        world.seen(Kind::Guard, ben);
        world.seen(Kind::Guard, cleo);
    }
    assert!(!world.blocked(ben));
    world.seen(Kind::Guard, ben);
    assert!(world.blocked(ben) && !world.blocked(cleo));
    let run = world.view.runs().open().next().unwrap();
    assert_eq!((run.beginning.people.as_slice(), run.beginning.signs), ([ben].as_slice(), 3));
    assert_eq!(world.told, [1], "told once, when all is done");
    world.pass(14 * MINUTE);
    assert!(world.blocked(ben), "not yet");
    world.pass(MINUTE);
    assert!(!world.blocked(ben));
    assert_eq!(world.view.runs().open().count(), 0);
    // What lies longer apart than the playbook says is not counted together.
    world.seen(Kind::Guard, cleo);
    world.pass(11 * MINUTE);
    world.seen(Kind::Guard, cleo);
    world.seen(Kind::Guard, cleo);
    assert!(!world.blocked(cleo));
}

#[test]
fn playbook_2_after_a_start_nothing_lasts_longer_than_it_says_whatever_the_clock_did() {
    let (mut world, ben) = (World::new(false), GUESTS[0]);
    (0..3).for_each(|_| world.seen(Kind::Guard, ben));
    // The next incarnation begins with a clock that was set back by two days.
    world.core = Core::new(playbooks());
    world.now = Timestamp(world.now.0 - 48 * 3_600_000);
    world.pass(Duration::ZERO);
    world.pass(14 * MINUTE);
    assert!(world.blocked(ben));
    world.pass(MINUTE);
    assert!(!world.blocked(ben), "it lasts no longer than it says");
}

#[test]
fn an_agent_is_paused_only_for_two_people_and_in_an_open_hall_only_when_an_officer_says_so() {
    let [ben, cleo, ..] = GUESTS;
    let mut world = World::new(false);
    (0..9).for_each(|_| world.seen(Kind::Leak, ben));
    assert!(!world.sage_rests(), "one person alone puts no agent to rest");
    world.seen(Kind::Leak, cleo);
    assert!(world.sage_rests());
    world.pass(HOUR);
    assert!(!world.sage_rests());
    let mut open = World::new(true);
    open.seen(Kind::Leak, ben);
    open.seen(Kind::Leak, cleo);
    assert!(!open.sage_rests() && open.told == [1], "it asks");
    open.officer(Change::Played(RunChange::Decided { run: 1, yes: true })).unwrap();
    open.pass(MINUTE);
    assert!(open.sage_rests() && open.told == [1, 1], "and says what it did then");
}

#[test]
fn a_proposal_that_nobody_answers_is_none_any_more_after_a_day() {
    let mut world = World::new(false);
    world.seen(Kind::Usage, GUESTS[0]);
    assert_eq!(world.view.runs().open().next().unwrap().stand, Stand::Proposed);
    world.pass(23 * HOUR);
    assert_eq!(world.view.runs().open().count(), 1);
    world.pass(2 * HOUR);
    assert_eq!(world.view.runs().open().count(), 0);
}

#[test]
fn what_is_as_usual_again_is_relaxed_at_once() {
    let (mut world, ben) = (World::new(false), GUESTS[0]);
    world.seen(Kind::Usage, ben);
    world.officer(Change::Played(RunChange::Decided { run: 1, yes: true })).unwrap();
    world.pass(MINUTE);
    assert!(world.view.runs().slowed(ben, world.now).is_some());
    let whose = crate::treasurer::caps::Whose::Person(ben);
    assert_eq!(world.view.caps().of(&whose).day.tokens, Some(100));
    world.input(Input::Passed([1].into()));
    world.settle();
    assert!(world.view.runs().slowed(ben, world.now).is_none());
    assert_eq!(world.view.caps().of(&whose).day.tokens, None);
}

#[test]
fn playbook_5_an_officers_word_stands_whatever_the_playbook_does_later() {
    let [ben, cleo, ..] = GUESTS;
    let mut world = World::new(false);
    (0..3).for_each(|_| world.seen(Kind::Guard, ben));
    world.officer(Change::Played(RunChange::Undone { run: 1 })).unwrap();
    assert!(!world.blocked(ben));
    let again = world.officer(Change::Played(RunChange::Undone { run: 1 }));
    assert_eq!(again, Err(AdministerError::Settled), "a second press changes nothing");
    (0..3).for_each(|_| world.seen(Kind::Guard, ben));
    assert!(world.blocked(ben));
    world.officer(Change::Unblocked { id: ben.0 }).unwrap();
    assert!(!world.blocked(ben));
    (0..3).for_each(|_| world.seen(Kind::Guard, cleo));
    world.officer(Change::Played(RunChange::Kept { run: 3 })).unwrap();
    world.pass(48 * HOUR);
    assert!(world.blocked(cleo), "kept until somebody undoes it");
    world.seen(Kind::Leak, ben);
    world.seen(Kind::Leak, cleo);
    assert!(world.sage_rests());
    world.officer(Change::Paused { name: "sage".parse().unwrap() }).unwrap();
    world.pass(2 * HOUR);
    assert!(world.sage_rests(), "from then on it rests because an officer says so");
}

#[test]
fn the_same_rule_is_proposed_once_and_a_few_at_a_time_and_undone_unless_somebody_took_it_on() {
    let mut world = World::new(false);
    let rules = |world: &World| world.view.own_rules().all().len();
    let propose = |world: &mut World, pattern: &str| {
        let run = world.view.runs().next_number();
        let person = PersonId(i64::try_from(run).unwrap() + 100);
        (0..3).for_each(|_| world.input(Input::Seen(sign(Kind::Guard, person, world.now))));
        loop {
            match world.waiting.as_slice() {
                [] => return run,
                [Effect::Look { measure: Measure::ProposeRule, .. }] => {
                    world.waiting.clear();
                    let rule = screening::OwnRule {
                        name: format!("playbook_{run}"),
                        action: screening::Action::Refuse,
                        pattern: pattern.to_owned(),
                        mode: screening::Mode::Test,
                    };
                    let found = Found { rule: Some(rule), ..Found::default() };
                    world.input(Input::Looked(Some(found)));
                }
                [_, ..] => drop(world.answer()),
            }
        }
    };
    let first = propose(&mut world, "one");
    let again = propose(&mut world, "one");
    assert_eq!(rules(&world), 1);
    let left_out = &world.view.runs().get(again).unwrap().steps[2];
    assert_eq!(*left_out, State::LeftOut(Spared::SoAlready));
    let name = format!("playbook_{first}");
    let shadow = crate::roster::RuleChange::ModeSet { name, mode: screening::Mode::Shadow };
    world.officer(Change::Ruled(shadow)).unwrap();
    world.officer(Change::Played(RunChange::Undone { run: first })).unwrap();
    assert_eq!(rules(&world), 1, "an officer took it on");
    let second = propose(&mut world, "two");
    world.officer(Change::Played(RunChange::Undone { run: second })).unwrap();
    assert_eq!(rules(&world), 1, "nobody took this one on");
    for number in 0..30 {
        propose(&mut world, &format!("other {number}"));
    }
    assert_eq!(rules(&world), 21);
}

#[test]
fn playbook_3_whoever_has_a_role_is_spared_also_if_they_get_it_later() {
    let mut world = World::new(false);
    (0..3).for_each(|_| world.seen(Kind::Guard, OFFICER));
    assert!(!world.blocked(OFFICER), "even if its signs were counted");
    let run = world.view.runs().get(1).unwrap();
    assert_eq!(run.steps[0], State::LeftOut(Spared::Officers));
    let cleo = GUESTS[1];
    (0..3).for_each(|_| world.seen(Kind::Guard, cleo));
    assert!(world.blocked(cleo));
    world.officer(Change::RoleGiven { id: cleo.0, role: Role::Auditor }).unwrap();
    assert!(!world.blocked(cleo));
}

struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// One run of the simulation.
struct Simulation {
    world: World,
    dice: Dice,
    /// What the roster has not made yet, and nobody waits for.
    late: Vec<RunChange>,
    /// An officer put the agent to rest and did not wake it.
    is_put_to_rest: bool,
}

impl Simulation {
    fn person(&mut self) -> PersonId {
        let at = usize::try_from(self.dice.roll(5)).unwrap();
        GUESTS.get(at).copied().unwrap_or(OFFICER)
    }

    /// What becomes of a change of which nobody hears: it is made, or lost, or waits with the roster and
    /// is made later.
    fn lose(&mut self, change: RunChange) {
        match self.dice.roll(3) {
            0 => drop(self.world.change(&change)),
            1 => self.late.push(change),
            _ => {}
        }
    }

    fn make_what_is_late(&mut self) {
        if let Some(change) = self.late.pop() {
            // lost-ok: nobody waits for it any more.
            self.world.change(&change).ok();
        }
    }

    /// The warden dies: what was on its way is not heard of.
    fn crash(&mut self) {
        if let Some(Effect::Order(change)) = self.world.waiting.pop() {
            self.lose(change);
        }
        self.world.core = Core::new(playbooks());
        if self.dice.roll(2) == 0 {
            // The whole process.
            self.world.counts = Counts::default();
        }
        // The next one reads the wall clock, which may be anywhere.
        let jump = self.dice.roll(96 * 3_600_000);
        self.world.now = Timestamp(1_700_000_000_000 + jump);
    }

    /// A change that nobody heard of is ordered again, as it may not have been made.
    fn answer_badly(&mut self) {
        let Some(effect) = self.world.waiting.pop() else { return };
        match effect {
            Effect::Order(change) => {
                self.lose(change);
                self.world.input(Input::Settled(Err(Refused::NotStored)));
            }
            Effect::Look { .. } => self.world.input(Input::Looked(None)),
            Effect::Tell(_) => unreachable!("it is told at once"),
        }
    }

    fn officer(&mut self) {
        let run = 1 + self.dice.roll(self.world.view.runs().next_number());
        let person = self.person();
        let name = || "sage".parse().unwrap();
        let roll = self.dice.roll(8);
        let change = match roll {
            0 => Change::Played(RunChange::Undone { run }),
            1 => Change::Played(RunChange::Kept { run }),
            2 | 3 => Change::Played(RunChange::Decided { run, yes: self.dice.roll(3) != 0 }),
            4 => Change::Unblocked { id: person.0 },
            5 => Change::Paused { name: name() },
            6 => Change::Resumed { name: name() },
            _ if person == OFFICER => return,
            _ if self.world.view.role(person).is_some() => Change::RoleTaken { id: person.0 },
            _ => Change::RoleGiven { id: person.0, role: Role::Auditor },
        };
        let rests = matches!(roll, 5 | 6).then_some(roll == 5);
        if self.world.officer(change).is_ok() {
            self.is_put_to_rest = rests.unwrap_or(self.is_put_to_rest);
        }
    }

    fn go_on(&mut self) {
        match self.dice.roll(20) {
            0..6 => {
                let kinds = [Kind::Guard, Kind::Guard, Kind::Leak, Kind::Usage, Kind::Crash];
                let at = usize::try_from(self.dice.roll(5)).unwrap();
                let (kind, person) = (kinds[at], self.person());
                let sign = sign(kind, person, self.world.now);
                self.world.input(Input::Seen(sign));
            }
            6..13 => {
                self.world.answer();
            }
            13 => self.answer_badly(),
            14 => self.crash(),
            15 => self.officer(),
            16 => self.make_what_is_late(),
            _ => {
                let span = Duration::from_secs(self.dice.roll(1_200));
                self.world.now = self.world.now.plus(span);
                let number = self.world.view.runs().next_number();
                let usual: BTreeSet<u64> =
                    (self.dice.roll(6) == 0).then_some(number / 2).into_iter().collect();
                self.world.input(Input::Passed(usual));
            }
        }
        self.check();
    }

    fn check(&self) {
        let World { view, taken, ended, .. } = &self.world;
        assert!(taken.values().all(|it| *it == 1), "PLAYBOOK-1: {taken:?}");
        assert!(ended.values().all(|it| *it == 1), "PLAYBOOK-1: {ended:?}");
        for (person, ..) in view.roles() {
            for at in [0, 1_700_000_000_000, u64::MAX - 1] {
                let at = Timestamp(at);
                let touched = view.runs().blocked(person, at).is_some()
                    || view.runs().slowed(person, at).is_some();
                assert!(!touched, "PLAYBOOK-3: {person}");
            }
        }
        let rests = self.world.sage_rests();
        assert!(rests || !self.is_put_to_rest, "PLAYBOOK-5: an officer's pause was undone");
        for run in view.runs().each() {
            let waits = run.each().skip_while(|(_, _, state)| **state != State::Waits);
            let mut after = waits.filter(|(_, _, state)| matches!(state, State::Taken { .. }));
            assert_eq!(after.next(), None, "steps are taken in their order: {run:?}");
        }
    }

    /// PLAYBOOK-2: nothing more happens, and after the longest time everything is over that has an end.
    fn wind_up(&mut self) {
        while !self.late.is_empty() {
            self.make_what_is_late();
        }
        for _ in 0..8 {
            self.world.pass(13 * HOUR);
        }
        for run in self.world.view.runs().open() {
            assert!(run.is_kept, "PLAYBOOK-2: it is not over: {run:?}");
        }
        let untold = self.world.view.runs().each().find(|it| !it.is_told);
        assert_eq!(untold, None, "officers are told of every run");
        self.check();
    }
}

#[test]
fn playbook_2_whatever_fails_every_step_is_taken_once_and_ends() {
    for seed in 0..2_000 {
        let dice = Dice::new(seed);
        let world = World::new(seed % 3 == 0);
        let mut simulation = Simulation { world, dice, late: Vec::new(), is_put_to_rest: false };
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..120).for_each(|_| simulation.go_on());
            simulation.wind_up();
        }));
        assert!(ran.is_ok(), "seed {seed}");
    }
}

#[test]
fn playbook_4_no_step_is_ordered_before_the_one_before_is_settled() {
    let mut world = World::new(false);
    let ben = GUESTS[0];
    (0..3).for_each(|_| world.input(Input::Seen(sign(Kind::Guard, ben, world.now))));
    assert!(matches!(world.waiting.as_slice(), [Effect::Order(RunChange::Begun { .. })]));
    assert!(!world.blocked(ben), "nothing is in effect that is not stored");
    world.input(Input::Passed(BTreeSet::new()));
    assert_eq!(world.waiting.len(), 1, "and nothing is ordered twice");
    world.answer();
    assert!(matches!(world.waiting.as_slice(), [Effect::Order(RunChange::Taken { step: 0, .. })]));
    world.settle();
    assert!(world.blocked(ben));
}
