//! The screen on long texts: our own documents pass, and an attack in the middle of one is found.
//!
//! `guard-figures long` measures many more, of other people.

use std::{fs, path::Path, sync::LazyLock};

use screening::{Policy, Screen, Verdict, corpus};

static SCREEN: LazyLock<Screen> =
    LazyLock::new(|| Screen::new(Policy::default()).expect("a policy"));
/// A long text, in characters.
const CHARS: usize = 6_000;

/// Our own documents as somebody might paste them, with their names.
fn documents() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/decisions", "docs/runbooks"] {
        let entries = root.join(folder).read_dir().expect("a folder");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
        paths.sort();
        for path in paths {
            let text: String =
                fs::read_to_string(&path).expect("a text").chars().take(CHARS).collect();
            found.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
        }
    }
    found
}

fn is_refused(text: &str) -> bool {
    SCREEN.inbound(text).verdict == Verdict::Refuse
}

#[test]
fn eleven_of_twelve_of_our_own_documents_pass_though_they_speak_of_keys_commands_and_attacks() {
    let documents = documents();
    assert!(30 <= documents.len());
    let refused = documents.iter().filter(|(_, text)| is_refused(text));
    let refused: Vec<&str> = refused.map(|(name, _)| name.as_str()).collect();
    // A few of them are about nothing else than attacks.
    assert!(12 * refused.len() <= documents.len(), "{refused:?} of {}", documents.len());
}

#[test]
fn attacks_are_found_wherever_they_stand_in_a_long_document() {
    let documents = documents();
    let calm: Vec<&str> = documents
        .iter()
        .map(|(_, text)| text.as_str())
        .filter(|text| CHARS / 2 <= text.len() && !is_refused(text))
        .collect();
    let (mut found, mut count) = (0, 0);
    for (at, line) in corpus::ATTACKS.lines().enumerate() {
        let attack: serde_json::Value = serde_json::from_str(line).unwrap();
        let attack = attack["text"].as_str().unwrap();
        let document = calm[at % calm.len()];
        let half = (0..=document.len() / 2).rev().find(|at| document.is_char_boundary(*at));
        let (before, after) = document.split_at(half.unwrap());
        let hidden = match at % 3 {
            0 => format!("{attack}\n\n{document}"),
            1 => format!("{before}\n\n{attack}\n\n{after}"),
            _ => format!("{document}\n\n{attack}"),
        };
        count += 1;
        found += usize::from(is_refused(&hidden));
    }
    assert!(60 * count <= 100 * found, "{found} of {count}");
}
