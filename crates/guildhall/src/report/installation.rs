//! What the machine shows of a control: keys, file modes, backups, the ledger, the hall that runs.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, time::Duration};

use super::{
    Answer, Check,
    facts::{Facts, Inside, Newest},
    moment,
};
use crate::{audit, backups, doctor::Level, init::is_inside};

pub(super) const SEALED: Check = Check { name: "sealed", ask: sealed };
pub(super) const KEY_APART: Check = Check { name: "key_apart", ask: key_apart };
pub(super) const FILE_MODES: Check = Check { name: "file_modes", ask: file_modes };
pub(super) const BACKUPS: Check = Check { name: "backups", ask: backups };
pub(super) const DOCTOR: Check = Check { name: "doctor", ask: doctor };
pub(super) const HALL: Check = Check { name: "hall", ask: hall };

fn sealed(facts: &Facts<'_>) -> Answer {
    let met = "every record is sealed with the key of the person it is of, and all keys by the master key";
    match &facts.inside {
        Inside::Open(held) => Answer::met(met).with("agents in the ledger (count)", held.agents),
        Inside::InUse(_) => Answer::met(format!("{met}; a hall that runs has it open")),
        Inside::Nothing => Answer::not_known("there is no ledger yet", "start the hall once"),
        Inside::Closed(why) => {
            Answer::not_known(format!("the ledger does not open: {why}"), "run `guildhall doctor`")
        }
    }
}

fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|about| about.mode() & 0o777)
}

fn key_apart(facts: &Facts<'_>) -> Answer {
    let config = &facts.loaded.config;
    let (key, ring) = (config.key_file(), config.keyring_file());
    let aws = config.secrets.aws_master_key;
    let mut wrong = Vec::new();
    if !aws && is_inside(&key, &config.hall.data_dir) {
        wrong.push("the master key lies inside the data folder");
    }
    if is_inside(&ring, &config.hall.data_dir) {
        wrong.push("the keyring lies inside the data folder");
    }
    if [&key, &ring].iter().any(|it| mode(it).is_some_and(|mode| mode & 0o077 != 0)) {
        wrong.push("others may read a key");
    }
    let found = if aws { true } else { key.exists() };
    let answer = match (found, wrong.is_empty()) {
        (_, false) => Answer::not_met(wrong.join("; "), "move it out and `chmod 600` it"),
        (false, true) => Answer::not_met("there is no master key", "run `guildhall init`"),
        (true, true) => {
            Answer::met("the keys lie apart from the data, and nobody else may read them")
        }
    };
    let shown = |path: &Path| mode(path).map_or("none".to_owned(), |it| format!("{it:04o}"));
    answer
        .with(
            "mode of the master key",
            if aws { "in Secrets Manager".to_owned() } else { shown(&key) },
        )
        .with("mode of the keyring", shown(&ring))
}

fn file_modes(facts: &Facts<'_>) -> Answer {
    let config = &facts.loaded.config;
    let place = audit::place(config);
    let mut private = vec![("data folder", config.hall.data_dir.clone()), ("audit log", place.log)];
    private.push(("checkpoint of the audit log", place.anchor));
    let open: Vec<&str> = private
        .iter()
        .filter(|(_, path)| mode(path).is_some_and(|mode| mode & 0o077 != 0))
        .map(|(name, _)| *name)
        .collect();
    let writable =
        facts.loaded.file.as_ref().is_some_and(|it| mode(it).is_some_and(|it| it & 0o022 != 0));
    let answer = if !config.hall.data_dir.exists() {
        Answer::not_known("there is no data folder yet", "run `guildhall init`")
    } else if writable {
        Answer::not_met("others may write the configuration", "chmod go-w on it")
    } else if open.is_empty() {
        Answer::met("only the hall's own user may look into its data")
    } else {
        let why = format!("others may look into: {}", open.join(", "));
        Answer::not_met(why, "run `guildhall doctor --fix`")
    };
    private.iter().fold(answer, |answer, (name, path)| match mode(path) {
        Some(mode) => answer.with(format!("mode of the {name}"), format!("{mode:04o}")),
        None => answer,
    })
}

fn backups(facts: &Facts<'_>) -> Answer {
    let Some(due) = backups::due(&facts.loaded.config) else {
        return Answer::not_met("backups are switched off", "set backup.every")
            .with("backup.every", "0");
    };
    let answer = match &facts.newest {
        Err(why) => Answer::not_known(
            format!("backups cannot be looked at: {why}"),
            "see backup.dir or backup.url",
        ),
        Ok(None) => Answer::not_met("there is no backup", "run `guildhall backup create`"),
        Ok(Some(newest)) => newest_answer(newest, facts, due.every),
    };
    answer.with("backup.every", format!("{} h", due.every.as_secs() / 3_600))
}

fn newest_answer(newest: &Newest, facts: &Facts<'_>, every: Duration) -> Answer {
    let age = Duration::from_millis(facts.now.0.saturating_sub(newest.made.0));
    let hours = age.as_secs() / 3_600;
    let answer = match &newest.verified {
        Err(why) => {
            let what = format!("the newest backup cannot be read: {why}");
            Answer::not_met(what, "run `guildhall backup verify`, then `guildhall backup create`")
        }
        Ok(_) if 2 * every < age => {
            let what = format!("the newest backup is {hours} h old, more than backup.every allows");
            Answer::not_met(what, "see the log, then run `guildhall backup create`")
        }
        Ok(files) => {
            Answer::met(format!("the newest backup is {hours} h old and was read to its end"))
                .with("files read to their end", files)
        }
    };
    answer.with("newest backup", &newest.name).with("made", moment(newest.made))
}

fn doctor(facts: &Facts<'_>) -> Answer {
    let count = |level| facts.findings.iter().filter(|it| it.level == level).count();
    let (bad, warn) = (count(Level::Bad), count(Level::Warn));
    let answer = match bad {
        0 => Answer::met("`guildhall doctor` finds nothing that is unsafe or does not work"),
        _ => Answer::not_met(
            format!("`guildhall doctor` finds {bad} bad things"),
            "run it and do what it says",
        ),
    };
    answer.with("bad (count)", bad).with("to look at (count)", warn)
}

fn hall(facts: &Facts<'_>) -> Answer {
    let fix = "start the hall, and run the report where its data folder is";
    match &facts.hall {
        Err(why) => Answer::not_known(format!("how the hall runs was not seen: {why}"), fix),
        Ok(status) => {
            let text = |key: &str| {
                status
                    .get(key)
                    .map_or("-".to_owned(), |it| it.as_str().map_or(it.to_string(), str::to_owned))
            };
            let checks = status.get("checks").and_then(serde_json::Value::as_array);
            let is_bad = |it: &&serde_json::Value| it.get("ok").is_some_and(|it| it == false);
            let bad = checks.into_iter().flatten().filter(is_bad).count();
            let answer = match (text("state").as_str(), bad) {
                ("running", 0) => {
                    Answer::met("the hall runs, and all that it checks of itself is well")
                }
                (state, _) => Answer::not_met(
                    format!("the hall is {state}, and {bad} of its checks are not well"),
                    "run `guildhall status`",
                ),
            };
            answer.with("state", text("state")).with("seconds up", text("uptime_s"))
        }
    }
}
