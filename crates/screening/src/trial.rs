//! Rules by themselves, to be tried on texts of the past before they are let loose on new ones.
//!
//! A trial asks what each rule would do if it were enforced, whatever its mode says, and knows
//! nothing of the other rules, of secrets or of limits.

use std::sync::Arc;

use crate::{
    judgement::{Action, Direction, Level, action_at},
    normalise::MatchCopy,
    own::{self, OwnRule},
    rules::{self, Rule, RuleError, RuleFile},
    screen::builtin,
};

/// Rules to try.
#[derive(Clone, Debug)]
pub struct Trial {
    level: Level,
    rules: Vec<Rule>,
}

/// A rule that matched a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The rule.
    pub rule: Arc<str>,
    /// What it would have done, at the level of the trial.
    pub action: Action,
}

impl Trial {
    /// Reads rules to try.
    ///
    /// # Errors
    /// If one cannot be used. The error names it and says what is wrong.
    pub fn new(level: Level, files: &[RuleFile], own: &[OwnRule]) -> Result<Self, RuleError> {
        let mut rules = rules::read_all(&[], files, &[], &[])?;
        own::add(&mut rules, own)?;
        Ok(Self { level, rules })
    }

    /// The rules that come with the program.
    ///
    /// # Errors
    /// Never, unless the program was built with rules that do not compile.
    pub fn builtin(level: Level) -> Result<Self, RuleError> {
        let rules = rules::read_all(&builtin(), &[], &[], &[])?;
        Ok(Self { level, rules })
    }

    /// The names of the rules, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| &*rule.name)
    }

    /// Only the rule of this name; `None` if there is none.
    #[must_use]
    pub fn only(mut self, name: &str) -> Option<Self> {
        self.rules.retain(|rule| *rule.name == *name);
        (!self.rules.is_empty()).then_some(self)
    }

    /// What each rule that looks at such a text would have done about it.
    #[must_use]
    pub fn hits(&self, text: &str, direction: Direction, agent: Option<&str>) -> Vec<Hit> {
        let (plain, folded) = MatchCopy::both(text);
        let matched = self.rules.iter().filter(|rule| {
            rule.applies(direction, agent)
                && (rule.matches_copy(&plain)
                    || folded.as_ref().is_some_and(|it| rule.matches_copy(it)))
        });
        matched
            .map(|rule| Hit {
                rule: Arc::clone(&rule.name),
                action: action_at(self.level, &rule.kind, rule.severity, rule.action),
            })
            .collect()
    }
}

impl Rule {
    /// Whether the rule matches a text, whichever way it goes.
    pub(crate) fn is_found_in(&self, text: &str) -> bool {
        let (plain, folded) = MatchCopy::both(text);
        self.matches_copy(&plain) || folded.is_some_and(|it| self.matches_copy(&it))
    }

    fn matches_copy(&self, copy: &MatchCopy<'_>) -> bool {
        let text = copy.text();
        self.keywords.iter().any(|keyword| contains(text, keyword))
            && self.find(text).next().is_some()
    }
}

/// Whether a keyword occurs in a text, as the screen's search sees it: the case of ASCII letters
/// makes no difference.
fn contains(text: &str, keyword: &str) -> bool {
    let (text, keyword) = (text.as_bytes(), keyword.as_bytes());
    text.windows(keyword.len().max(1)).any(|window| window.eq_ignore_ascii_case(keyword))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, Policy, Screen, Verdict};

    const FILE: &str = r#"[[rule]]
name = "project_name"
pattern = '(?i)\bproject\s+aurora\b'
kind = "custom"
action = "redact"
severity = "medium"
direction = "out"
agents = ["scribe"]
mode = "test"
keywords = ["aurora"]
matches = ["Project Aurora"]
passes = ["aurora borealis"]

[[rule]]
name = "weak_sign"
pattern = 'abracadabra'
kind = "jailbreak"
action = "refuse"
severity = "low"
direction = "both"
keywords = ["abracadabra"]
matches = ["abracadabra"]
passes = ["abra"]
"#;

    fn file() -> RuleFile {
        RuleFile { name: "own.toml".to_owned(), text: FILE.to_owned() }
    }

    #[test]
    fn a_trial_says_what_a_rule_would_do_if_it_were_enforced() {
        let trial = Trial::new(Level::Medium, &[file()], &[]).unwrap();
        assert_eq!(trial.names().collect::<Vec<_>>(), ["project_name", "weak_sign"]);
        let text = "It is called PROJECT  Аurora.";
        let redact = Hit { rule: "project_name".into(), action: Action::Redact };
        assert_eq!(trial.hits(text, Direction::Out, Some("scribe")), [redact], "folded, too");
        assert_eq!(trial.hits(text, Direction::Out, Some("sage")), []);
        assert_eq!(trial.hits(text, Direction::In, Some("scribe")), []);
        let flag = Hit { rule: "weak_sign".into(), action: Action::Flag };
        assert_eq!(trial.hits("abracadabra!", Direction::In, None), [flag], "as at this level");
        let only = trial.only("weak_sign").unwrap();
        assert!(only.hits(text, Direction::Out, Some("scribe")).is_empty());
        assert!(only.only("nobody").is_none());
    }

    #[test]
    fn a_rule_in_test_is_read_but_not_applied() {
        let screen = Screen::new(Policy { rule_files: vec![file()], ..Policy::default() }).unwrap();
        assert_eq!(screen.failed_examples(), [], "its examples are tried all the same");
        let context = crate::OutboundContext::new(Some("scribe".to_owned()), "");
        assert_eq!(screen.outbound("Project Aurora", &context).verdict, Verdict::Clear);
        assert_eq!(Mode::default().as_str(), "enforce");
    }
}
