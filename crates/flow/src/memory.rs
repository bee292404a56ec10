//! The way to the ledger: everything durable goes through here.
//!
//! Receives  `Journal`, from ingress; `Append`, `Load`, `Waiting`, `Snapshot` and `Held`, from
//!           sessions and the roster; `Forget` and what belongs to it, from the keeper.
//! Sends     one answer per request, back to who asked, once it is durable.
//! Owns      requests under way; the data is the ledger's.
//! On crash  requests under way may or may not have been written; whoever asked loads again.
//!
//! Invariants: MEMORY-1 nothing is answered before it is durable. MEMORY-2 requests reach the
//! ledger in the order in which they came.

use std::sync::Arc;

use kit::{Actor, Cx, Fault, Tasks};
use protocol::{
    BotId, PersonId, SessionKey, Timestamp,
    ledger::{
        Append, Arrival, Bookmark, ErasureReceipt, Expired, Expiry, HeldPage, Ledger, LedgerError,
        Loaded, Owned, Receipt, Seq, Snapshot, Stream, Waiting,
    },
};
use tokio::sync::oneshot;
use tracing::warn;

use crate::fault::fault_point;

/// The way back to who asked.
pub type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What the memory can be told.
#[derive(Debug)]
pub enum Msg {
    /// Record a batch of updates.
    Journal(BotId, Vec<Arrival>, Reply<Vec<Receipt>>),
    /// Append events and close updates.
    Append(Append, Reply<Seq>),
    /// Read what is needed to go on with a stream.
    Load(Stream, Reply<Loaded>),
    /// Read what waits in an inbox.
    Waiting(SessionKey, u64, Reply<Vec<Waiting>>),
    /// Store a folded state.
    Snapshot(Stream, Seq, Vec<Owned>, Reply<()>),
    /// Read a page of what is held of a person.
    Held(PersonId, Option<Bookmark>, Reply<HeldPage>),
    /// Destroy a person's key.
    Forget(PersonId, Timestamp, Option<BotId>, Reply<Option<ErasureReceipt>>),
    /// Whom has nobody told yet that they were forgotten?
    UntoldReceipts(Reply<Vec<ErasureReceipt>>),
    /// They were told.
    ReceiptTold(u32, Reply<()>),
    /// One step of taking out what has expired.
    Expire(Expiry, Reply<Expired>),
    /// Which sessions have waiting updates?
    OpenSessions(Reply<Vec<SessionKey>>),
}

/// A supervised memory.
pub struct Memory {
    ledger: Arc<dyn Ledger>,
    tasks: Tasks,
    stopping: bool,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    /// The factory given to the supervisor.
    #[must_use]
    pub fn incarnate(ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger, tasks: Tasks::default(), stopping: false }
    }

    /// Starts a request at once, so that the ledger sees requests in their order: MEMORY-2.
    fn start<T: 'static>(
        &mut self,
        reply: Reply<T>,
        mut work: std::pin::Pin<Box<dyn Future<Output = Result<T, LedgerError>> + Send>>,
    ) {
        use futures::FutureExt as _;
        if let Some(result) = (&mut work).now_or_never() {
            return settle(reply, result);
        }
        self.tasks.start(async move { settle(reply, work.await) });
    }
}

/// MEMORY-1: the ledger's futures end when what they did is durable.
fn settle<T>(reply: Reply<T>, result: Result<T, LedgerError>) {
    if let Err(error) = &result {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        warn!(
            error.message = %error, error.cause = cause,
            event.action = "ledger_failed", "the ledger did not do what it was asked"
        );
    }
    // lost-ok: whoever asked restarted and will load again.
    reply.send(result).ok();
}

impl Actor for Memory {
    type Msg = Msg;

    fn handle(&mut self, msg: Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        fault_point("memory");
        let ledger = Arc::clone(&self.ledger);
        match msg {
            Msg::Journal(bot, batch, reply) => {
                self.start(reply, Box::pin(async move { ledger.journal(bot, batch).await }));
            }
            Msg::Append(append, reply) => {
                self.start(reply, Box::pin(async move { ledger.append(append).await }));
            }
            Msg::Load(stream, reply) => {
                self.start(reply, Box::pin(async move { ledger.load(stream).await }));
            }
            Msg::Waiting(key, after, reply) => {
                self.start(reply, Box::pin(async move { ledger.waiting(key, after).await }));
            }
            Msg::Snapshot(stream, at, state, reply) => {
                let snapshot = Snapshot { stream, at, state };
                self.start(reply, Box::pin(async move { ledger.snapshot(snapshot).await }));
            }
            Msg::Held(person, from, reply) => {
                self.start(reply, Box::pin(async move { ledger.held(person, from).await }));
            }
            Msg::Forget(person, at, by, reply) => {
                self.start(reply, Box::pin(async move { ledger.forget(person, at, by).await }));
            }
            Msg::UntoldReceipts(reply) => {
                self.start(reply, Box::pin(async move { ledger.untold_receipts().await }));
            }
            Msg::ReceiptTold(number, reply) => {
                self.start(reply, Box::pin(async move { ledger.receipt_told(number).await }));
            }
            Msg::Expire(expiry, reply) => {
                self.start(reply, Box::pin(async move { ledger.expire(expiry).await }));
            }
            Msg::OpenSessions(reply) => {
                self.start(reply, Box::pin(async move { ledger.open_sessions().await }));
            }
        }
        if self.stopping && self.tasks.is_empty() {
            cx.stop();
        }
        Ok(())
    }

    fn may_stop(&mut self, _: &mut Cx<'_, Self>) -> bool {
        self.stopping = true;
        self.tasks.is_empty()
    }
}
