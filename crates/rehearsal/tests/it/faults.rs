//! Faults on demand, seen by the bot.

use std::time::Duration;

use rehearsal::{Faults, FloodLimits};
use serde_json::json;

use crate::{ADA, Hall};

#[tokio::test]
async fn a_429_says_how_long_and_the_refusal_is_recorded() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let faults = json!({"too_many": 1.0, "retry_after": [3, 3]});
    hall.post("/ctl/faults", faults).await;
    let refused = hall.call("sendMessage", json!({"chat_id": ADA, "text": "x"})).await;
    assert_eq!(refused["description"], "Too Many Requests: retry after 3");
    assert_eq!(refused["parameters"]["retry_after"], 3);
    hall.ok("getMe", json!({})).await;
    let history = hall.rehearsal.world().history();
    assert_eq!(history.refused[0].retry_after, Some(3));
    assert!(history.calls.is_empty());
}

#[tokio::test]
async fn flood_limits_are_enforced_when_they_are_on() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let limits = FloodLimits { chat_burst: 2, ..FloodLimits::default() };
    hall.rehearsal.world().set_flood(limits);
    for _ in 0..2 {
        hall.ok("sendMessage", json!({"chat_id": ADA, "text": "x"})).await;
    }
    let refused = hall.refused("sendMessage", json!({"chat_id": ADA, "text": "x"})).await;
    assert_eq!(refused, "429 Too Many Requests: retry after 1");
}

#[tokio::test]
async fn a_dropped_connection_is_dropped_before_or_after_the_message() {
    let hall = Hall::open().await;
    hall.say(ADA, "hello");
    let send = || {
        let request = hall.client.post(hall.url("sendMessage"));
        request.json(&json!({"chat_id": ADA, "text": "x"})).send()
    };
    hall.rehearsal.world().set_faults(Faults { drop_before: 1.0, ..Faults::default() });
    assert!(send().await.is_err());
    assert_eq!(hall.rehearsal.world().sent_to(ADA).len(), 0);
    hall.rehearsal.world().set_faults(Faults { drop_after: 1.0, ..Faults::default() });
    assert!(send().await.is_err());
    assert_eq!(hall.rehearsal.world().sent_to(ADA).len(), 1);
}

#[tokio::test]
async fn a_bad_gateway_is_a_page_and_a_stall_never_answers() {
    let hall = Hall::open().await;
    hall.rehearsal.world().set_faults(Faults {
        bad_gateway: 1.0,
        methods: vec!["getMe".to_owned()],
        stalls: 1,
        conflicts: 1,
        ..Faults::default()
    });
    let get = |method: &str| hall.client.get(hall.url(method)).timeout(Duration::from_millis(200));
    assert!(get("getMe").send().await.unwrap_err().is_timeout());
    assert_eq!(get("getUpdates").send().await.unwrap().status(), 409);
    let page = get("getMe").send().await.unwrap();
    assert_eq!(page.status(), 502);
    assert!(page.text().await.unwrap().contains("<h1>502 Bad Gateway</h1>"));
}
