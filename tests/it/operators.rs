//! What operators can do: probes, status, doctor, configuration, starting and stopping.

use std::{fs, time::Duration};

use end_to_end::{BEN, Stage, TOKEN};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_metrics_and_status_say_how_the_hall_is() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    assert_eq!(stage.get("/livez").await, (200, "ok".to_owned()));
    let (code, verbose) = stage.get("/readyz?verbose").await;
    assert!(code == 200 && verbose.contains("[+]"), "{verbose}");
    // A reply is counted when it is recorded, which is after its person has it.
    let metrics = stage.metrics_with("guildhall_replies_total").await;
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    for secret in ["1002", "Hello", TOKEN] {
        assert!(!metrics.contains(secret), "{secret} is in the metrics:\n{metrics}");
    }
    assert_eq!(stage.get("/status").await.0, 401, "without a login");
    let status = stage.status().await;
    assert_eq!(status["state"], "running", "{status}");
    let kinds: Vec<_> = status["actors"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    for kind in ["memory", "roster", "alerter", "guard", "broker", "outbox", "sessions", "ingress"]
    {
        assert!(kinds.iter().any(|it| *it == kind), "{kind}: {status}");
    }
    let (code, text, _) = stage.command(&["status"]).await;
    assert!(code == 0 && text.contains("The hall is running"), "{text}");
    let (code, text, _) = stage.command(&["status", "--json"]).await;
    assert!(code == 0 && serde_json::from_str::<Value>(&text).is_ok(), "{text}");
    assert_eq!(hall.stop().await.0, 0);
    let (code, _, error) = stage.command(&["status"]).await;
    assert!(code == 69 && error.contains("no hall answers"), "{code} {error}");
}

/// OpenMetrics describes a counter without its ending; the format that promtool reads does not.
fn in_the_older_format(metrics: &str) -> String {
    let of_type = |it: &str| Some(it.strip_prefix("# TYPE ")?.strip_suffix(" counter")?.to_owned());
    let counters: Vec<String> = metrics.lines().filter_map(of_type).collect();
    let older = |line: &str| {
        let described = |it: &&String| {
            ["# HELP ", "# TYPE "].iter().any(|head| {
                let rest = line.strip_prefix(head).and_then(|rest| rest.strip_prefix(it.as_str()));
                rest.is_some_and(|rest| rest.starts_with(' '))
            })
        };
        match counters.iter().find(described) {
            Some(name) => line.replacen(name.as_str(), &format!("{name}_total"), 1),
            None => line.to_owned(),
        }
    };
    metrics.lines().map(older).map(|line| line + "\n").collect()
}

/// Needs `GUILDHALL_PROMTOOL`, the path of Prometheus' own tool; `scripts/test` sets it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_the_metrics_and_the_rules_that_are_shipped() {
    let Ok(promtool) = std::env::var("GUILDHALL_PROMTOOL") else {
        println!("left out: GUILDHALL_PROMTOOL is not set");
        return;
    };
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    // The turn ends a moment after its answer was seen.
    let metrics = stage.metrics_with("guildhall_replies_total{result=\"answered\"}").await;
    for name in [
        "guildhall_build_info{",
        "guildhall_updates_received_total{kind=",
        "guildhall_update_queue_depth ",
        "guildhall_replies_total{result=\"answered\"}",
        "guildhall_reply_duration_seconds_bucket{",
        "guildhall_last_poll_timestamp_seconds ",
        "guildhall_telegram_requests_total{method=\"sendMessage\",code=\"200\"} ",
        "guildhall_telegram_retry_after_seconds ",
        "guildhall_llm_requests_total{",
        "guildhall_llm_duration_seconds_bucket{",
        "guildhall_llm_tokens_total{type=",
        "guildhall_actor_restarts_total{actor=",
        "guildhall_actor_mailbox_depth{actor=",
        "guildhall_guard_decisions_total{",
        "guildhall_store_flush_seconds ",
        "guildhall_store_bytes ",
        "guildhall_log_dropped_lines_total ",
    ] {
        assert!(metrics.lines().any(|it| it.starts_with(name)), "{name}:\n{metrics}");
    }
    let file = stage.folder().join("metrics");
    fs::write(&file, in_the_older_format(&metrics)).unwrap();
    let rules = stage.folder().join("config/prometheus/alerts.yml");
    let rules = rules.to_str().unwrap().to_owned();
    let scenes = rules.replace("alerts.yml", "alerts_test.yml");
    let checks = [
        vec!["check", "metrics"],
        vec!["check", "rules", rules.as_str()],
        // Whether they speak when they should, and not when they should not.
        vec!["test", "rules", scenes.as_str()],
    ];
    for arguments in checks {
        let checked = std::process::Command::new(&promtool)
            .args(&arguments)
            .stdin(fs::File::open(&file).unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(checked.status.success(), "{arguments:?}: {said}");
    }
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_finds_nothing_wrong_with_a_hall_that_works() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    assert_eq!(hall.stop().await.0, 0);
    let (code, text, error) = stage.command(&["doctor"]).await;
    assert_eq!(code, 0, "{text}{error}");
    assert!(text.contains("@guildhall_bot"), "{text}");
    let (_, text, _) = stage.command(&["doctor", "--json"]).await;
    assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_asks_the_hall_that_runs_and_guesses_nothing_of_one_that_does_not() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    let report = ["report", "--standard", "soc2", "--evidence", "--format", "json"];
    let look = async || {
        let (code, text, error) = stage.command(&report).await;
        assert_eq!(code, 0, "{error}");
        // A time may have the digits of an id in it.
        let mut numbers = text.split(|it: char| !it.is_ascii_digit());
        assert!(!numbers.any(|it| it == "1002"), "Ben is in the report:\n{text}");
        for secret in ["Hello", TOKEN] {
            assert!(!text.contains(secret), "{secret} is in the report:\n{text}");
        }
        let report: Value = serde_json::from_str(&text).unwrap();
        let rows = report["controls"].as_array().unwrap().clone();
        let looked = rows.iter().flat_map(|it| it["looked"].as_array().unwrap().clone());
        let of = |name: &'static str| move |it: &Value| it["check"] == name;
        let looked: Vec<Value> = looked.collect();
        ["hall", "rules", "sealed", "audit"]
            .map(|name| looked.iter().find(|it| of(name)(it)).unwrap()["status"].clone())
    };
    assert_eq!(look().await, ["met", "met", "met", "met"]);
    assert_eq!(hall.stop().await.0, 0);
    assert_eq!(look().await, ["not_known", "met", "met", "met"]);
    let (code, page, _) =
        stage.command(&["report", "--standard", "gdpr", "--format", "html"]).await;
    assert!(
        code == 0 && page.starts_with("<!doctype html>") && !page.contains("<script"),
        "{page}"
    );
    assert_eq!(stage.command(&["report", "--standard", "iso"]).await.0, 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_key_is_refused_with_the_nearest_one() {
    let mut stage = Stage::set().await;
    let (code, text, error) = stage.command(&["config", "check"]).await;
    assert_eq!((code, text.as_str()), (0, "The configuration is right.\n"), "{error}");
    let file = stage.folder().join("wrong.toml");
    fs::write(&file, "[session]\nbacklog_maxx = 3\n").unwrap();
    stage.set_env([("GUILDHALL_CONFIG", file.to_str().unwrap())]);
    for arguments in [["config", "check"].as_slice(), &["run"]] {
        let (code, _, error) = stage.command(arguments).await;
        assert_eq!(code, 78, "{error}");
        assert!(error.contains("backlog_maxx") && error.contains("backlog_max"), "{error}");
        assert!(error.contains("wrong.toml"), "the file is named: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_said_in_words_and_is_no_reason_to_try_again() {
    let mut stage = Stage::set().await;
    stage.set_env([("TELEGRAM_BOT_TOKEN", "123456:AAHwrongwrongwrongwrongwrongwrongwro")]);
    let (code, output, error) = stage.command(&["run"]).await;
    assert_eq!(code, 78, "{error}");
    assert!(error.contains("token"), "{error}");
    assert!(!error.contains("AAHwrong") && !output.contains("AAHwrong"), "{error}{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_key_a_ledger_is_not_opened_and_not_touched() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    assert_eq!(hall.stop().await.0, 0);
    let key = stage.folder().join("secrets/master.key");
    let content = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let (code, _, error) = stage.command(&["run"]).await;
    assert!(code == 78 && error.contains("key"), "{code}: {error}");
    assert!(!key.exists(), "no new key is made beside old data");
    let mut other = content.clone();
    let last = other.iter().rposition(u8::is_ascii_hexdigit).unwrap();
    other[last] = if other[last] == b'0' { b'1' } else { b'0' };
    fs::write(&key, other).unwrap();
    set_private(&key);
    let (code, _, error) = stage.command(&["run"]).await;
    assert!(code != 0, "another key: {error}");
    fs::write(&key, content).unwrap();
    set_private(&key);
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n1]", "[answer:u1002n1]").await;
    assert_eq!(stage.rehearsal.models().stats().context_gaps, 0, "it remembers");
    assert_eq!(hall.stop().await.0, 0);
}

fn set_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_twice_the_hall_ends_at_once() {
    let stage = Stage::set().await;
    let mut hall = stage.open().await;
    let slow = rehearsal::models::SettingsChange {
        latency_ms: Some(600_000),
        ..rehearsal::models::SettingsChange::default()
    };
    stage.rehearsal.models().configure(slow);
    stage.say(BEN, "Take your time. [ask:u1002n0]");
    end_to_end::wait_until("the model is asked", Duration::from_secs(5), || {
        !stage.rehearsal.models().requests().is_empty()
    })
    .await;
    hall.ask_to_stop();
    hall.log().wait_for("stopping").await;
    hall.ask_to_stop();
    let code = hall.ended(Duration::from_secs(1)).await;
    assert_eq!(code, 0);
    let quick = rehearsal::models::SettingsChange {
        latency_ms: Some(0),
        ..rehearsal::models::SettingsChange::default()
    };
    stage.rehearsal.models().configure(quick);
    let _hall = stage.open().await;
    stage.all_answered(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_needs_no_token_no_account_and_no_model() {
    let mut stage = Stage::set().await;
    stage.env.clear();
    let (chat, console) = (stage.another_port(), stage.another_port());
    let (chat, console) = (format!("127.0.0.1:{chat}"), format!("127.0.0.1:{console}"));
    let arguments = ["demo", "--chat", &chat, "--console", &console, "--data", "demo-data"];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    // The second time with what the first has left.
    for question in ["[ask:u1002n0]", "[ask:u1002n1]"] {
        let mut demo = stage.start_as(&arguments);
        end_to_end::wait_until("the demo stands", Duration::from_secs(10), || {
            demo.log().stdout().contains("Guildhall is standing")
        })
        .await;
        let page = client.get(format!("http://{chat}/")).send().await.unwrap();
        assert!(page.status().is_success());
        assert!(page.text().await.unwrap().contains("<html"));
        let mut events =
            client.get(format!("http://{chat}/chat/events?person=1002")).send().await.unwrap();
        let say =
            serde_json::json!({"person": 1002, "text": format!("What is a guild? {question}")});
        let said = client.post(format!("http://{chat}/chat/send")).json(&say).send().await.unwrap();
        assert!(said.status().is_success());
        let answer = question.replace("ask", "answer");
        let mut seen = String::new();
        let answered = async {
            while !seen.contains(&answer) {
                let piece = events.chunk().await.unwrap().expect("the page's events go on");
                seen.push_str(&String::from_utf8_lossy(&piece));
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(10), answered).await;
        if in_time.is_err() {
            let ask = async |url: String| {
                let asked = client.get(&url).timeout(Duration::from_secs(5)).send().await;
                match asked {
                    Ok(answer) => format!("{url}: {}\n", answer.text().await.unwrap_or_default()),
                    Err(error) => format!("{url}: {error}\n"),
                }
            };
            let told = [
                ask(format!("http://{chat}/ctl/stats")).await,
                ask(format!("http://{chat}/ctl/pending")).await,
                ask(format!("http://{chat}/ctl/models/stats")).await,
                ask(format!("http://{console}/status")).await,
            ];
            panic!("no answer to {question} on the page, which showed: {seen}\n{}", told.concat());
        }
        let status = client.get(format!("http://{console}/status")).send().await.unwrap();
        assert!(status.status().is_success(), "the demo's console is open");
        drop(events);
        // As when its terminal is closed: it does not go on unseen.
        demo.ask_to_renew();
        assert_eq!(demo.ended(Duration::from_secs(10)).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn systemd_is_told_that_the_hall_stands_lives_starts_anew_and_stops() {
    let mut stage = Stage::set().await;
    let path = stage.folder().join("notify");
    let socket = tokio::net::UnixDatagram::bind(&path).unwrap();
    let heard = async |wanted: &str| {
        let mut text = [0; 1024];
        loop {
            let told = tokio::time::timeout(Duration::from_secs(20), socket.recv(&mut text)).await;
            let length = told.unwrap_or_else(|_late| panic!("{wanted} was not told")).unwrap();
            let told = String::from_utf8_lossy(&text[..length]).into_owned();
            if told.lines().any(|it| it == wanted) {
                return;
            }
        }
    };
    let notify = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "200000")];
    stage.set_env(notify);
    let mut hall = stage.start();
    heard("READY=1").await;
    heard("WATCHDOG=1").await;
    heard("WATCHDOG=1").await;
    hall.ask_to_renew();
    heard("STOPPING=1").await;
    heard("READY=1").await;
    hall.ask_to_stop();
    heard("STOPPING=1").await;
    // Nobody reads any more, which holds nothing up.
    assert_eq!(hall.ended(Duration::from_secs(20)).await, 0);
}
