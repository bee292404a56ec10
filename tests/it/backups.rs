//! Backups of a hall that is being talked to, put back on another machine.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use end_to_end::{ADMIN, BEN, Stage};
use rehearsal::models::{Rule, SettingsChange};
use serde_json::Value;
use tokio::time::sleep;

const ANSWER: &str = "so they say in the village";

/// Asks one numbered question after the other until told to stop; counts those that were answered.
async fn talk(stage: &Stage, person: i64, is_over: &AtomicBool, answered: &AtomicUsize) {
    while !is_over.load(Ordering::Relaxed) {
        let number = answered.load(Ordering::Relaxed);
        stage.exchange(person, &format!("the question {number}."), ANSWER).await;
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// The numbers of the questions that a person's export holds with an answer.
async fn kept(stage: &Stage, person: i64) -> Vec<usize> {
    let to = stage.folder().join("output");
    let arguments = ["person", "export", &person.to_string(), "--to", to.to_str().unwrap()];
    let (code, _, problem) = stage.command(&arguments).await;
    assert_eq!(code, 0, "{problem}");
    let path = to.join(format!("{person}.json"));
    let export: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    fs::remove_dir_all(to).unwrap();
    let events = export["events"].as_array().unwrap().iter().map(|it| &it["event"]);
    let of_kind = |kind: &'static str| events.clone().filter(move |it| it["event"] == kind);
    let answered: Vec<&Value> = of_kind("answer_ready").map(|it| &it["update"]).collect();
    of_kind("completion_started")
        .filter(|it| answered.contains(&&it["update"]))
        .map(|it| it["asked"].as_str().unwrap())
        .map(|it| it.trim_start_matches("the question ").trim_end_matches('.').parse().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_busy_hall_is_put_back_elsewhere_as_it_was_at_one_moment() {
    let stage = Stage::set().await;
    let rule = Rule { contains: "the".to_owned(), answer: ANSWER.to_owned() };
    let change = SettingsChange { rules: Some(vec![rule]), ..SettingsChange::default() };
    stage.rehearsal.models().configure(change);
    let hall = stage.open().await;

    let (is_over, by_ben, by_ada) =
        (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let before = async {
        let mut before = (0, 0);
        for _ in 0..3 {
            while by_ben.load(Ordering::Relaxed) < before.0 + 10 {
                sleep(Duration::from_millis(5)).await;
            }
            before = (by_ben.load(Ordering::Relaxed), by_ada.load(Ordering::Relaxed));
            let (code, said, problem) = stage.command(&["backup", "create"]).await;
            assert_eq!(code, 0, "{said}{problem}");
        }
        is_over.store(true, Ordering::Relaxed);
        before
    };
    let (before, (), ()) = tokio::join!(
        before,
        talk(&stage, BEN, &is_over, &by_ben),
        talk(&stage, ADMIN, &is_over, &by_ada)
    );
    let after = (by_ben.into_inner(), by_ada.into_inner());
    assert_eq!(hall.stop().await.0, 0);

    // The machine is lost; the backups, the master key and the keyring are not.
    fs::remove_dir_all(stage.data().join("ledger")).unwrap();
    let (code, _, problem) = stage.command(&["backup", "restore"]).await;
    assert_eq!(code, 0, "{problem}");
    for (person, before, after) in [(BEN, before.0, after.0), (ADMIN, before.1, after.1)] {
        let kept = kept(&stage, person).await;
        assert!(kept.iter().copied().eq(0..kept.len()), "a prefix, without gaps: {kept:?}");
        assert!((before..=after).contains(&kept.len()), "{before} <= {} <= {after}", kept.len());
    }
    let hall = stage.open().await;
    stage.exchange(BEN, "the question after it.", ANSWER).await;
    assert_eq!(hall.stop().await.0, 0);
    println!("asked {after:?} questions meanwhile, {before:?} of them before the last backup");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_another_key_nothing_is_put_back() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "/start", "Just write").await;
    assert_eq!(hall.stop().await.0, 0);
    assert_eq!(stage.command(&["backup", "create"]).await.0, 0);
    fs::remove_dir_all(stage.data().join("ledger")).unwrap();
    let key = stage.folder().join("secrets/master.key");
    fs::write(&key, format!("{}\n", "ab".repeat(32))).unwrap();
    let (code, _, problem) = stage.command(&["backup", "restore"]).await;
    assert_ne!(code, 0);
    assert!(problem.contains("key"), "{problem}");
    assert!(!stage.data().join("ledger").join("engine").exists(), "nothing is left behind");
}
