//! A line of the log as an event of the Open Cybersecurity Schema Framework, version 1.8.0.
//!
//! What the guard found and alerts are Detection Findings (2004), logins Authentication (3002), what officers
//! and operators did API Activity (6003), the life of the hall Application Lifecycle (6002), failures
//! Application Error (6008), and everything else a Base Event (0). Fields without a place are `unmapped`.
//!
//! Source: <https://schema.ocsf.io/1.8.0>. It is JSON as `serde_json` writes it, and nothing in a value is
//! taken for anything but a value.

use serde_json::{Map, Value, json};

use crate::form::{Line, Weight};

const VERSION: &str = "1.8.0";
/// Fields of a line that have a place in every class.
const PLACED: [&str; 10] = [
    "@timestamp",
    "message",
    "event.action",
    "event.dataset",
    "event.outcome",
    "error.message",
    "log.level",
    "service.name",
    "service.version",
    "trace.id",
];

/// A class of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    BaseEvent,
    DetectionFinding,
    Authentication,
    ApplicationLifecycle,
    ApiActivity,
    ApplicationError,
}

impl Class {
    /// Its number; the thousands are its category.
    fn uid(self) -> u32 {
        match self {
            Self::BaseEvent => 0,
            Self::DetectionFinding => 2_004,
            Self::Authentication => 3_002,
            Self::ApplicationLifecycle => 6_002,
            Self::ApiActivity => 6_003,
            Self::ApplicationError => 6_008,
        }
    }
}

/// What happened, and the number that its class has for it.
fn class_of(action: &str, level: &str) -> (Class, u32) {
    const OTHER: u32 = 99;
    match action {
        "blocked_attempt" | "security_warning" | "suspicious_pattern" | "alert" => {
            (Class::DetectionFinding, 1)
        }
        "alert_acknowledged" => (Class::DetectionFinding, 2),
        "alert_over" => (Class::DetectionFinding, 3),
        "console_login" => (Class::Authentication, 1),
        "backup_made" | "key_made" => (Class::ApiActivity, 1),
        "person_exported" | "held_back_shown" => (Class::ApiActivity, 2),
        "key_rotated" | "hall_changed" | "rules_read" | "alerts_silenced" | "backup_restored" => {
            (Class::ApiActivity, 3)
        }
        "person_forgotten" => (Class::ApiActivity, 4),
        "admin_command_denied" => (Class::ApiActivity, OTHER),
        "tree_started" | "ingress_started" => (Class::ApplicationLifecycle, 3),
        "stopping" | "stopped_at_once" | "hall_drained" | "hall_ended" => {
            (Class::ApplicationLifecycle, 4)
        }
        "tree_restarting" | "actor_restarting" | "renewing" => (Class::ApplicationLifecycle, 5),
        _ if matches!(level, "error" | "warn") => (Class::ApplicationError, 1),
        _ => (Class::BaseEvent, OTHER),
    }
}

/// The event as JSON, without a line end.
pub(crate) fn line(line: &Line) -> String {
    let (action, level) = (line.action(), line.text("log.level"));
    let (class, activity) = class_of(action, level);
    let severity = match line.weight() {
        Weight::Informational => 1,
        Weight::Medium => 3,
        Weight::High => 4,
        Weight::Critical => 5,
    };
    let status = match line.text("event.outcome") {
        "success" => 1,
        "failure" => 2,
        _ => 0,
    };
    let mut event = Map::new();
    let mut set = |key: &str, value: Value| {
        if value != json!("") {
            event.insert(key.to_owned(), value);
        }
    };
    set("activity_id", json!(activity));
    set("activity_name", json!(action));
    set("category_uid", json!(class.uid() / 1_000));
    set("class_uid", json!(class.uid()));
    set("type_uid", json!(class.uid() * 100 + activity));
    set("severity_id", json!(severity));
    set("status_id", json!(status));
    set("status_detail", json!(line.text("error.message")));
    set("time", json!(line.time_ms()));
    set("message", json!(line.text("message")));
    set("metadata", metadata(line, action, level));
    for (key, value) in own(class, line, action) {
        set(key, value);
    }
    let unmapped: Map<String, Value> =
        line.others(&PLACED).map(|(key, value)| (key.to_owned(), value.clone())).collect();
    set("unmapped", Value::Object(unmapped));
    Value::Object(event).to_string()
}

fn product(line: &Line) -> Value {
    json!({
        "name": "Guildhall", "vendor_name": "Guildhall", "version": line.text("service.version"),
    })
}

fn metadata(line: &Line, action: &str, level: &str) -> Value {
    let mut metadata = json!({
        "version": VERSION,
        "product": product(line),
        "event_code": action,
        "log_name": line.text("event.dataset"),
        "log_level": level,
    });
    let trace = line.text("trace.id");
    if let (false, Some(metadata)) = (trace.is_empty(), metadata.as_object_mut()) {
        metadata.insert("correlation_uid".to_owned(), json!(trace));
    }
    metadata
}

/// What a class asks for beside what all have.
fn own(class: Class, line: &Line, action: &str) -> Vec<(&'static str, Value)> {
    match class {
        Class::BaseEvent | Class::ApplicationError => Vec::new(),
        Class::ApplicationLifecycle => vec![("app", product(line))],
        Class::Authentication => vec![
            // One token, and whoever has it: there are no names at the console.
            ("user", json!({ "name": "operator" })),
            ("service", json!({ "name": "console" })),
            ("is_remote", json!(true)),
        ],
        Class::ApiActivity => {
            let (person, command) = (line.text("labels.person"), line.text("labels.command"));
            let actor = match person {
                "" => json!({ "app_name": "guildhall" }),
                person => json!({ "user": { "uid": person } }),
            };
            let from = if person.is_empty() { "guildhall" } else { "telegram" };
            let operation = if command.is_empty() { action } else { command };
            vec![
                ("actor", actor),
                ("api", json!({ "operation": operation, "service": { "name": "guildhall" } })),
                ("src_endpoint", json!({ "svc_name": from })),
            ]
        }
        Class::DetectionFinding => {
            let (kind, title) = (line.text("labels.kind"), line.text("message"));
            // An alert is found again when it is over; what the guard found happens once.
            let uid = match kind {
                "" => format!("{action}/{}", line.time_ms()),
                kind => format!("alert/{kind}"),
            };
            let types: Vec<&str> =
                line.text("labels.kinds").split(',').filter(|it| !it.is_empty()).collect();
            let mut finding = json!({ "uid": uid, "title": title });
            if let (false, Some(finding)) = (types.is_empty(), finding.as_object_mut()) {
                finding.insert("types".to_owned(), json!(types));
            }
            vec![("finding_info", finding), ("is_alert", json!(true))]
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::any, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::form::Form;

    fn event(value: &Value) -> Value {
        let written = Form::Ocsf.of(value.to_string().as_bytes());
        assert!(!written.contains(&b'\n'));
        serde_json::from_slice(&written).unwrap()
    }

    #[test]
    fn what_the_guard_found_is_a_detection_finding() {
        let event = event(&json!({
            "@timestamp": "2026-11-22T12:00:00.123Z", "log.level": "info",
            "message": "the guard found something", "service.version": "0.1.0",
            "event.dataset": "guildhall.flow", "labels.agent": "sage",
            "labels.kinds": "jailbreak,secret", "event.action": "blocked_attempt",
        }));
        let golden = json!({
            "activity_id": 1, "activity_name": "blocked_attempt", "category_uid": 2,
            "class_uid": 2004, "type_uid": 200_401, "severity_id": 4, "status_id": 0,
            "time": 1_795_348_800_123_i64, "message": "the guard found something",
            "metadata": {
                "version": "1.8.0", "event_code": "blocked_attempt", "log_level": "info",
                "log_name": "guildhall.flow",
                "product": { "name": "Guildhall", "vendor_name": "Guildhall", "version": "0.1.0" },
            },
            "finding_info": {
                "uid": "blocked_attempt/1795348800123", "title": "the guard found something",
                "types": ["jailbreak", "secret"],
            },
            "is_alert": true,
            "unmapped": { "labels.agent": "sage", "labels.kinds": "jailbreak,secret" },
        });
        assert_eq!(event, golden);
    }

    #[test]
    fn every_kind_of_line_has_a_class_and_the_number_of_its_type() {
        let cases = [
            ("console_login", "warn", 3002, 300_201),
            ("admin_command_denied", "warn", 6003, 600_399),
            ("person_exported", "info", 6003, 600_302),
            ("person_forgotten", "info", 6003, 600_304),
            ("tree_started", "info", 6002, 600_203),
            ("hall_drained", "info", 6002, 600_204),
            ("alert", "warn", 2004, 200_401),
            ("alert_over", "info", 2004, 200_403),
            ("ledger_failed", "error", 6008, 600_801),
            ("completion", "info", 0, 99),
        ];
        for (action, level, class, kind) in cases {
            let event = event(&json!({ "event.action": action, "log.level": level }));
            assert_eq!((&event["class_uid"], &event["type_uid"]), (&json!(class), &json!(kind)));
        }
    }

    proptest! {
        #[test]
        fn a_value_is_a_value_whatever_is_in_it(
            action in any::<String>(), value in any::<String>(),
        ) {
            let line = json!({ "event.action": action, "message": value, "labels.class_uid": value });
            let event = event(&line);
            prop_assert_eq!(&event["unmapped"]["labels.class_uid"], &json!(value));
            prop_assert!(event["class_uid"].is_number());
        }
    }
}
