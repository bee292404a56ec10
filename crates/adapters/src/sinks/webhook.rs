//! Calls an address of the operator's, in the shape of Alertmanager's webhook, version 4, signed with a
//! secret if there is one.
//!
//! Source: <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>. The signature is
//! HMAC-SHA256 over the timestamp, a full stop and the body, as hex digits:
//!
//! ```text
//! X-Guildhall-Timestamp: 1764115200
//! X-Guildhall-Signature: sha256=4f0c…
//! Idempotency-Key: the same for the same message
//! ```

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use hmac::{Hmac, Mac as _};
use protocol::{
    Clock,
    alert::{Notification, Sink, TellError, ToldAlert},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{SinkError, call, client, hex, rfc3339};

/// When something that is not over ends, for Alertmanager.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// An address that is called for every alert. Such addresses hold passwords: it is never shown.
pub struct Webhook {
    url: SecretString,
    secret: Option<SecretString>,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl Webhook {
    /// A sink that calls `url`, and signs with `secret`.
    ///
    /// # Errors
    /// If this machine cannot make HTTP requests.
    pub fn new(
        url: SecretString,
        secret: Option<SecretString>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SinkError> {
        Ok(Self { url, secret, client: client()?, clock })
    }
}

/// The signature of a body sent at a time, in seconds.
#[must_use]
pub fn signature(secret: &SecretString, timestamp: u64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

#[async_trait]
impl Sink for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn tell(&self, notification: &Notification) -> Result<(), TellError> {
        let body = body(notification).to_string();
        let mut request = self
            .client
            .post(self.url.expose_secret())
            .header("content-type", "application/json")
            .header("idempotency-key", notification.key());
        if let Some(secret) = &self.secret {
            let timestamp = self.clock.now().0 / 1_000;
            request = request
                .header("x-guildhall-timestamp", timestamp)
                .header("x-guildhall-signature", signature(secret, timestamp, body.as_bytes()));
        }
        call(request.body(body)).await
    }
}

/// The labels of one alert, with those that every alert has.
fn labels(kind: &str, alert: &ToldAlert) -> BTreeMap<String, String> {
    let mut labels = alert.labels.clone();
    labels.insert("alertname".to_owned(), kind.to_owned());
    labels.insert("severity".to_owned(), alert.severity.as_str().to_owned());
    labels
}

fn annotations(alert: &ToldAlert, runbook: Option<&String>) -> BTreeMap<String, String> {
    let (summary, count) = (alert.summary.clone(), alert.count.to_string());
    let mut all = BTreeMap::from([("summary".to_owned(), summary), ("count".to_owned(), count)]);
    all.extend(runbook.map(|url| ("runbook_url".to_owned(), url.clone())));
    all
}

fn status(is_over: bool) -> &'static str {
    if is_over { "resolved" } else { "firing" }
}

/// What all of them have, with the same value.
fn common(mut all: impl Iterator<Item = BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut common = all.next().unwrap_or_default();
    for other in all {
        common.retain(|name, value| other.get(name) == Some(value));
    }
    common
}

fn body(it: &Notification) -> Value {
    let alert = |alert: &ToldAlert| {
        json!({
            "status": status(alert.ended.is_some()),
            "labels": labels(&it.kind, alert),
            "annotations": annotations(alert, it.runbook.as_ref()),
            "startsAt": rfc3339(alert.since),
            "endsAt": alert.ended.map_or_else(|| NEVER.to_owned(), rfc3339),
            "generatorURL": "",
            "fingerprint": alert.fingerprint.to_string(),
        })
    };
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{alertname=\"{}\"}}", it.kind),
        "truncatedAlerts": it.left_out,
        "status": status(it.is_over()),
        "receiver": "guildhall",
        "groupLabels": { "alertname": it.kind },
        "commonLabels": common(it.alerts.iter().map(|alert| labels(&it.kind, alert))),
        "commonAnnotations": common(it.alerts.iter().map(|alert| annotations(alert, it.runbook.as_ref()))),
        "externalURL": "",
        "alerts": it.alerts.iter().map(alert).collect::<Vec<_>>(),
    })
}
