//! `guildhall playbooks …`: list, check.

use std::{process::ExitCode, time::Duration};

use clap::Subcommand;
use flow::words::playbooks::about;
use guildhall::{
    ask_console::{self, ErrandError},
    config::{self, Env},
    playbooks::{self, Acts},
    run::{EXIT_SOFTWARE, EXIT_UNAVAILABLE},
};
use serde_json::json;

use crate::{Done, Failure, print, print_json};

/// How long the running hall may take.
const TIME_MAX: Duration = Duration::from_secs(20);
/// Exit code of data that is not as it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;

#[derive(Debug, Subcommand)]
pub(crate) enum PlaybooksCommand {
    /// List the playbooks, and what they did that is not over.
    List {
        /// What is over, too.
        #[arg(long)]
        all: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Read and check the files.
    Check,
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: &PlaybooksCommand) -> Done {
    match what {
        PlaybooksCommand::List { all, json } => list(env, *all, *json),
        PlaybooksCommand::Check => check(env),
    }
}

fn bad(error: impl ToString) -> Failure {
    Failure::new(EXIT_DATA, error)
}

fn list(env: &Env, all: bool, json: bool) -> Done {
    let loaded = config::load(env)?;
    let known = playbooks::load(&loaded.config)?;
    let acts = match playbooks::acts_offline(&loaded).map_err(bad)? {
        Some(acts) => acts,
        None => {
            let asked = "{}".to_owned();
            let answer = ask_console::errand(&loaded.config, "/playbooks/list", asked, TIME_MAX);
            let answer = answer.map_err(|error| match error {
                ErrandError::NoHall(why) => Failure::new(EXIT_UNAVAILABLE, why),
                ErrandError::Refused(why) => bad(why),
            })?;
            serde_json::from_str::<Acts>(&answer)
                .map_err(|error| Failure::new(EXIT_SOFTWARE, error))?
        }
    };
    if json {
        let names: Vec<&str> = known.iter().map(|it| it.name.as_str()).collect();
        print_json(&json!({ "playbooks": names, "open": acts.open, "over": acts.over }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for playbook in &known {
        print(&format!("{}\n", about(playbook)))?;
    }
    print(if acts.open.is_empty() {
        "Nothing is in force.\n"
    } else {
        "In force, or asked for:\n"
    })?;
    for line in acts.open.iter().chain(acts.over.iter().filter(|_| all)) {
        print(&format!("{line}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(env: &Env) -> Done {
    let loaded = config::load(env)?;
    let known = playbooks::load(&loaded.config)?;
    for playbook in &known {
        print(&format!("{}\n", about(playbook)))?;
    }
    let count = known.len();
    print(&format!("{count} playbooks of {} are good.\n", loaded.config.playbooks.dir.display()))?;
    Ok(ExitCode::SUCCESS)
}
