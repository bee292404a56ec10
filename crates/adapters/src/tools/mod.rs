//! What agents can do besides writing: a few tools of the hall's own, and those of MCP servers.
//!
//! Owns      the list of what there is now, how often each is called, and the servers.
//! Promises  arguments fit before anything is called; every call ends in time, and what it gives back
//!           is cut to a size; no error holds an argument or a text of a server.
//!
//! Invariants: TOOLS-1 what a call may change is what the operator says, never what a server says of
//! itself. TOOLS-2 a tool that is not there, or whose arguments do not fit, is not called.

mod calculator;
mod clock;
mod fetch;
pub mod mcp;
mod pace;
mod readable;
pub mod sandbox;
mod schema;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use protocol::{
    Clock,
    tool::{
        Effects, Invocation, ServerHealth, Told, Tool, ToolError, ToolName, ToolOutput, Toolbox,
    },
};
use serde_json::Value;
use tokio::{runtime::Handle, task::JoinHandle, time::Instant};

use self::{calculator::Calculator, fetch::Fetcher, mcp::Server, pace::Pace, schema::Fit};
pub use self::{
    fetch::FetchConfig,
    mcp::{ServerConfig, ServerState},
    schema::SchemaError,
};

/// The longest arguments, as JSON, in bytes.
const ARGUMENTS_BYTES_MAX: usize = 256 * 1024;

/// The longest note that something was cut, in bytes.
const CUT_NOTE_BYTES_MAX: usize = 80;

/// What there is, and within which limits.
#[derive(Clone, Debug)]
pub struct HandsConfig {
    /// How long a call may take, where its server says nothing else.
    pub call_time_max: Duration,
    /// The most calls of one tool within a minute.
    pub calls_per_minute_max: u32,
    /// The longest text that a call gives back, in bytes; what is longer is cut.
    pub result_bytes_max: usize,
    /// Reading the web; `None` where it is off.
    pub fetch: Option<FetchConfig>,
    /// Reading the web needs a person's word each time.
    pub fetch_approval: bool,
    /// The MCP servers.
    pub servers: Vec<ServerConfig>,
    /// The file that says what tools were like when they were first seen.
    pub pins: std::path::PathBuf,
    /// What is seen anew is noted there.
    pub keeps_pins: bool,
}

/// Why there are no tools.
#[derive(Debug, thiserror::Error)]
pub enum OpenHandsError {
    /// The web cannot be read.
    #[error("the client for web pages cannot be made")]
    Fetch(#[source] reqwest::Error),
    /// A server's settings cannot be used.
    #[error("the tool server `{name}` cannot be used")]
    Server {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: mcp::ServerConfigError,
    },
    /// What is known of tools cannot be read.
    #[error("what tools were like cannot be read")]
    Pins(#[source] mcp::PinsError),
}

/// Where a call goes.
enum Way {
    Calculator(Calculator),
    Clock,
    Fetch(Arc<Fetcher>),
    Server { server: Arc<Server>, remote: String },
}

/// One tool, ready to be called.
struct Offer {
    tool: Tool,
    fit: Fit,
    way: Way,
}

/// What there is now.
#[derive(Default)]
struct Board {
    offers: Mutex<BTreeMap<ToolName, Arc<Offer>>>,
    list: RwLock<Arc<[Tool]>>,
}

impl Board {
    /// Puts these in the place of all that this server had.
    fn publish(&self, server: &str, offers: Vec<Offer>) {
        let mut all = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|name, _| name.server() != Some(server));
        all.extend(offers.into_iter().map(|it| (it.tool.name.clone(), Arc::new(it))));
        let list = all.values().map(|it| it.tool.clone()).collect();
        *self.list.write().unwrap_or_else(PoisonError::into_inner) = list;
    }

    fn find(&self, name: &ToolName) -> Option<Arc<Offer>> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// The hall's tools. Dropping it ends the servers.
pub struct Hands {
    config: HandsConfig,
    runtime: Handle,
    clock: Arc<dyn Clock>,
    board: Arc<Board>,
    pace: Pace,
    servers: Vec<Arc<Server>>,
    keepers: Mutex<Vec<Aborts<()>>>,
}

impl Hands {
    /// Makes the tools ready, and begins to start the servers on `runtime`.
    ///
    /// # Errors
    /// What is wrong with a setting, or with the file of pins.
    pub fn open(
        config: HandsConfig,
        runtime: Handle,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenHandsError> {
        let board = Arc::new(Board::default());
        let mut offers = vec![
            own(
                "calculator",
                calculator::DESCRIPTION,
                calculator::parameters(),
                Way::Calculator(Calculator::new()),
            ),
            own("clock", clock::DESCRIPTION, clock::parameters(), Way::Clock),
        ];
        if let Some(fetch) = &config.fetch {
            let fetcher = Fetcher::new(fetch.clone()).map_err(OpenHandsError::Fetch)?;
            let way = Way::Fetch(Arc::new(fetcher));
            let mut offer = own("fetch", fetch::DESCRIPTION, fetch::parameters(), way);
            offer.tool.needs_approval = config.fetch_approval;
            offers.push(offer);
        }
        board.publish("", offers);
        let pins = Arc::new(
            mcp::Pins::open(config.pins.clone(), config.keeps_pins)
                .map_err(OpenHandsError::Pins)?,
        );
        let mut servers = Vec::new();
        for server in &config.servers {
            let name = server.name.clone();
            let made = Server::new(server.clone(), Arc::clone(&pins));
            let made = made.map_err(|source| OpenHandsError::Server { name, source })?;
            servers.push(Arc::new(made));
        }
        let keep = |server: &Arc<Server>| {
            Aborts(runtime.spawn(mcp::keep(Arc::clone(server), Arc::clone(&board))))
        };
        let keepers = Mutex::new(servers.iter().map(keep).collect());
        let pace = Pace::new(config.calls_per_minute_max);
        Ok(Self { config, runtime, clock, board, pace, servers, keepers })
    }

    /// How each server is.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerState> {
        self.servers.iter().map(|it| it.state()).collect()
    }

    /// Waits until every server has been tried once, at most so long.
    pub async fn settle(&self, time_max: Duration) {
        // lost-ok: whoever is not there by then shows as that.
        tokio::time::timeout(time_max, self.settled()).await.ok();
    }

    /// Ends the servers, and waits until their processes are gone.
    pub async fn close(&self) {
        let keepers =
            std::mem::take(&mut *self.keepers.lock().unwrap_or_else(PoisonError::into_inner));
        for mut keeper in keepers {
            keeper.0.abort();
            // lost-ok: it was cancelled; its processes are killed with it.
            (&mut keeper.0).await.ok();
        }
        for server in &self.servers {
            self.board.publish(&server.config().name, Vec::new());
        }
    }

    async fn go(&self, offer: &Offer, call: &Invocation) -> Result<ToolOutput, ToolError> {
        match &offer.way {
            Way::Calculator(calculator) => calculator.call(&call.arguments).await,
            Way::Clock => Ok(clock::call(self.clock.now(), &call.arguments)),
            Way::Fetch(fetcher) => {
                let (fetcher, arguments) = (Arc::clone(fetcher), call.arguments.clone());
                let work = self.runtime.spawn(async move { fetcher.call(&arguments).await });
                Aborts(work).wait().await
            }
            Way::Server { server, remote } => {
                let (server, remote) = (Arc::clone(server), remote.clone());
                let (arguments, key) = (call.arguments.clone(), call.key.clone());
                let work = async move { server.call(&remote, arguments, &key).await };
                Aborts(self.runtime.spawn(work)).wait().await
            }
        }
    }
}

#[async_trait]
impl Toolbox for Hands {
    fn tools(&self) -> Arc<[Tool]> {
        Arc::clone(&self.board.list.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_settled(&self) -> bool {
        self.servers.iter().all(|it| it.was_tried())
    }

    async fn settled(&self) {
        futures::future::join_all(self.servers.iter().map(|it| it.tried())).await;
    }

    fn health(&self) -> Vec<ServerHealth> {
        self.servers.iter().map(|it| it.health()).collect()
    }

    async fn call(&self, call: &Invocation) -> Result<ToolOutput, ToolError> {
        // TOOLS-2: a tool that is not there, or whose arguments do not fit, is not called.
        let offer = self.board.find(&call.tool).ok_or(ToolError::Unknown)?;
        let bytes = serde_json::to_vec(&call.arguments).map_or(usize::MAX, |it| it.len());
        if ARGUMENTS_BYTES_MAX < bytes {
            return Err(ToolError::Unfit { what: "they are too long".to_owned() });
        }
        offer.fit.check(&call.arguments).map_err(|what| ToolError::Unfit { what })?;
        if !self.pace.admits(&call.tool, Instant::now()) {
            return Err(ToolError::Busy);
        }
        let time_max = match &offer.way {
            Way::Server { server, .. } => server.config().call_time_max,
            Way::Calculator(_) | Way::Clock | Way::Fetch(_) => self.config.call_time_max,
        };
        let called = tokio::time::timeout(time_max, self.go(&offer, call)).await;
        if let Way::Server { server, .. } = &offer.way {
            server.was_called(matches!(called, Ok(Ok(_))));
        }
        match called {
            Ok(output) => Ok(cut(output?, self.config.result_bytes_max)),
            Err(_elapsed) => {
                if let Way::Server { server, .. } = &offer.way {
                    server.was_silent();
                }
                Err(ToolError::TimedOut)
            }
        }
    }
}

/// A tool of the hall's own.
fn own(name: &str, description: &str, parameters: Value, way: Way) -> Offer {
    let fit = Fit::ours(parameters.clone());
    let tool = Tool {
        name: name.parse().expect("our own names keep to the pattern; a test opens them all"),
        description: description.to_owned(),
        parameters,
        effects: Effects::ReadOnly,
        needs_approval: false,
        told: Told::default(),
    };
    Offer { tool, fit, way }
}

/// Cuts what a tool gave back at a character boundary, and says so within the same bound.
fn cut(mut output: ToolOutput, bytes_max: usize) -> ToolOutput {
    let bytes = output.text.len();
    if bytes_max < bytes {
        let end = bytes_max.saturating_sub(CUT_NOTE_BYTES_MAX);
        output.text.truncate(output.text.floor_char_boundary(end));
        let left = bytes - output.text.len();
        output.text.push_str(&format!("\n[The result is longer: {left} bytes are left out here.]"));
    }
    output
}

/// Work that ends when nobody waits for it any more.
struct Aborts<T>(JoinHandle<T>);

impl<T> Drop for Aborts<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Aborts<Result<ToolOutput, ToolError>> {
    async fn wait(mut self) -> Result<ToolOutput, ToolError> {
        match (&mut self.0).await {
            Ok(result) => result,
            Err(error) => Err(ToolError::Unavailable(Box::new(error))),
        }
    }
}

#[cfg(test)]
mod tests;
