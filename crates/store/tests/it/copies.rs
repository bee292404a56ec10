//! Keys and backups together: a backup holds no key, so who is forgotten stays forgotten in it, and a
//! change of the master key leaves it as it is.

use std::fs;

use protocol::{
    BotId, PersonId, Timestamp,
    ledger::{Append, Ledger, Owned, Seq, Stream},
};
use store::{
    EngineKind, KeyPlace, KeyringError, OpenError,
    backup::{BackupKeys, Kind, RestoreError, Sources, drill, points, repair, restore, verify},
    rotate,
};

use crate::{
    backups::{back_up, new_machine, put_back, shelf},
    common::{Home, config, copy},
    erasing::{read, talk, whole},
};

for_each_engine!(
    a_backup_made_before_opens_nothing_of_a_forgotten_person_and_everything_of_others,
    a_ledger_that_is_built_anew_opens_nothing_of_a_forgotten_person,
    a_backup_outlives_changes_of_the_master_key_and_its_chain_goes_on,
);

fn keyring_of(home: &Home) -> std::path::PathBuf {
    home.root.path().join("data.keyring")
}

async fn a_backup_made_before_opens_nothing_of_a_forgotten_person_and_everything_of_others(
    engine: EngineKind,
) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    for chat in 1..=3 {
        talk(&store, chat).await;
    }
    back_up(&store, &home, 0);
    let receipt = store.forget(PersonId(2), Timestamp(5), Some(BotId(1))).await.unwrap();
    assert!(receipt.is_some());
    // The hall goes on meanwhile, and new people get keys.
    talk(&store, 4).await;
    let (folder, before) = (home.root.path().join("drill"), fs::read(keyring_of(&home)).unwrap());
    let beside = store::StoreConfig { folder, ..config(home.root.path()) };
    let (_, verified) = drill(&shelf(&home), home.keys(), &beside, None).unwrap();
    assert!(9 <= verified.records, "what is left of the forgotten is no damage: {verified:?}");
    assert_eq!(fs::read(keyring_of(&home)).unwrap(), before, "a drill changes no key");
    talk(&store, 5).await;
    store.close().unwrap();
    let machine = new_machine(&home);
    put_back(&home, &machine, None).unwrap();
    let store = machine.open().unwrap();
    store.verify().unwrap();
    assert_eq!(read(&store, 2).await, [""; 0]);
    for other in [1, 3] {
        assert_eq!(read(&store, other).await, whole(other));
    }
    assert!(!store.open_sessions().await.unwrap().contains(&crate::common::session(2)));
    assert_eq!(store.untold_receipts().await.unwrap().len(), 1, "and they can still be told");
    store.close().unwrap();
}

async fn a_ledger_that_is_built_anew_opens_nothing_of_a_forgotten_person(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    talk(&store, 1).await;
    talk(&store, 2).await;
    back_up(&store, &home, 0);
    store.forget(PersonId(2), Timestamp(5), None).await.unwrap().unwrap();
    talk(&store, 3).await;
    store.close().unwrap();
    fs::remove_dir_all(home.engine()).unwrap();
    fs::create_dir(home.engine()).unwrap();
    let place = shelf(&home);
    for it in [None, Some(&place as &dyn protocol::shelf::Shelf)] {
        let again = home.copied();
        let sources = Sources { shelf: it, accept_loss: false };
        let root = again.root.path();
        repair(&config(root), again.keys(), sources, Timestamp(9)).unwrap();
        let store = again.open().unwrap();
        assert_eq!(read(&store, 2).await, [""; 0]);
        for other in [1, 3] {
            assert_eq!(read(&store, other).await, whole(other));
        }
        store.close().unwrap();
    }
}

async fn a_backup_outlives_changes_of_the_master_key_and_its_chain_goes_on(engine: EngineKind) {
    let home = Home::of(engine);
    let key = home.root.path().join("hall.key");
    let store = home.open().unwrap();
    talk(&store, 1).await;
    let full = back_up(&store, &home, 0);
    // Changed while one is made.
    for chat in 10..200 {
        talk(&store, chat).await;
    }
    let (beside, root) = (store.clone(), home.root.path().to_owned());
    let making = tokio::task::spawn_blocking(move || {
        crate::backups::back_up_in(&beside, &root, 1, crate::backups::weekly())
    });
    rotate(&store, &key, KeyPlace::Anywhere).await.unwrap();
    let more = making.await.unwrap();
    talk(&store, 2).await;
    rotate(&store, &key, KeyPlace::Anywhere).await.unwrap();
    let last = back_up(&store, &home, 2);
    assert_eq!(
        [full.kind, more.kind, last.kind],
        [Some(Kind::Full), Some(Kind::More), Some(Kind::More)]
    );
    store.close().unwrap();
    let keys = BackupKeys::open(&keyring_of(&home), &home.keys()).unwrap();
    assert_eq!(verify(&shelf(&home), &keys, &points(&shelf(&home)).unwrap()[2]).unwrap().len(), 3);
    for (name, people) in [(&full.name, vec![1]), (&last.name, vec![1, 2, 10, 199])] {
        let machine = new_machine(&home);
        put_back(&home, &machine, Some(name)).unwrap();
        let store = machine.open().unwrap();
        for person in people {
            assert_eq!(read(&store, person).await, whole(person));
        }
        store.close().unwrap();
    }
}

#[tokio::test]
async fn a_restore_without_its_keyring_or_with_an_older_one_says_so_in_words() {
    let home = Home::new();
    let store = home.open().unwrap();
    talk(&store, 1).await;
    let first = fs::read(keyring_of(&home)).unwrap();
    talk(&store, 2).await;
    let second = fs::read(keyring_of(&home)).unwrap();
    store.forget(PersonId(2), Timestamp(5), None).await.unwrap().unwrap();
    back_up(&store, &home, 0);
    store.close().unwrap();
    // What is in memory at a row is in the next backup.
    let store = home.open().unwrap();
    let change = Append {
        stream: Stream::Hall,
        expected: Seq(0),
        events: vec![Owned::halls("a change")],
        closes: vec![],
    };
    store.append(change).await.unwrap();
    back_up(&store, &home, 1);
    store.close().unwrap();
    let machine = new_machine(&home);
    fs::remove_file(keyring_of(&machine)).unwrap();
    let refused = put_back(&home, &machine, None).err().unwrap();
    assert!(matches!(refused, RestoreError::Keyring(KeyringError::Missing { .. })), "{refused:?}");
    assert!(!machine.data().exists(), "nothing was touched");
    for older in [&first, &second] {
        let machine = new_machine(&home);
        let newest = fs::read(keyring_of(&machine)).unwrap();
        fs::write(keyring_of(&machine), older).unwrap();
        let refused = put_back(&home, &machine, None).err().unwrap();
        assert!(refused.to_string().contains("is older than the data folder"), "{refused:?}");
        assert!(matches!(refused, RestoreError::Open(OpenError::Keyring(_))));
        // With the newest one the same folder opens.
        fs::write(keyring_of(&machine), newest).unwrap();
        let store = machine.open().unwrap();
        assert_eq!(read(&store, 1).await, whole(1));
        assert_eq!(read(&store, 2).await, [""; 0]);
        store.close().unwrap();
    }
    // Keys of people who came behind the last checkpoint: the log says that they are missing.
    let late = home.root.path().join("late");
    let store = home.open().unwrap();
    let older = fs::read(keyring_of(&home)).unwrap();
    talk(&store, 7).await;
    copy(&home.data(), &late);
    store.close().unwrap();
    let machine = Home::new();
    copy(&late, &machine.data());
    fs::copy(home.root.path().join("hall.key"), machine.root.path().join("hall.key")).unwrap();
    fs::copy(keyring_of(&home), keyring_of(&machine)).unwrap();
    fs::write(keyring_of(&machine), older).unwrap();
    let refused = machine.open().err().unwrap();
    assert!(refused.to_string().contains("is older than the data folder"), "{refused:?}");
}

#[tokio::test]
async fn another_hall_s_keyring_opens_no_backup_even_under_the_same_master_key() {
    let home = Home::new();
    let store = home.open().unwrap();
    talk(&store, 1).await;
    back_up(&store, &home, 0);
    store.close().unwrap();
    let machine = Home::new();
    fs::copy(home.root.path().join("hall.key"), machine.root.path().join("hall.key")).unwrap();
    machine.open().unwrap().close().unwrap();
    fs::remove_dir_all(machine.data()).unwrap();
    let refused = restore(&shelf(&home), machine.keys(), &config(machine.root.path()), None);
    let refused = refused.err().unwrap();
    let source = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(source, store::backup::ArchiveError::WrongKey.to_string());
    assert!(!machine.data().exists());
}
