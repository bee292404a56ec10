//! The part of a session's shell that keeps what people brought to be read, searches it and deletes it.
//!
//! Nothing of it stays in memory: a person's papers are loaded for each errand, and whoever else wrote to them
//! meanwhile is seen by where their stream is. What is to be written is written before anything goes on.

use kit::{Cx, Fault, ask};
use protocol::{
    PersonId, UpdateId,
    document::{PaperEvent, PaperId},
    ledger::{Append, LedgerError, Loaded, Owned, Seq, Stream},
    tool::{Invocation, ToolError, ToolOutput},
};
use tracing::{info, warn};

use super::{Input, SessionActor, ToolInput};
use crate::{
    fault::fault_point,
    memory,
    papers::{self, Cabinet, Keeping, NewPaper},
    words,
};

/// Attempts where somebody else wrote to the stream in between.
const ATTEMPTS_MAX: u32 = 5;

/// What is wanted of a person's papers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaperWish {
    /// Keep one.
    Keep(Box<NewPaper>),
    /// List them.
    List(PersonId),
    /// Delete one.
    Delete(PersonId, PaperId),
    /// Search them, for a call of the tool.
    Search(PersonId, u32, String),
}

impl PaperWish {
    fn person(&self) -> PersonId {
        match self {
            Self::Keep(it) => it.by,
            Self::List(it) | Self::Delete(it, _) | Self::Search(it, ..) => *it,
        }
    }
}

/// What came of a wish, once all of it is durable.
#[derive(Debug)]
enum Came {
    Kept(Keeping),
    Said(words::Notice),
    Found(u32, Result<ToolOutput, ToolError>),
}

impl SessionActor {
    /// A call of the tool that searches them.
    pub(super) fn search_papers(
        &mut self,
        update: UpdateId,
        call: u32,
        invocation: &Invocation,
        cx: &mut Cx<'_, Self>,
    ) {
        match papers::asked(invocation) {
            Ok((person, query)) => {
                self.do_with_papers(update, PaperWish::Search(person, call, query), cx);
            }
            Err(error) => {
                let told = Input::Tool(update, ToolInput::Answered(call, Err(error)));
                let folds = self.folds;
                // Behind what is being carried out.
                cx.when(async {}, move |actor, (), cx| match actor.folds == folds {
                    true => actor.input(told, cx),
                    false => Ok(()),
                });
            }
        }
    }

    pub(super) fn do_with_papers(
        &mut self,
        update: UpdateId,
        wish: PaperWish,
        cx: &mut Cx<'_, Self>,
    ) {
        self.load_papers(update, wish, 1, cx);
    }

    fn load_papers(
        &mut self,
        update: UpdateId,
        wish: PaperWish,
        attempt: u32,
        cx: &mut Cx<'_, Self>,
    ) {
        let (memory, folds) = (self.peers.memory.clone(), self.folds);
        let stream = papers::stream(self.key, wish.person());
        let work = async move { ask(&memory, |reply| memory::Msg::Load(stream, reply)).await };
        cx.when(work, move |actor, loaded, cx| {
            if actor.folds != folds {
                return Ok(()); // Somebody may have been forgotten since, and the turn begins anew.
            }
            match loaded {
                Ok(Ok(loaded)) => actor.papers_loaded(update, wish, attempt, &loaded, cx),
                Ok(Err(error)) => actor.papers_away(update, &wish, &error.to_string(), cx),
                Err(_) => actor.papers_away(update, &wish, "the memory is away", cx),
            }
        });
    }

    fn papers_loaded(
        &mut self,
        update: UpdateId,
        wish: PaperWish,
        attempt: u32,
        loaded: &Loaded,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        let cabinet = match Cabinet::fold(loaded) {
            Ok(cabinet) => cabinet,
            Err(error) => return self.papers_away(update, &wish, &error.to_string(), cx),
        };
        let person = wish.person();
        let (event, came) = match &wish {
            PaperWish::Keep(new) => {
                let (event, outcome) = cabinet.keep(update, new, self.config.papers);
                (event, Came::Kept(outcome))
            }
            PaperWish::List(_) => (None, Came::Said(words::papers::list(cabinet.papers(), person))),
            PaperWish::Delete(_, id) => {
                let name = cabinet.paper(*id).map(|it| it.name.as_str());
                (cabinet.delete(*id), Came::Said(words::papers::deleted(name)))
            }
            PaperWish::Search(_, call, query) => {
                (None, Came::Found(*call, Ok(cabinet.search(query))))
            }
        };
        match event {
            Some(event) => {
                self.write_papers(update, (wish, attempt), (cabinet, event), (loaded, came), cx);
                Ok(())
            }
            None => self.papers_done(update, came, cx),
        }
    }

    fn write_papers(
        &mut self,
        update: UpdateId,
        (wish, attempt): (PaperWish, u32),
        (mut cabinet, event): (Cabinet, PaperEvent),
        (loaded, came): (&Loaded, Came),
        cx: &mut Cx<'_, Self>,
    ) {
        let person = wish.person();
        let stream = papers::stream(self.key, person);
        let events = papers::owned(person, &event).into_iter().collect();
        let append = Append { stream, expected: loaded.at, events, closes: Vec::new() };
        let is_long = Cabinet::is_to_be_folded(loaded.appends);
        let (memory, folds) = (self.peers.memory.clone(), self.folds);
        let work = async move { ask(&memory, |reply| memory::Msg::Append(append, reply)).await };
        cx.when(work, move |actor, written, cx| {
            fault_point("session_paper_written");
            if actor.folds != folds {
                return Ok(()); // As above.
            }
            match written {
                Ok(Ok(at)) => {
                    cabinet.apply(event);
                    if is_long {
                        actor.fold_papers(stream, at, cabinet.state(person));
                    }
                    actor.papers_done(update, came, cx)
                }
                Ok(Err(LedgerError::Conflict { .. })) if attempt < ATTEMPTS_MAX => {
                    actor.load_papers(update, wish, attempt + 1, cx);
                    Ok(())
                }
                Ok(Err(error)) => actor.papers_away(update, &wish, &error.to_string(), cx),
                Err(_) => actor.papers_away(update, &wish, "the memory is away", cx),
            }
        });
    }

    /// Stores the papers anew, so that loading stays short.
    fn fold_papers(&self, stream: Stream, at: Seq, state: Vec<Owned>) {
        let (reply, _) = tokio::sync::oneshot::channel();
        // lost-ok: the events are there; the next write stores it.
        self.peers.memory.try_tell(memory::Msg::Snapshot(stream, at, state, reply)).ok();
    }

    fn papers_done(
        &mut self,
        update: UpdateId,
        came: Came,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        let input = match came {
            Came::Kept(outcome) => {
                if matches!(outcome, Keeping::Kept { .. }) {
                    info!(event.action = "paper_kept", "the text of a file is kept");
                }
                Input::PaperKept(update, outcome)
            }
            Came::Said(notice) => Input::Looked(update, notice),
            Came::Found(call, found) => Input::Tool(update, ToolInput::Answered(call, found)),
        };
        self.input(input, cx)
    }

    /// The ledger does not read or write now. Nothing of a message that brought a file is lost: it is taken
    /// up again.
    fn papers_away(
        &mut self,
        update: UpdateId,
        wish: &PaperWish,
        why: &str,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        warn!(
            error.message = why,
            event.action = "papers_away",
            "what people brought is not there"
        );
        match wish {
            PaperWish::Keep(_) => {
                self.stall(cx);
                Ok(())
            }
            PaperWish::List(_) | PaperWish::Delete(..) => {
                self.input(Input::Looked(update, words::papers::away()), cx)
            }
            PaperWish::Search(_, call, _) => {
                let error = ToolError::Unavailable(why.into());
                self.input(Input::Tool(update, ToolInput::Answered(*call, Err(error))), cx)
            }
        }
    }
}
