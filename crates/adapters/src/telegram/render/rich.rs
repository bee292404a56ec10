//! Writes a model's Markdown anew for a rich message, where classic formatting cannot show it.
//!
//! The text is parsed and written again from what was understood of it, every other sign escaped. So what
//! Telegram reads has no picture, no tag but those of a fold that we write ourselves, and no link but those
//! that may be shown; and a sign that Telegram reads otherwise than we do means nothing.
//!
//! Invariants: RICH-1 nothing that is written is fetched by whoever shows it: pictures become links. RICH-2 links
//! lead where classic formatting lets them lead. RICH-3 a block that Telegram would refuse is not written.

use pulldown_cmark::{
    Alignment, CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeStream,
};

use super::{
    super::split::is_blank,
    builder::{language_of, may_lead_to},
    escape::{Position, encode, escape_line, formula, summary},
};

/// Columns of a table, and levels of blocks in blocks, in Telegram's limits. A list is two levels: itself and
/// its item.
const COLUMNS_MAX: usize = 20;
const LEVELS_MAX: usize = 14;

/// A block of the outermost level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// In Markdown, written anew.
    pub(super) markdown: String,
    /// How many blocks it is made of.
    pub(super) blocks: usize,
    /// Classic formatting cannot show it.
    pub(super) is_rich: bool,
    /// Telegram would take it.
    pub(super) fits: bool,
}

/// What a text is made of.
pub(super) fn blocks(markdown: &str) -> Vec<Block> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH;
    let mut writer = Writer { fits: true, ..Writer::default() };
    for event in TextMergeStream::new(Parser::new_ext(markdown, options)) {
        writer.take(event);
    }
    writer.close_folds();
    writer.end_outermost();
    writer.done
}

#[derive(Default)]
struct Writer {
    done: Vec<Block>,
    out: String,
    blocks: usize,
    is_rich: bool,
    fits: bool,
    /// Blocks that are open, of any kind.
    depth: usize,
    /// What each further line begins with, for each quote and item that is open.
    prefixes: Vec<String>,
    /// The next number of each list that is open, or none for bullets, and whether it has an item yet.
    lists: Vec<(Option<u64>, bool)>,
    quotes: usize,
    folds: usize,
    /// Nothing stands behind the mark of a quote or an item yet.
    is_fresh: bool,
    /// Nothing stands on the line yet.
    at_line_start: bool,
    /// Links that are open: where they lead, if that is shown, and where their label begins.
    links: Vec<(Option<String>, String, usize)>,
    code: Option<(String, String)>,
    html: Option<String>,
    table: Option<Vec<Alignment>>,
    in_heading: bool,
}

impl Writer {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.code_span(&code),
            Event::Html(html) => match &mut self.html {
                Some(block) => block.push_str(&html),
                None => self.text(&html),
            },
            Event::InlineHtml(html) => self.inline_html(&html),
            Event::SoftBreak | Event::HardBreak => self.line_break(),
            Event::Rule => {
                self.begin_block();
                self.out.push_str("***");
                self.end_block();
            }
            Event::TaskListMarker(done) => {
                self.push(if done { "[x] " } else { "[ ] " });
            }
            Event::InlineMath(text) => self.formula(&text, "$"),
            Event::DisplayMath(text) => self.formula(&text, "$$"),
            Event::FootnoteReference(text) => self.text(&text),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.begin_block(),
            Tag::HtmlBlock => {
                self.depth += 1;
                self.html = Some(String::new());
            }
            Tag::Heading { level, .. } => {
                self.begin_block();
                self.is_rich = true;
                self.in_heading = true;
                self.push(&"#".repeat(level as usize));
                self.push(" ");
            }
            Tag::BlockQuote(_) => {
                self.begin_block();
                self.is_rich |= 0 < self.quotes;
                self.quotes += 1;
                self.open("> ".to_owned(), "> ");
            }
            Tag::CodeBlock(kind) => {
                self.begin_block();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => language_of(&info),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new()));
            }
            Tag::List(first) => {
                self.depth += 1;
                self.is_rich |= !self.lists.is_empty();
                self.lists.push((first, false));
                self.check_levels();
            }
            Tag::Item => self.start_item(),
            Tag::Table(alignments) => {
                self.begin_block();
                self.is_rich = true;
                self.fits &= alignments.len() <= COLUMNS_MAX;
                self.table = Some(alignments);
            }
            Tag::TableHead => self.push("|"),
            Tag::TableRow => {
                self.blocks += 1;
                self.next_line();
                self.push("|");
            }
            Tag::TableCell => self.push(" "),
            Tag::Emphasis => self.push("*"),
            Tag::Strong => self.push("**"),
            Tag::Strikethrough => self.push("~~"),
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
            TagEnd::Paragraph => self.end_block(),
            TagEnd::HtmlBlock => self.end_html(),
            TagEnd::Heading(_) => {
                self.in_heading = false;
                self.end_block();
            }
            TagEnd::BlockQuote(_) => {
                self.quotes = self.quotes.saturating_sub(1);
                self.prefixes.pop();
                self.end_block();
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.end_block();
            }
            TagEnd::Item => {
                self.prefixes.pop();
                self.is_fresh = false;
            }
            TagEnd::Table => {
                self.table = None;
                self.end_block();
            }
            TagEnd::TableHead => self.end_head(),
            TagEnd::TableCell => self.push(" |"),
            TagEnd::Emphasis => self.push("*"),
            TagEnd::Strong => self.push("**"),
            TagEnd::Strikethrough => self.push("~~"),
            TagEnd::Link => self.end_link(None),
            TagEnd::Image => self.end_link(Some("image")),
            TagEnd::TableRow
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    // --- blocks ---

    /// Sets a block off from what stands before it, by an empty line.
    fn begin_block(&mut self) {
        self.depth += 1;
        self.blocks += 1;
        self.check_levels();
        if !self.out.is_empty() && !self.is_fresh {
            self.out.push('\n');
            let prefix = self.prefixes.concat();
            self.out.push_str(prefix.trim_end());
            self.next_line();
        }
        self.is_fresh = false;
        self.at_line_start = true;
    }

    fn end_block(&mut self) {
        self.is_fresh = false;
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 && self.folds == 0 {
            self.end_outermost();
        }
    }

    fn end_outermost(&mut self) {
        let markdown = std::mem::take(&mut self.out);
        let (blocks, is_rich, fits) = (self.blocks, self.is_rich, self.fits);
        (self.blocks, self.is_rich, self.fits) = (0, false, true);
        if !markdown.is_empty() {
            self.done.push(Block { markdown, blocks, is_rich, fits });
        }
    }

    fn check_levels(&mut self) {
        self.fits &= self.quotes + 2 * self.lists.len() + self.folds <= LEVELS_MAX;
    }

    fn open(&mut self, prefix: String, mark: &str) {
        self.out.push_str(mark);
        self.prefixes.push(prefix);
        self.is_fresh = true;
        self.at_line_start = true;
    }

    fn next_line(&mut self) {
        self.out.push('\n');
        self.out.push_str(&self.prefixes.concat());
        self.at_line_start = true;
    }

    fn start_item(&mut self) {
        let Some((number, has_items)) = self.lists.last_mut() else { return };
        let had_items = std::mem::replace(has_items, true);
        let mark = match number {
            Some(next) => {
                let mark = format!("{next}. ");
                *next = next.saturating_add(1);
                mark
            }
            None => "- ".to_owned(),
        };
        if had_items {
            self.blocks += 1;
            self.next_line();
        } else {
            self.begin_block();
            self.depth = self.depth.saturating_sub(1);
        }
        self.open(" ".repeat(mark.len()), &mark);
    }

    fn end_code(&mut self) {
        let Some((language, code)) = self.code.take() else { return };
        let fence = "`".repeat(3.max(longest_run(&code, '`') + 1));
        self.out.push_str(&fence);
        self.out.push_str(&language);
        for line in code.trim_end_matches('\n').split('\n') {
            self.next_line();
            self.out.push_str(line.trim_end_matches('\r'));
        }
        self.next_line();
        self.out.push_str(&fence);
        self.end_block();
    }

    fn end_head(&mut self) {
        self.next_line();
        self.push("|");
        for alignment in self.table.clone().unwrap_or_default() {
            self.push(match alignment {
                Alignment::None => " --- |",
                Alignment::Left => " :-- |",
                Alignment::Center => " :-: |",
                Alignment::Right => " --: |",
            });
        }
    }

    /// A fold that a model wrote as HTML is one; any other HTML is text.
    fn end_html(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        let Some(html) = self.html.take() else { return };
        let html = html.trim();
        if self.prefixes.is_empty() {
            if html.eq_ignore_ascii_case("</details>") && 0 < self.folds {
                return self.close_fold();
            }
            if let Some((title, inside, is_closed)) = fold(html) {
                self.open_fold(title);
                if !inside.is_empty() {
                    self.begin_block();
                    self.lines(inside);
                    self.end_block();
                }
                if is_closed {
                    self.close_fold();
                }
                return;
            }
        }
        self.begin_block();
        self.lines(html);
        self.end_block();
    }

    fn open_fold(&mut self, title: &str) {
        self.begin_block();
        self.depth = self.depth.saturating_sub(1);
        self.folds += 1;
        self.is_rich = true;
        self.check_levels();
        self.out.push_str("<details>\n<summary>");
        self.out.push_str(&summary(title));
        self.out.push_str("</summary>");
    }

    fn close_fold(&mut self) {
        self.folds = self.folds.saturating_sub(1);
        self.out.push_str("\n\n</details>");
        if self.folds == 0 {
            self.end_outermost();
        }
    }

    /// A fold that the text leaves open ends with it.
    fn close_folds(&mut self) {
        while 0 < self.folds {
            self.close_fold();
        }
    }

    // --- what stands in them ---

    /// Writes something of ours.
    fn push(&mut self, mark: &str) {
        self.out.push_str(mark);
        self.is_fresh = false;
        self.at_line_start = false;
    }

    fn lines(&mut self, text: &str) {
        for (at, line) in text.lines().enumerate() {
            if 0 < at {
                self.line_break();
            }
            self.text(line.trim());
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, code)) = &mut self.code {
            return code.push_str(text);
        }
        if !self.links.is_empty() {
            return self.escaped(text);
        }
        let mut rest = text;
        while let Some((before, address, after)) = address_in(rest) {
            self.escaped(before);
            self.start_link(address);
            self.escaped(address);
            self.end_link(None);
            rest = after;
        }
        self.escaped(rest);
    }

    /// Writes words: nothing in them means anything.
    fn escaped(&mut self, text: &str) {
        let text = if self.at_line_start { text.trim_start() } else { text };
        if text.is_empty() {
            return;
        }
        let position = Position { at_line_start: self.at_line_start, in_heading: self.in_heading };
        let escaped = escape_line(text, position);
        self.push(&escaped);
    }

    fn code_span(&mut self, code: &str) {
        let code: String = code.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let fence = "`".repeat(longest_run(&code, '`') + 1);
        let ends = |it: &str| it.starts_with(['`', ' ']) || it.ends_with(['`', ' ']);
        let room = if ends(&code) { " " } else { "" };
        let code = if self.table.is_some() { code.replace('|', "\\|") } else { code };
        self.push(&format!("{fence}{room}{code}{room}{fence}"));
    }

    fn formula(&mut self, text: &str, mark: &str) {
        let whole = format!("{mark}{text}{mark}");
        if self.table.is_some() && text.contains('|') {
            return self.escaped(&whole);
        }
        match formula(text, mark == "$$") {
            Some(formula) => {
                self.is_rich = true;
                self.push(&format!("{mark}{formula}{mark}"));
            }
            None => self.escaped(&whole),
        }
    }

    fn inline_html(&mut self, html: &str) {
        match html.to_ascii_lowercase().as_str() {
            "<br>" | "<br/>" | "<br />" => self.line_break(),
            "<u>" | "<ins>" | "</u>" | "</ins>" => {}
            _ => self.escaped(html),
        }
    }

    fn line_break(&mut self) {
        if self.table.is_some() || self.in_heading {
            return self.push(" ");
        }
        self.out.push_str("  ");
        self.next_line();
    }

    fn start_link(&mut self, address: &str) {
        let shown = (self.links.iter().all(|it| it.0.is_none()) && may_lead_to(address))
            .then(|| address.to_owned());
        if shown.is_some() {
            // Behind a "!" a link would be a picture. RICH-1.
            if self.out.ends_with('!') {
                self.out.pop();
                self.out.push_str("\\!");
            }
            self.push("[");
        }
        self.links.push((shown, address.to_owned(), self.out.len()));
    }

    /// Ends a link or picture. One without a label is shown as `unlabelled`, or else its address.
    fn end_link(&mut self, unlabelled: Option<&str>) {
        let Some((shown, address, start)) = self.links.last().cloned() else { return };
        if is_blank(self.out.get(start..).unwrap_or_default()) {
            self.escaped(unlabelled.unwrap_or(&address));
        }
        self.links.pop();
        if let Some(address) = shown {
            self.push(&format!("]({})", encode(&address)));
        }
    }
}

/// The title of a fold, what stands in it, and whether it ends here. Nothing in it may be a tag.
fn fold(html: &str) -> Option<(&str, &str, bool)> {
    let strip = |it, tag: &str| strip_tag(it, tag);
    let rest = strip(html, "<details>").or_else(|| strip(html, "<details open>"))?;
    let rest = strip(rest.trim_start(), "<summary>")?;
    let (title, rest) = rest.split_once('<')?;
    let rest = strip(rest, "/summary>")?.trim();
    let (inside, is_closed) = match rest.len().checked_sub("</details>".len()) {
        Some(at) if rest.get(at..).is_some_and(|it| it.eq_ignore_ascii_case("</details>")) => {
            (rest.get(..at)?.trim(), true)
        }
        Some(_) | None => (rest, false),
    };
    let is_text = !inside.contains('<') && !is_blank(title);
    is_text.then_some((title.trim(), inside, is_closed))
}

fn strip_tag<'t>(text: &'t str, tag: &str) -> Option<&'t str> {
    let begin = text.get(..tag.len())?;
    if begin.eq_ignore_ascii_case(tag) { text.get(tag.len()..) } else { None }
}

/// The first address in a text that may be a link, with what stands before and behind it.
fn address_in(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("http").map(|it| from + it) {
        from = at + "http".len();
        let begins = text.get(..at)?.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        let rest = text.get(at..)?;
        let is_web = rest.starts_with("http://") || rest.starts_with("https://");
        let ends = |c: char| c.is_whitespace() || c.is_control() || "<>\"`".contains(c);
        let address = rest.split(ends).next()?;
        let address = address.trim_end_matches(|c: char| ".,;:!?'()[]{}*_~|".contains(c));
        let has_host = address.split_once("://").is_some_and(|(_, host)| !host.is_empty());
        if begins && is_web && has_host && may_lead_to(address) {
            return Some((text.get(..at)?, address, rest.get(address.len()..)?));
        }
    }
    None
}

fn longest_run(text: &str, sign: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == sign { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
