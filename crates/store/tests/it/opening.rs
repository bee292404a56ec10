//! The store opens wherever it can, and says in words why it does not.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use protocol::{
    Timestamp,
    ledger::{Ledger, LedgerError, Seq, Snapshot, Stream},
};
use store::{
    EngineKind, KeyPlace, Keys, OpenError, Store,
    backup::{RepairError, Sources, repair},
    migrate::{MigrateError, migrate},
};

use crate::common::{Home, append, arrival, config, owned, session, texts};

for_each_engine!(
    only_one_process_may_have_it,
    a_closed_store_opens_again_while_processes_are_being_started,
    another_key_is_refused_in_words,
    a_newer_format_is_refused_in_words,
    damaged_checkpoints_are_replaced_by_the_log,
    a_log_that_has_lost_its_end_is_refused_until_the_operator_decides,
    a_row_or_a_part_of_one_that_is_missing_is_refused,
    a_row_that_is_missing_behind_the_checkpoint_harms_only_its_stream,
    everything_in_the_folder_is_ours_alone,
    a_record_beyond_the_limit_is_refused_and_one_at_the_limit_is_kept,
    quarantined_updates_are_listed_newest_first,
);

/// A store with something in it, closed.
async fn used(engine: EngineKind) -> Home {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    store.journal(session(1).bot, vec![arrival(1, 1, "raw")]).await.unwrap();
    for seq in 0..100 {
        store
            .append(append(1, seq, format!("event {seq} {}", "x".repeat(500)), &[]))
            .await
            .unwrap();
    }
    store.close().unwrap();
    home
}

async fn is_whole(home: &Home) {
    let store = home.open().unwrap_or_else(|error| panic!("{error:?}"));
    let loaded = store.load(Stream::Session(session(1))).await.unwrap();
    assert_eq!((loaded.events.len(), loaded.waiting.len()), (100, 1));
}

/// A process that is being started holds copies of all open files until its own program begins, the
/// folder's lock among them.
async fn a_closed_store_opens_again_while_processes_are_being_started(engine: EngineKind) {
    let is_over = AtomicBool::new(false);
    let home = Home::of(engine);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                assert!(Command::new("true").status().unwrap().success());
            }
        });
        let refused = (0..100).find_map(|_| match home.open() {
            Ok(store) => store.close().err().map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        });
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(refused, None);
    });
}

fn refusal(home: &Home) -> String {
    home.open().err().unwrap().to_string()
}

#[tokio::test]
async fn half_made_start_up_snapshots_are_removed() {
    let home = used(EngineKind::Sled).await;
    let some_snapshot = fs::read_dir(home.engine())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap."));
    let torn = some_snapshot.map_or_else(|| vec![7; 33], |path| fs::read(path).unwrap());
    for (name, bytes) in [
        ("snap.0000000000000FFF.generating", Vec::new()),
        ("snap.00000000FFFFFFFF.generating", torn[..torn.len() / 2].to_vec()),
        ("snap.x.generating", vec![0; 100]),
    ] {
        fs::write(home.engine().join(name), bytes).unwrap();
        is_whole(&home).await;
        assert!(!home.engine().join(name).exists());
    }
}

#[tokio::test]
async fn a_bad_start_up_snapshot_is_set_aside_and_rebuilt() {
    let home = used(EngineKind::Sled).await;
    let snapshots = || -> Vec<_> {
        let paths = fs::read_dir(home.engine()).unwrap().map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap."))
            .collect()
    };
    for damage in ["torn", "flipped", "planted"] {
        let found = snapshots();
        match (damage, found.first()) {
            ("torn", Some(path)) => fs::write(path, &fs::read(path).unwrap()[..20]).unwrap(),
            ("flipped", Some(path)) => {
                let mut bytes = fs::read(path).unwrap();
                bytes[10] ^= 4;
                fs::write(path, bytes).unwrap();
            }
            _ => fs::write(home.engine().join("snap.00000000FFFFFFFF"), vec![9; 64]).unwrap(),
        }
        is_whole(&home).await;
    }
}

async fn only_one_process_may_have_it(engine: EngineKind) {
    let home = used(engine).await;
    let store = home.open().unwrap();
    assert_eq!(refusal(&home), "another guildhall runs on this data folder");
    let clone = store.clone();
    store.close().unwrap();
    is_whole(&home).await;
    assert!(clone.load(Stream::Hall).await.is_err(), "a clone of a closed store is closed");
}

async fn another_key_is_refused_in_words(engine: EngineKind) {
    let home = used(engine).await;
    let key = home.root.path().join("other.key");
    let other = Keys::create(&key, KeyPlace::OutsideOf(&home.data())).unwrap();
    let refused = Store::open(config(home.root.path()), other).err().unwrap();
    assert_eq!(refused.to_string(), "this key file does not belong to this data folder");
    is_whole(&home).await;
}

/// Changes the database behind the store's back. Returns what was there.
fn tamper(home: &Home, key: &[u8], value: Option<&[u8]>) -> bool {
    if config(home.root.path()).engine == EngineKind::Redb {
        let rows = redb::TableDefinition::<&[u8], &[u8]>::new("rows");
        let db = redb::Database::open(home.engine_file()).unwrap();
        let txn = db.begin_write().unwrap();
        let was_there = {
            let mut table = txn.open_table(rows).unwrap();
            let before = match value {
                Some(value) => table.insert(key, value).unwrap(),
                None => table.remove(key).unwrap(),
            };
            before.is_some()
        };
        txn.commit().unwrap();
        return was_there;
    }
    // A process that another test is just starting holds a copy of the lock until it begins.
    let file = fs::File::open(home.engine_file()).unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    drop(file);
    let db = sled::open(home.engine()).unwrap();
    let before = match value {
        Some(value) => db.insert(key, value).unwrap(),
        None => db.remove(key).unwrap(),
    };
    db.flush().unwrap();
    drop(db);
    // sled's threads hold its lock for a moment longer.
    let file = fs::File::open(home.engine_file()).unwrap();
    rustix::fs::flock(file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    before.is_some()
}

fn set_row(home: &Home, key: &[u8], value: &[u8]) {
    tamper(home, key, Some(value));
}

async fn a_newer_format_is_refused_in_words(engine: EngineKind) {
    let home = used(engine).await;
    set_row(&home, b"a-format", &7_u32.to_be_bytes());
    assert!(
        refusal(&home).starts_with("this data folder has format 7, this program knows up to 2")
    );
    // Nor is it copied: there may be more to it.
    let refused = migrate(&config(home.root.path()), engine, false);
    assert!(matches!(refused, Err(MigrateError::Open(OpenError::NewerFormat { .. }))));
}

async fn damaged_checkpoints_are_replaced_by_the_log(engine: EngineKind) {
    let home = used(engine).await;
    for slots in [&[0_u8][..], &[1], &[0, 1]] {
        for slot in slots {
            set_row(&home, &[b'c', *slot, 0, 0, 0, 0], b"not a checkpoint");
        }
        is_whole(&home).await;
    }
}

async fn a_log_that_has_lost_its_end_is_refused_until_the_operator_decides(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    store.append(append(1, 0, "first", &[])).await.unwrap();
    let older = home.copied();
    store.append(append(1, 1, "second", &[])).await.unwrap();
    store.close().unwrap();
    fs::copy(home.data().join("mark"), older.data().join("mark")).unwrap();
    assert!(matches!(older.open(), Err(OpenError::LostEnd { acknowledged: 2, found: 1 })));
    fs::remove_file(older.data().join("mark")).unwrap();
    let loaded = older.open().unwrap().load(Stream::Session(session(1))).await.unwrap();
    assert_eq!(texts(&loaded.events), ["first"]);
}

fn remove_row(home: &Home, row: u64, part: u32) {
    let key = [&b"z"[..], &row.to_be_bytes(), &part.to_be_bytes()].concat();
    assert!(tamper(home, &key, None), "there is such a row");
}

async fn a_row_or_a_part_of_one_that_is_missing_is_refused(engine: EngineKind) {
    // Row 1 holds the update, rows 2 to 101 one append each; row 102 has four parts.
    for (row, part) in [(1, 0), (40, 0), (102, 0), (102, 1), (102, 3)] {
        let home = used(engine).await;
        let store = home.open().unwrap();
        store.append(append(1, 100, vec![b'x'; 20_000], &[])).await.unwrap();
        store.append(append(1, 101, "last", &[])).await.unwrap();
        store.close().unwrap();
        for slot in [0, 1] {
            set_row(&home, &[b'c', slot, 0, 0, 0, 0], b"not a checkpoint");
        }
        remove_row(&home, row, part);
        let refused = home.open();
        assert!(matches!(refused, Err(OpenError::Damaged { .. })), "{row} {part}");
    }
}

async fn a_row_that_is_missing_behind_the_checkpoint_harms_only_its_stream(engine: EngineKind) {
    let home = used(engine).await;
    remove_row(&home, 40, 0);
    let store = home.open().unwrap();
    let refused = store.load(Stream::Session(session(1))).await;
    assert!(matches!(refused, Err(LedgerError::Damaged { .. })));
    store.append(append(2, 0, "goes on", &[])).await.unwrap();
}

async fn everything_in_the_folder_is_ours_alone(engine: EngineKind) {
    fn check(folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
            if path.is_dir() {
                check(&path);
            }
        }
    }
    let home = used(engine).await;
    check(&home.data());
    let store = home.open().unwrap();
    check(&home.data());
    assert_eq!(fs::metadata(home.data().join("reserve")).unwrap().len(), 64 * 1024);
    assert!(64 * 1024 < store.gauge().disk_bytes);
}

async fn a_record_beyond_the_limit_is_refused_and_one_at_the_limit_is_kept(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    let limit = config(home.root.path()).record_bytes_max;
    assert!(store.append(append(1, 0, vec![b'x'; limit + 1], &[])).await.is_err());
    for seq in 0..3 {
        store.append(append(1, seq, vec![b'x'; limit], &[])).await.unwrap();
    }
    store.append(append(1, 3, "small", &[])).await.unwrap();
    let state = owned(1, vec![b'x'; limit]);
    let stream = Stream::Session(session(1));
    store.snapshot(Snapshot { stream, at: Seq(0), state }).await.unwrap();
    if engine == EngineKind::Sled {
        // It does not sync what it puts there.
        assert_eq!(fs::read_dir(home.engine().join("blobs")).unwrap().count(), 0);
    }
    drop(store);
    let loaded = home.open().unwrap().load(stream).await.unwrap();
    let sizes: Vec<_> = loaded.events.iter().map(|it| it.bytes.len()).collect();
    assert_eq!(sizes, [limit, limit, limit, 5]);
}

async fn quarantined_updates_are_listed_newest_first(engine: EngineKind) {
    use protocol::{
        BotId, UpdateId,
        ledger::{Arrival, Route},
    };
    let home = Home::of(engine);
    let mut store = home.open().unwrap();
    for update in 0..5 {
        let raw = bytes::Bytes::from(format!("odd {update}"));
        let at = Timestamp(5);
        let odd = Arrival { update: UpdateId(update), route: Route::Quarantined { raw }, at };
        store.journal(BotId(update % 2), vec![odd]).await.unwrap();
        store.close().unwrap();
        store = home.open().unwrap();
    }
    let found = store.quarantined(3).await.unwrap();
    let found: Vec<_> =
        found.iter().map(|each| (each.bot.0, each.update.0, &each.raw[..])).collect();
    assert_eq!(found, [(0, 4, &b"odd 4"[..]), (1, 3, b"odd 3"), (0, 2, b"odd 2")]);
    assert_eq!(store.quarantined(100).await.unwrap().len(), 5);
    assert_eq!(store.gauge().quarantined, 5);
}

/// Run by hand: `STORE_TEST_SMALL_DISK=/mnt/small` must be an empty disk of about 20 MiB.
#[tokio::test]
#[ignore = "needs a small disk"]
async fn a_full_disk_gives_back_the_reserve_so_that_the_store_opens() {
    let root = std::path::PathBuf::from(std::env::var("STORE_TEST_SMALL_DISK").unwrap());
    Keys::create(&root.join("hall.key"), KeyPlace::Anywhere).unwrap();
    let open = || {
        let keys = Keys::open(&root.join("hall.key"), KeyPlace::Anywhere).unwrap();
        let reserve_bytes = 4 * 1024 * 1024;
        Store::open(store::StoreConfig { reserve_bytes, ..config(&root) }, keys)
    };
    let store = open().unwrap();
    let reserve = root.join("data/reserve");
    assert!(reserve.exists());
    let mut done = 0;
    while store.append(append(1, done, vec![b'x'; 3_000], &[])).await.is_ok() {
        done += 1;
    }
    assert!(store.close().is_err());
    drop(store);
    // Nothing is left at all.
    let mut filler = fs::File::create(root.join("filler")).unwrap();
    let filled = std::io::copy(&mut std::io::repeat(1), &mut filler);
    assert!(filled.is_err());
    let store = open().unwrap();
    println!("{done} appends; the reserve is there: {}", reserve.exists());
    let found = store.read_all(Stream::Session(session(1))).await.unwrap().len() as u64;
    assert!((done..=done + 1).contains(&found));
    store.append(append(1, found, "goes on", &[])).await.unwrap();
}

#[tokio::test]
async fn the_engine_of_a_folder_is_known_and_another_is_refused_in_words() {
    for (wrote, asked) in
        [(EngineKind::Sled, EngineKind::Redb), (EngineKind::Redb, EngineKind::Sled)]
    {
        let home = used(wrote).await;
        home.set_engine(asked);
        let expected = format!(
            "this data folder was written by the engine {wrote}, and store.engine asks for {asked}; \
             set store.engine = \"{wrote}\", or run `guildhall store migrate --to {asked}`"
        );
        assert_eq!(refusal(&home), expected);
        home.set_engine(wrote);
        is_whole(&home).await;
    }
}

/// A store of format 1, written by version 0.1.0: twice opened, the second time not closed.
fn of_format_1() -> Home {
    let home = Home::new();
    let archive = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/archives/format-1-sled.tar.gz");
    let unpacked = Command::new("tar").args(["-xzf", archive, "-C"]).arg(home.root.path()).status();
    assert!(unpacked.unwrap().success());
    home
}

async fn is_all_there(home: &Home) {
    for _ in 0..2 {
        let store = home.open().unwrap_or_else(|error| panic!("{error:?}"));
        for chat in 0..5 {
            let stream = Stream::Session(session(chat));
            let expected: Vec<_> = (0..20).map(|seq| format!("chat {chat} event {seq}")).collect();
            let all = store.read_all(stream).await.unwrap().concat();
            assert_eq!(texts(&all), expected);
            let loaded = store.load(stream).await.unwrap();
            assert_eq!(texts(&loaded.snapshot.unwrap()), [format!("chat {chat} state")]);
            let waiting: Vec<_> = loaded.waiting.iter().map(|it| it.update.0 % 100).collect();
            assert_eq!(waiting, [9, 19]);
        }
        store.verify().unwrap();
        store.close().unwrap();
        assert!(!home.data().join("wal").exists());
    }
}

#[tokio::test]
async fn a_store_of_format_1_opens_with_all_that_was_in_its_log() {
    is_all_there(&of_format_1()).await;
}

#[tokio::test]
async fn a_store_of_format_1_moves_to_redb_before_it_was_ever_opened() {
    let home = of_format_1();
    // It has no log to be built anew from, and no keyring yet.
    let sources = Sources { shelf: None, accept_loss: true };
    let refused = repair(&config(home.root.path()), home.keys(), sources, Timestamp(9));
    assert!(matches!(refused, Err(RepairError::NothingToBeginWith)), "{refused:?}");
    migrate(&config(home.root.path()), EngineKind::Redb, false).unwrap();
    home.set_engine(EngineKind::Redb);
    is_all_there(&home).await;
}
