//! Goal: what is remembered in one scope is in no other scope's prompt, whatever people do. Method:
//! many conversations at random, every text marked with the scope it belongs to.

use serde_json::json;

use super::*;
use crate::{
    context::{self, Room},
    session::step::ToolEffect,
};

/// Agents, and the name of the memory that each shares.
const AGENTS: [(&str, Option<&str>); 4] =
    [("sage", None), ("poet", None), ("cook", Some("kitchen")), ("baker", Some("kitchen"))];

/// `works`: they may ask each other, and use a tool.
fn hall(works: bool) -> View {
    let all: Vec<protocol::AgentName> =
        AGENTS.iter().map(|(name, _)| name.parse().unwrap()).collect();
    let agent = |(name, memory): (&str, Option<&str>)| Agent {
        name: name.parse().unwrap(),
        description: String::new(),
        instructions: "Be brief.".to_owned(),
        models: Vec::new(),
        paused: false,
        memory: memory.map(|it| it.parse().unwrap()),
        proposes_facts: true,
        examples: Default::default(),
        tools: if works { vec!["look".to_owned()] } else { Vec::new() },
        may_ask: if works { all.clone() } else { Vec::new() },
        may_hand_to: Vec::new(),
    };
    let founding = Founding {
        agents: AGENTS.map(agent).into(),
        open_to_all: true,
        default_agent: Some("sage".parse().unwrap()),
        ..Founding::default()
    };
    View::founded(&founding, Arc::from([]))
}

/// The space of an agent, as marks name it.
fn space(agent: &str) -> &str {
    let row = AGENTS.iter().find(|(name, _)| *name == agent).unwrap();
    row.1.unwrap_or(row.0)
}

struct People {
    worlds: Vec<World>,
    /// Whom each talks to.
    agents: Vec<&'static str>,
    updates: i64,
    dice: u64,
    /// Prompts that were looked through, and facts found in them.
    prompts: usize,
    facts: usize,
    /// Prompts of agents that another agent asked, and calls of tools.
    asked: usize,
    calls: usize,
}

impl People {
    fn roll(&mut self, sides: usize) -> usize {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        usize::try_from(self.dice % u64::try_from(sides).unwrap()).unwrap()
    }

    fn act(&mut self) {
        let who = self.roll(self.worlds.len());
        self.updates += 1;
        let (update, agent) = (self.updates, self.agents[who]);
        let mark = format!("mark-{who}-{}", space(agent));
        let next = AGENTS[self.roll(AGENTS.len())].0;
        let text = match self.roll(8) {
            0 | 1 => format!("/remember {mark} {update}"),
            2 => format!("/agent {next}"),
            3 if self.roll(4) == 0 => "/new".to_owned(),
            _ => format!("say {update}"),
        };
        if text.starts_with("/agent") {
            self.agents[who] = next;
        }
        let person = PersonId(i64::try_from(who).unwrap() + 100);
        let world = &mut self.worlds[who];
        world.arrive(update, Some(Inbound::Said(said(person, &text))));
        world.pull(false);
        loop {
            let world = &mut self.worlds[who];
            while world.recording.is_some() {
                world.written();
            }
            let Some(asked) = world.asked.pop() else { break };
            if let Effect::Complete(_, question) = &asked {
                self.prompts += 1;
                if question.agent.name.as_str() == agent {
                    self.facts += look_through(question, who, agent);
                } else {
                    self.asked += 1;
                    assert_eq!(marks(question), "", "it knows what it is told, and nothing else");
                }
                if let Some(called) = self.called(&asked) {
                    self.worlds[who].input(called);
                    continue;
                }
            }
            if let Effect::Tool(_, ToolEffect::Call(_, call)) = &asked {
                self.calls += 1;
                assert_eq!((call.person, call.session), (Some(person), self.worlds[who].key));
                assert!(!call.arguments.to_string().contains("mark-"), "{}", call.arguments);
            }
            let answer = format!("ok\n[[remember: {mark} {update} noted]]");
            let deep = matches!(&asked, Effect::Complete(_, it) if it.agent.name.as_str() != agent);
            let answer = if deep { "It is fine." } else { &answer };
            self.worlds[who].input(good_answer(&asked, answer).unwrap());
        }
        if self.roll(40) == 0 {
            self.worlds[who].crash();
        }
    }
}

impl People {
    /// Now and then a model that has tools uses one, or asks another agent.
    fn called(&mut self, asked: &Effect) -> Option<Input> {
        let Effect::Complete(update, question) = asked else { return None };
        question.bench.as_ref()?;
        let (turn, next) = (self.roll(3), AGENTS[self.roll(AGENTS.len())].0);
        let call = match turn {
            0 => ("ask_agent", json!({"agent": next, "question": "what is known?"})),
            1 => ("look", json!({"at": next})),
            _ => return None,
        };
        Some(Input::Completed(*update, Ok(tools::calling(&[call]))))
    }
}

/// What stands in a prompt that is of any scope.
fn marks(question: &super::super::Question) -> String {
    let room = Room { tokens_max: 100_000, count: &protocol::model::estimate_tokens };
    let (request, _) = context::request_of(question, "gh-0", 100, room, true);
    let text = request.turns.iter().filter(|it| it.content.contains("mark-"));
    text.map(|it| &*it.content).collect()
}

/// Every mark in a prompt is its own scope's. How many there are.
fn look_through(question: &super::super::Question, who: usize, agent: &str) -> usize {
    let room = Room { tokens_max: 100_000, count: &protocol::model::estimate_tokens };
    let (request, _) = context::request_of(question, "gh-0", 100, room, true);
    let text: String = request.turns.iter().map(|it| &*it.content).collect();
    let own = format!("mark-{who}-{} ", space(agent));
    let found = text.matches("mark-").count();
    assert_eq!(found, text.matches(&own).count(), "{own} is not the only one in {text}");
    found
}

/// Twenty people, each in a conversation of their own.
fn people(works: bool) -> People {
    let world = |chat: i64| {
        let key = SessionKey { chat: ChatId(chat + 100), ..KEY };
        let mut config = config();
        (config.memory.facts_max, config.history.exchanges_max) = (20, 2);
        let mut world = World::new(key, config);
        world.view = hall(works);
        world.tools = if works { tools::tools() } else { world.tools };
        world.events.push(Event::NoticeShown);
        world.folded.noticed = true;
        world.renew();
        world
    };
    People {
        worlds: (0..20).map(world).collect(),
        agents: vec!["sage"; 20],
        updates: 0,
        dice: 88_172_645_463_325_252,
        prompts: 0,
        facts: 0,
        asked: 0,
        calls: 0,
    }
}

#[test]
fn no_prompt_holds_what_is_remembered_in_another_scope() {
    let mut people = people(false);
    (0..3_000).for_each(|_| people.act());
    assert!(1_000 < people.prompts && 5_000 < people.facts, "{} {}", people.prompts, people.facts);
}

/// S9. Whoever asks has memories, and so have those who are asked: none of it is in what these see, nor in
/// what a tool is called with.
#[test]
fn s9_in_ten_thousand_questions_between_agents_and_calls_of_tools_nothing_of_another_scope_is_read()
{
    let mut people = people(true);
    while people.asked + people.calls < 10_000 {
        people.act();
    }
    assert!(2_000 < people.asked && 2_000 < people.calls, "{} {}", people.asked, people.calls);
    assert!(5_000 < people.facts, "{}", people.facts);
}
