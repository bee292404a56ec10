//! A Bot API that says what a test wants it to say, and remembers what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

/// A token with a secret part that tests look for where it must not be.
pub(super) const TOKEN: &str = "4242:CANARY-secret_part";

/// What [`Script`] says to `getMe`.
pub(super) const GET_ME: &str = r#"{"ok":true,"result":{"id":4242,"is_bot":true,"first_name":"Hall","username":"HallBot","new_field":{}}}"#;
pub(super) const TRUE: &str = r#"{"ok":true,"result":true}"#;

#[derive(Default)]
struct Script {
    answers: VecDeque<(u16, String)>,
    calls: Vec<(String, Value)>,
}

/// The server. Stops when dropped.
pub(super) struct FakeApi {
    pub(super) url: String,
    script: Arc<Mutex<Script>>,
    _server: JoinSet<()>,
}

impl FakeApi {
    /// Gives these answers in turn, and 500 when there are no more.
    pub(super) async fn answering(answers: &[(u16, &str)]) -> Self {
        let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let script = Arc::new(Mutex::new(Script { answers, calls: Vec::new() }));
        let app = Router::new()
            .route("/{bot}/{method}", post(answer))
            .route("/file/{bot}/{*path}", get(file))
            .with_state(script.clone());
        let (url, server) = serve(app).await;
        Self { url, script, _server: server }
    }

    /// The methods called so far, each with its body.
    pub(super) fn calls(&self) -> Vec<(String, Value)> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }

    /// The body of the last call.
    pub(super) fn last(&self) -> Value {
        self.calls().pop().expect("at least one call").1
    }
}

/// Serves `app` on a free port until the set is dropped.
pub(crate) async fn serve(app: Router) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, app).await.expect("the server runs") });
    (url, server)
}

async fn file(
    State(script): State<Arc<Mutex<Script>>>,
    Path((bot, path)): Path<(String, String)>,
) -> Response {
    assert_eq!(bot, format!("bot{TOKEN}"));
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    script.calls.push((format!("file/{path}"), Value::Null));
    let (status, body) = script.answers.pop_front().unwrap_or((500, "exhausted".to_owned()));
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    Path((bot, method)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    assert_eq!(bot, format!("bot{TOKEN}"));
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    script.calls.push((method, serde_json::from_slice(&body).expect("a JSON body")));
    let (status, body) = script.answers.pop_front().unwrap_or((500, "exhausted".to_owned()));
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}
