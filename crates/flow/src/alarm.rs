//! False alarms: what the guard stopped and an admin says should have passed.
//!
//! A text that was stopped stays in its conversation's stream, sealed like everything else in it. A
//! mark is an entry of the hall's stream: where that text is, and keyed digests of it. So whoever
//! erases a conversation erases the text, and the mark tells nobody what was said.
//!
//! What a mark does: the very same question passes from then on (an answer never does: its leak
//! would be as real the next time), and rules can be checked against everything that was marked.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use futures::{FutureExt as _, future::LocalBoxFuture};
use protocol::{
    AgentName, BotId, ChatId, RefId, SessionKey, Timestamp, TopicId, UpdateId,
    event::{Event, HeldText, Judged},
    ledger::{Ledger, LedgerError},
};
use serde::{Deserialize, Serialize};

use crate::{roster::AdministerError, session::reference_of, trace::look_back, wiring::Wiring};

/// The most marks at a time.
pub const ALARMS_MAX: usize = 500;
/// Longer questions and answers are not kept for an admin's judgement, in characters.
pub const HELD_CHARS_MAX: usize = 8_000;
/// What Telegram takes as a button's data.
const DATA_BYTES_MAX: usize = 64;
/// The base of the numbers in a button's data: it must fit.
const BASE: u32 = 36;

/// Where a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// In which conversation.
    pub key: SessionKey,
    /// Which update.
    pub update: UpdateId,
    /// When that came.
    pub arrived: Timestamp,
}

/// What a button under a refusal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Show the question.
    Show,
    /// Mark the refused question as a false alarm.
    MarkQuestion,
    /// Mark the refused answer as a false alarm.
    MarkAnswer,
}

impl Ask {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Show, "fs:"), (Self::MarkQuestion, "fi:"), (Self::MarkAnswer, "fo:")];

    /// What the button for it carries. `None` if that would be longer than Telegram takes.
    #[must_use]
    pub fn data(self, at: Pointer) -> Option<String> {
        let (_, prefix) = Self::ALL.into_iter().find(|(ask, _)| *ask == self)?;
        let data = format!("{prefix}{}", at.write());
        (data.len() <= DATA_BYTES_MAX).then_some(data)
    }

    /// Reads what a button carries. Comes from outside: it says where to look, and gives no right.
    #[must_use]
    pub fn read(data: &str) -> Option<(Self, Pointer)> {
        let (ask, prefix) = Self::ALL.into_iter().find(|(_, it)| data.starts_with(it))?;
        Some((ask, Pointer::read(data.strip_prefix(prefix)?)?))
    }
}

impl Pointer {
    fn write(&self) -> String {
        let topic = self.key.topic.map(|it| number(it.0)).unwrap_or_default();
        let arrived = i64::try_from(self.arrived.0).unwrap_or(i64::MAX);
        let numbers = [self.key.bot.0, self.key.chat.0, self.update.0, arrived].map(number);
        let [bot, chat, update, arrived] = numbers;
        format!("{bot}.{chat}.{topic}.{update}.{arrived}")
    }

    fn read(text: &str) -> Option<Self> {
        let mut fields = text.split('.');
        let mut next = || fields.next();
        let read = |field: &str| i64::from_str_radix(field, BASE).ok();
        let (bot, chat, topic) = (read(next()?)?, read(next()?)?, next()?);
        let topic = if topic.is_empty() { None } else { Some(TopicId(read(topic)?)) };
        let (update, arrived) = (read(next()?)?, read(next()?)?);
        let key = SessionKey { bot: BotId(bot), chat: ChatId(chat), topic };
        let arrived = Timestamp(u64::try_from(arrived).ok()?);
        fields.next().is_none().then_some(Self { key, update: UpdateId(update), arrived })
    }
}

fn number(value: i64) -> String {
    let mut rest = value.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(rest % u64::from(BASE)).unwrap_or_default();
        digits.extend(char::from_digit(digit, BASE));
        rest /= u64::from(BASE);
        if rest == 0 {
            break;
        }
    }
    digits.extend((value < 0).then_some('-'));
    digits.iter().rev().collect()
}

/// A text that the guard stopped, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// The texts that were judged together.
    pub held: HeldText,
    /// What was found.
    pub judged: Judged,
}

/// What of a refusal is kept for an admin's judgement: `None` if it is too long, or if the guard
/// found nothing and only could not judge.
#[must_use]
pub(crate) fn keep(
    of_answer: bool,
    agent: &AgentName,
    texts: Vec<String>,
    judged: &Judged,
) -> Option<HeldText> {
    let chars: usize = texts.iter().map(|it| it.chars().count()).sum();
    let is_kept = !judged.kinds.is_empty() && chars <= HELD_CHARS_MAX;
    is_kept.then(|| HeldText { of_answer, agent: agent.clone(), texts })
}

/// Finds the text that was stopped in a turn. `None` if there is none, or it was erased.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn find_held_back(
    ledger: &dyn Ledger,
    at: Pointer,
) -> Result<Option<HeldBack>, LedgerError> {
    let (mut last, mut found) = (Judged::default(), None);
    look_back(ledger, at.key, at.arrived, |event| {
        match event {
            Event::PromptJudged { update, judged } | Event::DraftJudged { update, judged }
                if update == at.update =>
            {
                last = judged;
            }
            Event::TextHeldBack { update, held } if update == at.update => {
                found = Some(HeldBack { held, judged: last.clone() });
            }
            Event::PromptJudged { .. }
            | Event::DraftJudged { .. }
            | Event::TextHeldBack { .. }
            | Event::TurnRetried { .. }
            | Event::RecordingHeard { .. }
            | Event::CompletionStarted { .. }
            | Event::DraftReceived { .. }
            | Event::CourseNoted { .. }
            | Event::AnswerReady { .. }
            | Event::PartSent { .. }
            | Event::TurnClosed { .. }
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
        found.is_some()
    })
    .await?;
    Ok(found)
}

/// A text that no rule should stop: of the local regression set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// The id under which the turn can be searched for.
    pub trace: String,
    /// It is an answer, not a question.
    pub of_answer: bool,
    /// Who was asked.
    pub agent: AgentName,
    /// The kinds of what was found.
    pub kinds: Vec<String>,
    /// The rules that fired.
    pub rules: Vec<String>,
    /// The texts that were judged together.
    pub texts: Vec<String>,
}

/// The local regression set: what is marked, with the texts, as far as they are still there.
///
/// # Errors
/// If the ledger cannot be read.
pub async fn regressions(
    ledger: &dyn Ledger,
    marked: &Alarms,
) -> Result<Vec<Regression>, LedgerError> {
    let mut set = Vec::new();
    for alarm in marked.each() {
        let Some(found) = find_held_back(ledger, alarm.at).await? else { continue };
        let (kinds, rules) = (alarm.kinds.clone(), alarm.rules.clone());
        let (trace, agent) = (alarm.reference().to_string(), alarm.agent.clone());
        let (of_answer, texts) = (alarm.of_answer, found.held.texts);
        set.push(Regression { trace, of_answer, agent, kinds, rules, texts });
    }
    Ok(set)
}

/// A keyed digest of a text: tells whether two texts are equal and nothing else.
pub type Digest = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Finds a text that was stopped, for a session.
pub type Finder =
    Rc<dyn Fn(Pointer) -> LocalBoxFuture<'static, Result<Option<HeldBack>, LedgerError>>>;

/// Makes the function that finds texts that were stopped.
pub(crate) fn finder(wiring: &Wiring) -> Finder {
    let ledger = Arc::clone(&wiring.ledger);
    Rc::new(move |at| {
        let ledger = Arc::clone(&ledger);
        async move { find_held_back(&*ledger, at).await }.boxed_local()
    })
}

/// A refusal that an admin says was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Where the text is.
    pub at: Pointer,
    /// An answer was held back, not a question.
    pub of_answer: bool,
    /// Who was asked.
    pub agent: AgentName,
    /// The kinds of what was found.
    pub kinds: Vec<String>,
    /// The rules that fired.
    pub rules: Vec<String>,
    /// Keyed digests of the texts.
    pub digests: Vec<String>,
}

impl Alarm {
    /// A mark on what was stopped.
    #[must_use]
    pub fn of(at: Pointer, held_back: HeldBack, digest: &dyn Fn(&str) -> String) -> Self {
        let HeldBack { held, judged } = held_back;
        let digests = held.texts.iter().map(|it| digest(it)).collect();
        let (kinds, rules) = (judged.kinds, judged.rules);
        Self { at, of_answer: held.of_answer, agent: held.agent, kinds, rules, digests }
    }

    /// What people call it.
    #[must_use]
    pub fn reference(&self) -> RefId {
        reference_of(self.at.key, self.at.update)
    }
}

/// What an admin can do about false alarms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "alarm_change", rename_all = "snake_case")]
pub enum AlarmChange {
    /// Mark one.
    Marked {
        /// Which.
        alarm: Alarm,
    },
    /// Take a mark away.
    Unmarked {
        /// Which.
        reference: RefId,
    },
}

impl AlarmChange {
    /// The reference of the refusal that it is about.
    #[must_use]
    pub fn reference(&self) -> RefId {
        match self {
            Self::Marked { alarm } => alarm.reference(),
            Self::Unmarked { reference } => *reference,
        }
    }

    /// What it does, in a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Marked { .. } => "marked",
            Self::Unmarked { .. } => "unmarked",
        }
    }
}

/// Everything that is marked, by reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alarms(BTreeMap<u32, Arc<Alarm>>);

impl Alarms {
    /// Each of them.
    pub fn each(&self) -> impl Iterator<Item = &Arc<Alarm>> {
        self.0.values()
    }

    /// True if a question with this digest was marked.
    #[must_use]
    pub fn has_question(&self, digest: impl FnOnce() -> String) -> bool {
        // Most halls have no marks, and a digest costs more than to know that.
        if self.0.is_empty() {
            return false;
        }
        let digest = digest();
        self.each().any(|it| !it.of_answer && it.digests.contains(&digest))
    }

    pub(crate) fn check(&self, change: &AlarmChange) -> Result<(), AdministerError> {
        match change {
            AlarmChange::Marked { alarm } if self.0.contains_key(&alarm.reference().0) => {
                Err(AdministerError::AlarmKnown(alarm.reference()))
            }
            AlarmChange::Marked { .. } if ALARMS_MAX <= self.0.len() => {
                Err(AdministerError::TooManyAlarms(ALARMS_MAX))
            }
            AlarmChange::Unmarked { reference } if !self.0.contains_key(&reference.0) => {
                Err(AdministerError::NoSuchAlarm(*reference))
            }
            AlarmChange::Marked { .. } | AlarmChange::Unmarked { .. } => Ok(()),
        }
    }

    pub(crate) fn apply(&mut self, change: AlarmChange) {
        match change {
            AlarmChange::Marked { alarm } => {
                self.0.insert(alarm.reference().0, Arc::new(alarm));
            }
            AlarmChange::Unmarked { reference } => {
                self.0.remove(&reference.0);
            }
        }
    }
}

/// A refusal, as the admins are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where it is.
    pub at: Pointer,
    /// An answer was held back, not a question.
    pub of_answer: bool,
    /// Who was asked.
    pub agent: AgentName,
    /// What the guard said.
    pub judged: Judged,
    /// Its text was kept, so that it can be looked at and marked.
    pub is_kept: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(chat: i64, topic: Option<i64>) -> Pointer {
        let key =
            SessionKey { bot: BotId(7_123_456_789), chat: ChatId(chat), topic: topic.map(TopicId) };
        Pointer { key, update: UpdateId(987_654_321), arrived: Timestamp(1_795_000_000_123) }
    }

    #[test]
    fn a_button_says_where_to_look_in_64_bytes() {
        for (chat, topic) in
            [(7_999_999_999, None), (-1_009_999_999_999, Some(2_147_483_647)), (0, Some(0))]
        {
            let at = pointer(chat, topic);
            for ask in [Ask::Show, Ask::MarkQuestion, Ask::MarkAnswer] {
                let data = ask.data(at).unwrap();
                assert!(data.len() <= DATA_BYTES_MAX, "{data}");
                assert_eq!(Ask::read(&data), Some((ask, at)));
            }
        }
        let far = pointer(i64::MIN, Some(i64::MIN));
        let key = SessionKey { bot: BotId(i64::MIN), ..far.key };
        let far = Pointer { key, update: UpdateId(i64::MIN), ..far };
        assert_eq!(Ask::Show.data(far), None, "it would not fit");
    }

    #[test]
    fn a_forged_button_leads_nowhere() {
        for data in ["fi:", "fi:1", "fi:1.2.3.4", "fi:1.2..4.5.6", "fi:1.2.!.4.5", "fx:1.2..4.5"] {
            assert_eq!(Ask::read(data), None, "{data}");
        }
        assert_eq!(Ask::read("fi:1.2..4.-5"), None, "a time before all times");
    }

    fn marked(update: i64, of_answer: bool) -> AlarmChange {
        let at = Pointer { update: UpdateId(update), ..pointer(2, None) };
        let held = HeldText {
            of_answer,
            agent: "sage".parse().unwrap(),
            texts: vec![format!("text {update}")],
        };
        let held_back = HeldBack { held, judged: Judged::default() };
        AlarmChange::Marked { alarm: Alarm::of(at, held_back, &|text| format!("<{text}>")) }
    }

    #[test]
    fn a_mark_is_made_once_lets_the_same_question_pass_and_can_be_taken_away() {
        let mut alarms = Alarms::default();
        let reference = reference_of(pointer(2, None).key, UpdateId(1));
        assert_eq!(alarms.check(&marked(1, false)), Ok(()));
        alarms.apply(marked(1, false));
        alarms.apply(marked(2, true));
        assert_eq!(alarms.check(&marked(1, false)), Err(AdministerError::AlarmKnown(reference)));
        let passes = |alarms: &Alarms, text: &str| alarms.has_question(|| format!("<{text}>"));
        assert!(passes(&alarms, "text 1"));
        assert!(!passes(&alarms, "text 1 and more"));
        assert!(!passes(&alarms, "text 2"), "an answer never passes for having been marked");
        let unmarked = AlarmChange::Unmarked { reference };
        assert_eq!(alarms.check(&unmarked), Ok(()));
        alarms.apply(unmarked.clone());
        assert!(!passes(&alarms, "text 1"));
        assert_eq!(alarms.check(&unmarked), Err(AdministerError::NoSuchAlarm(reference)));
    }

    #[test]
    fn there_are_at_most_so_many_marks() {
        let mut alarms = Alarms::default();
        (0..500).for_each(|update| alarms.apply(marked(update, false)));
        let more = alarms.check(&marked(500, false));
        assert_eq!(more, Err(AdministerError::TooManyAlarms(ALARMS_MAX)));
    }

    #[test]
    fn a_stored_mark_reads_back_as_it_was_and_holds_no_text() {
        let change = crate::roster::Change::Alarmed(marked(1, false));
        let text = serde_json::to_string(&change).unwrap();
        assert!(!text.contains("\"text 1\""), "{text}");
        assert_eq!(serde_json::from_str::<crate::roster::Change>(&text).unwrap(), change);
    }
}
