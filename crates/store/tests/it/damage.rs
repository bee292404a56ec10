//! A flipped bit may close the store or a record, but it never changes a text.

use std::fs;

use protocol::ledger::{Ledger, Stream};
use store::EngineKind;

use crate::common::{Home, Random, append, arrival, open, session, texts};

for_each_engine!(a_flipped_bit_never_changes_a_text);

const CHATS: i64 = 20;
const EVENTS: u64 = 25;
const FLIPS: usize = 100;

fn text(chat: i64, seq: u64) -> String {
    format!("chat {chat} event {seq} {}", "x".repeat(300))
}

/// What became of one flip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Refused,
    LostEnd,
    DamagedRecords,
    Unharmed,
}

async fn outcome(root: &std::path::Path) -> Outcome {
    let store = match open(root) {
        Ok(store) => store,
        Err(store::OpenError::LostEnd { .. }) => return Outcome::LostEnd,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Outcome::Refused;
        }
    };
    let mut harmed = false;
    for chat in 0..CHATS {
        match store.load(Stream::Session(session(chat))).await {
            Ok(loaded) => {
                let expected: Vec<_> = (0..EVENTS).map(|seq| text(chat, seq)).collect();
                assert_eq!(texts(&loaded.events), expected, "a text has changed");
                let inbox: Vec<_> = loaded.waiting.into_iter().map(|each| each.raw).collect();
                assert_eq!(inbox, [text(chat, 1_000)], "an update has changed");
            }
            Err(_) => harmed = true,
        }
    }
    if harmed { Outcome::DamagedRecords } else { Outcome::Unharmed }
}

async fn a_flipped_bit_never_changes_a_text(engine: EngineKind) {
    let mut random = Random::seeded();
    let home = Home::of(engine);
    let store = home.open().unwrap();
    for chat in 0..CHATS {
        let batch = vec![arrival(chat, chat, text(chat, 1_000))];
        store.journal(session(chat).bot, batch).await.unwrap();
    }
    for seq in 0..EVENTS {
        for chat in 0..CHATS {
            store.append(append(chat, seq, text(chat, seq), &[])).await.unwrap();
        }
    }
    store.close().unwrap();
    // Once with all of the log to be read again, once with a start-up snapshot behind it.
    flip(&home, &mut random).await;
    home.open().unwrap().close().unwrap();
    flip(&home, &mut random).await;
}

async fn flip(home: &Home, random: &mut Random) {
    let whole = fs::read(home.engine_file()).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() as u64;
    assert_eq!(outcome(home.copied().root.path()).await, Outcome::Unharmed);
    let mut outcomes = std::collections::BTreeMap::<_, usize>::new();
    for _ in 0..FLIPS {
        let copied = home.copied();
        let mut bytes = whole.clone();
        bytes[random.below(used) as usize] ^= 1 << random.below(8);
        fs::write(copied.engine_file(), bytes).unwrap();
        *outcomes.entry(outcome(copied.root.path()).await).or_default() += 1;
    }
    println!("{outcomes:?} of {FLIPS} flips in {used} bytes");
}
