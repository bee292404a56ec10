//! What people may do with what is kept of them: export it, erase it; also by the operator, and
//! through kills.

use std::fs;

use end_to_end::{ADMIN, BEN, Dice, Stage, copy_folder, scan};
use rehearsal::models::{Rule, SettingsChange};
use serde_json::Value;
use tokio::time::sleep;

const MARK: &str = "the canary of the harbour sings at dawn";
const OTHER: &str = "the lantern of the tower burns all night";

const ANSWER: &str = "so they say in the village";

async fn stage() -> Stage {
    let stage = Stage::set().await;
    let rule = Rule { contains: "the".to_owned(), answer: ANSWER.to_owned() };
    let change = SettingsChange { rules: Some(vec![rule]), ..SettingsChange::default() };
    stage.rehearsal.models().configure(change);
    stage
}

/// Asks and waits for the answer.
async fn ask(stage: &Stage, person: i64, text: &str) {
    stage.exchange(person, text, ANSWER).await;
}

async fn export(stage: &Stage, person: i64) -> Value {
    let to = stage.folder().join("output");
    let to = to.to_str().unwrap();
    let (code, _, problem) =
        stage.command(&["person", "export", &person.to_string(), "--to", to]).await;
    assert_eq!(code, 0, "{problem}");
    let (json, read) = (format!("{to}/{person}.json"), format!("{to}/{person}.md"));
    let found = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    fs::remove_file(json).unwrap();
    fs::remove_file(read).unwrap();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_confirms_is_forgotten_everywhere_old_copies_included_and_gets_a_receipt() {
    let stage = stage().await;
    let hall = stage.open().await;
    ask(&stage, BEN, MARK).await;
    ask(&stage, ADMIN, OTHER).await;
    // A copy as an operator makes one, of a stopped hall.
    assert_eq!(hall.stop().await.0, 0);
    let copy = stage.folder().join("copy");
    copy_folder(&stage.data().join("ledger"), &copy).unwrap();
    let hall = stage.open().await;
    stage.exchange(BEN, "/export", "That is everything").await;
    stage.exchange(BEN, "/forget", "Erase everything about you?").await;
    stage.exchange(BEN, "/forget yes", "Guildhall receipt of erasure").await;
    let told = stage.sent_to(BEN).last().unwrap().text.clone();
    let receipt = told.split_once("\n\n").unwrap().1.to_owned();
    let path = stage.folder().join("receipt.txt");
    fs::write(&path, &receipt).unwrap();
    let check = ["person", "receipt", path.to_str().unwrap()];
    let (code, said, problem) = stage.command(&check).await;
    assert!(code == 0 && said.contains("This hall signed it"), "{said}{problem}");
    fs::write(&path, receipt.replace("time: 2", "time: 3")).unwrap();
    assert_eq!(stage.command(&check).await.0, 65);

    assert_eq!(export(&stage, BEN).await["updates"], Value::Array(vec![]));
    assert!(export(&stage, ADMIN).await.to_string().contains(OTHER), "others are as they were");
    hall.log().wait_for("person_forgotten").await;
    assert_eq!(hall.stop().await.0, 0);
    let secrets = [("mark", MARK.as_bytes()), ("other", OTHER.as_bytes())];
    assert_eq!(scan(&stage.folder().join("output"), &secrets).unwrap(), []);
    assert_eq!(scan(&stage.data(), &secrets).unwrap(), []);
    // The old copy in its place: their words do not come back.
    fs::remove_dir_all(stage.data().join("ledger")).unwrap();
    copy_folder(&copy, &stage.data().join("ledger")).unwrap();
    let gone = export(&stage, BEN).await.to_string();
    assert!(!gone.contains(MARK), "{gone}");
    assert!(export(&stage, ADMIN).await.to_string().contains(OTHER));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_forgets_it_finishes_after_the_next_start_and_tells_the_person() {
    let kills = std::env::var("GUILDHALL_FORGET_KILLS").ok().and_then(|it| it.parse().ok());
    let mut dice = Dice::of("forget kills", 3);
    let mut stage = stage().await;
    stage.set_env([("GUILDHALL__SESSION__ATTEMPTS_MAX", "20")]);
    for round in 0..kills.unwrap_or(10) {
        let hall = stage.open().await;
        let mark = format!("{MARK} {round}");
        ask(&stage, BEN, &mark).await;
        let before = stage.sent_to(BEN).len();
        stage.say(BEN, "/forget yes");
        sleep(dice.millis(0, 40)).await;
        hall.kill().await;
        let hall = stage.open().await;
        stage.heard(BEN, before, "Guildhall receipt of erasure").await;
        assert!(!export(&stage, BEN).await.to_string().contains(&mark), "round {round}");
        assert_eq!(hall.stop().await.0, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_exports_forgets_and_blocks_while_the_hall_runs_and_while_it_does_not() {
    let stage = stage().await;
    let ben = BEN.to_string();
    for runs in [true, false] {
        let hall = stage.open().await;
        ask(&stage, BEN, MARK).await;
        let mut hall = Some(hall);
        if !runs {
            assert_eq!(hall.take().unwrap().stop().await.0, 0);
        }
        assert!(export(&stage, BEN).await.to_string().contains(MARK));
        assert_eq!(stage.command(&["person", "forget", &ben]).await.0, 64, "it asks for --yes");
        let (code, said, problem) = stage.command(&["person", "forget", &ben, "--yes"]).await;
        assert!(code == 0 && said.contains("receipt of erasure"), "{said}{problem}");
        assert!(!export(&stage, BEN).await.to_string().contains(MARK));
        for (deed, blocked) in [("block", true), ("unblock", false)] {
            assert_eq!(stage.command(&["person", deed, &ben]).await.0, 0);
            assert_eq!(export(&stage, BEN).await["access"]["blocked"], blocked);
        }
        if let Some(hall) = hall {
            assert_eq!(hall.stop().await.0, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_key_changes_while_the_hall_runs_and_while_it_does_not() {
    let stage = stage().await;
    let key = stage.folder().join("secrets/master.key");
    let mut old = Vec::new();
    for runs in [true, false] {
        let hall = stage.open().await;
        ask(&stage, BEN, MARK).await;
        let mut hall = Some(hall);
        if !runs {
            assert_eq!(hall.take().unwrap().stop().await.0, 0);
        }
        let before = fs::read(&key).unwrap();
        let (code, said, problem) = stage.command(&["key", "rotate"]).await;
        assert!(code == 0 && said.contains("holds a new master key"), "{said}{problem}");
        assert_ne!(fs::read(&key).unwrap(), before);
        old.push(before);
        if let Some(hall) = hall {
            ask(&stage, BEN, OTHER).await;
            assert_eq!(hall.stop().await.0, 0);
        }
        assert!(export(&stage, BEN).await.to_string().contains(MARK));
    }
    let new = fs::read(&key).unwrap();
    for before in old {
        fs::write(&key, before).unwrap();
        let (code, _, problem) = stage.command(&["person", "export", &BEN.to_string()]).await;
        assert!(code != 0 && problem.contains("key file does not belong"), "{problem}");
    }
    fs::write(&key, new).unwrap();
    let hall = stage.open().await;
    ask(&stage, BEN, "is the canary still here?").await;
    assert_eq!(hall.stop().await.0, 0);
}
