//! What officers are told of what playbooks do, and the buttons under it; and what the person is told.

use std::fmt::Write as _;

use protocol::{
    PersonId, Timestamp,
    alert::Notification,
    event::{Button, Part},
};

use super::{LIST_CHARS_MAX, Notice, Text, in_english, say, text};
use crate::{
    playbook::{Found, Measure, Mode, Playbook, Run, Stand, State},
    right::Role,
    roster::View,
};

/// What the buttons carry before the verb and the run.
pub(crate) const BUTTON: &str = "pb:";
/// Runs with buttons in one message.
const RUNS_MAX: usize = 5;

/// What an officer can say about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// It may act.
    Yes,
    /// It may not.
    No,
    /// Undo what can be undone.
    Undo,
    /// Let it stay.
    Keep,
    /// The incident is over.
    Close,
}

impl Verb {
    pub(crate) const ALL: [Self; 5] = [Self::Yes, Self::No, Self::Undo, Self::Keep, Self::Close];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Undo => "undo",
            Self::Keep => "keep",
            Self::Close => "close",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Yes => "▶️ Do it",
            Self::No => "✋ Do not",
            Self::Undo => "↩️ Undo",
            Self::Keep => "📌 Keep",
            Self::Close => "✅ Close incident",
        }
    }
}

/// What tells the alert of a run from others.
pub(crate) fn labels(run: &Run) -> Vec<(String, String)> {
    let asks = run.stand == Stand::Proposed;
    let mut labels = vec![
        ("run".to_owned(), run.number().to_string()),
        ("incident".to_owned(), run.beginning.incident.to_string()),
        ("playbook".to_owned(), run.beginning.playbook.clone()),
    ];
    labels.extend(asks.then(|| ("asks".to_owned(), "yes".to_owned())));
    labels
}

/// The buttons under an alert: a row for each run that it tells of.
pub(crate) fn buttons(notification: &Notification) -> Vec<Vec<Button>> {
    let open = notification.alerts.iter().filter(|it| it.ended.is_none());
    let runs = open.filter_map(|it| {
        let run: u64 = it.labels.get("run")?.parse().ok()?;
        Some((run, it.labels.contains_key("asks")))
    });
    let runs: Vec<_> = runs.take(RUNS_MAX).collect();
    let is_one = runs.len() == 1;
    runs.into_iter().map(|(run, asks)| row(run, asks, is_one)).collect()
}

fn row(run: u64, asks: bool, is_one: bool) -> Vec<Button> {
    let verbs: &[Verb] = if asks {
        &[Verb::Yes, Verb::No, Verb::Close]
    } else {
        &[Verb::Undo, Verb::Keep, Verb::Close]
    };
    let number = if is_one { String::new() } else { format!(" {run}") };
    let button = |verb: &Verb| Button {
        label: format!("{}{number}", verb.label()),
        data: format!("{BUTTON}{}:{run}", verb.word()),
    };
    verbs.iter().map(button).collect()
}

/// What a playbook did, or asks for, in some sentences. People as keyed hashes.
pub(crate) fn summary(run: &Run, pseudonym: &dyn Fn(PersonId) -> String) -> String {
    let it = &run.beginning;
    let people: Vec<String> =
        it.people.iter().map(|it| format!("person:{}", pseudonym(*it))).collect();
    let by = if people.is_empty() { "the hall".to_owned() } else { people.join(", ") };
    let agent = it.agent.as_ref().map(|it| format!(" with {it}")).unwrap_or_default();
    let steps: Vec<String> =
        run.each().map(|(_, measure, state)| step(measure, state, run)).collect();
    let does = match run.stand {
        Stand::Proposed => "asks whether it may act",
        Stand::Acting => "acts",
        Stand::Stopped => "was stopped",
    };
    let signs = if it.signs == 1 { "sign" } else { "signs" };
    format!(
        "Playbook {} {does} on incident {}: {} {signs} by {by}{agent}. {}.",
        it.playbook,
        it.incident,
        it.signs,
        steps.join("; ")
    )
}

fn step(measure: &Measure, state: &State, run: &Run) -> String {
    let agent = run.beginning.agent.as_ref().map_or("the agent", |it| it.as_str());
    let what = match measure {
        Measure::Block { .. } => "block them".to_owned(),
        Measure::Pause { .. } => format!("pause {agent}"),
        Measure::Slow { per_minute, .. } => format!("take {per_minute} messages a minute"),
        Measure::Tighten { tokens_day, .. } => format!("leave them {tokens_day} tokens a day"),
        Measure::Gather { .. } => "gather what they asked".to_owned(),
        Measure::ListTouched { .. } => "list what they touched".to_owned(),
        Measure::ProposeRule => "propose a rule".to_owned(),
        Measure::Compare => "compare with what is usual".to_owned(),
    };
    match state {
        State::Waits => what,
        State::LeftOut(why) => format!("{what}: not done, {}", why.words()),
        State::Over(found) => format!("{what}: over{}", found_words(found)),
        State::Taken { until, found } => {
            let until = match (until, run.is_kept, measure.holds()) {
                (_, _, false) => String::new(),
                (_, true, true) | (None, false, true) => ", until somebody undoes it".to_owned(),
                (Some(until), false, true) => format!(", until {}", minute(*until)),
            };
            format!("{what}: done{until}{}", found_words(found))
        }
    }
}

fn found_words(found: &Found) -> String {
    if found.words.is_empty() { String::new() } else { format!(" ({})", found.words) }
}

/// `/playbooks`: which there are, and what they did that is not over.
pub(crate) fn list(view: &View, pseudonym: &dyn Fn(PersonId) -> String) -> Notice {
    let mut text = String::from("Playbooks:\n");
    // lost-ok: writing to a string cannot fail, here and below.
    for it in view.playbooks() {
        writeln!(text, "• {}", about(it)).ok();
    }
    if view.playbooks().is_empty() {
        text.push_str("none\n");
    }
    text.push_str("\nWhat they did that is not over:\n");
    let (mut buttons, mut is_any) = (Vec::new(), false);
    for run in view.runs().open().rev() {
        let line = format!("{}. {}\n", run.number(), summary(run, pseudonym));
        if LIST_CHARS_MAX < text.len() + line.len() || RUNS_MAX <= buttons.len() {
            text.push_str("… and more: guildhall playbooks list\n");
            break;
        }
        is_any = true;
        text.push_str(&line);
        buttons.push(row(run.number(), run.stand == Stand::Proposed, false));
    }
    if !is_any {
        text.push_str("nothing\n");
    }
    in_english(Part { buttons, ..Part::plain(text.trim_end()) })
}

/// One playbook in a line.
#[must_use]
pub fn about(it: &Playbook) -> String {
    let mode = match it.mode {
        Mode::Act => "acts",
        Mode::Propose => "asks",
    };
    format!("{} ({mode}): {}", it.name, it.description)
}

/// Some runs, for whoever reads them in a terminal.
#[must_use]
pub fn lines<'r>(
    runs: impl Iterator<Item = &'r Run>,
    pseudonym: &dyn Fn(PersonId) -> String,
) -> Vec<String> {
    runs.map(|it| format!("{:>5}  {}", it.number(), summary(it, pseudonym))).collect()
}

/// What came of an officer's word.
pub(crate) fn done(verb: Verb, run: u64) -> Text {
    let run = run.to_string();
    match verb {
        Verb::Yes => text!("run-acts", run = run),
        Verb::No => text!("run-does-nothing", run = run),
        Verb::Undo => text!("run-undone", run = run),
        Verb::Keep => text!("run-kept", run = run),
        Verb::Close => text!("run-closed", run = run),
    }
}

/// It takes more than an operator.
pub(crate) fn needs(role: Role) -> Notice {
    say(text!("run-needs", role = role.word()))
}

/// There is no such run any more.
pub(crate) fn no_such_run() -> Notice {
    say(text!("run-over"))
}

/// The sender is blocked by a playbook. Shown once for each block.
pub(crate) fn must_wait(minutes: u64) -> Notice {
    say(text!("must-wait", minutes = minutes))
}

/// The sender is held back by a playbook. Shown once in a while.
pub(crate) fn held_back_pace(per_minute: u32) -> Notice {
    say(text!("held-back-pace", count = per_minute))
}

/// A time to the minute, in UTC.
fn minute(at: Timestamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
