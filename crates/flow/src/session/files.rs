//! The part of a session's shell that takes files in, and has answers spoken.

use std::sync::Arc;

use kit::Cx;
use protocol::{UpdateId, event::Part, inbound::FileRef};

use super::{Input, SessionActor};
use crate::{guard::Cleared, outbox};

impl SessionActor {
    pub(super) fn take_in(&mut self, update: UpdateId, file: Box<FileRef>, cx: &mut Cx<'_, Self>) {
        self.expire_later(update, cx);
        let messenger = Arc::clone(&self.peers.messenger);
        let work = self.peers.senses.clone().take_in(messenger, file);
        cx.when(work, move |actor, sensed, cx| actor.input(Input::TakenIn(update, sensed), cx));
    }

    /// After its text, and only where that was accepted.
    pub(super) fn speak(&mut self, parts: Vec<Cleared<Part>>, cx: &mut Cx<'_, Self>) {
        let (outbox, to) = (self.peers.outbox.clone(), self.address());
        let work = self.peers.senses.clone().speak(parts);
        cx.when(work, move |_, spoken, _| {
            if let Some(spoken) = spoken {
                let what = outbox::Sayable::Spoken(spoken);
                let send = outbox::Msg::Send { to, what, reply_to: None, part: None, reply: None };
                // lost-ok: the text of the answer was sent.
                outbox.try_tell(send).ok();
            }
            Ok(())
        });
    }
}
