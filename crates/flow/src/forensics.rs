//! What somebody asked here and what became of it, for the report of an incident: their turns within a time, found
//! in the ledger.
//!
//! People and chats are called by keyed hashes, records by keyed digests. Texts are handed over only where they
//! are asked for, and then it is said whose they are, so that it can be noted before anybody sees them.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use protocol::{
    ChatId, PersonId, SessionKey, Timestamp, UpdateId,
    event::{AnswerKind, Event, Judged, Outcome},
    ledger::{Ledger, LedgerError, PastFrom},
};
use serde::{Deserialize, Serialize};

use crate::{session::reference_of, trace::Trace};

/// Appends that are looked at for one report. What comes behind them is not in it, and it says so.
const APPENDS_MAX: u64 = 500_000;
/// Turns in one report, likewise.
const TURNS_MAX: usize = 2_000;
/// Characters of each text.
const TEXT_CHARS_MAX: usize = 8_000;
/// A turn is written behind its arrival by as much, at most: so much longer it is looked for.
const TURN_MS_MAX: u64 = 3_600_000;

/// Whose turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Of the person with this hash: twelve hexadecimal digits.
    Person(String),
    /// Of whoever asked for what did not go well: tried more than once, set aside, or apologised for.
    Failing,
    /// Nobody's: what there is of it names no person.
    Nobody,
    /// Everybody's.
    Everybody,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sought {
    /// Whose turns.
    pub whose: Whose,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// With what was said.
    pub with_texts: bool,
}

/// What was said in a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    /// The question as it passed the guard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// What the guard stopped, of the question or of the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<String>,
    /// The answer as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
}

/// One question and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// When it arrived.
    pub at: Timestamp,
    /// By which it is found in the log and with `/trace`.
    pub reference: String,
    /// Who asked, as a keyed hash; nothing for whom Telegram does not name.
    pub person: Option<String>,
    /// Where, as a keyed hash.
    pub chat: String,
    /// Whether it is a private chat.
    pub is_private: bool,
    /// Who answers.
    pub agent: Option<String>,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    /// Why there is an answer, if there is one.
    pub kind: Option<AnswerKind>,
    /// What the guard said of the question.
    pub prompt: Option<Judged>,
    /// And of the answer.
    pub draft: Option<Judged>,
    /// The model that answered.
    pub model: Option<String>,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Cost in millionths of the currency.
    pub cost_micros: u64,
    /// Attempts at the whole turn: more than one after a restart.
    pub attempts: u32,
    /// Calls to models.
    pub calls: u32,
    /// Parts of the answer that were accepted.
    pub parts_sent: u32,
    /// Of how many.
    pub parts: usize,
    /// A part may have been sent twice.
    pub perhaps_repeated: bool,
    /// Milliseconds until the answer was fixed.
    pub ready_ms: Option<u64>,
    /// A keyed digest of its records in the ledger, in their order.
    pub digest: String,
    /// What was said, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<Texts>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The turns, by their arrival.
    pub turns: Vec<Turn>,
    /// Appends of the ledger that were looked at.
    pub appends: u64,
    /// Of these, how many could not be read as events.
    pub unreadable: u64,
    /// Turns of theirs that had not come far enough to say when they began.
    pub unfinished: u64,
    /// False if there was more than one report takes in.
    pub complete: bool,
    /// Whose texts these are. Not handed on: it is for the audit log.
    #[serde(skip)]
    pub shown: BTreeSet<PersonId>,
}

/// How people, chats and records are called.
#[derive(Clone, Copy)]
pub struct Names<'n> {
    /// A person.
    pub person: &'n (dyn Fn(PersonId) -> String + Sync),
    /// A chat.
    pub chat: &'n (dyn Fn(ChatId) -> String + Sync),
    /// The digest of a record.
    pub digest: &'n (dyn Fn(&[u8]) -> String + Sync),
}

impl std::fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Names")
    }
}

/// Looks through the past of all conversations. Waits after every page, so that others have their turn.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn gather(
    ledger: &dyn Ledger,
    sought: &Sought,
    names: Names<'_>,
) -> Result<Found, LedgerError> {
    let mut search = Search::new(sought, names);
    if sought.whose == Whose::Nobody {
        return Ok(Found { complete: true, ..search.found });
    }
    // What began a while before may have arrived within the time.
    let begin = Timestamp(sought.from.0.saturating_sub(TURN_MS_MAX));
    let mut from = PastFrom::Time(begin);
    loop {
        let page = ledger.past(from).await?;
        for (key, events) in &page.events {
            search.take(*key, events);
        }
        match page.next {
            Some(next) if !search.is_over() => from = PastFrom::Bookmark(next),
            next => return Ok(search.end(next.is_none())),
        }
    }
}

/// A turn of which the end was not read yet.
#[derive(Default)]
struct Open {
    trace: Trace,
    texts: Texts,
    /// Its records, each behind its length.
    records: Vec<u8>,
}

struct Search<'s> {
    sought: &'s Sought,
    names: Names<'s>,
    open: HashMap<(SessionKey, UpdateId), Open>,
    /// The latest arrival that was read.
    latest: Timestamp,
    found: Found,
}

impl<'s> Search<'s> {
    fn new(sought: &'s Sought, names: Names<'s>) -> Self {
        let (open, latest) = (HashMap::new(), Timestamp::default());
        Self { sought, names, open, latest, found: Found::default() }
    }

    fn is_full(&self) -> bool {
        APPENDS_MAX <= self.found.appends || TURNS_MAX <= self.found.turns.len()
    }

    /// Nothing that comes behind can have arrived within the time.
    fn is_past(&self) -> bool {
        self.sought.until.0.saturating_add(TURN_MS_MAX) < self.latest.0
    }

    fn is_over(&self) -> bool {
        self.is_full() || self.is_past()
    }

    fn take(&mut self, key: SessionKey, bytes: &Bytes) {
        self.found.appends += 1;
        let Ok(events) = serde_json::from_slice::<Vec<Event>>(bytes) else {
            self.found.unreadable += 1;
            return;
        };
        let mut named = BTreeSet::new();
        let mut closed = Vec::new();
        for event in events {
            let Some(update) = event.update() else { continue };
            let open = self.open.entry((key, update)).or_default();
            if named.insert(update) {
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                open.records.extend_from_slice(&length.to_be_bytes());
                open.records.extend_from_slice(bytes);
            }
            if let Event::TurnClosed { .. } = &event {
                closed.push(update);
            }
            if self.sought.with_texts {
                open.texts.take(&event);
            }
            open.trace.take(&event);
        }
        for update in closed {
            if let Some(open) = self.open.remove(&(key, update)) {
                self.ended(key, update, open);
            }
        }
    }

    fn ended(&mut self, key: SessionKey, update: UpdateId, open: Open) {
        // Commands need no agent and have no course: the audit log has what officers did.
        let Some(course) = open.trace.course.clone() else { return };
        self.latest = self.latest.max(course.arrived);
        let asker = course.asker.or_else(|| key.is_private().then(|| key.owner(None)));
        let is_then = (self.sought.from..=self.sought.until).contains(&course.arrived);
        if !is_then || !self.is_sought(asker, &open.trace) || self.is_full() {
            return;
        }
        let Open { trace, texts, records } = open;
        let texts = self.sought.with_texts.then_some(texts);
        if texts.is_some() {
            self.found.shown.insert(key.owner(asker));
        }
        self.found.turns.push(Turn {
            at: course.arrived,
            reference: reference_of(key, update).to_string(),
            person: asker.map(self.names.person),
            chat: (self.names.chat)(key.chat),
            is_private: key.is_private(),
            agent: trace.agent.map(|it| it.as_str().to_owned()),
            outcome: trace.outcome,
            kind: trace.kind,
            prompt: trace.prompt,
            draft: trace.draft,
            model: trace.model,
            input_tokens: trace.usage.input_tokens,
            output_tokens: trace.usage.output_tokens,
            cost_micros: trace.usage.cost_micros,
            attempts: trace.attempts.max(1),
            calls: course.calls,
            parts_sent: trace.parts_sent,
            parts: trace.parts,
            perhaps_repeated: trace.perhaps_repeated,
            ready_ms: Some(course.ready_ms),
            digest: (self.names.digest)(&records),
            texts,
        });
    }

    fn is_sought(&self, asker: Option<PersonId>, trace: &Trace) -> bool {
        match &self.sought.whose {
            Whose::Person(word) => asker.is_some_and(|it| (self.names.person)(it) == *word),
            Whose::Failing => {
                1 < trace.attempts
                    || trace.kind == Some(AnswerKind::Apology)
                    || trace.outcome == Some(Outcome::Quarantined)
            }
            Whose::Nobody => false,
            Whose::Everybody => true,
        }
    }

    fn end(mut self, was_last: bool) -> Found {
        self.found.complete = !self.is_full() && (was_last || self.is_past());
        let rest: Vec<_> = std::mem::take(&mut self.open).into_iter().collect();
        for ((key, update), open) in rest {
            let is_dated = open.trace.course.is_some();
            let asker = key.is_private().then(|| key.owner(None));
            match is_dated {
                true => self.ended(key, update, open),
                false if self.is_sought(asker, &open.trace) => self.found.unfinished += 1,
                false => {}
            }
        }
        self.found.turns.sort_by_key(|it| it.at);
        self.found
    }
}

impl Texts {
    fn take(&mut self, event: &Event) {
        let cut = |text: &str| text.chars().take(TEXT_CHARS_MAX).collect::<String>();
        match event {
            Event::CompletionStarted { asked, .. } => self.asked = Some(cut(asked)),
            Event::TextHeldBack { held, .. } => {
                self.stopped.extend(held.texts.iter().map(|it| cut(it)));
            }
            Event::AnswerReady { answer, .. } => {
                let parts = || answer.parts.iter().map(|it| it.plain.as_str()).collect::<String>();
                self.answered = Some(cut(&answer.answered.clone().unwrap_or_else(parts)));
            }
            Event::TurnRetried { .. }
            | Event::RecordingHeard { .. }
            | Event::PromptJudged { .. }
            | Event::DraftReceived { .. }
            | Event::DraftJudged { .. }
            | Event::CourseNoted { .. }
            | Event::PartSent { .. }
            | Event::TurnClosed { .. }
            | Event::AgentSwitched { .. }
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
            | Event::FactForgotten { .. }
            | Event::Tools { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        BotId, MessageId,
        event::{Answer, Course, HeldText, Part},
        ledger::{Append, Owned, Seq, Stream},
        model::Usage,
    };

    use super::*;
    use crate::testing::{FakeLedger, local};

    const SECRET: &str = "the-text-that-nobody-may-see";
    const GROUP: SessionKey = SessionKey { bot: BotId(9), chat: ChatId(-5), topic: None };

    /// What is written of a turn: of whom, when, and how it ended.
    fn turn(update: i64, asker: i64, at: u64, kind: AnswerKind) -> Vec<Event> {
        let update = UpdateId(update);
        let judged = |verdict: &str| Judged { verdict: verdict.to_owned(), ..Judged::default() };
        let course = Course {
            agent: Some("sage".parse().unwrap()),
            asker: Some(PersonId(asker)),
            arrived: Timestamp(at),
            ready_ms: 40,
            calls: 1,
            ..Course::default()
        };
        let is_refused = kind == AnswerKind::Refusal;
        let parts = vec![Part::plain(format!("answer {SECRET}"))];
        let answer = Answer { kind, parts, reply_to: None, answered: None, reference: None };
        let usage = Usage { input_tokens: 3, output_tokens: 4, cost_micros: 5, booked: 0 };
        let agent = "sage".parse().unwrap();
        let held = HeldText { of_answer: false, agent, texts: vec![SECRET.to_owned()] };
        let mut events = vec![Event::PromptJudged {
            update,
            judged: judged(if is_refused { "refuse" } else { "clear" }),
        }];
        match is_refused {
            true => events.push(Event::TextHeldBack { update, held }),
            false => events.push(Event::DraftReceived { update, model: "m".to_owned(), usage }),
        }
        let outcome = if is_refused { Outcome::Refused } else { Outcome::Answered };
        events.extend([
            Event::CourseNoted { update, course },
            Event::AnswerReady { update, answer },
            Event::PartSent { update, part: 0, message: MessageId(7) },
            Event::TurnClosed { update, outcome },
        ]);
        events
    }

    fn found(turns: &[Vec<Event>], sought: &Sought) -> Found {
        let ledger = FakeLedger::default();
        local(async {
            for (at, events) in turns.iter().enumerate() {
                let events = vec![Owned::halls(serde_json::to_vec(events).unwrap())];
                let (stream, expected) = (Stream::Session(GROUP), Seq(at as u64));
                let append = Append { stream, expected, events, closes: vec![] };
                ledger.append(append).await.unwrap();
            }
            let names = Names {
                person: &|it| format!("p{}", it.0),
                chat: &|it| format!("c{}", it.0),
                digest: &|it| format!("{} bytes", it.len()),
            };
            gather(&ledger, sought, names).await.unwrap()
        })
    }

    fn of(whose: Whose) -> Sought {
        Sought { whose, from: Timestamp(100), until: Timestamp(200), with_texts: false }
    }

    #[test]
    fn the_turns_of_one_person_within_the_time_are_found_and_no_others() {
        let turns = [
            turn(1, 1, 99, AnswerKind::Model),
            turn(2, 1, 150, AnswerKind::Refusal),
            turn(3, 2, 150, AnswerKind::Model),
            turn(4, 1, 120, AnswerKind::Model),
            turn(5, 1, 201, AnswerKind::Model),
        ];
        let found = found(&turns, &of(Whose::Person("p1".to_owned())));
        let seen: Vec<_> = found.turns.iter().map(|it| (it.at.0, it.outcome.unwrap())).collect();
        assert_eq!(seen, [(120, Outcome::Answered), (150, Outcome::Refused)]);
        assert_eq!((found.appends, found.complete, found.unreadable), (5, true, 0));
        let first = &found.turns[0];
        assert_eq!((first.cost_micros, first.attempts, first.ready_ms), (5, 1, Some(40)));
        assert_eq!(first.person.as_deref(), Some("p1"));
        assert!(first.digest.ends_with(" bytes"), "{first:?}");
        assert!(found.shown.is_empty());
        assert!(!serde_json::to_string(&found).unwrap().contains(SECRET));
    }

    #[test]
    fn texts_are_there_only_where_they_are_asked_for_and_then_it_is_said_whose_they_are() {
        let turns = [turn(1, 1, 150, AnswerKind::Refusal), turn(2, 2, 150, AnswerKind::Model)];
        let sought = Sought { with_texts: true, ..of(Whose::Person("p1".to_owned())) };
        let found = found(&turns, &sought);
        assert_eq!(found.shown, BTreeSet::from([PersonId(1)]));
        let texts = found.turns[0].texts.clone().unwrap();
        assert_eq!(texts.stopped, [SECRET]);
        assert_eq!(texts.answered.unwrap(), format!("answer {SECRET}"));
    }

    #[test]
    fn what_failed_is_found_whoever_asked_and_of_nobody_there_is_nothing() {
        let mut retried = turn(3, 3, 160, AnswerKind::Model);
        retried.insert(0, Event::TurnRetried { update: UpdateId(3), attempt: 2 });
        let turns =
            [turn(1, 1, 150, AnswerKind::Model), turn(2, 2, 151, AnswerKind::Apology), retried];
        let failed = found(&turns, &of(Whose::Failing));
        let people: Vec<_> = failed.turns.iter().filter_map(|it| it.person.clone()).collect();
        assert_eq!(people, ["p2", "p3"]);
        assert_eq!(failed.turns[1].attempts, 2);
        assert!(found(&turns, &of(Whose::Nobody)).turns.is_empty());
    }

    #[test]
    fn what_has_not_ended_is_counted_where_nothing_says_when_it_began() {
        let mut open = turn(1, 1, 150, AnswerKind::Model);
        open.truncate(3);
        let dated = found(&[open.clone()], &of(Whose::Person("p1".to_owned())));
        assert_eq!((dated.turns.len(), dated.turns[0].outcome), (1, None));
        open.truncate(2);
        let undated = found(&[open], &of(Whose::Person("p1".to_owned())));
        assert_eq!((undated.turns.len(), undated.unfinished), (0, 0), "a group's: nobody's yet");
    }
}
