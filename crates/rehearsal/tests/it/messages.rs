//! Sending, editing, answering: results and refusals in Telegram's words.

use rehearsal::Press;
use serde_json::{Value, json};

use crate::{ADA, BEN, BOT, FORUM, GROUP, Hall, OLD_QUERY};

#[tokio::test]
async fn a_message_comes_back_as_telegram_writes_it() {
    let hall = Hall::open().await;
    let asked = hall.say(ADA, "hello");
    let sent = hall
        .ok(
            "sendMessage",
            json!({
                "chat_id": ADA, "text": "<b>hi</b> /start", "parse_mode": "HTML",
                "reply_parameters": {"message_id": asked},
                "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "d"}]]},
            }),
        )
        .await;
    assert_eq!(sent["message_id"], asked + 1);
    assert_eq!(sent["from"]["id"], BOT);
    assert_eq!(sent["chat"]["type"], "private");
    assert_eq!(sent["text"], "hi /start");
    assert_eq!(
        sent["entities"],
        json!([{"type": "bold", "offset": 0, "length": 2}, {"type": "bot_command", "offset": 3, "length": 6}])
    );
    assert_eq!(sent["reply_to_message"]["text"], "hello");
    assert_eq!(sent["reply_markup"]["inline_keyboard"][0][0]["text"], "x");
    let history = hall.get("/ctl/history").await;
    assert_eq!(history["calls"][0]["text"], "hi /start");
    assert_eq!(history["calls"][0]["reply_to"], asked);
}

#[tokio::test]
async fn texts_are_refused_in_telegrams_words() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let send = |text: String| hall.refused("sendMessage", json!({"chat_id": ADA, "text": text}));
    assert_eq!(send(String::new()).await, "400 Bad Request: message text is empty");
    assert_eq!(send("  \n".to_owned()).await, "400 Bad Request: message text is empty");
    assert_eq!(send("x".repeat(4097)).await, "400 Bad Request: message is too long");
    assert_eq!(send("😀".repeat(2049)).await, "400 Bad Request: message is too long");
    hall.ok("sendMessage", json!({"chat_id": ADA, "text": "😀".repeat(2048)})).await;
    assert_eq!(
        hall.refused("sendMessage", json!({"chat_id": ADA, "text": "<b>x", "parse_mode": "HTML"}))
            .await,
        "400 Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\""
    );
    assert_eq!(
        hall.refused("sendMessage", json!({"chat_id": 42, "text": "x"})).await,
        "400 Bad Request: chat not found"
    );
    assert_eq!(
        hall.refused("sendMessage", json!({"chat_id": BEN, "text": "x"})).await,
        "403 Forbidden: bot can't initiate conversation with a user"
    );
    assert_eq!(
        hall.refused("sendMessage", json!({"text": "x"})).await,
        "400 Bad Request: chat_id is empty"
    );
    let lost = json!({"chat_id": ADA, "text": "x", "reply_parameters": {"message_id": 999}});
    assert_eq!(
        hall.refused("sendMessage", lost).await,
        "400 Bad Request: message to be replied not found"
    );
    hall.ok(
        "sendMessage",
        json!({"chat_id": ADA, "text": "x",
        "reply_parameters": {"message_id": 999, "allow_sending_without_reply": true}}),
    )
    .await;
}

#[tokio::test]
async fn edits_must_change_something_that_is_there_and_ours() {
    let hall = Hall::open().await;
    let theirs = hall.say(ADA, "hello");
    let sent = hall.ok("sendMessage", json!({"chat_id": ADA, "text": "one"})).await;
    let id = &sent["message_id"];
    let edit = |id: &Value, text: &str| json!({"chat_id": ADA, "message_id": id, "text": text});
    let edited = hall.ok("editMessageText", edit(id, "two")).await;
    assert_eq!(edited["text"], "two");
    assert!(edited["edit_date"].is_i64());
    assert!(
        hall.refused("editMessageText", edit(id, "two"))
            .await
            .starts_with("400 Bad Request: message is not modified")
    );
    assert_eq!(
        hall.refused("editMessageText", edit(&json!(999), "x")).await,
        "400 Bad Request: message to edit not found"
    );
    assert_eq!(
        hall.refused("editMessageText", edit(&json!(theirs), "x")).await,
        "400 Bad Request: message can't be edited"
    );
    assert_eq!(hall.ok("deleteMessage", json!({"chat_id": ADA, "message_id": id})).await, true);
    assert_eq!(
        hall.refused("deleteMessage", json!({"chat_id": ADA, "message_id": id})).await,
        "400 Bad Request: message to delete not found"
    );
}

#[tokio::test]
async fn a_pin_is_named_by_get_chat_until_it_is_taken_off_and_in_groups_only_an_admin_pins() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let markup = json!({"inline_keyboard": [[{"text": "x", "callback_data": "st:refresh"}]]});
    let send = json!({"chat_id": ADA, "text": "one", "reply_markup": markup});
    let first = hall.ok("sendMessage", send.clone()).await["message_id"].clone();
    let second = hall.ok("sendMessage", send).await["message_id"].clone();
    let of = |id: &Value| json!({"chat_id": ADA, "message_id": id});
    let pinned = async || {
        hall.ok("getChat", json!({"chat_id": ADA})).await["pinned_message"]["message_id"].clone()
    };
    assert_eq!(pinned().await, Value::Null);
    assert_eq!(hall.ok("pinChatMessage", of(&first)).await, true);
    assert_eq!(hall.ok("pinChatMessage", of(&second)).await, true);
    assert_eq!(pinned().await, second, "the newest");
    let chat = hall.ok("getChat", json!({"chat_id": ADA})).await;
    let key = &chat["pinned_message"]["reply_markup"]["inline_keyboard"][0][0];
    assert_eq!(key["callback_data"], "st:refresh");
    assert_eq!(hall.ok("unpinChatMessage", of(&second)).await, true);
    assert_eq!(pinned().await, first);
    assert_eq!(
        hall.refused("unpinChatMessage", of(&second)).await,
        "400 Bad Request: message to unpin not found"
    );
    assert_eq!(
        hall.refused("pinChatMessage", of(&json!(999))).await,
        "400 Bad Request: message to pin not found"
    );
    assert_eq!(hall.ok("unpinAllChatMessages", json!({"chat_id": ADA})).await, true);
    assert_eq!(pinned().await, Value::Null);
    let group = hall.ok("sendMessage", json!({"chat_id": GROUP, "text": "x"})).await;
    let pin = json!({"chat_id": GROUP, "message_id": group["message_id"]});
    assert_eq!(
        hall.refused("pinChatMessage", pin).await,
        "400 Bad Request: not enough rights to manage pinned messages in the chat"
    );
}

#[tokio::test]
async fn a_pressed_button_is_answered_once() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let markup = json!({"inline_keyboard": [[{"text": "x", "callback_data": "d"}]]});
    let sent = hall
        .ok("sendMessage", json!({"chat_id": ADA, "text": "press", "reply_markup": markup}))
        .await;
    let message_id = sent["message_id"].as_i64().unwrap();
    let press = Press { person: ADA, chat: Some(BOT), message_id, data: "d\"".to_owned() };
    let id = hall.rehearsal.world().press(&press).unwrap();
    let updates = hall.ok("getUpdates", json!({})).await;
    let query = &updates[1]["callback_query"];
    assert_eq!(query["data"], "d\"");
    assert_eq!(query["message"]["text"], "press");
    assert_eq!(query["from"]["id"], ADA);
    let answer = json!({"callback_query_id": id, "text": "ok"});
    assert_eq!(hall.ok("answerCallbackQuery", answer.clone()).await, true);
    assert_eq!(hall.refused("answerCallbackQuery", answer).await, format!("400 {OLD_QUERY}"));
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let file = reqwest::multipart::Part::bytes(b"# long".to_vec()).file_name("answer.md");
    let form = reqwest::multipart::Form::new()
        .text("chat_id", ADA.to_string())
        .text("caption", "all of it")
        .part("document", file);
    let answer = hall.client.post(hall.url("sendDocument")).multipart(form).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    let message = &answer["result"];
    assert_eq!(message["caption"], "all of it");
    assert_eq!(message["document"]["file_name"], "answer.md");
    let file_id = &message["document"]["file_id"];
    let file = hall.ok("getFile", json!({"file_id": file_id})).await;
    let path = file["file_path"].as_str().unwrap();
    let url = format!("{}/file/bot{}/{path}", hall.rehearsal.url(), crate::TOKEN);
    let bytes = hall.client.get(url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(&bytes[..], b"# long");
    assert_eq!(
        hall.refused("getFile", json!({"file_id": "none"})).await,
        "400 Bad Request: invalid file_id"
    );
}

#[tokio::test]
async fn drafts_live_in_private_chats_under_an_id() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let draft = |chat: i64, id: i64| json!({"chat_id": chat, "draft_id": id, "text": "wri"});
    assert_eq!(hall.ok("sendMessageDraft", draft(ADA, 5)).await, true);
    assert_eq!(hall.ok("sendMessageDraft", json!({"chat_id": ADA, "draft_id": 6})).await, true);
    assert_eq!(
        hall.refused("sendMessageDraft", draft(ADA, 0)).await,
        "400 Bad Request: draft_id must be non-zero"
    );
    assert_eq!(
        hall.refused("sendMessageDraft", draft(GROUP, 5)).await,
        "400 Bad Request: method is available only in private chats"
    );
    let stop = json!({"person": ADA, "chat": BOT, "draft_id": 5});
    hall.post("/chat/stop", stop).await;
    let updates = hall.ok("getUpdates", json!({})).await;
    let stopped = &updates[1]["stopped_message_generation"];
    assert_eq!(stopped["draft_id"], 5);
    assert_eq!(stopped["chat"]["id"], ADA);
}

#[tokio::test]
async fn topics_are_checked_and_general_is_refused_in_sends() {
    let hall = Hall::open().await;
    let send = |thread: i64| json!({"chat_id": FORUM, "message_thread_id": thread, "text": "x"});
    let sent = hall.ok("sendMessage", send(7)).await;
    assert_eq!(sent["message_thread_id"], 7);
    assert_eq!(sent["is_topic_message"], true);
    for thread in [1, 8] {
        assert_eq!(
            hall.refused("sendMessage", send(thread)).await,
            "400 Bad Request: message thread not found"
        );
    }
    let typing = json!({"chat_id": FORUM, "message_thread_id": 1, "action": "typing"});
    hall.ok("sendChatAction", typing).await;
}

#[tokio::test]
async fn rich_messages_take_markdown() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let rich = json!({"chat_id": ADA, "rich_message": {"markdown": "# Title\n\nBody **bold**"}});
    let sent = hall.ok("sendRichMessage", rich).await;
    let bold = json!(["Body ", {"type": "bold", "text": "bold"}]);
    assert_eq!(sent["rich_message"]["blocks"][1]["text"], bold);
    let wide = format!("|{}\n|{}", " a |".repeat(21), "---|".repeat(21));
    let too_much = [wide, "- a\n".repeat(501), "> ".repeat(17) + "a", "x".repeat(32_769)];
    for markdown in too_much {
        let rich = json!({"chat_id": ADA, "rich_message": {"markdown": markdown}});
        assert!(hall.refused("sendRichMessage", rich).await.starts_with("400 "));
    }
    let both = json!({"chat_id": ADA, "rich_message": {"markdown": "x", "html": "y"}});
    assert!(hall.refused("sendRichMessage", both).await.starts_with("400 "));
}

#[tokio::test]
async fn reactions_are_one_of_telegrams_emoji() {
    let hall = Hall::open().await;
    let id = hall.say(ADA, "hello");
    let react = |emoji: &str| json!({"chat_id": ADA, "message_id": id, "reaction": [{"type": "emoji", "emoji": emoji}]});
    assert_eq!(hall.ok("setMessageReaction", react("👀")).await, true);
    assert_eq!(
        hall.refused("setMessageReaction", react("🦀")).await,
        "400 Bad Request: REACTION_INVALID"
    );
}
