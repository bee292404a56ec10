//! What makes a question: several messages in a row, the pieces of an album, a message that was edited.
//!
//! A question is asked at once, and nobody waits for what may follow. When more follows within
//! `gather_time`, and nothing of an answer was shown yet, the question is taken back and asked anew with
//! all its messages. Only where more is sure to follow, as in an album, it waits.
//!
//! The turn is named after the newest update then, so that an answer to the question that was taken back
//! changes nothing (SESSION-2). The others end with it, in the same record (SESSION-3): until then all of
//! them wait in the inbox, and after a crash they come together again.

use std::time::Duration;

use protocol::{
    AgentName, MessageId, PersonId, Timestamp, UpdateId,
    event::{Event, Outcome},
    inbound::{FileKind, FileRef, Inbound, Said},
};

use super::{Asking, Effect, Entry, Queued, Session, Stage, Turn, Which};
use crate::{
    guard::Prompt,
    request::{self, Request},
    roster::{Standing, View},
    words,
};

/// How questions come together and answers are parted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HomeConfig {
    /// Messages of one person within this time of one another are one question. Zero: never.
    pub gather_time: Duration,
    /// Messages that an answer may take. Zero: as many as it needs.
    pub messages_max: usize,
    /// In groups a sign on a question says that it was seen, until it is answered.
    pub marks_seen: bool,
    /// Answers are shown while they are written in groups too.
    pub streams_in_groups: bool,
    /// How long a bot waits for those who are called before it in the same message. Zero: not at all.
    pub turns_wait: Duration,
}

/// Messages of one question. What comes after is a question of its own.
const MESSAGES_MAX: usize = 16;
/// Bytes of one question's messages together.
const BYTES_MAX: usize = 32 << 10;
/// Files of one question, and how large they may be together by what their sender's app says.
const FILES_MAX: usize = 10;
const FILES_BYTES_MAX: u64 = 40 << 20;
/// From so many characters on a message may have been cut by its writer's app, which takes 4,096.
const CUT_CHARS_MIN: usize = 4_000;
/// The chat service's clock counts in whole seconds.
const CLOCK_STEP: Duration = Duration::from_secs(1);

/// The messages that a question is written in.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    pieces: Vec<(MessageId, Prompt)>,
    /// Updates that end with the turn, beside its own.
    pub(super) also: Vec<UpdateId>,
    /// Of the newest message: when it arrived, when it was written, and by whom.
    arrived: Timestamp,
    written: Timestamp,
    by: Option<PersonId>,
    album: Option<String>,
    /// It was answered before, and then edited.
    is_edited: bool,
    /// A model was asked what it said before.
    was_asked: bool,
    /// The answer to what it said before.
    pub(super) place: Option<MessageId>,
    /// That was more than a message: the new answer says whose place it takes.
    pub(super) supersedes: bool,
}

impl Heard {
    /// What a plain question consists of; nothing for everything else.
    pub(super) fn of(entry: &Entry, request: &Request) -> Self {
        let (Some(inbound), Request::Ask(None, prompt)) = (&entry.inbound, request) else {
            return Self::default();
        };
        let (said, is_edited) = match inbound {
            Inbound::Said(said) => (said, false),
            Inbound::Edited(said) => (said, true),
            Inbound::Pressed(_)
            | Inbound::StopRequested { .. }
            | Inbound::Membership { .. }
            | Inbound::Due(_)
            | Inbound::BotMade { .. }
            | Inbound::Nothing => return Self::default(),
        };
        if said.command.is_some() {
            return Self::default();
        }
        let mut heard = Self { is_edited, ..Self::default() };
        heard.add(entry, said, prompt.clone());
        heard
    }

    fn add(&mut self, entry: &Entry, said: &Said, prompt: Prompt) {
        // Most questions are one message.
        self.pieces.reserve_exact(1);
        self.pieces.push((said.message, prompt));
        self.arrived = entry.at;
        self.written = said.written;
        self.by = said.person.as_ref().map(|it| it.id);
        self.album.clone_from(&said.album);
    }

    /// The turn's own update and the others that end with it.
    pub(super) fn all_with(&self, update: UpdateId) -> Vec<UpdateId> {
        std::iter::once(update).chain(self.also.iter().copied()).collect()
    }

    /// True if the rest of an album or of a text is on its way.
    pub(super) fn more_may_come(&self) -> bool {
        let is_cut = |(_, it): &(MessageId, Prompt)| CUT_CHARS_MIN <= it.text.chars().count();
        self.album.is_some() || self.pieces.last().is_some_and(is_cut)
    }

    pub(super) fn is_edited(&self) -> bool {
        self.is_edited
    }

    fn has(&self, message: MessageId) -> bool {
        self.pieces.iter().any(|(it, _)| *it == message)
    }

    /// True if a message goes on with the question. `more`: what it adds.
    fn goes_on_with(
        &self,
        entry: &Entry,
        said: &Said,
        more: &Prompt,
        gather_time: Duration,
    ) -> bool {
        let is_of_album = self.album.is_some() && self.album == said.album;
        let within = |from: Timestamp, to: Timestamp, span: Duration| {
            u128::from(to.0.saturating_sub(from.0)) <= span.as_millis()
        };
        let is_soon = within(self.arrived, entry.at, gather_time)
            && within(self.written, said.written, gather_time + CLOCK_STEP);
        let bytes: usize = self.pieces.iter().map(|(_, it)| it.text.len()).sum();
        !self.pieces.is_empty()
            && self.has_room_for(more)
            && self.by.is_some()
            && self.by == said.person.as_ref().map(|it| it.id)
            && self.pieces.len() < MESSAGES_MAX
            && bytes + said.text.len() <= BYTES_MAX
            && (is_of_album || (is_soon && said.addressed))
    }

    /// True if the question holds the files of both. A recording is a question of its own: it is heard once.
    fn has_room_for(&self, more: &Prompt) -> bool {
        let pieces = self.pieces.iter().map(|(_, it)| it).chain([more]);
        let files: Vec<&FileRef> = pieces.flat_map(Prompt::files).collect();
        let bytes: u64 = files.iter().filter_map(|it| it.bytes).sum();
        !files.iter().any(|it| is_recording(it))
            && files.len() <= FILES_MAX
            && bytes <= FILES_BYTES_MAX
    }

    /// The whole question.
    fn prompt(&self) -> Prompt {
        let prompts = self.pieces.iter().map(|(_, it)| it.clone());
        prompts.reduce(joined).unwrap_or_default()
    }
}

/// Two messages as one. What somebody else wrote stays apart from the person's own words: beside them it
/// is a quotation.
fn joined(mut one: Prompt, mut next: Prompt) -> Prompt {
    let files: Vec<FileRef> = next.files().cloned().collect();
    if one.forwarded_from.is_some() != next.forwarded_from.is_some() {
        for it in [&mut one, &mut next] {
            if it.forwarded_from.take().is_some() {
                let text = std::mem::take(&mut it.text);
                it.quoted = either(it.quoted.take(), Some(text), "\n\n");
            }
        }
    }
    one.text = match (one.text.trim().is_empty(), next.text.trim().is_empty()) {
        (true, _) => next.text,
        (false, true) => one.text,
        (false, false) => format!("{}\n{}", one.text, next.text),
    };
    if one.forwarded_from != next.forwarded_from {
        one.forwarded_from = either(one.forwarded_from, next.forwarded_from, ", ");
    }
    one.quoted = either(one.quoted, next.quoted, "\n\n");
    one.beside.extend(next.beside);
    one.with_files(files)
}

fn is_recording(file: &FileRef) -> bool {
    match file.kind {
        FileKind::Voice | FileKind::Audio => true,
        FileKind::Photo | FileKind::Document => false,
    }
}

fn either(one: Option<String>, next: Option<String>, between: &str) -> Option<String> {
    match (one, next) {
        (Some(one), Some(next)) => Some(format!("{one}{between}{next}")),
        (one, next) => one.or(next),
    }
}

impl Turn {
    fn can_be_taken_back(&self) -> bool {
        self.stage.can_be_taken_back() && !self.work.as_ref().is_some_and(|it| it.has_begun())
    }
}

impl Stage {
    /// True if the question can still be taken back and asked anew: nobody has seen anything of an
    /// answer, and nothing was done for it.
    fn can_be_taken_back(&self) -> bool {
        match self {
            Self::Gathering(_)
            | Self::ScreeningPrompt(_)
            | Self::Recalling(..)
            | Self::AwaitingModel(_) => true,
            // What is heard is paid for.
            Self::TakingIn(asking) => !asking.prompt.files().any(is_recording),
            Self::ShowingNotice(_)
            | Self::Filing(..)
            | Self::Working(_)
            | Self::ScreeningDraft(..)
            | Self::ScreeningFact(_)
            | Self::ScreeningProposals(_)
            | Self::RescreeningParts
            | Self::Delivering { .. }
            | Self::Administering { .. }
            | Self::ComposingStatus
            | Self::Tracing { .. }
            | Self::Looking
            | Self::Exporting
            | Self::Forgetting => false,
        }
    }
}

impl Session {
    /// True if the update came with a question whose answer is fixed: it ends when that does.
    pub(super) fn ends_with_another(&self, update: UpdateId) -> bool {
        self.state.open.values().any(|it| it.answer.is_some() && it.also.contains(&update))
    }

    /// Takes an update to the question that it belongs to, if that can still be asked with it.
    pub(super) fn joins(
        &mut self,
        entry: &Entry,
        request: &Request,
        view: &View,
        effects: &mut Vec<Effect>,
    ) -> bool {
        if self.has_answer(entry.update) {
            return false;
        }
        match &entry.inbound {
            Some(Inbound::Said(said)) => self.goes_on(entry, said, request, view, effects),
            Some(Inbound::Edited(said)) => self.corrects(entry, said, request, view, effects),
            Some(
                Inbound::Pressed(_)
                | Inbound::StopRequested { .. }
                | Inbound::Membership { .. }
                | Inbound::Due(_)
                | Inbound::BotMade { .. }
                | Inbound::Nothing,
            )
            | None => false,
        }
    }

    fn has_answer(&self, update: UpdateId) -> bool {
        self.state.open.get(&update).is_some_and(|it| it.answer.is_some())
    }

    /// More of a question, or of an album.
    fn goes_on(
        &mut self,
        entry: &Entry,
        said: &Said,
        request: &Request,
        view: &View,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let span = self.config.home.gather_time;
        if span.is_zero() || said.command.is_some() || said.company.by_bot || self.is_drained {
            return false;
        }
        match view.standing(said.person.as_ref().map(|it| it.id), self.key.chat, self.now) {
            Standing::Stranger | Standing::Blocked => return false,
            Standing::Admin | Standing::Guest => (),
        }
        // Of an album only one piece has words, and in a group only that one is addressed.
        let is_wordless = said.text.trim().is_empty() && said.album.is_some();
        let prompt = if let Request::Ask(None, prompt) = request {
            prompt.clone()
        } else if is_wordless {
            request::piece_of(said, &self.config.house)
        } else {
            return false;
        };
        let is_asked =
            |it: &UpdateId| self.state.open.get(it).is_some_and(|it| it.answer.is_some());
        let waiting = self.lanes.talk.backlog.back_mut();
        if let Some(last) = waiting {
            let fits = !is_asked(&last.entry.update)
                && last.request.asks()
                && last.heard.goes_on_with(entry, said, &prompt, span);
            if fits {
                last.heard.add(entry, said, prompt);
                last.heard.also.push(entry.update);
                last.request = Request::Ask(None, last.heard.prompt());
            }
            return fits;
        }
        let fits = |turn: &Turn| {
            turn.can_be_taken_back()
                && !turn.was_shown
                && turn.heard.goes_on_with(entry, said, &prompt, span)
        };
        let Some(turn) = self.lanes.talk.turn.take_if(|it| fits(it)) else { return false };
        turn.unmark(effects);
        let mut heard = turn.heard;
        heard.add(entry, said, prompt);
        heard.also.push(turn.update);
        self.ask_anew(entry, turn.update, heard, view, effects);
        true
    }

    /// True for a piece of an album of which was said already that it cannot be used: once is enough. A crash
    /// may have it said again.
    pub(super) fn was_said_of_its_album(&mut self, entry: &Entry, request: &Request) -> bool {
        let (Some(Inbound::Said(said)), Request::Say(_)) = (&entry.inbound, request) else {
            return false;
        };
        let Some(album) = said.album.as_ref().filter(|_| !self.has_answer(entry.update)) else {
            return false;
        };
        let was_said = self.album_answered.as_ref() == Some(album);
        self.album_answered = Some(album.clone());
        was_said
    }

    /// A message that was edited before it was answered: the question is asked with the new words, or
    /// will be.
    fn corrects(
        &mut self,
        entry: &Entry,
        said: &Said,
        request: &Request,
        view: &View,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Request::Ask(None, prompt) = request else { return false };
        let answered: Vec<UpdateId> = self
            .state
            .open
            .iter()
            .filter(|(_, it)| it.answer.is_some())
            .map(|(it, _)| *it)
            .collect();
        let mut waiting = self.lanes.talk.backlog.iter_mut();
        let waiting = waiting.find(|it| {
            it.heard.has(said.message) && it.request.asks() && !answered.contains(&it.entry.update)
        });
        if let Some(queued) = waiting {
            queued.heard.replace(said.message, prompt);
            queued.heard.also.push(entry.update);
            queued.request = Request::Ask(None, queued.heard.prompt());
            return true;
        }
        let fits = |it: &Turn| {
            it.can_be_taken_back() && !it.stream.has_begun() && it.heard.has(said.message)
        };
        let Some(turn) = self.lanes.talk.turn.as_deref_mut().filter(|it| fits(it)) else {
            return false;
        };
        if !turn.heard.replace(said.message, prompt) {
            // A preview of a link has come to stand under it, and nothing else has changed.
            turn.heard.also.push(entry.update);
            return true;
        }
        let Some(turn) = self.lanes.talk.turn.take() else { return false };
        turn.unmark(effects);
        let mut heard = turn.heard;
        heard.also.push(turn.update);
        self.ask_anew(entry, turn.update, heard, view, effects);
        true
    }

    /// Takes a question back and asks it with all that belongs to it.
    fn ask_anew(
        &mut self,
        entry: &Entry,
        before: UpdateId,
        heard: Heard,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        effects.push(Effect::Withdraw(before));
        let request = Request::Ask(None, heard.prompt());
        let queued = Queued { entry: entry.clone(), request, recovered: false, heard };
        self.lanes.talk.backlog.push_front(Box::new(queued));
        self.open_next(Which::Talk, view, effects);
    }

    /// Nothing more came.
    pub(super) fn gathered(&mut self, update: UpdateId, view: &View, effects: &mut Vec<Effect>) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::Gathering(_))) else { return };
        let Stage::Gathering(request) = turn.stage.take() else { return };
        self.take_up(update, request, view, effects);
    }

    /// Begins with the work on an update.
    pub(super) fn take_up(
        &mut self,
        update: UpdateId,
        request: Request,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let is_edited = self.turn(update, |_| true).is_some_and(|it| it.heard.is_edited);
        if let (Request::Ask(_, prompt), true) = (&request, is_edited) {
            return self.ask_edited(update, prompt.clone(), view, effects);
        }
        self.begin(update, request, view, effects);
    }

    /// Which messages make the question, if it is written in any.
    pub(super) fn question_taken(&mut self, update: UpdateId, agent: &AgentName) -> Option<Event> {
        let heard = self.turn(update, |_| true)?.heard.clone();
        if heard.pieces.is_empty() {
            return None;
        }
        let messages = heard.pieces.iter().map(|(it, _)| *it).collect();
        let (agent, also, place) = (agent.clone(), heard.also.clone(), heard.place);
        self.last_heard = (1 < heard.pieces.len()).then(|| Box::new((update, heard)));
        Some(Event::QuestionTaken { update, agent, messages, also, place })
    }

    /// A question that was edited after it was taken up is asked again, if it is still the newest.
    fn ask_edited(
        &mut self,
        update: UpdateId,
        prompt: Prompt,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let message = self.turn(update, |_| true).and_then(|it| it.heard.pieces.first().cloned());
        let (Some((message, _)), Some(last)) = (message, self.state.last_turn.clone()) else {
            return self.finish(update, vec![], Outcome::Ignored, effects);
        };
        if !last.messages.contains(&message) {
            return self.finish(update, vec![], Outcome::Ignored, effects);
        }
        let known = self.last_heard.take().filter(|it| it.0 == last.update).map(|it| it.1.pieces);
        let mut pieces = match known {
            Some(pieces) => pieces,
            None if last.messages.len() == 1 => vec![(message, Prompt::default())],
            None => {
                let notice = words::home::edited_piece();
                return self.answer_notice(update, notice, Outcome::Answered, effects);
            }
        };
        let place = match last.sent.as_slice() {
            [one] => Some(*one),
            [] => last.place,
            _many => None,
        };
        let Some(turn) = self.turn(update, |_| true) else { return };
        pieces.iter_mut().filter(|it| it.0 == message).for_each(|it| it.1 = prompt.clone());
        turn.heard.pieces = pieces;
        turn.heard.was_asked = last.asked;
        turn.heard.place = place;
        turn.heard.supersedes = !last.sent.is_empty() || last.place.is_some();
        let prompt = turn.heard.prompt();
        let is_there = self.state.histories.get(&last.agent).is_some_and(|it| !it.is_empty());
        let replaces = last.answered && is_there;
        self.ask(update, Some(last.agent), prompt, replaces, view, effects);
    }

    /// True if an edited question says what it said before, as far as a model sees it.
    pub(super) fn is_unchanged(&mut self, update: UpdateId, asking: &Asking) -> bool {
        let was_asked = self.turn(update, |_| true).is_some_and(|it| it.heard.was_asked);
        let before = self.state.last_asked.as_ref().filter(|_| was_asked);
        before.is_some_and(|(agent, text)| *agent == asking.agent.name && *text == asking.asked)
    }
}

impl Heard {
    /// Puts new words into a message's place. False if they are the old ones.
    fn replace(&mut self, message: MessageId, prompt: &Prompt) -> bool {
        let mut changed = false;
        for (_, old) in self.pieces.iter_mut().filter(|(it, _)| *it == message) {
            changed |= old != prompt;
            old.clone_from(prompt);
        }
        changed
    }
}
