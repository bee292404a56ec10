//! What the conversations of several bots in one chat know of each other while the process lives: how far bots
//! have gone on among themselves there, and whose turn it is where a message calls several.
//!
//! Receives  what each conversation knows, and when it begins and ends with a message that calls several.
//! Gives     what the others know, and the moment when those who were called before are done.
//! Owns      nothing that must last: chains are in the conversations' states, and who waits for a turn that was
//!           forgotten in a crash waits a few seconds at most.
//!
//! Invariants: COMPANY-1 nobody waits longer than a limit for those who were called before.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, HashSet},
    rc::Rc,
    time::Duration,
};

use protocol::{ChatId, PersonId, SessionKey, Timestamp, TopicId, inbound::Said};
use tokio::{sync::watch, time::Instant};

use crate::chain::Chain;

/// How long one who was called before may take until their message has arrived.
pub const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(3);
/// Chats of which it is known how bots talk there. Past that, those that are longest silent go.
const CHATS_MAX: usize = 10_000;
/// Messages that call several, at a time.
const CALLS_MAX: usize = 10_000;
/// For so long it is known who answered such a message.
const CALL_TIME_MAX: Duration = Duration::from_secs(3_600);

/// A message that calls several bots, whichever of them received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    chat: ChatId,
    topic: Option<TopicId>,
    by: Option<PersonId>,
    written: Timestamp,
    mark: u64,
}

impl Call {
    /// The call that a message is; `None` if it calls no more than one.
    #[must_use]
    pub fn of(key: SessionKey, said: &Said) -> Option<Self> {
        let by = said.person.as_ref().map(|it| it.id);
        let (chat, topic, written, mark) = (key.chat, key.topic, said.written, said.company.mark);
        (1 < said.company.called.len()).then_some(Self { chat, topic, by, written, mark })
    }
}

/// How far a bot is with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Begun,
    Ended,
}

#[derive(Debug)]
struct Turns {
    since: Instant,
    by_name: BTreeMap<String, Turn>,
}

/// See the file head. Clones share it.
#[derive(Clone, Debug)]
pub struct Company(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Our bots, in small letters.
    names: RefCell<HashSet<String>>,
    chains: RefCell<HashMap<ChatId, BTreeMap<SessionKey, Chain>>>,
    turns: RefCell<HashMap<Call, Turns>>,
    news: watch::Sender<()>,
}

impl Default for Company {
    fn default() -> Self {
        let (names, chains, turns) = Default::default();
        Self(Rc::new(Shared { names, chains, turns, news: watch::Sender::new(()) }))
    }
}

impl Company {
    /// A bot of the hall is there.
    pub fn welcome(&self, name: &str) {
        self.0.names.borrow_mut().insert(name.to_ascii_lowercase());
    }

    /// What all other conversations of a chat know of its chain.
    #[must_use]
    pub fn others(&self, key: SessionKey) -> Chain {
        let mut all = Chain::default();
        if let Some(chains) = self.0.chains.borrow().get(&key.chat) {
            chains.iter().filter(|(it, _)| **it != key).for_each(|(_, it)| all.lay_beside(it));
        }
        all
    }

    /// What a conversation knows now.
    pub fn tell(&self, key: SessionKey, chain: &Chain) {
        let mut chains = self.0.chains.borrow_mut();
        if CHATS_MAX <= chains.len() && !chains.contains_key(&key.chat) {
            let newest = |it: &BTreeMap<SessionKey, Chain>| it.values().map(Chain::newest).max();
            let oldest = chains.iter().min_by_key(|(_, it)| newest(it)).map(|(chat, _)| *chat);
            oldest.into_iter().for_each(|it| drop(chains.remove(&it)));
        }
        chains.entry(key.chat).or_default().insert(key, chain.clone());
    }

    /// A bot has a call before it.
    pub fn begun(&self, call: Call, name: &str) {
        let mut turns = self.0.turns.borrow_mut();
        if CALLS_MAX <= turns.len() && !turns.contains_key(&call) {
            turns.retain(|_, it| it.since.elapsed() < CALL_TIME_MAX);
            if CALLS_MAX <= turns.len() {
                turns.clear();
            }
        }
        let since = Instant::now();
        let all = turns.entry(call).or_insert_with(|| Turns { since, by_name: BTreeMap::new() });
        all.by_name.entry(name.to_ascii_lowercase()).or_insert(Turn::Begun);
        drop(turns);
        self.0.news.send_replace(());
    }

    /// A bot has answered a call, or given up.
    pub fn ended(&self, call: Call, name: &str) {
        if let Some(turns) = self.0.turns.borrow_mut().get_mut(&call) {
            turns.by_name.insert(name.to_ascii_lowercase(), Turn::Ended);
        }
        self.0.news.send_replace(());
    }

    /// Ends when those of ours who were called before are done, or have had their time. COMPANY-1.
    pub async fn turn(&self, call: Call, before: &[String], time_max: Duration) {
        let mut news = self.0.news.subscribe();
        let begun = Instant::now();
        loop {
            news.mark_unchanged();
            let limits = before.iter().filter_map(|it| self.limit_of(call, it, time_max));
            let until = limits.map(|it| begun + it).filter(|it| Instant::now() < *it).max();
            let Some(until) = until else { return };
            tokio::select! {
                _ = news.changed() => (),
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }

    /// How long one who was called before is waited for; `None`: not at all.
    fn limit_of(&self, call: Call, name: &str, time_max: Duration) -> Option<Duration> {
        if !self.0.names.borrow().contains(name) {
            return None;
        }
        let turns = self.0.turns.borrow();
        match turns.get(&call).and_then(|it| it.by_name.get(name)) {
            None => Some(ARRIVAL_TIME_MAX.min(time_max)),
            Some(Turn::Begun) => Some(time_max),
            Some(Turn::Ended) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Call =
        Call { chat: ChatId(-5), topic: None, by: None, written: Timestamp(1), mark: 7 };
    const TIME_MAX: Duration = Duration::from_secs(60);

    fn company() -> Company {
        let company = Company::default();
        ["coder", "scribe"].iter().for_each(|it| company.welcome(it));
        company
    }

    async fn waits(company: &Company, before: &[&str]) -> Duration {
        let before: Vec<String> = before.iter().map(|it| (*it).to_owned()).collect();
        let begun = Instant::now();
        company.turn(CALL, &before, TIME_MAX).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn company_1_nobody_waits_for_ever() {
        let company = company();
        assert_eq!(waits(&company, &[]).await, Duration::ZERO);
        assert_eq!(waits(&company, &["somebody"]).await, Duration::ZERO, "no bot of ours");
        assert!(waits(&company, &["coder"]).await < Duration::from_secs(4), "it never came");
        company.begun(CALL, "Coder");
        let hung = waits(&company, &["coder"]).await;
        assert!(TIME_MAX <= hung && hung < TIME_MAX * 2, "{hung:?}");
        company.ended(CALL, "coder");
        assert_eq!(waits(&company, &["coder"]).await, Duration::ZERO);
        company.begun(CALL, "coder");
        assert_eq!(waits(&company, &["coder"]).await, Duration::ZERO, "what is over stays over");
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_begins_when_the_first_is_done() {
        let company = company();
        company.begun(CALL, "coder");
        let first = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            company.ended(CALL, "coder");
        };
        let (waited, ()) = tokio::join!(waits(&company, &["coder", "scribe"]), first);
        assert_eq!(waited.as_secs(), 5, "scribe never came, and its three seconds were over");
    }

    #[test]
    fn what_others_know_of_a_chat_does_not_leave_it() {
        use protocol::{BotId, company::BotLink};
        let company = company();
        let key = |bot, chat| SessionKey { bot: BotId(bot), chat: ChatId(chat), topic: None };
        let mut chain = Chain::default();
        chain.take(BotLink::Answered { hops: 3, at: Timestamp(9) });
        company.tell(key(1, -5), &chain);
        assert!(company.others(key(2, -5)).has_begun());
        assert!(!company.others(key(2, -6)).has_begun() && !company.others(key(1, -5)).has_begun());
    }
}
