//! Shows an answer in a group while it is written: in one message, which is edited, and which the answer
//! then takes the place of.
//!
//! That message is sent once and edited as there is room for it. That it is on its way is durable before
//! it is sent, and its id as soon as it is known, so that after a crash the answer comes in its place and
//! not beside it. What is shown is what the guard let through of the beginning, as in private chats.

use protocol::{
    MessageId, Timestamp, UpdateId,
    event::{Event, Part},
};

use super::{Effect, Heard, NotDelivered, Session, Stage, Turn};
use crate::{
    guard::{Cleared, Draft},
    outbox::Sayable,
    session::state::Open,
};

/// Characters that a message begins with, and that it has more after each edit.
const CHARS_MORE_MIN: usize = 200;
/// So long a question waits before it is marked as seen, in milliseconds: a sign costs as much of what a
/// group takes as a message.
const SEEN_AFTER_MS: u64 = 2_000;
/// The shortest time between two edits, in milliseconds.
const PAUSE_MS_MIN: u64 = 1_000;

/// Shows that there will be an answer, or how much of it there is.
#[derive(Debug, PartialEq, Eq)]
pub enum Show {
    /// An agent thinks; with a button that stops it.
    Thinking(UpdateId),
    /// The question was seen; a sign on it says so until it is answered.
    Seen {
        /// Which message.
        message: MessageId,
        /// Else the sign is taken off.
        is_on: bool,
    },
    /// The beginning of an answer, as a message of its own.
    Beginning {
        /// Of which turn.
        update: UpdateId,
        /// The beginning.
        what: Sayable,
        /// What it answers, quoted.
        reply_to: Option<MessageId>,
    },
    /// More of an answer, in that message.
    More {
        /// Which message.
        message: MessageId,
        /// What there is.
        part: Cleared<Part>,
    },
}

/// Whether, and where, an answer is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stream {
    /// It is not.
    #[default]
    Off,
    /// As soon as there is enough of it.
    Ready,
    /// The message is on its way.
    Beginning {
        /// So much of the answer is in it.
        chars: usize,
    },
    /// It is there.
    Shown {
        message: MessageId,
        chars: usize,
        /// When it was edited last.
        at: Timestamp,
        /// No more of the answer is shown there until it is whole.
        is_paused: bool,
    },
}

impl Stream {
    pub(super) fn is_on(self) -> bool {
        match self {
            Self::Ready | Self::Beginning { .. } => true,
            Self::Shown { is_paused, .. } => !is_paused,
            Self::Off => false,
        }
    }

    pub(super) fn is_beginning(self) -> bool {
        matches!(self, Self::Beginning { .. })
    }

    pub(super) fn has_begun(self) -> bool {
        match self {
            Self::Beginning { .. } | Self::Shown { .. } => true,
            Self::Off | Self::Ready => false,
        }
    }

    /// What would be hidden or held back later must not be seen now.
    pub(super) fn pause(&mut self) {
        match self {
            Self::Ready => *self = Self::Off,
            Self::Shown { is_paused, .. } => *is_paused = true,
            Self::Off | Self::Beginning { .. } => (),
        }
    }
}

impl Turn {
    /// Says that the question was seen, where that is wanted, was not said yet, and takes its time.
    pub(super) fn mark_as_seen(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if now.0.saturating_sub(self.at.0) < SEEN_AFTER_MS {
            return;
        }
        if let (Some(message), Seen::NotYet) = (self.reply_to, self.seen) {
            self.seen = Seen::Said;
            effects.push(Effect::Show(Show::Seen { message, is_on: true }));
        }
    }

    /// Takes that back: it is answered, or will not be.
    pub(super) fn unmark(&self, effects: &mut Vec<Effect>) {
        if let (Some(message), Seen::Said) = (self.reply_to, self.seen) {
            effects.push(Effect::Show(Show::Seen { message, is_on: false }));
        }
    }
}

/// Whether a sign on the question says that it was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Seen {
    /// It does not, and shall not.
    #[default]
    Unsaid,
    /// It shall, when an agent begins to work on it.
    NotYet,
    /// It does, or did before a crash.
    Said,
}

impl Session {
    /// How a question is marked as seen: in groups, where others write in between.
    pub(super) fn seen(&self, asks: bool, recovered: bool) -> Seen {
        match asks && self.config.home.marks_seen && !self.key.is_private() {
            true if recovered => Seen::Said,
            true => Seen::NotYet,
            false => Seen::Unsaid,
        }
    }

    /// How the answer to a question that is taken up is shown. After a crash it goes on where it was.
    pub(super) fn stream_of(&self, known: &Open, heard: &Heard) -> Stream {
        if self.key.is_private() || !self.config.home.streams_in_groups || heard.is_edited() {
            return Stream::Off;
        }
        match known.shown {
            Some(message) => {
                let (chars, at) = (0, Timestamp::default());
                Stream::Shown { message, chars, at, is_paused: false }
            }
            None => Stream::Ready,
        }
    }

    /// Shows what passed the guard of an answer so far, if that is enough and there is time for it.
    pub(super) fn stream(
        &mut self,
        update: UpdateId,
        draft: &Cleared<Draft>,
        effects: &mut Vec<Effect>,
    ) {
        let written = draft.get().0.chars().count();
        let now = self.now;
        let first = draft.typeset(self.config.typeset).into_iter().next();
        let Some(part) = first.map(|it| it.unfinished()) else { return };
        let Some(turn) = self.turn(update, |_| true) else { return };
        match &mut turn.stream {
            Stream::Off | Stream::Beginning { .. } => (),
            Stream::Ready if CHARS_MORE_MIN <= written => {
                turn.stream = Stream::Beginning { chars: written };
                turn.was_shown = true;
                let reply_to = turn.reply_to;
                self.record(vec![Event::DraftShown { update, message: None }], vec![], effects);
                let what = Sayable::Answer(part);
                effects.push(Effect::Show(Show::Beginning { update, what, reply_to }));
            }
            Stream::Ready => (),
            Stream::Shown { message, chars, at, is_paused } => {
                let is_due = PAUSE_MS_MIN <= now.0.saturating_sub(at.0);
                if *is_paused || !is_due || written < *chars + CHARS_MORE_MIN {
                    return;
                }
                (*chars, *at) = (written, now);
                effects.push(Effect::Show(Show::More { message: *message, part }));
            }
        }
    }

    /// The message is there, or never will be. An answer that waited for it goes on.
    pub(super) fn stream_begun(
        &mut self,
        update: UpdateId,
        result: Result<MessageId, NotDelivered>,
        effects: &mut Vec<Effect>,
    ) {
        let at = self.now;
        let Some(turn) = self.turn(update, |_| true) else { return };
        let Stream::Beginning { chars } = turn.stream else { return };
        match result {
            Ok(message) => {
                turn.stream = Stream::Shown { message, chars, at, is_paused: false };
                let shown = Event::DraftShown { update, message: Some(message) };
                self.record(vec![shown], vec![], effects);
            }
            // The answer finds out for itself what becomes of it.
            Err(NotDelivered::Unknown | NotDelivered::Undeliverable) => turn.stream = Stream::Off,
        }
        let waits = |it: &Stage| matches!(it, Stage::Delivering { next: 0, .. });
        let Some(turn) = self.turn(update, waits) else { return };
        let Stage::Delivering { parts, next, outcome } = turn.stage.take() else { return };
        self.send_from(update, next, parts, outcome, effects);
    }
}
