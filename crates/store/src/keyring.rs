//! The keyring: one data key for each person, wrapped by the master key, in a file of its own.
//!
//! Receives  people whose texts are to be sealed, from the writer; numbers of keys, from readers.
//! Owns      the keyring file and every data key in memory, wiped when it goes.
//! On crash  keys whose frame was not synced are gone, and nothing was sealed with them on disk; an
//!           erasure that had begun is completed by the next opening.
//!
//! The file is `magic · version u8 · id` and then frames, `length u32 · crc32 u32 · entries`, one
//! for each group of new keys. An entry is `kind u8 · number u32 · nonce · sealed`, sealed with a
//! key derived from the master key, and with the file's id, kind and number authenticated. Erasing
//! and rewrapping write the file anew, whole. Numbers are never given twice: of a key that was
//! destroyed its grave remains, which says when and for whom by a keyed hash, and nothing else.
//!
//! Invariants: KEYRING-1 a key is on disk before anything sealed with it. KEYRING-2 an erasure is
//! confirmed only when the file without the key is synced. KEYRING-3 a torn end is cut, anything
//! else that does not read is refused.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bytes::BufMut as _;
use protocol::{BotId, PersonId, Timestamp};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    aead::{Aead, KEY_BYTES, NONCE_BYTES, TAG_BYTES, Unsealed},
    codec::Fields,
    keys::Keys,
    record::Nonces,
};

const MAGIC: &[u8] = b"guildhall keyring\n";
const VERSION: u8 = 1;
const ID_BYTES: usize = 16;
const HEADER_BYTES: usize = MAGIC.len() + 1 + ID_BYTES;
const FRAME_HEADER_BYTES: usize = 8;
/// Entries of one frame, at most, and about the bytes that they take.
const FRAME_ENTRIES: usize = 4096;
const FRAME_BYTES_MAX: usize = 1 << 20;
const ROOT: u8 = 1;
const KEY: u8 = 2;
const GRAVE: u8 = 3;
const HASH_BYTES: usize = 32;

/// A data key, wiped when dropped.
pub(crate) type DataKey = Zeroizing<[u8; KEY_BYTES]>;

/// Why there is no keyring.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no such file.
    #[error(
        "the keyring {} is missing; without it no text can be read; restore it from where you \
         keep it", path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Another master key wrapped it.
    #[error("the master key does not belong to the keyring {}", path.display())]
    WrongKey {
        /// Where.
        path: PathBuf,
    },
    /// It belongs to another ledger.
    #[error("the keyring {} does not belong to this data folder", path.display())]
    Foreign {
        /// Where.
        path: PathBuf,
    },
    /// It lacks keys that the ledger was sealed with, or has some that were destroyed since.
    #[error(
        "the keyring {} is older than the data folder: keys of people are missing in it, or were \
         destroyed since; restore the newest copy", path.display()
    )]
    Outdated {
        /// Where.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error(
        "the keyring {} has version {found}, this program knows up to {VERSION}; run the version \
         of guildhall that wrote it, or a later one", path.display()
    )]
    Newer {
        /// Where.
        path: PathBuf,
        /// What it says.
        found: u8,
    },
    /// Something in it does not read.
    #[error(
        "the keyring {} is damaged; nothing is guessed: restore it from where you keep it",
        path.display()
    )]
    Damaged {
        /// Where.
        path: PathBuf,
    },
    /// Others than its owner may read it.
    #[error(
        "the keyring {} may be used by others (mode {mode:03o}); run `chmod 600` on it",
        path.display()
    )]
    Exposed {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The system refused.
    #[error("the keyring {} cannot be used", path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What remains of a person whose key was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grave {
    /// When it was destroyed.
    pub(crate) at: Timestamp,
    /// Who it was, by a keyed hash.
    pub(crate) whose: [u8; HASH_BYTES],
    /// Who is still to be told, and by which bot.
    pub(crate) to_tell: Option<(BotId, PersonId)>,
}

/// What a number of a key leads to.
pub(crate) enum Found {
    /// Whose it is, and the key.
    Key(Vec<PersonId>, DataKey),
    /// It was destroyed.
    Erased,
    /// No such number was ever given by this keyring.
    Unknown,
}

/// The open keyring.
pub(crate) struct Keyring {
    path: PathBuf,
    held: RwLock<Held>,
    disk: Mutex<OnDisk>,
}

/// What is in memory. Some 60 bytes a person.
struct Held {
    root: DataKey,
    people: HashMap<PersonId, u32>,
    slots: Slots,
    graves: BTreeMap<u32, Grave>,
    next: u32,
    /// Keys that are not on disk yet.
    fresh: Vec<u32>,
}

struct OnDisk {
    file: File,
    len: u64,
    id: [u8; ID_BYTES],
    wrap: DataKey,
    nonces: Nonces,
}

/// A keyring as it was found.
struct Read {
    keyring: Keyring,
    /// The file's length, a torn end included.
    len: u64,
    /// The key of a grave is still there.
    half_erased: bool,
}

/// Whose the keyring is while a store is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyringUse {
    /// The store's, to change.
    Own,
    /// Another store's, which may be open.
    Look,
}

impl Keyring {
    /// Opens the keyring, or makes one if there is none. A new one gets this root, or a random one.
    pub(crate) fn open_or_make(
        path: &Path,
        keys: &Keys,
        root: Option<DataKey>,
    ) -> Result<Self, KeyringError> {
        match Self::open(path, keys) {
            Err(KeyringError::Missing { .. }) => Self::make(path, keys, root),
            opened => opened,
        }
    }

    fn make(path: &Path, keys: &Keys, root: Option<DataKey>) -> Result<Self, KeyringError> {
        let failed = |source| unusable(path, source);
        let root = match root {
            Some(root) => root,
            None => random_key().map_err(failed)?,
        };
        let mut id = [0; ID_BYTES];
        getrandom::fill(&mut id).map_err(|error| failed(error.into()))?;
        let held = Held {
            root,
            people: HashMap::new(),
            slots: Slots::default(),
            graves: BTreeMap::new(),
            next: 1,
            fresh: Vec::new(),
        };
        let mut nonces = Nonces::new();
        let wrap = wrapping_key(keys);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(crate::keys::parent(path))
            .map_err(failed)?;
        let file = write_whole(path, &held, (&id, &wrap, &mut nonces)).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let disk = Mutex::new(OnDisk { file, len, id, wrap, nonces });
        Ok(Self { path: path.to_owned(), held: RwLock::new(held), disk })
    }

    /// Reads the keyring, and completes an erasure that a crash left half done.
    pub(crate) fn open(path: &Path, keys: &Keys) -> Result<Self, KeyringError> {
        let failed = |source| unusable(path, source);
        let file = fs::OpenOptions::new().read(true).write(true).open(path);
        let Read { keyring, len, half_erased } = Self::read(path, keys, file)?;
        {
            let disk = keyring.disk();
            if disk.len < len {
                disk.file.set_len(disk.len).and_then(|()| disk.file.sync_all()).map_err(failed)?;
            }
        }
        if half_erased {
            keyring.write_anew().map_err(failed)?;
        }
        Ok(keyring)
    }

    /// Reads a keyring that another process may have open. It is not changed, and takes no new keys.
    pub(crate) fn look(path: &Path, keys: &Keys) -> Result<Self, KeyringError> {
        Ok(Self::read(path, keys, File::open(path))?.keyring)
    }

    fn read(path: &Path, keys: &Keys, file: io::Result<File>) -> Result<Read, KeyringError> {
        let failed = |source| unusable(path, source);
        let mut file = match file {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyringError::Missing { path: path.to_owned() });
            }
            opened => opened.map_err(failed)?,
        };
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & 0o177 != 0 {
            return Err(KeyringError::Exposed { path: path.to_owned(), mode });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let wrap = wrapping_key(keys);
        let Parsed { id, held, len, half_erased } = parse(path, &bytes, &wrap)?;
        let disk = OnDisk { file, len: len as u64, id, wrap, nonces: Nonces::new() };
        let keyring =
            Self { path: path.to_owned(), held: RwLock::new(held), disk: Mutex::new(disk) };
        Ok(Read { keyring, len: bytes.len() as u64, half_erased })
    }

    /// True if this master key wrapped the keyring. Changes nothing.
    pub(crate) fn opens_with(path: &Path, keys: &Keys) -> bool {
        Self::read_root(path, keys).is_ok()
    }

    /// The root of a keyring that another process may have open. Changes nothing.
    pub(crate) fn read_root(path: &Path, keys: &Keys) -> Result<Keys, KeyringError> {
        let bytes = fs::read(path).map_err(|source| {
            if source.kind() == io::ErrorKind::NotFound {
                KeyringError::Missing { path: path.to_owned() }
            } else {
                unusable(path, source)
            }
        })?;
        Ok(Keys::of_root(parse(path, &bytes, &wrapping_key(keys))?.held.root.clone()))
    }

    /// What the hall's own keys are derived from.
    pub(crate) fn root(&self) -> Keys {
        Keys::of_root(self.held().root.clone())
    }

    /// The file's own name, by which a ledger knows its keyring.
    pub(crate) fn id(&self) -> [u8; ID_BYTES] {
        self.disk().id
    }

    /// The number that the next person gets: all given ones are lower.
    pub(crate) fn next(&self) -> u32 {
        self.held().next
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of a person's key, if there is one.
    pub(crate) fn find(&self, person: PersonId) -> Option<u32> {
        self.held().people.get(&person).copied()
    }

    /// The number of a person's key; a new key if there is none. It is on disk after [`Self::sync`].
    pub(crate) fn number_of(&self, person: PersonId) -> io::Result<u32> {
        if let Some(number) = self.find(person) {
            return Ok(number);
        }
        let key = random_key()?;
        let mut held = self.held_mut();
        let number = held.next;
        held.next = number.checked_add(1).ok_or_else(|| io::Error::other("too many keys"))?;
        held.slots.put(number, person, &key);
        held.people.insert(person, number);
        held.fresh.push(number);
        Ok(number)
    }

    /// A person's key and its number, as [`Self::number_of`]: one look where they have one.
    pub(crate) fn key_for(&self, person: PersonId) -> io::Result<(u32, DataKey)> {
        let look = || {
            let held = self.held();
            let number = *held.people.get(&person)?;
            held.slots.get(number).map(|(_, key)| (number, Zeroizing::new(*key)))
        };
        if let Some(found) = look() {
            return Ok(found);
        }
        self.number_of(person)?;
        look().ok_or_else(|| io::Error::other("a key that was just given is gone"))
    }

    /// The key of a number.
    pub(crate) fn key(&self, number: u32) -> Found {
        let held = self.held();
        match held.slots.get(number) {
            Some((person, key)) => Found::Key(vec![person], Zeroizing::new(*key)),
            None if held.graves.contains_key(&number) => Found::Erased,
            None => Found::Unknown,
        }
    }

    /// Puts new keys on disk, all with one write and one sync; costs nothing if there are none.
    /// KEYRING-1. After an error nothing may be sealed any more.
    pub(crate) fn sync(&self) -> io::Result<()> {
        if self.held().fresh.is_empty() {
            return Ok(());
        }
        let mut disk = self.disk();
        let fresh = std::mem::take(&mut self.held_mut().fresh);
        let mut frames = Vec::new();
        for some in fresh.chunks(FRAME_ENTRIES) {
            let held = self.held();
            let mut entries = Vec::new();
            for number in some {
                let Some((person, key)) = held.slots.get(*number) else { continue };
                put_key(&mut entries, &mut disk, *number, person, key)?;
            }
            frames.extend(frame(&entries)?);
        }
        disk.append(&frames)
    }

    /// Destroys a person's key. `false` if there is none. KEYRING-2. After an error nobody knows
    /// how far it came; the next opening completes what had begun.
    pub(crate) fn destroy(&self, person: PersonId, grave: Grave) -> io::Result<bool> {
        if !self.condemn(person, grave)? {
            return Ok(false);
        }
        self.write_anew()?;
        Ok(true)
    }

    /// Notes durably that the key is to go. From here on it is not used any more.
    fn condemn(&self, person: PersonId, grave: Grave) -> io::Result<bool> {
        self.sync()?;
        let Some(number) = self.find(person) else { return Ok(false) };
        let mut disk = self.disk();
        let mut entries = Vec::new();
        put_grave(&mut entries, &mut disk, number, &grave)?;
        disk.append(&frame(&entries)?)?;
        let mut held = self.held_mut();
        held.people.remove(&person);
        held.slots.wipe(number);
        held.graves.insert(number, grave);
        Ok(true)
    }

    /// How many keys were ever destroyed.
    pub(crate) fn graves(&self) -> u32 {
        u32::try_from(self.held().graves.len()).unwrap_or(u32::MAX)
    }

    /// Graves whose person was not told yet.
    pub(crate) fn untold(&self) -> Vec<(u32, Grave)> {
        let held = self.held();
        let untold = held.graves.iter().filter(|(_, grave)| grave.to_tell.is_some());
        untold.map(|(number, grave)| (*number, *grave)).collect()
    }

    /// The person was told. Their id leaves the file with this.
    pub(crate) fn told(&self, number: u32) -> io::Result<()> {
        match self.held_mut().graves.get_mut(&number) {
            Some(grave) if grave.to_tell.is_some() => grave.to_tell = None,
            Some(_) | None => return Ok(()),
        }
        self.write_anew()
    }

    /// Wraps everything with another master key. The old one opens nothing from here on.
    pub(crate) fn rewrap(&self, keys: &Keys) -> io::Result<()> {
        self.disk().wrap = wrapping_key(keys);
        self.write_anew()
    }

    fn write_anew(&self) -> io::Result<()> {
        let mut disk = self.disk();
        let OnDisk { id, wrap, nonces, .. } = &mut *disk;
        let file = {
            let mut held = self.held_mut();
            held.fresh.clear();
            write_whole(&self.path, &held, (id, wrap, nonces))?
        };
        let old = std::mem::replace(&mut disk.file, file);
        disk.len = disk.file.metadata()?.len();
        overwrite(&old);
        Ok(())
    }

    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_mut(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn disk(&self) -> MutexGuard<'_, OnDisk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnDisk {
    fn append(&mut self, frames: &[u8]) -> io::Result<()> {
        self.file.write_all_at(frames, self.len)?;
        self.file.sync_data()?;
        self.len += frames.len() as u64;
        Ok(())
    }
}

fn unusable(path: &Path, source: io::Error) -> KeyringError {
    KeyringError::Unusable { path: path.to_owned(), source }
}

fn wrapping_key(keys: &Keys) -> DataKey {
    keys.derive("keyring")
}

fn random_key() -> io::Result<DataKey> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(key.as_mut_slice())?;
    Ok(key)
}

// === Keys in memory: in blocks that never move, so that no copy is left behind. ===

const BLOCK: usize = 256;

#[derive(Clone, Copy)]
struct Slot {
    person: PersonId,
    key: [u8; KEY_BYTES],
    used: bool,
}

#[derive(Default)]
struct Slots(Vec<Option<Box<[Slot; BLOCK]>>>);

impl Slots {
    fn place(number: u32) -> (usize, usize) {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        (number / BLOCK, number % BLOCK)
    }

    fn put(&mut self, number: u32, person: PersonId, key: &[u8; KEY_BYTES]) {
        let (block, at) = Self::place(number);
        if self.0.len() <= block {
            self.0.resize_with(block + 1, || None);
        }
        let empty = Slot { person: PersonId(0), key: [0; KEY_BYTES], used: false };
        let block =
            self.0.get_mut(block).map(|it| it.get_or_insert_with(|| Box::new([empty; BLOCK])));
        if let Some(slot) = block.and_then(|it| it.get_mut(at)) {
            slot.person = person;
            slot.key.copy_from_slice(key);
            slot.used = true;
        }
    }

    fn get(&self, number: u32) -> Option<(PersonId, &[u8; KEY_BYTES])> {
        let (block, at) = Self::place(number);
        let slot = self.0.get(block)?.as_ref()?.get(at)?;
        slot.used.then_some((slot.person, &slot.key))
    }

    fn wipe(&mut self, number: u32) {
        let (block, at) = Self::place(number);
        let slot = self.0.get_mut(block).and_then(Option::as_mut).and_then(|it| it.get_mut(at));
        if let Some(slot) = slot {
            slot.key.zeroize();
            slot.used = false;
            slot.person = PersonId(0);
        }
    }

    fn each(&self) -> impl Iterator<Item = (u32, PersonId, &[u8; KEY_BYTES])> {
        (0..self.0.len() * BLOCK).filter_map(|number| {
            let number = u32::try_from(number).ok()?;
            self.get(number).map(|(person, key)| (number, person, key))
        })
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        for block in self.0.iter_mut().flatten() {
            block.iter_mut().for_each(|slot| slot.key.zeroize());
        }
    }
}

// === The file. ===

fn put_key(
    out: &mut Vec<u8>,
    disk: &mut OnDisk,
    number: u32,
    person: PersonId,
    key: &[u8; KEY_BYTES],
) -> io::Result<()> {
    let OnDisk { id, wrap, nonces, .. } = disk;
    seal_entry(out, (id, wrap, nonces), (KEY, number), &mut key_text(person, key))
}

fn put_grave(out: &mut Vec<u8>, disk: &mut OnDisk, number: u32, grave: &Grave) -> io::Result<()> {
    let OnDisk { id, wrap, nonces, .. } = disk;
    seal_entry(out, (id, wrap, nonces), (GRAVE, number), &mut grave_text(grave))
}

fn key_text(person: PersonId, key: &[u8; KEY_BYTES]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(8 + KEY_BYTES + TAG_BYTES));
    text.put_i64(person.0);
    text.put_slice(key);
    text
}

fn grave_text(grave: &Grave) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(80));
    text.put_u64(grave.at.0);
    text.put_slice(&grave.whose);
    if let Some((bot, person)) = grave.to_tell {
        text.put_i64(bot.0);
        text.put_i64(person.0);
    }
    text
}

/// How entries are sealed: the file's id, the wrapping key, fresh nonces.
type Sealing<'a> = (&'a [u8; ID_BYTES], &'a DataKey, &'a mut Nonces);

fn seal_entry(
    out: &mut Vec<u8>,
    (id, wrap, nonces): Sealing<'_>,
    (kind, number): (u8, u32),
    text: &mut Zeroizing<Vec<u8>>,
) -> io::Result<()> {
    let nonce = nonces.next()?;
    let bound = bound(id, kind, number);
    let tag = Aead::new(wrap)
        .seal(&nonce, &bound, text)
        .map_err(|Unsealed| io::Error::other("an entry cannot be sealed"))?;
    let len = u16::try_from(text.len() + TAG_BYTES).map_err(io::Error::other)?;
    out.put_u8(kind);
    out.put_u32(number);
    out.put_u16(len);
    out.put_slice(&nonce);
    out.put_slice(text);
    out.put_slice(&tag);
    Ok(())
}

fn bound(id: &[u8; ID_BYTES], kind: u8, number: u32) -> Vec<u8> {
    [id.as_slice(), &[VERSION, kind], &number.to_be_bytes()].concat()
}

fn frame(entries: &[u8]) -> io::Result<Vec<u8>> {
    let mut frame = Vec::with_capacity(FRAME_HEADER_BYTES + entries.len());
    frame.put_u32(u32::try_from(entries.len()).map_err(io::Error::other)?);
    frame.put_u32(crc32fast::hash(entries));
    frame.put_slice(entries);
    Ok(frame)
}

/// Writes the file anew beside the old one, synced, and puts it in its place, synced too.
fn write_whole(path: &Path, held: &Held, (id, wrap, nonces): Sealing<'_>) -> io::Result<File> {
    let folder = crate::keys::parent(path);
    let beside = beside(path);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options.read(true).write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(MAGIC)?;
    file.write_all(&[VERSION])?;
    file.write_all(id)?;
    let mut entries = Vec::new();
    let mut root = Zeroizing::new(Vec::with_capacity(64));
    root.put_slice(held.root.as_slice());
    root.put_u32(held.next);
    seal_entry(&mut entries, (id, wrap, nonces), (ROOT, 0), &mut root)?;
    let mut count = 0;
    let keys = held.slots.each().map(|(number, person, key)| (KEY, number, key_text(person, key)));
    let graves = held.graves.iter().map(|(number, grave)| (GRAVE, *number, grave_text(grave)));
    for (kind, number, mut text) in keys.chain(graves) {
        seal_entry(&mut entries, (id, wrap, nonces), (kind, number), &mut text)?;
        count += 1;
        if count % FRAME_ENTRIES == 0 {
            file.write_all(&frame(&entries)?)?;
            entries.clear();
        }
    }
    if !entries.is_empty() {
        file.write_all(&frame(&entries)?)?;
    }
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Writes over what the old file held. Its blocks are free already; a disk may keep copies.
pub(crate) fn overwrite(old: &File) {
    let over = || -> io::Result<()> {
        let mut left = old.metadata()?.len();
        let mut at = 0;
        let zeros = [0; 64 * 1024];
        while 0 < left {
            let some = zeros.get(..usize::try_from(left).unwrap_or(zeros.len()).min(zeros.len()));
            let some = some.unwrap_or(&zeros);
            old.write_all_at(some, at)?;
            at += some.len() as u64;
            left -= some.len() as u64;
        }
        old.sync_data()
    };
    // lost-ok: what it holds is wrapped by the master key, and nothing points to it any more.
    over().ok();
}

struct Parsed {
    id: [u8; ID_BYTES],
    held: Held,
    /// Up to where the file reads.
    len: usize,
    /// The key of a grave is still there.
    half_erased: bool,
}

fn parse(path: &Path, bytes: &[u8], wrap: &DataKey) -> Result<Parsed, KeyringError> {
    let damaged = || KeyringError::Damaged { path: path.to_owned() };
    let mut fields = Fields(bytes);
    if fields.take(MAGIC.len()) != Some(MAGIC) {
        return Err(damaged());
    }
    let found = fields.u8().ok_or_else(damaged)?;
    if VERSION < found {
        return Err(KeyringError::Newer { path: path.to_owned(), found });
    }
    let id: [u8; ID_BYTES] = fields.array().ok_or_else(damaged)?;
    let mut reading =
        Reading { id, wrap, root: None, next: 1, keys: Vec::new(), graves: BTreeMap::new() };
    let mut len = HEADER_BYTES;
    while let Some(entries) = whole_frame(bytes.get(len..).unwrap_or_default()) {
        match reading.take(entries) {
            Some(true) => {}
            Some(false) => return Err(KeyringError::WrongKey { path: path.to_owned() }),
            None => return Err(damaged()),
        }
        len += FRAME_HEADER_BYTES + entries.len();
    }
    // KEYRING-3: only the last write can be torn; a whole frame behind it means damage.
    let rest = bytes.get(len..).unwrap_or_default();
    if (1..rest.len()).any(|at| rest.get(at..).and_then(whole_frame).is_some()) {
        return Err(damaged());
    }
    let Reading { root: Some(root), next, keys, graves, .. } = reading else {
        return Err(damaged());
    };
    let mut held = Held {
        root,
        people: HashMap::with_capacity(keys.len()),
        slots: Slots::default(),
        next,
        graves,
        fresh: Vec::new(),
    };
    let mut half_erased = false;
    for (number, person, key) in keys {
        if held.graves.contains_key(&number) {
            half_erased = true;
            continue;
        }
        held.slots.put(number, person, &key);
        held.people.insert(person, number);
    }
    Ok(Parsed { id, held, len, half_erased })
}

/// The entries of the frame that the bytes begin with, if it is whole. An empty one is none: zeros
/// would be one.
fn whole_frame(bytes: &[u8]) -> Option<&[u8]> {
    let mut fields = Fields(bytes);
    let len = usize::try_from(fields.u32()?).ok()?;
    let crc = fields.u32()?;
    let entries = fields.take(len)?;
    let is_whole = (1..=FRAME_BYTES_MAX).contains(&len) && crc32fast::hash(entries) == crc;
    is_whole.then_some(entries)
}

struct Reading<'a> {
    id: [u8; ID_BYTES],
    wrap: &'a DataKey,
    root: Option<DataKey>,
    next: u32,
    keys: Vec<(u32, PersonId, DataKey)>,
    graves: BTreeMap<u32, Grave>,
}

impl Reading<'_> {
    /// Takes the entries of a frame in. `false` if they are not wrapped by our master key.
    fn take(&mut self, entries: &[u8]) -> Option<bool> {
        let mut fields = Fields(entries);
        let aead = Aead::new(self.wrap);
        while !fields.0.is_empty() {
            let (kind, number) = (fields.u8()?, fields.u32()?);
            let len = usize::from(u16::from_be_bytes(fields.array()?));
            let nonce = fields.take(NONCE_BYTES)?;
            let (text, tag) = fields.take(len)?.split_last_chunk::<TAG_BYTES>()?;
            let bound = bound(&self.id, kind, number);
            let Ok(text) = aead.open(nonce, &bound, text, tag) else {
                // The checksum is good, so it is what was written.
                return Some(false);
            };
            self.entry(kind, number, &mut Fields(&text))?;
        }
        Some(true)
    }

    fn entry(&mut self, kind: u8, number: u32, text: &mut Fields<'_>) -> Option<()> {
        match kind {
            ROOT => {
                self.root = Some(Zeroizing::new(text.array()?));
                self.next = text.u32()?;
                return Some(());
            }
            KEY => {
                let person = PersonId(text.i64()?);
                self.keys.push((number, person, Zeroizing::new(text.array()?)));
            }
            GRAVE => {
                let (at, whose) = (Timestamp(text.u64()?), text.array()?);
                let to_tell = match text.0.is_empty() {
                    true => None,
                    false => Some((BotId(text.i64()?), PersonId(text.i64()?))),
                };
                self.graves.insert(number, Grave { at, whose, to_tell });
            }
            _ => return None,
        }
        self.next = self.next.max(number.checked_add(1)?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyPlace;

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn keys(&self, name: &str) -> Keys {
            let path = self.0.path().join(name);
            match path.exists() {
                true => Keys::open(&path, KeyPlace::Anywhere).unwrap(),
                false => Keys::create(&path, KeyPlace::Anywhere).unwrap(),
            }
        }

        fn file(&self) -> PathBuf {
            self.0.path().join("keyring")
        }

        fn open(&self) -> Result<Keyring, KeyringError> {
            Keyring::open_or_make(&self.file(), &self.keys("key"), None)
        }

        fn refusal(&self) -> String {
            self.open().err().unwrap().to_string()
        }
    }

    fn grave(person: i64) -> Grave {
        let to_tell = Some((BotId(1), PersonId(person)));
        Grave { at: Timestamp(9), whose: [7; HASH_BYTES], to_tell }
    }

    fn key(keyring: &Keyring, number: u32) -> Vec<u8> {
        match keyring.key(number) {
            Found::Key(_, key) => key.to_vec(),
            Found::Erased => b"erased".to_vec(),
            Found::Unknown => b"unknown".to_vec(),
        }
    }

    /// A keyring with the keys of people 1 to `people`, in frames of three.
    fn filled(home: &Home, people: i64) -> Keyring {
        let keyring = home.open().unwrap();
        for person in 1..=people {
            let number = keyring.number_of(PersonId(person)).unwrap();
            assert_eq!(i64::from(number), person, "numbers rise from 1");
            if person % 3 == 0 {
                keyring.sync().unwrap();
            }
        }
        keyring.sync().unwrap();
        keyring
    }

    #[test]
    fn keys_come_back_and_a_key_that_was_not_synced_does_not() {
        let home = Home::new();
        let keyring = filled(&home, 700);
        let root = keyring.root().derive("x");
        let keys: Vec<_> = (1..=700).map(|it| key(&keyring, it)).collect();
        keyring.number_of(PersonId(9_999)).unwrap();
        drop(keyring);
        let again = home.open().unwrap();
        assert_eq!(again.root().derive("x"), root);
        assert_eq!((1..=700).map(|it| key(&again, it)).collect::<Vec<_>>(), keys);
        assert_eq!((key(&again, 701), again.next()), (b"unknown".to_vec(), 701));
        assert_eq!(again.find(PersonId(500)), Some(500));
    }

    #[test]
    fn keyring_2_a_destroyed_key_is_in_no_byte_of_the_folder_and_its_number_is_not_given_again() {
        let home = Home::new();
        let keyring = filled(&home, 5);
        assert!(keyring.destroy(PersonId(4), grave(4)).unwrap());
        assert!(!keyring.destroy(PersonId(4), grave(4)).unwrap(), "a second time there is none");
        assert_eq!(key(&keyring, 4), b"erased");
        assert_eq!(keyring.number_of(PersonId(4)).unwrap(), 6, "who comes again gets a new key");
        keyring.sync().unwrap();
        drop(keyring);
        let again = home.open().unwrap();
        assert_eq!((key(&again, 4), again.find(PersonId(4))), (b"erased".to_vec(), Some(6)));
        assert_eq!(again.untold(), [(4, grave(4))]);
        again.told(4).unwrap();
        drop(again);
        let again = home.open().unwrap();
        assert_eq!((again.untold().len(), key(&again, 4)), (0, b"erased".to_vec()));
    }

    #[test]
    fn an_erasure_that_a_crash_interrupts_is_completed_by_the_next_opening() {
        let home = Home::new();
        let keyring = filled(&home, 5);
        // Up to the note that the key is to go; the file still holds it.
        assert!(keyring.condemn(PersonId(2), grave(2)).unwrap());
        let before = fs::read(home.file()).unwrap();
        drop(keyring);
        // The file beside it was being written, or was written and not yet put in its place.
        for beside_it in [None, Some(&before[..40]), Some(&before[..])] {
            let put_back = fs::OpenOptions::new().write(true).truncate(true).open(home.file());
            put_back.unwrap().write_all(&before).unwrap();
            if let Some(bytes) = beside_it {
                fs::write(beside(&home.file()), bytes).unwrap();
            }
            let again = home.open().unwrap();
            assert_eq!(key(&again, 2), b"erased");
            assert_eq!(again.untold(), [(2, grave(2))], "the person can still be told");
            let after = fs::read(home.file()).unwrap();
            assert!(after.len() < before.len(), "the key has left the file");
            assert!(!beside(&home.file()).exists());
        }
    }

    #[test]
    fn keyring_3_a_torn_end_is_cut_and_a_damaged_middle_is_refused() {
        let home = Home::new();
        drop(filled(&home, 7));
        let whole = fs::read(home.file()).unwrap();
        let last = {
            drop(filled(&home, 8));
            fs::read(home.file()).unwrap()
        };
        assert_eq!(last[..whole.len()], whole);
        for len in whole.len()..last.len() {
            fs::write(home.file(), &last[..len]).unwrap();
            let cut = home.open().unwrap();
            assert_eq!(cut.next(), 8, "cut at {len}");
            assert_eq!(fs::read(home.file()).unwrap(), whole);
        }
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = last.clone();
            damaged[at] ^= 4;
            fs::write(home.file(), &damaged).unwrap();
            let refused = home.open();
            assert!(refused.is_err(), "byte {at}");
        }
    }

    #[test]
    fn another_master_key_a_foreign_version_and_an_open_file_are_refused_in_words() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = Home::new();
        drop(filled(&home, 3));
        let other = Keyring::open(&home.file(), &home.keys("other")).err().unwrap();
        assert!(matches!(other, KeyringError::WrongKey { .. }));
        let whole = fs::read(home.file()).unwrap();
        let mut newer = whole.clone();
        newer[MAGIC.len()] = 9;
        fs::write(home.file(), newer).unwrap();
        assert!(home.refusal().contains("has version 9, this program knows up to 1"));
        fs::write(home.file(), whole).unwrap();
        fs::set_permissions(home.file(), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(home.refusal().contains("run `chmod 600`"));
    }

    #[test]
    fn rewrapped_the_old_master_key_is_refused_at_once_and_every_key_is_the_same() {
        let home = Home::new();
        let keyring = filled(&home, 9);
        let keys: Vec<_> = (1..=9).map(|it| key(&keyring, it)).collect();
        keyring.rewrap(&home.keys("new")).unwrap();
        let old = Keyring::open(&home.file(), &home.keys("key"));
        assert!(matches!(old, Err(KeyringError::WrongKey { .. })));
        keyring.number_of(PersonId(10)).unwrap();
        keyring.sync().unwrap();
        let again = Keyring::open(&home.file(), &home.keys("new")).unwrap();
        assert_eq!((1..=9).map(|it| key(&again, it)).collect::<Vec<_>>(), keys);
        assert_eq!(again.find(PersonId(10)), Some(10));
    }
}
