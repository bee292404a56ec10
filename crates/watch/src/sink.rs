//! Takes lines from the log's queue to a file or a terminal, on a thread of its own.
//!
//! A log must never hold up a turn, so the queue is bounded and lossy: a line that finds it full, and
//! a line that the disk refuses, is gone and counted.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// Lines that may wait for a slow disk. Lines have a limited size, so this bounds the memory too.
const QUEUE_LINES_MAX: usize = 4096;

/// Where lines go in, from any thread, without waiting.
#[derive(Clone, Debug)]
pub(crate) struct Inlet(NonBlocking);

impl Inlet {
    /// Queues a line, or counts it as dropped.
    pub(crate) fn put(&self, line: &[u8]) {
        if self.0.clone().write_all(line).is_err() {
            // lost-ok: a lossy queue never fails; it counts in `Gauge`.
        }
    }
}

/// Counts the lines that a sink lost, and flushes it when dropped.
#[derive(Debug)]
pub(crate) struct Gauge {
    overflowed: ErrorCounter,
    refused: Arc<AtomicU64>,
    _flush: WorkerGuard,
}

impl Gauge {
    /// Waits until all queued lines are written, and tells how many were lost.
    #[cfg(test)]
    pub(crate) fn flushed(self) -> u64 {
        let Self { overflowed, refused, _flush: flush } = self;
        drop(flush);
        overflowed.dropped_lines() as u64 + refused.load(Relaxed)
    }

    /// Lines lost since the start: the queue was full or the writer failed.
    pub(crate) fn lost_lines(&self) -> u64 {
        self.counter()()
    }

    /// What tells [`Self::lost_lines`] without keeping the writer alive.
    pub(crate) fn counter(&self) -> impl Fn() -> u64 + Send + Sync + use<> {
        let (overflowed, refused) = (self.overflowed.clone(), Arc::clone(&self.refused));
        move || overflowed.dropped_lines() as u64 + refused.load(Relaxed)
    }
}

/// Starts the thread that writes.
pub(crate) fn start(to: impl Write + Send + 'static) -> (Inlet, Gauge) {
    start_counting(to, Arc::default())
}

/// The same; `refused` counts lines that the writer has taken and could not write.
pub(crate) fn start_counting(
    to: impl Write + Send + 'static,
    refused: Arc<AtomicU64>,
) -> (Inlet, Gauge) {
    let writer = Counting { to, refused: refused.clone() };
    let (inlet, flush) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(QUEUE_LINES_MAX)
        .thread_name("log")
        .finish(writer);
    let gauge = Gauge { overflowed: inlet.error_counter(), refused, _flush: flush };
    (Inlet(inlet), gauge)
}

/// Counts failures, which the worker thread would swallow.
struct Counting<W> {
    to: W,
    refused: Arc<AtomicU64>,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.to.write_all(line).is_err() {
            self.refused.fetch_add(1, Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct Stuck(mpsc::Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            // Waits until the test lets go.
            self.0.recv().ok();
            Ok(line.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stuck_writer_never_holds_up_whoever_logs_and_losses_are_counted() {
        let (let_go, stuck) = mpsc::channel();
        let (inlet, gauge) = start(Stuck(stuck));
        for _ in 0..QUEUE_LINES_MAX + 101 {
            inlet.put(b"line\n");
        }
        // The writer holds at most one line besides the queue.
        assert!((100..=101).contains(&gauge.lost_lines()), "{}", gauge.lost_lines());
        drop(let_go);
    }

    #[test]
    fn lines_that_the_disk_refuses_are_counted() {
        let (inlet, gauge) = start(Full);
        for _ in 0..10 {
            inlet.put(b"line\n");
        }
        assert_eq!(gauge.flushed(), 10);
    }
}
