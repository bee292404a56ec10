//! `guildhall audit …`: list, export, verify, resume.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Subcommand, ValueEnum};
use guildhall::{
    audit,
    config::{self, Env},
    evidence::{self, Noted, Noting},
    person,
    run::{EXIT_SOFTWARE, EXIT_UNAVAILABLE, SystemClock},
};
use protocol::{Clock as _, Timestamp, audit::Doer};
use store::audit::{Audit, AuditError, AuditPlace, read, verify};
use watch::Form;

use crate::{Done, Failure, print, print_json};

/// Exit code of data that is not as it should be (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show what was done, oldest first. As JSON: each line is exactly what was hashed.
    List {
        /// Only since then: `2026-11-26`, `2026-11-26T08:00:00Z`, or `90m`, `24h`, `7d` ago.
        #[arg(long)]
        since: Option<String>,
        /// Only what a person or group did, or what was done to them, by their numeric id.
        #[arg(long, allow_negative_numbers = true)]
        person: Option<i64>,
        /// As JSON Lines.
        #[arg(long)]
        json: bool,
    },
    /// Write what was done between two times, oldest first, for a system that watches from elsewhere.
    Export {
        /// Only since then: `2026-11-26`, `2026-11-26T08:00:00Z`, or `90m`, `24h`, `7d` ago.
        #[arg(long)]
        since: Option<String>,
        /// Only before then, likewise.
        #[arg(long)]
        until: Option<String>,
        /// As what.
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
        /// Into this file, which nobody else may read; standard output if left out.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Follow the log from its beginning to its end, and say where it was edited, shortened or moved.
    Verify {
        /// The file of a copy, in place of this hall's.
        #[arg(long)]
        log: Option<PathBuf>,
        /// A checkpoint that was kept elsewhere, in place of the one beside the keyring.
        #[arg(long)]
        anchor: Option<PathBuf>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Set a log that was changed aside, and begin another whose first record says so. Only while the
    /// hall does not run.
    Resume {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// JSON Lines, each exactly what was hashed.
    Jsonl,
    /// JSON Lines in the Open Cybersecurity Schema Framework.
    Ocsf,
    /// `ArcSight`'s Common Event Format.
    Cef,
}

impl Format {
    const fn form(self) -> Option<Form> {
        match self {
            Self::Jsonl => None,
            Self::Ocsf => Some(Form::Ocsf),
            Self::Cef => Some(Form::Cef),
        }
    }
}

/// Does what the command says.
pub(crate) fn run(env: &Env, what: AuditCommand) -> Done {
    match what {
        AuditCommand::List { since, person, json } => list(env, since.as_deref(), person, json),
        AuditCommand::Export { since, until, format, out } => {
            export(env, (since.as_deref(), until.as_deref()), format, out.as_deref())
        }
        AuditCommand::Verify { log, anchor, json } => check(env, log, anchor, json),
        AuditCommand::Resume { yes } => resume(env, yes),
    }
}

fn list(env: &Env, since: Option<&str>, person: Option<i64>, json: bool) -> Done {
    let loaded = config::load(env)?;
    note_reading(&loaded.config, person.is_some());
    let since = since.map(moment).transpose().map_err(|why| Failure::new(64, why))?;
    let keys = audit::keys(&loaded.config)?;
    let word = person.map(|it| keys.person(it));
    let mut text = String::new();
    let each = &mut |record: &protocol::audit::Record, line: &[u8]| {
        let is_late = since.is_none_or(|since| since <= record.at);
        let is_theirs = word.as_ref().is_none_or(|it| record.actor == *it || record.target == *it);
        if is_late && is_theirs {
            match json {
                true => text.push_str(&format!("{}\n", String::from_utf8_lossy(line))),
                false => text.push_str(&audit::line(record)),
            }
        }
        Ok(())
    };
    let found = read(&audit::place(&loaded.config), &keys, each);
    // What stands before a break is shown, too.
    print(&text)?;
    found.map_err(|error| broken(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn export(
    env: &Env,
    (since, until): (Option<&str>, Option<&str>),
    format: Format,
    out: Option<&Path>,
) -> Done {
    let loaded = config::load(env)?;
    let parsed = |it: Option<&str>| it.map(moment).transpose();
    let since = parsed(since).map_err(|why| Failure::new(64, why))?;
    let until = parsed(until).map_err(|why| Failure::new(64, why))?;
    let unwritable = |path: &Path, error: &std::io::Error| {
        Failure::new(EXIT_UNAVAILABLE, format!("{} cannot be written: {error}", path.display()))
    };
    let file = match out {
        None => None,
        Some(path) => {
            let mut options = fs::OpenOptions::new();
            let opened = options.write(true).create_new(true).mode(0o600).open(path);
            Some((path, opened.map_err(|error| unwritable(path, &error))?))
        }
    };
    note(&loaded.config, Noted::AuditExported, "by the command");
    let keys = audit::keys(&loaded.config)?;
    let mut text = Vec::new();
    let each = &mut |record: &protocol::audit::Record, line: &[u8]| {
        let is_late = since.is_none_or(|since| since <= record.at);
        if is_late && until.is_none_or(|until| record.at < until) {
            text.extend(audit::formed(record, line, format.form()));
            text.push(b'\n');
        }
        Ok(())
    };
    let found = read(&audit::place(&loaded.config), &keys, each);
    // What stands before a break is handed out, too.
    match file {
        None => print(&String::from_utf8_lossy(&text))?,
        Some((path, mut file)) => {
            let written = file.write_all(&text).and_then(|()| file.sync_all());
            written.map_err(|error| unwritable(path, &error))?;
        }
    }
    found.map_err(|error| broken(&error))?;
    Ok(ExitCode::SUCCESS)
}

/// The log is shown to whoever has its key, also where it is broken and takes no records: then it is said that it was
/// not noted.
fn note_reading(config: &config::Config, is_of_one: bool) {
    let about = if is_of_one { "of one person, by the command" } else { "by the command" };
    note(config, Noted::AuditRead, about);
}

fn note(config: &config::Config, deed: Noted, about: &str) {
    let noting = Noting { deed, about: about.to_owned(), failed: false };
    if let Err(why) = evidence::noted(config, &noting) {
        // lost-ok: standard error is closed; nobody is there to be told.
        writeln!(std::io::stderr(), "guildhall: that the log is read was not noted: {why}").ok();
    }
}

fn broken(error: &AuditError) -> Failure {
    let code = match error {
        AuditError::Broken(_) => EXIT_DATA,
        AuditError::Locked
        | AuditError::Newer { .. }
        | AuditError::NothingBroken
        | AuditError::Io(_) => EXIT_UNAVAILABLE,
    };
    Failure::new(code, audit::in_words(error))
}

fn check(env: &Env, log: Option<PathBuf>, anchor: Option<PathBuf>, json: bool) -> Done {
    let loaded = config::load(env)?;
    let own = audit::place(&loaded.config);
    let place = AuditPlace { log: log.unwrap_or(own.log), anchor: anchor.unwrap_or(own.anchor) };
    let keys = audit::keys(&loaded.config)?;
    let checked = verify(&place, &keys).map_err(|error| broken(&error))?;
    let Some(checked) = checked else {
        let why = format!("there is no audit log in {} yet", place.log.display());
        return Err(Failure::new(EXIT_UNAVAILABLE, why));
    };
    if json {
        print_json(&audit::json(&checked))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!(
        "All {} records are as they were written; the checkpoint vouches for {}, and {} more are \
         signed in the log.\nThe last has the hash {}.\nThey are signed with {}.\n",
        checked.records, checked.anchored, checked.checkpoints, checked.head, checked.key
    ))?;
    for record in &checked.resumed {
        print(&format!("The operator went on after a break: {}", audit::line(record)))?;
    }
    if 0 < checked.torn_bytes {
        print(&format!(
            "Behind them are {} bytes of a write that was never acknowledged.\n",
            checked.torn_bytes
        ))?;
    }
    if checked.torn_checkpoint {
        print(
            "One of the two places of the checkpoint does not read: a crash tore it, or somebody \
             changed it. Compare with a checkpoint that was kept elsewhere: --anchor.\n",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn resume(env: &Env, yes: bool) -> Done {
    if !yes {
        let why = "this sets the log aside that was changed, and begins another; keep the old one \
                   for whoever looks into it; say --yes";
        return Err(Failure::new(64, why));
    }
    let loaded = config::load(env)?;
    let store = person::open(&loaded).map_err(|why| Failure::new(EXIT_UNAVAILABLE, why))?;
    let Some(store) = store else {
        return Err(Failure::new(EXIT_UNAVAILABLE, "the hall runs: stop it first"));
    };
    let keys = store.audit_keys().map_err(|error| Failure::new(EXIT_SOFTWARE, error))?;
    let place = audit::place(&loaded.config);
    let resumed = Audit::resume(&place, keys, Doer::Operator, SystemClock.now());
    drop(resumed.map_err(|error| broken(&error))?);
    store.close().map_err(|error| Failure::new(EXIT_UNAVAILABLE, error))?;
    print(&format!(
        "{} goes on. What was there is beside it, as log.broken-….\n",
        place.log.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// A moment: a date, a time, or so long ago.
fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is no moment: say 2026-11-26, a time in RFC 3339, or 24h");
    let last = text.len().saturating_sub(1);
    let (digits, unit) = text.split_at_checked(last).unwrap_or_default();
    let minutes = match unit {
        "m" => Some(1),
        "h" => Some(60),
        "d" => Some(24 * 60),
        _ => None,
    };
    if let (Ok(count), Some(minutes)) = (digits.parse::<u64>(), minutes) {
        let span = count.saturating_mul(minutes).saturating_mul(60_000);
        return Ok(Timestamp(SystemClock.now().0.saturating_sub(span)));
    }
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let time = whole.parse::<jiff::Timestamp>().map_err(|_no_time| wrong())?;
    Ok(Timestamp(u64::try_from(time.as_millisecond()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_a_time_or_so_long_ago() {
        assert_eq!(moment("1970-01-02"), Ok(Timestamp(86_400_000)));
        assert_eq!(moment("1970-01-01T00:00:01Z"), Ok(Timestamp(1_000)));
        let hour = moment("1h").unwrap().0;
        assert!(SystemClock.now().0 - hour < 3_700_000);
        for wrong in ["", "h", "soon", "1y", "2026-13-01", "é"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
