//! What the checks of this repository look at: its crates, their manifests and its text files.
//!
//! Everything is found at run time, from where cargo runs the check, so that a check never reads
//! another checkout than the one it stands in. Whatever is missing ends the check with a panic: a
//! check that finds nothing to look at must not pass.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

/// Folders that hold no text of ours: what is built, what runs, and git's own, which is a file in
/// a second worktree.
const SKIPPED: &[&str] = &[".git", "target", "data", "secrets"];

/// A crate of this workspace.
#[derive(Clone, Debug)]
pub struct Crate {
    /// The name in its manifest.
    pub name: String,
    /// Its manifest.
    pub manifest: toml::Table,
}

/// A file of this repository that holds text.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// Its path from the root of the repository, with `/` between the names.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// The root of this checkout.
///
/// # Panics
/// Outside of cargo.
#[must_use]
pub fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this and says where");
    let own = PathBuf::from(manifest);
    own.parent().expect("this crate lies in a folder of the root").to_owned()
}

/// All crates of the workspace: those under `crates/`, the end-to-end tests, and this one.
///
/// # Panics
/// If a crate has no readable manifest.
#[must_use]
pub fn crates() -> Vec<Crate> {
    let root = root();
    let mut folders = folders_in(&root.join("crates"));
    folders.extend([root.join("tests"), root.join("xtask")]);
    folders.iter().map(|folder| read_crate(folder)).collect()
}

/// All text files of the repository, in the order of their paths.
///
/// # Panics
/// If a file or folder cannot be read.
#[must_use]
pub fn text_files() -> Vec<TextFile> {
    let root = root();
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for path in entries_of(&folder) {
            let name = path.file_name().expect("an entry has a name").to_string_lossy();
            if path.is_dir() && !SKIPPED.contains(&&*name) {
                folders.push(path);
            } else if path.is_file() && name != ".git" {
                files.extend(read_text(&root, &path));
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Names of the crates that a manifest needs to build, renamed ones by their real name. What only
/// its tests need is left out.
#[must_use]
pub fn dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let of_targets =
        targets.into_iter().flat_map(toml::Table::values).filter_map(|it| it.as_table());
    for place in std::iter::once(manifest).chain(of_targets) {
        for kind in ["dependencies", "build-dependencies"] {
            let table = place.get(kind).and_then(toml::Value::as_table);
            names.extend(table.into_iter().flatten().map(|(name, it)| real_name(name, it)));
        }
    }
    names
}

fn real_name(name: &str, dependency: &toml::Value) -> String {
    let renamed = dependency.get("package").and_then(toml::Value::as_str);
    renamed.unwrap_or(name).to_owned()
}

fn read_crate(folder: &Path) -> Crate {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let manifest: toml::Table =
        text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = manifest.get("package").and_then(|it| it.get("name")).and_then(toml::Value::as_str);
    let name = name.unwrap_or_else(|| panic!("{} names no package", path.display())).to_owned();
    Crate { name, manifest }
}

fn read_text(root: &Path, path: &Path) -> Option<TextFile> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = String::from_utf8(bytes).ok()?;
    let path = path.strip_prefix(root).expect("the walk began at the root");
    Some(TextFile { path: path.to_string_lossy().replace('\\', "/"), text })
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    entries_of(folder).into_iter().filter(|it| it.is_dir()).collect()
}

fn entries_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a listed entry can be read").path()).collect();
    paths.sort();
    paths
}
