//! What the shell does about reminders and schedules: what a person wants to be reminded of passes
//! the guard before it is stored, and what an officer wants is in the audit log before it is done.

use std::sync::Arc;

use kit::{Cx, ask};
use protocol::{
    UpdateId,
    audit::{Action, Deed, Doer, Target},
};

use super::{Input, SessionActor, verdict_of};
use crate::{
    guard::{self, Prompt, Verdict},
    request,
    timekeeper::{self, Order},
    words::{Notice, schedules},
};

impl SessionActor {
    pub(super) fn ask_timekeeper(&mut self, update: UpdateId, order: Order, cx: &mut Cx<'_, Self>) {
        match order {
            Order::Remind { person, when, text } => {
                let prompt = Prompt { text, ..Prompt::default() };
                let order = move |text| Order::Remind { person, when, text };
                self.screen_reminder(update, prompt, order, cx);
            }
            order @ (Order::Reminders { .. }
            | Order::Cancel { .. }
            | Order::Zone { .. }
            | Order::Schedule { .. }
            | Order::Schedules { .. }
            | Order::Unschedule { .. }) => self.pass_on(update, order, cx),
        }
    }

    fn screen_reminder(
        &mut self,
        update: UpdateId,
        prompt: Prompt,
        order: impl FnOnce(String) -> Order + 'static,
        cx: &mut Cx<'_, Self>,
    ) {
        let hall = self.peers.hall.load();
        let Some(agent) = request::current_agent(None, self.key, &hall).map(|it| it.name.clone())
        else {
            return self.looked_at_once(update, crate::words::nobody_here(), cx);
        };
        let (guard, asked, name) = (self.peers.guard.clone(), prompt.clone(), agent.clone());
        let work =
            async move { ask(&guard, |reply| guard::Msg::ScreenPrompt(asked, name, reply)).await };
        cx.when(work, move |actor, judged, cx| match judged {
            Err(_) => actor.input(Input::Looked(update, schedules::not_now()), cx),
            Ok((verdict, hidden)) => match verdict_of(Ok(verdict)) {
                // It is shown to nobody but its person, or where they wrote it.
                Verdict::Clear(passed, _) => {
                    let text = hidden.restore(&passed.get().text);
                    actor.pass_on(update, order(text), cx);
                    Ok(())
                }
                Verdict::Refuse(judged) => {
                    let refused = Input::ReminderRefused(update, Box::new((prompt, judged, agent)));
                    actor.input(refused, cx)
                }
            },
        });
    }

    fn looked_at_once(&mut self, update: UpdateId, notice: Notice, cx: &mut Cx<'_, Self>) {
        let work = std::future::ready(notice);
        cx.when(work, move |actor, notice, cx| actor.input(Input::Looked(update, notice), cx));
    }

    fn pass_on(&mut self, update: UpdateId, order: Order, cx: &mut Cx<'_, Self>) {
        let (timekeeper, audit) = (self.peers.timekeeper.clone(), Arc::clone(&self.peers.audit));
        let (deed, from) = (self.deed_of(&order), (self.key, update));
        let work = async move {
            if let Some(deed) = deed
                && let Err(error) = audit.record(deed).await
            {
                return schedules::not_noted(error);
            }
            let said = ask(&timekeeper, |reply| timekeeper::Msg::Obey { order, from, reply }).await;
            said.map_or_else(|_gone| schedules::not_now(), |it| schedules::said(&it))
        };
        cx.when(work, move |actor, notice, cx| actor.input(Input::Looked(update, notice), cx));
    }

    fn deed_of(&self, order: &Order) -> Option<Deed> {
        let (by, action, target) = match order {
            Order::Schedule { agent, by, .. } => {
                (by, Action::ScheduleSet, Target::Thing(agent.as_str().to_owned()))
            }
            Order::Unschedule { number, by } => {
                (by, Action::ScheduleRemoved, Target::Thing(number.to_string()))
            }
            Order::Schedules { by } => (by, Action::SchedulesRead, Target::Nothing),
            Order::Remind { .. }
            | Order::Reminders { .. }
            | Order::Cancel { .. }
            | Order::Zone { .. } => return None,
        };
        Some(Deed::done(self.peers.clock.now(), Doer::Person(by.by()), action, target))
    }
}
