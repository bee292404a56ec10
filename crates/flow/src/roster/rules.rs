//! Rules that admins give in chats: what may be changed about them, and what a change makes of them.
//!
//! Pure, as the rest of the roster's state: whether a pattern compiles is the rulebook's to say.

use std::collections::BTreeMap;

use protocol::PersonId;
use screening::{Mode, OwnRule};
use serde::{Deserialize, Serialize};

use super::AdministerError;

/// The most rules that admins may give in chats.
pub const OWN_RULES_MAX: usize = 100;

/// What an admin can do to a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule_change", rename_all = "snake_case")]
pub enum RuleChange {
    /// Note a rule.
    Added {
        /// It begins in test: noted, tried when asked, not applied.
        rule: OwnRule,
    },
    /// Take it a step on, or back.
    ModeSet {
        /// Which.
        name: String,
        /// How far it is to come.
        mode: Mode,
    },
    /// Take a proposed one a step on: all of it, as it is the hall's own from now on.
    Adopted {
        /// With how far it is to come.
        rule: OwnRule,
    },
    /// Take it away.
    Removed {
        /// Which.
        name: String,
    },
}

impl RuleChange {
    /// The rule that it is about.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Added { rule } | Self::Adopted { rule } => &rule.name,
            Self::ModeSet { name, .. } | Self::Removed { name } => name,
        }
    }

    /// What it does, in a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Added { .. } => "added",
            Self::ModeSet { mode, .. } | Self::Adopted { rule: OwnRule { mode, .. } } => match mode
            {
                Mode::Test => "test",
                Mode::Shadow => "shadow",
                Mode::Enforce => "enforce",
            },
            Self::Removed { .. } => "removed",
        }
    }
}

/// The rules that admins gave, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnRules {
    rules: BTreeMap<String, OwnRule>,
    left_out: BTreeMap<String, String>,
    /// Those that a playbook proposed and no officer has taken on, and whose words are in them.
    proposed: BTreeMap<String, Vec<PersonId>>,
}

impl OwnRules {
    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> Vec<OwnRule> {
        self.rules.values().cloned().collect()
    }

    /// Each rule, and why it is left out if it is.
    pub fn each(&self) -> impl Iterator<Item = (&OwnRule, Option<&str>)> {
        self.rules.values().map(|rule| (rule, self.left_out.get(&rule.name).map(String::as_str)))
    }

    /// Notes which of them could not be used, and why.
    pub(super) fn leave_out(&mut self, left_out: BTreeMap<String, String>) {
        self.left_out = left_out;
    }

    /// Checks a change against the state.
    pub(super) fn check(&self, change: &RuleChange) -> Result<(), AdministerError> {
        let is_known = self.rules.contains_key(change.name());
        match change {
            RuleChange::Added { .. } if is_known => {
                Err(AdministerError::RuleTaken(change.name().to_owned()))
            }
            RuleChange::Added { .. } if OWN_RULES_MAX <= self.rules.len() => {
                Err(AdministerError::TooManyRules(OWN_RULES_MAX))
            }
            RuleChange::ModeSet { .. }
            | RuleChange::Adopted { .. }
            | RuleChange::Removed { .. }
                if !is_known =>
            {
                Err(AdministerError::NoSuchRule(change.name().to_owned()))
            }
            RuleChange::Added { .. }
            | RuleChange::ModeSet { .. }
            | RuleChange::Adopted { .. }
            | RuleChange::Removed { .. } => Ok(()),
        }
    }

    /// The rules as they would be after a change.
    pub(super) fn after(&self, change: &RuleChange) -> Vec<OwnRule> {
        let mut changed = self.clone();
        changed.apply(change.clone());
        changed.all()
    }

    pub(super) fn apply(&mut self, change: RuleChange) {
        match change {
            RuleChange::Added { rule } | RuleChange::Adopted { rule } => {
                self.proposed.remove(&rule.name);
                self.rules.insert(rule.name.clone(), rule);
            }
            RuleChange::ModeSet { name, mode } => {
                if mode != Mode::Test {
                    self.proposed.remove(&name);
                }
                if let Some(rule) = self.rules.get_mut(&name) {
                    rule.mode = mode;
                }
            }
            RuleChange::Removed { name } => {
                self.proposed.remove(&name);
                self.rules.remove(&name);
            }
        }
    }

    /// A rule that nobody has taken on, with words of these people.
    pub(super) fn propose(&mut self, rule: OwnRule, owners: Vec<PersonId>) {
        self.proposed.insert(rule.name.clone(), owners);
        self.rules.insert(rule.name.clone(), rule);
    }

    /// A rule that was proposed and that nobody has taken on.
    pub(super) fn proposal(&self, name: &str) -> Option<&OwnRule> {
        self.proposed.get(name).and_then(|_| self.rules.get(name))
    }

    /// How many of those there are.
    pub(super) fn proposals(&self) -> usize {
        self.proposed.len()
    }

    /// What was proposed with words of a person goes. True if there was anything.
    pub(super) fn forget(&mut self, person: PersonId) -> bool {
        let gone = self.proposed.extract_if(.., |_, owners| owners.contains(&person));
        let gone: Vec<String> = gone.map(|(name, _)| name).collect();
        for name in &gone {
            self.rules.remove(name);
            self.left_out.remove(name);
        }
        !gone.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use screening::Action;

    use super::*;

    fn added(name: &str) -> RuleChange {
        let (name, pattern) = (name.to_owned(), "aurora".to_owned());
        let rule = OwnRule { name, action: Action::Refuse, pattern, mode: Mode::Test };
        RuleChange::Added { rule }
    }

    fn set(name: &str, mode: Mode) -> RuleChange {
        RuleChange::ModeSet { name: name.to_owned(), mode }
    }

    #[test]
    fn a_rule_is_added_once_changed_and_removed() {
        let mut rules = OwnRules::default();
        let unknown = Err(AdministerError::NoSuchRule("aurora".to_owned()));
        assert_eq!(rules.check(&set("aurora", Mode::Shadow)), unknown);
        assert_eq!(rules.check(&added("aurora")), Ok(()));
        rules.apply(added("aurora"));
        let taken = Err(AdministerError::RuleTaken("aurora".to_owned()));
        assert_eq!(rules.check(&added("aurora")), taken);
        let after = rules.after(&set("aurora", Mode::Enforce));
        assert_eq!((after[0].mode, rules.all()[0].mode), (Mode::Enforce, Mode::Test));
        let removed = RuleChange::Removed { name: "aurora".to_owned() };
        assert_eq!(rules.check(&removed), Ok(()));
        rules.apply(removed.clone());
        assert_eq!((rules.all(), rules.check(&removed)), (vec![], unknown));
    }

    #[test]
    fn there_are_at_most_so_many_rules() {
        let mut rules = OwnRules::default();
        for number in 0..OWN_RULES_MAX {
            assert_eq!(rules.check(&added(&format!("rule_{number}"))), Ok(()));
            rules.apply(added(&format!("rule_{number}")));
        }
        let more = rules.check(&added("one_more"));
        assert_eq!(more, Err(AdministerError::TooManyRules(OWN_RULES_MAX)));
    }

    #[test]
    fn a_stored_rule_change_reads_back_as_it_was() {
        let change = crate::roster::Change::Ruled(added("aurora"));
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(
            text,
            r#"{"change":"ruled","rule_change":"added","rule":{"name":"aurora","action":"refuse","pattern":"aurora","mode":"test"}}"#
        );
        assert_eq!(serde_json::from_str::<crate::roster::Change>(&text).unwrap(), change);
    }
}
