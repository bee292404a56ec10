//! The audit log: append-only, hash-chained, sealed, signed, in a file of its own beside the ledger.
//!
//! Receives  deeds, from any thread.
//! Sends     one answer for each that waits, once it is durable.
//! Owns      a thread that writes in groups; dropping the last handle ends it after what is queued.
//! On crash  see `log`.
//!
//! ```text
//! record ──▶ queue ──▶ throttle ──▶ log, fsync ──▶ anchor, fsync ──▶ answer
//! ```

mod anchor;
mod chain;
mod copies;
mod log;
mod statement;
mod throttle;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
        mpsc::{self, RecvTimeoutError, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use async_trait::async_trait;
use ed25519_dalek::SigningKey;
use hmac::{Hmac, Mac as _};
use protocol::{
    Timestamp,
    audit::{Action, AuditLog, Deed, Doer, Outcome, Record, RecordError, Target},
};
use sha2::Sha256;
use tokio::sync::oneshot;
use tracing::{error, warn};
use zeroize::Zeroizing;

pub use copies::{CopyError, put_back, shelve};
pub use log::Checked;
pub use statement::{StatementError, verify_statement};

use crate::{KeyringError, Keys, keyring::Keyring};
use log::{AtHand, Judging, Log};
use throttle::Throttle;

/// Deeds that may wait to be written.
const QUEUE_MAX: usize = 1_024;
/// Records that share a sync.
const GROUP_MAX: usize = 64;
/// How long a count waits for another deed before it is written.
const FLUSH_AFTER: Duration = Duration::from_secs(60);

/// Where the log lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPlace {
    /// The log, in the data folder.
    pub log: PathBuf,
    /// The signed checkpoint, apart from it.
    pub anchor: PathBuf,
}

impl AuditPlace {
    /// In the data folder, and beside the keyring.
    #[must_use]
    pub fn new(data: &Path, keyring: &Path) -> Self {
        Self { log: data.join("audit").join("log"), anchor: keyring.with_extension("audit") }
    }
}

/// The keys of the log. They come from the keyring's root, and so outlive a change of the master key.
pub struct AuditKeys {
    seal: Zeroizing<[u8; 32]>,
    sign: SigningKey,
    people: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for AuditKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditKeys")
    }
}

impl AuditKeys {
    /// By the keyring of a hall, which may run meanwhile.
    ///
    /// # Errors
    /// If the keyring does not open with this master key.
    pub fn open(keyring: &Path, keys: &Keys) -> Result<Self, KeyringError> {
        Ok(Self::of(&Keyring::read_root(keyring, keys)?))
    }

    pub(crate) fn of(root: &Keys) -> Self {
        Self {
            seal: root.derive("audit records"),
            sign: SigningKey::from_bytes(&root.derive("audit signatures")),
            people: root.derive("pseudonyms"),
        }
    }

    /// The word for a person or group: twelve hexadecimal digits that mean nothing without the key. The
    /// hall's log and its accounts call a person by the same, so that an officer can follow them.
    #[must_use]
    pub fn person(&self, id: i64) -> String {
        let mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(self.people.as_slice());
        let mut mac = mac.expect("HMAC takes a key of any length");
        mac.update(b"person:");
        mac.update(&id.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let digits: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("person:{digits}")
    }
}

/// What is wrong with a log: the first that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The anchor knows of a log, and there is none.
    #[error("the log is gone, and its checkpoint knows of records")]
    NoLog,
    /// The file does not begin like a log.
    #[error("the file does not begin like an audit log")]
    NotALog,
    /// The anchor is of another log.
    #[error("the checkpoint is of another log")]
    OtherLog,
    /// There are records and no anchor.
    #[error("the checkpoint is gone: nobody vouches that record {last} is the last")]
    NoAnchor {
        /// The last record that is there.
        last: u64,
    },
    /// The anchor is not signed by this hall.
    #[error("the checkpoint is not signed by this hall")]
    BadAnchor,
    /// A record does not open.
    #[error("record {seq}, at byte {byte}, is not as it was written")]
    Unreadable {
        /// Which.
        seq: u64,
        /// Where.
        byte: u64,
    },
    /// Records are not there.
    #[error("after record {after} comes record {found}: what was between them was taken out")]
    Missing {
        /// The last that is in its place.
        after: u64,
        /// What stands behind it.
        found: u64,
    },
    /// A record stands where it does not belong.
    #[error("after record {after} comes record {found}: it was moved or put in twice")]
    Misplaced {
        /// The last that is in its place.
        after: u64,
        /// What stands behind it.
        found: u64,
    },
    /// A record names another one as the one before it.
    #[error("record {seq} does not follow from the one before it")]
    Unlinked {
        /// Which.
        seq: u64,
    },
    /// A checkpoint in the log is not signed by this hall.
    #[error("the checkpoint in record {seq} is not signed by this hall")]
    BadSignature {
        /// Which.
        seq: u64,
    },
    /// A record is not the one that was signed.
    #[error("record {seq} is not the one that was signed")]
    OtherThanSigned {
        /// Which.
        seq: u64,
    },
    /// The end is missing.
    #[error("it ends after record {last}, and {anchored} records were signed: the end was cut off")]
    Truncated {
        /// The last that is there.
        last: u64,
        /// How many were signed.
        anchored: u64,
    },
}

/// Why a log is not open.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// It is not as it was written.
    #[error("the audit log is not as it was written: {0}")]
    Broken(Finding),
    /// Another process writes to it.
    #[error("another process has the audit log open")]
    Locked,
    /// Another version wrote it.
    #[error(
        "the audit log has version {found}, which this program does not know; run the version of \
         guildhall that wrote it, or a later one"
    )]
    Newer {
        /// What it says.
        found: u8,
    },
    /// There is nothing to resume.
    #[error("the audit log is as it was written: there is no break to go on after")]
    NothingBroken,
    /// The system refused.
    #[error("the audit log cannot be used")]
    Io(#[from] io::Error),
}

impl From<Finding> for AuditError {
    fn from(finding: Finding) -> Self {
        Self::Broken(finding)
    }
}

/// Follows a log from its beginning to its end. Changes nothing; a hall may be writing to it, and
/// it may be a copy. `None` if nothing was ever written.
///
/// # Errors
/// The first edit, removal, move or cut that is found.
pub fn verify(place: &AuditPlace, keys: &AuditKeys) -> Result<Option<Checked>, AuditError> {
    read(place, keys, &mut |_, _| Ok(()))
}

/// As [`verify`], and hands over every record with the line that was hashed.
///
/// # Errors
/// As [`verify`], or what `each` returns.
pub fn read(
    place: &AuditPlace,
    keys: &AuditKeys,
    each: &mut dyn FnMut(&Record, &[u8]) -> io::Result<()>,
) -> Result<Option<Checked>, AuditError> {
    Ok(log::follow(place, keys, Judging::Strict, each)?.map(|it| it.checked))
}

enum Request {
    Record(Deed, Option<Reply>),
    /// Ends the thread, with this as the last record.
    Close(Option<Deed>),
}

type Reply = oneshot::Sender<Result<(), RecordError>>;

/// The open log. Clones share it.
#[derive(Clone)]
pub struct Audit {
    inner: Arc<Inner>,
}

struct Inner {
    requests: SyncSender<Request>,
    newest: Arc<Mutex<AtHand>>,
    people: AuditKeys,
    lost: Arc<AtomicU32>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Audit")
    }
}

impl Audit {
    /// Opens the log for this process alone, or begins one. Reads it to its end.
    ///
    /// # Errors
    /// If it is not as it was written, or another process has it.
    pub fn open(place: &AuditPlace, keys: AuditKeys, now: Timestamp) -> Result<Self, AuditError> {
        let people = keys.again();
        Self::run(Log::open(place, keys, now)?, people)
    }

    /// Goes on after a break: the broken log is set aside, and another begins with a record of what
    /// was found.
    ///
    /// # Errors
    /// If nothing is broken, or another process has it.
    pub fn resume(
        place: &AuditPlace,
        keys: AuditKeys,
        actor: Doer,
        now: Timestamp,
    ) -> Result<Self, AuditError> {
        let people = keys.again();
        Self::run(Log::resume(place, keys, actor, now)?, people)
    }

    /// Goes on with a log that [`put_back`] has restored. `deed` says what was restored.
    ///
    /// # Errors
    /// If its chain is broken, or another process has it.
    pub fn restored(place: &AuditPlace, keys: AuditKeys, deed: Deed) -> Result<Self, AuditError> {
        let people = keys.again();
        Self::run(Log::restored(place, keys, deed)?, people)
    }

    fn run(log: Log, people: AuditKeys) -> Result<Self, AuditError> {
        let (requests, received) = mpsc::sync_channel(QUEUE_MAX);
        let (newest, lost) = (Arc::clone(&log.newest), Arc::<AtomicU32>::default());
        let counted = Arc::clone(&lost);
        let thread = thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || write_all(log, &received, &counted))?;
        let thread = Mutex::new(Some(thread));
        Ok(Self { inner: Arc::new(Inner { requests, newest, people, lost, thread }) })
    }

    /// Writes what waits and this as the last record, signed, and ends the thread. Blocks until then.
    /// What is recorded afterwards fails.
    pub fn close(&self, last: Deed) {
        self.inner.close(Some(last));
    }
}

impl Inner {
    fn close(&self, last: Option<Deed>) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        if self.requests.send(Request::Close(last)).is_err() {
            // lost-ok: the thread has ended, and what waited was answered so.
        }
        if thread.join().is_err() {
            error!(event.action = "audit_failed", "the audit log's thread panicked");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close(None);
    }
}

impl AuditKeys {
    fn again(&self) -> Self {
        Self { seal: self.seal.clone(), sign: self.sign.clone(), people: self.people.clone() }
    }
}

#[async_trait]
impl AuditLog for Audit {
    async fn record(&self, deed: Deed) -> Result<(), RecordError> {
        let (reply, answered) = oneshot::channel();
        match self.inner.requests.try_send(Request::Record(deed, Some(reply))) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(RecordError::Busy),
            Err(TrySendError::Disconnected(_)) => return Err(RecordError::Unavailable),
        }
        answered.await.unwrap_or(Err(RecordError::Unavailable))
    }

    fn note(&self, deed: Deed) {
        if self.inner.requests.try_send(Request::Record(deed, None)).is_err() {
            let lost = self.inner.lost.fetch_add(1, Ordering::Relaxed) + 1;
            warn!(lost, event.action = "audit_lost", "a denial found no room in the audit log");
        }
    }

    fn newest(&self, before: Option<u64>, count: usize) -> Vec<Record> {
        let newest = self.inner.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let older =
            newest.all.iter().rev().filter(|it| before.is_none_or(|before| it.seq < before));
        older.take(count).cloned().collect()
    }

    fn incidents(&self) -> Vec<Record> {
        let newest = self.inner.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.incidents.iter().cloned().collect()
    }

    fn person(&self, id: i64) -> String {
        self.inner.people.person(id)
    }
}

// === The thread. ===

fn write_all(mut log: Log, requests: &mpsc::Receiver<Request>, lost: &AtomicU32) {
    let mut throttle = Throttle::default();
    loop {
        let first = match requests.recv_timeout(FLUSH_AFTER) {
            Ok(first) => Some(first),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                write_group(&mut log, &throttle.flush(), Vec::new());
                return;
            }
        };
        let (mut deeds, mut replies, mut end) = (Vec::new(), Vec::new(), None);
        if first.is_none() {
            deeds.extend(throttle.flush());
        }
        let more = first.into_iter().chain(requests.try_iter());
        for request in more.take(GROUP_MAX) {
            match request {
                Request::Record(deed, reply) => {
                    deeds.extend(lost_since(lost, deed.at));
                    deeds.extend(throttle.offer(deed));
                    replies.extend(reply);
                }
                Request::Close(last) => {
                    end = Some(last);
                    break;
                }
            }
        }
        if end.is_some() {
            deeds.extend(throttle.flush());
        }
        write_group(&mut log, &deeds, replies);
        let Some(last) = end else { continue };
        if let Some(Err(error)) = last.map(|it| log.seal_end(it)) {
            failed(&error);
        }
        return;
    }
}

/// A record of the denials that found no room, if there were any.
fn lost_since(lost: &AtomicU32, at: Timestamp) -> Option<Deed> {
    let times = lost.swap(0, Ordering::Relaxed);
    let deed = Deed::done(at, Doer::Nobody, Action::CommandDenied, Target::Nothing);
    let deed = Deed { times, ..deed.with(Outcome::Denied).about("found no room") };
    (0 < times).then_some(deed)
}

fn write_group(log: &mut Log, deeds: &[Deed], replies: Vec<Reply>) {
    let written = if deeds.is_empty() { Ok(()) } else { log.write(deeds) };
    if let Err(error) = &written {
        failed(error);
    }
    for reply in replies {
        let answer = if written.is_ok() { Ok(()) } else { Err(RecordError::Unavailable) };
        // lost-ok: whoever waited has gone; the record is there all the same.
        reply.send(answer).ok();
    }
}

fn failed(error: &io::Error) {
    error!(
        error = error as &dyn std::error::Error,
        event.action = "audit_failed",
        event.outcome = "failure",
        "records could not be written to the audit log"
    );
}
