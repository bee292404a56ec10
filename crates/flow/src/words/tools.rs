//! What the hall says about tools: whether one may be called, who asked whom, who takes over.

use std::{fmt::Write as _, time::Duration};

use protocol::{
    AgentName, UpdateId,
    event::{Button, Part},
    tool::ToolName,
    work::ToolStep,
};
use serde_json::Value;

use super::{Notice, in_english, say};
use crate::{
    context::{beginning, one_line},
    request::{Decision, decision_button},
    session::work::{Handing, Link, Work},
};

/// The most of a call's arguments that a person is shown, in characters.
const ARGUMENTS_CHARS_MAX: usize = 2_000;
/// The most of what one agent asked another, and was answered, in characters.
const SAID_CHARS_MAX: usize = 700;
/// The most of what agents said to each other, in characters.
const CHAIN_CHARS_MAX: usize = 3_000;

/// The most of one step that a trace shows, in characters.
const TRACED_CHARS_MAX: usize = 500;

/// What a person is asked about a call.
#[derive(Debug)]
pub(crate) struct Question<'q> {
    /// Who wants to call.
    pub agent: &'q AgentName,
    /// What.
    pub tool: &'q ToolName,
    /// With what.
    pub arguments: &'q Value,
    /// It was begun before, and nobody knows what came of it.
    pub is_again: bool,
    /// The update and the call.
    pub at: (UpdateId, u32),
    /// How long they may take.
    pub span: Duration,
}

/// Whether a tool may be called. Everything in it is inert: it has no markup.
pub(crate) fn may_i(question: &Question<'_>) -> Notice {
    let Question { agent, tool, arguments, is_again, at: (of, call), span } = question;
    let mut text = match is_again {
        false => format!("🔧 {agent} wants to use {tool}, which may change something:\n"),
        true => format!(
            "🔧 I was restarted while {agent} used {tool}. It may have happened, or not. Shall it be \
             done (again)?\n"
        ),
    };
    text += &shown(arguments);
    let minutes = span.as_secs().div_ceil(60).max(1);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    // lost-ok: writing to a string cannot fail, here and below.
    write!(text, "\n\nOnly you can allow it, once, within {minutes} {unit}.").ok();
    let button = |label: &str, allowed| Button {
        label: label.to_owned(),
        data: decision_button(Decision { of: *of, call: *call, allowed }),
    };
    let buttons = vec![vec![button("✅ Allow once", true), button("✖️ No", false)]];
    in_english(Part { html: None, plain: text, buttons })
}

/// A call's arguments, a line for each.
fn shown(arguments: &Value) -> String {
    let line = |(name, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("• {name}: {value}")
    };
    let lines = arguments.as_object().into_iter().flatten().map(line).collect::<Vec<_>>();
    let text = lines.join("\n");
    if text.is_empty() { "(without any details)".to_owned() } else { cut(&text) }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(ARGUMENTS_CHARS_MAX) {
        Some((end, _)) => {
            let left = text.chars().count() - ARGUMENTS_CHARS_MAX;
            format!("{}… ({left} characters more)", text.get(..end).unwrap_or_default())
        }
        None => text.to_owned(),
    }
}

/// A button of a question that is settled, or was never asked.
pub(crate) fn not_open() -> Notice {
    say("That is settled already. Ask again if you still want it.")
}

/// Somebody pressed the button of another person's question.
pub(crate) fn of_another() -> Notice {
    say("Only the person who was asked can decide that.")
}

/// The time to decide is over.
pub(crate) fn too_late() -> Notice {
    say("That was too long ago, so nothing was done. Ask again if you still want it.")
}

/// Another agent takes over.
pub(crate) fn handed_over(handing: &Handing) -> Notice {
    let Handing { from, to, .. } = handing;
    let text = format!("🔁 {to} takes over from {from}. Take it back: /agent {from}");
    let button = Button { label: format!("↩️ Back to {from}"), data: format!("ag:{from}") };
    in_english(Part { buttons: vec![vec![button]], ..Part::plain(text) })
}

/// What agents said to each other. Text of models: it is judged before anybody sees it.
/// `is_held` says of a call whether its result was held back.
pub(crate) fn chain(work: &Work, is_held: impl Fn(u32) -> bool) -> String {
    let said = |text: &str| beginning(&one_line(text), SAID_CHARS_MAX);
    let mut text = String::new();
    for link in &work.links {
        let line = format!("🗣 {} asked {}: {}", link.from, link.to, said(&link.asked));
        let answer = match &link.answered {
            Some(_) if is_held(link.call) => "(held back)",
            Some(answer) => answer,
            None => "(no answer)",
        };
        let lines = format!("{line}\n{}: {}\n", link.to, said(answer));
        if CHAIN_CHARS_MAX < text.chars().count() + lines.chars().count() {
            text.push_str("… and more, see /trace");
            break;
        }
        text.push_str(&lines);
    }
    text.trim_end().to_owned()
}

/// What one agent of a panel answered, under its name. Text of a model: it is judged before anybody
/// sees it.
pub(crate) fn of_panel(link: &Link) -> String {
    let answered = link.answered.as_deref().unwrap_or("(no answer)");
    format!("**{}**\n\n{answered}", link.to)
}

/// An agent of a panel whose answer was held back.
pub(crate) fn panel_held_back(agent: &AgentName) -> Notice {
    say(format!("{agent}: the answer was held back."))
}

/// A panel without anybody to ask.
pub(crate) fn no_panel() -> Notice {
    say("Nobody is here whom I could ask. /agents shows who there is.")
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
