//! The time that this thread has spent on a processor: what else the machine does is not in it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The processor's time since the thread began.
pub(crate) fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    // Both are never negative, and nanoseconds are less than a second.
    Duration::new(now.tv_sec.cast_unsigned(), u32::try_from(now.tv_nsec).unwrap_or_default())
}
