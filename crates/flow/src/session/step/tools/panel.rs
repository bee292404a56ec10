//! `/panel`: several agents answer one question, each by itself, and whoever the person talks to sums up
//! where they differ. Each is asked as an agent asks another; what they answered stands in the ledger, so
//! that a restart asks nobody twice.

use std::sync::Arc;

use protocol::{
    AgentName, UpdateId,
    event::{Event, Outcome},
    model::{Completion, ToolCall},
    tool::Effects,
    work::ToolStep,
};

use super::{At, ToolEffect, failure, own};
use crate::{
    guard::{Draft, Verdict},
    outbox::Sayable,
    roster::View,
    session::{
        step::{Asking, Effect, Session, Stage},
        work::Call,
    },
    words,
};

/// Agents of a panel where nobody says which.
const USUAL_MAX: usize = 4;

impl Session {
    pub(super) fn is_panel(&mut self, update: UpdateId) -> bool {
        self.turn(update, |_| true).is_some_and(|it| it.is_panel)
    }

    /// True for a panel whose agents have not been asked yet.
    pub(super) fn must_convene(&mut self, update: UpdateId) -> bool {
        self.is_panel(update) && self.work(update).is_none_or(|it| !it.is_panel)
    }

    /// Writes down who is asked.
    pub(super) fn convene(&mut self, update: UpdateId, view: &View, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn(update, |_| true) else { return };
        let Stage::Working(asking) = &turn.stage else { return };
        let agent = asking.agent.name.clone();
        let listed = &self.config.tools.panel;
        let is_awake = |it: &&AgentName| view.agent(it).is_some_and(|it| !it.paused);
        let members: Vec<AgentName> = match listed.is_empty() {
            true => {
                let awake = view.agents().filter(|it| !it.paused).map(|it| it.name.clone());
                awake.take(USUAL_MAX).collect()
            }
            false => listed.iter().filter(is_awake).cloned().collect(),
        };
        if members.is_empty() {
            let notice = words::tools::no_panel();
            return self.answer_notice(update, notice, Outcome::Answered, effects);
        }
        let calls = members.iter().map(|name| ToolCall {
            id: name.to_string(),
            name: own::ASK.to_owned(),
            arguments: name.to_string(),
        });
        let step = ToolStep::Wanted {
            depth: 0,
            agent,
            text: String::new(),
            calls: calls.collect(),
            first: 0,
            of_panel: true,
        };
        self.note(vec![Event::Tools { update, step }], effects);
    }

    /// Asks one of them.
    pub(super) fn ask_of_panel(
        &mut self,
        update: UpdateId,
        call: &Call,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |_| true) else { return };
        let (Stage::Working(asking), Some(working)) = (&turn.stage, &turn.work) else { return };
        let (agent, question) = (asking.agent.name.clone(), working.prompt.get().text.clone());
        let to = call.wanted.arguments.parse::<AgentName>().ok();
        let to = to.filter(|it| view.agent(it).is_some_and(|it| !it.paused));
        let (Some(to), Some(tool)) = (to, own::named(own::ASK)) else {
            let text = "That agent is not here.";
            return self.end_call(update, call.number, "unknown", failure(text), effects);
        };
        let step = ToolStep::Called {
            call: call.number,
            agent,
            tool,
            arguments: question,
            effects: Effects::ReadOnly,
            asks: Some(to),
        };
        self.record(vec![Event::Tools { update, step }], vec![], effects);
        self.wait_at(update, At::Idle);
    }

    /// The sum is written: what each of them said is judged once more, to be shown before it.
    pub(super) fn show_panel(
        &mut self,
        update: UpdateId,
        completion: Completion,
        asking: Asking,
        effects: &mut Vec<Effect>,
    ) -> Option<(Completion, Asking)> {
        let shown = self.working(update).map_or(0, |it| it.panel.len());
        let link = self.work(update).and_then(|it| it.panel_links().nth(shown));
        let language = self.language(update);
        let Some(text) = link.map(|it| words::tools::of_panel(it, language)) else {
            return Some((completion, asking));
        };
        let agent = Arc::clone(&asking.agent);
        effects.push(Effect::Tool(update, ToolEffect::ScreenChain(Draft(text), agent)));
        self.wait_at(update, At::ScreeningChain(Box::new(completion)));
        self.set_stage(update, Stage::Working(asking));
        None
    }

    pub(super) fn panel_judged(
        &mut self,
        update: UpdateId,
        verdict: Verdict<Draft>,
        completion: Completion,
        asking: Asking,
        effects: &mut Vec<Effect>,
    ) {
        let shown = self.working(update).map_or(0, |it| it.panel.len());
        let link = self.work(update).and_then(|it| it.panel_links().nth(shown));
        let name = link.map_or_else(|| asking.agent.name.clone(), |it| it.to.clone());
        let held = self.held_back(update);
        let call = self.work(update).and_then(|it| it.panel_links().nth(shown)).map(|it| it.call);
        let part = match verdict {
            Verdict::Clear(..) if call.is_some_and(|it| held.contains(&it)) => None,
            Verdict::Clear(draft, _) => {
                let parts = draft.restored(&asking.hidden).typeset(self.config.typeset);
                // One answer, one message: what does not fit is in the trace.
                parts.into_iter().next().map(Sayable::Answer)
            }
            Verdict::Refuse(_) => None,
        };
        let language = self.language(update);
        let held_back = || words::tools::panel_held_back(&name).in_language(language);
        let part = part.unwrap_or_else(|| Sayable::Notice(held_back()));
        if let Some(working) = self.working(update) {
            working.panel.push(part);
        }
        if let Some((completion, asking)) = self.show_panel(update, completion, asking, effects) {
            self.screen_draft(update, completion, asking, effects);
        }
    }

    /// What the agents of a panel said, before its sum.
    pub(in crate::session::step) fn panel_parts(&mut self, update: UpdateId) -> Vec<Sayable> {
        self.working(update).map(|it| std::mem::take(&mut it.panel)).unwrap_or_default()
    }
}
