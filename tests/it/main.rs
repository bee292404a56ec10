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
mod documents;
mod external_tools;
mod forensics;
mod home;
mod invites;
mod language;
mod logs;
mod many_bots;
mod media;
mod memory;
mod models;
mod money;
mod operators;
mod own_bots;
mod panel;
mod panics;
mod paths;
mod people;
mod playbooks;
mod privately;
mod real_model;
mod real_voice;
mod redteam;
mod rich;
mod rules;
mod schedules;
mod secrecy;
mod siem;
mod stopping;
mod telegram;
mod telemetry;
mod tool_servers;
mod tools;
mod trace;
mod users;
mod webhooks;
