//! `/trace`: why an answer was given, in plain words for everybody and in full for admins; and what
//! admins are told of refusals and false alarms.

use std::fmt::Write as _;

use protocol::event::{AnswerKind, Course, Judged, Part};

use super::{Notice, say};
use crate::{
    alarm::{Alarms, Ask, HeldBack, Refusal},
    session::reference_of,
    trace::Trace,
};

/// Names of rules and kinds in one line.
const NAMES_MAX: usize = 12;

/// `/trace` of a turn. What the guard found is named to admins alone: it would teach an attacker.
pub(crate) fn trace(trace: &Trace, in_full: bool) -> Notice {
    let mut text = String::from("🔎 How this answer came about");
    // lost-ok: writing to a string cannot fail, here and below.
    if let Some(reference) = trace.reference {
        write!(text, " (ref {reference})").ok();
    }
    text.push('\n');
    if trace.kind == Some(AnswerKind::Notice) && trace.work.is_empty() {
        text += "It is a fixed text of mine: no agent and no model was asked.";
        return say(text);
    }
    if let Some(agent) = &trace.agent {
        writeln!(text, "Agent: {agent}").ok();
    }
    writeln!(text, "Model: {}", model(trace)).ok();
    if let Some(judged) = &trace.prompt {
        let plainly = of_question(judged);
        let words = if in_full { in_detail(judged) } else { plainly };
        writeln!(text, "Question: {words}").ok();
    }
    if let Some(judged) = &trace.draft {
        let plainly = of_answer(judged).to_owned();
        let words = if in_full { in_detail(judged) } else { plainly };
        writeln!(text, "Answer: {words}").ok();
    }
    if !trace.work.is_empty() {
        // lost-ok: as above.
        write!(text, "Tools and other agents:\n{}", super::tools::traced(&trace.work)).ok();
    }
    let calls = trace.course.as_ref().map_or(0, |it| it.calls);
    writeln!(
        text,
        "Work: {}, {}",
        counted(trace.attempts, "attempt"),
        counted(calls, "model call")
    )
    .ok();
    if let Some(course) = &trace.course {
        writeln!(text, "Time: {}", times(course)).ok();
    }
    write!(text, "Messages: {} of {} sent", trace.parts_sent, trace.parts).ok();
    text += match trace.perhaps_repeated {
        true => ". A restart came while one was on its way: it may have come twice.",
        false => ", none twice as far as I know.",
    };
    let ask = trace.held_back.map(alarm_of);
    let button = ask.zip(trace.at).filter(|_| in_full).and_then(|(ask, at)| ask.button(at));
    let buttons = button.into_iter().map(|it| vec![it]).collect();
    Notice(Part { html: None, plain: text, buttons })
}

/// What the button under a refusal asks for.
fn alarm_of(of_answer: bool) -> Ask {
    if of_answer { Ask::MarkAnswer } else { Ask::MarkQuestion }
}

/// The admins are told that the guard stopped something. Says what it found, and never the text.
pub(crate) fn refusal(refusal: &Refusal, count: u64) -> Notice {
    let Refusal { at, of_answer, agent, judged, is_kept } = refusal;
    let reference = reference_of(at.key, at.update);
    let what = if *of_answer { "an answer of" } else { "a question to" };
    let mut text = format!("🛡 The guard stopped {what} {agent} (ref {reference}).\n");
    text += &in_detail(judged);
    if 1 < count {
        // lost-ok: as above.
        write!(text, "\nIt is the newest of {count} since I last told you.").ok();
    }
    // An answer may hold a secret of the house: it is not shown in a chat.
    let show = (!of_answer).then_some(Ask::Show);
    let asks = show.into_iter().chain([alarm_of(*of_answer)]).filter(|_| *is_kept);
    let buttons = asks.filter_map(|ask| ask.button(*at)).map(|it| vec![it]).collect();
    Notice(Part { html: None, plain: text, buttons })
}

/// The text of a question that was stopped, for an admin who is to judge it.
pub(crate) fn held_back(found: Option<&HeldBack>) -> Notice {
    let Some(HeldBack { held, .. }) = found.filter(|it| !it.held.of_answer) else {
        return say("⚠️ That text is not there any more.");
    };
    let text = held.texts.join("\n———\n");
    let shown: String = text.chars().take(super::LIST_CHARS_MAX).collect();
    let dots = if shown.len() < text.len() { "…" } else { "" };
    say(format!("The guard stopped this question to {}:\n\n{shown}{dots}", held.agent))
}

/// What is said when a refusal was marked as a false alarm.
pub(crate) fn marked(of_answer: bool) -> String {
    let passes = match of_answer {
        false => "The very same question passes from now on.",
        true => "Answers like it are held back all the same.",
    };
    format!(
        "Marked as a false alarm. {passes} /rule alarms lists the marks, and new rules are checked \
         against them."
    )
}

/// `/rule alarms`.
pub(crate) fn alarms(alarms: &Alarms) -> Notice {
    let mut text = String::new();
    for alarm in alarms.each() {
        let what = if alarm.of_answer { "answer of" } else { "question to" };
        let rules = alarm.rules.join(", ");
        let line = format!("• {}: {what} {} ({rules})\n", alarm.reference(), alarm.agent);
        if super::LIST_CHARS_MAX < text.len() + line.len() {
            text += "• … and more\n";
            break;
        }
        text += &line;
    }
    if text.is_empty() {
        text += "Nothing is marked. The button under a refusal does it.\n";
    }
    say(format!("False alarms:\n\n{text}\n/rule unmark <ref> takes a mark away."))
}

/// `/trace` of something that is no answer, or not this person's.
pub(crate) fn nothing_to_trace() -> Notice {
    say(
        "I know of no answer to you there. Reply to an answer of mine with /trace, and I say how it \
         came about.",
    )
}

/// The ledger could not be read.
pub(crate) fn cannot_trace() -> Notice {
    say("⚠️ I cannot look that up just now. Please try again in a moment.")
}

fn counted(count: u32, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn model(trace: &Trace) -> String {
    match (&trace.model, trace.kind) {
        (Some(model), _) => {
            let usage = trace.usage;
            let cost = match usage.cost_micros {
                0 => String::new(),
                micros => format!(", cost {}.{:06}", micros / 1_000_000, micros % 1_000_000),
            };
            format!("{model}, {} tokens in, {} out{cost}", usage.input_tokens, usage.output_tokens)
        }
        (None, Some(AnswerKind::Refusal)) => "none was asked".to_owned(),
        (None, Some(AnswerKind::Model | AnswerKind::Notice | AnswerKind::Apology) | None) => {
            "none answered".to_owned()
        }
    }
}

fn of_question(judged: &Judged) -> String {
    match judged.verdict.as_str() {
        "refuse" => "checked, and not passed on".to_owned(),
        "redact" => {
            // Which personal data of theirs was hidden, a person may know; the rest is not theirs.
            let own = judged.kinds.iter().filter_map(|it| it.strip_prefix("pii."));
            let own: Vec<String> = own.map(|it| it.replace('_', " ")).collect();
            let what = if own.is_empty() { "parts of it".to_owned() } else { own.join(", ") };
            format!("checked; hidden from the model: {what}")
        }
        _ => "checked, and passed on".to_owned(),
    }
}

fn of_answer(judged: &Judged) -> &'static str {
    match judged.verdict.as_str() {
        "refuse" => "checked, and held back",
        "redact" => "checked; parts of it were hidden",
        _ => "checked, and shown",
    }
}

/// Everything the guard said, for whoever keeps its rules.
fn in_detail(judged: &Judged) -> String {
    let mut text = judged.verdict.clone();
    let lists = [("", &judged.kinds), ("rules ", &judged.rules), ("in shadow ", &judged.shadow)];
    for (what, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
        let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if NAMES_MAX < names.len() { ", …" } else { "" };
        // lost-ok: as above.
        write!(text, "; {what}{shown}{more}").ok();
    }
    write!(text, "; score {}.{:03}, {}", judged.score / 1000, judged.score % 1000, likely(judged))
        .ok();
    text
}

/// An attack score in words.
fn likely(judged: &Judged) -> &'static str {
    match judged.score {
        0..=99 => "no sign of an attack",
        100..=399 => "little like an attack",
        400..=699 => "somewhat like an attack",
        700..=899 => "much like an attack",
        _ => "almost surely an attack",
    }
}

fn times(course: &Course) -> String {
    let mut stages = Vec::new();
    let mut before = 0;
    let known = [
        ("until the question was checked", course.prompt_judged_ms),
        ("to look through the past", course.recalled_ms),
        ("for the model", course.completed_ms),
        ("until the answer was fixed", Some(course.ready_ms)),
    ];
    for (what, after) in known {
        let Some(after) = after else { continue };
        stages.push(format!("{} {what}", seconds(after.saturating_sub(before))));
        before = after;
    }
    format!("{}; {} in all", stages.join(", "), seconds(course.ready_ms))
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

#[cfg(test)]
mod tests {
    use protocol::{RefId, model::Usage};

    use super::*;

    fn refused() -> Trace {
        let judged = Judged {
            verdict: "refuse".to_owned(),
            score: 980,
            rules: vec!["override_instructions".to_owned()],
            kinds: vec!["prompt_injection".to_owned()],
            shadow: vec!["watched".to_owned()],
        };
        Trace {
            reference: Some(RefId(0xABC)),
            agent: "sage".parse().ok(),
            prompt: Some(judged),
            kind: Some(AnswerKind::Refusal),
            parts: 1,
            parts_sent: 1,
            attempts: 1,
            course: Some(Course { prompt_judged_ms: Some(7), ready_ms: 9, ..Course::default() }),
            ..Trace::default()
        }
    }

    #[test]
    fn a_refusal_teaches_nothing_but_to_admins() {
        let plainly = trace(&refused(), false).into_part().plain;
        for word in ["override", "injection", "0.980", "watched", "attack"] {
            assert!(!plainly.contains(word), "{word}: {plainly}");
        }
        assert!(plainly.contains("Question: checked, and not passed on"), "{plainly}");
        assert!(
            plainly.contains("ref 00000ABC") && plainly.contains("none was asked"),
            "{plainly}"
        );
        let in_full = trace(&refused(), true).into_part().plain;
        let line = "Question: refuse; prompt_injection; rules override_instructions; \
                    in shadow watched; score 0.980, almost surely an attack\n";
        assert!(in_full.contains(line), "{in_full}");
    }

    #[test]
    fn an_answer_tells_agent_model_tokens_and_times() {
        let answered = Trace {
            prompt: Some(Judged {
                verdict: "redact".to_owned(),
                kinds: vec!["pii.credit_card".to_owned(), "secret".to_owned()],
                ..Judged::default()
            }),
            draft: Some(Judged { verdict: "flag".to_owned(), ..Judged::default() }),
            model: Some("openai".to_owned()),
            usage: Usage {
                input_tokens: 12,
                output_tokens: 34,
                cost_micros: 1_500,
                ..Usage::default()
            },
            kind: Some(AnswerKind::Model),
            attempts: 2,
            perhaps_repeated: true,
            course: Some(Course {
                prompt_judged_ms: Some(10),
                recalled_ms: Some(110),
                completed_ms: Some(1_510),
                ready_ms: 1_512,
                calls: 2,
                ..Course::default()
            }),
            ..refused()
        };
        assert_eq!(
            trace(&answered, false).into_part().plain,
            "🔎 How this answer came about (ref 00000ABC)\n\
             Agent: sage\n\
             Model: openai, 12 tokens in, 34 out, cost 0.001500\n\
             Question: checked; hidden from the model: credit card\n\
             Answer: checked, and shown\n\
             Work: 2 attempts, 2 model calls\n\
             Time: 0.010 s until the question was checked, 0.100 s to look through the past, \
             1.400 s for the model, 0.002 s until the answer was fixed; 1.512 s in all\n\
             Messages: 1 of 1 sent. A restart came while one was on its way: it may have come twice."
        );
    }
}
