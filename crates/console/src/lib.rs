//! HTTP for operators: probes, metrics, status and a dashboard.
//!
//! Asks     [`Source`] for what is so, at every request; keeps no figures itself.
//! Serves   `/livez`, `/readyz` and `/metrics` to anyone, `/status` and `/` to whoever signed in.
//! Changes  nothing in the hall: everything here is read-only but the sign-in itself.
//!
//! Invariants: CONSOLE-1 nobody without a session sees the status, except in the demo on loopback.
//! CONSOLE-2 a listener that others can reach needs a login token. CONSOLE-3 connections, bodies,
//! heads and waits all have limits.

mod assets;
mod door;
mod login;
mod routes;
mod serve;
pub mod status;

pub use login::mint_token;
pub use serve::{Console, ConsoleConfig, Routes, ServeError, serve, serve_routes};
pub use status::Status;

/// What the console shows. Asked at every request, so answers must not block.
pub trait Source: Send + Sync + 'static {
    /// What must be well for the hall to do its work. Public: no personal data, no secrets.
    fn ready(&self) -> Vec<Check>;

    /// Everything an operator wants to see. No personal data, no secrets.
    fn status(&self) -> Status;

    /// All metrics as OpenMetrics text, ending with `# EOF`. Public: no personal data, no secrets.
    fn metrics(&self) -> String;
}

/// One thing that must be well.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// A word: `store`, `poll`. `?exclude=` names it.
    pub name: &'static str,
    /// True if it is well.
    pub ok: bool,
    /// Why it is not, in words for an operator.
    pub why: Option<String>,
}
