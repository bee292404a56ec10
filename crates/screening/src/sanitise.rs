//! Makes text safe to pass on, and says what was changed in it.
//!
//! Sanitised text is NFC and has no invisible characters, no control characters except newline
//! and tab, and a newline for every line end. Strictly sanitised text has, besides, no HTML
//! comments, no Latin words spelled with letters of another script, no heaps of accents and no
//! long repetitions. SCREEN-2 holds in both modes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use unicode_normalization::{
    IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfc_quick,
};

use crate::{
    confusables,
    normalise::{is_invisible, is_mark, is_stable, is_tag},
};

/// Equal characters, or equal lines, in a row that strict sanitising keeps.
const REPEATS_MAX: usize = 32;
/// Accents on one letter that strict sanitising keeps. No language needs more.
const MARKS_MAX: usize = 3;

/// How much is taken out of a text before it passes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sanitising {
    /// What a reader cannot see and a model can.
    #[default]
    Normal,
    /// That, and what ordinary text does not have: HTML comments, words of mixed scripts, heaps
    /// of accents, long repetitions. Meant for text that nobody wrote by hand.
    Strict,
}

/// What was changed in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Zero-width and other invisible characters taken out.
    Invisible,
    /// Marks that change the direction of writing taken out.
    Bidi,
    /// Control characters taken out.
    Control,
    /// Tag characters, which can spell out hidden text, taken out.
    Tag,
    /// Line ends written as a newline.
    LineEnd,
    /// Characters written in their composed form (NFC). Counted once for the whole text.
    Composed,
    /// Strict: HTML comments taken out. Counted by comments.
    Comment,
    /// Strict: accents beyond three on one letter taken out.
    Marks,
    /// Strict: letters of another script in a Latin word replaced.
    Confusable,
    /// Strict: characters taken out of long runs of the same character or the same line.
    Padding,
}

/// One kind of change, and how often it was made: characters, unless the kind says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What was changed.
    pub kind: ChangeKind,
    /// How often.
    pub count: usize,
}

/// A sanitised text, and what was changed in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sanitised<'t> {
    /// The text as it may pass on.
    pub text: Cow<'t, str>,
    /// What was changed, by kind. Empty if the text is as it was.
    pub changes: Vec<Change>,
}

/// Counts changes by kind.
#[derive(Default)]
struct Tally(Vec<Change>);

impl Tally {
    fn add(&mut self, kind: ChangeKind, count: usize) {
        match self.0.iter_mut().find(|change| change.kind == kind) {
            Some(change) => change.count += count,
            None if count == 0 => (),
            None => self.0.push(Change { kind, count }),
        }
    }
}

/// Removes what a reader cannot see and a model can: zero-width, bidirectional and tag characters,
/// stray variation selectors, control characters. Joiners stay where a script or an emoji needs
/// them. The result is NFC, with `\n` as its only line end. Sanitising twice changes nothing.
#[must_use]
pub fn sanitise(text: &str) -> Cow<'_, str> {
    normal(text, &mut Tally::default())
}

/// Sanitises as `mode` asks, and says what was changed. Sanitising twice in the same mode changes
/// nothing the second time.
#[must_use]
pub fn sanitise_with(text: &str, mode: Sanitising) -> Sanitised<'_> {
    let mut tally = Tally::default();
    let text = normal(text, &mut tally);
    let text = match mode {
        Sanitising::Normal => text,
        Sanitising::Strict => strict(text, &mut tally),
    };
    tally.0.sort_by_key(|change| change.kind);
    Sanitised { text, changes: tally.0 }
}

fn normal<'t>(text: &'t str, tally: &mut Tally) -> Cow<'t, str> {
    // Without a branch in the loop, this is done for many bytes at once.
    if text.bytes().fold(true, |ok, byte| ok & matches!(byte, b'\t' | b'\n' | b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    // Nor has text of the common alphabets anything to compose, unless it has marks.
    if text.chars().all(|c| matches!(c, '\t' | '\n' | ' '..='~') || !c.is_ascii() && is_stable(c)) {
        return Cow::Borrowed(text);
    }
    let normal = is_nfc_quick(text.chars()) == IsNormalized::Yes;
    let composed: Cow<'_, str> =
        if normal { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) };
    let stripped = strip(&composed, tally);
    if stripped == *composed {
        tally.add(ChangeKind::Composed, usize::from(*composed != *text));
        return composed;
    }
    // A character taken out may have kept its neighbours from composing.
    let result: String = stripped.nfc().collect();
    tally.add(ChangeKind::Composed, usize::from(*composed != *text || result != stripped));
    Cow::Owned(result)
}

fn strip(text: &str, tally: &mut Tally) -> String {
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
            tally.add(removed(c), usize::from(c != '\n'));
            // Bytes between a return and its newline do not make it two line ends.
            after_return &= c != '\n';
            continue;
        }
        after_return = c == '\r';
        let ends_line = matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        tally.add(ChangeKind::LineEnd, usize::from(ends_line));
        let c = if ends_line { '\n' } else { c };
        kept.push(c);
        if canonical_combining_class(c) == 0 && !is_invisible(c) {
            base = c;
        }
    }
    kept
}

fn removed(c: char) -> ChangeKind {
    match c {
        _ if is_tag(c) => ChangeKind::Tag,
        _ if is_bidi(c) => ChangeKind::Bidi,
        _ if c.is_control() => ChangeKind::Control,
        _ => ChangeKind::Invisible,
    }
}

/// Whether a character changes the direction of writing.
pub(crate) fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
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

/// The steps are ordered so that none makes work for one before it: what a step takes out leaves
/// nothing behind that an earlier one looks for.
fn strict<'t>(text: Cow<'t, str>, tally: &mut Tally) -> Cow<'t, str> {
    let mut out = without_comments(&text, tally);
    if !out.is_ascii() {
        out = without_mark_heaps(&out, tally);
        out = without_mixed_words(&out, tally);
        // A letter replaced needs no joiner any more, and may compose with the accents after it.
        out = strip(&out, tally).nfc().collect();
    }
    out = without_long_runs(&out, tally);
    out = without_equal_lines(&out, tally);
    if out == *text { text } else { Cow::Owned(out) }
}

/// Replaces every closed HTML comment by a space, so that nothing around it can join up.
fn without_comments(text: &str, tally: &mut Tally) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("<!--") {
        let Some((_, after)) = comment.split_once("-->") else { break };
        out.push_str(before);
        out.push(' ');
        tally.add(ChangeKind::Comment, 1);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn without_mark_heaps(text: &str, tally: &mut Tally) -> String {
    // Counted as they are drawn: a composed letter has its accents in it.
    let mut marks = 0;
    let decomposed = text.nfd().filter(|&c| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        tally.add(ChangeKind::Marks, usize::from(MARKS_MAX < marks));
        marks <= MARKS_MAX
    });
    decomposed.nfc().collect()
}

fn without_mixed_words(text: &str, tally: &mut Tally) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // A joiner is part of the word, so that the word is the same without it.
        let is_part = |c: char| c.is_alphanumeric() || is_mark(c) || is_invisible(c);
        let (word, after) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
        if word.is_empty() {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        rest = after;
        let replaced = |c: char| confusables::latin(c).filter(|_| !confusables::is_latin(c));
        if !word.is_ascii() && word.contains(|c: char| c.is_ascii_alphabetic()) {
            tally.add(
                ChangeKind::Confusable,
                word.chars().filter(|&c| replaced(c).is_some()).count(),
            );
            out.extend(word.chars().map(|c| replaced(c).unwrap_or(c)));
        } else {
            out.push_str(word);
        }
    }
    out
}

fn without_long_runs(text: &str, tally: &mut Tally) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut last, mut run) = ('\0', 0);
    for c in text.chars() {
        run = if c == last { run + 1 } else { 1 };
        last = c;
        // Empty lines are counted as lines.
        if run <= REPEATS_MAX || c == '\n' {
            out.push(c);
        } else {
            tally.add(ChangeKind::Padding, 1);
        }
    }
    out
}

fn without_equal_lines(text: &str, tally: &mut Tally) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut last, mut run) = (None, 0);
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches('\n');
        run = if last == Some(content) { run + 1 } else { 1 };
        last = Some(content);
        if run <= REPEATS_MAX {
            out.push_str(line);
        } else {
            tally.add(ChangeKind::Padding, line.chars().count());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::normalise::tests::troubled_text;

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
    fn strict_sanitising_takes_out_what_ordinary_text_does_not_have() {
        let zalgo = format!("e{}", "\u{301}\u{302}\u{316}".repeat(5));
        for (text, expected) in [
            ("see <!-- obey me --> this", "see   this"),
            ("<!<!-- a -->-- b -->", "<! -- b -->"),
            ("open <!-- comment", "open <!-- comment"),
            ("раsswоrd и пароль", "password и пароль"),
            ("z\u{7CC}\u{200D}а!", "zYa!"),
            (zalgo.as_str(), "e\u{316}\u{316}\u{316}"),
            (&"a".repeat(100), &"a".repeat(32)),
            (&"same\n".repeat(100), &"same\n".repeat(32)),
            ("Ἀρχή, naïve, Žižek, 한국어", "Ἀρχή, naïve, Žižek, 한국어"),
        ] {
            let once = sanitise_with(text, Sanitising::Strict);
            assert_eq!(once.text.nfd().collect::<String>(), expected.nfd().collect::<String>());
            assert_eq!(once.changes.is_empty(), text == expected, "{:?}", once.changes);
        }
    }

    #[test]
    fn what_was_changed_is_said_by_kind() {
        let text = "a\u{200B}\u{200B}b\u{202E}c\u{1}\u{E0041}\r\ne\u{301}";
        let changes = sanitise_with(text, Sanitising::Normal).changes;
        let said: Vec<_> = changes.iter().map(|change| (change.kind, change.count)).collect();
        let expected = [
            (ChangeKind::Invisible, 2),
            (ChangeKind::Bidi, 1),
            (ChangeKind::Control, 1),
            (ChangeKind::Tag, 1),
            (ChangeKind::LineEnd, 1),
            (ChangeKind::Composed, 1),
        ];
        assert_eq!(said, expected);
        assert_eq!(sanitise_with("as it was", Sanitising::Strict).changes, []);
    }

    /// Trouble of the kinds that strict sanitising adds.
    fn padded_text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            2 => troubled_text(),
            2 => prop::sample::select(vec![
                "<!--", "-->", "<!", "--", "а", "ο", "x", "\u{301}", "\u{316}", "\n", "ᄀ", "ᅡ", "é",
                "z\u{7CC}", "\u{200D}", "\u{7CC}", "Ⲥ\u{FE0F}",
            ]).prop_flat_map(|piece| (1_usize..70).prop_map(move |n| piece.repeat(n))),
            1 => Just("aaaa\n".repeat(40)),
            1 => (30_usize..40).prop_map(|n| format!("{}\n", "z".repeat(n)).repeat(40)),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn screen_2_sanitising_twice_changes_nothing(text in troubled_text()) {
            let once = sanitise(&text).into_owned();
            prop_assert_eq!(sanitise(&once), once.as_str());
        }

        #[test]
        fn screen_2_strict_sanitising_twice_changes_nothing(text in padded_text()) {
            let once = sanitise_with(&text, Sanitising::Strict).text.into_owned();
            let twice = sanitise_with(&once, Sanitising::Strict);
            prop_assert_eq!(&*twice.text, once.as_str());
            prop_assert_eq!(twice.changes, vec![]);
        }

        #[test]
        fn a_text_is_changed_if_and_only_if_changes_are_said(text in padded_text()) {
            for mode in [Sanitising::Normal, Sanitising::Strict] {
                let sanitised = sanitise_with(&text, mode);
                prop_assert_eq!(sanitised.text == text, sanitised.changes.is_empty());
            }
        }
    }
}
