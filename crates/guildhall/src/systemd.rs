//! What systemd is told where it watches over the hall: that it stands, that it stops, and, as long
//! as the actors' thread moves, that it lives.
//!
//! Written here because the libraries for it wait until systemd reads, and nothing may hold up the
//! actors' thread. Source: sd_notify(3), <https://www.freedesktop.org/software/systemd/man/sd_notify.html>.

use std::{
    env, io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::Duration,
};

use tracing::warn;

/// The hall stands: its ledger is open and its bots are connected.
pub(crate) fn stands() {
    tell("READY=1\nSTATUS=at work\n");
}

/// The hall finishes what it has.
pub(crate) fn stops() {
    tell("STOPPING=1\nSTATUS=finishing what it has\n");
}

/// Says that the hall lives, twice in the time that `WatchdogSec=` grants. Runs on the actors' thread: if
/// that is stuck, nothing is said, and systemd starts the hall anew.
pub(crate) async fn keep_alive() {
    let granted = env::var("WATCHDOG_USEC").ok().and_then(|it| it.parse().ok());
    let Some(granted) = granted.map(Duration::from_micros).filter(|it| !it.is_zero()) else {
        return;
    };
    let mut beat = tokio::time::interval(granted / 2);
    loop {
        beat.tick().await;
        tell("WATCHDOG=1\n");
    }
}

/// Nothing happens where systemd does not listen.
fn tell(state: &str) {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else { return };
    let send = || {
        let name = path.as_bytes().strip_prefix(b"@");
        let to = match name {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&path)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to_addr(state.as_bytes(), &to)
    };
    match send() {
        // lost-ok: it has not read the last ones; the next beat comes.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(error) => warn!(
            error = &error as &dyn std::error::Error,
            event.action = "systemd_not_told",
            "systemd could not be told how the hall is"
        ),
        Ok(_sent) => {}
    }
}
