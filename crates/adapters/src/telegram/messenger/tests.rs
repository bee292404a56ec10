//! The port's rules, against a Bot API that answers as scripted.

use std::error::Error;

use protocol::ChatId;
use serde_json::{Value, json};

use super::*;
use crate::telegram::testing::{FakeApi, GET_ME, TOKEN, TRUE};

const SENT: &str =
    r#"{"ok":true,"result":{"message_id":77,"date":0,"chat":{"id":5,"type":"guild"}}}"#;
const HERE: Address = Address { chat: ChatId(5), topic: None };

fn config(api_url: &str) -> TelegramConfig {
    let endpoint =
        Endpoint { api_url: api_url.to_owned(), token: TOKEN.into(), plain_http_allowed: false };
    TelegramConfig { endpoint, webhook: None, observer: None, hears_bots: false }
}

/// A bot connected to an API that then gives these answers.
async fn connected(answers: &[(u16, &str)]) -> (TelegramBot, FakeApi) {
    let script = [&[(200, GET_ME), (200, TRUE)], answers].concat();
    let api = FakeApi::answering(&script).await;
    let bot = TelegramBot::connect(&config(&api.url)).await.expect("connects");
    (bot, api)
}

/// What sending says when the API answers so.
async fn refusal(status: u16, body: &str) -> MessengerError {
    let (bot, _api) = connected(&[(status, body)]).await;
    bot.send(HERE, &Part::plain("hello"), None).await.expect_err("the send is refused")
}

/// Everything an error can print: itself, its causes, and all of that for debugging.
fn all_words(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(|error| format!("{error} | {error:?}\n")).collect()
}

#[tokio::test]
async fn connecting_asks_who_we_are_and_keeps_waiting_updates() {
    let (bot, api) = connected(&[]).await;
    let identity = BotIdentity {
        id: BotId(4242),
        username: "HallBot".to_owned(),
        manages_bots: false,
        has_topics: false,
    };
    assert_eq!(*bot.identity(), identity);
    let expected = ("deleteWebhook".to_owned(), json!({"drop_pending_updates": false}));
    assert_eq!(api.calls()[1], expected);
}

#[tokio::test]
async fn connecting_with_a_webhook_gives_telegram_path_secret_and_kinds() {
    let api = FakeApi::answering(&[(200, GET_ME), (200, TRUE)]).await;
    let secret = SecretString::from("s".repeat(32));
    let target =
        WebhookTarget { public_url: "https://hall.example/".to_owned(), secret: secret.clone() };
    let config = TelegramConfig { webhook: Some(target), ..config(&api.url) };
    TelegramBot::connect(&config).await.expect("connects");
    let path = WebhookBot::new(BotId(4242), &secret).expect("a good secret").path().to_owned();
    let expected = json!({
        "url": format!("https://hall.example{path}"),
        "allowed_updates":
            ["message", "edited_message", "callback_query", "my_chat_member", "stopped_message_generation", "managed_bot"],
        "drop_pending_updates": false,
        "secret_token": "s".repeat(32),
    });
    assert_eq!(api.last(), expected);
}

#[tokio::test]
async fn a_refused_token_a_silent_host_and_a_foreign_server_are_told_apart() {
    let refused = r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#;
    let unknown = r#"{"ok":false,"error_code":404,"description":"Not Found"}"#;
    let flood = r#"{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":9}}"#;
    let cases =
        [(401, refused), (404, unknown), (404, "<html>nope"), (502, "<html>"), (429, flood)];
    let mut told = Vec::new();
    for (status, body) in cases {
        let api = FakeApi::answering(&[(status, body)]).await;
        let error = TelegramBot::connect(&config(&api.url)).await.expect_err("refused");
        told.push(format!("{error} ({})", error.is_passing()));
    }
    let silent = TelegramBot::connect(&config("http://127.0.0.1:1")).await.expect_err("silent");
    told.push(format!("{silent} ({})", silent.is_passing()));
    assert_eq!(
        told,
        [
            "Telegram refuses the bot's token: take a new one from @BotFather (false)",
            "Telegram refuses the bot's token: take a new one from @BotFather (false)",
            "the address does not answer like the Bot API (status 404): check it (false)",
            "the address does not answer like the Bot API (status 502): check it (true)",
            "the Bot API asks to wait 9 s (true)",
            "the Bot API cannot be reached: check the network and the address (true)",
        ]
    );
}

#[tokio::test]
async fn telegram_1_no_error_and_no_debug_output_holds_the_token() {
    let echo = format!(r#"{{"ok":false,"error_code":400,"description":"no /bot{TOKEN}/x here"}}"#);
    let (bot, api) = connected(&[(400, &echo), (302, "")]).await;
    let part = Part::plain("hello");
    let mut words = format!("{bot:?} {:?}", config(&api.url));
    for _ in 0..2 {
        words += &all_words(&bot.send(HERE, &part, None).await.expect_err("refused"));
    }
    drop(api);
    words += &all_words(&bot.send(HERE, &part, None).await.expect_err("nobody there"));
    words += &all_words(&bot.poll(None, Duration::ZERO).await.expect_err("nobody there"));
    for url in [
        "",
        TOKEN,
        "http://127.0.0.1:1",
        "http://CANARY:CANARY@127.0.0.1",
        "http://x.invalid",
        "https://x.invalid:1",
        "ftp://CANARY",
        "https://h/?CANARY",
    ] {
        words += &all_words(&TelegramBot::connect(&config(url)).await.expect_err("cannot work"));
    }
    for token in ["CANARY", "1:CANARY/../x", "CANARY:x", "1:", "-1:CANARY"] {
        let mut config = config("http://127.0.0.1:1");
        config.endpoint.token = token.into();
        words += &all_words(&TelegramBot::connect(&config).await.expect_err("cannot work"));
    }
    assert!(!words.contains("CANARY"), "{words}");
    assert!(!words.contains("4242:"), "{words}");
}

#[tokio::test]
async fn plain_http_needs_a_private_address_or_permission() {
    let client = |url: &str, plain_http_allowed| {
        let endpoint =
            Endpoint { api_url: url.to_owned(), token: TOKEN.into(), plain_http_allowed };
        Client::new(&endpoint).is_ok()
    };
    for url in ["http://127.0.0.1:80", "http://[::1]", "http://localhost:81/x", "http://10.0.0.9"] {
        assert!(client(url, false), "{url}");
    }
    for url in ["http://telegram-bot-api:8081", "http://8.8.8.8", "http://localhost.example.com"] {
        assert!(!client(url, false), "{url}");
        assert!(client(url, true), "{url}");
    }
    assert!(client("https://api.telegram.org", false));
}

#[tokio::test]
async fn every_refusal_has_its_own_error() {
    let failure = |code: u16, words: &str, parameters: Value| {
        json!({"ok": false, "error_code": code, "description": words, "parameters": parameters})
            .to_string()
    };
    let bad = |words: &str| (400, failure(400, words, Value::Null));
    let cases = [
        (429, failure(429, "Too Many Requests", json!({"retry_after": 70_000}))),
        (429, failure(429, "Too Many Requests", json!({"retry_after": u64::MAX}))),
        (429, failure(429, "Too Many Requests", json!("surprise"))),
        (429, "<html>slow down</html>".to_owned()),
        (403, failure(403, "Forbidden: bot was blocked by the user", Value::Null)),
        (400, failure(400, "upgraded", json!({"migrate_to_chat_id": -100_123_456_789_i64}))),
        (401, failure(401, "Unauthorized", Value::Null)),
        (404, failure(404, "Not Found", Value::Null)),
        (404, failure(404, "Not Found: method not found", Value::Null)),
        (409, failure(409, "Conflict: terminated by other getUpdates request", Value::Null)),
        bad("Bad Request: chat not found"),
        bad("Bad Request: unsupported \"my secret\" at\n5"),
        bad(&"é".repeat(300)),
        (502, "<html><h1>502 Bad Gateway</h1></html>".to_owned()),
        (200, "{\"ok\":true,\"result\":{}}".to_owned()),
        (302, String::new()),
    ];
    let mut told = Vec::new();
    for (status, body) in cases {
        told.push(refusal(status, &body).await.to_string());
    }
    let cut = format!("the chat service refused the request: {}", "é".repeat(200));
    assert_eq!(
        told,
        [
            "the chat service asks to wait 70000 s",
            "the chat service asks to wait 86400 s",
            "the chat service asks to wait 1 s",
            "the chat service asks to wait 1 s",
            "the bot may not write there",
            "the group became a supergroup",
            "the bot's token is refused",
            "the bot's token is refused",
            "the chat service refused the request: Not Found: method not found",
            "another program receives this bot's updates",
            "the chat service refused the request: Bad Request: chat not found",
            "the chat service refused the request: Bad Request: unsupported \"\" at5",
            cut.as_str(),
            "the chat service answered with status 502",
            "the chat service answered with status 200",
            "the chat service answered with status 302",
        ]
    );
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_refused() {
    let long =
        format!(r#"{{"ok":true,"result":{{"message_id":1,"x":"{}"}}}}"#, "x".repeat(1 << 20));
    let error = refusal(200, &long).await;
    assert!(matches!(error, MessengerError::Broken { status: 200 }), "{error}");
}

#[tokio::test]
async fn a_part_is_sent_with_markup_buttons_and_reply_but_without_link_preview() {
    let (bot, api) = connected(&[(200, SENT)]).await;
    let button = Button { label: "Yes".to_owned(), data: "k1".to_owned() };
    let part = Part {
        html: Some("<b>hi</b>".to_owned()),
        buttons: vec![vec![button]],
        ..Part::plain("hi")
    };
    let to = Address { chat: ChatId(-100_123_456_789), topic: Some(TopicId(9)) };
    assert_eq!(bot.send(to, &part, Some(MessageId(3))).await.expect("sent"), MessageId(77));
    let expected = json!({
        "chat_id": -100_123_456_789_i64,
        "message_thread_id": 9,
        "text": "<b>hi</b>",
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": true},
        "reply_parameters": {"message_id": 3, "allow_sending_without_reply": true},
        "reply_markup": {"inline_keyboard": [[{"text": "Yes", "callback_data": "k1"}]]},
    });
    assert_eq!(api.last(), expected);
}

#[tokio::test]
async fn refused_markup_is_sent_again_as_plain_text_and_other_refusals_are_not() {
    let entities = r#"{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities: Unsupported start tag \"x\""}"#;
    let no_chat = r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#;
    let (bot, api) = connected(&[(400, entities), (200, SENT), (400, no_chat)]).await;
    let part = Part { html: Some("<x>hi".to_owned()), ..Part::plain("hi") };
    assert_eq!(bot.send(HERE, &part, None).await.expect("sent"), MessageId(77));
    let plain = json!({"chat_id": 5, "text": "hi", "link_preview_options": {"is_disabled": true}});
    assert_eq!(api.last(), plain);
    bot.send(HERE, &part, None).await.expect_err("no such chat");
    assert_eq!(api.calls().len(), 5);
}

#[tokio::test]
async fn an_edit_is_plain_text_with_its_buttons_and_one_that_changes_nothing_is_no_error() {
    let same = r#"{"ok":false,"error_code":400,"description":"Bad Request: message is not modified: specified new message content"}"#;
    let gone =
        r#"{"ok":false,"error_code":400,"description":"Bad Request: message to edit not found"}"#;
    let (bot, api) = connected(&[(200, SENT), (400, same), (400, gone)]).await;
    let button = Button { label: "Refresh".to_owned(), data: "st:refresh".to_owned() };
    let part = Part { buttons: vec![vec![button]], ..Part::plain("well") };
    bot.edit(HERE, MessageId(77), &part).await.expect("edited");
    let expected = json!({
        "chat_id": 5,
        "message_id": 77,
        "text": "well",
        "link_preview_options": {"is_disabled": true},
        "reply_markup":
            {"inline_keyboard": [[{"text": "Refresh", "callback_data": "st:refresh"}]]},
    });
    assert_eq!(api.last(), expected);
    bot.edit(HERE, MessageId(77), &part).await.expect("it says that already");
    let error = bot.edit(HERE, MessageId(77), &part).await.expect_err("it is gone");
    assert!(matches!(error, MessengerError::Rejected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_pin_is_quiet_and_takes_the_place_of_our_own_earlier_one_alone() {
    let pinned = |from: i64, data: &str| {
        let markup = json!({"inline_keyboard": [[{"text": "Refresh", "callback_data": data}]]});
        let message = json!({"message_id": 70, "from": {"id": from}, "reply_markup": markup});
        json!({"ok": true, "result": {"id": 5, "type": "private", "pinned_message": message}})
            .to_string()
    };
    let nothing = r#"{"ok":true,"result":{"id":5,"type":"private"}}"#.to_owned();
    let cases = [
        (pinned(4242, "st:refresh"), true),
        (pinned(4242, "ag:sage"), false),
        (pinned(7, "st:refresh"), false),
        (nothing, false),
    ];
    for (chat, is_replaced) in cases {
        let (bot, api) = connected(&[(200, &chat), (200, TRUE), (200, TRUE)]).await;
        bot.pin(HERE, MessageId(77), "st:").await.expect("pinned");
        let calls = api.calls();
        let methods: Vec<&str> = calls.iter().skip(2).map(|it| it.0.as_str()).collect();
        let expected: &[&str] = match is_replaced {
            true => &["getChat", "unpinChatMessage", "pinChatMessage"],
            false => &["getChat", "pinChatMessage"],
        };
        assert_eq!(methods, expected, "{chat}");
        if is_replaced {
            assert_eq!(calls[3].1, json!({"chat_id": 5, "message_id": 70}));
        }
        let pin = json!({"chat_id": 5, "message_id": 77, "disable_notification": true});
        assert_eq!(api.last(), pin);
    }
}

#[tokio::test]
async fn the_general_topic_is_left_out_of_sends_and_named_in_actions() {
    let (bot, api) = connected(&[(200, SENT), (200, TRUE)]).await;
    let general = Address { chat: ChatId(-5), topic: Some(GENERAL_TOPIC) };
    bot.send(general, &Part::plain("hi"), None).await.expect("sent");
    assert_eq!(api.last().get("message_thread_id"), None);
    bot.typing(general).await.expect("shown");
    let expected = json!({"chat_id": -5, "message_thread_id": 1, "action": "typing"});
    assert_eq!(api.last(), expected);
}

#[tokio::test]
async fn a_preview_can_be_stopped_and_is_cut_at_the_limit_between_characters() {
    let (bot, api) = connected(&[(200, TRUE), (200, TRUE)]).await;
    let long = format!("x{}", "🦀".repeat(3_000));
    bot.preview(HERE, i64::MAX, &Part::plain(long)).await.expect("shown");
    let shown = api.last();
    let text = shown["text"].as_str().expect("a text");
    assert_eq!(text.encode_utf16().count(), 4_095);
    assert_eq!((&shown["can_stop"], &shown["draft_id"]), (&json!(true), &json!(i64::MAX)));
    bot.preview(HERE, 0, &Part::default()).await.expect("shown");
    assert_eq!(api.last(), json!({"chat_id": 5, "draft_id": 1, "text": "", "can_stop": true}));
}

#[tokio::test]
async fn presses_and_menus_stay_within_telegrams_limits() {
    let (bot, api) = connected(&[(200, TRUE), (200, TRUE), (200, TRUE)]).await;
    bot.answer_press("q", Some(&"é".repeat(300))).await.expect("answered");
    assert_eq!(api.last(), json!({"callback_query_id": "q", "text": "é".repeat(200)}));
    bot.answer_press("q", None).await.expect("answered");
    assert_eq!(api.last(), json!({"callback_query_id": "q"}));
    let description = "what I can do".to_owned();
    let menu = [MenuEntry { command: "help", description, is_private: false }];
    bot.set_menu(MenuScope::Chat(ChatId(7)), None, &menu).await.expect("set");
    let expected = json!({
        "commands": [{"command": "help", "description": "what I can do"}],
        "scope": {"type": "chat", "chat_id": 7},
    });
    assert_eq!(api.last(), expected);
}

#[tokio::test]
async fn telegram_2_odd_elements_do_not_spoil_a_batch() {
    let odd = r#"{"ok":true,"result":[
        {"update_id":1,"message":{"chat":{"type":"guild"}}}, 17, {"update_id":"x"}, null,
        {"update_id":9223372036854775807,"widget_query":{"deep":[[[[]]]]}},
        {"update_id":3,"message":{"text":"\ud800"}}],"extra":1}"#;
    let (bot, api) = connected(&[(200, odd)]).await;
    let batch = bot.poll(Some(UpdateId(-1)), Duration::from_secs(90)).await.expect("a batch");
    let ids: Vec<i64> = batch.iter().map(|update| update.update.0).collect();
    assert_eq!((ids, bot.updates_skipped()), (vec![1, i64::MAX, 3], 3));
    assert_eq!(batch[2].raw, r#"{"update_id":3,"message":{"text":"\ud800"}}"#);
    let expected = json!({
        "offset": -1,
        "limit": 100,
        "timeout": 50,
        "allowed_updates":
            ["message", "edited_message", "callback_query", "my_chat_member", "stopped_message_generation", "managed_bot"],
    });
    assert_eq!(api.last(), expected);
}

#[tokio::test]
async fn a_batch_of_nothing_readable_is_an_error_so_that_the_poller_slows_down() {
    let (bot, _api) = connected(&[(200, r#"{"ok":true,"result":[1]}"#)]).await;
    bot.poll(None, Duration::ZERO).await.expect_err("nothing readable");
}

#[tokio::test]
async fn polling_tells_conflicts_and_gateway_pages_apart() {
    let conflict = r#"{"ok":false,"error_code":409,"description":"Conflict: webhook is active"}"#;
    let (bot, _api) =
        connected(&[(409, conflict), (502, "<html>"), (200, "<html>"), (200, conflict)]).await;
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(bot.poll(None, Duration::ZERO).await.expect_err("fails").to_string());
    }
    let conflict = "another program receives this bot's updates";
    let broken = |status| format!("the chat service answered with status {status}");
    assert_eq!(told, [conflict.to_owned(), broken(502), broken(200), conflict.to_owned()]);
}

/// What fetching a file says when the API answers so, and whether the file itself was asked for.
async fn fetched(answers: &[(u16, &str)]) -> (Result<Bytes, DownloadError>, bool) {
    let (bot, api) = connected(answers).await;
    let fetched = bot.download("abc", 10).await;
    let calls = api.calls();
    assert_eq!(calls[2], ("getFile".to_owned(), json!({"file_id": "abc"})));
    (fetched, calls.iter().any(|(method, _)| method.starts_with("file/")))
}

#[tokio::test]
async fn a_file_is_fetched_by_its_path_and_only_if_it_is_small_enough() {
    let found =
        r#"{"ok":true,"result":{"file_id":"abc","file_path":"voice/file_1.oga","file_size":5}}"#;
    let (bytes, is_asked) = fetched(&[(200, found), (200, "OggS!")]).await;
    assert!(is_asked && bytes.unwrap() == "OggS!");
    let large = r#"{"ok":true,"result":{"file_id":"abc","file_path":"a","file_size":11}}"#;
    let (refused, is_asked) = fetched(&[(200, large)]).await;
    assert!(matches!(refused, Err(DownloadError::TooLarge)) && !is_asked);
    let liar = r#"{"ok":true,"result":{"file_id":"abc","file_path":"a"}}"#;
    let (refused, _) = fetched(&[(200, liar), (200, "eleven byte")]).await;
    assert!(matches!(refused, Err(DownloadError::TooLarge)));
    let too_big = r#"{"ok":false,"error_code":400,"description":"Bad Request: file is too big"}"#;
    let (refused, _) = fetched(&[(400, too_big)]).await;
    assert!(matches!(refused, Err(DownloadError::TooLarge)));
}

#[tokio::test]
async fn a_path_that_leads_elsewhere_is_not_followed_and_no_error_holds_the_token() {
    let found = |path: &str| format!(r#"{{"ok":true,"result":{{"file_path":"{path}"}}}}"#);
    for path in ["../x", "/etc/passwd", "a/../b", "a//b", "", "http://x", "a?b", "a%2Fb"] {
        let (refused, is_asked) = fetched(&[(200, &found(path)), (200, "x")]).await;
        assert!(refused.is_err() && !is_asked, "{path}");
    }
    let gone = r#"{"ok":false,"error_code":404,"description":"Not Found: CANARY-secret_part"}"#;
    let cases: [&[(u16, &str)]; 4] = [
        &[(400, gone)],
        &[(200, &found("a")), (404, gone)],
        &[(200, &found("a")), (302, "elsewhere")],
        &[(200, r#"{"ok":true,"result":{}}"#)],
    ];
    for answers in cases {
        let error = fetched(answers).await.0.unwrap_err();
        let words = all_words(&error);
        assert!(!words.contains("CANARY") && !words.contains("127.0.0.1"), "{words}");
    }
}
