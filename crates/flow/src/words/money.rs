//! What people and admins are told of what was used of models and what is left.

use std::fmt::Write as _;

use crate::treasurer::{
    OverCap, PeriodStatement, Statement, Warning,
    books::{Kind, Sums},
    caps::{Allowance, Caps, Most, Period, Quota, Unit, Whose, money},
    time::Calendar,
};

use super::{LIST_CHARS_MAX, Notice, say};

/// A cap is reached: nothing was asked of a model.
pub(crate) fn over_cap(cap: OverCap, calendar: &Calendar) -> Notice {
    let span = span(cap.period);
    let what = match cap.kind {
        Kind::Person => format!("You have used up what you may ask this {span}."),
        Kind::Chat => format!("This group has used up what it may ask this {span}."),
        Kind::Agent => format!("This agent has answered as much as it may this {span}."),
        Kind::Hall => format!("I have answered as much as I may this {span}."),
    };
    let more = match cap.kind {
        Kind::Person | Kind::Chat => " /usage shows what was used.",
        Kind::Agent => " /agents shows who else is here.",
        Kind::Hall => "",
    };
    let resumes = resumes(cap, calendar);
    say(format!(
        "{what} I go on {resumes}; please ask again then, or press /retry. Nothing was sent to a \
         model and nothing was counted.{more}"
    ))
}

/// Told beside an answer, once in a period: little is left, or nothing.
pub(crate) fn cap_neared(warning: Warning, calendar: &Calendar) -> Notice {
    let Warning { cap, percent } = warning;
    let who = match cap.kind {
        Kind::Person => "You have",
        Kind::Chat => "This group has",
        Kind::Agent | Kind::Hall => "We have",
    };
    let (span, resumes) = (span(cap.period), resumes(cap, calendar));
    match percent {
        Some(percent) => say(format!(
            "ℹ️ {who} used {percent} % of what may be asked this {span}. It begins anew {resumes}. \
             /usage says more."
        )),
        None => {
            say(format!("ℹ️ {who} now used all that may be asked this {span}. I go on {resumes}."))
        }
    }
}

fn resumes(cap: OverCap, calendar: &Calendar) -> String {
    let words = calendar.words(cap.resumes, cap.period);
    match cap.period {
        Period::Day => format!("at {words}"),
        Period::Month => format!("on {words}"),
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
pub fn usage(statement: &Statement) -> String {
    let currency = &statement.currency;
    let mut text = String::from("What was used of models:\n");
    // lost-ok: writing to a string cannot fail, here and below.
    for account in &statement.accounts {
        if LIST_CHARS_MAX < text.len() {
            text.push_str("\n… and more: `guildhall usage` shows everything.");
            break;
        }
        let (day, month) = (period(&account.day, currency), period(&account.month, currency));
        write!(text, "\n{}\n  today: {day}\n  this month: {month}\n", account.name).ok();
    }
    if !statement.by_agent.is_empty() {
        text.push_str("\nThis month, by agent:\n");
    }
    for (agent, sums) in &statement.by_agent {
        writeln!(text, "  {agent}: {}", used(sums, currency)).ok();
    }
    let Statement { day_ends, month_ends, .. } = statement;
    write!(text, "\nThe day ends at {day_ends}, the month on {month_ends}.").ok();
    text
}

fn used(sums: &Sums, currency: &str) -> String {
    let tokens = sums.amount().tokens;
    let cost = match sums.micros {
        0 => String::new(),
        micros => format!(", {}", money(micros, currency)),
    };
    let answers = if sums.calls == 1 { "answer" } else { "answers" };
    format!("{} {answers}, {tokens} tokens{cost}", sums.calls)
}

fn period(it: &PeriodStatement, currency: &str) -> String {
    let mut text = used(&it.sums, currency);
    if 0 < it.lost_tokens {
        write!(text, ", {} more tokens without an answer", it.lost_tokens).ok();
    }
    let amount = it.sums.amount();
    if let Some(most) = it.tokens_max {
        let left = most.saturating_sub(amount.tokens.saturating_add(it.lost_tokens));
        write!(text, "; {left} of {most} tokens left").ok();
    }
    if let Some(most) = it.micros_max {
        let left = most.saturating_sub(amount.micros.saturating_add(it.lost_micros));
        write!(text, "; {} of {} left", money(left, currency), money(most, currency)).ok();
    }
    text
}

/// The line of `/status` about the hall's budget.
pub(crate) fn used_today(statement: &Statement) -> String {
    let hall = statement.accounts.first().map(|it| it.day.clone()).unwrap_or_default();
    format!("Used today: {}", period(&hall, &statement.currency))
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
