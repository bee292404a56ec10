//! The real program in front of the rehearsal servers.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic in what a test calls fails that test, as it should"
)]

mod admins;
mod crashes;
mod models;
mod operators;
mod panics;
mod secrecy;
mod stopping;
mod telegram;
mod users;
mod webhooks;
