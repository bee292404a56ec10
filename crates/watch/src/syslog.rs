//! The log as RFC 5424 messages over TLS (RFC 5425, octet counting), for a collector elsewhere.
//!
//! A message carries the line in the form that is asked for, its severity and time, and its `event.action` as MSGID. What
//! the collector does not take waits in memory, up to a limit; beyond it lines are lost and counted.
//! A collector acknowledges nothing, so what was on its way when a connection broke may be lost
//! uncounted: the protocol has no word for it.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::Value;
use tracing::warn;

use crate::Form;

/// Lines on their way to the thread that sends.
const QUEUE_LINES_MAX: usize = 4096;
/// What may wait for a collector that is away.
const WAITING_BYTES_MAX: usize = 4 << 20;
/// How long connecting and each write may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// The pause before another attempt; it doubles up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSES_MAX: u32 = 30;
/// How long the end of the process waits for what is left.
const END_TIME_MAX: Duration = Duration::from_secs(2);
/// The facility `local0`.
const FACILITY: u8 = 16;
/// The private enterprise number that RFC 5612 keeps for examples: we have none of our own.
const DATA_ID: &str = "guildhall@32473";
/// RFC 5424's limit for a MSGID.
const MSGID_CHARS_MAX: usize = 32;

/// Where a collector listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogConfig {
    /// Its name or address, which its certificate must be for.
    pub host: String,
    /// Usually 6514.
    pub port: u16,
    /// Certificates of those who may vouch for it, as PEM; `None`: those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// What this machine is called there.
    pub hostname: String,
    /// What the messages are.
    pub form: Form,
}

/// Makes ready for TLS.
///
/// # Errors
/// If the certificates cannot be read, or the host is no name.
fn tls(config: &SyslogConfig) -> io::Result<(Arc<ClientConfig>, ServerName<'static>)> {
    let mut roots = RootCertStore::empty();
    match &config.ca_file {
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path).map_err(io::Error::other)?;
            for certificate in certificates {
                roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(io::Error::other("there is no certificate to trust"));
    }
    let name = ServerName::try_from(config.host.clone()).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((Arc::new(tls), name))
}

/// Takes lines for the collector, without waiting.
pub(crate) struct ToCollector(SyncSender<Vec<u8>>);

/// Waits, when it is dropped, until what is left is sent: for a while, once nobody gives lines.
#[derive(Debug)]
pub(crate) struct LastWords(Receiver<()>);

impl Drop for LastWords {
    fn drop(&mut self) {
        // lost-ok: what is not sent by then is lost with the process.
        self.0.recv_timeout(END_TIME_MAX).ok();
    }
}

/// Starts the thread that sends. `lost` counts lines that wait too long.
///
/// # Errors
/// If it cannot be made ready; whether the collector is there is found out later.
pub(crate) fn start(
    config: SyslogConfig,
    lost: Arc<AtomicU64>,
) -> io::Result<(ToCollector, LastWords)> {
    let (tls, name) = tls(&config)?;
    let (lines, queue) = sync_channel(QUEUE_LINES_MAX);
    let (end, ended) = sync_channel(1);
    let process = std::process::id();
    let mut sender = Sender {
        tls,
        name,
        config,
        process,
        connection: None,
        waiting: VecDeque::new(),
        bytes: 0,
        pause: 0,
        pauses: 1,
        lost,
    };
    std::thread::Builder::new().name("syslog".to_owned()).spawn(move || {
        sender.run(&queue);
        // lost-ok: nobody waits for the end any more.
        end.try_send(()).ok();
    })?;
    Ok((ToCollector(lines), LastWords(ended)))
}

impl Write for ToCollector {
    /// Takes a whole line or nothing.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let full = |_full_or_ended| io::ErrorKind::QuotaExceeded;
        self.0.try_send(line.to_vec()).map_err(full)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Connection = StreamOwned<ClientConnection, TcpStream>;

struct Sender {
    tls: Arc<ClientConfig>,
    name: ServerName<'static>,
    config: SyslogConfig,
    process: u32,
    connection: Option<Connection>,
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Seconds until the next attempt to connect.
    pause: u32,
    pauses: u32,
    lost: Arc<AtomicU64>,
}

impl Sender {
    fn run(&mut self, queue: &Receiver<Vec<u8>>) {
        loop {
            let is_over = match queue.recv_timeout(PAUSE) {
                Ok(line) => {
                    self.take(&line);
                    queue.try_iter().take(QUEUE_LINES_MAX).for_each(|it| self.take(&it));
                    false
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.pause = self.pause.saturating_sub(1);
                    false
                }
                Err(RecvTimeoutError::Disconnected) => true,
            };
            if is_over {
                self.pause = 0;
            }
            self.send();
            if is_over {
                return self.close();
            }
        }
    }

    /// Says goodbye, so that the collector knows that nothing is missing.
    fn close(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.conn.send_close_notify();
            // lost-ok: everything that there was to say is said.
            connection.flush().ok();
        }
    }

    fn take(&mut self, line: &[u8]) {
        let message = framed(&message(line, &self.config.hostname, self.process, self.config.form));
        if WAITING_BYTES_MAX < self.bytes + message.len() {
            self.lost.fetch_add(1, Relaxed);
            return;
        }
        self.bytes += message.len();
        self.waiting.push_back(message);
    }

    /// Sends what waits, as far as the collector takes it.
    fn send(&mut self) {
        if self.waiting.is_empty() || (self.connection.is_none() && 0 < self.pause) {
            return;
        }
        if self.connection.as_mut().is_some_and(has_ended) {
            self.connection = None;
        }
        if self.connection.is_none() {
            match self.connect() {
                Ok(connection) => {
                    (self.connection, self.pauses) = (Some(connection), 1);
                }
                Err(error) => {
                    if self.pauses == 1 {
                        warn!(
                            error.message = %error, event.action = "syslog_away",
                            event.outcome = "failure",
                            "the syslog collector cannot be reached; lines wait for it"
                        );
                    }
                    self.pause = self.pauses;
                    self.pauses = (self.pauses * 2).min(PAUSES_MAX);
                    return;
                }
            }
        }
        while let (Some(connection), Some(message)) = (&mut self.connection, self.waiting.front()) {
            if connection.write_all(message).and_then(|()| connection.flush()).is_err() {
                // Sent again over the next connection: the collector may have it twice.
                self.connection = None;
                self.pause = 1;
                return;
            }
            self.bytes -= message.len();
            self.waiting.pop_front();
        }
    }

    fn connect(&self) -> io::Result<Connection> {
        let mut why = io::Error::from(io::ErrorKind::NotFound);
        for address in (self.config.host.as_str(), self.config.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, TIME_MAX) {
                Ok(socket) => {
                    socket.set_write_timeout(Some(TIME_MAX))?;
                    socket.set_read_timeout(Some(TIME_MAX))?;
                    let tls = ClientConnection::new(Arc::clone(&self.tls), self.name.clone());
                    let mut stream = StreamOwned::new(tls.map_err(io::Error::other)?, socket);
                    // The certificate is checked before anything is sent.
                    stream.conn.complete_io(&mut stream.sock)?;
                    return Ok(stream);
                }
                Err(error) => why = error,
            }
        }
        Err(why)
    }
}

/// True if the collector has closed the connection: what is written into it would vanish.
fn has_ended(connection: &mut Connection) -> bool {
    if connection.sock.set_nonblocking(true).is_err() {
        return true;
    }
    let mut byte = [0];
    let ended = match connection.read(&mut byte) {
        Ok(0) => true,
        // A collector says nothing; if it does it is there.
        Ok(_) => false,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    };
    ended || connection.sock.set_nonblocking(false).is_err()
}

/// RFC 5425: the number of octets, a space, the message.
fn framed(message: &[u8]) -> Vec<u8> {
    [format!("{} ", message.len()).as_bytes(), message].concat()
}

/// A line of the log as an RFC 5424 message.
fn message(line: &[u8], hostname: &str, process: u32, form: Form) -> Vec<u8> {
    let line = line.trim_ascii_end();
    let read: Value = serde_json::from_slice(line).unwrap_or_default();
    let text = |key: &str| read.get(key).and_then(Value::as_str).unwrap_or_default();
    let severity = match text("log.level") {
        "error" => 3,
        "warn" => 4,
        "info" => 6,
        _debug_or_trace => 7,
    };
    let priority = FACILITY * 8 + severity;
    let time = word(text("@timestamp"), 64);
    let (host, action) = (word(hostname, 255), word(text("event.action"), MSGID_CHARS_MAX));
    let mut data = String::new();
    for (name, key) in
        [("action", "event.action"), ("outcome", "event.outcome"), ("trace", "trace.id")]
    {
        let value = text(key);
        if !value.is_empty() {
            data += &format!(" {name}=\"{}\"", escaped(value));
        }
    }
    let data = if data.is_empty() { "-".to_owned() } else { format!("[{DATA_ID}{data}]") };
    let head = format!("<{priority}>1 {time} {host} guildhall {process} {action} {data} ");
    [head.as_bytes(), &form.of(line)].concat()
}

/// A field of the head: printable ASCII without spaces; `-` for none.
fn word(text: &str, chars_max: usize) -> String {
    let word: String = text.chars().filter(char::is_ascii_graphic).take(chars_max).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}

/// A value of structured data: `"`, `\\` and `]` are escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().filter(|it| !it.is_control()) {
        if matches!(letter, '"' | '\\' | ']') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_message_of_rfc_5424_with_its_own_json_in_it() {
        let line = br#"{"@timestamp":"2026-11-26T08:15:00.123Z","log.level":"warn","message":"x","event.action":"ledger_failed","trace.id":"a\"]\\b"}
"#;
        let text = String::from_utf8(message(line, "hall 1", 42, Form::Ecs)).unwrap();
        let head = r#"<132>1 2026-11-26T08:15:00.123Z hall1 guildhall 42 ledger_failed [guildhall@32473 action="ledger_failed" trace="a\"\]\\b"] {"@timestamp""#;
        assert!(text.starts_with(head), "{text}");
        assert!(text.ends_with('}'), "no line end: {text}");
        let counted = framed(text.as_bytes());
        assert!(counted.starts_with(format!("{} <132>1 ", text.len()).as_bytes()));
    }

    #[test]
    fn what_is_no_json_is_sent_all_the_same_and_every_field_is_there() {
        let text = String::from_utf8(message(b"words\n", "", 1, Form::Cef)).unwrap();
        assert_eq!(text, "<135>1 - - guildhall 1 - - words");
        for (level, priority) in [("error", 131), ("info", 134), ("debug", 135), ("trace", 135)] {
            let line = format!(r#"{{"log.level":"{level}","event.action":"{}"}}"#, "a".repeat(40));
            let text = String::from_utf8(message(line.as_bytes(), "h", 1, Form::Ecs)).unwrap();
            let head = format!("<{priority}>1 - h guildhall 1 {} [", "a".repeat(32));
            assert!(text.starts_with(&head), "{text}");
        }
    }

    #[test]
    fn a_collector_that_is_away_costs_no_time_and_what_it_misses_is_counted() {
        let host = "127.0.0.1".to_owned();
        // Nobody listens on port 1.
        let hostname = "h".to_owned();
        let config = SyslogConfig { host, port: 1, ca_file: None, hostname, form: Form::Ecs };
        let lost = Arc::new(AtomicU64::new(0));
        let mut sender = Sender {
            tls: Arc::new(
                ClientConfig::builder_with_provider(Arc::new(
                    rustls::crypto::aws_lc_rs::default_provider(),
                ))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth(),
            ),
            name: ServerName::try_from("localhost").unwrap(),
            config,
            process: 1,
            connection: None,
            waiting: VecDeque::new(),
            bytes: 0,
            pause: 0,
            pauses: 1,
            lost: lost.clone(),
        };
        let line = vec![b'x'; 1 << 20];
        (0..5).for_each(|_| sender.take(&line));
        assert_eq!((sender.waiting.len(), lost.load(Relaxed)), (3, 2));
        sender.send();
        assert_eq!((sender.waiting.len(), sender.pause, sender.pauses), (3, 1, 2), "kept");
    }
}
