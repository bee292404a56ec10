//! Both protocols, whole and streamed, and each fault, over a real socket.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

struct Server {
    url: String,
    world: ModelWorld,
    client: reqwest::Client,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let world = ModelWorld::default();
    let router = routes(world.clone());
    #[expect(clippy::disallowed_methods, reason = "the test's `Server` owns the task")]
    let task = tokio::task::spawn(async move { axum::serve(listener, router).await });
    Server { url, world, client: reqwest::Client::new(), task }
}

impl Server {
    async fn ask(&self, protocol: Protocol, stream: bool, text: &str) -> reqwest::Response {
        self.try_ask(protocol, stream, text).await.unwrap()
    }

    async fn try_ask(
        &self,
        protocol: Protocol,
        stream: bool,
        text: &str,
    ) -> reqwest::Result<reqwest::Response> {
        let path = match protocol {
            Protocol::OpenAi => "/v1/chat/completions",
            Protocol::Anthropic => "/v1/messages",
        };
        let body = json!({"model": "m", "max_tokens": 1000, "stream": stream,
            "stream_options": {"include_usage": true},
            "messages": [{"role": "user", "content": text}]});
        let call = self.client.post(self.url.clone() + path).json(&body);
        call.header("anthropic-version", "2023-06-01").timeout(Duration::from_secs(60)).send().await
    }

    fn fail(&self, fault: Fault) {
        let next = vec![fault::NextFault { count: 1, fault: Some(fault), model: None }];
        self.world.set_faults(FaultChange { next, ..FaultChange::default() }).unwrap();
    }

    async fn ctl(&self, path: &str, body: Value) -> u16 {
        let url = format!("{}/ctl/models/{path}", self.url);
        self.client.post(url).json(&body).send().await.unwrap().status().as_u16()
    }
}

fn events(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[tokio::test]
async fn a_whole_answer_names_the_hash_the_count_and_the_mark() {
    let server = serve().await;
    let text = "hello [ask:u1n0]";
    let said = format!("Reply to {:016x}, the last of 1 messages. [answer:u1n0]", hash(text));
    let openai: Value = server.ask(Protocol::OpenAi, false, text).await.json().await.unwrap();
    assert_eq!(openai["choices"][0]["message"]["content"], said);
    assert_eq!(openai["choices"][0]["finish_reason"], "stop");
    assert_eq!(openai["usage"]["prompt_tokens"], 8);
    assert_eq!(openai["usage"]["total_tokens"], 8 + 9);
    let anthropic: Value = server.ask(Protocol::Anthropic, false, text).await.json().await.unwrap();
    assert_eq!(anthropic["content"][0]["text"], said);
    assert_eq!(anthropic["stop_reason"], "end_turn");
    assert_eq!(anthropic["usage"], json!({"input_tokens": 8, "output_tokens": 9}));
}

#[tokio::test]
async fn an_openai_stream_says_the_same_and_ends_with_usage_and_done() {
    let server = serve().await;
    let response = server.ask(Protocol::OpenAi, true, "hello").await;
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let text = response.text().await.unwrap();
    assert!(text.ends_with("data: [DONE]\n\n"));
    let events = events(&text);
    let said: String =
        events.iter().filter_map(|e| e["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(said, format!("Reply to {:016x}, the last of 1 messages.", hash("hello")));
    let last = events.last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["completion_tokens"], 8);
    assert_eq!(events[0]["usage"], Value::Null);
}

#[tokio::test]
async fn an_anthropic_stream_has_the_protocols_events_in_order() {
    let server = serve().await;
    let text = server.ask(Protocol::Anthropic, true, "hi").await.text().await.unwrap();
    let mut names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    names.dedup();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    let events = events(&text);
    let said: String = events.iter().filter_map(|e| e["delta"]["text"].as_str()).collect();
    assert!(said.starts_with("Reply to "));
    let delta = events.iter().find(|e| e["type"] == "message_delta").unwrap();
    assert_eq!(delta["delta"]["stop_reason"], "end_turn");
    assert_eq!(delta["usage"]["output_tokens"], 8);
}

#[tokio::test]
async fn rules_go_first_and_an_answer_is_cut_at_max_tokens() {
    let server = serve().await;
    let rules = json!([{"contains": "capital of France", "answer": "Paris."}]);
    assert_eq!(server.ctl("config", json!({"rules": rules, "filler_words": 2000})).await, 200);
    let asked = server.ask(Protocol::OpenAi, false, "the capital of France?").await;
    let answer: Value = asked.json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "Paris.");
    let long: Value = server.ask(Protocol::OpenAi, false, "else").await.json().await.unwrap();
    assert_eq!(long["choices"][0]["finish_reason"], "length");
    assert_eq!(long["usage"]["completion_tokens"], 1000);
}

#[tokio::test]
async fn a_wrong_key_is_401_in_each_protocols_shape() {
    let server = serve().await;
    assert_eq!(server.ctl("config", json!({"key": "right"})).await, 200);
    let openai = server.ask(Protocol::OpenAi, false, "hi").await;
    assert_eq!(openai.status(), 401);
    assert_eq!(openai.json::<Value>().await.unwrap()["error"]["code"], "invalid_api_key");
    let anthropic = server.ask(Protocol::Anthropic, false, "hi").await;
    assert_eq!(anthropic.status(), 401);
    let body: Value = anthropic.json().await.unwrap();
    assert_eq!(body["error"]["type"], "authentication_error");
    let listed = server.client.get(server.url.clone() + "/v1/models").bearer_auth("right");
    assert_eq!(listed.send().await.unwrap().status(), 200);
    assert_eq!(server.world.stats().unauthorized, 2);
}

#[tokio::test]
async fn leaks_gaps_and_disorder_are_counted() {
    let server = serve().await;
    for text in ["[ask:u1n0]", "[ask:u1n1]", "[ask:u2n0] [ask:u1n1] [ask:u1n0] [ask:u1n2]"] {
        server.ask(Protocol::OpenAi, false, text).await;
    }
    let stats = server.world.stats();
    assert_eq!((stats.leaks, stats.context_gaps, stats.context_disorder), (1, 1, 1));
    assert_eq!(server.world.requests().len(), 3);
    assert_eq!(server.ctl("config", json!({"record_max": 1})).await, 200);
    server.ask(Protocol::Anthropic, false, "newest").await;
    let kept = server.world.requests();
    assert!(kept.len() == 1 && kept[0].body.contains("newest"));
    assert_eq!(server.ctl("forget", Value::Null).await, 200);
    assert_eq!(server.world.stats(), Stats::default());
}

#[tokio::test]
async fn a_status_fault_comes_with_its_retry_after() {
    let server = serve().await;
    for (code, retry_after_s) in
        [(401, None), (408, None), (429, Some(7)), (500, None), (529, None)]
    {
        server.fail(Fault::Status { code, retry_after_s });
        let response = server.ask(Protocol::Anthropic, true, "hi").await;
        assert_eq!(response.status(), code);
        let after = response.headers().get("retry-after").map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(after, retry_after_s.map(|s| s.to_string()));
        assert_eq!(response.json::<Value>().await.unwrap()["type"], "error");
    }
    assert_eq!(server.ask(Protocol::Anthropic, true, "hi").await.status(), 200);
}

#[tokio::test]
async fn a_cut_stream_breaks_and_a_truncated_one_ends() {
    let server = serve().await;
    for stream in [true, false] {
        server.fail(Fault::CutMidStream);
        let cut = server.ask(Protocol::OpenAi, stream, "hi").await;
        assert!(cut.text().await.is_err());
        server.fail(Fault::TruncatedSse);
        let text = server.ask(Protocol::OpenAi, stream, "hi").await.text().await.unwrap();
        assert!(text.len() > 20 && !text.contains("[DONE]") && !text.ends_with('}'));
    }
}

#[tokio::test]
async fn a_hang_lasts_until_the_caller_goes() {
    let server = serve().await;
    server.fail(Fault::HangBeforeHeaders);
    let wait = Duration::from_millis(100);
    let hung = server.ask(Protocol::OpenAi, true, "hi");
    assert!(tokio::time::timeout(wait, hung).await.is_err());
    server.fail(Fault::HangMidStream);
    let mut half = server.ask(Protocol::OpenAi, true, "hi").await;
    assert!(half.chunk().await.unwrap().is_some());
    assert!(tokio::time::timeout(wait, half.chunk()).await.is_err());
}

#[tokio::test]
async fn a_drip_comes_in_many_pieces_with_pauses() {
    let server = serve().await;
    server.fail(Fault::SlowDrip { ms: 20 });
    let begun = tokio::time::Instant::now();
    let text = server.ask(Protocol::OpenAi, true, "hi").await.text().await.unwrap();
    let pauses = u32::try_from(text.matches("data: ").count()).unwrap() - 1;
    assert!(begun.elapsed() >= Duration::from_millis(20) * pauses);
}

#[tokio::test]
async fn garbage_is_garbage_and_empty_is_well_formed() {
    let server = serve().await;
    server.fail(Fault::BadJson);
    let bad = server.ask(Protocol::OpenAi, false, "hi").await.json::<Value>().await;
    assert!(bad.is_err());
    server.fail(Fault::WrongContentType);
    let page = server.ask(Protocol::OpenAi, false, "hi").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    server.fail(Fault::EmptyAnswer);
    let empty: Value = server.ask(Protocol::OpenAi, false, "hi").await.json().await.unwrap();
    assert_eq!(empty["choices"][0]["message"]["content"], "");
    server.fail(Fault::HugeAnswer);
    let huge = server.ask(Protocol::OpenAi, false, "hi").await.text().await.unwrap();
    assert!(huge.len() > HUGE_BYTES);
    server.fail(Fault::HugeAnswer);
    let streamed = server.ask(Protocol::OpenAi, true, "hi").await.text().await.unwrap();
    assert!((HUGE_BYTES..2 * HUGE_BYTES).contains(&streamed.len()));
    let faults = server.world.stats().faults;
    assert_eq!(faults.values().sum::<u64>(), 5);
}

#[tokio::test]
async fn a_malformed_request_is_400_and_counted() {
    let server = serve().await;
    let url = server.url.clone() + "/v1/chat/completions";
    let response = server.client.post(url).body("{").send().await.unwrap();
    assert_eq!(response.status(), 400);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["type"], "invalid_request_error");
    assert_eq!(server.world.stats().malformed, 1);
    let refused =
        server.ctl("faults", json!({"next": [{"fault": {"status": {"code": 99}}}]})).await;
    assert_eq!(refused, 400);
}

/// Asks with tools, as a hall would go on after `said`.
async fn ask_with_tools(
    server: &Server,
    protocol: Protocol,
    stream: bool,
    said: &[Value],
) -> Value {
    let (path, tool) = match protocol {
        Protocol::OpenAi => {
            ("/v1/chat/completions", json!({"type": "function", "function": {"name": "look"}}))
        }
        Protocol::Anthropic => ("/v1/messages", json!({"name": "look", "input_schema": {}})),
    };
    let mut messages = vec![json!({"role": "user", "content": "what is there?"})];
    messages.extend_from_slice(said);
    let body = json!({"model": "m", "max_tokens": 99, "stream": stream, "messages": messages,
        "tools": [tool]});
    let call = server.client.post(server.url.clone() + path).json(&body);
    let answer = call.header("anthropic-version", "2023-06-01").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    if stream { Value::from(events(&text)) } else { serde_json::from_str(&text).unwrap() }
}

#[tokio::test]
async fn a_script_calls_its_tools_and_then_answers_with_what_they_said() {
    let server = serve().await;
    let script = Script::new("what is", "I see: {result}").calling("look", json!({"at": 1}));
    let change = SettingsChange { scripts: Some(vec![script]), ..SettingsChange::default() };
    server.world.configure(change);

    let called = ask_with_tools(&server, Protocol::OpenAi, false, &[]).await;
    let message = &called["choices"][0]["message"];
    assert_eq!(called["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], r#"{"at":1}"#);
    assert_eq!(message["content"], Value::Null);
    let id = &message["tool_calls"][0]["id"];
    let result = json!({"role": "tool", "tool_call_id": id, "content": "a cat"});
    let said = [message.clone(), result];
    let answered = ask_with_tools(&server, Protocol::OpenAi, false, &said).await;
    assert_eq!(answered["choices"][0]["message"]["content"], "I see: a cat");

    let called = ask_with_tools(&server, Protocol::Anthropic, false, &[]).await;
    assert_eq!(
        (&called["stop_reason"], &called["content"][0]["input"]),
        (&json!("tool_use"), &json!({"at": 1}))
    );
    let id = &called["content"][0]["id"];
    let block = json!({"type": "tool_result", "tool_use_id": id, "content": "a dog"});
    let said = [
        json!({"role": "assistant", "content": called["content"]}),
        json!({"role": "user", "content": [block]}),
    ];
    let answered = ask_with_tools(&server, Protocol::Anthropic, false, &said).await;
    assert_eq!(answered["content"][0]["text"], "I see: a dog");
}

#[tokio::test]
async fn a_streamed_call_comes_in_pieces_that_make_the_whole_one() {
    let server = serve().await;
    let script = Script::new("", "done").calling("look", json!({"at": 1}));
    let change = SettingsChange { scripts: Some(vec![script]), ..SettingsChange::default() };
    server.world.configure(change);
    let events = ask_with_tools(&server, Protocol::OpenAi, true, &[]).await;
    let pieces = events.as_array().unwrap().iter();
    let arguments: String = pieces
        .filter_map(|it| {
            it["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str()
        })
        .collect();
    assert_eq!(arguments, r#"{"at":1}"#);
    let events = ask_with_tools(&server, Protocol::Anthropic, true, &[]).await;
    let pieces = events.as_array().unwrap().iter();
    let arguments: String = pieces.filter_map(|it| it["delta"]["partial_json"].as_str()).collect();
    assert_eq!(arguments, r#"{"at":1}"#);
    // Nothing is called that was not offered.
    let plain = server.ask(Protocol::OpenAi, false, "x").await.json::<Value>().await.unwrap();
    assert_eq!(plain["choices"][0]["message"]["content"], "done");
}
