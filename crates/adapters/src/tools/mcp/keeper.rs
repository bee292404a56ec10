//! Keeps the connection to one server: opens it, asks what it has, and opens it again when it ended.
//!
//! Owns      the server's process or session while it lives.
//! On crash  the connection ends with it, and so does the program.

use std::{pin::pin, sync::Arc, time::Duration};

use futures::FutureExt as _;
use protocol::tool::{Told, Tool, ToolName};
use rmcp::{
    ClientHandler, Peer, RoleClient, ServiceExt as _,
    model::{ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams},
    service::{ClientInitializeError, NotificationContext, RunningService},
};
use serde_json::Value;
use tokio::{sync::Notify, time::Instant};
use tracing::{debug, info, warn};

use super::{
    AllowedTool, Link, SeenTool, Server,
    pins::{self, Seen},
    wire::{self, Flood, Program},
};
use crate::tools::{Board, Offer, Way, schema::Fit};

/// The pause after a first failure.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A connection that lived so long was a good one.
const GOOD_AFTER: Duration = Duration::from_secs(60);
/// The most pages of a server's list.
const PAGES_MAX: usize = 20;
/// The most tools of one server.
const TOOLS_MAX: usize = 500;
/// The longest description that a model reads, in characters.
const DESCRIPTION_CHARS_MAX: usize = 1_000;
/// The longest title that people read, in characters.
const TITLE_CHARS_MAX: usize = 80;

/// What is said of a tool that says something else than when it was first seen.
pub(super) const CHANGED: &str =
    "it is not what it was when it was first seen; look at it, and set `accept_changes`";

/// Keeps a server, for ever.
pub(in crate::tools) async fn keep(server: Arc<Server>, board: Arc<Board>) {
    let mut pause = PAUSE_MIN;
    loop {
        let began = Instant::now();
        let problem = live(&server, &board).await;
        server.set_peer(None);
        board.publish(&server.config.name, Vec::new());
        if GOOD_AFTER <= began.elapsed() {
            pause = PAUSE_MIN;
        }
        warn!(
            labels.server = server.config.name,
            labels.problem = problem,
            event.action = "tool_server_down",
            "a tool server is not there"
        );
        server.record.ended(problem, Instant::now());
        server.set_state(false, problem, Vec::new());
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// One connection from its beginning to its end. Returns why it ended.
async fn live(server: &Arc<Server>, board: &Board) -> &'static str {
    let changed = Arc::new(Notify::new());
    let opened = tokio::time::timeout(server.config.start_time_max, open(server, &changed)).await;
    let (service, flood, program) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(problem)) => return problem,
        Err(_elapsed) => return "it did not start in time",
    };
    // lost-ok: what was said of the connection before is over with it.
    server.renew.notified().now_or_never();
    let peer = service.peer().clone();
    let cancel = service.cancellation_token();
    let why = {
        let mut ended = pin!(service.waiting());
        loop {
            match list(server, board, &peer).await {
                Ok(seen) => {
                    server.set_peer(Some((peer.clone(), flood.clone())));
                    server.set_state(true, "", seen);
                }
                Err(problem) => break problem,
            }
            tokio::select! {
                () = changed.notified() => debug!(labels.server = server.config.name, "its tools changed"),
                () = server.renew.notified() => break "it did not answer as it should",
                _ = &mut ended => break if flood.came() { "it sent more than is read" } else { "it ended" },
            }
        }
    };
    cancel.cancel();
    if let Some(program) = program {
        program.end().await;
    }
    why
}

type Opened = (RunningService<RoleClient, Listener>, Flood, Option<Program>);

async fn open(server: &Server, changed: &Arc<Notify>) -> Result<Opened, &'static str> {
    let listener = Listener { changed: Arc::clone(changed) };
    match &server.config.link {
        Link::Program { .. } => {
            let started = wire::start(&server.config, false);
            let (program, lines, stdin, flood) =
                started.map_err(|_why| "its program cannot be started")?;
            let service =
                listener.serve((lines, stdin)).await.map_err(|error| kind(&error, true))?;
            Ok((service, flood, Some(program)))
        }
        Link::Http { .. } => {
            let client = server.client.clone().ok_or("it has no client")?;
            let transport = wire::service(&server.config, client);
            let transport = transport.map_err(|_why| "its headers cannot be used")?;
            let service = listener.serve(transport).await.map_err(|error| kind(&error, false))?;
            Ok((service, Flood::default(), None))
        }
    }
}

/// What kept a connection from being opened, without what the server said.
fn kind(error: &ClientInitializeError, is_program: bool) -> &'static str {
    match error {
        ClientInitializeError::ConnectionClosed(_) => "it ended before it was ready",
        // Whether a program's end is seen when it is read or when it is written to is chance.
        ClientInitializeError::TransportError { .. } if is_program => {
            "it ended before it was ready"
        }
        ClientInitializeError::TransportError { .. } => "it cannot be reached",
        ClientInitializeError::ExpectedInitResponse(_)
        | ClientInitializeError::ExpectedInitResult(_)
        | ClientInitializeError::ConflictInitResponseId(..)
        | ClientInitializeError::UncorrelatedErrorResponse { .. }
        | ClientInitializeError::JsonRpcError(_)
        | ClientInitializeError::NoCompatibleProtocolVersion { .. }
        | ClientInitializeError::NoPreferredProtocolVersion
        | ClientInitializeError::Cancelled
        | ClientInitializeError::LegacyFallbackFailed { .. }
        | _ => "it does not speak the protocol as it should",
    }
}

/// Hears what a server tells us. What it asks is refused: it may not ask models or people.
struct Listener {
    changed: Arc<Notify>,
}

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        let us = Implementation::new("guildhall", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), us)
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }
}

/// Asks what a server has, and offers what may be offered.
async fn list(
    server: &Arc<Server>,
    board: &Board,
    peer: &Peer<RoleClient>,
) -> Result<Vec<SeenTool>, &'static str> {
    let asked = tokio::time::timeout(server.config.start_time_max, ask(peer)).await;
    let found = asked.map_err(|_elapsed| "it did not list its tools in time")??;
    let (mut offers, mut seen) = (Vec::new(), Vec::new());
    for tool in found {
        let (name, result) = take(server, tool);
        let problem = match result {
            Ok(offer) => {
                offers.push(offer);
                String::new()
            }
            Err(problem) => problem,
        };
        seen.push(SeenTool { name, offered: problem.is_empty(), problem });
    }
    for allowed in &server.config.tools {
        if !seen.iter().any(|it| it.name == allowed.name) {
            let problem = "it is allowed, and the server does not have it".to_owned();
            seen.push(SeenTool { name: allowed.name.clone(), offered: false, problem });
        }
    }
    seen.sort_by(|one, other| one.name.cmp(&other.name));
    info!(
        labels.server = server.config.name,
        labels.tools = offers.len(),
        event.action = "tool_server_up",
        "a tool server is there"
    );
    board.publish(&server.config.name, offers);
    Ok(seen)
}

async fn ask(peer: &Peer<RoleClient>) -> Result<Vec<rmcp::model::Tool>, &'static str> {
    // Its list is asked for because it may have changed: never an answer from before.
    peer.clear_response_cache().await;
    let mut found = Vec::new();
    let mut cursor = None;
    for _page in 0..PAGES_MAX {
        let params = PaginatedRequestParams::default().with_cursor(cursor);
        let page =
            peer.list_tools(Some(params)).await.map_err(|error| wire::without_text(&error))?;
        found.extend(page.tools);
        cursor = page.next_cursor;
        if cursor.is_none() && found.len() <= TOOLS_MAX {
            return Ok(found);
        }
    }
    Err("it has too many tools")
}

/// Judges one tool: its name as we say it, and what is offered or why not.
fn take(server: &Arc<Server>, tool: rmcp::model::Tool) -> (String, Result<Offer, String>) {
    let may_stand = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let shown: String = tool.name.chars().filter(may_stand).take(64).collect();
    let Some(allowed) = server.config.tools.iter().find(|it| it.name == tool.name) else {
        return (shown, Err("it is not named in the settings".to_owned()));
    };
    let whole = tool.description.as_deref().unwrap_or_default().to_owned();
    let parameters = Value::Object(tool.input_schema.as_ref().clone());
    let title = title_of(&tool);
    let digests = pins::Digests::of(&tool.name, &title, &whole, &parameters);
    let made = offer(server, allowed, title, &whole, parameters);
    let pin = format!("{}.{}", server.config.name, allowed.name);
    let made = made.and_then(|offer| match server.pins.look(&pin, &digests, server.config.accept_changes) {
        Ok(Seen::New | Seen::Same) => Ok(offer),
        Ok(Seen::Changed) if server.config.accept_changes => Ok(offer),
        Ok(Seen::Changed) => {
            warn!(labels.tool = pin, event.action = "tool_changed", "a tool is not what it was, and is withdrawn");
            Err(CHANGED.to_owned())
        }
        Err(error) => {
            warn!(labels.tool = pin, error.message = %error, event.action = "tool_pins", "what tools were like cannot be kept");
            Err("what it is like cannot be noted".to_owned())
        }
    });
    (shown, made)
}

fn offer(
    server: &Arc<Server>,
    allowed: &AllowedTool,
    title: String,
    whole: &str,
    parameters: Value,
) -> Result<Offer, String> {
    let name: ToolName = format!("{}.{}", server.config.name, allowed.name)
        .parse()
        .map_err(|_bad| "its name cannot be used".to_owned())?;
    let fit = Fit::of(&parameters).map_err(|error| error.to_string())?;
    let tool = Tool {
        name,
        description: shorten(whole),
        parameters,
        // TOOLS-1: what the operator says, never what the server says of itself.
        effects: allowed.effects,
        needs_approval: allowed.needs_approval,
        told: Told { title, does: allowed.does.clone(), does_in: allowed.does_in.clone() },
    };
    let way = Way::Server { server: Arc::clone(server), remote: allowed.name.clone() };
    Ok(Offer { tool, fit, way })
}

/// What a server calls a tool for people, on one line and shortened. MCP-2.
fn title_of(tool: &rmcp::model::Tool) -> String {
    let annotated = || tool.annotations.as_ref().and_then(|it| it.title.as_deref());
    let whole = tool.title.as_deref().or_else(annotated).unwrap_or_default();
    let line = whole.split(|c: char| c.is_whitespace() || c.is_control());
    let line = line.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TITLE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// MCP-2: a description without what nobody sees, and no longer than is needed.
fn shorten(whole: &str) -> String {
    let visible = |c: &char| !c.is_control() || *c == '\n';
    let text: String = whole.chars().filter(visible).take(DESCRIPTION_CHARS_MAX).collect();
    if text.chars().count() < whole.chars().filter(visible).count() {
        format!("{text}…")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mcp_2_what_a_server_says_of_a_tool_is_shortened() {
        assert_eq!(shorten("Reads\u{0} a file.\u{1b}[31m\nSlowly."), "Reads a file.[31m\nSlowly.");
        let long = shorten(&"é".repeat(5_000));
        assert_eq!(long.chars().count(), DESCRIPTION_CHARS_MAX + 1);
    }
}
