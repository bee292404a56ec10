//! How a conversation keeps company with those of other bots in the same chat.

use kit::Cx;
use protocol::{UpdateId, company::BotCut, inbound::Inbound};
use tracing::warn;

use super::{Input, SessionActor};
use crate::company::Call;

impl SessionActor {
    /// A message that calls several bots has come.
    pub(super) fn is_called(&mut self, update: UpdateId, inbound: Option<&Inbound>) {
        let Some(Inbound::Said(said)) = inbound else { return };
        if let Some(call) = Call::of(self.key, said) {
            self.peers.company.begun(call, &self.peers.messenger.identity().username);
            self.calls.insert(update, call);
        }
    }

    /// Some updates are over: whoever was called after this bot may begin.
    pub(super) fn calls_ended(&mut self, closes: &[UpdateId]) {
        if self.calls.is_empty() {
            return;
        }
        for call in closes.iter().filter_map(|it| self.calls.remove(it)) {
            self.peers.company.ended(call, &self.peers.messenger.identity().username);
        }
    }

    /// Waits for those who were called before.
    pub(super) fn take_turn(
        &mut self,
        update: UpdateId,
        before: Vec<String>,
        cx: &mut Cx<'_, Self>,
    ) {
        let (company, time_max) = (self.peers.company.clone(), self.config.home.turns_wait);
        let call = self.calls.get(&update).copied();
        let work = async move {
            if let Some(call) = call {
                company.turn(call, &before, time_max).await;
            }
        };
        let folds = self.folds;
        cx.when(work, move |actor, (), cx| {
            if actor.folds != folds {
                return Ok(()); // It waits anew.
            }
            actor.input(Input::Gathered(update), cx)
        });
    }

    /// The other bots' conversations hear how far bots have gone on among themselves here.
    pub(super) fn tell_chain(&self) {
        if self.key.is_private() {
            return;
        }
        if let Some(chain) = self.session.as_ref().and_then(super::Session::chain) {
            self.peers.company.tell(self.key, chain);
        }
    }

    /// It is noted that bots are not answered any more until a person writes.
    pub(super) fn cut_bots(&self, why: BotCut) {
        self.peers.tally.bots_cut(why);
        warn!(
            labels.reason = why.word(),
            event.action = "bot_chain_cut",
            "other bots are not answered any more until a person writes"
        );
    }
}
