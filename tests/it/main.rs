//! The real program in front of the rehearsal servers.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic in what a test calls fails that test, as it should"
)]
#![expect(clippy::print_stdout, reason = "what a test measured is shown with its result")]

mod admins;
mod alarms;
mod alerts;
mod audit;
mod backups;
mod contract;
mod crashes;
mod demo;
mod forensics;
mod logs;
mod memory;
mod models;
mod money;
mod operators;
mod panel;
mod panics;
mod people;
mod playbooks;
mod real_model;
mod redteam;
mod rules;
mod secrecy;
mod siem;
mod stopping;
mod telegram;
mod telemetry;
mod trace;
mod users;
mod webhooks;
