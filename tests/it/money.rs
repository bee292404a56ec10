//! Budgets of the real program: hard caps that survive kills under load. Promise S10.

use std::time::Duration;

use end_to_end::{ADMIN, BEN, Dice, Stage};
use rehearsal::models::SettingsChange;
use serde_json::Value;
use tokio::time::{Instant, sleep};

const FIRST: i64 = 50_001;
const PEOPLE: i64 = 8;
/// So many tokens may be used a day.
const HALL_TOKENS: u64 = 90_000;

pub(crate) async fn usage(stage: &Stage) -> Value {
    let (code, stdout, stderr) = stage.command(&["usage", "--json"]).await;
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

fn refusals(stage: &Stage) -> usize {
    let told = |person| {
        let sent = stage.sent_to(person);
        sent.iter().filter(|it| it.text.contains("as much as I may today")).count()
    };
    (FIRST..FIRST + PEOPLE).map(told).sum()
}

/// S10: whatever is killed, the model server is asked for no more than the cap and one request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cap_of_the_hall_is_passed_by_at_most_one_request_however_often_it_is_killed() {
    let mut dice = Dice::of("budget kills", 7);
    let mut stage = Stage::set_alone().await;
    stage.set_env([
        ("GUILDHALL__SESSION__ATTEMPTS_MAX", "20"),
        ("GUILDHALL__BUDGETS__HALL__TOKENS_DAY", HALL_TOKENS.to_string().as_str()),
        ("GUILDHALL__BROKER__ANSWER_TOKENS_MAX", "64"),
        ("GUILDHALL__SESSION__HISTORY_EXCHANGES_MAX", "1"),
    ]);
    let pace = SettingsChange {
        latency_ms: Some(20),
        token_ms: Some(1),
        filler_words: Some(20),
        record_max: Some(0),
        ..SettingsChange::default()
    };
    stage.rehearsal.models().configure(pace);
    stage.add_people(FIRST, PEOPLE);
    let (mut sequence, mut kills) = (0, 0);
    let begun = Instant::now();
    while refusals(&stage) < 5 {
        assert!(begun.elapsed() < Duration::from_secs(120), "the cap is never reached");
        let hall = stage.open().await;
        // So few that it takes many kills, so many that each finds calls under way.
        for person in FIRST..FIRST + PEOPLE {
            stage.ask(person, sequence);
        }
        sequence += 1;
        sleep(dice.millis(20, 250)).await;
        hall.kill().await;
        kills += 1;
    }
    let hall = stage.open().await;
    stage.exchange(BEN, "And now?", "as much as I may today").await;
    let stats = stage.rehearsal.models().stats();
    let calls = stats.calls.values().sum::<u64>();
    println!(
        "{kills} kills, {calls} calls, {} tokens of {HALL_TOKENS}, the largest call {}",
        stats.tokens, stats.tokens_most
    );
    assert!(stats.tokens <= HALL_TOKENS + stats.tokens_most, "{stats:?}");
    assert!(5 <= kills, "it was killed on its way to the cap");
    let told = usage(&stage).await;
    let day = &told["accounts"][0]["day"];
    let of = |key: &str| day[key].as_u64().unwrap();
    assert!(HALL_TOKENS <= of("input") + of("output") + of("lost_tokens"), "{day}");
    assert!(of("input") + of("output") <= stats.tokens, "no more is known than was charged");
    assert_eq!(hall.stop().await.0, 0);
    // Also a hall that was put to rest goes on where it was.
    let hall = stage.open().await;
    stage.exchange(ADMIN, "And now?", "as much as I may today").await;
    assert_eq!(stage.rehearsal.models().stats().tokens, stats.tokens, "nobody was asked");
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_used_is_known_to_the_last_answer_after_a_kill_where_nothing_is_capped() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    for sequence in 0..5 {
        let (asked, fits) =
            (format!("Well? [ask:u1002n{sequence}]"), format!("[answer:u1002n{sequence}]"));
        stage.exchange(BEN, &asked, &fits).await;
    }
    // Their records are durable before they are sent; a balance is written every ten seconds.
    hall.kill().await;
    let hall = stage.open().await;
    let before = stage.rehearsal.models().stats();
    let told = usage(&stage).await;
    let month = &told["accounts"][0]["month"];
    assert_eq!(month["calls"], 5, "{told}");
    let tokens = month["input"].as_u64().unwrap() + month["output"].as_u64().unwrap();
    assert_eq!(tokens, before.tokens);
    let text = stage.exchange(BEN, "/usage", "this month: 5 answers").await.text;
    assert!(text.contains("sage: 5 answers"), "{text}");
    assert_eq!(hall.stop().await.0, 0);
}
