//! A folder with a key, seeded randomness, and short words for the port.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use protocol::{
    BotId, ChatId, PersonId, SessionKey, Timestamp, UpdateId,
    ledger::{Append, Arrival, Owned, Route, Seq, Stream},
};
use store::{EngineKind, KeyPlace, Keys, OpenError, Store, StoreConfig};

/// A hall's folders, gone when dropped.
pub(crate) struct Home {
    pub(crate) root: tempfile::TempDir,
}

impl Home {
    /// A home of sled's.
    pub(crate) fn new() -> Self {
        Self::of(EngineKind::Sled)
    }

    pub(crate) fn of(engine: EngineKind) -> Self {
        let root = tempfile::tempdir().unwrap();
        Keys::create(&root.path().join("hall.key"), KeyPlace::Anywhere).unwrap();
        let home = Self { root };
        home.set_engine(engine);
        home
    }

    /// What the settings say; children read it too.
    pub(crate) fn set_engine(&self, engine: EngineKind) {
        fs::write(self.root.path().join("engine"), engine.word()).unwrap();
    }

    pub(crate) fn keys(&self) -> Keys {
        keys(self.root.path())
    }

    /// The same files, as another process would find them now.
    pub(crate) fn copied(&self) -> Self {
        let root = tempfile::tempdir().unwrap();
        copy(self.root.path(), root.path());
        Self { root }
    }

    /// The engine's one large file.
    pub(crate) fn engine_file(&self) -> PathBuf {
        match config(self.root.path()).engine {
            EngineKind::Sled => self.engine().join("db"),
            EngineKind::Redb => self.engine().join("ledger.redb"),
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    pub(crate) fn engine(&self) -> PathBuf {
        self.data().join("engine")
    }

    pub(crate) fn open(&self) -> Result<Store, OpenError> {
        open(self.root.path())
    }
}

/// Small limits, so that every limit is met in a short test.
pub(crate) fn config(root: &Path) -> StoreConfig {
    let word = fs::read_to_string(root.join("engine")).unwrap_or_default();
    let engine = EngineKind::ALL.into_iter().find(|it| it.word() == word);
    StoreConfig {
        engine: engine.unwrap_or_default(),
        segment_bytes: 256 * 1024,
        record_bytes_max: 1024 * 1024,
        waiting_bytes_max: 2 * 1024,
        checkpoint_bytes: 16 * 1024,
        reserve_bytes: 64 * 1024,
        ..StoreConfig::new(root.join("data"))
    }
}

pub(crate) fn keys(root: &Path) -> Keys {
    Keys::open(&root.join("hall.key"), KeyPlace::OutsideOf(&root.join("data"))).unwrap()
}

pub(crate) fn open(root: &Path) -> Result<Store, OpenError> {
    Store::open(config(root), keys(root))
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn session(chat: i64) -> SessionKey {
    SessionKey { bot: BotId(1), chat: ChatId(chat), topic: None }
}

pub(crate) fn arrival(chat: i64, update: i64, raw: impl Into<Bytes>) -> Arrival {
    let route = Route::Session { key: session(chat), owner: PersonId(chat), raw: raw.into() };
    Arrival { update: UpdateId(update), route, at: Timestamp(1_000) }
}

pub(crate) fn append(chat: i64, expected: u64, events: impl Into<Bytes>, closes: &[i64]) -> Append {
    Append {
        stream: Stream::Session(session(chat)),
        expected: Seq(expected),
        events: owned(chat, events),
        closes: closes.iter().copied().map(UpdateId).collect(),
    }
}

/// Texts of a chat's person.
pub(crate) fn owned(chat: i64, text: impl Into<Bytes>) -> Vec<Owned> {
    vec![Owned::by(PersonId(chat), text)]
}

/// What the pieces say.
pub(crate) fn texts(pieces: &[Owned]) -> Vec<Bytes> {
    pieces.iter().map(|it| it.bytes.clone()).collect()
}

/// SplitMix64: the same seed gives the same numbers everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// From `SEED` in the environment or a fixed start; printed, so that a failure can be replayed.
    pub(crate) fn seeded() -> Self {
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
        println!("SEED={seed}");
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
