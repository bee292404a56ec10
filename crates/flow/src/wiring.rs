//! Everything the tree is made of: ports, limits, and what the configuration says.

use std::{fmt, sync::Arc};

use protocol::{Clock, PersonId, ledger::Ledger, messenger::Messenger, model::Model};
use tokio::runtime::Handle;

use crate::{
    alarm::Digest,
    alerter::{AlerterConfig, Placed, Surroundings},
    archivist::{ArchivistConfig, Copier},
    broker::BrokerConfig,
    clerk::Clerk,
    incident,
    ingress::IngressConfig,
    janitor::Retention,
    keeper::KeeperConfig,
    outbox::Pacing,
    roster::{Founding, Shared},
    rulebook::{Rulebook, Rules},
    session::{Recaller, SessionConfig},
    tally::Tally,
    treasurer::Desk,
};

/// A bot that the hall speaks through.
#[derive(Clone)]
pub struct Bot {
    /// The way to the chat service.
    pub messenger: Arc<dyn Messenger>,
    /// True if its updates are polled; false if a webhook pushes them.
    pub polls: bool,
}

/// Everything the tree is made of.
#[derive(Clone)]
pub struct Wiring {
    /// The durable record.
    pub ledger: Arc<dyn Ledger>,
    /// What officers do.
    pub incidents: Arc<incident::Desk>,
    /// Where messages are sent: a runtime beside the actors'.
    pub egress: Handle,
    /// The models, by place.
    pub models: Arc<[Arc<dyn Model>]>,
    /// The bots.
    pub bots: Vec<Bot>,
    /// The rules in force.
    pub rules: Rules,
    /// Makes other rules.
    pub rulebook: Arc<dyn Rulebook>,
    /// Further places that alerts go to.
    pub sinks: Arc<[Placed]>,
    /// What only the program can see of its surroundings.
    pub surroundings: Arc<dyn Fn() -> Surroundings + Send + Sync>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Counts.
    pub tally: Tally,
    /// The state of the hall for readers.
    pub hall: Shared,
    /// What the configuration says about agents and access.
    pub founding: Arc<Founding>,
    /// What a person is called in the log.
    pub pseudonym: Arc<dyn Fn(PersonId) -> String + Send + Sync>,
    /// A keyed digest of a text.
    pub digest: Digest,
    /// The program's version.
    pub version: &'static str,
    /// What was used of models, and what may be.
    pub desk: Desk,
    /// Looks through the past, where that is switched on.
    pub recaller: Option<Recaller>,
    /// Limits, by actor.
    pub session: Arc<SessionConfig>,
    /// See [`KeeperConfig`].
    pub keeper: KeeperConfig,
    /// See [`BrokerConfig`].
    pub broker: BrokerConfig,
    /// See [`IngressConfig`].
    pub ingress: IngressConfig,
    /// See [`Pacing`].
    pub pacing: Pacing,
    /// See [`AlerterConfig`].
    pub alerter: AlerterConfig,
    /// Knows the program.
    pub clerk: Arc<dyn Clerk>,
    /// How long things are kept.
    pub retention: Retention,
    /// Who makes backups, and when; `None` where they are switched off.
    pub backups: Option<(Arc<dyn Copier>, ArchivistConfig)>,
}

impl fmt::Debug for Wiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wiring").field("bots", &self.bots.len()).finish_non_exhaustive()
    }
}

impl Wiring {
    /// The names that agents and admins use for the models.
    #[must_use]
    pub fn model_names(&self) -> Arc<[String]> {
        self.models.iter().map(|it| it.name().to_owned()).collect()
    }
}
