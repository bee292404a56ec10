//! `/quota`: what an admin sets for a person, a group, an agent or the hall. `/usage`: who may see
//! what.

use protocol::{PersonId, inbound::Said};

use super::{MenuItem, Request, UsageOf, officers::ordered};
use crate::{
    roster::{Change, View},
    treasurer::caps::{Most, Period, Quota, Unit, Whose, micros_of},
    words::{self, Notice, Text, text},
};

/// Reads `/usage`: one's own, shown to nobody else; with `all`, an admin's, likewise.
pub(super) fn of_usage(arguments: &str, said: &Said, view: &View) -> Request {
    let Some(person) = said.person.as_ref() else {
        return Request::Say(words::only_in_private());
    };
    let everybody = Some(arguments).filter(|it| *it == "all").and_then(|_| view.grant(person.id));
    Request::Usage(everybody.map_or(UsageOf::Person(person.id), UsageOf::Everybody))
}

/// Reads `/quota`. `None`: they may not set it, after all.
pub(super) fn of_quota(
    item: &MenuItem,
    arguments: &str,
    (by, view): (PersonId, &View),
) -> Option<Request> {
    let read = match parsed(item, arguments, view) {
        Ok(quota) => quota,
        Err(notice) => return Some(Request::Say(notice)),
    };
    let done = words::quota_set(&read, &view.caps().budgets.currency);
    ordered::<_, String>(item, Ok((Change::QuotaSet { quota: read }, done)), (by, view))
}

/// What is to be set, or what is answered at once.
fn parsed(item: &MenuItem, arguments: &str, view: &View) -> Result<Quota, Notice> {
    let caps = view.caps();
    let mut given = arguments.split_whitespace();
    let whom = given.next().ok_or_else(|| words::quotas(caps))?;
    let usage = |why: Text| words::usage(item.name, item.usage, why);
    let whose = whose(whom, view).ok_or_else(|| usage(text!("quota-whom")))?;
    let amount = given.next().ok_or_else(|| words::quota(caps, &whose))?;
    let (mut unit, mut period) = (Unit::Tokens, Period::Month);
    for word in given {
        match word {
            "tokens" => unit = Unit::Tokens,
            "money" => unit = Unit::Micros,
            "day" => period = Period::Day,
            "month" => period = Period::Month,
            _ => {
                return Err(usage(text!("quota-words")));
            }
        }
    }
    let most = match (amount, unit) {
        ("none", _) => Some(Most::Unlimited),
        ("usual", _) => Some(Most::Usual),
        (number, Unit::Tokens) => number.parse().ok().map(Most::AtMost),
        (number, Unit::Micros) => micros_of(number).map(Most::AtMost),
    };
    let most = most.ok_or_else(|| usage(text!("quota-amount")))?;
    Ok(Quota { whose, period, unit, most })
}

fn whose(word: &str, view: &View) -> Option<Whose> {
    if word == "hall" {
        return Some(Whose::Hall);
    }
    match word.parse::<i64>() {
        Ok(0) => None,
        // A group's accounts stay under the id that it had first.
        Ok(chat) if chat < 0 => Some(Whose::Chat(view.home(protocol::ChatId(chat)).0)),
        Ok(person) => Some(Whose::Person(PersonId(person))),
        Err(_) => word.parse().ok().map(Whose::Agent),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{right::Role, roster::Founding};

    fn read(arguments: &str) -> Request {
        let item = MenuItem { name: "quota", usage: "…", does: "", needs: Some(Role::Admin) };
        let roles = [(PersonId(1), Role::Admin)].into();
        let founding = Founding { roles, ..Founding::default() };
        let view = View::founded(&founding, Arc::from([]));
        of_quota(&item, arguments, (PersonId(1), &view)).expect("they are an admin")
    }

    fn set(arguments: &str) -> Quota {
        let Request::Administer { order, .. } = read(arguments) else {
            panic!("{arguments} is no quota");
        };
        assert_eq!(order.by(), PersonId(1));
        let Change::QuotaSet { quota } = order.change() else { panic!("{arguments}") };
        quota.clone()
    }

    #[test]
    fn a_quota_is_tokens_a_month_unless_it_says_otherwise() {
        let (tokens, month) = (Unit::Tokens, Period::Month);
        let ada = Whose::Person(PersonId(5));
        let expected = Quota { whose: ada, period: month, unit: tokens, most: Most::AtMost(1_000) };
        assert_eq!(set("5 1000"), expected);
        let group = set("-100 2.50 money day");
        assert_eq!((group.whose, group.period), (Whose::Chat(-100), Period::Day));
        assert_eq!((group.unit, group.most), (Unit::Micros, Most::AtMost(2_500_000)));
        assert_eq!(set("hall none day").most, Most::Unlimited);
        assert_eq!(set("sage usual").whose, Whose::Agent("sage".parse().unwrap()));
    }

    #[test]
    fn what_cannot_be_read_is_answered_with_how_to_use_it() {
        for bad in ["0 5", "Ada 5", "5 much", "5 -1", "5 1.5", "5 1 week", "5 1,5 money"] {
            let Request::Say(notice) = read(bad) else { panic!("{bad}") };
            assert!(notice.part().plain.contains("Use it like this"), "{bad}: {notice:?}");
        }
        for shown in ["", "5", "hall"] {
            let Request::Say(notice) = read(shown) else { panic!("{shown}") };
            assert!(notice.part().plain.contains("as much as they like"), "{shown}");
        }
    }
}
