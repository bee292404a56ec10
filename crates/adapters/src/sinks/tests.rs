//! Every sink in front of a receiver that keeps what it gets: exact bodies, and every kind of failure.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use protocol::{
    Clock, Timestamp,
    alert::{Fingerprint, Notification, Severity, Sink, ToldAlert},
};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{
    pager::Pager,
    sentry::{Dsn, Reporter, Sentry, Trouble},
    slack::Slack,
    sms::{Sms, SmsConfig},
    webhook::{Webhook, signature},
};

const NOW: Timestamp = Timestamp(1_764_115_200_500);

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// One call, as it came.
#[derive(Clone, Debug)]
struct Call {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// What the receiver answers next; 200 when there is nothing left.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Status(u16),
    Wait(u64),
    Redirect,
    Slow,
}

/// Somebody on loopback.
struct Receiver {
    inbox: Inbox,
    /// Ends with it.
    _server: tokio::task::JoinSet<()>,
}

/// What somebody got, and what they answer.
#[derive(Clone, Default)]
struct Inbox {
    calls: Arc<Mutex<Vec<Call>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Receiver {
    async fn start(answers: &[Answer]) -> (Self, String) {
        let inbox = Inbox::default();
        inbox.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(receive).with_state(inbox.clone());
        let mut server = tokio::task::JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        (Self { inbox, _server: server }, format!("http://{address}"))
    }

    fn calls(&self) -> Vec<Call> {
        self.inbox.calls.lock().unwrap().clone()
    }
}

async fn receive(State(it): State<Inbox>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    it.calls.lock().unwrap().push(Call { path: uri.to_string(), headers, body });
    let answer = it.answers.lock().unwrap().pop_front();
    match answer {
        None => StatusCode::OK.into_response(),
        Some(Answer::Status(status)) => {
            (StatusCode::from_u16(status).unwrap(), "you said hunter2").into_response()
        }
        Some(Answer::Wait(seconds)) => {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds.to_string())]).into_response()
        }
        Some(Answer::Redirect) => {
            (StatusCode::FOUND, [("location", "/elsewhere".to_owned())]).into_response()
        }
        Some(Answer::Slow) => {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            StatusCode::OK.into_response()
        }
    }
}

fn told(kind: &str, label: &str, ended: Option<u64>) -> ToldAlert {
    let labels = BTreeMap::from([("bot".to_owned(), label.to_owned())]);
    ToldAlert {
        fingerprint: Fingerprint::of(kind, &labels),
        labels,
        severity: Severity::Critical,
        summary: format!("Updates of <{label}> & more cannot be fetched."),
        count: 3,
        since: Timestamp(NOW.0 - 60_000),
        ended: ended.map(Timestamp),
    }
}

fn firing() -> Notification {
    Notification {
        kind: "poll".to_owned(),
        version: 2,
        alerts: vec![told("poll", "a", None), told("poll", "b", Some(NOW.0))],
        left_out: 0,
        is_acknowledged: false,
        is_escalated: false,
        is_lapsed: false,
        is_trial: false,
        runbook: Some("https://ops.example.org/alert-poll.md".to_owned()),
    }
}

fn over() -> Notification {
    let alerts = vec![told("poll", "a", Some(NOW.0))];
    Notification { version: 3, alerts, ..firing() }
}

fn secret(text: &str) -> SecretString {
    text.into()
}

fn webhook(url: &str) -> Webhook {
    let url = secret(&format!("{url}/hook?password=hunter2"));
    Webhook::new(url, Some(secret("sign with this")), Arc::new(Stopped)).unwrap()
}

#[tokio::test]
async fn the_webhook_gets_the_shape_of_alertmanager_with_a_signature_over_time_and_body() {
    let (receiver, url) = Receiver::start(&[]).await;
    let sink = webhook(&url);
    sink.tell(&firing()).await.unwrap();
    sink.tell(&over()).await.unwrap();
    sink.tell(&over()).await.unwrap();
    let calls = receiver.calls();
    let [first, second, third] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(first.path, "/hook?password=hunter2");
    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!(first.header("x-guildhall-timestamp"), "1764115200");
    let signed = signature(&secret("sign with this"), 1_764_115_200, &first.body);
    assert_eq!(first.header("x-guildhall-signature"), signed);
    assert_ne!(signed, signature(&secret("sign with this"), 1_764_115_201, &first.body));
    let one = |status: &str, label: &str, ends: &str| {
        json!({
            "status": status,
            "labels": { "alertname": "poll", "bot": label, "severity": "critical" },
            "annotations": {
                "summary": format!("Updates of <{label}> & more cannot be fetched."),
                "count": "3",
                "runbook_url": "https://ops.example.org/alert-poll.md",
            },
            "startsAt": "2025-11-25T23:59:00.5Z",
            "endsAt": ends,
            "generatorURL": "",
            "fingerprint": told("poll", label, None).fingerprint.to_string(),
        })
    };
    let (end, never) = ("2025-11-26T00:00:00.5Z", "0001-01-01T00:00:00Z");
    let expected = json!({
        "version": "4",
        "groupKey": r#"{}:{alertname="poll"}"#,
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "guildhall",
        "groupLabels": { "alertname": "poll" },
        "commonLabels": { "alertname": "poll", "severity": "critical" },
        "commonAnnotations": {
            "count": "3",
            "runbook_url": "https://ops.example.org/alert-poll.md",
        },
        "externalURL": "",
        "alerts": [one("firing", "a", never), one("resolved", "b", end)],
    });
    assert_eq!(first.json(), expected);
    assert_eq!(second.json()["status"], "resolved");
    assert_eq!(second.json()["alerts"], json!([one("resolved", "a", end)]));
    assert_ne!(first.header("idempotency-key"), second.header("idempotency-key"));
    assert_eq!(second.header("idempotency-key"), third.header("idempotency-key"), "a repeat");
}

#[test]
fn the_signature_is_the_one_that_others_make() {
    // printf '1764115200.{}' | openssl dgst -sha256 -hmac 'sign with this'
    let made = signature(&secret("sign with this"), 1_764_115_200, b"{}");
    assert_eq!(made, "sha256=af150a7e80d3dc89fdc2eac47e11765e3fcc177d542a75efbf66724764c707f5");
}

#[tokio::test]
async fn slack_gets_a_text_and_a_block_with_its_own_characters_escaped() {
    let (receiver, url) = Receiver::start(&[]).await;
    let sink = Slack::new(secret(&format!("{url}/services/T/B/x"))).unwrap();
    assert_eq!(sink.gap(), Duration::from_secs(1));
    sink.tell(&firing()).await.unwrap();
    let call = receiver.calls().remove(0);
    assert_eq!(call.path, "/services/T/B/x");
    let line = ":red_circle: Updates of &lt;a&gt; &amp; more cannot be fetched. (and 1 more)";
    let block = format!("*poll* {line}\nWhat to do: https://ops.example.org/alert-poll.md");
    let expected = json!({
        "text": line,
        "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": block } }],
    });
    assert_eq!(call.json(), expected);
}

#[tokio::test]
async fn pagerduty_opens_acknowledges_and_closes_one_incident_under_one_key() {
    let (receiver, url) = Receiver::start(&[]).await;
    let url = format!("{url}/v2/enqueue");
    let sink = Pager::new(url, secret("a routing key"), "hall".to_owned()).unwrap();
    sink.tell(&firing()).await.unwrap();
    sink.tell(&Notification { is_acknowledged: true, ..firing() }).await.unwrap();
    sink.tell(&over()).await.unwrap();
    let bodies: Vec<Value> = receiver.calls().iter().map(Call::json).collect();
    let event = |action: &str| json!({ "routing_key": "a routing key", "event_action": action, "dedup_key": "hall/poll" });
    let mut trigger = event("trigger");
    trigger["client"] = json!("Guildhall");
    trigger["links"] =
        json!([{ "href": "https://ops.example.org/alert-poll.md", "text": "What to do" }]);
    trigger["payload"] = json!({
        "summary": "Updates of <a> & more cannot be fetched. (and 1 more)",
        "source": "hall",
        "severity": "critical",
        "timestamp": "2025-11-25T23:59:00.5Z",
        "component": "guildhall",
        "class": "poll",
        "custom_details": { "count": 6, "left_out": 0 },
    });
    assert_eq!(bodies, [trigger, event("acknowledge"), event("resolve")]);
    let mut long = firing();
    long.alerts.truncate(1);
    long.alerts[0].summary = "ä".repeat(5_000);
    sink.tell(&long).await.unwrap();
    let summary = receiver.calls().pop().unwrap().json()["payload"]["summary"].to_string();
    assert_eq!(summary.trim_matches('"').chars().count(), 1_024);
}

/// The parts of an envelope: its head, the item's head, the event.
fn envelope(call: &Call) -> [Value; 3] {
    let text = std::str::from_utf8(&call.body).unwrap();
    let parts: Vec<&str> = text.lines().collect();
    assert_eq!(parts.len(), 3, "{text}");
    let read = |part: &str| serde_json::from_str::<Value>(part).unwrap();
    let (head, item, event) = (read(parts[0]), read(parts[1]), read(parts[2]));
    assert_eq!(item, json!({ "type": "event", "length": parts[2].len() }));
    assert_eq!(head["event_id"], event["event_id"]);
    assert_eq!(head["event_id"].as_str().map(str::len), Some(32));
    assert_eq!(call.path, "/api/42/envelope/");
    assert_eq!(call.header("content-type"), "application/x-sentry-envelope");
    let auth = call.header("x-sentry-auth");
    assert!(auth.starts_with("Sentry sentry_version=7, sentry_client=guildhall/"), "{auth}");
    assert!(auth.ends_with(", sentry_key=a1b2c3"), "{auth}");
    [head, item, event]
}

fn sentry(url: &str) -> Sentry {
    let dsn = format!("{}/42", url.replace("http://", "http://a1b2c3@"));
    let dsn = Dsn::read(&secret(&dsn)).unwrap();
    Sentry::new(dsn, "test".to_owned(), Arc::new(Stopped)).unwrap()
}

#[tokio::test]
async fn sentry_gets_an_alert_as_an_event_that_is_the_same_when_it_comes_again() {
    let (receiver, url) = Receiver::start(&[Answer::Wait(60)]).await;
    let sink = sentry(&url);
    let refused = sink.tell(&firing()).await.unwrap_err();
    assert_eq!(refused.retry_after, Some(Duration::from_secs(60)));
    sink.tell(&firing()).await.unwrap();
    sink.tell(&over()).await.unwrap();
    let events: Vec<Value> = receiver.calls().iter().map(|it| envelope(it)[2].clone()).collect();
    assert_eq!(events[0], events[1], "a repeat");
    assert_ne!(events[1]["event_id"], events[2]["event_id"]);
    let golden = json!({
        "event_id": events[0]["event_id"],
        "timestamp": "2025-11-26T00:00:00.5Z",
        "platform": "native",
        "level": "error",
        "logger": "alerts",
        "release": concat!("guildhall@", env!("CARGO_PKG_VERSION")),
        "environment": "test",
        "message": { "formatted": "Updates of <a> & more cannot be fetched. (and 1 more)" },
        "sdk": { "name": "guildhall", "version": env!("CARGO_PKG_VERSION") },
        "tags": {
            "alert": "poll", "state": "firing", "runbook": "https://ops.example.org/alert-poll.md",
        },
        "fingerprint": ["guildhall-alert", "poll"],
    });
    assert_eq!(events[0], golden);
    assert_eq!(
        (&events[2]["level"], &events[2]["tags"]["state"]),
        (&json!("info"), &json!("over"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentry_1_an_error_is_reported_by_what_is_on_the_list_and_the_end_waits_for_it() {
    let (receiver, url) = Receiver::start(&[]).await;
    let (reporter, last) = Reporter::start(sentry(&url)).unwrap();
    let trouble = Trouble {
        message: "code panicked".to_owned(),
        action: "panic".to_owned(),
        logger: "kit::panics".to_owned(),
        place: "crates/flow/src/session/mod.rs:12".to_owned(),
        is_fatal: true,
    };
    for _ in 0..5 {
        reporter.report(trouble.clone()).unwrap();
    }
    drop(reporter);
    tokio::task::spawn_blocking(move || drop(last)).await.unwrap();
    let calls = receiver.calls();
    assert_eq!(calls.len(), 1, "the same is reported once");
    let [_, _, event] = envelope(&calls[0]);
    let golden = json!({
        "event_id": event["event_id"],
        "timestamp": "2025-11-26T00:00:00.5Z",
        "platform": "native",
        "level": "fatal",
        "logger": "kit::panics",
        "release": concat!("guildhall@", env!("CARGO_PKG_VERSION")),
        "environment": "test",
        "message": { "formatted": "code panicked" },
        "sdk": { "name": "guildhall", "version": env!("CARGO_PKG_VERSION") },
        "tags": { "action": "panic", "place": "crates/flow/src/session/mod.rs:12" },
        "fingerprint": [
            "guildhall", "panic", "kit::panics", "crates/flow/src/session/mod.rs:12", "code panicked",
        ],
    });
    assert_eq!(event, golden);
}

#[tokio::test]
async fn short_messages_go_to_every_number_and_a_second_try_only_to_whom_it_did_not_reach() {
    let (receiver, url) = Receiver::start(&[Answer::Status(201), Answer::Status(500)]).await;
    let config = SmsConfig {
        base_url: format!("{url}/"),
        account: "AC1".to_owned(),
        from: "+1555".to_owned(),
        to: vec!["+491".to_owned(), "+492".to_owned()],
    };
    let sink = Sms::new(config, secret("token")).unwrap();
    assert!(sink.tell(&firing()).await.is_err());
    sink.tell(&firing()).await.unwrap();
    sink.tell(&over()).await.unwrap();
    let calls = receiver.calls();
    assert!(calls.iter().all(|it| it.path == "/2010-04-01/Accounts/AC1/Messages.json"));
    assert!(calls.iter().all(|it| it.header("authorization") == "Basic QUMxOnRva2Vu"));
    let bodies: Vec<&str> = calls.iter().map(|it| std::str::from_utf8(&it.body).unwrap()).collect();
    let text = "Guildhall+CRITICAL+poll%3A+Updates+of+%3Ca%3E+%26+more+cannot+be+fetched.\
                +%28and+1+more%29";
    assert_eq!(bodies[0], format!("To=%2B491&From=%2B1555&Body={text}"));
    let to: Vec<&str> = bodies.iter().map(|it| &it[..9]).collect();
    assert_eq!(to, ["To=%2B491", "To=%2B492", "To=%2B492", "To=%2B491", "To=%2B492"]);
    assert!(bodies[3].contains("Body=Guildhall+OVER+poll"), "{}", bodies[3]);
}

#[tokio::test]
async fn sink_1_and_2_what_a_receiver_does_wrong_is_told_without_its_address_and_leads_nowhere() {
    let answers = [
        Answer::Status(500),
        Answer::Status(404),
        Answer::Wait(77),
        Answer::Redirect,
        Answer::Status(202),
    ];
    let (receiver, url) = Receiver::start(&answers).await;
    let sink = webhook(&url);
    let mut told = Vec::new();
    for _ in &answers {
        told.push(match sink.tell(&firing()).await {
            Ok(()) => "told".to_owned(),
            Err(error) => format!("{error}, {:?}", error.retry_after.map(|it| it.as_secs())),
        });
    }
    assert_eq!(
        told,
        [
            "it answered with status 500, None",
            "it answered with status 404, None",
            "it asks to wait (status 429), Some(77)",
            "it answered with status 302: redirects are not followed, None",
            "told",
        ]
    );
    let paths: Vec<String> = receiver.calls().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["/hook?password=hunter2"; 5], "nobody was called elsewhere");
    // Nobody listens there any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = webhook(&gone).tell(&firing()).await.unwrap_err();
    assert_eq!(error.why, "no connection can be made");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_is_given_up_in_time() {
    let (_receiver, url) = Receiver::start(&[Answer::Slow]).await;
    let sink = webhook(&url);
    let begun = tokio::time::Instant::now();
    let error = sink.tell(&firing()).await.unwrap_err();
    assert_eq!(error.why, "no answer within 15 s");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
