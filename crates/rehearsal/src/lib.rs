//! A Telegram Bot API server on loopback, faithful enough to rehearse a bot in front of it.
//!
//! One port serves the Bot API (`/bot<token>/<method>`, `/file/bot<token>/<path>`), a control API for tests (`/ctl/*`)
//! the people's chat page (`/`, `/chat/*`; `/desk/*` where it has an operator's desk) and a model server (`/v1/*`). No token of a real bot, no account and no network is needed.
//!
//! Invariants: REHEARSAL-1 what is answered `ok` has happened. REHEARSAL-2 nothing happens that was not answered, but
//! for the faults a test asked for.

mod api;
mod chat;
mod clock;
mod config;
mod control;
mod desk;
mod faults;
mod history;
mod json;
mod keyboard;
pub mod load;
mod methods;
pub mod models;
mod page;
mod params;
mod queue;
mod refusal;
mod server;
mod telegram;
mod text;
mod webhook;
mod world;

use axum::Router;

pub use config::{BotSeed, Config, GroupSeed, PersonSeed, Suggestion};
pub use desk::{Button, Desk, Operator, Ran, Tip};
pub use faults::{Faults, FloodLimits};
pub use history::{CallRecord, History, RefusedRecord, UpdateRecord};
pub use refusal::Refusal;
pub use server::Rehearsal;
pub use world::{Form, Press, Pushed, Said, Say, Sent, Stats, World, WorldError};

/// Everything but the Bot API, which `server` answers itself.
fn router(world: &World, models: &models::ModelWorld, desk: Option<&Desk>) -> Router {
    Router::new()
        .merge(control::routes(world.clone()))
        .merge(chat::routes(world.clone()))
        .merge(models::routes(models.clone()))
        .merge(desk::routes(desk))
        .merge(page::routes())
}
