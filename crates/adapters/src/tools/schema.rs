//! Whether a call's arguments fit its tool's schema. The schema may come from a stranger.
//!
//! Promises  no schema is fetched, none leads in circles, none is larger than is taken, and its
//!           patterns take time in proportion to the text; what does not fit is told by its place,
//!           never by its value.
//!
//! Invariants: SCHEMA-1 a schema that refers to itself or to elsewhere is refused, and its tool is not offered.

use std::sync::LazyLock;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// The longest schema, as JSON, in bytes.
const SCHEMA_BYTES_MAX: usize = 64 * 1024;
/// The most parts that a schema may have, those that are referred to counted each time.
const PARTS_MAX: usize = 20_000;
/// How deep it may go.
const DEPTH_MAX: usize = 64;
/// The longest place that is told, in characters.
const PLACE_CHARS_MAX: usize = 120;

/// Why a schema is not taken. No variant carries a text of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Too long, too deep, or too many parts.
    #[error("its schema is too large")]
    TooLarge,
    /// It refers to itself, or to something that is not in it.
    #[error("its schema refers to itself or to another place")]
    Refers,
    /// It is no schema of an object.
    #[error("its schema is not one of an object")]
    Unfit,
}

/// A schema that was understood. One of ours is when it is first needed: the library for that takes two to three
/// megabytes of memory, and many a hall calls no tool for a long time.
#[derive(Debug)]
pub(super) struct Fit(LazyLock<Validator, Box<dyn FnOnce() -> Validator + Send>>);

impl Fit {
    /// Understands a schema.
    pub(super) fn of(schema: &Value) -> Result<Self, SchemaError> {
        let made = understood(schema)?;
        Ok(Self(LazyLock::new(Box::new(move || made))))
    }

    /// A schema of our own, which is known to be good.
    pub(super) fn ours(schema: Value) -> Self {
        let make = move || understood(&schema);
        let good = "our own schemas are good; a test makes them all";
        Self(LazyLock::new(Box::new(move || make().expect(good))))
    }

    /// Says what does not fit, by its place.
    pub(super) fn check(&self, arguments: &Value) -> Result<(), String> {
        if !arguments.is_object() {
            return Err("they must be an object".to_owned());
        }
        let Some(error) = self.0.iter_errors(arguments).next() else { return Ok(()) };
        // Names of what was given are the caller's, rules are the schema's: neither is a value.
        let place = error.instance_path().to_string();
        let rule = error.evaluation_path().to_string();
        let rule = rule.rsplit('/').find(|it| it.parse::<usize>().is_err()).unwrap_or("schema");
        let clip = |text: &str| text.chars().take(PLACE_CHARS_MAX).collect::<String>();
        let place = if place.is_empty() { "the whole".to_owned() } else { clip(&place) };
        Err(format!("{place} breaks the rule `{}`", clip(rule)))
    }
}

fn understood(schema: &Value) -> Result<Validator, SchemaError> {
    let is_object = schema.get("type").is_none_or(|it| it == "object");
    if !schema.is_object() || !is_object {
        return Err(SchemaError::Unfit);
    }
    let bytes = serde_json::to_vec(schema).map_or(usize::MAX, |it| it.len());
    if SCHEMA_BYTES_MAX < bytes {
        return Err(SchemaError::TooLarge);
    }
    let mut walk = Walk { root: schema, parts: 0, open: Vec::new() };
    walk.visit(schema, 0)?;
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|_not_a_schema| SchemaError::Unfit)
}

/// Goes through a schema as a validator will.
struct Walk<'s> {
    root: &'s Value,
    parts: usize,
    /// What is being followed.
    open: Vec<&'s str>,
}

impl<'s> Walk<'s> {
    fn visit(&mut self, value: &'s Value, depth: usize) -> Result<(), SchemaError> {
        self.parts += 1;
        if PARTS_MAX < self.parts || DEPTH_MAX < depth {
            return Err(SchemaError::TooLarge);
        }
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    match key.as_str() {
                        "$ref" => self.follow(value, depth)?,
                        "$dynamicRef" | "$recursiveRef" => return Err(SchemaError::Refers),
                        // Another name for a part changes where its references lead.
                        "$id" | "id" if 0 < depth && value.is_string() => {
                            return Err(SchemaError::Refers);
                        }
                        _ => self.visit(value, depth + 1)?,
                    }
                }
                Ok(())
            }
            Value::Array(rows) => rows.iter().try_for_each(|it| self.visit(it, depth + 1)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn follow(&mut self, reference: &'s Value, depth: usize) -> Result<(), SchemaError> {
        // SCHEMA-1: only what is in it, and never in circles.
        let place = reference.as_str().and_then(|it| it.strip_prefix('#'));
        let place = place.filter(|it| it.starts_with('/')).ok_or(SchemaError::Refers)?;
        let part = self.root.pointer(place).ok_or(SchemaError::Refers)?;
        if self.open.contains(&place) {
            return Err(SchemaError::Refers);
        }
        self.open.push(place);
        self.visit(part, depth + 1)?;
        self.open.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_told_by_its_place_and_never_by_its_value() {
        let fit = Fit::of(&json!({
            "type": "object", "additionalProperties": false, "required": ["path"],
            "properties": { "path": { "type": "string" }, "lines": { "$ref": "#/$defs/count" } },
            "$defs": { "count": { "type": "integer", "maximum": 5 } },
        }))
        .unwrap();
        assert_eq!(fit.check(&json!({ "path": "a", "lines": 5 })), Ok(()));
        let cases = [
            (json!({ "path": 424_242 }), "/path breaks the rule `type`"),
            (json!({ "path": "a", "lines": 424_242 }), "/lines breaks the rule `maximum`"),
            (json!({}), "the whole breaks the rule `required`"),
            (
                json!({ "path": "a", "x": 424_242 }),
                "the whole breaks the rule `additionalProperties`",
            ),
            (json!([424_242]), "they must be an object"),
        ];
        for (arguments, words) in cases {
            assert_eq!(fit.check(&arguments).unwrap_err(), words);
        }
    }

    #[test]
    fn schema_1_what_refers_to_itself_or_elsewhere_is_refused() {
        let cases = [
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "$ref": "#/allOf/0" }] }),
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
            json!({ "properties": { "a": { "$ref": "http://127.0.0.1/secret" } } }),
            json!({ "properties": { "a": { "$ref": "file:///etc/passwd" } } }),
            json!({ "properties": { "a": { "$dynamicRef": "#x" } } }),
            json!({ "properties": { "a": { "$id": "http://example.org/x", "$ref": "#/properties/a" } } }),
        ];
        for case in cases {
            assert_eq!(Fit::of(&case).unwrap_err(), SchemaError::Refers, "{case}");
        }
    }

    #[test]
    fn a_schema_that_unfolds_without_end_is_refused() {
        let mut defs = serde_json::Map::new();
        for level in 0..30 {
            let next = json!({ "$ref": format!("#/$defs/l{}", level + 1) });
            defs.insert(format!("l{level}"), json!({ "allOf": [next, next] }));
        }
        defs.insert("l30".to_owned(), json!({}));
        let bomb = json!({ "$ref": "#/$defs/l0", "$defs": defs });
        assert_eq!(Fit::of(&bomb).unwrap_err(), SchemaError::TooLarge);
        let deep = (0..100).fold(json!({}), |inner, _| json!({ "not": inner }));
        assert_eq!(Fit::of(&deep).unwrap_err(), SchemaError::TooLarge);
        assert_eq!(Fit::of(&json!({ "type": "string" })).unwrap_err(), SchemaError::Unfit);
        assert_eq!(
            Fit::of(&json!({ "description": "x".repeat(70_000) })).unwrap_err(),
            SchemaError::TooLarge
        );
    }

    #[test]
    fn a_pattern_that_would_take_for_ever_takes_no_time() {
        let fit = Fit::of(&json!({ "properties": { "a": { "pattern": "^(a+)+$" } } })).unwrap();
        let text = format!("{}!", "a".repeat(5_000));
        assert!(fit.check(&json!({ "a": text })).is_err());
    }
}
