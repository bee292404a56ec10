//! Sets up a rehearsal of Telegram in this process, on a thread of its own: for the demo and the red team.

use std::{net::SocketAddr, sync::mpsc, thread};

use rehearsal::{Rehearsal, World, models::ModelWorld};

/// Starts a rehearsal, which lasts as long as the process; says where it is.
///
/// # Errors
/// If it cannot listen there.
pub(crate) fn start(config: rehearsal::Config) -> std::io::Result<(SocketAddr, World, ModelWorld)> {
    let (tell, told) = mpsc::sync_channel(1);
    let body = move || {
        kit::block_on(async move {
            match Rehearsal::start(config).await {
                Ok(rehearsal) => {
                    let parts =
                        (rehearsal.addr(), rehearsal.world().clone(), rehearsal.models().clone());
                    // lost-ok: the program ended meanwhile.
                    tell.send(Ok(parts)).ok();
                    std::future::pending::<()>().await;
                }
                // lost-ok: as above.
                Err(error) => drop(tell.send(Err(error))),
            }
        });
    };
    thread::Builder::new().name("rehearsal".to_owned()).spawn(body)?;
    told.recv().map_err(std::io::Error::other)?
}
