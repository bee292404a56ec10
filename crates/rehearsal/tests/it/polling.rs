//! `getUpdates`: confirmation, redelivery, long polls and conflicts.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{ADA, BOT, Hall, TOKEN, ids};

#[tokio::test]
async fn updates_come_again_until_an_offset_confirms_them() {
    let hall = Hall::open().await;
    (0..3).for_each(|n| {
        hall.say(ADA, &format!("m{n}"));
    });
    let first = ids(&hall.ok("getUpdates", json!({})).await);
    assert_eq!(first.len(), 3);
    assert!(first.windows(2).all(|pair| pair[1] == pair[0] + 1), "sequential: {first:?}");
    assert_eq!(ids(&hall.ok("getUpdates", json!({"limit": 2})).await), first[..2]);
    let rest = ids(&hall.ok("getUpdates", json!({"offset": first[1]})).await);
    assert_eq!(rest, first[1..]);
    assert!(ids(&hall.ok("getUpdates", json!({"offset": first[2] + 1})).await).is_empty());
    let history = hall.rehearsal.world().history();
    assert!(history.updates.iter().all(|u| u.fetched.is_some() && u.confirmed.is_some()));
}

#[tokio::test]
async fn a_negative_offset_forgets_all_but_the_last() {
    let hall = Hall::open().await;
    (0..5).for_each(|_| {
        hall.say(ADA, "x");
    });
    assert_eq!(ids(&hall.ok("getUpdates", json!({"offset": -2})).await).len(), 2);
    assert_eq!(hall.rehearsal.world().pending(BOT).unwrap(), 2);
}

#[tokio::test]
async fn a_long_poll_wakes_at_once_and_an_empty_one_ends_in_time() {
    let hall = Hall::open().await;
    let began = Instant::now();
    let (updates, ()) = tokio::join!(hall.ok("getUpdates", json!({"timeout": 30})), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        hall.say(ADA, "wake up");
    });
    assert_eq!(updates[0]["message"]["text"], "wake up");
    assert!(began.elapsed() < Duration::from_secs(5));
    let offset = updates[0]["update_id"].as_i64().unwrap() + 1;
    let empty = hall.ok("getUpdates", json!({"timeout": 1, "offset": offset})).await;
    assert!(ids(&empty).is_empty());
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_second_poller_ends_the_first() {
    let hall = Hall::open().await;
    let first = hall.call("getUpdates", json!({"timeout": 30}));
    let second = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        hall.call("getUpdates", json!({"timeout": 1})).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first["error_code"], 409);
    assert_eq!(
        first["description"],
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    );
    assert_eq!(second["ok"], true);
}

#[tokio::test]
async fn a_webhook_blocks_polling_and_ends_the_poll_under_way() {
    let hall = Hall::open().await;
    let poll = hall.call("getUpdates", json!({"timeout": 30}));
    let set = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        hall.ok("setWebhook", json!({"url": "http://127.0.0.1:9/"})).await
    };
    let (poll, _) = tokio::join!(poll, set);
    assert_eq!(poll["description"], "Conflict: terminated by setWebhook request");
    assert_eq!(
        hall.refused("getUpdates", json!({})).await,
        "409 Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    );
    hall.ok("deleteWebhook", json!({})).await;
    hall.ok("getUpdates", json!({})).await;
}

#[tokio::test]
async fn allowed_updates_are_remembered_and_unknown_kinds_pass() {
    let hall = Hall::open().await;
    hall.ok("getUpdates", json!({"allowed_updates": ["callback_query"]})).await;
    hall.say(ADA, "not wanted");
    let pushed = hall.post("/ctl/push", json!({"widget_query": {"id": "1"}})).await;
    assert_eq!(pushed["queued"], true);
    let updates = hall.ok("getUpdates", json!({})).await;
    assert_eq!(updates.as_array().map(Vec::len), Some(1));
    assert_eq!(updates[0]["widget_query"]["id"], "1");
}

#[tokio::test]
async fn an_update_with_a_strange_id_is_handed_out_whatever_the_offset_says() {
    let hall = Hall::open().await;
    hall.say(ADA, "usual");
    let usual = ids(&hall.ok("getUpdates", json!({})).await)[0];
    hall.post("/ctl/push", json!({"update_id": 5, "message": {"text": "old"}})).await;
    let updates = hall.ok("getUpdates", json!({"offset": usual + 1})).await;
    assert_eq!(ids(&updates), [5]);
    assert!(ids(&hall.ok("getUpdates", json!({"offset": usual + 1})).await).is_empty());
}

#[tokio::test]
async fn a_jump_to_lower_ids_reaches_a_bot_with_a_stale_offset() {
    let hall = Hall::open().await;
    hall.rehearsal.world().jump_update_id(BOT, 2_000_000_000).unwrap();
    hall.say(ADA, "before");
    hall.ok("getUpdates", json!({"offset": 2_000_000_001})).await;
    hall.rehearsal.world().jump_update_id(BOT, 1000).unwrap();
    hall.say(ADA, "after the quiet week");
    let updates = hall.ok("getUpdates", json!({"offset": 2_000_000_001})).await;
    assert_eq!(updates[0]["message"]["text"], "after the quiet week");
}

#[tokio::test]
async fn tokens_and_methods_that_do_not_exist_are_refused() {
    let hall = Hall::open().await;
    let url = format!("{}/bot1:x/getMe", hall.rehearsal.url());
    let answer = hall.client.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer, json!({"ok": false, "error_code": 401, "description": "Unauthorized"}));
    assert_eq!(hall.refused("flyToTheMoon", json!({})).await, "404 Not Found");
    assert_eq!(hall.ok("banChatMember", json!({"chat_id": 1, "user_id": 2})).await, true);
    assert!(hall.refused("banChatMember", json!({"chat_id": 1})).await.starts_with("400 "));
    assert!(hall.refused("getStarTransactions", json!({})).await.starts_with("501 "));
}

#[tokio::test]
async fn parameters_come_by_query_form_and_multipart_too() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let url =
        format!("{}/bot{TOKEN}/getupdates?limit=1&allowed_updates=%5B%5D", hall.rehearsal.url());
    let answer: Value = hall.client.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(ids(&answer["result"]).len(), 1);
    let form = hall.client.post(hall.url("sendMessage"));
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(format!("chat_id={ADA}&text=a+%26+b"));
    let answer: Value = form.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["result"]["text"], "a & b");
    let form = reqwest::multipart::Form::new().text("chat_id", ADA.to_string()).text("text", "c");
    let answer = hall.client.post(hall.url("sendMessage")).multipart(form).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["result"]["text"], "c");
}

#[tokio::test]
async fn parameters_the_api_does_not_know_are_counted() {
    let hall = Hall::open().await;
    hall.ok("getMe", json!({})).await;
    assert_eq!(hall.get("/ctl/stats").await["unknown_params"], json!({}));
    hall.ok("getMe", json!({"verbose": 1})).await;
    assert_eq!(hall.get("/ctl/stats").await["unknown_params"], json!({"getMe.verbose": 1}));
}
