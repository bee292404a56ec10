//! `/rule` and what follows it.

use protocol::{PersonId, RefId};
use screening::{Action, Mode, OwnRule};

use super::{MenuItem, Request, split_word};
use crate::{
    alarm::AlarmChange,
    replay::{DAYS_MAX, DAYS_USUAL},
    roster::{Change, RuleChange, View},
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
    let read =
        match verb {
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
            _ => Err("The first word is add, test, shadow, enforce, remove, alarms or unmark."
                .to_owned()),
        };
    super::officers::ordered(item, read, (by, view))
}

fn add(words: &str) -> Result<(Change, String), String> {
    let (name, rest) = split_word(words);
    let (action, pattern) = split_word(rest);
    let name = checked(name)?;
    let action = match action {
        "flag" => Action::Flag,
        "redact" => Action::Redact,
        "refuse" => Action::Refuse,
        _ => return Err("The action is flag, redact or refuse.".to_owned()),
    };
    if pattern.is_empty() {
        return Err("The pattern is missing: a regular expression.".to_owned());
    }
    let done = format!(
        "{name} is noted and not applied yet. /rule test {name} tells what it would have stopped, \
         /rule shadow {name} lets it watch without acting."
    );
    let rule = OwnRule { name, action, pattern: pattern.to_owned(), mode: Mode::Test };
    Ok((Change::Ruled(RuleChange::Added { rule }), done))
}

fn set(words: &str, mode: Mode) -> Result<(Change, String), String> {
    let name = only_name(words)?;
    let done = match mode {
        Mode::Enforce => format!("{name} is enforced from the next message on."),
        Mode::Shadow => {
            format!("{name} is in shadow: it is judged and counted, and nothing is stopped by it.")
        }
        Mode::Test => format!("{name} is not applied any more."),
    };
    Ok((Change::Ruled(RuleChange::ModeSet { name, mode }), done))
}

fn remove(words: &str) -> Result<(Change, String), String> {
    let name = only_name(words)?;
    let done = format!("{name} is gone.");
    Ok((Change::Ruled(RuleChange::Removed { name }), done))
}

fn test(words: &str) -> Result<(String, u32), String> {
    let (name, days) = split_word(words);
    let name = checked(name)?;
    if days.is_empty() {
        return Ok((name, DAYS_USUAL));
    }
    let number = days.parse::<u32>().ok().filter(|it| (1..=DAYS_MAX).contains(it));
    let number = number.ok_or_else(|| format!("The days are a number from 1 to {DAYS_MAX}."))?;
    Ok((name, number))
}

fn unmark(reference: &str) -> Result<(Change, String), String> {
    let number = u32::from_str_radix(reference, 16).map_err(|_no_digits| {
        "The reference is eight hex digits; /rule alarms lists them.".to_owned()
    })?;
    let reference = RefId(number);
    let change = Change::Alarmed(AlarmChange::Unmarked { reference });
    Ok((change, format!("{reference} is no longer marked.")))
}

fn only_name(words: &str) -> Result<String, String> {
    match split_word(words) {
        (name, "") => checked(name),
        (_, _) => Err("There are words too many: only the rule's name is needed.".to_owned()),
    }
}

fn checked(name: &str) -> Result<String, String> {
    let is_good = |it: char| matches!(it, 'a'..='z' | '0'..='9' | '_');
    if name.is_empty() || 64 < name.len() || !name.chars().all(is_good) {
        return Err("A rule's name is 1 to 64 of a-z, 0-9 and _.".to_owned());
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
