//! What one setting may look like: how it is read, shown and described.
//!
//! Numbers, durations and sizes are limits more often than not, so `false` reads as zero wherever
//! a number may stand; what zero means is decided by the key (see `section!` in the module beside this one).

use std::{collections::BTreeSet, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use protocol::AgentName;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};

use super::{
    section::{Setting, Shape},
    source::{Node, Notes, Value},
};

/// A limit that zero or `false` switches off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<T>(pub Option<T>);

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Who besides the admins may talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Everyone.
    Everyone,
    /// These people (positive ids) and groups (negative ids).
    Only(BTreeSet<i64>),
}

/// A text that may hold a password, such as the address of a webhook. It is never shown.
#[derive(Clone)]
pub struct Hidden(pub SecretString);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

impl PartialEq for Hidden {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

/// Reads one value with a function that says in words what is wrong.
fn read_with<T>(
    node: &Node,
    key: &str,
    notes: &mut Notes,
    read: impl FnOnce(&Value) -> Result<T, String>,
) -> Option<T> {
    match read(&node.value) {
        Ok(value) => Some(value),
        Err(text) => {
            notes.note(&node.origin, key, text);
            None
        }
    }
}

fn whole(value: &Value) -> Result<i64, String> {
    if let Value::Raw(text) = value
        && text != "false"
    {
        let wrong = |_no_number| format!("`{text}` must be a whole number");
        return text.trim().parse().map_err(wrong);
    }
    if let Value::Whole(number) = value {
        return Ok(*number);
    }
    if is_false(value) { Ok(0) } else { Err("must be a whole number".to_owned()) }
}

fn is_false(value: &Value) -> bool {
    matches!(value, Value::Flag(false)) || matches!(value, Value::Raw(text) if text == "false")
}

fn text(value: &Value) -> Result<&str, String> {
    if let Value::Text(text) | Value::Raw(text) = value {
        return Ok(text);
    }
    Err("must be a text in quotes".to_owned())
}

/// The rows of a list. A variable's list is what stands between its commas.
fn rows(node: &Node) -> Option<Vec<Node>> {
    if let Value::List(rows) = &node.value {
        return Some(rows.clone());
    }
    let Value::Raw(text) = &node.value else { return None };
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let row = |part: &str| Node { value: Value::Raw(part.into()), origin: node.origin.clone() };
    Some(parts.map(row).collect())
}

macro_rules! whole_numbers {
    ($($kind:ty),*) => {$(
        impl Setting for $kind {
            fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
                read_with(node, key, notes, |value| {
                    let number = whole(value)?;
                    Self::try_from(number)
                        .map_err(|_out_of_range| format!("{number} is out of range"))
                })
            }

            fn show(&self) -> Json {
                json!(self)
            }

            fn shape() -> Shape {
                Shape::Leaf(json!({ "type": ["integer", "boolean"] }))
            }

            fn is_off(&self) -> bool {
                *self == 0
            }
        }
    )*};
}
whole_numbers!(u32, usize);

impl Setting for i64 {
    fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
        read_with(node, key, notes, |value| {
            let number = whole(value).ok().filter(|_number| !is_false(value));
            number.ok_or_else(|| "must be a numeric id".to_owned())
        })
    }

    fn show(&self) -> Json {
        json!(self)
    }

    fn shape() -> Shape {
        Shape::Leaf(json!({ "type": "integer" }))
    }
}

impl Setting for f64 {
    fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
        let number = read_with(node, key, notes, |value| {
            let number = if let Value::Fraction(number) = value {
                Some(*number)
            } else if let (Value::Raw(text), false) = (value, is_false(value)) {
                text.trim().parse().ok()
            } else {
                whole(value).ok().and_then(|number| i32::try_from(number).ok()).map(Self::from)
            };
            number.ok_or_else(|| "must be a number".to_owned())
        })?;
        if number.is_finite() && 0.0 <= number {
            return Some(number);
        }
        notes.note(&node.origin, key, "must be a number that is not negative");
        None
    }

    fn show(&self) -> Json {
        json!(self)
    }

    fn shape() -> Shape {
        Shape::Leaf(json!({ "type": ["number", "boolean"] }))
    }

    fn is_off(&self) -> bool {
        *self == 0.0
    }
}

impl Setting for bool {
    fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
        read_with(node, key, notes, |value| {
            if let Value::Flag(flag) = value {
                return Ok(*flag);
            }
            let word = if let Value::Raw(text) = value { text.trim() } else { "" };
            match word {
                "true" | "1" | "yes" | "on" => Ok(true),
                "false" | "0" | "no" | "off" => Ok(false),
                _ if matches!(value, Value::Whole(0)) => Ok(false),
                _ => Err("must be true or false".to_owned()),
            }
        })
    }

    fn show(&self) -> Json {
        json!(self)
    }

    fn shape() -> Shape {
        Shape::Leaf(json!({ "type": "boolean" }))
    }
}

/// A setting that is written as a text.
macro_rules! texts {
    ($($kind:ty: $schema:tt, $parse:expr, $show:expr;)*) => {$(
        impl Setting for $kind {
            fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
                read_with(node, key, notes, |value| {
                    let parse: fn(&str) -> Result<Self, String> = $parse;
                    parse(text(value)?)
                })
            }

            fn show(&self) -> Json {
                let show: fn(&Self) -> Json = $show;
                show(self)
            }

            fn shape() -> Shape {
                Shape::Leaf(json!($schema))
            }
        }
    )*};
}

texts! {
    String: { "type": "string" }, |text| Ok(text.to_owned()), |text| json!(text);
    PathBuf: { "type": "string" },
        |text| match text {
            "" => Err("must be a path".to_owned()),
            path => Ok(path.into()),
        },
        |path| json!(path.to_string_lossy());
    SocketAddr: { "type": "string" },
        |text| text.parse().map_err(|_no_address| {
            format!("`{text}` must be an address and a port, such as `127.0.0.1:8088`")
        }),
        |address| json!(address.to_string());
    AgentName: { "type": "string", "pattern": "^[a-z][a-z0-9_]{1,31}$" },
        |text| text.parse().map_err(|error: protocol::AgentNameError| error.to_string()),
        |name| json!(name.as_str());
    Hidden: { "type": "string", "writeOnly": true },
        |text| Ok(Self(text.into())), |_text| json!("(hidden)");
}

const UNITS_OF_TIME: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl Setting for Duration {
    fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
        let words = "must be a duration such as \"90s\", \"5m\" or \"250ms\", or whole seconds";
        read_with(node, key, notes, |value| {
            let millis = text(value).ok().and_then(|text| with_unit(text, &UNITS_OF_TIME));
            let millis = millis.or_else(|| count(value)?.checked_mul(1_000));
            millis.map(Self::from_millis).ok_or_else(|| words.to_owned())
        })
    }

    fn show(&self) -> Json {
        let millis = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        // Up to two minutes read better in seconds.
        let (unit, factor) = match millis {
            0..=120_000 if millis.is_multiple_of(1_000) => ("s", 1_000),
            _ if millis.is_multiple_of(3_600_000) => ("h", 3_600_000),
            _ if millis.is_multiple_of(60_000) => ("m", 60_000),
            _ if millis.is_multiple_of(1_000) => ("s", 1_000),
            _ => ("ms", 1),
        };
        json!(format!("{}{unit}", millis / factor))
    }

    fn shape() -> Shape {
        Shape::Leaf(json!({
            "type": ["string", "integer", "boolean"], "pattern": "^([0-9]+(ms|s|m|h|d))+$",
        }))
    }

    fn is_off(&self) -> bool {
        self.is_zero()
    }
}

/// A number without a unit.
fn count(value: &Value) -> Option<u64> {
    u64::try_from(whole(value).ok()?).ok()
}

const UNITS_OF_SIZE: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

impl Setting for Size {
    fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
        let words = "must be a size such as \"64KiB\" or \"1MiB\", or whole bytes";
        read_with(node, key, notes, |value| {
            let bytes = text(value).ok().and_then(|text| with_unit(text, &UNITS_OF_SIZE));
            let bytes = bytes.or_else(|| count(value));
            bytes.map(Self).ok_or_else(|| words.to_owned())
        })
    }

    fn show(&self) -> Json {
        let binary = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        match binary.iter().find(|(_, factor)| 0 < self.0 && self.0.is_multiple_of(*factor)) {
            Some((unit, factor)) => json!(format!("{}{unit}", self.0 / factor)),
            None => json!(self.0),
        }
    }

    fn shape() -> Shape {
        Shape::Leaf(json!({
            "type": ["string", "integer", "boolean"], "pattern": "^[0-9]+(B|kB|KiB|MB|MiB|GB|GiB)$",
        }))
    }

    fn is_off(&self) -> bool {
        self.0 == 0
    }
}

/// The sum of numbers that each carry a unit: `1h30m`.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut rest = text.trim();
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = after;
    }
    (!text.trim().is_empty()).then_some(sum)
}

impl<T: Setting> Setting for Option<T> {
    fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
        T::read(node, key, notes).map(Some)
    }

    fn show(&self) -> Json {
        self.as_ref().map_or(Json::Null, T::show)
    }

    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Setting> Setting for Limit<T> {
    fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
        T::read(node, key, notes).map(|limit| Self(Some(limit).filter(|limit| !limit.is_off())))
    }

    fn show(&self) -> Json {
        self.0.as_ref().map_or(json!(0), T::show)
    }

    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
        let Some(rows) = rows(node) else {
            notes.note(&node.origin, key, "must be a list");
            return None;
        };
        let is_table = matches!(T::shape(), Shape::Table(_));
        let read = rows.iter().enumerate().map(|(at, row)| match is_table {
            true => T::read(row, &format!("{key}.{at}"), notes),
            false => T::read(row, key, notes),
        });
        // Reads on after a problem, so that all of them are noted.
        read.collect::<Vec<_>>().into_iter().collect()
    }

    fn show(&self) -> Json {
        self.iter().map(T::show).collect()
    }

    fn shape() -> Shape {
        match T::shape() {
            Shape::Leaf(items) => Shape::Leaf(json!({ "type": "array", "items": items })),
            Shape::Table(keys) | Shape::Rows(keys) => Shape::Rows(keys),
        }
    }
}

impl Setting for Allow {
    fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self> {
        let Some(rows) = rows(node) else {
            notes.note(&node.origin, key, "must be a list of numeric ids, or [\"*\"]");
            return None;
        };
        let is_star = |row: &Node| matches!(text(&row.value), Ok("*"));
        if rows.iter().any(is_star) {
            return Some(Self::Everyone);
        }
        let ids: Vec<_> = rows.iter().map(|row| i64::read(row, key, notes)).collect();
        ids.into_iter().collect::<Option<_>>().map(Self::Only)
    }

    fn show(&self) -> Json {
        match self {
            Self::Everyone => json!(["*"]),
            Self::Only(ids) => json!(ids),
        }
    }

    fn shape() -> Shape {
        let items = json!({ "anyOf": [{ "type": "integer" }, { "const": "*" }] });
        Shape::Leaf(json!({ "type": "array", "items": items }))
    }
}
