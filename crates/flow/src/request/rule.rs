//! `/rule` and what follows it.

use protocol::{PersonId, RefId};
use screening::{Action, Mode, OwnRule};

use super::{MenuItem, Request, split_word};
use crate::{
    alarm::AlarmChange,
    replay::{DAYS_MAX, DAYS_USUAL},
    roster::{Change, RuleChange, View},
    words::{Text, text},
};

/// Reads the words after `/rule` of an admin.
pub(super) fn of_rule(
    item: &MenuItem,
    arguments: &str,
    (by, view): (PersonId, &View),
) -> Option<Request> {
    let (verb, rest) = split_word(arguments);
    if verb.is_empty() {
        return Some(Request::ListRules(view.grant(by)?));
    }
    let read = match verb {
        "add" => add(rest),
        "shadow" => set(rest, Mode::Shadow),
        "enforce" => set(rest, Mode::Enforce),
        "remove" => remove(rest),
        "alarms" => return Some(Request::ListAlarms(view.grant(by)?)),
        "unmark" => unmark(rest),
        "test" => match test(rest) {
            Ok((name, days)) => {
                return Some(Request::TryRule { name, days, by: view.grant(by)? });
            }
            Err(why) => Err(why),
        },
        _ => Err(text!("rule-verbs")),
    };
    super::officers::ordered(item, read, (by, view))
}

fn add(words: &str) -> Result<(Change, Text), Text> {
    let (name, rest) = split_word(words);
    let (action, pattern) = split_word(rest);
    let name = checked(name)?;
    let action = match action {
        "flag" => Action::Flag,
        "redact" => Action::Redact,
        "refuse" => Action::Refuse,
        _ => return Err(text!("rule-action")),
    };
    if pattern.is_empty() {
        return Err(text!("rule-pattern"));
    }
    let done = text!("rule-noted", rule = &name);
    let rule = OwnRule { name, action, pattern: pattern.to_owned(), mode: Mode::Test };
    Ok((Change::Ruled(RuleChange::Added { rule }), done))
}

fn set(words: &str, mode: Mode) -> Result<(Change, Text), Text> {
    let name = only_name(words)?;
    let done = match mode {
        Mode::Enforce => text!("rule-enforced", rule = &name),
        Mode::Shadow => text!("rule-shadowed", rule = &name),
        Mode::Test => text!("rule-switched-off", rule = &name),
    };
    Ok((Change::Ruled(RuleChange::ModeSet { name, mode }), done))
}

fn remove(words: &str) -> Result<(Change, Text), Text> {
    let name = only_name(words)?;
    let done = text!("rule-removed", rule = &name);
    Ok((Change::Ruled(RuleChange::Removed { name }), done))
}

fn test(words: &str) -> Result<(String, u32), Text> {
    let (name, days) = split_word(words);
    let name = checked(name)?;
    if days.is_empty() {
        return Ok((name, DAYS_USUAL));
    }
    let number = days.parse::<u32>().ok().filter(|it| (1..=DAYS_MAX).contains(it));
    let number = number.ok_or_else(|| text!("rule-days", most = DAYS_MAX))?;
    Ok((name, number))
}

fn unmark(reference: &str) -> Result<(Change, Text), Text> {
    let number =
        u32::from_str_radix(reference, 16).map_err(|_no_digits| text!("rule-reference"))?;
    let reference = RefId(number);
    let change = Change::Alarmed(AlarmChange::Unmarked { reference });
    Ok((change, text!("rule-unmarked", reference = reference)))
}

fn only_name(words: &str) -> Result<String, Text> {
    match split_word(words) {
        (name, "") => checked(name),
        (_, _) => Err(text!("rule-too-many-words")),
    }
}

fn checked(name: &str) -> Result<String, Text> {
    let is_good = |it: char| matches!(it, 'a'..='z' | '0'..='9' | '_');
    if name.is_empty() || 64 < name.len() || !name.chars().all(is_good) {
        return Err(text!("rule-name"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{right::Role, roster::Founding};

    const ADMIN: PersonId = PersonId(1);

    fn view() -> View {
        let roles = [(ADMIN, Role::Admin)].into();
        View::founded(&Founding { roles, ..Founding::default() }, [].into())
    }

    fn read(arguments: &str) -> Request {
        let item = super::super::MENU.iter().find(|it| it.name == "rule").unwrap();
        of_rule(item, arguments, (ADMIN, &view())).unwrap()
    }

    fn change(arguments: &str) -> RuleChange {
        let Request::Administer { order, .. } = read(arguments) else {
            panic!("{arguments} is no change")
        };
        assert_eq!(order.by(), ADMIN);
        let Change::Ruled(change) = order.change() else { panic!("{arguments}: no rule") };
        change.clone()
    }

    #[test]
    fn the_life_of_a_rule_can_be_ordered_in_words() {
        let rule = OwnRule {
            name: "aurora".to_owned(),
            action: Action::Redact,
            pattern: r"(?i)project\s+aurora".to_owned(),
            mode: Mode::Test,
        };
        let added = change(r"add aurora redact  (?i)project\s+aurora ");
        assert_eq!(added, RuleChange::Added { rule });
        let name = "aurora".to_owned();
        let set = |mode| RuleChange::ModeSet { name: name.clone(), mode };
        assert_eq!(change("shadow aurora"), set(Mode::Shadow));
        assert_eq!(change("enforce aurora"), set(Mode::Enforce));
        assert_eq!(change("remove aurora"), RuleChange::Removed { name: name.clone() });
        assert!(matches!(read(""), Request::ListRules(_)));
        let by = view().grant(ADMIN).unwrap();
        let tried = |days| Request::TryRule { name: name.clone(), days, by };
        assert_eq!(read("test aurora"), tried(DAYS_USUAL));
        assert_eq!(read("test aurora 30"), tried(30));
    }

    #[test]
    fn what_is_wrong_with_an_order_is_said_with_how_to_use_it() {
        let cases = [
            ("delete aurora", "The first word is add"),
            ("add", "A rule's name is"),
            ("add Aurora refuse x", "A rule's name is"),
            ("add aurora", "The action is"),
            ("add aurora stop aurora", "The action is"),
            ("add aurora refuse", "The pattern is missing"),
            ("enforce aurora now", "words too many"),
            ("test aurora 0", "The days are a number"),
            ("test aurora 31", "The days are a number"),
        ];
        for (arguments, expected) in cases {
            let Request::Say(notice) = read(arguments) else { panic!("{arguments}") };
            let text = &notice.part().plain;
            assert!(text.contains(expected) && text.contains("/rule"), "{arguments}: {text}");
        }
    }
}
