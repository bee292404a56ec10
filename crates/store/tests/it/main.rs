//! The store against a real folder: the rules of the port, a model, kills, damage, secrecy.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its seed"
)]

/// Runs each test once with every engine: the test is a function of the engine.
macro_rules! for_each_engine {
    ($($test:ident),+ $(,)?) => {
        mod on_sled {
            $(#[tokio::test] async fn $test() { super::$test(store::EngineKind::Sled).await })+
        }
        mod on_redb {
            $(#[tokio::test] async fn $test() { super::$test(store::EngineKind::Redb).await })+
        }
    };
}

mod audit;
mod backups;
mod common;
mod conforms;
mod copies;
mod damage;
mod erasing;
mod expiring;
mod formats;
mod io_errors;
mod kills;
mod migrate;
mod model;
mod opening;
mod power;
mod repairs;
mod scopes;
mod secrecy;
