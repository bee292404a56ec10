//! The chat completions protocol: OpenAI's own, and what most other servers speak.

use std::borrow::Cow;

use protocol::model::{CompleteError, Finish, ModelRequest, Role, ToolCall, ToolSpec, Turn};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, InvalidHeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeSeq as _};
use serde_json::value::RawValue;

use super::draft::Draft;
use super::escaped::Escaped;
use super::http::{HttpModelConfig, Protocol, refused};
use super::shown::Shown;
use super::sse::Step;

/// The protocol, in the dialect of one server.
pub(super) struct OpenAi {
    /// OpenAI's own newer models refuse the name `max_tokens`, most other servers know no other.
    newer_limit: bool,
    escaped: Escaped,
}

impl Protocol for OpenAi {
    fn endpoint(base: &mut Url) -> Self {
        let host = base.host_str().unwrap_or_default();
        let newer_limit = host == "api.openai.com" || host.ends_with(".openai.azure.com");
        let path = format!("{}/chat/completions", base.path().trim_end_matches('/'));
        base.set_path(&path);
        Self { newer_limit, escaped: Escaped::default() }
    }

    fn headers(api_key: &SecretString) -> Result<HeaderMap, InvalidHeaderValue> {
        let mut headers = HeaderMap::new();
        let api_key = api_key.expose_secret();
        if !api_key.is_empty() {
            let mut value = HeaderValue::try_from(format!("Bearer {api_key}"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
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
        let limit = Some(request.answer_tokens_max);
        let (first, others) = match request.turns.split_first() {
            Some((first, others)) if first.role == Role::System => {
                (Some(self.escaped.json(&first.content)?), others)
            }
            _ => (None, request.turns.as_slice()),
        };
        let ask = Ask {
            model: &config.model,
            messages: Messages { first: first.as_deref(), others },
            tools: &request.tools,
            max_tokens: limit.filter(|_| !self.newer_limit),
            max_completion_tokens: limit.filter(|_| self.newer_limit),
            stream,
            stream_options: stream.then_some(StreamOptions { include_usage: true }),
        };
        serde_json::to_writer(body, &ask)
    }

    fn read_whole(body: &[u8], draft: &mut Draft<'_>) -> Result<(), CompleteError> {
        let answer: Answer<'_> = serde_json::from_slice(body).map_err(garbled)?;
        answer.read(draft)?;
        if !draft.has_ended() {
            draft.ended(Finish::Stop);
        }
        Ok(())
    }

    fn read_event(data: &[u8], draft: &mut Draft<'_>) -> Result<Step, CompleteError> {
        if data == b"[DONE]" {
            return Ok(Step::Done);
        }
        let answer: Answer<'_> = serde_json::from_slice(data).map_err(garbled)?;
        answer.read(draft)?;
        Ok(Step::Progress)
    }
}

fn garbled(_holds_a_bit_of_the_answer: serde_json::Error) -> CompleteError {
    CompleteError::Garbled { what: "it is not a chat completion" }
}

// === What we ask. ===

#[derive(Serialize)]
struct Ask<'a> {
    model: &'a str,
    messages: Messages<'a>,
    #[serde(skip_serializing_if = "<[ToolSpec]>::is_empty", serialize_with = "tools")]
    tools: &'a [ToolSpec],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// One message, of this protocol and of Anthropic's.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "<[ToolCall]>::is_empty", serialize_with = "calls")]
    tool_calls: &'a [ToolCall],
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

impl<'a> From<&'a Turn> for Message<'a> {
    fn from(turn: &'a Turn) -> Self {
        let role = match turn.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        let (tool_calls, tool_call_id) = (turn.calls.as_slice(), turn.answers.as_deref());
        Self { role, content: &turn.content, tool_calls, tool_call_id }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Plain(Message<'a>),
    Shown(Shown<'a>),
}

/// A conversation, with the instructions that it begins with.
struct Messages<'a> {
    first: Option<&'a RawValue>,
    others: &'a [Turn],
}

#[derive(Serialize)]
struct Instructions<'a> {
    role: &'static str,
    content: &'a RawValue,
}

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let count = self.others.len() + usize::from(self.first.is_some());
        let mut messages = serializer.serialize_seq(Some(count))?;
        if let Some(content) = self.first {
            messages.serialize_element(&Instructions { role: "system", content })?;
        }
        for turn in self.others {
            messages.serialize_element(&match Shown::openai(turn) {
                Some(shown) => Said::Shown(shown),
                None => Said::Plain(Message::from(turn)),
            })?;
        }
        messages.end()
    }
}

/// A tool, or a call of one: both come as functions, which are all the tools that there are.
#[derive(Serialize)]
struct Wrapped<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    r#type: &'static str,
    function: T,
}

#[derive(Serialize)]
struct Offered<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a RawValue,
}

#[derive(Serialize)]
struct CalledBefore<'a> {
    name: &'a str,
    arguments: &'a str,
}

fn tools<S: Serializer>(tools: &[ToolSpec], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(tools.iter().map(|it| {
        let ToolSpec { name, description, parameters } = it;
        let function = Offered { name, description, parameters };
        Wrapped { id: None, r#type: "function", function }
    }))
}

fn calls<S: Serializer>(calls: &[ToolCall], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(calls.iter().map(|it| {
        let function = CalledBefore { name: &it.name, arguments: &it.arguments };
        Wrapped { id: Some(&it.id), r#type: "function", function }
    }))
}

// === What we are answered: a whole answer, or an event of a streamed one. ===

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    usage: Option<TokenCount>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u32,
    #[serde(borrow, alias = "delta")]
    message: Option<Content<'a>>,
    #[serde(borrow)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    content: Option<Text<'a>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<Calling<'a>>>,
}

/// A call of a tool, or a piece of one.
#[derive(Deserialize)]
struct Calling<'a> {
    index: Option<u32>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    arguments: Option<Text<'a>>,
}

impl Calling<'_> {
    fn read(&self, place: u32, draft: &mut Draft<'_>) -> Result<(), CompleteError> {
        let function = self.function.as_ref();
        let name = function.and_then(|it| it.name.as_ref());
        let arguments = function.and_then(|it| it.arguments.as_ref());
        let [id, name, arguments] = [self.id.as_ref(), name, arguments]
            .map(|it| it.map(|Text(text)| text.as_ref()).unwrap_or_default());
        draft.call(self.index.unwrap_or(place), id, name, arguments)
    }
}

#[derive(Deserialize)]
struct TokenCount {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Trouble<'a> {
    #[serde(borrow)]
    code: Option<&'a RawValue>,
}

/// A text that is copied only if it has escapes; a plain `Option<Cow<str>>` always is.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Answer<'_> {
    fn read(&self, draft: &mut Draft<'_>) -> Result<(), CompleteError> {
        if let Some(error) = self.error {
            return Err(refused(status_of(error)));
        }
        if let Some(Text(model)) = &self.model {
            draft.written_by(model);
        }
        if let Some(count) = &self.usage {
            draft.counted(count.prompt_tokens, count.completion_tokens);
        }
        for choice in self.choices.iter().flatten().filter(|choice| choice.index == 0) {
            if let Some(Content { content: Some(Text(text)), .. }) = &choice.message {
                draft.write(text)?;
            }
            let called = choice.message.iter().flat_map(|it| it.tool_calls.iter().flatten());
            for (place, call) in (0..).zip(called) {
                call.read(place, draft)?;
            }
            if let Some(Text(reason)) = &choice.finish_reason {
                finish(reason, draft)?;
            }
        }
        Ok(())
    }
}

fn finish(reason: &str, draft: &mut Draft<'_>) -> Result<(), CompleteError> {
    match reason {
        "" => {}
        "length" => draft.ended(Finish::Length),
        "content_filter" => draft.ended(Finish::Filtered),
        "tool_calls" | "function_call" => draft.ended(Finish::Tools),
        "error" => return Err(refused(500)),
        // "stop", and what servers of other makers say for it.
        _ => draft.ended(Finish::Stop),
    }
    Ok(())
}

/// The status of an error that comes instead of an answer. Many servers state it as `code`.
fn status_of(error: &RawValue) -> u16 {
    let trouble: Option<Trouble<'_>> = serde_json::from_str(error.get()).ok();
    trouble
        .and_then(|trouble| trouble.code?.get().trim_matches('"').parse().ok())
        .filter(|status| (400..=599).contains(status))
        .unwrap_or(500)
}
