//! Webhooks: secret, order, retries, and calls in the answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{ADA, BEN, BOT, Hall, until};

/// An endpoint that remembers what came and answers as told.
#[derive(Clone, Default)]
struct Endpoint {
    got: Arc<Mutex<Vec<(String, Value)>>>,
    /// Answers to come, by chat; then 200.
    failures: Arc<Mutex<HashMap<i64, Vec<u16>>>>,
    answer: Arc<Mutex<Option<Value>>>,
}

impl Endpoint {
    async fn take(State(this): State<Self>, headers: HeaderMap, body: String) -> Response {
        let update: Value = serde_json::from_str(&body).unwrap();
        let secret = headers.get("x-telegram-bot-api-secret-token");
        let secret = secret.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let chat = update["message"]["chat"]["id"].as_i64().unwrap_or_default();
        this.got.lock().unwrap().push((secret, update));
        let failure = this.failures.lock().unwrap().get_mut(&chat).and_then(Vec::pop);
        if let Some(code) = failure {
            return StatusCode::from_u16(code).unwrap().into_response();
        }
        match this.answer.lock().unwrap().take() {
            Some(answer) => axum::Json(answer).into_response(),
            None => StatusCode::OK.into_response(),
        }
    }

    /// Serves until the set is dropped; gives the URL.
    async fn serve(&self, tasks: &mut JoinSet<()>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new().fallback(Self::take).with_state(self.clone());
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        url
    }

    fn texts(&self, chat: i64) -> Vec<String> {
        let got = self.got.lock().unwrap();
        let of_chat = got.iter().filter(|(_, update)| update["message"]["chat"]["id"] == chat);
        of_chat.map(|(_, update)| update["message"]["text"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn webhook_1_order_is_kept_per_chat_and_a_failing_chat_holds_up_no_other() {
    let hall = Hall::open().await;
    let (endpoint, mut tasks) = (Endpoint::default(), JoinSet::new());
    let url = endpoint.serve(&mut tasks).await;
    endpoint.failures.lock().unwrap().insert(ADA, vec![500, 500, 503]);
    for n in 0..5 {
        hall.say(ADA, &format!("a{n}"));
        hall.say(BEN, &format!("b{n}"));
    }
    hall.ok("setWebhook", json!({"url": url, "secret_token": "s-1_A"})).await;
    let world = hall.rehearsal.world();
    until("everything is delivered", || world.pending(BOT).unwrap() == 0).await;
    assert_eq!(endpoint.texts(ADA), ["a0", "a0", "a0", "a0", "a1", "a2", "a3", "a4"]);
    assert_eq!(endpoint.texts(BEN), ["b0", "b1", "b2", "b3", "b4"]);
    assert!(endpoint.got.lock().unwrap().iter().all(|(secret, _)| secret == "s-1_A"));
    let info = hall.ok("getWebhookInfo", json!({})).await;
    assert_eq!(info["url"], url);
    assert_eq!(info["max_connections"], 40);
    assert_eq!(info["pending_update_count"], 0);
    assert_eq!(
        info["last_error_message"],
        "Wrong response from the webhook: 500 Internal Server Error"
    );
    assert!(world.history().updates.iter().all(|update| update.confirmed.is_some()));
    hall.say(ADA, "later");
    until("a later message is delivered", || world.pending(BOT).unwrap() == 0).await;
}

#[tokio::test]
async fn a_call_in_the_answer_is_carried_out() {
    let hall = Hall::open().await;
    let (endpoint, mut tasks) = (Endpoint::default(), JoinSet::new());
    let url = endpoint.serve(&mut tasks).await;
    let call = json!({"method": "sendMessage", "chat_id": ADA, "text": "by answer"});
    *endpoint.answer.lock().unwrap() = Some(call);
    hall.ok("setWebhook", json!({"url": url})).await;
    hall.say(ADA, "hello");
    let world = hall.rehearsal.world();
    until("the call is carried out", || !world.sent_to(ADA).is_empty()).await;
    assert_eq!(world.sent_to(ADA)[0].text, "by answer");
    assert!(world.stats().unknown_params.is_empty());
}

#[tokio::test]
async fn what_was_not_delivered_can_be_polled_after_the_webhook_is_gone() {
    let hall = Hall::open().await;
    hall.ok("setWebhook", json!({"url": "http://127.0.0.1:9/"})).await;
    hall.say(ADA, "hello");
    hall.ok("deleteWebhook", json!({})).await;
    assert_eq!(hall.ok("getUpdates", json!({})).await[0]["message"]["text"], "hello");
    hall.say(ADA, "dropped");
    hall.ok("setWebhook", json!({"url": "http://127.0.0.1:9/", "drop_pending_updates": true}))
        .await;
    assert_eq!(hall.ok("getWebhookInfo", json!({})).await["pending_update_count"], 0);
}

#[tokio::test]
async fn bad_webhooks_are_refused() {
    let hall = Hall::open().await;
    let set = |url: &str, secret: &str| json!({"url": url, "secret_token": secret});
    assert_eq!(
        hall.refused("setWebhook", set("ftp://x", "a")).await,
        "400 Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
    );
    assert_eq!(
        hall.refused("setWebhook", set("http://127.0.0.1:9/", "a b")).await,
        "400 Bad Request: secret token contains unallowed characters"
    );
    assert!(
        hall.refused("setWebhook", set("http://127.0.0.1:9/", &"a".repeat(257)))
            .await
            .starts_with("400")
    );
}
