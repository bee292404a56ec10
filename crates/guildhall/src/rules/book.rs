//! The rulebook of a hall: its rule files and packs, read at the start and when an operator asks.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use flow::rulebook::{self, InForce, Rulebook, Which};
use screening::{Level, OwnRule, Policy, RuleFile, Trial};

use super::{
    install::{installed, packs_folder},
    keys::PackKey,
};
use crate::{
    build::{self, BuildError},
    config::{Config, Loaded},
};

/// Where rules come from.
#[derive(Clone, Debug)]
pub struct Sources {
    rules: PathBuf,
    packs: PathBuf,
    trusted: Vec<PackKey>,
}

impl Sources {
    /// As the configuration says.
    ///
    /// # Errors
    /// If one of `guard.pack_keys` is no key.
    pub fn of(config: &Config) -> Result<Self, BuildError> {
        let read = |text: &String| {
            PackKey::read(text).ok_or_else(|| {
                let why = "guard.pack_keys: a key is ed25519: and 32 bytes as base64, as `guildhall \
                           rules keygen` prints it";
                BuildError::in_words(format!("{why}, and {text:?} is none"))
            })
        };
        let trusted: Result<_, _> = config.guard.pack_keys.iter().map(read).collect();
        let rules = config.guard.rules_dir.clone();
        Ok(Self { rules, packs: packs_folder(config), trusted: trusted? })
    }

    /// The keys whose packs are trusted.
    #[must_use]
    pub fn trusted(&self) -> &[PackKey] {
        &self.trusted
    }

    /// Where packs lie.
    #[must_use]
    pub fn packs(&self) -> &std::path::Path {
        &self.packs
    }

    /// The operator's own rule files.
    ///
    /// # Errors
    /// Which cannot be read.
    pub fn own_files(&self) -> Result<Vec<RuleFile>, BuildError> {
        build::rule_files(&self.rules)
    }

    /// All rule files: the operator's own, then those of packs.
    ///
    /// # Errors
    /// Which cannot be read, or which pack no trusted key signed.
    pub fn files(&self) -> Result<Vec<RuleFile>, BuildError> {
        let mut files = self.own_files()?;
        files.extend(installed(&self.packs, &self.trusted)?);
        Ok(files)
    }
}

/// See the file head.
#[derive(Debug)]
pub struct Book {
    /// Everything but the files.
    policy: Policy,
    sources: Sources,
    /// As they were read last.
    files: Mutex<Vec<RuleFile>>,
}

impl Book {
    /// Reads the files and compiles all there is: the book, and what is in force without the rules
    /// that admins gave.
    ///
    /// # Errors
    /// Which rule of which file is wrong, and how.
    pub fn open(loaded: &Loaded) -> Result<(Self, InForce), BuildError> {
        let sources = Sources::of(&loaded.config)?;
        let second_opinion = build::second_opinion(&loaded.config.guard)?;
        let policy = Policy { second_opinion, ..build::policy(loaded, Vec::new()) };
        let files = Mutex::new(sources.files()?);
        let book = Self { policy, sources, files };
        let in_force = book.make(Vec::new()).map_err(BuildError::in_words)?;
        Ok((book, in_force))
    }

    fn files(&self) -> MutexGuard<'_, Vec<RuleFile>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_of(&self, files: &[RuleFile], own: Vec<OwnRule>) -> Result<InForce, String> {
        let policy = Policy { rule_files: files.to_vec(), ..self.policy.clone() };
        rulebook::make(&policy, own).map_err(|error| BuildError::of(&error).to_string())
    }
}

impl Rulebook for Book {
    fn make(&self, own: Vec<OwnRule>) -> Result<InForce, String> {
        let files = self.files().clone();
        self.make_of(&files, own)
    }

    fn read_anew(&self, own: Vec<OwnRule>) -> Result<InForce, String> {
        let files = self.sources.files().map_err(|error| error.to_string())?;
        let made = self.make_of(&files, own)?;
        *self.files() = files;
        Ok(made)
    }

    fn trial(&self, which: Which, own: &[OwnRule]) -> Result<Trial, String> {
        let files = self.files().clone();
        trial(self.policy.level, which, &files, own)
    }
}

/// Rules by themselves: of a file, or one of all that there are.
pub(super) fn trial(
    level: Level,
    which: Which,
    files: &[RuleFile],
    own: &[OwnRule],
) -> Result<Trial, String> {
    let words = |error: screening::RuleError| BuildError::of(&error).to_string();
    let none = |name: &str| format!("There is no rule called {name}.");
    let name = match which {
        Which::OfFile(file, name) => {
            let trial = Trial::new(level, &[file], &[]).map_err(words)?;
            return match name {
                Some(name) => trial.only(&name).ok_or_else(|| none(&name)),
                None => Ok(trial),
            };
        }
        Which::Named(name) => name,
    };
    if let Some(rule) = own.iter().find(|rule| rule.name == name) {
        return Trial::new(level, &[], std::slice::from_ref(rule)).map_err(words);
    }
    let in_files = Trial::new(level, files, &[]).map_err(words)?;
    match in_files.only(&name) {
        Some(trial) => Ok(trial),
        None => Trial::builtin(level).map_err(words)?.only(&name).ok_or_else(|| none(&name)),
    }
}
