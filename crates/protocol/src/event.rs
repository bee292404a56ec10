//! What is written in a session's ledger, and the answer's parts.
//!
//! Stored as JSON: fields may be added with `#[serde(default)]`, never renamed or reused.

use serde::{Deserialize, Serialize};

use crate::{
    AgentName, Language, MessageId, PersonId, RefId, Timestamp, UpdateId,
    company::BotLink,
    hearing::{Paid, Transcript},
    memory::{Fact, FactId},
    model::Usage,
    work::ToolStep,
};

/// One thing that happened in a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Work on an update began again after a crash. The first attempt is implied by its arrival.
    TurnRetried {
        /// Which update.
        update: UpdateId,
        /// 2 for the second attempt, and so on.
        attempt: u32,
    },
    /// The guard judged what a person wrote.
    PromptJudged {
        /// Which update.
        update: UpdateId,
        /// What it found and did.
        judged: Judged,
    },
    /// A recording was turned into text. Written before anything is made of it, so that it is not
    /// paid for twice.
    RecordingHeard {
        /// Which update it came with.
        update: UpdateId,
        /// What was heard: no guard has seen it yet. The recording itself is not kept.
        transcript: Transcript,
        /// What it cost, and who pays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid: Option<Paid>,
    },
    /// A model is about to be asked. Written before the call, with what is reserved for it.
    CompletionStarted {
        /// Which update.
        update: UpdateId,
        /// Which agent answers.
        agent: AgentName,
        /// What is asked, as it passed the guard.
        asked: String,
        /// True for a repeated question: its answer replaces the newest one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replaces: bool,
        /// Tokens set aside for prompt and answer.
        reserved: u64,
        /// Text of strangers came with it: quoted, forwarded, in a file or a picture.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        tainted: bool,
    },
    /// A model answered.
    DraftReceived {
        /// Which update.
        update: UpdateId,
        /// The provider and model that answered.
        model: String,
        /// What it cost.
        usage: Usage,
    },
    /// The guard judged what the model wrote.
    DraftJudged {
        /// Which update.
        update: UpdateId,
        /// What it found and did.
        judged: Judged,
    },
    /// The answer is fixed: from here on it is sent, never made again.
    AnswerReady {
        /// Which update.
        update: UpdateId,
        /// What kind of answer it is.
        answer: Answer,
    },
    /// The guard stopped a text. Kept so that an admin can judge the judgement.
    TextHeldBack {
        /// Which update.
        update: UpdateId,
        /// The text.
        held: HeldText,
    },
    /// How the work on a question went. Written with its answer.
    CourseNoted {
        /// Which update.
        update: UpdateId,
        /// Who asked, when, and how long each stage took.
        course: Course,
    },
    /// Telegram accepted a part.
    PartSent {
        /// Which update.
        update: UpdateId,
        /// Number of the part, from 0.
        part: u32,
        /// Where it stands.
        message: MessageId,
    },
    /// The update needs no more work.
    TurnClosed {
        /// Which update.
        update: UpdateId,
        /// How it ended.
        outcome: Outcome,
    },
    /// The person chose another agent.
    AgentSwitched {
        /// Which.
        agent: AgentName,
    },
    /// The person began a fresh conversation with an agent.
    HistoryReset {
        /// Whose history is forgotten.
        agent: AgentName,
    },
    /// The language of this conversation was chosen; none: again that of each person's app.
    LanguageChosen {
        /// Which.
        #[serde(
            default,
            serialize_with = "crate::language::write",
            deserialize_with = "crate::language::read"
        )]
        language: Option<Language>,
    },
    /// An agent works with tools, or with other agents.
    Tools {
        /// Which update.
        update: UpdateId,
        /// What it did, or what came of it.
        #[serde(flatten)]
        step: ToolStep,
    },
    /// The privacy notice was shown.
    NoticeShown,
    /// A question waits until its person agrees to the privacy notice. Only in private chats.
    QuestionHeld {
        /// Which update.
        update: UpdateId,
        /// Who was asked.
        agent: AgentName,
        /// What, as it was written: no guard has seen it yet.
        text: String,
    },
    /// A person agreed to the privacy notice.
    NoticeAccepted {
        /// The update with their agreement.
        update: UpdateId,
        /// Who.
        by: PersonId,
    },
    /// A summary takes the place of an agent's oldest exchanges in what its model sees.
    SummaryWritten {
        /// Whose conversation.
        agent: AgentName,
        /// Number of the first exchange that is not in it, counted from the conversation's first.
        through: u64,
        /// What was said, in short; with what an earlier summary held.
        text: String,
        /// The model that wrote it; `None` where it is made of the exchanges' own words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// What it cost.
        #[serde(default)]
        usage: Usage,
    },
    /// There is something to remember.
    FactRemembered {
        /// What, and of whom.
        fact: Fact,
    },
    /// A fact is not remembered any more.
    FactForgotten {
        /// Which.
        fact: FactId,
    },
    /// A question is taken up: which messages make it, and which updates end with it.
    QuestionTaken {
        /// The update that the turn is named after.
        update: UpdateId,
        /// Who is asked.
        agent: AgentName,
        /// The messages that it is written in.
        messages: Vec<MessageId>,
        /// The other updates that it came with: they end when it does.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<UpdateId>,
        /// The answer to what it said before it was edited, where that is a single message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<MessageId>,
    },
    /// How the parts of an answer are sent, where that is not one new message each. Written with the
    /// answer.
    AnswerShaped {
        /// Which update.
        update: UpdateId,
        /// How.
        shape: Shape,
    },
    /// In a group, the beginning of an answer is shown in a message, which the answer takes the place of.
    DraftShown {
        /// Which update.
        update: UpdateId,
        /// The message; `None` while it is on its way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<MessageId>,
    },
    /// Another bot wrote in a group, or a person did after bots.
    BotsTalked {
        /// Which update.
        update: UpdateId,
        /// What that is to the chain of bots that answer each other.
        #[serde(flatten)]
        link: BotLink,
    },
}

impl Event {
    /// The update that it is about.
    #[must_use]
    pub fn update(&self) -> Option<UpdateId> {
        match self {
            Self::TurnRetried { update, .. }
            | Self::PromptJudged { update, .. }
            | Self::RecordingHeard { update, .. }
            | Self::CompletionStarted { update, .. }
            | Self::DraftReceived { update, .. }
            | Self::DraftJudged { update, .. }
            | Self::AnswerReady { update, .. }
            | Self::TextHeldBack { update, .. }
            | Self::CourseNoted { update, .. }
            | Self::PartSent { update, .. }
            | Self::QuestionHeld { update, .. }
            | Self::NoticeAccepted { update, .. }
            | Self::QuestionTaken { update, .. }
            | Self::AnswerShaped { update, .. }
            | Self::Tools { update, .. }
            | Self::DraftShown { update, .. }
            | Self::BotsTalked { update, .. }
            | Self::TurnClosed { update, .. } => Some(*update),
            Self::AgentSwitched { .. }
            | Self::HistoryReset { .. }
            | Self::LanguageChosen { .. }
            | Self::NoticeShown
            | Self::SummaryWritten { .. }
            | Self::FactRemembered { .. }
            | Self::FactForgotten { .. } => None,
        }
    }
}

/// How the parts of an answer are sent, where that is not one new message each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The first part takes the place of this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<MessageId>,
    /// A part is sent as a file: its number, and what the file is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<(u32, String)>,
    /// It is for one person alone, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<Aside>,
}

/// For whom alone an answer in a group is, and how it comes to them. Its parts are the answer, what the group
/// is told where the answer comes in the private chat, and what it is told where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// Who asked.
    pub person: PersonId,
    /// The press that asked for it, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub press: Option<String>,
    /// The way that is tried.
    #[serde(default)]
    pub way: AsideWay,
}

/// How an answer in a group comes to one person alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AsideWay {
    /// In the group, shown to nobody else.
    #[default]
    Whispered,
    /// In their private chat, and the group is told so.
    InPrivate,
    /// Not at all: they are asked to open the private chat.
    Nowhere,
}

impl Aside {
    /// True if nothing of the answer is sent from this part on.
    #[must_use]
    pub fn ends_before(&self, part: u32) -> bool {
        let parts = match self.way {
            AsideWay::Whispered => 1,
            AsideWay::InPrivate => 2,
            AsideWay::Nowhere => 3,
        };
        parts <= part
    }

    /// The next way, where this one cannot be gone.
    #[must_use]
    pub fn otherwise(self) -> Option<Self> {
        let way = match self.way {
            AsideWay::Whispered => AsideWay::InPrivate,
            AsideWay::InPrivate => AsideWay::Nowhere,
            AsideWay::Nowhere => return None,
        };
        Some(Self { way, ..self })
    }
}

/// A text that the guard stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldText {
    /// It is an answer, not a question.
    #[serde(default)]
    pub of_answer: bool,
    /// Who was asked.
    pub agent: AgentName,
    /// The texts that were judged together: the message, what it quotes.
    pub texts: Vec<String>,
}

/// Who asked a question, and how far the work on it was after which time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// Who was asked.
    #[serde(default)]
    pub agent: Option<AgentName>,
    /// Who asked; `None` for a channel or an anonymous group admin.
    #[serde(default)]
    pub asker: Option<PersonId>,
    /// When the question arrived.
    #[serde(default)]
    pub arrived: Timestamp,
    /// Milliseconds from the arrival until the guard had judged the question.
    #[serde(default)]
    pub prompt_judged_ms: Option<u64>,
    /// Milliseconds from the arrival until the past had been looked through, where that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalled_ms: Option<u64>,
    /// Milliseconds from the arrival until a model had answered.
    #[serde(default)]
    pub completed_ms: Option<u64>,
    /// Milliseconds from the arrival until the answer was fixed.
    #[serde(default)]
    pub ready_ms: u64,
    /// Calls to models, those that failed included.
    #[serde(default)]
    pub calls: u32,
}

/// What the guard said, without the text it judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// `clear`, `flag`, `redact` or `refuse`.
    pub verdict: String,
    /// Attack score in thousandths.
    #[serde(default)]
    pub score: u16,
    /// Names of the rules that fired.
    #[serde(default)]
    pub rules: Vec<String>,
    /// The kinds of what was found, each once: `prompt_injection`, `pii.email`, `secret` …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Names of the rules in shadow that would have fired. They changed nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadow: Vec<String>,
}

/// An answer as it will be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Why there is this answer.
    pub kind: AnswerKind,
    /// Its parts, in order. Fixed from here on.
    pub parts: Vec<Part>,
    /// The message that is answered, quoted in groups.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    /// What the conversation remembers as the answer, where that is not simply its one part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
    /// A short id under which log and ledger can be searched.
    #[serde(default)]
    pub reference: Option<RefId>,
}

/// Why an answer was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// A model wrote it.
    Model,
    /// It answers a command, in our own words.
    Notice,
    /// The guard refused the question or the answer.
    Refusal,
    /// Nothing could be answered: an honest apology.
    Apology,
}

/// One message to send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// In the Markdown of a rich message, where that shows more than HTML can. Sent where the server has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rich: Option<String>,
    /// In Telegram's HTML subset; `None` if the text has no markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The same without markup, sent if Telegram refuses the HTML.
    pub plain: String,
    /// Buttons under the message, row by row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Vec<Button>>,
}

impl Part {
    /// A part without markup and buttons.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { plain: text.into(), ..Self::default() }
    }
}

/// An inline button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What comes back when it is pressed: 1 to 64 bytes.
    pub data: String,
}

/// How an update ended. Every update that was confirmed to Telegram ends in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An answer was delivered.
    Answered,
    /// It was refused: by the guard, or by a limit.
    Refused,
    /// The person stopped it.
    Cancelled,
    /// It needed no answer.
    Ignored,
    /// It failed too often and was set aside; the person was told.
    Quarantined,
    /// Telegram no longer lets us write there.
    Undeliverable,
}
