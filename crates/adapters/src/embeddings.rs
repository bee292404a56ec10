//! Turns texts into vectors in this process: all-MiniLM-L6-v2 (a BERT of six layers), run by candle.
//!
//! Receives  texts, at most `queue_max` of each haste; the next one is refused as `Busy`.
//! Owns      one thread, which owns the weights and takes one text at a time: first those that
//!           somebody waits for.
//! On crash  a panic over a text ends that text as `Unusable`; the thread goes on.

use std::{
    collections::VecDeque,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

use async_trait::async_trait;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use protocol::embedding::{EmbedError, Embedder, Haste};
use tokenizers::{Tokenizer, TruncationParams};
use tokio::sync::oneshot;
use tracing::{error, info};

/// How much of a text is read, in tokens: as much as the model was trained on.
const TOKENS_MAX: usize = 256;
/// The largest file that we read into memory.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// A model's folder, and the limits on using it.
#[derive(Clone, Debug)]
pub struct EmbeddingsConfig {
    /// Where `model.safetensors`, `tokenizer.json` and `config.json` are.
    pub folder: PathBuf,
    /// How many texts of each haste may wait.
    pub queue_max: usize,
}

impl EmbeddingsConfig {
    /// A model with our usual limits.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), queue_max: 256 }
    }
}

/// Why the embedding model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddingsError {
    /// A file is not there, or not ours to read.
    #[error("{path} cannot be read; run scripts/fetch-embeddings to fetch it")]
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is empty, or larger than any such model.
    #[error("{path} has {bytes} bytes, which no such file has; run scripts/fetch-embeddings")]
    WrongSize {
        /// Where it is.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The files are no model that we can run.
    #[error("{folder} holds no embedding model that can be run here")]
    NotAModel {
        /// Where they are.
        folder: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The operating system gives us no thread.
    #[error("the embedding model's thread cannot be started")]
    NoThread(#[source] std::io::Error),
}

/// What was wrong in the model's thread.
#[derive(Debug, thiserror::Error)]
enum ThreadError {
    #[error("the embedding model panicked")]
    Panicked,
    #[error("the embedding model's thread has ended")]
    Ended,
}

type Reply = oneshot::Sender<Result<Vec<f32>, EmbedError>>;

/// Texts that wait for their vectors.
#[derive(Default)]
struct Queue {
    asked: VecDeque<(String, Reply)>,
    idle: VecDeque<(String, Reply)>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    news: Condvar,
}

/// An embedding model in this process. Its thread ends with it.
pub struct LocalEmbedder {
    dimensions: usize,
    queue_max: usize,
    shared: Arc<Shared>,
}

impl LocalEmbedder {
    /// Reads the model's files and starts its thread. Blocks for a moment.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn load(config: &EmbeddingsConfig) -> Result<Self, EmbeddingsError> {
        let bert = Bert::load(&config.folder)?;
        let dimensions = bert.dimensions;
        info!(dimensions, folder = %config.folder.display(), "the embedding model is ready");
        Self::start(dimensions, config.queue_max, move |text| bert.embed(text))
    }

    fn start(
        dimensions: usize,
        queue_max: usize,
        mut embed: impl FnMut(&str) -> Result<Vec<f32>, EmbedError> + Send + 'static,
    ) -> Result<Self, EmbeddingsError> {
        let shared = Arc::<Shared>::default();
        let queue = Arc::clone(&shared);
        let run = move || {
            while let Some((text, reply)) = queue.next() {
                if reply.is_closed() {
                    continue;
                }
                // A text changes nothing in the model, so a panic leaves nothing broken.
                let made = catch_unwind(AssertUnwindSafe(|| embed(&text)));
                let made = made.unwrap_or_else(|_payload| {
                    error!("the embedding model panicked");
                    Err(EmbedError::Unusable(ThreadError::Panicked.into()))
                });
                // lost-ok: nobody waits for it any more.
                reply.send(made).ok();
            }
        };
        let thread = thread::Builder::new().name("embeddings".to_owned());
        thread.spawn(run).map_err(EmbeddingsError::NoThread)?;
        Ok(Self { dimensions, queue_max, shared })
    }
}

impl Drop for LocalEmbedder {
    fn drop(&mut self) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.news.notify_all();
    }
}

impl Shared {
    /// Waits for the next text; `None` once the model was dropped.
    fn next(&self) -> Option<(String, Reply)> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if queue.closed {
                return None;
            }
            let next = queue.asked.pop_front().or_else(|| queue.idle.pop_front());
            if next.is_some() {
                return next;
            }
            queue = self.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn push(&self, text: &str, haste: Haste, queue_max: usize, reply: Reply) -> bool {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let line = match haste {
            Haste::Asked => &mut queue.asked,
            Haste::Idle => &mut queue.idle,
        };
        if queue_max <= line.len() {
            return false;
        }
        line.push_back((text.to_owned(), reply));
        self.news.notify_one();
        true
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn dimensions(&self) -> usize {
        self.dimensions
    }

    async fn embed(&self, text: &str, haste: Haste) -> Result<Vec<f32>, EmbedError> {
        let (reply, made) = oneshot::channel();
        if !self.shared.push(text, haste, self.queue_max, reply) {
            return Err(EmbedError::Busy);
        }
        let ended = |_gone| EmbedError::Unusable(ThreadError::Ended.into());
        made.await.map_err(ended)?
    }
}

/// The model itself.
struct Bert {
    model: BertModel,
    tokenizer: Tokenizer,
    dimensions: usize,
}

impl Bert {
    fn load(folder: &Path) -> Result<Self, EmbeddingsError> {
        let config = read(&folder.join("config.json"))?;
        let tokenizer = read(&folder.join("tokenizer.json"))?;
        let weights = read(&folder.join("model.safetensors"))?;
        Self::parse(&config, &tokenizer, weights)
            .map_err(|source| EmbeddingsError::NotAModel { folder: folder.to_owned(), source })
    }

    fn parse(
        config: &[u8],
        tokenizer: &[u8],
        weights: Vec<u8>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let config: Config = serde_json::from_slice(config)?;
        let mut tokenizer = Tokenizer::from_bytes(tokenizer)?;
        let truncation = TruncationParams { max_length: TOKENS_MAX, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(truncation))?;
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        let model = BertModel::load(weights, &config)?;
        Ok(Self { model, tokenizer, dimensions: config.hidden_size })
    }

    fn embed(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let encoding = self.tokenizer.encode(text, true).map_err(EmbedError::Unusable)?;
        self.forward(encoding.get_ids()).map_err(|error| EmbedError::Unusable(error.into()))
    }

    /// The mean of what the model says about each token, brought to length 1.
    fn forward(&self, tokens: &[u32]) -> candle_core::Result<Vec<f32>> {
        let tokens = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let kinds = tokens.zeros_like()?;
        let said = self.model.forward(&tokens, &kinds, None)?;
        let mean: Vec<f32> = said.mean(1)?.squeeze(0)?.to_vec1()?;
        let length = mean.iter().map(|it| it * it).sum::<f32>().sqrt();
        let length = if length.is_normal() { length } else { 1.0 };
        Ok(mean.into_iter().map(|it| it / length).collect())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, EmbeddingsError> {
    let unreadable = |source| EmbeddingsError::Unreadable { path: path.to_owned(), source };
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() || about.len() == 0 || FILE_BYTES_MAX < about.len() {
        return Err(EmbeddingsError::WrongSize { path: path.to_owned(), bytes: about.len() });
    }
    fs::read(path).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_goes_first_and_a_panic_ends_one_text() {
        let (begin, begun) = std::sync::mpsc::channel::<()>();
        let order = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&order);
        let embedder = LocalEmbedder::start(1, 2, move |text| {
            begun.recv().unwrap();
            seen.lock().unwrap().push(text.to_owned());
            assert_ne!(text, "panic", "as the test wants");
            Ok(vec![1.0])
        })
        .unwrap();
        let ask = |text: &'static str, haste| {
            let (reply, made) = oneshot::channel();
            (embedder.shared.push(text, haste, 2, reply), made)
        };
        let (_, _first) = ask("first", Haste::Idle);
        // Until the thread has taken the first one, so that the rest wait.
        while !embedder.shared.queue.lock().unwrap().idle.is_empty() {
            tokio::task::yield_now().await;
        }
        let (_, _later) = ask("later", Haste::Idle);
        let (_, panicked) = ask("panic", Haste::Asked);
        let (_, asked) = ask("asked", Haste::Asked);
        assert!(!ask("too many", Haste::Asked).0);
        assert!(matches!(embedder.embed("x", Haste::Asked).await, Err(EmbedError::Busy)));
        (0..4).for_each(|_| begin.send(()).unwrap());
        assert!(matches!(panicked.await.unwrap(), Err(EmbedError::Unusable(_))));
        assert_eq!(asked.await.unwrap().unwrap(), [1.0]);
        assert_eq!(_later.await.unwrap().unwrap(), [1.0]);
        assert_eq!(*order.lock().unwrap(), ["first", "panic", "asked", "later"]);
    }

    #[test]
    fn a_folder_without_the_model_says_how_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = EmbeddingsConfig::new(folder.path());
        let error = LocalEmbedder::load(&config).err().unwrap();
        assert!(error.to_string().contains("scripts/fetch-embeddings"), "{error}");
        fs::write(folder.path().join("config.json"), "{}").unwrap();
        fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
        fs::write(folder.path().join("model.safetensors"), "no weights").unwrap();
        let error = LocalEmbedder::load(&config).err().unwrap();
        assert!(matches!(error, EmbeddingsError::NotAModel { .. }), "{error}");
    }

    /// Needs `GUILDHALL_TEST_EMBEDDINGS`, see `scripts/fetch-embeddings`.
    #[tokio::test]
    async fn texts_that_mean_the_same_lie_close_with_the_real_weights() {
        let Ok(folder) = std::env::var("GUILDHALL_TEST_EMBEDDINGS") else {
            println!("left out: GUILDHALL_TEST_EMBEDDINGS is not set");
            return;
        };
        let embedder = LocalEmbedder::load(&EmbeddingsConfig::new(folder)).unwrap();
        let mut vectors = Vec::new();
        for text in [
            "What is the weather like today?",
            "Will it rain this afternoon?",
            "How do I bake sourdough bread?",
        ] {
            vectors.push(embedder.embed(text, Haste::Asked).await.unwrap());
        }
        let cosine = |a: usize, b: usize| -> f32 {
            vectors[a].iter().zip(&vectors[b]).map(|(a, b)| a * b).sum()
        };
        assert!((cosine(0, 0) - 1.0).abs() < 1e-4);
        assert!(cosine(0, 1) > cosine(0, 2) + 0.2, "{} {}", cosine(0, 1), cosine(0, 2));
        let long = "word ".repeat(5_000);
        assert_eq!(embedder.embed(&long, Haste::Idle).await.unwrap().len(), embedder.dimensions());
        assert_eq!(embedder.embed("", Haste::Idle).await.unwrap().len(), 384);
    }
}
