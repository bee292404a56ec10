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

/// A step of the work, as `/export` tells it.
pub(crate) fn told(step: &ToolStep) -> String {
    match step {
        ToolStep::Wanted { agent, text, calls, .. } => {
            let calls = calls.iter().map(|it| format!("{} {}", it.name, it.arguments));
            let calls = calls.collect::<Vec<_>>().join("\n");
            format!("{agent} wants to use:\n{calls}\n{text}").trim_end().to_owned()
        }
        ToolStep::Called { agent, tool, arguments, asks, .. } => match asks {
            Some(asked) => format!("{agent} asks {asked}: {arguments}"),
            None => format!("{agent} uses {tool}: {arguments}"),
        },
        ToolStep::Answered { result, .. } => {
            let how = if result.is_error { "It failed" } else { "It gave back" };
            format!("{how}: {}", result.text)
        }
        ToolStep::ResultJudged { judged, .. } => format!("The guard says: {}", judged.verdict),
        ToolStep::ApprovalAsked { by, question, .. } => {
            format!("{by} is asked whether it may be used, for: {}", question.text)
        }
        ToolStep::ApprovalGiven { allowed, .. } => {
            if *allowed { "It may be used, once." } else { "It may not be used." }.to_owned()
        }
        ToolStep::HandedOver { from, to, note, .. } => format!("{from} hands over to {to}: {note}"),
    }
}

/// The work of a turn, as `/trace` tells it. What tools gave back is not in it: no guard has judged it
/// as something to be shown.
pub(crate) fn traced(steps: &[ToolStep]) -> String {
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
    let mut text = String::new();
    for step in steps {
        let line = match step {
            ToolStep::Answered { call, .. } if refused(*call) => "held back".to_owned(),
            ToolStep::Answered { call, result } if !result.is_error && !asked(*call) => {
                format!("it gave back {} characters", result.text.chars().count())
            }
            ToolStep::Wanted { .. } | ToolStep::ResultJudged { .. } => continue,
            ToolStep::Called { .. }
            | ToolStep::Answered { .. }
            | ToolStep::ApprovalAsked { .. }
            | ToolStep::ApprovalGiven { .. }
            | ToolStep::HandedOver { .. } => beginning(&one_line(&told(step)), TRACED_CHARS_MAX),
        };
        if CHAIN_CHARS_MAX < text.chars().count() + line.chars().count() {
            text.push_str("• … and more, see /export\n");
            break;
        }
        text.push_str(&format!("• {line}\n"));
    }
    text
}
