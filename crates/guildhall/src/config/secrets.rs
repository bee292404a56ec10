//! The secrets: where they are looked for, and the only place that holds them.
//!
//! A secret `X` is looked for in the file `$CREDENTIALS_DIRECTORY/x`, then in the file that `X_FILE`
//! names, then in the variable `X` itself, then with the AWS Secrets Manager Agent where there is
//! one. Nothing here can be printed with its value.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::aws_agent::{AwsAgent, AwsAgentError, Stage};

/// The longest secret that is read from a file, in bytes.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Where a secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this file.
    File(PathBuf),
    /// In this environment variable.
    Variable(String),
    /// In the configuration, under this key.
    Key(String),
    /// With the AWS Secrets Manager Agent, under this name.
    AwsAgent(String),
}

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FindSecretError {
    /// `X` and `X_FILE` are both set.
    #[error("both `{name}` and `{name}_FILE` are set: unset one of them")]
    Ambiguous {
        /// The name of the secret.
        name: String,
    },
    /// It is there and holds nothing.
    #[error("the secret `{name}` is empty")]
    Empty {
        /// The name of the secret, or the path of its file.
        name: String,
    },
    /// Its file cannot be read.
    #[error("the file `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The AWS Secrets Manager Agent did not say whether it has it.
    #[error("the AWS Secrets Manager Agent was asked for `{name}`")]
    Agent {
        /// The name of the secret.
        name: String,
        /// Why.
        #[source]
        source: AwsAgentError,
    },
}

/// The secrets that were found, by name. It has no `Debug`, and its values are wiped when dropped.
#[derive(Default)]
pub struct Secrets {
    found: BTreeMap<String, Found>,
    agent: Option<AwsAgent>,
}

struct Found {
    value: SecretString,
    place: Place,
    world_readable: bool,
}

/// What may be said about a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFacts {
    /// Its name.
    pub name: String,
    /// The first 4 hexadecimal digits of its SHA-256: enough to see that it changed.
    pub fingerprint: String,
    /// Where it was found.
    pub place: Place,
    /// Everyone on this machine may read its file.
    pub world_readable: bool,
}

impl Secrets {
    /// From here on secrets are also looked for with this agent.
    pub(super) fn ask(&mut self, agent: AwsAgent) {
        self.agent = Some(agent);
    }

    /// The value of a secret.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.found.get(name).map(|found| &found.value)
    }

    /// Forgets every secret but those with these names.
    pub(crate) fn only(&mut self, names: &[String]) {
        self.found.retain(|name, _| names.contains(name));
        self.agent = None;
    }

    /// Every secret, for the filter that keeps them out of answers and logs.
    pub fn all(&self) -> impl Iterator<Item = &SecretString> {
        self.found.values().map(|found| &found.value)
    }

    /// What may be said about each secret.
    pub fn facts(&self) -> impl Iterator<Item = SecretFacts> {
        self.found.iter().map(|(name, found)| SecretFacts {
            name: name.clone(),
            fingerprint: fingerprint(&found.value),
            place: found.place.clone(),
            world_readable: found.world_readable,
        })
    }

    /// Looks for the secret `name` and keeps it. `false` if it is nowhere.
    ///
    /// # Errors
    /// If it is set twice, empty, in a file that cannot be read, or the agent does not answer.
    pub fn find(
        &mut self,
        name: &str,
        env: &BTreeMap<String, String>,
    ) -> Result<bool, FindSecretError> {
        if self.found.contains_key(name) {
            return Ok(true);
        }
        let file_variable = env.get(&format!("{name}_FILE"));
        let variable = env.get(name);
        if file_variable.is_some() && variable.is_some() {
            return Err(FindSecretError::Ambiguous { name: name.to_owned() });
        }
        let credential = env
            .get("CREDENTIALS_DIRECTORY")
            .map(|folder| Path::new(folder).join(name.to_lowercase()))
            .filter(|path| path.exists());
        if let Some(path) = credential.or_else(|| file_variable.map(PathBuf::from)) {
            self.read(name, &path)?;
            return Ok(true);
        }
        let Some(text) = variable else { return self.ask_agent(name) };
        self.keep(name, text, Place::Variable(name.to_owned()), false)?;
        Ok(true)
    }

    fn ask_agent(&mut self, name: &str) -> Result<bool, FindSecretError> {
        let Some(agent) = &self.agent else { return Ok(false) };
        match agent.get(name, Stage::Current) {
            Ok(None) => Ok(false),
            Ok(Some(text)) => {
                let place = Place::AwsAgent(agent.id(name));
                self.keep(name, &text, place, false)?;
                Ok(true)
            }
            Err(source) => {
                // It is said once, and not for every secret that there might be.
                self.agent = None;
                Err(FindSecretError::Agent { name: name.to_owned(), source })
            }
        }
    }

    /// Reads a secret from a file and keeps it under `name`.
    ///
    /// # Errors
    /// If the file cannot be read, is longer than 64 KiB, or is empty.
    pub fn read(&mut self, name: &str, path: &Path) -> Result<(), FindSecretError> {
        let unreadable = |source| FindSecretError::Unreadable { path: path.to_owned(), source };
        let file = fs::File::open(path).map_err(unreadable)?;
        let about = file.metadata().map_err(unreadable)?;
        if !about.is_file() {
            return Err(unreadable(io::Error::other("it is not a file")));
        }
        let mut text = Zeroizing::new(String::new());
        let mut limited = file.take(SECRET_BYTES_MAX + 1);
        let length = limited.read_to_string(&mut text).map_err(unreadable)?;
        if SECRET_BYTES_MAX < u64::try_from(length).unwrap_or(u64::MAX) {
            return Err(unreadable(io::Error::other("it is longer than 64 KiB")));
        }
        self.keep(name, &text, Place::File(path.to_owned()), about.mode() & 0o004 != 0)
    }

    /// Keeps a value that came with the configuration.
    pub(super) fn keep(
        &mut self,
        name: &str,
        text: &str,
        place: Place,
        world_readable: bool,
    ) -> Result<(), FindSecretError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(FindSecretError::Empty { name: name.to_owned() });
        }
        let found = Found { value: text.into(), place, world_readable };
        self.found.insert(name.to_owned(), found);
        Ok(())
    }
}

fn fingerprint(secret: &SecretString) -> String {
    let digest = Sha256::digest(secret.expose_secret().as_bytes());
    digest.iter().take(2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn found(pairs: &[(&str, &str)]) -> Result<Option<String>, FindSecretError> {
        let mut secrets = Secrets::default();
        secrets.find("KEY", &env(pairs))?;
        Ok(secrets.get("KEY").map(|value| value.expose_secret().to_owned()))
    }

    fn file(folder: &Path, name: &str, text: &str, mode: u32) -> String {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_string_lossy().into_owned()
    }

    #[test]
    fn a_credential_comes_before_a_file_and_a_file_before_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_string_lossy().into_owned();
        let in_file = file(folder.path(), "other", "from file\n", 0o600);
        assert_eq!(found(&[("KEY_FILE", &in_file)]).unwrap().as_deref(), Some("from file"));
        assert_eq!(found(&[("KEY", "plain")]).unwrap().as_deref(), Some("plain"));
        let pairs = [("CREDENTIALS_DIRECTORY", path.as_str()), ("KEY", "plain")];
        assert_eq!(found(&pairs).unwrap().as_deref(), Some("plain"), "no such credential");
        file(folder.path(), "key", "from systemd\r\n", 0o600);
        let pairs = [("CREDENTIALS_DIRECTORY", path.as_str()), ("KEY_FILE", &in_file)];
        assert_eq!(found(&pairs).unwrap().as_deref(), Some("from systemd"));
        assert_eq!(found(&[]).unwrap(), None);
    }

    #[test]
    fn both_forms_set_is_an_error_and_so_is_an_empty_secret() {
        let both = found(&[("KEY", "a"), ("KEY_FILE", "/nowhere")]);
        assert!(matches!(both, Err(FindSecretError::Ambiguous { .. })));
        assert!(matches!(found(&[("KEY", "")]), Err(FindSecretError::Empty { .. })));
        assert!(matches!(found(&[("KEY", "\n")]), Err(FindSecretError::Empty { .. })));
        let missing = found(&[("KEY_FILE", "/nowhere/at/all")]);
        assert!(matches!(missing, Err(FindSecretError::Unreadable { .. })));
    }

    #[test]
    fn a_file_that_everyone_may_read_or_that_is_too_long_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, expected) in [(0o644, true), (0o640, false), (0o600, false)] {
            let path = file(folder.path(), "key", "secret", mode);
            let mut secrets = Secrets::default();
            secrets.read("KEY", Path::new(&path)).unwrap();
            assert_eq!(secrets.facts().next().unwrap().world_readable, expected, "{mode:o}");
        }
        let long = file(folder.path(), "long", &"x".repeat(64 * 1024 + 1), 0o600);
        assert!(Secrets::default().read("KEY", Path::new(&long)).is_err());
    }

    #[test]
    fn facts_hold_a_fingerprint_and_never_the_value() {
        let mut secrets = Secrets::default();
        assert!(secrets.find("KEY", &env(&[("KEY", "hunter2hunter2")])).unwrap());
        let facts = format!("{:?}", secrets.facts().collect::<Vec<_>>());
        assert!(!facts.contains("hunter2"), "{facts}");
        assert_eq!(secrets.facts().next().unwrap().fingerprint.len(), 4);
        assert_eq!(secrets.all().count(), 1);
    }
}
