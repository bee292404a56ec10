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
    // Opened, they lie with the rest of the output, and are looked through with it.
    let (code, opened, _) = stage.command(&["logs", "cat"]).await;
    assert_eq!(code, 0);
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
    let has = |action: &str| opened.contains(&format!("\"event.action\":\"{action}\""));
    assert!(has("completion_failed") && has("store_opened"), "they are there: {}", opened.len());
    // Sealed: not even what every line has is in the files.
    let sealed = scan(&logs, &[("a line of the log", b"@timestamp"), ("another", b"event.action")]);
    assert_eq!(sealed.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_files_are_sealed_and_opened_whole_by_their_end_and_by_what_is_sought() {
    let mut stage = Stage::set().await;
    let logs = stage.data().join("logs");
    stage.set_env([("GUILDHALL__LOGS__DIR", logs.to_str().unwrap())]);
    let (code, _, why) = stage.command(&["logs", "cat"]).await;
    assert!(code == 78 && why.contains("master.key"), "without a key: {code} {why}");
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    let (code, while_it_runs, _) = stage.command(&["logs", "cat"]).await;
    assert!(code == 0 && while_it_runs.contains("tree_started"), "{while_it_runs}");
    // The very first lines waited for the key.
    let plain = hall.log().stdout();
    let first = plain.lines().next().unwrap();
    assert_eq!(while_it_runs.lines().next(), Some(first));
    let follower = stage.start_as(&["logs", "tail", "-n", "1", "--follow"]);
    hall.kill().await;
    let hall = stage.open().await;
    follower.log().wait_for("store_opened").await;
    follower.kill().await;
    // What a kill tore is told, and everything else is there.
    let newest = fs::read_dir(&logs).unwrap().map(|it| it.unwrap().path()).max().unwrap();
    assert_eq!(hall.stop().await.0, 0);
    let whole = fs::read(&newest).unwrap();
    fs::write(&newest, &whole[..whole.len() - 5]).unwrap();
    let (code, text, why) = stage.command(&["logs", "cat"]).await;
    assert_eq!(code, 0, "{why}");
    assert!(why.contains("its last frame is torn"), "{why}");
    assert!(text.starts_with(&while_it_runs), "what was there stays");
    let (code, found, _) =
        stage.command(&["logs", "grep", "\"event.action\":\"store_opened\""]).await;
    assert_eq!((code, found.lines().count()), (0, 2), "one for each start");
    let (code, _, _) = stage.command(&["logs", "grep", "nobody wrote this"]).await;
    assert_eq!(code, 1);
    let (_, tail, _) = stage.command(&["logs", "tail", "-n", "3"]).await;
    assert_eq!(
        tail.lines().collect::<Vec<_>>(),
        text.lines().rev().take(3).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>()
    );
    // A file that somebody has changed does not pass.
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&newest, changed).unwrap();
    let (code, _, why) = stage.command(&["logs", "cat"]).await;
    assert!(code == 65 && why.contains("was changed"), "{code} {why}");
}
