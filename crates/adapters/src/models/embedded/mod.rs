//! A small language model in this process: no account, no key, no network.
//!
//! Receives  requests, at most `queue_max` of which wait; the next one is refused with status 503.
//! Owns      one thread, which owns the weights and writes one answer at a time.
//! On crash  a panic while an answer is written ends that answer as `Unusable`; the thread goes on
//!           with the next request and unchanged weights.
//!
//! The beginning that a conversation shares with an earlier one, an agent's instructions above all,
//! is read once. Instructions that are known at the start are read while nobody asks.
//!
//! A dropped request stops its answer within one token; one that still waits keeps its place in
//! the queue until its turn comes.
//!
//! The number of threads that compute is candle's, for the whole process: `CANDLE_NUM_THREADS` and
//! `RAYON_NUM_THREADS`, or else one for each core. candle's threads wait for each other by
//! spinning: on a machine that has other work, two can be twenty times slower than one. Set
//! `CANDLE_NUM_THREADS=1` unless the cores are the model's own.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;

use async_trait::async_trait;
use protocol::model::{
    CompleteError, Completion, Model, ModelRequest, Role, Turn, Usage, estimate_tokens,
};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::ModelConfigError;
use engine::{Engine, Order, Written};

mod engine;
mod prompt;
mod readings;
mod text;
mod weights;

/// How many pieces of an answer wait for their reader before the model waits too.
const PIECES_MAX: usize = 64;
/// The fewest tokens in which an instruction, a question and an answer have room.
const CONTEXT_TOKENS_MIN: usize = 64;

/// A model file, and the limits on using it.
#[derive(Clone, Debug)]
pub struct EmbeddedConfig {
    /// The name that agents and admins use for it.
    pub name: String,
    /// The weights: a Llama model in GGUF that was trained on ChatML.
    pub path: PathBuf,
    /// The file's SHA-256 in hexadecimal; unchecked if there is none.
    pub sha256: Option<String>,
    /// The longest conversation that the model sees, its answer included. Older turns are left out,
    /// but never the instructions and the last thing said.
    pub context_tokens_max: usize,
    /// How much of what the model has read stays in memory, so that a conversation and an agent's
    /// instructions need not be read again; 0 for none. A token takes 46 kB with `SmolLM2` 135M.
    pub remembered_tokens_max: usize,
    /// First system turns to come, word for word: read at the start, while nobody asks, so that the
    /// first answer need not wait for that. More than `remembered_tokens_max` in all are forgotten
    /// again.
    pub instructions: Vec<String>,
    /// How many requests may wait for the one that is being answered.
    pub queue_max: usize,
    /// The longest answer, whatever a request asks for; at most half of the context.
    pub answer_tokens_max: u32,
    /// How freely it chooses its words; 0 always takes the likeliest.
    pub temperature: f64,
    /// How much of the probability is considered at all, from 0 to 1.
    pub top_p: f64,
    /// How much less likely a word becomes by having been said; 1 for not at all.
    pub repeat_penalty: f32,
    /// The same answers every time, for tests; chosen anew for each request if there is none.
    pub seed: Option<u64>,
}

impl EmbeddedConfig {
    /// A model with our usual limits.
    #[must_use]
    pub fn new(name: &str, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            path: path.into(),
            sha256: None,
            context_tokens_max: 2_048,
            remembered_tokens_max: 4_096,
            instructions: Vec::new(),
            queue_max: 16,
            answer_tokens_max: 256,
            // Small models lose the thread when they choose freely, and their arithmetic when they
            // may not repeat a number.
            temperature: 0.1,
            top_p: 0.9,
            repeat_penalty: 1.05,
            seed: None,
        }
    }

    fn check(&self) -> Result<(), ModelConfigError> {
        if self.name.is_empty() {
            return Err(ModelConfigError::NoName);
        }
        let what = if self.context_tokens_max < CONTEXT_TOKENS_MIN {
            "`context_tokens_max` must be at least 64"
        } else if self.answer_tokens_max == 0 || self.queue_max == 0 {
            "`answer_tokens_max` and `queue_max` must not be zero"
        } else if !(0.0..=2.0).contains(&self.temperature) || !(0.0..=1.0).contains(&self.top_p) {
            "`temperature` must be from 0 to 2 and `top_p` from 0 to 1"
        } else if !(1.0..=2.0).contains(&self.repeat_penalty) {
            "`repeat_penalty` must be from 1 to 2"
        } else {
            return Ok(());
        };
        Err(ModelConfigError::Setting { name: self.name.clone(), what })
    }
}

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is not there, or not ours to read.
    #[error("{path} cannot be read; run scripts/demo to fetch it")]
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is empty, larger than any model we can run, or not a file.
    #[error("{path} has {bytes} bytes, which no model has; run scripts/demo to fetch it again")]
    WrongSize {
        /// Where it is.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// It is not the file that the configuration names.
    #[error("{path} has another checksum, {found}; run scripts/demo to fetch it again")]
    WrongSum {
        /// Where it is.
        path: PathBuf,
        /// Its SHA-256.
        found: String,
    },
    /// It is no model that we can run.
    #[error("{path} is not a GGUF model that can be run here")]
    NotAModel {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: candle_core::Error,
    },
    /// The operating system gives us no thread.
    #[error("the model's thread cannot be started")]
    NoThread(#[source] std::io::Error),
}

/// A request on its way to the model's thread.
struct Job {
    turns: Vec<Turn>,
    answer_tokens_max: usize,
    seed: u64,
    reply: mpsc::Sender<Reply>,
}

/// What the model's thread tells a request.
enum Reply {
    /// A piece of the answer.
    Text(String),
    /// The end of the answer.
    Ended(Result<Written, CompleteError>),
}

/// What was wrong in the model's thread.
#[derive(Debug, thiserror::Error)]
enum ThreadError {
    #[error("the model panicked")]
    Panicked,
    #[error("the model's thread has ended")]
    Ended,
    #[error("there is no randomness for a seed")]
    NoSeed(#[source] getrandom::Error),
}

impl From<ThreadError> for CompleteError {
    fn from(error: ThreadError) -> Self {
        Self::Unusable(error.into())
    }
}

/// A model in this process.
pub struct EmbeddedModel {
    config: EmbeddedConfig,
    /// Counts tokens; the model's thread has its own. `None` in tests without weights.
    tokenizer: Option<tokenizers::Tokenizer>,
    jobs: SyncSender<Job>,
}

impl EmbeddedModel {
    /// Reads the model's file, checks it and starts the model's thread. Blocks for about a second.
    ///
    /// # Errors
    /// What is wrong with the configuration or with the file.
    pub fn load(config: EmbeddedConfig) -> Result<Self, ModelConfigError> {
        config.check()?;
        let not_loaded = |error| ModelConfigError::NotLoaded {
            name: config.name.clone(),
            source: Box::new(error),
        };
        let mut engine = Engine::load(&config).map_err(not_loaded)?;
        let tokenizer = Some(engine.tokenizer());
        let config = EmbeddedConfig { context_tokens_max: engine.context_tokens_max(), ..config };
        let not_loaded = |error| ModelConfigError::NotLoaded {
            name: config.name.clone(),
            source: Box::new(error),
        };
        let write = move |order: &Order<'_>, on_text: &mut dyn FnMut(String) -> bool| {
            engine.write(order, on_text)
        };
        let jobs = start(config.queue_max, config.instructions.clone().into(), write)
            .map_err(LoadError::NoThread)
            .map_err(not_loaded)?;
        Ok(Self { config, tokenizer, jobs })
    }

    fn job(&self, request: &ModelRequest, reply: mpsc::Sender<Reply>) -> Result<Job, ThreadError> {
        let answer_tokens_max = request.answer_tokens_max.min(self.config.answer_tokens_max).max(1);
        Ok(Job {
            turns: request.turns.clone(),
            answer_tokens_max: usize::try_from(answer_tokens_max).unwrap_or(usize::MAX),
            seed: match self.config.seed {
                Some(seed) => seed,
                None => getrandom::u64().map_err(ThreadError::NoSeed)?,
            },
            reply,
        })
    }
}

#[async_trait]
impl Model for EmbeddedModel {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn prompt_tokens_max(&self, answer_tokens_max: u32) -> usize {
        let whole = self.config.context_tokens_max;
        let answer = answer_tokens_max.min(self.config.answer_tokens_max);
        whole - usize::try_from(answer).unwrap_or(usize::MAX).min(whole / 2)
    }

    fn count_tokens(&self, text: &str) -> usize {
        let counted = self.tokenizer.as_ref().map(|it| it.encode_fast(text, false));
        // What the tokenizer cannot read, the model will refuse.
        counted.and_then(Result::ok).map_or_else(|| estimate_tokens(text), |it| it.len())
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: &mut (dyn for<'t> FnMut(&'t str) + Send),
    ) -> Result<Completion, CompleteError> {
        let (reply, mut replies) = mpsc::channel(PIECES_MAX);
        self.jobs.try_send(self.job(request, reply)?).map_err(|error| match error {
            TrySendError::Full(_) => CompleteError::Refused { status: 503, retry_after: None },
            TrySendError::Disconnected(_) => ThreadError::Ended.into(),
        })?;
        let mut text = String::new();
        let written = loop {
            match replies.recv().await {
                Some(Reply::Text(piece)) => {
                    on_text(&piece);
                    text.push_str(&piece);
                }
                Some(Reply::Ended(written)) => break written?,
                None => return Err(ThreadError::Ended.into()),
            }
        };
        if text.trim().is_empty() {
            return Err(CompleteError::Empty);
        }
        Ok(Completion {
            text,
            calls: Vec::new(),
            model: self.config.name.clone(),
            usage: Usage {
                input_tokens: written.input_tokens.try_into().unwrap_or(u64::MAX),
                output_tokens: written.output_tokens.try_into().unwrap_or(u64::MAX),
                ..Usage::default()
            },
            finish: written.finish,
        })
    }
}

// === The model's thread. ===

/// Starts the thread. It ends when the model is dropped, after what it is writing or reading.
fn start<W>(
    queue_max: usize,
    unread: VecDeque<String>,
    write: W,
) -> std::io::Result<SyncSender<Job>>
where
    W: FnMut(&Order<'_>, &mut dyn FnMut(String) -> bool) -> Result<Option<Written>, CompleteError>,
    W: Send + 'static,
{
    let (sender, jobs) = sync_channel(queue_max);
    let run = move || run(&jobs, unread, write);
    thread::Builder::new().name("embedded-model".to_owned()).spawn(run)?;
    Ok(sender)
}

/// Answers requests, and reads what is `unread` while there are none.
fn run<W>(jobs: &Receiver<Job>, mut unread: VecDeque<String>, mut write: W)
where
    W: FnMut(&Order<'_>, &mut dyn FnMut(String) -> bool) -> Result<Option<Written>, CompleteError>,
{
    loop {
        let job = match jobs.try_recv() {
            Ok(job) => job,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => match unread.pop_front() {
                Some(instructions) => {
                    read_ahead(instructions, &mut write);
                    continue;
                }
                None => match jobs.recv() {
                    Ok(job) => job,
                    Err(_disconnected) => break,
                },
            },
        };
        answer(&job, &mut write);
    }
    info!("the embedded model has ended");
}

fn read_ahead<W>(instructions: String, write: &mut W)
where
    W: FnMut(&Order<'_>, &mut dyn FnMut(String) -> bool) -> Result<Option<Written>, CompleteError>,
{
    let turns = [Turn::new(Role::System, instructions)];
    let order = Order { turns: &turns, answer_tokens_max: 0, seed: 0 };
    if let Err(error) = guarded(write, &order, &mut |_| true) {
        // lost-ok: they are read with the first request that needs them.
        let error: &dyn std::error::Error = &error;
        warn!(error, "instructions could not be read ahead");
    }
}

fn answer<W>(job: &Job, write: &mut W)
where
    W: FnMut(&Order<'_>, &mut dyn FnMut(String) -> bool) -> Result<Option<Written>, CompleteError>,
{
    let order =
        Order { turns: &job.turns, answer_tokens_max: job.answer_tokens_max, seed: job.seed };
    let mut on_text = |piece: String| {
        if piece.is_empty() {
            return !job.reply.is_closed();
        }
        job.reply.blocking_send(Reply::Text(piece)).is_ok()
    };
    let Some(ended) = guarded(write, &order, &mut on_text).transpose() else { return };
    if job.reply.blocking_send(Reply::Ended(ended)).is_err() {
        // lost-ok: the request was dropped, nobody waits for its end.
    }
}

/// Writes one answer. A panic is a failure of that answer only.
fn guarded<W>(
    write: &mut W,
    order: &Order<'_>,
    on_text: &mut dyn FnMut(String) -> bool,
) -> Result<Option<Written>, CompleteError>
where
    W: FnMut(&Order<'_>, &mut dyn FnMut(String) -> bool) -> Result<Option<Written>, CompleteError>,
{
    // An answer changes nothing but the list of what has been read, and that only between steps of
    // the model, so there is nothing that a panic in a step could leave broken.
    catch_unwind(AssertUnwindSafe(|| write(order, on_text))).unwrap_or_else(|_payload| {
        error!("the embedded model panicked");
        Err(ThreadError::Panicked.into())
    })
}

#[cfg(test)]
mod tests;
