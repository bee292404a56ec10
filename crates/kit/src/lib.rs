//! What every actor needs and no actor owns: supervision, mailboxes, restart policy, health.
//!
//! Built on actix, which stays a detail of this crate: an actor of ours is a plain struct with a
//! [`Actor::handle`], and everything it may do beside that goes through [`Cx`]. Knows nothing about
//! Telegram, language models or storage.
//!
//! ```
//! use std::time::Duration;
//! use kit::{Actor, Cx, Fault, Health, RestartPolicy, Spec, supervise};
//!
//! struct Counter(u32);
//! impl Actor for Counter {
//!     type Msg = u32;
//!     fn handle(&mut self, more: u32, _: &mut Cx<'_, Self>) -> Result<(), Fault> {
//!         self.0 += more;
//!         Ok(())
//!     }
//! }
//!
//! kit::block_on(async {
//!     let spec = Spec::new("counter", "counter", 16, RestartPolicy::GENTLE);
//!     let (mailbox, supervision) = supervise(spec, &Health::default(), || Counter(0));
//!     let running = kit::spawn(supervision);
//!     mailbox.tell(2).await.unwrap();
//!     mailbox.stop().await;
//!     assert!(matches!(running.await, Ok(kit::Exit::Stopped)));
//! });
//! ```

mod actor;
mod children;
mod health;
mod mailbox;
pub mod panics;
mod supervise;
mod tasks;

pub use actor::{Actor, Cx, Pending};
pub use children::{Child, Children};
pub use health::{ActorHealth, ActorState, Expectation, Health, Probe};
pub use mailbox::{Mailbox, TellError, ask};
pub use supervise::{Exit, Fault, RestartPolicy, Spec, Supervision, supervise};
pub use tasks::Tasks;

/// Runs a future, and the actors that it starts, on this thread until the future ends.
///
/// # Panics
/// If the runtime cannot be created (no file descriptors left).
pub fn block_on<F: Future>(future: F) -> F::Output {
    actix::System::new().block_on(future)
}

/// Runs a future beside this one on the same thread. The handle's owner owns the task.
#[expect(clippy::disallowed_methods, reason = "this is the one door that the ban points to")]
pub fn spawn<F: Future + 'static>(future: F) -> tokio::task::JoinHandle<F::Output> {
    tokio::task::spawn_local(future)
}
