//! What an actor is, and what it may do.

use std::{rc::Rc, sync::Arc, time::Duration};

use actix::{ActorContext, ActorFutureExt, AsyncContext, Context, SpawnHandle, fut};

use crate::{
    health::Probe,
    mailbox::{Envelope, Mailbox},
    supervise::Fault,
};

/// A worker that handles one message at a time.
///
/// Handlers are synchronous: what takes time is started through [`Cx::when`] and comes back as a
/// call with its result. An error or a panic ends this incarnation; the next one comes from the
/// factory, and the mailbox lives on.
pub trait Actor: Sized + 'static {
    /// What this actor can be told.
    type Msg: Send + 'static;

    /// Called first, once per incarnation.
    ///
    /// # Errors
    /// A fault ends the incarnation.
    fn started(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
        // lost-ok: there is nothing in it.
        let _ = cx;
        Ok(())
    }

    /// Handles one message.
    ///
    /// # Errors
    /// A fault ends the incarnation.
    fn handle(&mut self, msg: Self::Msg, cx: &mut Cx<'_, Self>) -> Result<(), Fault>;

    /// The supervisor wants the actor to end, and all earlier messages were handled. `true` ends it
    /// at once; with `false` the actor calls [`Cx::stop`] itself when its last work is done.
    fn may_stop(&mut self, cx: &mut Cx<'_, Self>) -> bool {
        // lost-ok: there is nothing in it.
        let _ = cx;
        true
    }
}

/// What unwinds to the supervisor when a restart was asked for.
pub(crate) struct RestartAsked;

/// The actor as actix sees it: whichever incarnation lives, and the factory of the next.
pub(crate) struct Shell<A: Actor> {
    pub(crate) incarnation: Option<A>,
    pub(crate) incarnate: Rc<dyn Fn() -> A>,
    pub(crate) probe: Arc<Probe>,
}

// An actor is never pinned in place: handlers take it by `&mut`.
impl<A: Actor> Unpin for Shell<A> {}

impl<A: Actor> actix::Actor for Shell<A> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.incarnation = Some((self.incarnate)());
        self.probe.set_state(crate::ActorState::Running);
        self.run(ctx, |actor, cx| actor.started(cx));
    }
}

impl<A: Actor> actix::Supervised for Shell<A> {
    fn restarting(&mut self, _: &mut Context<Self>) {
        // The broken incarnation goes whole. `started` makes the next one.
        self.incarnation = None;
    }
}

impl<A: Actor> actix::Handler<Envelope<A::Msg>> for Shell<A> {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<A::Msg>, ctx: &mut Context<Self>) {
        match envelope {
            Envelope::Tell(msg) => {
                self.probe.dequeued();
                self.run(ctx, |actor, cx| actor.handle(msg, cx));
            }
            Envelope::Stop => {
                let probe = Arc::clone(&self.probe);
                let may_stop = self
                    .incarnation
                    .as_mut()
                    .is_none_or(|actor| actor.may_stop(&mut Cx { ctx, probe: &probe }));
                if may_stop {
                    ctx.stop();
                }
            }
            // Like a fault it unwinds to the supervisor, past actix; it is none.
            Envelope::Restart => std::panic::resume_unwind(Box::new(RestartAsked)),
        }
    }
}

impl<A: Actor> Shell<A> {
    /// Runs a piece of the actor. A fault unwinds to the supervisor, past actix, without a panic.
    fn run(
        &mut self,
        ctx: &mut Context<Self>,
        work: impl FnOnce(&mut A, &mut Cx<'_, A>) -> Result<(), Fault>,
    ) {
        let probe = Arc::clone(&self.probe);
        let Some(actor) = self.incarnation.as_mut() else { return };
        match work(actor, &mut Cx { ctx, probe: &probe }) {
            Ok(()) => probe.progress(),
            Err(fault) => std::panic::resume_unwind(Box::new(fault)),
        }
    }
}

/// What an actor may do beside changing its own state.
pub struct Cx<'a, A: Actor> {
    ctx: &'a mut Context<Shell<A>>,
    probe: &'a Arc<Probe>,
}

impl<A: Actor> std::fmt::Debug for Cx<'_, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx").field("probe", &self.probe).finish_non_exhaustive()
    }
}

/// Something started with [`Cx::when`] or [`Cx::after`] that can be called off.
#[derive(Clone, Copy, Debug)]
pub struct Pending(SpawnHandle);

impl<A: Actor> Cx<'_, A> {
    /// Waits for `future` while other messages are handled, then calls `then` with its output.
    ///
    /// The output never waits for room in the mailbox, so answers cannot deadlock. A restart of the
    /// actor drops the future. Meant for a handful at a time; for many see [`crate::Tasks`].
    pub fn when<F>(
        &mut self,
        future: F,
        then: impl FnOnce(&mut A, F::Output, &mut Cx<'_, A>) -> Result<(), Fault> + 'static,
    ) -> Pending
    where
        F: Future + 'static,
    {
        let work = fut::wrap_future::<_, Shell<A>>(future).map(|output, shell, ctx| {
            shell.run(ctx, |actor, cx| then(actor, output, cx));
        });
        Pending(self.ctx.spawn(work))
    }

    /// Calls `then` once `span` has passed.
    pub fn after(
        &mut self,
        span: Duration,
        then: impl FnOnce(&mut A, &mut Cx<'_, A>) -> Result<(), Fault> + 'static,
    ) -> Pending {
        self.when(tokio::time::sleep(span), |actor, (), cx| then(actor, cx))
    }

    /// Calls something off. Does nothing if it is done.
    pub fn cancel(&mut self, pending: Pending) {
        self.ctx.cancel_future(pending.0);
    }

    /// The actor's own mailbox, to give to others.
    #[must_use]
    pub fn mailbox(&self) -> Mailbox<A::Msg> {
        Mailbox::new(self.ctx.address().recipient(), Arc::clone(self.probe))
    }

    /// The actor's own figures.
    #[must_use]
    pub fn probe(&self) -> &Arc<Probe> {
        self.probe
    }

    /// Ends the actor after this call.
    pub fn stop(&mut self) {
        self.ctx.stop();
    }
}
