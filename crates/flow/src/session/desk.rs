//! What officers ask of the program in a chat: one incident, what was set aside, backups, reports. All of
//! it is in the audit log before it is done or shown.

use std::{rc::Rc, time::Duration};

use kit::ask;
use protocol::{
    PersonId, Timestamp,
    audit::{Action, AuditLog as _, Deed, Doer, Outcome, Target},
    ledger::{Arrival, Receipt, Route},
    messenger::Address,
};

use super::Peers;
use crate::{
    archivist,
    aside::{self, Aside, AsideChange, Verdict},
    export::PersonalCopy,
    keeper, memory, outbox,
    request::Errand,
    right::{Governing, Granted, Operating},
    roster::{self, AdministerError, Change},
    words::{self, Notice, Text, desk, text},
};

/// Records that are shown of one incident.
const RECORDS: usize = 8;
/// How long somebody in a chat waits for a backup.
const BACKUP_TIME_MAX: Duration = Duration::from_secs(600);

/// Does it, and says what came of it.
pub(super) async fn run(peers: Rc<Peers>, to: Address, errand: Errand) -> Notice {
    let now = peers.clock.now();
    match errand {
        Errand::Incident { number, by } => incident(&peers, number, by.by()).await,
        Errand::Quarantine { by } => quarantine(&peers, by, now).await,
        Errand::Settle { reference, verdict, by } => {
            settle(&peers, AsideChange { reference, verdict }, by, now).await
        }
        Errand::Backup { by } => backup(&peers, by).await,
        Errand::Backups { by } => {
            if let Err(error) = peers.incidents.record(read(&peers, by.by(), "backups")).await {
                return words::officers::not_shown(error);
            }
            match peers.bench.clerk.backups().await {
                Ok(lines) => desk::backups(&lines, now),
                Err(why) => desk::failed(text!("backups-not-shown"), &why),
            }
        }
        Errand::Report { standard, by } => report(&peers, to, standard, by).await,
    }
}

fn read(peers: &Peers, by: PersonId, what: &str) -> Deed {
    let target = Target::Thing(what.to_owned());
    Deed::done(peers.clock.now(), Doer::Person(by), Action::AuditRead, target)
}

async fn incident(peers: &Peers, number: u64, by: PersonId) -> Notice {
    let noted = peers.incidents.record(read(peers, by, &format!("incident-{number}"))).await;
    if let Err(error) = noted {
        return words::officers::not_shown(error);
    }
    let all = peers.incidents.all();
    let Some(found) = all.newest_first().find(|it| it.number == number) else {
        return desk::no_such_incident(number);
    };
    let name = found.name();
    let of_it =
        |it: &protocol::audit::Record| it.target == name && it.action != Action::AuditRead.word();
    let mut records = peers.incidents.newest(None, usize::MAX);
    records.retain(of_it);
    records.truncate(RECORDS);
    desk::incident(found, &records)
}

async fn found(peers: &Peers, now: Timestamp) -> Result<Vec<Aside>, String> {
    let failed = aside::all(&*peers.bench.ledger, now).await.map_err(|it| it.to_string())?;
    let mut all: Vec<Aside> =
        peers.bench.clerk.unread().await?.into_iter().map(Into::into).collect();
    all.extend(failed);
    all.sort_by_key(|it| it.at);
    Ok(all)
}

async fn quarantine(peers: &Peers, by: Granted<Operating>, now: Timestamp) -> Notice {
    if let Err(error) = peers.incidents.record(read(peers, by.by(), "quarantine")).await {
        return words::officers::not_shown(error);
    }
    match found(peers, now).await {
        Ok(all) => {
            let chat = |it| desk::chat_word(&peers.pseudonym, it);
            desk::quarantine(&all, peers.hall.load().verdicts(), &chat)
        }
        Err(why) => desk::failed(text!("aside-not-shown"), &why),
    }
}

/// The roster notes what is said of a message before it is so; only then is it put back. What a crash
/// leaves out in between, the same command does.
async fn settle(
    peers: &Peers,
    change: AsideChange,
    by: Granted<Operating>,
    now: Timestamp,
) -> Notice {
    let AsideChange { reference, verdict } = change;
    let failed = |why: &str| desk::failed(text!("nothing-was-done"), why);
    let all = match found(peers, now).await {
        Ok(all) => all,
        Err(why) => return failed(&why),
    };
    let Some(aside) = all.into_iter().find(|it| it.reference == reference) else {
        return desk::no_such_aside(reference);
    };
    let arrival = match verdict {
        Verdict::Dropped => None,
        Verdict::Retried => match arrival(peers, &aside, now).await {
            Ok(Some(arrival)) => Some(arrival),
            Ok(None) => return desk::cannot_be_retried(reference, aside.is_unread),
            Err(why) => return failed(&why),
        },
    };
    let order = peers.hall.load().order(by.by(), Change::Aside(change));
    let Some(order) = order else { return desk::refused(&AdministerError::NotAllowed) };
    let changed = ask(&peers.roster, |reply| roster::Msg::Administer { order, reply }).await;
    if let Err(why) = changed.unwrap_or(Err(AdministerError::NotStored)) {
        return desk::refused(&why);
    }
    let Some(arrival) = arrival else { return desk::settled(reference, verdict, true) };
    let bot = aside::bot(&aside);
    let put_back = ask(&peers.memory, |reply| memory::Msg::Journal(bot, vec![arrival], reply));
    match put_back.await {
        Ok(Ok(receipts)) => {
            if let Some(keeper) = peers.keeper.get() {
                // lost-ok: the keeper that comes next looks for what waits.
                keeper.tell(keeper::Msg::Ring(vec![aside.key])).await.ok();
            }
            desk::settled(reference, verdict, receipts == [Receipt::New])
        }
        Ok(Err(error)) => failed(&error.to_string()),
        Err(_gone) => desk::failed(text!("nothing-was-done"), text!("why-restarted")),
    }
}

/// The message as it comes again, under an id of its own. `None` if it cannot.
async fn arrival(peers: &Peers, aside: &Aside, now: Timestamp) -> Result<Option<Arrival>, String> {
    if aside.is_unread {
        return Ok(None);
    }
    let Some(update) = aside::again(aside.update) else { return Ok(None) };
    let received = aside::received(&*peers.bench.ledger, aside).await;
    let received = received.map_err(|it| it.to_string())?;
    Ok(received.map(|(owner, raw)| {
        let route = Route::Session { key: aside.key, owner, raw };
        Arrival { update, route, at: now }
    }))
}

async fn backup(peers: &Peers, by: Granted<Operating>) -> Notice {
    let actor = Doer::Person(by.by());
    let deed = Deed::done(peers.clock.now(), actor, Action::BackupCreated, Target::Nothing);
    if let Err(error) = peers.incidents.record(deed.clone()).await {
        return desk::not_done(error);
    }
    let made = match &peers.bench.archivist {
        None => Err(text!("why-backups-off")),
        Some(archivist) => {
            let made = ask(archivist, |reply| archivist::Msg::Make { reply });
            match tokio::time::timeout(BACKUP_TIME_MAX, made).await {
                Ok(Ok(made)) => made.map_err(Text::from),
                Ok(Err(_away)) => Err(text!("why-restarted")),
                Err(_elapsed) => Err(text!("why-takes-long")),
            }
        }
    };
    match made {
        Ok(json) => desk::backup_made(&json),
        Err(why) => {
            peers.incidents.note(deed.with(Outcome::Failed));
            desk::failed(text!("backup-not-made"), &why)
        }
    }
}

async fn report(
    peers: &Peers,
    to: Address,
    standard: &'static str,
    by: Granted<Governing>,
) -> Notice {
    let (actor, target) = (Doer::Person(by.by()), Target::Thing(standard.to_owned()));
    let deed = Deed::done(peers.clock.now(), actor, Action::ReportMade, target);
    if let Err(error) = peers.incidents.record(deed.clone()).await {
        return desk::not_done(error);
    }
    let sent = match peers.bench.clerk.report(standard).await {
        Ok(text) => {
            let language = peers.tongues.of(by.by());
            let copy = PersonalCopy::of_report(by, standard, text, language);
            let what = outbox::Sayable::Copy(copy);
            let sent = ask(&peers.outbox, |reply| outbox::Msg::Send {
                to,
                what,
                reply_to: None,
                part: None,
                reply: Some(reply),
            });
            match sent.await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(_)) => Err(text!("why-not-delivered")),
                Err(_) => Err(text!("why-restarted")),
            }
        }
        Err(why) => Err(why.into()),
    };
    match sent {
        Ok(()) => desk::report_sent(standard),
        Err(why) => {
            peers.incidents.note(deed.with(Outcome::Failed));
            desk::failed(text!("report-not-made"), &why)
        }
    }
}
