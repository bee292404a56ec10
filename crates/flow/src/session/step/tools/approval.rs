//! How a person is asked whether a call may be made, and what comes of their word.
//!
//! The turn that asks ends with the question; the work waits in the session's state, and the press of a
//! button is a turn of its own that goes on with it.
//!
//! Invariants: APPROVAL-1 only the person who was asked decides, in time, and once. APPROVAL-2 the word is
//! in the ledger before the call is made.

use std::{sync::Arc, time::Duration};

use protocol::{
    Agent, PersonId, Timestamp, UpdateId,
    event::{Event, Outcome},
    tool::Tool,
    work::{self, ToolStep},
};
use screening::Placeholders;
use serde_json::Value;

use super::{calls::restore, failure};
use crate::{
    guard::Prompt,
    request::{Decision, is_picture},
    roster::View,
    session::{
        step::{Asking, Effect, Session, Stage, files::Came},
        work::Call,
    },
    words,
};

impl Session {
    /// Ends the turn with the question whether a call may be made. `is_again`: it was begun before a
    /// crash, and nobody knows what came of it.
    pub(super) fn ask_person(
        &mut self,
        update: UpdateId,
        (call, tool, is_again): (&Call, &Tool, bool),
        arguments: &str,
        agent: &Arc<Agent>,
        effects: &mut Vec<Effect>,
    ) {
        let (now, span) = (self.now, self.config.tools.approval_time_max);
        let Some(turn) = self.turn(update, |_| true) else { return };
        let Stage::Working(asking) = &turn.stage else { return };
        let Some(by) = turn.course.asker else {
            let text = "Nobody is here who could allow it.";
            return self.end_call(update, call.number, "denied", failure(text), effects);
        };
        let mut shown: Value = serde_json::from_str(arguments).unwrap_or_default();
        restore(&mut shown, &asking.hidden);
        let question = stored(asking);
        let until = Timestamp(now.0.saturating_add(millis(span)));
        let asked = words::tools::Question {
            agent: &agent.name,
            tool: &tool.name,
            arguments: &shown,
            is_again,
            at: (update, call.number),
            span,
        };
        let notice = words::tools::may_i(&asked);
        let step = ToolStep::ApprovalAsked { call: call.number, by, until, question };
        let events = vec![Event::Tools { update, step }];
        self.answer_with(update, events, notice, Outcome::Answered, effects);
    }

    /// A person pressed a button under such a question. APPROVAL-1.
    pub(in crate::session::step) fn decide(
        &mut self,
        update: UpdateId,
        decision: Decision,
        by: PersonId,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let now = self.now;
        let Decision { of, call, allowed } = decision;
        // After a crash: the word is in the ledger already.
        if self.work(update).is_none() {
            let refused = match self.state.waiting.get(&of).filter(|it| it.call == call) {
                None => Some(words::tools::not_open()),
                Some(waiting) if waiting.by != by => Some(words::tools::of_another()),
                Some(waiting) if waiting.until < now => Some(words::tools::too_late()),
                Some(_) => None,
            };
            if let Some(notice) = refused {
                return self.answer_notice(update, notice, Outcome::Answered, effects);
            }
            // APPROVAL-2.
            let step = ToolStep::ApprovalGiven { of, call, allowed };
            self.record(vec![Event::Tools { update, step }], vec![], effects);
        }
        let open = self.state.open.get(&update);
        let asked = open.and_then(|it| it.asked.clone());
        let question = self.work(update).and_then(|it| it.question.clone());
        let (Some(asked), Some(question)) = (asked, question) else {
            let notice = words::tools::not_open();
            return self.answer_notice(update, notice, Outcome::Answered, effects);
        };
        let Some(agent) = view.agent(&asked.agent).filter(|it| !it.paused) else {
            let notice = words::agent_paused(&asked.agent);
            return self.answer_notice(update, notice, Outcome::Answered, effects);
        };
        // What was in a picture stays what it was, whether it can be shown again or not.
        let came = if question.tainted { Came::File } else { Came::Nothing };
        let asking = Asking {
            agent: Arc::clone(agent),
            prompt: prompt_of(question),
            asked: asked.text,
            replaces: asked.replaces,
            hidden: Placeholders::new(),
            came,
            files_taken: 0,
            is_resumed: true,
        };
        if let Some(turn) = self.turn(update, |_| true) {
            turn.course.agent = Some(asking.agent.name.clone());
        }
        self.screen_question(update, asking, effects);
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn stored(asking: &Asking) -> work::Asking {
    let prompt = &asking.prompt;
    work::Asking {
        tainted: asking.came.is_of_strangers(),
        text: prompt.text.clone(),
        quoted: prompt.quoted.clone(),
        forwarded_from: prompt.forwarded_from.clone(),
        beside: prompt.beside.clone(),
        pictures: prompt.files().filter(|it| is_picture(it)).cloned().collect(),
    }
}

fn prompt_of(asking: work::Asking) -> Prompt {
    let work::Asking { text, quoted, forwarded_from, beside, pictures, tainted: _ } = asking;
    Prompt { text, quoted, forwarded_from, beside, ..Prompt::default() }.with_files(pictures)
}
