//! What was acknowledged survives kill -9 and a disk that takes no more, exactly once.
//!
//! A child is this test binary, started again with a role and a folder in its environment.

use std::{
    env,
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use protocol::ledger::{Ledger, LedgerError, Seq, Snapshot, Stream};
use store::{EngineKind, OpenError, Store, StoreHealth};

use crate::common::{Home, Random, append, arrival, open, owned, session};

for_each_engine!(
    what_was_acknowledged_survives_a_hundred_kills,
    a_disk_that_takes_no_more_loses_nothing_that_was_acknowledged,
);

const ROLE: &str = "STORE_TEST_ROLE";
const ROOT: &str = "STORE_TEST_ROOT";
const CHATS: i64 = 4;

pub(crate) fn child_command() -> Vec<String> {
    let program = env::current_exe().unwrap().to_string_lossy().into_owned();
    [&program, "--exact", "kills::child", "--nocapture", "--test-threads=1"]
        .map(String::from)
        .into()
}

pub(crate) fn child_environment(command: &mut Command, role: &str, root: &Path) {
    command.env(ROLE, role).env(ROOT, root);
}

fn start(command: &[String], role: &str, root: &Path) -> Child {
    let mut child = Command::new(&command[0]);
    child_environment(&mut child, role, root);
    child.args(&command[1..]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Does nothing unless this process was started as a child.
#[tokio::test]
async fn child() {
    let Ok(role) = env::var(ROLE) else { return };
    let opened = open(Path::new(&env::var(ROOT).unwrap()));
    if role == "through-errors" {
        return through_errors(opened).await;
    }
    let store = opened.unwrap();
    match role.as_str() {
        "until-killed" => {
            tokio::join!(turns(&store, 0), turns(&store, 1), turns(&store, 2), turns(&store, 3));
        }
        "until-full" => {
            let acknowledged = turns(&store, 0).await;
            let again = store.append(append(1, 0, "x", &[])).await;
            assert!(matches!(again, Err(LedgerError::Unavailable(_))));
            let read = store.load(Stream::Session(session(0))).await;
            match read {
                Err(LedgerError::Unavailable(_)) => {}
                // The write that failed was a checkpoint.
                Ok(loaded) if loaded.at.0 == acknowledged => {}
                other => panic!("WRITER-3: what is in doubt is not read: {other:?}"),
            }
            assert!(matches!(store.health(), StoreHealth::Failed(_)), "{:?}", store.health());
            assert!(store.close().is_err());
            say("refused");
        }
        other => panic!("no such role: {other}"),
    }
}

/// A few turns of two chats, with snapshots. Failing is no shame; it is said.
async fn through_errors(opened: Result<Store, OpenError>) {
    let Ok(store) = opened else { return say("refused") };
    for chat in 0..2 {
        if turns_until(&store, chat, 6, 3).await < 6 {
            say("refused");
            break;
        }
    }
    if store.close().is_err() {
        say("refused");
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Turns of one chat, one after the other, until the store fails. Says each that is acknowledged.
/// Returns how many appends were.
async fn turns(store: &Store, chat: i64) -> u64 {
    turns_until(store, chat, u64::MAX, 50).await
}

/// As `turns`, up to a number of them.
async fn turns_until(store: &Store, chat: i64, end: u64, snapshot_every: u64) -> u64 {
    let stream = Stream::Session(session(chat));
    let Ok(loaded) = store.load(stream).await else { return 0 };
    let mut seq = loaded.at.0;
    while seq < end {
        let update = seq as i64 * CHATS + chat;
        let text = format!("chat {chat} turn {seq} {}", "x".repeat(400));
        let batch = vec![arrival(chat, update, text.clone())];
        if store.journal(session(chat).bot, batch).await.is_err() {
            return seq;
        }
        if store.append(append(chat, seq, text, &[update])).await.is_err() {
            return seq;
        }
        say(&format!("done {chat} {seq}"));
        seq += 1;
        if seq.is_multiple_of(snapshot_every) {
            let state = owned(chat, format!("chat {chat} until {seq}"));
            if store.snapshot(Snapshot { stream, at: Seq(seq), state }).await.is_err() {
                return seq;
            }
        }
    }
    seq
}

/// The number of turns that a child said it had done, per chat.
fn said(child: &mut Child, before: [u64; CHATS as usize]) -> ([u64; CHATS as usize], bool) {
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    (said_in(&text, before), text.contains("\nrefused\n"))
}

pub(crate) fn said_in(text: &str, before: [u64; CHATS as usize]) -> [u64; CHATS as usize] {
    let mut done = before;
    for line in text.lines().filter_map(|line| line.strip_prefix("done ")) {
        // The last line may have been cut by the kill.
        let Some((chat, seq)) = line.split_once(' ') else { continue };
        let (Ok(chat), Ok(seq)) = (chat.parse::<usize>(), seq.parse::<u64>()) else { continue };
        done[chat] = done[chat].max(seq + 1);
    }
    done
}

pub(crate) async fn check(store: &Store, done: [u64; CHATS as usize]) -> [u64; CHATS as usize] {
    let mut found = done;
    for (chat, done) in (0..CHATS).zip(done) {
        let stream = Stream::Session(session(chat));
        let all = store.read_all(stream).await.unwrap();
        for (seq, text) in all.iter().enumerate() {
            let expected = format!("chat {chat} turn {seq} ");
            assert!(text[0].bytes.starts_with(expected.as_bytes()), "{chat} {seq}: lost or twice");
        }
        let len = all.len() as u64;
        assert!((done..=done + 1).contains(&len), "WRITER-1: chat {chat} said {done}, found {len}");
        let waiting = store.waiting(session(chat), 0).await.unwrap();
        assert!(waiting.iter().all(|wait| wait.update.0 == len as i64 * CHATS + chat));
        found[chat as usize] = len;
    }
    found
}

async fn what_was_acknowledged_survives_a_hundred_kills(engine: EngineKind) {
    let mut random = Random::seeded();
    let home = Home::of(engine);
    let mut done = [0; CHATS as usize];
    let kills = env::var("STORE_TEST_KILLS").map_or(100, |kills| kills.parse().unwrap());
    for kill in 0..kills {
        let mut child = start(&child_command(), "until-killed", home.root.path());
        // Every second one while it opens, the others anywhere.
        let limit = if kill % 2 == 0 { 50_000 } else { 400_000 };
        tokio::time::sleep(Duration::from_micros(random.below(limit))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let (acknowledged, _) = said(&mut child, done);
        let store = home.open().unwrap_or_else(|error| panic!("kill {kill}: {error:?}"));
        done = check(&store, acknowledged).await;
        if kill % 3 == 0 {
            store.close().unwrap();
        }
    }
    println!("turns done: {done:?}");
    assert!(done.iter().all(|done| 0 < *done), "the children did work");
}

/// `ulimit -f` stands in for a full disk; the signal is ignored, so the write fails.
async fn a_disk_that_takes_no_more_loses_nothing_that_was_acknowledged(engine: EngineKind) {
    let home = Home::of(engine);
    home.open().unwrap().close().unwrap();
    let mut command = vec!["sh".to_owned(), "-c".to_owned()];
    command.push("trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\"".to_owned());
    command.extend(child_command());
    let mut child = start(&command, "until-full", home.root.path());
    let (done, refused) = said(&mut child, [0; CHATS as usize]);
    child.wait().unwrap();
    assert!(refused, "the child met the limit and said so");
    assert!(100 < done[0], "it did work before: {done:?}");
    let store = home.open().unwrap();
    check(&store, done).await;
    store.append(append(2, 0, "goes on", &[])).await.unwrap();
}
