//! Models that are asked over HTTP: what all protocols share. Opens the connection, sends one
//! request, reads one answer within its limits, and turns everything that can go wrong into a
//! [`CompleteError`].
//!
//! Owns      one connection pool per model, used by all its requests.
//! Promises  no key, URL or text in an error or in `Debug`; redirects are refused; an answer that
//!           stops before its end is never taken for a complete one; dropping a request closes its
//!           connection.

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use protocol::model::{CompleteError, Completion, Model, ModelRequest, Price};
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Request, StatusCode, Url};
use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};

use super::ModelConfigError;
use super::address::{PublicOnly, is_private_host};
use super::draft::Draft;
use super::sse::{SseReader, Step};
use super::streaming::Streaming;
use crate::wire::{Answer, Pool, Wire, WireError};

/// How long opening a connection may take, inside the time for the first byte.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
const POOL: Pool = Pool {
    connect_time_max: CONNECT_TIME_MAX,
    idle_time_max: Duration::from_secs(90),
    idle_max: 512,
    keepalive: None,
};
const USER_AGENT: &str = concat!("guildhall/", env!("CARGO_PKG_VERSION"));
/// How long we wait, once an answer has ended, for what else its provider says about it.
const TAIL_TIME_MAX: Duration = Duration::from_secs(2);
/// The longest that we let a provider put us off.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
/// The fewest tokens in which instructions, a question and an answer have room.
const CONTEXT_TOKENS_MIN: usize = 512;
/// What an answer may weigh beside its text.
const ENVELOPE_BYTES_MAX: usize = 64 * 1024;
/// The most bytes that JSON needs for one byte of text.
const ESCAPE_BYTES_MAX: usize = 6;
/// The most bytes on the wire that a stream may need for one byte of text.
const FRAME_BYTES_MAX: usize = 1_024;

/// One model of one provider, and the limits on asking it.
#[derive(Clone)]
pub struct HttpModelConfig {
    /// The name that agents and admins use for it.
    pub name: String,
    /// Where the provider is, `https://api.openai.com/v1` or `https://api.anthropic.com`.
    pub base_url: String,
    /// The provider's key; empty for a server that wants none.
    pub api_key: SecretString,
    /// The model, as the provider names it.
    pub model: String,
    /// Whether the answer is taken piece by piece, as it is written. A server that hands all pieces
    /// over at once is asked for whole answers, and for a stream once a second.
    pub stream: bool,
    /// Whether it may be offered tools.
    pub tools: bool,
    /// How long we wait for the first piece of an answer, counted from the request. An answer that
    /// is not streamed begins when it is complete.
    pub first_byte_time_max: Duration,
    /// How long we wait for each further piece. Comments and pings are no pieces.
    pub piece_time_max: Duration,
    /// The longest text that we take.
    pub answer_bytes_max: usize,
    /// Whether it can be shown pictures.
    pub sees: bool,
    /// The most tokens of question and answer together.
    pub context_tokens_max: usize,
    /// Price of a million prompt tokens, in millionths of the currency; 0 for none.
    pub price_input_micros_per_mtok: u64,
    /// Price of a million answer tokens, in millionths of the currency; 0 for none.
    pub price_output_micros_per_mtok: u64,
    /// Whether the provider may be on this machine or on a private network, and may be asked
    /// without encryption.
    pub allow_private_addresses: bool,
    /// Whether the proxy of the environment (`HTTPS_PROXY` and its like) is used. The proxy then
    /// resolves the provider's name, and may lead to private addresses.
    pub system_proxy: bool,
}

impl HttpModelConfig {
    /// A streaming model with our usual limits, without a price, on the public internet.
    #[must_use]
    pub fn new(name: &str, base_url: &str, api_key: &str, model: &str) -> Self {
        Self {
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            api_key: SecretString::from(api_key),
            model: model.to_owned(),
            stream: true,
            tools: true,
            first_byte_time_max: Duration::from_secs(60),
            piece_time_max: Duration::from_secs(30),
            answer_bytes_max: 256 * 1024,
            sees: false,
            context_tokens_max: 16_384,
            price_input_micros_per_mtok: 0,
            price_output_micros_per_mtok: 0,
            allow_private_addresses: false,
            system_proxy: false,
        }
    }

    /// What it costs.
    #[must_use]
    pub fn price(&self) -> Price {
        Price {
            input_micros_per_mtok: self.price_input_micros_per_mtok,
            output_micros_per_mtok: self.price_output_micros_per_mtok,
        }
    }

    pub(super) fn check(&self) -> Result<Url, ModelConfigError> {
        if self.name.is_empty() {
            return Err(ModelConfigError::NoName);
        }
        let refuse = |what| ModelConfigError::Setting { name: self.name.clone(), what };
        if self.model.is_empty() {
            return Err(refuse("`model` is empty"));
        }
        if self.first_byte_time_max.is_zero() || self.piece_time_max.is_zero() {
            return Err(refuse("`first_byte_time_max` and `piece_time_max` must not be zero"));
        }
        if self.context_tokens_max < CONTEXT_TOKENS_MIN {
            return Err(refuse("`context_tokens_max` must be at least 512"));
        }
        if self.answer_bytes_max == 0 {
            return Err(refuse("`answer_bytes_max` must not be zero"));
        }
        self.check_url().map_err(refuse)
    }

    fn check_url(&self) -> Result<Url, &'static str> {
        let Ok(url) = Url::parse(&self.base_url) else {
            return Err("`base_url` is not a URL; it should look like https://api.example.org/v1");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err("`base_url` must begin with https:// or http://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("`base_url` must not contain a user or a password; use `api_key`");
        }
        if url.fragment().is_some() {
            return Err("`base_url` must not contain a `#`");
        }
        if !self.allow_private_addresses {
            if url.scheme() == "http" {
                return Err("`base_url` must begin with https://, or `allow_private_addresses` \
                            must be set: plain http shows key and texts to everyone on the way");
            }
            if url.host_str().is_none_or(is_private_host) {
                return Err("`base_url` is a private address; set `allow_private_addresses` if \
                            that is meant");
            }
        }
        Ok(url)
    }
}

/// Leaves out the key and the URL, which may carry secrets of its own.
impl fmt::Debug for HttpModelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpModelConfig")
            .field("name", &self.name)
            .field("model", &self.model)
            .field("stream", &self.stream)
            .field("tools", &self.tools)
            .field("first_byte_time_max", &self.first_byte_time_max)
            .field("piece_time_max", &self.piece_time_max)
            .field("answer_bytes_max", &self.answer_bytes_max)
            .field("allow_private_addresses", &self.allow_private_addresses)
            .finish_non_exhaustive()
    }
}

/// What differs from one provider's protocol to the next.
pub(super) trait Protocol: Sized + Send + Sync + 'static {
    /// Completes the base URL to the address of the request.
    fn endpoint(base: &mut Url) -> Self;

    /// The headers that carry the key and the protocol's version.
    fn headers(api_key: &SecretString) -> Result<HeaderMap, header::InvalidHeaderValue>;

    /// Writes the request, for an answer in pieces or for a whole one.
    fn ask(
        &self,
        config: &HttpModelConfig,
        request: &ModelRequest,
        stream: bool,
        body: &mut Vec<u8>,
    ) -> serde_json::Result<()>;

    /// Reads an answer that came in one piece.
    fn read_whole(body: &[u8], draft: &mut Draft<'_>) -> Result<(), CompleteError>;

    /// Reads one event of an answer that comes in pieces.
    fn read_event(data: &[u8], draft: &mut Draft<'_>) -> Result<Step, CompleteError>;
}

/// A model behind the protocol `P`.
pub(super) struct HttpModel<P> {
    config: HttpModelConfig,
    protocol: P,
    wire: Wire,
    url: Url,
    headers: HeaderMap,
    streaming: Streaming,
}

impl<P: Protocol> HttpModel<P> {
    pub(super) fn new(config: HttpModelConfig) -> Result<Self, ModelConfigError> {
        let mut url = config.check()?;
        let protocol = P::endpoint(&mut url);
        let refuse = |what| ModelConfigError::Setting { name: config.name.clone(), what };
        let Ok(mut headers) = P::headers(&config.api_key) else {
            return Err(refuse("`api_key` contains characters that no key can have"));
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // Only reqwest's own clients say it by themselves.
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let wire = if url.scheme() == "http" && !config.system_proxy {
            Wire::plain(POOL)
        } else {
            let client = client(&config);
            Wire::Any(client.map_err(|source| ModelConfigError::NoClient {
                name: config.name.clone(),
                source,
            })?)
        };
        Ok(Self { config, protocol, wire, url, headers, streaming: Streaming::new() })
    }

    fn request(&self, request: &ModelRequest, stream: bool) -> Result<Request, CompleteError> {
        // A little more than there is: a body that grows is copied whole.
        let said =
            request.turns.iter().map(|turn| turn.content.len() + turn.content.len() / 16 + 64);
        let tools = request.tools.iter();
        let told = tools.map(|it| it.description.len() + it.parameters.get().len() + 192);
        let mut body = Vec::with_capacity(said.sum::<usize>() + told.sum::<usize>() + 256);
        self.protocol
            .ask(&self.config, request, stream, &mut body)
            .map_err(|error| CompleteError::Unusable(error.into()))?;
        let mut http = Request::new(Method::POST, self.url.clone());
        http.headers_mut().clone_from(&self.headers);
        let accepted = if stream { "text/event-stream" } else { "application/json" };
        http.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(accepted));
        *http.body_mut() = Some(body.into());
        Ok(http)
    }

    async fn read_whole(
        &self,
        response: Answer,
        first_byte_deadline: Instant,
        draft: &mut Draft<'_>,
    ) -> Result<(), CompleteError> {
        let body_bytes_max = self.config.answer_bytes_max.saturating_mul(ESCAPE_BYTES_MAX);
        let body_bytes_max = body_bytes_max.saturating_add(ENVELOPE_BYTES_MAX);
        // Some providers send the head at once and the body when it is written.
        let deadline = first_byte_deadline.max(Instant::now() + self.config.piece_time_max);
        let Ok(body) = timeout_at(deadline, read_body(response, body_bytes_max)).await else {
            return Err(CompleteError::TimedOut);
        };
        let body = body?;
        if body.is_empty() {
            return Err(CompleteError::Empty);
        }
        P::read_whole(&body, draft)
    }

    async fn read_stream(
        &self,
        mut response: Answer,
        first_byte_deadline: Instant,
        draft: &mut Draft<'_>,
    ) -> Result<(), CompleteError> {
        let text_bytes_max = self.config.answer_bytes_max;
        let event_bytes_max = text_bytes_max.saturating_mul(ESCAPE_BYTES_MAX);
        let mut reader = SseReader::new(event_bytes_max.saturating_add(ENVELOPE_BYTES_MAX));
        let mut wire_bytes_left = text_bytes_max.saturating_mul(FRAME_BYTES_MAX);
        wire_bytes_left = wire_bytes_left.saturating_add(ENVELOPE_BYTES_MAX);
        let mut deadline = first_byte_deadline;
        let mut is_first = true;
        loop {
            let piece = match timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                // Whether the answer is complete is for the draft to say.
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(_)) | Err(_) if draft.has_ended() => return Ok(()),
                Ok(Err(error)) => return Err(disconnected(error)),
                Err(_elapsed) => return Err(CompleteError::TimedOut),
            };
            wire_bytes_left =
                wire_bytes_left.checked_sub(piece.len()).ok_or(CompleteError::TooLarge)?;
            if !is_first {
                self.streaming.came_in_pieces();
            }
            match reader.feed(&piece, |data| P::read_event(data, draft))? {
                Step::Idle => {}
                Step::Progress if draft.has_ended() => deadline = Instant::now() + TAIL_TIME_MAX,
                Step::Progress => deadline = Instant::now() + self.config.piece_time_max,
                Step::Done => {
                    if is_first {
                        self.streaming.came_at_once(draft.pieces());
                    }
                    response.finish();
                    return Ok(());
                }
            }
            is_first = false;
        }
    }
}

#[async_trait]
impl<P: Protocol> Model for HttpModel<P> {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn prompt_tokens_max(&self, answer_tokens_max: u32) -> usize {
        let whole = self.config.context_tokens_max;
        let answer = usize::try_from(answer_tokens_max).unwrap_or(usize::MAX);
        whole - answer.min(whole / 2)
    }

    fn price(&self) -> Price {
        self.config.price()
    }

    fn calls_tools(&self) -> bool {
        self.config.tools
    }

    fn sees(&self) -> bool {
        self.config.sees
    }

    async fn complete(
        &self,
        request: &ModelRequest,
        on_text: &mut (dyn for<'t> FnMut(&'t str) + Send),
    ) -> Result<Completion, CompleteError> {
        let now = Instant::now();
        let stream = self.config.stream && self.streaming.is_worth_asking(now);
        let http = self.request(request, stream)?;
        let deadline = now + self.config.first_byte_time_max;
        let response = match timeout_at(deadline, self.wire.execute(http)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(disconnected(error)),
            Err(_elapsed) => return Err(CompleteError::TimedOut),
        };
        if response.status != StatusCode::OK {
            return Err(CompleteError::Refused {
                status: response.status.as_u16(),
                retry_after: retry_after(&response.headers),
            });
        }
        let mut draft = Draft::new(self.config.answer_bytes_max, on_text);
        // What the provider sends decides: some do not stream although they are asked to.
        match content_type(&response.headers) {
            Some(kind) if kind.eq_ignore_ascii_case("text/event-stream") => {
                self.read_stream(response, deadline, &mut draft).await?;
            }
            Some(kind) if kind.eq_ignore_ascii_case("application/json") => {
                self.read_whole(response, deadline, &mut draft).await?;
            }
            Some(_) => return Err(CompleteError::Garbled { what: "its content type is another" }),
            None => return Err(CompleteError::Garbled { what: "it has no content type" }),
        }
        draft.complete(&self.config, request)
    }
}

pub(super) fn client(config: &HttpModelConfig) -> reqwest::Result<Client> {
    let mut builder = Client::builder().user_agent(USER_AGENT);
    if !config.system_proxy {
        builder = builder.no_proxy();
    }
    if !config.allow_private_addresses {
        builder = builder.dns_resolver(std::sync::Arc::new(PublicOnly));
    }
    POOL.client(builder)
}

/// Reads a body to its end. One that comes in one piece is not copied.
pub(super) async fn read_body(
    mut response: Answer,
    body_bytes_max: usize,
) -> Result<Bytes, CompleteError> {
    let Some(first) = response.chunk().await.map_err(disconnected)? else {
        return Ok(Bytes::new());
    };
    if first.len() > body_bytes_max {
        return Err(CompleteError::TooLarge);
    }
    let Some(mut piece) = response.chunk().await.map_err(disconnected)? else {
        return Ok(first);
    };
    let mut body = Vec::from(first);
    loop {
        if piece.len() > body_bytes_max - body.len() {
            return Err(CompleteError::TooLarge);
        }
        body.extend_from_slice(&piece);
        match response.chunk().await.map_err(disconnected)? {
            Some(next) => piece = next,
            None => return Ok(body.into()),
        }
    }
}

fn disconnected(error: WireError) -> CompleteError {
    CompleteError::Disconnected(error)
}

/// What a status inside an answer means.
pub(super) fn refused(status: u16) -> CompleteError {
    CompleteError::Refused { status, retry_after: None }
}

/// The media type of an answer, without its parameters.
fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split_once(';').map_or(value, |(kind, _parameters)| kind).trim())
}

/// How long the provider asks us to wait: in milliseconds, in seconds, or until a date, which is
/// measured against the answer's own date, so that our clock need not agree with theirs.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(Ok(millis)) = text("retry-after-ms").map(|text| text.trim().parse::<f64>()) {
        return put_off(millis / 1_000.0);
    }
    let until = text("retry-after")?.trim();
    if let Ok(seconds) = until.parse::<f64>() {
        return put_off(seconds);
    }
    let date = |text| httpdate::parse_http_date(text).ok();
    let now: SystemTime = date(text("date")?)?;
    let span = date(until)?.duration_since(now).unwrap_or(Duration::ZERO);
    Some(span.min(RETRY_AFTER_MAX))
}

fn put_off(seconds: f64) -> Option<Duration> {
    let span = Duration::try_from_secs_f64(seconds).ok()?;
    Some(span.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(headers: &[(&'static str, &'static str)]) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| {
            (header::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        retry_after(&headers.collect())
    }

    #[test]
    fn a_wait_is_read_in_every_form_and_capped() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let now = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(waits(&[]), None);
        assert_eq!(waits(&[("retry-after", "7")]), seconds(7));
        assert_eq!(waits(&[("retry-after-ms", "2000"), ("retry-after", "7")]), seconds(2));
        assert_eq!(waits(&[("retry-after", "Sun, 06 Nov 1994 08:49:57 GMT"), now]), seconds(20));
        assert_eq!(waits(&[("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT"), now]), seconds(0));
        assert_eq!(waits(&[("retry-after", "Sun, 06 Nov 1994 08:49:57 GMT")]), None);
        assert_eq!(waits(&[("retry-after", "999999999")]), Some(RETRY_AFTER_MAX));
        for nonsense in ["-1", "soon", "NaN", "inf", ""] {
            assert_eq!(waits(&[("retry-after", nonsense), now]), None, "{nonsense}");
        }
    }

    #[test]
    fn a_configuration_that_cannot_work_is_refused_in_words() {
        let cases: [(&str, &str); 7] = [
            ("nonsense", "is not a URL"),
            ("ftp://example.org", "must begin with https://"),
            ("https://user:pw-canary@example.org", "must not contain a user"),
            ("https://example.org/#a", "must not contain a `#`"),
            ("http://example.org/v1", "plain http"),
            ("https://127.0.0.1:1/v1", "is a private address"),
            ("https://0x7f.1/v1", "is a private address"),
        ];
        for (url, words) in cases {
            let said = HttpModelConfig::new("a", url, "k", "m").check().unwrap_err().to_string();
            assert!(said.contains(words) && !said.contains("canary"), "{url}: {said}");
        }
        let good = HttpModelConfig::new("a", "https://example.org/v1", "k", "m");
        assert!(good.check().is_ok());
        assert!(HttpModelConfig { model: String::new(), ..good.clone() }.check().is_err());
        assert!(HttpModelConfig { name: String::new(), ..good.clone() }.check().is_err());
        assert!(HttpModelConfig { answer_bytes_max: 0, ..good.clone() }.check().is_err());
        assert!(HttpModelConfig { piece_time_max: Duration::ZERO, ..good }.check().is_err());
    }
}
