//! How much the ledger carries on this machine: many conversations at once, each of whose turns
//! journals one update and appends three times. Prints one line of figures; asserts nothing.
//!
//! `cargo run --release -p store --example ledger_bench -- [conversations] [turns each] [snapshot every]`

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::{error::Error, fs, time::Duration};

use bytes::Bytes;
use protocol::{
    BotId, ChatId, PersonId, SessionKey, Timestamp, UpdateId,
    ledger::{Append, Arrival, Ledger, LedgerError, Owned, Route, Seq, Snapshot, Stream},
};
use store::{KeyPlace, Keys, Store, StoreConfig};
use tokio::{task::JoinSet, time::Instant};

const RECORD: &[u8] = &[b'x'; 450];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<i64>());
    let mut number = |default| numbers.next().unwrap_or(Ok(default));
    let (chats, turns, snapshot_every) = (number(1_000)?, number(100)?, number(20)?);
    let home = tempfile::tempdir()?;
    let open = || -> Result<Store, Box<dyn Error>> {
        let keys = Keys::open(&home.path().join("hall.key"), KeyPlace::Anywhere)?;
        Ok(Store::open(StoreConfig::new(home.path().join("data")), keys)?)
    };
    Keys::create(&home.path().join("hall.key"), KeyPlace::Anywhere)?;
    let store = open()?;

    let (started, cpu_before) = (Instant::now(), cpu()?);
    let mut conversations = JoinSet::new();
    for chat in 0..chats {
        conversations.spawn(converse(store.clone(), chat, turns, snapshot_every));
    }
    let mut latencies = Vec::new();
    while let Some(done) = conversations.join_next().await {
        latencies.extend(done??);
    }
    let (took, cpu_used, gauge) = (started.elapsed(), cpu()? - cpu_before, store.gauge());
    latencies.sort_unstable();
    let at = |percent: usize| {
        latencies.get(latencies.len() * percent / 100).copied().unwrap_or_default()
    };
    let messages = f64::from(u32::try_from(chats * turns)?);
    println!(
        "{messages} messages in {took:.1?}: {:.0} messages/s, {} commits ({:.0}/s, {:.1} records each), \
         CPU {:.1} µs a message, turn p50 {:.1?} p99 {:.1?}",
        messages / took.as_secs_f64(),
        gauge.commits,
        gauge.commits as f64 / took.as_secs_f64(),
        gauge.records as f64 / gauge.commits as f64,
        cpu_used.as_secs_f64() * 1e6 / messages,
        at(50),
        at(99),
    );
    println!("RSS {} (peak {})", status("VmRSS:")?, status("VmHWM:")?);
    let closing = Instant::now();
    store.close()?;
    let closed = closing.elapsed();
    let opening = Instant::now();
    let store = open()?;
    println!("closed in {closed:.1?}, opened in {:.1?}", opening.elapsed());
    println!(
        "disk {} MiB for {} MiB of records",
        store.gauge().disk_bytes >> 20,
        (4 * chats * turns * 450) >> 20
    );
    Ok(())
}

/// The turns of one conversation. Returns how long each took.
async fn converse(
    store: Store,
    chat: i64,
    turns: i64,
    snapshot_every: i64,
) -> Result<Vec<Duration>, LedgerError> {
    let key = SessionKey { bot: BotId(1), chat: ChatId(chat), topic: None };
    let stream = Stream::Session(key);
    let mut expected = Seq(0);
    let mut latencies = Vec::new();
    for turn in 0..turns {
        let started = Instant::now();
        let update = UpdateId(turn * 1_000_000 + chat);
        let (owner, raw) = (PersonId(chat), Bytes::from_static(RECORD));
        let route = Route::Session { key, owner, raw };
        store.journal(key.bot, vec![Arrival { update, route, at: Timestamp(1) }]).await?;
        store.waiting(key, 0).await?;
        for step in 0..3 {
            let closes = if step == 2 { vec![update] } else { Vec::new() };
            let events = vec![Owned::by(owner, RECORD)];
            expected = store.append(Append { stream, expected, events, closes }).await?;
        }
        if turn % snapshot_every == snapshot_every - 1 {
            let state = vec![Owned::by(owner, &[b's'; 2_000][..])];
            store.snapshot(Snapshot { stream, at: expected, state }).await?;
        }
        latencies.push(started.elapsed());
    }
    Ok(latencies)
}

/// Processor time of this process so far, in user and system mode.
fn cpu() -> Result<Duration, Box<dyn Error>> {
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no process name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    Ok(TICK * ticks.sum::<Result<u32, _>>()?)
}

fn status(name: &str) -> Result<String, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    Ok(line.trim().to_owned())
}
