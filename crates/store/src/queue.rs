//! A bounded queue from async callers to one thread.
//!
//! Callers wait for room without blocking their runtime; the thread waits for items by blocking.
//! Closing it needs no room and no cooperation of callers that still wait.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// See the head of this file.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    bell: Condvar,
    room: Arc<Semaphore>,
}

struct State<T> {
    items: VecDeque<(T, OwnedSemaphorePermit)>,
    open: bool,
}

/// The thread behind the queue has ended or is about to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closed;

impl<T> Queue<T> {
    pub(crate) fn new(items_max: usize) -> Self {
        Self {
            state: Mutex::new(State { items: VecDeque::new(), open: true }),
            bell: Condvar::new(),
            room: Arc::new(Semaphore::new(items_max.clamp(1, Semaphore::MAX_PERMITS))),
        }
    }

    /// Queues an item once there is room. Cancel-safe: a dropped future has queued nothing.
    pub(crate) async fn send(&self, item: T) -> Result<(), Closed> {
        let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else { return Err(Closed) };
        let mut state = self.state();
        if !state.open {
            return Err(Closed);
        }
        state.items.push_back((item, permit));
        drop(state);
        self.bell.notify_one();
        Ok(())
    }

    /// Waits for the next item; `None` once the queue is closed and empty. Blocks.
    pub(crate) fn recv(&self) -> Option<T> {
        let waits = |state: &mut State<T>| state.items.is_empty() && state.open;
        let waited = self.bell.wait_while(self.state(), waits);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.items.pop_front().map(|(item, _)| item)
    }

    /// Waits so long for an item to be there, or for the queue to be closed. Blocks. False if neither was.
    pub(crate) fn wait(&self, time_max: Duration) -> bool {
        let waits = |state: &mut State<T>| state.items.is_empty() && state.open;
        let waited = self.bell.wait_timeout_while(self.state(), time_max, waits);
        let (_state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        !result.timed_out()
    }

    /// The next item, if there is one now.
    pub(crate) fn try_recv(&self) -> Option<T> {
        self.state().items.pop_front().map(|(item, _)| item)
    }

    /// Takes no more items. Those that are queued can still be received.
    pub(crate) fn close(&self) {
        self.state().open = false;
        self.room.close();
        self.bell.notify_all();
    }

    /// Closes the queue and drops what is in it.
    pub(crate) fn abandon(&self) {
        self.close();
        let items = std::mem::take(&mut self.state().items);
        drop(items);
    }

    pub(crate) fn len(&self) -> usize {
        self.state().items.len()
    }

    /// No code panics while it holds this lock, so a poisoned one is as good as any.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_makes_callers_wait_and_closing_sends_them_away() {
        let queue = Arc::new(Queue::new(1));
        queue.send(1).await.unwrap();
        let waits = tokio::time::timeout(Duration::from_millis(20), queue.send(2));
        assert!(waits.await.is_err(), "there is no room");
        let (sent, received) = tokio::join!(queue.send(3), async { queue.try_recv() });
        assert_eq!((sent.is_ok(), received), (true, Some(1)));
        let at_once = Duration::ZERO;
        assert!(queue.wait(at_once), "3 is there");
        let (refused, ()) = tokio::join!(queue.send(4), async { queue.close() });
        assert!(refused.is_err());
        assert_eq!((queue.recv(), queue.recv()), (Some(3), None), "what was queued is delivered");
        assert!(queue.wait(Duration::MAX), "nobody waits at a closed queue");
        assert!(!Queue::<u8>::new(1).wait(at_once), "nothing is there");
    }

    #[tokio::test]
    async fn an_abandoned_queue_drops_what_is_in_it() {
        let queue = Queue::new(2);
        let (answer, answered) = tokio::sync::oneshot::channel::<()>();
        queue.send(answer).await.unwrap();
        queue.abandon();
        assert!(answered.await.is_err());
        assert!(queue.recv().is_none());
    }
}
