//! `/status` in a chat: one sentence for everybody, every actor for an admin.

use std::{rc::Rc, sync::Arc, time::Duration};

use futures::FutureExt as _;
use kit::{Health, Mailbox, ask};
use protocol::Timestamp;
use tokio::time::Instant;

use crate::{
    broker,
    session::StatusWriter,
    wiring::Wiring,
    words::{self, Text},
};

/// Makes the function that puts the state of the hall into words.
pub(crate) fn writer(
    wiring: &Rc<Wiring>,
    health: &Health,
    broker: &Mailbox<broker::Msg>,
) -> StatusWriter {
    let (ledger, version) = (Arc::clone(&wiring.ledger), wiring.version);
    let (clock, tally) = (Arc::clone(&wiring.clock), wiring.tally.clone());
    let (desk, toolbox) = (wiring.desk.clone(), Arc::clone(&wiring.toolbox));
    let has_backups = wiring.backups.is_some();
    let (health, broker, born) = (health.clone(), broker.clone(), Instant::now());
    Rc::new(move |in_full| {
        let (ledger, health, broker) = (Arc::clone(&ledger), health.clone(), broker.clone());
        let used = words::used_today(&desk.statement_of_hall(|_| String::new()));
        let backup = tally.last_backup().map(|it| since(it, clock.now()));
        let servers = toolbox.health();
        async move {
            let actors = health.read();
            if !in_full {
                return Text::concat(vec![words::state_of_hall(&actors), "\n".into()]);
            }
            let breakers = ask(&broker, broker::Msg::Breakers);
            let breakers = tokio::time::timeout(Duration::from_secs(1), breakers).await;
            let breakers = breakers.ok().and_then(Result::ok).unwrap_or_default();
            words::state_in_full(words::State {
                actors: &actors,
                models: &breakers,
                servers: &servers,
                gauge: ledger.gauge(),
                backup,
                has_backups,
                used,
                sessions: health.count("session"),
                version: (version, born.elapsed()),
            })
        }
        .boxed_local()
    })
}

/// How long ago that was, of seconds since 1970.
fn since(then: f64, now: Timestamp) -> Duration {
    let then = Duration::try_from_secs_f64(then).unwrap_or_default();
    Duration::from_millis(now.0).saturating_sub(then)
}
