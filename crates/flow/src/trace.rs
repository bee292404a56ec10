//! Why an answer was given: a turn, found again in the ledger and put together from its events.
//!
//! The past is read from about the time of the answer on, and no further than the turn's end. What
//! was recorded before the part of the past that is read is not in the trace, which then says less.

use std::{collections::HashMap, rc::Rc, str::FromStr, sync::Arc, time::Duration};

use futures::{FutureExt as _, future::LocalBoxFuture};
use protocol::{
    AgentName, MessageId, PersonId, RefId, SessionKey, Timestamp, UpdateId,
    event::{AnswerKind, Course, Event, Judged, Outcome},
    ledger::{Ledger, LedgerError, PastFrom},
    model::Usage,
    work::ToolStep,
};
use serde::{Deserialize, Serialize};

use crate::{alarm::Pointer, session::reference_of, wiring::Wiring};

/// An answer is written after its question came and was worked on, and by another clock.
const LOOK_BACK: Duration = Duration::from_secs(600);
/// Appends that are looked at for one turn. One that is not found until then is not found.
const APPENDS_MAX: usize = 100_000;

/// Which turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sought {
    /// In which conversation.
    pub key: SessionKey,
    /// How it is known.
    pub turn: Turn,
    /// A time shortly after which it ended.
    pub at: Timestamp,
}

/// How a turn is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// By a message of its answer.
    Message(MessageId),
    /// By its update.
    Update(UpdateId),
}

/// What the ledger knows about a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// A short id for people.
    pub reference: Option<RefId>,
    /// Who answers.
    pub agent: Option<AgentName>,
    /// Who turned a recording into the question.
    pub heard_by: Option<String>,
    /// What the guard said about the question.
    pub prompt: Option<Judged>,
    /// What the guard said about the answer.
    pub draft: Option<Judged>,
    /// The model that answered.
    pub model: Option<String>,
    /// What it cost.
    pub usage: Usage,
    /// What agents did with tools, and with each other.
    pub work: Vec<ToolStep>,
    /// Why there is this answer.
    pub kind: Option<AnswerKind>,
    /// Messages of the answer.
    pub parts: usize,
    /// Of these, how many were accepted.
    pub parts_sent: u32,
    /// Attempts at the whole turn.
    pub attempts: u32,
    /// A restart came while a part was on its way, so that it may have been sent twice.
    pub perhaps_repeated: bool,
    /// Who asked, and how long it took.
    pub course: Option<Course>,
    /// A text of it was stopped and kept: true for the answer, false for the question.
    pub held_back: Option<bool>,
    /// Where it is.
    pub at: Option<Pointer>,
    /// How the turn ended, if it has.
    pub outcome: Option<Outcome>,
}

impl Trace {
    /// Whether a person may see it: people see what they asked themselves, and in a private chat
    /// nobody else asks. A fixed text of ours is nobody's secret.
    #[must_use]
    pub fn may_be_seen_by(&self, person: Option<PersonId>, key: SessionKey) -> bool {
        let Some(person) = person else { return false };
        let asker = self.course.as_ref().and_then(|it| it.asker);
        let is_notice = self.kind == Some(AnswerKind::Notice);
        is_notice || key.chat.0 == person.0 || asker == Some(person)
    }

    /// Takes an event of the turn.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::TurnRetried { attempt, .. } => {
                self.attempts = *attempt;
                self.perhaps_repeated |= (self.parts_sent as usize) < self.parts;
            }
            Event::RecordingHeard { transcript, paid, .. } => {
                self.heard_by = Some(transcript.model.clone());
                let cost = paid.as_ref().map_or(0, |it| it.toll.cost_micros);
                self.usage.cost_micros = self.usage.cost_micros.saturating_add(cost);
            }
            Event::PromptJudged { judged, .. } => self.prompt = Some(judged.clone()),
            Event::CompletionStarted { agent, .. } => self.agent = Some(agent.clone()),
            Event::DraftReceived { model, usage, .. } => {
                self.model = Some(model.clone());
                // An agent that works with tools asks its model several times.
                let sum = &mut self.usage;
                sum.input_tokens = sum.input_tokens.saturating_add(usage.input_tokens);
                sum.output_tokens = sum.output_tokens.saturating_add(usage.output_tokens);
                sum.cost_micros = sum.cost_micros.saturating_add(usage.cost_micros);
                sum.booked = usage.booked;
            }
            Event::DraftJudged { judged, .. } => self.draft = Some(judged.clone()),
            Event::Tools { step, .. } => self.work.push(step.clone()),
            Event::CourseNoted { course, .. } => {
                self.agent = course.agent.clone().or(self.agent.take());
                self.course = Some(course.clone());
            }
            Event::AnswerReady { answer, .. } => {
                self.kind = Some(answer.kind);
                self.parts = answer.parts.len();
            }
            Event::PartSent { part, .. } => self.parts_sent = *part + 1,
            Event::TurnClosed { outcome, .. } => self.outcome = Some(*outcome),
            Event::TextHeldBack { held, .. } => {
                self.held_back = Some(held.of_answer);
            }
            Event::AgentSwitched { .. }
            | Event::HistoryReset { .. }
            | Event::NoticeShown
            | Event::LanguageChosen { .. }
            | Event::QuestionHeld { .. }
            | Event::NoticeAccepted { .. }
            | Event::QuestionTaken { .. }
            | Event::AnswerShaped { .. }
            | Event::DraftShown { .. }
            | Event::BotsTalked { .. }
            | Event::SummaryWritten { .. }
            | Event::FactRemembered { .. }
            | Event::FactForgotten { .. } => (),
        }
    }
}

/// Calls `look` with the events of a conversation's appends, oldest first, from a while before a
/// time on, until it is satisfied.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) async fn look_back(
    ledger: &dyn Ledger,
    key: SessionKey,
    at: Timestamp,
    mut look: impl FnMut(Event) -> bool,
) -> Result<(), LedgerError> {
    let back = u64::try_from(LOOK_BACK.as_millis()).unwrap_or(u64::MAX);
    let mut from = PastFrom::Time(Timestamp(at.0.saturating_sub(back)));
    let mut looked_at = 0;
    loop {
        let page = ledger.past(from).await?;
        looked_at += page.events.len();
        for (_, events) in page.events.iter().filter(|(of, _)| *of == key) {
            // What cannot be read is no event that anybody looks for.
            let events: Vec<Event> = serde_json::from_slice(events).unwrap_or_default();
            for event in events {
                if look(event) {
                    return Ok(());
                }
            }
        }
        match page.next {
            Some(next) if looked_at < APPENDS_MAX => from = PastFrom::Bookmark(next),
            Some(_) | None => return Ok(()),
        }
    }
}

/// Finds a turn. `None` if there is none near that time.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn find(ledger: &dyn Ledger, sought: Sought) -> Result<Option<Trace>, LedgerError> {
    let mut turns: HashMap<UpdateId, Trace> = HashMap::new();
    let mut found = match sought.turn {
        Turn::Update(update) => Some(update),
        Turn::Message(_) => None,
    };
    look_back(ledger, sought.key, sought.at, |event| {
        let Some(update) = event.update() else { return false };
        if let (Turn::Message(sought), Event::PartSent { message, .. }) = (sought.turn, &event)
            && sought == *message
        {
            found = Some(update);
        }
        let closed = matches!(event, Event::TurnClosed { .. });
        turns.entry(update).or_default().take(&event);
        if closed && found != Some(update) {
            turns.remove(&update);
        }
        closed && found == Some(update)
    })
    .await?;
    let trace = found.and_then(|it| Some((it, turns.remove(&it)?)));
    Ok(trace.map(|(update, trace)| {
        let arrived = trace.course.as_ref().map(|it| it.arrived);
        Trace {
            reference: Some(reference_of(sought.key, update)),
            at: arrived.map(|arrived| Pointer { key: sought.key, update, arrived }),
            attempts: trace.attempts.max(1),
            ..trace
        }
    }))
}

/// A reference, or its beginning, as somebody reads it out: `7F3A0001`, `ref 7f3a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadOut {
    value: u32,
    /// Digits that are known.
    digits: u32,
}

/// The fewest digits that are looked for: fewer would find anything.
const DIGITS_MIN: usize = 4;

impl FromStr for ReadOut {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.trim().trim_start_matches("ref").trim_start_matches(['#', ' ', ':']);
        let word = word.trim_end_matches(['…', '.']);
        let is_good =
            (DIGITS_MIN..=8).contains(&word.len()) && word.bytes().all(|it| it.is_ascii_hexdigit());
        let value = u32::from_str_radix(word, 16).ok().filter(|_| is_good);
        let digits = u32::try_from(word.len()).unwrap_or_default();
        value.map(|value| Self { value, digits }).ok_or_else(|| {
            format!("`{text}` is no reference: say 4 to 8 of its digits, as 7F3A0001")
        })
    }
}

impl ReadOut {
    /// True if a reference begins so.
    #[must_use]
    pub fn is_of(self, reference: RefId) -> bool {
        reference.0.checked_shr(32 - 4 * self.digits).unwrap_or_default() == self.value
    }
}

/// The turns with a reference, oldest first: there may be several where only its beginning is known.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn find_by_reference(
    ledger: &dyn Ledger,
    sought: ReadOut,
    most: usize,
) -> Result<Vec<(SessionKey, Trace)>, LedgerError> {
    let mut found: Vec<(SessionKey, UpdateId, Trace)> = Vec::new();
    let mut from = PastFrom::Time(Timestamp(0));
    loop {
        let page = ledger.past(from).await?;
        for (key, events) in page.events {
            let events: Vec<Event> = serde_json::from_slice(&events).unwrap_or_default();
            for event in events {
                let Some(update) = event.update() else { continue };
                if !sought.is_of(reference_of(key, update)) {
                    continue;
                }
                let known = found.iter().position(|it| (it.0, it.1) == (key, update));
                if known.is_none() && found.len() < most {
                    found.push((key, update, Trace::default()));
                }
                let at = known.unwrap_or(found.len().saturating_sub(1));
                let of_it = found.get_mut(at).filter(|it| (it.0, it.1) == (key, update));
                if let Some((.., trace)) = of_it {
                    trace.take(&event);
                }
            }
        }
        match page.next {
            Some(next) => from = PastFrom::Bookmark(next),
            None => break,
        }
    }
    let whole = found.into_iter().map(|(key, update, trace)| {
        let reference = Some(reference_of(key, update));
        (key, Trace { reference, attempts: trace.attempts.max(1), ..trace })
    });
    Ok(whole.collect())
}

/// What `/trace` says of a turn to an officer.
#[must_use]
pub fn in_words(trace: &Trace) -> String {
    crate::words::trace(trace, true).part().plain.clone()
}

/// The short id of a turn, which a person reads out.
#[must_use]
pub fn reference(key: SessionKey, update: UpdateId) -> RefId {
    reference_of(key, update)
}

/// Finds a turn for a session. An error means that the ledger cannot be read.
pub type Tracer = Rc<dyn Fn(Sought) -> LocalBoxFuture<'static, Result<Option<Trace>, LedgerError>>>;

/// Makes the function that answers `/trace`.
pub(crate) fn tracer(wiring: &Wiring) -> Tracer {
    let ledger = Arc::clone(&wiring.ledger);
    Rc::new(move |sought| {
        let ledger = Arc::clone(&ledger);
        async move { find(&*ledger, sought).await }.boxed_local()
    })
}

#[cfg(test)]
mod tests {
    use protocol::{
        BotId, ChatId,
        event::{Answer, Part},
        ledger::{Append, Owned, Seq, Stream},
    };

    use super::*;
    use crate::testing::{FakeLedger, local};

    const KEY: SessionKey = SessionKey { bot: BotId(9), chat: ChatId(-5), topic: None };
    const OTHER: SessionKey = SessionKey { bot: BotId(9), chat: ChatId(3), topic: None };
    const ADA: PersonId = PersonId(1);

    fn turn(update: i64, attempts: u32) -> Vec<Vec<Event>> {
        let message = MessageId(update * 10);
        let update = UpdateId(update);
        let judged = Judged { verdict: "clear".to_owned(), ..Judged::default() };
        let agent: AgentName = "sage".parse().unwrap();
        let course = Course {
            agent: Some(agent.clone()),
            asker: Some(ADA),
            arrived: Timestamp(5),
            ..Course::default()
        };
        let answer = Answer {
            kind: AnswerKind::Model,
            parts: vec![Part::plain("a"), Part::plain("b")],
            reply_to: None,
            answered: None,
            reference: None,
        };
        let usage = Usage { input_tokens: 3, output_tokens: 4, ..Usage::default() };
        let sent = |part, message| vec![Event::PartSent { update, part, message }];
        let mut appends = vec![
            vec![
                Event::PromptJudged { update, judged: judged.clone() },
                Event::DraftReceived { update, model: "small".to_owned(), usage },
                Event::DraftJudged { update, judged },
                Event::CourseNoted { update, course },
                Event::AnswerReady { update, answer },
            ],
            sent(0, message),
        ];
        let retried = (2..=attempts).map(|attempt| vec![Event::TurnRetried { update, attempt }]);
        appends.extend(retried);
        appends.push(sent(1, MessageId(message.0 + 1)));
        appends.push(vec![Event::TurnClosed { update, outcome: Outcome::Answered }]);
        appends
    }

    fn found(turn_sought: Turn) -> Option<Trace> {
        let ledger = FakeLedger::default();
        let (first, second) = (turn(1, 1), turn(2, 3));
        local(async {
            for (key, turns) in [(KEY, [first.clone(), second].concat()), (OTHER, first)] {
                for (at, events) in turns.iter().enumerate() {
                    let append = Append {
                        stream: Stream::Session(key),
                        expected: Seq(at as u64),
                        events: vec![Owned::halls(serde_json::to_vec(events).unwrap())],
                        closes: vec![],
                    };
                    ledger.append(append).await.unwrap();
                }
            }
            find(&ledger, Sought { key: KEY, turn: turn_sought, at: Timestamp(0) }).await.unwrap()
        })
    }

    #[test]
    fn a_turn_is_found_by_any_message_of_its_answer_and_by_its_update() {
        let trace = found(Turn::Message(MessageId(20))).unwrap();
        assert_eq!(trace.reference, Some(reference_of(KEY, UpdateId(2))));
        assert_eq!((trace.attempts, trace.perhaps_repeated), (3, true));
        assert_eq!((trace.parts, trace.parts_sent), (2, 2));
        assert_eq!(trace.outcome, Some(Outcome::Answered));
        assert_eq!(found(Turn::Message(MessageId(21))), Some(trace.clone()));
        assert_eq!(found(Turn::Update(UpdateId(2))), Some(trace));
        let first = found(Turn::Update(UpdateId(1))).unwrap();
        assert_eq!((first.attempts, first.perhaps_repeated), (1, false));
        assert_eq!(first.usage.output_tokens, 4);
    }

    #[test]
    fn a_turn_is_found_by_the_reference_that_somebody_reads_out() {
        let whole = reference_of(KEY, UpdateId(1)).to_string();
        let read: ReadOut = whole.to_lowercase().parse().unwrap();
        assert!(read.is_of(reference_of(KEY, UpdateId(1))));
        assert!(!read.is_of(reference_of(OTHER, UpdateId(1))));
        for half in [format!("ref {}…", &whole[..4]), format!("#{}", &whole[..6])] {
            let read: ReadOut = half.parse().unwrap();
            assert!(read.is_of(reference_of(KEY, UpdateId(1))), "{half}");
        }
        for bad in ["", "7F3", "7F3A00011", "hello", "ref"] {
            assert!(bad.parse::<ReadOut>().is_err(), "{bad}");
        }
        let ledger = FakeLedger::default();
        local(async {
            for (key, turn) in [(KEY, turn(1, 2)), (OTHER, turn(1, 1))] {
                for (at, events) in turn.iter().enumerate() {
                    let append = Append {
                        stream: Stream::Session(key),
                        expected: Seq(at as u64),
                        events: vec![Owned::halls(serde_json::to_vec(events).unwrap())],
                        closes: vec![],
                    };
                    ledger.append(append).await.unwrap();
                }
            }
            let found = find_by_reference(&ledger, whole.parse().unwrap(), 5).await.unwrap();
            let [(key, trace)] = found.as_slice() else { panic!("{found:?}") };
            assert_eq!((*key, trace.attempts), (KEY, 2));
            assert_eq!(trace.outcome, Some(Outcome::Answered));
            assert!(in_words(trace).contains(&whole));
        });
    }

    #[test]
    fn what_was_never_said_here_is_not_found() {
        assert_eq!(found(Turn::Message(MessageId(99))), None);
        assert_eq!(found(Turn::Update(UpdateId(99))), None);
    }

    #[test]
    fn in_a_group_only_the_asker_sees_a_trace() {
        let trace = found(Turn::Update(UpdateId(1))).unwrap();
        assert!(trace.may_be_seen_by(Some(ADA), KEY));
        assert!(!trace.may_be_seen_by(Some(PersonId(2)), KEY));
        assert!(!trace.may_be_seen_by(None, KEY));
        assert!(trace.may_be_seen_by(Some(PersonId(3)), OTHER), "their private chat");
    }
}
