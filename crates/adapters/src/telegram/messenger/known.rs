//! What is known of a server that may be older than the Bot API we speak.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How long a server is believed to be an older one.
const REFUSED_FOR: Duration = Duration::from_secs(15 * 60);

/// Whether a server has something that came with a later version.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Knowledge>);

#[derive(Clone, Copy, Debug, Default)]
enum Knowledge {
    #[default]
    Nothing,
    Can,
    CannotUntil(Instant),
}

impl Known {
    /// True or false; `None` if the server has to be asked.
    pub(super) fn can(&self) -> Option<bool> {
        // The value is whole whoever panicked.
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Knowledge::Can => Some(true),
            Knowledge::CannotUntil(then) if Instant::now() < then => Some(false),
            Knowledge::CannotUntil(_) | Knowledge::Nothing => None,
        }
    }

    pub(super) fn learn(&self, can: bool) {
        let news = match can {
            true => Knowledge::Can,
            false => Knowledge::CannotUntil(Instant::now() + REFUSED_FOR),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = news;
    }
}

/// Whether a refusal is of the method, and not of what was asked with it.
pub(super) fn is_unknown_method(description: &str) -> bool {
    let description = description.to_ascii_lowercase();
    description.contains("method not found") || description.starts_with("not found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_older_server_is_asked_again_after_a_while() {
        let known = Known::default();
        assert_eq!(known.can(), None);
        known.learn(false);
        assert_eq!(known.can(), Some(false));
        tokio::time::advance(REFUSED_FOR).await;
        assert_eq!(known.can(), None);
        known.learn(true);
        assert_eq!(known.can(), Some(true));
    }

    #[test]
    fn an_unknown_method_is_told_from_an_unknown_message() {
        assert!(is_unknown_method("Not Found: method not found"));
        assert!(!is_unknown_method("Bad Request: message to delete not found"));
        assert!(!is_unknown_method("Bad Request: USER_ID_INVALID"));
    }
}
