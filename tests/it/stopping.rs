//! Stopping while answers are written.

use std::time::Duration;

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
