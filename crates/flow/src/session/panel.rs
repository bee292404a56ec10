//! What the shell does for the panel of `/status`: what was pressed is noted, done, and shown by an edit
//! of the same message.

use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};

use kit::{Cx, Health, Mailbox, TellError, ask};
use protocol::{
    Clock, Language, MessageId, Timestamp, UpdateId,
    audit::{Action, AuditLog, Deed, Doer, Target},
    messenger::Address,
};

use super::{Input, SessionActor, StatusWriter};
use crate::{
    alerter::{self, Report, book::EVERY_KIND},
    outbox,
    request::{PanelPress, Step, Want, panel_minute},
    right::{Granted, Operating, Order},
    roster::{self, Shared},
    words::{
        self, Notice, Text,
        panel::{self, Page, Standing},
    },
};

/// How long the panel waits to hear whether alerts are silenced.
const MUTED_TIME_MAX: Duration = Duration::from_secs(1);
/// Kinds of actors that may be made anew at any moment. Not the outbox, which cannot know of what it is
/// sending whether it arrived, and not conversations, which are made anew when they fail.
const RESTARTABLE: [&str; 10] = [
    "guard",
    "broker",
    "memory",
    "roster",
    "alerter",
    "archivist",
    "treasurer",
    "warden",
    "janitor",
    "ingress",
];

/// What a panel is made of, and what its buttons reach.
#[derive(Clone)]
struct Board {
    status: StatusWriter,
    health: Health,
    hall: Shared,
    audit: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    alerter: Mailbox<alerter::Msg>,
    roster: Mailbox<roster::Msg>,
    drained: Rc<Cell<bool>>,
}

/// What came of a press.
#[derive(Debug, Default)]
struct Done {
    note: Option<Text>,
    page: Option<Page>,
    /// An actor that is to be made anew once the press is settled.
    restart: Option<String>,
}

impl Done {
    fn note(note: Text) -> Self {
        Self { note: Some(note), ..Self::default() }
    }
}

impl SessionActor {
    fn board(&self) -> Board {
        let it = &self.peers;
        Board {
            status: Rc::clone(&it.status),
            health: it.health.clone(),
            hall: Arc::clone(&it.hall),
            audit: Arc::clone(&it.audit),
            clock: Arc::clone(&it.clock),
            alerter: it.alerter.clone(),
            roster: it.roster.clone(),
            drained: Rc::clone(&it.drained),
        }
    }

    /// `/status` of an officer: a new panel.
    pub(super) fn compose_panel(&self, update: UpdateId, cx: &mut Cx<'_, Self>) {
        let board = self.board();
        let work = async move { board.show(&Done::default()).await };
        cx.when(work, move |actor, notice, cx| actor.input(Input::Looked(update, notice), cx));
    }

    /// Does what was pressed, and edits the panel. Where that cannot be, the panel comes anew.
    pub(super) fn press_panel(&self, update: UpdateId, press: PanelPress, cx: &mut Cx<'_, Self>) {
        let (board, outbox, to) = (self.board(), self.peers.outbox.clone(), self.address());
        let PanelPress { message, want, by } = press;
        let usual = Language::default();
        let language = self.session.as_ref().map_or(usual, |it| it.language(update));
        let work = async move {
            let done = board.do_it(want, by).await;
            let notice = board.show(&done).await.in_language(language);
            let edited = match message {
                Some(message) => edit(&outbox, to, message, &notice).await,
                None => false,
            };
            ((!edited).then_some(notice), done.restart)
        };
        cx.when(work, move |actor, (anew, restart), cx| {
            actor.input(Input::PanelPressed(update, anew, restart), cx)
        });
    }

    /// The press is settled and durable: a restart of whatever it was asked for cannot repeat it.
    pub(super) fn restart_actor(&self, id: &str) {
        if let Err(error) = self.peers.health.restart(id) {
            tracing::warn!(
                labels.actor = id,
                error.message = %error,
                event.action = "restart_not_asked",
                "an actor could not be asked to be made anew"
            );
        }
    }
}

impl Board {
    async fn do_it(&self, want: Want, by: Granted<Operating>) -> Done {
        match want {
            Want::See(step) => self.see(step),
            Want::Nothing(why) => Done::note(why),
            Want::Change(order, said) => self.change(*order, said).await,
            Want::Mute(span) => self.mute(span, by).await,
            Want::Restart(id) => self.restart(id, by).await,
            Want::Drain(is_drained) => self.drain(is_drained, by).await,
        }
    }

    fn see(&self, step: Step) -> Done {
        let minute = panel_minute(self.clock.now());
        let page = match step {
            Step::Agents => {
                let hall = self.hall.load();
                Page::Agents(hall.agents().map(|it| (it.name.clone(), it.paused)).collect())
            }
            Step::OfferPause(name) => {
                let question = panel::pause_question(&name);
                Page::Sure { question, step: Step::Pause(name, minute) }
            }
            Step::Actors => Page::Actors(self.restartable()),
            Step::OfferRestart(id) => {
                let question = panel::restart_question(&id);
                Page::Sure { question, step: Step::Restart(id, minute) }
            }
            Step::OfferDrain => {
                let question = panel::drain_question();
                Page::Sure { question, step: Step::Drain(minute) }
            }
            Step::Refresh
            | Step::Mute
            | Step::Unmute
            | Step::Pause(..)
            | Step::Resume(_)
            | Step::Restart(..)
            | Step::Drain(_)
            | Step::Fill => Page::Main,
        };
        Done { page: Some(page), ..Done::default() }
    }

    fn restartable(&self) -> Vec<String> {
        let actors = self.health.read().into_iter();
        actors.filter(|it| RESTARTABLE.contains(&it.kind)).map(|it| it.id).collect()
    }

    /// The roster notes it before it is made.
    async fn change(&self, order: Order, said: Text) -> Done {
        let asked = ask(&self.roster, |reply| roster::Msg::Administer { order, reply }).await;
        Done::note(match asked.unwrap_or(Err(roster::AdministerError::NotStored)) {
            Ok(()) => said,
            Err(why) => panel::failed(words::why_not(&why)),
        })
    }

    async fn mute(&self, span: Duration, by: Granted<Operating>) -> Done {
        let order = alerter::Order::Silence { kind: EVERY_KIND.to_owned(), span };
        let deed = order.deed(self.clock.now(), Doer::Person(by.by()));
        if let Err(error) = self.audit.record(deed).await {
            return Done::note(panel::failed(words::officers::not_recorded(error)));
        }
        let told = ask(&self.alerter, |reply| alerter::Msg::Order(order, reply)).await;
        Done::note(match told {
            Ok(Ok(_)) => panel::muted(!span.is_zero()),
            Ok(Err(why)) => panel::failed(why),
            Err(_away) => panel::alerter_away(),
        })
    }

    async fn restart(&self, id: String, by: Granted<Operating>) -> Done {
        if !self.restartable().contains(&id) {
            return Done::note(panel::not_there(&id));
        }
        let target = Target::Thing(id.clone());
        let actor = Doer::Person(by.by());
        let deed = Deed::done(self.clock.now(), actor, Action::ActorRestarted, target);
        match self.audit.record(deed).await {
            Ok(()) => {
                Done { note: Some(panel::restarting(&id)), restart: Some(id), ..Done::default() }
            }
            Err(error) => Done::note(panel::failed(words::officers::not_recorded(error))),
        }
    }

    async fn drain(&self, is_drained: bool, by: Granted<Operating>) -> Done {
        let action = if is_drained { Action::HallDrained } else { Action::HallFilled };
        let actor = Doer::Person(by.by());
        let deed = Deed::done(self.clock.now(), actor, action, Target::Nothing);
        if let Err(error) = self.audit.record(deed).await {
            return Done::note(panel::failed(words::officers::not_recorded(error)));
        }
        self.drained.set(is_drained);
        Done::note(panel::drained(is_drained))
    }

    async fn show(&self, done: &Done) -> Notice {
        let (state, muted_until) = futures::future::join((self.status)(true), self.muted()).await;
        let page = done.page.as_ref().unwrap_or(&Page::Main);
        let standing = Standing { muted_until, is_drained: self.drained.get() };
        panel::panel(&state, done.note.as_ref(), (page, standing), self.clock.now())
    }

    async fn muted(&self) -> Option<Timestamp> {
        let order = alerter::Order::List;
        let asked = ask(&self.alerter, |reply| alerter::Msg::Order(order, reply));
        match tokio::time::timeout(MUTED_TIME_MAX, asked).await {
            Ok(Ok(Ok(Report::List { silences, .. }))) => {
                silences.into_iter().find(|(kind, _)| kind == EVERY_KIND).map(|(_, until)| until)
            }
            // Not known: then the button silences.
            Ok(Ok(Ok(Report::Done | Report::Tested(_)) | Err(_)) | Err(_)) | Err(_) => None,
        }
    }
}

/// Edits a message, however often the outbox fails meanwhile: an edit may be repeated. False if it can
/// never be edited.
async fn edit(
    outbox: &Mailbox<outbox::Msg>,
    to: Address,
    message: MessageId,
    what: &Notice,
) -> bool {
    let mut pause = Duration::from_millis(10);
    loop {
        let what = what.clone();
        let edited = ask(outbox, |reply| outbox::Msg::Edit { to, message, what, reply });
        match edited.await {
            // lost-ok: the panel comes anew, and the outbox logs what it could not send.
            Ok(edited) => return edited.is_ok(),
            Err(TellError::Closed | TellError::Full) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
