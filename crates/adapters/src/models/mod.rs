//! Language models: over HTTP in the two protocols that nearly every provider speaks, and one that
//! runs in this process and needs nobody.
//!
//! [`build`] checks a model's configuration and makes it ready. Nothing is sent before the first
//! request.

use std::sync::Arc;

use protocol::model::Model;

pub(crate) mod address;
mod anthropic;
mod draft;
#[cfg(feature = "embedded")]
pub mod embedded;
mod escaped;
mod hearing;
mod http;
mod openai;
mod shown;
mod speech;
mod sse;
mod streaming;

#[cfg(test)]
mod faults;

pub use hearing::{HttpTranscriber, TranscriberConfig};
pub use http::HttpModelConfig;
pub use speech::{HttpSpeaker, SpeakerConfig};

/// One model, and how it is reached.
#[derive(Clone, Debug)]
pub enum ModelConfig {
    /// A server that speaks OpenAI's chat completions.
    OpenAi(HttpModelConfig),
    /// A server that speaks Anthropic's Messages.
    Anthropic(HttpModelConfig),
    /// A model in this process.
    #[cfg(feature = "embedded")]
    Embedded(embedded::EmbeddedConfig),
}

/// Why a model's configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelConfigError {
    /// A model needs a name.
    #[error("a model has no name")]
    NoName,
    /// A setting is wrong.
    #[error("model {name}: {what}")]
    Setting {
        /// The model.
        name: String,
        /// What is wrong, and what would be right.
        what: &'static str,
    },
    /// This machine cannot make HTTP requests, e.g. because it trusts no certificate.
    #[error("model {name}: the HTTP client cannot be set up")]
    NoClient {
        /// The model.
        name: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The model's file cannot be used.
    #[cfg(feature = "embedded")]
    #[error("model {name} cannot be loaded")]
    NotLoaded {
        /// The model.
        name: String,
        /// Why.
        source: Box<embedded::LoadError>,
    },
}

/// Makes a model ready to be asked.
///
/// Build each model once and share it: a model over HTTP owns its connections, an embedded one its
/// weights. An embedded model is read and checked here, which blocks for about a second.
///
/// # Errors
/// What is wrong with the configuration or with the model's file.
pub fn build(config: ModelConfig) -> Result<Arc<dyn Model>, ModelConfigError> {
    Ok(match config {
        ModelConfig::OpenAi(config) => Arc::new(http::HttpModel::<openai::OpenAi>::new(config)?),
        ModelConfig::Anthropic(config) => {
            Arc::new(http::HttpModel::<anthropic::Anthropic>::new(config)?)
        }
        #[cfg(feature = "embedded")]
        ModelConfig::Embedded(config) => Arc::new(embedded::EmbeddedModel::load(config)?),
    })
}
