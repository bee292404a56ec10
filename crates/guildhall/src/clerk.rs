//! What officers ask of the program in a chat: backups, reports, what could not be read.

use std::sync::Arc;

use async_trait::async_trait;
use flow::clerk::{BackupLine, Clerk, Unread};
use protocol::{Clock as _, shelf::Shelf};
use store::{Store, backup};

use crate::{
    build::BuildError,
    config::Loaded,
    report::{self, Standard},
    run::SystemClock,
};

/// How many days back a report counts the audit log, as the command does.
const REPORT_DAYS: u32 = 90;
/// Updates that could not be read and are listed.
const UNREAD_MAX: usize = 50;

/// The clerk of the hall that runs.
pub(crate) struct HallClerk {
    pub(crate) store: Store,
    pub(crate) shelf: Arc<dyn Shelf>,
    pub(crate) loaded: Arc<Loaded>,
}

/// Does what blocks on a thread where nobody waits for it.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_panicked| Err("it could not be looked at: something panicked".to_owned()))
}

#[async_trait]
impl Clerk for HallClerk {
    async fn backups(&self) -> Result<Vec<BackupLine>, String> {
        let shelf = Arc::clone(&self.shelf);
        let points = off_thread(move || {
            backup::points(shelf.as_ref()).map_err(|error| BuildError::of(&error).to_string())
        });
        let mut lines: Vec<BackupLine> = points
            .await?
            .into_iter()
            .map(|it| BackupLine { name: it.name, made: it.made, bytes: it.bytes })
            .collect();
        lines.reverse();
        Ok(lines)
    }

    async fn report(&self, standard: &'static str) -> Result<String, String> {
        let standard: Standard = standard.parse()?;
        let loaded = Arc::clone(&self.loaded);
        off_thread(move || {
            let facts = report::gather(&loaded, REPORT_DAYS, SystemClock.now());
            Ok(report::markdown(&report::report(standard, &facts, false)))
        })
        .await
    }

    async fn unread(&self) -> Result<Vec<Unread>, String> {
        let found = self.store.quarantined(UNREAD_MAX).await;
        let found = found.map_err(|error| BuildError::of(&error).to_string())?;
        Ok(found
            .into_iter()
            .map(|it| Unread { bot: it.bot, update: it.update, at: it.at })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use flow::clerk::STANDARDS;

    use super::*;

    #[test]
    fn the_chat_knows_the_standards_that_the_command_knows() {
        let words: Vec<&str> = Standard::ALL.iter().map(|it| it.word()).collect();
        assert_eq!(words, STANDARDS);
    }
}
