//! Makes text safe to pass on, and makes the copies that rules are matched against.
//!
//! Three forms of a text:
//! - *sanitised*, which passes on: NFC, no invisible characters, no control characters except
//!   newline and tab, every line end a newline;
//! - *plain*, matched: NFKC, nothing invisible at all, runs of white space collapsed;
//! - *folded*, matched: plain, and accents and look-alike letters replaced by Latin ones.
//!
//! A `MatchCopy` remembers which bytes of the received text each of its bytes came from.

use std::{borrow::Cow, ops::Range};

use unicode_normalization::{
    IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfc_quick,
};

/// Removes what a reader cannot see and a model can: zero-width, bidirectional and tag characters,
/// stray variation selectors, control characters. Joiners stay where a script or an emoji needs
/// them. The result is NFC, with `\n` as its only line end. Sanitising twice changes nothing.
#[must_use]
pub fn sanitise(text: &str) -> Cow<'_, str> {
    // Without a branch in the loop, this is done for many bytes at once.
    if text.bytes().fold(true, |ok, byte| ok & matches!(byte, b'\t' | b'\n' | b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let normal = is_nfc_quick(text.chars()) == IsNormalized::Yes;
    let composed: Cow<'_, str> =
        if normal { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) };
    let stripped = strip(&composed);
    if stripped == *composed {
        return composed;
    }
    // A character taken out may have kept its neighbours from composing.
    Cow::Owned(stripped.nfc().collect())
}

fn strip(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut base = '\0';
    let mut after_return = false;
    for c in text.chars() {
        let keeps = match c {
            '\n' => !after_return,
            '\t' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => true,
            '\u{200C}' | '\u{200D}' => joins(base),
            '\u{FE0E}' | '\u{FE0F}' => presents(base) && !kept.ends_with(is_selector),
            _ => !c.is_control() && !is_invisible(c),
        };
        if !keeps {
            // Bytes between a return and its newline do not make it two line ends.
            after_return &= c != '\n';
            continue;
        }
        after_return = c == '\r';
        let ends_line = matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        let c = if ends_line { '\n' } else { c };
        kept.push(c);
        if canonical_combining_class(c) == 0 && !is_invisible(c) {
            base = c;
        }
    }
    kept
}

/// Whether a zero-width joiner or non-joiner means something after `base`: in emoji, and in the
/// Arabic and Indic scripts.
fn joins(base: char) -> bool {
    matches!(base, '\u{600}'..='\u{8FF}' | '\u{900}'..='\u{DFF}'
        | '\u{2600}'..='\u{27BF}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Whether a variation selector may choose how `base` is drawn, as text or as emoji.
fn presents(base: char) -> bool {
    matches!(base, '0'..='9' | '#' | '*' | '©' | '®' | '\u{2000}'..='\u{33FF}'
        | '\u{1F000}'..='\u{1FAFF}')
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE0E}' | '\u{FE0F}')
}

/// Whether a character takes no room on the screen. Control characters are not among them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a character belongs to the block of tags, which can spell out hidden text.
pub(crate) fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0000}'..='\u{E007F}')
}

/// A copy of a text to match rules against, with the way back to the text.
pub(crate) struct MatchCopy<'t> {
    text: Cow<'t, str>,
    /// By `at`; empty when the copy is the text itself.
    runs: Vec<Run>,
}

/// A stretch of a copy. Verbatim, its bytes are those of `source`; otherwise it stands for all of
/// `source` at once.
struct Run {
    at: usize,
    source: Range<usize>,
    verbatim: bool,
}

impl<'t> MatchCopy<'t> {
    /// The plain copy, and the folded one if it is any different.
    pub(crate) fn both(text: &'t str) -> (Self, Option<Self>) {
        if is_simple(text) {
            return (Self { text: Cow::Borrowed(text), runs: Vec::new() }, None);
        }
        let plain = Copier::new(false).copy(text);
        if plain.text.is_ascii() {
            return (plain, None);
        }
        let folded = Copier::new(true).copy(text);
        let differs = folded.text != plain.text;
        (plain, differs.then_some(folded))
    }

    /// The folded copy alone, which is the plain one where nothing needs folding.
    pub(crate) fn folded(text: &'t str) -> Self {
        let (plain, folded) = Self::both(text);
        folded.unwrap_or(plain)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Which bytes of the received text a range of the copy came from. Widened to whole
    /// characters; `range` must lie inside the copy and must not be empty.
    pub(crate) fn source(&self, range: Range<usize>) -> Range<usize> {
        let last = range.end.saturating_sub(1).max(range.start);
        match (self.run(range.start), self.run(last)) {
            (Some(first), Some(end)) => {
                let start = if first.verbatim {
                    first.source.start + (range.start - first.at)
                } else {
                    first.source.start
                };
                let end = if end.verbatim {
                    end.source.start + (last + 1 - end.at)
                } else {
                    end.source.end
                };
                start..end
            }
            (Some(_) | None, _) => range,
        }
    }

    fn run(&self, at: usize) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.at <= at);
        self.runs.get(after.checked_sub(1)?)
    }
}

/// Whether a text is its own plain and folded copy: printable ASCII with single white space.
fn is_simple(text: &str) -> bool {
    let is_space = |byte: u8| (byte == b' ') | (byte == b'\n');
    let bytes = text.as_bytes();
    let printable = bytes.iter().fold(true, |ok, byte| ok & matches!(byte, b'\n' | b' '..=b'~'));
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    printable && pairs.fold(true, |ok, (a, b)| ok & !(is_space(*a) & is_space(*b)))
}

/// Builds one copy, cluster by cluster: a character and the marks that follow it.
struct Copier {
    fold: bool,
    out: String,
    runs: Vec<Run>,
    cluster: String,
    cluster_source: Range<usize>,
    space: Option<(char, Range<usize>)>,
}

impl Copier {
    fn new(fold: bool) -> Self {
        Self {
            fold,
            out: String::new(),
            runs: Vec::new(),
            cluster: String::new(),
            cluster_source: 0..0,
            space: None,
        }
    }

    fn copy<'t>(mut self, text: &str) -> MatchCopy<'t> {
        self.out.reserve(text.len());
        for (at, c) in text.char_indices() {
            let source = at..at + c.len_utf8();
            if c.is_whitespace() {
                self.flush_cluster();
                self.take_space(c, source);
            } else if c.is_control() || is_invisible(c) {
                continue;
            } else if self.cluster.is_empty() || canonical_combining_class(c) == 0 {
                self.flush_cluster();
                self.flush_space();
                self.cluster.push(c);
                self.cluster_source = source;
            } else {
                self.cluster.push(c);
                self.cluster_source.end = source.end;
            }
        }
        self.flush_cluster();
        self.flush_space();
        MatchCopy { text: Cow::Owned(self.out), runs: self.runs }
    }

    /// A run of white space becomes a newline if it holds one, else a space.
    fn take_space(&mut self, c: char, source: Range<usize>) {
        let is_line_end = matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        match &mut self.space {
            Some((kind, range)) => {
                if is_line_end {
                    *kind = '\n';
                }
                range.end = source.end;
            }
            None => self.space = Some((if is_line_end { '\n' } else { ' ' }, source)),
        }
    }

    fn flush_space(&mut self) {
        if let Some((kind, source)) = self.space.take() {
            let at = self.out.len();
            self.out.push(kind);
            self.note(at, source.clone(), source.len() == 1);
        }
    }

    fn flush_cluster(&mut self) {
        if self.cluster.is_empty() {
            return;
        }
        let at = self.out.len();
        if self.cluster.len() == 1 {
            self.out.push_str(&self.cluster);
        } else if self.fold {
            let letters = self.cluster.nfkd().filter(|c| !matches!(c, '\u{300}'..='\u{36F}'));
            self.out.extend(letters.map(fold));
        } else {
            self.out.extend(self.cluster.nfkc());
        }
        let verbatim = self.out.get(at..).is_some_and(|copied| copied == self.cluster);
        let verbatim = verbatim && self.cluster.len() == self.cluster_source.len();
        self.note(at, self.cluster_source.clone(), verbatim);
        self.cluster.clear();
    }

    /// Records where `out[at..]` came from, joining it to the run before if both are verbatim.
    fn note(&mut self, at: usize, source: Range<usize>, verbatim: bool) {
        if let Some(last) = self.runs.last_mut()
            && last.verbatim
            && verbatim
            && last.source.end == source.start
        {
            last.source.end = source.end;
        } else if at < self.out.len() {
            self.runs.push(Run { at, source, verbatim });
        }
    }
}

/// The Latin letter that a Cyrillic, Greek, Armenian or other letter is easily taken for.
/// Full-width letters and mathematical alphabets are already folded by NFKD.
fn fold(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' => 'a',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'с' | 'ϲ' => 'c',
        'С' | 'Ϲ' => 'C',
        'ԁ' | 'ɗ' => 'd',
        'е' | 'ε' | 'ҽ' => 'e',
        'Е' | 'Ε' => 'E',
        'ɡ' | 'ց' => 'g',
        'һ' | 'հ' => 'h',
        'Н' | 'Η' => 'H',
        'і' | 'ι' | 'ı' | 'ɩ' => 'i',
        'І' | 'Ι' | 'Ӏ' => 'I',
        'ј' => 'j',
        'Ј' => 'J',
        'к' | 'κ' => 'k',
        'К' | 'Κ' => 'K',
        'ӏ' | 'ⅼ' => 'l',
        'М' | 'Μ' => 'M',
        'η' | 'ո' | 'п' => 'n',
        'Ν' => 'N',
        'о' | 'ο' | 'օ' | 'σ' => 'o',
        'О' | 'Ο' | 'Օ' => 'O',
        'р' | 'ρ' => 'p',
        'Р' | 'Ρ' => 'P',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'Ѕ' => 'S',
        'т' | 'τ' => 't',
        'Т' | 'Τ' => 'T',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ѡ' | 'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'Х' | 'Χ' => 'X',
        'у' | 'γ' => 'y',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        _ => c,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text with every kind of trouble: joiners, tags, marks, bidi, controls, look-alikes, emoji.
    pub(crate) fn troubled_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => "[a-zA-Z ]{1,8}",
            2 => any::<char>().prop_map(String::from),
            2 => prop::sample::select(vec![
                "\u{200B}", "\u{200C}", "\u{200D}", "\u{FE0F}", "\u{FE0E}", "\u{E0041}", "\u{301}",
                "\u{64B}", "\u{202E}", "\r", "\r\n", "\n", "\0", "\u{85}", "\u{2028}", "аео", "ﬁ",
                "👩‍👩‍👧", "❤️", "ب", "क्\u{200D}ष", "\u{1160}", "\u{1100}", "\u{212B}", "e\u{301}",
                "\u{2ADC}", "\u{338}", "=", "#",
            ]).prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn sanitising_removes_what_is_invisible_and_keeps_what_is_needed() {
        for (text, expected) in [
            ("plain\ttext\n", "plain\ttext\n"),
            ("ig\u{200B}no\u{2060}re", "ignore"),
            ("a\r\nb\rc\u{2028}d", "a\nb\nc\nd"),
            ("\u{202E}evil\u{202C}\u{E0041}\u{0}", "evil"),
            ("e\u{301}", "é"),
            ("e\u{200B}\u{301}", "é"),
            ("👩‍👩‍👧 ❤️ 1️⃣", "👩‍👩‍👧 ❤️ 1️⃣"),
            ("می\u{200C}خواهم", "می\u{200C}خواهم"),
            ("a\u{200D}b\u{FE0F}", "ab"),
        ] {
            assert_eq!(sanitise(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_folded_copy_sees_through_look_alikes_and_accents() {
        for (text, expected) in [
            ("іgnоrе", "ignore"),
            ("ｉｇｎｏｒｅ", "ignore"),
            ("𝒾𝑔𝓃𝑜𝓇𝑒", "ignore"),
            ("ïgñóré\u{AD}", "ignore"),
            ("a \t\u{3000} b\n \nc", "a b\nc"),
        ] {
            assert_eq!(MatchCopy::folded(text).text(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_range_of_a_copy_leads_back_to_the_text() {
        let text = "x іg\u{200B}nоrе y";
        let copy = MatchCopy::folded(text);
        let at = copy.text().find("ignore").unwrap();
        let source = copy.source(at..at + 6);
        assert_eq!(&text[source], "іg\u{200B}nоrе");
    }

    proptest! {
        #[test]
        fn screen_2_sanitising_twice_changes_nothing(text in troubled_text()) {
            let once = sanitise(&text).into_owned();
            prop_assert_eq!(sanitise(&once), once.as_str());
        }

        #[test]
        fn every_character_of_a_copy_leads_back_to_whole_characters(text in troubled_text()) {
            let (plain, folded) = MatchCopy::both(&text);
            for copy in std::iter::once(plain).chain(folded) {
                for (at, c) in copy.text().char_indices() {
                    let source = copy.source(at..at + c.len_utf8());
                    prop_assert!(text.get(source).is_some_and(|part| !part.is_empty()));
                }
            }
        }
    }
}
