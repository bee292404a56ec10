//! The part of a session's shell that takes files in, and has answers spoken.

use std::sync::Arc;

use kit::Cx;
use protocol::{AgentName, UpdateId, event::Part, inbound::FileRef};

use super::{Input, SessionActor};
use crate::{guard::Cleared, outbox, senses::Till, treasurer::books::Payer};

impl SessionActor {
    pub(super) fn take_in(
        &mut self,
        update: UpdateId,
        file: Box<FileRef>,
        agent: AgentName,
        cx: &mut Cx<'_, Self>,
    ) {
        self.expire_later(update, cx);
        let messenger = Arc::clone(&self.peers.messenger);
        let till = self.till(self.payer(update), agent);
        let work = self.peers.senses.clone().take_in(messenger, file, till);
        cx.when(work, move |actor, sensed, cx| actor.input(Input::TakenIn(update, sensed), cx));
    }

    /// After its text, and only where that was accepted.
    pub(super) fn speak(
        &mut self,
        parts: Vec<Cleared<Part>>,
        (payer, agent): (Payer, AgentName),
        cx: &mut Cx<'_, Self>,
    ) {
        let (outbox, to) = (self.peers.outbox.clone(), self.address());
        let till = self.till(payer, agent);
        let work = self.peers.senses.clone().speak(parts, till);
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

    fn till(&self, payer: Payer, agent: AgentName) -> Till {
        let (desk, tally) = (self.peers.desk.clone(), self.peers.tally.clone());
        Till { desk, tally, payer, agent }
    }
}
