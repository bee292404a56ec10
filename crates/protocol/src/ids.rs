//! One type per kind of id, so that the compiler keeps them apart.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A Telegram bot: the number before the colon of its token.
    BotId(i64)
}
id! {
    /// A Telegram chat. Private chats have the id of their person; groups are negative.
    ChatId(i64)
}
id! {
    /// A Telegram user.
    PersonId(i64)
}
id! {
    /// A forum topic (or thread) within a chat.
    TopicId(i64)
}
id! {
    /// A message within its chat.
    MessageId(i64)
}
id! {
    /// An update within its bot. Sequential, but random after a week without updates.
    UpdateId(i64)
}

/// What one conversation belongs to: a bot, a chat and, in a forum, a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionKey {
    /// The bot that talks.
    pub bot: BotId,
    /// Where it talks.
    pub chat: ChatId,
    /// The topic, where the chat is a forum.
    pub topic: Option<TopicId>,
}

impl SessionKey {
    /// Whose texts in it are: in a private chat its person's; in a group their writer's, and the
    /// group's where nobody in particular wrote them.
    #[must_use]
    pub fn owner(&self, writer: Option<PersonId>) -> PersonId {
        let chat = PersonId(self.chat.0);
        if self.is_private() { chat } else { writer.unwrap_or(chat) }
    }

    /// True for a private chat: it has the id of its person.
    #[must_use]
    pub fn is_private(&self) -> bool {
        0 < self.chat.0
    }
}

/// A short id that a person can read out and an operator can find in the log and the ledger.
///
/// ```
/// # use protocol::RefId;
/// assert_eq!(RefId(0x7f3a_0001).to_string(), "7F3A0001");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefId(pub u32);

impl fmt::Display for RefId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

/// What a bot proves itself with. It is in no log: its `Debug` says nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// A token as the chat service gives it.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}
