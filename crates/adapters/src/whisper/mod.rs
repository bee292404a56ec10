//! A recogniser in this process: Whisper, run by candle. No account, no key, no network.
//!
//! Receives  recordings, at most `queue_max` of which wait; the next one is refused with status 503.
//! Owns      one thread, which owns the weights and hears one recording at a time.
//! On crash  a panic over a recording ends that recording as `Garbled`; the thread goes on.
//!
//! A recording that nobody waits for any more ends within one word. What is read are voice messages as the
//! chat service has them, OGG with OPUS; other files are refused with status 415.

mod engine;
mod mel;
mod sound;
mod weights;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use protocol::hearing::{HearError, Recording, Transcriber, Transcript};
use tokio::sync::oneshot;
use tracing::{error, info};

use self::engine::Engine;

/// A model's folder, and the limits on using it.
#[derive(Clone, Debug)]
pub struct WhisperConfig {
    /// Where `model.bin`, `tokenizer.json` and `config.json` are, in CTranslate2's form.
    pub folder: PathBuf,
    /// The longest recording, in seconds.
    pub seconds_max: u32,
    /// How long hearing one recording may take, its wait included.
    pub time_max: Duration,
    /// How many recordings may wait.
    pub queue_max: usize,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WhisperError {
    /// A file is not there, or not ours to read.
    #[error("{path} cannot be read; run scripts/fetch-whisper to fetch it")]
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The files are no model that we can run.
    #[error("{folder} holds no recogniser that can be run here")]
    NotAModel {
        /// Where they are.
        folder: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system gives us no thread.
    #[error("the recogniser's thread cannot be started")]
    NoThread(#[source] std::io::Error),
}

type Reply = oneshot::Sender<Result<Transcript, HearError>>;

/// What the thread does with each recording. `true` from its second argument: nobody waits any more.
type Hear = dyn FnMut(&Recording, &dyn Fn() -> bool) -> Result<Transcript, HearError> + Send;

/// A recogniser in this process. Its thread ends with it.
pub struct LocalTranscriber {
    queue: SyncSender<(Recording, Reply)>,
    time_max: Duration,
}

impl LocalTranscriber {
    /// Reads the model's files and starts its thread. Blocks for a moment.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn load(config: &WhisperConfig) -> Result<Self, WhisperError> {
        let mut engine = Engine::load(&config.folder)?;
        let name = config
            .folder
            .file_name()
            .map_or_else(|| "whisper".to_owned(), |it| it.to_string_lossy().into_owned());
        info!(folder = %config.folder.display(), "the recogniser is ready");
        let seconds_max = config.seconds_max;
        let hear = move |recording: &Recording, is_gone: &dyn Fn() -> bool| {
            let samples = sound::read(&recording.bytes, seconds_max)
                .map_err(|_no_voice_message| HearError::Refused { status: 415 })?;
            let heard = engine.hear(&samples, recording.language.as_deref(), is_gone);
            let (text, language) = heard.map_err(|error| {
                error!(error.message = %error, "the recogniser failed");
                HearError::Garbled
            })?;
            let seconds = u32::try_from(samples.len().div_ceil(sound::RATE)).ok();
            Ok(Transcript { text, model: name.clone(), language, seconds })
        };
        Self::start(config, Box::new(hear))
    }

    fn start(config: &WhisperConfig, mut hear: Box<Hear>) -> Result<Self, WhisperError> {
        let (queue, recordings) = sync_channel(config.queue_max.max(1));
        let recordings: Receiver<(Recording, Reply)> = recordings;
        let run = move || {
            while let Ok((recording, reply)) = recordings.recv() {
                if reply.is_closed() {
                    continue;
                }
                let is_gone = || reply.is_closed();
                // Each recording begins with a fresh memory, so a panic leaves nothing broken.
                let heard = catch_unwind(AssertUnwindSafe(|| hear(&recording, &is_gone)));
                let heard = heard.unwrap_or_else(|_payload| {
                    error!("the recogniser panicked");
                    Err(HearError::Garbled)
                });
                // lost-ok: nobody waits for it any more.
                reply.send(heard).ok();
            }
        };
        let thread = thread::Builder::new().name("whisper".to_owned());
        thread.spawn(run).map_err(WhisperError::NoThread)?;
        Ok(Self { queue, time_max: config.time_max })
    }
}

#[async_trait]
impl Transcriber for LocalTranscriber {
    async fn transcribe(&self, recording: &Recording) -> Result<Transcript, HearError> {
        let (reply, heard) = oneshot::channel();
        match self.queue.try_send((recording.clone(), reply)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(HearError::Refused { status: 503 }),
            Err(TrySendError::Disconnected(_)) => return Err(HearError::Garbled),
        }
        match tokio::time::timeout(self.time_max, heard).await {
            Ok(Ok(heard)) => heard,
            Ok(Err(_ended)) => Err(HearError::Garbled),
            Err(_elapsed) => Err(HearError::TimedOut),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use bytes::Bytes;

    use super::*;

    fn recording(what: &'static [u8]) -> Recording {
        Recording { bytes: Bytes::from_static(what), ending: "ogg", language: None }
    }

    fn config(time_max: Duration) -> WhisperConfig {
        WhisperConfig { folder: PathBuf::new(), seconds_max: 60, time_max, queue_max: 1 }
    }

    #[tokio::test]
    async fn a_recording_that_panics_or_takes_too_long_harms_no_other() {
        let (gone, saw_it) = mpsc::channel();
        let hear = move |recording: &Recording, is_gone: &dyn Fn() -> bool| match &*recording.bytes
        {
            b"panic" => panic!("as the test wants"),
            b"long" => {
                while !is_gone() {
                    thread::yield_now();
                }
                gone.send(()).unwrap();
                Err(HearError::Garbled)
            }
            _ => Ok(Transcript { text: "heard".to_owned(), ..Transcript::default() }),
        };
        let ear = LocalTranscriber::start(&config(Duration::from_secs(60)), Box::new(hear));
        let mut ear = ear.unwrap();
        let panicked = ear.transcribe(&recording(b"panic")).await;
        assert!(matches!(panicked, Err(HearError::Garbled)), "{panicked:?}");
        ear.time_max = Duration::from_millis(20);
        let long = ear.transcribe(&recording(b"long")).await;
        assert!(matches!(long, Err(HearError::TimedOut)), "{long:?}");
        saw_it.recv().unwrap();
        ear.time_max = Duration::from_secs(60);
        assert_eq!(ear.transcribe(&recording(b"short")).await.unwrap().text, "heard");
    }

    #[tokio::test]
    async fn more_recordings_than_may_wait_are_refused() {
        let (begin, begun) = mpsc::channel::<()>();
        let (took, taken) = mpsc::channel();
        let hear = move |_: &Recording, _: &dyn Fn() -> bool| {
            took.send(()).unwrap();
            begun.recv().unwrap();
            Ok(Transcript::default())
        };
        let ear = LocalTranscriber::start(&config(Duration::from_secs(20)), Box::new(hear));
        let (ear, it) = (ear.unwrap(), recording(b"x"));
        let (mut first, mut waits) = (ear.transcribe(&it), ear.transcribe(&it));
        assert!(futures::poll!(&mut first).is_pending());
        taken.recv().unwrap();
        assert!(futures::poll!(&mut waits).is_pending());
        let refused = ear.transcribe(&it).await.unwrap_err();
        assert!(matches!(refused, HearError::Refused { status: 503 }), "{refused:?}");
        (0..2).for_each(|_| begin.send(()).unwrap());
        assert!(first.await.is_ok() && waits.await.is_ok());
    }

    #[test]
    fn a_folder_without_the_model_says_how_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let config =
            WhisperConfig { folder: folder.path().to_owned(), ..config(Duration::from_secs(1)) };
        let error = LocalTranscriber::load(&config).err().unwrap();
        assert!(error.to_string().contains("scripts/fetch-whisper"), "{error}");
        std::fs::write(folder.path().join("config.json"), "{}").unwrap();
        std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
        std::fs::write(folder.path().join("model.bin"), "no weights").unwrap();
        let error = LocalTranscriber::load(&config).err().unwrap();
        assert!(matches!(error, WhisperError::NotAModel { .. }), "{error}");
    }
}
