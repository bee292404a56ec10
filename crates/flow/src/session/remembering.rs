//! The part of a session's shell that deals with memory: summaries, and the search in the past.
//!
//! Nothing here may hold up an answer: a search has a deadline, everything else is waited for by
//! nobody. What is lost in a crash is looked for or written again, or cannot be found later, which
//! is counted; the ledger holds the conversation all the same.

use std::{sync::Arc, time::Duration};

use kit::{Cx, Fault, ask};
use protocol::{
    Agent, UpdateId,
    embedding::{Embedder, Haste},
    ledger::{Append, Owned, Seq, Stream},
    memory::Scope,
};
use tokio::sync::watch;
use tracing::warn;

use super::{
    SessionActor,
    step::{DigestId, Input, Lesson, Search},
    verdict_of,
};
use crate::{
    broker::{self, Unanswered},
    context::Digestion,
    guard::{self, Draft},
    memory,
    recall::{Memory, RecallConfig, Shelves, Source},
    treasurer::books::Payer,
};

/// How long making a vector may take when nobody waits.
const LEARN_TIME_MAX: Duration = Duration::from_secs(30);

/// What looks through the past, where that is switched on.
#[derive(Clone)]
pub struct Recaller {
    /// Makes vectors.
    pub embedder: Arc<dyn Embedder>,
    /// Its limits.
    pub config: RecallConfig,
}

impl std::fmt::Debug for Recaller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recaller").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What the shell keeps of it.
#[derive(Debug, Default)]
pub(super) struct Past {
    shelves: Shelves,
    /// Exchanges on their way to being found again.
    learning: usize,
    /// Dropped when nobody wants the summary any more that was asked for last.
    summary: Option<watch::Sender<()>>,
}

impl Past {
    /// True if words of people may be here.
    pub(super) fn holds_anything(&self) -> bool {
        !self.shelves.is_empty() || 0 < self.learning
    }

    pub(super) fn is_idle(&self) -> bool {
        self.learning == 0
    }
}

impl SessionActor {
    // --- summaries ---

    pub(super) fn summarise(&mut self, digestion: Digestion, cx: &mut Cx<'_, Self>) {
        let id = (digestion.agent.name.clone(), digestion.through);
        let broker = self.peers.broker.clone();
        // Only private chats have summaries.
        let payer = Payer { person: None, chat: self.key.chat };
        let (wanted, mut gone) = watch::channel(());
        self.remembered.summary = Some(wanted);
        let work = async move {
            let asked = ask(&broker, |reply| broker::Msg::Summarise { digestion, payer, reply });
            tokio::select! {
                // Dropped for the sake of an answer, or with the broker: later.
                answer = asked => answer.unwrap_or(Err(Unanswered::Busy)),
                _ = gone.changed() => Err(Unanswered::Busy),
            }
        };
        cx.when(work, move |actor, result, cx| actor.input(Input::Summarised(id, result), cx));
    }

    pub(super) fn screen_summary(
        &mut self,
        id: DigestId,
        draft: Draft,
        agent: Arc<Agent>,
        cx: &mut Cx<'_, Self>,
    ) {
        let question = move |draft, reply| guard::Msg::ScreenDraft(draft, agent.clone(), reply);
        self.screen(cx, draft, question, move |it| Input::SummaryJudged(id, verdict_of(it)));
    }

    // --- the past ---

    /// Everything here is read again when it is needed. What was on its way is not found later.
    pub(super) fn drop_memories(&mut self) {
        let Past { learning, .. } = std::mem::take(&mut self.remembered);
        // lost-ok: the conversation itself is in the ledger.
        (0..learning).for_each(|_| self.peers.tally.recalled("not_learned"));
    }

    pub(super) fn recall(&mut self, update: UpdateId, search: Search, cx: &mut Cx<'_, Self>) {
        self.open_shelf(search.scope, cx);
        let loaded = self.remembered.shelves.get_mut(search.scope).map(|it| it.loaded());
        let (recaller, text) = (self.peers.recaller.clone(), search.text.clone());
        let work = async move {
            let Recaller { embedder, config } = recaller?;
            let vector = async {
                let vector = embedder.embed(&text, Haste::Asked).await.ok()?;
                // An error means that the stream cannot be loaded.
                loaded?.wait_for(|it| *it).await.ok()?;
                Some(vector)
            };
            tokio::time::timeout(config.time_max, vector).await.ok().flatten()
        };
        cx.when(work, move |actor, vector, cx| actor.found(update, vector, &search, cx));
    }

    fn found(
        &mut self,
        update: UpdateId,
        vector: Option<Vec<f32>>,
        search: &Search,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        let (Some(session), Some(recaller)) = (&self.session, &self.peers.recaller) else {
            return self.input(Input::Recalled(update, Vec::new()), cx);
        };
        let state = session.state();
        // RECALL-2, and nothing that the model sees anyway.
        let may = |it: &Source| {
            let (agent, number) = &search.kept;
            let in_prompt = it.agent == *agent && *number <= it.number;
            it.epoch == state.digest(&it.agent).epoch && !in_prompt
        };
        let shelves = &self.remembered.shelves;
        let found = vector.and_then(|it| shelves.recall(search.scope, &it, &recaller.config, may));
        self.peers.tally.recalled(match &found {
            Some(found) if found.is_empty() => "nothing",
            Some(_) => "found",
            None => "late",
        });
        self.input(Input::Recalled(update, found.unwrap_or_default()), cx)
    }

    /// Loads a scope's stream, if that was not begun yet.
    fn open_shelf(&mut self, scope: Scope, cx: &mut Cx<'_, Self>) {
        let (_, is_new) = self.remembered.shelves.open(scope);
        if !is_new {
            return;
        }
        let memory = self.peers.memory.clone();
        let (stream, folds) = (Stream::Memories(scope), self.folds);
        let work = async move { ask(&memory, |reply| memory::Msg::Load(stream, reply)).await };
        cx.when(work, move |actor, loaded, cx| {
            if actor.folds != folds {
                return Ok(()); // Somebody may have been forgotten since.
            }
            let max = actor.memories_max();
            let shelf = actor.remembered.shelves.get_mut(scope);
            let is_filled = match (loaded, shelf) {
                (Ok(Ok(loaded)), Some(shelf)) => {
                    let filled = shelf.fill(&loaded.events, loaded.at, max);
                    filled.map_err(|error| error.to_string())
                }
                (Ok(Err(error)), _) => Err(error.to_string()),
                (Err(_), _) | (_, None) => Err("the memory is away".to_owned()),
            };
            match is_filled {
                Ok(()) => actor.write_next(scope, cx),
                Err(why) => actor.give_up(scope, &why),
            }
            Ok(())
        });
    }

    /// A scope's stream cannot be read or written now: it is tried again with the next question.
    fn give_up(&mut self, scope: Scope, why: &str) {
        warn!(
            error.message = why,
            event.action = "memories_away",
            "what was said cannot be recalled"
        );
        let shelf = self.remembered.shelves.remove(scope);
        let lost = shelf.map_or(0, |it| it.queue.len() + usize::from(it.writing));
        self.remembered.learning = self.remembered.learning.saturating_sub(lost);
        // lost-ok: these exchanges are not found later; the conversation itself is in the ledger.
        (0..lost).for_each(|_| self.peers.tally.recalled("not_learned"));
    }

    fn memories_max(&self) -> usize {
        self.peers.recaller.as_ref().map_or(0, |it| it.config.memories_max)
    }

    pub(super) fn learn(&mut self, lesson: Lesson, cx: &mut Cx<'_, Self>) {
        let Some(Recaller { embedder, .. }) = self.peers.recaller.clone() else { return };
        self.remembered.learning += 1;
        self.open_shelf(lesson.scope, cx);
        let text = format!("{}\n{}", lesson.asked, lesson.answered);
        let folds = self.folds;
        let work = async move {
            let vector = embedder.embed(&text, Haste::Idle);
            tokio::time::timeout(LEARN_TIME_MAX, vector).await.ok().and_then(Result::ok)
        };
        cx.when(work, move |actor, vector, cx| {
            if actor.folds != folds {
                return Ok(()); // As above; it was counted when it was dropped.
            }
            let shelf = actor.remembered.shelves.get_mut(lesson.scope);
            match (vector, shelf) {
                (Some(vector), Some(shelf)) => {
                    let owner = actor.key.owner(lesson.by);
                    shelf.queue.push_back((owner, Memory::of(&lesson, &vector)));
                    actor.write_next(lesson.scope, cx);
                }
                (None, _) | (_, None) => {
                    actor.remembered.learning -= 1;
                    // lost-ok: this exchange is not found later; the ledger has it.
                    actor.peers.tally.recalled("not_learned");
                }
            }
            actor.plan_rest(cx);
            Ok(())
        });
    }

    /// Writes the next memory of a scope, one after the other.
    fn write_next(&mut self, scope: Scope, cx: &mut Cx<'_, Self>) {
        let Some(shelf) = self.remembered.shelves.get_mut(scope) else { return };
        if shelf.writing || !shelf.is_loaded() {
            return;
        }
        let Some((owner, memory)) = shelf.queue.pop_front() else { return };
        let Ok(event) = serde_json::to_vec(&memory) else { return self.learned() };
        shelf.writing = true;
        let append = Append {
            stream: Stream::Memories(scope),
            expected: shelf.at,
            events: vec![Owned::by(owner, event)],
            closes: Vec::new(),
        };
        let (ledger, folds) = (self.peers.memory.clone(), self.folds);
        let work = async move { ask(&ledger, |reply| memory::Msg::Append(append, reply)).await };
        cx.when(work, move |actor, written, cx| {
            if actor.folds != folds {
                return Ok(()); // As above.
            }
            match written {
                Ok(Ok(at)) => actor.written(scope, memory, at, cx),
                // Somebody else wrote to it, such as an earlier incarnation of ours.
                Ok(Err(error)) => actor.give_up(scope, &error.to_string()),
                Err(_) => actor.give_up(scope, "the memory is away"),
            }
            actor.plan_rest(cx);
            Ok(())
        });
    }

    fn written(&mut self, scope: Scope, memory: Memory, at: Seq, cx: &mut Cx<'_, Self>) {
        let max = self.memories_max();
        if let Some(shelf) = self.remembered.shelves.get_mut(scope) {
            (shelf.at, shelf.writing) = (at, false);
            shelf.add(memory, max);
        }
        self.peers.tally.recalled("learned");
        self.learned();
        self.write_next(scope, cx);
    }

    fn learned(&mut self) {
        self.remembered.learning = self.remembered.learning.saturating_sub(1);
    }
}
