//! What is wrong, who was told of it, and who is still to be told. Pure: the alerter's core.
//!
//! Alerts of one kind are one group. A group has a version, which rises when there is something to tell;
//! every sink that the group has reached notes the version it was told. Who is behind is told the group
//! as it stands then: a sink that was away for a night gets one message, not a night's worth.
//!
//! Times are the wall clock's at the start and run steadily from there: see [`super`].
//!
//! Invariants: ALERTER-1 in any window at most `told_max` versions of one kind are made, and a sink is
//! told only the newest.
//! ALERTER-3 nobody is told what is not durable, unless it cannot be made so; whoever is behind is told
//! in the end, across restarts. ALERTER-4 whoever was told that something is wrong is told when it is over.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use protocol::{
    Timestamp,
    alert::{Fingerprint, Notification, Severity},
};
use serde::{Deserialize, Serialize};

use super::group::Standing;
pub use super::group::{Group, Line};

/// Alerts that one group lists.
const LISTED_MAX: usize = 50;
/// Groups there can be: kinds come from code and configuration.
const GROUPS_MAX: usize = 500;
/// Silences there can be.
const SILENCES_MAX: usize = 200;
/// How often a count that rises is written, at the most.
const COUNT_WRITTEN_EVERY: Duration = Duration::from_secs(60);
/// The pauses of a sink that fails.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// The longest time that a sink may ask to be left alone.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
/// The pause after a write that failed.
const WRITE_PAUSE: Duration = Duration::from_secs(5);
/// The longest silence.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);
/// What the kinds of playbooks begin with: their names follow, and the warden says when they are over.
pub(crate) const PLAYBOOK: &str = "playbook_";
/// The silence of this kind is of every kind.
pub(crate) const EVERY_KIND: &str = "all";

/// How alerts are kept from flooding, and how they climb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Versions of one kind that are told within the window; the last is kept for "it is over".
    pub told_max: usize,
    /// The window.
    pub window: Duration,
    /// The shortest time between two versions that say that something is wrong.
    pub gap: Duration,
    /// What was not heard of for so long is over, where nobody says when it is.
    pub quiet: Duration,
    /// What nobody has acknowledged climbs a step after so long.
    pub climb: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            told_max: 3,
            window: Duration::from_secs(600),
            gap: Duration::from_secs(30),
            quiet: Duration::from_secs(600),
            climb: Duration::from_secs(900),
        }
    }
}

/// Where a sink stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// From which step of the escalation on it is told: 0 at once.
    pub step: u8,
    /// It is told of what is as bad as this, or worse.
    pub least: Severity,
    /// The shortest time between two messages to it.
    pub gap: Duration,
}

/// Something that is wrong, or is wrong no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its kind: alerts of one kind are one group.
    pub kind: String,
    /// What tells it from others of its kind.
    pub labels: BTreeMap<String, String>,
    /// How bad it is.
    pub severity: Severity,
    /// What happened, in one sentence.
    pub summary: String,
    /// Somebody says when it is over; else it is when it was not heard of for some time.
    pub is_held: bool,
}

/// What the book is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Something happened.
    Happened(Alert),
    /// A rule says that something is wrong, as it does at every look.
    Began(Alert),
    /// Nothing of this kind is wrong any more.
    Over(String),
    /// What was to be written is durable, or is not.
    Written(bool),
    /// A sink was told.
    Told {
        /// Which.
        sink: String,
    },
    /// A sink was not told.
    NotTold {
        /// Which.
        sink: String,
        /// It asks to be left alone for so long.
        retry_after: Option<Duration>,
        /// From 0 to 1.
        chance: f64,
    },
    /// An admin takes care of a kind.
    Acknowledged(String),
    /// Nobody is to be told of a kind until then; a time that is over ends it.
    Silenced {
        /// The kind, or `all`.
        kind: String,
        /// Until when.
        until: Timestamp,
    },
    /// Time has passed.
    Passed,
}

/// What the book wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Make this durable, then say `Written`.
    Write(Vec<Entry>),
    /// Tell a sink, then say `Told` or `NotTold`.
    Tell {
        /// Which.
        sink: String,
        /// What.
        notification: Notification,
    },
}

/// One entry of the alerts' stream: what holds from here on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A group is like this now.
    Group(Group),
    /// Nothing is left to say about a kind.
    Closed {
        /// Which.
        kind: String,
    },
    /// Nobody is told of a kind until then.
    Silence {
        /// Which.
        kind: String,
        /// Until when.
        until: Timestamp,
    },
    /// How much there was of something in an hour.
    Hour(super::usual::Hour),
}

/// A sink, as far as it matters here.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) place: Place,
    /// What it is being told.
    busy: Option<(String, u64)>,
    pub(super) failures: u32,
    not_before: Timestamp,
    /// When each kind was tried last, so that one that it refuses does not hold up the others.
    tried: BTreeMap<String, Timestamp>,
}

/// The whole of it.
#[derive(Debug)]
pub struct Book {
    pace: Pace,
    ways: Vec<Way>,
    groups: BTreeMap<String, Group>,
    silences: BTreeMap<String, Timestamp>,
    /// What has changed and is not written, by what it is about.
    unwritten: BTreeSet<Key>,
    /// What is being written.
    writing: Option<BTreeSet<Key>>,
    /// Writing failed: these may be told all the same.
    excused: BTreeSet<String>,
    write_not_before: Timestamp,
    hours: Vec<super::usual::Hour>,
}

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Group(String),
    Silence(String),
    Hours,
}

/// What a snapshot holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    groups: Vec<Group>,
    silences: BTreeMap<String, Timestamp>,
    /// Folded hours.
    #[serde(default)]
    pub usual: super::usual::Usual,
}

impl State {
    /// What there is, in the order in which it began.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self.groups.iter().map(Group::line).collect();
        lines.sort_by_key(|it| it.since);
        lines
    }

    /// Takes an entry in.
    pub fn fold(&mut self, entry: Entry) {
        match entry {
            Entry::Group(group) => {
                self.groups.retain(|it| it.kind != group.kind);
                self.groups.push(group);
            }
            Entry::Closed { kind } => self.groups.retain(|it| it.kind != kind),
            Entry::Silence { kind, until } => {
                self.silences.insert(kind, until);
            }
            Entry::Hour(hour) => self.usual.take(&hour),
        }
    }
}

impl Book {
    /// Goes on from what was folded. `holders` are the kinds of which somebody says when they are over. A clock that stands before what it reads makes that new.
    #[must_use]
    pub fn open(
        pace: Pace,
        places: Vec<Place>,
        holders: &BTreeSet<String>,
        state: &State,
        now: Timestamp,
    ) -> Self {
        let way = |place| Way {
            place,
            busy: None,
            failures: 0,
            not_before: Timestamp(0),
            tried: BTreeMap::new(),
        };
        let ways: Vec<Way> = places.into_iter().map(way).collect();
        let mut groups = BTreeMap::new();
        for group in &state.groups {
            let mut group = group.clone();
            group.not_after(now);
            // A rule that is no more says nothing of its end.
            let is_held = holders.contains(&group.kind) || group.kind.starts_with(PLAYBOOK);
            group.alerts.values_mut().for_each(|it| it.is_held &= is_held);
            // Of sinks that are no more nobody is to be told.
            group.told.retain(|name, _| ways.iter().any(|it| it.place.name == *name));
            groups.insert(group.kind.clone(), group);
        }
        let latest = now.plus(SILENCE_MAX);
        let silences = state.silences.iter().filter(|(_, until)| now < **until);
        Self {
            pace,
            ways,
            groups,
            silences: silences.map(|(kind, until)| (kind.clone(), (*until).min(latest))).collect(),
            unwritten: BTreeSet::new(),
            writing: None,
            excused: BTreeSet::new(),
            write_not_before: Timestamp(0),
            hours: Vec::new(),
        }
    }

    /// What a snapshot has to hold.
    #[must_use]
    pub fn state(&self, usual: super::usual::Usual) -> State {
        let groups = self.groups.values().cloned().collect();
        State { groups, silences: self.silences.clone(), usual }
    }

    /// Takes one input and says what to do about it.
    #[must_use = "effects not carried out are lost"]
    pub fn step(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        match input {
            Input::Happened(alert) => self.take(alert, false, now),
            Input::Began(alert) => self.take(alert, true, now),
            Input::Over(kind) => self.end(&kind, now),
            Input::Written(good) => self.written(good, now),
            Input::Told { sink } => self.told(&sink, now),
            Input::NotTold { sink, retry_after, chance } => {
                self.not_told(&sink, retry_after, chance, now);
            }
            Input::Acknowledged(kind) => {
                if let Some(group) = self.groups.get_mut(&kind)
                    && !group.is_over()
                    && !std::mem::replace(&mut group.is_acknowledged, true)
                {
                    // Whoever was told hears that somebody takes care of it.
                    group.is_news = true;
                    self.unwritten.insert(Key::Group(kind));
                }
            }
            Input::Silenced { kind, until } => {
                let has_room = self.silences.len() < SILENCES_MAX;
                if has_room || self.silences.contains_key(&kind) {
                    self.silences.insert(kind.clone(), until.min(now.plus(SILENCE_MAX)));
                    self.unwritten.insert(Key::Silence(kind));
                }
            }
            Input::Passed => {}
        }
        self.advance(now)
    }

    /// Keeps how much there was of something in an hour that is over.
    pub fn learn(&mut self, hour: super::usual::Hour) {
        self.hours.push(hour);
        self.unwritten.insert(Key::Hours);
    }

    /// True while nobody is to be told of a kind.
    #[must_use]
    pub fn is_silenced(&self, kind: &str, now: Timestamp) -> bool {
        [kind, EVERY_KIND].iter().any(|it| self.silences.get(*it).is_some_and(|it| now < *it))
    }

    /// What there is, worst first.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self.groups.values().map(Group::line).collect();
        lines.sort_by_key(|it| (it.is_over, std::cmp::Reverse(it.severity), it.since));
        lines
    }

    /// Silences in force, with their ends.
    #[must_use]
    pub fn silences(&self, now: Timestamp) -> Vec<(String, Timestamp)> {
        let lasting = self.silences.iter().filter(|(_, until)| now < **until);
        lasting.map(|(kind, until)| (kind.clone(), *until)).collect()
    }

    /// True if a kind is known and not over.
    #[must_use]
    pub fn is_open(&self, kind: &str) -> bool {
        self.groups.get(kind).is_some_and(|it| !it.is_over())
    }

    /// True while what is known of a kind is not durable.
    #[must_use]
    pub fn is_in_doubt(&self, kind: &str) -> bool {
        let key = Key::Group(kind.to_owned());
        self.unwritten.contains(&key) || self.writing.as_ref().is_some_and(|it| it.contains(&key))
    }

    /// True if a kind is told of although it could not be written.
    #[cfg(test)]
    pub(super) fn is_excused(&self, kind: &str) -> bool {
        self.excused.contains(kind)
    }

    /// What is not over, to be raised elsewhere.
    #[must_use]
    pub fn open_alerts(&self) -> Vec<Alert> {
        let alerts = self.groups.values().flat_map(|group| {
            let open = group.alerts.values().filter(|it| it.ended.is_none());
            open.map(|it| Alert {
                kind: group.kind.clone(),
                labels: it.labels.clone(),
                severity: it.severity,
                summary: it.summary.clone(),
                is_held: it.is_held,
            })
        });
        alerts.collect()
    }

    fn take(&mut self, alert: Alert, is_rule: bool, now: Timestamp) {
        let Alert { kind, labels, severity, summary, is_held } = alert;
        if GROUPS_MAX <= self.groups.len() && !self.groups.contains_key(&kind) {
            return;
        }
        let group = self.groups.entry(kind.clone()).or_default();
        group.kind.clone_from(&kind);
        if group.is_over() {
            // It begins anew; who was told before goes on being told.
            group.alerts.clear();
            (group.left_out, group.step, group.is_acknowledged) = (0, 0, false);
            group.step_since = now;
        }
        let fingerprint = Fingerprint::of(&kind, &labels);
        if let Some(known) = group.alerts.get_mut(&fingerprint) {
            known.last = now;
            known.is_held |= is_held;
            known.is_lapsed = false;
            if is_rule && known.ended.is_none() {
                return; // It is known.
            }
            known.count += 1;
            known.summary = summary;
            let is_worse = known.severity < severity;
            known.severity = known.severity.max(severity);
            if known.ended.take().is_none() && !is_worse {
                group.has_risen = true;
                group.counted_since.get_or_insert(now);
                return;
            }
        } else if LISTED_MAX <= group.alerts.len() {
            group.left_out += 1;
        } else {
            let (count, since, last, ended) = (1, now, now, None);
            let standing = Standing {
                labels,
                severity,
                summary,
                count,
                since,
                last,
                ended,
                is_held,
                is_lapsed: false,
            };
            group.alerts.insert(fingerprint, standing);
        }
        group.is_news = true;
        self.unwritten.insert(Key::Group(kind));
    }

    fn end(&mut self, kind: &str, now: Timestamp) {
        let Some(group) = self.groups.get_mut(kind).filter(|it| !it.is_over()) else { return };
        group.alerts.values_mut().for_each(|it| {
            it.ended.get_or_insert(now);
        });
        group.is_news = true;
        self.unwritten.insert(Key::Group(kind.to_owned()));
    }

    fn written(&mut self, good: bool, now: Timestamp) {
        let keys = self.writing.take().unwrap_or_default();
        if good {
            self.excused.retain(|it| !keys.contains(&Key::Group(it.clone())));
            return;
        }
        self.write_not_before = now.plus(WRITE_PAUSE);
        for key in keys {
            match &key {
                Key::Group(kind) => drop(self.excused.insert(kind.clone())),
                Key::Silence(_) => {}
                // lost-ok: what is usual is learned from many days.
                Key::Hours => continue,
            }
            self.unwritten.insert(key);
        }
    }

    fn told(&mut self, sink: &str, now: Timestamp) {
        let Some(way) = self.ways.iter_mut().find(|it| it.place.name == sink) else { return };
        (way.failures, way.not_before) = (0, now.plus(way.place.gap));
        let Some((kind, version)) = way.busy.take() else { return };
        way.tried.remove(&kind);
        let Some(group) = self.groups.get_mut(&kind) else { return };
        let told = group.told.entry(sink.to_owned()).or_default();
        *told = version.max(*told);
        self.unwritten.insert(Key::Group(kind));
    }

    fn not_told(&mut self, sink: &str, retry_after: Option<Duration>, chance: f64, now: Timestamp) {
        let Some(way) = self.ways.iter_mut().find(|it| it.place.name == sink) else { return };
        let doubled = PAUSE_MIN.saturating_mul(1 << way.failures.min(16)).min(PAUSE_MAX);
        way.failures += 1;
        // Half of it at least, so that sinks that failed together do not come back together.
        let pause = doubled.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        let asked = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
        way.not_before = now.plus(pause.max(asked).max(way.place.gap));
        if let Some((kind, _)) = way.busy.take() {
            way.tried.insert(kind, now);
        }
    }

    /// What follows from the time alone, and from what was just taken in.
    fn advance(&mut self, now: Timestamp) -> Vec<Effect> {
        let kinds: Vec<String> = self.groups.keys().cloned().collect();
        for kind in &kinds {
            self.look_at(kind, now);
        }
        let over: Vec<String> = self
            .silences
            .iter()
            .filter(|(_, end)| **end <= now)
            .map(|(it, _)| it.clone())
            .collect();
        for kind in over {
            let is_unwritten = self.unwritten.contains(&Key::Silence(kind.clone()));
            let is_writing =
                self.writing.as_ref().is_some_and(|it| it.contains(&Key::Silence(kind.clone())));
            if !is_unwritten && !is_writing {
                self.silences.remove(&kind);
            }
        }
        let mut effects: Vec<Effect> = self.write(now).into_iter().collect();
        self.tell(now, &mut effects);
        effects
    }

    fn look_at(&mut self, kind: &str, now: Timestamp) {
        let is_silenced = self.is_silenced(kind, now);
        let pace = self.pace;
        let Some(group) = self.groups.get_mut(kind) else { return };
        let mut has_changed = group.fall_quiet(pace.quiet, now);
        if group.counted_since.is_some_and(|it| it.plus(COUNT_WRITTEN_EVERY) <= now) {
            group.counted_since = None;
            has_changed = true;
        }
        if !is_silenced || group.is_over() && 0 < group.version {
            has_changed |= group.make_version(&pace, &self.ways, now);
        }
        if !is_silenced && group.may_climb() {
            let is_late = group.step_since.plus(pace.climb) <= now;
            if is_late || group.reached_nobody(&self.ways) {
                has_changed |= group.climb(&self.ways, now);
            }
        }
        let is_done = group.is_over()
            && group.told_at.last().is_none_or(|it| it.plus(pace.window) <= now)
            && (group.version == 0 || !group.is_news && group.owes().next().is_none());
        if is_done || has_changed {
            self.unwritten.insert(Key::Group(kind.to_owned()));
        }
        if is_done {
            self.groups.remove(kind);
            self.excused.remove(kind);
            for way in &mut self.ways {
                way.tried.remove(kind);
            }
        }
    }

    fn write(&mut self, now: Timestamp) -> Option<Effect> {
        if self.writing.is_some() || self.unwritten.is_empty() || now < self.write_not_before {
            return None;
        }
        let keys: BTreeSet<Key> = std::mem::take(&mut self.unwritten);
        let mut entries: Vec<Entry> = keys.iter().filter_map(|key| self.entry(key)).collect();
        entries.extend(self.hours.drain(..).map(Entry::Hour));
        self.writing = Some(keys);
        Some(Effect::Write(entries))
    }

    fn entry(&self, key: &Key) -> Option<Entry> {
        match key {
            Key::Group(kind) => Some(match self.groups.get(kind) {
                Some(group) => Entry::Group(group.clone()),
                None => Entry::Closed { kind: kind.clone() },
            }),
            Key::Silence(kind) => {
                let until = self.silences.get(kind).copied().unwrap_or_default();
                Some(Entry::Silence { kind: kind.clone(), until })
            }
            Key::Hours => None,
        }
    }

    /// ALERTER-3: true if it may be told, as far as the ledger is concerned.
    fn is_safe(&self, kind: &str) -> bool {
        !self.is_in_doubt(kind) || self.excused.contains(kind)
    }

    fn tell(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        for at in 0..self.ways.len() {
            let Some(way) = self.ways.get(at) else { return };
            if way.busy.is_some() || now < way.not_before {
                continue;
            }
            let due = self.groups.values().filter(|group| {
                group.owes().any(|it| it == way.place.name)
                    && (group.is_over() || !self.is_silenced(&group.kind, now))
                    && self.is_safe(&group.kind)
            });
            // The one that was tried longest ago, or never.
            let next = due.min_by_key(|it| (way.tried.get(&it.kind), it.kind.as_str()));
            let Some(notification) = next.map(|it| it.notification(way.place.step)) else {
                continue;
            };
            let (sink, busy) =
                (way.place.name.clone(), (notification.kind.clone(), notification.version));
            if let Some(way) = self.ways.get_mut(at) {
                way.busy = Some(busy);
            }
            effects.push(Effect::Tell { sink, notification });
        }
    }
}
