//! What people and admins are told of what was used of models and what is left.

use std::fmt::Write as _;

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

fn span(period: Period) -> &'static str {
    match period {
        Period::Day => "day",
        Period::Month => "month",
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
    let mut text = String::from("What may be used of models:\n");
    let usual = [
        ("each person", it.person),
        ("each group", it.chat),
        ("each agent", it.agent),
        ("the hall", it.hall),
    ];
    for (who, allowance) in usual {
        write!(text, "\n{who}: {}", allowed(allowance, &it.currency)).ok();
    }
    for whose in caps.quotas() {
        if LIST_CHARS_MAX < text.len() {
            text.push_str("\n…");
            break;
        }
        write!(text, "\n{}: {} (set here)", name(whose), allowed(caps.of(whose), &it.currency))
            .ok();
    }
    say(text)
}

/// `/quota` of one.
pub(crate) fn quota(caps: &Caps, whose: &Whose) -> Notice {
    let allowed = allowed(caps.of(whose), &caps.budgets.currency);
    say(format!("{} may use: {allowed}", name(whose)))
}

fn name(whose: &Whose) -> String {
    match whose {
        Whose::Person(person) => format!("person {person}"),
        Whose::Chat(chat) => format!("group {chat}"),
        Whose::Agent(agent) => format!("agent {agent}"),
        Whose::Hall => "the hall".to_owned(),
    }
}

fn allowed(allowance: Allowance, currency: &str) -> String {
    let mut parts = Vec::new();
    for period in [Period::Day, Period::Month] {
        let cap = allowance.of(period);
        let tokens = cap.tokens.map(|it| format!("{it} tokens"));
        let micros = cap.micros.map(|it| money(it, currency));
        parts.extend(tokens.into_iter().chain(micros).map(|it| format!("{it} a {}", span(period))));
    }
    if parts.is_empty() { "as much as they like".to_owned() } else { parts.join(", ") }
}

/// What an admin has set, as it is said when it is done.
pub(crate) fn quota_set(quota: &Quota, currency: &str) -> String {
    let (who, span) = (name(&quota.whose), span(quota.period));
    let what = match quota.unit {
        Unit::Tokens => "tokens",
        Unit::Micros => "money",
    };
    match (quota.most, quota.unit) {
        (Most::Usual, _) => format!("For {who}, {what} a {span} are as the configuration says."),
        (Most::Unlimited, _) => format!("{who} may use any amount of {what} a {span}."),
        (Most::AtMost(most), Unit::Tokens) => format!("{who} may use {most} tokens a {span}."),
        (Most::AtMost(most), Unit::Micros) => {
            format!("{who} may use {} a {span}.", money(most, currency))
        }
    }
}
