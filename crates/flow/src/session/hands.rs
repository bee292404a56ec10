//! What the shell does for agents that work with tools: calls them, within their time, beside the actors,
//! and asks the guard about everything that goes out or comes in.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use kit::Cx;
use protocol::{
    Agent, UpdateId,
    model::ToolSpec,
    tool::{Invocation, ServerHealth, Tool, ToolError, ToolOutput, Toolbox},
};
use screening::Placeholders;
use tokio::{runtime::Handle, sync::watch, task::JoinSet};
use tracing::info;

use super::{Input, SessionActor, ToolEffect, ToolInput, verdict_of};
use crate::{
    fault::fault_point,
    guard::{self, Verdict},
    papers,
};

/// How long a question waits after a start for servers of tools that are being started.
const AWAIT_TOOLS_TIME_MAX: Duration = Duration::from_secs(10);

/// A toolbox with nothing in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTools;

#[async_trait]
impl Toolbox for NoTools {
    fn tools(&self) -> Arc<[Tool]> {
        Arc::default()
    }

    fn health(&self) -> Vec<ServerHealth> {
        Vec::new()
    }

    async fn call(&self, _call: &Invocation) -> Result<ToolOutput, ToolError> {
        Err(ToolError::Unknown)
    }
}

/// The agents whose tools are kept written out.
const TOLD_MAX: usize = 64;

/// The tools that there are, and what models were told of them: it is written out once for an agent and
/// not for each question.
#[derive(Debug, Default)]
pub struct Rack {
    /// What the toolbox said when it was made.
    from: Arc<[Tool]>,
    /// The same, and those of the hall's own.
    tools: Arc<[Tool]>,
    told: Mutex<Vec<Told>>,
}

/// What models are told of the tools of an agent.
#[derive(Debug)]
struct Told {
    agent: Arc<Agent>,
    specs: Arc<[ToolSpec]>,
}

impl Rack {
    /// A rack with these tools.
    #[must_use]
    pub fn new(tools: Arc<[Tool]>) -> Self {
        Self { from: Arc::default(), tools, told: Mutex::default() }
    }

    /// The tools.
    pub(super) fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// What models are told of an agent's tools: what was said of this very definition before, or what
    /// `tell` says.
    pub(super) fn told(
        &self,
        agent: &Arc<Agent>,
        tell: impl FnOnce() -> Arc<[ToolSpec]>,
    ) -> Arc<[ToolSpec]> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = told.iter().find(|it| Arc::ptr_eq(&it.agent, agent)) {
            return Arc::clone(&told.specs);
        }
        // Definitions that were replaced stay until then.
        if TOLD_MAX <= told.len() {
            told.clear();
        }
        let specs = tell();
        told.push(Told { agent: Arc::clone(agent), specs: Arc::clone(&specs) });
        specs
    }
}

/// Calls tools on a runtime beside the actors'.
#[derive(Clone)]
pub struct Hands {
    toolbox: Arc<dyn Toolbox>,
    /// As it was asked for last.
    rack: Arc<Mutex<Option<Arc<Rack>>>>,
    egress: Handle,
}

impl std::fmt::Debug for Hands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hands").finish_non_exhaustive()
    }
}

impl Hands {
    /// Hands that reach into this toolbox.
    #[must_use]
    pub fn new(toolbox: Arc<dyn Toolbox>, egress: Handle) -> Self {
        Self { toolbox, rack: Arc::default(), egress }
    }

    /// The tools that there are now, with those of the hall's own that `also` brings.
    #[must_use]
    pub fn rack(&self, also: impl FnOnce() -> Option<Tool>) -> Arc<Rack> {
        let tools = self.toolbox.tools();
        let mut kept = self.rack.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rack) = kept.as_ref().filter(|it| Arc::ptr_eq(&it.from, &tools)) {
            return Arc::clone(rack);
        }
        let all = tools.iter().cloned().chain(also()).collect();
        Arc::clone(kept.insert(Arc::new(Rack { from: tools, ..Rack::new(all) })))
    }

    /// False while servers are being started: more tools may come.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.toolbox.is_settled()
    }

    /// One call. It is cancelled where nobody waits for it any more.
    async fn call(
        self,
        invocation: Invocation,
        time_max: Duration,
        mut gone: watch::Receiver<()>,
    ) -> Result<ToolOutput, ToolError> {
        // Dropped, it ends what it started.
        let mut beside = JoinSet::new();
        let toolbox = self.toolbox;
        beside.spawn_on(async move { toolbox.call(&invocation).await }, &self.egress);
        let called = tokio::select! {
            biased;
            // An error means that the sender is gone.
            _ = gone.changed() => return Err(ToolError::TimedOut),
            called = tokio::time::timeout(time_max, beside.join_next()) => called,
        };
        match called {
            Ok(Some(Ok(result))) => result,
            Ok(Some(Err(panicked))) => Err(ToolError::Unavailable(panicked.into())),
            Ok(None) | Err(_) => Err(ToolError::TimedOut),
        }
    }
}

impl SessionActor {
    pub(super) fn use_hands(
        &mut self,
        update: UpdateId,
        effect: ToolEffect,
        cx: &mut Cx<'_, Self>,
    ) {
        match effect {
            ToolEffect::Call(call, invocation) => self.call_tool(update, call, *invocation, cx),
            ToolEffect::ScreenArguments(call, draft, agent) => {
                let question =
                    move |draft, reply| guard::Msg::ScreenDraft(draft, agent.clone(), reply);
                self.screen(cx, draft, question, move |it| {
                    Input::Tool(update, ToolInput::ArgumentsJudged(call, verdict_of(it)))
                });
            }
            ToolEffect::ScreenQuestion(call, prompt, agent) => {
                let question =
                    move |prompt, reply| guard::Msg::ScreenPrompt(prompt, agent.clone(), reply);
                self.screen(cx, prompt, question, move |it| {
                    let (verdict, hidden) = it.unwrap_or_else(refused);
                    Input::Tool(update, ToolInput::QuestionJudged(call, verdict, hidden))
                });
            }
            ToolEffect::ScreenResult(call, prompt, agent) => {
                let question =
                    move |prompt, reply| guard::Msg::ScreenPrompt(prompt, agent.clone(), reply);
                self.screen(cx, prompt, question, move |it| {
                    let (verdict, hidden) = it.unwrap_or_else(refused);
                    Input::Tool(update, ToolInput::ResultJudged(call, verdict, hidden))
                });
            }
            ToolEffect::ScreenAnswer(draft, agent) => {
                let question =
                    move |draft, reply| guard::Msg::ScreenDraft(draft, agent.clone(), reply);
                self.screen(cx, draft, question, move |it| {
                    Input::Tool(update, ToolInput::AnswerJudged(verdict_of(it)))
                });
            }
            ToolEffect::ScreenChain(draft, agent) => {
                let question =
                    move |draft, reply| guard::Msg::ScreenDraft(draft, agent.clone(), reply);
                self.screen(cx, draft, question, move |it| {
                    Input::Tool(update, ToolInput::ChainJudged(verdict_of(it)))
                });
            }
            ToolEffect::AwaitTools => self.await_tools(update, cx),
            ToolEffect::Count(tool, how) => self.peers.tally.tool_called(tool.as_str(), how),
        }
    }

    fn await_tools(&mut self, update: UpdateId, cx: &mut Cx<'_, Self>) {
        let toolbox = Arc::clone(&self.peers.hands.toolbox);
        let work = async move {
            // lost-ok: who is not there by then is done without.
            tokio::time::timeout(AWAIT_TOOLS_TIME_MAX, toolbox.settled()).await.ok();
        };
        cx.when(work, move |actor, (), cx| {
            actor.input(Input::Tool(update, ToolInput::ToolsCame), cx)
        });
    }

    fn call_tool(
        &mut self,
        update: UpdateId,
        call: u32,
        mut invocation: Invocation,
        cx: &mut Cx<'_, Self>,
    ) {
        // Servers of others learn no ids of people.
        invocation.key = (self.peers.digest)(&invocation.key);
        info!(
            labels.tool = invocation.tool.as_str(),
            labels.agent = invocation.agent.as_str(),
            event.action = "tool_called",
            "a tool is called"
        );
        if papers::is_search(&invocation.tool) {
            return self.search_papers(update, call, &invocation, cx);
        }
        let (sender, gone) = watch::channel(());
        self.turns.entry(update).or_default().call = Some(sender);
        let hands = self.peers.hands.clone();
        let work = hands.call(invocation, self.config.tools.call_time_max, gone);
        cx.when(work, move |actor, result, cx| {
            fault_point("session_tool_answered");
            actor.input(Input::Tool(update, ToolInput::Answered(call, result)), cx)
        });
    }
}

/// GUARD-2.
fn refused<T>(judged: protocol::event::Judged) -> (Verdict<T>, Placeholders) {
    (Verdict::Refuse(judged), Placeholders::new())
}
