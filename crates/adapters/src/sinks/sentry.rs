//! Reports to Sentry: alerts, and errors and panics of the program, by its envelope endpoint.
//!
//! Sent is what is on a short list and nothing else: a constant sentence, the word of the event, the part of
//! the program, a place in the source, the version. No text of anybody, no id, no name of a machine; values of
//! a line stay in the log.
//!
//! Source: <https://develop.sentry.dev/sdk/data-model/envelopes/>. Sentry's own crate would bring its own
//! way over HTTP, and finds out much about the machine that is nobody's business.
//!
//! Invariants: SENTRY-1 an event holds what is on the list and nothing else. SENTRY-2 whoever reports never
//! waits: what finds the queue full is told to be lost, and what comes too fast is not sent.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use async_trait::async_trait;
use protocol::{
    Clock, Timestamp,
    alert::{Notification, Severity, Sink, TellError},
};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{SinkError, call, client, cut, hex, rfc3339};

/// What Sentry takes as a message, and as the value of a tag.
const MESSAGE_CHARS_MAX: usize = 1_000;
const TAG_CHARS_MAX: usize = 200;
/// Reports on their way to the thread that sends.
const QUEUE_MAX: usize = 64;
/// The same of the same place is reported once in this time.
const SAME_AGAIN: Duration = Duration::from_secs(60);
/// Different reports within that time.
const REPORTS_MAX: usize = 30;
/// How long the end of the process waits for what is left.
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// Where Sentry takes events, and the key for it.
#[derive(Clone)]
pub struct Dsn {
    endpoint: SecretString,
    authorisation: SecretString,
}

impl Dsn {
    /// Reads a DSN: `https://KEY@sentry.example.org/PROJECT`.
    ///
    /// # Errors
    /// If it is none. What it says is not quoted.
    pub fn read(dsn: &SecretString) -> Result<Self, SinkError> {
        let url = Url::parse(dsn.expose_secret()).map_err(|_it_holds_a_key| SinkError::BadDsn)?;
        let is_web = matches!(url.scheme(), "http" | "https");
        let (path, key) = (url.path().trim_end_matches('/'), url.username());
        let (folder, project) = path.rsplit_once('/').ok_or(SinkError::BadDsn)?;
        let is_number = !project.is_empty() && project.bytes().all(|it| it.is_ascii_digit());
        let is_key = !key.is_empty() && key.bytes().all(|it| it.is_ascii_alphanumeric());
        let host = url.host_str().filter(|_| is_web && is_number && is_key);
        let host = host.ok_or(SinkError::BadDsn)?;
        let port = url.port().map(|it| format!(":{it}")).unwrap_or_default();
        let scheme = url.scheme();
        let client = concat!("guildhall/", env!("CARGO_PKG_VERSION"));
        Ok(Self {
            endpoint: format!("{scheme}://{host}{port}{folder}/api/{project}/envelope/").into(),
            authorisation: format!(
                "Sentry sentry_version=7, sentry_client={client}, sentry_key={key}"
            )
            .into(),
        })
    }
}

/// Somewhere that events are sent to.
pub struct Sentry {
    dsn: Dsn,
    environment: String,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

/// What is reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// A constant sentence.
    pub message: String,
    /// The word of the event, by which it is searched for.
    pub action: String,
    /// The part of the program.
    pub logger: String,
    /// Where in the source, if it panicked.
    pub place: String,
    /// True for a panic.
    pub is_fatal: bool,
}

impl Sentry {
    /// Sends to `dsn`, as `environment`.
    ///
    /// # Errors
    /// If this machine cannot make HTTP requests.
    pub fn new(dsn: Dsn, environment: String, clock: Arc<dyn Clock>) -> Result<Self, SinkError> {
        Ok(Self { dsn, environment, client: client()?, clock })
    }

    async fn send(&self, id: &str, event: Value) -> Result<(), TellError> {
        let event = event.to_string();
        let now = rfc3339(self.clock.now());
        let head = json!({ "event_id": id, "sent_at": now });
        let item = json!({ "type": "event", "length": event.len() });
        let request = self
            .client
            .post(self.dsn.endpoint.expose_secret())
            .header("content-type", "application/x-sentry-envelope")
            .header("x-sentry-auth", self.dsn.authorisation.expose_secret())
            .body(format!("{head}\n{item}\n{event}\n"));
        call(request).await
    }

    /// What every event has. SENTRY-1.
    fn event(&self, id: &str, at: Timestamp, (level, message): (&str, &str)) -> Value {
        let version = env!("CARGO_PKG_VERSION");
        json!({
            "event_id": id,
            "timestamp": rfc3339(at),
            "platform": "native",
            "level": level,
            "release": format!("guildhall@{version}"),
            "environment": self.environment,
            "message": { "formatted": cut(message, MESSAGE_CHARS_MAX) },
            "sdk": { "name": "guildhall", "version": version },
        })
    }

    fn alert(&self, id: &str, it: &Notification) -> Value {
        let level = match (it.is_over() || it.is_trial, it.severity()) {
            (true, _) => "info",
            (false, Severity::Critical) => "error",
            (false, Severity::Warning) => "warning",
        };
        let state = match (it.is_over(), it.is_acknowledged) {
            _ if it.is_trial => "test",
            (true, _) => "over",
            (false, true) => "in_hand",
            (false, false) => "firing",
        };
        let mut event = self.event(id, self.clock.now(), (level, &it.headline()));
        let mut tags = BTreeMap::from([("alert", it.kind.clone()), ("state", state.to_owned())]);
        tags.extend(it.runbook.iter().map(|url| ("runbook", cut(url, TAG_CHARS_MAX))));
        if let Some(event) = event.as_object_mut() {
            event.insert("logger".to_owned(), json!("alerts"));
            event.insert("tags".to_owned(), json!(tags));
            event.insert("fingerprint".to_owned(), json!(["guildhall-alert", it.kind]));
        }
        event
    }

    fn trouble(&self, id: &str, at: Timestamp, it: &Trouble) -> Value {
        let level = if it.is_fatal { "fatal" } else { "error" };
        let mut event = self.event(id, at, (level, &it.message));
        let mut tags = BTreeMap::from([("action", cut(&it.action, TAG_CHARS_MAX))]);
        if !it.place.is_empty() {
            tags.insert("place", cut(&it.place, TAG_CHARS_MAX));
        }
        let logger = cut(&it.logger, TAG_CHARS_MAX);
        if let Some(event) = event.as_object_mut() {
            let same = json!(["guildhall", it.action, it.logger, it.place, it.message]);
            event.insert("fingerprint".to_owned(), same);
            event.insert("logger".to_owned(), json!(logger));
            event.insert("tags".to_owned(), json!(tags));
        }
        event
    }
}

/// The id of an event: the same for the same words.
fn id_of(words: &str) -> String {
    hex(Sha256::digest(words.as_bytes()).get(..16).unwrap_or_default())
}

#[async_trait]
impl Sink for Sentry {
    fn name(&self) -> &'static str {
        "sentry"
    }

    async fn tell(&self, notification: &Notification) -> Result<(), TellError> {
        let state = notification.is_acknowledged;
        let id = id_of(&format!("{}/{state}", notification.key()));
        self.send(&id, self.alert(&id, notification)).await
    }
}

/// Reports errors and panics from a thread of its own. Cheap to clone.
#[derive(Clone)]
pub struct Reporter {
    queue: SyncSender<(Timestamp, Trouble)>,
    clock: Arc<dyn Clock>,
}

/// Waits, when it is dropped, until what is left is sent: for a while, once nobody reports.
#[derive(Debug)]
pub struct LastReports(Receiver<()>);

impl Drop for LastReports {
    fn drop(&mut self) {
        // lost-ok: what is not sent by then is in the log all the same.
        self.0.recv_timeout(END_TIME_MAX).ok();
    }
}

impl Reporter {
    /// Starts the thread. Drop every reporter before the second value, which waits for the rest.
    ///
    /// # Errors
    /// If the thread or its runtime cannot be made.
    pub fn start(sentry: Sentry) -> Result<(Self, LastReports), SinkError> {
        let (queue, reports) = sync_channel(QUEUE_MAX);
        let (end, ended) = sync_channel(1);
        let clock = Arc::clone(&sentry.clock);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(SinkError::NoThread)?;
        let work = move || {
            runtime.block_on(report(&sentry, &reports));
            // lost-ok: nobody waits for the end any more.
            end.try_send(()).ok();
        };
        let started = thread::Builder::new().name("sentry".to_owned()).spawn(work);
        started.map_err(SinkError::NoThread)?;
        Ok((Self { queue, clock }, LastReports(ended)))
    }

    /// Reports, and never waits. SENTRY-2.
    ///
    /// # Errors
    /// If the queue is full: the report is lost.
    pub fn report(&self, trouble: Trouble) -> Result<(), SinkError> {
        let sent = self.queue.try_send((self.clock.now(), trouble));
        sent.map_err(|_full_or_ended| SinkError::QueueFull)
    }
}

/// Sends what is reported, one after the other, until nobody can report any more.
async fn report(sentry: &Sentry, reports: &Receiver<(Timestamp, Trouble)>) {
    let mut pace = Pace::default();
    // The thread is its own: it may wait here.
    while let Ok((at, trouble)) = reports.recv() {
        if !pace.may_go(&trouble, at) {
            continue;
        }
        let id = id_of(&format!("{trouble:?}/{}", at.0));
        let event = sentry.trouble(&id, at, &trouble);
        if let Err(TellError { retry_after: Some(wait), .. }) = sentry.send(&id, event).await {
            pace.wait(at, wait);
        }
        // lost-ok: otherwise it is in the log all the same, and telling of it here could go on for ever.
    }
}

/// Which reports are sent. Pure.
#[derive(Debug, Default)]
struct Pace {
    sent: Vec<(Timestamp, Trouble)>,
    not_before: Timestamp,
}

impl Pace {
    fn may_go(&mut self, trouble: &Trouble, at: Timestamp) -> bool {
        self.sent.retain(|(sent, _)| at.0 < sent.plus(SAME_AGAIN).0);
        let is_known = self.sent.iter().any(|(_, it)| it == trouble);
        if is_known || REPORTS_MAX <= self.sent.len() || at < self.not_before {
            return false;
        }
        self.sent.push((at, trouble.clone()));
        true
    }

    /// Sentry wants to be left alone for so long.
    fn wait(&mut self, at: Timestamp, wait: Duration) {
        self.not_before = at.plus(wait.min(Duration::from_secs(3_600)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(action: &str) -> Trouble {
        Trouble { action: action.to_owned(), ..Trouble::default() }
    }

    #[test]
    fn the_same_is_reported_once_a_minute_and_a_flood_is_cut() {
        let mut pace = Pace::default();
        let mut go = |action: &str, at| pace.may_go(&trouble(action), Timestamp(at));
        assert!(go("a", 0) && !go("a", 59_999) && go("a", 60_000));
        let sent = (0..100).filter(|it| go(&format!("b{it}"), 60_001)).count();
        assert_eq!(sent, REPORTS_MAX - 1);
    }

    #[test]
    fn sentry_2_nothing_is_sent_while_it_wants_to_be_left_alone() {
        let mut pace = Pace::default();
        pace.wait(Timestamp(0), Duration::from_secs(5));
        assert!(!pace.may_go(&trouble("a"), Timestamp(4_999)));
        assert!(pace.may_go(&trouble("a"), Timestamp(5_000)));
    }

    #[test]
    fn a_dsn_is_read_and_anything_else_refused_without_being_quoted() {
        let read = |text: &str| Dsn::read(&text.into());
        let dsn = read("https://a1b2@sentry.example.org:9000/base/42").ok().unwrap();
        assert_eq!(
            dsn.endpoint.expose_secret(),
            "https://sentry.example.org:9000/base/api/42/envelope/"
        );
        assert!(dsn.authorisation.expose_secret().ends_with("sentry_key=a1b2"));
        for text in [
            "",
            "words",
            "https://sentry.example.org/42",
            "https://a1@sentry.example.org/",
            "https://a1@sentry.example.org/name",
            "ftp://a1@sentry.example.org/42",
            "https://a%0d%0ab@sentry.example.org/42",
        ] {
            let error = read(text).err().map(|it| it.to_string());
            assert_eq!(error.as_deref(), Some("the address of Sentry is none"), "{text}");
        }
    }
}
