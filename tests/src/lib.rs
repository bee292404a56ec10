//! What the end-to-end tests stand on: the real program `guildhall` in front of rehearsal servers.
//!
//! A [`Stage`] holds one data folder, one Telegram and one model server; on it a [`Hall`] is
//! started, killed, stopped and started again. [`judge`] reads the history of it all and says what
//! was lost, repeated or out of order.
//!
//! The program is `GUILDHALL_BIN`, or `target/quick/guildhall` of the workspace. It must be built
//! with the feature `faults`. At most two tests have halls at the same time: see [`Slots`].

mod dice;
mod judge;
mod paths;
mod scan;
mod slots;
mod stage;
mod wait;

pub use dice::Dice;
pub use judge::{Verdict, judge};
pub use paths::{MARK, hostile_names, marked_below};
pub use scan::{Hit, scan};
pub use slots::Slots;
pub use stage::{
    ADMIN, BEN, FORUM, GROUP, Hall, Log, STRANGER, Stage, TOKEN, copy_folder, program, shown,
};
pub use wait::wait_until;
