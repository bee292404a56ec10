//! Makes the copies that rules are matched against.
//!
//! Besides the sanitised text, which passes on (`sanitise`), a text has these forms:
//! - *plain*: NFKC, nothing invisible at all, runs of white space collapsed;
//! - *folded*: plain, and in words that look Latin, accents removed and look-alike letters
//!   replaced by Latin ones (`confusables`);
//! - *decoded*: what an encoded part of the text says (`decode`).
//!
//! A `MatchCopy` remembers which bytes of the received text each of its bytes came from, through
//! as many forms as it takes.

use std::{borrow::Cow, ops::Range, sync::Arc};

use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

use crate::confusables;

/// Whether a character takes no room on the screen. Control characters are not among them.
pub(crate) fn is_invisible(c: char) -> bool {
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
#[derive(Clone)]
pub(crate) struct MatchCopy<'t> {
    text: Cow<'t, str>,
    /// The ways back, the last step first: each leads from one form of the text to the form it was
    /// made from. None when the copy is the text itself.
    layers: Vec<Arc<Vec<Run>>>,
}

/// A stretch of a copy. Verbatim, its bytes are those of `source`; otherwise it stands for all of
/// `source` at once. Runs are kept by `at`, and their sources go one way, up or down.
pub(crate) struct Run {
    at: usize,
    source: Range<usize>,
    verbatim: bool,
}

impl Run {
    /// Where the byte at `at`, which lies in the run, came from.
    fn place(&self, at: usize) -> Range<usize> {
        if self.verbatim {
            let start = self.source.start + (at - self.at);
            start..start + 1
        } else {
            self.source.clone()
        }
    }
}

impl<'t> MatchCopy<'t> {
    /// The text itself, as a copy.
    pub(crate) fn verbatim(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), layers: Vec::new() }
    }

    /// The plain copy, and the folded one if it is any different.
    pub(crate) fn both(text: &'t str) -> (Self, Option<Self>) {
        let verbatim = Self::verbatim(text);
        verbatim.normalised().unwrap_or((verbatim, None))
    }

    /// The plain and the folded copy of what this copy says, with the way back to the text that
    /// this copy was made from. `None` if it is its own plain copy.
    pub(crate) fn normalised<'r>(&self) -> Option<(MatchCopy<'r>, Option<MatchCopy<'r>>)> {
        if is_simple(&self.text) {
            return None;
        }
        let plain = self.rewritten(Copier::new(false).copy(&self.text));
        if plain.text.is_ascii() {
            return Some((plain, None));
        }
        let folded = self.rewritten(Copier::new(true).copy(&self.text));
        let differs = folded.text != plain.text;
        Some((plain, differs.then_some(folded)))
    }

    /// The folded copy alone, which is the plain one where nothing needs folding.
    pub(crate) fn folded(text: &'t str) -> Self {
        let (plain, folded) = Self::both(text);
        folded.unwrap_or(plain)
    }

    /// A copy of this copy, as `rewrite` has changed it.
    pub(crate) fn rewritten<'r>(&self, rewrite: Rewrite) -> MatchCopy<'r> {
        let mut layers = Vec::with_capacity(self.layers.len() + 1);
        layers.push(Arc::new(rewrite.runs));
        layers.extend(self.layers.iter().map(Arc::clone));
        MatchCopy { text: Cow::Owned(rewrite.text), layers }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Which bytes of the received text a range of the copy came from. Widened to whole
    /// characters; `range` must lie inside the copy and must not be empty.
    pub(crate) fn source(&self, range: Range<usize>) -> Range<usize> {
        self.layers.iter().fold(range, |range, runs| {
            let last = range.end.saturating_sub(1).max(range.start);
            match (place(runs, range.start), place(runs, last)) {
                (Some(a), Some(b)) => a.start.min(b.start)..a.end.max(b.end),
                (Some(_) | None, _) => range,
            }
        })
    }
}

fn place(runs: &[Run], at: usize) -> Option<Range<usize>> {
    let after = runs.partition_point(|run| run.at <= at);
    runs.get(after.checked_sub(1)?).map(|run| run.place(at))
}

/// A text as it is being written from another one, with the way back.
#[derive(Default)]
pub(crate) struct Rewrite {
    text: String,
    runs: Vec<Run>,
}

impl Rewrite {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), runs: Vec::new() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Appends `part`, which is what stands at `source`.
    pub(crate) fn keep(&mut self, part: &str, source: Range<usize>) {
        let at = self.text.len();
        self.text.push_str(part);
        self.note(at, source, true);
    }

    /// Appends `part`, which stands for all of `source`.
    pub(crate) fn replace(&mut self, part: &str, source: Range<usize>) {
        let at = self.text.len();
        self.text.push_str(part);
        self.note(at, source, false);
    }

    /// Records where `text[at..]` came from, joining it to the run before if both are verbatim.
    fn note(&mut self, at: usize, source: Range<usize>, verbatim: bool) {
        if let Some(last) = self.runs.last_mut()
            && last.verbatim
            && verbatim
            && last.source.end == source.start
        {
            last.source.end = source.end;
        } else if at < self.text.len() {
            self.runs.push(Run { at, source, verbatim });
        }
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

/// Whether NFKC leaves a character as it is, unless a mark follows it, and it is no mark itself. True only of the blocks that most
/// texts are written in; of the others it is not asked.
pub(crate) fn is_stable(c: char) -> bool {
    matches!(c, '\0'..='\x7F' | '\u{DF}'..='\u{FF}' | '\u{400}'..='\u{45F}' | '\u{5D0}'..='\u{5EA}' | '\u{620}'..='\u{64A}'
        | '\u{E01}'..='\u{E30}' | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}'
        | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}')
}

/// Builds one copy, cluster by cluster: a character and the marks that follow it.
struct Copier {
    fold: bool,
    rewrite: Rewrite,
    cluster: String,
    cluster_source: Range<usize>,
    space: Option<(char, Range<usize>)>,
    /// Where the present word ends in the text, and whether it is folded.
    word_end: usize,
    word_folds: bool,
    /// Whether the cluster that waits belongs to a word that is folded.
    cluster_folds: bool,
}

impl Copier {
    fn new(fold: bool) -> Self {
        Self {
            fold,
            rewrite: Rewrite::default(),
            cluster: String::new(),
            cluster_source: 0..0,
            space: None,
            word_end: 0,
            word_folds: false,
            cluster_folds: false,
        }
    }

    fn copy(mut self, text: &str) -> Rewrite {
        self.rewrite.text.reserve(text.len());
        let mut done = 0;
        for (at, c) in text.char_indices() {
            if at < done {
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            let steady = if c.is_whitespace() { 0 } else { self.steady_len(rest, at) };
            let source = at..at + c.len_utf8();
            if 0 < steady {
                self.flush_cluster();
                self.flush_space();
                let stretch = rest.get(..steady).unwrap_or_default();
                self.rewrite.keep(stretch, at..at + steady);
                done = at + steady;
            } else if c.is_whitespace() {
                self.flush_cluster();
                self.take_space(c, source);
            } else if c.is_control() || is_invisible(c) {
                continue;
            } else if self.cluster.is_empty() || canonical_combining_class(c) == 0 && !is_mark(c) {
                self.flush_cluster();
                self.flush_space();
                self.begin_word(rest, at);
                self.cluster.push(c);
                self.cluster_folds = self.word_folds && at < self.word_end;
                self.cluster_source = source;
            } else {
                self.cluster.push(c);
                self.cluster_source.end = source.end;
            }
        }
        self.flush_cluster();
        self.flush_space();
        self.rewrite
    }

    /// How many bytes from here on are copied as they are: letters and signs that nothing changes,
    /// with single white space between them, up to where a mark may follow.
    fn steady_len(&mut self, rest: &str, at: usize) -> usize {
        let Some(first) = rest.chars().next() else { return 0 };
        let (mut len, mut last) = (0, '\0');
        if first.is_ascii() {
            for byte in rest.bytes() {
                let c = char::from(byte);
                let is_space = matches!(c, ' ' | '\n');
                if !(c.is_ascii_graphic() || is_space && !matches!(last, ' ' | '\n')) {
                    break;
                }
                (len, last) = (len + 1, c);
            }
            // The rest decides what becomes of the last one.
            let is_end = len == rest.len() && !matches!(last, ' ' | '\n');
            return if is_end { len } else { len.saturating_sub(2) };
        }
        if !is_stable(first) {
            return 0;
        }
        self.begin_word(rest, at);
        if self.fold && self.word_folds && at < self.word_end {
            return 0;
        }
        let limit = if self.fold { self.word_end.saturating_sub(at) } else { usize::MAX };
        for c in rest.chars().take_while(|&c| !c.is_ascii() && is_stable(c)) {
            if limit <= len {
                break;
            }
            (len, last) = (len + c.len_utf8(), c);
        }
        match rest.get(len..).and_then(|rest| rest.chars().next()) {
            Some(next) if !next.is_ascii() && !is_stable(next) => len - last.len_utf8(),
            Some(_) | None => len,
        }
    }

    /// Looks ahead to the end of a word that begins at `at`, to decide whether it is folded: a
    /// word that has Latin letters is, and one that has only such as look Latin. A word that is
    /// plainly of another script is left as it is.
    fn begin_word(&mut self, rest: &str, at: usize) {
        if !self.fold || at < self.word_end {
            return;
        }
        let (mut end, mut is_latin, mut is_alike) = (at, false, true);
        for c in rest.chars() {
            if c.is_ascii_alphabetic() {
                is_latin = true;
            } else if c.is_alphabetic() {
                is_latin |= confusables::is_latin(c);
                is_alike &= is_latin || confusables::is_confusable(c);
            } else if !c.is_alphanumeric() && !is_mark(c) && !is_invisible(c) {
                break;
            }
            end += c.len_utf8();
        }
        self.word_end = end;
        self.word_folds = is_latin || is_alike;
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
            let at = self.rewrite.text.len();
            self.rewrite.text.push(kind);
            self.rewrite.note(at, source.clone(), source.len() == 1);
        }
    }

    fn flush_cluster(&mut self) {
        let Some(first) = self.cluster.chars().next() else { return };
        let at = self.rewrite.text.len();
        let is_single = self.cluster.len() == first.len_utf8();
        let folds = self.fold && (self.cluster_folds || confusables::is_enclosed(first));
        if first.is_ascii() && is_single || is_single && !folds && is_stable(first) {
            self.rewrite.text.push(first);
        } else if !folds {
            self.rewrite.text.extend(self.cluster.nfkc());
        } else if is_single && let Some(latin) = confusables::latin(first) {
            self.rewrite.text.push(latin);
        } else {
            let letters = self.cluster.nfkd().filter(|&c| !is_mark(c));
            self.rewrite.text.extend(letters.map(|c| confusables::latin(c).unwrap_or(c)));
        }
        let copied = self.rewrite.text.get(at..);
        let verbatim = copied.is_some_and(|copied| copied == self.cluster);
        let verbatim = verbatim && self.cluster.len() == self.cluster_source.len();
        self.rewrite.note(at, self.cluster_source.clone(), verbatim);
        self.cluster.clear();
    }
}

/// Whether a character is a mark that is drawn over or around a letter of any script: accents,
/// strokes, enclosing circles.
pub(crate) fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
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
