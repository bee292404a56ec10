//! Where listening and speaking are paid for: at the treasury's desk, by whoever asked.
//!
//! As with models, a call is paid for before it is made, and charged with what it did use after.

use std::time::Duration;

use protocol::{AgentName, hearing::Toll};

use crate::{
    tally::Tally,
    treasurer::{
        Desk, OverCap, Ticket,
        books::{Payer, Want},
        caps::Amount,
    },
};

/// Who pays, and where that is counted.
#[derive(Clone, Debug)]
pub struct Till {
    /// The accounts.
    pub desk: Desk,
    /// The figures.
    pub tally: Tally,
    /// Who asked.
    pub payer: Payer,
    /// For whose answer.
    pub agent: AgentName,
}

impl Till {
    /// Pays for a call that may use so much, and waits for it where that has to be written first.
    pub(super) async fn ticket(&self, most: Toll) -> Result<Ticket, OverCap> {
        let (payer, agent) = (self.payer, self.agent.clone());
        let ticket = self.desk.ticket(Want { payer, agent, most: amount(most) }).await;
        ticket.inspect_err(|cap| self.tally.over_cap(cap.kind))
    }

    /// A recording was heard, or a text spoken: it is charged with that.
    pub(super) fn used(&self, ticket: Ticket, toll: Toll, took: Duration) -> Toll {
        let toll = Toll { booked: ticket.sensed(toll), ..toll };
        self.tally.sensed(&toll, took);
        toll
    }

    /// Nothing came of it; the provider may charge for it all the same, or not.
    pub(super) fn failed(
        &self,
        ticket: Ticket,
        (toll, may_cost): (Toll, bool),
        label: &'static str,
        took: Duration,
    ) {
        let lost = if may_cost { amount(toll) } else { Amount::default() };
        ticket.lost(lost);
        self.tally.not_sensed(&toll, label, took);
    }
}

fn amount(toll: Toll) -> Amount {
    Amount { tokens: 0, micros: toll.cost_micros }
}
