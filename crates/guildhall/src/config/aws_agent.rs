//! Secrets from the AWS Secrets Manager Agent, a service on this machine that reads them and keeps
//! them at hand.
//!
//! Source: <https://docs.aws.amazon.com/secretsmanager/latest/userguide/secrets-manager-agent.html>.

use std::{fs, io, path::PathBuf, time::Duration};

use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

/// How long the agent may take for one secret.
const TIME_MAX: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes: Secrets Manager holds 64 KiB for a secret.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Which version of a secret is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The one in force.
    Current,
    /// The one before it, which Secrets Manager keeps after a rotation.
    Previous,
}

/// The agent, and how its secrets are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsAgent {
    /// Where it listens: on this machine.
    pub url: Url,
    /// What stands before the name of every secret of ours.
    pub prefix: String,
    /// The file with the token that callers must show.
    pub token_file: PathBuf,
}

/// Why the agent gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AwsAgentError {
    /// Its token cannot be read.
    #[error("its token in {} cannot be read", path.display())]
    Token {
        /// Where the token lies.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It does not answer.
    #[error("it does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// It answers with an error.
    #[error("it refuses with status {0}: {1}")]
    Refused(u16, &'static str),
    /// Its answer is not one.
    #[error("its answer holds no text")]
    Unreadable,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SecretString")]
    text: Option<String>,
    #[serde(rename = "__type")]
    error: Option<String>,
}

impl AwsAgent {
    /// What Secrets Manager calls the secret that we call `name`.
    #[must_use]
    pub fn id(&self, name: &str) -> String {
        format!("{}{}", self.prefix, name.to_lowercase())
    }

    /// Asks for a secret, past the agent's cache. `None` if there is no such secret. Blocks the thread.
    ///
    /// # Errors
    /// See [`AwsAgentError`].
    pub fn get(
        &self,
        name: &str,
        stage: Stage,
    ) -> Result<Option<Zeroizing<String>>, AwsAgentError> {
        let unreadable = |source| AwsAgentError::Token { path: self.token_file.clone(), source };
        let token = Zeroizing::new(fs::read_to_string(&self.token_file).map_err(unreadable)?);
        // On a thread of its own: whoever reads the configuration may be in a runtime already.
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| kit::block_on(self.ask(name, stage, token.trim())));
            asked.join().unwrap_or(Err(AwsAgentError::Unreadable))
        })
    }

    async fn ask(
        &self,
        name: &str,
        stage: Stage,
        token: &str,
    ) -> Result<Option<Zeroizing<String>>, AwsAgentError> {
        let mut url = self.url.clone();
        url.set_path("/secretsmanager/get");
        let stage = match stage {
            Stage::Current => "AWSCURRENT",
            Stage::Previous => "AWSPREVIOUS",
        };
        url.query_pairs_mut()
            .append_pair("secretId", &self.id(name))
            .append_pair("versionStage", stage)
            .append_pair("refreshNow", "true");
        let unreachable = |error: reqwest::Error| AwsAgentError::Unreachable(error.without_url());
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIME_MAX)
            .build()
            .map_err(unreachable)?;
        let request = client.get(url).header("X-Aws-Parameters-Secrets-Token", token);
        let mut answer = request.send().await.map_err(unreachable)?;
        let mut body = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES_MAX));
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if ANSWER_BYTES_MAX - body.len() < piece.len() {
                return Err(AwsAgentError::Unreadable);
            }
            body.extend_from_slice(&piece);
        }
        read(answer.status().as_u16(), &body)
    }
}

/// The agent passes Secrets Manager's errors on: a secret, or a version of one, that does not exist
/// is `ResourceNotFoundException`. Its other answers are plain text.
fn read(status: u16, body: &[u8]) -> Result<Option<Zeroizing<String>>, AwsAgentError> {
    let answer = serde_json::from_slice(body).unwrap_or(Answer { text: None, error: None });
    let is_missing = |error: &String| error.ends_with("ResourceNotFoundException");
    match (status, answer.text.map(Zeroizing::new)) {
        (200, Some(text)) => Ok(Some(text)),
        (200, None) => Err(AwsAgentError::Unreadable),
        (_, _) if answer.error.as_ref().is_some_and(is_missing) => Ok(None),
        (status, _) => Err(AwsAgentError::Refused(status, why(status))),
    }
}

/// What an operator should look at. The agent's own words may quote what they should not.
fn why(status: u16) -> &'static str {
    match status {
        400 => "the agent may not read it, or does not take the request; look at its log",
        403 => "the token is not the agent's",
        429 => "it is busy",
        _ => "look at the agent's log",
    }
}
