//! Judges text on its way in and on its way out, as a plain library.
//!
//! A [`Screen`] is made once from a [`Policy`] and then only read: no actor, no I/O, no clock, no
//! lock. The form of a text is judged (`form`); it is normalised (`normalise`) and decoded
//! (`decode`), matched against rules (`rules`) and configured secrets (`secrets`), searched for
//! personal data (`personal`), on the way in judged by a trained model ([`classifier`]) and, where
//! that is in doubt, by whoever is plugged in (`opinion`), on the way out compared with the agent's own instructions (`leak`),
//! and the findings become one [`Judgement`] (`judgement`). What passes is redacted (`passing`) and
//! sanitised (`sanitise`). [`screen_lines`] does the same for a stream of JSON Lines.
//!
//! Invariants:
//! - SCREEN-1: a finding's offsets lie on character boundaries of the text as received.
//! - SCREEN-2: text that was sanitised once is not changed by sanitising it again.
//! - SCREEN-3: refused text does not pass in any form: the judgement's text is empty.
//! - SCREEN-4: a configured secret never passes, in any of its encoded forms.
//! - SCREEN-5: a rule in shadow changes neither verdict nor score nor text.
//! - SCREEN-6: what is foreseen of a text that is still being written is the beginning of what passes
//!   of it at the end, if it passes, and holds no part of what is found in it.

pub mod classifier;
mod confusables;
mod copies;
pub mod corpus;
mod decode;
mod foresight;
mod form;
mod judgement;
mod leak;
mod lines;
mod literals;
mod normalise;
mod opinion;
mod own;
mod passing;
mod personal;
mod rules;
mod sanitise;
mod screen;
mod secrets;
mod trial;

pub use foresight::HOLD_BACK_CHARS_MIN;
pub use form::tokens_estimated;
pub use judgement::{
    Action, Direction, Finding, Judgement, Kind, Level, Severity, UnknownLevel, Verdict,
};
pub use leak::OutboundContext;
pub use lines::{LinesSummary, ScreenRequest, ScreenResponse, screen_lines};
pub use opinion::{GreyZone, SecondOpinion};
pub use own::{OWN_RULES, OwnRule};
pub use personal::{
    Found, PersonalAction, PersonalPolicy, PersonalSearch, PersonalType, PhoneRegion, Placeholders,
    UnknownPersonalType,
};
pub use rules::{Mode, RuleError, RuleFile, RuleProblem};
pub use sanitise::{Change, ChangeKind, Sanitised, Sanitising, sanitise, sanitise_with};
pub use screen::{FailedExample, Limits, Policy, Screen};
pub use secrets::ExactSecret;
pub use trial::{Hit, Trial};
