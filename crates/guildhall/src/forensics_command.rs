//! `guildhall forensics`: a signed report of one incident, and the check of one.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueEnum};
use guildhall::{
    config::{self, Env},
    forensics::{self, Ask, Checking, ExamineError, Form, VerifyError},
    run::{EXIT_SOFTWARE, EXIT_UNAVAILABLE},
};

use crate::{Done, Failure, print};

/// Exit code of data that is not as it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;
/// The largest report that is checked.
const REPORT_BYTES_MAX: u64 = 256 * 1024 * 1024;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ForensicsCommand {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    report: ReportArgs,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check that a report is as it was made, who signed it, and that what was read is still as it was.
    Verify {
        /// The report; standard input if left out.
        file: Option<PathBuf>,
        /// The public key that must have signed it, where the hall's own keys are not at hand.
        #[arg(long)]
        key: Option<String>,
    },
}

#[derive(Debug, Args)]
struct ReportArgs {
    /// Which incident: its number, as `guildhall incidents list` shows it.
    #[arg(long, required = true)]
    incident: Option<u64>,
    /// How long before its first sign and after its last, such as `90m`, `24h` or `7d`.
    #[arg(long, default_value = "24h")]
    window: String,
    /// With what people wrote and were answered. Whose that is, is noted in the audit log.
    #[arg(long)]
    context: bool,
    /// As what.
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
    /// Into this file, which nobody else may read; standard output if left out.
    #[arg(long)]
    out: Option<PathBuf>,
    /// An audit log that was set aside or copied, in place of this hall's.
    #[arg(long)]
    audit_log: Option<PathBuf>,
    /// The checkpoint that belongs to it.
    #[arg(long, requires = "audit_log")]
    anchor: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// Markdown.
    Md,
    /// One file to print.
    Html,
    /// For programs.
    Json,
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: ForensicsCommand) -> Done {
    match what.what {
        Some(What::Verify { file, key }) => check(env, file.as_deref(), key.as_deref()),
        None => make(env, what.report),
    }
}

/// `guildhall incident export`: the same report, by its shorter name.
pub(crate) fn export(
    env: &Env,
    number: u64,
    (window, context): (String, bool),
    (format, out): (Format, Option<PathBuf>),
) -> Done {
    let incident = Some(number);
    let asked =
        ReportArgs { incident, window, context, format, out, audit_log: None, anchor: None };
    make(env, asked)
}

fn make(env: &Env, asked: ReportArgs) -> Done {
    let number = asked.incident.ok_or_else(|| Failure::new(64, "say which --incident"))?;
    let span = flow::request::span(&asked.window).filter(|it| !it.is_zero()).ok_or_else(|| {
        Failure::new(64, "the window is a time such as 90m, 24h or 7d, at most 30d")
    })?;
    let form = match asked.format {
        Format::Md => Form::Md,
        Format::Html => Form::Html,
        Format::Json => Form::Json,
    };
    let loaded = config::load(env)?;
    let ask = Ask {
        number,
        window_ms: u64::try_from(span.as_millis()).unwrap_or(u64::MAX),
        with_texts: asked.context,
        log: asked.audit_log,
        anchor: asked.anchor,
    };
    let made = forensics::examine(&loaded, &ask);
    let (report, keys) = made.map_err(|error| match error {
        ExamineError::NoSuchIncident(_) => Failure::new(EXIT_DATA, error),
        ExamineError::NotRead(_) => Failure::new(EXIT_UNAVAILABLE, error),
    })?;
    let text = forensics::sealed(&report, form, &keys);
    let text = text.map_err(|error| Failure::new(EXIT_SOFTWARE, error))?;
    match &asked.out {
        None => print(&text)?,
        Some(path) => write(path, &text)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        Failure::new(EXIT_UNAVAILABLE, format!("{} cannot be written: {error}", path.display()))
    })
}

fn check(env: &Env, file: Option<&Path>, key: Option<&str>) -> Done {
    let mut text = String::new();
    let read = match file {
        Some(path) => {
            fs::File::open(path).and_then(|it| it.take(REPORT_BYTES_MAX).read_to_string(&mut text))
        }
        None => std::io::stdin().take(REPORT_BYTES_MAX).read_to_string(&mut text),
    };
    read.map_err(|error| Failure::new(EXIT_UNAVAILABLE, format!("it cannot be read: {error}")))?;
    let checked = match key {
        Some(key) => forensics::verify(&text, Checking::ByKey(key)),
        None => {
            let loaded = config::load(env)?;
            forensics::verify(&text, Checking::Here(&loaded.config))
        }
    };
    let words = checked.map_err(|error| match error {
        VerifyError::NoKey(_) => Failure::new(config::EXIT_CONFIG, error),
        VerifyError::Changed(_) | VerifyError::OtherKey { .. } | VerifyError::SourceChanged(_) => {
            Failure::new(EXIT_DATA, error)
        }
    })?;
    print(&words)?;
    Ok(ExitCode::SUCCESS)
}
