//! How a private matter is answered in a group: so that nobody else sees it.
//!
//! Where the chat service has messages that one person alone sees, the answer is such a one. Where it is
//! refused, the answer goes to the person's private chat and the group is told that; where there is none, the
//! group is told how to open it. Each way is on disk before it is gone, so a crash repeats at most one part.
//!
//! Invariants: ASIDE-1 of an answer that is for one person alone no part but the group's own two lines is sent
//! where others see it, whichever way it goes and however often it begins anew.

use std::collections::VecDeque;

use protocol::{
    MessageId, UpdateId,
    event::{Aside, AsideWay, Event, Outcome, Shape},
    inbound::Inbound,
    messenger::Whisper,
};

use super::{Effect, Entry, Session, Stage};
use crate::{
    outbox::Sayable,
    request::{self, Request},
    roster::View,
    session::state::{ASIDE_PARTS, Open},
    words::{self, Notice},
};

impl Session {
    /// Whom alone an update is answered to, if it is a private matter in a group.
    /// What is fixed already ends as it was fixed, whatever it would be now.
    pub(super) fn aside(
        &self,
        known: &Open,
        entry: &Entry,
        request: &Request,
        view: &View,
    ) -> Option<Aside> {
        if known.answer.is_some() {
            return known.shape.aside.clone();
        }
        let inbound = entry.inbound.as_ref().filter(|_| !self.key.is_private())?;
        let (person, press) = match inbound {
            Inbound::Said(said) => (said.person.as_ref()?.id, None),
            Inbound::Pressed(pressed) => {
                let query = Some(pressed.query.clone()).filter(|it| !it.is_empty());
                (pressed.person.id, query)
            }
            Inbound::Edited(_)
            | Inbound::StopRequested { .. }
            | Inbound::Membership { .. }
            | Inbound::Due(_)
            | Inbound::BotMade { .. }
            | Inbound::Nothing => return None,
        };
        let is_own = request::is_own_matter(inbound, request, view);
        is_own.then_some(Aside { person, press, way: AsideWay::Whispered })
    }

    /// What the group may be told beside it: that it is in the private chat, or how to open one.
    pub(super) fn beside(&self, update: UpdateId) -> [Notice; 2] {
        let turns = self.lanes.both().into_iter().filter_map(|it| it.turn.as_deref());
        let of_app = turns.filter(|it| it.update == update).find_map(|it| it.of_app);
        // The group reads it in the group's language.
        let language = self.config.house.languages.choose(self.state.language, of_app);
        let told = [words::home::told_in_private(), words::home::open_private(&self.bot_name)];
        told.map(|it| it.in_language(language))
    }

    /// For whom alone the fixed answer of an update is, and how it comes to them.
    pub(super) fn aside_of(&self, update: UpdateId) -> Option<&Aside> {
        self.state.open.get(&update).and_then(|it| it.shape.aside.as_ref())
    }

    /// Sends the next part of an answer that is for one person alone. ASIDE-1.
    pub(super) fn send_aside(
        &mut self,
        update: UpdateId,
        (next, reply_to): (u32, Option<MessageId>),
        parts: VecDeque<Sayable>,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let aside = self.aside_of(update).filter(|it| !it.ends_before(next)).cloned();
        let (Some(Aside { person, press, way }), Some(what)) = (aside, parts.front().cloned())
        else {
            return self.finish(update, vec![], outcome, effects);
        };
        let what = match (next, way) {
            (0, AsideWay::Whispered | AsideWay::Nowhere) => {
                Sayable::Whispered(Whisper { person, press }, Box::new(what))
            }
            (0, AsideWay::InPrivate) => Sayable::InPrivate(person, Box::new(what)),
            (_, AsideWay::Whispered | AsideWay::InPrivate | AsideWay::Nowhere) => what,
        };
        self.set_stage(update, Stage::Delivering { parts, next, outcome });
        effects.push(Effect::Deliver { update, part: next, what, reply_to });
    }

    /// A part of it cannot be delivered this way.
    pub(super) fn go_another_way(
        &mut self,
        update: UpdateId,
        part: u32,
        mut parts: VecDeque<Sayable>,
        outcome: Outcome,
        effects: &mut Vec<Effect>,
    ) {
        let other = self.aside_of(update).cloned().filter(|_| part == 0).and_then(Aside::otherwise);
        let Some(other) = other else {
            // The person has their answer already where only the group cannot be told so.
            let outcome = if part == 1 { outcome } else { Outcome::Undeliverable };
            return self.finish(update, vec![], outcome, effects);
        };
        let next = match other.way {
            AsideWay::Whispered | AsideWay::InPrivate => 0,
            AsideWay::Nowhere => ASIDE_PARTS,
        };
        parts.drain(..parts.len().min(next as usize));
        let shape = Shape { aside: Some(other), ..Shape::default() };
        self.record(vec![Event::AnswerShaped { update, shape }], vec![], effects);
        self.send_from(update, next, parts, outcome, effects);
    }
}
