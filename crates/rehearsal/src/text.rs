//! Formatted text as Telegram keeps it: plain text and entities, with offsets in UTF-16 units.
//!
//! Receives  what a bot or a person wrote, with its parse mode or entities.
//! Gives     text trimmed as Telegram trims it, and entities in order, or Telegram's refusal.

mod blocks;
mod detect;
mod html;
mod markdown;
mod rich;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(crate) use blocks::{Blocks, blocks};
pub(crate) use detect::detect;
pub(crate) use rich::rich_markdown;

use crate::refusal::Refusal;

/// The longest text of a message, in UTF-16 units, after entities were taken out.
pub(crate) const TEXT_UNITS_MAX: usize = 4096;
/// The longest caption, in UTF-16 units.
pub(crate) const CAPTION_UNITS_MAX: usize = 1024;

/// One entity of a message, as the Bot API writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entity {
    /// Kind, such as `bold` or `bot_command`.
    #[serde(rename = "type")]
    pub(crate) kind: Cow<'static, str>,
    /// Start, in UTF-16 units.
    pub(crate) offset: usize,
    /// Length, in UTF-16 units.
    pub(crate) length: usize,
    /// Target of a `text_link`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Programming language of a `pre`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    /// Person of a `text_mention`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<Box<RawValue>>,
    /// Emoji of a `custom_emoji`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) custom_emoji_id: Option<String>,
}

impl Entity {
    pub(crate) fn new(kind: impl Into<Cow<'static, str>>, offset: usize, length: usize) -> Self {
        Self {
            kind: kind.into(),
            offset,
            length,
            url: None,
            language: None,
            user: None,
            custom_emoji_id: None,
        }
    }

    fn end(&self) -> usize {
        self.offset.saturating_add(self.length)
    }
}

impl PartialEq for Entity {
    fn eq(&self, other: &Self) -> bool {
        let user = |entity: &Self| entity.user.as_ref().map(|user| user.get().to_owned());
        (&self.kind, self.offset, self.length, &self.url, &self.language, &self.custom_emoji_id)
            == (
                &other.kind,
                other.offset,
                other.length,
                &other.url,
                &other.language,
                &other.custom_emoji_id,
            )
            && user(self) == user(other)
    }
}

/// Text with its entities.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Formatted {
    /// The text without markup.
    pub(crate) text: String,
    /// Entities by offset; outer before inner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) entities: Vec<Entity>,
}

/// Length in UTF-16 units.
pub(crate) fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// Reads a text in the given parse mode; `entities` count only when there is no parse mode.
///
/// # Errors
/// An unknown parse mode, markup that does not parse, or entities out of bounds.
pub(crate) fn parse(
    text: &str,
    parse_mode: Option<&str>,
    entities: Option<Vec<Entity>>,
) -> Result<Formatted, Refusal> {
    let mode = parse_mode.unwrap_or_default().to_ascii_lowercase();
    let parsed = match mode.as_str() {
        "" => {
            let entities = entities.unwrap_or_default();
            check_bounds(text, &entities)?;
            Ok(Formatted { text: text.to_owned(), entities })
        }
        "html" => html::parse(text, false),
        "markdownv2" => markdown::parse_v2(text),
        "markdown" => markdown::parse_legacy(text),
        _ => return Err(Refusal::bad("unsupported parse_mode")),
    };
    let mut parsed =
        parsed.map_err(|reason| Refusal::bad(format!("can't parse entities: {reason}")))?;
    settle(&mut parsed);
    detect(&parsed.text, &mut parsed.entities);
    Ok(parsed)
}

/// Reads the HTML of a rich message.
///
/// # Errors
/// Markup that does not parse.
pub(crate) fn rich_html(source: &str) -> Result<Formatted, Refusal> {
    let mut parsed = html::parse(source, true)
        .map_err(|reason| Refusal::bad(format!("can't parse entities: {reason}")))?;
    settle(&mut parsed);
    detect(&parsed.text, &mut parsed.entities);
    Ok(parsed)
}

fn check_bounds(text: &str, entities: &[Entity]) -> Result<(), Refusal> {
    if entities.is_empty() {
        return Ok(());
    }
    let mut boundaries = vec![true];
    for c in text.chars() {
        if c.len_utf16() == 2 {
            boundaries.push(false);
        }
        boundaries.push(true);
    }
    for entity in entities {
        let (start, end) = (entity.offset, entity.end());
        match (boundaries.get(start), boundaries.get(end)) {
            (Some(true), Some(true)) => {}
            (Some(_), Some(_)) => {
                return Err(Refusal::bad(format!(
                    "entity beginning at UTF-16 offset {start} starts or ends in a middle of a UTF-16 symbol"
                )));
            }
            (_, _) => {
                return Err(Refusal::bad(format!(
                    "entity beginning at UTF-16 offset {start} ends after the end of the text at UTF-16 offset {end}"
                )));
            }
        }
    }
    Ok(())
}

/// Trims white space at both ends, fits the entities to what is left, and puts them in order.
fn settle(formatted: &mut Formatted) {
    let trimmed = formatted.text.trim();
    if trimmed.len() != formatted.text.len() {
        let lead = formatted.text.len() - formatted.text.trim_start().len();
        let lead = units(formatted.text.get(..lead).unwrap_or_default());
        let length = units(trimmed);
        for entity in &mut formatted.entities {
            let end = entity.end().saturating_sub(lead).min(length);
            entity.offset = entity.offset.saturating_sub(lead).min(length);
            entity.length = end.saturating_sub(entity.offset);
        }
        formatted.text = trimmed.to_owned();
    }
    formatted.entities.retain(|entity| entity.length > 0);
    formatted.entities.sort_by(|a, b| (a.offset, b.length).cmp(&(b.offset, a.length)));
    merge_code(&mut formatted.entities);
}

/// `pre` around `code` is one `pre` with the code's language; nothing else lives inside code.
fn merge_code(entities: &mut Vec<Entity>) {
    let is_code = |entity: &Entity| matches!(entity.kind.as_ref(), "pre" | "code");
    let mut kept: Vec<Entity> = Vec::with_capacity(entities.len());
    for entity in entities.drain(..) {
        let Some(outer) =
            kept.iter_mut().rev().find(|outer| is_code(outer) && outer.end() >= entity.end())
        else {
            let nested_quote = entity.kind.ends_with("blockquote")
                && kept.iter().any(|k| k.kind.ends_with("blockquote") && k.end() >= entity.end());
            if !nested_quote {
                kept.push(entity);
            }
            continue;
        };
        let same = outer.offset == entity.offset && outer.length == entity.length;
        if same && is_code(&entity) {
            outer.kind = Cow::Borrowed("pre");
            outer.language = outer.language.take().or(entity.language);
        }
    }
    // A language belongs to `pre` only.
    for entity in &mut kept {
        if entity.kind == "code" {
            entity.language = None;
        }
    }
    *entities = kept;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_entities_follow() {
        let parsed = parse("  <b>hi</b> there \n", Some("HTML"), None).unwrap();
        assert_eq!(parsed.text, "hi there");
        assert_eq!(parsed.entities, [Entity::new("bold", 0, 2)]);
    }

    #[test]
    fn entities_of_the_bot_must_lie_inside_the_text_and_not_split_a_pair() {
        let beyond = parse("hi", None, Some(vec![Entity::new("bold", 1, 5)])).unwrap_err();
        assert_eq!(
            beyond.description,
            "Bad Request: entity beginning at UTF-16 offset 1 ends after the end of the text at UTF-16 offset 6"
        );
        assert!(parse("😀", None, Some(vec![Entity::new("bold", 0, 1)])).is_err());
        assert!(parse("😀", None, Some(vec![Entity::new("bold", 0, 2)])).is_ok());
    }

    #[test]
    fn an_unknown_parse_mode_is_refused() {
        let refusal = parse("hi", Some("BBCode"), None).unwrap_err();
        assert_eq!(refusal.description, "Bad Request: unsupported parse_mode");
    }
}
