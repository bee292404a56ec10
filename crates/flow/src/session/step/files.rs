//! What comes with a question besides words: it is taken in before the guard sees the question, and is
//! screened like what is typed.
//!
//! Invariants: FILES-1 what was heard is durable before anything is made of it: it is paid for once.
//! FILES-2 of a file only what was made of it is kept, never the file. FILES-3 the text of a person's own file
//! is kept where the guard let its question pass, and durable before anything is made of it.

use protocol::{
    UpdateId,
    event::{AnswerKind, Event, Outcome, Part},
    hearing::{Paid, Transcript},
    inbound::{Beside, Channel, FileRef},
    model::Image,
};
use screening::Placeholders;

use super::{Asking, Effect, PaperWish, Session, Stage};
use crate::{
    context,
    guard::{Cleared, Draft, Prompt},
    papers::{Keeping, NewPaper},
    passages,
    senses::{NotSensed, ReadFile, Sensed},
    words,
};

/// Of a file a model sees so much with one question, in characters.
const FILE_CHARS_MAX: usize = 6_000;
/// What a file is called whose sender's app does not say.
const UNNAMED: &str = "file";

/// What came with a question, as far as its answer shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Came {
    /// Nothing.
    #[default]
    Nothing,
    /// A recording, and what was heard of it, once the guard let it pass.
    Recording(String),
    /// Pictures.
    Pictures(Vec<Image>),
    /// A file of text.
    File,
}

impl Came {
    /// True for what may hold words that are not the person's own.
    pub(super) fn is_of_strangers(&self) -> bool {
        match self {
            Self::Nothing | Self::Recording(_) => false,
            Self::Pictures(_) | Self::File => true,
        }
    }

    /// The pictures that a model is shown.
    pub(super) fn pictures(&self) -> Vec<Image> {
        match self {
            Self::Pictures(images) => images.clone(),
            Self::Nothing | Self::Recording(_) | Self::File => Vec::new(),
        }
    }

    fn add(&mut self, image: Image) {
        match self {
            Self::Pictures(images) => images.push(image),
            Self::Nothing | Self::Recording(_) | Self::File => *self = Self::Pictures(vec![image]),
        }
    }

    /// What is asked with it where the person asks nothing.
    fn alone(&self) -> Option<words::Text> {
        match self {
            Self::Pictures(_) => Some(words::media::picture_alone()),
            Self::File => Some(words::media::file_alone()),
            Self::Nothing | Self::Recording(_) => None,
        }
    }
}

impl Session {
    /// Has a question screened, once what came with it is taken in.
    pub(super) fn screen_question(
        &mut self,
        update: UpdateId,
        mut asking: Asking,
        effects: &mut Vec<Effect>,
    ) {
        let next = asking.prompt.files().nth(asking.files_taken).cloned();
        let Some(file) = next.map(Box::new) else {
            if let (true, Some(question)) =
                (asking.prompt.text.trim().is_empty(), asking.came.alone())
            {
                asking.prompt.text = question.in_language(self.language(update));
            }
            return self.screen_asking(update, asking, effects);
        };
        let heard = self.state.open.get(&update).and_then(|it| it.heard.clone());
        if let Some(transcript) = heard {
            return self.with_transcript(update, asking, transcript, effects);
        }
        effects.push(Effect::Typing);
        effects.push(Effect::TakeIn(update, file, asking.agent.name.clone()));
        self.set_stage(update, Stage::TakingIn(asking));
    }

    fn screen_asking(&mut self, update: UpdateId, asking: Asking, effects: &mut Vec<Effect>) {
        let agent = asking.agent.name.clone();
        effects.push(Effect::ScreenPrompt(update, asking.prompt.clone(), agent));
        self.set_stage(update, Stage::ScreeningPrompt(asking));
    }

    pub(super) fn taken_in(
        &mut self,
        update: UpdateId,
        result: Result<Sensed, NotSensed>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::TakingIn(_))) else { return };
        let reference = turn.reference;
        let Stage::TakingIn(mut asking) = turn.stage.take() else { return };
        asking.files_taken += 1;
        let notice = match result {
            Ok(Sensed::Heard(transcript, toll)) => {
                // FILES-1.
                let (agent, at) = (asking.agent.name.clone(), self.now);
                let person = self.authors.get(&update).copied();
                let paid = Some(Paid { agent, person, at, toll });
                let heard = Event::RecordingHeard { update, transcript: transcript.clone(), paid };
                self.record(vec![heard], vec![], effects);
                return self.with_transcript(update, asking, transcript, effects);
            }
            Ok(Sensed::Seen(image)) => {
                asking.came.add(image);
                return self.screen_question(update, asking, effects);
            }
            Ok(Sensed::Read(read)) => return self.with_file(update, asking, read, effects),
            Err(_) if asking.is_resumed => return self.screen_question(update, asking, effects),
            Err(NotSensed::TooLarge(bytes_max)) => words::media::too_large(bytes_max),
            Err(NotSensed::Unreadable) => words::media::cannot_be_read(),
            Err(NotSensed::Locked) => words::papers::locked(),
            Err(NotSensed::TooMuch) => words::papers::too_much(),
            Err(NotSensed::Wordless) => words::papers::wordless(),
            Err(NotSensed::Unavailable) => {
                let notice = words::media::not_taken_in(reference);
                let (kind, outcome) = (AnswerKind::Apology, Outcome::Answered);
                return self.answer_kind(update, vec![], kind, notice, outcome, effects);
            }
            Err(NotSensed::OverCap(cap)) => {
                let notice = words::over_cap(cap, &self.config.house.calendar);
                let (kind, outcome) = (AnswerKind::Refusal, Outcome::Refused);
                return self.answer_kind(update, vec![], kind, notice, outcome, effects);
            }
        };
        self.answer_notice(update, notice, Outcome::Refused, effects);
    }

    /// What a model sees of a file is screened; the rest of it is not used.
    fn with_file(
        &mut self,
        update: UpdateId,
        mut asking: Asking,
        read: ReadFile,
        effects: &mut Vec<Effect>,
    ) {
        if asking.came == Came::Nothing {
            asking.came = Came::File;
        }
        // It is counted as taken in already.
        let file = asking.prompt.files().nth(asking.files_taken.saturating_sub(1)).cloned();
        let prompt = &mut asking.prompt;
        let share = FILE_CHARS_MAX / prompt.files().count().max(1);
        let passages = passages::fitting(&read.text, &prompt.text, share);
        let passage = |it: &str| Beside { channel: Channel::File, text: it.to_owned() };
        prompt.beside.extend(passages.into_iter().map(passage));
        let paper = file.and_then(|it| self.paper_of(update, &it, read));
        asking.papers.extend(paper);
        self.screen_question(update, asking, effects);
    }

    /// What is to be kept of a file: what its person brings themselves, where anything is kept.
    fn paper_of(&mut self, update: UpdateId, file: &FileRef, read: ReadFile) -> Option<NewPaper> {
        let turn = self.turn(update, |_| true)?;
        let (by, at) = (turn.course.asker?, turn.at);
        if file.is_replied || self.config.papers.papers_max == 0 {
            return None;
        }
        let ReadFile { text, bytes, is_cut } = read;
        let name = file.name.as_deref().map(context::one_line).unwrap_or_default();
        let name = if name.is_empty() { UNNAMED.to_owned() } else { name };
        Some(NewPaper { by, name, bytes, at, text, is_cut })
    }

    /// A question passed: what its person brought with it is kept before anything is made of it. FILES-3.
    pub(super) fn file_away(
        &mut self,
        update: UpdateId,
        mut asking: Asking,
        prompt: Cleared<Prompt>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(paper) = asking.papers.pop_front() else {
            return self.recall(update, asking, prompt, effects);
        };
        effects.push(Effect::Papers(update, PaperWish::Keep(Box::new(paper))));
        self.set_stage(update, Stage::Filing(asking, prompt));
    }

    pub(super) fn paper_kept(
        &mut self,
        update: UpdateId,
        outcome: &Keeping,
        effects: &mut Vec<Effect>,
    ) {
        let Some(turn) = self.turn(update, |it| matches!(it, Stage::Filing(..))) else { return };
        let Stage::Filing(asking, prompt) = turn.stage.take() else { return };
        turn.filed.extend(words::papers::kept(outcome));
        self.file_away(update, asking, prompt, effects);
    }

    fn with_transcript(
        &mut self,
        update: UpdateId,
        mut asking: Asking,
        transcript: Transcript,
        effects: &mut Vec<Effect>,
    ) {
        let text = transcript.text.trim().to_owned();
        if text.is_empty() {
            let notice = words::media::nothing_heard();
            return self.answer_notice(update, notice, Outcome::Answered, effects);
        }
        asking.came = Came::Recording(String::new());
        let prompt = &mut asking.prompt;
        // Under words of its own a recording is what they are about.
        if prompt.text.trim().is_empty() {
            prompt.text = text;
        } else {
            prompt.beside.push(Beside { channel: Channel::Recording, text });
        }
        asking.asked = asking.prompt.text.clone();
        self.screen_asking(update, asking, effects);
    }
}

impl Session {
    /// What is spoken of an answer: all of it, where it answers a recording and is short enough. The
    /// person's data that the model does not see, whoever speaks does not see either.
    pub(super) fn aloud(&self, asking: &Asking, draft: &Cleared<Draft>) -> Vec<Cleared<Part>> {
        let is_recording = matches!(asking.came, Came::Recording(_));
        let chars_max = self.config.house.abilities.speaks_chars_max.unwrap_or_default();
        let parts = draft.typeset(self.config.typeset);
        let chars: usize = parts.iter().map(|it| it.get().plain.chars().count() + 1).sum();
        if is_recording && chars <= chars_max { parts } else { Vec::new() }
    }
}

/// What was said in the recording of a question that passed, with its person's own data.
pub(super) fn heard_in(prompt: &Prompt, hidden: &Placeholders) -> String {
    let is_recording = |it: &&Beside| it.channel == Channel::Recording;
    let beside = prompt.beside.iter().find(is_recording).map(|it| it.text.as_str());
    hidden.restore(beside.unwrap_or(&prompt.text))
}
