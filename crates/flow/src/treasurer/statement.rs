//! What was used and what is left, as `/usage` and `guildhall usage` tell it.

use protocol::{AgentName, PersonId};
use serde::Serialize;

use super::{
    books::{Books, Sums},
    caps::{Caps, Period, Whose},
    desk::Desk,
    time::Day,
};
use crate::words::{self, Text};

/// One period of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PeriodStatement {
    /// What answers cost.
    #[serde(flatten)]
    pub sums: Sums,
    /// Tokens that were used without an answer, or may have been.
    pub lost_tokens: u64,
    /// Money, likewise, in millionths.
    pub lost_micros: u64,
    /// The most tokens; `None` for no cap.
    pub tokens_max: Option<u64>,
    /// The most money, likewise, in millionths.
    pub micros_max: Option<u64>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountStatement {
    /// What it is called: people and groups by keyed hashes.
    pub name: String,
    /// Today.
    pub day: PeriodStatement,
    /// This month.
    pub month: PeriodStatement,
}

/// What was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What the currency is called.
    pub currency: String,
    /// The number of the day, such as 20261126.
    pub day: u32,
    /// When the day and the month are over, in words.
    pub day_ends: String,
    /// See above.
    pub month_ends: String,
    /// The same, for any language.
    #[serde(skip)]
    pub day_end: Text,
    /// See above.
    #[serde(skip)]
    pub month_end: Text,
    /// The accounts; the one that was asked for first.
    pub accounts: Vec<AccountStatement>,
    /// Of a person: with whom they used it this month.
    pub by_agent: Vec<(AgentName, Sums)>,
}

/// How many people and groups the hall's statement names.
const TOP: usize = 10;

impl Desk {
    /// What a person used.
    #[must_use]
    pub fn statement_of(&self, person: PersonId) -> Statement {
        self.look(|books, day, caps, now| {
            let whose = Whose::Person(person);
            let account = account(books, caps, day, &whose, "you".to_owned());
            let by_agent = books.by_agent(person, day).into_iter().collect();
            self.statement(caps, day, now, vec![account], by_agent)
        })
    }

    /// What the hall used, its agents, and those who used most. `name` says what a person or group
    /// is called; whoever reads it is not to learn who somebody is.
    #[must_use]
    pub fn statement_of_hall(&self, name: impl Fn(PersonId) -> String) -> Statement {
        self.look(|books, day, caps, now| {
            let (mut agents, mut others) = (Vec::new(), Vec::new());
            for whose in books.everybody() {
                let (list, name) = match whose {
                    Whose::Hall => continue,
                    Whose::Agent(agent) => (&mut agents, format!("agent {agent}")),
                    Whose::Person(person) => (&mut others, format!("person {}", name(*person))),
                    Whose::Chat(chat) => (&mut others, format!("group {}", name(PersonId(*chat)))),
                };
                list.push(account(books, caps, day, whose, name));
            }
            let used = |it: &AccountStatement| it.month.sums.amount().tokens + it.month.lost_tokens;
            for list in [&mut agents, &mut others] {
                list.sort_by_key(|it| (std::cmp::Reverse(used(it)), it.name.clone()));
            }
            others.truncate(TOP);
            let hall = account(books, caps, day, &Whose::Hall, "hall".to_owned());
            let accounts = [vec![hall], agents, others].concat();
            self.statement(caps, day, now, accounts, Vec::new())
        })
    }

    fn statement(
        &self,
        caps: &Caps,
        day: Day,
        now: protocol::Timestamp,
        accounts: Vec<AccountStatement>,
        by_agent: Vec<(AgentName, Sums)>,
    ) -> Statement {
        let calendar = self.calendar();
        let ends = |period| calendar.words(calendar.end(now, period), period);
        let end = |period| words::moment(calendar, calendar.end(now, period), period);
        Statement {
            currency: caps.budgets.currency.clone(),
            day: day.day,
            day_ends: ends(Period::Day),
            month_ends: ends(Period::Month),
            day_end: end(Period::Day),
            month_end: end(Period::Month),
            accounts,
            by_agent,
        }
    }
}

fn account(books: &Books, caps: &Caps, day: Day, whose: &Whose, name: String) -> AccountStatement {
    let allowance = caps.of(whose);
    let period = |period: Period| {
        let (sums, lost) = books.sums(whose, period, day);
        let cap = allowance.of(period);
        PeriodStatement {
            sums,
            lost_tokens: lost.tokens,
            lost_micros: lost.micros,
            tokens_max: cap.tokens,
            micros_max: cap.micros,
        }
    };
    AccountStatement { name, day: period(Period::Day), month: period(Period::Month) }
}
