//! How a call is made: whether it may be, with what, and what is written before it.

use std::sync::Arc;

use protocol::{
    Agent, UpdateId,
    event::Event,
    tool::{Effects, Invocation, Tool},
    work::{ToolResult, ToolStep},
};
use serde_json::Value;

use super::{At, ToolEffect, failure, own};
use crate::{
    context::spec_name,
    guard::{Draft, restore_in},
    roster::View,
    session::{
        step::{Effect, Session, Stage},
        work::Call,
    },
};

/// What a model is told where a call was begun before a crash, and its tool is gone after it.
const GONE: &str = "The tool is not there any more. The call was begun; whether it did something is not known, tell \
                    the person so.";

impl Session {
    pub(super) fn call(
        &mut self,
        update: UpdateId,
        call: &Call,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let number = call.number;
        let Some(agents) = self.at_work(update, view) else {
            return self.cannot_answer(update, effects);
        };
        let is_panel = self.work(update).is_some_and(|it| it.is_panel);
        if is_panel && !self.is_deep(update) {
            return self.ask_of_panel(update, call, view, effects);
        }
        let tools = self.tools_of(&agents, is_panel);
        let wanted = tools.iter().find(|it| spec_name(&it.name) == call.wanted.name);
        let (Some(tool), Some(agent)) = (wanted, agents.last()) else {
            let begun = call.begun.as_ref();
            let result = match begun.is_some_and(|it| it.effects == Effects::Once) {
                true => ToolResult { is_unknown: true, ..failure(GONE) },
                false => failure("There is no such tool."),
            };
            return self.end_call(update, number, "unknown", result, effects);
        };
        if let Some(begun) = call.begun.as_ref().filter(|it| it.effects != Effects::Once) {
            if own::is_own(&tool.name) {
                return self.was_handed(update, number, effects);
            }
            let arguments = begun.arguments.clone();
            return self.make_call(update, call, tool, &arguments, agent, effects);
        }
        let known = self.working(update).and_then(|it| it.arguments.get(&number).cloned());
        let Some(arguments) = known else {
            let begun = call.begun.as_ref().map(|it| it.arguments.clone());
            let Some(text) = begun.or_else(|| arguments_of(call)) else {
                let text = "The arguments are not a JSON object.";
                return self.end_call(update, number, "unfit", failure(text), effects);
            };
            self.wait_at(update, At::ScreeningArguments(number));
            let effect = ToolEffect::ScreenArguments(number, Draft(text), Arc::clone(agent));
            return effects.push(Effect::Tool(update, effect));
        };
        if call.begun.is_some() {
            // WORK-2.
            return self.ask_person(update, (call, tool, true), &arguments, agent, effects);
        }
        if call.allowed == Some(false) {
            let text = "The person did not allow it.";
            return self.end_call(update, number, "denied", failure(text), effects);
        }
        if call.allowed.is_none() && self.must_ask(update, tool) {
            return self.ask_person(update, (call, tool, false), &arguments, agent, effects);
        }
        if own::is_own(&tool.name) {
            let arguments = arguments.into_inner().0;
            return self.call_own(update, call, tool, &arguments, &agents, view, effects);
        }
        let arguments = arguments.into_inner().0;
        // WORK-1.
        let step = ToolStep::Called {
            call: number,
            agent: agent.name.clone(),
            tool: tool.name.clone(),
            arguments: arguments.clone(),
            effects: tool.effects,
            asks: None,
        };
        self.record(vec![Event::Tools { update, step }], vec![], effects);
        self.make_call(update, call, tool, &arguments, agent, effects);
    }

    /// TOOLS-2, and what changed something or not, nobody knows, is not done again unasked.
    pub(super) fn must_ask(&mut self, update: UpdateId, tool: &Tool) -> bool {
        let changes = tool.effects != Effects::ReadOnly;
        let is_unknown = |it: &Call| {
            let is_it = it.begun.as_ref().is_some_and(|it| it.tool == tool.name);
            is_it && it.result.as_ref().is_some_and(|it| it.is_unknown)
        };
        let may_be_done = || self.work(update).is_some_and(|it| it.each_call().any(is_unknown));
        let again = tool.effects == Effects::Once && may_be_done();
        tool.needs_approval || again || (changes && self.is_tainted(update))
    }

    pub(super) fn make_call(
        &mut self,
        update: UpdateId,
        call: &Call,
        tool: &Tool,
        arguments: &str,
        agent: &Arc<Agent>,
        effects: &mut Vec<Effect>,
    ) {
        let key = self.key;
        let origin = self.work(update).and_then(|it| it.origin).unwrap_or(update);
        let Some(turn) = self.turn(update, |_| true) else { return };
        let Stage::Working(asking) = &turn.stage else { return };
        let mut arguments = serde_json::from_str(arguments).unwrap_or_default();
        if call.allowed == Some(true) {
            // The person saw these very words, and no others.
            restore_in(&mut arguments, &asking.hidden);
        }
        let invocation = Invocation {
            tool: tool.name.clone(),
            arguments,
            key: format!("{key:?} {origin} {}", call.number),
            agent: agent.name.clone(),
            person: turn.course.asker,
            session: key,
        };
        self.wait_at(update, At::Calling(call.number));
        let effect = ToolEffect::Call(call.number, Box::new(invocation));
        effects.push(Effect::Tool(update, effect));
    }

    /// A call is over, however.
    pub(super) fn end_call(
        &mut self,
        update: UpdateId,
        number: u32,
        how: &'static str,
        result: ToolResult,
        effects: &mut Vec<Effect>,
    ) {
        let begun = self.work(update).and_then(|it| it.call(number)?.begun.as_ref());
        let once = begun.is_some_and(|it| it.effects == Effects::Once);
        let tool = begun.map_or_else(own::nobody, |it| it.tool.clone());
        let events =
            vec![Event::Tools { update, step: ToolStep::Answered { call: number, result } }];
        if once {
            self.record(events, vec![], effects);
        } else {
            self.note(events, effects);
        }
        effects.push(Effect::Tool(update, ToolEffect::Count(tool, how)));
        self.wait_at(update, At::Idle);
    }
}

/// The arguments as one JSON object; models write nothing for none.
pub(super) fn arguments_of(call: &Call) -> Option<String> {
    let text = Some(call.wanted.arguments.trim()).filter(|it| !it.is_empty()).unwrap_or("{}");
    let value: Value = serde_json::from_str(text).ok()?;
    value.is_object().then(|| value.to_string())
}
