//! What a rehearsal is made of: bots, people, groups and limits.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::desk::Desk;
use crate::faults::{Faults, FloodLimits};

/// Everything a rehearsal starts with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 picks a free one.
    pub addr: SocketAddr,
    /// The bots; at least one.
    pub bots: Vec<BotSeed>,
    /// The people.
    pub people: Vec<PersonSeed>,
    /// The groups; every bot is a member of each.
    pub groups: Vec<GroupSeed>,
    /// Whether to keep a history for the checker.
    pub record: bool,
    /// Records of each kind the history keeps before it only counts.
    pub records_max: usize,
    /// Messages each chat remembers; older ones can no longer be edited or answered.
    pub messages_per_chat_max: usize,
    /// The `update_id` of each bot's first update.
    pub first_update_id: i64,
    /// Second wait of a webhook delivery that failed (the first retry is at once); it doubles from there.
    pub webhook_retry: Duration,
    /// Longest wait between two tries of a webhook delivery.
    pub webhook_retry_max: Duration,
    /// How long a pressed button waits for its answer.
    pub callback_lifetime: Duration,
    /// Seed of the faults.
    pub seed: u64,
    /// What goes wrong from the start.
    pub faults: Faults,
    /// Flood limits from the start.
    pub flood: FloodLimits,
    /// Address of the operator's console, shown as a link on the chat page.
    pub console_url: Option<String>,
    /// Sentences to try, offered under private chats on the chat page.
    pub suggestions: Vec<Suggestion>,
    /// The operator's desk beside the chats; shown only to this machine.
    pub desk: Option<Desk>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            bots: vec![BotSeed::default()],
            people: vec![
                PersonSeed::new(1001, "Ada").with_role("admin"),
                PersonSeed::new(1002, "Ben"),
            ],
            groups: Vec::new(),
            record: true,
            records_max: 1_000_000,
            messages_per_chat_max: 1000,
            first_update_id: 100_000_001,
            webhook_retry: Duration::from_secs(2),
            webhook_retry_max: Duration::from_secs(60),
            callback_lifetime: Duration::from_secs(15 * 60),
            seed: 1,
            faults: Faults::default(),
            flood: FloodLimits::default(),
            console_url: None,
            suggestions: Vec::new(),
            desk: None,
        }
    }
}

/// A sentence to try, one click on the chat page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What the button says.
    pub label: String,
    /// What is sent then.
    pub text: String,
    /// What it shows: buttons that show the same stand together under this word.
    #[serde(default)]
    pub shows: String,
    /// A sample of the page that is sent with it: `voice.ogg`, `plan.txt` or `lease.pdf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// One bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotSeed {
    /// `<id>:<secret>`, as BotFather gives it.
    pub token: String,
    /// Username without `@`.
    pub username: String,
    /// Display name.
    pub name: String,
    /// Whether privacy mode is off, so that it sees every message of its groups.
    #[serde(default)]
    pub reads_all_group_messages: bool,
    /// Whether it gets to read what other bots write in its groups, where that concerns it.
    #[serde(default)]
    pub hears_bots: bool,
    /// Whether it may have bots made that it manages.
    #[serde(default)]
    pub manages_bots: bool,
}

impl Default for BotSeed {
    fn default() -> Self {
        Self {
            token: "123456:AAHrehearsalrehearsalrehearsalrehea".to_owned(),
            username: "guildhall_bot".to_owned(),
            name: "Guildhall".to_owned(),
            reads_all_group_messages: false,
            hears_bots: false,
            manages_bots: false,
        }
    }
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonSeed {
    /// Telegram user id.
    pub id: i64,
    /// First name.
    pub first_name: String,
    /// Username without `@`.
    #[serde(default)]
    pub username: Option<String>,
    /// IETF language tag of their app.
    #[serde(default)]
    pub language_code: Option<String>,
    /// A label for the chat page: `admin` or `user`. It means nothing to this server.
    #[serde(default = "user_role")]
    pub role: String,
}

fn user_role() -> String {
    "user".to_owned()
}

impl PersonSeed {
    /// A person with the label `user` and an English app.
    #[must_use]
    pub fn new(id: i64, first_name: impl Into<String>) -> Self {
        let first_name = first_name.into();
        let username = first_name.to_lowercase();
        Self {
            id,
            first_name,
            username: Some(username),
            language_code: Some("en".to_owned()),
            role: user_role(),
        }
    }

    /// The same person under another label.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        self.role = role.into();
        self
    }
}

/// One group. Supergroups have ids below -1000000000000.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSeed {
    /// Chat id, negative.
    pub id: i64,
    /// Title.
    pub title: String,
    /// Ids of the people in it.
    pub members: Vec<i64>,
    /// Those of them who administer it.
    #[serde(default)]
    pub admins: Vec<i64>,
    /// Forum topics by thread id; a group with topics is a forum. General (1) need not be named.
    #[serde(default)]
    pub topics: Vec<(i64, String)>,
}
