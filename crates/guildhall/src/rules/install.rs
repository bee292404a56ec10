//! Installs rule packs into `rules/` of the data folder, and finds those that are there.
//!
//! A pack lies there as it was signed, and its signature is checked again whenever it is read: a
//! key that is trusted no more takes its packs with it, and who can write to the folder cannot
//! change a rule.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use screening::RuleFile;

use super::{
    keys::PackKey,
    pack::{Pack, PackError},
    read_text,
};
use crate::{build::BuildError, config::Config};

/// What became of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its name.
    pub pack: String,
    /// Its version.
    pub version: u64,
    /// The version that was there before.
    pub before: Option<u64>,
}

/// Why a pack was not installed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It may not be used.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A newer one is there. PACK-2.
    #[error("version {found} of {pack} is installed, and {offered} is older: nothing was changed")]
    Older {
        /// The pack.
        pack: String,
        /// What is there.
        found: u64,
        /// What was offered.
        offered: u64,
    },
    /// Another one with the same version is there.
    #[error(
        "another text of version {version} of {pack} is installed: a change needs a new version"
    )]
    SameVersion {
        /// The pack.
        pack: String,
        /// Its version.
        version: u64,
    },
    /// The pack that is there cannot be compared with.
    #[error("the installed pack {0} cannot be read, so it is not known whether this one is newer")]
    Unknown(PathBuf, #[source] PackError),
    /// It does not go together with the other rules.
    #[error("it does not go together with the other rules: {0}")]
    Clash(String),
    /// The system refused.
    #[error("the pack cannot be written")]
    Io(#[source] io::Error),
}

/// Where packs lie.
#[must_use]
pub fn packs_folder(config: &Config) -> PathBuf {
    config.hall.data_dir.join("rules")
}

/// Checks a pack and installs it. `fits` says whether its rules go together with all others: it is
/// asked with the rules of every pack as they would be.
///
/// # Errors
/// Why it was not installed.
pub fn install(
    folder: &Path,
    text: &str,
    trusted: &[PackKey],
    fits: impl FnOnce(&[RuleFile]) -> Result<(), String>,
) -> Result<Installed, InstallError> {
    let pack = Pack::open("the pack", text, trusted)?;
    pack.check()?;
    let path = folder.join(format!("{}.toml", pack.name));
    let before = before(&path, text, &pack)?;
    let mut others =
        installed(folder, trusted).map_err(|error| InstallError::Clash(error.to_string()))?;
    others.retain(|file| Path::new(&file.name) != path);
    others.push(RuleFile { name: path.display().to_string(), text: pack.rules.text });
    fits(&others).map_err(InstallError::Clash)?;
    let installed = Installed { pack: pack.name, version: pack.version, before };
    if before != Some(installed.version) {
        put(folder, &path, text).map_err(InstallError::Io)?;
    }
    Ok(installed)
}

/// The version that is there, if this pack may take its place. PACK-2.
///
/// A pack that no trusted key signed any more still counts: its version is read unchecked, so that
/// whoever wants to go back must take the file away by hand.
fn before(path: &Path, text: &str, pack: &Pack) -> Result<Option<u64>, InstallError> {
    if !path.exists() {
        return Ok(None);
    }
    let found = read_text(path).map_err(|why| InstallError::Io(io::Error::other(why)))?;
    let table: toml::Table = found.parse().map_err(|error: toml::de::Error| {
        InstallError::Unknown(path.to_owned(), PackError::Unreadable(error.to_string()))
    })?;
    let version = table.get("version").and_then(toml::Value::as_integer);
    let version = version.and_then(|it| u64::try_from(it).ok());
    let unknown = || InstallError::Unknown(path.to_owned(), PackError::BadVersion);
    let version = version.ok_or_else(unknown)?;
    if pack.version < version {
        let (pack, offered) = (pack.name.clone(), pack.version);
        return Err(InstallError::Older { pack, found: version, offered });
    }
    if pack.version == version && found != text {
        return Err(InstallError::SameVersion { pack: pack.name.clone(), version });
    }
    Ok(Some(version))
}

fn put(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    write_whole(path, text, 0o600)
}

/// Writes a new file of this mode beside the old one and puts it in its place. PACK-3.
///
/// # Errors
/// What the system refused. The old file is still there then.
pub fn write_whole(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Not `.toml`: a half-written file must not be read as a pack.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.guildhall-new"));
    let mut file = fs::OpenOptions::new();
    let mut file = file.write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    fs::File::open(folder)?.sync_all()
}

/// The rules of every installed pack, in the order of their names. PACK-1.
///
/// # Errors
/// Which pack may not be used, and why.
pub(super) fn installed(folder: &Path, trusted: &[PackKey]) -> Result<Vec<RuleFile>, BuildError> {
    let mut files = Vec::new();
    for RuleFile { name, text } in crate::build::rule_files(folder)? {
        let pack = Pack::open(&name, &text, trusted).map_err(|error| {
            BuildError::in_words(format!("{name}: {error}; trust its key again or remove the file"))
        })?;
        let expected = folder.join(format!("{}.toml", pack.name));
        if Path::new(&name) != expected {
            let why = format!("{name}: it is the pack {}, under another name", pack.name);
            return Err(BuildError::in_words(why));
        }
        files.push(pack.rules);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pack::tests::{body, signed, trusted};

    fn try_install(folder: &Path, text: &str) -> Result<Installed, InstallError> {
        install(folder, text, &[trusted(1)], |_| Ok(()))
    }

    fn words(folder: &Path) -> String {
        let files = installed(folder, &[trusted(1)]).unwrap();
        files.into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn pack_2_a_pack_is_replaced_by_newer_ones_only() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("rules");
        let (one, two) = (signed(&body(1, "salmon"), 1), signed(&body(2, "gravlax"), 1));
        let first = try_install(&folder, &one).unwrap();
        assert_eq!((first.version, first.before), (1, None));
        assert_eq!(try_install(&folder, &two).unwrap().before, Some(1));
        assert!(words(&folder).contains("gravlax") && !words(&folder).contains("salmon"));
        assert!(matches!(try_install(&folder, &one), Err(InstallError::Older { .. })));
        let other = signed(&body(2, "salmon"), 1);
        assert!(matches!(try_install(&folder, &other), Err(InstallError::SameVersion { .. })));
        assert_eq!(try_install(&folder, &two).unwrap().before, Some(2), "again is no harm");
        assert!(words(&folder).contains("gravlax"));
    }

    #[test]
    fn pack_3_what_is_refused_leaves_everything_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("rules");
        let one = signed(&body(1, "salmon"), 1);
        try_install(&folder, &one).unwrap();
        let two = signed(&body(2, "gravlax"), 1);
        let tampered = two.replace("gravlax", "gravlux");
        let stranger = signed(&body(2, "gravlax"), 2);
        for text in [tampered, stranger, body(2, "gravlax")] {
            assert!(matches!(try_install(&folder, &text), Err(InstallError::Pack(_))));
        }
        let clash = install(&folder, &two, &[trusted(1)], |files| {
            assert_eq!(files.len(), 1, "the old one is replaced: {files:?}");
            Err("no".to_owned())
        });
        assert!(matches!(clash, Err(InstallError::Clash(_))));
        let names: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names, ["phishing.toml"]);
        assert_eq!(fs::read_to_string(folder.join("phishing.toml")).unwrap(), one);
    }

    #[test]
    fn pack_1_an_installed_pack_is_checked_again_when_it_is_read() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("rules");
        let text = signed(&body(1, "salmon"), 1);
        try_install(&folder, &text).unwrap();
        let error = installed(&folder, &[]).unwrap_err().to_string();
        assert!(error.contains("phishing.toml") && error.contains("guard.pack_keys"), "{error}");
        fs::write(folder.join("phishing.toml"), text.replace("salmon", "trouts")).unwrap();
        assert!(installed(&folder, &[trusted(1)]).is_err());
        fs::write(folder.join("phishing.toml"), &text).unwrap();
        fs::write(folder.join("other.toml"), &text).unwrap();
        let error = installed(&folder, &[trusted(1)]).unwrap_err().to_string();
        assert!(error.contains("under another name"), "{error}");
    }
}
