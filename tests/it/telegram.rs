//! What Telegram and the network do to a hall: conflicts, floods, errors, odd updates.

use std::{collections::HashMap, time::Duration};

use end_to_end::{BEN, Stage, judge, wait_until};
use rehearsal::Faults;
use serde_json::json;
use tokio::time::Instant;

const FIRST: i64 = 30_001;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_conflicts_makes_it_wait_and_not_deaf() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    let world = stage.rehearsal.world();
    world.set_faults(Faults { conflicts: 1_000, ..Faults::default() });
    wait_until("conflicts are met", Duration::from_secs(10), || world.faults().conflicts <= 995)
        .await;
    stage.ask(BEN, 0);
    // The other poller goes away before its thousand are used up.
    world.set_faults(Faults::default());
    let begun = Instant::now();
    stage.all_answered(Duration::from_secs(30)).await;
    println!("heard again after {:?}", begun.elapsed());
    judge(&world.history()).check(0);
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_too_many_requests_is_obeyed_and_loses_nothing() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.add_people(FIRST, 10);
    let world = stage.rehearsal.world();
    let storm = Faults { too_many: 0.5, retry_after: [1, 2], ..Faults::default() };
    world.set_faults(Faults { methods: vec!["sendMessage".to_owned()], ..storm });
    for sequence in 0..4 {
        for person in FIRST..FIRST + 10 {
            stage.ask(person, sequence);
        }
    }
    stage.all_answered(Duration::from_secs(120)).await;
    let history = world.history();
    judge(&history).check(0);
    let mut early = Vec::new();
    let mut waits: HashMap<i64, i64> = HashMap::new();
    let refused = history.refused.iter().filter(|it| it.code == 429).map(|it| {
        (it.at, it.chat, it.retry_after.map(|seconds| it.at + i64::from(seconds) * 1_000))
    });
    let sent = history.calls.iter().filter(|it| it.method == "sendMessage");
    let mut all: Vec<_> = refused.chain(sent.map(|it| (it.at, it.chat, None))).collect();
    all.sort_unstable();
    for (at, chat, until) in all {
        // The clock of the history counts whole milliseconds.
        if waits.get(&chat).is_some_and(|until| at + 1 < *until) {
            early.push((chat, at));
        }
        if let Some(until) = until {
            waits.insert(chat, until);
        }
    }
    println!("{} refusals", history.refused.len());
    assert!(history.refused.len() >= 20, "the storm blew: {}", history.refused.len());
    assert_eq!(early, [], "sent before retry_after had passed");
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_and_cut_connections_lose_nothing_and_repeat_only_what_may_have_arrived() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.add_people(FIRST, 20);
    let world = stage.rehearsal.world();
    world.set_faults(Faults {
        methods: vec!["sendMessage".to_owned(), "getUpdates".to_owned()],
        internal: 0.1,
        bad_gateway: 0.1,
        drop_before: 0.1,
        ..Faults::default()
    });
    for sequence in 0..5 {
        for person in FIRST..FIRST + 20 {
            stage.ask(person, sequence);
        }
    }
    stage.all_answered(Duration::from_secs(60)).await;
    judge(&world.history()).check(usize::MAX);
    println!("before: {} repeats", judge(&world.history()).repeats.len());
    world.set_faults(Faults {
        methods: vec!["sendMessage".to_owned()],
        drop_after: 0.5,
        ..Faults::default()
    });
    for person in FIRST..FIRST + 20 {
        stage.ask(person, 5);
    }
    stage.all_answered(Duration::from_secs(60)).await;
    // What was sent is answered, but its repeat may still come: before the next answer of the chat.
    world.set_faults(Faults::default());
    for person in FIRST..FIRST + 20 {
        stage.ask(person, 6);
    }
    stage.all_answered(Duration::from_secs(60)).await;
    let uncertain = hall.log().actions("send_uncertain").len();
    let repeats = judge(&world.history()).repeats.len();
    println!("{uncertain} sends were uncertain, {repeats} answers repeated, {:?}", world.stats());
    judge(&world.history()).check(uncertain);
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_update_never_keeps_the_next_good_one_waiting() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    let world = stage.rehearsal.world();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let from = r#""from":{"id":1002,"is_bot":false,"first_name":"Ben"},"chat":{"id":1002,"type":"private"},"date":1"#;
    let odd = [
        r#""widget_query":{"id":"1","data":"x"}"#.to_owned(),
        r#""message":7"#.to_owned(),
        r#""message":{"message_id":"seven","chat":[],"from":null,"date":"now","text":{}}"#.to_owned(),
        format!(r#""message":{{"message_id":5,{from},"text":{deep}}}"#),
        format!(r#""message":{{"message_id":6,{from},"text":"\ud800 alone"}}"#),
        format!(r#""message":{{"message_id":7,{from},"unheard_of":{deep}}}"#),
        r#""message":{"message_id":9223372036854775807,"chat":{"id":-9223372036854775808,"type":"moon"},"date":-1}"#.to_owned(),
        r#""message":{"message_id":8,"chat":{"id":1.5e300,"type":"private"},"date":1,"text":"x"}"#.to_owned(),
        r#""callback_query":{"id":"9","data":null}"#.to_owned(),
        String::new(),
    ];
    for (at, body) in odd.iter().enumerate() {
        let id = 100_100_000 + i64::try_from(at).unwrap();
        let comma = if body.is_empty() { "" } else { "," };
        let update = format!(r#"{{"update_id":{id}{comma}{body}}}"#);
        world.push_raw(world.first_bot_id(), id, update.into()).unwrap();
        world.jump_update_id(world.first_bot_id(), id + 1_000).unwrap();
        let begun = Instant::now();
        let sequence = at + 1;
        let answer = format!("[answer:u1002n{sequence}]");
        stage.exchange(BEN, &format!("Next. [ask:u1002n{sequence}]"), &answer).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?} after {body}", begun.elapsed());
    }
    world.push_update(world.first_bot_id(), &json!({"message": {"text": "no chat"}})).unwrap();
    stage.exchange(BEN, "Last. [ask:u1002n99]", "[answer:u1002n99]").await;
    assert_eq!(stage.restarts("ingress").await, 0);
    // The lone surrogate can be read as a question; having no mark, it gets the one before again.
    judge(&world.history()).check(1);
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_stalls_or_fails_is_begun_anew() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    let world = stage.rehearsal.world();
    world.set_faults(Faults {
        stalls: 1,
        stall_methods: vec!["getUpdates".to_owned()],
        ..Faults::default()
    });
    wait_until("a poll stalls", Duration::from_secs(10), || world.faults().stalls == 0).await;
    stage.ask(BEN, 0);
    let begun = Instant::now();
    stage.all_answered(Duration::from_secs(30)).await;
    println!("heard again after {:?}", begun.elapsed());
    assert_eq!(hall.stop().await.0, 0);
}
