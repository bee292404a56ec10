//! redb as the engine: one file, one table.
//!
//! A commit between two flushes is not durable by itself; redb then goes back to the last flush as a
//! whole, and the write-ahead log repeats what came after it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use redb::{Builder, Database, Durability, ReadOnlyTable, ReadableDatabase as _, TableDefinition};

use super::{Engine, EngineError, Pairs, guarded};
use crate::{power, wal::Changes};

const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");
/// Up to this size the checksum of every page is verified at each opening, not only after a crash:
/// redb trusts what it reads later.
const CHECKED_BYTES_MAX: u64 = 1 << 30;

/// The database file of a folder.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("ledger.redb")
}

pub(super) struct Redb {
    db: Database,
}

impl Redb {
    pub(super) fn open(folder: &Path, cache_bytes: u64) -> Result<Self, EngineError> {
        let path = file(folder);
        if !path.exists() {
            make(folder, &path)?;
        }
        Ok(Self { db: guarded(|| open_file(&path, cache_bytes))? })
    }

    fn table(&self) -> Result<ReadOnlyTable<&'static [u8], &'static [u8]>, EngineError> {
        Ok(self.db.begin_read()?.open_table(ROWS)?)
    }
}

/// Makes an empty database under another name first: one that was cut short is never opened.
fn make(folder: &Path, path: &Path) -> Result<(), EngineError> {
    let half_made = folder.join("ledger.redb.new");
    match fs::remove_file(&half_made) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => (),
    }
    let db = open_file(&half_made, 1 << 20)?;
    let txn = db.begin_write()?;
    txn.open_table(ROWS)?;
    txn.commit()?;
    drop(db);
    fs::rename(half_made, path)?;
    power::sync_folder(folder)?;
    Ok(())
}

fn open_file(path: &Path, cache_bytes: u64) -> Result<Database, EngineError> {
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
    let is_checked = file.metadata()?.len() <= CHECKED_BYTES_MAX;
    let mut builder = Builder::new();
    builder.set_cache_size(usize::try_from(cache_bytes).unwrap_or(usize::MAX));
    builder.set_check_integrity_on_open(is_checked);
    let backend = redb::backends::FileBackend::new(file)?;
    #[cfg(feature = "conformance")]
    let backend = watched::Watched { inner: backend, path: path.to_owned() };
    Ok(builder.create_with_backend(backend)?)
}

impl Engine for Redb {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.table()?.get(key)?.map(|value| value.value().to_vec()))
    }

    fn range(&self, from: &[u8]) -> Result<Pairs, EngineError> {
        let pairs = self.table()?.range::<&[u8]>(from..)?;
        Ok(Box::new(pairs.map(|pair| {
            let (key, value) = pair?;
            Ok((key.value().to_vec(), value.value().to_vec()))
        })))
    }

    fn last_key(&self, from: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let last = self.table()?.range::<&[u8]>(from..)?.next_back().transpose()?;
        Ok(last.map(|(key, _)| key.value().to_vec()))
    }

    fn apply(&self, changes: Changes<'_>) -> Result<(), EngineError> {
        let mut txn = self.db.begin_write()?;
        txn.set_durability(Durability::None)?;
        {
            let mut table = txn.open_table(ROWS)?;
            for (key, value) in changes {
                match value {
                    Some(value) => table.insert(key, value)?,
                    None => table.remove(key)?,
                };
            }
        }
        Ok(txn.commit()?)
    }

    fn flush(&self) -> Result<(), EngineError> {
        let mut txn = self.db.begin_write()?;
        // So that opening after a crash need not walk the whole database.
        txn.set_quick_repair(true);
        Ok(txn.commit()?)
    }
}

impl<E: Into<redb::Error>> From<E> for EngineError
where
    E: RedbError,
{
    fn from(error: E) -> Self {
        of(error.into())
    }
}

/// The errors of redb's calls.
trait RedbError {}
impl RedbError for redb::DatabaseError {}
impl RedbError for redb::StorageError {}
impl RedbError for redb::TransactionError {}
impl RedbError for redb::TableError {}
impl RedbError for redb::CommitError {}
impl RedbError for redb::SetDurabilityError {}

fn of(error: redb::Error) -> EngineError {
    let is_damage = matches!(
        error,
        redb::Error::Corrupted(_)
            | redb::Error::UpgradeRequired(_)
            | redb::Error::RepairAborted
            | redb::Error::TableDoesNotExist(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. }
    );
    if is_damage {
        EngineError::Corrupt(error.to_string())
    } else if matches!(error, redb::Error::DatabaseAlreadyOpen) {
        EngineError::Locked
    } else if let redb::Error::Io(error) = error {
        EngineError::of_io(error)
    } else {
        EngineError::Io(io::Error::other(error))
    }
}

/// The file with its syncs observed, so that a test can cut the power around them.
#[cfg(feature = "conformance")]
mod watched {
    use std::{io, ops::Bound, path::PathBuf};

    use redb::{BackendError, StorageBackend, backends::FileBackend};

    use crate::power;

    #[derive(Debug)]
    pub(super) struct Watched {
        pub(super) inner: FileBackend,
        pub(super) path: PathBuf,
    }

    impl StorageBackend for Watched {
        fn len(&self) -> Result<u64, io::Error> {
            self.inner.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
            self.inner.read(offset, out)
        }

        fn set_len(&self, len: u64) -> Result<(), io::Error> {
            self.inner.set_len(len)
        }

        fn sync_data(&self) -> Result<(), io::Error> {
            power::observed(&self.path, || self.inner.sync_data())
        }

        fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
            self.inner.write(offset, data)
        }

        fn close(&self) -> Result<(), io::Error> {
            self.inner.close()
        }

        fn try_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
            self.inner.try_lock_range(from, to)
        }

        fn try_lock_shared_range(
            &self,
            from: Bound<u64>,
            to: Bound<u64>,
        ) -> Result<bool, BackendError> {
            self.inner.try_lock_shared_range(from, to)
        }

        fn lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
            self.inner.lock_range(from, to)
        }

        fn lock_shared_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
            self.inner.lock_shared_range(from, to)
        }

        fn unlock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
            self.inner.unlock_range(from, to)
        }

        fn query_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
            self.inner.query_lock_range(from, to)
        }
    }
}
