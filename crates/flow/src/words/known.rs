//! English that is stored, or told to mail and webhooks, before anybody knows who reads it: known again
//! where it is shown in a chat. What is not known, such as the words of an operator's own rule, is said
//! as it stands.
//!
//! A test holds the sentences to those that the hall's actors and rules say.

use std::sync::LazyLock;

use protocol::Language;

use super::{
    Text,
    language::{Argument, text},
};

/// What stands for a message's arguments while its English is taken apart, in the order of `text!`.
const GAPS: [&str; 4] = ["\u{E000}", "\u{E001}", "\u{E002}", "\u{E003}"];

/// A message, and its English with gaps.
struct Shape {
    /// The kind of alert that says so; empty for what anybody may say.
    kind: &'static str,
    message: Text,
    english: String,
}

fn shaped<const N: usize>(all: [(&'static str, Text); N]) -> Vec<Shape> {
    let shape = |(kind, message): (&'static str, Text)| {
        let english = message.in_language(Language::English);
        Shape { kind, message, english }
    };
    all.into_iter().map(shape).collect()
}

/// What alerts say, by kind.
static ALERTS: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let [a, b, ..] = GAPS;
    shaped([
        ("no_poll", text!("alert-no-poll", value = a)),
        ("llm_errors", text!("alert-llm-errors", value = a)),
        ("slow_replies", text!("alert-slow-replies", value = a)),
        ("restarts", text!("alert-restarts", count = a)),
        ("quarantine", text!("alert-quarantine", count = a)),
        ("disk_full", text!("alert-disk-full", value = a)),
        ("backup_old", text!("alert-backup-old", value = a)),
        ("guard_blocks_spike", text!("alert-guard-blocks", count = a)),
        ("cost_spike", text!("alert-cost", value = a)),
        ("poll", text!("alert-poll", why = a)),
        ("store", text!("alert-store", why = a)),
        ("quarantined", text!("alert-set-aside", reference = a)),
        ("session_quarantined", text!("alert-session", why = a)),
        ("backup_overdue", text!("alert-backup-overdue", value = a)),
        ("backup_failed", text!("alert-backup-failed", why = a)),
        ("budget_used_up", text!("alert-budget-over", who = a, span = b)),
        ("budget_nearly_used_up", text!("alert-budget-near", who = a, value = b, span = GAPS[2])),
        ("bot_refused", text!("alert-bot", why = a)),
        ("tool_servers", text!("alert-tool-servers", count = a)),
        ("log_lines_lost", text!("alert-log", count = a)),
        ("alerts_test", text!("alert-trial")),
    ])
});

/// What playbooks found.
static FOUND: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let [a, b, c, d] = GAPS;
    shaped([
        ("", text!("found-questions", count = a)),
        ("", text!("found-touched", questions = a, agents = b, chats = c, facts = d)),
        ("", text!("found-too-little")),
        ("", text!("found-rule", rule = a, count = b)),
        ("", text!("found-used", used = a, usual = b)),
    ])
});

/// Values of others.
static PARTS: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let [a, ..] = GAPS;
    shaped([
        ("", text!("span-seconds", count = a)),
        ("", text!("span-hours", count = a)),
        ("", text!("part-hall")),
        ("", text!("part-agent", agent = a)),
        ("", text!("part-day")),
        ("", text!("part-month")),
    ])
});

/// What follows a sentence where there is more of it.
static TAILS: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let [a, b, ..] = GAPS;
    shaped([
        ("", text!("alert-and-more", text = a, count = b)),
        ("", text!("alert-times", text = a, count = b)),
    ])
});

/// Why the alerter does not do something.
static REFUSALS: LazyLock<Vec<Shape>> =
    LazyLock::new(|| shaped([("", text!("alert-not-open", kind = GAPS[0]))]));

/// The head of what a run of a playbook is about.
static RUNS: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let [a, b, c, ..] = GAPS;
    shaped([
        ("", text!("run-about", playbook = a, incident = b, rest = c)),
        ("", text!("run-about-asks", playbook = a, incident = b, rest = c)),
        ("", text!("run-about-stopped", playbook = a, incident = b, rest = c)),
    ])
});

/// What an alert of that kind says.
pub(super) fn alert(kind: &str, said: &str) -> Text {
    let of_kind = ALERTS.iter().filter(|it| it.kind == kind);
    of_kind.map(|it| fitted(it, said)).find_map(|it| it).unwrap_or_else(|| said.into())
}

/// The same with how much more there is of it. Of a run of a playbook it is the head alone, since what
/// it did is told by `/playbooks`.
pub(super) fn headline(kind: &str, said: &str) -> Text {
    if let Some((_, mut values)) = RUNS.iter().find_map(|it| Some((it, values(it, said)?))) {
        values.truncate(2);
        let mut values = values.into_iter().map(str::to_owned);
        let (playbook, incident) = (values.next(), values.next());
        let (playbook, incident) = (playbook.unwrap_or_default(), incident.unwrap_or_default());
        return text!("run-in-short", playbook = playbook, incident = incident);
    }
    for tail in TAILS.iter() {
        let Some((text, count)) =
            values(tail, said).and_then(|it| it.first().zip(it.get(1)).map(|(a, b)| (*a, *b)))
        else {
            continue;
        };
        let (text, Ok(count)) = (alert(kind, text), count.parse::<u64>()) else { continue };
        let arguments = vec![("text", text.into()), ("count", Argument::Count(count))];
        return with(&tail.message, arguments);
    }
    alert(kind, said)
}

/// What a playbook found.
pub(super) fn found(said: &str) -> Text {
    let one = |said: &str| {
        let known = FOUND.iter().find_map(|it| fitted(it, said));
        known.unwrap_or_else(|| said.into())
    };
    Text::Joined(said.split("; ").map(one).collect(), "; ")
}

/// Why the alerter does not do something.
pub(super) fn refusal(said: &str) -> Text {
    REFUSALS.iter().find_map(|it| fitted(it, said)).unwrap_or_else(|| said.into())
}

fn fitted(shape: &Shape, said: &str) -> Option<Text> {
    let values = values(shape, said)?;
    let Text::Message { arguments, .. } = &shape.message else { return None };
    let names = arguments.iter().map(|(name, _)| *name);
    Some(with(&shape.message, names.zip(values.into_iter().map(argument)).collect()))
}

fn with(message: &Text, arguments: Vec<(&'static str, Argument)>) -> Text {
    match message {
        Text::Message { key, .. } => Text::Message { key: key.clone(), arguments, english: None },
        Text::Verbatim(_) | Text::Joined(..) => message.clone(),
    }
}

/// A value as it is said in any language: counted if it is a number.
fn argument(value: &str) -> Argument {
    if let Ok(count) = value.parse() {
        return Argument::Count(count);
    }
    if value.parse::<f64>().is_ok() && value.contains('.') {
        return Argument::Decimal(value.to_owned());
    }
    match PARTS.iter().find_map(|it| fitted(it, value)) {
        Some(part) => part.into(),
        None => value.into(),
    }
}

/// What stands in the gaps, in the order of the message's arguments.
fn values<'s>(shape: &Shape, said: &'s str) -> Option<Vec<&'s str>> {
    let is_gap = |it: char| ('\u{E000}'..='\u{E003}').contains(&it);
    let begins = |text: &str| text.find(is_gap).unwrap_or(text.len());
    let english = shape.english.as_str();
    let (literal, mut english) = english.split_at(begins(english));
    let mut said = said.strip_prefix(literal)?;
    let mut found: Vec<(usize, &str)> = Vec::new();
    while let Some(gap) = GAPS.iter().position(|it| english.starts_with(it)) {
        english = english.get(GAPS.get(gap)?.len()..)?;
        let (literal, rest) = english.split_at(begins(english));
        let at = match rest.is_empty() {
            true => said.strip_suffix(literal)?.len(),
            false => said.find(literal)?,
        };
        let (value, more) = said.split_at(at);
        if value.is_empty() {
            return None;
        }
        found.push((gap, value));
        (said, english) = (more.strip_prefix(literal)?, rest);
    }
    found.sort_by_key(|(gap, _)| *gap);
    said.is_empty().then(|| found.into_iter().map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn german(text: &Text) -> String {
        text.in_language(Language::German)
    }

    #[test]
    fn what_shipped_rules_and_actors_say_is_known_in_every_language() {
        for rule in crate::alerter::rules::shipped() {
            let said = rule.summary.replace("{value}", "7 s");
            let known = alert(&rule.name, &said);
            assert_eq!(known.in_language(Language::English), said, "{}", rule.name);
            assert_ne!(german(&known), said, "{}", rule.name);
        }
        let said = "Parts of the hall were restarted 4 times within 10 minutes.";
        let russian = alert("restarts", said).in_language(Language::Russian);
        assert!(russian.contains("4 раза"), "{russian}");
        let said = "The agent sage has used 80 % of what it may this day.";
        let known = alert("budget_nearly_used_up", said);
        assert_eq!(known.in_language(Language::English), said);
        assert!(german(&known).contains("80 %") && german(&known).contains("sage"), "{known:?}");
    }

    #[test]
    fn what_is_not_known_is_said_as_it_stands() {
        for said in ["", "9 tokens within the hour.", "Only  of the disk is free", "\u{E000}"] {
            for kind in ["disk_full", "my_rule", ""] {
                assert_eq!(german(&alert(kind, said)), said, "{kind}");
                assert_eq!(german(&headline(kind, said)), said, "{kind}");
            }
            assert_eq!(german(&found(said)), said);
        }
    }

    #[test]
    fn a_headline_keeps_how_often_it_was_and_a_run_is_told_in_short() {
        let more = headline("disk_full", "Only 9 % of the disk is free. (3 times)");
        assert!(german(&more).ends_with("(3-mal)"), "{}", german(&more));
        let run = "Playbook one acts on incident 4: 3 signs by person:ab. block them: done.";
        let short = headline("playbook_one", run).in_language(Language::English);
        assert_eq!(short, "Playbook one, on incident 4: /playbooks says more.");
    }

    #[test]
    fn every_sentence_is_one_that_the_hall_says() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = [
            "src/alerter/rules.rs",
            "src/alerter/mod.rs",
            "src/archivist.rs",
            "src/ingress.rs",
            "src/keeper.rs",
            "src/session/mod.rs",
            "src/treasurer/mod.rs",
            "src/warden/evidence.rs",
            "src/warden/mod.rs",
            "../guildhall/src/connect.rs",
            "../guildhall/src/run.rs",
            "../protocol/src/alert.rs",
        ];
        let code: String = files.map(|it| std::fs::read_to_string(root.join(it)).unwrap()).concat();
        let code = code.replace('\\', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        for shape in ALERTS.iter().chain(FOUND.iter()).chain(TAILS.iter()).chain(REFUSALS.iter()) {
            let literals = shape.english.split(|it| ('\u{E000}'..='\u{E003}').contains(&it));
            for literal in literals.map(str::trim).filter(|it| 3 < it.len()) {
                assert!(code.contains(literal), "nobody says “{literal}”");
            }
        }
    }
}
