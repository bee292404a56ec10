//! The power goes: what was not synced is lost, in part or in whole, and nothing that was
//! acknowledged with it.
//!
//! The store tells of every fsync. From that the test knows what each file held when it was last
//! synced and which names a folder had then. At a chosen moment, just before an fsync, it builds the
//! disk as a power cut would leave it: of everything since, each page is there or not, one is torn,
//! and new names are there or not.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use protocol::{
    Timestamp,
    ledger::{Ledger, Stream},
};
use store::{
    EngineKind, OpenError, Store,
    backup::{Sources, repair},
    power::watch::{self, Moment},
};

use crate::{
    backups::{back_up, shelf},
    common::{Home, Random, append, config, keys, session},
};

const PAGE: usize = 4096;
const CUTS_PER_RUN: u64 = 10;
const APPENDS: u64 = 250;

/// What is safe on the disk.
#[derive(Default)]
struct Disk {
    /// Content when it was last synced, by inode.
    files: BTreeMap<u64, Vec<u8>>,
    /// Names and inodes when the folder was last synced.
    folders: BTreeMap<PathBuf, BTreeMap<String, u64>>,
}

fn names(folder: &Path) -> BTreeMap<String, u64> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    let entries = entries.filter_map(Result::ok);
    let named = entries.filter_map(|it| {
        let inode = it.metadata().ok()?.ino();
        Some((it.file_name().to_string_lossy().into_owned(), inode))
    });
    named.collect()
}

impl Disk {
    fn synced(&mut self, path: &Path) {
        if path.is_dir() {
            self.folders.insert(path.to_owned(), names(path));
        } else if let (Ok(bytes), Ok(about)) = (fs::read(path), fs::metadata(path)) {
            self.files.insert(about.ino(), bytes);
        }
    }

    /// Everything below a folder is safe.
    fn settle(&mut self, folder: &Path) {
        self.synced(folder);
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { self.settle(&path) } else { self.synced(&path) }
        }
    }

    /// Builds what a power cut would leave of `from`.
    fn cut(&self, from: &Path, to: &Path, how: How, random: &mut Random) {
        fs::create_dir_all(to).unwrap();
        let now = names(from);
        let before = self.folders.get(from).cloned().unwrap_or_default();
        let mut found = before.clone();
        for (name, inode) in &now {
            if before.get(name) != Some(inode) && how.is_there(random) {
                // Named since, or in place of another.
                found.insert(name.clone(), *inode);
            }
        }
        for name in before.keys().filter(|it| !now.contains_key(*it)) {
            if how.is_there(random) {
                // Taken away, or renamed, since.
                found.remove(name);
            }
        }
        let current: BTreeMap<u64, &String> =
            now.iter().map(|(name, inode)| (*inode, name)).collect();
        for (name, inode) in found {
            let (path, target) = (from.join(&name), to.join(&name));
            if path.is_dir() {
                self.cut(&path, &target, how, random);
                continue;
            }
            let safe = self.files.get(&inode).cloned().unwrap_or_default();
            let written = current.get(&inode).and_then(|it| fs::read(from.join(it)).ok());
            let written = written.unwrap_or_else(|| safe.clone());
            fs::write(target, mixed(&safe, &written, how, random)).unwrap();
        }
    }
}

/// How much of what was not synced is there.
#[derive(Clone, Copy, Debug)]
enum How {
    Nothing,
    Everything,
    Some,
}

impl How {
    fn is_there(self, random: &mut Random) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Some => random.below(2) == 0,
        }
    }
}

fn mixed(safe: &[u8], written: &[u8], how: How, random: &mut Random) -> Vec<u8> {
    let length = if how.is_there(random) { written.len() } else { safe.len() };
    let page = |bytes: &[u8], at: usize| {
        let mut page = vec![0; PAGE];
        let there = bytes.get(at..bytes.len().min(at + PAGE)).unwrap_or_default();
        page[..there.len()].copy_from_slice(there);
        page
    };
    let mut image = Vec::with_capacity(length + PAGE);
    for at in (0..length).step_by(PAGE) {
        let (old, new) = (page(safe, at), page(written, at));
        if old == new || !how.is_there(random) {
            image.extend(old);
        } else if random.below(8) == 0 {
            let torn = random.below(PAGE as u64) as usize;
            image.extend_from_slice(&new[..torn]);
            image.extend_from_slice(&old[torn..]);
        } else {
            image.extend(new);
        }
    }
    image.truncate(length);
    image
}

fn text(seq: u64) -> String {
    format!("event {seq} {}", "x".repeat(200 + (seq % 7) as usize * 900))
}

/// One run of a store whose power goes several times; the disks that it leaves, each with what had
/// been acknowledged.
async fn disks(engine: EngineKind, random: &mut Random) -> Vec<(Home, u64)> {
    let home = Home::of(engine);
    let data = home.data();
    let store = home.open().unwrap();
    let with_backup = random.below(2) == 0;
    let mut disk = Disk::default();
    disk.settle(&data);
    let acknowledged = Arc::new(AtomicU64::new(0));
    let left: Arc<Mutex<Vec<(Home, u64)>>> = Arc::default();
    let mut syncs: Vec<u64> = (0..CUTS_PER_RUN).map(|_| 1 + random.below(APPENDS)).collect();
    syncs.sort_unstable();
    let state = Mutex::new((disk, syncs, 0_u64, Random(random.next())));
    watch::set(Some(Arc::new({
        let (acknowledged, left) = (Arc::clone(&acknowledged), Arc::clone(&left));
        let root = home.root.path().to_owned();
        move |moment, path: &Path| {
            if !path.starts_with(&data) {
                return;
            }
            let mut state = state.lock().unwrap();
            let (disk, syncs, count, random) = &mut *state;
            match moment {
                Moment::After => disk.synced(path),
                Moment::Before => {
                    *count += 1;
                    while syncs.first().is_some_and(|it| *it <= *count) {
                        syncs.remove(0);
                        let how = [How::Nothing, How::Everything, How::Some, How::Some];
                        let how = how[random.below(4) as usize];
                        let after = Home::of(engine);
                        for it in ["hall.key", "data.keyring", "backups"] {
                            let from = root.join(it);
                            if from.is_dir() {
                                crate::common::copy(&from, &after.root.path().join(it));
                            } else if from.exists() {
                                fs::copy(from, after.root.path().join(it)).unwrap();
                            }
                        }
                        disk.cut(&data, &after.data(), how, random);
                        let acknowledged = acknowledged.load(Ordering::SeqCst);
                        left.lock().unwrap().push((after, acknowledged));
                    }
                }
            }
        }
    })));
    for seq in 0..APPENDS {
        store.append(append(1, seq, text(seq), &[])).await.unwrap();
        acknowledged.fetch_add(1, Ordering::SeqCst);
        if with_backup && seq == APPENDS / 2 {
            back_up(&store, &home, 0);
        }
    }
    store.close().unwrap();
    watch::set(None);
    std::mem::take(&mut *left.lock().unwrap())
}

async fn check(store: &Store, acknowledged: u64) {
    let all = store.read_all(Stream::Session(session(1))).await.unwrap();
    let expected: Vec<_> = (0..all.len() as u64).map(text).collect();
    assert_eq!(crate::common::texts(&all.concat()), expected);
    let found = all.len() as u64;
    assert!((acknowledged..=acknowledged + 1).contains(&found), "{acknowledged} {found}");
    store.append(append(1, found, text(found), &[])).await.unwrap();
}

#[tokio::test]
async fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let mut random = Random::seeded();
    let cuts = std::env::var("STORE_TEST_POWER_CUTS").map_or(100, |cuts| cuts.parse().unwrap());
    for engine in EngineKind::ALL {
        let (mut opened, mut built_anew) = (0, 0);
        while opened + built_anew < cuts {
            for (home, acknowledged) in disks(engine, &mut random).await {
                match home.open() {
                    Ok(store) => {
                        check(&store, acknowledged).await;
                        opened += 1;
                    }
                    Err(error @ (OpenError::Damaged { .. } | OpenError::LostEnd { .. })) => {
                        assert!(error.to_string().contains("guildhall store repair"));
                        let place = shelf(&home);
                        let sources = Sources { shelf: Some(&place), accept_loss: false };
                        let root = home.root.path();
                        let done = repair(&config(root), keys(root), sources, Timestamp(9));
                        done.unwrap_or_else(|failed| panic!("{engine} {error:?}: {failed:?}"));
                        check(&home.open().unwrap(), acknowledged).await;
                        built_anew += 1;
                    }
                    Err(error) => panic!("{engine}: {error:?}"),
                }
            }
        }
        println!("{engine}: {opened} opened, {built_anew} were built anew, 0 lost");
    }
}
