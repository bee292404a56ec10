//! The audit log on disk: opened, followed to its end, and written to.
//!
//! Owns      the file of the log, its lock, and the anchor.
//! On crash  a record that was not acknowledged may be torn; it is cut off at the next opening, and a
//!           record says so. Anything else that is not as it was written is refused.
//!
//! Invariants: CHAIN-1 a record is synced, and then anchored, before it is acknowledged. CHAIN-2 what
//! was acknowledged and is not there as it was written is found, and never mended in silence.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, BufReader, Read as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use protocol::{
    Timestamp,
    audit::{Action, Deed, Doer, INCIDENTS, REFERENCE_CHARS_MAX, Record, THING_CHARS_MAX, Target},
};
use rustix::fs::{FlockOperation, flock};

use super::{
    AuditError, AuditKeys, AuditPlace, Finding,
    anchor::{self, Anchor, AnchorFile, Anchored},
    chain::{self, Break, HEADER_BYTES, LogId, Reach, Sealer},
};
use crate::{erasure::hex, keys, power};

/// Records that are kept at hand for `/audit`.
const AT_HAND: usize = 1_000;
/// Records of incidents that are kept at hand besides.
const INCIDENTS_AT_HAND: usize = 5_000;
/// Records after which the chain's state is signed in the log itself.
const CHECKPOINT_EVERY: u64 = 256;
/// The most that a group of records takes, and so the most that a crash may leave torn.
const TORN_BYTES_MAX: u64 = 1024 * 1024;

/// What was found in a log, from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How many records it has.
    pub records: u64,
    /// How many of them the anchor vouches for.
    pub anchored: u64,
    /// Checkpoints in it whose signature holds.
    pub checkpoints: u64,
    /// Bytes at its end that were never acknowledged: a write that a crash tore, or one under way.
    pub torn_bytes: u64,
    /// One of the two places of the checkpoint does not read: a crash, or somebody changed it.
    pub torn_checkpoint: bool,
    /// Records that tell of a break that the operator went on after.
    pub resumed: Vec<Record>,
    /// The hash of the last line.
    pub head: String,
    /// Where the last record ends in the file: what was read of it, from its beginning.
    pub bytes: u64,
    /// The public key that signed.
    pub key: String,
}

/// A log that was followed to its end.
pub(super) struct Followed {
    pub(super) id: LogId,
    pub(super) reach: Reach,
    pub(super) anchored: Anchored,
    pub(super) checked: Checked,
    newest: AtHand,
    since_checkpoint: u64,
}

/// The newest records, for readers.
#[derive(Default)]
pub(super) struct AtHand {
    pub(super) all: VecDeque<Record>,
    pub(super) incidents: VecDeque<Record>,
}

impl AtHand {
    fn push(&mut self, record: Record) {
        if record.action.starts_with(INCIDENTS) {
            self.incidents.push_back(record.clone());
        }
        self.all.push_back(record);
        if AT_HAND < self.all.len() {
            self.all.pop_front();
        }
        if INCIDENTS_AT_HAND < self.incidents.len() {
            self.incidents.pop_front();
        }
    }
}

/// Whether an end that is missing is a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judging {
    /// It is.
    Strict,
    /// The log was put back from a backup, and may be older than its anchor.
    Restored,
}

/// Follows a log and compares it with its anchor. Changes nothing; the log may be in use.
pub(super) fn follow(
    place: &AuditPlace,
    keys: &AuditKeys,
    judging: Judging,
    each: &mut dyn FnMut(&Record, &[u8]) -> io::Result<()>,
) -> Result<Option<Followed>, AuditError> {
    let public = keys.sign.verifying_key();
    let id = peek(&place.log)?;
    // The anchor first: a log in use only grows meanwhile.
    let anchored = anchor::read(&place.anchor, &public, id)?;
    let Some(id) = id else {
        return match anchored {
            Anchored::Nowhere => Ok(None),
            Anchored::Unsigned | Anchored::At(..) if judging == Judging::Restored => Ok(None),
            Anchored::Unsigned | Anchored::At(..) => Err(Finding::NoLog.into()),
        };
    };
    let mut file = BufReader::new(File::open(&place.log)?);
    io::copy(&mut (&mut file).take(HEADER_BYTES as u64), &mut io::sink())?;
    let sealer = Sealer::new(&keys.seal, id);
    let mut walk = Walk::new(id, keys, &anchored);
    let (reach, broken) = chain::follow(file, &sealer, |link| walk.pass(link, each))?;
    let bytes = fs::metadata(&place.log)?.len();
    let torn_bytes = walk.judge(&reach, broken, (bytes, judging))?;
    let checked = Checked {
        records: reach.seq,
        anchored: walk.anchored_seq(),
        checkpoints: walk.checkpoints,
        torn_bytes,
        torn_checkpoint: matches!(anchored, Anchored::At(_, slot) if slot.is_alone),
        resumed: walk.resumed,
        head: hex(&reach.head),
        bytes: reach.bytes,
        key: hex(public.as_bytes()),
    };
    let (newest, since_checkpoint) = (walk.newest, walk.since_checkpoint);
    Ok(Some(Followed { id, reach, anchored, checked, newest, since_checkpoint }))
}

/// The log's own name; `None` if there is no log, or one that has not even begun.
fn peek(path: &Path) -> Result<Option<LogId>, AuditError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut head = Vec::with_capacity(HEADER_BYTES);
    (&mut file).take(HEADER_BYTES as u64).read_to_end(&mut head)?;
    if head.len() < HEADER_BYTES {
        return Ok(None);
    }
    chain::read_header(&head).map(Some).map_err(|unread| match unread {
        chain::Unread::NoLog => Finding::NotALog.into(),
        chain::Unread::Newer(found) => AuditError::Newer { found },
    })
}

/// What is seen on the way through a chain.
struct Walk<'a> {
    id: LogId,
    keys: &'a AuditKeys,
    anchored: &'a Anchored,
    is_the_anchored: bool,
    before: Reach,
    checkpoints: u64,
    since_checkpoint: u64,
    newest: AtHand,
    resumed: Vec<Record>,
}

impl<'a> Walk<'a> {
    fn new(id: LogId, keys: &'a AuditKeys, anchored: &'a Anchored) -> Self {
        Self {
            id,
            keys,
            anchored,
            // An anchor of no record fits every chain of its log.
            is_the_anchored: matches!(anchored, Anchored::At(it, _) if it.reach.seq == 0),
            before: Reach::begin(),
            checkpoints: 0,
            since_checkpoint: 0,
            newest: AtHand::default(),
            resumed: Vec::new(),
        }
    }

    fn anchored_seq(&self) -> u64 {
        match self.anchored {
            Anchored::At(anchor, _) => anchor.reach.seq,
            Anchored::Nowhere | Anchored::Unsigned => 0,
        }
    }

    fn pass(
        &mut self,
        link: &chain::Link,
        each: &mut dyn FnMut(&Record, &[u8]) -> io::Result<()>,
    ) -> Result<(), AuditError> {
        let record = &link.record;
        self.since_checkpoint += 1;
        match record.action.parse() {
            Ok(Action::Checkpoint) => {
                let anchor = Anchor { log: self.id, reach: self.before, at: record.at };
                if !anchor.is_signed(&record.reference, &self.keys.sign.verifying_key()) {
                    return Err(Finding::BadSignature { seq: record.seq }.into());
                }
                self.checkpoints += 1;
                self.since_checkpoint = 0;
            }
            Ok(Action::AuditResumed) => self.resumed.push(record.clone()),
            Ok(_) | Err(()) => {}
        }
        if let Anchored::At(anchor, _) = self.anchored
            && (anchor.log, anchor.reach.seq) == (self.id, record.seq)
        {
            if anchor.reach.head != link.hash {
                return Err(Finding::OtherThanSigned { seq: record.seq }.into());
            }
            self.is_the_anchored = true;
        }
        self.before = Reach { seq: record.seq, head: link.hash, bytes: self.end_of(link) };
        self.newest.push(record.clone());
        each(record, &link.line).map_err(AuditError::Io)
    }

    fn end_of(&self, link: &chain::Link) -> u64 {
        link.begins + chain::frame_bytes(link.line.len())
    }

    /// CHAIN-2. Returns how many bytes at the end were never acknowledged.
    fn judge(
        &self,
        reach: &Reach,
        broken: Option<Break>,
        (bytes, judging): (u64, Judging),
    ) -> Result<u64, AuditError> {
        let (after, at) = (reach.seq, reach.bytes);
        let is_restored = judging == Judging::Restored;
        let anchored = match self.anchored {
            Anchored::At(anchor, _) if anchor.log == self.id => anchor.reach.seq,
            Anchored::At(..) | Anchored::Nowhere | Anchored::Unsigned if is_restored => 0,
            Anchored::At(..) => return Err(Finding::OtherLog.into()),
            Anchored::Unsigned => return Err(Finding::BadAnchor.into()),
            // A log that was begun and has no record yet needs none.
            Anchored::Nowhere if after == 0 => 0,
            Anchored::Nowhere => return Err(Finding::NoAnchor { last: after }.into()),
        };
        let torn = bytes.saturating_sub(at);
        match broken {
            Some(Break::Missing { found }) => {
                return Err(Finding::Missing { after, found }.into());
            }
            Some(Break::Misplaced { found }) => {
                return Err(Finding::Misplaced { after, found }.into());
            }
            Some(Break::Unlinked) => return Err(Finding::Unlinked { seq: after + 1 }.into()),
            Some(Break::Unreadable)
                if (after < anchored && !is_restored) || TORN_BYTES_MAX < torn =>
            {
                return Err(Finding::Unreadable { seq: after + 1, byte: at }.into());
            }
            Some(Break::Unreadable) | None => {}
        }
        if is_restored {
            return Ok(if broken.is_some() { torn } else { 0 });
        }
        if after < anchored {
            return Err(Finding::Truncated { last: after, anchored }.into());
        }
        if !self.is_the_anchored && anchored != 0 {
            return Err(Finding::OtherThanSigned { seq: anchored }.into());
        }
        Ok(if broken.is_some() { torn } else { 0 })
    }
}

/// The open log.
pub(super) struct Log {
    file: Locked,
    path: PathBuf,
    id: LogId,
    reach: Reach,
    keys: AuditKeys,
    sealer: Sealer,
    anchor: AnchorFile,
    since_checkpoint: u64,
    /// The newest records, for readers.
    pub(super) newest: Arc<Mutex<AtHand>>,
    failed: bool,
}

/// The file, for this process alone. Unlocked explicitly: a process that is being started by another
/// thread holds a copy of it until its own program begins, and with it the lock.
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // lost-ok: closing the file unlocks it too, a little later.
        flock(&self.0, FlockOperation::Unlock).ok();
    }
}

impl Log {
    /// Opens the log, or begins one, and cuts off what a crash has torn.
    pub(super) fn open(
        place: &AuditPlace,
        keys: AuditKeys,
        now: Timestamp,
    ) -> Result<Self, AuditError> {
        let file = open_locked(&place.log)?;
        let followed = match follow(place, &keys, Judging::Strict, &mut |_, _| Ok(()))? {
            Some(followed) => followed,
            None => begin(place, &keys, &file.0, now)?,
        };
        let torn_bytes = followed.checked.torn_bytes;
        let mut log = Self::go_on(file, place, keys, followed)?;
        if 0 < torn_bytes {
            let deed = Deed::done(now, Doer::Hall, Action::AuditCut, Target::Nothing);
            let cut = format!("{torn_bytes} bytes that were never acknowledged");
            log.write(&[deed.about(cut)])?;
        }
        Ok(log)
    }

    /// Goes on with a log that was put back from a backup, with a record of how far it and its anchor
    /// had come.
    pub(super) fn restored(
        place: &AuditPlace,
        keys: AuditKeys,
        deed: Deed,
    ) -> Result<Self, AuditError> {
        let file = open_locked(&place.log)?;
        let signed = match anchor::read(&place.anchor, &keys.sign.verifying_key(), None)? {
            Anchored::At(anchor, _) => anchor.reach.seq,
            Anchored::Nowhere | Anchored::Unsigned => 0,
        };
        let followed = match follow(place, &keys, Judging::Restored, &mut |_, _| Ok(()))? {
            Some(followed) => followed,
            None => begin(place, &keys, &file.0, deed.at)?,
        };
        let there = followed.checked.records;
        let about = match there < signed {
            true => format!("{}; {there} records are back of {signed} signed", deed.reference),
            false => format!("{}; {there} records are back", deed.reference),
        };
        let mut log = Self::go_on(file, place, keys, followed)?;
        log.write(&[deed.about(about)])?;
        // The other slot too: what it held is ahead of the log, or of another.
        log.anchor_again()?;
        Ok(log)
    }

    fn go_on(
        file: Locked,
        place: &AuditPlace,
        keys: AuditKeys,
        followed: Followed,
    ) -> Result<Self, AuditError> {
        let Followed { id, reach, anchored, newest, since_checkpoint, .. } = followed;
        let sealer = Sealer::new(&keys.seal, id);
        let anchor = AnchorFile::open(&place.anchor, anchored)?;
        let path = place.log.clone();
        let (newest, failed) = (Arc::new(Mutex::new(newest)), false);
        let log =
            Self { file, path, id, reach, keys, sealer, anchor, since_checkpoint, newest, failed };
        log.cut_behind()?;
        Ok(log)
    }

    fn anchor_again(&mut self) -> io::Result<()> {
        let newest = self.newest().all.back().map(|it| it.at).unwrap_or_default();
        let anchor = Anchor { log: self.id, reach: self.reach, at: newest };
        self.anchor.write(&anchor, &self.keys.sign)
    }

    fn newest(&self) -> MutexGuard<'_, AtHand> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves a log that is not as it was written aside, and begins another that says so.
    pub(super) fn resume(
        place: &AuditPlace,
        keys: AuditKeys,
        actor: Doer,
        now: Timestamp,
    ) -> Result<Self, AuditError> {
        let found = match follow(place, &keys, Judging::Strict, &mut |_, _| Ok(())) {
            Ok(_) => return Err(AuditError::NothingBroken),
            Err(AuditError::Broken(finding)) => finding,
            Err(error) => return Err(error),
        };
        let last = match anchor::read(&place.anchor, &keys.sign.verifying_key(), None)? {
            Anchored::At(it, _) => {
                format!("{} records up to {}", it.reach.seq, hex(&it.reach.head))
            }
            Anchored::Nowhere | Anchored::Unsigned => "nothing".to_owned(),
        };
        let lock = if place.log.exists() { Some(open_locked(&place.log)?) } else { None };
        for path in [&place.log, &place.anchor] {
            let mut aside = path.as_os_str().to_owned();
            aside.push(format!(".broken-{}", now.0));
            if path.exists() {
                fs::rename(path, PathBuf::from(aside))?;
                power::sync_folder(&keys::parent(path))?;
            }
        }
        drop(lock);
        let mut log = Self::open(place, keys, now)?;
        let deed = Deed::done(now, actor, Action::AuditResumed, Target::Nothing);
        log.write(&[deed.about(format!("{found}; signed before: {last}"))])?;
        Ok(log)
    }

    /// Writes records, and signs where they end. CHAIN-1.
    pub(super) fn write(&mut self, deeds: &[Deed]) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("the audit log has failed before"));
        }
        let (before, since) = (self.reach, self.since_checkpoint);
        let written = self.try_write(deeds);
        match written {
            Ok(records) => {
                let mut newest = self.newest();
                records.into_iter().for_each(|it| newest.push(it));
                Ok(())
            }
            Err(error) => {
                // Nothing of it was acknowledged: what is there of it goes, or nothing is written again.
                (self.reach, self.since_checkpoint) = (before, since);
                self.failed = self.cut_behind().is_err();
                Err(error)
            }
        }
    }

    fn try_write(&mut self, deeds: &[Deed]) -> io::Result<Vec<Record>> {
        let mut reach = self.reach;
        let (mut bytes, mut records) = (Vec::new(), Vec::new());
        let mut at = Timestamp::default();
        for deed in deeds {
            at = deed.at;
            if CHECKPOINT_EVERY <= self.since_checkpoint {
                let record = self.checkpoint(&reach, at);
                self.put(record, &mut reach, &mut bytes, &mut records)?;
                self.since_checkpoint = 0;
            }
            let record = self.record(deed, &reach);
            self.put(record, &mut reach, &mut bytes, &mut records)?;
            self.since_checkpoint += 1;
        }
        self.file.0.write_all_at(&bytes, self.reach.bytes)?;
        power::sync_data(&self.file.0, &self.path)?;
        self.anchor.write(&Anchor { log: self.id, reach, at }, &self.keys.sign)?;
        self.reach = reach;
        Ok(records)
    }

    fn put(
        &mut self,
        record: Record,
        reach: &mut Reach,
        bytes: &mut Vec<u8>,
        records: &mut Vec<Record>,
    ) -> io::Result<()> {
        let line = record.line();
        self.sealer.seal(line.as_bytes(), bytes)?;
        let begun = self.reach.bytes;
        let ends = begun + u64::try_from(bytes.len()).map_err(io::Error::other)?;
        *reach = Reach { seq: record.seq, head: chain::hash(line.as_bytes()), bytes: ends };
        records.push(record);
        Ok(())
    }

    /// The state of the chain, signed, as a record in it.
    fn checkpoint(&self, reach: &Reach, at: Timestamp) -> Record {
        let signature = Anchor { log: self.id, reach: *reach, at }.sign(&self.keys.sign);
        let deed = Deed::done(at, Doer::Hall, Action::Checkpoint, Target::Nothing);
        Record { reference: signature, ..self.record(&deed, reach) }
    }

    fn record(&self, deed: &Deed, before: &Reach) -> Record {
        let actor = match deed.actor {
            Doer::Person(person) => self.keys.person(person.0),
            Doer::Nobody => "nobody".to_owned(),
            Doer::Console => "console".to_owned(),
            Doer::Operator => "operator".to_owned(),
            Doer::Hall => "hall".to_owned(),
        };
        let target = match &deed.target {
            Target::Nothing => String::new(),
            Target::Person(id) => self.keys.person(*id),
            Target::Thing(name) => plain(name, THING_CHARS_MAX),
        };
        Record {
            seq: before.seq + 1,
            prev: hex(&before.head),
            at: deed.at,
            actor,
            action: deed.action.word().to_owned(),
            target,
            outcome: deed.outcome.word().to_owned(),
            reference: plain(&deed.reference, REFERENCE_CHARS_MAX),
            times: deed.times,
        }
    }

    /// What is behind the last whole record goes.
    fn cut_behind(&self) -> io::Result<()> {
        if self.reach.bytes < self.file.0.metadata()?.len() {
            self.file.0.set_len(self.reach.bytes)?;
            power::sync_data(&self.file.0, &self.path)?;
        }
        Ok(())
    }

    /// Writes the last record for a while, and signs in the log itself what comes before it.
    pub(super) fn seal_end(&mut self, last: Deed) -> io::Result<()> {
        self.since_checkpoint = CHECKPOINT_EVERY;
        self.write(&[last])
    }
}

/// Without signs that steer a terminal, and not too long.
fn plain(text: &str, chars_max: usize) -> String {
    text.chars().filter(|it| !it.is_control()).take(chars_max).collect()
}

fn open_locked(path: &Path) -> Result<Locked, AuditError> {
    let folder = keys::parent(path);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Locked(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(AuditError::Locked),
        Err(error) => Err(AuditError::Io(error.into())),
    }
}

/// Begins a log: the header, synced, and the anchor of no record.
fn begin(
    place: &AuditPlace,
    keys: &AuditKeys,
    file: &File,
    now: Timestamp,
) -> Result<Followed, AuditError> {
    let id = chain::fresh_id(now)?;
    file.set_len(0)?;
    file.write_all_at(&chain::header(id), 0)?;
    power::sync_data(file, &place.log)?;
    power::sync_folder(&keys::parent(&place.log))?;
    let reach = Reach::begin();
    let mut anchor = AnchorFile::open(&place.anchor, Anchored::Nowhere)?;
    // Both slots: what they held was about another log.
    for _ in 0..2 {
        anchor.write(&Anchor { log: id, reach, at: now }, &keys.sign)?;
    }
    let followed = follow(place, keys, Judging::Strict, &mut |_, _| Ok(()))?;
    followed.ok_or(AuditError::Broken(Finding::NoLog))
}
