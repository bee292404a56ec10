//! Telegram's two Markdown modes: V2, strict about escapes, and the old one.

use super::{Entity, Formatted, html, units};

const RESERVED: &str = "_*[]()~`>#+-=|{}.!";

struct Open {
    /// The mark that ends it.
    mark: &'static str,
    kind: &'static str,
    offset: usize,
    byte: usize,
    at: usize,
}

#[derive(Default)]
struct Parser {
    text: String,
    offset: usize,
    open: Vec<Open>,
    entities: Vec<Entity>,
    /// Where a block quotation began, in units.
    quote: Option<usize>,
    /// The byte of the text behind the last `>` of a quotation, where its line goes on.
    quote_line: Option<usize>,
}

/// Parses MarkdownV2, or says why it cannot.
pub(super) fn parse_v2(source: &str) -> Result<Formatted, String> {
    let mut parser = Parser::default();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        at += parser.step_v2(rest, at)?;
    }
    parser.end_quote();
    parser.finish()
}

/// Parses the old Markdown: no nesting, and `\` escapes only marks.
pub(super) fn parse_legacy(source: &str) -> Result<Formatted, String> {
    let mut parser = Parser::default();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let mut chars = rest.chars();
        let c = chars.next().unwrap_or_default();
        at += match (c, chars.next()) {
            ('\\', Some(next @ ('_' | '*' | '`' | '['))) => parser.emit(next) + 1,
            ('*' | '_' | '`', _) => {
                let (mark, kind) = match c {
                    '*' => ("*", "bold"),
                    '_' => ("_", "italic"),
                    _ if rest.starts_with("```") => ("```", "pre"),
                    _ => ("`", "code"),
                };
                parser.flat(rest, at, mark, kind)?
            }
            ('[', _) => parser.flat_link(rest, at)?,
            _ => parser.emit(c),
        };
    }
    parser.finish()
}

impl Parser {
    fn emit(&mut self, c: char) -> usize {
        self.offset += c.len_utf16();
        self.text.push(c);
        c.len_utf8()
    }

    fn emit_all(&mut self, piece: &str) {
        self.offset += units(piece);
        self.text.push_str(piece);
    }

    fn finish(self) -> Result<Formatted, String> {
        match self.open.last() {
            Some(open) => Err(format!(
                "Can't find end of {} entity at byte offset {}",
                spoken(open.kind),
                open.at
            )),
            None => Ok(Formatted { text: self.text, entities: self.entities }),
        }
    }

    /// An entity of the old mode: from this mark to the next one, nothing inside.
    fn flat(
        &mut self,
        rest: &str,
        at: usize,
        mark: &str,
        kind: &'static str,
    ) -> Result<usize, String> {
        let body = rest.get(mark.len()..).unwrap_or_default();
        let end = body
            .find(mark)
            .ok_or_else(|| format!("Can't find end of the entity starting at byte offset {at}"))?;
        let inner = body.get(..end).unwrap_or_default();
        self.code(inner, kind);
        Ok(end + 2 * mark.len())
    }

    fn flat_link(&mut self, rest: &str, at: usize) -> Result<usize, String> {
        let body = rest.get(1..).unwrap_or_default();
        let end = body
            .find(']')
            .ok_or_else(|| format!("Can't find end of the entity starting at byte offset {at}"))?;
        let start = self.offset;
        let label = body.get(..end).unwrap_or_default();
        let after = body.get(end + 1..).unwrap_or_default();
        let target = after.strip_prefix('(').and_then(|url| url.split_once(')'));
        self.emit_all(label);
        let Some((url, _)) = target else { return Ok(end + 2) };
        self.link(start, url);
        Ok(end + 2 + url.len() + 2)
    }

    fn link(&mut self, start: usize, url: &str) {
        if let Some(url) = html::link(url) {
            let mut entity = Entity::new("text_link", start, self.offset - start);
            entity.url = Some(url);
            self.entities.push(entity);
        }
    }

    /// Emits code; the first line of a `pre` may name its language.
    fn code(&mut self, inner: &str, kind: &'static str) {
        let start = self.offset;
        let mut language = None;
        let mut body = inner;
        if kind == "pre"
            && let Some((first, rest)) = inner.split_once('\n')
        {
            let is_name = !first.is_empty() && !first.contains(char::is_whitespace);
            language = is_name.then(|| first.to_owned());
            body = if is_name || first.is_empty() { rest } else { inner };
        }
        self.emit_all(body);
        let mut entity = Entity::new(kind, start, self.offset - start);
        entity.language = language;
        self.entities.push(entity);
    }

    /// Takes one piece of V2 and says how many bytes it was.
    fn step_v2(&mut self, rest: &str, at: usize) -> Result<usize, String> {
        let c = rest.chars().next().unwrap_or_default();
        let line_start = (self.text.is_empty() || self.text.ends_with('\n'))
            && self.quote_line != Some(self.text.len());
        if line_start && c != '>' {
            self.end_quote();
        }
        match c {
            '\\' => match rest.chars().nth(1).filter(|next| next.is_ascii() && *next > ' ') {
                Some(next) => Ok(1 + self.emit(next)),
                None => Ok(self.emit('\\')),
            },
            '>' if line_start => {
                self.quote.get_or_insert(self.offset);
                self.quote_line = Some(self.text.len());
                Ok(1)
            }
            '`' => self.code_v2(rest, at),
            '[' => {
                self.start("]", "text_link", at);
                Ok(1)
            }
            '!' if rest.starts_with("![") => {
                self.start("]", "text_link", at);
                Ok(2)
            }
            ']' if self.open.last().is_some_and(|open| open.mark == "]") => self.end_link(rest, at),
            '*' | '_' | '~' | '|' => self.toggle(rest, at),
            c if RESERVED.contains(c) => Err(format!(
                "Character '{c}' is reserved and must be escaped with the preceding '\\'"
            )),
            _ => Ok(self.emit(c)),
        }
    }

    fn start(&mut self, mark: &'static str, kind: &'static str, at: usize) {
        self.open.push(Open { mark, kind, offset: self.offset, byte: self.text.len(), at });
    }

    fn toggle(&mut self, rest: &str, at: usize) -> Result<usize, String> {
        let (mark, kind) = match rest.as_bytes() {
            [b'_', b'_', ..] => ("__", "underline"),
            [b'_', ..] => ("_", "italic"),
            [b'*', ..] => ("*", "bold"),
            [b'~', ..] => ("~", "strikethrough"),
            // The mark of an expandable quotation's end.
            [b'|', b'|', ..] if self.ends_expandable(rest) => {
                self.end_expandable();
                return Ok(2);
            }
            [b'|', b'|', ..] => ("||", "spoiler"),
            _ => {
                return Err(
                    "Character '|' is reserved and must be escaped with the preceding '\\'"
                        .to_owned(),
                );
            }
        };
        if let Some(open) = self.open.pop_if(|open| open.mark == mark) {
            if self.text.len() > open.byte {
                self.entities.push(Entity::new(kind, open.offset, self.offset - open.offset));
            }
        } else {
            self.start(mark, kind, at);
        }
        Ok(mark.len())
    }

    fn code_v2(&mut self, rest: &str, at: usize) -> Result<usize, String> {
        let (mark, kind) = if rest.starts_with("```") { ("```", "pre") } else { ("`", "code") };
        let mut inner = String::new();
        let mut used = mark.len();
        while let Some(body) = rest.get(used..).filter(|body| !body.is_empty()) {
            if body.starts_with(mark) {
                self.code(&inner, kind);
                return Ok(used + mark.len());
            }
            let mut chars = body.chars();
            let mut c = chars.next().unwrap_or_default();
            used += c.len_utf8();
            if c == '\\'
                && let Some(next @ ('`' | '\\')) = chars.next()
            {
                c = next;
                used += 1;
            }
            inner.push(c);
        }
        Err(format!("Can't find end of {} entity at byte offset {at}", spoken(kind)))
    }

    fn end_link(&mut self, rest: &str, at: usize) -> Result<usize, String> {
        let Some(open) = self.open.pop() else { return Ok(1) };
        let Some(target) = rest.strip_prefix("](") else { return Ok(1) };
        let mut url = String::new();
        let mut used = 2;
        let mut chars = target.chars();
        while let Some(mut c) = chars.next() {
            used += c.len_utf8();
            if c == ')' {
                self.link(open.offset, &url);
                return Ok(used);
            }
            if c == '\\'
                && let Some(next) = chars.next()
            {
                used += next.len_utf8();
                c = next;
            }
            url.push(c);
        }
        Err(format!("Can't find end of a URL at byte offset {at}"))
    }

    fn ends_expandable(&self, rest: &str) -> bool {
        let at_line_end = matches!(rest.as_bytes().get(2), None | Some(b'\n'));
        self.quote.is_some() && at_line_end && !self.open.iter().any(|open| open.mark == "||")
    }

    fn end_expandable(&mut self) {
        if let Some(start) = self.quote.take() {
            self.entities.push(Entity::new("expandable_blockquote", start, self.offset - start));
        }
    }

    fn end_quote(&mut self) {
        if let Some(start) = self.quote.take() {
            let trailing = usize::from(self.text.ends_with('\n'));
            let length = self.offset.saturating_sub(start + trailing);
            self.entities.push(Entity::new("blockquote", start, length));
        }
    }
}

fn spoken(kind: &str) -> &'static str {
    match kind {
        "bold" => "Bold",
        "italic" => "Italic",
        "underline" => "Underline",
        "strikethrough" => "Strikethrough",
        "spoiler" => "Spoiler",
        "code" => "Code",
        "pre" => "Pre",
        _ => "TextUrl",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(parsed: Formatted) -> String {
        let list = parsed.entities.iter().map(|e| format!("{}@{}+{}", e.kind, e.offset, e.length));
        format!("{} | {}", parsed.text, list.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn v2_marks_become_entities() {
        let source = "*b _i_* __u__ ~s~ ||h|| `c\\`` [x](https://a.b)";
        assert_eq!(
            shown(parse_v2(source).unwrap()),
            "b i u s h c` x | italic@2+1 bold@0+3 underline@4+1 strikethrough@6+1 spoiler@8+1 code@10+2 text_link@13+1"
        );
        assert_eq!(shown(parse_v2("```rust\nlet x;\n```").unwrap()), "let x;\n | pre@0+7");
        assert_eq!(shown(parse_v2(">a\n>b\nc").unwrap()), "a\nb\nc | blockquote@0+3");
        assert_eq!(shown(parse_v2("1\\.5 \\*").unwrap()), "1.5 * | ");
    }

    #[test]
    fn v2_refuses_reserved_characters_and_open_ends() {
        assert_eq!(
            parse_v2("1.5").unwrap_err(),
            "Character '.' is reserved and must be escaped with the preceding '\\'"
        );
        assert_eq!(parse_v2("a *b").unwrap_err(), "Can't find end of Bold entity at byte offset 2");
        assert_eq!(parse_v2("`b").unwrap_err(), "Can't find end of Code entity at byte offset 0");
    }

    #[test]
    fn the_old_mode_does_not_nest() {
        assert_eq!(
            shown(parse_legacy("*b* _i_ `c` [x](https://a.b) 1.5!").unwrap()),
            "b i c x 1.5! | bold@0+1 italic@2+1 code@4+1 text_link@6+1"
        );
        assert_eq!(
            parse_legacy("snake_case").unwrap_err(),
            "Can't find end of the entity starting at byte offset 5"
        );
    }
}
