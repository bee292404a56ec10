//! Makes the toolbox of the settings: the hall's own tools, and the servers of others.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use adapters::tools::{
    FetchConfig, Hands, HandsConfig, ServerConfig,
    mcp::{AllowedTool, Link},
    sandbox::{self, Policy, Standing},
};
use protocol::{Clock, tool::Effects};
use secrecy::SecretString;
use tokio::runtime::Handle;
use tracing::{info, warn};

use super::BuildError;
use crate::config::{
    Config, Loaded, ToolApproval, ToolEffects, ToolRow, ToolServerConfig, does_in,
};

/// This program, also after another file took its place.
pub(crate) const OURSELVES: &str = "/proc/self/exe";

/// For what the toolbox is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The hall uses it.
    Use,
    /// An operator looks at it, perhaps beside a hall that runs: nothing of the hall's is touched.
    Look,
}

/// The file that says what tools were like when they were first seen.
#[must_use]
pub fn pins_file(config: &Config) -> PathBuf {
    config.hall.data_dir.join("tools.json")
}

/// Makes the toolbox, and begins to start the servers.
///
/// # Errors
/// What is wrong with a setting.
pub fn toolbox(
    loaded: &Loaded,
    runtime: Handle,
    clock: Arc<dyn Clock>,
) -> Result<Hands, BuildError> {
    let config = settings(loaded, Purpose::Use)?;
    if has_programs(&loaded.config) {
        warn_of_sandbox(loaded);
    }
    Hands::open(config, runtime, clock).map_err(|error| BuildError::of(&error))
}

/// Whether any server is a program that is started here.
#[must_use]
pub fn has_programs(config: &Config) -> bool {
    config.tool_servers.iter().any(|it| it.command.is_some())
}

/// Says in the log what the sandbox lacks on this machine.
fn warn_of_sandbox(loaded: &Loaded) {
    let words = match try_sandbox() {
        Ok(standing) if standing.holds() => {
            info!(
                labels.sandbox = standing.words(),
                event.action = "sandbox",
                "tool servers are confined"
            );
            return;
        }
        Ok(standing) => standing.words(),
        Err(error) => error.to_string(),
    };
    let open = loaded.config.tool_servers.iter().filter(|it| !it.require_sandbox).count();
    warn!(
        labels.sandbox = words,
        labels.unconfined = open,
        event.action = "sandbox_missing",
        "this machine cannot confine tool servers; those that require it are not started"
    );
}

/// The longest result that a model is told, in bytes. The guard refuses what is longer than a message may be:
/// it is cut before that.
#[must_use]
pub fn result_bytes_max(config: &Config) -> usize {
    let of_tools = usize::try_from(config.tools.result_bytes_max.0).unwrap_or(usize::MAX);
    let of_messages = config.limits.message_chars_max.0.map_or(usize::MAX, |it| it as usize);
    of_tools.min(of_messages)
}

/// What the settings say about tools.
///
/// # Errors
/// What is wrong with them.
pub fn settings(loaded: &Loaded, purpose: Purpose) -> Result<HandsConfig, BuildError> {
    let it = &loaded.config.tools;
    let bytes = |size: crate::config::Size| usize::try_from(size.0).unwrap_or(usize::MAX);
    let fetch = it.fetch.enabled.then(|| FetchConfig {
        time_max: it.call_time_max,
        page_bytes_max: bytes(it.fetch.page_bytes_max),
        private_hosts: it.fetch.private_hosts.iter().cloned().collect(),
    });
    let servers = loaded.config.tool_servers.iter().map(|it| server(loaded, purpose, it));
    Ok(HandsConfig {
        call_time_max: it.call_time_max,
        calls_per_minute_max: it.calls_per_minute_max,
        result_bytes_max: result_bytes_max(&loaded.config),
        fetch,
        fetch_approval: it.fetch.approval,
        servers: servers.collect::<Result<_, _>>()?,
        pins: pins_file(&loaded.config),
        keeps_pins: purpose == Purpose::Use,
    })
}

fn server(
    loaded: &Loaded,
    purpose: Purpose,
    it: &ToolServerConfig,
) -> Result<ServerConfig, BuildError> {
    let link = match (&it.command, &it.url) {
        (Some(command), _) => program(loaded, purpose, it, command)?,
        (None, Some(url)) => {
            let value =
                it.header_secret.as_ref().and_then(|name| loaded.secrets.get(name)).cloned();
            let headers = value.map(|value| (it.header.clone(), value)).into_iter().collect();
            Link::Http { url: url.clone(), headers, allow_private: it.allow_private }
        }
        (None, None) => {
            let text = format!("the tool server `{}` has no command and no url", it.name);
            return Err(BuildError::in_words(text));
        }
    };
    Ok(ServerConfig {
        name: it.name.clone(),
        link,
        tools: it.tool.iter().map(allowed).collect(),
        accept_changes: it.accept_changes,
        start_time_max: it.start_time_max,
        call_time_max: it.call_time_max,
        calls_in_flight_max: it.calls_in_flight_max,
        message_bytes_max: usize::try_from(it.message_max.0).unwrap_or(usize::MAX),
    })
}

fn allowed(row: &ToolRow) -> AllowedTool {
    let effects = match row.effects {
        ToolEffects::ReadOnly => Effects::ReadOnly,
        ToolEffects::Idempotent => Effects::Idempotent,
        ToolEffects::Once => Effects::Once,
    };
    let needs_approval = match row.approval {
        ToolApproval::Always => true,
        ToolApproval::Never => false,
        ToolApproval::Usual => effects != Effects::ReadOnly,
    };
    AllowedTool {
        name: row.name.clone(),
        effects,
        needs_approval,
        does: row.does.clone().unwrap_or_default(),
        does_in: row.does_in.iter().filter_map(|it| does_in(it)).collect(),
    }
}

fn program(
    loaded: &Loaded,
    purpose: Purpose,
    it: &ToolServerConfig,
    command: &str,
) -> Result<Link, BuildError> {
    let given = it.env.iter().filter_map(|it| it.split_once('='));
    let mut env: BTreeMap<String, SecretString> =
        given.map(|(name, value)| (name.to_owned(), value.into())).collect();
    for name in &it.env_secrets {
        if let Some(value) = loaded.secrets.get(name) {
            env.insert(name.clone(), value.clone());
        }
    }
    let policy = policy(loaded, purpose, it)?;
    if let Some(path) = sandbox::opens(&policy, &closed(loaded)) {
        let text = format!(
            "the tool server `{}` could open {}: take the path that leads there out of its `read` and \
             `write`, or move that out of /usr",
            it.name,
            path.display()
        );
        return Err(BuildError::in_words(text));
    }
    let helper = Some(OURSELVES.into());
    Ok(Link::Program { command: command.to_owned(), args: it.args.clone(), env, policy, helper })
}

fn policy(loaded: &Loaded, purpose: Purpose, it: &ToolServerConfig) -> Result<Policy, BuildError> {
    // The program starts in a folder of its own: a path from here would mean another there.
    let data = std::path::absolute(&loaded.config.hall.data_dir);
    let data = data.map_err(|error| BuildError::of(&error))?;
    let work = match purpose {
        Purpose::Use => data.join("tool-work").join(&it.name),
        // Beside a hall that runs, whose servers have the folder above.
        Purpose::Look => {
            let name = format!("guildhall-look-{}-{}", std::process::id(), it.name);
            std::env::temp_dir().join(name)
        }
    };
    Ok(Policy {
        read: it.read.clone(),
        write: it.write.clone(),
        work,
        network: it.network,
        memory_bytes_max: it.memory_max.0,
        file_bytes_max: it.file_max.0,
        cpu_time_max: it.cpu_time_max,
        files_max: it.files_max.into(),
        processes_max: it.processes_max.into(),
        required: it.require_sandbox,
    })
}

/// What no server may open: the data, the keys, the settings, the secrets.
fn closed(loaded: &Loaded) -> Vec<PathBuf> {
    let config = &loaded.config;
    let secrets = loaded.secrets.facts().filter_map(|it| match it.place {
        crate::config::secrets::Place::File(path) => Some(path),
        crate::config::secrets::Place::Variable(_)
        | crate::config::secrets::Place::Key(_)
        | crate::config::secrets::Place::AwsAgent(_) => None,
    });
    let mut closed = vec![
        config.hall.data_dir.clone(),
        config.key_file(),
        config.keyring_file(),
        config.backup_dir(),
    ];
    closed.extend(loaded.file.clone());
    closed.extend(secrets);
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_none| path.clone());
    closed.iter().map(absolute).collect()
}

/// Tries what this machine can do to confine programs, in a process of its own.
///
/// # Errors
/// Why it could not be tried.
pub fn try_sandbox() -> Result<Standing, BuildError> {
    let policy = Policy {
        read: Vec::new(),
        write: Vec::new(),
        work: "/".into(),
        network: false,
        memory_bytes_max: 1 << 30,
        file_bytes_max: 1 << 20,
        cpu_time_max: std::time::Duration::from_secs(10),
        files_max: 64,
        processes_max: 64,
        required: false,
    };
    let policy = serde_json::to_string(&policy).map_err(|error| BuildError::of(&error))?;
    let output = std::process::Command::new(OURSELVES)
        .args(["sandbox-exec", "--policy", &policy])
        .env_clear()
        .output()
        .map_err(|error| BuildError::of(&error))?;
    let said = serde_json::from_slice(&output.stdout);
    said.map_err(|_nothing| {
        let why = String::from_utf8_lossy(&output.stderr);
        BuildError::in_words(format!("the sandbox cannot be tried: {}", why.trim()))
    })
}
