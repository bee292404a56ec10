//! A line of the log as `ArcSight`'s Common Event Format, version 0.
//!
//! ```text
//! CEF:0|Guildhall|Guildhall|0.1.0|blocked_attempt|the guard found something|8|rt=1795348800123 …
//! ```
//!
//! Source: Micro Focus Security `ArcSight` Common Event Format, Implementation Standard, version 25
//! (2017). Fields without a place in its dictionary get names of our own, `Guildhall…`, as it asks.
//!
//! Invariants: CEF-1 nothing in a value can forge a line, a field of the head or a key.

use serde_json::Value;

use crate::form::{Line, Weight, shown};

/// What the dictionary says a key may hold.
const VALUE_CHARS_MAX: usize = 1_023;
const NAME_CHARS_MAX: usize = 512;
/// Fields of a line that have a key in the dictionary.
const DICTIONARY: [(&str, &str); 10] = [
    ("event.dataset", "cat"),
    ("event.outcome", "outcome"),
    ("error.message", "reason"),
    ("labels.person", "suid"),
    ("labels.agent", "destinationServiceName"),
    ("labels.command", "requestMethod"),
    ("labels.actor", "suser"),
    ("labels.deed", "act"),
    ("labels.target", "duser"),
    ("trace.id", "externalId"),
];
/// Fields that stand elsewhere, or say what every line says.
const PLACED: [&str; 7] = [
    "@timestamp",
    "message",
    "event.action",
    "ecs.version",
    "service.name",
    "service.version",
    "log.logger",
];

/// The line, without a line end.
pub(crate) fn line(line: &Line) -> String {
    let severity = match line.weight() {
        Weight::Informational => 3,
        Weight::Medium => 6,
        Weight::High => 8,
        Weight::Critical => 10,
    };
    let head = [
        "Guildhall",
        "Guildhall",
        line.text("service.version"),
        line.action(),
        line.text("message"),
    ];
    let mut text = "CEF:0".to_owned();
    for field in head {
        text.push('|');
        // Readers refuse a head with an empty field.
        text.push_str(&in_head(if field.is_empty() { "-" } else { field }));
    }
    text.push_str(&format!("|{severity}|rt={}", line.time_ms()));
    let mut keys: Vec<String> = vec!["rt".to_owned()];
    for (name, value) in line.others(&PLACED) {
        let known = DICTIONARY.iter().find(|(field, _)| *field == name);
        let mut key = known.map_or_else(|| own_key(name), |(_, key)| (*key).to_owned());
        while keys.contains(&key) {
            key.push('x');
        }
        text.push_str(&format!(" {key}={}", in_extension(value)));
        keys.push(key);
    }
    text
}

/// `labels.bad_tries` is `GuildhallBadTries`: letters and digits only.
fn own_key(name: &str) -> String {
    let name = name.strip_prefix("labels.").unwrap_or(name);
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let mut key = "Guildhall".to_owned();
    for word in words {
        let mut letters = word.chars();
        key.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        key.push_str(letters.as_str());
    }
    key
}

/// In the head a bar and a backslash are escaped, and there is no line end. CEF-1.
fn in_head(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars().take(NAME_CHARS_MAX) {
        match letter {
            '\\' | '|' => safe.extend(['\\', letter]),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// In the extension a backslash, an equals sign and line ends are escaped. CEF-1.
fn in_extension(value: &Value) -> String {
    let text = shown(value);
    let mut safe = String::with_capacity(text.len());
    // A space at either end would be taken for that between two keys.
    for letter in text.trim().chars().take(VALUE_CHARS_MAX) {
        match letter {
            '\\' | '=' => safe.extend(['\\', letter]),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::any, prop_assert, prop_assert_eq, proptest};
    use serde_json::json;

    use super::*;
    use crate::form::Form;

    fn written(value: &Value) -> String {
        String::from_utf8(Form::Cef.of(value.to_string().as_bytes())).unwrap()
    }

    /// Reads as the standard says: the head up to seven bars, then keys with their values.
    fn read(text: &str) -> (Vec<String>, Vec<(String, String)>) {
        let (mut head, mut field, mut letters) = (Vec::new(), String::new(), text.chars());
        while head.len() < 7 {
            match letters.next().expect("the head has seven fields") {
                '\\' => field.extend(letters.next()),
                '|' => head.push(std::mem::take(&mut field)),
                letter => field.push(letter),
            }
        }
        // Where an equals sign is not escaped, the word before it is a key.
        let rest: Vec<char> = letters.collect();
        let (mut pairs, mut value): (Vec<(String, String)>, String) = (Vec::new(), String::new());
        let mut letters = rest.iter();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    other => value.extend(other),
                },
                '=' => {
                    let at = value.rfind(' ').map_or(0, |at| at + 1);
                    let key = value.split_off(at);
                    if let Some((_, last)) = pairs.last_mut() {
                        *last = value.trim_end().to_owned();
                    }
                    pairs.push((key, String::new()));
                    value = String::new();
                }
                letter => value.push(*letter),
            }
        }
        if let Some((_, last)) = pairs.last_mut() {
            *last = value;
        }
        (head, pairs)
    }

    #[test]
    fn a_line_has_the_head_of_the_standard_and_keys_of_its_dictionary() {
        let text = written(&json!({
            "@timestamp": "2026-11-22T12:00:00.123Z", "log.level": "info",
            "message": "the guard found something", "ecs.version": "8.11.0",
            "service.name": "guildhall", "service.version": "0.1.0",
            "event.dataset": "guildhall.flow", "log.logger": "flow::guard",
            "labels.agent": "sage", "labels.kinds": "jailbreak,secret", "labels.score": 0.5,
            "labels.bad_tries": 3, "event.action": "blocked_attempt",
        }));
        let golden = "CEF:0|Guildhall|Guildhall|0.1.0|blocked_attempt|the guard found something|8|\
                      rt=1795348800123 cat=guildhall.flow destinationServiceName=sage \
                      GuildhallBadTries=3 GuildhallKinds=jailbreak,secret GuildhallScore=0.5 \
                      GuildhallLogLevel=info";
        let sorted = |text: &str| {
            let (head, mut pairs) = read(text);
            pairs.sort();
            (head, pairs)
        };
        assert_eq!(sorted(&text), sorted(golden), "{text}");
    }

    #[test]
    fn what_is_no_line_of_ours_is_left_as_it_is() {
        assert_eq!(Form::Cef.of(b"words\n"), b"words");
        assert_eq!(Form::Ocsf.of(b"[1]\n"), b"[1]");
    }

    proptest! {
        #[test]
        fn cef_1_nothing_in_a_value_can_forge_a_line_a_field_or_a_key(
            action in any::<String>(), message in any::<String>(), value in any::<String>(),
        ) {
            let evil = format!("{value}\r\nCEF:0|a|b|c|d|e|10|x=1 suid=2 {action}\\");
            let text = written(&json!({
                "event.action": action, "message": message, "labels.a": evil, "labels.b": value,
            }));
            prop_assert!(!text.contains(['\n', '\r']));
            let (head, pairs) = read(&text);
            prop_assert_eq!(head.len(), 7);
            prop_assert_eq!(&head[6], "3");
            let keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
            prop_assert_eq!(keys, ["rt", "GuildhallA", "GuildhallB"]);
        }
    }
}
