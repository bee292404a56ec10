//! The ledger on disk: the one place that names sled and redb.
//!
//! One log with sequential keys holds every record, sealed; a snapshot row per stream holds folded
//! states; a checkpoint makes opening quick. One thread writes, in groups: write-ahead log, fsync,
//! apply, then answer; the engine is flushed when a segment of the log is full. Memory holds what is
//! live: heads of streams, updates that wait, ids seen lately.
//!
//! ```text
//! callers ──▶ queue ──▶ writer ──▶ disk        load ──▶ queue ──▶ reader ──▶ disk
//!                          └─────▶ index ◀────── waiting, open_sessions
//! ```
//!
//! On disk, as pairs of one engine, sled or redb:
//!
//! | key | value |
//! |---|---|
//! | `a-format`, `a-key-check`, `a-keyring` | the format's version; proof that keys and keyring are ours |
//! | `c` slot part | a checkpoint: what is in memory at a row of the log; two slots, used in turn |
//! | `s` stream part | the newest snapshot of a stream, and where its last event is |
//! | `z` row part | the log: rows of sealed records, numbered from 1 without a gap |
//!
//! The keyring with the data keys of people lies elsewhere, and never in a copy of this folder.
//!
//! Beside it stand `lock`, `reserve`, `segments/` (the write-ahead log: what the engine has not
//! synced yet, and what came before it), `accepted` (a ring of parts sent a moment ago) and `mark`:
//! the last row that was acknowledged. sled answers a damaged log by silently ending it earlier; the
//! mark turns that into a refusal. A copy of the folder made while the store is open is therefore no
//! backup; `backup` makes one.

mod accepted;
mod aead;
pub mod audit;
pub mod backup;
mod building;
mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
mod disk;
mod engine;
mod entries;
mod erasure;
mod expiry;
mod held;
mod index;
mod inspect;
mod keyring;
pub mod keys;
mod log_keys;
pub mod migrate;
mod opening;
mod past;
mod piece;
#[cfg(not(feature = "conformance"))]
mod power;
#[cfg(feature = "conformance")]
pub mod power;
mod queue;
mod reader;
mod record;
mod rotation;
mod seen;
mod segments;
mod shared;
mod store;
mod swap;
mod wal;
mod walk;
mod writer;

pub use engine::EngineKind;
pub use entries::{Entry, EntryKind, Wanted};
pub use erasure::{ReceiptError, receipt_key, verify_receipt};
pub use inspect::Verified;
pub use keyring::KeyringError;
pub use keys::{KeyError, KeyPlace, Keys};
pub use log_keys::LogKeys;
pub use opening::OpenError;
pub use rotation::{RotateError, fits, open_master, rotate, rotate_to, rotate_with};
pub use store::{Quarantined, Store, StoreConfig, StoreHealth};
pub use walk::{Damage, Walked};
