//! Opens every record, to see whether all of them do.

use std::time::Duration;

use protocol::ledger::LedgerError;
use tokio::time::Instant;

use crate::{
    disk::{Disk, DiskError, key},
    shared::Shared,
};

/// What a look at everything found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Rows of the log.
    pub rows: u64,
    /// Records in them, each opened.
    pub records: u64,
    /// Snapshots, each opened.
    pub snapshots: u64,
    /// How long it took.
    pub took: Duration,
}

/// Opens every record and every snapshot.
pub(crate) fn verify(shared: &Shared) -> Result<Verified, LedgerError> {
    let started = Instant::now();
    let (mut rows, mut records, mut snapshots) = (0, 0, 0);
    let last = {
        let _settled = shared.settled()?;
        shared.disk.last_row()?
    };
    let mut log = shared.disk.rows(1)?;
    while rows < last {
        let missing = LedgerError::Damaged { what: "a row of the log is missing" };
        let Some((number, row)) = log.next()? else { return Err(missing) };
        rows += 1;
        if number != rows {
            return Err(missing);
        }
        records += shared.seal.open_row(&row)?.len() as u64;
    }
    for row in keys_of(&shared.disk, key::SNAPSHOT)? {
        let key = row?;
        let value = shared.disk.get_parts(&key)?;
        let gone = LedgerError::Damaged { what: "a snapshot is missing" };
        shared.seal.open_slot(&value.ok_or(gone)?, 0)?;
        snapshots += 1;
    }
    Ok(Verified { rows, records, snapshots, took: started.elapsed() })
}

/// The keys of the values of one kind, without the numbers of their parts.
pub(crate) fn keys_of(
    disk: &Disk,
    kind: &'static [u8],
) -> Result<impl Iterator<Item = Result<Vec<u8>, DiskError>>, DiskError> {
    let pairs = disk.pairs_from(kind)?;
    let is_of_kind = |key: &[u8]| key.starts_with(kind);
    let of_kind =
        pairs.take_while(move |pair| pair.as_ref().map_or(true, |(key, _)| is_of_kind(key)));
    Ok(of_kind.filter_map(|pair| match pair {
        Ok((key, _)) => match key.split_last_chunk() {
            Some((name, [0, 0, 0, 0])) => Some(Ok(name.to_vec())),
            Some(_) | None => None,
        },
        Err(error) => Some(Err(error.into())),
    }))
}
