//! Promise R23 with the real program: alerts arrive, do not flood, and survive being killed.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use end_to_end::{ADMIN, Stage, wait_until};
use rehearsal::Faults;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};

const SOON: Duration = Duration::from_secs(40);

/// A receiver of webhooks. It ends with the test.
struct Receiver {
    inbox: Inbox,
    _server: JoinSet<()>,
}

/// Keeps what it gets, and answers with one status.
#[derive(Clone)]
struct Inbox {
    got: Arc<Mutex<Vec<(String, Value)>>>,
    status: Arc<Mutex<u16>>,
}

impl Receiver {
    async fn start(port: u16, status: u16) -> Self {
        let inbox = Inbox { got: Arc::default(), status: Arc::new(Mutex::new(status)) };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let (of_server, mut server) = (inbox.clone(), JoinSet::new());
        server.spawn(async move {
            let mut calls = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                calls.spawn(of_server.clone().serve(stream));
            }
        });
        Self { inbox, _server: server }
    }

    fn got(&self) -> Vec<(String, Value)> {
        self.inbox.got.lock().unwrap().clone()
    }

    fn is_up(&self) {
        *self.inbox.status.lock().unwrap() = 200;
    }

    /// What it was told of updates that cannot be fetched.
    fn of_poll(&self) -> Vec<(String, Value)> {
        let got = self.got().into_iter();
        got.filter(|(_, it)| it["groupLabels"]["alertname"] == "poll").collect()
    }

    /// The states of that: `firing`, `resolved`.
    fn states(&self) -> Vec<String> {
        let states = self.of_poll().into_iter();
        states.map(|(_, it)| it["status"].as_str().unwrap().to_owned()).collect()
    }
}

impl Inbox {
    /// One call for each connection.
    async fn serve(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let (head, length) = loop {
            let mut piece = [0; 4_096];
            match stream.read(&mut piece).await {
                Ok(read) if 0 < read => bytes.extend_from_slice(&piece[..read]),
                Ok(_) | Err(_) => return,
            }
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            let Some(end) = text.find("\r\n\r\n") else { continue };
            let after = text.split_once("content-length: ").unwrap().1;
            let length: usize = after.split("\r\n").next().unwrap().parse().unwrap();
            if end + 4 + length <= bytes.len() {
                break (text[..end].to_owned(), end + 4);
            }
        };
        let body = serde_json::from_slice(&bytes[length..]).unwrap();
        let status = *self.status.lock().unwrap();
        if status == 200 {
            self.got.lock().unwrap().push((head, body));
        }
        let answer =
            format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        // lost-ok: the hall was killed meanwhile.
        stream.write_all(answer.as_bytes()).await.ok();
    }
}

fn another_poller(stage: &Stage, is_there: bool) {
    let conflicts = if is_there { 1_000_000 } else { 0 };
    stage.rehearsal.world().set_faults(Faults { conflicts, ..Faults::default() });
}

fn words(stage: &Stage) -> Vec<String> {
    stage.sent_to(ADMIN).into_iter().map(|it| it.text).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r23_an_alert_outlives_a_kill_goes_to_the_next_place_and_its_end_is_told() {
    let mut stage = Stage::set().await;
    let (down, next) = (stage.another_port(), stage.another_port());
    stage.set_env([
        ("GUILDHALL__ALERTS__TELEGRAM", "false"),
        (
            "GUILDHALL__ALERTS__WEBHOOK__URL",
            format!("http://127.0.0.1:{down}/a?key=s3cret").as_str(),
        ),
        ("ALERT_WEBHOOK_SECRET", "what calls are signed with"),
        ("ALERT_SLACK_URL", format!("http://127.0.0.1:{next}/slack").as_str()),
        ("GUILDHALL__ALERTS__SLACK__STEP", "1"),
    ]);
    let slack = Receiver::start(next, 200).await;
    let hall = stage.open().await;
    let log = hall.log().clone();
    another_poller(&stage, true);
    let of_poll = |it: &(String, Value)| it.1["text"].as_str().unwrap().contains("fetched from");
    wait_until("the next place is told", SOON, || slack.got().iter().any(of_poll)).await;
    assert!(!log.actions("alert_sink_failed").is_empty(), "the first is down");
    assert!(!log.stdout().contains("s3cret"), "its address is in no line");
    hall.kill().await;
    // Nothing goes wrong any more: what is told from here on was kept.
    another_poller(&stage, false);
    let webhook = Receiver::start(down, 500).await;
    let hall = stage.open().await;
    wait_until("it is tried again, and answers 500", SOON, || {
        !hall.log().actions("alert_sink_failed").is_empty()
    })
    .await;
    webhook.is_up();
    wait_until("it is told", SOON, || webhook.states() == ["firing"]).await;
    let (head, body) = webhook.of_poll().remove(0);
    assert!(head.contains("x-guildhall-signature: sha256="), "{head}");
    assert!(head.contains("idempotency-key: poll/"), "{head}");
    assert_eq!(body["alerts"][0]["labels"]["severity"], "critical", "{body}");
    let (code, text, error) = stage.command(&["alerts", "list"]).await;
    assert!(
        code == 0 && text.contains("critical  poll: ") && text.contains("slack, webhook"),
        "{text}{error}"
    );
    // The other poller comes and goes once more: now it is known that it is over.
    another_poller(&stage, true);
    hall.log().wait_for("poll_failed").await;
    let begun = Instant::now();
    while hall.log().actions("poll_failed").len() < 6 {
        assert!(begun.elapsed() < SOON, "{}", hall.log().tail());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    another_poller(&stage, false);
    wait_until("both hear the end", SOON, || {
        let is_over = |it: &(String, Value)| it.1["text"].as_str().unwrap().contains("Over:");
        webhook.states() == ["firing", "resolved"] && slack.got().iter().any(is_over)
    })
    .await;
    assert!(slack.got().iter().filter(|it| of_poll(it)).count() <= 3, "{:?}", slack.got());
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_sees_takes_and_silences_alerts_in_the_chat_and_nobody_else_does() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    let listed = stage.exchange(ADMIN, "/alerts", "Nothing is wrong").await;
    assert!(listed.text.contains("Nothing"), "{}", listed.text);
    let (code, text, error) = stage.command(&["alerts", "test"]).await;
    assert!(code == 0 && text.contains("telegram   told"), "{text}{error}");
    stage.heard(ADMIN, 0, "test of the way").await;
    another_poller(&stage, true);
    wait_until("the admin is told", SOON, || {
        words(&stage).iter().any(|it| it.contains("🔴 Messages cannot"))
    })
    .await;
    another_poller(&stage, false);
    wait_until("and of the end", SOON, || {
        words(&stage).iter().any(|it| it.contains("✅ Over: Messages"))
    })
    .await;
    stage.exchange(ADMIN, "/silence poll 1h", "nobody is told for 60 minutes").await;
    stage.exchange(ADMIN, "/alerts", "🔕 poll is silenced until").await;
    let unknown = "I do not know that command";
    stage.exchange(end_to_end::BEN, "/silence all 30d", unknown).await;
    let (code, text, _) = stage.command(&["alerts", "silence", "poll", "off"]).await;
    assert!(code == 0 && text == "poll is told again.\n", "{text}");
    let (code, text, _) = stage.command(&["alerts", "list", "--json"]).await;
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &list["silences"]), (0, &Value::Array(vec![])));
    let (code, _, error) = stage.command(&["alerts", "ack", "nothing_such"]).await;
    assert!(code == 70 && error.contains("no open alert"), "{code} {error}");
    assert_eq!(hall.stop().await.0, 0);
    let (code, _, error) = stage.command(&["alerts", "list"]).await;
    assert!(code == 69 && error.contains("no hall answers"), "{code} {error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_of_the_operator_is_told_when_its_figure_is_out_of_bounds() {
    let mut stage = Stage::set().await;
    stage.set_env([
        ("GUILDHALL__ALERTS__RULE__0__NAME", "many_updates"),
        ("GUILDHALL__ALERTS__RULE__0__SIGNAL", "updates"),
        ("GUILDHALL__ALERTS__RULE__0__BOUND", "above"),
        ("GUILDHALL__ALERTS__RULE__0__LIMIT", "2"),
        ("GUILDHALL__ALERTS__RULE__0__SUMMARY", "{value} updates within the hour."),
    ]);
    let hall = stage.open().await;
    // A bot may only write to whom has written to it.
    stage.exchange(ADMIN, "/alerts", "Nothing is wrong").await;
    // What came before the first look, which is made soon after the start, is not counted.
    let mut sequence = 0;
    let begun = Instant::now();
    while !words(&stage).iter().any(|it| it.contains("updates within the hour.")) {
        assert!(begun.elapsed() < SOON, "{}", hall.log().tail());
        stage.ask(end_to_end::BEN, sequence);
        stage.all_answered(SOON).await;
        sequence += 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let (code, text, _) = stage.command(&["alerts", "list"]).await;
    assert!(code == 0 && text.contains("warning   many_updates: "), "{text}");
    assert_eq!(hall.stop().await.0, 0);
}
