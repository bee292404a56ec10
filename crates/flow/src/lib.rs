//! The actors, in the order a message meets them.
//!
//! ```text
//!  Telegram -> ingress -> memory -> keeper -> session -> guard -> broker -> guard -> outbox -> Telegram
//!                                               |                                     |
//!                                               +--------------- memory <-------------+
//!
//!  treasurer (who may use how much of models) stands beside the broker;
//!  roster (who is here, who may talk), alerter (who is told), archivist (backups) and warden (playbooks)
//!  stand beside it
//! ```
//!
//! Every actor is a pure core in a thin shell: the core takes values and returns effects, the shell
//! carries them out. This crate knows ports, not vendors.

// In the order a message meets them; blank lines keep rustfmt from sorting.
pub mod ingress;

pub mod memory;

pub mod keeper;

pub mod request;

pub mod session;

pub mod guard;

pub mod context;
pub mod recall;

pub mod broker;

pub mod treasurer;

pub mod outbox;

pub mod right;
pub mod roster;

pub mod alerter;

pub mod archivist;

pub mod timekeeper;

pub mod warden;

pub mod words;

pub mod alarm;
pub mod aside;
pub mod chain;
pub mod clerk;
pub mod company;
pub mod export;
pub mod forensics;
pub mod incident;
pub mod invites;
pub mod janitor;
pub mod managed;
pub mod papers;
mod passages;
pub mod playbook;
pub mod replay;
pub mod rulebook;
pub mod senses;
pub mod trace;

mod fault;
mod status;
pub mod tally;
#[cfg(test)]
mod testing;
pub mod tongues;
pub mod tree;
pub mod wiring;
