//! What somebody usually uses of models at this hour: learned hour by hour from the last week. Pure.
//!
//! Kept with the accounts and sealed like them: whoever is forgotten has no habits any more.

use indexmap::IndexMap;
use protocol::{PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{
    caps::{Budgets, Whose},
    rows::Row,
};

const HOUR_MS: u64 = 3_600_000;
/// Hours that are remembered: a week's.
const HOURS_MAX: Hour = 24 * 7;
/// Days and hours that must be known before anything is unusual.
const KNOWN_MIN: usize = 3;

/// An hour, counted from 1970.
type Hour = u32;

fn hour_of(now: Timestamp) -> Hour {
    Hour::try_from(now.0 / HOUR_MS).unwrap_or(Hour::MAX)
}

/// What one account used in the hours of the last week; hours without use are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habit {
    /// The first hour that was ever seen, counted from 1970.
    first: Hour,
    /// Hours and the tokens in them, oldest first. Most people have one or two.
    hours: SmallVec<[(Hour, u32); 2]>,
    /// The newest hour in which it was told that this is unusual.
    #[serde(default)]
    told: Hour,
}

/// Far more than usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusual {
    /// Tokens within this hour.
    pub used: u64,
    /// What is usual at this hour.
    pub usual: u64,
}

impl Habit {
    /// Takes in what was used, and says so the first time in an hour that it is far more than usual.
    fn take(&mut self, now: Timestamp, tokens: u64, budgets: &Budgets) -> Option<Unusual> {
        let hour = hour_of(now);
        if self.first == 0 {
            self.first = hour;
        }
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        self.hours.retain(|(it, _)| hour < it.saturating_add(HOURS_MAX) && *it <= hour);
        match self.hours.last_mut() {
            Some((last, used)) if *last == hour => *used = used.saturating_add(tokens),
            Some(_) | None => self.hours.push((hour, tokens)),
        }
        let unusual = self.at(hour, budgets)?;
        (self.told < hour).then(|| {
            self.told = hour;
            unusual
        })
    }

    fn used(&self, hour: Hour) -> u64 {
        let place = self.hours.binary_search_by_key(&hour, |(it, _)| *it);
        place.ok().and_then(|it| self.hours.get(it)).map_or(0, |(_, used)| u64::from(*used))
    }

    /// Whether what was used in an hour was far more than usual.
    fn at(&self, hour: Hour, budgets: &Budgets) -> Option<Unusual> {
        let used = self.used(hour);
        if budgets.unusual_times == 0 || used < budgets.unusual_tokens_min {
            return None;
        }
        let usual = self.usual(hour)?;
        let most = usual.saturating_mul(u64::from(budgets.unusual_times));
        (most < used).then_some(Unusual { used, usual })
    }

    /// What is usual in an hour: the median of the same hour of the days before, or of all hours that
    /// anything was used in, whichever is more. `None` while too little is known.
    fn usual(&self, hour: Hour) -> Option<u64> {
        let before = (1..=HOURS_MAX / 24).map_while(|day| hour.checked_sub(24 * day));
        let days: Vec<Hour> = before.filter(|it| self.first <= *it).collect();
        let same = days.iter().map(|it| self.used(*it));
        let earlier = self.hours.iter().take_while(|(it, _)| *it < hour);
        let all: Vec<u64> = earlier.map(|(_, used)| u64::from(*used)).collect();
        if days.len() < KNOWN_MIN || all.len() < KNOWN_MIN {
            return None;
        }
        Some(median(same.collect())?.max(median(all)?))
    }
}

fn median(mut counts: Vec<u64>) -> Option<u64> {
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied()
}

/// The habits of all accounts, in one list like them.
#[derive(Debug, Default)]
pub struct Habits(IndexMap<Whose, Habit>);

impl Habits {
    /// Takes in what a call cost; says whether this is far more than usual.
    pub fn take(
        &mut self,
        whose: &Whose,
        now: Timestamp,
        tokens: u64,
        budgets: &Budgets,
    ) -> Option<Unusual> {
        match whose {
            Whose::Person(_) | Whose::Agent(_) => {
                self.0.entry(whose.clone()).or_default().take(now, tokens, budgets)
            }
            // Of groups and the hall the alerter's own rules tell.
            Whose::Chat(_) | Whose::Hall => None,
        }
    }

    /// What a person used in this hour or the last, where it was far more than usual.
    #[must_use]
    pub fn unusual(&self, person: PersonId, now: Timestamp, budgets: &Budgets) -> Option<Unusual> {
        let habit = self.0.get(&Whose::Person(person))?;
        let hour = hour_of(now);
        habit.at(hour, budgets).or_else(|| habit.at(hour.saturating_sub(1), budgets))
    }

    /// What a person used in this hour, and what is usual; zeros where that is not known.
    #[must_use]
    pub fn of(&self, person: PersonId, now: Timestamp) -> (u64, u64) {
        let Some(habit) = self.0.get(&Whose::Person(person)) else { return (0, 0) };
        let hour = hour_of(now);
        (habit.used(hour), habit.usual(hour).unwrap_or_default())
    }

    pub(super) fn read(&mut self, row: &Row) {
        if let Some(habit) = &row.habit {
            self.0.insert(row.whose.clone(), habit.clone());
        }
    }

    /// Puts the habits into rows that are about to be written.
    pub(super) fn put_into(&self, rows: &mut [Row]) {
        for row in rows {
            row.habit = self.0.get(&row.whose).cloned();
        }
    }

    pub(super) fn forget(&mut self, person: PersonId) {
        self.0.swap_remove(&Whose::Person(person));
    }

    /// Lets go of those who used nothing for a week.
    pub(super) fn prune(&mut self, now: Timestamp) {
        let first = hour_of(now).saturating_sub(HOURS_MAX);
        self.0.retain(|_, it| it.hours.last().is_some_and(|(last, _)| first <= *last));
        self.0.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEN: Whose = Whose::Person(PersonId(2));

    fn budgets() -> Budgets {
        Budgets { unusual_times: 5, unusual_tokens_min: 1_000, ..Budgets::default() }
    }

    fn noon(day: u64) -> Timestamp {
        Timestamp((20_000 + day) * 24 * HOUR_MS + 12 * HOUR_MS + 5)
    }

    #[test]
    fn what_is_far_more_than_usual_is_said_once_an_hour_and_is_over_two_hours_later() {
        let mut habits = Habits::default();
        let mut take = |at, tokens| habits.take(&BEN, at, tokens, &budgets());
        assert_eq!(take(noon(0), 90_000), None, "nothing is known yet");
        for day in 1..=3 {
            assert_eq!(take(noon(day), 400), None, "day {day}");
        }
        assert_eq!(take(noon(4), 1_900), None, "within five times");
        let unusual = Unusual { used: 2_100, usual: 400 };
        assert_eq!(take(noon(4), 200), Some(unusual), "one wild day changes little");
        assert_eq!(take(noon(4), 200), None, "it was said");
        let later = |hours: u64| Timestamp(noon(4).0 + hours * HOUR_MS);
        let told = |habits: &Habits, at| habits.unusual(PersonId(2), at, &budgets()).is_some();
        assert!(told(&habits, later(0)) && told(&habits, later(1)) && !told(&habits, later(2)));
        assert_eq!(habits.of(PersonId(2), noon(4)), (2_300, 400));
        let off = Budgets { unusual_times: 0, ..budgets() };
        assert_eq!(habits.unusual(PersonId(2), noon(4), &off), None);
    }

    #[test]
    fn an_hour_in_which_they_never_write_is_not_unusual_for_what_they_use_at_others() {
        let mut habits = Habits::default();
        for day in 0..4 {
            assert_eq!(habits.take(&BEN, noon(day), 1_500, &budgets()), None);
        }
        let night = Timestamp(noon(4).0 + 12 * HOUR_MS);
        assert_eq!(habits.take(&BEN, night, 7_000, &budgets()), None);
        assert!(habits.take(&BEN, night, 7_000, &budgets()).is_some());
    }

    #[test]
    fn habits_are_kept_for_a_week_go_with_their_person_and_read_back() {
        let mut habits = Habits::default();
        for day in 0..9 {
            habits.take(&BEN, noon(day), 10, &budgets());
        }
        let habit = habits.0.get(&BEN).unwrap();
        assert_eq!(habit.hours.len(), 7);
        let text = serde_json::to_string(habit).unwrap();
        assert_eq!(&serde_json::from_str::<Habit>(&text).unwrap(), habit);
        habits.prune(noon(12));
        assert_eq!(habits.0.len(), 1);
        habits.prune(noon(17));
        assert_eq!(habits.0.len(), 0);
        assert_eq!(habits.0.capacity(), 0, "the room of those who left goes with them");
        habits.take(&BEN, noon(20), 10, &budgets());
        habits.forget(PersonId(2));
        assert_eq!(habits.of(PersonId(2), noon(20)), (0, 0));
        // A clock that went back leaves no hours behind that are still to come.
        habits.take(&BEN, noon(5), 10, &budgets());
        habits.take(&BEN, noon(3), 10, &budgets());
        assert_eq!(habits.0.get(&BEN).unwrap().hours.len(), 1);
    }
}
