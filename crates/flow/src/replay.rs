//! Tries rules on the past: what would they have stopped?
//!
//! Looks at what the guard let pass and nothing else: the questions that went to a model, as they
//! passed, and the answers that were fixed; and at what was marked as a false alarm, which no rule
//! should stop. What else was refused needs no further rule. A question that
//! was quoted along with another is not in the ledger and is not looked at, nor is an answer whose
//! question is older than the time asked for. No text leaves this file unless the caller keeps
//! texts.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt as _, future::LocalBoxFuture};
use protocol::{
    AgentName, Language, SessionKey, Timestamp, UpdateId,
    event::{Answer, AnswerKind, Event},
    ledger::{Ledger, LedgerError, PastFrom},
};
use screening::{Action, Direction, Trial};
use serde::{Deserialize, Serialize};

use crate::{
    alarm::{self, Alarms, Regression},
    rulebook::{Rulebook, Which},
    session::reference_of,
    wiring::Wiring,
    words::{self, Text},
};

/// Days that are looked back over where nobody says how many.
pub const DAYS_USUAL: u32 = 7;
/// Days that may be looked back over.
pub const DAYS_MAX: u32 = 30;
/// Texts of one replay. A longer past is looked at from its beginning, and the report says so.
const TEXTS_MAX: u64 = 200_000;
/// Texts in which something was found that a report names one by one.
const FOUND_MAX: usize = 100;
/// The longest reason for not trying a rule in a chat, in characters.
const REASON_CHARS_MAX: usize = 1_000;

/// What rules would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The days that were looked back over.
    pub days: u32,
    /// Texts that were looked at.
    pub texts: u64,
    /// False if there were more texts than one replay looks at.
    pub complete: bool,
    /// Appends of the ledger that could not be read as events.
    pub unreadable: u64,
    /// Texts that at least one rule would have refused or redacted.
    pub stopped: u64,
    /// The rules that were tried.
    pub rules: Vec<String>,
    /// One row for each rule, agent and direction in which something was found.
    pub rows: Vec<Row>,
    /// The first texts in which something was found.
    pub found: Vec<Found>,
    /// Turns marked as false alarms that the rules would stop: whatever stops them is too strict.
    #[serde(default)]
    pub false_alarms: Vec<String>,
}

/// What one rule would have done to the texts of one agent in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The rule.
    pub rule: String,
    /// The agent.
    pub agent: String,
    /// `in` for questions, `out` for answers.
    pub direction: String,
    /// Texts of this agent and direction that were looked at.
    pub texts: u64,
    /// Of these, how many would have been flagged.
    pub flag: u64,
    /// Redacted.
    pub redact: u64,
    /// Refused.
    pub refuse: u64,
}

/// A text in which something was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The id under which the turn can be searched for.
    pub trace: String,
    /// The rule.
    pub rule: String,
    /// The agent.
    pub agent: String,
    /// `in` for questions, `out` for answers.
    pub direction: String,
    /// What the rule would have done.
    pub action: Action,
    /// The text, where the caller keeps texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// How to look back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many days.
    pub days: u32,
    /// The time now.
    pub now: Timestamp,
    /// Keep the texts in which something was found.
    pub keep_texts: bool,
}

/// Reads the past and tries rules on it. Waits after every page, so that others have their turn.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn replay(
    ledger: &dyn Ledger,
    trial: Trial,
    window: Window,
) -> Result<Report, LedgerError> {
    let span = Duration::from_secs(86_400).saturating_mul(window.days);
    let span_ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut from = PastFrom::Time(Timestamp(window.now.0.saturating_sub(span_ms)));
    let mut replay = Replay::new(trial, window);
    loop {
        let page = ledger.past(from).await?;
        for (key, events) in &page.events {
            replay.take(*key, events);
        }
        match page.next {
            Some(next) if !replay.is_full() => from = PastFrom::Bookmark(next),
            next => return Ok(replay.report(next.is_none())),
        }
    }
}

/// Row keys: rule, agent, direction.
type Counts = BTreeMap<(String, String, &'static str), [u64; 3]>;

/// What was counted so far.
struct Replay {
    trial: Trial,
    keep_texts: bool,
    /// Who answers the questions that are open, at this place of the past.
    open: HashMap<(SessionKey, UpdateId), AgentName>,
    looked_at: BTreeMap<(String, &'static str), u64>,
    counts: Counts,
    report: Report,
}

impl Replay {
    fn new(trial: Trial, window: Window) -> Self {
        let rules = trial.names().map(str::to_owned).collect();
        Self {
            trial,
            keep_texts: window.keep_texts,
            open: HashMap::new(),
            looked_at: BTreeMap::new(),
            counts: Counts::new(),
            report: Report { days: window.days, rules, ..Report::default() },
        }
    }

    fn is_full(&self) -> bool {
        TEXTS_MAX <= self.report.texts
    }

    fn take(&mut self, key: SessionKey, events: &[u8]) {
        let Ok(events) = serde_json::from_slice::<Vec<Event>>(events) else {
            self.report.unreadable += 1;
            return;
        };
        for event in events {
            match event {
                Event::CompletionStarted { update, agent, asked, .. } => {
                    // A second attempt at the same question is the same text.
                    if self.open.insert((key, update), agent.clone()).is_none() {
                        self.judge(key, update, Direction::In, &agent, &asked);
                    }
                }
                Event::AnswerReady { update, answer } => self.answered(key, update, &answer),
                Event::TurnClosed { update, .. } => {
                    self.open.remove(&(key, update));
                }
                Event::TurnRetried { .. }
                | Event::RecordingHeard { .. }
                | Event::PromptJudged { .. }
                | Event::DraftReceived { .. }
                | Event::DraftJudged { .. }
                | Event::TextHeldBack { .. }
                | Event::CourseNoted { .. }
                | Event::PartSent { .. }
                | Event::AgentSwitched { .. }
                | Event::HistoryReset { .. }
                | Event::SummaryWritten { .. }
                | Event::FactRemembered { .. }
                | Event::FactForgotten { .. }
                | Event::Tools { .. }
                | Event::QuestionHeld { .. }
                | Event::NoticeAccepted { .. }
                | Event::LanguageChosen { .. }
                | Event::QuestionTaken { .. }
                | Event::AnswerShaped { .. }
                | Event::DraftShown { .. }
                | Event::BotsTalked { .. }
                | Event::NoticeShown => (),
            }
        }
    }

    fn answered(&mut self, key: SessionKey, update: UpdateId, answer: &Answer) {
        if answer.kind != AnswerKind::Model {
            return;
        }
        let Some(agent) = self.open.get(&(key, update)).cloned() else { return };
        let parts = || answer.parts.iter().map(|it| it.plain.as_str()).collect::<String>();
        let text = answer.answered.clone().unwrap_or_else(parts);
        self.judge(key, update, Direction::Out, &agent, &text);
    }

    fn judge(
        &mut self,
        key: SessionKey,
        update: UpdateId,
        direction: Direction,
        agent: &AgentName,
        text: &str,
    ) {
        let way = match direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        let name = agent.as_str().to_owned();
        self.report.texts += 1;
        *self.looked_at.entry((name.clone(), way)).or_default() += 1;
        let hits = self.trial.hits(text, direction, Some(agent.as_str()));
        self.report.stopped += u64::from(hits.iter().any(|it| it.action != Action::Flag));
        for hit in hits {
            let row = (hit.rule.to_string(), name.clone(), way);
            let [flag, redact, refuse] = self.counts.entry(row).or_default();
            *match hit.action {
                Action::Flag => flag,
                Action::Redact => redact,
                Action::Refuse => refuse,
            } += 1;
            if self.report.found.len() < FOUND_MAX {
                self.report.found.push(Found {
                    trace: reference_of(key, update).to_string(),
                    rule: hit.rule.to_string(),
                    agent: name.clone(),
                    direction: way.to_owned(),
                    action: hit.action,
                    text: self.keep_texts.then(|| text.to_owned()),
                });
            }
        }
    }

    fn report(mut self, complete: bool) -> Report {
        let rows = self.counts.into_iter().map(|((rule, agent, way), [flag, redact, refuse])| {
            let texts = self.looked_at.get(&(agent.clone(), way)).copied().unwrap_or_default();
            Row { rule, agent, direction: way.to_owned(), texts, flag, redact, refuse }
        });
        self.report.rows = rows.collect();
        self.report.complete = complete;
        self.report
    }
}

impl Report {
    /// The report as a person reads it: counts, and the ids of turns; never a text.
    #[must_use]
    pub fn words(&self) -> String {
        words::tried(self).in_language(Language::English)
    }
}

/// Tries a rule on some days and puts the outcome into words.
pub type RuleTrier = Rc<dyn Fn(String, u32) -> LocalBoxFuture<'static, Text>>;

/// Makes the function that answers `/rule test`.
pub(crate) fn trier(wiring: &Wiring) -> RuleTrier {
    let (ledger, clock) = (Arc::clone(&wiring.ledger), Arc::clone(&wiring.clock));
    let (book, rules) = (Arc::clone(&wiring.rulebook), Arc::clone(&wiring.rules));
    let hall = Arc::clone(&wiring.hall);
    Rc::new(move |name, days| {
        let (ledger, book, clock) = (Arc::clone(&ledger), Arc::clone(&book), Arc::clone(&clock));
        let own = rules.load().own.clone();
        let marked = hall.load().alarms().clone();
        async move {
            let window = Window { days, now: clock.now(), keep_texts: false };
            match tried(&*ledger, book, Which::Named(name), own, &marked, window).await {
                Ok(report) => words::tried(&report),
                Err(why) => {
                    words::not_tried(why.chars().take(REASON_CHARS_MAX).collect::<String>())
                }
            }
        }
        .boxed_local()
    })
}

/// Compiles rules and tries them on the past.
///
/// # Errors
/// Why they cannot be tried, in words.
pub async fn tried(
    ledger: &dyn Ledger,
    book: Arc<dyn Rulebook>,
    which: Which,
    own: Vec<screening::OwnRule>,
    marked: &Alarms,
    window: Window,
) -> Result<Report, String> {
    let compiled = tokio::task::spawn_blocking(move || book.trial(which, &own));
    let trial = compiled.await.map_err(|error| format!("the rule cannot be tried: {error}"))??;
    let unreadable = |error| format!("the past cannot be read: {error}");
    let stopped = |it: &Regression, text: &str| {
        let direction = if it.of_answer { Direction::Out } else { Direction::In };
        let hits = trial.hits(text, direction, Some(it.agent.as_str()));
        hits.iter().any(|hit| hit.action == Action::Refuse)
    };
    let texts = alarm::regressions(ledger, marked).await.map_err(unreadable)?;
    let texts = texts.iter().filter(|it| it.texts.iter().any(|text| stopped(it, text)));
    let false_alarms = texts.map(|it| it.trace.clone()).collect();
    let report = replay(ledger, trial, window).await.map_err(unreadable)?;
    Ok(Report { false_alarms, ..report })
}

#[cfg(test)]
mod tests {
    use protocol::{
        BotId, ChatId,
        event::{Outcome, Part},
    };
    use screening::{Level, Mode, OwnRule};

    use super::*;
    use crate::testing::{FakeLedger, local};
    use protocol::ledger::{Append, Owned, Seq, Stream};

    const KEY: SessionKey = SessionKey { bot: BotId(9), chat: ChatId(2), topic: None };

    fn own(name: &str, action: Action, pattern: &str) -> OwnRule {
        OwnRule { name: name.to_owned(), action, pattern: pattern.to_owned(), mode: Mode::Test }
    }

    fn turn(update: i64, asked: &str, kind: AnswerKind, answered: &str) -> Vec<Vec<Event>> {
        let update = UpdateId(update);
        let started = Event::CompletionStarted {
            update,
            agent: "sage".parse().unwrap(),
            asked: asked.to_owned(),
            replaces: false,
            reserved: 0,
            tainted: false,
        };
        let answer = Answer {
            kind,
            parts: vec![Part::plain(answered)],
            reply_to: None,
            answered: None,
            reference: None,
        };
        let ready = Event::AnswerReady { update, answer };
        let closed = Event::TurnClosed { update, outcome: Outcome::Answered };
        // Asked twice: a crash came between.
        vec![vec![started.clone()], vec![started], vec![ready], vec![closed]]
    }

    fn replayed(turns: &[Vec<Vec<Event>>], keep_texts: bool) -> Report {
        let ledger = FakeLedger::default();
        let rules =
            [own("aurora", Action::Refuse, "(?i)aurora"), own("note", Action::Flag, "borealis")];
        let trial = Trial::new(Level::Medium, &[], &rules).unwrap();
        local(async {
            for (at, events) in turns.iter().flatten().enumerate() {
                let append = Append {
                    stream: Stream::Session(KEY),
                    expected: Seq(at as u64),
                    events: vec![Owned::by(KEY.owner(None), serde_json::to_vec(events).unwrap())],
                    closes: vec![],
                };
                ledger.append(append).await.unwrap();
            }
            let window = Window { days: 7, now: Timestamp(1_000), keep_texts };
            replay(&ledger, trial, window).await.unwrap()
        })
    }

    fn past() -> Vec<Vec<Vec<Event>>> {
        vec![
            turn(1, "What is Aurora?", AnswerKind::Model, "Aurora is a dawn."),
            turn(2, "And borealis?", AnswerKind::Model, "A wind, not aurora."),
            turn(3, "Hello", AnswerKind::Model, "Hello!"),
            turn(4, "Fail", AnswerKind::Apology, "Sorry: aurora"),
        ]
    }

    #[test]
    fn a_replay_counts_what_would_have_been_stopped_by_rule_agent_and_direction() {
        let report = replayed(&past(), false);
        assert!(report.complete);
        assert_eq!((report.texts, report.stopped), (7, 3), "an apology is our own text");
        let rows: Vec<_> =
            report.rows.iter().map(|it| serde_json::to_string(it).unwrap()).collect();
        assert_eq!(
            rows,
            [
                r#"{"rule":"aurora","agent":"sage","direction":"in","texts":4,"flag":0,"redact":0,"refuse":1}"#,
                r#"{"rule":"aurora","agent":"sage","direction":"out","texts":3,"flag":0,"redact":0,"refuse":2}"#,
                r#"{"rule":"note","agent":"sage","direction":"in","texts":4,"flag":1,"redact":0,"refuse":0}"#,
            ]
        );
        let trace = reference_of(KEY, UpdateId(1)).to_string();
        assert_eq!(report.found[0].trace, trace);
        let words = report.words();
        assert!(words.contains("of 7 texts that passed, 3 would have been stopped"), "{words}");
        assert!(words.contains(&trace), "{words}");
        assert!(words.contains("• aurora, answers of sage: 2 of 3 (2 refused"), "{words}");
    }

    #[test]
    fn no_text_is_in_a_report_unless_the_caller_keeps_texts() {
        let report = replayed(&past(), false);
        let text = serde_json::to_string(&report).unwrap() + &report.words();
        assert!(!text.contains("What is") && !text.contains("dawn"), "{text}");
        let report = replayed(&past(), true);
        assert_eq!(report.found[0].text.as_deref(), Some("What is Aurora?"));
        assert!(!report.words().contains("What is"), "and never in words");
    }
}
