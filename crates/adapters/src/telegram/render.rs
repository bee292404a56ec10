//! Turns a model's Markdown into messages that Telegram can show.
//!
//! Markdown becomes one plain text with styled stretches. The text is cut into parts, and only then
//! is each part written as HTML, so a part is well-formed by itself wherever it was cut: code
//! blocks close and reopen with their language by construction.
//!
//! Links lead to `http`, `https` and `mailto` only. HTML in the Markdown is shown as text, except
//! `<br>` and `<u>`, which models use for want of Markdown.
//!
//! What classic formatting cannot show, such as a table, also goes as a rich message's Markdown, written anew (see
//! `rich`); the HTML is for a server that does not take that.
//!
//! Invariants:
//! - RENDER-1: a part fits one message, has something to see, and its HTML is well-formed.
//! - RENDER-2: the plain texts of the parts hold the whole text, up to white space at the cuts.

mod builder;
mod escape;
mod markup;
mod rich;
mod table;

use builder::build;
use markup::markup;
use rich::Block;

use super::split::{PART_UNITS_MAX, is_blank, split};

/// The longest Markdown that is parsed, in bytes. Longer text is sent as it is.
const MARKDOWN_BYTES_MAX: usize = 256 << 10;

/// The longest Markdown of a rich message, in characters, and the most blocks in one: Telegram's limits, with some room.
const RICH_CHARS_MAX: usize = 32_000;
const RICH_BLOCKS_MAX: usize = 480;

/// One message's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// In the Markdown of a rich message, where that shows more than HTML can.
    pub rich: Option<String>,
    /// Telegram HTML, or `None` where nothing is formatted and `plain` is sent as it is.
    pub html: Option<String>,
    /// The same as readable plain text, for when Telegram refuses the HTML. At most 4,096 UTF-16
    /// code units.
    pub plain: String,
}

/// Turns Markdown into message texts, in order. Empty only if there is nothing to see in it.
///
/// Takes time in proportion to the text, whatever it holds.
#[must_use]
pub fn render(markdown: &str) -> Vec<Part> {
    render_within(markdown, PART_UNITS_MAX)
}

/// As [`render`], and what classic formatting cannot show comes as a rich message. A long answer is cut between
/// blocks, and each message says itself whether it is rich.
#[must_use]
pub fn render_rich(markdown: &str) -> Vec<Part> {
    if MARKDOWN_BYTES_MAX < markdown.len() || !has_markup(markdown) && !markdown.contains('$') {
        return render(markdown);
    }
    let blocks = rich::blocks(markdown);
    if !blocks.iter().any(|it| it.is_rich) {
        return render(markdown);
    }
    grouped(&blocks).into_iter().flat_map(typeset).collect()
}

/// Blocks together as many as fit one message.
fn grouped(blocks: &[Block]) -> Vec<&[Block]> {
    let units = |it: &Block| build(&it.markdown, true).text.encode_utf16().count() + 2;
    let (mut groups, mut start, mut taken) = (Vec::new(), 0, 0);
    for (at, units) in blocks.iter().map(units).enumerate() {
        if start < at && PART_UNITS_MAX < taken + units {
            groups.extend(blocks.get(start..at));
            (start, taken) = (at, 0);
        }
        taken += units;
    }
    groups.extend(blocks.get(start..));
    groups
}

/// Blocks as a rich message, with what takes its place where it is not taken. More than one message where a
/// block is too long for one.
fn typeset(blocks: &[Block]) -> Vec<Part> {
    let markdown: Vec<&str> = blocks.iter().map(|it| it.markdown.as_str()).collect();
    let markdown = markdown.join("\n\n");
    let mut parts = classic(&markdown, true, PART_UNITS_MAX);
    if let ([part], true) = (parts.as_mut_slice(), is_worth_it(blocks, &markdown)) {
        part.rich = Some(markdown);
    }
    parts
}

/// Whether a message is sent as a rich one: where classic formatting cannot show what is in it, and Telegram
/// takes all of it.
fn is_worth_it(blocks: &[Block], markdown: &str) -> bool {
    blocks.iter().any(|it| it.is_rich)
        && blocks.iter().all(|it| it.fits)
        && blocks.iter().map(|it| it.blocks).sum::<usize>() <= RICH_BLOCKS_MAX
        && markdown.chars().count() <= RICH_CHARS_MAX
}

fn render_within(markdown: &str, units_max: usize) -> Vec<Part> {
    if MARKDOWN_BYTES_MAX < markdown.len() || !has_markup(markdown) {
        return unformatted(markdown, units_max);
    }
    classic(markdown, false, units_max)
}

fn classic(markdown: &str, has_formulas: bool, units_max: usize) -> Vec<Part> {
    let document = build(markdown, has_formulas);
    if is_blank(&document.text) {
        // Nothing but definitions or tags: better shown raw than not at all.
        return unformatted(markdown, units_max);
    }
    let ranges = split(&document.text, &document.blocks, units_max);
    let parts = ranges.into_iter().map(|range| Part {
        rich: None,
        html: markup(&document, range.clone()),
        plain: document.text.get(range).unwrap_or_default().to_owned(),
    });
    parts.collect()
}

fn unformatted(text: &str, units_max: usize) -> Vec<Part> {
    if text.len() <= units_max && !is_blank(text) {
        return vec![Part { plain: text.to_owned(), ..Part::default() }];
    }
    let ranges = split(text, &[], units_max);
    let parts = ranges.into_iter().filter_map(|range| text.get(range));
    parts.map(|part| Part { plain: part.to_owned(), ..Part::default() }).collect()
}

/// Whether any character could mean something in Markdown. Says yes too often rather than no.
fn has_markup(text: &str) -> bool {
    let bytes = text.as_bytes();
    if memchr::memchr3(b'*', b'_', b'`', bytes).is_some()
        || memchr::memchr3(b'[', b'<', b'\\', bytes).is_some()
        || memchr::memchr3(b'~', b'|', b'&', bytes).is_some()
        || memchr::memchr2(b'\t', b'\r', bytes).is_some()
    {
        return true;
    }
    let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', bytes).map(|at| at + 1));
    starts.filter_map(|start| bytes.get(start..)).any(starts_block)
}

/// Whether a line starts as a heading, list, quote, rule or indented code would.
fn starts_block(line: &[u8]) -> bool {
    let indent = line.iter().take_while(|&&byte| byte == b' ').count();
    let text = line.get(indent..).unwrap_or_default();
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match text.get(digits) {
        _ if 4 <= indent => true,
        Some(b'.' | b')') => 0 < digits,
        Some(b'#' | b'>' | b'-' | b'+' | b'=') => digits == 0,
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod rich_tests;
#[cfg(test)]
mod tests;
