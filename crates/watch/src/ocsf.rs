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
fn class_of(action: &str, deed: &str, level: &str) -> (Class, u32) {
    match (action, deed) {
        ("incident", "incident.opened") => (Class::DetectionFinding, 1),
        ("incident", "incident.closed") => (Class::DetectionFinding, 3),
        ("incident", _) => (Class::DetectionFinding, 2),
        ("audit", "login.done" | "login.failed") => (Class::Authentication, 1),
        ("audit", "hall.started") => (Class::ApplicationLifecycle, 3),
        ("audit", "hall.stopped") => (Class::ApplicationLifecycle, 4),
        ("audit", deed) => (Class::ApiActivity, done_to(deed)),
        (action, _) => by_action(action, level),
    }
}

/// Something other than what a class has a number for.
const OTHER: u32 = 99;

/// What API Activity calls a deed of the audit log, by its verb.
fn done_to(deed: &str) -> u32 {
    match deed.rsplit('.').next().unwrap_or_default() {
        "spawned" | "created" | "given" => 1,
        "read" | "shown" | "exported" | "tried" => 2,
        "edited" | "model_set" | "paused" | "resumed" | "changed" | "set" | "rotated"
        | "restored" | "rebuilt" | "silenced" | "acknowledged" | "marked" | "migrated"
        | "allowed" | "blocked" | "unblocked" => 3,
        "retired" | "taken" | "forgotten" => 4,
        _ => OTHER,
    }
}

/// What a line without a deed is, by its word.
fn by_action(action: &str, level: &str) -> (Class, u32) {
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
    let (class, activity) = class_of(action, line.text("labels.deed"), level);
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

/// The first of some fields that is there.
fn first<'l>(line: &'l Line, keys: [&str; 2]) -> &'l str {
    keys.iter().map(|key| line.text(key)).find(|it| !it.is_empty()).unwrap_or_default()
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
            let command = first(line, ["labels.command", "labels.deed"]);
            let person = first(line, ["labels.person", "labels.actor"]);
            let actor = match person.strip_prefix("person:").unwrap_or(person) {
                "hall" | "operator" | "console" | "nobody" => json!({ "app_name": person }),
                "" => json!({ "app_name": "guildhall" }),
                person => json!({ "user": { "uid": person } }),
            };
            let from = match person {
                "" | "hall" | "operator" => "guildhall",
                "console" => "console",
                _ => "telegram",
            };
            let operation = if command.is_empty() { action } else { command };
            vec![
                ("actor", actor),
                ("api", json!({ "operation": operation, "service": { "name": "guildhall" } })),
                ("src_endpoint", json!({ "svc_name": from })),
            ]
        }
        Class::DetectionFinding => {
            let (kind, title) = (line.text("labels.kind"), line.text("message"));
            // An alert or an incident is found again when it is over; what the guard found happens once.
            let uid = match kind {
                _ if action == "incident" => line.text("labels.target").to_owned(),
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
    fn deeds_and_incidents_have_who_did_what_and_an_incident_keeps_its_name() {
        let deed = |deed: &str, actor: &str| {
            event(&json!({
                "event.action": "audit", "labels.deed": deed, "labels.actor": actor,
                "labels.target": "sage", "log.level": "info", "event.outcome": "success",
            }))
        };
        let retired = deed("agent.retired", "person:0123456789ab");
        assert_eq!(retired["type_uid"], 600_304);
        assert_eq!(retired["actor"]["user"]["uid"], "0123456789ab");
        assert_eq!(retired["api"]["operation"], "agent.retired");
        assert_eq!(deed("backup.created", "hall")["actor"]["app_name"], "hall");
        assert_eq!(deed("login.failed", "nobody")["class_uid"], 3002);
        assert_eq!(deed("playbook.something", "hall")["type_uid"], 600_399);
        let incident = |deed: &str| {
            event(&json!({
                "event.action": "incident", "labels.deed": deed, "labels.target": "incident-7",
                "labels.kind": "guard", "labels.severity": "high", "log.level": "info",
            }))
        };
        for (deed, kind) in
            [("incident.opened", 200_401), ("incident.seen", 200_402), ("incident.closed", 200_403)]
        {
            let event = incident(deed);
            assert_eq!((&event["type_uid"], &event["severity_id"]), (&json!(kind), &json!(4)));
            assert_eq!(event["finding_info"]["uid"], "incident-7");
        }
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
