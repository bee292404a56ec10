//! The model server: OpenAI chat completions and Anthropic Messages, whole and streamed, with faults on demand.
//!
//! An answer proves what was asked: it is the answer of the first rule that fits, or it names a hash of the
//! newest text of the user and how many messages came with it, and it repeats the mark of the question (see
//! [`marks`]). Every marked request is looked over for leaks, gaps and disorder.
//!
//! Owns      the settings, the faults in store, the counts and at most `record_max` recent requests.
//! Never     waits while it holds its lock, and keeps no text beyond those recent requests.

pub mod answer;
pub mod fault;
pub mod marks;
pub mod request;
mod respond;
mod sound;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use self::{
    answer::{Answer, tokens},
    fault::{Fault, FaultChange, FaultError, Faults},
    marks::{Asked, Findings},
    request::{Protocol, Request, RequestError},
};

/// The longest request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 8 << 20;
/// The most of a request that is kept in the record, in bytes.
const RECORD_BYTES_MAX: usize = 64 << 10;
/// The most requests that the record can be set to hold.
const RECORD_MAX: usize = 10_000;
/// The most words of filler an answer can be set to carry.
const FILLER_WORDS_MAX: usize = 100_000;
/// The size of a huge answer, in bytes.
const HUGE_BYTES: usize = 10 << 20;
/// The words answers are filled up with.
const FILLER: [&str; 8] = ["lorem", "ipsum", "dolor", "sit", "amet", "elit", "sed", "do"];

/// A fixed answer for questions that contain some text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What the newest text of the user must contain.
    pub contains: String,
    /// What is answered then. A mark in the question is repeated behind it.
    pub answer: String,
}

/// A fixed answer for which tools are called first. Scripts go before rules.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What the newest text of the user must contain.
    pub contains: String,
    /// What the model must have been instructed with, where it is not for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructed: Option<String>,
    /// Tools that are called, round by round, where they are offered.
    pub rounds: Vec<Vec<Scripted>>,
    /// What is answered then; `{result}` stands for what the tools said that were called last. A mark
    /// in the question is repeated behind it.
    pub answer: String,
}

impl Script {
    /// A fixed answer, so far without any tools.
    #[must_use]
    pub fn new(contains: &str, answer: &str) -> Self {
        Self {
            contains: contains.to_owned(),
            instructed: None,
            answer: answer.to_owned(),
            rounds: Vec::new(),
        }
    }

    /// Only for a model that was instructed with this.
    #[must_use]
    pub fn instructed(mut self, with: &str) -> Self {
        self.instructed = Some(with.to_owned());
        self
    }

    /// Calls these tools first.
    #[must_use]
    pub fn calling(mut self, tool: &str, arguments: serde_json::Value) -> Self {
        self.rounds.push(vec![Scripted { tool: tool.to_owned(), arguments }]);
        self
    }
}

/// A call of a tool by the script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scripted {
    /// The tool, as it is offered.
    pub tool: String,
    /// What it is given.
    pub arguments: serde_json::Value,
}

/// How the model server behaves when nothing goes wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// Milliseconds before an answer begins.
    pub latency_ms: u64,
    /// Milliseconds between two tokens of a stream.
    pub token_ms: u64,
    /// Words of filler in an answer that no rule gives.
    pub filler_words: usize,
    /// Fixed answers; the first that fits is taken.
    pub rules: Vec<Rule>,
    /// Fixed answers for which tools are called; they go before rules.
    pub scripts: Vec<Script>,
    /// The models that `GET /v1/models` lists. Any name is answered.
    pub models: Vec<String>,
    /// The only key that is let in, if set.
    #[serde(skip)]
    pub key: Option<String>,
    /// How many recent requests are kept. 0 keeps none.
    pub record_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            token_ms: 0,
            filler_words: 0,
            rules: Vec::new(),
            scripts: Vec::new(),
            models: vec!["rehearsal-1".to_owned(), "rehearsal-2".to_owned()],
            key: None,
            record_max: 100,
        }
    }
}

/// A change of the settings, as `POST /ctl/models/config` takes it. What is absent stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettingsChange {
    /// See [`Settings::latency_ms`].
    pub latency_ms: Option<u64>,
    /// See [`Settings::token_ms`].
    pub token_ms: Option<u64>,
    /// See [`Settings::filler_words`].
    pub filler_words: Option<usize>,
    /// See [`Settings::rules`].
    pub rules: Option<Vec<Rule>>,
    /// See [`Settings::scripts`].
    pub scripts: Option<Vec<Script>>,
    /// See [`Settings::models`].
    pub models: Option<Vec<String>>,
    /// See [`Settings::key`]; an empty one lets everybody in.
    pub key: Option<String>,
    /// See [`Settings::record_max`].
    pub record_max: Option<usize>,
}

/// What the requests have shown so far.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Stats {
    /// Calls that were let in and readable, by protocol.
    pub calls: BTreeMap<&'static str, u64>,
    /// Calls among these that asked for a stream.
    pub streamed: u64,
    /// Calls that failed on demand, by the name of the fault.
    pub faults: BTreeMap<String, u64>,
    /// Calls without the right key.
    pub unauthorized: u64,
    /// Calls answered 400.
    pub malformed: u64,
    /// Calls that held another person's mark.
    pub leaks: u64,
    /// Calls without the person's previous question.
    pub context_gaps: u64,
    /// Calls with the person's questions in another order than they were asked.
    pub context_disorder: u64,
    /// Tokens of all calls, question and answer, as a provider would charge them: also where nobody
    /// waited for the answer any more.
    pub tokens: u64,
    /// The most tokens of one call.
    pub tokens_most: u64,
    /// The most messages one call had.
    pub messages_most: usize,
    /// The longest body of a call, in bytes.
    pub bytes_most: usize,
}

/// One request as it is kept for `GET /ctl/models/requests`.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// Which protocol it spoke.
    pub protocol: &'static str,
    /// The model it asked for.
    pub model: String,
    /// The body, cut at 64 KiB.
    pub body: String,
    /// How it failed on demand, if it did.
    pub fault: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    settings: Settings,
    faults: Faults,
    stats: Stats,
    recent: VecDeque<Recorded>,
    answers: u64,
}

/// The model server's state: a cheap handle to one and the same world.
#[derive(Clone, Debug, Default)]
pub struct ModelWorld(Arc<Mutex<Shared>>);

/// What is to be done about one call, decided under the lock and carried out without it.
struct Verdict {
    id: u64,
    fault: Option<Fault>,
    text: String,
    calls: Vec<Scripted>,
    cut: bool,
    latency: Duration,
    token_pause: Duration,
}

impl ModelWorld {
    /// A world with these settings and no faults.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Mutex::new(Shared { settings, ..Shared::default() })))
    }

    /// Changes the settings; limits are applied to what is given.
    pub fn configure(&self, change: SettingsChange) {
        let settings = &mut self.lock().settings;
        let SettingsChange {
            latency_ms,
            token_ms,
            filler_words,
            rules,
            scripts,
            models,
            key,
            record_max,
        } = change;
        settings.latency_ms = latency_ms.unwrap_or(settings.latency_ms);
        settings.token_ms = token_ms.unwrap_or(settings.token_ms);
        settings.filler_words = filler_words.unwrap_or(settings.filler_words).min(FILLER_WORDS_MAX);
        settings.record_max = record_max.unwrap_or(settings.record_max).min(RECORD_MAX);
        if let Some(rules) = rules {
            settings.rules = rules;
        }
        if let Some(scripts) = scripts {
            settings.scripts = scripts;
        }
        if let Some(models) = models {
            settings.models = models;
        }
        if let Some(key) = key {
            settings.key = Some(key).filter(|key| !key.is_empty());
        }
    }

    /// The settings as they are.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Changes the faults in store.
    ///
    /// # Errors
    /// When a limit is passed or a value is out of range; then nothing is changed.
    pub fn set_faults(&self, change: FaultChange) -> Result<(), FaultError> {
        self.lock().faults.change(change)
    }

    /// What the requests have shown so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    /// The recent requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.lock().recent.iter().cloned().collect()
    }

    /// Forgets counts and recent requests; settings and faults stay.
    pub fn forget(&self) {
        let mut shared = self.lock();
        shared.stats = Stats::default();
        shared.recent.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Every change is whole before the next line that could panic, so a poisoned lock is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let given = header("x-api-key")
            .or_else(|| header("authorization").and_then(|value| value.strip_prefix("Bearer ")));
        let mut shared = self.lock();
        let right = shared.settings.key.as_deref().is_none_or(|key| given == Some(key));
        shared.stats.unauthorized += u64::from(!right);
        right
    }

    fn judge(&self, protocol: Protocol, request: &Request<'_>, body: &[u8]) -> Verdict {
        let mark = request.user_texts_newest_first().find_map(|text| marks::asks(text).last());
        let asked = mark.and_then(Asked::parse);
        let findings =
            asked.map(|asked| marks::inspect(request.texts(), asked)).unwrap_or_default();
        let mut shared = self.lock();
        shared.count(protocol, request, body.len(), findings);
        let fault = shared.faults.draw(&request.model);
        if let Some(fault) = &fault {
            *shared.stats.faults.entry(fault.name()).or_default() += 1;
        }
        shared.record(protocol, request, body, fault.as_ref());
        shared.answers += 1;
        let calls = match fault {
            Some(Fault::EmptyAnswer | Fault::HugeAnswer) => Vec::new(),
            _ => shared.settings.call(request),
        };
        let (text, cut) = match fault {
            Some(Fault::EmptyAnswer) => (String::new(), false),
            Some(Fault::HugeAnswer) => (huge(HUGE_BYTES), false),
            _ if !calls.is_empty() => (String::new(), false),
            _ => shared.settings.say(request, mark),
        };
        let charged = request.tokens() + tokens(&text).count() as u64 + calls.len() as u64;
        shared.stats.tokens += charged;
        shared.stats.tokens_most = shared.stats.tokens_most.max(charged);
        Verdict {
            id: shared.answers,
            fault,
            text,
            calls,
            cut,
            latency: Duration::from_millis(shared.settings.latency_ms),
            token_pause: Duration::from_millis(shared.settings.token_ms),
        }
    }
}

impl ModelWorld {
    /// Counts and keeps a call about sound, and says how it fails, if it is to fail.
    fn took_sound(&self, protocol: &'static str, model: &str, body: &str) -> Option<Fault> {
        let mut shared = self.lock();
        *shared.stats.calls.entry(protocol).or_default() += 1;
        let fault = shared.faults.draw(model);
        if let Some(fault) = &fault {
            *shared.stats.faults.entry(fault.name()).or_default() += 1;
        }
        let (model, body) = (model.to_owned(), body.to_owned());
        shared.keep(Recorded { protocol, model, body, fault: fault.as_ref().map(Fault::name) });
        fault
    }
}

impl Shared {
    fn keep(&mut self, record: Recorded) {
        let most = self.settings.record_max;
        while self.recent.len() >= most.max(1) {
            self.recent.pop_front();
        }
        if most != 0 {
            self.recent.push_back(record);
        }
    }

    fn count(&mut self, protocol: Protocol, request: &Request<'_>, bytes: usize, seen: Findings) {
        let stats = &mut self.stats;
        *stats.calls.entry(protocol.name()).or_default() += 1;
        stats.streamed += u64::from(request.stream == Some(true));
        stats.leaks += u64::from(seen.leak);
        stats.context_gaps += u64::from(seen.gap);
        stats.context_disorder += u64::from(seen.disorder);
        stats.messages_most = stats.messages_most.max(request.messages.len());
        stats.bytes_most = stats.bytes_most.max(bytes);
    }

    fn record(
        &mut self,
        protocol: Protocol,
        request: &Request<'_>,
        body: &[u8],
        fault: Option<&Fault>,
    ) {
        if self.settings.record_max == 0 {
            return;
        }
        let body = body.get(..RECORD_BYTES_MAX).unwrap_or(body);
        self.keep(Recorded {
            protocol: protocol.name(),
            model: request.model.clone().into_owned(),
            body: String::from_utf8_lossy(body).into_owned(),
            fault: fault.map(Fault::name),
        });
    }
}

impl Settings {
    fn script(&self, request: &Request<'_>) -> Option<&Script> {
        let asked = request.last_user_text();
        let fits = |it: &&Script| {
            let with = it.instructed.as_deref();
            asked.contains(&it.contains) && with.is_none_or(|with| request.instructed(with))
        };
        self.scripts.iter().find(fits)
    }

    fn fixed(&self, request: &Request<'_>) -> Option<String> {
        if let Some(script) = self.script(request) {
            return Some(script.answer.replace("{result}", &request.newest_results()));
        }
        let asked = request.last_user_text();
        let rule = self.rules.iter().find(|rule| asked.contains(&rule.contains));
        rule.map(|rule| rule.answer.clone())
    }

    /// The tools that the script calls now, if they are offered.
    fn call(&self, request: &Request<'_>) -> Vec<Scripted> {
        let round = self.script(request).and_then(|it| it.rounds.get(request.rounds()));
        let round = round.filter(|calls| calls.iter().all(|it| request.offers(&it.tool)));
        round.cloned().unwrap_or_default()
    }

    /// The answer to a request, and whether it was cut at the caller's limit.
    fn say(&self, request: &Request<'_>, mark: Option<&str>) -> (String, bool) {
        let asked = request.last_user_text();
        let mut text = self.fixed(request).unwrap_or_else(|| self.prove(request, asked));
        if let Some(mark) = mark {
            text.push_str(if text.is_empty() { "[answer:" } else { " [answer:" });
            text.push_str(mark);
            text.push(']');
        }
        let most = request.answer_tokens_max().and_then(|most| usize::try_from(most).ok());
        let most = most.unwrap_or(usize::MAX);
        let cut = text.len() > most && tokens(&text).nth(most).is_some();
        if cut {
            text = tokens(&text).take(most).collect();
        }
        (text, cut)
    }

    fn prove(&self, request: &Request<'_>, asked: &str) -> String {
        let (hash, count) = (hash(asked), request.messages.len());
        let mut text = format!("Reply to {hash:016x}, the last of {count} messages.");
        for word in FILLER.iter().cycle().take(self.filler_words) {
            text.push(' ');
            text.push_str(word);
        }
        text
    }
}

/// The hash (64-bit FNV-1a) by which an answer names the text it replies to.
#[must_use]
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A text of long words: a stream of it has few tokens, so that it is not many times as large.
fn huge(bytes: usize) -> String {
    let word = format!("{} ", "lorem".repeat(200));
    word.repeat(bytes.div_ceil(word.len()))
}

/// The routes `/v1/*` for bots and `/ctl/models/*` for tests.
///
/// `GET …/stats`, `GET …/requests`, `POST …/forget` (counts and requests), `GET` and `POST …/config`
/// ([`SettingsChange`]), `GET` and `POST …/faults` ([`FaultChange`], such as
/// `{"next":[{"count":2,"fault":{"status":{"code":429,"retry_after_s":3}},"model":"a"}]}`).
pub fn routes(world: ModelWorld) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat_completions))
        .route("/v1/messages", post(messages))
        .route("/v1/models", get(models))
        .route(
            "/v1/audio/transcriptions",
            post(sound::transcriptions).layer(DefaultBodyLimit::max(sound::UPLOAD_BYTES_MAX)),
        )
        .route("/v1/audio/speech", post(sound::speech))
        .route("/ctl/models/stats", get(async |State(world): Here| Json(world.stats())))
        .route("/ctl/models/requests", get(async |State(world): Here| Json(world.requests())))
        .route("/ctl/models/forget", post(async |State(world): Here| world.forget()))
        .route("/ctl/models/config", get(config).post(configure))
        .route("/ctl/models/faults", get(faults).post(set_faults))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(world)
}

type Here = State<ModelWorld>;

async fn chat_completions(State(world): Here, headers: HeaderMap, body: Bytes) -> Response {
    complete(&world, Protocol::OpenAi, &headers, &body).await
}

async fn messages(State(world): Here, headers: HeaderMap, body: Bytes) -> Response {
    complete(&world, Protocol::Anthropic, &headers, &body).await
}

async fn complete(
    world: &ModelWorld,
    protocol: Protocol,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    if !world.lets_in(headers) {
        return respond::refuse(protocol, 401, None, "Incorrect API key provided.");
    }
    let read = Request::read(protocol, body);
    let unversioned = protocol == Protocol::Anthropic && !headers.contains_key("anthropic-version");
    let read = if unversioned { Err(RequestError::NoVersion) } else { read };
    let request = match read {
        Ok(request) => request,
        Err(error) => {
            world.lock().stats.malformed += 1;
            return respond::refuse(protocol, 400, None, &error.to_string());
        }
    };
    let verdict = world.judge(protocol, &request, body);
    if !verdict.latency.is_zero() {
        tokio::time::sleep(verdict.latency).await;
    }
    let answer = Answer {
        id: verdict.id,
        created: respond::unix_time_s(),
        model: &request.model,
        text: &verdict.text,
        calls: &verdict.calls,
        cut: verdict.cut,
        tokens_in: request.tokens(),
        include_usage: request.stream_options.as_ref().is_some_and(|options| options.include_usage),
    };
    let streamed = request.stream == Some(true);
    respond::answer(protocol, &answer, streamed, verdict.token_pause, verdict.fault.as_ref()).await
}

async fn models(State(world): Here, headers: HeaderMap) -> Response {
    #[derive(Serialize)]
    struct Model<'a> {
        id: &'a str,
        object: &'static str,
        created: u64,
        owned_by: &'static str,
    }
    #[derive(Serialize)]
    struct List<'a> {
        object: &'static str,
        data: Vec<Model<'a>>,
    }
    if !world.lets_in(&headers) {
        return respond::refuse(Protocol::OpenAi, 401, None, "Incorrect API key provided.");
    }
    let names = world.settings().models;
    let (object, created, owned_by) = ("model", 0, "rehearsal");
    let data = names.iter().map(|id| Model { id, object, created, owned_by }).collect();
    Json(List { object: "list", data }).into_response()
}

async fn config(State(world): Here) -> Json<Settings> {
    Json(world.settings())
}

async fn configure(State(world): Here, Json(change): Json<SettingsChange>) -> Json<Settings> {
    world.configure(change);
    Json(world.settings())
}

async fn faults(State(world): Here) -> Response {
    Json(&world.lock().faults).into_response()
}

async fn set_faults(State(world): Here, Json(change): Json<FaultChange>) -> Response {
    match world.set_faults(change) {
        Ok(()) => faults(State(world)).await,
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests;
