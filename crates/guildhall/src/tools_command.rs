//! `guildhall tools …`: list, check, call; and what tool servers are started with.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::ExitCode};

use adapters::{documents, tools::sandbox};
use clap::{Args, Subcommand};
use guildhall::{
    config::{self, Env},
    run::EXIT_UNAVAILABLE,
    tools,
};
use protocol::{
    AgentName, BotId, ChatId, SessionKey,
    tool::{Invocation, ToolName},
};
use serde_json::Value;

use crate::{Done, Failure, print, print_json};

/// Exit code of wrong words on the command line (`EX_USAGE`).
const EXIT_USAGE: u8 = 64;
/// Exit code of data that is not as it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;
/// Exit code of something that this system cannot do (`EX_OSERR`).
const EXIT_SYSTEM: u8 = 71;

#[derive(Debug, Subcommand)]
pub(crate) enum ToolsCommand {
    /// Start every server beside the hall, and list what agents can be given and why the rest not.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what is wrong with the servers, their tools and the sandbox.
    Check {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Call a tool, as an agent would, and print what it gives back.
    Call {
        /// Its name: `calculator`, or with its server `files.read_file`.
        name: ToolName,
        /// What it is given: a JSON object.
        #[arg(default_value = "{}")]
        arguments: String,
    },
}

/// How the hall starts a tool server.
#[derive(Debug, Args)]
pub(crate) struct SandboxExec {
    /// What the program may do, as JSON.
    #[arg(long)]
    policy: String,
    /// The program and its arguments; without them what holds is printed.
    #[arg(last = true)]
    command: Vec<OsString>,
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: &ToolsCommand) -> Done {
    let loaded = config::load(env)?;
    match what {
        ToolsCommand::List { json } => {
            let look = tools::look(&loaded)?;
            if *json {
                print_json(&look.json(&loaded.config))?;
            } else {
                print(&look.words())?;
            }
            Ok(ExitCode::SUCCESS)
        }
        ToolsCommand::Check { json } => {
            let look = tools::look(&loaded)?;
            let problems = look.problems(&loaded.config);
            if *json {
                print_json(&look.json(&loaded.config))?;
            } else if problems.is_empty() {
                print(&format!("{} tools can be used.\n", look.tools.len()))?;
            } else {
                print(&format!("{}\n", problems.join("\n")))?;
            }
            Ok(if problems.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(EXIT_UNAVAILABLE)
            })
        }
        ToolsCommand::Call { name, arguments } => call(&loaded, name, arguments),
    }
}

fn call(loaded: &config::Loaded, name: &ToolName, arguments: &str) -> Done {
    let arguments: Value = serde_json::from_str(arguments)
        .map_err(|error| Failure::new(EXIT_USAGE, format!("the arguments are no JSON: {error}")))?;
    let agent: AgentName = loaded.config.hall.default_agent.clone();
    let session = SessionKey { bot: BotId(0), chat: ChatId(0), topic: None };
    let key = "guildhall tools call".to_owned();
    let call = Invocation { tool: name.clone(), arguments, key, agent, person: None, session };
    let output = tools::call(loaded, &call)?.map_err(|error| Failure::new(EXIT_DATA, error))?;
    print(&format!("{}\n", output.text))?;
    Ok(if output.is_error { ExitCode::from(EXIT_DATA) } else { ExitCode::SUCCESS })
}

/// Gives up rights and becomes the server. Nothing of ours runs after that.
pub(crate) fn become_server(what: &SandboxExec) -> Done {
    let policy: sandbox::Policy = serde_json::from_str(&what.policy)
        .map_err(|error| Failure::new(EXIT_USAGE, format!("the policy is none: {error}")))?;
    let standing = sandbox::enter(&policy)
        .map_err(|error| Failure::new(EXIT_SYSTEM, guildhall::build::BuildError::of(&error)))?;
    let Some((program, arguments)) = what.command.split_first() else {
        print_json(&standing)?;
        return Ok(ExitCode::SUCCESS);
    };
    let error = std::process::Command::new(program).args(arguments).exec();
    Err(Failure::new(EXIT_UNAVAILABLE, error))
}

/// Reads one document in a cell of its own. Nothing of the hall's is touched.
pub(crate) fn read_document(chars_max: usize) -> Done {
    documents::serve(std::io::stdin().lock(), std::io::stdout().lock(), chars_max)
        .map_err(|error| Failure::new(EXIT_SYSTEM, guildhall::build::BuildError::of(&error)))?;
    Ok(ExitCode::SUCCESS)
}
