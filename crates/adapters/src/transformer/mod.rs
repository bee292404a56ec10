//! A small transformer in this process that says how likely a text is an attack: the guard's third
//! tier, asked about texts of which its classifier is not sure.
//!
//! Receives  texts, at most `QUEUE_MAX` of which wait; the next one gets no answer.
//! Owns      one thread, which owns the weights and reads one text at a time.
//! On crash  a panic over a text leaves that text without an answer; the thread goes on.
//!
//! Invariants: TRANSFORMER-1 whoever asks waits no longer than `time_max`. TRANSFORMER-2 a folder
//! whose files are missing, damaged or of another model is an error before anything is asked.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use tracing::{error, warn};

use engine::Engine;

mod engine;

/// Texts that wait for the one that is being read.
const QUEUE_MAX: usize = 4;

/// A model's folder, and how long its answers may take.
#[derive(Clone, Debug)]
pub struct TransformerConfig {
    /// Holds `model_quantized.onnx`, `tokenizer.json` and `classifier_config.json`, as
    /// `scripts/fetch-guard-model` puts them there.
    pub folder: PathBuf,
    /// How long whoever asks waits for an answer.
    pub time_max: Duration,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TransformerError {
    /// A file is not there, or not ours to read.
    #[error("{path} cannot be read; run scripts/fetch-guard-model to fetch it")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is longer than any of a model that can be asked in milliseconds.
    #[error("{path} has {bytes} bytes, which no small model has")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// How long it is.
        bytes: u64,
    },
    /// The weights are not a model that can be run here.
    #[error("the weights are not a model that can be run here")]
    NotAModel(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The tokeniser's file is not one.
    #[error("tokenizer.json does not describe a tokeniser")]
    NotATokenizer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The configuration beside the weights is garbled.
    #[error("classifier_config.json does not say at which temperature the model is calibrated")]
    NoTemperature(#[source] serde_json::Error),
    /// The model does not call an attack one, or something harmless.
    #[error("the model takes {text:?} for {found:.3}: it is not a judge of attacks, or damaged")]
    NoJudge {
        /// What it was asked.
        text: &'static str,
        /// What it said.
        found: f32,
    },
    /// The operating system gives us no thread.
    #[error("the transformer's thread cannot be started")]
    NoThread(#[source] std::io::Error),
}

/// A text on its way to the transformer's thread.
struct Job {
    text: String,
    reply: SyncSender<f32>,
}

/// A transformer, ready to be asked.
#[derive(Debug)]
pub struct Transformer {
    jobs: SyncSender<Job>,
    time_max: Duration,
}

impl Transformer {
    /// Reads the files, tries the model on two sentences and starts its thread. Blocks for some
    /// tenths of a second.
    ///
    /// # Errors
    /// What is wrong with the folder. TRANSFORMER-2.
    pub fn load(config: &TransformerConfig) -> Result<Self, TransformerError> {
        let engine = Engine::load(&config.folder)?;
        let jobs = start(move |text| engine.score(text)).map_err(TransformerError::NoThread)?;
        Ok(Self { jobs, time_max: config.time_max })
    }

    /// How likely a text is an attack, 0 to 1. `None` if that cannot be said in time.
    /// TRANSFORMER-1.
    #[must_use]
    pub fn score(&self, text: &str) -> Option<f32> {
        let (reply, answer) = sync_channel(1);
        let job = Job { text: text.to_owned(), reply };
        let asked = self.jobs.try_send(job).is_ok();
        let score = answer.recv_timeout(self.time_max).ok().filter(|_| asked);
        if score.is_none() {
            warn!(
                event.action = "second_opinion_missing",
                "the transformer gave no answer in time"
            );
        }
        score
    }
}

// === The transformer's thread. ===

/// Starts the thread. It ends when the transformer is dropped.
fn start<S, E>(score: S) -> std::io::Result<SyncSender<Job>>
where
    S: Fn(&str) -> Result<f32, E> + Send + 'static,
    E: std::error::Error + 'static,
{
    let (sender, jobs) = sync_channel(QUEUE_MAX);
    thread::Builder::new().name("transformer".to_owned()).spawn(move || run(&jobs, &score))?;
    Ok(sender)
}

fn run<S, E>(jobs: &Receiver<Job>, score: &S)
where
    S: Fn(&str) -> Result<f32, E>,
    E: std::error::Error + 'static,
{
    for Job { text, reply } in jobs {
        // Reading a text changes nothing that the next one sees.
        match catch_unwind(AssertUnwindSafe(|| score(&text))) {
            Ok(Ok(score)) => {
                // lost-ok: whoever asked has waited long enough and judged without.
                reply.try_send(score).ok();
            }
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                warn!(error, "the transformer could not read a text");
            }
            Err(_payload) => error!("the transformer panicked"),
        }
    }
}

#[cfg(test)]
mod tests;
