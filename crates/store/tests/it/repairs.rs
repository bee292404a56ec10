//! Whatever becomes of one file, everything acknowledged comes back, by a way that is said.

use std::{fs, path::PathBuf};

use protocol::{
    Timestamp,
    ledger::{Ledger, Stream},
    shelf::Shelf as _,
};
use store::{
    EngineKind, OpenError, Store, StoreConfig,
    backup::{RepairError, Repaired, Sources, repair},
};

use crate::{
    backups::{back_up, shelf, text, turn, turns},
    common::{Home, Random, append, config, session},
};

for_each_engine!(
    a_database_that_does_not_open_is_built_anew_from_the_log_alone,
    a_database_that_does_not_open_is_built_anew_from_a_backup_and_the_log,
    a_newest_backup_that_is_damaged_is_replaced_by_an_older_one_and_the_log,
    what_is_nowhere_is_said_and_given_up_only_when_the_operator_says_so,
    one_damaged_file_never_changes_a_text_and_everything_comes_back,
);

fn mend(home: &Home, accept_loss: bool) -> Result<Repaired, RepairError> {
    let place = shelf(home);
    let sources = Sources { shelf: Some(&place), accept_loss };
    repair(&config(home.root.path()), home.keys(), sources, Timestamp(77))
}

/// Makes the database unreadable, as torn pages would.
fn ruin(home: &Home) {
    let file = home.engine_file();
    let length = fs::metadata(&file).unwrap().len() as usize;
    let mut bytes = fs::read(&file).unwrap();
    bytes[..length / 2].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    for entry in fs::read_dir(home.engine()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("snap.") {
            fs::remove_file(path).unwrap();
        }
    }
    let refused = home.open().err().unwrap();
    let named = matches!(refused, OpenError::Damaged { .. } | OpenError::LostEnd { .. });
    assert!(named && refused.to_string().contains("guildhall store repair"), "{refused:?}");
}

async fn filled(store: &Store, from: u64, to: u64) {
    for seq in from..to {
        turn(store, 1, seq).await;
        turn(store, 2, seq).await;
    }
}

async fn is_whole(home: &Home, expected: u64) {
    let store = home.open().unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!((turns(&store, 1).await, turns(&store, 2).await), (expected, expected));
    store.verify().unwrap();
    turn(&store, 1, expected).await;
    store.close().unwrap();
    let store = home.open().unwrap();
    assert_eq!(turns(&store, 1).await, expected + 1);
    store.close().unwrap();
}

async fn a_database_that_does_not_open_is_built_anew_from_the_log_alone(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    filled(&store, 0, 300).await;
    // Not closed: as after a kill.
    let home = {
        let copied = home.copied();
        store.close().unwrap();
        copied
    };
    ruin(&home);
    let done = mend(&home, false).unwrap();
    assert_eq!((done.backup, done.aside.exists()), (None, true), "the broken one is set aside");
    assert!(done.acknowledged <= done.rows);
    is_whole(&home, 300).await;
}

async fn a_database_that_does_not_open_is_built_anew_from_a_backup_and_the_log(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    filled(&store, 0, 300).await;
    back_up(&store, &home, 0);
    filled(&store, 300, 900).await;
    let backup = back_up(&store, &home, 1);
    filled(&store, 900, 1_000).await;
    store.close().unwrap();
    let segments = fs::read_dir(home.data().join("segments")).unwrap().count();
    assert!(segments <= 4, "the log alone does not go back to the beginning");
    ruin(&home);
    let done = mend(&home, false).unwrap();
    assert_eq!(done.backup, Some(backup.name));
    assert!(0 < done.batches, "{done:?}");
    is_whole(&home, 1_000).await;
    // Backups go on from where they were.
    let store = home.open().unwrap();
    assert_eq!(back_up(&store, &home, 2).pairs, 0);
    store.close().unwrap();
}

async fn a_newest_backup_that_is_damaged_is_replaced_by_an_older_one_and_the_log(
    engine: EngineKind,
) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    filled(&store, 0, 300).await;
    let older = back_up(&store, &home, 0);
    // The segments that it holds go.
    filled(&store, 300, 600).await;
    store.close().unwrap();
    // In one segment from here on, so that none goes when the newer backup holds it.
    let large = StoreConfig { segment_bytes: 16 << 20, ..config(home.root.path()) };
    let store = Store::open(large, home.keys()).unwrap();
    filled(&store, 600, 900).await;
    let newer = back_up(&store, &home, 1);
    filled(&store, 900, 910).await;
    store.close().unwrap();
    let path = home.root.path().join("backups").join(newer.name);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(path, bytes).unwrap();
    ruin(&home);
    let done = mend(&home, false).unwrap();
    assert_eq!(done.backup, Some(older.name));
    is_whole(&home, 910).await;
}

async fn what_is_nowhere_is_said_and_given_up_only_when_the_operator_says_so(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    filled(&store, 0, 300).await;
    back_up(&store, &home, 0);
    filled(&store, 300, 400).await;
    store.close().unwrap();
    let whole = home.copied();
    for entry in fs::read_dir(home.data().join("segments")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    ruin(&home);
    let refused = mend(&home, false).err().unwrap();
    let RepairError::Loss { acknowledged, found } = refused else { panic!("{refused:?}") };
    assert!(found < acknowledged);
    assert!(home.open().is_err(), "nothing was changed");
    let done = mend(&home, true).unwrap();
    assert_eq!((done.rows, done.acknowledged), (found, acknowledged));
    is_whole(&home, 300).await;
    // Without the backup there is nothing to begin with.
    let home = whole;
    for it in shelf(&home).list().unwrap() {
        shelf(&home).remove(&it.name).unwrap();
    }
    let mut segments: Vec<_> = fs::read_dir(home.data().join("segments"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    segments.sort();
    fs::remove_file(&segments[0]).unwrap();
    ruin(&home);
    let refused = mend(&home, true).err().unwrap();
    assert!(matches!(refused, RepairError::NothingToBeginWith), "{refused:?}");
}

/// Every file of the ledger that holds something.
fn files(folder: &std::path::Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if 0 < fs::metadata(&path).unwrap().len() && !path.ends_with("reserve") {
            found.push(path);
        }
    }
    found.sort();
}

/// Flips a bit, cuts the end off, or zeroes a page.
fn damage(path: &std::path::Path, random: &mut Random) -> &'static str {
    let mut bytes = fs::read(path).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |at| at + 1) as u64;
    let at = random.below(used) as usize;
    let what = match random.below(3) {
        0 => {
            bytes[at] ^= 1 << random.below(8);
            "bit"
        }
        1 => {
            bytes.truncate(at);
            "cut"
        }
        _ => {
            let end = bytes.len().min((at | 4095) + 1);
            bytes[at & !4095..end].fill(0);
            "page"
        }
    };
    fs::write(path, bytes).unwrap();
    what
}

/// Whether everything is there; never anything else.
async fn look(home: &Home, expected: u64) -> Result<bool, OpenError> {
    let store = home.open()?;
    let mut whole = store.verify().is_ok();
    for chat in [1, 2] {
        match store.read_all(Stream::Session(session(chat))).await {
            Ok(all) => {
                let texts: Vec<_> = (0..expected).map(|seq| text(chat, seq)).collect();
                assert_eq!(crate::common::texts(&all.concat()), texts, "a text has changed");
            }
            Err(_) => whole = false,
        }
    }
    if whole {
        whole = store.append(append(3, 0, "goes on", &[])).await.is_ok();
    }
    Ok(store.close().is_ok() && whole)
}

async fn one_damaged_file_never_changes_a_text_and_everything_comes_back(engine: EngineKind) {
    let mut random = Random::seeded();
    let home = Home::of(engine);
    let store = home.open().unwrap();
    filled(&store, 0, 40).await;
    back_up(&store, &home, 0);
    filled(&store, 40, 80).await;
    store.close().unwrap();
    let runs = std::env::var("STORE_TEST_DAMAGES").map_or(200, |runs| runs.parse().unwrap());
    let mut outcomes = std::collections::BTreeMap::<_, usize>::new();
    for run in 0..runs {
        let harmed = home.copied();
        let mut found = Vec::new();
        files(&harmed.data(), &mut found);
        // Half of them where the records are.
        let path = match run % 2 {
            0 => harmed.engine_file(),
            _ => found[random.below(found.len() as u64) as usize].clone(),
        };
        let what = damage(&path, &mut random);
        let outcome = match look(&harmed, 80).await {
            Ok(true) => "unharmed",
            found => {
                let outcome = if found.is_err() { "refused" } else { "records refused" };
                let done = mend(&harmed, false);
                let done =
                    done.unwrap_or_else(|error| panic!("{what} {}: {error:?}", path.display()));
                assert!(done.aside.exists() || !path.exists());
                let is_whole = look(&harmed, 80).await.unwrap();
                assert!(is_whole, "{what} {}", path.display());
                outcome
            }
        };
        *outcomes.entry((outcome, what)).or_default() += 1;
    }
    println!("{engine}: {outcomes:?}");
}
