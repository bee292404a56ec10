//! Writes to one bot's chats: in order per chat, at Telegram's pace, until it is accepted.
//!
//! Receives  `Send`, `Edit`, `Preview`, `Typing` and `AnswerPress`, from sessions and others.
//! Sends     the message id, or why there never will be one, back to who asked.
//! Owns      a queue per chat and the pace of the bot: one budget for messages, edits, pins, previews,
//!           actions.
//! On crash  what was queued is dropped; each session learns it and sends again. A part that was
//!           accepted a moment before is noted in the ledger, ahead of the session's record.
//!
//! Invariants: OUTBOX-1 one request per chat at a time, in the order they came. OUTBOX-2 nothing is
//! sent before `retry_after` is over. OUTBOX-3 a message is dropped only when it can never be
//! delivered; previews and actions give way to messages, and hold one up for moments at most.
//! OUTBOX-4 the panel of `/status` is pinned once it was accepted, and stands without a pin where that
//! is refused. OUTBOX-5 a part that is asked for again while this incarnation has it is sent once.

mod pacer;
mod panel;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures::FutureExt as _;
use kit::{Actor, Cx, Fault, Mailbox, Pending, Tasks};
use protocol::{
    ChatId, MessageId, PersonId, SessionKey, UpdateId,
    event::Part,
    ledger::{Accepted, Ledger},
    messenger::{Address, Document, Messenger, MessengerError, Whisper},
};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
    task::JoinSet,
    time::Instant,
};
use tracing::warn;

pub use self::pacer::{Effect, Input, JobId, Pacer, Pacing};
use crate::{
    export::PersonalCopy,
    fault::fault_point,
    guard::Cleared,
    roster::{self, Shared},
    senses::Spoken,
    tally::Tally,
    words::{self, Notice},
};

/// What may be shown: an answer that the guard let through, or a text of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sayable {
    /// A model's answer.
    Answer(Cleared<Part>),
    /// A fixed text.
    Notice(Notice),
    /// What is held of a person, for that person.
    Copy(PersonalCopy),
    /// An answer that was let through, spoken.
    Spoken(Spoken),
    /// A model's answer, as a file.
    File {
        /// What it is called.
        name: String,
        /// What is said about it.
        caption: Notice,
        /// The answer.
        text: Cleared<Part>,
    },
    /// What one person alone sees, in a group.
    Whispered(Whisper, Box<Sayable>),
    /// What was asked for in a group, in a person's private chat.
    InPrivate(PersonId, Box<Sayable>),
    /// Something in the place of a message that was sent before; a message of its own where that is gone.
    Placed(MessageId, Box<Sayable>),
}

impl From<Notice> for Sayable {
    fn from(notice: Notice) -> Self {
        Self::Notice(notice)
    }
}

impl Sayable {
    async fn send(
        &self,
        messenger: &dyn Messenger,
        to: Address,
        reply_to: Option<MessageId>,
    ) -> Result<MessageId, MessengerError> {
        match self {
            Self::Answer(part) => messenger.send(to, part.get(), reply_to).await,
            Self::Notice(notice) => messenger.send(to, notice.part(), reply_to).await,
            Self::Copy(copy) => messenger.send_document(to, copy.document()).await,
            Self::Spoken(spoken) => messenger.send_voice(to, spoken.sound()).await,
            Self::File { name, caption, text } => {
                let document = Document {
                    name: name.clone(),
                    bytes: text.get().plain.clone().into(),
                    caption: caption.part().plain.clone(),
                };
                messenger.send_document(to, &document).await
            }
            // Neither is a message of the group's: nothing there can be replied to, edited or traced by its id.
            Self::Whispered(only, what) => {
                let description = "only messages can be whispered".to_owned();
                let part = what.part().ok_or(MessengerError::Rejected { description })?;
                messenger.whisper(to, only, part, reply_to).await.map(|()| MessageId(0))
            }
            Self::InPrivate(_, what) => {
                Box::pin(what.send(messenger, to, None)).await.map(|_| MessageId(0))
            }
            Self::Placed(message, what) => {
                let Some(part) = what.part() else {
                    return Box::pin(what.send(messenger, to, reply_to)).await;
                };
                match messenger.edit(to, *message, part).await {
                    Ok(()) => Ok(*message),
                    // Somebody deleted it, or it is too old.
                    Err(MessengerError::Rejected { .. }) => {
                        messenger.send(to, part, reply_to).await
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// The message whose place it takes.
    #[must_use]
    pub fn place(&self) -> Option<MessageId> {
        match self {
            Self::Placed(message, _) => Some(*message),
            Self::Answer(_)
            | Self::Notice(_)
            | Self::Copy(_)
            | Self::Spoken(_)
            | Self::Whispered(..)
            | Self::InPrivate(..)
            | Self::File { .. } => None,
        }
    }

    /// Where it goes that is said in this chat.
    #[must_use]
    pub fn address(&self, here: Address) -> Address {
        match self {
            Self::InPrivate(person, _) => Address { chat: ChatId(person.0), topic: None },
            Self::Answer(_)
            | Self::Notice(_)
            | Self::Copy(_)
            | Self::Spoken(_)
            | Self::Whispered(..)
            | Self::Placed(..)
            | Self::File { .. } => here,
        }
    }

    /// The message, if it is one.
    pub(crate) fn part(&self) -> Option<&Part> {
        match self {
            Self::Answer(part) => Some(part.get()),
            Self::Notice(notice) => Some(notice.part()),
            Self::Placed(_, what) | Self::Whispered(_, what) | Self::InPrivate(_, what) => {
                what.part()
            }
            Self::Copy(_) | Self::Spoken(_) | Self::File { .. } => None,
        }
    }

    /// Known by its buttons, so that it is one also when it is sent after a crash.
    fn is_panel(&self) -> bool {
        self.part().is_some_and(words::panel::is_one)
    }
}

// === The shell: carries out effects. No decisions here. ===

/// A part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartId {
    /// In which session.
    pub session: SessionKey,
    /// The update that is answered.
    pub update: UpdateId,
    /// Its number, from 0.
    pub part: u32,
}

/// What an outbox can be told.
#[derive(Debug)]
pub enum Msg {
    /// Send a message. Answered once it was accepted, or never can be.
    Send {
        /// Where to.
        to: Address,
        /// What.
        what: Sayable,
        /// What it answers.
        reply_to: Option<MessageId>,
        /// Which part of which answer it is, if it is one.
        part: Option<PartId>,
        /// The way back, if anyone waits.
        reply: Option<oneshot::Sender<Result<MessageId, MessengerError>>>,
    },
    /// Put something in the place of a message that was sent. Answered once it was accepted, or never
    /// can be.
    Edit {
        /// Where.
        to: Address,
        /// Which message.
        message: MessageId,
        /// What.
        what: Notice,
        /// The way back.
        reply: oneshot::Sender<Result<MessageId, MessengerError>>,
    },
    /// Show what is being written. Dropped where there is no room.
    Preview {
        /// Where.
        to: Address,
        /// Which preview it replaces: not 0.
        draft: i64,
        /// What.
        part: Cleared<Part>,
    },
    /// Put more of an answer that is being written into its message. Dropped where there is no room.
    Stream {
        /// Where.
        to: Address,
        /// Which message.
        message: MessageId,
        /// What.
        part: Cleared<Part>,
    },
    /// Show that someone thinks, where there are previews; else that someone types. Dropped where there
    /// is no room.
    Think {
        /// Where.
        to: Address,
        /// Which preview it is: not 0.
        draft: i64,
    },
    /// Put a sign on a message, or take it off. A sign that finds no room is dropped; one that is taken
    /// off waits for it.
    React {
        /// Where.
        to: Address,
        /// Which message.
        message: MessageId,
        /// The sign is put there; else it is taken off.
        is_on: bool,
    },
    /// Show that someone is typing. Dropped where there is no room.
    Typing(Address),
    /// Stop the spinner of a button; what is said with it only its presser sees.
    AnswerPress(String, Option<Box<Notice>>),
    /// A request ended.
    Ended(JobId, Result<MessageId, MessengerError>),
    /// Time has passed.
    Woken,
}

#[derive(Debug)]
enum Job {
    Message {
        to: Address,
        what: Sayable,
        reply_to: Option<MessageId>,
        part: Option<PartId>,
        reply: Option<oneshot::Sender<Result<MessageId, MessengerError>>>,
    },
    Edit {
        to: Address,
        message: MessageId,
        what: Notice,
        reply: oneshot::Sender<Result<MessageId, MessengerError>>,
    },
    Pin {
        to: Address,
        message: MessageId,
    },
    Preview {
        to: Address,
        draft: i64,
        /// Nothing yet: somebody thinks.
        part: Option<Cleared<Part>>,
    },
    Stream {
        to: Address,
        message: MessageId,
        part: Cleared<Part>,
    },
    React {
        to: Address,
        message: MessageId,
        is_on: bool,
    },
    Typing {
        to: Address,
    },
}

/// Parts of which is known that they were sent, although nobody waited for it.
const UNHEARD_MAX: usize = 1_024;
/// Says that a question was seen.
const SEEN: &str = "👀";

impl Job {
    fn to(&self) -> Address {
        match self {
            Self::Message { to, .. }
            | Self::Edit { to, .. }
            | Self::Pin { to, .. }
            | Self::Preview { to, .. }
            | Self::Stream { to, .. }
            | Self::React { to, .. }
            | Self::Typing { to } => *to,
        }
    }

    /// Moves it to another chat.
    fn move_to(&mut self, chat: ChatId) {
        match self {
            Self::Message { to, .. }
            | Self::Edit { to, .. }
            | Self::Pin { to, .. }
            | Self::Preview { to, .. }
            | Self::Stream { to, .. }
            | Self::React { to, .. }
            | Self::Typing { to } => to.chat = chat,
        }
    }
}

/// Entries for which an empty table may keep its room.
const ROOM_KEPT: usize = 1024;

/// Gives the room of a table that a burst has made large back to others, once it is empty.
fn give_back<K, V>(table: &mut HashMap<K, V>) {
    if table.is_empty() && ROOM_KEPT < table.capacity() {
        *table = HashMap::new();
    }
}

/// How long an action, a preview or a sign may take before the messages of its chat go on without it.
const SIDE_TIME_MAX: Duration = Duration::from_secs(3);

/// Gives up what only goes along with messages, so that they do not wait for it. OUTBOX-3. An edit is waited
/// for: an older one that arrives late would take the place of a newer one.
async fn in_moments(
    request: impl Future<Output = Result<(), MessengerError>>,
) -> Result<(), MessengerError> {
    let ended = tokio::time::timeout(SIDE_TIME_MAX, request).await;
    ended.unwrap_or_else(|_elapsed| Err(MessengerError::Unreachable("it takes too long".into())))
}

/// Tells the outbox how a request ended, one that panicked too: its chat would wait for it for ever.
async fn carry_out(
    id: JobId,
    mailbox: Mailbox<Msg>,
    request: impl Future<Output = Result<MessageId, MessengerError>>,
) {
    // lost-ok: a panic was logged by the hook. Whether the request was carried out is not known.
    let ended = AssertUnwindSafe(request).catch_unwind().await.ok();
    let result = ended.unwrap_or(Err(MessengerError::Broken { status: 0 }));
    // lost-ok: the outbox ended.
    mailbox.leave(Msg::Ended(id, result)).await.ok();
}

/// A supervised outbox.
pub struct Outbox {
    messenger: Arc<dyn Messenger>,
    ledger: Arc<dyn Ledger>,
    egress: Handle,
    roster: Mailbox<roster::Msg>,
    hall: Shared,
    tally: Tally,
    pacer: Pacer,
    /// One for each request that may be on its way at a time.
    places: Arc<Semaphore>,
    born: Instant,
    jobs: HashMap<JobId, Job>,
    /// The parts of answers among them.
    parts: HashMap<PartId, JobId>,
    /// Parts that were accepted when nobody waited for it any more, newest last.
    unheard: VecDeque<(PartId, MessageId)>,
    tasks: Tasks,
    /// What is sent on `egress`. Dropped, it ends what it started.
    sends: JoinSet<()>,
    wake: Option<(Duration, Pending)>,
    /// False once the service said that it knows no previews.
    previews: bool,
    stopping: bool,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("pacer", &self.pacer).finish_non_exhaustive()
    }
}

impl Outbox {
    /// The factory given to the supervisor: a restart begins with empty queues. Messages are sent on
    /// `egress`, a runtime beside the actors', so that their acceptance is known at once however
    /// busy the actors are.
    #[must_use]
    pub fn incarnate(
        messenger: Arc<dyn Messenger>,
        ledger: Arc<dyn Ledger>,
        egress: Handle,
        roster: Mailbox<roster::Msg>,
        hall: Shared,
        pacing: Pacing,
        tally: Tally,
    ) -> Self {
        Self {
            messenger,
            ledger,
            egress,
            roster,
            hall,
            tally,
            pacer: Pacer::new(pacing),
            places: Arc::new(Semaphore::new(pacing.in_flight_max())),
            born: Instant::now(),
            jobs: HashMap::new(),
            parts: HashMap::new(),
            unheard: VecDeque::new(),
            tasks: Tasks::default(),
            sends: JoinSet::new(),
            wake: None,
            previews: true,
            stopping: false,
        }
    }

    /// Sends a part of an answer, once: a session that was made anew may not know that it is here
    /// already, or was sent a moment ago. OUTBOX-5.
    fn send(&mut self, job: Job, cx: &mut Cx<'_, Self>) {
        let Job::Message { what, part: Some(part), .. } = &job else { return self.accept(job, cx) };
        if let Some(at) = self.unheard.iter().position(|(it, _)| it == part) {
            let known = self.unheard.remove(at);
            if let (Some((_, message)), Job::Message { reply: Some(reply), .. }) = (known, job) {
                // lost-ok: the session was made anew once more, and asks again.
                reply.send(Ok(message)).ok();
            }
            return;
        }
        let here = self.parts.get(part).and_then(|it| self.jobs.get_mut(it));
        let Some(Job::Message { what: what_here, reply: reply_here, .. }) = here else {
            return self.accept(job, cx);
        };
        // What it says may have been judged anew.
        what_here.clone_from(what);
        if let Job::Message { reply, .. } = job {
            *reply_here = reply;
        }
    }

    fn accept(&mut self, mut job: Job, cx: &mut Cx<'_, Self>) {
        let moved = self.hall.load().destination(job.to().chat);
        job.move_to(moved);
        let id = JobId::unique();
        let input = match &job {
            Job::Message { .. } | Job::Edit { .. } | Job::Pin { .. } => Input::Message(moved, id),
            Job::React { is_on: false, .. } => Input::Message(moved, id),
            Job::Preview { .. }
            | Job::Stream { .. }
            | Job::React { is_on: true, .. }
            | Job::Typing { .. } => Input::Extra(moved, id),
        };
        if let Job::Message { part: Some(part), .. } = &job {
            self.parts.insert(*part, id);
        }
        self.jobs.insert(id, job);
        self.perform(input, cx);
    }

    fn perform(&mut self, input: Input, cx: &mut Cx<'_, Self>) {
        for effect in self.pacer.step(input, self.born.elapsed()) {
            match effect {
                Effect::Start(job) => self.start(job, cx),
                Effect::Drop(job) => {
                    self.jobs.remove(&job);
                }
                Effect::WakeAt(at) => self.wake_at(at, cx),
            }
        }
    }

    fn wake_at(&mut self, at: Duration, cx: &mut Cx<'_, Self>) {
        if let Some((earlier, pending)) = self.wake.take() {
            if earlier <= at {
                self.wake = Some((earlier, pending));
                return;
            }
            cx.cancel(pending);
        }
        let span = at.saturating_sub(self.born.elapsed());
        let pending = cx.after(span, |outbox, cx| {
            outbox.wake = None;
            outbox.perform(Input::Woken, cx);
            Ok(())
        });
        self.wake = Some((at, pending));
    }

    fn start(&mut self, id: JobId, cx: &Cx<'_, Self>) {
        let Some(job) = self.jobs.get(&id) else { return };
        let (messenger, mailbox) = (Arc::clone(&self.messenger), cx.mailbox());
        let to = job.to();
        match job {
            Job::Message { what, reply_to, part: id_of_part, .. } => {
                let (what, reply_to, id_of_part) = (what.clone(), *reply_to, *id_of_part);
                let (ledger, places) = (Arc::clone(&self.ledger), Arc::clone(&self.places));
                let send = async move {
                    // Held until the acceptance is noted. It is never closed.
                    let _place = places.acquire().await;
                    let result = what.send(&*messenger, to, reply_to).await;
                    // Here and at once: a crash from now on must not send it again.
                    if let (Ok(message), Some(PartId { session, update, part })) =
                        (&result, id_of_part)
                    {
                        ledger.accepted(Accepted { session, update, part, message: *message });
                    }
                    result
                };
                // lost-ok: the results are `()`.
                while self.sends.try_join_next().is_some() {}
                self.sends.spawn_on(carry_out(id, mailbox, send), &self.egress);
            }
            Job::Edit { message, what, .. } => {
                let (message, what) = (*message, what.clone());
                let edit =
                    async move { messenger.edit(to, message, what.part()).await.map(|()| message) };
                self.sends.spawn_on(carry_out(id, mailbox, edit), &self.egress);
            }
            Job::Pin { message, .. } => {
                let message = *message;
                self.tasks.start(carry_out(id, mailbox, async move {
                    let pinned = messenger.pin(to, message, words::panel::BUTTON).await;
                    pinned.map(|()| message)
                }));
            }
            Job::Preview { draft, part, .. } => {
                let (draft, part) = (*draft, part.clone());
                self.tasks.start(carry_out(id, mailbox, async move {
                    let part = part.map(Cleared::into_inner).unwrap_or_default();
                    in_moments(messenger.preview(to, draft, &part)).await.map(|()| MessageId(0))
                }));
            }
            Job::Stream { message, part, .. } => {
                let (message, part) = (*message, part.clone());
                let edit =
                    async move { messenger.edit(to, message, part.get()).await.map(|()| message) };
                self.sends.spawn_on(carry_out(id, mailbox, edit), &self.egress);
            }
            Job::React { message, is_on, .. } => {
                let (message, sign) = (*message, is_on.then_some(SEEN));
                self.tasks.start(carry_out(id, mailbox, async move {
                    in_moments(messenger.react(to, message, sign)).await.map(|()| message)
                }));
            }
            Job::Typing { .. } => self.tasks.start(carry_out(id, mailbox, async move {
                in_moments(messenger.typing(to)).await.map(|()| MessageId(0))
            })),
        }
    }

    fn ended(
        &mut self,
        id: JobId,
        result: Result<MessageId, MessengerError>,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        let Some(job) = self.jobs.remove(&id) else { return Ok(()) };
        give_back(&mut self.jobs);
        let chat = job.to().chat;
        let (to, what, reply_to, part, reply) = match job {
            Job::Message { to, what, reply_to, part, reply } => (to, what, reply_to, part, reply),
            Job::Edit { .. } => {
                self.edit_ended(id, job, result, cx);
                return Ok(());
            }
            Job::Pin { .. } => {
                self.pin_ended(id, job, result, cx);
                return Ok(());
            }
            Job::Preview { .. } | Job::Typing { .. } => {
                self.extra_ended(chat, result, cx);
                return Ok(());
            }
            // A message that somebody deleted, or a chat without reactions, says nothing about previews.
            Job::Stream { .. } | Job::React { .. } => {
                let result = match result {
                    Err(MessengerError::Rejected { .. }) => Err(MessengerError::Forbidden),
                    other => other,
                };
                self.extra_ended(chat, result, cx);
                return Ok(());
            }
        };
        match result {
            Err(MessengerError::Flooded { retry_after }) => {
                self.tally.sent("flooded");
                self.jobs.insert(id, Job::Message { to, what, reply_to, part, reply });
                self.perform(Input::Flooded(chat, Some(id), retry_after), cx);
            }
            Err(error @ (MessengerError::Unreachable(_) | MessengerError::Broken { .. })) => {
                // Whether it was accepted is not known: rather twice than never. Counted.
                self.tally.sent("uncertain");
                warn!(error.message = %error, event.action = "send_uncertain", "a send will be repeated");
                self.jobs.insert(id, Job::Message { to, what, reply_to, part, reply });
                self.perform(Input::Unreachable(chat, id), cx);
            }
            Err(error @ (MessengerError::Unauthorized | MessengerError::Conflict)) => {
                // The token may come back; the messages wait in order.
                self.tally.sent("unauthorized");
                warn!(error.message = %error, event.action = "send_refused", "a send will be repeated");
                self.jobs.insert(id, Job::Message { to, what, reply_to, part, reply });
                self.perform(Input::Unreachable(chat, id), cx);
            }
            Err(MessengerError::Migrated { to: new }) => {
                let told = self.roster.try_tell(roster::Msg::ChatMigrated { from: chat, to: new });
                told.map_err(|error| Fault::new("the roster is away", error))?;
                self.perform(Input::Settled(chat), cx);
                let to = Address { chat: new, ..to };
                self.jobs.insert(id, Job::Message { to, what, reply_to, part, reply });
                self.perform(Input::Message(new, id), cx);
            }
            Ok(_) | Err(MessengerError::Forbidden | MessengerError::Rejected { .. }) => {
                match &result {
                    Ok(_) => self.tally.sent("ok"),
                    Err(error) => {
                        self.tally.sent("refused");
                        warn!(error.message = %error, event.action = "send_refused", "a message cannot be delivered");
                    }
                }
                let pinned = result.as_ref().ok().copied().filter(|_| what.is_panel());
                self.tell(part, reply, result);
                self.perform(Input::Settled(chat), cx);
                if let Some(message) = pinned {
                    self.accept(Job::Pin { to, message }, cx);
                }
            }
        }
        Ok(())
    }

    fn tell(
        &mut self,
        part: Option<PartId>,
        reply: Option<oneshot::Sender<Result<MessageId, MessengerError>>>,
        result: Result<MessageId, MessengerError>,
    ) {
        part.map(|it| self.parts.remove(&it));
        give_back(&mut self.parts);
        let Some(reply) = reply else { return };
        // Whoever asked was made anew meanwhile, and will ask again.
        if let (Err(Ok(message)), Some(part)) = (reply.send(result), part) {
            if UNHEARD_MAX <= self.unheard.len() {
                self.unheard.pop_front();
            }
            self.unheard.push_back((part, message));
        }
    }

    fn extra_ended(
        &mut self,
        chat: ChatId,
        result: Result<MessageId, MessengerError>,
        cx: &mut Cx<'_, Self>,
    ) {
        match result {
            // Nothing is repeated, but nobody may write there before the time is up.
            Err(MessengerError::Flooded { retry_after }) => {
                self.perform(Input::Flooded(chat, None, retry_after), cx);
                return;
            }
            Err(MessengerError::Rejected { .. }) => self.previews = false,
            Ok(_)
            | Err(
                MessengerError::Forbidden
                | MessengerError::Migrated { .. }
                | MessengerError::Conflict
                | MessengerError::Unauthorized
                | MessengerError::Unreachable(_)
                | MessengerError::Broken { .. },
            ) => (),
        }
        self.perform(Input::Settled(chat), cx);
    }

    fn stop_if_done(&mut self, cx: &mut Cx<'_, Self>) {
        if self.stopping && self.jobs.is_empty() {
            cx.stop();
        }
    }
}

impl Actor for Outbox {
    type Msg = Msg;

    fn handle(&mut self, msg: Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        fault_point("outbox");
        match msg {
            Msg::Send { to, what, reply_to, part, reply } => {
                self.send(Job::Message { to, what, reply_to, part, reply }, cx);
            }
            Msg::Edit { to, message, what, reply } => {
                self.accept(Job::Edit { to, message, what, reply }, cx);
            }
            Msg::Preview { to, draft, part } if self.previews => {
                self.accept(Job::Preview { to, draft, part: Some(part) }, cx);
            }
            Msg::Preview { .. } => (),
            Msg::Think { to, draft } if self.previews => {
                self.accept(Job::Preview { to, draft, part: None }, cx);
            }
            Msg::Think { to, .. } => self.accept(Job::Typing { to }, cx),
            Msg::React { to, message, is_on } => {
                self.accept(Job::React { to, message, is_on }, cx);
            }
            Msg::Stream { to, message, part } => {
                self.accept(Job::Stream { to, message, part }, cx);
            }
            Msg::Typing(to) => self.accept(Job::Typing { to }, cx),
            Msg::AnswerPress(query, said) => {
                let messenger = Arc::clone(&self.messenger);
                self.tasks.start(async move {
                    // lost-ok: the button's spinner ends by itself.
                    let text = said.as_ref().map(|it| it.part().plain.as_str());
                    messenger.answer_press(&query, text).await.ok();
                });
            }
            Msg::Ended(id, result) => self.ended(id, result, cx)?,
            Msg::Woken => self.perform(Input::Woken, cx),
        }
        self.stop_if_done(cx);
        Ok(())
    }

    fn may_stop(&mut self, _: &mut Cx<'_, Self>) -> bool {
        self.stopping = true;
        self.jobs.is_empty()
    }
}
