//! Restarts a failed actor without losing its mailbox.
//!
//! - A failed incarnation is dropped whole; the next one comes from the factory.
//! - The mailbox outlives every incarnation. Queued messages wait; the message being handled when
//!   the actor failed is gone, and whoever asked learns that at once.
//! - More than `restarts_max` failures within `window` end the supervision: the parent decides.
//!
//! `actix::Supervisor` restarts only actors that stop themselves: a panic closes the mailbox for
//! good. So this drives actix's `ContextFut` itself, under `catch_unwind`.
//!
//! - A restart that was asked for goes the same way, and is no failure.
//!
//! Invariants: SUPERVISE-1 a panic never leaves this future. SUPERVISE-2 giving up is a result.
//! SUPERVISE-3 a restart that was asked for never counts against `restarts_max`.

use std::{
    any::Any,
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{self, Poll},
    time::Duration,
};

use actix::{
    ActorContext, Addr, Context,
    dev::{ContextFut, SendError, channel},
};
use futures::FutureExt;
use tokio::time::{Instant, Sleep, sleep};
use tracing::{error, info, warn};

use crate::{
    actor::{Actor, RestartAsked, Shell},
    health::{ActorState, Bell, Expectation, Health, Probe},
    mailbox::{Envelope, Mailbox, TellError},
    panics,
};

/// Why an incarnation ended.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A handler returned an error.
    #[error("{what}")]
    Failed {
        /// What failed, in our words: it is shown in `/status`.
        what: &'static str,
        /// Why.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A handler panicked. The text of the panic is not kept: it may quote a person.
    #[error("panicked at {place}")]
    Panicked {
        /// File and line.
        place: String,
    },
}

impl Fault {
    /// A fault with its cause.
    pub fn new(
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Failed { what, source: Some(source.into()) }
    }

    /// A fault without a cause beyond what it says.
    #[must_use]
    pub fn plain(what: &'static str) -> Self {
        Self::Failed { what, source: None }
    }
}

/// Why supervision ended.
#[derive(Debug)]
#[must_use = "a supervisor that gave up needs its parent to act"]
pub enum Exit {
    /// The actor ended as asked, or nobody can reach it any more.
    Stopped,
    /// Too many failures in the window.
    GaveUp(Fault),
}

/// How often an actor may fail, and how long to wait between attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Failures tolerated within `window`.
    pub restarts_max: usize,
    /// The span over which failures are counted.
    pub window: Duration,
    /// The wait before the first restart; it doubles with each recent failure.
    pub backoff_min: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
}

impl RestartPolicy {
    /// Five in thirty seconds: for what everybody needs.
    pub const GENTLE: Self = Self {
        restarts_max: 5,
        window: Duration::from_secs(30),
        backoff_min: Duration::from_millis(10),
        backoff_max: Duration::from_secs(2),
    };

    fn backoff(&self, failures: usize) -> Duration {
        let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.backoff_min.saturating_mul(2_u32.saturating_pow(doublings)).min(self.backoff_max)
    }
}

/// A child as data: everything about it but its code.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Unique in the process, e.g. `outbox/123456`. Never a person's id.
    pub id: String,
    /// The word for file, metric and log.
    pub kind: &'static str,
    /// Messages that may wait.
    pub mailbox_max: usize,
    /// How often it may fail.
    pub policy: RestartPolicy,
    /// What counts as healthy.
    pub expects: Expectation,
    /// How long it may take to end when asked to.
    pub shutdown_time_max: Duration,
    /// False for the many small ones that only a count is kept of.
    pub listed: bool,
}

impl Spec {
    /// A listed child that must make progress when something waits.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        kind: &'static str,
        mailbox_max: usize,
        policy: RestartPolicy,
    ) -> Self {
        Self {
            id: id.into(),
            kind,
            mailbox_max,
            policy,
            expects: Expectation::OnDemand { silence_max: Duration::from_secs(30) },
            shutdown_time_max: Duration::from_secs(2),
            listed: true,
        }
    }
}

/// Prepares an actor: the way to it, and the future that runs it. Nothing happens until the future
/// is polled, on the thread that the actor shall live on.
pub fn supervise<A: Actor>(
    spec: Spec,
    health: &Health,
    incarnate: impl Fn() -> A + 'static,
) -> (Mailbox<A::Msg>, Supervision<A>) {
    let probe = Arc::new(Probe::new(spec.id.clone(), spec.kind, spec.expects));
    if spec.listed {
        health.add(Arc::clone(&probe));
    } else {
        health.enter(spec.kind);
    }
    let (sender, receiver) = channel::channel(spec.mailbox_max);
    let address: Addr<Shell<A>> = Addr::new(sender);
    if spec.listed {
        health.hang(&spec.id, bell(&address));
    }
    let mailbox = Mailbox::new(address.recipient(), Arc::clone(&probe));
    let shell =
        Shell { incarnation: None, incarnate: Rc::new(incarnate), probe: Arc::clone(&probe) };
    let actor = Context::with_receiver(receiver).into_future(shell);
    let supervision = Supervision {
        actor,
        probe,
        spec,
        health: health.clone(),
        failures: VecDeque::new(),
        waiting: None,
    };
    (mailbox, supervision)
}

/// The way to ask for a restart. It keeps the actor from ending no more than nothing would.
fn bell<A: Actor>(address: &Addr<Shell<A>>) -> Bell {
    let to = address.downgrade().recipient::<Envelope<A::Msg>>();
    Box::new(move || match to.upgrade() {
        None => Err(TellError::Closed),
        Some(to) => to.try_send(Envelope::Restart).map_err(|error| match error {
            SendError::Full(_) => TellError::Full,
            SendError::Closed(_) => TellError::Closed,
        }),
    })
}

/// Runs incarnations of an actor until it stops or fails too often. Dropping it ends the actor at
/// once, without letting it handle anything more.
#[must_use = "an actor lives only while its supervision is polled"]
pub struct Supervision<A: Actor> {
    actor: ContextFut<Shell<A>, Context<Shell<A>>>,
    probe: Arc<Probe>,
    spec: Spec,
    health: Health,
    failures: VecDeque<Instant>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<A: Actor> fmt::Debug for Supervision<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervision").field("spec", &self.spec).finish_non_exhaustive()
    }
}

// Nothing in it is pinned in place: actix's future is `Unpin`, the sleep is boxed.
impl<A: Actor> Unpin for Supervision<A> {}

impl<A: Actor> Drop for Supervision<A> {
    fn drop(&mut self) {
        // Else actix would poll the actor once more from its own `drop`.
        self.actor.ctx().terminate();
        if self.spec.listed {
            self.health.remove(&self.probe);
        } else {
            self.health.leave(self.spec.kind);
        }
    }
}

impl<A: Actor> Future for Supervision<A> {
    type Output = Exit;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Exit> {
        let this = self.get_mut();
        loop {
            if let Some(waiting) = &mut this.waiting {
                task::ready!(waiting.as_mut().poll(task));
                this.waiting = None;
                if !this.restart() {
                    return Poll::Ready(this.ended(ActorState::Stopped, Exit::Stopped));
                }
            }
            // Unwind safety: after a panic the incarnation is dropped, its state is never seen.
            match catch_unwind(AssertUnwindSafe(|| this.actor.poll_unpin(task))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(())) => {
                    return Poll::Ready(this.ended(ActorState::Stopped, Exit::Stopped));
                }
                Err(payload) if payload.is::<RestartAsked>() => {
                    // SUPERVISE-3: it is not counted. The wait lets others go on between two of them.
                    this.probe.set_state(ActorState::Restarting);
                    info!(
                        labels.actor = this.spec.kind,
                        event.action = "actor_restart_asked",
                        "an actor is made anew because somebody asked for it"
                    );
                    this.waiting = Some(Box::pin(sleep(this.spec.policy.backoff_min)));
                }
                Err(payload) => {
                    let fault = fault_of(payload);
                    let Some(wait) = this.count(&fault) else {
                        return Poll::Ready(this.ended(ActorState::GaveUp, Exit::GaveUp(fault)));
                    };
                    this.waiting = Some(Box::pin(sleep(wait)));
                }
            }
        }
    }
}

impl<A: Actor> Supervision<A> {
    /// Counts a failure. `None` if it was one too many, else how long to wait.
    fn count(&mut self, fault: &Fault) -> Option<Duration> {
        let now = Instant::now();
        let window = self.spec.policy.window;
        self.failures.push_back(now);
        self.failures.retain(|at| now.duration_since(*at) <= window);
        self.probe.failed(&fault.to_string());
        let failures = self.failures.len();
        let cause = std::error::Error::source(fault).map(ToString::to_string).unwrap_or_default();
        if self.spec.policy.restarts_max < failures {
            error!(
                labels.actor = self.spec.kind, labels.failures = failures,
                error.message = %fault, error.cause = cause,
                event.action = "actor_given_up", "actor given up"
            );
            return None;
        }
        self.probe.set_state(ActorState::Restarting);
        warn!(
            labels.actor = self.spec.kind, labels.failures = failures,
            error.message = %fault, error.cause = cause,
            event.action = "actor_restarting", "actor restarting"
        );
        Some(self.spec.policy.backoff(failures))
    }

    /// Drops the broken incarnation. False if nobody can reach the actor any more.
    fn restart(&mut self) -> bool {
        // Dropping the old incarnation and its futures runs their destructors, which may panic too.
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.actor.restart())) {
                Ok(alive) => return alive,
                Err(payload) => warn!(
                    labels.actor = self.spec.kind, error.message = %fault_of(payload),
                    "a failed actor failed again while it was taken down"
                ),
            }
        }
    }

    fn ended(&self, state: ActorState, exit: Exit) -> Exit {
        self.probe.set_state(state);
        exit
    }
}

fn fault_of(payload: Box<dyn Any + Send>) -> Fault {
    match payload.downcast::<Fault>() {
        Ok(fault) => *fault,
        Err(_panic_text) => Fault::Panicked { place: panics::take_place() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cx, Mailbox, TellError, ask};
    use tokio::sync::oneshot;

    const POLICY: RestartPolicy = RestartPolicy {
        restarts_max: 3,
        window: Duration::from_secs(60),
        backoff_min: Duration::from_secs(1),
        backoff_max: Duration::from_secs(30),
    };

    enum Say {
        Count(oneshot::Sender<u32>),
        Panic,
        Fail,
        PanicInFuture,
        PanicInTimer,
    }

    #[derive(Default)]
    struct Counter {
        count: u32,
    }

    impl Actor for Counter {
        type Msg = Say;

        fn handle(&mut self, msg: Say, cx: &mut Cx<'_, Self>) -> Result<(), Fault> {
            match msg {
                Say::Count(reply) => {
                    self.count += 1;
                    reply.send(self.count).map_err(|_count| Fault::plain("nobody waits"))?;
                }
                Say::Panic => panic!("asked to"),
                Say::Fail => return Err(Fault::plain("asked to fail")),
                Say::PanicInFuture => {
                    cx.when(async { panic!("asked to") }, |_, (), _| Ok(()));
                }
                Say::PanicInTimer => {
                    cx.after(Duration::from_millis(1), |_, _| panic!("asked to"));
                }
            }
            Ok(())
        }
    }

    fn local<F: Future>(test: F) -> F::Output {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        tokio::task::LocalSet::new().block_on(&runtime.unwrap(), test)
    }

    fn counter() -> (Mailbox<Say>, Supervision<Counter>) {
        supervise(Spec::new("counter", "counter", 8, POLICY), &Health::default(), Counter::default)
    }

    #[test]
    fn a_failure_of_any_kind_rebuilds_the_actor_and_keeps_the_queue() {
        let kinds = [|| Say::Panic, || Say::Fail, || Say::PanicInFuture, || Say::PanicInTimer];
        for kind in kinds {
            local(async move {
                let (mailbox, supervision) = counter();
                let started = Instant::now();
                let (first, one) = oneshot::channel();
                mailbox.try_tell(Say::Count(first)).unwrap();
                mailbox.try_tell(kind()).unwrap();
                let running = crate::spawn(supervision);
                assert_eq!(one.await, Ok(1));
                while mailbox.probe().read().restarts == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                // Sent while the actor is down: it waits in the mailbox.
                assert_eq!(ask(&mailbox, Say::Count).await, Ok(1), "state must not survive");
                assert!(POLICY.backoff_min <= started.elapsed());
                mailbox.stop().await;
                assert!(matches!(running.await.unwrap(), Exit::Stopped));
            });
        }
    }

    fn exit_after(failures: usize) -> Exit {
        local(async move {
            let (mailbox, supervision) = counter();
            for _ in 0..failures {
                mailbox.try_tell(Say::Panic).unwrap();
            }
            let running = crate::spawn(supervision);
            mailbox.stop().await;
            running.await.unwrap()
        })
    }

    #[test]
    fn supervise_2_restarts_max_failures_are_tolerated_and_one_more_is_not() {
        assert!(matches!(exit_after(POLICY.restarts_max), Exit::Stopped));
        let exit = exit_after(POLICY.restarts_max + 1);
        assert!(matches!(exit, Exit::GaveUp(Fault::Panicked { .. })), "{exit:?}");
    }

    #[test]
    fn supervise_3_a_restart_that_was_asked_for_keeps_the_queue_and_never_counts() {
        local(async {
            let health = Health::default();
            let spec = Spec::new("counter", "counter", 8, POLICY);
            let (mailbox, supervision) = supervise(spec, &health, Counter::default);
            let running = crate::spawn(supervision);
            for _ in 0..POLICY.restarts_max * 3 {
                assert_eq!(ask(&mailbox, Say::Count).await, Ok(1), "state must not survive");
                let (reply, before) = oneshot::channel();
                mailbox.try_tell(Say::Count(reply)).unwrap();
                health.restart("counter").unwrap();
                assert_eq!(ask(&mailbox, Say::Count).await, Ok(1), "the queue is kept");
                assert_eq!(before.await, Ok(2), "what waited before is handled before");
                health.restart("counter").unwrap();
            }
            let figures = mailbox.probe().read();
            assert_eq!((figures.restarts, figures.last_fault), (0, None), "they are no failures");
            mailbox.stop().await;
            assert!(matches!(running.await.unwrap(), Exit::Stopped));
            assert_eq!(health.restart("counter"), Err(TellError::Closed));
            assert_eq!(health.restart("nobody"), Err(TellError::Closed));
        });
    }

    #[test]
    fn an_actor_that_nobody_can_reach_ends_though_a_restart_could_be_asked_for() {
        local(async {
            let health = Health::default();
            let spec = Spec::new("counter", "counter", 8, POLICY);
            let (mailbox, supervision) = supervise(spec, &health, Counter::default);
            drop(mailbox);
            assert!(matches!(supervision.await, Exit::Stopped));
        });
    }

    #[test]
    fn failures_far_apart_never_add_up() {
        local(async {
            let (mailbox, supervision) = counter();
            let running = crate::spawn(supervision);
            for round in 1..=10 {
                mailbox.try_tell(Say::Panic).unwrap();
                tokio::time::sleep(POLICY.window).await;
                assert_eq!(mailbox.probe().read().restarts, round);
            }
            assert_eq!(ask(&mailbox, Say::Count).await, Ok(1));
            running.abort();
        });
    }

    #[test]
    fn supervise_1_a_factory_that_panics_is_a_failure_like_others() {
        local(async {
            let spec = Spec::new("broken", "broken", 8, POLICY);
            let (mailbox, supervision) =
                supervise::<Counter>(spec, &Health::default(), || panic!("no state today"));
            let exit = supervision.await;
            assert!(matches!(exit, Exit::GaveUp(Fault::Panicked { .. })));
            assert_eq!(mailbox.try_tell(Say::Panic), Err(TellError::Closed));
        });
    }

    #[test]
    fn a_full_mailbox_says_so_and_holds_what_it_has() {
        local(async {
            let (mailbox, supervision) = counter();
            let mut taken = 0;
            while mailbox.try_tell(Say::Fail).is_ok() {
                taken += 1;
                assert!(taken < 100, "the mailbox has no limit");
            }
            assert_eq!(mailbox.try_tell(Say::Fail), Err(TellError::Full));
            drop(supervision);
            assert_eq!(mailbox.try_tell(Say::Fail), Err(TellError::Closed));
        });
    }

    #[test]
    fn an_asker_learns_at_once_that_the_actor_failed() {
        local(async {
            let (mailbox, supervision) = counter();
            let running = crate::spawn(supervision);
            let (reply, answer) = oneshot::channel::<u32>();
            drop(answer);
            mailbox.try_tell(Say::Count(reply)).unwrap();
            assert_eq!(ask(&mailbox, Say::Count).await, Ok(1), "the failed one was replaced");
            running.abort();
        });
    }

    #[test]
    fn children_stop_in_reverse_and_one_that_hangs_is_dropped() {
        struct Slow(std::rc::Rc<std::cell::RefCell<Vec<&'static str>>>, &'static str, bool);
        impl Actor for Slow {
            type Msg = ();
            fn handle(&mut self, (): (), _: &mut Cx<'_, Self>) -> Result<(), Fault> {
                Ok(())
            }
            fn may_stop(&mut self, _: &mut Cx<'_, Self>) -> bool {
                self.0.borrow_mut().push(self.1);
                self.2
            }
        }
        local(async {
            let order: Rc<std::cell::RefCell<Vec<&'static str>>> = Rc::default();
            let health = Health::default();
            let mut children = crate::Children::default();
            for (name, ends) in [("first", true), ("hangs", false), ("last", true)] {
                let order = std::rc::Rc::clone(&order);
                let spec = Spec::new(name, "slow", 8, POLICY);
                let (mailbox, supervision) =
                    supervise(spec.clone(), &health, move || Slow(order.clone(), name, ends));
                children.start(&spec, mailbox, supervision);
            }
            let began = Instant::now();
            children.stop().await;
            assert_eq!(*order.borrow(), ["last", "hangs", "first"]);
            assert_eq!(
                began.elapsed(),
                Duration::from_secs(2),
                "only the one that hangs takes time"
            );
            assert_eq!(health.read(), []);
        });
    }

    /// Goal: whatever fails and whenever, no message but the one in hand is lost, and the order
    /// stays. Method: 2,000 seeds, each a random script of counts and failures.
    #[test]
    fn every_count_that_was_not_in_hand_is_answered_in_2_000_interleavings() {
        for seed in 0..2_000_u64 {
            local(async move {
                let policy = RestartPolicy { restarts_max: 100, ..POLICY };
                let spec = Spec::new("counter", "counter", 64, policy);
                let (mailbox, supervision) = supervise(spec, &Health::default(), Counter::default);
                let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
                let mut answers = Vec::new();
                let mut running = Some(supervision);
                for _ in 0..40 {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    match random % 8 {
                        0 => mailbox.try_tell(Say::Panic).unwrap(),
                        1 => mailbox.try_tell(Say::Fail).unwrap(),
                        _ => {
                            let (reply, answer) = oneshot::channel();
                            mailbox.try_tell(Say::Count(reply)).unwrap();
                            answers.push(answer);
                        }
                    }
                    if random % 11 == 0
                        && let Some(supervision) = running.take()
                    {
                        crate::spawn(supervision);
                    }
                }
                if let Some(supervision) = running.take() {
                    crate::spawn(supervision);
                }
                for answer in answers {
                    assert!(answer.await.is_ok(), "seed {seed}: a queued message was lost");
                }
            });
        }
    }
}
