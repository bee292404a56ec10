//! Decides which text may pass, and is the only place that can say so.
//!
//! Receives  `ScreenPrompt`, `ScreenDraft` and `ScreenParts`, from sessions.
//! Sends     one verdict per question, back to who asked.
//! Owns      nothing: the rules are compiled once and shared.
//! On crash  the question in hand is lost; the session asks once more, then refuses the text.
//!
//! Invariants: GUARD-1 text that was not judged has no type that broker or outbox accept.
//! GUARD-2 what cannot be judged is refused.

use std::sync::Arc;

use kit::{Actor, Cx, Fault};
use protocol::{
    Agent,
    event::{Judged, Part},
    messenger::Typeset,
};
use screening::{Judgement, OutboundContext, Screen};
use tokio::sync::oneshot;

use crate::{fault::fault_point, tally::Tally};

/// What a person wrote, not judged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The message.
    pub text: String,
    /// What it quotes, if anything.
    pub quoted: Option<String>,
}

/// What a model wrote, not judged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft(pub String);

/// Text that the guard has let through.
///
/// Only this module can make one, so a function that takes a `Cleared<T>` cannot be handed text
/// that was never screened.
///
/// ```compile_fail,E0423
/// let forged = flow::guard::Cleared("never screened");
/// ```
///
/// The broker takes no other prompt, and the outbox no other answer:
///
/// ```compile_fail,E0308
/// let draft = flow::guard::Draft("never screened".to_owned());
/// let shown = flow::outbox::Sayable::Answer(draft);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleared<T>(T);

impl<T> Cleared<T> {
    /// The text itself.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The text itself, for good.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Cleared<Draft> {
    /// What may be seen of a text that is still being written: all but its end, up to a word.
    /// `None` if nothing may be seen yet.
    #[must_use]
    pub fn shown_while_written(&self, hold_back_chars: usize) -> Option<Self> {
        let text = &self.0.0;
        let (end, _) = text.char_indices().rev().nth(hold_back_chars)?;
        let shown = text.get(..end)?;
        let shown = shown.get(..shown.rfind(char::is_whitespace)?)?.trim_end();
        (!shown.is_empty()).then(|| Self(Draft(shown.to_owned())))
    }

    /// The draft as messages. Typesetting adds and removes no words, so it stays cleared.
    #[must_use]
    pub fn typeset(&self, typeset: Typeset) -> Vec<Cleared<Part>> {
        typeset(&self.0.0).into_iter().map(Cleared).collect()
    }
}

/// What the guard says about one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It may pass, perhaps with parts of it hidden.
    Clear(Cleared<T>, Judged),
    /// It stops here.
    Refuse(Judged),
}

/// What a guard can be told.
#[derive(Debug)]
pub enum Msg {
    /// May a model see this?
    ScreenPrompt(Prompt, oneshot::Sender<Verdict<Prompt>>),
    /// May the person see this? The agent's own instructions must not be in it.
    ScreenDraft(Draft, Arc<Agent>, oneshot::Sender<Verdict<Draft>>),
    /// May these parts, fixed before a crash, still be shown?
    ScreenParts(Vec<Part>, oneshot::Sender<Verdict<Vec<Cleared<Part>>>>),
}

/// Judges a prompt: the message, and with it what it quotes.
#[must_use]
pub fn screen_prompt(screen: &Screen, prompt: Prompt) -> Verdict<Prompt> {
    let text = screen.inbound(&prompt.text);
    let quoted = prompt.quoted.as_deref().map(|it| screen.inbound(it));
    let mut judged = judged(&text);
    let mut refused = text.verdict == screening::Verdict::Refuse;
    if let Some(quoted) = &quoted {
        let more = self::judged(quoted);
        refused |= quoted.verdict == screening::Verdict::Refuse;
        if judged.verdict == "clear" || quoted.verdict == screening::Verdict::Refuse {
            judged.verdict = more.verdict;
        }
        judged.score = judged.score.max(more.score);
        judged.rules.extend(more.rules);
    }
    if refused {
        return Verdict::Refuse(judged);
    }
    let quoted = quoted.map(|it| it.text.into_owned());
    Verdict::Clear(Cleared(Prompt { text: text.text.into_owned(), quoted }), judged)
}

/// Judges what a model wrote for an agent.
#[must_use]
pub fn screen_draft(screen: &Screen, draft: Draft, agent: &OutboundContext) -> Verdict<Draft> {
    let judgement = screen.outbound(&draft.0, agent);
    let judged = judged(&judgement);
    match judgement.verdict {
        screening::Verdict::Refuse => Verdict::Refuse(judged),
        screening::Verdict::Clear | screening::Verdict::Flag | screening::Verdict::Redact => {
            Verdict::Clear(Cleared(Draft(judgement.text.into_owned())), judged)
        }
    }
}

/// Judges an answer that was fixed before a crash: all of it passes as it is, or none.
#[must_use]
pub fn screen_parts(screen: &Screen, parts: Vec<Part>) -> Verdict<Vec<Cleared<Part>>> {
    let nobody = OutboundContext::default();
    for text in parts.iter().flat_map(|it| it.html.as_ref().into_iter().chain([&it.plain])) {
        let judgement = screen.outbound(text, &nobody);
        match judgement.verdict {
            screening::Verdict::Clear | screening::Verdict::Flag => (),
            screening::Verdict::Redact | screening::Verdict::Refuse => {
                return Verdict::Refuse(judged(&judgement));
            }
        }
    }
    let judged = Judged { verdict: "clear".to_owned(), ..Judged::default() };
    Verdict::Clear(Cleared(parts.into_iter().map(Cleared).collect()), judged)
}

fn judged(judgement: &Judgement<'_>) -> Judged {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a score is between 0 and 1"
    )]
    let score = (judgement.score.clamp(0.0, 1.0) * 1000.0) as u16;
    let verdict = judgement.verdict.as_str().to_owned();
    let rules = judgement.findings.iter().map(|it| it.rule.to_string()).collect();
    Judged { verdict, score, rules }
}

// === The shell: carries out effects. No decisions here. ===

/// A supervised guard.
#[derive(Debug)]
pub struct Guard {
    screen: Arc<Screen>,
    tally: Tally,
    /// The context of the agent asked about last: agents change rarely, and making one reads all
    /// of its instructions.
    known: Option<(Arc<Agent>, OutboundContext)>,
}

impl Guard {
    /// The factory given to the supervisor.
    #[must_use]
    pub fn incarnate(screen: Arc<Screen>, tally: Tally) -> Self {
        Self { screen, tally, known: None }
    }

    fn context(&mut self, agent: &Arc<Agent>) -> &OutboundContext {
        let is_known = self.known.as_ref().is_some_and(|(it, _)| Arc::ptr_eq(it, agent));
        if !is_known {
            self.known = None;
        }
        let make = || {
            let name = agent.name.as_str().to_owned();
            (Arc::clone(agent), OutboundContext::new(Some(name), &agent.instructions))
        };
        &self.known.get_or_insert_with(make).1
    }
}

impl Actor for Guard {
    type Msg = Msg;

    fn handle(&mut self, msg: Msg, _: &mut Cx<'_, Self>) -> Result<(), Fault> {
        fault_point("guard");
        match msg {
            Msg::ScreenPrompt(prompt, reply) => {
                let verdict = screen_prompt(&self.screen, prompt);
                self.tally.judged("in", &verdict);
                // lost-ok: the session restarted meanwhile and will ask again.
                reply.send(verdict).ok();
            }
            Msg::ScreenDraft(draft, agent, reply) => {
                let screen = Arc::clone(&self.screen);
                let verdict = screen_draft(&screen, draft, self.context(&agent));
                self.tally.judged("out", &verdict);
                // lost-ok: as above.
                reply.send(verdict).ok();
            }
            Msg::ScreenParts(parts, reply) => {
                let verdict = screen_parts(&self.screen, parts);
                self.tally.judged("out", &verdict);
                // lost-ok: as above.
                reply.send(verdict).ok();
            }
        }
        Ok(())
    }
}
