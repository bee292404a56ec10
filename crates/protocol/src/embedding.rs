//! The port to whatever turns a text into a vector, so that texts that mean the same lie close.

use async_trait::async_trait;

/// Why there is no vector.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// Too many texts wait.
    #[error("too many texts wait for their vector")]
    Busy,
    /// The model failed, or its thread is gone.
    #[error("the embedding model cannot run here")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How soon a vector is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Haste {
    /// Somebody waits for an answer.
    Asked,
    /// Nobody waits.
    Idle,
}

/// Turns texts into vectors of length 1. Whoever asks with [`Haste::Asked`] goes before all others.
#[async_trait]
pub trait Embedder: Send + Sync + 'static {
    /// Numbers of a vector.
    fn dimensions(&self) -> usize;

    /// The vector of a text. A long text is read from its beginning, as far as the model reads.
    async fn embed(&self, text: &str, haste: Haste) -> Result<Vec<f32>, EmbedError>;
}
