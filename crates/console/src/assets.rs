//! The pages and what they load, embedded: nothing comes from anywhere else.

use axum::{
    http::header,
    response::{Html, IntoResponse},
};

const HTML: &str = include_str!("assets/dashboard.html");
const LOGIN: &str = include_str!("assets/login.html");
const CSS: &str = include_str!("assets/console.css");
const JS: &str = include_str!("assets/console.js");
const ICON: &str = include_str!("assets/icon.svg");

/// The dashboard. Where no login is needed there is nothing to sign out of.
pub(crate) fn dashboard(open: bool) -> impl IntoResponse + use<> {
    Html(HTML.replace("{{sign_out}}", if open { "hidden" } else { "" }))
}

/// The page to sign in. Both values are ours and need no escaping.
pub(crate) fn login(form_token: &str, notice: &'static str) -> impl IntoResponse + use<> {
    Html(LOGIN.replace("{{form_token}}", form_token).replace("{{notice}}", notice))
}

pub(crate) async fn css() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], CSS)
}

pub(crate) async fn js() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], JS)
}

pub(crate) async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], ICON)
}
