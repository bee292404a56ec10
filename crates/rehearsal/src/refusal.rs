//! How the Bot API says no, in its own words.

use std::borrow::Cow;

use serde::Serialize;

/// A refused call: the code, the description, and what the caller may do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status and `error_code`, which Telegram keeps equal.
    pub code: u16,
    /// Telegram's words, such as `Bad Request: chat not found`.
    pub description: Cow<'static, str>,
    /// Seconds to wait before the next call (429 only).
    pub retry_after: Option<u32>,
    /// The supergroup that a group became (400 only).
    pub migrate_to_chat_id: Option<i64>,
}

#[derive(Serialize)]
struct Body<'a> {
    ok: bool,
    error_code: u16,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
}

#[derive(Serialize)]
struct Parameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    migrate_to_chat_id: Option<i64>,
}

impl Refusal {
    /// A refusal with exactly these words.
    pub(crate) fn new(code: u16, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: description.into(), retry_after: None, migrate_to_chat_id: None }
    }

    /// 400, with `Bad Request: ` before the reason.
    pub(crate) fn bad(reason: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", reason.as_ref()))
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    pub(crate) fn blocked() -> Self {
        Self::new(403, "Forbidden: bot was blocked by the user")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    pub(crate) fn other_poller() -> Self {
        Self::new(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        )
    }

    pub(crate) fn webhook_active() -> Self {
        Self::new(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        )
    }

    pub(crate) fn too_many(retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(429, format!("Too Many Requests: retry after {retry_after}"))
        }
    }

    pub(crate) fn migrated(to: i64) -> Self {
        Self {
            migrate_to_chat_id: Some(to),
            ..Self::bad("group chat was upgraded to a supergroup chat")
        }
    }

    /// The JSON body that goes with it.
    pub(crate) fn body(&self) -> Vec<u8> {
        let parameters = (self.retry_after.is_some() || self.migrate_to_chat_id.is_some())
            .then_some(Parameters {
                retry_after: self.retry_after,
                migrate_to_chat_id: self.migrate_to_chat_id,
            });
        let body =
            Body { ok: false, error_code: self.code, description: &self.description, parameters };
        serde_json::to_vec(&body).expect("strings and integers always serialise")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_429_says_how_long_to_wait() {
        let body = String::from_utf8(Refusal::too_many(7).body()).unwrap();
        assert_eq!(
            body,
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#
        );
    }
}
