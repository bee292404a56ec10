//! How much may be used of models: what the configuration says, and what admins set for one person,
//! group, agent or for the hall.
//!
//! All amounts are whole: tokens, and millionths of the operator's currency.

use std::collections::BTreeMap;

use protocol::{AgentName, PersonId};
use serde::{Deserialize, Serialize};

/// Whose account it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// A person's, wherever they ask.
    Person(PersonId),
    /// A group's. A private chat is its person.
    Chat(i64),
    /// An agent's.
    Agent(AgentName),
    /// Everybody's together.
    Hall,
}

/// For how long an amount is meant: a day or a month of the hall's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first to the last.
    Month,
}

impl Period {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// In what an amount is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Tokens of questions and answers together.
    Tokens,
    /// Millionths of the currency.
    Micros,
}

/// Tokens and money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Tokens of questions and answers together.
    pub tokens: u64,
    /// Millionths of the currency.
    pub micros: u64,
}

impl Amount {
    pub(super) fn plus(self, other: Self) -> Self {
        self.both(other, u64::saturating_add)
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.both(other, u64::saturating_sub)
    }

    pub(super) fn most(self, other: Self) -> Self {
        self.both(other, u64::max)
    }

    fn both(self, other: Self, join: impl Fn(u64, u64) -> u64) -> Self {
        Self { tokens: join(self.tokens, other.tokens), micros: join(self.micros, other.micros) }
    }
}

/// The most that may be used in one period; `None`: as much as one likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cap {
    /// In tokens.
    pub tokens: Option<u64>,
    /// In millionths of the currency.
    pub micros: Option<u64>,
}

impl Cap {
    /// True if there is one.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.tokens.is_some() || self.micros.is_some()
    }

    /// True if so much is all there is.
    pub(super) fn is_reached(&self, used: Amount) -> bool {
        self.shares(used).any(|(used, cap)| cap <= used)
    }

    /// True if it is so many hundredths of what there is, or more.
    pub(super) fn is_at(&self, used: Amount, percent: u32) -> bool {
        let parts = |it: u64| u128::from(it) * 100;
        self.shares(used).any(|(used, cap)| u128::from(cap) * u128::from(percent) <= parts(used))
    }

    /// True if an amount is within another in whatever there is a cap for.
    pub(super) fn holds(&self, amount: Amount, within: Amount) -> bool {
        (self.tokens.is_none() || amount.tokens <= within.tokens)
            && (self.micros.is_none() || amount.micros <= within.micros)
    }

    /// What may be written ahead for so much that is used and asked for: a part of the cap more, but
    /// not beyond it.
    pub(super) fn ahead(&self, needed: Amount) -> Amount {
        let one = |needed: u64, cap: Option<u64>| match cap {
            None => needed,
            Some(cap) => needed.saturating_add(cap / BLOCKS).min(cap.max(needed)),
        };
        Amount { tokens: one(needed.tokens, self.tokens), micros: one(needed.micros, self.micros) }
    }

    fn shares(&self, used: Amount) -> impl Iterator<Item = (u64, u64)> {
        let tokens = self.tokens.map(|cap| (used.tokens, cap));
        tokens.into_iter().chain(self.micros.map(|cap| (used.micros, cap)))
    }
}

/// Into so many parts a cap is divided for writing ahead: a crash costs at most one of them.
pub(super) const BLOCKS: u64 = 32;

/// The most of a day and of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Of a day.
    pub day: Cap,
    /// Of a month.
    pub month: Cap,
}

impl Allowance {
    /// Of a period.
    #[must_use]
    pub fn of(&self, period: Period) -> Cap {
        match period {
            Period::Day => self.day,
            Period::Month => self.month,
        }
    }

    /// True if there is any cap.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.day.is_set() || self.month.is_set()
    }

    fn set(&mut self, period: Period, unit: Unit, most: Option<u64>) {
        let cap = match period {
            Period::Day => &mut self.day,
            Period::Month => &mut self.month,
        };
        match unit {
            Unit::Tokens => cap.tokens = most,
            Unit::Micros => cap.micros = most,
        }
    }
}

/// What the configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// Of each person.
    pub person: Allowance,
    /// Of each group.
    pub chat: Allowance,
    /// Of each agent.
    pub agent: Allowance,
    /// Of the hall.
    pub hall: Allowance,
    /// At how many hundredths of a cap somebody is told; 0 for never.
    pub warn_percent: u32,
    /// At how many hundredths of a cap a cheaper model is asked.
    pub step_down_percent: u32,
    /// Which; `None` for none.
    pub step_down_to: Option<String>,
    /// What the currency is called.
    pub currency: String,
    /// So many times what is usual for somebody at an hour is unusual; 0: nothing is.
    pub unusual_times: u32,
    /// Less than so many tokens in an hour never are.
    pub unusual_tokens_min: u64,
}

/// What an admin set for one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// For whom.
    pub whose: Whose,
    /// For how long.
    pub period: Period,
    /// In what.
    pub unit: Unit,
    /// How much.
    pub most: Most,
}

/// How much an admin gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Most {
    /// What the configuration says.
    Usual,
    /// As much as one likes.
    Unlimited,
    /// So much.
    AtMost(u64),
}

/// The caps in force: the configuration's, and what admins set laid over it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// What the configuration says.
    pub budgets: Budgets,
    set: BTreeMap<Whose, BTreeMap<(Period, Unit), Option<u64>>>,
    /// Tokens a day that playbooks leave to people: never more than they have otherwise.
    tightened: BTreeMap<PersonId, u64>,
}

/// The most accounts that admins may set something for.
pub const QUOTAS_MAX: usize = 10_000;

impl Caps {
    /// The configuration's alone.
    #[must_use]
    pub fn new(budgets: Budgets) -> Self {
        Self { budgets, ..Self::default() }
    }

    /// True if anything is capped.
    #[must_use]
    pub fn any(&self) -> bool {
        let it = &self.budgets;
        [&it.person, &it.chat, &it.agent, &it.hall].iter().any(|it| it.is_set())
            || self.set.values().flat_map(BTreeMap::values).any(Option::is_some)
            || !self.tightened.is_empty()
    }

    /// What somebody may use.
    #[must_use]
    pub fn of(&self, whose: &Whose) -> Allowance {
        let mut allowance = match whose {
            Whose::Person(_) => self.budgets.person,
            Whose::Chat(_) => self.budgets.chat,
            Whose::Agent(_) => self.budgets.agent,
            Whose::Hall => self.budgets.hall,
        };
        for ((period, unit), most) in self.set.get(whose).into_iter().flatten() {
            allowance.set(*period, *unit, *most);
        }
        if let Whose::Person(person) = whose
            && let Some(most) = self.tightened.get(person)
        {
            let tokens = &mut allowance.day.tokens;
            *tokens = Some(tokens.map_or(*most, |it| it.min(*most)));
        }
        allowance
    }

    /// What playbooks leave to people from now on.
    pub(crate) fn tighten(&mut self, tightened: impl Iterator<Item = (PersonId, u64)>) {
        self.tightened = tightened.collect();
    }

    /// Those for whom an admin set something.
    pub fn quotas(&self) -> impl Iterator<Item = &Whose> {
        self.set.keys()
    }

    /// True if there is no room for another account.
    #[must_use]
    pub fn is_full_for(&self, quota: &Quota) -> bool {
        QUOTAS_MAX <= self.set.len() && !self.set.contains_key(&quota.whose)
    }

    /// Lays one over what is there.
    pub fn apply(&mut self, quota: Quota) {
        let Quota { whose, period, unit, most } = quota;
        let of_it = self.set.entry(whose.clone()).or_default();
        match most {
            Most::Usual => {
                of_it.remove(&(period, unit));
            }
            Most::Unlimited => {
                of_it.insert((period, unit), None);
            }
            Most::AtMost(most) => {
                of_it.insert((period, unit), Some(most));
            }
        }
        if of_it.is_empty() {
            self.set.remove(&whose);
        }
    }
}

/// Reads an amount of money as people write it, such as `2.50`, in millionths.
#[must_use]
pub fn micros_of(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    if whole.is_empty() || part.is_empty() || !digits(whole) || !digits(part) || 6 < part.len() {
        return None;
    }
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(part)
}

/// Money as people read it.
#[must_use]
pub fn money(micros: u64, currency: &str) -> String {
    let (whole, part) = (micros / 1_000_000, micros % 1_000_000);
    // Two digits, and more where there is less than a hundredth.
    let part = format!("{part:06}");
    let digits = if part.ends_with("0000") || 0 < whole { 2 } else { 4 };
    let part = part.get(..digits).unwrap_or_default();
    format!("{whole}.{part} {currency}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_admin_sets_lies_over_the_configuration_and_can_be_taken_back() {
        let person =
            Allowance { day: Cap { tokens: Some(100), micros: None }, month: Cap::default() };
        let mut caps = Caps::new(Budgets { person, ..Budgets::default() });
        let ada = Whose::Person(PersonId(7));
        let set =
            |most| Quota { whose: ada.clone(), period: Period::Day, unit: Unit::Tokens, most };
        assert_eq!(caps.of(&ada).day.tokens, Some(100));
        caps.apply(set(Most::AtMost(5)));
        assert_eq!(caps.of(&ada).day.tokens, Some(5));
        assert_eq!(caps.of(&Whose::Person(PersonId(8))).day.tokens, Some(100));
        caps.apply(set(Most::Unlimited));
        assert_eq!(caps.of(&ada).day.tokens, None);
        caps.apply(set(Most::Usual));
        assert_eq!((caps.of(&ada).day.tokens, caps.quotas().count()), (Some(100), 0));
        assert!(caps.any() && !Caps::default().any());
    }

    #[test]
    fn money_is_read_and_written_without_fractions_of_our_own() {
        for (text, micros) in [("2.50", 2_500_000), ("0.000001", 1), ("7", 7_000_000), ("0", 0)] {
            assert_eq!(micros_of(text), Some(micros), "{text}");
        }
        for bad in ["", ".5", "1.", "-1", "1,5", "1.0000001", "18446744073709551615"] {
            assert_eq!(micros_of(bad), None, "{bad}");
        }
        assert_eq!(money(2_500_000, "EUR"), "2.50 EUR");
        assert_eq!(money(1_500, "EUR"), "0.0015 EUR");
        assert_eq!(money(0, ""), "0.00");
    }

    #[test]
    fn a_cap_is_reached_in_whichever_unit_comes_first() {
        let cap = Cap { tokens: Some(100), micros: Some(50) };
        let used = |tokens, micros| Amount { tokens, micros };
        assert!(!cap.is_reached(used(99, 49)));
        assert!(cap.is_reached(used(100, 0)) && cap.is_reached(used(0, 50)));
        assert!(cap.is_at(used(80, 0), 80) && !cap.is_at(used(79, 39), 80));
        assert_eq!(cap.ahead(used(98, 10)), used(100, 11), "not beyond the cap");
        assert_eq!(cap.ahead(used(120, 10)).tokens, 120, "nor less than what is needed");
        assert_eq!(Cap::default().ahead(used(7, 7)), used(7, 7));
    }
}
