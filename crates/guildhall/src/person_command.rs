//! `guildhall person …` and `guildhall key …`.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Subcommand;
use guildhall::{
    ask_console::{self, ErrandError},
    config::{self, Env, Loaded},
    person::{self, Deed, Done as PersonDone, Question},
    run::{EXIT_SOFTWARE, EXIT_UNAVAILABLE, SystemClock},
};
use protocol::Clock as _;

use crate::{Done, Failure, print};

/// How long the running hall may take.
const TIME_MAX: Duration = Duration::from_secs(120);
/// Exit code of data that is not as it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Write everything that is kept of a person into two files: JSON and Markdown.
    Export {
        /// Their numeric Telegram id.
        #[arg(allow_negative_numbers = true)]
        id: i64,
        /// Where to: `<folder>/<id>.json` and `<id>.md`.
        #[arg(long, default_value = ".")]
        to: PathBuf,
    },
    /// Destroy a person's key: nothing kept of them can be read from then on, in no copy.
    Forget {
        /// Their numeric Telegram id; of a group, what nobody in particular said in it.
        #[arg(allow_negative_numbers = true)]
        id: i64,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Ignore a person or group.
    Block {
        /// Their numeric Telegram id.
        #[arg(allow_negative_numbers = true)]
        id: i64,
        /// For so many minutes; for good if left out.
        #[arg(long)]
        minutes: Option<u32>,
    },
    /// End a block.
    Unblock {
        /// Their numeric Telegram id.
        #[arg(allow_negative_numbers = true)]
        id: i64,
    },
    /// Check a receipt of erasure.
    Receipt {
        /// The receipt's text; standard input if left out.
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a new master key. The old one opens nothing from then on; no data is written anew.
    Rotate {
        /// Use the key in this file, made if there is none, instead of replacing the old one: for keys
        /// that are handed in from elsewhere. Only while the hall does not run.
        #[arg(long)]
        to: Option<PathBuf>,
    },
}

fn unavailable(why: impl ToString) -> Failure {
    Failure::new(EXIT_UNAVAILABLE, why)
}

fn done() -> Done {
    Ok(std::process::ExitCode::SUCCESS)
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: PersonCommand) -> Done {
    match what {
        PersonCommand::Export { id, to } => export(env, id, &to),
        PersonCommand::Forget { id, yes } => forget(env, id, yes),
        PersonCommand::Block { id, minutes } => {
            let until =
                minutes.map(|it| SystemClock.now().plus(Duration::from_secs(u64::from(it) * 60)));
            act(env, Question { deed: Deed::Block { until }, id })?;
            print(&format!("{id} is blocked.\n"))?;
            done()
        }
        PersonCommand::Unblock { id } => {
            act(env, Question { deed: Deed::Unblock, id })?;
            print(&format!("{id} is not blocked any more.\n"))?;
            done()
        }
        PersonCommand::Receipt { file } => receipt(env, file.as_deref()),
    }
}

/// In this process if nobody holds the ledger, else by the hall that runs.
fn act(env: &Env, question: Question) -> Result<PersonDone, Failure> {
    let loaded = config::load(env)?;
    if let Some(done) = person::do_offline(&loaded, question).map_err(unavailable)? {
        return Ok(done);
    }
    let question = serde_json::to_string(&question);
    let question = question.map_err(|error| Failure::new(EXIT_SOFTWARE, error))?;
    let answer = errand(&loaded, "/person", question)?;
    serde_json::from_str(&answer).map_err(|error| Failure::new(EXIT_SOFTWARE, error))
}

fn errand(loaded: &Loaded, path: &str, question: String) -> Result<String, Failure> {
    let answer = ask_console::errand(&loaded.config, path, question, TIME_MAX);
    answer.map_err(|error| match error {
        ErrandError::NoHall(why) => {
            unavailable(format!("another process holds the ledger, and {why}"))
        }
        ErrandError::Refused(why) => unavailable(why),
    })
}

fn export(env: &Env, id: i64, to: &Path) -> Done {
    let PersonDone::Exported { json, markdown } = act(env, Question { deed: Deed::Export, id })?
    else {
        return Err(Failure::new(EXIT_SOFTWARE, "the hall answered something else"));
    };
    let json = format!("{json:#}\n");
    for (name, text) in [(format!("{id}.json"), json), (format!("{id}.md"), markdown)] {
        let path = to.join(name);
        let mut options = fs::OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
        opened
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(|error| {
                unavailable(format!("{} cannot be written: {error}", path.display()))
            })?;
        print(&format!("{}\n", path.display()))?;
    }
    done()
}

fn forget(env: &Env, id: i64, yes: bool) -> Done {
    if !yes {
        let why = "this cannot be undone: everything kept of that person becomes unreadable, in \
                   every copy; say --yes";
        return Err(Failure::new(64, why));
    }
    match act(env, Question { deed: Deed::Forget, id })? {
        PersonDone::Forgotten { receipt: Some(text) } => print(&text)?,
        PersonDone::Forgotten { receipt: None } => print("Nothing is kept of that person.\n")?,
        PersonDone::Exported { .. } | PersonDone::Listed => {
            return Err(Failure::new(EXIT_SOFTWARE, "the hall answered something else"));
        }
    }
    done()
}

fn receipt(env: &Env, file: Option<&Path>) -> Done {
    let mut text = String::new();
    match file {
        Some(path) => {
            text = fs::read_to_string(path)
                .map_err(|error| unavailable(format!("{}: {error}", path.display())))?;
        }
        None => drop(std::io::stdin().take(64 * 1024).read_to_string(&mut text)?),
    }
    let bad = |why: &dyn std::fmt::Display| Failure::new(EXIT_DATA, why);
    let signed_by = store::verify_receipt(&text).map_err(|error| bad(&error))?;
    let loaded = config::load(env)?;
    let own = person::receipt_key(&loaded).map_err(unavailable)?;
    if own != signed_by {
        return Err(bad(&"it is signed, but not by this hall"));
    }
    print("This hall signed it, and nothing in it was changed.\n")?;
    done()
}

/// Does what the command says.
pub(crate) fn key(env: &Env, what: KeyCommand) -> Done {
    match what {
        KeyCommand::Rotate { to } => {
            let loaded = config::load(env)?;
            let is_done = person::rotate_offline(&loaded, to.as_deref()).map_err(unavailable)?;
            match (is_done, &to) {
                (true, _) => (),
                (false, None) => drop(errand(&loaded, "/key/rotate", String::new())?),
                (false, Some(_)) => {
                    let why = "the hall runs: stop it first, and start it with the new key";
                    return Err(unavailable(why));
                }
            }
            let place = match (to, loaded.config.secrets.master_key_agent()) {
                (Some(to), _) => to.display().to_string(),
                (None, Some(_)) => "Secrets Manager".to_owned(),
                (None, None) => loaded.config.key_file().display().to_string(),
            };
            print(&format!(
                "{place} holds a new master key; the old one opens nothing any more. Keep a copy of it \
                 and of {} in a safe place.\n",
                loaded.config.keyring_file().display()
            ))?;
            done()
        }
    }
}
