//! Waiting for what becomes true and stays true.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often a level is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `level` is true: a level, not an event, so that nothing is missed between two looks.
/// Gives how long it took.
///
/// # Panics
/// When it is not true within `time_max`; the message names `what`.
pub async fn wait_until(
    what: &str,
    time_max: Duration,
    mut level: impl FnMut() -> bool,
) -> Duration {
    let begun = Instant::now();
    while !level() {
        assert!(begun.elapsed() < time_max, "not within {time_max:?}: {what}");
        sleep(LOOK_EVERY).await;
    }
    begun.elapsed()
}
