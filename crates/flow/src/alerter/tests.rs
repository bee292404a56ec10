//! The book as scripts and under thousands of seeds; the rules over made-up figures.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use protocol::{
    Timestamp,
    alert::{Notification, Severity},
};

use super::{
    book::{Alert, Book, Effect, Entry, Input, Pace, Place, State},
    rules::{Bound, Reading, Rule, Rules, Signal, shipped},
    usual::{Hour, Usual},
};
use crate::tally::Watched;

const BEGIN: u64 = 1_700_000_000_000;

fn at(seconds: u64) -> Timestamp {
    Timestamp(BEGIN + seconds * 1_000)
}

fn place(name: &str, step: u8) -> Place {
    let (name, gap) = (name.to_owned(), Duration::ZERO);
    Place { name, step, least: Severity::Warning, gap }
}

fn alert(kind: &str, label: &str) -> Alert {
    let labels = match label {
        "" => BTreeMap::new(),
        label => BTreeMap::from([("which".to_owned(), label.to_owned())]),
    };
    let summary = format!("{kind} {label}");
    let (kind, is_held) = (kind.to_owned(), kind == "ruled");
    Alert { kind, labels, severity: Severity::Warning, summary, is_held }
}

/// A book with its ledger and its clock: what it wants written is written at once.
struct Desk {
    book: Book,
    places: Vec<Place>,
    ledger: Vec<Entry>,
    /// Seconds since the beginning.
    now: u64,
    /// Sinks that fail.
    down: BTreeSet<String>,
    /// The ledger fails.
    broken: bool,
    /// What every sink was told: when, and what.
    told: Vec<(u64, String, Notification)>,
}

impl Desk {
    fn new(places: &[Place]) -> Self {
        let mut desk = Self {
            book: Book::open(
                Pace::default(),
                Vec::new(),
                &BTreeSet::new(),
                &State::default(),
                at(0),
            ),
            places: places.to_vec(),
            ledger: Vec::new(),
            now: 0,
            down: BTreeSet::new(),
            broken: false,
            told: Vec::new(),
        };
        desk.restart();
        desk
    }

    /// The process dies and starts again.
    fn restart(&mut self) {
        let mut state = State::default();
        self.ledger.iter().for_each(|it| {
            // Through JSON, as it is stored.
            let text = serde_json::to_string(it).unwrap();
            state.fold(serde_json::from_str(&text).unwrap());
        });
        let holders = BTreeSet::from(["ruled".to_owned()]);
        self.book =
            Book::open(Pace::default(), self.places.clone(), &holders, &state, at(self.now));
    }

    fn step(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for effect in self.book.step(input, at(self.now)) {
                inputs.insert(
                    0,
                    match effect {
                        Effect::Write(entries) if !self.broken => {
                            self.ledger.extend(entries);
                            Input::Written(true)
                        }
                        Effect::Write(_) => Input::Written(false),
                        Effect::Tell { sink, .. } if self.down.contains(&sink) => {
                            Input::NotTold { sink, retry_after: None, chance: 1.0 }
                        }
                        Effect::Tell { sink, notification } => {
                            self.told.push((self.now, sink.clone(), notification));
                            Input::Told { sink }
                        }
                    },
                );
            }
        }
    }

    /// So many seconds pass.
    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += 1;
            self.step(Input::Passed);
        }
    }

    /// What was told since: `12 mail: disk! (3)`, one a line; `.` for what is over.
    fn lines(&mut self) -> Vec<String> {
        let line = |(now, sink, it): (u64, String, Notification)| {
            let end = if it.is_over() { "." } else { "!" };
            format!("{now} {sink}: {}{end} ({})", it.kind, it.count())
        };
        self.told.drain(..).map(line).collect()
    }
}

#[test]
fn alerter_1_a_thousand_of_a_kind_are_three_messages_and_the_last_says_that_it_is_over() {
    let mut desk = Desk::new(&[place("mail", 0)]);
    (0..1_000).for_each(|_| desk.step(Input::Happened(alert("x", ""))));
    assert_eq!(desk.lines(), ["0 mail: x! (1)"], "the first is told at once");
    let writes = desk.ledger.len();
    assert!(writes <= 3, "a flood is not a flood of writes: {writes}");
    desk.wait(1_500);
    assert_eq!(desk.lines(), ["600 mail: x. (1000)"], "how many there were is told at the end");
    assert!(desk.book.lines().is_empty(), "and nothing is kept of it");
}

#[test]
fn alerter_1_a_thousand_different_ones_of_a_kind_are_grouped() {
    let mut desk = Desk::new(&[place("mail", 0)]);
    (0..1_000).for_each(|it| desk.step(Input::Happened(alert("x", &it.to_string()))));
    desk.wait(29);
    assert_eq!(desk.lines(), ["0 mail: x! (1)"]);
    desk.wait(1_500);
    assert_eq!(desk.lines(), ["30 mail: x! (1000)", "600 mail: x. (1000)"]);
}

#[test]
fn what_goes_on_and_on_is_told_once_a_window() {
    let mut desk = Desk::new(&[place("mail", 0)]);
    for _ in 0..1_300 {
        desk.step(Input::Happened(alert("x", "")));
        desk.wait(1);
    }
    assert_eq!(desk.lines(), ["0 mail: x! (1)", "600 mail: x! (600)", "1200 mail: x! (1200)"]);
}

#[test]
fn alerter_4_whoever_was_told_hears_the_end_and_a_flapping_rule_does_not_flood() {
    let mut desk = Desk::new(&[place("mail", 0), place("pager", 0)]);
    desk.step(Input::Began(alert("ruled", "")));
    desk.step(Input::Began(alert("ruled", "")));
    desk.wait(60);
    desk.step(Input::Over("ruled".to_owned()));
    assert_eq!(
        desk.lines(),
        [
            "0 mail: ruled! (1)",
            "0 pager: ruled! (1)",
            "60 mail: ruled. (1)",
            "60 pager: ruled. (1)"
        ]
    );
    for _ in 0..100 {
        desk.step(Input::Began(alert("ruled", "")));
        desk.wait(2);
        desk.step(Input::Over("ruled".to_owned()));
        desk.wait(2);
    }
    desk.wait(1_200);
    let lines = desk.lines();
    assert!(lines.len() <= 2 * 2, "{lines:?}");
    assert!(lines.last().is_none_or(|it| it.contains("ruled.")), "{lines:?}");
}

#[test]
fn a_sink_that_is_down_is_tried_with_longer_pauses_and_the_next_step_is_taken_meanwhile() {
    let mut desk = Desk::new(&[place("chat", 0), place("mail", 1), place("sms", 2)]);
    desk.down = BTreeSet::from(["chat".to_owned()]);
    desk.step(Input::Began(alert("ruled", "")));
    desk.wait(10);
    assert_eq!(desk.lines(), ["1 mail: ruled! (1)"], "two failures: the next is told");
    desk.wait(600);
    assert_eq!(desk.lines(), [""; 0], "the one after it is not: somebody was told");
    desk.down.clear();
    desk.step(Input::Acknowledged("ruled".to_owned()));
    desk.wait(300);
    assert_eq!(
        desk.lines(),
        ["610 mail: ruled! (1)", "811 chat: ruled! (1)"],
        "who was told hears that it is in hand; pauses are of five minutes at most"
    );
    desk.step(Input::Over("ruled".to_owned()));
    assert_eq!(desk.lines(), ["910 chat: ruled. (1)", "910 mail: ruled. (1)"]);
}

#[test]
fn what_nobody_takes_care_of_climbs_step_by_step() {
    let mut desk = Desk::new(&[place("chat", 0), place("mail", 1), place("sms", 2)]);
    desk.step(Input::Began(alert("ruled", "")));
    desk.wait(2_000);
    assert_eq!(
        desk.lines(),
        ["0 chat: ruled! (1)", "900 mail: ruled! (1)", "1800 sms: ruled! (1)"]
    );
    let mut desk = Desk::new(&[place("chat", 0), place("mail", 1)]);
    desk.step(Input::Began(alert("ruled", "")));
    desk.step(Input::Acknowledged("ruled".to_owned()));
    desk.restart();
    desk.wait(2_000);
    assert_eq!(
        desk.lines(),
        ["0 chat: ruled! (1)", "30 chat: ruled! (1)"],
        "somebody takes care of it: that is told, and nobody else is"
    );
}

#[test]
fn only_the_worst_reaches_who_asked_for_that_and_an_empty_step_is_skipped() {
    let pager = Place { least: Severity::Critical, ..place("pager", 0) };
    let mut desk = Desk::new(&[pager.clone(), place("mail", 3)]);
    desk.step(Input::Happened(alert("x", "")));
    assert_eq!(desk.lines(), ["0 mail: x! (1)"], "nobody else wants to hear of it");
    desk.step(Input::Happened(Alert { severity: Severity::Critical, ..alert("x", "") }));
    desk.wait(40);
    assert_eq!(desk.lines(), ["30 pager: x! (2)", "30 mail: x! (2)"], "it got worse");
}

#[test]
fn of_a_silenced_kind_nobody_hears_until_the_silence_ends() {
    let mut desk = Desk::new(&[place("mail", 0)]);
    desk.step(Input::Silenced { kind: "ruled".to_owned(), until: at(3_600) });
    desk.restart();
    desk.step(Input::Began(alert("ruled", "")));
    desk.step(Input::Happened(alert("y", "")));
    desk.wait(3_000);
    assert_eq!(desk.lines(), ["0 mail: y! (1)", "600 mail: y. (1)"], "others are told");
    desk.wait(700);
    assert_eq!(desk.lines(), ["3600 mail: ruled! (1)"], "it is still so");
    desk.step(Input::Silenced { kind: "all".to_owned(), until: at(100_000) });
    desk.step(Input::Happened(alert("z", "")));
    desk.step(Input::Over("ruled".to_owned()));
    desk.wait(1_000);
    assert_eq!(desk.lines(), ["3700 mail: ruled. (1)"], "whoever was told hears that it is over");
    assert!(desk.book.lines().is_empty(), "what came and went in silence is gone");
}

#[test]
fn what_only_happens_is_not_again_after_a_while_and_what_is_held_lasts_until_its_end_is_said() {
    let mut desk = Desk::new(&[place("mail", 0)]);
    desk.step(Input::Happened(alert("x", "")));
    desk.step(Input::Happened(alert("ruled", "")));
    desk.restart();
    desk.wait(3_000);
    let ends: Vec<_> = desk.told.iter().filter(|(_, _, it)| it.is_over()).collect();
    let [(600, _, end)] = ends.as_slice() else { panic!("{ends:?}") };
    assert!(end.kind == "x" && end.is_lapsed);
    let text = crate::words::alert(end, &|_| None).into_part().plain;
    assert!(text.starts_with("☑️ Not again for 10 minutes: x"), "{text}");
    desk.step(Input::Over("ruled".to_owned()));
    let (_, _, end) = desk.told.last().unwrap();
    assert!(end.kind == "ruled" && end.is_over() && !end.is_lapsed);
}

#[test]
fn alerter_3_nobody_is_told_before_it_is_durable_unless_it_cannot_be() {
    let places = vec![place("mail", 0)];
    let mut book = Book::open(Pace::default(), places, &BTreeSet::new(), &State::default(), at(0));
    let effects = book.step(Input::Happened(alert("x", "")), at(0));
    assert!(matches!(effects.as_slice(), [Effect::Write(_)]), "{effects:?}");
    assert_eq!(book.step(Input::Passed, at(1)), [], "the disk takes its time");
    let effects = book.step(Input::Written(false), at(2));
    assert!(matches!(effects.as_slice(), [Effect::Tell { .. }]), "{effects:?}");
    let effects = book.step(Input::Told { sink: "mail".to_owned() }, at(3));
    assert_eq!(effects, [], "the disk is left alone for a moment");
    assert!(matches!(book.step(Input::Passed, at(7)).as_slice(), [Effect::Write(_)]));
}

#[test]
fn alerter_3_who_was_not_told_before_a_restart_is_told_after_it_and_who_was_is_not() {
    let mut desk = Desk::new(&[place("chat", 0), place("mail", 0)]);
    desk.down = BTreeSet::from(["mail".to_owned()]);
    desk.step(Input::Began(alert("ruled", "")));
    desk.restart();
    desk.down.clear();
    desk.wait(10);
    assert_eq!(desk.lines(), ["0 chat: ruled! (1)", "1 mail: ruled! (1)"]);
    desk.down = BTreeSet::from(["mail".to_owned()]);
    desk.step(Input::Over("ruled".to_owned()));
    desk.restart();
    desk.wait(4_000);
    desk.down.clear();
    desk.wait(300);
    let lines = desk.lines();
    assert!(
        matches!(lines.as_slice(), [chat, mail]
        if chat == "10 chat: ruled. (1)" && mail.ends_with("mail: ruled. (1)")),
        "{lines:?}"
    );
}

#[test]
fn a_message_that_one_sink_refuses_holds_up_no_other_to_it() {
    let mut book = Book::open(
        Pace::default(),
        vec![place("mail", 0)],
        &BTreeSet::new(),
        &State::default(),
        at(0),
    );
    let mut told = BTreeSet::new();
    let mut inputs = vec![Input::Happened(alert("a", "")), Input::Happened(alert("b", ""))];
    for now in 0..30 {
        let mut next = vec![Input::Passed];
        for input in inputs.drain(..) {
            for effect in book.step(input, at(now)) {
                next.push(match effect {
                    Effect::Write(_) => Input::Written(true),
                    Effect::Tell { sink, notification } if notification.kind == "a" => {
                        Input::NotTold { sink, retry_after: None, chance: 0.0 }
                    }
                    Effect::Tell { sink, notification } => {
                        told.insert(notification.kind);
                        Input::Told { sink }
                    }
                });
            }
        }
        inputs = next;
    }
    assert_eq!(told, BTreeSet::from(["b".to_owned()]));
}

#[test]
fn a_sink_that_asks_to_wait_is_left_alone_for_so_long() {
    let mut book = Book::open(
        Pace::default(),
        vec![place("mail", 0)],
        &BTreeSet::new(),
        &State::default(),
        at(0),
    );
    drop(book.step(Input::Happened(alert("a", "")), at(0)));
    assert!(matches!(book.step(Input::Written(true), at(0)).as_slice(), [Effect::Tell { .. }]));
    let retry_after = Some(Duration::from_secs(120));
    let refused = Input::NotTold { sink: "mail".to_owned(), retry_after, chance: 0.0 };
    assert_eq!(book.step(refused, at(0)), []);
    assert_eq!(book.step(Input::Passed, at(119)), []);
    assert!(matches!(book.step(Input::Passed, at(120)).as_slice(), [Effect::Tell { .. }]));
}

#[test]
fn a_clock_that_was_set_back_holds_nothing_up() {
    let mut desk = Desk::new(&[place("mail", 0)]);
    desk.now = 1_000_000;
    desk.step(Input::Began(alert("ruled", "")));
    desk.step(Input::Happened(alert("x", "")));
    desk.now = 0;
    desk.restart();
    desk.wait(601);
    desk.step(Input::Over("ruled".to_owned()));
    let lines = desk.lines();
    assert!(lines.contains(&"600 mail: x. (1)".to_owned()), "{lines:?}");
    assert!(lines.contains(&"601 mail: ruled. (1)".to_owned()), "{lines:?}");
}

// === Thousands of interleavings ===

/// A small generator (`SplitMix64`): the same seed, the same run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (it ^ (it >> 31)) % sides
    }
}

/// A hall whose ledger is slow and whose sinks are slow and fail, and which dies at any moment.
struct World {
    dice: Dice,
    book: Book,
    places: Vec<Place>,
    ledger: Vec<Entry>,
    now: u64,
    /// What is under way, with when it ends.
    under_way: Vec<(u64, Ending)>,
    is_calm: bool,
    /// What each sink was told last of each kind: the version's key, and whether it was over.
    last: BTreeMap<(String, String), (String, bool)>,
    /// When each sink was told which version of each kind.
    times: BTreeMap<(String, String), Vec<(u64, u64)>>,
    /// Kinds that are durable as open.
    durable: BTreeSet<String>,
    /// Who was told of what could not be written: after a crash nobody knows of it.
    in_vain: BTreeSet<(String, String)>,
}

enum Ending {
    Write(Vec<Entry>, bool),
    Tell(String, Notification, bool),
}

const KINDS: [&str; 4] = ["ruled", "a", "b", "c"];

impl World {
    fn new(seed: u64) -> Self {
        let places = vec![place("chat", 0), place("mail", 0), place("pager", 1)];
        let holders = BTreeSet::from(["ruled".to_owned()]);
        let book = Book::open(Pace::default(), places.clone(), &holders, &State::default(), at(0));
        Self {
            dice: Dice(seed),
            book,
            places,
            ledger: Vec::new(),
            now: 0,
            under_way: Vec::new(),
            is_calm: false,
            last: BTreeMap::new(),
            times: BTreeMap::new(),
            durable: BTreeSet::new(),
            in_vain: BTreeSet::new(),
        }
    }

    fn step(&mut self, input: Input) {
        for effect in self.book.step(input, at(self.now)) {
            let (late, fails) = match self.is_calm {
                true => (0, false),
                false => (self.dice.roll(4), self.dice.roll(3) == 0),
            };
            let ending = match effect {
                Effect::Write(entries) => Ending::Write(entries, fails),
                Effect::Tell { sink, notification } => {
                    if self.book.is_excused(&notification.kind) {
                        self.in_vain.insert((sink.clone(), notification.kind.clone()));
                    }
                    Ending::Tell(sink, notification, fails)
                }
            };
            self.under_way.push((self.now + late, ending));
        }
    }

    fn crash(&mut self) {
        // What was under way may have been done, and nobody knows.
        for (_, ending) in std::mem::take(&mut self.under_way) {
            match ending {
                Ending::Write(entries, false) if self.dice.roll(2) == 0 => self.keep(entries),
                Ending::Tell(sink, it, false) if self.dice.roll(2) == 0 => self.note(&sink, &it),
                Ending::Write(..) | Ending::Tell(..) => {}
            }
        }
        let mut state = State::default();
        self.ledger.iter().cloned().for_each(|it| state.fold(it));
        if self.dice.roll(2) == 0 {
            // From a snapshot and the entries since, which may be in it.
            let text = serde_json::to_string(&state).unwrap();
            state = serde_json::from_str(&text).unwrap();
            self.ledger.iter().rev().take(3).rev().cloned().for_each(|it| state.fold(it));
        }
        let holders = BTreeSet::from(["ruled".to_owned()]);
        self.book =
            Book::open(Pace::default(), self.places.clone(), &holders, &state, at(self.now));
    }

    fn keep(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            match &entry {
                Entry::Group(group) => drop(self.durable.insert(group.kind.clone())),
                Entry::Closed { .. } | Entry::Silence { .. } | Entry::Hour(_) => {}
            }
            self.ledger.push(entry);
        }
    }

    fn note(&mut self, sink: &str, it: &Notification) {
        let of = (sink.to_owned(), it.kind.clone());
        self.last.insert(of.clone(), (it.key(), it.is_over()));
        let times = self.times.entry(of).or_default();
        // The same version again is no new one.
        if times.last().is_none_or(|(version, _)| *version != it.version) {
            times.push((it.version, self.now));
        }
    }

    fn end_what_is_due(&mut self) {
        while let Some(place) = self.under_way.iter().position(|(due, _)| *due <= self.now) {
            match self.under_way.swap_remove(place).1 {
                Ending::Write(entries, fails) => {
                    if !fails {
                        self.keep(entries);
                    }
                    self.step(Input::Written(!fails));
                }
                Ending::Tell(sink, _, true) => {
                    let chance = f64::from(u32::try_from(self.dice.roll(100)).unwrap()) / 100.0;
                    self.step(Input::NotTold { sink, retry_after: None, chance });
                }
                Ending::Tell(sink, it, false) => {
                    self.note(&sink, &it);
                    self.step(Input::Told { sink });
                }
            }
        }
    }

    fn seconds(&mut self, seconds: u64) {
        self.now += seconds;
        self.end_what_is_due();
        self.step(Input::Passed);
    }

    fn something(&mut self) {
        let kind = KINDS[usize::try_from(self.dice.roll(4)).unwrap()];
        let label = ["", "1", "2"][usize::try_from(self.dice.roll(3)).unwrap()];
        match self.dice.roll(12) {
            0..=4 if kind != "ruled" => self.step(Input::Happened(alert(kind, label))),
            0..=5 => self.step(Input::Began(alert("ruled", ""))),
            6 => self.step(Input::Over("ruled".to_owned())),
            7 => self.step(Input::Acknowledged(kind.to_owned())),
            8 => self.crash(),
            _ => {
                let steps = 1 + self.dice.roll(40);
                (0..steps).for_each(|_| self.seconds(3));
            }
        }
    }
}

#[test]
fn alerter_3_and_4_whoever_is_behind_is_told_in_the_end_in_2_500_seeds_with_crashes() {
    let seeds = 2_500;
    for seed in 0..seeds {
        let mut world = World::new(seed);
        for _ in 0..40 {
            world.something();
        }
        let open: Vec<String> =
            world.book.lines().into_iter().filter(|it| !it.is_over).map(|it| it.kind).collect();
        world.is_calm = true;
        world.step(Input::Over("ruled".to_owned()));
        // The longest pause of a sink, and the window in which an end may have to wait.
        (0..400).for_each(|_| world.seconds(5));
        assert!(world.book.lines().is_empty(), "seed {seed}: {:?}", world.book.lines());
        for kind in open.iter().chain(&world.durable) {
            for sink in ["chat", "mail"] {
                let last = world.last.get(&(sink.to_owned(), kind.clone()));
                assert!(last.is_some(), "ALERTER-3, seed {seed}: {sink} never heard of {kind}");
            }
        }
        for (of @ (sink, kind), (_, is_over)) in &world.last {
            assert!(
                *is_over || world.in_vain.contains(of),
                "ALERTER-4, seed {seed}: {sink} never heard the end of {kind}"
            );
        }
    }
}

#[test]
fn alerter_1_in_2_500_seeds_no_window_has_more_than_three_versions_of_a_kind() {
    let pace = Pace::default();
    for seed in 10_000..12_500 {
        let mut world = World::new(seed);
        // Sinks that answer at once: what is seen is the pace of the book, and not theirs.
        for _ in 0..60 {
            world.is_calm = true;
            world.something();
        }
        // Who is told only after a while may hear of an older version then.
        for ((sink, kind), versions) in world.times.iter().filter(|((it, _), _)| it != "pager") {
            let times: Vec<u64> = versions.iter().map(|(_, time)| *time).collect();
            for few in times.windows(pace.told_max + 1) {
                let span = few[few.len() - 1] - few[0];
                // A restart may tell late what a version was made for before it.
                assert!(
                    pace.window.as_secs() <= span + 6,
                    "ALERTER-1, seed {seed}: {sink} was told of {kind} at {few:?}"
                );
            }
        }
    }
}

// === Rules ===

fn reading() -> Reading {
    Reading { poll_age: Some(1.0), disk_free: Some(0.5), ..Reading::default() }
}

/// Looks every 15 seconds; says what begins and ends, with the second.
fn look(rules: &mut Rules, readings: impl IntoIterator<Item = (u64, Reading)>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut last = BTreeSet::new();
    for (second, reading) in readings {
        for input in rules.look(reading, at(second)).0 {
            match input {
                Input::Began(alert) if last.insert(alert.kind.clone()) => {
                    lines.push(format!("{second} {}: {}", alert.kind, alert.summary));
                }
                Input::Over(kind) => {
                    last.remove(&kind);
                    lines.push(format!("{second} {kind} over"));
                }
                Input::Began(_) => {}
                Input::Happened(_)
                | Input::Written(_)
                | Input::Told { .. }
                | Input::NotTold { .. }
                | Input::Acknowledged(_)
                | Input::Silenced { .. }
                | Input::Passed => panic!("a rule says nothing else"),
            }
        }
    }
    lines
}

fn all() -> Rules {
    Rules::new(shipped(), Usual::default(), |_| false)
}

#[test]
fn the_shipped_rules_hold_for_what_is_read_now() {
    let poll = |age| Reading { poll_age: Some(age), ..reading() };
    let readings = [(0, poll(90.0)), (15, poll(91.0)), (30, poll(500.0)), (45, poll(2.0))];
    assert_eq!(
        look(&mut all(), readings),
        [
            "15 no_poll: Telegram was not reached for 91 s: new messages wait there.",
            "45 no_poll over"
        ]
    );
    let other = |disk, backup| Reading {
        disk_free: Some(disk),
        backup_age: Some(backup * 3_600.0),
        ..reading()
    };
    assert_eq!(
        look(&mut all(), [(0, other(0.10, 26.0)), (15, other(0.09, 27.0))]),
        [
            "15 disk_full: Only 9 % of the disk is free.",
            "15 backup_old: The last good backup is 27 h old."
        ]
    );
}

#[test]
fn rates_are_of_their_window_and_too_few_prove_nothing() {
    let calls = |calls, failed_calls| Reading {
        watched: Watched { calls, failed_calls, ..Watched::default() },
        ..reading()
    };
    let mut readings = vec![(0, calls(0, 0)), (15, calls(4, 4)), (30, calls(100, 10))];
    readings.push((45, calls(120, 13)));
    readings.extend((4..80).map(|it| (15 * it, calls(120, 13))));
    assert_eq!(
        look(&mut all(), readings),
        [
            "45 llm_errors: 11 % of the calls to models failed within 5 minutes.",
            "315 llm_errors over",
            "330 llm_errors: 15 % of the calls to models failed within 5 minutes.",
            "345 llm_errors over"
        ]
    );
}

#[test]
fn slow_replies_restarts_and_what_was_set_aside_are_told_and_end() {
    let watched = |fast, slow| {
        let mut replies = [0; 18];
        (replies[3], replies[12]) = (fast, slow);
        Watched { replies, ..Watched::default() }
    };
    let it = |fast, slow, restarts, quarantined| Reading {
        watched: watched(fast, slow),
        restarts,
        quarantined,
        ..reading()
    };
    let mut readings = vec![(0, it(0, 0, 7, 3)), (15, it(95, 4, 10, 3)), (30, it(95, 5, 11, 4))];
    readings.push((45, it(95, 8, 11, 4)));
    readings.extend((4..260).map(|at| (15 * at, it(95, 8, 11, 4))));
    assert_eq!(
        look(&mut all(), readings),
        [
            "30 restarts: Parts of the hall were restarted 4 times within 10 minutes.",
            "30 quarantine: Messages were set aside within the hour: 1.",
            "45 slow_replies: One in twenty replies of the last 10 minutes took longer than 33.6 s.",
            "615 slow_replies over",
            "615 restarts over",
            "3630 quarantine over",
        ]
    );
}

#[test]
fn what_begins_anew_with_the_tree_is_counted_on() {
    let restarts = |restarts| Reading { restarts, ..reading() };
    let readings = [(0, restarts(2)), (15, restarts(4)), (30, restarts(0)), (45, restarts(2))];
    assert_eq!(
        look(&mut all(), readings),
        ["45 restarts: Parts of the hall were restarted 4 times within 10 minutes."]
    );
}

#[test]
fn a_rule_waits_as_long_as_it_should_hold_and_knows_that_it_fired_before_a_restart() {
    let rule = Rule { hold: Duration::from_secs(30), ..shipped().remove(0) };
    let poll = |age| Reading { poll_age: Some(age), ..reading() };
    let mut rules = Rules::new(vec![rule.clone()], Usual::default(), |_| false);
    let readings =
        [(0, poll(95.0)), (15, poll(1.0)), (30, poll(95.0)), (45, poll(110.0)), (60, poll(125.0))];
    assert_eq!(
        look(&mut rules, readings),
        ["60 no_poll: Telegram was not reached for 125 s: new messages wait there."]
    );
    let mut rules = Rules::new(vec![rule], Usual::default(), |it| it == "no_poll");
    assert_eq!(look(&mut rules, [(0, poll(1.0))]), ["0 no_poll over"]);
    let errors = shipped().remove(1);
    let mut rules = Rules::new(vec![errors], Usual::default(), |_| true);
    let readings = (0..30).map(|it| {
        (15 * it, Reading { watched: Watched { calls: it, ..Watched::default() }, ..reading() })
    });
    assert_eq!(
        look(&mut rules, readings),
        ["300 llm_errors over"],
        "what a window does not hold yet may still be so"
    );
}

#[test]
fn an_hour_that_costs_more_than_usual_is_told_and_small_change_is_not() {
    let spike = shipped().into_iter().find(|it| it.name == "cost_spike").unwrap();
    let cost = |cost_micros| Reading {
        watched: Watched { cost_micros, ..Watched::default() },
        ..reading()
    };
    let run = |of_hour: f64, costs: u64| {
        let hour = at(0).0 / 3_600_000;
        let mut usual = Usual::default();
        for day in (1..=3).rev() {
            usual.take(&Hour { signal: Signal::Cost, hour: hour - 24 * day, count: of_hour });
        }
        let mut rules = Rules::new(vec![spike.clone()], usual, |_| false);
        look(&mut rules, [(0, cost(0)), (15, cost(costs))])
    };
    assert_eq!(
        run(0.4, 2_500_000),
        ["15 cost_spike: Answers of the last hour cost 2.50: more than 5 times the usual."]
    );
    assert_eq!(run(0.6, 2_500_000), [""; 0], "less than five times");
    assert_eq!(run(0.001, 900_000), [""; 0], "of less than one it is not spoken");
}

#[test]
fn more_than_usual_at_this_hour_is_told_once_the_hours_are_known() {
    let spike = shipped().into_iter().find(|it| it.name == "guard_blocks_spike").unwrap();
    assert_eq!((spike.signal, spike.bound), (Signal::GuardBlocks, Bound::TimesUsual(5.0)));
    let blocks =
        |blocks| Reading { watched: Watched { blocks, ..Watched::default() }, ..reading() };
    let run = |usual: Usual| {
        let mut rules = Rules::new(vec![spike.clone()], usual, |_| false);
        look(&mut rules, [(0, blocks(0)), (15, blocks(20)), (30, blocks(21))])
    };
    let hour = at(0).0 / 3_600_000;
    let mut usual = Usual::default();
    assert_eq!(run(usual.clone()), [""; 0], "nothing is known yet");
    for day in (1..=3).rev() {
        usual.take(&Hour { signal: Signal::GuardBlocks, hour: hour - 24 * day, count: 4.0 });
    }
    assert_eq!(
        run(usual),
        [
            "30 guard_blocks_spike: The guard stopped 21 texts within the hour: more than 5 times the usual."
        ]
    );
}
