//! What the hall says about tools: who asked whom, who takes over, what becomes of a question whether one
//! may be called. That question itself is in `approval.rs`.

use protocol::{AgentName, Language, work::ToolStep};

use super::{Notice, Text, say, text};
use crate::{
    context::{beginning, one_line},
    session::work::{Handing, Link, Work},
};

/// The most of what one agent asked another, and was answered, in characters.
const SAID_CHARS_MAX: usize = 700;
/// The most of what agents said to each other, in characters.
const CHAIN_CHARS_MAX: usize = 3_000;

/// The most of one step that a trace shows, in characters.
const TRACED_CHARS_MAX: usize = 500;

/// A button of a question that is settled, or was never asked.
pub(crate) fn not_open() -> Notice {
    say(text!("tool-settled"))
}

/// Somebody pressed the button of another person's question.
pub(crate) fn of_another() -> Notice {
    say(text!("tool-of-another"))
}

/// The time to decide is over.
pub(crate) fn too_late() -> Notice {
    say(text!("tool-too-late"))
}

/// Another agent takes over.
pub(crate) fn handed_over(handing: &Handing) -> Notice {
    let Handing { from, to, .. } = handing;
    let button = (text!("button-back-to", agent = from), format!("ag:{from}"));
    Notice::with(text!("handed-over", to = to, from = from), vec![vec![button]])
}

/// What agents said to each other. Text of models: it is judged before anybody sees it.
/// `is_held` says of a call whether its result was held back.
pub(crate) fn chain(work: &Work, is_held: impl Fn(u32) -> bool, language: Language) -> String {
    let said = |text: &str| beginning(&one_line(text), SAID_CHARS_MAX);
    let ours = |text: Text| text.in_language(language);
    let mut text = String::new();
    for link in &work.links {
        let asked = said(&link.asked);
        let line = ours(text!("agent-asked", from = &link.from, to = &link.to, what = asked));
        let answer = match &link.answered {
            Some(_) if is_held(link.call) => ours(text!("agent-held-back")),
            Some(answer) => said(answer),
            None => ours(text!("agent-no-answer")),
        };
        let lines = format!("{line}\n{}: {answer}\n", link.to);
        if CHAIN_CHARS_MAX < text.chars().count() + lines.chars().count() {
            text.push_str(&ours(text!("more-in-trace")));
            break;
        }
        text.push_str(&lines);
    }
    text.trim_end().to_owned()
}

/// What one agent of a panel answered, under its name. Text of a model: it is judged before anybody
/// sees it.
pub(crate) fn of_panel(link: &Link, language: Language) -> String {
    let answered = link.answered.clone();
    let answered = answered.unwrap_or_else(|| text!("agent-no-answer").in_language(language));
    format!("**{}**\n\n{answered}", link.to)
}

/// An agent of a panel whose answer was held back.
pub(crate) fn panel_held_back(agent: &AgentName) -> Notice {
    say(text!("panel-answer-held-back", agent = agent))
}

/// A panel without anybody to ask.
pub(crate) fn no_panel() -> Notice {
    say(text!("nobody-to-ask"))
}

/// A step of the work, as `/export` tells it: in English, as all of it is.
pub(crate) fn told(step: &ToolStep) -> String {
    in_words(step).in_language(Language::English).trim_end().to_owned()
}

fn in_words(step: &ToolStep) -> Text {
    match step {
        ToolStep::Wanted { agent, text, calls, .. } => {
            let calls = calls.iter().map(|it| format!("{} {}", it.name, it.arguments));
            let calls = calls.collect::<Vec<_>>().join("\n");
            Text::lines(vec![text!("step-wants", agent = agent), calls.into(), text.into()])
        }
        ToolStep::Called { agent, tool, arguments, asks, .. } => match asks {
            Some(asked) => text!("step-asks", agent = agent, asked = asked, what = arguments),
            None => text!("step-uses", agent = agent, tool = tool.as_str(), what = arguments),
        },
        ToolStep::Answered { result, .. } => match result.is_error {
            true => text!("step-failed", what = &result.text),
            false => text!("step-gave", what = &result.text),
        },
        ToolStep::ResultJudged { judged, .. } => text!("step-judged", verdict = &judged.verdict),
        ToolStep::ApprovalAsked { question, .. } => text!("step-may-it", what = &question.text),
        ToolStep::ApprovalGiven { allowed, .. } => match allowed {
            true => text!("step-allowed"),
            false => text!("step-denied"),
        },
        ToolStep::HandedOver { from, to, note, .. } => {
            text!("step-hands-over", from = from, to = to, note = note)
        }
    }
}

/// The same with everything that others wrote in one line, and short.
fn in_short(step: &ToolStep) -> Text {
    let mut step = step.clone();
    let short = |it: &mut String| *it = beginning(&one_line(it), TRACED_CHARS_MAX);
    match &mut step {
        ToolStep::Wanted { text, .. } => short(text),
        ToolStep::Called { arguments, .. } => short(arguments),
        ToolStep::Answered { result, .. } => short(&mut result.text),
        ToolStep::ApprovalAsked { question, .. } => short(&mut question.text),
        ToolStep::HandedOver { note, .. } => short(note),
        ToolStep::ResultJudged { .. } | ToolStep::ApprovalGiven { .. } => {}
    }
    in_words(&step)
}

/// The work of a turn, as `/trace` tells it. What tools gave back is not in it: no guard has judged it
/// as something to be shown.
pub(crate) fn traced(steps: &[ToolStep]) -> Text {
    let refused = |number: u32| {
        steps.iter().any(|it| {
            matches!(it, ToolStep::ResultJudged { call, judged }
                if *call == number && judged.verdict == "refuse")
        })
    };
    let asked = |number: u32| {
        steps
            .iter()
            .any(|it| matches!(it, ToolStep::Called { call, asks: Some(_), .. } if *call == number))
    };
    let (mut lines, mut length) = (Vec::new(), 0);
    for step in steps {
        let line = match step {
            ToolStep::Answered { call, .. } if refused(*call) => text!("step-held-back"),
            ToolStep::Answered { call, result } if !result.is_error && !asked(*call) => {
                text!("step-gave-much", count = result.text.chars().count())
            }
            ToolStep::Wanted { .. } | ToolStep::ResultJudged { .. } => continue,
            ToolStep::Called { .. }
            | ToolStep::Answered { .. }
            | ToolStep::ApprovalAsked { .. }
            | ToolStep::ApprovalGiven { .. }
            | ToolStep::HandedOver { .. } => in_short(step),
        };
        let line = Text::Joined(vec!["•".into(), line], " ");
        length += line.in_language(Language::English).chars().count();
        if CHAIN_CHARS_MAX < length {
            lines.push(text!("steps-more"));
            break;
        }
        lines.push(line);
    }
    Text::lines(lines)
}
