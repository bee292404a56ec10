//! `/bot<token>/<method>` and `/file/bot<token>/<path>` over HTTP.
//!
//! Receives  requests, in any of the ways the Bot API takes parameters.
//! Gives     Telegram's answers, or the faults a test asked for.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use tokio::time::sleep;

use crate::api::{Api, Method};
use crate::faults::Fate;
use crate::methods::DOWNLOAD_BYTES_MAX;
use crate::params::{Incoming, Params};
use crate::refusal::Refusal;
use crate::world::{BotIndex, Poll, World};

/// Marks a response that must not be sent: the connection is to be dropped instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HangUp;

/// The page that Telegram's front end shows when what is behind it is down.
const BAD_GATEWAY_PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n";

/// Whether a path belongs to the Bot API.
pub(crate) fn is_ours(path: &str) -> bool {
    path.starts_with("/bot") || path.starts_with("/file/bot")
}

/// Answers one request.
pub(crate) async fn serve(world: &World, request: Request<Body>) -> Response {
    let path = request.uri().path().replace("%3A", ":").replace("%3a", ":");
    if let Some(rest) = path.strip_prefix("/file/bot") {
        return download(world, rest);
    }
    let (token, name) =
        path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')).unwrap_or_default();
    let bot = world.lock().bot_of(token);
    let found = (bot, Api::get().method(name));
    let (bot, method) = match found {
        (None, method) => {
            let refusal = Refusal::unauthorized();
            if let Some(method) = method {
                world.lock().refused(None, method, None, &refusal);
            }
            return refuse(&refusal);
        }
        (Some(_), None) => return refuse(&Refusal::not_found()),
        (Some(bot), Some(method)) => (bot, method),
    };
    let incoming = match Incoming::read(request).await {
        Ok(incoming) => incoming,
        Err(refusal) => return refuse(&refusal),
    };
    match incoming.params() {
        Ok(params) => answer(world, bot, method, &params).await,
        Err(refusal) => refuse(&refusal),
    }
}

async fn answer(
    world: &World,
    bot: BotIndex,
    method: &'static Method,
    params: &Params<'_>,
) -> Response {
    let (fate, wait) = world.lock().fate(&method.name);
    if !wait.is_zero() {
        sleep(wait).await;
    }
    let refusal = match fate {
        // REHEARSAL-1: done first, then answered; REHEARSAL-2: not answered only where a test says so.
        Fate::Served | Fate::DroppedAfter => {
            let result = carry_out(world, bot, method, params).await;
            if fate == Fate::DroppedAfter {
                return hang_up();
            }
            return match result {
                Ok(result) => accept(&result),
                Err(refusal) => refuse(&refusal),
            };
        }
        Fate::DroppedBefore => return hang_up(),
        Fate::Stalled => {
            let never: Infallible = std::future::pending().await;
            match never {}
        }
        Fate::BadGateway => {
            let refusal = Refusal::new(502, "Bad Gateway");
            world.lock().refused(Some(bot), method, params.integer("chat_id"), &refusal);
            return respond(StatusCode::BAD_GATEWAY, "text/html", BAD_GATEWAY_PAGE.into());
        }
        Fate::TooMany(seconds) => Refusal::too_many(seconds),
        Fate::Rejected => Refusal::bad("can't parse entities"),
        Fate::Internal => Refusal::new(500, "Internal Server Error"),
        Fate::Conflict => Refusal::other_poller(),
    };
    world.lock().refused(Some(bot), method, params.integer("chat_id"), &refusal);
    refuse(&refusal)
}

async fn carry_out(
    world: &World,
    bot: BotIndex,
    method: &'static Method,
    params: &Params<'_>,
) -> Result<Vec<u8>, Refusal> {
    if method.name != "getUpdates" {
        return world.lock().call(bot, method, params);
    }
    let polled = async {
        world.lock().check_poll(method, params)?;
        world.poll(bot, &Poll::read(params)?).await
    };
    let result = polled.await;
    if let Err(refusal) = &result {
        world.lock().refused(Some(bot), method, None, refusal);
    }
    result
}

fn accept(result: &[u8]) -> Response {
    let mut body = Vec::with_capacity(result.len() + 24);
    body.extend_from_slice(b"{\"ok\":true,\"result\":");
    body.extend_from_slice(result);
    body.push(b'}');
    respond(StatusCode::OK, "application/json", body.into())
}

fn refuse(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::BAD_REQUEST);
    respond(status, "application/json", refusal.body().into())
}

fn hang_up() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

/// A response with a body of one piece.
pub(crate) fn respond(status: StatusCode, kind: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

fn download(world: &World, rest: &str) -> Response {
    let state = world.lock();
    let Some((token, path)) = rest.split_once('/') else { return refuse(&Refusal::not_found()) };
    if state.bot_of(token).is_none() {
        return refuse(&Refusal::unauthorized());
    }
    match state.file(|file| file.path == path && file.bytes.len() <= DOWNLOAD_BYTES_MAX) {
        Some(file) => respond(StatusCode::OK, "application/octet-stream", file.bytes.clone()),
        None => refuse(&Refusal::not_found()),
    }
}
