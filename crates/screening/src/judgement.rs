//! What a judgement says: verdict, score and findings, written out exactly as the JSON Lines
//! contract names them.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};

/// Which way the text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From a person, a document or a tool towards the model.
    In,
    /// From the model towards a person.
    Out,
}

/// How strictly findings are acted upon. Secrets and malformed text are treated alike on all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Refuses only what is severe; the rest is flagged.
    Low,
    /// Does what each rule says, except that findings of low severity are only flagged.
    #[default]
    Medium,
    /// Refuses also what a rule of medium severity or more would only flag.
    High,
}

impl Level {
    /// The attack score from which text is refused, however little each finding weighs.
    pub(crate) fn refuse_score_min(self) -> f32 {
        match self {
            Self::Low => 0.95,
            Self::Medium => 0.85,
            Self::High => 0.6,
        }
    }
}

/// A word that names no [`Level`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the level is one of low, medium, high")]
pub struct UnknownLevel;

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(word: &str) -> Result<Self, UnknownLevel> {
        match word {
            "low" => Ok(Self::Low),
            "medium" => Ok(Self::Medium),
            "high" => Ok(Self::High),
            _ => Err(UnknownLevel),
        }
    }
}

/// What is to happen to the text, from mildest to hardest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing was found; the text passes.
    Clear,
    /// Something was found that an operator may want to see; the text passes.
    Flag,
    /// The text passes with parts of it replaced.
    Redact,
    /// The text does not pass.
    Refuse,
}

impl Verdict {
    /// The word for it: the same as it is serialised.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Flag => "flag",
            Self::Redact => "redact",
            Self::Refuse => "refuse",
        }
    }
}

/// What one finding asks for, from mildest to hardest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Note it and let the text pass.
    Flag,
    /// Replace the part that was found.
    Redact,
    /// Refuse the whole text.
    Refuse,
}

impl From<Action> for Verdict {
    fn from(action: Action) -> Self {
        match action {
            Action::Flag => Self::Flag,
            Action::Redact => Self::Redact,
            Action::Refuse => Self::Refuse,
        }
    }
}

/// The rule that stands in findings of the classifier.
pub(crate) const CLASSIFIER_RULE: &str = "classifier";
/// The rule that stands in findings that the classifier alone would not have made.
pub(crate) const OPINION_RULE: &str = "second_opinion";

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A weak sign.
    Low,
    /// A clear sign.
    Medium,
    /// Almost surely an attack or a loss.
    High,
    /// Certain harm if it passes.
    Critical,
}

impl Severity {
    /// How much one finding adds to the attack score, as the chance that it is an attack.
    fn weight(self) -> f32 {
        match self {
            Self::Low => 0.25,
            Self::Medium => 0.5,
            Self::High => 0.8,
            Self::Critical => 0.95,
        }
    }
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text that tries to command the model in the operator's place.
    PromptInjection,
    /// Text that tries to talk the model out of its rules.
    Jailbreak,
    /// The agent's instructions, asked for or given away.
    PromptLeak,
    /// An attempt to carry data out.
    DataExfiltration,
    /// A request for, or a recipe of, serious harm.
    Dangerous,
    /// Personal data of the named type, for example `email`.
    Pii(Arc<str>),
    /// A credential, by the name of the rule that found it.
    Secret(Arc<str>),
    /// An operator's own rule.
    Custom,
    /// Text that breaks a limit or is not what it should be.
    Malformed,
}

impl Kind {
    /// Whether findings of this kind count towards the attack score.
    #[must_use]
    pub fn is_attack(&self) -> bool {
        match self {
            Self::PromptInjection
            | Self::Jailbreak
            | Self::PromptLeak
            | Self::DataExfiltration
            | Self::Dangerous => true,
            Self::Pii(_) | Self::Secret(_) | Self::Custom | Self::Malformed => false,
        }
    }

    /// What stands in the place of a part that was redacted.
    pub(crate) fn label(&self) -> Cow<'static, str> {
        match self {
            Self::Secret(_) => Cow::Borrowed("[SECRET]"),
            Self::Pii(kind) => Cow::Owned(format!("[{}]", kind.to_uppercase())),
            Self::PromptInjection
            | Self::Jailbreak
            | Self::PromptLeak
            | Self::DataExfiltration
            | Self::Dangerous
            | Self::Custom
            | Self::Malformed => Cow::Borrowed("[REMOVED]"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PromptInjection => f.write_str("prompt_injection"),
            Self::Jailbreak => f.write_str("jailbreak"),
            Self::PromptLeak => f.write_str("prompt_leak"),
            Self::DataExfiltration => f.write_str("data_exfiltration"),
            Self::Dangerous => f.write_str("dangerous"),
            Self::Pii(kind) => write!(f, "pii.{kind}"),
            Self::Secret(rule) => write!(f, "secret.{rule}"),
            Self::Custom => f.write_str("custom"),
            Self::Malformed => f.write_str("malformed"),
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One thing found in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub kind: Kind,
    /// The name of the rule that found it.
    pub rule: Arc<str>,
    /// How bad it is.
    pub severity: Severity,
    /// First byte of the part, in the text as received.
    pub start: usize,
    /// One past the last byte of the part, in the text as received.
    pub end: usize,
    /// What is done about it, at the policy's level.
    pub action: Action,
    /// What would be done about it if its rule were enforced: the rule is in shadow, so the finding
    /// is only told and changes neither verdict nor score nor text. `None` for every other rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Action>,
}

/// What was decided about one text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement<'t> {
    /// What is to happen to the text.
    pub verdict: Verdict,
    /// How likely the text is an attack, 0.0 (no sign) to 1.0.
    pub score: f32,
    /// What was found, by where it starts.
    pub findings: Vec<Finding>,
    /// The text as it may pass: sanitised and redacted, empty if refused.
    pub text: Cow<'t, str>,
}

impl<'t> Judgement<'t> {
    /// The judgement with a text of its own, to outlive the text that was judged.
    #[must_use]
    pub fn into_owned(self) -> Judgement<'static> {
        let Self { verdict, score, findings, text } = self;
        Judgement { verdict, score, findings, text: Cow::Owned(text.into_owned()) }
    }

    /// Decides what follows from `findings`: sets their actions for `level`, and the text by
    /// `passing`, which is asked only if the text passes. `suspicion` is the chance of an attack that
    /// the classifier saw, 0 if it was not asked.
    pub(crate) fn conclude(
        level: Level,
        suspicion: f32,
        mut findings: Vec<Finding>,
        passing: impl FnOnce(&[Finding]) -> Cow<'t, str>,
    ) -> Self {
        for finding in &mut findings {
            finding.action = at_level(level, finding);
        }
        let shadows: Vec<Finding> = findings.extract_if(.., Finding::keep_in_shadow).collect();
        let score = attack_score(suspicion, &findings);
        let hardest = findings.iter().map(|finding| Verdict::from(finding.action)).max();
        let verdict = match hardest {
            None => Verdict::Clear,
            Some(_) if level.refuse_score_min() <= score => Verdict::Refuse,
            Some(verdict) => verdict,
        };
        let text = if verdict == Verdict::Refuse { Cow::Borrowed("") } else { passing(&findings) };
        if !shadows.is_empty() {
            findings.extend(shadows);
            findings.sort_by_key(|finding| (finding.start, finding.end));
        }
        Self { verdict, score, findings, text }
    }
}

impl Finding {
    /// True for a finding of a rule in shadow, which from here on asks for nothing. SCREEN-5.
    fn keep_in_shadow(&mut self) -> bool {
        if self.shadow.is_none() {
            return false;
        }
        self.shadow = Some(self.action);
        self.action = Action::Flag;
        true
    }
}

/// What is done about a finding at a level. Only attacks depend on the level.
fn at_level(level: Level, finding: &Finding) -> Action {
    action_at(level, &finding.kind, finding.severity, finding.action)
}

/// What a level makes of what a rule asks for.
pub(crate) fn action_at(level: Level, kind: &Kind, severity: Severity, action: Action) -> Action {
    if !kind.is_attack() {
        return action;
    }
    let severe_enough = match level {
        Level::Low => Severity::High <= severity,
        Level::Medium | Level::High => Severity::Medium <= severity,
    };
    match (level, action) {
        (Level::High, Action::Flag) if severe_enough => Action::Refuse,
        (Level::Low | Level::Medium, Action::Refuse) if !severe_enough => Action::Flag,
        (Level::Low | Level::Medium | Level::High, action) => action,
    }
}

/// The chance that the classifier or at least one of the findings is right about an attack. One
/// rule counts once, by however many parts of the text it was found in; the classifier's own finding
/// does not count again.
fn attack_score(suspicion: f32, findings: &[Finding]) -> f32 {
    let mut innocent = 1.0_f32 - suspicion;
    for (at, finding) in findings.iter().enumerate() {
        let repeated = findings.iter().take(at).any(|earlier| earlier.rule == finding.rule);
        let is_model = [CLASSIFIER_RULE, OPINION_RULE].contains(&&*finding.rule);
        let counts = finding.kind.is_attack() && !is_model;
        if counts && !repeated {
            innocent *= 1.0 - finding.severity.weight();
        }
    }
    // Three places are as much as the weights are worth.
    ((1.0_f32 - innocent) * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: Kind, severity: Severity, action: Action) -> Finding {
        Finding { kind, rule: "rule".into(), severity, start: 0, end: 1, action, shadow: None }
    }

    fn verdict(level: Level, finding: Finding) -> Verdict {
        Judgement::conclude(level, 0.0, vec![finding], |_| Cow::Borrowed("x")).verdict
    }

    #[test]
    fn a_level_moves_attacks_and_never_secrets() {
        let weak = found(Kind::Jailbreak, Severity::Medium, Action::Refuse);
        assert_eq!(verdict(Level::Low, weak.clone()), Verdict::Flag);
        assert_eq!(verdict(Level::Medium, weak.clone()), Verdict::Refuse);
        let hint = Finding { action: Action::Flag, ..weak };
        assert_eq!(verdict(Level::Medium, hint.clone()), Verdict::Flag);
        assert_eq!(verdict(Level::High, hint), Verdict::Refuse);
        let secret = found(Kind::Secret("k".into()), Severity::Low, Action::Redact);
        for level in [Level::Low, Level::Medium, Level::High] {
            assert_eq!(verdict(level, secret.clone()), Verdict::Redact);
        }
    }

    #[test]
    fn screen_5_a_finding_in_shadow_changes_neither_verdict_nor_score_nor_text() {
        let plain = found(Kind::Jailbreak, Severity::Medium, Action::Flag);
        let shadow = Finding {
            rule: "shadow".into(),
            shadow: Some(Action::Refuse),
            ..found(Kind::Jailbreak, Severity::Critical, Action::Refuse)
        };
        for level in [Level::Low, Level::Medium, Level::High] {
            for others in [vec![], vec![plain.clone()]] {
                let conclude =
                    |it| Judgement::conclude(level, 0.0, it, |_| Cow::Borrowed("as it is"));
                let without = conclude(others.clone());
                let with = conclude([others, vec![shadow.clone()]].concat());
                assert_eq!(
                    (with.verdict, with.score, &with.text),
                    (without.verdict, without.score, &without.text)
                );
                let found = with.findings.iter().find(|it| &*it.rule == "shadow").unwrap();
                assert_eq!((found.action, found.shadow), (Action::Flag, Some(Action::Refuse)));
            }
        }
        let told =
            serde_json::to_string(&Judgement::conclude(Level::Medium, 0.0, vec![shadow], |_| {
                Cow::Borrowed("x")
            }));
        assert_eq!(
            told.unwrap(),
            r#"{"verdict":"clear","score":0.0,"findings":[{"kind":"jailbreak","rule":"shadow","severity":"critical","start":0,"end":1,"action":"flag","shadow":"refuse"}],"text":"x"}"#
        );
    }

    #[test]
    fn several_weak_signs_of_different_rules_add_up_to_a_refusal() {
        let sign = |rule: &str| Finding {
            rule: rule.into(),
            ..found(Kind::PromptInjection, Severity::Medium, Action::Flag)
        };
        let conclude =
            |signs| Judgement::conclude(Level::Medium, 0.0, signs, |_| Cow::Borrowed("x")).verdict;
        assert_eq!(conclude(vec![sign("a"), sign("a"), sign("a")]), Verdict::Flag);
        assert_eq!(conclude(vec![sign("a"), sign("b"), sign("c")]), Verdict::Refuse);
    }

    #[test]
    fn names_are_those_of_the_contract() {
        let finding = found(Kind::Pii("email".into()), Severity::High, Action::Redact);
        assert_eq!(
            serde_json::to_string(&finding).unwrap(),
            r#"{"kind":"pii.email","rule":"rule","severity":"high","start":0,"end":1,"action":"redact"}"#
        );
        assert_eq!(Kind::Secret("jwt".into()).to_string(), "secret.jwt");
    }
}
