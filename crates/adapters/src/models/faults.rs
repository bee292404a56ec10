//! Both protocols against a server of our own that answers by script: well, badly or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use protocol::model::{
    CompleteError, Completion, Disposition, Finish, Model, ModelRequest, Role, Turn, Usage,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::{HttpModelConfig, ModelConfig, build};

mod calls;

/// A word that must never appear in an error or in `Debug`.
const KEY: &str = "sk-canary-key";

// === The server. ===

/// One step of an answer.
#[derive(Clone)]
enum Act {
    /// Sends this at once.
    Send(String),
    /// Sends this byte by byte, with pauses.
    Drip(String),
    /// Says nothing more until the other side has gone.
    Hang,
    /// Closes the connection.
    Cut,
}

struct Server {
    url: String,
    /// What was asked, head and body, in order.
    asked: mpsc::Receiver<String>,
    /// One for each connection that its client has closed.
    left: mpsc::Receiver<()>,
    connections: Arc<AtomicUsize>,
}

/// Starts a server that answers every request by the same script.
async fn server(script: Vec<Act>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (ask, asked) = mpsc::channel(32);
    let (leave, left) = mpsc::channel(16);
    let connections = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&connections);
    let mut tasks = tokio::task::JoinSet::new();
    let accept = async move {
        while let Ok((stream, _)) = listener.accept().await {
            seen.fetch_add(1, Ordering::SeqCst);
            let (script, ask, leave) = (script.clone(), ask.clone(), leave.clone());
            tasks.spawn(async move {
                if answer(stream, &script, &ask).await.is_none() {
                    leave.send(()).await.ok();
                }
            });
        }
    };
    // Ends with the test's runtime.
    drop(tokio::runtime::Handle::current().spawn(accept));
    Server { url, asked, left, connections }
}

/// Answers all requests of one connection. `None` once the other side has gone.
async fn answer(mut stream: TcpStream, script: &[Act], ask: &mpsc::Sender<String>) -> Option<()> {
    loop {
        ask.send(read_request(&mut stream).await?).await.ok()?;
        for act in script {
            match act {
                Act::Send(text) => stream.write_all(text.as_bytes()).await.ok()?,
                Act::Drip(text) => {
                    for byte in text.as_bytes() {
                        stream.write_all(&[*byte]).await.ok()?;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
                Act::Hang => while stream.read(&mut [0; 64]).await.ok()? > 0 {},
                Act::Cut => return Some(()),
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
        text.extend_from_slice(&bytes[..count]);
        let all = String::from_utf8_lossy(&text);
        if let Some((head, body)) = all.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            if body.len() >= length.parse().ok()? {
                return Some(all.into_owned());
            }
        }
    }
}

fn whole(kind: &str, body: &str) -> Vec<Act> {
    let length = body.len();
    vec![Act::Send(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    ))]
}

fn stream_head() -> String {
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
     transfer-encoding: chunked\r\n\r\n"
        .to_owned()
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// A whole stream, sent at once.
fn stream(text: &str) -> Vec<Act> {
    vec![Act::Send(stream_head() + &chunk(text) + "0\r\n\r\n")]
}

/// The beginning of a stream, and what comes then.
fn broken(text: &str, then: Act) -> Vec<Act> {
    vec![Act::Send(stream_head() + &chunk(text)), then]
}

// === Well-formed answers of both protocols. ===

#[derive(Clone, Copy, Debug)]
enum Spoken {
    OpenAi,
    Anthropic,
}

const BOTH: [Spoken; 2] = [Spoken::OpenAi, Spoken::Anthropic];

impl Spoken {
    /// The events up to the middle of the text "Good \"day\".".
    fn begun(self) -> String {
        match self {
            Self::OpenAi => [
                r#": OPENROUTER PROCESSING"#,
                r#"data: {"model":"m-7","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
                r#"data: {"model":"m-7","choices":[{"index":0,"delta":{"content":"Good "},"finish_reason":null}]}"#,
                "",
            ],
            Self::Anthropic => [
                "event: message_start\n\
                 data: {\"type\":\"message_start\",\"message\":{\"model\":\"m-7\",\"content\":[],\
                 \"stop_reason\":null,\"usage\":{\"input_tokens\":7,\
                 \"cache_read_input_tokens\":4,\"output_tokens\":1}}}",
                r#"data: {"type":"ping"}"#,
                r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Good "}}"#,
                "",
            ],
        }
        .join("\n\n")
    }

    /// The events that follow.
    fn rest(self) -> String {
        match self {
            Self::OpenAi => [
                r#"data: {"choices":[{"index":0,"delta":{"content":"\"day\"."}}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
                r#"data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3}}"#,
                "data: [DONE]",
                "",
            ],
            Self::Anthropic => [
                r#"data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"\"day\"."}}"#,
                r#"data: {"type":"content_block_stop","index":0}"#,
                r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
                r#"data: {"type":"message_stop"}"#,
                "",
            ],
        }
        .join("\n\n")
    }

    fn body(self) -> &'static str {
        match self {
            Self::OpenAi => {
                r#"{"model":"m-7","choices":[{"index":0,"finish_reason":"stop","message":
                {"role":"assistant","content":"Good \"day\"."}}],
                "usage":{"prompt_tokens":11,"completion_tokens":3}}"#
            }
            Self::Anthropic => {
                r#"{"type":"message","model":"m-7","stop_reason":"end_turn","content":
                [{"type":"text","text":"Good "},{"type":"text","text":"\"day\"."}],
                "usage":{"input_tokens":11,"output_tokens":3}}"#
            }
        }
    }

    fn model(self, config: HttpModelConfig) -> Arc<dyn Model> {
        build(match self {
            Self::OpenAi => ModelConfig::OpenAi(config),
            Self::Anthropic => ModelConfig::Anthropic(config),
        })
        .unwrap()
    }
}

// === Asking. ===

fn config(url: &str) -> HttpModelConfig {
    let mut config = HttpModelConfig::new("toy", url, KEY, "m");
    config.allow_private_addresses = true;
    config.first_byte_time_max = Duration::from_secs(20);
    config.piece_time_max = Duration::from_secs(20);
    config.price_input_micros_per_mtok = 1_000_000;
    config
}

/// Limits short enough to wait for.
fn hasty(url: &str) -> HttpModelConfig {
    let mut config = config(url);
    config.first_byte_time_max = Duration::from_millis(300);
    config.piece_time_max = Duration::from_millis(200);
    config
}

fn request() -> ModelRequest {
    let turn = |role, content: &str| Turn::new(role, content);
    let turns = vec![
        turn(Role::System, "be \"kind\""),
        turn(Role::User, "canary-question"),
        turn(Role::Assistant, "yes"),
        turn(Role::User, "again"),
    ];
    ModelRequest::new(turns, 99)
}

/// Asks once, and returns what was heard beside what came of it.
async fn ask(model: &dyn Model) -> (String, Result<Completion, CompleteError>) {
    let mut heard = String::new();
    let result = model.complete(&request(), &mut |piece| heard.push_str(piece)).await;
    if let Err(error) = &result {
        let mut said = format!("{error:?}");
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            said.push_str(&error.to_string());
            cause = error.source();
        }
        assert!(!said.contains("canary") && !said.contains("http://"), "{said}");
    }
    (heard, result)
}

/// What comes of one script for one protocol: what was heard and the error.
async fn fault(spoken: Spoken, script: Vec<Act>) -> (String, CompleteError) {
    let server = server(script).await;
    let model = spoken.model(hasty(&server.url));
    let (heard, result) = ask(&*model).await;
    (heard, result.expect_err("this answer is no answer"))
}

fn good_day() -> Completion {
    Completion {
        text: "Good \"day\".".to_owned(),
        model: "m-7".to_owned(),
        usage: Usage { input_tokens: 11, output_tokens: 3, cost_micros: 11, ..Usage::default() },
        finish: Finish::Stop,
        calls: Vec::new(),
    }
}

// === The rules. ===

#[tokio::test]
async fn a_good_answer_is_read_whole_streamed_and_byte_by_byte() {
    for spoken in BOTH {
        let streamed = spoken.begun() + &spoken.rest();
        let dripped = format!("{}{}", stream_head(), chunk(&streamed));
        let (head, body) = dripped.split_at(dripped.len() - 80);
        let body = format!("{body}0\r\n\r\n");
        let scripts = [
            whole("application/json; charset=utf-8", spoken.body()),
            stream(&streamed),
            vec![Act::Send(head.to_owned()), Act::Drip(body)],
        ];
        for script in scripts {
            let server = server(script).await;
            let (heard, result) = ask(&*spoken.model(config(&server.url))).await;
            assert_eq!(result.unwrap(), good_day(), "{spoken:?}");
            assert_eq!(heard, good_day().text, "{spoken:?}");
        }
    }
}

#[tokio::test]
async fn the_request_is_what_the_protocol_says() {
    let expected = [
        (
            "POST /v1/chat/completions HTTP/1.1",
            "authorization: Bearer sk-canary-key",
            r#"{"model":"m","messages":[{"role":"system","content":"be \"kind\""},{"role":"user","content":"canary-question"},{"role":"assistant","content":"yes"},{"role":"user","content":"again"}],"max_tokens":99,"stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            "POST /v1/messages HTTP/1.1",
            "x-api-key: sk-canary-key",
            r#"{"model":"m","max_tokens":99,"system":[{"type":"text","text":"be \"kind\"","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"canary-question"},{"role":"assistant","content":[{"type":"text","text":"yes","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"again"}],"stream":true}"#,
        ),
    ];
    for (spoken, (line, key, body)) in BOTH.into_iter().zip(expected) {
        let mut server = server(stream(&(spoken.begun() + &spoken.rest()))).await;
        ask(&*spoken.model(config(&server.url))).await.1.unwrap();
        let asked = server.asked.recv().await.unwrap();
        let (head, sent) = asked.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(line) && head.contains(key), "{head}");
        assert!(head.contains("accept: text/event-stream"), "{head}");
        assert_eq!(sent, body);
    }
}

#[tokio::test]
async fn a_server_whose_streams_come_at_once_is_asked_for_whole_answers() {
    for spoken in BOTH {
        let words = spoken.begun() + &spoken.rest();
        let more = spoken.begun().repeat(3);
        let mut server = server(stream(&(more + &words))).await;
        let model = spoken.model(config(&server.url));
        let mut streams = Vec::new();
        for _ in 0..12 {
            let (heard, result) = ask(&*model).await;
            assert_eq!(result.unwrap().text, heard);
            let asked = server.asked.recv().await.unwrap();
            let accepts_stream = asked.contains("accept: text/event-stream");
            assert_eq!(asked.contains(r#""stream":true"#), accepts_stream, "{asked}");
            assert_eq!(asked.contains("accept: application/json"), !accepts_stream, "{asked}");
            streams.push(accepts_stream);
        }
        // Eight that count, and the first of those that are asked for once a second.
        assert_eq!(streams[..9], [true; 9], "{spoken:?}");
        assert!(streams[9..].contains(&false), "{spoken:?}");
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    for spoken in BOTH {
        for script in
            [stream(&(spoken.begun() + &spoken.rest())), whole("application/json", spoken.body())]
        {
            let server = server(script).await;
            let model = spoken.model(config(&server.url));
            for _ in 0..20 {
                ask(&*model).await.1.unwrap();
            }
            // A connection is free a moment after its answer, so a second one may have been opened.
            assert!(server.connections.load(Ordering::SeqCst) <= 10, "{spoken:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_times_out() {
    for spoken in BOTH {
        let endless = stream_head() + &format!("ffff\r\ndata: {}", "x".repeat(200));
        let scripts = [
            ("", vec![Act::Hang]),
            ("", vec![Act::Drip(endless)]),
            ("Good ", broken(&spoken.begun(), Act::Hang)),
            ("Good ", broken(&spoken.begun(), Act::Drip(chunk(":\n").repeat(200)))),
        ];
        for (text, script) in scripts {
            let (heard, error) = fault(spoken, script).await;
            assert_eq!(heard, text, "{spoken:?}");
            assert!(matches!(error, CompleteError::TimedOut), "{spoken:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_complete() {
    for spoken in BOTH {
        let (heard, error) = fault(spoken, broken(&spoken.begun(), Act::Cut)).await;
        assert_eq!(heard, "Good ");
        assert!(matches!(error, CompleteError::Disconnected(_)), "{error:?}");
        // A proxy that ends the body properly, in the middle of the answer.
        let (heard, error) = fault(spoken, stream(&spoken.begun())).await;
        assert_eq!(heard, "Good ");
        assert!(matches!(error, CompleteError::Garbled { .. }), "{error:?}");
        let (_, error) = fault(spoken, vec![Act::Cut]).await;
        assert!(matches!(error, CompleteError::Disconnected(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_ended_answer_needs_no_farewell() {
    for spoken in BOTH {
        let streamed = spoken.begun() + &spoken.rest();
        let farewell = streamed.trim_end().rfind("data: ").unwrap();
        let script = broken(&streamed[..farewell], Act::Cut);
        let server = server(script).await;
        let result = ask(&*spoken.model(config(&server.url))).await.1;
        assert_eq!(result.unwrap(), good_day());
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_garbled() {
    for spoken in BOTH {
        let scripts = [
            whole("application/json", r#"{"canary": "#),
            whole("application/json", "[]"),
            whole("text/html", "<h1>canary</h1>"),
            stream("data: {\"canary\n\n"),
            stream("data: <html>canary</html>\n\n"),
            stream(""),
            vec![Act::Send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned())],
        ];
        for script in scripts {
            let (_, error) = fault(spoken, script).await;
            assert!(matches!(error, CompleteError::Garbled { .. }), "{spoken:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_text_is_empty() {
    let silent = [
        (Spoken::OpenAi, r#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#),
        (Spoken::OpenAi, r#"{"choices":[]}"#),
        (Spoken::OpenAi, ""),
        (Spoken::Anthropic, r#"{"content":[],"stop_reason":"end_turn"}"#),
        (Spoken::Anthropic, ""),
    ];
    for (spoken, body) in silent {
        let (_, error) = fault(spoken, whole("application/json", body)).await;
        assert!(matches!(error, CompleteError::Empty), "{spoken:?} {body}: {error:?}");
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_too_large() {
    let long = "x".repeat(2_000);
    let huge = "x".repeat(200_000);
    for spoken in BOTH {
        let piece = |text: &str| match spoken {
            Spoken::OpenAi => {
                format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
            }
            Spoken::Anthropic => format!(
                "data: {{\"type\":\"content_block_delta\",\"delta\":{{\"text\":\"{text}\"}}}}\n\n"
            ),
        };
        let scripts = [
            stream(&piece(&long)),
            stream(&piece(&huge)),
            stream(&piece("xxxx").repeat(300)),
            stream(&format!("{huge}\n")),
            stream(&": nothing\n".repeat(200_000)),
            whole("application/json", &spoken.body().replace("Good ", &long)),
            whole("application/json", &spoken.body().replace("Good ", &huge)),
        ];
        for (nth, script) in scripts.into_iter().enumerate() {
            let server = server(script).await;
            let mut config = config(&server.url);
            config.answer_bytes_max = 1_000;
            let (heard, result) = ask(&*spoken.model(config)).await;
            assert!(heard.len() <= 1_000, "{spoken:?} {nth}");
            assert!(matches!(result, Err(CompleteError::TooLarge)), "{spoken:?} {nth}: {result:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_status_and_its_wait() {
    let date =
        "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:50:07 GMT\r\n";
    let cases = [
        (401, "", None),
        (408, "", None),
        (429, "retry-after: 7\r\n", Some(7)),
        (429, "retry-after: 7\r\nretry-after-ms: 3000\r\n", Some(3)),
        (429, date, Some(30)),
        (500, "", None),
        (529, "retry-after: nonsense\r\n", None),
        (302, "location: http://127.0.0.1:1/canary\r\n", None),
        (204, "", None),
    ];
    for spoken in BOTH {
        for (code, headers, seconds) in cases {
            let body = if code == 204 { "" } else { r#"{"error":"canary"}"# };
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {code} X\r\n{headers}content-length: {length}\r\n\r\n{body}");
            let (_, error) = fault(spoken, vec![Act::Send(answer)]).await;
            let CompleteError::Refused { status, retry_after } = error else {
                panic!("{spoken:?} {code}: {error:?}")
            };
            assert_eq!((status, retry_after), (code, seconds.map(Duration::from_secs)));
        }
    }
}

#[tokio::test]
async fn an_error_inside_an_answer_is_the_status_it_would_have_had() {
    let cases = [
        (Spoken::OpenAi, r#"{"error":{"message":"canary","code":429}}"#, 429),
        (Spoken::OpenAi, r#"{"error":{"message":"canary","code":"400"}}"#, 400),
        (Spoken::OpenAi, r#"{"error":"canary"}"#, 500),
        (Spoken::Anthropic, r#"{"type":"error","error":{"type":"overloaded_error"}}"#, 529),
        (Spoken::Anthropic, r#"{"type":"error","error":{"type":"authentication_error"}}"#, 401),
        (Spoken::Anthropic, r#"{"type":"error","error":{"type":"news","message":"canary"}}"#, 500),
    ];
    for (spoken, error, code) in cases {
        let (heard, streamed) =
            fault(spoken, stream(&format!("{}data: {error}\n\n", spoken.begun()))).await;
        assert_eq!(heard, "Good ");
        let (_, whole) = fault(spoken, whole("application/json", error)).await;
        for error in [streamed, whole] {
            assert!(
                matches!(error, CompleteError::Refused { status, .. } if status == code),
                "{spoken:?} {code}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_reason_for_the_end_is_kept() {
    let cases = [
        (Spoken::OpenAi, "length", Some(Finish::Length)),
        (Spoken::OpenAi, "content_filter", Some(Finish::Filtered)),
        (Spoken::OpenAi, "eos", Some(Finish::Stop)),
        (Spoken::OpenAi, "tool_calls", None),
        (Spoken::Anthropic, "max_tokens", Some(Finish::Length)),
        (Spoken::Anthropic, "refusal", Some(Finish::Filtered)),
        (Spoken::Anthropic, "stop_sequence", Some(Finish::Stop)),
        (Spoken::Anthropic, "tool_use", None),
    ];
    for (spoken, reason, finish) in cases {
        let said = |text: &str| {
            text.replace("\"stop\"", &format!("\"{reason}\"")).replace("end_turn", reason)
        };
        let streamed = spoken.begun() + &said(&spoken.rest());
        for script in [stream(&streamed), whole("application/json", &said(spoken.body()))] {
            let server = server(script).await;
            let result = ask(&*spoken.model(config(&server.url))).await.1;
            match finish {
                Some(finish) => assert_eq!(result.unwrap().finish, finish, "{reason}"),
                None => assert!(matches!(result, Err(CompleteError::Garbled { .. })), "{reason}"),
            }
        }
    }
}

#[tokio::test]
async fn tokens_that_nobody_counts_are_estimated() {
    let body = r#"{"choices":[{"message":{"content":"12345"}}]}"#;
    let server = server(whole("application/json", body)).await;
    let answer = ask(&*Spoken::OpenAi.model(config(&server.url))).await.1.unwrap();
    assert_eq!(
        answer.usage,
        Usage { input_tokens: 10, output_tokens: 2, cost_micros: 10, ..Usage::default() }
    );
    assert_eq!((answer.model.as_str(), answer.finish), ("m", Finish::Stop));
}

#[tokio::test]
async fn dropping_a_request_closes_its_connection() {
    for spoken in BOTH {
        for script in [vec![Act::Hang], broken(&spoken.begun(), Act::Hang)] {
            let mut server = server(script).await;
            let model = spoken.model(config(&server.url));
            let question = request();
            let mut nobody = |_: &str| {};
            let mut asking = model.complete(&question, &mut nobody);
            tokio::select! {
                _ = &mut asking => panic!("there is no answer"),
                _ = server.asked.recv() => {}
            }
            drop(asking);
            let left = tokio::time::timeout(Duration::from_secs(20), server.left.recv()).await;
            assert_eq!(left.unwrap(), Some(()), "{spoken:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_broken_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = ask(&*Spoken::OpenAi.model(config(&url))).await.1.unwrap_err();
    assert!(matches!(error, CompleteError::Disconnected(_)));
    assert_eq!(error.disposition(), Disposition::Retry { after: None });
}

#[test]
fn a_key_or_a_url_is_never_shown() {
    let mut config = config("http://127.0.0.1/?secret=canary");
    assert!(!format!("{config:?}").contains("canary"));
    config.api_key = "canary\n".to_owned().into();
    for wrap in [ModelConfig::OpenAi, ModelConfig::Anthropic] {
        let error = build(wrap(config.clone())).err().unwrap();
        assert!(error.to_string().contains("`api_key` contains characters"));
        assert!(!format!("{error:?} {:?}", wrap(config.clone())).contains("canary"));
    }
}
