//! What officers are told of what playbooks do, and the buttons under it; and what the person is told.

use protocol::{Language, PersonId, alert::Notification};

use super::{LIST_CHARS_MAX, Notice, Text, alerts::minute, known, say, text};
use crate::{
    playbook::{Found, Measure, Mode, Playbook, Run, Spared, Stand, State},
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

    fn label(self) -> Text {
        match self {
            Self::Yes => text!("button-run-yes"),
            Self::No => text!("button-run-no"),
            Self::Undo => text!("button-run-undo"),
            Self::Keep => text!("button-run-keep"),
            Self::Close => text!("button-run-close"),
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
pub(super) fn buttons(notification: &Notification) -> Vec<Vec<(Text, String)>> {
    let open = notification.alerts.iter().filter(|it| it.ended.is_none());
    let runs = open.filter_map(|it| {
        let run: u64 = it.labels.get("run")?.parse().ok()?;
        Some((run, it.labels.contains_key("asks")))
    });
    let runs: Vec<_> = runs.take(RUNS_MAX).collect();
    let is_one = runs.len() == 1;
    runs.into_iter().map(|(run, asks)| row(run, asks, is_one)).collect()
}

fn row(run: u64, asks: bool, is_one: bool) -> Vec<(Text, String)> {
    let verbs: &[Verb] = if asks {
        &[Verb::Yes, Verb::No, Verb::Close]
    } else {
        &[Verb::Undo, Verb::Keep, Verb::Close]
    };
    let number = if is_one { String::new() } else { format!(" {run}") };
    let button = |verb: &Verb| {
        let label = Text::concat(vec![verb.label(), number.clone().into()]);
        (label, format!("{BUTTON}{}:{run}", verb.word()))
    };
    verbs.iter().map(button).collect()
}

/// What a playbook did, or asks for, in some sentences. People as keyed hashes.
pub(crate) fn summary(run: &Run, pseudonym: &dyn Fn(PersonId) -> String) -> Text {
    let it = &run.beginning;
    let people: Vec<String> =
        it.people.iter().map(|it| format!("person:{}", pseudonym(*it))).collect();
    let who = if people.is_empty() { text!("run-the-hall") } else { people.join(", ").into() };
    let who = match &it.agent {
        Some(agent) => text!("run-with", who = who, agent = agent),
        None => who,
    };
    let steps = run.each().map(|(_, measure, state)| step(measure, state, run)).collect();
    let signs = text!("run-signs", count = it.signs);
    let rest = text!("run-what", signs = signs, who = who, steps = Text::Joined(steps, "; "));
    let (playbook, incident) = (&it.playbook, it.incident.to_string());
    match run.stand {
        Stand::Proposed => {
            text!("run-about-asks", playbook = playbook, incident = incident, rest = rest)
        }
        Stand::Acting => text!("run-about", playbook = playbook, incident = incident, rest = rest),
        Stand::Stopped => {
            text!("run-about-stopped", playbook = playbook, incident = incident, rest = rest)
        }
    }
}

fn step(measure: &Measure, state: &State, run: &Run) -> Text {
    let what = what(measure, run);
    match state {
        State::Waits => what,
        State::LeftOut(why) => text!("step-left-out", what = what, why = spared(*why)),
        State::Over(found) => Text::concat(vec![text!("step-over", what = what), of_found(found)]),
        State::Taken { until, found } => {
            let done = match (until, run.is_kept, measure.holds()) {
                (_, _, false) => text!("step-done", what = what),
                (_, true, true) | (None, false, true) => text!("step-done-kept", what = what),
                (Some(until), false, true) => {
                    text!("step-done-until", what = what, time = minute(*until))
                }
            };
            Text::concat(vec![done, of_found(found)])
        }
    }
}

fn what(measure: &Measure, run: &Run) -> Text {
    match measure {
        Measure::Block { .. } => text!("step-block"),
        Measure::Pause { .. } => match &run.beginning.agent {
            Some(agent) => text!("step-pause", agent = agent),
            None => text!("step-pause-agent"),
        },
        Measure::Slow { per_minute, .. } => text!("step-slow", count = *per_minute),
        Measure::Tighten { tokens_day, .. } => text!("step-tighten", count = *tokens_day),
        Measure::Gather { .. } => text!("step-gather"),
        Measure::ListTouched { .. } => text!("step-list"),
        Measure::ProposeRule => text!("step-rule"),
        Measure::Compare => text!("step-compare"),
    }
}

fn spared(why: Spared) -> Text {
    match why {
        Spared::Officers => text!("spared-officers"),
        Spared::SoAlready => text!("spared-so-already"),
        Spared::Gone => text!("spared-gone"),
        Spared::Nothing => text!("spared-nothing"),
        Spared::Refused => text!("spared-refused"),
    }
}

fn of_found(found: &Found) -> Text {
    if found.words.is_empty() {
        return Text::default();
    }
    Text::concat(vec![" (".into(), known::found(&found.words), ")".into()])
}

/// `/playbooks`: which there are, and what they did that is not over.
pub(crate) fn list(view: &View, pseudonym: &dyn Fn(PersonId) -> String) -> Notice {
    let mut lines = vec![text!("playbooks-head")];
    let line = |it: &Playbook| Text::Joined(vec!["•".into(), in_a_line(it)], " ");
    lines.extend(view.playbooks().iter().map(line));
    if view.playbooks().is_empty() {
        lines.push(text!("playbooks-none"));
    }
    lines.extend([Text::default(), text!("playbooks-done")]);
    let mut length: usize = lines.iter().map(|it| it.len() + 1).sum();
    let (mut buttons, mut is_any) = (Vec::new(), false);
    for run in view.runs().open().rev() {
        let number = format!("{}.", run.number());
        let line = Text::Joined(vec![number.into(), summary(run, pseudonym)], " ");
        length += line.len() + 1;
        if LIST_CHARS_MAX < length || RUNS_MAX <= buttons.len() {
            lines.push(text!("playbooks-more"));
            break;
        }
        is_any = true;
        lines.push(line);
        buttons.push(row(run.number(), run.stand == Stand::Proposed, false));
    }
    if !is_any {
        lines.push(text!("playbooks-nothing"));
    }
    Notice::with(Text::lines(lines), buttons)
}

fn in_a_line(it: &Playbook) -> Text {
    let (playbook, about) = (&it.name, &it.description);
    match it.mode {
        Mode::Act => text!("playbook-acts", playbook = playbook, about = about),
        Mode::Propose => text!("playbook-asks", playbook = playbook, about = about),
    }
}

/// One playbook in a line.
#[must_use]
pub fn about(it: &Playbook) -> String {
    in_a_line(it).in_language(Language::English)
}

/// Some runs, for whoever reads them in a terminal.
#[must_use]
pub fn lines<'r>(
    runs: impl Iterator<Item = &'r Run>,
    pseudonym: &dyn Fn(PersonId) -> String,
) -> Vec<String> {
    let english = |it| summary(it, pseudonym).in_language(Language::English);
    runs.map(|it| format!("{:>5}  {}", it.number(), english(it))).collect()
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
    say(text!("run-needs", role = super::officers::role(role)))
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
