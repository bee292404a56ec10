//! How a turn goes on and ends: from the guard's first word to the last part that was accepted.

use std::{collections::VecDeque, sync::Arc};

use protocol::{
    AgentName, MessageId, UpdateId,
    event::{Answer, AnswerKind, Event, Judged, Outcome, Part, Shape},
    ledger::LedgerError,
    model::Completion,
};

use screening::Placeholders;

use super::{
    Asking, Came, Effect, NotDelivered, Proposing, Session, Show, Stage,
    files::heard_in,
    shape::{self, Message},
};
use crate::{
    alarm::{self, Pointer, Refusal},
    broker::Unanswered,
    export::ExportError,
    guard::{Cleared, Draft, Prompt, Verdict},
    outbox::Sayable,
    roster::AdministerError,
    session::state::Exchange,
    trace::Trace,
    treasurer::books::Payer,
    words::{self, Notice},
};

/// What a conversation remembers before a text that was forwarded: it is not the person's own.
const FORWARDED: &str = "(Forwarded text) ";

impl Session {
    // --- the way of a question ---

    pub(super) fn notice_shown(
        &mut self,
        update: UpdateId,
        result: Result<MessageId, NotDelivered>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::ShowingNotice(_))) else {
            return;
        };
        let Stage::ShowingNotice(asking) = turn.stage.take() else { return };
        match result {
            Ok(_) => {
                // Before anything can lead to a model call, in the order of effects.
                self.record(vec![Event::NoticeShown], vec![], effects);
                self.screen_question(update, asking, effects);
            }
            Err(NotDelivered::Unknown) => {
                let house = &self.config.house;
                let text = words::privacy_notice(&house.providers, &house.contact);
                let notice = words::first_notice(&text).in_language(self.language(update));
                effects.push(Effect::ShowNotice(update, notice));
                self.set_stage(update, Stage::ShowingNotice(asking));
            }
            Err(NotDelivered::Undeliverable) => {
                self.finish(update, vec![], Outcome::Undeliverable, effects);
            }
        }
    }

    pub(super) fn prompt_judged(
        &mut self,
        update: UpdateId,
        verdict: Verdict<Prompt>,
        hidden: Placeholders,
        effects: &mut Vec<Effect>,
    ) {
        if self.turn(update, |it| matches!(it, Stage::ScreeningFact(_))).is_some() {
            return self.fact_judged(update, verdict, &hidden, effects);
        }
        if self.turn(update, |it| matches!(it, Stage::ScreeningProposals(_))).is_some() {
            return self.proposals_judged(update, verdict, &hidden, effects);
        }
        let now = self.now;
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::ScreeningPrompt(_))) else {
            return;
        };
        let Stage::ScreeningPrompt(mut asking) = turn.stage.take() else { return };
        turn.course.prompt_judged_ms = Some(now.0.saturating_sub(turn.at.0));
        match verdict {
            Verdict::Refuse(judged) => {
                let agent = asking.agent.name.clone();
                self.refuse_prompt(update, &agent, &asking.prompt, judged, effects);
            }
            Verdict::Clear(prompt, judged) => {
                let by = if prompt.get().forwarded_from.is_some() { FORWARDED } else { "" };
                let with = match &asking.came {
                    Came::Pictures(all) => words::media::pictures_shown(all.len()),
                    Came::File if asking.papers.is_empty() => words::media::FILE_READ.to_owned(),
                    Came::File => words::media::FILE_BROUGHT.to_owned(),
                    Came::Recording(_) | Came::Nothing => String::new(),
                };
                asking.asked = format!("{with}{by}{}", hidden.without_numbers(&prompt.get().text));
                if matches!(asking.came, Came::Recording(_)) {
                    asking.came = Came::Recording(heard_in(prompt.get(), &hidden));
                }
                asking.hidden = hidden;
                if self.is_unchanged(update, &asking) {
                    return self.finish(update, vec![], Outcome::Ignored, effects);
                }
                let history = self.state.exchanges(&asking.agent.name);
                let kept = history.len().saturating_sub(usize::from(asking.replaces));
                let history = history.take(kept);
                let reserved = reserve(&asking, history, self.config.answer_tokens_max);
                let (agent, asked) = (asking.agent.name.clone(), asking.asked.clone());
                let (replaces, tainted) = (asking.replaces, asking.is_of_strangers());
                let taken = self.question_taken(update, &agent);
                let mut events = vec![
                    Event::PromptJudged { update, judged },
                    Event::CompletionStarted { update, agent, asked, replaces, reserved, tainted },
                ];
                events.splice(..0, taken);
                // The update itself is durable, and its first attempt with it: a crash from here on
                // finds it waiting.
                self.note(events, effects);
                self.file_away(update, asking, prompt, effects);
            }
        }
    }

    pub(super) fn refuse_prompt(
        &mut self,
        update: UpdateId,
        agent: &AgentName,
        prompt: &Prompt,
        judged: Judged,
        effects: &mut Vec<Effect>,
    ) {
        let texts = prompt.texts().map(str::to_owned).collect();
        let (held, refusal) = self.stopped(update, false, agent, texts, &judged);
        let mut events = vec![Event::PromptJudged { update, judged }];
        events.splice(..0, self.question_taken(update, agent));
        events.extend(held);
        let notice = words::refused_prompt();
        self.answer_kind(update, events, AnswerKind::Refusal, notice, Outcome::Refused, effects);
        effects.extend(refusal);
    }

    /// What somebody wanted to be reminded of was refused.
    pub(super) fn not_kept(
        &mut self,
        update: UpdateId,
        (prompt, judged, agent): (Prompt, Judged, AgentName),
        effects: &mut Vec<Effect>,
    ) {
        if self.turn(update, |it| matches!(it, Stage::Looking)).is_some() {
            self.refuse_prompt(update, &agent, &prompt, judged, effects);
        }
    }

    pub(super) fn completed(
        &mut self,
        update: UpdateId,
        result: Result<Completion, Unanswered>,
        effects: &mut Vec<Effect>,
    ) {
        let now = self.now;
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::AwaitingModel(_))) else {
            return;
        };
        let Stage::AwaitingModel(asking) = turn.stage.take() else { return };
        turn.course.completed_ms = Some(now.0.saturating_sub(turn.at.0));
        let reference = turn.reference;
        let agent = asking.agent.name.clone();
        match self.without_late_calls(update, result, effects) {
            Ok(completion) => {
                let answer = self.take_completion(update, completion, asking, effects);
                if let Some((completion, asking)) = answer {
                    self.screen_draft(update, completion, asking, effects);
                }
            }
            Err(why) if self.deep_failure(update, why, asking, effects) => (),
            Err(Unanswered::AllFailed) => {
                self.apologise(update, words::apology(reference), effects);
            }
            Err(Unanswered::CannotSee) => {
                let notice = words::media::cannot_see(&agent);
                self.answer_notice(update, notice, Outcome::Refused, effects);
            }
            Err(Unanswered::Busy) => self.apologise(update, words::busy(reference), effects),
            Err(Unanswered::OverCap(cap)) => {
                let notice = words::over_cap(cap, &self.config.house.calendar);
                let (kind, outcome) = (AnswerKind::Refusal, Outcome::Refused);
                self.answer_kind(update, vec![], kind, notice, outcome, effects);
            }
        }
    }

    pub(super) fn screen_draft(
        &mut self,
        update: UpdateId,
        completion: Completion,
        asking: Asking,
        effects: &mut Vec<Effect>,
    ) {
        let draft = Draft(completion.text.clone());
        effects.push(Effect::ScreenDraft(update, draft, Arc::clone(&asking.agent)));
        self.set_stage(update, Stage::ScreeningDraft(completion, asking));
    }

    pub(super) fn draft_judged(
        &mut self,
        update: UpdateId,
        verdict: Verdict<Draft>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::ScreeningDraft(..))) else {
            return;
        };
        let reference = turn.reference;
        let Stage::ScreeningDraft(completion, asking) = turn.stage.take() else { return };
        match verdict {
            Verdict::Refuse(judged) => {
                let (agent, texts) = (&asking.agent.name, vec![completion.text.clone()]);
                let (held, refusal) = self.stopped(update, true, agent, texts, &judged);
                let mut events =
                    vec![received(update, &completion), Event::DraftJudged { update, judged }];
                events.extend(held);
                let (kind, notice) = (AnswerKind::Refusal, words::refused_draft(reference));
                self.answer_kind(update, events, kind, notice, Outcome::Refused, effects);
                effects.extend(refusal);
            }
            Verdict::Clear(draft, judged) => {
                let (draft, proposed) = self.proposals(update, &asking, draft);
                let name = asking.agent.name.clone();
                let proposing = Proposing { completion, asking, draft, judged };
                let Some(proposed) = proposed else {
                    return self.conclude(update, proposing, Vec::new(), effects);
                };
                effects.push(Effect::ScreenPrompt(update, proposed, name));
                self.set_stage(update, Stage::ScreeningProposals(Box::new(proposing)));
            }
        }
    }

    /// Fixes an answer that passed, with the facts that go with it, and begins to send it.
    pub(super) fn conclude(
        &mut self,
        update: UpdateId,
        proposing: Proposing,
        facts: Vec<Event>,
        effects: &mut Vec<Effect>,
    ) {
        let Proposing { completion, asking, draft, judged } = proposing;
        let Some(turn) = self.turn(update, |_| true) else { return };
        let (reference, reply_to) = (turn.reference, turn.reply_to);
        let (warning, language) = (turn.warning, turn.language);
        let hidden = &asking.hidden;
        let aloud = self.aloud(&asking, &draft);
        let restored = draft.restored(hidden);
        let (shown, file) = self.parted(&restored, &asking.asked);
        let mut message = Message::of(shown, file, language);
        if let Some(turn) = self.turn(update, |_| true) {
            turn.aloud = aloud;
        }
        let said = draft.into_inner().0;
        if let Came::Recording(heard) = &asking.came
            && !message.parts.is_empty()
        {
            message.open_with(words::media::heard(heard).in_language(language).into());
        }
        if !facts.is_empty() {
            let notice = words::facts_noted(&asking.agent.name, facts.len());
            message.end_with(notice.in_language(language).into());
        }
        if message.parts.is_empty() {
            return self.apologise(update, words::apology(reference), effects);
        }
        if let Some(warning) = warning {
            let notice = words::cap_neared(warning, &self.config.house.calendar);
            message.end_with(notice.in_language(language).into());
        }
        let filed = self.turn(update, |_| true).map(|it| std::mem::take(&mut it.filed));
        for notice in filed.into_iter().flatten() {
            message.end_with(notice.in_language(language).into());
        }
        self.panel_parts(update).into_iter().rev().for_each(|it| message.open_with(it));
        self.extras(update).into_iter().for_each(|it| message.end_with(it));
        let shape = self.shape(update, &mut message);
        let Message { fixed, parts, .. } = message;
        // A single part without markup is the answer: it is not stored twice. Nor is what was hidden
        // remembered: the next question is none of its turn.
        let is_whole =
            matches!(fixed.as_slice(), [one] if one.html.is_none() && one.rich.is_none());
        let is_whole = is_whole && hidden.is_empty();
        let answered = (!is_whole).then(|| hidden.without_numbers(&said));
        let answer = Answer {
            kind: AnswerKind::Model,
            parts: fixed,
            reply_to,
            answered,
            reference: Some(reference),
        };
        let mut events = vec![
            received(update, &completion),
            Event::DraftJudged { update, judged },
            Event::AnswerReady { update, answer },
        ];
        events.extend(shape.map(|shape| Event::AnswerShaped { update, shape }));
        events.extend(facts);
        let lost = self.lost(&asking.agent);
        self.deliver(update, events, parts, Outcome::Answered, effects);
        if lost < self.lost(&asking.agent) {
            effects.push(Effect::CountSummary("lost"));
        }
        self.learn(&asking.agent, asking.replaces, effects);
    }

    pub(super) fn parts_judged(
        &mut self,
        update: UpdateId,
        verdict: Verdict<Vec<Cleared<Part>>>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::RescreeningParts)) else {
            return;
        };
        let (reference, language) = (turn.reference, turn.language);
        let open = self.state.open.get(&update);
        let (next, retries) = open.map_or((0, 0), |it| (it.parts_sent, it.retries));
        let kind = open.and_then(|it| it.answer.as_ref()).map(|it| it.kind);
        let outcome = match kind {
            Some(AnswerKind::Refusal) => Outcome::Refused,
            Some(AnswerKind::Apology) if self.config.attempts_max <= retries => {
                Outcome::Quarantined
            }
            Some(AnswerKind::Model | AnswerKind::Notice | AnswerKind::Apology) | None => {
                Outcome::Answered
            }
        };
        match verdict {
            Verdict::Clear(parts, _) => {
                let file = open.and_then(|it| it.shape.file.as_ref());
                let caption = match kind {
                    Some(AnswerKind::Notice) => words::approval::all_of_it(),
                    Some(AnswerKind::Model | AnswerKind::Refusal | AnswerKind::Apology) | None => {
                        words::home::long_answer()
                    }
                };
                let caption = caption.in_language(language);
                let parts = shape::sayable(next, parts.into_inner(), file, &caption);
                self.send_from(update, next, parts, outcome, effects);
            }
            Verdict::Refuse(_) => {
                // A rule that came after the answer was fixed: what is left of it is not shown.
                let notice = words::refused_draft(reference).in_language(language);
                let parts = VecDeque::from([Sayable::Notice(notice)]);
                self.send_from(update, next, parts, Outcome::Refused, effects);
            }
        }
    }

    /// The guard stopped a text: what is kept of it, and what the admins are told once that is
    /// durable. Nothing where the guard found nothing and only could not judge.
    pub(super) fn stopped(
        &mut self,
        update: UpdateId,
        of_answer: bool,
        agent: &AgentName,
        texts: Vec<String>,
        judged: &Judged,
    ) -> (Option<Event>, Option<Effect>) {
        let key = self.key;
        let arrived = self.turn(update, |_| true).map(|it| it.at).unwrap_or_default();
        let at = Pointer { key, update, arrived };
        let held = alarm::keep(of_answer, agent, texts, judged);
        let (agent, is_kept) = (agent.clone(), held.is_some());
        let refusal = Refusal { at, of_answer, agent, judged: judged.clone(), is_kept };
        let refusal = (!judged.kinds.is_empty()).then_some(Effect::TellRefusal(refusal));
        (held.map(|held| Event::TextHeldBack { update, held }), refusal)
    }

    // --- while a model writes ---

    pub(super) fn ticked(
        &mut self,
        update: UpdateId,
        written: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        let is_at_work = |it: &Stage| matches!(it, Stage::AwaitingModel(_) | Stage::Working(_));
        let is_deep = self.is_deep(update);
        let now = self.now;
        let Some(turn) = self.turn(update, is_at_work) else { return };
        turn.mark_as_seen(now, effects);
        let is_seen = turn.previews || turn.stream.is_on();
        match (written.filter(|_| !is_deep), is_seen, &turn.stage) {
            (Some(text), true, Stage::AwaitingModel(asking)) => {
                let agent = Arc::clone(&asking.agent);
                effects.push(Effect::ScreenPreview(update, Draft(text), agent));
            }
            (None, true, _) if turn.previews && !turn.was_shown => {
                effects.push(Effect::Show(Show::Thinking(update)));
            }
            _ => effects.push(Effect::Typing),
        }
        effects.push(Effect::Tick(update));
    }

    pub(super) fn preview_judged(
        &mut self,
        update: UpdateId,
        verdict: Verdict<Draft>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::AwaitingModel(_))) else {
            return;
        };
        match verdict {
            Verdict::Clear(draft, _) => {
                if let Stage::AwaitingModel(asking) = &turn.stage
                    && !draft.get().0.is_empty()
                {
                    let draft = draft.restored(&asking.hidden);
                    if turn.previews {
                        turn.was_shown = true;
                        effects.push(Effect::Preview(update, draft));
                    } else {
                        self.stream(update, &draft, effects);
                    }
                }
            }
            // What would be hidden or held back later must not be seen now.
            Verdict::Refuse(_) => {
                turn.previews = false;
                turn.stream.pause();
            }
        }
    }

    pub(super) fn expired(&mut self, update: UpdateId, effects: &mut Vec<Effect>) {
        let waits = |it: &Stage| match it {
            Stage::TakingIn(_)
            | Stage::ScreeningPrompt(_)
            | Stage::Filing(..)
            | Stage::Recalling(..)
            | Stage::AwaitingModel(_)
            | Stage::Working(_)
            | Stage::ScreeningDraft(..)
            | Stage::ScreeningFact(_)
            | Stage::ScreeningProposals(_) => true,
            Stage::Gathering(_)
            | Stage::ShowingNotice(_)
            | Stage::RescreeningParts
            | Stage::Delivering { .. }
            | Stage::Administering { .. }
            | Stage::Tracing { .. }
            | Stage::Looking
            | Stage::ComposingStatus
            | Stage::Exporting
            | Stage::Forgetting => false,
        };
        let Some(turn) = self.turn(update, waits) else { return };
        let reference = turn.reference;
        effects.push(Effect::Withdraw(update));
        self.apologise(update, words::too_slow(reference), effects);
    }

    // --- answering ---

    pub(super) fn administered(
        &mut self,
        update: UpdateId,
        result: Result<(), AdministerError>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::Administering { .. })) else {
            return;
        };
        let Stage::Administering { done } = turn.stage.take() else { return };
        let notice = match result {
            Ok(()) => words::done(done),
            Err(why) => words::not_done(words::why_not(&why)),
        };
        self.answer_notice(update, notice, Outcome::Answered, effects);
    }

    pub(super) fn traced(
        &mut self,
        update: UpdateId,
        found: Result<Option<Box<Trace>>, LedgerError>,
        effects: &mut Vec<Effect>,
    ) {
        let key = self.key;
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::Tracing { .. })) else {
            return;
        };
        let Stage::Tracing { person, in_full } = turn.stage.take() else { return };
        let notice = match found {
            Ok(Some(trace)) if in_full || trace.may_be_seen_by(person, key) => {
                words::trace(&trace, in_full)
            }
            Ok(Some(_) | None) => words::nothing_to_trace(),
            Err(_) => words::cannot_trace(),
        };
        self.answer_notice(update, notice, Outcome::Answered, effects);
    }

    /// A restart comes behind the record that ends the press: it cannot come twice, whatever it is of.
    pub(super) fn panel_pressed(
        &mut self,
        update: UpdateId,
        anew: Option<Notice>,
        restart: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        if self.turn(update, |it| matches!(it, Stage::Looking)).is_none() {
            return;
        }
        match anew {
            Some(notice) => self.answer_notice(update, notice, Outcome::Answered, effects),
            None => self.finish(update, vec![], Outcome::Answered, effects),
        }
        effects.extend(restart.map(Effect::RestartActor));
    }

    pub(super) fn exported(
        &mut self,
        update: UpdateId,
        result: Result<(), ExportError>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::Exporting)) else { return };
        let reference = turn.reference;
        match result {
            Ok(()) => self.answer_notice(update, words::exported(), Outcome::Answered, effects),
            Err(ExportError::TooLarge) => {
                let notice = words::too_much_to_export();
                self.answer_notice(update, notice, Outcome::Refused, effects);
            }
            Err(ExportError::Undeliverable) => {
                self.finish(update, vec![], Outcome::Undeliverable, effects);
            }
            Err(ExportError::Unreadable) => {
                self.apologise(update, words::apology(reference), effects);
            }
        }
    }

    fn apologise(&mut self, update: UpdateId, notice: Notice, effects: &mut Vec<Effect>) {
        let kind = AnswerKind::Apology;
        self.answer_kind(update, vec![], kind, notice, Outcome::Answered, effects);
    }

    pub(super) fn answer_notice(
        &mut self,
        update: UpdateId,
        notice: Notice,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        self.answer_with(update, vec![], notice, outcome, effects);
    }

    pub(super) fn answer_with(
        &mut self,
        update: UpdateId,
        events: Vec<Event>,
        notice: Notice,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        self.answer_kind(update, events, AnswerKind::Notice, notice, outcome, effects);
    }

    pub(super) fn answer_kind(
        &mut self,
        update: UpdateId,
        mut events: Vec<Event>,
        kind: AnswerKind,
        notice: Notice,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |_| true) else { return };
        let (reply_to, reference) = (turn.reply_to, Some(turn.reference));
        let notice = notice.in_language(turn.language);
        let aside = turn.aside.clone();
        let mut notices = vec![notice];
        if aside.is_some() {
            notices.extend(self.beside(update));
        } else {
            let filed = std::mem::take(&mut turn.filed).into_iter();
            notices.extend(filed.map(|it| it.in_language(turn.language)));
        }
        let parts = notices.iter().map(|it| it.part().clone()).collect();
        let answer = Answer { kind, parts, reply_to, answered: None, reference };
        events.push(Event::AnswerReady { update, answer });
        if aside.is_some() {
            let shape = Shape { aside, ..Shape::default() };
            events.push(Event::AnswerShaped { update, shape });
        }
        let parts = notices.into_iter().map(Sayable::Notice).collect();
        self.deliver(update, events, parts, outcome, effects);
    }

    /// Fixes an answer and begins to send it.
    pub(super) fn deliver(
        &mut self,
        update: UpdateId,
        mut events: Vec<Event>,
        parts: VecDeque<Sayable>,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let now = self.now;
        if let Some(turn) = self.turn(update, |_| true)
            && turn.course.agent.is_some()
        {
            let mut course = turn.course.clone();
            course.ready_ms = now.0.saturating_sub(turn.at.0);
            events.push(Event::CourseNoted { update, course });
        }
        self.record(events, vec![], effects);
        self.send_from(update, 0, parts, outcome, effects);
    }

    pub(super) fn send_from(
        &mut self,
        update: UpdateId,
        next: u32,
        parts: VecDeque<Sayable>,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let Some(reply_to) = self.turn(update, |_| true).map(|it| it.reply_to) else { return };
        if self.aside_of(update).is_some() {
            return self.send_aside(update, (next, reply_to), parts, outcome, effects);
        }
        let reply_to = reply_to.filter(|_| next == 0);
        let Some(what) = parts.front().cloned() else {
            return self.finish(update, vec![], outcome, effects);
        };
        if next == 0 && self.turn(update, |_| true).is_some_and(|it| it.stream.is_beginning()) {
            // Where the answer belongs is known in a moment.
            return self.set_stage(update, Stage::Delivering { parts, next, outcome });
        }
        let open = self.state.open.get(&update);
        let place = open.and_then(|it| it.shape.place.or(it.shown));
        let what = match place.filter(|_| next == 0) {
            Some(message) => Sayable::Placed(message, Box::new(what)),
            None => what,
        };
        self.set_stage(update, Stage::Delivering { parts, next, outcome });
        effects.push(Effect::Deliver { update, part: next, what, reply_to });
    }

    pub(super) fn part_delivered(
        &mut self,
        update: UpdateId,
        part: u32,
        result: Result<MessageId, NotDelivered>,
        effects: &mut Vec<Effect>,
    ) {
        let is_it = |it: &Stage| matches!(it, Stage::Delivering { next, .. } if *next == part);
        let ends = self.aside_of(update).is_some_and(|it| it.ends_before(part + 1));
        let Some(turn) = self.turn(update, is_it) else { return };
        let Stage::Delivering { mut parts, outcome, .. } = turn.stage.take() else { return };
        match result {
            Ok(message) => {
                let sent = Event::PartSent { update, part, message };
                parts.pop_front();
                if parts.is_empty() || ends {
                    let aloud = std::mem::take(&mut turn.aloud);
                    let (person, agent) = (turn.course.asker, turn.course.agent.clone());
                    let payer = Payer { person, chat: self.key.chat };
                    self.finish(update, vec![sent], outcome, effects);
                    let agent = agent.filter(|_| !aloud.is_empty());
                    effects.extend(agent.map(|it| Effect::Speak(aloud, (payer, it))));
                    return;
                }
                self.record(vec![sent], vec![], effects);
                self.send_from(update, part + 1, parts, outcome, effects);
            }
            Err(NotDelivered::Unknown) => self.send_from(update, part, parts, outcome, effects),
            Err(NotDelivered::Undeliverable) if self.aside_of(update).is_some() => {
                self.go_another_way(update, part, parts, outcome, effects);
            }
            Err(NotDelivered::Undeliverable) => {
                self.finish(update, vec![], Outcome::Undeliverable, effects);
            }
        }
    }

    /// Ends a turn: its last record, and its lane is free.
    pub(super) fn finish(
        &mut self,
        update: UpdateId,
        mut events: Vec<Event>,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let all = self.turn(update, |_| true).map(|it| it.heard.all_with(update));
        let all = all.unwrap_or_else(|| vec![update]);
        events.extend(all.iter().map(|it| Event::TurnClosed { update: *it, outcome }));
        self.record(events, all, effects);
        for lane in self.lanes.both_mut() {
            if let Some(turn) = lane.turn.take_if(|it| it.update == update) {
                effects.push(Effect::Count(outcome, turn.at));
                turn.unmark(effects);
            }
        }
    }
}

pub(super) fn received(update: UpdateId, completion: &Completion) -> Event {
    let Completion { model, usage, .. } = completion;
    Event::DraftReceived { update, model: model.clone(), usage: *usage }
}

/// Tokens to set aside for a call: four characters make about one.
fn reserve<'e>(
    asking: &Asking,
    history: impl Iterator<Item = &'e Arc<Exchange>>,
    answer_tokens_max: u32,
) -> u64 {
    let said = |it: &Arc<Exchange>| it.asked.len() + it.answered.len();
    let chars =
        asking.agent.instructions.len() + asking.asked.len() + history.map(said).sum::<usize>();
    u64::try_from(chars / 4).unwrap_or(u64::MAX).saturating_add(u64::from(answer_tokens_max))
}
