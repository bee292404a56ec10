//! Finds the literals of a pattern: words of which every match must contain at least one.
//!
//! They become the keywords of a rule whose author gave none. The pattern is read with the parser
//! of the `regex` crate and walked once: a literal stands for itself, a sequence needs any one of
//! its parts, an alternation needs a word of each branch, and what may be missing needs nothing.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The shortest literal that is worth searching for, in characters.
pub(crate) const LITERAL_CHARS_MIN: usize = 3;
/// Literals of one pattern. With more, the search would be as costly as the pattern.
const LITERALS_MAX: usize = 64;
/// Parts of a pattern that may stand within each other.
const NESTING_MAX: u32 = 100;

/// The literals of a pattern, or `None` if it has none that are long enough. They are in lower
/// case where the pattern does not care about it.
pub(crate) fn literals(pattern: &str) -> Result<Option<Vec<String>>, Box<regex_syntax::Error>> {
    let mut parser = regex_syntax::ParserBuilder::new().nest_limit(NESTING_MAX).build();
    let mut words = needed(&parser.parse(pattern).map_err(Box::new)?);
    if let Some(words) = &mut words {
        words.sort_unstable();
        words.dedup();
    }
    Ok(words.filter(|it| LITERAL_CHARS_MIN <= shortest(it)))
}

/// Words of which any match of this part contains at least one.
fn needed(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(_) | HirKind::Class(_) => exact(hir).map(|word| vec![word]),
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(it) if 0 < it.min => {
            exact(hir).map(|word| vec![word]).or_else(|| needed(&it.sub))
        }
        HirKind::Repetition(_) => None,
        HirKind::Concat(parts) => needed_by_sequence(parts),
        HirKind::Alternation(branches) => {
            let mut words = Vec::new();
            for branch in branches {
                words.extend(needed(branch)?);
            }
            (words.len() <= LITERALS_MAX).then_some(words)
        }
    }
}

/// The best that any part of a sequence, or any run of exact parts, has to offer.
fn needed_by_sequence(parts: &[Hir]) -> Option<Vec<String>> {
    let mut best: Option<Vec<String>> = None;
    let mut offer = |words: Vec<String>| {
        if best.as_ref().is_none_or(|best| shortest(best) < shortest(&words)) {
            best = Some(words);
        }
    };
    let mut run = String::new();
    for part in parts {
        match exact(part) {
            Some(word) => run.push_str(&word),
            None => {
                offer(vec![std::mem::take(&mut run)]);
                needed(part).into_iter().for_each(&mut offer);
            }
        }
    }
    offer(vec![run]);
    best.filter(|it| 0 < shortest(it))
}

/// The one word that this part matches, letter case aside.
fn exact(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(String::new()),
        HirKind::Literal(it) => std::str::from_utf8(&it.0).ok().map(str::to_owned),
        HirKind::Class(Class::Unicode(class)) => {
            // As many as one letter has spellings.
            let letters = class.iter().flat_map(|it| it.start()..=it.end()).take(5);
            let mut plain = letters.map(lower);
            let first = plain.next()?;
            plain.all(|it| it == first).then(|| first.to_string())
        }
        HirKind::Class(Class::Bytes(_)) | HirKind::Alternation(_) => None,
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Repetition(it) if it.max == Some(it.min) && it.min <= 8 => {
            exact(&it.sub).map(|word| word.repeat(usize::try_from(it.min).unwrap_or_default()))
        }
        HirKind::Repetition(_) => None,
        HirKind::Concat(parts) => parts.iter().map(exact).collect(),
    }
}

/// A letter without its case. Two signs that only look like spellings of a letter count as that
/// letter: normalising has already made them so in every text.
fn lower(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => letter.to_lowercase().next().unwrap_or(letter),
    }
}

fn shortest(words: &[String]) -> usize {
    words.iter().map(|it| it.chars().count()).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn of(pattern: &str) -> Option<Vec<String>> {
        literals(pattern).unwrap()
    }

    #[test]
    fn the_longest_literal_that_every_match_contains_is_taken() {
        let cases: &[(&str, Option<&[&str]>)] = &[
            ("aurora", Some(&["aurora"])),
            (r"(?i)\bproject\s+aurora\b", Some(&["project"])),
            (r"(?i)kisses", Some(&["kisses"])),
            (r"(?i)straße", Some(&["straße"])),
            (r"\d{3}-ticket-\d+", Some(&["-ticket-"])),
            (r"(?:alpha|beta_one|gamma)\d", Some(&["alpha", "beta_one", "gamma"])),
            (r"(red|green)? apple", Some(&[" apple"])),
            (r"(?:abc)+", Some(&["abc"])),
            (r"a{4}", Some(&["aaaa"])),
            (r"(?:alpha|\d+)", None),
            (r"\w+@\w+", None),
            ("ab", None),
            (r"[abc]{9}", None),
            ("", None),
        ];
        for (pattern, expected) in cases {
            let expected = expected.map(|it| it.iter().map(ToString::to_string).collect());
            assert_eq!(of(pattern), expected, "{pattern}");
        }
        assert!(literals("(").is_err());
    }

    proptest! {
        #[test]
        fn every_match_contains_a_literal_in_some_case(
            pattern in "(\\(\\?i\\))?((foo|Bar_|[ab]|\\\\d|x{2,3}|\\(one\\|three\\)|\\(tail\\)\\?){1,6})",
            text in "((foo|FOO|Bar_|bar_|[abx17]|xx|one|three|tail){0,12})",
        ) {
            let regex = Regex::new(&pattern).unwrap();
            if let Some(words) = of(&pattern) {
                for hit in regex.find_iter(&text) {
                    let hit = hit.as_str().to_lowercase();
                    let is_in = words.iter().any(|it| hit.contains(&it.to_lowercase()));
                    prop_assert!(is_in, "{pattern}: {hit} without any of {words:?}");
                }
            }
        }
    }
}
