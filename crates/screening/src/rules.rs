//! Reads rule files: TOML with one `[[rule]]` table per rule, built in or the operator's own.
//!
//! A rule is a regular expression (linear time, of limited size) behind a list of keywords: the
//! expression runs only on texts in which a keyword occurs. Every rule brings examples of what it
//! must match and what it must let pass.
//!
//! Keys that only some rules need:
//! - `entropy_min`, `classes_min`, `allow`: what a match must show besides its form (`evidence`);
//! - `assigned_to`: words of the name the pattern's value is assigned to (`pattern`); they are the
//!   keywords too, unless the rule has its own;
//! - `keywords_exact`: keywords count only as written, not in other case.
//!
//! A rule's `mode` says how far it has come: `test` is read and tried but never applied, `shadow` is
//! judged and its findings are reported without being acted upon, `enforce` (the default) is acted
//! upon.

mod evidence;
mod pattern;

use std::{ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

pub(crate) use self::pattern::Compile;
use self::{
    evidence::Evidence,
    pattern::{PATTERN_BYTES_MAX, Pattern, assignment, styles},
};
use crate::judgement::{Action, Direction, Kind, Severity};

/// Rules in all files together. More are an error.
pub(crate) const RULES_MAX: usize = 2_000;
/// Keywords of one rule. More are an error.
const KEYWORDS_MAX: usize = 64;
/// The shortest keyword, in bytes: shorter ones occur everywhere and save nothing.
const KEYWORD_BYTES_MIN: usize = 2;
/// The largest rule file, in bytes.
const FILE_BYTES_MAX: usize = 4 << 20;

const FILE_KEYS: &[&str] = &["rule"];
const RULE_KEYS: &[&str] = &[
    "name",
    "pattern",
    "kind",
    "action",
    "severity",
    "direction",
    "keywords",
    "keywords_exact",
    "assigned_to",
    "entropy_min",
    "classes_min",
    "allow",
    "agents",
    "matches",
    "passes",
    "mode",
];
const KINDS: &[&str] = &[
    "prompt_injection",
    "jailbreak",
    "prompt_leak",
    "data_exfiltration",
    "dangerous",
    "secret",
    "custom",
];

/// A rule file as read, with the name that errors give it.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// What errors call the file.
    pub name: String,
    /// Its TOML.
    pub text: String,
}

/// A rule file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}{}: {problem}", rule.as_ref().map(|rule| format!(", rule {rule}")).unwrap_or_default())]
pub struct RuleError {
    /// The file, or the part of the policy.
    pub file: String,
    /// The rule's name, or its place in the file where it has none.
    pub rule: Option<String>,
    /// What is wrong.
    #[source]
    pub problem: RuleProblem,
}

/// What is wrong with a rule, a rule file or a configured secret.
#[derive(Debug, thiserror::Error)]
pub enum RuleProblem {
    /// The file is not TOML, or a value has the wrong type.
    #[error("not a valid rule file: {0}")]
    Unreadable(String),
    /// The file is larger than files may be.
    #[error("the file is larger than {FILE_BYTES_MAX} bytes")]
    FileTooLarge,
    /// A key that rules do not have.
    #[error("unknown key \"{key}\"; did you mean \"{nearest}\"?")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The valid key most like it.
        nearest: &'static str,
    },
    /// The classifier's weights, built into the program, cannot be read.
    #[error("the classifier cannot be used: {0}")]
    NoModel(crate::classifier::ModelError),
    /// A kind that does not exist.
    #[error("unknown kind \"{kind}\"; did you mean \"{nearest}\"? (or pii.<type>)")]
    UnknownKind {
        /// The kind as written.
        kind: String,
        /// The valid kind most like it.
        nearest: &'static str,
    },
    /// A name with other characters than `a-z`, `0-9` and `_`, or of a wrong length.
    #[error("a name is 1 to 64 of a-z, 0-9 and _")]
    BadName,
    /// Two rules of one name.
    #[error("there is already a rule of this name")]
    DuplicateName,
    /// No keyword, too many, or one that is too short.
    #[error("a rule needs 1 to {KEYWORDS_MAX} keywords of {KEYWORD_BYTES_MIN} bytes or more")]
    BadKeywords,
    /// An own rule's pattern says nothing by which texts could be told apart quickly.
    #[error("every match of the pattern must contain at least {0} plain characters in a row")]
    NoLiteral(usize),
    /// The pattern is longer than patterns may be.
    #[error("the pattern is longer than {PATTERN_BYTES_MAX} bytes")]
    PatternTooLong,
    /// The pattern is no regular expression, or compiles to too much.
    #[error("the pattern cannot be used: {0}")]
    BadPattern(Box<regex::Error>),
    /// An entropy, a number of classes or a harmless word that makes no sense.
    #[error("entropy_min is 0.0 to 8.0, classes_min 0 to 3, and no word in allow is empty")]
    BadEvidence,
    /// The pattern matches the empty text, so it would match everywhere.
    #[error("the pattern matches the empty text")]
    PatternMatchesNothing,
    /// A rule has no example of what it matches or of what it lets pass.
    #[error("a rule needs at least one example in matches and one in passes")]
    NoExamples,
    /// More rules than a screen may have.
    #[error("there are more than {RULES_MAX} rules")]
    TooManyRules,
    /// A rule to be left out that does not exist.
    #[error("there is no rule of this name to disable; did you mean \"{nearest}\"?")]
    UnknownRule {
        /// The rule whose name is most like it.
        nearest: String,
    },
    /// A configured secret too short to be looked for without finding it everywhere.
    #[error("a secret to look for needs {0} bytes or more")]
    SecretTooShort(usize),
    /// The keywords or secrets are too many to search for at once.
    #[error("too many keywords or secrets to search for at once")]
    TooMuchToSearch(#[source] aho_corasick::BuildError),
}

/// How far a rule has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Read, and tried when asked; not applied to anything.
    Test,
    /// Judged: what it finds is reported and counted, and changes nothing else.
    Shadow,
    /// Judged and acted upon.
    #[default]
    Enforce,
}

impl Mode {
    /// The word for it: the same as it is serialised.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Shadow => "shadow",
            Self::Enforce => "enforce",
        }
    }
}

/// One rule, ready to use.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: Arc<str>,
    pattern: Pattern,
    evidence: Evidence,
    pub(crate) kind: Kind,
    pub(crate) action: Action,
    pub(crate) severity: Severity,
    direction: Where,
    pub(crate) keywords: Vec<String>,
    /// Whether a keyword counts only as it is written.
    pub(crate) keywords_exact: bool,
    agents: Vec<String>,
    pub(crate) matches: Vec<String>,
    pub(crate) passes: Vec<String>,
    pub(crate) mode: Mode,
}

impl Rule {
    /// Whether the rule looks at text that goes this way, for this agent. A rule for some agents
    /// does not apply where no agent is named.
    pub(crate) fn applies(&self, direction: Direction, agent: Option<&str>) -> bool {
        let right_way = match self.direction {
            Where::In => direction == Direction::In,
            Where::Out => direction == Direction::Out,
            Where::Both => true,
        };
        let right_agent = self.agents.is_empty()
            || agent.is_some_and(|agent| self.agents.iter().any(|a| a == agent));
        right_way && right_agent
    }

    /// Whether anything happens to what it finds.
    pub(crate) fn acts(&self) -> bool {
        self.mode == Mode::Enforce && self.action != Action::Flag
    }

    /// The expression, as it is compiled.
    pub(crate) fn pattern_source(&self) -> &str {
        self.pattern.source()
    }

    /// Where the rule finds what it looks for in `text`, none of it empty.
    pub(crate) fn find<'r>(&'r self, text: &'r str) -> impl Iterator<Item = Range<usize>> + 'r {
        let hits = self.pattern.hits(text).filter(|hit| {
            let part = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
            self.evidence.convinces(part(&hit.matched), part(&hit.found))
        });
        hits.map(|hit| hit.found)
    }

    /// A direction the rule looks at, and an agent it applies to, for trying its examples.
    pub(crate) fn example_setting(&self) -> (Direction, Option<&str>) {
        let direction = match self.direction {
            Where::In | Where::Both => Direction::In,
            Where::Out => Direction::Out,
        };
        (direction, self.agents.first().map(String::as_str))
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Where {
    In,
    Out,
    Both,
}

/// A rule as written in a file.
#[derive(Deserialize)]
pub(crate) struct RuleText {
    pub(crate) name: String,
    pub(crate) pattern: String,
    pub(crate) kind: String,
    pub(crate) action: Action,
    pub(crate) severity: Severity,
    pub(crate) direction: Where,
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
    #[serde(default)]
    pub(crate) keywords_exact: bool,
    #[serde(default)]
    pub(crate) assigned_to: Vec<String>,
    #[serde(default)]
    pub(crate) entropy_min: f32,
    #[serde(default)]
    pub(crate) classes_min: u8,
    #[serde(default)]
    pub(crate) allow: Vec<String>,
    #[serde(default)]
    pub(crate) agents: Vec<String>,
    #[serde(default)]
    pub(crate) matches: Vec<String>,
    #[serde(default)]
    pub(crate) passes: Vec<String>,
    #[serde(default)]
    pub(crate) mode: Mode,
}

/// The rules of all files, in order, without the disabled ones. The patterns of the built-in files
/// are taken to be good, the others are checked.
pub(crate) fn read_all(
    builtin: &[RuleFile],
    files: &[RuleFile],
    disabled: &[String],
    kinds_disabled: &[Kind],
) -> Result<Vec<Rule>, RuleError> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut names = std::collections::HashSet::new();
    let builtin = builtin.iter().map(|file| (file, Compile::WhenNeeded));
    for (file, when) in builtin.chain(files.iter().map(|file| (file, Compile::AtOnce))) {
        for rule in read(file, when)? {
            let duplicate = !names.insert(Arc::clone(&rule.name));
            let fault = |problem| RuleError {
                file: file.name.clone(),
                rule: Some(rule.name.to_string()),
                problem,
            };
            if duplicate {
                return Err(fault(RuleProblem::DuplicateName));
            }
            if RULES_MAX <= rules.len() {
                return Err(fault(RuleProblem::TooManyRules));
            }
            let is_off = match when {
                // Built in.
                Compile::WhenNeeded => kinds_disabled.contains(&rule.kind),
                Compile::AtOnce => false,
            };
            if !is_off {
                rules.push(rule);
            }
        }
    }
    for name in disabled {
        if !names.contains(name.as_str()) {
            let known: Vec<&str> = rules.iter().map(|rule| &*rule.name).collect();
            let nearest = nearest(name, &known).unwrap_or_default().to_owned();
            return Err(RuleError {
                file: "rules_disabled".to_owned(),
                rule: Some(name.clone()),
                problem: RuleProblem::UnknownRule { nearest },
            });
        }
    }
    rules.retain(|rule| !disabled.iter().any(|name| **name == *rule.name));
    Ok(rules)
}

fn read(file: &RuleFile, when: Compile) -> Result<Vec<Rule>, RuleError> {
    let fault = |rule, problem| RuleError { file: file.name.clone(), rule, problem };
    if FILE_BYTES_MAX < file.text.len() {
        return Err(fault(None, RuleProblem::FileTooLarge));
    }
    let unreadable = |error: toml::de::Error| RuleProblem::Unreadable(error.message().to_owned());
    let table: toml::Table = file.text.parse().map_err(|error: toml::de::Error| {
        fault(None, RuleProblem::Unreadable(error.to_string()))
    })?;
    check_keys(&table, FILE_KEYS).map_err(|problem| fault(None, problem))?;
    let Some(entries) = table.get("rule") else { return Ok(Vec::new()) };
    let Some(entries) = entries.as_array() else {
        let words = "rules are written as [[rule]] tables".to_owned();
        return Err(fault(None, RuleProblem::Unreadable(words)));
    };
    let mut rules = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let name = entry.get("name").and_then(toml::Value::as_str);
        let name = name.map_or_else(|| format!("number {}", at + 1), str::to_owned);
        let rule = entry
            .as_table()
            .ok_or_else(|| RuleProblem::Unreadable("a rule is a table".to_owned()))
            .and_then(|table| check_keys(table, RULE_KEYS))
            .and_then(|()| entry.clone().try_into::<RuleText>().map_err(unreadable))
            .and_then(|text| with_examples(text, when));
        rules.push(rule.map_err(|problem| fault(Some(name), problem))?);
    }
    Ok(rules)
}

fn check_keys(table: &toml::Table, valid: &'static [&'static str]) -> Result<(), RuleProblem> {
    match table.keys().find(|key| !valid.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(RuleProblem::UnknownKey {
            key: key.clone(),
            nearest: nearest(key, valid).unwrap_or_default(),
        }),
    }
}

fn nearest<'w>(word: &str, valid: &[&'w str]) -> Option<&'w str> {
    valid.iter().copied().min_by_key(|valid| strsim::damerau_levenshtein(word, valid))
}

fn with_examples(text: RuleText, when: Compile) -> Result<Rule, RuleProblem> {
    if text.matches.is_empty() || text.passes.is_empty() {
        // What else is wrong is said first.
        return ready(text, when).and(Err(RuleProblem::NoExamples));
    }
    ready(text, when)
}

/// Makes a rule ready. Its examples may be missing.
pub(crate) fn ready(text: RuleText, when: Compile) -> Result<Rule, RuleProblem> {
    let named = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_');
    if text.name.is_empty() || 64 < text.name.len() || !text.name.chars().all(named) {
        return Err(RuleProblem::BadName);
    }
    let keywords: Vec<String> = if text.keywords.is_empty() {
        text.assigned_to.iter().flat_map(|word| styles(word)).collect()
    } else {
        text.keywords
    };
    let too_short = |keyword: &String| keyword.len() < KEYWORD_BYTES_MIN;
    if keywords.is_empty() || KEYWORDS_MAX < keywords.len() || keywords.iter().any(too_short) {
        return Err(RuleProblem::BadKeywords);
    }
    let pattern = if text.assigned_to.is_empty() {
        Pattern::new(&text.pattern, when)?
    } else {
        Pattern::new(&assignment(&text.assigned_to, &text.pattern), when)?
    };
    let spelled = |keyword: &String| match text.keywords_exact {
        true => vec![keyword.clone()],
        false => spellings(keyword),
    };
    let keywords = keywords.iter().flat_map(spelled).collect();
    let name: Arc<str> = text.name.into();
    Ok(Rule {
        kind: kind(&text.kind, &name)?,
        name,
        pattern,
        evidence: Evidence::new(text.entropy_min, text.classes_min, text.allow)?,
        action: text.action,
        severity: text.severity,
        direction: text.direction,
        keywords,
        keywords_exact: text.keywords_exact,
        agents: text.agents,
        matches: text.matches,
        passes: text.passes,
        mode: text.mode,
    })
}

fn kind(word: &str, rule: &Arc<str>) -> Result<Kind, RuleProblem> {
    Ok(match word {
        "prompt_injection" => Kind::PromptInjection,
        "jailbreak" => Kind::Jailbreak,
        "prompt_leak" => Kind::PromptLeak,
        "data_exfiltration" => Kind::DataExfiltration,
        "dangerous" => Kind::Dangerous,
        "secret" => Kind::Secret(Arc::clone(rule)),
        "custom" => Kind::Custom,
        _ => match word.strip_prefix("pii.") {
            Some(kind) if !kind.is_empty() => Kind::Pii(kind.into()),
            Some(_) | None => {
                return Err(RuleProblem::UnknownKind {
                    kind: word.to_owned(),
                    nearest: nearest(word, KINDS).unwrap_or_default(),
                });
            }
        },
    })
}

/// A keyword as the search needs it: the search ignores the case of ASCII letters only.
fn spellings(keyword: &str) -> Vec<String> {
    if keyword.is_ascii() {
        return vec![keyword.to_owned()];
    }
    let lower = keyword.to_lowercase();
    let mut letters = lower.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let mut spellings = vec![first + letters.as_str(), lower.to_uppercase(), lower];
    spellings.dedup();
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"[[rule]]
name = "project_name"
pattern = '(?i)\bproject\s+aurora\b'
kind = "custom"
action = "redact"
severity = "medium"
direction = "out"
keywords = ["aurora"]
matches = ["Project Aurora"]
passes = ["aurora borealis"]
"#;

    fn error_of(text: &str) -> String {
        let file = RuleFile { name: "own.toml".to_owned(), text: text.to_owned() };
        read_all(&[], &[file], &[], &[]).unwrap_err().to_string()
    }

    #[test]
    fn a_good_file_is_read() {
        let file = RuleFile { name: "own.toml".to_owned(), text: GOOD.to_owned() };
        let rules = read_all(&[], &[file], &[], &[]).unwrap();
        assert_eq!(rules.len(), 1);
        assert!(rules[0].applies(Direction::Out, None));
        assert!(!rules[0].applies(Direction::In, None));
    }

    #[test]
    fn an_error_names_the_file_the_rule_and_what_is_wrong() {
        let cases = [
            (
                "severity =",
                "severty =",
                "own.toml, rule project_name: unknown key \"severty\"; did you mean \"severity\"?",
            ),
            (
                "\"custom\"",
                "\"jailbrake\"",
                "own.toml, rule project_name: unknown kind \"jailbrake\"; did you mean \"jailbreak\"? (or pii.<type>)",
            ),
            (
                "[\"aurora\"]",
                "[]",
                "own.toml, rule project_name: a rule needs 1 to 64 keywords of 2 bytes or more",
            ),
            (
                "[\"Project Aurora\"]",
                "[]",
                "own.toml, rule project_name: a rule needs at least one example in matches and one in passes",
            ),
            (
                "name = \"project_name\"",
                "name = \"Nope!\"",
                "own.toml, rule Nope!: a name is 1 to 64 of a-z, 0-9 and _",
            ),
            (
                r"'(?i)\bproject\s+aurora\b'",
                "'a*'",
                "own.toml, rule project_name: the pattern matches the empty text",
            ),
            ("[[rule]]", "[[rules]]", "own.toml: unknown key \"rules\"; did you mean \"rule\"?"),
        ];
        for (from, to, expected) in cases {
            assert_eq!(error_of(&GOOD.replace(from, to)), expected);
        }
        assert_eq!(
            error_of(&format!("{GOOD}{GOOD}")),
            "own.toml, rule project_name: there is already a rule of this name"
        );
    }

    #[test]
    fn a_pattern_that_compiles_to_too_much_is_an_error() {
        let huge = GOOD.replace(r"'(?i)\bproject\s+aurora\b'", r"'(\w{100}){100}'");
        assert!(error_of(&huge).contains("the pattern cannot be used"), "{}", error_of(&huge));
    }

    #[test]
    fn every_pattern_that_is_compiled_when_needed_is_good() {
        let files = [include_str!("../rules/builtin.toml"), include_str!("../rules/secrets.toml")];
        let files = files.map(|text| RuleFile { name: "file".to_owned(), text: text.to_owned() });
        let rules = read_all(&files, &[], &[], &[]).unwrap();
        assert!(150 <= rules.len());
        for rule in rules {
            assert_eq!(rule.pattern.fault(), None, "{}", rule.name);
        }
    }

    #[test]
    fn evidence_and_names_are_keys_of_a_rule() {
        let own = GOOD.replace("aurora\"]", "aurora\"]\nentropy_min = 9.0");
        assert!(error_of(&own).contains("entropy_min is 0.0 to 8.0"), "{}", error_of(&own));
        let own = GOOD.replace("keywords = [\"aurora\"]", "assigned_to = [\"acme_login\"]");
        let file = RuleFile { name: "own.toml".to_owned(), text: own };
        let rules = read_all(&[], &[file], &[], &[]).unwrap();
        assert!(rules[0].keywords.contains(&"acme-login".to_owned()));
        let bad = GOOD.replace(r"'(?i)\bproject\s+aurora\b'", "'(unclosed'");
        assert!(error_of(&bad).contains("the pattern cannot be used"), "{}", error_of(&bad));
    }

    #[test]
    fn only_a_rule_that_exists_can_be_disabled() {
        let file = RuleFile { name: "own.toml".to_owned(), text: GOOD.to_owned() };
        let files = [file];
        assert!(read_all(&[], &files, &["project_name".to_owned()], &[]).unwrap().is_empty());
        assert_eq!(
            read_all(&[], &files, &["project_nme".to_owned()], &[]).unwrap_err().to_string(),
            "rules_disabled, rule project_nme: there is no rule of this name to disable; did you mean \"project_name\"?"
        );
    }
}
