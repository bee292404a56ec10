//! What has expired is gone from the ledger, in every copy made from then on; all else is there.

use bytes::Bytes;
use protocol::{
    BotId, Timestamp, UpdateId,
    ledger::{Append, Arrival, Expiry, Ledger, Owned, Receipt, Route, Seq, Snapshot, Stream},
};
use store::{EngineKind, Store};

use crate::common::{Home, append, arrival, owned, session, texts};

for_each_engine!(
    each_kind_goes_when_its_time_is_over_and_nothing_else_does,
    a_conversation_without_a_snapshot_loads_after_its_events_have_expired,
    wal_4_the_log_goes_with_the_first_that_expires_and_what_is_kept_is_there,
);

const DAY: u64 = 24 * 60 * 60 * 1000;
const DAYS: u64 = 40;

/// One turn of a chat on a day, answered.
async fn turn(store: &Store, chat: i64, day: u64, seq: u64) {
    let update = i64::try_from(day).unwrap() * 100 + chat;
    let at = Timestamp(day * DAY);
    let raw = format!("raw of {chat} on {day} {}", "x".repeat(300));
    let arrived = Arrival { at, ..arrival(chat, update, raw) };
    store.journal(session(chat).bot, vec![arrived]).await.unwrap();
    let events = format!("events of {chat} on {day} {}", "x".repeat(300));
    store.append(append(chat, seq, events, &[update])).await.unwrap();
}

async fn rest(store: &Store, chat: i64, at: u64) {
    let stream = Stream::Session(session(chat));
    let state = owned(chat, format!("state of {chat}"));
    store.snapshot(Snapshot { stream, at: Seq(at), state }).await.unwrap();
}

/// Chat 1 talks every day, chat 2 until day 9; 3 asked on day 3 and waits.
async fn filled(home: &Home) -> Store {
    let store = home.open().unwrap();
    let hall = Owned::halls("a change of the hall");
    let change =
        Append { stream: Stream::Hall, expected: Seq(0), events: vec![hall], closes: vec![] };
    store.append(change).await.unwrap();
    let (stream, wrong) = (Stream::Alerts, vec![Owned::halls("what is wrong")]);
    let alert = Append { stream, expected: Seq(0), events: wrong.clone(), closes: vec![] };
    store.append(alert).await.unwrap();
    store.snapshot(Snapshot { stream, at: Seq(1), state: wrong }).await.unwrap();
    for day in 1..=DAYS {
        turn(&store, 1, day, day - 1).await;
        if day < 10 {
            turn(&store, 2, day, day - 1).await;
        }
        if day == 3 {
            let waits = Arrival { at: Timestamp(day * DAY), ..arrival(3, 9_003, "waits") };
            store.journal(BotId(1), vec![waits]).await.unwrap();
        }
        let route = Route::Quarantined { raw: Bytes::from(format!("odd of {day}")) };
        let update = UpdateId(10_000 + i64::try_from(day).unwrap());
        let odd = Arrival { update, route, at: Timestamp(day * DAY) };
        store.journal(BotId(1), vec![odd]).await.unwrap();
    }
    rest(&store, 1, DAYS).await;
    rest(&store, 2, 9).await;
    store
}

async fn expire(store: &Store, expiry: Expiry) -> u64 {
    let mut records = 0;
    loop {
        let done = store.expire(expiry).await.unwrap();
        records += done.records;
        if !done.more {
            return records;
        }
    }
}

fn before(day: u64) -> Option<Timestamp> {
    Some(Timestamp(day * DAY))
}

/// Which days of a chat's raw updates and events are still there.
async fn days(store: &Store, chat: i64) -> (Vec<u64>, Vec<u64>) {
    use protocol::{PersonId, ledger::Held};
    let (mut from, mut raws, mut events) = (None, Vec::new(), Vec::new());
    let day = |text: &Bytes| {
        let text = String::from_utf8_lossy(text).into_owned();
        text.split(' ').nth(4).and_then(|it| it.parse::<u64>().ok())
    };
    loop {
        let page = store.held(PersonId(chat), from).await.unwrap();
        for held in page.held {
            match held {
                Held::Update { raw, .. } => raws.extend(day(&raw)),
                Held::Events { events: it, .. } => events.extend(day(&it)),
                Held::State { .. }
                | Held::Memory { .. }
                | Held::Spending { .. }
                | Held::Reminder { .. }
                | Held::Proposal { .. } => {}
            }
        }
        match page.next {
            Some(next) => from = Some(next),
            None => return (raws, events),
        }
    }
}

async fn each_kind_goes_when_its_time_is_over_and_nothing_else_does(engine: EngineKind) {
    let home = Home::of(engine);
    let mut store = filled(&home).await;
    let expiry =
        Expiry { conversations: before(20), quarantine: before(30), raw_updates: before(35) };
    let records = expire(&store, expiry).await;
    assert!(0 < records);
    for _ in 0..2 {
        let (raws, events) = days(&store, 1).await;
        // The row in which a time falls is kept, too.
        assert!(raws[0] >= 34 && raws.ends_with(&(35..=DAYS).collect::<Vec<_>>()), "{raws:?}");
        assert!(
            events[0] >= 19 && events.ends_with(&(20..=DAYS).collect::<Vec<_>>()),
            "{events:?}"
        );
        let one = store.load(Stream::Session(session(1))).await.unwrap();
        assert_eq!(texts(&one.snapshot.unwrap()), ["state of 1"], "an active one has it at hand");
        let two = store.load(Stream::Session(session(2))).await.unwrap();
        assert_eq!(texts(&two.snapshot.unwrap()), [""; 0], "a silent one has nothing left");
        assert_eq!(two.at, Seq(9), "and goes on where it was");
        assert_eq!(days(&store, 2).await, (vec![], vec![]));
        let three = store.waiting(session(3), 0).await.unwrap();
        assert_eq!(&three[0].raw[..], b"waits", "what waits is kept until it is answered");
        let hall = store.load(Stream::Hall).await.unwrap();
        assert_eq!(texts(&hall.events), ["a change of the hall"], "the hall's own is kept");
        let alerts = store.load(Stream::Alerts).await.unwrap();
        assert_eq!(texts(&alerts.snapshot.unwrap()), ["what is wrong"], "and so are its alerts");
        let odd = store.quarantined(100).await.unwrap();
        let kept = odd.iter().filter(|it| !it.raw.is_empty()).count() as u64;
        assert!((DAYS - 29..=DAYS - 28).contains(&kept), "{kept}");
        let again = store.journal(BotId(1), vec![arrival(1, 4_001, "again")]).await.unwrap();
        assert_eq!(again, [Receipt::Known], "ids are known as long as before");
        assert_eq!(expire(&store, expiry).await, 0, "a second round finds nothing");
        store.close().unwrap();
        store = home.open().unwrap();
    }
    turn(&store, 2, DAYS, 9).await;
    assert_eq!(days(&store, 2).await, (vec![DAYS], vec![DAYS]));
    // The past can be read from its beginning, without what is gone.
    let past = store.past(protocol::ledger::PastFrom::Time(Timestamp(0))).await.unwrap();
    assert!(past.events.iter().all(|(_, it)| !it.is_empty()));
}

async fn a_conversation_without_a_snapshot_loads_after_its_events_have_expired(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    for day in 1..=DAYS {
        turn(&store, 1, day, day - 1).await;
    }
    expire(&store, Expiry { conversations: before(30), ..Expiry::default() }).await;
    store.close().unwrap();
    let store = home.open().unwrap();
    let loaded = store.load(Stream::Session(session(1))).await.unwrap();
    assert_eq!(loaded.at, Seq(DAYS));
    assert!((11..=12).contains(&loaded.events.len()), "{}", loaded.events.len());
    assert_eq!(expire(&store, Expiry::default()).await, 0, "no time: nothing expires");
}

async fn wal_4_the_log_goes_with_the_first_that_expires_and_what_is_kept_is_there(
    engine: EngineKind,
) {
    use std::{
        fs,
        time::{Duration, SystemTime},
    };

    let home = Home::of(engine);
    let store = filled(&home).await;
    let segments = || {
        let folder = fs::read_dir(home.data().join("segments")).unwrap();
        let mut segments: Vec<_> = folder.map(|it| it.unwrap().path()).collect();
        segments.sort();
        segments
    };
    // Written a moment ago: nothing of the log is older than the first that expires.
    let first = segments();
    expire(&store, Expiry { raw_updates: before(20), ..Expiry::default() }).await;
    assert_eq!(segments()[..first.len()], first);
    // A day later, by the clock of the files.
    let written = fs::metadata(segments().last().unwrap()).unwrap().modified().unwrap();
    let later = written + Duration::from_millis(DAY);
    let later = later.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let later = Timestamp(u64::try_from(later).unwrap());
    expire(&store, Expiry { quarantine: Some(later), ..Expiry::default() }).await;
    let left = segments();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(!first.contains(&left[0]));
    turn(&store, 1, DAYS + 1, DAYS).await;
    let after = home.copied();
    store.close().unwrap();
    // Not closed, and with the new segment alone.
    let store = after.open().unwrap();
    let one = store.load(Stream::Session(session(1))).await.unwrap();
    assert_eq!((one.at, one.events.len()), (Seq(DAYS + 1), 1));
    assert_eq!(days(&store, 1).await.1, (1..=DAYS + 1).collect::<Vec<_>>());
}
