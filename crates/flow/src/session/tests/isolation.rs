//! Goal: what is remembered in one scope is in no other scope's prompt, whatever people do. Method:
//! many conversations at random, every text marked with the scope it belongs to.

use super::*;
use crate::context::{self, Room};

/// Agents, and the name of the memory that each shares.
const AGENTS: [(&str, Option<&str>); 4] =
    [("sage", None), ("poet", None), ("cook", Some("kitchen")), ("baker", Some("kitchen"))];

fn hall() -> View {
    let agent = |(name, memory): (&str, Option<&str>)| Agent {
        name: name.parse().unwrap(),
        description: String::new(),
        instructions: "Be brief.".to_owned(),
        models: Vec::new(),
        paused: false,
        memory: memory.map(|it| it.parse().unwrap()),
        proposes_facts: true,
        examples: Default::default(),
        tools: Vec::new(),
        may_ask: Vec::new(),
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
            while world.recording.is_some() {
                world.written();
            }
            let Some(asked) = world.asked.pop() else { break };
            if let Effect::Complete(_, question) = &asked {
                self.prompts += 1;
                self.facts += look_through(question, who, agent);
            }
            let answer = format!("ok\n[[remember: {mark} {update} noted]]");
            world.input(good_answer(&asked, &answer).unwrap());
        }
        if self.roll(40) == 0 {
            self.worlds[who].crash();
        }
    }
}

/// Every mark in a prompt is its own scope's. How many there are.
fn look_through(question: &super::super::Question, who: usize, agent: &str) -> usize {
    let room = Room { tokens_max: 100_000, count: &protocol::model::estimate_tokens };
    let (request, _) = context::request_of(question, "gh-0", 100, room, true);
    let text: String = request.turns.iter().map(|it| it.content.as_str()).collect();
    let own = format!("mark-{who}-{} ", space(agent));
    let found = text.matches("mark-").count();
    assert_eq!(found, text.matches(&own).count(), "{own} is not the only one in {text}");
    found
}

#[test]
fn no_prompt_holds_what_is_remembered_in_another_scope() {
    let world = |chat: i64| {
        let key = SessionKey { chat: ChatId(chat + 100), ..KEY };
        let mut config = config();
        (config.memory.facts_max, config.history.exchanges_max) = (20, 2);
        let mut world = World::new(key, config);
        world.view = hall();
        world.events.push(Event::NoticeShown);
        world.folded.noticed = true;
        world.session = Session::new(key, Arc::clone(&world.config), world.folded.clone());
        world
    };
    let mut people = People {
        worlds: (0..20).map(world).collect(),
        agents: vec!["sage"; 20],
        updates: 0,
        dice: 88_172_645_463_325_252,
        prompts: 0,
        facts: 0,
    };
    (0..3_000).for_each(|_| people.act());
    assert!(1_000 < people.prompts && 5_000 < people.facts, "{} {}", people.prompts, people.facts);
}
