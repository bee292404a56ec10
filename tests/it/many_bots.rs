//! Several bots in one process: agents with bots of their own.

use std::time::Duration;

use end_to_end::{ADMIN, BEN, GROUP, Stage, shown};
use rehearsal::{BotSeed, CallRecord, Config, PersonSeed, Rehearsal};
use serde_json::{Value, json};

const MAIN: i64 = 123_456;
const CODER: i64 = 222_222;
const SCRIBE: i64 = 333_333;

fn token(bot: i64) -> String {
    format!("{bot}:AAHrehearsalrehearsalrehearsalrehea")
}

fn seed(bot: i64, username: &str) -> BotSeed {
    let (token, username) = (token(bot), username.to_owned());
    BotSeed { token, username, name: "Fresh".to_owned(), ..BotSeed::default() }
}

/// A stage with three bots, of which two are an agent's own.
async fn stage() -> Stage {
    stage_of([seed(CODER, "coder_bot"), seed(SCRIBE, "scribe_bot")]).await
}

async fn stage_of(seeds: [BotSeed; 2]) -> Stage {
    let mut stage = Stage::set_with_bots(seeds).await;
    stage.set_env([
        ("GUILDHALL__BOTS__0__NAME", "main"),
        ("GUILDHALL__BOTS__0__TOKEN_ENV", "TELEGRAM_BOT_TOKEN"),
        ("GUILDHALL__BOTS__1__NAME", "coder"),
        ("GUILDHALL__BOTS__1__TOKEN_ENV", "CODER_TOKEN"),
        ("GUILDHALL__BOTS__1__AGENT", "coder"),
        ("GUILDHALL__BOTS__2__NAME", "scribe"),
        ("GUILDHALL__BOTS__2__TOKEN_ENV", "SCRIBE_TOKEN"),
        ("GUILDHALL__BOTS__2__AGENT", "scribe"),
        ("CODER_TOKEN", token(CODER).as_str()),
        ("SCRIBE_TOKEN", token(SCRIBE).as_str()),
    ]);
    stage
}

/// What a bot has sent to a chat.
fn sent_by(stage: &Stage, bot: i64, chat: i64) -> Vec<CallRecord> {
    let mut sent = stage.sent_to(chat);
    sent.retain(|it| it.bot == bot);
    sent
}

/// Says something to a bot in private and waits for what it says.
async fn exchange(stage: &Stage, bot: i64, text: &str, fits: &str) -> String {
    let before = stage.sent_to(BEN).len();
    stage.say_in(Some(bot), None, BEN, text, None);
    let heard = stage.heard(BEN, before, fits).await;
    assert_eq!(heard.bot, bot, "{}", shown(&stage.sent_to(BEN)));
    heard.text
}

fn profile(stage: &Stage, bot: i64, what: &str) -> Value {
    let got = stage.rehearsal.world().call(&token(bot), &format!("getMy{what}"), "{}").unwrap();
    serde_json::from_slice(&got).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_bots_of_one_process_answer_each_as_its_own_agent() {
    let stage = stage().await;
    let hall = stage.open().await;
    exchange(&stage, MAIN, "/start", "You are talking to sage").await;
    exchange(&stage, CODER, "/start", "You are talking to coder").await;
    exchange(&stage, SCRIBE, "/agents", "This bot is scribe's own").await;
    exchange(&stage, CODER, "/agent sage", "nobody else answers here").await;
    exchange(&stage, CODER, "/ask sage Well? [ask:u1002n9]", "nobody else answers here").await;
    for (bot, number) in [(MAIN, 0), (CODER, 1), (SCRIBE, 2)] {
        let question = format!("And you? [ask:u1002n{number}]");
        exchange(&stage, bot, &question, &format!("[answer:u1002n{number}]")).await;
    }
    let asked = stage.rehearsal.models().requests();
    let of_coder = asked.iter().find(|it| it.body.contains("[ask:u1002n1]")).unwrap();
    assert!(!of_coder.body.contains("[ask:u1002n0]"), "each conversation is its own");

    let begun = tokio::time::Instant::now();
    while profile(&stage, CODER, "Name")["name"] != "coder"
        || profile(&stage, SCRIBE, "Description")["description"] == ""
    {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", profile(&stage, CODER, "Name"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(profile(&stage, MAIN, "Name")["name"], "Guildhall", "that one is nobody's own");
    let menu = |bot| {
        let scope = r#"{"scope":{"type":"all_private_chats"}}"#;
        let menu = stage.rehearsal.world().call(&token(bot), "getMyCommands", scope).unwrap();
        String::from_utf8(menu).unwrap()
    };
    assert!(menu(MAIN).contains("\"agents\"") && !menu(CODER).contains("\"agents\""));

    let status = stage.exchange(ADMIN, "/status", "As of").await;
    for bot in [MAIN, CODER, SCRIBE] {
        assert!(status.text.contains(&format!("ingress/{bot}")), "{}", status.text);
    }
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_group_only_who_is_addressed_answers_and_two_who_are_both_do_once() {
    let stage = stage().await;
    let hall = stage.open().await;
    let say = |text: &str| stage.say_in(Some(GROUP), None, BEN, text, None);
    say("@coder_bot what is a loop? [ask:u1002n0]");
    stage.heard(GROUP, 0, "[answer:u1002n0]").await;
    say("@coder_bot @scribe_bot and what is a poem? [ask:u1002n1]");
    say("/status@scribe_bot");
    stage.heard(GROUP, 0, "All is well").await;
    let begun = tokio::time::Instant::now();
    let answers = |bot, number: u32| {
        let mark = format!("[answer:u1002n{number}]");
        sent_by(&stage, bot, GROUP).iter().filter(|it| it.text.contains(&mark)).count()
    };
    while answers(CODER, 1) == 0 || answers(SCRIBE, 1) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", shown(&stage.sent_to(GROUP)));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Nothing more comes: all that was written is closed.
    stage.exchange(BEN, "Hello. [ask:u1002n2]", "[answer:u1002n2]").await;
    assert_eq!((answers(CODER, 0), answers(SCRIBE, 0)), (1, 0));
    assert_eq!((answers(CODER, 1), answers(SCRIBE, 1)), (1, 1));
    assert!(sent_by(&stage, MAIN, GROUP).is_empty(), "nobody spoke to it");
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_that_write_to_each_other_are_not_answered() {
    let stage = stage().await;
    let hall = stage.open().await;
    let world = stage.rehearsal.world();
    // A foreign bot and one of the hall's own write to another, by name and as a reply, again and again.
    let written_by = |from: i64, to: i64, username: &str, number: i64| {
        let text = format!("@{username} and now you! [ask:u1002n{number}]");
        json!({ "message": {
            "message_id": 9_000 + number, "date": 1, "text": text,
            "chat": { "id": GROUP, "type": "group", "title": "Room" },
            "from": { "id": from, "is_bot": true, "first_name": "Bot", "username": "a_bot" },
            "entities": [{ "type": "mention", "offset": 0, "length": username.len() + 1 }],
            "reply_to_message": {
                "message_id": 8_000, "date": 1, "text": "And you?",
                "chat": { "id": GROUP, "type": "group", "title": "Room" },
                "from": { "id": to, "is_bot": true, "first_name": "Bot" },
            },
        }})
    };
    for number in 0..25 {
        world.push_update(CODER, &written_by(777, CODER, "coder_bot", number)).unwrap();
        world.push_update(CODER, &written_by(SCRIBE, CODER, "coder_bot", number)).unwrap();
        world.push_update(SCRIBE, &written_by(CODER, SCRIBE, "scribe_bot", number)).unwrap();
    }
    // Whoever is a person is answered afterwards, by both: what came before is done with.
    for (bot, number) in [(CODER, 50), (SCRIBE, 51)] {
        let question = format!("Well? [ask:u1002n{number}]");
        exchange(&stage, bot, &question, &format!("[answer:u1002n{number}]")).await;
    }
    let said = stage.sent_to(GROUP);
    assert!(said.is_empty(), "{}", shown(&said));
    assert_eq!(hall.stop().await.0, 0);
}

/// A stage with bots that hear each other and answer each other, as far as the hall lets them.
async fn talkative() -> Stage {
    let seeds = [seed(CODER, "coder_bot"), seed(SCRIBE, "scribe_bot")];
    let mut stage = stage_of(seeds.map(|it| BotSeed { hears_bots: true, ..it })).await;
    stage.set_env([("GUILDHALL__ACCESS__ANSWER_BOTS", "true")]);
    let rule = |contains: &str, answer: &str| rehearsal::models::Rule {
        contains: contains.to_owned(),
        answer: answer.to_owned(),
    };
    let rules = Some(vec![
        rule("start it", "@scribe_bot what do you think of it?"),
        rule("call both", "I have thought about it."),
        rule("", "And what do you think?"),
    ]);
    let change = rehearsal::models::SettingsChange { rules, ..Default::default() };
    stage.rehearsal.models().configure(change);
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_bots_are_answered_two_that_always_answer_each_other_stop_and_say_so_once() {
    let stage = talkative().await;
    let mut hall = stage.open().await;
    let start = || stage.say_in(Some(GROUP), None, BEN, "@coder_bot start it", None);
    start();
    // The privacy notice of each, coder's answer to Ben, five answers to bots, and that it is over.
    let is_cut = |it: &CallRecord| it.text.contains("Bots have been answering each other");
    let begun = tokio::time::Instant::now();
    while !stage.sent_to(GROUP).iter().any(is_cut) {
        assert!(begun.elapsed() < Duration::from_secs(40), "{}", shown(&stage.sent_to(GROUP)));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let among_bots =
        |said: &[CallRecord]| said.iter().filter(|it| it.text.contains("do you think")).count();
    let said = stage.sent_to(GROUP);
    assert_eq!(among_bots(&said), 6, "one to Ben, and five to bots: {}", shown(&said));
    hall.kill().await;
    hall = stage.open().await;
    // What is written to a chain that is cut is not answered, also after a crash; a person begins anew.
    let before = stage.sent_to(GROUP).len();
    start();
    stage.heard(GROUP, before, "Bots have been answering each other").await;
    let said = stage.sent_to(GROUP);
    assert_eq!(
        (among_bots(&said), said.iter().filter(|it| is_cut(it)).count()),
        (12, 2),
        "{}",
        shown(&said)
    );
    let (_, metrics) = stage.get("/metrics").await;
    assert!(
        metrics.contains("bot_chains_cut_total{reason=\"hops\"} 1"),
        "since the start: {metrics}"
    );
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_are_called_in_one_message_answer_in_that_order() {
    let stage = talkative().await;
    let hall = stage.open().await;
    let shown_first = |text: &str| stage.say_in(Some(GROUP), None, BEN, text, None);
    for (round, first, second) in [(1, SCRIBE, CODER), (2, CODER, SCRIBE), (3, SCRIBE, CODER)] {
        let before = stage.sent_to(GROUP).len();
        let name = |bot| if bot == CODER { "@coder_bot" } else { "@scribe_bot" };
        shown_first(&format!("{} {} call both ({round})", name(first), name(second)));
        let begun = tokio::time::Instant::now();
        let answers = loop {
            let mut said = stage.sent_to(GROUP).split_off(before);
            said.retain(|it| it.text.contains("I have thought about it."));
            if said.len() == 2 {
                break said;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", shown(&said));
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let order: Vec<i64> = answers.iter().map(|it| it.bot).collect();
        assert_eq!(order, [first, second], "round {round}");
    }
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_that_is_refused_or_cannot_be_reached_holds_up_no_other_and_joins_later() {
    let mut stage = stage().await;
    // The server of one is not there yet, and nobody knows the other's token.
    let addr = std::net::SocketAddr::from(([127, 0, 0, 1], stage.another_port()));
    // That variable would win over every bot's own.
    stage.unset_env("TELEGRAM_API_URL");
    let url = stage.rehearsal.url();
    stage.set_env([
        ("GUILDHALL__TELEGRAM__API_URL", url.as_str()),
        ("GUILDHALL__BOTS__1__API_URL", format!("http://{addr}").as_str()),
        ("SCRIBE_TOKEN", "444444:AAHunknownunknownunknownunknownunkno"),
    ]);
    let hall = stage.open().await;
    exchange(&stage, MAIN, "Are you there? [ask:u1002n0]", "[answer:u1002n0]").await;
    // Telegram lets nobody be written to who never wrote.
    stage.exchange(ADMIN, "/start", "Hello").await;
    stage.heard(ADMIN, 0, "A bot cannot be connected, the others go on").await;
    let bots = vec![seed(CODER, "coder_bot")];
    let people = vec![PersonSeed::new(BEN, "Ben")];
    let other = Rehearsal::start(Config { addr, bots, people, ..Config::default() }).await.unwrap();
    hall.log().wait_for("bot_joined").await;
    let say = rehearsal::Say {
        person: BEN,
        chat: None,
        topic: None,
        text: "/start".to_owned(),
        reply_to: None,
    };
    other.world().say(&say).unwrap();
    let begun = tokio::time::Instant::now();
    while !other.world().sent_to(BEN).iter().any(|it| it.text.contains("talking to coder")) {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{}",
            shown(&other.world().sent_to(BEN))
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // One that fails later does not stop the others either.
    drop(other);
    exchange(&stage, MAIN, "And now? [ask:u1002n1]", "[answer:u1002n1]").await;
    assert_eq!(hall.stop().await.0, 0);
}
