//! What models do to a hall: every question ends in an answer or an apology, and nobody else waits.

use std::time::Duration;

use end_to_end::{BEN, Stage, judge, wait_until};
use rehearsal::models::{
    SettingsChange,
    fault::{Fault, FaultChange, NextFault},
};
use tokio::time::Instant;

const FIRST: i64 = 40_001;

fn next(stage: &Stage, count: u32, fault: Fault) {
    let next = NextFault { count, fault: Some(fault), model: None };
    let change = FaultChange { clear: true, next: vec![next], ..FaultChange::default() };
    stage.rehearsal.models().set_faults(change).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_hangs_costs_its_own_asker_an_apology_and_nobody_else_a_moment() {
    let mut stage = Stage::set_alone().await;
    stage.set_env([
        ("GUILDHALL__BROKER__REQUEST_TIME_MAX", "2s"),
        ("GUILDHALL__BROKER__ATTEMPTS_MAX", "1"),
    ]);
    let hall = stage.open().await;
    stage.add_people(FIRST, 99);
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    for fault in [Fault::HangBeforeHeaders, Fault::HangMidStream] {
        let before = stage.sent_to(BEN).len();
        let asked = stage.rehearsal.models().stats().calls.values().sum::<u64>();
        next(&stage, 1, fault);
        let begun = Instant::now();
        stage.say(BEN, "This one hangs.");
        wait_until("the model is asked", Duration::from_secs(2), || {
            stage.rehearsal.models().stats().calls.values().sum::<u64>() > asked
        })
        .await;
        let sequence = u64::try_from(before).unwrap();
        for person in FIRST..FIRST + 99 {
            let mark = format!("[ask:u{person}n{sequence}x]");
            stage.say(person, &mark);
        }
        stage.all_answered(Duration::from_secs(2)).await;
        println!("99 others were answered after {:?}", begun.elapsed());
        stage.heard(BEN, before, "(ref ").await;
        let took = begun.elapsed();
        assert!((1..=3).contains(&took.as_secs()), "the apology came after {took:?}");
    }
    judge(&stage.rehearsal.world().history()).check(0);
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_of_a_model_leaves_a_chat_silent() {
    let mut stage = Stage::set().await;
    stage.set_env([
        ("GUILDHALL__BROKER__REQUEST_TIME_MAX", "2s"),
        ("GUILDHALL__BROKER__BREAKER_FAILURES", "0"),
    ]);
    let hall = stage.open().await;
    let status = |code| Fault::Status { code, retry_after_s: None };
    let mut faults = vec![
        Fault::HangBeforeHeaders,
        Fault::HangMidStream,
        Fault::SlowDrip { ms: 400 },
        Fault::CutMidStream,
        Fault::TruncatedSse,
        Fault::BadJson,
        Fault::EmptyAnswer,
        Fault::WrongContentType,
        Fault::HugeAnswer,
        Fault::Status { code: 429, retry_after_s: Some(1) },
    ];
    faults.extend([400, 401, 403, 404, 408, 429, 500, 502, 503, 529].map(status));
    for fault in faults {
        for count in [1, 1_000] {
            let before = stage.sent_to(BEN).len();
            next(&stage, count, fault.clone());
            stage.say(BEN, "Are you there?");
            let begun = Instant::now();
            wait_until(
                &format!("a word after {fault:?} x {count}"),
                Duration::from_secs(8),
                || {
                    let sent = stage.sent_to(BEN).split_off(before);
                    sent.iter().any(|it| {
                        it.text.contains("(ref ")
                            || it.text.contains("Reply to")
                            || it.text.len() > 2_000
                    })
                },
            )
            .await;
            let last = stage.sent_to(BEN).split_off(before);
            let words: String = last.last().unwrap().text.chars().take(60).collect();
            println!("{} x {count}: {words:?} after {:?}", fault.name(), begun.elapsed());
        }
    }
    next(&stage, 0, Fault::EmptyAnswer);
    stage.exchange(BEN, "And now? [ask:u1002n0]", "[answer:u1002n0]").await;
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_five_failures_the_model_is_left_alone_and_tried_again_later() {
    let mut stage = Stage::set().await;
    stage.set_env([
        ("GUILDHALL__BROKER__ATTEMPTS_MAX", "1"),
        ("GUILDHALL__BROKER__BREAKER_OPEN", "2s"),
    ]);
    let hall = stage.open().await;
    next(&stage, 1_000, Fault::Status { code: 500, retry_after_s: None });
    for _ in 0..7 {
        stage.exchange(BEN, "Are you there?", "(ref ").await;
    }
    let calls = stage.rehearsal.models().stats().calls.values().sum::<u64>();
    assert!(calls <= 5, "{calls} calls of a model that fails");
    next(&stage, 0, Fault::EmptyAnswer);
    let begun = Instant::now();
    for sequence in 0.. {
        let before = stage.sent_to(BEN).len();
        stage.say(BEN, &format!("Are you there again? [ask:u1002n{sequence}x]"));
        let answer = stage.heard(BEN, before, "").await;
        if answer.text.contains("[answer:") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", answer.text);
    }
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_wait_for_slow_answers_are_served_together() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.add_people(FIRST, 60);
    let slow = SettingsChange { latency_ms: Some(500), ..SettingsChange::default() };
    stage.rehearsal.models().configure(slow);
    for person in FIRST..FIRST + 60 {
        stage.ask(person, 0);
    }
    stage.all_answered(Duration::from_secs(4)).await;
    judge(&stage.rehearsal.world().history()).check(0);
    assert_eq!(hall.stop().await.0, 0);
}
