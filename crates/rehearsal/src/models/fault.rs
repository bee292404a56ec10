//! What can go wrong with a model, on demand: the next so many calls, or a share of all.
//!
//! Decides only; the server carries it out. The same seed and the same calls give the same faults.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The most entries that may wait in the queue of faults.
const QUEUE_MAX: usize = 1_000;
/// The most shares that may be set at once.
const SHARES_MAX: usize = 100;

/// One way in which a call fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The request is read and nothing ever comes back.
    HangBeforeHeaders,
    /// Half of the answer comes, then nothing, with the connection open.
    HangMidStream,
    /// The answer comes piece by piece with a pause before each.
    SlowDrip {
        /// Milliseconds between two pieces.
        ms: u64,
    },
    /// Half of the answer comes, then the connection breaks.
    CutMidStream,
    /// Half of the answer comes and the body ends as if it were whole.
    TruncatedSse,
    /// The body is not JSON, though it says so.
    BadJson,
    /// A well-formed answer without a word in it.
    EmptyAnswer,
    /// Status 200 with a web page in it.
    WrongContentType,
    /// A well-formed answer of 10 MB.
    HugeAnswer,
    /// An HTTP status with the protocol's own error body.
    Status {
        /// The status code, 400 to 599.
        code: u16,
        /// Seconds for the `Retry-After` header, if any.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
}

impl Fault {
    /// The name under which the fault is counted.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::HangBeforeHeaders => "hang_before_headers".to_owned(),
            Self::HangMidStream => "hang_mid_stream".to_owned(),
            Self::SlowDrip { .. } => "slow_drip".to_owned(),
            Self::CutMidStream => "cut_mid_stream".to_owned(),
            Self::TruncatedSse => "truncated_sse".to_owned(),
            Self::BadJson => "bad_json".to_owned(),
            Self::EmptyAnswer => "empty_answer".to_owned(),
            Self::WrongContentType => "wrong_content_type".to_owned(),
            Self::HugeAnswer => "huge_answer".to_owned(),
            Self::Status { code, .. } => format!("status_{code}"),
        }
    }
}

/// The next `count` calls fail with `fault`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextFault {
    /// How many calls it still is for.
    #[serde(default = "one")]
    pub count: u32,
    /// How they fail; `null` lets them pass, so that "fail, pass, fail" can be said.
    pub fault: Option<Fault>,
    /// Only calls for this model, if named.
    #[serde(default)]
    pub model: Option<String>,
}

/// A share of all calls fails with `fault`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareFault {
    /// The share, 0 to 1.
    pub share: f64,
    /// How they fail.
    pub fault: Fault,
    /// Only calls for this model, if named.
    #[serde(default)]
    pub model: Option<String>,
}

fn one() -> u32 {
    1
}

/// A change of the faults, as `POST /ctl/models/faults` takes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultChange {
    /// Forget all faults first.
    pub clear: bool,
    /// Put behind the queue.
    pub next: Vec<NextFault>,
    /// Replaces the shares, if given.
    pub shares: Option<Vec<ShareFault>>,
    /// Replaces the seed of the shares, if given.
    pub seed: Option<u64>,
}

/// Why a change of the faults was refused. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// More entries than the queue or the shares hold.
    #[error("more faults than the limit")]
    TooMany,
    /// A share is not between 0 and 1.
    #[error("a share is not between 0 and 1")]
    ShareOutOfRange,
    /// A status is not an error status, 400 to 599.
    #[error("a status is not between 400 and 599")]
    StatusOutOfRange,
}

/// The faults in store: the queue goes first, then the shares.
#[derive(Debug, Serialize)]
pub struct Faults {
    next: VecDeque<NextFault>,
    shares: Vec<ShareFault>,
    #[serde(skip)]
    random: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self { next: VecDeque::new(), shares: Vec::new(), random: 42 }
    }
}

impl Faults {
    /// Changes what is in store.
    ///
    /// # Errors
    /// When a limit is passed or a share or status is out of range; then nothing is changed.
    pub fn change(&mut self, change: FaultChange) -> Result<(), FaultError> {
        let shares = change.shares.as_deref().unwrap_or_default();
        let kept = if change.clear { 0 } else { self.next.len() };
        if kept + change.next.len() > QUEUE_MAX || shares.len() > SHARES_MAX {
            return Err(FaultError::TooMany);
        }
        if shares.iter().any(|share| !(0.0..=1.0).contains(&share.share)) {
            return Err(FaultError::ShareOutOfRange);
        }
        let next = change.next.iter().filter_map(|next| next.fault.as_ref());
        for fault in next.chain(shares.iter().map(|share| &share.fault)) {
            if matches!(fault, Fault::Status { code, .. } if !(400..600).contains(code)) {
                return Err(FaultError::StatusOutOfRange);
            }
        }
        if change.clear {
            self.next.clear();
            self.shares.clear();
        }
        self.next.extend(change.next.into_iter().filter(|next| next.count > 0));
        self.shares = change.shares.unwrap_or_else(|| std::mem::take(&mut self.shares));
        self.random = change.seed.unwrap_or(self.random);
        Ok(())
    }

    /// The fault of the next call for `model`, if it is to fail.
    pub fn draw(&mut self, model: &str) -> Option<Fault> {
        let is_for = |named: &Option<String>| named.as_deref().is_none_or(|named| named == model);
        if let Some(at) = self.next.iter().position(|next| is_for(&next.model)) {
            let next = self.next.get_mut(at)?;
            next.count -= 1;
            if next.count > 0 {
                return next.fault.clone();
            }
            return self.next.remove(at).and_then(|next| next.fault);
        }
        for at in 0..self.shares.len() {
            let unit = self.unit();
            let share = self.shares.get(at)?;
            if is_for(&share.model) && unit < share.share {
                return Some(share.fault.clone());
            }
        }
        None
    }

    /// The next random number, 0 to 1 (splitmix64).
    fn unit(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        f64::from(u32::try_from(mixed >> 32).unwrap_or(u32::MAX)) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(json: &str) -> FaultChange {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_queue_goes_in_order_and_each_entry_as_often_as_it_says() {
        let mut faults = Faults::default();
        let json = r#"{"next":[{"count":2,"fault":"bad_json"},{"fault":null},{"fault":{"status":{"code":529}}}]}"#;
        faults.change(change(json)).unwrap();
        let names: Vec<_> = (0..5).map(|_| faults.draw("m").map(|f| f.name())).collect();
        let names: Vec<_> = names.iter().map(Option::as_deref).collect();
        assert_eq!(names, [Some("bad_json"), Some("bad_json"), None, Some("status_529"), None]);
    }

    #[test]
    fn a_fault_for_one_model_leaves_the_others_alone() {
        let mut faults = Faults::default();
        faults.change(change(r#"{"next":[{"fault":"bad_json","model":"a"}]}"#)).unwrap();
        assert_eq!(faults.draw("b"), None);
        assert_eq!(faults.draw("a"), Some(Fault::BadJson));
        faults
            .change(change(r#"{"shares":[{"share":1,"fault":"bad_json","model":"a"}]}"#))
            .unwrap();
        assert_eq!(faults.draw("b"), None);
        assert_eq!(faults.draw("a"), Some(Fault::BadJson));
        faults.change(change(r#"{"clear":true}"#)).unwrap();
        assert_eq!(faults.draw("a"), None);
    }

    #[test]
    fn a_share_is_about_that_share_and_the_same_for_the_same_seed() {
        let run = || {
            let mut faults = Faults::default();
            let json = r#"{"shares":[{"share":0.2,"fault":"empty_answer"}],"seed":7}"#;
            faults.change(change(json)).unwrap();
            (0..1_000).map(|_| faults.draw("m").is_some()).collect::<Vec<_>>()
        };
        let hits = run().iter().filter(|hit| **hit).count();
        assert!((150..250).contains(&hits), "{hits} of 1000 with seed 7");
        assert_eq!(run(), run());
    }

    #[test]
    fn a_change_out_of_range_changes_nothing() {
        let mut faults = Faults::default();
        for json in [
            r#"{"next":[{"fault":"bad_json"}],"shares":[{"share":1.5,"fault":"bad_json"}]}"#,
            r#"{"next":[{"fault":{"status":{"code":200}}}]}"#,
        ] {
            assert!(faults.change(change(json)).is_err());
        }
        assert_eq!(faults.draw("m"), None);
    }
}
