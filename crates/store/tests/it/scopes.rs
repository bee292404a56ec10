//! Memories of one scope are read in that scope and in no other, also after the store was closed.

use bytes::Bytes;
use protocol::{
    BotId, ChatId, PersonId, SessionKey, TopicId,
    ledger::{Append, Ledger, Owned, Seq, Stream},
    memory::{Scope, Space},
};

use crate::common::{Home, Random, texts};

/// Scopes that differ in one part of the key at least.
fn scopes() -> Vec<Scope> {
    let mut scopes = Vec::new();
    for bot in 1..=2 {
        for chat in [-5, 5, 6] {
            for topic in [None, Some(TopicId(5)), Some(TopicId(6))] {
                for space in ["sage", "sages", "@sage", "poet", "~7", "~77"] {
                    let session = SessionKey { bot: BotId(bot), chat: ChatId(chat), topic };
                    let space = Space::try_from(space.to_owned()).unwrap();
                    scopes.push(Scope { session, space });
                }
            }
        }
    }
    scopes
}

#[tokio::test]
async fn ten_thousand_reads_at_random_bring_nothing_of_another_scope() {
    let (home, scopes) = (Home::new(), scopes());
    let store = home.open().unwrap();
    for round in 0..3_u64 {
        for scope in &scopes {
            let owner = PersonId(scope.session.chat.0);
            let events = vec![Owned::by(owner, format!("{scope:?} {round}"))];
            let (stream, expected) = (Stream::Memories(*scope), Seq(round));
            let append = Append { stream, expected, events, closes: Vec::new() };
            assert_eq!(store.append(append).await.unwrap(), Seq(round + 1));
        }
    }
    // The conversation itself and its memories are two streams.
    let talk = Stream::Session(scopes[0].session);
    assert_eq!(store.load(talk).await.unwrap().at, Seq(0));
    store.close().unwrap();
    let store = home.open().unwrap();
    let mut random = Random::seeded();
    for _ in 0..10_000 {
        let scope = scopes[usize::try_from(random.below(scopes.len() as u64)).unwrap()];
        let loaded = store.load(Stream::Memories(scope)).await.unwrap();
        let own: Vec<Bytes> = (0..3).map(|it| Bytes::from(format!("{scope:?} {it}"))).collect();
        assert_eq!((texts(&loaded.events), loaded.at), (own, Seq(3)));
    }
    let past = store.past(protocol::ledger::PastFrom::Time(protocol::Timestamp(0))).await.unwrap();
    assert!(past.events.is_empty(), "what is only a memory is no conversation");
    store.close().unwrap();
}
