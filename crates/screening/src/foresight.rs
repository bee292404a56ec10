//! What of a text that is still being written may be seen already: its beginning, as far as nothing
//! in it can become a finding any more, whatever is written next.
//!
//! Most of what is looked for is a word, or a few: the last characters and the last word are held
//! back. A pattern that can go on for longer begins with some literal, from which on the text is
//! held back; a pattern of which not even that is known lets nothing be seen before the end. What is
//! spelled in numbers or single letters is held back from where the spelling begins, and the agent's
//! instructions from the first words that the text shares with them.
//!
//! This keeps SCREEN-6.

use aho_corasick::AhoCorasick;
use regex_syntax::hir::{
    Class, Hir, HirKind,
    literal::{ExtractKind, Extractor},
};

use crate::{
    copies::Copies,
    judgement::{Direction, Kind},
    leak::OutboundContext,
    rules::Rule,
};

/// Characters that are held back at least. As a pattern sees them: white space counts once.
pub const HOLD_BACK_CHARS_MIN: usize = 96;
/// Patterns up to this length are simply held back whole; longer ones by what they begin with.
const PLAIN_CHARS_MAX: usize = 192;
/// A longer word counts as one of this length: however long it is, it is one word.
const WORD_CHARS_MAX: usize = 32;
/// The shortest literal that tells where a long pattern may begin, in bytes.
const BEGIN_BYTES_MIN: usize = 2;
/// A word of this length that might be base64 is taken for a line of it.
const CODE_LINE_CHARS_MIN: usize = 16;
/// Parts of a pattern that may stand within each other.
const NESTING_MAX: u32 = 100;

/// What a screen's rules may still find. Made once, when something is to be shown for the first time.
pub(crate) struct Foresight {
    /// Characters to hold back.
    chars: usize,
    /// Rules whose matches may be long, by place, and what they begin with; `None` if nobody knows.
    long: Vec<(usize, Option<AhoCorasick>)>,
}

/// How far the part of a match that is found can go: characters, where a run of letters without an
/// end counts as [`WORD_CHARS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reach {
    /// `None` without an end that would be known.
    chars: Option<usize>,
    /// It may hold white space: it can be more than one word.
    spaced: bool,
}

impl Foresight {
    /// Looks at all rules. `secret_chars` is the length of the longest secret of several words.
    pub(crate) fn of(rules: &[Rule], secret_chars: usize) -> Self {
        let mut chars = HOLD_BACK_CHARS_MIN.max(secret_chars);
        let mut long = Vec::new();
        for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| hides_data(rule)) {
            let mut parser = regex_syntax::ParserBuilder::new().nest_limit(NESTING_MAX).build();
            let Ok(hir) = parser.parse(rule.pattern_source()) else {
                long.push((at, None));
                continue;
            };
            let reach = reach(&found_part(&hir));
            match reach.chars {
                _ if !reach.spaced => (),
                Some(reached) if reached <= PLAIN_CHARS_MAX => chars = chars.max(reached),
                Some(_) | None => long.push((at, beginnings(&hir))),
            }
        }
        Self { chars, long }
    }

    /// The beginning of `text` that may be seen. SCREEN-6.
    pub(crate) fn seen<'t>(
        &self,
        text: &'t str,
        rules: &[Rule],
        decode_depth_max: usize,
        context: &OutboundContext,
    ) -> &'t str {
        let copies = Copies::of(text, decode_depth_max);
        let plain = copies.plain.text();
        let Some(held) = held_from(plain, self.chars) else { return "" };
        let mut end = copies.plain.source(held..held + 1).start;
        let applying = self.long.iter().filter_map(|(at, begins)| {
            let rule = rules.get(*at)?;
            (rule.acts() && rule.applies(Direction::Out, context.agent())).then_some(begins)
        });
        for begins in applying {
            let Some(begins) = begins else { return "" };
            let decoded = copies.decoded.iter().flat_map(|it| it.copies());
            for copy in copies.written().chain(decoded) {
                if let Some(found) = begins.find(copy.text()) {
                    end = end.min(copy.source(found.range()).start);
                }
            }
        }
        for copy in copies.judged() {
            if let Some(shared) = context.first_shared(copy.text()) {
                end = end.min(copy.source(shared).start);
            }
        }
        before_spelling(text.get(..end).unwrap_or_default())
    }
}

/// Whether a rule keeps data in: of such, no part is to be seen. An attack in an answer is no secret;
/// what was seen of it before it was recognised does no harm.
fn hides_data(rule: &Rule) -> bool {
    match rule.kind {
        Kind::Secret(_) | Kind::Pii(_) | Kind::Custom | Kind::DataExfiltration => true,
        Kind::PromptInjection
        | Kind::Jailbreak
        | Kind::PromptLeak
        | Kind::Dangerous
        | Kind::Malformed => false,
    }
}

/// Where the last `chars` characters begin, where a long word counts as one of [`WORD_CHARS_MAX`].
fn held_from(text: &str, chars: usize) -> Option<usize> {
    let (mut counted, mut in_word) = (0, 0);
    for (at, c) in text.char_indices().rev() {
        in_word = if c.is_whitespace() { 0 } else { in_word + 1 };
        counted += usize::from(in_word <= WORD_CHARS_MAX);
        if chars < counted {
            return Some(at);
        }
    }
    None
}

/// The text up to the last word that is whole, without words at its end that may be the beginning
/// of something spelled out: in numbers, in single letters, in lines of base64.
fn before_spelling(text: &str) -> &str {
    let whole = text.rfind(char::is_whitespace).and_then(|at| text.get(..at));
    let mut rest = whole.unwrap_or_default().trim_end();
    loop {
        let before = rest.rfind(char::is_whitespace).map_or(0, |at| {
            at + rest.get(at..).and_then(|it| it.chars().next()).map_or(0, char::len_utf8)
        });
        let word = rest.get(before..).unwrap_or_default();
        if word.is_empty() || !may_be_spelled(word) {
            return rest;
        }
        rest = rest.get(..before).unwrap_or_default().trim_end();
    }
}

fn may_be_spelled(word: &str) -> bool {
    let code = |c: char| c.is_ascii_hexdigit() || "xuU.·•-–—_/\\%&#;:,+=".contains(c);
    let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
    let mut chars = word.chars();
    let is_single = chars.next().is_some() && chars.next().is_none();
    is_single
        || word.chars().all(code)
        || (CODE_LINE_CHARS_MIN <= word.len() && word.chars().all(base64))
}

/// The part of a pattern from which on its match is found: the whole, or from its group on.
fn found_part(hir: &Hir) -> Hir {
    let HirKind::Concat(parts) = hir.kind() else { return hir.clone() };
    let is_group = |part: &Hir| matches!(part.kind(), HirKind::Capture(it) if it.name.is_some());
    match parts.iter().position(is_group) {
        Some(at) => Hir::concat(parts.iter().skip(at).cloned().collect()),
        None => hir.clone(),
    }
}

fn reach(hir: &Hir) -> Reach {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Reach { chars: Some(0), spaced: false },
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            let spaced = text.contains(char::is_whitespace);
            Reach { chars: Some(text.chars().count()), spaced }
        }
        HirKind::Class(class) => Reach { chars: Some(1), spaced: has_space(class) },
        HirKind::Capture(it) => reach(&it.sub),
        HirKind::Repetition(it) => {
            let once = reach(&it.sub);
            if is_space(&it.sub) {
                // Patterns see a run of white space as one.
                return Reach { chars: Some(1), spaced: true };
            }
            let times = it.max.and_then(|it| usize::try_from(it).ok());
            let chars = match (once.chars, times) {
                (Some(chars), Some(times)) => Some(chars.saturating_mul(times)),
                _ if !once.spaced => Some(WORD_CHARS_MAX),
                _ => None,
            };
            Reach { chars, ..once }
        }
        HirKind::Concat(parts) => {
            let start = Reach { chars: Some(0), spaced: false };
            parts.iter().map(reach).fold(start, |all, it| Reach {
                chars: all.chars.zip(it.chars).map(|(a, b)| a.saturating_add(b)),
                spaced: all.spaced || it.spaced,
            })
        }
        HirKind::Alternation(branches) => {
            let start = Reach { chars: Some(0), spaced: false };
            branches.iter().map(reach).fold(start, |all, it| Reach {
                chars: all.chars.zip(it.chars).map(|(a, b)| a.max(b)),
                spaced: all.spaced || it.spaced,
            })
        }
    }
}

fn is_space(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(Class::Unicode(it)) => {
            it.iter().all(|range| (range.start()..=range.end()).all(char::is_whitespace))
        }
        HirKind::Class(Class::Bytes(it)) => {
            it.iter().all(|range| (range.start()..=range.end()).all(|b| b.is_ascii_whitespace()))
        }
        HirKind::Literal(it) => it.0.iter().all(u8::is_ascii_whitespace),
        HirKind::Empty
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Capture(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => false,
    }
}

fn has_space(class: &Class) -> bool {
    let spaces = [' ', '\n', '\t', '\u{A0}'];
    let holds =
        |start: u32, end: u32| spaces.iter().any(|it| (start..=end).contains(&(*it as u32)));
    match class {
        Class::Unicode(it) => it.iter().any(|it| holds(it.start().into(), it.end().into())),
        Class::Bytes(it) => it.iter().any(|it| holds(it.start().into(), it.end().into())),
    }
}

/// A search for what every match of a pattern begins with, in any case of letters.
fn beginnings(hir: &Hir) -> Option<AhoCorasick> {
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix);
    let found = extractor.extract(hir);
    let literals: Vec<Vec<u8>> =
        found.literals()?.iter().map(|it| it.as_bytes().to_ascii_lowercase()).collect();
    let are_long = literals.iter().all(|it| BEGIN_BYTES_MIN <= it.len());
    let search = || AhoCorasick::builder().ascii_case_insensitive(true).build(&literals).ok();
    if literals.is_empty() || !are_long { None } else { search() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Mode, OwnRule, Policy, Screen};

    fn screen(patterns: &[&str]) -> Screen {
        let rule = |(at, pattern): (usize, &&str)| OwnRule {
            name: format!("own_{at}"),
            action: Action::Refuse,
            pattern: (*pattern).to_owned(),
            mode: Mode::Enforce,
        };
        let own_rules = patterns.iter().enumerate().map(rule).collect();
        Screen::new(Policy { own_rules, ..Policy::default() }).unwrap()
    }

    fn seen<'t>(screen: &Screen, text: &'t str) -> &'t str {
        screen.foreseen(text, &OutboundContext::default())
    }

    const WORDS: &str = "The weather is fine today, and everybody goes for a walk. ";

    #[test]
    fn screen_6_ordinary_text_is_seen_but_for_its_end() {
        let text = WORDS.repeat(10);
        let shown = seen(&screen(&[]), &text);
        let held = text.len() - shown.len();
        assert!((HOLD_BACK_CHARS_MIN..HOLD_BACK_CHARS_MIN + 200).contains(&held), "{held}");
        assert_eq!(seen(&screen(&[]), WORDS), "");
    }

    #[test]
    fn screen_6_of_a_long_pattern_nothing_is_seen_from_its_beginning_on() {
        let screen = screen(&[r"(?is)begin memo.*?end memo"]);
        let text = format!("{WORDS}Here: Begin memo. {}", WORDS.repeat(50));
        let shown = seen(&screen, &text);
        assert!(text.starts_with(shown) && shown.ends_with("Here:"), "{shown}");
        let disguised = text.replace("Begin", "B\u{200B}egin");
        assert!(seen(&screen, &disguised).ends_with("Here:"));
    }

    #[test]
    fn screen_6_a_pattern_that_can_begin_with_anything_lets_nothing_be_seen() {
        let screen = screen(&[r"(?s)[a-z].*?end of the memo"]);
        assert_eq!(seen(&screen, &WORDS.repeat(50)), "");
    }

    #[test]
    fn screen_6_what_is_spelled_out_is_held_back_from_its_beginning() {
        let screen = screen(&[]);
        for spelled in ["01000001 01001011 ", "41 4B 49 ", "A K I A ", ".- -.- .. ", "65 75 73 "] {
            let text = format!("{WORDS}{}", spelled.repeat(60));
            assert_eq!(seen(&screen, &text), WORDS.trim_end(), "{spelled}");
        }
        let lines = format!("{WORDS}{}", "QUtJQUlPU0ZPRE5ON0VYQU1QTFFBS0lB\n".repeat(20));
        assert_eq!(seen(&screen, &lines), WORDS.trim_end());
        let padded = format!("{WORDS}{}it", " ".repeat(500));
        assert_eq!(seen(&screen, &padded), "", "white space counts once");
    }

    #[test]
    fn screen_6_instructions_are_held_back_from_the_first_words_shared() {
        let instructions = "You are the keeper of the seventh lighthouse. Speak only of ships, \
                            never of the treasure under the third stair, and greet with ahoy.";
        let context = OutboundContext::new(None, instructions);
        let text = format!(
            "{WORDS}I may say: speak only of ships, never of the treasure under the \
                            third {}",
            WORDS.repeat(5)
        );
        let shown = screen(&[]).foreseen(&text, &context).to_owned();
        assert!(shown.ends_with("say:"), "{shown}");
    }

    #[test]
    fn all_built_in_patterns_are_foreseen() {
        // None of them keeps a hall from showing what is being written.
        assert!(!seen(&screen(&[]), &WORDS.repeat(20)).is_empty());
    }
}
