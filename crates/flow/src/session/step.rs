//! The order of a turn: one pure function from what happened to what is to be done.
//!
//! A session has two lanes. In the first, questions are answered one after the other in the order
//! of their arrival. In the second, commands that need no agent (`/cancel`, `/status`, …) are
//! answered at once, also while an agent is busy.

mod answer;
mod arrive;
mod aside;
mod bots;
mod files;
mod gather;
mod memory;
mod shape;
mod stream;
mod tools;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use protocol::{
    Agent, AgentName, Language, MessageId, PersonId, RefId, SessionKey, Timestamp, UpdateId,
    audit::Doer,
    company::BotCut,
    event::{Aside, Course, Event, Judged, Outcome, Part},
    inbound::{FileRef, Inbound},
    ledger::LedgerError,
    memory::Fact,
    messenger::{MessengerError, Typeset},
    model::{Completion, Image},
};

use screening::Placeholders;

pub use self::gather::HomeConfig;
pub use self::memory::{DigestId, Lesson, MemoryConfig, Search};
pub use self::stream::Show;
pub use self::tools::{ToolEffect, ToolInput, ToolLimits};
use self::{
    files::Came,
    gather::Heard,
    memory::{Digesting, Proposing, Telling},
    stream::{Seen, Stream},
    tools::Working,
};
use super::{
    hands::Rack,
    papers::PaperWish,
    state::{Exchange, HistoryLimits, State},
};
use crate::{
    alarm::{HeldBack, Pointer, Refusal},
    alerter,
    broker::Unanswered,
    chain::Chain,
    context::{Bench, Digestion, Recollection},
    export::ExportError,
    guard::{Cleared, Draft, Prompt, Verdict},
    outbox::Sayable,
    papers::{Keeping, NewPaper, PaperLimits},
    request::{Arrangement, House, Look, PanelPress, Request, UsageOf},
    right::{Governing, Granted, Operating, Order},
    roster::{AdministerError, View},
    senses::{NotSensed, Sensed},
    timekeeper,
    trace::{Sought, Trace},
    treasurer::{Warning, books::Payer},
    words::{self, Notice, Text},
};

/// Limits of one session.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// How much of the conversation is kept word for word.
    pub history: HistoryLimits,
    /// What is remembered beside it.
    pub memory: MemoryConfig,
    /// How agents work with tools.
    pub tools: ToolLimits,
    /// How much is kept of the files that a person brings.
    pub papers: PaperLimits,
    /// Questions that may wait while one is being answered. More are turned away.
    pub backlog_max: usize,
    /// Attempts to handle an update before it is set aside.
    pub attempts_max: u32,
    /// How long a turn may take before we apologise. Zero: no limit.
    pub turn_time_max: Duration,
    /// How often a writing agent shows that it is at work.
    pub tick: Duration,
    /// The longest answer we ask for, in tokens.
    pub answer_tokens_max: u32,
    /// Idle sessions leave memory after this time.
    pub rest_after: Duration,
    /// Turns a model's Markdown into messages.
    pub typeset: Typeset,
    /// What the fixed answers need to know.
    pub house: House,
    /// How questions come together and answers are parted.
    pub home: HomeConfig,
}

/// An update pulled from the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id: the turn's name from here on.
    pub update: UpdateId,
    /// When it arrived.
    pub at: Timestamp,
    /// What it says; `None` if it cannot be read.
    pub inbound: Option<Inbound>,
    /// What errors about it are called.
    pub reference: RefId,
    /// What its person is spoken to in private, where that is known.
    pub own: Option<Language>,
}

impl Entry {
    /// Who wrote it, in a group: in a private chat everything is its person's.
    #[must_use]
    pub fn author(&self, key: SessionKey) -> Option<PersonId> {
        self.inbound.as_ref().and_then(Inbound::person).filter(|_| !key.is_private())
    }
}

/// What a session can be told.
#[derive(Debug)]
pub enum Input {
    /// Updates were pulled from the ledger. After a crash the first of each lane was in hand.
    Arrived {
        /// In order of arrival.
        entries: Vec<Entry>,
        /// True for what waited when the last incarnation failed.
        recovered: bool,
        /// The time, for rights that end.
        now: Timestamp,
    },
    /// The privacy notice was accepted by the chat service, or not.
    NoticeShown(UpdateId, Result<MessageId, NotDelivered>),
    /// A file that came with a question was taken in, or not.
    TakenIn(UpdateId, Result<Sensed, NotSensed>),
    /// What a file says is kept, or is not.
    PaperKept(UpdateId, Keeping),
    /// The guard judged the prompt.
    /// With it comes what was hidden in it.
    PromptJudged(UpdateId, Verdict<Prompt>, Placeholders),
    /// The model answered, or could not.
    Completed(UpdateId, Result<Completion, Unanswered>),
    /// The guard judged the answer.
    DraftJudged(UpdateId, Verdict<Draft>),
    /// The guard judged an answer that was fixed before a crash.
    PartsJudged(UpdateId, Verdict<Vec<Cleared<Part>>>),
    /// A tick of a turn in which a model writes: what it wrote so far, if it is to be shown.
    Ticked(UpdateId, Option<String>),
    /// The guard judged what was written so far.
    PreviewJudged(UpdateId, Verdict<Draft>),
    /// The chat service accepted a part, or not.
    PartDelivered(UpdateId, u32, Result<MessageId, NotDelivered>),
    /// The roster carried out a change, or not.
    Administered(UpdateId, Result<(), AdministerError>),
    /// So many calls to models were made for a question, whose answer comes next.
    CallsCounted(UpdateId, u32),
    /// So much of what may be used is used up, with the answer that comes next.
    CapNeared(UpdateId, Warning),
    /// A text that was stopped was looked for, and found or not.
    HeldBackFound(UpdateId, Result<Option<Box<HeldBack>>, LedgerError>),
    /// A turn was looked for, and found or not.
    Traced(UpdateId, Result<Option<Box<Trace>>, LedgerError>),
    /// `/status` or `/rule test`, in words.
    StatusComposed(UpdateId, Text),
    /// The guard refused what somebody wanted to be reminded of.
    ReminderRefused(UpdateId, Box<(Prompt, Judged, AgentName)>),
    /// An officer's look, in words.
    Looked(UpdateId, Notice),
    /// What was pressed on the panel is done and shown; the panel anew where it could not be edited; and
    /// the actor that is to be made anew.
    PanelPressed(UpdateId, Option<Notice>, Option<String>),
    /// What is held of a person was sent to them, or could not be.
    Exported(UpdateId, Result<(), ExportError>),
    /// What was found that may help with a question; nothing where it took too long.
    Recalled(UpdateId, Vec<Recollection>),
    /// A model wrote a summary, or could not.
    Summarised(DigestId, Result<Completion, Unanswered>),
    /// The guard judged a summary.
    SummaryJudged(DigestId, Verdict<Draft>),
    /// Something about tools that an agent works with.
    Tool(UpdateId, ToolInput),
    /// The turn has taken longer than `turn_time_max`.
    TurnExpired(UpdateId),
    /// Nothing more came that belongs to the question.
    Gathered(UpdateId),
    /// The chat service accepted the message in which an answer is shown while it is written, or not.
    StreamBegun(UpdateId, Result<MessageId, NotDelivered>),
}

/// Why a part was not accepted for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDelivered {
    /// The bot may not write there any more, or the message is impossible.
    Undeliverable,
    /// The outbox failed while it had the part: nobody knows whether it was sent.
    Unknown,
}

impl From<&MessengerError> for NotDelivered {
    fn from(_: &MessengerError) -> Self {
        Self::Undeliverable
    }
}

/// A question for the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Who is asked.
    pub agent: Arc<Agent>,
    /// The conversation so far, as far as it is not summarised.
    pub history: Vec<Arc<Exchange>>,
    /// What is remembered, oldest first.
    pub facts: Vec<Fact>,
    /// What was said before `history`.
    pub summary: Option<String>,
    /// What was said long ago and may help.
    pub recalled: Vec<Recollection>,
    /// What the person wrote. Takes only screened text.
    pub prompt: Cleared<Prompt>,
    /// The tools that its model may call, and what came of them.
    pub bench: Option<Box<Bench>>,
    /// Pictures that came with it. What is written in them no guard has read.
    pub images: Vec<Image>,
}

/// What a session wants done. Carried out by the shell in this order; nothing after a `Record` is
/// begun before the record is durable.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Append events to the ledger and close updates, in one write.
    Record(Vec<Event>, Vec<UpdateId>),
    /// Append events with the next record, and go on meanwhile: nothing is lost if they are.
    Note(Vec<Event>),
    /// Ask the guard about a prompt.
    ScreenPrompt(UpdateId, Prompt, AgentName),
    /// Fetch a file that came with a question, and make something of it.
    TakeIn(UpdateId, Box<FileRef>, AgentName),
    /// Ask the broker.
    Complete(UpdateId, Question),
    /// Something about tools that an agent works with.
    Tool(UpdateId, ToolEffect),
    /// Tell the broker that nobody waits for the answer any more.
    Withdraw(UpdateId),
    /// Ask the guard about an answer.
    ScreenDraft(UpdateId, Draft, Arc<Agent>),
    /// Ask the guard about what was written so far.
    ScreenPreview(UpdateId, Draft, Arc<Agent>),
    /// Ask the guard about an answer fixed before a crash.
    ScreenParts(UpdateId, Vec<Part>),
    /// Show the privacy notice.
    ShowNotice(UpdateId, Notice),
    /// Send a part of an answer.
    Deliver {
        /// Of which turn.
        update: UpdateId,
        /// Its number.
        part: u32,
        /// The message.
        what: Sayable,
        /// What it answers, quoted.
        reply_to: Option<MessageId>,
    },
    /// Show what is being written.
    Preview(UpdateId, Cleared<Draft>),
    /// Show that an agent is typing.
    Typing,
    /// Show that there will be an answer, or how much of it there is.
    Show(Show),
    /// Tick again later.
    Tick(UpdateId),
    /// Say `Gathered` when nothing more can be expected.
    Gather(UpdateId),
    /// Say `Gathered` when those who were called before in the same message are done.
    TakeTurn(UpdateId, Vec<String>),
    /// Other bots are not answered any more until a person writes.
    CutBots(BotCut),
    /// Stop the spinner of a pressed button, and say something to its presser alone.
    AnswerPress(String, Option<Box<Notice>>),
    /// Ask the roster for a change.
    Administer(UpdateId, Order),
    /// Put the state of the hall into words.
    ComposeStatus(UpdateId, bool),
    /// Put the panel together.
    ComposePanel(UpdateId),
    /// Do what an officer pressed, and edit the panel.
    PressPanel(UpdateId, PanelPress),
    /// Have an actor made anew.
    RestartActor(String),
    /// Look for a turn in the past.
    Trace(UpdateId, Sought),
    /// Tell the admins that the guard stopped a text.
    TellRefusal(Refusal),
    /// Look for a text that was stopped, to show it.
    FindHeldBack(UpdateId, Pointer, Granted<Governing>),
    /// Put what was used of models into words.
    ComposeUsage(UpdateId, UsageOf),
    /// Mark a refusal as a false alarm.
    MarkAlarm(UpdateId, Pointer, Granted<Governing>),
    /// Look at what happened for an officer, or note that it is seen to.
    Look(UpdateId, Look),
    /// Bring in an agent with a bot of its own, or invite people.
    Arrange(UpdateId, Arrangement),
    /// Somebody pressed an officer's button.
    LogPressDenied(PersonId),
    /// Somebody's words hold an officer's command, which is not theirs or not their own words.
    LogAttempt((&'static str, Doer)),
    /// Try a rule on some days of the past, and put the outcome into words.
    TryRule(UpdateId, (String, u32), Granted<Governing>),
    /// Give the timekeeper an order, and say what came of it.
    AskTimekeeper(UpdateId, timekeeper::Order),
    /// Give the alerter an order, and say what came of it in words.
    AskAlerter(UpdateId, alerter::Order, Granted<Operating>),
    /// Send a person everything that is held of them.
    Export(UpdateId, PersonId),
    /// Have a person forgotten. With them goes this turn: nothing answers it but the receipt.
    Forget(UpdateId, PersonId),
    /// Speak an answer that was sent. Nothing waits for it, and nothing repeats it. Who asked pays.
    Speak(Vec<Cleared<Part>>, (Payer, AgentName)),
    /// Keep, list or delete what people brought to be read.
    Papers(UpdateId, PaperWish),
    /// Look for what may help with a question.
    Recall(UpdateId, Search),
    /// Make an exchange one that can be found.
    Learn(Lesson),
    /// Have a model write a summary when nobody waits.
    Summarise(Digestion),
    /// Ask the guard about a summary.
    ScreenSummary(DigestId, Draft, Arc<Agent>),
    /// A summary was written: by a model, in the exchanges' own words, or not at all.
    CountSummary(&'static str),
    /// Someone tried a command that is not theirs.
    LogDenied(&'static str, Option<PersonId>),
    /// An update was set aside.
    AlertQuarantined(RefId),
    /// A turn ended.
    Count(Outcome, Timestamp),
}

/// The state of one conversation at work.
#[derive(Debug)]
pub struct Session {
    key: SessionKey,
    config: Arc<SessionConfig>,
    state: State,
    lanes: Lanes,
    /// As it was told last.
    now: Timestamp,
    /// New questions are turned away, as it was told last.
    is_drained: bool,
    /// Who wrote the updates in hand, in a group.
    authors: BTreeMap<UpdateId, PersonId>,
    /// The messages of the newest question, where there are several: one may still be edited.
    last_heard: Option<Box<(UpdateId, Heard)>>,
    /// The newest album of which was said that it cannot be used.
    album_answered: Option<String>,
    /// At most one summary at a time. Nobody waits for it, so the session is idle all the same.
    digesting: Option<Digesting>,
    summary_failures: u32,
    /// The tools that there are, as it was told last.
    rack: Arc<Rack>,
    /// Servers of tools are being started.
    awaits_tools: bool,
    /// What the bot is called behind the `@`, as it was told.
    bot_name: Box<str>,
    /// What other conversations know of how bots talk in this chat, as it was told last.
    company: Option<Box<Chain>>,
}

#[derive(Debug, Default)]
struct Lanes {
    /// Questions, one after the other.
    talk: Lane,
    /// Commands that need no agent.
    side: Lane,
}

/// Which of the two lanes.
#[derive(Clone, Copy, Debug)]
enum Which {
    Talk,
    Side,
}

impl Lanes {
    fn get_mut(&mut self, which: Which) -> &mut Lane {
        match which {
            Which::Talk => &mut self.talk,
            Which::Side => &mut self.side,
        }
    }

    fn both(&self) -> [&Lane; 2] {
        [&self.talk, &self.side]
    }

    fn both_mut(&mut self) -> [&mut Lane; 2] {
        [&mut self.talk, &mut self.side]
    }
}

#[derive(Debug, Default)]
struct Lane {
    /// Boxed: most lanes of most conversations have none.
    turn: Option<Box<Turn>>,
    /// Boxed: room for one more is room for four.
    backlog: VecDeque<Box<Queued>>,
}

#[derive(Debug)]
struct Queued {
    entry: Entry,
    request: Request,
    recovered: bool,
    heard: Heard,
}

/// An update being worked on.
#[derive(Debug)]
struct Turn {
    update: UpdateId,
    at: Timestamp,
    reference: RefId,
    /// The message to quote, in groups.
    reply_to: Option<MessageId>,
    /// In a private chat the answer is shown while it is written.
    previews: bool,
    /// The language of its person's app.
    of_app: Option<Language>,
    /// What our own words are said in.
    language: Language,
    /// Something of it was shown.
    was_shown: bool,
    /// In a group the answer is shown in a message that is edited.
    stream: Stream,
    /// A sign on the question says that it was seen.
    seen: Seen,
    /// How the work went so far, if it is a question.
    course: Course,
    /// What its asker is told of what is left to them.
    warning: Option<Warning>,
    /// The answer, if it is also to be spoken.
    aloud: Vec<Cleared<Part>>,
    /// The messages that it answers.
    heard: Heard,
    /// Where an agent works with tools.
    work: Option<Box<Working>>,
    /// Several agents are asked.
    is_panel: bool,
    /// It is answered to one person alone, in a group.
    aside: Option<Aside>,
    /// What its asker is told of the file that came with it, under the answer.
    filed: Vec<Notice>,
    stage: Stage,
}

/// How far a turn has come, with what it needs to go on.
#[derive(Debug)]
enum Stage {
    Gathering(Request),
    ShowingNotice(Asking),
    TakingIn(Asking),
    ScreeningPrompt(Asking),
    Filing(Asking, Cleared<Prompt>),
    Recalling(Asking, Cleared<Prompt>),
    AwaitingModel(Asking),
    Working(Asking),
    ScreeningDraft(Completion, Asking),
    ScreeningFact(Telling),
    ScreeningProposals(Box<Proposing>),
    RescreeningParts,
    Delivering { parts: VecDeque<Sayable>, next: u32, outcome: Outcome },
    Administering { done: Text },
    ComposingStatus,
    Tracing { person: Option<PersonId>, in_full: bool },
    Looking,
    Exporting,
    Forgetting,
}

/// A question on its way.
#[derive(Clone, Debug)]
struct Asking {
    agent: Arc<Agent>,
    prompt: Prompt,
    /// What the conversation will remember as the question.
    asked: String,
    replaces: bool,
    /// The person's data that the model does not see.
    hidden: Placeholders,
    /// What came with it besides words.
    came: Came,
    /// So many of its files are taken in.
    files_taken: usize,
    /// Texts of files that its person brought, which are to be kept.
    papers: VecDeque<NewPaper>,
    /// It goes on after a word of its person, also without a picture that cannot be fetched again.
    is_resumed: bool,
}

impl Asking {
    /// True if text of strangers came with it.
    fn is_of_strangers(&self) -> bool {
        self.prompt.quoted.is_some()
            || self.prompt.forwarded_from.is_some()
            || !self.prompt.beside.is_empty()
            || self.came.is_of_strangers()
    }
}

impl Session {
    /// A session that goes on from a folded state.
    #[must_use]
    pub fn new(key: SessionKey, config: Arc<SessionConfig>, state: State) -> Self {
        Self {
            key,
            config,
            state,
            lanes: Lanes::default(),
            authors: BTreeMap::new(),
            last_heard: None,
            album_answered: None,
            now: Timestamp::default(),
            is_drained: false,
            digesting: None,
            summary_failures: 0,
            rack: Arc::default(),
            awaits_tools: false,
            bot_name: Box::default(),
            company: None,
        }
    }

    /// Tells the time, for what is noted about how long work took.
    pub fn tell_time(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Tells what the bot is called behind the `@`.
    pub fn tell_name(&mut self, bot_name: &str) {
        self.bot_name = bot_name.into();
    }

    /// Tells whether new questions are turned away.
    pub fn tell_drained(&mut self, is_drained: bool) {
        self.is_drained = is_drained;
    }

    /// What it remembers.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// True if nothing is under way and nothing waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        [&self.lanes.talk, &self.lanes.side]
            .iter()
            .all(|it| it.turn.is_none() && it.backlog.is_empty())
    }

    /// Gives back the room that work has taken. Many conversations are held while they are idle.
    pub fn shrink(&mut self) {
        for lane in self.lanes.both_mut() {
            lane.backlog.shrink_to_fit();
        }
    }

    /// Takes one input and says what to do about it. Does no I/O and never waits.
    #[must_use = "effects not carried out are lost"]
    pub fn step(&mut self, input: Input, view: &View) -> Vec<Effect> {
        let mut effects = Vec::with_capacity(4);
        match input {
            Input::Arrived { entries, recovered, now } => {
                self.arrive(entries, recovered, now, view, &mut effects);
            }
            Input::NoticeShown(update, result) => self.notice_shown(update, result, &mut effects),
            Input::TakenIn(update, result) => self.taken_in(update, result, &mut effects),
            Input::PaperKept(update, outcome) => self.paper_kept(update, &outcome, &mut effects),
            Input::PromptJudged(update, verdict, hidden) => {
                self.prompt_judged(update, verdict, hidden, &mut effects);
            }
            Input::Completed(update, result) => self.completed(update, result, &mut effects),
            Input::DraftJudged(update, verdict) => self.draft_judged(update, verdict, &mut effects),
            Input::PartsJudged(update, verdict) => self.parts_judged(update, verdict, &mut effects),
            Input::Ticked(update, written) => self.ticked(update, written, &mut effects),
            Input::PreviewJudged(update, verdict) => {
                self.preview_judged(update, verdict, &mut effects);
            }
            Input::PartDelivered(update, part, result) => {
                self.part_delivered(update, part, result, &mut effects);
            }
            Input::Administered(update, result) => {
                self.administered(update, result, &mut effects);
            }
            Input::StatusComposed(update, text) => {
                self.status_composed(update, text, &mut effects);
            }
            Input::ReminderRefused(update, why) => self.not_kept(update, *why, &mut effects),
            Input::Looked(update, notice) => {
                if self.turn(update, |it| matches!(it, Stage::Looking)).is_some() {
                    self.answer_notice(update, notice, Outcome::Answered, &mut effects);
                }
            }
            Input::PanelPressed(update, anew, restart) => {
                self.panel_pressed(update, anew, restart, &mut effects);
            }
            Input::CallsCounted(update, calls) => {
                if let Some(turn) = self.turn(update, |it| matches!(it, Stage::AwaitingModel(_))) {
                    turn.course.calls += calls;
                }
            }
            Input::CapNeared(update, warning) => {
                if let Some(turn) = self.turn(update, |it| matches!(it, Stage::AwaitingModel(_))) {
                    turn.warning = Some(warning);
                }
            }
            Input::HeldBackFound(update, found) => {
                if self.turn(update, |it| matches!(it, Stage::ComposingStatus)).is_some() {
                    let notice = match &found {
                        Ok(found) => words::held_back(found.as_deref()),
                        Err(_) => words::cannot_trace(),
                    };
                    self.answer_notice(update, notice, Outcome::Answered, &mut effects);
                }
            }
            Input::Traced(update, found) => self.traced(update, found, &mut effects),
            Input::Exported(update, result) => self.exported(update, result, &mut effects),
            Input::Recalled(update, found) => self.recalled(update, found, &mut effects),
            Input::Summarised(id, result) => self.summarised(&id, result, &mut effects),
            Input::SummaryJudged(id, verdict) => self.summary_judged(&id, verdict, &mut effects),
            Input::Tool(update, input) => self.tool_told(update, input, &mut effects),
            Input::TurnExpired(update) => self.expired(update, &mut effects),
            Input::Gathered(update) => self.gathered(update, view, &mut effects),
            Input::StreamBegun(update, result) => self.stream_begun(update, result, &mut effects),
        }
        self.work_on(view, &mut effects);
        self.open_next(Which::Talk, view, &mut effects);
        self.open_next(Which::Side, view, &mut effects);
        effects
    }

    fn status_composed(&mut self, update: UpdateId, text: Text, effects: &mut Vec<Effect>) {
        if self.turn(update, |it| matches!(it, Stage::ComposingStatus)).is_some() {
            self.answer_notice(update, words::status(text), Outcome::Answered, effects);
        }
    }

    // --- small things ---

    /// What is recorded takes effect at once here: if it cannot be stored, the session is dropped
    /// and folded again.
    fn record(&mut self, events: Vec<Event>, closes: Vec<UpdateId>, effects: &mut Vec<Effect>) {
        self.take_in(&events);
        effects.push(Effect::Record(events, closes));
    }

    /// As `record`, for what need not be durable before the turn goes on.
    fn note(&mut self, events: Vec<Event>, effects: &mut Vec<Effect>) {
        self.take_in(&events);
        effects.push(Effect::Note(events));
    }

    fn take_in(&mut self, events: &[Event]) {
        for event in events {
            let by = event.update().and_then(|it| self.authors.get(&it).copied());
            self.state.apply_by(event, by, self.config.history.of(self.key));
            if let Event::TurnClosed { update, .. } = event {
                self.authors.remove(update);
            }
        }
    }

    /// The turn of that update, if it is at the stage that the caller speaks of. SESSION-2.
    fn turn(&mut self, update: UpdateId, is_at: impl Fn(&Stage) -> bool) -> Option<&mut Turn> {
        let mut turns = self.lanes.both_mut().into_iter().filter_map(|it| it.turn.as_deref_mut());
        turns.find(|it| it.update == update && is_at(&it.stage))
    }

    /// What whoever has an app of this language is spoken to in here, if that is known.
    #[must_use]
    pub fn spoken(&self, of_app: Option<Language>) -> Option<Language> {
        let is_known = self.state.language.is_some() || of_app.is_some();
        is_known.then(|| self.config.house.languages.choose(self.state.language, of_app))
    }

    /// What our own words about an update are said in.
    #[must_use]
    pub fn language(&self, update: UpdateId) -> Language {
        let turns = self.lanes.both().into_iter().filter_map(|it| it.turn.as_deref());
        let of_turn = turns.filter(|it| it.update == update).map(|it| it.language).next();
        of_turn.unwrap_or_else(|| self.config.house.languages.choose(self.state.language, None))
    }

    fn set_stage(&mut self, update: UpdateId, stage: Stage) {
        if let Some(turn) = self.turn(update, |_| true) {
            turn.stage = stage;
        }
    }
}

impl Stage {
    /// Takes the stage out of a turn that is about to get another.
    fn take(&mut self) -> Self {
        std::mem::replace(self, Self::RescreeningParts)
    }
}
