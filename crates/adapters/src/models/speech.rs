//! A voice over HTTP: `POST /audio/speech`, which OpenAI and most servers for speech speak.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use protocol::hearing::{SpeakError, Speaker};
use protocol::model::CompleteError;
use reqwest::{Client, Url, header::HeaderMap};
use serde::Serialize;
use tokio::time::timeout;

use super::ModelConfigError;
use super::hearing::line_to;
use super::http::{HttpModelConfig, read_body};

/// The largest recording that is taken: an hour in OPUS.
const SOUND_BYTES_MAX: usize = 16 << 20;

/// A voice, and how it is reached.
#[derive(Clone, Debug)]
pub struct SpeakerConfig {
    /// Where it is, its key and what its model is called. The rest of it is not used.
    pub server: HttpModelConfig,
    /// What the server calls the voice.
    pub voice: String,
    /// How long speaking one text may take.
    pub time_max: Duration,
}

/// See the file head.
#[derive(Debug)]
pub struct HttpSpeaker {
    config: SpeakerConfig,
    client: Client,
    url: Url,
    headers: HeaderMap,
}

#[derive(Serialize)]
struct Ask<'a> {
    model: &'a str,
    input: &'a str,
    voice: &'a str,
    response_format: &'static str,
}

impl HttpSpeaker {
    /// Checks the configuration. Nothing is sent yet.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(config: SpeakerConfig) -> Result<Self, ModelConfigError> {
        let (client, url, headers) = line_to(&config.server, "audio/speech")?;
        Ok(Self { config, client, url, headers })
    }

    async fn ask(&self, text: &str) -> Result<Bytes, SpeakError> {
        let (model, voice) = (&self.config.server.model, &self.config.voice);
        let ask = Ask { model, input: text, voice, response_format: "opus" };
        let request = self.client.post(self.url.clone()).headers(self.headers.clone());
        let sent = request.json(&ask).send().await;
        let response = sent.map_err(|it| SpeakError::Disconnected(it.without_url().into()))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(SpeakError::Refused { status });
        }
        let sound =
            read_body(response.into(), SOUND_BYTES_MAX).await.map_err(|error| match error {
                CompleteError::Disconnected(source) => SpeakError::Disconnected(source),
                CompleteError::TimedOut => SpeakError::TimedOut,
                CompleteError::Refused { status, .. } => SpeakError::Refused { status },
                CompleteError::Garbled { .. }
                | CompleteError::TooLarge
                | CompleteError::Empty
                | CompleteError::Unusable(_) => SpeakError::Garbled,
            })?;
        if sound.starts_with(b"OggS") { Ok(sound) } else { Err(SpeakError::Garbled) }
    }
}

#[async_trait]
impl Speaker for HttpSpeaker {
    async fn speak(&self, text: &str) -> Result<Bytes, SpeakError> {
        let spoken = timeout(self.config.time_max, self.ask(text)).await;
        spoken.unwrap_or(Err(SpeakError::TimedOut))
    }
}
