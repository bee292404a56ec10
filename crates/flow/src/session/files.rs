//! The part of a session's shell that takes files in.

use std::sync::Arc;

use kit::Cx;
use protocol::{UpdateId, inbound::FileRef};

use super::{Input, SessionActor};

impl SessionActor {
    pub(super) fn take_in(&mut self, update: UpdateId, file: Box<FileRef>, cx: &mut Cx<'_, Self>) {
        self.expire_later(update, cx);
        let messenger = Arc::clone(&self.peers.messenger);
        let work = self.peers.senses.clone().take_in(messenger, file);
        cx.when(work, move |actor, sensed, cx| actor.input(Input::TakenIn(update, sensed), cx));
    }
}
