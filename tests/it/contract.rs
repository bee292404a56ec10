//! What users, operators and black-box checks rely on: the commands that are promised are there, and do what
//! they say.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use end_to_end::{ADMIN, BEN, GROUP, STRANGER, Stage, wait_until};
use rehearsal::models::{Rule, SettingsChange, fault};
use serde_json::Value;

/// Every command of the program that is promised.
const COMMANDS: &[&str] = &[
    "init",
    "run",
    "demo",
    "doctor",
    "status",
    "config check",
    "config show",
    "config schema",
    "agent list",
    "agent show",
    "agent create",
    "agent edit",
    "agent retire",
    "agent export",
    "screen",
    "rules check",
    "rules replay",
    "ledger show",
    "ledger verify",
    "ledger trace",
    "audit verify",
    "audit export",
    "incident list",
    "incident show",
    "incident export",
    "incidents list",
    "forensics",
    "report",
    "backup create",
    "backup verify",
    "backup restore",
    "backup drill",
    "person export",
    "person forget",
    "person block",
    "person unblock",
    "key rotate",
    "completions",
];
/// Of these, the ones that show a list or a state.
const LISTINGS: &[&str] = &[
    "doctor",
    "status",
    "usage",
    "config show",
    "agent list",
    "agent show",
    "rules replay",
    "ledger show",
    "ledger verify",
    "ledger trace",
    "audit list",
    "audit verify",
    "incident list",
    "incident show",
    "playbooks list",
    "alerts list",
    "backup list",
    "backup verify",
];
/// Every officer's command in a chat that is promised, and who is asked nothing else by it.
const CHAT: &[(&str, &str)] = &[
    ("/spawn", "Use it like this"),
    ("/edit", "Use it like this"),
    ("/model", "Use it like this"),
    ("/pause", "Use it like this"),
    ("/resume", "Use it like this"),
    ("/retire", "Use it like this"),
    ("/allow", "Use it like this"),
    ("/deny", "Use it like this"),
    ("/block", "Use it like this"),
    ("/unblock", "Use it like this"),
    ("/quota", ""),
    ("/incidents", "No incident is open"),
    ("/incident", "Use it like this"),
    ("/rule", ""),
    ("/quarantine", "Nothing is set aside"),
    ("/backup list", "backup"),
    ("/audit", "What was done"),
    ("/report", "Use it like this"),
];
/// Everybody's commands in a chat that are promised and that only say something.
const OF_ALL: &[&str] = &[
    "/start", "/help", "/agents", "/cancel", "/usage", "/memory", "/privacy", "/status", "/trace",
];
const UNKNOWN: &str = "I do not know that command";

async fn json(stage: &Stage, arguments: &[&str]) -> Value {
    let (code, text, problem) = stage.command(arguments).await;
    assert_eq!(code, 0, "{arguments:?}: {text}{problem}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
}

async fn actions(stage: &Stage) -> Vec<(String, String)> {
    let (code, text, problem) = stage.command(&["audit", "export"]).await;
    assert_eq!(code, 0, "{problem}");
    let records = text.lines().map(|it| serde_json::from_str::<Value>(it).unwrap());
    let word = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    records.map(|it| (word(&it, "action"), word(&it, "target"))).collect()
}

fn has(actions: &[(String, String)], action: &str, target: &str) -> bool {
    actions.iter().any(|(did, what)| did == action && what.contains(target))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_that_is_promised_is_known() {
    let stage = Stage::set().await;
    for command in COMMANDS {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let (code, text, problem) = stage.command(&arguments).await;
        assert_eq!(code, 0, "{command}: {problem}");
        assert!(text.contains("Usage: guildhall"), "{command}: {text}");
    }
    for command in LISTINGS {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let (_, text, _) = stage.command(&arguments).await;
        assert!(text.contains("--json"), "{command}: {text}");
    }
    let (code, text, _) = stage.command(&["--version"]).await;
    assert!(code == 0 && text.starts_with("guildhall "), "{text}");
    for wrong in
        [&["ledger", "dance"][..], &["agent", "create", "../etc"], &["ledger", "trace", "x"]]
    {
        assert_eq!(stage.command(wrong).await.0, 64, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_chat_command_that_is_promised_is_answered_and_officers_ones_to_officers_alone() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    for command in OF_ALL {
        let answer = stage.exchange(BEN, command, "").await;
        assert!(!answer.text.contains(UNKNOWN), "{command}: {}", answer.text);
    }
    for (command, says) in CHAT {
        let answer = stage.exchange(ADMIN, command, says).await;
        assert!(!answer.text.contains(UNKNOWN), "{command}: {}", answer.text);
    }
    let help = stage.exchange(ADMIN, "/help", "").await.text;
    for (command, _) in CHAT {
        let name = command.split(' ').next().unwrap();
        assert!(help.contains(name), "{name} is missing in {help}");
    }
    for command in ["/incident 1", "/quarantine", "/backup", "/report gdpr"] {
        let answer = stage.exchange(STRANGER, command, "").await;
        assert!(answer.text.contains(UNKNOWN), "{command}: {}", answer.text);
        let before = stage.sent_to(GROUP).len();
        let in_group = command.replacen(' ', "@guildhall_bot ", 1);
        let in_group =
            if in_group.contains('@') { in_group } else { format!("{command}@guildhall_bot") };
        stage.say_in(Some(GROUP), None, ADMIN, &in_group, None);
        stage.heard(GROUP, before, "private chat").await;
    }
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_is_verified_shown_and_searched_whether_the_hall_runs_or_not() {
    const SECRET: &str = "the harbour sings at dawn";
    let stage = Stage::set().await;
    let rule = Rule { contains: "harbour".to_owned(), answer: "So it does.".to_owned() };
    let change = SettingsChange { rules: Some(vec![rule]), ..SettingsChange::default() };
    stage.rehearsal.models().configure(change);
    let (code, _, problem) = stage.command(&["ledger", "verify"]).await;
    assert!(code == 69 && problem.contains("there is no ledger"), "{code} {problem}");
    let hall = stage.open().await;
    stage.exchange(BEN, SECRET, "So it does.").await;
    let traced = stage.exchange(BEN, "/trace", "ref ").await.text;
    let reference = traced.split("(ref ").nth(1).unwrap().split(')').next().unwrap().to_owned();
    hall_is_looked_at(&stage, &reference, SECRET, "console").await;
    assert_eq!(hall.stop().await.0, 0);
    hall_is_looked_at(&stage, &reference, SECRET, "operator").await;
    let (code, text, _) = stage.command(&["ledger", "trace", "FFFFFFF0"]).await;
    assert!(code == 1 && text.contains("No turn with that reference"), "{code} {text}");
}

async fn hall_is_looked_at(stage: &Stage, reference: &str, secret: &str, who: &str) {
    let found = json(stage, &["ledger", "verify", "--json"]).await;
    assert_eq!(
        (&found["sound"], &found["damaged"]),
        (&Value::Bool(true), &Value::from(0)),
        "{found}"
    );
    assert!(
        0 < found["records"].as_u64().unwrap() && 0 < found["closed"].as_u64().unwrap(),
        "{found}"
    );
    let (code, text, _) = stage.command(&["ledger", "verify"]).await;
    assert!(code == 0 && text.contains("everything is in its order"), "{text}");

    let shown = json(stage, &["ledger", "show", "--chat", "1002", "--json"]).await;
    let text = shown.to_string();
    assert!(text.contains("turn_closed") && text.contains("\"answered\""), "{text}");
    assert!(text.contains(reference), "{text}");
    assert!(!text.contains(secret) && !text.contains("1002"), "{text}");
    let (_, text, _) = stage.command(&["ledger", "show", "-n", "3"]).await;
    assert_eq!(text.lines().count(), 3, "{text}");
    let before = actions(stage).await;
    let (_, text, _) = stage.command(&["ledger", "show", "--chat", "1002", "--texts"]).await;
    assert!(text.contains(secret), "{text}");
    let after = actions(stage).await;
    let shown = |all: &[(String, String)]| all.iter().filter(|it| it.0 == "text.shown").count();
    assert!(shown(&before) < shown(&after), "{after:?}");

    for half in [reference, &reference[..6].to_lowercase()] {
        let found = json(stage, &["ledger", "trace", half, "--json"]).await;
        let turns = found.as_array().unwrap();
        let turn = turns.iter().find(|it| it["reference"] == reference).unwrap();
        assert_eq!(
            (&turn["outcome"], &turn["attempts"]),
            (&Value::from("answered"), &Value::from(1))
        );
        assert!(turn["words"].as_str().unwrap().contains("Agent: "), "{turn}");
        assert!(!turn.to_string().contains("1002"), "{turn}");
    }
    let (_, text, _) = stage.command(&["audit", "list"]).await;
    let read = text.lines().filter(|it| it.contains("ledger.read") && it.contains(who));
    assert!(3 < read.count(), "{who}: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_are_made_changed_handed_out_and_let_go_by_the_operator_whether_the_hall_runs_or_not()
 {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    let words = "You sing. The word is nightingale.";
    let (code, text, problem) =
        stage.command(&["agent", "create", "bard", "--instructions", words]).await;
    assert!(code == 0 && text.contains("bard is here"), "{text}{problem}");
    let (code, _, problem) =
        stage.command(&["agent", "create", "bard", "--instructions", words]).await;
    assert!(code == 65 && problem.contains("already an agent called bard"), "{code} {problem}");
    stage.exchange(BEN, "/ask bard Sing. [ask:u1002n0]", "[answer:u1002n0]").await;
    let asked = stage.rehearsal.models().requests();
    assert!(asked.last().unwrap().body.contains("nightingale"));
    let listed = json(&stage, &["agent", "list", "--json"]).await;
    assert!(listed.as_array().unwrap().iter().any(|it| it["name"] == "bard"), "{listed}");
    let files = json(&stage, &["agent", "list", "--files", "--json"]).await;
    assert!(!files.to_string().contains("bard"), "{files}");
    assert_eq!(hall.stop().await.0, 0);

    let file = stage.folder().join("words.txt");
    fs::write(&file, "You whisper.\nThe word is \"owl\".\n").unwrap();
    let edit = ["agent", "edit", "bard", "--from", file.to_str().unwrap(), "--model", "openai"];
    let (code, text, problem) = stage.command(&edit).await;
    assert!(code == 0 && text.contains("asks openai first"), "{text}{problem}");
    let (code, _, problem) = stage.command(&["agent", "edit", "bard", "--model", "nosuch"]).await;
    assert!(code == 65 && problem.contains("no model called nosuch"), "{code} {problem}");
    assert_eq!(stage.command(&["agent", "edit", "bard"]).await.0, 64, "nothing to change");

    // What is handed out is taken by the folder of agents, under any other hall.
    let folder = stage.folder().join("config/agents");
    let (code, text, problem) =
        stage.command(&["agent", "export", "bard", "--to", folder.to_str().unwrap()]).await;
    assert!(code == 0 && text.contains("bard.toml"), "{text}{problem}");
    let again = ["agent", "export", "bard", "--to", folder.to_str().unwrap()];
    assert_eq!(stage.command(&again).await.0, 69, "no file is written over");
    let files = json(&stage, &["agent", "show", "bard", "--files", "--json"]).await;
    let hall = json(&stage, &["agent", "show", "bard", "--json"]).await;
    assert_eq!(files, hall);
    assert!(hall["instructions"].as_str().unwrap().contains("\"owl\""), "{hall}");
    fs::remove_file(folder.join("bard.toml")).unwrap();

    for bad in ["../etc", "/etc/passwd", "a", "Bard", "bard\u{202e}", "con.toml", ".."] {
        for verb in ["create", "edit", "retire", "export", "show"] {
            let code = stage.command(&["agent", verb, bad]).await.0;
            assert_eq!(code, 64, "{verb} {bad}");
        }
    }

    let hall = stage.open().await;
    stage.exchange(BEN, "/ask bard Sing. [ask:u1002n1]", "[answer:u1002n1]").await;
    let (code, _, problem) = stage.command(&["agent", "retire", "bard"]).await;
    assert_eq!(code, 0, "{problem}");
    stage.exchange(BEN, "/ask bard Sing.", "no agent called").await;
    let (code, _, problem) = stage.command(&["agent", "retire", "bard"]).await;
    assert!(code == 65 && problem.contains("no agent called bard"), "{code} {problem}");
    assert_eq!(hall.stop().await.0, 0);
    let all = actions(&stage).await;
    for action in ["agent.spawned", "agent.edited", "agent.model_set", "agent.retired"] {
        assert!(has(&all, action, "bard"), "{action}: {all:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_log_and_an_incident_are_handed_out_in_the_forms_of_those_who_watch() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    for _ in 0..3 {
        stage.exchange(BEN, "/pause sage", UNKNOWN).await;
    }
    let found =
        stage.exchange(ADMIN, "/incident 1", "Incident 1: tries without the right to it").await;
    assert!(found.text.contains("incident.opened"), "{}", found.text);
    stage.press(BEN, stage.sent_to(BEN).last().unwrap().message_id, "in:close:1");
    let before = stage.sent_to(ADMIN).len();
    stage.press(ADMIN, found.message_id, "in:ack:1");
    stage.heard(ADMIN, before, "Incident 1 is acknowledged").await;
    let shown = json(&stage, &["incident", "show", "1", "--json"]).await;
    assert_eq!(shown["stage"], "acknowledged", "Ben's press did nothing: {shown}");
    let before = stage.sent_to(ADMIN).len();
    stage.press(ADMIN, found.message_id, "in:close:1");
    stage.heard(ADMIN, before, "Incident 1 is closed").await;
    stage.exchange(ADMIN, "/incident 77", "There is no incident 77").await;

    let (code, ocsf, problem) = stage.command(&["audit", "export", "--format", "ocsf"]).await;
    assert_eq!(code, 0, "{problem}");
    let classes: Vec<u64> = ocsf
        .lines()
        .map(|it| serde_json::from_str::<Value>(it).unwrap()["class_uid"].as_u64().unwrap())
        .collect();
    assert!(classes.contains(&2_004) && classes.contains(&6_003), "{classes:?}");
    let (_, cef, _) = stage.command(&["audit", "export", "--format", "cef"]).await;
    assert!(cef.lines().all(|it| it.starts_with("CEF:0|Guildhall|")), "{cef}");
    assert!(!cef.contains("1002") && cef.contains("act=command.denied"), "{cef}");
    let (code, none, _) = stage.command(&["audit", "export", "--until", "2020-01-01"]).await;
    assert!(code == 0 && none.is_empty(), "{none}");
    let (_, all, _) = stage.command(&["audit", "export", "--since", "1h"]).await;
    let (_, listed, _) = stage.command(&["audit", "list", "--json"]).await;
    assert!(listed.starts_with(&all), "the lines are those that were hashed");
    assert_eq!(stage.command(&["audit", "export", "--since", "soon"]).await.0, 64);
    let file = stage.folder().join("audit.jsonl");
    let to_file = ["audit", "export", "--out", file.to_str().unwrap()];
    assert_eq!(stage.command(&to_file).await.0, 0);
    assert!(fs::read_to_string(&file).unwrap().starts_with(&listed));
    assert_eq!(stage.command(&to_file).await.0, 69, "no file is written over");

    let report = json(&stage, &["incident", "export", "1"]).await;
    assert!(report.is_object(), "{report}");
    let (code, text, _) = stage.command(&["incident", "export", "1", "--format", "md"]).await;
    assert!(code == 0 && text.starts_with('#'), "{text}");
    assert_eq!(stage.command(&["incident", "export", "77"]).await.0, 65);
    assert_eq!(hall.stop().await.0, 0);
    let all = actions(&stage).await;
    assert!(has(&all, "audit.exported", "audit") && has(&all, "press.denied", "button"), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_set_aside_has_one_more_turn_when_an_officer_says_so_and_no_other() {
    let stage = Stage::set().await;
    let rule = Rule { contains: "poisonous".to_owned(), answer: "It was harmless.".to_owned() };
    let change = SettingsChange { rules: Some(vec![rule]), ..SettingsChange::default() };
    stage.rehearsal.models().configure(change);
    let models = stage.rehearsal.models();
    for question in ["Something poisonous.", "Something else that is poisonous."] {
        let hang = fault::NextFault {
            count: 3,
            fault: Some(fault::Fault::HangBeforeHeaders),
            model: None,
        };
        let hangs = fault::FaultChange { next: vec![hang], ..fault::FaultChange::default() };
        models.set_faults(hangs).unwrap();
        let (asked, heard) = (models.requests().len(), stage.sent_to(BEN).len());
        stage.say(BEN, question);
        for crash in 1..=3 {
            let hall = stage.start();
            wait_until("the model is asked", Duration::from_secs(30), || {
                models.requests().len() == asked + crash
            })
            .await;
            hall.kill().await;
        }
        let hall = stage.open().await;
        stage.heard(BEN, heard, "I have set it aside").await;
        assert_eq!(hall.stop().await.0, 0);
    }
    let hall = stage.open().await;
    let list = stage.exchange(ADMIN, "/quarantine", "What was set aside").await.text;
    assert!(!list.contains("1002") && list.contains("it failed too often"), "{list}");
    let references: Vec<&str> =
        list.lines().filter(|it| it.contains(" · ")).map(|it| &it[..8]).collect();
    let [second, first] = references[..] else { panic!("{list}") };

    stage.exchange(ADMIN, &format!("/quarantine drop {second}"), "is off the list").await;
    stage.exchange(ADMIN, &format!("/quarantine retry {second}"), "is set aside").await;
    let heard = stage.sent_to(BEN).len();
    stage.exchange(ADMIN, &format!("/quarantine retry {first}"), "has one more turn").await;
    stage.heard(BEN, heard, "It was harmless.").await;
    // Killed just now, it might give the answer a second time.
    assert_eq!(hall.stop().await.0, 0);
    let hall = stage.open().await;
    stage.exchange(ADMIN, "/quarantine", "Nothing is set aside").await;
    stage.exchange(ADMIN, &format!("/quarantine retry {first}"), "is set aside").await;
    assert_eq!(stage.sent_to(BEN).iter().filter(|it| it.text.contains("harmless")).count(), 1);
    stage.exchange(ADMIN, "/quarantine retry", "eight digits").await;
    assert_eq!(hall.stop().await.0, 0);
    let all = actions(&stage).await;
    assert!(has(&all, "aside.retried", first) && has(&all, "aside.dropped", second), "{all:?}");
    let found = json(&stage, &["ledger", "verify", "--json"]).await;
    assert_eq!(found["sound"], true, "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_has_a_backup_made_and_gets_a_report_as_a_document() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    let made = stage.exchange(ADMIN, "/backup", "").await.text;
    let is_made =
        made.contains("is made and was read back") || made.contains("Nothing was written");
    assert!(is_made, "{made}");
    let listed = stage.exchange(ADMIN, "/backup list", "Backups, newest first").await.text;
    let backups = json(&stage, &["backup", "list", "--json"]).await;
    let newest = backups.as_array().unwrap().last().unwrap()["name"].as_str().unwrap().to_owned();
    assert!(listed.contains(&newest), "{listed} {backups}");
    stage.exchange(ADMIN, "/backup soon", "Use it like this").await;
    let before = stage.sent_to(ADMIN).len();
    stage.exchange(ADMIN, "/report GDPR", "control by control").await;
    let sent = stage.sent_to(ADMIN).split_off(before);
    assert!(sent.iter().any(|it| it.method == "sendDocument"), "{}", end_to_end::shown(&sent));
    assert_eq!(hall.stop().await.0, 0);
    let all = actions(&stage).await;
    assert!(has(&all, "backup.created", "") && has(&all, "report.made", "gdpr"), "{all:?}");
    let (_, text, _) = stage.command(&["audit", "list"]).await;
    let by_officers = |it: &&str| it.contains("person:") && !it.contains("failed");
    let made = text.lines().filter(by_officers);
    assert!(made.clone().any(|it| it.contains("backup.created")), "{text}");
    assert!(made.clone().any(|it| it.contains("report.made")), "{text}");
}

/// Every so many bytes one is changed, in the middle of the largest file of a folder.
fn damage(folder: &Path) {
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.metadata().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => files.push((entry.metadata().unwrap().len(), entry.path())),
            }
        }
    }
    let (_, path) = files.into_iter().max().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|it| *it != 0).unwrap();
    for at in (end / 4..end * 3 / 4).step_by(97) {
        bytes[at] ^= 0x55;
    }
    fs::write(&path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_somebody_changed_is_never_called_sound() {
    for engine in ["sled", "redb"] {
        let mut stage = Stage::set().await;
        stage.set_env([("GUILDHALL__STORE__ENGINE", engine)]);
        let hall = stage.open().await;
        for number in 0..20 {
            let question = format!("Hello. [ask:u1002n{number}]");
            stage.exchange(BEN, &question, &format!("[answer:u1002n{number}]")).await;
        }
        assert_eq!(hall.stop().await.0, 0);
        assert_eq!(stage.command(&["ledger", "verify"]).await.0, 0, "{engine}");
        damage(&stage.data().join("ledger/engine"));
        let (code, text, problem) = stage.command(&["ledger", "verify"]).await;
        assert_eq!(code, 65, "{engine}: {text}{problem}");
        assert!(!text.contains("everything is in its order"), "{engine}: {text}");
    }
}
