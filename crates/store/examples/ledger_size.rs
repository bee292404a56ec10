//! How large a ledger of many conversations is, how long it takes to open, to copy, to back up and to
//! put back, what memory that needs, and what is left of it when nine tenths have expired. Prints one line for each; asserts nothing.
//!
//! `cargo run --release -p store --example ledger_size -- [sled|redb] [conversations] [turns each]`

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::{error::Error, fs, path::Path, sync::atomic::AtomicBool, time::Duration};

use bytes::Bytes;
use protocol::{
    BotId, ChatId, PersonId, SessionKey, Timestamp, UpdateId,
    ledger::{Append, Arrival, Expiry, Ledger, LedgerError, Owned, Route, Seq, Snapshot, Stream},
};
use store::{
    EngineKind, KeyPlace, Keys, Store, StoreConfig,
    backup::{BackupRules, FolderShelf, Keep, restore},
    migrate::migrate,
};
use tokio::{task::JoinSet, time::Instant};

const RECORD: &[u8] = &[b'x'; 450];
const AT_ONCE: i64 = 256;
/// When the last tenth of the conversations is held.
const LATE: Timestamp = Timestamp(1_000_000);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let word = arguments.next().unwrap_or_else(|| "sled".to_owned());
    let engine =
        EngineKind::ALL.into_iter().find(|it| it.word() == word).ok_or("no such engine")?;
    let chats = arguments.next().map_or(Ok(100_000), |it| it.parse::<i64>())?;
    let turns = arguments.next().map_or(Ok(1), |it| it.parse::<u64>())?;
    let home = tempfile::tempdir()?;
    let key = home.path().join("hall.key");
    Keys::create(&key, KeyPlace::Anywhere)?;
    let keys = || Keys::open(&key, KeyPlace::Anywhere);
    let config = StoreConfig { engine, ..StoreConfig::new(home.path().join("data")) };

    let store = Store::open(config.clone(), keys()?)?;
    let started = Instant::now();
    for first in (0..chats).step_by(usize::try_from(AT_ONCE)?) {
        let mut conversations = JoinSet::new();
        for chat in first..chats.min(first + AT_ONCE) {
            let at = if chat < chats / 10 * 9 { Timestamp(1) } else { LATE };
            conversations.spawn(converse(store.clone(), chat, turns, at));
        }
        while let Some(done) = conversations.join_next().await {
            done??;
        }
    }
    say(&format!("{engine}: {chats} conversations of {turns} turns"), started)?;
    store.close()?;
    drop(store);
    println!("on disk: {}", sizes(home.path())?);

    let started = Instant::now();
    let store = Store::open(config.clone(), keys()?)?;
    say("opened", started)?;
    let started = Instant::now();
    let shelf = FolderShelf::new(home.path().join("backups"));
    let rules = BackupRules {
        full_every: Duration::from_hours(24),
        keep: Keep { last: 1, daily: 0, weekly: 0 },
    };
    let made = store.backup(&shelf, rules, LATE, &AtomicBool::new(false))?;
    say(&format!("backup of {} MiB made and read back", made.bytes >> 20), started)?;
    let started = Instant::now();
    let restored = {
        let again = StoreConfig { folder: home.path().join("again"), ..config.clone() };
        restore(&shelf, keys()?, &again, None)?
    };
    say(&format!("restored, {} rows", restored.rows), started)?;

    let started = Instant::now();
    let before = Some(Timestamp(LATE.0 - 1));
    let expiry = Expiry { conversations: before, raw_updates: before, quarantine: before };
    let mut records = 0;
    loop {
        let expired = store.expire(expiry).await?;
        records += expired.records;
        if !expired.more {
            break;
        }
    }
    say(&format!("nine tenths expired, {records} records"), started)?;
    store.close()?;
    drop(store);
    println!("on disk: {}", sizes(home.path())?);

    let started = Instant::now();
    let moved = migrate(&config, engine, false)?;
    say(&format!("compacted, {} pairs", moved.pairs), started)?;
    println!("on disk: {}", sizes(home.path())?);
    Ok(())
}

async fn converse(store: Store, chat: i64, turns: u64, at: Timestamp) -> Result<(), LedgerError> {
    let key = SessionKey { bot: BotId(1), chat: ChatId(chat), topic: None };
    let (stream, owner) = (Stream::Session(key), PersonId(chat));
    for turn in 0..turns {
        let update = UpdateId(chat * 1_000 + turn.cast_signed());
        let route = Route::Session { key, owner, raw: Bytes::from_static(RECORD) };
        store.journal(key.bot, vec![Arrival { update, route, at }]).await?;
        let (expected, closes) = (Seq(turn), vec![update]);
        let events = vec![Owned::by(owner, Bytes::from_static(RECORD))];
        store.append(Append { stream, expected, events, closes }).await?;
    }
    let state = vec![Owned::by(owner, Bytes::from_static(RECORD))];
    store.snapshot(Snapshot { stream, at: Seq(turns), state }).await
}

fn say(what: &str, started: Instant) -> Result<(), Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    println!("{what}: {:.1?}, {}", started.elapsed(), resident.replace('\t', ""));
    Ok(())
}

fn sizes(home: &Path) -> Result<String, Box<dyn Error>> {
    let mut text = Vec::new();
    for folder in ["engine", "segments"] {
        let mut bytes = 0;
        for entry in fs::read_dir(home.join("data").join(folder))? {
            bytes += entry?.metadata()?.len();
        }
        text.push(format!("{folder} {} MiB", bytes >> 20));
    }
    Ok(text.join(", "))
}
