//! What a person did, read from an update.

use serde::{Deserialize, Serialize};

use crate::{BotId, ChatId, MessageId, PersonId, Timestamp, TopicId, company::Company, due::Due};

/// One update in our own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// A person wrote.
    Said(Said),
    /// A person changed what they wrote, or their app did: a preview of a link came to stand under it.
    Edited(Said),
    /// A person pressed a button.
    Pressed(Pressed),
    /// A person stopped an answer that was being written (Bot API 10.3).
    StopRequested {
        /// Who.
        person: Option<Person>,
    },
    /// The person blocked the bot or took it back, or a group removed or added it.
    Membership {
        /// True if the bot may write there from now on.
        may_write: bool,
    },
    /// Nobody did anything: its time has come.
    Due(Due),
    /// Somebody's app has made a bot for us to manage, or it has another token or owner now.
    BotMade {
        /// Whose it is.
        owner: Person,
        /// Which.
        bot: BotId,
        /// What it is called behind the `@`.
        username: String,
    },
    /// Nothing that anyone answers: a service message, a kind we do not use.
    Nothing,
}

impl Inbound {
    /// Who did it, if it was anybody in particular.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Said(said) | Self::Edited(said) => said.person.as_ref().map(|it| it.id),
            Self::Pressed(pressed) => Some(pressed.person.id),
            Self::BotMade { owner, .. } => Some(owner.id),
            Self::StopRequested { person } => person.as_ref().map(|it| it.id),
            Self::Due(due) => due.person(),
            Self::Membership { .. } | Self::Nothing => None,
        }
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The only thing that rights are tied to. Names can be changed by their owner.
    pub id: PersonId,
    /// As shown in Telegram.
    pub first_name: String,
    /// IETF language tag of the person's app, if told.
    pub language: Option<String>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who wrote. `None` for a channel or an anonymous group admin: nobody we can give rights to.
    pub person: Option<Person>,
    /// Where the message stands.
    pub message: MessageId,
    /// True in a private chat.
    pub private: bool,
    /// True if the message is meant for this bot: private chat, mention, reply to it, or command.
    pub addressed: bool,
    /// The text or caption, without the mention of the bot that addresses it.
    pub text: String,
    /// The command, if the message is one and was not forwarded.
    pub command: Option<Command>,
    /// The text of the message that this one answers, if it was quoted by its writer.
    pub quoted: Option<String>,
    /// The message that this one answers.
    pub replied: Option<Replied>,
    /// Whose words it is, if it was forwarded: a name, or nothing where none was told.
    pub forwarded_from: Option<String>,
    /// Texts that came with it and that nobody wrote to the bot.
    pub beside: Vec<Beside>,
    /// What came with it besides words.
    pub attachment: Option<Attachment>,
    /// The album that it is a piece of: its pieces are messages of their own, and come together.
    pub album: Option<String>,
    /// When it was written, by the chat service's clock, in whole seconds.
    pub written: Timestamp,
    /// The file of the message that this one answers.
    pub replied_file: Option<Box<FileRef>>,
    /// Other bots that it has to do with.
    pub company: Company,
}

/// What can come with a message besides words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// A file that can be fetched.
    File(Box<FileRef>),
    /// Something else, such as a film, a place, a sticker; or a file that is described so that we
    /// cannot read it.
    Other,
}

/// A file that came with a message, and what the sender's app says of it: it need not be true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// As what it came.
    pub kind: FileKind,
    /// By what the chat service knows it.
    pub file: String,
    /// How large it is.
    pub bytes: Option<u64>,
    /// Its media type.
    pub media_type: Option<String>,
    /// How long it plays, in seconds.
    pub seconds: Option<u64>,
    /// What it is called.
    pub name: Option<String>,
    /// The language of its sender's app: an IETF tag.
    pub language: Option<String>,
    /// It came with the message that this one answers.
    pub is_replied: bool,
}

/// As what a file came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Recorded for this message.
    Voice,
    /// A recording or a piece of music.
    Audio,
    /// A picture, in the largest size that can be fetched.
    Photo,
    /// Any other file.
    Document,
}

/// A text that came with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// As what.
    pub channel: Channel,
    /// What it says.
    pub text: String,
}

/// As what a text came with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The name of a file, or title and performer of a piece of music.
    FileName,
    /// The name of a contact.
    Contact,
    /// A poll's question and answers.
    Poll,
    /// Name and address of a place.
    Place,
    /// A game's title and description.
    Game,
    /// A checklist's title and tasks.
    Checklist,
    /// What the buttons under the message say.
    Buttons,
    /// What is said in a recording.
    Recording,
    /// What a file says.
    File,
    /// The name of the bot that wrote the message.
    OtherBot,
}

/// A message that another one answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replied {
    /// Which.
    pub message: MessageId,
    /// When it was written, by the chat service's clock.
    pub at: Timestamp,
}

/// `/name arguments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// In small letters, without the slash and without `@bot`.
    pub name: String,
    /// What follows, trimmed.
    pub arguments: String,
}

/// A pressed inline button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// Who pressed.
    pub person: Person,
    /// To be answered, so that the button stops spinning.
    pub query: String,
    /// What the button carries. Comes from outside: anyone can forge it.
    pub data: String,
    /// True in a private chat.
    pub private: bool,
    /// The message that the button stands under; `None` where the chat service does not say.
    pub message: Option<MessageId>,
}

/// Where an update belongs: read by ingress before anything else, from the raw bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The chat.
    pub chat: ChatId,
    /// The topic, in a forum.
    pub topic: Option<TopicId>,
    /// The acting user, if the update names one.
    pub person: Option<PersonId>,
    /// True in a private chat.
    pub private: bool,
}
