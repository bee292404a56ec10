//! What `guildhall alerts` asks of the running hall, as JSON.

use std::time::Duration;

use flow::alerter::Order;
use serde::{Deserialize, Serialize};

/// An order as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Errand {
    /// List what is wrong.
    List,
    /// Silence a kind.
    Silence {
        /// Which.
        kind: String,
        /// For how long; 0 ends it.
        seconds: u64,
    },
    /// Take a kind into one's hands.
    Acknowledge {
        /// Which.
        kind: String,
    },
    /// Try every sink.
    Test,
}

/// Reads what was sent.
///
/// # Errors
/// In words, if it is no order.
pub fn read(question: &[u8]) -> Result<Order, String> {
    let errand: Errand =
        serde_json::from_slice(question).map_err(|error| format!("that is no order: {error}"))?;
    let checked = |kind: String| {
        let may_stand = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_');
        let is_good = (1..=60).contains(&kind.len()) && kind.chars().all(may_stand);
        is_good.then_some(kind).ok_or("a kind is 1 to 60 of a-z, 0-9 and _; `all` is all of them")
    };
    Ok(match errand {
        Errand::List => Order::List,
        Errand::Silence { kind, seconds } => {
            Order::Silence { kind: checked(kind)?, span: Duration::from_secs(seconds) }
        }
        Errand::Acknowledge { kind } => Order::Acknowledge { kind: checked(kind)? },
        Errand::Test => Order::Test,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_reads_as_it_was_sent_and_nothing_else_does() {
        let sent = |errand: &Errand| read(&serde_json::to_vec(errand).unwrap());
        assert_eq!(sent(&Errand::List), Ok(Order::List));
        let silence = Errand::Silence { kind: "all".to_owned(), seconds: 60 };
        let span = Duration::from_secs(60);
        assert_eq!(sent(&silence), Ok(Order::Silence { kind: "all".to_owned(), span }));
        assert!(sent(&Errand::Acknowledge { kind: "A b".to_owned() }).is_err());
        assert!(read(b"{}").is_err() && read(br#"{"order":"stop"}"#).is_err());
    }
}
