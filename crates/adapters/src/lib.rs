//! The outside world, behind the ports of `protocol`: one folder per kind of vendor.
//!
//! Invariant: nothing here knows an actor; nothing outside names frankenstein, object_store, lettre, pdf-extract or a provider.

#[cfg(feature = "bucket")]
pub mod bucket;
pub mod documents;
#[cfg(feature = "embedded")]
pub mod embeddings;
pub mod models;
pub mod otlp;
pub mod pictures;
pub mod sinks;
pub mod telegram;
pub mod tools;
#[cfg(feature = "guard-transformer")]
pub mod transformer;
#[cfg(feature = "hearing")]
pub mod whisper;
mod wire;
