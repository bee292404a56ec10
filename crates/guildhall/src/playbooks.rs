//! The playbooks that come as files: one TOML file each, read and checked together; and what playbooks
//! did, for whoever asks in a terminal.
//!
//! An unknown key is an error, with the nearest one that there is. All problems of a folder are told at
//! once. A folder that is missing is empty.

mod reading;

use std::{path::Path, sync::Arc};

use flow::{
    playbook::{Playbook, Run},
    roster::{Shared, view_of},
    words::playbooks::lines,
};
use protocol::{
    PersonId,
    ledger::{Ledger as _, Stream},
};
use serde::{Deserialize, Serialize};
use watch::KeyedHasher;

use self::reading::read_text;
use crate::{
    build::BuildError,
    config::{Bounds, Config, Loaded, Problem, Problems, read_folder},
    person,
};

/// The most playbooks one folder may hold.
pub const PLAYBOOKS_MAX: usize = 100;
/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The playbooks of a configuration: those of the folder, but for those that are switched off.
///
/// # Errors
/// If the folder cannot be read or any file has a problem: all of them, with file and line.
pub fn load(config: &Config) -> Result<Vec<Playbook>, Problems> {
    let mut playbooks = all(&config.playbooks.dir)?;
    let off = &config.playbooks.off;
    let known: Vec<&str> = playbooks.iter().map(|it| it.name.as_str()).collect();
    let unknown = off.iter().filter(|it| !known.contains(&it.as_str()));
    let problems: Vec<Problem> = unknown
        .map(|it| Problem {
            place: "playbooks.off".to_owned(),
            text: format!("there is no playbook `{it}`; there are: {}", known.join(", ")),
        })
        .collect();
    if !problems.is_empty() && !known.is_empty() {
        return Err(Problems(problems));
    }
    playbooks.retain(|it| !off.contains(&it.name));
    Ok(playbooks)
}

/// Every `*.toml` of a folder, in the order of the playbooks' names.
///
/// # Errors
/// As above.
pub fn all(folder: &Path) -> Result<Vec<Playbook>, Problems> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let bounds = Bounds { noun: "playbook", files_max: PLAYBOOKS_MAX, bytes_max: FILE_BYTES_MAX };
    read_folder(folder, bounds, read_text, |it| it.name.clone())
}

/// What playbooks did, as lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acts {
    /// What is not over.
    pub open: Vec<String>,
    /// What is, as far as it is at hand.
    pub over: Vec<String>,
}

fn acts<'r>(
    runs: impl DoubleEndedIterator<Item = &'r Arc<Run>>,
    pseudonym: &dyn Fn(PersonId) -> String,
) -> Acts {
    let (over, open): (Vec<&Run>, Vec<&Run>) =
        runs.rev().map(|it| &**it).partition(|it| it.is_over());
    let lines = |runs: Vec<&Run>| lines(runs.into_iter(), pseudonym);
    Acts { open: lines(open), over: lines(over) }
}

/// The answer of the hall that runs.
///
/// # Errors
/// If it cannot be written as JSON.
pub(crate) fn answer(hall: &Shared, hasher: &KeyedHasher) -> Result<String, String> {
    let acts = acts(hall.load().runs().each(), &|it| hasher.person(it));
    serde_json::to_string(&acts).map_err(|error| error.to_string())
}

/// Reads it here. `None` if a hall that runs holds the ledger.
///
/// # Errors
/// Why nothing can be read, in words.
pub fn acts_offline(loaded: &Loaded) -> Result<Option<Acts>, String> {
    let Some(store) = person::open(loaded)? else { return Ok(None) };
    let founding =
        crate::build::founding(&loaded.config, &[]).map_err(|error| error.to_string())?;
    let names = store.own_key("pseudonyms").map_err(|error| error.to_string())?;
    let hasher = KeyedHasher::new(*names);
    let stream = kit::block_on(store.load(Stream::Hall)).map_err(|error| error.to_string())?;
    let view =
        view_of(&founding, &stream.events).map_err(|error| BuildError::of(&error).to_string())?;
    store.close().map_err(|error| error.to_string())?;
    Ok(Some(acts(view.runs().each(), &|it| hasher.person(it))))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const GOOD: &str = "name = \"one\"\n[when]\nincident = \"guard\"\ncount = 3\nwithin = \"10m\"\n\
                        per = \"person\"\n[[steps]]\ndo = \"block\"\nlasts = \"15m\"\n";

    #[test]
    fn the_playbooks_that_we_ship_are_good_and_pause_nothing_for_one_person() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/playbooks");
        let playbooks = all(&folder).unwrap();
        let names: Vec<_> = playbooks.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["data_exfiltration", "prompt_injection", "unusual_usage"]);
        for playbook in playbooks.iter().filter(|it| it.pauses()) {
            assert!(2 <= playbook.when.people, "{}", playbook.name);
            assert_eq!(playbook.when.least, flow::incident::Severity::High);
        }
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused_and_a_missing_folder_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.toml"), GOOD).unwrap();
        fs::write(folder.path().join("README.md"), "no playbook").unwrap();
        assert_eq!(all(folder.path()).unwrap().len(), 1);
        fs::write(folder.path().join("b.toml"), GOOD).unwrap();
        let found = all(folder.path()).unwrap_err().to_string();
        assert!(found.contains("b.toml: name: `one` is the name of the playbook in"), "{found}");
        assert_eq!(all(&folder.path().join("none")).unwrap(), []);
    }

    #[test]
    fn one_that_is_switched_off_does_nothing_and_an_unknown_name_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.toml"), GOOD).unwrap();
        let mut config = Config::default();
        config.playbooks.dir = folder.path().to_owned();
        config.playbooks.off = vec!["one".to_owned()];
        assert_eq!(load(&config).unwrap(), []);
        config.playbooks.off = vec!["two".to_owned()];
        let found = load(&config).unwrap_err().to_string();
        assert!(found.contains("there is no playbook `two`; there are: one"), "{found}");
    }
}
