//! Cuts a long text into parts that fit one Telegram message each.
//!
//! A cut is made where it hurts least: between blocks, else between paragraphs, lines, sentences,
//! words, and only then between characters; never inside a character, or between a character and
//! the marks, joiners or selectors that belong to it. White space at a cut is dropped.

use std::ops::Range;

/// The longest message text, in UTF-16 code units, as Telegram counts it.
pub const PART_UNITS_MAX: usize = 4_096;
/// How far to look back for a place between characters that belong together, in bytes.
const CLUSTER_BYTES_MAX: usize = 128;

/// Cuts `text` into ranges of at most `units_max` UTF-16 code units, none of them blank. `blocks`
/// are places between blocks, in rising order. Takes time in proportion to the text.
///
/// `units_max` below 2 counts as 2, which any character fits.
pub(crate) fn split(text: &str, blocks: &[usize], units_max: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut blocks = blocks;
    while start < text.len() {
        let rest = text.get(start..).unwrap_or_default();
        let window = window_end(rest, units_max.max(2));
        blocks = blocks.get(blocks.partition_point(|&at| at <= start)..).unwrap_or_default();
        let length = if window == rest.len() {
            window
        } else {
            let within = blocks.partition_point(|&at| at <= start + window);
            let block = within.checked_sub(1).and_then(|last| blocks.get(last));
            cut(rest, window, block.map(|at| at - start))
        };
        let part = rest.get(..length).unwrap_or(rest);
        let kept = part.trim_end();
        if !is_blank(kept) {
            parts.push(start..start + kept.len());
        }
        start += part.len();
        start += blank_start(text.get(start..).unwrap_or_default(), part);
    }
    parts
}

/// Whether there is nothing to see in a text. Telegram refuses such messages.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
                | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}')
    })
}

/// The longest start of `text` that fits, in bytes.
fn window_end(text: &str, units_max: usize) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units_max < units {
            return at;
        }
    }
    text.len()
}

/// Where to cut `text` so that what comes before fits into its first `window` bytes, which are
/// fewer than all.
fn cut(text: &str, window: usize, block: Option<usize>) -> usize {
    let head = text.get(..window).unwrap_or(text);
    // A cut too early would make many small messages of one text.
    if let Some(block) = block.filter(|&at| window / 8 <= at) {
        return block;
    }
    let late = |at: &usize| window / 3 <= *at;
    let paragraph = head.rfind("\n\n").filter(late);
    let line = || head.rfind('\n').filter(late);
    let sentence = || sentence_end(head).filter(late);
    let word = || head.rfind(char::is_whitespace).filter(|&at| 0 < at);
    paragraph
        .or_else(line)
        .or_else(sentence)
        .or_else(word)
        .unwrap_or_else(|| between_clusters(text, window))
}

/// One past the last sign that ends a sentence.
fn sentence_end(text: &str) -> Option<usize> {
    let mut follower = None;
    for (at, c) in text.char_indices().rev() {
        let ends = match c {
            '.' | '!' | '?' | '…' => follower.is_some_and(char::is_whitespace),
            '。' | '！' | '？' => true,
            _ => false,
        };
        if ends {
            return Some(at + c.len_utf8());
        }
        follower = Some(c);
    }
    None
}

/// The last place up to `window` where two characters do not belong together.
fn between_clusters(text: &str, window: usize) -> usize {
    let head = text.get(..window).unwrap_or(text);
    let mut next = text.get(window..).and_then(|rest| rest.chars().next());
    for (at, c) in head.char_indices().rev() {
        let end = at + c.len_utf8();
        if window - end > CLUSTER_BYTES_MAX {
            break;
        }
        if next.is_none_or(|next| !belong_together(c, next)) {
            return end;
        }
        next = Some(c);
    }
    window
}

fn belong_together(before: char, after: char) -> bool {
    let joins = |c| matches!(c, '\u{200D}');
    let regional = |c| matches!(c, '\u{1F1E6}'..='\u{1F1FF}');
    let extends = matches!(after, '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}'
        | '\u{591}'..='\u{5BD}' | '\u{64B}'..='\u{65F}' | '\u{900}'..='\u{903}'
        | '\u{93A}'..='\u{94F}' | '\u{E31}' | '\u{E34}'..='\u{E3A}' | '\u{E47}'..='\u{E4E}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
        | '\u{3099}' | '\u{309A}' | '\u{FE00}'..='\u{FE0F}' | '\u{FE20}'..='\u{FE2F}'
        | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0000}'..='\u{E01EF}');
    joins(before) || joins(after) || extends || (regional(before) && regional(after))
}

/// How many bytes of `text`, which comes after a cut, are dropped: line ends, and after a cut
/// inside a line also spaces. Indentation after a line end stays.
fn blank_start(text: &str, part: &str) -> usize {
    let line_ends = |c| matches!(c, '\n' | '\r');
    let spaces = text.len() - text.trim_start_matches([' ', '\t']).len();
    let rest = text.get(spaces..).unwrap_or_default();
    let ends = rest.len() - rest.trim_start_matches(line_ends).len();
    if 0 < ends {
        // The rest of blank lines; the first line with something on it keeps its indentation.
        return spaces + ends;
    }
    if part.ends_with(line_ends) { 0 } else { spaces }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str, units_max: usize) -> Vec<&str> {
        split(text, &[], units_max).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_cut_is_made_where_it_hurts_least() {
        assert_eq!(parts("one two\n\nthree four\nfive", 20), ["one two", "three four\nfive"]);
        assert_eq!(parts("one two\nthree four five", 16), ["one two", "three four five"]);
        assert_eq!(parts("One two. Three four five", 16), ["One two.", "Three four five"]);
        assert_eq!(parts("one two three four", 10), ["one two", "three four"]);
        assert_eq!(parts("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        let text = "aaaa\n\nbb\n\ncccc";
        let ranges = split(text, &[4], 10);
        assert_eq!(&text[ranges[0].clone()], "aaaa");
    }

    #[test]
    fn characters_that_belong_together_stay_together() {
        assert_eq!(parts("ab👍🏽cd", 4), ["ab", "👍🏽", "cd"]);
        assert_eq!(parts("abe\u{301}", 3), ["ab", "e\u{301}"]);
        assert_eq!(parts("a👩‍👧b", 5), ["a", "👩‍👧", "b"]);
    }

    #[test]
    fn indentation_after_a_line_end_stays() {
        assert_eq!(parts("if a:\n    b()", 8), ["if a:", "    b()"]);
    }

    #[test]
    fn a_blank_text_has_no_parts() {
        assert!(parts(" \n\u{200B}\t ", 4).is_empty());
    }

    proptest! {
        #[test]
        fn parts_fit_and_lose_only_white_space(
            text in "([a-z .\n]|👍🏽|é|\u{301}|\u{200D}|漢){0,200}", units_max in 2_usize..40,
        ) {
            let parts = parts(&text, units_max);
            for part in &parts {
                prop_assert!(part.encode_utf16().count() <= units_max);
                prop_assert!(!is_blank(part));
            }
            let seen = |c: &char| !c.is_whitespace() && *c != '\u{200D}';
            let kept: String = parts.concat().chars().filter(seen).collect();
            prop_assert_eq!(kept, text.chars().filter(seen).collect::<String>());
        }
    }
}
