//! Telegram's HTML: a small set of tags, and refusals that name the place in bytes.

use super::{Entity, Formatted, units};

const TAGS: [&str; 17] = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "strike",
    "del",
    "u",
    "ins",
    "tg-spoiler",
    "tg-emoji",
    "span",
    "pre",
    "code",
    "blockquote",
    "tg-time",
];

struct Open {
    tag: String,
    argument: String,
    offset: usize,
    byte: usize,
}

/// Tags that only rich messages know: (name, whether it begins a new line).
const RICH_TAGS: [(&str, bool); 27] = [
    ("p", true),
    ("h1", true),
    ("h2", true),
    ("h3", true),
    ("h4", true),
    ("h5", true),
    ("h6", true),
    ("ul", true),
    ("ol", true),
    ("li", true),
    ("table", true),
    ("caption", true),
    ("tr", true),
    ("th", false),
    ("td", false),
    ("details", true),
    ("summary", true),
    ("footer", true),
    ("figure", true),
    ("figcaption", true),
    ("aside", true),
    ("hr", true),
    ("br", true),
    ("sub", false),
    ("sup", false),
    ("mark", false),
    ("tg-thinking", true),
];

struct Parser<'a> {
    source: &'a str,
    /// Whether the tags of rich messages pass; they leave no entity, only a new line.
    rich: bool,
    at: usize,
    text: String,
    offset: usize,
    open: Vec<Open>,
    entities: Vec<Entity>,
}

/// Parses `source`, or says why it cannot in Telegram's words.
pub(super) fn parse(source: &str, rich: bool) -> Result<Formatted, String> {
    let mut parser = Parser {
        source,
        rich,
        at: 0,
        text: String::with_capacity(source.len()),
        offset: 0,
        open: Vec::new(),
        entities: Vec::new(),
    };
    while let Some(c) = parser.peek() {
        match c {
            '<' if parser.source.as_bytes().get(parser.at + 1) == Some(&b'/') => {
                parser.end_tag()?;
            }
            '<' => parser.start_tag()?,
            '&' => parser.reference(),
            _ => {
                parser.at += c.len_utf8();
                parser.emit(c);
            }
        }
    }
    if let Some(open) = parser.open.last() {
        return Err(format!("Can't find end tag corresponding to start tag \"{}\"", open.tag));
    }
    Ok(Formatted { text: parser.text, entities: parser.entities })
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.source.get(self.at..)?.chars().next()
    }

    fn emit(&mut self, c: char) {
        self.offset += c.len_utf16();
        self.text.push(c);
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &str {
        let start = self.at;
        while let Some(c) = self.peek().filter(|c| accept(*c)) {
            self.at += c.len_utf8();
        }
        self.source.get(start..self.at).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn reference(&mut self) {
        match decode_reference(self.source.get(self.at..).unwrap_or_default()) {
            Some((c, length)) => {
                self.at += length;
                self.emit(c);
            }
            None => {
                self.at += 1;
                self.emit('&');
            }
        }
    }

    /// Whether this is a tag of rich messages only; begins a new line where it must.
    fn rich_tag(&mut self, tag: &str) -> bool {
        let Some((_, new_line)) = RICH_TAGS.iter().find(|(name, _)| self.rich && *name == tag)
        else {
            return false;
        };
        if *new_line && !self.text.is_empty() && !self.text.ends_with('\n') {
            self.emit('\n');
        }
        true
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 1;
        let tag = self.take_while(|c| !c.is_whitespace() && c != '>').to_ascii_lowercase();
        if self.peek().is_none() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        if self.rich_tag(tag.trim_end_matches('/')) {
            self.take_while(|c| c != '>');
            self.at += 1;
            return Ok(());
        }
        if !TAGS.contains(&tag.as_str()) {
            return Err(format!("Unsupported start tag \"{tag}\" at byte offset {begin}"));
        }
        let argument = self.attributes(&tag, begin)?;
        if tag == "span" && argument != "spoiler" {
            return Err(format!(
                "Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"
            ));
        }
        self.open.push(Open { tag, argument, offset: self.offset, byte: self.text.len() });
        Ok(())
    }

    /// Reads attributes up to and with `>`; gives the one that matters to this tag.
    fn attributes(&mut self, tag: &str, begin: usize) -> Result<String, String> {
        let unclosed = || format!("Unclosed start tag \"{tag}\" at byte offset {begin}");
        let mut argument = String::new();
        loop {
            self.skip_space();
            match self.peek() {
                None => return Err(unclosed()),
                Some('>') => {
                    self.at += 1;
                    return Ok(argument);
                }
                Some(_) => {}
            }
            let name = self
                .take_while(|c| !c.is_whitespace() && !matches!(c, '=' | '>' | '/' | '"' | '\''))
                .to_ascii_lowercase();
            if name.is_empty() {
                return Err(format!(
                    "Empty attribute name in the tag \"{tag}\" at byte offset {begin}"
                ));
            }
            self.skip_space();
            if self.peek() != Some('=') {
                if tag == "blockquote" && name == "expandable" {
                    argument = "1".to_owned();
                }
                continue;
            }
            self.at += 1;
            self.skip_space();
            let value = self.attribute_value()?.ok_or_else(unclosed)?;
            argument = match (tag, name.as_str()) {
                ("a", "href") | ("tg-emoji", "emoji-id") => value,
                ("code" | "pre", "class") => {
                    value.strip_prefix("language-").unwrap_or_default().to_owned()
                }
                ("span", "class") => value.strip_prefix("tg-").unwrap_or_default().to_owned(),
                ("blockquote", "expandable") => "1".to_owned(),
                _ => argument,
            };
        }
    }

    /// `None` when the text ends inside the value.
    fn attribute_value(&mut self) -> Result<Option<String>, String> {
        let Some(quote) = self.peek() else { return Ok(None) };
        if quote != '"' && quote != '\'' {
            let begin = self.at;
            let value = self
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
                .to_ascii_lowercase();
            return match self.peek() {
                Some(c) if c.is_whitespace() || c == '>' => Ok(Some(value)),
                _ => Err(format!("Unexpected end of name token at byte offset {begin}")),
            };
        }
        self.at += 1;
        let mut value = String::new();
        while let Some(c) = self.peek() {
            if c == quote {
                self.at += 1;
                return Ok(Some(value));
            }
            match decode_reference(self.source.get(self.at..).unwrap_or_default()) {
                Some((decoded, length)) => {
                    value.push(decoded);
                    self.at += length;
                }
                None => {
                    value.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        Ok(None)
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 2;
        let name = self.take_while(|c| !c.is_whitespace() && c != '>').to_ascii_lowercase();
        self.skip_space();
        let is_closed = self.peek() == Some('>');
        self.at += 1;
        if is_closed && self.rich_tag(&name) {
            return Ok(());
        }
        let Some(open) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        if !is_closed {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        if !name.is_empty() && name != open.tag {
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{}>\", found \"</{name}>\"",
                open.tag
            ));
        }
        if self.offset > open.offset {
            self.close(&open);
        }
        Ok(())
    }

    fn close(&mut self, open: &Open) {
        let inner = self.text.get(open.byte..).unwrap_or_default();
        let mut entity = Entity::new("", open.offset, units(inner));
        entity.kind = match open.tag.as_str() {
            "b" | "strong" => "bold",
            "i" | "em" => "italic",
            "u" | "ins" => "underline",
            "s" | "strike" | "del" => "strikethrough",
            "tg-spoiler" | "span" => "spoiler",
            "blockquote" if open.argument.is_empty() => "blockquote",
            "blockquote" => "expandable_blockquote",
            "tg-emoji" => {
                entity.custom_emoji_id = Some(open.argument.clone());
                "custom_emoji"
            }
            "a" => {
                let url = if open.argument.is_empty() { inner } else { &open.argument };
                let Some(url) = link(url) else { return };
                entity.url = Some(url);
                "text_link"
            }
            "pre" | "code" => {
                entity.language = Some(open.argument.clone()).filter(|name| !name.is_empty());
                if open.tag == "pre" { "pre" } else { "code" }
            }
            _ => return,
        }
        .into();
        self.entities.push(entity);
    }
}

/// A target that Telegram keeps: http, https, tg, mailto or ton; a bare host gets `http://`.
pub(super) fn link(url: &str) -> Option<String> {
    let url = url.trim();
    match url.split_once(':') {
        Some(("http" | "https" | "tg" | "mailto" | "ton" | "tel", rest)) if !rest.is_empty() => {
            Some(url.to_owned())
        }
        Some((_, rest)) if rest.starts_with("//") => None,
        _ if url.contains('.') && !url.contains(char::is_whitespace) => {
            Some(format!("http://{url}"))
        }
        _ => None,
    }
}

/// Decodes the reference at the start of `source`: the character and how many bytes it took.
fn decode_reference(source: &str) -> Option<(char, usize)> {
    let rest = source.strip_prefix('&')?;
    let (c, length) = if let Some(number) = rest.strip_prefix('#') {
        let (digits, radix, prefix) = match number.strip_prefix(['x', 'X']) {
            Some(hex) => (hex, 16, 2),
            None => (number, 10, 1),
        };
        let count = digits.bytes().take_while(|b| char::from(*b).is_digit(radix)).count();
        let code = u32::from_str_radix(digits.get(..count)?, radix).ok()?;
        (char::from_u32(code).filter(|c| *c != '\0')?, prefix + count)
    } else {
        let count = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let c = match rest.get(..count)? {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            _ => return None,
        };
        (c, count)
    };
    let semicolon = usize::from(rest.as_bytes().get(length) == Some(&b';'));
    Some((c, 1 + length + semicolon))
}

#[cfg(test)]
mod tests {
    use crate::text::parse as parse_text;

    fn refused(source: &str) -> String {
        let refusal = parse_text(source, Some("HTML"), None).unwrap_err();
        let prefix = "Bad Request: can't parse entities: ";
        refusal.description.strip_prefix(prefix).unwrap().to_owned()
    }

    fn entities(source: &str) -> String {
        let parsed = parse_text(source, Some("HTML"), None).unwrap();
        let list: Vec<_> = parsed
            .entities
            .iter()
            .map(|e| {
                let extra = e.url.as_ref().or(e.language.as_ref());
                let extra = extra.map(|extra| format!("={extra}")).unwrap_or_default();
                format!("{}@{}+{}{extra}", e.kind, e.offset, e.length)
            })
            .collect();
        format!("{} | {}", parsed.text, list.join(" "))
    }

    #[test]
    fn every_tag_becomes_its_entity() {
        assert_eq!(entities("<b>x</b><strong>y</strong>"), "xy | bold@0+1 bold@1+1");
        assert_eq!(entities("<i>x</i><em>y</em>"), "xy | italic@0+1 italic@1+1");
        assert_eq!(entities("<u>x</u><ins>y</ins>"), "xy | underline@0+1 underline@1+1");
        assert_eq!(
            entities("<s>x</s><strike>y</strike><del>z</del>"),
            "xyz | strikethrough@0+1 strikethrough@1+1 strikethrough@2+1"
        );
        assert_eq!(
            entities("<tg-spoiler>x</tg-spoiler><span class=\"tg-spoiler\">y</span>"),
            "xy | spoiler@0+1 spoiler@1+1"
        );
        assert_eq!(
            entities("<blockquote>x</blockquote><blockquote expandable>y</blockquote>"),
            "xy | blockquote@0+1 expandable_blockquote@1+1"
        );
        assert_eq!(
            entities("<a href=\"https://a.b/?c=1&amp;d=2\">x</a>"),
            "x | text_link@0+1=https://a.b/?c=1&d=2"
        );
    }

    #[test]
    fn pre_around_code_is_one_pre_with_a_language() {
        let source = "<pre><code class=\"language-rust\">let x;</code></pre>";
        assert_eq!(entities(source), "let x; | pre@0+6=rust");
    }

    #[test]
    fn nesting_keeps_outer_before_inner_and_code_keeps_nothing() {
        assert_eq!(entities("<b>a<i>b</i></b>"), "ab | bold@0+2 italic@1+1");
        assert_eq!(entities("<code>a<b>b</b></code>"), "ab | code@0+2");
    }

    #[test]
    fn offsets_count_utf16_units() {
        assert_eq!(entities("😀<b>é😀</b>"), "😀é😀 | bold@2+3");
    }

    #[test]
    fn references_decode_and_unknown_ones_stay() {
        assert_eq!(entities("&lt;&gt;&amp;&quot;&#33;&#x41;&nbsp;& x"), "<>&\"!A&nbsp;& x | ");
    }

    #[test]
    fn tags_of_rich_messages_pass_only_there() {
        let source = "<h1>Hi</h1><p>a <b>b</b></p><ul><li>c<br/>d<br />e</li></ul>";
        assert_eq!(super::parse(source, true).unwrap().text, "Hi\na b\nc\nd\ne\n");
        assert_eq!(refused(source), "Unsupported start tag \"h1\" at byte offset 0");
    }

    #[test]
    fn refusals_use_telegrams_words() {
        assert_eq!(refused("<b>x"), "Can't find end tag corresponding to start tag \"b\"");
        assert_eq!(refused("ab<x>"), "Unsupported start tag \"x\" at byte offset 2");
        assert_eq!(refused("a</b>"), "Unexpected end tag at byte offset 1");
        assert_eq!(refused("<b"), "Unclosed start tag at byte offset 0");
        assert_eq!(refused("<a href=\"x"), "Unclosed start tag \"a\" at byte offset 0");
        assert_eq!(refused("<b>x</b"), "Unclosed end tag at byte offset 4");
        assert_eq!(
            refused("<b>x</i>"),
            "Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\""
        );
        assert_eq!(
            refused("<span>x</span>"),
            "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"
        );
        assert_eq!(refused("1 < 2"), "Unsupported start tag \"\" at byte offset 2");
    }
}
