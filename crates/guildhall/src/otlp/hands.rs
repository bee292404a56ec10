//! A span for each call of a tool: which, who called it, how long it took and whether it failed. Neither its
//! arguments nor its result.

use std::collections::BTreeMap;

use protocol::{Timestamp, event::Event, work::ToolStep};
use watch::otlp::{Attribute, names};

use super::word;

/// Calls of one turn that are told.
const CALLS_MAX: usize = 200;

/// The calls of a turn, by their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(BTreeMap<u32, Call>);

/// One call.
#[derive(Clone, Debug)]
struct Call {
    tool: String,
    agent: String,
    /// The agent that is asked with it.
    asks: Option<String>,
    began: Timestamp,
    ended: Option<Timestamp>,
    failure: Option<&'static str>,
}

/// A span to be.
pub(super) struct Told {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) time: (Timestamp, Timestamp),
    pub(super) attributes: Vec<(&'static str, Attribute)>,
    pub(super) failed: bool,
}

impl Calls {
    /// Takes what is recorded now. It is recorded before a call, and after it.
    pub(super) fn take(&mut self, event: &Event, now: Timestamp) {
        let Event::Tools { step, .. } = event else { return };
        match step {
            ToolStep::Called { call, agent, tool, asks, .. } => {
                if CALLS_MAX <= self.0.len() {
                    return;
                }
                let begun = Call {
                    tool: tool.as_str().to_owned(),
                    agent: agent.as_str().to_owned(),
                    asks: asks.as_ref().map(|it| it.as_str().to_owned()),
                    began: now,
                    ended: None,
                    failure: None,
                };
                // One that is called again after a crash is told from its first attempt on.
                self.0.entry(*call).or_insert(begun);
            }
            ToolStep::Answered { call, result } => {
                let Some(it) = self.0.get_mut(call) else { return };
                it.ended = Some(now);
                it.failure = match (result.is_unknown, result.is_error) {
                    (true, _) => Some("unknown"),
                    (false, true) => Some("tool_error"),
                    (false, false) => None,
                };
            }
            ToolStep::Wanted { .. }
            | ToolStep::ResultJudged { .. }
            | ToolStep::ApprovalAsked { .. }
            | ToolStep::ApprovalGiven { .. }
            | ToolStep::HandedOver { .. } => {}
        }
    }

    /// What is told of them once the turn is closed.
    pub(super) fn told(&self, closed: Timestamp) -> impl Iterator<Item = Told> {
        self.0.iter().map(move |(number, it)| {
            let failure = it.failure.or(it.ended.is_none().then_some("no_answer"));
            let mut attributes = vec![
                word(names::OPERATION, names::EXECUTE_TOOL),
                word(names::TOOL, &it.tool),
                word(names::TOOL_CALL, &number.to_string()),
                word(names::AGENT, &it.agent),
            ];
            attributes.extend(it.asks.iter().map(|it| word("guildhall.asks", it)));
            attributes.extend(failure.map(|it| word(names::ERROR, it)));
            Told {
                number: *number,
                name: format!("{} {}", names::EXECUTE_TOOL, it.tool),
                time: (it.began, it.ended.unwrap_or(closed)),
                attributes,
                failed: failure.is_some(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        UpdateId,
        tool::{Effects, Taint},
        work::ToolResult,
    };

    use super::*;

    #[test]
    fn a_call_is_told_with_its_time_and_its_failure_and_nothing_that_was_said() {
        let tools = |step| Event::Tools { update: UpdateId(1), step };
        let called = |call, tool: &str, asks: Option<&str>| {
            tools(ToolStep::Called {
                call,
                agent: "sage".parse().unwrap(),
                tool: tool.parse().unwrap(),
                arguments: r#"{"secret":"otter"}"#.to_owned(),
                effects: Effects::ReadOnly,
                asks: asks.map(|it| it.parse().unwrap()),
            })
        };
        let answered = |call, is_error| {
            let text = "an otter".to_owned();
            let result = ToolResult { text, taint: Taint::Tool, is_error, is_unknown: false };
            tools(ToolStep::Answered { call, result })
        };
        let mut calls = Calls::default();
        for (event, at) in [
            (called(0, "box.say", None), 10),
            (answered(0, true), 30),
            (called(1, "ask_agent", Some("coder")), 40),
            (answered(1, false), 90),
            (called(2, "clock", None), 95),
            (answered(7, false), 96),
        ] {
            calls.take(&event, Timestamp(at));
        }
        let told: Vec<Told> = calls.told(Timestamp(100)).collect();
        let shown: Vec<_> =
            told.iter().map(|it| (it.name.as_str(), it.time.0.0, it.time.1.0, it.failed)).collect();
        assert_eq!(
            shown,
            [
                ("execute_tool box.say", 10, 30, true),
                ("execute_tool ask_agent", 40, 90, false),
                ("execute_tool clock", 95, 100, true),
            ]
        );
        let all: String = told.iter().map(|it| format!("{:?}", it.attributes)).collect();
        assert!(!all.contains("otter") && all.contains("gen_ai.tool.name"), "{all}");
        assert!(all.contains("coder") && all.contains("no_answer"), "{all}");
    }
}
