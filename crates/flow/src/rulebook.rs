//! The guard's rules while the hall runs: which are in force, and who makes others out of them.
//!
//! A guard reads the pointer at every text, so other rules are in force at the next one. The roster
//! is the only one that moves it: rules change by what admins order, and the order is durable first.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use screening::{OWN_RULES, OwnRule, Policy, RuleError, RuleFile, Screen, Trial};

/// What the guard judges by, for readers: one pointer, replaced whole at each change.
pub type Rules = Arc<ArcSwap<InForce>>;

/// Rules in force.
#[derive(Clone, Debug)]
pub struct InForce {
    /// Made of all of them.
    pub screen: Arc<Screen>,
    /// The rules that admins gave in chats.
    pub own: Vec<OwnRule>,
    /// Those of them that could not be used, and why. A file that came later may have their name.
    pub left_out: BTreeMap<String, String>,
}

/// Which rules to try.
#[derive(Clone, Debug)]
pub enum Which {
    /// One of those that are there, whatever its mode.
    Named(String),
    /// Those of a file, or one of them.
    OfFile(RuleFile, Option<String>),
}

/// Makes screens out of rule files and own rules. Everything here reads files or compiles for some
/// milliseconds, so it is called on a thread where that is no harm.
pub trait Rulebook: Send + Sync + 'static {
    /// A screen of the files as they were read last, and these own rules.
    ///
    /// # Errors
    /// What is wrong with the files, in words. An own rule that cannot be used is left out instead.
    fn make(&self, own: Vec<OwnRule>) -> Result<InForce, String>;

    /// Reads the files anew and makes a screen of them.
    ///
    /// # Errors
    /// What is wrong with them, in words; those read before stay.
    fn read_anew(&self, own: Vec<OwnRule>) -> Result<InForce, String>;

    /// Rules by themselves, to be tried on the past.
    ///
    /// # Errors
    /// Why they cannot be tried, in words.
    fn trial(&self, which: Which, own: &[OwnRule]) -> Result<Trial, String>;
}

/// Makes a screen of a policy and own rules. An own rule that cannot be used is left out: a hall
/// must not fail to start over a file that brought a rule of the same name.
///
/// # Errors
/// What is wrong with the rest of the policy.
pub fn make(policy: &Policy, own: Vec<OwnRule>) -> Result<InForce, RuleError> {
    let (mut used, mut left_out) = (own.clone(), BTreeMap::new());
    loop {
        let error = match Screen::new(Policy { own_rules: used.clone(), ..policy.clone() }) {
            Ok(screen) => return Ok(InForce { screen: Arc::new(screen), own, left_out }),
            Err(error) => error,
        };
        let before = used.len();
        match error.rule.as_deref().filter(|_| error.file == OWN_RULES) {
            Some(name) => used.retain(|rule| rule.name != name),
            None => return Err(error),
        }
        if used.len() == before {
            return Err(error);
        }
        let RuleError { rule, problem, .. } = error;
        left_out.insert(rule.unwrap_or_default(), problem.to_string());
    }
}

#[cfg(test)]
mod tests {
    use screening::{Action, Mode, Verdict};

    use super::*;

    #[test]
    fn an_own_rule_that_cannot_be_used_is_left_out_and_the_others_are_in_force() {
        let rule = |name: &str, pattern: &str| OwnRule {
            name: name.to_owned(),
            action: Action::Refuse,
            pattern: pattern.to_owned(),
            mode: Mode::Enforce,
        };
        let own = vec![
            rule("override_instructions", "aurora"),
            rule("good", "borealis"),
            rule("bad", "(never closed"),
        ];
        let made = make(&Policy::default(), own.clone()).unwrap();
        assert_eq!(made.own, own, "nothing is forgotten");
        assert_eq!(made.left_out.keys().collect::<Vec<_>>(), ["bad", "override_instructions"]);
        assert!(made.left_out["override_instructions"].contains("already a rule of this name"));
        assert_eq!(made.screen.inbound("borealis").verdict, Verdict::Refuse);
        assert_eq!(made.screen.inbound("aurora").verdict, Verdict::Clear);
    }

    #[test]
    fn a_policy_that_cannot_be_used_is_an_error() {
        let file = RuleFile { name: "x.toml".to_owned(), text: "rule = 5".to_owned() };
        let policy = Policy { rule_files: vec![file], ..Policy::default() };
        assert!(make(&policy, vec![]).unwrap_err().to_string().starts_with("x.toml"));
    }
}
