//! What a table of the file is made of, and the macros that declare one.

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde_json::Value as Json;

use super::source::{Node, Notes, Value};

/// How a value is described to people and editors.
pub(crate) enum Shape {
    /// A single value; holds its JSON Schema.
    Leaf(Json),
    /// A table of keys.
    Table(Vec<Key>),
    /// A list of tables of keys.
    Rows(Vec<Key>),
}

/// One key of a table.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// What it does, in plain words, line by line as it stands in the source.
    pub(crate) about: &'static [&'static str],
    pub(crate) shape: Shape,
    /// `null` where the key has no default.
    pub(crate) default: Json,
    /// A value to show where there is no default.
    pub(crate) example: Option<&'static str>,
    /// The least and the greatest value.
    pub(crate) range: Option<(Json, Json)>,
    /// Zero and `false` stand for the greatest value.
    pub(crate) can_be_off: bool,
}

/// A value that can stand in the configuration.
pub(crate) trait Setting: Sized {
    /// Reads the value at the dotted path `key`. `None` if there was a problem, which is noted.
    fn read(node: &Node, key: &str, notes: &mut Notes) -> Option<Self>;
    /// The value as JSON, in the form in which the file takes it.
    fn show(&self) -> Json;
    /// What the value looks like.
    fn shape() -> Shape;
    /// Whether this is the zero that switches a limit off.
    fn is_off(&self) -> bool {
        false
    }
}

/// An enumeration whose words stand in the file.
macro_rules! choice {
    ($(#[doc = $about:literal])* $name:ident {
        $($(#[doc = $doc:literal])* $variant:ident = $word:literal,)*
    }) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $doc])* $variant,)* }

        impl $name {
            /// The word that stands in the file.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl $crate::config::section::Setting for $name {
            fn read(
                node: &$crate::config::source::Node,
                key: &str,
                notes: &mut $crate::config::source::Notes,
            ) -> Option<Self> {
                let words = [$($word),*];
                match <String as $crate::config::section::Setting>::read(node, key, notes)?.as_str() {
                    $($word => Some(Self::$variant),)*
                    other => {
                        let text = format!("`{other}` must be one of: {}", words.join(", "));
                        notes.note(&node.origin, key, text);
                        None
                    }
                }
            }

            fn show(&self) -> serde_json::Value {
                self.word().into()
            }

            fn shape() -> $crate::config::section::Shape {
                let schema = serde_json::json!({ "enum": [$($word),*] });
                $crate::config::section::Shape::Leaf(schema)
            }
        }
    };
}
pub(crate) use choice;

/// A table of the file. One declaration gives the struct, its defaults, its checks, its part of
/// the commented file and its part of the JSON Schema.
///
/// `within` refuses what is outside; `limit` does too, but takes zero and `false` as "no limit",
/// that is, as the greatest value.
macro_rules! section {
    ($(#[doc = $about:literal])* $name:ident {
        $($(#[doc = $doc:literal])*
        $field:ident: $kind:ty = $default:expr
            $(, within $within:expr)? $(, limit $limit:expr)? $(, example $example:literal)?;)*
    }) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($(#[doc = $doc])* pub $field: $kind,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::config::section::Setting for $name {
            fn read(
                node: &$crate::config::source::Node,
                key: &str,
                notes: &mut $crate::config::source::Notes,
            ) -> Option<Self> {
                use $crate::config::section::{self, read_ranged};
                let known = [$(stringify!($field)),*];
                let entries = section::entries(node, key, &known, notes)?;
                let mut whole = Self::default();
                $(if let Some(node) = entries.get(stringify!($field)) {
                    let key = section::join(key, stringify!($field));
                    let read = read_ranged!(
                        $kind, node, &key, notes $(, within $within)? $(, limit $limit)?
                    );
                    if let Some(value) = read {
                        whole.$field = value;
                    }
                })*
                Some(whole)
            }

            fn show(&self) -> serde_json::Value {
                let mut shown = serde_json::Map::new();
                $(shown.insert(stringify!($field).to_owned(), self.$field.show());)*
                shown.into()
            }

            fn shape() -> $crate::config::section::Shape {
                use $crate::config::section::{Key, Shape, Setting, ranged};
                let keys = vec![$({
                    let default: $kind = $default;
                    let range: Option<(std::ops::RangeInclusive<$kind>, bool)> =
                        ranged!($kind $(, within $within)? $(, limit $limit)?);
                    Key {
                        name: stringify!($field),
                        about: &[$($doc),*],
                        shape: <$kind as Setting>::shape(),
                        default: default.show(),
                        example: [$($example)?].first().copied(),
                        can_be_off: range.as_ref().is_some_and(|(_, can_be_off)| *can_be_off),
                        range: range.map(|(range, _)| (range.start().show(), range.end().show())),
                    }
                }),*];
                Shape::Table(keys)
            }
        }
    };
}
pub(crate) use section;

/// The range of a key and whether zero stands for its end.
macro_rules! ranged {
    ($kind:ty) => {
        None::<(std::ops::RangeInclusive<$kind>, bool)>
    };
    ($kind:ty, within $range:expr) => {
        Some(($range, false))
    };
    ($kind:ty, limit $range:expr) => {
        Some(($range, true))
    };
}
pub(crate) use ranged;

/// Reads a value, and checks its range if it has one.
macro_rules! read_ranged {
    ($kind:ty, $node:expr, $key:expr, $notes:expr) => {
        <$kind as $crate::config::section::Setting>::read($node, $key, $notes)
    };
    ($kind:ty, $node:expr, $key:expr, $notes:expr, within $range:expr) => {
        $crate::config::section::read_in::<$kind>($node, $key, $notes, &$range, false)
    };
    ($kind:ty, $node:expr, $key:expr, $notes:expr, limit $range:expr) => {
        $crate::config::section::read_in::<$kind>($node, $key, $notes, &$range, true)
    };
}
pub(crate) use read_ranged;

/// The path of a key below a table.
pub(crate) fn join(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}

/// The values of a table; its unknown keys are noted.
pub(crate) fn entries<'n>(
    node: &'n Node,
    key: &str,
    known: &[&'static str],
    notes: &mut Notes,
) -> Option<&'n BTreeMap<String, Node>> {
    let Value::Table(entries) = &node.value else {
        notes.note(&node.origin, key, "must be a table");
        return None;
    };
    for (name, node) in entries {
        let (below, origin) = (join(key, name), &node.origin);
        match name.as_str() {
            name if known.contains(&name) => {}
            "token" if known.contains(&"token_env") => notes.note(
                origin,
                &below,
                "a token must not stand in the file: name a variable with `token_env` or a file \
                 with `token_file`",
            ),
            "api_key" | "key" if known.contains(&"api_key_env") => notes.note(
                origin,
                &below,
                "a key must not stand in the file: name a variable with `api_key_env` or a file \
                 with `api_key_file`",
            ),
            _ => notes.unknown(origin, &below, known.iter().copied()),
        }
    }
    Some(entries)
}

/// Reads a value and checks its range.
pub(crate) fn read_in<T: Setting + PartialOrd + Clone>(
    node: &Node,
    key: &str,
    notes: &mut Notes,
    range: &RangeInclusive<T>,
    can_be_off: bool,
) -> Option<T> {
    let value = T::read(node, key, notes)?;
    if can_be_off && value.is_off() {
        return Some(range.end().clone());
    }
    if range.contains(&value) {
        return Some(value);
    }
    let (least, most) = (range.start().show(), range.end().show());
    let off = if can_be_off { ", or 0 for no limit" } else { "" };
    notes.note(&node.origin, key, format!("{} must be from {least} to {most}{off}", value.show()));
    None
}
