//! Gets one answer for one question: fair turns, retries, breakers, fallback, and an honest no.
//!
//! Receives  `Complete`, from sessions, and the ends of its own calls.
//! Sends     one answer per question, back to who asked; the text so far, into the question's glance.
//! Owns      the waiting questions, the calls under way and one circuit breaker per model.
//! On crash  waiting questions and calls are dropped; each session learns it and asks again.
//!
//! Invariants: BROKER-1 at most `requests_in_flight_max` calls at a time. BROKER-2 people take
//! turns, whoever asks more waits longer. BROKER-3 every question ends in exactly one answer.
//! BROKER-4 an open breaker lets nothing through until its time is up, then one probe. BROKER-5 a
//! summary is written only while nobody waits, and gives way to the next question.

mod background;
mod paid;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    panic::resume_unwind,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kit::{Actor, Cx, Fault, Mailbox, Tasks};
use protocol::{
    Agent,
    model::{CompleteError, Completion, Disposition, Model, ModelRequest},
};
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
    task::JoinSet,
    time::Instant,
};
use tracing::{debug, info, warn};

use self::{
    background::Background,
    paid::{Estimate, paid_call},
};
pub use crate::context::system_turn;
use crate::{
    context::{self, Digestion, LeftOut, Room},
    fault::fault_point,
    session::Question,
    tally::Tally,
    treasurer::{
        Desk, OverCap, Purse, Warning,
        books::{Payer, Want},
    },
};

/// Limits of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerConfig {
    /// Models asked where an agent names none, in the order of the fallback.
    pub chain: Vec<String>,
    /// Calls at a time.
    pub requests_in_flight_max: usize,
    /// Questions that may wait.
    pub waiting_max: usize,
    /// Questions of one person that may wait.
    pub waiting_per_person_max: usize,
    /// How long one call may take. Zero: no limit.
    pub request_time_max: Duration,
    /// Calls to one model for one question.
    pub attempts_max: u32,
    /// The first pause before asking the same model again; it doubles.
    pub backoff_min: Duration,
    /// The longest such pause. A provider that asks for more is left for the next one.
    pub backoff_max: Duration,
    /// Failures in a row that open a model's breaker.
    pub breaker_failures: u32,
    /// How long an open breaker lets nothing through.
    pub breaker_open: Duration,
    /// The longest answer we ask for, in tokens.
    pub answer_tokens_max: u32,
    /// A word that stands in every agent's instructions and nowhere else.
    pub canary: Arc<str>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Every model of the chain failed.
    AllFailed,
    /// No model that may be asked can see the picture.
    CannotSee,
    /// Too many questions wait.
    Busy,
    /// Somebody has used up what they may.
    OverCap(OverCap),
}

/// A question at the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(u64);

impl CallId {
    /// Unique in the process: what an earlier incarnation left in the mailbox, such as an answer to
    /// somebody else's question, must mean nothing to this one.
    fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What the broker's core can be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A question came: whose turn it takes, and the models it may ask, by place.
    Asked(CallId, i64, Vec<usize>),
    /// A call ended with an answer.
    Answered(CallId),
    /// A call was not made, since a cap is reached.
    Refused(CallId, OverCap),
    /// A call failed: what to do about it, and a random number in 0..1 for the jitter.
    Failed(CallId, Disposition, f64),
    /// Nobody waits for the answer any more.
    Withdrawn(CallId),
    /// The pause before the next attempt is over.
    PauseEnded(CallId),
}

/// What the broker wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask a model, by its place in the list.
    Call(CallId, usize),
    /// Pause before asking again.
    Pause(CallId, Duration),
    /// Answer that there is no answer.
    GiveUp(CallId, Unanswered),
}

/// A model's breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Duration>,
    /// The call that finds out whether the model is back.
    probe: Option<CallId>,
}

/// What a breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing.
    Open,
    /// One call, to see whether the model is back.
    HalfOpen,
}

impl Breaker {
    fn state(&self, now: Duration) -> BreakerState {
        match self.open_until {
            None => BreakerState::Closed,
            Some(until) if now < until => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    fn admits(&mut self, call: CallId, now: Duration) -> bool {
        match self.state(now) {
            BreakerState::Closed => true,
            BreakerState::Open => false,
            BreakerState::HalfOpen if self.probe.is_some() => false,
            BreakerState::HalfOpen => {
                self.probe = Some(call);
                true
            }
        }
    }

    /// A call is over without an answer: if it was the probe, there may be another.
    fn ended(&mut self, call: CallId) {
        self.probe.take_if(|it| *it == call);
    }

    fn failed(&mut self, now: Duration, config: &BrokerConfig) {
        self.failures = self.failures.saturating_add(1);
        if config.breaker_failures <= self.failures && config.breaker_failures != 0 {
            self.open_until = Some(now + config.breaker_open);
        }
    }
}

#[derive(Debug)]
struct Asked {
    person: i64,
    chain: VecDeque<usize>,
    attempt: u32,
    /// The model being asked now.
    calling: Option<usize>,
}

/// The state of the broker, without its calls' I/O.
#[derive(Debug)]
pub struct Core {
    config: BrokerConfig,
    now: Duration,
    asked: HashMap<CallId, Asked>,
    /// People with waiting questions, in the order of their turns.
    turns: VecDeque<i64>,
    waiting: HashMap<i64, VecDeque<CallId>>,
    waiting_count: usize,
    in_flight: usize,
    breakers: Vec<Breaker>,
}

impl Core {
    /// An idle broker for a number of models.
    #[must_use]
    pub fn new(config: BrokerConfig, models: usize) -> Self {
        Self {
            config,
            now: Duration::ZERO,
            asked: HashMap::new(),
            turns: VecDeque::new(),
            waiting: HashMap::new(),
            waiting_count: 0,
            in_flight: 0,
            breakers: vec![Breaker::default(); models],
        }
    }

    /// Takes one input and says what to do about it. `now` is the time since the broker's start.
    #[must_use = "effects not carried out are lost"]
    pub fn step(&mut self, input: Input, now: Duration) -> Vec<Effect> {
        self.now = self.now.max(now);
        let mut effects = Vec::new();
        match input {
            Input::Asked(call, person, chain) => self.enqueue(call, person, chain, &mut effects),
            Input::Answered(call) => {
                if let Some(model) = self.ended(call)
                    && let Some(breaker) = self.breakers.get_mut(model)
                {
                    *breaker = Breaker::default();
                    self.asked.remove(&call);
                }
            }
            Input::Failed(call, what, dice) => self.failed(call, what, dice, &mut effects),
            Input::Refused(call, cap) => {
                // The model has not been asked: whether it is well is not known.
                if let Some(model) = self.ended(call)
                    && let Some(breaker) = self.breakers.get_mut(model)
                {
                    breaker.ended(call);
                    self.asked.remove(&call);
                    effects.push(Effect::GiveUp(call, Unanswered::OverCap(cap)));
                }
            }
            Input::Withdrawn(call) => {
                if let Some(model) = self.ended(call)
                    && let Some(breaker) = self.breakers.get_mut(model)
                {
                    breaker.ended(call);
                }
                self.asked.remove(&call);
            }
            Input::PauseEnded(call) => self.wait_in_line(call, true),
        }
        self.start_what_may_start(&mut effects);
        effects
    }

    /// True if more could be asked than is.
    fn has_room_for(&self, more: usize) -> bool {
        let limit = self.config.requests_in_flight_max;
        self.waiting_count == 0 && (limit == 0 || self.in_flight + more < limit)
    }

    /// True if a model answers somebody.
    fn is_calling(&self, model: usize) -> bool {
        self.asked.values().any(|it| it.calling == Some(model))
    }

    /// The breakers, by model.
    pub fn breakers(&self, now: Duration) -> impl Iterator<Item = BreakerState> {
        self.breakers.iter().map(move |it| it.state(now))
    }

    fn enqueue(&mut self, call: CallId, person: i64, chain: Vec<usize>, effects: &mut Vec<Effect>) {
        let own = self.waiting.get(&person).map_or(0, VecDeque::len);
        let is_full = |limit: usize, count: usize| limit != 0 && limit <= count;
        if is_full(self.config.waiting_max, self.waiting_count)
            || is_full(self.config.waiting_per_person_max, own)
        {
            effects.push(Effect::GiveUp(call, Unanswered::Busy));
            return;
        }
        let chain = chain.into();
        self.asked.insert(call, Asked { person, chain, attempt: 0, calling: None });
        self.wait_in_line(call, false);
    }

    fn wait_in_line(&mut self, call: CallId, first: bool) {
        let Some(asked) = self.asked.get(&call) else { return };
        let own = self.waiting.entry(asked.person).or_default();
        if own.is_empty() {
            if first {
                self.turns.push_front(asked.person);
            } else {
                self.turns.push_back(asked.person);
            }
        }
        if first {
            own.push_front(call);
        } else {
            own.push_back(call);
        }
        self.waiting_count += 1;
    }

    /// BROKER-1, BROKER-2.
    fn start_what_may_start(&mut self, effects: &mut Vec<Effect>) {
        let limit = self.config.requests_in_flight_max;
        while limit == 0 || self.in_flight < limit {
            let Some(person) = self.turns.pop_front() else { return };
            let Some(own) = self.waiting.get_mut(&person) else { continue };
            let next = own.pop_front();
            if own.is_empty() {
                self.waiting.remove(&person);
            } else {
                self.turns.push_back(person);
            }
            if let Some(call) = next {
                self.waiting_count -= 1;
                self.start(call, effects);
            }
        }
    }

    /// Asks the first model of the chain that may be asked. BROKER-4.
    fn start(&mut self, call: CallId, effects: &mut Vec<Effect>) {
        let Some(asked) = self.asked.get_mut(&call) else { return };
        while let Some(&model) = asked.chain.front() {
            if self.breakers.get_mut(model).is_some_and(|it| it.admits(call, self.now)) {
                asked.calling = Some(model);
                self.in_flight += 1;
                effects.push(Effect::Call(call, model));
                return;
            }
            asked.chain.pop_front();
            asked.attempt = 0;
        }
        self.asked.remove(&call);
        effects.push(Effect::GiveUp(call, Unanswered::AllFailed));
    }

    /// A call is no longer under way. Which model it asked.
    fn ended(&mut self, call: CallId) -> Option<usize> {
        let model = self.asked.get_mut(&call)?.calling.take()?;
        self.in_flight -= 1;
        Some(model)
    }

    fn failed(&mut self, call: CallId, what: Disposition, dice: f64, effects: &mut Vec<Effect>) {
        let now = self.now;
        let Some(model) = self.ended(call) else { return };
        if let Some(breaker) = self.breakers.get_mut(model) {
            breaker.ended(call);
            breaker.failed(now, &self.config);
        }
        let is_open =
            self.breakers.get(model).is_some_and(|it| it.state(now) == BreakerState::Open);
        let Some(asked) = self.asked.get_mut(&call) else { return };
        asked.attempt += 1;
        if let Disposition::Retry { after } = what
            && asked.attempt < self.config.attempts_max
            && !is_open
        {
            let span = after.unwrap_or_else(|| backoff(&self.config, asked.attempt, dice));
            if span <= self.config.backoff_max {
                effects.push(Effect::Pause(call, span));
                return;
            }
        }
        asked.chain.pop_front();
        asked.attempt = 0;
        self.wait_in_line(call, true);
    }
}

/// Exponential with full jitter over the upper half.
fn backoff(config: &BrokerConfig, attempt: u32, dice: f64) -> Duration {
    let doublings = 2_u32.saturating_pow(attempt.saturating_sub(1));
    let whole = config.backoff_min.saturating_mul(doublings).min(config.backoff_max);
    whole.mul_f64(0.5 + dice.clamp(0.0, 1.0) / 2.0)
}

// === The shell: carries out effects. No decisions here. ===

/// What a model has written so far, for whoever wants to look.
#[derive(Clone, Debug, Default)]
pub struct Glance(Arc<Mutex<Written>>);

/// The text so far, and how many calls have been made for it.
#[derive(Debug, Default)]
struct Written {
    text: String,
    calls: u32,
    warning: Option<Warning>,
}

impl Glance {
    /// The text so far.
    #[must_use]
    pub fn read(&self) -> String {
        self.written().text.clone()
    }

    /// Calls that were made for it, the one under way included.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.written().calls
    }

    /// What the asker is to be told of what is left to them.
    #[must_use]
    pub fn warning(&self) -> Option<Warning> {
        self.written().warning
    }

    fn warn(&self, warning: Option<Warning>) {
        self.written().warning = warning;
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, piece: &str) {
        self.written().text.push_str(piece);
    }

    /// Another call begins.
    fn begin(&self) {
        let mut written = self.written();
        written.text.clear();
        written.calls += 1;
    }
}

/// What a broker can be told.
#[derive(Debug)]
pub enum Msg {
    /// Get an answer.
    Complete {
        /// The question. Takes only screened text.
        question: Question,
        /// Whose turn it takes.
        person: i64,
        /// Who pays.
        payer: Payer,
        /// Where the text so far can be seen.
        glance: Glance,
        /// Closed when the asker is gone.
        gone: watch::Receiver<()>,
        /// Answered exactly once.
        reply: oneshot::Sender<Result<Completion, Unanswered>>,
    },
    /// Write a summary when nobody waits for an answer.
    Summarise {
        /// Of what.
        digestion: Digestion,
        /// Who pays.
        payer: Payer,
        /// Answered once; dropped if an answer had to go before.
        reply: oneshot::Sender<Result<Completion, Unanswered>>,
    },
    /// A call ended.
    Ended(CallId, CallEnd),
    /// The writing of a summary ended.
    SummaryEnded(CallId, CallEnd),
    /// A pause ended.
    PauseEnded(CallId),
    /// How are the models? Answered with name and state of each breaker.
    Breakers(oneshot::Sender<Vec<(String, BreakerState)>>),
}

/// How a call ended.
#[derive(Debug)]
pub enum CallEnd {
    /// With an answer.
    Answered(Completion),
    /// With an error.
    Failed(CompleteError),
    /// The asker went away.
    Withdrawn,
    /// It was not made: a cap is reached.
    OverCap(OverCap),
}

struct Waiting {
    question: Question,
    payer: Payer,
    glance: Glance,
    gone: watch::Receiver<()>,
    reply: oneshot::Sender<Result<Completion, Unanswered>>,
}

/// A supervised broker.
pub struct Broker {
    core: Core,
    models: Arc<[Arc<dyn Model>]>,
    egress: Handle,
    desk: Desk,
    tally: Tally,
    born: Instant,
    dice: u64,
    waiting: HashMap<CallId, Waiting>,
    summaries: Background,
    tasks: Tasks,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("core", &self.core).finish_non_exhaustive()
    }
}

impl Broker {
    /// The factory given to the supervisor: a restart begins with closed breakers and no questions.
    #[must_use]
    pub fn incarnate(
        config: BrokerConfig,
        models: Arc<[Arc<dyn Model>]>,
        egress: Handle,
        desk: Desk,
        tally: Tally,
    ) -> Self {
        let core = Core::new(config, models.len());
        let (waiting, summaries) = (HashMap::new(), Background::default());
        let (born, tasks) = (Instant::now(), Tasks::default());
        let dice = 0x9E37_79B9;
        Self { core, models, egress, desk, tally, born, dice, waiting, summaries, tasks }
    }

    fn chain_of(&self, agent: &Agent) -> Vec<usize> {
        let place = |name: &String| self.models.iter().position(|it| it.name() == name);
        let mut chain: Vec<usize> = agent.models.iter().filter_map(place).collect();
        for model in self.core.config.chain.iter().filter_map(place) {
            if !chain.contains(&model) {
                chain.push(model);
            }
        }
        chain
    }

    /// The cheaper model first, where little is left; the others stand in for it.
    fn stepped_down(&self, mut chain: Vec<usize>) -> Vec<usize> {
        let cheaper = self.desk.cheaper_model();
        let cheaper = cheaper.and_then(|name| self.models.iter().position(|it| it.name() == name));
        if let Some(cheaper) = cheaper {
            self.tally.stepped_down();
            chain.retain(|it| *it != cheaper);
            chain.insert(0, cheaper);
        }
        chain
    }

    fn perform(&mut self, input: Input, cx: &mut Cx<'_, Self>) {
        for effect in self.core.step(input, self.born.elapsed()) {
            match effect {
                Effect::Call(call, model) => self.call(call, model, cx),
                Effect::Pause(call, span) => {
                    let mailbox = cx.mailbox();
                    self.tasks.start(async move {
                        tokio::time::sleep(span).await;
                        // lost-ok: the broker ended.
                        mailbox.tell(Msg::PauseEnded(call)).await.ok();
                    });
                }
                Effect::GiveUp(call, why) => {
                    if let Some(waiting) = self.waiting.remove(&call) {
                        // lost-ok: nobody waits any more.
                        waiting.reply.send(Err(why)).ok();
                    }
                }
            }
        }
    }

    fn call(&mut self, call: CallId, model: usize, cx: &Cx<'_, Self>) {
        let (Some(waiting), Some(model)) = (self.waiting.get_mut(&call), self.models.get(model))
        else {
            return;
        };
        let tokens_max = self.core.config.answer_tokens_max;
        let count = |text: &str| model.count_tokens(text);
        let room = Room { tokens_max: model.prompt_tokens_max(tokens_max), count: &count };
        let (question, canary) = (&waiting.question, &self.core.config.canary);
        let (request, out) =
            context::request_of(question, canary, tokens_max, room, model.calls_tools());
        report(&self.tally, model.name(), out);
        let agent = waiting.question.agent.name.clone();
        let estimate = Estimate::of(&self.desk, &**model, &request);
        let want = Want { payer: waiting.payer, agent, most: estimate.most() };
        let work = one_call(
            self.egress.clone(),
            Arc::clone(model),
            Arc::new(request),
            waiting.glance.clone(),
            self.core.config.request_time_max,
            self.tally.clone(),
            waiting.gone.clone(),
        );
        let (desk, model) = (self.desk.clone(), Arc::clone(model));
        let (glance, gone) = (waiting.glance.clone(), waiting.gone.clone());
        let ticket = async move { desk.ticket(want).await };
        let work = paid_call(ticket, estimate, model, glance, gone, work);
        let mailbox: Mailbox<Msg> = cx.mailbox();
        self.tasks.start(async move {
            let end = work.await;
            // lost-ok: the broker ended.
            mailbox.leave(Msg::Ended(call, end)).await.ok();
        });
    }

    fn ended(&mut self, call: CallId, end: CallEnd, cx: &mut Cx<'_, Self>) {
        match end {
            CallEnd::Answered(completion) => {
                let usage = completion.usage;
                self.tally.tokens(usage.input_tokens, usage.output_tokens);
                self.tally.cost(usage.cost_micros);
                if let Some(waiting) = self.waiting.remove(&call) {
                    // lost-ok: nobody waits any more.
                    waiting.reply.send(Ok(completion)).ok();
                }
                self.perform(Input::Answered(call), cx);
            }
            CallEnd::Failed(error) => {
                let what = error.disposition();
                let dice = self.roll();
                self.perform(Input::Failed(call, what, dice), cx);
            }
            CallEnd::OverCap(cap) => {
                self.tally.over_cap(cap.kind);
                self.perform(Input::Refused(call, cap), cx);
            }
            CallEnd::Withdrawn => {
                self.waiting.remove(&call);
                self.perform(Input::Withdrawn(call), cx);
            }
        }
        self.start_summaries(cx);
    }

    /// A number in 0..1 for jitter: xorshift is random enough to spread retries.
    fn roll(&mut self) -> f64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        f64::from(u32::try_from(self.dice & 0xFFFF).unwrap_or(0)) / 65_536.0
    }
}

/// Tells what a model does not see for want of room. CONTEXT-2.
fn report(tally: &Tally, model: &str, out: LeftOut) {
    if out == LeftOut::default() {
        return;
    }
    tally.left_out(out);
    info!(
        labels.model = model,
        labels.exchanges = out.exchanges,
        labels.facts = out.facts,
        labels.others = out.others,
        event.action = "context_left_out",
        "a model has no room for all of a conversation"
    );
}

/// One call, with its deadline, ended early if the asker goes away. The model is spoken to on
/// `egress`, a runtime beside the actors', which have enough to do.
async fn one_call(
    egress: Handle,
    model: Arc<dyn Model>,
    request: Arc<ModelRequest>,
    glance: Glance,
    time_max: Duration,
    tally: Tally,
    mut gone: watch::Receiver<()>,
) -> CallEnd {
    glance.begin();
    let began = Instant::now();
    // Dropped, it ends what it started.
    let mut beside = JoinSet::new();
    let asked = Arc::clone(&model);
    let asking = async move {
        let mut on_text = |piece: &str| glance.push(piece);
        asked.complete(&request, &mut on_text).await
    };
    beside.spawn_on(asking, &egress);
    let asking = async {
        if time_max.is_zero() {
            return Ok(beside.join_next().await);
        }
        tokio::time::timeout(time_max, beside.join_next()).await
    };
    let asked = tokio::select! {
        biased;
        // An error means that the sender is gone. First, so that nothing is asked for nobody.
        _ = gone.changed() => return CallEnd::Withdrawn,
        asked = asking => asked,
    };
    let result = match asked {
        Err(_elapsed) => Err(CompleteError::TimedOut),
        Ok(Some(Ok(result))) => result,
        Ok(Some(Err(ended))) if ended.is_panic() => resume_unwind(ended.into_panic()),
        // The process ends.
        Ok(Some(Err(_)) | None) => return CallEnd::Withdrawn,
    };
    let seconds = began.elapsed().as_secs_f64();
    match result {
        Ok(completion) => {
            tally.called(model.name(), "ok", seconds);
            CallEnd::Answered(completion)
        }
        Err(error) => {
            tally.called(model.name(), error.label(), seconds);
            warn!(
                labels.model = model.name(), error.message = %error, error.type_ = error.label(),
                event.action = "completion_failed", "a model did not answer"
            );
            CallEnd::Failed(error)
        }
    }
}

impl Actor for Broker {
    type Msg = Msg;

    fn handle(&mut self, msg: Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        fault_point("broker");
        match msg {
            Msg::Complete { question, person, payer, glance, gone, reply } => {
                let call = CallId::unique();
                let mut chain = self.chain_of(&question.agent);
                match self.desk.weigh(payer, &question.agent.name) {
                    Purse::Full => (),
                    Purse::Low => chain = self.stepped_down(chain),
                    Purse::Empty(cap) => {
                        self.tally.over_cap(cap.kind);
                        // lost-ok: nobody waits any more.
                        reply.send(Err(Unanswered::OverCap(cap))).ok();
                        return Ok(());
                    }
                }
                if !question.images.is_empty() {
                    chain.retain(|it| self.models.get(*it).is_some_and(|it| it.sees()));
                    if chain.is_empty() {
                        // lost-ok: nobody waits any more.
                        reply.send(Err(Unanswered::CannotSee)).ok();
                        return Ok(());
                    }
                }
                if chain.is_empty() {
                    debug!("no model is configured");
                }
                self.make_way(&chain);
                self.waiting.insert(call, Waiting { question, payer, glance, gone, reply });
                self.perform(Input::Asked(call, person, chain), cx);
            }
            Msg::Summarise { digestion, payer, reply } => {
                self.summarise(digestion, payer, reply, cx);
            }
            Msg::SummaryEnded(call, end) => self.summary_ended(call, end, cx),
            Msg::Ended(call, end) => self.ended(call, end, cx),
            Msg::PauseEnded(call) => self.perform(Input::PauseEnded(call), cx),
            Msg::Breakers(reply) => {
                let now = self.born.elapsed();
                let names = self.models.iter().map(|it| it.name().to_owned());
                // lost-ok: whoever asked for the status went away.
                reply.send(names.zip(self.core.breakers(now)).collect()).ok();
            }
        }
        Ok(())
    }
}
