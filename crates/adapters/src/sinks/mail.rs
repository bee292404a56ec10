//! Sends mail over SMTP, never without TLS.

use std::time::Duration;

use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use protocol::alert::{Notification, Sink, TellError};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::{SinkError, cut, hex, rfc3339};

/// How long one letter may take.
const LETTER_TIME_MAX: Duration = Duration::from_secs(20);
const SUBJECT_CHARS_MAX: usize = 150;

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// After the server's greeting, or not at all: then nothing is sent. Port 587.
    StartTls,
    /// At once. Port 465.
    Wrapped,
}

/// Whom to write to, and by which server.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When TLS begins.
    pub tls: MailTls,
    /// Who signs in, if anybody.
    pub user: Option<String>,
    /// The sender.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
    /// A file with the certificate of the server's authority, where the machine does not know it.
    pub ca_file: Option<std::path::PathBuf>,
}

/// Letter boxes.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
    to: Vec<Address>,
}

impl Mail {
    /// A sink that writes to every address of the configuration.
    ///
    /// # Errors
    /// If an address is none, or the certificate cannot be used.
    pub fn new(config: &MailConfig, password: Option<SecretString>) -> Result<Self, SinkError> {
        let address = |text: &String| {
            text.parse::<Address>().map_err(|_no_address| SinkError::BadAddress(text.clone()))
        };
        let from = address(&config.from)?;
        let to = config.to.iter().map(address).collect::<Result<Vec<_>, _>>()?;
        let mut tls = TlsParameters::builder(config.host.clone());
        if let Some(path) = &config.ca_file {
            let bad = |source: Box<dyn std::error::Error + Send + Sync>| {
                SinkError::BadCertificate { path: path.display().to_string(), source }
            };
            let pem = std::fs::read(path).map_err(|error| bad(error.into()))?;
            let root = Certificate::from_pem(&pem).map_err(|error| bad(error.into()))?;
            tls = tls.add_root_certificate(root);
        }
        let tls = tls.build().map_err(SinkError::NoTls)?;
        let tls = match config.tls {
            MailTls::StartTls => Tls::Required(tls),
            MailTls::Wrapped => Tls::Wrapper(tls),
        };
        // "Dangerous" is only what has no TLS; it is set here, from the first byte or before the first word.
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .timeout(Some(LETTER_TIME_MAX));
        if let (Some(user), Some(password)) = (&config.user, password) {
            let password = password.expose_secret().to_owned();
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self { transport: transport.build(), from, to })
    }

    fn letter(&self, it: &Notification) -> Result<Message, TellError> {
        let digest = Sha256::digest(it.key().as_bytes());
        let id = hex(digest.get(..16).unwrap_or_default());
        let mut letter = Message::builder()
            .from(Mailbox::new(Some("Guildhall".to_owned()), self.from.clone()))
            .subject(subject(it))
            // The same for the same message, so that a letter box can tell a repeat.
            .message_id(Some(format!("<{id}@{}>", self.from.domain())));
        for to in &self.to {
            letter = letter.to(Mailbox::new(None, to.clone()));
        }
        // What it quotes would be the letter itself.
        letter.body(text(it)).map_err(|_unquoted| TellError::new("the letter cannot be written"))
    }
}

#[async_trait]
impl Sink for Mail {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn tell(&self, notification: &Notification) -> Result<(), TellError> {
        let letter = self.letter(notification)?;
        match tokio::time::timeout(LETTER_TIME_MAX, self.transport.send(letter)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(TellError::new(why(&error))),
            Err(_elapsed) => Err(TellError::new("the mail server does not answer in time")),
        }
    }
}

/// In words of ours: what a server answers may quote anything. SINK-2.
fn why(error: &lettre::transport::smtp::Error) -> String {
    let kind = if error.is_timeout() {
        "the mail server does not answer in time"
    } else if error.is_tls() {
        "no connection with TLS can be made to the mail server"
    } else if error.is_permanent() || error.is_transient() {
        "the mail server refuses"
    } else {
        "the mail server cannot be reached, or offers no TLS"
    };
    match error.status() {
        Some(code) => format!("{kind} (code {code})"),
        None => kind.to_owned(),
    }
}

fn subject(it: &Notification) -> String {
    let state = match (it.is_over(), it.is_acknowledged) {
        _ if it.is_trial => "test".to_owned(),
        (true, _) if it.is_lapsed => "not again".to_owned(),
        (true, _) => "over".to_owned(),
        (false, true) => "in hand".to_owned(),
        (false, false) => it.severity().as_str().to_owned(),
    };
    cut(&format!("[guildhall] {state}: {}: {}", it.kind, it.headline()), SUBJECT_CHARS_MAX)
}

fn text(it: &Notification) -> String {
    let mut text = format!("{}\r\n", it.headline());
    for alert in &it.alerts {
        let end = match alert.ended {
            Some(at) => format!("over since {}", rfc3339(at)),
            None => "not over".to_owned(),
        };
        let labels: String =
            alert.labels.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        text += &format!(
            "\r\n{}\r\n  {}{labels}, {} times since {}, {end}\r\n  fingerprint {}\r\n",
            alert.summary,
            alert.severity.as_str(),
            alert.count,
            rfc3339(alert.since),
            alert.fingerprint
        );
    }
    if 0 < it.left_out {
        text += &format!("\r\nAnd {} more.\r\n", it.left_out);
    }
    if it.is_escalated {
        text += "\r\nOthers were told first, and nobody has taken it into their hands.\r\n";
    }
    if let Some(runbook) = &it.runbook {
        text += &format!("\r\nWhat to do: {runbook}\r\n");
    }
    text + "\r\nguildhall alerts list shows all that is wrong.\r\n"
}
