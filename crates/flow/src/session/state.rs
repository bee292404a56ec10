//! What a session remembers: folded from its events, written back as a snapshot.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque, vec_deque},
    sync::{Arc, OnceLock},
};

use protocol::{
    AgentName, Language, MessageId, PersonId, SessionKey, Timestamp, UpdateId,
    company::BotLink,
    event::{Answer, AnswerKind, AsideWay, Event, Shape},
    hearing::Transcript,
    ledger::Accepted,
    memory::{Fact, FactId, Space},
    model::estimate_tokens,
    work::ToolStep,
};
use serde::{Deserialize, Serialize};

use super::work::{self, AllWaiting, Handing, Waiting, Work};
use crate::chain::Chain;

/// How much of a conversation is kept word for word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Exchanges with one agent.
    pub exchanges_max: usize,
    /// Characters of all of them together.
    pub chars_max: usize,
    /// What is more is summarised. Else it is dropped, and counted.
    pub summarised: bool,
}

impl HistoryLimits {
    /// Those of one conversation. A summary would mix the words of several people, so that none of
    /// them could be forgotten without the others: in groups there are none.
    #[must_use]
    pub fn of(self, key: SessionKey) -> Self {
        Self { summarised: self.summarised && key.is_private(), ..self }
    }
}

/// Stands for the message in which an answer is shown while it is written, among an answer's parts.
pub(super) const DRAFT_PART: u32 = u32::MAX;

/// What stands before the last part of an answer that is for one person alone, in a group.
pub(super) const ASIDE_PARTS: u32 = 2;

/// Until its summary is durable a history may grow to so many times the limits. What is more then is
/// dropped, and counted.
const UNSUMMARISED_MAX: usize = 4;

/// What a session remembers. The same events always fold to the same state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Whom the person chose to talk to.
    #[serde(default)]
    pub agent: Option<AgentName>,
    /// The language that was chosen for our own texts.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "protocol::language::write",
        deserialize_with = "protocol::language::read"
    )]
    pub language: Option<Language>,
    /// The privacy notice was shown.
    #[serde(default)]
    pub noticed: bool,
    /// Who agreed to it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accepted: BTreeSet<PersonId>,
    /// The question that waits for its person to agree, and whom it asks. Only in private chats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<(AgentName, String)>,
    /// The newest exchanges, by agent: agents do not see each other's conversations.
    #[serde(default)]
    pub histories: BTreeMap<AgentName, VecDeque<Arc<Exchange>>>,
    /// What became of the exchanges that are not in `histories` any more, by agent.
    #[serde(default)]
    pub digests: BTreeMap<AgentName, Digest>,
    /// What is to be remembered, by whose memory it is in; oldest first.
    #[serde(default)]
    pub facts: BTreeMap<Space, Vec<Fact>>,
    /// The number of the next fact.
    #[serde(default)]
    pub facts_made: u64,
    /// The last question, for `/retry`: with whom and what.
    #[serde(default)]
    pub last_asked: Option<(AgentName, String)>,
    /// The newest question that was answered, and when it came: for `/trace`.
    #[serde(default)]
    pub newest: Option<(UpdateId, Timestamp)>,
    /// Who asked it, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_asked_by: Option<PersonId>,
    /// The newest question that was taken up: where it stands, and its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_turn: Option<LastTurn>,
    /// Updates whose work has begun and not ended. Boxed: a map of one has room for eleven.
    #[serde(default)]
    pub open: BTreeMap<UpdateId, Box<Open>>,
    /// Works that wait for a person's word.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waiting: AllWaiting,
    /// Agents in whose history there is what strangers wrote, or what came of it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tainted: BTreeSet<AgentName>,
    /// In a group: how far other bots have been answered since a person wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Box<Chain>>,
    /// Only in a piece of a group's snapshot: where its exchanges stand in each whole history.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<AgentName, Vec<u32>>,
}

/// The newest question: where it stands, and its answer. One that is edited is asked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastTurn {
    /// The update that its turn is named after.
    pub update: UpdateId,
    /// Who was asked.
    pub agent: AgentName,
    /// The messages that it is written in.
    pub messages: Vec<MessageId>,
    /// Who wrote them, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// A model was asked: the question is `last_asked`.
    #[serde(default)]
    pub asked: bool,
    /// A model answered.
    #[serde(default)]
    pub answered: bool,
    /// The messages of its answer, or of what was said instead.
    #[serde(default)]
    pub sent: Vec<MessageId>,
    /// The message that its answer takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<MessageId>,
}

/// A question and its answer, as the next prompt will contain them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// What was asked, as it passed the guard.
    pub asked: Arc<str>,
    /// What was answered, as it passed the guard.
    pub answered: Arc<str>,
    /// Who asked, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// Its tokens, once somebody wanted to know.
    #[serde(skip)]
    tokens: OnceLock<usize>,
}

impl Exchange {
    /// A question and its answer.
    #[must_use]
    pub fn new(
        asked: impl Into<Arc<str>>,
        answered: impl Into<Arc<str>>,
        by: Option<PersonId>,
    ) -> Self {
        Self { asked: asked.into(), answered: answered.into(), by, tokens: OnceLock::new() }
    }

    /// The tokens of both, as [`estimate_tokens`] counts. Counted once: it is asked about the whole
    /// conversation after every answer.
    #[must_use]
    pub fn tokens(&self) -> usize {
        let count = || estimate_tokens(&self.asked) + estimate_tokens(&self.answered);
        *self.tokens.get_or_init(count)
    }
}

impl PartialEq for Exchange {
    fn eq(&self, other: &Self) -> bool {
        let Self { asked, answered, by, tokens: _known_or_not } = self;
        (asked, answered, by) == (&other.asked, &other.answered, &other.by)
    }
}

impl Eq for Exchange {}

/// The part of a conversation with an agent that is not kept word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Number of the first exchange that is kept, counted from the conversation's first.
    #[serde(default)]
    pub begins: u64,
    /// What those before it said, in short.
    #[serde(default)]
    pub summary: Option<String>,
    /// How many of those before it were dropped without a summary.
    #[serde(default)]
    pub lost: u64,
    /// How often the person began afresh: what was said before is not recalled.
    #[serde(default)]
    pub epoch: u64,
}

/// What an agent is asked in a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who.
    pub agent: AgentName,
    /// What, as it passed the guard.
    pub text: String,
    /// The answer replaces the newest one.
    #[serde(default)]
    pub replaces: bool,
    /// Text of strangers came with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tainted: bool,
}

/// An update whose work has begun and not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Attempts so far, beyond the first.
    #[serde(default)]
    pub retries: u32,
    /// What was heard in the recording that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Transcript>,
    /// What an agent was asked, once it was.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// Its answer, once that is fixed.
    #[serde(default)]
    pub answer: Option<Answer>,
    /// How many parts of the answer were accepted.
    #[serde(default)]
    pub parts_sent: u32,
    /// The other updates that the question came with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<UpdateId>,
    /// How the parts are sent.
    #[serde(default)]
    pub shape: Shape,
    /// The message in which the beginning of the answer is shown, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<MessageId>,
    /// Whose it is, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// What agents did for it with tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Box<Work>>,
    /// Another bot wrote it: what becomes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<BotLink>,
}

impl State {
    /// Takes one event of a private chat in.
    pub fn apply(&mut self, event: &Event, limits: HistoryLimits) {
        self.apply_by(event, None, limits);
    }

    /// Takes one event in. `by` says whose it is in a group, so that their words can be told from
    /// those of others.
    pub fn apply_by(&mut self, event: &Event, by: Option<PersonId>, limits: HistoryLimits) {
        match event {
            Event::TurnRetried { update, attempt } => {
                self.open.entry(*update).or_default().retries = attempt.saturating_sub(1);
            }
            Event::CompletionStarted { update, agent, asked, replaces, tainted, .. } => {
                let (agent, text) = (agent.clone(), asked.clone());
                self.last_asked = Some((agent.clone(), text.clone()));
                self.last_asked_by = by;
                self.last_turn_of(*update).into_iter().for_each(|it| it.asked = true);
                let (replaces, tainted) = (*replaces, *tainted);
                let asked = Asked { agent, text, replaces, tainted };
                let open = self.open.entry(*update).or_default();
                open.asked = Some(asked);
                open.by = by;
            }
            Event::RecordingHeard { update, transcript, .. } => {
                let open = self.open.entry(*update).or_default();
                open.heard = Some(transcript.clone());
                open.by = by;
            }
            Event::AnswerReady { update, answer } => self.answered(*update, answer, by, limits),
            Event::AnswerShaped { .. } | Event::DraftShown { .. } | Event::QuestionTaken { .. } => {
                self.apply_at_home(event, by);
            }
            Event::PartSent { update, part, message } => {
                self.open.entry(*update).or_default().parts_sent = part + 1;
                self.last_turn_of(*update).into_iter().for_each(|it| it.sent.push(*message));
            }
            Event::TurnClosed { update, .. } => {
                self.open.remove(update);
                if self.open.is_empty() {
                    // An emptied map keeps a node of its own; most conversations are idle.
                    self.open = BTreeMap::new();
                }
            }
            Event::Tools { update, step } => self.take_step(*update, step, by),
            Event::BotsTalked { update, link } => self.take_link(*update, *link, by),
            Event::AgentSwitched { agent } => self.agent = Some(agent.clone()),
            Event::HistoryReset { agent } => self.begin_anew(agent),
            Event::SummaryWritten { agent, through, text, .. } => {
                self.summarise(agent, *through, text);
            }
            Event::FactRemembered { fact } => self.note(fact),
            Event::FactForgotten { fact } => self.forget(*fact),
            Event::NoticeShown => self.noticed = true,
            Event::LanguageChosen { language } => self.language = *language,
            Event::QuestionHeld { agent, text, .. } => {
                self.held = Some((agent.clone(), text.clone()));
            }
            Event::NoticeAccepted { by, .. } => {
                self.accepted.insert(*by);
            }
            Event::CourseNoted { update, course } => self.newest = Some((*update, course.arrived)),
            Event::PromptJudged { .. }
            | Event::DraftReceived { .. }
            | Event::TextHeldBack { .. }
            | Event::DraftJudged { .. } => (),
        }
    }

    /// An answer is fixed.
    fn answered(
        &mut self,
        update: UpdateId,
        answer: &Answer,
        by: Option<PersonId>,
        limits: HistoryLimits,
    ) {
        if answer.kind != AnswerKind::Notice {
            self.held = None;
        }
        let open = self.open.entry(update).or_default();
        open.answer = Some(answer.clone());
        open.by = by;
        let work = open.work.take();
        let asked = open.asked.take_if(|_| answer.kind == AnswerKind::Model);
        let Some(asked) = asked else { return };
        self.last_turn_of(update).into_iter().for_each(|it| it.answered = true);
        if asked.tainted {
            self.tainted.insert(asked.agent.clone());
        }
        let agent = work.as_ref().map(|_| asked.agent.clone());
        self.remember(asked, answer, by, limits);
        if let (Some(work), Some(agent)) = (work, agent) {
            self.worked(&work, agent, by);
        }
    }

    /// Takes note of a part that was accepted before the last end, if no event says so yet. The
    /// event that is still to be recorded.
    pub(super) fn overtaken(&mut self, note: &Accepted, limits: HistoryLimits) -> Option<Event> {
        let open = self.open.get(&note.update)?;
        if note.part == DRAFT_PART {
            let (is_news, by) = (open.shown.is_none() && open.parts_sent == 0, open.by);
            let event = Event::DraftShown { update: note.update, message: Some(note.message) };
            return is_news.then(|| {
                self.apply_by(&event, by, limits);
                event
            });
        }
        let parts = open.answer.as_ref().map_or(0, |it| it.parts.len());
        let is_next = open.parts_sent == note.part && (note.part as usize) < parts;
        is_next.then(|| {
            let Accepted { update, part, message, .. } = *note;
            let event = Event::PartSent { update, part, message };
            self.apply(&event, limits);
            event
        })
    }

    fn take_link(&mut self, update: UpdateId, link: BotLink, by: Option<PersonId>) {
        self.chain.get_or_insert_default().take(link);
        if !matches!(link, BotLink::Person { .. }) {
            let open = self.open.entry(update).or_default();
            (open.link, open.by) = (Some(link), by);
        }
    }

    /// What makes a question, and how its answer comes.
    fn apply_at_home(&mut self, event: &Event, by: Option<PersonId>) {
        let Some(update) = event.update() else { return };
        if let Event::QuestionTaken { agent, messages, place, .. } = event {
            self.take_question(update, agent, (messages, *place), by);
        }
        let open = self.open.entry(update).or_default();
        open.by = by;
        if let Event::AnswerShaped { shape, .. } = event {
            open.shape = shape.clone();
            if shape.aside.as_ref().is_some_and(|it| it.way == AsideWay::Nowhere) {
                // Only the last part is for the group then.
                open.parts_sent = open.parts_sent.max(ASIDE_PARTS);
            }
        }
        if let Event::DraftShown { message, .. } = event {
            open.shown = message.or(open.shown);
        }
        if let Event::QuestionTaken { also, .. } = event {
            open.also.clone_from(also);
        }
    }

    fn take_question(
        &mut self,
        update: UpdateId,
        agent: &AgentName,
        (messages, place): (&[MessageId], Option<MessageId>),
        by: Option<PersonId>,
    ) {
        self.last_turn = Some(LastTurn {
            update,
            agent: agent.clone(),
            messages: messages.to_vec(),
            by,
            asked: false,
            answered: false,
            sent: Vec::new(),
            place,
        });
    }

    /// The newest question, if it is this one.
    fn last_turn_of(&mut self, update: UpdateId) -> Option<&mut LastTurn> {
        self.last_turn.as_mut().filter(|it| it.update == update)
    }

    fn remember(
        &mut self,
        asked: Asked,
        answer: &Answer,
        by: Option<PersonId>,
        limits: HistoryLimits,
    ) {
        let digest = self.digests.entry(asked.agent.clone()).or_default();
        let history = self.histories.entry(asked.agent).or_default();
        if asked.replaces {
            history.pop_back();
        }
        let whole =
            || answer.parts.iter().map(|it| it.plain.as_str()).collect::<Vec<_>>().join("\n");
        let answered = answer.answered.clone().unwrap_or_else(whole);
        history.push_back(Arc::new(Exchange::new(asked.text, answered, by)));
        let size = |it: &Exchange| it.asked.len() + it.answered.len();
        let mut total: usize = history.iter().map(|it| size(it)).sum();
        let times = if limits.summarised { UNSUMMARISED_MAX } else { 1 };
        let exchanges_max = limits.exchanges_max.saturating_mul(times);
        let chars_max = limits.chars_max.saturating_mul(times);
        while exchanges_max < history.len() || (chars_max < total && 1 < history.len()) {
            let Some(oldest) = history.pop_front() else { break };
            total -= size(&oldest);
            digest.begins += 1;
            digest.lost += 1;
        }
    }

    /// True if words of a person are in the state of a group.
    #[must_use]
    pub fn holds_words_of(&self, person: PersonId) -> bool {
        let theirs = Some(person);
        self.last_asked_by == theirs
            || self.waiting.values().any(|it| it.by == person)
            || self.accepted.contains(&person)
            || self.open.values().any(|it| it.by == theirs)
            || self.histories.values().flatten().any(|it| it.by == theirs)
            || self.facts.values().flatten().any(|it| it.by == person)
    }

    fn take_step(&mut self, update: UpdateId, step: &ToolStep, by: Option<PersonId>) {
        match step {
            ToolStep::ApprovalAsked { call, by: whom, until, .. } => {
                let Some(open) = self.open.get_mut(&update) else { return };
                let (Some(mut work), Some(asked)) = (open.work.take(), open.asked.take()) else {
                    return;
                };
                work.take(step);
                work.origin = work.origin.or(Some(update));
                let (work, call) = (*work, *call);
                let waiting = Waiting { work, asked, call, by: *whom, until: *until };
                work::wait(&mut self.waiting, update, waiting);
            }
            ToolStep::ApprovalGiven { of, .. } => {
                let Some(Waiting { mut work, asked, .. }) = self.waiting.remove(of) else { return };
                work.take(step);
                let open = self.open.entry(update).or_default();
                (open.work, open.asked, open.by) = (Some(Box::new(work)), Some(asked), by);
            }
            ToolStep::Wanted { .. }
            | ToolStep::Called { .. }
            | ToolStep::Answered { .. }
            | ToolStep::ResultJudged { .. }
            | ToolStep::HandedOver { .. } => {
                let open = self.open.entry(update).or_default();
                open.by = by;
                open.work.get_or_insert_default().take(step);
            }
        }
    }

    /// The answer of an agent that worked with tools is fixed.
    fn worked(&mut self, work: &Work, agent: AgentName, by: Option<PersonId>) {
        if work.is_tainted() {
            self.tainted.insert(agent);
        }
        if let Some(Handing { from, to, note }) = &work.handed {
            self.agent = Some(to.clone());
            let asked = format!("({from} hands this conversation over to you and says:) {note}");
            let answered = "I have taken over.";
            let history = self.histories.entry(to.clone()).or_default();
            history.push_back(Arc::new(Exchange::new(asked, answered, by)));
            self.tainted.insert(to.clone());
        }
    }

    fn begin_anew(&mut self, agent: &AgentName) {
        self.tainted.remove(agent);
        let gone = self.histories.remove(agent).map_or(0, |it| it.len() as u64);
        let digest = self.digests.entry(agent.clone()).or_default();
        let (begins, epoch) = (digest.begins + gone, digest.epoch + 1);
        *digest = Digest { begins, epoch, ..Digest::default() };
    }

    /// A summary of exchanges that are gone already, or of more than there are, is of another
    /// conversation.
    fn summarise(&mut self, agent: &AgentName, through: u64, text: &str) {
        let Some(history) = self.histories.get_mut(agent) else { return };
        let digest = self.digests.entry(agent.clone()).or_default();
        let covered = through.checked_sub(digest.begins).and_then(|it| usize::try_from(it).ok());
        let Some(covered) = covered.filter(|it| (1..=history.len()).contains(it)) else { return };
        history.drain(..covered);
        digest.begins = through;
        digest.summary = Some(text.to_owned()).filter(|it| !it.is_empty());
    }

    fn note(&mut self, fact: &Fact) {
        self.facts_made = self.facts_made.max(fact.id.0 + 1);
        self.facts.entry(fact.space).or_default().push(fact.clone());
    }

    fn forget(&mut self, fact: FactId) {
        // The event that made it may be unreadable: its number is taken all the same.
        self.facts_made = self.facts_made.max(fact.0.saturating_add(1));
        self.facts.values_mut().for_each(|it| it.retain(|it| it.id != fact));
        self.facts.retain(|_, it| !it.is_empty());
    }

    /// What is remembered in a space, oldest first.
    #[must_use]
    pub fn facts_in(&self, space: Space) -> &[Fact] {
        self.facts.get(&space).map_or(&[], Vec::as_slice)
    }

    /// A fact, wherever it is kept.
    #[must_use]
    pub fn fact(&self, id: FactId) -> Option<&Fact> {
        self.facts.values().flatten().find(|it| it.id == id)
    }

    /// What became of the exchanges with an agent that are not kept word for word.
    #[must_use]
    pub fn digest(&self, agent: &AgentName) -> Digest {
        self.digests.get(agent).cloned().unwrap_or_default()
    }

    /// The conversation with an agent so far, oldest first.
    #[must_use]
    pub fn history(&self, agent: &AgentName) -> Vec<Arc<Exchange>> {
        self.exchanges(agent).cloned().collect()
    }

    /// The same, to look through.
    pub fn exchanges(&self, agent: &AgentName) -> vec_deque::Iter<'_, Arc<Exchange>> {
        static NONE: VecDeque<Arc<Exchange>> = VecDeque::new();
        self.histories.get(agent).unwrap_or(&NONE).iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::event::Outcome;

    const LIMITS: HistoryLimits =
        HistoryLimits { exchanges_max: 3, chars_max: 100, summarised: true };

    /// A question, and its answer if there is one.
    fn turn(number: i64, asked: &str, answered: Option<&str>, replaces: bool) -> Vec<Event> {
        let update = UpdateId(number);
        let (agent, asked) = ("sage".parse().unwrap(), asked.to_owned());
        let (kind, text) = match answered {
            Some(text) => (AnswerKind::Model, text),
            None => (AnswerKind::Apology, "sorry"),
        };
        let parts = vec![protocol::event::Part::plain(text)];
        let answer = Answer { kind, parts, reply_to: None, answered: None, reference: None };
        vec![
            Event::CompletionStarted {
                update,
                agent,
                asked,
                replaces,
                reserved: 1,
                tainted: false,
            },
            Event::AnswerReady { update, answer },
        ]
    }

    fn fold(events: &[Event]) -> State {
        let mut state = State::default();
        events.iter().for_each(|it| state.apply(it, LIMITS));
        state
    }

    fn asked(state: &State) -> Vec<String> {
        state.history(&"sage".parse().unwrap()).iter().map(|it| it.asked.to_string()).collect()
    }

    #[test]
    fn history_is_bounded_by_number_and_by_length() {
        let many: Vec<Event> =
            (0..14).flat_map(|i| turn(i, &format!("q{i}"), Some("a"), false)).collect();
        let state = fold(&many);
        assert_eq!((asked(&state).len(), asked(&state)[0].as_str()), (12, "q2"));
        assert_eq!((digest(&state).begins, digest(&state).lost), (2, 2), "dropped, and counted");
        let long = "x".repeat(380);
        let two = [turn(1, "first", Some(&long), false), turn(2, "second", Some(&long), false)];
        assert_eq!(asked(&fold(&two.concat())), ["second"]);
    }

    #[test]
    fn in_a_group_the_oldest_falls_out_at_once_since_nothing_sums_it_up() {
        let key = |chat| protocol::SessionKey {
            bot: protocol::BotId(1),
            chat: protocol::ChatId(chat),
            topic: None,
        };
        assert_eq!(LIMITS.of(key(5)), LIMITS);
        let mut state = State::default();
        for event in (0..5).flat_map(|i| turn(i, &format!("q{i}"), Some("a"), false)) {
            state.apply(&event, LIMITS.of(key(-5)));
        }
        assert_eq!(asked(&state), ["q2", "q3", "q4"]);
        assert_eq!((digest(&state).begins, digest(&state).lost), (2, 2));
    }

    fn digest(state: &State) -> Digest {
        state.digest(&"sage".parse().unwrap())
    }

    fn summary(through: u64, text: &str) -> Event {
        let (agent, text) = ("sage".parse().unwrap(), text.to_owned());
        Event::SummaryWritten { agent, through, text, model: None, usage: Default::default() }
    }

    #[test]
    fn a_summary_takes_the_place_of_what_it_covers_and_of_nothing_else() {
        let mut events: Vec<Event> =
            (0..4).flat_map(|i| turn(i, &format!("q{i}"), Some("a"), false)).collect();
        events.push(summary(3, "three questions"));
        let state = fold(&events);
        assert_eq!(asked(&state), ["q3"]);
        assert_eq!(
            (digest(&state).summary.as_deref(), digest(&state).begins),
            (Some("three questions"), 3)
        );
        // The same again, of the past, and of exchanges that are not there.
        for through in [3, 1, 5] {
            events.push(summary(through, "again"));
        }
        assert_eq!(fold(&events), state);
        events.push(Event::HistoryReset { agent: "sage".parse().unwrap() });
        events.extend(turn(9, "anew", Some("a"), false));
        events.push(summary(4, "of the conversation before"));
        let anew = fold(&events);
        assert_eq!((asked(&anew), digest(&anew).summary), (vec!["anew".to_owned()], None));
        assert_eq!((digest(&anew).begins, digest(&anew).epoch), (4, 1));
    }

    #[test]
    fn a_fact_is_remembered_once_and_forgotten_for_good() {
        let space = Space::own(&"sage".parse().unwrap());
        let fact = |id, text: &str| Fact {
            id: FactId(id),
            space,
            text: text.to_owned(),
            origin: protocol::memory::FactOrigin::Told,
            by: protocol::PersonId(2),
            at: protocol::Timestamp(0),
        };
        let remembered = |id, text| Event::FactRemembered { fact: fact(id, text) };
        let forgotten = |id| Event::FactForgotten { fact: FactId(id) };
        let state =
            fold(&[remembered(0, "tea"), remembered(1, "cats"), forgotten(0), forgotten(0)]);
        assert_eq!(state.facts_in(space), [fact(1, "cats")]);
        assert_eq!(state.facts_made, 2, "a number is not given twice");
        let stored = serde_json::to_vec(&state).unwrap();
        assert_eq!(serde_json::from_slice::<State>(&stored).unwrap(), state);
        assert!(fold(&[remembered(0, "tea"), forgotten(0)]).facts.is_empty());
    }

    #[test]
    fn a_repeated_question_replaces_its_exchange_and_an_apology_leaves_none() {
        let events = [
            turn(1, "one", Some("a"), false),
            turn(2, "two", Some("bad"), false),
            turn(3, "two", Some("good"), true),
            turn(4, "three", None, false),
        ];
        let state = fold(&events.concat());
        assert_eq!(asked(&state), ["one", "two"]);
        assert_eq!(state.last_asked.unwrap().1, "three", "it can still be asked again");
    }

    #[test]
    fn a_snapshot_reads_back_as_it_was() {
        let mut state = fold(&turn(1, "one", Some("a"), false));
        state.apply(&Event::NoticeShown, LIMITS);
        let stored = serde_json::to_vec(&state).unwrap();
        assert_eq!(serde_json::from_slice::<State>(&stored).unwrap(), state);
        let closed = Event::TurnClosed { update: UpdateId(1), outcome: Outcome::Answered };
        state.apply(&closed, LIMITS);
        assert!(state.open.is_empty());
        assert_eq!(serde_json::from_slice::<State>(b"{}").unwrap(), State::default());
    }
}
