//! Carries a verdict out: an answer with its pace and its fault becomes an HTTP response.

use std::{convert::Infallible, io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures::stream;

use super::{
    answer::{self, Answer, Framed},
    fault::Fault,
    request::Protocol,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const PAGE: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// What comes after the last frame.
#[derive(Clone, Copy)]
enum End {
    Close,
    Hang,
    Cut,
}

/// Unix time in seconds, for the `created` field of answers.
pub(super) fn unix_time_s() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a stand-in server has no clock to be given")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Refuses a call with the protocol's own error body.
pub(super) fn refuse(
    protocol: Protocol,
    status: u16,
    retry_after_s: Option<u64>,
    message: &str,
) -> Response {
    let mut response = Response::new(Body::from(answer::error(protocol, status, message)));
    // Fault statuses are checked when they are set, so the fallback is never taken.
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    if let Some(seconds) = retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Answers a call, in the way its fault says if it has one.
///
/// A hang lasts until the caller goes away, which drops this future or the body of its response.
pub(super) async fn answer(
    protocol: Protocol,
    answer: &Answer<'_>,
    streamed: bool,
    token_pause: Duration,
    fault: Option<&Fault>,
) -> Response {
    let kind = if streamed { EVENTS } else { JSON };
    let framed = || if streamed { answer.stream(protocol) } else { answer.whole(protocol) };
    match fault {
        Some(Fault::HangBeforeHeaders) => match std::future::pending::<Infallible>().await {},
        Some(Fault::Status { code, retry_after_s }) => {
            refuse(protocol, *code, *retry_after_s, failure_words(*code))
        }
        Some(Fault::WrongContentType) => {
            body(PAGE, Body::from("<html><body><h1>Welcome to the gateway</h1></body></html>"))
        }
        Some(Fault::BadJson) => body(kind, Body::from(answer::bad_json(streamed).into_bytes())),
        Some(Fault::TruncatedSse) => body(kind, Body::from(framed().into_first_half())),
        Some(Fault::HangMidStream) => half(kind, framed(), End::Hang),
        Some(Fault::CutMidStream) => half(kind, framed(), End::Cut),
        Some(Fault::SlowDrip { ms }) => paced(kind, framed(), Duration::from_millis(*ms)),
        Some(Fault::EmptyAnswer | Fault::HugeAnswer) | None => {
            if streamed && !token_pause.is_zero() {
                return paced(kind, framed(), token_pause);
            }
            body(kind, Body::from(framed().into_bytes()))
        }
    }
}

fn failure_words(status: u16) -> &'static str {
    match status {
        401 => "Incorrect API key provided.",
        408 => "Request timed out.",
        429 => "Rate limit reached for requests. Please try again later.",
        503 => "The engine is currently overloaded, please try again later.",
        529 => "Overloaded",
        _ => "The server had an error while processing your request.",
    }
}

fn body(kind: HeaderValue, body: Body) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

fn half(kind: HeaderValue, framed: Framed, end: End) -> Response {
    body(kind, frames(vec![framed.into_first_half()], Duration::ZERO, end))
}

fn paced(kind: HeaderValue, framed: Framed, pause: Duration) -> Response {
    body(kind, frames(framed.into_frames(), pause, End::Close))
}

fn frames(frames: Vec<Bytes>, pause: Duration, end: End) -> Body {
    let state = (frames.into_iter(), false);
    Body::from_stream(stream::unfold(state, move |(mut frames, begun)| async move {
        if begun && !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if let Some(frame) = frames.next() {
            return Some((Ok(frame), (frames, true)));
        }
        match end {
            End::Close => None,
            End::Hang => match std::future::pending::<Infallible>().await {},
            // Without a moment's wait the error overtakes the first half in the connection's buffer.
            End::Cut => {
                tokio::task::yield_now().await;
                let broken = io::Error::new(io::ErrorKind::ConnectionReset, "cut on demand");
                Some((Err(broken), (frames, true)))
            }
        }
    }))
}
