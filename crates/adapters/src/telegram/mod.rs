//! Telegram: the Bot API behind [`protocol::messenger::Messenger`].
//!
//! Receives  updates, by long polling ([`TelegramBot`]) or by webhook ([`webhook`]).
//! Sends     typed calls over a transport of our own ([`Client`]), which alone knows the token.
//! Owns      one pool of connections per bot; nothing else is remembered between calls.
//!
//! Invariants: TELEGRAM-1 no error, log line or `Debug` output contains a token or a URL that holds
//! one. TELEGRAM-2 one odd update never spoils its batch. TELEGRAM-3 a webhook request's body is not
//! read before its secret was found right.

mod client;
mod lent;
mod messenger;
mod profile;
mod reading;
pub mod render;
pub mod split;
#[cfg(test)]
pub(crate) mod testing;
pub mod webhook;

pub use client::{Client, ClientError, Endpoint, Observer};
pub use lent::LentBot;
pub use messenger::{ConnectError, TelegramBot, TelegramConfig, WebhookTarget};

/// A model's Markdown as messages within Telegram's limits: [`render::render`] for the port.
#[must_use]
pub fn typeset(markdown: &str) -> Vec<protocol::event::Part> {
    render::render(markdown).into_iter().map(part).collect()
}

/// The same, with what only rich messages show: [`render::render_rich`] for the port.
#[must_use]
pub fn typeset_rich(markdown: &str) -> Vec<protocol::event::Part> {
    render::render_rich(markdown).into_iter().map(part).collect()
}

fn part(it: render::Part) -> protocol::event::Part {
    let render::Part { rich, html, plain } = it;
    protocol::event::Part { rich, html, plain, buttons: Vec::new() }
}
