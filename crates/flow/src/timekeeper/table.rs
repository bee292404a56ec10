//! What is to be done when: the pure core of the timekeeper.
//!
//! An order becomes changes, and only what was written as changes is in the table. What is due
//! becomes an entry of its conversation's inbox, under an id that its number and its time give: so a
//! run that is recorded twice is one run.
//!
//! Invariants: TIMEKEEPER-1 a time that has come is recorded once. TIMEKEEPER-2 what was missed is
//! told once, and nothing is made up for in a row. TIMEKEEPER-3 a person sees and changes only what
//! is theirs, and in a group only what is of that group.

use std::{collections::BTreeMap, time::Duration};

use jiff::tz::TimeZone;
use protocol::{
    AgentName, ChatId, PersonId, SessionKey, Timestamp, UpdateId,
    due::{self, Due, DueWhat},
    ledger::{Arrival, Owned, Route},
};
use serde::{Deserialize, Serialize};

use super::{
    cron::Again,
    when::{When, WhenError},
};
use crate::{
    right::{Governing, Granted},
    treasurer::time::{Calendar, moment},
};

/// Limits of what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimekeeperConfig {
    /// Reminders of one person; none at all where it is 0.
    pub reminders_max: usize,
    /// The longest reminder, in characters.
    pub reminder_chars_max: usize,
    /// Prompts for agents at set times.
    pub prompts_max: usize,
    /// The least time between two runs of what comes again.
    pub interval_min: Duration,
    /// What comes later than this says so, and an agent is not asked any more.
    pub late_max: Duration,
    /// The calendar of the hall's time zone.
    pub calendar: Calendar,
}

impl Default for TimekeeperConfig {
    fn default() -> Self {
        Self {
            reminders_max: 20,
            reminder_chars_max: 500,
            prompts_max: 50,
            interval_min: Duration::from_secs(60),
            late_max: Duration::from_secs(600),
            calendar: Calendar::default(),
        }
    }
}

/// What the timekeeper is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Remind a person.
    Remind {
        /// Whom.
        person: PersonId,
        /// When.
        when: When,
        /// Of what.
        text: String,
    },
    /// List a person's reminders.
    Reminders {
        /// Whose.
        person: PersonId,
    },
    /// Delete a reminder.
    Cancel {
        /// Whose.
        person: PersonId,
        /// Which.
        number: u32,
    },
    /// Say or set a person's time zone.
    Zone {
        /// Whose.
        person: PersonId,
        /// Its name; `None` to say it.
        zone: Option<String>,
    },
    /// Ask an agent at set times.
    Schedule {
        /// Which.
        agent: AgentName,
        /// When.
        when: When,
        /// Where; `None` for here.
        chat: Option<ChatId>,
        /// What.
        prompt: String,
        /// Who wants it.
        by: Granted<Governing>,
    },
    /// List what agents are asked.
    Schedules {
        /// Who wants to see it.
        by: Granted<Governing>,
    },
    /// Ask an agent no more.
    Unschedule {
        /// Which entry.
        number: u32,
        /// Who wants it.
        by: Granted<Governing>,
    },
}

/// What the timekeeper says to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It is in the table.
    Set(Line),
    /// What is in the table.
    Reminders(Vec<Line>, PersonId),
    /// Likewise, for officers.
    Schedules(Vec<Line>),
    /// It is gone.
    Cancelled,
    /// It was not there.
    Unknown,
    /// The time zone.
    Zone(String),
    /// There is no such zone.
    NoSuchZone,
    /// Not that time.
    NotThen(WhenError),
    /// It comes too often; this is the least time between two runs.
    TooOften(Duration),
    /// There are this many already.
    Full(usize),
    /// It has more characters than this.
    TooLong(usize),
}

/// An entry, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub number: u32,
    /// When it comes next, as its reader says it.
    pub next: String,
    /// It comes again.
    pub comes_again: bool,
    /// Who is asked, if it is for an agent.
    pub agent: Option<AgentName>,
    /// Where.
    pub chat: ChatId,
    /// What.
    pub text: String,
}

/// Something that is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, which no other gets.
    pub number: u32,
    /// Where.
    pub key: SessionKey,
    /// What.
    pub what: What,
    /// How it comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
    /// On which clock.
    pub zone: String,
    /// When it comes next.
    pub next: Timestamp,
    /// The update that asked for it: asked again after a crash, it is the same.
    pub asked_by: (SessionKey, UpdateId),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A person is reminded.
    Remind {
        /// Who.
        person: PersonId,
        /// Of what.
        text: String,
    },
    /// An agent is asked.
    Ask {
        /// Which.
        agent: AgentName,
        /// What.
        prompt: String,
    },
}

impl Entry {
    /// Whose it is: a reminder is its person's, and what is said in a private chat too.
    fn owner(&self) -> Option<PersonId> {
        match &self.what {
            What::Remind { person, .. } => Some(*person),
            What::Ask { .. } => self.key.is_private().then(|| self.key.owner(None)),
        }
    }
}

/// One change of the table, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// An entry.
    Set {
        /// Which.
        entry: Box<Entry>,
    },
    /// An entry is gone.
    Removed {
        /// Its number.
        number: u32,
    },
    /// A run is recorded.
    Ran {
        /// Of which entry.
        number: u32,
        /// When it was due.
        at: Timestamp,
        /// When it is due next; `None`: never again.
        next: Option<Timestamp>,
    },
    /// A person's time zone.
    Zone {
        /// Whose.
        person: PersonId,
        /// Its name.
        zone: String,
    },
    /// Numbers up to this one are given.
    Numbered {
        /// The last.
        last: u32,
    },
}

impl Change {
    fn owned(&self) -> Result<Owned, serde_json::Error> {
        let owner = match self {
            Self::Set { entry } => entry.owner(),
            Self::Zone { person, .. } => Some(*person),
            Self::Removed { .. } | Self::Ran { .. } | Self::Numbered { .. } => None,
        };
        let bytes = serde_json::to_vec(self)?;
        Ok(Owned { owners: owner.into_iter().collect(), bytes: bytes.into() })
    }
}

/// Changes as the ledger takes them.
///
/// # Errors
/// If one cannot be written as JSON.
pub fn pieces(changes: &[Change]) -> Result<Vec<Owned>, serde_json::Error> {
    changes.iter().map(Change::owned).collect()
}

/// A time that has come: what goes into the inbox, and the change that goes with it.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where.
    pub key: SessionKey,
    /// What is recorded there.
    pub arrival: Arrival,
    /// What is written once it is.
    pub change: Change,
}

/// What is to be done when.
#[derive(Clone, Debug)]
pub struct Table {
    config: TimekeeperConfig,
    entries: BTreeMap<u32, Entry>,
    zones: BTreeMap<PersonId, String>,
    last: u32,
}

impl Table {
    /// An empty one.
    #[must_use]
    pub fn new(config: TimekeeperConfig) -> Self {
        Self { config, entries: BTreeMap::new(), zones: BTreeMap::new(), last: 0 }
    }

    /// Takes in what was written.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Set { entry } => {
                self.last = self.last.max(entry.number);
                self.entries.insert(entry.number, *entry);
            }
            Change::Removed { number } => {
                self.entries.remove(&number);
            }
            Change::Ran { number, next, .. } => {
                self.last = self.last.max(number);
                match (next, self.entries.get_mut(&number)) {
                    (Some(next), Some(entry)) => entry.next = next,
                    (None, _) => {
                        self.entries.remove(&number);
                    }
                    // Its person was forgotten.
                    (Some(_), None) => (),
                }
            }
            Change::Zone { person, zone } => {
                self.zones.insert(person, zone);
            }
            Change::Numbered { last } => self.last = self.last.max(last),
        }
    }

    /// The changes that make this table of an empty one.
    #[must_use]
    pub fn whole(&self) -> Vec<Change> {
        let entries = self.entries.values().map(|it| Change::Set { entry: Box::new(it.clone()) });
        let zones = self.zones.iter();
        let zones =
            zones.map(|(person, zone)| Change::Zone { person: *person, zone: zone.clone() });
        entries.chain(zones).chain([Change::Numbered { last: self.last }]).collect()
    }

    /// Drops what is a person's: it is not written any more.
    pub fn forget(&mut self, person: PersonId) {
        self.entries.retain(|_, it| it.owner() != Some(person));
        self.zones.remove(&person);
    }

    /// When the next time comes.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.entries.values().map(|it| it.next).min()
    }

    /// What an order changes, and what is said to it once that is written.
    #[must_use]
    pub fn obey(
        &self,
        order: &Order,
        from: (SessionKey, UpdateId),
        now: Timestamp,
    ) -> (Vec<Change>, Said) {
        let done = match order {
            Order::Remind { person, when, text } => self.remind(*person, when, text, from, now),
            Order::Schedule { agent, when, chat, prompt, by: _ } => {
                self.schedule(agent, when, *chat, prompt, from, now)
            }
            Order::Reminders { person } => {
                let lines = self.lines(|it| is_shown(it, *person, from.0));
                Ok((Vec::new(), Said::Reminders(lines, *person)))
            }
            Order::Schedules { by: _ } => {
                let lines = self.lines(|it| matches!(it.what, What::Ask { .. }));
                Ok((Vec::new(), Said::Schedules(lines)))
            }
            Order::Cancel { person, number } => {
                Ok(self.remove(*number, |it| is_shown(it, *person, from.0)))
            }
            Order::Unschedule { number, by: _ } => {
                Ok(self.remove(*number, |it| matches!(it.what, What::Ask { .. })))
            }
            Order::Zone { person, zone } => self.zone(*person, zone.as_deref()),
        };
        done.unwrap_or_else(|why| (Vec::new(), why))
    }

    fn remind(
        &self,
        person: PersonId,
        when: &When,
        text: &str,
        from: (SessionKey, UpdateId),
        now: Timestamp,
    ) -> Result<(Vec<Change>, Said), Said> {
        let is_theirs = |it: &&Entry| matches!(&it.what, What::Remind { person: whose, .. } if *whose == person);
        let theirs = self.entries.values().filter(is_theirs).count();
        let limits = (theirs, self.config.reminders_max, self.config.reminder_chars_max);
        let what = What::Remind { person, text: text.to_owned() };
        self.set((from.0, what), when, self.zone_of(person), limits, from, now)
    }

    fn schedule(
        &self,
        agent: &AgentName,
        when: &When,
        chat: Option<ChatId>,
        prompt: &str,
        from: (SessionKey, UpdateId),
        now: Timestamp,
    ) -> Result<(Vec<Change>, Said), Said> {
        let asks = self.entries.values().filter(|it| matches!(it.what, What::Ask { .. })).count();
        let here = from.0;
        let key = match chat {
            Some(chat) if chat != here.chat => SessionKey { chat, topic: None, ..here },
            Some(_) | None => here,
        };
        let what = What::Ask { agent: agent.clone(), prompt: prompt.to_owned() };
        let zone = self.config.calendar.zone().to_owned();
        self.set((key, what), when, zone, (asks, self.config.prompts_max, usize::MAX), from, now)
    }

    fn set(
        &self,
        (key, what): (SessionKey, What),
        when: &When,
        zone: String,
        (there, most, chars_max): (usize, usize, usize),
        from: (SessionKey, UpdateId),
        now: Timestamp,
    ) -> Result<(Vec<Change>, Said), Said> {
        if let Some(known) = self.entries.values().find(|it| it.asked_by == from) {
            return Ok((Vec::new(), Said::Set(self.line(known))));
        }
        let text = match &what {
            What::Remind { text, .. } => text,
            What::Ask { prompt, .. } => prompt,
        };
        if chars_max < text.chars().count() {
            return Err(Said::TooLong(chars_max));
        }
        if most <= there {
            return Err(Said::Full(most));
        }
        let clock = zone_named(&zone).unwrap_or(TimeZone::UTC);
        let next = when.first(now, &clock).map_err(Said::NotThen)?;
        let again = when.again().cloned();
        if again.as_ref().is_some_and(|it| self.is_too_often(it, next, &clock)) {
            return Err(Said::TooOften(self.config.interval_min));
        }
        let number = self.last + 1;
        let entry = Entry { number, key, what, again, zone, next, asked_by: from };
        let said = Said::Set(self.line(&entry));
        let set = Change::Set { entry: Box::new(entry) };
        Ok((vec![set, Change::Numbered { last: number }], said))
    }

    /// Looks at some runs in a row: a rule may be dense only now and then.
    fn is_too_often(&self, again: &Again, first: Timestamp, zone: &TimeZone) -> bool {
        let mut at = first;
        for _ in 0..LOOKED_AT {
            let Some(next) = again.next(at, zone) else { return false };
            if Duration::from_millis(next.0.saturating_sub(at.0)) < self.config.interval_min {
                return true;
            }
            at = next;
        }
        false
    }

    fn remove(&self, number: u32, may: impl Fn(&Entry) -> bool) -> (Vec<Change>, Said) {
        match self.entries.get(&number).filter(|it| may(it)) {
            Some(_) => (vec![Change::Removed { number }], Said::Cancelled),
            None => (Vec::new(), Said::Unknown),
        }
    }

    fn zone(&self, person: PersonId, zone: Option<&str>) -> Result<(Vec<Change>, Said), Said> {
        let Some(zone) = zone else {
            return Ok((Vec::new(), Said::Zone(self.zone_of(person))));
        };
        let zone = zone_named(zone).ok_or(Said::NoSuchZone)?;
        let zone = zone.iana_name().unwrap_or("UTC").to_owned();
        Ok((vec![Change::Zone { person, zone: zone.clone() }], Said::Zone(zone)))
    }

    fn zone_of(&self, person: PersonId) -> String {
        let usual = || self.config.calendar.zone().to_owned();
        self.zones.get(&person).cloned().unwrap_or_else(usual)
    }

    fn lines(&self, is_shown: impl Fn(&Entry) -> bool) -> Vec<Line> {
        let mut shown: Vec<&Entry> = self.entries.values().filter(|it| is_shown(it)).collect();
        shown.sort_by_key(|it| it.next);
        shown.into_iter().map(|it| self.line(it)).collect()
    }

    fn line(&self, entry: &Entry) -> Line {
        let (agent, text) = match &entry.what {
            What::Remind { text, .. } => (None, text.clone()),
            What::Ask { agent, prompt } => (Some(agent.clone()), prompt.clone()),
        };
        Line {
            number: entry.number,
            next: said(entry.next, &entry.zone),
            comes_again: entry.again.is_some(),
            agent,
            chat: entry.key.chat,
            text,
        }
    }

    /// The runs whose time has come, the earliest first, at most so many.
    ///
    /// # Errors
    /// If one cannot be written as JSON.
    pub fn due(&self, now: Timestamp, most: usize) -> Result<Vec<Run>, serde_json::Error> {
        let mut due: Vec<&Entry> = self.entries.values().filter(|it| it.next <= now).collect();
        due.sort_by_key(|it| (it.next, it.number));
        due.into_iter().take(most).map(|it| self.run(it, now)).collect()
    }

    // TIMEKEEPER-1: the id is that of the number and the time.
    fn run(&self, entry: &Entry, now: Timestamp) -> Result<Run, serde_json::Error> {
        let Entry { number, key, next: at, .. } = entry;
        let zone = zone_named(&entry.zone).unwrap_or(TimeZone::UTC);
        // TIMEKEEPER-2.
        let (next, missed) = match &entry.again {
            Some(again) => again.skip(*at, now, &zone),
            None => (None, 0),
        };
        let late = at.plus(self.config.late_max) < now;
        let what = match &entry.what {
            What::Remind { person, text } => {
                DueWhat::Reminder { person: *person, text: text.clone() }
            }
            What::Ask { agent, .. } if late => DueWhat::Missed { agent: agent.clone() },
            What::Ask { agent, prompt } => {
                DueWhat::Prompt { agent: agent.clone(), prompt: prompt.clone() }
            }
        };
        let due = Due { at: *at, said: said(*at, &entry.zone), late, missed, what };
        let owner = key.owner(due.person());
        let route = Route::Session { key: *key, owner, raw: due.raw()?.into() };
        let arrival = Arrival { update: due::id(*number, *at), route, at: now };
        let change = Change::Ran { number: *number, at: *at, next };
        Ok(Run { key: *key, arrival, change })
    }
}

/// Runs in a row that are looked at to see how often something comes.
const LOOKED_AT: usize = 50;

/// TIMEKEEPER-3: in a group only what is of that group.
fn is_shown(entry: &Entry, person: PersonId, from: SessionKey) -> bool {
    let is_theirs = matches!(&entry.what, What::Remind { person: it, .. } if *it == person);
    is_theirs && (from.is_private() || entry.key == from)
}

fn zone_named(name: &str) -> Option<TimeZone> {
    if name == "UTC" { Some(TimeZone::UTC) } else { TimeZone::get(name).ok() }
}

/// A time as people of a zone say it.
fn said(at: Timestamp, zone: &str) -> String {
    let clock = zone_named(zone).unwrap_or(TimeZone::UTC);
    let at = moment(at).to_zoned(clock);
    format!("{} ({zone})", at.strftime("%a %-d %b %Y, %H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timekeeper::when;
    use protocol::BotId;

    const ADA: PersonId = PersonId(7);
    const NOW: Timestamp = Timestamp(1_795_694_400_000);
    const MINUTE: u64 = 60_000;

    fn private(person: PersonId) -> SessionKey {
        SessionKey { bot: BotId(9), chat: ChatId(person.0), topic: None }
    }

    fn group() -> SessionKey {
        SessionKey { chat: ChatId(-5), ..private(ADA) }
    }

    fn remind(person: PersonId, words: &str) -> Order {
        let (when, text) = when::read(words).unwrap();
        Order::Remind { person, when, text: text.to_owned() }
    }

    fn obey(table: &mut Table, order: &Order, key: SessionKey, update: i64) -> Said {
        let (changes, said) = table.obey(order, (key, UpdateId(update)), NOW);
        changes.into_iter().for_each(|it| table.apply(it));
        said
    }

    fn ran(table: &mut Table, now: Timestamp) -> Vec<(UpdateId, Due)> {
        let runs = table.due(now, 100).unwrap();
        let read = |run: Run| {
            let Route::Session { raw, .. } = &run.arrival.route else { panic!("not to a session") };
            table.apply(run.change);
            (run.arrival.update, Due::read(raw).unwrap())
        };
        runs.into_iter().map(read).collect()
    }

    fn at(minutes: u64) -> Timestamp {
        Timestamp(NOW.0 + minutes * MINUTE)
    }

    #[test]
    fn timekeeper_1_a_time_that_has_come_is_recorded_once_under_the_same_id() {
        let mut table = Table::new(TimekeeperConfig::default());
        obey(&mut table, &remind(ADA, "in 20 minutes tea"), private(ADA), 1);
        assert!(table.due(at(19), 9).unwrap().is_empty());
        let ids = |table: &Table| -> Vec<UpdateId> {
            table.due(at(20), 9).unwrap().into_iter().map(|it| it.arrival.update).collect()
        };
        assert_eq!(ids(&table), ids(&table), "until it is written that it ran");
        let [(_, due)] = &ran(&mut table, at(20))[..] else { panic!("not once") };
        assert!(!due.late && due.missed == 0, "{due:?}");
        assert_eq!(table.next(), None);
    }

    #[test]
    fn timekeeper_2_what_was_missed_is_told_once_and_goes_on_with_the_next() {
        let mut table = Table::new(TimekeeperConfig::default());
        obey(&mut table, &remind(ADA, "every day 13:00 walk"), private(ADA), 1);
        let away = at(3 * 24 * 60 + 120);
        let [(_, due)] = &ran(&mut table, away)[..] else { panic!("not once") };
        assert!(due.late && due.missed == 3, "{due:?}");
        assert_eq!(due.said, "Thu 26 Nov 2026, 13:00 (UTC)");
        assert!(ran(&mut table, away).is_empty());
        assert_eq!(table.next(), Some(at(4 * 24 * 60 + 60)));
    }

    #[test]
    fn timekeeper_3_a_person_sees_and_deletes_only_what_is_theirs() {
        let (mut table, ben) = (Table::new(TimekeeperConfig::default()), PersonId(8));
        obey(&mut table, &remind(ADA, "in 20 minutes tea"), private(ADA), 1);
        obey(&mut table, &remind(ADA, "in 30 minutes all leave"), group(), 2);
        obey(&mut table, &remind(ben, "in 40 minutes cake"), private(ben), 3);
        let mut list = |person, key| {
            let said = obey(&mut table, &Order::Reminders { person }, key, 4);
            let Said::Reminders(lines, _) = said else { panic!("{said:?}") };
            lines.into_iter().map(|it| it.text).collect::<Vec<_>>()
        };
        assert_eq!(list(ADA, private(ADA)), ["tea", "all leave"]);
        assert_eq!(list(ADA, group()), ["all leave"]);
        assert_eq!(list(ben, group()), [""; 0]);
        let mut cancel =
            |person, number, key| obey(&mut table, &Order::Cancel { person, number }, key, 5);
        assert_eq!(cancel(ben, 1, private(ben)), Said::Unknown);
        assert_eq!(cancel(ADA, 1, group()), Said::Unknown);
        assert_eq!(cancel(ADA, 1, private(ADA)), Said::Cancelled);
        assert_eq!(cancel(ADA, 1, private(ADA)), Said::Unknown);
    }

    #[test]
    fn an_order_that_comes_again_after_a_crash_is_the_same_order() {
        let mut table = Table::new(TimekeeperConfig::default());
        let first = obey(&mut table, &remind(ADA, "in 20 minutes tea"), private(ADA), 1);
        let again = obey(&mut table, &remind(ADA, "in 20 minutes tea"), private(ADA), 1);
        assert_eq!(first, again);
        assert_eq!(table.entries.len(), 1);
    }

    #[test]
    fn limits_are_kept_and_said() {
        let config =
            TimekeeperConfig { reminders_max: 2, reminder_chars_max: 5, ..Default::default() };
        let mut table = Table::new(config);
        let mut said =
            |words: &str, update| obey(&mut table, &remind(ADA, words), private(ADA), update);
        assert_eq!(said("in 20 minutes teapot", 1), Said::TooLong(5));
        assert_eq!(said("every 30 seconds tea", 2), Said::TooOften(Duration::from_secs(60)));
        assert_eq!(said("today 1:00 tea", 3), Said::NotThen(WhenError::Past));
        for update in 4..6 {
            assert!(matches!(said("in 20 minutes tea", update), Said::Set(_)));
        }
        assert_eq!(said("in 20 minutes tea", 6), Said::Full(2));
    }

    #[test]
    fn times_are_those_of_a_person_s_own_zone() {
        let mut table = Table::new(TimekeeperConfig::default());
        let zone = |zone: &str| Order::Zone { person: ADA, zone: Some(zone.to_owned()) };
        assert_eq!(obey(&mut table, &zone("Middle/Earth"), private(ADA), 1), Said::NoSuchZone);
        let berlin = Said::Zone("Europe/Berlin".to_owned());
        assert_eq!(obey(&mut table, &zone("Europe/Berlin"), private(ADA), 2), berlin);
        obey(&mut table, &remind(ADA, "tomorrow 9:00 tea"), private(ADA), 3);
        // 9:00 in Berlin is 8:00 by UTC.
        assert_eq!(table.next(), Some(at(20 * 60)));
    }

    #[test]
    fn a_table_is_made_again_of_what_is_stored_without_those_who_were_forgotten() {
        let (mut table, ben) = (Table::new(TimekeeperConfig::default()), PersonId(8));
        obey(&mut table, &remind(ADA, "in 20 minutes tea"), private(ADA), 1);
        obey(&mut table, &remind(ben, "every day 9:00 cake"), group(), 2);
        obey(
            &mut table,
            &Order::Zone { person: ADA, zone: Some("UTC".to_owned()) },
            private(ADA),
            3,
        );
        let stored = pieces(&table.whole()).unwrap();
        let owners: Vec<_> = stored.iter().map(|it| it.owners.clone()).collect();
        assert_eq!(owners, [vec![ADA], vec![ben], vec![ADA], vec![]]);
        let mut made = Table::new(TimekeeperConfig::default());
        for piece in stored.iter().filter(|it| !it.owners.contains(&ben)) {
            made.apply(serde_json::from_slice(&piece.bytes).unwrap());
        }
        table.forget(ben);
        assert_eq!(made.whole(), table.whole());
        obey(&mut made, &remind(ADA, "in 20 minutes more"), private(ADA), 4);
        assert!(made.entries.contains_key(&3), "a number is never given twice");
    }
}
