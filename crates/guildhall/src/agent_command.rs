//! `guildhall agent …`: list, show, create, edit, retire, export.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use flow::roster::{Change, INSTRUCTIONS_CHARS_MAX};
use guildhall::{
    agent_book::{self, AgentsError},
    agents,
    config::{self, Env, Loaded},
    run::EXIT_UNAVAILABLE,
};
use protocol::{Agent, AgentName};

use crate::{Done, Failure, print, print_json};

/// Exit code of data that is not as it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;
/// The longest file of instructions, in bytes: characters of four bytes.
const INSTRUCTIONS_BYTES_MAX: u64 = 4 * INSTRUCTIONS_CHARS_MAX as u64 + 4;

#[derive(Debug, Subcommand)]
pub(crate) enum AgentCommand {
    /// List them, as they are in the hall now.
    List {
        /// Only what the files of the configuration say.
        #[arg(long)]
        files: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one.
    Show {
        /// Its name.
        name: AgentName,
        /// Only what the files of the configuration say.
        #[arg(long)]
        files: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Bring in an agent, whether the hall runs or not.
    Create {
        /// Its name: small letters, digits and underscores.
        name: AgentName,
        #[command(flatten)]
        words: Words,
        /// The model that it asks first; by default the hall's.
        #[arg(long)]
        model: Option<String>,
    },
    /// Give an agent other instructions, or another model.
    Edit {
        /// Which.
        name: AgentName,
        #[command(flatten)]
        words: Words,
        /// The model that it asks first.
        #[arg(long)]
        model: Option<String>,
    },
    /// Let an agent go. Its conversations stay in the ledger.
    Retire {
        /// Which.
        name: AgentName,
    },
    /// Write an agent as a file that the folder of agents takes (hall.agents_dir).
    Export {
        /// Which.
        name: AgentName,
        /// Into this folder, as `<name>.toml`; standard output if left out.
        #[arg(long)]
        to: Option<PathBuf>,
    },
}

/// Instructions, given on the command line or in a file.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Words {
    /// What it is told to be.
    #[arg(long)]
    instructions: Option<String>,
    /// A file with that; `-` is standard input.
    #[arg(long)]
    from: Option<PathBuf>,
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: AgentCommand) -> Done {
    let loaded = config::load(env)?;
    match what {
        AgentCommand::List { files, json } => list(&loaded, files, json),
        AgentCommand::Show { name, files, json } => show(&loaded, &name, files, json),
        AgentCommand::Create { name, words, model } => create(&loaded, &name, &words, model),
        AgentCommand::Edit { name, words, model } => edit(&loaded, &name, &words, model),
        AgentCommand::Retire { name } => {
            change(&loaded, Change::Retired { name: name.clone() })?;
            print(&format!("{name} has left. Its conversations stay in the ledger.\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        AgentCommand::Export { name, to } => export(&loaded, &name, to.as_deref()),
    }
}

fn failed(error: AgentsError) -> Failure {
    match error {
        AgentsError::Unavailable(why) => Failure::new(EXIT_UNAVAILABLE, why),
        AgentsError::Refused(why) => Failure::new(EXIT_DATA, why),
    }
}

fn change(loaded: &Loaded, change: Change) -> Result<(), Failure> {
    agent_book::change(loaded, change).map_err(failed)
}

fn read(loaded: &Loaded, files: bool) -> Result<Vec<Agent>, Failure> {
    match files {
        true => Ok(agents::load(&loaded.config.hall.agents_dir)?),
        false => agent_book::all(loaded).map_err(failed),
    }
}

fn list(loaded: &Loaded, files: bool, json: bool) -> Done {
    let agents = read(loaded, files)?;
    if json {
        print_json(&agents)?;
        return Ok(ExitCode::SUCCESS);
    }
    for agent in &agents {
        let rests = if agent.paused { " (rests)" } else { "" };
        print(&format!("{:<16} {}{rests}\n", agent.name.as_str(), agent.description))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn find(loaded: &Loaded, name: &AgentName, files: bool) -> Result<Agent, Failure> {
    let found = read(loaded, files)?.into_iter().find(|it| it.name == *name);
    found.ok_or_else(|| {
        Failure::new(config::EXIT_CONFIG, format!("there is no agent called {name}"))
    })
}

fn show(loaded: &Loaded, name: &AgentName, files: bool, json: bool) -> Done {
    let agent = find(loaded, name, files)?;
    match json {
        true => print_json(&agent)?,
        false => {
            let Agent { name, description, instructions, .. } = agent;
            print(&format!("{name}: {description}\n\n{}\n", instructions.trim_end()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The instructions that were given, if any were.
fn instructions(words: &Words) -> Result<Option<String>, Failure> {
    let mut text = String::new();
    match (&words.instructions, &words.from) {
        (Some(given), _) => return Ok(Some(given.trim().to_owned())),
        (None, None) => return Ok(None),
        (None, Some(path)) => {
            let (read, name) = match path.as_os_str() == "-" {
                true => {
                    let stdin = std::io::stdin().take(INSTRUCTIONS_BYTES_MAX);
                    ({ stdin }.read_to_string(&mut text), "standard input".to_owned())
                }
                false => {
                    let read = fs::File::open(path)
                        .and_then(|it| it.take(INSTRUCTIONS_BYTES_MAX).read_to_string(&mut text));
                    (read, path.display().to_string())
                }
            };
            read.map_err(|error| {
                Failure::new(EXIT_UNAVAILABLE, format!("{name} cannot be read: {error}"))
            })?;
        }
    }
    Ok(Some(text.trim().to_owned()))
}

fn create(loaded: &Loaded, name: &AgentName, words: &Words, model: Option<String>) -> Done {
    let Some(instructions) = instructions(words)? else {
        return Err(Failure::new(64, "say --instructions or --from"));
    };
    // Both are changes of their own: a model that is not known must not leave half an agent.
    check_model(loaded, model.as_deref())?;
    change(loaded, Change::Spawned { name: name.clone(), instructions })?;
    if let Some(model) = model {
        change(loaded, Change::ModelSet { name: name.clone(), model })?;
    }
    print(&format!("{name} is here. `/agent {name}` talks to it.\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn edit(loaded: &Loaded, name: &AgentName, words: &Words, model: Option<String>) -> Done {
    let instructions = instructions(words)?;
    if instructions.is_none() && model.is_none() {
        return Err(Failure::new(64, "say --instructions, --from or --model"));
    }
    check_model(loaded, model.as_deref())?;
    if let Some(instructions) = instructions {
        change(loaded, Change::Edited { name: name.clone(), instructions })?;
        print(&format!("{name} has new instructions, from the next message on.\n"))?;
    }
    if let Some(model) = model {
        let done = format!("{name} now asks {model} first.\n");
        change(loaded, Change::ModelSet { name: name.clone(), model })?;
        print(&done)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check_model(loaded: &Loaded, model: Option<&str>) -> Result<(), Failure> {
    let Some(model) = model else { return Ok(()) };
    let known: Vec<&str> = loaded.config.models.iter().map(|it| it.name.as_str()).collect();
    if known.contains(&model) {
        return Ok(());
    }
    let why = format!("there is no model called {model}; known are: {}", known.join(", "));
    Err(Failure::new(EXIT_DATA, why))
}

fn export(loaded: &Loaded, name: &AgentName, to: Option<&Path>) -> Done {
    let text = agent_book::exported(&find(loaded, name, false)?).map_err(failed)?;
    let Some(folder) = to else {
        print(&text)?;
        return Ok(ExitCode::SUCCESS);
    };
    let path = folder.join(format!("{name}.toml"));
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        Failure::new(EXIT_UNAVAILABLE, format!("{} cannot be written: {error}", path.display()))
    })?;
    print(&format!("{}\n", path.display()))?;
    Ok(ExitCode::SUCCESS)
}
