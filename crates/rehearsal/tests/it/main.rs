//! The served rehearsal, seen from outside: as a bot, as a person and as a test sees it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic in what a test calls fails that test, as it should"
)]

mod desk;
mod faults;
mod messages;
mod people;
mod polling;
mod speed;
mod webhooks;

use std::time::Duration;

use rehearsal::{BotSeed, Config, GroupSeed, PersonSeed, Rehearsal, Say};
use serde_json::Value;

pub(crate) const TOKEN: &str = "100:AAHtoken";
pub(crate) const BOT: i64 = 100;
pub(crate) const ADA: i64 = 1001;
pub(crate) const BEN: i64 = 1002;
pub(crate) const GROUP: i64 = -500;
pub(crate) const FORUM: i64 = -1_001_000_000_500;
pub(crate) const OLD_QUERY: &str =
    "Bad Request: query is too old and response timeout expired or query ID is invalid";

/// A rehearsal with one bot, two people, a group and a forum, and a client to call it.
pub(crate) struct Hall {
    pub(crate) rehearsal: Rehearsal,
    pub(crate) client: reqwest::Client,
}

pub(crate) fn config() -> Config {
    let group = |id: i64, topics: &[i64]| GroupSeed {
        id,
        title: "Room".to_owned(),
        members: vec![BEN],
        admins: vec![ADA],
        topics: topics.iter().map(|id| (*id, format!("Topic {id}"))).collect(),
    };
    Config {
        bots: vec![BotSeed {
            token: TOKEN.to_owned(),
            username: "hall_bot".to_owned(),
            name: "Hall".to_owned(),
            reads_all_group_messages: false,
            ..BotSeed::default()
        }],
        people: vec![PersonSeed::new(ADA, "Ada").with_role("admin"), PersonSeed::new(BEN, "Ben")],
        groups: vec![group(GROUP, &[]), group(FORUM, &[7])],
        webhook_retry: Duration::from_millis(20),
        webhook_retry_max: Duration::from_millis(100),
        ..Config::default()
    }
}

impl Hall {
    pub(crate) async fn open() -> Self {
        Self::open_with(config()).await
    }

    pub(crate) async fn open_with(config: Config) -> Self {
        let rehearsal = Rehearsal::start(config).await.expect("a free port on loopback");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { rehearsal, client }
    }

    pub(crate) fn url(&self, method: &str) -> String {
        format!("{}/bot{TOKEN}/{method}", self.rehearsal.url())
    }

    /// Calls a method with a JSON body; gives the whole answer.
    pub(crate) async fn call(&self, method: &str, body: Value) -> Value {
        let request = self.client.post(self.url(method)).json(&body);
        request.send().await.expect("an answer").json().await.expect("JSON")
    }

    /// Calls a method that must work; gives its result.
    pub(crate) async fn ok(&self, method: &str, body: Value) -> Value {
        let mut answer = self.call(method, body).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer["result"].take()
    }

    /// Calls a method that must be refused; gives the code and the words.
    pub(crate) async fn refused(&self, method: &str, body: Value) -> String {
        let answer = self.call(method, body).await;
        assert_eq!(answer["ok"], false, "{method}: {answer}");
        let words = answer["description"].as_str().expect("words");
        format!("{} {words}", answer["error_code"])
    }

    pub(crate) fn say(&self, person: i64, text: &str) -> i64 {
        let say = Say { person, text: text.to_owned(), ..Say::default() };
        self.rehearsal.world().say(&say).expect("a person of this hall").message_id
    }

    pub(crate) fn say_in(&self, chat: i64, person: i64, text: &str) -> rehearsal::Said {
        let say = Say { person, chat: Some(chat), text: text.to_owned(), ..Say::default() };
        self.rehearsal.world().say(&say).expect("a member of the group")
    }

    /// Orders something at `/ctl/` or `/chat/`.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.rehearsal.url());
        let request = self.client.post(url).json(&body);
        request.send().await.expect("an answer").json().await.expect("JSON")
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.rehearsal.url());
        self.client.get(url).send().await.expect("an answer").json().await.expect("JSON")
    }
}

/// The update ids of a `getUpdates` result.
pub(crate) fn ids(updates: &Value) -> Vec<i64> {
    let updates = updates.as_array().expect("an array");
    updates.iter().map(|update| update["update_id"].as_i64().expect("an id")).collect()
}

/// Waits until `done`, a level and not an event, or fails after five seconds.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(5), async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what} did not happen");
}
