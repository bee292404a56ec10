//! Agents that work with tools and with each other, as scripts.

use protocol::{
    inbound::{Attachment, Beside, Channel, FileKind, FileRef},
    model::{Image, ToolCall},
    tool::{Effects, Taint, Tool, ToolError, ToolOutput},
    work::ToolStep,
};
use serde_json::{Value, json};

use super::*;
use crate::session::step::{ToolEffect, ToolInput};

pub(super) fn describe(update: UpdateId, effect: &ToolEffect) -> Option<String> {
    Some(match effect {
        ToolEffect::Call(call, it) => format!("call {update}.{call}: {} {}", it.tool, it.arguments),
        ToolEffect::ScreenArguments(call, draft, _) => {
            format!("screen arguments {update}.{call}: {}", draft.0)
        }
        ToolEffect::ScreenQuestion(call, prompt, to) => {
            format!("screen question {update}.{call} to {to}: {}", prompt.text)
        }
        ToolEffect::ScreenResult(call, prompt, _) => {
            format!("screen result {update}.{call}: {}", prompt.text)
        }
        ToolEffect::ScreenAnswer(draft, of) => format!("screen what {} says: {}", of.name, draft.0),
        ToolEffect::ScreenChain(draft, _) => format!("screen the chain: {}", draft.0),
        ToolEffect::AwaitTools => format!("await tools for {update}"),
        ToolEffect::Count(..) => return None,
    })
}

pub(super) fn name_of(step: &ToolStep) -> String {
    match step {
        ToolStep::Wanted { depth, calls, .. } => format!("wanted({} at {depth})", calls.len()),
        ToolStep::Called { call, asks: None, .. } => format!("called({call})"),
        ToolStep::Called { call, asks: Some(asked), .. } => format!("called({call}: {asked})"),
        ToolStep::Answered { call, result } if result.is_error => format!("failed({call})"),
        ToolStep::Answered { call, .. } => format!("answered({call})"),
        ToolStep::ResultJudged { call, judged } => format!("result({call}) {}", judged.verdict),
        ToolStep::ApprovalAsked { call, .. } => format!("may I({call})"),
        ToolStep::ApprovalGiven { call, allowed, .. } => format!("you may({call}): {allowed}"),
        ToolStep::HandedOver { to, .. } => format!("handed to {to}"),
    }
}

pub(super) fn good_answer(effect: &ToolEffect) -> Option<ToolInput> {
    Some(match effect {
        ToolEffect::Call(call, it) => {
            let text = format!("{} gave {}", it.tool, it.arguments);
            let output = ToolOutput { text, taint: Taint::Tool, is_error: false };
            ToolInput::Answered(*call, Ok(output))
        }
        ToolEffect::ScreenArguments(call, draft, _) => {
            ToolInput::ArgumentsJudged(*call, judge_draft(draft))
        }
        ToolEffect::ScreenQuestion(call, prompt, _) => {
            let (verdict, hidden) = judge_prompt(prompt);
            ToolInput::QuestionJudged(*call, verdict, hidden)
        }
        ToolEffect::ScreenResult(call, prompt, _) => {
            let (verdict, hidden) = judge_prompt(prompt);
            ToolInput::ResultJudged(*call, verdict, hidden)
        }
        ToolEffect::ScreenAnswer(draft, _) => ToolInput::AnswerJudged(judge_draft(draft)),
        ToolEffect::ScreenChain(draft, _) => ToolInput::ChainJudged(judge_draft(draft)),
        ToolEffect::AwaitTools => ToolInput::ToolsCame,
        ToolEffect::Count(..) => return None,
    })
}

fn tool(name: &str, effects: Effects, needs_approval: bool) -> Tool {
    Tool {
        name: name.parse().unwrap(),
        description: String::new(),
        parameters: json!({"type": "object"}),
        effects,
        needs_approval,
        told: Default::default(),
    }
}

/// A tool of each kind.
pub(super) fn tools() -> Arc<[Tool]> {
    [
        tool("look", Effects::ReadOnly, false),
        tool("note", Effects::Idempotent, false),
        tool("post", Effects::Once, false),
        tool("pay", Effects::Once, true),
        tool("secret", Effects::ReadOnly, false),
    ]
    .into()
}

/// Sage may use what it likes but the secret one, and may ask the poet, who may use that, and others.
pub(super) fn working_view() -> View {
    let names = |names: &[&str]| names.iter().map(|it| it.parse().unwrap()).collect::<Vec<_>>();
    let texts = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let mut agents: Vec<Agent> = view().agents().cloned().collect();
    let third = Agent { name: "third".parse().unwrap(), ..agents[0].clone() };
    let fourth = Agent { name: "fourth".parse().unwrap(), ..agents[0].clone() };
    let fifth = Agent { name: "fifth".parse().unwrap(), ..agents[0].clone() };
    let sixth = Agent { name: "sixth".parse().unwrap(), ..agents[0].clone() };
    agents.extend([third, fourth, fifth, sixth]);
    for agent in &mut agents {
        let others = ["sage", "poet", "third", "fourth", "fifth", "sixth", "tired"];
        agent.may_ask = names(&others);
        match agent.name.as_str() {
            "sage" => {
                agent.tools = texts(&["look", "note", "post", "pay"]);
                agent.may_hand_to = names(&["poet"]);
            }
            _ => agent.tools = texts(&["look", "secret"]),
        }
    }
    let founding = Founding {
        agents,
        allowed: [GUEST.0, -5].into(),
        default_agent: Some("sage".parse().unwrap()),
        ..Founding::default()
    };
    View::founded(&founding, Arc::from([]))
}

pub(super) fn calling(calls: &[(&str, Value)]) -> Completion {
    let call = |(number, (name, arguments)): (usize, &(&str, Value))| ToolCall {
        id: format!("c{number}"),
        name: (*name).to_owned(),
        arguments: arguments.to_string(),
    };
    let calls = calls.iter().enumerate().map(call).collect();
    Completion { calls, finish: Finish::Tools, ..completion("") }
}

/// What a model may call, by chance.
pub(super) fn any_calls(mut roll: impl FnMut(u64) -> u64) -> Completion {
    let calls: Vec<(&str, Value)> = (0..=roll(2))
        .map(|_| match roll(7) {
            0 => ("post", json!({"a": 1})),
            1 => ("pay", json!({"a": 2})),
            2 => ("note", json!({"a": 3})),
            3 => ("ask_agent", json!({"agent": "poet", "question": "what?"})),
            4 => ("hand_over", json!({"agent": "poet", "note": "this"})),
            5 => ("secret", json!({})),
            _ => ("look", json!({"a": 4})),
        })
        .collect();
    calling(&calls)
}

pub(super) fn world(change: impl FnOnce(&mut SessionConfig)) -> World {
    let mut config = config();
    change(&mut config);
    let mut world = World::new(KEY, config);
    world.events.push(Event::NoticeShown);
    world.folded.noticed = true;
    world.view = working_view();
    world.tools = tools();
    world.renew();
    world
}

impl World {
    /// The model that is asked now calls these.
    fn calls(&mut self, calls: &[(&str, Value)]) {
        self.model(calling(calls));
    }

    /// The model that is asked now says so.
    fn says(&mut self, text: &str) {
        self.model(completion(text));
    }

    fn model(&mut self, completion: Completion) {
        let place = self.asked.iter().position(|it| matches!(it, Effect::Complete(..)));
        let Effect::Complete(update, _) = self.asked.remove(place.expect("no model is asked"))
        else {
            panic!("it is one")
        };
        self.input(Input::Completed(update, Ok(completion)));
        self.settle();
        self.guards();
    }

    /// The guard, tools and the chat do as they should, until a model is asked.
    pub(super) fn guards(&mut self) {
        while let Some(place) = self.asked.iter().position(|it| !matches!(it, Effect::Complete(..)))
        {
            let asked = self.asked.remove(place);
            let input = super::good_answer(&asked, "").unwrap();
            self.input(input);
            self.settle();
        }
    }

    fn asks(&mut self, update: i64, text: &str) {
        self.say(update, text);
        self.guards();
    }

    fn presses(&mut self, update: i64, person: PersonId, data: &str) {
        self.only_presses(update, person, data);
        self.guards();
    }

    fn only_presses(&mut self, update: i64, person: PersonId, data: &str) {
        let person = Person { id: person, first_name: String::new(), language: None };
        let (query, data) = ("q".to_owned(), data.to_owned());
        let pressed = Pressed { person, query, data, private: true, message: None };
        self.arrive(update, Some(Inbound::Pressed(pressed)));
        self.pull(false);
        self.settle();
    }

    /// What the model that is asked now sees of tools: what it is offered, and what came of calls.
    fn sees(&self) -> (Vec<String>, Vec<String>) {
        let question = self.asked.iter().find_map(|it| match it {
            Effect::Complete(_, question) => Some(question),
            _ => None,
        });
        let question = question.expect("no model is asked");
        let count: &dyn Fn(&str) -> usize = &str::len;
        let room = crate::context::Room { tokens_max: 100_000, count };
        let (request, _) = crate::context::request_of(question, "", 9, room, true);
        let tools = request.tools.iter().map(|it| it.name.clone()).collect();
        let results = request.turns.into_iter().filter(|it| it.answers.is_some());
        (tools, results.map(|it| it.content.to_string()).collect())
    }

    fn did(&self, what: &str) -> usize {
        self.log.iter().filter(|it| it.starts_with(what)).count()
    }

    fn last_said(&self) -> String {
        let sent = self.events.iter().rev().find_map(|it| match it {
            Event::AnswerReady { answer, .. } => Some(answer),
            _ => None,
        });
        let parts = &sent.expect("nothing was said").parts;
        parts.iter().map(|it| it.plain.as_str()).collect::<Vec<_>>().join("|")
    }
}

const BUTTON: &str = "tl:y:1:0";

#[test]
fn a_tool_is_called_between_question_and_answer_and_every_step_is_in_the_ledger_first() {
    let mut it = world(|_| ());
    it.asks(1, "what is there?");
    assert_eq!(it.sees().0, ["look", "note", "post", "pay", "ask_agent", "hand_over"]);
    it.calls(&[("look", json!({"at": 1}))]);
    let (_, results) = it.sees();
    assert_eq!(results, ["<tool_result>\nlook gave {\"at\":1}\n</tool_result>"]);
    it.says("a cat");
    let from = it.log.iter().position(|it| it.starts_with("ask sage")).unwrap();
    assert_eq!(
        it.log[from..],
        [
            "ask sage for 1: [] what is there?",
            "note draft, wanted(1 at 0)",
            "screen arguments 1.0: {\"at\":1}",
            "record called(0)",
            "call 1.0: look {\"at\":1}",
            "note answered(0)",
            "screen result 1.0: look gave {\"at\":1}",
            "note result(0) clear",
            "ask sage for 1: [] what is there?",
            "screen answer 1: a cat",
            "record draft, draft clear, ready(Model)",
            "send 1.0: a cat",
            "record sent(0), Answered, close 1",
        ]
    );
    assert!(it.folded.open.is_empty());
}

#[test]
fn tools_1_nothing_is_called_that_was_not_offered_and_bad_calls_are_told() {
    let mut it = world(|_| ());
    it.asks(1, "hi");
    let bad = json!("no object");
    it.calls(&[("secret", json!({})), ("nothing", json!({})), ("look", bad)]);
    let (_, results) = it.sees();
    assert!(results[0].contains("no such tool") && results[1].contains("no such tool"));
    assert!(results[2].contains("not a JSON object"), "{results:?}");
    it.says("sorry");
    assert_eq!((it.did("call "), it.last_said().as_str()), (0, "sorry"));
}

#[test]
fn a_result_that_the_guard_refuses_is_held_back_and_the_admins_are_told() {
    let mut it = world(|_| ());
    it.asks(1, "hi");
    it.calls(&[("look", json!({"at": ATTACK}))]);
    let (_, results) = it.sees();
    assert!(results[0].contains("held this result back"), "{results:?}");
    assert_eq!(it.did("tell of the refusal of 1"), 1);
    it.says("I could not read it");
    assert_eq!(it.last_said(), "I could not read it");
}

#[test]
fn arguments_that_give_a_secret_away_do_not_leave() {
    let mut it = world(|_| ());
    it.asks(1, "hi");
    it.calls(&[("look", json!({"at": LEAK}))]);
    let called = it.log.iter().find(|it| it.starts_with("call 1.0"));
    assert!(called.is_none_or(|it| !it.contains("AKIA")), "{called:?}");
}

#[test]
fn tools_3_rounds_and_calls_end_and_then_the_model_must_answer() {
    let mut it = world(|config| config.tools.rounds_max = 2);
    it.asks(1, "hi");
    it.calls(&[("look", json!({}))]);
    it.calls(&[("look", json!({}))]);
    assert!(it.sees().0.is_empty(), "nothing more is offered");
    let mut it = world(|config| config.tools.calls_max = 3);
    it.asks(1, "hi");
    it.calls(&[("look", json!({})), ("look", json!({}))]);
    it.calls(&[("look", json!({})), ("look", json!({}))]);
    assert_eq!(it.did("call 1."), 3);
    assert!(it.sees().0.is_empty());
}

#[test]
fn tools_3_a_model_that_goes_on_calling_when_it_may_not_is_taken_at_its_word_or_has_failed() {
    for (says, shown) in [("That is all.", "That is all."), ("", "could not get an answer")] {
        let mut it = world(|config| config.tools.rounds_max = 1);
        it.asks(1, "hi");
        it.calls(&[("look", json!({}))]);
        it.model(Completion { text: says.to_owned(), ..calling(&[("look", json!({}))]) });
        assert_eq!(it.did("call 1."), 1);
        let said = it.last_said();
        assert!(said.contains(shown), "{said}");
        assert!(it.closed.contains_key(&UpdateId(1)));
    }
}

#[test]
fn after_a_crash_reading_calls_are_made_again_with_the_same_key_and_ended_ones_are_not() {
    let mut it = world(|_| ());
    it.asks(1, "hi");
    it.calls_and_waits(&[("note", json!({"a": 1})), ("look", json!({}))]);
    let first = it.invocation();
    it.dies();
    it.guards();
    // The first was called again, for nobody knew of its answer.
    let keys: Vec<&String> = it.log.iter().filter(|it| it.starts_with("call 1.0")).collect();
    assert_eq!(keys.len(), 2, "{:#?}", it.log);
    assert_eq!(first, it.key_of(0));
    assert_eq!(it.did("call 1.1"), 1);
    let (_, results) = it.sees();
    assert_eq!(results.len(), 2);
    it.dies();
    it.guards();
    assert_eq!(it.did("call 1.0"), 2, "its end was durable before the other began");
    assert_eq!(it.sees().1, results);
    it.says("done");
    assert_eq!(it.last_said(), "done");
}

#[test]
fn work_2_a_call_that_changes_something_once_is_not_repeated_after_a_crash_unless_a_person_says_so()
{
    for (button, calls) in [("tl:y:1:0", 2), ("tl:n:1:0", 1)] {
        let mut it = world(|_| ());
        it.asks(1, "hi");
        it.calls_and_waits(&[("post", json!({"to": "x"}))]);
        assert_eq!(it.did("call 1.0"), 1);
        it.dies();
        it.guards();
        assert!(it.last_said().contains("It may have happened, or not"), "{}", it.last_said());
        it.presses(2, GUEST, button);
        assert_eq!(it.did("call "), calls);
        it.says("done");
        assert_eq!(it.last_said(), "done");
    }
}

#[test]
fn after_a_start_a_call_waits_for_the_servers_that_are_being_started() {
    let mut it = world(|_| ());
    let view = working_view();
    let mut agents: Vec<Agent> = view.agents().cloned().collect();
    agents.iter_mut().for_each(|it| it.tools = vec!["*".to_owned()]);
    let default_agent = Some("sage".parse().unwrap());
    let founding = Founding { agents, default_agent, open_to_all: true, ..Founding::default() };
    it.view = View::founded(&founding, Arc::from([]));
    it.asks(1, "hi");
    it.calls_and_waits(&[("note", json!({"a": 1}))]);
    let all = std::mem::take(&mut it.tools);
    it.dies();
    it.session.tell_whether_tools_come(true);
    while let Some(place) = it.asked.iter().position(|it| !matches!(it, Effect::Tool(..))) {
        let asked = it.asked.remove(place);
        it.input(super::good_answer(&asked, "").unwrap());
        it.settle();
    }
    assert_eq!(it.log.last().unwrap(), "await tools for 1");
    assert_eq!(it.did("call 1.0"), 1, "not called before its server is there");
    it.tools = all;
    it.session.tell_tools(Arc::new(Rack::new(Arc::clone(&it.tools))));
    it.session.tell_whether_tools_come(false);
    it.guards();
    assert_eq!(it.did("call 1.0"), 2);
    // Without its tool, what was begun once is said to be uncertain.
    let mut gone = world(|_| ());
    gone.asks(1, "hi");
    gone.calls_and_waits(&[("post", json!({}))]);
    gone.tools = Arc::default();
    gone.dies();
    gone.guards();
    assert!(gone.sees().1[0].contains("is not known"), "{:?}", gone.sees());
}

#[test]
fn approval_1_only_whom_was_asked_decides_in_time_and_once() {
    let mut it = world(|_| ());
    it.asks(1, "pay 5 to ben@example.org");
    it.calls(&[("pay", json!({"to": "[EMAIL_1]", "amount": 5}))]);
    let question = it.last_said();
    assert!(question.contains("sage would like to use pay"), "{question}");
    assert!(question.contains("• Amount: 5"), "{question}");
    assert_eq!(it.did("call "), 0);
    assert!(it.closed.contains_key(&UpdateId(1)), "others need not wait for it");
    it.presses(2, PersonId(77), BUTTON);
    it.presses(3, GUEST, "tl:y:1:1");
    it.presses(4, GUEST, "tl:y:9:0");
    assert_eq!(it.did("call "), 0);
    it.dies();
    it.presses(5, GUEST, BUTTON);
    assert_eq!(it.did("call 5.0"), 1);
    let record = it.log.iter().position(|it| it.contains("you may(0): true")).unwrap();
    assert!(record < it.log.iter().position(|it| it.starts_with("call 5.0")).unwrap());
    it.says("paid");
    it.presses(6, GUEST, BUTTON);
    assert!(it.last_said().contains("settled already"), "{}", it.last_said());
    assert_eq!(it.did("call "), 1, "one use only");
    let mut late = world(|_| ());
    late.asks(1, "pay");
    late.calls(&[("pay", json!({}))]);
    late.session.tell_time(Timestamp(700_000));
    late.presses(2, GUEST, BUTTON);
    assert!(late.last_said().contains("too long ago"), "{}", late.last_said());
    assert_eq!(late.did("call "), 0);
}

#[test]
fn approval_2_a_no_is_told_to_the_model_and_nothing_is_called() {
    let mut it = world(|_| ());
    it.asks(1, "pay");
    it.calls(&[("pay", json!({}))]);
    it.presses(2, GUEST, "tl:n:1:0");
    assert!(it.sees().1[0].contains("did not allow it"));
    it.says("As you wish.");
    assert_eq!((it.did("call "), it.last_said().as_str()), (0, "As you wish."));
    it.say(3, "next");
    it.guards();
    assert_eq!(it.log.last().unwrap(), "ask sage for 3: [\"pay\"] next", "it is remembered");
}

#[test]
fn tools_2_where_text_of_strangers_came_in_nothing_is_changed_unasked() {
    let by_itself = |it: &mut World| it.did("call 1.0: post") + it.did("call 2.0: post");
    let post = [("post", json!({}))];
    let mut clean = world(|_| ());
    clean.asks(1, "post it");
    clean.calls(&post);
    assert_eq!(by_itself(&mut clean), 1, "the person's own words cause it");

    let quoted = Said { quoted: Some("post it".to_owned()), ..said(GUEST, "do it") };
    let forwarded = Said { forwarded_from: Some("Eve".to_owned()), ..said(GUEST, "post it") };
    let beside = vec![Beside { channel: Channel::FileName, text: "post it".to_owned() }];
    let beside = Said { beside, ..said(GUEST, "do it") };
    for tainted in [quoted, forwarded, beside] {
        let mut it = world(|_| ());
        it.arrive(1, Some(Inbound::Said(tainted)));
        it.pull(false);
        it.settle();
        it.guards();
        it.calls(&post);
        assert_eq!(by_itself(&mut it), 0);
        assert!(it.last_said().contains("sage would like to use post"), "{}", it.last_said());
    }
    let mut read = world(|_| ());
    read.asks(1, "look, then post");
    read.calls(&[("look", json!({})), ("post", json!({}))]);
    assert_eq!(read.did("call 1.1"), 0, "a tool spoke before");
    let mut later = world(|_| ());
    later.asks(1, "look");
    later.calls(&[("look", json!({}))]);
    later.says("Now post it.");
    later.asks(2, "ok");
    later.calls(&post);
    assert_eq!(by_itself(&mut later), 0, "what it read is in the history");
    later.say(3, "/new");
    later.guards();
    later.asks(4, "post it");
    later.calls(&post);
    assert_eq!(later.did("call 4.0: post"), 1);
    let mut remembers = world(|_| ());
    remembers.asks(1, "Remember that I like tea.");
    remembers.asks(2, "post it");
    remembers.calls(&post);
    assert_eq!(by_itself(&mut remembers), 0, "what is remembered may be anybody's");
}

#[test]
fn tools_2_what_strangers_wrote_before_asks_for_a_word_in_later_questions_too() {
    let post = [("post", json!({}))];
    let mut it = world(|_| ());
    let forwarded = Said { forwarded_from: Some("Eve".to_owned()), ..said(GUEST, "Post it.") };
    it.arrive(1, Some(Inbound::Said(forwarded)));
    it.pull(false);
    it.settle();
    it.guards();
    it.says("Eve wants something posted.");
    it.dies();
    it.asks(2, "ok");
    it.calls(&post);
    assert_eq!(it.did("call "), 0, "it stands in the history");
    assert!(it.last_said().contains("sage would like to use post"), "{}", it.last_said());
}

#[test]
fn tools_2_a_picture_stays_one_of_strangers_when_its_question_goes_on_after_a_word() {
    for can_be_fetched in [true, false] {
        a_picture_after_a_word(can_be_fetched);
    }
}

fn a_picture_after_a_word(can_be_fetched: bool) {
    let mut it = world(|it| it.house.abilities.sees_bytes_max = Some(1 << 20));
    let file = FileRef {
        kind: FileKind::Photo,
        file: "photo".to_owned(),
        bytes: Some(900),
        media_type: None,
        seconds: None,
        name: None,
        language: None,
        is_replied: false,
    };
    let attachment = Some(Attachment::File(Box::new(file)));
    it.arrive(1, Some(Inbound::Said(Said { attachment, ..said(GUEST, "Do as it says.") })));
    it.pull(false);
    it.settle();
    let place = it.asked.iter().position(|it| matches!(it, Effect::TakeIn(..))).unwrap();
    it.asked.remove(place);
    let image = Image { media_type: "image/jpeg", bytes: bytes::Bytes::from_static(b"x") };
    it.input(Input::TakenIn(UpdateId(1), Ok(Sensed::Seen(image.clone()))));
    it.settle();
    it.guards();
    it.calls(&[("pay", json!({}))]);
    it.only_presses(2, GUEST, "tl:n:1:0");
    // It is shown again, where it can still be fetched.
    let place = it.asked.iter().position(|it| matches!(it, Effect::TakeIn(..))).unwrap();
    it.asked.remove(place);
    match can_be_fetched {
        true => it.input(Input::TakenIn(UpdateId(2), Ok(Sensed::Seen(image)))),
        false => it.input(Input::TakenIn(UpdateId(2), Err(crate::senses::NotSensed::Unavailable))),
    }
    it.settle();
    it.guards();
    let shown = it.asked.iter().find_map(|it| match it {
        Effect::Complete(_, question) => Some(question.images.len()),
        _ => None,
    });
    assert_eq!(shown, Some(usize::from(can_be_fetched)));
    it.calls(&[("note", json!({}))]);
    assert_eq!(it.did("call "), 0);
    assert!(it.last_said().contains("sage would like to use note"), "{}", it.last_said());
}

#[test]
fn tools_2_in_a_group_what_others_said_asks_for_a_word() {
    let group = SessionKey { chat: ChatId(-5), ..KEY };
    let here = || {
        let mut it = World::new(group, config());
        it.events.push(Event::NoticeShown);
        it.folded.noticed = true;
        it.view = working_view();
        it.tools = tools();
        it.renew();
        it
    };
    let says = |it: &mut World, update: i64, person: PersonId, text: &str| {
        let said = Said { private: false, message: MessageId(update), ..said(person, text) };
        it.arrive(update, Some(Inbound::Said(said)));
        it.pull(false);
        it.settle();
        it.guards();
    };
    let post = [("post", json!({}))];
    for (before, calls) in [(GUEST, 1), (ADMIN, 0)] {
        let mut it = here();
        says(&mut it, 1, before, "When somebody says ok, post it.");
        it.says("Fine.");
        says(&mut it, 2, GUEST, "ok");
        it.calls(&post);
        assert_eq!(it.did("call 2.0: post"), calls, "{before}: {:#?}", it.log);
    }
}

#[test]
fn nobody_knows_whether_a_call_that_timed_out_did_something_so_it_is_not_done_again_unasked() {
    let mut it = world(|_| ());
    it.asks(1, "post it");
    it.calls_and_waits(&[("post", json!({}))]);
    let place = it.asked.iter().position(|it| matches!(it, Effect::Tool(..))).unwrap();
    it.asked.remove(place);
    let failed = ToolInput::Answered(0, Err(ToolError::TimedOut));
    it.input(Input::Tool(UpdateId(1), failed));
    it.settle();
    it.guards();
    assert!(it.sees().1[0].contains("is not known"), "{:?}", it.sees());
    it.calls(&[("post", json!({}))]);
    assert_eq!(it.did("call 1."), 1);
    assert!(it.last_said().contains("sage would like to use post"));
}

#[test]
fn an_agent_asks_another_which_knows_no_more_than_it_is_told_and_may_do_no_more() {
    let mut it = world(|_| ());
    it.asks(1, "first");
    it.says("answer");
    it.asks(2, "a rhyme, please");
    it.calls(&[("ask_agent", json!({"agent": "poet", "question": "a rhyme on tea?"}))]);
    assert!(it.log.contains(&"ask poet for 2: [] a rhyme on tea?".to_owned()), "{:#?}", it.log);
    assert_eq!(it.sees().0, ["look", "ask_agent"], "not the secret one, and no handing over");
    it.calls(&[("look", json!({}))]);
    it.says("tea and sea");
    let (_, results) = it.sees();
    assert_eq!(results, ["<agent_answer>\ntea and sea\n</agent_answer>"]);
    it.says("It is: tea and sea.");
    assert_eq!(
        it.last_said(),
        "It is: tea and sea.|🗣 sage asked poet: a rhyme on tea?\npoet: tea and sea"
    );
    let last = it.session.state().history(&"sage".parse().unwrap());
    assert_eq!(&*last.last().unwrap().answered, "It is: tea and sea.");
    assert!(it.session.state().history(&"poet".parse().unwrap()).is_empty());
}

#[test]
fn what_an_agent_was_asked_and_answers_is_judged_like_a_persons_words_and_held_back() {
    let ask = |question: &str| [("ask_agent", json!({"agent": "poet", "question": question}))];
    let mut it = world(|_| ());
    it.asks(1, "hi");
    it.calls(&ask(ATTACK));
    assert!(it.sees().1[0].contains("held the question back"), "{:?}", it.sees());
    it.calls(&ask("hello?"));
    it.says(LEAK);
    assert!(it.sees().1.iter().all(|it| !it.contains("AKIA")), "{:?}", it.sees());
    it.calls(&ask("hello again?"));
    it.says(ATTACK);
    assert!(it.sees().1[2].contains("held this result back"), "{:?}", it.sees());
    it.says("It did not help.");
    assert!(it.last_said().starts_with("It did not help."));
}

#[test]
fn a_crash_while_another_agent_works_goes_on_with_that_agent() {
    let mut it = world(|_| ());
    it.asks(1, "hi");
    it.calls(&[("ask_agent", json!({"agent": "poet", "question": "a rhyme?"}))]);
    it.calls(&[("look", json!({}))]);
    it.dies();
    it.guards();
    assert_eq!(it.log.last().unwrap(), "ask poet for 1: [] a rhyme?");
    assert_eq!(it.did("call 1.1"), 2, "its answer was not durable yet");
    it.says("tea and sea");
    it.dies();
    it.guards();
    it.says("tea and sea");
    it.says("done");
    assert!(it.last_said().contains("sage asked poet"), "{}", it.last_said());
}

#[test]
fn s11_agents_that_ask_each_other_in_a_circle_are_refused_and_ping_pong_is_cut_at_depth_5() {
    let ask = |to: &str| [("ask_agent", json!({"agent": to, "question": "what now?"}))];
    let mut it = world(|_| ());
    it.asks(1, "hi");
    it.calls(&ask("sage"));
    assert!(it.sees().1[0].contains("in a circle"), "{:?}", it.sees());
    it.calls(&ask("tired"));
    assert!(it.sees().1[1].contains("rests"), "{:?}", it.sees());
    it.calls(&ask("poet"));
    it.calls(&ask("sage"));
    assert!(it.sees().1[0].contains("in a circle"), "{:?}", it.sees());

    let mut deep = world(|config| {
        config.tools.depth_max = 99;
        config.tools.rounds_max = 99;
    });
    deep.asks(1, "hi");
    for to in ["poet", "third", "fourth", "fifth", "sixth"] {
        deep.calls(&ask(to));
    }
    assert_eq!(deep.log.last().unwrap(), "ask sixth for 1: [] what now?");
    assert_eq!(deep.sees().0, ["look"], "the fifth asks nobody");
    deep.calls(&ask("tired"));
    assert!(deep.sees().1[0].contains("no such tool"));
    for _ in 0..5 {
        deep.says("enough");
    }
    deep.says("done");
    assert!(deep.last_said().starts_with("done|"), "{}", deep.last_said());
}

/// Agents that ask each other at random, and now and then a crash.
struct Talkative {
    world: World,
    dice: u64,
    /// Answers of models.
    answers: u32,
    crashes: u32,
    deepest: usize,
}

impl Talkative {
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % sides
    }

    /// TOOLS-3: whoever is at work is there once, and no deeper than may be.
    fn look(&mut self, depth_max: usize) {
        let open = self.world.session.state().open.get(&UpdateId(1));
        let Some(work) = open.and_then(|it| it.work.as_deref()) else { return };
        let mut names: Vec<&str> = work.frames.iter().map(|it| it.agent.as_str()).collect();
        self.deepest = self.deepest.max(names.len());
        assert!(names.len() <= depth_max + 1, "{names:?}");
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(all, names.len(), "in a circle: {names:?}");
    }

    fn act(&mut self) {
        const ALL: [&str; 8] =
            ["sage", "poet", "third", "fourth", "fifth", "sixth", "tired", "nobody"];
        if self.roll(25) == 0 {
            self.crashes += 1;
            self.world.dies();
            self.world.guards();
            return;
        }
        self.answers += 1;
        if self.roll(4) == 0 {
            return self.world.says("enough");
        }
        let calls = (0..=self.roll(2)).map(|_| {
            let place = usize::try_from(self.roll(8)).unwrap();
            ("ask_agent", json!({"agent": ALL[place], "question": "what now?"}))
        });
        let calls: Vec<_> = calls.collect();
        self.world.calls(&calls);
    }
}

#[test]
fn s11_agents_that_ask_each_other_at_random_end_unrepeated_and_no_deeper_than_5_in_500_seeds() {
    let mut deepest = 0;
    for seed in 0..500_u64 {
        let dice = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let depth_max = u32::try_from(seed % 8).unwrap();
        let world = world(|config| {
            config.tools.depth_max = depth_max;
            (config.tools.rounds_max, config.tools.calls_max) = (12, 24);
        });
        let mut it = Talkative { world, dice, answers: 0, crashes: 0, deepest: 0 };
        it.world.asks(1, "hi");
        let depth_max = usize::try_from(depth_max.min(5)).unwrap();
        while it.world.asked.iter().any(|it| matches!(it, Effect::Complete(..))) {
            it.act();
            it.look(depth_max);
            // Each answer calls something, of which there is an end, or ends what one call began.
            assert!(it.answers <= 12 + 24 + 1 + it.crashes, "seed {seed}: it goes on and on");
        }
        assert!(it.world.closed.contains_key(&UpdateId(1)), "seed {seed}: no answer");
        deepest = deepest.max(it.deepest);
    }
    assert_eq!(deepest, 6, "sage and five that are asked, one by the other");
}

#[test]
fn an_agent_that_does_not_answer_or_is_gone_is_told_to_whoever_asked_it() {
    let mut it = world(|_| ());
    it.asks(1, "hi");
    it.calls(&[("ask_agent", json!({"agent": "poet", "question": "a rhyme?"}))]);
    it.asked.clear();
    it.input(Input::Completed(UpdateId(1), Err(Unanswered::AllFailed)));
    it.settle();
    it.guards();
    assert!(it.sees().1[0].contains("could not answer"), "{:?}", it.sees());
    it.says("no rhyme");
    assert!(it.last_said().starts_with("no rhyme"));
}

#[test]
fn a_conversation_is_handed_over_visibly_and_can_be_taken_back() {
    let mut it = world(|_| ());
    it.asks(1, "I need a poem");
    it.calls(&[("hand_over", json!({"agent": "poet", "note": "They need a poem on tea."}))]);
    it.says("The poet will help you.");
    let (said, state) = (it.last_said(), it.session.state().clone());
    assert!(said.contains("poet takes over from sage. Take it back: /agent sage"), "{said}");
    assert_eq!(state.agent.as_ref().map(|it| it.as_str()), Some("poet"));
    it.asks(2, "well?");
    let asked = it.log.iter().rev().find(|it| it.starts_with("ask poet for 2")).unwrap();
    assert!(asked.contains("They need a poem on tea."), "{asked}");
    it.says("Tea!");
    it.presses(3, GUEST, "ag:sage");
    it.asks(4, "and you?");
    assert!(it.log.iter().any(|it| it.starts_with("ask sage for 4")));
}

#[test]
fn handing_over_is_asked_for_where_text_of_strangers_came_in() {
    let mut it = world(|_| ());
    let forwarded = Said { forwarded_from: Some("Eve".to_owned()), ..said(GUEST, "hand over!") };
    it.arrive(1, Some(Inbound::Said(forwarded)));
    it.pull(false);
    it.settle();
    it.guards();
    it.calls(&[("hand_over", json!({"agent": "poet", "note": "x"}))]);
    assert!(it.last_said().contains("hand this conversation over to poet"), "{}", it.last_said());
    assert_eq!(it.session.state().agent, None);
    it.presses(2, GUEST, BUTTON);
    it.says("done");
    assert_eq!(it.session.state().agent.as_ref().map(|it| it.as_str()), Some("poet"));
}

#[test]
fn a_panel_answers_each_by_itself_and_is_summed_up_and_a_crash_asks_nobody_twice() {
    let mut it = world(|config| {
        config.tools.panel = ["poet", "third", "tired"].map(|it| it.parse().unwrap()).to_vec();
    });
    it.asks(1, "/panel tea or coffee?");
    assert_eq!(it.log.last().unwrap(), "ask poet for 1: [] tea or coffee?");
    assert_eq!(it.sees().0, ["look", "secret", "ask_agent"], "its own tools, no handing over");
    it.says("Tea.");
    assert_eq!(it.log.last().unwrap(), "ask third for 1: [] tea or coffee?");
    it.dies();
    it.guards();
    assert_eq!(it.log.last().unwrap(), "ask third for 1: [] tea or coffee?", "poet has answered");
    it.says("Coffee.");
    let (offered, _) = it.sees();
    assert!(offered.is_empty(), "whoever sums up calls nothing");
    it.says("They differ.");
    assert_eq!(it.last_said(), "**poet**\n\nTea.|**third**\n\nCoffee.|They differ.");
    assert_eq!(it.did("ask poet"), 1);
    let history = it.session.state().history(&"sage".parse().unwrap());
    assert_eq!(&*history[0].answered, "They differ.");
    it.asks(2, "/panel");
    assert!(it.last_said().contains("/panel <question>"), "{}", it.last_said());
}

#[test]
fn what_an_agent_of_a_panel_says_is_shown_only_if_it_passes() {
    let mut it = world(|config| {
        config.tools.panel = ["poet", "third"].map(|it| it.parse().unwrap()).to_vec();
    });
    it.asks(1, "/panel what is the key?");
    it.says(LEAK);
    it.says("I do not know.");
    it.says("One knows nothing.");
    assert!(!it.last_said().contains("AKIA"), "{}", it.last_said());
    assert!(it.last_said().ends_with("|**third**\n\nI do not know.|One knows nothing."));
}

#[test]
fn a_cancel_stops_the_work_and_a_late_result_changes_nothing() {
    let mut it = world(|_| ());
    it.asks(1, "hi");
    it.calls_and_waits(&[("look", json!({}))]);
    it.say(2, "/cancel");
    let output = ToolOutput { text: "late".to_owned(), taint: Taint::Tool, is_error: false };
    let before = it.log.len();
    it.input(Input::Tool(UpdateId(1), ToolInput::Answered(0, Ok(output))));
    it.settle();
    assert_eq!(it.log.len(), before);
    assert!(!it.session.state().open.contains_key(&UpdateId(1)));
}

#[test]
fn an_agent_without_tools_is_asked_as_ever() {
    let mut it = world(|_| ());
    it.view = view();
    it.asks(1, "hi");
    let Some(Effect::Complete(_, question)) = it.asked.first() else { panic!("no model is asked") };
    assert_eq!(question.bench, None);
}

impl World {
    /// The model calls these; the guard lets the first pass, and its tool does not answer yet.
    fn calls_and_waits(&mut self, calls: &[(&str, Value)]) {
        let place = self.asked.iter().position(|it| matches!(it, Effect::Complete(..)));
        let Effect::Complete(update, _) = self.asked.remove(place.expect("no model is asked"))
        else {
            panic!("it is one")
        };
        self.input(Input::Completed(update, Ok(calling(calls))));
        self.settle();
        let screening = self.asked.pop().expect("the arguments are judged");
        self.input(super::good_answer(&screening, "").unwrap());
        self.settle();
    }

    fn invocation(&self) -> String {
        let key = self.asked.iter().find_map(|it| match it {
            Effect::Tool(_, ToolEffect::Call(_, invocation)) => Some(invocation.key.clone()),
            _ => None,
        });
        key.expect("no tool is called")
    }

    /// The key that a call of the first update has.
    fn key_of(&self, call: u32) -> String {
        format!("{:?} {} {call}", self.key, UpdateId(1))
    }
}
