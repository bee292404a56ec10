//! `guildhall init`: makes what a first start needs, and never changes what is there.
//!
//! Makes     the data folder (0700), the master key (0600, outside the data folder), a config file.
//! Asks      nothing. On a second run it says what is there already.

use std::{
    error::Error,
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use crate::config::{self, Env, Loaded, Problems, schema};

/// Writes a new master key to a path, mode 0600. It must fail where a file exists.
pub type CreateKey<'f> = &'f dyn Fn(&Path) -> Result<(), Box<dyn Error + Send + Sync>>;

/// What `init` did about one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It was missing and is there now.
    Made,
    /// It was there and was left as it is.
    Kept,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is.
    pub what: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// What was done.
    pub deed: Deed,
}

/// Why `init` stopped. What was made before stays; a second run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The master key would lie in the folder that it locks.
    #[error("the master key {} must lie outside the data folder {}", key.display(), data.display())]
    KeyInData {
        /// The key file.
        key: PathBuf,
        /// The data folder.
        data: PathBuf,
    },
    /// A data folder with content and no key: a new key could not open it.
    #[error(
        "the data folder {} holds data and its master key {} is gone: put the key back, or choose \
         another data folder", data.display(), key.display()
    )]
    KeyLost {
        /// The key file.
        key: PathBuf,
        /// The data folder.
        data: PathBuf,
    },
    /// A file or folder cannot be made.
    #[error("{} cannot be made", path.display())]
    Make {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The master key cannot be made.
    #[error("the master key {} cannot be made", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// The configuration to start from, and the file that holds it or will hold it. Unlike for any other
/// command, that file may be missing: making it is what `init` is for.
///
/// # Errors
/// If the file is there or the environment is set, and something is wrong with it.
pub fn configuration(env: &Env) -> Result<(Loaded, PathBuf), Problems> {
    let file = config::file(env);
    let mut env = env.clone();
    if !file.exists() {
        env.remove("GUILDHALL_CONFIG");
    }
    config::load(&env).map(|loaded| (loaded, file))
}

/// Makes what is missing.
///
/// # Errors
/// If something cannot be made, or if a new key would make existing data unreadable.
pub fn init(
    loaded: &Loaded,
    config_file: &Path,
    create_key: CreateKey<'_>,
) -> Result<Vec<Step>, InitError> {
    let data = &loaded.config.hall.data_dir;
    let key = loaded.config.key_file();
    if is_inside(&key, data) {
        return Err(InitError::KeyInData { key, data: data.clone() });
    }
    if !key.exists() && holds_data(data) {
        return Err(InitError::KeyLost { key, data: data.clone() });
    }
    let mut steps = Vec::new();
    let mut done = |what, path: &Path, deed| steps.push(Step { what, path: path.into(), deed });

    done("data folder", data, make_folder(data)?);
    let deed = if key.exists() {
        Deed::Kept
    } else {
        if let Some(folder) = key.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            make_folder(folder)?;
        }
        create_key(&key).map_err(|source| InitError::Key { path: key.clone(), source })?;
        Deed::Made
    };
    done("master key", &key, deed);
    done("config file", config_file, make_config(config_file)?);
    Ok(steps)
}

/// The report in words, with the next step last.
#[must_use]
pub fn words(steps: &[Step], loaded: &Loaded) -> String {
    let line = |step: &Step| match step.deed {
        Deed::Made => format!("made   {:<12} {}\n", step.what, step.path.display()),
        Deed::Kept => format!("there  {:<12} {} (left as it is)\n", step.what, step.path.display()),
    };
    let mut text: String = steps.iter().map(line).collect();
    if steps.iter().any(|step| step.what == "master key" && step.deed == Deed::Made) {
        text.push_str(
            "\nKeep a copy of the master key in a safe place, apart from the data: without it \
             nobody can read the data again.\n",
        );
    }
    text.push('\n');
    match loaded.ready_to_run() {
        Err(problems) => {
            for problem in problems.0 {
                text.push_str(&format!("Next: {}.\n", problem.text));
            }
            text.push_str("Then: guildhall run\n");
        }
        Ok(())
            if loaded.config.access.admins.is_empty()
                && loaded.config.access.owners.is_empty() =>
        text.push_str(
            "Next: set GUILDHALL_ADMINS to your numeric Telegram id, so that you are an admin.\n\
             Then: guildhall run\n",
        ),
        Ok(()) => text.push_str("Next: guildhall run\n"),
    }
    text
}

/// Whether a path lies in a folder, whether or not they exist yet.
pub(crate) fn is_inside(path: &Path, folder: &Path) -> bool {
    resolve(path).starts_with(resolve(folder))
}

/// The path with its existing part free of links and dots.
fn resolve(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_empty| path.to_owned());
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            let rest = path.strip_prefix(ancestor).unwrap_or(Path::new(""));
            return rest.components().fold(real, |mut path, part| {
                match part {
                    std::path::Component::ParentDir => {
                        path.pop();
                    }
                    std::path::Component::Normal(name) => path.push(name),
                    std::path::Component::CurDir
                    | std::path::Component::RootDir
                    | std::path::Component::Prefix(_) => {}
                }
                path
            });
        }
    }
    path
}

/// Whether the folder holds more than a note to people.
fn holds_data(folder: &Path) -> bool {
    let is_data = |entry: fs::DirEntry| {
        let name = entry.file_name();
        name != "README.md" && !name.to_string_lossy().starts_with('.')
    };
    fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(is_data))
}

/// Makes a folder with mode 0700, and those above it that are missing.
pub(crate) fn make_folder(path: &Path) -> Result<Deed, InitError> {
    if path.is_dir() {
        return Ok(Deed::Kept);
    }
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| InitError::Make { path: path.to_owned(), source })?;
    Ok(Deed::Made)
}

/// Writes the commented configuration, if there is no file yet.
fn make_config(path: &Path) -> Result<Deed, InitError> {
    let failed = |source| InitError::Make { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match opened {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Deed::Kept),
        opened => opened.map_err(failed)?,
    };
    file.write_all(schema::template().as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(Deed::Made)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::load_text;

    fn hall(folder: &Path, key: Option<&str>) -> Loaded {
        let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let mut env = Env::from([("GUILDHALL_DATA_DIR".to_owned(), path("data"))]);
        env.extend(key.map(|key| ("GUILDHALL_KEY_FILE".to_owned(), path(key))));
        load_text("", "", &env).unwrap()
    }

    fn create(path: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(file.write_all(b"key")?)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_first_run_makes_everything_and_the_second_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config/guildhall.toml");
        let named = file.to_string_lossy().into_owned();
        let env = Env::from([("GUILDHALL_CONFIG".to_owned(), named)]);
        assert_eq!(configuration(&env).unwrap().1, file, "it need not be there yet");
        let loaded = hall(folder.path(), None);
        let steps = init(&loaded, &file, &create).unwrap();
        assert!(steps.iter().all(|step| step.deed == Deed::Made), "{steps:?}");
        assert_eq!(mode(&folder.path().join("data")), 0o700);
        let key = folder.path().join("secrets/master.key");
        assert_eq!((mode(&key), mode(key.parent().unwrap())), (0o600, 0o700));
        assert!(config::load(&env).is_ok(), "the starter file is good");

        fs::write(&file, "# mine").unwrap();
        let steps = init(&loaded, &file, &create).unwrap();
        assert!(steps.iter().all(|step| step.deed == Deed::Kept), "{steps:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "# mine");
        let words = words(&steps, &loaded);
        assert!(words.contains("left as it is") && words.contains("TELEGRAM_BOT_TOKEN"), "{words}");
    }

    #[test]
    fn a_key_inside_the_data_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for key in ["data/master.key", "data/../data/x/master.key"] {
            let loaded = hall(folder.path(), Some(key));
            let made = init(&loaded, &folder.path().join("c.toml"), &create);
            assert!(matches!(made, Err(InitError::KeyInData { .. })), "{key}");
        }
        assert!(!is_inside(Path::new("/tmp/database/key"), Path::new("/tmp/data")));
    }

    #[test]
    fn a_new_key_is_never_made_for_old_data() {
        let folder = tempfile::tempdir().unwrap();
        let loaded = hall(folder.path(), None);
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("data/README.md"), "a note is no data").unwrap();
        let config = folder.path().join("c.toml");
        fs::create_dir(folder.path().join("data/ledger")).unwrap();
        assert!(matches!(init(&loaded, &config, &create), Err(InitError::KeyLost { .. })));
        fs::remove_dir(folder.path().join("data/ledger")).unwrap();
        assert!(init(&loaded, &config, &create).is_ok());
    }
}
