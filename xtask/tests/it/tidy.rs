//! Habits that nobody should have to remember in a review.

use std::collections::BTreeSet;

use xtask::{TextFile, root, text_files};

/// Folders that exist only on the machine of whoever wrote here.
const MACHINE_FOLDERS: &[&str] = &["work", "root", "home", "Users"];

#[test]
fn every_source_file_opens_with_its_contract() {
    let without: Vec<String> =
        sources().into_iter().filter(|it| head(&it.text).is_empty()).map(|it| it.path).collect();
    assert!(without.is_empty(), "begin these with a line of `//!`: {without:#?}");
}

#[test]
fn every_invariant_is_cited_where_it_is_kept() {
    let sources = sources();
    let (mut declared, mut cited) = (BTreeSet::new(), BTreeSet::new());
    for file in &sources {
        let head = head(&file.text);
        declared.extend(declared_invariants(head));
        let body = file.text.get(head.len()..).unwrap_or_default();
        cited.extend(words(body, '-').filter(|it| is_invariant(it)).map(str::to_owned));
        cited.extend(body.lines().filter_map(function_name).flat_map(invariants_in_name));
    }
    assert!(!declared.is_empty(), "no file declares an invariant: this check looks at nothing");
    let uncited: Vec<_> = declared.difference(&cited).collect();
    assert!(
        uncited.is_empty(),
        "these stand in a file's head, but in no test name, assert or comment: {uncited:#?}"
    );
}

#[test]
fn nothing_names_a_folder_of_somebodys_machine() {
    for TextFile { path, text } in text_files() {
        for folder in MACHINE_FOLDERS {
            for (at, _) in text.match_indices(&format!("/{folder}/")) {
                let before = text.get(..at).unwrap_or_default();
                let is_absolute = before.ends_with(['"', '\'', '`', ' ', '=', '(', '\n', ':']);
                let line = before.lines().count();
                assert!(!is_absolute, "{path}:{line} names a folder of one machine: /{folder}/");
            }
        }
    }
}

#[test]
fn what_documents_link_to_is_there() {
    let mut links = 0;
    for TextFile { path, text } in documents() {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for target in text.split("](").skip(1).filter_map(|it| it.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            links += 1;
            assert!(root().join(folder).join(file).exists(), "{path} links to {target}");
        }
    }
    assert!(0 < links, "no document links to a file: this check looks at nothing");
}

/// A proof that a document names must be a test (or another function) that exists.
#[test]
fn the_proofs_that_documents_name_exist() {
    let sources = sources();
    let functions: BTreeSet<&str> =
        sources.iter().flat_map(|it| it.text.lines()).filter_map(function_name).collect();
    let mut proofs = 0;
    for TextFile { path, text } in documents() {
        for name in text.split('`').skip(1).step_by(2).filter(|it| is_sentence(it)) {
            proofs += 1;
            assert!(functions.contains(name), "{path} names `{name}`, which is no function");
        }
    }
    assert!(0 < proofs, "no document names a test: this check looks at nothing");
}

/// `guildhall` itself tests that `config/guildhall.toml` holds every key; this is the other way
/// round.
#[test]
fn every_setting_that_is_mentioned_exists() {
    let shipped = std::fs::read_to_string(root().join("config/guildhall.toml"));
    let keys = keys_of(&shipped.expect("the configuration file is shipped"));
    assert!(!keys.is_empty(), "no key was found: this check looks at nothing");
    let mentions = text_files().into_iter().filter(|it| {
        it.path.ends_with(".md")
            || ["scripts/", "deploy/"].iter().any(|folder| it.path.starts_with(folder))
            || ["justfile", "Dockerfile"].contains(&it.path.as_str())
    });
    for TextFile { path, text } in mentions {
        for word in words(&text, '_').filter(|it| it.starts_with("GUILDHALL__")) {
            let key = word.trim_start_matches("GUILDHALL__").to_lowercase().replace("__", ".");
            let key: String = key
                .split('.')
                .filter(|it| it.parse::<u32>().is_err())
                .collect::<Vec<_>>()
                .join(".");
            let is_pattern = key == "section.key";
            assert!(is_pattern || keys.contains(&key), "{path} mentions {word}: no such key");
        }
    }
}

fn sources() -> Vec<TextFile> {
    let mut files = text_files();
    files.retain(|it| it.path.ends_with(".rs"));
    assert!(!files.is_empty(), "no source file was found: this check looks at nothing");
    files
}

fn documents() -> Vec<TextFile> {
    let mut files = text_files();
    files.retain(|it| it.path.ends_with(".md"));
    assert!(!files.is_empty(), "no document was found: this check looks at nothing");
    files
}

/// The lines of `//!` with which a file begins.
fn head(text: &str) -> &str {
    let bytes: usize =
        text.split_inclusive('\n').take_while(|it| it.starts_with("//!")).map(str::len).sum();
    text.get(..bytes).unwrap_or_default()
}

/// Ids in the part of a head that begins with `Invariant`, where each is followed by its rule.
fn declared_invariants(head: &str) -> Vec<String> {
    let (_, invariants) = head.split_once("Invariant").unwrap_or_default();
    words(invariants, '-').filter(|it| is_invariant(it)).map(str::to_owned).collect()
}

/// `NAME-1`: capitals, a hyphen, a number.
fn is_invariant(word: &str) -> bool {
    let Some((name, number)) = word.split_once('-') else { return false };
    1 < name.len()
        && name.bytes().all(|it| it.is_ascii_uppercase())
        && number.parse::<u32>().is_ok_and(|it| 0 < it)
}

/// `session_2_an_answer_changes_nothing` cites `SESSION-2`.
fn invariants_in_name(function: &str) -> Option<String> {
    let mut parts = function.split('_');
    let id = format!("{}-{}", parts.next()?.to_uppercase(), parts.next()?);
    is_invariant(&id).then_some(id)
}

/// Stretches of letters, digits and `joint`.
fn words(text: &str, joint: char) -> impl Iterator<Item = &str> {
    text.split(move |it: char| !it.is_ascii_alphanumeric() && it != joint)
        .map(move |it| it.trim_matches(joint))
        .filter(|it| !it.is_empty())
}

/// The name of the function that a line declares.
fn function_name(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let is_declared = before
        .split_whitespace()
        .all(|it| matches!(it, "async" | "const" | "pub" | "pub(crate)" | "pub(super)"));
    let name = rest.split(['(', '<']).next()?;
    (is_declared && !name.is_empty()).then_some(name)
}

/// `a_rule_in_words`: what tests are called, and hardly anything else but our metrics.
fn is_sentence(code: &str) -> bool {
    let is_metric = code.starts_with("guildhall_");
    let is_name = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_';
    3 <= code.matches('_').count() && code.bytes().all(is_name) && !is_metric
}

/// Every `section.key` of the shipped file, where keys are commented out.
fn keys_of(shipped: &str) -> BTreeSet<String> {
    let (mut section, mut keys) = (String::new(), BTreeSet::new());
    for line in shipped.lines() {
        let line = line.trim_start_matches('#');
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = line.split_once(" = ")
            && !key.starts_with(' ')
        {
            keys.insert(format!("{section}.{key}"));
        }
    }
    keys
}
