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

    /// Checks names, presence and scalar types; calls `unknown` for every parameter that is not documented.
    ///
    /// # Errors
    /// A missing required field, or a scalar that is not of the documented type.
    pub(crate) fn check(
        &self,
        params: &Params<'_>,
        mut unknown: impl FnMut(&str),
    ) -> Result<(), Refusal> {
        for (name, value) in params.iter() {
            match self.fields.get(name) {
                Some(field) => check_type(name, field, value)?,
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

    #[test]
    fn reactions_come_only_to_those_who_ask() {
        let api = Api::get();
        assert!(!api.wants(api.default_kinds(), "message_reaction"));
        assert!(api.wants(api.kinds_named(&["message_reaction".to_owned()]), "message_reaction"));
        assert!(api.wants(api.default_kinds(), "widget_query"), "newer than the facts");
    }
}
