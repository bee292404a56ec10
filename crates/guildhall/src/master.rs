//! The master key: read from its file, or asked of the AWS Secrets Manager Agent.
//!
//! Secrets Manager changes the key by itself and keeps the one before: a keyring that only the one
//! before opens is opened with it, and wrapped anew with the one in force by whoever can write it.

use store::{KeyError, KeyPlace, Keys, RotateError, Store, fits, open_master, rotate_with};
use tracing::info;

use crate::config::{
    Config,
    aws_agent::{AwsAgent, AwsAgentError, Stage},
};

/// The name of the secret that holds the master key.
const NAME: &str = "MASTER_KEY";

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterError {
    /// Its file does not do.
    #[error(transparent)]
    File(#[from] KeyError),
    /// The agent did not answer.
    #[error("the AWS Secrets Manager Agent was asked for the master key `{id}`")]
    Agent {
        /// What Secrets Manager calls it.
        id: String,
        /// Why there is no answer.
        #[source]
        source: AwsAgentError,
    },
    /// Secrets Manager has no such secret.
    #[error(
        "the AWS secret `{id}` does not exist; make one of 64 hexadecimal digits (`openssl rand \
         -hex 32`)"
    )]
    Missing {
        /// What Secrets Manager calls it.
        id: String,
    },
    /// It is not a key.
    #[error("the AWS secret `{id}` does not hold 64 hexadecimal digits")]
    Malformed {
        /// What Secrets Manager calls it.
        id: String,
    },
}

/// A master key, and the one that is to take its place.
pub struct Master {
    /// Opens the keyring.
    pub keys: Keys,
    pub(crate) next: Option<Keys>,
}

/// The key that opens the keyring. What a crash left of a change of it is finished.
///
/// # Errors
/// See [`MasterError`].
pub fn open(config: &Config) -> Result<Master, MasterError> {
    let keyring = config.keyring_file();
    let Some(agent) = config.secrets.master_key_agent() else {
        let keys = open_master(&config.key_file(), &keyring, place(config))?;
        return Ok(Master { keys, next: None });
    };
    let keys = current(&agent)?;
    if fits(&keyring, &keys) {
        return Ok(Master { keys, next: None });
    }
    let previous = ask(&agent, Stage::Previous)?.filter(|it| fits(&keyring, it));
    // The one in force where neither fits: whoever opens the keyring with it says what is wrong.
    Ok(match previous {
        Some(previous) => Master { keys: previous, next: Some(keys) },
        None => Master { keys, next: None },
    })
}

/// As [`open`], for those who only read.
///
/// # Errors
/// See [`MasterError`].
pub fn keys(config: &Config) -> Result<Keys, MasterError> {
    open(config).map(|it| it.keys)
}

/// Whether there is a key to be found, or a first one has to be made.
pub(crate) fn exists(config: &Config) -> bool {
    config.secrets.master_key_agent().is_some() || config.key_file().exists()
}

/// Where the key's file may lie.
pub(crate) fn place(config: &Config) -> KeyPlace<'_> {
    KeyPlace::OutsideOf(&config.hall.data_dir)
}

/// Takes over a key that was changed in Secrets Manager. `next` is from [`Master::take_next`].
///
/// # Errors
/// See [`RotateError`].
pub(crate) async fn take_over(store: &Store, next: Option<Keys>) -> Result<(), RotateError> {
    let Some(next) = next else { return Ok(()) };
    rotate_with(store, next).await?;
    info!(event.action = "key_rotated", "a new master key was taken over from Secrets Manager");
    Ok(())
}

/// Changes the master key of an open store: makes a new one, or takes over the one that Secrets
/// Manager has now.
///
/// # Errors
/// In words.
pub(crate) async fn rotate(store: &Store, config: &Config) -> Result<(), String> {
    let words =
        |error: &(dyn std::error::Error + 'static)| crate::build::BuildError::of(error).to_string();
    if let Some(agent) = config.secrets.master_key_agent() {
        let new = current(&agent).map_err(|error| words(&error))?;
        if fits(&config.keyring_file(), &new) {
            return Err(format!(
                "the AWS secret `{}` still holds the key that is in force: change it there first",
                agent.id(NAME)
            ));
        }
        return take_over(store, Some(new)).await.map_err(|error| words(&error));
    }
    let rotated = store::rotate(store, &config.key_file(), place(config)).await;
    rotated.map_err(|error| words(&error))?;
    info!(event.action = "key_rotated", "the master key was changed");
    Ok(())
}

impl Master {
    /// The key that opens the keyring, and the one to be handed to [`take_over`].
    pub(crate) fn take_next(self) -> (Keys, Option<Keys>) {
        (self.keys, self.next)
    }
}

fn current(agent: &AwsAgent) -> Result<Keys, MasterError> {
    ask(agent, Stage::Current)?.ok_or_else(|| MasterError::Missing { id: agent.id(NAME) })
}

fn ask(agent: &AwsAgent, stage: Stage) -> Result<Option<Keys>, MasterError> {
    let id = || agent.id(NAME);
    let text = agent.get(NAME, stage).map_err(|source| MasterError::Agent { id: id(), source })?;
    let Some(text) = text else { return Ok(None) };
    Keys::of_text(&text).map(Some).ok_or_else(|| MasterError::Malformed { id: id() })
}

#[cfg(test)]
mod tests;
