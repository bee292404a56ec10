//! The store against a real folder: the rules of the port, a model, kills, damage, secrecy.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its seed"
)]

mod common;
mod conforms;
mod damage;
mod erasing;
mod expiring;
mod formats;
mod kills;
mod model;
mod opening;
mod scopes;
mod secrecy;
