//! The buttons of the panel that `/status` shows to officers.
//!
//! A button carries all that it is for, so that it works after any restart of the hall, and gives no
//! right. One that interrupts people is pressed twice, and its second one carries the minute in which it was
//! offered.

use std::time::Duration;

use protocol::{AgentName, MessageId, PersonId, Timestamp, inbound::Pressed};

use super::Request;
use crate::{
    right::{Granted, Operating, Order},
    roster::{Change, View},
    words::{self, Text},
};

/// How long a button that confirms holds: an old one must not do anything by a slip of the finger.
pub(crate) const OFFER_TIME_MAX: Duration = Duration::from_secs(15 * 60);
const MINUTE_MS: u64 = 60_000;

/// What a button is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Show the state as it is now.
    Refresh,
    /// Tell nobody of alerts for an hour.
    Mute,
    /// Tell of alerts again.
    Unmute,
    /// Show the agents.
    Agents,
    /// Ask whether an agent is to rest.
    OfferPause(AgentName),
    /// Let it rest; offered in that minute since 1970.
    Pause(AgentName, u64),
    /// Wake it.
    Resume(AgentName),
    /// Show the parts that can be made anew.
    Actors,
    /// Ask whether one is to be made anew.
    OfferRestart(String),
    /// Make it anew; offered in that minute since 1970.
    Restart(String, u64),
    /// Ask whether new questions are to be turned away.
    OfferDrain,
    /// Turn them away; offered in that minute since 1970.
    Drain(u64),
    /// Take them again.
    Fill,
}

impl Step {
    /// What a button carries, behind what all buttons of the panel begin with.
    #[must_use]
    pub fn data(&self) -> String {
        match self {
            Self::Refresh => "refresh".to_owned(),
            Self::Mute => "mute".to_owned(),
            Self::Unmute => "unmute".to_owned(),
            Self::Agents => "agents".to_owned(),
            Self::OfferPause(name) => format!("pause:{name}"),
            Self::Pause(name, minute) => format!("pause!:{minute}:{name}"),
            Self::Resume(name) => format!("resume:{name}"),
            Self::Actors => "actors".to_owned(),
            Self::OfferRestart(id) => format!("restart:{id}"),
            Self::Restart(id, minute) => format!("restart!:{minute}:{id}"),
            Self::OfferDrain => "drain".to_owned(),
            Self::Drain(minute) => format!("drain!:{minute}"),
            Self::Fill => "fill".to_owned(),
        }
    }

    /// Reads it. It comes from outside.
    fn read(data: &str) -> Option<Self> {
        let (word, rest) = data.split_once(':').unwrap_or((data, ""));
        let offered = || rest.split_once(':').and_then(|(at, it)| Some((it, at.parse().ok()?)));
        Some(match word {
            "refresh" => Self::Refresh,
            "mute" => Self::Mute,
            "unmute" => Self::Unmute,
            "agents" => Self::Agents,
            "pause" => Self::OfferPause(rest.parse().ok()?),
            "pause!" => {
                let (name, minute) = offered()?;
                Self::Pause(name.parse().ok()?, minute)
            }
            "resume" => Self::Resume(rest.parse().ok()?),
            "actors" => Self::Actors,
            "restart" => Self::OfferRestart(id(rest)?),
            "restart!" => {
                let (it, minute) = offered()?;
                Self::Restart(id(it)?, minute)
            }
            "drain" => Self::OfferDrain,
            "drain!" => Self::Drain(rest.parse().ok()?),
            "fill" => Self::Fill,
            _ => return None,
        })
    }
}

/// What an officer wants of the panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// To see this page.
    See(Step),
    /// A change of the hall; said when it is made.
    Change(Box<Order>, Text),
    /// Alerts silenced for so long; zero ends that.
    Mute(Duration),
    /// A part made anew.
    Restart(String),
    /// New questions turned away, or taken again.
    Drain(bool),
    /// Nothing can be done; why not.
    Nothing(Text),
}

/// A button was pressed by somebody who may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelPress {
    /// The message that shows the panel.
    pub message: Option<MessageId>,
    /// What for.
    pub want: Want,
    /// By whom.
    pub by: Granted<Operating>,
}

/// The minute of a time, as buttons carry it.
pub(crate) fn minute(now: Timestamp) -> u64 {
    now.0 / MINUTE_MS
}

/// True for a button of the panel.
pub(super) fn is_button(data: &str) -> bool {
    data.starts_with(words::panel::BUTTON)
}

/// Reads what stands behind a button of the panel. `None` if it is no such button.
pub(super) fn of_press(pressed: &Pressed, view: &View, now: Timestamp) -> Option<Request> {
    let step = Step::read(pressed.data.strip_prefix(words::panel::BUTTON)?)?;
    let id = pressed.person.id;
    let Some(by) = view.grant(id).filter(|_| pressed.private) else {
        return Some(Request::PressDenied(id));
    };
    let want = want_of(step, id, view, now);
    Some(Request::PressPanel(PanelPress { message: pressed.message, want, by }))
}

fn want_of(step: Step, by: PersonId, view: &View, now: Timestamp) -> Want {
    let changed = |change: Change, said: Text| match view.order(by, change.clone()) {
        Some(order) => Want::Change(Box::new(order), said),
        None => Want::Nothing(words::panel::needs(view.needs(&change))),
    };
    match step {
        Step::Mute => Want::Mute(Duration::from_secs(3_600)),
        Step::Unmute => Want::Mute(Duration::ZERO),
        Step::Pause(_, offered) | Step::Restart(_, offered) | Step::Drain(offered)
            if !holds(offered, now) =>
        {
            Want::Nothing(words::panel::too_old(OFFER_TIME_MAX))
        }
        Step::Pause(name, _) => {
            let said = words::panel::paused(&name);
            changed(Change::Paused { name }, said)
        }
        Step::Resume(name) => {
            let said = words::panel::resumed(&name);
            changed(Change::Resumed { name }, said)
        }
        Step::Restart(id, _) => Want::Restart(id),
        Step::Drain(_) => Want::Drain(true),
        Step::Fill => Want::Drain(false),
        Step::Refresh
        | Step::Agents
        | Step::OfferPause(_)
        | Step::Actors
        | Step::OfferDrain
        | Step::OfferRestart(_) => Want::See(step),
    }
}

fn holds(offered: u64, now: Timestamp) -> bool {
    let offered = Timestamp(offered.saturating_mul(MINUTE_MS));
    offered <= now && now < offered.plus(OFFER_TIME_MAX)
}

/// An actor's id, as far as one can be told from its letters.
fn id(text: &str) -> Option<String> {
    let is_good = |it: char| matches!(it, 'a'..='z' | '0'..='9' | '_' | '/' | '-');
    let is_id = (1..=40).contains(&text.len()) && text.chars().all(is_good);
    is_id.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use protocol::inbound::Person;

    use super::*;
    use crate::{right::Role, roster::Founding};

    const NOW: Timestamp = Timestamp(1_000 * MINUTE_MS + 5);
    const OPERATOR: PersonId = PersonId(1);

    fn press(person: i64, step: &str, private: bool) -> Option<Request> {
        let roles = [(OPERATOR, Role::Operator), (PersonId(3), Role::Auditor)].into();
        let view = View::founded(&Founding { roles, ..Founding::default() }, [].into());
        let id = PersonId(person);
        let person = Person { id, first_name: String::new(), language: None };
        let (query, data) = ("q".to_owned(), format!("{}{step}", words::panel::BUTTON));
        let message = Some(MessageId(7));
        of_press(&Pressed { person, query, data, private, message }, &view, NOW)
    }

    fn want(step: &Step) -> Want {
        match press(1, &step.data(), true) {
            Some(Request::PressPanel(it)) => it.want,
            other => panic!("{other:?}"),
        }
    }

    fn every_step() -> Vec<Step> {
        let (sage, guard): (AgentName, _) = ("sage".parse().unwrap(), "guard".to_owned());
        vec![
            Step::Refresh,
            Step::Mute,
            Step::Unmute,
            Step::Agents,
            Step::OfferPause(sage.clone()),
            Step::Pause(sage.clone(), 1_000),
            Step::Resume(sage),
            Step::Actors,
            Step::OfferRestart(guard.clone()),
            Step::Restart(guard, 1_000),
            Step::OfferDrain,
            Step::Drain(1_000),
            Step::Fill,
        ]
    }

    #[test]
    fn a_button_carries_all_that_it_is_for_and_works_for_an_operator_in_private_alone() {
        for step in every_step() {
            assert_eq!(Step::read(&step.data()), Some(step.clone()));
            assert!(!matches!(want(&step), Want::Nothing(_)), "{step:?}");
            let denied = |id| Some(Request::PressDenied(PersonId(id)));
            assert_eq!(press(1, &step.data(), false), denied(1), "a group reads along");
            assert_eq!(press(3, &step.data(), true), denied(3), "an auditor only looks");
            assert_eq!(press(2, &step.data(), true), denied(2));
        }
    }

    #[test]
    fn what_confirms_holds_for_a_quarter_of_an_hour() {
        let sage: AgentName = "sage".parse().unwrap();
        for (minute, holds) in [(985, false), (986, true), (1_000, true), (1_001, false)] {
            let restart = Step::Restart("guard".to_owned(), minute);
            for step in [Step::Pause(sage.clone(), minute), restart, Step::Drain(minute)] {
                assert_eq!(matches!(want(&step), Want::Nothing(_)), !holds, "{step:?}");
            }
        }
    }

    #[test]
    fn a_forged_button_is_none() {
        let long = format!("restart:{}", "a".repeat(41));
        for forged in ["", "dance", "pause:../x", "pause!:x:sage", "pause!:5", "restart:", &long] {
            assert_eq!(press(1, forged, true), None, "{forged}");
        }
    }
}
