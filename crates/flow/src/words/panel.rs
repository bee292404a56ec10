//! The panel of `/status`: one message of officers with buttons, edited in place.

use std::time::Duration;

use protocol::{
    AgentName, Timestamp,
    event::{Button, Part},
};

use super::{Notice, in_english, text};
use crate::{request::Step, right::Role};

/// What the buttons carry before what they are for.
pub(crate) const BUTTON: &str = "st:";
/// The longest state of the hall in a panel, in characters; what follows it must fit too.
const STATE_CHARS_MAX: usize = 3_200;
/// What fits into a button's data.
const DATA_BYTES_MAX: usize = 64;
/// Agents or actors to choose from.
const CHOICES_MAX: usize = 24;
/// Buttons in a row.
const ROW: usize = 2;

/// What a panel shows beside the state of the hall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// What can be done.
    Main,
    /// The agents, and which of them rest.
    Agents(Vec<(AgentName, bool)>),
    /// The parts that can be made anew.
    Actors(Vec<String>),
    /// Whether something that interrupts people is meant.
    Sure {
        /// What it does.
        question: String,
        /// What the button that confirms is for.
        step: Step,
    },
}

/// What is out of the ordinary because an officer wants it so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Until when nobody is told of alerts.
    pub muted_until: Option<Timestamp>,
    /// New questions are turned away.
    pub is_drained: bool,
}

/// The panel: `note` is what came of the last press.
pub(crate) fn panel(
    state: &str,
    note: Option<&str>,
    (page, standing): (&Page, Standing),
    now: Timestamp,
) -> Notice {
    let mut text: String = state.trim_end().chars().take(STATE_CHARS_MAX).collect();
    if let Some(until) = standing.muted_until {
        text.push_str(&format!("\n🔕 Nobody is told of alerts until {} UTC", time(until, "%H:%M")));
    }
    if standing.is_drained {
        text.push_str("\n🚪 New questions are turned away.");
    }
    text.push_str(&format!("\n\nAs of {} UTC", time(now, "%Y-%m-%d %H:%M:%S")));
    if let Some(note) = note {
        text.push_str(&format!("\n\n{note}"));
    }
    if let Page::Sure { question, .. } = page {
        text.push_str(&format!("\n\n{question}"));
    }
    let buttons = buttons(page, standing);
    in_english(Part { html: None, plain: text, buttons })
}

/// True for a panel: known by its buttons, which nothing else has.
pub(crate) fn is_one(part: &Part) -> bool {
    part.buttons.iter().flatten().any(|it| it.data.starts_with(BUTTON))
}

fn buttons(page: &Page, standing: Standing) -> Vec<Vec<Button>> {
    match page {
        Page::Main => {
            let mute = match standing.muted_until.is_some() {
                true => button("🔔 Unmute alerts", &Step::Unmute),
                false => button("🔕 Mute 1 hour", &Step::Mute),
            };
            let refresh = button("🔄 Refresh", &Step::Refresh);
            let agents = button("⏸ Quarantine", &Step::Agents);
            let actors = button("♻️ Restart", &Step::Actors);
            let drain = match standing.is_drained {
                true => button("🚪 Take questions again", &Step::Fill),
                false => button("🚪 Drain", &Step::OfferDrain),
            };
            rows([refresh, mute, agents, actors, drain])
        }
        Page::Agents(agents) => {
            let choice = |(name, rests): &(AgentName, bool)| match rests {
                true => button(&format!("▶️ {name}"), &Step::Resume(name.clone())),
                false => button(&format!("⏸ {name}"), &Step::OfferPause(name.clone())),
            };
            choices(agents.iter().map(choice))
        }
        Page::Actors(ids) => {
            let choice = |id: &String| button(&format!("♻️ {id}"), &Step::OfferRestart(id.clone()));
            choices(ids.iter().map(choice))
        }
        Page::Sure { step, .. } => {
            rows([button("⚠️ Yes, do it", step), button("↩️ Back", &Step::Refresh)])
        }
    }
}

fn choices(all: impl Iterator<Item = Option<Button>>) -> Vec<Vec<Button>> {
    let mut rows = rows(all.flatten().take(CHOICES_MAX).map(Some));
    rows.extend(button("↩️ Back", &Step::Refresh).map(|it| vec![it]));
    rows
}

fn rows(all: impl IntoIterator<Item = Option<Button>>) -> Vec<Vec<Button>> {
    let all: Vec<Button> = all.into_iter().flatten().collect();
    all.chunks(ROW).map(<[Button]>::to_vec).collect()
}

/// `None` if its data would be longer than Telegram takes.
fn button(label: &str, step: &Step) -> Option<Button> {
    let data = format!("{BUTTON}{}", step.data());
    (data.len() <= DATA_BYTES_MAX).then(|| Button { label: label.to_owned(), data })
}

/// Whether an agent is to rest.
pub(crate) fn pause_question(name: &AgentName) -> String {
    format!("Shall {name} rest? Who talks to it is told so until somebody wakes it.")
}

/// Whether a part is to be made anew.
pub(crate) fn restart_question(id: &str) -> String {
    format!(
        "Shall {id} be made anew? What waits for it is kept; what it is doing is begun again, and \
         people may wait a moment longer."
    )
}

/// A part is made anew.
pub(crate) fn restarting(id: &str) -> String {
    format!("♻️ {id} is being made anew. Refresh shows whether it is there again.")
}

/// Whether new questions are to be turned away.
pub(crate) const DRAIN_QUESTION: &str = "Shall new questions be turned away, with a word to ask again \
    later? What is in hand is answered. It ends by the same button, and when the hall starts anew.";

/// New questions are turned away, or not.
pub(crate) fn drained(is_drained: bool) -> String {
    match is_drained {
        true => "🚪 New questions are turned away; what is in hand is answered.",
        false => "🚪 Questions are taken again.",
    }
    .to_owned()
}

/// Somebody asks while new questions are turned away.
pub(crate) fn turned_away() -> Notice {
    super::say(text!("turned-away"))
}

/// An agent rests.
pub(crate) fn paused(name: &AgentName) -> String {
    format!("⏸ {name} rests.")
}

/// An agent is awake.
pub(crate) fn resumed(name: &AgentName) -> String {
    format!("▶️ {name} is awake.")
}

/// A button that confirms has become old.
pub(crate) fn too_old(offer_time_max: Duration) -> String {
    format!(
        "That button holds for {} minutes, and they are over: nothing was done. Choose again.",
        offer_time_max.as_secs() / 60
    )
}

/// Who may do it.
pub(crate) fn needs(role: Role) -> String {
    format!("Only an {} may do that: a playbook brought it about. Nothing was done.", role.word())
}

/// Something that is not there.
pub(crate) fn not_there(what: &str) -> String {
    let what: String = what.chars().take(64).collect();
    format!("There is no {what} here: nothing was done.")
}

/// It could not be done.
pub(crate) fn failed(why: &str) -> String {
    format!("⚠️ Nothing was done: {why}")
}

/// Alerts are silenced, or not.
pub(crate) fn muted(is_muted: bool) -> String {
    match is_muted {
        true => "🔕 Nobody is told of alerts for an hour.",
        false => "🔔 Officers are told of alerts again.",
    }
    .to_owned()
}

fn time(at: Timestamp, format: &str) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    at.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_fits_one_message_and_each_of_its_buttons_fits_telegram() {
        let name = |number: u32| format!("a{}{number:03}", "x".repeat(28)).parse().unwrap();
        let agents = (0..100).map(|it| (name(it), it % 2 == 0)).collect();
        let actors = (0..100).map(|it| format!("ingress/{}", i64::MAX - it)).collect();
        let (question, step) = (restart_question("guard"), Step::OfferRestart("guard".to_owned()));
        let sure = Page::Sure { question, step };
        for page in [Page::Main, Page::Agents(agents), Page::Actors(actors), sure] {
            let standing = Standing { muted_until: Some(Timestamp(1)), is_drained: true };
            let notice = panel(&"é".repeat(9_000), Some("Done."), (&page, standing), Timestamp(2));
            let part = notice.part();
            assert!(part.plain.encode_utf16().count() <= 4_096);
            assert!(is_one(part), "{page:?}");
            assert!(part.buttons.len() <= 13 && part.buttons.iter().all(|it| it.len() <= ROW));
            assert!(part.buttons.iter().flatten().all(|it| it.data.len() <= DATA_BYTES_MAX));
        }
        assert!(!is_one(super::super::unknown_command().part()));
    }
}
