//! Anthropic's Messages protocol.

use std::sync::Arc;

use protocol::model::{CompleteError, Finish, ModelRequest, Role, ToolCall, ToolSpec, Turn};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue, InvalidHeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, value::RawValue};

use super::draft::Draft;
use super::escaped::Escaped;
use super::http::{HttpModelConfig, Protocol, refused};
use super::openai::{Message, Text};
use super::shown::Shown;
use super::sse::Step;

/// The version of the protocol that we speak.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The protocol. It has no dialects.
pub(super) struct Anthropic {
    escaped: Escaped,
}

impl Protocol for Anthropic {
    fn endpoint(base: &mut Url) -> Self {
        let path = base.path().trim_end_matches('/');
        let version = if path.ends_with("/v1") { "" } else { "/v1" };
        let path = format!("{path}{version}/messages");
        base.set_path(&path);
        Self { escaped: Escaped::default() }
    }

    fn headers(api_key: &SecretString) -> Result<HeaderMap, InvalidHeaderValue> {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", VERSION);
        let api_key = api_key.expose_secret();
        if !api_key.is_empty() {
            let mut value = HeaderValue::try_from(api_key)?;
            value.set_sensitive(true);
            headers.insert("x-api-key", value);
        }
        Ok(headers)
    }

    fn ask(
        &self,
        config: &HttpModelConfig,
        request: &ModelRequest,
        stream: bool,
        body: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let turns = &request.turns;
        let system = instructions(turns).map(|turn| self.escaped.json(&turn.content));
        let system: Vec<Arc<RawValue>> = system.collect::<Result<_, _>>()?;
        let ask = Ask {
            model: &config.model,
            max_tokens: request.answer_tokens_max,
            system: &system,
            messages: turns,
            tools: &request.tools,
            stream,
        };
        serde_json::to_writer(body, &ask)
    }

    fn read_whole(body: &[u8], draft: &mut Draft<'_>) -> Result<(), CompleteError> {
        let answer: Answer<'_> = serde_json::from_slice(body).map_err(garbled)?;
        if let Some(trouble) = answer.error {
            return Err(trouble.into());
        }
        answer.read_head(draft);
        for (place, block) in (0..).zip(answer.content.iter().flatten()) {
            block.read(place, draft)?;
        }
        if let Some(Text(reason)) = &answer.stop_reason {
            stop(reason, draft)?;
        }
        Ok(())
    }

    fn read_event(data: &[u8], draft: &mut Draft<'_>) -> Result<Step, CompleteError> {
        let event: Event<'_> = serde_json::from_slice(data).map_err(garbled)?;
        match &*event.kind.0 {
            "ping" => return Ok(Step::Idle),
            "message_stop" => return Ok(Step::Done),
            "error" => return Err(event.error.map_or_else(|| refused(500), CompleteError::from)),
            _ => {}
        }
        if let Some(message) = &event.message {
            message.read_head(draft);
        }
        if let Some(count) = &event.usage {
            count.read(draft);
        }
        if let Some(block) = &event.content_block {
            block.read(event.index.unwrap_or_default(), draft)?;
        }
        if let Some(delta) = &event.delta {
            delta.read(event.index.unwrap_or_default(), draft)?;
            if let Some(Text(reason)) = &delta.stop_reason {
                stop(reason, draft)?;
            }
        }
        Ok(Step::Progress)
    }
}

fn garbled(_holds_a_bit_of_the_answer: serde_json::Error) -> CompleteError {
    CompleteError::Garbled { what: "it is not a message" }
}

// === What we ask. ===

#[derive(Serialize)]
struct Ask<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "<[Arc<RawValue>]>::is_empty", serialize_with = "system")]
    system: &'a [Arc<RawValue>],
    #[serde(serialize_with = "messages")]
    messages: &'a [Turn],
    #[serde(skip_serializing_if = "<[ToolSpec]>::is_empty", serialize_with = "tools")]
    tools: &'a [ToolSpec],
    stream: bool,
}

#[derive(Serialize)]
struct TextBlock<T> {
    r#type: &'static str,
    text: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

impl<T> TextBlock<T> {
    fn new(text: T, is_last: bool) -> Self {
        let cache_control = is_last.then_some(CacheControl { r#type: "ephemeral" });
        Self { r#type: "text", text, cache_control }
    }
}

/// Everything up to here comes again with the next question, and may be kept by the provider.
#[derive(Serialize)]
struct CacheControl {
    r#type: &'static str,
}

/// The last message that comes again as it is, in the form that can say so.
#[derive(Serialize)]
struct LastKnown<'a> {
    role: &'static str,
    content: [TextBlock<&'a str>; 1],
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Plain(Message<'a>),
    Shown(Shown<'a>),
    LastKnown(LastKnown<'a>),
    Calling { role: &'static str, content: Vec<Block<'a>> },
}

/// A piece of a message that is more than text.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text { text: &'a str },
    ToolUse { id: &'a str, name: &'a str, input: Value },
    ToolResult { tool_use_id: &'a str, content: &'a str },
}

impl<'a> Block<'a> {
    /// What a model wrote, with the tools that it called.
    fn of_calls(turn: &'a Turn) -> Vec<Self> {
        let text = Some(&*turn.content).filter(|it| !it.trim().is_empty());
        let said = text.map(|text| Self::Text { text });
        said.into_iter().chain(turn.calls.iter().map(Self::of_call)).collect()
    }

    /// The protocol wants an object. What was none, the model is told so in its result.
    fn of_call(call: &'a ToolCall) -> Self {
        let input = serde_json::from_str(&call.arguments).ok().filter(Value::is_object);
        let input = input.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        Self::ToolUse { id: &call.id, name: &call.name, input }
    }

    fn of_result(turn: &'a Turn) -> Self {
        let tool_use_id = turn.answers.as_deref().unwrap_or_default();
        Self::ToolResult { tool_use_id, content: &turn.content }
    }
}

#[derive(Serialize)]
struct Offered<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: &'a RawValue,
}

fn tools<S: Serializer>(tools: &[ToolSpec], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(tools.iter().map(|it| {
        let ToolSpec { name, description, parameters } = it;
        Offered { name, description, input_schema: parameters }
    }))
}

fn instructions(turns: &[Turn]) -> impl Iterator<Item = &Turn> {
    turns.iter().filter(|turn| turn.role == Role::System && !turn.content.is_empty())
}

fn system<S: Serializer>(texts: &[Arc<RawValue>], serializer: S) -> Result<S::Ok, S::Error> {
    let blocks = texts.iter().enumerate();
    serializer.collect_seq(blocks.map(|(at, text)| TextBlock::new(&**text, at + 1 == texts.len())))
}

/// The conversation without instructions. The protocol wants a person to speak first, and nobody to
/// say nothing. All but the question comes again with the next one. What tools answered is said by
/// the person, in one message for all that were called together.
fn messages<S: Serializer>(turns: &[Turn], serializer: S) -> Result<S::Ok, S::Error> {
    let says = |turn: &&Turn| match turn.role {
        Role::System => false,
        Role::Tool => true,
        Role::User | Role::Assistant => !turn.content.is_empty() || !turn.calls.is_empty(),
    };
    let said: Vec<&Turn> =
        turns.iter().filter(says).skip_while(|turn| turn.role != Role::User).collect();
    let asked = said.iter().rposition(|turn| turn.role == Role::User).unwrap_or_default();
    let together = said.chunk_by(|one, next| one.role == Role::Tool && next.role == Role::Tool);
    let mut at = 0;
    serializer.collect_seq(together.filter_map(|turns| {
        at += turns.len();
        let turn = *turns.first()?;
        Some(match turn.role {
            Role::Tool => {
                let content = turns.iter().map(|it| Block::of_result(it)).collect();
                Said::Calling { role: "user", content }
            }
            Role::Assistant if !turn.calls.is_empty() => {
                Said::Calling { role: "assistant", content: Block::of_calls(turn) }
            }
            Role::Assistant if at == asked => {
                let content = [TextBlock::new(&*turn.content, true)];
                Said::LastKnown(LastKnown { role: "assistant", content })
            }
            Role::System | Role::User | Role::Assistant => match Shown::anthropic(turn) {
                Some(shown) => Said::Shown(shown),
                None => Said::Plain(Message::from(turn)),
            },
        })
    }))
}

// === What we are answered. ===

/// A whole answer, or the head of a streamed one.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<Vec<Piece<'a>>>,
    #[serde(borrow)]
    stop_reason: Option<Text<'a>>,
    usage: Option<TokenCount>,
    #[serde(borrow)]
    error: Option<Trouble<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    index: Option<u32>,
    #[serde(borrow)]
    message: Option<Answer<'a>>,
    #[serde(borrow)]
    content_block: Option<Piece<'a>>,
    #[serde(borrow)]
    delta: Option<Piece<'a>>,
    usage: Option<TokenCount>,
    #[serde(borrow)]
    error: Option<Trouble<'a>>,
}

/// A content block, the start of one, or what is added to one. Thoughts have no `text`.
#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    /// A call's arguments, whole; an empty object where they come in pieces.
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    partial_json: Option<Text<'a>>,
    #[serde(borrow)]
    stop_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct TokenCount {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Trouble<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
}

impl Answer<'_> {
    fn read_head(&self, draft: &mut Draft<'_>) {
        if let Some(Text(model)) = &self.model {
            draft.written_by(model);
        }
        if let Some(count) = &self.usage {
            count.read(draft);
        }
    }
}

impl Piece<'_> {
    fn read(&self, place: u32, draft: &mut Draft<'_>) -> Result<(), CompleteError> {
        let text = |it: &Option<Text<'_>>| it.as_ref().map(|it| it.0.to_string());
        match self.kind.as_ref().map(|Text(kind)| kind.as_ref()) {
            Some("tool_use") => {
                let (id, name) = (text(&self.id), text(&self.name));
                let input = self.input.map(RawValue::get).filter(|it| !is_empty_object(it));
                let [id, name] = [id, name].map(Option::unwrap_or_default);
                draft.call(place, &id, &name, input.unwrap_or_default())
            }
            Some("input_json_delta") => {
                let more = text(&self.partial_json).unwrap_or_default();
                draft.call(place, "", "", &more)
            }
            Some(_) | None => match &self.text {
                Some(Text(text)) => draft.write(text),
                None => Ok(()),
            },
        }
    }
}

fn is_empty_object(json: &str) -> bool {
    json.chars().all(|it| it.is_whitespace() || matches!(it, '{' | '}'))
}

impl TokenCount {
    fn read(&self, draft: &mut Draft<'_>) {
        let cached = [self.cache_creation_input_tokens, self.cache_read_input_tokens];
        let cached: u64 = cached.iter().flatten().fold(0, |sum, count| sum.saturating_add(*count));
        let input_tokens = self.input_tokens.map(|count| count.saturating_add(cached));
        draft.counted(input_tokens, self.output_tokens);
    }
}

/// An error that comes instead of an answer, or in the middle of one, is the status that it would
/// have had.
impl From<Trouble<'_>> for CompleteError {
    fn from(trouble: Trouble<'_>) -> Self {
        refused(match trouble.kind.as_ref().map(|kind| &*kind.0) {
            Some("invalid_request_error") => 400,
            Some("authentication_error") => 401,
            Some("billing_error") => 402,
            Some("permission_error") => 403,
            Some("not_found_error") => 404,
            Some("request_too_large") => 413,
            Some("rate_limit_error") => 429,
            Some("timeout_error") => 504,
            Some("overloaded_error") => 529,
            Some(_) | None => 500,
        })
    }
}

fn stop(reason: &str, draft: &mut Draft<'_>) -> Result<(), CompleteError> {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => draft.ended(Finish::Length),
        "refusal" => draft.ended(Finish::Filtered),
        "tool_use" => draft.ended(Finish::Tools),
        "pause_turn" => {
            return Err(CompleteError::Garbled { what: "it calls a tool that was not offered" });
        }
        // "end_turn" and "stop_sequence".
        _ => draft.ended(Finish::Stop),
    }
    Ok(())
}
