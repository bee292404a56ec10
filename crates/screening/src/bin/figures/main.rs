//! Measures the guard: `guard-figures TOPIC [--data DIR]` prints a table, and fails if a figure that
//! is required is not met.

mod disguises;
mod linear;
mod obfuscations;
mod texts;

use std::{error::Error, path::PathBuf, process::ExitCode};

/// What the command line says besides the topic.
pub(crate) struct Args {
    /// A folder of texts, as gzipped JSON Lines with `text` and `label`.
    pub(crate) data: Option<PathBuf>,
}

/// Whether every required figure was met, or why it could not be measured.
pub(crate) type Outcome = Result<bool, Box<dyn Error>>;

#[expect(clippy::print_stderr, reason = "a program's own words")]
fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let topic = words.next().unwrap_or_default();
    let mut args = Args { data: None };
    while let Some(word) = words.next() {
        match (word.as_str(), words.next()) {
            ("--data", Some(folder)) => args.data = Some(PathBuf::from(folder)),
            (_, _) => {
                eprintln!("usage: guard-figures TOPIC [--data DIR]");
                return ExitCode::FAILURE;
            }
        }
    }
    let outcome = match topic.as_str() {
        "linear" => linear::run(&args),
        "obfuscations" => obfuscations::run(&args),
        other => Err(format!("no topic \"{other}\"; there are: linear, obfuscations").into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("a required figure is not met");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
