//! Sends alerts to an address of the operator's, in the shape of Alertmanager's webhook, version 4.
//!
//! Source: <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>.

use std::time::Duration;

use async_trait::async_trait;
use flow::alerter::{Alert, Sink};
use protocol::Clock;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::run::SystemClock;

/// An address that is called for every alert. Such addresses hold passwords: it is never shown.
pub(crate) struct AlertWebhook {
    url: SecretString,
    client: reqwest::Client,
}

impl AlertWebhook {
    /// A sink that calls `url`.
    ///
    /// # Errors
    /// If this machine cannot make HTTP requests.
    pub(crate) fn new(url: SecretString) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { url, client })
    }
}

#[async_trait]
impl Sink for AlertWebhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn tell(&self, alert: &Alert) -> Result<(), String> {
        let body = body(alert, &rfc3339(SystemClock.now()));
        let sent = self.client.post(self.url.expose_secret()).json(&body).send().await;
        // The address holds a password: errors must not quote it.
        let answer = sent.map_err(|error| error.without_url().to_string())?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(format!("it answered with status {}", answer.status().as_u16())),
        }
    }
}

fn rfc3339(now: protocol::Timestamp) -> String {
    let millis = i64::try_from(now.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or_default().to_string()
}

fn body(alert: &Alert, at: &str) -> serde_json::Value {
    let labels = json!({ "alertname": alert.kind, "severity": alert.severity.as_str() });
    let annotations = json!({ "summary": alert.summary, "count": alert.count.to_string() });
    let group = json!({ "alertname": alert.kind });
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{alertname=\"{}\"}}", alert.kind),
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "guildhall",
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [{
            "status": "firing",
            "labels": labels,
            "annotations": annotations,
            "startsAt": at,
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "",
            "fingerprint": alert.kind,
        }],
    })
}

#[cfg(test)]
mod tests {
    use flow::alerter::Severity;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn alert() -> Alert {
        let summary = "Updates cannot be fetched.".to_owned();
        Alert { kind: "poll", severity: Severity::Critical, summary, count: 3 }
    }

    #[test]
    fn the_body_has_the_shape_of_alertmanager() {
        let body = body(&alert(), "2026-11-22T00:00:00Z");
        assert_eq!(body["version"], "4");
        assert_eq!(body["groupKey"], r#"{}:{alertname="poll"}"#);
        assert_eq!(body["alerts"][0]["labels"]["severity"], "critical");
        assert_eq!(body["alerts"][0]["annotations"]["count"], "3");
    }

    #[test]
    fn a_refused_or_unreachable_address_is_told_without_the_address() {
        kit::block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let addr = listener.local_addr().unwrap();
            let server = kit::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 4096];
                let read = stream.read(&mut head).await.unwrap();
                assert!(head[..read].starts_with(b"POST /hook?password=hunter2 "));
                stream.write_all(b"HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            });
            let url = format!("http://{addr}/hook?password=hunter2");
            let sink = AlertWebhook::new(SecretString::from(url)).unwrap();
            let refused = sink.tell(&alert()).await.unwrap_err();
            assert_eq!(refused, "it answered with status 503");
            server.await.unwrap();
            let unreachable = sink.tell(&alert()).await.unwrap_err();
            assert!(!unreachable.contains("hunter2"), "{unreachable}");
        });
    }
}
