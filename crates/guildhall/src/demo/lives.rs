//! The lives of the demo's hall: it runs, and when the desk asks for it, loses its data, gets back what the
//! newest backup holds, and runs again.
//!
//! Receives  the desk's wish, as the end of a life.
//! Owns      `<data>.lost`, where the lost data is put; what an earlier loss left there is removed.
//! On crash  in the middle of a restore, the next start puts the lost data back.

use std::{
    cell::Cell,
    fs, io,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    sync::Arc,
};

use rehearsal::Ran;
use tokio::sync::oneshot;
use watch::Logs;

use super::{
    Demo,
    desk::{self, Clerk},
};
use crate::{
    config::{self, Env, Loaded},
    run::{self, Cues, Door},
};

/// What belongs to the demo and not to its hall, and stays.
const STAYS: [&str; 2] = ["agents", "logs"];

/// Lies beside the lost data until a restore is over, well or not.
const UNFINISHED: &str = "unfinished";

/// Whoever waits for the hall to stand again, and what they are told then.
type Waiting = Option<(oneshot::Sender<Ran>, Ran)>;

/// Puts back what a restore had moved away that was killed in the middle.
///
/// # Errors
/// Why it cannot. What was not put back is where it was; the next start tries again.
pub fn recover(demo: &Demo) -> io::Result<()> {
    if lost(demo).join(UNFINISHED).exists() { put_back(demo) } else { Ok(()) }
}

/// Runs the hall until it ends for another reason than the desk's wish. Blocks.
#[must_use]
pub fn live(
    (demo, env, clerk): (&Demo, &Env, &Arc<Clerk>),
    mut loaded: Loaded,
    logs: &Logs,
    first: &dyn Fn(),
) -> ExitCode {
    clerk.know(env.clone());
    let waiting: Cell<Waiting> = Cell::new(None);
    let is_first = Cell::new(true);
    let standing = || match waiting.take() {
        // lost-ok: the page that asked is closed.
        Some((tell, ran)) => drop(tell.send(ran)),
        None if is_first.replace(false) => first(),
        None => {}
    };
    loop {
        let cues = Cues { standing: &standing, may_renew: None, ends: Some(clerk.begin()) };
        let ended = run::run(loaded, Door::Open, logs, cues).unwrap_or(ExitCode::SUCCESS);
        let Some(tell) = clerk.asked() else { return ended };
        waiting.set(Some((tell, lose_and_restore(demo, env))));
        match config::load(env) {
            Ok(again) => loaded = again,
            // It was right a moment ago: a file of the demo was changed meanwhile.
            Err(_problems) => return ExitCode::from(config::EXIT_CONFIG),
        }
    }
}

fn lost(demo: &Demo) -> PathBuf {
    demo.data.with_extension("lost")
}

/// What the hall keeps in its data folder.
fn kept(demo: &Demo) -> io::Result<Vec<fs::DirEntry>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(&demo.data)? {
        let entry = entry?;
        if !STAYS.iter().any(|it| entry.file_name() == *it) {
            kept.push(entry);
        }
    }
    Ok(kept)
}

/// Moves the data away.
fn lose(demo: &Demo) -> io::Result<()> {
    let lost = lost(demo);
    if lost.exists() {
        fs::remove_dir_all(&lost)?;
    }
    fs::create_dir_all(&lost)?;
    fs::write(lost.join(UNFINISHED), "")?;
    for entry in kept(demo)? {
        fs::rename(entry.path(), lost.join(entry.file_name()))?;
    }
    Ok(())
}

/// Puts the lost data back in place of what a restore left of it.
fn put_back(demo: &Demo) -> io::Result<()> {
    for entry in fs::read_dir(lost(demo))? {
        let entry = entry?;
        let place = demo.data.join(entry.file_name());
        if entry.file_name() == UNFINISHED {
            continue;
        }
        if place.is_dir() {
            fs::remove_dir_all(&place)?;
        }
        fs::rename(entry.path(), place)?;
    }
    fs::remove_file(lost(demo).join(UNFINISHED))
}

fn restore(env: &Env) -> io::Result<Ran> {
    let mut command = Command::new(std::env::current_exe()?);
    let command = command.args(["backup", "restore"]).env_clear().envs(env).stdin(Stdio::null());
    command.output().map(|output| desk::said(&output))
}

fn lose_and_restore(demo: &Demo, env: &Env) -> Ran {
    if let Err(error) = lose(demo) {
        return desk::bad(format!("The data cannot be moved away: {error}"));
    }
    let mut restored = restore(env).unwrap_or_else(desk::bad);
    if restored.is_good
        && let Err(error) = fs::remove_file(lost(demo).join(UNFINISHED))
    {
        restored = desk::bad(format!("The restore cannot be finished: {error}. "));
    }
    if restored.is_good {
        let words = format!(
            "The hall was stopped, and its data moved to {}.\n{}The hall stands again. What was said \
             after that backup is gone from its memory; what was said before, it knows.",
            lost(demo).display(),
            restored.words
        );
        return Ran { words, ..restored };
    }
    let after = match put_back(demo) {
        Ok(()) => "The data was put back.".to_owned(),
        Err(error) => format!("The data is in {}: {error}", lost(demo).display()),
    };
    desk::bad(format!("{}{after}", restored.words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_can_be_put_back_and_the_demos_own_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = "127.0.0.1:0".parse().unwrap();
        let data = folder.path().join("demo");
        let demo = Demo { chat: at, console: at, data: data.clone(), weights: None };
        for name in ["agents", "logs", "ledger"] {
            fs::create_dir_all(data.join(name)).unwrap();
        }
        let note = data.join("ledger/note");
        fs::write(&note, "kept").unwrap();
        // The second time over what the first has left.
        for _ in 0..2 {
            lose(&demo).unwrap();
            assert!(!data.join("ledger").exists() && data.join("logs").exists());
            fs::create_dir_all(data.join("ledger/half")).unwrap();
            put_back(&demo).unwrap();
            assert!(!lost(&demo).join(UNFINISHED).exists());
            assert_eq!(fs::read_to_string(&note).unwrap(), "kept");
            assert!(!data.join("ledger/half").exists() && data.join("agents").exists());
        }
    }
}
