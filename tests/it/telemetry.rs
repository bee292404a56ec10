//! What leaves for Sentry and for a collector of OpenTelemetry: errors, turns and figures, and nothing of anybody.

use std::{
    fs,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use end_to_end::{Stage, TOKEN, wait_until};
use rehearsal::models::Script;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};

use crate::tools::{grant, play};

const SOON: Duration = Duration::from_secs(20);
/// An id that no other number is likely to hold.
const ASKER: i64 = 7_700_990_017;
/// Stands in what is asked, and nowhere else.
const CANARY: &str = "CANARY-4711-of-a-question";

/// Takes envelopes as Sentry does, and keeps them as they came.
struct Envelopes {
    got: Arc<Mutex<Vec<String>>>,
    _server: JoinSet<()>,
}

impl Envelopes {
    async fn start(port: u16) -> Self {
        let got = Arc::<Mutex<Vec<String>>>::default();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let (of_server, mut server) = (Arc::clone(&got), JoinSet::new());
        server.spawn(async move {
            let mut calls = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                calls.spawn(take(stream, Arc::clone(&of_server)));
            }
        });
        Self { got, _server: server }
    }

    fn all(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }

    /// The events in them. An envelope is three lines, the last as long as the second says.
    fn events(&self) -> Vec<Value> {
        let event = |call: &String| {
            let (head, body) = call.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("POST /api/42/envelope/ "), "{head}");
            assert!(head.contains("sentry_key=abc123"), "{head}");
            let lines: Vec<&str> = body.lines().collect();
            assert_eq!(lines.len(), 3, "{body}");
            let item: Value = serde_json::from_str(lines[1]).unwrap();
            assert_eq!(
                (&item["type"], item["length"].as_u64()),
                (&"event".into(), Some(lines[2].len() as u64))
            );
            serde_json::from_str(lines[2]).unwrap()
        };
        self.all().iter().map(event).collect()
    }
}

/// Reads calls, as many as come over one connection.
async fn take(mut stream: TcpStream, got: Arc<Mutex<Vec<String>>>) {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4_096];
        match stream.read(&mut piece).await {
            Ok(read) if 0 < read => bytes.extend_from_slice(&piece[..read]),
            Ok(_) | Err(_) => return,
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some(end) = text.find("\r\n\r\n") else { continue };
        let head = text[..end].to_lowercase();
        let after = head.split_once("content-length: ").unwrap().1;
        let length: usize = after.split("\r\n").next().unwrap().parse().unwrap();
        if bytes.len() < end + 4 + length {
            continue;
        }
        got.lock().unwrap().push(text);
        bytes.clear();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_reported_to_sentry_by_its_place_and_nothing_of_anybody_leaves() {
    let mut stage = Stage::set().await;
    let port = stage.another_port();
    let sentry = Envelopes::start(port).await;
    stage.set_env([
        ("SENTRY_DSN", format!("http://abc123@127.0.0.1:{port}/42").as_str()),
        ("GUILDHALL__ALERTS__SENTRY__ENVIRONMENT", "rehearsal"),
        ("GUILDHALL__LOGS__LEVEL", "trace"),
        ("FAILPOINTS", "guard=1*off->1*panic->off"),
    ]);
    stage.add_people(ASKER, 1);
    let hall = stage.open().await;
    stage.exchange(ASKER, &format!("{CANARY} [ask:u1002n0]"), "[answer:u1002n0]").await;
    stage.exchange(ASKER, &format!("{CANARY} [ask:u1002n1]"), "[answer:u1002n1]").await;
    let panic = || {
        let events = sentry.events();
        events.into_iter().find(|it| it["tags"]["action"] == "panic")
    };
    wait_until("the panic at Sentry", SOON, || panic().is_some()).await;
    let event = panic().unwrap();
    assert_eq!((&event["level"], &event["environment"]), (&"fatal".into(), &"rehearsal".into()));
    let place = event["tags"]["place"].as_str().unwrap();
    assert!(place.contains(".rs:"), "{place}");
    assert!(event.get("server_name").is_none() && event.get("user").is_none());
    assert_eq!(hall.stop().await.0, 0);
    let person = ASKER.to_string();
    for canary in [CANARY, TOKEN, "sk-rehearsal-only", person.as_str()] {
        assert!(sentry.all().iter().all(|it| !it.contains(canary)), "{canary}: {:?}", sentry.all());
    }
}

/// A collector in Python that decodes with OpenTelemetry's own types.
fn collector(port: u16, file: &Path) -> Option<tokio::process::Child> {
    let Ok(python) = std::env::var("GUILDHALL_SIEM_PYTHON") else {
        println!("left out: GUILDHALL_SIEM_PYTHON is not set");
        return None;
    };
    let receiver = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/lib/otlp_receiver.py");
    let mut command = tokio::process::Command::new(python);
    command.arg(receiver).arg(port.to_string()).arg(file).kill_on_drop(true);
    Some(command.stdin(Stdio::null()).spawn().expect("the Python that was named starts"))
}

/// What an attribute of a span says.
fn attribute<'v>(span: &'v Value, key: &str) -> &'v Value {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|it| it["key"] == key);
    let value = &found.unwrap_or_else(|| panic!("{key} of {span}"))["value"];
    value.get("stringValue").or(value.get("intValue")).unwrap()
}

/// Lets the agent of the stage use the calculator, and its model want to.
fn have_it_reckon(stage: &Stage) {
    grant(stage, "sage", "tools = [\"calculator\"]");
    let reckons = Script::new("Please reckon", "It is {result}");
    let reckons = reckons.calling("calculator", json!({"expression": "6 * 7"}));
    play(stage, vec![reckons], &[]);
}

/// The span of the calculator, once it was told.
fn call_of(traces: &[Value]) -> Option<Value> {
    let spans = |it: &Value| it["body"]["resourceSpans"][0]["scopeSpans"][0]["spans"].clone();
    let spans = traces.iter().flat_map(|it| spans(it).as_array().cloned().unwrap_or_default());
    spans.into_iter().find(|it| it["name"] == "execute_tool calculator")
}

fn a_call_is_told_without_its_words(call: &Value) {
    assert_eq!(attribute(call, "gen_ai.operation.name"), "execute_tool");
    assert_eq!(attribute(call, "gen_ai.tool.name"), "calculator");
    assert!(!call.to_string().contains("6 * 7"), "{call}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_with_opentelemetrys_own_types_gets_each_turn_and_the_figures() {
    let mut stage = Stage::set().await;
    let (port, file) = (stage.another_port(), stage.folder().join("collected"));
    let Some(mut child) = collector(port, &file) else { return };
    stage.set_env([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}").as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a key of the collector"),
        ("GUILDHALL__TELEMETRY__OTLP_EVERY", "1s"),
    ]);
    stage.add_people(ASKER, 1);
    have_it_reckon(&stage);
    let hall = stage.open().await;
    stage.exchange(ASKER, &format!("{CANARY} [ask:u1002n0]"), "[answer:u1002n0]").await;
    stage.exchange(ASKER, "Please reckon.", "It is").await;
    let lines = || -> Vec<Value> {
        let text = fs::read_to_string(&file).unwrap_or_default();
        text.lines().filter_map(|it| serde_json::from_str(it).ok()).collect()
    };
    let of = |path: &str| lines().into_iter().filter(|it| it["path"] == path).collect::<Vec<_>>();
    wait_until("a call at the collector", SOON, || call_of(&of("/v1/traces")).is_some()).await;
    a_call_is_told_without_its_words(&call_of(&of("/v1/traces")).unwrap());
    let told = || fs::read_to_string(&file).unwrap_or_default();
    wait_until("tokens", SOON, || told().contains("gen_ai.client.token.usage")).await;
    assert_eq!(hall.stop().await.0, 0);
    child.kill().await.unwrap();

    let traces = of("/v1/traces");
    assert!(traces.iter().all(|it| it["key"] == "a key of the collector"));
    let resource = &traces[0]["body"]["resourceSpans"][0];
    let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
    let named = |name: &str| spans.iter().find(|it| it["name"].as_str().unwrap().starts_with(name));
    let whole = named("invoke_agent sage").unwrap();
    assert_eq!(attribute(whole, "gen_ai.operation.name"), "invoke_agent");
    assert_eq!(attribute(whole, "guildhall.outcome"), "answered");
    assert_eq!(attribute(whole, "gen_ai.conversation.id").as_str().map(str::len), Some(12));
    let chat = named("chat rehearsal-1").unwrap();
    assert_eq!(
        (&chat["kind"], &chat["parentSpanId"]),
        (&"SPAN_KIND_CLIENT".into(), &whole["spanId"])
    );
    assert_eq!(attribute(chat, "gen_ai.provider.name"), "openai");
    assert!(attribute(chat, "gen_ai.usage.output_tokens").as_str() > Some("0"));
    for name in ["guard question", "guard answer", "outbox"] {
        let span = named(name).unwrap_or_else(|| panic!("{name} of {spans:?}"));
        assert_eq!(span["traceId"], whole["traceId"]);
        assert!(span["startTimeUnixNano"].as_str() <= span["endTimeUnixNano"].as_str(), "{span}");
    }

    let metrics = of("/v1/metrics").pop().unwrap();
    let metrics = metrics["body"]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].clone();
    let metric = |name: &str| {
        let all = metrics.as_array().unwrap();
        all.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    let replies = metric("guildhall_replies");
    assert_eq!(replies["sum"]["isMonotonic"], true);
    assert_eq!(replies["sum"]["aggregationTemporality"], "AGGREGATION_TEMPORALITY_CUMULATIVE");
    assert_eq!(replies["sum"]["dataPoints"][0]["asDouble"], 2.0);
    let duration = metric("gen_ai.client.operation.duration");
    let point = &duration["histogram"]["dataPoints"][0];
    assert_eq!((&duration["unit"], &point["count"]), (&"s".into(), &"2".into()));
    assert_eq!(point["explicitBounds"].as_array().unwrap().len(), 14);
    assert_eq!(point["bucketCounts"].as_array().unwrap().len(), 15);
    let person = ASKER.to_string();
    for canary in [CANARY, TOKEN, "sk-rehearsal-only", person.as_str()] {
        assert!(!told().contains(canary), "{canary} is in what was told");
    }
}

/// Needs `GUILDHALL_PROMTOOL`: Prometheus itself lies beside its tool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_prometheus_scrapes_the_hall_and_loads_the_rules() {
    let Ok(promtool) = std::env::var("GUILDHALL_PROMTOOL") else {
        println!("left out: GUILDHALL_PROMTOOL is not set");
        return;
    };
    let stage = Stage::set().await;
    let hall = stage.open().await;
    let (console, folder) = (stage.console(), stage.folder().join("prometheus"));
    fs::create_dir_all(&folder).unwrap();
    let rules = stage.folder().join("config/prometheus/alerts.yml");
    let config = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{}]\n\
         scrape_configs: [{{ job_name: guildhall, static_configs: [{{ targets: [\"{console}\"] }}] }}]\n",
        rules.display()
    );
    fs::write(folder.join("prometheus.yml"), config).unwrap();
    let address = format!("127.0.0.1:{}", stage.another_port());
    let errors = fs::File::create(folder.join("errors")).unwrap();
    let mut server =
        tokio::process::Command::new(Path::new(&promtool).with_file_name("prometheus"))
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address={address}"))
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .expect("Prometheus is installed, see scripts/test");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = async |what: &str| -> Value {
        let url = format!("http://{address}/api/v1/{what}");
        let Ok(answer) = client.get(url).send().await else { return Value::Null };
        answer.json().await.unwrap_or_default()
    };
    let begun = Instant::now();
    let scraped = loop {
        let series = asked("query?query=guildhall_build_info").await;
        let result = series["data"]["result"].as_array().cloned().unwrap_or_default();
        if !result.is_empty() {
            break result;
        }
        let why = fs::read_to_string(folder.join("errors")).unwrap_or_default();
        assert!(begun.elapsed() < 2 * SOON, "nothing was scraped: {series} {why}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(scraped[0]["metric"]["version"], env!("CARGO_PKG_VERSION"));
    let histogram = asked("query?query=guildhall_reply_duration_seconds_bucket").await;
    assert!(!histogram["data"]["result"].as_array().unwrap().is_empty(), "{histogram}");
    // Before the first scrape no hall could be asked.
    let is_down = |it: &Value| it["name"] == "GuildhallDown" && it["state"] != "inactive";
    let rules = loop {
        let rules = asked("rules").await["data"]["groups"][0]["rules"].clone();
        let rules = rules.as_array().cloned().unwrap_or_default();
        let are_well = rules.iter().all(|it| it["health"] == "ok" && !is_down(it));
        if !rules.is_empty() && are_well {
            break rules;
        }
        assert!(begun.elapsed() < 2 * SOON, "a rule cannot be evaluated: {rules:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(10 < rules.len(), "{rules:?}");
    server.kill().await.unwrap();
    assert_eq!(hall.stop().await.0, 0);
}
