//! What comes back from tools, agents and the guard, and what becomes of it.

use protocol::{
    UpdateId,
    event::Event,
    tool::{Effects, Taint, ToolError, ToolOutput},
    work::{ToolResult, ToolStep},
};
use screening::Placeholders;
use serde_json::Value;

use super::{At, ToolInput, calls::arguments_of, failure};
use crate::{
    guard::{Draft, Prompt, Verdict},
    outbox::Sayable,
    session::step::{Effect, Session, Stage, answer::received},
};

impl Session {
    /// True if the turn waits for just this. SESSION-2.
    pub(super) fn waits(&mut self, update: UpdateId, is_at: impl Fn(&At) -> bool) -> bool {
        let turn = self.turn(update, |it| matches!(it, Stage::Working(_)));
        turn.and_then(|it| it.work.as_ref()).is_some_and(|it| is_at(&it.at))
    }

    pub(in crate::session::step) fn tool_told(
        &mut self,
        update: UpdateId,
        input: ToolInput,
        effects: &mut Vec<Effect>,
    ) {
        match input {
            ToolInput::ToolsCame => {
                if self.waits(update, |it| matches!(it, At::Tools)) {
                    self.wait_at(update, At::Idle);
                }
            }
            ToolInput::Answered(call, result) => {
                if self.waits(update, |it| matches!(it, At::Calling(of) if *of == call)) {
                    self.tool_answered(update, call, result, effects);
                }
            }
            ToolInput::ArgumentsJudged(call, verdict) => {
                if self.waits(update, |it| matches!(it, At::ScreeningArguments(of) if *of == call))
                {
                    self.arguments_judged(update, call, verdict, effects);
                }
            }
            ToolInput::QuestionJudged(call, verdict, hidden) => {
                if self.waits(update, |it| matches!(it, At::ScreeningQuestion(of) if *of == call)) {
                    self.question_judged(update, call, verdict, &hidden, effects);
                }
            }
            ToolInput::ResultJudged(call, verdict, hidden) => {
                if self.waits(update, |it| matches!(it, At::ScreeningResult(of) if *of == call)) {
                    self.result_judged(update, call, verdict, &hidden, effects);
                }
            }
            ToolInput::AnswerJudged(verdict) => {
                if self.waits(update, |it| matches!(it, At::ScreeningAnswer(_))) {
                    self.answer_judged(update, verdict, effects);
                }
            }
            ToolInput::ChainJudged(verdict) => {
                if self.waits(update, |it| matches!(it, At::ScreeningChain(_))) {
                    self.chain_judged(update, verdict, effects);
                }
            }
        }
    }

    pub(super) fn tool_answered(
        &mut self,
        update: UpdateId,
        call: u32,
        result: Result<ToolOutput, ToolError>,
        effects: &mut Vec<Effect>,
    ) {
        let begun = self.work(update).and_then(|it| it.call(call)?.begun.as_ref());
        let once = begun.is_some_and(|it| it.effects == Effects::Once);
        let (how, result) = match result {
            Ok(ToolOutput { text, taint, is_error }) => {
                let text = within(text, self.config.tools.result_bytes_max);
                let how = if is_error { "error" } else { "ok" };
                (how, ToolResult { text, taint, is_error, is_unknown: false })
            }
            Err(error) => (label(&error), failed(&error, once)),
        };
        self.end_call(update, call, how, result, effects);
    }

    pub(super) fn arguments_judged(
        &mut self,
        update: UpdateId,
        call: u32,
        verdict: Verdict<Draft>,
        effects: &mut Vec<Effect>,
    ) {
        let draft = match verdict {
            Verdict::Clear(draft, _) => draft,
            Verdict::Refuse(judged) => {
                let text = self.work(update).and_then(|it| arguments_of(it.call(call)?));
                self.tell_stopped(update, true, text.unwrap_or_default(), judged, effects);
                let text = "The guard held the call back: its arguments may not leave.";
                return self.end_call(update, call, "held_back", failure(text), effects);
            }
        };
        // What the guard hid in them may have broken them.
        if serde_json::from_str::<Value>(&draft.get().0).is_ok_and(|it| it.is_object()) {
            if let Some(working) = self.working(update) {
                working.arguments.insert(call, draft);
            }
            return self.wait_at(update, At::Idle);
        }
        let text = "The guard held the call back: its arguments may not leave.";
        self.end_call(update, call, "held_back", failure(text), effects);
    }

    pub(super) fn result_judged(
        &mut self,
        update: UpdateId,
        call: u32,
        verdict: Verdict<Prompt>,
        hidden: &Placeholders,
        effects: &mut Vec<Effect>,
    ) {
        let judged = verdict.judged().clone();
        let step = ToolStep::ResultJudged { call, judged: judged.clone() };
        self.note(vec![Event::Tools { update, step }], effects);
        let seen = match verdict {
            // What is hidden in it is not the person's: nothing puts it back into an answer.
            Verdict::Clear(prompt, _) => Some(hidden.without_numbers(&prompt.get().text)),
            Verdict::Refuse(_) => {
                let result = self.work(update).and_then(|it| it.call(call)?.result.as_ref());
                let text = result.map(|it| it.text.clone()).unwrap_or_default();
                self.tell_stopped(update, false, text, judged, effects);
                None
            }
        };
        if let Some(working) = self.working(update) {
            working.seen.insert(call, seen);
            working.at = At::Idle;
        }
    }

    pub(super) fn question_judged(
        &mut self,
        update: UpdateId,
        call: u32,
        verdict: Verdict<Prompt>,
        hidden: &Placeholders,
        effects: &mut Vec<Effect>,
    ) {
        match verdict {
            Verdict::Clear(prompt, _) => {
                if let Some(working) = self.working(update) {
                    working.questions.insert(call, prompt.without_numbers(hidden));
                    working.at = At::Idle;
                }
            }
            Verdict::Refuse(judged) => {
                let frame = self.work(update).and_then(|it| it.frames.last());
                let text = frame.and_then(|it| it.question.clone()).unwrap_or_default();
                self.tell_stopped(update, false, text, judged, effects);
                let text = "The guard held the question back.";
                self.end_call(update, call, "held_back", failure(text), effects);
            }
        }
    }

    /// What an agent answers another, judged as if a person saw it.
    pub(super) fn answer_judged(
        &mut self,
        update: UpdateId,
        verdict: Verdict<Draft>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(working) = self.working(update) else { return };
        let At::ScreeningAnswer(completion) = std::mem::replace(&mut working.at, At::Idle) else {
            return;
        };
        self.note(vec![received(update, &completion)], effects);
        let call = self.work(update).and_then(|it| it.frames.last()?.asked_by);
        let Some(call) = call else { return };
        let (how, result) = match verdict {
            Verdict::Clear(draft, _) => {
                let (draft, _) = draft.without_proposals();
                let text = within(draft.into_inner().0, self.config.tools.result_bytes_max);
                let taint = Taint::Agent;
                ("ok", ToolResult { text, taint, is_error: false, is_unknown: false })
            }
            Verdict::Refuse(judged) => {
                self.tell_stopped(update, true, completion.text, judged, effects);
                ("held_back", failure("The guard held the agent's answer back."))
            }
        };
        self.end_call(update, call, how, result, effects);
    }

    pub(super) fn chain_judged(
        &mut self,
        update: UpdateId,
        verdict: Verdict<Draft>,
        effects: &mut Vec<Effect>,
    ) {
        let is_panel = self.work(update).is_some_and(|it| it.is_panel);
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::Working(_))) else { return };
        let Stage::Working(asking) = turn.stage.take() else { return };
        let Some(working) = turn.work.as_mut() else { return };
        let At::ScreeningChain(completion) = std::mem::replace(&mut working.at, At::Model) else {
            return;
        };
        if is_panel {
            return self.panel_judged(update, verdict, *completion, asking, effects);
        }
        working.chain = match verdict {
            Verdict::Clear(draft, _) => {
                Some(Sayable::Answer(draft.restored(&asking.hidden).folded()))
            }
            // The answer stands for itself.
            Verdict::Refuse(_) => None,
        };
        self.screen_draft(update, *completion, asking, effects);
    }
}

/// What a model is told where a tool gave nothing back.
fn failed(error: &ToolError, once: bool) -> ToolResult {
    let is_unknown = once
        && matches!(error, ToolError::TimedOut | ToolError::TooLarge | ToolError::Unavailable(_));
    let more =
        if is_unknown { "; whether it did something is not known, tell the person so" } else { "" };
    // An error of a tool carries no text of its server.
    ToolResult { is_unknown, ..failure(&format!("It failed: {error}{more}.")) }
}

fn label(error: &ToolError) -> &'static str {
    match error {
        ToolError::Unknown => "unknown",
        ToolError::Unfit { .. } => "unfit",
        ToolError::TimedOut => "timed_out",
        ToolError::TooLarge => "too_large",
        ToolError::Busy => "busy",
        ToolError::Unavailable(_) => "unavailable",
        ToolError::Forbidden { .. } => "forbidden",
    }
}

/// The beginning of a text, cut between two characters, with an ellipsis within the same bound.
fn within(mut text: String, bytes_max: usize) -> String {
    if bytes_max < text.len() {
        let mut end = bytes_max.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}
