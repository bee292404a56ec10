//! Backups, as the configuration wants them: where they are kept, by which rule, and who makes them
//! while the hall runs.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

#[cfg(feature = "bucket")]
use adapters::bucket::{Bucket, BucketConfig};
use async_trait::async_trait;
use flow::archivist::{ArchivistConfig, Copier};
use protocol::{Clock as _, Timestamp, shelf::Shelf};
use serde_json::{Value, json};
use store::{
    Store,
    audit::AuditPlace,
    backup::{self, BackupReport, BackupRules, FolderShelf, Keep, Kind},
};

#[cfg(feature = "bucket")]
use crate::config::{BUCKET_KEY, BUCKET_KEY_ID};
use crate::{
    audit,
    build::BuildError,
    config::{Config, Loaded},
    doctor::Finding,
    run::SystemClock,
};

/// Where backups are kept: a bucket if one is configured, else a folder.
///
/// # Errors
/// What is wrong with the bucket's settings.
pub fn shelf(loaded: &Loaded) -> Result<Arc<dyn Shelf>, BuildError> {
    let config = &loaded.config;
    match config.backup_bucket() {
        Some((name, prefix)) => bucket(loaded, name, prefix),
        None => Ok(Arc::new(FolderShelf::new(config.backup_dir()))),
    }
}

#[cfg(feature = "bucket")]
fn bucket(loaded: &Loaded, name: &str, prefix: &str) -> Result<Arc<dyn Shelf>, BuildError> {
    let secret = |name| loaded.secrets.get(name).cloned();
    let backup = &loaded.config.backup;
    let made = Bucket::new(&BucketConfig {
        bucket: name.to_owned(),
        prefix: prefix.to_owned(),
        endpoint: backup.endpoint.clone(),
        region: backup.region.clone(),
        key: secret(BUCKET_KEY_ID).zip(secret(BUCKET_KEY)),
    });
    Ok(Arc::new(made.map_err(|error| BuildError::of(&error))?))
}

#[cfg(not(feature = "bucket"))]
fn bucket(_: &Loaded, name: &str, _: &str) -> Result<Arc<dyn Shelf>, BuildError> {
    Err(BuildError::in_words(format!("the bucket {name}: this program was built without buckets")))
}

/// When one is full, and which are kept.
#[must_use]
pub fn rules(config: &Config) -> BackupRules {
    let it = &config.backup;
    let keep = Keep { last: it.keep_last, daily: it.keep_daily, weekly: it.keep_weekly };
    BackupRules { full_every: it.full_every, keep }
}

/// When one is due; `None` where they are switched off.
#[must_use]
pub fn due(config: &Config) -> Option<ArchivistConfig> {
    let every: Duration = config.backup.every.0?;
    let uncovered_bytes_max = config.store.log_bytes_max.0 / 2;
    Some(ArchivistConfig { every, uncovered_bytes_max })
}

/// What `doctor` says about backups.
#[must_use]
pub fn examine(loaded: &Loaded) -> Finding {
    let Some(due) = due(&loaded.config) else {
        let why = "a disk that fails takes every conversation with it";
        return Finding::warn("backups are switched off", why, "set backup.every");
    };
    let look = || -> Result<Finding, BuildError> {
        let shelf = shelf(loaded)?;
        let place = shelf.place();
        let newest = backup::points(shelf.as_ref()).map_err(|error| BuildError::of(&error))?.pop();
        let Some(newest) = newest else {
            let what = format!("there is no backup in {place}");
            let how = "start the hall, or run `guildhall backup create`";
            return Ok(Finding::warn(what, "none was made yet", how));
        };
        let age = SystemClock.now().0.saturating_sub(newest.made.0);
        let age = Duration::from_millis(age);
        let words = format!("the newest backup in {place} is {} h old", age.as_secs() / 3_600);
        if age <= 2 * due.every {
            return Ok(Finding::ok(words));
        }
        Ok(Finding::warn(
            words,
            "that is more than backup.every allows",
            "see the log, then try `guildhall backup create`",
        ))
    };
    look().unwrap_or_else(|error| {
        let how = "look at backup.dir or backup.url";
        Finding::bad("backups cannot be looked at", error.to_string(), how)
    })
}

/// Makes backups of an open store.
pub(crate) struct StoreCopier {
    pub(crate) store: Store,
    /// The audit log, of which a copy goes with each.
    pub(crate) audit: AuditPlace,
    pub(crate) shelf: Arc<dyn Shelf>,
    pub(crate) rules: BackupRules,
    /// Breaks off what is under way.
    pub(crate) stop: Arc<AtomicBool>,
}

#[async_trait]
impl Copier for StoreCopier {
    async fn copy(&self) -> Result<String, String> {
        let (store, shelf) = (self.store.clone(), Arc::clone(&self.shelf));
        let (rules, stop) = (self.rules, Arc::clone(&self.stop));
        let log = self.audit.clone();
        let made = tokio::task::spawn_blocking(move || {
            let made = store.backup(shelf.as_ref(), rules, SystemClock.now(), &stop);
            let report = made.map_err(|error| BuildError::of(&error).to_string())?;
            audit::copy(&log, shelf.as_ref()).map(|()| report)
        });
        match made.await {
            Ok(Ok(report)) => Ok(report_json(&report).to_string()),
            Ok(Err(why)) => Err(why),
            Err(_panicked) => Err("the ledger could not be read: the engine panicked".to_owned()),
        }
    }

    fn last_good(&self) -> Option<Timestamp> {
        self.store.last_backup()
    }

    fn uncovered_bytes(&self) -> u64 {
        self.store.uncovered_bytes()
    }
}

/// What was made, for programs.
#[must_use]
pub fn report_json(report: &BackupReport) -> Value {
    json!({
        "name": report.name,
        "kind": report.kind.map_or("nothing_new", kind_word),
        "pairs": report.pairs,
        "batches": report.batches,
        "bytes": report.bytes,
        "removed": report.removed,
        "took_ms": millis(report.took),
    })
}

/// The word for what a backup holds.
#[must_use]
pub fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Full => "full",
        Kind::More => "more",
    }
}

/// A duration as JSON has it.
#[must_use]
pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
