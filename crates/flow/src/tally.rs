//! Counts what happened, for `/metrics`. Labels come from closed sets; never an id, never a text.

mod sensed;

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use protocol::{
    Clock, SessionKey, Timestamp,
    company::BotCut,
    event::{Event, Outcome},
};

use crate::{context::LeftOut, guard::Verdict, treasurer::books::Kind};

/// A label of one word.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Word {
    kind: &'static str,
}

/// The labels of a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Decision {
    direction: &'static str,
    kind: String,
    action: &'static str,
}

/// The label of a finding in shadow, or of a false alarm.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Way {
    direction: &'static str,
}

/// The labels of an answered or failed model call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Call {
    model: String,
    result: &'static str,
}

/// The labels of a call of a tool. Which tools there are, the configuration says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ToolCalled {
    tool: String,
    result: &'static str,
}

/// The label of a turn that ended, or of a recording or an answer aloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Ended {
    result: &'static str,
}

/// The label of tokens: `input` or `output`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Typed {
    r#type: &'static str,
}

/// The label of an update that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Aside {
    reason: &'static str,
}

/// The labels of a call to Telegram; the code is 0 where no answer came.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Asked {
    method: String,
    code: u16,
}

/// The labels of a message about an alert.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Tell {
    sink: &'static str,
    result: &'static str,
}

/// The labels of a playbook's step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Step {
    /// The playbook's name, as its file has it.
    pub playbook: String,
    /// The word for what it does.
    pub step: &'static str,
    /// `taken`, `left_out`, `ended` or `undone`.
    pub outcome: &'static str,
}

/// The bounds of the buckets in which the rules of the alerter count replies, in seconds.
pub const REPLY_BOUNDS: [f64; 17] = [
    0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0, 90.0, 120.0,
    300.0,
];

/// What the rules of the alerter read, counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Calls to models that ended.
    pub calls: u64,
    /// Those that failed.
    pub failed_calls: u64,
    /// Texts that the guard stopped.
    pub blocks: u64,
    /// Updates that came.
    pub updates: u64,
    /// Tokens used.
    pub tokens: u64,
    /// What answers cost, in millionths.
    pub cost_micros: u64,
    /// Replies by how long they took; the last bucket has no bound.
    pub replies: [u64; REPLY_BOUNDS.len() + 1],
}

/// The same where it is counted.
#[derive(Debug, Default)]
struct Watching {
    calls: AtomicU64,
    failed_calls: AtomicU64,
    blocks: AtomicU64,
    updates: AtomicU64,
    tokens: AtomicU64,
    cost_micros: AtomicU64,
    replies: [AtomicU64; REPLY_BOUNDS.len() + 1],
}

/// Takes what is recorded of a conversation, and when.
type Follow = dyn Fn(SessionKey, &[Event], Timestamp) + Send + Sync;

/// Who follows turns by what is recorded of them. It must not wait.
pub struct Follower(pub Box<Follow>);

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follower")
    }
}

/// Every figure of the flow. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tally(Arc<Figures>);

/// The figures themselves.
#[derive(Debug)]
pub struct Figures {
    updates: Family<Word, Counter>,
    quarantined: Family<Aside, Counter>,
    replies: Family<Ended, Counter>,
    reply_seconds: Histogram,
    decisions: Family<Decision, Counter>,
    shadow_findings: Family<Way, Counter>,
    false_alarms: Family<Way, Counter>,
    calls: Family<Call, Counter>,
    call_seconds: Histogram,
    tool_calls: Family<ToolCalled, Counter>,
    tokens: Family<Typed, Counter>,
    cost: Counter<f64, AtomicU64>,
    over_cap: Family<Word, Counter>,
    stepped_down: Counter,
    sends: Family<Word, Counter>,
    telegram: Family<Asked, Counter>,
    retry_after: Gauge<f64, AtomicU64>,
    alerts: Family<Tell, Counter>,
    watching: Watching,
    left_out: Family<Word, Counter>,
    summaries: Family<Word, Counter>,
    recalls: Family<Word, Counter>,
    last_poll: Gauge<f64, AtomicU64>,
    backups: Family<Word, Counter>,
    last_backup: Gauge<f64, AtomicU64>,
    steps: Family<Step, Counter>,
    chains_cut: Family<Aside, Counter>,
    senses: sensed::Senses,
    follower: OnceLock<Follower>,
}

impl Figures {
    fn register_models(&self, registry: &mut Registry) {
        registry.register("llm_requests", "Calls to models, by result", self.calls.clone());
        registry.register("llm_duration_seconds", "Duration of a call", self.call_seconds.clone());
        registry.register(
            "tool_calls",
            "Calls of tools, by what became of them",
            self.tool_calls.clone(),
        );
        registry.register("llm_tokens", "Tokens, by direction", self.tokens.clone());
        registry.register(
            "context_left_out",
            "What models did not see for want of room",
            self.left_out.clone(),
        );
        registry.register(
            "llm_cost",
            "What answers, listening and speaking cost, in the currency of the price list",
            self.cost.clone(),
        );
        registry.register(
            "budget_refusals",
            "Questions that were refused since a cap was reached, by whose it is",
            self.over_cap.clone(),
        );
        registry.register(
            "budget_stepped_down",
            "Questions that went to the cheaper model since little was left",
            self.stepped_down.clone(),
        );
    }

    fn register_more(&self, registry: &mut Registry) {
        registry.register(
            "telegram_requests",
            "Calls to the Bot API, by what came of them",
            self.telegram.clone(),
        );
        registry.register(
            "telegram_retry_after_seconds",
            "How long Telegram wanted to be left alone when it last said so",
            self.retry_after.clone(),
        );
        registry.register(
            "updates_quarantined",
            "Updates that were set aside, by why",
            self.quarantined.clone(),
        );
        registry.register(
            "alerts",
            "Messages about alerts, by where they went and what became of them",
            self.alerts.clone(),
        );
        registry.register(
            "last_poll_timestamp_seconds",
            "When updates were last received or asked for with success",
            self.last_poll.clone(),
        );
        registry.register("backups", "Backups, by result", self.backups.clone());
        registry.register(
            "last_backup_timestamp_seconds",
            "When the last good backup was made; 0 if there is none",
            self.last_backup.clone(),
        );
        registry.register(
            "playbook_steps",
            "Steps of playbooks, by what became of them",
            self.steps.clone(),
        );
        registry.register(
            "bot_chains_cut",
            "How often other bots were not answered any more, by why",
            self.chains_cut.clone(),
        );
    }
}

impl Tally {
    /// New figures, registered where `/metrics` reads them.
    pub fn register(registry: &mut Registry) -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 17));
        let it = Figures {
            updates: Family::default(),
            quarantined: Family::default(),
            replies: Family::default(),
            reply_seconds: seconds(),
            decisions: Family::default(),
            shadow_findings: Family::default(),
            false_alarms: Family::default(),
            calls: Family::default(),
            call_seconds: seconds(),
            tool_calls: Family::default(),
            tokens: Family::default(),
            cost: Counter::default(),
            over_cap: Family::default(),
            stepped_down: Counter::default(),
            sends: Family::default(),
            telegram: Family::default(),
            retry_after: Gauge::default(),
            alerts: Family::default(),
            watching: Watching::default(),
            left_out: Family::default(),
            summaries: Family::default(),
            recalls: Family::default(),
            last_poll: Gauge::default(),
            backups: Family::default(),
            last_backup: Gauge::default(),
            steps: Family::default(),
            chains_cut: Family::default(),
            senses: sensed::Senses::default(),
            follower: OnceLock::new(),
        };
        registry.register(
            "updates_received",
            "Updates, by what became of them",
            it.updates.clone(),
        );
        registry.register("replies", "Turns, by how they ended", it.replies.clone());
        registry.register(
            "reply_duration_seconds",
            "From an update's arrival to its last part being accepted",
            it.reply_seconds.clone(),
        );
        registry.register(
            "guard_decisions",
            "Verdicts of the guard, by each kind of what was found",
            it.decisions.clone(),
        );
        registry.register(
            "guard_shadow_findings",
            "What rules in shadow found",
            it.shadow_findings.clone(),
        );
        registry.register(
            "guard_false_alarms",
            "Refusals that an admin marked as false alarms",
            it.false_alarms.clone(),
        );
        it.register_models(registry);
        registry.register("telegram_sends", "Sent messages, by result", it.sends.clone());
        registry.register("summaries", "Summaries, by who wrote them", it.summaries.clone());
        registry.register("recalls", "Searches in the past, by result", it.recalls.clone());
        it.register_more(registry);
        it.senses.register(registry);
        Self(Arc::new(it))
    }

    /// Names who follows turns. The first one stays.
    pub fn follow(&self, follower: Follower) {
        // lost-ok: there is one already.
        self.0.follower.set(follower).ok();
    }

    /// Something is being recorded of a conversation. Costs nothing where nobody follows.
    pub fn recording(&self, key: SessionKey, events: &[Event], clock: &dyn Clock) {
        if let Some(Follower(follow)) = self.0.follower.get() {
            follow(key, events, clock.now());
        }
    }

    /// Updates came in.
    pub fn updates(&self, kind: &'static str, count: u64) {
        self.0.updates.get_or_create(&Word { kind }).inc_by(count);
        self.0.watching.updates.fetch_add(count, Relaxed);
    }

    /// Updates were set aside: unread, or after they failed too often.
    pub fn quarantined(&self, reason: &'static str, count: u64) {
        self.0.quarantined.get_or_create(&Aside { reason }).inc_by(count);
    }

    /// A turn ended.
    pub fn replied(&self, outcome: Outcome, seconds: f64) {
        let result = match outcome {
            Outcome::Answered => "answered",
            Outcome::Refused => "refused",
            Outcome::Cancelled => "cancelled",
            Outcome::Ignored => "ignored",
            Outcome::Quarantined => "quarantined",
            Outcome::Undeliverable => "undeliverable",
        };
        self.0.replies.get_or_create(&Ended { result }).inc();
        if outcome == Outcome::Quarantined {
            self.quarantined("failed", 1);
        }
        if outcome == Outcome::Answered {
            self.0.reply_seconds.observe(seconds);
            let at = REPLY_BOUNDS.iter().position(|it| seconds <= *it);
            let bucket = self.0.watching.replies.get(at.unwrap_or(REPLY_BOUNDS.len()));
            if let Some(bucket) = bucket {
                bucket.fetch_add(1, Relaxed);
            }
        }
    }

    /// The guard spoke.
    pub fn judged<T>(&self, direction: &'static str, verdict: &Verdict<T>) {
        let action = match verdict {
            Verdict::Refuse(_) => "refuse",
            Verdict::Clear(_, judged) => match judged.verdict.as_str() {
                "flag" => "flag",
                "redact" => "redact",
                _ => "clear",
            },
        };
        if action == "refuse" {
            self.0.watching.blocks.fetch_add(1, Relaxed);
        }
        let judged = verdict.judged();
        let count = |kind: &str| {
            let decision = Decision { direction, kind: kind.to_owned(), action };
            self.0.decisions.get_or_create(&decision).inc();
        };
        match judged.kinds.as_slice() {
            [] => count("none"),
            kinds => kinds.iter().for_each(|it| count(it)),
        }
        if !judged.shadow.is_empty() {
            let found = self.0.shadow_findings.get_or_create(&Way { direction });
            found.inc_by(judged.shadow.len() as u64);
        }
    }

    /// An admin marked a refusal as a false alarm.
    pub fn false_alarm(&self, direction: &'static str) {
        self.0.false_alarms.get_or_create(&Way { direction }).inc();
    }

    /// A model was called.
    pub fn called(&self, model: &str, result: &'static str, seconds: f64) {
        self.0.calls.get_or_create(&Call { model: model.to_owned(), result }).inc();
        self.0.call_seconds.observe(seconds);
        self.0.watching.calls.fetch_add(1, Relaxed);
        if result != "ok" {
            self.0.watching.failed_calls.fetch_add(1, Relaxed);
        }
    }

    /// A tool was called, or would have been.
    pub fn tool_called(&self, tool: &str, result: &'static str) {
        self.0.tool_calls.get_or_create(&ToolCalled { tool: tool.to_owned(), result }).inc();
    }

    /// Tokens were used.
    pub fn tokens(&self, input: u64, output: u64) {
        self.0.tokens.get_or_create(&Typed { r#type: "input" }).inc_by(input);
        self.0.tokens.get_or_create(&Typed { r#type: "output" }).inc_by(output);
        self.0.watching.tokens.fetch_add(input.saturating_add(output), Relaxed);
    }

    /// An answer has a price.
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at, not to settle by")]
    pub fn cost(&self, micros: u64) {
        self.0.cost.inc_by(micros as f64 / 1e6);
        self.0.watching.cost_micros.fetch_add(micros, Relaxed);
    }

    /// A question was refused since a cap is reached.
    pub fn over_cap(&self, kind: Kind) {
        let kind = match kind {
            Kind::Person => "person",
            Kind::Chat => "chat",
            Kind::Agent => "agent",
            Kind::Hall => "hall",
        };
        self.0.over_cap.get_or_create(&Word { kind }).inc();
    }

    /// A question went to the cheaper model.
    pub fn stepped_down(&self) {
        self.0.stepped_down.inc();
    }

    /// A step of a playbook was taken or left out, or is over.
    pub fn stepped(&self, step: &Step) {
        self.0.steps.get_or_create(step).inc();
    }

    /// Other bots are not answered any more until a person writes.
    pub fn bots_cut(&self, why: BotCut) {
        self.0.chains_cut.get_or_create(&Aside { reason: why.word() }).inc();
    }

    /// A model does not see all of a conversation.
    pub fn left_out(&self, out: LeftOut) {
        let parts = [("exchange", out.exchanges), ("fact", out.facts), ("other", out.others)];
        for (kind, count) in parts.into_iter().filter(|(_, count)| 0 < *count) {
            self.0.left_out.get_or_create(&Word { kind }).inc_by(count as u64);
        }
    }

    /// A summary was written.
    pub fn summarised(&self, kind: &'static str) {
        self.0.summaries.get_or_create(&Word { kind }).inc();
    }

    /// The past was looked through for a question, or something was made to be found later.
    pub fn recalled(&self, kind: &'static str) {
        self.0.recalls.get_or_create(&Word { kind }).inc();
    }

    /// A send was tried.
    pub fn sent(&self, kind: &'static str) {
        self.0.sends.get_or_create(&Word { kind }).inc();
    }

    /// A method of the Bot API was called.
    pub fn telegram_called(&self, method: &str, code: u16) {
        self.0.telegram.get_or_create(&Asked { method: method.to_owned(), code }).inc();
    }

    /// Telegram wants to be left alone for so long.
    pub fn asked_to_wait(&self, span: std::time::Duration) {
        self.0.retry_after.set(span.as_secs_f64());
    }

    /// Somebody was to be told of an alert.
    pub fn alerted(&self, sink: &'static str, result: &'static str) {
        self.0.alerts.get_or_create(&Tell { sink, result }).inc();
    }

    /// What the rules of the alerter read.
    #[must_use]
    pub fn watched(&self) -> Watched {
        let it = &self.0.watching;
        Watched {
            calls: it.calls.load(Relaxed),
            failed_calls: it.failed_calls.load(Relaxed),
            blocks: it.blocks.load(Relaxed),
            updates: it.updates.load(Relaxed),
            tokens: it.tokens.load(Relaxed),
            cost_micros: it.cost_micros.load(Relaxed),
            replies: it.replies.each_ref().map(|it| it.load(Relaxed)),
        }
    }

    /// A good backup was made at this time.
    pub fn backed_up(&self, at: protocol::Timestamp) {
        self.0.backups.get_or_create(&Word { kind: "good" }).inc();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit in 53 bits")]
        self.0.last_backup.set(at.0 as f64 / 1000.0);
    }

    /// A backup failed.
    pub fn backup_failed(&self) {
        self.0.backups.get_or_create(&Word { kind: "failed" }).inc();
    }

    /// When the last good backup was made, in seconds since 1970.
    #[must_use]
    pub fn last_backup(&self) -> Option<f64> {
        Some(self.0.last_backup.get()).filter(|it| 0.0 < *it)
    }

    /// Updates were received, or asked for with success.
    pub fn polled(&self, at: protocol::Timestamp) {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit in 53 bits")]
        self.0.last_poll.set(at.0 as f64 / 1000.0);
    }
}
