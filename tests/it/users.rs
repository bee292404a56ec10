//! What people can do: in private chats, in groups and in topics.

use std::time::Duration;

use end_to_end::{BEN, FORUM, GROUP, STRANGER, Stage, judge, shown};
use rehearsal::models::{Rule, SettingsChange};

const UNKNOWN: &str = "I do not know that command. /help shows what I understand.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_a_user_is_answered() {
    let stage = Stage::set().await;
    let hall = stage.open().await;

    stage.exchange(BEN, "/retry", "There is no earlier question").await;
    let greeting = stage.exchange(BEN, "/start", "Hello, Ben!").await;
    assert!(greeting.text.contains("stored encrypted"), "the privacy notice: {}", greeting.text);
    let prompt = stage.sent_to(BEN).len();
    stage.press(BEN, greeting.message_id, "ex:1");
    stage.heard(BEN, prompt, "Reply to").await;

    stage.exchange(BEN, "What is a guild? [ask:u1002n0]", "[answer:u1002n0]").await;
    let agents = stage.exchange(BEN, "/agents", "Who is here").await;
    assert!(agents.text.contains("sage") && agents.text.contains("scribe"), "{}", agents.text);
    let before = stage.sent_to(BEN).len();
    stage.press(BEN, agents.message_id, "ag:scribe");
    stage.heard(BEN, before, "You are now talking to scribe").await;
    stage.exchange(BEN, "/agent sage", "You are now talking to sage").await;
    stage.exchange(BEN, "/agent nobody", "There is no agent called “nobody”").await;
    stage.exchange(BEN, "/ask coder Write a loop. [ask:u1002n1]", "[answer:u1002n1]").await;
    stage.exchange(BEN, "/ask coder", "Use it like this").await;
    stage.exchange(BEN, "/new", "A fresh conversation with sage").await;
    stage.exchange(BEN, "And now? [ask:u1002n2]", "[answer:u1002n2]").await;
    stage.exchange(BEN, "/retry", "[answer:u1002n2]").await;
    stage.exchange(BEN, "/cancel", "Nothing is being written").await;
    let help = stage.exchange(BEN, "/help", "/privacy").await;
    assert!(!help.text.contains("/spawn"), "{}", help.text);
    stage.exchange(BEN, "/privacy", "Your privacy").await;
    stage.exchange(BEN, "/status", "All is well").await;
    stage.exchange(BEN, "/frobnicate", UNKNOWN).await;

    let stats = stage.rehearsal.world().stats();
    assert!(stats.unknown_params.is_empty(), "{:?}", stats.unknown_params);
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_greeting_has_three_examples_and_the_notice_comes_before_the_first_model_call() {
    let stage = Stage::set().await;
    let _hall = stage.open().await;
    stage.exchange(STRANGER, "Hi. [ask:u1003n0]", "[answer:u1003n0]").await;
    let sent = stage.sent_to(STRANGER);
    assert!(sent[0].text.contains("stored encrypted"), "{}", shown(&sent));
    stage.exchange(STRANGER, "Hi again. [ask:u1003n1]", "[answer:u1003n1]").await;
    let notices = stage.sent_to(STRANGER);
    let notices = notices.iter().filter(|it| it.text.contains("stored encrypted")).count();
    assert_eq!(notices, 1, "the notice comes once");

    let greeting = stage.exchange(BEN, "/start", "Hello, Ben!").await;
    for example in ["ex:1", "ex:2", "ex:3"] {
        let before = stage.sent_to(BEN).len();
        stage.press(BEN, greeting.message_id, example);
        stage.heard(BEN, before, "Reply to").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_group_the_bot_answers_who_mentions_it_replies_to_it_or_commands_it() {
    let stage = Stage::set().await;
    let _hall = stage.open().await;
    let say = |text: &str, reply_to| stage.say_in(Some(GROUP), None, BEN, text, reply_to);

    say("Just among us. [ask:u1002n90]", None);
    let question = say("@guildhall_bot What is a guild? [ask:u1002n0]", None);
    let answer = stage.heard(GROUP, 0, "[answer:u1002n0]").await;
    assert_eq!(answer.reply_to, Some(question), "the asker is quoted");
    say("And a hall? [ask:u1002n1]", Some(answer.message_id));
    stage.heard(GROUP, 0, "[answer:u1002n1]").await;
    say("/ask@guildhall_bot sage And a door? [ask:u1002n2]", None);
    stage.heard(GROUP, 0, "[answer:u1002n2]").await;
    say("/help@another_bot", None);
    say("/status@guildhall_bot", None);
    stage.heard(GROUP, 0, "All is well").await;
    let sent = stage.sent_to(GROUP);
    assert!(!shown(&sent).contains("u1002n90"), "{}", shown(&sent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_are_conversations_of_their_own() {
    let stage = Stage::set().await;
    let _hall = stage.open().await;
    let say = |topic, text: &str| stage.say_in(Some(FORUM), Some(topic), BEN, text, None);
    say(7, "/agent@guildhall_bot scribe");
    stage.heard(FORUM, 0, "You are now talking to scribe").await;
    // Marks of two people: one of them in the other's topic would be a leak.
    for sequence in 0..3 {
        say(7, &format!("@guildhall_bot Seven. [ask:u7n{sequence}]"));
        say(8, &format!("@guildhall_bot Eight. [ask:u8n{sequence}]"));
    }
    say(8, "@guildhall_bot /agents");
    for sequence in 0..3 {
        stage.heard(FORUM, 0, &format!("[answer:u7n{sequence}]")).await;
        stage.heard(FORUM, 0, &format!("[answer:u8n{sequence}]")).await;
    }
    let stats = stage.rehearsal.models().stats();
    assert_eq!((stats.leaks, stats.context_gaps, stats.context_disorder), (0, 0, 0));
    let before = stage.sent_to(FORUM).len();
    say(8, "/agents@guildhall_bot");
    let agents = stage.heard(FORUM, before, "Who is here").await;
    assert!(agents.text.contains("sage: Explains"), "{}", agents.text);
    let line = agents.text.lines().find(|it| it.contains("you are talking to this one")).unwrap();
    assert!(line.contains("sage"), "the other topic's choice changes nothing here: {line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_answer_comes_whole_and_in_order() {
    let mut stage = Stage::set().await;
    stage.set_env([("GUILDHALL__BROKER__ANSWER_TOKENS_MAX", "8192")]);
    let _hall = stage.open().await;
    let lines: Vec<String> =
        (0..220).map(|at| format!("Line {at:04} of the long story.")).collect();
    let rule = Rule { contains: "the long story".to_owned(), answer: lines.join("\n\n") };
    let rules = Some(vec![rule]);
    stage.rehearsal.models().configure(SettingsChange { rules, ..SettingsChange::default() });
    stage.exchange(BEN, "Tell me the long story. [ask:u1002n0]", "[answer:u1002n0]").await;
    let sent = stage.sent_to(BEN);
    let whole = shown(&sent);
    let found: Vec<_> = whole.match_indices("Line ").map(|(at, _)| &whole[at..at + 9]).collect();
    let wanted: Vec<_> = lines.iter().map(|it| &it[..9]).collect();
    assert_eq!(found, wanted);
    assert!(sent.iter().filter(|it| it.text.contains("Line ")).count() >= 2, "in parts");
    judge(&stage.rehearsal.world().history()).check(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_stops_a_slow_answer_within_a_second_and_retry_asks_again() {
    let stage = Stage::set().await;
    let _hall = stage.open().await;
    let slow = SettingsChange { latency_ms: Some(600_000), ..SettingsChange::default() };
    stage.rehearsal.models().configure(slow);
    stage.say(BEN, "Take your time. [ask:u1002n0]");
    end_to_end::wait_until("the model is asked", Duration::from_secs(5), || {
        !stage.rehearsal.models().requests().is_empty()
    })
    .await;
    let quick = SettingsChange { latency_ms: Some(0), ..SettingsChange::default() };
    stage.rehearsal.models().configure(quick);
    let before = tokio::time::Instant::now();
    stage.exchange(BEN, "/cancel", "Stopped.").await;
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
    stage.exchange(BEN, "/retry", "[answer:u1002n0]").await;
    judge(&stage.rehearsal.world().history()).check(0);
}
