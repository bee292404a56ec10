//! How an agent works with tools before it answers: its model calls some, they are called one after the
//! other, what they gave back is judged and told to the model, and so on until it answers.
//!
//! The work itself is in the session's state (`work.rs`), folded from events; here is what is lost in a
//! crash and found again: what the guard let pass, and what is being waited for.
//!
//! Invariants: TOOLS-1 a tool is called only if every agent that is at work on the question may call it.
//! TOOLS-2 where text of strangers has come into a question, nothing is changed unless its person says
//! so. TOOLS-3 rounds, calls and depth are limited, and agents that are at work are not asked again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use protocol::{
    Agent, AgentName, UpdateId,
    event::{Event, Judged},
    memory::Space,
    model::{Completion, ToolSpec},
    tool::{Invocation, Taint, Tool, ToolError, ToolName, ToolOutput},
    work::{ToolResult, ToolStep},
};
use screening::Placeholders;

use super::{Asking, Effect, Question, Session, Stage, answer::received};
use crate::{
    broker::Unanswered,
    context::{self, Bench, Recollection},
    guard::{Cleared, Draft, Prompt, Verdict},
    outbox::Sayable,
    roster::View,
    session::{
        hands::Rack,
        work::{Call, Frame, Work},
    },
    words,
};

mod answers;
mod approval;
mod calls;
mod own;
mod panel;

/// The deepest that agents may ask agents, whatever is configured.
const DEPTH_MAX: u32 = 5;

/// Limits of work with tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolLimits {
    /// Answers of models in one turn that call tools.
    pub rounds_max: u32,
    /// Calls in one turn.
    pub calls_max: u32,
    /// How long one call may take.
    pub call_time_max: Duration,
    /// The longest result that a model is told, in bytes.
    pub result_bytes_max: usize,
    /// How long a person may take to allow a call.
    pub approval_time_max: Duration,
    /// How deep agents may ask agents; never more than 5.
    pub depth_max: u32,
    /// Whom a panel asks. Nobody: everybody who is awake, up to four.
    pub panel: Vec<AgentName>,
}

impl Default for ToolLimits {
    fn default() -> Self {
        Self {
            rounds_max: 8,
            calls_max: 16,
            call_time_max: Duration::from_secs(30),
            result_bytes_max: 16 * 1024,
            approval_time_max: Duration::from_secs(600),
            depth_max: 3,
            panel: Vec::new(),
        }
    }
}

/// What a session wants done for tools. Each is about one call, or about the turn.
#[derive(Debug, PartialEq, Eq)]
pub enum ToolEffect {
    /// Call a tool.
    Call(u32, Box<Invocation>),
    /// Ask the guard whether arguments may leave.
    ScreenArguments(u32, Draft, Arc<Agent>),
    /// Ask the guard about what one agent asks another.
    ScreenQuestion(u32, Prompt, AgentName),
    /// Ask the guard about what a call gave back.
    ScreenResult(u32, Prompt, AgentName),
    /// Ask the guard about what an agent answers another.
    ScreenAnswer(Draft, Arc<Agent>),
    /// Ask the guard about what agents said to each other, to show it.
    ScreenChain(Draft, Arc<Agent>),
    /// Wait until the servers that are being started have their tools there, or have not.
    AwaitTools,
    /// A call ended so.
    Count(ToolName, &'static str),
}

/// What a session is told of tools.
#[derive(Debug)]
pub enum ToolInput {
    /// Servers were started, or it took too long.
    ToolsCame,
    /// A tool answered, or did not.
    Answered(u32, Result<ToolOutput, ToolError>),
    /// The guard judged arguments.
    ArgumentsJudged(u32, Verdict<Draft>),
    /// The guard judged what an agent asks another, and what was hidden in it.
    QuestionJudged(u32, Verdict<Prompt>, Placeholders),
    /// The guard judged what a call gave back, and what was hidden in it.
    ResultJudged(u32, Verdict<Prompt>, Placeholders),
    /// The guard judged what an agent answers another.
    AnswerJudged(Verdict<Draft>),
    /// The guard judged what agents said to each other.
    ChainJudged(Verdict<Draft>),
}

/// What a turn with tools has in hand, and a crash loses.
#[derive(Debug)]
pub(super) struct Working {
    prompt: Cleared<Prompt>,
    recalled: Vec<Recollection>,
    at: At,
    /// What passed the guard of each result, by call; `None` was held back.
    seen: BTreeMap<u32, Option<String>>,
    /// What agents ask each other, by call.
    questions: BTreeMap<u32, Cleared<Prompt>>,
    /// The arguments of a call, once they may leave.
    arguments: BTreeMap<u32, Cleared<Draft>>,
    /// Whose model was asked last.
    asked: Option<Arc<Agent>>,
    /// What agents said to each other, to be shown.
    chain: Option<Sayable>,
    /// What the agents of a panel answered, to be shown.
    panel: Vec<Sayable>,
    is_ticking: bool,
}

impl Working {
    /// True once something was done for it.
    pub(super) fn has_begun(&self) -> bool {
        !(self.seen.is_empty() && self.questions.is_empty() && self.arguments.is_empty())
    }
}

/// What is waited for.
#[derive(Debug)]
enum At {
    /// Nothing: the next step is to be found.
    Idle,
    /// Servers that are being started: after a start of the hall a call that had begun may be theirs.
    Tools,
    /// A model, or what happens to the answer.
    Model,
    ScreeningArguments(u32),
    ScreeningQuestion(u32),
    ScreeningResult(u32),
    Calling(u32),
    ScreeningAnswer(Completion),
    ScreeningChain(Box<Completion>),
}

/// What is to be done next.
enum Next {
    ScreenResult(u32, AgentName, String),
    ScreenQuestion(u32, AgentName, String),
    Call(Box<Call>),
    AskModel,
}

impl Session {
    /// Tells which tools there are.
    pub fn tell_tools(&mut self, rack: Arc<Rack>) {
        self.rack = rack;
    }

    /// Tells whether servers of tools are being started, so that more may come.
    pub fn tell_whether_tools_come(&mut self, they_do: bool) {
        self.awaits_tools = they_do;
    }

    /// True if tools may still come that the one who is asked may call.
    fn must_await_tools(&mut self, update: UpdateId) -> bool {
        let is_panel = self.is_panel(update);
        let awaits = self.awaits_tools;
        let Some(turn) = self.turn(update, |_| awaits) else { return false };
        let Stage::Working(asking) = &turn.stage else { return false };
        is_panel || asking.agent.tools.iter().any(|it| it == "*" || it.contains('.'))
    }

    /// True if an agent works with tools or other agents, or has begun to.
    pub(super) fn works(&mut self, update: UpdateId, agent: &Agent) -> bool {
        let has_hands =
            !agent.tools.is_empty() || !agent.may_ask.is_empty() || !agent.may_hand_to.is_empty();
        has_hands || self.work(update).is_some() || self.is_panel(update)
    }

    pub(super) fn work(&self, update: UpdateId) -> Option<&Work> {
        self.state.open.get(&update)?.work.as_deref()
    }

    /// A question passed the guard, and what was said long ago is found: the work begins, or goes on.
    pub(super) fn begin_work(
        &mut self,
        update: UpdateId,
        asking: Asking,
        prompt: Cleared<Prompt>,
        recalled: Vec<Recollection>,
    ) {
        let working = Working {
            prompt,
            recalled,
            at: At::Idle,
            seen: BTreeMap::new(),
            questions: BTreeMap::new(),
            arguments: BTreeMap::new(),
            asked: None,
            chain: None,
            panel: Vec::new(),
            is_ticking: false,
        };
        if let Some(turn) = self.turn(update, |_| true) {
            turn.work = Some(Box::new(working));
            turn.stage = Stage::Working(asking);
        }
    }

    /// Goes on with the work until something must be waited for.
    pub(super) fn work_on(&mut self, view: &View, effects: &mut Vec<Effect>) {
        // A step takes a call further, and calls are limited: this ends.
        loop {
            let Some(turn) = self.lanes.talk.turn.as_deref() else { return };
            let is_idle = turn.work.as_ref().is_some_and(|it| matches!(it.at, At::Idle));
            if !is_idle || !matches!(turn.stage, Stage::Working(_)) {
                return;
            }
            let update = turn.update;
            if self.must_await_tools(update) {
                self.wait_at(update, At::Tools);
                return effects.push(Effect::Tool(update, ToolEffect::AwaitTools));
            }
            match self.next(update) {
                Next::ScreenResult(call, agent, text) => {
                    self.wait_at(update, At::ScreeningResult(call));
                    let prompt = Prompt { text, ..Prompt::default() };
                    let effect = ToolEffect::ScreenResult(call, prompt, agent);
                    effects.push(Effect::Tool(update, effect));
                }
                Next::ScreenQuestion(call, agent, text) => {
                    self.wait_at(update, At::ScreeningQuestion(call));
                    let prompt = Prompt { text, ..Prompt::default() };
                    let effect = ToolEffect::ScreenQuestion(call, prompt, agent);
                    effects.push(Effect::Tool(update, effect));
                }
                Next::Call(call) => self.call(update, &call, view, effects),
                Next::AskModel if self.must_convene(update) => self.convene(update, view, effects),
                Next::AskModel => self.ask_next(update, view, effects),
            }
        }
    }

    /// Calls whose results the guard held back.
    fn held_back(&mut self, update: UpdateId) -> Vec<u32> {
        let seen = self.working(update).map(|it| it.seen.iter());
        let held = seen.into_iter().flatten().filter(|(_, text)| text.is_none());
        held.map(|(call, _)| *call).collect()
    }

    fn working(&mut self, update: UpdateId) -> Option<&mut Working> {
        self.turn(update, |_| true)?.work.as_deref_mut()
    }

    fn wait_at(&mut self, update: UpdateId, at: At) {
        if let Some(working) = self.working(update) {
            working.at = at;
        }
    }

    fn next(&mut self, update: UpdateId) -> Next {
        let Some(working) = self.turn(update, |_| true).and_then(|it| it.work.take()) else {
            return Next::AskModel;
        };
        let next = self.next_of(update, &working);
        if let Some(turn) = self.turn(update, |_| true) {
            turn.work = Some(working);
        }
        next
    }

    fn next_of(&self, update: UpdateId, working: &Working) -> Next {
        let Some(work) = self.work(update) else { return Next::AskModel };
        for frame in &work.frames {
            for call in frame.rounds.iter().flat_map(|it| &it.calls) {
                if let Some(result) = &call.result
                    && !working.seen.contains_key(&call.number)
                {
                    let (number, text) = (call.number, result.text.clone());
                    return Next::ScreenResult(number, frame.agent.clone(), text);
                }
            }
            if let (Some(call), Some(question)) = (frame.asked_by, &frame.question)
                && !working.questions.contains_key(&call)
            {
                return Next::ScreenQuestion(call, frame.agent.clone(), question.clone());
            }
        }
        let round = work.frames.last().and_then(|it| it.rounds.last());
        match round.and_then(|it| it.calls.iter().find(|it| it.result.is_none())) {
            Some(call) => Next::Call(Box::new(call.clone())),
            None => Next::AskModel,
        }
    }

    // --- who may do what ---

    /// Those who are at work on a question, the asked one first. `None` where one is gone, or rests.
    fn at_work(&mut self, update: UpdateId, view: &View) -> Option<Vec<Arc<Agent>>> {
        let turn = self.turn(update, |_| true)?;
        let Stage::Working(asking) = &turn.stage else { return None };
        let mut agents = vec![Arc::clone(&asking.agent)];
        let frames = self.work(update).map(|it| it.frames.as_slice()).unwrap_or_default();
        for frame in frames.iter().skip(1) {
            agents.push(Arc::clone(view.agent(&frame.agent).filter(|it| !it.paused)?));
        }
        // An agent of a panel is asked by the person, not by whoever sums up.
        if 1 < agents.len() && self.work(update).is_some_and(|it| it.is_panel) {
            agents.remove(0);
        }
        Some(agents)
    }

    /// TOOLS-1.
    fn tools_of(&self, agents: &[Arc<Agent>], is_panel: bool) -> Vec<Tool> {
        let all_may = |it: &&Tool| agents.iter().all(|agent| agent.may_call(&it.name));
        let mut tools: Vec<Tool> = self.rack.tools().iter().filter(all_may).cloned().collect();
        let Some(agent) = agents.last() else { return tools };
        let depth = u32::try_from(agents.len()).unwrap_or(u32::MAX);
        if depth <= self.config.tools.depth_max.min(DEPTH_MAX) {
            tools.extend(own::ask_agent(agent, agents));
        }
        if depth == 1 && !is_panel {
            tools.extend(own::hand_over(agent));
        }
        tools
    }

    /// What models are told of the same.
    fn specs_of(&self, agents: &[Arc<Agent>], is_panel: bool) -> Arc<[ToolSpec]> {
        let tell = || context::specs_of(&self.tools_of(agents, is_panel));
        match agents {
            [alone] if !is_panel => self.rack.told(alone, tell),
            _ => tell(),
        }
    }

    /// True if text of strangers has come into the question. TOOLS-2.
    fn is_tainted(&mut self, update: UpdateId) -> bool {
        let Some(turn) = self.turn(update, |_| true) else { return true };
        let (Stage::Working(asking), Some(working)) = (&turn.stage, &turn.work) else {
            return true;
        };
        let (agent, asker) = (Arc::clone(&asking.agent), turn.course.asker);
        let brought = asking.is_of_strangers() || !working.recalled.is_empty();
        // In a group the history is of several people.
        let is_private = self.key.is_private();
        brought
            || (!is_private && self.state.exchanges(&agent.name).any(|it| it.by != asker))
            || self.state.tainted.contains(&agent.name)
            || !self.state.facts_in(Space::of(&agent)).is_empty()
            || self.work(update).is_some_and(Work::is_tainted)
    }

    // --- models ---

    fn ask_next(&mut self, update: UpdateId, view: &View, effects: &mut Vec<Effect>) {
        let Some(agents) = self.at_work(update, view) else {
            return self.cannot_answer(update, effects);
        };
        let limits = &self.config.tools;
        let (rounds_max, calls_max) = (limits.rounds_max, limits.calls_max);
        let is_panel = self.work(update).is_some_and(|it| it.is_panel);
        let is_spent = |it: &Work| rounds_max <= it.rounds || calls_max <= it.calls;
        let tools = match self.work(update).is_some_and(is_spent) {
            true => Arc::default(),
            false => self.specs_of(&agents, is_panel),
        };
        let is_deep = self.is_deep(update);
        let Some(agent) = agents.last().cloned() else { return };
        let Some(mut working) = self.turn(update, |_| true).and_then(|it| it.work.take()) else {
            return;
        };
        let frame = self.work(update).and_then(|it| it.frames.last());
        let rounds = frame.map(|it| it.rounds.as_slice()).unwrap_or_default();
        let seen = |call: u32| working.seen.get(&call).and_then(Option::as_deref);
        let links = self.work(update).map(|it| it.links.as_slice()).unwrap_or_default();
        let bench = match is_panel && !is_deep {
            true => Bench::of_panel(rounds, links, seen),
            false => Bench::new(tools, rounds, seen),
        };
        let bench = Some(Box::new(bench));
        let asked_by = frame.and_then(|it| it.asked_by);
        let question = match asked_by.and_then(|it| working.questions.get(&it)) {
            // Of the person's conversation another agent knows what it is told.
            Some(prompt) => Some(Question {
                agent: Arc::clone(&agent),
                history: Vec::new(),
                facts: Vec::new(),
                summary: None,
                recalled: Vec::new(),
                prompt: prompt.clone(),
                images: Vec::new(),
                bench,
            }),
            None if is_deep => None,
            None => {
                let (prompt, recalled) = (working.prompt.clone(), working.recalled.clone());
                let stage = self.turn(update, |_| true).map(|it| &it.stage);
                let (replaces, images) = if let Some(Stage::Working(asking)) = stage {
                    (asking.replaces, asking.came.pictures())
                } else {
                    (false, Vec::new())
                };
                let question = self.question(&agent, replaces, prompt, recalled);
                Some(Question { bench, images, ..question })
            }
        };
        working.at = At::Model;
        working.asked = Some(agent);
        let ticks = !std::mem::replace(&mut working.is_ticking, true);
        if let Some(turn) = self.turn(update, |_| true) {
            turn.work = Some(working);
            if let Stage::Working(asking) = turn.stage.take() {
                turn.stage = Stage::AwaitingModel(asking);
            }
        }
        if let Some(question) = question {
            effects.push(Effect::Complete(update, question));
        }
        if ticks {
            effects.push(Effect::Tick(update));
        }
    }

    /// TOOLS-3: a model that calls tools although it was offered none any more has said what it says
    /// besides; where that is nothing, it has failed.
    pub(super) fn without_late_calls(
        &mut self,
        update: UpdateId,
        result: Result<Completion, Unanswered>,
        effects: &mut Vec<Effect>,
    ) -> Result<Completion, Unanswered> {
        let limits = &self.config.tools;
        let is_late = self.work(update).is_some_and(|it| {
            let sums_up = it.is_panel && it.frames.len() <= 1;
            sums_up || limits.rounds_max <= it.rounds || limits.calls_max <= it.calls
        });
        let mut completion = result?;
        if !is_late || completion.calls.is_empty() {
            return Ok(completion);
        }
        completion.calls.clear();
        if completion.text.trim().is_empty() {
            self.note(vec![received(update, &completion)], effects);
            return Err(Unanswered::AllFailed);
        }
        Ok(completion)
    }

    /// A model answered. What is left to be screened as the answer to the person, if it is one.
    pub(super) fn take_completion(
        &mut self,
        update: UpdateId,
        completion: Completion,
        asking: Asking,
        effects: &mut Vec<Effect>,
    ) -> Option<(Completion, Asking)> {
        if self.turn(update, |_| true)?.work.is_none() {
            return Some((completion, asking));
        }
        let work = self.work(update);
        let frames = work.map(|it| it.frames.as_slice()).unwrap_or_default();
        let depth = u32::try_from(frames.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let first = work.map_or(0, |it| it.calls);
        let has_links = work.is_some_and(|it| !it.links.is_empty());
        let is_panel = work.is_some_and(|it| it.is_panel);
        let asked = self.working(update).and_then(|it| it.asked.clone());
        let agent = asked.unwrap_or_else(|| Arc::clone(&asking.agent));
        if !completion.calls.is_empty() {
            let calls_max = self.config.tools.calls_max.saturating_sub(first).max(1);
            let calls_max = usize::try_from(calls_max).unwrap_or(usize::MAX);
            let calls = completion.calls.iter().take(calls_max).cloned().collect();
            let (agent, text) = (agent.name.clone(), completion.text.clone());
            let of_panel = false;
            let step = ToolStep::Wanted { depth, agent, text, calls, first, of_panel };
            self.note(vec![received(update, &completion), Event::Tools { update, step }], effects);
            self.wait_at(update, At::Idle);
            self.set_stage(update, Stage::Working(asking));
            return None;
        }
        if 0 < depth {
            let draft = Draft(completion.text.clone());
            effects.push(Effect::Tool(update, ToolEffect::ScreenAnswer(draft, agent)));
            self.wait_at(update, At::ScreeningAnswer(completion));
            self.set_stage(update, Stage::Working(asking));
            return None;
        }
        if has_links && is_panel {
            return self.show_panel(update, completion, asking, effects);
        }
        if has_links {
            let held = self.held_back(update);
            let (work, language) = (self.work(update)?, self.language(update));
            let chain = words::tools::chain(work, |call| held.contains(&call), language);
            let agent = Arc::clone(&asking.agent);
            effects.push(Effect::Tool(update, ToolEffect::ScreenChain(Draft(chain), agent)));
            self.wait_at(update, At::ScreeningChain(Box::new(completion)));
            self.set_stage(update, Stage::Working(asking));
            return None;
        }
        Some((completion, asking))
    }

    /// No model answered for an agent that another agent had asked: that one is told so.
    pub(super) fn deep_failure(
        &mut self,
        update: UpdateId,
        why: Unanswered,
        asking: Asking,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let call = self.work(update).and_then(|it| it.frames.last()?.asked_by);
        let Some(call) = call else { return false };
        self.set_stage(update, Stage::Working(asking));
        let text = match why {
            Unanswered::AllFailed => "The agent could not answer.",
            Unanswered::CannotSee => "The agent cannot see pictures.",
            Unanswered::Busy => "The agent is too busy to answer.",
            Unanswered::OverCap(_) => "The agent may not be asked any more: a budget is used up.",
        };
        self.end_call(update, call, "failed", failure(text), effects);
        true
    }

    /// An agent that was asked by another is gone, or rests.
    fn cannot_answer(&mut self, update: UpdateId, effects: &mut Vec<Effect>) {
        let call = self.work(update).and_then(|it| it.frames.last()?.asked_by);
        match call {
            Some(call) => {
                let text = "The agent is not here any more.";
                self.end_call(update, call, "failed", failure(text), effects);
            }
            None => self.wait_at(update, At::Model),
        }
    }

    fn tell_stopped(
        &mut self,
        update: UpdateId,
        of_answer: bool,
        text: String,
        judged: Judged,
        effects: &mut Vec<Effect>,
    ) {
        let asked = self.working(update).and_then(|it| it.asked.clone());
        let Some(agent) = asked.map(|it| it.name.clone()).or_else(|| self.root(update)) else {
            return;
        };
        let (held, refusal) = self.stopped(update, of_answer, &agent, vec![text], &judged);
        if let Some(held) = held {
            self.note(vec![held], effects);
        }
        effects.extend(refusal);
    }

    fn root(&self, update: UpdateId) -> Option<AgentName> {
        let frame: &Frame = self.work(update)?.frames.first()?;
        Some(frame.agent.clone())
    }

    /// What goes with the answer: what agents said to each other, and who takes over.
    pub(super) fn extras(&mut self, update: UpdateId) -> Vec<Sayable> {
        let handed = self.work(update).and_then(|it| it.handed.clone());
        let language = self.language(update);
        let handed = handed.map(|it| words::tools::handed_over(&it).in_language(language));
        let handed = handed.map(Sayable::Notice);
        let Some(working) = self.working(update) else { return Vec::new() };
        working.chain.take().into_iter().chain(handed).collect()
    }

    /// True while another agent than the asked one writes: nobody is shown that.
    pub(super) fn is_deep(&self, update: UpdateId) -> bool {
        self.work(update).is_some_and(|it| 1 < it.frames.len())
    }
}

/// A result in our own words.
fn failure(text: &str) -> ToolResult {
    let (text, taint) = (text.to_owned(), Taint::Hall);
    ToolResult { text, taint, is_error: true, is_unknown: false }
}
