//! `guildhall report`: holds this hall against a standard.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use guildhall::{
    config::{self, Env},
    report::{self, Standard},
    run::{EXIT_SOFTWARE, SystemClock},
};
use protocol::Clock as _;

use crate::{Done, Failure, print};

#[derive(Debug, Args)]
pub(crate) struct ReportCommand {
    /// Against what: gdpr, hipaa, soc2, owasp-llm or eu-ai-act.
    #[arg(long)]
    standard: Standard,
    /// How many days back the audit log is counted.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: u32,
    /// With what it was seen by: settings and their values, counts, numbers of records, hashes.
    #[arg(long)]
    evidence: bool,
    /// As what.
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Markdown.
    Md,
    /// One file to print.
    Html,
    /// For programs.
    Json,
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: &ReportCommand) -> Done {
    let loaded = config::load(env)?;
    let facts = report::gather(&loaded, what.days, SystemClock.now());
    let report = report::report(what.standard, &facts, what.evidence);
    let text = match what.format {
        Format::Md => report::markdown(&report),
        Format::Html => report::html(&report),
        Format::Json => {
            report::json(&report).map_err(|error| Failure::new(EXIT_SOFTWARE, error))?
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
