//! What a session remembers: folded from its events, written back as a snapshot.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use protocol::{
    AgentName, PersonId, Timestamp, UpdateId,
    event::{Answer, AnswerKind, Event},
    ledger::Accepted,
};
use serde::{Deserialize, Serialize};

/// How much of a conversation is kept at hand for the next prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Exchanges with one agent.
    pub exchanges_max: usize,
    /// Characters of all of them together.
    pub chars_max: usize,
}

/// What a session remembers. The same events always fold to the same state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Whom the person chose to talk to.
    #[serde(default)]
    pub agent: Option<AgentName>,
    /// The privacy notice was shown.
    #[serde(default)]
    pub noticed: bool,
    /// The newest exchanges, by agent: agents do not see each other's conversations.
    #[serde(default)]
    pub histories: BTreeMap<AgentName, VecDeque<Arc<Exchange>>>,
    /// The last question, for `/retry`: with whom and what.
    #[serde(default)]
    pub last_asked: Option<(AgentName, String)>,
    /// The newest question that was answered, and when it came: for `/trace`.
    #[serde(default)]
    pub newest: Option<(UpdateId, Timestamp)>,
    /// Who asked it, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_asked_by: Option<PersonId>,
    /// Updates whose work has begun and not ended.
    #[serde(default)]
    pub open: BTreeMap<UpdateId, Open>,
    /// Only in a piece of a group's snapshot: where its exchanges stand in each whole history.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<AgentName, Vec<u32>>,
}

/// A question and its answer, as the next prompt will contain them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was asked, as it passed the guard.
    pub asked: String,
    /// What was answered, as it passed the guard.
    pub answered: String,
    /// Who asked, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
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
}

/// An update whose work has begun and not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Attempts so far, beyond the first.
    #[serde(default)]
    pub retries: u32,
    /// What an agent was asked, once it was.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// Its answer, once that is fixed.
    #[serde(default)]
    pub answer: Option<Answer>,
    /// How many parts of the answer were accepted.
    #[serde(default)]
    pub parts_sent: u32,
    /// Whose it is, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
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
            Event::CompletionStarted { update, agent, asked, replaces, .. } => {
                let (agent, text) = (agent.clone(), asked.clone());
                self.last_asked = Some((agent.clone(), text.clone()));
                self.last_asked_by = by;
                let asked = Asked { agent, text, replaces: *replaces };
                let open = self.open.entry(*update).or_default();
                open.asked = Some(asked);
                open.by = by;
            }
            Event::AnswerReady { update, answer } => {
                let open = self.open.entry(*update).or_default();
                open.answer = Some(answer.clone());
                open.by = by;
                if answer.kind == AnswerKind::Model
                    && let Some(asked) = open.asked.take()
                {
                    self.remember(asked, answer, by, limits);
                }
            }
            Event::PartSent { update, part, .. } => {
                self.open.entry(*update).or_default().parts_sent = part + 1;
            }
            Event::TurnClosed { update, .. } => {
                self.open.remove(update);
                if self.open.is_empty() {
                    // An emptied map keeps a node of its own; most conversations are idle.
                    self.open = BTreeMap::new();
                }
            }
            Event::AgentSwitched { agent } => self.agent = Some(agent.clone()),
            Event::HistoryReset { agent } => {
                self.histories.remove(agent);
            }
            Event::NoticeShown => self.noticed = true,
            Event::CourseNoted { update, course } => self.newest = Some((*update, course.arrived)),
            Event::PromptJudged { .. }
            | Event::DraftReceived { .. }
            | Event::TextHeldBack { .. }
            | Event::DraftJudged { .. } => (),
        }
    }

    /// Takes note of a part that was accepted before the last end, if no event says so yet. The
    /// event that is still to be recorded.
    pub(super) fn overtaken(&mut self, note: &Accepted, limits: HistoryLimits) -> Option<Event> {
        let open = self.open.get(&note.update)?;
        let parts = open.answer.as_ref().map_or(0, |it| it.parts.len());
        let is_next = open.parts_sent == note.part && (note.part as usize) < parts;
        is_next.then(|| {
            let Accepted { update, part, message, .. } = *note;
            let event = Event::PartSent { update, part, message };
            self.apply(&event, limits);
            event
        })
    }

    fn remember(
        &mut self,
        asked: Asked,
        answer: &Answer,
        by: Option<PersonId>,
        limits: HistoryLimits,
    ) {
        let history = self.histories.entry(asked.agent).or_default();
        if asked.replaces {
            history.pop_back();
        }
        let whole =
            || answer.parts.iter().map(|it| it.plain.as_str()).collect::<Vec<_>>().join("\n");
        let answered = answer.answered.clone().unwrap_or_else(whole);
        history.push_back(Arc::new(Exchange { asked: asked.text, answered, by }));
        let size = |it: &Exchange| it.asked.len() + it.answered.len();
        let mut total: usize = history.iter().map(|it| size(it)).sum();
        while limits.exchanges_max < history.len()
            || (limits.chars_max < total && 1 < history.len())
        {
            let Some(oldest) = history.pop_front() else { break };
            total -= size(&oldest);
        }
    }

    /// True if words of a person are in the state of a group.
    #[must_use]
    pub fn holds_words_of(&self, person: PersonId) -> bool {
        let theirs = Some(person);
        self.last_asked_by == theirs
            || self.open.values().any(|it| it.by == theirs)
            || self.histories.values().flatten().any(|it| it.by == theirs)
    }

    /// The conversation with an agent so far, oldest first.
    #[must_use]
    pub fn history(&self, agent: &AgentName) -> Vec<Arc<Exchange>> {
        self.histories.get(agent).map(|it| it.iter().cloned().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::event::Outcome;

    const LIMITS: HistoryLimits = HistoryLimits { exchanges_max: 3, chars_max: 100 };

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
            Event::CompletionStarted { update, agent, asked, replaces, reserved: 1 },
            Event::AnswerReady { update, answer },
        ]
    }

    fn fold(events: &[Event]) -> State {
        let mut state = State::default();
        events.iter().for_each(|it| state.apply(it, LIMITS));
        state
    }

    fn asked(state: &State) -> Vec<String> {
        state.history(&"sage".parse().unwrap()).iter().map(|it| it.asked.clone()).collect()
    }

    #[test]
    fn history_is_bounded_by_number_and_by_length() {
        let many: Vec<Event> =
            (0..5).flat_map(|i| turn(i, &format!("q{i}"), Some("a"), false)).collect();
        assert_eq!(asked(&fold(&many)), ["q2", "q3", "q4"]);
        let long = "x".repeat(80);
        let two = [turn(1, "first", Some(&long), false), turn(2, "second", Some(&long), false)];
        assert_eq!(asked(&fold(&two.concat())), ["second"]);
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
