//! Where the words of a document are put: without what no text holds, and up to a number of characters.

use std::fmt;

/// Lines that are empty one after the other.
const EMPTY_LINES_MAX: usize = 1;

/// The page is full: what comes next is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// See the file head.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    chars_left: usize,
    /// What stands between the last word and the next: spaces and ends of lines.
    spaces: usize,
    tabs: usize,
    lines: usize,
    is_cut: bool,
}

impl Page {
    pub(super) fn new(chars_max: usize) -> Self {
        let (spaces, tabs, lines) = (0, 0, 0);
        Self { text: String::new(), chars_left: chars_max, spaces, tabs, lines, is_cut: false }
    }

    /// Adds words.
    pub(super) fn put(&mut self, text: &str) -> Result<(), Full> {
        text.chars().try_for_each(|c| self.put_one(c))
    }

    fn put_one(&mut self, c: char) -> Result<(), Full> {
        match c {
            '\n' => self.lines += 1,
            '\t' => self.tabs += 1,
            // What is not seen is no word: soft hyphens, marks of the order of bytes, and the like.
            '\r' | '\u{AD}' | '\u{200B}' | '\u{FEFF}' | '\u{FFFD}' => (),
            c if c.is_control() => (),
            c if c.is_whitespace() => self.spaces += 1,
            c => return self.write(c),
        }
        Ok(())
    }

    fn write(&mut self, c: char) -> Result<(), Full> {
        let lines = self.lines.min(EMPTY_LINES_MAX + 1);
        let between = match (lines, self.tabs, self.spaces) {
            _ if self.text.is_empty() => String::new(),
            (0, 0, 0) => String::new(),
            (0, 0, _) => " ".to_owned(),
            (0, tabs, _) => "\t".repeat(tabs),
            (lines, tabs, _) => "\n".repeat(lines) + &"\t".repeat(tabs),
        };
        (self.lines, self.tabs, self.spaces) = (0, 0, 0);
        let needed = between.len() + 1;
        let Some(left) = self.chars_left.checked_sub(needed) else {
            self.is_cut = true;
            self.chars_left = 0;
            return Err(Full);
        };
        self.chars_left = left;
        self.text.push_str(&between);
        self.text.push(c);
        Ok(())
    }

    /// True once there is something on it.
    pub(super) fn has_words(&self) -> bool {
        !self.text.is_empty()
    }

    /// True once something did not fit any more.
    pub(super) fn is_full(&self) -> bool {
        self.is_cut
    }

    /// What stands on it, and whether there was more.
    pub(super) fn done(self) -> (String, bool) {
        (self.text, self.is_cut)
    }
}

impl fmt::Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text).map_err(|Full| fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(text: &str, chars_max: usize) -> (String, bool) {
        let mut page = Page::new(chars_max);
        page.put(text).ok();
        page.done()
    }

    #[test]
    fn what_no_text_holds_is_left_out_and_spaces_are_drawn_together() {
        let (text, is_cut) = done("\n\n  a\0\u{1b} \u{a0} b \t\tc  \r\n \n\n\n d\u{AD}e  \n", 99);
        assert_eq!((text.as_str(), is_cut), ("a b\t\tc\n\nde", false));
    }

    #[test]
    fn a_page_ends_after_so_many_characters_and_says_so() {
        assert_eq!(done("éé é", 4), ("éé é".to_owned(), false));
        assert_eq!(done("éé éé", 4), ("éé é".to_owned(), true));
        assert_eq!(done("é   \n", 1), ("é".to_owned(), false), "nothing is missing");
        assert_eq!(done("x", 0), (String::new(), true));
    }
}
