//! Promise S9: what a person brought to be read is found for that person, in that conversation, and nowhere
//! else, whatever people do, and whatever fails in between.

use std::collections::BTreeMap;

use protocol::{
    BotId, ChatId, SessionKey,
    document::PaperId,
    model::{
        CompleteError, Completion, Finish, Model, ModelRequest, Role as Speaker, ToolCall, Usage,
    },
};
use serde_json::json;

use super::*;
use crate::{papers, senses::Senses};

const GROUP: i64 = -100;
const PEOPLE: [i64; 3] = [GUEST, FRIEND, ADMIN];

/// Searches the files of whoever asks for the last word of what they ask, and says what it found.
struct Searcher;

#[async_trait::async_trait]
impl Model for Searcher {
    fn name(&self) -> &str {
        "echo"
    }

    fn prompt_tokens_max(&self, _: u32) -> usize {
        100_000
    }

    fn calls_tools(&self) -> bool {
        true
    }

    async fn complete(
        &self,
        request: &ModelRequest,
        _: &mut (dyn for<'t> FnMut(&'t str) + Send),
    ) -> Result<Completion, CompleteError> {
        let last = request.turns.last().unwrap();
        let word = last.content.split_whitespace().last().unwrap_or("nothing");
        let searches = last.role == Speaker::User && !request.tools.is_empty();
        let call = || ToolCall {
            id: "a".to_owned(),
            name: papers::SEARCH.to_owned(),
            arguments: json!({ "query": word, "person": ADMIN }).to_string(),
        };
        let calls = if searches { vec![call()] } else { Vec::new() };
        let text = match last.role {
            Speaker::Tool => format!("I found: {}", last.content),
            Speaker::System | Speaker::User | Speaker::Assistant => format!("echo: {word}"),
        };
        let text = if searches { String::new() } else { text };
        let (model, usage) = ("echo".to_owned(), Usage::default());
        Ok(Completion { text, model, usage, finish: Finish::Stop, calls })
    }
}

fn searching(chat: &Arc<FakeMessenger>, ledger: &Arc<FakeLedger>) -> Wiring {
    let wiring = wiring(chat, ledger);
    let mut founding = founding();
    founding.agents[0].tools = vec![papers::SEARCH.to_owned()];
    founding.allowed.insert(GROUP);
    let mut session = session_config();
    session.house.abilities.reads_bytes_max = Some(1 << 20);
    let mut ingress = wiring.ingress;
    (ingress.person_per_minute, ingress.chat_per_minute) = (0, 0);
    Wiring {
        models: [Arc::new(Searcher) as _].into(),
        founding: Arc::new(founding),
        senses: Senses::new(tokio::runtime::Handle::current()).reading(1 << 20),
        session: Arc::new(session),
        ingress,
        ..wiring
    }
}

/// Waits until an update has ended.
async fn ended(ledger: &FakeLedger) {
    tokio::time::sleep(Duration::from_millis(50)).await;
    at_rest(ledger).await;
}

async fn bring(chat: &FakeMessenger, ledger: &FakeLedger, update: i64, of: (i64, i64), text: &str) {
    let (person, place) = of;
    let caption = "What is this, please";
    chat.put(update, &json!({"person": person, "chat": place, "text": caption, "file": text}));
    ended(ledger).await;
}

fn last_said(chat: &FakeMessenger, place: i64) -> String {
    let sent = chat.sent.lock().unwrap();
    let found = sent.iter().rev().find(|(to, it)| to.0 == place && it.contains("I found"));
    found.map(|(_, it)| it.clone()).unwrap_or_default()
}

#[test]
fn papers_1_people_in_private_and_in_a_group_find_their_own_files_alone_at_random() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    stands_with(|| searching(&chat, &ledger), async {
        let places = |person: i64| [(person, person), (person, GROUP)];
        let cells: Vec<(i64, i64)> = PEOPLE.into_iter().flat_map(places).collect();
        let mut update = 0;
        for (number, (person, place)) in cells.iter().enumerate() {
            update += 1;
            let text = format!("The common lantern is kept by keeper{number}.");
            bring(&chat, &ledger, update, (*person, *place), &text).await;
        }
        let mut dice = 88_172_645_463_325_252_u64;
        let mut asked = BTreeMap::<usize, u32>::new();
        for _ in 0..120 {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let number = usize::try_from(dice % 6).unwrap();
            let (person, place) = cells[number];
            update += 1;
            chat.write_in(place, update, person, "Look for the lantern");
            ended(&ledger).await;
            let said = last_said(&chat, place);
            let own = format!("keeper{number}");
            assert_eq!(said.matches("keeper").count(), said.matches(&own).count(), "{said}");
            assert!(said.contains(&own), "{own} is not in {said}");
            *asked.entry(number).or_default() += 1;
        }
        assert_eq!(asked.len(), 6, "{asked:?}");
    });
}

#[test]
fn papers_are_listed_deleted_exported_and_forgotten_and_others_stay() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    stands_with(|| searching(&chat, &ledger), async {
        bring(&chat, &ledger, 1, (GUEST, GUEST), "My lighthouse is red.").await;
        chat.wait_for(GUEST, "I keep the text of “file-2.txt”").await;
        bring(&chat, &ledger, 2, (FRIEND, FRIEND), "My windmill is white.").await;
        bring(&chat, &ledger, 3, (GUEST, GUEST), "My lighthouse is red.").await;
        assert_eq!(chat.count(GUEST, "I keep the text"), 1, "the same once more is not kept");
        chat.write(4, GUEST, "/files");
        chat.wait_for(GUEST, "1. file-2.txt (1 KB, 1970-01-01)").await;
        assert_eq!(chat.count(GUEST, "2. file-2.txt"), 0);

        // In a group the list is for nobody else's eyes.
        chat.write_in(GROUP, 5, GUEST, "/files");
        chat.wait_for(GROUP, &format!("to {GUEST} alone: I keep none of your files")).await;

        // A forged button, an own one, and that once more.
        let forged = crate::papers::button(PaperId(0), PersonId(FRIEND));
        let press = |update: i64, person: i64, data: &str| {
            chat.put(update, &json!({"person": person, "chat": person, "press": data}));
        };
        press(6, GUEST, &forged);
        chat.wait_for(GUEST, "Those are somebody else's files").await;
        chat.write(7, GUEST, "/export");
        chat.wait_for(GUEST, "My lighthouse is red.").await;
        press(8, FRIEND, &forged);
        chat.wait_for(FRIEND, "“file-3.txt” is deleted").await;
        press(9, FRIEND, &forged);
        chat.wait_for(FRIEND, "is not kept any more").await;
        chat.write(10, FRIEND, "Look for the windmill");
        chat.wait_for(FRIEND, "has brought no files").await;
        bring(&chat, &ledger, 11, (FRIEND, FRIEND), "My windmill is green.").await;

        chat.write(12, GUEST, "/forget yes");
        chat.wait_for(GUEST, "a receipt of").await;
        let left = ledger.everything();
        assert!(!left.contains("lighthouse"), "{left}");
        assert!(left.contains("My windmill is green."));
        chat.write(13, GUEST, "/files");
        chat.wait_for(GUEST, "I keep none of your files").await;
        chat.write(14, FRIEND, "Look for the windmill");
        chat.wait_for(FRIEND, "My windmill is green.").await;
    });
}

#[test]
fn a_ledger_that_is_away_loses_no_file_and_keeps_none_twice() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    stands_with(|| searching(&chat, &ledger), async {
        bring(&chat, &ledger, 1, (GUEST, GUEST), "My lighthouse is red.").await;
        let text = "My windmill is white.";
        let caption = "And this, please";
        chat.put(2, &json!({"person": GUEST, "chat": GUEST, "text": caption, "file": text}));
        tokio::time::sleep(Duration::from_millis(45)).await;
        ledger.fails.store(true, Relaxed);
        tokio::time::sleep(Duration::from_secs(2)).await;
        ledger.fails.store(false, Relaxed);
        ended(&ledger).await;
        chat.write(3, GUEST, "/files");
        chat.wait_for(GUEST, "2. file-2.txt").await;
        assert_eq!(chat.count(GUEST, "3. file-2.txt"), 0);
    });
}

#[test]
fn a_long_stream_of_papers_is_folded_and_says_the_same() {
    let (chat, ledger) = (Arc::new(FakeMessenger::new()), Arc::<FakeLedger>::default());
    stands_with(|| searching(&chat, &ledger), async {
        for update in 1..=40 {
            bring(&chat, &ledger, 2 * update, (GUEST, GUEST), &format!("Line {update}.")).await;
            if 3 < update {
                let id = PaperId(u64::try_from(update).unwrap() - 4);
                let press = crate::papers::button(id, PersonId(GUEST));
                chat.put(2 * update + 1, &json!({"person": GUEST, "chat": GUEST, "press": press}));
                ended(&ledger).await;
            }
        }
        let key = SessionKey { bot: BotId(9), chat: ChatId(GUEST), topic: None };
        let loaded = ledger.load(papers::stream(key, PersonId(GUEST))).await.unwrap();
        assert!(loaded.snapshot.is_some() && loaded.appends < 20, "{}", loaded.appends);
        let cabinet = papers::Cabinet::fold(&loaded).unwrap();
        let texts: Vec<&str> = cabinet.papers().iter().map(|it| it.text.as_str()).collect();
        assert_eq!(texts, ["Line 38.", "Line 39.", "Line 40."]);
    });
}
