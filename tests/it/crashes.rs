//! Power cuts: the process is killed again and again, also while it starts, and nothing is lost.

use std::time::Duration;

use end_to_end::{BEN, Dice, Stage, judge, wait_until};
use rehearsal::models::{SettingsChange, fault};
use tokio::time::{Instant, sleep};

const FIRST: i64 = 10_001;
const PEOPLE: u64 = 300;
/// Pause between two questions of all people together.
const QUESTION_EVERY: Duration = Duration::from_millis(40);

/// People who ask in turns, each one's questions numbered.
struct Crowd {
    asked: Vec<u64>,
    due: Instant,
}

impl Crowd {
    fn new(stage: &Stage) -> Self {
        stage.add_people(FIRST, i64::try_from(PEOPLE).unwrap());
        Self { asked: vec![0; usize::try_from(PEOPLE).unwrap()], due: Instant::now() }
    }

    /// One question of somebody.
    fn ask(&mut self, stage: &Stage, dice: &mut Dice) {
        let person = dice.below(PEOPLE);
        let sequence = &mut self.asked[usize::try_from(person).unwrap()];
        stage.ask(FIRST + i64::try_from(person).unwrap(), *sequence);
        *sequence += 1;
    }

    /// Asks at its pace until `end`.
    async fn ask_until(&mut self, stage: &Stage, dice: &mut Dice, end: Instant) {
        self.due = self.due.max(Instant::now());
        while self.due < end {
            tokio::time::sleep_until(self.due).await;
            self.ask(stage, dice);
            self.due += QUESTION_EVERY;
        }
        tokio::time::sleep_until(end).await;
    }
}

fn count_of(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|it| it.parse().ok()).unwrap_or(usual)
}

fn check(stage: &Stage, kills: u64) {
    let verdict = judge(&stage.rehearsal.world().history());
    let stats = stage.rehearsal.models().stats();
    println!(
        "{kills} kills, {} questions, {} repeats, {} updates fetched again; models: {stats:?}",
        verdict.asked,
        verdict.repeats.len(),
        stage.rehearsal.world().stats().redeliveries,
    );
    verdict.check(usize::try_from(kills).unwrap());
    assert_eq!((stats.leaks, stats.context_gaps, stats.context_disorder), (0, 0, 0), "{stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_under_load_it_loses_nothing_and_repeats_at_most_one_answer_a_kill() {
    let kills = count_of("GUILDHALL_KILLS", 200);
    let mut dice = Dice::of("kills", 1);
    let mut stage = Stage::set_alone().await;
    // The kills are not the questions' fault: none of them is to be set aside.
    stage.set_env([("GUILDHALL__SESSION__ATTEMPTS_MAX", "20")]);
    // Slow enough that every kill finds questions in every stage of their way.
    let pace = SettingsChange {
        latency_ms: Some(20),
        token_ms: Some(2),
        filler_words: Some(20),
        record_max: Some(0),
        ..SettingsChange::default()
    };
    stage.rehearsal.models().configure(pace);
    let mut crowd = Crowd::new(&stage);
    for _ in 0..kills {
        let hall = stage.start();
        let end = Instant::now() + dice.millis(200, 800);
        crowd.ask_until(&stage, &mut dice, end).await;
        hall.kill().await;
    }
    let hall = stage.open().await;
    stage.all_answered(Duration::from_secs(60)).await;
    assert_eq!(hall.stop().await.0, 0);
    check(&stage, kills);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_starts_it_always_starts_again() {
    let kills = count_of("GUILDHALL_START_KILLS", 50);
    let mut dice = Dice::of("start kills", 2);
    let mut stage = Stage::set_alone().await;
    stage.set_env([("GUILDHALL__SESSION__ATTEMPTS_MAX", "20")]);
    let mut crowd = Crowd::new(&stage);
    let hall = stage.open().await;
    for _ in 0..500 {
        crowd.ask(&stage, &mut dice);
    }
    hall.kill().await;
    for _ in 0..kills {
        crowd.ask(&stage, &mut dice);
        let hall = stage.start();
        sleep(dice.millis(0, 50)).await;
        hall.kill().await;
    }
    let hall = stage.open().await;
    stage.all_answered(Duration::from_secs(60)).await;
    assert_eq!(hall.stop().await.0, 0);
    check(&stage, kills + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_in_hand_at_three_crashes_is_set_aside_and_its_sender_told() {
    let stage = Stage::set().await;
    let models = stage.rehearsal.models();
    let hang =
        fault::NextFault { count: 3, fault: Some(fault::Fault::HangBeforeHeaders), model: None };
    let hangs = fault::FaultChange { next: vec![hang], ..fault::FaultChange::default() };
    models.set_faults(hangs).unwrap();
    stage.say(BEN, "Something poisonous.");
    for crash in 1..=3 {
        let hall = stage.start();
        wait_until("the model is asked", Duration::from_secs(10), || {
            models.requests().len() == crash
        })
        .await;
        hall.kill().await;
    }
    let hall = stage.open().await;
    stage.heard(BEN, 0, "I have set it aside").await;
    assert_eq!(models.requests().len(), 3, "it is not asked a fourth time");
    stage.exchange(BEN, "Something harmless. [ask:u1002n0]", "[answer:u1002n0]").await;
    let metrics = stage.get("/metrics").await.1;
    let quarantined = metrics.lines().any(|it| it.contains("quarantined") && it.ends_with(" 1"));
    assert!(quarantined, "{metrics}");
    assert_eq!(hall.stop().await.0, 0);
}
