//! Tells a collector of OpenTelemetry how turns went, and the figures of the hall.
//!
//! A turn is put together from the events that are recorded of it anyway, and told when it ends: a span with a
//! child for each stage. What began before the hall was started is told as far as it was seen. No text is in it,
//! and nobody's id: conversations and turns are keyed hashes.

mod hands;

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use adapters::otlp::{Collector, OtlpError, Request, Sending};
use console::Source as _;
use flow::trace::Trace;
use protocol::{
    Clock as _, SessionKey, Timestamp, UpdateId,
    event::{AnswerKind, Course, Event, Outcome},
};
use tracing::warn;
use watch::{
    KeyedHasher,
    figures::{self, Family, Kind, Point},
    otlp::{self, Attribute, Side, Span, names},
};

use self::hands::{Calls, Told};
use crate::{
    config::{Config, Loaded, OTLP_HEADERS, Protocol},
    run::SystemClock,
    source::HallSource,
};

/// Turns that are under way, and turns that wait to be told.
const TURNS_MAX: usize = 4_096;
/// How often turns that ended are told.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// The number of the first span of a tool: those before are the stages'.
const TOOLS_FROM: u32 = 16;

/// A turn that ended.
struct Ended {
    trace: [u8; 16],
    conversation: String,
    told: Trace,
    calls: Calls,
    closed: Timestamp,
}

#[derive(Default)]
struct Under {
    way: HashMap<(SessionKey, UpdateId), (Trace, Calls)>,
    ended: Vec<Ended>,
}

/// Who serves a model, and what it is called there, by that and by its name in the configuration.
type Served = BTreeMap<String, (String, String)>;

/// Follows turns from what is recorded of them.
pub(crate) struct Turns {
    under: Mutex<Under>,
    hasher: Arc<KeyedHasher>,
    served: Served,
    /// Turns that found no room.
    lost: AtomicU64,
}

/// What tells a collector.
pub(crate) struct Teller {
    /// Follows turns; `None` where only figures are told.
    pub(crate) turns: Option<Arc<Turns>>,
    figures_every: Option<Duration>,
    resource: BTreeMap<String, String>,
    begun: Timestamp,
    progress: RefCell<Progress>,
    collector: Collector,
    /// Dropped after the one above, it waits for what is left.
    _sending: Sending,
}

/// How far it is.
#[derive(Default)]
struct Progress {
    models: Models,
    next_figures: Timestamp,
    lost: u64,
}

/// Makes what tells a collector, if the configuration names one.
///
/// # Errors
/// If it cannot be spoken to from this machine, whether it is there or not.
pub(crate) fn teller(
    loaded: &Loaded,
    hasher: &Arc<KeyedHasher>,
) -> Result<Option<Teller>, OtlpError> {
    let config = &loaded.config.telemetry;
    let Some(endpoint) = &config.otlp_endpoint else { return Ok(None) };
    let headers = loaded.secrets.get(OTLP_HEADERS);
    let (collector, sending) = Collector::start(endpoint, headers)?;
    let turns = config.otlp_traces.then(|| {
        Arc::new(Turns {
            under: Mutex::default(),
            hasher: Arc::clone(hasher),
            served: served(&loaded.config),
            lost: AtomicU64::new(0),
        })
    });
    let resource = [
        ("service.name", "guildhall"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("service.instance.id", loaded.config.alerts.source.as_str()),
    ];
    let resource = resource.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let figures_every = config.otlp_metrics.then_some(config.otlp_every);
    Ok(Some(Teller {
        turns,
        figures_every,
        resource: resource.into(),
        begun: SystemClock.now(),
        progress: RefCell::default(),
        collector,
        _sending: sending,
    }))
}

fn served(config: &Config) -> Served {
    let served = config.models.iter().flat_map(|it| {
        let provider = match it.protocol {
            Protocol::OpenAi => "openai",
            Protocol::Anthropic => "anthropic",
            Protocol::Embedded => "guildhall.embedded",
        };
        let model = if it.model.is_empty() { it.name.clone() } else { it.model.clone() };
        let served = (provider.to_owned(), model.clone());
        [(model, served.clone()), (it.name.clone(), served)]
    });
    served.collect()
}

impl Turns {
    /// Takes what is being recorded of a conversation. Never waits.
    pub(crate) fn take(&self, key: SessionKey, events: &[Event], now: Timestamp) {
        let mut under = self.under.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            let Some(update) = event.update() else { continue };
            let is_known = under.way.contains_key(&(key, update));
            if !is_known && TURNS_MAX <= under.way.len() {
                self.lost.fetch_add(1, Relaxed);
                continue;
            }
            let (trace, calls) = under.way.entry((key, update)).or_default();
            trace.take(event);
            calls.take(event, now);
            if matches!(event, Event::TurnClosed { .. })
                && let Some((told, calls)) = under.way.remove(&(key, update))
                && told.course.is_some()
            {
                if TURNS_MAX <= under.ended.len() {
                    self.lost.fetch_add(1, Relaxed);
                    continue;
                }
                let trace = self.hasher.turn(key, update);
                let conversation = self.hasher.conversation(key);
                under.ended.push(Ended { trace, conversation, told, calls, closed: now });
            }
        }
    }

    fn ended(&self) -> Vec<Ended> {
        let mut under = self.under.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut under.ended)
    }
}

/// Tells the collector again and again. Runs until it is dropped.
pub(crate) async fn tell(teller: Rc<Teller>, source: Arc<HallSource>) {
    loop {
        tokio::time::sleep(TELL_EVERY.min(teller.figures_every.unwrap_or(TELL_EVERY))).await;
        teller.round(&source, false);
    }
}

impl Teller {
    /// Tells what there is to tell; at the end, the figures as well, whether it is time or not.
    pub(crate) fn round(&self, source: &HallSource, is_last: bool) {
        let (now, mut progress) = (SystemClock.now(), self.progress.borrow_mut());
        if let Some(turns) = &self.turns {
            let ended = turns.ended();
            ended.iter().for_each(|it| progress.models.count(it, &turns.served));
            let spans: Vec<Span> = ended.iter().flat_map(|it| spans(it, &turns.served)).collect();
            if !spans.is_empty() {
                let (body, items) = (otlp::traces(&self.resource, &spans), spans.len() as u64);
                self.collector.send(Request { path: "/v1/traces", body, items });
            }
        }
        if let Some(every) = self.figures_every
            && (is_last || progress.next_figures <= now)
        {
            progress.next_figures = now.plus(every);
            let mut families = figures::read(&source.metrics());
            families.extend(progress.models.families());
            let body = otlp::metrics(&self.resource, &families, (self.begun, now));
            let items = families.len() as u64;
            self.collector.send(Request { path: "/v1/metrics", body, items });
        }
        let untold = self.turns.as_ref().map_or(0, |it| it.lost.load(Relaxed));
        let lost = self.collector.lost() + untold;
        let [counted, _] = &source.untold;
        counted.store(lost, Relaxed);
        if progress.lost < lost {
            warn!(
                labels.items = lost - progress.lost,
                event.action = "telemetry_lost",
                event.outcome = "failure",
                "spans or figures did not reach the collector"
            );
            progress.lost = lost;
        }
    }
}

/// A span for the turn, and one for each of its stages.
fn spans(it: &Ended, served: &Served) -> Vec<Span> {
    let Some(course) = &it.told.course else { return Vec::new() };
    let id = |number: u32| {
        let mut id = [0; 8];
        id.iter_mut().zip(it.trace).for_each(|(to, from)| *to = from);
        id.iter_mut().rev().zip(number.to_le_bytes()).for_each(|(to, part)| *to ^= part);
        id
    };
    let span = |number, name: String, time, attributes| Span {
        trace: it.trace,
        id: id(number),
        parent: (0 < number).then(|| id(0)),
        name,
        side: Side::Internal,
        time,
        attributes,
        failed: false,
    };
    let mut spans =
        vec![whole(it, course, span(0, String::new(), (course.arrived, it.closed), Vec::new()))];
    let at = |ms: u64| course.arrived.plus(Duration::from_millis(ms));
    let verdict = |judged: &Option<protocol::event::Judged>| {
        let verdict = judged.iter().map(|it| word("guildhall.verdict", &it.verdict));
        verdict.collect::<Vec<_>>()
    };
    let judged = course.prompt_judged_ms.map(at);
    if let Some(judged) = judged {
        let attributes = verdict(&it.told.prompt);
        spans.push(span(1, "guard question".to_owned(), (course.arrived, judged), attributes));
    }
    let recalled = course.recalled_ms.map(at);
    if let (Some(judged), Some(recalled)) = (judged, recalled) {
        spans.push(span(2, "recall".to_owned(), (judged, recalled), Vec::new()));
    }
    let ready = at(course.ready_ms);
    if let (Some(began), Some(completed)) = (recalled.or(judged), course.completed_ms.map(at)) {
        let (name, attributes, failed) = chat(&it.told, course, served);
        let chat = span(3, name, (began, completed), attributes);
        spans.push(Span { side: Side::Client, failed, ..chat });
        for Told { number, name, time, attributes, failed } in it.calls.told(it.closed) {
            let call = span(TOOLS_FROM.saturating_add(number), name, time, attributes);
            spans.push(Span { failed, ..call });
        }
        if it.told.draft.is_some() {
            let attributes = verdict(&it.told.draft);
            spans.push(span(4, "guard answer".to_owned(), (completed, ready), attributes));
        }
    }
    if 0 < it.told.parts {
        let sent = number("guildhall.parts_sent", u64::from(it.told.parts_sent));
        spans.push(span(5, "outbox".to_owned(), (ready, it.closed), vec![sent]));
    }
    spans
}

fn word(key: &'static str, value: &str) -> (&'static str, Attribute) {
    (key, Attribute::Word(value.to_owned()))
}

fn number(key: &'static str, value: u64) -> (&'static str, Attribute) {
    (key, Attribute::Number(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn whole(it: &Ended, course: &Course, span: Span) -> Span {
    let agent = course.agent.as_ref().map_or("", |it| it.as_str());
    let mut attributes = vec![
        word(names::OPERATION, names::INVOKE_AGENT),
        word(names::AGENT, agent),
        word(names::CONVERSATION, &it.conversation),
        number("guildhall.attempts", u64::from(it.told.attempts.max(1))),
        number("guildhall.parts", it.told.parts as u64),
    ];
    let failure = match (it.told.outcome, it.told.kind) {
        (Some(Outcome::Quarantined), _) => Some("quarantined"),
        (Some(Outcome::Undeliverable), _) => Some("undeliverable"),
        (_, Some(AnswerKind::Apology)) => Some("apology"),
        (
            Some(Outcome::Answered | Outcome::Refused | Outcome::Cancelled | Outcome::Ignored)
            | None,
            Some(AnswerKind::Model | AnswerKind::Notice | AnswerKind::Refusal) | None,
        ) => None,
    };
    attributes.extend(it.told.outcome.map(|it| word("guildhall.outcome", outcome(it))));
    attributes.extend(failure.map(|it| word(names::ERROR, it)));
    let name = format!("{} {agent}", names::INVOKE_AGENT);
    Span { name, attributes, failed: failure.is_some(), ..span }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Refused => "refused",
        Outcome::Cancelled => "cancelled",
        Outcome::Ignored => "ignored",
        Outcome::Quarantined => "quarantined",
        Outcome::Undeliverable => "undeliverable",
    }
}

/// What a call to a model is called, what is known about it, and whether it failed.
fn chat(
    told: &Trace,
    course: &Course,
    served: &Served,
) -> (String, Vec<(&'static str, Attribute)>, bool) {
    let calls = number("guildhall.calls", u64::from(course.calls));
    let mut attributes = vec![word(names::OPERATION, names::CHAT), calls];
    let Some(name) = &told.model else {
        attributes.push(word(names::ERROR, "no_answer"));
        return (names::CHAT.to_owned(), attributes, true);
    };
    let (provider, model) = provider_of(name, served);
    attributes.extend([
        word(names::PROVIDER, &provider),
        word(names::REQUEST_MODEL, &model),
        word(names::RESPONSE_MODEL, &model),
        number(names::INPUT_TOKENS, told.usage.input_tokens),
        number(names::OUTPUT_TOKENS, told.usage.output_tokens),
    ]);
    (format!("{} {model}", names::CHAT), attributes, false)
}

fn provider_of(name: &str, served: &Served) -> (String, String) {
    served.get(name).cloned().unwrap_or_else(|| ("unknown".to_owned(), name.to_owned()))
}

/// The metrics that the conventions ask of whoever calls models, counted since the start.
#[derive(Default)]
struct Models {
    durations: BTreeMap<BTreeMap<String, String>, Point>,
    tokens: BTreeMap<BTreeMap<String, String>, Point>,
}

impl Models {
    fn count(&mut self, it: &Ended, served: &Served) {
        let (Some(course), Some(name)) = (&it.told.course, &it.told.model) else { return };
        let (Some(judged), Some(completed)) = (course.prompt_judged_ms, course.completed_ms) else {
            return;
        };
        let (provider, model) = provider_of(name, served);
        let labels = [
            (names::OPERATION, names::CHAT),
            (names::PROVIDER, provider.as_str()),
            (names::REQUEST_MODEL, model.as_str()),
        ];
        let labels: BTreeMap<String, String> =
            labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let began = course.recalled_ms.unwrap_or(judged);
        let took = Duration::from_millis(completed.saturating_sub(began)).as_secs_f64();
        let durations = self.durations.entry(labels.clone());
        seen(durations.or_insert_with(|| empty(&labels, &names::DURATION_BOUNDS)), took);
        let usage = &it.told.usage;
        for (kind, count) in [("input", usage.input_tokens), ("output", usage.output_tokens)] {
            let mut labels = labels.clone();
            labels.insert(names::TOKEN_TYPE.to_owned(), kind.to_owned());
            let tokens = self.tokens.entry(labels.clone());
            #[expect(clippy::cast_precision_loss, reason = "tokens of one answer")]
            let count = count as f64;
            seen(tokens.or_insert_with(|| empty(&labels, &names::TOKEN_BOUNDS)), count);
        }
    }

    fn families(&self) -> Vec<Family> {
        let family = |name: &str, help: &str, points: &BTreeMap<_, Point>| Family {
            name: name.to_owned(),
            help: help.to_owned(),
            kind: Kind::Histogram,
            points: points.values().cloned().collect(),
        };
        let families = [
            family(
                names::DURATION,
                "From the question being judged until a model had answered, waiting and retries included",
                &self.durations,
            ),
            family(names::TOKEN_USAGE, "Tokens of one answer, by direction", &self.tokens),
        ];
        families.into_iter().filter(|it| !it.points.is_empty()).collect()
    }
}

fn empty(labels: &BTreeMap<String, String>, bounds: &[f64]) -> Point {
    let bounds = bounds.iter().copied().chain([f64::INFINITY]);
    Point { labels: labels.clone(), value: 0.0, buckets: bounds.map(|it| (it, 0)).collect() }
}

/// Counts a value in every bucket that it is not above.
fn seen(point: &mut Point, value: f64) {
    point.value += value;
    point.buckets.iter_mut().filter(|(bound, _)| value <= *bound).for_each(|(_, it)| *it += 1);
}

#[cfg(test)]
mod tests {
    use protocol::{BotId, ChatId, event::Judged, model::Usage};

    use super::*;

    const KEY: SessionKey = SessionKey { bot: BotId(77_001), chat: ChatId(77_002), topic: None };
    const UPDATE: UpdateId = UpdateId(77_003);

    fn turns() -> Turns {
        let model = ("openai".to_owned(), "rehearsal-1".to_owned());
        Turns {
            under: Mutex::default(),
            hasher: Arc::new(KeyedHasher::new([7; 32])),
            served: [("main".to_owned(), model)].into(),
            lost: AtomicU64::new(0),
        }
    }

    fn events() -> Vec<Event> {
        let (update, usage) =
            (UPDATE, Usage { input_tokens: 30, output_tokens: 5, ..Usage::default() });
        let judged = Judged { verdict: "clear".to_owned(), ..Judged::default() };
        let course = Course {
            agent: Some("sage".parse().unwrap()),
            arrived: Timestamp(1_000),
            prompt_judged_ms: Some(10),
            recalled_ms: Some(30),
            completed_ms: Some(1_030),
            ready_ms: 1_040,
            calls: 2,
            ..Course::default()
        };
        vec![
            Event::PromptJudged { update, judged: judged.clone() },
            Event::DraftReceived { update, model: "main".to_owned(), usage },
            Event::DraftJudged { update, judged },
            Event::CourseNoted { update, course },
            Event::TurnClosed { update, outcome: Outcome::Answered },
        ]
    }

    #[test]
    fn a_turn_is_a_span_with_a_child_for_each_stage_and_holds_no_id() {
        let turns = turns();
        turns.take(KEY, &events(), Timestamp(2_100));
        let ended = turns.ended();
        let spans: Vec<Span> = ended.iter().flat_map(|it| spans(it, &turns.served)).collect();
        let shown: Vec<(&str, u64, u64)> =
            spans.iter().map(|it| (it.name.as_str(), it.time.0.0, it.time.1.0)).collect();
        assert_eq!(
            shown,
            [
                ("invoke_agent sage", 1_000, 2_100),
                ("guard question", 1_000, 1_010),
                ("recall", 1_010, 1_030),
                ("chat rehearsal-1", 1_030, 2_030),
                ("guard answer", 2_030, 2_040),
            ]
        );
        assert!(spans[1..].iter().all(|it| it.parent == Some(spans[0].id)));
        assert!(spans.iter().all(|it| it.trace == spans[0].trace && !it.failed));
        let ids: std::collections::BTreeSet<[u8; 8]> = spans.iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), spans.len());
        let all = format!("{spans:?}");
        assert!(!all.contains("7700"), "no id is in the clear: {all}");
        assert!(turns.ended().is_empty(), "told once");
    }

    #[test]
    fn what_has_no_course_is_no_turn_and_without_an_end_nothing_is_told() {
        let turns = turns();
        let closed = Event::TurnClosed { update: UPDATE, outcome: Outcome::Ignored };
        turns.take(KEY, &[closed], Timestamp(5));
        turns.take(KEY, &events()[..4], Timestamp(5));
        assert!(turns.ended().is_empty());
        turns.take(KEY, &events()[4..], Timestamp(6));
        assert_eq!(turns.ended().len(), 1);
    }

    #[test]
    fn more_turns_than_may_wait_are_counted_as_lost() {
        let turns = turns();
        for chat in 0..TURNS_MAX as i64 + 3 {
            let key = SessionKey { chat: ChatId(chat), ..KEY };
            turns.take(key, &events(), Timestamp(9));
        }
        assert_eq!((turns.ended().len(), turns.lost.load(Relaxed)), (TURNS_MAX, 3));
    }

    #[test]
    fn calls_and_tokens_are_counted_in_the_buckets_of_the_conventions() {
        let turns = turns();
        turns.take(KEY, &events(), Timestamp(2_100));
        let mut models = Models::default();
        turns.ended().iter().for_each(|it| models.count(it, &turns.served));
        let families = models.families();
        assert_eq!(families[0].name, "gen_ai.client.operation.duration");
        let point = &families[0].points[0];
        assert_eq!((point.value, point.count()), (1.0, 1));
        let first = point.buckets.iter().find(|(_, count)| 0 < *count);
        assert_eq!(first, Some(&(1.28, 1)));
        assert_eq!(point.labels[names::REQUEST_MODEL], "rehearsal-1");
        assert_eq!(families[1].points.len(), 2, "input and output");
    }
}
