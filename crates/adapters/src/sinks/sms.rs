//! Sends short messages, by an interface such as Twilio's.
//!
//! Source: <https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource>.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use protocol::alert::{Notification, Sink, TellError};
use secrecy::{ExposeSecret as _, SecretString};

use super::{SinkError, call, client, cut};

/// Twilio's own address.
pub const BASE_URL: &str = "https://api.twilio.com";
/// Two messages of the network's.
const BODY_CHARS_MAX: usize = 300;

/// Who writes to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsConfig {
    /// The address, without the path.
    pub base_url: String,
    /// The account.
    pub account: String,
    /// The sender's number.
    pub from: String,
    /// The receivers' numbers.
    pub to: Vec<String>,
}

/// Telephones.
pub struct Sms {
    config: SmsConfig,
    token: SecretString,
    client: reqwest::Client,
    /// Who has got which message already, so that a second try leaves them alone.
    reached: Mutex<(String, BTreeSet<String>)>,
}

impl Sms {
    /// A sink that writes to every number of the configuration.
    ///
    /// # Errors
    /// If this machine cannot make HTTP requests.
    pub fn new(config: SmsConfig, token: SecretString) -> Result<Self, SinkError> {
        Ok(Self { config, token, client: client()?, reached: Mutex::default() })
    }

    fn reached(&self, key: &str) -> BTreeSet<String> {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if reached.0 == key { reached.1.clone() } else { BTreeSet::new() }
    }

    async fn send(&self, to: &str, body: &str) -> Result<(), TellError> {
        let SmsConfig { base_url, account, from, .. } = &self.config;
        let base = base_url.trim_end_matches('/');
        let url = format!("{base}/2010-04-01/Accounts/{account}/Messages.json");
        let request = self.client.post(url).basic_auth(account, Some(self.token.expose_secret()));
        call(request.form(&[("To", to), ("From", from), ("Body", body)])).await
    }
}

#[async_trait]
impl Sink for Sms {
    fn name(&self) -> &'static str {
        "sms"
    }

    fn gap(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn tell(&self, notification: &Notification) -> Result<(), TellError> {
        let (key, body) = (notification.key(), body(notification));
        let mut reached = self.reached(&key);
        let mut failed = None;
        for to in self.config.to.iter().filter(|it| !reached.contains(*it)).collect::<Vec<_>>() {
            match self.send(to, &body).await {
                Ok(()) => drop(reached.insert(to.clone())),
                Err(error) => failed = Some(error),
            }
        }
        *self.reached.lock().unwrap_or_else(PoisonError::into_inner) = (key, reached);
        failed.map_or(Ok(()), Err)
    }
}

fn body(it: &Notification) -> String {
    let state = match (it.is_over(), it.is_acknowledged) {
        _ if it.is_trial => "TEST",
        (true, _) if it.is_lapsed => "NOT AGAIN",
        (true, _) => "OVER",
        (false, true) => "IN HAND",
        (false, false) => match it.severity() {
            protocol::alert::Severity::Critical => "CRITICAL",
            protocol::alert::Severity::Warning => "WARNING",
        },
    };
    cut(&format!("Guildhall {state} {}: {}", it.kind, it.headline()), BODY_CHARS_MAX)
}
