//! What the shell does for `/export`, `/forget` and `/usage`.

use std::{rc::Rc, time::Duration};

use kit::{Cx, Fault, ask};
use protocol::{
    PersonId, UpdateId,
    audit::{Action, Deed, Doer, Target},
};
use tracing::info;

use super::{Input, SessionActor};
use crate::{
    export::{self, Export, ExportError, PersonalCopy},
    keeper, memory, outbox,
    request::UsageOf,
    treasurer::books::Payer,
    words,
};

impl SessionActor {
    /// Sends a person everything that is held of them, to the chat that they asked in: their own.
    pub(super) fn export(&mut self, update: UpdateId, person: PersonId, cx: &mut Cx<'_, Self>) {
        let peers = Rc::clone(&self.peers);
        let to = self.address();
        let by = (self.peers.pseudonym)(person);
        let actor = Doer::Person(person);
        let target = Target::Person(person.0);
        let deed = Deed::done(self.peers.clock.now(), actor, Action::PersonExported, target);
        let language = self.session.as_ref().map(|it| it.language(update)).unwrap_or_default();
        let work = async move {
            peers.audit.record(deed).await.map_err(|_not_recorded| ExportError::Unreadable)?;
            let read = |from| {
                let memory = peers.memory.clone();
                async move {
                    let page = ask(&memory, |reply| memory::Msg::Held(person, from, reply)).await;
                    page.unwrap_or_else(|_gone| {
                        Err(protocol::ledger::LedgerError::Unavailable(
                            "the memory restarted".into(),
                        ))
                    })
                }
            };
            let export = export::gather(Export::to_send(), read).await?;
            let files = export.files(person, &peers.hall.load(), peers.clock.now(), language);
            for file in files {
                send(&peers.outbox, to, file).await?;
            }
            info!(
                labels.person = by,
                event.action = "person_exported",
                "a person got what is kept of them"
            );
            Ok(())
        };
        cx.when(work, move |actor, done, cx| actor.input(Input::Exported(update, done), cx));
    }

    /// What a person used of models, or the hall, where people are called by keyed hashes.
    pub(super) fn tell_usage(
        &mut self,
        update: UpdateId,
        whose: UsageOf,
        cx: &mut Cx<'_, Self>,
    ) -> Result<(), Fault> {
        let desk = &self.peers.desk;
        let statement = match whose {
            UsageOf::Person(person) => desk.statement_of(person),
            UsageOf::Everybody(_) => desk.statement_of_hall(|it| (self.peers.pseudonym)(it)),
        };
        self.input(Input::StatusComposed(update, words::usage_statement(&statement)), cx)
    }

    /// Who pays for the question of an update.
    pub(super) fn payer(&self, update: UpdateId) -> Payer {
        Payer { person: self.authors.get(&update).copied(), chat: self.key.chat }
    }

    /// Asks the keeper, as often as it takes: the session itself stops before it is done.
    pub(super) fn ask_to_forget(
        &mut self,
        (update, person): (UpdateId, PersonId),
        cx: &mut Cx<'_, Self>,
    ) {
        let (told_by, reply) = (Some(self.key.bot), None);
        let language = self.session.as_ref().map(|it| it.language(update));
        let asked = keeper::Msg::Forget(keeper::Forget { person, told_by, language, reply });
        let is_told = self.peers.keeper.get().is_some_and(|it| it.try_tell(asked).is_ok());
        if is_told {
            return;
        }
        let folds = self.folds;
        cx.after(Duration::from_millis(100), move |actor, cx| {
            if actor.folds == folds {
                actor.ask_to_forget((update, person), cx);
            }
            Ok(())
        });
    }
}

async fn send(
    outbox: &kit::Mailbox<outbox::Msg>,
    to: protocol::messenger::Address,
    file: PersonalCopy,
) -> Result<(), ExportError> {
    let what = outbox::Sayable::Copy(file);
    let sent = ask(outbox, |reply| outbox::Msg::Send {
        to,
        what,
        reply_to: None,
        part: None,
        reply: Some(reply),
    });
    match sent.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => Err(ExportError::Undeliverable),
        Err(_) => Err(ExportError::Unreadable),
    }
}
