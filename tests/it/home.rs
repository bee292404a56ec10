//! At home in Telegram: questions in several messages, albums, edits, and answers that are long.

use std::time::Duration;

use end_to_end::{BEN, GROUP, Stage, TOKEN, shown, wait_until};
use rehearsal::{
    CallRecord, Say,
    models::{Rule, SettingsChange},
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(20);

/// Whoever asks what contains the first of a pair is answered the second.
fn answer(stage: &Stage, pairs: &[(&str, &str)]) {
    let rule = |(contains, answer): &(&str, &str)| Rule {
        contains: (*contains).to_owned(),
        answer: (*answer).to_owned(),
    };
    let rules = Some(pairs.iter().map(rule).collect());
    stage.rehearsal.models().configure(SettingsChange { rules, ..SettingsChange::default() });
}

fn slow(stage: &Stage, latency_ms: u64) {
    let latency_ms = Some(latency_ms);
    stage.rehearsal.models().configure(SettingsChange { latency_ms, ..SettingsChange::default() });
}

fn edit(stage: &Stage, chat: Option<i64>, message: i64, text: &str) {
    let say = Say { person: BEN, chat, text: text.to_owned(), ..Say::default() };
    stage.rehearsal.world().edit(&say, message).unwrap();
}

/// The calls of a method about a chat, in order.
fn calls(stage: &Stage, method: &str, chat: i64) -> Vec<CallRecord> {
    let calls = stage.rehearsal.world().history().calls;
    calls.into_iter().filter(|it| it.method == method && it.chat == chat).collect()
}

/// The newest message of what a model was asked, each time.
fn asked(stage: &Stage) -> Vec<String> {
    let requests = stage.rehearsal.models().requests();
    requests.iter().map(|it| texts(&it.body).pop().unwrap_or_default()).collect()
}

/// What the messages of a request say.
fn texts(body: &str) -> Vec<String> {
    let body: Value = serde_json::from_str(body).unwrap();
    let messages = body["messages"].as_array().unwrap();
    messages.iter().map(|it| it["content"].as_str().unwrap().to_owned()).collect()
}

async fn all_confirmed(stage: &Stage) {
    let world = stage.rehearsal.world();
    let bot = world.first_bot_id();
    wait_until("all is taken in", SOON, || world.pending(bot).unwrap() == 0).await;
}

/// Nothing waits in any inbox.
async fn nothing_waits(stage: &Stage) {
    stage.metrics_with("guildhall_update_queue_depth 0\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_messages_in_a_row_are_one_question_with_one_answer_also_when_killed() {
    let mut stage = Stage::set().await;
    stage.gather_messages();
    let hall = stage.open().await;
    stage.exchange(BEN, "/privacy", "Your privacy").await;
    stage.exchange(BEN, "Good morning.", "Reply to").await;
    answer(&stage, &[("bees", "Bees live in hives.")]);
    slow(&stage, 1_500);
    let before = stage.sent_to(BEN).len();
    stage.say(BEN, "Hi!");
    stage.say(BEN, "I wonder");
    stage.say(BEN, "how bees live.");
    stage.heard(BEN, before, "Bees live in hives.").await;
    assert_eq!(stage.sent_to(BEN).len(), before + 1, "{}", shown(&stage.sent_to(BEN)));
    let last = asked(&stage).pop().unwrap();
    assert!(last.contains("Hi!\nI wonder\nhow bees live."), "{last}");

    let before = stage.sent_to(BEN).len();
    let asked_before = asked(&stage).len();
    stage.say(BEN, "And tell me");
    stage.say(BEN, "what bees eat.");
    all_confirmed(&stage).await;
    wait_until("a model is asked", SOON, || asked_before < asked(&stage).len()).await;
    hall.kill().await;
    let hall = stage.open().await;
    stage.heard(BEN, before, "Bees live in hives.").await;
    nothing_waits(&stage).await;
    assert_eq!(stage.sent_to(BEN).len(), before + 1, "{}", shown(&stage.sent_to(BEN)));
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_album_is_one_question_also_in_a_group_where_only_its_caption_names_the_bot() {
    let mut stage = Stage::set().await;
    stage.gather_messages();
    let hall = stage.open().await;
    answer(&stage, &[("roses", "They are roses.")]);
    let world = stage.rehearsal.world();
    let piece = |id: i64, caption: Option<&str>| {
        let mut message = json!({
            "message_id": 900 + id, "date": 1_700_000_000, "media_group_id": "5",
            "chat": {"id": GROUP, "type": "group", "title": "G"},
            "from": {"id": BEN, "is_bot": false, "first_name": "Ben"},
            "video": {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "duration": 1},
        });
        if let Some(caption) = caption {
            message["caption"] = Value::from(caption);
            message["caption_entities"] = json!([{"type": "mention", "offset": 0, "length": 14}]);
        }
        world.push_update(world.first_bot_id(), &json!({"message": message})).unwrap();
    };
    piece(1, Some("@guildhall_bot Are these roses?"));
    piece(2, None);
    piece(3, None);
    stage.heard(GROUP, 0, "They are roses.").await;
    nothing_waits(&stage).await;
    let sent = stage.sent_to(GROUP);
    let answers = sent.iter().filter(|it| !it.text.contains("stored encrypted")).count();
    assert_eq!(answers, 1, "{}", shown(&sent));
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_question_edited_is_answered_anew_in_the_place_of_the_answer() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    answer(
        &stage,
        &[("gild", "To gild is to cover with gold."), ("guild", "A **guild** is a union.")],
    );
    let first = stage.exchange(BEN, "What is a gild?", "cover with gold").await;
    let question = stage.say(BEN, "What was a gild?");
    stage.heard(BEN, 2, "cover with gold").await;
    wait_until("it is answered", SOON, || stage.sent_to(BEN).len() == 3).await;
    nothing_waits(&stage).await;
    let answered = stage.sent_to(BEN).pop().unwrap();
    assert_ne!(answered.message_id, first.message_id);
    // As it comes when a preview of a link is put under it: nothing has changed.
    edit(&stage, None, question, "What was a gild?");
    edit(&stage, None, question, "What was a guild?");
    let edits = || calls(&stage, "editMessageText", BEN);
    wait_until("the answer is edited", SOON, || !edits().is_empty()).await;
    nothing_waits(&stage).await;
    let edits = edits();
    assert_eq!((edits.len(), edits[0].message_id), (1, answered.message_id));
    assert_eq!(edits[0].text, "A guild is a union.");
    assert_eq!(stage.sent_to(BEN).len(), 3, "nothing new was sent");
    // What a model sees from now on is the edited question alone.
    answer(&stage, &[("next", "Here it is.")]);
    stage.exchange(BEN, "And next?", "Here it is.").await;
    let request = stage.rehearsal.models().requests().pop().unwrap();
    let texts = texts(&request.body).join("\n");
    assert!(texts.contains("was a guild") && !texts.contains("was a gild"), "{texts}");

    let in_group = stage.say_in(Some(GROUP), None, BEN, "@guildhall_bot Say next.", None);
    let answered = stage.heard(GROUP, 0, "Here it is.").await;
    answer(&stage, &[("more", "There is more.")]);
    edit(&stage, Some(GROUP), in_group, "@guildhall_bot Say more.");
    let edits = || calls(&stage, "editMessageText", GROUP);
    wait_until("the answer is edited", SOON, || !edits().is_empty()).await;
    assert_eq!(
        (edits()[0].message_id, edits()[0].text.as_str()),
        (answered.message_id, "There is more.")
    );
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_edited_while_it_is_answered_has_one_answer() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Good morning.", "Reply to").await;
    answer(&stage, &[("gild", "To gild is to cover with gold."), ("guild", "A guild is a union.")]);
    slow(&stage, 2_000);
    let before = stage.sent_to(BEN).len();
    let asked_before = asked(&stage).len();
    let question = stage.say(BEN, "What is a gild?");
    wait_until("a model is asked", SOON, || asked_before < asked(&stage).len()).await;
    edit(&stage, None, question, "What is a guild?");
    stage.heard(BEN, before, "A guild is a union.").await;
    nothing_waits(&stage).await;
    assert_eq!(stage.sent_to(BEN).len(), before + 1, "{}", shown(&stage.sent_to(BEN)));
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_more_than_three_messages_comes_as_its_beginning_and_a_file() {
    let mut stage = Stage::set().await;
    stage.set_env([("GUILDHALL__BROKER__ANSWER_TOKENS_MAX", "16384")]);
    let hall = stage.open().await;
    let lines: Vec<String> =
        (0..700).map(|at| format!("Line {at:04} of the **long** story.")).collect();
    answer(&stage, &[("Tell me", &lines.join("\n\n"))]);
    let file = stage.exchange(BEN, "Tell me the long story, please!", "here is all of it").await;
    assert_eq!(file.method, "sendDocument");
    nothing_waits(&stage).await;
    let sent = stage.sent_to(BEN);
    assert_eq!(sent.iter().filter(|it| it.text.contains("Line ")).count(), 1, "{}", sent.len());
    let world = stage.rehearsal.world();
    let (name, bytes) = world.document(BEN, file.message_id).unwrap();
    assert_eq!(name, "tell-me-the-long-story-please.md");
    assert_eq!(String::from_utf8_lossy(&bytes), lines.join("\n\n"));
    assert_eq!(hall.stop().await.0, 0);
}

/// A model that writes a long answer, a word in so many milliseconds.
fn writes_long(stage: &Stage, token_ms: u64) -> String {
    let story = "The bees fly out in the morning and come home in the evening. ".repeat(30);
    answer(stage, &[("bees", story.trim_end())]);
    let token_ms = Some(token_ms);
    stage.rehearsal.models().configure(SettingsChange { token_ms, ..SettingsChange::default() });
    story.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_group_an_answer_is_shown_while_it_is_written_in_one_message_also_when_killed() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.say_in(Some(GROUP), None, BEN, "@guildhall_bot Good morning.", None);
    stage.heard(GROUP, 0, "Reply to").await;
    let story = writes_long(&stage, 12);
    let before = stage.sent_to(GROUP).len();
    let asks = "@guildhall_bot How do bees live?";
    let question = stage.say_in(Some(GROUP), None, BEN, asks, None);
    let edits = || calls(&stage, "editMessageText", GROUP);
    let is_whole = || edits().last().is_some_and(|it| it.text == story);
    wait_until("the answer is whole", SOON, is_whole).await;
    nothing_waits(&stage).await;
    let marks = || calls(&stage, "setMessageReaction", GROUP);
    wait_until("the sign is taken off", SOON, || marks().len() == 2).await;
    let signs: Vec<_> = marks().iter().map(|it| (it.message_id, it.text.clone())).collect();
    assert_eq!(signs, [(question, "👀".to_owned()), (question, String::new())]);
    let sent = stage.sent_to(GROUP).split_off(before);
    assert_eq!(sent.len(), 1, "{}", shown(&sent));
    assert!(sent[0].text.ends_with(" …") && story.starts_with(sent[0].text.trim_end_matches(" …")));
    let edits = edits();
    assert!(edits.iter().all(|it| it.message_id == sent[0].message_id));
    let shown_so_far = edits.split_last().unwrap().1;
    assert!(2 <= shown_so_far.len(), "{} edits", edits.len());
    for (one, next) in shown_so_far.iter().zip(&shown_so_far[1..]) {
        assert!(990 <= next.at - one.at, "edited again after {} ms", next.at - one.at);
        assert!(one.text.len() + 200 <= next.text.len());
    }

    let (before, edited) = (stage.sent_to(GROUP).len(), edits.len());
    stage.say_in(Some(GROUP), None, BEN, "@guildhall_bot Again: how do bees live?", None);
    wait_until("it is shown", SOON, || before < stage.sent_to(GROUP).len()).await;
    hall.kill().await;
    let hall = stage.open().await;
    let edits = || calls(&stage, "editMessageText", GROUP).split_off(edited);
    wait_until("it is whole", SOON, || edits().last().is_some_and(|it| it.text == story)).await;
    nothing_waits(&stage).await;
    let sent = stage.sent_to(GROUP).split_off(before);
    assert_eq!(sent.len(), 1, "the answer came beside what was shown: {}", shown(&sent));
    assert!(edits().iter().all(|it| it.message_id == sent[0].message_id));
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_button_under_what_is_being_written_stops_it_also_before_the_first_word() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Good morning.", "Reply to").await;
    slow(&stage, 600_000);
    let drafts = || calls(&stage, "sendMessageDraft", BEN);
    let before = drafts().len();
    let say = Say { person: BEN, text: "Take your time.".to_owned(), ..Say::default() };
    let world = stage.rehearsal.world();
    let said = world.say(&say).unwrap();
    wait_until("it thinks", SOON, || before < drafts().len()).await;
    assert_eq!(drafts().last().unwrap().text, "", "shown as thinking");
    let draft = said.updates[0].1.rem_euclid(1 << 30) + 1;
    let sent = stage.sent_to(BEN).len();
    world.stop(BEN, None, draft).unwrap();
    stage.heard(BEN, sent, "Stopped.").await;
    nothing_waits(&stage).await;
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_to_an_agent_begins_a_conversation_with_it() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "/start ask_scribe", "You are now talking to scribe").await;
    stage.exchange(BEN, "/start ask_nobody", "There is no agent called").await;
    stage.exchange(BEN, "/start something", "Hello, Ben!").await;
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_says_what_it_is_where_nobody_has_said_so() {
    let stage = Stage::set().await;
    let world = stage.rehearsal.world();
    let call = |method: &str, body: &str| -> Value {
        let answer = world.call(TOKEN, method, body).unwrap();
        serde_json::from_slice(&answer).unwrap()
    };
    call("setMyShortDescription", r#"{"short_description":"Our own words."}"#);
    let hall = stage.open().await;
    let said = || call("getMyDescription", "{}")["description"].as_str().unwrap().to_owned();
    wait_until("it says what it is", SOON, || said().contains("AI agents that answer here")).await;
    let menus = || stage.rehearsal.world().stats().calls.get("setMyCommands").copied();
    wait_until("the menus are set", SOON, || menus() >= Some(2)).await;
    let short = call("getMyShortDescription", "{}");
    assert_eq!(short["short_description"], "Our own words.", "an operator's words stand");
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_blocks_the_bot_is_left_alone_and_finds_their_conversation_again() {
    let stage = Stage::set().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "I like lanterns.", "Reply to").await;
    slow(&stage, 1_000);
    let world = stage.rehearsal.world();
    let asked_before = asked(&stage).len();
    stage.say(BEN, "And now?");
    wait_until("a model is asked", SOON, || asked_before < asked(&stage).len()).await;
    let sent = stage.sent_to(BEN).len();
    world.block(BEN, world.first_bot_id(), true).unwrap();
    stage.metrics_with("guildhall_replies_total{result=\"undeliverable\"} 1").await;
    nothing_waits(&stage).await;
    let refused = || world.history().refused.iter().filter(|it| it.code == 403).count();
    let tried = refused();
    world.block(BEN, world.first_bot_id(), false).unwrap();
    nothing_waits(&stage).await;
    assert_eq!(
        (stage.sent_to(BEN).len(), refused()),
        (sent, tried),
        "nothing is sent again by itself"
    );
    slow(&stage, 0);
    stage.exchange(BEN, "What do I like?", "Reply to").await;
    let request = stage.rehearsal.models().requests().pop().unwrap();
    assert!(texts(&request.body).join("\n").contains("I like lanterns."), "{}", request.body);
    assert_eq!(hall.stop().await.0, 0);
}
