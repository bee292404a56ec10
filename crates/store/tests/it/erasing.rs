//! Forgetting a person reaches every copy, survives kill -9 at any moment, and touches nobody else;
//! the master key changes without touching anything.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use protocol::{
    BotId, PersonId, Timestamp,
    ledger::{Append, Arrival, Expiry, Held, Ledger, Owned, Seq, Snapshot, Stream},
    memory::{Scope, Space},
};
use store::{
    EngineKind, KeyPlace, Keys, OpenError, Store, open_master, rotate, rotate_to, verify_receipt,
};

use crate::common::{Home, Random, append, arrival, config, copy, open, owned, session, texts};

for_each_engine!(
    a_copy_made_before_opens_nothing_of_a_forgotten_person_and_everything_of_others,
    what_can_be_found_again_is_its_persons_and_goes_with_them_or_by_age,
    what_somebody_used_goes_with_them_and_the_newest_sums_do_not_expire,
    what_somebody_is_to_be_reminded_of_goes_with_them_and_what_is_to_come_does_not_expire,
    what_the_halls_stream_holds_of_people_goes_with_the_first_of_them_and_the_rest_does_not_expire,
    killed_at_any_moment_a_person_is_whole_or_gone_and_what_was_said_is_true,
);

const ROLE: &str = "STORE_TEST_FORGETS";
const PEOPLE: i64 = 300;
const KILLS: usize = 50;

/// A person's update that waits, an append, and a snapshot.
pub(crate) async fn talk(store: &Store, chat: i64) {
    let bot = session(chat).bot;
    store.journal(bot, vec![arrival(chat, chat, format!("waits {chat}"))]).await.unwrap();
    store.append(append(chat, 0, format!("first {chat}"), &[])).await.unwrap();
    let stream = Stream::Session(session(chat));
    let state = owned(chat, format!("state {chat}"));
    store.snapshot(Snapshot { stream, at: Seq(1), state }).await.unwrap();
    store.append(append(chat, 1, format!("second {chat}"), &[])).await.unwrap();
}

/// Everything that can be read of a person, in short.
pub(crate) async fn read(store: &Store, chat: i64) -> Vec<String> {
    let loaded = store.load(Stream::Session(session(chat))).await.unwrap();
    assert_eq!(loaded.at, Seq(2), "the stream goes on where it was");
    let all = store.read_all(Stream::Session(session(chat))).await.unwrap().concat();
    let pieces = texts(&loaded.snapshot.unwrap_or_default()).into_iter().chain(texts(&all));
    let waiting = loaded.waiting.into_iter().map(|it| it.raw);
    pieces.chain(waiting).map(|it| String::from_utf8_lossy(&it).into_owned()).collect()
}

pub(crate) fn whole(chat: i64) -> Vec<String> {
    ["state", "first", "second", "waits"].map(|it| format!("{it} {chat}")).into()
}

async fn what_can_be_found_again_is_its_persons_and_goes_with_them_or_by_age(engine: EngineKind) {
    let home = Home::of(engine);
    let mut store = home.open().unwrap();
    let space = Space::own(&"sage".parse().unwrap());
    let stream = Stream::Memories(Scope { session: session(-5), space });
    for (at, person) in [(0, 1), (1, 2), (2, 1)] {
        let events = vec![Owned::by(PersonId(person), format!("memory {at} of {person}"))];
        let expected = Seq(at);
        store.append(Append { stream, expected, events, closes: vec![] }).await.unwrap();
    }
    let held = store.held(PersonId(1), None).await.unwrap().held;
    let is_theirs =
        |it: &Held| matches!(it, Held::Memory { memory, .. } if memory.ends_with(b"of 1"));
    assert!(held.len() == 2 && held.iter().all(is_theirs), "{held:?}");
    let state = [1, 2].map(|it| Owned::by(PersonId(it), format!("at hand of {it}"))).into();
    store.snapshot(Snapshot { stream, at: Seq(0), state }).await.unwrap();
    let log = store.held(PersonId(1), None).await.unwrap();
    let states = store.held(PersonId(1), log.next).await.unwrap().held;
    assert!(states.len() == 1 && states.iter().all(is_theirs), "{states:?}");
    store.forget(PersonId(1), Timestamp(1), None).await.unwrap().unwrap();
    for _ in 0..2 {
        let loaded = store.load(stream).await.unwrap();
        assert_eq!(texts(&loaded.events), ["memory 1 of 2"]);
        assert_eq!(loaded.at, Seq(3), "the stream goes on where it was");
        assert!(store.held(PersonId(1), None).await.unwrap().held.is_empty());
        store.close().unwrap();
        store = home.open().unwrap();
    }
    // Later updates, so that there is a time before which all of it was written.
    for update in 1..=2 {
        let at = Timestamp(u64::try_from(update).unwrap() * 1_000_000_000);
        let later = Arrival { at, ..arrival(7, update, "later") };
        store.journal(session(7).bot, vec![later]).await.unwrap();
    }
    let expiry = Expiry { conversations: Some(Timestamp(2_000_000_000)), ..Expiry::default() };
    while store.expire(expiry).await.unwrap().more {}
    let loaded = store.load(stream).await.unwrap();
    assert_eq!((loaded.events.len(), loaded.at), (0, Seq(3)));
}

async fn what_somebody_used_goes_with_them_and_the_newest_sums_do_not_expire(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    let stream = Stream::Treasury;
    let sums = || {
        let of = |person| Owned::by(PersonId(person), format!("sums of {person}"));
        vec![of(1), of(2), Owned::halls("the hall's sums")]
    };
    let (expected, closes) = (Seq(0), vec![]);
    store.append(Append { stream, expected, events: sums(), closes }).await.unwrap();
    store.snapshot(Snapshot { stream, at: Seq(1), state: sums() }).await.unwrap();
    let log = store.held(PersonId(1), None).await.unwrap();
    let states = store.held(PersonId(1), log.next).await.unwrap();
    assert_eq!(states.next, None);
    let held = [log.held, states.held].concat();
    let is_theirs = |it: &Held| matches!(it, Held::Spending { sums } if sums.ends_with(b"of 1"));
    assert!(held.len() == 2 && held.iter().all(is_theirs), "{held:?}");
    store.forget(PersonId(1), Timestamp(1), None).await.unwrap().unwrap();
    assert!(store.held(PersonId(1), None).await.unwrap().held.is_empty());
    for update in 1..=2 {
        let at = Timestamp(u64::try_from(update).unwrap() * 1_000_000_000);
        let later = Arrival { at, ..arrival(7, update, "later") };
        store.journal(session(7).bot, vec![later]).await.unwrap();
    }
    let expiry = Expiry { conversations: Some(Timestamp(2_000_000_000)), ..Expiry::default() };
    while store.expire(expiry).await.unwrap().more {}
    let loaded = store.load(stream).await.unwrap();
    assert_eq!(texts(&loaded.snapshot.unwrap()), ["sums of 2", "the hall's sums"]);
    assert!(store.read_all(stream).await.unwrap().concat().is_empty(), "the appends have expired");
}

async fn what_somebody_is_to_be_reminded_of_goes_with_them_and_what_is_to_come_does_not_expire(
    engine: EngineKind,
) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    let stream = Stream::Timetable;
    let entries = || {
        let of = |person| Owned::by(PersonId(person), format!("reminder of {person}"));
        vec![of(1), of(2), Owned::halls("a prompt of the hall")]
    };
    let (expected, closes) = (Seq(0), vec![]);
    store.append(Append { stream, expected, events: entries(), closes }).await.unwrap();
    store.snapshot(Snapshot { stream, at: Seq(1), state: entries() }).await.unwrap();
    let log = store.held(PersonId(1), None).await.unwrap();
    let states = store.held(PersonId(1), log.next).await.unwrap();
    let held = [log.held, states.held].concat();
    let theirs = Held::Reminder { reminder: "reminder of 1".into() };
    assert_eq!(held, [theirs.clone(), theirs]);
    store.forget(PersonId(1), Timestamp(1), None).await.unwrap().unwrap();
    assert!(store.held(PersonId(1), None).await.unwrap().held.is_empty());
    for update in 1..=2 {
        let at = Timestamp(u64::try_from(update).unwrap() * 1_000_000_000);
        let later = Arrival { at, ..arrival(7, update, "later") };
        store.journal(session(7).bot, vec![later]).await.unwrap();
    }
    let expiry = Expiry { conversations: Some(Timestamp(2_000_000_000)), ..Expiry::default() };
    while store.expire(expiry).await.unwrap().more {}
    let loaded = store.load(stream).await.unwrap();
    assert_eq!(texts(&loaded.snapshot.unwrap()), ["reminder of 2", "a prompt of the hall"]);
}

async fn what_the_halls_stream_holds_of_people_goes_with_the_first_of_them_and_the_rest_does_not_expire(
    engine: EngineKind,
) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    let stream = Stream::Hall;
    let both = Owned { owners: vec![PersonId(1), PersonId(2)], bytes: "rule of both".into() };
    let events = vec![Owned::halls("step"), both, Owned::by(PersonId(3), "rule of 3")];
    let append = Append { stream, expected: Seq(0), events, closes: vec![] };
    store.append(append).await.unwrap();
    store.close().unwrap();
    let copied = home.root.path().join("copy");
    copy(&home.data(), &copied);
    let store = home.open().unwrap();
    for (person, text) in [(2, "rule of both"), (3, "rule of 3")] {
        let held = store.held(PersonId(person), None).await.unwrap().held;
        assert_eq!(held, [Held::Proposal { rule: text.into() }]);
    }
    store.forget(PersonId(2), Timestamp(1), None).await.unwrap().unwrap();
    for update in 1..=2 {
        let at = Timestamp(u64::try_from(update).unwrap() * 1_000_000_000);
        let later = Arrival { at, ..arrival(7, update, "later") };
        store.journal(session(7).bot, vec![later]).await.unwrap();
    }
    let expiry = Expiry { conversations: Some(Timestamp(2_000_000_000)), ..Expiry::default() };
    while store.expire(expiry).await.unwrap().more {}
    for person in [1, 2] {
        assert_eq!(store.held(PersonId(person), None).await.unwrap().held, []);
    }
    let loaded = store.load(stream).await.unwrap();
    assert_eq!(
        (texts(&loaded.events), loaded.at),
        (vec!["step".into(), "rule of 3".into()], Seq(1))
    );
    store.close().unwrap();
    // An old copy in its place.
    fs::remove_dir_all(home.data()).unwrap();
    fs::rename(copied, home.data()).unwrap();
    let loaded = home.open().unwrap().load(stream).await.unwrap();
    assert_eq!(texts(&loaded.events), ["step", "rule of 3"]);
}

async fn a_copy_made_before_opens_nothing_of_a_forgotten_person_and_everything_of_others(
    engine: EngineKind,
) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    for chat in 1..=3 {
        talk(&store, chat).await;
    }
    store.close().unwrap();
    let copied = home.root.path().join("copy");
    copy(&home.data(), &copied);
    let store = home.open().unwrap();
    let receipt = store.forget(PersonId(2), Timestamp(1_800_000_000_000), None).await;
    let receipt = receipt.unwrap().unwrap();
    assert!(receipt.text.contains("time: 2027-01-15T08:00:00Z"), "{}", receipt.text);
    assert_eq!(read(&store, 2).await, [""; 0]);
    assert_eq!(store.gauge().waiting, 2);
    store.close().unwrap();
    // The old copy takes the place of the data: whoever has it has every key that there still is.
    fs::remove_dir_all(home.data()).unwrap();
    fs::rename(copied, home.data()).unwrap();
    let store = home.open().unwrap();
    assert_eq!(read(&store, 2).await, [""; 0]);
    for other in [1, 3] {
        assert_eq!(read(&store, other).await, whole(other));
    }
    let open = store.open_sessions().await.unwrap();
    assert!(!open.contains(&session(2)), "nothing of them waits");
}

#[tokio::test]
async fn a_receipt_holds_and_a_changed_one_does_not() {
    let home = Home::new();
    let store = home.open().unwrap();
    talk(&store, 1).await;
    let text = store.forget(PersonId(1), Timestamp(1), None).await.unwrap().unwrap().text;
    let keys = Keys::open(&home.root.path().join("hall.key"), KeyPlace::Anywhere).unwrap();
    let own = store::receipt_key(&home.root.path().join("data.keyring"), &keys).unwrap();
    assert_eq!(verify_receipt(&text), Ok(own));
    for at in 0..text.trim_end().len() {
        let mut changed = text.clone().into_bytes();
        changed[at] ^= 1;
        if let Ok(changed) = String::from_utf8(changed) {
            assert!(verify_receipt(&changed).is_err(), "byte {at} of {text}");
        }
    }
}

/// Does nothing unless this process was started as a child: forgets one person after the other.
#[tokio::test]
async fn child() {
    let Ok(root) = env::var(ROLE) else { return };
    let store = open(Path::new(&root)).unwrap();
    let say = |line: String| {
        let mut out = std::io::stdout();
        out.write_all(line.as_bytes()).unwrap();
        out.flush().unwrap();
    };
    say("\nready\n".to_owned());
    for chat in 1..=PEOPLE {
        let told_by = Some(BotId(1));
        if store.forget(PersonId(chat), Timestamp(5), told_by).await.unwrap().is_some() {
            say(format!("\ngone {chat}\n"));
        }
    }
    say("\nall\n".to_owned());
}

/// Lets a child forget people and kills it; what it said was gone.
async fn forget_until_killed(root: &Path, after: Duration) -> Vec<i64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "erasing::child", "--nocapture", "--test-threads=1"])
        .env(ROLE, root)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().any(|line| line.unwrap() == "ready"));
    tokio::time::sleep(after).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = lines.map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("gone ")?.parse().ok()).collect()
}

async fn killed_at_any_moment_a_person_is_whole_or_gone_and_what_was_said_is_true(
    engine: EngineKind,
) {
    let mut random = Random::seeded();
    let home = Home::of(engine);
    let store = home.open().unwrap();
    for chat in 1..=PEOPLE {
        talk(&store, chat).await;
    }
    store.close().unwrap();
    let mut said = Vec::new();
    let mut gone_in_all = 0;
    for _ in 0..KILLS {
        let after = Duration::from_micros(random.below(30_000));
        said.extend(forget_until_killed(home.root.path(), after).await);
        let store = home.open().unwrap();
        let mut gone = Vec::new();
        for chat in 1..=PEOPLE {
            let found = read(&store, chat).await;
            assert!(found.is_empty() || found == whole(chat), "{chat}: {found:?}");
            if found.is_empty() {
                gone.push(chat);
            }
        }
        assert!(said.iter().all(|it| gone.contains(it)), "said {said:?}, gone {gone:?}");
        assert!(gone.len() <= said.len() + KILLS, "one at a time");
        let untold = store.untold_receipts().await.unwrap();
        assert_eq!(untold.len(), gone.len(), "whoever is gone can still be told");
        gone_in_all = gone.len();
        store.close().unwrap();
    }
    println!("{KILLS} kills, {gone_in_all} of {PEOPLE} people forgotten, {} confirmed", said.len());
    assert!(0 < gone_in_all);
}

#[tokio::test]
async fn without_its_own_keyring_a_store_is_refused_in_words() {
    let home = Home::new();
    let store = home.open().unwrap();
    talk(&store, 1).await;
    store.close().unwrap();
    let keyring = home.root.path().join("data.keyring");
    let older = fs::read(&keyring).unwrap();
    let store = home.open().unwrap();
    for chat in 2..40 {
        talk(&store, chat).await;
    }
    store.close().unwrap();
    let refusal = || home.open().err().unwrap().to_string();
    let put = |bytes: &[u8]| {
        let mut options = fs::OpenOptions::new();
        options.write(true).truncate(true).open(&keyring).unwrap().write_all(bytes).unwrap();
    };
    let newest = fs::read(&keyring).unwrap();
    put(&older);
    assert!(refusal().contains("is older than the data folder"), "{}", refusal());
    put(&newest[..newest.len() / 2]);
    assert!(home.open().is_err(), "half of it is not enough");
    put(&newest);
    let aside = home.root.path().join("aside");
    fs::rename(&keyring, &aside).unwrap();
    assert!(refusal().contains("is missing; without it no text can be read"), "{}", refusal());
    // Of another hall with the same master key.
    let keys = Keys::open(&home.root.path().join("hall.key"), KeyPlace::Anywhere).unwrap();
    let other = store::StoreConfig {
        keyring: keyring.clone(),
        ..store::StoreConfig::new(home.root.path().join("other"))
    };
    Store::open(other, keys).unwrap().close().unwrap();
    assert!(refusal().contains("does not belong to this data folder"), "{}", refusal());
    fs::rename(&aside, &keyring).unwrap();
    let store = home.open().unwrap();
    assert_eq!(read(&store, 39).await, whole(39));
}

#[tokio::test]
async fn a_new_master_key_takes_over_at_once_and_a_crash_in_between_is_finished() {
    let home = Home::new();
    let (key, beside) = (home.root.path().join("hall.key"), home.root.path().join("hall.key.new"));
    let keyring = home.root.path().join("data.keyring");
    let store = home.open().unwrap();
    talk(&store, 1).await;
    let old = fs::read_to_string(&key).unwrap();
    rotate(&store, &key, KeyPlace::Anywhere).await.unwrap();
    // The open store goes on, with new people too.
    talk(&store, 2).await;
    store.close().unwrap();
    let new = fs::read_to_string(&key).unwrap();
    assert!(new != old && !beside.exists());
    let with = |text: &str, path: &Path| {
        let keep = fs::OpenOptions::new().write(true).create(true).truncate(true).open(path);
        keep.unwrap().write_all(text.as_bytes()).unwrap();
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    with(&old, &key);
    assert!(matches!(home.open(), Err(OpenError::WrongKey)), "the old key is refused");
    // Killed after the keyring was wrapped anew: the key beside is the one.
    with(&new, &beside);
    let keys = open_master(&key, &keyring, KeyPlace::Anywhere).unwrap();
    assert_eq!((fs::read_to_string(&key).unwrap(), beside.exists()), (new.clone(), false));
    let store = Store::open(config(home.root.path()), keys).unwrap();
    for chat in [1, 2] {
        assert_eq!(read(&store, chat).await, whole(chat));
    }
    let elsewhere = home.root.path().join("elsewhere.key");
    rotate_to(&store, &elsewhere, KeyPlace::Anywhere).await.unwrap();
    store.close().unwrap();
    assert!(matches!(home.open(), Err(OpenError::WrongKey)), "it is another one now");
    fs::copy(&elsewhere, &key).unwrap();
    // Killed before: the key beside is not, whole or torn, and the next change makes another.
    for left in [old.as_str(), "0123"] {
        with(left, &beside);
        let keys = open_master(&key, &keyring, KeyPlace::Anywhere).unwrap();
        let store = Store::open(config(home.root.path()), keys).unwrap();
        rotate(&store, &key, KeyPlace::Anywhere).await.unwrap();
        store.close().unwrap();
        assert!(!beside.exists());
        let store = home.open().unwrap();
        assert_eq!(read(&store, 1).await, whole(1));
        store.close().unwrap();
    }
}
