//! Which crate may use which. If this fails, change the design on purpose or not at all.

use std::collections::BTreeSet;

use xtask::{Crate, crates, dependencies};

/// Crate, and the crates of ours that it may use. Lowest first; nothing points down the list.
const ALLOWED: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("kit", &[]),
    ("screening", &[]),
    ("store", &["protocol"]),
    ("watch", &["protocol"]),
    ("adapters", &["protocol"]),
    ("console", &["kit", "protocol"]),
    ("flow", &["kit", "protocol", "screening"]),
    // Stands alone, so that it can never be right in the same wrong way as the hall.
    ("rehearsal", &[]),
    (
        "guildhall",
        &[
            "adapters",
            "console",
            "flow",
            "kit",
            "protocol",
            // For `guildhall demo`.
            "rehearsal",
            "screening",
            "store",
            "watch",
        ],
    ),
    // Drives the program from outside and knows the rehearsal's words, nothing else.
    ("end-to-end", &["rehearsal"]),
    ("xtask", &[]),
];

/// Outside crates that only some of ours may name.
const FENCED: &[(&str, &[&str])] = &[
    ("sled", &["store"]),
    ("redb", &["store"]),
    ("chacha20", &["store"]),
    ("frankenstein", &["adapters"]),
    ("object_store", &["adapters"]),
    ("lettre", &["adapters"]),
    ("fluent-bundle", &["flow"]),
    ("rmcp", &["adapters"]),
    ("fend-core", &["adapters"]),
    ("landlock", &["adapters"]),
    ("seccompiler", &["adapters"]),
    ("image", &["adapters"]),
    ("pdf-extract", &["adapters"]),
    ("candle-core", &["adapters"]),
    ("candle-nn", &["adapters"]),
    ("candle-transformers", &["adapters"]),
    ("tokenizers", &["adapters"]),
    ("rten", &["adapters"]),
    ("ogg", &["adapters"]),
    ("opus-decoder", &["adapters"]),
    ("opus-pure", &["adapters", "end-to-end"]),
    // Beside the adapters: `guildhall status` asks the console, the rehearsal calls webhooks and
    // pumps, the end-to-end tests look at the hall as a browser would.
    ("reqwest", &["adapters", "guildhall", "rehearsal", "end-to-end"]),
    ("actix", &["kit"]),
    ("tracing-subscriber", &["watch"]),
    ("tracing-appender", &["watch"]),
];

#[test]
fn crates_use_only_those_below_them() {
    for Crate { name, manifest } in known_crates() {
        let used = dependencies(&manifest);
        for (other, _) in ALLOWED {
            let is_allowed = row(&name).contains(other);
            assert!(!used.contains(*other) || is_allowed, "`{name}` must not depend on `{other}`");
        }
    }
}

#[test]
fn every_row_allows_only_what_stands_above_it() {
    for (at, (name, allowed)) in ALLOWED.iter().enumerate() {
        for other in *allowed {
            let above = ALLOWED.iter().take(at).any(|(it, _)| it == other);
            assert!(above, "`{other}` does not stand above `{name}`");
        }
    }
}

#[test]
fn fenced_crates_are_named_only_by_their_owners() {
    let crates = known_crates();
    for (outside, owners) in FENCED {
        let users: BTreeSet<&str> = crates
            .iter()
            .filter(|it| dependencies(&it.manifest).contains(*outside))
            .map(|it| it.name.as_str())
            .collect();
        assert!(!users.is_empty(), "nobody uses `{outside}`: its row in FENCED is of the past");
        for user in users {
            assert!(
                owners.contains(&user),
                "only {owners:?} may depend on `{outside}`, not {user}"
            );
        }
    }
}

#[test]
fn every_crate_keeps_the_lints_of_the_workspace() {
    for Crate { name, manifest } in known_crates() {
        let lints = manifest.get("lints").and_then(|it| it.get("workspace"));
        assert_eq!(
            lints.and_then(toml::Value::as_bool),
            Some(true),
            "`{name}` lacks `[lints] workspace = true`"
        );
    }
}

/// The crates of the workspace: exactly those of [`ALLOWED`].
fn known_crates() -> Vec<Crate> {
    let found = crates();
    for it in &found {
        row(&it.name);
    }
    assert_eq!(found.len(), ALLOWED.len(), "ALLOWED has a row for a crate that is gone");
    found
}

fn row(name: &str) -> &'static [&'static str] {
    let row = ALLOWED.iter().find(|(it, _)| *it == name);
    row.unwrap_or_else(|| panic!("`{name}` is new: give it a row in ALLOWED")).1
}
