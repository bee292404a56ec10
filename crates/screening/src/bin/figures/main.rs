//! Measures the guard: `guard-figures TOPIC [--data DIR]…` prints a table, and fails if a figure that
//! is required is not met.

mod attacks;
mod clock;
mod disguises;
mod linear;
mod long;
mod obfuscations;
mod personal;
mod secret_samples;
mod secrets;
mod speed;
mod texts;

use std::{error::Error, path::PathBuf, process::ExitCode};

/// What the command line says besides the topic.
pub(crate) struct Args {
    /// Folders of texts, as gzipped JSON Lines with `text` and `label`.
    pub(crate) data: Vec<PathBuf>,
    /// What only the topic understands.
    pub(crate) words: Vec<String>,
}

/// Whether every required figure was met, or why it could not be measured.
pub(crate) type Outcome = Result<bool, Box<dyn Error>>;

#[expect(clippy::print_stderr, reason = "a program's own words")]
fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let topic = words.next().unwrap_or_default();
    let mut args = Args { data: Vec::new(), words: Vec::new() };
    while let Some(word) = words.next() {
        if word == "--data" {
            args.data.extend(words.next().map(PathBuf::from));
        } else {
            args.words.push(word);
        }
    }
    match run(&topic, &args) {
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

fn run(topic: &str, args: &Args) -> Outcome {
    let takes_words = matches!(topic, "attacks" | "personal" | "speed");
    if let (Some(word), false) = (args.words.first(), takes_words) {
        return Err(
            format!("\"{word}\" is unknown; usage: guard-figures TOPIC [--data DIR]…").into()
        );
    }
    match topic {
        "attacks" => attacks::run(args),
        "linear" => linear::run(args),
        "long" => long::run(args),
        "obfuscations" => obfuscations::run(args),
        "personal" => personal::run(&args.words).map(|()| true),
        "secrets" => secrets::run(args),
        "speed" => speed::run(args),
        _ => {
            Err("the topics are: attacks, linear, long, obfuscations, personal, secrets, speed"
                .into())
        }
    }
}
