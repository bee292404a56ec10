//! Summaries: asked of a model only while nobody waits for an answer. BROKER-5.
//!
//! A summary that is being written counts as a call (BROKER-1), but has no place in line: it starts
//! when there is room, and is dropped when a question needs its place or its model. Whoever wanted
//! it asks again after a later answer.

use std::collections::{HashMap, VecDeque};

use super::BreakerState;
use super::{
    Arc, Broker, CallEnd, CallId, Completion, Cx, Digestion, Duration, Estimate, Glance, Mailbox,
    Msg, Payer, Room, Unanswered, Want, context, one_call, oneshot, paid_call, watch,
};

/// Summaries that may wait, and that are written at the same time.
const WAITING_MAX: usize = 256;
const WRITING_MAX: usize = 2;
/// How long writing one may take.
const TIME_MAX: Duration = Duration::from_secs(120);

/// The summaries that are wanted and written.
#[derive(Default)]
pub(super) struct Background {
    wanted: VecDeque<Wanted>,
    writing: HashMap<CallId, Writing>,
}

/// Of what, who pays, and whom to tell.
type Wanted = (Digestion, Payer, Reply);
type Reply = oneshot::Sender<Result<Completion, Unanswered>>;

struct Writing {
    model: usize,
    reply: Reply,
    /// Dropped to end it.
    _stop: watch::Sender<()>,
}

impl Broker {
    pub(super) fn summarise(
        &mut self,
        digestion: Digestion,
        payer: Payer,
        reply: Reply,
        cx: &Cx<'_, Self>,
    ) {
        if WAITING_MAX <= self.summaries.wanted.len() {
            // lost-ok: whoever asked is gone.
            reply.send(Err(Unanswered::Busy)).ok();
            return;
        }
        self.summaries.wanted.push_back((digestion, payer, reply));
        self.start_summaries(cx);
    }

    /// A question comes: what it needs is free before it is asked for.
    pub(super) fn make_way(&mut self, chain: &[usize]) {
        let exclusive = |it: usize| self.models.get(it).is_some_and(|model| model.is_exclusive());
        let needed = chain.first().copied().filter(|it| exclusive(*it));
        let is_full = !self.core.has_room_for(self.summaries.writing.len());
        // lost-ok: who waits for a summary finds its reply dropped, and asks again later.
        self.summaries.writing.retain(|_, it| !is_full && Some(it.model) != needed);
    }

    pub(super) fn start_summaries(&mut self, cx: &Cx<'_, Self>) {
        while self.summaries.writing.len() < WRITING_MAX
            && self.core.has_room_for(self.summaries.writing.len())
        {
            let Some((digestion, payer, reply)) = self.summaries.wanted.pop_front() else { return };
            if reply.is_closed() {
                continue;
            }
            let Some(model) = self.first_open(&digestion) else {
                // lost-ok: whoever asked is gone.
                reply.send(Err(Unanswered::AllFailed)).ok();
                continue;
            };
            if self.is_taken(model) {
                self.summaries.wanted.push_front((digestion, payer, reply));
                return;
            }
            self.write_summary(&digestion, payer, model, reply, cx);
        }
    }

    /// The first model of the chain that is not left alone at the moment.
    fn first_open(&self, digestion: &Digestion) -> Option<usize> {
        let states: Vec<BreakerState> = self.core.breakers(self.born.elapsed()).collect();
        let is_open = |it: &usize| states.get(*it) == Some(&BreakerState::Closed);
        self.chain_of(&digestion.agent).into_iter().find(is_open)
    }

    /// A model that answers one request at a time answers somebody.
    fn is_taken(&self, model: usize) -> bool {
        let exclusive = self.models.get(model).is_some_and(|it| it.is_exclusive());
        let writes = || self.summaries.writing.values().any(|it| it.model == model);
        exclusive && (self.core.is_calling(model) || writes())
    }

    fn write_summary(
        &mut self,
        digestion: &Digestion,
        payer: Payer,
        place: usize,
        reply: Reply,
        cx: &Cx<'_, Self>,
    ) {
        let Some(model) = self.models.get(place).map(Arc::clone) else { return };
        let count = |text: &str| model.count_tokens(text);
        let usual = self.core.config.answer_tokens_max;
        let room = Room { tokens_max: model.prompt_tokens_max(usual), count: &count };
        let request = Arc::new(context::summary_request(digestion, room));
        let (call, (stop, stopped)) = (CallId::unique(), watch::channel(()));
        let (glance, tally) = (Glance::default(), self.tally.clone());
        let estimate = Estimate::of(&self.desk, &*model, &request);
        let agent = digestion.agent.name.clone();
        let want = Want { payer, agent, most: estimate.most() };
        let (one, gone) = (Arc::clone(&model), stopped.clone());
        let work =
            one_call(self.egress.clone(), one, request, glance.clone(), TIME_MAX, tally, stopped);
        let desk = self.desk.clone();
        let ticket = async move { desk.ticket(want).await };
        let work = paid_call(ticket, estimate, model, glance, gone, work);
        self.summaries.writing.insert(call, Writing { model: place, reply, _stop: stop });
        let mailbox: Mailbox<Msg> = cx.mailbox();
        self.tasks.start(async move {
            let end = work.await;
            // lost-ok: the broker ended.
            mailbox.tell(Msg::SummaryEnded(call, end)).await.ok();
        });
    }

    pub(super) fn summary_ended(&mut self, call: CallId, end: CallEnd, cx: &Cx<'_, Self>) {
        if let Some(writing) = self.summaries.writing.remove(&call) {
            let answer = match end {
                CallEnd::Answered(completion) => {
                    let usage = completion.usage;
                    self.tally.tokens(usage.input_tokens, usage.output_tokens);
                    self.tally.cost(usage.cost_micros);
                    Ok(completion)
                }
                CallEnd::Failed(_) => Err(Unanswered::AllFailed),
                CallEnd::Withdrawn => Err(Unanswered::Busy),
                CallEnd::OverCap(cap) => Err(Unanswered::OverCap(cap)),
            };
            // lost-ok: whoever asked is gone, and asks again after a later answer.
            writing.reply.send(answer).ok();
        }
        self.start_summaries(cx);
    }
}
