//! The way to an actor: bounded, and alive while the actor's incarnations come and go.

use std::{fmt, sync::Arc};

use actix::{Message, Recipient, dev::SendError};
use tokio::sync::oneshot;

use crate::health::Probe;

/// What travels through actix.
pub(crate) enum Envelope<M> {
    /// For the actor.
    Tell(M),
    /// For its supervisor: everything before this was handled, now end.
    Stop,
    /// For its supervisor: everything before this was handled, now make another incarnation.
    Restart,
}

impl<M: Send + 'static> Message for Envelope<M> {
    type Result = ();
}

/// Where to send messages to one actor. Cheap to clone; restarts of the actor do not change it.
pub struct Mailbox<M: Send + 'static> {
    /// Shared: to clone actix's own handle takes an allocation.
    to: Arc<Recipient<Envelope<M>>>,
    probe: Arc<Probe>,
}

impl<M: Send + 'static> Clone for Mailbox<M> {
    fn clone(&self) -> Self {
        Self { to: Arc::clone(&self.to), probe: Arc::clone(&self.probe) }
    }
}

impl<M: Send + 'static> fmt::Debug for Mailbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("probe", &self.probe).finish_non_exhaustive()
    }
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TellError {
    /// The mailbox is at its limit.
    #[error("the actor's mailbox is full")]
    Full,
    /// The actor has ended for good.
    #[error("the actor has ended")]
    Closed,
}

impl<M: Send + 'static> Mailbox<M> {
    pub(crate) fn new(to: Recipient<Envelope<M>>, probe: Arc<Probe>) -> Self {
        Self { to: Arc::new(to), probe }
    }

    /// Leaves a message at once, or says why not.
    ///
    /// # Errors
    /// [`TellError::Full`] and [`TellError::Closed`]; the message is dropped.
    pub fn try_tell(&self, msg: M) -> Result<(), TellError> {
        match self.to.try_send(Envelope::Tell(msg)) {
            Ok(()) => {
                self.probe.enqueued();
                Ok(())
            }
            Err(SendError::Full(_)) => Err(TellError::Full),
            Err(SendError::Closed(_)) => Err(TellError::Closed),
        }
    }

    /// Waits for room, leaves a message and waits until it was taken up.
    ///
    /// Not for an actor's own mailbox: it would wait for itself. Cancel-safe: a dropped future may
    /// or may not have delivered the message.
    ///
    /// # Errors
    /// [`TellError::Closed`] if the actor ended, or failed while it handled this message.
    pub async fn tell(&self, msg: M) -> Result<(), TellError> {
        self.probe.enqueued();
        let taken = self.to.send(Envelope::Tell(msg)).await;
        // lost-ok: actix's `MailboxError` says no more than that.
        taken.map_err(|_gone| TellError::Closed)
    }

    /// Leaves a message, and waits only while there is no room.
    ///
    /// Not for an actor's own mailbox from inside the actor. Cancel-safe: a dropped future may or
    /// may not have delivered the message.
    ///
    /// # Errors
    /// [`TellError::Closed`] if the actor ended.
    pub async fn leave(&self, msg: M) -> Result<(), TellError> {
        match self.to.try_send(Envelope::Tell(msg)) {
            Ok(()) => {
                self.probe.enqueued();
                Ok(())
            }
            Err(SendError::Full(Envelope::Tell(msg))) => self.tell(msg).await,
            Err(SendError::Full(Envelope::Stop | Envelope::Restart) | SendError::Closed(_)) => {
                Err(TellError::Closed)
            }
        }
    }

    /// Asks the actor to end once it has handled all that waits. Returns when the request was taken
    /// up or the actor is gone.
    pub async fn stop(&self) {
        // lost-ok: an actor that is gone has stopped.
        self.to.send(Envelope::Stop).await.ok();
    }

    /// The actor's figures.
    #[must_use]
    pub fn probe(&self) -> &Arc<Probe> {
        &self.probe
    }
}

/// Asks an actor and waits for its answer. `question` gets the way back.
///
/// Cancel-safe: the actor's answer then goes nowhere.
///
/// # Errors
/// [`TellError::Full`] at once if the mailbox is at its limit, [`TellError::Closed`] if the actor
/// ended or failed before it answered.
pub async fn ask<M, T>(
    mailbox: &Mailbox<M>,
    question: impl FnOnce(oneshot::Sender<T>) -> M,
) -> Result<T, TellError>
where
    M: Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    mailbox.try_tell(question(reply))?;
    answer.await.map_err(|_closed| TellError::Closed)
}
