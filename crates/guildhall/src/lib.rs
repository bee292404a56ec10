//! The parts of the program that are worth testing on their own.

pub mod agent_book;
pub mod agents;
pub mod alert_errand;
pub mod alert_sinks;
pub mod ask_console;
pub mod audit;
mod audit_lines;
pub mod backups;
pub mod build;
mod clerk;
pub mod config;
mod connect;
pub mod demo;
pub mod doctor;
pub mod evidence;
pub mod examine;
pub mod forensics;
pub mod incidents;
pub mod init;
#[cfg(test)]
#[cfg(feature = "embedded")]
mod leaks;
pub mod ledger_book;
pub mod master;
mod otlp;
mod page;
pub mod person;
pub mod playbooks;
pub mod redteam;
pub mod report;
pub mod residency;
pub mod rules;
pub mod run;
mod senses;
mod signals;
mod source;
mod stagehand;
mod systemd;
mod telemetry;
pub mod tools;
