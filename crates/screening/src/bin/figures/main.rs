//! Reports the guard's figures: `guard-figures TOPIC [--data DIR]` prints a small table and fails
//! if a required figure is not met.

mod personal;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let topic = args.first().map(String::as_str);
    let result = match topic {
        Some("personal") => personal::run(args.get(1..).unwrap_or_default()),
        Some(_) | None => Err("name a topic: personal".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a program for the terminal")]
fn report(line: &str) {
    eprintln!("{line}");
}
