//! `/trace`: why an answer was given, in plain words for everybody and in full for admins; and what
//! admins are told of refusals and false alarms.

use std::fmt::Write as _;

use protocol::{
    Language,
    event::{AnswerKind, Course, Judged, Part},
};

use super::{Notice, Text, in_english, language::Argument, say, text};
use crate::{
    alarm::{Alarms, Ask, HeldBack, Refusal},
    session::reference_of,
    trace::Trace,
};

/// Names of rules and kinds in one line.
const NAMES_MAX: usize = 12;

/// `/trace` of a turn. What the guard found is named to admins alone: it would teach an attacker.
pub(crate) fn trace(trace: &Trace, in_full: bool) -> Notice {
    let mut lines = vec![match trace.reference {
        Some(reference) => text!("trace-head-ref", reference = reference),
        None => text!("trace-head"),
    }];
    if trace.kind == Some(AnswerKind::Notice) && trace.work.is_empty() {
        lines.push(text!("trace-notice"));
        return say(Text::lines(lines));
    }
    if let Some(agent) = &trace.agent {
        lines.push(text!("trace-agent", agent = agent));
    }
    lines.push(text!("trace-model", model = model(trace)));
    lines.extend(trace.heard_by.as_ref().map(|it| text!("trace-heard-by", model = it)));
    if let Some(judged) = &trace.prompt {
        let words = if in_full { in_detail(judged) } else { of_question(judged) };
        lines.push(text!("trace-question", words = words));
    }
    if let Some(judged) = &trace.draft {
        let words = if in_full { in_detail(judged) } else { of_answer(judged) };
        lines.push(text!("trace-answer", words = words));
    }
    if !trace.work.is_empty() {
        lines.extend([text!("trace-tools"), super::tools::traced(&trace.work).into()]);
    }
    let attempts = text!("trace-attempts", count = trace.attempts);
    let calls = text!("trace-calls", count = trace.course.as_ref().map_or(0, |it| it.calls));
    lines.push(text!("trace-work", attempts = attempts, calls = calls));
    if let Some(course) = &trace.course {
        lines.push(times(course));
    }
    let (sent, all) = (trace.parts_sent, trace.parts);
    lines.push(match trace.perhaps_repeated {
        true => text!("trace-messages-perhaps-twice", sent = sent, all = all),
        false => text!("trace-messages", sent = sent, all = all),
    });
    let ask = trace.held_back.map(alarm_of);
    let button = ask.zip(trace.at).filter(|_| in_full).and_then(|(ask, at)| ask.button(at));
    let buttons = button.into_iter().map(|it| vec![(it.label.into(), it.data)]).collect();
    Notice::with(Text::lines(lines), buttons)
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
    text += &in_detail(judged).in_language(Language::English);
    if 1 < count {
        // lost-ok: as above.
        write!(text, "\nIt is the newest of {count} since I last told you.").ok();
    }
    // An answer may hold a secret of the house: it is not shown in a chat.
    let show = (!of_answer).then_some(Ask::Show);
    let asks = show.into_iter().chain([alarm_of(*of_answer)]).filter(|_| *is_kept);
    let buttons = asks.filter_map(|ask| ask.button(*at)).map(|it| vec![it]).collect();
    in_english(Part { buttons, ..Part::plain(text) })
}

/// The text of a question that was stopped, for an admin who is to judge it.
pub(crate) fn held_back(found: Option<&HeldBack>) -> Notice {
    let Some(HeldBack { held, .. }) = found.filter(|it| !it.held.of_answer) else {
        return say(text!("held-back-gone"));
    };
    let text = held.texts.join("\n———\n");
    let shown: String = text.chars().take(super::LIST_CHARS_MAX).collect();
    let dots = if shown.len() < text.len() { "…" } else { "" };
    let head = text!("held-back-head", agent = &held.agent);
    say(Text::Joined(vec![head, format!("{shown}{dots}").into()], "\n\n"))
}

/// What is said when a refusal was marked as a false alarm.
pub(crate) fn marked(of_answer: bool) -> Text {
    match of_answer {
        false => text!("marked-question"),
        true => text!("marked-answer"),
    }
}

/// `/rule alarms`.
pub(crate) fn alarms(alarms: &Alarms) -> Notice {
    let (mut lines, mut length) = (Vec::new(), 0);
    for alarm in alarms.each() {
        let (reference, rules) = (alarm.reference(), alarm.rules.join(", "));
        let line = match alarm.of_answer {
            true => {
                text!("alarm-answer", reference = reference, agent = &alarm.agent, rules = rules)
            }
            false => {
                text!("alarm-question", reference = reference, agent = &alarm.agent, rules = rules)
            }
        };
        length += line.len() + 1;
        if super::LIST_CHARS_MAX < length {
            lines.push(text!("list-more"));
            break;
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(text!("alarms-none"));
    }
    let parts = vec![text!("alarms-head"), Text::lines(lines), text!("alarms-foot")];
    say(Text::Joined(parts, "\n\n"))
}

/// `/trace` of something that is no answer, or not this person's.
pub(crate) fn nothing_to_trace() -> Notice {
    say(text!("nothing-to-trace"))
}

/// The ledger could not be read.
pub(crate) fn cannot_trace() -> Notice {
    say(text!("cannot-trace"))
}

fn model(trace: &Trace) -> Text {
    match (&trace.model, trace.kind) {
        (Some(model), _) => {
            let usage = trace.usage;
            let (read, written) = (usage.input_tokens, usage.output_tokens);
            if usage.cost_micros == 0 {
                return text!("trace-model-used", model = model, read = read, written = written);
            }
            let micros = usage.cost_micros;
            let cost = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            let cost = Argument::Decimal(cost);
            text!("trace-model-cost", model = model, read = read, written = written, cost = cost)
        }
        (None, Some(AnswerKind::Refusal)) => text!("trace-model-none-asked"),
        (None, Some(AnswerKind::Model | AnswerKind::Notice | AnswerKind::Apology) | None) => {
            text!("trace-model-none-answered")
        }
    }
}

fn of_question(judged: &Judged) -> Text {
    match judged.verdict.as_str() {
        "refuse" => text!("trace-question-refused"),
        "redact" => {
            // Which personal data of theirs was hidden, a person may know; the rest is not theirs.
            let own = judged.kinds.iter().filter_map(|it| it.strip_prefix("pii."));
            let own: Vec<String> = own.map(|it| it.replace('_', " ")).collect();
            let what = match own.is_empty() {
                true => text!("trace-question-redacted-parts"),
                false => own.join(", ").into(),
            };
            text!("trace-question-redacted", what = what)
        }
        _ => text!("trace-question-passed"),
    }
}

fn of_answer(judged: &Judged) -> Text {
    match judged.verdict.as_str() {
        "refuse" => text!("trace-answer-refused"),
        "redact" => text!("trace-answer-redacted"),
        _ => text!("trace-answer-shown"),
    }
}

/// Everything the guard said, for whoever keeps its rules.
fn in_detail(judged: &Judged) -> Text {
    let names = |names: &[String]| {
        let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
        if NAMES_MAX < names.len() { format!("{shown}, …") } else { shown }
    };
    let mut parts = vec![Text::from(&judged.verdict)];
    if !judged.kinds.is_empty() {
        parts.push(names(&judged.kinds).into());
    }
    if !judged.rules.is_empty() {
        parts.push(text!("trace-rules", names = names(&judged.rules)));
    }
    if !judged.shadow.is_empty() {
        parts.push(text!("trace-shadow", names = names(&judged.shadow)));
    }
    let score = thousandths(u64::from(judged.score));
    parts.push(text!("trace-score", score = score, likely = likely(judged)));
    Text::Joined(parts, "; ")
}

/// An attack score in words.
fn likely(judged: &Judged) -> Text {
    match judged.score {
        0..=99 => text!("likely-none"),
        100..=399 => text!("likely-little"),
        400..=699 => text!("likely-somewhat"),
        700..=899 => text!("likely-much"),
        _ => text!("likely-surely"),
    }
}

fn times(course: &Course) -> Text {
    let (mut stages, mut before) = (Vec::new(), 0);
    let mut since = |after: u64| {
        let took = thousandths(after.saturating_sub(before));
        before = after;
        took
    };
    if let Some(after) = course.prompt_judged_ms {
        stages.push(text!("trace-time-question", seconds = since(after)));
    }
    if let Some(after) = course.recalled_ms {
        stages.push(text!("trace-time-past", seconds = since(after)));
    }
    if let Some(after) = course.completed_ms {
        stages.push(text!("trace-time-model", seconds = since(after)));
    }
    stages.push(text!("trace-time-answer", seconds = since(course.ready_ms)));
    let total = thousandths(course.ready_ms);
    text!("trace-time", stages = Text::Joined(stages, ", "), total = total)
}

/// A number of thousandths: seconds of milliseconds, a score.
fn thousandths(count: u64) -> Argument {
    Argument::Decimal(format!("{}.{:03}", count / 1000, count % 1000))
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
