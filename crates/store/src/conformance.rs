//! The rules of the [`Ledger`] port as tests that any engine must pass.
//!
//! An engine's test calls [`check`] with a way to open it. Every rule uses a bot of its own, so the
//! rules may share one ledger or each have a fresh one. They panic with the rule they find broken.

use std::{future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use protocol::{
    BotId, ChatId, MessageId, PersonId, SessionKey, Timestamp, TopicId, UpdateId,
    ledger::{
        Accepted, Append, Arrival, DropReason, Held, Ledger, LedgerError, Owned, PastFrom, Receipt,
        Route, Seq, Snapshot, Stream,
    },
};

/// An engine under test: gives the same ledger again, after a stop if `restart` is called.
pub trait Engine {
    /// The ledger as it is now.
    fn ledger(&self) -> Arc<dyn Ledger>;
    /// Stops the ledger and opens what it left behind.
    fn restart(&mut self);
}

/// Holds an engine to every rule.
///
/// # Panics
/// If a rule is broken.
pub async fn check(engine: &mut dyn Engine) {
    for (bot, rule) in (1..).zip(RULES) {
        rule(engine, BotId(bot)).await;
        engine.restart();
    }
}

type Rule = for<'a> fn(&'a mut dyn Engine, BotId) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

const RULES: &[Rule] = &[
    |engine, bot| Box::pin(a_repeated_update_is_known(engine, bot)),
    |engine, bot| Box::pin(a_lower_or_distant_id_is_not_old(engine, bot)),
    |engine, bot| Box::pin(updates_wait_in_order_of_arrival(engine, bot)),
    |engine, bot| Box::pin(a_stale_writer_gets_a_conflict(engine, bot)),
    |engine, bot| Box::pin(an_append_closes_atomically(engine, bot)),
    |engine, bot| Box::pin(a_snapshot_replaces_the_events_before_it(engine, bot)),
    |engine, bot| Box::pin(an_older_snapshot_changes_nothing(engine, bot)),
    |engine, bot| Box::pin(a_stream_at_rest_goes_on_where_it_was(engine, bot)),
    |engine, bot| Box::pin(dropped_and_quarantined_updates_do_not_wait(engine, bot)),
    |engine, bot| Box::pin(streams_do_not_mix(engine, bot)),
    |engine, bot| Box::pin(one_of_many_rival_writers_wins(engine, bot)),
    |engine, bot| Box::pin(an_accepted_part_is_known_ahead_of_its_event(engine, bot)),
    |engine, bot| Box::pin(the_past_is_read_in_order_from_a_time_on(engine, bot)),
    |engine, bot| Box::pin(a_forgotten_persons_texts_are_gone_and_all_else_goes_on(engine, bot)),
    |engine, bot| Box::pin(what_is_held_of_a_person_is_theirs_and_all_of_it(engine, bot)),
];

fn session(bot: BotId, chat: i64) -> SessionKey {
    SessionKey { bot, chat: ChatId(chat), topic: None }
}

fn text(update: i64) -> Bytes {
    Bytes::from(format!("{{\"update_id\":{update},\"text\":\"Grüße {update}\"}}"))
}

fn arrival(key: SessionKey, update: i64) -> Arrival {
    let at = Timestamp(1_000_000);
    let route = Route::Session { key, owner: owner(key), raw: text(update) };
    Arrival { update: UpdateId(update), route, at }
}

/// Whose a conversation is.
fn owner(key: SessionKey) -> PersonId {
    PersonId(key.chat.0)
}

/// Texts of a stream: of its owner, or the hall's.
fn owned(stream: Stream, text: impl Into<Bytes>) -> Vec<Owned> {
    match stream {
        Stream::Session(key) => vec![Owned::by(owner(key), text)],
        Stream::Memories(scope) => vec![Owned::by(owner(scope.session), text)],
        Stream::Hall | Stream::Alerts | Stream::Treasury | Stream::Timetable => {
            vec![Owned::halls(text)]
        }
    }
}

fn append(stream: Stream, expected: u64, events: &'static str, closes: &[i64]) -> Append {
    Append {
        stream,
        expected: Seq(expected),
        events: owned(stream, Bytes::from_static(events.as_bytes())),
        closes: closes.iter().copied().map(UpdateId).collect(),
    }
}

async fn journal(ledger: &Arc<dyn Ledger>, key: SessionKey, updates: &[i64]) -> Vec<Receipt> {
    let batch = updates.iter().map(|update| arrival(key, *update)).collect();
    ledger.journal(key.bot, batch).await.expect("a batch is recorded")
}

async fn write(ledger: &Arc<dyn Ledger>, append: Append) -> u64 {
    ledger.append(append).await.expect("an append at the head succeeds").0
}

async fn waiting(ledger: &Arc<dyn Ledger>, key: SessionKey, after: u64) -> Vec<(i64, u64)> {
    let found = ledger.waiting(key, after).await.expect("an inbox can be read");
    for each in &found {
        assert_eq!(each.raw, text(each.update.0), "the bytes are those received");
        assert_eq!(each.at, Timestamp(1_000_000), "the time is that of arrival");
    }
    found.iter().map(|each| (each.update.0, each.order)).collect()
}

async fn updates(ledger: &Arc<dyn Ledger>, key: SessionKey) -> Vec<i64> {
    waiting(ledger, key, 0).await.into_iter().map(|(update, _)| update).collect()
}

/// Snapshot, events, position and inbox, in short.
async fn loaded(ledger: &Arc<dyn Ledger>, stream: Stream) -> String {
    let loaded = ledger.load(stream).await.expect("a stream can be loaded");
    let words = |piece: &Owned| String::from_utf8_lossy(&piece.bytes).into_owned();
    let all = |pieces: &Vec<Owned>| pieces.iter().map(words).collect::<String>();
    let snapshot = loaded.snapshot.as_ref().map_or("none".to_owned(), all);
    let events: Vec<_> = loaded.events.iter().map(words).collect();
    let waiting: Vec<_> = loaded.waiting.iter().map(|each| each.update.0).collect();
    format!("{snapshot} + {} @{} {waiting:?}", events.join(","), loaded.at.0)
}

async fn a_repeated_update_is_known(engine: &mut dyn Engine, bot: BotId) {
    let key = session(bot, 1);
    let batches: [&[i64]; 3] = [&[10, 11, 12, 13], &[12, 10, 13, 11], &[13, 12, 11, 10]];
    for (round, batch) in batches.iter().enumerate() {
        let receipts = journal(&engine.ledger(), key, batch).await;
        let expected = if round == 0 { Receipt::New } else { Receipt::Known };
        assert_eq!(receipts, vec![expected; 4], "round {round}");
        engine.restart();
    }
    let twice = journal(&engine.ledger(), key, &[14, 14]).await;
    assert_eq!(twice, [Receipt::New, Receipt::Known], "within one batch too");
    write(&engine.ledger(), append(Stream::Session(key), 0, "done", &[10])).await;
    assert_eq!(journal(&engine.ledger(), key, &[10]).await, [Receipt::Known], "closed is known");
    assert_eq!(updates(&engine.ledger(), key).await, [11, 12, 13, 14]);
    let other = session(BotId(bot.0 + 1_000_000), 1);
    let receipts = journal(&engine.ledger(), other, &[10]).await;
    assert_eq!(receipts, [Receipt::New], "ids of another bot are other ids");
}

async fn a_lower_or_distant_id_is_not_old(engine: &mut dyn Engine, bot: BotId) {
    let key = session(bot, 1);
    let ids = [5, 5 + (1 << 30), 4, 6 + (1 << 30), 6, 5 - (1 << 30)];
    for id in ids {
        assert_eq!(journal(&engine.ledger(), key, &[id]).await, [Receipt::New], "{id}");
    }
    engine.restart();
    assert_eq!(journal(&engine.ledger(), key, &ids).await, vec![Receipt::Known; ids.len()]);
    assert_eq!(updates(&engine.ledger(), key).await, ids, "the order is that of arrival");
}

async fn updates_wait_in_order_of_arrival(engine: &mut dyn Engine, bot: BotId) {
    let key = session(bot, 1);
    journal(&engine.ledger(), key, &[30, 20]).await;
    journal(&engine.ledger(), key, &[10]).await;
    let before = waiting(&engine.ledger(), key, 0).await;
    assert_eq!(before.iter().map(|(update, _)| *update).collect::<Vec<_>>(), [30, 20, 10]);
    assert!(before.is_sorted_by(|(_, one), (_, next)| one < next), "orders rise");
    engine.restart();
    assert_eq!(waiting(&engine.ledger(), key, 0).await, before, "a restart changes nothing");
    let [(_, first), later @ ..] = before.as_slice() else { panic!("three wait") };
    let [.., (_, last)] = before.as_slice() else { panic!("three wait") };
    assert_eq!(waiting(&engine.ledger(), key, *first).await, later, "only what came after");
    write(&engine.ledger(), append(Stream::Session(key), 0, "done", &[30, 20, 10])).await;
    engine.restart();
    journal(&engine.ledger(), key, &[40]).await;
    let after = waiting(&engine.ledger(), key, *last).await;
    assert_eq!(after.len(), 1, "an order is never given twice, also when the inbox was empty");
}

async fn a_stale_writer_gets_a_conflict(engine: &mut dyn Engine, bot: BotId) {
    let stream = Stream::Session(session(bot, 1));
    journal(&engine.ledger(), session(bot, 1), &[1]).await;
    assert_eq!(write(&engine.ledger(), append(stream, 0, "a", &[])).await, 1);
    for (expected, restart) in [(0, false), (2, true), (0, true)] {
        if restart {
            engine.restart();
        }
        match engine.ledger().append(append(stream, expected, "b", &[1])).await {
            Err(LedgerError::Conflict { expected: said, actual }) => {
                assert_eq!((said, actual), (Seq(expected), Seq(1)));
            }
            other => panic!("a stale append must conflict, not {other:?}"),
        }
    }
    assert_eq!(loaded(&engine.ledger(), stream).await, "none + a @1 [1]", "nothing was written");
}

async fn an_append_closes_atomically(engine: &mut dyn Engine, bot: BotId) {
    let (key, other) = (session(bot, 1), session(bot, 2));
    let stream = Stream::Session(key);
    journal(&engine.ledger(), key, &[1, 2, 3]).await;
    journal(&engine.ledger(), other, &[4]).await;
    write(&engine.ledger(), append(stream, 0, "a", &[2, 4, 99])).await;
    write(&engine.ledger(), append(stream, 1, "b", &[2])).await;
    for _ in 0..2 {
        assert_eq!(loaded(&engine.ledger(), stream).await, "none + a,b @2 [1, 3]");
        assert_eq!(updates(&engine.ledger(), other).await, [4], "only the stream's own inbox");
        engine.restart();
    }
    let open = engine.ledger().open_sessions().await.expect("sessions can be listed");
    assert!(open.contains(&key) && open.contains(&other));
    write(&engine.ledger(), append(stream, 2, "c", &[1, 3])).await;
    let open = engine.ledger().open_sessions().await.expect("sessions can be listed");
    assert!(!open.contains(&key) && open.contains(&other));
}

async fn a_snapshot_replaces_the_events_before_it(engine: &mut dyn Engine, bot: BotId) {
    let key = session(bot, 1);
    let stream = Stream::Session(key);
    journal(&engine.ledger(), key, &[1, 2]).await;
    for (seq, events) in ["a", "b", "c"].into_iter().enumerate() {
        write(&engine.ledger(), append(stream, seq as u64, events, &[])).await;
    }
    store_state(&engine.ledger(), stream, 2, "AB").await;
    for _ in 0..2 {
        assert_eq!(loaded(&engine.ledger(), stream).await, "AB + c @3 [1, 2]");
        engine.restart();
    }
    let ahead = Snapshot { stream, at: Seq(4), state: owned(stream, "?") };
    let refused = engine.ledger().snapshot(ahead).await;
    assert!(matches!(refused, Err(LedgerError::Conflict { .. })), "no state of the future");
}

async fn store_state(ledger: &Arc<dyn Ledger>, stream: Stream, at: u64, state: &'static str) {
    let state = owned(stream, state);
    ledger.snapshot(Snapshot { stream, at: Seq(at), state }).await.expect("a state is stored");
}

async fn an_older_snapshot_changes_nothing(engine: &mut dyn Engine, bot: BotId) {
    let stream = Stream::Session(session(bot, 1));
    for (seq, events) in ["a", "b", "c"].into_iter().enumerate() {
        write(&engine.ledger(), append(stream, seq as u64, events, &[])).await;
    }
    let ledger = engine.ledger();
    let one = |at, state: &'static str| store_state(&ledger, stream, at, state);
    tokio::join!(one(3, "ABC"), one(1, "A"));
    one(2, "AB").await;
    drop(ledger);
    engine.restart();
    assert_eq!(loaded(&engine.ledger(), stream).await, "ABC +  @3 []");
}

async fn a_stream_at_rest_goes_on_where_it_was(engine: &mut dyn Engine, bot: BotId) {
    let key = session(bot, 1);
    let stream = Stream::Session(key);
    journal(&engine.ledger(), key, &[1]).await;
    write(&engine.ledger(), append(stream, 0, "a", &[1])).await;
    store_state(&engine.ledger(), stream, 1, "A").await;
    engine.restart();
    assert_eq!(loaded(&engine.ledger(), stream).await, "A +  @1 []");
    let stale = engine.ledger().append(append(stream, 0, "x", &[])).await;
    assert!(matches!(stale, Err(LedgerError::Conflict { actual: Seq(1), .. })));
    journal(&engine.ledger(), key, &[2]).await;
    assert_eq!(loaded(&engine.ledger(), stream).await, "A +  @1 [2]");
    write(&engine.ledger(), append(stream, 1, "b", &[2])).await;
    engine.restart();
    assert_eq!(loaded(&engine.ledger(), stream).await, "A + b @2 []");
    store_state(&engine.ledger(), stream, 2, "AB").await;
    assert_eq!(loaded(&engine.ledger(), stream).await, "AB +  @2 []");
}

async fn dropped_and_quarantined_updates_do_not_wait(engine: &mut dyn Engine, bot: BotId) {
    let before = engine.ledger().gauge();
    let at = Timestamp(1_000_000);
    let batch = || {
        let end = |update, route| Arrival { update: UpdateId(update), route, at };
        let reasons = [
            DropReason::Stranger,
            DropReason::Blocked,
            DropReason::RateLimited,
            DropReason::NotForUs,
        ];
        let dropped = (1..).zip(reasons).map(|(id, reason)| end(id, Route::Dropped(reason)));
        dropped.chain([end(9, Route::Quarantined { raw: text(9) })]).collect::<Vec<_>>()
    };
    let ledger = engine.ledger();
    assert_eq!(ledger.journal(bot, batch()).await.expect("recorded"), [Receipt::New; 5]);
    drop(ledger);
    engine.restart();
    let ledger = engine.ledger();
    assert_eq!(ledger.journal(bot, batch()).await.expect("recorded"), [Receipt::Known; 5]);
    let after = ledger.gauge();
    assert_eq!(after.waiting, before.waiting);
    assert_eq!(after.quarantined, before.quarantined + 1);
}

async fn streams_do_not_mix(engine: &mut dyn Engine, bot: BotId) {
    let plain = session(bot, 1);
    let topic = SessionKey { topic: Some(TopicId(1)), ..plain };
    let rival = SessionKey { bot: BotId(bot.0 + 2_000_000), ..plain };
    for (key, events) in [(plain, "plain"), (topic, "topic"), (rival, "rival")] {
        write(&engine.ledger(), append(Stream::Session(key), 0, events, &[])).await;
    }
    for stream in [Stream::Hall, Stream::Alerts, Stream::Timetable] {
        let at = engine.ledger().load(stream).await.expect("it can be loaded").at;
        write(&engine.ledger(), append(stream, at.0, "of the hall itself", &[])).await;
        assert_eq!(engine.ledger().load(stream).await.expect("likewise").at, at.next());
    }
    engine.restart();
    for (key, events) in [(plain, "plain"), (topic, "topic"), (rival, "rival")] {
        let found = loaded(&engine.ledger(), Stream::Session(key)).await;
        assert_eq!(found, format!("none + {events} @1 []"));
    }
}

async fn one_of_many_rival_writers_wins(engine: &mut dyn Engine, bot: BotId) {
    let stream = Stream::Session(session(bot, 1));
    let ledger = engine.ledger();
    for round in 0..20 {
        let rival = || ledger.append(append(stream, round, "x", &[]));
        let (a, b, c, d) = tokio::join!(rival(), rival(), rival(), rival());
        let won = [&a, &b, &c, &d].iter().filter(|result| result.is_ok()).count();
        assert_eq!(won, 1, "WRITER-2: exactly one rival wins round {round}");
    }
}

async fn an_accepted_part_is_known_ahead_of_its_event(engine: &mut dyn Engine, bot: BotId) {
    let (mine, other) = (session(bot, 1), session(bot, 2));
    let note = |session, part| {
        let (update, message) = (UpdateId(7), MessageId(i64::from(part)));
        Accepted { session, update, part, message }
    };
    let noted = [note(mine, 0), note(mine, 1)];
    noted.iter().chain([&note(other, 5)]).for_each(|it| engine.ledger().accepted(*it));
    for _ in 0..2 {
        let loaded = engine.ledger().load(Stream::Session(mine)).await;
        let loaded = loaded.expect("a stream that was never written loads");
        assert_eq!(loaded.accepted, noted, "notes come in order, to their session only");
        engine.restart();
    }
}
/// The events of one bot's conversations since a time, page by page.
async fn past(ledger: &Arc<dyn Ledger>, bot: BotId, since: Timestamp) -> Vec<String> {
    let (mut from, mut events) = (PastFrom::Time(since), Vec::new());
    loop {
        let page = ledger.past(from).await.expect("the past can be read");
        let ours = page.events.iter().filter(|(key, _)| key.bot == bot);
        events
            .extend(ours.map(|(key, it)| format!("{} {}", key.chat, String::from_utf8_lossy(it))));
        match page.next {
            Some(next) => from = PastFrom::Bookmark(next),
            None => return events,
        }
    }
}

async fn the_past_is_read_in_order_from_a_time_on(engine: &mut dyn Engine, bot: BotId) {
    let mut expected = Vec::new();
    // Later than what the other rules wrote.
    for hour in 0..200_i64 {
        let (ledger, chat) = (engine.ledger(), 1 + hour % 3);
        let at = Timestamp(2_000_000 + 3_600_000 * hour.unsigned_abs());
        let arrived = Arrival { at, ..arrival(session(bot, chat), hour) };
        ledger.journal(bot, vec![arrived]).await.expect("a batch is recorded");
        let events = Bytes::from(format!("hour {hour} {}", "x".repeat(300)));
        let stream = Stream::Session(session(bot, chat));
        let expected_at = Seq(hour.unsigned_abs() / 3);
        let closes = vec![UpdateId(hour)];
        let owned_events = owned(stream, events.clone());
        let append = Append { stream, expected: expected_at, events: owned_events, closes };
        ledger.append(append).await.expect("an append at the head succeeds");
        expected.push(format!("{chat} {}", String::from_utf8_lossy(&events)));
        if hour % 60 == 59 {
            let state = owned(stream, "folded");
            let at = Seq(hour.unsigned_abs() / 3 + 1);
            ledger.snapshot(Snapshot { stream, at, state }).await.expect("a state is stored");
            engine.restart();
        }
    }
    let since = |hour: u64| Timestamp(2_000_000 + 3_600_000 * hour);
    let all = past(&engine.ledger(), bot, Timestamp(0)).await;
    assert_eq!(all, expected, "snapshots take nothing away");
    for hour in [0_u64, 1, 57, 58, 199] {
        let found = past(&engine.ledger(), bot, since(hour)).await;
        let from = usize::try_from(hour).unwrap_or_default();
        let wanted = expected.get(from..).unwrap_or_default();
        assert!(found.ends_with(wanted), "since {hour}: {} found", found.len());
        // "About this time": neighbours that were written together with it may come along.
        assert!(found.len() <= wanted.len() + 10, "since {hour}: {} found", found.len());
    }
    let future = past(&engine.ledger(), bot, since(10_000)).await;
    assert!(future.len() <= 10, "what came last at most: {} found", future.len());
}

/// Two people and what nobody in particular said, in one group.
const ADA: PersonId = PersonId(70_001);
const BEN: PersonId = PersonId(70_002);

fn said(owner: PersonId, text: &'static str) -> Owned {
    Owned::by(owner, text)
}

async fn a_group_talks(ledger: &Arc<dyn Ledger>, bot: BotId) -> SessionKey {
    let key = session(bot, -70_000);
    let (stream, group) = (Stream::Session(key), PersonId(key.chat.0));
    let at = Timestamp(1_000_000);
    let arrive = |update, owner| {
        let route = Route::Session { key, owner, raw: text(update) };
        Arrival { update: UpdateId(update), route, at }
    };
    let batch = vec![arrive(1, ADA), arrive(2, BEN), arrive(3, ADA), arrive(4, BEN)];
    ledger.journal(bot, batch).await.expect("a batch is recorded");
    let append = |expected, events, closes: &[i64]| Append {
        stream,
        expected: Seq(expected),
        events,
        closes: closes.iter().copied().map(UpdateId).collect(),
    };
    let both = Owned { owners: vec![ADA, BEN], bytes: Bytes::from_static(b"both") };
    let first = vec![said(ADA, "ada 1"), said(group, "group"), said(BEN, "ben 1"), both.clone()];
    write(ledger, append(0, first.clone(), &[1])).await;
    write(ledger, append(1, vec![said(ADA, "ada 2")], &[])).await;
    let snapshot = Snapshot { stream, at: Seq(1), state: first };
    ledger.snapshot(snapshot).await.expect("a state is stored");
    write(ledger, append(2, vec![said(BEN, "ben 2")], &[2])).await;
    key
}

async fn a_forgotten_persons_texts_are_gone_and_all_else_goes_on(
    engine: &mut dyn Engine,
    bot: BotId,
) {
    let ledger = engine.ledger();
    let key = a_group_talks(&ledger, bot).await;
    let stream = Stream::Session(key);
    assert_eq!(
        loaded(&ledger, stream).await,
        "ada 1groupben 1both + ada 2,ben 2 @3 [3, 4]",
        "before"
    );
    let receipt = ledger.forget(ADA, Timestamp(1_000_000), Some(bot)).await;
    let receipt = receipt.expect("a person is forgotten").expect("there was somebody to forget");
    assert_eq!(receipt.to_tell, Some((bot, ADA)));
    let again = ledger.forget(ADA, Timestamp(1_000_000), Some(bot)).await;
    assert_eq!(again.expect("nothing fails"), None, "nothing is held of them");
    drop(ledger);
    for _ in 0..2 {
        let ledger = engine.ledger();
        assert_eq!(loaded(&ledger, stream).await, "groupben 1 + ben 2 @3 [4]");
        let untold = ledger.untold_receipts().await.expect("receipts can be listed");
        assert!(untold.contains(&receipt), "the receipt waits");
        let past = past(&ledger, bot, Timestamp(0)).await;
        assert_eq!(past, ["-70000 group", "-70000 ben 1", "-70000 ben 2"]);
        drop(ledger);
        engine.restart();
    }
    let ledger = engine.ledger();
    ledger.receipt_told(receipt.number).await.expect("a receipt is told");
    assert!(ledger.untold_receipts().await.is_ok_and(|it| !it.contains(&receipt)));
    assert_eq!(journal(&ledger, key, &[1, 3]).await, [Receipt::Known; 2], "ids stay known");
    // They come again, and are somebody new.
    let events = vec![said(ADA, "ada again")];
    write(&ledger, Append { stream, expected: Seq(3), events, closes: vec![UpdateId(4)] }).await;
    assert_eq!(loaded(&ledger, stream).await, "groupben 1 + ben 2,ada again @4 []");
}

async fn what_is_held_of_a_person_is_theirs_and_all_of_it(engine: &mut dyn Engine, bot: BotId) {
    let ledger = engine.ledger();
    let key = a_group_talks(&ledger, bot).await;
    let (mut from, mut found) = (None, Vec::new());
    loop {
        let page = ledger.held(BEN, from).await.expect("what is held can be read");
        found.extend(page.held.into_iter().filter_map(|it| match it {
            Held::Update { session, update, .. } => {
                (session == key).then(|| format!("update {update}"))
            }
            Held::Events { session, events: it }
            | Held::State { session, state: it }
            | Held::Memory { session, memory: it } => {
                (session == key).then(|| String::from_utf8_lossy(&it).into_owned())
            }
            Held::Spending { sums: it }
            | Held::Proposal { rule: it }
            | Held::Reminder { reminder: it } => Some(String::from_utf8_lossy(&it).into_owned()),
        }));
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    let expected = ["update 2", "update 4", "ben 1", "both", "ben 2", "ben 1", "both"];
    assert_eq!(found, expected);
    ledger.forget(ADA, Timestamp(1), None).await.expect("a person is forgotten");
    ledger.forget(BEN, Timestamp(1), None).await.expect("a person is forgotten");
    let nothing = ledger.held(BEN, None).await.expect("what is held can be read");
    assert!(nothing.held.is_empty());
}
