//! One conversation: a chat, or a topic of a forum.
//!
//! Receives  doorbells, from the keeper; everything else it asked for itself.
//! Sends     `Effect`s, which the shell carries to guard, broker, outbox, roster and memory.
//! Owns      the conversation's state and at most two turns at a time (see `step`).
//! On crash  nothing is lost: the state is folded from the ledger, and updates that were not closed
//!           are pulled again, the one in hand with one attempt more on its account.
//!
//! Invariants: SESSION-1 at most one question is being answered at a time. SESSION-2 an answer that
//! belongs to a past turn changes nothing. SESSION-3 every update that is pulled is closed exactly
//! once. SESSION-4 no part is sent before its answer is durable, and no model is asked before the
//! update with the question is. SESSION-5 an update that fails `attempts_max` times is set aside.

mod arrange;
mod company;
mod desk;
mod files;
mod hands;
mod officers;
mod own;
mod panel;
mod papers;
mod pieces;
mod remembering;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod timekeeping;
pub(crate) mod work;

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use kit::{Actor, Cx, Fault, Health, Mailbox, Pending, TellError, ask};
use protocol::{
    Agent, AgentName, Clock, MessageId, PersonId, RefId, SessionKey, Timestamp, UpdateId,
    audit::AuditLog,
    due::{self, Due},
    event::{Event, Judged, Outcome},
    inbound::Inbound,
    ledger::{Append, LedgerError, Loaded, Seq, Stream, Waiting},
    messenger::{Address, Messenger, MessengerError},
};
use screening::{HOLD_BACK_CHARS_MIN, Placeholders};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};
use tracing::{info, warn};

pub(crate) use self::officers::log_attempt;
pub use self::{
    hands::{Hands, NoTools},
    papers::PaperWish,
    remembering::Recaller,
    state::{Digest, Exchange, HistoryLimits, State},
    step::{
        DigestId, Effect, Entry, HomeConfig, Input, Lesson, MemoryConfig, NotDelivered, Question,
        Search, Session, SessionConfig, Show, ToolEffect, ToolInput, ToolLimits,
    },
};
use self::{remembering::Past as Remembered, state::DRAFT_PART};
use crate::{
    alarm::{self, Finder},
    alerter::{self, Severity},
    broker::{self, Glance, Unanswered},
    company::{Call, Company},
    fault::fault_point,
    guard::{self, Cleared, Draft, Prompt, Verdict},
    incident, keeper, memory, outbox,
    replay::RuleTrier,
    roster::{self, Shared},
    senses::Senses,
    tally::Tally,
    timekeeper,
    tongues::Tongues,
    trace::{Sought, Tracer},
    treasurer::{self, Desk},
    words::Notice,
    words::Text,
};

/// Puts the state of the hall into words: `true` for everything an admin may see.
pub type StatusWriter = Rc<dyn Fn(bool) -> futures::future::LocalBoxFuture<'static, Text>>;

/// Who a session talks to.
#[derive(Clone)]
pub struct Peers {
    /// What is durable.
    pub memory: Mailbox<memory::Msg>,
    /// Which language people are spoken to in private.
    pub tongues: Tongues,
    /// Screens text both ways.
    pub guard: Mailbox<guard::Msg>,
    /// Asks models.
    pub broker: Mailbox<broker::Msg>,
    /// Writes to the bot's chats.
    pub outbox: Mailbox<outbox::Msg>,
    /// Changes the hall.
    pub roster: Mailbox<roster::Msg>,
    /// Notes what officers do.
    pub audit: Arc<dyn AuditLog>,
    /// Knows of incidents.
    pub incidents: Arc<incident::Desk>,
    /// Knows what is to be done when.
    pub timekeeper: Mailbox<timekeeper::Msg>,
    /// Tells the operators.
    pub alerter: Mailbox<alerter::Msg>,
    /// The state of the hall.
    pub hall: Shared,
    /// Reads updates.
    pub messenger: Arc<dyn Messenger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Counts.
    pub tally: Tally,
    /// Forgets people; set once the keeper stands.
    pub keeper: Rc<OnceCell<Mailbox<keeper::Msg>>>,
    /// Writes `/status`.
    pub status: StatusWriter,
    /// Makes actors anew.
    pub health: Health,
    /// An officer wants new questions turned away. Ends with the process, so that no hall stays so unseen.
    pub drained: Rc<Cell<bool>>,
    /// Answers `/rule test`.
    pub trier: RuleTrier,
    /// Answers `/trace`.
    pub tracer: Tracer,
    /// Answers `/usage`.
    pub desk: Desk,
    /// Forgets what a person used.
    pub treasurer: Mailbox<treasurer::Msg>,
    /// Finds texts that were stopped.
    pub finder: Finder,
    /// A keyed digest of a text.
    pub digest: alarm::Digest,
    /// Calls tools.
    pub hands: Hands,
    /// What is at hand for what officers ask.
    pub bench: crate::clerk::Bench,
    /// Looks through the past, where that is switched on.
    pub recaller: Option<Recaller>,
    /// Takes in what people send besides words.
    pub senses: Senses,
    /// What a person is called in the log.
    pub pseudonym: Arc<dyn Fn(PersonId) -> String + Send + Sync>,
    /// What conversations of other bots know of the same chats.
    pub company: Company,
}

/// What a session can be told.
#[derive(Debug)]
pub enum Msg {
    /// There is something in your inbox.
    Ring,
    /// Leave memory as soon as you have nothing to do.
    Rest,
    /// This person is about to be forgotten: if you hold words of theirs, drop everything and wait.
    Halt(PersonId, oneshot::Sender<()>),
    /// They are forgotten: go on with what is left.
    Forgotten(PersonId),
}

/// What survives an incarnation, so that the next one knows that it is not the first.
#[derive(Debug, Default)]
pub struct Past {
    /// Updates that were in hand, or may have been, when the last incarnation ended.
    failed: bool,
}

/// A supervised session.
pub struct SessionActor {
    key: SessionKey,
    config: Arc<SessionConfig>,
    peers: Rc<Peers>,
    past: Rc<RefCell<Past>>,
    /// `None` until the state is folded.
    session: Option<Session>,
    at: Seq,
    appends_since_snapshot: u32,
    /// Rises when the state is thrown away, so that what was begun for the old one is told apart.
    folds: u32,
    /// The order of the newest update that was pulled.
    pulled: u64,
    pulling: bool,
    ring_again: bool,
    effects: VecDeque<Effect>,
    /// Events that go with the next record.
    noted: Vec<Event>,
    recording: bool,
    turns: HashMap<UpdateId, InHand>,
    /// Who wrote the updates in hand, in a group: what is recorded of them is sealed with their key.
    authors: HashMap<UpdateId, PersonId>,
    /// Messages in hand that call several bots.
    calls: HashMap<UpdateId, Call>,
    remembered: Remembered,
    rest: Option<Pending>,
    /// Asked to leave memory as soon as there is nothing to do.
    leaving: bool,
    /// A person is being forgotten: nothing is read or written.
    halted: bool,
}

/// What the shell keeps for a turn.
#[derive(Default)]
struct InHand {
    glance: Option<Glance>,
    shown: usize,
    /// Dropped when nobody waits for the model any more.
    call: Option<watch::Sender<()>>,
    tick: Option<Pending>,
    expiry: Option<Pending>,
    ticks: u32,
    /// When something of the answer was shown last: a preview is gone after a while.
    shown_at: Option<Instant>,
}

/// A preview is gone after 30 seconds, unless it is shown again.
const PREVIEW_RENEWED_AFTER: Duration = Duration::from_secs(15);
/// Appends after which the state is stored anew, so that loading stays short.
const SNAPSHOT_EVERY: u32 = 128;

impl std::fmt::Debug for SessionActor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionActor").field("at", &self.at).finish_non_exhaustive()
    }
}

impl SessionActor {
    /// The factory given to the supervisor: `started` folds the session from the ledger.
    #[must_use]
    pub fn incarnate(
        key: SessionKey,
        config: Arc<SessionConfig>,
        peers: Rc<Peers>,
        past: Rc<RefCell<Past>>,
    ) -> Self {
        Self {
            key,
            config,
            peers,
            past,
            session: None,
            at: Seq::default(),
            appends_since_snapshot: 0,
            folds: 0,
            pulled: 0,
            pulling: false,
            ring_again: false,
            effects: VecDeque::new(),
            noted: Vec::new(),
            recording: false,
            turns: HashMap::new(),
            authors: HashMap::new(),
            calls: HashMap::new(),
            remembered: Remembered::default(),
            rest: None,
            leaving: false,
            halted: false,
        }
    }

    /// A past for a session that had work in hand when the process ended.
    #[must_use]
    pub fn past(failed: bool) -> Rc<RefCell<Past>> {
        Rc::new(RefCell::new(Past { failed }))
    }

    // --- loading ---

    fn load(&mut self, cx: &mut Cx<'_, Self>) {
        if self.halted {
            return;
        }
        let folds = self.folds;
        let (memory, key) = (self.peers.memory.clone(), self.key);
        let stream = Stream::Session(key);
        let work = async move { ask(&memory, |reply| memory::Msg::Load(stream, reply)).await };
        cx.when(work, move |actor, loaded, cx| match loaded {
            // What was read is older than what happened since.
            Ok(_) if actor.folds != folds => Ok(()),
            Ok(Ok(loaded)) => actor.fold(loaded, cx),
            Ok(Err(error @ LedgerError::Damaged { .. })) => {
                Err(Fault::new("the session's stream is damaged", error))
            }
            Ok(Err(LedgerError::Unavailable(_) | LedgerError::Conflict { .. })) | Err(_) => {
                actor.stall(cx);
                Ok(())
            }
        });
    }

    /// The ledger is away: nothing is anybody's fault, so nothing is counted as an attempt.
    fn stall(&mut self, cx: &mut Cx<'_, Self>) {
        self.drop_everything();
        let folds = self.folds;
        cx.after(Duration::from_millis(250), move |actor, cx| {
            if actor.folds == folds {
                actor.load(cx);
            }
            Ok(())
        });
    }

    fn drop_everything(&mut self) {
        self.past.borrow_mut().failed = false;
        self.session = None;
        self.folds += 1;
        self.effects.clear();
        self.noted.clear();
        self.turns.clear();
        self.authors.clear();
        self.calls.clear();
        self.recording = false;
        self.drop_memories();
    }

    /// True if there may be words of a person here.
    fn holds_words_of(&self, person: PersonId) -> bool {
        // Of what can be found again it is not known whose it is.
        let in_hand =
            || self.authors.values().any(|it| *it == person) || self.remembered.holds_anything();
        let folded = || self.session.as_ref().is_none_or(|it| it.state().holds_words_of(person));
        if self.key.is_private() { self.key.owner(None) == person } else { in_hand() || folded() }
    }

    fn halt(&mut self, person: PersonId, stopped: oneshot::Sender<()>) {
        if self.holds_words_of(person) {
            self.halted = true;
            self.drop_everything();
        }
        // lost-ok: whoever waits has given up.
        stopped.send(()).ok();
    }

    fn go_on_without(&mut self, person: PersonId, cx: &mut Cx<'_, Self>) {
        if self.halted || self.holds_words_of(person) {
            self.drop_everything();
            self.halted = false;
            self.pulling = false;
            self.load(cx);
        }
    }

    fn fold(&mut self, loaded: Loaded, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        let mut state = match &loaded.snapshot {
            Some(stored) => pieces::together(self.key, stored)
                .map_err(|error| Fault::new("a snapshot cannot be read", error))?,
            None => State::default(),
        };
        let limits = self.config.history.of(self.key);
        for piece in &loaded.events {
            let events: Vec<Event> = serde_json::from_slice(&piece.bytes)
                .map_err(|error| Fault::new("an event cannot be read", error))?;
            let by = piece.owners.first().copied().filter(|it| *it != self.key.owner(None));
            events.iter().for_each(|it| state.apply_by(it, by, limits));
        }
        self.authors.clear();
        for note in &loaded.accepted {
            self.noted.extend(state.overtaken(note, limits));
        }
        self.at = loaded.at;
        self.appends_since_snapshot = u32::try_from(loaded.appends).unwrap_or(u32::MAX);
        let mut session = Session::new(self.key, Arc::clone(&self.config), state);
        session.tell_name(&self.peers.messenger.identity().username);
        self.session = Some(session);
        let failed = std::mem::replace(&mut self.past.borrow_mut().failed, true);
        self.pulled = 0;
        self.arrived(loaded.waiting, failed, cx)?;
        if std::mem::take(&mut self.ring_again) {
            self.pull(cx);
        }
        Ok(())
    }

    fn pull(&mut self, cx: &mut Cx<'_, Self>) {
        if self.session.is_none() {
            // What is being loaded may be older than what the doorbell rang for.
            self.ring_again = true;
            return;
        }
        if std::mem::replace(&mut self.pulling, true) {
            self.ring_again = true;
            return;
        }
        let (memory, key, after) = (self.peers.memory.clone(), self.key, self.pulled);
        let folds = self.folds;
        let work =
            async move { ask(&memory, |reply| memory::Msg::Waiting(key, after, reply)).await };
        cx.when(work, move |actor, waiting, cx| {
            actor.pulling = false;
            match waiting {
                // Loading has looked for itself, and what rang after it is looked for below.
                _ if actor.folds != folds => (),
                Ok(Ok(waiting)) => actor.arrived(waiting, false, cx)?,
                Ok(Err(_)) | Err(_) => actor.stall(cx),
            }
            if std::mem::take(&mut actor.ring_again) {
                actor.pull(cx);
            }
            Ok(())
        });
    }

    fn arrived(
        &mut self,
        waiting: Vec<Waiting>,
        recovered: bool,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        fault_point("session");
        let messenger = Arc::clone(&self.peers.messenger);
        let mut entries = Vec::with_capacity(waiting.len());
        for it in waiting {
            if it.order <= self.pulled {
                continue;
            }
            self.pulled = it.order;
            // Bytes of strangers on which the reader fails cannot be read: they must not take the
            // conversation down again and again.
            let read = AssertUnwindSafe(|| match due::is_halls(it.update) {
                true => Due::read(&it.raw).map(Inbound::Due),
                false => messenger.read(&it.raw),
            });
            let inbound = catch_unwind(read).unwrap_or(None);
            self.is_called(it.update, inbound.as_ref());
            let reference = reference_of(self.key, it.update);
            let person = inbound.as_ref().and_then(Inbound::person);
            let own = person.and_then(|it| self.peers.tongues.known(it));
            let entry = Entry { update: it.update, at: it.at, inbound, reference, own };
            if let Some(author) = entry.author(self.key) {
                self.authors.insert(it.update, author);
            }
            entries.push(entry);
        }
        if entries.is_empty() {
            self.plan_rest(cx);
            return Ok(());
        }
        let now = self.peers.clock.now();
        let newest = entries.iter().rev().find_map(|it| it.inbound.as_ref()?.language());
        self.input(Input::Arrived { entries, recovered, now }, cx)?;
        let spoken = self.session.as_ref().and_then(|it| it.spoken(newest));
        if let Some(language) = spoken.filter(|_| self.key.is_private()) {
            self.peers.tongues.spoken(PersonId(self.key.chat.0), language);
        }
        Ok(())
    }

    // --- work ---

    fn input(&mut self, input: Input, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        let Some(session) = self.session.as_mut() else { return Ok(()) };
        let hall = self.peers.hall.load();
        session.tell_time(self.peers.clock.now());
        session.tell_drained(self.peers.drained.get());
        let tools_came = matches!(input, Input::Tool(_, ToolInput::ToolsCame));
        let has_arrived = matches!(input, Input::Arrived { .. });
        if tools_came || has_arrived {
            let hands = &self.peers.hands;
            let keeps_papers = 0 < self.config.papers.papers_max;
            session.tell_tools(hands.rack(|| crate::papers::tool().filter(|_| keeps_papers)));
            session.tell_whether_tools_come(!tools_came && !hands.is_settled());
        }
        if has_arrived && !self.key.is_private() {
            session.tell_company(self.peers.company.others(self.key));
        }
        let effects = session.step(input, &hall);
        match self.effects.is_empty() {
            true => self.effects = effects.into(),
            false => self.effects.extend(effects),
        }
        self.tell_chain();
        self.perform_all(cx)?;
        self.plan_rest(cx);
        Ok(())
    }

    /// Carries out effects in order, up to a record that is not durable yet. SESSION-4.
    fn perform_all(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        while !self.recording {
            let Some(effect) = self.effects.pop_front() else {
                // Thousands of conversations wait at a time.
                self.effects = VecDeque::new();
                return Ok(());
            };
            self.perform(effect, cx)?;
        }
        Ok(())
    }

    fn perform(&mut self, effect: Effect, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        match effect {
            Effect::Record(events, closes) => return self.record(events, closes, cx),
            Effect::Note(events) => self.noted.extend(events),
            Effect::ScreenPrompt(update, prompt, agent) => {
                self.screen_prompt(update, prompt, agent, cx);
            }
            Effect::TakeIn(update, file, agent) => self.take_in(update, file, agent, cx),
            Effect::ScreenDraft(update, draft, agent) => {
                self.screen_draft((update, draft), agent, cx);
            }
            Effect::ScreenPreview(update, draft, agent) => {
                self.screen_preview((update, draft), agent, cx);
            }
            Effect::ScreenParts(update, parts) => {
                let input = move |it| Input::PartsJudged(update, verdict_of(it));
                self.screen(cx, parts, guard::Msg::ScreenParts, input);
            }
            Effect::Complete(update, question) => self.complete(update, question, cx),
            Effect::Tool(update, effect) => self.use_hands(update, effect, cx),
            Effect::Withdraw(update) => self.forget(update, cx),
            Effect::ShowNotice(update, notice) => self.show_notice(update, notice, cx),
            Effect::Deliver { update, part, what, reply_to } => {
                self.forget(update, cx);
                let id = outbox::PartId { session: self.key, update, part };
                let delivered = move |sent| Input::PartDelivered(update, part, sent);
                self.send(what, reply_to, Some(id), cx, delivered);
            }
            Effect::Preview(update, text) => self.preview(update, &text),
            Effect::Typing => self.show_typing(),
            Effect::Show(it) => self.show(it, cx),
            Effect::Tick(update) => self.tick_later(update, cx),
            Effect::Gather(update) => self.gather_later(update, cx),
            Effect::TakeTurn(update, before) => self.take_turn(update, before, cx),
            Effect::CutBots(why) => self.cut_bots(why),
            Effect::AnswerPress(query, said) => self.answer_press(query, said),
            Effect::Administer(update, order) => self.administer(update, order, cx),
            Effect::ComposeStatus(update, in_full) => {
                compose(update, (self.peers.status)(in_full), cx);
            }
            Effect::ComposePanel(update) => self.compose_panel(update, cx),
            Effect::PressPanel(update, press) => self.press_panel(update, press, cx),
            Effect::RestartActor(id) => self.restart_actor(&id),
            Effect::ComposeUsage(update, whose) => return self.tell_usage(update, whose, cx),
            Effect::TryRule(update, what, by) => self.try_rule(update, what, by, cx),
            Effect::Look(update, look) => self.look(update, look, cx),
            Effect::Arrange(update, it) => self.arrange(update, it, cx),
            Effect::AskTimekeeper(update, order) => self.ask_timekeeper(update, order, cx),
            Effect::AskAlerter(update, order, by) => self.ask_alerter(update, order, by, cx),
            Effect::Trace(update, sought) => self.trace(update, sought, cx),
            Effect::TellRefusal(refusal) => self.tell_refusal(refusal),
            Effect::FindHeldBack(update, at, by) => self.find_held_back(update, at, by, cx),
            Effect::MarkAlarm(update, at, by) => self.mark_alarm(update, at, by, cx),
            Effect::LogPressDenied(person) => self.log_press_denied(person),
            Effect::LogAttempt((command, actor)) => self.log_attempt(command, actor),
            Effect::Export(update, person) => self.export(update, person, cx),
            Effect::Forget(update, person) => self.ask_to_forget((update, person), cx),
            Effect::Papers(update, wish) => self.do_with_papers(update, wish, cx),
            Effect::Recall(update, search) => self.recall(update, search, cx),
            Effect::Speak(parts, payer) => self.speak(parts, payer, cx),
            Effect::Learn(lesson) => self.learn(lesson, cx),
            Effect::Summarise(digestion) => self.summarise(digestion, cx),
            Effect::ScreenSummary(id, draft, agent) => self.screen_summary(id, draft, agent, cx),
            Effect::CountSummary(how) => self.peers.tally.summarised(how),
            Effect::LogDenied(command, person) => self.log_denied(command, person),
            Effect::AlertQuarantined(reference) => self.alert_quarantined(reference),
            Effect::Count(outcome, at) => self.count(outcome, at),
        }
        Ok(())
    }

    fn count(&self, outcome: Outcome, at: Timestamp) {
        let took = self.peers.clock.now().0.saturating_sub(at.0);
        #[expect(clippy::cast_precision_loss, reason = "a duration in milliseconds")]
        self.peers.tally.replied(outcome, took as f64 / 1000.0);
    }

    fn screen_prompt(
        &mut self,
        update: UpdateId,
        prompt: Prompt,
        agent: AgentName,
        cx: &mut Cx<'_, Self>,
    ) {
        self.expire_later(update, cx);
        let question = move |prompt, reply| guard::Msg::ScreenPrompt(prompt, agent.clone(), reply);
        self.screen(cx, prompt, question, move |answer| {
            let refused = |judged| (Verdict::Refuse(judged), Placeholders::new());
            let (verdict, hidden) = answer.unwrap_or_else(refused);
            Input::PromptJudged(update, verdict, hidden)
        });
    }

    fn show_notice(&mut self, update: UpdateId, notice: Notice, cx: &mut Cx<'_, Self>) {
        let what = outbox::Sayable::Notice(notice);
        self.send(what, None, None, cx, move |sent| Input::NoticeShown(update, sent));
    }

    fn show_typing(&self) {
        // lost-ok: it is shown again in a few seconds.
        self.peers.outbox.try_tell(outbox::Msg::Typing(self.address())).ok();
    }

    fn show(&mut self, it: Show, cx: &mut Cx<'_, Self>) {
        let to = self.address();
        let msg = match it {
            Show::Thinking(update) => outbox::Msg::Think { to, draft: draft_id(update) },
            Show::Seen { message, is_on } => outbox::Msg::React { to, message, is_on },
            Show::More { message, part } => outbox::Msg::Stream { to, message, part },
            Show::Beginning { update, what, reply_to } => {
                let id = outbox::PartId { session: self.key, update, part: DRAFT_PART };
                let begun = move |sent| Input::StreamBegun(update, sent);
                return self.send(what, reply_to, Some(id), cx, begun);
            }
        };
        // lost-ok: the next one shows more, and the answer all of it.
        self.peers.outbox.try_tell(msg).ok();
    }

    fn answer_press(&self, query: String, said: Option<Box<Notice>>) {
        // lost-ok: the button's spinner ends by itself.
        self.peers.outbox.try_tell(outbox::Msg::AnswerPress(query, said)).ok();
    }

    fn preview(&self, update: UpdateId, text: &Cleared<Draft>) {
        let (to, part) = (self.address(), text.begun(self.config.typeset));
        let msg = outbox::Msg::Preview { to, draft: draft_id(update), part };
        // lost-ok: the next preview shows more anyway.
        self.peers.outbox.try_tell(msg).ok();
    }

    fn alert_quarantined(&self, reference: RefId) {
        let text = format!("A message was set aside after it failed repeatedly (ref {reference}).");
        let raise = alerter::Msg::raise("quarantined", Severity::Warning, text);
        // lost-ok: the log and the metric say it too.
        self.peers.alerter.try_tell(raise).ok();
    }

    fn record(
        &mut self,
        mut events: Vec<Event>,
        closes: Vec<UpdateId>,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        events.splice(..0, self.noted.drain(..));
        self.peers.tally.recording(self.key, &events, &*self.peers.clock);
        let events = pieces::of_events(self.key, &events, &self.authors)
            .map_err(|error| Fault::new("events cannot be written as JSON", error))?;
        self.authors.retain(|update, _| !closes.contains(update));
        self.calls_ended(&closes);
        let (stream, expected) = (Stream::Session(self.key), self.at);
        let append = Append { stream, expected, events, closes };
        self.recording = true;
        let (memory, folds) = (self.peers.memory.clone(), self.folds);
        let work = async move { ask(&memory, |reply| memory::Msg::Append(append, reply)).await };
        cx.when(work, move |actor, written, cx| {
            fault_point("session_recorded");
            if actor.folds != folds {
                return Ok(()); // The state has been folded again since, with or without this.
            }
            match written {
                Ok(Ok(at)) => actor.recorded(at, cx),
                Ok(Err(error @ LedgerError::Conflict { .. })) => {
                    Err(Fault::new("someone else wrote to the session's stream", error))
                }
                Ok(Err(LedgerError::Unavailable(_) | LedgerError::Damaged { .. })) | Err(_) => {
                    actor.stall(cx);
                    Ok(())
                }
            }
        });
        Ok(())
    }

    fn recorded(&mut self, at: Seq, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.at = at;
        self.recording = false;
        self.appends_since_snapshot += 1;
        self.perform_all(cx)?;
        // Only where nothing is left to record is the state what the ledger says at `at`.
        let is_recorded = !self.recording && self.noted.is_empty();
        if is_recorded && SNAPSHOT_EVERY <= self.appends_since_snapshot {
            self.snapshot(cx, false);
        }
        self.plan_rest(cx);
        Ok(())
    }

    /// Asks the guard, once more if it failed over the text, and then takes that for a no.
    fn screen<T: Clone + 'static, V: 'static>(
        &mut self,
        cx: &mut Cx<'_, Self>,
        text: T,
        question: impl Fn(T, oneshot::Sender<V>) -> guard::Msg + 'static,
        input: impl FnOnce(Result<V, Judged>) -> Input + 'static,
    ) {
        let guard = self.peers.guard.clone();
        let work = async move {
            for _ in 0..2 {
                match ask(&guard, |reply| question(text.clone(), reply)).await {
                    Ok(verdict) => return Ok(verdict),
                    Err(TellError::Full) => tokio::time::sleep(Duration::from_millis(50)).await,
                    Err(TellError::Closed) => (),
                }
            }
            let rules = vec!["guard_unavailable".to_owned()];
            Err(Judged { verdict: "refuse".to_owned(), rules, ..Judged::default() })
        };
        cx.when(work, move |actor, verdict, cx| actor.input(input(verdict), cx));
    }

    fn screen_draft(
        &mut self,
        (update, draft): (UpdateId, Draft),
        agent: Arc<Agent>,
        cx: &mut Cx<'_, Self>,
    ) {
        let question = move |draft, reply| guard::Msg::ScreenDraft(draft, agent.clone(), reply);
        let input = move |it| Input::DraftJudged(update, verdict_of(it));
        self.screen(cx, draft, question, input);
    }

    fn screen_preview(
        &mut self,
        (update, draft): (UpdateId, Draft),
        agent: Arc<Agent>,
        cx: &mut Cx<'_, Self>,
    ) {
        let question = move |draft, reply| guard::Msg::ScreenPreview(draft, agent.clone(), reply);
        let input = move |it| Input::PreviewJudged(update, verdict_of(it));
        self.screen(cx, draft, question, input);
    }

    fn complete(&mut self, update: UpdateId, question: Question, cx: &mut Cx<'_, Self>) {
        let (call, gone) = watch::channel(());
        let glance = Glance::default();
        let turn = self.turns.entry(update).or_default();
        turn.call = Some(call);
        turn.glance = Some(glance.clone());
        turn.shown = 0;
        let (broker, person) = (self.peers.broker.clone(), self.key.chat.0);
        let payer = self.payer(update);
        let work = async move {
            for _ in 0..2 {
                let (question, glance, gone) = (question.clone(), glance.clone(), gone.clone());
                let asked = ask(&broker, |reply| broker::Msg::Complete {
                    question,
                    person,
                    payer,
                    glance,
                    gone,
                    reply,
                });
                match asked.await {
                    Ok(answer) => return answer,
                    Err(TellError::Full) => return Err(Unanswered::Busy),
                    Err(TellError::Closed) => (),
                }
            }
            Err(Unanswered::AllFailed)
        };
        cx.when(work, move |actor, answer, cx| {
            let glance = actor.turns.get(&update).and_then(|it| it.glance.as_ref());
            let warning = glance.and_then(Glance::warning);
            if let Some(calls) = glance.map(Glance::calls) {
                actor.input(Input::CallsCounted(update, calls), cx)?;
            }
            if let Some(warning) = warning {
                actor.input(Input::CapNeared(update, warning), cx)?;
            }
            actor.input(Input::Completed(update, answer), cx)
        });
    }

    fn trace(&self, update: UpdateId, sought: Sought, cx: &mut Cx<'_, Self>) {
        cx.when((self.peers.tracer)(sought), move |actor, found, cx| {
            if let Err(error) = &found {
                warn!(error.message = %error, event.action = "trace_failed", "no trace was read");
            }
            actor.input(Input::Traced(update, found.map(|it| it.map(Box::new))), cx)
        });
    }

    fn send(
        &mut self,
        what: outbox::Sayable,
        reply_to: Option<MessageId>,
        part: Option<outbox::PartId>,
        cx: &mut Cx<'_, Self>,
        input: impl FnOnce(Result<MessageId, NotDelivered>) -> Input + 'static,
    ) {
        let (outbox, to) = (self.peers.outbox.clone(), what.address(self.address()));
        let work = async move {
            let mut pause = Duration::from_millis(10);
            loop {
                let what = what.clone();
                let sent = ask(&outbox, |reply| outbox::Msg::Send {
                    to,
                    what,
                    reply_to,
                    part,
                    reply: Some(reply),
                });
                match sent.await {
                    Ok(sent) => return sent.map_err(|error: MessengerError| (&error).into()),
                    Err(TellError::Closed) => return Err(NotDelivered::Unknown),
                    Err(TellError::Full) => tokio::time::sleep(pause).await,
                }
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        };
        cx.when(work, move |actor, sent, cx| {
            fault_point("session_sent");
            actor.input(input(sent), cx)
        });
    }

    // --- time ---

    fn tick_later(&mut self, update: UpdateId, cx: &mut Cx<'_, Self>) {
        let pending = cx.after(self.config.tick, move |actor, cx| {
            let Some(turn) = actor.turns.get_mut(&update) else { return Ok(()) };
            turn.ticks += 1;
            let text = turn.glance.as_ref().map(Glance::read).unwrap_or_default();
            let has_more = HOLD_BACK_CHARS_MIN < text.len() && turn.shown < text.len();
            let fades = turn.shown_at.is_some_and(|it| PREVIEW_RENEWED_AFTER <= it.elapsed());
            if has_more || fades {
                turn.shown = text.len();
                turn.shown_at = Some(Instant::now());
                return actor.input(Input::Ticked(update, Some(text)), cx);
            }
            // A typing action shows for five seconds: the first after one tick, then every tenth.
            if turn.ticks % 10 == 1 {
                return actor.input(Input::Ticked(update, None), cx);
            }
            actor.tick_later(update, cx);
            Ok(())
        });
        self.turns.entry(update).or_default().tick = Some(pending);
    }

    fn gather_later(&mut self, update: UpdateId, cx: &mut Cx<'_, Self>) {
        let pending = cx.after(self.config.home.gather_time, move |actor, cx| {
            actor.input(Input::Gathered(update), cx)
        });
        self.turns.entry(update).or_default().tick = Some(pending);
    }

    fn expire_later(&mut self, update: UpdateId, cx: &mut Cx<'_, Self>) {
        // A turn with a file has its time from when that began to be fetched.
        let is_planned = self.turns.get(&update).is_some_and(|it| it.expiry.is_some());
        if self.config.turn_time_max.is_zero() || is_planned {
            return;
        }
        let pending = cx.after(self.config.turn_time_max, move |actor, cx| {
            actor.input(Input::TurnExpired(update), cx)
        });
        self.turns.entry(update).or_default().expiry = Some(pending);
    }

    /// Nobody waits for the turn's model any more, and no timer of it matters.
    fn forget(&mut self, update: UpdateId, cx: &mut Cx<'_, Self>) {
        if let Some(turn) = self.turns.remove(&update) {
            turn.tick.into_iter().chain(turn.expiry).for_each(|it| cx.cancel(it));
        }
    }

    fn plan_rest(&mut self, cx: &mut Cx<'_, Self>) {
        let is_idle = self.is_idle();
        match (is_idle, self.rest) {
            (true, None) => {
                self.shrink();
                let span = if self.leaving { Duration::ZERO } else { self.config.rest_after };
                self.rest = Some(cx.after(span, |actor, cx| {
                    actor.rest = None;
                    actor.go_to_rest(cx);
                    Ok(())
                }));
            }
            (false, Some(pending)) => {
                cx.cancel(pending);
                self.rest = None;
            }
            (true, Some(_)) | (false, None) => (),
        }
    }

    fn shrink(&mut self) {
        self.noted = Vec::new();
        self.turns.shrink_to_fit();
        if let Some(session) = &mut self.session {
            session.shrink();
        }
    }

    fn is_idle(&self) -> bool {
        let recorded = !self.recording && self.noted.is_empty();
        let learns = !self.remembered.is_idle();
        let at_work = !recorded || self.pulling || learns || !self.effects.is_empty();
        !at_work && self.session.as_ref().is_some_and(Session::is_idle)
    }

    fn go_to_rest(&mut self, cx: &mut Cx<'_, Self>) {
        if self.is_idle() {
            self.snapshot(cx, true);
        }
    }

    /// Stores the state, so that the next start need not fold everything again.
    fn snapshot(&mut self, cx: &mut Cx<'_, Self>, and_rest: bool) {
        let Some(session) = &self.session else { return };
        self.appends_since_snapshot = 0;
        let Ok(state) = pieces::of_state(self.key, session.state()) else { return };
        let (memory, stream, at) = (self.peers.memory.clone(), Stream::Session(self.key), self.at);
        let work = async move {
            ask(&memory, |reply| memory::Msg::Snapshot(stream, at, state, reply)).await
        };
        cx.when(work, move |actor, stored, cx| {
            if !matches!(stored, Ok(Ok(()))) {
                info!(
                    event.action = "snapshot_skipped",
                    "a snapshot was not stored; events remain"
                );
            }
            if and_rest && actor.is_idle() {
                actor.past.borrow_mut().failed = false;
                cx.stop();
            }
            Ok(())
        });
    }

    fn address(&self) -> Address {
        Address { chat: self.key.chat, topic: self.key.topic }
    }
}

/// Waits for a text of ours that takes a while.
fn compose<T: Into<Text> + 'static>(
    update: UpdateId,
    text: futures::future::LocalBoxFuture<'static, T>,
    cx: &mut Cx<'_, SessionActor>,
) {
    cx.when(text, move |actor, text, cx| {
        actor.input(Input::StatusComposed(update, text.into()), cx)
    });
}

/// GUARD-2: what cannot be judged is refused.
fn verdict_of<T>(answer: Result<Verdict<T>, Judged>) -> Verdict<T> {
    answer.unwrap_or_else(Verdict::Refuse)
}

/// A short id for errors about an update: the same for every attempt.
pub(crate) fn reference_of(key: SessionKey, update: UpdateId) -> RefId {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (key, update).hash(&mut hasher);
    RefId(u32::try_from(hasher.finish() >> 32).unwrap_or(u32::MAX))
}

/// Telegram wants a number that is not 0.
fn draft_id(update: UpdateId) -> i64 {
    update.0.rem_euclid(1 << 30) + 1
}

impl Actor for SessionActor {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        self.load(cx);
        Ok(())
    }

    fn handle(&mut self, msg: Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        match msg {
            Msg::Ring => {
                self.leaving = false;
                self.pull(cx);
            }
            Msg::Halt(person, stopped) => self.halt(person, stopped),
            Msg::Forgotten(person) => self.go_on_without(person, cx),
            Msg::Rest => {
                self.leaving = true;
                self.rest.take().into_iter().for_each(|it| cx.cancel(it));
                self.plan_rest(cx);
            }
        }
        Ok(())
    }
}
