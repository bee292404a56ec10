//! Other bots in a group: how far they are answered, and whose turn it is.

use protocol::company::Company;

use super::*;
use crate::chain::{Chain, HOPS_MAX, PER_MINUTE_MAX};

const GROUP: ChatId = ChatId(-5);
const OTHER_BOT: PersonId = PersonId(900);

fn world(bot: i64) -> World {
    let mut config = config();
    config.home.turns_wait = Duration::from_secs(60);
    let mut world = World::new(SessionKey { bot: BotId(bot), chat: GROUP, topic: None }, config);
    world.events.push(Event::NoticeShown);
    world.folded.noticed = true;
    world.renew();
    world
}

fn of_bot(text: &str) -> Said {
    let company = Company { by_bot: true, ..Company::default() };
    Said { private: false, company, ..said(OTHER_BOT, text) }
}

fn of_person(text: &str) -> Said {
    Said { private: false, ..said(GUEST, text) }
}

impl World {
    fn hear(&mut self, update: i64, said: Said) {
        self.arrive(update, Some(Inbound::Said(said)));
        self.pull(false);
        self.settle();
    }

    /// What was done since some lines.
    fn since(&self, line: usize) -> Vec<&str> {
        self.log[line..].iter().map(String::as_str).collect()
    }
}

#[test]
fn chain_3_a_bot_is_answered_until_the_chain_is_cut_which_is_said_once_and_quotes_nobody() {
    let mut it = world(9);
    for update in 1..=3 {
        it.hear(update, of_bot("hi"));
        it.complete(update);
    }
    assert_eq!(it.log[..2], ["note hop 1", "screen 1: hi"]);
    let line = it.log.len();
    it.hear(4, of_bot("hi"));
    it.complete(4);
    it.hear(5, of_bot("hi"));
    let cut = [
        "note cut",
        "bots are cut: hops",
        "record ready(Notice)",
        "send 4.0: Bots have been answering",
        "record sent(0), Answered, close 4",
        "record Ignored, close 5",
    ];
    assert_eq!(it.since(line), cut);
    it.dies();
    let line = it.log.len();
    it.hear(6, of_bot("hi"));
    assert_eq!(it.since(line), ["record Ignored, close 6"], "a crash begins nothing anew");
    it.hear(7, of_person("hi"));
    it.complete(7);
    it.hear(8, of_bot("hi"));
    assert!(it.since(line).contains(&"note a person") && it.since(line).contains(&"note hop 1"));
}

#[test]
fn what_was_said_to_a_bots_message_is_the_same_after_a_crash() {
    let mut it = world(9);
    it.hear(1, of_bot("hi"));
    it.answer(1, "");
    it.dies();
    it.complete(1);
    let links = it.log.iter().filter(|it| it.contains("hop")).count();
    assert!(links <= 2 && it.folded.open.is_empty(), "{:#?}", it.log);
    it.hear(2, of_bot("hi"));
    assert!(it.log.contains(&"note hop 3".to_owned()), "one answer was counted: {:#?}", it.log);
}

#[test]
fn bots_1_commands_facts_and_edits_of_a_bot_are_nothing() {
    let mut it = world(9);
    it.hear(1, of_bot("/status"));
    it.arrive(2, Some(Inbound::Edited(of_bot("hi"))));
    it.pull(false);
    it.settle();
    assert_eq!(it.log.iter().filter(|it| it.contains("Ignored")).count(), 2, "{:#?}", it.log);
    it.hear(3, of_bot("Remember that I like tea."));
    it.complete(3);
    assert!(it.folded.facts.is_empty() && it.folded.tainted.len() == 1, "a stranger's words");
}

#[test]
fn whoever_is_called_second_begins_when_the_turn_comes() {
    let called = vec!["first_bot".to_owned(), "second_bot".to_owned()];
    let company = Company { called, mark: 1, by_bot: false };
    for (name, waits) in [("Second_bot", true), ("first_bot", false), ("third_bot", false)] {
        let mut it = world(9);
        it.session.tell_name(name);
        it.hear(1, Said { company: company.clone(), ..of_person("hi") });
        let log = it.log.clone();
        assert_eq!(log, [if waits { "1 waits for first_bot" } else { "screen 1: hi" }], "{name}");
        if waits {
            it.tell(Input::Gathered(UpdateId(1)));
            assert_eq!(it.log.last().unwrap(), "screen 1: hi");
        }
    }
}

/// What two bots that answer everything say to each other, with what may go wrong.
struct Talk {
    bots: [World; 2],
    updates: [i64; 2],
    dice: u64,
    /// Answers to bots since a person wrote, and when all were given.
    in_a_row: u32,
    given: Vec<u64>,
}

impl Talk {
    fn new(seed: u64) -> Self {
        let dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Self { bots: [world(9), world(10)], updates: [0, 0], dice, in_a_row: 0, given: vec![] }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % sides
    }

    /// Somebody writes to a bot; gives whether it answered with a model's words.
    fn write(&mut self, to: usize, said: Said) -> bool {
        let others = self.bots[1 - to].session.chain().cloned().unwrap_or_default();
        self.updates[to] += 1;
        let update = self.updates[to];
        let dies = self.roll(4) == 0;
        let it = &mut self.bots[to];
        it.session.tell_company(others);
        it.hear(update, said);
        if dies {
            it.dies();
        }
        it.complete(update);
        let model = |it: &Event| {
            matches!(it, Event::AnswerReady { update: of, answer }
                if of.0 == update && answer.kind == protocol::event::AnswerKind::Model)
        };
        self.bots[to].events.iter().any(model)
    }

    fn run(&mut self) {
        let mut now = 0;
        for _ in 0..6 {
            now += 1 + self.roll(20_000);
            self.bots.iter_mut().for_each(|it| it.now = Timestamp(now));
            let mut to = usize::try_from(self.roll(2)).unwrap();
            assert!(self.write(to, of_person("hi")), "a person is always answered");
            self.in_a_row = 0;
            for _ in 0..9 {
                (now, to) = (now + 1, 1 - to);
                self.bots.iter_mut().for_each(|it| it.now = Timestamp(now));
                if !self.write(to, of_bot("hi")) {
                    break;
                }
                self.in_a_row += 1;
                self.given.push(now);
            }
            assert!(self.in_a_row <= HOPS_MAX, "{} in a row", self.in_a_row);
            let minute = self.given.iter().filter(|it| now < **it + 60_000).count();
            assert!(minute <= PER_MINUTE_MAX, "{minute} in a minute");
        }
    }
}

#[test]
fn chain_1_two_bots_that_always_answer_stop_at_five_in_300_seeds_with_crashes() {
    let mut longest = 0;
    for seed in 1..=300 {
        let mut talk = Talk::new(seed);
        let run = std::panic::AssertUnwindSafe(|| talk.run());
        assert!(std::panic::catch_unwind(run).is_ok(), "seed {seed}");
        longest = longest.max(talk.in_a_row);
        assert!(
            talk.bots.iter().all(|it| it.session.chain().is_some_and(|it| *it != Chain::default()))
        );
    }
    assert_eq!(longest, HOPS_MAX);
}
