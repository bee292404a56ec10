//! Judges text on its way in and on its way out, as a plain library.
//!
//! A [`Screen`] is made once from a [`Policy`] and then only read: no actor, no I/O, no clock, no
//! lock. Text is normalised (`normalise`), matched against rules (`rules`) and configured secrets
//! (`secrets`), on the way out compared with the agent's own instructions (`leak`), and the
//! findings become one [`Judgement`] (`judgement`). [`screen_lines`] does the same for a stream
//! of JSON Lines.
//!
//! Invariants:
//! - SCREEN-1: a finding's offsets lie on character boundaries of the text as received.
//! - SCREEN-2: text that was sanitised once is not changed by sanitising it again.
//! - SCREEN-3: refused text does not pass in any form: the judgement's text is empty.
//! - SCREEN-4: a configured secret never passes, in any of its encoded forms.
//! - SCREEN-5: a rule in shadow changes neither verdict nor score nor text.

mod judgement;
mod leak;
mod lines;
mod literals;
mod normalise;
mod own;
mod rules;
mod screen;
mod secrets;
mod trial;

pub use judgement::{
    Action, Direction, Finding, Judgement, Kind, Level, Severity, UnknownLevel, Verdict,
};
pub use leak::OutboundContext;
pub use lines::{LinesSummary, ScreenRequest, ScreenResponse, screen_lines};
pub use normalise::sanitise;
pub use own::{OWN_RULES, OwnRule};
pub use rules::{Mode, RuleError, RuleFile, RuleProblem};
pub use screen::{FailedExample, Limits, Policy, Screen};
pub use secrets::ExactSecret;
pub use trial::{Hit, Trial};
