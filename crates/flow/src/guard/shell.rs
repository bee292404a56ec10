//! The guard as an actor. Judging takes processor time, of a long text a tenth of a second, so it is
//! done beside the actors and holds up none of them.
//!
//! Receives  what [`super::Msg`] lists.
//! Sends     verdicts, from where they were found.
//! Owns      the texts that wait to be judged. Where too many wait, the actor judges, too, and those who
//!           ask wait for their turn in its mailbox.
//! On crash  the text in hand is lost, wherever it was judged, and the guard restarts. What was put to
//!           the earlier one is judged.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use kit::{Actor, Cx, Fault};
use protocol::{Agent, event::Judged};
use screening::OutboundContext;
use tokio::{runtime::Handle, sync::oneshot};
use tracing::info;

use super::{Msg, screen_answer, screen_parts, screen_preview, screen_prompt_but};
use crate::{alarm::Digest, fault::fault_point, roster::Shared, rulebook::Rules, tally::Tally};

/// Texts that may wait to be judged.
const WAITING_MAX: usize = 1_024;
/// Agents whose contexts are kept: making one reads all of its instructions.
const KNOWN_MAX: usize = 64;

/// One text, to be judged wherever there is time.
type Job = Box<dyn FnOnce() + Send>;

type Panic = Box<dyn Any + Send>;

/// Tells the actor of the first panic outside it.
#[derive(Clone)]
struct Alarm(Arc<Mutex<Option<oneshot::Sender<Panic>>>>);

impl Alarm {
    fn new() -> (Self, oneshot::Receiver<Panic>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Arc::new(Mutex::new(Some(sender)))), receiver)
    }

    /// Runs a job. If it panics, whoever waits for its verdict learns that there is none.
    fn watch(&self, job: impl FnOnce()) {
        let Err(panic) = catch_unwind(AssertUnwindSafe(job)) else { return };
        if let Some(sender) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // lost-ok: the guard restarts already.
            sender.send(panic).ok();
        }
    }
}

/// A supervised guard.
pub struct Guard {
    rules: Rules,
    /// A word that every agent's instructions hold and no answer may.
    canary: Arc<str>,
    tally: Tally,
    known: Vec<(Arc<Agent>, Arc<OutboundContext>)>,
    /// Where the marks on false alarms are, and how a text is looked up among them.
    marks: Option<(Shared, Digest)>,
    alarm: Alarm,
    is_alarmed: Option<oneshot::Receiver<Panic>>,
    /// Where texts are judged: a runtime beside the actors'.
    judges: Handle,
    waiting: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Guard {
    /// The factory given to the supervisor.
    #[must_use]
    pub fn incarnate(rules: Rules, canary: Arc<str>, judges: Handle, tally: Tally) -> Self {
        let (alarm, is_alarmed) = Alarm::new();
        let (known, is_alarmed, waiting) = (Vec::new(), Some(is_alarmed), Arc::default());
        Self { rules, canary, tally, known, marks: None, alarm, is_alarmed, judges, waiting }
    }

    /// The same, and it lets pass what is marked as a false alarm.
    #[must_use]
    pub fn excepting(self, hall: Shared, digest: Digest) -> Self {
        Self { marks: Some((hall, digest)), ..self }
    }

    fn context(&mut self, agent: &Arc<Agent>) -> Result<Arc<OutboundContext>, Fault> {
        if let Some((_, context)) = self.known.iter().find(|(it, _)| Arc::ptr_eq(it, agent)) {
            return Ok(Arc::clone(context));
        }
        let name = agent.name.as_str().to_owned();
        let context = OutboundContext::new(Some(name), &agent.instructions);
        let context = context.with_canary(&self.canary);
        let context = context.map_err(|error| Fault::new("the canary cannot be used", error))?;
        // Definitions that were replaced stay until then.
        if KNOWN_MAX <= self.known.len() {
            self.known.clear();
        }
        let context = Arc::new(context);
        self.known.push((Arc::clone(agent), Arc::clone(&context)));
        Ok(context)
    }

    /// What is to be done about a question.
    fn job(&mut self, msg: Msg) -> Result<Job, Fault> {
        let (screen, tally) = (Arc::clone(&self.rules.load().screen), self.tally.clone());
        Ok(match msg {
            Msg::ScreenPrompt(prompt, agent, reply) => {
                let (marks, alarm) = (self.marks.clone(), self.alarm.clone());
                let judges = self.judges.clone();
                Box::new(move || {
                    let asks = |it: &str| screen.asks_about(it);
                    let quoted = prompt.quoted.as_deref();
                    let is_in_doubt = asks(&prompt.text) || quoted.is_some_and(asks);
                    let judge = move || {
                        let is_marked = |it: &str| is_marked(&marks, it);
                        let (verdict, hidden) =
                            screen_prompt_but(&screen, prompt, &agent, &is_marked);
                        tally.judged("in", &verdict);
                        report("in", agent.as_str(), verdict.judged());
                        // lost-ok: the session restarted meanwhile and will ask again.
                        reply.send((verdict, hidden)).ok();
                    };
                    if is_in_doubt {
                        // A second opinion takes milliseconds: others are not kept waiting for it.
                        // lost-ok: it answers by itself.
                        drop(judges.spawn_blocking(move || alarm.watch(judge)));
                    } else {
                        judge();
                    }
                })
            }
            Msg::ScreenDraft(draft, agent, reply) => {
                let context = self.context(&agent)?;
                Box::new(move || {
                    let verdict = screen_answer(&screen, draft, &context, agent.proposes_facts);
                    tally.judged("out", &verdict);
                    report("out", agent.name.as_str(), verdict.judged());
                    // lost-ok: the session restarted meanwhile and will ask again.
                    reply.send(verdict).ok();
                })
            }
            Msg::ScreenPreview(draft, agent, reply) => {
                let context = self.context(&agent)?;
                Box::new(move || {
                    // Not counted and not told: the whole answer will be.
                    let verdict = screen_preview(&screen, draft, &context, agent.proposes_facts);
                    // lost-ok: as above.
                    reply.send(verdict).ok();
                })
            }
            Msg::ScreenParts(parts, reply) => Box::new(move || {
                let verdict = screen_parts(&screen, parts);
                tally.judged("out", &verdict);
                // lost-ok: as above.
                reply.send(verdict).ok();
            }),
        })
    }
}

fn is_marked(marks: &Option<(Shared, Digest)>, text: &str) -> bool {
    let Some((hall, digest)) = marks else { return false };
    hall.load().alarms().has_question(|| digest(text))
}

/// Says in the log what was found, for whoever watches; never the text.
fn report(direction: &'static str, agent: &str, judged: &Judged) {
    let (kinds, rules) = (judged.kinds.join(","), judged.rules.join(","));
    let severity = match judged.verdict.as_str() {
        "refuse" => "blocked_attempt",
        "redact" => "security_warning",
        "flag" => "suspicious_pattern",
        _ => return,
    };
    info!(
        labels.agent = agent,
        labels.direction = direction,
        labels.kinds = kinds,
        labels.rules = rules,
        labels.score = judged.score,
        event.action = severity,
        "the guard found something"
    );
}

impl Actor for Guard {
    type Msg = Msg;

    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        if let Some(is_alarmed) = self.is_alarmed.take() {
            cx.when(is_alarmed, |_, panic, _| match panic {
                // As if it had happened here.
                Ok(panic) => resume_unwind(panic),
                // All who could tell are gone.
                Err(_) => Ok(()),
            });
        }
        Ok(())
    }

    fn handle(&mut self, msg: Msg, _: &mut Cx<'_, Self>) -> Result<(), Fault> {
        fault_point("guard");
        let job = self.job(msg)?;
        if WAITING_MAX <= self.waiting.load(Relaxed) {
            job();
            return Ok(());
        }
        self.waiting.fetch_add(1, Relaxed);
        let (alarm, waiting) = (self.alarm.clone(), Arc::clone(&self.waiting));
        // lost-ok: it answers by itself.
        drop(self.judges.spawn(async move {
            alarm.watch(job);
            waiting.fetch_sub(1, Relaxed);
        }));
        Ok(())
    }
}
