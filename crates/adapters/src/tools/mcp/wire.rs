//! The two ways to a server: through pipes to a confined program, and over HTTP.
//!
//! Owns      the program's process group while it lives, and its folder.
//! Promises  no message longer than its limit is read whole; a program inherits no variable, no file
//!           and no terminal; its whole group ends with the connection.

use std::{
    io,
    path::Path,
    pin::Pin,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use reqwest::{
    Client,
    header::{HeaderName, HeaderValue},
    redirect,
};
use rmcp::{
    ServiceError,
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use rustix::process::{Pid, Signal};
use secrecy::ExposeSecret as _;
use tokio::{
    io::{AsyncRead, ReadBuf},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{Link, ServerConfig};
use crate::models::address::PublicOnly;

/// How long connecting may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// Where programs are looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Whether a server sent more than is read.
#[derive(Clone, Default)]
pub(super) struct Flood(Arc<AtomicBool>);

impl Flood {
    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A running program. Dropping it kills its whole process group and removes its folder.
pub(super) struct Program {
    child: Child,
    group: Option<Pid>,
    work: std::path::PathBuf,
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(group) = self.group.take() {
            // lost-ok: it is gone already.
            rustix::process::kill_process_group(group, Signal::KILL).ok();
        }
        // lost-ok: it is gone, or emptied at the next start.
        std::fs::remove_dir_all(&self.work).ok();
    }
}

impl Program {
    /// Kills it and waits until it is gone.
    pub(super) async fn end(mut self) {
        if let Some(group) = self.group.take() {
            // lost-ok: it is gone already.
            rustix::process::kill_process_group(group, Signal::KILL).ok();
        }
        // lost-ok: it is gone already.
        self.child.wait().await.ok();
    }
}

/// Reads a program's messages, and ends at one that is longer than its limit.
pub(super) struct Lines {
    inner: ChildStdout,
    line_bytes_max: usize,
    line_bytes: usize,
    flood: Flood,
}

impl AsyncRead for Lines {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Poll::Ready(Ok(())) = &polled {
            let new = buffer.filled().get(before..).unwrap_or_default();
            self.line_bytes = match new.iter().rposition(|it| *it == b'\n') {
                Some(at) => new.len() - at - 1,
                None => self.line_bytes + new.len(),
            };
            if self.line_bytes_max < self.line_bytes {
                self.flood.0.store(true, Ordering::Relaxed);
                return Poll::Ready(Err(io::Error::other("the message is too long")));
            }
        }
        polled
    }
}

/// Starts a server's program.
pub(super) fn start(
    config: &ServerConfig,
    show_errors: bool,
) -> io::Result<(Program, Lines, ChildStdin, Flood)> {
    let Link::Program { command, args, env, policy, helper } = &config.link else {
        return Err(io::Error::other("it is no program"));
    };
    make_empty(&policy.work)?;
    let mut start = match helper {
        Some(helper) => {
            let policy = serde_json::to_string(policy)?;
            let mut start = Command::new(helper);
            start.args(["sandbox-exec", "--policy", &policy, "--", command]).args(args);
            start
        }
        None => {
            let mut start = Command::new(command);
            start.args(args);
            start
        }
    };
    // MCP-1: what it gets is listed here; it inherits nothing.
    start
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", &policy.work)
        .env("TMPDIR", &policy.work)
        .env("LANG", "C.UTF-8")
        .envs(env.iter().map(|(name, value)| (name, value.expose_secret())))
        .current_dir(&policy.work)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // What it says beside may hold anything: it is not logged.
        .stderr(if show_errors { Stdio::inherit() } else { Stdio::null() })
        .process_group(0)
        .kill_on_drop(true);
    let mut child = start.spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let pipes = child.stdin.take().zip(child.stdout.take());
    let program = Program { child, group, work: policy.work.clone() };
    let (stdin, inner) = pipes.ok_or_else(|| io::Error::other("it has no pipes"))?;
    let flood = Flood::default();
    let line_bytes_max = config.message_bytes_max;
    let lines = Lines { inner, line_bytes_max, line_bytes: 0, flood: flood.clone() };
    Ok((program, lines, stdin, flood))
}

/// Makes a folder that holds nothing and that only we may enter.
fn make_empty(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    if let Some(parent) = folder.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    // One that somebody else made meanwhile is not taken.
    std::fs::DirBuilder::new().mode(0o700).create(folder)
}

/// The client for a service.
pub(super) fn client(allow_private: bool) -> reqwest::Result<Client> {
    let mut builder = Client::builder()
        .user_agent(concat!("guildhall/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT_TIME_MAX);
    if !allow_private {
        builder = builder.dns_resolver(Arc::new(PublicOnly));
    }
    builder.build()
}

/// The way to a service.
pub(super) fn service(
    config: &ServerConfig,
    client: Client,
) -> io::Result<StreamableHttpClientTransport<Client>> {
    let Link::Http { url, headers, .. } = &config.link else {
        return Err(io::Error::other("it is no service"));
    };
    let mut custom = std::collections::HashMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(io::Error::other)?;
        let value = HeaderValue::from_str(value.expose_secret()).map_err(io::Error::other);
        let mut value = value?;
        value.set_sensitive(true);
        custom.insert(name, value);
    }
    let transport = StreamableHttpClientTransportConfig::with_uri(url.as_str())
        .custom_headers(custom)
        .max_concurrent_requests(config.calls_in_flight_max)
        .max_sse_event_size(config.message_bytes_max)
        .max_json_response_size(config.message_bytes_max)
        .max_error_response_size(1_024);
    Ok(StreamableHttpClientTransport::with_client(client, transport))
}

/// What went wrong, without what the server said: its words are in no log.
pub(super) fn without_text(error: &ServiceError) -> &'static str {
    match error {
        ServiceError::McpError(_) => "it refused",
        ServiceError::TransportSend(_) => "the message could not be sent to it",
        ServiceError::TransportClosed => "the connection to it ended",
        ServiceError::UnexpectedResponse => "it answered something else",
        ServiceError::Cancelled { .. } => "it was cancelled",
        ServiceError::Timeout { .. } => "it did not answer in time",
        ServiceError::SubscriptionLagged { .. }
        | ServiceError::InputRequiredRoundsExceeded { .. }
        | _ => "it failed",
    }
}
