//! What the people who run the hall are told, and the port to whoever tells them.
//!
//! Alerts of one kind are one group and one conversation with a receiver: it is told of the group as it
//! stands, and told again when that changes. Never a person's text, never a raw id.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Timestamp;

/// How bad it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Someone should look at it today.
    #[default]
    Warning,
    /// Someone should look at it now.
    Critical,
}

impl Severity {
    /// The word of the field.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Which alert it is: made of its kind and its labels, in the way of Prometheus (FNV-1a, 64 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of a kind with its labels.
    #[must_use]
    pub fn of(kind: &str, labels: &BTreeMap<String, String>) -> Self {
        let named = std::iter::once(("alertname", kind));
        let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // In the order of the labels' names, whatever they are.
        let all: BTreeMap<&str, &str> = labels.chain(named).collect();
        let bytes = all.iter().flat_map(|(name, value)| {
            name.bytes().chain([0xff]).chain(value.bytes()).chain([0xff])
        });
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// One alert, as somebody is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldAlert {
    /// Which it is.
    pub fingerprint: Fingerprint,
    /// What tells it from others of its kind.
    pub labels: BTreeMap<String, String>,
    /// How bad it is.
    pub severity: Severity,
    /// What happened, in one sentence.
    pub summary: String,
    /// How often it happened.
    pub count: u64,
    /// Since when.
    pub since: Timestamp,
    /// When it was over; `None` while it is not.
    pub ended: Option<Timestamp>,
}

/// A group of alerts of one kind as it stands, for one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The kind.
    pub kind: String,
    /// Its number: when somebody is told the same number again, nothing has changed since.
    pub version: u64,
    /// What there is of it, at least one.
    pub alerts: Vec<ToldAlert>,
    /// More of them that are not listed.
    pub left_out: u64,
    /// An admin has said that they take care of it.
    pub is_acknowledged: bool,
    /// Others were told first, and nobody has said so.
    pub is_escalated: bool,
    /// It is over only as far as nobody has heard of it for some time.
    pub is_lapsed: bool,
    /// It is only a trial of the way.
    pub is_trial: bool,
    /// Where it stands what to do: an address, or a path in the repository.
    pub runbook: Option<String>,
}

impl Notification {
    /// True once nothing of it is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.alerts.iter().all(|it| it.ended.is_some())
    }

    /// The worst of it that is not over; once all is over, of all.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let open = self.alerts.iter().filter(|it| it.ended.is_none());
        let worst = open.map(|it| it.severity).max();
        worst.or_else(|| self.alerts.iter().map(|it| it.severity).max()).unwrap_or_default()
    }

    /// How often it happened.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.alerts.iter().map(|it| it.count).sum::<u64>() + self.left_out
    }

    /// The same text for the same number of the same kind, for receivers that tell repeats apart.
    /// A kind can come back with low numbers, so its beginning belongs to it.
    #[must_use]
    pub fn key(&self) -> String {
        let since = self.alerts.iter().map(|it| it.since.0).min().unwrap_or_default();
        format!("{}/{since}/{}", self.kind, self.version)
    }

    /// What it says in one line: the first sentence, and how many more there are.
    #[must_use]
    pub fn headline(&self) -> String {
        let open = self.alerts.iter().find(|it| it.ended.is_none());
        let Some(first) = open.or(self.alerts.first()) else { return self.kind.clone() };
        let others = self.alerts.len() as u64 - 1 + self.left_out;
        let more = if 0 < others { format!(" (and {others} more)") } else { String::new() };
        let times = if 1 < first.count && others == 0 {
            format!(" ({} times)", first.count)
        } else {
            String::new()
        };
        format!("{}{more}{times}", first.summary)
    }

    /// A notification that says nothing but that the way works.
    #[must_use]
    pub fn trial(now: Timestamp) -> Self {
        let kind = "alerts_test".to_owned();
        let fingerprint = Fingerprint::of(&kind, &BTreeMap::new());
        let alert = ToldAlert {
            fingerprint,
            labels: BTreeMap::new(),
            severity: Severity::Warning,
            summary: "This is a test of the way that alerts take. Nothing is wrong.".to_owned(),
            count: 1,
            since: now,
            // What is over wakes nobody.
            ended: Some(now),
        };
        Self {
            kind,
            version: now.0,
            alerts: vec![alert],
            left_out: 0,
            is_acknowledged: false,
            is_escalated: false,
            is_lapsed: false,
            is_trial: true,
            runbook: None,
        }
    }
}

/// Why somebody could not be told. Never quotes an address, a key or a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct TellError {
    /// In words.
    pub why: String,
    /// Not to be tried again before.
    pub retry_after: Option<Duration>,
}

impl TellError {
    /// An error without a time to wait.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), retry_after: None }
    }
}

/// Somewhere that alerts go to.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// The word for it in configuration, metrics and logs.
    fn name(&self) -> &'static str;

    /// The shortest time between two messages to it.
    fn gap(&self) -> Duration {
        Duration::ZERO
    }

    /// Tells it how a group stands. May be asked twice for the same version. Ends within a minute.
    ///
    /// # Errors
    /// Why it could not be told, or may not have been.
    async fn tell(&self, notification: &Notification) -> Result<(), TellError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_fingerprint_is_the_same_for_the_same_kind_and_labels_and_no_other() {
        let one = Fingerprint::of("poll", &labels(&[("bot", "a"), ("z", "1")]));
        assert_eq!(one, Fingerprint::of("poll", &labels(&[("z", "1"), ("bot", "a")])));
        assert_ne!(one, Fingerprint::of("poll", &labels(&[("bot", "a1"), ("z", "")])));
        assert_ne!(one, Fingerprint::of("polls", &labels(&[("bot", "a"), ("z", "1")])));
        assert_eq!(one.to_string().parse(), Ok(one));
        // FNV-1a of "alertname\xffpoll\xff", computed elsewhere.
        assert_eq!(Fingerprint::of("poll", &labels(&[])).to_string(), "4ab09f071e0299c3");
    }

    #[test]
    fn a_trial_is_over_before_it_begins() {
        let trial = Notification::trial(Timestamp(5));
        assert!(trial.is_over() && trial.is_trial);
        assert_eq!(trial.key(), "alerts_test/5/5");
    }
}
