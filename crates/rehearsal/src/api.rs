//! What the Bot API documents: its methods, their fields, and the kinds of update.
//!
//! Compiled in from `bot_api.json`. Every request is held against it before anything else looks at the request.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::params::{Params, Value};
use crate::refusal::Refusal;

/// One parameter of a method.
#[derive(Debug, Deserialize)]
pub(crate) struct Field {
    pub(crate) types: Vec<String>,
    pub(crate) required: bool,
}

/// One method of the Bot API.
#[derive(Debug, Deserialize)]
pub(crate) struct Method {
    #[serde(skip)]
    pub(crate) name: String,
    pub(crate) returns: Vec<String>,
    pub(crate) fields: HashMap<String, Field>,
}

impl Method {
    /// Whether a plain `true` is an answer that the documentation allows.
    pub(crate) fn returns_true(&self) -> bool {
        self.returns.iter().any(|kind| kind == "Boolean")
    }

    /// Checks names, presence and types, also inside of objects and lists; calls `unknown` for everything that
    /// is not documented.
    ///
    /// # Errors
    /// A missing required field, or a value that is not of the documented type.
    pub(crate) fn check(
        &self,
        params: &Params<'_>,
        mut unknown: impl FnMut(&str),
    ) -> Result<(), Refusal> {
        for (name, value) in params.iter() {
            match self.fields.get(name) {
                Some(field) => {
                    check_type(name, field, value)?;
                    check_inside(name, field, value, &mut unknown)?;
                }
                // Parts that `attach://` refers to carry names of the sender's choice.
                None if value.is_file() => {}
                None => unknown(name),
            }
        }
        let missing =
            self.fields.iter().filter(|(name, field)| field.required && !params.has(name));
        // The first in the alphabet, so that the same request always gets the same words.
        match missing.map(|(name, _)| name.as_str()).min() {
            Some(name) => Err(missing_words(name)),
            None => Ok(()),
        }
    }
}

/// Holds what is inside of an object or a list against its documented type.
fn check_inside(
    name: &str,
    field: &Field,
    value: &Value<'_>,
    unknown: &mut impl FnMut(&str),
) -> Result<(), Refusal> {
    let is_scalar = |it: &String| matches!(it.as_str(), "String" | "Integer" | "Boolean" | "Float");
    if value.is_file() || field.types.iter().any(is_scalar) {
        return Ok(());
    }
    let json = value.json().unwrap_or_default();
    let cannot = || Refusal::bad(format!("can't parse {name} JSON object"));
    let inside: serde_json::Value = serde_json::from_str(&json).map_err(|_broken| cannot())?;
    let tried = field.types.iter().map(|kind| Misfits::of(kind, &inside, name));
    let Some(best) = tried.min_by_key(|it| (it.wrong.len(), it.unknown.len())) else {
        return Ok(());
    };
    best.unknown.iter().for_each(|it| unknown(it));
    match best.wrong.first() {
        Some(path) => Err(Refusal::bad(format!("can't parse parameter \"{path}\""))),
        None => Ok(()),
    }
}

/// What does not fit a documented type, by its path.
#[derive(Default)]
struct Misfits {
    wrong: Vec<String>,
    unknown: Vec<String>,
}

impl Misfits {
    fn of(kind: &str, value: &serde_json::Value, path: &str) -> Self {
        use serde_json::Value as Json;
        let fits = |it: bool| {
            let wrong = if it { Vec::new() } else { vec![path.to_owned()] };
            Self { wrong, unknown: Vec::new() }
        };
        if let Some(item) = kind.strip_prefix("Array of ") {
            let Json::Array(items) = value else { return fits(false) };
            let mut all = Self::default();
            items.iter().for_each(|it| all.add(Self::of(item, it, path)));
            return all;
        }
        match kind {
            "Integer" => fits(value.is_i64() || value.is_u64()),
            "Float" => fits(value.is_number()),
            "Boolean" | "True" => fits(value.is_boolean()),
            "String" | "InputFile" => fits(value.is_string()),
            object => match (Api::get().types.get(object), value) {
                (Some(object), _) if !object.subtypes.is_empty() => object.best(value, path),
                (Some(object), Json::Object(fields)) => object.check(fields, path),
                (Some(_), _) | (None, _) => fits(false),
            },
        }
    }

    fn add(&mut self, more: Self) {
        self.wrong.extend(more.wrong);
        self.unknown.extend(more.unknown);
    }
}

/// A type that parameters are made of.
#[derive(Debug, Deserialize)]
struct Object {
    #[serde(default)]
    subtypes: Vec<String>,
    fields: HashMap<String, Field>,
}

impl Object {
    /// Whichever of the types that it can be fits best.
    fn best(&self, value: &serde_json::Value, path: &str) -> Misfits {
        let tried = self.subtypes.iter().map(|it| Misfits::of(it, value, path));
        tried.min_by_key(|it| (it.wrong.len(), it.unknown.len())).unwrap_or_default()
    }

    fn check(&self, fields: &serde_json::Map<String, serde_json::Value>, path: &str) -> Misfits {
        let mut all = Misfits::default();
        for (name, value) in fields {
            let path = format!("{path}.{name}");
            match self.fields.get(name) {
                Some(_) if value.is_null() => {}
                Some(field) => {
                    let tried = field.types.iter().map(|kind| Misfits::of(kind, value, &path));
                    let best = tried.min_by_key(|it| (it.wrong.len(), it.unknown.len()));
                    all.add(best.unwrap_or_default());
                }
                None => all.unknown.push(path),
            }
        }
        let is_given = |name: &str| fields.get(name).is_some_and(|it| !it.is_null());
        let missing = self.fields.iter().filter(|(name, it)| it.required && !is_given(name));
        all.wrong.extend(missing.map(|(name, _)| format!("{path}.{name}")));
        all.wrong.sort_unstable();
        all
    }
}

fn missing_words(name: &str) -> Refusal {
    match name {
        "chat_id" => Refusal::bad("chat_id is empty"),
        "text" => Refusal::bad("message text is empty"),
        "message_id" => Refusal::bad("message identifier is not specified"),
        "user_id" => Refusal::bad("invalid user_id specified"),
        _ => Refusal::bad(format!("parameter \"{name}\" is required")),
    }
}

fn check_type(name: &str, field: &Field, value: &Value<'_>) -> Result<(), Refusal> {
    let fits = field.types.iter().any(|kind| match kind.as_str() {
        "Integer" => value.integer().is_some(),
        "Boolean" => value.boolean().is_some(),
        "Float" => value.text().is_some_and(|text| text.parse::<f64>().is_ok()),
        "String" => value.is_scalar(),
        "InputFile" => value.is_file(),
        array if array.starts_with("Array") => value.starts_json('['),
        _object => value.starts_json('{'),
    });
    if fits { Ok(()) } else { Err(Refusal::bad(format!("can't parse parameter \"{name}\""))) }
}

/// Everything that `bot_api.json` says.
#[derive(Debug, Deserialize)]
pub(crate) struct Api {
    pub(crate) updates: Vec<String>,
    methods: HashMap<String, Method>,
    /// What parameters are made of.
    types: HashMap<String, Object>,
}

/// Updates that a bot gets only when it asks for them by name.
const UPDATES_ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// A set of update kinds, one bit each, in the order of [`Api::updates`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u64);

impl Api {
    /// The facts, parsed once.
    pub(crate) fn get() -> &'static Self {
        static API: LazyLock<Api> = LazyLock::new(|| {
            let mut api: Api = serde_json::from_str(include_str!("bot_api.json"))
                .expect("bot_api.json is part of this crate and a test parses it");
            for (name, method) in &mut api.methods {
                method.name.clone_from(name);
            }
            let lower = api.methods.drain().map(|(name, m)| (name.to_ascii_lowercase(), m));
            api.methods = lower.collect();
            api
        });
        &API
    }

    /// The method of that name; like Telegram, in any case of letters.
    pub(crate) fn method(&self, name: &str) -> Option<&Method> {
        self.methods.get(&name.to_ascii_lowercase())
    }

    /// What a bot gets that never said what it wants.
    pub(crate) fn default_kinds(&self) -> Kinds {
        self.kinds(|name| !UPDATES_ON_REQUEST.contains(&name))
    }

    /// The kinds a bot named; an empty list means the default, and names that do not exist are ignored.
    pub(crate) fn kinds_named(&self, names: &[String]) -> Kinds {
        if names.is_empty() {
            return self.default_kinds();
        }
        self.kinds(|name| names.iter().any(|wanted| wanted == name))
    }

    fn kinds(&self, wanted: impl Fn(&str) -> bool) -> Kinds {
        let bits = self.updates.iter().enumerate().filter(|(_, name)| wanted(name));
        Kinds(bits.fold(0, |set, (bit, _)| set | 1 << bit))
    }

    /// Whether `kind` is in the set. A kind newer than these facts always is.
    pub(crate) fn wants(&self, kinds: Kinds, kind: &str) -> bool {
        match self.updates.iter().position(|name| name == kind) {
            Some(bit) => kinds.0 & (1 << bit) != 0,
            None => true,
        }
    }

    /// The names in the set, as `getWebhookInfo` shows them.
    pub(crate) fn kind_names(&self, kinds: Kinds) -> Vec<&str> {
        self.updates.iter().map(String::as_str).filter(|name| self.wants(kinds, name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_parse_and_know_what_we_serve() {
        let api = Api::get();
        assert!(api.updates.len() <= 64, "Kinds has 64 bits");
        assert!(api.method("sendmessage").is_some_and(|method| method.name == "sendMessage"));
        assert!(api.method("flyToTheMoon").is_none());
        assert!(api.method("banChatMember").is_some_and(Method::returns_true));
    }

    /// What is undocumented in a call, and how it is refused.
    fn held(method: &str, body: &str) -> (Vec<String>, Option<String>) {
        let params = Params::from_json(body.as_bytes()).unwrap();
        let mut unknown = Vec::new();
        let method = Api::get().method(method).unwrap();
        let refused = method.check(&params, |it| unknown.push(it.to_owned())).err();
        (unknown, refused.map(|it| it.description.into_owned()))
    }

    #[test]
    fn calls_are_held_against_the_facts_also_inside_of_their_objects() {
        let good = [
            r#"{"chat_id":1,"text":"x","reply_parameters":{"message_id":5}}"#,
            r#"{"chat_id":"@x","text":"x","reply_markup":{"inline_keyboard":[[{"text":"a","callback_data":"b"}]]}}"#,
            r#"{"chat_id":1,"text":"x","reply_markup":"{\"inline_keyboard\":[]}"}"#,
        ];
        good.iter().for_each(|it| assert_eq!(held("sendMessage", it), (vec![], None), "{it}"));
        let odd = r#"{"chat_id":1,"text":"x","reply_parameters":{"message_id":5,"quite":"y"},"parse":"HTML"}"#;
        let unknown = vec!["reply_parameters.quite".to_owned(), "parse".to_owned()];
        assert_eq!(held("sendMessage", odd), (unknown, None));
        let wrong = |body: &str, path: &str| {
            let refused = held("sendMessage", body).1;
            let words = format!("can't parse parameter \"{path}\"");
            assert!(refused.as_ref().is_some_and(|it| it.contains(&words)), "{refused:?}");
        };
        wrong(
            r#"{"chat_id":1,"text":"x","reply_parameters":{"message_id":"five"}}"#,
            "reply_parameters.message_id",
        );
        wrong(
            r#"{"chat_id":1,"text":"x","reply_markup":{"inline_keyboard":[[{"callback_data":"b"}]]}}"#,
            "reply_markup.inline_keyboard.text",
        );
        let scope = r#"{"commands":[{"command":"a","description":"b"}],"scope":{"type":"chat","chat_id":5}}"#;
        assert_eq!(held("setMyCommands", scope), (vec![], None));
    }

    #[test]
    fn reactions_come_only_to_those_who_ask() {
        let api = Api::get();
        assert!(!api.wants(api.default_kinds(), "message_reaction"));
        assert!(api.wants(api.kinds_named(&["message_reaction".to_owned()]), "message_reaction"));
        assert!(api.wants(api.default_kinds(), "widget_query"), "newer than the facts");
    }
}
