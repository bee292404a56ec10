//! Alerts of one kind: what is told of them, to whom, and in which version. Pure.

use std::{collections::BTreeMap, time::Duration};

use protocol::{
    Timestamp,
    alert::{Fingerprint, Notification, Severity, ToldAlert},
};
use serde::{Deserialize, Serialize};

use super::book::{Pace, Way};

/// Failures in a row after which the next step of an escalation is taken.
const FAILURES_MAX: u32 = 2;

/// Alerts of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The kind.
    pub kind: String,
    pub(super) alerts: BTreeMap<Fingerprint, Standing>,
    /// More of them than are listed.
    #[serde(default)]
    pub(super) left_out: u64,
    /// The number of what is to be told: 0 if nobody was to be told yet.
    pub(super) version: u64,
    /// When the latest versions were made.
    #[serde(default)]
    pub(super) told_at: Vec<Timestamp>,
    /// There is something new to tell that is in no version yet.
    #[serde(default)]
    pub(super) is_news: bool,
    #[serde(default)]
    pub(super) step: u8,
    #[serde(default)]
    pub(super) step_since: Timestamp,
    #[serde(default)]
    pub(super) is_acknowledged: bool,
    /// Who is told, and of which version they were told.
    #[serde(default)]
    pub(super) told: BTreeMap<String, u64>,
    /// It happened again since the latest version.
    #[serde(default)]
    pub(super) has_risen: bool,
    /// Counts have risen since they were written.
    #[serde(skip)]
    pub(super) counted_since: Option<Timestamp>,
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: BTreeMap<String, String>,
    pub(super) severity: Severity,
    pub(super) summary: String,
    pub(super) count: u64,
    pub(super) since: Timestamp,
    pub(super) last: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<Timestamp>,
    /// Somebody says when it is over.
    #[serde(default)]
    pub(super) is_held: bool,
    /// It has ended because nobody has heard of it for some time.
    #[serde(default)]
    pub(super) is_lapsed: bool,
}

/// What is to be known of a kind, for a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The kind.
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it says.
    pub headline: String,
    /// How often it happened.
    pub count: u64,
    /// Since when.
    pub since: Timestamp,
    /// It is over.
    pub is_over: bool,
    /// An admin takes care of it.
    pub is_acknowledged: bool,
    /// Who has been told all of it.
    pub told: Vec<String>,
    /// Who is still to be told.
    pub to_tell: Vec<String>,
}

impl Group {
    pub(super) fn is_over(&self) -> bool {
        self.alerts.values().all(|it| it.ended.is_some())
    }

    pub(super) fn severity(&self) -> Severity {
        self.alerts.values().map(|it| it.severity).max().unwrap_or_default()
    }

    /// Who is behind.
    pub(super) fn owes(&self) -> impl Iterator<Item = &str> {
        self.told.iter().filter(|(_, told)| **told < self.version).map(|(name, _)| name.as_str())
    }

    /// Brings times that lie ahead of the clock back to it.
    pub(super) fn not_after(&mut self, now: Timestamp) {
        let times = self.alerts.values_mut().flat_map(|it| [&mut it.since, &mut it.last]);
        times.chain(&mut self.told_at).chain([&mut self.step_since]).for_each(|it| {
            *it = (*it).min(now);
        });
        self.alerts.values_mut().filter_map(|it| it.ended.as_mut()).for_each(|it| {
            *it = (*it).min(now);
        });
    }

    /// What was not heard of for long is over, if nobody holds it.
    pub(super) fn fall_quiet(&mut self, quiet: Duration, now: Timestamp) -> bool {
        let mut has_ended = false;
        for it in self.alerts.values_mut() {
            if it.ended.is_none() && !it.is_held && it.last.plus(quiet) <= now {
                (it.ended, it.is_lapsed) = (Some(now), true);
                has_ended = true;
            }
        }
        self.is_news |= has_ended;
        has_ended
    }

    /// Makes a new version, if there is something to tell and the pace allows it. ALERTER-1.
    pub(super) fn make_version(&mut self, pace: &Pace, ways: &[Way], now: Timestamp) -> bool {
        self.told_at.retain(|it| now < it.plus(pace.window));
        let (is_over, last) = (self.is_over(), self.told_at.last().copied());
        if is_over && self.version == 0 {
            return false; // Nobody heard that it began.
        }
        let may = match (is_over, self.is_news) {
            (true, news) => news && self.told_at.len() < pace.told_max,
            (false, true) => {
                self.told_at.len() + 1 < pace.told_max.max(2)
                    && last.is_none_or(|it| it.plus(pace.gap) <= now)
            }
            // It goes on and on: once a window.
            (false, false) => self.has_risen && last.is_none() && 0 < self.version,
        };
        if !may {
            return false;
        }
        self.version += 1;
        (self.is_news, self.has_risen) = (false, false);
        self.told_at.push(now);
        if !is_over && !self.enrol(ways, self.step) && self.told.is_empty() {
            // Nobody stands on this step: the first on which somebody does.
            self.climb(ways, now);
        }
        true
    }

    /// Adds everybody up to a step to those who are told.
    pub(super) fn enrol(&mut self, ways: &[Way], step: u8) -> bool {
        let severity = self.severity();
        let mut has_new = false;
        for Way { place, .. } in ways {
            if place.step <= step && place.least <= severity && !self.told.contains_key(&place.name)
            {
                self.told.insert(place.name.clone(), 0);
                has_new = true;
            }
        }
        has_new
    }

    pub(super) fn may_climb(&self) -> bool {
        0 < self.version && !self.is_acknowledged && !self.is_over()
    }

    /// Everybody whom it has reached fails, and none was told.
    pub(super) fn reached_nobody(&self, ways: &[Way]) -> bool {
        let mut reached = ways.iter().filter(|it| self.told.contains_key(&it.place.name));
        let is_lost = |it: &Way| {
            FAILURES_MAX <= it.failures && self.told.get(&it.place.name) != Some(&self.version)
        };
        !self.told.is_empty() && reached.all(is_lost)
    }

    /// Takes the next step on which somebody stands. False if there is none.
    pub(super) fn climb(&mut self, ways: &[Way], now: Timestamp) -> bool {
        let severity = self.severity();
        let places = ways.iter().map(|it| &it.place).filter(|it| it.least <= severity);
        let next = places.map(|it| it.step).filter(|it| self.step < *it).min();
        let Some(next) = next else { return false };
        (self.step, self.step_since) = (next, now);
        self.enrol(ways, next);
        true
    }

    pub(super) fn notification(&self, step: u8) -> Notification {
        let told = |(fingerprint, it): (&Fingerprint, &Standing)| ToldAlert {
            fingerprint: *fingerprint,
            labels: it.labels.clone(),
            severity: it.severity,
            summary: it.summary.clone(),
            count: it.count,
            since: it.since,
            ended: it.ended,
        };
        Notification {
            kind: self.kind.clone(),
            version: self.version,
            alerts: self.alerts.iter().map(told).collect(),
            left_out: self.left_out,
            is_acknowledged: self.is_acknowledged,
            is_escalated: 0 < step && !self.is_over(),
            is_lapsed: self.is_over() && self.alerts.values().any(|it| it.is_lapsed),
            is_trial: false,
            runbook: None,
        }
    }

    pub(super) fn line(&self) -> Line {
        let notification = self.notification(0);
        let to_tell: Vec<String> = self.owes().map(str::to_owned).collect();
        let told = self.told.keys().filter(|it| !to_tell.contains(it)).cloned();
        Line {
            kind: self.kind.clone(),
            severity: notification.severity(),
            headline: notification.headline(),
            count: notification.count(),
            since: self.alerts.values().map(|it| it.since).min().unwrap_or_default(),
            is_over: self.is_over(),
            is_acknowledged: self.is_acknowledged,
            told: told.collect(),
            to_tell,
        }
    }
}
