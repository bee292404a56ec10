//! What each address answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use secrecy::ExposeSecret;
use tokio::time::Instant;

use crate::{
    Check, Signed, Source, assets,
    door::{self, Hosts, Origin},
    errands,
    login::{Holder, Login, SESSION_TIME, Tried, mint_token, same},
    status::Report,
};

/// The largest body. The only one expected is the sign-in form.
const BODY_BYTES_MAX: usize = 4 * 1024;
const SESSION: &str = "guildhall_session";
const FORM: &str = "guildhall_form";

/// What all requests share.
pub(crate) struct Hall {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) login: Mutex<Login>,
    /// Everything is open: the demo.
    pub(crate) open: bool,
    pub(crate) hosts: Hosts,
}

impl Hall {
    pub(crate) fn login(&self) -> MutexGuard<'_, Login> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose token a request carries.
    pub(crate) fn bearer(&self, headers: &HeaderMap) -> Option<Holder> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        let bearer = bearer.and_then(|it| it.strip_prefix("Bearer "));
        bearer.and_then(|token| self.login().admits(token, Instant::now()))
    }

    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let session = door::cookie(headers, SESSION);
        self.open
            || session.is_some_and(|session| self.login().knows(session, Instant::now()))
            || self.bearer(headers).is_some()
    }
}

/// All addresses behind the door.
pub(crate) fn router(hall: Arc<Hall>) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .route("/", get(dashboard))
        .route("/login", get(login_page).post(sign_in))
        .route("/logout", post(sign_out))
        .merge(errands::router())
        .route("/console.css", get(assets::css))
        .route("/console.js", get(assets::js))
        .route("/icon.svg", get(assets::icon))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(hall.clone(), door::pass))
        .with_state(hall)
}

async fn readyz(State(hall): State<Arc<Hall>>, RawQuery(query): RawQuery) -> Response {
    let (ready, text) = readiness(&hall.source.ready(), query.as_deref().unwrap_or_default());
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, text).into_response()
}

/// Whether the hall is ready, and the answer to a probe: all checks if it asks for them, otherwise
/// those that failed.
fn readiness(checks: &[Check], query: &str) -> (bool, String) {
    let asked: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let verbose = asked.iter().any(|(key, _)| key == "verbose");
    let excluded =
        |check: &Check| asked.iter().any(|(key, name)| key == "exclude" && name == check.name);
    let ready = checks.iter().all(|check| check.ok || excluded(check));
    if ready && !verbose {
        return (true, "ok".to_owned());
    }
    let mut text = String::new();
    for check in checks {
        let why = check.why.as_deref().unwrap_or("no reason given").replace(char::is_control, " ");
        match (excluded(check), check.ok) {
            (true, _) if verbose => text += &format!("[+]{} excluded: ok\n", check.name),
            (false, true) if verbose => text += &format!("[+]{} ok\n", check.name),
            (false, false) => text += &format!("[-]{} failed: {why}\n", check.name),
            (true, _) | (false, true) => {}
        }
    }
    text += if ready { "readyz check passed\n" } else { "readyz check failed\n" };
    (ready, text)
}

async fn metrics(State(hall): State<Arc<Hall>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], hall.source.metrics())
}

async fn status(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    if !hall.lets_in(&headers) {
        if headers.contains_key(header::AUTHORIZATION) {
            // lost-ok: it is refused all the same.
            hall.source.note_login(Signed::Refused).await.ok();
        }
        return (StatusCode::UNAUTHORIZED, "sign in at /login").into_response();
    }
    Json(Report::new(hall.source.status(), hall.source.ready())).into_response()
}

async fn dashboard(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    match hall.lets_in(&headers) {
        true => assets::dashboard(hall.open).into_response(),
        false => Redirect::to("/login").into_response(),
    }
}

async fn login_page(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    match hall.lets_in(&headers) {
        true => Redirect::to("/").into_response(),
        false => form(StatusCode::OK, ""),
    }
}

/// The sign-in form with a fresh form token, which must come back both in the form and as a cookie.
fn form(code: StatusCode, notice: &'static str) -> Response {
    let Ok(token) = mint_token() else { return no_randomness() };
    let token = token.expose_secret();
    let cookie = format!("{FORM}={token}; Path=/login; HttpOnly; SameSite=Strict");
    let cookies = AppendHeaders([(header::SET_COOKIE, cookie)]);
    (code, cookies, assets::login(token, notice)).into_response()
}

async fn sign_in(State(hall): State<Arc<Hall>>, headers: HeaderMap, body: Bytes) -> Response {
    let from = door::origin(&headers);
    let value = |name: &str| {
        form_urlencoded::parse(&body).find(|(key, _)| key == name).map(|(_, value)| value)
    };
    let form_is_ours = match (door::cookie(&headers, FORM), value("form_token")) {
        (Some(cookie), Some(field)) => !cookie.is_empty() && same(cookie, &field),
        (Some(_), None) | (None, _) => false,
    };
    if from == Origin::Foreign || !form_is_ours {
        return form(StatusCode::FORBIDDEN, "This form has expired. Please try again.");
    }
    let Ok(fresh) = mint_token() else { return no_randomness() };
    let tried = value("token").unwrap_or_default();
    // A statement of its own, so that the lock is released before the answer is made.
    let tried = hall.login().try_token(tried.trim(), fresh, Instant::now());
    let signed = match tried {
        Tried::Opened(_) => Signed::In,
        Tried::Refused => Signed::Refused,
        Tried::LockedOut => Signed::LockedOut,
    };
    if let Err(why) = hall.source.note_login(signed).await {
        if let Tried::Opened(session) = &tried {
            hall.login().close(session.expose_secret());
        }
        return (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    }
    match tried {
        Tried::Opened(session) => signed_in(session.expose_secret(), from),
        Tried::Refused => form(StatusCode::UNAUTHORIZED, "That token is wrong or was used before."),
        Tried::LockedOut => {
            form(StatusCode::TOO_MANY_REQUESTS, "Too many tries. Please wait 15 minutes.")
        }
    }
}

fn signed_in(session: &str, from: Origin) -> Response {
    let secure = if from == Origin::OurSecure { "; Secure" } else { "" };
    let time = SESSION_TIME.as_secs();
    let session =
        format!("{SESSION}={session}; Path=/; Max-Age={time}; HttpOnly; SameSite=Strict{secure}");
    let form = format!("{FORM}=; Path=/login; Max-Age=0; HttpOnly; SameSite=Strict");
    let cookies = AppendHeaders([(header::SET_COOKIE, session), (header::SET_COOKIE, form)]);
    (cookies, Redirect::to("/")).into_response()
}

async fn sign_out(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    if door::origin(&headers) == Origin::Foreign {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(session) = door::cookie(&headers, SESSION) {
        hall.login().close(session);
    }
    let gone = format!("{SESSION}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    (AppendHeaders([(header::SET_COOKIE, gone)]), Redirect::to("/login")).into_response()
}

fn no_randomness() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "the system has no randomness to give").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> [Check; 2] {
        [
            Check { name: "store", ok: true, why: None },
            Check { name: "poll", ok: false, why: Some("no poll\nfor 95 s".to_owned()) },
        ]
    }

    #[test]
    fn a_failed_check_is_named_with_its_reason() {
        let expected = "[-]poll failed: no poll for 95 s\nreadyz check failed\n";
        assert_eq!(readiness(&checks(), ""), (false, expected.to_owned()));
    }

    #[test]
    fn verbose_names_all_checks() {
        let (ready, text) = readiness(&checks(), "verbose");
        assert_eq!(
            (ready, text.as_str()),
            (false, "[+]store ok\n[-]poll failed: no poll for 95 s\nreadyz check failed\n")
        );
    }

    #[test]
    fn an_excluded_check_does_not_count() {
        assert_eq!(readiness(&checks(), "exclude=poll"), (true, "ok".to_owned()));
        assert!(!readiness(&checks(), "exclude=store").0);
        let (ready, text) = readiness(&checks(), "verbose&exclude=poll&exclude=none");
        assert!(ready);
        assert_eq!(text, "[+]store ok\n[+]poll excluded: ok\nreadyz check passed\n");
    }

    #[test]
    fn a_ready_hall_says_ok() {
        assert_eq!(readiness(&checks()[..1], ""), (true, "ok".to_owned()));
    }
}
