//! What a conversation keeps: facts, summaries of what is no longer kept word for word, and what is
//! recalled from before.
//!
//! Invariants: REMEMBER-1 what is remembered passed the guard before it was stored. REMEMBER-2 an
//! exchange of a private chat leaves the prompt only for a summary that is durable. REMEMBER-3 nothing here holds up
//! an answer. REMEMBER-5 no summary mixes the words of several people: in groups the oldest exchanges
//! fall out of the prompt, and are counted.

use std::sync::Arc;

use protocol::{
    Agent, AgentName, PersonId, UpdateId,
    event::{Event, Judged, Outcome},
    memory::{Fact, FactId, FactOrigin, Scope, Space},
    model::{Completion, Usage},
};
use screening::Placeholders;

use super::{Asking, Effect, Question, Session, Stage};
use crate::{
    broker::Unanswered,
    context::{self, Digestion, HistoryRoom, Recollection},
    guard::{Cleared, Draft, Prompt, Verdict},
    request,
    roster::View,
    words,
};

/// Limits of what is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryConfig {
    /// Facts of one space.
    pub facts_max: usize,
    /// The longest fact, in characters.
    pub fact_chars_max: usize,
    /// False: summaries are made of the exchanges' own words, and no model is asked.
    pub summaries_by_model: bool,
    /// True: what was said long ago is looked for at each question.
    pub recalls: bool,
    /// The room of each model, which decides when a conversation is summarised.
    pub rooms: context::Rooms,
}

/// Facts of one answer that its model may propose.
const PROPOSALS_MAX: usize = 3;
/// Attempts to have a model write a summary. Then it is made of the exchanges' own words.
const SUMMARY_ATTEMPTS_MAX: u32 = 3;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Where. Nothing else can be read with it.
    pub scope: Scope,
    /// What the person wrote, as it passed the guard.
    pub text: String,
    /// Whose exchanges are still in the prompt, from this number on.
    pub kept: (AgentName, u64),
}

/// An exchange to be found again later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// Where it is kept.
    pub scope: Scope,
    /// Who answered.
    pub agent: AgentName,
    /// Its place: how often the person had begun afresh, and its number.
    pub epoch: u64,
    /// See above.
    pub number: u64,
    /// It takes the place of the newest one.
    pub replaces: bool,
    /// Who asked, in a group.
    pub by: Option<PersonId>,
    /// What was asked.
    pub asked: String,
    /// What was answered.
    pub answered: String,
}

/// A conversation being summarised.
#[derive(Debug)]
pub(super) struct Digesting {
    digestion: Digestion,
    stage: DigestStage,
}

#[derive(Debug)]
enum DigestStage {
    Writing,
    Screening { model: Option<String>, usage: Usage },
}

/// Which summary an answer is about: of whom, up to which exchange.
pub type DigestId = (AgentName, u64);

/// A fact on its way to being remembered.
#[derive(Debug)]
pub(super) struct Telling {
    agent: Arc<Agent>,
    by: PersonId,
    prompt: Prompt,
}

/// An answer that passed, with facts that its model proposes and nobody has judged yet.
#[derive(Debug)]
pub(super) struct Proposing {
    pub(super) completion: Completion,
    pub(super) asking: Asking,
    pub(super) draft: Cleared<Draft>,
    pub(super) judged: Judged,
}

impl Session {
    fn scope(&self, agent: &Agent) -> Scope {
        Scope { session: self.key, space: Space::of(agent) }
    }

    // --- the way of a question ---

    /// Looks for what may help, where there is anything that the model does not see anyway.
    pub(super) fn recall(
        &mut self,
        update: UpdateId,
        asking: Asking,
        prompt: Cleared<Prompt>,
        effects: &mut Vec<Effect>,
    ) {
        let (agent, digest) = (&asking.agent, self.state.digest(&asking.agent.name));
        let has_past = 0 < digest.begins || agent.memory.is_some();
        if !self.config.memory.recalls || !has_past {
            return self.ask_model(update, asking, prompt, Vec::new(), effects);
        }
        let kept = (agent.name.clone(), digest.begins);
        let search = Search { scope: self.scope(agent), text: prompt.get().text.clone(), kept };
        effects.push(Effect::Recall(update, search));
        self.set_stage(update, Stage::Recalling(asking, prompt));
    }

    pub(super) fn recalled(
        &mut self,
        update: UpdateId,
        found: Vec<Recollection>,
        effects: &mut Vec<Effect>,
    ) {
        let now = self.now;
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::Recalling(..))) else { return };
        let Stage::Recalling(asking, prompt) = turn.stage.take() else { return };
        turn.course.recalled_ms = Some(now.0.saturating_sub(turn.at.0));
        self.ask_model(update, asking, prompt, found, effects);
    }

    fn ask_model(
        &mut self,
        update: UpdateId,
        asking: Asking,
        prompt: Cleared<Prompt>,
        recalled: Vec<Recollection>,
        effects: &mut Vec<Effect>,
    ) {
        if self.works(update, &asking.agent) {
            return self.begin_work(update, asking, prompt, recalled);
        }
        let images = asking.came.pictures();
        let question = self.question(&asking.agent, asking.replaces, prompt, recalled);
        let question = Question { images, ..question };
        effects.push(Effect::Complete(update, question));
        effects.push(Effect::Tick(update));
        self.set_stage(update, Stage::AwaitingModel(asking));
    }

    /// A question of the person with all that its agent remembers.
    pub(super) fn question(
        &self,
        agent: &Arc<Agent>,
        replaces: bool,
        prompt: Cleared<Prompt>,
        recalled: Vec<Recollection>,
    ) -> Question {
        let mut history = self.state.history(&agent.name);
        if replaces {
            history.pop();
        }
        let facts = self.state.facts_in(Space::of(agent)).to_vec();
        let summary = self.state.digest(&agent.name).summary;
        let agent = Arc::clone(agent);
        Question {
            agent,
            history,
            facts,
            summary,
            recalled,
            prompt,
            images: Vec::new(),
            bench: None,
        }
    }

    // --- after an answer ---

    /// Exchanges that were dropped without a summary, so far.
    pub(super) fn lost(&self, agent: &Agent) -> u64 {
        self.state.digests.get(&agent.name).map_or(0, |it| it.lost)
    }

    /// An exchange has been remembered: it is to be found again, and others may have to make room.
    /// REMEMBER-3: what this begins is waited for by nobody.
    pub(super) fn learn(&mut self, agent: &Arc<Agent>, replaces: bool, effects: &mut Vec<Effect>) {
        if self.config.memory.recalls
            && let Some(newest) = self.state.histories.get(&agent.name).and_then(|it| it.back())
        {
            let kept = self.state.histories.get(&agent.name).map_or(0, |it| it.len() as u64);
            let digest = self.state.digest(&agent.name);
            effects.push(Effect::Learn(Lesson {
                scope: self.scope(agent),
                agent: agent.name.clone(),
                epoch: digest.epoch,
                number: (digest.begins + kept).saturating_sub(1),
                replaces,
                by: newest.by,
                asked: newest.asked.as_ref().to_owned(),
                answered: newest.answered.as_ref().to_owned(),
            }));
        }
        self.digest_if_overdue(agent, effects);
    }

    fn digest_if_overdue(&mut self, agent: &Arc<Agent>, effects: &mut Vec<Effect>) {
        // REMEMBER-5.
        if !self.key.is_private() {
            return;
        }
        if let Some(digesting) = &self.digesting {
            // A model that is never free is not waited for until there is no room.
            let is_late = matches!(digesting.stage, DigestStage::Writing)
                && digesting.digestion.agent.name == agent.name
                && 0 < self.overdue(agent, 2);
            if is_late && let Some(late) = self.digesting.take() {
                self.extract(late.digestion, effects);
            }
            return;
        }
        let count = self.overdue(agent, 1);
        if count == 0 {
            return;
        }
        let (digest, history) = (self.state.digest(&agent.name), self.state.history(&agent.name));
        let digestion = Digestion {
            agent: Arc::clone(agent),
            through: digest.begins + count as u64,
            earlier: digest.summary,
            exchanges: history.into_iter().take(count).collect(),
        };
        if self.config.memory.summaries_by_model && self.summary_failures < SUMMARY_ATTEMPTS_MAX {
            effects.push(Effect::Summarise(digestion.clone()));
            self.digesting = Some(Digesting { digestion, stage: DigestStage::Writing });
        } else {
            self.extract(digestion, effects);
        }
    }

    /// How many exchanges are too many for so many times the limits.
    fn overdue(&self, agent: &Agent, times: usize) -> usize {
        let (limits, rooms) = (self.config.history, &self.config.memory.rooms);
        let room = |tokens_max: usize| HistoryRoom {
            exchanges_max: limits.exchanges_max.saturating_mul(times),
            chars_max: limits.chars_max.saturating_mul(times),
            tokens_max: tokens_max.saturating_mul(times),
        };
        let at_least = room(rooms.history_tokens_surely(agent));
        if context::surely_within(self.state.exchanges(&agent.name), at_least) {
            return 0;
        }
        let history = self.state.exchanges(&agent.name);
        context::overdue(history, room(rooms.history_tokens_max(agent)))
    }

    /// A summary in the exchanges' own words.
    fn extract(&mut self, digestion: Digestion, effects: &mut Vec<Effect>) {
        self.summary_failures = 0;
        let text = context::extract(&digestion);
        self.screen_summary(digestion, text, None, Usage::default(), effects);
    }

    fn screen_summary(
        &mut self,
        digestion: Digestion,
        text: String,
        model: Option<String>,
        usage: Usage,
        effects: &mut Vec<Effect>,
    ) {
        let id = (digestion.agent.name.clone(), digestion.through);
        effects.push(Effect::ScreenSummary(id, Draft(text), Arc::clone(&digestion.agent)));
        self.digesting =
            Some(Digesting { digestion, stage: DigestStage::Screening { model, usage } });
    }

    fn take_digesting(
        &mut self,
        id: &DigestId,
        is_at: impl Fn(&DigestStage) -> bool,
    ) -> Option<Digesting> {
        self.digesting.take_if(|it| {
            (&it.digestion.agent.name, it.digestion.through) == (&id.0, id.1) && is_at(&it.stage)
        })
    }

    pub(super) fn summarised(
        &mut self,
        id: &DigestId,
        result: Result<Completion, Unanswered>,
        effects: &mut Vec<Effect>,
    ) {
        let is_written = |it: &DigestStage| matches!(it, DigestStage::Writing);
        let Some(Digesting { digestion, .. }) = self.take_digesting(id, is_written) else { return };
        match result {
            Ok(it) => {
                let text = context::beginning(it.text.trim(), context::SUMMARY_CHARS_MAX);
                self.screen_summary(digestion, text, Some(it.model), it.usage, effects);
            }
            // An answer went before it: it is tried again after the next one.
            Err(Unanswered::Busy) => self.summary_failures += 1,
            Err(Unanswered::AllFailed | Unanswered::OverCap(_) | Unanswered::CannotSee) => {
                self.extract(digestion, effects);
            }
        }
    }

    pub(super) fn summary_judged(
        &mut self,
        id: &DigestId,
        verdict: Verdict<Draft>,
        effects: &mut Vec<Effect>,
    ) {
        let is_screened = |it: &DigestStage| matches!(it, DigestStage::Screening { .. });
        let Some(Digesting { digestion, stage }) = self.take_digesting(id, is_screened) else {
            return;
        };
        let DigestStage::Screening { model, usage } = stage else { return };
        let text = match verdict {
            // REMEMBER-1.
            Verdict::Clear(draft, _) => draft.into_inner().0,
            Verdict::Refuse(_) if model.is_some() => return self.extract(digestion, effects),
            // Not even in their own words: the prompt does without them, the ledger keeps them.
            Verdict::Refuse(_) => String::new(),
        };
        self.summary_failures = 0;
        let how = match (&model, text.is_empty()) {
            (Some(_), false) => "model",
            (None, false) => "extract",
            (_, true) => "none",
        };
        let (agent, through) = (digestion.agent.name.clone(), digestion.through);
        // REMEMBER-2: what it replaces leaves with this record.
        self.record(
            vec![Event::SummaryWritten { agent, through, text, model, usage }],
            vec![],
            effects,
        );
        effects.push(Effect::CountSummary(how));
    }

    // --- facts that a person tells ---

    pub(super) fn remember(
        &mut self,
        update: UpdateId,
        text: &str,
        by: PersonId,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let notice = match request::current_agent(self.state.agent.as_ref(), self.key, view) {
            None => words::nobody_here(),
            Some(agent) => {
                let text = context::one_line(text);
                match self.cannot_remember(Space::of(agent), &text) {
                    Some(why) => why,
                    None => {
                        let prompt = Prompt { text, ..Prompt::default() };
                        let telling =
                            Telling { agent: Arc::clone(agent), by, prompt: prompt.clone() };
                        let name = agent.name.clone();
                        effects.push(Effect::ScreenPrompt(update, prompt, name));
                        return self.set_stage(update, Stage::ScreeningFact(telling));
                    }
                }
            }
        };
        self.answer_notice(update, notice, Outcome::Answered, effects);
    }

    /// Why a fact is not taken, in words; `None` if it can be.
    fn cannot_remember(&self, space: Space, text: &str) -> Option<words::Notice> {
        let config = &self.config.memory;
        let known = self.state.facts_in(space);
        if config.fact_chars_max < text.chars().count() {
            return Some(words::fact_too_long(config.fact_chars_max));
        }
        if known.iter().any(|it| it.text.eq_ignore_ascii_case(text)) {
            return Some(words::fact_known());
        }
        (config.facts_max <= known.len()).then(|| words::facts_full(config.facts_max))
    }

    pub(super) fn fact_judged(
        &mut self,
        update: UpdateId,
        verdict: Verdict<Prompt>,
        hidden: &Placeholders,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::ScreeningFact(_))) else {
            return;
        };
        let Stage::ScreeningFact(telling) = turn.stage.take() else { return };
        let Telling { agent, by, prompt: told } = telling;
        let (prompt, judged) = match verdict {
            Verdict::Clear(prompt, judged) => (prompt, judged),
            Verdict::Refuse(judged) => {
                return self.refuse_prompt(update, &agent.name, &told, judged, effects);
            }
        };
        // REMEMBER-1.
        let text = context::one_line(&hidden.without_numbers(&prompt.get().text));
        let space = Space::of(&agent);
        let mut events = vec![Event::PromptJudged { update, judged }];
        let notice = match self.cannot_remember(space, &text) {
            Some(why) => why,
            None => {
                let notice = words::fact_remembered(&text);
                events.extend(self.facts(update, space, &FactOrigin::Told, by, [text]));
                notice
            }
        };
        self.answer_with(update, events, notice, Outcome::Answered, effects);
    }

    fn facts(
        &mut self,
        update: UpdateId,
        space: Space,
        origin: &FactOrigin,
        by: PersonId,
        texts: impl IntoIterator<Item = String>,
    ) -> Vec<Event> {
        let at = self.turn(update, |_| true).map(|it| it.at).unwrap_or_default();
        let numbered = (self.state.facts_made..).zip(texts);
        let fact =
            |(id, text)| Fact { id: FactId(id), space, text, origin: origin.clone(), by, at };
        numbered.map(|it| Event::FactRemembered { fact: fact(it) }).collect()
    }

    // --- facts that a model proposes ---

    /// The answer without the marks in it, and what they propose, if the agent may.
    pub(super) fn proposals(
        &mut self,
        update: UpdateId,
        asking: &Asking,
        draft: Cleared<Draft>,
    ) -> (Cleared<Draft>, Option<Prompt>) {
        let agent = &asking.agent;
        if !agent.proposes_facts {
            return (draft, None);
        }
        let (draft, proposed) = draft.without_proposals();
        let asked_by_somebody =
            self.turn(update, |_| true).is_some_and(|it| it.course.asker.is_some());
        let space = Space::of(agent);
        let clean = |it: &String| context::one_line(&asking.hidden.without_numbers(it));
        let mut wanted: Vec<String> = proposed.iter().map(clean).collect();
        wanted.retain(|it| !it.is_empty() && self.cannot_remember(space, it).is_none());
        wanted.truncate(PROPOSALS_MAX);
        let is_wanted = asked_by_somebody && !wanted.is_empty();
        (draft, is_wanted.then(|| Prompt { text: wanted.join("\n"), ..Prompt::default() }))
    }

    pub(super) fn proposals_judged(
        &mut self,
        update: UpdateId,
        verdict: Verdict<Prompt>,
        hidden: &Placeholders,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::ScreeningProposals(_))) else {
            return;
        };
        let by = turn.course.asker;
        let Stage::ScreeningProposals(proposing) = turn.stage.take() else { return };
        let agent = &proposing.asking.agent;
        let (space, origin) = (Space::of(agent), FactOrigin::Proposed(agent.name.clone()));
        let events = match (verdict, by) {
            // REMEMBER-1.
            (Verdict::Clear(prompt, _), Some(by)) => {
                let text = hidden.without_numbers(&prompt.get().text);
                let mut texts: Vec<String> = text.lines().map(context::one_line).collect();
                texts.retain(|it| !it.is_empty() && self.cannot_remember(space, it).is_none());
                let room =
                    self.config.memory.facts_max.saturating_sub(self.state.facts_in(space).len());
                texts.truncate(room.min(PROPOSALS_MAX));
                self.facts(update, space, &origin, by, texts)
            }
            // What may not be remembered changes nothing about the answer.
            (Verdict::Refuse(_), _) | (Verdict::Clear(..), None) => Vec::new(),
        };
        self.conclude(update, *proposing, events, effects);
    }

    // --- /memory ---

    pub(super) fn list_memory(
        &mut self,
        update: UpdateId,
        by: PersonId,
        effects: &mut Vec<Effect>,
    ) {
        // This answer is the asker's, so that it holds nobody else's words.
        let (facts, others): (Vec<&Fact>, Vec<&Fact>) =
            self.state.facts.values().flatten().partition(|it| it.by == by);
        let notice = words::memory(&facts, others.len(), by);
        self.answer_notice(update, notice, Outcome::Answered, effects);
    }

    /// Forgets a fact, if this person may have it forgotten. Again and again with the same end.
    pub(super) fn forget_fact(
        &mut self,
        update: UpdateId,
        fact: FactId,
        by: PersonId,
        is_admin: bool,
        effects: &mut Vec<Effect>,
    ) {
        let (events, notice) = match self.state.fact(fact) {
            None => (vec![], words::fact_gone()),
            Some(it) if it.by != by && !is_admin => (vec![], words::fact_of_another()),
            Some(it) => {
                let own = it.by == by;
                let notice = words::fact_forgotten(own.then_some(it.text.as_str()));
                (vec![Event::FactForgotten { fact }], notice)
            }
        };
        self.answer_with(update, events, notice, Outcome::Answered, effects);
    }
}
