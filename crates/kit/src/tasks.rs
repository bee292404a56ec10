//! Work that an actor has under way, many pieces at a time.

use tokio::task::JoinSet;

/// Futures that run beside their owner on the same thread and end with it.
///
/// For work in large numbers: actix polls every future of an actor's own context at every turn,
/// which a thousand open requests would make slow.
#[derive(Debug, Default)]
pub struct Tasks {
    set: JoinSet<()>,
}

impl Tasks {
    /// Starts a piece of work. Dropping the [`Tasks`] cancels it.
    pub fn start(&mut self, work: impl Future<Output = ()> + 'static) {
        // lost-ok: the results are `()`; a panic inside was logged by the hook and shows to whoever
        // waits for the work's answer.
        while self.set.try_join_next().is_some() {}
        self.set.spawn_local(work);
    }

    /// How many are under way.
    #[must_use]
    pub fn len(&mut self) -> usize {
        while self.set.try_join_next().is_some() {}
        self.set.len()
    }

    /// True if nothing is under way.
    #[must_use]
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }
}
