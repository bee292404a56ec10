//! `guildhall rules replay`: rules tried on the past, by this process or by the hall that runs.
//!
//! The hall that runs holds the ledger, so it is asked over its console; a ledger that nobody holds
//! is opened here. Texts are shown only in the second case: the console's answer never holds one.

use std::{fmt::Write as _, sync::Arc};

use flow::{
    alarm::{self, Alarms, Regression},
    replay::{self, Report, Window},
    roster,
    rulebook::{Rulebook, Which},
};
use protocol::{
    Clock as _,
    audit::{Action, Doer, Target},
    ledger::{Ledger, Stream},
};
use screening::{OutboundContext, OwnRule, RuleFile, Screen};
use serde::{Deserialize, Serialize};
use store::{OpenError, Store};

use super::book::Book;
use crate::{
    audit,
    build::BuildError,
    config::Loaded,
    master,
    run::{SystemClock, store_config, store_folder},
};

/// What to try, as the hall that runs is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// A rule file: what errors call it, and its text. None: a rule that is there.
    pub file: Option<(String, String)>,
    /// The rule; all of the file if there is none.
    pub rule: Option<String>,
    /// Over how many days.
    pub days: u32,
}

impl Question {
    fn which(self) -> Result<Which, String> {
        match (self.file, self.rule) {
            (Some((name, text)), rule) => Ok(Which::OfFile(RuleFile { name, text }, rule)),
            (None, Some(rule)) => Ok(Which::Named(rule)),
            (None, None) => Err("a file or the name of a rule is needed".to_owned()),
        }
    }
}

/// The answer of the hall that runs, as JSON.
///
/// # Errors
/// Why there is none, in words.
pub(crate) async fn answer(
    ledger: Arc<dyn Ledger>,
    book: Arc<dyn Rulebook>,
    own: Vec<OwnRule>,
    marked: Alarms,
    question: &[u8],
) -> Result<String, String> {
    let question: Question =
        serde_json::from_slice(question).map_err(|error| format!("no question: {error}"))?;
    let days = question.days;
    if !(1..=replay::DAYS_MAX).contains(&days) {
        return Err(format!("the days are a number from 1 to {}", replay::DAYS_MAX));
    }
    let window = Window { days, now: SystemClock.now(), keep_texts: false };
    let report = replay::tried(&*ledger, book, question.which()?, own, &marked, window).await?;
    serde_json::to_string(&report).map_err(|error| error.to_string())
}

/// Opens the ledger here and tries rules on it. `None` if a hall that runs holds it.
///
/// # Errors
/// Why it cannot be done, in words.
pub fn try_offline(
    loaded: &Loaded,
    question: Question,
    keep_texts: bool,
) -> Result<Option<Report>, String> {
    let config = &loaded.config;
    let words = |error: &(dyn std::error::Error + 'static)| BuildError::of(error).to_string();
    let folder = store_folder(config);
    if !folder.exists() {
        return Err(format!("there is no ledger in {} yet", folder.display()));
    }
    let (book, _) = Book::open(loaded).map_err(|error| error.to_string())?;
    let keys = master::keys(config).map_err(|error| words(&error))?;
    let store = match Store::open(store_config(config), keys) {
        Err(OpenError::Locked) => return Ok(None),
        opened => opened.map_err(|error| words(&error))?,
    };
    let window = Window { days: question.days, now: SystemClock.now(), keep_texts };
    let about = if keep_texts { "with texts" } else { "" };
    let deed = audit::deed(Doer::Operator, Action::RulesTried, Target::Nothing).about(about);
    let work = async {
        let hall = store.read_all(Stream::Hall).await.map_err(|error| words(&error))?;
        let hall = hall.concat();
        let own = roster::own_rules_in(&hall).map_err(|error| words(&error))?.all();
        let marked = roster::alarms_in(&hall).map_err(|error| words(&error))?;
        replay::tried(&store, Arc::new(book), question.which()?, own, &marked, window).await
    };
    let report = audit::noted(config, &store, deed, || kit::block_on(work));
    store.close().map_err(|error| words(&error))?;
    report.map(Some)
}

/// What is marked as a false alarm, with its texts, and which of it the rules in force would refuse.
#[derive(Clone, Debug, Default)]
pub struct Marked {
    /// All of it.
    pub all: Vec<Regression>,
    /// The references of what would be refused, each with the rules that would.
    pub refused: Vec<(String, Vec<String>)>,
}

/// Opens the ledger here and reads the regression set. `None` if a hall that runs holds the ledger;
/// an empty set where there is no ledger yet.
///
/// # Errors
/// Why it cannot be done, in words.
pub fn marked_offline(loaded: &Loaded) -> Result<Option<Marked>, String> {
    let config = &loaded.config;
    let words = |error: &(dyn std::error::Error + 'static)| BuildError::of(error).to_string();
    if !store_folder(config).exists() {
        return Ok(Some(Marked::default()));
    }
    let (book, _) = Book::open(loaded).map_err(|error| error.to_string())?;
    let keys = master::keys(config).map_err(|error| words(&error))?;
    let store = match Store::open(store_config(config), keys) {
        Err(OpenError::Locked) => return Ok(None),
        opened => opened.map_err(|error| words(&error))?,
    };
    let deed = audit::deed(Doer::Operator, Action::TextShown, Target::Nothing);
    let work = async {
        let hall = store.read_all(Stream::Hall).await.map_err(|error| words(&error))?;
        let hall = hall.concat();
        let own = roster::own_rules_in(&hall).map_err(|error| words(&error))?.all();
        let marked = roster::alarms_in(&hall).map_err(|error| words(&error))?;
        let all = alarm::regressions(&store, &marked).await.map_err(|error| words(&error))?;
        let screen = book.make(own)?.screen;
        let refused = all.iter().filter_map(|it| Some((it.trace.clone(), refusing(&screen, it)?)));
        Ok::<_, String>(Marked { refused: refused.collect(), all: all.clone() })
    };
    let deed = deed.about("marked false alarms");
    let read = audit::noted(config, &store, deed, || kit::block_on(work));
    store.close().map_err(|error| words(&error))?;
    read.map(Some)
}

/// The rules by which a text of the set would be refused, if it would be.
fn refusing(screen: &Screen, it: &Regression) -> Option<Vec<String>> {
    let judge = |text: &String| match it.of_answer {
        true => screen.outbound(text, &OutboundContext::default()).into_owned(),
        false => screen.inbound_for(text, it.agent.as_str()).into_owned(),
    };
    let judged = it.texts.iter().map(judge);
    let refused = judged.filter(|it| it.verdict == screening::Verdict::Refuse);
    let found = refused.flat_map(|it| it.findings).filter(|it| it.shadow.is_none());
    let mut rules: Vec<String> = found.map(|it| it.rule.to_string()).collect();
    rules.dedup();
    (!rules.is_empty()).then_some(rules)
}

/// The report as a table; texts last, where they were kept.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = format!(
        "{} rules, {} days, {} texts that passed: {} would have been stopped.\n",
        report.rules.len(),
        report.days,
        report.texts,
        report.stopped
    );
    // lost-ok: writing to a string cannot fail, here and below.
    if !report.rows.is_empty() {
        let head = ("RULE", "AGENT", "WAY", "TEXTS", "REFUSE", "REDACT", "FLAG");
        let (a, b, c, d, e, f, g) = head;
        writeln!(text, "\n{a:<32} {b:<16} {c:<4} {d:>8} {e:>8} {f:>8} {g:>8}").ok();
    }
    for it in &report.rows {
        writeln!(
            text,
            "{:<32} {:<16} {:<4} {:>8} {:>8} {:>8} {:>8}",
            it.rule, it.agent, it.direction, it.texts, it.refuse, it.redact, it.flag
        )
        .ok();
    }
    if !report.found.is_empty() {
        text += "\nTurns in which something was found:\n";
    }
    for it in &report.found {
        let action = screening::Verdict::from(it.action).as_str();
        write!(text, "{} {} {} {} {action}", it.trace, it.rule, it.agent, it.direction).ok();
        match &it.text {
            // On one line, and nothing that a terminal would obey.
            Some(said) => writeln!(text, "  {}", said.escape_debug()).ok(),
            None => writeln!(text).ok(),
        };
    }
    if !report.false_alarms.is_empty() {
        let refs = report.false_alarms.join(" ");
        writeln!(text, "\nWARNING: would stop what was marked as a false alarm: {refs}").ok();
    }
    if !report.complete {
        text += "\nThere was more than one look takes in; ask for fewer days.\n";
    }
    if 0 < report.unreadable {
        writeln!(text, "\n{} entries of the ledger could not be read.", report.unreadable).ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use flow::replay::{Found, Row};
    use screening::Action;

    use super::*;

    fn report(text: Option<&str>) -> Report {
        let row = Row {
            rule: "aurora".to_owned(),
            agent: "sage".to_owned(),
            direction: "in".to_owned(),
            texts: 20,
            flag: 0,
            redact: 0,
            refuse: 3,
        };
        let found = Found {
            trace: "7F3A0001".to_owned(),
            rule: "aurora".to_owned(),
            agent: "sage".to_owned(),
            direction: "in".to_owned(),
            action: Action::Refuse,
            text: text.map(str::to_owned),
        };
        Report {
            days: 7,
            texts: 20,
            stopped: 3,
            complete: true,
            rules: vec!["aurora".to_owned()],
            rows: vec![row],
            found: vec![found],
            ..Report::default()
        }
    }

    #[test]
    fn a_table_has_counts_and_turns_and_texts_only_where_they_were_kept() {
        let text = table(&report(None));
        assert_eq!(
            text,
            "1 rules, 7 days, 20 texts that passed: 3 would have been stopped.\n\n\
             RULE                             AGENT            WAY     TEXTS   REFUSE   REDACT     FLAG\n\
             aurora                           sage             in         20        3        0        0\n\n\
             Turns in which something was found:\n7F3A0001 aurora sage in refuse\n"
        );
        let text = table(&report(Some("two\nlines\u{1b}[31m")));
        assert!(text.ends_with("refuse  two\\nlines\\u{1b}[31m\n"), "{text}");
    }

    #[test]
    fn a_question_names_a_file_or_a_rule() {
        let question = Question { file: None, rule: None, days: 7 };
        assert!(question.which().is_err());
        let question = Question { file: None, rule: Some("aurora".to_owned()), days: 7 };
        assert!(matches!(question.which(), Ok(Which::Named(name)) if name == "aurora"));
    }
}
