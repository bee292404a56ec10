//! `/help`: the most useful commands for everybody, and all that an officer may use, in groups.

use super::{Notice, Text, say, text};
use crate::{
    request::{MENU, MenuItem},
    right::Role,
};

/// What is for everybody; the menu shows the rest.
const TALKING: [&str; 6] = ["agents", "panel", "new", "cancel", "retry", "trace"];
const REMEMBERING: [&str; 3] = ["memory", "remember", "remind"];
const OWN: [&str; 5] = ["usage", "language", "privacy", "forget", "help"];
/// What is for officers. All else of theirs is about looking after the whole.
const AGENTS: [&str; 8] =
    ["spawn", "edit", "model", "pause", "resume", "retire", "schedule", "schedules"];
const PEOPLE: [&str; 6] = ["allow", "deny", "block", "unblock", "quota", "role"];
/// The longest words after a command that stand in the list; longer ones are told by `/help <command>`.
const USAGE_CHARS_MAX: usize = 24;

/// `/help`.
pub(crate) fn help(role: Option<Role>) -> Notice {
    let is_watch = |it: &MenuItem| {
        it.needs.is_some() && !AGENTS.contains(&it.name) && !PEOPLE.contains(&it.name)
    };
    let groups = [
        (text!("help-talk"), named(role, &TALKING)),
        (text!("help-remember"), named(role, &REMEMBERING)),
        (text!("help-you"), named(role, &OWN)),
        (text!("help-agents"), named(role, &AGENTS)),
        (text!("help-people"), named(role, &PEOPLE)),
        (text!("help-watch"), lines(role, is_watch)),
    ];
    let groups = groups.into_iter().filter(|(_, lines)| !lines.is_empty());
    let groups = groups.map(|(head, lines)| Text::lines([vec![head], lines].concat()));
    let foot = Text::lines(vec![text!("help-more"), text!("help-foot")]);
    let parts = [text!("help-head")].into_iter().chain(groups).chain([foot]).collect();
    say(Text::Joined(parts, "\n\n"))
}

/// `/help <command>`: what it does and what is written after it. `None`: this person has no such command.
pub(crate) fn help_about(name: &str, role: Option<Role>) -> Option<Notice> {
    let name = name.trim_start_matches('/').to_lowercase();
    let item = MENU.iter().find(|it| it.name == name && it.is_for(role))?;
    let does = Text::Joined(vec![format!("/{}", item.name).into(), item.does()], " — ");
    let command = Text::concat(vec![format!("/{} ", item.name).into(), item.usage()]);
    let usage = (!item.usage.is_empty()).then(|| text!("usage", command = command));
    Some(say(Text::lines([does].into_iter().chain(usage).collect())))
}

fn named(role: Option<Role>, names: &[&str]) -> Vec<Text> {
    lines(role, |it| names.contains(&it.name))
}

fn lines(role: Option<Role>, is_in: impl Fn(&MenuItem) -> bool) -> Vec<Text> {
    MENU.iter().filter(|it| it.is_for(role) && is_in(it)).map(line).collect()
}

fn line(it: &MenuItem) -> Text {
    let usage =
        if it.usage.chars().count() <= USAGE_CHARS_MAX { it.usage() } else { Text::default() };
    let between = if usage.is_empty() { "" } else { " " };
    let command = Text::concat(vec![format!("/{}{between}", it.name).into(), usage]);
    Text::Joined(vec![command, it.does()], " — ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Language;

    #[test]
    fn help_is_short_for_everybody_and_names_all_that_an_officer_may_use() {
        for language in Language::ALL {
            let plain = |role| help(role).in_language(language).into_part().plain;
            let everybody = plain(None);
            assert!(everybody.lines().count() <= 25, "{everybody}");
            for item in MENU.iter().filter(|it| it.needs.is_some()) {
                let command = format!("/{} ", item.name);
                assert!(!everybody.contains(&command), "{command}: {everybody}");
                let theirs = plain(Some(Role::Owner));
                assert!(theirs.contains(&command), "{command}: {theirs}");
            }
            assert!(plain(Some(Role::Owner)).encode_utf16().count() <= 4_000, "{language}");
        }
    }

    #[test]
    fn one_command_is_explained_to_whoever_may_use_it() {
        let about = |name: &str, role| help_about(name, role).map(|it| it.into_part().plain);
        let rule = about("/rule", Some(Role::Admin)).unwrap();
        assert!(
            rule.starts_with(
                "/rule — see and change the guard's rules\nUse it like this: /rule add"
            )
        );
        assert_eq!(about("new", None).as_deref(), Some("/new — begin a fresh conversation"));
        assert_eq!((about("rule", None), about("nothing", Some(Role::Owner))), (None, None));
    }
}
