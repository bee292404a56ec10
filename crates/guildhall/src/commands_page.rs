//! The page of all commands, held against the commands that there are.

use std::{collections::BTreeSet, fs, path::Path};

use clap::CommandFactory as _;
use flow::request::MENU;

use crate::Cli;

/// What stands in backticks on the page and begins so, without its options.
fn named(page: &str, begins: &str) -> BTreeSet<String> {
    let quoted = page.lines().filter(|it| it.starts_with('|')).flat_map(|it| it.split('`'));
    quoted.filter(|it| it.starts_with(begins)).map(str::to_owned).collect()
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    fs::read_to_string(path).unwrap()
}

fn commands(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
    let mut is_group = command.has_subcommands();
    // What the program starts itself with is hidden.
    let shown = |it: &&clap::Command| it.get_name() != "help" && !it.is_hide_set();
    for inner in command.get_subcommands().filter(shown) {
        commands(inner, &format!("{path} {}", inner.get_name()), found);
    }
    // One that does something without a word behind it is a command of its own.
    is_group &= command.is_subcommand_required_set();
    if !is_group {
        found.insert(path.to_owned());
    }
}

#[test]
fn every_command_stands_on_the_page_of_commands() {
    let mut there = BTreeSet::new();
    commands(&Cli::command(), "guildhall", &mut there);
    there.insert("guildhall incidents".to_owned());
    assert!(40 < there.len(), "{there:#?}");
    let page = page();
    let mut written = named(&page, "guildhall ");
    written.extend(["guildhall incidents".to_owned()]);
    let missing: Vec<_> = there.symmetric_difference(&written).collect();
    assert!(missing.is_empty(), "on the page or in the program, but not in both: {missing:#?}");
}

#[test]
fn every_chat_command_stands_on_the_page_of_commands() {
    let there: BTreeSet<String> = MENU.iter().map(|it| format!("/{}", it.name)).collect();
    let page = page();
    let written: BTreeSet<String> =
        named(&page, "/").iter().filter_map(|it| it.split(' ').next().map(str::to_owned)).collect();
    let missing: Vec<_> = there.symmetric_difference(&written).collect();
    assert!(missing.is_empty(), "on the page or in the menu, but not in both: {missing:#?}");
}
