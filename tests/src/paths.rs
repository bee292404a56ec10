//! Names that try to be paths: what people, admins, operators and models might write where a name is
//! asked for.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Stands in every name, so that a file made by one of them is found by its own name.
pub const MARK: &str = "s5mark";

const BEFORE: [&str; 25] = [
    "../",
    "..\\",
    "../../../../",
    "/",
    "//",
    "/etc/",
    "C:\\",
    "\\\\host\\share\\",
    "~/",
    "~root/",
    "file:///",
    "./",
    "a/../../",
    "%2e%2e%2f",
    "%252e%252e/",
    "..%c0%af",
    "\u{2024}\u{2024}/",
    "．．／",
    "..;/",
    "$HOME/",
    "{{",
    "\u{202e}",
    "agents/../../",
    "/proc/self/root/",
    "/dev/shm/",
];
const AFTER: [&str; 16] = [
    "", ".toml", "/", "/..", "\0.toml", ".", " ", "\\", ":$DATA", "\n", ".toml\0", "%00",
    ".tar.gz", "|sh", "/CON", "\u{fe0f}",
];
const MIDDLE: [&str; 5] = ["", "NUL.", "-", "..", ".."];

/// The corpus: 2,000 names, none of which is the name of anything.
#[must_use]
pub fn hostile_names() -> Vec<String> {
    let mut names = Vec::with_capacity(BEFORE.len() * AFTER.len() * MIDDLE.len());
    for (turn, middle) in MIDDLE.iter().enumerate() {
        // The last turn has no word before the mark and a very long one after it.
        let long = if turn + 1 == MIDDLE.len() { "x".repeat(300) } else { String::new() };
        for before in BEFORE {
            for after in AFTER {
                names.push(format!("{before}{middle}{MARK}{long}{after}"));
            }
        }
    }
    names
}

/// Every file and folder below a folder whose name holds the mark, links not followed.
#[must_use]
pub fn marked_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    // What cannot be listed was not made by who runs this.
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().contains(MARK) {
            found.push(entry.path());
        }
        if entry.file_type().is_ok_and(|it| it.is_dir()) {
            found.extend(marked_below(&entry.path()));
        }
    }
    found
}
