//! A backup gives back a state that was, and is never taken for something else.

use std::{
    fs, io,
    io::{Read, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use protocol::{
    Timestamp,
    ledger::{Ledger, Stream},
    shelf::{Draft, Shelf, Shelved},
};
use store::{
    EngineKind, OpenError, Store,
    backup::{
        BackupKeys, BackupReport, BackupRules, FolderShelf, Keep, Kind, RestoreError, drill,
        points, restore, verify,
    },
};

use crate::common::{Home, append, arrival, config, session, texts};

for_each_engine!(
    backup_1_a_backup_made_under_load_restores_a_prefix_of_the_log,
    a_restore_that_was_cut_short_goes_on_and_nothing_else_opens_meanwhile,
    backup_2_segments_go_only_when_a_backup_holds_them,
);

pub(crate) const DAY: Duration = Duration::from_hours(24);

pub(crate) fn shelf(home: &Home) -> FolderShelf {
    FolderShelf::new(home.root.path().join("backups"))
}

pub(crate) fn back_up(store: &Store, home: &Home, day: u64) -> BackupReport {
    back_up_in(store, home.root.path(), day, weekly())
}

pub(crate) fn weekly() -> BackupRules {
    BackupRules { full_every: 7 * DAY, keep: Keep { last: 100, daily: 0, weekly: 0 } }
}

pub(crate) fn back_up_in(store: &Store, root: &Path, day: u64, rules: BackupRules) -> BackupReport {
    let shelf = FolderShelf::new(root.join("backups"));
    let now = Timestamp(day * 86_400_000);
    let made = store.backup(&shelf, rules, now, &AtomicBool::new(false));
    made.unwrap_or_else(|error| panic!("{error:?}"))
}

/// A machine with the key and the keyring, as they are now, and nothing else.
pub(crate) fn new_machine(home: &Home) -> Home {
    let other = Home::of(config(home.root.path()).engine);
    for it in ["hall.key", "data.keyring"] {
        fs::copy(home.root.path().join(it), other.root.path().join(it)).unwrap();
    }
    other
}

fn backup_keys(home: &Home) -> BackupKeys {
    BackupKeys::open(&config(home.root.path()).keyring, &home.keys()).unwrap()
}

pub(crate) fn put_back(home: &Home, to: &Home, name: Option<&str>) -> Result<u64, RestoreError> {
    let restored = restore(&shelf(home), to.keys(), &config(to.root.path()), name)?;
    println!("{restored:?}");
    Ok(restored.rows)
}

pub(crate) fn text(chat: i64, seq: u64) -> String {
    format!("chat {chat} event {seq} {}", "x".repeat(300))
}

/// One turn: an update comes and is answered.
pub(crate) async fn turn(store: &Store, chat: i64, seq: u64) {
    let update = seq as i64 * 10 + chat;
    let batch = vec![arrival(chat, update, text(chat, seq))];
    store.journal(session(chat).bot, batch).await.unwrap();
    store.append(append(chat, seq, text(chat, seq), &[update])).await.unwrap();
}

/// How many turns of a chat there are, each whole.
pub(crate) async fn turns(store: &Store, chat: i64) -> u64 {
    let all = store.read_all(Stream::Session(session(chat))).await.unwrap();
    let expected: Vec<_> = (0..all.len() as u64).map(|seq| text(chat, seq)).collect();
    assert_eq!(texts(&all.concat()), expected);
    let waiting = store.waiting(session(chat), 0).await.unwrap();
    assert!(waiting.iter().all(|it| it.update.0 == all.len() as i64 * 10 + chat));
    all.len() as u64
}

async fn backup_1_a_backup_made_under_load_restores_a_prefix_of_the_log(engine: EngineKind) {
    const CHATS: usize = 4;
    let home = Home::of(engine);
    let store = home.open().unwrap();
    for chat in 0..CHATS as i64 {
        for seq in 0..100 {
            turn(&store, chat, seq).await;
        }
    }
    let done: [AtomicU64; CHATS] = std::array::from_fn(|_| AtomicU64::new(100));
    let read = || done.each_ref().map(|it| it.load(Ordering::SeqCst));
    let stop = AtomicBool::new(false);
    let work = |chat: usize| {
        let (store, done, stop) = (&store, &done[chat], &stop);
        async move {
            while !stop.load(Ordering::SeqCst) {
                turn(store, chat as i64, done.fetch_add(0, Ordering::SeqCst)).await;
                done.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let mut made = Vec::new();
    tokio::task::LocalSet::new()
        .run_until(async {
            let backups = async {
                for day in 0..4 {
                    let before = read();
                    // The chats go on meanwhile.
                    let (store, root) = (store.clone(), home.root.path().to_owned());
                    let job = move || back_up_in(&store, &root, day, weekly());
                    let report = tokio::task::spawn_blocking(job).await.unwrap();
                    made.push((before, report));
                    // A chat's second write from here on began after the backup was made.
                    let since = read();
                    while read().iter().zip(&since).all(|(now, then)| *now < then + 2) {
                        tokio::task::yield_now().await;
                    }
                }
                stop.store(true, Ordering::SeqCst);
            };
            tokio::join!(backups, work(0), work(1), work(2), work(3));
        })
        .await;
    let kinds: Vec<_> = made.iter().map(|(_, report)| report.kind).collect();
    assert_eq!(kinds, [Some(Kind::Full), Some(Kind::More), Some(Kind::More), Some(Kind::More)]);
    let after = read();
    for (before, report) in &made {
        let machine = new_machine(&home);
        put_back(&home, &machine, Some(&report.name)).unwrap();
        let restored = machine.open().unwrap();
        for (chat, before) in before.iter().enumerate() {
            let found = turns(&restored, chat as i64).await;
            assert!((*before..=after[chat]).contains(&found), "{before} {found} {after:?}");
        }
        restored.verify().unwrap();
        // It takes on from there.
        let next = turns(&restored, 0).await;
        turn(&restored, 0, next).await;
    }
    store.close().unwrap();
}

/// A shelf that takes nothing before two more records were written: it is asked once it is settled
/// what the backup begins with.
struct Patient {
    shelf: FolderShelf,
    done: Arc<AtomicU64>,
}

impl Shelf for Patient {
    fn place(&self) -> String {
        self.shelf.place()
    }

    fn list(&self) -> io::Result<Vec<Shelved>> {
        self.shelf.list()
    }

    fn draft(&self, name: &str) -> io::Result<Box<dyn Draft>> {
        let before = self.done.load(Ordering::SeqCst);
        while self.done.load(Ordering::SeqCst) < before + 2 {
            std::thread::yield_now();
        }
        self.shelf.draft(name)
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        self.shelf.read(name)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.shelf.remove(name)
    }
}

#[tokio::test]
async fn a_backup_while_others_write_holds_what_came_meanwhile() {
    let home = Home::new();
    let store = home.open().unwrap();
    for seq in 0..2_000 {
        store.append(append(0, seq, text(0, seq), &[])).await.unwrap();
    }
    let (stop, done) = (AtomicBool::new(false), Arc::new(AtomicU64::new(0)));
    let writing = async {
        let mut seq = 0;
        while !stop.load(Ordering::SeqCst) {
            store.append(append(1, seq, text(1, seq), &[])).await.unwrap();
            seq += 1;
            done.store(seq, Ordering::SeqCst);
        }
    };
    let backing_up = async {
        let store = store.clone();
        let shelf = Patient { shelf: shelf(&home), done: Arc::clone(&done) };
        let job =
            move || store.backup(&shelf, weekly(), Timestamp(0), &AtomicBool::new(false)).unwrap();
        let report = tokio::task::spawn_blocking(job).await.unwrap();
        stop.store(true, Ordering::SeqCst);
        report
    };
    let ((), report) = tokio::join!(writing, backing_up);
    assert!(0 < report.batches, "the writer went on meanwhile: {report:?}");
    let machine = new_machine(&home);
    put_back(&home, &machine, None).unwrap();
    let restored = machine.open().unwrap();
    let found = restored.read_all(Stream::Session(session(1))).await.unwrap().len() as u64;
    assert!(0 < found && found <= done.load(Ordering::SeqCst) + 1, "{found}");
    assert_eq!(restored.read_all(Stream::Session(session(0))).await.unwrap().len(), 2_000);
}

async fn used(engine: EngineKind) -> (Home, Store) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    for seq in 0..100 {
        turn(&store, 1, seq).await;
    }
    (home, store)
}

#[tokio::test]
async fn another_key_and_a_folder_that_is_in_use_are_refused_in_words() {
    let (home, store) = used(EngineKind::Sled).await;
    back_up(&store, &home, 0);
    let stranger = Home::new();
    stranger.open().unwrap().close().unwrap();
    fs::remove_dir_all(stranger.data()).unwrap();
    let refused = put_back(&home, &stranger, None).err().unwrap();
    let words = format!("{refused}: {}", std::error::Error::source(&refused).unwrap());
    assert!(words.ends_with("put that keyring and its master key in place"), "{words}");
    assert!(!stranger.data().exists(), "nothing was touched");
    let refused = put_back(&home, &home, None).err().unwrap();
    assert!(matches!(refused, RestoreError::Open(OpenError::Locked)));
    store.close().unwrap();
    let refused = put_back(&home, &home, None).err().unwrap();
    assert!(refused.to_string().contains("is not empty"), "{refused}");
    let empty = new_machine(&home);
    let refused = put_back(&empty, &empty, None).err().unwrap();
    assert!(refused.to_string().starts_with("there is no whole backup in the folder"));
}

#[tokio::test]
async fn no_key_and_no_text_is_in_a_backup() {
    let (home, store) = used(EngineKind::Sled).await;
    back_up(&store, &home, 0);
    for seq in 100..110 {
        turn(&store, 1, seq).await;
    }
    back_up(&store, &home, 1);
    let key = fs::read_to_string(home.root.path().join("hall.key")).unwrap();
    let digits = key.trim();
    let raw: Vec<u8> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect();
    let mut needles = vec![digits.as_bytes().to_vec(), raw.clone(), b"chat 1 event".to_vec()];
    // Its header names it, and the ledger knows that name; behind it nothing but keys is there.
    let keyring = fs::read(home.root.path().join("data.keyring")).unwrap();
    needles.extend(keyring[64..].chunks_exact(24).map(<[u8]>::to_vec));
    for label in ["backup seal", "ledger seal", "ledger stream names"] {
        needles.push(home.keys().derive(label).to_vec());
    }
    let mut searched = 0;
    for entry in fs::read_dir(home.root.path().join("backups")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        searched += bytes.len();
        for needle in &needles {
            let found = bytes.windows(needle.len()).any(|window| window == needle.as_slice());
            assert!(!found, "{:?}", String::from_utf8_lossy(needle));
        }
    }
    assert!(20_000 < searched, "there was something to search");
}

#[tokio::test]
async fn a_backup_that_was_changed_is_refused_by_verify_and_by_restore() {
    let (home, store) = used(EngineKind::Sled).await;
    back_up(&store, &home, 0);
    turn(&store, 1, 100).await;
    let second = back_up(&store, &home, 1);
    let (place, keys) = (shelf(&home), backup_keys(&home));
    let point = points(&place).unwrap().pop().unwrap();
    assert_eq!((point.name.as_str(), point.files.len()), (second.name.as_str(), 2));
    let checked = verify(&place, &keys, &point).unwrap();
    assert_eq!(checked.iter().map(|it| it.kind).collect::<Vec<_>>(), [Kind::Full, Kind::More]);
    let path = home.root.path().join("backups").join(&second.name);
    let whole = fs::read(&path).unwrap();
    for at in [3, 20, 60, whole.len() / 2, whole.len() - 1] {
        let mut wrong = whole.clone();
        wrong[at] ^= 1;
        fs::write(&path, wrong).unwrap();
        assert!(verify(&place, &keys, &point).is_err(), "byte {at}");
        let machine = new_machine(&home);
        assert!(put_back(&home, &machine, None).is_err(), "byte {at}");
        let untouched = !machine.data().exists();
        assert!(untouched || matches!(machine.open(), Err(OpenError::Unfinished)), "byte {at}");
    }
    fs::write(&path, &whole[..whole.len() - 30]).unwrap();
    assert!(verify(&place, &keys, &point).is_err(), "cut short");
    // One full backup in the place of another's increment.
    fs::copy(home.root.path().join("backups").join(&point.files[0]), &path).unwrap();
    assert!(verify(&place, &keys, &point).is_err(), "renamed");
    fs::write(&path, &whole).unwrap();
    verify(&place, &keys, &point).unwrap();
}

/// A shelf whose reads end with an error after so many bytes.
struct Failing {
    inner: FolderShelf,
    left: AtomicU64,
}

struct FailingRead<'a>(Box<dyn Read + Send>, &'a AtomicU64);

impl Read for FailingRead<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(bytes)?;
        let left = self.1.load(Ordering::SeqCst);
        self.1.store(left.saturating_sub(read as u64), Ordering::SeqCst);
        if left < read as u64 { Err(io::Error::other("the line is dead")) } else { Ok(read) }
    }
}

impl Shelf for Failing {
    fn place(&self) -> String {
        self.inner.place()
    }
    fn list(&self) -> io::Result<Vec<Shelved>> {
        self.inner.list()
    }
    fn draft(&self, name: &str) -> io::Result<Box<dyn Draft>> {
        self.inner.draft(name)
    }
    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let mut bytes = Vec::new();
        let read = FailingRead(self.inner.read(name)?, &self.left).read_to_end(&mut bytes);
        // What came before the error is handed on first.
        let rest = read.err().map(Err::<Vec<u8>, _>);
        Ok(Box::new(io::Cursor::new(bytes).chain(Ending(rest))))
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }
}

struct Ending(Option<io::Result<Vec<u8>>>);

impl Read for Ending {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), |it| it.map(|_| 0))
    }
}

async fn a_restore_that_was_cut_short_goes_on_and_nothing_else_opens_meanwhile(engine: EngineKind) {
    let (home, store) = used(engine).await;
    let mut names = Vec::new();
    for day in 0..4 {
        for seq in 0..20 {
            turn(&store, 1, 100 + day * 20 + seq).await;
        }
        names.push(back_up(&store, &home, day).name);
    }
    store.close().unwrap();
    let total = points(&shelf(&home)).unwrap().pop().unwrap().bytes;
    let machine = new_machine(&home);
    let mut cuts = 0;
    // Each try reads somewhat further than the heads that are looked at first.
    for step in 1.. {
        let left = AtomicU64::new(total + step * total / 4);
        let failing = Failing { inner: shelf(&home), left };
        match restore(&failing, machine.keys(), &config(machine.root.path()), None) {
            Ok(_) => break,
            Err(error) => {
                cuts += 1;
                println!("{error:?}");
                let refused = machine.open().err().unwrap();
                assert!(refused.to_string().contains("run the same `guildhall backup restore`"));
                let other = put_back(&home, &machine, Some(&names[0])).err().unwrap();
                assert!(matches!(other, RestoreError::UnderWay { .. }), "{other:?}");
            }
        }
    }
    assert!(2 < cuts, "it was cut short some times");
    let store = machine.open().unwrap();
    assert_eq!(turns(&store, 1).await, 180);
}

async fn backup_2_segments_go_only_when_a_backup_holds_them(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    let segments = || fs::read_dir(home.data().join("segments")).unwrap().count();
    for seq in 0..3_000 {
        store.append(append(1, seq, text(1, seq), &[])).await.unwrap();
    }
    let before = segments();
    assert!(3 < before && 256 * 1024 < store.uncovered_bytes());
    back_up(&store, &home, 0);
    assert_eq!(store.uncovered_bytes(), 0);
    store.close().unwrap();
    let store = home.open().unwrap();
    for seq in 3_000..4_500 {
        store.append(append(1, seq, text(1, seq), &[])).await.unwrap();
    }
    assert!(segments() < before, "covered ones are used again");
    let report = back_up(&store, &home, 1);
    assert_eq!((report.kind, report.pairs), (Some(Kind::More), 0), "{report:?}");
    // The writer may have put down a checkpoint of its own behind the last record, but no second one.
    let mut newest = report.name;
    let mut again = back_up(&store, &home, 1);
    if let Some(kind) = again.kind {
        assert_eq!((kind, again.batches), (Kind::More, 1), "{again:?}");
        newest = std::mem::take(&mut again.name);
        again = back_up(&store, &home, 1);
    }
    assert_eq!((again.kind, again.name), (None, newest), "nothing was written since");
    // A chain is not gone on with when it is old, or a segment or a file of it is missing.
    store.append(append(1, 4_500, text(1, 4_500), &[])).await.unwrap();
    assert_eq!(back_up(&store, &home, 8).kind, Some(Kind::Full));
    store.append(append(1, 4_501, text(1, 4_501), &[])).await.unwrap();
    let last = points(&shelf(&home)).unwrap().pop().unwrap();
    shelf(&home).remove(&last.name).unwrap();
    assert_eq!(back_up(&store, &home, 9).kind, Some(Kind::Full));
    store.close().unwrap();
}

#[tokio::test]
async fn backups_are_kept_by_the_rule_and_the_rest_can_still_be_restored() {
    let (home, store) = used(EngineKind::Redb).await;
    let keep = Keep { last: 2, daily: 3, weekly: 0 };
    for day in 0..12 {
        turn(&store, 1, 100 + day).await;
        back_up_in(&store, home.root.path(), day, BackupRules { full_every: 3 * DAY, keep });
    }
    let left = points(&shelf(&home)).unwrap();
    // Days 9 to 11 are one chain.
    assert_eq!(left.iter().map(|it| it.made.0 / 86_400_000).collect::<Vec<_>>(), [9, 10, 11]);
    for (point, expected) in left.iter().zip([110, 111, 112]) {
        let machine = new_machine(&home);
        put_back(&home, &machine, Some(&point.name)).unwrap();
        assert_eq!(turns(&machine.open().unwrap(), 1).await, expected);
    }
    store.close().unwrap();
}

#[tokio::test]
async fn a_drill_opens_every_record_and_leaves_nothing_behind() {
    let (home, store) = used(EngineKind::Sled).await;
    back_up(&store, &home, 0);
    let folder = home.root.path().join("drill");
    let drilled = drill(
        &shelf(&home),
        home.keys(),
        &store::StoreConfig { folder: folder.clone(), ..config(home.root.path()) },
        None,
    );
    let (restored, verified) = drilled.unwrap();
    assert_eq!(restored.rows, verified.rows);
    assert_eq!(verified.records, 200);
    assert!(!folder.exists());
    store.close().unwrap();
}

#[tokio::test]
async fn what_a_killed_backup_left_is_no_backup() {
    let (home, store) = used(EngineKind::Sled).await;
    let place = shelf(&home);
    let mut draft = place.draft("0000000000005-00000000000000ab-00000-full.ghb").unwrap();
    draft.write_all(b"half").unwrap();
    std::mem::forget(draft);
    let left = |folder: &Path| fs::read_dir(folder).unwrap().count();
    assert_eq!(left(&home.root.path().join("backups")), 1);
    assert_eq!(points(&place).unwrap(), []);
    back_up(&store, &home, 0);
    assert_eq!(left(&home.root.path().join("backups")), 1, "it is gone");
    let stopped = store.backup(
        &place,
        BackupRules { full_every: Duration::ZERO, keep: Keep { last: 9, daily: 0, weekly: 0 } },
        Timestamp(9),
        &AtomicBool::new(true),
    );
    assert!(matches!(stopped, Err(store::backup::BackupError::Stopped)));
    assert_eq!(left(&home.root.path().join("backups")), 1, "what was broken off is not there");
}
