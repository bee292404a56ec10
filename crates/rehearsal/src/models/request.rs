//! What the two protocols ask, read without copying where the JSON allows it.
//!
//! Fields that change nothing here are ignored, as both real servers ignore most of what they do not use.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

/// Which of the two protocols a call speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OpenAI chat completions, `POST /v1/chat/completions`.
    OpenAi,
    /// Anthropic Messages, `POST /v1/messages`.
    Anthropic,
}

impl Protocol {
    /// The name under which calls are counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }
}

/// A completion request of either protocol.
#[derive(Debug, Deserialize)]
pub struct Request<'a> {
    /// The model asked for.
    #[serde(borrow)]
    pub model: Cow<'a, str>,
    /// The conversation, oldest first.
    #[serde(borrow)]
    pub messages: Vec<Message<'a>>,
    /// Anthropic's place for the system prompt.
    #[serde(borrow, default)]
    pub system: Text<'a>,
    /// Whether the answer is to come as server-sent events.
    #[serde(default)]
    pub stream: Option<bool>,
    /// OpenAI's options of the stream.
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
    /// The most tokens of the answer; Anthropic requires it.
    #[serde(default)]
    pub max_tokens: Option<u64>,
    /// OpenAI's newer name of `max_tokens`.
    #[serde(default)]
    pub max_completion_tokens: Option<u64>,
    /// What may be called.
    #[serde(default)]
    pub tools: Vec<Offered>,
}

/// OpenAI's `stream_options`.
#[derive(Debug, Default, Deserialize)]
pub struct StreamOptions {
    /// Whether a last chunk carries the usage.
    #[serde(default)]
    pub include_usage: bool,
}

/// One message of a conversation.
#[derive(Debug, Deserialize)]
pub struct Message<'a> {
    /// Who speaks.
    #[serde(borrow)]
    pub role: Cow<'a, str>,
    /// What is said.
    #[serde(borrow, default)]
    pub content: Text<'a>,
    /// OpenAI's place for the calls of an assistant's message.
    #[serde(default)]
    pub tool_calls: Vec<Called>,
    /// OpenAI's place for the call that a tool's message answers.
    #[serde(default)]
    pub tool_call_id: Option<String>,
}

impl Message<'_> {
    /// The ids of the calls in it.
    pub fn calls(&self) -> impl Iterator<Item = &str> {
        let openai = self.tool_calls.iter().map(|it| it.id.as_str());
        openai.chain(self.content.1.calls.iter().map(String::as_str))
    }

    /// The ids of the calls that it answers.
    pub fn answers(&self) -> impl Iterator<Item = &str> {
        let openai = self.tool_call_id.as_deref().into_iter();
        openai.chain(self.content.1.results.iter().map(|(id, _)| id.as_str()))
    }

    /// What the tools said that it tells of.
    fn results(&self) -> String {
        let openai = self.tool_call_id.as_ref().map(|_| &*self.content.0);
        let anthropic = self.content.1.results.iter().map(|(_, text)| text.as_str());
        openai.into_iter().chain(anthropic).collect::<Vec<_>>().join("\n")
    }
}

/// A text given as a string, as a list of parts (their texts joined) or as `null` (empty), and what
/// of tools is among the parts.
#[derive(Debug, Default)]
pub struct Text<'a>(pub Cow<'a, str>, pub Parts);

/// Calls and results that stand in a list of parts.
#[derive(Debug, Default)]
pub struct Parts {
    /// The ids of `tool_use` parts.
    pub calls: Vec<String>,
    /// The ids of `tool_result` parts with their texts.
    pub results: Vec<(String, String)>,
}

/// A call of a tool, as far as it is looked at.
#[derive(Debug, Deserialize)]
pub struct Called {
    /// What it is answered by.
    pub id: String,
}

/// A tool that may be called, in the words of either protocol.
#[derive(Debug, Deserialize)]
pub struct Offered {
    /// Anthropic's place for its name.
    #[serde(default)]
    name: Option<String>,
    /// OpenAI's.
    #[serde(default)]
    function: Option<Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

impl Offered {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.function.as_ref().map(|it| it.name.as_str()).or(self.name.as_deref())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(rename = "type", default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    tool_use_id: Option<String>,
    #[serde(borrow, default)]
    content: Text<'a>,
}

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a list of content parts or null")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text), Parts::default()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned()), Parts::default()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Text::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let mut joined = Cow::Borrowed("");
        let mut others = Parts::default();
        while let Some(part) = parts.next_element::<Part<'de>>()? {
            match (part.kind.as_deref(), part.id, part.tool_use_id) {
                (Some("tool_use"), Some(id), _) => others.calls.push(id),
                (Some("tool_result"), _, Some(id)) => {
                    others.results.push((id, part.content.0.into_owned()));
                }
                _ => joined += part.text.unwrap_or_default(),
            }
        }
        Ok(Text(joined, others))
    }
}

/// Why a request is refused with 400, in the words of its protocol.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RequestError {
    /// Not JSON, or a field of the wrong type or missing; the parser's words.
    #[error("{0}")]
    Unreadable(String),
    /// No message at all.
    #[error("messages: at least one message is required")]
    NoMessages,
    /// A role that the protocol does not know.
    #[error("messages.{at}.role: unknown role")]
    UnknownRole {
        /// Which message.
        at: usize,
    },
    /// Anthropic only: `max_tokens` is missing or 0.
    #[error("max_tokens: Field required")]
    NoMaxTokens,
    /// Anthropic only: the header `anthropic-version` is missing.
    #[error("anthropic-version: header is required")]
    NoVersion,
    /// Anthropic only: the first message is not the user's.
    #[error("messages: first message must use the \"user\" role")]
    UserNotFirst,
    /// Anthropic only: a message without text.
    #[error("messages: text content blocks must be non-empty")]
    EmptyText,
    /// A tool was called and the next messages do not say what came of it, or say so of another.
    #[error("messages.{at}: tool calls and tool results must follow each other")]
    UnevenCalls {
        /// Which message.
        at: usize,
    },
    /// Anthropic only: calls or results in a request without tools.
    #[error("tools: requests with tool_use or tool_result blocks must define tools")]
    NoTools,
}

impl<'a> Request<'a> {
    /// Reads and checks the body of a call.
    ///
    /// # Errors
    /// When the protocol's own server would answer 400.
    pub fn read(protocol: Protocol, body: &'a [u8]) -> Result<Self, RequestError> {
        let request: Self = serde_json::from_slice(body)
            .map_err(|error| RequestError::Unreadable(error.to_string()))?;
        let (first, roles): (_, &[&str]) = match protocol {
            Protocol::OpenAi => {
                (None, &["user", "assistant", "system", "developer", "tool", "function"])
            }
            Protocol::Anthropic => (Some("user"), &["user", "assistant"]),
        };
        let opening = request.messages.first().ok_or(RequestError::NoMessages)?;
        if first.is_some_and(|first| first != opening.role) {
            return Err(RequestError::UserNotFirst);
        }
        let unknown = request.messages.iter().position(|message| !roles.contains(&&*message.role));
        if let Some(at) = unknown {
            return Err(RequestError::UnknownRole { at });
        }
        if protocol == Protocol::Anthropic {
            request.max_tokens.filter(|most| *most > 0).ok_or(RequestError::NoMaxTokens)?;
            let says_nothing = |it: &Message<'_>| {
                let has_parts = !it.content.1.calls.is_empty() || !it.content.1.results.is_empty();
                !has_parts && it.content.0.trim().is_empty()
            };
            if request.messages.iter().any(says_nothing) {
                return Err(RequestError::EmptyText);
            }
        }
        request.check_calls(protocol)?;
        Ok(request)
    }

    /// What both servers insist on: every call is answered by what comes next, and nothing else is.
    fn check_calls(&self, protocol: Protocol) -> Result<(), RequestError> {
        let mut open: Vec<&str> = Vec::new();
        for (at, message) in self.messages.iter().enumerate() {
            for answered in message.answers() {
                let place = open.iter().position(|id| *id == answered);
                open.remove(place.ok_or(RequestError::UnevenCalls { at })?);
            }
            let more_may_come = protocol == Protocol::OpenAi && message.role == "tool";
            if !open.is_empty() && !more_may_come {
                return Err(RequestError::UnevenCalls { at });
            }
            open.extend(message.calls());
        }
        if !open.is_empty() {
            return Err(RequestError::UnevenCalls { at: self.messages.len() });
        }
        let has_calls = self.messages.iter().any(|it| it.calls().next().is_some());
        if protocol == Protocol::Anthropic && has_calls && self.tools.is_empty() {
            return Err(RequestError::NoTools);
        }
        Ok(())
    }

    /// How often tools have been called since the newest text of the user.
    #[must_use]
    pub fn rounds(&self) -> usize {
        let since = self.messages.iter().rev().take_while(|it| !is_users(it));
        since.filter(|it| it.calls().next().is_some()).count()
    }

    /// What the tools said that were called last.
    #[must_use]
    pub fn newest_results(&self) -> String {
        let newest = self.messages.iter().rev().take_while(|it| it.answers().next().is_some());
        let mut texts: Vec<String> = newest.map(Message::results).collect();
        texts.reverse();
        texts.join("\n")
    }

    /// Whether a tool of this name may be called.
    #[must_use]
    pub fn offers(&self, name: &str) -> bool {
        self.tools.iter().any(|it| it.name() == Some(name))
    }

    /// Whether these words are in the instructions.
    #[must_use]
    pub fn instructed(&self, with: &str) -> bool {
        let openai = self.messages.iter().filter(|it| it.role == "system").map(|it| &*it.content.0);
        std::iter::once(&*self.system.0).chain(openai).any(|it| it.contains(with))
    }

    /// The newest text of the user, or an empty one.
    #[must_use]
    pub fn last_user_text(&self) -> &str {
        self.user_texts_newest_first().next().unwrap_or_default()
    }

    /// The user's texts, newest first.
    pub fn user_texts_newest_first(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().rev().filter(|it| is_users(it)).map(|m| &*m.content.0)
    }

    /// Every text of the request in order, the system prompt first.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.system.0).chain(self.messages.iter().map(|m| &*m.content.0))
    }

    /// The tokens of the request, by our rule of four bytes to a token and four for each text.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        let texts = self.texts().filter(|text| !text.is_empty());
        texts.map(|text| text.len().div_ceil(4) as u64 + 4).sum()
    }

    /// The most tokens the answer may have.
    #[must_use]
    pub fn answer_tokens_max(&self) -> Option<u64> {
        self.max_completion_tokens.or(self.max_tokens)
    }
}

/// Whether the user wrote it. In Anthropic's protocol the user also says what tools answered.
fn is_users(message: &Message<'_>) -> bool {
    message.role == "user" && message.content.1.results.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_may_be_a_string_parts_or_null() {
        let body = br#"{"model":"m","messages":[{"role":"system","content":null},
            {"role":"user","content":[{"type":"text","text":"a\n"},{"type":"image_url","image_url":{}},{"type":"text","text":"b"}]},
            {"role":"assistant","content":"plain"}],"temperature":1}"#;
        let request = Request::read(Protocol::OpenAi, body).unwrap();
        assert_eq!(request.texts().collect::<Vec<_>>(), ["", "", "a\nb", "plain"]);
        assert_eq!(request.last_user_text(), "a\nb");
        assert!(matches!(request.messages[2].content.0, Cow::Borrowed(_)));
    }

    #[test]
    fn each_protocol_refuses_what_its_server_refuses() {
        let read = |protocol, body: &str| Request::read(protocol, body.as_bytes()).err();
        let hi = r#"[{"role":"user","content":"hi"}]"#;
        let say =
            |messages: &str| format!(r#"{{"model":"m","max_tokens":9,"messages":{messages}}}"#);
        for protocol in [Protocol::OpenAi, Protocol::Anthropic] {
            assert_eq!(read(protocol, &say(hi)), None);
            assert_eq!(read(protocol, &say("[]")), Some(RequestError::NoMessages));
            assert!(matches!(read(protocol, "{}"), Some(RequestError::Unreadable(_))));
        }
        let system = say(r#"[{"role":"system","content":"s"},{"role":"user","content":"hi"}]"#);
        assert_eq!(read(Protocol::OpenAi, &system), None);
        assert_eq!(read(Protocol::Anthropic, &system), Some(RequestError::UserNotFirst));
        let no_max = format!(r#"{{"model":"m","messages":{hi}}}"#);
        assert_eq!(read(Protocol::Anthropic, &no_max), Some(RequestError::NoMaxTokens));
        let empty = say(r#"[{"role":"user","content":" "}]"#);
        assert_eq!(read(Protocol::Anthropic, &empty), Some(RequestError::EmptyText));
        let calls = r#"{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"t","input":{}}]}"#;
        let result =
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]}"#;
        let asked = r#"{"role":"user","content":"hi"}"#;
        let tools = r#""tools":[{"name":"t"}],"messages""#;
        let talk = |messages: &[&str]| say(&format!("[{}]", messages.join(",")));
        let with_tools = |body: String| body.replace("\"messages\"", tools);
        let even = talk(&[asked, calls, result]);
        assert_eq!(read(Protocol::Anthropic, &even), Some(RequestError::NoTools));
        assert_eq!(read(Protocol::Anthropic, &with_tools(even)), None);
        for uneven in [talk(&[asked, calls]), talk(&[asked, result]), talk(&[asked, calls, asked])]
        {
            let refused = read(Protocol::Anthropic, &with_tools(uneven));
            assert!(matches!(refused, Some(RequestError::UnevenCalls { .. })), "{refused:?}");
        }
        let odd = say(r#"[{"role":"user","content":"a"},{"role":"king","content":"b"}]"#);
        assert_eq!(read(Protocol::OpenAi, &odd), Some(RequestError::UnknownRole { at: 1 }));
    }
}
