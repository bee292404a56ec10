//! `/desk/*`: the operator's desk beside the chats, where whoever set up the rehearsal gives it one.
//!
//! Receives  the name of a button from the page, one at a time.
//! Sends     the name to the [`Operator`], which alone knows what it stands for.
//! Owns      the last page each button made.
//!
//! Invariants: DESK-1 only a page of this server, on this machine, presses a button: the desk is not there unless the
//! server listens on loopback, and both the host that is asked for and the origin must be its own. DESK-2 what is
//! run is one of the buttons there are; nothing of a request but that name reaches the operator.

use std::collections::HashMap;
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A made page says nothing to anybody and runs nothing.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'none'; sandbox";

/// One button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Button {
    /// What the page asks for.
    pub name: &'static str,
    /// What it says.
    pub label: &'static str,
    /// The command it runs, as a person would type it.
    pub command: String,
    /// What it shows, for a newcomer.
    pub about: &'static str,
}

/// Something to try, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tip {
    /// What for, in two or three words.
    pub title: &'static str,
    /// What to do and what is seen then.
    pub text: &'static str,
}

/// What a button did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Whether it went well.
    pub is_good: bool,
    /// What it said.
    pub words: String,
    /// The HTML page it made, if it made one.
    pub page: Option<String>,
}

/// Runs what the buttons stand for.
pub trait Operator: Debug + Send + Sync {
    /// Runs the button of this name, which is one of the desk's.
    fn run(&self, button: &'static str) -> BoxFuture<'static, Ran>;
}

/// A desk: its buttons, things to try, and who runs them.
#[derive(Clone, Debug)]
pub struct Desk {
    /// In the order they are shown.
    pub buttons: Vec<Button>,
    /// In the order they are shown.
    pub tips: Vec<Tip>,
    /// Who runs them.
    pub operator: Arc<dyn Operator>,
}

impl Desk {
    /// What the page shows of it.
    pub(crate) fn json(&self) -> Value {
        json!({"buttons": self.buttons, "tips": self.tips})
    }

    /// The desk, unless others than this machine reach the server.
    pub(crate) fn at(self, addr: SocketAddr) -> Option<Self> {
        addr.ip().is_loopback().then_some(self)
    }
}

/// A desk in use.
struct Used {
    desk: Desk,
    busy: tokio::sync::Mutex<()>,
    pages: Mutex<HashMap<&'static str, String>>,
}

/// The routes of a desk.
pub(crate) fn routes(desk: Option<&Desk>) -> Router {
    let Some(desk) = desk.cloned() else { return Router::new() };
    let used = Used { desk, busy: tokio::sync::Mutex::default(), pages: Mutex::default() };
    Router::new()
        .route("/desk/press", post(press))
        .route("/desk/page/{button}", get(page))
        .with_state(Arc::new(used))
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    (status, why).into_response()
}

#[derive(Deserialize)]
struct Press {
    button: String,
}

async fn press(
    Shared(used): Shared<Arc<Used>>,
    headers: HeaderMap,
    Json(press): Json<Press>,
) -> Response {
    if !is_own_host(&headers) || !is_own_origin(&headers) {
        return refused(StatusCode::FORBIDDEN, "only the page of this server may ask for that");
    }
    let Some(button) = used.desk.buttons.iter().find(|it| it.name == press.button) else {
        return refused(StatusCode::NOT_FOUND, "there is no such button");
    };
    let Ok(_turn) = used.busy.try_lock() else {
        return refused(StatusCode::CONFLICT, "one at a time, please: the last one still runs");
    };
    let ran = used.desk.operator.run(button.name).await;
    let mut answer = json!({"is_good": ran.is_good, "words": ran.words});
    if let Some(text) = ran.page {
        crate::json::put(&mut answer, "page", format!("/desk/page/{}", button.name));
        used.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(button.name, text);
    }
    Json(answer).into_response()
}

async fn page(
    Shared(used): Shared<Arc<Used>>,
    headers: HeaderMap,
    Path(button): Path<String>,
) -> Response {
    if !is_own_host(&headers) {
        return refused(StatusCode::FORBIDDEN, "this server is asked for by another name");
    }
    let pages = used.pages.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(text) = pages.get(button.as_str()) else {
        return refused(StatusCode::NOT_FOUND, "nothing was made yet: press the button first");
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, text.clone()).into_response()
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|it| it.to_str().ok())
}

/// Whether this machine is asked for by its own name: a name of others may point here, too.
fn is_own_host(headers: &HeaderMap) -> bool {
    let Some(host) = text(headers, header::HOST) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|it: IpAddr| it.is_loopback())
}

/// Whether the browser states that a page of this very server asks.
fn is_own_origin(headers: &HeaderMap) -> bool {
    let fetched = headers.get("sec-fetch-site");
    if fetched.is_some_and(|site| site != "same-origin") {
        return false;
    }
    let stated = text(headers, header::ORIGIN).and_then(|it| it.strip_prefix("http://"));
    stated.is_some() && stated == text(headers, header::HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (header::HeaderName::from_static(name), header::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn desk_1_the_host_must_be_this_machine() {
        let own = |host| is_own_host(&headers(&[("host", host)]));
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.0.0.1"] {
            assert!(own(host), "{host}");
        }
        for host in ["guild.example:8080", "localhost.example", "192.168.1.2:8080", "", ":8080"] {
            assert!(!own(host), "{host}");
        }
        assert!(!is_own_host(&headers(&[])));
    }

    #[derive(Debug)]
    struct Nobody;

    impl Operator for Nobody {
        fn run(&self, _button: &'static str) -> BoxFuture<'static, Ran> {
            Box::pin(async { Ran::default() })
        }
    }

    #[test]
    fn desk_1_where_others_reach_the_server_there_is_no_desk() {
        let at = |addr: &str| {
            let (buttons, tips, operator) = (Vec::new(), Vec::new(), Arc::new(Nobody));
            Desk { buttons, tips, operator }.at(addr.parse().unwrap()).is_some()
        };
        assert!(at("127.0.0.1:8080") && at("[::1]:8080"));
        assert!(!at("0.0.0.0:8080") && !at("192.168.1.2:8080") && !at("[::]:8080"));
    }

    #[test]
    fn desk_1_the_origin_must_be_the_page_of_this_server() {
        let own = |more: &[(&'static str, &'static str)]| {
            is_own_origin(&headers(&[&[("host", "127.0.0.1:8080")], more].concat()))
        };
        assert!(own(&[("origin", "http://127.0.0.1:8080")]));
        assert!(own(&[("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")]));
        assert!(!own(&[]));
        for foreign in ["null", "http://127.0.0.1:8088", "http://evil.example", "https://a"] {
            assert!(!own(&[("origin", foreign)]), "{foreign}");
        }
        assert!(!own(&[("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-site")]));
    }
}
