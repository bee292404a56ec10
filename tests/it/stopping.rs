//! Stopping and starting anew while answers are written.

use std::{fs, time::Duration};

use end_to_end::{Stage, judge, wait_until};
use rehearsal::models::SettingsChange;

const FIRST: i64 = 50_001;
const PEOPLE: i64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_in_the_middle_of_answers_it_ends_within_ten_seconds_and_answers_once_later() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.add_people(FIRST, PEOPLE);
    let drip = SettingsChange {
        token_ms: Some(200),
        filler_words: Some(200),
        ..SettingsChange::default()
    };
    stage.rehearsal.models().configure(drip);
    for sequence in 0..3 {
        for person in FIRST..FIRST + PEOPLE {
            stage.ask(person, sequence);
        }
    }
    wait_until("answers are being written", Duration::from_secs(10), || {
        stage.rehearsal.models().stats().streamed == u64::try_from(PEOPLE).unwrap()
    })
    .await;
    let (code, took) = hall.stop().await;
    assert_eq!(code, 0);
    assert!(took <= Duration::from_secs(10), "{took:?}");
    println!("stopped in {took:?}");
    let quick = SettingsChange { token_ms: Some(0), ..SettingsChange::default() };
    stage.rehearsal.models().configure(quick);
    let hall = stage.open().await;
    stage.all_answered(Duration::from_secs(20)).await;
    judge(&stage.rehearsal.world().history()).check(0);
    let stats = stage.rehearsal.models().stats();
    assert_eq!((stats.leaks, stats.context_gaps, stats.context_disorder), (0, 0, 0), "{stats:?}");
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_changed_under_load_is_taken_over_and_the_old_one_is_used_no_more() {
    let mut stage = Stage::set().await;
    let key_file = stage.folder().join("model_key");
    fs::write(&key_file, "sk-the-first-of-two-keys").unwrap();
    stage.unset_env("OPENAI_API_KEY");
    stage.set_env([("OPENAI_API_KEY_FILE", key_file.to_str().unwrap())]);
    let only = |key: &str| SettingsChange { key: Some(key.to_owned()), ..Default::default() };
    stage.rehearsal.models().configure(only("sk-the-first-of-two-keys"));
    let mut hall = stage.open().await;
    stage.add_people(FIRST, PEOPLE);
    let everybody_asks = |sequence: u64| {
        (FIRST..FIRST + PEOPLE).for_each(|person| stage.ask(person, sequence));
    };
    everybody_asks(0);
    stage.all_answered(Duration::from_secs(20)).await;

    // What cannot be right changes nothing.
    fs::write(&key_file, "").unwrap();
    hall.ask_to_renew();
    hall.log().wait_for("not_renewed").await;
    everybody_asks(1);
    stage.all_answered(Duration::from_secs(20)).await;

    // The provider takes both for a while.
    stage.rehearsal.models().configure(only(""));
    fs::write(&key_file, "sk-the-second-of-two-keys").unwrap();
    everybody_asks(2);
    hall.ask_to_renew();
    hall.log().wait_for("renewing").await;
    hall.log().wait_for_times("store_opened", 2).await;
    stage.ready(&mut hall).await;
    stage.rehearsal.models().configure(only("sk-the-second-of-two-keys"));
    let before = stage.rehearsal.models().stats().unauthorized;
    everybody_asks(3);
    stage.all_answered(Duration::from_secs(20)).await;
    judge(&stage.rehearsal.world().history()).check(0);
    let after = stage.rehearsal.models().stats().unauthorized;
    assert_eq!(after, before, "the old key is used no more");
    assert_eq!(hall.stop().await.0, 0);
}
