//! What the hall does when the system signals.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing::{error, info, warn};

use crate::{run::MayRenew, source::HallSource, systemd};

/// Reads files, and may ask others: not on the actors' thread.
async fn asked(may_renew: Option<&MayRenew>) -> Result<(), String> {
    let Some(may_renew) = may_renew else { return Ok(()) };
    let may_renew = Arc::clone(may_renew);
    let answer = tokio::task::spawn_blocking(move || may_renew()).await;
    answer.unwrap_or_else(|error| Err(error.to_string()))
}

/// Waits until whoever started the hall in this process wants it to end, or has gone without a word.
async fn unwanted(ends: Option<&mut watch::Receiver<bool>>) {
    match ends {
        // lost-ok: whoever has gone cannot want anything of it any more.
        Some(ends) => drop(ends.wait_for(|it| *it).await),
        None => std::future::pending().await,
    }
}

/// Turns signals into a stop: the first asks, the second ends the process at once. SIGHUP asks for a
/// new start, with the configuration and the secrets as they are now.
pub(crate) async fn listen(
    stop: watch::Sender<bool>,
    source: Arc<HallSource>,
    (may_renew, renews, mut ends): (
        Option<MayRenew>,
        Arc<AtomicBool>,
        Option<watch::Receiver<bool>>,
    ),
) {
    let (Ok(mut term), Ok(mut interrupt), Ok(mut hangup)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
        signal(SignalKind::hangup()),
    ) else {
        error!(
            event.action = "signals_unheard",
            "signals cannot be heard; the hall must be killed to stop"
        );
        return;
    };
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = interrupt.recv() => break,
            () = unwanted(ends.as_mut()) => break,
            _ = hangup.recv() => match asked(may_renew.as_ref()).await {
                Ok(()) if may_renew.is_none() => break,
                Ok(()) => {
                    info!(event.action = "renewing", "the hall is asked to start anew");
                    renews.store(true, Ordering::Relaxed);
                    break;
                }
                Err(problem) => error!(
                    error.message = problem,
                    event.action = "not_renewed",
                    "the hall cannot start anew with this configuration, and goes on as it is"
                ),
            }
        }
    }
    systemd::stops();
    info!(event.action = "stopping", "the hall finishes what it has and takes nothing new");
    source.stopping.store(true, Ordering::Relaxed);
    stop.send_replace(true);
    tokio::select! { _ = term.recv() => (), _ = interrupt.recv() => () }
    warn!(event.action = "stopped_at_once", "asked twice: ending at once");
    // Everything acknowledged is durable; what was under way goes on at the next start.
    std::process::exit(0);
}
