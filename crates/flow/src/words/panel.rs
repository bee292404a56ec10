//! The panel of `/status`: one message of officers with buttons, edited in place.

use std::time::Duration;

use protocol::{AgentName, Language, Timestamp, event::Part};

use super::{Notice, Text, text};
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
        question: Text,
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
    state: &Text,
    note: Option<&Text>,
    (page, standing): (&Page, Standing),
    now: Timestamp,
) -> Notice {
    let mut lines = vec![shortened(state)];
    if let Some(until) = standing.muted_until {
        lines.push(text!("state-muted", time = time(until, "%H:%M")));
    }
    if standing.is_drained {
        lines.push(text!("state-drained"));
    }
    let as_of = text!("state-as-of", time = time(now, "%Y-%m-%d %H:%M:%S"));
    let question = if let Page::Sure { question, .. } = page { Some(question) } else { None };
    let more = note.into_iter().chain(question).cloned();
    let parts = [Text::lines(lines), as_of].into_iter().chain(more).collect();
    Notice::with(Text::Joined(parts, "\n\n"), buttons(page, standing))
}

fn shortened(state: &Text) -> Text {
    let english = state.in_language(Language::English);
    if english.chars().count() <= STATE_CHARS_MAX {
        return state.clone();
    }
    let Text::Joined(lines, "\n") = state else {
        return english.chars().take(STATE_CHARS_MAX).collect::<String>().into();
    };
    let mut length = 0;
    let fits = |it: &&Text| {
        length += it.in_language(Language::English).chars().count() + 1;
        length < STATE_CHARS_MAX
    };
    Text::lines(lines.iter().take_while(fits).cloned().chain(["…".into()]).collect())
}

/// What a button says, and what it carries.
type Choice = (Text, String);

/// True for a panel: known by its buttons, which nothing else has.
pub(crate) fn is_one(part: &Part) -> bool {
    part.buttons.iter().flatten().any(|it| it.data.starts_with(BUTTON))
}

fn buttons(page: &Page, standing: Standing) -> Vec<Vec<Choice>> {
    match page {
        Page::Main => {
            let mute = match standing.muted_until.is_some() {
                true => button(text!("panel-unmute"), &Step::Unmute),
                false => button(text!("panel-mute"), &Step::Mute),
            };
            let refresh = button(text!("panel-refresh"), &Step::Refresh);
            let agents = button(text!("panel-agents"), &Step::Agents);
            let actors = button(text!("panel-actors"), &Step::Actors);
            let drain = match standing.is_drained {
                true => button(text!("panel-fill"), &Step::Fill),
                false => button(text!("panel-drain"), &Step::OfferDrain),
            };
            rows([refresh, mute, agents, actors, drain])
        }
        Page::Agents(agents) => {
            let choice = |(name, rests): &(AgentName, bool)| match rests {
                true => button(format!("▶️ {name}"), &Step::Resume(name.clone())),
                false => button(format!("⏸ {name}"), &Step::OfferPause(name.clone())),
            };
            choices(agents.iter().map(choice))
        }
        Page::Actors(ids) => {
            let choice = |id: &String| button(format!("♻️ {id}"), &Step::OfferRestart(id.clone()));
            choices(ids.iter().map(choice))
        }
        Page::Sure { step, .. } => {
            rows([button(text!("panel-yes"), step), button(text!("panel-back"), &Step::Refresh)])
        }
    }
}

fn choices(all: impl Iterator<Item = Option<Choice>>) -> Vec<Vec<Choice>> {
    let mut rows = rows(all.flatten().take(CHOICES_MAX).map(Some));
    rows.extend(button(text!("panel-back"), &Step::Refresh).map(|it| vec![it]));
    rows
}

fn rows(all: impl IntoIterator<Item = Option<Choice>>) -> Vec<Vec<Choice>> {
    let all: Vec<Choice> = all.into_iter().flatten().collect();
    all.chunks(ROW).map(<[Choice]>::to_vec).collect()
}

/// `None` if its data would be longer than Telegram takes.
fn button(label: impl Into<Text>, step: &Step) -> Option<Choice> {
    let data = format!("{BUTTON}{}", step.data());
    (data.len() <= DATA_BYTES_MAX).then(|| (label.into(), data))
}

/// Whether an agent is to rest.
pub(crate) fn pause_question(name: &AgentName) -> Text {
    text!("ask-pause", agent = name)
}

/// Whether a part is to be made anew.
pub(crate) fn restart_question(id: &str) -> Text {
    text!("ask-restart", part = id)
}

/// A part is made anew.
pub(crate) fn restarting(id: &str) -> Text {
    text!("restarting", part = id)
}

/// Whether new questions are to be turned away.
pub(crate) fn drain_question() -> Text {
    text!("ask-drain")
}

/// New questions are turned away, or not.
pub(crate) fn drained(is_drained: bool) -> Text {
    match is_drained {
        true => text!("drained"),
        false => text!("filled"),
    }
}

/// Somebody asks while new questions are turned away.
pub(crate) fn turned_away() -> Notice {
    super::say(text!("turned-away"))
}

/// An agent rests.
pub(crate) fn paused(name: &AgentName) -> Text {
    text!("paused", agent = name)
}

/// An agent is awake.
pub(crate) fn resumed(name: &AgentName) -> Text {
    text!("resumed", agent = name)
}

/// A button that confirms has become old.
pub(crate) fn too_old(offer_time_max: Duration) -> Text {
    text!("offer-too-old", minutes = offer_time_max.as_secs() / 60)
}

/// Who may do it.
pub(crate) fn needs(role: Role) -> Text {
    text!("role-needed", role = super::officers::role(role))
}

/// Something that is not there.
pub(crate) fn not_there(what: &str) -> Text {
    text!("not-there", part = what.chars().take(64).collect::<String>())
}

/// It could not be done.
pub(crate) fn failed(why: impl Into<Text>) -> Text {
    text!("nothing-done", why = why.into())
}

/// The alerter is away.
pub(crate) fn alerter_away() -> Text {
    failed(text!("alerter-away"))
}

/// Alerts are silenced, or not.
pub(crate) fn muted(is_muted: bool) -> Text {
    match is_muted {
        true => text!("muted"),
        false => text!("unmuted"),
    }
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
            let notice = panel(
                &"é".repeat(9_000).into(),
                Some(&"Done.".into()),
                (&page, standing),
                Timestamp(2),
            );
            let part = notice.part();
            assert!(part.plain.encode_utf16().count() <= 4_096);
            assert!(is_one(part), "{page:?}");
            assert!(part.buttons.len() <= 13 && part.buttons.iter().all(|it| it.len() <= ROW));
            assert!(part.buttons.iter().flatten().all(|it| it.data.len() <= DATA_BYTES_MAX));
        }
        assert!(!is_one(super::super::unknown_command().part()));
    }
}
