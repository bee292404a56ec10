//! A recogniser over HTTP: `POST /audio/transcriptions`, which OpenAI and most servers for Whisper speak.

use std::time::Duration;

use async_trait::async_trait;
use protocol::hearing::{HearError, Recording, Transcriber, Transcript};
use protocol::model::CompleteError;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Url, header::HeaderMap};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::ModelConfigError;
use super::http::{HttpModelConfig, Protocol as _, client, read_body};
use super::openai::OpenAi;

/// A recogniser, and how it is reached.
#[derive(Clone, Debug)]
pub struct TranscriberConfig {
    /// Where it is, its key and what its model is called. The rest of it is not used.
    pub server: HttpModelConfig,
    /// How long hearing one recording may take.
    pub time_max: Duration,
    /// The longest transcript, in bytes. A longer one is refused.
    pub text_bytes_max: usize,
}

/// See the file head.
#[derive(Debug)]
pub struct HttpTranscriber {
    config: TranscriberConfig,
    client: Client,
    url: Url,
    headers: HeaderMap,
}

#[derive(Deserialize)]
struct Heard {
    text: String,
    language: Option<String>,
    /// `{"type": "duration", "seconds": 9}`, or something else.
    #[serde(default)]
    usage: Value,
    /// Seconds, in longer answers.
    #[serde(default)]
    duration: Value,
}

impl Heard {
    /// How long the recording is, as the server counts it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded up, not negative, and no more than fits"
    )]
    fn seconds(&self) -> Option<u32> {
        let told = self.usage.get("seconds").unwrap_or(&self.duration);
        let seconds = told.as_f64()?.ceil();
        (0.0..=f64::from(u32::MAX)).contains(&seconds).then_some(seconds as u32)
    }
}

impl HttpTranscriber {
    /// Checks the configuration. Nothing is sent yet.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(config: TranscriberConfig) -> Result<Self, ModelConfigError> {
        let (client, url, headers) = line_to(&config.server, "audio/transcriptions")?;
        Ok(Self { config, client, url, headers })
    }

    async fn ask(&self, recording: &Recording) -> Result<Transcript, HearError> {
        // The name is ours: it tells the server what the file is, and nothing of anybody.
        let file = Part::stream(recording.bytes.clone())
            .file_name(format!("recording.{}", recording.ending));
        let mut form = Form::new()
            .part("file", file)
            .text("model", self.config.server.model.clone())
            .text("response_format", "json");
        if let Some(language) = &recording.language {
            form = form.text("language", language.clone());
        }
        let request = self.client.post(self.url.clone()).headers(self.headers.clone());
        let sent = request.multipart(form).send().await;
        let response = sent.map_err(|it| HearError::Disconnected(it.without_url().into()))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(HearError::Refused { status });
        }
        // In JSON a letter may take six bytes.
        let body = read_body(response.into(), self.config.text_bytes_max.saturating_mul(6)).await;
        let body = body.map_err(|error| match error {
            CompleteError::Disconnected(source) => HearError::Disconnected(source),
            CompleteError::TimedOut => HearError::TimedOut,
            CompleteError::Refused { status, .. } => HearError::Refused { status },
            CompleteError::Garbled { .. }
            | CompleteError::TooLarge
            | CompleteError::Empty
            | CompleteError::Unusable(_) => HearError::Garbled,
        })?;
        let heard: Heard = serde_json::from_slice(&body)
            .map_err(|_holds_a_bit_of_the_transcript| HearError::Garbled)?;
        if self.config.text_bytes_max < heard.text.len() {
            return Err(HearError::Garbled);
        }
        let seconds = heard.seconds();
        let Heard { text, language, .. } = heard;
        let language = language.filter(|it| it.len() <= 32);
        Ok(Transcript { text, model: self.config.server.model.clone(), language, seconds })
    }
}

#[async_trait]
impl Transcriber for HttpTranscriber {
    async fn transcribe(&self, recording: &Recording) -> Result<Transcript, HearError> {
        let heard = timeout(self.config.time_max, self.ask(recording)).await;
        heard.unwrap_or(Err(HearError::TimedOut))
    }
}

/// A client, the address and the headers for one call of a server that speaks OpenAI's protocol.
pub(super) fn line_to(
    server: &HttpModelConfig,
    call: &str,
) -> Result<(Client, Url, HeaderMap), ModelConfigError> {
    let mut url = server.check()?;
    let path = format!("{}/{call}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    let headers = OpenAi::headers(&server.api_key).map_err(|_not_a_header| {
        let what = "`api_key` contains characters that no key can have";
        ModelConfigError::Setting { name: server.name.clone(), what }
    })?;
    let client = client(server)
        .map_err(|source| ModelConfigError::NoClient { name: server.name.clone(), source })?;
    Ok((client, url, headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_recording_is_a_server_may_say_in_two_ways_or_not_at_all() {
        let seconds = |more: &str| {
            let heard: Heard = serde_json::from_str(&format!(r#"{{"text":"hi"{more}}}"#)).unwrap();
            heard.seconds()
        };
        assert_eq!(seconds(r#","usage":{"type":"duration","seconds":9}"#), Some(9));
        assert_eq!(seconds(r#","duration":8.2"#), Some(9));
        assert_eq!(seconds(r#","usage":{"type":"tokens","total_tokens":5},"duration":null"#), None);
        assert_eq!(seconds(r#","usage":null,"duration":"long""#), None);
        assert_eq!(seconds(r#","duration":-1"#), None);
        assert_eq!(seconds(""), None);
    }
}
