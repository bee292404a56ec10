//! `guildhall rules …`: check, replay, regressions, update, sign, keygen.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Subcommand;
use guildhall::{
    ask_console::{self, ErrandError},
    build::{self, BuildError},
    config::{self, Env, Loaded},
    rules::{self, Question, Sources},
    run::{EXIT_SOFTWARE, EXIT_UNAVAILABLE},
};
use screening::{RuleFile, Screen};

use crate::{Done, Failure, print, print_json};

/// Exit code of data that is not as it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;
/// How long the running hall may take to look back: a little more than it gives itself.
const REPLAY_TIME_MAX: Duration = Duration::from_secs(70);
const READ_TIME_MAX: Duration = Duration::from_secs(15);

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Compile every rule and try its examples.
    Check,
    /// Try rules on the past: what would they have stopped?
    Replay {
        /// A rule file or a pack, installed or not.
        #[arg(required_unless_present = "rule")]
        file: Option<PathBuf>,
        /// One rule: of the file, or else one that is there.
        #[arg(long)]
        rule: Option<String>,
        /// Over how many days.
        #[arg(long, default_value_t = flow::replay::DAYS_USUAL,
              value_parser = clap::value_parser!(u32).range(1..=i64::from(flow::replay::DAYS_MAX)))]
        days: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Show the texts in which something was found. Only while the hall does not run.
        #[arg(long)]
        texts: bool,
    },
    /// Write what admins marked as false alarms as JSON Lines, with its texts. Only while the hall
    /// does not run.
    Regressions,
    /// Install a signed rule pack, or a newer version of one.
    Update {
        /// The pack.
        file: PathBuf,
    },
    /// Sign a rule pack, in place.
    Sign {
        /// The pack: rules, with pack = "…" and version = … before them.
        file: PathBuf,
        /// The file of `guildhall rules keygen`.
        #[arg(long)]
        key: PathBuf,
    },
    /// Make a key to sign packs with, and print what others put into guard.pack_keys.
    Keygen {
        /// The new file for the private key.
        file: PathBuf,
    },
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: RulesCommand) -> Done {
    match what {
        RulesCommand::Check => check(env),
        RulesCommand::Replay { file, rule, days, json, texts } => {
            replay(env, file.as_deref(), rule, days, Shown { json, texts })
        }
        RulesCommand::Regressions => regressions(env),
        RulesCommand::Update { file } => update(env, &file),
        RulesCommand::Sign { file, key } => sign(&file, &key),
        RulesCommand::Keygen { file } => {
            let public = rules::keygen(&file).map_err(|error| bad(&error))?;
            print(&format!(
                "The private key is in {}: keep it to yourself.\n\
                 Whoever trusts your packs writes into the configuration:\n\n\
                 [guard]\npack_keys = [\"{public}\"]\n",
                file.display()
            ))?;
            done()
        }
    }
}

/// How a report is shown.
struct Shown {
    json: bool,
    texts: bool,
}

fn done() -> Done {
    Ok(std::process::ExitCode::SUCCESS)
}

/// Data that is not as it should be.
fn bad(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::new(EXIT_DATA, BuildError::of(error))
}

fn check(env: &Env) -> Done {
    let loaded = config::load(env)?;
    let screen = build::screen(&loaded)?;
    let failed = screen.failed_examples();
    for it in &failed {
        let should =
            if it.should_match { "should match and does not" } else { "matches and should not" };
        print(&format!("rule {} {should}: {}\n", it.rule, it.example))?;
    }
    if failed.is_empty() {
        print("Every rule compiles and does what its examples say.\n")?;
        warn_of_false_alarms(&loaded)?;
        return done();
    }
    Ok(std::process::ExitCode::from(config::EXIT_CONFIG))
}

/// Says which texts that were marked as false alarms the rules refuse. No failure: the marked
/// questions pass all the same, and whoever checks the rules is to know that they are too strict.
fn warn_of_false_alarms(loaded: &Loaded) -> Result<(), Failure> {
    let marked = rules::marked_offline(loaded);
    match marked.map_err(|why| Failure::new(EXIT_UNAVAILABLE, why))? {
        None => print(
            "False alarms were not looked at: the hall runs and holds the ledger. \
             `guildhall rules replay FILE` asks it.\n",
        ),
        Some(marked) => {
            for (trace, rules) in &marked.refused {
                let rules = rules.join(", ");
                print(&format!("warning: {trace} was marked as a false alarm: {rules}\n"))?;
            }
            Ok(())
        }
    }
}

fn regressions(env: &Env) -> Done {
    let loaded = config::load(env)?;
    let marked = rules::marked_offline(&loaded);
    let Some(marked) = marked.map_err(|why| Failure::new(EXIT_UNAVAILABLE, why))? else {
        let why = "the hall runs, and texts are shown only while it does not: stop it first";
        return Err(Failure::new(EXIT_UNAVAILABLE, why));
    };
    for text in &marked.all {
        let line = serde_json::to_string(text);
        print(&format!("{}\n", line.map_err(|error| Failure::new(EXIT_SOFTWARE, error))?))?;
    }
    done()
}

fn replay(env: &Env, file: Option<&Path>, rule: Option<String>, days: u32, shown: Shown) -> Done {
    let loaded = config::load(env)?;
    let file = file.map(read_rules).transpose()?;
    let question = Question { file, rule, days };
    let offline = rules::try_offline(&loaded, question.clone(), shown.texts);
    let report = match offline.map_err(|why| Failure::new(EXIT_UNAVAILABLE, why))? {
        Some(report) => report,
        None if shown.texts => {
            let why = "the hall runs, and texts are shown only while it does not: stop it first, \
                       or leave out --texts";
            return Err(Failure::new(EXIT_UNAVAILABLE, why));
        }
        None => ask(&loaded, &question)?,
    };
    match shown.json {
        true => print_json(&report)?,
        false => print(&rules::table(&report))?,
    }
    done()
}

/// The name and the text of a rule file or pack.
fn read_rules(path: &Path) -> Result<(String, String), Failure> {
    let text = rules::read_text(path).map_err(|why| Failure::new(EXIT_DATA, why))?;
    let name = path.display().to_string();
    let RuleFile { name, text } = rules::rule_file(&name, &text)
        .map_err(|error| Failure::new(EXIT_DATA, format!("{name}: {error}")))?;
    Ok((name, text))
}

fn ask(loaded: &Loaded, question: &Question) -> Result<flow::replay::Report, Failure> {
    let question = serde_json::to_string(question);
    let question = question.map_err(|error| Failure::new(EXIT_SOFTWARE, error))?;
    let answer = ask_console::errand(&loaded.config, "/rules/try", question, REPLAY_TIME_MAX);
    let answer = answer.map_err(|error| match error {
        ErrandError::NoHall(why) => {
            let why = format!("another process holds the ledger, and {why}");
            Failure::new(EXIT_UNAVAILABLE, why)
        }
        ErrandError::Refused(why) => Failure::new(EXIT_UNAVAILABLE, why),
    })?;
    serde_json::from_str(&answer).map_err(|error| Failure::new(EXIT_SOFTWARE, error))
}

fn update(env: &Env, file: &Path) -> Done {
    let loaded = config::load(env)?;
    let sources = Sources::of(&loaded.config)?;
    let text = rules::read_text(file).map_err(|why| Failure::new(EXIT_DATA, why))?;
    let own = sources.own_files()?;
    let fits = |packs: &[RuleFile]| {
        let files = own.iter().chain(packs).cloned().collect();
        let screen = Screen::new(build::policy(&loaded, files));
        screen.map(drop).map_err(|error| BuildError::of(&error).to_string())
    };
    let installed = rules::install(sources.packs(), &text, sources.trusted(), fits);
    let installed = installed.map_err(|error| {
        Failure::new(EXIT_DATA, format!("{}: {}", file.display(), BuildError::of(&error)))
    })?;
    let (pack, version) = (&installed.pack, installed.version);
    print(&match installed.before {
        Some(before) if before == version => format!("{pack} {version} was installed before.\n"),
        Some(before) => format!("{pack} {version} is installed, in place of {before}.\n"),
        None => format!("{pack} {version} is installed.\n"),
    })?;
    let read = ask_console::errand(&loaded.config, "/rules/read", String::new(), READ_TIME_MAX);
    match read {
        Ok(_) => print("The running hall uses it from the next message on.\n")?,
        Err(ErrandError::NoHall(_)) => print("No hall runs here; the next start uses it.\n")?,
        Err(ErrandError::Refused(why)) => {
            let why = format!("the running hall does not use it yet: {why}");
            return Err(Failure::new(EXIT_UNAVAILABLE, why));
        }
    }
    done()
}

fn sign(file: &Path, key: &Path) -> Done {
    let key = rules::read_signing_key(key).map_err(|error| bad(&error))?;
    let text = rules::read_text(file).map_err(|why| Failure::new(EXIT_DATA, why))?;
    let name = file.display().to_string();
    let (pack, signed) = rules::sign(&name, rules::body_of(&text), &key)
        .map_err(|error| Failure::new(EXIT_DATA, format!("{name}: {error}")))?;
    // It is made to be given away.
    rules::write_whole(file, &signed, 0o644)?;
    print(&format!("{} {} is signed.\n", pack.name, pack.version))?;
    done()
}
