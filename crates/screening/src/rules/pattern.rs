//! A rule's regular expression: checked when it is read, or compiled when it is first needed.
//!
//! An operator's expression is compiled at once, so that a bad one is refused. The built-in ones are
//! known to be good (a test compiles them all) and most of them never meet a text with one of their
//! keywords: each is compiled when it first does.

use std::{borrow::Cow, ops::Range, sync::OnceLock};

use regex::{Regex, RegexBuilder};

use super::RuleProblem;

/// The longest pattern, in bytes.
pub(super) const PATTERN_BYTES_MAX: usize = 4_096;
/// The largest compiled pattern, in bytes.
const COMPILED_BYTES_MAX: usize = 1 << 20;
/// The group that marks which part of a match is found. Without it, the whole match is.
const FOUND_GROUP: &str = "secret";
/// Words in a name that make its value a credential.
const CREDENTIAL_WORDS: &[&str] =
    &["key", "token", "secret", "pass", "pwd", "auth", "credential", "access", "cookie", "license"];

/// When a pattern is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compile {
    /// When the rule is read: the pattern may be bad.
    AtOnce,
    /// When it is first tried: the pattern is known to be good.
    WhenNeeded,
}

/// One rule's expression.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    source: String,
    /// `None` inside: the expression cannot be compiled. Only ever so with [`Compile::WhenNeeded`].
    compiled: OnceLock<Option<Regex>>,
}

/// What one match of a pattern covers.
pub(crate) struct Hit {
    /// The whole match.
    pub(crate) matched: Range<usize>,
    /// The part of it that is found.
    pub(crate) found: Range<usize>,
}

impl Pattern {
    /// Takes a pattern as written in a rule.
    pub(super) fn new(written: &str, when: Compile) -> Result<Self, RuleProblem> {
        if PATTERN_BYTES_MAX < written.len() {
            return Err(RuleProblem::PatternTooLong);
        }
        let pattern =
            Self { source: with_quick_boundaries(written).into_owned(), compiled: OnceLock::new() };
        if when == Compile::WhenNeeded {
            return Ok(pattern);
        }
        let regex =
            compile(&pattern.source).map_err(|error| RuleProblem::BadPattern(Box::new(error)))?;
        if regex.is_match("") {
            return Err(RuleProblem::PatternMatchesNothing);
        }
        Ok(Self { compiled: OnceLock::from(Some(regex)), ..pattern })
    }

    /// Where the pattern matches, one match after the other. Empty matches are left out.
    pub(crate) fn hits<'p>(&'p self, text: &'p str) -> impl Iterator<Item = Hit> + 'p {
        let regex = self.regex();
        let marked = regex.filter(|regex| 1 < regex.captures_len());
        let whole = regex.filter(|regex| regex.captures_len() <= 1);
        let marked = marked.into_iter().flat_map(move |regex| {
            regex.captures_iter(text).filter_map(|groups| {
                let matched = groups.get(0)?.range();
                let found = groups.name(FOUND_GROUP).map_or(matched.clone(), |part| part.range());
                Some(Hit { matched, found })
            })
        });
        let whole = whole.into_iter().flat_map(move |regex| {
            regex.find_iter(text).map(|hit| Hit { matched: hit.range(), found: hit.range() })
        });
        marked.chain(whole).filter(|hit| !hit.found.is_empty())
    }

    /// The expression, as it is compiled.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compile(&self.source).ok()).as_ref()
    }

    /// Why a pattern that is compiled when needed is no good, for the test that tries them all.
    #[cfg(test)]
    pub(super) fn fault(&self) -> Option<String> {
        match compile(&self.source) {
            Err(error) => Some(error.to_string()),
            Ok(regex) => regex.is_match("").then(|| "it matches the empty text".to_owned()),
        }
    }
}

fn compile(source: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(source)
        .size_limit(COMPILED_BYTES_MAX)
        .dfa_size_limit(COMPILED_BYTES_MAX)
        .build()
}

/// The expression for a value that is assigned to a name with one of `words` in it: in a shell, in
/// code, in YAML, JSON, a header, an argument or a sentence. The name must also say that its value
/// is a credential, and the value must end where `value` ends.
pub(super) fn assignment(words: &[String], value: &str) -> String {
    let says_so =
        |word: &&String| CREDENTIAL_WORDS.iter().any(|credential| word.contains(credential));
    let (names, services): (Vec<&String>, Vec<&String>) = words.iter().partition(says_so);
    let alternatives = |words: &[&String]| {
        let words: Vec<String> = words.iter().map(|word| in_any_style(word)).collect();
        words.join("|")
    };
    let credential = CREDENTIAL_WORDS.join("|");
    let suffix = "(?:[ -](?:id|key|value|code))?";
    let mut name = Vec::new();
    if !names.is_empty() {
        name.push(format!("(?:{})[ -~\n]{{0,24}}?", alternatives(&names)));
    }
    if !services.is_empty() {
        name.push(format!(
            "(?:{})[ -~\n]{{0,60}}?(?:{credential})[A-Za-z0-9_]{{0,16}}{suffix}",
            alternatives(&services)
        ));
    }
    // Lists of variables have the name and the value in two fields.
    let field = r#"(?:["'\\]{0,2},?[ \n]["'\\]{0,2}value)?"#;
    // Between name and value: quotes, then a sign of assignment, or at least a gap.
    let signs = r"(?:=>|:=|={1,3}|:|,|->|is\b)";
    let gap = r#"[\\"'`)\]]{0,3}(?:[ \n]?SIGNS[ \n"'`\\(\[<]{0,4}|[ \n("'`\[\\]{1,3})"#;
    let gap = gap.replace("SIGNS", signs);
    let scheme = r"(?:(?i-u:bearer|token|basic)[ =])?";
    format!(
        "(?i:{}){field}{gap}{scheme}(?P<{FOUND_GROUP}>{value})(?:[^A-Za-z0-9_/+=-]|$)",
        name.join("|")
    )
}

/// An expression for a word of a name in snake case, kebab case, camel case or with spaces.
fn in_any_style(word: &str) -> String {
    let parts: Vec<String> = word.split(['_', '-']).map(regex::escape).collect();
    let joined = parts.join("[_ .-]?");
    // A word that ends with the joint does so to say that it must not go on.
    joined.strip_suffix('?').map_or(joined.clone(), str::to_owned)
}

/// The keywords for a word of a name: the word as [`assignment`] matches it.
pub(super) fn styles(word: &str) -> Vec<String> {
    let ends = word.ends_with(['_', '-']);
    let joints = ["_", " ", "-", ".", ""];
    let joints = joints.iter().filter(|joint| !(ends && joint.is_empty()));
    let mut styles: Vec<String> = joints.map(|joint| word.replace(['_', '-'], joint)).collect();
    styles.sort();
    styles.dedup();
    styles
}

/// Makes `\b` look at ASCII only, in a pattern that is itself ASCII: the quick matcher gives up on
/// text of other scripts otherwise, and the slow one takes a hundred times longer.
fn with_quick_boundaries(pattern: &str) -> Cow<'_, str> {
    if !pattern.is_ascii() || !pattern.contains("\\b") {
        return Cow::Borrowed(pattern);
    }
    let mut quick = String::with_capacity(pattern.len() + 32);
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some('b')) => {
                rest.next();
                // `\b{start}` and its kin are left as they are.
                quick.push_str(if rest.peek() == Some(&'{') { "\\b" } else { "(?-u:\\b)" });
            }
            ('\\', Some(_)) => {
                quick.push(c);
                quick.extend(rest.next());
            }
            (_, Some(_) | None) => quick.push(c),
        }
    }
    Cow::Owned(quick)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_of_ascii_patterns_are_quick() {
        for (pattern, quick) in [
            (r"\bkey\b", r"(?-u:\b)key(?-u:\b)"),
            (r"\\b\w", r"\\b\w"),
            (r"\b{start}a", r"\b{start}a"),
            (r"\bслово", r"\bслово"),
        ] {
            assert_eq!(with_quick_boundaries(pattern), quick);
        }
    }

    #[test]
    fn only_the_marked_group_of_a_match_is_found() {
        for (written, found) in [
            (r"key=(?P<secret>[0-9]+)", "42"),
            (r"key=([0-9]+)", "key=42"),
            (r"key=[0-9]+", "key=42"),
        ] {
            for when in [Compile::AtOnce, Compile::WhenNeeded] {
                let text = "a key=42 b";
                let pattern = Pattern::new(written, when).unwrap();
                let hits: Vec<&str> = pattern.hits(text).map(|hit| &text[hit.found]).collect();
                assert_eq!(hits, [found], "{written}");
            }
        }
    }

    #[test]
    fn an_assignment_is_seen_in_every_notation() {
        let words = ["acme".to_owned(), "x_acme_key".to_owned()];
        let source = assignment(&words, "[a-f0-9]{8}");
        let pattern = Pattern::new(&source, Compile::AtOnce).unwrap();
        for text in [
            "ACME_API_KEY=0a1b2c3d",
            "export ACME_TOKEN=\"0a1b2c3d\"",
            "acme:\n api_key: 0a1b2c3d",
            "{\"acmeApiKey\": \"0a1b2c3d\"}",
            "{\\\"acme_key\\\":\\\"0a1b2c3d\\\"}",
            "config['acme_secret'] = '0a1b2c3d'",
            "client = Acme(api_key=\"0a1b2c3d\")",
            "curl -H 'X-Acme-Key: 0a1b2c3d' https://x.example",
            "https://api.acme.example/v1?token=0a1b2c3d&x=1",
            "setAcmeKey(\"0a1b2c3d\");",
            "my acme key is 0a1b2c3d.",
            "the acme access token 0a1b2c3d",
            "acme auth: Bearer 0a1b2c3d",
            "the acme token id is 0a1b2c3d",
            "my x acme key is 0a1b2c3d",
            "- name: ACME_KEY\nvalue: 0a1b2c3d",
            "{\"name\": \"ACME_KEY\", \"value\": \"0a1b2c3d\"}",
        ] {
            let hits: Vec<&str> = pattern.hits(text).map(|hit| &text[hit.found]).collect();
            assert_eq!(hits, ["0a1b2c3d"], "{text}");
        }
        for text in [
            "acme commit 0a1b2c3d",
            "ACME_API_KEY=0a1b2c3d4e5f",
            "the key 0a1b2c3d",
            "ACME_API_KEY=<yours>",
        ] {
            assert_eq!(pattern.hits(text).count(), 0, "{text}");
        }
    }
}
