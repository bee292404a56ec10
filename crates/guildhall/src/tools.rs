//! A look at the tools from outside: every server is started beside the hall, asked and ended.

use std::{sync::Arc, time::Duration};

use adapters::tools::{Hands, ServerState, sandbox::Standing};
use protocol::tool::{Effects, Invocation, Tool, ToolError, ToolOutput, Toolbox as _};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::{
    build::{
        BuildError,
        toolbox::{self, Purpose},
    },
    config::{Config, Loaded},
    doctor::Finding,
    run::SystemClock,
};

/// How long all servers together may take to start.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(30);

/// What there is.
pub struct Look {
    /// What the sandbox of this machine is worth; `None` where no server needs it.
    pub sandbox: Option<Standing>,
    /// How each server is.
    pub servers: Vec<ServerState>,
    /// What agents can be given.
    pub tools: Arc<[Tool]>,
}

/// Looks at everything.
///
/// # Errors
/// What is wrong with the settings.
pub fn look(loaded: &Loaded) -> Result<Look, BuildError> {
    let config = &loaded.config;
    let sandbox = toolbox::has_programs(config).then(toolbox::try_sandbox).transpose()?;
    let (runtime, hands) = open(loaded, |_| true)?;
    let look = runtime.block_on(async {
        hands.settle(SETTLE_TIME_MAX).await;
        let tools = hands.tools();
        let search = flow::papers::tool().filter(|_| 0 < config.limits.kept_files_max);
        let mut tools: Vec<Tool> = tools.iter().cloned().chain(search).collect();
        tools.sort_by(|one, other| one.name.cmp(&other.name));
        let look = Look { sandbox, servers: hands.servers(), tools: tools.into() };
        hands.close().await;
        look
    });
    Ok(look)
}

/// Calls one tool, as an agent would.
///
/// # Errors
/// What is wrong with the settings.
pub fn call(
    loaded: &Loaded,
    call: &Invocation,
) -> Result<Result<ToolOutput, ToolError>, BuildError> {
    let (runtime, hands) = open(loaded, |server| call.tool.server() == Some(server))?;
    let result = runtime.block_on(async {
        hands.settle(SETTLE_TIME_MAX).await;
        let result = hands.call(call).await;
        hands.close().await;
        result
    });
    Ok(result)
}

/// Opens the hall's own tools, and those servers that are wanted.
fn open(loaded: &Loaded, wants: impl Fn(&str) -> bool) -> Result<(Runtime, Hands), BuildError> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| BuildError::of(&error))?;
    let clock = Arc::new(SystemClock);
    // The client for HTTP wants a runtime around it when it is made.
    let entered = runtime.enter();
    let mut config = toolbox::settings(loaded, Purpose::Look)?;
    config.servers.retain(|it| wants(&it.name));
    let hands = Hands::open(config, runtime.handle().clone(), clock);
    let hands = hands.map_err(|error| BuildError::of(&error))?;
    drop(entered);
    Ok((runtime, hands))
}

impl Look {
    /// What is wrong, in words; empty if all is well.
    #[must_use]
    pub fn problems(&self, config: &Config) -> Vec<String> {
        let mut problems = Vec::new();
        let required =
            config.tool_servers.iter().any(|it| it.command.is_some() && it.require_sandbox);
        if let Some(sandbox) = self.sandbox.as_ref().filter(|it| required && !it.holds()) {
            problems
                .push(format!("this machine cannot confine tool servers ({})", sandbox.words()));
        }
        for (server, settings) in self.servers.iter().zip(&config.tool_servers) {
            if !server.up {
                problems.push(format!(
                    "the tool server `{}` is not there: {}",
                    server.name, server.problem
                ));
            }
            let named = server.tools.iter().filter(|it| !it.offered);
            for tool in named.filter(|it| settings.tool.iter().any(|row| row.name == it.name)) {
                problems.push(format!(
                    "`{}.{}` is not offered: {}",
                    server.name, tool.name, tool.problem
                ));
            }
        }
        problems
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self, config: &Config) -> Value {
        let servers = self.servers.iter().map(|it| {
            let tools = it.tools.iter();
            let tools = tools.map(|it| json!({ "name": it.name, "offered": it.offered, "problem": it.problem }));
            json!({ "name": it.name, "up": it.up, "problem": it.problem, "tools": tools.collect::<Vec<_>>() })
        });
        let tools = self.tools.iter().map(|it| {
            json!({
                "name": it.name.as_str(), "effects": it.effects, "approval": it.needs_approval,
                "description": it.description, "parameters": it.parameters,
            })
        });
        json!({
            "sandbox": self.sandbox,
            "servers": servers.collect::<Vec<_>>(),
            "tools": tools.collect::<Vec<_>>(),
            "problems": self.problems(config),
        })
    }

    /// For people.
    #[must_use]
    pub fn words(&self) -> String {
        let mut text = String::new();
        if let Some(sandbox) = &self.sandbox {
            let stands = if sandbox.holds() { "stands" } else { "does not stand" };
            text.push_str(&format!("The sandbox {stands}: {}\n", sandbox.words()));
        }
        text.push_str("Agents can be given:\n");
        for tool in self.tools.iter() {
            let effects = match tool.effects {
                Effects::ReadOnly => "changes nothing",
                Effects::Idempotent => "may be repeated",
                Effects::Once => "changes something",
            };
            let asks = if tool.needs_approval { ", a person agrees to each call" } else { "" };
            text.push_str(&format!("  {:<40} {effects}{asks}\n", tool.name.as_str()));
        }
        for server in &self.servers {
            let state = if server.up { "is there" } else { "is not there: " };
            text.push_str(&format!("The server {} {state}{}\n", server.name, server.problem));
            for tool in server.tools.iter().filter(|it| !it.offered) {
                text.push_str(&format!("  {:<40} not offered: {}\n", tool.name, tool.problem));
            }
        }
        text
    }
}

/// What `doctor` says about tools.
#[must_use]
pub fn examine(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    if config.tool_servers.is_empty() {
        return Vec::new();
    }
    match look(loaded) {
        Ok(look) => {
            let fix =
                "`guildhall tools list` shows more; docs/tool-servers.md says what can be set";
            let found = look.problems(config).into_iter();
            let mut findings: Vec<Finding> =
                found.map(|it| Finding::bad("a tool server cannot be used", it, fix)).collect();
            if findings.is_empty() {
                let offered = look.tools.iter().filter(|it| it.name.server().is_some()).count();
                let servers = look.servers.len();
                findings.push(Finding::ok(format!("{servers} tool servers offer {offered} tools")));
            }
            if let Some(sandbox) = look.sandbox.filter(|it| it.holds() && !it.namespaces) {
                findings.push(Finding::warn(
                    "tool servers have no namespaces of their own",
                    sandbox.words(),
                    "allow user namespaces, if you can; files, calls and the network are closed without them, too",
                ));
            }
            findings
        }
        Err(error) => vec![Finding::bad(
            "the tool servers cannot be used",
            error.to_string(),
            "correct the settings",
        )],
    }
}
