//! What a session remembers of an agent's work with tools while it is under way: folded from its
//! events, so that a restart goes on where it was.
//!
//! Invariants: WORK-1 a call is in the ledger before it is made. WORK-2 a call that changes something
//! once, was begun and did not end is not made again unless a person says so.

use std::collections::BTreeMap;

use protocol::{
    AgentName, PersonId, Timestamp, UpdateId,
    model::ToolCall,
    tool::{Effects, Taint, ToolName},
    work::{Asking, ToolResult, ToolStep},
};
use serde::{Deserialize, Serialize};

use super::state::Asked;

/// The hall's own tool that hands a conversation over.
pub(crate) const HAND_OVER: &str = "hand_over";

/// Works that may wait for a person's word in one conversation. The oldest gives way.
const WAITING_MAX: usize = 8;

/// The work on one question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Who is at work: whom the person asked, whom that agent asked, and so on.
    #[serde(default)]
    pub frames: Vec<Frame>,
    /// Calls so far.
    #[serde(default)]
    pub calls: u32,
    /// Answers of models so far that called tools.
    #[serde(default)]
    pub rounds: u32,
    /// Who asked whom, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Who takes over, from whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed: Option<Handing>,
    /// The update that it began with, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<UpdateId>,
    /// The question, where it is not in the update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Asking>,
    /// The person asks a panel of agents.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_panel: bool,
}

/// An agent at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Who.
    pub agent: AgentName,
    /// What another agent asked it; `None` for the person's own question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The call by which it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<u32>,
    /// What its model did so far.
    #[serde(default)]
    pub rounds: Vec<Round>,
}

/// Tools that a model called together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// What it said beside it.
    #[serde(default)]
    pub text: String,
    /// The calls.
    pub calls: Vec<Call>,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its number in the turn.
    pub number: u32,
    /// As the model wrote it.
    pub wanted: ToolCall,
    /// How it was begun, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
    /// What the person said, if they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<bool>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ToolResult>,
}

/// How a call was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The tool.
    pub tool: ToolName,
    /// What it was given.
    pub arguments: String,
    /// What it may change.
    pub effects: Effects,
}

/// One agent asked another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The call.
    pub call: u32,
    /// Who asked.
    pub from: AgentName,
    /// Whom.
    pub to: AgentName,
    /// What.
    pub asked: String,
    /// What it answered, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
}

/// A conversation that is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handing {
    /// Who hands it over.
    pub from: AgentName,
    /// To whom.
    pub to: AgentName,
    /// What the other needs to know.
    pub note: String,
}

/// Work that waits until a person has answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The work.
    pub work: Work,
    /// The question, as the conversation will remember it.
    pub asked: Asked,
    /// The call that they are asked about.
    pub call: u32,
    /// Who is asked.
    pub by: PersonId,
    /// Until when they may answer.
    pub until: Timestamp,
}

impl Work {
    /// Takes one step in.
    pub fn take(&mut self, step: &ToolStep) {
        match step {
            ToolStep::Wanted { depth, agent, text, calls, first, of_panel } => {
                let depth = *depth as usize;
                if depth == self.frames.len() {
                    let agent = agent.clone();
                    let frame = Frame { agent, question: None, asked_by: None, rounds: Vec::new() };
                    self.frames.push(frame);
                }
                self.is_panel |= of_panel;
                self.rounds += 1;
                let call = |(number, wanted): (u32, &ToolCall)| {
                    let wanted = wanted.clone();
                    Call { number, wanted, begun: None, allowed: None, result: None }
                };
                let calls: Vec<Call> = (*first..).zip(calls).map(call).collect();
                self.calls = calls.last().map_or(self.calls, |it| it.number + 1);
                if let Some(frame) = self.frames.get_mut(depth) {
                    frame.rounds.push(Round { text: text.clone(), calls });
                }
            }
            ToolStep::Called { call, agent, tool, arguments, effects, asks } => {
                self.begin(*call, tool, arguments, *effects);
                if let Some(asked) = asks {
                    let (from, to, call) = (agent.clone(), asked.clone(), *call);
                    let (asked, answered) = (arguments.clone(), None);
                    let (agent, question) = (to.clone(), Some(asked.clone()));
                    self.links.push(Link { call, from, to, asked, answered });
                    let asked_by = Some(call);
                    self.frames.push(Frame { agent, question, asked_by, rounds: Vec::new() });
                }
            }
            ToolStep::Answered { call, result } => self.end(*call, result),
            ToolStep::ApprovalAsked { question, .. } => self.question = Some(question.clone()),
            ToolStep::ApprovalGiven { call, allowed, .. } => {
                if let Some(call) = self.call_mut(*call) {
                    // What was begun and never ended is begun anew, or not at all.
                    (call.begun, call.allowed) = (None, Some(*allowed));
                }
            }
            ToolStep::HandedOver { from, to, note, .. } => {
                let (from, to, note) = (from.clone(), to.clone(), note.clone());
                self.handed = Some(Handing { from, to, note });
            }
            ToolStep::ResultJudged { .. } => (),
        }
    }

    fn begin(&mut self, number: u32, tool: &ToolName, arguments: &str, effects: Effects) {
        if let Some(call) = self.call_mut(number) {
            let (tool, arguments) = (tool.clone(), arguments.to_owned());
            call.begun = Some(Begun { tool, arguments, effects });
        }
    }

    /// A call ends, and with it the work of whoever was asked by it.
    fn end(&mut self, number: u32, result: &ToolResult) {
        let has_it =
            |it: &Frame| it.rounds.iter().flat_map(|it| &it.calls).any(|it| it.number == number);
        if let Some(place) = self.frames.iter().position(has_it) {
            self.frames.truncate(place + 1);
        }
        if let Some(link) = self.links.iter_mut().find(|it| it.call == number) {
            link.answered = Some(result.text.clone());
        }
        if let Some(call) = self.call_mut(number) {
            call.result = Some(result.clone());
        }
    }

    fn call_mut(&mut self, number: u32) -> Option<&mut Call> {
        let rounds = self.frames.iter_mut().flat_map(|it| &mut it.rounds);
        rounds.flat_map(|it| &mut it.calls).find(|it| it.number == number)
    }

    /// Every call of those who are at work, in order.
    pub fn each_call(&self) -> impl Iterator<Item = &Call> {
        self.frames.iter().flat_map(|it| &it.rounds).flat_map(|it| &it.calls)
    }

    /// A call by its number.
    #[must_use]
    pub fn call(&self, number: u32) -> Option<&Call> {
        self.each_call().find(|it| it.number == number)
    }

    /// What was said between a panel's agents and whoever sums up; not what they asked others.
    pub fn panel_links(&self) -> impl Iterator<Item = &Link> {
        let first = self.frames.first().into_iter().flat_map(|it| it.rounds.first());
        let asked = first.flat_map(|it| &it.calls);
        asked.filter_map(|call| self.links.iter().find(|it| it.call == call.number))
    }

    /// True if text of strangers has come into it.
    #[must_use]
    pub fn is_tainted(&self) -> bool {
        let results = self.each_call().filter_map(|it| it.result.as_ref());
        results.into_iter().any(|it| it.taint != Taint::Hall) || !self.links.is_empty()
    }
}

/// Works that wait for a person's word, by the update that they began with.
pub(crate) type AllWaiting = BTreeMap<UpdateId, Waiting>;

/// Adds one. The oldest gives way to it.
pub(super) fn wait(all: &mut AllWaiting, update: UpdateId, waiting: Waiting) {
    all.insert(update, waiting);
    while WAITING_MAX < all.len() {
        all.pop_first();
    }
}
