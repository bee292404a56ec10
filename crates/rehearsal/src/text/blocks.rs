//! The Markdown of rich messages as the blocks that Telegram makes of it.

use pulldown_cmark::{
    Alignment, CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeStream,
};
use serde_json::{Map, Value, json};

use super::html;
use crate::json::put;

/// What a rich message is made of, and what of it has limits.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pub(crate) blocks: Vec<Value>,
    /// Blocks, those inside others included.
    pub(crate) count: usize,
    /// How deep they stand in one another.
    pub(crate) levels: usize,
    /// Pictures and the like, which Telegram fetches.
    pub(crate) media: usize,
    /// Columns of the widest table.
    pub(crate) columns: usize,
}

/// What is open: what it becomes, and what stands in it so far.
struct Open {
    kind: &'static str,
    fields: Map<String, Value>,
    /// Blocks, items, rows, cells or pieces of text.
    inside: Vec<Value>,
}

#[derive(Default)]
struct Reader {
    read: Blocks,
    open: Vec<Open>,
    alignments: Vec<Alignment>,
    html: String,
    in_head: bool,
}

/// Never fails: whatever is not markup is text.
pub(crate) fn blocks(markdown: &str) -> Blocks {
    let options = Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH;
    let mut reader = Reader::default();
    for event in TextMergeStream::new(Parser::new_ext(markdown, options)) {
        reader.take(event);
    }
    while !reader.open.is_empty() {
        reader.close();
    }
    reader.read
}

/// Blocks that others may stand in.
const HOLDERS: [&str; 3] = ["item", "blockquote", "details"];

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::InlineHtml(text) | Event::FootnoteReference(text) => {
                self.words(json!(&*text));
            }
            Event::Html(text) => self.html.push_str(&text),
            Event::Code(text) => self.words(json!({"type": "code", "text": &*text})),
            Event::InlineMath(text) => {
                self.words(json!({"type": "mathematical_expression", "expression": &*text}));
            }
            Event::DisplayMath(text) => self.formula(&text),
            Event::SoftBreak | Event::HardBreak => self.words(json!("\n")),
            Event::Rule => self.put(json!({"type": "divider"})),
            Event::TaskListMarker(done) => {
                if let Some(item) = self.open.iter_mut().rev().find(|it| it.kind == "item") {
                    item.fields.insert("has_checkbox".to_owned(), json!(true));
                    item.fields.insert("is_checked".to_owned(), json!(done));
                }
            }
        }
    }

    fn begin(&mut self, kind: &'static str, fields: Value) {
        let fields = fields.as_object().cloned().unwrap_or_default();
        self.open.push(Open { kind, fields, inside: Vec::new() });
        let levels = self.open.iter().filter(|it| HOLDERS.contains(&it.kind) || it.kind == "list");
        self.read.levels = self.read.levels.max(levels.count() + 1);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named is no block")]
    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.begin("paragraph", json!({})),
            Tag::Heading { level, .. } => {
                self.begin("heading", json!({"size": level as usize}));
            }
            Tag::BlockQuote(_) => self.begin("blockquote", json!({})),
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(name) if !name.is_empty() => json!({"language": &*name}),
                    CodeBlockKind::Fenced(_) | CodeBlockKind::Indented => json!({}),
                };
                self.begin("pre", language);
            }
            Tag::List(first) => self.begin("list", json!({"first": first})),
            Tag::Item => {
                let list = self.open.iter().rev().find(|it| it.kind == "list");
                let first = list.and_then(|it| it.fields.get("first")).and_then(Value::as_u64);
                let before = list.map_or(0, |it| it.inside.len() as u64);
                let label = first.map_or("•".to_owned(), |it| format!("{}.", it + before));
                self.begin("item", json!({"label": label}));
            }
            Tag::Table(alignments) => {
                self.read.columns = self.read.columns.max(alignments.len());
                self.alignments = alignments;
                self.begin("table", json!({"is_bordered": true}));
            }
            Tag::TableHead => {
                self.in_head = true;
                self.begin("row", json!({}));
            }
            Tag::TableRow => self.begin("row", json!({})),
            Tag::TableCell => self.begin("cell", json!({})),
            Tag::Emphasis => self.begin("italic", json!({})),
            Tag::Strong => self.begin("bold", json!({})),
            Tag::Strikethrough => self.begin("strikethrough", json!({})),
            Tag::Link { dest_url, .. } => match html::link(&dest_url) {
                Some(url) => self.begin("url", json!({"url": url})),
                None => self.begin("span", json!({})),
            },
            Tag::Image { .. } => {
                self.read.media += 1;
                self.begin("span", json!({}));
            }
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named is no block")]
    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::HtmlBlock => self.fold(),
            TagEnd::TableHead => {
                self.close();
                self.in_head = false;
            }
            TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::BlockQuote(_)
            | TagEnd::CodeBlock
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::Table
            | TagEnd::TableRow
            | TagEnd::TableCell
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image => self.close(),
            _ => {}
        }
    }

    /// A fold begins or ends, or there is other HTML, which is text here.
    fn fold(&mut self) {
        let html = std::mem::take(&mut self.html);
        let html = html.trim();
        if html == "</details>" {
            while self.open.last().is_some_and(|it| it.kind != "details") {
                self.close();
            }
            return self.close();
        }
        let title = html.strip_prefix("<details>").map(str::trim_start);
        let title = title.and_then(|it| it.strip_prefix("<summary>"));
        match title.and_then(|it| it.strip_suffix("</summary>")) {
            Some(title) => {
                let title = super::rich_html(title).map(|it| it.text).unwrap_or_default();
                self.begin("details", json!({"summary": title}));
            }
            None => self.put(json!({"type": "paragraph", "text": html})),
        }
    }

    fn formula(&mut self, text: &str) {
        let formula = json!({"type": "mathematical_expression", "expression": text});
        match self.open.last() {
            // Alone in its paragraph it is a block.
            Some(open) if open.kind == "paragraph" && open.inside.is_empty() => {
                self.open.pop();
                self.put(formula);
                self.begin("paragraph", json!({}));
            }
            Some(_) | None => self.words(formula),
        }
    }

    fn words(&mut self, words: Value) {
        match self.open.last_mut() {
            // The text of a tight list stands in its item.
            Some(open) if HOLDERS.contains(&open.kind) => {
                match open.inside.last_mut().filter(|it| it["loose"] == json!(true)) {
                    Some(Value::Object(fields)) => {
                        if let Some(Value::Array(text)) = fields.get_mut("text") {
                            text.push(words);
                        }
                    }
                    Some(_) | None => {
                        let text = json!({"type": "paragraph", "text": [words], "loose": true});
                        open.inside.push(text);
                    }
                }
            }
            Some(open) => open.inside.push(words),
            None => self.read.blocks.push(json!({"type": "paragraph", "text": words})),
        }
    }

    /// Puts a block where blocks stand.
    fn put(&mut self, block: Value) {
        self.read.count += 1;
        match self.open.last_mut() {
            Some(open) => open.inside.push(block),
            None => self.read.blocks.push(block),
        }
    }

    fn close(&mut self) {
        let Some(Open { kind, mut fields, inside }) = self.open.pop() else { return };
        match kind {
            "paragraph" if inside.is_empty() => {}
            "paragraph" | "heading" | "pre" => {
                fields.insert("text".to_owned(), text_of(inside));
                self.put(typed(kind, fields));
            }
            "list" => {
                fields.remove("first");
                fields.insert("items".to_owned(), Value::Array(inside));
                self.put(typed(kind, fields));
            }
            "blockquote" | "details" => {
                fields.insert("blocks".to_owned(), Value::Array(settled(inside)));
                self.put(typed(kind, fields));
            }
            "item" => {
                fields.insert("blocks".to_owned(), Value::Array(settled(inside)));
                self.put(Value::Object(fields));
            }
            "table" => {
                fields.insert("cells".to_owned(), Value::Array(inside));
                self.put(typed(kind, fields));
            }
            "row" => self.put(Value::Array(inside)),
            "cell" => {
                let at = self.open.last().map_or(0, |it| it.inside.len());
                let align = match self.alignments.get(at) {
                    Some(Alignment::Center) => "center",
                    Some(Alignment::Right) => "right",
                    Some(Alignment::Left | Alignment::None) | None => "left",
                };
                let text = text_of(inside);
                let mut cell = json!({"text": text, "align": align, "valign": "middle"});
                if self.in_head {
                    put(&mut cell, "is_header", true);
                }
                if let Some(row) = self.open.last_mut() {
                    row.inside.push(cell);
                }
            }
            "span" => inside.into_iter().for_each(|it| self.words(it)),
            _ => {
                fields.insert("text".to_owned(), text_of(inside));
                self.words(typed(kind, fields));
            }
        }
    }
}

fn typed(kind: &str, mut fields: Map<String, Value>) -> Value {
    fields.insert("type".to_owned(), json!(kind));
    Value::Object(fields)
}

/// One piece of text as it is, more as a list.
fn text_of(mut pieces: Vec<Value>) -> Value {
    match pieces.len() {
        0 => json!(""),
        1 => pieces.remove(0),
        _ => Value::Array(pieces),
    }
}

fn settled(mut blocks: Vec<Value>) -> Vec<Value> {
    for block in &mut blocks {
        if let Value::Object(fields) = block
            && fields.remove("loose").is_some()
            && let Some(Value::Array(pieces)) = fields.get_mut("text")
        {
            let pieces = std::mem::take(pieces);
            fields.insert("text".to_owned(), text_of(pieces));
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_the_blocks_of_a_rich_message() {
        let read = blocks(
            "# Hi *you*\n\n| a | b |\n|:--|--:|\n| 1 | **2** |\n\n1. one\n   - [x] two\n\n> said\n\n$$x^2$$\n\nwith $y$",
        );
        assert_eq!(
            Value::Array(read.blocks),
            json!([
                {"type": "heading", "size": 1, "text": ["Hi ", {"type": "italic", "text": "you"}]},
                {"type": "table", "is_bordered": true, "cells": [
                    [
                        {"text": "a", "align": "left", "valign": "middle", "is_header": true},
                        {"text": "b", "align": "right", "valign": "middle", "is_header": true},
                    ],
                    [
                        {"text": "1", "align": "left", "valign": "middle"},
                        {"text": {"type": "bold", "text": "2"}, "align": "right", "valign": "middle"},
                    ],
                ]},
                {"type": "list", "items": [{"label": "1.", "blocks": [
                    {"type": "paragraph", "text": "one"},
                    {"type": "list", "items": [{
                        "label": "•", "has_checkbox": true, "is_checked": true,
                        "blocks": [{"type": "paragraph", "text": "two"}],
                    }]},
                ]}]},
                {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "said"}]},
                {"type": "mathematical_expression", "expression": "x^2"},
                {"type": "paragraph", "text": [
                    "with ", {"type": "mathematical_expression", "expression": "y"},
                ]},
            ])
        );
        assert_eq!((read.columns, read.media, read.levels), (2, 0, 5));
    }

    #[test]
    fn a_fold_holds_blocks_and_a_picture_counts_as_media() {
        let read = blocks(
            "<details>\n<summary>A &lt; b</summary>\n\ninside\n\n</details>\n\n![a](http://e.org)",
        );
        let fold = json!({"type": "details", "summary": "A < b", "blocks": [
            {"type": "paragraph", "text": "inside"},
        ]});
        assert_eq!(read.blocks.first(), Some(&fold));
        assert_eq!(read.media, 1);
    }
}
