//! What people are told of what is remembered. Facts passed the guard when they were stored.

use protocol::{
    AgentName, PersonId,
    memory::{Fact, FactOrigin},
};

use super::{LIST_CHARS_MAX, Notice, Text, say, text};

/// The longest fact in a list, in characters.
const LISTED_FACT_CHARS: usize = 120;
/// Buttons under one list.
const FORGET_BUTTONS_MAX: usize = 40;

/// A fact is remembered now.
pub(crate) fn fact_remembered(fact: &str) -> Notice {
    say(text!("fact-remembered", fact = fact))
}

/// A model's proposals are remembered now. Sent under its answer.
pub(crate) fn facts_noted(agent: &AgentName, count: usize) -> Notice {
    say(text!("facts-noted", agent = agent, count = count))
}

/// It is remembered already.
pub(crate) fn fact_known() -> Notice {
    say(text!("fact-known"))
}

/// No room for more facts.
pub(crate) fn facts_full(most: usize) -> Notice {
    say(text!("facts-full", most = most))
}

/// The fact is too long.
pub(crate) fn fact_too_long(chars_max: usize) -> Notice {
    say(text!("fact-too-long", most = chars_max))
}

/// Nobody to remember anything about: a channel, or an anonymous admin.
pub(crate) fn nobody_to_remember() -> Notice {
    say(text!("nobody-to-remember"))
}

/// `/memory`: what the person has had remembered in this chat, with a button to delete each; and
/// how much others have.
pub(crate) fn memory(facts: &[&Fact], of_others: usize, by: PersonId) -> Notice {
    let others = (0 < of_others).then(|| text!("memory-others", count = of_others));
    if facts.is_empty() {
        let lines = [Some(text!("memory-none")), others];
        return say(Text::lines(lines.into_iter().flatten().collect()));
    }
    let (mut lines, mut buttons, mut length) = (Vec::new(), Vec::new(), 0);
    for (at, fact) in facts.iter().enumerate() {
        let number = at + 1;
        let what = crate::context::beginning(&fact.text, LISTED_FACT_CHARS);
        let mut line = vec![Text::from(format!("{number}. {what} ({}", fact.space.name()))];
        if let FactOrigin::Proposed(agent) = &fact.origin {
            line.extend([", ".into(), text!("memory-noted-by", agent = agent)]);
        }
        line.push(")".into());
        let line = Text::concat(line);
        length += line.len() + 1;
        if LIST_CHARS_MAX < length || FORGET_BUTTONS_MAX <= buttons.len() {
            lines.push(text!("memory-more"));
            break;
        }
        lines.push(line);
        let data = crate::request::forget_button(fact.id, by);
        buttons.push((format!("🗑 {number}").into(), data));
    }
    if let Some(others) = others {
        lines.extend([Text::default(), others]);
    }
    let rows = buttons.chunks(4).map(<[_]>::to_vec).collect();
    let text = Text::Joined(vec![text!("memory-head"), Text::lines(lines)], "\n\n");
    Notice::with(text, rows)
}

/// A fact was forgotten. Its text is shown to whoever told it.
pub(crate) fn fact_forgotten(fact: Option<&str>) -> Notice {
    say(match fact.map(|it| crate::context::beginning(it, LISTED_FACT_CHARS)) {
        Some(fact) => text!("fact-forgotten", fact = fact),
        None => text!("fact-forgotten-unseen"),
    })
}

/// The fact is not there (any more).
pub(crate) fn fact_gone() -> Notice {
    say(text!("fact-gone"))
}

/// The fact is somebody else's.
pub(crate) fn fact_of_another() -> Notice {
    say(text!("fact-of-another"))
}
