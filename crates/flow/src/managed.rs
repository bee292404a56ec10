//! Bots that Telegram makes for agents of this hall: who wants one, and those that there are. Pure.
//!
//! An admin wants one, confirms it in Telegram, and the bot that manages it is told. Its token is fetched then and is
//! kept in the hall's stream, sealed with it; it is in no log, no configuration and no view that is shown.
//!
//! Invariants: MANAGED-1 a bot is an agent's own only if an admin wanted one for that agent. MANAGED-2 of an agent
//! that is let go no bot is connected, and its bot answers for nobody else.

use std::collections::BTreeMap;

use protocol::{AgentName, BotId, PersonId, Token};
use serde::{Deserialize, Serialize};

/// Bots of agents' own at a time.
pub const MANAGED_MAX: usize = 50;

/// What happens to the bots that Telegram makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "bots", rename_all = "snake_case")]
pub enum BotChange {
    /// An admin wants one for an agent.
    Wanted {
        /// Which agent.
        name: AgentName,
        /// Who.
        owner: i64,
    },
    /// It is there, or has another token.
    Given {
        /// The agent whose own it is.
        name: AgentName,
        /// Which bot.
        bot: i64,
        /// What it is called behind the `@`.
        username: String,
        /// Whose bot it is in Telegram.
        owner: i64,
        /// The bot of ours that manages it.
        manager: i64,
        /// Its token.
        token: Token,
    },
}

impl BotChange {
    /// The agent that it is about.
    #[must_use]
    pub fn name(&self) -> &AgentName {
        match self {
            Self::Wanted { name, .. } | Self::Given { name, .. } => name,
        }
    }
}

/// A bot that Telegram made for an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Managed {
    /// The agent whose own it is.
    pub agent: AgentName,
    /// What it is called behind the `@`.
    pub username: String,
    /// The bot of ours that manages it.
    pub manager: BotId,
    /// Its token; none once its agent is let go.
    pub token: Option<Token>,
}

/// See the file head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedBots {
    wanted: BTreeMap<PersonId, AgentName>,
    bots: BTreeMap<BotId, Managed>,
}

impl ManagedBots {
    /// Those that are to be connected.
    pub fn all(&self) -> impl Iterator<Item = (BotId, &Managed, &Token)> {
        self.bots.iter().filter_map(|(id, it)| Some((*id, it, it.token.as_ref()?)))
    }

    /// The agent that a bot is for, also once it is let go. MANAGED-2.
    #[must_use]
    pub fn agent(&self, bot: BotId) -> Option<&AgentName> {
        self.bots.get(&bot).map(|it| &it.agent)
    }

    /// The bot of ours that manages a bot, also once its agent is let go.
    #[must_use]
    pub fn manager(&self, bot: BotId) -> Option<BotId> {
        self.bots.get(&bot).map(|it| it.manager)
    }

    /// The bot of an agent.
    #[must_use]
    pub fn of_agent(&self, name: &AgentName) -> Option<&Managed> {
        self.all().find(|(_, it, _)| it.agent == *name).map(|(_, it, _)| it)
    }

    /// The agent that a bot is given to which somebody's app has just made, or whose token is another.
    #[must_use]
    pub fn meant(&self, bot: BotId, owner: PersonId) -> Option<&AgentName> {
        let known = self.bots.get(&bot).filter(|it| it.token.is_some()).map(|it| &it.agent);
        known.or_else(|| self.wanted.get(&owner))
    }

    /// True if there is room for one more.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.all().count() < MANAGED_MAX
    }

    /// True if a change can be made. MANAGED-1.
    #[must_use]
    pub fn takes(&self, change: &BotChange) -> bool {
        match change {
            BotChange::Wanted { name, owner } => {
                self.of_agent(name).is_none() && self.wanted.get(&PersonId(*owner)) != Some(name)
            }
            BotChange::Given { name, bot, owner, token, .. } => {
                let is_known =
                    self.bots.get(&BotId(*bot)).is_some_and(|it| it.token.as_ref() == Some(token));
                !is_known && self.meant(BotId(*bot), PersonId(*owner)) == Some(name)
            }
        }
    }

    pub(crate) fn apply(&mut self, change: BotChange) {
        match change {
            BotChange::Wanted { name, owner } => {
                self.wanted.insert(PersonId(owner), name);
            }
            BotChange::Given { name, bot, username, owner, manager, token } => {
                let wanted = self.wanted.get(&PersonId(owner)) == Some(&name);
                if wanted {
                    self.wanted.remove(&PersonId(owner));
                }
                let (manager, token) = (BotId(manager), Some(token));
                self.bots.insert(BotId(bot), Managed { agent: name, username, manager, token });
            }
        }
    }

    /// An agent is let go. MANAGED-2.
    pub(crate) fn retire(&mut self, name: &AgentName) {
        self.wanted.retain(|_, it| it != name);
        for bot in self.bots.values_mut().filter(|it| it.agent == *name) {
            bot.token = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> AgentName {
        text.parse().unwrap()
    }

    fn given(agent: &str, bot: i64, owner: i64, token: &str) -> BotChange {
        let (username, token) = (format!("{agent}_bot"), Token::new(token));
        BotChange::Given { name: name(agent), bot, username, owner, manager: 1, token }
    }

    #[test]
    fn managed_1_a_bot_is_given_only_to_an_agent_for_which_its_owner_wanted_one() {
        let mut bots = ManagedBots::default();
        assert!(!bots.takes(&given("bard", 7, 5, "7:a")), "nobody wanted one");
        let wanted = BotChange::Wanted { name: name("bard"), owner: 5 };
        assert!(bots.takes(&wanted));
        bots.apply(wanted.clone());
        assert!(!bots.takes(&wanted), "it is wanted already");
        assert!(
            !bots.takes(&given("sage", 7, 5, "7:a")) && !bots.takes(&given("bard", 7, 6, "7:a"))
        );
        bots.apply(given("bard", 7, 5, "7:a"));
        assert!(!bots.takes(&given("bard", 7, 5, "7:a")), "the same again");
        assert!(!bots.takes(&given("bard", 8, 5, "8:a")), "and no second one");
        assert!(bots.takes(&given("bard", 7, 6, "7:b")), "another token, by whoever owns it now");
        assert!(!format!("{bots:?} {:?}", given("bard", 7, 5, "7:secret")).contains("secret"));
    }

    #[test]
    fn managed_2_the_bot_of_an_agent_that_is_let_go_is_connected_no_more_and_answers_for_nobody() {
        let mut bots = ManagedBots::default();
        bots.apply(BotChange::Wanted { name: name("bard"), owner: 5 });
        bots.apply(given("bard", 7, 5, "7:a"));
        bots.retire(&name("bard"));
        assert_eq!((bots.all().count(), bots.agent(BotId(7))), (0, Some(&name("bard"))));
        assert!(bots.of_agent(&name("bard")).is_none() && !bots.takes(&given("bard", 7, 5, "7:b")));
    }
}
