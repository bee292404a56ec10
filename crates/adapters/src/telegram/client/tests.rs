//! What the transport does by itself.

use std::future;

use axum::{Router, http::StatusCode, routing::any};
use serde_json::json;

use super::*;
use crate::telegram::testing::{FakeApi, TOKEN, TRUE, serve};

fn client(api_url: &str) -> Client {
    let endpoint =
        Endpoint { api_url: api_url.to_owned(), token: TOKEN.into(), plain_http_allowed: false };
    Client::new(&endpoint).expect("a client")
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = FakeApi::answering(&[(200, TRUE)]).await;
    let location = format!("{}/bot{TOKEN}/close", elsewhere.url);
    let app = Router::new().fallback(any(async move || {
        (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)])
    }));
    let (url, _server) = serve(app).await;
    let error = client(&url).call::<_, bool>("close", &json!({})).await.expect_err("refused");
    assert!(matches!(error, MessengerError::Broken { status: 307 }), "{error}");
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn a_server_that_hangs_is_unreachable_when_the_time_is_up() {
    let app = Router::new().fallback(any(future::pending::<StatusCode>));
    let (url, _server) = serve(app).await;
    let client = client(&url);
    let limits = Limits { time_max: Duration::from_millis(50), ..CALL_LIMITS };
    let error = client.post("getMe", Vec::new(), limits).await.expect_err("no answer");
    assert!(matches!(error, MessengerError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn typed_calls_go_over_the_same_line_and_files_are_refused() {
    let api = FakeApi::answering(&[(200, TRUE)]).await;
    let client = client(&format!("{}/", api.url));
    assert!(client.log_out().await.expect("an answer").result);
    assert_eq!(api.calls(), [("logOut".to_owned(), json!({}))]);
    let files = vec![("photo", PathBuf::from("/etc/hostname"))];
    let sent: Result<bool, _> = client.request_with_form_data("sendPhoto", (), files).await;
    assert!(matches!(sent, Err(MessengerError::Rejected { .. })));
    assert_eq!(api.calls().len(), 1);
}
