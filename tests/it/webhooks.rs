//! Webhook mode: Telegram calls the hall.

use std::time::Duration;

use end_to_end::{BEN, Stage, TOKEN, judge};

const SECRET: &str = "a-secret-of-more-than-thirty-two-letters";

/// A stage in webhook mode.
async fn hooked() -> Stage {
    let mut stage = Stage::set().await;
    let addr = format!("127.0.0.1:{}", stage.another_port());
    let url = format!("http://{addr}/telegram");
    stage.set_env([
        ("TELEGRAM_WEBHOOK_URL", url.as_str()),
        ("TELEGRAM_WEBHOOK_ADDR", addr.as_str()),
        ("TELEGRAM_WEBHOOK_SECRET", SECRET),
    ]);
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_secret_or_none_is_refused_before_anything_starts() {
    let mut stage = hooked().await;
    for secret in ["short", ""] {
        stage.set_env([("TELEGRAM_WEBHOOK_SECRET", secret)]);
        let (code, _, error) = stage.command(&["run"]).await;
        assert!(code == 78 && error.contains("TELEGRAM_WEBHOOK_SECRET"), "{code}: {error}");
    }
    stage.env.remove("TELEGRAM_WEBHOOK_SECRET");
    let (code, _, error) = stage.command(&["run"]).await;
    assert!(code == 78 && error.contains("TELEGRAM_WEBHOOK_SECRET"), "{code}: {error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_telegram_delivers_is_answered_also_what_came_while_the_hall_was_down() {
    let stage = hooked().await;
    let hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    hall.kill().await;
    stage.ask(BEN, 1);
    stage.ask(BEN, 2);
    let hall = stage.open().await;
    stage.all_answered(Duration::from_secs(20)).await;
    judge(&stage.rehearsal.world().history()).check(1);
    assert_eq!(hall.stop().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_call_is_refused_and_changes_nothing() {
    let stage = hooked().await;
    let _hall = stage.open().await;
    stage.exchange(BEN, "Hello. [ask:u1002n0]", "[answer:u1002n0]").await;
    let before = stage.sent_to(BEN).len();
    let forged = r#"{"update_id":5,"message":{"message_id":9,"date":1,"from":{"id":1001,"is_bot":false,"first_name":"Ada"},"chat":{"id":1002,"type":"private"},"text":"/start"}}"#;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let header = "X-Telegram-Bot-Api-Secret-Token";
    let longer = format!("{SECRET}x");
    let info = stage.rehearsal.world().call(TOKEN, "getWebhookInfo", "{}").unwrap();
    let info: serde_json::Value = serde_json::from_slice(&info).unwrap();
    let url = info["url"].as_str().unwrap();
    for secret in [None, Some(""), Some("wrong"), Some(&SECRET[1..]), Some(longer.as_str())] {
        let mut call = client.post(url).body(forged);
        if let Some(secret) = secret {
            call = call.header(header, secret);
        }
        assert_eq!(call.send().await.unwrap().status().as_u16(), 401, "{secret:?}");
    }
    let base = url.rsplit_once("/telegram/").unwrap().0;
    let call = client.post(format!("{base}/")).header(header, SECRET).body(forged);
    assert_eq!(call.send().await.unwrap().status().as_u16(), 404, "at another path");
    stage.exchange(BEN, "Hello. [ask:u1002n1]", "[answer:u1002n1]").await;
    let heard = end_to_end::shown(&stage.sent_to(BEN)[before..]);
    assert!(!heard.contains("Hello, Ada"), "{heard}");
}
