//! The store does what a few lines of plain Rust do, whatever is asked and wherever it stops.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use protocol::ledger::{Ledger, LedgerError, Receipt, Seq, Snapshot, Stream};
use store::{EngineKind, Store};

use crate::common::{Home, Random, append, arrival, owned, session, texts};

for_each_engine!(the_store_agrees_with_a_model_through_stops_and_crashes);

const CHATS: i64 = 5;
const STEPS: usize = 1_500;

#[derive(Default)]
struct Chat {
    events: Vec<Bytes>,
    snapshot: Option<(usize, Bytes)>,
    waiting: Vec<(i64, Bytes)>,
}

#[derive(Default)]
struct Model {
    chats: BTreeMap<i64, Chat>,
    seen: BTreeSet<i64>,
}

/// Sometimes long enough to need several rows or parts.
fn words(random: &mut Random, what: &str) -> Bytes {
    let len = if random.below(20) == 0 { random.below(40_000) } else { random.below(300) };
    let filler = "x".repeat(usize::try_from(len).unwrap());
    Bytes::from(format!("{what} {} {filler}", random.next()))
}

async fn journal(store: &Store, model: &mut Model, random: &mut Random) {
    let mut batch = Vec::new();
    let mut expected = Vec::new();
    for _ in 0..=random.below(8) {
        let chat = random.below(CHATS as u64) as i64;
        // Few ids near each other, so that many repeat; some far away.
        let update = random.below(600) as i64 + [0, 1 << 30, -(1 << 30)][random.below(3) as usize];
        let raw = words(random, "raw");
        batch.push(arrival(chat, update, raw.clone()));
        if model.seen.insert(update) {
            model.chats.entry(chat).or_default().waiting.push((update, raw));
            expected.push(Receipt::New);
        } else {
            expected.push(Receipt::Known);
        }
    }
    let bot = session(0).bot;
    assert_eq!(store.journal(bot, batch).await.unwrap(), expected);
}

async fn write(store: &Store, model: &mut Model, random: &mut Random) {
    let chat = random.below(CHATS as u64) as i64;
    let known = model.chats.entry(chat).or_default();
    let at = known.events.len() as u64;
    let expected = if random.below(5) == 0 { random.below(at + 3) } else { at };
    let closes: Vec<i64> =
        known.waiting.iter().map(|(update, _)| *update).filter(|_| random.below(3) == 0).collect();
    let events = words(random, "events");
    match store.append(append(chat, expected, events.clone(), &closes)).await {
        Ok(seq) => {
            assert_eq!((expected, seq), (at, Seq(at + 1)));
            known.events.push(events);
            known.waiting.retain(|(update, _)| !closes.contains(update));
        }
        Err(LedgerError::Conflict { actual, .. }) => {
            assert_ne!(expected, at);
            assert_eq!(actual, Seq(at));
        }
        Err(error) => panic!("{error:?}"),
    }
}

async fn rest(store: &Store, model: &mut Model, random: &mut Random) {
    let chat = random.below(CHATS as u64) as i64;
    let known = model.chats.entry(chat).or_default();
    let len = known.events.len();
    let at = if random.below(2) == 0 { len } else { random.below(len as u64 + 1) as usize };
    let state = words(random, "state");
    let stream = Stream::Session(session(chat));
    store
        .snapshot(Snapshot { stream, at: Seq(at as u64), state: owned(chat, state.clone()) })
        .await
        .unwrap();
    if known.snapshot.as_ref().is_none_or(|(newest, _)| *newest <= at) {
        known.snapshot = Some((at, state));
    }
}

async fn compare(store: &Store, model: &Model) {
    for (chat, known) in &model.chats {
        let stream = Stream::Session(session(*chat));
        let loaded = store.load(stream).await.unwrap();
        let after = known.snapshot.as_ref().map_or(0, |(at, _)| *at);
        let snapshot = loaded.snapshot.as_ref().map(|it| texts(it));
        assert_eq!(snapshot, known.snapshot.as_ref().map(|(_, state)| vec![state.clone()]));
        assert_eq!(texts(&loaded.events), known.events[after..]);
        assert_eq!(loaded.at, Seq(known.events.len() as u64));
        let inbox = |found: Vec<protocol::ledger::Waiting>| {
            found.into_iter().map(|each| (each.update.0, each.raw)).collect::<Vec<_>>()
        };
        assert_eq!(inbox(loaded.waiting), known.waiting);
        assert_eq!(inbox(store.waiting(session(*chat), 0).await.unwrap()), known.waiting);
        assert_eq!(texts(&store.read_all(stream).await.unwrap().concat()), known.events);
    }
    let open: BTreeSet<_> = store.open_sessions().await.unwrap().into_iter().collect();
    let waits = model.chats.iter().filter(|(_, known)| !known.waiting.is_empty());
    assert_eq!(open, waits.map(|(chat, _)| session(*chat)).collect());
    let waiting: usize = model.chats.values().map(|known| known.waiting.len()).sum();
    assert_eq!(store.gauge().waiting, waiting as u64);
}

async fn the_store_agrees_with_a_model_through_stops_and_crashes(engine: EngineKind) {
    let mut random = Random::seeded();
    let mut home = Home::of(engine);
    let mut store = home.open().unwrap();
    let mut model = Model::default();
    for _ in 0..STEPS {
        match random.below(100) {
            0..40 => journal(&store, &mut model, &mut random).await,
            40..85 => write(&store, &mut model, &mut random).await,
            85..95 => rest(&store, &mut model, &mut random).await,
            95..97 => compare(&store, &model).await,
            97 | 98 => {
                // A crash: what the disk holds now is all that is left.
                let next = home.copied();
                drop(store);
                home = next;
                store = home.open().unwrap();
                compare(&store, &model).await;
            }
            _ => {
                store.close().unwrap();
                store = home.open().unwrap();
                compare(&store, &model).await;
            }
        }
    }
    compare(&store, &model).await;
}
