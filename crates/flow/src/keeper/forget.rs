//! Forgetting a person: their conversations stop first, then their key is destroyed, then they are
//! told. What a crash leaves undone goes on with the next start: the request waits in its inbox
//! until the key is gone, and the receipt waits in the ledger until it was shown.

use std::time::Duration;

use futures::future::join_all;
use kit::{Cx, Fault, ask};
use protocol::{
    BotId, ChatId, Language, PersonId,
    audit::{Action, Deed, Doer, Target},
    ledger::{ErasureReceipt, LedgerError},
    messenger::{Address, MessengerError},
};
use tokio::{sync::oneshot, time::timeout};
use tracing::{info, warn};

use super::Keeper;
use crate::{
    memory, outbox,
    roster::{self, Erasure},
    session, timekeeper, treasurer, words,
};

/// A conversation that does not stop within this time does not hold up the forgetting.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);
/// As often as a roster may fail at most before the tree comes down with it.
const HEARD_TRIES_MAX: u32 = 8;

/// Who is to be forgotten.
#[derive(Debug)]
pub struct Forget {
    /// Who.
    pub person: PersonId,
    /// The bot that shows them the receipt; `None` if an operator asks.
    pub told_by: Option<BotId>,
    /// What the receipt is shown in, if it is known.
    pub language: Option<Language>,
    /// The way back, if anybody waits: the receipt, or `None` if nothing was held.
    pub reply: Option<oneshot::Sender<Result<Option<ErasureReceipt>, LedgerError>>>,
}

impl Keeper {
    pub(super) fn forget(&mut self, asked: Forget, cx: &mut Cx<'_, Self>) {
        let Some(peers) = self.any_peers() else { return };
        let Forget { person, told_by, language, reply } = asked;
        if let Some(language) = language {
            self.languages.insert(person, language);
        }
        let stops: Vec<_> = self.concerned(person).map(|mailbox| stop(mailbox, person)).collect();
        let now = peers.clock.now();
        let actor = told_by.map_or(Doer::Console, |_| Doer::Person(person));
        let deed = Deed::done(now, actor, Action::PersonForgotten, Target::Person(person.0));
        let work = async move {
            join_all(stops).await;
            // Nobody is forgotten without a record of it.
            if let Err(error) = peers.audit.record(deed).await {
                return Ok(Err(LedgerError::Unavailable(error.into())));
            }
            // Else one of them would be written with a key that comes after.
            if !heard(&peers.roster, person, Erasure::Begins).await {
                return Ok(Err(LedgerError::Unavailable("the roster restarted; ask again".into())));
            }
            // lost-ok: where it is away it reads nothing of theirs when it comes back.
            ask(&peers.treasurer, |gone| treasurer::Msg::Forget(person, gone)).await.ok();
            drop_reminders(&peers.timekeeper, person).await;
            let done = ask(&peers.memory, |reply| memory::Msg::Forget(person, now, told_by, reply));
            let done = done.await;
            drop_reminders(&peers.timekeeper, person).await;
            peers.tongues.forget(person);
            // It may have read what is gone now, where it came back in between: it is told until it has
            // heard, or is not there any more.
            for _ in 0..HEARD_TRIES_MAX {
                if heard(&peers.roster, person, Erasure::IsOver).await {
                    break;
                }
            }
            done
        };
        cx.when(work, move |keeper, done, cx| {
            let done = done.unwrap_or_else(|_gone| {
                Err(LedgerError::Unavailable("the memory restarted; ask again".into()))
            });
            keeper.forgotten(person, &done, cx);
            if let Some(reply) = reply {
                // lost-ok: whoever asked has gone; what was done is done.
                reply.send(done).ok();
            }
            Ok::<(), Fault>(())
        });
    }

    /// Sessions that may hold words of a person: their own chats, and every group.
    fn concerned(
        &self,
        person: PersonId,
    ) -> impl Iterator<Item = kit::Mailbox<session::Msg>> + use<'_> {
        let may_be =
            move |key: &protocol::SessionKey| !key.is_private() || key.owner(None) == person;
        self.live.iter().filter(move |(key, _)| may_be(key)).map(|(_, live)| live.mailbox.clone())
    }

    fn forgotten(
        &mut self,
        person: PersonId,
        done: &Result<Option<ErasureReceipt>, LedgerError>,
        cx: &mut Cx<'_, Self>,
    ) {
        let go_on: Vec<_> = self.concerned(person).collect();
        for mailbox in go_on {
            self.tasks.start(async move {
                // lost-ok: it has ended; the next one reads what is left.
                mailbox.tell(session::Msg::Forgotten(person)).await.ok();
            });
        }
        let name = self.any_peers().map(|it| (it.pseudonym)(person)).unwrap_or_default();
        match done {
            Ok(_) => info!(
                labels.person = name,
                event.action = "person_forgotten",
                event.outcome = "success",
                "a person was forgotten: their key is destroyed"
            ),
            Err(error) => warn!(
                labels.person = name, error.message = %error,
                event.action = "person_forgotten",
                event.outcome = "failure",
                "a person could not be forgotten"
            ),
        }
        self.tell_receipts(cx);
    }

    /// Shows every receipt that nobody was shown, one after the other.
    pub(super) fn tell_receipts(&mut self, cx: &mut Cx<'_, Self>) {
        if std::mem::replace(&mut self.telling, true) {
            self.tell_again = true;
            return;
        }
        let peers = self.peers.borrow().clone();
        let usual = self.session.house.languages.choose(None, None);
        let languages = self.languages.clone();
        let work = async move {
            let Some(memory) = peers.values().next().map(|it| it.memory.clone()) else {
                return true;
            };
            let Ok(Ok(untold)) = ask(&memory, memory::Msg::UntoldReceipts).await else {
                return false;
            };
            let mut all = true;
            for receipt in untold {
                let Some((bot, person)) = receipt.to_tell else { continue };
                let Some(peers) = peers.get(&bot) else { continue };
                let language = languages.get(&person).copied().unwrap_or(usual);
                let is_told = show(&peers.outbox, (person, language), &receipt).await && {
                    let number = receipt.number;
                    let told = ask(&memory, |reply| memory::Msg::ReceiptTold(number, reply)).await;
                    matches!(told, Ok(Ok(())))
                };
                all &= is_told;
            }
            all
        };
        cx.when(work, |keeper, all, cx| {
            keeper.telling = false;
            if std::mem::take(&mut keeper.tell_again) {
                keeper.tell_receipts(cx);
            } else if !all {
                cx.after(PAUSE, |keeper, cx| {
                    keeper.tell_receipts(cx);
                    Ok(())
                });
            } else {
                keeper.languages.clear();
            }
            Ok(())
        });
    }
}

/// True once the roster has nothing of the person at hand, nor on its way to the ledger.
async fn heard(roster: &kit::Mailbox<roster::Msg>, person: PersonId, erasure: Erasure) -> bool {
    ask(roster, |heard| roster::Msg::Forget { person, erasure, heard }).await.is_ok()
}

/// Has the timekeeper drop what is the person's. One that comes back in between has read it anew.
async fn drop_reminders(timekeeper: &kit::Mailbox<timekeeper::Msg>, person: PersonId) {
    for _ in 0..HEARD_TRIES_MAX {
        if ask(timekeeper, |gone| timekeeper::Msg::Forget(person, gone)).await.is_ok() {
            return;
        }
    }
}

/// Has a session stop if it holds words of the person.
async fn stop(mailbox: kit::Mailbox<session::Msg>, person: PersonId) {
    let (stopped, when_stopped) = oneshot::channel();
    let stopping = async {
        if mailbox.tell(session::Msg::Halt(person, stopped)).await.is_ok() {
            // lost-ok: it has ended, which is as good.
            when_stopped.await.ok();
        }
    };
    if timeout(STOP_TIME_MAX, stopping).await.is_err() {
        warn!(event.action = "session_not_stopped", "a conversation did not stop in time");
    }
}

/// True once it was accepted, or never will be.
async fn show(
    outbox: &kit::Mailbox<outbox::Msg>,
    (person, language): (PersonId, Language),
    receipt: &ErasureReceipt,
) -> bool {
    let notice = words::forgotten(&receipt.text).in_language(language);
    let what = outbox::Sayable::Notice(notice);
    let sent = ask(outbox, |reply| outbox::Msg::Send {
        to: Address { chat: ChatId(person.0), topic: None },
        what,
        reply_to: None,
        part: None,
        reply: Some(reply),
    });
    match sent.await {
        Ok(Ok(_) | Err(MessengerError::Forbidden | MessengerError::Rejected { .. })) => true,
        Ok(Err(
            MessengerError::Flooded { .. }
            | MessengerError::Migrated { .. }
            | MessengerError::Conflict
            | MessengerError::Unauthorized
            | MessengerError::Unreachable(_)
            | MessengerError::Broken { .. },
        ))
        | Err(_) => false,
    }
}
