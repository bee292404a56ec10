//! Writes to a channel of Slack, by an incoming webhook: one message a second at most.
//!
//! Source: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use std::time::Duration;

use async_trait::async_trait;
use protocol::alert::{Notification, Severity, Sink, TellError};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{SinkError, call, client, cut};

/// What Slack takes as the text of one block.
const BLOCK_CHARS_MAX: usize = 3_000;
/// Alerts of one kind that are named.
const NAMED_MAX: usize = 10;

/// A channel. The address is its password.
pub struct Slack {
    url: SecretString,
    client: reqwest::Client,
}

impl Slack {
    /// A sink that calls the incoming webhook `url`.
    ///
    /// # Errors
    /// If this machine cannot make HTTP requests.
    pub fn new(url: SecretString) -> Result<Self, SinkError> {
        Ok(Self { url, client: client()? })
    }
}

#[async_trait]
impl Sink for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn gap(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn tell(&self, notification: &Notification) -> Result<(), TellError> {
        call(self.client.post(self.url.expose_secret()).json(&body(notification))).await
    }
}

/// Slack reads three characters as its own.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn body(it: &Notification) -> Value {
    let mark = match (it.is_over(), it.severity()) {
        _ if it.is_trial => ":bell:",
        (true, _) if it.is_lapsed => ":ballot_box_with_check: Not again for some time:",
        (true, _) => ":white_check_mark: Over:",
        _ if it.is_acknowledged => ":raising_hand: In hand:",
        (false, Severity::Critical) => ":red_circle:",
        (false, Severity::Warning) => ":large_orange_circle:",
    };
    let text = format!("{mark} {}", escaped(&it.headline()));
    let mut lines = vec![format!("*{}* {text}", escaped(&it.kind))];
    let open = it.alerts.iter().filter(|alert| alert.ended.is_none()).skip(1);
    lines.extend(open.take(NAMED_MAX).map(|alert| format!("• {}", escaped(&alert.summary))));
    lines.extend(it.runbook.iter().map(|url| format!("What to do: {}", escaped(url))));
    let section = cut(&lines.join("\n"), BLOCK_CHARS_MAX);
    json!({
        "text": cut(&text, BLOCK_CHARS_MAX),
        "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": section } }],
    })
}
