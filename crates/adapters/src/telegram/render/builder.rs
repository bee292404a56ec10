//! Reads Markdown into one plain text with styled stretches.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::{super::split::is_blank, table::Table};

/// Lists inside lists that are still indented and marked. Deeper items follow one another.
const LIST_DEPTH_MAX: usize = 8;
const BULLET: &str = "• ";
/// The longest link, in bytes. Longer ones are shown as text.
const LINK_BYTES_MAX: usize = 2_048;
/// The longest name of a code block's language, in bytes.
const LANGUAGE_BYTES_MAX: usize = 32;

/// A text with styled stretches.
#[derive(Default)]
pub(super) struct Document {
    pub(super) text: String,
    /// Cover the text, in order and without gaps.
    pub(super) runs: Vec<Run>,
    /// Where a block at the outermost level ends, in rising order.
    pub(super) blocks: Vec<usize>,
    /// What links lead to, by `Style::link` less one.
    pub(super) links: Vec<String>,
    /// The languages of code blocks, by `Style::pre` less one.
    pub(super) languages: Vec<String>,
}

/// A stretch of one style, up to `end` from the end of the one before.
pub(super) struct Run {
    pub(super) end: usize,
    pub(super) style: Style,
}

/// How a stretch looks. Numbers tell neighbours of the same kind apart; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) underline: bool,
    pub(super) strike: bool,
    pub(super) code: bool,
    /// Shown only where there is no formatting: the address of a link.
    pub(super) plain_only: bool,
    pub(super) quote: usize,
    pub(super) pre: usize,
    pub(super) link: usize,
}

/// `has_formulas`: a dollar sign that begins none is escaped, as in what `rich` wrote.
pub(super) fn build(markdown: &str, has_formulas: bool) -> Document {
    let mut options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    options.set(Options::ENABLE_MATH, has_formulas);
    let mut builder = Builder::default();
    for event in Parser::new_ext(markdown, options) {
        builder.take(event);
    }
    builder.document
}

/// What is to stand between the last block and the next.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Line,
    Blank,
}

#[derive(Default)]
struct Builder {
    document: Document,
    gap: Gap,
    bold: usize,
    italic: usize,
    underline: usize,
    strike: usize,
    quote_depth: usize,
    quotes: usize,
    /// The next number of each open list, or none for bullets.
    lists: Vec<Option<u64>>,
    /// A bullet was just written, so what follows stays on its line.
    fresh_item: bool,
    /// Open links: their number, 0 if it is not shown as a link, their address and where they start.
    links: Vec<(usize, String, usize)>,
    code_block: Option<(String, String)>,
    table: Option<Table>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.code(&code),
            Event::Html(html) => self.text(&html),
            Event::InlineHtml(html) => self.inline_html(&html),
            Event::SoftBreak | Event::HardBreak => self.line_break(),
            Event::Rule => {
                self.want(Gap::Blank);
                self.text("———");
                self.want(Gap::Blank);
            }
            Event::TaskListMarker(done) => self.task(done),
            Event::InlineMath(text) => self.text(&format!("${text}$")),
            Event::DisplayMath(text) => self.text(&format!("$${text}$$")),
            Event::FootnoteReference(text) => self.text(&text),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.want(self.block_gap()),
            Tag::Heading { .. } => {
                self.want(self.block_gap());
                self.bold += 1;
            }
            Tag::BlockQuote(_) => {
                self.want(self.block_gap());
                self.quotes += usize::from(self.quote_depth == 0);
                self.quote_depth += 1;
            }
            Tag::CodeBlock(kind) => self.start_code_block(&kind),
            Tag::List(first) => {
                self.want(self.block_gap());
                self.lists.push(first);
            }
            Tag::Item => self.start_item(),
            Tag::Table(alignments) => {
                self.want(self.block_gap());
                self.table = Some(Table::new(alignments));
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.start_row();
                }
            }
            Tag::TableCell => {
                if let Some(table) = &mut self.table {
                    table.start_cell();
                }
            }
            Tag::Emphasis => self.italic += 1,
            Tag::Strong => self.bold += 1,
            Tag::Strikethrough => self.strike += 1,
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => self.start_link(&dest_url),
            Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.want(self.block_gap()),
            TagEnd::Heading(_) => {
                self.bold = self.bold.saturating_sub(1);
                self.want(self.block_gap());
            }
            TagEnd::BlockQuote(_) => {
                self.quote_depth = self.quote_depth.saturating_sub(1);
                self.want(self.block_gap());
            }
            TagEnd::CodeBlock => self.end_code_block(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.want(self.block_gap());
            }
            TagEnd::Item => {
                self.fresh_item = false;
                self.want(Gap::Line);
            }
            TagEnd::Table => self.end_table(),
            TagEnd::Emphasis => self.italic = self.italic.saturating_sub(1),
            TagEnd::Strong => self.bold = self.bold.saturating_sub(1),
            TagEnd::Strikethrough => self.strike = self.strike.saturating_sub(1),
            TagEnd::Link => self.end_link(None),
            TagEnd::Image => self.end_link(Some("image")),
            TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::TableCell
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    /// Blocks inside lists stand on lines of their own, others are set off by an empty line.
    fn block_gap(&self) -> Gap {
        if self.lists.is_empty() { Gap::Blank } else { Gap::Line }
    }

    fn want(&mut self, gap: Gap) {
        if !self.fresh_item {
            self.gap = self.gap.max(gap);
        }
    }

    fn style(&self) -> Style {
        Style {
            bold: 0 < self.bold,
            italic: 0 < self.italic,
            underline: 0 < self.underline,
            strike: 0 < self.strike,
            quote: if 0 < self.quote_depth { self.quotes } else { 0 },
            link: self.links.last().map_or(0, |link| link.0),
            ..Style::default()
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, code)) = &mut self.code_block {
            code.push_str(text);
        } else {
            self.push(text, self.style());
        }
    }

    fn code(&mut self, code: &str) {
        let style = self.style();
        // Telegram shows either a link or code; the address is worth more than the typeface.
        let code_style = Style { code: true, quote: style.quote, ..Style::default() };
        self.push(code, if style.link == 0 { code_style } else { style });
    }

    fn inline_html(&mut self, html: &str) {
        match html.to_ascii_lowercase().as_str() {
            "<br>" | "<br/>" | "<br />" => self.line_break(),
            "<u>" | "<ins>" => self.underline += 1,
            "</u>" | "</ins>" => self.underline = self.underline.saturating_sub(1),
            _ => self.text(html),
        }
    }

    fn line_break(&mut self) {
        if self.table.is_some() {
            return self.push(" ", Style::default());
        }
        let line_end = format!("\n{}", self.indent());
        self.push(&line_end, self.style());
    }

    /// What a line of a list's item begins with, when it is not the first. None in quotes, which
    /// Telegram indents.
    fn indent(&self) -> String {
        let depth = if self.quote_depth == 0 { self.lists.len() } else { 0 };
        "  ".repeat(depth.min(LIST_DEPTH_MAX))
    }

    /// Writes text, after whatever is to stand before it.
    fn push(&mut self, text: &str, style: Style) {
        if text.is_empty() {
            return;
        }
        if let Some(table) = &mut self.table {
            return table.push(text);
        }
        if self.write_gap(style.quote) && style.pre == 0 {
            self.append(&self.indent(), Style { quote: style.quote, ..Style::default() });
        }
        self.fresh_item = false;
        self.append(text, style);
    }

    /// Writes what is to stand between the last block and the next, and says whether there was
    /// anything to write.
    fn write_gap(&mut self, quote: usize) -> bool {
        let gap = std::mem::take(&mut self.gap);
        let line_ends = match gap {
            Gap::None => return false,
            Gap::Line | Gap::Blank if self.document.text.is_empty() => return false,
            Gap::Line => "\n",
            Gap::Blank => "\n\n",
        };
        if gap == Gap::Blank {
            self.document.blocks.push(self.document.text.len());
        }
        // What stands between two blocks of one quote belongs to the quote.
        let last = self.document.runs.last().map_or(0, |run| run.style.quote);
        let quote = if last == quote { quote } else { 0 };
        self.append(line_ends, Style { quote, ..Style::default() });
        true
    }

    fn append(&mut self, text: &str, style: Style) {
        self.document.text.push_str(text);
        let end = self.document.text.len();
        match self.document.runs.last_mut() {
            Some(run) if run.style == style => run.end = end,
            Some(_) | None if text.is_empty() => {}
            Some(_) | None => self.document.runs.push(Run { end, style }),
        }
    }

    fn start_item(&mut self) {
        // An item that begins with a list keeps both bullets on one line.
        self.want(Gap::Line);
        let depth = self.lists.len();
        let number = self.lists.last_mut().and_then(Option::as_mut).map(|next| {
            let number = *next;
            *next = next.saturating_add(1);
            number
        });
        if LIST_DEPTH_MAX < depth {
            return;
        }
        let marker = number.map_or_else(|| BULLET.to_owned(), |number| format!("{number}. "));
        let style = Style { quote: self.style().quote, ..Style::default() };
        if self.write_gap(style.quote) || self.document.text.is_empty() {
            self.append(&"  ".repeat(depth.saturating_sub(1)), style);
        }
        self.append(&marker, style);
        self.fresh_item = true;
    }

    /// A box to tick takes the place of the bullet.
    fn task(&mut self, done: bool) {
        let mark = if done { "☑ " } else { "☐ " };
        if self.fresh_item && self.document.text.ends_with(BULLET) {
            let end = self.document.text.len() - BULLET.len();
            self.document.text.truncate(end);
            if let Some(run) = self.document.runs.last_mut() {
                run.end = end;
            }
        }
        let style = Style { quote: self.style().quote, ..Style::default() };
        self.append(mark, style);
    }

    fn start_code_block(&mut self, kind: &CodeBlockKind<'_>) {
        // Code never stands on the line of a bullet.
        self.fresh_item = false;
        self.want(self.block_gap());
        let language = match kind {
            CodeBlockKind::Fenced(info) => language_of(info),
            CodeBlockKind::Indented => String::new(),
        };
        self.code_block = Some((language, String::new()));
    }

    fn end_code_block(&mut self) {
        if let Some((language, code)) = self.code_block.take() {
            self.push_preformatted(language, code.trim_end_matches('\n'));
        }
    }

    fn push_preformatted(&mut self, language: String, text: &str) {
        self.document.languages.push(language);
        let style = Style {
            pre: self.document.languages.len(),
            quote: self.style().quote,
            ..Style::default()
        };
        self.push(text, style);
        self.want(self.block_gap());
    }

    fn end_table(&mut self) {
        if let Some(table) = self.table.take() {
            self.fresh_item = false;
            self.push_preformatted(String::new(), &table.lay_out());
        }
    }

    fn start_link(&mut self, address: &str) {
        let start = self.buffer().len();
        let link = match self.links.last() {
            // A picture in a link: the link counts.
            Some(&(outer, _, _)) => (outer, String::new(), start),
            None if may_lead_to(address) => {
                self.document.links.push(address.to_owned());
                (self.document.links.len(), address.to_owned(), start)
            }
            None => (0, String::new(), start),
        };
        self.links.push(link);
    }

    /// Ends a link or picture. One without a label is shown as `unlabelled`, or else its address.
    fn end_link(&mut self, unlabelled: Option<&str>) {
        let label = |builder: &Self, start| {
            builder.buffer().get(start..).unwrap_or_default().trim().to_owned()
        };
        let style = self.style();
        let Some((_, address, start)) = self.links.pop() else { return };
        if is_blank(&label(self, start)) {
            self.push(unlabelled.unwrap_or(&address), style);
        }
        let label = label(self, start);
        if !address.is_empty()
            && label != address
            && address.strip_prefix("mailto:") != Some(&label)
        {
            let quote = style.quote;
            self.push(
                &format!(" ({address})"),
                Style { quote, plain_only: true, ..Style::default() },
            );
        }
    }

    /// Where text is being written to: a table's cell, or the document.
    fn buffer(&self) -> &str {
        match &self.table {
            Some(table) => table.cell(),
            None => &self.document.text,
        }
    }
}

/// The language of a code block, where it is named as languages are.
pub(super) fn language_of(info: &str) -> String {
    let language = info.split([' ', ',', '{']).next().unwrap_or_default();
    let named = |c: char| c.is_ascii_alphanumeric() || "+-_.#".contains(c);
    let known = language.len() <= LANGUAGE_BYTES_MAX && language.chars().all(named);
    if known { language.to_owned() } else { String::new() }
}

/// Whether a link may be shown as one. Others could act inside Telegram or on the device.
pub(super) fn may_lead_to(address: &str) -> bool {
    let scheme = address.split_once(':').map_or("", |(scheme, _)| scheme);
    let web = ["http", "https", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let bad = |c: char| c.is_control() || c.is_whitespace();
    web && address.len() <= LINK_BYTES_MAX && !address.chars().any(bad)
}
