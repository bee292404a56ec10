//! Takes updates that Telegram brings, and answers only when they are kept.
//!
//! Receives  POST requests on one path per bot.
//! Sends     each update to an [`UpdateSink`]; 200 once it is durable, 503 if it shall come again.
//! Owns      digests of the secrets; at most `REQUESTS_MAX` requests at a time.
//!
//! The path is hard to guess, but the proof is the header with the secret: it is compared in
//! constant time before a byte of the body is read (TELEGRAM-3).

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use protocol::{BotId, messenger::RawUpdate};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::{sync::Semaphore, time::timeout};
use tracing::{error, warn};

use super::reading;

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
const SECRET_CHARS_MIN: usize = 32;
/// Telegram's own limit.
const SECRET_CHARS_MAX: usize = 256;
const BODY_BYTES_MAX: usize = 1 << 20;
const BODY_TIME_MAX: Duration = Duration::from_secs(10);
const ACCEPT_TIME_MAX: Duration = Duration::from_secs(20);
/// Telegram opens at most 100 connections a bot; so all bodies together stay below 100 MiB.
const REQUESTS_MAX: usize = 100;
const RETRY_AFTER_SECONDS: &str = "2";

/// Where updates go.
#[async_trait]
pub trait UpdateSink: Send + Sync + 'static {
    /// Keeps an update. Dropped in the middle if the connection breaks or 20 s have passed: then
    /// Telegram brings the same update again, so taking it twice must do no harm.
    async fn accept(&self, bot: BotId, update: RawUpdate) -> Accepted;
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It survives a crash from now on.
    Durable,
    /// It was not kept: Telegram shall bring it again.
    TryLater,
}

/// The secret is too easy to guess, or Telegram would not take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's secret needs 32 to 256 characters of A-Z, a-z, 0-9, _ and -")]
pub struct WeakSecret;

/// A bot whose updates are brought.
#[derive(Clone)]
pub struct WebhookBot {
    id: BotId,
    path: String,
    /// All secrets are compared by digests of the same size.
    secret_digest: [u8; 32],
}

impl fmt::Debug for WebhookBot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookBot").field("id", &self.id).finish_non_exhaustive()
    }
}

impl WebhookBot {
    /// Makes the bot's path and takes the secret that Telegram will show.
    ///
    /// # Errors
    /// [`WeakSecret`] unless it has 32 to 256 characters of `A-Za-z0-9_-`.
    pub fn new(id: BotId, secret: &SecretString) -> Result<Self, WeakSecret> {
        let secret = secret.expose_secret().as_bytes();
        let legal = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-');
        if !(SECRET_CHARS_MIN..=SECRET_CHARS_MAX).contains(&secret.len())
            || !secret.iter().all(legal)
        {
            return Err(WeakSecret);
        }
        Ok(Self { id, path: path(id, secret), secret_digest: Sha256::digest(secret).into() })
    }

    /// Its path, from the first slash. It stays the same as long as the secret does.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// True if the request shows the secret, once and exactly.
    fn is_proved_by(&self, headers: &HeaderMap) -> bool {
        let mut shown = headers.get_all(SECRET_HEADER).iter();
        let (Some(secret), None) = (shown.next(), shown.next()) else {
            return false;
        };
        Sha256::digest(secret.as_bytes()).as_slice().ct_eq(&self.secret_digest).into()
    }
}

/// A path that only someone who has the secret can work out, and that does not give it away.
fn path(bot: BotId, secret: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of every length");
    mac.update(format!("guildhall webhook path {bot}").as_bytes());
    let code = mac.finalize().into_bytes();
    let hex: String = code.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("/telegram/{hex}")
}

/// One route per bot. Answers 401 without the right secret, 413 to more than 1 MiB, 408 to a body
/// that does not come, 503 with `Retry-After` to what could not be kept, else 200.
///
/// The path of the public address may stand before the bot's own: a proxy strips it or does not.
///
/// # Panics
/// If the same bot is given twice.
pub fn routes(bots: Vec<WebhookBot>, sink: Arc<dyn UpdateSink>) -> Router {
    let room = Arc::new(Semaphore::new(REQUESTS_MAX));
    let desk = |bot| Arc::new(Desk { bot, sink: Arc::clone(&sink), room: Arc::clone(&room) });
    let desks: Vec<_> = bots.into_iter().map(desk).collect();
    let route = |router: Router, desk: &Arc<Desk>| {
        let (path, desk) = (desk.bot.path.clone(), Arc::clone(desk));
        router.route(&path, post(move |request: Request| async move { desk.serve(request).await }))
    };
    let router = desks.iter().fold(Router::new(), route);
    router.fallback(post(move |request: Request| async move {
        let path = request.uri().path();
        match desks.iter().find(|it| path.ends_with(it.bot.path())) {
            Some(desk) => desk.serve(request).await,
            None => closing(StatusCode::NOT_FOUND),
        }
    }))
}

/// Where one bot's requests are served.
struct Desk {
    bot: WebhookBot,
    sink: Arc<dyn UpdateSink>,
    room: Arc<Semaphore>,
}

impl Desk {
    async fn serve(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        if !self.bot.is_proved_by(&head.headers) {
            warn!(bot = %self.bot.id, "a webhook request without the right secret was refused");
            return closing(StatusCode::UNAUTHORIZED);
        }
        let Ok(_room) = self.room.try_acquire() else {
            return come_again();
        };
        let raw = match read_body(&head.headers, body).await {
            Ok(raw) => raw,
            Err(status) => return closing(status),
        };
        let Some(update) = reading::update_id(&raw) else {
            // Refusing would bring it back for a day, and hold up what is behind it.
            error!(bot = %self.bot.id, "an update without a readable id was dropped");
            return StatusCode::OK.into_response();
        };
        let accept = self.sink.accept(self.bot.id, RawUpdate { update, raw });
        match timeout(ACCEPT_TIME_MAX, accept).await {
            Ok(Accepted::Durable) => StatusCode::OK.into_response(),
            Ok(Accepted::TryLater) | Err(_) => come_again(),
        }
    }
}

async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, StatusCode> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<usize>().ok()).unwrap_or_default();
    if BODY_BYTES_MAX < announced {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match timeout(BODY_TIME_MAX, axum::body::to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(raw)) => Ok(raw),
        // Too long, or the connection broke, and then nobody reads this.
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Refuses without reading what may still come.
fn closing(status: StatusCode) -> Response {
    (status, [(header::CONNECTION, HeaderValue::from_static("close"))]).into_response()
}

fn come_again() -> Response {
    let after = [(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS))];
    (StatusCode::SERVICE_UNAVAILABLE, after).into_response()
}

#[cfg(test)]
mod tests;
