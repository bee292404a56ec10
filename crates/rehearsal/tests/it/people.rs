//! What people do in groups and on their pages.

use futures::StreamExt;
use rehearsal::Say;
use serde_json::{Value, json};

use crate::{ADA, BEN, BOT, FORUM, GROUP, Hall};

#[tokio::test]
async fn privacy_mode_lets_through_what_is_meant_for_the_bot() {
    let hall = Hall::open().await;
    let heard = |text: &str| !hall.say_in(GROUP, BEN, text).updates.is_empty();
    assert!(!heard("good morning"));
    assert!(!heard("/ask@other_bot x"));
    assert!(heard("hi @Hall_Bot"));
    assert!(heard("/ask@hall_bot x"));
    assert!(heard("/ask x"));
    let sent = hall.ok("sendMessage", json!({"chat_id": GROUP, "text": "yes?"})).await;
    let reply = Say {
        person: BEN,
        chat: Some(GROUP),
        text: "thanks".to_owned(),
        reply_to: sent["message_id"].as_i64(),
        ..Say::default()
    };
    assert_eq!(hall.rehearsal.world().say(&reply).unwrap().updates.len(), 1);
}

#[tokio::test]
async fn group_messages_carry_entities_and_topics() {
    let hall = Hall::open().await;
    let say = json!({"person": BEN, "chat": FORUM, "topic": 7, "text": "@hall_bot /ask 😀"});
    hall.post("/ctl/text", say).await;
    let updates = hall.ok("getUpdates", json!({})).await;
    let message = &updates[0]["message"];
    assert_eq!(message["message_thread_id"], 7);
    assert_eq!(message["is_topic_message"], true);
    assert_eq!(message["chat"]["is_forum"], true);
    assert_eq!(
        message["entities"],
        json!([{"type": "mention", "offset": 0, "length": 9}, {"type": "bot_command", "offset": 10, "length": 4}])
    );
}

#[tokio::test]
async fn a_group_that_migrates_says_where_it_went() {
    let hall = Hall::open().await;
    let new = hall.post("/ctl/migrate", json!({"chat": GROUP})).await["chat"].as_i64().unwrap();
    let refused = hall.call("sendMessage", json!({"chat_id": GROUP, "text": "x"})).await;
    assert_eq!(
        refused,
        json!({"ok": false, "error_code": 400,
            "description": "Bad Request: group chat was upgraded to a supergroup chat",
            "parameters": {"migrate_to_chat_id": new}})
    );
    hall.ok("sendMessage", json!({"chat_id": new, "text": "x"})).await;
    let updates = hall.ok("getUpdates", json!({})).await;
    assert_eq!(updates[0]["message"]["migrate_to_chat_id"], new);
    assert_eq!(updates[1]["message"]["migrate_from_chat_id"], GROUP);
}

#[tokio::test]
async fn a_person_who_blocks_the_bot_is_out_of_reach() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    hall.post("/ctl/block", json!({"person": ADA, "blocked": true})).await;
    assert_eq!(
        hall.refused("sendMessage", json!({"chat_id": ADA, "text": "x"})).await,
        "403 Forbidden: bot was blocked by the user"
    );
    let updates = hall.ok("getUpdates", json!({})).await;
    assert_eq!(updates[1]["my_chat_member"]["new_chat_member"]["status"], "kicked");
}

#[tokio::test]
async fn the_menu_is_the_narrowest_scope_in_the_persons_language() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let set = |name: &str, scope: Value, language: &str| json!({"commands": [{"command": name, "description": "d"}], "scope": scope, "language_code": language});
    hall.ok("setMyCommands", set("general", json!({"type": "default"}), "")).await;
    hall.ok("setMyCommands", set("private", json!({"type": "all_private_chats"}), "")).await;
    hall.ok("setMyCommands", set("english", json!({"type": "all_private_chats"}), "en")).await;
    hall.ok("setMyCommands", set("ada", json!({"type": "chat", "chat_id": ADA}), "")).await;
    let menu = async |person: i64, chat: i64| {
        let menu = hall.get(&format!("/chat/commands?person={person}&chat={chat}")).await;
        menu["commands"][0]["command"].as_str().unwrap_or("none").to_owned()
    };
    assert_eq!(menu(ADA, BOT).await, "ada");
    assert_eq!(menu(BEN, BOT).await, "english");
    assert_eq!(menu(BEN, GROUP).await, "general");
    hall.ok("deleteMyCommands", json!({"scope": {"type": "chat", "chat_id": ADA}})).await;
    assert_eq!(menu(ADA, BOT).await, "english");
    assert_eq!(
        hall.refused("setMyCommands", set("Bad Name", json!({"type": "default"}), "")).await,
        "400 Bad Request: BOT_COMMAND_INVALID"
    );
    let got = hall.ok("getMyCommands", json!({})).await;
    assert_eq!(got, json!([{"command": "general", "description": "d"}]));
}

/// Reads events of a page until `count` came, keep-alives aside.
async fn events(
    hall: &Hall,
    person: i64,
    count: usize,
    act: impl AsyncFnOnce(),
) -> Vec<(String, Value)> {
    let url = format!("{}/chat/events?person={person}", hall.rehearsal.url());
    let response = hall.client.get(url).send().await.unwrap();
    let mut stream = response.bytes_stream();
    let mut text = String::new();
    let mut act = Some(act);
    loop {
        let chunk = stream.next().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        if text.matches("\n\n").count() > 0
            && let Some(act) = act.take()
        {
            act().await;
        }
        if text.matches("\n\n").count() >= count {
            break;
        }
    }
    let event = |block: &str| {
        let field = |name: &str| {
            block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
        };
        (field("event:").to_owned(), serde_json::from_str(field("data:")).unwrap())
    };
    text.split("\n\n").filter(|block| !block.is_empty()).map(event).collect()
}

#[tokio::test]
async fn a_page_begins_with_a_snapshot_and_sees_what_happens() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let seen = events(&hall, ADA, 7, async || {
        hall.ok("sendChatAction", json!({"chat_id": ADA, "action": "typing"})).await;
        hall.ok("sendMessageDraft", json!({"chat_id": ADA, "draft_id": 3})).await;
        let sent = hall.ok("sendMessage", json!({"chat_id": ADA, "text": "one"})).await;
        let id = &sent["message_id"];
        hall.ok("editMessageText", json!({"chat_id": ADA, "message_id": id, "text": "two"})).await;
        hall.ok("deleteMessage", json!({"chat_id": ADA, "message_id": id})).await;
    })
    .await;
    let names: Vec<_> = seen.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["snapshot", "action", "draft", "message", "draft_end", "edit", "delete"]);
    assert_eq!(seen[0].1["chats"][0]["id"], BOT);
    assert_eq!(seen[0].1["chats"][0]["messages"][0]["text"], "hello");
    assert_eq!(
        seen[2].1,
        json!({"chat": BOT, "draft_id": 3, "text": "Thinking…", "entities": [], "can_stop": false})
    );
    assert_eq!(seen[3].1["from"], json!({"id": BOT, "name": "Hall", "is_bot": true}));
    assert_eq!(seen[5].1["text"], "two");
}
