//! Where alerts go beside Telegram: one file for each kind of receiver.
//!
//! Invariants: SINK-1 addresses come from the configuration alone and redirects are not followed, so that
//! nothing that is told can lead a call elsewhere. SINK-2 no error quotes an address, a key or a password.

pub mod mail;
pub mod pager;
pub mod sentry;
pub mod slack;
pub mod sms;
pub mod webhook;

#[cfg(test)]
mod mail_tests;
#[cfg(test)]
mod tests;

use std::time::Duration;

use protocol::{Timestamp, alert::TellError};
use reqwest::{RequestBuilder, Response, StatusCode, header::RETRY_AFTER};

/// How long one call may take.
const CALL_TIME_MAX: Duration = Duration::from_secs(15);
/// What is read of an answer.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Why a sink cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// This machine cannot make HTTP requests.
    #[error("this machine cannot make HTTP requests")]
    NoClient(#[source] reqwest::Error),
    /// The certificate cannot be used.
    #[error("the certificate in {path} cannot be used")]
    BadCertificate {
        /// Its file.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An address for mail is none.
    #[error("`{0}` is no address for mail")]
    BadAddress(String),
    /// The address of Sentry cannot be used.
    #[error("the address of Sentry is none")]
    BadDsn,
    /// Too many reports wait.
    #[error("too many reports wait")]
    QueueFull,
    /// This machine cannot start a thread for it.
    #[error("no thread can be started for reports")]
    NoThread(#[source] std::io::Error),
    /// The settings of TLS cannot be used.
    #[error("TLS cannot be used for mail")]
    NoTls(#[source] lettre::transport::smtp::Error),
}

/// Makes calls that follow no redirect. SINK-1.
fn client() -> Result<reqwest::Client, SinkError> {
    let client = reqwest::Client::builder()
        .timeout(CALL_TIME_MAX)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .build();
    client.map_err(|error| SinkError::NoClient(error.without_url()))
}

/// Calls, and says what came of it. SINK-2.
async fn call(request: RequestBuilder) -> Result<(), TellError> {
    let sent = request.send().await;
    let answer = sent.map_err(|error| {
        let error = error.without_url();
        let why = match (error.is_timeout(), error.is_connect()) {
            (true, _) => format!("no answer within {} s", CALL_TIME_MAX.as_secs()),
            (_, true) => "no connection can be made".to_owned(),
            (false, false) => "the call failed on its way".to_owned(),
        };
        TellError::new(why)
    })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let retry_after = retry_after(&answer);
    let why = match status {
        StatusCode::TOO_MANY_REQUESTS => "it asks to wait (status 429)".to_owned(),
        status if status.is_redirection() => {
            format!("it answered with status {}: redirects are not followed", status.as_u16())
        }
        status => format!("it answered with status {}", status.as_u16()),
    };
    drain(answer).await;
    Err(TellError { why, retry_after })
}

/// Reads a little of an answer, so that the connection can be used again.
async fn drain(mut answer: Response) {
    let mut read = 0;
    while let Ok(Some(piece)) = answer.chunk().await {
        read += piece.len();
        if ANSWER_BYTES_MAX <= read {
            return;
        }
    }
}

/// Seconds, or a date, until which the receiver wants to be left alone.
fn retry_after(answer: &Response) -> Option<Duration> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    text.parse::<u64>().ok().map(Duration::from_secs)
}

/// A time as RFC 3339 has it.
fn rfc3339(at: Timestamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or_default().to_string()
}

/// The beginning of a text, cut between characters.
fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Bytes as hex digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
