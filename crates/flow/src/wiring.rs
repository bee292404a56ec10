//! Everything the tree is made of: ports, limits, and what the configuration says.

use std::{cell::RefCell, fmt, rc::Rc, sync::Arc};

use protocol::{
    Clock, PersonId, ledger::Ledger, messenger::Messenger, model::Model, tool::Toolbox,
};
use tokio::{runtime::Handle, sync::Notify};

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
    senses::Senses,
    session::{Recaller, SessionConfig},
    tally::Tally,
    timekeeper::TimekeeperConfig,
    tongues::Tongues,
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

/// Bots that come while the hall stands: one that Telegram could not be reached for, say. They stay, also
/// when the tree starts anew.
#[derive(Clone, Default)]
pub struct Lobby(Rc<Waiting>);

#[derive(Default)]
struct Waiting {
    bots: RefCell<Vec<Bot>>,
    news: Notify,
}

impl fmt::Debug for Lobby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lobby").field("bots", &self.0.bots.borrow().len()).finish()
    }
}

impl Lobby {
    /// A bot is there.
    pub fn enter(&self, bot: Bot) {
        self.0.bots.borrow_mut().push(bot);
        self.0.news.notify_one();
    }

    /// All that have come, the first first.
    #[must_use]
    pub fn all(&self) -> Vec<Bot> {
        self.0.bots.borrow().clone()
    }

    /// Waits until one has come since it was asked last. Cancel-safe.
    pub async fn news(&self) {
        self.0.news.notified().await;
    }
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
    /// Where texts are judged: another such runtime, so that a long text holds up no message.
    pub judges: Handle,
    /// The models, by place.
    pub models: Arc<[Arc<dyn Model>]>,
    /// What agents can do besides writing.
    pub toolbox: Arc<dyn Toolbox>,
    /// The bots.
    pub bots: Vec<Bot>,
    /// Bots that come later.
    pub lobby: Lobby,
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
    /// Which language people are spoken to in private.
    pub tongues: Tongues,
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
    /// Takes in what people send besides words.
    pub senses: Senses,
    /// Limits, by actor.
    pub session: Arc<SessionConfig>,
    /// See [`TimekeeperConfig`].
    pub timekeeper: TimekeeperConfig,
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
