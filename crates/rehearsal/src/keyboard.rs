//! `reply_markup`: what Telegram accepts as a keyboard.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::json::raw;
use crate::params::Params;
use crate::refusal::Refusal;

/// Bytes of `callback_data`.
const CALLBACK_DATA_BYTES_MAX: usize = 64;
/// Buttons of one keyboard.
const BUTTONS_MAX: usize = 100;
/// What an inline button may do; it must do exactly one of these.
const ACTIONS: [&str; 11] = [
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
    "disabled",
];

/// A checked `reply_markup`.
#[derive(Clone, Debug)]
pub(crate) struct Markup {
    /// As it is shown: keys in one order, so that equal keyboards are equal texts.
    pub(crate) json: Box<RawValue>,
    /// Whether it belongs to the message rather than to the chat.
    pub(crate) inline: bool,
}

impl PartialEq for Markup {
    fn eq(&self, other: &Self) -> bool {
        self.json.get() == other.json.get()
    }
}

/// Reads and checks the `reply_markup` of a call.
///
/// # Errors
/// Telegram's refusal of a keyboard it would not show.
pub(crate) fn read(params: &Params<'_>) -> Result<Option<Markup>, Refusal> {
    let Some(markup) = params.object::<Value>("reply_markup")? else { return Ok(None) };
    let Some(object) = markup.as_object() else {
        return Err(Refusal::bad("object expected as reply markup"));
    };
    if let Some(rows) = object.get("inline_keyboard") {
        check_rows(rows, "inline keyboard", check_inline)?;
        let is_empty = rows
            .as_array()
            .is_none_or(|rows| rows.iter().all(|row| row.as_array().is_none_or(Vec::is_empty)));
        return Ok((!is_empty).then(|| Markup { json: raw(&markup), inline: true }));
    }
    if let Some(rows) = object.get("keyboard") {
        check_rows(rows, "keyboard", check_plain)?;
    } else if !(object.contains_key("remove_keyboard") || object.contains_key("force_reply")) {
        return Ok(None);
    }
    Ok(Some(Markup { json: raw(&markup), inline: false }))
}

fn check_rows(
    rows: &Value,
    what: &str,
    check: impl Fn(&Value) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let not_rows = || Refusal::bad(format!("{what} must be an Array of Arrays"));
    let mut buttons = 0;
    for row in rows.as_array().ok_or_else(not_rows)? {
        for button in row.as_array().ok_or_else(not_rows)? {
            check(button)?;
            buttons += 1;
        }
    }
    if buttons > BUTTONS_MAX {
        return Err(Refusal::bad("reply markup is too long"));
    }
    Ok(())
}

fn check_inline(button: &Value) -> Result<(), Refusal> {
    let broken = |what: &str| Refusal::bad(format!("can't parse inline keyboard button: {what}"));
    let object = button.as_object().ok_or_else(|| broken("expected an Object"))?;
    let text = object.get("text").and_then(Value::as_str);
    let text = text.ok_or_else(|| broken("Can't find field \"text\""))?;
    if text.is_empty() {
        return Err(Refusal::bad("text of the inline keyboard button must be non-empty"));
    }
    let actions = ACTIONS.iter().filter(|action| object.contains_key(**action)).count();
    if actions != 1 {
        return Err(broken("Text buttons are not allowed in the inline keyboard"));
    }
    if let Some(data) = object.get("callback_data") {
        let data = data
            .as_str()
            .ok_or_else(|| broken("Field \"callback_data\" must be of type String"))?;
        if data.is_empty() || data.len() > CALLBACK_DATA_BYTES_MAX {
            return Err(Refusal::bad("BUTTON_DATA_INVALID"));
        }
    }
    if let Some(url) = object.get("url").and_then(Value::as_str) {
        let known = ["http://", "https://", "tg://"].iter().any(|scheme| url.starts_with(scheme));
        if !known {
            return Err(Refusal::bad(format!(
                "inline keyboard button URL '{url}' is invalid: Wrong HTTP URL"
            )));
        }
    }
    Ok(())
}

fn check_plain(button: &Value) -> Result<(), Refusal> {
    let text = button.as_str().or_else(|| button.get("text").and_then(Value::as_str));
    match text {
        Some(text) if !text.is_empty() => Ok(()),
        _ => Err(Refusal::bad("can't parse keyboard button: Can't find field \"text\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(markup: &str) -> Result<bool, String> {
        let body = format!(r#"{{"reply_markup":{markup}}}"#);
        let markup = read(&Params::from_json(body.as_bytes()).unwrap());
        markup.map(|markup| markup.is_some()).map_err(|refusal| refusal.description.into_owned())
    }

    #[test]
    fn callback_data_is_1_to_64_bytes() {
        let button = |data: &str| {
            check(&format!(r#"{{"inline_keyboard":[[{{"text":"x","callback_data":"{data}"}}]]}}"#))
        };
        assert_eq!(button(&"a".repeat(64)), Ok(true));
        assert_eq!(button(&"a".repeat(65)), Err("Bad Request: BUTTON_DATA_INVALID".to_owned()));
        assert_eq!(button(""), Err("Bad Request: BUTTON_DATA_INVALID".to_owned()));
        assert!(button(&"é".repeat(33)).is_err(), "bytes, not characters");
    }

    #[test]
    fn an_inline_button_does_exactly_one_thing() {
        assert!(check(r#"{"inline_keyboard":[[{"text":"x"}]]}"#).is_err());
        assert!(check(r#"{"inline_keyboard":[[{"text":"x","url":"ftp://a"}]]}"#).is_err());
        assert_eq!(check(r#"{"inline_keyboard":[[{"text":"x","url":"https://a.b"}]]}"#), Ok(true));
        assert_eq!(check(r#"{"inline_keyboard":[]}"#), Ok(false));
        assert_eq!(check(r#"{"keyboard":[["a"],[{"text":"b"}]]}"#), Ok(true));
    }
}
