//! A ledger moves to another engine whole or not at all.

use std::fs;

use protocol::ledger::{Ledger, Stream};
use store::{
    EngineKind, OpenError,
    migrate::{MigrateError, migrate},
};

use crate::common::{Home, append, arrival, config, owned, session};

for_each_engine!(
    a_ledger_moves_to_the_other_engine_and_back_with_everything_in_it,
    a_move_that_was_cut_short_anywhere_is_finished_or_begun_anew,
    what_was_taken_away_gives_its_space_back_when_the_ledger_is_copied,
);

fn other(engine: EngineKind) -> EngineKind {
    match engine {
        EngineKind::Sled => EngineKind::Redb,
        EngineKind::Redb => EngineKind::Sled,
    }
}

async fn used(engine: EngineKind) -> Home {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    store.journal(session(1).bot, vec![arrival(1, 1, "raw")]).await.unwrap();
    for seq in 0..100 {
        let size = if seq % 10 == 0 { 20_000 } else { 200 };
        let text = format!("event {seq} {}", "x".repeat(size));
        store.append(append(1, seq, text, &[])).await.unwrap();
    }
    // Not closed: what the engine has not synced moves, too.
    let copied = home.copied();
    drop(store);
    copied
}

async fn is_whole(home: &Home) {
    let store = home.open().unwrap_or_else(|error| panic!("{error:?}"));
    let loaded = store.load(Stream::Session(session(1))).await.unwrap();
    assert_eq!((loaded.events.len(), loaded.waiting.len()), (100, 1));
    let verified = store.verify().unwrap();
    assert!(101 <= verified.records, "{verified:?}");
    store.close().unwrap();
}

async fn a_ledger_moves_to_the_other_engine_and_back_with_everything_in_it(engine: EngineKind) {
    let home = used(engine).await;
    for to in [other(engine), engine] {
        let done = migrate(&config(home.root.path()), to, to == engine).unwrap();
        assert_eq!((done.from, done.to), (other(to), to));
        let refused = home.open().err();
        assert!(matches!(refused, Some(OpenError::OtherEngine { .. })), "{refused:?}");
        home.set_engine(to);
        is_whole(&home).await;
        assert_eq!(home.data().join("engine.old").exists(), to == engine, "kept if asked to");
        assert!(!home.data().join("engine.new").exists());
    }
    let store = home.open().unwrap();
    let refused = migrate(&config(home.root.path()), engine, false);
    assert!(matches!(refused, Err(MigrateError::Open(OpenError::Locked))));
    drop(store);
    let empty = Home::of(engine);
    let refused = migrate(&config(empty.root.path()), engine, false);
    assert!(matches!(refused, Err(MigrateError::Nothing)));
}

/// The steps of the exchange, each as a state of the folder.
async fn a_move_that_was_cut_short_anywhere_is_finished_or_begun_anew(engine: EngineKind) {
    let done = used(engine).await;
    migrate(&config(done.root.path()), other(engine), true).unwrap();
    let (new, old) = (done.data().join("engine"), done.data().join("engine.old"));
    for step in ["half made", "noted", "old set aside", "both moved"] {
        let home = used(engine).await;
        let data = home.data();
        if step == "half made" {
            fs::create_dir_all(data.join("engine.new")).unwrap();
            fs::write(data.join("engine.new/db"), "half").unwrap();
            is_whole(&home).await;
            migrate(&config(home.root.path()), other(engine), false).unwrap();
        } else {
            fs::write(data.join("swap"), "engine.old").unwrap();
            fs::remove_dir_all(data.join("engine")).unwrap();
            let (engine_at, old_at) = match step {
                "noted" => ("engine.new", "engine"),
                "old set aside" => ("engine.new", "engine.old"),
                _ => ("engine", "engine.old"),
            };
            crate::common::copy(&new, &data.join(engine_at));
            crate::common::copy(&old, &data.join(old_at));
        }
        home.set_engine(other(engine));
        is_whole(&home).await;
        assert!(!data.join("swap").exists(), "{step}");
    }
}

async fn what_was_taken_away_gives_its_space_back_when_the_ledger_is_copied(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    let stream = Stream::Session(session(1));
    // One snapshot after the other: each replaces the one before.
    for round in 0..300_u64 {
        let state = owned(1, vec![b'x'; 60_000]);
        let at = protocol::ledger::Seq(round);
        store.snapshot(protocol::ledger::Snapshot { stream, at, state }).await.unwrap();
        store.append(append(1, round, "event", &[])).await.unwrap();
    }
    store.close().unwrap();
    let size = |home: &Home| {
        let sizes = fs::read_dir(home.engine()).unwrap().map(|it| it.unwrap().metadata().unwrap());
        sizes.map(|it| it.len()).sum::<u64>()
    };
    let before = size(&home);
    let done = migrate(&config(home.root.path()), engine, false).unwrap();
    let after = size(&home);
    println!("{engine}: {before} bytes before, {after} after; {done:?}");
    assert!(after <= before && after < 4 << 20, "{after}");
    let store = home.open().unwrap();
    assert_eq!(store.read_all(stream).await.unwrap().len(), 300);
}
