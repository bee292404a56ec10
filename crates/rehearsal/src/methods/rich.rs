//! Rich messages: Markdown or HTML in, text and entities for the page and paragraphs for the bot out.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::text::{self, Blocks, Formatted, units};

/// Characters of a rich message.
const RICH_UNITS_MAX: usize = 32_768;
/// Blocks of a rich message, how deep they stand in one another, pictures and the like, columns of a table.
const BLOCKS_MAX: usize = 500;
const LEVELS_MAX: usize = 16;
const MEDIA_MAX: usize = 50;
const COLUMNS_MAX: usize = 20;

/// The fields of `InputRichMessage` that matter here.
#[derive(Debug, Default, Deserialize)]
pub(super) struct InputRich {
    markdown: Option<String>,
    html: Option<String>,
    blocks: Option<Vec<Value>>,
    #[serde(default)]
    skip_entity_detection: bool,
}

impl InputRich {
    /// The Markdown, as it was given.
    pub(super) fn markdown(&self) -> Option<&str> {
        self.markdown.as_deref()
    }
}

/// Checks a rich message; gives what people see and the `RichMessage` that the bot gets back.
///
/// # Errors
/// None or more than one of the three forms, nothing in it, or too much.
pub(super) fn read(input: &InputRich) -> Result<(Formatted, Value), Refusal> {
    let (body, blocks) = match (&input.markdown, &input.html, &input.blocks) {
        (Some(markdown), None, None) => {
            let body = text::rich_markdown(markdown, !input.skip_entity_detection);
            (body, within_limits(text::blocks(markdown))?)
        }
        (None, Some(html), None) => {
            let body = text::rich_html(html)?;
            let blocks = paragraphs(&body.text);
            (body, blocks)
        }
        (None, None, Some(blocks)) => {
            let mut text = String::new();
            blocks.iter().for_each(|block| collect(block, &mut text));
            (text::parse(&text, None, None)?, blocks.clone())
        }
        _ => return Err(Refusal::bad("exactly one of blocks, html and markdown must be given")),
    };
    if body.text.is_empty() {
        return Err(Refusal::bad("rich message is empty"));
    }
    if units(&body.text) > RICH_UNITS_MAX {
        return Err(Refusal::bad("rich message is too long"));
    }
    if blocks.len() > BLOCKS_MAX {
        return Err(Refusal::bad("rich message has too many blocks"));
    }
    Ok((body, json!({ "blocks": blocks })))
}

fn within_limits(read: Blocks) -> Result<Vec<Value>, Refusal> {
    if read.count > BLOCKS_MAX {
        return Err(Refusal::bad("rich message has too many blocks"));
    }
    if read.levels > LEVELS_MAX {
        return Err(Refusal::bad("rich message has too many levels"));
    }
    if read.media > MEDIA_MAX {
        return Err(Refusal::bad("rich message has too much media"));
    }
    if read.columns > COLUMNS_MAX {
        return Err(Refusal::bad("table of a rich message has too many columns"));
    }
    Ok(read.blocks)
}

fn paragraphs(text: &str) -> Vec<Value> {
    let pieces = text.split("\n\n").filter(|piece| !piece.trim().is_empty());
    pieces.map(|piece| json!({"type": "paragraph", "text": piece})).collect()
}

/// Gathers the words of a block and of the blocks inside it.
fn collect(block: &Value, text: &mut String) {
    match block {
        Value::Array(items) => items.iter().for_each(|item| collect(item, text)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(words) if name == "text" => {
                        text.push_str(words);
                        text.push('\n');
                    }
                    Value::Array(_) | Value::Object(_) => collect(value, text),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
