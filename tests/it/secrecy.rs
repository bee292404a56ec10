//! Secrets and texts: nowhere in logs, output or the data folder, whatever goes wrong.

use std::{fs, time::Duration};

use end_to_end::{ADMIN, BEN, Stage, scan};
use rehearsal::{
    Faults,
    models::{
        Rule, SettingsChange,
        fault::{Fault, FaultChange, NextFault},
    },
};

const KEY: &str = "sk-canary-of-the-provider-7Qx2LmZ9";
const QUESTION: &str = "my canary sings of the harbour at dawn";
const ANSWER: &str = "the canary of the answer sleeps on a lantern";
const INSTRUCTIONS: &str = "Your canary word is heliotrope-and-brass.";
const WEBHOOK: &str = "http://127.0.0.1:9/hook/canary-of-the-alert-address";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_most_talkative_level_and_with_faults_no_secret_and_no_text_is_written() {
    let mut stage = Stage::set().await;
    let logs = stage.data().join("logs");
    stage.set_env([
        ("OPENAI_API_KEY", KEY),
        ("GUILDHALL__LOGS__LEVEL", "trace"),
        ("GUILDHALL__LOGS__DIR", logs.to_str().unwrap()),
        ("GUILDHALL__BROKER__REQUEST_TIME_MAX", "2s"),
        ("GUILDHALL__ALERTS__WEBHOOK__URL", WEBHOOK),
        ("FAILPOINTS", "session_recorded=10%2*panic->off;broker=10%2*panic->off"),
    ]);
    let rule = Rule { contains: "harbour".to_owned(), answer: ANSWER.to_owned() };
    let models = stage.rehearsal.models();
    models.configure(SettingsChange { rules: Some(vec![rule]), ..SettingsChange::default() });
    let hall = stage.open().await;
    stage.exchange(ADMIN, &format!("/spawn bard {INSTRUCTIONS}"), "bard is here").await;
    stage.exchange(BEN, "/agent bard", "talking to bard").await;
    stage.exchange(BEN, QUESTION, ANSWER).await;
    let faults = [
        Fault::BadJson,
        Fault::TruncatedSse,
        Fault::WrongContentType,
        Fault::Status { code: 401, retry_after_s: None },
        Fault::Status { code: 500, retry_after_s: None },
    ];
    for fault in faults {
        let next = NextFault { count: 1, fault: Some(fault), model: None };
        let change = FaultChange { next: vec![next], ..FaultChange::default() };
        models.set_faults(change).unwrap();
        let before = stage.sent_to(BEN).len();
        stage.say(BEN, QUESTION);
        stage.heard(BEN, before, "").await;
    }
    let share = Faults { internal: 0.2, bad_gateway: 0.2, drop_before: 0.2, ..Faults::default() };
    let methods = vec!["sendMessage".to_owned(), "getUpdates".to_owned()];
    stage.rehearsal.world().set_faults(Faults { methods, ..share });
    for sequence in 0..5 {
        stage.say(BEN, &format!("{QUESTION} [ask:u1002n{sequence}]"));
    }
    stage.all_answered(Duration::from_secs(60)).await;
    stage.rehearsal.world().set_faults(Faults::default());
    let master = fs::read(stage.folder().join("secrets/master.key")).unwrap();
    let console = fs::read(stage.data().join("console.token")).unwrap();
    let (code, shown, _) = stage.command(&["config", "show"]).await;
    assert!(code == 0 && !shown.contains(KEY), "{shown}");
    hall.kill().await;
    let hall = stage.open().await;
    assert_eq!(hall.stop().await.0, 0);

    let master = String::from_utf8_lossy(&master).trim().to_owned();
    let token = end_to_end::TOKEN;
    let secrets: Vec<(&str, &[u8])> = vec![
        ("bot token", token.as_bytes()),
        ("secret half of the bot token", token.split(':').nth(1).unwrap().as_bytes()),
        ("provider key", KEY.as_bytes()),
        ("master key", master.as_bytes()),
        ("question", QUESTION.as_bytes()),
        ("answer", ANSWER.as_bytes()),
        ("instructions", INSTRUCTIONS.as_bytes()),
        ("alert address", b"canary-of-the-alert-address"),
    ];
    for folder in [stage.data(), stage.folder().join("output")] {
        assert_eq!(scan(&folder, &secrets).unwrap(), [], "in {}", folder.display());
    }
    let output = scan(&stage.folder().join("output"), &[("console token", console.trim_ascii())]);
    assert_eq!(output.unwrap(), [], "the console's token lies in its file only");
    let lines = fs::read_dir(&logs).unwrap().count();
    assert!(lines > 0, "there are log files that were looked through");
}
