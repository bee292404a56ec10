//! Rules over the hall's figures: when something is out of bounds. Pure.
//!
//! Figures are looked at every few seconds, and kept for as long as the longest window of a rule. What is
//! not known changes nothing: a rule that has said so goes on saying so until it knows better.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use protocol::{Timestamp, alert::Severity};
use serde::{Deserialize, Serialize};

use super::{
    book::{Alert, Input},
    usual::{Hour, Hourly, Usual},
};
use crate::tally::{REPLY_BOUNDS, Watched};

/// How often the figures are looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Looks that are kept: an hour's.
const LOOKS_MAX: usize = 260;

/// A figure that rules can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Seconds since updates were last received or asked for with success.
    PollAgeSeconds,
    /// The part of the calls to models that failed, within the window.
    LlmErrorRatio,
    /// What 95 of 100 replies took less than, within the window.
    ReplyP95Seconds,
    /// Restarts of actors within the window.
    ActorRestarts,
    /// Updates that were set aside within the window.
    Quarantined,
    /// The free part of the disk that the data lies on.
    DiskFreeRatio,
    /// Texts that the guard stopped, within the window.
    GuardBlocks,
    /// Seconds since the last good backup was made.
    BackupAgeSeconds,
    /// Updates that came within the window.
    Updates,
    /// Tokens used within the window.
    Tokens,
    /// Log lines that were lost within the window.
    LogLinesDropped,
    /// What answers cost within the window, in the currency of the price list.
    Cost,
    /// Tool servers that are not as they should be.
    ToolServersIll,
}

/// What is out of bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// More than this.
    Above(f64),
    /// Less than this.
    Below(f64),
    /// More than so many times what is usual at this hour.
    TimesUsual(f64),
}

/// When somebody is told of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name: the kind of its alerts.
    pub name: String,
    /// The figure.
    pub signal: Signal,
    /// What is too much of it.
    pub bound: Bound,
    /// The window, for figures that have one.
    pub over: Duration,
    /// How long it must be out of bounds before anybody is told.
    pub hold: Duration,
    /// Fewer calls, replies or events than this within the window prove nothing.
    pub at_least: f64,
    /// How bad it is.
    pub severity: Severity,
    /// What is said; `{value}` stands for the figure.
    pub summary: String,
}

/// The figures at one time. What only counts up may begin anew at any time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// See [`Signal::PollAgeSeconds`].
    pub poll_age: Option<f64>,
    /// See [`Signal::BackupAgeSeconds`].
    pub backup_age: Option<f64>,
    /// See [`Signal::DiskFreeRatio`].
    pub disk_free: Option<f64>,
    /// Restarts of actors.
    pub restarts: u64,
    /// Updates set aside.
    pub quarantined: u64,
    /// Log lines lost.
    pub dropped_lines: u64,
    /// See [`Signal::ToolServersIll`].
    pub tool_servers_ill: u64,
    /// What the tally counted.
    pub watched: Watched,
}

/// One look: the figures, with what counts up made to go on where it began anew.
#[derive(Clone, Debug)]
struct Look {
    at: Timestamp,
    now: Reading,
}

/// One rule and how it stands.
#[derive(Debug)]
struct Watch {
    rule: Rule,
    out_since: Option<Timestamp>,
    is_firing: bool,
}

/// All rules.
#[derive(Debug)]
pub struct Rules {
    watches: Vec<Watch>,
    looks: VecDeque<Look>,
    last: Reading,
    hourly: Vec<Hourly>,
    /// What is usual.
    pub usual: Usual,
}

impl Rules {
    /// Rules that have seen nothing yet. `is_open` tells whether a kind was firing before.
    #[must_use]
    pub fn new(rules: Vec<Rule>, usual: Usual, is_open: impl Fn(&str) -> bool) -> Self {
        let mut compared: Vec<Signal> = rules
            .iter()
            .filter(|it| matches!(it.bound, Bound::TimesUsual(_)))
            .map(|it| it.signal)
            .collect();
        compared.sort_unstable();
        compared.dedup();
        let watch = |rule: Rule| {
            let is_firing = is_open(&rule.name);
            Watch { rule, out_since: None, is_firing }
        };
        Self {
            watches: rules.into_iter().map(watch).collect(),
            looks: VecDeque::new(),
            last: Reading::default(),
            hourly: compared.into_iter().map(Hourly::new).collect(),
            usual,
        }
    }

    /// Takes a look, and says what begins, what is over, and which hours were learned.
    pub fn look(&mut self, reading: Reading, now: Timestamp) -> (Vec<Input>, Vec<Hour>) {
        let mut total = match self.looks.back() {
            Some(look) => look.now.clone(),
            None => Reading::default(),
        };
        total.go_on(&self.last, &reading);
        self.last = reading;
        self.looks.push_back(Look { at: now, now: total });
        while LOOKS_MAX < self.looks.len() {
            self.looks.pop_front();
        }
        let hours = self.learn(now);
        let mut inputs = Vec::new();
        for at in 0..self.watches.len() {
            let Some(watch) = self.watches.get(at) else { break };
            let value = self.value(&watch.rule, now);
            let is_out = self.is_out(&watch.rule, value, now);
            if let Some(watch) = self.watches.get_mut(at) {
                inputs.extend(watch.take(is_out, value.map(|(it, _)| it), now));
            }
        }
        (inputs, hours)
    }

    fn learn(&mut self, now: Timestamp) -> Vec<Hour> {
        let Some(latest) = self.looks.back() else { return Vec::new() };
        let mut hours = Vec::new();
        for hourly in &mut self.hourly {
            let total = counted(&latest.now, hourly.signal());
            hours.extend(total.and_then(|it| hourly.look(it, now)));
        }
        hours.iter().for_each(|it| self.usual.take(it));
        hours
    }

    /// The figure of a rule, and how much there was within the window to make it of.
    fn value(&self, rule: &Rule, now: Timestamp) -> Option<(f64, f64)> {
        let newest = &self.looks.back()?.now;
        let alone = |value: Option<f64>| value.map(|it| (it, f64::INFINITY));
        let begin = Timestamp(now.0.saturating_sub(millis(rule.over)));
        // The last look before the window, or the first there is.
        let before = self.looks.iter().rev().find(|it| it.at <= begin);
        let oldest = &before.or(self.looks.front())?.now;
        let grown = |signal| Some(counted(newest, signal)? - counted(oldest, signal)?);
        match rule.signal {
            Signal::PollAgeSeconds => alone(newest.poll_age),
            Signal::BackupAgeSeconds => alone(newest.backup_age),
            Signal::DiskFreeRatio => alone(newest.disk_free),
            Signal::ToolServersIll => alone(Some(minus(newest.tool_servers_ill, 0))),
            Signal::LlmErrorRatio => {
                let calls = minus(newest.watched.calls, oldest.watched.calls);
                let failed = minus(newest.watched.failed_calls, oldest.watched.failed_calls);
                Some((failed / calls.max(1.0), calls))
            }
            Signal::ReplyP95Seconds => Some(p95(&newest.watched.replies, &oldest.watched.replies)),
            Signal::ActorRestarts
            | Signal::Quarantined
            | Signal::GuardBlocks
            | Signal::Updates
            | Signal::Tokens
            | Signal::LogLinesDropped
            | Signal::Cost => grown(rule.signal).map(|it| (it, it)),
        }
    }

    /// Whether a figure is out of bounds; `None` if nobody knows.
    fn is_out(&self, rule: &Rule, value: Option<(f64, f64)>, now: Timestamp) -> Option<bool> {
        let (value, made_of) = value?;
        let is_out = match rule.bound {
            Bound::Above(limit) => limit < value,
            Bound::Below(limit) => value < limit,
            Bound::TimesUsual(times) => {
                let usual = self.usual.median(rule.signal, now)?;
                let of_hour = rule.over.as_secs_f64() / 3_600.0;
                usual * of_hour * times < value
            }
        };
        if is_out && rule.at_least <= made_of {
            return Some(true);
        }
        // Shortly after a start a window is not full: what is not seen may still be so.
        let first = self.looks.front()?.at;
        let is_full = matches!(
            rule.signal,
            Signal::PollAgeSeconds
                | Signal::BackupAgeSeconds
                | Signal::DiskFreeRatio
                | Signal::ToolServersIll
        ) || millis(rule.over) <= now.0.saturating_sub(first.0);
        is_full.then_some(false)
    }
}

impl Watch {
    fn take(&mut self, is_out: Option<bool>, value: Option<f64>, now: Timestamp) -> Option<Input> {
        match is_out {
            None => None,
            Some(false) => {
                self.out_since = None;
                let was_firing = std::mem::replace(&mut self.is_firing, false);
                was_firing.then(|| Input::Over(self.rule.name.clone()))
            }
            Some(true) => {
                let since = *self.out_since.get_or_insert(now);
                if now.0.saturating_sub(since.0) < millis(self.rule.hold) {
                    return None;
                }
                self.is_firing = true;
                let value = shown(self.rule.signal, value.unwrap_or_default());
                Some(Input::Began(Alert {
                    kind: self.rule.name.clone(),
                    labels: BTreeMap::new(),
                    severity: self.rule.severity,
                    summary: self.rule.summary.replace("{value}", &value),
                    is_held: true,
                }))
            }
        }
    }
}

impl Reading {
    /// Adds what was counted since the last reading. What counts less than before began anew.
    fn go_on(&mut self, last: &Self, new: &Self) {
        let add = |total: &mut u64, last: u64, new: u64| {
            *total += new.checked_sub(last).unwrap_or(new);
        };
        (self.poll_age, self.backup_age) = (new.poll_age, new.backup_age);
        (self.disk_free, self.tool_servers_ill) = (new.disk_free, new.tool_servers_ill);
        add(&mut self.restarts, last.restarts, new.restarts);
        add(&mut self.quarantined, last.quarantined, new.quarantined);
        add(&mut self.dropped_lines, last.dropped_lines, new.dropped_lines);
        let (total, last, new) = (&mut self.watched, &last.watched, &new.watched);
        add(&mut total.calls, last.calls, new.calls);
        add(&mut total.failed_calls, last.failed_calls, new.failed_calls);
        add(&mut total.blocks, last.blocks, new.blocks);
        add(&mut total.updates, last.updates, new.updates);
        add(&mut total.tokens, last.tokens, new.tokens);
        add(&mut total.cost_micros, last.cost_micros, new.cost_micros);
        for ((total, last), new) in total.replies.iter_mut().zip(last.replies).zip(new.replies) {
            add(total, last, new);
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts of one process fit in 53 bits")]
fn minus(new: u64, old: u64) -> f64 {
    new.saturating_sub(old) as f64
}

/// What counts up; `None` for what does not.
fn counted(reading: &Reading, signal: Signal) -> Option<f64> {
    let count = match signal {
        Signal::ActorRestarts => reading.restarts,
        Signal::Quarantined => reading.quarantined,
        Signal::GuardBlocks => reading.watched.blocks,
        Signal::Updates => reading.watched.updates,
        Signal::Tokens => reading.watched.tokens,
        Signal::LogLinesDropped => reading.dropped_lines,
        Signal::Cost => return Some(minus(reading.watched.cost_micros, 0) / 1e6),
        Signal::PollAgeSeconds
        | Signal::LlmErrorRatio
        | Signal::ReplyP95Seconds
        | Signal::DiskFreeRatio
        | Signal::BackupAgeSeconds
        | Signal::ToolServersIll => return None,
    };
    Some(minus(count, 0))
}

/// Below which 95 of 100 lie, and how many there are. As Prometheus does it: in a bucket they lie evenly.
fn p95<const N: usize>(new: &[u64; N], old: &[u64; N]) -> (f64, f64) {
    let counts: Vec<f64> = new.iter().zip(old).map(|(new, old)| minus(*new, *old)).collect();
    let all: f64 = counts.iter().sum();
    let mut seen = 0.0;
    let mut low = 0.0;
    for (count, high) in counts.iter().zip(REPLY_BOUNDS) {
        if 0.0 < *count && 0.95 * all <= seen + count {
            return (low + (high - low) * (0.95 * all - seen) / count, all);
        }
        (seen, low) = (seen + count, high);
    }
    // Beyond the last bound: at least that.
    if all == 0.0 { (0.0, 0.0) } else { (low, all) }
}

/// A figure as people read it.
fn shown(signal: Signal, value: f64) -> String {
    match signal {
        Signal::LlmErrorRatio | Signal::DiskFreeRatio => format!("{:.0} %", value * 100.0),
        Signal::BackupAgeSeconds => format!("{:.0} h", value / 3_600.0),
        Signal::ReplyP95Seconds => format!("{value:.1} s"),
        Signal::PollAgeSeconds => format!("{value:.0} s"),
        Signal::Cost => format!("{value:.2}"),
        Signal::ActorRestarts
        | Signal::Quarantined
        | Signal::GuardBlocks
        | Signal::Updates
        | Signal::Tokens
        | Signal::LogLinesDropped
        | Signal::ToolServersIll => format!("{value:.0}"),
    }
}

/// A rule that holds from the first look on.
fn rule(
    name: &str,
    (signal, bound): (Signal, Bound),
    minutes: u64,
    at_least: f64,
    severity: Severity,
    summary: &str,
) -> Rule {
    let (name, summary) = (name.to_owned(), summary.to_owned());
    let over = Duration::from_secs(60 * minutes);
    Rule { name, signal, bound, over, hold: Duration::ZERO, at_least, severity, summary }
}

/// The rules that are shipped.
#[must_use]
pub fn shipped() -> Vec<Rule> {
    use Bound::{Above, Below};
    use Severity::{Critical, Warning};
    let mut rules = vec![
        rule(
            "no_poll",
            (Signal::PollAgeSeconds, Above(90.0)),
            0,
            0.0,
            Critical,
            "Telegram was not reached for {value}: new messages wait there.",
        ),
        rule(
            "llm_errors",
            (Signal::LlmErrorRatio, Above(0.10)),
            5,
            5.0,
            Warning,
            "{value} of the calls to models failed within 5 minutes.",
        ),
        rule(
            "slow_replies",
            (Signal::ReplyP95Seconds, Above(30.0)),
            10,
            5.0,
            Warning,
            "One in twenty replies of the last 10 minutes took longer than {value}.",
        ),
        rule(
            "restarts",
            (Signal::ActorRestarts, Above(3.0)),
            10,
            0.0,
            Warning,
            "Parts of the hall were restarted {value} times within 10 minutes.",
        ),
        rule(
            "quarantine",
            (Signal::Quarantined, Above(0.0)),
            60,
            0.0,
            Warning,
            "Messages were set aside within the hour: {value}.",
        ),
        rule(
            "disk_full",
            (Signal::DiskFreeRatio, Below(0.10)),
            0,
            0.0,
            Critical,
            "Only {value} of the disk is free.",
        ),
        rule(
            "backup_old",
            (Signal::BackupAgeSeconds, Above(26.0 * 3_600.0)),
            0,
            0.0,
            Warning,
            "The last good backup is {value} old.",
        ),
    ];
    rules.extend(of_what_is_usual());
    rules.push(of_tool_servers());
    rules
}

/// A server that is started has a minute to be there.
fn of_tool_servers() -> Rule {
    let rule = rule(
        "tool_servers",
        (Signal::ToolServersIll, Bound::Above(0.0)),
        0,
        0.0,
        Severity::Warning,
        "Tool servers that are away, end again and again or have changed: {value}. `/status` says which.",
    );
    Rule { hold: Duration::from_secs(60), ..rule }
}

/// Those that compare with what is usual at this hour.
fn of_what_is_usual() -> [Rule; 2] {
    use Bound::TimesUsual;
    use Severity::Warning;
    [
        rule(
            "guard_blocks_spike",
            (Signal::GuardBlocks, TimesUsual(5.0)),
            60,
            10.0,
            Warning,
            "The guard stopped {value} texts within the hour: more than 5 times the usual.",
        ),
        rule(
            "cost_spike",
            (Signal::Cost, TimesUsual(5.0)),
            60,
            1.0,
            Warning,
            "Answers of the last hour cost {value}: more than 5 times the usual.",
        ),
    ]
}
