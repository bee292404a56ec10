//! What was raised and is not durable yet.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Alert;

/// Alerts that may wait to become durable.
const TRAY_MAX: usize = 256;

/// What was raised and is not durable yet. It outlives the alerter's incarnations.
#[derive(Clone, Debug, Default)]
pub struct Tray(Arc<Mutex<Raised>>);

#[derive(Debug, Default)]
struct Raised {
    next: u64,
    /// With their numbers, and how often each was raised.
    alerts: VecDeque<(u64, Alert, u32)>,
}

impl Tray {
    fn open(&self) -> MutexGuard<'_, Raised> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an alert in, beside the same one if that was not taken out yet.
    pub(super) fn put(&self, alert: Alert, taken: Option<u64>) {
        let mut raised = self.open();
        let mut waiting = raised.alerts.iter_mut();
        let same = waiting.find(|(number, it, _)| taken < Some(*number) && *it == alert);
        if let Some((_, _, times)) = same {
            *times = times.saturating_add(1);
            return;
        }
        let number = raised.next;
        raised.next += 1;
        raised.alerts.push_back((number, alert, 1));
        if TRAY_MAX < raised.alerts.len() {
            // lost-ok: the book has taken it in, or there are more kinds at once than anybody reads.
            raised.alerts.pop_front();
        }
    }

    /// The first that comes after a number.
    pub(super) fn after(&self, number: Option<u64>) -> Option<(u64, Alert, u32)> {
        self.open().alerts.iter().find(|(it, _, _)| number < Some(*it)).cloned()
    }

    pub(super) fn clear_through(&self, number: u64) {
        self.open().alerts.retain(|(it, _, _)| number < *it);
    }

    pub(super) fn remove(&self, number: u64) {
        self.open().alerts.retain(|(it, _, _)| number != *it);
    }
}
