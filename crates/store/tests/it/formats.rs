//! Stores of every format that was ever in use open, and read as they were written.
//!
//! Each lies in `tests/stores/<format>`, its files packed with gzip, with its key beside it.

use std::{fs, io::Read as _, path::Path};

use bytes::Bytes;
use protocol::{
    BotId, MessageId, PersonId, Timestamp, UpdateId,
    ledger::{
        Accepted, Append, Arrival, DropReason, Held, Ledger, Owned, Receipt, Route, Seq, Snapshot,
        Stream,
    },
};
use store::{KeyPlace, Keys, OpenError, Store};

use crate::common::{append, arrival, config, owned, session, texts};

/// Run by hand with the program that wrote the format: `STORE_TEST_WRITE=tests/stores/1`.
#[tokio::test]
#[ignore = "writes a store to keep"]
async fn a_store_of_this_format_is_written() {
    let target = std::path::PathBuf::from(std::env::var("STORE_TEST_WRITE").unwrap());
    let home = tempfile::tempdir().unwrap();
    let keys = Keys::create(&home.path().join("hall.key"), KeyPlace::Anywhere).unwrap();
    let config = store::StoreConfig { reserve_bytes: 0, ..config(home.path()) };
    let store = Store::open(config, keys).unwrap();
    fill(&store).await;
    store.close().unwrap();
    fs::remove_file(home.path().join("data/wal")).unwrap();
    pack(home.path(), &target);
}

async fn fill(store: &Store) {
    let bot = BotId(1);
    let ends = |update, route| Arrival { update: UpdateId(update), route, at: Timestamp(2_000) };
    let odd = Bytes::from_static(b"{odd");
    let batch = vec![
        arrival(11, 1, "first of 11"),
        arrival(11, 2, "second of 11"),
        arrival(12, 3, "first of 12"),
        arrival(-5, 4, "in a group"),
        ends(5, Route::Dropped(DropReason::Stranger)),
        ends(6, Route::Quarantined { raw: odd }),
    ];
    store.journal(bot, batch).await.unwrap();
    store.append(append(11, 0, r#"["a"]"#, &[1])).await.unwrap();
    store.append(append(11, 1, r#"["b"]"#, &[])).await.unwrap();
    let state = owned(11, r#"{"folded":"a"}"#);
    let stream = Stream::Session(session(11));
    store.snapshot(Snapshot { stream, at: Seq(1), state }).await.unwrap();
    store.append(append(12, 0, r#"["c"]"#, &[3])).await.unwrap();
    let state = owned(12, r#"{"folded":"c"}"#);
    let stream = Stream::Session(session(12));
    store.snapshot(Snapshot { stream, at: Seq(1), state }).await.unwrap();
    let events = vec![Owned::halls(r#"{"change":"allowed"}"#)];
    let hall = Append { stream: Stream::Hall, expected: Seq(0), events, closes: vec![] };
    store.append(hall).await.unwrap();
    let (session, update, part) = (session(11), UpdateId(2), 0);
    store.accepted(Accepted { session, update, part, message: MessageId(77) });
}

fn pack(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_owned();
        if path.is_dir() {
            pack(&path, &to.join(name));
            continue;
        }
        let mut packed = Vec::new();
        let bytes = fs::File::open(&path).unwrap();
        flate2::read::GzEncoder::new(bytes, flate2::Compression::best())
            .read_to_end(&mut packed)
            .unwrap();
        fs::write(to.join(format!("{}.gz", name.display())), packed).unwrap();
    }
}

fn unpack(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_owned();
        if path.is_dir() {
            unpack(&path, &to.join(name));
            continue;
        }
        let target = to.join(path.file_stem().unwrap());
        let mut out = fs::File::create(&target).unwrap();
        std::io::copy(&mut flate2::read::GzDecoder::new(fs::File::open(&path).unwrap()), &mut out)
            .unwrap();
        fs::set_permissions(&target, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
}

fn open_at(home: &Path) -> Result<Store, OpenError> {
    let keys = Keys::open(&home.join("hall.key"), KeyPlace::OutsideOf(&home.join("data"))).unwrap();
    Store::open(config(home), keys)
}

/// What [`fill`] wrote.
async fn is_whole(store: &Store) {
    let loaded = |chat| store.load(Stream::Session(session(chat)));
    let eleven = loaded(11).await.unwrap();
    assert_eq!(texts(&eleven.snapshot.unwrap()), [r#"{"folded":"a"}"#]);
    assert_eq!((texts(&eleven.events), eleven.at), (vec![Bytes::from(r#"["b"]"#)], Seq(2)));
    assert_eq!(eleven.waiting.len(), 1);
    assert_eq!(
        (&eleven.waiting[0].raw[..], eleven.waiting[0].update),
        (&b"second of 11"[..], UpdateId(2))
    );
    assert_eq!(eleven.accepted[0].message, MessageId(77));
    let twelve = loaded(12).await.unwrap();
    assert_eq!(texts(&twelve.snapshot.unwrap()), [r#"{"folded":"c"}"#]);
    assert_eq!((twelve.events.len(), twelve.at, twelve.waiting.len()), (0, Seq(1), 0));
    assert_eq!(&loaded(-5).await.unwrap().waiting[0].raw[..], b"in a group");
    let hall = store.load(Stream::Hall).await.unwrap();
    assert_eq!(texts(&hall.events), [r#"{"change":"allowed"}"#]);
    assert_eq!(&store.quarantined(9).await.unwrap()[0].raw[..], b"{odd");
    let all: Vec<Arrival> = (1..=6).map(|it| arrival(13, it, "again")).collect();
    let known = store.journal(BotId(1), all).await.unwrap();
    assert_eq!(known, [Receipt::Known; 6]);
}

fn stores() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores");
    let mut stores: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    stores.sort();
    assert!(!stores.is_empty());
    stores
}

#[tokio::test]
async fn a_store_of_every_format_reads_as_it_was_written_and_goes_on() {
    for format in stores() {
        let home = tempfile::tempdir().unwrap();
        unpack(&format, home.path());
        let store = open_at(home.path()).unwrap();
        is_whole(&store).await;
        store.append(append(11, 2, r#"["new"]"#, &[2])).await.unwrap();
        store.close().unwrap();
        let store = open_at(home.path()).unwrap();
        let loaded = store.load(Stream::Session(session(11))).await.unwrap();
        assert_eq!(texts(&loaded.events), [r#"["b"]"#, r#"["new"]"#], "{}", format.display());
        assert!(loaded.waiting.is_empty());
        let held = store.held(PersonId(11), None).await.unwrap().held;
        let updates = held.iter().filter(|it| matches!(it, Held::Update { .. }));
        assert_eq!(updates.count(), 2, "what was written before people had keys is theirs, too");
        is_forgotten(store, home.path()).await;
    }
}

async fn is_forgotten(store: Store, home: &Path) {
    let receipt = store.forget(PersonId(11), Timestamp(5), None).await.unwrap();
    assert!(receipt.is_some(), "there was something to forget");
    let mut store = store;
    for _ in 0..2 {
        let eleven = store.load(Stream::Session(session(11))).await.unwrap();
        assert_eq!((texts(&eleven.snapshot.unwrap()), eleven.at), (vec![], Seq(3)));
        assert!(eleven.events.is_empty() && eleven.waiting.is_empty());
        assert!(store.held(PersonId(11), None).await.unwrap().held.is_empty());
        let twelve = store.load(Stream::Session(session(12))).await.unwrap();
        assert_eq!(texts(&twelve.snapshot.unwrap()), [r#"{"folded":"c"}"#], "others are whole");
        let open = store.open_sessions().await.unwrap();
        assert_eq!(open, [session(-5)]);
        store.close().unwrap();
        store = open_at(home).unwrap();
    }
    store.close().unwrap();
}
