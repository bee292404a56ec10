//! Where the data may live: a name that the operator gives the place, kept with the data and in the
//! configuration. A folder that comes to a machine whose configuration names another place, or none,
//! is not opened there.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use crate::config::Config;

/// The longest name, in bytes.
const NAME_BYTES_MAX: u64 = 256;

/// Why the data may not be used here.
#[derive(Debug, thiserror::Error)]
pub enum ResidencyError {
    /// The data lives elsewhere.
    #[error(
        "the data in {} was declared to live in `{declared}`, and store.region {here}; bring it \
         back, or delete the file {} if it may live here", folder.display(), file.display()
    )]
    Elsewhere {
        /// The data folder.
        folder: PathBuf,
        /// Where it says it lives.
        declared: String,
        /// What the configuration says.
        here: String,
        /// The file that says so.
        file: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("{} cannot be used", file.display())]
    Unusable {
        /// Which.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Holds the place that the data names against the one that the configuration names, and notes it
/// with data that names none yet.
///
/// # Errors
/// If they differ.
pub fn check(config: &Config) -> Result<(), ResidencyError> {
    let (Some(here), true) = (&config.store.region, compare(config)?) else { return Ok(()) };
    let (folder, file) = (&config.hall.data_dir, file(config));
    let write = || {
        fs::create_dir_all(folder)?;
        let mut options = fs::OpenOptions::new();
        let mut opened = options.write(true).create_new(true).mode(0o600).open(&file)?;
        opened.write_all(format!("{here}\n").as_bytes())?;
        opened.sync_all()
    };
    write().map_err(|source| ResidencyError::Unusable { file: file.clone(), source })
}

/// The same, and changes nothing. True if the data names no place yet.
///
/// # Errors
/// If they differ.
pub fn compare(config: &Config) -> Result<bool, ResidencyError> {
    let (folder, file) = (config.hall.data_dir.clone(), file(config));
    let declared = match crate::config::read_file(&file, NAME_BYTES_MAX) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(source) => return Err(ResidencyError::Unusable { file, source }),
    };
    let here = match &config.store.region {
        Some(here) if *here == declared => return Ok(false),
        Some(here) => format!("says `{here}`"),
        None => "says nothing".to_owned(),
    };
    Err(ResidencyError::Elsewhere { folder, declared, here, file })
}

fn file(config: &Config) -> PathBuf {
    config.hall.data_dir.join("region")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(home: &tempfile::TempDir, region: Option<&str>) -> Config {
        let mut config = Config::default();
        config.hall.data_dir = home.path().join("data");
        config.store.region = region.map(str::to_owned);
        config
    }

    #[test]
    fn data_that_was_declared_to_live_elsewhere_is_refused_in_words() {
        let home = tempfile::tempdir().unwrap();
        assert!(check(&config(&home, None)).is_ok(), "nothing is declared");
        assert!(check(&config(&home, Some("eu-central"))).is_ok(), "the first word counts");
        assert!(check(&config(&home, Some("eu-central"))).is_ok());
        for (here, words) in
            [(Some("us-east"), "says `us-east`"), (None, "says nothing"), (Some(""), "says ``")]
        {
            let refused = check(&config(&home, here)).unwrap_err().to_string();
            assert!(refused.contains("declared to live in `eu-central`"), "{refused}");
            assert!(refused.contains(words), "{refused}");
        }
        fs::remove_file(home.path().join("data/region")).unwrap();
        assert!(check(&config(&home, Some("us-east"))).is_ok(), "the operator has decided");
    }
}
