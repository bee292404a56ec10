//! What admins and operators want of the alerter, and what comes of it.

use std::{sync::Arc, time::Duration};

use kit::{Mailbox, ask};
use protocol::{
    Timestamp,
    alert::{Notification, Sink, TellError},
    audit::{Action, Deed, Doer, Target},
};
use serde::Serialize;

use super::{Msg, book::Line};
use crate::words::{self, Text};

/// How long one sink may take when it is only tried.
const TRIAL_TIME_MAX: Duration = Duration::from_secs(30);

/// What somebody wants of the alerter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// A list of what is wrong.
    List,
    /// Nobody is told of a kind, or of `all`, for so long; zero ends it.
    Silence {
        /// Which.
        kind: String,
        /// For how long.
        span: Duration,
    },
    /// Somebody takes care of a kind.
    Acknowledge {
        /// Which.
        kind: String,
    },
    /// Try the way to every sink.
    Test,
}

impl Order {
    /// As the audit log has it.
    #[must_use]
    pub fn deed(&self, at: Timestamp, actor: Doer) -> Deed {
        let (action, target, about) = match self {
            Self::List => (Action::AlertsRead, Target::Nothing, String::new()),
            Self::Silence { kind, span } => {
                let about = format!("{} s", span.as_secs());
                (Action::AlertSilenced, Target::Thing(kind.clone()), about)
            }
            Self::Acknowledge { kind } => {
                (Action::AlertAcknowledged, Target::Thing(kind.clone()), String::new())
            }
            Self::Test => (Action::AlertsTried, Target::Nothing, String::new()),
        };
        Deed::done(at, actor, action, target).about(about)
    }
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// What is wrong.
    List {
        /// By kind, worst first.
        alerts: Vec<Line>,
        /// Kinds of which nobody is told, and until when.
        silences: Vec<(String, Timestamp)>,
    },
    /// It is so now.
    Done,
    /// By sink, what became of the trial.
    Tested(Vec<Trial>),
}

/// What became of one trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Of which sink.
    pub sink: &'static str,
    /// Why it failed; `None` if it did not.
    pub why_not: Option<String>,
}

/// Tells a sink, and gives up in time.
pub(super) async fn tell_in_time(
    sink: &dyn Sink,
    notification: &Notification,
    time_max: Duration,
) -> Result<(), TellError> {
    let told = tokio::time::timeout(time_max, sink.tell(notification)).await;
    let late = |_elapsed| TellError::new(format!("no answer within {} s", time_max.as_secs()));
    told.map_err(late)?
}

/// Tries the way to every sink, to all at once.
pub async fn test(sinks: &[Arc<dyn Sink>], now: Timestamp) -> Vec<Trial> {
    let trial = Notification::trial(now);
    let try_one = |sink: &Arc<dyn Sink>| {
        let (sink, trial) = (Arc::clone(sink), trial.clone());
        async move {
            let told = tell_in_time(&*sink, &trial, TRIAL_TIME_MAX).await;
            Trial { sink: sink.name(), why_not: told.err().map(|it| it.why) }
        }
    };
    futures::future::join_all(sinks.iter().map(try_one)).await
}

/// Gives an order, and puts into words what came of it.
pub(crate) fn in_words(
    alerter: Mailbox<Msg>,
    order: Order,
) -> futures::future::LocalBoxFuture<'static, Text> {
    Box::pin(async move {
        let Ok(report) = ask(&alerter, |reply| Msg::Order(order.clone(), reply)).await else {
            return words::panel::alerter_away();
        };
        match report {
            Ok(Report::List { alerts, silences }) => words::alerts(&alerts, &silences),
            Ok(Report::Done) => words::obeyed(&order),
            Ok(Report::Tested(trials)) => words::trials(&trials),
            Err(why) => words::not_obeyed(&why),
        }
    })
}
