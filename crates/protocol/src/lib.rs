//! The words the actors use to each other: ids, texts, ledger events, ports.
//!
//! Plain values and traits. This crate does no I/O and names no vendor, so every other crate may
//! depend on it.

pub mod agent;
pub mod alert;
pub mod audit;
pub mod clock;
pub mod company;
pub mod document;
pub mod due;
pub mod embedding;
pub mod event;
pub mod frames;
pub mod hearing;
pub mod ids;
pub mod inbound;
pub mod language;
pub mod ledger;
pub mod memory;
pub mod messenger;
pub mod model;
pub mod picture;
pub mod shelf;
pub mod tool;
pub mod work;

pub use agent::{Agent, AgentName, AgentNameError};
pub use clock::{Clock, Timestamp};
pub use ids::{BotId, ChatId, MessageId, PersonId, RefId, SessionKey, Token, TopicId, UpdateId};
pub use language::{Language, Languages};
