//! Spans and figures as requests of the OpenTelemetry protocol, in protobuf.
//!
//! Only what is sent here is written, field by field, with the numbers of `opentelemetry-proto` 1.x
//! (<https://github.com/open-telemetry/opentelemetry-proto>); a test has its own types read it. That spares
//! this program the SDK, which would count and queue once more what is counted and queued here.

use std::collections::BTreeMap;

use protocol::Timestamp;

use crate::figures::{Family, Kind, Point};

/// Names of the semantic conventions for generative AI, which are still in development
/// (<https://github.com/open-telemetry/semantic-conventions-genai>, 2026-11): all of them stand here.
pub mod names {
    /// What is done: [`CHAT`], [`INVOKE_AGENT`] or [`EXECUTE_TOOL`].
    pub const OPERATION: &str = "gen_ai.operation.name";
    /// A call to a model.
    pub const CHAT: &str = "chat";
    /// A whole turn.
    pub const INVOKE_AGENT: &str = "invoke_agent";
    /// A call of a tool.
    pub const EXECUTE_TOOL: &str = "execute_tool";
    /// Which tool.
    pub const TOOL: &str = "gen_ai.tool.name";
    /// Which call of the turn: a number.
    pub const TOOL_CALL: &str = "gen_ai.tool.call.id";
    /// Who serves the model.
    pub const PROVIDER: &str = "gen_ai.provider.name";
    /// The model that answered.
    pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
    /// The model that was asked.
    pub const REQUEST_MODEL: &str = "gen_ai.request.model";
    /// Who answers.
    pub const AGENT: &str = "gen_ai.agent.name";
    /// The conversation, as a keyed hash.
    pub const CONVERSATION: &str = "gen_ai.conversation.id";
    /// Tokens of the question.
    pub const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
    /// Tokens of the answer.
    pub const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
    /// `input` or `output`.
    pub const TOKEN_TYPE: &str = "gen_ai.token.type";
    /// Why it failed.
    pub const ERROR: &str = "error.type";
    /// How long calls took, in seconds.
    pub const DURATION: &str = "gen_ai.client.operation.duration";
    /// Tokens by call.
    pub const TOKEN_USAGE: &str = "gen_ai.client.token.usage";
    /// The buckets that the conventions give for [`DURATION`].
    pub const DURATION_BOUNDS: [f64; 14] =
        [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    /// Those for [`TOKEN_USAGE`].
    pub const TOKEN_BOUNDS: [f64; 14] = [
        1.0,
        4.0,
        16.0,
        64.0,
        256.0,
        1_024.0,
        4_096.0,
        16_384.0,
        65_536.0,
        262_144.0,
        1_048_576.0,
        4_194_304.0,
        16_777_216.0,
        67_108_864.0,
    ];
}

/// Which side of what a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Within the program.
    Internal,
    /// A call to somebody else.
    Client,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A word.
    Word(String),
    /// A number.
    Number(i64),
}

/// Something that took time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Of what it is a part.
    pub trace: [u8; 16],
    /// Its own number.
    pub id: [u8; 8],
    /// Whose child it is.
    pub parent: Option<[u8; 8]>,
    /// Its name.
    pub name: String,
    /// Which side.
    pub side: Side,
    /// When it began and ended.
    pub time: (Timestamp, Timestamp),
    /// What is known about it; never a text, never an id.
    pub attributes: Vec<(&'static str, Attribute)>,
    /// It failed.
    pub failed: bool,
}

/// A request with spans, for `/v1/traces`. `resource` says whose they are.
#[must_use]
pub fn traces(resource: &BTreeMap<String, String>, spans: &[Span]) -> Vec<u8> {
    let mut scope = scope();
    for span in spans {
        scope.message(2, &one(span));
    }
    request(resource, &scope)
}

/// A request with figures since `start`, for `/v1/metrics`.
#[must_use]
pub fn metrics(
    resource: &BTreeMap<String, String>,
    families: &[Family],
    (start, now): (Timestamp, Timestamp),
) -> Vec<u8> {
    let mut scope = scope();
    for family in families {
        scope.message(2, &metric(family, (start, now)));
    }
    request(resource, &scope)
}

/// `ResourceSpans` and `ResourceMetrics` have the same shape.
fn request(resource: &BTreeMap<String, String>, scope: &Writer) -> Vec<u8> {
    let mut of = Writer::default();
    attributes(&mut of, 1, resource);
    let mut whole = Writer::default();
    whole.message(1, &of);
    whole.message(2, scope);
    let mut request = Writer::default();
    request.message(1, &whole);
    request.0
}

/// `ScopeSpans` and `ScopeMetrics`, with nothing in them yet.
fn scope() -> Writer {
    let (mut instrumentation, mut scope) = (Writer::default(), Writer::default());
    instrumentation.text(1, "guildhall");
    instrumentation.text(2, env!("CARGO_PKG_VERSION"));
    scope.message(1, &instrumentation);
    scope
}

fn one(span: &Span) -> Writer {
    let mut it = Writer::default();
    it.bytes(1, &span.trace);
    it.bytes(2, &span.id);
    if let Some(parent) = &span.parent {
        it.bytes(4, parent);
    }
    it.text(5, &span.name);
    it.number(
        6,
        match span.side {
            Side::Internal => 1,
            Side::Client => 3,
        },
    );
    it.fixed(7, nanos(span.time.0));
    it.fixed(8, nanos(span.time.1));
    for (key, value) in &span.attributes {
        it.message(9, &attribute(key, value));
    }
    if span.failed {
        let mut status = Writer::default();
        status.number(3, 2);
        it.message(15, &status);
    }
    it
}

fn attribute(key: &str, value: &Attribute) -> Writer {
    let (mut any, mut pair) = (Writer::default(), Writer::default());
    match value {
        Attribute::Word(word) => any.text(1, word),
        // A negative one has ten bytes, as protobuf has it.
        Attribute::Number(number) => any.number(3, u64::from_ne_bytes(number.to_ne_bytes())),
    }
    pair.text(1, key);
    pair.message(2, &any);
    pair
}

fn attributes(to: &mut Writer, field: u64, labels: &BTreeMap<String, String>) {
    for (key, value) in labels {
        to.message(field, &attribute(key, &Attribute::Word(value.clone())));
    }
}

/// What `_seconds` and `_bytes` are called there.
fn unit(name: &str) -> &'static str {
    match name {
        names::DURATION => "s",
        names::TOKEN_USAGE => "{token}",
        name if name.ends_with("_seconds") => "s",
        name if name.ends_with("_bytes") => "By",
        _ => "1",
    }
}

fn metric(family: &Family, time: (Timestamp, Timestamp)) -> Writer {
    const CUMULATIVE: u64 = 2;
    let (mut metric, mut data) = (Writer::default(), Writer::default());
    metric.text(1, &family.name);
    metric.text(2, &family.help);
    metric.text(3, unit(&family.name));
    for point in &family.points {
        let point = match family.kind {
            Kind::Counter | Kind::Gauge => number(point, time),
            Kind::Histogram => histogram(point, time),
        };
        data.message(1, &point);
    }
    let field = match family.kind {
        Kind::Gauge => 5,
        Kind::Counter => {
            data.number(2, CUMULATIVE);
            data.number(3, 1);
            7
        }
        Kind::Histogram => {
            data.number(2, CUMULATIVE);
            9
        }
    };
    metric.message(field, &data);
    metric
}

fn number(point: &Point, (start, now): (Timestamp, Timestamp)) -> Writer {
    let mut it = Writer::default();
    it.fixed(2, nanos(start));
    it.fixed(3, nanos(now));
    it.fixed(4, point.value.to_bits());
    attributes(&mut it, 7, &point.labels);
    it
}

fn histogram(point: &Point, (start, now): (Timestamp, Timestamp)) -> Writer {
    let mut it = Writer::default();
    it.fixed(2, nanos(start));
    it.fixed(3, nanos(now));
    it.fixed(4, point.count());
    it.fixed(5, point.value.to_bits());
    // There each bucket is counted by itself; the last has no bound.
    let (mut counts, mut bounds, mut below) = (Writer::default(), Writer::default(), 0);
    for (bound, upto) in &point.buckets {
        counts.0.extend(upto.saturating_sub(below).to_le_bytes());
        below = *upto;
        if bound.is_finite() {
            bounds.0.extend(bound.to_le_bytes());
        }
    }
    it.message(6, &counts);
    it.message(7, &bounds);
    attributes(&mut it, 9, &point.labels);
    it
}

fn nanos(at: Timestamp) -> u64 {
    at.0.saturating_mul(1_000_000)
}

/// Writes fields of a message.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn varint(&mut self, mut number: u64) {
        while 0x7f < number {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(&mut self, field: u64, number: u64) {
        self.varint(field << 3);
        self.varint(number);
    }

    fn fixed(&mut self, field: u64, number: u64) {
        self.varint(field << 3 | 1);
        self.0.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_written_as_protobuf_has_them() {
        let mut it = Writer::default();
        it.number(1, 150);
        it.text(2, "testing");
        it.fixed(3, 1);
        // The examples of protobuf's own page about its encoding.
        let golden =
            [&[0x08, 0x96, 0x01, 0x12, 0x07][..], b"testing", &[0x19, 1, 0, 0, 0, 0, 0, 0, 0]];
        assert_eq!(it.0, golden.concat());
    }

    #[test]
    fn the_bounds_are_those_of_the_conventions() {
        let grows = |bounds: &[f64]| bounds.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(grows(&names::DURATION_BOUNDS) && grows(&names::TOKEN_BOUNDS));
        assert_eq!(names::DURATION_BOUNDS[13], 81.92);
        assert_eq!(names::TOKEN_BOUNDS[13], 67_108_864.0);
    }
}
