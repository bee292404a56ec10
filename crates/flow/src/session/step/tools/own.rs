//! The hall's own tools: asking another agent, and handing the conversation over.

use std::sync::Arc;

use protocol::{
    Agent, AgentName, UpdateId,
    event::Event,
    tool::{Effects, Taint, Told, Tool, ToolName},
    work::{ToolResult, ToolStep},
};
use serde_json::{Value, json};

use super::{At, failure};
use crate::{
    roster::View,
    session::{
        step::{Effect, Session},
        work::{Call, HAND_OVER as HAND},
    },
};

pub(super) const ASK: &str = "ask_agent";

pub(super) fn named(name: &str) -> Option<ToolName> {
    name.parse().ok()
}

/// What is counted where no tool was called.
pub(super) fn nobody() -> ToolName {
    #[expect(clippy::expect_used, reason = "it is the name of a tool, as a test shows")]
    named("none").expect("a tool may be called so")
}

pub(super) fn is_own(name: &ToolName) -> bool {
    [ASK, HAND].contains(&name.as_str())
}

fn tool(name: &str, does: &str, to: &[AgentName], what: &str, effects: Effects) -> Option<Tool> {
    let agents: Vec<&str> = to.iter().map(AgentName::as_str).collect();
    let parameters = json!({
        "type": "object",
        "properties": {
            "agent": {"type": "string", "enum": agents},
            what: {"type": "string"}
        },
        "required": ["agent", what],
        "additionalProperties": false
    });
    let description = does.to_owned();
    Some(Tool {
        name: named(name)?,
        description,
        parameters,
        effects,
        needs_approval: false,
        told: Told::default(),
    })
    .filter(|_| !agents.is_empty())
}

/// Those that an agent may ask, without those that are at work already.
pub(super) fn ask_agent(agent: &Agent, at_work: &[Arc<Agent>]) -> Option<Tool> {
    let is_free = |it: &&AgentName| at_work.iter().all(|agent| agent.name != **it);
    let free: Vec<AgentName> = agent.may_ask.iter().filter(is_free).cloned().collect();
    let does = "Asks another agent of this hall and gives you its answer. It knows nothing of this \
                conversation but what you write.";
    tool(ASK, does, &free, "question", Effects::ReadOnly)
}

pub(super) fn hand_over(agent: &Agent) -> Option<Tool> {
    let does = "Hands this conversation over to another agent: the person talks to it from now on. \
                Tell it in the note what it needs to know.";
    tool(HAND, does, &agent.may_hand_to, "note", Effects::Idempotent)
}

impl Session {
    /// A call of a tool of our own, which may be made.
    #[expect(clippy::too_many_arguments, reason = "a call, who makes it, and where")]
    pub(super) fn call_own(
        &mut self,
        update: UpdateId,
        call: &Call,
        tool: &Tool,
        arguments: &str,
        at_work: &[Arc<Agent>],
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let value: Value = serde_json::from_str(arguments).unwrap_or_default();
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().trim();
        let is_asking = tool.name.as_str() == ASK;
        let said = text(if is_asking { "question" } else { "note" }).to_owned();
        let (Some(from), Ok(to)) = (at_work.last(), text("agent").parse::<AgentName>()) else {
            let text = "There is no such agent.";
            return self.end_call(update, call.number, "unfit", failure(text), effects);
        };
        if let Err(why) = may_reach(is_asking, from, &to, at_work, view) {
            return self.end_call(update, call.number, "denied", failure(why), effects);
        }
        if said.is_empty() || self.config.tools.result_bytes_max < said.len() {
            let text = "The text for the agent is empty or too long.";
            return self.end_call(update, call.number, "unfit", failure(text), effects);
        }
        let step = ToolStep::Called {
            call: call.number,
            agent: from.name.clone(),
            tool: tool.name.clone(),
            arguments: said.clone(),
            effects: tool.effects,
            asks: is_asking.then(|| to.clone()),
        };
        if is_asking {
            self.record(vec![Event::Tools { update, step }], vec![], effects);
            return self.wait_at(update, At::Idle);
        }
        let (from, number) = (from.name.clone(), call.number);
        let handed = ToolStep::HandedOver { call: number, from, to, note: said };
        let events = [step, handed].map(|step| Event::Tools { update, step });
        self.record(events.to_vec(), vec![], effects);
        self.was_handed(update, number, effects);
    }

    /// The conversation is handed over, perhaps before a crash: the model is told so.
    pub(super) fn was_handed(&mut self, update: UpdateId, number: u32, effects: &mut Vec<Effect>) {
        let handed = self.work(update).and_then(|it| it.handed.as_ref());
        let to = handed.map_or("Another agent", |it| it.to.as_str());
        let result = ToolResult {
            text: format!("{to} takes over after your answer. Say so in one sentence."),
            taint: Taint::Hall,
            is_error: false,
            is_unknown: false,
        };
        self.end_call(update, number, "ok", result, effects);
    }
}

/// TOOLS-3.
fn may_reach(
    is_asking: bool,
    from: &Agent,
    to: &AgentName,
    at_work: &[Arc<Agent>],
    view: &View,
) -> Result<(), &'static str> {
    let listed = if is_asking { &from.may_ask } else { &from.may_hand_to };
    if at_work.iter().any(|it| it.name == *to) {
        return Err(
            "That agent is at work on this question already: asking it would go in a circle.",
        );
    }
    if !listed.contains(to) {
        return Err("You may not reach that agent.");
    }
    match view.agent(to) {
        Some(agent) if !agent.paused => Ok(()),
        Some(_) => Err("That agent rests at the moment."),
        None => Err("There is no such agent."),
    }
}
