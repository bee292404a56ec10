//! `/rule test`: what rules would have stopped. Counts and the ids of turns; never a text.

use super::{Text, text};
use crate::replay::{Report, Row};

/// Rows and ids of turns that are named in one message.
const LINES_MAX: usize = 20;
const TRACES_MAX: usize = 10;

/// What came of it.
pub(crate) fn tried(report: &Report) -> Text {
    let it = report;
    let is_one = it.rules.len() == 1;
    let rules = match it.rules.as_slice() {
        [one] => one.into(),
        more => text!("tried-rules", count = more.len()),
    };
    let (days, texts, stopped) = (it.days, it.texts, it.stopped);
    let past = text!("tried-days", days = days);
    let head = text!("tried-head", rules = rules, past = past, texts = texts, stopped = stopped);
    let mut lines = vec![head];
    lines.extend(it.rows.iter().take(LINES_MAX).map(|it| row(it, is_one)));
    let more = it.rows.len().checked_sub(LINES_MAX).filter(|it| 0 < *it);
    lines.extend(more.map(|more| text!("and-more", count = more)));
    let mut traces: Vec<&str> = it.found.iter().map(|it| it.trace.as_str()).collect();
    traces.dedup();
    traces.truncate(TRACES_MAX);
    if !traces.is_empty() {
        lines.push(text!("tried-turns", references = traces.join(" ")));
    }
    if !it.false_alarms.is_empty() {
        lines.push(text!("tried-false-alarms", references = it.false_alarms.join(" ")));
    }
    if !it.complete {
        lines.push(text!("tried-incomplete"));
    }
    if 0 < it.unreadable {
        lines.push(text!("tried-unreadable", count = it.unreadable));
    }
    Text::lines(lines)
}

fn row(row: &Row, is_one: bool) -> Text {
    let rule = if is_one { String::new() } else { format!("{}, ", row.rule) };
    let agent = &row.agent;
    let what = match row.direction.as_str() {
        "in" => text!("tried-questions", agent = agent),
        _ => text!("tried-answers", agent = agent),
    };
    let counts = text!(
        "tried-counts",
        stopped = row.flag + row.redact + row.refuse,
        texts = row.texts,
        refused = row.refuse,
        redacted = row.redact,
        flagged = row.flag,
    );
    let what = Text::concat(vec!["• ".into(), rule.into(), what]);
    Text::Joined(vec![what, counts], ": ")
}

/// It could not be tried.
pub(crate) fn not_tried(why: impl Into<Text>) -> Text {
    text!("not-tried", why = why.into())
}
