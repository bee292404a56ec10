//! What must hold of alerts: where they go, and the rules.

use std::collections::BTreeSet;

use secrecy::ExposeSecret as _;
use url::Url;

use super::{
    ALERT_PAGERDUTY_KEY, ALERT_SLACK_URL, ALERT_SMS_TOKEN, ALERT_SMTP_PASSWORD, ALERT_URL,
    ALERT_WEBHOOK_SECRET, Check, SENTRY_DSN, is_private,
};
use crate::config::{secrets::Place, sections::AlertBound};

const NEEDS_ADDRESS: &str = "must be an address that begins with https:// or http://";

impl Check<'_> {
    pub(super) fn alerts(&mut self) {
        for name in [
            ALERT_WEBHOOK_SECRET,
            ALERT_SMTP_PASSWORD,
            ALERT_SLACK_URL,
            ALERT_PAGERDUTY_KEY,
            ALERT_SMS_TOKEN,
            SENTRY_DSN,
        ] {
            let found = self.secrets.find(name, self.env);
            self.found(name, name, found);
        }
        self.alert_webhook();
        self.alert_smtp();
        let config = &self.config.alerts;
        if let Some(url) = self.secrets.get(ALERT_SLACK_URL) {
            let is_good = Url::parse(url.expose_secret())
                .is_ok_and(|url| url.scheme() == "https" || is_private(&url));
            if !is_good {
                self.note(ALERT_SLACK_URL, "must be an address that begins with https://");
            }
        }
        if self.secrets.get(ALERT_PAGERDUTY_KEY).is_some() {
            self.sealed_server("alerts.pagerduty.url", &config.pagerduty.url);
        }
        if self.secrets.get(ALERT_SMS_TOKEN).is_some() {
            let sms = &config.sms;
            self.sealed_server("alerts.sms.base_url", &sms.base_url);
            let may_stand = |c: char| c.is_ascii_alphanumeric();
            if sms.account.is_empty() || !sms.account.chars().all(may_stand) {
                self.note("alerts.sms.account", "must name the account: letters and digits");
            }
            if sms.from.is_empty() {
                self.note("alerts.sms.from", "must be the number that messages come from");
            }
            if sms.to.is_empty() {
                self.note("alerts.sms.to", "must name at least one number");
            }
        }
        if let Some(base) = &config.runbooks
            && !Url::parse(base).is_ok_and(|it| matches!(it.scheme(), "http" | "https"))
        {
            self.note("alerts.runbooks", NEEDS_ADDRESS);
        }
        if let Some(dsn) = self.secrets.get(SENTRY_DSN) {
            let is_sealed = Url::parse(dsn.expose_secret())
                .is_ok_and(|url| url.scheme() == "https" || is_private(&url));
            if adapters::sinks::sentry::Dsn::read(dsn).is_err() || !is_sealed {
                self.note(SENTRY_DSN, "must look like https://KEY@sentry.example.org/PROJECT");
            }
        }
        self.alert_rules();
    }

    fn alert_webhook(&mut self) {
        let Some(url) = &self.config.alerts.webhook.url else { return };
        let text = url.0.expose_secret();
        let good = Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
        if !good {
            self.note(ALERT_URL, NEEDS_ADDRESS);
            return;
        }
        let place = Place::Key(ALERT_URL.to_owned());
        let kept = self.secrets.keep(ALERT_URL, text, place, false);
        self.found(ALERT_URL, ALERT_URL, kept.map(|()| true));
    }

    fn alert_smtp(&mut self) {
        let smtp = &self.config.alerts.smtp;
        if smtp.to.is_empty() {
            return;
        }
        if smtp.host.is_none() {
            self.note("alerts.smtp.host", "must name the server that takes the mail");
        }
        let is_address = |text: &String| {
            let parts = text.split_once('@');
            parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        };
        if !is_address(&smtp.from) {
            self.note("alerts.smtp.from", "must be the address that mail comes from");
        }
        if !smtp.to.iter().all(is_address) {
            self.note("alerts.smtp.to", "must name addresses, and nothing else");
        }
        if smtp.user.is_some() && self.secrets.get(ALERT_SMTP_PASSWORD).is_none() {
            let text = format!("needs the secret `{ALERT_SMTP_PASSWORD}`");
            self.note("alerts.smtp.user", text);
        }
    }

    /// A server that is sent a key: not in the clear, but to this machine or a private network.
    fn sealed_server(&mut self, key: &str, address: &str) {
        if let Some(url) = self.server(key, address)
            && url.scheme() == "http"
            && !is_private(&url)
        {
            self.note(key, "would send the key in the clear: use https");
        }
    }

    fn alert_rules(&mut self) {
        let shipped: BTreeSet<String> =
            flow::alerter::rules::shipped().into_iter().map(|it| it.name).collect();
        for name in &self.config.alerts.rules_off {
            if !shipped.contains(name) {
                let known: Vec<&str> = shipped.iter().map(String::as_str).collect();
                let text = format!("there is no rule `{name}`; shipped are {}", known.join(", "));
                self.note("alerts.rules_off", text);
            }
        }
        let may_stand = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_');
        let mut names = BTreeSet::new();
        for (at, rule) in self.config.alerts.rule.iter().enumerate() {
            let key = |field: &str| format!("alerts.rule.{at}.{field}");
            let name = &rule.name;
            if !(1..=60).contains(&name.len()) || !name.chars().all(may_stand) {
                self.note(&key("name"), "must have 1 to 60 of a-z, 0-9 and `_`");
            } else if !names.insert(name.clone()) {
                self.note(&key("name"), format!("`{name}` is there twice"));
            }
            if !rule.limit.is_finite() || rule.bound == AlertBound::TimesUsual && rule.limit < 1.0 {
                self.note(&key("limit"), "must be a number; of what is usual, at least 1");
            }
            if rule.bound == AlertBound::TimesUsual && !rule.signal.counts_up() {
                let text = "what is usual is only known of what is counted within a window";
                self.note(&key("bound"), text);
            }
        }
    }
}
