//! The proof of origin, and what Telegram is told.

use std::{
    future,
    sync::{Mutex, PoisonError},
};

use protocol::UpdateId;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::*;
use crate::telegram::testing::serve;

const SECRET: &str = "abcdefghijklmnopqrstuvwxyz_-0123456789";

/// Keeps what it is given, or not.
struct Shelf {
    says: Accepted,
    kept: Mutex<Vec<(BotId, RawUpdate)>>,
}

#[async_trait]
impl UpdateSink for Shelf {
    async fn accept(&self, bot: BotId, update: RawUpdate) -> Accepted {
        if update.update == UpdateId(666) {
            future::pending::<()>().await;
        }
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push((bot, update));
        self.says
    }
}

struct Hall {
    address: String,
    path: String,
    shelf: Arc<Shelf>,
    _server: JoinSet<()>,
}

impl Hall {
    async fn open(says: Accepted) -> Self {
        let bot = WebhookBot::new(BotId(4242), &SECRET.into()).expect("a good secret");
        let path = bot.path().to_owned();
        let shelf = Arc::new(Shelf { says, kept: Mutex::default() });
        let (url, server) = serve(routes(vec![bot], shelf.clone())).await;
        let address = url.trim_start_matches("http://").to_owned();
        Self { address, path, shelf, _server: server }
    }

    /// Sends a request with these header lines and gives back all that comes until the connection
    /// is closed or the answer's head is complete.
    async fn post(&self, headers: &str, body: &[u8]) -> String {
        let mut connection = TcpStream::connect(&self.address).await.expect("connects");
        let head = format!("POST {} HTTP/1.1\r\nHost: hall\r\n{headers}\r\n", self.path);
        connection.write_all(head.as_bytes()).await.expect("writes");
        connection.write_all(body).await.expect("writes");
        let mut answer = Vec::new();
        while !answer.windows(4).any(|w| w == b"\r\n\r\n") {
            if connection.read_buf(&mut answer).await.expect("reads") == 0 {
                break;
            }
        }
        String::from_utf8(answer).expect("text").to_lowercase()
    }

    fn kept(&self) -> Vec<(BotId, RawUpdate)> {
        self.shelf.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn proved(body: &str) -> String {
    format!("{}Content-Length: {}\r\n", shown(SECRET), body.len())
}

fn shown(secret: &str) -> String {
    format!("X-Telegram-Bot-Api-Secret-Token: {secret}\r\n")
}

#[test]
fn weak_secrets_are_refused() {
    let long = "x".repeat(257);
    let null = format!("{}\0", "x".repeat(32));
    for weak in ["", "x", &"x".repeat(31), &long, &format!("{} ", "x".repeat(32)), &null] {
        assert_eq!(WebhookBot::new(BotId(1), &weak.into()).err(), Some(WeakSecret));
    }
    let good = WebhookBot::new(BotId(1), &"x".repeat(32).into()).expect("a good secret");
    let other = WebhookBot::new(BotId(2), &"x".repeat(32).into()).expect("a good secret");
    assert_ne!(good.path(), other.path());
    assert_eq!(format!("{good:?}"), "WebhookBot { id: BotId(1), .. }");
}

#[tokio::test]
async fn a_proved_update_is_answered_when_it_is_durable() {
    let hall = Hall::open(Accepted::Durable).await;
    let body = r#"{"update_id":7,"message":{}}"#;
    assert!(hall.post(&proved(body), body.as_bytes()).await.starts_with("http/1.1 200"));
    let expected = RawUpdate { update: UpdateId(7), raw: Bytes::from_static(body.as_bytes()) };
    assert_eq!(hall.kept(), [(BotId(4242), expected)]);
}

#[tokio::test]
async fn the_path_of_the_public_address_may_stand_before_the_bots_own() {
    let hall = Hall::open(Accepted::Durable).await;
    let body = r#"{"update_id":7}"#;
    let behind = Hall { path: format!("/telegram{}", hall.path), ..hall };
    assert!(behind.post(&proved(body), body.as_bytes()).await.starts_with("http/1.1 200"));
    assert!(behind.post(&shown("wrong"), b"").await.starts_with("http/1.1 401"));
    let beside = Hall { path: format!("{}x", behind.path), ..behind };
    assert!(beside.post(&proved(body), body.as_bytes()).await.starts_with("http/1.1 404"));
    assert_eq!(beside.kept().len(), 1);
}

#[tokio::test]
async fn what_was_not_kept_shall_come_again() {
    let hall = Hall::open(Accepted::TryLater).await;
    let body = r#"{"update_id":7}"#;
    let answer = hall.post(&proved(body), body.as_bytes()).await;
    assert!(answer.starts_with("http/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after: 2"), "{answer}");
}

#[tokio::test]
async fn telegram_3_without_the_right_secret_no_body_is_waited_for() {
    let hall = Hall::open(Accepted::Durable).await;
    let padded = format!("{SECRET}_");
    let cut = SECRET.get(1..).expect("ascii");
    let twice = format!("{}{}", shown(SECRET), shown(SECRET));
    let mixed = format!("{}{}", shown(SECRET), shown("x"));
    let quoted = format!("\"{SECRET}\"");
    let wrongs = [
        String::new(),
        shown(""),
        shown("wrong"),
        shown(&padded),
        shown(cut),
        shown(&SECRET.to_uppercase()),
        shown(&quoted),
        shown(&format!("{SECRET},{SECRET}")),
        twice,
        mixed,
    ];
    for wrong in wrongs {
        // Announced, but never sent.
        let headers = format!("{wrong}Content-Length: 1000000000\r\n");
        let answer = hall.post(&headers, b"").await;
        assert!(answer.starts_with("http/1.1 401"), "{wrong}: {answer}");
        assert!(answer.contains("content-length: 0") && answer.contains("connection: close"));
    }
    let null = format!("{}Content-Length: 2\r\n", shown(&format!("{SECRET}\0")));
    let answer = hall.post(&null, b"{}").await;
    assert!(answer.starts_with("http/1.1 400"), "the HTTP server itself refuses NUL: {answer}");
    assert!(hall.kept().is_empty());
}

#[tokio::test]
async fn more_than_a_mebibyte_is_refused_announced_or_not() {
    let hall = Hall::open(Accepted::Durable).await;
    let headers = format!("{}Content-Length: 1048577\r\n", shown(SECRET));
    assert!(hall.post(&headers, b"").await.starts_with("http/1.1 413"));
    let headers = format!("{}Transfer-Encoding: chunked\r\n", shown(SECRET));
    let mut chunk = b"100001\r\n".to_vec();
    chunk.resize(chunk.len() + 0x10_0001, b'x');
    assert!(hall.post(&headers, &chunk).await.starts_with("http/1.1 413"));
    assert!(hall.kept().is_empty());
}

#[tokio::test]
async fn a_body_without_a_readable_id_is_dropped_and_not_asked_for_again() {
    let hall = Hall::open(Accepted::Durable).await;
    for body in ["", "{", "[]", r#"{"update_id":"7"}"#, r#"{"update_id":1e99}"#] {
        let answer = hall.post(&proved(body), body.as_bytes()).await;
        assert!(answer.starts_with("http/1.1 200"), "{body}: {answer}");
    }
    assert!(hall.kept().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_makes_telegram_come_again() {
    let bot = WebhookBot::new(BotId(1), &SECRET.into()).expect("a good secret");
    let sink = Arc::new(Shelf { says: Accepted::Durable, kept: Mutex::default() });
    let desk = Desk { bot, sink, room: Arc::new(Semaphore::new(1)) };
    let request = || {
        Request::post("/")
            .header(SECRET_HEADER, SECRET)
            .body(Body::from(r#"{"update_id":666}"#))
            .expect("a request")
    };
    let (first, second) = tokio::join!(desk.serve(request()), desk.serve(request()));
    assert_eq!(first.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE, "no room");
    assert_eq!(desk.room.available_permits(), 1);
}
