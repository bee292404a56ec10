//! What a call may cost, and what it did: paid for at the treasury's desk, whoever asks.

use std::sync::Arc;

use protocol::model::{CompleteError, Model, ModelRequest, Price};
use tokio::sync::watch;

use super::{CallEnd, Glance};
use crate::context::{self, IMAGE_TOKENS};
use crate::treasurer::{Desk, OverCap, Ticket, caps::Amount};

/// Tokens that a provider may count for each message beside its text.
const TURN_TOKENS: usize = 16;

/// What a call may cost. Counted only where a cap applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Estimate {
    input_tokens: u64,
    answer_tokens_max: u64,
    price: Price,
}

impl Estimate {
    pub(super) fn of(desk: &Desk, model: &dyn Model, request: &ModelRequest) -> Self {
        if !desk.has_caps() {
            return Self::default();
        }
        let turn = |content: &str| model.count_tokens(content).saturating_add(TURN_TOKENS);
        let input: usize = request.turns.iter().map(|it| turn(&it.content)).sum();
        let called = request.turns.iter().flat_map(|it| &it.calls).map(|it| turn(&it.arguments));
        let offered = request.tools.iter().map(|it| context::spec_tokens(it, &turn));
        let images = request.turns.iter().map(|it| it.images.len().saturating_mul(IMAGE_TOKENS));
        let input = called.chain(offered).chain(images).fold(input, usize::saturating_add);
        Self {
            input_tokens: u64::try_from(input).unwrap_or(u64::MAX),
            answer_tokens_max: u64::from(request.answer_tokens_max),
            price: model.price(),
        }
    }

    /// The most that it may cost.
    pub(super) fn most(self) -> Amount {
        self.with_answer(self.answer_tokens_max)
    }

    fn with_answer(self, tokens: u64) -> Amount {
        let tokens = tokens.min(self.answer_tokens_max);
        Amount {
            tokens: self.input_tokens.saturating_add(tokens),
            micros: self.price.of(self.input_tokens, tokens),
        }
    }

    /// What a call without an answer may have cost: nothing where the provider said no or was not
    /// reached; the question and what had come, where something had; else all that it might.
    fn lost(self, end: &CallEnd, written: usize) -> Amount {
        let what_came = || match u64::try_from(written) {
            Ok(0) | Err(_) => self.most(),
            Ok(written) => self.with_answer(written),
        };
        match end {
            CallEnd::Withdrawn => what_came(),
            CallEnd::Failed(error) => match error {
                CompleteError::Refused { .. } | CompleteError::Unusable(_) => Amount::default(),
                CompleteError::Disconnected(_) if written == 0 => Amount::default(),
                CompleteError::Disconnected(_) => what_came(),
                CompleteError::TimedOut
                | CompleteError::Garbled { .. }
                | CompleteError::TooLarge
                | CompleteError::Empty => self.most(),
            },
            CallEnd::OverCap(_) | CallEnd::Answered(_) => Amount::default(),
        }
    }
}

/// Makes a call once it is paid for. `ticket` is how it is.
pub(super) async fn paid_call(
    ticket: impl Future<Output = Result<Ticket, OverCap>>,
    estimate: Estimate,
    model: Arc<dyn Model>,
    glance: Glance,
    mut gone: watch::Receiver<()>,
    call: impl Future<Output = CallEnd>,
) -> CallEnd {
    let ticket = tokio::select! {
        biased;
        // An error means that the sender is gone.
        _ = gone.changed() => return CallEnd::Withdrawn,
        ticket = ticket => ticket,
    };
    let ticket = match ticket {
        Ok(ticket) => ticket,
        Err(cap) => return CallEnd::OverCap(cap),
    };
    match call.await {
        CallEnd::Answered(mut completion) => {
            let (booked, warning) = ticket.answered(completion.usage);
            completion.usage.booked = booked;
            glance.warn(warning);
            CallEnd::Answered(completion)
        }
        end @ (CallEnd::Failed(_) | CallEnd::Withdrawn | CallEnd::OverCap(_)) => {
            let written = if estimate == Estimate::default() {
                0
            } else {
                model.count_tokens(&glance.read())
            };
            ticket.lost(estimate.lost(&end, written));
            end
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_without_an_answer_costs_what_it_may_have_cost_and_a_no_costs_nothing() {
        let price = Price { input_micros_per_mtok: 1_000_000, output_micros_per_mtok: 2_000_000 };
        let it = Estimate { input_tokens: 100, answer_tokens_max: 50, price };
        let amount = |tokens, micros| Amount { tokens, micros };
        assert_eq!(it.most(), amount(150, 200));
        let refused = CompleteError::Refused { status: 500, retry_after: None };
        assert_eq!(it.lost(&CallEnd::Failed(refused), 0), Amount::default());
        let away = || CallEnd::Failed(CompleteError::Disconnected("away".into()));
        assert_eq!(it.lost(&away(), 0), Amount::default(), "it was not reached");
        assert_eq!(it.lost(&away(), 20), amount(120, 140));
        assert_eq!(it.lost(&CallEnd::Withdrawn, 20), amount(120, 140));
        assert_eq!(it.lost(&CallEnd::Withdrawn, 0), it.most(), "nobody knows");
        assert_eq!(it.lost(&CallEnd::Withdrawn, 900), it.most());
        assert_eq!(it.lost(&CallEnd::Failed(CompleteError::TimedOut), 0), it.most());
    }
}
