//! Nothing is stored in the clear: no text and no id.

use std::{fs, path::Path};

use bytes::Bytes;
use protocol::{
    BotId, ChatId, PersonId, SessionKey, Timestamp, TopicId, UpdateId,
    ledger::{Append, Arrival, Ledger, Owned, Route, Seq, Snapshot, Stream},
};

use store::EngineKind;

use crate::common::Home;

for_each_engine!(a_thousand_marked_texts_and_their_ids_are_not_in_the_files);

const MARK: &str = "marked-plaintext";
const BOT: i64 = 7_111_222_333;
const CHAT: i64 = 5_444_555_000;
const UPDATE: i64 = 866_777_000;

fn files(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(fs::read(path).unwrap()) }
    }
}

fn holds(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

async fn a_thousand_marked_texts_and_their_ids_are_not_in_the_files(engine: EngineKind) {
    let home = Home::of(engine);
    let store = home.open().unwrap();
    for n in 0..1_000 {
        let key =
            SessionKey { bot: BotId(BOT), chat: ChatId(CHAT + n % 50), topic: Some(TopicId(n)) };
        let stream = Stream::Session(key);
        let text = |what| Bytes::from(format!("{MARK} {what} {n}"));
        let (update, owner) = (UpdateId(UPDATE + n), PersonId(CHAT + n % 50));
        let owned = |what| vec![Owned::by(owner, text(what))];
        let route = match n % 3 {
            0 => Route::Quarantined { raw: text("odd") },
            _ => Route::Session { key, owner, raw: text("raw") },
        };
        store.journal(BotId(BOT), vec![Arrival { update, route, at: Timestamp(1) }]).await.unwrap();
        let events = owned("events");
        let closes = vec![update];
        store.append(Append { stream, expected: Seq(0), events, closes }).await.unwrap();
        store.snapshot(Snapshot { stream, at: Seq(1), state: owned("state") }).await.unwrap();
    }
    store.close().unwrap();
    let mut found = Vec::new();
    files(home.root.path(), &mut found);
    assert!(1_000_000 < found.iter().map(Vec::len).sum::<usize>(), "there are files to search");
    let number = |id: i64| id.to_string().into_bytes();
    let mut needles = vec![MARK.as_bytes().to_vec(), MARK.as_bytes()[..8].to_vec()];
    for id in [BOT, CHAT, CHAT + 7, UPDATE, UPDATE + 77] {
        needles.extend([number(id), id.to_be_bytes().to_vec(), id.to_le_bytes().to_vec()]);
    }
    for file in &found {
        for needle in &needles {
            assert!(!holds(file, needle), "{:?}", String::from_utf8_lossy(needle));
        }
    }
}
