//! Answers of both protocols as bytes, whole or as server-sent events, cut into frames so that they can be
//! slowed down, cut off or left hanging between two of them.

use bytes::Bytes;
use serde::Serialize;

use serde_json::value::{RawValue, to_raw_value};

use super::{Scripted, request::Protocol};

/// How many pieces a whole answer is sent in when it has to drip.
const WHOLE_FRAMES: usize = 8;

/// The bytes of one answer and where each frame of it ends.
#[derive(Debug, Default)]
pub struct Framed {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Framed {
    /// Everything in one piece.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        Bytes::from(self.bytes)
    }

    /// Everything, frame by frame.
    #[must_use]
    pub fn into_frames(self) -> Vec<Bytes> {
        let all = Bytes::from(self.bytes);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| all.slice(start..*end)).collect()
    }

    /// The first half of the frames: at least one, never all.
    #[must_use]
    pub fn into_first_half(self) -> Bytes {
        let end = self.ends.get(self.ends.len() / 2 - usize::from(self.ends.len() > 1));
        let end = end.copied().unwrap_or_default();
        Bytes::from(self.bytes).slice(..end)
    }

    fn event<T: Serialize>(&mut self, name: Option<&str>, data: &T) {
        if let Some(name) = name {
            self.bytes.extend_from_slice(b"event: ");
            self.bytes.extend_from_slice(name.as_bytes());
            self.bytes.push(b'\n');
        }
        self.bytes.extend_from_slice(b"data: ");
        json(&mut self.bytes, data);
        self.raw(b"\n\n");
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
    }

    fn whole<T: Serialize>(data: &T) -> Self {
        let mut bytes = Vec::with_capacity(512);
        json(&mut bytes, data);
        let ends = (1..=WHOLE_FRAMES).map(|n| bytes.len() * n / WHOLE_FRAMES).collect();
        Self { bytes, ends }
    }
}

fn json<T: Serialize>(into: &mut Vec<u8>, data: &T) {
    // lost-ok: strings and numbers always serialise, and writing to a Vec never fails.
    serde_json::to_writer(into, data).unwrap_or_default();
}

/// What is answered, before it is put into a protocol's shape.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The id of the answer without its protocol's prefix.
    pub id: u64,
    /// Unix time in seconds.
    pub created: u64,
    /// The model that was asked for.
    pub model: &'a str,
    /// The whole text.
    pub text: &'a str,
    /// Tools that it calls instead.
    pub calls: &'a [Scripted],
    /// Whether the text was cut at the caller's limit of tokens.
    pub cut: bool,
    /// Tokens of the request.
    pub tokens_in: u64,
    /// Whether OpenAI's last chunk carries the usage.
    pub include_usage: bool,
}

/// The pieces in which a text is streamed: a word with the white space behind it is a token.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive([' ', '\n'])
}

impl Answer<'_> {
    /// The answer as one JSON body.
    #[must_use]
    pub fn whole(&self, protocol: Protocol) -> Framed {
        match protocol {
            Protocol::OpenAi => self.openai_whole(),
            Protocol::Anthropic => self.anthropic_whole(),
        }
    }

    /// The answer as server-sent events.
    #[must_use]
    pub fn stream(&self, protocol: Protocol) -> Framed {
        match protocol {
            Protocol::OpenAi => self.openai_stream(),
            Protocol::Anthropic => self.anthropic_stream(),
        }
    }

    fn tokens_out(&self) -> u64 {
        tokens(self.text).count() as u64 + self.calls.len() as u64
    }

    fn openai_usage(&self) -> OpenAiUsage {
        let completion_tokens = self.tokens_out();
        OpenAiUsage {
            prompt_tokens: self.tokens_in,
            completion_tokens,
            total_tokens: self.tokens_in + completion_tokens,
        }
    }

    fn openai_finish(&self) -> &'static str {
        match (self.calls.is_empty(), self.cut) {
            (false, _) => "tool_calls",
            (true, true) => "length",
            (true, false) => "stop",
        }
    }

    /// The text as a message says it: `null` beside calls.
    fn openai_content(&self) -> Option<&str> {
        Some(self.text).filter(|_| self.calls.is_empty())
    }

    /// A call's id: its own in every answer.
    fn call_id(&self, prefix: &str, number: usize) -> String {
        format!("{prefix}_{:016x}{number:02}", self.id)
    }

    fn openai_calls(&self) -> Vec<OpenAiCall> {
        let call = |(number, call): (usize, &Scripted)| OpenAiCall {
            index: None,
            id: Some(self.call_id("call", number)),
            kind: Some("function"),
            function: OpenAiFunction {
                name: Some(call.tool.clone()),
                arguments: call.arguments.to_string(),
            },
        };
        self.calls.iter().enumerate().map(call).collect()
    }

    /// The pieces of the same calls: first its head, then its arguments in two pieces.
    fn openai_call_pieces(&self) -> Vec<OpenAiCall> {
        let mut pieces = Vec::new();
        for (index, call) in (0_u32..).zip(self.openai_calls()) {
            let OpenAiCall { id, kind, function, .. } = call;
            let OpenAiFunction { name, arguments } = function;
            let (first, second) = halves(&arguments);
            let piece = |arguments: &str| OpenAiCall {
                index: Some(index),
                id: None,
                kind: None,
                function: OpenAiFunction { name: None, arguments: arguments.to_owned() },
            };
            let function = OpenAiFunction { name, arguments: String::new() };
            pieces.push(OpenAiCall { index: Some(index), id, kind, function });
            pieces.extend([first, second].map(piece));
        }
        pieces
    }

    fn openai_whole(&self) -> Framed {
        Framed::whole(&Completion {
            id: &format!("chatcmpl-{:016x}", self.id),
            object: "chat.completion",
            created: self.created,
            model: self.model,
            choices: [CompletionChoice {
                index: 0,
                message: Said {
                    role: Some("assistant"),
                    content: Some(self.openai_content()),
                    refusal: None,
                    tool_calls: self.openai_calls(),
                },
                logprobs: None,
                finish_reason: self.openai_finish(),
            }],
            usage: self.openai_usage(),
        })
    }

    fn openai_stream(&self) -> Framed {
        let id = format!("chatcmpl-{:016x}", self.id);
        let mut framed = Framed::default();
        let mut chunk = |choices: &[ChunkChoice<'_>], usage| {
            let (created, model) = (self.created, self.model);
            let object = "chat.completion.chunk";
            framed.event(None, &Chunk { id: &id, object, created, model, choices, usage });
        };
        let pending = self.include_usage.then_some(None);
        let choice = |role, content: Option<_>, finish_reason| ChunkChoice {
            index: 0,
            delta: Said { role, content: content.map(Some), refusal: None, tool_calls: Vec::new() },
            logprobs: None,
            finish_reason,
        };
        chunk(&[choice(Some("assistant"), Some(""), None)], pending);
        for call in self.openai_call_pieces() {
            let mut calling = choice(None, None, None);
            calling.delta.tool_calls.push(call);
            chunk(&[calling], pending);
        }
        for token in tokens(self.text) {
            chunk(&[choice(None, Some(token), None)], pending);
        }
        chunk(&[choice(None, None, Some(self.openai_finish()))], pending);
        if self.include_usage {
            chunk(&[], Some(Some(self.openai_usage())));
        }
        framed.raw(b"data: [DONE]\n\n");
        framed
    }

    fn anthropic_message<'a>(&'a self, id: &'a str, content: &'a [Block<'a>]) -> MessageBody<'a> {
        let whole = !content.is_empty();
        MessageBody {
            id,
            kind: "message",
            role: "assistant",
            model: self.model,
            content,
            stop_reason: whole.then(|| self.anthropic_stop()),
            stop_sequence: None,
            usage: AnthropicUsage {
                input_tokens: Some(self.tokens_in),
                output_tokens: if whole { self.tokens_out() } else { 1 },
            },
        }
    }

    fn anthropic_stop(&self) -> &'static str {
        match (self.calls.is_empty(), self.cut) {
            (false, _) => "tool_use",
            (true, true) => "max_tokens",
            (true, false) => "end_turn",
        }
    }

    fn anthropic_whole(&self) -> Framed {
        let id = format!("msg_{:016x}", self.id);
        let calls = self.calls.iter().enumerate();
        let calls = calls.map(|(number, call)| self.tool_use(number, &call.arguments));
        let text = calls.len() == 0;
        let text = text.then_some(Block::Text { text: self.text });
        let content: Vec<Block<'_>> = text.into_iter().chain(calls).collect();
        Framed::whole(&self.anthropic_message(&id, &content))
    }

    fn tool_use(&self, number: usize, input: &serde_json::Value) -> Block<'_> {
        let name = self.calls.get(number).map(|it| it.tool.as_str()).unwrap_or_default();
        // Strings and numbers always serialise.
        let input = to_raw_value(input).unwrap_or_default();
        Block::ToolUse { id: self.call_id("toolu", number), name, input }
    }

    fn anthropic_stream(&self) -> Framed {
        let id = format!("msg_{:016x}", self.id);
        let mut framed = Framed::default();
        let mut event = |event: &Event<'_>| framed.event(Some(event.name()), event);
        event(&Event::MessageStart { message: self.anthropic_message(&id, &[]) });
        if self.calls.is_empty() {
            let content_block = Block::Text { text: "" };
            event(&Event::ContentBlockStart { index: 0, content_block });
            event(&Event::Ping);
            for text in tokens(self.text) {
                let delta = Block::TextDelta { text };
                event(&Event::ContentBlockDelta { index: 0, delta });
            }
            event(&Event::ContentBlockStop { index: 0 });
        }
        for (index, call) in (0_u32..).zip(self.calls) {
            let empty = serde_json::Value::Object(serde_json::Map::new());
            let content_block = self.tool_use(index as usize, &empty);
            event(&Event::ContentBlockStart { index, content_block });
            let arguments = call.arguments.to_string();
            let (first, second) = halves(&arguments);
            for partial_json in [first, second] {
                let delta = Block::InputJsonDelta { partial_json };
                event(&Event::ContentBlockDelta { index, delta });
            }
            event(&Event::ContentBlockStop { index });
        }
        event(&Event::MessageDelta {
            delta: Stop { stop_reason: self.anthropic_stop(), stop_sequence: None },
            usage: AnthropicUsage { input_tokens: None, output_tokens: self.tokens_out() },
        });
        event(&Event::MessageStop);
        framed
    }
}

/// A text in two pieces.
fn halves(text: &str) -> (&str, &str) {
    let mut at = text.len() / 2;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.split_at(at)
}

/// A body that claims to be JSON or events and is not, whole or streamed.
#[must_use]
pub fn bad_json(streamed: bool) -> Framed {
    let mut framed = Framed::default();
    if streamed {
        framed.raw(b"data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\"delta\":\n\n");
        framed.raw(b"data: [DONE]\n\n");
    } else {
        framed.raw(b"{\"id\":\"chatcmpl-broken\",\"choices\":[{\"message\":");
    }
    framed
}

/// The body of an error in the protocol's shape.
#[must_use]
pub fn error(protocol: Protocol, status: u16, message: &str) -> Bytes {
    let mut body = Vec::with_capacity(256);
    match protocol {
        Protocol::OpenAi => {
            let (kind, code) = openai_error_kind(status);
            json(&mut body, &OpenAiError { error: Reason { message, kind, param: None, code } });
        }
        Protocol::Anthropic => {
            let error = AnthropicReason { kind: anthropic_error_kind(status), message };
            json(&mut body, &AnthropicError { kind: "error", error, request_id: "req_rehearsal" });
        }
    }
    Bytes::from(body)
}

fn openai_error_kind(status: u16) -> (&'static str, Option<&'static str>) {
    match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        408 => ("timeout", None),
        429 => ("requests", Some("rate_limit_exceeded")),
        503 | 529 => ("service_unavailable_error", None),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    }
}

fn anthropic_error_kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

// === The shapes on the wire ===

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [CompletionChoice<'a>; 1],
    usage: OpenAiUsage,
}

#[derive(Serialize)]
struct CompletionChoice<'a> {
    index: u32,
    message: Said<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Said<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// Absent in a piece without text; `null` in a message that calls tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Option<&'a str>>,
    refusal: Option<()>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<OpenAiCall>,
}

#[derive(Serialize)]
struct OpenAiCall {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: OpenAiFunction,
}

#[derive(Serialize)]
struct OpenAiFunction {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    arguments: String,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [ChunkChoice<'a>],
    /// Absent unless asked for; then `null` but in the last chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<OpenAiUsage>>,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: u32,
    delta: Said<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Clone, Copy, Serialize)]
struct OpenAiUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

#[derive(Serialize)]
struct OpenAiError<'a> {
    error: Reason<'a>,
}

#[derive(Serialize)]
struct Reason<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<()>,
    code: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    MessageStart { message: MessageBody<'a> },
    ContentBlockStart { index: u32, content_block: Block<'a> },
    Ping,
    ContentBlockDelta { index: u32, delta: Block<'a> },
    ContentBlockStop { index: u32 },
    MessageDelta { delta: Stop, usage: AnthropicUsage },
    MessageStop,
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::Ping => "ping",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }
}

#[derive(Serialize)]
struct MessageBody<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: &'a [Block<'a>],
    stop_reason: Option<&'static str>,
    stop_sequence: Option<()>,
    usage: AnthropicUsage,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text { text: &'a str },
    TextDelta { text: &'a str },
    ToolUse { id: String, name: &'a str, input: Box<RawValue> },
    InputJsonDelta { partial_json: &'a str },
}

#[derive(Serialize)]
struct Stop {
    stop_reason: &'static str,
    stop_sequence: Option<()>,
}

#[derive(Serialize)]
struct AnthropicUsage {
    #[serde(skip_serializing_if = "Option::is_none")]
    input_tokens: Option<u64>,
    output_tokens: u64,
}

#[derive(Serialize)]
struct AnthropicError<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: AnthropicReason<'a>,
    request_id: &'static str,
}

#[derive(Serialize)]
struct AnthropicReason<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Answer<'_> {
        let (id, created, model, tokens_in) = (1, 2, "m", 3);
        let calls = &[];
        Answer { id, created, model, text, calls, cut: false, tokens_in, include_usage: true }
    }

    #[test]
    fn the_frames_of_an_answer_joined_are_the_answer() {
        for protocol in [Protocol::OpenAi, Protocol::Anthropic] {
            let answer = answer("one two\nthree");
            for framed in [Answer::whole, Answer::stream].map(|shape| shape(&answer, protocol)) {
                let all = framed.bytes.clone();
                let half =
                    Framed { bytes: all.clone(), ends: framed.ends.clone() }.into_first_half();
                assert!(!half.is_empty() && half.len() < all.len());
                assert_eq!(framed.into_frames().concat(), all);
            }
        }
    }

    #[test]
    fn tokens_joined_are_the_text() {
        let text = "a  b\nc d ";
        assert_eq!(tokens(text).collect::<String>(), text);
        assert_eq!(tokens("").count(), 0);
    }
}
