//! How a person is asked whether a call may be made, and what comes of their word.
//!
//! The turn that asks ends with the question; the work waits in the session's state, and the press of a
//! button is a turn of its own that goes on with it.
//!
//! Invariants: APPROVAL-1 only the person who was asked decides, in time, and once. APPROVAL-2 the word is
//! in the ledger before the call is made. APPROVAL-3 what a call is given is shown whole: what does not fit
//! into the question lies above it as a file.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use protocol::{
    Agent, PersonId, Timestamp, UpdateId,
    event::{Answer, AnswerKind, Event, Outcome, Part, Shape},
    tool::Tool,
    work::{self, ToolStep},
};
use screening::Placeholders;

use super::failure;
use crate::{
    guard::{Cleared, Draft, Prompt},
    outbox::Sayable,
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
        arguments: &Cleared<Draft>,
        agent: &Arc<Agent>,
        effects: &mut Vec<Effect>,
    ) {
        let (now, span) = (self.now, self.config.tools.approval_time_max);
        let (is_of_strangers, language) = (self.is_tainted(update), self.language(update));
        let first = self.config.house.languages.choose(None, None);
        let Some(turn) = self.turn(update, |_| true) else { return };
        let (reply_to, reference) = (turn.reply_to, Some(turn.reference));
        let Stage::Working(asking) = &turn.stage else { return };
        let Some(by) = turn.course.asker else {
            let text = "Nobody is here who could allow it.";
            return self.end_call(update, call.number, "denied", failure(text), effects);
        };
        let question = words::approval::Question {
            agent: &agent.name,
            tool,
            arguments: &arguments.as_value(&asking.hidden),
            is_again,
            is_of_strangers,
            at: (update, call.number),
            span,
            languages: (language, first),
        };
        let (notice, is_cut) = words::approval::may_i(&question);
        let mut parts = VecDeque::from([Sayable::Notice(notice.in_language(language))]);
        let mut shape = Shape::default();
        if is_cut {
            let text = arguments.listed(&asking.hidden, words::approval::listed, language);
            let caption = words::approval::all_of_it().in_language(language);
            let name = words::approval::FILE.to_owned();
            shape.file = Some((0, name.clone()));
            parts.push_front(Sayable::File { name, caption, text });
        }
        let until = Timestamp(now.0.saturating_add(millis(span)));
        let step =
            ToolStep::ApprovalAsked { call: call.number, by, until, question: stored(asking) };
        let fixed = parts.iter().filter_map(fixed).collect();
        let kind = AnswerKind::Notice;
        let answer = Answer { kind, parts: fixed, reply_to, answered: None, reference };
        let mut events = vec![Event::Tools { update, step }, Event::AnswerReady { update, answer }];
        events.extend(shape.file.is_some().then_some(Event::AnswerShaped { update, shape }));
        self.deliver(update, events, parts, Outcome::Answered, effects);
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
            papers: VecDeque::new(),
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

/// What the ledger keeps of a part. A file's is its text.
fn fixed(part: &Sayable) -> Option<Part> {
    if let Sayable::File { text, .. } = part {
        Some(text.get().clone())
    } else {
        part.part().cloned()
    }
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
