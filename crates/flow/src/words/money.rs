//! What people and admins are told of what was used of models and what is left.

use protocol::Timestamp;

use crate::treasurer::{
    OverCap, PeriodStatement, Statement, Warning,
    books::{Kind, Sums},
    caps::{Allowance, Caps, Most, Period, Quota, Unit, Whose, money},
    time::Calendar,
};

use super::{LIST_CHARS_MAX, Notice, Text, language::Argument, say, text};

/// A cap is reached: nothing was asked of a model.
pub(crate) fn over_cap(cap: OverCap, calendar: &Calendar) -> Notice {
    let resumes = resumes(cap, calendar);
    say(match (cap.kind, cap.period) {
        (Kind::Person, Period::Day) => text!("over-cap-person-day", resumes = resumes),
        (Kind::Person, Period::Month) => text!("over-cap-person-month", resumes = resumes),
        (Kind::Chat, Period::Day) => text!("over-cap-chat-day", resumes = resumes),
        (Kind::Chat, Period::Month) => text!("over-cap-chat-month", resumes = resumes),
        (Kind::Agent, Period::Day) => text!("over-cap-agent-day", resumes = resumes),
        (Kind::Agent, Period::Month) => text!("over-cap-agent-month", resumes = resumes),
        (Kind::Hall, Period::Day) => text!("over-cap-hall-day", resumes = resumes),
        (Kind::Hall, Period::Month) => text!("over-cap-hall-month", resumes = resumes),
    })
}

/// Told beside an answer, once in a period: little is left, or nothing.
pub(crate) fn cap_neared(warning: Warning, calendar: &Calendar) -> Notice {
    let Warning { cap, percent } = warning;
    let resumes = resumes(cap, calendar);
    let Some(percent) = percent else { return cap_reached(cap, resumes) };
    let percent = u64::from(percent);
    say(match (cap.kind, cap.period) {
        (Kind::Person, Period::Day) => {
            text!("cap-near-person-day", percent = percent, resumes = resumes)
        }
        (Kind::Person, Period::Month) => {
            text!("cap-near-person-month", percent = percent, resumes = resumes)
        }
        (Kind::Chat, Period::Day) => {
            text!("cap-near-chat-day", percent = percent, resumes = resumes)
        }
        (Kind::Chat, Period::Month) => {
            text!("cap-near-chat-month", percent = percent, resumes = resumes)
        }
        (Kind::Agent | Kind::Hall, Period::Day) => {
            text!("cap-near-us-day", percent = percent, resumes = resumes)
        }
        (Kind::Agent | Kind::Hall, Period::Month) => {
            text!("cap-near-us-month", percent = percent, resumes = resumes)
        }
    })
}

fn cap_reached(cap: OverCap, resumes: Text) -> Notice {
    say(match (cap.kind, cap.period) {
        (Kind::Person, Period::Day) => text!("cap-reached-person-day", resumes = resumes),
        (Kind::Person, Period::Month) => text!("cap-reached-person-month", resumes = resumes),
        (Kind::Chat, Period::Day) => text!("cap-reached-chat-day", resumes = resumes),
        (Kind::Chat, Period::Month) => text!("cap-reached-chat-month", resumes = resumes),
        (Kind::Agent | Kind::Hall, Period::Day) => {
            text!("cap-reached-us-day", resumes = resumes)
        }
        (Kind::Agent | Kind::Hall, Period::Month) => {
            text!("cap-reached-us-month", resumes = resumes)
        }
    })
}

fn resumes(cap: OverCap, calendar: &Calendar) -> Text {
    let moment = moment(calendar, cap.resumes, cap.period);
    match cap.period {
        Period::Day => text!("at-time", time = moment),
        Period::Month => text!("on-date", date = moment),
    }
}

/// A time of day, or a day and a time.
pub(crate) fn moment(calendar: &Calendar, at: Timestamp, period: Period) -> Text {
    let (day, month, time) = calendar.moment(at);
    let zone = calendar.zone();
    match period {
        Period::Day => text!("time", time = time, zone = zone),
        Period::Month => text!("date", day = day, month = month, time = time, zone = zone),
    }
}

/// `/usage`, of a person or of the hall.
#[must_use]
pub fn usage(statement: &Statement) -> Text {
    let currency = &statement.currency;
    let (mut lines, mut length) = (vec![text!("usage-head")], 0);
    for account in &statement.accounts {
        if LIST_CHARS_MAX < length {
            lines.extend([Text::default(), text!("usage-more")]);
            break;
        }
        let (day, month) = (period(&account.day, currency), period(&account.month, currency));
        let name = match account.name.as_str() {
            "you" => text!("usage-you"),
            name => name.into(),
        };
        let lines_of = [
            Text::default(),
            name,
            indented(text!("usage-today", used = day)),
            indented(text!("usage-month", used = month)),
        ];
        length += lines_of.iter().map(|it| it.len() + 1).sum::<usize>();
        lines.extend(lines_of);
    }
    if !statement.by_agent.is_empty() {
        lines.extend([Text::default(), text!("usage-by-agent")]);
    }
    for (agent, sums) in &statement.by_agent {
        let used = used(sums, currency);
        lines.push(Text::concat(vec![format!("  {agent}: ").into(), Text::Joined(used, ", ")]));
    }
    let Statement { day_end, month_end, .. } = statement;
    lines.extend([Text::default(), text!("usage-ends", day = day_end, month = month_end)]);
    Text::lines(lines)
}

fn indented(text: Text) -> Text {
    Text::concat(vec!["  ".into(), text])
}

fn used(sums: &Sums, currency: &str) -> Vec<Text> {
    let tokens = sums.amount().tokens;
    let mut parts =
        vec![text!("used-answers", count = sums.calls), text!("used-tokens", count = tokens)];
    if 0 < sums.heard_seconds {
        parts.push(text!("used-heard", count = sums.heard_seconds.div_ceil(60)));
    }
    if 0 < sums.spoken_chars {
        parts.push(text!("used-spoken", count = sums.spoken_chars));
    }
    if 0 < sums.micros {
        parts.push(cost(sums.micros, currency));
    }
    parts
}

/// Money, with the point or comma of the language.
fn cost(micros: u64, currency: &str) -> Text {
    let amount = Argument::Decimal(money(micros, ""));
    match currency {
        "" => text!("number", number = amount),
        _ => text!("money", amount = amount, currency = currency),
    }
}

fn period(it: &PeriodStatement, currency: &str) -> Text {
    let mut parts = used(&it.sums, currency);
    if 0 < it.lost_tokens {
        parts.push(text!("used-lost", count = it.lost_tokens));
    }
    let mut text = vec![Text::Joined(parts, ", ")];
    let amount = it.sums.amount();
    if let Some(most) = it.tokens_max {
        let left = most.saturating_sub(amount.tokens.saturating_add(it.lost_tokens));
        text.push(text!("used-tokens-left", left = left, most = most));
    }
    if let Some(most) = it.micros_max {
        let left = most.saturating_sub(amount.micros.saturating_add(it.lost_micros));
        let (left, most) = (cost(left, currency), cost(most, currency));
        text.push(text!("used-money-left", left = left, most = most));
    }
    Text::Joined(text, "; ")
}

/// The line of `/status` about the hall's budget.
pub(crate) fn used_today(statement: &Statement) -> Text {
    let hall = statement.accounts.first().map(|it| it.day.clone()).unwrap_or_default();
    text!("used-today", used = period(&hall, &statement.currency))
}

/// `/quota`: what everybody may use, and those for whom an admin set something else.
pub(crate) fn quotas(caps: &Caps) -> Notice {
    let it = &caps.budgets;
    let mut lines = vec![text!("quotas-head"), Text::default()];
    let usual = [
        (text!("quota-each-person"), it.person),
        (text!("quota-each-group"), it.chat),
        (text!("quota-each-agent"), it.agent),
        (text!("quota-hall"), it.hall),
    ];
    let line = |who: Text, allowance: Allowance| {
        Text::Joined(vec![who, allowed(allowance, &it.currency)], ": ")
    };
    lines.extend(usual.map(|(who, allowance)| line(who, allowance)));
    let mut length: usize = lines.iter().map(Text::len).sum();
    for whose in caps.quotas() {
        if LIST_CHARS_MAX < length {
            lines.push("…".into());
            break;
        }
        let set = text!("quota-set-here", quota = line(name(whose), caps.of(whose)));
        length += set.len() + 1;
        lines.push(set);
    }
    say(Text::lines(lines))
}

/// `/quota` of one.
pub(crate) fn quota(caps: &Caps, whose: &Whose) -> Notice {
    let allowed = allowed(caps.of(whose), &caps.budgets.currency);
    say(text!("quota-of", who = name(whose), allowed = allowed))
}

fn name(whose: &Whose) -> Text {
    match whose {
        Whose::Person(person) => text!("quota-person", id = person.to_string()),
        Whose::Chat(chat) => text!("quota-group", id = chat.to_string()),
        Whose::Agent(agent) => text!("quota-agent", agent = agent),
        Whose::Hall => text!("quota-hall"),
    }
}

fn allowed(allowance: Allowance, currency: &str) -> Text {
    let mut parts = Vec::new();
    for period in [Period::Day, Period::Month] {
        let cap = allowance.of(period);
        let tokens = cap.tokens.map(|it| text!("used-tokens", count = it));
        let micros = cap.micros.map(|it| cost(it, currency));
        parts.extend(tokens.into_iter().chain(micros).map(|it| a_period(it, period)));
    }
    if parts.is_empty() { text!("quota-any") } else { Text::Joined(parts, ", ") }
}

fn a_period(amount: Text, period: Period) -> Text {
    match period {
        Period::Day => text!("quota-a-day", amount = amount),
        Period::Month => text!("quota-a-month", amount = amount),
    }
}

/// What an admin has set, as it is said when it is done.
pub(crate) fn quota_set(quota: &Quota, currency: &str) -> Text {
    let who = name(&quota.whose);
    let what = a_period(
        match quota.unit {
            Unit::Tokens => text!("quota-tokens"),
            Unit::Micros => text!("quota-money"),
        },
        quota.period,
    );
    match (quota.most, quota.unit) {
        (Most::Usual, _) => text!("quota-set-usual", who = who, what = what),
        (Most::Unlimited, _) => text!("quota-set-any", who = who, what = what),
        (Most::AtMost(most), Unit::Tokens) => {
            let amount = a_period(text!("used-tokens", count = most), quota.period);
            text!("quota-set-most", who = who, amount = amount)
        }
        (Most::AtMost(most), Unit::Micros) => {
            let amount = a_period(cost(most, currency), quota.period);
            text!("quota-set-most", who = who, amount = amount)
        }
    }
}
