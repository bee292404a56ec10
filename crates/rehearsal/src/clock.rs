//! The wall clock. The only place in this crate that reads it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "messages carry real dates, as Telegram's do")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds since 1970.
pub(crate) fn unix() -> i64 {
    unix_ms() / 1000
}
