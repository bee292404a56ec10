//! The Markdown of rich messages (CommonMark with tables and strikethrough), shown as text with entities.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::{Entity, Formatted, html, units};

#[derive(Default)]
struct Writer {
    text: String,
    offset: usize,
    open: Vec<Entity>,
    entities: Vec<Entity>,
    /// One entry for each list that is open: the next number, or none for bullets.
    lists: Vec<Option<u64>>,
}

/// Never fails: whatever is not markup is text.
pub(crate) fn rich_markdown(source: &str, finds_entities: bool) -> Formatted {
    let options = Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH;
    let mut writer = Writer::default();
    for event in Parser::new_ext(source, options) {
        match event {
            Event::Start(tag) => writer.start(tag),
            Event::End(tag) => writer.end(tag),
            Event::Text(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::InlineHtml(text)
            | Event::Html(text)
            | Event::FootnoteReference(text) => writer.write(&text),
            Event::Code(code) => {
                writer.open.push(Entity::new("code", writer.offset, 0));
                writer.write(&code);
                writer.close();
            }
            Event::SoftBreak | Event::HardBreak => writer.write("\n"),
            Event::Rule => writer.block("———"),
            Event::TaskListMarker(done) => writer.write(if done { "☑ " } else { "☐ " }),
        }
    }
    let mut formatted = Formatted { text: writer.text, entities: writer.entities };
    super::settle(&mut formatted);
    if finds_entities {
        super::detect(&formatted.text, &mut formatted.entities);
    }
    formatted
}

impl Writer {
    fn write(&mut self, piece: &str) {
        self.offset += units(piece);
        self.text.push_str(piece);
    }

    fn block(&mut self, piece: &str) {
        self.gap("\n\n");
        self.write(piece);
    }

    /// Ends the text with this much white space, unless it is empty.
    fn gap(&mut self, gap: &str) {
        while !self.text.is_empty() && !self.text.ends_with(gap) {
            self.write("\n");
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named needs no mark")]
    fn start(&mut self, tag: Tag<'_>) {
        let mut entity = Entity::new("", 0, 0);
        match tag {
            Tag::Paragraph | Tag::Table(_) if self.lists.is_empty() => return self.gap("\n\n"),
            Tag::Heading { .. } => {
                self.gap("\n\n");
                entity.kind = "bold".into();
            }
            Tag::BlockQuote(_) => {
                self.gap("\n\n");
                entity.kind = "blockquote".into();
            }
            Tag::CodeBlock(kind) => {
                self.gap("\n\n");
                entity.kind = "pre".into();
                if let CodeBlockKind::Fenced(language) = kind {
                    entity.language = Some(language.to_string()).filter(|name| !name.is_empty());
                }
            }
            Tag::List(first) => {
                self.gap(if self.lists.is_empty() { "\n\n" } else { "\n" });
                return self.lists.push(first);
            }
            Tag::Item => return self.item(),
            Tag::TableRow | Tag::TableHead => return self.gap("\n"),
            Tag::Emphasis => entity.kind = "italic".into(),
            Tag::Strong => entity.kind = "bold".into(),
            Tag::Strikethrough => entity.kind = "strikethrough".into(),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                entity.kind = "text_link".into();
                entity.url = html::link(&dest_url);
            }
            _ => return,
        }
        entity.offset = self.offset;
        self.open.push(entity);
    }

    fn item(&mut self) {
        self.gap("\n");
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{indent}{}. ", *number - 1)
            }
            Some(None) | None => format!("{indent}• "),
        };
        self.write(&mark);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named needs no mark")]
    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::TableCell => self.write("  "),
            TagEnd::Heading(_)
            | TagEnd::BlockQuote(_)
            | TagEnd::CodeBlock
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image => self.close(),
            _ => {}
        }
    }

    fn close(&mut self) {
        let Some(mut entity) = self.open.pop() else { return };
        entity.length = self.offset - entity.offset;
        if entity.kind != "text_link" || entity.url.is_some() {
            self.entities.push(entity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_lines_and_marks_become_entities() {
        let rich = rich_markdown("# Hi\n\n- a\n- **b**\n\n```rust\nlet x;\n```", true);
        assert_eq!(rich.text, "Hi\n\n• a\n• b\n\nlet x;");
        let kinds: Vec<_> = rich.entities.iter().map(|entity| entity.kind.as_ref()).collect();
        assert_eq!(kinds, ["bold", "bold", "pre"]);
    }
}
