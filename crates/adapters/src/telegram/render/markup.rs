//! Writes a stretch of a document as Telegram HTML, well-formed by itself.

use std::ops::Range;

use super::{
    super::split::is_blank,
    builder::{Document, Style},
};

/// One open tag. A style's tags are always opened in the order of these variants.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Quote(usize),
    Pre(usize),
    Code,
    Link(usize),
    Bold,
    Italic,
    Underline,
    Strike,
}

/// The HTML of a part of the text, or `None` if nothing in it is formatted.
pub(super) fn markup(document: &Document, part: Range<usize>) -> Option<String> {
    let first = document.runs.partition_point(|run| run.end <= part.start);
    let mut at = part.start;
    let mut writer = Writer { document, html: String::new(), open: Vec::new() };
    let mut formatted = false;
    let mut shown = false;
    for run in document.runs.get(first..)? {
        if part.end <= at {
            break;
        }
        let end = run.end.min(part.end);
        let text = document.text.get(at..end)?;
        at = end;
        formatted |= run.style != Style::default();
        if !run.style.plain_only {
            shown |= !is_blank(text);
            writer.open_only(&tags(run.style));
            escape(text, &mut writer.html);
        }
    }
    writer.open_only(&[]);
    // A part that is all address is better shown as it is than not at all.
    (formatted && shown).then_some(writer.html)
}

/// The tags of a style. Code holds no other formatting: Telegram would drop it.
fn tags(style: Style) -> Vec<Tag> {
    let mut tags = Vec::new();
    if style.quote != 0 {
        tags.push(Tag::Quote(style.quote));
    }
    if style.pre != 0 {
        tags.push(Tag::Pre(style.pre));
        return tags;
    }
    if style.code {
        tags.push(Tag::Code);
        return tags;
    }
    if style.link != 0 {
        tags.push(Tag::Link(style.link));
    }
    let plain = [
        (style.bold, Tag::Bold),
        (style.italic, Tag::Italic),
        (style.underline, Tag::Underline),
        (style.strike, Tag::Strike),
    ];
    tags.extend(plain.into_iter().filter(|(on, _)| *on).map(|(_, tag)| tag));
    tags
}

struct Writer<'d> {
    document: &'d Document,
    html: String,
    open: Vec<Tag>,
}

impl Writer<'_> {
    /// Closes and opens tags until exactly `wanted` are open.
    fn open_only(&mut self, wanted: &[Tag]) {
        let kept = self.open.iter().zip(wanted).take_while(|(open, wanted)| open == wanted).count();
        for tag in self.open.split_off(kept).into_iter().rev() {
            self.close(tag);
        }
        for tag in wanted.iter().skip(kept) {
            self.open(*tag);
            self.open.push(*tag);
        }
    }

    fn open(&mut self, tag: Tag) {
        match tag {
            Tag::Quote(_) => self.html.push_str("<blockquote>"),
            Tag::Pre(number) => match self.language(number) {
                "" => self.html.push_str("<pre>"),
                language => {
                    let language = language.to_owned();
                    self.html.push_str("<pre><code class=\"language-");
                    escape(&language, &mut self.html);
                    self.html.push_str("\">");
                }
            },
            Tag::Code => self.html.push_str("<code>"),
            Tag::Link(number) => {
                let address = number.checked_sub(1).and_then(|at| self.document.links.get(at));
                self.html.push_str("<a href=\"");
                escape(address.map_or("", String::as_str), &mut self.html);
                self.html.push_str("\">");
            }
            Tag::Bold => self.html.push_str("<b>"),
            Tag::Italic => self.html.push_str("<i>"),
            Tag::Underline => self.html.push_str("<u>"),
            Tag::Strike => self.html.push_str("<s>"),
        }
    }

    fn close(&mut self, tag: Tag) {
        self.html.push_str(match tag {
            Tag::Quote(_) => "</blockquote>",
            Tag::Pre(number) if self.language(number).is_empty() => "</pre>",
            Tag::Pre(_) => "</code></pre>",
            Tag::Code => "</code>",
            Tag::Link(_) => "</a>",
            Tag::Bold => "</b>",
            Tag::Italic => "</i>",
            Tag::Underline => "</u>",
            Tag::Strike => "</s>",
        });
    }

    fn language(&self, number: usize) -> &str {
        let language = number.checked_sub(1).and_then(|at| self.document.languages.get(at));
        language.map_or("", String::as_str)
    }
}

fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            _ => html.push(c),
        }
    }
}
