//! Servers that speak the Model Context Protocol: programs started here, and services over HTTP.
//!
//! Owns      one connection to each, opened again after it ended, with pauses that grow.
//! Promises  only tools that the operator named are offered, as they were when they were first seen;
//!           a call is sent once and never again; nothing that a server asks of us is done.
//!
//! Invariants: MCP-1 a program is started confined, or not at all where that is required. MCP-2 what a
//! server says of a tool is shortened before a model reads it.

mod health;
mod keeper;
mod output;
mod pins;
mod wire;

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use protocol::{
    Language,
    tool::{Effects, ServerHealth, ToolError, ToolOutput},
};
use reqwest::Url;
use rmcp::{
    Peer, RoleClient, ServiceError,
    model::{CallToolRequestParams, CallToolResponse, JsonObject, MetaObject, RequestMetaObject},
};
use secrecy::SecretString;
use serde_json::Value;
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::Instant,
};

pub(super) use self::keeper::keep;
pub use self::pins::{Pins, PinsError};
use self::{health::Record, wire::Flood};
use super::sandbox::Policy;
use crate::models::address::is_private_host;

/// The word under which a server finds what tells calls apart.
const KEY_NAME: &str = "guildhall/call";
/// How many calls in a row may go unanswered before the connection is opened anew.
const SILENCE_MAX: u32 = 3;

/// How one server is reached.
#[derive(Clone)]
pub enum Link {
    /// A program that is started here, and spoken to through its standard input and output.
    Program {
        /// Its name or path.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// Its whole environment.
        env: BTreeMap<String, SecretString>,
        /// What it may do.
        policy: Policy,
        /// The program that takes its rights away before it becomes it; `None` starts it as it is.
        helper: Option<PathBuf>,
    },
    /// A service over HTTP.
    Http {
        /// Where it is.
        url: String,
        /// Headers of every request, with the keys in them.
        headers: Vec<(String, SecretString)>,
        /// It may be on this machine or in a private network, and without encryption.
        allow_private: bool,
    },
}

/// Leaves out what may be secret.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { command, policy, .. } => f
                .debug_struct("Program")
                .field("command", command)
                .field("policy", policy)
                .finish_non_exhaustive(),
            Self::Http { allow_private, .. } => {
                f.debug_struct("Http").field("allow_private", allow_private).finish_non_exhaustive()
            }
        }
    }
}

/// A tool that an operator allows, and what they say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedTool {
    /// What the server calls it.
    pub name: String,
    /// What a call may change.
    pub effects: Effects,
    /// A person must agree to each call.
    pub needs_approval: bool,
    /// What people are told that a call does.
    pub does: String,
    /// The same in other languages.
    pub does_in: Vec<(Language, String)>,
}

/// One server, and the limits on it.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// What stands before the names of its tools.
    pub name: String,
    /// How it is reached.
    pub link: Link,
    /// The tools that may be used.
    pub tools: Vec<AllowedTool>,
    /// Tools that are not what they were are taken as they are now.
    pub accept_changes: bool,
    /// How long it may take to start.
    pub start_time_max: Duration,
    /// How long a call may take.
    pub call_time_max: Duration,
    /// The most calls at the same time.
    pub calls_in_flight_max: usize,
    /// The longest message that is read, in bytes.
    pub message_bytes_max: usize,
}

/// Why a server's settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ServerConfigError {
    /// One of its settings cannot be.
    #[error("{0}")]
    Setting(&'static str),
    /// The client for it cannot be made.
    #[error("the client for it cannot be made")]
    NoClient(#[source] reqwest::Error),
}

/// How a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerState {
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub up: bool,
    /// What keeps it from it, in our words; empty if nothing does.
    pub problem: String,
    /// All that it has, in the order of their names.
    pub tools: Vec<SeenTool>,
}

/// A tool that a server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenTool {
    /// What the server calls it; what is no good name is shortened to what could be one.
    pub name: String,
    /// Agents may be given it.
    pub offered: bool,
    /// Why not, in our words; empty if it is offered.
    pub problem: String,
}

/// One server.
pub(super) struct Server {
    config: ServerConfig,
    pins: Arc<Pins>,
    client: Option<reqwest::Client>,
    peer: Mutex<Option<(Peer<RoleClient>, Flood)>>,
    state: Mutex<ServerState>,
    record: Record,
    room: Semaphore,
    silent: AtomicU32,
    /// Asks the keeper to open the connection anew.
    renew: Notify,
    tried: watch::Sender<bool>,
}

impl Server {
    pub(super) fn new(config: ServerConfig, pins: Arc<Pins>) -> Result<Self, ServerConfigError> {
        let client = match &config.link {
            Link::Program { .. } => None,
            Link::Http { url, allow_private, .. } => {
                check_url(url, *allow_private).map_err(ServerConfigError::Setting)?;
                Some(wire::client(*allow_private).map_err(ServerConfigError::NoClient)?)
            }
        };
        let state = ServerState {
            name: config.name.clone(),
            up: false,
            problem: "it is being started".to_owned(),
            tools: Vec::new(),
        };
        Ok(Self {
            room: Semaphore::new(config.calls_in_flight_max.max(1)),
            config,
            pins,
            client,
            peer: Mutex::default(),
            state: Mutex::new(state),
            record: Record::default(),
            silent: AtomicU32::new(0),
            renew: Notify::new(),
            tried: watch::Sender::new(false),
        })
    }

    pub(super) fn config(&self) -> &ServerConfig {
        &self.config
    }

    pub(super) fn state(&self) -> ServerState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn health(&self) -> ServerHealth {
        self.record.health(self.state(), Instant::now())
    }

    /// A call of it ended: it answered, or not as it should.
    pub(super) fn was_called(&self, answered: bool) {
        self.record.called(answered);
    }

    fn set_state(&self, up: bool, problem: impl Into<String>, tools: Vec<SeenTool>) {
        let state =
            ServerState { name: self.config.name.clone(), up, problem: problem.into(), tools };
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.tried.send_replace(true);
    }

    fn set_peer(&self, peer: Option<(Peer<RoleClient>, Flood)>) {
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner) = peer;
        self.silent.store(0, Ordering::Relaxed);
    }

    /// True once it was started, or could not be.
    pub(super) fn was_tried(&self) -> bool {
        *self.tried.borrow()
    }

    /// Waits until it was started, or could not be.
    pub(super) async fn tried(&self) {
        // lost-ok: the sender lives as long as this server.
        self.tried.subscribe().wait_for(|it| *it).await.ok();
    }

    /// A call was not answered in time. After a few, the connection is opened anew.
    pub(super) fn was_silent(&self) {
        if SILENCE_MAX <= self.silent.fetch_add(1, Ordering::Relaxed) + 1 {
            self.renew.notify_one();
        }
    }

    /// Calls a tool by the name that the server gave it. Once: what is not answered is not sent again.
    pub(super) async fn call(
        &self,
        tool: &str,
        arguments: Value,
        key: &str,
    ) -> Result<ToolOutput, ToolError> {
        let _room = self.room.try_acquire().map_err(|_full| ToolError::Busy)?;
        let peer = self.peer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (peer, flood) =
            peer.ok_or_else(|| ToolError::Unavailable("it is not connected".into()))?;
        let mut params = CallToolRequestParams::new(tool.to_owned());
        if let Value::Object(arguments) = arguments {
            params = params.with_arguments(arguments);
        }
        let mut meta = JsonObject::new();
        meta.insert(KEY_NAME.to_owned(), key.into());
        params.meta = Some(RequestMetaObject(MetaObject(meta)));
        let answer = peer.call_tool_once(params).await;
        self.silent.store(0, Ordering::Relaxed);
        match answer {
            Ok(CallToolResponse::Complete(result)) => Ok(output::read(&result)),
            Ok(CallToolResponse::InputRequired(_) | CallToolResponse::Task(_)) => {
                Err(ToolError::Forbidden { what: "ask something back, or go on by itself" })
            }
            // Its words, like those of any result: they are screened before a model sees them.
            Err(ServiceError::McpError(error)) => Ok(output::refused(&error)),
            Err(_) if flood.came() => Err(ToolError::TooLarge),
            Err(error) => {
                // A program's end shows by itself; that a service is gone shows by its calls.
                if self.client.is_some() {
                    self.renew.notify_one();
                }
                Err(ToolError::Unavailable(wire::without_text(&error).into()))
            }
            // What later versions may give back.
            Ok(_) => Err(ToolError::Forbidden { what: "answer in another way" }),
        }
    }
}

fn check_url(url: &str, allow_private: bool) -> Result<(), &'static str> {
    let Ok(url) = Url::parse(url) else { return Err("`url` is not an address") };
    if !matches!(url.scheme(), "http" | "https") {
        return Err("`url` must begin with https:// or http://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("`url` must not hold a name or a password");
    }
    if !allow_private && url.scheme() == "http" {
        return Err("`url` must begin with https://, or `allow_private` must be set");
    }
    if !allow_private && url.host_str().is_none_or(is_private_host) {
        return Err("`url` is a private address; set `allow_private` if that is meant");
    }
    Ok(())
}
