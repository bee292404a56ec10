//! Sends requests of the OpenTelemetry protocol over HTTP to a collector of the operator's.
//!
//! From a thread of its own, with a bounded queue: what finds it full, and what the collector does not take
//! after some tries, is lost and counted.
//!
//! The address comes from the configuration alone and may be an internal one: a collector usually stands beside
//! the program. Redirects are not followed.
//!
//! Invariants: OTLP-1 whoever has something to send never waits. OTLP-2 what is lost is counted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

/// Requests on their way to the thread that sends.
const QUEUE_MAX: usize = 64;
const CALL_TIME_MAX: Duration = Duration::from_secs(10);
/// The pause before another try; it doubles up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How often one request is tried.
const TRIES_MAX: u32 = 4;
/// How long the end of the process waits for what is left.
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    /// This machine cannot make HTTP requests.
    #[error("this machine cannot make HTTP requests")]
    NoClient(#[source] reqwest::Error),
    /// The headers are none.
    #[error("the headers for the collector must look like name=value,name=value")]
    BadHeaders,
    /// This machine cannot start a thread for it.
    #[error("no thread can be started for the collector")]
    NoThread(#[source] std::io::Error),
}

/// What a request holds, and what it is worth.
#[derive(Debug)]
pub struct Request {
    /// The path behind the endpoint: `/v1/traces` or `/v1/metrics`.
    pub path: &'static str,
    /// Protobuf.
    pub body: Vec<u8>,
    /// How many spans or figures are in it.
    pub items: u64,
}

/// Takes requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Collector {
    queue: Sender<Request>,
    lost: Arc<AtomicU64>,
}

/// The thread that sends. Dropped after the last [`Collector`], it waits a little for what is left.
#[derive(Debug)]
pub struct Sending(std::sync::mpsc::Receiver<()>);

impl Drop for Sending {
    fn drop(&mut self) {
        // lost-ok: what a collector does not take by then is lost with the process.
        self.0.recv_timeout(END_TIME_MAX).ok();
    }
}

impl Collector {
    /// Starts sending to `endpoint`, with further headers: `name=value,name=value`.
    ///
    /// # Errors
    /// If the headers are none, or this machine has no thread or no way over HTTP for it.
    pub fn start(
        endpoint: &str,
        headers: Option<&SecretString>,
    ) -> Result<(Self, Sending), OtlpError> {
        let client = reqwest::Client::builder()
            .timeout(CALL_TIME_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .default_headers(read_headers(headers)?)
            .build();
        let client = client.map_err(|error| OtlpError::NoClient(error.without_url()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(OtlpError::NoThread)?;
        let (queue, requests) = channel(QUEUE_MAX);
        let (end, ended) = std::sync::mpsc::sync_channel(1);
        let lost = Arc::new(AtomicU64::new(0));
        let (base, counter) = (endpoint.trim_end_matches('/').to_owned(), Arc::clone(&lost));
        let work = move || {
            runtime.block_on(send_all(&client, &base, requests, &counter));
            // lost-ok: nobody waits for the end any more.
            end.try_send(()).ok();
        };
        let started = thread::Builder::new().name("otlp".to_owned()).spawn(work);
        started.map_err(OtlpError::NoThread)?;
        Ok((Self { queue, lost }, Sending(ended)))
    }

    /// Takes a request and never waits. OTLP-1, OTLP-2.
    pub fn send(&self, request: Request) {
        match self.queue.try_send(request) {
            Ok(()) => {}
            Err(TrySendError::Full(it) | TrySendError::Closed(it)) => {
                self.lost.fetch_add(it.items, Relaxed);
            }
        }
    }

    /// Spans and figures that no collector got.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }
}

fn read_headers(headers: Option<&SecretString>) -> Result<HeaderMap, OtlpError> {
    let mut map = HeaderMap::new();
    let text = headers.map(|it| it.expose_secret()).unwrap_or_default();
    for pair in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(OtlpError::BadHeaders)?;
        let name: HeaderName =
            name.trim().parse().map_err(|_it_may_be_a_key| OtlpError::BadHeaders)?;
        let value = HeaderValue::from_str(value.trim());
        let mut value = value.map_err(|_it_holds_a_key| OtlpError::BadHeaders)?;
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}

async fn send_all(
    client: &reqwest::Client,
    base: &str,
    mut requests: Receiver<Request>,
    lost: &AtomicU64,
) {
    while let Some(request) = requests.recv().await {
        // At the end there is one try for each, and no pause.
        let is_over = requests.is_closed();
        if !delivered(client, base, &request, if is_over { 1 } else { TRIES_MAX }).await {
            lost.fetch_add(request.items, Relaxed);
        }
    }
}

/// Tries to deliver one request. OTLP-2.
async fn delivered(client: &reqwest::Client, base: &str, it: &Request, tries: u32) -> bool {
    let mut pause = PAUSE;
    for tried in 1..=tries {
        let call = client
            .post(format!("{base}{}", it.path))
            .header("content-type", "application/x-protobuf")
            .body(it.body.clone());
        let wanted = match call.send().await {
            Ok(answer) if answer.status().is_success() => return true,
            Ok(answer) => {
                // What the protocol says may be tried again.
                let again = matches!(
                    answer.status(),
                    StatusCode::TOO_MANY_REQUESTS
                        | StatusCode::BAD_GATEWAY
                        | StatusCode::SERVICE_UNAVAILABLE
                        | StatusCode::GATEWAY_TIMEOUT
                );
                if !again {
                    return false;
                }
                let after = answer.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok());
                after.and_then(|it| it.parse().ok()).map(Duration::from_secs)
            }
            Err(_not_reached) => None,
        };
        if tried < tries {
            tokio::time::sleep(wanted.unwrap_or(pause).min(PAUSE_MAX)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::{Router, extract::State, http::HeaderMap as Got};

    use super::*;

    type Calls = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

    /// A collector that refuses as often as it is told to.
    async fn collector(refusals: usize) -> (String, Calls, tokio::task::JoinSet<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Calls::default();
        let take = async move |State(calls): State<Calls>, headers: Got, body: bytes::Bytes| {
            let mut calls = calls.lock().unwrap();
            let key = headers.get("x-key").unwrap().to_str().unwrap().to_owned();
            calls.push((key, body.to_vec()));
            if calls.len() <= refusals {
                axum::http::StatusCode::SERVICE_UNAVAILABLE
            } else {
                axum::http::StatusCode::OK
            }
        };
        let router = Router::new().fallback(take).with_state(Arc::clone(&calls));
        let mut server = tokio::task::JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        (format!("http://{address}/"), calls, server)
    }

    fn request(items: u64) -> Request {
        Request { path: "/v1/traces", body: b"spans".to_vec(), items }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_collector_that_refuses_is_tried_again_and_the_end_waits_for_what_is_left() {
        let (url, calls, _server) = collector(1).await;
        let (sender, sending) = Collector::start(&url, Some(&"x-key=secret".into())).unwrap();
        sender.send(request(3));
        let two = async {
            while calls.lock().unwrap().len() < 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), two).await.unwrap();
        sender.send(request(1));
        let counter = sender.clone().lost;
        drop(sender);
        tokio::task::spawn_blocking(move || drop(sending)).await.unwrap();
        let calls = calls.lock().unwrap().clone();
        assert_eq!(calls.len(), 3, "{calls:?}");
        assert!(calls.iter().all(|(key, body)| key == "secret" && body == b"spans"));
        assert_eq!(counter.load(Relaxed), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn otlp_1_and_2_without_a_collector_nobody_waits_and_what_is_lost_is_counted() {
        // Nobody listens on port 1.
        let (sender, sending) = Collector::start("http://127.0.0.1:1", None).unwrap();
        for _ in 0..QUEUE_MAX + 20 {
            sender.send(request(2));
        }
        assert!(2 * 19 <= sender.lost(), "{}", sender.lost());
        drop(sender);
        tokio::task::spawn_blocking(move || drop(sending)).await.unwrap();
    }

    #[test]
    fn headers_that_are_none_are_refused() {
        for text in ["words", "a b=c", "a=b\u{7}c"] {
            assert!(matches!(read_headers(Some(&text.into())), Err(OtlpError::BadHeaders)));
        }
        assert_eq!(read_headers(Some(&" a=b , c=d=e ".into())).unwrap().len(), 2);
        assert!(read_headers(None).unwrap().is_empty());
    }
}
