//! `guildhall incidents …`: list, show, ack, close.

use std::{process::ExitCode, time::Duration};

use clap::Subcommand;
use flow::incident::Stage;
use guildhall::{
    ask_console::{self, ErrandError},
    audit,
    config::{self, Env},
    incidents::{self, Question},
    run::{EXIT_SOFTWARE, EXIT_UNAVAILABLE},
};

use crate::{Done, Failure, print, print_json};

/// How long the running hall may take.
const TIME_MAX: Duration = Duration::from_secs(20);
/// Exit code of data that is not as it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentsCommand {
    /// List those that are not closed, newest first.
    List {
        /// The closed ones, too.
        #[arg(long)]
        all: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one with everything that was noted of it.
    Show {
        /// Its number.
        number: u64,
    },
    /// Say that somebody knows of it.
    Ack {
        /// Its number.
        number: u64,
    },
    /// Say that it is over.
    Close {
        /// Its number.
        number: u64,
    },
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: IncidentsCommand) -> Done {
    match what {
        IncidentsCommand::List { all, json } => list(env, all, json),
        IncidentsCommand::Show { number } => show(env, number),
        IncidentsCommand::Ack { number } => handle(env, Question { number, close: false }),
        IncidentsCommand::Close { number } => handle(env, Question { number, close: true }),
    }
}

fn bad(error: impl ToString) -> Failure {
    Failure::new(EXIT_DATA, error)
}

fn list(env: &Env, all: bool, json: bool) -> Done {
    let loaded = config::load(env)?;
    let (found, _) = incidents::all(&loaded.config).map_err(bad)?;
    let shown: Vec<_> =
        found.newest_first().filter(|it| all || it.stage != Stage::Closed).collect();
    if json {
        print_json(&shown.iter().map(|it| incidents::json(it)).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    for incident in &shown {
        print(&incidents::line(incident))?;
    }
    if shown.is_empty() {
        print("No incident is open.\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(env: &Env, number: u64) -> Done {
    let loaded = config::load(env)?;
    let (found, records) = incidents::all(&loaded.config).map_err(bad)?;
    let incident = found.newest_first().find(|it| it.number == number);
    let incident = incident.ok_or_else(|| bad(format!("there is no incident {number}")))?;
    print(&incidents::line(incident))?;
    let name = incident.name();
    for record in records.iter().filter(|it| it.target == name) {
        print(&audit::line(record))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn handle(env: &Env, question: Question) -> Done {
    let loaded = config::load(env)?;
    let done = incidents::handle_offline(&loaded, question);
    if done.map_err(bad)?.is_none() {
        let asked = serde_json::to_string(&question);
        let asked = asked.map_err(|error| Failure::new(EXIT_SOFTWARE, error))?;
        let answer = ask_console::errand(&loaded.config, "/incidents/handle", asked, TIME_MAX);
        answer.map_err(|error| match error {
            ErrandError::NoHall(why) => Failure::new(EXIT_UNAVAILABLE, why),
            ErrandError::Refused(why) => bad(why),
        })?;
    }
    let how = if question.close { "closed" } else { "acknowledged" };
    print(&format!("Incident {} is {how}.\n", question.number))?;
    Ok(ExitCode::SUCCESS)
}
