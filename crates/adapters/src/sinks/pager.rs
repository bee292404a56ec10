//! Opens, acknowledges and closes incidents at PagerDuty, by its Events API v2. One kind of alert is one
//! incident: it is opened again and again under one key, and closed under the same.
//!
//! Source: <https://developer.pagerduty.com/docs/events-api-v2-overview>.

use async_trait::async_trait;
use protocol::alert::{Notification, Severity, Sink, TellError};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{SinkError, call, client, cut, rfc3339};

/// Where PagerDuty takes events.
pub const ENDPOINT: &str = "https://events.pagerduty.com/v2/enqueue";
const SUMMARY_CHARS_MAX: usize = 1_024;
const KEY_CHARS_MAX: usize = 255;

/// A service of PagerDuty's.
pub struct Pager {
    url: String,
    routing_key: SecretString,
    source: String,
    client: reqwest::Client,
}

impl Pager {
    /// A sink that sends events to `url` for the integration of `routing_key`, as `source`.
    ///
    /// # Errors
    /// If this machine cannot make HTTP requests.
    pub fn new(url: String, routing_key: SecretString, source: String) -> Result<Self, SinkError> {
        Ok(Self { url, routing_key, source, client: client()? })
    }

    fn body(&self, it: &Notification) -> Value {
        let action = match (it.is_over(), it.is_acknowledged) {
            (true, _) => "resolve",
            (false, true) => "acknowledge",
            (false, false) => "trigger",
        };
        let mut body = json!({
            "routing_key": self.routing_key.expose_secret(),
            "event_action": action,
            "dedup_key": cut(&format!("{}/{}", self.source, it.kind), KEY_CHARS_MAX),
        });
        if action == "trigger"
            && let Some(body) = body.as_object_mut()
        {
            let severity = match it.severity() {
                Severity::Critical => "critical",
                Severity::Warning => "warning",
            };
            let since = it.alerts.iter().map(|alert| alert.since).min().unwrap_or_default();
            let payload = json!({
                "summary": cut(&it.headline(), SUMMARY_CHARS_MAX),
                "source": self.source,
                "severity": severity,
                "timestamp": rfc3339(since),
                "component": "guildhall",
                "class": it.kind,
                "custom_details": { "count": it.count(), "left_out": it.left_out },
            });
            body.insert("payload".to_owned(), payload);
            body.insert("client".to_owned(), json!("Guildhall"));
            // PagerDuty takes addresses only.
            if let Some(url) = it.runbook.as_ref().filter(|it| it.contains("://")) {
                let link = json!([{ "href": url, "text": "What to do" }]);
                body.insert("links".to_owned(), link);
            }
        }
        body
    }
}

#[async_trait]
impl Sink for Pager {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    async fn tell(&self, notification: &Notification) -> Result<(), TellError> {
        call(self.client.post(&self.url).json(&self.body(notification))).await
    }
}
