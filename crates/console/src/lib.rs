//! HTTP for operators: probes, metrics, status and a dashboard.
//!
//! Asks     [`Source`] for what is so, at every request; keeps no figures itself.
//! Serves   `/livez`, `/readyz` and `/metrics` to anyone, `/status` and `/` to whoever signed in,
//!          and the errands of the program's own commands to whoever has the token.
//! Changes  nothing in the hall but by errands, each of which its source notes.
//!
//! Invariants: CONSOLE-1 nobody without a session sees the status, except in the demo on loopback.
//! CONSOLE-2 a listener that others can reach needs a login token. CONSOLE-3 connections, bodies,
//! heads and waits all have limits. CONSOLE-4 an errand is run for a holder of the token only, never
//! for a page in a browser.

mod assets;
mod door;
mod errands;
mod login;
mod routes;
mod serve;
pub mod status;

use std::pin::Pin;

use bytes::Bytes;

pub use login::mint_token;
pub use serve::{Console, ConsoleConfig, Routes, ServeError, serve, serve_routes};
pub use status::Status;

/// What comes of an errand: JSON, or in words why nothing did.
pub type Answer = Pin<Box<dyn Future<Output = Result<String, String>> + Send>>;

/// What the console shows. Asked at every request, so answers must not block.
pub trait Source: Send + Sync + 'static {
    /// What must be well for the hall to do its work. Public: no personal data, no secrets.
    fn ready(&self) -> Vec<Check>;

    /// Everything an operator wants to see. No personal data, no secrets.
    fn status(&self) -> Status;

    /// All metrics as OpenMetrics text, ending with `# EOF`. Public: no personal data, no secrets.
    fn metrics(&self) -> String;

    /// Tries rules of the guard on the past. Question and answer are JSON of the program's own; no
    /// text of a message may be in the answer.
    fn try_rules(&self, by: Bearer, question: Bytes) -> Answer;

    /// Reads the guard's rule files anew.
    fn read_rules(&self, by: Bearer) -> Answer;

    /// Exports, forgets, blocks or unblocks a person, as an operator asks. Question and answer are
    /// JSON of the program's own; the answer of an export is what is held of that person.
    fn person(&self, by: Bearer, question: Bytes) -> Answer;

    /// Acknowledges or closes an incident. The question is JSON of the program's own.
    fn incident(&self, by: Bearer, question: Bytes) -> Answer;
    /// What playbooks did, with people as keyed hashes.
    fn playbooks(&self, by: Bearer) -> Answer;

    /// Changes the master key.
    fn rotate_key(&self, by: Bearer) -> Answer;

    /// What was used of models, as JSON of the program's own. People are called by keyed hashes.
    fn usage(&self, by: Bearer) -> Answer;

    /// Makes a backup of the ledger.
    fn make_backup(&self, by: Bearer) -> Answer;

    /// Lists, silences, acknowledges or tries alerts. Question and answer are JSON of the program's own.
    fn alerts(&self, by: Bearer, question: Bytes) -> Answer;

    /// What the program's own reports need: what the ledger has about an incident, how many the roster holds of each
    /// kind, and that a reading is noted. Question and answer are JSON of the program's own; texts of people are in
    /// the answer only where the question says so, and are noted first.
    fn evidence(&self, by: Bearer, question: Bytes) -> Answer;

    /// Walks through the ledger, shows records of it, or finds a turn by its reference. Question and answer are JSON of
    /// the program's own; texts of people are in the answer only where the question says so, and are noted first.
    fn ledger(&self, by: Bearer, question: Bytes) -> Answer;

    /// Lists agents, makes one, changes one or lets one go. Question and answer are JSON of the program's own.
    fn agents(&self, by: Bearer, question: Bytes) -> Answer;

    /// Notes that somebody signed in or tried to. An error: it could not be noted, so nobody signs in.
    fn note_login(&self, tried: Signed) -> Answer;
}

/// What came of a try to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Somebody is in.
    In,
    /// The token was wrong or spent.
    Refused,
    /// Too many bad tries before.
    LockedOut,
    /// Whoever may only look wanted an errand done.
    NotTheirs,
}

/// The proof that a request came with the console's token: only this crate makes one. CONSOLE-4.
#[derive(Debug)]
pub struct Bearer(());

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
