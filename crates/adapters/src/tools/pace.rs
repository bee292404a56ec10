//! How often each tool may be called.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use protocol::tool::ToolName;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// Counts the calls of each tool, minute by minute. Knows as many tools as there ever were: those
/// that an operator named.
pub(super) struct Pace {
    per_minute_max: u32,
    minutes: Mutex<HashMap<ToolName, (Instant, u32)>>,
}

impl Pace {
    pub(super) fn new(per_minute_max: u32) -> Self {
        Self { per_minute_max, minutes: Mutex::default() }
    }

    /// Counts a call, or says that there were enough.
    pub(super) fn admits(&self, tool: &ToolName, now: Instant) -> bool {
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, calls) = minutes.entry(tool.clone()).or_insert((now, 0));
        if MINUTE <= now.duration_since(*began) {
            (*began, *calls) = (now, 0);
        }
        if self.per_minute_max <= *calls {
            return false;
        }
        *calls += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_called_so_often_a_minute_and_no_other_suffers() {
        let (pace, now) = (Pace::new(2), Instant::now());
        let (one, other) = ("a".parse().unwrap(), "b".parse().unwrap());
        assert!(pace.admits(&one, now) && pace.admits(&one, now));
        assert!(!pace.admits(&one, now + Duration::from_secs(59)));
        assert!(pace.admits(&other, now));
        assert!(pace.admits(&one, now + MINUTE));
    }
}
