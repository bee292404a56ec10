//! `guildhall incident …`: list, show, export, ack, close.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Subcommand;
use flow::incident::Stage;
use guildhall::{
    ask_console::{self, ErrandError},
    audit,
    config::{self, Env},
    incidents::{self, Question},
    run::{EXIT_SOFTWARE, EXIT_UNAVAILABLE},
};

use crate::{
    Done, Failure,
    forensics_command::{self, Format},
    print, print_json,
};

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
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write one with everything that is kept about it, signed: the report of `guildhall forensics`.
    Export {
        /// Its number.
        number: u64,
        /// How long before its first sign and after its last, such as `90m`, `24h` or `7d`.
        #[arg(long, default_value = "24h")]
        window: String,
        /// With what people wrote and were answered. Whose that is, is noted in the audit log.
        #[arg(long)]
        context: bool,
        /// As what.
        #[arg(long, value_enum, default_value_t = Format::Json)]
        format: Format,
        /// Into this file, which nobody else may read; standard output if left out.
        #[arg(long)]
        out: Option<PathBuf>,
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
        IncidentsCommand::Show { number, json } => show(env, number, json),
        IncidentsCommand::Export { number, window, context, format, out } => {
            forensics_command::export(env, number, (window, context), (format, out))
        }
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

fn show(env: &Env, number: u64, json: bool) -> Done {
    let loaded = config::load(env)?;
    let (found, records) = incidents::all(&loaded.config).map_err(bad)?;
    let incident = found.newest_first().find(|it| it.number == number);
    let incident = incident.ok_or_else(|| bad(format!("there is no incident {number}")))?;
    let name = incident.name();
    let records = records.iter().filter(|it| it.target == name);
    if json {
        let mut value = incidents::json(incident);
        if let Some(value) = value.as_object_mut() {
            let records = serde_json::json!(records.collect::<Vec<_>>());
            value.insert("records".to_owned(), records);
        }
        print_json(&value)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&incidents::line(incident))?;
    for record in records {
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
