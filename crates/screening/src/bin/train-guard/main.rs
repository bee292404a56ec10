//! Trains the attack model and writes its file.
//!
//! `train-guard --data DIR… --out FILE [--unlicensed]`. The same texts give the same file, byte for
//! byte. Takes about a minute: the levels' lines are drawn by four models that each leave
//! sources out; the fifth, of all texts, is the one that is written.

use std::{error::Error, fs, path::PathBuf, process::ExitCode};

use screening::classifier::train::{
    Prepared, Settings, calibrated, measure, read_guard_data, to_bytes,
};

const USAGE: &str = "usage: train-guard --data DIR… --out FILE [--unlicensed]";

struct Arguments {
    data: Vec<PathBuf>,
    out: PathBuf,
    settings: Settings,
}

fn arguments() -> Option<Arguments> {
    let (mut data, mut out, mut settings) = (Vec::new(), None, Settings::default());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--data" => data.push(PathBuf::from(args.next()?)),
            "--out" => out = Some(PathBuf::from(args.next()?)),
            "--unlicensed" => settings.unlicensed = true,
            _ => return None,
        }
    }
    (!data.is_empty()).then_some(Arguments { data, out: out?, settings })
}

fn train(arguments: &Arguments) -> Result<usize, Box<dyn Error>> {
    let prepared = Prepared::new(read_guard_data(&arguments.data)?, arguments.settings)?;
    let held_out = measure::held_out(&prepared);
    let model = calibrated(prepared.shipped(), &held_out);
    fs::write(&arguments.out, to_bytes(&model))?;
    Ok(prepared.examples().len())
}

#[expect(clippy::print_stderr, reason = "a program for people who train")]
fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(64);
    };
    match train(&arguments) {
        Ok(examples) => {
            eprintln!("train-guard: {} from {examples} texts", arguments.out.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("train-guard: {error}");
            ExitCode::FAILURE
        }
    }
}
