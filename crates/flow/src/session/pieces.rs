//! Whose words a session's events and state are: taken apart for the ledger, by owner, and put
//! together again.
//!
//! In a private chat everything is its person's, in one piece. In a group events go with whoever
//! wrote the update that they are about, an exchange with whoever asked, and what is about nobody
//! in particular with the group itself. A fact goes with whoever told it. Summaries would mix people's
//! words, so a group has none.
//!
//! Invariants: PIECES-1 no piece holds another person's words. PIECES-2 put together, all pieces
//! are the state that was taken apart; without somebody's, it is that state without their words.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use protocol::{
    AgentName, PersonId, SessionKey, UpdateId,
    event::Event,
    ledger::Owned,
    memory::{Fact, Space},
};

use super::state::{Exchange, State};

/// Events in their order, a piece for each stretch of one owner.
pub(super) fn of_events(
    key: SessionKey,
    events: &[Event],
    authors: &HashMap<UpdateId, PersonId>,
) -> Result<Vec<Owned>, serde_json::Error> {
    let writer = |event: &Event| {
        if let Event::FactRemembered { fact } = event {
            return Some(fact.by);
        }
        event.update().and_then(|update| authors.get(&update).copied())
    };
    let owner = |event: &Event| key.owner(writer(event));
    let stretches = events.chunk_by(|one, next| owner(one) == owner(next));
    let piece = |stretch: &[Event]| {
        let owner = stretch.first().map_or_else(|| key.owner(None), owner);
        Ok(Owned::by(owner, serde_json::to_vec(stretch)?))
    };
    stretches.map(piece).collect()
}

/// Takes a state apart. The first piece holds what is nobody's in particular.
pub(super) fn of_state(key: SessionKey, state: &State) -> Result<Vec<Owned>, serde_json::Error> {
    if key.is_private() {
        return Ok(vec![Owned::by(key.owner(None), serde_json::to_vec(state)?)]);
    }
    let (histories, facts) = (BTreeMap::new(), BTreeMap::new());
    let mut common = State { histories, facts, ..state.clone() };
    common.digests.values_mut().for_each(|it| it.summary = None);
    let mut others: BTreeMap<PersonId, State> = BTreeMap::new();
    for (agent, history) in &state.histories {
        for (place, exchange) in (0..).zip(history) {
            let piece = match exchange.by {
                Some(person) => others.entry(person).or_default(),
                None => &mut common,
            };
            let history = piece.histories.entry(agent.clone()).or_default();
            history.push_back(Arc::clone(exchange));
            piece.places.entry(agent.clone()).or_default().push(place);
        }
    }
    for fact in state.facts.values().flatten() {
        let facts = &mut others.entry(fact.by).or_default().facts;
        facts.entry(fact.space).or_default().push(fact.clone());
    }
    for person in std::mem::take(&mut common.accepted) {
        others.entry(person).or_default().accepted.insert(person);
    }
    for (update, waiting) in std::mem::take(&mut common.waiting) {
        others.entry(waiting.by).or_default().waiting.insert(update, waiting);
    }
    if let Some(person) = state.last_asked_by {
        let piece = others.entry(person).or_default();
        piece.last_asked = common.last_asked.take();
        piece.last_asked_by = common.last_asked_by.take();
    }
    if let Some(person) = state.last_turn.as_ref().and_then(|it| it.by) {
        others.entry(person).or_default().last_turn = common.last_turn.take();
    }
    for (update, open) in &state.open {
        if let Some(person) = open.by {
            common.open.remove(update);
            others.entry(person).or_default().open.insert(*update, open.clone());
        }
    }
    let mut pieces = vec![Owned::by(key.owner(None), serde_json::to_vec(&common)?)];
    for (person, piece) in others {
        pieces.push(Owned::by(person, serde_json::to_vec(&piece)?));
    }
    Ok(pieces)
}

/// Puts a state together from the pieces that are left.
pub(super) fn together(key: SessionKey, pieces: &[Owned]) -> Result<State, serde_json::Error> {
    let mut whole = State::default();
    let mut histories: BTreeMap<AgentName, Vec<(u32, Arc<Exchange>)>> = BTreeMap::new();
    let mut facts: BTreeMap<Space, Vec<Fact>> = BTreeMap::new();
    let mut accepted = BTreeSet::new();
    for owned in pieces {
        let mut state: State = serde_json::from_slice(&owned.bytes)?;
        let places = std::mem::take(&mut state.places);
        for (agent, history) in std::mem::take(&mut state.histories) {
            let known = places.get(&agent).map(Vec::as_slice).unwrap_or_default();
            let places = known.iter().copied().chain(0..);
            histories.entry(agent).or_default().extend(places.zip(history));
        }
        for (space, more) in std::mem::take(&mut state.facts) {
            facts.entry(space).or_default().extend(more);
        }
        accepted.append(&mut state.accepted);
        // Of format 1, or the one that is nobody's in particular.
        if owned.owners.is_empty() || owned.owners == [key.owner(None)] {
            let State { last_asked, last_asked_by, last_turn, open, waiting, .. } = whole;
            whole = state;
            whole.last_turn = whole.last_turn.or(last_turn);
            whole.last_asked = whole.last_asked.or(last_asked);
            whole.last_asked_by = whole.last_asked_by.or(last_asked_by);
            whole.open.extend(open);
            whole.waiting.extend(waiting);
        } else {
            whole.last_turn = whole.last_turn.or(state.last_turn);
            whole.last_asked = whole.last_asked.or(state.last_asked);
            whole.last_asked_by = whole.last_asked_by.or(state.last_asked_by);
            whole.open.extend(state.open);
            whole.waiting.extend(state.waiting);
        }
    }
    for (agent, mut history) in histories {
        history.sort_by_key(|(place, _)| *place);
        let history: VecDeque<_> = history.into_iter().map(|(_, it)| it).collect();
        whole.histories.insert(agent, history);
    }
    facts.values_mut().for_each(|it| it.sort_by_key(|fact| fact.id));
    whole.facts = facts;
    whole.accepted = accepted;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::state::HistoryLimits;
    use protocol::{
        BotId, ChatId, Timestamp,
        event::{Answer, AnswerKind, Outcome, Part},
        memory::{FactId, FactOrigin},
    };

    const LIMITS: HistoryLimits =
        HistoryLimits { exchanges_max: 20, chars_max: 10_000, summarised: false };
    const PRIVATE: SessionKey = SessionKey { bot: BotId(1), chat: ChatId(5), topic: None };
    const GROUP: SessionKey = SessionKey { bot: BotId(1), chat: ChatId(-5), topic: None };

    fn turn(update: i64, agent: &str, closed: bool) -> Vec<Event> {
        let (id, agent) = (UpdateId(update), agent.parse().unwrap());
        let answer = Answer {
            kind: AnswerKind::Model,
            parts: vec![Part::plain(format!("answer {update}"))],
            reply_to: None,
            answered: None,
            reference: None,
        };
        let asked = format!("question {update}");
        let mut events = vec![
            Event::CompletionStarted {
                update: id,
                agent,
                asked,
                replaces: false,
                reserved: 1,
                tainted: false,
            },
            Event::AnswerReady { update: id, answer },
        ];
        if closed {
            events.push(Event::TurnClosed { update: id, outcome: Outcome::Answered });
        }
        events
    }

    fn told(update: i64, by: i64) -> Event {
        let space = Space::own(&if update % 2 == 0 { "poet" } else { "sage" }.parse().unwrap());
        let id = FactId(u64::try_from(update).unwrap());
        let (text, origin) = (format!("fact {update}"), FactOrigin::Told);
        Event::FactRemembered {
            fact: Fact { id, space, text, origin, by: PersonId(by), at: Timestamp(1) },
        }
    }

    /// Turns of three people by turns, who have facts remembered, and of nobody in particular.
    fn talk() -> (Vec<Event>, HashMap<UpdateId, PersonId>) {
        let mut events = vec![Event::AgentSwitched { agent: "sage".parse().unwrap() }];
        let mut authors = HashMap::new();
        for update in 1..=12 {
            let agent = if update % 5 == 0 { "poet" } else { "sage" };
            events.extend(turn(update, agent, update < 10));
            if update % 4 != 0 {
                authors.insert(UpdateId(update), PersonId(update % 4));
                events.push(told(update, update % 4));
            }
        }
        events.push(Event::FactForgotten { fact: FactId(6) });
        events.push(Event::NoticeShown);
        events.push(Event::NoticeAccepted { update: UpdateId(11), by: PersonId(3) });
        (events, authors)
    }

    fn fold(pieces: &[Owned], key: SessionKey) -> State {
        let mut state = State::default();
        for piece in pieces {
            let by = piece.owners.first().copied().filter(|it| *it != key.owner(None));
            for event in serde_json::from_slice::<Vec<Event>>(&piece.bytes).unwrap() {
                state.apply_by(&event, by, LIMITS);
            }
        }
        state
    }

    fn without(pieces: &[Owned], person: i64) -> Vec<Owned> {
        pieces.iter().filter(|it| it.owners != [PersonId(person)]).cloned().collect()
    }

    #[test]
    fn pieces_1_every_text_lies_with_whom_it_belongs_to() {
        let (events, authors) = talk();
        let apart = of_events(GROUP, &events, &authors).unwrap();
        let state = fold(&apart, GROUP);
        for piece in apart.iter().chain(&of_state(GROUP, &state).unwrap()) {
            let text = String::from_utf8_lossy(&piece.bytes);
            let [owner] = piece.owners.as_slice() else { panic!("one owner each") };
            for update in 1..=12 {
                let author = authors.get(&UpdateId(update)).copied();
                let is_theirs = GROUP.owner(author) == *owner;
                let holds = text.contains(&format!("question {update}\""));
                assert!(is_theirs || !holds, "question {update} lies with {owner}: {text}");
                let holds = text.contains(&format!("fact {update}\""));
                assert!(is_theirs || !holds, "fact {update} lies with {owner}: {text}");
            }
        }
        let private = of_events(PRIVATE, &events, &authors).unwrap();
        assert_eq!(private.len(), 1, "a private chat is in one piece");
        assert_eq!(private[0].owners, [PersonId(5)]);
    }

    #[test]
    fn pieces_2_together_they_are_the_whole_and_without_somebody_the_rest_of_it() {
        let (events, authors) = talk();
        let apart = of_events(GROUP, &events, &authors).unwrap();
        let state = fold(&apart, GROUP);
        let pieces = of_state(GROUP, &state).unwrap();
        assert_eq!(together(GROUP, &pieces).unwrap(), state);
        for person in 1..=3 {
            // Forgotten before the snapshot or after it: the same is left.
            let folded = fold(&without(&apart, person), GROUP);
            let mut rest = together(GROUP, &without(&pieces, person)).unwrap();
            if state.last_asked_by == Some(PersonId(person)) {
                assert_eq!(rest.last_asked, None);
            }
            rest.last_asked = folded.last_asked.clone();
            rest.last_asked_by = folded.last_asked_by;
            rest.facts_made = folded.facts_made;
            let left = rest.facts.values().flatten().map(|it| it.by.0).collect::<Vec<_>>();
            assert!(5 <= left.len() && !left.contains(&person), "{left:?} without {person}");
            assert_eq!(rest, folded, "without {person}");
        }
        let pieces = of_state(PRIVATE, &state).unwrap();
        assert_eq!((pieces.len(), together(PRIVATE, &pieces).unwrap()), (1, state));
    }

    #[test]
    fn a_state_of_format_1_is_one_piece_of_the_halls() {
        let (events, _) = talk();
        let mut state = State::default();
        events.iter().for_each(|it| state.apply(it, LIMITS));
        let old = [Owned::halls(serde_json::to_vec(&state).unwrap())];
        assert_eq!(together(GROUP, &old).unwrap(), state);
        assert_eq!(together(PRIVATE, &old).unwrap(), state);
    }
}
