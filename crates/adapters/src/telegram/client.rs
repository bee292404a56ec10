//! Calls to the Bot API: their types are frankenstein's, the transport is ours.
//!
//! Frankenstein's own transport prints the token with `{:?}`, keeps answer bodies in its errors and
//! reads `retry_after` into 16 bits. This one does none of that: [`Client`] is the only place that
//! knows the token, and every failure leaves it as a [`MessengerError`] without URL or body.
//!
//! Sends     HTTP/1.1 requests, each with a time limit. Nothing is ever sent twice by itself.
//! Owns      the token and the connection pool.
//!
//! Redirects are not followed: they would carry the token to another host.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use frankenstein::AsyncTelegramApi;
use futures::FutureExt as _;
use protocol::{
    BotId, ChatId,
    messenger::{DownloadError, MessengerError},
};
use reqwest::{
    Method, Request, Url,
    header::{self, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::timeout;

use crate::wire::{Answer, Pool, Wire, WireError};

const CALL_TIME_MAX: Duration = Duration::from_secs(20);
/// A file may be large and the line slow.
const UPLOAD_TIME_MAX: Duration = Duration::from_secs(300);
/// The largest file that a bot can fetch has 20 MB.
const DOWNLOAD_TIME_MAX: Duration = Duration::from_secs(120);
/// What a long poll may take beyond the time it waits.
const POLL_TIME_EXTRA: Duration = Duration::from_secs(10);
const POOL: Pool = Pool {
    connect_time_max: Duration::from_secs(5),
    // Shorter than any server's: a request on a connection that is just being closed may be lost,
    // and nobody could say whether it was.
    idle_time_max: Duration::from_secs(30),
    idle_max: 256,
    keepalive: Some(Duration::from_secs(30)),
};
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ANSWER_BYTES_MAX: usize = 1 << 20;
const POLL_BYTES_MAX: usize = 20 << 20;
const DESCRIPTION_CHARS_MAX: usize = 200;
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
/// Longer waits are cut to this, so that no sum with a point in time can overflow.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Which bot, and where its Bot API is.
#[derive(Clone)]
pub struct Endpoint {
    /// The Bot API's address, without the `/bot<token>` part. Telegram's is
    /// `https://api.telegram.org`.
    pub api_url: String,
    /// The bot's token.
    pub token: SecretString,
    /// Allows plain `http` to any host. Without it, only to this machine and to private addresses.
    pub plain_http_allowed: bool,
}

/// Why no client could be made. Never says what the token or the address was.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Not `<number>:<letters>`.
    #[error("the bot's token is malformed: expected a number, a colon and letters")]
    TokenMalformed,
    /// Not an address, or one with a user, a query or a fragment.
    #[error("the Bot API's address is malformed: expected http(s)://host[:port][/path]")]
    UrlMalformed,
    /// The token would travel unencrypted.
    #[error("the Bot API's address must begin with https, or be on a private network")]
    UrlInsecure,
    /// TLS or the resolver could not be set up.
    #[error("the HTTP client cannot be set up")]
    Setup(#[source] reqwest::Error),
}

/// Hears of every call to the Bot API, for figures. Must not block.
pub trait Observer: Send + Sync + 'static {
    /// A method was called; 0 stands for no answer.
    fn called(&self, method: &str, code: u16);

    /// Telegram wants to be left alone for so long.
    fn asked_to_wait(&self, span: Duration);
}

/// A bot's line to the Bot API. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    observer: Option<Arc<dyn Observer>>,
    /// For files.
    http: reqwest::Client,
    /// For everything else.
    wire: Wire,
    bot: BotId,
    token: SecretString,
    /// `<address>/bot<token>/`: a secret, because of the token in it.
    base: SecretString,
    /// `<address>/file/bot<token>/`: likewise.
    files: SecretString,
    /// Addresses of methods that were called before. Shared by all copies.
    urls: Arc<RwLock<HashMap<String, Url>>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("bot", &self.bot).finish_non_exhaustive()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password, if it is wrong.
        f.debug_struct("Endpoint")
            .field("plain_http_allowed", &self.plain_http_allowed)
            .finish_non_exhaustive()
    }
}

/// How far one call may go.
#[derive(Clone, Copy)]
struct Limits {
    time_max: Duration,
    answer_bytes_max: usize,
}

const CALL_LIMITS: Limits = Limits { time_max: CALL_TIME_MAX, answer_bytes_max: ANSWER_BYTES_MAX };

impl Client {
    /// Checks token and address and sets up the pool. Connects to nothing yet.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(endpoint: &Endpoint) -> Result<Self, ClientError> {
        let bot = bot_of(endpoint.token.expose_secret()).ok_or(ClientError::TokenMalformed)?;
        let url = checked_url(endpoint)?;
        // With HTTP/2, long poll and sends would share one connection, and its stalls.
        let mut http = reqwest::Client::builder().http1_only();
        let is_plain = url.scheme() == "http";
        if is_plain {
            // A proxy from the environment would see the token.
            http = http.no_proxy();
        }
        let http = POOL.client(http).map_err(ClientError::Setup)?;
        let wire = if is_plain { Wire::plain(POOL) } else { Wire::Any(http.clone()) };
        let token = endpoint.token.clone();
        let address = url.as_str().trim_end_matches('/');
        let base = format!("{address}/bot{}/", token.expose_secret());
        let files = format!("{address}/file/bot{}/", token.expose_secret());
        let (base, files) = (base.into(), files.into());
        Ok(Self { observer: None, http, wire, bot, token, base, files, urls: Arc::default() })
    }

    /// The same, heard by somebody.
    #[must_use]
    pub fn observed(self, observer: Option<Arc<dyn Observer>>) -> Self {
        Self { observer, ..self }
    }

    /// Sends a request, and lets the observer hear of it.
    async fn receive(
        &self,
        method: &str,
        request: impl Future<Output = Result<Answer, WireError>>,
        limits: Limits,
    ) -> Result<(u16, Bytes), MessengerError> {
        let received = receive(request, limits).await;
        if let Some(observer) = &self.observer {
            observer.called(method, received.as_ref().map_or(0, |(status, _)| *status));
        }
        received
    }

    /// Calls a method and reads its result.
    ///
    /// Not cancel-safe: a call that is dropped may or may not have been carried out.
    ///
    /// # Errors
    /// See [`MessengerError`].
    pub async fn call<P, T>(&self, method: &str, params: &P) -> Result<T, MessengerError>
    where
        P: Serialize + Sync,
        T: DeserializeOwned,
    {
        let (status, body) = self.post(method, to_json(params)?, CALL_LIMITS).await?;
        self.decode::<Told<T>>(status, &body).map(|answer| answer.result)
    }

    /// Calls a method that answers only after `wait`, and returns the whole body of its answer.
    ///
    /// # Errors
    /// See [`MessengerError`].
    pub(super) async fn long_poll<P>(
        &self,
        method: &str,
        params: &P,
        wait: Duration,
    ) -> Result<Bytes, MessengerError>
    where
        P: Serialize + Sync,
    {
        let limits = Limits {
            time_max: wait.saturating_add(POLL_TIME_EXTRA),
            answer_bytes_max: POLL_BYTES_MAX,
        };
        let (status, body) = self.post(method, to_json(params)?, limits).await?;
        if (200..300).contains(&status) { Ok(body) } else { Err(self.failure(status, &body)) }
    }

    /// Calls a method with a file, as a form: `fields`, and the file under the name `field`.
    ///
    /// # Errors
    /// See [`MessengerError`].
    pub(super) async fn upload<T: DeserializeOwned>(
        &self,
        method: &str,
        fields: Vec<(&'static str, String)>,
        (field, name, bytes): (&'static str, String, Bytes),
    ) -> Result<T, MessengerError> {
        let file = reqwest::multipart::Part::stream(bytes).file_name(name);
        let form = fields
            .into_iter()
            .fold(reqwest::multipart::Form::new(), |form, (name, text)| form.text(name, text));
        let request = self.http.post(self.url(method)?).multipart(form.part(field, file)).send();
        let request = request.map(|it| Ok(it.map_err(reqwest::Error::without_url)?.into()));
        let limits = Limits { time_max: UPLOAD_TIME_MAX, ..CALL_LIMITS };
        let (status, body) = self.receive(method, request, limits).await?;
        self.decode::<Told<T>>(status, &body).map(|answer| answer.result)
    }

    /// Fetches a file of at most so many bytes, by the path that `getFile` told. Counted as `file`.
    ///
    /// # Errors
    /// See [`DownloadError`].
    pub(super) async fn download(
        &self,
        path: &str,
        bytes_max: usize,
    ) -> Result<Bytes, DownloadError> {
        // A path comes from outside: none may lead out of this bot's files.
        let is_part = |it: &str| !matches!(it, "" | "." | "..");
        let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
        if !path.split('/').all(is_part) || !path.chars().all(is_sign) {
            let description = "the path of a file is not one".to_owned();
            return Err(DownloadError::Failed(MessengerError::Rejected { description }));
        }
        let url = format!("{}{path}", self.files.expose_secret());
        let fetched = fetch(self.http.get(url), bytes_max).await;
        let (code, result) = match fetched {
            Ok((200, body)) => (200, Ok(body)),
            Ok((status, body)) => (status, Err(DownloadError::Failed(self.failure(status, &body)))),
            Err(error @ DownloadError::TooLarge) => (200, Err(error)),
            Err(error @ DownloadError::Failed(_)) => (0, Err(error)),
        };
        if let Some(observer) = &self.observer {
            observer.called("file", code);
        }
        result
    }

    async fn post(
        &self,
        method: &str,
        body: Vec<u8>,
        limits: Limits,
    ) -> Result<(u16, Bytes), MessengerError> {
        let mut request = Request::new(Method::POST, self.url(method)?);
        request.headers_mut().insert(header::CONTENT_TYPE, JSON);
        *request.body_mut() = Some(body.into());
        self.receive(method, self.wire.execute(request), limits).await
    }

    /// The address of a method, read once for each.
    fn url(&self, method: &str) -> Result<Url, MessengerError> {
        let read = self.urls.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(url) = read.get(method) {
            return Ok(url.clone());
        }
        drop(read);
        let url = Url::parse(&format!("{}{method}", self.base.expose_secret()));
        let url = url.map_err(|_holds_the_token| MessengerError::Rejected {
            description: "the method has no address".to_owned(),
        })?;
        let mut urls = self.urls.write().unwrap_or_else(PoisonError::into_inner);
        urls.insert(method.to_owned(), url.clone());
        Ok(url)
    }

    /// Reads an answer leniently: unknown fields never matter.
    fn decode<T: DeserializeOwned>(&self, status: u16, body: &[u8]) -> Result<T, MessengerError> {
        if (200..300).contains(&status)
            && let Ok(answer) = serde_json::from_slice(body)
        {
            return Ok(answer);
        }
        Err(self.failure(status, body))
    }

    /// Says what an answer means that is not the one hoped for.
    pub(super) fn failure(&self, status: u16, body: &[u8]) -> MessengerError {
        let error = self.read_failure(status, body);
        if let (MessengerError::Flooded { retry_after }, Some(observer)) = (&error, &self.observer)
        {
            observer.asked_to_wait(*retry_after);
        }
        error
    }

    fn read_failure(&self, status: u16, body: &[u8]) -> MessengerError {
        match serde_json::from_slice::<Failure>(body) {
            Ok(failure) if !failure.ok => self.refusal(status, failure),
            // Not the Bot API's words: a proxy's page, or an answer cut short.
            Ok(_) | Err(_) if status == 429 => {
                MessengerError::Flooded { retry_after: RETRY_AFTER_MIN }
            }
            Ok(_) | Err(_) => MessengerError::Broken { status },
        }
    }

    fn refusal(&self, status: u16, failure: Failure) -> MessengerError {
        let parameters = failure.parameters.unwrap_or_default();
        let code = failure.error_code.and_then(|c| u16::try_from(c).ok()).unwrap_or(status);
        let description = failure.description.unwrap_or_default();
        if let Some(to) = parameters.get("migrate_to_chat_id").and_then(Value::as_i64) {
            return MessengerError::Migrated { to: ChatId(to) };
        }
        match code {
            429 => MessengerError::Flooded { retry_after: retry_after(&parameters) },
            401 => MessengerError::Unauthorized,
            // What a wrong token gets. An unknown method says more than that.
            404 if description == "Not Found" => MessengerError::Unauthorized,
            403 => MessengerError::Forbidden,
            409 => MessengerError::Conflict,
            400..500 => MessengerError::Rejected { description: self.presentable(&description) },
            _ => MessengerError::Broken { status: code },
        }
    }

    /// Telegram's words without what they quote from the message, and never with the token.
    fn presentable(&self, description: &str) -> String {
        let mut quoted = false;
        let words = description.chars().filter(|&c| {
            quoted ^= c == '"';
            !c.is_control() && (!quoted || c == '"')
        });
        let words: String = words.collect();
        let secret = self.token.expose_secret().split_once(':').map_or("", |(_, secret)| secret);
        if words.contains(secret) {
            return "(withheld: it holds the token)".to_owned();
        }
        words.chars().take(DESCRIPTION_CHARS_MAX).collect()
    }
}

#[async_trait::async_trait]
impl AsyncTelegramApi for Client {
    type Error = MessengerError;

    async fn request<Params, Output>(
        &self,
        method: &str,
        params: Option<Params>,
    ) -> Result<Output, MessengerError>
    where
        Params: Serialize + fmt::Debug + Send,
        Output: DeserializeOwned,
    {
        let body = params.map_or_else(|| Ok(b"{}".to_vec()), |params| to_json(&params))?;
        let (status, body) = self.post(method, body, CALL_LIMITS).await?;
        self.decode(status, &body)
    }

    /// Refused: nothing here sends files.
    async fn request_with_form_data<Params, Output>(
        &self,
        _method: &str,
        _params: Params,
        _files: Vec<(&str, PathBuf)>,
    ) -> Result<Output, MessengerError>
    where
        Params: Serialize + fmt::Debug + Send,
        Output: DeserializeOwned,
    {
        Err(MessengerError::Rejected { description: "files cannot be sent".to_owned() })
    }
}

/// An answer that carries a result.
#[derive(Deserialize)]
struct Told<T> {
    result: T,
}

/// An answer that says what went wrong.
#[derive(Deserialize)]
struct Failure {
    ok: bool,
    error_code: Option<i64>,
    description: Option<String>,
    /// Free in form, so that a surprise in it does not hide the rest.
    parameters: Option<Value>,
}

async fn receive(
    request: impl Future<Output = Result<Answer, WireError>>,
    limits: Limits,
) -> Result<(u16, Bytes), MessengerError> {
    let received = async {
        let mut answer = request.await.map_err(MessengerError::Unreachable)?;
        let status = answer.status.as_u16();
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(MessengerError::Unreachable)? {
            if limits.answer_bytes_max < body.len() + chunk.len() {
                return Err(MessengerError::Broken { status });
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body.freeze()))
    };
    timeout(limits.time_max, received).await.unwrap_or_else(|elapsed| Err(unsendable(elapsed)))
}

/// Reads a file, and stops as soon as it is known to be too large.
async fn fetch(
    request: reqwest::RequestBuilder,
    bytes_max: usize,
) -> Result<(u16, Bytes), DownloadError> {
    let failed = |error| DownloadError::Failed(unreachable(error));
    let mut response = request.timeout(DOWNLOAD_TIME_MAX).send().await.map_err(failed)?;
    let status = response.status().as_u16();
    let told = response.content_length().unwrap_or_default();
    if usize::try_from(told).map_or(true, |it| bytes_max < it) {
        return Err(DownloadError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if bytes_max < body.len() + chunk.len() {
            return Err(DownloadError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body.freeze()))
}

fn to_json<P: Serialize>(params: &P) -> Result<Vec<u8>, MessengerError> {
    serde_json::to_vec(params).map_err(unsendable)
}

fn unreachable(error: reqwest::Error) -> MessengerError {
    MessengerError::Unreachable(Box::new(error.without_url()))
}

/// The request could not even be put together, or took too long.
fn unsendable(error: impl std::error::Error + Send + Sync + 'static) -> MessengerError {
    MessengerError::Unreachable(Box::new(error))
}

fn retry_after(parameters: &Value) -> Duration {
    let seconds = parameters.get("retry_after").and_then(Value::as_u64).unwrap_or_default();
    Duration::from_secs(seconds).clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX)
}

/// The id in a token, if it is one.
fn bot_of(token: &str) -> Option<BotId> {
    let (id, secret) = token.split_once(':')?;
    let clean = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
    let well_formed =
        id.bytes().all(|c| c.is_ascii_digit()) && !secret.is_empty() && secret.bytes().all(clean);
    if well_formed { id.parse().ok().map(BotId) } else { None }
}

fn checked_url(endpoint: &Endpoint) -> Result<Url, ClientError> {
    // lost-ok: the parser's words could quote a password.
    let url = Url::parse(&endpoint.api_url).ok().ok_or(ClientError::UrlMalformed)?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain || url.host_str().is_none() {
        return Err(ClientError::UrlMalformed);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if endpoint.plain_http_allowed || is_private(&url) => Ok(url),
        "http" => Err(ClientError::UrlInsecure),
        _ => Err(ClientError::UrlMalformed),
    }
}

fn is_private(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => host == "localhost",
    }
}

#[cfg(test)]
mod tests;
