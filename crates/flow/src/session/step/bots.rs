//! Other bots in a group: which of their messages are answered, and whose turn it is where a message calls several.
//!
//! A link of the chain goes with the record that follows, so what became of a bot's message is durable before
//! anything is said to it; after a crash it is what it was (see [`crate::chain`]).

use protocol::{company::BotLink, event::Event, inbound::Inbound};

use super::{Effect, Entry, Session};
use crate::{
    chain::{Chain, Heard},
    request::Request,
    words,
};

impl Session {
    /// Tells what other conversations know of how bots talk in this chat.
    pub fn tell_company(&mut self, others: Chain) {
        self.company = (!others.is_empty()).then(|| Box::new(others));
    }

    /// How bots talk in this chat, as far as this conversation knows.
    #[must_use]
    pub fn chain(&self) -> Option<&Chain> {
        self.state.chain.as_deref()
    }

    /// What becomes of a request in the company of bots: of another bot's only so many are answered, and a
    /// person's message begins anew.
    pub(super) fn among_bots(
        &mut self,
        entry: &Entry,
        inbound: &Inbound,
        request: Request,
        effects: &mut Vec<Effect>,
    ) -> Request {
        if self.key.is_private() {
            return request;
        }
        let is_bots = match inbound {
            Inbound::Said(said) => said.company.by_bot,
            Inbound::Pressed(_) => false,
            Inbound::Edited(_)
            | Inbound::StopRequested { .. }
            | Inbound::Membership { .. }
            | Inbound::Due(_)
            | Inbound::BotMade { .. }
            | Inbound::Nothing => return request,
        };
        if !is_bots {
            self.person_spoke(entry, effects);
            return request;
        }
        if request == Request::Ignore {
            return request;
        }
        match self.bot_spoke(entry, effects) {
            Some(BotLink::Answered { .. } | BotLink::Person { .. }) => request,
            Some(BotLink::Cut { why, .. }) => Request::Say(words::bots::cut(why)),
            None => Request::Ignore,
        }
    }

    fn person_spoke(&mut self, entry: &Entry, effects: &mut Vec<Effect>) {
        let has_begun = |it: Option<&Chain>| it.is_some_and(Chain::has_begun);
        if has_begun(self.state.chain.as_deref()) || has_begun(self.company.as_deref()) {
            let (update, link) = (entry.update, BotLink::Person { at: entry.at });
            self.note(vec![Event::BotsTalked { update, link }], effects);
        }
    }

    /// What becomes of another bot's message; nothing where it was said already that none is answered.
    fn bot_spoke(&mut self, entry: &Entry, effects: &mut Vec<Effect>) -> Option<BotLink> {
        let update = entry.update;
        let known = self.state.open.get(&update).and_then(|it| it.link);
        if known.is_some() {
            return known;
        }
        let nothing = Chain::default();
        let others = self.company.as_deref().unwrap_or(&nothing);
        let own = self.state.chain.as_deref().unwrap_or(&nothing);
        match own.hear(others, entry.at) {
            Heard::Silence => None,
            Heard::Link(link) => {
                self.note(vec![Event::BotsTalked { update, link }], effects);
                if let BotLink::Cut { why, .. } = link {
                    effects.push(Effect::CutBots(why));
                }
                Some(link)
            }
        }
    }

    /// Those who are called before this bot in the same message, if it is a question: it is their turn first.
    pub(super) fn called_before(&self, entry: &Entry, request: &Request) -> Vec<String> {
        let Some(Inbound::Said(said)) = &entry.inbound else { return Vec::new() };
        if !request.asks() || self.key.is_private() || self.config.home.turns_wait.is_zero() {
            return Vec::new();
        }
        said.company.called_before(&self.bot_name).to_vec()
    }
}

/// True for what is said to all about a bot's message. It quotes nothing, or that bot would be called by it.
pub(super) fn is_word_to_bots(entry: &Entry, request: &Request) -> bool {
    let is_bots = matches!(&entry.inbound, Some(Inbound::Said(said)) if said.company.by_bot);
    is_bots && matches!(request, Request::Say(_))
}
