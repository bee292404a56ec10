//! Every fsync of the store goes through here, so that a test can cut the power around it.

use std::{fs::File, io, path::Path};

/// Makes a file's bytes durable.
pub(crate) fn sync_data(file: &File, path: &Path) -> io::Result<()> {
    observed(path, || file.sync_data())
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    observed(path, || File::open(path)?.sync_all())
}

#[cfg(not(feature = "conformance"))]
pub(crate) fn observed<T>(_: &Path, sync: impl FnOnce() -> T) -> T {
    sync()
}

#[cfg(feature = "conformance")]
pub(crate) fn observed<T>(path: &Path, sync: impl FnOnce() -> T) -> T {
    let observer = watch::observer();
    let tell = |moment| {
        if let Some(observer) = &observer {
            observer(moment, path);
        }
    };
    tell(watch::Moment::Before);
    let done = sync();
    tell(watch::Moment::After);
    done
}

/// For tests: who is told of every fsync.
#[cfg(feature = "conformance")]
pub mod watch {
    use std::{
        path::Path,
        sync::{Arc, PoisonError, RwLock},
    };

    /// When an observer is told.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Moment {
        /// Nothing since the last fsync is safe yet.
        Before,
        /// What was written is safe.
        After,
    }

    /// Told before and after each fsync of a file or folder, in the thread that does it.
    pub type Observer = Arc<dyn Fn(Moment, &Path) + Send + Sync>;

    static OBSERVER: RwLock<Option<Observer>> = RwLock::new(None);

    /// Sets who is told, in place of whoever was told before.
    pub fn set(observer: Option<Observer>) {
        *OBSERVER.write().unwrap_or_else(PoisonError::into_inner) = observer;
    }

    pub(super) fn observer() -> Option<Observer> {
        OBSERVER.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
