//! Turns an event and its spans into one line: JSON in ECS, or words for a terminal.
//!
//! Dotted field names stay as they are (`event.action`), `error` becomes `error.message`, all others
//! go under `labels.`. Fields of an inner span replace those of an outer one, and the event's own
//! replace both.
//!
//! Invariants: ECS-1 a line is one line: control characters are spelled out. ECS-2 no secret is in a
//! line, whole or cut. ECS-3 a line has a limited size.

use std::{
    borrow::Cow,
    error::Error,
    fmt::{self, Debug, Write as _},
    sync::Arc,
};

use protocol::Clock;
use serde_json::Number;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::{Redactor, sink::Inlet};

/// Characters of one value.
const VALUE_CHARS_MAX: usize = 512;
/// Bytes of all values of a line. Fields past it are left out and counted in the line.
const VALUES_BYTES_MAX: usize = 16 * 1024;
/// What every line has, and no field may replace.
const OURS: [&str; 8] = [
    "@timestamp",
    "log.level",
    "log.logger",
    "message",
    "ecs.version",
    "service.name",
    "service.version",
    "event.dataset",
];

/// How a sink's lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// For machines.
    Json,
    /// For a person at a terminal, with colours.
    Pretty,
}

/// Writes every event that passes the filter to all sinks.
pub(crate) struct EcsLayer {
    pub(crate) sinks: Vec<(Style, Inlet)>,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for EcsLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut Collector { redactor: &self.redactor, fields: &mut fields });
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // Collected before the span is locked: a value's formatting may log.
        let mut more = Fields::default();
        values.record(&mut Collector { redactor: &self.redactor, fields: &mut more });
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            fields.merge(&more);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(more) = span.extensions().get::<Fields>() {
                fields.merge(more);
            }
        }
        event.record(&mut Collector { redactor: &self.redactor, fields: &mut fields });
        let line = Line { event, fields: &fields, timestamp: timestamp(&*self.clock) };
        for (style, inlet) in &self.sinks {
            match style {
                Style::Json => inlet.put(&line.json()),
                Style::Pretty => inlet.put(line.pretty().as_bytes()),
            }
        }
    }
}

/// `2026-11-22T03:25:10.123Z`. A clock beyond the year 9999 shows as the last moment before it.
fn timestamp(clock: &dyn Clock) -> String {
    let now = i64::try_from(clock.now().0).unwrap_or(i64::MAX);
    let now = jiff::Timestamp::from_millisecond(now).unwrap_or(jiff::Timestamp::MAX);
    format!("{now:.3}")
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    Number(Number),
    Bool(bool),
}

/// The values of a span or an event, clean and cut.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    values: Vec<(Cow<'static, str>, Value)>,
    bytes: usize,
    left_out: u64,
}

impl Fields {
    fn set(&mut self, key: Cow<'static, str>, value: Value) {
        let known = self.values.iter().position(|(known, _)| *known == key);
        if let Some(known) = known {
            let (key, old) = self.values.remove(known);
            self.bytes -= size(&key, &old);
        }
        let bytes = self.bytes + size(&key, &value);
        if VALUES_BYTES_MAX < bytes {
            self.left_out += 1;
            return;
        }
        self.bytes = bytes;
        self.values.push((key, value));
    }

    fn merge(&mut self, more: &Self) {
        if !more.message.is_empty() {
            self.set(Cow::Borrowed("labels.message"), Value::Text(more.message.clone()));
        }
        for (key, value) in &more.values {
            self.set(key.clone(), value.clone());
        }
        self.left_out += more.left_out;
    }
}

fn size(key: &str, value: &Value) -> usize {
    key.len()
        + match value {
            Value::Text(text) => text.len(),
            Value::Number(_) | Value::Bool(_) => 8,
        }
}

/// Takes the values of an event or a span, and cleans and cuts texts on the way.
struct Collector<'a> {
    redactor: &'a Redactor,
    fields: &'a mut Fields,
}

impl Collector<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::Text(text)) => self.fields.message = text,
            (name, value) => self.fields.set(key(name), value),
        }
    }

    fn text(&mut self, field: &Field, write: impl FnOnce(&mut Clip) -> fmt::Result) {
        let mut clip = Clip {
            text: String::new(),
            chars_left: VALUE_CHARS_MAX + self.redactor.longest_bytes(),
        };
        // An error says that the room is used up: formatting stops early and nothing else fails.
        let cut = write(&mut clip).is_err();
        let clean = match cut {
            true => self.redactor.redact_cut(&clip.text),
            false => self.redactor.redact(&clip.text),
        };
        self.put(field, Value::Text(spell_out(&clean, cut)));
    }
}

impl Visit for Collector<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, |clip| write!(clip, "{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, |clip| clip.write_str(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field, |clip| {
            write!(clip, "{value}")?;
            let mut cause = value.source();
            while let Some(error) = cause {
                write!(clip, ": {error}")?;
                cause = error.source();
            }
            Ok(())
        });
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        match Number::from_f64(value) {
            Some(number) => self.put(field, Value::Number(number)),
            None => self.text(field, |clip| write!(clip, "{value}")),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::Number(value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::Number(value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::Bool(value));
    }
}

/// Where a field goes in the line.
fn key(name: &'static str) -> Cow<'static, str> {
    let name = name.strip_prefix("r#").unwrap_or(name);
    match name {
        "error" => Cow::Borrowed("error.message"),
        name if name.contains('.') && !OURS.contains(&name) => Cow::Borrowed(name),
        name => Cow::Owned(format!("labels.{name}")),
    }
}

/// Keeps the first characters of what is written to it and then fails, which ends the formatting.
struct Clip {
    text: String,
    chars_left: usize,
}

impl fmt::Write for Clip {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let (at, taken) = match more.char_indices().nth(self.chars_left) {
            Some((at, _)) => (at, self.chars_left),
            None => (more.len(), more.chars().count()),
        };
        self.chars_left -= taken;
        self.text.push_str(more.get(..at).unwrap_or_default());
        if at < more.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The text with control, bidirectional and line characters as escapes, cut to its limit.
///
/// They are spelled out in the value itself and not only by JSON, so that a log viewer that decodes
/// the line shows no colours, no forged lines and no turned text either.
fn spell_out(text: &str, mut cut: bool) -> String {
    let (mut safe, mut room) = (String::with_capacity(text.len()), VALUE_CHARS_MAX);
    for char in text.chars() {
        let before = safe.len();
        match is_unsafe(char) {
            true => safe.extend(char.escape_default()),
            false => safe.push(char),
        }
        let chars = if is_unsafe(char) { safe.len() - before } else { 1 };
        if room < chars {
            safe.truncate(before);
            cut = true;
            break;
        }
        room -= chars;
    }
    if cut {
        safe.push('…');
    }
    safe
}

fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(char, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// One event, ready to be written in any style.
struct Line<'a> {
    event: &'a Event<'a>,
    fields: &'a Fields,
    timestamp: String,
}

impl Line<'_> {
    fn json(&self) -> Vec<u8> {
        let target = self.event.metadata().target();
        let room = target.split("::").next().unwrap_or(target);
        let mut line = Vec::with_capacity(512);
        let head = [
            ("{\"@timestamp\":", self.timestamp.as_str()),
            (",\"log.level\":", name(*self.event.metadata().level())),
            (",\"message\":", &self.fields.message),
            (",\"ecs.version\":", "8.11.0"),
            (",\"service.name\":", "guildhall"),
            (",\"service.version\":", env!("CARGO_PKG_VERSION")),
            (",\"event.dataset\":", &format!("guildhall.{room}")),
            (",\"log.logger\":", target),
        ];
        for (key, value) in head {
            line.extend_from_slice(key.as_bytes());
            push_text(&mut line, value);
        }
        for (key, value) in &self.fields.values {
            line.push(b',');
            push_text(&mut line, key);
            line.push(b':');
            match value {
                Value::Text(text) => push_text(&mut line, text),
                Value::Number(number) => line.extend_from_slice(number.to_string().as_bytes()),
                Value::Bool(value) => line.extend_from_slice(value.to_string().as_bytes()),
            }
        }
        if 0 < self.fields.left_out {
            let note = format!(",\"labels.fields_left_out\":{}", self.fields.left_out);
            line.extend_from_slice(note.as_bytes());
        }
        line.extend_from_slice(b"}\n");
        line
    }

    fn pretty(&self) -> String {
        let level = *self.event.metadata().level();
        let time = self.timestamp.get(11..23).unwrap_or(&self.timestamp);
        let mut line = format!(
            "\u{1b}[2m{time}\u{1b}[0m {}{:5}\u{1b}[0m {}\u{1b}[2m",
            colour(level),
            name(level),
            self.fields.message
        );
        for (key, value) in &self.fields.values {
            line.push_str("  ");
            line.push_str(key.strip_prefix("labels.").unwrap_or(key));
            line.push('=');
            match value {
                Value::Text(text) => line.push_str(text),
                Value::Number(number) => line.push_str(&number.to_string()),
                Value::Bool(value) => line.push_str(&value.to_string()),
            }
        }
        line.push_str("\u{1b}[0m\n");
        line
    }
}

fn push_text(line: &mut Vec<u8>, text: &str) {
    line.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
}

fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31;1m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        Level::DEBUG | Level::TRACE => "\u{1b}[36m",
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Mutex, PoisonError},
    };

    use secrecy::SecretString;
    use tracing::{debug, info, info_span, subscriber::with_default, warn};
    use tracing_subscriber::{EnvFilter, layer::SubscriberExt, registry};

    use super::*;
    use crate::sink;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> protocol::Timestamp {
            protocol::Timestamp(1_795_348_800_123)
        }
    }

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
            Ok(line.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written when the script runs.
    fn written(style: Style, secrets: &[&str], script: impl FnOnce()) -> String {
        let secrets: Vec<_> = secrets.iter().map(|it| SecretString::from(*it)).collect();
        let paper = Paper::default();
        let (inlet, gauge) = sink::start(paper.clone());
        let layer = EcsLayer {
            sinks: vec![(style, inlet)],
            redactor: Arc::new(Redactor::new(&secrets).unwrap()),
            clock: Arc::new(Noon),
        };
        with_default(registry().with(EnvFilter::new("info")).with(layer), script);
        drop(gauge);
        let bytes = paper.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(bytes).unwrap()
    }

    fn json(secrets: &[&str], script: impl FnOnce()) -> serde_json::Value {
        let text = written(Style::Json, secrets, script);
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the request failed")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_line_is_ecs_and_span_fields_are_merged_in() {
        let line = written(Style::Json, &[], || {
            let _turn =
                info_span!("turn", trace.id = "abc", labels.actor = "session", depth = 1).entered();
            let call = info_span!("call", depth = 2, later = tracing::field::Empty).entered();
            call.record("later", true);
            let error = Outer(io::Error::other("no route"));
            warn!(
                event.action = "completion",
                event.duration = 17_u64,
                labels.actor = "broker",
                model = %"small",
                ratio = 0.5,
                error = &error as &dyn Error,
                "completion {}", "failed"
            );
        });
        let golden = concat!(
            r#"{"@timestamp":"2026-11-22T12:00:00.123Z","log.level":"warn","#,
            r#""message":"completion failed","ecs.version":"8.11.0","service.name":"guildhall","#,
            r#""service.version":"0.1.0","event.dataset":"guildhall.watch","#,
            r#""log.logger":"watch::ecs::tests","trace.id":"abc","labels.depth":2,"#,
            r#""labels.later":true,"event.action":"completion","event.duration":17,"#,
            r#""labels.actor":"broker","labels.model":"small","labels.ratio":0.5,"#,
            r#""error.message":"the request failed: no route"}"#,
            "\n"
        );
        assert_eq!(line, golden);
    }

    #[test]
    fn a_terminal_gets_words() {
        let line = written(Style::Pretty, &[], || info!(labels.actor = "guard", n = 3, "ready"));
        let golden = "\u{1b}[2m12:00:00.123\u{1b}[0m \u{1b}[32minfo \u{1b}[0m ready\u{1b}[2m  \
                      actor=guard  n=3\u{1b}[0m\n";
        assert_eq!(line, golden);
    }

    #[test]
    fn ecs_1_nothing_in_a_value_can_forge_a_line_or_drive_a_terminal() {
        let evil = "a\r\n{\"log.level\":\"error\"}\u{1b}[31m\u{7f}\u{85}\u{202e}\u{2028}\0b";
        let line = json(&[], || info!(text = evil, "{evil}"));
        let safe = r#"a\r\n{"log.level":"error"}\u{1b}[31m\u{7f}\u{85}\u{202e}\u{2028}\u{0}b"#;
        assert_eq!(line["message"], safe);
        assert_eq!(line["labels.text"], safe);
        let shown = written(Style::Pretty, &[], || info!(text = evil, "hello"));
        assert_eq!(shown.matches('\n').count(), 1);
        assert!(shown.contains(safe), "{shown}");
    }

    #[test]
    fn ecs_2_secrets_are_replaced_in_messages_values_errors_and_spans() {
        let secret = "123:se\"cret/key";
        let line = written(Style::Json, &[secret], || {
            let _span = info_span!("call", url = "https://x/bot123:se%22cret%2Fkey/get").entered();
            let error = io::Error::other(secret);
            info!(error = &error as &dyn Error, debug = ?secret, "with {secret}");
        });
        assert_eq!(line.matches("[REDACTED]").count(), 4, "{line}");
        assert!(!line.contains("cret"), "{line}");
    }

    #[test]
    fn ecs_2_a_secret_across_the_cut_leaves_no_beginning() {
        let secret = "SECRETSECRETSECRETSECRET";
        for before in 480..530 {
            let many = secret.repeat(20);
            for text in [format!("{}{secret}", "x".repeat(before)), format!("{many}{many}")] {
                let line = json(&[secret], || info!(text, "long"));
                assert!(!line["labels.text"].as_str().unwrap().contains("SE"), "{before}: {line}");
            }
        }
    }

    #[test]
    fn ecs_3_values_and_lines_are_cut() {
        let line = json(&[], || info!(long = "é".repeat(513), just = "é".repeat(512), "cut"));
        assert_eq!(line["labels.long"], format!("{}…", "é".repeat(512)));
        assert_eq!(line["labels.just"], "é".repeat(512));
        let escaped = json(&[], || info!(text = "\u{1b}".repeat(200), "cut"));
        assert!(escaped["labels.text"].as_str().unwrap().chars().count() <= 513);
    }

    #[test]
    fn ecs_3_fields_beyond_the_line_limit_are_left_out_and_counted() {
        let wide = "😀".repeat(512);
        let line = json(&[], || {
            let span = info_span!("a", a = wide, b = wide, c = wide, d = wide, e = wide);
            let _span = span.entered();
            info!(f = wide, g = wide, h = wide, i = wide, "wide");
        });
        assert_eq!(line["labels.fields_left_out"], 2);
    }

    #[test]
    fn a_span_can_change_a_field_any_number_of_times() {
        let line = json(&[], || {
            let span = info_span!("poll", message = "polling", n = 0).entered();
            (1..=10_000).for_each(|n| {
                span.record("n", n);
            });
            info!("polled");
        });
        assert_eq!(line["labels.n"], 10_000);
        assert_eq!(
            (&line["message"], &line["labels.message"]),
            (&"polled".into(), &"polling".into())
        );
        assert!(line.get("labels.fields_left_out").is_none());
    }

    #[test]
    fn a_field_cannot_replace_what_is_ours() {
        let line = json(&[], || info!(log.level = "forged", service.name = "x", "real"));
        assert_eq!(line["log.level"], "info");
        assert_eq!(line["service.name"], "guildhall");
        assert_eq!(line["labels.log.level"], "forged");
    }

    #[test]
    fn a_filtered_out_event_computes_nothing() {
        let mut computed = 0;
        let mut compute = || {
            computed += 1;
            computed
        };
        let text = written(Style::Json, &[], || debug!(n = compute(), "not wanted"));
        assert_eq!((text.as_str(), computed), ("", 0));
    }
}
