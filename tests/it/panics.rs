//! A panic in any actor: the others go on, it comes back, and nothing is lost.
//!
//! The binary must be built with the feature `faults`; `FAILPOINTS` names the place.

use std::time::Duration;

use end_to_end::{ADMIN, BEN, Stage, judge};
use tokio::time::Instant;

const FIRST: i64 = 20_001;
const PEOPLE: i64 = 20;
const QUESTIONS: u64 = 5;

/// Three panics at a place, while people ask; `kind` is the actor that must come back.
async fn panics_at(place: &str, kind: &str) {
    let mut stage = Stage::set().await;
    let apart = if place == "roster" { 0 } else { 60 };
    // Far enough apart that nothing is hit twice.
    let points = format!("{place}=5*off->1*panic->{apart}*off->1*panic->{apart}*off->1*panic->off");
    stage.set_env([("FAILPOINTS", points.as_str())]);
    stage.add_people(FIRST, PEOPLE);
    let hall = stage.open().await;
    for sequence in 0..QUESTIONS {
        for person in FIRST..FIRST + PEOPLE {
            stage.ask(person, sequence);
        }
        // The roster and the alerter hear of nothing else.
        stage.exchange(ADMIN, &format!("/allow {}", 50 + sequence), "").await;
        stage.exchange(BEN, "/pause sage", "I do not know that command").await;
        stage.all_answered(Duration::from_secs(10)).await;
    }
    let panics = hall.log().stdout().matches("\"panic").count();
    let history = stage.rehearsal.world().history();
    let waits = history.calls.iter().filter(|it| it.text.contains("[answer:")).filter_map(|call| {
        let mark = call.text.split("[answer:").nth(1)?;
        let asked = history.updates.iter().find(|it| it.text.contains(&format!("[ask:{mark}")))?;
        Some(call.at - asked.created)
    });
    let longest = waits.max().unwrap_or_default();
    let verdict = judge(&history);
    println!(
        "{place}: longest wait {longest} ms, {} repeats, {panics} panic lines",
        verdict.repeats.len()
    );
    // A panic between sending and knowing about it repeats an answer: a session's one, the outbox's
    // at most one in each chat.
    let repeats_max = match place {
        "outbox" => 3 * usize::try_from(PEOPLE).unwrap(),
        "session_sent" | "session_recorded" => 3,
        _ => 0,
    };
    verdict.check(repeats_max);
    let begun = Instant::now();
    stage.exchange(BEN, "Well again? [ask:u1002n0]", "[answer:u1002n0]").await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    if kind != "session" {
        let restarts = stage.restarts(kind).await;
        assert!(
            (1..=3).contains(&restarts),
            "{restarts} restarts of {kind}: {}",
            stage.status().await
        );
    }
    assert!(longest < 2_000 + 1_000, "recovery took {longest} ms");
    assert_eq!(hall.stop().await.0, 0);
}

macro_rules! panics_at {
    ($($name:ident: $place:literal of $kind:literal;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            panics_at($place, $kind).await;
        })*
    };
}

panics_at! {
    a_panic_of_the_guard_is_survived: "guard" of "guard";
    a_panic_of_the_broker_is_survived: "broker" of "broker";
    a_panic_of_the_outbox_is_survived: "outbox" of "outbox";
    a_panic_of_the_memory_is_survived: "memory" of "memory";
    a_panic_of_the_roster_is_survived: "roster" of "roster";
    a_panic_of_the_keeper_is_survived: "keeper" of "sessions";
    a_panic_of_a_session_is_survived: "session" of "session";
    a_panic_of_a_session_after_its_write_is_survived: "session_recorded" of "session";
    a_panic_of_a_session_after_its_send_is_survived: "session_sent" of "session";
    a_panic_of_the_ingress_is_survived: "ingress" of "ingress";
    a_panic_of_the_ingress_after_its_write_is_survived: "ingress_journalled" of "ingress";
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_of_the_alerter_is_survived() {
    let mut stage = Stage::set().await;
    stage.set_env([("FAILPOINTS", "alerter=1*panic->off")]);
    let hall = stage.open().await;
    // Another poller makes every poll fail; the fifth failure in a row raises an alert.
    let world = stage.rehearsal.world();
    world.set_faults(rehearsal::Faults { conflicts: 1_000, ..rehearsal::Faults::default() });
    let begun = Instant::now();
    while stage.restarts("alerter").await == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no alert was raised");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.set_faults(rehearsal::Faults::default());
    stage.ask(BEN, 0);
    stage.all_answered(Duration::from_secs(30)).await;
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_always_panics_ends_the_process_with_70_and_the_reason() {
    let mut stage = Stage::set().await;
    stage.set_env([("FAILPOINTS", "ingress=panic")]);
    let mut hall = stage.start();
    assert_eq!(hall.ended(Duration::from_secs(60)).await, 70, "{}", hall.log().tail());
    let error = hall.log().stderr();
    assert!(error.contains("ingress") && error.contains("failed too often"), "{error}");
    assert_eq!(hall.log().actions("tree_restarting").len(), 3, "{}", hall.log().tail());
    // What is wrong with it is put right: everything goes on.
    stage.env.remove("FAILPOINTS");
    let _hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
}
